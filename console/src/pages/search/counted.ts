// How many events over time, counted newest first: what many events must be read for comes in parts, and the page shows each as it comes.
import { type ApiError, type Params, addressOf, api, asError, earlyData, useCallback, useEffect, useRef, useState } from "../../kit";
import { FIRST_MS } from "./first";

export interface Histogram {
	from: string;
	to: string;
	bucket_s: number;
	total: number;
	items: { time: string; count: number }[];
	as_of: string;
	/** What is older than `counted_from` is still being counted. */
	incomplete: boolean;
	counted_from: string;
}
const MOST_MS = 800;

export function useHistogram(path: string, filter: Params & { from: string }) {
	const key = `${path}?${JSON.stringify(filter)}`;
	const [state, setState] = useState<{ key: string; data?: Histogram; error?: ApiError }>(() => {
		const data = path === "" ? undefined : earlyData<Histogram>(addressOf(path, { ...filter, max_ms: FIRST_MS }));
		return data === undefined ? { key: "" } : { key, data };
	});
	const [round, setRound] = useState(0);
	const given = useRef(state.data);
	useEffect(() => {
		if (path === "") return undefined;
		const stop = new AbortController();
		const read = async () => {
			let all = given.current ?? (await api.get<Histogram>(path, { ...filter, max_ms: FIRST_MS }, stop.signal));
			given.current = undefined;
			setState({ key, data: all });
			for (let ms = FIRST_MS; all.incomplete; ms = Math.min(ms * 2, MOST_MS)) {
				const { from, to, counted_from: before } = all;
				const next: Histogram = await api.get<Histogram>(path, { ...filter, from, to, before, max_ms: ms }, stop.signal);
				const was = all.items;
				all = { ...next, total: all.total + next.total, items: next.items.map((b, i) => ({ time: b.time, count: b.count + (was[i]?.count ?? 0) })) };
				setState({ key, data: all });
			}
		};
		read().catch((e: unknown) => {
			if (!stop.signal.aborted) setState((s) => ({ key, data: s.key === key ? s.data : undefined, error: asError(e) }));
		});
		return () => stop.abort();
	}, [key, round]);
	const reload = useCallback(() => setRound((n) => n + 1), []);
	const same = state.key === key;
	return { data: state.data, error: same ? state.error : undefined, loading: path !== "" && !same, reload };
}
