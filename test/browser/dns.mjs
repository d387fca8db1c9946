// Protective DNS as people meet it: a client of a member is refused a listed name and told why;
// the member sees it in the live log and among the alerts, and asks that it be allowed; the
// centre sees how much is blocked and by what, grants it, and the name is answered.
// Arguments: yagura.
import { whole } from "./inspect.mjs";
import { Server, choose, firstPerson, freePort, invited, note, ok, openBrowser, run, until, wordsOf } from "./lib.mjs";
import { Upstream, ask, policyFiles } from "./resolver.mjs";

const [CITY, TOWN] = ["sakura-city", "minato-town"];
const LISTED = "supplier.bad.example";
const FEED = `$TTL 60
@ SOA ns.feed. root.feed. 42 60 60 86400 30
@ NS ns.feed.
bad.example CNAME .
*.bad.example CNAME .
32.9.100.51.198.rpz-ip CNAME *.
odd.rpz-foo CNAME .
`;
const NAMES = { "www.example": "192.0.2.1", [LISTED]: "192.0.2.2", "watched.example": "192.0.2.3", "byaddress.example": "198.51.100.9", "printer.example": "10.1.2.3" };
const by = (at, role, name) => at.getByRole(role, { name, exact: true });

async function start() {
	const upstream = await Upstream.start(NAMES);
	const files = policyFiles({ "feed.zone": FEED, "watched.txt": "watched.example\n", "games.txt": "games.example\n" });
	const port = await freePort();
	const server = await Server.start({
		resolve: {
			listen: [`127.0.0.1@${port}`],
			clients: [{ prefix: "127.0.0.1/32", org: CITY, network: "town hall" }, { prefix: "127.0.0.2/32", org: CITY, network: "schools" }, { prefix: "127.0.0.3/32", org: TOWN }],
			upstream: [{ zone: ".", forward: [upstream.address] }],
			policy: [{ name: "threats", rpz: files["feed.zone"], zone: "feed", category: "malware" }, { name: "watched", list: files["watched.txt"], mode: "audit-only" }, { name: "games", list: files["games.txt"], org: TOWN, layer: "org-block" }],
		},
	});
	await until("the policy is in force", () => server.events("resolve.policy").length > 0);
	for (const [name, title_ja, title_en] of [[CITY, "桜市", "Sakura City"], [TOWN, "港町", "Minato Town"]]) await server.local("POST", "/api/v1/organisations", { name, title_ja, title_en });
	return { server, port };
}

/** What many clients ask, so that there is something to count. */
async function traffic(port) {
	const first = await ask(port, LISTED);
	ok(first.rcode === "NXDOMAIN" && first.ede?.code === 15 && first.ede.text === "malware: threats", "a listed name is refused, and the client is told why", first);
	const seen = {};
	for (const [name, from, times] of [["www.example", "127.0.0.1", 6], ["www.example", "127.0.0.2", 3], ["www.example", "127.0.0.3", 4], ["other.bad.example", "127.0.0.2", 2], ["watched.example", "127.0.0.1", 1], ["byaddress.example", "127.0.0.1", 1], ["printer.example", "127.0.0.2", 1], ["games.example", "127.0.0.3", 2]])
		for (let i = 0; i < times; i++) seen[name] = await ask(port, name, from);
	ok(seen["www.example"].addresses[0] === "192.0.2.1" && seen["watched.example"].addresses[0] === "192.0.2.3" && seen["byaddress.example"].addresses.length === 0 && seen["games.example"].ede?.code === 17, "others are answered, or refused each by its own layer", seen);
}

/** One click in a row of the live log; meanwhile the rows stand still. */
async function fromRow(tab, w, port, row) {
	const { page } = tab;
	await by(row, "button", w("dns-ask.action")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.waitFor();
	ok((await dialog.getByLabel(w("dns-ask.name"), { exact: false }).inputValue()) === LISTED, "a row has the button that asks for its name");
	ok(await by(dialog, "button", w("dns-ask.action")).isDisabled(), "which wants a reason");
	await ask(port, "www.example");
	const held = page.getByText(w("dns-log.held").replace("{n}", "1"));
	await held.waitFor({ state: "attached" });
	ok((await dialog.isVisible()) && (await page.locator("main tbody tr").count()) === 1, "what comes meanwhile is held");
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
	await held.click();
	const other = page.locator("main tbody tr", { hasText: "www.example" });
	await other.waitFor();
	ok((await by(other, "button", w("dns-ask.action")).count()) === 0, "and an answered name has no such button");
}
/** The query stands in the live log; its drawer says by what it was decided. */
async function live(tab, w, port) {
	const { page } = tab;
	await tab.go("/dns-log");
	await by(page, "button", w("dns-log.live")).click();
	await page.getByText(w("dns-log.live-none")).waitFor();
	await whole(tab, "ja", "the live log before anything comes");
	const began = Date.now();
	await ask(port, LISTED);
	const row = page.locator("main tbody tr", { hasText: LISTED });
	await row.waitFor();
	note(`in the live log after ${Date.now() - began} ms`);
	const said = await row.innerText();
	ok(["threats", "malware", w("dns-word.blocked")].every((x) => said.includes(x)), "a query comes into the live log, with why", said);
	await whole(tab, "ja", "the live log");
	await fromRow(tab, w, port, row);
	await row.getByRole("link", { name: LISTED }).click();
	await page.waitForURL(/\/dns-log\/[^/?]+/);
	await tab.settled();
	const why = await page.locator(".y-drawer").innerText();
	ok(["*.bad.example", "threats", "malware", w("dns-word.centre-zone"), w("dns-word.qname"), w("dns-word.nxdomain"), "127.0.0.1", "town hall"].every((x) => why.includes(x)), "its drawer says by which record of which zone", why);
	await whole(tab, "ja", "why a query was blocked");
}
/** One click, a reason; it is asked for once. */
async function request(tab, w, member) {
	const { page } = tab;
	await by(page.locator(".y-drawer"), "button", w("dns-ask.action")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.waitFor();
	await whole(tab, "ja", "asking that a name be allowed");
	await dialog.getByLabel(w("dns-ask.reason"), { exact: false }).fill("取引先の受発注に使います");
	await by(dialog, "button", w("dns-ask.action")).click();
	await page.locator(".y-toast", { hasText: w("dns-ask.done") }).waitFor();
	const { items } = await member.get("/api/v1/dns/allow-requests");
	ok(items.length === 1 && items[0].name === LISTED && items[0].org === CITY && items[0].state === "open", "the member asks that it be allowed", items);
	await tab.go(`/dns-requests/${items[0].id}`);
	ok((await page.locator(".y-drawer").getByRole("button", { name: w("dns-requests.decide") }).count()) === 0, "and sees what became of it, without deciding");
	await whole(tab, "ja", "one's own request");
	return items[0].id;
}
/** The block is among the alerts, and says its zone and record. */
async function alerts(tab, w, member) {
	const { page } = tab;
	const alert = await until("the alert of the block", async () => (await member.get("/api/v1/alerts?indicator=threats&asset=127.0.0.1&limit=1")).items[0], 30);
	await tab.go("/alerts");
	await page.locator("main tbody tr", { hasText: "DNS で遮断: threats" }).first().getByRole("link").first().waitFor();
	await tab.go(`/alerts/${alert.id}`);
	const drawer = page.locator(".y-drawer");
	await drawer.getByText("*.bad.example").first().waitFor();
	const said = await drawer.innerText();
	ok([w("dns-word.blocked"), "threats", "malware", LISTED, "*.bad.example", "127.0.0.1"].every((x) => said.includes(x)) && said.includes("DNS ポリシー「threats」で遮断（malware）"), "a block is an alert, with verdict, zone and record", said);
	ok((await drawer.getByRole("link", { name: "threats", exact: true }).getAttribute("href")).includes("/dns-zones/threats"), "and leads to the zone");
	await whole(tab, "ja", "the alert of a block");
	await drawer.locator("#evidence a[href*='/dns-log/']").first().click();
	await page.waitForURL(/\/dns-log\/[^/?]+/);
	await tab.settled();
	ok((await page.locator(".y-drawer").innerText()).includes("*.bad.example"), "its evidence leads to the query, and why");
}

/** From the overview too; whose it is needs no choice where there is but one. */
async function requestFromOverview(tab, w) {
	const { page } = tab;
	await tab.go("/dns");
	await by(page.locator("main tr", { hasText: "other.bad.example" }), "button", w("dns-ask.action")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.getByLabel(w("dns-ask.reason"), { exact: false }).fill("x");
	ok(await by(dialog, "button", w("dns-ask.action")).isEnabled(), "a member asks from the overview, for its own organisation");
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
}

/** How much, by reason, zone, organisation and network. */
async function overview(tab, w, person) {
	const { page } = tab;
	const o = await until("all queries are counted", async () => {
		const x = await person.get("/api/v1/dns/overview");
		return x.queries >= 22 && x;
	}, 30);
	await tab.go("/dns");
	const table = async (title) => page.locator(".y-section", { has: page.getByRole("heading", { name: title, exact: true }) }).locator("table").innerText();
	const figure = (name) => page.locator(".y-figure", { hasText: name }).first().innerText();
	ok((await figure(w("dns.queries"))).includes(String(o.queries)) && (await figure(w("dns.blocked"))).includes(String(o.blocked)) && o.blocked >= 8, "the overview counts queries and blocks", o);
	const zones = await table(w("dns.by-zone"));
	ok([/threats\s+Centre's zones\s+malware\s+Name/, /threats\s+Centre's zones\s+malware\s+Answer's address/, /games\s+Organisation's blocks/, /watched/].every((x) => x.test(zones)), "by zone and reason", zones);
	const orgs = await table(w("dns.by-org"));
	ok(orgs.includes("Sakura City") && orgs.includes("Minato Town"), "by organisation", orgs);
	const networks = await table(w("dns.by-network"));
	ok(networks.includes("town hall") && networks.includes("schools"), "by network", networks);
	const names = await table(w("dns.names"));
	ok(names.includes(LISTED) && names.includes("games.example"), "and the names", names);
	await whole(tab, "en", "the overview of DNS");
	await by(page.locator(".y-section", { has: page.getByRole("heading", { name: w("dns.names"), exact: true }) }).locator("tr", { hasText: LISTED }), "link", w("dns.see-why")).click();
	await page.waitForURL(/\/dns-check\?name=/);
	await tab.settled();
	ok((await page.locator("main").innerText()).includes("*.bad.example"), "from there a name leads to why");
}
/** The centre grants it: the name is answered within seconds, for that organisation alone. */
async function grant(tab, w, id, port, person) {
	const { page } = tab;
	await tab.go("/dns-requests");
	const row = page.locator("main tbody tr", { hasText: LISTED });
	const said = await row.innerText();
	ok(said.includes("Sakura City") && said.includes(w("dns-requests.state.open")), "the centre sees the request", said);
	await row.getByRole("link", { name: LISTED }).click();
	await page.waitForURL(new RegExp(`/dns-requests/${id}`));
	await by(page.locator(".y-drawer"), "button", w("dns-requests.decide")).click();
	const dialog = page.locator("dialog[open]");
	await dialog.waitFor();
	await whole(tab, "en", "deciding on a request");
	ok((await by(dialog, "radio", w("dns-requests.for-own").replace("{org}", "Sakura City")).isChecked()) && (await dialog.innerText()).includes("取引先の受発注に使います"), "which says what is asked for, and why");
	await dialog.getByLabel(w("dns-requests.decision-reason"), { exact: false }).fill("A known supplier");
	const began = Date.now();
	await by(dialog, "button", w("dns-requests.grant")).click();
	await page.locator(".y-toast", { hasText: w("dns-requests.done") }).waitFor();
	const a = await until("the name is answered", async () => {
		const x = await ask(port, LISTED);
		return x.rcode === "NOERROR" && x;
	}, 20);
	note(`answered ${Date.now() - began} ms after the click`);
	ok(a.addresses[0] === NAMES[LISTED] && Date.now() - began < 10_000, "granted: the name is answered within seconds", a);
	ok((await ask(port, LISTED, "127.0.0.3")).rcode === "NXDOMAIN" && (await ask(port, "other.bad.example")).rcode === "NXDOMAIN", "for that organisation and name alone");
	await tab.go(`/dns-requests/${id}`);
	const { items } = await person.get("/api/v1/dns/allow-requests?state=granted");
	ok(items.length === 1 && (await page.locator(".y-drawer").innerText()).includes("A known supplier"), "and the request says so", items);
	await whole(tab, "en", "a granted request");
}
async function zones(tab, w) {
	const { page } = tab;
	await tab.go("/dns-zones");
	const row = await page.locator("main tbody tr", { hasText: "threats" }).innerText();
	ok(/\b42\b/.test(row) && row.includes(w("dns-zones.state.ok")), "the zones have state and serial", row);
	await whole(tab, "en", "the zones of the policy");
	await page.locator("main tbody tr", { hasText: "threats" }).getByRole("link", { name: "threats", exact: true }).click();
	await page.waitForURL(/\/dns-zones\/threats/);
	const drawer = await page.locator(".y-drawer").innerText();
	const of = (key) => new RegExp(`${w(key)}\\s+(\\S+)`).exec(drawer)?.[1] ?? "";
	ok(drawer.includes("feed.zone") && of("dns-zones.serial") === "42" && /\d/.test(of("dns-zones.size")) && Number(of("dns-zones.hits")) >= 5 && of("dns-zones.refused") === "1" && drawer.includes("odd.rpz-foo"), "one has source, serial, size, age, hits and what was refused", drawer);
	await whole(tab, "en", "a zone of the policy");
}
async function check(tab, w) {
	const { page } = tab;
	const answers = {};
	for (const [name, org] of [["other.bad.example", ""], [LISTED, CITY], ["www.example", ""]]) {
		await tab.go("/dns-check");
		await page.locator("main").getByLabel(w("dns-check.name"), { exact: false }).first().fill(name);
		if (org !== "") await choose(page.locator("main").getByRole("combobox", { name: w("scope.organisation") }), "Sakura City");
		await by(page.locator("main"), "button", w("dns-check.go")).click();
		await page.getByRole("heading", { name: w("dns-check.result") }).waitFor();
		await tab.settled();
		answers[name] = await page.locator("main").innerText();
		if (org !== "") ok((await page.locator("main").getByRole("combobox", { name: w("scope.organisation") }).inputValue()) === "Sakura City", "the organisation that was chosen stands there by its title");
		await whole(tab, "en", `checking ${name}`);
	}
	ok(answers["other.bad.example"].includes("is blocked") && answers["other.bad.example"].includes("*.bad.example") && answers["other.bad.example"].includes("threats"), "a blocked name says by what", answers["other.bad.example"]);
	ok(answers[LISTED].includes(w("dns-word.org-allow")), "the one that was allowed says by which list", answers[LISTED]);
	ok(answers["www.example"].includes("192.0.2.1") && !answers["www.example"].includes("threats"), "one that nothing is about is answered", answers["www.example"]);
}
/** Each page in the other language, too. */
async function others(tab, language, addresses) {
	await tab.speak(language);
	for (const [address, what] of addresses) {
		await tab.go(address);
		await whole(tab, language, what);
	}
}

await run(async () => {
	const { server, port } = await start();
	const browser = await openBrowser(server);
	const chief = await firstPerson(server, { language: "en" });
	const member = await invited(chief, { login: "member", name: "桜 守", role: "ciso_office", node: CITY });
	const analyst = await invited(chief, { login: "analyst", name: "Ann Alyst", language: "en", role: "centre_analyst" });
	await traffic(port);
	const one = await browser.tab(member, { language: "ja" });
	await one.open("/dns-log");
	const ja = wordsOf("ja");
	const en = wordsOf("en");
	await live(one, ja, port);
	const id = await request(one, ja, member);
	await alerts(one, ja, member);
	await requestFromOverview(one, ja);
	const centre = await browser.tab(analyst, { language: "en" });
	await centre.open("/dns");
	await overview(centre, en, analyst);
	await grant(centre, en, id, port, analyst);
	await zones(centre, en);
	await check(centre, en);
	const alert = (await analyst.get("/api/v1/alerts?indicator=threats&limit=1")).items[0];
	await others(one, "ja", [["/dns-zones", "the member's zones"], ["/dns", "the member's overview"], [`/dns-requests/${id}`, "the member's granted request"], [`/dns-check?name=${LISTED}`, "the member checks a name"], ["/dns-check?name=other.bad.example", "the member checks a blocked name"]]);
	await others(centre, "en", [["/dns-log", "the log in English"], [`/alerts/${alert.id}`, "the alert in English"]]);
	await others(centre, "ja", [["/dns", "all of DNS in Japanese"], ["/dns-zones/threats", "a zone in Japanese"]]);
	ok((await centre.page.locator(".y-drawer").innerText()).includes("トリガーを認識できません"), "with why a record was refused");
	for (const tab of [one, centre]) {
		ok(tab.troubles().length === 0, "nothing in the browser's console", tab.troubles());
		await tab.close();
	}
});
