// Sources and coverage: what is expected, what is heard, what is lost on the way.
import { About, Button, Chip, type Column, Combobox, Coverage, type Definition, Dialog, Empty, Figure, Form, type List, Num, OfOrg, OrgField, Page, SearchBox, Select, SelectField, Table, TextField, Time, api, go, k, link, may, orgTitle, param, place, orgQuery, session, setQuery, span, stepsOf, t, textOf, toMs, toast, useAgain, useForm, useList, useLive, useMemo, useState, withQuery, withRest } from "../../kit";
import { SourceDrawer } from "./drawer";
import { EVERY, KINDS, type Source, TONE, drops, events, keyOf, worst } from "./model";

const MOST = 2000;
const STATES = ["", "ok", "late", "silent", "never"] as const;
const fits = (s: Source, state: string) => state === "" || s.state === state || (state === "silent" && s.state === "never");
const plain = (s: string) => s.normalize("NFKC").toLowerCase();
const partsOf = (s: Source) => [s.org, s.source, s.sensor];
const rest = (s: Source) => withRest(partsOf(s));

function COLUMNS(): Column<Source>[] {
	return [
		{ key: "state", label: t("sources.state"), width: "min", cell: (s) => <Chip tone={TONE[s.state]}>{t(`sources.state.${s.state}`)}</Chip> },
		{ key: "source", label: t("sources.source"), main: true, width: "wide", cell: (s) => <a href={rest(s)}>{s.source} / {s.sensor}</a> },
		{ key: "org", label: t("scope.organisation"), cell: (s) => orgTitle(s.org), drop: 2 },
		{ key: "last_received", label: t("sources.last-received"), width: "min", cell: (s) => <Time at={s.last_received_at} /> },
		{ key: "last_event", label: t("sources.last-event"), width: "min", cell: (s) => <Time at={s.last_event_at} />, extra: true },
		{ key: "expected", label: t("sources.expected"), width: "min", num: true, cell: (s) => (s.expected ? span(s.expected_every_s) : <span class="y-soft">{span(s.expected_every_s)}</span>) },
		{ key: "records", label: t("sources.records"), width: "min", num: true, cell: (s) => <Num n={s.records} href={events(s)} label={t("sources.records")} /> },
		{ key: "unparsed", label: t("sources.unparsed"), width: "min", num: true, cell: (s) => (s.unparsed === 0 ? <Num n={0} /> : <Num n={s.unparsed} href={events(s, " parse_error:*", "now-30d")} label={t("sources.unparsed")} />), drop: 1 },
		{ key: "dropped", label: t("sources.dropped"), width: "min", num: true, cell: (s) => <Num n={s.dropped} href={s.dropped > 0 ? (drops() ?? rest(s)) : undefined} label={t("sources.dropped")} />, drop: 1 },
	];
}
const ABOUT: Record<Source["state"], Definition> = {
	never: [k("sources.about.never"), k("sources.about.state-how")],
	silent: [k("sources.about.silent"), k("sources.about.state-how")],
	late: [k("sources.about.late"), k("sources.about.state-how")],
	ok: [k("sources.about.ok"), k("sources.about.state-how")],
};
function Figures({ all, asOf }: { all: Source[]; asOf: string }) {
	const count = (state: string) => all.filter((s) => s.state === state).length;
	return (
		<div class="y-figures y-apart">
			{(["never", "silent", "late", "ok"] as const).map((state) => (
				<Figure key={state} name={t(`sources.state.${state}`)} label={<Chip tone={count(state) === 0 ? "plain" : TONE[state]}>{t(`sources.state.${state}`)}</Chip>} n={count(state)} href={withQuery({ state })} current={param("state") === state} about={ABOUT[state]} asOf={asOf} />
			))}
			<Figure name={t("sources.unparsed")} n={all.reduce((n, s) => n + s.unparsed, 0)} href={link("search", { query: { q: "parse_error:*", from: "now-30d" } })} about={[k("sources.about.unparsed"), k("sources.about.unparsed-how")]} asOf={asOf}>
				<small>{t("sources.of-records", { n: all.reduce((n, s) => n + s.records, 0) })}</small>
			</Figure>
			<Figure name={t("sources.dropped")} n={all.reduce((n, s) => n + s.dropped, 0)} href={drops() ?? withQuery({ sort: "dropped" })} about={[k("sources.about.dropped"), k("sources.about.dropped-how")]} asOf={asOf} />
		</div>
	);
}
/** An expectation for what has not been heard yet. */
function ExpectDialog({ onClose, done }: { onClose: () => void; done: () => void }) {
	const form = useForm({ org: place.value.org, source: "syslog", sensor: "", every: "3600" }, (v) => api.put("/source-expectations", { org: v.org, source: v.source, sensor: v.sensor.trim(), every_s: Number(v.every) }));
	return (
		<Dialog title={t("sources.expect.new")} onClose={onClose}>
			<p class="y-soft">{t("sources.expect.new-what")}</p>
			<Form
				form={form}
				action={t("sources.expect.set")}
				cancel={onClose}
				disabled={form.value.org === "" || form.value.source === "" || form.value.sensor.trim() === ""}
				done={() => {
					toast(t("sources.expect.done"));
					onClose();
					done();
				}}
			>
				<OrgField value={form.value.org} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
				<Combobox label={t("sources.source")} hint={t("sources.source-hint")} required free value={form.value.source} find={(text) => KINDS.filter((x) => x.includes(text)).map((x) => ({ value: x, label: x }))} onChange={(source) => form.set({ source })} fault={form.fault("source")} />
				<TextField label={t("sources.sensor")} hint={t("sources.sensor-hint")} required value={form.value.sensor} onChange={(sensor) => form.set({ sensor })} fault={form.fault("sensor")} />
				<SelectField label={t("sources.expect.every")} value={form.value.every} onChange={(every) => form.set({ every })} options={EVERY.map(([v, key]) => [v, textOf(key)])} fault={form.error?.faultOf("every_s") ?? ""} />
			</Form>
		</Dialog>
	);
}

export default function Sources() {
	const list = useList<Source>("/sources", { ...orgQuery(), limit: 200 }, MOST);
	const [adding, setAdding] = useState(false);
	const [state, q] = [param("state"), param("q")];
	const all = list.items;
	const shown = useMemo<List<Source>>(() => {
		const want = plain(q);
		const items = all.filter((s) => fits(s, state) && plain(`${s.org} ${orgTitle(s.org)} ${s.source} ${s.sensor}`).includes(want)).sort(param("sort") === "dropped" ? (a, b) => b.dropped - a.dropped || worst(a, b) : worst);
		return { ...list, items, total: items.length, hasMore: false };
	}, [list, state, q, param("sort"), t("sources.state")]);
	const [org, source, sensor] = place.value.rest;
	const id = sensor === undefined ? undefined : keyOf({ org: org ?? "", source: source ?? "", sensor });
	const open = all.find((s) => keyOf(s) === id);
	const columns = useMemo(COLUMNS, [t("sources.state")]);
	const newest = all.reduce((n, s) => Math.max(n, toMs(s.last_event_at) || 0), 0);
	useAgain(true, list.reload, 60_000); // a source is silent by the clock
	useLive(["jobs"], (c) => {
		if (c.topic === "gap" || c.change === "done") list.reload(); // an import may have brought one
	});
	return (
		<Page
			title={t("nav.sources")}
			lead={<Coverage expected={(list.loading || list.error !== undefined) && all.length === 0 ? undefined : all.length} reporting={all.filter((s) => s.state === "ok").length} lastEvent={newest === 0 ? (list.loading || list.error !== undefined ? undefined : null) : new Date(newest).toISOString()} asOf={list.asOf} />}
			actions={
				may("sources:write") && (
					<Button icon="plus" onClick={() => setAdding(true)}>
						{t("sources.expect.new")}
					</Button>
				)
			}
			exports={{ kind: "sources", query: orgQuery(), rows: state + q === "" ? undefined : shown.items.map(keyOf) }}
			drawer={open !== undefined && <SourceDrawer source={open} back={withRest([])} asOf={list.asOf} changed={list.reload} step={stepsOf(shown.items, partsOf)} />}
		>
			<OfOrg />
			{all.length > 0 && <Figures all={all} asOf={list.asOf} />}
			<Table
				name="sources"
				about={<About name={t("nav.sources")} about={[k("sources.about.rows"), k("sources.about.rows-how")]} asOf={list.asOf} />}
				label={t("nav.sources")}
				columns={columns}
				list={shown}
				rowKey={keyOf}
				rowHref={rest}
				open={open === undefined ? undefined : id}
				tools={
					<div class="y-filters">
						<SearchBox label={t("sources.find")} value={q} onChange={(text) => setQuery({ q: text }, "replace")} />
						<Select label={t("sources.state")} value={state} onChange={(x) => setQuery({ state: x })} options={STATES.map((x) => [x, x === "" ? t("sources.state.any") : t(`sources.state.${x}`)])} />
						{param("sort") === "dropped" && <Button small icon="close" onClick={() => setQuery({ sort: null })}>{t("sources.by-dropped")}</Button>}
					</div>
				}
				empty={
					session.value?.permissions["alerts:read"]?.period_from != null ? (
						<Empty title={t("sources.period")}>{t("sources.period-why")}</Empty>
					) : all.length === 0 ? (
						<Empty title={t("sources.none")} action={may("events:write") ? <Button kind="main" onClick={() => go(link("import"))}>{t("sources.none-import")}</Button> : undefined}>
							{t("sources.none-why")}
						</Empty>
					) : (
						<Empty title={t("sources.none-fits")} action={<a href={withQuery({ q: null, state: null })}>{t("sources.clear")}</a>} />
					)
				}
			/>
			{all.length >= MOST && list.hasMore && <p class="y-soft">{t("sources.too-many", { n: MOST })}</p>}
			{adding && <ExpectDialog onClose={() => setAdding(false)} done={list.reload} />}
		</Page>
	);
}
