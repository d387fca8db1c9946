// Every page in Japanese and English, light and dark, at 360 and 1440 pixels: it is
// there, whole, translated, accessible, and nothing is blocked or fails behind it.
// Arguments: yagura.
import { Server, firstPerson, loadSample, note, ok, openBrowser, run, seconds } from "./lib.mjs";
import { addresses, faultsOf, notYet, pagesOf, tabsOf } from "./inspect.mjs";

const CONTRAST = ["color-contrast"]; // all that a theme changes

/** One address in both themes and at both widths. */
async function look(tab, address, language, inside) {
	const faults = [];
	const told = async (what, lines) => faults.push(...(await lines).map((l) => `${what}: ${l}`));
	const start = Date.now();
	const before = tab.expected;
	// what is refused on purpose
	if (address.endsWith("q=(")) tab.expected = (line) => before?.(line) || line.includes("status of 400");
	await (inside ? tab.go(address) : tab.open(address));
	for (const width of tab.width === 1440 ? [1440, 360] : [360, 1440]) {
		await tab.size(width);
		await tab.settled();
		await told(`light ${width}`, faultsOf(tab, language));
		await told(`light ${width} axe`, tab.axe());
		await tab.theme("dark");
		await told(`dark ${width} axe`, tab.axe(CONTRAST));
		await tab.theme("light");
	}
	faults.push(...tab.troubles());
	tab.expected = before;
	ok(faults.length === 0, `${language} ${address.replace(/code=.*/, "code=...")} (${Date.now() - start} ms)`, faults);
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

async function consolePages(browser, person, language) {
	const tab = await browser.tab(person, { language });
	tab.expected = await notYet(person.server);
	await tab.open("/alerts");
	await tab.speak(language);
	const list = await addresses(await pagesOf(tab), person);
	for (const address of list) {
		await look(tab, address, language, true);
		if (!address.includes("?") && address.lastIndexOf("/") === 0)
			for (const more of (await tabsOf(tab)).slice(0, 6)) if (!list.includes(more)) await look(tab, more, language, true);
	}
	await look(tab, "/no-such-page", language, true);
	await tab.close();
	note(`${language}: all after ${seconds().toFixed(1)} s`);
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
	// side by side: a browser has a process for each
	await Promise.all(["ja", "en"].map((language) => consolePages(browser, chief, language)));
});
