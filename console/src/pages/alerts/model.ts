// Alerts as the API gives them, and what this page does with them.
import { type Job, api, at, follow, k, may, toast, toastError, t } from "../../kit";

export interface Alert {
	id: string;
	org: string;
	title: string;
	state: "new" | "in_progress" | "on_hold" | "closed";
	verdict: "true" | "false" | "benign" | "duplicate" | null;
	reason: string;
	assignee: string | null;
	severity_id: number;
	confidence: number;
	indicator: string;
	indicator_type: string;
	list: string;
	category: string;
	family: string;
	tlp: string;
	asset: string;
	system?: string | null;
	reasons?: string[];
	count: number;
	first_seen: string;
	last_seen: string;
	merged_into: string | null;
	previous?: string | null;
	created_at: string;
	updated_at: string;
	closed_at?: string | null;
	due_at: string | null;
	due_reason: string;
	overdue: boolean;
	snoozed_until: string | null;
	snooze_reason: string;
	snoozed_by: string | null;
	etag: string;
}
export interface Group {
	key: string;
	title: string;
	type: string | null;
	count: number;
	orgs: number;
	severity_id: number;
	first_seen: string;
	last_seen: string;
}
export interface Patch {
	state?: Alert["state"];
	verdict?: Alert["verdict"];
	reason?: string;
	assignee?: string | null;
	severity_id?: number;
	due_at?: string | null;
	due_reason?: string;
	snoozed_until?: string | null;
	snooze_reason?: string;
}
/** The filter of the list, as query parameters and as the body of a bulk change. */
export type Filter = Record<string, string | undefined>;

export const STATE_TONE = { new: "warn", in_progress: "info", on_hold: "plain", closed: "ok" } as const;
export const GROUPS: [string, string][] = [
	["", k("alerts.by.none")],
	["indicator", k("alerts.by.indicator")],
	["org", k("alerts.by.org")],
	["asset", k("alerts.by.asset")],
	["category", k("alerts.by.category")],
	["list", k("alerts.by.list")],
];
export const mayWrite = (a: Alert) => may("alerts:write", a.org);

/** Changes one alert; what another has changed meanwhile is an error (412). */
export function change(a: Alert, patch: Patch): Promise<Alert> {
	return api.patch<Alert>(at`/alerts/${a.id}`, patch, a.etag);
}
// An alert does not become new again.
const before = (a: Alert): Patch => (a.state === "closed" ? { state: a.state, verdict: a.verdict, reason: a.reason } : { state: a.state === "new" ? "in_progress" : a.state });

/** Takes a change back: only what it changed. */
export function undo(a: Alert, patch: Patch): Patch {
	const due: Patch = a.due_reason === "" ? { due_at: null } : { due_at: a.due_at, due_reason: a.due_reason };
	const asleep = a.snoozed_until !== null && Date.parse(a.snoozed_until) > Date.now();
	const snooze: Patch = asleep ? { snoozed_until: a.snoozed_until, snooze_reason: a.snooze_reason } : { snoozed_until: null };
	const closes = patch.state === "closed" && asleep; // closing ends a snooze
	return {
		...("state" in patch && before(a)),
		...("assignee" in patch && { assignee: a.assignee }),
		...("severity_id" in patch && { severity_id: a.severity_id }),
		...("due_at" in patch && due),
		...(("snoozed_until" in patch || closes) && snooze),
	};
}
/** Takes a merge back: each is its own again, and the one that they joined as severe as it was. */
export async function unmerge(others: string[], merged: Alert, was: Alert): Promise<Alert> {
	for (const id of others) await api.post(at`/alerts/${id}/unmerge`);
	const now = await api.get<Alert>(at`/alerts/${was.id}`);
	return now.severity_id === merged.severity_id && now.severity_id !== was.severity_id ? change(now, { severity_id: was.severity_id }) : now; // unless somebody has set another since
}
/** Many alerts by a job; `seen` gets its progress. */
export async function changeMany(what: { ids: string[] } | { filter: object }, set: Patch, seen: (j: Job) => void): Promise<Job> {
	const job = await api.post<Job>("/alerts/bulk", { ...what, set });
	seen(job);
	return follow(job.id, seen);
}
/** Says how far a job came that ended early, and leads to it. */
function stopped(job: Job, undo?: () => void): void {
	const n = Math.max(0, job.done - job.errors);
	const far = job.total === null ? t("alerts.bulk-stopped", { n }) : t("alerts.bulk-stopped-of", { n, total: job.total });
	toast(`${far} ${job.message}`, { tone: "bad", undo, job: job.id });
}
/** Takes a bulk change back: a job of its own, which leaves alone what was changed since. */
async function undoBulk(id: string, seen: (j: Job) => void): Promise<void> {
	const job = await api.post<Job>(at`/jobs/${id}/undo`);
	seen(job);
	const end = await follow(job.id, seen);
	const r = (end.result ?? {}) as { restored?: number };
	if (end.state !== "done") stopped(end);
	else if (end.errors > 0) toast(t("alerts.undone-some", { n: r.restored ?? 0, kept: end.errors, why: end.message }), { tone: "bad" });
	else toast(t("alerts.undone"));
}
/** Says how a bulk change ended; `after` when it was taken back. */
export function report(job: Job, seen: (j: Job | undefined) => void, after: () => void): void {
	const r = (job.result ?? {}) as { changed?: number; refused?: number };
	const undo = job.undo_left > 0 ? () => void undoBulk(job.id, seen).finally(() => (seen(undefined), after())).catch(toastError) : undefined;
	if (job.state !== "done") stopped(job, undo);
	else if ((r.refused ?? 0) > 0) toast(t("alerts.bulk-refused", { n: r.changed ?? job.done, refused: r.refused ?? 0, why: job.message }), { tone: "bad", undo, job: job.id });
	else toast(t("alerts.bulk-done", { n: r.changed ?? job.done }), { undo });
}
export { toastError };
