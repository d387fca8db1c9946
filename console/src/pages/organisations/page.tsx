// The tree of organisations; of each who can see it and why, and how it sends logs.
import { About, Button, ButtonLink, Chip, type Column, ConfirmTwo, Check, Drawer, Empty, ErrorBox, Facts, type List, Menu, type Organisation, Page, SearchBox, Section, Skeleton, Table, Time, api, at, cx, go, k, lang, link, loadOrgs, may, mayAll, orgTitle, param, place, setQuery, t, titleOf, useData, useEffect, useList, useState, withRest, Lead, orgQuery } from "../../kit";
import { Access } from "./access";
import { DuePolicy } from "./due";
import { OrgForm } from "./form";
import { Collectors } from "./tokens";

export type Org = Organisation & { kind: "centre" | "sector" | "organisation" | "unit"; parent: string | null; prefecture: number };
type Row = Org & { depth: number; below: number };

/** In the order of the tree, each under its parent; one whose parent is out of sight stands at the top. */
function treeOf(all: Org[], want: string): Row[] {
	const names = new Set(all.map((o) => o.name));
	const below = new Map<string, Org[]>();
	for (const o of all) {
		const key = o.parent !== null && names.has(o.parent) ? o.parent : "";
		below.set(key, [...(below.get(key) ?? []), o]);
	}
	const plain = (s: string) => s.normalize("NFKC").toLowerCase();
	const out: Row[] = [];
	// a node shows when it fits, or when one below it does
	const walk = (parent: string, depth: number): boolean => {
		let any = false;
		for (const o of (below.get(parent) ?? []).sort((a, b) => titleOf(a).localeCompare(titleOf(b), lang.value))) {
			const here = out.length;
			out.push({ ...o, depth, below: below.get(o.name)?.length ?? 0 });
			const fits = plain(`${o.name} ${o.title_ja} ${o.title_en}`).includes(plain(want));
			const inside = walk(o.name, depth + 1);
			if (fits || inside) any = true;
			else out.length = here;
		}
		return any;
	};
	walk("", 0);
	return out;
}
function Remove({ org, done, onClose }: { org: Org; done: () => void; onClose: () => void }) {
	const [force, setForce] = useState(false);
	const run = async () => {
		await api.del(at`/organisations/${org.name}`, { force: force || undefined });
		done();
	};
	return (
		<ConfirmTwo second={{ kind: "organisation.remove", org: org.name }} about={t("organisations.remove-asking", { name: titleOf(org) })} title={t("organisations.remove")} action={t("organisations.remove")} danger onClose={onClose} run={run}>
			<p>{t("organisations.remove-what", { name: titleOf(org) })}</p>
			<Check label={t("organisations.remove-force")} hint={t("organisations.remove-force-hint")} checked={force} onChange={setForce} />
		</ConfirmTwo>
	);
}
function Detail({ name, all, changed }: { name: string; all: Row[]; changed: () => void }) {
	const one = useData<Org>(at`/organisations/${name}`);
	const [dialog, setDialog] = useState<"" | "edit" | "below" | "remove">("");
	const org = one.data?.name === name ? one.data : undefined;
	const children = all.filter((o) => o.parent === name);
	const after = () => {
		one.reload();
		changed();
	};
	return (
		<Drawer
			title={org === undefined ? name : titleOf(org)}
			back={withRest([])}
			head={
				org !== undefined && (
					<div class="y-row">
						<Chip>{t(`organisations.kind.${org.kind}`)}</Chip>
						{org.demo && <Chip tone="warn">{t("organisations.demo")}</Chip>}
						{may("org:write", name) && <Button small onClick={() => setDialog("edit")}>{t("action.edit")}</Button>}
						{may("org:write", name) && <Button small icon="plus" onClick={() => setDialog("below")}>{t("organisations.add-below")}</Button>}
						{mayAll("org:write") && <Menu label={t("organisations.more")} icon="more" small end items={[{ label: t("organisations.remove"), danger: true, run: () => setDialog("remove") }]} />}
					</div>
				)
			}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{org === undefined && one.error === undefined && <Skeleton lines={6} />}
			{org !== undefined && (
				<>
					<Section title={t("organisations.about")}>
						<Facts
							rows={[
								[t("organisations.name"), <code key="n">{org.name}</code>],
								[t("organisations.title-ja"), org.title_ja],
								[t("organisations.title-en"), org.title_en],
								[t("organisations.parent"), org.parent !== null && <a href={withRest([org.parent])}>{orgTitle(org.parent)}</a>],
								[t("organisations.prefecture"), org.prefecture > 0 && t(`prefecture.${org.prefecture}`)],
								[t("organisations.below"), children.length > 0 && <ul key="b">{children.map((c) => <li key={c.name}><a href={withRest([c.name])}>{titleOf(c)}</a></li>)}</ul>],
								[t("organisations.updated"), <Time key="u" at={org.updated_at} exact />],
							]}
						/>
						<div class="y-row og-links">
							{may("alerts:read") && <ButtonLink small href={link("overview", { scope: { org: name } })}>{t("nav.overview")}</ButtonLink>}
							{may("alerts:read") && <ButtonLink small href={link("alerts", { scope: { org: name } })}>{t("nav.alerts")}</ButtonLink>}
							{may("systems:read") && <ButtonLink small href={link("systems", { scope: { org: name } })}>{t("nav.systems")}</ButtonLink>}
							{may("events:read") && <ButtonLink small href={link("sources", { scope: { org: name } })}>{t("nav.sources")}</ButtonLink>}
							{may("audit:read") && <ButtonLink small href={link("audit-log", { scope: { org: name } })}>{t("nav.audit-log")}</ButtonLink>}
						</div>
					</Section>
					{may("alerts:read", name) && <DuePolicy key={`d-${name}`} org={name} />}
					{may("tokens:read", name) && <Collectors key={`t-${name}`} org={name} />}
					{may("grants:read", name) && <Access key={`a-${name}`} org={name} />}
					{dialog === "edit" && <OrgForm org={org} done={after} onClose={() => setDialog("")} />}
					{dialog === "below" && <OrgForm parent={name} done={(made) => { after(); go(withRest([made])); }} onClose={() => setDialog("")} />}
					{dialog === "remove" && <Remove org={org} onClose={() => setDialog("")} done={() => { changed(); go(withRest([])); }} />}
				</>
			)}
		</Drawer>
	);
}

export default function Organisations() {
	const list = useList<Org>("/organisations", { limit: 200, org: place.value.org || undefined });
	useEffect(() => {
		if (list.hasMore && !list.loading && list.items.length < 5000) list.more();
	}, [list.items.length, list.hasMore, list.loading]);
	const [adding, setAdding] = useState(param("add") !== "");
	const want = param("q");
	const rows = treeOf(list.items, want);
	const shown: List<Row> = { ...list, items: rows, total: list.hasMore ? undefined : rows.length, hasMore: false, update: () => undefined, head: undefined };
	const open = place.value.rest[0];
	const changed = () => {
		list.reload();
		void loadOrgs(true);
	};
	const columns: Column<Row>[] = [
		{
			key: "title", label: t("organisations.title"), main: true, width: "wide",
			cell: (o) => (
				<span class={cx("og-node", o.depth > 0 && "is-below")} style={{ paddingInlineStart: `${o.depth * 1.25}rem` }}>
					<a href={withRest([o.name])}>{titleOf(o)}</a>
				</span>
			),
		},
		{ key: "kind", label: t("organisations.kind"), width: "min", cell: (o) => t(`organisations.kind.${o.kind}`) },
		{ key: "name", label: t("organisations.name"), drop: 1, cell: (o) => <code>{o.name}</code> },
		{ key: "prefecture", label: t("organisations.prefecture"), width: "min", drop: 2, cell: (o) => (o.prefecture > 0 ? t(`prefecture.${o.prefecture}`) : "") },
		{ key: "updated", label: t("organisations.updated"), width: "min", extra: true, cell: (o) => <Time at={o.updated_at} exact /> },
	];
	return (
		<Page
			title={t("nav.organisations")}
			lead={<Lead asOf={list.asOf}>{t("organisations.lead")}</Lead>}
			actions={mayAll("org:write") && <Button kind="main" icon="plus" onClick={() => setAdding(true)}>{t("organisations.add")}</Button>}
			exports={[{ kind: "organisations", query: orgQuery(), rows: want === "" ? undefined : rows.map((o) => o.name) }, ...(may("tokens:read") ? [{ kind: "tokens" as const, query: { org: open ?? orgQuery().org } }] : [])]}
			drawer={open !== undefined && <Detail key={open} name={open} all={rows} changed={changed} />}
		>
			<Table
				name="organisations"
				about={<About name={t("nav.organisations")} about={[k("organisations.about.rows"), k("organisations.about.rows-how")]} asOf={list.asOf} />}
				label={t("nav.organisations")}
				columns={columns}
				list={shown}
				rowKey={(o) => o.name}
				rowHref={(o) => withRest([o.name])}
				open={open}
				tools={<div class="y-filters"><SearchBox label={t("organisations.find")} value={want} onChange={(q) => setQuery({ q }, "replace")} /></div>}
				empty={
					<Empty title={want !== "" ? t("organisations.none-fits") : t("organisations.none")} action={want !== "" ? <Button onClick={() => setQuery({ q: null })}>{t("organisations.clear")}</Button> : mayAll("org:write") && <Button kind="main" icon="plus" onClick={() => setAdding(true)}>{t("organisations.add")}</Button>}>
						{want !== "" ? undefined : t("organisations.none-next")}
					</Empty>
				}
			/>
			{place.value.org === "" && mayAll("alerts:read") && open === undefined && <DuePolicy org="" />}
			{adding && <OrgForm done={(made) => { changed(); go(withRest([made])); }} onClose={() => setAdding(false)} />}
		</Page>
	);
}
