// What the address looks for besides a time, and what the page asks first.
import { type Ask, type Asked, scopeOf } from "../../kit";

export const wordsOf = ({ place, param }: Asked) => ({ ...scopeOf(place), object: param("object") || undefined, actor: param("actor") || undefined, action: param("action") || undefined });
export default function first(a: Asked): Ask[] {
	const r = a.range("");
	return r.from === "" && r.to === "" ? [["audit:read", "/audit-log", { limit: 50, ...wordsOf(a) }]] : [];
}
