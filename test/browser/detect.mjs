// Detection as an analyst works with it: a rule is written with a fault, mended, tried against
// a day, kept at test, made live; an event comes, its alert names the rule and the fields; an
// exception is made from it.  Arguments: yagura.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Server, choose, firstPerson, note, ok, openBrowser, run, seconds, until } from "./lib.mjs";
import { whole } from "./inspect.mjs";

const ORG = "rule-city";
const TITLE = "Rule City";
const RULE = `title: A name that only worms ask for
id: 2d1f6a52-6f5e-4c55-9d0c-7c3f6f3f6a01
status: experimental
author: the watch
tags:
    - attack.command-and-control
    - attack.t1071.004
logsource:
    category: dns
detection:
    selection:
        query|endswith: '.worm.example'
    condition: selection
level: high
`;
const zeek = (name, host, at = Date.now()) => `${JSON.stringify({ _path: "dns", ts: at / 1000, uid: `C${name}${host}`, "id.orig_h": host, "id.orig_p": 5353, "id.resp_h": "192.0.2.53", "id.resp_p": 53, proto: "udp", query: name })}\n`;
const deliver = (server, text, source = "zeek") => server.local("POST", `/api/v1/events?source=${source}&org=${ORG}`, text, { "Content-Type": "application/x-ndjson" });

async function write(tab) {
	const { page } = tab;
	const editor = page.getByRole("textbox", { name: "Rule", exact: true });
	await tab.go("/detection-rule");
	await editor.fill(RULE.replace("endswith", "endwith"));
	await page.locator("[data-checked=true].is-bad").waitFor();
	const line = page.getByRole("button", { name: "Line 12" });
	await line.waitFor();
	await whole(tab, "en", "a rule with a fault: it is named at its line");
	await line.press("Enter");
	const marked = await editor.evaluate((e) => e.value.slice(e.selectionStart, e.selectionEnd));
	ok(marked.includes("endwith"), "the way to a fault marks its line", marked);
	await editor.press("Control+s");
	await page.getByText("Mend the faults, then save.").waitFor();
	ok(new URL(page.url()).pathname === "/detection-rule", "with a fault it is not saved");
	await tab.go("/detection-rules");
	await tab.go("/detection-rule");
	ok((await editor.inputValue()).includes("endwith"), "what is being written stays while one looks elsewhere");
	await editor.fill(RULE);
	await page.locator("[data-checked=true].is-ok").waitFor();
}
async function tryIt(tab) {
	const { page } = tab;
	await choose(page.locator(".y-section", { has: page.getByRole("heading", { name: "Try it against a day" }) }).getByRole("combobox"), TITLE);
	await page.getByRole("button", { name: "Try", exact: true }).click();
	await page.getByText("2 matches at 1 asset").waitFor();
	const text = await page.locator("main").innerText();
	ok(text.includes("10.1.1.7") && text.includes("a.worm.example"), "tried against a day it says at which assets, and on which fields", text.slice(-600));
	await whole(tab, "en", "the result of a try");
}
/** Kept at test, seen in the list, made live by its dialog. */
async function save(tab, person) {
	const { page } = tab;
	await choose(page.locator(".dr-try").first().getByRole("combobox", { name: "Organisation" }), TITLE);
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.waitForURL(/\/detection-rule\/r-/);
	await tab.settled();
	const id = new URL(page.url()).pathname.split("/").pop();
	const read = () => person.get(`/api/v1/detection-rules/${id}`);
	const made = await read();
	ok(made.stage === "test" && made.org === ORG && made.text === RULE, "it is kept, at the stage of tests", made);
	await page.getByRole("button", { name: "Change the stage" }).first().click();
	await page.locator("dialog[open]").getByRole("radio", { name: /^Live/ }).check();
	await page.locator("dialog[open] [type=submit]").click();
	await page.locator(".y-toast").getByRole("button", { name: "Undo" }).waitFor();
	ok((await read()).stage === "live", "and made live");
	await tab.settled();
	const editor = page.getByRole("textbox", { name: "Rule", exact: true });
	await editor.fill(RULE.replace("level: high", "level: critical"));
	await page.locator("[data-checked=true].is-ok").waitFor();
	await editor.press("Control+s");
	await until("the new text is kept", async () => (await read()).level === "critical");
	await tab.go(`/detection-rule/${id}?tab=history`);
	const changed = await page.locator(".dr-diff").first().innerText();
	ok(/- level: high\s+\+ level: critical/.test(changed), "its history shows what changed", changed);
	return id;
}
const patched = (person, id, body, etag = "*") => person.must("PATCH", `/api/v1/detection-rules/${id}`, body, { "If-Match": etag, "Content-Type": "application/merge-patch+json" });
/** Two write at once: what the other has saved is shown before one overwrites it, and is not taken back with one's own. */
async function together(tab, person, id) {
	const { page } = tab;
	const read = () => person.get(`/api/v1/detection-rules/${id}`);
	const editor = page.getByRole("textbox", { name: "Rule", exact: true });
	const saved = page.getByRole("button", { name: "Save", exact: true });
	const stale = page.getByRole("alert").filter({ hasText: "Somebody has saved this rule" });
	const was = (await read()).text;
	const theirs = was.replace("the watch", "the other watch");
	const mine = was.replace("status: experimental", "status: test");
	await tab.go(`/detection-rule/${id}`);
	await editor.fill(mine);
	await patched(person, id, { text: theirs });
	await page.locator("[data-checked=true].is-ok").waitFor();
	await editor.press("Control+s"); // of the version before: refused
	await stale.waitFor();
	ok((await read()).text === theirs && (await editor.inputValue()) === mine, "what somebody else has saved meanwhile is not overwritten, and one's own text is there still");
	ok(/- author: the watch\s+\+ author: the other watch/.test(await stale.innerText()) && (await saved.isDisabled()), "what it changed is shown, and one decides before one saves", await stale.innerText());
	await whole(tab, "en", "a text that was begun from an older one");
	await tab.go("/detection-rules");
	await tab.go(`/detection-rule/${id}`);
	await stale.waitFor();
	await stale.getByRole("button", { name: "Go on with mine" }).click();
	await page.locator("[data-checked=true].is-ok").waitFor();
	await editor.press("Control+s");
	await until("one's own text is kept", async () => (await read()).text === mine);
	const undo = page.locator(".y-toast").getByRole("button", { name: "Undo" }).last();
	await undo.waitFor();
	await patched(person, id, { text: was.replace("the watch", "a third watch") });
	await undo.click();
	await page.locator(".y-toast--bad", { hasText: "changed meanwhile" }).waitFor();
	ok((await read()).text.includes("a third watch"), "undo takes back what one did, and nothing that came after");
	await patched(person, id, { text: was });
	await tab.open(`/detection-rule/${id}`);
	await editor.fill(was.replace("condition: selection", "condition: no_such"));
	await editor.press("Control+s"); // before it is checked
	await page.getByText("Mend the faults, then save.").waitFor();
	ok((await read()).text === was, "what is not checked yet is checked before it is saved");
	await page.getByRole("button", { name: "Discard the changes" }).click();
}
/** Another stage for an organisation, with a reason; and back. */
async function override(tab, person, id) {
	const { page } = tab;
	await tab.go(`/detection-rule/${id}?tab=stages`);
	await page.getByRole("button", { name: "Set it for an organisation" }).click();
	const dialog = page.locator("dialog[open]");
	await choose(dialog.getByRole("combobox", { name: "Organisation" }), TITLE);
	await dialog.getByRole("combobox", { name: "Stage" }).selectOption("off");
	await dialog.getByRole("textbox", { name: /^Reason/ }).fill("an exercise");
	await dialog.locator("[type=submit]").click();
	await page.getByRole("cell", { name: "an exercise" }).waitFor();
	const { overrides } = await person.get(`/api/v1/detection-rules/${id}`);
	ok(overrides.length === 1 && overrides[0].stage === "off" && overrides[0].expires_at !== null, "another stage for an organisation has its reason and expiry", overrides);
	await page.locator("main table").getByRole("button", { name: "Change", exact: true }).click();
	await dialog.getByRole("textbox", { name: /^Reason/ }).fill("a longer exercise");
	await dialog.locator("[type=submit]").click();
	await page.getByRole("cell", { name: "a longer exercise" }).waitFor();
	const kept = (await person.get(`/api/v1/detection-rules/${id}`)).overrides[0];
	ok(kept.expires_at === overrides[0].expires_at, "a change of it leaves its end alone", [overrides, kept]);
	await page.locator("main table").getByRole("button", { name: "Delete" }).click();
	await page.locator("dialog[open]").getByRole("button", { name: "Delete" }).click();
	await until("it is taken back", async () => (await person.get(`/api/v1/detection-rules/${id}`)).overrides.length === 0);
}
/** What was chosen stands there by its name, and can be left out again where it may be empty. */
async function chosen(tab) {
	const { page } = tab;
	await tab.go("/detection-exceptions?new=1");
	const dialog = page.locator("dialog[open]");
	const [rule, org] = [dialog.getByRole("combobox", { name: "Rule" }), dialog.getByRole("combobox", { name: "Organisation" })];
	await choose(rule, "A name that only");
	await choose(org, TITLE);
	await dialog.getByRole("textbox", { name: /^Reason/ }).focus();
	const names = [await rule.inputValue(), await org.inputValue()];
	await org.fill("");
	await dialog.getByRole("textbox", { name: /^Reason/ }).focus();
	await tab.settled();
	ok(names.join() === "A name that only worms ask for,Rule City" && (await org.inputValue()) === "", "what was chosen is shown by its name, and is taken away again", names);
	await page.keyboard.press("Escape");
}
/** From an alert, of all the fields that matched: the same is left out afterwards, its neighbour is not. */
async function except(server, tab, person) {
	const { page } = tab;
	const text = `title: A backup by hand\nid: 2d1f6a52-6f5e-4c55-9d0c-7c3f6f3f6c01\nlogsource: {product: windows, category: process_creation}\ndetection:\n  s: {Image|endswith: '\\backup.exe', CommandLine|contains: ' -x '}\n  condition: s\nlevel: high\n`;
	const { id } = await person.must("POST", "/api/v1/detection-rules", { org: ORG, collection: "own", stage: "live", text });
	// what YAML and patterns give a meaning of their own, a control character, and more than evidence keeps
	const odd = (star) => `backup.exe -x "C:\\${star}?\\\\srv\\x" 'it''s' # a: b\t%TEMP%\\`;
	const long = (end) => `${odd("*")} ${"z".repeat(600)}${end}`;
	const start = (line) => deliver(server, `${JSON.stringify({ Channel: "Security", EventID: 4688, Computer: "pc-7", TimeCreated: new Date().toISOString(), SubjectUserName: "bob", NewProcessName: "C:\\tools\\backup.exe", CommandLine: line })}\n`, "windows");
	const counts = async () => (await person.get(`/api/v1/detection-rules/${id}/stats`)).items.reduce((n, h) => ({ hits: n.hits + h.hits, excepted: n.excepted + h.excepted }), { hits: 0, excepted: 0 });
	const more = async (line, what) => { // one event, and what it counted as
		const before = await counts();
		await start(line);
		return until(what, async () => {
			const now = await counts();
			const told = [now.hits - before.hits, now.excepted - before.excepted];
			return told[0] + told[1] > 0 && told;
		}, 20);
	};
	const one = async (line, neighbour, what) => {
		const alert = await until(`an alert of ${what}`, async () => {
			const { items } = await person.get(`/api/v1/alerts?indicator=${id}&limit=1`);
			if (items.length === 0 || (await person.get(`/api/v1/alerts/${items[0].id}/events?limit=1`)).items[0].fields.every((f) => !line.startsWith(f.value))) await start(line);
			else return items[0];
			return undefined;
		}, 30);
		await tab.go(`/alerts/${alert.id}`);
		await page.locator(".y-drawer").getByRole("link", { name: "Make an exception" }).click();
		const dialog = page.locator("dialog[open]");
		await dialog.getByRole("textbox", { name: /^Reason/ }).fill(`our own ${what}`);
		const boxes = dialog.getByRole("checkbox");
		const fields = await boxes.count();
		const whole_ = await dialog.locator("textarea").first().inputValue();
		await boxes.nth(1).uncheck();
		const fewer = await dialog.locator("textarea").first().inputValue();
		await boxes.nth(1).check();
		ok(fields === 2 && fewer.split("\n").length === whole_.split("\n").length - 1 && (await dialog.locator("textarea").first().inputValue()) === whole_, `the fields of an exception are chosen (${what})`, [whole_, fewer]);
		await whole(tab, "en", `the dialog of an exception of ${what}`);
		await dialog.locator("[type=submit]").click();
		await page.waitForURL(/\/detection-exceptions\/[^/?]+$/);
		await tab.settled();
		await until("the exception is in force", async () => (await more(line, "the same is counted"))[1] > 0, 30);
		ok((await more(line, "the same is counted once more")).join() === "0,1", `an exception made of its alert leaves out the same (${what})`, whole_);
		ok((await more(neighbour, "a neighbour is counted")).join() === "1,0", `and not its neighbour (${what})`, whole_);
	};
	await one(odd("*"), odd("x"), "signs with a meaning");
	await one(long("a"), odd("*").replace("backup.exe -x", "backup.exe -x  "), "a value that is cut");
	const { exceptions } = await person.get(`/api/v1/detection-rules/${id}`);
	ok(exceptions.length === 2 && exceptions.every((x) => x.org === ORG && x.alert !== null), "an exception has its rule, organisation, alert and what fits", exceptions);
	ok((await page.locator(".y-drawer").innerText()).includes("our own a value that is cut"), "and is shown");
	await tab.go("/audit-log?action=rule");
	const leads = await Promise.all([id, exceptions[0].id].map((o) => page.locator(`main a[title="${o}"]`).first().getAttribute("href")));
	ok(leads[0].includes(`/detection-rule/${id}`) && leads[1].includes(`/detection-exceptions/${exceptions[0].id}`), "the audit log leads to both", leads);
}
/** Many at once, and taken back. */
async function bulk(tab, person) {
	const { page } = tab;
	await tab.go(`/detection-rules?collection=many`);
	await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
	await page.getByRole("region", { name: "Bulk actions" }).getByRole("button", { name: "Set the stage" }).click();
	await page.getByRole("menuitem", { name: "Audit only" }).click();
	await page.locator(".y-toast", { hasText: "3 rules set to" }).getByRole("button", { name: "Undo" }).waitFor();
	const stages = async () => (await person.get("/api/v1/detection-rules?collection=many")).items.map((r) => r.stage);
	const set = await stages();
	await page.locator(".y-toast", { hasText: "3 rules set to" }).getByRole("button", { name: "Undo" }).click();
	await until("the stages are as they were", async () => (await stages()).every((s) => s === "test"));
	ok(set.length === 3 && set.every((s) => s === "audit-only"), "the stage of many is changed, and taken back", set);
	await tab.settled();
	// one is gone by the time that the button is pressed, one was changed by somebody else before the undo
	await tab.go("/detection-rules");
	await tab.go("/detection-rules?collection=many");
	const { items } = await person.get("/api/v1/detection-rules?collection=many");
	await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
	await person.must("DELETE", `/api/v1/detection-rules/${items[0].id}`);
	await page.getByRole("region", { name: "Bulk actions" }).getByRole("button", { name: "Set the stage" }).click();
	await page.getByRole("menuitem", { name: "Audit only" }).click();
	const told = page.locator(".y-toast", { hasText: "2 rules set to" });
	await told.getByRole("button", { name: "Undo" }).waitFor();
	await patched(person, items[1].id, { stage: "off" });
	await told.getByRole("button", { name: "Undo" }).click();
	await until("the other is as it was", async () => (await stages()).includes("test"));
	await tab.settled();
	ok((await stages()).sort().join() === "off,test" && (await page.locator("main table tbody tr").count()) === 2, "a rule that is gone refuses no other; what somebody has changed since is not taken back", await stages());
}
async function importing(tab, person) {
	const { page } = tab;
	await tab.go("/detection-rules");
	await page.locator("main").getByRole("button", { name: "Import rules" }).first().click();
	const files = [1, 2, 3].map((n) => ({ name: `rule${n}.yml`, mimeType: "text/yaml", buffer: Buffer.from(RULE.replace("worms", `worm ${n}`).replace("6a01", `6b0${n}`)) }));
	await page.setInputFiles("dialog[open] input[type=file]", [...files, { name: "broken.yml", mimeType: "text/yaml", buffer: Buffer.from("title: x\ndetection: {}\n") }]);
	const dialog = page.locator("dialog[open]");
	await dialog.getByRole("textbox", { name: /^Collection/ }).fill("many");
	await dialog.locator("[type=submit]").click();
	await dialog.getByText("1 refused").waitFor();
	const said = await dialog.innerText();
	ok(/Added\s+3/.test(said) && said.includes("broken.yml:"), "files are imported; one that cannot be is named with its line and reason", said);
	await page.keyboard.press("Escape");
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "rules-"));
	fs.mkdirSync(path.join(folder, "deep/er"), { recursive: true });
	fs.writeFileSync(path.join(folder, "deep/er/one.yml"), RULE.replace("6a01", "6d01"));
	fs.writeFileSync(path.join(folder, "deep/broken.yaml"), "title: x\ndetection: {}\n");
	fs.writeFileSync(path.join(folder, "README.md"), "no rule");
	await page.locator("main").getByRole("button", { name: "Import rules" }).first().click();
	await page.locator("dialog[open] input[type=file]").nth(1).setInputFiles(folder);
	await dialog.getByText("2 files").waitFor();
	await dialog.getByRole("textbox", { name: /^Collection/ }).fill("folder");
	await dialog.locator("[type=submit]").click();
	await dialog.getByText("1 refused").waitFor();
	const { items } = await person.get("/api/v1/detection-rules?collection=folder");
	fs.rmSync(folder, { recursive: true });
	ok(items.length === 1 && items[0].file.endsWith("deep/er/one.yml") && (await dialog.innerText()).includes("deep/broken.yaml:"), "a folder is imported, each file with its place in it", items);
	await page.keyboard.press("Escape");
}
/** From an event to its alert, the rule and the fields. */
async function found(server, tab, person, id) {
	const { page } = tab;
	const alert = await until("an alert of the rule", async () => {
		await deliver(server, zeek("found.worm.example", "10.1.1.9"));
		return (await person.get(`/api/v1/alerts?indicator=${id}&limit=1`)).items[0];
	}, 30);
	await tab.go(`/alerts/${alert.id}`);
	const drawer = page.locator(".y-drawer");
	await drawer.getByRole("link", { name: "A name that only worms ask for" }).waitFor();
	const said = await drawer.innerText();
	ok(alert.severity_id === 5 && said.includes("found.worm.example") && said.includes("T1071.004"), "an alert names the rule, its technique and the fields that matched", said.slice(0, 1500));
	await whole(tab, "en", "the alert of a rule");
	await drawer.getByRole("link", { name: "Make an exception" }).click();
	await page.locator("dialog[open]").waitFor();
	const text = await page.locator("dialog[open] textarea").first().inputValue();
	ok(text.includes("found.worm.example"), "from it an exception begins with what matched", text);
	await page.keyboard.press("Escape");
	await tab.go(`/detection-rule/${id}?tab=hits`);
	await until("the hit is counted", async () => {
		await tab.go(`/detection-rule/${id}?tab=hits`);
		return (await page.locator(".y-figure", { hasText: "Alerts in 30 days" }).locator("b").innerText()) === "1";
	}, 20);
	await whole(tab, "en", "hits and cost of a rule that hit");
	await tab.go(`/alerts?indicator=${id}&state=all`);
	await page.locator(".y-filters").getByRole("button", { name: "Rule: A name that only worms ask for" }).waitFor();
	ok(!(await page.locator("main").innerText()).includes(id), "its alerts and what they are narrowed by say its title, not its id");
}

/** A comment whose answer is lost is sent again, and is one comment. */
async function comment(tab, person, id) {
	const { page } = tab;
	const [alert] = (await person.get(`/api/v1/alerts?indicator=${id}&limit=1`)).items;
	await tab.go(`/alerts/${alert.id}`);
	const box = page.locator(".y-drawer textarea");
	await box.fill("seen twice");
	const send = page.locator(".y-drawer").getByRole("button", { name: "Comment" });
	await page.route("**/comments", async (r) => {
		await person.must("POST", `/api/v1/alerts/${alert.id}/comments`, r.request().postDataJSON(), { "Idempotency-Key": r.request().headers()["idempotency-key"] });
		await r.abort();
	}, { times: 1 });
	await send.click();
	await page.locator(".y-drawer .y-error").waitFor();
	await send.click();
	await page.locator(".y-drawer .y-timeline").getByText("seen twice").first().waitFor();
	const { items } = await person.get(`/api/v1/alerts/${alert.id}/comments`);
	ok(items.filter((c) => c.text === "seen twice").length === 1, "a comment that is sent again after a lost answer is one comment", items);
}
/** Over the past, from the rule's page; its progress and what it found. */
async function hunt(tab, person, id) {
	const { page } = tab;
	await tab.go(`/detection-rule/${id}`);
	await page.getByRole("link", { name: "Look into the past" }).click();
	await page.locator("dialog[open]").getByText("A name that only worms ask for").waitFor();
	await page.locator("dialog[open] [type=submit]").click();
	await page.waitForURL(/\/retro-hunts\/[^/?]+$/);
	const which = new URL(page.url()).pathname.split("/").pop();
	await page.locator(".y-drawer__head").getByText("Done").waitFor();
	const done = await person.get(`/api/v1/retro-hunts/${which}`);
	await until("its matches are alerts", async () => (await person.get(`/api/v1/alerts?indicator=${id}&limit=9`)).items.some((a) => a.asset === "10.1.1.7"), 20);
	await tab.go(`/retro-hunts/${which}`);
	ok(done.matches >= 2 && done.rule === id && (await page.locator(".y-drawer").innerText()).includes("A name that only worms ask for"), "a retro-hunt is started from the rule, and tells what it found", done);
	await whole(tab, "en", "a retro-hunt that is done");
	const of = (await person.get(`/api/v1/alerts?hunt=${which}&limit=9`)).items;
	await tab.go(new URL(await page.locator(".y-drawer a[href*='hunt=']").first().getAttribute("href"), "https://x").href.slice("https://x".length));
	const rows = await page.locator("main table tbody td.is-main a").evaluateAll((all) => all.map((a) => a.getAttribute("href").split("?")[0]));
	const all = (await person.get("/api/v1/alerts?limit=99")).items;
	ok(rows.length === of.length && of.length > 0 && of.length < all.length && of.every((a) => rows.includes(`/alerts/${a.id}`)), "its number leads to the alerts that it found, and to no other", [rows, of.length, all.length]);
	const past = (await person.get(`/api/v1/alerts?indicator=${id}&limit=9`)).items.find((a) => a.asset === "10.1.1.7");
	await tab.go(`/alerts/${past.id}`);
	const chip = page.locator(".y-drawer .y-listrow .y-chip", { hasText: "Historical" });
	await tab.settled();
	ok((await chip.count()) > 0, "its alert says that it is of the past", (await page.locator(".y-drawer").innerText()).slice(-800));
	await tab.go(`/alerts?by=indicator&indicator=${id}&state=all`);
	await page.locator("main td.is-main", { hasText: "A name that only worms ask for" }).waitFor();
	ok(!(await page.locator("main").innerText()).includes(id), "groups of its alerts say its title, not its id");
}

await run(async () => {
	// no hunts by themselves: one that came first would have told what the one ordered here is to find
	const server = await Server.start({ detect: { "retro-hunt-days": 0 } });
	const browser = await openBrowser(server);
	await server.local("POST", "/api/v1/organisations", { name: ORG, title: TITLE });
	const chief = await firstPerson(server, { language: "en" });
	await deliver(server, zeek("a.worm.example", "10.1.1.7") + zeek("b.worm.example", "10.1.1.7") + zeek("www.example", "10.1.1.8"));
	await until("the events are stored", async () => (await chief.get(`/api/v1/events?org=${ORG}&from=now-1d&limit=10`)).items?.length >= 3);
	const tab = await browser.tab(chief, { language: "en" });
	tab.expected = (line) => /status of (400|404|412)|ERR_FAILED/.test(line); // what is refused or lost on purpose
	await tab.open("/detection-rules");
	await tab.speak("en");
	note(`ready after ${seconds().toFixed(1)} s`);
	await write(tab);
	await tryIt(tab);
	const id = await save(tab, chief);
	await together(tab, chief, id);
	await override(tab, chief, id);
	await importing(tab, chief);
	await bulk(tab, chief);
	await found(server, tab, chief, id);
	await comment(tab, chief, id);
	await hunt(tab, chief, id);
	await except(server, tab, chief);
	await chosen(tab);
	ok(tab.troubles().length === 0, "nothing in the browser's console", tab.troubles());
	await tab.close();
});
