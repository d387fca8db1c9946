// What the page asks first.
import { type Ask, type Asked, type Params, scopeOf } from "../../kit";

export function questionOf({ place, range }: Asked): Params {
	const r = range("now-24h");
	return { ...scopeOf(place), from: r.from || "now-24h", to: r.to || undefined, buckets: 60 };
}
export default (a: Asked): Ask[] => [["events:read", "/dns/overview", questionOf(a)]];
