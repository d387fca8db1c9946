// What the server works on: its states, and looking again while it goes on.
import { useEffect, useRef } from "preact/hooks";
import type { Job } from "../base/api";
import { t } from "../base/i18n";
import { Chip } from "./basics";

const TONE = { queued: "plain", running: "info", done: "ok", failed: "bad", cancelled: "warn", interrupted: "warn" } as const;
export function JobState({ state }: { state: Job["state"] }) {
	return <Chip tone={TONE[state]}>{t(`job-state.${state}`)}</Chip>;
}
/** To choose one from; "": any. */
export const jobStates = (): [string, string][] => [["", t("job-state.any")], ...Object.keys(TONE).map((s): [string, string] => [s, t(`job-state.${s}`)])];

/** Reads again and again while something goes on and somebody looks. */
export function useAgain(going: boolean, read: () => void, ms: number): void {
	const now = useRef(read);
	now.current = read;
	useEffect(() => {
		if (!going) return undefined;
		const timer = setInterval(() => !document.hidden && now.current(), ms);
		return () => clearInterval(timer);
	}, [going, ms]);
}
