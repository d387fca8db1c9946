// What people do with one another, and what is taken back, in a real browser: what takes
// two is asked for, refused, withdrawn, approved, and seen by the other at once; alerts
// are split and merged and back; filters are kept and shared; on a slow line what is
// pressed twice is done once, and what was away comes back.  Arguments: yagura.
import { Server, choose, firstPerson, invited, loadSample, ok, openBrowser, run, until, wordsOf } from "./lib.mjs";

const ja = wordsOf("ja");
const en = wordsOf("en");
const by = (of, role, name) => of.getByRole(role, { name, exact: true });
const dialogOf = (tab) => tab.page.locator("dialog[open]");
const drawerOf = (tab) => tab.page.locator(".y-drawer");
const says = (tab, selector, text) => until(`${selector} says ${text}`, async () => (await tab.page.locator(selector).allInnerTexts()).some((x) => x.includes(text)), 20);
const unclean = [];
const clean = async (tab, step) => unclean.push(...(await tab.axe()).map((fault) => `${step}: ${fault}`));

/** Asks in the dialog that a refusal has gone over to; no fault is shown for it. */
async function ask(tab, w, step) {
	const dialog = dialogOf(tab);
	await by(dialog, "button", w("second.ask")).waitFor();
	ok((await dialog.locator(".y-error").count()) === 0 && (await dialog.innerText()).includes(w("second.what")), `${step}: what takes two is offered to be asked for, not told as a fault`, await dialog.innerText());
	await clean(tab, step);
	const reason = dialog.getByLabel(w("second.reason"));
	if ((await reason.inputValue()) === "") await reason.fill("交代のため");
	await by(dialog, "button", w("second.ask")).click();
	await dialog.waitFor({ state: "detached" });
	await says(tab, ".y-toasts", w("second.asked"));
}
async function askFor(tab, w, id) {
	await tab.go(`/people/${id}`);
	await by(drawerOf(tab), "button", w("people.grant.add")).click();
	const dialog = dialogOf(tab);
	await dialog.locator("select").first().selectOption("administrator");
	await choose(dialog.getByRole("combobox", { name: w("people.grant.where") }), w("scope.whole"));
	await dialog.getByLabel(w("people.grant.reason")).fill("交代のため");
	await by(dialog, "button", w("people.grant.give")).click();
	await ask(tab, w, "a role");
}
/** The request that waits, opened in its list. */
async function openFirst(tab) {
	await tab.page.locator("main td.is-main a").first().click();
	await tab.settled();
	return new URL(tab.page.url()).pathname.split("/").pop();
}
async function decide(tab, w, yes) {
	await by(drawerOf(tab), "button", w("approvals.decide")).click();
	const dialog = dialogOf(tab);
	await dialog.locator("input[type=radio]").nth(yes ? 0 : 1).check();
	await dialog.locator("textarea").fill("looked at it");
	await clean(tab, "a decision");
	await by(dialog, "button", w("approvals.decide")).click();
	await dialog.waitFor({ state: "detached" });
}
/** An indicator that is right for everybody: the second person decides, and the alert closes where it is open. */
async function forAll(a, b, chief) {
	const alert = (await chief.get("/api/v1/alerts?limit=200&state=new")).items.find((x) => !["rule", "notice", "dns-block", "dns-note"].includes(x.indicator_type));
	await a.go(`/alerts/${alert.id}`);
	await drawerOf(a).focus();
	await a.page.keyboard.press("f");
	await dialogOf(a).locator("input[type=radio]").nth(1).check();
	await dialogOf(a).locator("textarea").fill("全組織の検査用");
	await dialogOf(a).locator("[type=submit]").click();
	await says(a, ".y-toasts", ja("alerts.allow.asked"));
	await b.go("/approvals");
	await openFirst(b);
	ok((await drawerOf(b).innerText()).includes(en("approvals.kind.alert.allow-all")) && (await chief.get(`/api/v1/alerts/${alert.id}`)).state === "new", "allowing for all waits for the second person");
	await decide(b, en, true);
	await says(a, ".y-drawer", ja("alerts.verdict.false"));
	ok(true, "and then the alert closes as a false positive where one has it open");
}
async function two(browser, chief) {
	const boss = await invited(chief, { login: "boss", name: "副管 二郎", role: "administrator" });
	const next = await invited(chief, { login: "next", name: "次期 三郎", role: "centre_analyst" });
	const [a, b] = [await browser.tab(chief, { language: "ja" }), await browser.tab(boss, { language: "en" })];
	a.expected = b.expected = (line) => line.includes("status of 403"); // that it takes two is said so
	await a.open("/people");
	await b.open("/approvals");
	await b.speak("en");

	await askFor(a, ja, next.id);
	await says(b, "main tbody", "次期 三郎");
	ok(true, "who may approve sees the request in the open list, unasked");
	await a.go("/approvals");
	const first = await openFirst(a);
	const own = await drawerOf(a).innerText();
	ok(!own.includes(ja("approvals.decide")) && own.includes(ja("approvals.own")), "who asked does not decide", own);
	ok((await openFirst(b)) === first, "it is the same request");
	await decide(b, en, false);
	await says(b, ".y-drawer", en("approvals.state.refused"));
	await says(a, ".y-drawer", ja("approvals.state.refused"));
	ok((await drawerOf(a).innerText()).includes("looked at it"), "refused: both see it where they are, with the reason", await drawerOf(a).innerText());

	await askFor(a, ja, next.id);
	await a.go("/approvals");
	await openFirst(a);
	await by(drawerOf(a), "button", ja("approvals.withdraw")).click();
	await by(dialogOf(a), "button", ja("approvals.withdraw")).click();
	await says(a, ".y-drawer", ja("approvals.state.withdrawn"));
	await b.go("/approvals?state=withdrawn");
	await says(b, "main tbody", en("approvals.state.withdrawn"));
	ok(true, "a request is withdrawn by who asked, and says so");

	const isAdministrator = async () => (await chief.get(`/api/v1/people/${next.id}`)).administrator;
	await askFor(a, ja, next.id);
	await b.go("/approvals");
	await openFirst(b);
	await decide(b, en, true);
	ok((await until("the approval", isAdministrator)) === true, "approved: done at once");

	await b.go(`/people/${next.id}`);
	await by(drawerOf(b).locator(".y-listrow", { hasText: en("role.administrator") }), "button", en("people.grant.remove")).click();
	await by(dialogOf(b), "button", en("people.grant.remove")).click();
	await ask(b, en, "an administrator's rights");
	await a.go("/approvals");
	await openFirst(a);
	ok((await drawerOf(a).innerText()).includes(ja("approvals.kind.administrator.revoke")), "taking an administrator's rights away is asked for, too, and named", await drawerOf(a).innerText());
	await decide(a, ja, true);
	await until("the rights are gone", async () => !(await isAdministrator()));
	await says(b, ".y-drawer", en("role.centre_analyst"));
	await until("the page of the person follows", async () => !(await drawerOf(b).innerText()).includes(en("role.administrator")));
	ok(true, "approved: they are gone, and the page that is open says so");
	await forAll(a, b, chief);
	a.expected = b.expected = undefined;
	ok([...a.troubles(), ...b.troubles()].length === 0, "nothing in the browsers' consoles");
	return { boss, next, a };
}

async function apart(tab, person) {
	const { page } = tab;
	const { items } = await person.get("/api/v1/alerts?limit=200&state=new");
	const alert = items.find((x) => x.count > 2 && x.count < 200 && items.some((y) => y.org === x.org && y.id !== x.id));
	const evidence = drawerOf(tab).locator(".y-listrow input[type=checkbox]");
	const undo = () => by(page.locator(".y-toast"), "button", ja("action.undo")).last().click();
	await tab.open(`/alerts/${alert.id}`);
	await evidence.first().check();
	await page.locator(".y-drawer__body button", { hasText: "1件を別のアラートに分ける" }).click();
	await by(dialogOf(tab), "button", "1件を別のアラートに分ける").click();
	await page.waitForURL((url) => url.pathname.startsWith("/alerts/") && !url.pathname.endsWith(alert.id));
	await tab.settled();
	const made = new URL(page.url()).pathname.split("/").pop();
	const from = await drawerOf(tab).getByRole("link", { name: alert.id }).getAttribute("href");
	const one = () => person.get(`/api/v1/alerts/${made}`);
	ok((await one()).count === 1 && from.includes(alert.id), "split: the new alert leads to the one it came from", from);
	await undo();
	await page.waitForURL(`**/alerts/${alert.id}*`);
	await until("it is one again", async () => (await one()).merged_into === alert.id);
	ok(true, "and a split is taken back");
	const listed = async () => (await person.get(`/api/v1/alerts/${alert.id}/events?limit=200`)).items.length;
	const more = drawerOf(tab).locator("button", { hasText: /全\d+件を表示/ });
	const shown = async () => ((await more.count()) > 0 ? Number(/\d+/.exec(await more.innerText())[0]) : evidence.count());
	await until("the evidence follows", async () => (await shown()) === (await listed()));
	const others = items.filter((y) => y.org === alert.org && y.id !== alert.id).slice(0, 2).map((y) => y.id);
	await person.must("POST", `/api/v1/alerts/${alert.id}/merge`, { others });
	await says(tab, ".y-drawer", others.at(-1));
	await until("the evidence of what was merged is shown", async () => (await shown()) === (await listed()));
	ok((await Promise.all(others.map((id) => drawerOf(tab).getByRole("link", { name: id }).count()))).every((n) => n === 1), "merged by somebody else: the timeline names every one of them, and the evidence follows", others);
	for (const id of others) await person.must("POST", `/api/v1/alerts/${id}/unmerge`);
}

async function kept(browser, tab, person, member) {
	const { page } = tab;
	const panel = (of) => of.page.locator(".y-savedpanel");
	await tab.open("/alerts?severity=5&state=all");
	await by(page, "button", ja("saved.title")).click();
	await by(panel(tab), "button", ja("saved.add")).click();
	await panel(tab).getByLabel(ja("saved.name")).fill("重大なもの");
	await panel(tab).getByLabel(ja("saved.share")).check();
	await panel(tab).locator("[type=submit]").click();
	await panel(tab).getByRole("link", { name: "重大なもの" }).waitFor();
	ok((await panel(tab).innerText()).includes(ja("saved.shared")), "a filter is kept, and says that it is shared");
	const other = await browser.tab(member, { language: "ja", width: 360 });
	await other.open("/alerts");
	await by(other.page, "button", ja("saved.title")).click();
	await panel(other).getByRole("link", { name: "重大なもの" }).waitFor();
	const over = await panel(other).evaluate((e) => [...e.querySelectorAll("*")].filter((x) => x.getBoundingClientRect().right > e.closest(".y-menu__list").getBoundingClientRect().right).length);
	ok(over === 0 && (await by(panel(other), "button", ja("action.delete")).count()) === 0, "another uses it, cannot delete it, and sees it whole on a narrow screen", over);
	await panel(other).getByRole("link", { name: "重大なもの" }).click();
	ok(new URL(other.page.url()).search === "?severity=5&state=all", "it leads to its rows", other.page.url());
	await other.close();
	await by(panel(tab), "button", ja("action.delete")).click();
	await until("it is gone", async () => (await person.get("/api/v1/saved-searches")).items.length === 0);
	await by(page.locator(".y-toast"), "button", ja("action.undo")).last().click();
	await until("it is there again", async () => (await person.get("/api/v1/saved-searches")).items.some((s) => s.name === "重大なもの" && s.shared));
	ok(true, "deleted, and that is taken back");
}

/** What is said of a person is changed, and that is taken back. */
async function renamed(browser, chief, id) {
	const tab = await browser.tab(chief, { language: "ja" });
	const name = async () => (await chief.get(`/api/v1/people/${id}`)).name;
	const before = await name();
	await tab.open(`/people/${id}`);
	await by(drawerOf(tab), "button", ja("action.edit")).click();
	await dialogOf(tab).getByLabel(ja("people.name")).first().fill("改名 三郎");
	await by(dialogOf(tab), "button", ja("action.save")).click();
	await until("another name", async () => (await name()) === "改名 三郎");
	await by(tab.page.locator(".y-toast"), "button", ja("action.undo")).click();
	await until("the name of before", async () => (await name()) === before);
	ok(tab.troubles().length === 0, "a change of a person is taken back");
	await tab.close();
}
async function slow(tab, person) {
	const { page } = tab;
	const line = await tab.context.newCDPSession(page);
	await line.send("Network.enable");
	const speed = (latency, offline = false) => line.send("Network.emulateNetworkConditions", { offline, latency, downloadThroughput: -1, uploadThroughput: -1 });
	const [alert] = (await person.get("/api/v1/alerts?limit=1&state=new")).items;
	await tab.open(`/alerts/${alert.id}`);
	await speed(800);
	await by(drawerOf(tab), "button", ja("alerts.start")).dblclick();
	await says(tab, ".y-drawer", ja("alerts.state.in_progress"));
	await tab.settled();
	const said = await page.locator(".y-toasts").innerText();
	ok((await page.locator(".y-toast--bad").count()) === 0 && said.split(ja("alerts.changed")).length === 2, "on a slow line a button pressed twice does it once", said);
	await by(page.locator(".y-toast"), "button", ja("action.undo")).last().focus();
	await speed(0);
	await page.waitForTimeout(13_000); // longer than a message with a button stays
	ok((await by(page.locator(".y-toast"), "button", ja("action.undo")).count()) === 1, "a message does not go while its button has the focus");

	tab.expected = (text) => /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|stream/.test(text);
	await tab.open("/sources");
	await tab.go("/alerts");
	await speed(0, true);
	await page.click(".y-nav a[href$='/sources']");
	await page.locator("main .y-error").first().waitFor();
	const away = await page.locator("main").innerText();
	ok(away.includes(ja("problem.network-title")) && !away.includes("0/0"), "away: that is said, and nothing of what one does not know", away);
	await speed(0);
	await page.locator("main tbody tr").first().waitFor();
	ok((await page.locator("main .y-error").count()) === 0, "and back: the page comes by itself");
	await speed(0, true);
	await page.click(".y-nav a[href$='/systems']"); // whose script is not here yet
	await page.getByRole("heading", { name: ja("page.failed") }).waitFor();
	await speed(0);
	await page.locator("main tbody tr").first().waitFor();
	ok(true, "so does one whose script could not be read");
	tab.expected = undefined;
}

/** Rows that are read anew while their next page is on its way: no gap between them. */
async function whole(tab, person) {
	const { page } = tab;
	const more = by(page, "button", ja("table.more"));
	const rows = () => page.locator("main td.is-main a").evaluateAll((all) => all.map((a) => new URL(a.href).pathname.split("/").pop()));
	await tab.open("/alerts?state=all&sort=newest");
	for (let i = 2; i < 4; i++) {
		await more.click();
		await until(`page ${i}`, async () => (await rows()).length === i * 50);
	}
	let release;
	const held = new Promise((done) => (release = done));
	await page.route(/cursor=/, (r) => held.then(() => r.continue()));
	await more.click();
	await page.evaluate(() => new BroadcastChannel("yagura-stream").postMessage({ change: { topic: "gap", id: "", org: null, change: "" } }));
	await until("the list is read anew", async () => (await rows()).length === 50);
	const late = page.waitForResponse(/cursor=/);
	release();
	await late;
	await tab.settled();
	const shown = await rows();
	const { items } = await person.get("/api/v1/alerts?sort=newest&limit=200");
	ok(shown.join() === items.slice(0, shown.length).map((x) => x.id).join(), "rows that are read anew while more are asked for have no gap", shown.length);
	await page.unroute(/cursor=/);
}

await run(async () => {
	const server = await Server.start();
	const chief = await firstPerson(server);
	await loadSample(server);
	const browser = await openBrowser(server);
	const { next, a } = await two(browser, chief);
	const [org] = (await chief.get("/api/v1/organisations?limit=1")).items;
	const member = await invited(chief, { login: "member", name: "加盟 花", role: "organisation_csirt", node: org.name });
	await a.close();
	const tab = await browser.tab(next, { language: "ja" });
	await renamed(browser, chief, member.id);
	await apart(tab, next);
	await kept(browser, tab, next, member);
	await whole(tab, next);
	await slow(tab, next);
	ok(unclean.length === 0 && tab.troubles().length === 0, "axe found nothing in any dialog", unclean);
});
