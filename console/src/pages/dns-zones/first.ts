// What the page asks first.
import { type Ask, type Asked, type Params, orgIn } from "../../kit";

export function questionOf({ place, range }: Asked): Params {
	const r = range("now-24h");
	return { ...orgIn(place), from: r.from || "now-24h", to: r.to || undefined };
}
export default (a: Asked): Ask[] => [["indicators:read", "/dns/zones", questionOf(a)]];
