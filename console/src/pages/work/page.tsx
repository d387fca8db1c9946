// What is to be done, in order; what one has, decides and watches; what one looked at last.
import { About, type AlertRow, AlertRows, type PageOf, Empty, ErrorBox, HeardIn, Num, Page, type SavedSearch, Section, Skeleton, Time, assetQuery, k, link, may, orgQuery, session, t, textOr, toMs, useData, useEffect, useHeard, useLive, useRef, useState } from "../../kit";
import { Recently } from "./recent";
import { countOf, watchHref } from "./watched";

type Alerts = PageOf<AlertRow> & { total?: number | null; total_exact?: boolean; as_of?: string };
interface Approval {
	id: string;
	kind: string;
	org: string | null;
	may_approve: boolean;
	expires_at: string;
}
interface Token {
	id: string;
	name: string;
	expires_at: string | null;
	revoked_at: string | null;
}
interface Me {
	credentials: { passkeys: number; recovery_codes: number; password: boolean };
}
interface Task {
	key: string;
	n?: number;
	text: string;
	how: string;
	href: string;
}
const SOON = 30 * 86_400_000;
const MOST = 5;
const atLeast = (a: Alerts | undefined) => a?.total ?? a?.items.length ?? 0;

/** At most five things, the most urgent first; each with how it is done. */
function tasks(of: { late?: Alerts; grave?: Alerts; free?: Alerts; waiting: Approval[]; silent: number; tokens: Token[]; me?: Me }): Task[] {
	const rows: (Task | false | undefined)[] = [
		atLeast(of.late) > 0 && { key: "late", n: atLeast(of.late), text: t("work.do.late"), how: t("work.how.late"), href: link("alerts", { query: { assignee: "me", overdue: "true", sort: "due" } }) },
		atLeast(of.grave) > 0 && { key: "mine", n: atLeast(of.grave), text: t("work.do.mine"), how: t("work.how.mine"), href: link("alerts", { query: { assignee: "me", severity: 4, sort: "severity" } }) },
		atLeast(of.free) > 0 && { key: "free", n: atLeast(of.free), text: t("work.do.free"), how: t("work.how.free"), href: link("alerts", { query: { assignee: "none", state: "new", severity: 4, sort: "severity" } }) },
		of.waiting.length > 0 && { key: "approve", n: of.waiting.length, text: t("work.do.approve"), how: t("work.how.approve"), href: link("approvals") },
		of.silent > 0 && { key: "silent", n: of.silent, text: t("work.do.silent"), how: t("work.how.silent"), href: link("sources", { query: { state: "silent" } }) },
		of.tokens.length > 0 && { key: "tokens", n: of.tokens.length, text: t("work.do.tokens"), how: t("work.how.tokens"), href: "/account" },
		of.me !== undefined && of.me.credentials.password && of.me.credentials.recovery_codes < 3 && { key: "codes", text: t("work.do.codes"), how: t("work.how.codes"), href: "/account" },
		of.me !== undefined && of.me.credentials.passkeys === 0 && { key: "passkey", text: t("work.do.passkey"), how: t("work.how.passkey"), href: "/account" },
	];
	return rows.filter((x): x is Task => x !== false && x !== undefined).slice(0, MOST);
}
function ToDo({ rows, ready }: { rows: Task[]; ready: boolean }) {
	if (!ready) return <Skeleton lines={5} />;
	if (rows.length === 0) return <Empty title={t("work.nothing")} action={<a href={link("alerts")}>{t("work.nothing-next")}</a>} />;
	return (
		<ol class="wk-todo">
			{rows.map((x) => (
				<li key={x.key} class="y-card">
					<a href={x.href}>
						{x.text}
						{x.n !== undefined && <b class="y-num"> {t("work.n", { n: x.n })}</b>}
					</a>
					<p class="y-soft">{x.how}</p>
				</li>
			))}
		</ol>
	);
}
function Mine({ list }: { list: ReturnType<typeof useData<Alerts>> }) {
	const all = link("alerts", { query: { assignee: "me", sort: "due" } });
	return (
		<Section title={t("work.mine")} about={<About name={t("work.mine")} about={[k("work.about.mine"), k("work.about.mine-how")]} />} end={atLeast(list.data) > 0 && <Num n={atLeast(list.data)} href={all} label={t("work.mine")} />}>
			<AlertRows list={list} none={t("work.mine-none")} query={{ assignee: "me", sort: "due" }} due />
		</Section>
	);
}
/** What ends soon: one's alerts, requests that wait for one's decision, tokens of one's own. */
function Due({ mine, waiting, tokens }: { mine: AlertRow[]; waiting: Approval[]; tokens: Token[] }) {
	const rows = [
		...mine.filter((a) => a.due_at !== null && toMs(a.due_at) < Date.now() + SOON).map((a) => ({ key: a.id, text: a.title, href: link("alerts", { rest: [a.id], query: { assignee: "me", sort: "due" } }), at: a.due_at as string })),
		...waiting.map((a) => ({ key: a.id, text: textOr(`work.kind.${a.kind}`, a.kind), href: link("approvals", { rest: [a.id] }), at: a.expires_at })),
		...tokens.map((x) => ({ key: x.id, text: t("work.token", { name: x.name }), href: "/account", at: x.expires_at as string })),
	]
		.sort((a, b) => toMs(a.at) - toMs(b.at))
		.slice(0, 10);
	return (
		<Section title={t("work.due")} about={<About name={t("work.due")} about={[k("work.about.due"), k("work.about.due-how")]} />}>
			{rows.length === 0 && <p class="y-soft">{t("work.due-none")}</p>}
			<ul class="y-list">
				{rows.map((x) => (
					<li key={x.key} class="y-listrow">
						<a class="y-grow" href={x.href}>
							{x.text}
						</a>
						<small class={toMs(x.at) < Date.now() ? "y-coverage--poor" : "y-soft"}>
							{t("work.until")} <Time at={x.at} />
						</small>
					</li>
				))}
			</ul>
		</Section>
	);
}
/** The alerts that one keeps an eye on. */
function Eye({ list }: { list: ReturnType<typeof useData<Alerts>> }) {
	const all = link("alerts", { query: { watched: "true", state: "all" } });
	return (
		<Section title={t("work.eye")} about={<About name={t("work.eye")} about={[k("work.about.eye"), k("work.about.eye-how")]} asOf={list.data?.as_of} />} end={atLeast(list.data) > 0 && <Num n={atLeast(list.data)} href={all} label={t("work.eye")} />}>
			<AlertRows list={list} none={t("work.eye-none")} query={{ watched: "true", state: "all" }} />
		</Section>
	);
}
/** Saved filters, with how many fit now. */
function Watched() {
	const list = useData<PageOf<SavedSearch>>(may("searches:write") ? "/saved-searches" : "", { limit: 50 });
	const [counts, setCounts] = useState<Record<string, number | undefined>>({});
	const rows = (list.data?.items ?? []).filter((s) => (s.page === "alerts" && may("alerts:read")) || (s.page === "search" && may("events:read"))).slice(0, 10);
	const asked = rows.map((s) => s.id).join() + JSON.stringify(assetQuery());
	useEffect(() => {
		let here = true;
		setCounts({});
		for (const s of rows) void countOf(s).then((n) => here && setCounts((c) => ({ ...c, [s.id]: n })));
		return () => {
			here = false;
		};
	}, [asked]);
	if (!may("searches:write")) return null;
	return (
		<Section title={t("work.watched")} about={<About name={t("work.watched")} about={[k("work.about.watched"), k("work.about.watched-how")]} />}>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.error === undefined && list.data === undefined && <Skeleton lines={3} />}
			{list.data !== undefined && rows.length === 0 && <p class="y-soft">{t("work.watched-none")}</p>}
			<ul class="y-list">
				{rows.map((s) => (
					<li key={s.id} class="y-listrow">
						<div class="y-grow">
							<a href={watchHref(s)}>{s.name}</a>
							<small class="y-soft y-under">{s.page === "alerts" ? t("nav.alerts") : t("work.logs-day")}</small>
						</div>
						{s.id in counts && <Num n={counts[s.id]} href={watchHref(s)} label={s.name} />}
					</li>
				))}
			</ul>
		</Section>
	);
}

export default function Work() {
	const me = session.value?.person;
	const login = me?.login ?? "";
	const person = me !== null && me !== undefined;
	const mine = useData<Alerts>(login === "" ? "" : "/alerts", { ...assetQuery(), assignee: login, state: "active", sort: "due", limit: 10 });
	const late = useData<Alerts>(login === "" ? "" : "/alerts", { ...assetQuery(), assignee: login, state: "active", overdue: "true", limit: 1 });
	const grave = useData<Alerts>(login === "" ? "" : "/alerts", { ...assetQuery(), assignee: login, state: "active", severity: 4, limit: 1 });
	const eye = useData<Alerts>("/alerts", { ...assetQuery(), watched: "true", limit: 10 });
	const free = useData<Alerts>(may("alerts:write") ? "/alerts" : "", { ...assetQuery(), assignee: "none", state: "new", severity: 4, limit: 1 });
	const approvals = useData<PageOf<Approval>>(may("approvals:write") ? "/approvals" : "", { ...orgQuery(), state: "open", limit: 50 });
	const heard = useHeard();
	const account = useData<Me>(person ? "/me" : "");
	const own = useData<PageOf<Token>>(person ? "/me/tokens" : "");
	const timer = useRef(0);
	useLive(["alerts"], () => {
		clearTimeout(timer.current);
		timer.current = window.setTimeout(() => {
			mine.reload();
			late.reload();
			grave.reload();
			eye.reload();
			free.reload();
		}, 2000); // one reading for many changes
	});
	useLive(["approvals"], approvals.reload);
	const waiting = (approvals.data?.items ?? []).filter((a) => a.may_approve);
	const tokens = (own.data?.items ?? []).filter((x) => x.revoked_at === null && x.expires_at !== null && toMs(x.expires_at) > Date.now() && toMs(x.expires_at) < Date.now() + SOON);
	const ready = [mine, late, grave, free, approvals, heard, account, own].every((x) => !x.loading || x.error !== undefined);
	const failed = [late, grave, free, approvals, heard, account, own].find((x) => x.error !== undefined);
	const silent = may("events:read") ? (heard.data?.silent_total ?? 0) : 0;
	return (
		<Page title={t("nav.work")} lead={<HeardIn now={heard} asOf={mine.data?.as_of} />}>
			{failed?.error !== undefined && <ErrorBox error={failed.error} again={failed.reload} />}
			<Section title={t("work.todo")} about={<About name={t("work.todo")} about={[k("work.about.todo"), k("work.about.todo-how")]} />}>
				<ToDo ready={ready} rows={tasks({ late: late.data, grave: grave.data, free: free.data, waiting, silent, tokens, me: account.data })} />
			</Section>
			<div class="y-grid">
				<div>
					{login !== "" && <Mine list={mine} />}
					<Eye list={eye} />
					<Watched />
				</div>
				<div>
					<Due mine={mine.data?.items ?? []} waiting={waiting} tokens={tokens} />
					{person && <Recently />}
				</div>
			</div>
		</Page>
	);
}
