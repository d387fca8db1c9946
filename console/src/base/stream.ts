// The live stream.  One window holds the connection and tells the others, because
// browsers allow few connections to one host.  A message says what changed, not how.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api } from "./api";

const TOPICS = ["alerts", "jobs", "system", "approvals"] as const;
export type Topic = (typeof TOPICS)[number];
export interface Change {
	topic: Topic | "gap";
	id: string;
	org: string | null;
	change: string;
}
export const live = signal<"off" | "on" | "waiting">("off");
const listeners = new Set<(c: Change) => void>();
const channel = new BroadcastChannel("yagura-stream");
let begun = false;

function tell(c: Change): void {
	for (const f of [...listeners]) f(c);
}
channel.onmessage = (e) => {
	const m = e.data as { state?: "on" | "waiting"; change?: Change; ask?: boolean };
	if (m.state !== undefined) live.value = m.state;
	if (m.change !== undefined) tell(m.change);
	if (m.ask === true && leading) channel.postMessage({ state: live.peek() });
};
function say(state: "on" | "waiting"): void {
	live.value = state;
	channel.postMessage({ state });
}
let leading = false;

// Until the window closes; EventSource comes back by itself and sends Last-Event-ID.
function lead(): Promise<void> {
	leading = true;
	return new Promise(() => {
		let wait = 1000;
		const open = () => {
			const source = new EventSource("/api/v1/stream");
			source.onopen = () => {
				wait = 1000;
				say("on");
			};
			source.onerror = () => {
				say("waiting");
				if (source.readyState === EventSource.CLOSED) {
					// refused: perhaps because the session has ended, which the answer to this says
					void api.get("/session").catch(() => undefined);
					setTimeout(open, wait);
					wait = Math.min(wait * 2, 60_000);
				}
			};
			for (const topic of [...TOPICS, "gap"] as const)
				source.addEventListener(topic, (e) => {
					let data: Partial<Change> = {};
					try {
						data = JSON.parse((e as MessageEvent<string>).data || "{}");
					} catch {
						// a gap has no data
					}
					const change: Change = { id: data.id ?? "", org: data.org ?? null, change: data.change ?? "", topic };
					tell(change);
					channel.postMessage({ change });
				});
		};
		open();
	});
}
export function startStream(): void {
	if (begun) return;
	begun = true;
	channel.postMessage({ ask: true });
	if (navigator.locks !== undefined) void navigator.locks.request("yagura-stream", lead);
	else void lead();
}
/** Calls back for every change of these topics while the component is there. */
export function useLive(topics: Topic[], changed: (c: Change) => void): void {
	const latest = useRef(changed);
	latest.current = changed;
	const key = topics.join();
	useEffect(() => {
		const f = (c: Change) => {
			if (c.topic === "gap" || key.split(",").includes(c.topic)) latest.current(c);
		};
		listeners.add(f);
		return () => {
			listeners.delete(f);
		};
	}, [key]);
}
