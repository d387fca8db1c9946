// A picture of every page in both languages, both themes and at both widths, and in forced colours.
// Usage: screenshots.mjs YAGURA FOLDER [PART-OF-ADDRESS...]
import fs from "node:fs";
import path from "node:path";
import { Server, firstPerson, loadSample, openBrowser, run, worked } from "./lib.mjs";
import { addresses, pagesOf } from "./inspect.mjs";

const folder = path.resolve(process.argv[3] ?? "build/screenshots");
const only = process.argv.slice(4);
const wanted = (address) => only.length === 0 || only.some((part) => address.includes(part));

function nameOf(address) {
	const [where, query = ""] = address.split("?");
	const parts = where.split("/").filter((x) => x !== "").map((x) => (/^[a-z]-[0-9A-Z]{26}$/.test(x) ? "one" : x));
	if (query !== "" && !where.startsWith("/setup")) parts.push(query.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, ""));
	return parts.join("_") || "overview";
}
async function take(tab, name, language, show) {
	for (const width of [1440, 360]) {
		await tab.size(width);
		await show();
		for (const theme of ["light", "dark"]) {
			await tab.theme(theme);
			await tab.page.screenshot({ path: path.join(folder, `${name}.${language}.${theme}.${width}.png`), fullPage: true, animations: "disabled" });
		}
		await tab.theme("light");
		if (width === 1440) {
			await tab.page.emulateMedia({ forcedColors: "active" });
			await tab.page.screenshot({ path: path.join(folder, `${name}.${language}.forced.${width}.png`), fullPage: true, animations: "disabled" });
			await tab.page.emulateMedia({ forcedColors: "none" });
		}
	}
	process.stdout.write(`# ${language} ${name}\n`);
}
/** What one sees when something was typed. */
function scenes(tab, rule) {
	const { page } = tab;
	const fault = async () => {
		await tab.go(rule);
		const editor = page.locator(".dr-code textarea");
		await editor.fill((await editor.inputValue()).replace(/condition: (?!no_such)/, "condition: no_such and "));
		await page.locator("[data-checked=true].is-bad").waitFor();
	};
	const tried = async () => {
		await tab.go(rule);
		const box = page.locator(".dr-try").last();
		await box.locator("[role=combobox]").click();
		await page.locator("[role=option]:visible").first().waitFor();
		await page.keyboard.press("Enter");
		await box.locator("button").first().click();
		await page.locator(".dr-try ~ [aria-live] :is(.y-empty, .dr-found)").waitFor();
		await tab.settled();
	};
	const importing = async () => {
		await tab.go("/detection-rules");
		if ((await page.locator("dialog[open]").count()) === 0) await page.locator("main .y-page__tools button").first().click();
		await page.locator("dialog[open]").waitFor();
	};
	return { "detection-rules_import": importing, "detection-rule_tried": tried, "detection-rule_fault": fault }; // what was typed stays
}

await run(async () => {
	fs.mkdirSync(folder, { recursive: true });
	const server = await Server.start();
	const browser = await openBrowser(server);
	const setup = new URL(server.setupAddress());
	const each = (what) => Promise.all(["ja", "en"].map(what));
	await each(async (language) => {
		const tab = await browser.tab(null, { language });
		for (const address of [setup.pathname + setup.search, "/signin", "/status", "/doc/problems"].filter(wanted)) await take(tab, nameOf(address), language, () => tab.open(address));
		await tab.close();
	});
	const chief = await firstPerson(server);
	await loadSample(server);
	const { rule, more } = await worked(chief);
	await each(async (language) => {
		const out = await browser.tab(null, { language });
		if (wanted("/signin-wrong"))
			await take(out, "signin-wrong", language, async () => {
				await out.open("/signin");
				await out.page.fill("[name=login]", "chief");
				for (const [name, value] of [["password", "not the password"], ["code", "123456"]]) await out.page.fill(`[name=${name}]`, value);
				await out.page.locator("[name=code]").press("Enter");
				await out.page.locator("[role=alert]").waitFor();
			});
		await out.close();
		const tab = await browser.tab(chief, { language });
		await tab.open("/alerts");
		await tab.speak(language);
		const list = [...(await addresses(await pagesOf(tab), chief)), ...more, "/jobs?state=done", "/jobs?state=failed", "/indicators?tab=entries", "/indicators?tab=entries&q=fox&validity=in_force", "/indicators?tab=entries&q=nothing-is-called-so"];
		for (const address of [...new Set(list)].filter(wanted)) await take(tab, nameOf(address), language, () => tab.go(address));
		for (const [name, show] of Object.entries(scenes(tab, rule))) if (wanted(`/${name}`)) await take(tab, name, language, show);
		await tab.close();
	});
}, { plan: false, limit: 3600 });
