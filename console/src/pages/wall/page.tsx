// The wall: large numbers for a screen that nobody sits at.  Turns through its boards by
// itself, unless it is paused or whoever looks wants less motion; says when it is stale.
import { Button, ButtonLink, Figure, Page, Section, Select, Severity, Time, Unsure, clock, cx, day, enough, iso, k, knownCoverage, link, live, may, now, orgOf, param, resolve, scopeQuery, session, setQuery, severityName, span, stamp, t, textOf, titleOf, toMs, useData, useEffect, useKeys, useLive, useRef, useState } from "../../kit";

interface Heard {
	expected: number;
	reporting: number;
	last_event?: string | null;
}
interface Overview {
	as_of: string;
	coverage: Heard;
	open_by_severity: { severity_id: number; count: number }[];
	organisations: { org: string; title_ja: string; title_en: string; open: number; critical: number; high: number; coverage: Heard }[];
	silent: { org: string; source: string; sensor: string; last_received: string | null }[];
	silent_total: number;
}
interface Dns {
	as_of: string;
	queries: number;
	blocked: number;
	failed: number;
	refused: number;
	last_event: string | null;
}
const BOARDS = ["alerts", "organisations", "sources", "dns"] as const;
type Board = (typeof BOARDS)[number];
const LABEL: Record<Board, string> = { alerts: k("wall.alerts"), organisations: k("wall.organisations"), sources: k("wall.sources"), dns: k("wall.dns") };
const EVERY = ["10", "20", "30", "60"] as const;
const READ_MS = 60_000;
const STALE_MS = 180_000; // three readings that did not come

function Alerts({ o, unsure }: { o: Overview; unsure: boolean }) {
	const of = (fits: (id: number) => boolean) => o.open_by_severity.reduce((n, r) => n + (fits(r.severity_id) ? r.count : 0), 0);
	return (
		<div class="y-figures">
			{[5, 4, 3, 2].map((id) => (
				<Figure key={id} name={severityName(id)} label={<Severity id={id} />} n={of((x) => (id === 5 ? x >= 5 : x === id))} href={link("alerts", { query: { state: "open", severity: id, ...(id < 5 && { severity_max: id }) } })} about={[k("wall.about.severity"), k("wall.about.severity-how")]} asOf={o.as_of} unsure={unsure} />
			))}
		</div>
	);
}
function Organisations({ o }: { o: Overview }) {
	return (
		<ol class="wl-list">
			{o.organisations.slice(0, 8).map((x) => (
				<li key={x.org} class={cx(x.coverage.expected > 0 && !enough(x.coverage) && "y-hatched")}>
					<a href={link("overview", { scope: { org: x.org } })}>{titleOf(x)}</a>
					<span>
						<Severity id={5} bare /> <b class="y-num">{x.critical}</b>
					</span>
					<span>
						<Severity id={4} bare /> <b class="y-num">{x.high}</b>
					</span>
					<span>
						{t("wall.open")} <b class="y-num">{x.open}</b>
					</span>
					{x.coverage.expected > 0 && !enough(x.coverage) && <Unsure />}
				</li>
			))}
		</ol>
	);
}
function Sources({ o, c }: { o: Overview; c: Heard | undefined }) {
	return (
		<>
			<div class="y-figures">
				{c !== undefined && <Figure name={t("wall.heard")} n={`${c.reporting} / ${c.expected}`} href={link("sources")} about={[k("wall.about.heard"), k("wall.about.silent-how")]} asOf={o.as_of} unsure={!enough(c)} />}
				<Figure name={t("wall.silent")} n={o.silent_total} href={link("sources", { query: { state: "silent" } })} about={[k("wall.about.silent"), k("wall.about.silent-how")]} asOf={o.as_of} />
			</div>
			<ol class="wl-list">
				{o.silent.slice(0, 6).map((s) => (
					<li key={`${s.org} ${s.source} ${s.sensor}`}>
						<span>{titleOf(orgOf(s.org)) || s.org}</span>
						<span>{[s.source, s.sensor].filter((x) => x !== "").join(" / ")}</span>
						<Time at={s.last_received} />
					</li>
				))}
			</ol>
		</>
	);
}
function DnsBoard({ d }: { d: Dns }) {
	const cards: [string, number, [string, string]][] = [
		[t("wall.queries"), d.queries, [k("wall.about.queries"), k("wall.about.dns-how")]],
		[t("wall.blocked"), d.blocked, [k("wall.about.blocked"), k("wall.about.dns-how")]],
		[t("wall.failed"), d.failed + d.refused, [k("wall.about.failed"), k("wall.about.dns-how")]],
	];
	return (
		<div class="y-figures">
			{cards.map(([name, n, about]) => (
				<Figure key={name} name={name} n={n} href={link("dns")} about={about} asOf={d.as_of} />
			))}
		</div>
	);
}
/** Which boards the address asks for: those one may see, in its order. */
function boards(): Board[] {
	const asked = param("show").split(",").filter((x): x is Board => (BOARDS as readonly string[]).includes(x));
	const all = asked.length > 0 ? asked : [...BOARDS];
	return all.filter((x) => may(x === "dns" ? "events:read" : "alerts:read"));
}
const changes = () => Object.keys(session.value?.permissions ?? {}).some((x) => x.endsWith(":write") && x !== "searches:write");

export default function Wall() {
	const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
	const [paused, setPaused] = useState(calm);
	const [at, setAt] = useState(0);
	const timer = useRef(0);
	const shown = boards();
	const every = Number(param("every", "20")) || 20;
	const o = useData<Overview>("/overview", { ...scopeQuery(), from: "now-24h" });
	const [day0, setDay0] = useState(() => iso(resolve("now-24h")));
	const dns = useData<Dns>(shown.includes("dns") ? "/dns/overview" : "", { ...scopeQuery(), from: day0, buckets: 24 });
	const reload = () => {
		o.reload();
		setDay0(iso(resolve("now-24h")));
	};
	useEffect(() => {
		document.body.dataset.wall = "1";
		return () => {
			delete document.body.dataset.wall;
		};
	}, []);
	useEffect(() => {
		const again = setInterval(reload, READ_MS);
		return () => clearInterval(again);
	}, [o.reload]);
	useLive(["alerts"], () => {
		clearTimeout(timer.current);
		timer.current = window.setTimeout(o.reload, 5000);
	});
	useEffect(() => {
		if (paused || shown.length < 2) return undefined;
		const turn = setInterval(() => setAt((n) => n + 1), every * 1000);
		return () => clearInterval(turn);
	}, [paused, every, shown.length]);
	useKeys(t("nav.wall"), [
		{ keys: "p", label: t("wall.pause"), run: () => setPaused(!paused) },
		{ keys: "n", label: t("wall.next"), run: () => setAt((n) => n + 1) },
	]);
	const board = shown[at % Math.max(1, shown.length)];
	const c = knownCoverage(o.data?.coverage);
	const asOf = o.data?.as_of;
	const old = asOf !== undefined && now.value - toMs(asOf) > STALE_MS;
	const stale = old || live.value === "waiting" || o.error !== undefined;
	const ends = session.value?.session?.expires_at;
	return (
		<Page
			title={t("nav.wall")}
			lead={
				<p class={cx("wl-last", stale && "is-stale")}>
					<b role="status">{stale && t("wall.stale")}</b> 					{t("wall.last")} {asOf === undefined ? t("time.never") : stamp(asOf, true)}
					{c?.last_event != null && (
						<>
							{" "}
							{t("wall.newest")} <Time at={c.last_event} />
						</>
					)}
				</p>
			}
			actions={
				<>
					<Button icon={paused ? "play" : "pause"} aria-pressed={paused} onClick={() => setPaused(!paused)}>
						{paused ? t("wall.go-on") : t("wall.pause")}
					</Button>
					<Button kind="quiet" icon="right" label={t("wall.next")} onClick={() => setAt(at + 1)} />
					<Select label={t("wall.every")} value={String(every)} onChange={(x) => setQuery({ every: x === "20" ? null : x })} options={EVERY.map((x) => [x, span(Number(x))])} />
					<ButtonLink kind="quiet" icon="close" href={link("overview")}>
						{t("wall.leave")}
					</ButtonLink>
				</>
			}
		>
			<p class="wl-clock">
				<b>{clock(now.value)}</b> <span>{day(now.value)}</span>
			</p>
			<div class={cx("wl-board", stale && "y-hatched")}>
				{board !== undefined && (
					<Section title={textOf(LABEL[board])} end={<small class="y-soft">{t("wall.nth", { n: (at % shown.length) + 1, all: shown.length })}</small>}>
						{o.data === undefined && <p class="y-soft">{o.error === undefined ? t("loading") : o.error.title}</p>}
						{o.data !== undefined && board === "alerts" && <Alerts o={o.data} unsure={c !== undefined && !enough(c)} />}
						{o.data !== undefined && board === "organisations" && <Organisations o={o.data} />}
						{o.data !== undefined && board === "sources" && <Sources o={o.data} c={c} />}
						{board === "dns" && (dns.data !== undefined ? <DnsBoard d={dns.data} /> : <p class="y-soft">{dns.error === undefined ? t("loading") : dns.error.title}</p>)}
					</Section>
				)}
			</div>
			<p class="y-soft">
				{ends !== undefined && (
					<>
						{t("wall.session")} {stamp(ends)}
						{t("wall.session-why")}{" "}
					</>
				)}
				{changes() && <b class="wl-warn">{t("wall.may-change")}</b>}
			</p>
		</Page>
	);
}
