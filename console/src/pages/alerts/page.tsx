// Alerts: filter, group, select, change many, read one beside the list.
import { useEffect, useMemo, useState } from "preact/hooks";
import { About, BulkBar, Button, Chip, type Column, type ComponentChildren, Confirm, Empty, Heard, type Job, type List, Menu, NewRows, Num, Page, Saved, savedOf, type Rule, SearchBox, Select, Severity, Table, Time, TimeRange, api, asked, at, iso, k, link, may, newSelection, orgTitle, param, place, resolve, setQuery, severityName, stepsOf, t, textOf, useData, useList, useLive, useNews, withQuery, withRest } from "../../kit";
import { AssignDialog, CloseDialog, Later } from "./dialogs";
import { AlertDrawer } from "./drawer";
import { filterOf, groupedBy, sortOf } from "./first";
import { type Alert, type Filter, GROUPS, type Group, type Patch, STATE_TONE, changeMany, report, toastError } from "./model";

const selection = newSelection();
const STATES = ["active", "snoozed", "open", "new", "in_progress", "on_hold", "closed", "all"] as const;

// The filter as the body of a bulk change: numbers as numbers, times absolute.
const bulkFilter = (f: Filter) => ({
	...f,
	...(f.severity !== undefined && { severity: Number(f.severity) }),
	...(f.watched !== undefined && { watched: true }),
	...(f.overdue !== undefined && { overdue: true }),
	...(f.severity_max !== undefined && { severity_max: Number(f.severity_max) }),
	...(f.from !== undefined && { from: iso(resolve(f.from)) }),
	...(f.to !== undefined && { to: iso(resolve(f.to)) }),
});
function severities(): [string, string][] {
	const only = param("severity_max") !== "" && param("severity_max") === param("severity");
	return [
		["", t("alerts.severity.any")],
		...[2, 3, 4, 5].map((n): [string, string] => [String(n), only && param("severity") === String(n) ? t("alerts.severity.only", { severity: severityName(n) }) : t("alerts.severity.from", { severity: severityName(n) })]),
	];
}
/** What the list is narrowed to, and how it is no more. */
function Only({ name, called }: { name: "indicator" | "asset" | "category" | "list" | "hunt"; called: string | undefined }) {
	const value = param(name);
	const isRule = name === "indicator" && /^r-[0-9a-z]+$/i.test(value);
	// of a rule without alerts only the rule says it
	const rule = useData<Rule>(isRule && called === undefined && may("indicators:read") ? at`/detection-rules/${value}` : "");
	return (
		<Button small icon="close" onClick={() => setQuery({ [name]: null })}>
			{isRule ? t("evidence.rule") : t(`alerts.${name}`)}: {called ?? rule.data?.title ?? value}
		</Button>
	);
}
/** What alerts of a rule or a notice are called says it of the rule or the notice, too. */
const calledBy = (type: string | null | undefined, title: string | undefined) => (type === "rule" || type === "notice" ? title : undefined);
/** `called`: what the indicator that is filtered by is called, where it is no value. */
function Filters({ called, end }: { called?: string | undefined; end?: ComponentChildren }) {
	return (
		<div class="y-filters">
			<SearchBox label={t("alerts.find")} value={param("q")} onChange={(q) => setQuery({ q })} />
			<Select label={t("alerts.state")} value={param("state", "active")} onChange={(v) => setQuery({ state: v === "active" ? null : v })} options={STATES.map((s) => [s, t(`alerts.state.${s}`)])} />
			<Select label={t("alerts.severity")} value={param("severity")} onChange={(severity) => setQuery({ severity, severity_max: null })} options={severities()} />
			<Select label={t("alerts.assignee")} value={param("assignee")} onChange={(assignee) => setQuery({ assignee })} options={[["", t("alerts.assignee.any")], ["me", t("alerts.assignee.me")], ["none", t("alerts.assignee.none")]]} />
			<Select
				label={t("alerts.only")}
				value={param("overdue") !== "" ? "overdue" : param("watched") !== "" ? "watched" : ""}
				onChange={(v) => setQuery({ overdue: v === "overdue" ? "true" : null, watched: v === "watched" ? "true" : null })}
				options={[["", t("alerts.only")], ["overdue", t("alerts.overdue")], ["watched", t("alerts.watched")]]}
			/>
			<Select label={t("alerts.group")} value={param("by")} onChange={(by) => setQuery({ by })} options={GROUPS.map(([v, label]) => [v, textOf(label)])} />
			{(["indicator", "asset", "category", "list", "hunt"] as const).map(
				(name) =>
					param(name) !== "" && (
						<Only key={name} name={name} called={name === "indicator" ? called : undefined} />
					),
			)}
			{end}
		</div>
	);
}

const COLUMNS = (): Column<Alert>[] => [
	{ key: "severity", label: t("alerts.severity"), cell: (a) => <Severity id={a.severity_id} />, sort: "severity", width: "min" },
	{ key: "title", label: t("alerts.title-column"), main: true, width: "wide", cell: (a) => <a href={withRest([a.id])}>{a.title}</a> },
	{ key: "org", drop: 1, label: t("scope.organisation"), cell: (a) => orgTitle(a.org) },
	{ key: "asset", drop: 2, label: t("alerts.asset"), cell: (a) => <a class="y-plain" href={link("overview", { scope: { org: a.org, system: a.system ?? "", asset: a.asset } })}>{a.asset}</a>, width: "min" },
	{ key: "indicator", label: t("alerts.indicator"), cell: (a) => calledBy(a.indicator_type, a.title) ?? <code>{a.indicator}</code>, extra: true },
	{ key: "category", label: t("alerts.category"), cell: (a) => a.category, extra: true },
	{ key: "list", label: t("alerts.list"), cell: (a) => a.list, extra: true },
	{ key: "count", drop: 2, label: t("alerts.count"), num: true, cell: (a) => <Num n={a.count} href={withRest([a.id])} label={t("alerts.count")} />, width: "min" },
	{ key: "first_seen", label: t("alerts.first-seen"), cell: (a) => <Time at={a.first_seen} />, sort: "first_seen", extra: true, width: "min" },
	{ key: "last_seen", label: t("alerts.last-seen"), cell: (a) => <Time at={a.last_seen} />, sort: "last_seen", width: "min" },
	{ key: "due", label: t("alerts.due"), cell: (a) => (a.state === "closed" || a.due_at === null ? null : <span class={a.overdue ? "y-coverage--poor" : undefined}><Time at={a.due_at} /></span>), sort: "due", width: "min", drop: 1 },
	{ key: "state", label: t("alerts.state"), cell: (a) => <><Chip tone={STATE_TONE[a.state]}>{t(`alerts.state.${a.state}`)}</Chip>{a.snoozed_until !== null && <> <Chip>{t("alerts.state.snoozed")}</Chip></>}</>, width: "min" },
	{ key: "assignee", drop: 1, label: t("alerts.assignee"), cell: (a) => a.assignee ?? <span class="y-soft">{t("alerts.nobody")}</span>, width: "min" },
];

function nothing() {
	const filtered = ["q", "severity", "assignee", "indicator", "asset", "category", "list", "hunt", "from", "to", "watched", "overdue"].some((x) => param(x) !== "");
	const asleep = param("state") === "snoozed";
	return filtered || asleep ? (
		<Empty title={t("alerts.none-fits")} action={<a href={link("alerts")}>{t("alerts.clear-filter")}</a>} />
	) : (
		<Empty title={t("alerts.none")} action={may("events:read") ? <a href={link("sources")}>{t("alerts.none-next")}</a> : undefined}>
			{t("alerts.none-why")}
		</Empty>
	);
}

function GroupTable({ by, filter, list }: { by: string; filter: Filter; list: List<Group> }) {
	// a group that is shown counts on in its place; where a new one or a grown one belongs is asked for
	const news = useNews(["alerts"], list, "/alert-groups", { ...filter, by }, (g) => g.key, { isNew: (g, last) => last === undefined || !list.hasMore || g.severity_id > last.severity_id || (g.severity_id === last.severity_id && g.count > last.count) });
	const into = (g: Group) => (by === "org" ? link("alerts", { scope: { org: g.key }, query: Object.fromEntries(new URLSearchParams(withQuery({ by: null }).split("?")[1])) }) : withQuery({ by: null, [by]: g.key }));
	const label = by === "org" ? t("scope.organisation") : t(`alerts.${by}`);
	const columns: Column<Group>[] = [
		{ key: "severity", label: t("alerts.severity"), cell: (g) => <Severity id={g.severity_id} />, width: "min" },
		{ key: "title", label, main: true, width: "wide", cell: (g) => <a href={into(g)}>{by === "org" ? orgTitle(g.key) : g.title || g.key || t("alerts.nothing")}</a> },
		{ key: "count", drop: 2, label: t("alerts.alerts"), num: true, width: "min", cell: (g) => <Num n={g.count} href={into(g)} label={t("alerts.alerts")} /> },
		...(by === "org" ? [] : [{ key: "orgs", label: t("alerts.orgs"), num: true, width: "min" as const, cell: (g: Group) => <Num n={g.orgs} href={withQuery({ by: "org", [by]: g.key })} label={t("alerts.orgs")} /> }]),
		{ key: "first_seen", label: t("alerts.first-seen"), width: "min", cell: (g) => <Time at={g.first_seen} /> },
		{ key: "last_seen", label: t("alerts.last-seen"), width: "min", cell: (g) => <Time at={g.last_seen} /> },
	];
	const one = list.items.find((g) => g.key === param("indicator"));
	return <Table name="alert-groups" label={label} about={<About name={label} about={[k("alerts.about.groups"), k("alerts.about.rows-how")]} asOf={list.asOf} />} columns={columns} list={list} rowKey={(g) => g.key} rowHref={into} empty={nothing()} tools={<Filters called={calledBy(one?.type, one?.title)} end={<NewRows {...news} />} />} />;
}

function useAlertTable({ filter, job, setJob }: { filter: Filter; job: Job | undefined; setJob: (j: Job | undefined) => void }) {
	const sort = sortOf(asked());
	const list = useList<Alert>("/alerts", { ...filter, sort });
	const [dialog, setDialog] = useState("");
	const id = place.value.rest[0];
	const put = (next: Alert) => list.update((a) => (a.id === next.id ? next : a));
	const key = (a: Alert) => (sort === "due" ? -Date.parse(a.due_at ?? "9999-01-01") : sort === "severity" ? a.severity_id : sort === "newest" ? a.created_at : a.last_seen);
	const news = useNews([], list, "/alerts", { ...filter, sort }, (a) => a.id, { isNew: (a, last) => last === undefined || !list.hasMore || key(a) > key(last) });
	useLive(["alerts"], (c) => {
		if (c.topic === "gap") return;
		if (list.items.some((a) => a.id === c.id)) api.get<Alert>(at`/alerts/${c.id}`).then(put, () => undefined);
		else news.soon();
	});
	// what was put off comes back without anybody's doing
	useEffect(() => {
		if (filter.state !== "active") return undefined;
		const timer = setInterval(() => document.visibilityState === "visible" && news.look(), 60_000);
		return () => clearInterval(timer);
	});
	const n = selection.all.value ? (list.totalExact ? (list.total ?? 0) : 0) : selection.ids.value.size; // 0: not counted
	const bulk = async (set: Patch) => {
		const end = await changeMany(selection.all.value ? { filter: bulkFilter(filter) } : { ids: [...selection.ids.value] }, set, setJob).finally(() => setJob(undefined));
		selection.clear();
		list.reload();
		report(end, setJob, list.reload);
	};
	const quick = (set: Patch) => (selection.all.value ? setDialog(set.state ?? "") : void bulk(set).catch(toastError));
	const columns = useMemo(COLUMNS, [t("alerts.state")]);
	const one = list.items.find((a) => a.indicator === param("indicator"));
	const writable = may("alerts:write");
	const closeDialog = () => setDialog("");
	return {
		list,
		view: (
			<>
				<Table
					name="alerts"
					label={t("nav.alerts")}
					about={<About name={t("nav.alerts")} about={[k("alerts.about.rows"), k("alerts.about.rows-how")]} asOf={list.asOf} />}
					columns={columns}
					list={list}
					rowKey={(a) => a.id}
					rowName={(a) => a.title}
					rowHref={(a) => withRest([a.id])}
					open={id}
					selection={writable ? selection : undefined}
					sort={sort === "due" ? "due" : `-${sort === "newest" ? "first_seen" : sort}`}
					onSort={(s) => setQuery({ sort: { severity: "severity", first_seen: "newest", due: "due" }[s.replace("-", "")] ?? null }, "replace")}
					empty={nothing()}
					tools={<Filters called={calledBy(one?.indicator_type, one?.title)} end={<NewRows {...news} />} />}
				/>
				<BulkBar selection={selection} list={list as never} job={job} onCancel={job === undefined ? undefined : () => void api.del(at`/jobs/${job.id}`).catch(toastError)}>
					<Button onClick={() => setDialog("assign")}>{t("alerts.assign.action")}</Button>
					<Button onClick={() => setDialog("close")}>{t("alerts.close.action")}</Button>
					<Menu
						label={t("alerts.more")}
						icon="more"
						items={[
							{ label: t("alerts.start"), run: () => quick({ state: "in_progress" }) },
							{ label: t("alerts.hold"), run: () => quick({ state: "on_hold" }) },
							{ label: t("alerts.snooze.one"), run: () => setDialog("snooze") },
							{ label: t("alerts.due.one"), run: () => setDialog("due") },
						]}
					/>
				</BulkBar>
				{dialog === "close" && <CloseDialog n={n} send={bulk} onClose={closeDialog} />}
				{dialog === "assign" && <AssignDialog n={n} now="" send={bulk} onClose={closeDialog} />}
				{(dialog === "due" || dialog === "snooze") && <Later kind={dialog} send={bulk} onClose={closeDialog} />}
				{(dialog === "in_progress" || dialog === "on_hold") && (
					<Confirm title={t("alerts.sure")} action={t("alerts.sure-action")} run={() => bulk({ state: dialog })} onClose={closeDialog}>
						<p>{t("alerts.sure-what", { state: t(`alerts.state.${dialog}`) })}</p>
					</Confirm>
				)}
			</>
		),
		drawer:
			id === undefined ? undefined : (
				<AlertDrawer
					id={id}
					back={withRest([])}
					step={stepsOf(list.items, (a) => [a.id])}
					changed={put}
				/>
			),
	};
}

function Listed() {
	const filter = filterOf(asked());
	const [job, setJob] = useState<Job>();
	const { list, view, drawer } = useAlertTable({ filter, job, setJob });
	return (
		<Page title={t("nav.alerts")} lead={<Heard asOf={list.asOf} />} range={<TimeRange fallback="" />} actions={<Saved page="alerts" />} exports={[{ kind: "alerts", query: { ...filter, sort: param("sort") || undefined } }, ...ofOpen(), ...savedOf("alerts")]} drawer={drawer}>
			{view}
		</Page>
	);
}
// What is told of the alert that is open.
const ofOpen = () => {
	const id = place.value.rest[0];
	return id === undefined ? [] : (["alert-evidence", "alert-history", "alert-comments"] as const).map((kind) => ({ kind, query: { id } }));
};
function Grouped({ by }: { by: string }) {
	const filter = filterOf(asked());
	const list = useList<Group>("/alert-groups", { ...filter, by });
	return (
		<Page title={t("nav.alerts")} lead={<Heard asOf={list.asOf} />} range={<TimeRange fallback="" />} actions={<Saved page="alerts" />} exports={[{ kind: "alert-groups", query: { ...filter, by } }, { kind: "alerts", query: filter }, ...savedOf("alerts")]}>
			<GroupTable by={by} filter={filter} list={list} />
		</Page>
	);
}
export default function Alerts() {
	const by = groupedBy(asked());
	return by !== "" ? <Grouped by={by} /> : <Listed />;
}
