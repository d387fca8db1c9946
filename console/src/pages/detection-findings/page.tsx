// Findings beside rules: beacons, scans, silent sources ...; and how far each kind goes.
import { About, type Column, Empty, ErrorBox, Heard, type News, NewRows, Num, OfOrg, Page, Section, Select, Severity, Skeleton, type Stage, StageChip, Table, Tabs, Time, api, k, link, mayRule, orgQuery, orgTitle, param, place, SearchBox, setQuery, severityName, Sort, stageOptions, t, TimeRange, toast, toastError, useData, useFrom, useList, useMemo, useNews, withQuery } from "../../kit";

const KINDS = ["beacon", "spray", "travel", "scan", "volume", "silence", "flood"] as const;
type Kind = (typeof KINDS)[number];
interface Finding {
	org: string;
	kind: Kind;
	title: string;
	reason: string;
	score: number;
	severity_id: number;
	stage: Stage;
	indicator: string;
	asset: string;
	event: string | null;
	count: number;
	first_seen: string;
	last_seen: string;
}
interface Settings {
	org: string | null;
	items: { kind: Kind; stage: Stage; own: boolean }[];
}
const rowKey = (f: Finding) => `${f.org} ${f.indicator}`;
/** Its alert, or the event at which it was seen; a silence has none. */
const hrefOf = (f: Finding) => (f.stage === "live" ? link("alerts", { scope: { org: f.org }, query: { indicator: f.indicator, state: "all" } }) : f.event === null ? undefined : link("search", { rest: [f.event], scope: { org: f.org } }));

const COLUMNS = (): Column<Finding>[] => [
	{ key: "severity", label: t("detection-findings.severity"), width: "min", cell: (f) => <Severity id={f.severity_id} /> },
	{
		key: "title",
		label: t("detection-findings.finding"),
		main: true,
		width: "wide",
		cell: (f) => {
			const href = hrefOf(f);
			return (
				<>
					{href === undefined ? f.title : <a href={href}>{f.title}</a>}
					<small class="y-soft y-under">{f.reason}</small>
				</>
			);
		},
	},
	{ key: "score", label: t("detection-findings.score"), num: true, width: "min", cell: (f) => f.score },
	{ key: "stage", label: t("detection-findings.stage"), width: "min", cell: (f) => <StageChip stage={f.stage} />, drop: 1 },
	{ key: "org", label: t("scope.organisation"), cell: (f) => orgTitle(f.org), drop: 2 },
	{ key: "asset", label: t("detection-findings.asset"), cell: (f) => <a href={link("overview", { scope: { org: f.org, asset: f.asset } })}>{f.asset}</a>, extra: true },
	{ key: "count", label: t("detection-findings.count"), num: true, width: "min", cell: (f) => <Num n={f.count} />, drop: 1 },
	{ key: "first", label: t("detection-findings.first"), width: "min", cell: (f) => <Time at={f.first_seen} />, extra: true },
	{ key: "last", label: t("detection-findings.last"), width: "min", cell: (f) => <Time at={f.last_seen} /> },
];
const FILTERS = ["kind", "stage", "q", "severity"] as const;
const kindName = (kind: Kind) => t(`detection-findings.kind.${kind}`);

function List({ list, news }: { list: ReturnType<typeof useList<Finding>>; news: News }) {
	const columns = useMemo(COLUMNS, [t("detection-findings.finding")]);
	const filtered = [...FILTERS, "from", "to"].some((x) => param(x) !== "");
	return (
		<Table
			name="detection-findings"
			label={t("nav.detection-findings")}
			about={<About name={t("nav.detection-findings")} about={[k("detection-findings.about.rows"), k("detection-findings.about.rows-how")]} asOf={list.asOf} />}
			columns={columns}
			list={list}
			rowKey={rowKey}
			tools={
				<div class="y-filters">
					<SearchBox label={t("detection-findings.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
					<Select label={t("detection-findings.kind")} value={param("kind")} onChange={(kind) => setQuery({ kind })} options={[["", t("detection-findings.any-kind")], ...KINDS.map((x): [string, string] => [x, kindName(x)])]} />
					<Select label={t("detection-findings.stage")} value={param("stage")} onChange={(stage) => setQuery({ stage })} options={[["", t("detection-findings.any-stage")], ...stageOptions().filter(([x]) => x !== "off")]} />
					<Select label={t("detection-findings.severity")} value={param("severity")} onChange={(severity) => setQuery({ severity })} options={[["", t("detection-findings.any-severity")], ...[5, 4, 3, 2].map((x): [string, string] => [String(x), t("detection-findings.at-least", { severity: severityName(x) })])]} />
					<Sort names={["score"]} label={(x) => t(`detection-findings.sort.${x}`)} />
					<NewRows {...news} />
				</div>
			}
			empty={filtered ? <Empty title={t("detection-findings.none-fits")} action={<a href={withQuery(Object.fromEntries([...FILTERS, "from", "to"].map((x) => [x, null])))}>{t("detection-findings.clear")}</a>} /> : <Empty title={t("detection-findings.none")}>{t("detection-findings.none-why")}</Empty>}
		/>
	);
}

/** org "": for all organisations. */
function Stages({ org }: { org: string }) {
	const one = useData<Settings>("/detection-notices", { org: org || undefined });
	const of = one.data?.org ?? "";
	const writable = mayRule(of);
	const set = async (kind: Kind, stage: Stage | null) => one.set(await api.put<Settings>("/detection-notices", { org: of || null, kind, stage }));
	const change = (row: Settings["items"][number], to: string) => {
		const before = row.own ? row.stage : null;
		void set(row.kind, to === "" ? null : (to as Stage)).then(() => toast(t("detection-findings.changed"), { undo: () => void set(row.kind, before).catch(toastError) }), toastError);
	};
	return (
		<Section title={of === "" ? t("stage.all-orgs") : orgTitle(of)}>
			<p class="y-soft">{t("detection-findings.settings-what")}</p>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{one.data === undefined && one.error === undefined && <Skeleton lines={7} />}
			<ul class="y-list">
				{(one.data?.items ?? []).map((x) => (
					<li key={x.kind} class="y-listrow">
						<span class="y-grow">
							{kindName(x.kind)}
							<small class="y-soft y-under">{t(`detection-findings.what.${x.kind}`)}</small>
						</span>
						{writable ? (
							<Select
								label={t("detection-findings.stage-of", { kind: kindName(x.kind) })}
								value={x.own ? x.stage : ""}
								onChange={(v) => change(x, v)}
								options={[["", x.own ? t("detection-findings.inherit") : t("detection-findings.inherited", { stage: t(`stage.${x.stage}`) })], ...stageOptions()]}
							/>
						) : (
							<StageChip stage={x.stage} />
						)}
					</li>
				))}
			</ul>
		</Section>
	);
}

export default function DetectionFindings() {
	const filter = { ...orgQuery(), ...Object.fromEntries([...FILTERS, "sort"].map((x) => [x, param(x) || undefined])), ...useFrom() };
	const list = useList<Finding>("/detection-findings", filter);
	const news = useNews(["alerts"], list, "/detection-findings", filter, rowKey);
	const { org } = place.value;
	return (
		<Page title={t("nav.detection-findings")} lead={<Heard asOf={list.asOf} />} range={param("tab") === "settings" ? undefined : <TimeRange fallback="" />} exports={{ kind: "detection-findings", query: filter }}>
			<OfOrg />
			<Tabs
				label={t("nav.detection-findings")}
				tabs={[
					{ key: "findings", label: t("detection-findings.findings"), body: () => <List list={list} news={news} /> },
					{ key: "settings", label: t("detection-findings.settings"), body: () => <Stages key={org} org={org} /> },
				]}
			/>
		</Page>
	);
}
