// A picture of every page in both languages, both themes and at both widths, and in forced colours.
// Usage: screenshots.mjs YAGURA FOLDER [PART-OF-ADDRESS...]
import fs from "node:fs";
import path from "node:path";
import { Server, firstPerson, loadSample, openBrowser, run } from "./lib.mjs";
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
async function take(tab, address, language, inside) {
	for (const width of [1440, 360]) {
		await tab.size(width);
		await (inside ? tab.go(address) : tab.open(address));
		for (const theme of ["light", "dark"]) {
			await tab.theme(theme);
			await tab.page.screenshot({ path: path.join(folder, `${nameOf(address)}.${language}.${theme}.${width}.png`), fullPage: true, animations: "disabled" });
		}
		await tab.theme("light");
		if (width === 1440) {
			await tab.page.emulateMedia({ forcedColors: "active" });
			await tab.page.screenshot({ path: path.join(folder, `${nameOf(address)}.${language}.forced.${width}.png`), fullPage: true, animations: "disabled" });
			await tab.page.emulateMedia({ forcedColors: "none" });
		}
	}
	process.stdout.write(`# ${language} ${address.replace(/code=.*/, "code=...")}\n`);
}

await run(async () => {
	fs.mkdirSync(folder, { recursive: true });
	const server = await Server.start();
	const browser = await openBrowser(server);
	const setup = new URL(server.setupAddress());
	const each = (what) => Promise.all(["ja", "en"].map(what));
	await each(async (language) => {
		const tab = await browser.tab(null, { language });
		for (const address of [setup.pathname + setup.search, "/signin", "/status", "/doc/problems"].filter(wanted)) await take(tab, address, language, false);
		await tab.close();
	});
	const chief = await firstPerson(server);
	await loadSample(server);
	await each(async (language) => {
		const tab = await browser.tab(chief, { language });
		await tab.open("/alerts");
		await tab.speak(language);
		for (const address of (await addresses(await pagesOf(tab), chief)).filter(wanted)) await take(tab, address, language, true);
		await tab.close();
	});
}, { plan: false });
