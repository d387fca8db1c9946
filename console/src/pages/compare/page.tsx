// Organisations beside each other: the same measures of each, worst first, and the median of all.
import { About, type Column, type Definition, Empty, Figure, Heard, type List, Num, Page, Section, Select, Table, Time, Unsure, asked, enough, k, link, may, param, setQuery, span, t, titleOf, useData, useMemo } from "../../kit";
import { periodOf, questionOf } from "./first";

interface Row {
	org: string;
	title_ja: string;
	title_en: string;
	kind: "organisation" | "unit";
	grave: number;
	grave_before: number;
	opened: number;
	opened_before: number;
	triaged: number;
	triage_s: number | null;
	triage_s_before: number | null;
	silent: number | null;
	expected: number;
	reporting: number;
	heard_pct: number | null;
	dns_blocked: number | null;
	dns_blocked_before: number | null;
	last_event: string | null;
}
type Measure = "grave" | "opened" | "triage_s" | "silent" | "heard_pct" | "dns_blocked";
type Peers = Record<Measure, number | null> & { at_least: number; as_of: string };
interface Comparison {
	as_of: string;
	from: string;
	before: string;
	total: number;
	items: Row[];
	peers: Peers | null;
}
const PERIODS = ["7d", "30d", "90d"] as const;
const ABOUT: Record<Measure, Definition> = {
	grave: [k("compare.about.grave"), k("compare.about.grave-how")],
	opened: [k("compare.about.opened"), k("compare.about.opened-how")],
	triage_s: [k("compare.about.triage_s"), k("compare.about.triage_s-how")],
	silent: [k("compare.about.silent"), k("compare.about.silent-how")],
	heard_pct: [k("compare.about.heard_pct"), k("compare.about.heard_pct-how")],
	dns_blocked: [k("compare.about.dns_blocked"), k("compare.about.dns_blocked-how")],
};
const MEASURES = Object.keys(ABOUT) as Measure[];
const shown = (m: Measure, n: number) => (m === "triage_s" ? span(n) : m === "heard_pct" ? `${n} %` : n.toLocaleString());

/** The period before, and whether it was less or more. */
function Before({ m, now, before }: { m: Measure; now: number | null; before: number | null }) {
	if (before === null || now === null) return null;
	const sign = now === before ? t("compare.same") : t(now > before ? "compare.up" : "compare.down");
	return (
		<small class="y-soft cm-before">
			{sign} {t("compare.before", { n: shown(m, before) })}
		</small>
	);
}
const rowsOf = (r: Row, page: string, query: Record<string, string | number>) => link(page, { scope: { org: r.org }, query });

function columnsOf(c: Comparison | undefined, dns: boolean): Column<Row>[] {
	const from = c?.from ?? "";
	const dark = (r: Row) => r.expected > 0 && !enough(r);
	return [
		{ key: "org", label: t("scope.organisation"), main: true, cell: (r) => <a href={link("overview", { scope: { org: r.org } })}>{titleOf(r)}</a> },
		{ key: "grave", label: t("compare.grave"), num: true, width: "min", sort: "grave", cell: (r) => <span class="cm-cell"><Num n={r.grave} href={rowsOf(r, "alerts", { severity: 4, state: "open" })} label={t("compare.grave")} /><Before m="grave" now={r.grave} before={r.grave_before} /></span> },
		{ key: "opened", label: t("compare.opened"), num: true, width: "min", sort: "opened", cell: (r) => <span class="cm-cell"><Num n={r.opened} href={rowsOf(r, "alerts", { state: "all", sort: "newest", from })} label={t("compare.opened")} /><Before m="opened" now={r.opened} before={r.opened_before} /></span> },
		{ key: "triage", label: t("compare.triage_s"), num: true, width: "min", sort: "triage_s", cell: (r) => (r.triage_s === null ? <span class="y-soft">{t("compare.none-taken")}</span> : <span class="cm-cell"><a href={rowsOf(r, "alerts", { state: "all", from })} class="y-num">{span(r.triage_s)}</a><small class="y-soft cm-before">{t("compare.of", { n: r.triaged })}</small><Before m="triage_s" now={r.triage_s} before={r.triage_s_before} /></span>) },
		{ key: "silent", label: t("compare.silent"), num: true, width: "min", sort: "silent", cell: (r) => <Num n={r.silent} href={rowsOf(r, "sources", { state: "silent" })} label={t("compare.silent")} /> },
		{ key: "heard", label: t("compare.heard_pct"), num: true, width: "min", sort: "heard_pct", cell: (r) => <><a class="y-num" href={link("sources", { scope: { org: r.org } })}>{r.reporting} / {r.expected}</a>{dark(r) && <> <Unsure /></>}</> },
		...(dns ? [{ key: "dns", label: t("compare.dns_blocked"), num: true, width: "min" as const, sort: "dns_blocked", cell: (r: Row) => <span class="cm-cell"><Num n={r.dns_blocked} href={rowsOf(r, "search", { q: "class:dns_activity (verdict:blocked OR verdict:dropped)", from })} label={t("compare.dns_blocked")} /><Before m="dns_blocked" now={r.dns_blocked} before={r.dns_blocked_before} /></span> }] : []),
		{ key: "last", label: t("compare.last"), width: "min", extra: true, cell: (r) => <Time at={r.last_event} /> },
	];
}
/** What the others are like: a median of all organisations, or why there is none. */
function Peers({ peers, dns }: { peers: Peers | null | undefined; dns: boolean }) {
	if (peers === undefined) return null;
	return (
		<Section title={t("compare.peers")} about={<About name={t("compare.peers")} about={[k("compare.about.peers"), k("compare.about.peers-how")]} asOf={peers?.as_of} />}>
			{peers === null ? (
				<p class="y-soft">{t("compare.peers-few")}</p>
			) : (
				<div class="y-figures">
					{MEASURES.filter((m) => m !== "dns_blocked" || dns).map((m) => {
						const n = peers[m];
						return (
							<Figure key={m} name={t(`compare.${m}`)} n={n === null ? <small class="y-soft cm-few">{t("compare.too-few")}</small> : shown(m, n)} about={ABOUT[m]} asOf={peers.as_of} />
						);
					})}
				</div>
			)}
		</Section>
	);
}

export default function Compare() {
	const period = periodOf(asked());
	const sort = param("sort");
	const dns = may("events:read");
	const first = useData<Comparison>("/compare", questionOf(asked()));
	const more = useData<Comparison>(dns && first.data !== undefined ? "/compare" : "", { ...questionOf(asked()), dns: 1 }); // asks the event store: after what is quick
	const c = more.data !== undefined && !more.loading ? more.data : first.data;
	const items = useMemo(() => {
		const key = sort.replace("-", "") as keyof Row;
		const rank = (r: Row) => (typeof r[key] === "number" ? (r[key] as number) : -1);
		const up = sort.startsWith("-") ? -1 : 1;
		return sort === "" || c === undefined ? (c?.items ?? []) : [...c.items].sort((a, b) => up * (rank(a) - rank(b)));
	}, [c, sort]);
	const list: List<Row> = { items, total: c?.total, totalExact: true, asOf: c?.as_of ?? "", error: first.error, loading: first.loading, hasMore: false, more: first.reload, reload: first.reload, update: () => undefined, head: undefined };
	return (
		// as of the first answer: the second has the same rows and one number more, and nothing is asked for again because of it
		<Page title={t("nav.compare")} lead={<Heard asOf={first.data?.as_of} />} exports={{ kind: "compare", query: { ...questionOf(asked()), ...(dns && { dns: "1" }) } }}>
			<Peers peers={c?.peers} dns={dns} />
			<Section title={t("compare.matrix")}>
				<Table
					name="compare"
					label={t("nav.compare")}
					columns={columnsOf(c, dns)}
					list={list}
					rowKey={(r) => r.org}
					rowClass={(r) => (r.expected > 0 && !enough(r) ? "y-hatched" : "")}
					sort={sort === "" ? "-grave" : sort}
					onSort={(s) => setQuery({ sort: s }, "replace")}
					about={<About name={t("compare.matrix")} about={[k("compare.about.rows"), k("compare.about.rows-how")]} asOf={c?.as_of} />}
					tools={
						<div class="y-filters">
							<Select label={t("compare.period")} value={period} onChange={(p) => setQuery({ period: p === "30d" ? null : p })} options={PERIODS.map((p) => [p, t(`compare.period.${p}`)])} />
						</div>
					}
					empty={<Empty title={t("compare.nothing")} action={<a href={link("overview")}>{t("nav.overview")}</a>}>{t("compare.nothing-why")}</Empty>}
				/>
			</Section>
		</Page>
	);
}
