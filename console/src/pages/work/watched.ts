// A saved filter as the API's query, and how much fits it now.
import { type PageOf, type SavedSearch, api, assetQuery, link, quoted, scope, scopeQuery, session } from "../../kit";

const ALERTS = ["severity", "severity_max", "indicator", "asset", "category", "list", "q", "from", "to", "watched", "overdue"];

export const watchHref = (s: SavedSearch) => link(s.page) + (s.query === "" ? "" : `?${s.query}`);

/** undefined: not to be counted. */
export async function countOf(s: SavedSearch): Promise<number | undefined> {
	const q = new URLSearchParams(s.query);
	try {
		if (s.page === "search") {
			const { asset } = scope.peek();
			const words = [asset === "" ? "" : quoted(asset), q.get("q") ?? ""].filter((x) => x !== "").join(" ");
			return (await api.get<{ total: number }>("/event-histogram", { ...scopeQuery(), q: words, from: q.get("from") ?? "now-24h", to: q.get("to"), buckets: 1 })).total;
		}
		const state = q.get("state") ?? "active";
		const assignee = q.get("assignee") === "me" ? session.peek()?.person?.login : q.get("assignee");
		const rest = Object.fromEntries(ALERTS.filter((name) => q.has(name)).map((name) => [name, q.get(name)]));
		const p = await api.get<PageOf<unknown>>("/alerts", { ...assetQuery(), ...rest, assignee, state: state === "all" ? undefined : state, limit: 1 });
		return p.total ?? undefined;
	} catch {
		return undefined; // a filter that the server no longer takes, or that nobody may count
	}
}
