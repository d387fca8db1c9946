import { Combobox, Dialog, Form, SelectField, TextField, api, at, findOrgs, mayAll, orgTitle, changing, t, toast, useForm } from "../../kit";
import type { Org } from "./page";

const KINDS = ["centre", "sector", "organisation", "unit"] as const;
/** A new organisation, at the top or below one, or a change of one. */
export function OrgForm({ org, parent = "", done, onClose }: { org?: Org; parent?: string; done: (name: string) => void; onClose: () => void }) {
	const central = mayAll("org:write");
	const form = useForm({ name: org?.name ?? "", title_ja: org?.title_ja ?? "", title_en: org?.title_en ?? "", kind: org?.kind ?? (parent === "" ? "organisation" : "unit"), parent: org?.parent ?? parent, prefecture: String(org?.prefecture ?? 0) }, async (v) => {
		const same = { title_ja: v.title_ja.trim() || v.title_en.trim(), title_en: v.title_en.trim() || v.title_ja.trim(), prefecture: Number(v.prefecture) };
		const place = { kind: v.kind, parent: v.parent === "" ? null : v.parent };
		if (org === undefined) await api.post("/organisations", { name: v.name.trim(), ...same, ...place });
		else await changing<Org>(at`/organisations/${org.name}`, org.etag, { ...same, ...(central && place) }, { title_ja: org.title_ja, title_en: org.title_en, prefecture: org.prefecture, ...(central && { kind: org.kind, parent: org.parent }) }, t("organisations.saved"), () => done(org.name));
	});
	const v = form.value;
	return (
		<Dialog title={org === undefined ? t("organisations.add") : t("organisations.edit")} onClose={onClose}>
			<Form
				form={form}
				action={org === undefined ? t("action.add") : t("action.save")}
				cancel={onClose}
				disabled={v.name.trim() === "" || (v.title_ja.trim() === "" && v.title_en.trim() === "")}
				done={() => {
					onClose();
					if (org !== undefined) return; // told
					toast(t("organisations.saved"));
					done(v.name.trim());
				}}
			>
				<TextField label={t("organisations.title-ja")} hint={t("organisations.title-hint")} lang="ja" required value={v.title_ja} onChange={(title_ja) => form.set({ title_ja })} fault={form.fault("title_ja")} />
				<TextField label={t("organisations.title-en")} lang="en" value={v.title_en} onChange={(title_en) => form.set({ title_en })} fault={form.fault("title_en")} />
				{org === undefined && <TextField label={t("organisations.name")} hint={t("organisations.name-hint")} required spellcheck={false} maxLength={63} value={v.name} onChange={(name) => form.set({ name: name.toLowerCase() })} fault={form.fault("name")} />}
				{(central || org === undefined) && (
					<>
						<SelectField label={t("organisations.kind")} hint={t("organisations.kind-hint")} value={v.kind} onChange={(kind) => form.set({ kind: kind as Org["kind"] })} options={KINDS.map((k) => [k, t(`organisations.kind.${k}`)])} fault={form.fault("kind")} />
						<Combobox
							label={t("organisations.parent")}
							hint={org === undefined ? t("organisations.parent-new") : t("organisations.parent-hint")}
							value={v.parent === "" ? "" : orgTitle(v.parent)}
							find={async (text) => [{ value: "", label: t("organisations.parent-none") }, ...(await findOrgs(text)).filter((o) => o.value !== org?.name)]}
							onChange={(p) => form.set({ parent: p })}
							fault={form.fault("parent")}
						/>
					</>
				)}
				<SelectField label={t("organisations.prefecture")} value={v.prefecture} onChange={(prefecture) => form.set({ prefecture })} options={Array.from({ length: 48 }, (_, i): [string, string] => [String(i), i === 0 ? t("organisations.prefecture-none") : t(`prefecture.${i}`)])} fault={form.fault("prefecture")} />
			</Form>
		</Dialog>
	);
}
