// What must hold of every page, asked inside the browser.
import fs from "node:fs";
import path from "node:path";
import { ROOT, ok } from "./lib.mjs";

// The first parts of our keys: "alerts" of "alerts.title".
const src = path.join(ROOT, "console/src");
const pages = fs.readdirSync(path.join(src, "pages"));
const common = Object.keys(JSON.parse(fs.readFileSync(path.join(src, "base/ja.json"), "utf8")));
export const KEY_GROUPS = [...new Set([...pages, ...common.filter((k) => k.includes(".")).map((k) => k.split(".")[0])])];

/** Faults of the page as lines; none: []. */
export function faultsOf(tab, language) {
	return tab.page.evaluate(
		([groups, lang]) => {
			const faults = [];
			const root = document.documentElement;
			if (root.scrollWidth > root.clientWidth) {
				const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && getComputedStyle(e).position !== "fixed");
				faults.push(`sideways scroll: ${root.scrollWidth} > ${root.clientWidth}: ${wide.slice(-4).map((e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class")} "${e.textContent.slice(0, 40)}"`).join("; ")}`);
			}
			if (root.lang !== lang) faults.push(`lang is ${root.lang}`);
			// a dialog in a part of the page that is hidden at this width is open for nobody
			for (const dialog of document.querySelectorAll("dialog[open]")) if (!dialog.checkVisibility()) faults.push(`a dialog that is open and not seen: ${dialog.textContent.slice(0, 60)}`);
			const main = document.querySelector("main") ?? document.body;
			if (main.innerText.trim().length < 30) faults.push(`nothing on the page: "${main.innerText.trim()}"`);
			const h1 = document.querySelectorAll("h1");
			if (h1.length !== 1 || h1[0].textContent.trim() === "") faults.push(`${h1.length} headings of the first level`);
			if (document.title.trim() === "") faults.push("no title");
			// every number as a card tells what it is
			for (const card of document.querySelectorAll(".y-figure")) if (card.querySelector(".y-about button[aria-haspopup=dialog]") === null) faults.push(`a number that nobody explains: ${card.innerText.slice(0, 60)}`);
			// who wants less motion gets none: nothing that goes on, nothing that takes its time
			for (const a of document.getAnimations()) {
				const { duration, iterations } = a.effect.getComputedTiming();
				if (a.playState === "running" && (iterations === Infinity || duration > 50)) faults.push(`moves: ${a.animationName ?? a.transitionProperty} of <${a.effect.target?.tagName} ${a.effect.target?.getAttribute("class")}>`);
			}

			const key = new RegExp(`^(?:${groups.join("|")})\\.[a-z0-9-]+(?:\\.[a-z0-9_-]+)*$`);
			const hole = /\{[a-z_]+(?:\|[^}]*)?\}/;
			const broken = /\bundefined\b|\bNaN\b|\[object |Invalid Date/;
			const see = (text, e) => {
				const t = text.trim();
				if (t === "" || e.closest("code,pre,textarea,script,style,.y-mono,[translate=no]") !== null) return;
				if (key.test(t) && !/\.example(\.|$)/.test(t)) faults.push(`untranslated: ${t}`);
				else if (hole.test(t)) faults.push(`a hole that nothing fills: ${t.slice(0, 120)}`);
				else if (broken.test(t)) faults.push(`a value that is none: ${t.slice(0, 120)}`);
			};
			const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
			while (walker.nextNode()) see(walker.currentNode.data, walker.currentNode.parentElement);
			for (const e of document.querySelectorAll("[aria-label],[title],[placeholder],[alt]")) for (const a of ["aria-label", "title", "placeholder", "alt"]) if (e.hasAttribute(a)) see(e.getAttribute(a), e);

			// Words of the page itself are of its language; data may be of another.
			if (lang === "en") {
				for (const e of document.querySelectorAll("h1,h2,th,legend,label,nav.y-nav a,button,[placeholder]")) {
					const t = e.hasAttribute("placeholder") ? e.getAttribute("placeholder") : e.innerText;
					if (/[\u3040-\u30ff\u4e00-\u9fff]/.test(t) && e.closest("[lang=ja],main a,td,.y-scope,.y-combobox,[aria-haspopup=menu],.y-drawer__head h2,[data-content],dl dd") === null) faults.push(`Japanese on the English page: <${e.tagName.toLowerCase()}> ${t.slice(0, 80)}`);
				}
			}
			return faults;
		},
		[KEY_GROUPS, language],
	);
}

/** What can be used: its name, its size, its colour and what lies behind it. */
export function controlsOf(tab) {
	return tab.page.evaluate(() => {
		const clear = (c) => c === "transparent" || /, 0\)$/.test(c);
		const behind = (e) => {
			for (let x = e; x !== null; x = x.parentElement) {
				const { backgroundColor } = getComputedStyle(x);
				if (!clear(backgroundColor)) return backgroundColor;
			}
			return "none";
		};
		return [...document.querySelectorAll("a[href],button,input:not([type=hidden]),select,textarea,summary")]
			.filter((e) => !e.classList.contains("y-hidden") && e.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
			.map((e) => {
				const { width, height } = e.getBoundingClientRect();
				const s = getComputedStyle(e);
				return { name: `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> ${(e.getAttribute("aria-label") ?? e.innerText ?? "").trim().slice(0, 40)}`, width, height, colour: s.color, behind: behind(e), field: e.matches("input,select,textarea"), edge: s.borderTopStyle === "none" || s.borderTopWidth === "0px" ? "none" : s.borderTopColor, own: s.appearance !== "none" };
			});
	});
}
/** What of it is lost in forced colours, as lines: not there, of another size, of the colour of what lies behind it, a field without an edge. */
export function lostOf(before, forced) {
	const faults = before.length === forced.length ? [] : [`${before.length} controls, then ${forced.length}`];
	for (const [i, e] of forced.entries()) {
		const was = before[i];
		if (was !== undefined && was.name === e.name && (Math.abs(was.width - e.width) > 4 || Math.abs(was.height - e.height) > 4)) faults.push(`of another size: ${e.name} ${was.width}x${was.height}, then ${e.width}x${e.height}`);
		if (e.colour === e.behind) faults.push(`of the colour behind it: ${e.name} ${e.colour}`);
		if (e.field && !e.own && (e.edge === "none" || e.edge === e.behind)) faults.push(`a field without an edge: ${e.name}`);
	}
	return faults;
}

/** A test point: what is open is whole, narrow and dark, and wide and light.
 * $YAGURA_SHOTS: a folder for pictures of it. */
export async function whole(tab, language, what) {
	const faults = [];
	for (const [width, theme] of [[360, "dark"], [1440, "light"]]) {
		await tab.size(width);
		await tab.theme(theme);
		faults.push(...(await faultsOf(tab, language)), ...(await tab.axe()));
		if (process.env.YAGURA_SHOTS) await tab.page.screenshot({ path: path.join(process.env.YAGURA_SHOTS, `${what.replace(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${language}-${width}.png`) });
	}
	ok(faults.length === 0, what, faults);
}

/** The pages that are built into the program under test. */
export async function pagesOf(tab) {
	return Object.keys(await tab.page.evaluate(() => JSON.parse(document.querySelector('meta[name="yagura"]').content).pages));
}

/** Every address to look at: each page, and what opens on it. `api`: somebody who may see all. */
export async function addresses(built, api) {
	const first = async (where, pick) => {
		const answer = await api.call("GET", `/api/v1${where}`);
		if (answer.status !== 200) throw new Error(`${where}: ${answer.status} ${answer.body ?? ""}`); // all of them are in doc/openapi.yaml
		return pick(answer.json().items[0]);
	};
	const out = [];
	const add = (page, ...more) => {
		if (built.includes(page)) out.push(page === "overview" ? "/" : `/${page}`, ...more.filter((x) => x !== undefined));
	};
	const alert = await first("/alerts?limit=1", (a) => a);
	const org = alert?.org ?? (await first("/organisations?limit=1", (o) => o?.name));
	const id = (of) => (x) => x && `${of}/${x.id}`;
	const asset = alert && `/o/${org}/a/${encodeURIComponent(alert.asset)}`;
	add("overview", org && `/o/${org}`, asset);
	add("alerts", alert && `/alerts/${alert.id}`, asset && `${asset}/alerts?state=all`, org && `/o/${org}/alerts?state=new`, "/alerts?q=nothing-is-called-so");
	add("search", asset && `${asset}/search?from=now-90d`, "/search?from=now-90d&q=query:*.example", "/search?from=now-90d&q=(");
	add("sources");
	add("systems", await first("/systems?limit=1", id("/systems")));
	add("indicators");
	const rule = await first("/detection-rules?limit=1", id("/detection-rule"));
	add("detection-rules");
	add("detection-rule", rule, rule && `${rule}?tab=hits`, rule && `${rule}?tab=history`);
	add("detection-exceptions", await first("/detection-exceptions?limit=1", id("/detection-exceptions")));
	add("detection-findings", "/detection-findings?tab=settings");
	add("retro-hunts", await first("/retro-hunts?limit=1", id("/retro-hunts")));
	add("import");
	add("organisations", org && `/organisations/${org}`);
	add("people", await first("/people?limit=1", id("/people")));
	add("approvals");
	add("audit-log");
	add("jobs", await first("/jobs?limit=1", id("/jobs")));
	add("health");
	add("account");
	for (const page of built) if (!out.includes(`/${page}`) && page !== "overview") out.push(`/${page}`);
	return out;
}

/** Addresses of the other tabs of the page that is open. */
export async function tabsOf(tab) {
	const others = tab.page.locator("main .y-tabs [role=tab]");
	const here = await tab.page.evaluate(() => location.pathname + location.search);
	const out = [];
	for (let i = 0; i < (await others.count()); i++) {
		await others.nth(i).click();
		out.push(await tab.page.evaluate(() => location.pathname + location.search));
	}
	await tab.go(here);
	return out.filter((x) => x !== here);
}
