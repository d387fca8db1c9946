// The audit log: who changed what, from what to what; and the proof that nobody
// changed the log itself.
import { Button, Chip, type Column, type ComponentChildren, Copy, Dialog, Drawer, Empty, ErrorBox, Facts, Form, NewRows, Page, SearchBox, Section, Select, Skeleton, Table, TextField, Time, TimeRange, Value, actorName, api, asked, link, mayAll, orgTitle, param, place, setQuery, t, textOr, useData, useForm, useFrom, useList, useNews, useState, withQuery, withRest, Lead } from "../../kit";
import { wordsOf } from "./first";
import { type Json, Said } from "./value";

interface Entry {
	seq: number;
	at: string;
	actor: string;
	org: string | null;
	action: string;
	object: string;
	detail: Record<string, Json>;
	hash: string;
}
interface Verification {
	ok: boolean;
	entries: number;
	first_bad: number | null;
	head_seq: number;
	head: string | null;
	text: string;
}
const KINDS = ["alert.", "indicator.", "list.", "allow.", "block.", "rule.", "rule_exception.", "detection_notice.", "dns.", "source.", "org.", "system.", "person.", "credential.", "enrolment.", "session.", "token.", "grant.", "approval.", "view.", "job.", "backup.", "config.", "search.", "demo."];

const actionName = (action: string) => textOr(`audit-log.action.${action}`, action);
function isChange(v: Json): v is { from: Json; to: Json } {
	return typeof v === "object" && v !== null && !Array.isArray(v) && "from" in v && "to" in v;
}
/** Where the object of an entry is shown, by what its id begins with. */
function objectHref(e: Entry): string | undefined {
	const scope = {};
	if (e.action.startsWith("org.") && e.action !== "org.remove") return link("organisations", { rest: [e.object], scope });
	const pages = { a: "alerts", p: "people", y: "systems", j: "jobs", v: "approvals", r: "detection-rule", x: "detection-exceptions", l: "indicators", i: "indicators", w: "indicators", u: "dns-requests" } as const;
	const kind = /^([a-z])-(?:[0-9A-Z]{26}|\d+)$/.exec(e.object)?.[1] ?? "";
	const page = kind in pages ? pages[kind as keyof typeof pages] : undefined;
	return page === undefined || e.action.endsWith(".remove") ? undefined : link(page, { rest: [e.object], scope });
}
/** `short`: of a long id only its end, which is what tells ids apart. */
function ObjectOf({ e, short }: { e: Entry; short?: boolean }) {
	const href = objectHref(e);
	const cut = short === true && /^[a-z]-[0-9A-Z]{26}$/.test(e.object);
	const text = e.action.startsWith("org.") ? orgTitle(e.object) : cut ? `${e.object.slice(0, 2)}…${e.object.slice(-6)}` : e.object;
	return href === undefined ? <code title={e.object}>{text}</code> : <a href={href} title={e.object}>{text}</a>;
}
function Changes({ e, short }: { e: Entry; short?: boolean }) {
	const rows = Object.entries(e.detail);
	const about = e.action.split(".")[0] ?? "";
	if (rows.length === 0) return <span class="y-soft">{t("audit-log.no-detail")}</span>;
	const cells = rows.slice(0, short === true ? 3 : rows.length).map(([name, v]): [string, ComponentChildren] => [
		textOr(`audit-log.field.${name}`, name),
		isChange(v) ? (
			<span key={name} class="y-diff">
				<del><Said about={about} name={name} v={v.from} /></del> → <ins><Said about={about} name={name} v={v.to} /></ins>
			</span>
		) : (
			<Said key={name} about={about} name={name} v={v} />
		),
	]);
	if (short !== true) return <Facts rows={cells} />;
	return (
		<span class="y-diffs">
			{cells.map(([name, v]) => (
				<span key={name}>
					<small class="y-soft">{name}</small> {v}
				</span>
			))}
			{rows.length > 3 && <small class="y-soft">{t("audit-log.and-more", { n: rows.length - 3 })}</small>}
		</span>
	);
}

function Outcome({ v }: { v: Verification }) {
	const head = `${v.head_seq}:${v.head ?? ""}`;
	return (
		<div class="y-stack">
			<p>{v.ok ? <Chip tone="ok">{t("audit-log.whole")}</Chip> : <Chip tone="bad">{t("audit-log.broken")}</Chip>}</p>
			<p>{v.ok ? t("audit-log.whole-text", { n: v.entries }) : t("audit-log.broken-text", { n: v.first_bad ?? v.head_seq })}</p>
			{!v.ok && <p class="y-soft">{v.text}</p>}
			{v.head !== null && (
				<>
					<Facts rows={[[t("audit-log.head"), <Value key="h" copy>{head}</Value>]]} />
					<p class="y-soft">{t("audit-log.head-note")}</p>
				</>
			)}
		</div>
	);
}
function Verify({ onClose }: { onClose: () => void }) {
	const now = useData<Verification>("/audit-log/verify");
	const [against, setAgainst] = useState<Verification>();
	const form = useForm({ head: "" }, async (v) => {
		const [seq = "", hash = ""] = v.head.trim().split(":");
		setAgainst(undefined);
		setAgainst(await api.post<Verification>("/audit-log/verify", { seq: Number(seq), hash: hash.toLowerCase() }));
	});
	const good = /^\d+:[0-9a-f]{64}$/i.test(form.value.head.trim());
	return (
		<Dialog title={t("audit-log.verify")} onClose={onClose} wide>
			<p>{t("audit-log.verify-what")}</p>
			{now.error !== undefined && <ErrorBox error={now.error} again={now.reload} />}
			{now.loading && <Skeleton lines={2} />}
			{now.data !== undefined && <Outcome v={now.data} />}
			<Section title={t("audit-log.compare")}>
				<Form form={form} action={t("audit-log.compare-go")} disabled={!good}>
					<TextField label={t("audit-log.noted")} hint={t("audit-log.noted-hint")} value={form.value.head} onChange={(head) => form.set({ head })} spellcheck={false} />
				</Form>
				{against !== undefined && <Outcome v={against} />}
			</Section>
		</Dialog>
	);
}

export default function AuditLog() {
	const [verifying, setVerifying] = useState(false);
	const query = { ...wordsOf(asked()), ...useFrom() };
	const list = useList<Entry>("/audit-log", query);
	const news = useNews(["alerts", "jobs", "system"], list, "/audit-log", query, (e) => String(e.seq)); // what else is written waits for one of these
	const open = place.value.rest[0];
	const entry = list.items.find((e) => String(e.seq) === open);
	const filtered = ["object", "actor", "action", "from", "to"].some((name) => param(name) !== "");
	const columns: Column<Entry>[] = [
		{ key: "action", label: t("audit-log.action"), main: true, width: "min", cell: (e) => <a href={withRest([String(e.seq)])}>{actionName(e.action)}</a> },
		{ key: "at", label: t("audit-log.at"), width: "min", cell: (e) => <Time at={e.at} exact seconds /> },
		{ key: "actor", label: t("audit-log.actor"), cell: (e) => actorName(e.actor) },
		{ key: "object", label: t("audit-log.object"), width: "min", drop: 1, cell: (e) => <ObjectOf e={e} short /> },
		{ key: "org", label: t("scope.organisation"), drop: 2, cell: (e) => orgTitle(e.org) },
		{ key: "changes", label: t("audit-log.changes"), width: "wide", cell: (e) => <Changes e={e} short /> },
		{ key: "seq", label: t("audit-log.seq"), num: true, extra: true, cell: (e) => e.seq },
		{ key: "hash", label: t("audit-log.hash"), extra: true, cell: (e) => <code>{e.hash.slice(0, 16)}…</code> },
	];
	return (
		<Page
			title={t("nav.audit-log")}
			lead={<Lead asOf={list.asOf}>{t("audit-log.lead")}</Lead>}
			range={<TimeRange fallback="" />}
			actions={mayAll("audit:read") && <Button icon="check" onClick={() => setVerifying(true)}>{t("audit-log.verify")}</Button>}
			exports={{ kind: "audit-log", query }}
			drawer={
				open !== undefined && (
					<Drawer title={entry === undefined ? t("audit-log.entry", { n: open }) : actionName(entry.action)} back={withRest([])}>
						{entry === undefined ? (
							list.loading ? <Skeleton /> : <Empty title={t("audit-log.not-here")}>{t("audit-log.not-here-next")}</Empty>
						) : (
							<>
								<Section title={t("audit-log.changes")}>
									<Changes e={entry} />
								</Section>
								<Section title={t("audit-log.about")}>
									<Facts
										rows={[
											[t("audit-log.at"), <Time key="t" at={entry.at} exact seconds />],
											[t("audit-log.actor"), <a key="a" href={withQuery({ actor: entry.actor })}>{actorName(entry.actor)}</a>],
											[t("audit-log.action"), <code key="c">{entry.action}</code>],
											[t("audit-log.object"), <span key="o" class="y-value"><ObjectOf e={entry} /><Copy text={entry.object} /></span>],
											["", entry.object !== "" && <a href={withQuery({ object: entry.object })}>{t("audit-log.same-object")}</a>],
											[t("scope.organisation"), orgTitle(entry.org)],
											[t("audit-log.seq"), String(entry.seq)],
											[t("audit-log.hash"), <Value key="h" copy>{entry.hash}</Value>],
										]}
									/>
								</Section>
							</>
						)}
					</Drawer>
				)
			}
		>
			<Table
				name="audit-log"
				label={t("nav.audit-log")}
				columns={columns}
				list={list}
				rowKey={(e) => String(e.seq)}
				rowHref={(e) => withRest([String(e.seq)])}
				open={open}
				tools={
					<div class="y-filters">
						<SearchBox label={t("audit-log.find")} value={param("object")} onChange={(object) => setQuery({ object }, "replace")} />
						<Select label={t("audit-log.action")} value={param("action")} onChange={(action) => setQuery({ action })} options={[["", t("audit-log.any-action")], ...KINDS.map((x): [string, string] => [x, t(`audit-log.kind.${x.slice(0, -1)}`)])]} />
						{param("actor") !== "" && <Button small icon="close" onClick={() => setQuery({ actor: null })}>{t("audit-log.by", { name: actorName(param("actor")) })}</Button>}
						<NewRows {...news} />
					</div>
				}
				empty={<Empty title={t("audit-log.none")} action={filtered && <Button onClick={() => setQuery({ object: null, actor: null, action: null, from: null, to: null })}>{t("audit-log.clear")}</Button>}>{filtered ? t("audit-log.none-filter") : t("audit-log.none-next")}</Empty>}
			/>
			{verifying && <Verify onClose={() => setVerifying(false)} />}
		</Page>
	);
}
