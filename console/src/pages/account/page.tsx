// One's own account: how one is called and signs in, where one is signed in, and
// what programs may do in one's name.
import { Button, type Challenge, Chip, Combobox, Confirm, Dialog, Empty, ErrorBox, Facts, Form, type Lang, Page, type PageOf, Section, SelectField, Skeleton, TextField, type Theme, Time, api, at, findOrgs, hasPasskeys, hasText, k, loadSession, makePasskey, orgTitle, session, t, textOf, toast, toastError, useData, useForm, useState, zone } from "../../kit";
import { CodesDialog, TotpDialog } from "./secrets";
import { Tokens } from "./tokens";

interface Me {
	person: { id: string; login: string; name: string; email: string; language: Lang; theme: Theme; home: string };
	credentials: { password: boolean; totp: boolean; passkeys: number; recovery_codes: number; identities: number };
}
interface Passkey {
	id: string;
	label: string;
	created_at: string;
	last_used_at: string | null;
}
export interface SessionRow {
	id: string;
	method: string;
	address: string;
	agent: string;
	current: boolean;
	created_at: string;
	last_used_at: string;
	expires_at: string;
}

function Profile({ me, reload }: { me: Me["person"]; reload: () => void }) {
	const form = useForm({ name: me.name, language: me.language as string, theme: me.theme as string, home: me.home }, (v) => api.patch("/me", v, "*"));
	return (
		<Form
			form={form}
			action={t("action.save")}
			disabled={!form.changed}
			done={() => {
				toast(t("account.saved"));
				reload();
				void loadSession();
			}}
		>
			<div class="y-formgrid">
				<TextField label={t("account.name")} autocomplete="name" required value={form.value.name} onChange={(name) => form.set({ name })} fault={form.fault("name")} />
				<Combobox label={t("account.home")} hint={t("account.home-hint")} value={form.value.home === "" ? t("scope.whole") : orgTitle(form.value.home)} find={async (text) => [{ value: "", label: t("scope.whole") }, ...(await findOrgs(text))]} onChange={(home) => form.set({ home })} fault={form.fault("home")} />
				<SelectField label={t("account.language")} value={form.value.language} onChange={(language) => form.set({ language })} options={[["ja", t("account.language.ja")], ["en", t("account.language.en")]]} />
				<SelectField label={t("account.theme")} value={form.value.theme} onChange={(x) => form.set({ theme: x })} options={(["system", "light", "dark"] as const).map((x) => [x, t(`account.theme.${x}`)])} />
			</div>
		</Form>
	);
}
function PasswordDialog({ has, onClose }: { has: boolean; onClose: () => void }) {
	const form = useForm({ password: "", again: "" }, (v) => api.put("/me/password", { password: v.password }));
	const differ = form.value.again !== "" && form.value.again !== form.value.password;
	return (
		<Dialog title={has ? t("account.password.change") : t("account.password.set")} onClose={onClose}>
			<p>{t("account.password.what")}</p>
			<Form
				form={form}
				action={t("action.save")}
				cancel={onClose}
				disabled={form.value.password.length < 12 || form.value.again !== form.value.password}
				done={() => {
					toast(t("account.password.done"));
					onClose();
				}}
			>
				<input type="text" autocomplete="username" hidden readOnly value={session.value?.person?.login} />
				<TextField label={t("account.password.new")} hint={t("account.password.hint")} type="password" autocomplete="new-password" required value={form.value.password} onChange={(password) => form.set({ password })} fault={form.fault("password")} />
				<TextField label={t("account.password.again")} type="password" autocomplete="new-password" required value={form.value.again} onChange={(again) => form.set({ again })} fault={differ ? t("account.password.differ") : ""} />
			</Form>
		</Dialog>
	);
}
function Rename({ passkey, done, onClose }: { passkey: Passkey; done: () => void; onClose: () => void }) {
	const form = useForm({ label: passkey.label }, (v) => api.patch(at`/me/passkeys/${passkey.id}`, { label: v.label.trim() }, "*"));
	return (
		<Dialog title={t("account.passkey.rename")} onClose={onClose}>
			<Form form={form} action={t("action.save")} cancel={onClose} done={() => { onClose(); done(); }}>
				<TextField label={t("account.passkey.label")} hint={t("account.passkey.label-hint")} value={form.value.label} onChange={(label) => form.set({ label })} fault={form.fault("label")} />
			</Form>
		</Dialog>
	);
}
function Passkeys({ changed }: { changed: () => void }) {
	const list = useData<PageOf<Passkey>>("/me/passkeys");
	const [busy, setBusy] = useState(false);
	const [open, setOpen] = useState<{ what: "rename" | "remove"; key: Passkey }>();
	const reload = () => {
		list.reload();
		changed();
	};
	const add = async () => {
		setBusy(true);
		try {
			const proof = await makePasskey(await api.post<Challenge>("/me/passkey-options"));
			if (proof !== null) {
				const label = t("account.passkey.number", { n: (list.data?.items.length ?? 0) + 1 });
				const made = await api.post<Passkey>("/me/passkeys", { ...proof, label });
				reload();
				setOpen({ what: "rename", key: made });
			}
		} catch (e) {
			toastError(e);
		}
		setBusy(false);
	};
	const items = list.data?.items ?? [];
	return (
		<Section title={t("account.passkeys")} id="passkeys" end={hasPasskeys() && <Button icon="plus" busy={busy} onClick={() => void add()}>{t("account.passkey.add")}</Button>}>
			<p class="y-soft">{t("account.passkeys.what")}</p>
			{!hasPasskeys() && <p>{t("account.passkey.cannot")}</p>}
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.data !== undefined && items.length === 0 && <Empty title={t("account.passkey.none")}>{t("account.passkey.none-next")}</Empty>}
			<ul class="y-list">
				{items.map((x) => (
					<li key={x.id} class="y-listrow">
						<div class="y-grow">
							<strong>{x.label || t("account.passkey.unnamed")}</strong>
							<div class="y-soft">
								{t("account.made")} <Time at={x.created_at} exact />, {t("account.last-used")} <Time at={x.last_used_at} />
							</div>
						</div>
						<Button small onClick={() => setOpen({ what: "rename", key: x })}>{t("account.passkey.rename")}</Button>
						<Button small kind="quiet" icon="trash" label={t("account.passkey.remove")} onClick={() => setOpen({ what: "remove", key: x })} />
					</li>
				))}
			</ul>
			{open?.what === "rename" && <Rename passkey={open.key} done={reload} onClose={() => setOpen(undefined)} />}
			{open?.what === "remove" && (
				<Confirm title={t("account.passkey.remove")} action={t("action.delete")} danger onClose={() => setOpen(undefined)} run={() => api.del(at`/me/passkeys/${open.key.id}`).then(reload)}>
					<p>{t("account.passkey.remove-what", { name: open.key.label })}</p>
				</Confirm>
			)}
		</Section>
	);
}
function Sessions() {
	const list = useData<PageOf<SessionRow>>("/me/sessions");
	const items = [...(list.data?.items ?? [])].sort((a, b) => Number(b.current) - Number(a.current));
	const end = (s: SessionRow) =>
		api.del(at`/me/sessions/${s.id}`).then(() => {
			toast(t("account.session.ended"));
			list.reload();
		}, toastError);
	return (
		<Section title={t("account.sessions")} id="sessions">
			<p class="y-soft">{t("account.sessions.what")}</p>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.loading && list.data === undefined && <Skeleton />}
			<ul class="y-list">
				{items.map((s) => (
					<li key={s.id} class="y-listrow">
						<div class="y-grow">
							<strong>{s.address}</strong> {s.current && <Chip tone="ok">{t("account.session.this")}</Chip>}
							<div class="y-soft">{s.agent}</div>
							<div class="y-soft">
								{hasText(`account.method.${s.method}`) ? t(`account.method.${s.method}`) : s.method}, {t("account.session.begun")} <Time at={s.created_at} exact />, {t("account.last-used")} <Time at={s.last_used_at} />
							</div>
						</div>
						{!s.current && <Button small onClick={() => void end(s)}>{t("account.session.end")}</Button>}
					</li>
				))}
			</ul>
			{items.length > 1 && (
				<Button onClick={() => void Promise.all(items.filter((s) => !s.current).map((s) => api.del(at`/me/sessions/${s.id}`))).then(() => list.reload(), toastError)}>{t("account.session.end-others")}</Button>
			)}
		</Section>
	);
}
const ZONES = [["JST", k("account.zone.jst")], ["UTC", k("account.zone.utc")]] as const;

export default function Account() {
	const me = useData<Me>("/me");
	const [dialog, setDialog] = useState<"" | "password" | "totp" | "totp-off" | "codes">("");
	const close = () => {
		setDialog("");
		me.reload();
	};
	const has = me.data?.credentials;
	return (
		<Page title={t("account.page")} exports={(["my-sessions", "my-tokens", "my-passkeys"] as const).map((kind) => ({ kind, query: {} }))} lead={me.data !== undefined && <p class="y-soft">{t("account.login")} <code>{me.data.person.login}</code></p>}>
			{me.error !== undefined && <ErrorBox error={me.error} again={me.reload} />}
			{me.data === undefined && me.error === undefined && <Skeleton lines={8} />}
			{me.data !== undefined && has !== undefined && (
				<div class="y-narrowpage">
					<Section title={t("account.profile")} id="profile">
						<Profile key={me.data.person.id} me={me.data.person} reload={me.reload} />
						<Facts rows={[[t("account.mail"), me.data.person.email]]} />
						<SelectField label={t("account.zone")} hint={t("account.zone-hint")} value={zone.value} onChange={(z) => { zone.value = z as "JST" | "UTC"; }} options={ZONES.map(([v, label]) => [v, textOf(label)])} />
					</Section>
					<Passkeys changed={me.reload} />
					<Section title={t("account.second")} id="password">
						<ul class="y-list">
							<li class="y-listrow">
								<div class="y-grow"><strong>{t("account.password")}</strong> <Chip tone={has.password ? "ok" : "plain"}>{has.password ? t("account.is-set") : t("account.not-set")}</Chip></div>
								<Button small onClick={() => setDialog("password")}>{has.password ? t("account.password.change") : t("account.password.set")}</Button>
							</li>
							<li class="y-listrow">
								<div class="y-grow"><strong>{t("account.totp")}</strong> <Chip tone={has.totp ? "ok" : "plain"}>{has.totp ? t("account.is-set") : t("account.not-set")}</Chip><div class="y-soft">{t("account.totp.what")}</div></div>
								<Button small onClick={() => setDialog("totp")}>{has.totp ? t("account.totp.again") : t("account.totp.set")}</Button>
								{has.totp && has.passkeys > 0 && <Button small kind="quiet" icon="trash" label={t("account.totp.remove")} onClick={() => setDialog("totp-off")} />}
							</li>
							<li class="y-listrow">
								<div class="y-grow"><strong>{t("account.codes")}</strong> <Chip tone={has.recovery_codes > 2 ? "ok" : "warn"}>{t("account.codes.left", { n: has.recovery_codes })}</Chip><div class="y-soft">{t("account.codes.what")}</div></div>
								<Button small onClick={() => setDialog("codes")}>{t("account.codes.new")}</Button>
							</li>
						</ul>
						{has.identities > 0 && <p class="y-soft">{t("account.identities", { n: has.identities })}</p>}
					</Section>
					<Sessions />
					<Tokens />
					{dialog === "password" && <PasswordDialog has={has.password} onClose={close} />}
					{dialog === "totp" && <TotpDialog onClose={close} />}
					{dialog === "totp-off" && (
						<Confirm title={t("account.totp.remove")} action={t("action.delete")} danger onClose={close} run={() => api.del("/me/totp")}>
							<p>{t("account.totp.remove-what")}</p>
						</Confirm>
					)}
					{dialog === "codes" && <CodesDialog left={has.recovery_codes} onClose={close} />}
				</div>
			)}
		</Page>
	);
}
