// What the resolver did: how much, what was blocked and why, whose, and when.
import { About, AskAllow, Bars, ButtonLink, Coverage, type Definition, Empty, ErrorBox, Figure, Num, Page, Plain, Section, Skeleton, TimeRange, Verdict, Word, asked, dnsRows, enough, iso, k, link, orgTitle, place, quoted, range, resolve, scopeQuery, t, useData, withQuery } from "../../kit";
import { questionOf } from "./first";

interface Counts {
	queries: number;
	blocked: number;
	noted: number;
	failed: number;
	last: string | null;
}
interface Overview {
	queries: number;
	blocked: number;
	noted: number;
	passed: number;
	refused: number;
	failed: number;
	bucket_s: number;
	trend: { time: string; queries: number; blocked: number; noted: number }[];
	origins: (Counts & { origin: string })[];
	zones: (Counts & { zone: string; layer: string; category: string; trigger: string })[];
	organisations: (Counts & { org: string })[];
	networks: (Counts & { org: string; network: string })[];
	names: (Counts & { name: string; zone: string; category: string; layer: string; clients: number; organisations: number })[];
	coverage: { expected: number; reporting: number };
	last_event: string | null;
	as_of: string;
}
const BLOCKED = "(verdict:blocked OR verdict:dropped)";
const share = (n: number, all: number) => (n === 0 ? "0" : ((n / all) * 100).toFixed(n / all < 0.1 ? 2 : 1));

function Figures({ o, rows }: { o: Overview; rows: (q: string) => string }) {
	const cards: [string, number, string, string, Definition][] = [
		[t("dns.queries"), o.queries, "", "", [k("dns.about.queries"), k("dns.about.queries-how")]],
		[t("dns.blocked"), o.blocked, BLOCKED, t("dns.share", { n: share(o.blocked, o.queries) }), [k("dns.about.blocked"), k("dns.about.blocked-how")]],
		[t("dns.noted"), o.noted, "verdict:noted", "", [k("dns.about.noted"), k("dns.about.noted-how")]],
		[t("dns.passed"), o.passed, "verdict:passed", "", [k("dns.about.passed"), k("dns.about.passed-how")]],
		[t("dns.failed"), o.failed + o.refused, "(verdict:failed OR verdict:refused)", t("dns.share", { n: share(o.failed + o.refused, o.queries) }), [k("dns.about.failed"), k("dns.about.failed-how")]],
	];
	const unsure = o.coverage.expected > 0 && !enough(o.coverage);
	return (
		<div class="y-figures">
			{cards.map(([name, n, q, more, about]) => (
				<Figure key={name} name={name} n={n} href={rows(q)} about={about} asOf={o.as_of} heard={o.coverage.expected > 0 ? o.coverage : undefined} unsure={unsure}>
					{more !== "" && <small>{more}</small>}
				</Figure>
			))}
		</div>
	);
}
function Zones({ o, rows }: { o: Overview; rows: (q: string) => string }) {
	return (
		<Plain
			caption={t("dns.by-zone")}
			heads={[[t("dns.zone")], [t("dns.layer")], [t("dns.category")], [t("dns.trigger")], [t("dns.hits"), true], [t("dns.noted"), true]]}
			rows={o.zones.slice(0, 20).map((z) => {
				const q = `policy:${quoted(z.zone)}${z.category === "" ? "" : ` category:${quoted(z.category)}`} trigger:${quoted(z.trigger)}`;
				return {
					key: `${z.zone}/${z.layer}/${z.category}/${z.trigger}`,
					cells: [<code translate={false}>{z.zone}</code>, <Word group="dns-word" word={z.layer} />, z.category, <Word group="dns-word" word={z.trigger} />, <Num n={z.queries} href={rows(q)} label={z.zone} />, <Num n={z.noted} href={z.noted > 0 ? rows(`${q} verdict:noted`) : undefined} label={t("dns.noted")} />],
				};
			})}
		/>
	);
}
function Names({ o, rows }: { o: Overview; rows: (q: string) => string }) {
	return (
		<Plain
			caption={t("dns.names")}
			heads={[[t("dns.name")], [t("dns.zone")], [t("dns.category")], [t("dns.blocked"), true], [t("dns.clients"), true], [t("dns.why")]]}
			rows={o.names.map((n) => ({
				key: n.name,
				cells: [
					<code translate={false}>{n.name}</code>,
					<code translate={false}>{n.zone}</code>,
					n.category,
					<Num n={n.blocked} href={rows(`query:${quoted(n.name)} ${BLOCKED}`)} label={n.name} />,
					<Num n={n.clients} href={rows(`query:${quoted(n.name)} ${BLOCKED}`)} label={t("dns.clients")} />,
					<span class="y-row">
						<ButtonLink small kind="quiet" href={link("dns-check", { query: { name: n.name } })}>{t("dns.see-why")}</ButtonLink>
						<AskAllow small name={n.name} org={place.value.org} />
					</span>,
				],
			}))}
		/>
	);
}
function People({ o, rows }: { o: Overview; rows: (q: string, org?: string) => string }) {
	const heads: [string, boolean?][] = [[t("dns.queries"), true], [t("dns.blocked"), true], [t("dns.failed"), true]];
	const cells = (c: Counts, q: string, org: string) => [<Num n={c.queries} href={rows(q, org)} label={t("dns.queries")} />, <Num n={c.blocked} href={c.blocked > 0 ? rows(`${q} ${BLOCKED}`.trim(), org) : undefined} label={t("dns.blocked")} />, <Num n={c.failed} href={c.failed > 0 ? rows(`${q} (verdict:failed OR verdict:refused)`.trim(), org) : undefined} label={t("dns.failed")} />];
	const named = o.networks.filter((n) => n.network !== "");
	return (
		<>
			<Section title={t("dns.by-org")} about={<About name={t("dns.by-org")} about={[k("dns.about.by-org"), k("dns.about.group-how")]} asOf={o.as_of} />}>
				<Plain caption={t("dns.by-org")} heads={[[t("scope.organisation")], ...heads]} rows={o.organisations.slice(0, 15).map((c) => ({ key: c.org, cells: [<a href={link("dns", { scope: { org: c.org } })}>{orgTitle(c.org)}</a>, ...cells(c, "", c.org)] }))} />
			</Section>
			{named.length > 0 && (
				<Section title={t("dns.by-network")} about={<About name={t("dns.by-network")} about={[k("dns.about.by-network"), k("dns.about.group-how")]} asOf={o.as_of} />}>
					<Plain caption={t("dns.by-network")} heads={[[t("dns.network")], ...heads]} rows={named.slice(0, 15).map((c) => ({ key: `${c.org}/${c.network}`, cells: [<span><code translate={false}>{c.network}</code> <small class="y-soft">{orgTitle(c.org)}</small></span>, ...cells(c, `network:${quoted(c.network)}`, c.org)] }))} />
				</Section>
			)}
			<Section title={t("dns.by-origin")} about={<About name={t("dns.by-origin")} about={[k("dns.about.by-origin"), k("dns.about.group-how")]} asOf={o.as_of} />}>
				<Plain caption={t("dns.by-origin")} heads={[[t("dns.origin")], ...heads]} rows={o.origins.map((c) => ({ key: c.origin, cells: [<Word group="dns-word" word={c.origin || "none"} />, ...cells(c, `origin:${quoted(c.origin)}`, place.value.org)] }))} />
			</Section>
		</>
	);
}

export default function Dns() {
	const r = range("now-24h");
	const found = useData<Overview>("/dns/overview", questionOf(asked()));
	const o = found.data;
	const base = o === undefined ? Date.now() : Date.parse(o.as_of);
	const times = { from: iso(resolve(r.from || "now-24h", base)), to: iso(resolve(r.to || "now", base)) }; // rows as many as were counted
	const rows = (q: string, org?: string) => dnsRows(q, times, org === "" ? undefined : org);
	return (
		<Page
			title={t("nav.dns")}
			lead={<Coverage expected={o?.coverage.expected || undefined} reporting={o?.coverage.reporting} lastEvent={o?.last_event} asOf={o?.as_of} href={link("sources")} />}
			range={<TimeRange />}
			exports={{ kind: "events", query: { ...scopeQuery(), q: "class:dns_activity verdict:*", from: times.from, to: times.to } }}
		>
			{found.error !== undefined && <ErrorBox error={found.error} again={found.reload} />}
			{o === undefined && found.error === undefined && <Skeleton lines={8} />}
			{o !== undefined && o.queries === 0 && (
				<Empty title={t("dns.none")} action={<a href={withQuery({ from: "now-30d", to: null })}>{t("dns.none-longer")}</a>}>
					{t("dns.none-why")}
				</Empty>
			)}
			{o !== undefined && o.queries > 0 && (
				<>
					<Figures o={o} rows={rows} />
					<Section title={t("dns.over-time")} about={<About name={t("dns.over-time")} about={[k("dns.about.over-time"), k("dns.about.group-how")]} asOf={o.as_of} />}>
						<Bars
							label={t("dns.over-time")}
							series={[{ key: "blocked", label: t("dns.blocked"), tone: "critical" }, { key: "noted", label: t("dns.noted"), tone: "medium" }, { key: "rest", label: t("dns.rest"), tone: "base" }]}
							buckets={o.trend.map((b) => ({ time: b.time, values: { blocked: b.blocked, noted: b.noted, rest: b.queries - b.blocked - b.noted } }))}
							width={o.bucket_s}
							href={(from, to) => withQuery({ from, to })}
						/>
					</Section>
					{o.zones.length > 0 && (
						<Section title={t("dns.by-zone")} about={<About name={t("dns.by-zone")} about={[k("dns.about.by-zone"), k("dns.about.group-how")]} asOf={o.as_of} />}>
							<Zones o={o} rows={rows} />
						</Section>
					)}
					<Section title={t("dns.names")} about={<About name={t("dns.names")} about={[k("dns.about.names"), k("dns.about.group-how")]} asOf={o.as_of} />} end={o.blocked > 0 ? <a href={rows(BLOCKED)}>{t("dns.all-blocked")}</a> : undefined}>
						{o.names.length === 0 ? <p class="y-row"><Verdict word="allowed" /> {t("dns.nothing-blocked")}</p> : <Names o={o} rows={rows} />}
					</Section>
					<People o={o} rows={rows} />
				</>
			)}
		</Page>
	);
}
