// Search: one box for words and conditions, what was found over time, the events, one beside them, and what comes in now.
import { Bars, Button, type Column, Empty, ErrorBox, Heard, type PageOf, Page, Saved, savedOf, Severity, Skeleton, Table, Time, TimeRange, asked, iso, lengthOf, link, orgTitle, param, place, range, resolve, session, setQuery, stepsOf, t, useData, useList, useMemo, withQuery, withRest, Word } from "../../kit";
import { useHistogram } from "./counted";
import { EventDrawer } from "./drawer";
import { BUCKETS, filterOf, isLive } from "./first";
import { type Event, type EventField, describe, gist } from "./model";
import { QueryBox } from "./query";
import { useTail } from "./tail";

const FIXED = ["id", "org", "time", "class_uid", "severity_id", "source", "message", "raw", "names"];

function columnsOf(fields: EventField[]): Column<Event>[] {
	const ends = (e: Event) => {
		const [from, to] = [e.src_ip ?? e.src_host, e.dst_ip ?? e.dst_host];
		return from === undefined && to === undefined ? (
			String(e.host ?? "")
		) : (
			<>
				<span>{String(from ?? "")}</span>
				{to !== undefined && (
					<>
						{" → "}
						<span>{`${String(to)}${e.dst_port !== undefined ? `:${String(e.dst_port)}` : ""}`}</span>
					</>
				)}
			</>
		);
	};
	return [
		{ key: "time", label: t("search.time"), width: "min", cell: (e) => <Time at={e.time} exact seconds /> },
		{ key: "severity", label: t("search.severity"), width: "min", cell: (e) => <Severity id={e.severity_id ?? 0} bare />, extra: true },
		{ key: "class", label: t("search.class-column"), width: "min", cell: (e) => <Word group="search.class" word={e.class} /> },
		{ key: "what", label: t("search.what"), main: true, width: "wide", cell: (e) => <a class="y-gist" href={withRest([e.id])}>{gist(e) || t("search.event")}</a> },
		{ key: "ends", label: t("search.ends"), cell: (e) => <span class="y-mono y-ends">{ends(e)}</span> },
		{ key: "source", label: t("search.source"), width: "min", cell: (e) => e.source },
		{ key: "org", label: t("scope.organisation"), cell: (e) => orgTitle(e.org), extra: place.value.org !== "" },
		...fields
			.filter((f) => !FIXED.includes(f.name))
			.map((f) => ({ key: f.name, label: f.name, title: describe(f), extra: true, num: f.type === "number", cell: (e: Event) => <span class="y-mono">{f.type === "time" ? <Time at={String(e[f.name] ?? "")} exact /> : [e[f.name] ?? ""].flat().join(" ")}</span> })),
	];
}

/** Twice as long around the same middle, but not into the future. */
function wider(): { from: string; to: string } {
	const r = range("now-24h");
	const to = resolve(r.to || "now");
	const end = Math.min(Date.now(), to + lengthOf(r) / 2);
	return { from: iso(Math.round((end - 2 * lengthOf(r)) / 1000) * 1000), to: end >= Date.now() - 1000 ? "" : iso(Math.round(end / 1000) * 1000) };
}
/** The period before the one that is shown, as long as it. */
function periodBefore(asOf: string | undefined): { from: string; to: string } {
	const r = range("now-24h");
	const base = asOf === undefined ? Date.now() : Date.parse(asOf);
	const from = resolve(r.from, base);
	const whole = (ms: number) => iso(Math.round(ms / 1000) * 1000);
	return { from: whole(2 * from - resolve(r.to || "now", base)), to: whole(from) };
}
function OverTime({ found, before }: { found: ReturnType<typeof useHistogram>; before?: number }) {
	if (found.error !== undefined) return found.error.status === 400 ? null : <ErrorBox error={found.error} again={found.reload} what={t("search.histogram")} />;
	const h = found.data;
	if (h === undefined) return <Skeleton lines={4} />;
	return (
		<div class="y-overtime">
			<div class="y-row y-row--apart">
				<p class={found.loading ? "y-soft" : undefined}>
					<strong class="y-num">{t("search.found", { n: h.total })}</strong>{" "}
					{h.incomplete ? (
						<small>
							{t("search.counting")} <Time at={h.counted_from} exact />
						</small>
					) : (
						<small class="y-soft y-wide">{t("search.zoom-how")}</small>
					)}
				</p>
				<Button kind="quiet" small onClick={() => setQuery(wider())}>
					{t("search.zoom-out")}
				</Button>
			</div>
			<Bars label={t("search.histogram")} series={[{ key: "n", label: t("search.events"), tone: "base" }]} buckets={h.items.map((b) => ({ time: b.time, values: { n: b.count } }))} width={h.bucket_s} before={found.loading || before === undefined ? undefined : { n: before }} href={(from, to) => withQuery({ from, to })} height={90} />
		</div>
	);
}
function Nothing() {
	const q = param("q");
	const from = param("from", "now-24h");
	const further = ["now-24h", "now-7d", "now-30d", "now-90d"].find((x) => resolve(x) < resolve(from));
	return (
		<Empty
			title={t("search.none")}
			action={
				<>
					{further !== undefined && <a href={withQuery({ from: further, to: null })}>{t("search.none-longer")}</a>}
					{q !== "" && <a href={withQuery({ q: null })}>{t("search.none-all")}</a>}
					<a href={link("sources")}>{t("search.none-sources")}</a>
				</>
			}
		>
			{q === "" ? t("search.none-why") : t("search.none-fits")}
		</Empty>
	);
}

export default function Search() {
	const filter = filterOf(asked());
	const live = isLive(asked());
	const id = place.value.rest[0];
	const fields = useData<PageOf<EventField>>("/event-fields");
	const found = useList<Event>(live ? "" : "/events", filter);
	const histogram = useHistogram(live ? "" : "/event-histogram", { ...filter, buckets: BUCKETS });
	const { from: _from, to: _to, ...words } = filter;
	// as long, and just before; asked for when what is looked at has been counted
	const period = periodBefore(histogram.data?.as_of);
	const first = session.value?.permissions["events:read"]?.period_from ?? ""; // an auditor sees nothing of what was before
	const ask = !live && !histogram.loading && histogram.data?.incomplete === false && histogram.error === undefined && (first === "" || Date.parse(period.from) >= Date.parse(first));
	const before = useData<{ total: number }>(ask ? "/event-histogram" : "", { ...filter, ...period, buckets: 1 });
	const tail = useTail(live, words, id !== undefined);
	const list = live ? tail.list : found;
	const known = fields.data?.items ?? [];
	const columns = useMemo(() => columnsOf(known), [fields.data, t("search.time"), place.value.org]);
	const fault = [list.error, live ? undefined : histogram.error].find((e) => e?.status === 400)?.faultOf("q") ?? "";
	const items = list.items;
	const run = (q: string) => {
		if (q === param("q")) {
			found.reload();
			histogram.reload();
		} else setQuery({ q });
	};
	const late = list.head?.incomplete === true;
	return (
		<Page
			title={t("nav.search")}
			lead={<Heard asOf={list.asOf} />}
			range={live ? undefined : <TimeRange />}
			actions={
				<>
					<Button icon={live ? "close" : "play"} aria-pressed={live} onClick={() => setQuery({ live: !live })}>
						{live ? t("search.tail-end") : t("search.tail")}
					</Button>
					<Saved page="search" />
				</>
			}
			exports={[...(live ? [] : [{ kind: "events" as const, query: filter }]), ...savedOf("search")]}
			drawer={
				id === undefined ? undefined : (
					<EventDrawer
						id={id}
						back={withRest([])}
						fields={known}
						step={stepsOf(items, (e) => [e.id])}
					/>
				)
			}
		>
			<QueryBox q={param("q")} run={run} fields={known} events={items} fault={fault} />
			{!live && fault === "" && <OverTime found={histogram} before={!ask || before.loading || before.error !== undefined ? undefined : before.data?.total} />}
			{fault === "" && (
				<Table
					name="events"
					label={t("search.events")}
					columns={columns}
					list={list}
					rowKey={(e) => e.id}
					rowHref={(e) => withRest([e.id])}
					open={id}
					tools={live ? tail.bar : undefined}
					empty={live ? <Empty title={t("search.tail-none")}>{t("search.tail-none-why")}</Empty> : late ? <Empty title={t("search.incomplete")} action={<Button onClick={list.more}>{t("table.more")}</Button>} /> : <Nothing />}
				/>
			)}
			{late && items.length > 0 && <p class="y-soft">{t("search.incomplete")}</p>}
		</Page>
	);
}
