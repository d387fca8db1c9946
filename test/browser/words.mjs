// What the program itself wrote is told in the reader's language, and what has ended early, or
// is not there yet, says what to do.  Arguments: yagura.
import fs from "node:fs";
import path from "node:path";
import { Server, firstPerson, loadSample, note, ok, openBrowser, run, seconds, wordsOf } from "./lib.mjs";

const KANA = /[\u3040-\u30ff\u4e00-\u9fff]/;

/** Titles and kinds of alerts, and looking for them. */
async function alerts(tab, person, w) {
	const { page } = tab;
	const all = (await person.get("/api/v1/alerts?limit=200")).items;
	const a = all.find((x) => x.indicator_type === "domain");
	await tab.go(`/alerts/${a.id}`);
	const drawer = await page.locator(".y-drawer").innerText();
	ok(drawer.includes(a.indicator) && /ドメイン: /.test(await page.locator(".y-drawer h2").first().innerText()) && !/ domain\b/.test(drawer), "an alert of a list has its title and its kind in Japanese", drawer);
	const title = await page.locator(".y-drawer h2").first().innerText();
	const box = page.getByRole("searchbox", { name: w("alerts.find") });
	await tab.go("/alerts");
	await box.fill(title);
	await page.waitForURL(/[?&]q=/);
	await tab.settled();
	const rows = page.locator("main table tbody td.is-main");
	const found = await rows.allInnerTexts();
	ok(found.length > 0 && found.every((x) => x.includes(a.indicator)), "and is found by that title", [title, found]);
	const english = (await person.call("GET", `/api/v1/alerts/${a.id}`, undefined, { "Accept-Language": "en" })).json().title;
	await box.fill(english);
	await page.waitForURL((u) => u.searchParams.get("q") === english);
	await tab.settled();
	ok(!KANA.test(english) && (await rows.allInnerTexts()).join() === found.join(), "as by the English one", english);
	return a;
}
/** Values in the audit log. */
async function log(tab, person, a) {
	const { page } = tab;
	await person.must("PATCH", `/api/v1/alerts/${a.id}`, { state: "closed", verdict: "benign", reason: "訓練", severity_id: 2 }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await tab.go(`/audit-log?object=${a.id}&action=alert.update`);
	await page.locator("main .y-diff").first().waitFor();
	await page.waitForFunction(() => !/closed|benign/.test(document.querySelector("main table").innerText));
	const row = await page.locator("main table tbody tr").first().innerText();
	ok(row.includes("クローズ") && row.includes("問題なし"), "the audit log says states and verdicts in words", row);
	await tab.go("/audit-log?action=org.");
	const text = await page.locator("main table tbody").innerText();
	ok(!/\b(centre|sector|organisation|unit|administrator)\b/.test(text), "and kinds and roles", text);
}
/** A bulk change that the end of the program interrupted, as the server tells it. */
async function interrupted(tab, w) {
	const { page } = tab;
	const job = { id: "j-01JD0000000000000000000001", kind: "alert.bulk", org: null, state: "running", done: 0, total: 10, errors: 0, message: "", result: null, created_at: "2026-11-22T01:02:03Z", started_at: "2026-11-22T01:02:03Z", finished_at: null, undo_left: 0, undo_until: null };
	const end = { ...job, state: "interrupted", done: 4, message: "途中でプログラムが終了しました" };
	await tab.context.route("**/api/v1/alerts/bulk", (r) => r.fulfill({ status: 202, json: job }));
	await tab.context.route(`**/api/v1/jobs/${job.id}`, (r) => r.fulfill({ json: end }));
	await tab.go("/alerts");
	await page.getByRole("checkbox", { name: w("table.select-all") }).check();
	await page.locator(".y-bulk").getByRole("button", { name: w("alerts.more") }).click();
	await page.getByRole("menuitem", { name: w("alerts.start"), exact: true }).click();
	const toast = page.locator(".y-toast", { hasText: end.message });
	await toast.waitFor();
	const said = await toast.innerText();
	ok(said.includes("10件中 4件"), "what ended early says how far it came, and why", said);
	await toast.getByRole("link").click();
	await page.waitForURL(new RegExp(`/jobs/${job.id}`));
	ok(true, "and leads to its job");
	await tab.context.unroute("**/api/v1/alerts/bulk");
	await tab.context.unroute(`**/api/v1/jobs/${job.id}`);
	await tab.settled();
}
/** Who is invited has a role, and cannot see anything yet. */
async function waiting(tab, person, w) {
	const { page } = tab;
	const made = await person.must("POST", "/api/v1/people", { login: "new-one", name: "新人", language: "ja" });
	await person.must("POST", "/api/v1/grants", { person: made.id, role: "centre_analyst", reason: "a test" });
	await tab.go(`/people/${made.id}`);
	const told = page.locator(".y-drawer p", { hasText: w("people.access.none.active") });
	await told.waitFor();
	ok((await told.innerText()) === w("people.access.none.invited"), "of who is invited it is said why nothing can be seen yet");
}
/** Once more who one is: with passkeys alone there is no password to ask for. */
async function stepUp(tab, w) {
	const { page } = tab;
	const ask = async (credentials) => {
		const needed = { type: "/doc/problems#step-up-needed", title: "x", status: 403, detail: "" };
		await tab.context.route("**/api/v1/me", (r) => (r.request().method() === "GET" ? r.fulfill({ json: { person: {}, credentials } }) : r.continue()));
		await tab.context.route("**/api/v1/people", (r) => (r.request().method() === "POST" ? r.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(needed) }) : r.continue()));
		await tab.go("/people");
		await page.getByRole("button", { name: w("people.add"), exact: true }).click();
		const form = page.locator("dialog[open] form");
		await form.locator("input").nth(0).fill("another");
		await form.locator("input").nth(1).fill("another");
		await form.locator("[type=submit]").click();
		await page.getByRole("heading", { name: w("step-up.title") }).waitFor();
		await page.waitForFunction(() => [...document.querySelectorAll("dialog[open]")].at(-1).contains(document.activeElement));
		const has = await page.evaluate(() => [document.activeElement.tagName, document.activeElement.type, [...document.querySelectorAll("dialog[open]")].at(-1).querySelectorAll("input").length]);
		await page.keyboard.press("Escape");
		await page.keyboard.press("Escape");
		await tab.context.unroute("**/api/v1/me");
		await tab.context.unroute("**/api/v1/people");
		return has.join();
	};
	ok((await ask({ password: false, totp: false, passkeys: 1, recovery_codes: 0, identities: 0 })) === "BUTTON,button,0", "who has passkeys alone is asked for one");
	ok((await ask({ password: true, totp: true, passkeys: 0, recovery_codes: 0, identities: 0 })) === "INPUT,password,2", "who has a password alone, for that");
}

/** A page on paper says whose it is, of when, how far it may go, and when it was printed. */
async function printed(tab, w) {
	const { page } = tab;
	await tab.go("/alerts?from=now-7d&state=all");
	const line = page.locator(".y-printed");
	const shown = await line.isVisible();
	await page.emulateMedia({ media: "print" });
	await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
	const text = await line.innerText();
	ok(!shown && (await line.isVisible()) && !(await page.locator(".y-nav").isVisible()), "on paper alone", text);
	ok(/^TLP:[A-Z+]+ \| /.test(text) && text.includes(`${w("scope.title")}: ${w("scope.whole")}`) && /7\s*日/.test(text) && /\d{4}-\d\d-\d\d \d\d:\d\d 管理 花子$/.test(text), "whose, of when, how far, when and by whom", text);
	const edges = await page.evaluate(() => document.adoptedStyleSheets.flatMap((x) => [...x.cssRules].map((r) => r.cssText)).join());
	ok(/@top-right \{ content: "TLP:/.test(edges) && /@bottom-right \{ content: counter\(page\)/.test(edges), "and on every sheet", edges);
	const file = await page.pdf({ format: "A4" });
	ok(file.length > 10_000, "as a PDF, too", file.length);
	if (process.env.YAGURA_SHOTS !== undefined) fs.writeFileSync(path.join(process.env.YAGURA_SHOTS, "alerts.pdf"), file);
	await page.emulateMedia({ media: null });
}

await run(async () => {
	const server = await Server.start();
	const browser = await openBrowser(server);
	const chief = await firstPerson(server, { language: "ja" });
	await loadSample(server);
	const tab = await browser.tab(chief, { language: "ja" });
	const w = wordsOf("ja");
	tab.expected = (line) => /status of 40[34]/.test(line); // what is refused, or made up, on purpose
	await tab.open("/alerts");
	note(`ready after ${seconds().toFixed(1)} s`);
	const a = await alerts(tab, chief, w);
	await log(tab, chief, a);
	await interrupted(tab, w);
	await waiting(tab, chief, w);
	await stepUp(tab, w);
	await printed(tab, w);
	const told = tab.troubles();
	ok(told.length === 0, "nothing in the browser's console", told);
});
