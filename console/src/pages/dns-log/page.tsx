// Queries as they come, each with why it was answered so, and one click to ask for an allowance.
import { type ApiError, AskAllow, AskButton, AskDialog, Button, type Column, Drawer, Empty, ErrorBox, Facts, Heard, type List, type PageOf, Page, SearchBox, Section, type Step, Select, Skeleton, Table, Time, TimeRange, Value, Verdict, Word, api, asError, at, link, orgTitle, param, place, quoted, range, scopeQuery, setQuery, stepsOf, t, textOr, useCallback, useData, useEffect, useList, useMemo, useRef, useState, withQuery, withRest } from "../../kit";

interface Query {
	id: string;
	org: string;
	time: string;
	query?: string;
	query_type?: string;
	rcode?: string;
	verdict?: string;
	origin?: string;
	layer?: string;
	policy?: string;
	trigger?: string;
	rule?: string;
	category?: string;
	network?: string;
	src_ip?: string;
	proto?: string;
	app?: string;
	flags?: string;
	ede_code?: string;
	duration?: number;
	event_code?: string;
	answers?: string[];
}
const KEEP = 500;
const VERDICTS = ["", "blocked", "dropped", "noted", "passed", "allowed", "refused", "failed"] as const;
const took = (us: number | undefined) => (us === undefined ? "" : us < 1000 ? `${us} µs` : `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`);

function asked(): { q: string; from?: string; to?: string; org?: string; system?: string } {
	const r = range("now-24h");
	const verdict = param("verdict");
	const q = ["class:dns_activity verdict:*", verdict !== "" && `verdict:${verdict}`, param("q"), place.value.asset !== "" && quoted(place.value.asset)].filter(Boolean).join(" ");
	return { ...scopeQuery(), q, from: r.from || "now-24h", to: r.to || undefined };
}
/** New rows on top once a second; still while one reads. */
function useNew(on: boolean, q: string, reading: boolean): List<Query> & { held: number; show: () => void } {
	const [rows, setRows] = useState<Query[]>([]);
	const [held, setHeld] = useState<Query[]>([]);
	const [error, setError] = useState<ApiError>();
	const [asOf, setAsOf] = useState("");
	const [round, setRound] = useState(0);
	const still = useRef(reading);
	still.current = reading || scrollY > 240;
	const scope = JSON.stringify(scopeQuery());
	useEffect(() => {
		if (!on) return undefined;
		const stop = new AbortController();
		setRows([]);
		setHeld([]);
		setError(undefined);
		const run = async () => {
			for (let after = "now"; !stop.signal.aborted; ) {
				const p: PageOf<Query> & { next_after: string } = await api.get(`/events`, { ...scopeQuery(), q, after, limit: 200 }, stop.signal);
				after = p.next_after;
				setAsOf(p.as_of);
				const fresh = [...p.items].reverse();
				if (fresh.length > 0) (still.current || scrollY > 240 ? setHeld : setRows)((all) => [...fresh, ...all].slice(0, KEEP));
				await new Promise((done) => setTimeout(done, document.hidden ? 5000 : 1000));
			}
		};
		run().catch((e: unknown) => !stop.signal.aborted && setError(asError(e)));
		return () => stop.abort();
	}, [on, q, scope, round]);
	const show = () => {
		setRows((r) => [...held, ...r].slice(0, KEEP));
		setHeld([]);
	};
	const reload = useCallback(() => setRound((n) => n + 1), []);
	return { items: rows, total: undefined, totalExact: true, asOf, error, loading: false, hasMore: false, more: () => undefined, reload, update: (change) => setRows((r) => r.map(change)), head: undefined, held: held.length, show };
}
/** What an entry of an allow list would change; what a member's own resolver refuses it would not. */
const askable = (e: Query) => ["blocked", "dropped", "noted"].includes(e.verdict ?? "") && e.layer !== "member";
const COLUMNS = (ask: (e: Query) => void): Column<Query>[] => [
	{ key: "time", label: t("dns-log.time"), width: "min", cell: (e) => <Time at={e.time} exact seconds /> },
	{ key: "verdict", label: t("dns-log.verdict"), width: "min", cell: (e) => <Verdict word={e.verdict ?? ""} /> },
	{ key: "name", label: t("dns-log.name"), main: true, width: "wide", cell: (e) => <a class="y-mono" href={withRest([e.id])}>{e.query || "."}</a> },
	{ key: "type", label: t("dns-log.type"), width: "min", cell: (e) => e.query_type },
	{ key: "client", label: t("dns-log.client"), width: "min", cell: (e) => <span class="y-mono">{e.src_ip ?? ""}</span>, drop: 2 },
	{ key: "org", label: t("scope.organisation"), cell: (e) => orgTitle(e.org), drop: 1 },
	{ key: "why", label: t("dns-log.why"), width: "min", cell: (e) => (e.policy === undefined ? <span class="y-soft"><Word group="dns-word" word={e.origin ?? "none"} /></span> : <span><code translate={false}>{e.policy}</code> <small class="y-soft">{e.category}</small></span>) },
	{ key: "ask", label: t("dns-ask.action"), width: "min", cell: (e) => askable(e) && <AskButton small org={e.org} onClick={() => ask(e)} />, drop: 1 },
	{ key: "rcode", label: t("dns-log.rcode"), width: "min", cell: (e) => e.rcode, extra: true },
	{ key: "network", label: t("dns-log.network"), cell: (e) => e.network, extra: true },
	{ key: "took", label: t("dns-log.took"), width: "min", num: true, cell: (e) => took(e.duration), extra: true },
];

function Why({ id, step }: { id: string; step: Step }) {
	const one = useData<Query>(at`/events/${id}`);
	const e = one.data;
	const only = (field: string, value: string | undefined) => value !== undefined && value !== "" && <a href={withRest([], { q: `${field}:${quoted(value)}` })}>{value}</a>;
	return (
		<Drawer title={<span class="y-mono">{e?.query ?? t("nav.dns-log")}</span>} back={withRest([])} step={step} head={e !== undefined && <span class="y-row"><Verdict word={e.verdict ?? ""} /></span>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{e === undefined && one.error === undefined && <Skeleton lines={6} />}
			{e !== undefined && (
				<>
					<Section title={t("dns-log.why")}>
						<Facts
							rows={[
								[t("dns-log.layer"), e.layer !== undefined && <Word group="dns-word" word={e.layer} />],
								[t("dns-log.zone"), only("policy", e.policy)],
								[t("dns-log.category"), only("category", e.category)],
								[t("dns-log.trigger"), e.trigger !== undefined && <Word group="dns-word" word={e.trigger} />],
								[t("dns-log.record"), e.rule !== undefined && e.rule !== "" && <Value copy>{e.rule}</Value>],
								[t("dns-log.action"), e.event_code !== undefined && e.policy !== undefined && <Word group="dns-word" word={e.event_code} />],
								[t("dns-log.origin"), e.origin !== undefined && <Word group="dns-word" word={e.origin} />],
								[t("dns-log.ede"), (e.ede_code ?? "") !== "" && <span>{only("ede_code", e.ede_code)} <small class="y-soft">{textOr(`dns-log.ede.${e.ede_code}`, "")}</small></span>],
								[t("dns-log.took"), took(e.duration)],
							]}
						/>
						{e.policy === undefined && <p class="y-soft">{t("dns-log.no-policy")}</p>}
						<p class="y-row">
							{askable(e) && <AskAllow name={e.query ?? ""} org={e.org} />}
							<a href={link("dns-check", { query: { name: e.query ?? "", type: e.query_type ?? "", org: e.org, client: "" } })}>{t("dns-log.check")}</a>
						</p>
					</Section>
					<Section title={t("dns-log.question")}>
						<Facts
							rows={[
								[t("dns-log.time"), <Time at={e.time} exact seconds />],
								[t("dns-log.name"), <Value copy>{e.query || "."}</Value>],
								[t("dns-log.type"), e.query_type],
								[t("dns-log.client"), only("src_ip", e.src_ip)],
								[t("dns-log.network"), only("network", e.network)],
								[t("scope.organisation"), orgTitle(e.org)],
								[t("dns-log.proto"), [e.proto?.toUpperCase(), e.app === "dns" ? "" : e.app?.toUpperCase()].filter(Boolean).join(", ")],
								[t("dns-log.rcode"), e.rcode],
								[t("dns-log.flags"), e.flags],
								[t("dns-log.answers"), e.answers !== undefined && e.answers.length > 0 && <span class="y-mono">{e.answers.join(", ")}</span>],
							]}
						/>
						<p>
							<a href={link("search", { rest: [e.id], query: { q: `class:dns_activity query:${quoted(e.query ?? "")}` } })}>{t("dns-log.whole")}</a>
						</p>
					</Section>
				</>
			)}
		</Drawer>
	);
}

export default function DnsLog() {
	const live = param("live") === "1";
	const id = place.value.rest[0];
	const { q, from, to, ...scope } = asked();
	const found = useList<Query>(live ? "" : "/events", { ...scope, q, from, to });
	const [asking, setAsking] = useState<Query>();
	const fresh = useNew(live, q, id !== undefined || asking !== undefined);
	const list: List<Query> = live ? fresh : found;
	const columns = useMemo(() => COLUMNS(setAsking), [t("dns-log.time")]);
	const filtered = param("q") !== "" || param("verdict") !== "";
	return (
		<Page
			title={t("nav.dns-log")}
			lead={<Heard asOf={list.asOf} />}
			range={live ? undefined : <TimeRange />}
			actions={
				<Button icon={live ? "close" : "play"} aria-pressed={live} onClick={() => setQuery({ live: !live })}>
					{live ? t("dns-log.live-end") : t("dns-log.live")}
				</Button>
			}
			exports={live ? undefined : { kind: "events", query: { ...scope, q, from: from ?? "", ...(to !== undefined && { to }) } }}
			drawer={id !== undefined && <Why id={id} step={stepsOf(list.items, (e) => [e.id])} />}
		>
			<Table
				name="dns-log"
				label={t("nav.dns-log")}
				columns={columns}
				list={list}
				rowKey={(e) => e.id}
				rowHref={(e) => withRest([e.id])}
				open={id}
				tools={
					<div class="y-filters">
						<SearchBox label={t("dns-log.find")} value={param("q")} onChange={(text) => setQuery({ q: text })} />
						<Select label={t("dns-log.verdict")} value={param("verdict")} onChange={(verdict) => setQuery({ verdict })} options={VERDICTS.map((v) => [v, v === "" ? t("dns-log.any") : t(`dns-word.${v}`)])} />
						{live && fresh.held > 0 && <Button small icon="reload" onClick={fresh.show}>{t("dns-log.held", { n: fresh.held })}</Button>}
					</div>
				}
				empty={
					live ? (
						<Empty title={t("dns-log.live-none")}>{t("dns-log.live-none-why")}</Empty>
					) : (
						<Empty title={t("dns-log.none")} action={filtered ? <a href={withQuery({ q: null, verdict: null })}>{t("dns-log.clear")}</a> : <a href={withQuery({ from: "now-30d", to: null })}>{t("dns-log.longer")}</a>}>
							{t("dns-log.none-why")}
						</Empty>
					)
				}
			/>
			{asking !== undefined && <AskDialog name={asking.query ?? ""} org={asking.org} onClose={() => setAsking(undefined)} />}
		</Page>
	);
}
