// The console by keyboard alone: Tab reaches everything that can be used and shows where
// it is, `?` lists the shortcuts, Ctrl K goes anywhere, lists and drawers have j k Enter
// Escape.  Arguments: yagura.
import { Server, chooseOwnJson, firstPerson, invited, loadSample, note, ok, openBrowser, run, seconds, until, wordsOf, worked } from "./lib.mjs";
import { addresses, pagesOf } from "./inspect.mjs";

const TABS_MAX = 700;
const ROUNDS_MAX = 3; // while live news moves the page
const LANES = 3;
// Pages without a list, or with fewer than three rows in the sample.
const NO_ROWS = ["/", "/account", "/approvals", "/attack-matrix", "/detection-rule", "/dns", "/dns-check", "/dns-log", "/dns-requests", "/dns-zones", "/import", "/indicators", "/wall", "/work"];

/** Watches where the focus goes, and whether one can see it. */
async function watchFocus(page) {
	await page.evaluate(() => {
		const usable = "a[href],button:not(:disabled),input:not(:disabled):not([type=hidden]),select:not(:disabled),textarea:not(:disabled),summary,[contenteditable=true],[tabindex='0']";
		const open = () => document.querySelector("dialog[open]") ?? document; // what lies behind a dialog cannot be used
		const seen = new Set();
		const faults = [];
		const name = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> ${(e.getAttribute("aria-label") ?? e.innerText ?? e.name ?? "").trim().slice(0, 50)}`;
		const ringed = (e) => {
			const s = getComputedStyle(e);
			return (s.outlineStyle !== "none" && Number.parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== "none";
		};
		const check = (e) => {
			if (seen.has(e) || e === document.body) return;
			seen.add(e);
			if (![e, e.parentElement, e.nextElementSibling].some((x) => x !== null && ringed(x))) faults.push(`no sign of the focus: ${name(e)}`);
			const r = e.getBoundingClientRect();
			if (r.width * r.height === 0) return;
			const inside = [0.5, 0.1, 0.9].flatMap((x) => [0.5, 0.15, 0.85].map((y) => [r.left + r.width * x, r.top + r.height * y])).filter(([x, y]) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight);
			const free = inside.some(([x, y]) => {
				const top = document.elementFromPoint(x, y);
				return top !== null && (e.contains(top) || top.contains(e));
			});
			if (!free) faults.push(`the focus is covered or out of sight: ${name(e)}`);
		};
		const listener = (event) => check(event.target);
		const begun = [...open().querySelectorAll(usable)];
		document.addEventListener("focusin", listener);
		window.focusWatch = {
			count: () => [...open().querySelectorAll(usable)].filter((e) => e.checkVisibility({ visibilityProperty: true })).length,
			round: () => seen.has(document.body) || document.activeElement === document.body,
			// a row that live news moved past the focus meanwhile is no fault of the page
			stood: () => [...open().querySelectorAll(usable)].every((e, i) => e === begun[i]),
			end: () => {
				document.removeEventListener("focusin", listener);
				const radios = (e) => e.type === "radio" && [...document.querySelectorAll(`input[type=radio][name="${e.name}"]`)].some((x) => seen.has(x));
				for (const e of open().querySelectorAll(usable)) {
					if (seen.has(e) || !e.checkVisibility({ visibilityProperty: true }) || e.tabIndex < 0 || radios(e) || e.closest("[inert]") !== null) continue;
					faults.push(`Tab does not reach: ${name(e)}`);
				}
				// what takes a click takes a key: nothing of these roles is left without one
				for (const e of document.querySelectorAll("[role=button],[role=tab],[role=menuitem],[role=option],[role=switch],[role=link]")) {
					const group = e.closest("[role=tablist],[role=menu],[role=listbox],[role=radiogroup]");
					const way = e.tabIndex >= 0 || (group !== null && (group.querySelector("[tabindex='0']") !== null || [...document.querySelectorAll("[aria-controls]")].some((c) => c.getAttribute("aria-controls") === group.id)));
					if (e.checkVisibility({ visibilityProperty: true }) && !way) faults.push(`no key leads to: ${name(e)}`);
				}
				return [...new Set(faults)];
			},
		};
		document.activeElement?.blur();
		scrollTo(0, 0);
	});
}

async function tabThrough(tab, address, { ready = () => tab.go(address), name = address, key = "Tab" } = {}) {
	let faults = [];
	for (let round = 1, stood = false; round <= ROUNDS_MAX && !stood; round++) {
		await ready();
		({ faults, stood } = await once(tab, key));
		if (faults.length === 0) break;
	}
	ok(faults.length === 0, `${name}: ${key} reaches everything, and shows where it is`, faults);
}

// One round; `stood`: what can be used was the same, in the same order, all the while.
async function once(tab, key) {
	const { page } = tab;
	await page.mouse.move(0, 0);
	await page.locator("#main").focus(); // so that the round begins in the page, whatever was used before
	await watchFocus(page);
	await page.evaluate(() => {
		document.body.tabIndex = -1;
		document.body.focus();
		document.body.removeAttribute("tabindex");
	});
	const n = Math.min(TABS_MAX, (await page.evaluate(() => window.focusWatch.count())) + 12);
	for (let i = 0; i < n; i++) await page.keyboard.press(key);
	await tab.settled();
	return page.evaluate(() => ({ stood: window.focusWatch.stood(), faults: window.focusWatch.end() }));
}

/** Choices that come when one has gone on already stay away: they would lie over what has the focus now. */
async function lateChoices(browser, person) {
	const tab = await browser.tab(person);
	const { page } = tab;
	const held = [];
	await tab.context.route("**/api/v1/organisations?*", (r) => held.push(r));
	await page.goto("/detection-rule");
	const box = page.locator("main [role=combobox]").first();
	await box.press("ArrowDown");
	await until("the choices are asked for", () => held.length > 0);
	await page.keyboard.press("Tab");
	for (const r of held) await r.continue();
	await tab.settled();
	const open = await page.locator("[role=listbox]:visible").count();
	await box.press("ArrowDown");
	await page.locator("[role=option]:visible").first().waitFor();
	ok(open === 0, "choices that come late do not open over what has the focus, and are there when one comes back", open);
	await tab.close();
}

const dialogOpen = (page) => page.evaluate(() => document.querySelector("dialog[open]") !== null);

async function overlay(tab, address) {
	const { page } = tab;
	await page.evaluate(() => document.activeElement?.blur());
	await page.keyboard.press("?");
	await page.waitForSelector("dialog[open] dl kbd");
	const listed = await page.locator("dialog[open] dt").count();
	await page.keyboard.press("Escape");
	await page.waitForFunction(() => document.querySelector("dialog[open]") === null);
	ok(listed >= 4, `${address}: ? lists ${listed} shortcuts, Escape closes them`);
}

/** To a page by the palette, as somebody types it. */
async function byPalette(tab, name, want) {
	const { page } = tab;
	await page.keyboard.press("Control+k");
	await page.waitForSelector("dialog[open] input[role=combobox]");
	await page.keyboard.type(name);
	await page.waitForFunction((n) => document.querySelector("#palette-list [role=option]")?.textContent.includes(n), name);
	await page.keyboard.press("Enter");
	await page.waitForFunction((to) => location.pathname === to && document.querySelector("dialog[open]") === null, want);
	await tab.settled();
	return true;
}

async function rows(tab, address) {
	const { page } = tab;
	await tab.go(address);
	const state = () => page.evaluate(() => {
		const rows = [...document.querySelectorAll(".y-tablebar ~ table tbody tr")];
		return { rows: rows.length, opens: rows[0]?.classList.contains("is-link"), to: rows[0]?.querySelector("td.is-main a")?.getAttribute("href"), path: location.pathname, drawer: document.querySelector(".y-drawer") !== null };
	});
	const before = await state();
	if (before.rows < 3) return ok(NO_ROWS.includes(address), `${address}: ${before.rows} rows, as the sample has them`, before);
	await page.evaluate(() => document.activeElement?.blur());
	const walked = [];
	for (const [key, want] of [["j", 0], ["j", 1], ["k", 0]]) {
		await page.keyboard.press(key);
		walked.push(
			await page.waitForFunction((i) => {
				const row = document.querySelectorAll(".y-tablebar ~ table tbody tr")[i];
				return row?.classList.contains("is-cursor") && (row.contains(document.activeElement) || row.querySelector("a,input") === null);
			}, want, { timeout: 10_000 }).then(() => true, () => false),
		);
	}
	ok(walked.every(Boolean), `${address}: j and k walk the rows`, walked);
	if (!before.opens) return note(`${address}: rows do not open`);
	await page.keyboard.press("o");
	await page.waitForFunction((from) => location.pathname !== from, before.path);
	await tab.settled();
	const there = await state();
	ok(there.path === new URL(before.to, "https://x").pathname, `${address}: a row opens by key`, [before, there]);
	if (!there.drawer) return undefined;
	const found = await tab.axe();
	ok(found.length === 0, `${there.path.replace(/[0-9A-Z]{20,}/, "...")}: the drawer is clean for axe`, found);
	await page.keyboard.press("j");
	await page.waitForFunction((was) => location.pathname !== was, there.path);
	await tab.settled();
	ok((await state()).drawer, `${address}: j shows the next one in the drawer`);
	const shown = (await state()).path;
	await page.keyboard.press("Escape");
	const closed = await page.waitForFunction((to) => location.pathname === to, before.path, { timeout: 10_000 }).then(() => true, () => false);
	if (!closed) note(await page.evaluate(() => `${location.href} focus: ${document.activeElement?.outerHTML.slice(0, 200)} open: ${document.querySelector("dialog[open],.y-menu__list")?.outerHTML.slice(0, 300)}`));
	const back = await page.evaluate(() => document.activeElement?.closest("tbody tr") !== null && document.activeElement.getAttribute("href"));
	ok(closed && !(await state()).drawer && back !== null && new URL(back, "https://x").pathname === shown, `${address}: Escape closes it, and the row that was shown has the focus`, [back, shown]);
	return undefined;
}

/** Tab, until what has the focus is called so. */
async function tabTo(page, name) {
	await page.locator("#main").focus();
	for (let i = 0; i < TABS_MAX; i++) {
		await page.keyboard.press("Tab");
		if (await page.evaluate((n) => document.activeElement?.getAttribute("aria-label") === n, name)) return;
	}
	throw new Error(`Tab does not lead to ${name}`);
}
/** Filters that are chosen and typed, never clicked. */
async function filters(tab, person, w) {
	const { page } = tab;
	const shown = () => page.locator(".y-tablebar ~ table tbody tr").count();
	await tab.go("/jobs");
	await tabTo(page, w("jobs.state"));
	await page.keyboard.press("End"); // the last of the states
	await page.waitForFunction(() => new URL(location.href).searchParams.has("state"));
	await tab.settled();
	const state = new URL(page.url()).searchParams.get("state");
	const { items } = await person.get(`/api/v1/jobs?state=${state}&limit=200`);
	ok((await shown()) === items.length, `/jobs: a state is chosen by key (${state})`, [await shown(), items.length]);
	await tab.go("/indicators?tab=entries");
	const { value } = (await person.get("/api/v1/indicators?limit=1")).items[0];
	await tabTo(page, w("indicators.find"));
	await page.keyboard.type(value.slice(1));
	await page.keyboard.press("Enter");
	await page.waitForFunction((q) => new URL(location.href).searchParams.get("q") === q, value.slice(1));
	await tab.settled();
	const found = await page.locator(".y-tablebar ~ table tbody tr").allInnerTexts();
	ok(found.length > 0 && found.every((t) => t.includes(value.slice(1))), "/indicators: found by a part of the value, typed", found);
	await tabTo(page, w("indicators.validity"));
	await page.keyboard.press("End");
	await page.waitForFunction(() => new URL(location.href).searchParams.get("validity") === "expired");
	await tab.settled();
	ok((await shown()) < found.length, "/indicators: what is in force is not among the expired", await shown());
}

/** The "i" of a number: opens by key, says what and how, closes by Escape, the focus is where it was. */
async function explained(tab, address) {
	const { page } = tab;
	await tab.go(address);
	const about = page.locator("main .y-about > * > button");
	const n = await about.count();
	const bad = [];
	for (let i = 0; i < n; i++) {
		await about.nth(i).focus();
		await page.keyboard.press("Enter");
		const open = page.locator(".y-about [role=dialog]");
		await open.waitFor();
		await tab.settled();
		const said = await open.locator("p").allInnerTexts();
		if (said.length < 3 || said[0].length < 10 || said[1].length < 10) bad.push(`says too little: ${said}`);
		if (!(await page.evaluate(() => document.activeElement.closest("[role=dialog]") !== null))) bad.push(`the focus is not in it: ${said[0]}`);
		if (i === 0 || i === n - 1) bad.push(...(await tab.axe()).filter((l) => !l.startsWith("target-size"))); // what it lies on is not what one hits
		await page.keyboard.press("Escape");
		await open.waitFor({ state: "detached" });
		if (!(await about.nth(i).evaluate((e) => e === document.activeElement))) bad.push(`the focus does not come back: ${said[0]}`);
	}
	ok(n > 0 && bad.length === 0, `${address}: ${n} numbers are explained`, bad);
}
/** The page is drawn anew while the "i" of a number is open, or while a row has the focus: nobody is thrown out of the page. */
async function drawnAnew(browser, chief) {
	const tab = await browser.tab(chief, { language: "ja" });
	const { page } = tab;
	const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.tagName);
	let visits = 0;
	page.on("response", (r) => {
		if (r.url().endsWith("/me/visit")) visits++;
	});
	let change = (x) => x; // what the server answers next
	let answers = 0;
	await tab.context.route(/\/api\/v1\/overview\?(?!.*now-1h)/, async (r) => {
		const { pathname, search } = new URL(r.request().url());
		await r.fulfill({ json: change(await chief.get(pathname + search)) });
		answers++;
	});
	const again = async () => {
		const before = answers;
		const [alert] = (await chief.get("/api/v1/alerts?limit=1&state=open")).items;
		await chief.must("PATCH", `/api/v1/alerts/${alert.id}`, { severity_id: alert.severity_id === 5 ? 4 : 5 }, { "If-Match": alert.etag });
		await until("the overview is read again", () => answers > before);
		await tab.settled();
	};
	await tab.open("/overview");
	await until("what was read is known as read", () => visits > 0);
	const numbers = page.locator("main .y-about > * > button");
	const names = () => numbers.evaluateAll((all) => all.map((e) => e.getAttribute("aria-label")));
	const before = await names();
	const name = before.at(-3);
	const explain = async () => {
		await page.locator(`main [aria-label="${name}"]`).focus();
		await page.keyboard.press("Enter");
		await page.locator(".y-about [role=dialog]").waitFor();
	};
	await explain();
	await again();
	const open = await page.locator(".y-about [role=dialog]").count();
	await page.keyboard.press("Escape");
	ok(open === 1 && (await focused()) === name, "an explanation stays open while the page is drawn anew, and the focus comes back", [open, await focused(), name]);
	ok((await names()).join() === before.join(), "nothing is put before what is being read", [before, await names()]);

	await explain();
	change = (x) => ({ ...x, organisations: [], silent_total: 0, silent: [] });
	await again();
	const gone = await focused();
	change = (x) => x;
	await again();
	ok(!["BODY", name].includes(gone) && (await focused()) === name, "what was explained goes and comes anew: so does the focus", [gone, await focused()]);

	await tab.go("/alerts");
	const rowOf = () => page.evaluate(() => [...document.querySelectorAll("tbody tr")].findIndex((r) => r.contains(document.activeElement)));
	const last = (await page.locator("tbody tr").count()) - 1;
	await page.locator("tbody tr").nth(2).locator("td.is-main a").focus();
	await page.evaluate(() => document.querySelector("tbody").append(document.activeElement.closest("tr")));
	const moved = await rowOf();
	await page.locator("tbody tr").nth(2).locator("td.is-main a").focus();
	await page.evaluate(() => document.activeElement.closest("tr").remove());
	ok(moved === last && (await rowOf()) === 2, "a row that moves keeps the focus, one that goes leaves it to the next", [moved, last, await rowOf()]);

	await tab.go("/audit-log");
	const more = page.locator(".y-tablefoot > button");
	const held = [];
	await tab.context.route("**/api/v1/audit-log?*cursor=*", (r) => held.push(r));
	await more.focus();
	await page.keyboard.press("Enter");
	await until("more is asked for", () => held.length > 0);
	await page.keyboard.press("Enter"); // once is enough
	const busy = await more.evaluate((e) => e === document.activeElement && e.ariaBusy === "true");
	for (const r of held) await r.continue();
	await tab.settled();
	ok(busy && held.length === 1 && (await focused()) !== "BODY", "a button that is busy keeps the focus, and does it once", [busy, held.length, await focused()]);
	const told = tab.troubles();
	ok(told.length === 0, "nothing in the browser's console meanwhile", told);
	await tab.close();
}
/** All of it, side by side: each lane has a tab of its own, and goes on while the others wait. */
async function inLanes(work, open) {
	const rest = [...work];
	const lane = async () => {
		const tab = await open();
		for (let one = rest.shift(); one !== undefined; one = rest.shift()) await one(tab);
		const told = tab.troubles();
		ok(told.length === 0, "nothing in the browser's console all the while", told);
		await tab.close();
	};
	await Promise.all(Array.from({ length: LANES }, lane));
}
/** Other people, the other language, the other width: what they see is reached by Tab, and what they open closes by Escape. */
const OTHERS = [
	{ role: "centre_analyst", language: "en", width: 360, daily: ["/alerts?severity=4", "/search?from=now-1h", "/work", "/sources?state=late", "/health"] },
	{ role: "organisation_csirt", language: "ja", width: 360, theme: "dark", daily: ["/", "/work", "/alerts?severity=4", "/people", "/import", "/account"] },
	{ role: "auditor", language: "en", width: 1440, daily: ["/overview", "/audit-log?action=session", "/alerts?state=closed", "/systems", "/organisations"] },
];
async function otherPeople(browser, chief) {
	const org = (await chief.get("/api/v1/alerts?limit=1")).items[0].org;
	const day = 86_400_000;
	const when = (ms) => new Date(Date.now() + ms).toISOString();
	const work = [];
	for (const { role, daily, ...look } of OTHERS) { // invited one after the other: each changes the rights
		const period = role === "auditor" ? { period_from: when(-7 * day), period_to: when(day) } : {};
		const person = await invited(chief, { login: role.replaceAll("_", "-"), language: look.language, role, node: role === "organisation_csirt" ? org : "", ...period });
		work.push(async () => {
			const tab = await browser.tab(person, look);
			const as = `${role} ${look.language} ${look.width}`;
			await tab.open("/overview");
			for (const address of daily) await tabThrough(tab, address, { name: `${as} ${address}` });
			if (look.width === 360) {
				await narrowPages(tab, as);
				await tabThrough(tab, daily[0], { name: `${as} ${daily[0]}`, key: "Shift+Tab" });
			}
			const told = tab.troubles();
			ok(told.length === 0, `${as}: nothing in the browser's console`, told);
			await tab.close();
		});
	}
	return work;
}
/** The pages behind their button. */
async function narrowPages(tab, as) {
	const { page } = tab;
	await tab.go("/account");
	await page.locator("header .y-narrow").focus();
	await page.keyboard.press("Enter");
	await page.locator(".y-nav a").first().waitFor({ state: "visible" });
	await page.keyboard.press("Tab");
	const order = await page.evaluate(() => document.querySelector("header .y-narrow").getAttribute("aria-expanded"));
	const inNav = () => page.evaluate(() => document.activeElement.closest(".y-nav") !== null);
	for (let i = 0; i < 12 && !(await inNav()); i++) await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => location.pathname !== "/account");
	ok(order === "true", `${as}: the pages are behind a button that opens by key, and lead there`);
	await tab.settled();
	await page.locator("header .y-narrow").focus();
	await page.keyboard.press("Enter");
	for (let i = 0; i < 60 && !(await inNav()); i++) await page.keyboard.press("Tab");
	for (let i = 0; i < 60 && (await inNav()); i++) await page.keyboard.press("Tab");
	const away = await page.evaluate(() => document.activeElement.closest("main") !== null && !document.querySelector(".y-nav").checkVisibility());
	ok(away, `${as}: they close behind who goes on into the page`);
}

await run(async () => {
	const server = await Server.start();
	const browser = await openBrowser(server);
	const chief = await firstPerson(server);
	await loadSample(server);
	const tab = await browser.tab(chief, { language: "ja" });
	await tab.open("/alerts");
	const { page } = tab;

	await page.keyboard.press("Tab");
	ok(await page.evaluate(() => document.activeElement?.className.includes("y-skip")), "the first Tab offers to skip to the content");
	await page.keyboard.press("Enter");
	ok(await page.evaluate(() => document.getElementById("main").contains(document.activeElement)), "and does");

	const built = await pagesOf(tab);
	const nav = await page.evaluate(() => [...document.querySelectorAll(".y-nav a")].map((a) => [a.textContent.trim(), a.getAttribute("href")]));
	for (const [name, href] of nav) ok(await byPalette(tab, name, href), `Ctrl K ${name} Enter leads to ${href}`);

	// the letters that the overlay promises
	await page.keyboard.press("?");
	await page.waitForSelector("dialog[open]");
	const found = await tab.axe();
	ok(found.length === 0, "the overlay is clean for axe", found);
	const letters = await page.evaluate(() => [...document.querySelectorAll("dialog[open] dl > div")].map((d) => [[...d.querySelectorAll("kbd")].map((k) => k.textContent).join(" "), d.querySelector("dd").textContent]).filter(([k]) => /^g \w$/.test(k)));
	await page.keyboard.press("Escape");
	for (const [keys, label] of letters) {
		const href = nav.find(([name]) => name === label)?.[1];
		for (const key of keys.split(" ")) await page.keyboard.press(key);
		const there = await page.waitForFunction((to) => location.pathname === to, href, { timeout: 10_000 }).then(() => true, () => false);
		await tab.settled();
		ok(there, `${keys}: ${label}`);
	}
	await page.keyboard.press("Control+k");
	await page.waitForSelector("dialog[open] input[role=combobox]");
	await page.keyboard.type("a");
	await tab.settled();
	const palette = await tab.axe();
	ok(palette.length === 0, "the palette is clean for axe", palette);
	await page.keyboard.press("Escape");
	await page.waitForFunction(() => document.querySelector("dialog[open]") === null);
	ok(!(await dialogOpen(page)), "Escape closes the palette");

	const told = tab.troubles();
	ok(told.length === 0, "nothing in the browser's console", told);
	await tab.close();
	note(`the keys of everywhere: after ${seconds().toFixed(1)} s`);

	const only = process.argv.slice(3); // addresses, when one is looked into
	const { more } = await worked(chief);
	const list = [...new Set([...(await addresses(built, chief)), ...more])].filter((a) => !a.endsWith("q=(") && (only.length === 0 || only.includes(a))); // that one is refused on purpose
	const work = list.map((address) => async (lane) => {
		await tabThrough(lane, address);
		if (address.lastIndexOf("/") !== 0 || address.includes("?")) return;
		await overlay(lane, address);
		await rows(lane, address);
	});
	if (only.length === 0) {
		const w = wordsOf("ja");
		const others = await otherPeople(browser, chief);
		work.unshift(
			...others, // the longest of all begin
			() => lateChoices(browser, chief),
			() => drawnAnew(browser, chief),
			(lane) => filters(lane, chief, w),
			(lane) => tabThrough(lane, "/import", { name: "/import: a mapping", ready: () => lane.go("/import").then(() => chooseOwnJson(lane, server, w)) }),
			(lane) => rows(lane, "/indicators?tab=entries"),
			...["/alerts", "/overview"].map((address) => (lane) => tabThrough(lane, address, { key: "Shift+Tab" })),
			...["/overview", "/compare", "/alerts", "/sources", "/organisations", "/work", "/health"].map((address) => (lane) => explained(lane, address)),
		);
	}
	await inLanes(work, async () => {
		const lane = await browser.tab(chief, { language: "ja" });
		await lane.open("/alerts");
		return lane;
	});
});
