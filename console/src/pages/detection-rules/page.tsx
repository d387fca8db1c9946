// The rules of detection: which are in force, how often they are right, what they cost.
import { About, type ApiError, BulkBar, Button, ButtonLink, type Column, Empty, Heard, type Job, LEVELS, Menu, Num, OfOrg, Page, type PageOf, type Rule, STAGES, SearchBox, Select, Severity, Sort, type Stage, StageHere, Table, Time, alertsOf, api, k, lang, levelId, link, may, mayRule, newSelection, orgQuery, param, ruleHref, setQuery, severityName, sourceWords, stageOptions, t, toast, toastError, useList, useMemo, useState, whoseRule } from "../../kit";
import { ImportDialog } from "./import";

const KINDS = ["rule", "correlation", "filter"];
const FILTERS = ["q", "stage", "level", "kind", "collection", "technique", "tactic", "exact", "logsource", "refused"] as const;
const percent = (n: number) => new Intl.NumberFormat(lang.value, { style: "percent", maximumFractionDigits: 1 }).format(n);

/** Share of the work of all rules, as a bar with its number. */
function Cost({ share }: { share: number }) {
	return (
		<span class="dr-cost">
			<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
				<rect width={Math.min(100, share * 100)} height="8" />
			</svg>
			<span class="y-num">{percent(share)}</span>
		</span>
	);
}
const COLUMNS = (): Column<Rule>[] => [
	{ key: "level", label: t("detection-rules.level"), width: "min", cell: (r) => <Severity id={levelId(r.level)} /> },
	{
		key: "title",
		label: t("detection-rules.rule"),
		main: true,
		width: "wide",
		cell: (r) => (
			<>
				<a href={ruleHref(r.id)}>{r.title}</a>
				{r.techniques.length > 0 && <small class="y-soft y-under dr-under">{r.techniques.join(" ")}</small>}
				{r.refused !== null && r.refused !== "" && <small class="y-coverage--poor y-under">{t("detection-rules.refused")}</small>}
			</>
		),
	},
	{ key: "stage", label: t("detection-rules.stage"), width: "min", cell: (r) => <StageHere rule={r} /> },
	{ key: "source", label: t("detection-rules.logsource"), cell: (r) => (r.kind === "rule" ? sourceWords(r.logsource) : t(`detection-rules.kind.${r.kind}`)), drop: 2 },
	{ key: "org", label: t("scope.organisation"), cell: (r) => whoseRule(r.org, r.inherited), extra: true },
	{ key: "hits24", label: t("detection-rules.hits-24h"), num: true, width: "min", cell: (r) => <Num n={r.hits_24h} href={ruleHref(r.id, { tab: "hits" })} label={t("detection-rules.hits-24h")} />, extra: true },
	{ key: "hits30", label: t("detection-rules.hits-30d"), num: true, width: "min", cell: (r) => <Num n={r.hits_30d} href={ruleHref(r.id, { tab: "hits" })} label={t("detection-rules.hits-30d")} /> },
	{ key: "alerts", label: t("detection-rules.alerts-30d"), num: true, width: "min", cell: (r) => <Num n={r.alerts_30d} href={alertsOf(r.id)} label={t("detection-rules.alerts-30d")} />, drop: 2 },
	{ key: "false", label: t("detection-rules.false-30d"), num: true, width: "min", cell: (r) => <Num n={r.false_30d} href={link("alerts", { query: { indicator: r.id, state: "closed" } })} label={t("detection-rules.false-30d")} />, drop: 1 },
	{ key: "excepted", label: t("detection-rules.excepted-30d"), num: true, width: "min", cell: (r) => <Num n={r.excepted_30d} href={ruleHref(r.id, { tab: "exceptions" })} label={t("detection-rules.excepted-30d")} />, extra: true },
	{ key: "cost", label: t("detection-rules.cost"), width: "min", cell: (r) => <Cost share={r.cost_share} />, drop: 1 },
	{ key: "last", label: t("detection-rules.last-hit"), width: "min", cell: (r) => <Time at={r.last_hit_at} />, drop: 2 },
	{ key: "collection", label: t("detection-rules.collection"), width: "min", cell: (r) => r.collection, extra: true },
	{ key: "author", label: t("detection-rules.author"), cell: (r) => r.author, extra: true },
	{ key: "updated", label: t("detection-rules.updated"), width: "min", cell: (r) => <Time at={r.updated_at} />, extra: true },
];

const AT_ONCE = 500;
/** All or none of each five hundred; of those with one that is gone meanwhile, the others. `done` gets what is changed. */
async function changeMany(ids: string[], stage: Stage, done: (ids: string[]) => void): Promise<void> {
	for (let i = 0; i < ids.length; i += AT_ONCE) {
		const part = ids.slice(i, i + AT_ONCE);
		const gone = await api.post("/detection-rules/bulk", { ids: part, stage }).then(
			() => false,
			(e: ApiError) => {
				if (e.status !== 404) throw e;
				return true;
			},
		);
		if (!gone) done(part);
		else if (part.length > 1) for (const half of [part.slice(0, part.length >> 1), part.slice(part.length >> 1)]) await changeMany(half, stage, done);
	}
}
async function allOf(filter: Record<string, string | undefined>): Promise<Rule[]> {
	const out: Rule[] = [];
	for (let cursor: string | null = ""; cursor !== null; ) {
		const p: PageOf<Rule> = await api.get<PageOf<Rule>>("/detection-rules", { ...filter, limit: 200, cursor });
		out.push(...p.items);
		cursor = p.next_cursor;
	}
	return out;
}
/** Each to its own stage again, unless somebody has changed it since. */
async function putBack(was: Rule[], from: Stage): Promise<void> {
	const now = new Map((await allOf({})).map((r) => [r.id, r.stage]));
	for (const s of STAGES) await changeMany(was.filter((r) => r.stage === s && now.get(r.id) === from).map((r) => r.id), s, () => undefined);
}
const selection = newSelection();

const several = (stages: string) => stages.split(",").length > 1 && stages.split(",").every((s) => (STAGES as readonly string[]).includes(s));
function Filters({ collections }: { collections: string[] }) {
	const any = (name: string): [string, string] => ["", t(`detection-rules.any.${name}`)];
	return (
		<div class="y-filters">
			<SearchBox label={t("detection-rules.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
			<Select label={t("detection-rules.stage")} value={param("stage")} onChange={(stage) => setQuery({ stage })} options={[any("stage"), ...stageOptions(), ...(several(param("stage")) ? [[param("stage"), param("stage").split(",").map((s) => t(`stage.${s}`)).join(" / ")] as [string, string]] : [])]} />
			<Select label={t("detection-rules.level")} value={param("level")} onChange={(level) => setQuery({ level })} options={[any("level"), ...[...LEVELS].reverse().map((x): [string, string] => [x, severityName(levelId(x))])]} />
			<Select label={t("detection-rules.kind")} value={param("kind")} onChange={(kind) => setQuery({ kind })} options={[any("kind"), ...KINDS.map((x): [string, string] => [x, t(`detection-rules.kind.${x}`)])]} />
			{collections.length > 1 && <Select label={t("detection-rules.collection")} value={param("collection")} onChange={(collection) => setQuery({ collection })} options={[any("collection"), ...collections.map((x): [string, string] => [x, x])]} />}
			<Sort names={["hits", "false", "cost", "last_hit"]} label={(x) => t(`detection-rules.sort.${x}`)} />
			{param("technique") + param("tactic") !== "" && (
				<Button small icon="close" onClick={() => setQuery({ technique: null, tactic: null, exact: null })}>
					{t("detection-rules.technique")}: {[param("technique"), param("tactic")].filter((x) => x !== "").map((x) => (x === "none" ? t("detection-rules.technique-none") : x)).join(" / ")}
				</Button>
			)}
			{param("logsource") !== "" && (
				<Button small icon="close" onClick={() => setQuery({ logsource: null })}>
					{t("detection-rules.logsource")}: {param("logsource")}
				</Button>
			)}
		</div>
	);
}

export default function DetectionRules() {
	const filter = { ...orgQuery(), sort: param("sort") || undefined, ...Object.fromEntries(FILTERS.map((name) => [name, param(name) || undefined])) };
	const list = useList<Rule>("/detection-rules", filter);
	const [importing, setImporting] = useState(false);
	const [job, setJob] = useState<Job>();
	const columns = useMemo(COLUMNS, [t("detection-rules.rule")]);
	const writable = may("indicators:write");
	const collections = [...new Set([...list.items.map((r) => r.collection), param("collection")])].filter((x) => x !== "").sort();
	const going = (done: number, total: number) => setJob({ done, total, started_at: null } as Job);
	const bulk = async (stage: Stage) => {
		const those = selection.all.value ? await allOf(filter) : list.items.filter((r) => selection.ids.value.has(r.id));
		const was = those.filter((r) => mayRule(r.org) && r.stage !== stage);
		const changed = new Set<string>();
		const seen = (ids: string[]) => {
			for (const id of ids) changed.add(id);
			going(changed.size, was.length);
		};
		let whole = false;
		going(0, was.length);
		try {
			await changeMany(was.map((r) => r.id), stage, seen);
			whole = true;
		} finally { // what was done is done, and can be taken back, also where it ended halfway
			setJob(undefined);
			selection.clear();
			list.reload();
			const text = t("detection-rules.bulk-done", { n: changed.size, stage: t(`stage.${stage}`) }) + (changed.size < those.length ? ` ${t("detection-rules.bulk-left", { n: those.length - changed.size })}` : "");
			if (whole || changed.size > 0) toast(text, changed.size === 0 ? {} : { undo: () => void putBack(was.filter((r) => changed.has(r.id)), stage).then(list.reload, toastError) });
		}
	};
	const filtered = FILTERS.some((x) => param(x) !== "");
	return (
		<Page
			title={t("nav.detection-rules")}
			lead={<Heard asOf={list.asOf} />}
			exports={{ kind: "detection-rules", query: filter }}
			actions={
				writable && (
					<>
						<ButtonLink icon="plus" kind="main" href={link("detection-rule")}>
							{t("detection-rules.new")}
						</ButtonLink>
						<Button onClick={() => setImporting(true)}>{t("detection-rules.import")}</Button>
					</>
				)
			}
		>
			<OfOrg />
			<Table
				name="detection-rules"
				label={t("nav.detection-rules")}
				about={<About name={t("nav.detection-rules")} about={[k("detection-rules.about.rows"), k("detection-rules.about.rows-how")]} asOf={list.asOf} />}
				columns={columns}
				list={list}
				rowKey={(r) => r.id}
				rowName={(r) => r.title}
				rowHref={(r) => ruleHref(r.id)}
				selection={writable ? selection : undefined}
				tools={<Filters collections={collections} />}
				empty={filtered ? <Empty title={t("detection-rules.none-fits")} action={<a href={link("detection-rules")}>{t("detection-rules.clear")}</a>} /> : <Empty title={t("detection-rules.none")} action={writable ? <Button onClick={() => setImporting(true)}>{t("detection-rules.import")}</Button> : undefined}>{t("detection-rules.none-why")}</Empty>}
			/>
			<BulkBar selection={selection} list={list as never} job={job}>
				<Menu label={t("detection-rules.set-stage")} text={t("detection-rules.set-stage")} items={STAGES.map((s) => ({ label: t(`stage.${s}`), run: () => void bulk(s).catch(toastError) }))} />
			</BulkBar>
			{importing && <ImportDialog onClose={() => setImporting(false)} done={list.reload} />}
		</Page>
	);
}
