// Where we are: scope and page are the path, everything else the query.
//   /o/{org}/s/{system}/a/{asset}/{page}/{rest...}?from=now-24h&q=...
// An asset may belong to no system: /o/{org}/a/{asset}.  The page "overview" is the empty
// one; of the whole it is "/", or "/overview" for those whose home "/" is another page.
import { computed, signal } from "@preact/signals";
import { manifest } from "./i18n";
import { assetIn, orgIn, parsePath, type Scope, scopeOf } from "./plain";
import { type Range, fixed, iso, resolve } from "./time";

export type QueryPatch = Record<string, string | number | boolean | null | undefined>;

/** Where "/" leads, by the person's role. */
export const home = signal("/");
const here = signal(location.pathname + location.search);
export const place = computed(() => parsePath(here.value.split("?")[0] as string));
export const query = computed(() => new URLSearchParams(here.value.split("?")[1] ?? ""));
export const scope = computed<Scope>(() => ({ org: place.value.org, system: place.value.system, asset: place.value.asset }));

/** The scope that is shown, as the API wants it. */
export const scopeQuery = () => scopeOf(scope.value);
export const assetQuery = () => assetIn(scope.value);
export const orgQuery = () => orgIn(scope.value);

function patched(from: URLSearchParams, patch: QueryPatch): string {
	const q = new URLSearchParams(from);
	for (const [name, value] of Object.entries(patch)) {
		if (value === null || value === undefined || value === "" || value === false) q.delete(name);
		else q.set(name, value === true ? "1" : String(value));
	}
	const text = q.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
	return text === "" ? "" : `?${text}`;
}

/** An address of the console: the page, what follows it, the query; of the scope now shown unless another is given. */
export function link(page: string, more: { rest?: string[]; query?: QueryPatch; scope?: Partial<Scope> } = {}): string {
	const s = more.scope === undefined ? scope.value : { org: "", system: "", asset: "", ...more.scope };
	let path = "";
	if (s.org !== "") path += `/o/${encodeURIComponent(s.org)}`;
	if (s.org !== "" && s.system !== "") path += `/s/${encodeURIComponent(s.system)}`;
	if (s.org !== "" && s.asset !== "") path += `/a/${encodeURIComponent(s.asset)}`;
	if (page !== "overview" || (path === "" && home.value !== "/")) path += `/${page}`;
	for (const part of more.rest ?? []) path += `/${encodeURIComponent(part)}`;
	return (path === "" ? "/" : path) + patched(new URLSearchParams(), more.query ?? {});
}
/** This page with some of its query changed (null: away). */
export function withQuery(patch: QueryPatch): string {
	return (here.value.split("?")[0] as string) + patched(query.value, patch);
}
/** This page and query with other things behind the page: the drawer's address. */
export function withRest(rest: string[], patch: QueryPatch = {}): string {
	const p = place.value;
	return link(p.page, { rest, scope: p }) + patched(query.value, patch);
}
/** This page in another scope. */
export function withScope(s: Partial<Scope>): string {
	return link(place.value.page, { scope: s }) + patched(query.value, {});
}

export function go(href: string, how: "push" | "replace" = "push"): void {
	if (href === here.peek()) return;
	const page = place.peek().page;
	history[how === "push" ? "pushState" : "replaceState"](null, "", href);
	here.value = location.pathname + location.search;
	if (place.peek().page !== page) scrollTo(0, 0);
}
export function setQuery(patch: QueryPatch, how: "push" | "replace" = "push"): void {
	go(withQuery(patch), how);
}
/** One value of the query; reading it subscribes. */
export function param(name: string, fallback = ""): string {
	return query.value.get(name) ?? fallback;
}
/** Where an auditor's period has ended; "" for everybody else. */
export const frozen = signal("");
/** The page's time range; `fallback` is how far back when the address says nothing: from now, or from the end of an auditor's period. */
export function range(fallback = "now-24h"): Range {
	if (frozen.value !== "" && fallback !== "" && param("from") === "" && param("to") === "") return { from: iso(resolve(fallback, Date.parse(frozen.value))), to: frozen.value };
	return { from: param("from", fallback), to: param("to") };
}
/** The address that shows others the same: the time is absolute. */
export function permanentLink(): string {
	const r = range("");
	const patch = r.from === "" && r.to === "" ? {} : fixed(r);
	return location.origin + withQuery(patch);
}

addEventListener("popstate", () => {
	here.value = location.pathname + location.search;
});
// Plain links work as links; those to our pages do not load the page again.
document.addEventListener("click", (e) => {
	if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
	const a = (e.target as Element | null)?.closest?.("a"); // of HTML or of SVG
	const to = a?.getAttribute("href");
	if (a === null || a === undefined || to === null || to === undefined || a.hasAttribute("target") || a.hasAttribute("download")) return;
	const url = new URL(to, location.href);
	if (url.origin !== location.origin || manifest.pages[parsePath(url.pathname).page] === undefined) return;
	if (url.hash !== "" && url.pathname === location.pathname) return;
	e.preventDefault();
	go(url.pathname + url.search);
});
