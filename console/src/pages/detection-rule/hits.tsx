// How often a rule hits, what of it is noise, what it costs; and its newest hits.
import { About, Bars, type Bucket, Empty, ErrorBox, Facts, Figure, Num, type Rule, Section, Short, Skeleton, Time, alertsOf, at, condition, iso, k, lang, link, may, orgTitle, range, resolve, ruleHref, span, t, useData } from "../../kit";

interface Hour {
	hour: string;
	/** An hour, or a day of what is a week old. */
	span_s: number;
	looked_at: number;
	hits: number;
	excepted: number;
	cost_ns: number;
}
interface Hit {
	event: string;
	org: string;
	time: string;
}
const DAY = 86_400_000;
const NEWEST = 20; // of each organisation
const share = (n: number) => new Intl.NumberFormat(lang.value, { style: "percent", maximumSignificantDigits: 2 }).format(n);

/** What a correlation holds and what it left out. */
function Holds({ state }: { state: NonNullable<Rule["state"]> }) {
	return (
		<Section title={t("detection-rule.state")} about={<About name={t("detection-rule.state")} about={[k("detection-rule.about.state"), k("detection-rule.about.state-how")]} />}>
			<Facts rows={(Object.keys(state) as (keyof typeof state)[]).map((x) => [t(`detection-rule.state.${x}`), <Num key={x} n={state[x]} />])} />
		</Section>
	);
}

export function Hits({ rule }: { rule: Rule }) {
	const r = range("now-7d");
	const times = { from: iso(Math.floor(resolve(r.from) / 3_600_000) * 3_600_000), to: iso(Math.ceil(resolve(r.to || "now") / 3_600_000) * 3_600_000) };
	const stats = useData<{ items: Hour[] }>(at`/detection-rules/${rule.id}/stats`, times);
	const hits = useData<{ items: Hit[] }>(at`/detection-rules/${rule.id}/hits`);
	const items = stats.data?.items ?? [];
	const found = (r: Rule) => (r.stage === "live" || r.stage === "audit-only") && may("events:read"); // at these stages each hit is a finding among the events
	const sum = (name: "looked_at" | "hits" | "excepted" | "cost_ns") => items.reduce((n, h) => n + h[name], 0);
	const cost = sum("cost_ns") / 1e9;
	const byDay = items.find((h) => h.span_s > 3600); // then the whole range is shown by such days
	const begin = byDay === undefined ? Date.parse(times.from) : Date.parse(byDay.hour) - Math.max(0, Math.ceil((Date.parse(byDay.hour) - Date.parse(times.from)) / DAY)) * DAY;
	const hours = Math.max(1, Math.round((Date.parse(times.to) - begin) / 3_600_000));
	const width = byDay !== undefined ? 24 : hours <= 72 ? 1 : hours <= 24 * 14 ? 6 : 24;
	const buckets: Bucket[] = Array.from({ length: Math.ceil(hours / width) }, (_, i) => {
		const from = begin + i * width * 3_600_000;
		const within = items.filter((h) => Date.parse(h.hour) >= from && Date.parse(h.hour) < from + width * 3_600_000);
		return { time: iso(from), values: { hits: within.reduce((n, h) => n + h.hits, 0), excepted: within.reduce((n, h) => n + h.excepted, 0) } };
	});
	return (
		<>
			{stats.error !== undefined && <ErrorBox error={stats.error} again={stats.reload} />}
			{stats.data === undefined && stats.error === undefined && <Skeleton lines={6} />}
			{stats.data !== undefined && (
				<>
					<div class="y-figures y-apart">
						<Figure name={t("detection-rule.hits")} n={<Short n={sum("hits")} />} href={found(rule) ? link("search", { query: { q: condition("indicator", rule.id), from: times.from, to: times.to } }) : "#newest"} about={[k("detection-rule.about.hits"), k("detection-rule.about.hits-how")]} />
						<Figure name={t("detection-rule.alerts-30d")} n={<Short n={rule.alerts_30d} />} href={alertsOf(rule.id)} about={[k("detection-rule.about.alerts"), k("detection-rule.about.alerts-how")]} />
						<Figure name={t("detection-rule.excepted")} n={<Short n={sum("excepted")} />} href={ruleHref(rule.id, { tab: "exceptions" })} about={[k("detection-rule.about.excepted"), k("detection-rule.about.excepted-how")]} />
						<Figure name={t("detection-rule.cost")} n={cost === 0 ? share(rule.cost_share) : span(cost)} about={[k("detection-rule.about.cost"), k("detection-rule.about.cost-how")]}>
							<small class="y-soft">{t("detection-rule.cost-of", { share: share(rule.cost_share), n: sum("looked_at") })}</small>
						</Figure>
					</div>
					<Bars label={t("detection-rule.over-time")} series={[{ key: "hits", label: t("detection-rule.hits"), tone: "base" }, { key: "excepted", label: t("detection-rule.excepted"), tone: "closed" }]} buckets={buckets} width={width * 3600} />
				</>
			)}
			{rule.state !== null && <Holds state={rule.state} />}
			<Section title={t("detection-rule.newest")} id="newest">
				{(hits.data?.items.length ?? 0) > 0 && <p class="y-soft">{t("detection-rule.newest-most", { n: NEWEST })}</p>}
				{hits.error !== undefined && <ErrorBox error={hits.error} again={hits.reload} />}
				{hits.data?.items.length === 0 && <Empty title={t("detection-rule.no-hits")}>{t("detection-rule.no-hits-why")}</Empty>}
				<ul class="y-list">
					{hits.data?.items.map((h) => (
						<li key={h.event} class="y-listrow">
							<a href={link("search", { rest: [h.event], scope: { org: h.org } })}>
								<Time at={h.time} exact seconds />
							</a>
							<span class="y-grow">
								{orgTitle(h.org)}
							</span>
						</li>
					))}
				</ul>
			</Section>
		</>
	);
}
