// Detection as an analyst works with it: a rule is written with a fault, mended, tried against
// a day, kept at test, made live; an event comes, its alert names the rule and the fields; an
// exception is made from it.  Arguments: yagura.
import { Server, firstPerson, note, ok, openBrowser, run, seconds, until } from "./lib.mjs";
import { faultsOf } from "./inspect.mjs";

const ORG = "rule-city";
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
const deliver = (server, text) => server.local("POST", `/api/v1/events?source=zeek&org=${ORG}`, text, { "Content-Type": "application/x-ndjson" });

/** What is open is whole: wide and light, narrow and dark. */
async function whole(tab, language, what) {
	const faults = [];
	for (const [width, theme] of [[360, "dark"], [1440, "light"]]) {
		await tab.size(width);
		await tab.theme(theme);
		faults.push(...(await faultsOf(tab, language)), ...(await tab.axe()));
	}
	ok(faults.length === 0, what, faults);
}
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
async function choose(page, box, text) {
	await box.fill(text);
	await page.locator("[role=option]:visible", { hasText: text }).first().waitFor();
	await box.press("Enter");
}
async function tryIt(tab) {
	const { page } = tab;
	await choose(page, page.locator(".y-section", { has: page.getByRole("heading", { name: "Try it against a day" }) }).getByRole("combobox"), ORG);
	await page.getByRole("button", { name: "Try", exact: true }).click();
	await page.getByText("2 matches at 1 asset").waitFor();
	const text = await page.locator("main").innerText();
	ok(text.includes("10.1.1.7") && text.includes("a.worm.example"), "tried against a day it says at which assets, and on which fields", text.slice(-600));
	await whole(tab, "en", "the result of a try");
}
/** Kept at test, seen in the list, made live by its dialog. */
async function save(tab, person) {
	const { page } = tab;
	await choose(page, page.locator(".dr-try").first().getByRole("combobox", { name: "Organisation" }), ORG);
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
/** Another stage for an organisation, with a reason; and back. */
async function override(tab, person, id) {
	const { page } = tab;
	await tab.go(`/detection-rule/${id}?tab=stages`);
	await page.getByRole("button", { name: "Set it for an organisation" }).click();
	const dialog = page.locator("dialog[open]");
	await choose(page, dialog.getByRole("combobox", { name: "Organisation" }), ORG);
	await dialog.getByRole("combobox", { name: "Stage" }).selectOption("off");
	await dialog.getByRole("textbox", { name: /^Reason/ }).fill("an exercise");
	await dialog.locator("[type=submit]").click();
	await page.getByRole("cell", { name: "an exercise" }).waitFor();
	const { overrides } = await person.get(`/api/v1/detection-rules/${id}`);
	ok(overrides.length === 1 && overrides[0].stage === "off" && overrides[0].expires_at !== null, "another stage for an organisation has its reason and expiry", overrides);
	await page.locator("main table").getByRole("button", { name: "Delete" }).click();
	await page.locator("dialog[open]").getByRole("button", { name: "Delete" }).click();
	await until("it is taken back", async () => (await person.get(`/api/v1/detection-rules/${id}`)).overrides.length === 0);
}
async function except(tab, person, id) {
	const { page } = tab;
	await tab.go(`/detection-exceptions?new=1&rule=${id}&of=${ORG}&field=query&value=ours.worm.example`);
	const dialog = page.locator("dialog[open]");
	await dialog.getByRole("textbox", { name: /^Reason/ }).fill("our own exercise");
	await whole(tab, "en", "the dialog of an exception");
	await dialog.locator("[type=submit]").click();
	await page.waitForURL(/\/detection-exceptions\/[^/?]+$/);
	await tab.settled();
	const { exceptions } = await person.get(`/api/v1/detection-rules/${id}`);
	ok(exceptions.length === 1 && exceptions[0].org === ORG && exceptions[0].text.includes("ours.worm.example"), "an exception has its rule, organisation and what fits", exceptions);
	ok((await page.locator(".y-drawer").innerText()).includes("our own exercise"), "and is shown");
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
}
async function importing(tab) {
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
	const past = (await person.get(`/api/v1/alerts?indicator=${id}&limit=9`)).items.find((a) => a.asset === "10.1.1.7");
	await tab.go(`/alerts/${past.id}`);
	await page.locator(".y-drawer").getByText("Historical").first().waitFor();
	ok(true, "its alert says that it is of the past");
}

await run(async () => {
	const server = await Server.start();
	const browser = await openBrowser(server);
	await server.local("POST", "/api/v1/organisations", { name: ORG, title: "rule-city" });
	const chief = await firstPerson(server, { language: "en" });
	await deliver(server, zeek("a.worm.example", "10.1.1.7") + zeek("b.worm.example", "10.1.1.7") + zeek("www.example", "10.1.1.8"));
	await until("the events are stored", async () => (await chief.get(`/api/v1/events?org=${ORG}&from=now-1d&limit=10`)).items?.length >= 3);
	const tab = await browser.tab(chief, { language: "en" });
	tab.expected = (line) => line.includes("status of 400"); // what is refused on purpose
	await tab.open("/detection-rules");
	await tab.speak("en");
	note(`ready after ${seconds().toFixed(1)} s`);
	await write(tab);
	await tryIt(tab);
	const id = await save(tab, chief);
	await override(tab, chief, id);
	await importing(tab);
	await bulk(tab, chief);
	await found(server, tab, chief, id);
	await hunt(tab, chief, id);
	await except(tab, chief, id);
	ok(tab.troubles().length === 0, "nothing in the browser's console", tab.troubles());
	await tab.close();
});
