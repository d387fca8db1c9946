// Adding: a list, one indicator, an allow entry; and loading a file into a list.
import { Button, Check, Dialog, Facts, Form, type Job, OrgField, Progress, SelectField, TextArea, TextField, api, at, follow, mayAll, place, send, severityName, dayOptions, inDays, t, toast, useData, useForm, useRef, useState, type PageOf } from "../../kit";
import { type IndicatorList, TLP, TYPES, mayChange, percent, whose } from "./model";

/** Whose it is: an organisation, or all for who may. */
function Whose({ value, set, fault }: { value: string; set: (org: string) => void; fault: string }) {
	return <OrgField all="indicators:write" hint={t("indicators.org-hint")} value={value} onChange={set} fault={fault} />;
}
export function ListFields({ value, set, fault }: { value: { title: string; tlp: string; confidence: string; category: string; enabled: boolean }; set: (p: Partial<{ title: string; tlp: string; confidence: string; category: string; enabled: boolean }>) => void; fault: (name: "title" | "tlp" | "confidence" | "category") => string }) {
	return (
		<>
			<TextField label={t("indicators.title")} value={value.title} onChange={(title) => set({ title })} fault={fault("title")} maxLength={200} />
			<SelectField label={t("indicators.tlp")} hint={t("indicators.tlp-hint")} value={value.tlp} onChange={(tlp) => set({ tlp })} options={TLP.map((x) => [x, `TLP:${x.toUpperCase()}`])} fault={fault("tlp")} />
			<TextField label={t("indicators.confidence")} hint={t("indicators.confidence-hint")} inputMode="numeric" value={value.confidence} onChange={(confidence) => set({ confidence })} fault={fault("confidence") || percent(value.confidence)} />
			<TextField label={t("indicators.category")} value={value.category} onChange={(category) => set({ category })} fault={fault("category")} maxLength={64} />
			<Check label={t("indicators.enabled")} hint={t("indicators.enabled-hint")} checked={value.enabled} onChange={(enabled) => set({ enabled })} />
		</>
	);
}
export function NewList({ onClose, done }: { onClose: () => void; done: (l: IndicatorList) => void }) {
	const form = useForm({ org: place.value.org, name: "", title: "", tlp: "green", confidence: "50", category: "", enabled: true }, async (v, once) => {
		done(await api.post<IndicatorList>("/indicator-lists", { org: v.org || null, name: v.name.trim(), title: v.title.trim(), tlp: v.tlp, confidence: Number(v.confidence), category: v.category.trim(), enabled: v.enabled }, { once }));
	});
	return (
		<Dialog title={t("indicators.list-new")} onClose={onClose}>
			<Form form={form} action={t("action.add")} cancel={onClose} done={onClose} disabled={form.value.name.trim() === "" || percent(form.value.confidence) !== "" || (form.value.org === "" && !mayAll("indicators:write"))}>
				<TextField label={t("indicators.name")} hint={t("indicators.name-hint")} required value={form.value.name} onChange={(name) => form.set({ name })} fault={form.fault("name")} maxLength={64} />
				<Whose value={form.value.org} set={(org) => form.set({ org })} fault={form.fault("org")} />
				<ListFields value={form.value} set={form.set} fault={form.fault} />
			</Form>
		</Dialog>
	);
}
export function NewIndicator({ list, type = "domain", value = "", onClose, done }: { list?: string; type?: string; value?: string; onClose: () => void; done: () => void }) {
	const lists = useData<PageOf<IndicatorList>>("/indicator-lists", { limit: 200 });
	const mine = (lists.data?.items ?? []).filter((l) => mayChange(l.org));
	const form = useForm({ list: list ?? "", type, value, severity: "", confidence: "", category: "", family: "", days: "", force: false }, (v, once) =>
		api.post("/indicators", { list: v.list || mine[0]?.id, type: v.type, value: v.value.trim(), ...(v.severity !== "" && { severity_id: Number(v.severity) }), ...(v.confidence !== "" && { confidence: Number(v.confidence) }), ...(v.category !== "" && { category: v.category.trim() }), ...(v.family !== "" && { family: v.family.trim() }), valid_until: inDays(v.days), ...(v.force && { force: true }) }, { once }),
	);
	return (
		<Dialog title={t("indicators.new")} onClose={onClose}>
			<Form
				form={form}
				action={t("action.add")}
				cancel={onClose}
				disabled={form.value.value.trim() === "" || mine.length === 0 || (form.value.confidence !== "" && percent(form.value.confidence) !== "")}
				done={() => {
					toast(t("indicators.added"));
					onClose();
					done();
				}}
			>
				<SelectField label={t("indicators.list")} value={form.value.list || (mine[0]?.id ?? "")} onChange={(x) => form.set({ list: x })} options={mine.map((l) => [l.id, `${l.title || l.name} (${whose(l.org)})`])} fault={form.fault("list") || (lists.data !== undefined && mine.length === 0 ? t("indicators.no-list") : "")} />
				<SelectField label={t("indicators.type")} value={form.value.type} onChange={(type) => form.set({ type })} options={TYPES.map((x) => [x, t(`indicators.type.${x}`)])} fault={form.fault("type")} />
				<TextField label={t("indicators.value")} hint={t("indicators.value-hint")} required value={form.value.value} onChange={(x) => form.set({ value: x })} fault={form.fault("value")} spellcheck={false} />
				<SelectField label={t("indicators.severity")} value={form.value.severity} onChange={(severity) => form.set({ severity })} options={[["", t("indicators.by-list")], ...[2, 3, 4, 5].map((n) => [String(n), severityName(n)] as [string, string])]} />
				<TextField label={t("indicators.confidence")} hint={t("indicators.by-list-hint")} inputMode="numeric" value={form.value.confidence} onChange={(confidence) => form.set({ confidence })} fault={form.fault("confidence") || (form.value.confidence === "" ? "" : percent(form.value.confidence))} />
				<TextField label={t("indicators.family")} value={form.value.family} onChange={(family) => form.set({ family })} fault={form.fault("family")} />
				<SelectField label={t("indicators.until")} value={form.value.days} onChange={(days) => form.set({ days })} options={dayOptions()} fault={form.error?.faultOf("valid_until") ?? ""} />
				<Check label={t("indicators.force")} hint={t("indicators.force-hint")} checked={form.value.force} onChange={(force) => form.set({ force })} />
			</Form>
		</Dialog>
	);
}
export function NewAllow({ type = "domain", value = "", onClose, done }: { type?: string; value?: string; onClose: () => void; done: () => void }) {
	const asked = useRef(false);
	const form = useForm({ org: place.value.org, type, value, reason: "", days: "90" }, (v, once) => api.post<{ kind?: string }>("/allow-entries", { org: v.org || null, type: v.type, value: v.value.trim(), reason: v.reason.trim(), expires_at: inDays(v.days) }, { once }).then((got) => void (asked.current = got.kind !== undefined)));
	return (
		<Dialog title={t("indicators.allow-new")} onClose={onClose}>
			<p class="y-soft">{t("indicators.allow-what")}</p>
			<Form
				form={form}
				action={t("action.add")}
				cancel={onClose}
				disabled={form.value.value.trim() === "" || form.value.reason.trim() === "" || (form.value.org === "" && !mayAll("indicators:write"))}
				done={() => {
					toast(t(asked.current ? "indicators.allow-asked" : "indicators.allow-added"));
					onClose();
					done();
				}}
			>
				<Whose value={form.value.org} set={(org) => form.set({ org })} fault={form.fault("org")} />
				<SelectField label={t("indicators.type")} value={form.value.type} onChange={(x) => form.set({ type: x })} options={TYPES.map((x) => [x, t(`indicators.type.${x}`)])} fault={form.fault("type")} />
				<TextField label={t("indicators.value")} required value={form.value.value} onChange={(x) => form.set({ value: x })} fault={form.fault("value")} spellcheck={false} />
				<TextArea label={t("indicators.reason")} required value={form.value.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
				<SelectField label={t("indicators.until")} value={form.value.days} onChange={(days) => form.set({ days })} options={dayOptions()} fault={form.error?.faultOf("expires_at") ?? ""} />
			</Form>
		</Dialog>
	);
}
const FORMATS = ["", "csv", "plain", "hosts"];
interface Loaded {
	added: number;
	updated: number;
	unchanged: number;
	expired: number;
	bad: number;
	refused: number;
	first_bad: string;
	first_refused: string;
}
/** A file into a list: CSV, one per line, or a hosts file. */
export function LoadFile({ list, done }: { list: IndicatorList; done: () => void }) {
	const [file, setFile] = useState<File>();
	const [job, setJob] = useState<Job>();
	const pick = useRef<HTMLInputElement>(null);
	const form = useForm({ format: "", replace: false, force: false }, async (v) => {
		if (file === undefined) return;
		const gz = /\.gz$/i.test(file.name);
		const r = await send("POST", at`/indicator-lists/${list.id}/indicators`, { bytes: file, type: /\.csv(\.gz)?$/i.test(file.name) ? "text/csv" : "text/plain", params: { format: v.format, replace: v.replace, force: v.force }, ...(gz && { encoding: "gzip" }) });
		const end = await follow(((await r.json()) as Job).id, setJob);
		if (end.state === "done") toast(t("indicators.loaded"));
		done();
	});
	const r = job?.state === "done" ? (job.result as unknown as Loaded) : undefined;
	return (
		<Form form={form} action={t("indicators.load")} disabled={file === undefined}>
			<div
				class="y-drop"
				onDragOver={(e) => e.preventDefault()}
				onDrop={(e) => {
					e.preventDefault();
					setFile(e.dataTransfer?.files[0] ?? file);
				}}
			>
				<p>{file === undefined ? t("indicators.load-drop") : `${file.name} (${Math.ceil(file.size / 1000).toLocaleString()} kB)`}</p>
				<Button onClick={() => pick.current?.click()}>{t("indicators.load-pick")}</Button>
				<input ref={pick} type="file" class="y-hidden" tabIndex={-1} aria-label={t("indicators.load-pick")} accept=".csv,.txt,.gz,.hosts,text/*" onChange={(e) => setFile(e.currentTarget.files?.[0])} />
			</div>
			<SelectField label={t("indicators.format")} value={form.value.format} onChange={(format) => form.set({ format })} options={FORMATS.map((x) => [x, t(`indicators.format.${x || "any"}`)])} fault={form.fault("format")} />
			<Check label={t("indicators.replace")} hint={t("indicators.replace-hint")} checked={form.value.replace} onChange={(replace) => form.set({ replace })} />
			<Check label={t("indicators.force")} hint={t("indicators.force-hint")} checked={form.value.force} onChange={(force) => form.set({ force })} />
			{job !== undefined && r === undefined && <Progress done={job.done} total={job.total} label={job.state === "failed" ? job.message : t("indicators.loading")} />}
			{r !== undefined && (
				<Facts
					rows={(["added", "updated", "unchanged", "expired", "bad", "refused"] as const)
						.filter((x) => x === "added" || r[x] > 0)
						.map((x) => [
							t(`indicators.result.${x}`),
							<span key={x}>
								{r[x].toLocaleString()} {x === "bad" && <small class="y-soft">{r.first_bad}</small>}
								{x === "refused" && <small class="y-soft">{r.first_refused}</small>}
							</span>,
						])}
				/>
			)}
		</Form>
	);
}
