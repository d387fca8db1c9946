// What the page asks: of all that is in the scope, and of what lies below it.
import { type Ask, type Asked, ORGS, type Params, type Scope, assetIn, quoted, scopeOf } from "../../kit";

export function numbersOf({ place, range }: Asked): Params {
	const { from, to } = range("now-7d");
	return { ...assetIn(place), from, to: to || undefined };
}
export function eventsOf({ place, range }: Asked): Params {
	const { from, to } = range("now-7d");
	return { ...scopeOf(place), q: place.asset === "" ? undefined : quoted(place.asset), from, to: to || undefined, buckets: 84 };
}
/** No counter knows the events of a system or an asset. */
export const uncounted = (s: Scope) => s.system !== "" || s.asset !== "";
export const worstOf = (s: Scope): Params => ({ ...assetIn(s), state: "active", sort: "severity", limit: 8 });
export const assetsOf = (s: Scope): Params => ({ ...assetIn(s), by: "asset", state: "open", limit: 10 });

export default function first(a: Asked): Ask[] {
	const s = a.place;
	const out: Ask[] = [["alerts:read", "/overview", numbersOf(a)]];
	if (uncounted(s)) out.push(["events:read", "/event-histogram", eventsOf(a)]);
	if (s.asset !== "") out.push(["alerts:read", "/alerts", worstOf(s)]);
	else if (s.org !== "") out.push(["alerts:read", "/alert-groups", assetsOf(s)]);
	return [...out, ORGS];
}
