// The filter that the address says, and what the page asks first.
import { type Ask, type Asked, ORGS, scopeOf } from "../../kit";
import type { Filter } from "./model";

export const sortOf = ({ param }: Asked) => param("sort", "last_seen");
export function filterOf({ place, param, range, login }: Asked): Filter {
	const r = range("");
	const [state, assignee] = [param("state", "active"), param("assignee")];
	return {
		...scopeOf(place),
		state: state === "all" ? undefined : state,
		severity: param("severity") || undefined,
		severity_max: param("severity_max") || undefined,
		assignee: (assignee === "me" ? login : assignee) || undefined,
		indicator: param("indicator") || undefined,
		asset: param("asset") || place.asset || undefined,
		category: param("category") || undefined,
		list: param("list") || undefined,
		hunt: param("hunt") || undefined,
		q: param("q") || undefined,
		watched: param("watched") || undefined,
		overdue: param("overdue") || undefined,
		from: r.from || undefined,
		to: r.to || undefined,
	};
}
/** Grouped: not while one of them is open. */
export const groupedBy = ({ place, param }: Asked) => (place.rest.length === 0 ? param("by") : "");

export default function first(a: Asked): Ask[] {
	const filter = filterOf(a);
	const [by, id] = [groupedBy(a), a.place.rest[0]];
	if (by !== "") return [["alerts:read", "/alert-groups", { limit: 50, ...filter, by }], ORGS];
	const one = `/alerts/${encodeURIComponent(id ?? "")}`;
	const open: Ask[] = id === undefined ? [] : [["alerts:read", one, {}], ...["events", "history", "comments"].map((part): Ask => ["alerts:read", `${one}/${part}`, { limit: 200 }])];
	return [["alerts:read", "/alerts", { limit: 50, ...filter, sort: sortOf(a) }], ...open, ORGS];
}
