// Looking back: a rule, indicators or a list over what is stored; how far it is and what it found.
import { Button, ButtonLink, type Column, type ComponentChildren, Combobox, Confirm, Dialog, Drawer, Empty, ErrorBox, Facts, Field, Form, Heard, type Job, JobState, NewRows, Num, OfOrg, OrgField, Page, type PageOf, Progress, Radios, type Rule, SearchBox, Section, Select, Skeleton, Sort, type Step, Table, Time, TimeRange, TextField, Value, actorName, api, at, day, forAll, iso, jobStates, link, may, mayAll, orgQuery, orgTitle, param, place, resolve, ruleHref, setQuery, span, stepsOf, t, toMs, toast, useAgain, useData, useForm, useFrom, useList, useMemo, useNews, useState, whoseRule, withQuery, withRest, go } from "../../kit";

interface Hunt {
	id: string;
	kind: "rule" | "correlation" | "indicators" | "list";
	rule: string | null;
	title: string;
	indicators: string[] | null;
	list: string | null;
	org: string | null;
	from: string;
	until: string;
	state: Job["state"];
	done: number;
	total: number | null;
	matches: number;
	findings: number;
	alerts: number;
	/** Told before, live or by another hunt. */
	known: number;
	/** Beyond what is told. */
	cut: number;
	events: number;
	automatic: boolean;
	items: number;
	message: string;
	job: string;
	created_at: string;
	created_by: string;
	started_at: string | null;
	finished_at: string | null;
}
const KINDS = ["rule", "indicators", "list"] as const; // as they are ordered
const SHOWN_KINDS = ["rule", "correlation", "indicators", "list"] as const;
const AGAIN_MS = 1500;
const going = (h: Hunt) => h.state === "queued" || h.state === "running";
/** Of several that were new: how many. */
function titleOfHunt(h: Hunt): string {
	const given = h.indicators ?? [];
	if (given.length > 0) return given.slice(0, 3).join(", ") + (given.length > 3 ? ", ..." : "");
	return h.rule === null && h.list === null ? t(`retro-hunts.new-${h.kind}`, { n: h.items }) : h.title || h.rule || h.list || "";
}
const alertsOfHunt = (h: Hunt) => link("alerts", { query: { hunt: h.id, state: "all" } });
function Going({ h }: { h: Hunt }) {
	return <Progress done={h.done} total={h.total} share label={t("retro-hunts.progress")} since={h.started_at === null ? undefined : toMs(h.started_at)} />;
}
/** What is looked for, with the way to it. */
function What({ h }: { h: Hunt }): ComponentChildren {
	if (h.rule !== null) return <a href={ruleHref(h.rule)}>{titleOfHunt(h)}</a>;
	if (h.kind === "list" && h.list !== null) return <a href={link("indicators", { rest: [h.list] })}>{titleOfHunt(h)}</a>;
	if ((h.indicators ?? []).length === 0) return titleOfHunt(h);
	return (
		<>
			{(h.indicators ?? []).slice(0, 20).map((x) => (
				<a key={x} class="dr-tag" href={link("indicators", { query: { check: x } })}>
					{x}
				</a>
			))}
		</>
	);
}
const COLUMNS = (): Column<Hunt>[] => [
	{ key: "state", label: t("retro-hunts.state"), width: "min", cell: (h) => <JobState state={h.state} /> },
	{ key: "what", label: t("retro-hunts.what"), main: true, width: "wide", cell: (h) => <a href={withRest([h.id])}>{titleOfHunt(h)}</a> },
	{ key: "kind", label: t("retro-hunts.kind"), width: "min", cell: (h) => t(`retro-hunts.kind.${h.kind}`), drop: 2 },
	{ key: "org", label: t("scope.organisation"), cell: (h) => whoseRule(h.org), drop: 2 },
	{ key: "period", label: t("retro-hunts.period"), cell: (h) => <span><span class="y-num">{day(h.from)} –</span> <span class="y-num">{day(h.until)}</span></span>, drop: 1 },
	{ key: "progress", label: t("retro-hunts.progress"), cell: (h) => (h.state === "running" ? <Going h={h} /> : h.message !== "" ? h.message : h.events > 0 && <span class="y-soft">{t("retro-hunts.looked-at", { n: h.events })}</span>) },
	{ key: "matches", label: t("retro-hunts.matches"), num: true, width: "min", cell: (h) => <Num n={h.matches} href={h.matches > 0 ? alertsOfHunt(h) : undefined} label={t("retro-hunts.matches")} /> },
	{ key: "created", label: t("retro-hunts.created"), width: "min", cell: (h) => <Time at={h.created_at} /> },
	{ key: "by", label: t("retro-hunts.by"), width: "min", cell: (h) => (h.automatic ? t("retro-hunts.automatic") : actorName(h.created_by)), extra: true },
];
const findRules = (text: string) => api.get<PageOf<Rule>>("/detection-rules", { q: text || undefined, limit: 20 }).then((p) => p.items.filter((r) => r.kind !== "filter").map((r) => ({ value: r.id, label: r.title, note: whoseRule(r.org, r.inherited) })));
interface Named {
	id: string;
	name: string;
	title: string;
}
/** All lists, page by page: the API does not look for words in their names. */
async function findLists(text: string) {
	const found: Named[] = [];
	const want = text.toLowerCase();
	for (let cursor: string | null = ""; cursor !== null && found.length < 50; ) {
		const p: PageOf<Named> = await api.get<PageOf<Named>>("/indicator-lists", { limit: 200, cursor });
		found.push(...p.items.filter((l) => `${l.title} ${l.name}`.toLowerCase().includes(want)));
		cursor = p.next_cursor;
	}
	return found.map((l) => ({ value: l.id, label: l.title || l.name, note: l.name }));
}

function NewHunt({ onClose, done }: { onClose: () => void; done: (id: string) => void }) {
	const given = param("rule") !== "" ? "rule" : param("indicator") !== "" ? "indicators" : param("list") !== "" ? "list" : "";
	const rule = useData<Rule>(given === "rule" ? at`/detection-rules/${param("rule")}` : "");
	const form = useForm({ kind: given || "rule", rule: param("rule"), indicators: param("indicator"), list: param("list"), org: place.value.org, from: param("since") || day(Date.now() - 90 * 86_400_000), until: param("until") || day(Date.now()) }, async (v, once) => {
		const what = v.kind === "rule" ? { rule: v.rule } : v.kind === "list" ? { list: v.list } : { indicators: v.indicators.split(/[\s,]+/).filter((x) => x !== "") };
		const job = await api.post<Job>("/retro-hunts", { ...what, org: v.org || null, from: iso(resolve(v.from)), until: iso(resolve(v.until) + 86_400_000) }, { once });
		done(job.id);
	});
	const v = form.value;
	const ready = v.kind === "rule" ? v.rule !== "" : v.kind === "list" ? v.list !== "" : v.indicators.trim() !== "";
	const backwards = v.from > v.until;
	return (
		<Dialog title={t("retro-hunts.new")} onClose={onClose}>
			<p class="y-soft">{t("retro-hunts.new-what")}</p>
			<Form form={form} action={t("retro-hunts.start")} cancel={onClose} disabled={!ready || backwards || v.from === "" || v.until === "" || (v.org === "" && !mayAll("indicators:write"))}>
				{given === "" && <Radios label={t("retro-hunts.what")} value={v.kind} onChange={(kind) => form.set({ kind })} options={KINDS.map((x) => [x, t(`retro-hunts.kind.${x}`)])} />}
				{v.kind === "rule" && (given === "rule" ? <Facts rows={[[t("retro-hunts.kind.rule"), rule.data?.title ?? v.rule]]} /> : <Combobox label={t("retro-hunts.kind.rule")} required value={v.rule} find={findRules} onChange={(x) => form.set({ rule: x })} fault={form.fault("rule")} />)}
				{v.kind === "list" && <Combobox label={t("retro-hunts.kind.list")} required value={v.list} find={findLists} onChange={(x) => form.set({ list: x })} fault={form.fault("list")} />}
				{v.kind === "indicators" && (
					<Field label={t("retro-hunts.kind.indicators")} hint={t("retro-hunts.indicators-hint")} fault={form.fault("indicators")} required>
						{(ids) => <textarea class="y-input y-mono" rows={3} spellcheck={false} translate={false} {...ids} value={v.indicators} onInput={(e) => form.set({ indicators: e.currentTarget.value })} />}
					</Field>
				)}
				<OrgField all="indicators:write" hint={t("retro-hunts.org-hint")} value={v.org} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
				<div class="dr-try">
					<TextField label={t("retro-hunts.from")} required type="date" value={v.from} onChange={(from) => form.set({ from })} fault={form.fault("from")} />
					<TextField label={t("retro-hunts.until")} required type="date" value={v.until} onChange={(until) => form.set({ until })} fault={form.fault("until") || (backwards ? t("retro-hunts.backwards") : "")} />
				</div>
			</Form>
		</Dialog>
	);
}
/** What was counted and not told, and how to come to it: what was told is passed over when it is looked for again. */
function Cut({ h }: { h: Hunt }) {
	const given = h.indicators ?? [];
	const again = h.rule !== null ? { rule: h.rule } : h.list !== null ? { list: h.list } : given.length > 0 && given.length === h.items ? { indicator: given.join(" ") } : undefined;
	const several = h.indicators === null && h.list === null && h.items > 1 && h.kind !== "indicators";
	return (
		<Section title={t("retro-hunts.cut")}>
			<p>{several ? t("retro-hunts.cut-rules", { n: h.cut }) : again === undefined ? t("retro-hunts.cut-lists", { n: h.cut }) : t("retro-hunts.cut-what", { n: h.cut })}</p>
			{again !== undefined && !several && may("indicators:write", h.org ?? undefined) && <ButtonLink href={link("retro-hunts", { query: { new: 1, ...again, since: day(h.from), until: day(h.until) } })}>{t("retro-hunts.cut-again")}</ButtonLink>}
		</Section>
	);
}
/** `row`: as the list has it, which is looked at again while it goes on. */
function HuntDrawer({ id, row, back, step, look }: { id: string; row: Hunt | undefined; back: string; step: Step; look: () => void }) {
	const one = useData<Hunt>(row !== undefined ? "" : at`/retro-hunts/${id}`);
	const h = row ?? (one.data?.id === id ? one.data : undefined);
	const [asking, setAsking] = useState(false);
	const running = h !== undefined && going(h);
	const again = row === undefined ? one.reload : look;
	useAgain(running && row === undefined, again, AGAIN_MS);
	return (
		<Drawer title={h === undefined ? t("retro-hunts.one") : titleOfHunt(h)} back={back} step={step} head={h !== undefined && <div class="y-row"><JobState state={h.state} /><span class="y-soft">{whoseRule(h.org)}</span></div>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{h === undefined && one.error === undefined && <Skeleton lines={6} />}
			{h !== undefined && (
				<>
					{running && (
						<div class="y-row y-apart">
							<Going h={h} />
						</div>
					)}
					{h.message !== "" && <p class={h.state === "failed" ? "y-coverage--poor y-apart" : "y-apart"}>{h.message}</p>}
					{running && may("indicators:write", h.org ?? undefined) && (
						<div class="y-row y-apart">
							<Button onClick={() => setAsking(true)}>{t("retro-hunts.cancel")}</Button>
						</div>
					)}
					<Facts
						rows={[
							[t("retro-hunts.matches"), <Num key="m" n={h.matches} href={h.matches > 0 ? alertsOfHunt(h) : undefined} />],
							[t("retro-hunts.alerts"), <Num key="a" n={h.alerts} href={h.alerts > 0 ? alertsOfHunt(h) : undefined} />],
							[t("retro-hunts.known"), h.known > 0 && <Num key="k" n={h.known} />],
							[t("retro-hunts.cut"), h.cut > 0 && <Num key="x" n={h.cut} />],
							[t("retro-hunts.events"), <Num key="e" n={h.events} />],
							[t("retro-hunts.what"), <What key="w" h={h} />],
							[t("retro-hunts.kind"), t(`retro-hunts.kind.${h.kind}`)],
							[t("scope.organisation"), forAll(h.org) ? whoseRule(h.org) : orgTitle(h.org)],
							[t("retro-hunts.from"), <Time key="f" at={h.from} exact />],
							[t("retro-hunts.until"), <Time key="u" at={h.until} exact />],
							[t("retro-hunts.created"), <span key="c"><Time at={h.created_at} exact /> {h.automatic ? t("retro-hunts.automatic") : actorName(h.created_by)}</span>],
							[t("retro-hunts.took"), h.started_at !== null && span(((toMs(h.finished_at) || Date.now()) - toMs(h.started_at)) / 1000)],
							["ID", <Value key="i" copy>{h.id}</Value>],
						]}
					/>
					{h.cut > 0 && !running && <Cut h={h} />}
					<Section title={t("retro-hunts.historical")}>
						<p class="y-soft">{t("retro-hunts.historical-what")}</p>
					</Section>
					{asking && (
						<Confirm title={t("retro-hunts.cancel")} action={t("retro-hunts.cancel")} onClose={() => setAsking(false)} run={() => api.del(at`/jobs/${h.job}`).then(again)}>
							<p>{t("retro-hunts.cancel-what")}</p>
						</Confirm>
					)}
				</>
			)}
		</Drawer>
	);
}
const FILTERS = ["state", "kind", "q", "hits", "from", "to"];
const AWAY = { new: null, rule: null, indicator: null, list: null, since: null, until: null };
export default function RetroHunts() {
	const id = place.value.rest[0];
	const filter = { ...orgQuery(), ...Object.fromEntries(["state", "kind", "q", "hits", "sort"].map((x) => [x, param(x) || undefined])), ...useFrom() };
	const filtered = FILTERS.some((x) => param(x) !== "");
	const list = useList<Hunt>("/retro-hunts", filter);
	const columns = useMemo(COLUMNS, [t("retro-hunts.what")]);
	const rows = list.items;
	const news = useNews(["jobs"], list, "/retro-hunts", filter, (h) => h.id);
	useAgain(rows.some(going), news.look, AGAIN_MS);
	const writable = may("indicators:write");
	return (
		<Page
			title={t("nav.retro-hunts")}
			lead={<Heard asOf={list.asOf} />}
			range={<TimeRange fallback="" />}
			exports={{ kind: "retro-hunts", query: filter }}
			actions={writable && <Button icon="plus" kind="main" onClick={() => setQuery({ new: 1 })}>{t("retro-hunts.new")}</Button>}
			drawer={id === undefined ? undefined : <HuntDrawer key={id} id={id} back={withRest([])} row={rows.find((h) => h.id === id)} look={news.look} step={stepsOf(rows, (h) => [h.id])} />}
		>
			<OfOrg />
			<Table
				name="retro-hunts"
				label={t("nav.retro-hunts")}
				columns={columns}
				list={list}
				rowKey={(h) => h.id}
				rowHref={(h) => withRest([h.id])}
				open={id}
				tools={
					<div class="y-filters">
						<SearchBox label={t("retro-hunts.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
						<Select label={t("retro-hunts.state")} value={param("state")} onChange={(state) => setQuery({ state })} options={jobStates()} />
						<Select label={t("retro-hunts.kind")} value={param("kind")} onChange={(kind) => setQuery({ kind })} options={[["", t("retro-hunts.any-kind")], ...SHOWN_KINDS.map((x): [string, string] => [x, t(`retro-hunts.kind.${x}`)])]} />
						<Select label={t("retro-hunts.matches")} value={param("hits")} onChange={(hits) => setQuery({ hits })} options={[["", t("retro-hunts.any-matches")], ["true", t("retro-hunts.some-matches")]]} />
						<Sort names={["matches"]} label={(x) => t(`retro-hunts.sort.${x}`)} />
						<NewRows {...news} />
					</div>
				}
				empty={filtered ? <Empty title={t("retro-hunts.none-fits")} action={<a href={withQuery(Object.fromEntries(FILTERS.map((x) => [x, null])))}>{t("retro-hunts.clear")}</a>} /> : <Empty title={t("retro-hunts.none")}>{t("retro-hunts.none-why")}</Empty>}
			/>
			{param("new") !== "" && writable && (
				<NewHunt
					onClose={() => setQuery(AWAY, "replace")}
					done={(made) => {
						toast(t("retro-hunts.started"));
						list.reload();
						go(link("retro-hunts", { rest: [made] }));
					}}
				/>
			)}
		</Page>
	);
}
