// Indicators: is this value known, the lists, their entries, and what is allowed although listed.
import { Button, Chip, type Column, Heard, Empty, ErrorBox, Form, type List, NewRows, Num, Page, type PageOf, SearchBox, Section, Select, Severity, Skeleton, Table, Tabs, TextField, Time, Word, actorName, link, may, mayAll, param, place, orgQuery, setQuery, stepsOf, over, t, useData, useEffect, useForm, useList, useMemo, useNews, useState, withQuery, withRest } from "../../kit";
import { NewAllow, NewIndicator, NewList } from "./dialogs";
import { AllowDrawer, IndicatorDrawer, ListDrawer } from "./drawer";
import { type Allow, type Indicator, type IndicatorList, TYPES, whose } from "./model";

interface Checked {
	value: string;
	type: string;
	normalised: string;
	matches: Indicator[];
	allow: Allow[];
	in_force: boolean;
}
interface Snapshot {
	generation: number;
	indicators: number;
	created_at: string;
	current: boolean;
}

function CheckBox({ changed }: { changed: number }) {
	const value = param("check");
	const found = useData<Checked>(value === "" ? "" : "/indicator-check", { value, org: place.value.org || undefined });
	useEffect(() => {
		if (changed > 0) found.reload();
	}, [changed]);
	const [dialog, setDialog] = useState("");
	const form = useForm({ value }, async (v) => {
		setQuery({ check: v.value.trim() });
	});
	const c = value === "" || found.loading ? undefined : found.data;
	const host = c?.type === "url" ? /^(?:\w+:\/\/)?([^/:?#]+)/.exec(c.normalised)?.[1] : undefined;
	const tone = c === undefined ? "plain" : c.in_force ? "bad" : c.matches.length > 0 ? "warn" : "plain";
	return (
		<div class="y-card y-checkbox">
			<Form form={form} action={t("indicators.check.go")} disabled={form.value.value.trim() === ""}>
				<TextField label={t("indicators.check")} hint={t("indicators.check-hint")} value={form.value.value} onChange={(x) => form.set({ value: x })} fault={value === form.value.value.trim() ? (found.error?.faultOf("value") ?? "") : ""} spellcheck={false} data-search />
			</Form>
			<div aria-live="polite">
				{found.loading && <Skeleton lines={2} />}
				{found.error !== undefined && found.error.faultOf("value") === "" && <ErrorBox error={found.error} again={found.reload} />}
				{c !== undefined && (
					<div class="y-stack">
						<div class="y-row">
							<Chip tone={tone}>{c.in_force ? t("indicators.check.in-force") : c.matches.length === 0 ? t("indicators.check.unknown") : c.allow.length > 0 ? t("indicators.check.allowed") : t("indicators.check.not-in-force")}</Chip>
							<span>
								<Word group="indicators.type" word={c.type} /> <code translate={false}>{c.normalised}</code>
							</span>
						</div>
						{c.matches.length > 0 && (
							<ul class="y-list">
								{c.matches.map((m) => (
									<li key={m.id} class="y-listrow">
										<Severity id={m.severity_id} bare />
										<a class="y-grow" href={withRest([m.id])}>
											{m.value}
										</a>
										<span>{m.list_name}</span>
										{over(m.valid_until) && <Chip tone="warn">{t("indicators.expired")}</Chip>}
										<span class="y-soft">{whose(m.org)}</span>
									</li>
								))}
							</ul>
						)}
						{c.allow.map((a) => (
							<p key={a.id}>
								<Chip tone={over(a.expires_at) ? "plain" : "ok"}>{t("indicators.allowed")}</Chip> <a href={withRest([a.id])}>{a.value}</a> {a.reason} <span class="y-soft">{whose(a.org)}</span>
							</p>
						))}
						<div class="y-row">
							{may("indicators:write") && c.in_force && (
								<Button small onClick={() => setDialog("allow")}>
									{t("indicators.check.allow")}
								</Button>
							)}
							{may("indicators:write") && !c.in_force && c.allow.length === 0 && (
								<Button small onClick={() => setDialog("add")}>
									{t("indicators.check.add")}
								</Button>
							)}
							{host !== undefined && <a href={withQuery({ check: host })}>{t("indicators.check.host", { host })}</a>}
							<a href={link("search", { query: { q: /^[\w.:-]+$/.test(c.normalised) ? c.normalised : `"${c.normalised}"`, from: "now-30d" } })}>{t("indicators.in-logs")}</a>
						</div>
						{c.in_force && <p class="y-soft">{t("indicators.check.soon")}</p>}
					</div>
				)}
			</div>
			{dialog === "allow" && c !== undefined && <NewAllow type={c.type} value={c.normalised} onClose={() => setDialog("")} done={found.reload} />}
			{dialog === "add" && c !== undefined && <NewIndicator type={c.type} value={c.normalised} onClose={() => setDialog("")} done={found.reload} />}
		</div>
	);
}

const LISTS = (): Column<IndicatorList>[] => [
	{ key: "name", label: t("indicators.list"), main: true, width: "wide", cell: (l) => <a href={withRest([l.id])}>{l.title || l.name}</a> },
	{ key: "id", label: t("indicators.name"), cell: (l) => <code>{l.name}</code>, extra: true },
	{ key: "org", label: t("scope.organisation"), cell: (l) => whose(l.org), drop: 2 },
	{ key: "count", label: t("indicators.count"), num: true, width: "min", cell: (l) => <Num n={l.indicators} href={link("indicators", { query: { tab: "entries", list: l.id } })} label={t("indicators.count")} /> },
	{ key: "confidence", label: t("indicators.confidence"), num: true, width: "min", cell: (l) => <Num n={l.confidence} href={link("indicators", { query: { tab: "entries", list: l.id } })} label={t("indicators.confidence")} />, drop: 1 },
	{ key: "tlp", label: t("indicators.tlp"), width: "min", cell: (l) => `TLP:${l.tlp.toUpperCase()}`, drop: 1 },
	{ key: "category", label: t("indicators.category"), width: "min", cell: (l) => l.category, extra: true },
	{ key: "enabled", label: t("indicators.state"), width: "min", cell: (l) => <Chip tone={l.enabled ? "ok" : "warn"}>{l.enabled ? t("indicators.in-use") : t("indicators.not-in-use")}</Chip> },
	{ key: "updated", label: t("indicators.updated"), width: "min", cell: (l) => <Time at={l.updated_at} /> },
];
const ENTRIES = (lists: IndicatorList[]): Column<Indicator>[] => [
	{ key: "severity", label: t("indicators.severity"), width: "min", cell: (x) => <Severity id={x.severity_id} /> },
	{ key: "value", label: t("indicators.value"), main: true, width: "wide", cell: (x) => <a href={withRest([x.id])}>{x.value}</a> },
	{ key: "type", label: t("indicators.type"), width: "min", cell: (x) => <Word group="indicators.type" word={x.type} /> },
	{ key: "list", label: t("indicators.list"), cell: (x) => <a href={link("indicators", { rest: [x.list] })}>{lists.find((l) => l.id === x.list)?.title || x.list_name || x.list}</a> },
	{ key: "org", label: t("scope.organisation"), cell: (x) => whose(x.org), extra: true },
	{ key: "confidence", label: t("indicators.confidence"), num: true, width: "min", cell: (x) => <Num n={x.confidence} href={link("indicators", { rest: [x.list] })} label={t("indicators.confidence")} />, drop: 1 },
	{ key: "category", label: t("indicators.category"), cell: (x) => x.category, drop: 2 },
	{ key: "family", label: t("indicators.family"), cell: (x) => x.family, extra: true },
	{ key: "until", label: t("indicators.until"), width: "min", cell: (x) => (x.valid_until === null ? <span class="y-soft">{t("until.never")}</span> : over(x.valid_until) ? <Chip tone="warn">{t("indicators.expired")}</Chip> : <Time at={x.valid_until} />) },
	{ key: "created", label: t("indicators.created"), width: "min", cell: (x) => <Time at={x.created_at} />, extra: true },
];
const ALLOWED = (): Column<Allow>[] => [
	{ key: "value", label: t("indicators.value"), main: true, cell: (x) => <a href={withRest([x.id])}>{x.value}</a> },
	{ key: "type", label: t("indicators.type"), width: "min", cell: (x) => <Word group="indicators.type" word={x.type} /> },
	{ key: "reason", label: t("indicators.reason"), width: "wide", cell: (x) => x.reason },
	{ key: "org", label: t("scope.organisation"), cell: (x) => whose(x.org) },
	{ key: "until", label: t("indicators.until"), width: "min", cell: (x) => (x.expires_at === null ? <span class="y-soft">{t("until.never")}</span> : over(x.expires_at) ? <Chip tone="warn">{t("indicators.expired")}</Chip> : <Time at={x.expires_at} />) },
	{ key: "by", label: t("indicators.by"), width: "min", cell: (x) => actorName(x.created_by), extra: true },
];

export default function Indicators() {
	const tab = ["entries", "allow"].find((x) => x === param("tab")) ?? "lists";
	const id = place.value.rest[0];
	const [dialog, setDialog] = useState("");
	const [changes, setChanges] = useState(0);
	const filter = { ...orgQuery(), q: param("q") || undefined, type: param("type") || undefined, list: param("list") || undefined, validity: param("validity") || undefined };
	const lists = useList<IndicatorList>("/indicator-lists", { ...orgQuery(), limit: 200 });
	const entries = useList<Indicator>(tab === "entries" ? "/indicators" : "", filter);
	const allow = useList<Allow>(tab === "allow" ? "/allow-entries" : "", orgQuery());
	const snapshot = useData<PageOf<Snapshot>>(mayAll("indicators:read") ? "/snapshots" : "", { limit: 1 });
	const list = tab === "entries" ? entries : tab === "allow" ? allow : lists;
	const rows: { id: string }[] = list.items;
	const news = useNews<{ id: string }>(["jobs"], list as unknown as List<{ id: string }>, `/${tab === "entries" ? "indicators" : tab === "allow" ? "allow-entries" : "indicator-lists"}`, tab === "entries" ? filter : orgQuery(), (x) => x.id);
	const i = rows.findIndex((x) => x.id === id);
	const writable = may("indicators:write");
	const changed = () => {
		list.reload();
		if (list !== lists) lists.reload();
		setChanges(changes + 1);
	};
	const drawer = { id: id ?? "", back: withRest([]), changed, step: stepsOf(rows, (x) => [x.id]) };
	const columns = useMemo(() => ({ lists: LISTS(), entries: ENTRIES(lists.items), allow: ALLOWED() }), [t("indicators.list"), lists.items]);
	const current = snapshot.data?.items[0];
	const add = (what: string, text: string) => writable && (
		<Button icon="plus" onClick={() => setDialog(what)}>
			{text}
		</Button>
	);
	const opens = i >= 0 ? id : undefined;
	return (
		<Page
			title={t("nav.indicators")}
			lead={
				<>
					<Heard asOf={list.asOf} />
					{current !== undefined && (
						<p class="y-coverage">
							<span>
								{t("indicators.snapshot", { n: current.indicators })} <Time at={current.created_at} />
							</span>
						</p>
					)}
				</>
			}
			exports={tab === "entries" ? { kind: "indicators", query: filter } : [{ kind: tab === "allow" ? "allow-entries" : "indicator-lists", query: orgQuery() }, { kind: "indicators", query: orgQuery() }]}
			drawer={id === undefined ? undefined : id.startsWith("l-") ? <ListDrawer key={id} {...drawer} /> : id.startsWith("i-") ? <IndicatorDrawer key={id} {...drawer} /> : <AllowDrawer key={id} {...drawer} />}
		>
			<Section title={t("indicators.check.title")}>
				<CheckBox key={param("check")} changed={changes} />
			</Section>
			<Tabs
				label={t("nav.indicators")}
				tabs={[
					{
						key: "lists",
						label: t("indicators.lists"),
						body: () => <Table name="indicator-lists" label={t("indicators.lists")} columns={columns.lists} list={lists} rowKey={(l) => l.id} rowHref={(l) => withRest([l.id])} open={opens} tools={<div class="y-filters">{add("list", t("indicators.list-new"))}<NewRows {...news} /></div>} empty={<Empty title={t("indicators.no-lists")}>{t("indicators.no-lists-why")}</Empty>} />,
					},
					{
						key: "entries",
						label: t("indicators.entries"),
						body: () => (
							<Table
								name="indicators"
								label={t("indicators.entries")}
								columns={columns.entries}
								list={entries}
								rowKey={(x) => x.id}
								rowHref={(x) => withRest([x.id])}
								open={opens}
								tools={
									<div class="y-filters">
										<SearchBox label={t("indicators.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
										<Select label={t("indicators.type")} value={param("type")} onChange={(type) => setQuery({ type })} options={[["", t("indicators.type.any")], ...TYPES.map((x) => [x, t(`indicators.type.${x}`)] as [string, string])]} />
										<Select label={t("indicators.list")} value={param("list")} onChange={(x) => setQuery({ list: x })} options={[["", t("indicators.list-any")], ...lists.items.map((l) => [l.id, l.title || l.name] as [string, string])]} />
										<Select label={t("indicators.validity")} value={param("validity")} onChange={(validity) => setQuery({ validity })} options={[["", t("indicators.validity.any")], ["in_force", t("indicators.validity.in_force")], ["expired", t("indicators.expired")]]} />
										{add("entry", t("action.add"))}
										<NewRows {...news} />
									</div>
								}
								empty={param("q") + param("type") + param("list") + param("validity") === "" ? <Empty title={t("indicators.no-entries")}>{t("indicators.no-lists-why")}</Empty> : <Empty title={t("indicators.none-fits")} action={<a href={withQuery({ q: null, type: null, list: null, validity: null })}>{t("indicators.clear")}</a>} />}
							/>
						),
					},
					{
						key: "allow",
						label: t("indicators.allow"),
						body: () => <Table name="allow-entries" label={t("indicators.allow")} columns={columns.allow} list={allow} rowKey={(x) => x.id} rowHref={(x) => withRest([x.id])} open={opens} tools={<div class="y-filters">{add("allow", t("indicators.allow-new"))}<NewRows {...news} /></div>} empty={<Empty title={t("indicators.no-allow")}>{t("indicators.allow-what")}</Empty>} />,
					},
				]}
			/>
			{dialog === "list" && <NewList onClose={() => setDialog("")} done={lists.reload} />}
			{dialog === "entry" && <NewIndicator list={param("list") || undefined} onClose={() => setDialog("")} done={changed} />}
			{dialog === "allow" && <NewAllow onClose={() => setDialog("")} done={changed} />}
		</Page>
	);
}
