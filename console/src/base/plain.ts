// What the start needs before there is a page: no signals, no components.  For early.ts it stands
// in the place of kit.ts, and so for the first.ts of the pages.
export { quoted } from "./query";

export interface Scope {
	org: string;
	system: string;
	asset: string;
}
export interface Place extends Scope {
	page: string;
	rest: string[];
}
export function parsePath(path: string): Place {
	const parts = path.split("/").filter((x) => x !== "").map((x) => {
		try {
			return decodeURIComponent(x);
		} catch {
			return x;
		}
	});
	const place: Place = { org: "", system: "", asset: "", page: "overview", rest: [] };
	for (const [letter, name] of [["o", "org"], ["s", "system"], ["a", "asset"]] as const) {
		if (parts[0] !== letter || parts.length < 2) {
			if (letter === "s") continue;
			break;
		}
		place[name] = parts[1] as string;
		parts.splice(0, 2);
	}
	if (parts.length > 0) [place.page, place.rest] = [parts[0] as string, parts.slice(1)];
	return place;
}

/** The scope as the API wants it: {org, system}. */
export const scopeOf = (s: Scope): { org?: string; system?: string } => ({ ...orgIn(s), ...(s.system !== "" && { system: s.system }) });
/** The same with the asset, for what knows alerts. */
export const assetIn = (s: Scope): { org?: string; system?: string; asset?: string } => ({ ...scopeOf(s), ...(s.asset !== "" && { asset: s.asset }) });
/** The organisation alone, for lists that know no information systems. */
export const orgIn = (s: Scope): { org?: string } => (s.org === "" ? {} : { org: s.org });

/** What an address asks for: of the page's own first questions, before it is there (early.ts) and when it is (asked()). */
export interface Asked {
	place: Place;
	/** One value of the query. */
	param: (name: string, fallback?: string) => string;
	/** The time range; `fallback` is how far back when the address says nothing. */
	range: (fallback?: string) => { from: string; to: string };
	login: string;
}
/** A question, for who has the permission. */
export type Ask = [permission: string, path: string, params: Params];
/** All organisations, for their titles. */
export const ORGS: Ask = ["org:read", "/organisations", { limit: 200 }];

export type Lang = "ja" | "en";
/** By the choice that this browser keeps, else by what it prefers. */
export const languageOf = (chosen: Lang | ""): Lang => (chosen !== "" ? chosen : /^ja\b/i.test(navigator.language) ? "ja" : "en");

export interface Manifest {
	dict: Record<Lang, string>;
	pages: Record<string, { js: string } & Record<Lang, string>>;
	lazy: Record<string, string>;
	/** The licences of what is bundled: a file below /assets. */
	notices: string;
	/** Which pages have help, and the file of it. */
	help?: { pages: string[] } & Record<Lang, string>;
}
export const manifestOf = () => JSON.parse(document.querySelector<HTMLMetaElement>('meta[name="yagura"]')?.content ?? "{}") as Manifest;

export type Params = Record<string, string | number | boolean | null | undefined>;
/** "?from=now-7d", or nothing. */
export function queryOf(params: Params | undefined): string {
	const q = new URLSearchParams();
	for (const [name, value] of Object.entries(params ?? {})) if (value !== undefined && value !== null && value !== "") q.set(name, String(value));
	const text = q.toString();
	return text === "" ? "" : `?${text}`;
}
export const headersOf = (lang: Lang): Record<string, string> => ({ Accept: "application/json, */*;q=0.5", "Accept-Language": lang });

declare global {
	/** What early.ts has asked for, by address: each answer is taken once. */
	var yaguraEarly: Map<string, Promise<Response>> | undefined;
	/** Over when it has asked for all that it will. */
	var yaguraAsking: Promise<void> | undefined;
}
const FRESH_MS = 10_000;
/** The answer that early.ts has asked for, while it is fresh; asked again it is asked anew. */
export function early(address: string): Promise<Response> | undefined {
	const found = globalThis.yaguraEarly?.get(address);
	globalThis.yaguraEarly?.delete(address);
	return performance.now() < FRESH_MS ? found : undefined;
}
const ready = new Map<string, unknown>();
/** Waits a moment for those answers, so that the page is drawn once, with them. */
export async function earlyAnswers(most_ms: number): Promise<void> {
	await globalThis.yaguraAsking?.catch(() => undefined);
	const all = [...(globalThis.yaguraEarly ?? [])].map(async ([address, answer]) => {
		const r = await answer;
		if (!r.ok) return;
		const data: unknown = await r.clone().json();
		if (globalThis.yaguraEarly?.delete(address) === true) ready.set(address, data);
	});
	await Promise.race([Promise.allSettled(all), new Promise((done) => setTimeout(done, most_ms))]);
}
/** One of them, once. */
export function earlyData<T>(address: string): T | undefined {
	const found = ready.get(address) as T | undefined;
	ready.delete(address);
	return performance.now() < FRESH_MS ? found : undefined;
}
