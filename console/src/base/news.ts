// What comes while one reads a list: rows that are shown change in their place, new ones wait until they are asked for.
import { useEffect, useRef, useState } from "preact/hooks";
import { type PageOf, type Params, api } from "./api";
import type { List } from "./data";
import { type Topic, useLive } from "./stream";

const LOOK_MS = 1500; // one look for many changes
interface Newer<T> {
	/** Besides those of the first page that are not shown: is it one that came, and not one that moved up? */
	isNew?: (row: T, last: T | undefined) => boolean;
}
export interface News {
	/** How many wait. */
	n: number;
	/** Reads the list anew. */
	show: () => void;
	/** Asks what stands there now: at once, or soon and once for many. */
	look: () => void;
	soon: () => void;
}
/** Looks at the list's first page when something of these topics changes, and somebody looks. */
export function useNews<T>(topics: Topic[], list: List<T>, path: string, params: Params, keyOf: (row: T) => string, { isNew }: Newer<T> = {}): News {
	const [fresh, setFresh] = useState({ asOf: "", n: 0 });
	const look = () => {
		const asked = list.asOf;
		api.get<PageOf<T>>(path, { limit: 50, ...params }).then(
			(p) => {
				const l = latest.current.list;
				if (l.asOf !== asked) return; // meanwhile it was read anew, or another one is shown
				const now = new Map(p.items.map((x) => [keyOf(x), x]));
				const shown = new Set(l.items.map(keyOf));
				const last = l.items.at(-1);
				l.update((x) => now.get(keyOf(x)) ?? x);
				setFresh({ asOf: asked, n: p.items.filter((x) => !shown.has(keyOf(x)) && (isNew === undefined || isNew(x, last))).length });
			},
			() => undefined,
		);
	};
	const latest = useRef({ list, look });
	latest.current = { list, look };
	const waiting = useRef(0);
	const soon = useRef(() => {
		if (waiting.current === 0) waiting.current = window.setTimeout(run, LOOK_MS);
	}).current;
	const run = useRef(() => {
		if (document.hidden) document.addEventListener("visibilitychange", run, { once: true });
		else {
			waiting.current = 0;
			latest.current.look();
		}
	}).current;
	useEffect(
		() => () => {
			clearTimeout(waiting.current);
			document.removeEventListener("visibilitychange", run);
		},
		[],
	);
	useLive(topics, (c) => (c.topic === "gap" ? list.reload() : soon()));
	return { n: fresh.asOf === list.asOf ? fresh.n : 0, show: list.reload, look, soon };
}
