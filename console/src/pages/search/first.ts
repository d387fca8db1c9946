// What the address searches for, and what the page asks first.
import { type Ask, type Asked, quoted, scopeOf } from "../../kit";

export const BUCKETS = 60;
export const FIRST_MS = 300;
/** As the API's query. An asset of the scope is one more condition. */
export function filterOf({ place, param, range }: Asked): { q?: string; from: string; to?: string; org?: string; system?: string } {
	const r = range("now-24h");
	const [q, { asset }] = [param("q"), place];
	const whole = asset === "" ? q : q === "" ? quoted(asset) : `(${q}) ${quoted(asset)}`;
	return { ...scopeOf(place), q: whole || undefined, from: r.from || "now-24h", to: r.to || undefined };
}
/** What comes in now, instead of what there is. */
export const isLive = ({ param }: Asked) => param("live") === "1";

export default function first(a: Asked): Ask[] {
	const filter = filterOf(a);
	const fields: Ask = ["events:read", "/event-fields", {}];
	if (isLive(a)) return [fields];
	return [["events:read", "/events", { limit: 50, ...filter }], ["events:read", "/event-histogram", { ...filter, buckets: BUCKETS, max_ms: FIRST_MS }], fields];
}
