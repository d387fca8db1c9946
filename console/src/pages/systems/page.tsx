// Information systems: who answers for one, how much it matters, its grades, and
// which networks and hosts belong to it.
import { Button, ButtonLink, Chip, type Column, Confirm, Drawer, Empty, ErrorBox, Facts, type List, Menu, Page, SearchBox, Section, Select, Skeleton, Table, Time, api, at, go, link, may, orgTitle, param, personName, place, setQuery, t, titleOf, useData, useEffect, useList, useState, withQuery, withRest, Lead } from "../../kit";
import { SystemForm } from "./form";

export interface InfoSystem {
	id: string;
	org: string;
	name: string;
	title_ja: string;
	title_en: string;
	owner: string | null;
	importance: number;
	scheme: "cia3" | "local5";
	confidentiality: string;
	integrity: number;
	availability: number;
	networks?: string[];
	hosts?: string[];
	created_at: string;
	updated_at: string;
	etag: string;
}
const TONE = ["plain", "plain", "info", "warn"] as const;

export function gradeOf(s: Pick<InfoSystem, "scheme" | "confidentiality">): string {
	return t(s.scheme === "local5" ? "systems.grade.local" : "systems.grade.c", { grade: s.confidentiality });
}
export function Grades({ s }: { s: InfoSystem }) {
	return (
		<span class="y-chips">
			<Chip>{gradeOf(s)}</Chip>
			<Chip>{t("systems.grade.i", { grade: s.integrity })}</Chip>
			<Chip>{t("systems.grade.a", { grade: s.availability })}</Chip>
		</span>
	);
}
function Importance({ n }: { n: number }) {
	return <Chip tone={TONE[n] ?? "plain"}>{t(`systems.importance.${n}`)}</Chip>;
}
function Members({ title, items, org, none }: { title: string; items: string[]; org: string; none: string }) {
	return (
		<Section title={title}>
			{items.length === 0 ? (
				<p class="y-soft">{none}</p>
			) : (
				<ul class="y-list">
					{items.map((x) => (
						<li key={x} class="y-listrow">
							<code class="y-grow">{x}</code>
							{may("events:read", org) && <ButtonLink small kind="quiet" icon="search" href={link("search", { scope: { org }, query: { q: x, from: "now-24h" } })}>{t("systems.logs")}</ButtonLink>}
						</li>
					))}
				</ul>
			)}
		</Section>
	);
}
function Detail({ id, changed }: { id: string; changed: () => void }) {
	const one = useData<InfoSystem>(at`/systems/${id}`);
	const [dialog, setDialog] = useState<"" | "edit" | "remove">("");
	const s = one.data?.id === id ? one.data : undefined;
	const write = s !== undefined && may("systems:write", s.org);
	return (
		<Drawer
			title={s === undefined ? t("scope.system") : titleOf(s)}
			back={withRest([])}
			head={
				s !== undefined && (
					<div class="y-row">
						<Importance n={s.importance} />
						{write && <Button small onClick={() => setDialog("edit")}>{t("action.edit")}</Button>}
						{write && <Menu label={t("systems.more")} icon="more" small end items={[{ label: t("systems.remove"), danger: true, run: () => setDialog("remove") }]} />}
					</div>
				)
			}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{s === undefined && one.error === undefined && <Skeleton lines={6} />}
			{s !== undefined && (
				<>
					<Section title={t("systems.about")}>
						<Facts
							rows={[
								[t("systems.org"), <a key="o" href={link("organisations", { rest: [s.org], scope: {} })}>{orgTitle(s.org)}</a>],
								[t("systems.name"), <code key="n">{s.name}</code>],
								[t("systems.title-ja"), s.title_ja],
								[t("systems.title-en"), s.title_en],
								[t("systems.owner"), s.owner === null ? <span key="w" class="y-soft">{t("systems.owner-none")}</span> : may("people:read") ? <a key="w" href={link("people", { rest: [s.owner], scope: {} })}>{personName(s.owner)}</a> : personName(s.owner)],
								[t("systems.scheme"), t(`systems.scheme.${s.scheme}`)],
								[t("systems.grades"), <Grades key="g" s={s} />],
								["", <ul key="x" class="y-soft y-bullets"><li>{t(`systems.${s.scheme === "local5" ? "local" : "c"}-hint.${s.confidentiality}`)}</li><li>{t(`systems.i-hint.${s.integrity}`)}</li><li>{t(`systems.a-hint.${s.availability}`)}</li></ul>],
								[t("systems.updated"), <Time key="u" at={s.updated_at} exact />],
							]}
						/>
						<div class="y-row og-links">
							{may("alerts:read") && <ButtonLink small href={link("overview", { scope: { org: s.org, system: s.id } })}>{t("nav.overview")}</ButtonLink>}
							{may("alerts:read") && <ButtonLink small href={link("alerts", { scope: { org: s.org, system: s.id } })}>{t("nav.alerts")}</ButtonLink>}
						</div>
					</Section>
					<Members title={t("systems.networks")} items={s.networks ?? []} org={s.org} none={t("systems.networks-none")} />
					<Members title={t("systems.hosts")} items={s.hosts ?? []} org={s.org} none={t("systems.hosts-none")} />
					{dialog === "edit" && <SystemForm system={s} onClose={() => setDialog("")} done={() => { one.reload(); changed(); }} />}
					{dialog === "remove" && (
						<Confirm title={t("systems.remove")} action={t("systems.remove")} danger onClose={() => setDialog("")} run={async () => { await api.del(at`/systems/${s.id}`); changed(); go(withRest([])); }}>
							<p>{t("systems.remove-what", { name: titleOf(s) })}</p>
						</Confirm>
					)}
				</>
			)}
		</Drawer>
	);
}

export default function Systems() {
	const org = place.value.org;
	const list = useList<InfoSystem>("/systems", { limit: 200, org: org || undefined });
	useEffect(() => {
		if (list.hasMore && !list.loading && list.items.length < 5000) list.more();
	}, [list.items.length, list.hasMore, list.loading]);
	const [adding, setAdding] = useState(false);
	const open = place.value.rest[0];
	const plain = (x: string) => x.normalize("NFKC").toLowerCase();
	const want = plain(param("q"));
	const importance = param("importance");
	const rows = list.items.filter((s) => plain(`${s.name} ${s.title_ja} ${s.title_en} ${s.org} ${orgTitle(s.org)}`).includes(want) && (importance === "" || String(s.importance) === importance)).sort((a, b) => b.importance - a.importance);
	const shown: List<InfoSystem> = { ...list, items: rows, total: list.hasMore ? undefined : rows.length, hasMore: false, update: () => undefined, head: undefined };
	const filtered = want !== "" || importance !== "";
	const add = may("systems:write", org) && <Button kind="main" icon="plus" onClick={() => setAdding(true)}>{t("systems.add")}</Button>;
	const columns: Column<InfoSystem>[] = [
		{ key: "title", label: t("scope.system"), main: true, width: "wide", cell: (s) => <a href={withRest([s.id])}>{titleOf(s)}</a> },
		{ key: "importance", label: t("systems.importance"), width: "min", cell: (s) => <a href={withQuery({ importance: String(s.importance) })}><Importance n={s.importance} /></a> },
		{ key: "grades", label: t("systems.grades"), drop: 1, cell: (s) => <Grades s={s} /> },
		{ key: "org", label: t("systems.org"), cell: (s) => orgTitle(s.org) },
		{ key: "owner", label: t("systems.owner"), drop: 2, cell: (s) => (s.owner === null ? <span class="y-soft">{t("systems.owner-none")}</span> : personName(s.owner)) },
		{ key: "name", label: t("systems.name"), extra: true, cell: (s) => <code>{s.name}</code> },
		{ key: "scheme", label: t("systems.scheme"), extra: true, cell: (s) => t(`systems.scheme.${s.scheme}`) },
	];
	return (
		<Page
			title={t("nav.systems")}
			lead={<Lead asOf={list.asOf}>{t("systems.lead")}</Lead>}
			actions={add}
			exports={{ kind: "systems", query: { org: org || undefined }, rows: filtered ? rows.map((s) => s.id) : undefined }}
			drawer={open !== undefined && <Detail key={open} id={open} changed={list.reload} />}
		>
			<Table
				name="systems"
				label={t("nav.systems")}
				columns={columns}
				list={shown}
				rowKey={(s) => s.id}
				rowHref={(s) => withRest([s.id])}
				open={open}
				tools={
					<div class="y-filters">
						<SearchBox label={t("systems.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
						<Select label={t("systems.importance")} value={importance} onChange={(x) => setQuery({ importance: x })} options={[["", t("systems.importance.any")], ...["3", "2", "1"].map((x): [string, string] => [x, t(`systems.importance.${x}`)])]} />
					</div>
				}
				empty={<Empty title={filtered ? t("systems.none-fits") : t("systems.none")} action={filtered ? <Button onClick={() => setQuery({ q: null, importance: null })}>{t("systems.clear")}</Button> : add}>{filtered ? undefined : t("systems.none-next")}</Empty>}
			/>
			{adding && <SystemForm onClose={() => setAdding(false)} done={(id) => { list.reload(); go(withRest([id])); }} />}
		</Page>
	);
}
