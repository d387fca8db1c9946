// People: who signs in, with which roles where, and what they can see by which grant.
import { Button, Chip, type Column, Combobox, ConfirmTwo, Dialog, Drawer, Empty, ErrorBox, Facts, Form, type List, Menu, Page, type PageOf, SearchBox, Section, Select, SelectField, Skeleton, Table, TextField, Time, api, asError, at, changing, findOrgs, go, lang, link, may, mayAll, myId, orgQuery, orgTitle, param, place, setQuery, t, textOr, toast, toastError, useData, useEffect, useForm, useList, useLive, useState, withRest, type ApiError, Value, Lead } from "../../kit";
import { Access } from "./access";
import { GrantForm, type Grant, GrantLine, ROLES } from "./grants";

export interface Person {
	id: string;
	login: string;
	name: string;
	email: string;
	language: "ja" | "en";
	/** The node that answers for them; null: the whole, or none that one may see. */
	org: string | null;
	home: string;
	state: "invited" | "active" | "disabled";
	/** May do everything, without a grant. */
	administrator: boolean;
	/** Whether the reader answers for them and every role of theirs. */
	may_change: boolean;
	created_at: string;
	updated_at: string;
	etag: string;
}
interface SessionRow {
	id: string;
	method: string;
	address: string;
	agent: string;
	created_at: string;
	last_used_at: string;
}
const TONE = { invited: "info", active: "ok", disabled: "plain" } as const;

function PersonForm({ person, done, onClose }: { person?: Person; done: (id: string) => void; onClose: () => void }) {
	const form = useForm({ login: person?.login ?? "", name: person?.name ?? "", email: person?.email ?? "", language: (person?.language ?? lang.value) as string, home: person?.home ?? "", org: person === undefined && !mayAll("people:write") ? "?" : (person?.org ?? "") }, async (v) => {
		const same = { name: v.name.trim(), email: v.email.trim(), language: v.language, home: v.home, org: v.org === "" ? null : v.org };
		if (person !== undefined) {
			const was = { name: person.name, email: person.email, language: person.language, home: person.home, org: person.org };
			await changing<Person>(at`/people/${person.id}`, person.etag, same, was, t("people.saved"), (now) => done(now.id));
			onClose();
			return;
		}
		const made = await api.post<Person>("/people", { login: v.login.trim(), ...same, email: same.email || null, home: same.home || null });
		toast(t("people.saved"));
		onClose();
		done(made.id);
	});
	const v = form.value;
	return (
		<Dialog title={person === undefined ? t("people.add") : t("people.edit")} onClose={onClose}>
			<Form form={form} action={person === undefined ? t("action.add") : t("action.save")} cancel={onClose} disabled={v.login.trim() === "" || v.name.trim() === "" || v.org === "?"}>
				{person === undefined && <TextField label={t("people.login")} hint={t("people.login-hint")} required spellcheck={false} maxLength={64} value={v.login} onChange={(login) => form.set({ login: login.toLowerCase() })} fault={form.fault("login")} />}
				<TextField label={t("people.name")} required value={v.name} onChange={(name) => form.set({ name })} fault={form.fault("name")} />
				<TextField label={t("people.email")} hint={t("people.email-hint")} type="email" value={v.email} onChange={(email) => form.set({ email })} fault={form.fault("email")} />
				<SelectField label={t("people.language")} value={v.language} onChange={(language) => form.set({ language })} options={[["ja", t("people.language.ja")], ["en", t("people.language.en")]]} />
				<Combobox label={t("people.org")} hint={t("people.org-hint")} required value={v.org === "?" ? "" : v.org === "" ? t("scope.whole") : orgTitle(v.org)} find={async (text) => [...(mayAll("people:write") ? [{ value: "", label: t("scope.whole") }] : []), ...(await findOrgs(text)).filter((o) => may("people:write", o.value))]} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
				<Combobox label={t("people.home")} hint={t("people.home-hint")} value={v.home === "" ? t("scope.whole") : orgTitle(v.home)} find={async (text) => [{ value: "", label: t("scope.whole") }, ...(await findOrgs(text))]} onChange={(home) => form.set({ home })} fault={form.fault("home")} />
			</Form>
		</Dialog>
	);
}
/** The one-time address, shown once. */
function Invite({ person, onClose }: { person: Person; onClose: () => void }) {
	const [link, setLink] = useState<{ url: string; expires_at: string }>();
	const [error, setError] = useState<ApiError>();
	const make = () => {
		setError(undefined);
		api.post<{ url: string; expires_at: string }>(at`/people/${person.id}/enrolment`).then(setLink, (e: unknown) => setError(asError(e)));
	};
	if (link === undefined)
		return (
			<Dialog title={t("people.invite")} onClose={onClose} foot={<><Button onClick={onClose}>{t("action.cancel")}</Button><Button kind="main" onClick={make}>{t("people.invite-make")}</Button></>}>
				<p>{person.state === "active" ? t("people.invite-again", { name: person.name }) : t("people.invite-what", { name: person.name })}</p>
				{error !== undefined && <ErrorBox error={error} />}
			</Dialog>
		);
	return (
		<Dialog title={t("people.invite")} onClose={onClose} foot={<Button kind="main" onClick={onClose}>{t("people.invite-kept")}</Button>}>
			<p>{t("people.invite-once", { name: person.name })}</p>
			<p><Value copy>{link.url}</Value></p>
			<p class="y-soft">{t("people.invite-until")} <Time at={link.expires_at} exact /></p>
		</Dialog>
	);
}
function Sessions({ person }: { person: Person }) {
	const list = useData<PageOf<SessionRow>>(at`/people/${person.id}/sessions`);
	const items = list.data?.items ?? [];
	const end = (id: string) => api.del(id === "" ? at`/people/${person.id}/sessions` : at`/people/${person.id}/sessions/${id}`).then(() => { toast(t("people.session.ended")); list.reload(); }, toastError);
	const write = may("sessions:write") && person.may_change;
	return (
		<Section title={t("people.sessions")} end={write && items.length > 0 && <Button small onClick={() => void end("")}>{t("people.session.end-all")}</Button>}>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.data !== undefined && items.length === 0 && <p class="y-soft">{t("people.session.none")}</p>}
			<ul class="y-list">
				{items.map((s) => (
					<li key={s.id} class="y-listrow">
						<div class="y-grow">
							<strong>{s.address}</strong> {textOr(`people.method.${s.method}`, s.method)}
							<div class="y-soft">{s.agent}</div>
							<div class="y-soft">{t("people.session.begun")} <Time at={s.created_at} exact />, {t("people.session.used")} <Time at={s.last_used_at} /></div>
						</div>
						{write && <Button small onClick={() => void end(s.id)}>{t("people.session.end")}</Button>}
					</li>
				))}
			</ul>
		</Section>
	);
}
type What = "" | "edit" | "invite" | "grant" | "disable" | "demote";
function Detail({ id, grants, changed, invite }: { id: string; grants: Grant[]; changed: () => void; invite: boolean }) {
	const one = useData<Person>(at`/people/${id}`);
	const [dialog, setDialog] = useState<What>(invite ? "invite" : "");
	const [removing, setRemoving] = useState<Grant>();
	const [round, setRound] = useState(0);
	const p = one.data?.id === id ? one.data : undefined;
	const write = may("people:write") && p?.may_change === true;
	const after = () => {
		one.reload();
		changed();
		setRound(round + 1);
	};
	const close = () => setDialog("");
	const revoke = { kind: "administrator.revoke", person: id } as const;
	// what was asked for this person may be done by now; nothing of others moves what is read here
	useLive(["approvals"], (c) => {
		if (c.topic === "gap") one.reload();
		else if (c.change === "decided" && may("approvals:read")) api.get<{ params: { person?: string } }>(at`/approvals/${c.id}`).then((a) => a.params.person === id && after(), () => undefined);
	});
	const state = (s: "active" | "disabled") => api.patch(at`/people/${id}`, { state: s }, p?.etag ?? "");
	return (
		<Drawer
			title={p === undefined ? t("people.one") : p.name || p.login}
			back={withRest([])}
			head={
				p !== undefined && (
					<div class="y-row">
						<Chip tone={TONE[p.state]}>{t(`people.state.${p.state}`)}</Chip>
						{write && p.state !== "disabled" && <Button small kind={p.state === "invited" ? "main" : "plain"} icon="link" onClick={() => setDialog("invite")}>{t("people.invite")}</Button>}
						{write && <Button small onClick={() => setDialog("edit")}>{t("action.edit")}</Button>}
						{write && id !== myId.value && (
							<Menu label={t("people.more")} icon="more" small end items={p.state === "disabled" ? [{ label: t("people.enable"), run: () => void state("active").then(after, toastError) }] : [{ label: t("people.disable"), danger: true, run: () => setDialog("disable") }]} />
						)}
					</div>
				)
			}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{p === undefined && one.error === undefined && <Skeleton lines={6} />}
			{p !== undefined && (
				<>
					<Section title={t("people.about")}>
						<Facts rows={[[t("people.login"), <code key="l">{p.login}</code>], [t("people.email"), p.email], [t("people.language"), t(`people.language.${p.language}`)], [t("people.org"), p.org !== null && orgTitle(p.org)], [t("people.home"), p.home !== "" && orgTitle(p.home)], [t("people.made"), <Time key="c" at={p.created_at} exact />]]} />
						{may("audit:read") && <p><a href={link("audit-log", { scope: {}, query: { actor: `person:${p.id}` } })}>{t("people.did")}</a></p>}
					</Section>
					<Section title={t("people.grants")} end={may("grants:write") && <Button small icon="plus" onClick={() => setDialog("grant")}>{t("people.grant.add")}</Button>}>
						{grants.length === 0 && !p.administrator && <Empty title={t("people.grant.none")}>{t("people.grant.none-next")}</Empty>}
						<ul class="y-list">{p.administrator && <li class="y-listrow"><div class="y-grow"><strong>{t("role.administrator")}</strong> {t("people.grant.at", { where: t("scope.whole") })}</div>{write && <Button small onClick={() => setDialog("demote")}>{t("people.grant.remove")}</Button>}</li>}{grants.map((g) => <GrantLine key={g.id} g={g} remove={may("grants:write") ? () => setRemoving(g) : undefined} />)}</ul>
					</Section>
					<Access key={`${id}-${round}`} person={id} state={p.state} />
					{p.may_change && <Sessions key={`s-${id}`} person={p} />}
					{dialog === "edit" && <PersonForm person={p} done={after} onClose={close} />}
					{dialog === "invite" && <Invite person={p} onClose={close} />}
					{dialog === "grant" && <GrantForm person={p} done={after} onClose={close} />}
					{dialog === "disable" && (
						<ConfirmTwo second={revoke} about={t("people.disable-first", { name: p.name })} title={t("people.disable")} action={t("people.disable")} danger onClose={close} run={() => state("disabled").then(after)}>
							<p>{t("people.disable-what", { name: p.name })}</p>
						</ConfirmTwo>
					)}
					{dialog === "demote" && (
						<ConfirmTwo second={revoke} about={t("people.grant.revoke-what", { name: p.name })} title={t("people.grant.remove")} action={t("people.grant.remove")} danger onClose={close} run={() => api.patch(at`/people/${id}`, { administrator: false }, p.etag).then(after)}>
							<p>{t("people.grant.remove-what", { name: p.name, role: t("role.administrator") })}</p>
						</ConfirmTwo>
					)}
					{removing !== undefined && (
						<ConfirmTwo second={revoke} about={t("people.grant.revoke-what", { name: p.name })} title={t("people.grant.remove")} action={t("people.grant.remove")} danger onClose={() => setRemoving(undefined)} run={() => api.del(at`/grants/${removing.id}`).then(after)}>
							<p>{t("people.grant.remove-what", { name: p.name, role: t(`role.${removing.role}`) })}</p>
						</ConfirmTwo>
					)}
				</>
			)}
		</Drawer>
	);
}

export default function People() {
	const list = useList<Person>("/people", { limit: 200, ...orgQuery() });
	const grants = useList<Grant>(may("grants:read") ? "/grants" : "", { limit: 200, ...orgQuery() });
	for (const l of [list, grants] as List<unknown>[])
		useEffect(() => {
			if (l.hasMore && !l.loading && l.items.length < 5000) l.more();
		}, [l.items.length, l.hasMore, l.loading]);
	const [adding, setAdding] = useState(param("add") !== "");
	const [invite, setInvite] = useState("");
	const open = place.value.rest[0];
	const plain = (x: string) => x.normalize("NFKC").toLowerCase();
	const want = plain(param("q"));
	const state = param("state");
	const role = param("role");
	const of = (id: string) => grants.items.filter((g) => g.person === id);
	const rows = list.items.filter((p) => plain(`${p.login} ${p.name} ${p.email}`).includes(want) && (state === "" ? true : p.state === state) && (role === "" || (role === "administrator" && p.administrator) || of(p.id).some((g) => g.role === role)));
	const shown: List<Person> = { ...list, items: rows, total: list.hasMore ? undefined : rows.length, hasMore: false, update: () => undefined, head: undefined };
	const filtered = want !== "" || state !== "" || role !== "";
	const add = may("people:write") && <Button kind="main" icon="plus" onClick={() => setAdding(true)}>{t("people.add")}</Button>;
	const columns: Column<Person>[] = [
		{ key: "name", label: t("people.name"), main: true, cell: (p) => <a href={withRest([p.id])}>{p.name || p.login}</a> },
		{ key: "login", label: t("people.login"), width: "min", cell: (p) => <code>{p.login}</code> },
		{ key: "state", label: t("people.state"), width: "min", cell: (p) => <Chip tone={TONE[p.state]}>{t(`people.state.${p.state}`)}</Chip> },
		{ key: "roles", label: t("people.grants"), width: "wide", cell: (p) => <ul>{p.administrator && <li>{t("role.administrator")} <span class="y-soft">{t("people.grant.at", { where: t("scope.whole") })}</span></li>}{of(p.id).map((g) => <GrantLine key={g.id} g={g} short />)}</ul> },
		{ key: "org", label: t("people.org"), drop: 1, cell: (p) => p.org !== null && orgTitle(p.org) },
		{ key: "email", label: t("people.email"), drop: 1, cell: (p) => p.email },
		{ key: "made", label: t("people.made"), width: "min", extra: true, cell: (p) => <Time at={p.created_at} exact /> },
	];
	return (
		<Page
			title={t("nav.people")}
			lead={<Lead asOf={list.asOf}>{t("people.lead")}</Lead>}
			actions={add}
			exports={[{ kind: "people", query: orgQuery(), rows: filtered ? rows.map((p) => p.id) : undefined }, ...(may("grants:read") ? [{ kind: "grants" as const, query: { ...orgQuery(), person: open } }] : [])]}
			drawer={open !== undefined && <Detail key={open} id={open} invite={invite === open} grants={of(open)} changed={() => { list.reload(); grants.reload(); }} />}
		>
			<Table
				name="people"
				label={t("nav.people")}
				columns={columns}
				list={shown}
				rowKey={(p) => p.id}
				rowHref={(p) => withRest([p.id])}
				open={open}
				tools={
					<div class="y-filters">
						<SearchBox label={t("people.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
						<Select label={t("people.state")} value={state} onChange={(x) => setQuery({ state: x })} options={[["", t("people.state.any")], ...(["active", "invited", "disabled"] as const).map((x): [string, string] => [x, t(`people.state.${x}`)])]} />
						<Select label={t("people.role")} value={role} onChange={(x) => setQuery({ role: x })} options={[["", t("people.role.any")], ...ROLES.map((x): [string, string] => [x, t(`role.${x}`)])]} />
					</div>
				}
				empty={<Empty title={filtered ? t("people.none-fits") : t("people.none")} action={filtered ? <Button onClick={() => setQuery({ q: null, state: null, role: null })}>{t("people.clear")}</Button> : add}>{filtered ? undefined : t("people.none-next")}</Empty>}
			/>
			{adding && <PersonForm onClose={() => setAdding(false)} done={(id) => { list.reload(); setInvite(id); go(withRest([id])); }} />}
		</Page>
	);
}
