// Jobs: what the server works on, how far it is, what came out.
import { Button, ButtonLink, type Column, type ComponentChildren, Confirm, Heard, Drawer, Empty, ErrorBox, Facts, type Job, JobState, Num, Page, Progress, Section, Select, Skeleton, type Step, Table, Time, Value, Word, api, at, condition, finished, go, hasText, iso, jobStates, link, may, orgTitle, param, percent, place, orgQuery, send, setQuery, span, stepsOf, t, toMs, toast, toastError, useAgain, useData, useEffect, useList, useMemo, useNews, useState, withRest, NewRows } from "../../kit";

const KINDS = ["export", "events.import", "indicators.import", "indicators.compile", "alert.bulk", "alert.undo", "backup.create", "rule-try", "retro-hunt", "org.purge", "demo.load", "demo.remove"] as const;
/** An import counts bytes, all others count things. */
const inBytes = (j: Job) => j.kind === "events.import";
const kilo = (n: number | null) => (n === null ? null : Math.ceil(n / 1000));
/** These count thousandths of what there is to do. */
const inShares = (j: Job) => j.kind === "retro-hunt" || j.kind === "rule-try";
const soFar = (j: Job) => (inShares(j) ? percent(j.done / (j.total || 1)) : inBytes(j) ? t("jobs.kilobytes", { n: kilo(j.done) ?? 0 }) : t("jobs.items", { n: j.done }));
function Going({ job }: { job: Job }) {
	const b = inBytes(job);
	return <Progress done={b ? (kilo(job.done) ?? 0) : job.done} total={b ? kilo(job.total) : job.total} share={inShares(job)} label={b ? t("jobs.sent") : t("jobs.done-so-far")} since={job.started_at === null ? undefined : toMs(job.started_at)} />;
}
const isFile = (j: Job) => j.kind === "export" && j.state === "done";
/** Only who ordered an export has its file: ask first, then let the browser save it. */
async function save(j: Job): Promise<void> {
	const stop = new AbortController();
	try {
		await send("GET", at`/exports/${j.id}`, { signal: stop.signal });
	} catch (e) {
		toastError(e);
		return;
	}
	stop.abort();
	const a = document.createElement("a");
	a.href = `/api/v1/exports/${j.id}`;
	a.download = "";
	document.body.append(a);
	a.click();
	a.remove();
}
function Save({ job, kind }: { job: Job; kind: "main" | "quiet" }) {
	return (
		<Button kind={kind} small={kind === "quiet"} icon="save" onClick={() => void save(job)}>
			{t("jobs.download")}
		</Button>
	);
}
const took = (j: Job) => (j.started_at === null ? "" : span(((toMs(j.finished_at) || Date.now()) - toMs(j.started_at)) / 1000));
const cancel = (j: Job, done: (j: Job) => void) =>
	void api.del(at`/jobs/${j.id}`).then(() => {
		toast(t("jobs.cancelling"));
		api.get<Job>(at`/jobs/${j.id}`).then(done, toastError);
	}, toastError);

const canUndo = (j: Job) => j.undo_until !== null && toMs(j.undo_until) > Date.now() && may("alerts:write", j.org ?? undefined);
/** A bulk change is taken back by a job of its own, which is shown then. */
function Undo({ job }: { job: Job }) {
	const [asked, ask] = useState(false);
	const run = () => api.post<Job>(at`/jobs/${job.id}/undo`).then((j) => go(withRest([j.id])));
	return (
		<>
			<Button onClick={() => ask(true)}>{t("jobs.undo", { n: job.undo_left })}</Button>
			{asked && (
				<Confirm title={t("jobs.undo-title")} action={t("jobs.undo", { n: job.undo_left })} run={run} onClose={() => ask(false)}>
					<p>{t("jobs.undo-what", { n: job.undo_left })}</p>
				</Confirm>
			)}
		</>
	);
}
interface Fault {
	line?: number;
	text?: string;
	alert?: string;
	reason: string;
}
const faultsOf = (j: Job) => (Array.isArray(j.result?.faults) ? (j.result.faults as Fault[]) : []);
const errorsHref = (j: Job) => (j.errors === 0 ? undefined : faultsOf(j).length > 0 ? `${withRest([j.id])}#errors` : withRest([j.id]));
/** Where its effect is to be seen. */
function target(j: Job): string | undefined {
	const r = j.result ?? {};
	if (j.kind.startsWith("indicators.")) return link("indicators", { rest: typeof r.list === "string" && r.list !== "" ? [r.list] : [] });
	if (j.kind === "retro-hunt") return link("retro-hunts", { rest: [j.id] });
	if (j.kind === "alert.bulk" || j.kind === "alert.undo") return link("alerts", { query: { state: "all" } });
	if (j.kind === "events.import") return typeof r.sensor === "string" && j.org !== null ? link("search", { scope: { org: j.org }, query: { q: condition("sensor", r.sensor), from: "now-90d" } }) : link("sources");
	return undefined;
}
/** The rows behind a number of the result. */
function rowsOf(j: Job, name: string): string | undefined {
	const r = j.result ?? {};
	if (name === "bad" || name === "refused" || name === "changed_since") return faultsOf(j).length > 0 ? "#errors" : undefined;
	if ((name === "changed" || name === "restored") && may("audit:read")) return link("audit-log", { scope: {}, query: { action: name === "restored" ? "alert.undo" : "alert.", from: j.started_at ?? undefined, to: j.finished_at === null ? undefined : iso(toMs(j.finished_at) + 1000) } });
	if (j.kind === "indicators.import" && typeof r.list === "string" && ["read", "added", "updated", "unchanged"].includes(name)) return link("indicators", { query: { tab: "entries", list: r.list } });
	if (j.kind === "indicators.import" && name === "expired") return link("indicators", { query: { tab: "entries", list: String(r.list), validity: "expired" } });
	if (j.kind === "events.import" && (name === "parts" || name === "bytes")) return target(j);
	return undefined;
}
const COLUMNS = (): Column<Job>[] => [
	{ key: "state", label: t("jobs.state"), width: "min", cell: (j) => <JobState state={j.state} /> },
	{ key: "kind", label: t("jobs.kind"), main: true, cell: (j) => <a href={withRest([j.id])}><Word group="jobs.kind" word={j.kind} /></a> },
	{ key: "org", label: t("scope.organisation"), cell: (j) => (j.org === null ? t("scope.whole") : orgTitle(j.org)), drop: 2 },
	{
		key: "progress",
		label: t("jobs.progress"),
		width: "wide",
		cell: (j) => (j.state === "running" ? <Going job={j} /> : j.message !== "" ? j.message : j.done > 0 && <span class="y-soft">{soFar(j)}</span>),
	},
	{ key: "errors", label: t("jobs.errors"), num: true, width: "min", cell: (j) => <Num n={j.errors} href={errorsHref(j)} label={t("jobs.errors")} />, drop: 1 },
	{ key: "created", label: t("jobs.created"), width: "min", cell: (j) => <Time at={j.created_at} /> },
	{ key: "took", label: t("jobs.took"), num: true, width: "min", cell: (j) => took(j), extra: true },
	{ key: "do", label: t("jobs.result"), width: "min", cell: (j) => (isFile(j) ? <Save job={j} kind="quiet" /> : null) },
];
function Result({ job }: { job: Job }) {
	const rows = Object.entries(job.result ?? {}).filter(([name, v]) => name !== "faults" && !Array.isArray(v) && v !== null && v !== "" && v !== 0);
	if (rows.length === 0) return <p class="y-soft">{t("jobs.no-result")}</p>;
	return (
		<Facts
			rows={rows.map(([name, v]) => [
				name === "job" ? t("jobs.undo-of") : hasText(`jobs.field.${name}`) ? t(`jobs.field.${name}`) : name,
				name === "job" ? <a key={name} href={withRest([String(v)])}>{String(v)}</a> : typeof v === "number" ? <Num key={name} n={v} href={rowsOf(job, name)} /> : typeof v === "object" ? <code key={name}>{JSON.stringify(v)}</code> : <Value key={name}>{String(v)}</Value>,
			])}
		/>
	);
}
function FaultRow({ f }: { f: Fault }) {
	return (
		<li class="y-listrow">
			{f.line !== undefined && <span class="y-soft y-num">{t("jobs.line", { n: f.line })}</span>}
			<div class="y-grow">
				{f.alert !== undefined ? <a href={link("alerts", { rest: [f.alert], query: { state: "all" } })}>{f.alert}</a> : <code translate={false}>{f.text}</code>}
				<div class="y-soft">{f.reason}</div>
			</div>
		</li>
	);
}
function JobDrawer({ id, back, step, changed }: { id: string; back: string; step: Step; changed: (j: Job) => void }) {
	const one = useData<Job>(at`/jobs/${id}`);
	const job = one.data?.id === id ? one.data : undefined;
	const running = job !== undefined && !finished(job);
	useAgain(running, one.reload, 1000);
	useEffect(() => {
		if (job !== undefined) changed(job);
	}, [job?.state, job?.done]);
	const to = job === undefined ? undefined : target(job);
	return (
		<Drawer title={job === undefined ? t("jobs.one") : <Word group="jobs.kind" word={job.kind} />} back={back} step={step} head={job !== undefined && <div class="y-row"><JobState state={job.state} /><span class="y-soft">{job.org === null ? t("scope.whole") : orgTitle(job.org)}</span></div>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{job === undefined && one.error === undefined && <Skeleton lines={6} />}
			{job !== undefined && (
				<>
					{running && (
						<div class="y-row y-apart">
							<Going job={job} />
						</div>
					)}
					{job.message !== "" && <p class={job.state === "failed" ? "y-coverage--poor y-apart" : "y-apart"}>{job.message}</p>}
					{(job.state === "failed" || job.state === "interrupted") && <p class="y-soft y-apart">{t(`jobs.what-now.${job.state}`)}</p>}
					<div class="y-row y-apart">
						{isFile(job) && <Save job={job} kind="main" />}
						{to !== undefined && job.state === "done" && <ButtonLink href={to}>{t("jobs.see")}</ButtonLink>}
						{running && may("jobs:write", job.org ?? undefined) && <Button onClick={() => cancel(job, one.set)}>{t("jobs.cancel")}</Button>}
						{canUndo(job) && <Undo job={job} />}
					</div>
					<Facts
						rows={[
							[t("jobs.created"), <Time key="c" at={job.created_at} exact seconds />],
							[t("jobs.started"), <Time key="s" at={job.started_at} exact seconds />],
							[t("jobs.finished"), <Time key="f" at={job.finished_at} exact seconds />],
							[t("jobs.took"), took(job)],
							[t("jobs.items-done"), soFar(job)],
							[t("jobs.errors"), <Num key="e" n={job.errors} href={faultsOf(job).length > 0 ? "#errors" : undefined} />],
							...(canUndo(job) ? [[t("jobs.undo-until"), <Time key="u" at={job.undo_until} exact />] as [string, ComponentChildren]] : []),
							["ID", <Value key="i" copy>{job.id}</Value>],
						]}
					/>
					<Section title={t("jobs.result")}>
						<Result job={job} />
						{isFile(job) && <p class="y-soft">{t("jobs.kept")}</p>}
					</Section>
					{faultsOf(job).length > 0 && (
						<Section title={t("jobs.errors")} id="errors">
							{job.errors > faultsOf(job).length && <p class="y-soft">{t("jobs.first-errors", { n: faultsOf(job).length, all: job.errors })}</p>}
							<ul class="y-list">{faultsOf(job).map((f, i) => <FaultRow key={i} f={f} />)}</ul>
						</Section>
					)}
				</>
			)}
		</Drawer>
	);
}

export default function Jobs() {
	const query = { ...orgQuery(), state: param("state") || undefined, kind: param("kind") || undefined };
	const filtered = query.state !== undefined || query.kind !== undefined;
	const list = useList<Job>("/jobs", query);
	const id = place.value.rest[0];
	const put = (next: Job) => list.update((j) => (j.id === next.id ? next : j));
	const news = useNews(["jobs"], list, "/jobs", query, (j) => j.id);
	useAgain(list.items.some((j) => !finished(j)), news.look, 2000);
	const files = list.items.some(isFile);
	const columns = useMemo(() => COLUMNS().filter((c) => files || c.key !== "do"), [t("jobs.state"), files]);
	return (
		<Page
			title={t("nav.jobs")}
			lead={<Heard asOf={list.asOf} />}
			exports={{ kind: "jobs", query }}
			drawer={id === undefined ? undefined : <JobDrawer key={id} id={id} back={withRest([])} changed={put} step={stepsOf(list.items, (j) => [j.id])} />}
		>
			<Table
				name="jobs"
				label={t("nav.jobs")}
				columns={columns}
				list={list}
				rowKey={(j) => j.id}
				rowHref={(j) => withRest([j.id])}
				open={id}
				tools={
					<div class="y-filters">
						<Select label={t("jobs.state")} value={param("state")} onChange={(state) => setQuery({ state })} options={jobStates()} />
						<Select label={t("jobs.kind")} value={param("kind")} onChange={(kind) => setQuery({ kind })} options={[["", t("jobs.kind.any")], ...KINDS.map((s): [string, string] => [s, t(`jobs.kind.${s}`)])]} />
						<NewRows {...news} />
					</div>
				}
				empty={filtered ? <Empty title={t("jobs.none-fits")} action={<Button onClick={() => setQuery({ state: null, kind: null })}>{t("jobs.clear")}</Button>} /> : <Empty title={t("jobs.none")}>{t("jobs.none-why")}</Empty>}
			/>
		</Page>
	);
}
