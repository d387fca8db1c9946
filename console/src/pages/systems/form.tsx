import { Combobox, Dialog, Form, Radios, SelectField, TextArea, TextField, api, at, findOrgs, findPersons, may, orgTitle, personName, place, changing, t, toast, useForm } from "../../kit";
import type { InfoSystem } from "./page";

const GRADES = { cia3: ["1", "2", "3"], local5: ["1", "2", "3C", "3B", "3A"] } as const;
const lines = (text: string) => text.split(/[\s,]+/).filter((x) => x !== "");

/** A new information system, or a change of one. */
export function SystemForm({ system, done, onClose }: { system?: InfoSystem; done: (id: string) => void; onClose: () => void }) {
	const s = system;
	const form = useForm(
		{ org: s?.org ?? place.value.org, name: s?.name ?? "", title_ja: s?.title_ja ?? "", title_en: s?.title_en ?? "", owner: s?.owner ?? "", importance: String(s?.importance ?? 2), scheme: (s?.scheme ?? "cia3") as InfoSystem["scheme"], confidentiality: s?.confidentiality ?? "2", integrity: String(s?.integrity ?? 2), availability: String(s?.availability ?? 2), networks: (s?.networks ?? []).join("\n"), hosts: (s?.hosts ?? []).join("\n") },
		async (v, once) => {
			const body = {
				title_ja: v.title_ja.trim() || v.title_en.trim(), title_en: v.title_en.trim() || v.title_ja.trim(), owner: v.owner === "" ? null : v.owner,
				importance: Number(v.importance), scheme: v.scheme, confidentiality: v.confidentiality, integrity: Number(v.integrity), availability: Number(v.availability),
				networks: lines(v.networks), hosts: lines(v.hosts),
			};
			if (s !== undefined) {
				const was = { title_ja: s.title_ja, title_en: s.title_en, owner: s.owner, importance: s.importance, scheme: s.scheme, confidentiality: s.confidentiality, integrity: s.integrity, availability: s.availability, networks: s.networks ?? [], hosts: s.hosts ?? [] };
				await changing<InfoSystem>(at`/systems/${s.id}`, s.etag, body, was, t("systems.saved"), () => done(s.id));
				onClose();
				return;
			}
			const made = await api.post<InfoSystem>("/systems", { org: v.org, name: v.name.trim(), ...body }, { once });
			toast(t("systems.saved"));
			onClose();
			done(made.id);
		},
	);
	const v = form.value;
	const local = v.scheme === "local5";
	const pick = (name: "integrity" | "availability", key: "i" | "a") => (
		<SelectField label={t(`systems.${name}`)} value={v[name]} onChange={(x) => form.set({ [name]: x })} options={["1", "2"].map((x) => [x, `${x}: ${t(`systems.${key}-hint.${x}`)}`])} fault={form.fault(name)} />
	);
	return (
		<Dialog title={s === undefined ? t("systems.add") : t("systems.edit")} onClose={onClose} wide>
			<Form form={form} action={s === undefined ? t("action.add") : t("action.save")} cancel={onClose} disabled={v.org === "" || v.name.trim() === "" || (v.title_ja.trim() === "" && v.title_en.trim() === "")}>
				<div class="y-formgrid">
					{s === undefined && <Combobox label={t("systems.org")} required value={v.org === "" ? "" : orgTitle(v.org)} find={async (text) => (await findOrgs(text)).filter((o) => may("systems:write", o.value))} onChange={(org) => form.set({ org })} fault={form.fault("org")} />}
					{s === undefined && <TextField label={t("systems.name")} hint={t("systems.name-hint")} required spellcheck={false} maxLength={63} value={v.name} onChange={(name) => form.set({ name: name.toLowerCase() })} fault={form.fault("name")} />}
					<TextField label={t("systems.title-ja")} hint={t("systems.title-hint")} required lang="ja" value={v.title_ja} onChange={(title_ja) => form.set({ title_ja })} fault={form.fault("title_ja")} />
					<TextField label={t("systems.title-en")} lang="en" value={v.title_en} onChange={(title_en) => form.set({ title_en })} fault={form.fault("title_en")} />
					{may("people:read") && <Combobox label={t("systems.owner")} hint={t("systems.owner-hint")} value={v.owner === "" ? "" : personName(v.owner)} find={async (text) => [{ value: "", label: t("systems.owner-none") }, ...(await findPersons(text))]} onChange={(owner) => form.set({ owner })} fault={form.fault("owner")} />}
					<SelectField label={t("systems.importance")} hint={t("systems.importance-hint")} value={v.importance} onChange={(importance) => form.set({ importance })} options={["3", "2", "1"].map((x) => [x, t(`systems.importance.${x}`)])} fault={form.fault("importance")} />
				</div>
				<Radios
					label={t("systems.scheme")}
					value={v.scheme}
					onChange={(x) => form.set({ scheme: x as InfoSystem["scheme"], confidentiality: x === "cia3" ? v.confidentiality.slice(0, 1) : v.confidentiality === "3" ? "3C" : v.confidentiality })}
					options={[["cia3", t("systems.scheme.cia3"), t("systems.scheme-hint.cia3")], ["local5", t("systems.scheme.local5"), t("systems.scheme-hint.local5")]]}
				/>
				<div class="y-formgrid">
					<SelectField label={local ? t("systems.confidentiality-local") : t("systems.confidentiality")} value={v.confidentiality} onChange={(confidentiality) => form.set({ confidentiality })} options={GRADES[v.scheme].map((x) => [x, `${x}: ${t(`systems.${local ? "local" : "c"}-hint.${x}`)}`])} fault={form.fault("confidentiality")} />
					{pick("integrity", "i")}
					{pick("availability", "a")}
				</div>
				<div class="y-formgrid">
					<TextArea label={t("systems.networks")} hint={t("systems.networks-hint")} value={v.networks} onChange={(networks) => form.set({ networks })} fault={form.fault("networks")} />
					<TextArea label={t("systems.hosts")} hint={t("systems.hosts-hint")} value={v.hosts} onChange={(hosts) => form.set({ hosts })} fault={form.fault("hosts")} />
				</div>
			</Form>
		</Dialog>
	);
}
