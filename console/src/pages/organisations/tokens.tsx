// The collector tokens of an organisation: what lets its logs in, shown once, with
// a line that sends something at once.
import { Button, Chip, Confirm, Dialog, Empty, ErrorBox, Form, type PageOf, Section, SelectField, TextField, Time, api, at, may, inDays, t, useData, useForm, useState, Value } from "../../kit";

interface Token {
	id: string;
	org: string | null;
	name: string;
	scopes: string[];
	prefix: string;
	expires_at: string | null;
	last_used_at: string | null;
	revoked_at: string | null;
}
const SOURCES = ["suricata", "zeek", "syslog", "cloudtrail", "windows", "ocsf", "dnstap", "evtx"] as const;
const FILES: Record<string, string> = { suricata: "eve.json", zeek: "conn.log", syslog: "syslog.log", cloudtrail: "cloudtrail.json", windows: "events.json", ocsf: "events.jsonl" };

function Add({ org, done, onClose }: { org: string; done: () => void; onClose: () => void }) {
	const [secret, setSecret] = useState("");
	const form = useForm({ name: "", source: "suricata", days: "365" }, async (v) => {
		const made = await api.post<{ secret: string }>("/tokens", { org, name: v.name.trim(), scopes: ["events:write"], expires_at: inDays(v.days) });
		setSecret(made.secret);
		done();
	});
	const v = form.value;
	const line = `curl --fail-with-body -H "Authorization: Bearer ${secret}" -H "Content-Type: application/x-ndjson" --data-binary @${FILES[v.source] ?? "logs"} "${location.origin}/api/v1/events?source=${v.source}"`;
	const pickSource = <SelectField label={t("organisations.token.source")} hint={t("organisations.token.source-hint")} value={v.source} onChange={(source) => form.set({ source })} options={SOURCES.map((s) => [s, t(`organisations.source.${s}`)])} />;
	if (secret !== "")
		return (
			<Dialog title={t("organisations.token.made")} onClose={onClose} wide foot={<Button kind="main" onClick={onClose}>{t("organisations.token.kept")}</Button>}>
				<p>{t("organisations.token.once")}</p>
				<p><Value copy>{secret}</Value></p>
				{pickSource}
				<h3>{t("organisations.token.try")}</h3>
				<p class="y-soft">{t("organisations.token.try-hint")}</p>
				<pre class="y-codes" tabIndex={0}>{line}</pre>
				<div class="y-row"><Button icon="copy" onClick={() => void navigator.clipboard?.writeText(line)}>{t("organisations.token.copy-line")}</Button></div>
			</Dialog>
		);
	return (
		<Dialog title={t("organisations.token.add")} onClose={onClose}>
			<Form form={form} action={t("organisations.token.make")} cancel={onClose} disabled={v.name.trim() === ""}>
				<p>{t("organisations.token.what")}</p>
				<TextField label={t("organisations.token.name")} hint={t("organisations.token.name-hint")} required maxLength={64} spellcheck={false} value={v.name} onChange={(name) => form.set({ name })} fault={form.fault("name")} />
				{pickSource}
				<SelectField label={t("organisations.token.expires")} value={v.days} onChange={(days) => form.set({ days })} options={["30", "90", "365", ""].map((d) => [d, d === "" ? t("organisations.token.never") : t("organisations.token.days", { n: Number(d) })])} />
			</Form>
		</Dialog>
	);
}
export function Collectors({ org }: { org: string }) {
	const list = useData<PageOf<Token>>("/tokens", { org, limit: 200 });
	const [adding, setAdding] = useState(false);
	const [ending, setEnding] = useState<Token>();
	const items = (list.data?.items ?? []).filter((x) => x.org === org && x.revoked_at === null);
	const write = may("tokens:write", org);
	return (
		<Section title={t("organisations.tokens")} end={write && <Button small icon="plus" onClick={() => setAdding(true)}>{t("organisations.token.add")}</Button>}>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.data !== undefined && items.length === 0 && <Empty title={t("organisations.token.none")}>{t("organisations.token.none-next")}</Empty>}
			<ul class="y-list">
				{items.map((x) => (
					<li key={x.id} class="y-listrow">
						<div class="y-grow">
							<strong>{x.name}</strong> <code>{x.prefix}…</code> {x.expires_at !== null && Date.parse(x.expires_at) < Date.now() && <Chip tone="warn">{t("organisations.token.over")}</Chip>}
							<div class="y-soft">{x.scopes.join(", ")}</div>
							<div class="y-soft">{t("organisations.token.used")} <Time at={x.last_used_at} />, {t("organisations.token.ends")} <Time at={x.expires_at} exact /></div>
						</div>
						{write && <Button small onClick={() => setEnding(x)}>{t("organisations.token.revoke")}</Button>}
					</li>
				))}
			</ul>
			{adding && <Add org={org} done={list.reload} onClose={() => setAdding(false)} />}
			{ending !== undefined && (
				<Confirm title={t("organisations.token.revoke")} action={t("organisations.token.revoke")} danger onClose={() => setEnding(undefined)} run={() => api.del(at`/tokens/${ending.id}`).then(list.reload)}>
					<p>{t("organisations.token.revoke-what", { name: ending.name })}</p>
				</Confirm>
			)}
		</Section>
	);
}
