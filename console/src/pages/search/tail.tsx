// Live tail: what comes in, newest on top; frozen by hand, and by itself while one reads further down.
import { type ApiError, Button, Chip, type ComponentChildren, type List, type PageOf, api, asError, t, useCallback, useEffect, useKeys, useMemo, useRef, useState } from "../../kit";
import type { Event } from "./model";

const KEEP = 500;
const WAITING = 2000;
interface TailPage extends PageOf<Event> {
	next_after: string;
	incomplete?: boolean;
}
export interface Tail {
	list: List<Event>;
	/** The tail's own buttons and figures. */
	bar: ComponentChildren;
}
/** Reads on while `on`; `params` without the times. */
export function useTail(on: boolean, params: { q?: string; org?: string; system?: string }, reading: boolean): Tail {
	const [rows, setRows] = useState<Event[]>([]);
	const [held, setHeld] = useState<Event[]>([]);
	const [byHand, setByHand] = useState(false);
	const [down, setDown] = useState(false);
	const [lost, setLost] = useState(0);
	const [rate, setRate] = useState(0);
	const [error, setError] = useState<ApiError>();
	const [asOf, setAsOf] = useState("");
	const [round, setRound] = useState(0);
	const frozen = byHand || down || reading;
	const still = useRef(frozen);
	still.current = frozen;
	const key = JSON.stringify(params);
	useEffect(() => {
		if (!on) return undefined;
		const stop = new AbortController();
		const counts: [number, number][] = [];
		setRows([]);
		setHeld([]);
		setLost(0);
		setError(undefined);
		const run = async () => {
			for (let after = "now"; !stop.signal.aborted; ) {
				const p: TailPage = await api.get<TailPage>("/events", { ...params, after, limit: 200 }, stop.signal);
				after = p.next_after;
				const now = Date.now();
				counts.push([now, p.items.length]);
				while (counts.length > 1 && now - (counts[0] as [number, number])[0] > 10_000) counts.shift();
				const since = Math.max(1, (now - (counts[0] as [number, number])[0]) / 1000);
				setRate(counts.slice(1).reduce((n, [, x]) => n + x, 0) / since);
				setAsOf(p.as_of);
				if (p.items.length > 0) {
					const fresh = [...p.items].reverse();
					if (still.current)
						setHeld((h) => {
							const all = [...fresh, ...h];
							if (all.length > WAITING) setLost((n) => n + all.length - WAITING);
							return all.slice(0, WAITING);
						});
					else setRows((r) => [...fresh, ...r].slice(0, KEEP));
				}
				await new Promise((done) => setTimeout(done, document.hidden ? 5000 : p.incomplete === true ? 250 : 1000));
			}
		};
		run().catch((e: unknown) => {
			if (!stop.signal.aborted) setError(asError(e));
		});
		return () => stop.abort();
	}, [on, key, round]);
	useEffect(() => {
		if (!on) return undefined;
		const scrolled = () => setDown(scrollY > 240);
		scrolled();
		addEventListener("scroll", scrolled, { passive: true });
		return () => removeEventListener("scroll", scrolled);
	}, [on]);
	useEffect(() => {
		if (frozen || held.length === 0) return;
		setRows((r) => [...held, ...r].slice(0, KEEP));
		setHeld([]);
	}, [frozen, held]);
	useKeys(t("search.tail"), on ? [{ keys: "p", label: t("search.freeze"), run: () => setByHand((x) => !x) }] : []);
	const reload = useCallback(() => setRound((n) => n + 1), []);
	const list = useMemo<List<Event>>(() => ({ items: rows, total: undefined, totalExact: true, asOf, error, loading: false, hasMore: false, more: () => undefined, reload, update: (change) => setRows((r) => r.map(change)), head: undefined }), [rows, error, asOf]);
	const show = () => {
		setRows((r) => [...held, ...r].slice(0, KEEP));
		setHeld([]);
	};
	const bar = (
		<div class="y-row">
			<Button small icon={byHand ? "play" : "pause"} aria-pressed={byHand} onClick={() => setByHand(!byHand)}>
				{byHand ? t("search.thaw") : t("search.freeze")}
			</Button>
			<Chip tone={frozen ? "warn" : "ok"}>{frozen ? t("search.frozen") : t("search.flowing")}</Chip>
			<span class="y-soft y-num">{t("search.rate", { n: rate.toFixed(rate < 10 ? 1 : 0) })}</span>
			{held.length > 0 && (
				<Button small icon="reload" onClick={show}>
					{t("search.held", { n: held.length })}
				</Button>
			)}
			{lost > 0 && <span class="y-soft">{t("search.lost", { n: lost })}</span>}
		</div>
	);
	return { list, bar };
}
