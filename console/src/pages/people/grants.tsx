// Grants: a role on the whole, on a node with everything below it, or on one system.
import { AskSecond, Button, Combobox, Dialog, Form, SelectField, TextField, Time, api, findOrgs, findSystems, iso, may, mayAll, orgTitle, resolve, systemTitle, t, takesTwo, toast, useForm, useState } from "../../kit";
import type { Person } from "./page";

export interface Grant {
	id: string;
	person: string;
	role: string;
	node: string | null;
	whole: boolean;
	system: string | null;
	period_from: string | null;
	period_to: string | null;
	expires_at: string | null;
	created_at: string;
	created_by: string | null;
	reason: string;
	scopes?: string[];
}
export const ROLES = ["administrator", "centre_analyst", "organisation_csirt", "ciso_office", "system_owner", "auditor", "collector"] as const;

export function whereOf(g: Grant): string {
	return g.system !== null ? systemTitle(g.system) : g.whole ? t("scope.whole") : g.node === null ? t("people.grant.above") : orgTitle(g.node);
}
export function GrantLine({ g, remove, short }: { g: Grant; remove?: () => void; short?: boolean }) {
	const over = g.expires_at !== null && Date.parse(g.expires_at) < Date.now();
	if (short === true)
		return (
			<li>
				{t(`role.${g.role}`)} <span class="y-soft">{t("people.grant.at", { where: whereOf(g) })}{over && ` (${t("people.grant.over")})`}</span>
			</li>
		);
	return (
		<li class="y-listrow">
			<div class="y-grow">
				<strong>{t(`role.${g.role}`)}</strong> {t("people.grant.at", { where: whereOf(g) })}
				{(g.period_from !== null || g.period_to !== null) && <div class="y-soft">{t("people.grant.period")} <Time at={g.period_from} exact /> – <Time at={g.period_to} exact /></div>}
				{g.expires_at !== null && <div class="y-soft">{over ? t("people.grant.over") : t("people.grant.until")} <Time at={g.expires_at} exact /></div>}
				<div class="y-soft">{t("people.grant.given")} <Time at={g.created_at} exact />{g.reason !== "" && `: ${g.reason}`}</div>
			</div>
			{remove !== undefined && <Button small onClick={remove}>{t("people.grant.remove")}</Button>}
		</li>
	);
}
const time = (text: string) => (text.trim() === "" ? null : Number.isNaN(resolve(text)) ? text : iso(resolve(text)));

export function GrantForm({ person, done, onClose }: { person: Person; done: () => void; onClose: () => void }) {
	const whole = mayAll("grants:write");
	const [asking, setAsking] = useState(false); // a second person
	// the node is chosen, never assumed: "?" is none yet, "" the whole
	const form = useForm({ role: "organisation_csirt" as string, node: "?", system: "", period_from: "", period_to: "", expires_at: "", reason: "" }, async (v) => {
		const auditor = v.role === "auditor";
		try {
			await api.post("/grants", { person: person.id, role: v.role, node: v.node === "" ? null : v.node, system: v.role === "system_owner" && v.system !== "" ? v.system : null, period_from: auditor ? time(v.period_from) : null, period_to: auditor ? time(v.period_to) : null, expires_at: time(v.expires_at), reason: v.reason.trim() });
		} catch (e) {
			if (!takesTwo(e)) throw e;
			setAsking(true);
			return;
		}
		toast(t("people.saved"));
		onClose();
		done();
	});
	const v = form.value;
	if (asking)
		return (
			<AskSecond of={{ kind: "administrator.grant", person: person.id }} title={t("people.grant.add")} reason={v.reason.trim()} onClose={onClose}>
				<p>{t("people.grant.ask-what", { name: person.name })}</p>
			</AskSecond>
		);
	return (
		<Dialog title={t("people.grant.add")} onClose={onClose}>
			<Form form={form} action={t("people.grant.give")} cancel={onClose} disabled={v.reason.trim() === "" || v.node === "?"}>
				<p>{t("people.grant.what", { name: person.name })}</p>
				<SelectField label={t("people.role")} hint={t(`people.role-hint.${v.role}`)} value={v.role} onChange={(role) => form.set({ role })} options={ROLES.map((r) => [r, t(`role.${r}`)])} fault={form.fault("role")} />
				<Combobox label={t("people.grant.where")} hint={t("people.grant.where-hint")} required value={v.node === "?" ? "" : v.node === "" ? t("scope.whole") : orgTitle(v.node)} find={async (text) => [...(whole ? [{ value: "", label: t("scope.whole") }] : []), ...(await findOrgs(text)).filter((o) => may("grants:write", o.value))]} onChange={(node) => form.set({ node, system: "" })} fault={form.fault("node")} />
				{v.role === "system_owner" && v.node !== "" && v.node !== "?" && <Combobox label={t("scope.system")} hint={t("people.grant.system-hint")} value={v.system === "" ? "" : systemTitle(v.system)} find={(text) => findSystems(v.node, text)} onChange={(system) => form.set({ system })} fault={form.fault("system")} />}
				{v.role === "auditor" && (
					<div class="y-formgrid">
						<TextField label={t("people.grant.from")} hint={t("people.grant.time-hint")} required value={v.period_from} onChange={(period_from) => form.set({ period_from })} fault={form.fault("period_from")} />
						<TextField label={t("people.grant.to")} required value={v.period_to} onChange={(period_to) => form.set({ period_to })} fault={form.fault("period_to")} />
					</div>
				)}
				<TextField label={t("people.grant.expires")} hint={t("people.grant.expires-hint")} value={v.expires_at} onChange={(expires_at) => form.set({ expires_at })} fault={form.fault("expires_at")} />
				<TextField label={t("people.grant.reason")} hint={t("people.grant.reason-hint")} required value={v.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}
