// What detection leaves out: by whom, where, why and until when.
import { Button, Check, Chip, type Column, Combobox, Confirm, Dialog, Drawer, Empty, ErrorBox, type Evidence, Facts, Field, FieldList, Form, Heard, type NamedValue, OfOrg, OrgField, Page, type PageOf, type Rule, Section, type Step, SelectField, Skeleton, Table, TextArea, Time, Value, actorName, api, at, changing, forAll, go, link, may, mayAll, mayRule, orgQuery, param, place, ruleHref, SearchBox, Select, setQuery, Sort, stepsOf, dayOptions, inDays, over, t, toast, useData, useForm, useList, useMemo, useState, whoseRule, withQuery, withRest } from "../../kit";
import { exceptionText, fieldsOf, isCut } from "./text";

interface Exception {
	id: string;
	rule: string | null;
	/** null: of any rule, or of one that is gone. */
	rule_title: string | null;
	alert: string | null;
	org: string | null;
	/** Of a node above, which is not named: org is null. */
	inherited: boolean;
	text: string;
	reason: string;
	expires_at: string | null;
	created_at: string;
	created_by: string;
	etag: string;
}
const BEGIN = "selection:\n    User: ''\ncondition: selection\n";
/** Of all rules, or one, by its title; one that is gone by its id. */
function RuleName({ x }: { x: Exception }) {
	return forAll(x.rule) ? <>{t("detection-exceptions.all-rules")}</> : <a href={ruleHref(x.rule as string)}>{x.rule_title ?? x.rule}</a>;
}
const findRules = (text: string) => api.get<PageOf<Rule>>("/detection-rules", { q: text || undefined, limit: 20 }).then((p) => p.items.map((r) => ({ value: r.id, label: r.title, note: whoseRule(r.org, r.inherited) })));

function Text({ value, set, fault }: { value: string; set: (text: string) => void; fault: string }) {
	return (
		<Field label={t("detection-exceptions.text")} hint={t("detection-exceptions.text-hint")} fault={fault} required>
			{(ids) => <textarea class="y-input y-mono" rows={6} spellcheck={false} translate={false} {...ids} value={value} onInput={(e) => set(e.currentTarget.value)} />}
		</Field>
	);
}
/** From an alert: which of the fields that matched must be so. */
function FieldChoice({ fields, picked, pick, own }: { fields: NamedValue[]; picked: ReadonlySet<string>; pick: (next: ReadonlySet<string>) => void; own: boolean }) {
	return (
		<fieldset class="y-radios">
			<legend>{t("detection-exceptions.fields")}</legend>
			<p class="y-field__hint">{t("detection-exceptions.fields-hint")}</p>
			{fields.map((f) => (
				<Check
					key={f.name}
					disabled={own}
					checked={picked.has(f.name)}
					onChange={(on) => pick(new Set(fields.map((x) => x.name).filter((x) => (x === f.name ? on : picked.has(x)))))}
					label={<FieldList fields={[f.value.length > 120 ? { ...f, value: `${f.value.slice(0, 120)}...` } : f]} />}
					hint={isCut(f.value) ? t("detection-exceptions.cut") : undefined}
				/>
			))}
			{own && (
				<div class="y-row">
					<span class="y-soft">{t("detection-exceptions.own-text")}</span>
					<Button small onClick={() => pick(picked)}>{t("detection-exceptions.from-fields")}</Button>
				</div>
			)}
		</fieldset>
	);
}
/** With an alert its newest match is read first. */
function NewException({ onClose, done }: { onClose: () => void; done: (x: Exception) => void }) {
	const alert = param("alert");
	const rule = useData<Rule>(param("rule") === "" ? "" : at`/detection-rules/${param("rule")}`);
	const seen = useData<PageOf<Evidence>>(alert === "" ? "" : at`/alerts/${alert}/events`, { limit: 1 });
	const e = seen.data?.items[0];
	const ready = alert === "" || ((rule.data ?? rule.error) !== undefined && (seen.data ?? seen.error) !== undefined);
	const fields = e === undefined ? [] : fieldsOf((e.fields ?? []).length > 0 ? (e.fields as NamedValue[]) : [{ name: e.field, value: e.value }], rule.data?.kind === "correlation");
	return (
		<Dialog title={t("detection-exceptions.new")} onClose={onClose} wide>
			<p class="y-soft">{t("detection-exceptions.what")}</p>
			{seen.error !== undefined && <ErrorBox error={seen.error} again={seen.reload} />}
			{ready ? <ExceptionForm fields={fields} rule={rule.data?.title} onClose={onClose} done={done} /> : <Skeleton lines={8} />}
		</Dialog>
	);
}
function ExceptionForm({ fields, rule, onClose, done }: { fields: NamedValue[]; rule: string | undefined; onClose: () => void; done: (x: Exception) => void }) {
	const textFor = (names: ReadonlySet<string>) => (fields.length === 0 ? BEGIN : exceptionText(fields.filter((f) => names.has(f.name))));
	const [picked, setPicked] = useState<ReadonlySet<string>>(() => new Set(fields.map((f) => f.name)));
	const form = useForm({ rule: param("rule"), org: param("of") || place.value.org, text: textFor(picked), reason: "", days: "90" }, async (v, once) => {
		done(await api.post<Exception>("/detection-exceptions", { rule: v.rule || null, alert: param("alert") || null, org: v.org || null, text: v.text, reason: v.reason.trim(), expires_at: inDays(v.days) }, { once }));
	});
	const v = form.value;
	const from = param("rule") !== "";
	const pick = (next: ReadonlySet<string>) => {
		setPicked(next);
		form.set({ text: textFor(next) });
	};
	return (
		<Form form={form} action={t("action.add")} cancel={onClose} disabled={v.text.trim() === "" || v.reason.trim() === "" || (v.org === "" && !mayAll("indicators:write"))}>
			{from ? (
				<Facts rows={[[t("detection-exceptions.rule"), <a key="r" href={ruleHref(v.rule)}>{rule ?? v.rule}</a>]]} />
			) : (
				<Combobox label={t("detection-exceptions.rule")} hint={t("detection-exceptions.rule-hint")} placeholder={t("detection-exceptions.rule-find")} value={v.rule} find={findRules} onChange={(id) => form.set({ rule: id })} fault={form.fault("rule")} />
			)}
			<OrgField all="indicators:write" hint={t("detection-exceptions.org-hint")} value={v.org} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
			{fields.length > 0 && <FieldChoice fields={fields} picked={picked} pick={pick} own={v.text !== textFor(picked)} />}
			<Text value={v.text} set={(text) => form.set({ text })} fault={form.fault("text")} />
			<TextArea label={t("detection-exceptions.reason")} required value={v.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			<SelectField label={t("detection-exceptions.until")} value={v.days} onChange={(days) => form.set({ days })} options={dayOptions()} fault={form.error?.faultOf("expires_at") ?? ""} />
		</Form>
	);
}
function Change({ x, changed }: { x: Exception; changed: () => void }) {
	const form = useForm({ text: x.text, reason: x.reason, days: "keep" }, (v) =>
		changing<Exception>(at`/detection-exceptions/${x.id}`, x.etag, { ...(v.text !== x.text && { text: v.text }), reason: v.reason.trim(), ...(v.days !== "keep" && { expires_at: inDays(v.days) }) }, { text: x.text, reason: x.reason, expires_at: x.expires_at }, t("detection-exceptions.changed"), changed),
	);
	return (
		<Form form={form} action={t("action.save")} disabled={!form.changed || form.value.reason.trim() === "" || form.value.text.trim() === ""}>
			<Text value={form.value.text} set={(text) => form.set({ text })} fault={form.fault("text")} />
			<TextArea label={t("detection-exceptions.reason")} required value={form.value.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			<SelectField label={t("detection-exceptions.until")} value={form.value.days} onChange={(days) => form.set({ days })} options={dayOptions(x.expires_at)} fault={form.error?.faultOf("expires_at") ?? ""} />
		</Form>
	);
}
function State({ x }: { x: Exception }) {
	const late = over(x.expires_at);
	return <Chip tone={late ? "warn" : "ok"}>{t(late ? "detection-exceptions.expired" : "detection-exceptions.in-force")}</Chip>;
}
function ExceptionDrawer({ id, back, step, changed }: { id: string; back: string; step: Step; changed: () => void }) {
	const one = useData<Exception>(at`/detection-exceptions/${id}`);
	const x = one.data?.id === id ? one.data : undefined;
	const [asking, setAsking] = useState(false);
	const again = () => {
		one.reload();
		changed();
	};
	return (
		<Drawer title={x === undefined ? t("detection-exceptions.one") : x.reason} back={back} step={step} head={x !== undefined && <div class="y-row"><State x={x} /><span class="y-soft">{whoseRule(x.org, x.inherited)}</span></div>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{x === undefined && one.error === undefined && <Skeleton lines={6} />}
			{x !== undefined && (
				<>
					<Facts
						rows={[
							[t("detection-exceptions.rule"), <RuleName key="r" x={x} />],
							[t("detection-exceptions.text"), <pre key="t" class="y-raw" tabIndex={0} translate={false}>{x.text}</pre>],
							[t("detection-exceptions.alert"), x.alert !== null && <a key="a" href={link("alerts", { rest: [x.alert], query: { state: "all" } })}>{x.alert}</a>],
							[t("detection-exceptions.until"), x.expires_at === null ? t("until.never") : <Time key="u" at={x.expires_at} exact />],
							[t("detection-exceptions.created"), <span key="c"><Time at={x.created_at} exact /> {actorName(x.created_by)}</span>],
							["ID", <Value key="i" copy>{x.id}</Value>],
						]}
					/>
					{!x.inherited && mayRule(x.org) && (
						<>
							<Section title={t("detection-exceptions.change")}>
								<Change key={x.etag} x={x} changed={again} />
							</Section>
							<div class="y-row y-removal">
								<Button kind="quiet" icon="trash" onClick={() => setAsking(true)}>
									{t("detection-exceptions.remove")}
								</Button>
							</div>
							{asking && (
								<Confirm title={t("detection-exceptions.remove")} danger action={t("action.delete")} onClose={() => setAsking(false)} run={() => api.del(at`/detection-exceptions/${x.id}`).then(() => { changed(); go(back); })}>
									<p>{t("detection-exceptions.remove-what")}</p>
								</Confirm>
							)}
						</>
					)}
				</>
			)}
		</Drawer>
	);
}
const COLUMNS = (): Column<Exception>[] => [
	{ key: "state", label: t("detection-exceptions.state"), width: "min", cell: (x) => <State x={x} /> },
	{ key: "reason", label: t("detection-exceptions.reason"), main: true, cell: (x) => <a href={withRest([x.id])}>{x.reason}</a> },
	{ key: "rule", label: t("detection-exceptions.rule"), width: "wide", cell: (x) => <RuleName x={x} /> },
	{ key: "org", label: t("scope.organisation"), cell: (x) => whoseRule(x.org, x.inherited), drop: 1 },
	{ key: "until", label: t("detection-exceptions.until"), width: "min", cell: (x) => (x.expires_at === null ? <span class="y-soft">{t("until.never")}</span> : <Time at={x.expires_at} />) },
	{ key: "by", label: t("detection-exceptions.by"), width: "min", cell: (x) => actorName(x.created_by), extra: true },
	{ key: "created", label: t("detection-exceptions.created"), width: "min", cell: (x) => <Time at={x.created_at} />, drop: 1 },
];
const AWAY = { new: null, alert: null, of: null };
export default function DetectionExceptions() {
	const id = place.value.rest[0];
	const words = Object.fromEntries(["q", "validity", "sort"].map((x) => [x, param(x) || undefined]));
	const filter = { ...orgQuery(), ...words, rule: param("new") !== "" ? undefined : param("rule") || undefined };
	const filtered = [filter.rule, words.q, words.validity].some((x) => x !== undefined);
	const list = useList<Exception>("/detection-exceptions", filter);
	const columns = useMemo(COLUMNS, [t("detection-exceptions.reason")]);
	const writable = may("indicators:write");
	const rows = list.items;
	const close = () => setQuery({ ...AWAY, rule: null }, "replace");
	return (
		<Page
			title={t("nav.detection-exceptions")}
			lead={<Heard asOf={list.asOf} />}
			exports={{ kind: "detection-exceptions", query: filter }}
			actions={writable && <Button icon="plus" kind="main" onClick={() => setQuery({ new: 1 })}>{t("detection-exceptions.new")}</Button>}
			drawer={id === undefined ? undefined : <ExceptionDrawer key={id} id={id} back={withRest([])} step={stepsOf(rows, (x) => [x.id])} changed={list.reload} />}
		>
			<OfOrg />
			<Table
				name="detection-exceptions"
				label={t("nav.detection-exceptions")}
				columns={columns}
				list={list}
				rowKey={(x) => x.id}
				rowHref={(x) => withRest([x.id])}
				open={id}
				tools={
					<div class="y-filters">
						<SearchBox label={t("detection-exceptions.find")} value={param("q")} onChange={(q) => setQuery({ q }, "replace")} />
						<Select label={t("detection-exceptions.state")} value={param("validity")} onChange={(validity) => setQuery({ validity })} options={[["", t("detection-exceptions.any-state")], ["in_force", t("detection-exceptions.in-force")], ["expired", t("detection-exceptions.expired")]]} />
						<Sort names={["expires"]} label={(x) => t(`detection-exceptions.sort.${x}`)} />
						{filter.rule !== undefined && <Button small icon="close" onClick={() => setQuery({ rule: null })}>{t("detection-exceptions.rule")}: {rows[0]?.rule_title ?? filter.rule}</Button>}
					</div>
				}
				empty={filtered ? <Empty title={t("detection-exceptions.none-fits")} action={<a href={withQuery({ rule: null, q: null, validity: null })}>{t("detection-exceptions.clear")}</a>} /> : <Empty title={t("detection-exceptions.none")} action={<a href={link("detection-rules")}>{t("nav.detection-rules")}</a>}>{t("detection-exceptions.none-why")}</Empty>}
			/>
			{param("new") !== "" && writable && (
				<NewException
					onClose={close}
					done={(x) => {
						toast(t("detection-exceptions.made"));
						list.reload();
						go(link("detection-exceptions", { rest: [x.id] }));
					}}
				/>
			)}
		</Page>
	);
}
