// Every page in Japanese and English, light and dark, at 360 and 1440 pixels: it is
// there, whole, translated, accessible, and nothing is blocked or fails behind it.
// Arguments: yagura.
import fs from "node:fs";
import path from "node:path";
import { AXE_TAGS, ROOT, Server, chooseOwnJson, firstPerson, invited, loadSample, note, ok, openBrowser, run, seconds, until, wordsOf, worked } from "./lib.mjs";
import { addresses, controlsOf, faultsOf, lostOf, pagesOf, tabsOf } from "./inspect.mjs";

// In the dark everything at one width, by the language, and at the other what a theme changes.
const CONTRAST = ["color-contrast"];
const DARK_WHOLE = { ja: 1440, en: 360 };

/** What is open, in both themes and at both widths: its faults. `brief`: at each width in one theme, by the language. */
async function inspected(tab, language, zooms, brief = false) {
	const faults = [];
	const told = async (what, lines) => faults.push(...(await lines).map((l) => `${what}: ${l}`));
	for (const width of tab.width === 1440 ? [1440, 360] : [360, 1440]) {
		await tab.size(width);
		await tab.settled();
		const dark = width === DARK_WHOLE[language];
		await told(`light ${width}`, faultsOf(tab, language));
		if (!brief || !dark) await told(`light ${width} axe`, tab.axe());
		if (brief && !dark) continue;
		await tab.theme("dark");
		await told(`dark ${width} axe`, tab.axe(dark ? undefined : CONTRAST));
		await tab.theme("light");
	}
	for (const width of zooms) { // 1280 at 400 %: nothing scrolls sideways, however long its words
		await tab.size(width);
		await told(`zoom ${width}`, faultsOf(tab, language));
		await tab.size(1440);
	}
	if (language === "ja") {
		const before = await controlsOf(tab);
		await tab.page.emulateMedia({ forcedColors: "active" });
		await told("forced colours", faultsOf(tab, language));
		await told("forced colours", lostOf(before, await controlsOf(tab)));
		await tab.page.emulateMedia({ forcedColors: "none" });
	}
	return [...faults, ...tab.troubles()];
}
/** One address. */
async function look(tab, address, language, inside, brief = false) {
	const start = Date.now();
	const before = tab.expected;
	// what is refused on purpose
	if (address.endsWith("q=(")) tab.expected = (line) => before?.(line) || line.includes("status of 400");
	await (inside ? tab.go(address) : tab.open(address));
	const faults = await inspected(tab, language, brief ? [] : inside ? (language === "en" ? [640, 320] : []) : [640, 320], brief);
	tab.expected = before;
	ok(faults.length === 0, `${language} ${address.replace(/code=.*/, "code=...")} (${Date.now() - start} ms)`, faults);
}

/** What was asked for before the page's script was there is what the page asks: once, and taken. No page asks twice. */
async function early(browser, person) {
	const tab = await browser.tab(person, { language: "ja" });
	await tab.context.addInitScript(() => { // what early.ts asks for, as it does
		let asked;
		window.earlyAsked = [];
		Object.defineProperty(window, "yaguraEarly", {
			get: () => asked,
			set: (map) => {
				asked = map;
				map.set = (address, answer) => {
					window.earlyAsked.push(address);
					return Map.prototype.set.call(map, address, answer);
				};
			},
		});
	});
	const asked = [];
	tab.page.on("request", (q) => q.url().includes("/api/") && asked.push(`${q.method()} ${new URL(q.url()).pathname}${new URL(q.url()).search}`));
	const [alert] = (await person.get("/api/v1/alerts?limit=1")).items;
	const faults = [];
	const first = ["/", `/o/${alert.org}`, `/o/${alert.org}/a/${encodeURIComponent(alert.asset)}`, `/alerts/${alert.id}`, "/alerts?by=org&severity=4", "/search?q=query:*.example&from=now-7d", "/compare", "/dns", "/dns-zones", "/audit-log"];
	for (const address of [...first, "/work", "/sources", "/indicators", "/detection-rules"]) {
		asked.splice(0);
		await tab.open(address);
		const own = await tab.page.evaluate(() => window.earlyAsked.filter((a) => a.startsWith("/api/") && a !== "/api/v1/session"));
		if (first.includes(address) && own.length === 0) faults.push(`${address}: nothing is asked before its script`);
		faults.push(...(await tab.page.evaluate(() => [...(globalThis.yaguraEarly?.keys() ?? ["nothing"])])).map((x) => `${address}: ${x} is not taken`));
		faults.push(...asked.filter((x, i) => asked.indexOf(x) !== i).map((x) => `${address}: ${x} is asked for twice`));
	}
	ok(faults.length === 0, "a page's first questions are asked before its script is there, once, and taken", faults);
	await tab.close();
}
/** What needs no script and no session. */
async function plainPages(browser, setup, language) {
	const tab = await browser.tab(null, { language });
	for (const address of [setup, "/setup?code=WRONG", "/signin", "/status", "/doc/problems"]) {
		if (address.endsWith("WRONG")) tab.expected = (text) => text.includes("status of 404");
		await look(tab, address, language, false);
		tab.expected = undefined;
		const outside = await tab.page.evaluate(() => [...document.querySelectorAll("[src],[href]")].map((e) => e.getAttribute("src") ?? e.getAttribute("href")).filter((a) => /^(https?:)?\/\//.test(a)));
		ok(outside.length === 0, `${language} ${address.split("?")[0]} names no other host`, outside);
		const text = await tab.page.evaluate(() => document.body.innerText);
		ok(!text.includes("secret-city") && !text.includes("秘密の市"), `${language} ${address.split("?")[0]}: no organisation's name without sign-in`);
	}
	await tab.close();
}

async function consolePages(server, browser, person, language, worked_) {
	const tab = await browser.tab(person, { language });
	await tab.open("/alerts");
	await tab.speak(language);
	const pages = await addresses(await pagesOf(tab), person);
	const list = [...new Set([...pages, ...worked_])];
	for (const address of [...list]) {
		await look(tab, address, language, true, !pages.includes(address));
		if (address.includes("?")) continue;
		for (const more of await tabsOf(tab)) {
			if (list.includes(more)) continue;
			list.push(more);
			await look(tab, more, language, true, true);
		}
	}
	await tab.go("/import");
	await chooseOwnJson(tab, server, wordsOf(language));
	const faults = await inspected(tab, language, [320]);
	ok(faults.length === 0, `${language} /import: a file of one's own JSON and its mapping`, faults);
	await look(tab, "/no-such-page", language, true);
	tab.expected = (line) => line.includes("status of 404");
	await tab.open("/no/such/page"); // typed: the server says 404, the console says what that means
	ok((await tab.page.locator(".y-nav a").count()) > 5, `${language}: an address of nobody is told in the console's frame`);
	await tab.close();
	note(`${language}: all after ${seconds().toFixed(1)} s`);
}

/** From the whole down to an asset by the scope bar; the numbers are of what is above it. */
async function scopes(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	const alert = (await person.get("/api/v1/alerts?limit=1&state=open")).items[0];
	const shown = async () => Number((await page.locator('.y-figures .y-figure a[href$="/alerts?state=open"] b').innerText()).replace(/\D/g, ""));
	await tab.open("/");
	await tab.speak("en");
	const whole = await shown();
	const choose = async (label, text) => {
		await page.click(".y-scope button");
		await page.locator(".y-scope [role=dialog]").getByRole("combobox", { name: label, exact: true }).focus();
		await page.keyboard.type(text);
		await page.locator(`.y-scope [role=option]`, { hasText: text }).first().waitFor();
		await page.keyboard.press("Enter");
		await page.waitForFunction(() => document.querySelector(".y-scope [role=dialog]") === null);
		await tab.settled();
	};
	await choose("Organisation", alert.org);
	const org = await shown();
	ok(new URL(page.url()).pathname === `/o/${alert.org}` && org > 0 && org < whole, "the scope bar leads to an organisation", [page.url(), whole, org]);
	await choose("Asset", alert.asset);
	const asset = await shown();
	const { total } = await person.get(`/api/v1/alerts?org=${alert.org}&asset=${encodeURIComponent(alert.asset)}&state=open`);
	ok(new URL(page.url()).pathname === `/o/${alert.org}/a/${alert.asset}` && asset === total, "and to an asset, with its numbers", [page.url(), asset, total]);
	await page.click(".y-nav a[href$='/alerts']");
	await tab.settled();
	ok((await page.locator(".y-tablebar ~ table tbody tr").count()) === total, "which other pages keep", page.url());
	ok(tab.troubles().length === 0, "nothing in the browser's console");
	await tab.close();
}
/** A false positive with its reason, scope and expiry, and taken back. */
async function undone(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	const { items: all } = await person.get("/api/v1/alerts?limit=200&state=new");
	const items = all.filter((a) => a.indicator_type !== "rule" && a.indicator_type !== "notice"); // of these no indicator can be allowed
	const alert = items.find((a) => items.some((b) => b.org === a.org && b.id !== a.id)); // one that another can join
	const state = async () => (await person.get(`/api/v1/alerts/${alert.id}`)).state;
	const allowed = async () => (await person.get(`/api/v1/allow-entries?org=${alert.org}`)).items;
	await tab.open(`/alerts/${alert.id}`);
	await tab.speak("en");
	await page.locator(".y-drawer").focus();
	await page.keyboard.press("f");
	const dialog = page.locator("dialog[open]");
	await dialog.locator("textarea").fill("our own scanner");
	await dialog.locator("[type=submit]").click();
	await page.locator(".y-toast button", { hasText: "Undo" }).waitFor();
	const [entry] = await allowed();
	ok((await state()) === "closed" && entry?.reason === "our own scanner" && entry.expires_at !== null, "a false positive is allowed for a time", entry);
	await page.locator(".y-toast button", { hasText: "Undo" }).click();
	await until("the alert is open again", async () => (await state()) !== "closed");
	ok((await allowed()).length === 0 && tab.troubles().length === 0, "and that is taken back");

	await tab.open(`/alerts/${alert.id}`);
	await page.locator(".y-drawer").getByRole("button", { name: "More" }).click();
	await page.getByRole("menuitem", { name: "Merge others into this one" }).click();
	await dialog.getByRole("checkbox").first().check();
	await dialog.getByRole("button", { name: "Merge 1" }).click();
	await page.locator(".y-toast", { hasText: "1 alert merged" }).getByRole("button", { name: "Undo" }).waitFor();
	const merged = async () => (await person.get(`/api/v1/alerts?org=${alert.org}&state=closed&limit=200`)).items.filter((a) => a.merged_into === alert.id);
	const [gone] = await merged();
	const both = await person.get(`/api/v1/alerts/${alert.id}`);
	await page.locator(".y-toast").getByRole("button", { name: "Undo" }).last().click();
	await until("the merged alert is its own again", async () => (await merged()).length === 0);
	const [one, other] = [await person.get(`/api/v1/alerts/${alert.id}`), await person.get(`/api/v1/alerts/${gone.id}`)];
	ok(other.state === "in_progress" && one.count + other.count === both.count && tab.troubles().length === 0, "merged, and that is taken back", [gone, one, other]);

	const asleep = async () => (await person.get("/api/v1/alerts?state=snoozed")).items;
	const inState = async (state) => (await person.get(`/api/v1/alerts?state=${state}&limit=200`)).items.map((a) => a.id).sort().join();
	const before = [await inState("on_hold"), await inState("new")];
	await tab.open("/alerts?state=new");
	const pickTwo = async () => {
		for (const i of [0, 1]) await page.locator(".y-table tbody input[type=checkbox]").nth(i).check();
	};
	await pickTwo();
	await page.locator(".y-bulk").getByRole("button", { name: "More" }).click();
	const shownWhole = await page.evaluate(() => [...document.querySelectorAll(".y-bulk [role=menuitem]")].every((e) => e.getBoundingClientRect().top >= 0 && e.getBoundingClientRect().bottom <= innerHeight));
	await page.getByRole("menuitem", { name: "Put on hold" }).click();
	await page.locator(".y-toast").getByRole("button", { name: "Undo" }).last().waitFor();
	const held = (await inState("on_hold")).split(",").filter((id) => !before[0].includes(id));
	await page.locator(".y-toast").getByRole("button", { name: "Undo" }).last().click();
	await until("two alerts are new again", async () => (await inState("new")) === before[1]);
	ok(shownWhole, "the menu of the bar over a selection is within the window");
	ok(held.length === 2 && (await inState("on_hold")) === before[0] && tab.troubles().length === 0, "two alerts are changed together, and the undo button puts both back", [held, before]);

	await tab.open("/alerts?state=new");
	await pickTwo();
	await page.locator(".y-bulk").getByRole("button", { name: "More" }).click();
	await page.getByRole("menuitem", { name: "Snooze" }).click();
	await dialog.locator("textarea").fill("waits for the vendor");
	await dialog.locator("[type=submit]").click();
	await page.locator(".y-toast").getByRole("button", { name: "Undo" }).last().waitFor();
	const away = await asleep();
	await tab.open("/alerts?state=snoozed");
	const shown = await page.locator(".y-table tbody tr").count();
	ok(away.length === 2 && shown === 2 && away.every((a) => a.snooze_reason === "waits for the vendor" && a.snoozed_until !== null), "two alerts are put off together, and listed so", [away, shown]);
	await page.locator(".y-table tbody a").first().click();
	await page.locator(".y-drawer").getByRole("button", { name: "More" }).click();
	await page.getByRole("menuitem", { name: "Wake up now" }).click();
	await until("one is awake", async () => (await asleep()).length === 1);
	await page.locator(".y-toast").getByRole("button", { name: "Undo" }).last().click();
	await until("and put off again", async () => (await asleep()).length === 2);
	ok(tab.troubles().length === 0, "the undo button takes back what one did to one of them", tab.troubles());
	for (const a of away) await person.must("PATCH", `/api/v1/alerts/${a.id}`, { snoozed_until: null }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await tab.close();
}
/** Jobs by state and kind, indicators by a part and by whether they are in force: the rows are those of the API. */
async function filters(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	const main = page.locator("main");
	const rows = async () => (await page.locator(".y-tablebar ~ table tbody tr").allInnerTexts()).length;
	const pick = async (label, value, param) => {
		await main.getByRole("combobox", { name: label, exact: true }).selectOption(value);
		await page.waitForFunction(([name, want]) => (new URL(location.href).searchParams.get(name) ?? "") === want, [param, value]);
		await tab.settled();
	};
	const items = await until("no job goes on", async () => {
		const all = (await person.get("/api/v1/jobs?limit=200")).items;
		return all.every((j) => j.state !== "queued" && j.state !== "running") && all;
	});
	const { kind } = items.find((j) => j.state === "done");
	const of = (state) => items.filter((j) => j.kind === kind && j.state === state).length;
	await tab.open("/jobs");
	await tab.speak("en");
	await pick("Job", kind, "kind");
	await pick("State", "done", "state");
	const done = await rows();
	await pick("State", "failed", "state");
	ok(done === of("done") && done > 0 && (await rows()) === of("failed"), "jobs by kind and state", [kind, done, of("done")]);

	await tab.go("/health");
	const boxes = page.locator("details.hl-box");
	await boxes.first().locator("summary").click();
	ok((await boxes.count()) >= 4 && /seccomp\s+mode 2/.test(await boxes.first().innerText()), "each process shows what it found out behind its sandbox", await boxes.allInnerTexts());

	const list = (await person.get("/api/v1/indicator-lists?limit=1")).items[0];
	const add = (value, rest) => person.must("POST", "/api/v1/indicators", { list: list.id, type: "domain", value, ...rest });
	await add("part-of-it-one.example");
	await add("two.part-of-it.example", { valid_until: new Date(Date.now() - 60_000).toISOString() });
	await tab.go("/indicators?tab=entries");
	await main.getByRole("searchbox", { name: "Find by a part of the value" }).fill("PART-OF-IT");
	await page.waitForFunction(() => new URL(location.href).searchParams.get("q") === "PART-OF-IT");
	await tab.settled();
	const both = await rows();
	await pick("Validity", "in_force", "validity");
	const live = await page.locator(".y-tablebar ~ table tbody tr").allInnerTexts();
	await pick("Validity", "expired", "validity");
	const over = await page.locator(".y-tablebar ~ table tbody tr").allInnerTexts();
	ok(both === 2 && live.length === 1 && live[0].includes("part-of-it-one") && over.length === 1 && over[0].includes("two.part-of-it"), "indicators by a part, in force and expired", [both, live, over]);
	const faults = [...(await inspected(tab, "en", [320])), ...tab.troubles()];
	ok(faults.length === 0, "and the page is whole with its filters set", faults);
	await tab.close();
}
/** One's own work: what is assigned, saved filters with what fits them, what one looked at. */
async function work(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	const [one, two] = (await person.get("/api/v1/alerts?limit=2&state=new&sort=severity")).items;
	await person.must("PATCH", `/api/v1/alerts/${one.id}`, { assignee: person.login }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await person.must("POST", "/api/v1/saved-searches", { name: "grave ones", page: "alerts", query: "severity=4", shared: false });
	const { total } = await person.get("/api/v1/alerts?limit=1&state=open&severity=4");
	await tab.open(`/alerts/${two.id}`);
	await tab.go("/work");
	await tab.speak("en");
	const section = (name) => page.locator("section", { has: page.getByRole("heading", { name, exact: true }) });
	await section("Looked at last").getByRole("link").first().waitFor();
	const mine = await section("Assigned to me").innerText();
	ok(mine.includes(one.title) && mine.includes(one.asset), "my work: the alert that is assigned to me", mine);
	const watched = section("Saved filters").getByRole("link", { name: `grave ones: ${total}`, exact: true });
	await watched.waitFor();
	await watched.click();
	await tab.settled();
	ok(new URL(page.url()).search === "?severity=4" && (await page.locator("main").innerText()).includes(`of ${total}`), "my work: a saved filter, counted, leads to its rows", page.url());
	await tab.go("/work");
	const seen = section("Looked at last").getByRole("link", { name: two.title, exact: true });
	await seen.first().waitFor();
	await tab.go("/search?from=now-2h");
	await page.getByText("in the period before").waitFor();
	const kept = await page.evaluate(() => localStorage.getItem("yagura.recent"));
	ok(kept.includes(two.id) && !kept.includes(two.title) && tab.troubles().length === 0, "my work: what one looked at, of which the browser keeps no title", kept);
	await tab.close();
}
/** Every number of the matrix leads to as many rules; a rule shows the stage that holds where one looks. */
async function matrix(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	const { rule, org, more } = await worked(person);
	await tab.open("/attack-matrix");
	await tab.speak("en");
	const links = await page.locator("main .am-table a[href*='exact=1'][href*='stage=']").evaluateAll((all) => all.map((a) => [a.getAttribute("href"), Number(/\d+/.exec(a.textContent)[0])]));
	const off = [];
	for (const [href, n] of links) {
		const got = await person.get(`/api/v1/detection-rules${href.slice(href.indexOf("?"))}&limit=200`);
		if (got.items.length !== n) off.push([href, n, got.items.length]);
	}
	ok(links.length > 5 && off.length === 0, `the ${links.length} numbers of rules in the matrix are those of the lists that they lead to`, off);
	await tab.go(links[0][0]);
	ok((await page.locator("main table tbody tr").count()) === links[0][1], "and the list shows them", links[0]);
	const stages = [];
	for (const where of ["", `/o/${org}`]) {
		await tab.go(`${where}${rule}`);
		stages.push((await page.locator(".dr-lead .y-chip").first().innerText()).trim());
	}
	ok(stages.join() === "Live,Audit only" && tab.troubles().length === 0, "a rule shows the stage that holds at the organisation", stages);
	await tab.close();
	return more;
}
/** What changes meanwhile never moves what is read: rows change in place, new ones wait until they are asked for. */
async function live(server, browser, person, width) {
	const tab = await browser.tab(person, { language: "en", width });
	const { page } = tab;
	await tab.open("/alerts");
	await tab.speak("en");
	const rows = page.locator(".y-tablebar ~ table tbody tr");
	const middle = rows.nth(8);
	await middle.evaluate((e) => e.scrollIntoView({ block: "center" }));
	const at = () => page.evaluate(() => [...document.querySelectorAll(".y-tablebar ~ table tbody tr")].slice(0, 14).map((r) => `${Math.round(r.getBoundingClientRect().top)} ${r.querySelector("td.is-main a").getAttribute("href")}`));
	const before = await at();
	const id = new URL(await middle.locator("td.is-main a").getAttribute("href"), "https://x").pathname.split("/").pop();
	await person.must("PATCH", `/api/v1/alerts/${id}`, { state: "on_hold" }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await middle.getByText("On hold").waitFor();
	ok((await at()).join() === before.join(), `${width}: a row that somebody changed is changed in its place`, [before, await at()]);

	const { org } = await person.get(`/api/v1/alerts/${id}`);
	const name = `10.99.0.${width % 250}`;
	const found = { _path: "dns", ts: Date.now() / 1000, uid: `Clive${width}`, "id.orig_h": name, "id.orig_p": 5353, "id.resp_h": "192.0.2.53", "id.resp_p": 53, proto: "udp", query: "c2-00.shadowfox.example" };
	await server.local("POST", `/api/v1/events?source=zeek&org=${org}`, `${JSON.stringify(found)}\n`, { "Content-Type": "application/x-ndjson" });
	const more = page.locator(".y-newrows").getByRole("button", { name: /^Show \d+ new$/ });
	await more.waitFor();
	ok((await at()).join() === before.join(), `${width}: what is new waits, and moves nothing`, [before, await at()]);
	await more.click();
	await page.locator("main").getByText(name).first().waitFor();

	// so on the other lists
	await tab.go("/audit-log");
	const entries = page.locator("main table tbody td.is-main");
	const log = await entries.allInnerTexts();
	await person.must("PATCH", `/api/v1/alerts/${id}`, { severity_id: 2 }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await more.waitFor();
	ok((await entries.allInnerTexts()).join() === log.join(), `${width}: what is new in the audit log waits, too`);
	await more.click();
	await tab.settled();

	// a comment that is being written stays as it is
	await tab.go(`/alerts/${id}`);
	const box = page.locator(".y-drawer textarea");
	await box.fill("half a sent");
	await box.evaluate((e) => e.scrollIntoView({ block: "center" }));
	const where = () => box.evaluate((e) => Math.round(e.getBoundingClientRect().top));
	const top = await where();
	await person.must("PATCH", `/api/v1/alerts/${id}`, { severity_id: 1 }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await page.locator(".y-drawer__head").getByText("Info").first().waitFor();
	await tab.settled();
	const focus = await box.evaluate((e) => e === document.activeElement);
	ok((await box.inputValue()) === "half a sent" && focus && Math.abs((await where()) - top) <= 2 && tab.troubles().length === 0, `${width}: a comment half written stays, with its focus and its place`, [top, await where(), focus]);
	await tab.close();
}
/** Where the role begins. */
async function homes(browser, chief) {
	const org = (await chief.get("/api/v1/alerts?limit=1")).items[0].org;
	const { id: system } = await chief.must("POST", "/api/v1/systems", { org, name: "mail-of-owner", title_ja: "電子メール", title_en: "Mail", importance: 2, scheme: "cia3", confidentiality: "2", integrity: 2, availability: 2 });
	for (const [role, where, want] of [["centre_analyst", {}, "/alerts"], ["organisation_csirt", { node: org }, "/"], ["system_owner", { system }, "/work"]]) {
		const tab = await browser.tab(await invited(chief, { login: role.replaceAll("_", "-"), language: "en", role, ...where }), { language: "en" });
		await tab.open("/");
		const { pathname } = new URL(tab.page.url());
		await tab.page.click(".y-nav a"); // the overview, wherever one begins
		await tab.settled();
		ok(pathname === want && (await tab.page.textContent("h1")) === "Overview" && tab.troubles().length === 0, `${role} begins at ${want}`, pathname);
		await tab.close();
	}
}

/** The wall: begins paused where less motion is wanted, turns, and says when the connection is gone. */
async function wall(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	await tab.open("/alerts");
	await tab.speak("en");
	await tab.go("/wall?show=sources,alerts&every=10");
	const board = () => page.locator(".wl-board h2").innerText();
	const first = await board();
	ok(first === "Sources heard" && (await page.getByRole("button", { name: "Turn by itself" }).count()) === 1 && !(await page.locator(".y-nav").isVisible()), "the wall begins paused where less motion is wanted, with the first board", first);
	await page.keyboard.press("n");
	ok((await board()) === "Open alerts" && (await page.locator(".wl-last").innerText()).startsWith("Last data"), "a key turns it");
	const { open_by_severity } = await person.get("/api/v1/overview?from=now-24h");
	const grave = open_by_severity.filter((s) => s.severity_id > 4).reduce((n, s) => n + s.count, 0);
	ok(Number((await page.locator(".wl-board .y-figure b").first().innerText()).replace(/\D/g, "")) === grave, "its numbers are those of the overview");
	await tab.context.route("**/api/v1/overview*", (r) => r.abort());
	tab.expected = (line) => line.includes("ERR_FAILED") || line.includes("net::");
	const { id } = (await person.get("/api/v1/alerts?limit=1&state=open")).items[0];
	await person.must("PATCH", `/api/v1/alerts/${id}`, { severity_id: 5 }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" }); // it reads anew, and cannot
	await person.must("PATCH", `/api/v1/alerts/${id}`, { severity_id: 4 }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await page.locator(".wl-last.is-stale").waitFor();
	ok((await page.locator(".wl-last").innerText()).includes("Not up to date") && (await page.locator(".wl-board.y-hatched").count()) === 1, "what is not up to date is said, and hatched");
	await tab.close();
}
/** The published results name what is tested here, and are reached from the overlay of keys. */
async function results(browser, person) {
	const tab = await browser.tab(person, { language: "en" });
	const { page } = tab;
	await tab.open("/alerts");
	await tab.speak("en");
	const built = await pagesOf(tab);
	for (const language of ["ja", "en"]) {
		const text = fs.readFileSync(path.join(ROOT, `doc/help/${language}/accessibility.md`), "utf8");
		const said = [...text.matchAll(/`([^`]+)`/g)].map((m) => m[1]);
		const want = [...built, ...AXE_TAGS, "360", "1440", "640", "320"];
		ok(want.every((x) => said.includes(x)) && said.every((x) => want.includes(x)), `${language}: the accessibility results name what is tested, no more and no less`, [want.filter((x) => !said.includes(x)), said.filter((x) => !want.includes(x))]);
	}
	await page.keyboard.press("?");
	await page.getByRole("button", { name: "Results of the accessibility tests" }).click();
	await page.getByRole("heading", { name: "What is not tested" }).waitFor();
	const faults = [...(await tab.axe()), ...tab.troubles()];
	ok(faults.length === 0, "and are read from the overlay of keys", faults);
	await tab.close();
}
await run(async () => {
	const server = await Server.start();
	const browser = await openBrowser(server);
	await server.local("POST", "/api/v1/organisations", { name: "secret-city", title: "秘密の市" });
	const setup = new URL(server.setupAddress());
	await Promise.all(["ja", "en"].map((language) => plainPages(browser, setup.pathname + setup.search, language)));
	const chief = await firstPerson(server);
	await loadSample(server);
	note(`ready after ${seconds().toFixed(1)} s`);
	await scopes(browser, chief);
	await homes(browser, chief);
	await early(browser, chief);
	await undone(browser, chief);
	await filters(browser, chief);
	await work(browser, chief);
	await results(browser, chief);
	await wall(browser, chief);
	for (const width of [1440, 360]) await live(server, browser, chief, width);
	// side by side: a browser has a process for each
	const more = await matrix(browser, chief);
	await Promise.all(["ja", "en"].map((language) => consolePages(server, browser, chief, language, more)));
});
