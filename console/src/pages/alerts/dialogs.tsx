// What an analyst decides: close, assign, false positive, merge.
import { useRef, useState } from "preact/hooks";
import { Check, Combobox, Confirm, Dialog, LaterDialog, type PageOf, Radios, Severity, Form, SelectField, TextArea, Time, api, at, findPersons, may, mayAll, orgTitle, session, inDays, t, toast, toastError, useData, useForm } from "../../kit";
import { type Alert, type Patch, change, unmerge } from "./model";

/** By when it is to be done with, or until when it is put off. */
export function Later({ kind, was, send, onClose }: { kind: "due" | "snooze"; was?: Alert; send: (p: Patch) => Promise<unknown>; onClose: () => void }) {
	const due = kind === "due";
	return (
		<LaterDialog
			title={t(`alerts.${kind}.one`)}
			what={t(`alerts.${kind}.what`)}
			label={t(`alerts.${kind}.when`)}
			hint={t(`alerts.${kind}.reason-hint`)}
			hours={due ? 72 : 24}
			none={due && (was === undefined || was.due_reason !== "") ? t("alerts.due.policy") : undefined}
			fields={due ? ["due_at", "due_reason"] : ["snoozed_until", "snooze_reason"]}
			send={(at, why) => send(due ? { due_at: at, ...(at !== null && { due_reason: why }) } : { snoozed_until: at, snooze_reason: why })}
			onClose={onClose}
		/>
	);
}
export function CloseDialog({ n, send, onClose }: { n: number; send: (p: Patch) => Promise<unknown>; onClose: () => void }) {
	const form = useForm({ verdict: "true", reason: "" }, (v) => send({ state: "closed", verdict: v.verdict as Alert["verdict"], reason: v.reason.trim() }));
	return (
		<Dialog title={n === 1 ? t("alerts.close.one") : t(n === 0 ? "alerts.close.all" : "alerts.close.many", { n })} onClose={onClose}>
			<Form form={form} action={t("alerts.close.action")} done={onClose} cancel={onClose} disabled={form.value.reason.trim() === ""}>
				<Radios
					label={t("alerts.verdict")}
					value={form.value.verdict}
					onChange={(verdict) => form.set({ verdict })}
					options={(["true", "benign", "false", "duplicate"] as const).map((v) => [v, t(`alerts.verdict.${v}`), t(`alerts.verdict-hint.${v}`)])}
				/>
				<TextArea label={t("alerts.reason")} hint={t("alerts.reason-hint")} required value={form.value.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}
// An assignee is a login; oneself first.
async function findAssignees(text: string) {
	const me = session.value?.person;
	const found = may("people:read") ? (await findPersons(text)).map((p) => ({ value: p.note, label: p.note, note: p.label })) : [];
	const self = me === null || me === undefined || !me.login.includes(text.toLowerCase()) ? [] : [{ value: me.login, label: me.login, note: me.name }];
	return [...self, ...found.filter((x) => x.value !== me?.login)];
}
export function AssignDialog({ n, now, send, onClose }: { n: number; now: string; send: (p: Patch) => Promise<unknown>; onClose: () => void }) {
	const form = useForm({ assignee: now }, (v) => send({ assignee: v.assignee === "" ? null : v.assignee }));
	return (
		<Dialog title={n === 1 ? t("alerts.assign.one") : t(n === 0 ? "alerts.assign.all" : "alerts.assign.many", { n })} onClose={onClose}>
			<Form form={form} action={t("alerts.assign.action")} done={onClose} cancel={onClose}>
				<Combobox label={t("alerts.assignee")} hint={t("alerts.assign.hint")} free value={form.value.assignee} onChange={(assignee) => form.set({ assignee })} find={findAssignees} fault={form.fault("assignee")} />
			</Form>
		</Dialog>
	);
}
const EXPIRY = ["7", "30", "90", "365", ""] as const;
export function AllowDialog({ alert, done, onClose }: { alert: Alert; done: () => void; onClose: () => void }) {
	const form = useForm({ reason: "", days: "30", scope: "organisation" }, (v) =>
		api.post<{ id: string; kind?: string }>(at`/alerts/${alert.id}/allow`, { reason: v.reason.trim(), scope: v.scope, expires_at: inDays(v.days) }).then((made) => {
			entry.current = made.kind === undefined ? made.id : ""; // else another person decides
		}),
	);
	const entry = useRef("");
	// away with the entry, and the alert is open again
	const undo = async () => {
		await api.del(at`/allow-entries/${entry.current}`);
		const now = await api.get<Alert>(at`/alerts/${alert.id}`);
		if (now.state === "closed") await change(now, { state: alert.state === "new" ? "in_progress" : alert.state });
		done();
	};
	return (
		<Dialog title={t("alerts.allow.title")} onClose={onClose}>
			<p>{t("alerts.allow.what", { indicator: alert.indicator })}</p>
			<Form
				form={form}
				action={t("alerts.allow.action")}
				cancel={onClose}
				disabled={form.value.reason.trim() === ""}
				done={() => {
					toast(t(entry.current === "" ? "alerts.allow.asked" : "alerts.allow.done"), entry.current !== "" && may("indicators:write", alert.org) ? { undo: () => void undo().catch(toastError) } : {});
					onClose();
					done();
				}}
			>
				<Radios
					label={t("alerts.allow.scope")}
					value={form.value.scope}
					onChange={(scope) => form.set({ scope })}
					options={[["organisation", t("alerts.allow.organisation", { org: orgTitle(alert.org) })], ...(mayAll("alerts:write") ? [["all", t("alerts.allow.all")] as [string, string]] : [])]}
				/>
				<SelectField label={t("alerts.allow.expires")} value={form.value.days} onChange={(days) => form.set({ days })} options={EXPIRY.map((d) => [d, d === "" ? t("alerts.allow.never") : t("alerts.allow.days", { n: Number(d) })])} fault={form.fault("expires_at" as never)} />
				<TextArea label={t("alerts.reason")} hint={t("alerts.allow.reason-hint")} required value={form.value.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}
/** Joins others to this alert: open ones of its organisation, those of the same indicator or asset first. */
export function MergeDialog({ alert, done, onClose }: { alert: Alert; done: (a: Alert) => void; onClose: () => void }) {
	const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
	const near = useData<PageOf<Alert>>("/alerts", { org: alert.org, state: "open", limit: 200 });
	const score = (a: Alert) => (a.indicator === alert.indicator ? 2 : 0) + (a.asset === alert.asset ? 1 : 0);
	const others = (near.data?.items ?? []).filter((a) => a.id !== alert.id).sort((a, b) => score(b) - score(a)).slice(0, 30);
	return (
		<Confirm
			title={t("alerts.merge.title")}
			action={t("alerts.merge.action", { n: picked.size })}
			onClose={onClose}
			run={async () => {
				if (picked.size === 0) return;
				const others = [...picked];
				const next = await api.post<Alert>(at`/alerts/${alert.id}/merge`, { others });
				done(next);
				toast(t("alerts.merge.done", { n: others.length }), { undo: () => void unmerge(others, next, alert).then(done, toastError) });
			}}
		>
			<p>{t("alerts.merge.what")}</p>
			{near.data !== undefined && others.length === 0 && <p class="y-soft">{t("alerts.merge.none")}</p>}
			<div class="y-stack">
				{others.map((a) => (
					<Check
						key={a.id}
						checked={picked.has(a.id)}
						onChange={(on) => {
							const next = new Set(picked);
							next[on ? "add" : "delete"](a.id);
							setPicked(next);
						}}
						label={
							<>
								<Severity id={a.severity_id} bare /> {a.title}
								<small>
									{a.asset}, <Time at={a.last_seen} />
								</small>
							</>
						}
					/>
				))}
			</div>
		</Confirm>
	);
}
