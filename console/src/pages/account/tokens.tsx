// API tokens of one's own: for programs that act in one's name, with a part of
// one's rights and an end.
import { Button, Check, Chip, Combobox, Confirm, Dialog, Empty, ErrorBox, Form, type PageOf, Section, SelectField, TextField, Time, api, at, findOrgs, orgTitle, session, inDays, t, useData, useForm, useState, Value } from "../../kit";

interface Token {
	id: string;
	org: string | null;
	name: string;
	scopes: string[];
	prefix: string;
	created_at: string;
	expires_at: string | null;
	last_used_at: string | null;
	revoked_at: string | null;
}
function Add({ done, onClose }: { done: () => void; onClose: () => void }) {
	const mine = Object.keys(session.value?.permissions ?? {}).sort();
	const [secret, setSecret] = useState("");
	const form = useForm({ name: "", org: "", days: "30", scopes: [] as string[] }, async (v) => {
		const made = await api.post<{ secret: string }>("/me/tokens", { name: v.name.trim(), scopes: v.scopes, org: v.org === "" ? null : v.org, expires_at: inDays(v.days) });
		setSecret(made.secret);
		done();
	});
	if (secret !== "")
		return (
			<Dialog title={t("account.token.made")} onClose={onClose} foot={<Button kind="main" onClick={onClose}>{t("account.token.kept")}</Button>}>
				<p>{t("account.token.once")}</p>
				<p><Value copy>{secret}</Value></p>
				<p class="y-soft">{t("account.token.use")}</p>
				<pre class="y-codes" tabIndex={0}>{`curl -H "Authorization: Bearer $TOKEN" ${location.origin}/api/v1/alerts`}</pre>
			</Dialog>
		);
	const scopes = new Set(form.value.scopes);
	return (
		<Dialog title={t("account.token.add")} onClose={onClose} wide>
			<Form form={form} action={t("account.token.make")} cancel={onClose} disabled={form.value.name.trim() === "" || scopes.size === 0}>
				<div class="y-formgrid">
					<TextField label={t("account.token.name")} hint={t("account.token.name-hint")} required value={form.value.name} maxLength={64} onChange={(name) => form.set({ name })} fault={form.fault("name")} />
					<SelectField label={t("account.token.expires")} value={form.value.days} onChange={(days) => form.set({ days })} options={["1", "7", "30", "90", "365"].map((d) => [d, t("account.token.days", { n: Number(d) })])} fault={form.fault("expires_at" as never)} />
					<Combobox label={t("account.token.org")} hint={t("account.token.org-hint")} value={form.value.org === "" ? "" : orgTitle(form.value.org)} find={async (text) => [{ value: "", label: t("account.token.all") }, ...(await findOrgs(text))]} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
				</div>
				<fieldset>
					<legend>{t("account.token.scopes")}</legend>
					<div class="y-choices">
						{mine.map((x) => (
							<Check key={x} label={<><code>{x}</code> {t(`scope-word.${x}`)}</>} checked={scopes.has(x)} onChange={(on) => form.set({ scopes: on ? [...scopes, x] : [...scopes].filter((y) => y !== x) })} />
						))}
					</div>
					{form.fault("scopes") !== "" && <p class="y-field__fault">{form.fault("scopes")}</p>}
				</fieldset>
			</Form>
		</Dialog>
	);
}
export function Tokens() {
	const list = useData<PageOf<Token>>("/me/tokens");
	const [adding, setAdding] = useState(false);
	const [ending, setEnding] = useState<Token>();
	const items = (list.data?.items ?? []).filter((x) => x.revoked_at === null);
	const over = (x: Token) => x.expires_at !== null && Date.parse(x.expires_at) < Date.now();
	return (
		<Section title={t("account.tokens")} id="tokens" end={<Button icon="plus" onClick={() => setAdding(true)}>{t("account.token.add")}</Button>}>
			<p class="y-soft">{t("account.tokens.what")}</p>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.data !== undefined && items.length === 0 && <Empty title={t("account.token.none")}>{t("account.token.none-next")}</Empty>}
			<ul class="y-list">
				{items.map((x) => (
					<li key={x.id} class="y-listrow">
						<div class="y-grow">
							<strong>{x.name}</strong> <code>{x.prefix}…</code> {over(x) && <Chip tone="warn">{t("account.token.over")}</Chip>}
							<div class="y-soft">{x.scopes.join(", ")}{x.org !== null && `; ${orgTitle(x.org)}`}</div>
							<div class="y-soft">{t("account.last-used")} <Time at={x.last_used_at} />, {t("account.token.ends")} <Time at={x.expires_at} exact /></div>
						</div>
						<Button small onClick={() => setEnding(x)}>{t("account.token.revoke")}</Button>
					</li>
				))}
			</ul>
			{adding && <Add done={list.reload} onClose={() => setAdding(false)} />}
			{ending !== undefined && (
				<Confirm title={t("account.token.revoke")} action={t("account.token.revoke")} danger onClose={() => setEnding(undefined)} run={() => api.del(at`/me/tokens/${ending.id}`).then(list.reload)}>
					<p>{t("account.token.revoke-what", { name: ending.name })}</p>
				</Confirm>
			)}
		</Section>
	);
}
