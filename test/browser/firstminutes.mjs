// The first five minutes of a new installation in a real browser, in Japanese and in
// English, through the pages: set up from the printed code, organisations, a list and an
// indicator, people with their roles and invitations, tokens, logs by curl and by file, an
// alert closed by the member and seen by the centre and by nobody else, an auditor's
// frozen period, a file of all alerts, somebody who comes by a provider of identities, a
// session that ends; axe looks at every step.  Arguments: yagura.
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { Provider } from "./provider.mjs";
import { PASSWORD, Person, Server, choose, chooseOwnJson, note, ok, openBrowser, run, seconds, totp, until, wordsOf } from "./lib.mjs";

const sh = promisify(execFile);
const BAD = "bad.kurokami.example";

const by = (page, role, name, exact = true) => page.getByRole(role, { name, exact });

async function passkeys(tab) {
	const cdp = await tab.context.newCDPSession(tab.page);
	await cdp.send("WebAuthn.enable");
	await cdp.send("WebAuthn.addVirtualAuthenticator", {
		options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
	});
}
/** Every step is looked at by axe as it stands; what it finds, under the step's name. */
const unclean = [];
let looked = 0;
async function clean(tab, step) {
	looked++;
	for (const fault of await tab.axe()) unclean.push(`${tab.language} ${step}: ${fault}`);
}
/** The session's cookie of a tab, for calls beside it. */
async function personOf(tab, login) {
	const p = new Person(tab.server, login);
	p.cookie = (await tab.context.cookies()).find((c) => c.name === "__Host-yagura")?.value ?? "";
	return p;
}

/** The first administrator, by the address that the start printed: by passkey or by password. */
async function setUp(browser, server, language, w, how) {
	const tab = await browser.tab(null, { language });
	const { page } = tab;
	await passkeys(tab);
	const began = Date.now();
	await tab.open(server.setupAddress());
	await clean(tab, "set-up");
	await page.fill("[name=login]", "chief");
	await page.fill("[name=name]", language === "ja" ? "管理 花子" : "Hana Chief");
	let secret = "";
	if (how === "passkey") {
		await by(page, "button", w("auth.enrol")).click();
	} else {
		secret = (await page.textContent(".key")).replaceAll(" ", "");
		await page.fill("[name=password]", PASSWORD);
		await page.fill("[name=totp]", totp(secret));
		await page.click("#enrol [type=submit]");
	}
	await page.waitForSelector(".codes");
	for (const width of [320, 1440]) { // shown once, so whole however much it is enlarged
		await tab.size(width);
		const cut = await page.evaluate(() => [...document.querySelectorAll(".codes li")].filter((e) => e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right || e.scrollWidth > e.clientWidth).map((e) => e.textContent));
		ok(cut.length === 0, `${language}: every recovery code is whole at ${width} pixels`, cut);
	}
	await clean(tab, "recovery codes");
	const codes = new Set((await page.locator(".codes").innerText()).match(/\b[0-9a-z]{4}(?:-[0-9a-z]{4}){3}/g));
	ok(codes.size === 10, `${language}: set up by ${how} from the printed address; ten recovery codes`, [...codes].length);
	await page.click("main a[href='/']");
	await page.waitForSelector("body[data-ready]");
	await tab.settled();
	ok((await page.evaluate(() => document.documentElement.lang)) === language && (await page.textContent("h1")) === w("nav.overview"), `${language}: and the overview is there`, await page.textContent("h1"));
	note(`${language}: set up in ${Date.now() - began} ms`);
	return { tab, secret, codes };
}

/** Out, and in again by passkey, or by password and code with the keyboard alone. */
async function inAgain(tab, language, w, how, secret) {
	const { page } = tab;
	await page.click("header [aria-haspopup=menu]");
	await by(page, "menuitem", w("account.sign-out")).click();
	await page.waitForURL(/\/signin/);
	await tab.open("/signin?next=/alerts");
	await clean(tab, "sign-in");
	if (how === "passkey") {
		await by(page, "button", w("auth.sign-in")).click();
	} else {
		await page.waitForFunction(() => document.activeElement?.name === "login");
		await page.keyboard.type("chief");
		await page.keyboard.press("Tab");
		await page.keyboard.type(PASSWORD);
		await page.keyboard.press("Tab");
		await page.keyboard.type(totp(secret, Date.now() / 1000 + 30)); // the one of now has been used
		await page.keyboard.press("Enter");
	}
	await page.waitForURL("**/alerts");
	await page.waitForSelector("body[data-ready]");
	await tab.settled();
	const me = await (await personOf(tab)).get("/api/v1/session");
	ok(me.session.method === (how === "passkey" ? "passkey" : "password") && me.person.login === "chief", `${language}: signed out, and in again by ${how}`, me.session);
}

/** What is filled in wrongly is said at its field, in words, and one goes on there. */
async function wrongly(tab, w, said) {
	const { page } = tab;
	await tab.go("/organisations");
	await by(page.locator("main"), "button", w("organisations.add")).first().click();
	const dialog = page.locator("dialog[open]");
	await dialog.getByLabel(w("organisations.title-ja")).fill("浜市");
	const [above, due] = [await dialog.innerText(), await page.locator("main .y-listrow select").first().innerText()];
	ok(above.includes(w("organisations.parent-new")) && !above.includes(w("organisations.parent-hint")) && !due.includes(w("organisations.due.inherit")), said("nothing is above the whole, and nothing new is moved"), [above, due]);
	const name = dialog.getByLabel(w("organisations.name"), { exact: false }).last();
	await name.fill("hama city!");
	tab.expected = (line) => line.includes("status of 400");
	await by(dialog, "button", w("action.add")).click();
	const box = dialog.getByRole("alert");
	await box.waitFor();
	tab.expected = undefined;
	const [told, fault, on] = [await box.innerText(), await dialog.locator(".y-field__fault").innerText(), await name.evaluate((e) => e === document.activeElement)];
	ok(told.includes(w("form.wrong")) && !told.includes("/name") && (w("form.wrong").startsWith("S") ? /lower-case|[a-z]/ : /63文字/).test(fault) && on, said("a wrong name is said at its field, which has the focus"), [told, fault, on]);
	await clean(tab, "a form filled in wrongly");
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
}
/** A file that calls itself gzip and is not: what happened, and what to do. */
async function brokenFile(tab, w, said) {
	const { page, server } = tab;
	await tab.go("/import");
	const file = path.join(server.folder, "broken.log.gz");
	fs.writeFileSync(file, Buffer.from("1f8b080062726f6b656e", "hex"));
	await page.setInputFiles("main input[type=file]", file);
	const told = page.locator("main [role=alert]");
	await told.waitFor();
	ok((await told.innerText()) === w("import.no-gzip"), said("a damaged file is said to be one"), await told.innerText());
	await clean(tab, "a damaged file");
}
async function addOrganisation(tab, w, name, title) {
	const { page } = tab;
	await tab.go("/organisations");
	await by(page.locator("main"), "button", w("organisations.add")).first().click();
	const dialog = page.locator("dialog[open]");
	await dialog.getByLabel(w("organisations.title-ja")).fill(title);
	await dialog.getByLabel(w("organisations.name"), { exact: false }).last().fill(name);
	await clean(tab, "an organisation");
	await by(dialog, "button", w("action.add")).click();
	await dialog.waitFor({ state: "detached" });
	await tab.settled();
}
/** Tried with made-up data first: loaded on the overview, marked on the page, and removed again. */
async function tryDemo(tab, w, said) {
	const { page } = tab;
	await tab.go("/");
	const card = page.locator(".ov-begin");
	const before = await tab.axe();
	ok((await by(card, "link", w("overview.begin.own-do")).count()) === 1 && before.length === 0, said("a fresh machine asks how to begin"), before);
	await by(card, "button", w("overview.begin.demo-do")).click();
	await card.getByRole("progressbar").waitFor();
	await page.locator(".y-demo").waitFor({ timeout: 120_000 });
	await card.waitFor({ state: "detached" });
	await tab.settled();
	const chief = await personOf(tab, "chief");
	const { total } = await until("alerts of the demonstration", async () => {
		const p = await chief.get("/api/v1/alerts?limit=1&state=open");
		return p.total > 0 && p;
	}, 60);
	const orgs = (await chief.get("/api/v1/organisations?limit=100")).items;
	ok(orgs.length === 12 && orgs.every((o) => o.demo), said(`the demonstration is there: ${orgs.length} organisations, ${total} alerts`), orgs.length);
	const after = await tab.axe();
	ok(after.length === 0, said("and the overview with it is clean for axe"), after);
	await by(page.locator(".y-demo"), "button", w("demo.remove")).click();
	await by(page.locator("dialog[open]"), "button", w("action.delete")).click();
	await page.locator(".y-demo").waitFor({ state: "detached", timeout: 120_000 });
	await card.waitFor();
	await tab.settled();
	ok((await chief.get("/api/v1/organisations")).items.length === 0, said("and is gone whole"));
}
/** A list and one indicator in it; in force by itself a little later. */
async function addIndicator(tab, w) {
	const { page } = tab;
	await tab.go("/indicators");
	await by(page, "button", w("indicators.list-new")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.getByLabel(w("indicators.name")).fill("centre");
	await dialog.getByLabel(w("indicators.confidence")).fill("90");
	await by(dialog, "button", w("action.add")).click();
	await dialog.waitFor({ state: "detached" });
	await tab.go("/indicators?tab=entries");
	await by(page.locator("main"), "button", w("action.add")).click();
	await dialog.getByLabel(w("indicators.value")).fill(BAD);
	await dialog.getByLabel(w("indicators.severity")).selectOption("4");
	await clean(tab, "an indicator");
	await by(dialog, "button", w("action.add")).click();
	await dialog.waitFor({ state: "detached" });
	await tab.settled();
}
/** Somebody new: added and given a role by the page of people; with the address of the
 * invitation, or with a mail address for who comes by the provider. */
async function addByPage(tab, w, language, { login, name, role, email = "", org = "", from = "", to = "" }) {
	const { page } = tab;
	const dialog = page.locator("dialog[open]");
	const where = org === "" ? w("scope.whole") : org;
	await tab.go("/people");
	await by(page.locator("main"), "button", w("people.add")).first().click();
	await dialog.getByLabel(w("people.login")).fill(login);
	await dialog.getByLabel(w("people.name")).first().fill(name);
	await dialog.getByLabel(w("people.email")).fill(email);
	await dialog.getByLabel(w("people.language")).selectOption(language);
	await choose(dialog.getByRole("combobox", { name: w("people.org") }), where);
	await by(dialog, "button", w("action.add")).click();
	const invite = by(dialog, "button", w("people.invite-make")); // asked when the person is made
	await invite.waitFor();
	let address = "";
	if (email === "") {
		await invite.click();
		address = /https:\S+\/enrol\?code=[0-9A-Za-z]+/.exec(await dialog.getByText("/enrol?code=").first().innerText())[0];
		await clean(tab, "an invitation");
		await by(dialog, "button", w("people.invite-kept")).click();
	} else {
		await page.keyboard.press("Escape");
	}
	await dialog.waitFor({ state: "detached" });
	await by(page.locator(".y-drawer"), "button", w("people.grant.add")).click();
	await dialog.locator("select").first().selectOption(role);
	await choose(dialog.getByRole("combobox", { name: w("people.grant.where") }), where);
	if (from !== "") {
		await dialog.getByLabel(w("people.grant.from")).fill(from);
		await dialog.getByLabel(w("people.grant.to")).fill(to);
	}
	await dialog.getByLabel(w("people.grant.reason")).fill("a test");
	await clean(tab, `the role ${role}`);
	await by(dialog, "button", w("people.grant.give")).click();
	await dialog.waitFor({ state: "detached" });
	await tab.settled();
	return { address, id: new URL(page.url()).pathname.split("/").pop() };
}
/** The same, and in a browser of their own through the invitation to the console. */
async function addPerson(browser, tab, w, language, who) {
	const { login, role } = who;
	const { address, id } = await addByPage(tab, w, language, who);
	const own = await browser.tab(null, { language });
	await own.open(new URL(address).pathname + new URL(address).search);
	const secret = (await own.page.textContent(".key")).replaceAll(" ", "");
	await clean(own, "an invitation followed");
	await own.page.fill("[name=password]", PASSWORD);
	await own.page.fill("[name=totp]", totp(secret));
	await own.page.click("#enrol [type=submit]");
	await own.page.waitForSelector(".codes");
	await own.open("/alerts");
	const person = await personOf(own, login);
	person.id = id;
	ok((await person.get("/api/v1/session")).person.login === login, `${language}: ${login} is invited, comes in by the invitation, and has a role (${role})`);
	return { own, person };
}
/** A file of a program's own JSON, by the import page: the mapping is proposed there. */
async function importFile(tab, w, org, title) {
	const { page, server } = tab;
	await tab.go("/import");
	await chooseOwnJson(tab, server, w);
	ok((await page.locator("tr.is-bad td").first().innerText()) === "31", `${tab.language}: the preview names the line that cannot be read`);
	await choose(page.getByRole("combobox", { name: w("scope.organisation") }), title);
	await by(page, "button", w("import.begin")).click();
	await page.getByText(w("import.done-what")).waitFor();
	await clean(tab, "an import");
	const found = await until("what was imported", async () => {
		const { items } = (await server.local("GET", `/api/v1/events?org=${org}&q=sensor:vpn.jsonl&limit=50&from=now-1d`)).json();
		return items.length === 31 && items;
	}, 60);
	ok(found.filter((e) => e.src_ip === "192.0.2.77" && e.dst_ip === "198.51.100.7" && /^user/.test(e.user)).length === 30 && found.every((e) => e.source === "ndjson:vpn"), `${tab.language}: a file of one's own JSON is in, each member where the page said`, found[0]);
	await tab.go("/jobs?kind=events.import&state=done");
	const rows = await page.locator(".y-tablebar ~ table tbody tr").count();
	await tab.go("/jobs?kind=events.import&state=failed");
	ok(rows === 1 && (await page.locator(".y-tablebar ~ table tbody tr").count()) === 0, `${tab.language}: its job shows among the imports that are done, and not among those that failed`);
}
/** All rows of a page as a file, saved by the browser. */
async function exported(tab, w, address) {
	const { page } = tab;
	await tab.go(address);
	await by(page, "button", w("action.export")).click();
	const dialog = page.locator("dialog[open]");
	await clean(tab, "a file of a list");
	const [saved] = await Promise.all([page.waitForEvent("download"), by(dialog, "button", w("export.start")).click()]);
	const bytes = fs.readFileSync(await saved.path());
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
	return { name: saved.suggestedFilename(), bom: bytes.subarray(0, 3).toString("hex") === "efbbbf", lines: bytes.toString().trim().split("\r\n") };
}

/** A collector token, read off the page that shows it once. */
async function makeToken(tab, w, org) {
	const { page } = tab;
	await tab.go(`/organisations/${org}`);
	await by(page, "button", w("organisations.token.add")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.getByLabel(w("organisations.token.name")).fill("fw-1");
	await by(dialog, "button", w("organisations.token.make")).click();
	await by(dialog, "button", w("organisations.token.kept")).waitFor();
	await clean(tab, "a collector token");
	const secret = /\byg_[A-Za-z0-9_-]+/.exec(await dialog.locator("pre").innerText())?.[0]; // in the command to copy
	await by(dialog, "button", w("organisations.token.kept")).click();
	await dialog.waitFor({ state: "detached" });
	return secret;
}
/** As the page says it: curl, the token, the file. */
async function sendLogs(server, token, file) {
	const { stdout } = await sh("curl", ["--silent", "--show-error", "--fail-with-body", "--cacert", path.join(server.data, "keys/tls.crt"), "-H", `Authorization: Bearer ${token}`,
		"-H", "Content-Type: application/x-ndjson", "--data-binary", `@${file}`, `${server.origin}/api/v1/events?source=zeek`]);
	return JSON.parse(stdout);
}
function logFile(server, name, host) {
	const lines = [];
	const now = Date.now() / 1000;
	for (let i = 0; i < 40; i++)
		lines.push(JSON.stringify({ _path: "dns", ts: now - 60 + i, uid: `C${name}${i}`, "id.orig_h": host, "id.orig_p": 5353, "id.resp_h": "192.0.2.53", "id.resp_p": 53, proto: "udp", query: i === 20 ? BAD : `h${i}.example.org` }));
	const file = path.join(server.folder, `${name}.log`);
	fs.writeFileSync(file, `${lines.join("\n")}\n`);
	return file;
}

/** What somebody sees of the alerts, in the page and at the API. */
async function alertsOf(tab, person) {
	await tab.open("/alerts?state=all");
	const rows = await tab.page.locator(".y-tablebar ~ table tbody tr").allInnerTexts();
	await clean(tab, "the alerts");
	const { items } = await person.get("/api/v1/alerts?limit=50");
	return { rows, items };
}

async function closeAlert(tab, w, id) {
	const { page } = tab;
	await tab.go(`/alerts/${id}`);
	await by(page.locator(".y-drawer"), "button", w("alerts.close.action")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.getByLabel(w("alerts.reason")).fill("reinstalled");
	await clean(tab, "closing an alert");
	await by(dialog, "button", w("alerts.close.action")).click();
	await dialog.waitFor({ state: "detached" });
	await tab.settled();
}

/** From the address of a page to the provider and back to that page, by clicking. */
async function byProvider(tab, w, where) {
	const { page } = tab;
	tab.expected = (line) => line.includes("401"); // nobody is signed in yet
	await page.goto(where, { waitUntil: "domcontentloaded" });
	await page.waitForURL(/\/signin/);
	await clean(tab, "sign-in by a provider");
	await page.click("a[href^='/oidc/start']");
	await page.waitForURL(/\/authorize/);
	await by(page, "button", "Agree").click();
	await page.waitForURL(`**${where}`);
	await page.waitForSelector("body[data-ready]");
	await tab.settled();
	tab.expected = undefined;
}

/** By a provider of identities in two browsers; one ends the other's session on the
 * account page, and that one is told and comes back. */
async function identities(browser, tab, provider, language, w, said) {
	await addByPage(tab, w, language, { login: "work", name: "勤 五郎", email: "work@example.jp", role: "organisation_csirt", org: "浜市" });
	provider.user = { sub: "u-1", email: "work@example.jp", email_verified: true };
	const here = await browser.tab(null, { language });
	const there = await browser.tab(null, { language });
	here.others = there.others = [provider.issuer];
	await byProvider(here, w, "/account");
	await byProvider(there, w, "/alerts");
	const me = await (await personOf(here, "work")).get("/api/v1/session");
	ok(me.person.login === "work" && me.session.method === "oidc", said("a person comes in by the provider, clicking"), me);
	await here.page.reload();
	await here.settled();
	const end = by(here.page.locator("main"), "button", w("account.session.end"));
	await end.first().waitFor();
	await clean(here, "the account");
	there.expected = (line) => /401|stream/.test(line);
	await end.first().click();
	await there.page.waitForURL(/\/signin[?]why=ended/, { timeout: 60_000 });
	const told = await there.page.locator("[role=status]").innerText();
	await clean(there, "a session that has ended");
	ok(told.includes(language === "ja" ? "セッションが終了しました" : "Your session has ended"), said("its session is ended on the account page: the other browser is told why it is at the sign-in page"), told);
	await there.page.click("a[href^='/oidc/start']");
	await by(there.page, "button", "Agree").click();
	await there.page.waitForURL("**/alerts");
	await there.page.waitForSelector("body[data-ready]");
	await there.settled();
	ok(true, said("and comes back to where it was"));
	return [here, there];
}

async function minutes(language, how) {
	const w = wordsOf(language);
	const start = Date.now();
	const provider = await Provider.start();
	const server = await Server.start({ session: { providers: [provider.configured()] } });
	const browser = await openBrowser(server);
	const said = (what) => `${language}: ${what}`;
	const { tab, secret } = await setUp(browser, server, language, w, how);
	await inAgain(tab, language, w, how, secret);
	const chief = await personOf(tab, "chief");

	await tab.go("/");
	ok((await tab.page.locator("main").innerText()).includes(w("overview.sources-none")), said("without sources nothing is said to be heard"));
	if (language === "ja") await tryDemo(tab, w, said); // once: the data is the same
	await wrongly(tab, w, said);
	await brokenFile(tab, w, said);
	await addOrganisation(tab, w, "hama-city", "浜市");
	await addOrganisation(tab, w, "oka-city", "丘市");
	const orgs = (await chief.get("/api/v1/organisations")).items.map((o) => o.name).sort();
	ok(orgs.join() === "hama-city,oka-city", said("two organisations are made"), orgs);
	await addIndicator(tab, w);
	await until("the indicator is in force", async () => (await chief.get(`/api/v1/indicator-check?value=${BAD}`)).in_force, 60);

	const tabs = {};
	const join = async (key, who) => {
		const { own, person } = await addPerson(browser, tab, w, language, who);
		tabs[key] = own;
		return person;
	};
	const member = await join("member", { login: "hama", name: "浜 太郎", role: "organisation_csirt", org: "浜市" });
	const other = await join("other", { login: "oka", name: "丘 次郎", role: "organisation_csirt", org: "丘市" });
	const centre = await join("centre", { login: "centre", name: "中央 三郎", role: "centre_analyst" });
	const token = { hama: await makeToken(tab, w, "hama-city"), oka: await makeToken(tab, w, "oka-city") };
	ok(/^yg_/.test(token.hama) && token.hama !== token.oka, said("a collector token for each, shown once"));

	await tabs.centre.open("/alerts?by=indicator"); // as the centre's watch stands there all day
	const file = logFile(server, "hama", "192.0.2.10");
	const took = await sendLogs(server, token.hama, file);
	ok(took.bytes === fs.statSync(file).size && took.duplicate === false, said("curl sends logs with it"), took);
	const seen = await member.call("GET", "/api/v1/alerts", undefined, { Cookie: "", Authorization: `Bearer ${token.hama}` });
	ok(seen.status === 403, said("the token can deliver and see nothing"), seen.toString());
	const first = await until("the alert", async () => (await member.get("/api/v1/alerts")).items[0], 60);
	ok(first.indicator === BAD && first.org === "hama-city", said("and an alert is there"), first);
	await tabs.centre.page.locator(".y-newrows button").click();
	await tabs.centre.settled();
	const watch = await tabs.centre.page.locator("main").innerText();
	ok(watch.includes(BAD) && /1\s*(\/|of)\s*1/.test(watch), said("the centre's grouped list tells of it unasked, and of who is heard then"), watch);
	// the auditor's period ends here: what comes later is not theirs
	const frozen = await until("a moment after the alert", () => (Date.now() > Date.parse(first.created_at ?? first.first_seen) + 1500 ? new Date(Date.now() + 20_000).toISOString() : ""), 30);
	const auditor = await join("auditor", { login: "audit", name: "監査 四郎", role: "auditor", from: new Date(Date.now() - 86_400_000).toISOString(), to: frozen });
	await until("the end of the auditor's period", () => Date.now() > Date.parse(frozen) + 1100, 30);
	await sendLogs(server, token.oka, logFile(server, "oka", "192.0.2.20"));
	const second = await until("the other alert", async () => (await other.get("/api/v1/alerts")).items[0], 60);

	const views = {};
	for (const [name, person] of Object.entries({ member, other, centre, auditor })) views[name] = await alertsOf(tabs[name], person);
	const ids = (name) => views[name].items.map((a) => a.id).sort().join();
	ok(views.member.rows.length === 1 && ids("member") === first.id, said("the member sees their alert"), views.member);
	ok(views.other.rows.length === 1 && ids("other") === second.id, said("another member sees theirs alone"), views.other);
	ok(views.centre.rows.length === 2 && ids("centre") === [first.id, second.id].sort().join(), said("the centre sees both"), views.centre);
	ok(views.auditor.rows.length === 1 && ids("auditor") === first.id, said("the auditor sees what lies in the period"), views.auditor);

	await closeAlert(tabs.member, w, first.id);
	ok((await member.get(`/api/v1/alerts/${first.id}`)).state === "closed", said("the member closes it"));
	const state = await until("the centre sees it closed", async () => (await centre.get("/api/v1/alerts?limit=50")).items.find((a) => a.id === first.id)?.state === "closed", 30);
	ok(state, said("the centre sees it closed"));
	tabs.other.expected = (line) => line.includes("status of 404"); // that is what is looked for
	await tabs.other.open(`/alerts/${first.id}`);
	await clean(tabs.other, "what is not there");
	const shown = await tabs.other.page.locator("main").innerText();
	ok(!shown.includes("192.0.2.10") && !shown.includes("hama") && !shown.includes("浜"), said("another member finds nothing at its address"), shown);
	const [hidden, none] = await Promise.all([other.call("GET", `/api/v1/alerts/${first.id}`), other.call("GET", `/api/v1/alerts/a-${"0".repeat(26)}`)]);
	const plain = (r) => r.toString().replace(/"(instance|trace_id)":"[^"]*"/g, "");
	ok(hidden.status === 404 && plain(hidden) === plain(none), said("the same as for what does not exist"), [hidden.toString(), none.toString()]);
	await tabs.auditor.open("/");
	await tabs.auditor.go("/overview");
	const past = await tabs.auditor.page.locator("main").innerText();
	await tabs.auditor.go("/sources");
	ok(!past.includes(w("overview.silent-none")) && !past.includes(w("overview.sources-none")) && (await tabs.auditor.page.locator("main").innerText()).includes(w("sources.period")), said("nothing of now is claimed to the auditor"), past);
	const touch = await auditor.call("PATCH", `/api/v1/alerts/${first.id}`, { state: "new" }, { "If-Match": "*" });
	ok(touch.status === 403, said("the auditor changes nothing"), touch.toString());
	const log = await chief.get("/api/v1/audit-log?limit=200");
	ok(log.items.some((e) => e.action === "view" && e.actor.includes(auditor.id)), said("and every view is in the audit log"), log.items.slice(0, 5));

	await importFile(tab, w, "oka-city", "丘市");
	const file2 = await exported(tabs.centre, w, "/alerts?state=closed");
	ok(file2.bom && file2.lines.length === 2 && file2.lines[1].includes(BAD) && file2.name.endsWith(".csv"), said("a file of the list as it is filtered: one closed alert"), file2);
	await tab.go("/");
	const steps = await tab.page.locator(".ov-steps").count();
	ok(steps === 0, said("every step of the checklist is done, and it is gone"), steps === 0 ? "" : await tab.page.locator(".ov-steps").innerText());

	// a session ends, and the tab that has it knows
	await tabs.member.open("/alerts");
	await tab.go(`/people/${member.id}`);
	await clean(tab, "a person");
	const moment = Date.now();
	await by(tab.page.locator(".y-drawer"), "button", w("people.session.end-all")).click();
	tabs.member.expected = (line) => /401|stream/.test(line);
	await tabs.member.page.waitForURL(/\/signin/, { timeout: 60_000 });
	ok(true, said(`a revoked session: its tab is at the sign-in page ${Date.now() - moment} ms later`));
	ok((await member.call("GET", "/api/v1/alerts")).status === 401, said("and it is worth nothing any more"));

	const two = await identities(browser, tab, provider, language, w, said);

	const troubles = [tab, ...Object.values(tabs), ...two].flatMap((t) => t.troubles());
	ok(troubles.length === 0, said("nothing in any browser console all the while"), troubles);
	note(`${language}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

await run(async () => {
	await minutes("ja", "passkey");
	await minutes("en", "password");
	ok(unclean.length === 0 && looked > 40, `axe found nothing in any of ${looked} steps`, unclean);
	ok(seconds() < 300, `both in ${seconds().toFixed(0)} s: under five minutes`);
});
