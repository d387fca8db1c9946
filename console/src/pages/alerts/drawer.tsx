// One alert: why it is one, what it rests on, whom it is about, what was done.
import { useState } from "preact/hooks";
import { type ComponentChildren, Button, ButtonLink, Chip, Copy, Drawer, Empty, EvidenceList, ErrorBox, Facts, Form, Menu, Num, Section, type Step, Severity, Skeleton, TextArea, Time, Value, Word, actorName, api, at, dnsFacts, exceptionHref, go, isDnsAlert, link, may, orgTitle, ruleFacts, severityName, stamp, systemTitle, t, toast, toastError, useData, useForm, useKeys, useList, useLive, withRest } from "../../kit";
import { AllowDialog, AssignDialog, CloseDialog, Later, MergeDialog } from "./dialogs";
import { type Alert, type Patch, STATE_TONE, change, mayWrite, undo } from "./model";

interface Entry {
	seq: number;
	at: string;
	actor: string;
	action: string;
	detail: Record<string, unknown>;
}
interface Comment {
	id: string;
	author: string;
	text: string;
	created_at: string;
}

const MOST = 1000; // of each that a timeline reads at once
const assetOf = (a: Alert) => ({ org: a.org, system: a.system ?? "", asset: a.asset });
/** Another alert that a change names is a link to it. */
const ALERT = /^a-[0-9A-Z]{26}$/;
const Said = ({ text }: { text: string }) => (ALERT.test(text) ? <a class="y-mono" href={withRest([text])}>{text}</a> : <>{text}</>);
function say(name: string, v: unknown): string {
	if (v === null || v === undefined || v === "") return t("alerts.nothing");
	return name === "severity_id" ? severityName(Number(v)) : name === "due_at" || name === "snoozed_until" ? stamp(String(v)) : String(v);
}
function Change({ action, detail }: { action: string; detail: Record<string, unknown> }) {
	const word = (name: string, x: unknown) => (name === "state" || name === "verdict" ? <Word group={`alerts.${name}`} word={say(name, x)} /> : <Said text={say(name, x)} />);
	return (
		<ul>
			{Object.entries(detail).filter(([, v]) => v !== "").map(([name, v]) => {
				const pair = v !== null && typeof v === "object" && "to" in v ? (v as { from?: unknown; to?: unknown }) : undefined;
				return (
					<li key={name}>
						<span class="y-soft">
							<Word group="alerts.field" word={action === "alert.split" && name === "into" ? "split_into" : name} />
						</span>{" "}
						{pair !== undefined ? (
							<>
								{pair.from !== undefined && <>{word(name, pair.from)} → </>}
								{word(name, pair.to)}
							</>
						) : Array.isArray(v) ? (
							v.map((x, i) => <span key={String(x)}>{i > 0 && ", "}{word(name, x)}</span>)
						) : typeof v === "object" ? (
							<code>{JSON.stringify(v)}</code>
						) : (
							word(name, v)
						)}
					</li>
				);
			})}
		</ul>
	);
}
function Timeline({ alert, round }: { alert: Alert; round: string }) {
	// read whole, up to a point: comments come oldest first, changes newest first
	const history = useList<Entry>(at`/alerts/${alert.id}/history`, { limit: 200 }, MOST);
	const comments = useList<Comment>(at`/alerts/${alert.id}/comments`, { limit: 200 }, MOST);
	const [seen, setSeen] = useState(round);
	if (seen !== round) {
		setSeen(round);
		history.reload();
		comments.reload();
	}
	const form = useForm({ text: "" }, async (v, once) => {
		await api.post(at`/alerts/${alert.id}/comments`, { text: v.text.trim() }, { once });
		comments.reload();
		history.reload();
		form.set({ text: "" });
	});
	const rows = [
		...history.items.filter((e) => e.action !== "alert.comment").map((e) => ({ key: `h${e.seq}`, at: e.at, who: e.actor, entry: e, text: "" })),
		...comments.items.map((c) => ({ key: c.id, at: c.created_at, who: c.author, entry: undefined, text: c.text })),
		{ key: "first", at: alert.first_seen, who: "", entry: undefined, text: t("alerts.first-found") },
	].sort((a, b) => b.at.localeCompare(a.at));
	return (
		<>
			{mayWrite(alert) && (
				<Form form={form} action={t("alerts.comment.send")} disabled={form.value.text.trim() === ""}>
					<TextArea label={t("alerts.comment.label")} rows={2} value={form.value.text} onChange={(text) => form.set({ text })} fault={form.fault("text")} />
				</Form>
			)}
			{(history.error ?? comments.error) !== undefined && <ErrorBox error={(history.error ?? comments.error) as never} again={history.reload} />}
			<ol class="y-timeline">
				{rows.map((r) => (
					<li key={r.key}>
						<div class="y-timeline__head">
							<Time at={r.at} exact />
							{r.who !== "" && <span>{actorName(r.who)}</span>}
							{r.entry !== undefined && <span><Word group="alerts.action" word={r.entry.action} /></span>}
						</div>
						{r.entry === undefined ? <p class="y-prose">{r.text}</p> : <Change action={r.entry.action} detail={r.entry.detail} />}
					</li>
				))}
			</ol>
			{[history, comments].some((x) => x.hasMore) && (
				<div class="y-row">
					<span class="y-soft">{t("alerts.timeline-more")}</span>
					<Button small onClick={() => [history, comments].forEach((x) => x.more())}>{t("table.more")}</Button>
				</div>
			)}
		</>
	);
}

/** The star: one's own list, under My work. */
function Watch({ id }: { id: string }) {
	const path = at`/alerts/${id}/watch`;
	const one = useData<{ watched: boolean }>(path);
	const on = one.data?.watched;
	const turn = () => void (on === true ? api.del<{ watched: boolean }>(path) : api.put<{ watched: boolean }>(path, {})).then(one.set, toastError);
	return (
		<Button small kind={on === true ? "plain" : "quiet"} icon="star" aria-pressed={on === true} disabled={on === undefined} onClick={turn}>
			{on === true ? t("alerts.watched") : t("alerts.watch")}
		</Button>
	);
}

export function AlertDrawer({ id, back, step, changed }: { id: string; back: string; step: Step; changed: (a: Alert) => void }) {
	const one = useData<Alert>(at`/alerts/${id}`);
	const [dialog, setDialog] = useState("");
	const alert = one.data?.id === id ? one.data : undefined;
	useLive(["alerts"], (c) => {
		if (c.id === id || c.topic === "gap") one.reload();
	});
	const took = (next: Alert) => {
		one.set(next);
		changed(next);
	};
	const apply = async (patch: Patch) => {
		if (alert === undefined) return;
		const next = await change(alert, patch);
		took(next);
		const back_ = undo(alert, patch);
		toast(t("alerts.changed"), { undo: () => void change(next, back_).then(took, toastError) });
	};
	// one at a time: what is pressed twice on a slow line is meant once
	const [busy, setBusy] = useState(false);
	const quick = (patch: Patch) => {
		if (busy) return;
		setBusy(true);
		apply(patch).catch(toastError).finally(() => setBusy(false));
	};
	const open = alert !== undefined && alert.state !== "closed";
	const writable = alert !== undefined && mayWrite(alert) && alert.merged_into === null;
	const byRule = alert?.indicator_type === "rule";
	const byDns = alert !== undefined && isDnsAlert(alert);
	const knows = may("indicators:read") && alert?.indicator_type !== "notice" && !byRule && !byDns;
	const listed = link("indicators", { query: { tab: "entries", q: alert?.indicator } });
	// what is right to happen: off the list of indicators, or out of the rule; a name is asked for beside the evidence
	const excuse = !open || alert.indicator_type === "notice" || byDns || !may("indicators:write", alert.org) ? [] : byRule ? [{ label: t("evidence.except"), run: () => go(exceptionHref(alert)) }] : [{ label: t("alerts.allow.title"), run: () => setDialog("allow") }];
	useKeys(t("alerts.one"), writable ? [
		{ keys: "a", label: t("alerts.assign.one"), run: () => setDialog("assign") },
		...(open ? [{ keys: "z", label: t("alerts.snooze.one"), run: () => setDialog("snooze") }, { keys: "c", label: t("alerts.close.one"), run: () => setDialog("close") }] : []), ...excuse.map((x) => ({ keys: "f", ...x })),
	] : []);
	const closeDialog = () => setDialog("");
	return (
		<Drawer
			title={alert?.title ?? t("alerts.one")}
			back={back}
			step={step}
			head={
				alert !== undefined && (
					<>
						<div class="y-row">
							<Severity id={alert.severity_id} />
							<Chip tone={STATE_TONE[alert.state]}>{t(`alerts.state.${alert.state}`)}</Chip>
							{alert.verdict !== null && <Chip>{t(`alerts.verdict.${alert.verdict}`)}</Chip>}
							{alert.overdue && <Chip tone="bad">{t("alerts.overdue")}</Chip>}
							{alert.snoozed_until !== null && <Chip>{t("alerts.state.snoozed")}</Chip>}
							<span class="y-soft">{orgTitle(alert.org)}</span>
							<Watch key={alert.id} id={alert.id} />
						</div>
						{writable && (
							<div class="y-row">
								{alert.state === "new" && <Button kind="main" busy={busy} onClick={() => quick({ state: "in_progress" })}>{t("alerts.start")}</Button>}
								{open && <Button kind={alert.state === "new" ? "plain" : "main"} onClick={() => setDialog("close")}>{t("alerts.close.action")}</Button>}
								{!open && <Button onClick={() => quick({ state: "in_progress" })}>{t("alerts.reopen")}</Button>}
								<Button onClick={() => setDialog("assign")}>{t("alerts.assign.action")}</Button>
								<Menu
									label={t("alerts.more")}
									icon="more"
									end
									items={[
										...(open && alert.state !== "on_hold" ? [{ label: t("alerts.hold"), run: () => quick({ state: "on_hold" }) }] : []),
										...(open && alert.state !== "in_progress" ? [{ label: t("alerts.start"), run: () => quick({ state: "in_progress" }) }] : []),
										...(open ? [alert.snoozed_until === null ? { label: t("alerts.snooze.one"), run: () => setDialog("snooze") } : { label: t("alerts.wake"), run: () => quick({ snoozed_until: null }) }, { label: t("alerts.due.one"), run: () => setDialog("due") }] : []),
										...excuse,
										...(open ? [{ label: t("alerts.merge.title"), run: () => setDialog("merge") }] : []),
										...[6, 5, 4, 3, 2, 1].filter((s) => s !== alert.severity_id).map((s, i) => ({ label: t("alerts.set-severity", { severity: severityName(s) }), run: () => quick({ severity_id: s }), apart: i === 0 })),
									]}
								/>
							</div>
						)}
					</>
				)
			}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{alert === undefined && one.error === undefined && <Skeleton lines={6} />}
			{alert !== undefined && (
				<>
					{alert.merged_into !== null && (
						<p>
							<a href={withRest([alert.merged_into])}>{t("alerts.merged-into")}</a>{" "}
							{mayWrite(alert) && <Button small onClick={() => void api.post<Alert>(at`/alerts/${alert.id}/unmerge`).then(took, toastError)}>{t("alerts.unmerge")}</Button>}
						</p>
					)}
					{alert.previous !== null && alert.previous !== undefined && (
						<p>
							<a href={withRest([alert.previous])}>{t("alerts.previous")}</a>
						</p>
					)}
					{alert.snoozed_until !== null && (
						<p>
							{t("alerts.snoozed-until")} <Time at={alert.snoozed_until} exact />: {alert.snooze_reason} ({actorName(alert.snoozed_by ?? "")})
						</p>
					)}
					{alert.state === "closed" && alert.reason !== "" && <Facts rows={[[t("alerts.reason"), alert.reason]]} />}
					<Section title={t("alerts.why")}>
						{(alert.reasons ?? []).length === 0 ? <Empty title={t("alerts.why-none")} /> : <ul class="y-bullets">{alert.reasons?.map((r) => <li key={r}>{r}</li>)}</ul>}
					</Section>
					<Section title={t("alerts.about")}>
						<Facts
							rows={[
								...(byRule ? ruleFacts(alert) : byDns ? dnsFacts(alert) : alert.indicator_type === "notice" ? [] : ([
									[t("alerts.indicator"), <Value copy key="i">{alert.indicator}</Value>],
									[t("alerts.type"), <Word key="t" group="indicator-type" word={alert.indicator_type} />],
									[t("alerts.list"), knows ? <a href={listed}>{alert.list}</a> : alert.list],
									[t("alerts.category"), [alert.category, alert.family].filter(Boolean).join(" / ")],
								] as [string, ComponentChildren][])),
								[t("alerts.confidence"), <Num key="c" n={alert.confidence} href={knows ? listed : undefined} />],
								["TLP", <span key="m" data-tlp={alert.tlp}>{alert.tlp.toUpperCase()}</span>],
								[t("alerts.asset"), <span class="y-row" key="a"><a href={link("overview", { scope: assetOf(alert) })}>{alert.asset}</a><ButtonLink small kind="quiet" href={link("alerts", { scope: assetOf(alert), query: { state: "all" } })}>{t("alerts.asset-alerts")}</ButtonLink>{may("events:read", alert.org) && <ButtonLink small kind="quiet" icon="search" href={link("search", { scope: assetOf(alert), query: { from: "now-7d" } })}>{t("alerts.asset-logs")}</ButtonLink>}</span>],
								[t("alerts.system"), alert.system !== undefined && alert.system !== null && alert.system !== "" && <a href={link("overview", { scope: { org: alert.org, system: alert.system } })}>{systemTitle(alert.system)}</a>],
								[t("alerts.count"), <Num key="n" n={alert.count} href="#evidence" />],
								[t("alerts.first-seen"), <Time key="f" at={alert.first_seen} exact />],
								[t("alerts.last-seen"), <Time key="l" at={alert.last_seen} exact />],
								[t("alerts.assignee"), alert.assignee ?? t("alerts.nobody")],
								[t("alerts.due"), alert.due_at === null ? t("alerts.due.never") : <span key="d"><Time at={alert.due_at} exact /> {alert.due_reason === "" ? <small class="y-soft">{t("alerts.due.by-policy")}</small> : <small class="y-soft">{t("alerts.due.by-hand", { why: alert.due_reason })}</small>}</span>],
								["ID", <span key="id" class="y-value"><code>{alert.id}</code><Copy text={alert.id} /></span>],
							]}
						/>
					</Section>
					<Section title={t("alerts.evidence")} id="evidence">
						<EvidenceList key={alert.id} alert={alert} writable={writable} changed={one.reload} />
					</Section>
					<Section title={t("alerts.timeline")}>
						<Timeline key={alert.id} alert={alert} round={alert.etag} />
					</Section>
					{dialog === "close" && <CloseDialog n={1} send={apply} onClose={closeDialog} />}
					{dialog === "assign" && <AssignDialog n={1} now={alert.assignee ?? ""} send={apply} onClose={closeDialog} />}
					{(dialog === "due" || dialog === "snooze") && <Later kind={dialog} was={alert} send={apply} onClose={closeDialog} />}
					{dialog === "allow" && <AllowDialog alert={alert} onClose={closeDialog} done={() => one.reload()} />}
					{dialog === "merge" && <MergeDialog alert={alert} onClose={closeDialog} done={took} />}
				</>
			)}
		</Drawer>
	);
}
