// Reading the API from components: one object, or a list page by page.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, type PageOf, type Params, addressOf, api } from "./api";
import { earlyData } from "./plain";
import { live } from "./stream";

const keyOf = (path: string, params: Params | undefined) => `${path}?${JSON.stringify(params ?? {})}`;
const asError = (e: unknown) => (e instanceof ApiError ? e : new ApiError(0, "other", String(e), "", [], "", 0));

/** What could not be reached is asked again when the network, or the live stream, is back. */
export function useBack(away: boolean, reload: () => void): void {
	useEffect(() => {
		if (!away) return undefined;
		let was = live.peek();
		const stop = live.subscribe((now) => {
			if (now === "on" && was !== "on") reload();
			was = now;
		});
		addEventListener("online", reload);
		return () => {
			stop();
			removeEventListener("online", reload);
		};
	}, [away]);
}
/** Was the first answer there before the component? Once. */
function taken(given: { current: boolean }): boolean {
	const was = given.current;
	given.current = false;
	return was;
}
export interface Loaded<T> {
	data: T | undefined;
	error: ApiError | undefined;
	/** The first answer, or one to another question, is not there yet. */
	loading: boolean;
	reload: () => void;
	set: (next: T) => void;
}
/** One object; path "" reads nothing. What is shown stays until the new answer is there. */
export function useData<T>(path: string, params?: Params): Loaded<T> {
	const key = keyOf(path, params);
	const [state, setState] = useState<{ key: string; data?: T; error?: ApiError }>(() => {
		const data = path === "" ? undefined : earlyData<T>(addressOf(path, params));
		return data === undefined ? { key: "" } : { key, data };
	});
	const [round, setRound] = useState(0);
	const given = useRef(state.key !== "");
	useEffect(() => {
		if (path === "" || taken(given)) return undefined;
		const stop = new AbortController();
		api.get<T>(path, params, stop.signal).then(
			(data) => setState({ key, data }),
			(e: unknown) => {
				if (!stop.signal.aborted) setState((s) => ({ key, data: s.key === key ? s.data : undefined, error: asError(e) }));
			},
		);
		return () => stop.abort();
	}, [key, round]);
	const reload = useCallback(() => setRound((n) => n + 1), []);
	const set = useCallback((data: T) => setState({ key, data }), [key]);
	const same = state.key === key;
	useBack(same && state.error?.slug === "network", reload);
	return { data: state.data, error: same ? state.error : undefined, loading: path !== "" && !same, reload, set };
}

export interface List<T> {
	items: T[];
	/** How many there are on all pages; undefined where that is not counted. */
	total: number | undefined;
	/** False: there are more than `total`. */
	totalExact: boolean;
	asOf: string;
	error: ApiError | undefined;
	loading: boolean;
	/** There is another page; more() reads it. */
	hasMore: boolean;
	more: () => void;
	reload: () => void;
	/** Changes a row that is shown, in its place. */
	update: (change: (item: T) => T) => void;
	/** The first page's whole answer, for what else is in it. */
	head: (PageOf<T> & Record<string, unknown>) | undefined;
}
/** A list by keyset pages: rows are added at the end and never move. Path "" reads nothing.
 * With `most`, so many rows are read before any is shown: where the page counts them itself. */
export function useList<T>(path: string, params: Params = {}, most = 0): List<T> {
	const key = keyOf(path, params);
	const empty = { key: "", items: [] as T[], cursor: null as string | null, head: undefined as (PageOf<T> & Record<string, unknown>) | undefined, error: undefined as ApiError | undefined };
	const [state, setState] = useState(() => {
		const head = path === "" || most > 0 ? undefined : earlyData<PageOf<T> & Record<string, unknown>>(addressOf(path, { limit: 50, ...params }));
		return head === undefined ? empty : { key, items: head.items, cursor: head.next_cursor, head, error: undefined };
	});
	const [busy, setBusy] = useState(false);
	const [round, setRound] = useState(0);
	const current = useRef("");
	current.current = `${round} ${key}`;
	const given = useRef(state.key !== "");
	useEffect(() => {
		if (path === "" || taken(given)) return undefined;
		const stop = new AbortController();
		setBusy(true);
		api.get<PageOf<T> & Record<string, unknown>>(path, { limit: 50, ...params }, stop.signal)
			.then(
				async (head) => {
					let [items, cursor] = [head.items, head.next_cursor];
					while (cursor !== null && items.length < most) {
						const next: PageOf<T> = await api.get<PageOf<T>>(path, { limit: 50, ...params, cursor }, stop.signal);
						[items, cursor] = [[...items, ...next.items], next.next_cursor];
					}
					setState({ key, items, cursor, head, error: undefined });
				},
			)
			.catch(
				(e: unknown) => {
					if (!stop.signal.aborted) setState((s) => ({ ...(s.key === key ? s : empty), key, error: asError(e) }));
				},
			)
			.finally(() => setBusy(false));
		return () => stop.abort();
	}, [key, round]);
	const more = useCallback(() => {
		if (state.cursor === null || busy) return;
		const asked = current.current; // of rows that are read anew meanwhile it is not the next page
		setBusy(true);
		api.get<PageOf<T>>(path, { limit: 50, ...params, cursor: state.cursor })
			.then(
				(p) => {
					if (current.current === asked) setState((s) => ({ ...s, items: [...s.items, ...p.items], cursor: p.next_cursor }));
				},
				(e: unknown) => current.current === asked && setState((s) => ({ ...s, error: asError(e) })),
			)
			.finally(() => setBusy(false));
	}, [key, state.cursor, busy]);
	const reload = useCallback(() => setRound((n) => n + 1), []);
	const update = useCallback((change: (item: T) => T) => setState((s) => ({ ...s, items: s.items.map(change) })), []);
	const same = state.key === key;
	useBack(same && state.error?.slug === "network", reload);
	return useMemo(
		() => ({ items: state.items, total: state.head?.total ?? undefined, totalExact: state.head?.total_exact !== false, asOf: state.head?.as_of ?? "", error: same ? state.error : undefined, loading: path !== "" && (!same || busy), hasMore: same && state.cursor !== null, more, reload, update, head: state.head }),
		[state, same, busy, more],
	);
}
export { asError };
