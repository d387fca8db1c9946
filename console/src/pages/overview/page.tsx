// What a watch begins with: how many and how bad, who worst, what is silent, what
// changed since one looked last.
import { About, Bars, Coverage, Empty, ErrorBox, Figure, Num, Page, Section, Severity, Skeleton, Sparkline, type Loaded, type Tile, TileMap, Tiles, Time, TimeRange, Unsure, api, asked, assetQuery, cx, enough, k, knowOrgs, knownCoverage, link, loadOrgs, may, mayAll, orgOf, place, session, severityName, span, stamp, t, titleOf, useData, useEffect, useLive, useRef } from "../../kit";
import { Begin } from "./begin";
import { FirstSteps } from "./steps";
import { WorstAlerts, WorstAssets } from "./below";
import { eventsOf, numbersOf, uncounted } from "./first";

interface Heard {
	expected: number;
	reporting: number;
	last_event?: string | null;
}
interface OrgRow {
	org: string;
	title_ja: string;
	title_en: string;
	prefecture?: number;
	open: number;
	critical: number;
	high: number;
	previous: number;
	worst_id: string | null;
	worst_severity_id: number;
	last_event: string | null;
	coverage: Heard;
}
interface Overview {
	as_of: string;
	from: string;
	to: string;
	bucket_s: number;
	coverage: Heard;
	open_by_severity: { severity_id: number; count: number; previous: number; trend: number[] }[];
	overdue: number;
	overdue_exact: boolean;
	snoozed: number;
	trend: { time: string; new: number; closed: number }[];
	organisations: OrgRow[];
	before: { new: number; closed: number; events?: number };
	events_per_hour: { time: string; count: number }[] | null;
	silent: { org: string; source: string; sensor: string; state: "silent" | "never"; last_received: string | null; expected_every_s: number }[];
	silent_total: number;
	since: { time: string; new_alerts: number; closed_alerts: number; silent: number; new_organisations: number } | null;
}

function Delta({ now, before }: { now: number; before: number }) {
	const d = now - before;
	const text = d === 0 ? t("overview.same") : t(d > 0 ? "overview.more" : "overview.less", { n: Math.abs(d) });
	return <small class={cx(d > 0 && "ov-up", d < 0 && "ov-down")}>{text}</small>;
}
/** How many were open at the end of each step, up to now. */
function Course({ of, o, name }: { of: { count: number; previous: number; trend: number[] }; o: Overview; name: string }) {
	const past = o.trend.filter((b) => Date.parse(b.time) < Date.parse(o.as_of)).length;
	const values = [of.previous, ...of.trend.slice(0, past)];
	return <Sparkline values={values} label={t("overview.course", { name, from: of.previous, to: values.at(-1) ?? 0, least: Math.min(...values), most: Math.max(...values) })} />;
}
function Figures({ o, heard, unsure }: { o: Overview; heard: Heard | undefined; unsure: boolean }) {
	const of = (fits: (id: number) => boolean) => {
		const rows = o.open_by_severity.filter((r) => fits(r.severity_id));
		const sum = (value: (r: (typeof rows)[number]) => number) => rows.reduce((n, r) => n + value(r), 0);
		return { count: sum((r) => r.count), previous: sum((r) => r.previous), trend: o.trend.map((_, i) => sum((r) => r.trend[i] ?? 0)) };
	};
	const all = of(() => true);
	const cards = [
		{ id: 5, ...of((id) => id >= 5), query: { severity: 5 } },
		...[4, 3, 2].map((id) => ({ id, ...of((x) => x === id), query: { severity: id, severity_max: id } })),
	];
	return (
		<div class="y-figures">
			{cards.map((c) => (
				<Figure key={c.id} name={severityName(c.id)} label={<Severity id={c.id} />} n={c.count} href={link("alerts", { query: { ...c.query, state: "open" } })} about={[k("overview.about.severity"), k("overview.about.severity-how")]} asOf={o.as_of} heard={heard} unsure={unsure}>
					<Delta now={c.count} before={c.previous} />
					<Course of={c} o={o} name={severityName(c.id)} />
				</Figure>
			))}
			<Figure name={t("overview.all-open")} n={all.count} href={link("alerts", { query: { state: "open" } })} about={[k("overview.about.open"), k("overview.about.severity-how")]} asOf={o.as_of} heard={heard} unsure={unsure}>
				<Delta now={all.count} before={all.previous} />
				<Course of={all} o={o} name={t("overview.all-open")} />
			</Figure>
			<Figure name={t("overview.overdue")} n={o.overdue_exact ? o.overdue : `${o.overdue.toLocaleString()}+`} href={link("alerts", { query: { overdue: "true", state: "open", sort: "due" } })} about={[k("overview.about.overdue"), k("overview.about.overdue-how")]} asOf={o.as_of} heard={heard} unsure={unsure}>
				{o.snoozed > 0 && <small>{t("overview.snoozed", { n: o.snoozed })}</small>}
			</Figure>
		</div>
	);
}
function Since({ since }: { since: NonNullable<Overview["since"]> }) {
	const rows: [string, number, string][] = [
		[t("overview.since.new"), since.new_alerts, link("alerts", { query: { state: "all", sort: "newest", from: since.time } })],
		[t("overview.since.closed"), since.closed_alerts, link("alerts", { query: { state: "closed", from: since.time } })],
		[t("overview.since.silent"), since.silent, link("sources", { query: { state: "silent" } })],
		[t("overview.since.orgs"), since.new_organisations, link("organisations")],
	];
	return (
		<p class="ov-since">
			<span>
				{t("overview.since.title")} (<Time at={since.time} />)
			</span>
			<About name={t("overview.since.title")} about={[k("overview.about.since"), k("overview.about.since-how")]} />
			{rows.every(([, n]) => n === 0) && <span>{t("overview.since.none")}</span>}
			{rows.filter(([, n]) => n > 0).map(([label, n, href]) => (
				<span key={label}>
					{label} <Num n={n} href={href} label={label} />
				</span>
			))}
		</p>
	);
}
const unheard = (o: OrgRow) => knownCoverage(o.coverage) !== undefined && !enough(o.coverage);
const toneOf = (o: OrgRow) => (o.critical > 0 ? "critical" : o.high > 0 ? "high" : o.open > 0 ? "medium" : "none");
function tileText(o: { critical: number; high: number; open: number }): string {
	return o.open === 0 ? t("overview.tile.none") : t("overview.tile", { critical: o.critical, high: o.high, open: o.open });
}
const inScope = (org: string) => link("alerts", { scope: { org }, query: { state: "open" } });

function Places({ rows }: { rows: OrgRow[] }) {
	const placed = rows.map((o) => ({ o, code: o.prefecture ?? orgOf(o.org)?.prefecture ?? 0 })).filter((x) => x.code > 0);
	const tiles = new Map<number, Tile>();
	for (const { o, code } of placed) {
		const same = placed.filter((x) => x.code === code).map((x) => x.o);
		const sum = same.reduce((a, x) => ({ open: a.open + x.open, critical: a.critical + x.critical, high: a.high + x.high }), { open: 0, critical: 0, high: 0 });
		tiles.set(code, { n: sum.open, tone: toneOf({ ...o, ...sum }), unsure: same.some(unheard), label: `${same.map((x) => titleOf(x)).join(", ")}: ${tileText(sum)}`, href: same.length === 1 ? inScope(o.org) : link("alerts", { query: { by: "org", state: "open" } }) });
	}
	const rest = rows.filter((o) => !placed.some((x) => x.o === o));
	return (
		<div class="y-stack">
			{placed.length > 0 && <TileMap label={t("overview.map")} tiles={tiles} />}
			{rest.length > 0 && <Tiles label={t("overview.tiles")} tiles={rest.slice(0, 60).map((o) => ({ key: o.org, name: titleOf(o), n: o.open, tone: toneOf(o), unsure: unheard(o), label: tileText(o), href: inScope(o.org) }))} />}
		</div>
	);
}
function Worst({ rows }: { rows: OrgRow[] }) {
	return (
		<div class="y-tablebox">
			<table class="y-table y-table--dense">
				<caption class="y-hidden">{t("overview.worst")}</caption>
				<thead>
					<tr>
						<th scope="col">{t("scope.organisation")}</th>
						<th scope="col" class="is-num">
							{severityName(5)}
						</th>
						<th scope="col" class="is-num">
							{severityName(4)}
						</th>
						<th scope="col" class="is-num">
							{t("overview.open")}
						</th>
						<th scope="col" class="is-num">
							{t("overview.change")}
						</th>
						<th scope="col">{t("overview.worst-alert")}</th>
						<th scope="col">{t("overview.heard")}</th>
						<th scope="col">{t("overview.newest")}</th>
					</tr>
				</thead>
				<tbody>
					{rows.slice(0, 10).map((o) => (
						<tr key={o.org} class={unheard(o) ? "y-hatched" : undefined}>
							<td class="is-main" data-label={t("scope.organisation")}>
								<a href={link("overview", { scope: { org: o.org } })}>{titleOf(o)}</a>
							</td>
							<td class="is-num" data-label={severityName(5)}>
								<Num n={o.critical} href={link("alerts", { scope: { org: o.org }, query: { severity: 5, state: "open" } })} label={severityName(5)} />
							</td>
							<td class="is-num" data-label={severityName(4)}>
								<Num n={o.high} href={link("alerts", { scope: { org: o.org }, query: { severity: 4, severity_max: 4, state: "open" } })} label={severityName(4)} />
							</td>
							<td class="is-num" data-label={t("overview.open")}>
								<Num n={o.open} href={inScope(o.org)} label={t("overview.open")} />
							</td>
							<td class="is-num is-min" data-label={t("overview.change")}>
								<Delta now={o.open} before={o.previous} />
							</td>
							<td class="is-min" data-label={t("overview.worst-alert")}>
								{o.worst_id !== null && (
									<>
										<Severity id={o.worst_severity_id} bare /> <a href={link("alerts", { scope: { org: o.org }, rest: [o.worst_id] })}>{t("overview.see")}</a>
									</>
								)}
							</td>
							<td class="is-min" data-label={t("overview.heard")}>
								<span class="ov-heard">
								<a class={cx("y-num", o.coverage.reporting < o.coverage.expected && "y-coverage--poor")} href={link("sources", { scope: { org: o.org } })}>
									{o.coverage.reporting} / {o.coverage.expected}
								</a>
								{unheard(o) && <Unsure />}
								</span>
							</td>
							<td class="is-min" data-label={t("overview.newest")}>
								<Time at={o.last_event} />
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
function Silent({ rows, total, expected }: { rows: Overview["silent"]; total: number; expected: number }) {
	if (expected === 0 && total === 0) return <p class="y-soft">{t("overview.sources-none")} {may("events:write") && <a href={link("import")}>{t("overview.sources-none-do")}</a>}</p>;
	if (total === 0) return <p class="y-soft">{t("overview.silent-none")}</p>;
	return (
		<>
			<ul class="y-list">
				{rows.slice(0, 8).map((s) => (
					<li key={`${s.org} ${s.source} ${s.sensor}`} class="y-listrow">
						<a class="y-grow" href={link("sources", { scope: { org: s.org }, query: { state: s.state } })}>
							{titleOf(orgOf(s.org)) || s.org} <span class="y-soft">{[s.source, s.sensor].filter((x) => x !== "").join(" / ")}</span>
						</a>
						<span class="y-coverage--poor">{s.state === "never" ? t("overview.never-heard") : <Time at={s.last_received} />}</span>
						<small class="y-soft y-num">{t("overview.every", { time: span(s.expected_every_s) })}</small>
					</li>
				))}
			</ul>
			{total > 8 && (
				<p>
					<a href={link("sources", { query: { state: "silent" } })}>{t("overview.silent-all", { n: total })}</a>
				</p>
			)}
		</>
	);
}

interface Histogram {
	bucket_s: number;
	items: { time: string; count: number }[];
}
/** Events over time: counted, or asked of the event store: `early`, beside the numbers, where one knows that before. */
function Events({ o, early }: { o: Overview; early: Loaded<Histogram> | undefined }) {
	const question = eventsOf(asked());
	const ask = o.events_per_hour === null && may("events:read");
	const late = useData<Histogram>(ask && early === undefined ? "/event-histogram" : "", { ...question, from: o.from, to: o.to });
	const h = early ?? late;
	const width = ask ? h.data?.bucket_s : o.bucket_s;
	const items = ask ? h.data?.items : (o.events_per_hour ?? undefined);
	if (o.events_per_hour === null && !ask) return null;
	const logsIn = (from: string, to: string) => link("search", { query: { q: question.q, from, to } });
	return (
		<Section about={<About name={t("overview.events")} about={[k("overview.about.events"), k("overview.about.events-how")]} asOf={o.as_of} />} title={width === 3600 ? t("overview.events-hour") : width === 86_400 ? t("overview.events-day") : t("overview.events")}>
			{h.error !== undefined && <ErrorBox error={h.error} again={h.reload} />}
			{h.error === undefined && items === undefined && <Skeleton lines={4} />}
			{items !== undefined && width !== undefined && (
				<Bars label={t("overview.events")} width={width} buckets={items.map((b) => ({ time: b.time, values: { n: b.count } }))} series={[{ key: "n", label: t("overview.events"), tone: "base" }]} before={{ n: o.before.events }} href={may("events:read") ? logsIn : undefined} />
			)}
		</Section>
	);
}

const READ_MS = 4000; // shorter is not read
const STAY_MS = 10 * 60_000; // a visit ends when 30 minutes pass without a sign

export default function OverviewPage() {
	const { org, system, asset } = place.value;
	const one = useData<Overview>("/overview", numbersOf(asked()));
	const o = one.data;
	const few = uncounted(place.value) && may("events:read");
	const events = useData<Histogram>(few ? "/event-histogram" : "", eventsOf(asked()));
	const timer = useRef(0);
	useEffect(() => {
		if (one.data !== undefined) knowOrgs(one.data.organisations);
	}, [one.data]);
	useLive(["alerts"], () => {
		clearTimeout(timer.current);
		timer.current = window.setTimeout(one.reload, 2000); // one reading for many changes
	});
	useEffect(() => {
		void loadOrgs(); // for the prefectures
		// what is read is seen: at the next visit "since" begins here
		const looking = () => void (document.hidden || api.put("/me/visit", {}).catch(() => undefined));
		const first = setTimeout(looking, READ_MS);
		const every = setInterval(looking, STAY_MS);
		return () => {
			clearTimeout(first);
			clearInterval(every);
		};
	}, []);
	const alertsIn = (from: string, to: string) => link("alerts", { query: { state: "all", sort: "newest", from, to } });
	const heard = knownCoverage(o?.coverage);
	const unsure = heard !== undefined && !enough(heard);
	return (
		<Page
			title={t("nav.overview")}
			lead={<Coverage expected={heard?.expected} reporting={heard?.reporting} lastEvent={heard === undefined ? undefined : (heard.last_event ?? null)} asOf={o?.as_of} href={link("sources")} />}
			range={<TimeRange fallback="now-7d" />}
			exports={{ kind: "alerts", query: { ...assetQuery(), state: "open" } }}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{org === "" && o !== undefined && <Begin empty={o.organisations.length === 0} done={one.reload} />}
			{org === "" && <FirstSteps key={String(session.value?.demo)} />}
			{o === undefined && one.error === undefined && <Skeleton lines={10} />}
			{o !== undefined && (
				<>
					{o.since !== null && <Since since={o.since} />}
					<Section title={t("overview.open-alerts")} end={<small class="y-soft">{t("overview.compared", { time: stamp(o.from) })}</small>}>
						<Figures o={o} heard={heard} unsure={unsure} />
					</Section>
					<div class="y-grid">
						<Section title={t("overview.trend")} about={<About name={t("overview.trend")} about={[k("overview.about.trend"), k("overview.about.trend-how")]} asOf={o.as_of} />}>
							<Bars
								label={t("overview.trend")}
								width={o.bucket_s}
								buckets={o.trend.map((b) => ({ time: b.time, values: { new: b.new, closed: b.closed } }))}
								series={[
									{ key: "new", label: t("overview.new"), tone: "new" },
									{ key: "closed", label: t("overview.closed"), tone: "closed" },
								]}
								side
								before={o.before}
								href={alertsIn}
							/>
						</Section>
						<Events o={o} early={few ? events : undefined} />
					</div>
				</>
			)}
			{asset !== "" && (
				<div hidden={o === undefined}>
					<WorstAlerts />
				</div>
			)}
			{o !== undefined && (
				<>
					{org === "" && o.organisations.length === 0 && !mayAll("org:write") && (
						<Empty title={t("overview.no-orgs")} action={<a href={link("organisations")}>{t("nav.organisations")}</a>}>
							{t("overview.no-orgs-next")}
						</Empty>
					)}
					{asset === "" && (
						<div class="ov-columns">
							<div>
								{system === "" && o.organisations.length > 0 && (
									<Section title={t("overview.worst")} about={<About name={t("overview.worst")} about={[k("overview.about.worst"), k("overview.about.worst-how")]} asOf={o.as_of} />} end={o.organisations.length > 10 && <a href={link("alerts", { query: { by: "org" } })}>{t("overview.all-orgs", { n: o.organisations.length })}</a>}>
										<Worst rows={o.organisations} />
									</Section>
								)}
								{org !== "" && <WorstAssets />}
								{system === "" && heard !== undefined && (
									<Section title={t("overview.silent")} about={<About name={t("overview.silent")} about={[k("overview.about.silent"), k("overview.about.silent-how")]} asOf={o.as_of} />} end={o.silent_total > 0 && <Num n={o.silent_total} href={link("sources", { query: { state: "silent" } })} label={t("overview.silent")} />}>
										<Silent rows={o.silent} total={o.silent_total} expected={heard.expected} />
									</Section>
								)}
							</div>
							<div>
								{o.organisations.length > 1 ? (
									<Section title={t("overview.tiles")} about={<About name={t("overview.tiles")} about={[k("overview.about.tiles"), k("overview.about.tiles-how")]} asOf={o.as_of} />}>
										<Places rows={o.organisations} />
									</Section>
								) : (
									o.organisations.length === 1 && <WorstAlerts />
								)}
							</div>
						</div>
					)}
				</>
			)}
		</Page>
	);
}
