// Runs before anything else: asks for what the page of this address will need, while the one
// large script is still on its way.  Whoever needs an answer takes it by early() (base/plain.ts).
// What a page asks first is in its first.ts, by which the page asks, too.
import { type Ask, type Asked, type Params, headersOf, languageOf, manifestOf, parsePath, queryOf } from "./base/plain";
import alerts from "./pages/alerts/first";
import audit from "./pages/audit-log/first";
import compare from "./pages/compare/first";
import zones from "./pages/dns-zones/first";
import dns from "./pages/dns/first";
import overview from "./pages/overview/first";
import search from "./pages/search/first";

const FIRST: Record<string, (a: Asked) => Ask[]> = { alerts, "audit-log": audit, compare, dns, "dns-zones": zones, overview, search };

interface Who {
	person: { login: string; home?: string } | null;
	permissions: Record<string, unknown>;
	roles: { role: string; period_to?: string | null }[];
}
/** As homeOf() of base/nav.ts: who begins with another page is led there first. */
function beginsHere(me: Who): boolean {
	const has = (...roles: string[]) => me.roles.some((r) => roles.includes(r.role));
	if (me.person === null || (me.person.home ?? "") !== "") return me.person === null;
	return has("administrator") || (has("organisation_csirt", "ciso_office") && !has("centre_analyst"));
}
function begin(): void {
	const manifest = manifestOf();
	const place = parsePath(location.pathname);
	const page = manifest.pages[place.page];
	const kept = localStorage.getItem("yagura.language");
	const lang = languageOf(kept === null ? "" : JSON.parse(kept));
	const asked: NonNullable<typeof globalThis.yaguraEarly> = new Map();
	globalThis.yaguraEarly = asked;
	const ask = (address: string, init?: RequestInit) => {
		// Read whole, whoever takes it: an answer that nobody reads holds its connection.
		const answer = fetch(address, init).then(async (r) => (r.body === null ? r : new Response(await r.arrayBuffer(), { status: r.status, headers: r.headers })));
		answer.catch(() => undefined); // who takes it sees what went wrong
		asked.set(address, answer);
		return answer;
	};
	const api = (path: string, params?: Params) => ask(`/api/v1${path}${queryOf(params)}`, { method: "GET", headers: headersOf(lang), credentials: "same-origin" });
	const who = api("/session");
	globalThis.yaguraAsking = who.then((r) => (r.ok ? (r.clone().json() as Promise<Who>) : undefined)).then(asks, () => undefined);
	for (const file of [manifest.dict[lang], page?.[lang]]) if (file !== undefined) void ask(`/assets/${file}`);
	if (page !== undefined) {
		const link = document.createElement("link");
		link.rel = "modulepreload";
		link.href = `/assets/${page.js}`;
		document.head.append(link);
	}
	function asks(me: Who | undefined): void {
		const first = FIRST[place.page];
		if (first === undefined || me === undefined || me.roles.some((r) => (r.period_to ?? "") !== "")) return; // a period that has ended is asked for otherwise
		if (location.pathname === "/" && !beginsHere(me)) return;
		const q = new URLSearchParams(location.search);
		const param = (name: string, fallback = "") => q.get(name) ?? fallback;
		const range = (fallback = "now-24h") => ({ from: param("from", fallback), to: param("to") });
		for (const [permission, path, params] of first({ place, param, range, login: me.person?.login ?? "" })) if (me.permissions[permission] !== undefined) void api(path, params);
	}
}
try {
	begin();
} catch {
	// a browser without storage: everything is asked for later
}
