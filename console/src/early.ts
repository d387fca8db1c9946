// Runs before anything else: asks for what the page of this address will need, while the one
// large script is still on its way.  Whoever needs an answer takes it by early() (base/plain.ts);
// a question that is not asked word for word as here costs a request and nothing else.
import { type Params, type Place, headersOf, languageOf, manifestOf, parsePath, queryOf } from "./base/plain";
import { quoted } from "./base/query";

interface Who {
	person: { login: string; home?: string } | null;
	permissions: Record<string, unknown>;
	roles: { role: string; period_to?: string | null }[];
}
type Ask = [permission: string, path: string, params: Params];
interface Asked {
	place: Place;
	param: (name: string, fallback?: string) => string;
	login: string;
	/** {org, system}, {org} */
	scope: Params;
	org: Params;
}
const orgs: Ask = ["org:read", "/organisations", { limit: 200 }];
const of = (id: string | undefined) => `/alerts/${encodeURIComponent(id ?? "")}`;

function alerts({ place, param, scope, login }: Asked): Ask[] {
	const [state, who, sort, by] = [param("state", "active"), param("assignee"), param("sort", "last_seen"), param("by")];
	const filter = { ...scope, state: state === "all" ? "" : state, severity: param("severity"), severity_max: param("severity_max"), assignee: who === "me" ? login : who, indicator: param("indicator"), asset: param("asset") || place.asset, category: param("category"), list: param("list"), q: param("q"), watched: param("watched"), overdue: param("overdue"), from: param("from"), to: param("to") };
	const id = place.rest[0];
	const open: Ask[] = id === undefined ? [] : [["alerts:read", of(id), {}], ["alerts:read", `${of(id)}/events`, { limit: 200 }], ["alerts:read", `${of(id)}/history`, { limit: 200 }], ["alerts:read", `${of(id)}/comments`, { limit: 200 }]];
	if (by !== "" && id === undefined) return [["alerts:read", "/alert-groups", { limit: 50, ...filter, by }], orgs];
	return [["alerts:read", "/alerts", { limit: 50, ...filter, sort }], ...open, orgs];
}
function search({ place, param, scope }: Asked): Ask[] {
	const words = param("q");
	const q = place.asset === "" ? words : words === "" ? quoted(place.asset) : `(${words}) ${quoted(place.asset)}`;
	const filter = { ...scope, q, from: param("from") || "now-24h", to: param("to") };
	return param("live") === "1" ? [] : [["events:read", "/events", { limit: 50, ...filter }], ["events:read", "/event-histogram", { ...filter, buckets: 60, max_ms: 300 }], ["events:read", "/event-fields", {}]];
}
function overview({ place, param, scope }: Asked): Ask[] {
	const [whose, from, to] = [{ ...scope, asset: place.asset }, param("from", "now-7d"), param("to")];
	const first: Ask = ["alerts:read", "/overview", { ...whose, from, to }];
	const worst: Ask = ["alerts:read", "/alerts", { ...whose, state: "active", sort: "severity", limit: 8 }];
	const assets: Ask = ["alerts:read", "/alert-groups", { ...whose, by: "asset", state: "open", limit: 10 }];
	const events: Ask[] = place.system === "" && place.asset === "" ? [] : [["events:read", "/event-histogram", { ...scope, q: place.asset === "" ? "" : quoted(place.asset), from, to, buckets: 84 }]];
	return [first, ...events, ...(place.asset !== "" ? [worst] : place.org !== "" ? [assets] : []), orgs];
}
/** The first questions of the pages whose answers take time; the page asks the same. */
const FIRST: Record<string, (a: Asked) => Ask[]> = {
	alerts,
	overview,
	search,
	compare: ({ param, org }) => [["alerts:read", "/compare", { ...org, period: param("period", "30d") }]],
	dns: ({ param, scope }) => [["dns:read", "/dns/overview", { ...scope, from: param("from") || "now-24h", to: param("to"), buckets: 60 }]],
	"dns-zones": ({ param, org }) => [["dns:read", "/dns/zones", { ...org, from: param("from") || "now-24h", to: param("to") }]],
	"audit-log": ({ param, scope }) => (param("from") + param("to") === "" ? [["audit:read", "/audit-log", { limit: 50, ...scope, object: param("object"), actor: param("actor"), action: param("action") }]] : []),
};

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
		const org: Params = place.org === "" ? {} : { org: place.org };
		const scope: Params = place.system === "" ? org : { ...org, system: place.system };
		const all = first({ place, param: (name, fallback = "") => q.get(name) ?? fallback, login: me.person?.login ?? "", scope, org });
		for (const [permission, path, params] of all) if (me.permissions[permission] !== undefined) void api(path, params);
	}
}
try {
	begin();
} catch {
	// a browser without storage: everything is asked for later
}
