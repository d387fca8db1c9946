// One list, one indicator or one allow entry.
import { Button, ButtonLink, Chip, Confirm, Drawer, ErrorBox, Facts, Form, Num, Section, type Step, SelectField, Severity, Skeleton, TextArea, TextField, Time, Value, Word, api, at, go, iso, link, may, severityName, changing, dayOptions, inDays, over, t, toastError, useData, useForm, useState } from "../../kit";
import { ListFields, LoadFile } from "./dialogs";
import { type Allow, type Indicator, type IndicatorList, mayChange, percent, whose } from "./model";

type Common = { id: string; back: string; step: Step; changed: () => void };

export function ListDrawer({ id, back, step, changed }: Common) {
	const one = useData<IndicatorList>(at`/indicator-lists/${id}`);
	const list = one.data?.id === id ? one.data : undefined;
	const again = () => {
		one.reload();
		changed();
	};
	return (
		<Drawer title={list?.title || list?.name || t("indicators.list")} back={back} step={step} head={list !== undefined && <div class="y-row"><Chip tone={list.enabled ? "ok" : "warn"}>{list.enabled ? t("indicators.in-use") : t("indicators.not-in-use")}</Chip><span class="y-soft">{whose(list.org)}</span></div>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{list === undefined && one.error === undefined && <Skeleton lines={6} />}
			{list !== undefined && (
				<>
					<Facts
						rows={[
							[t("indicators.name"), <code key="n">{list.name}</code>],
							[t("indicators.count"), <Num key="c" n={list.indicators} href={link("indicators", { query: { tab: "entries", list: list.id } })} />],
							[t("indicators.updated"), <Time key="u" at={list.updated_at} exact />],
							["ID", <Value key="i" copy>{list.id}</Value>],
						]}
					/>
					{may("indicators:write") && (
						<div class="y-row y-apart">
							<ButtonLink small href={link("retro-hunts", { query: { new: 1, list: list.id } })}>
								{t("indicators.hunt-list")}
							</ButtonLink>
						</div>
					)}
					{mayChange(list.org) && (
						<>
							<Section title={t("indicators.load-title")}>
								<LoadFile key={list.id} list={list} done={again} />
							</Section>
							<Section title={t("indicators.change")}>
								<ChangeList key={list.etag} list={list} changed={again} />
							</Section>
							<Remove what={t("indicators.list-remove")} why={t("indicators.list-remove-what", { n: list.indicators })} run={() => api.del(at`/indicator-lists/${list.id}`)} done={() => { changed(); go(back); }} />
						</>
					)}
				</>
			)}
		</Drawer>
	);
}
function ChangeList({ list, changed }: { list: IndicatorList; changed: () => void }) {
	const form = useForm({ title: list.title, tlp: list.tlp, confidence: String(list.confidence), category: list.category, enabled: list.enabled }, (v) =>
		changing<IndicatorList>(at`/indicator-lists/${list.id}`, list.etag, { title: v.title.trim(), tlp: v.tlp, confidence: Number(v.confidence), category: v.category.trim(), enabled: v.enabled }, { title: list.title, tlp: list.tlp, confidence: list.confidence, category: list.category, enabled: list.enabled }, t("indicators.changed"), changed),
	);
	return (
		<Form form={form} action={t("action.save")} disabled={!form.changed || percent(form.value.confidence) !== ""}>
			<ListFields value={form.value} set={form.set} fault={form.fault} />
		</Form>
	);
}
function Remove({ what, why, run, done }: { what: string; why: string; run: () => Promise<unknown>; done: () => void }) {
	const [asking, setAsking] = useState(false);
	return (
		<div class="y-row y-removal">
			<Button kind="quiet" icon="trash" onClick={() => setAsking(true)}>
				{what}
			</Button>
			{asking && (
				<Confirm title={what} danger action={t("action.delete")} onClose={() => setAsking(false)} run={() => run().then(done)}>
					<p>{why}</p>
				</Confirm>
			)}
		</div>
	);
}

export function IndicatorDrawer({ id, back, step, changed }: Common) {
	const one = useData<Indicator>(at`/indicators/${id}`);
	const x = one.data?.id === id ? one.data : undefined;
	const again = () => {
		one.reload();
		changed();
	};
	const expire = () => {
		if (x === undefined) return;
		changing<Indicator>(at`/indicators/${x.id}`, x.etag, { valid_until: iso(Math.floor(Date.now() / 1000) * 1000) }, { valid_until: x.valid_until }, t("indicators.expired-now"), again).catch(toastError);
	};
	return (
		<Drawer title={<code translate={false}>{x?.value ?? id}</code>} back={back} step={step} head={x !== undefined && <div class="y-row"><Chip>{t(`indicators.type.${x.type}`)}</Chip><Severity id={x.severity_id} /><Chip tone={over(x.valid_until) ? "warn" : "ok"}>{over(x.valid_until) ? t("indicators.expired") : t("indicators.valid")}</Chip></div>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{x === undefined && one.error === undefined && <Skeleton lines={6} />}
			{x !== undefined && (
				<>
					<div class="y-row y-apart">
						<ButtonLink small icon="search" href={link("search", { query: { q: x.type === "url" ? `url:"${x.value}"` : x.type === "ip-port" ? x.value.replace(/:\d+$/, "") : x.value, from: "now-30d" } })}>
							{t("indicators.in-logs")}
						</ButtonLink>
						<ButtonLink small href={link("alerts", { query: { indicator: x.value, state: "all" } })}>
							{t("indicators.in-alerts")}
						</ButtonLink>
						{may("indicators:write") && (
							<ButtonLink small href={link("retro-hunts", { query: { new: 1, indicator: x.value } })}>
								{t("indicators.hunt")}
							</ButtonLink>
						)}
						{mayChange(x.org) && !over(x.valid_until) && (
							<Button small onClick={expire}>
								{t("indicators.expire-now")}
							</Button>
						)}
					</div>
					<Facts
						rows={[
							[t("indicators.value"), <Value key="v" copy>{x.value}</Value>],
							[t("indicators.list"), <a key="l" href={link("indicators", { rest: [x.list] })}>{x.list_name ?? x.list}</a>],
							[t("scope.organisation"), whose(x.org)],
							[t("indicators.confidence"), <Num key="n" n={x.confidence} href={link("indicators", { rest: [x.list] })} />],
							[t("indicators.category"), x.category],
							[t("indicators.family"), x.family],
							[t("indicators.tlp"), `TLP:${x.tlp.toUpperCase()}`],
							[t("indicators.from"), x.valid_from !== null && <Time key="f" at={x.valid_from} exact />],
							[t("indicators.until"), x.valid_until === null ? t("until.never") : <Time key="u" at={x.valid_until} exact />],
							[t("indicators.created"), <Time key="c" at={x.created_at} exact />],
							["ID", <Value key="i" copy>{x.id}</Value>],
						]}
					/>
					{mayChange(x.org) && (
						<>
							<Section title={t("indicators.change")}>
								<ChangeIndicator key={x.etag} x={x} changed={again} />
							</Section>
							<Remove what={t("indicators.remove")} why={t("indicators.remove-what")} run={() => api.del(at`/indicators/${x.id}`)} done={() => { changed(); go(back); }} />
						</>
					)}
				</>
			)}
		</Drawer>
	);
}
function ChangeIndicator({ x, changed }: { x: Indicator; changed: () => void }) {
	const form = useForm({ severity: String(x.severity_id), confidence: String(x.confidence), days: "keep" }, (v) =>
		changing<Indicator>(at`/indicators/${x.id}`, x.etag, { severity_id: Number(v.severity), confidence: Number(v.confidence), ...(v.days !== "keep" && { valid_until: inDays(v.days) }) }, { severity_id: x.severity_id, confidence: x.confidence, valid_until: x.valid_until }, t("indicators.changed"), changed),
	);
	return (
		<Form form={form} action={t("action.save")} disabled={!form.changed || percent(form.value.confidence) !== ""}>
			<SelectField label={t("indicators.severity")} value={form.value.severity} onChange={(severity) => form.set({ severity })} options={[...new Set([x.severity_id, 2, 3, 4, 5])].sort().map((n) => [String(n), severityName(n)])} />
			<TextField label={t("indicators.confidence")} inputMode="numeric" value={form.value.confidence} onChange={(confidence) => form.set({ confidence })} fault={form.fault("confidence") || percent(form.value.confidence)} />
			<SelectField label={t("indicators.until")} value={form.value.days} onChange={(days) => form.set({ days })} options={dayOptions(x.valid_until)} fault={form.error?.faultOf("valid_until") ?? ""} />
		</Form>
	);
}

export function AllowDrawer({ id, back, step, changed }: Common) {
	const one = useData<Allow>(at`/allow-entries/${id}`);
	const x = one.data?.id === id ? one.data : undefined;
	const again = () => {
		one.reload();
		changed();
	};
	return (
		<Drawer title={<code translate={false}>{x?.value ?? id}</code>} back={back} step={step} head={x !== undefined && <div class="y-row"><Chip><Word group="indicators.type" word={x.type} /></Chip><Chip tone={over(x.expires_at) ? "warn" : "ok"}>{over(x.expires_at) ? t("indicators.expired") : t("indicators.allowed")}</Chip><span class="y-soft">{whose(x.org)}</span></div>}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{x === undefined && one.error === undefined && <Skeleton lines={6} />}
			{x !== undefined && (
				<>
					<Facts
						rows={[
							[t("indicators.reason"), <span key="r" class="y-prose">{x.reason}</span>],
							[t("indicators.alert"), x.alert !== null && <a key="a" href={link("alerts", { rest: [x.alert], query: { state: "all" } })}>{x.alert}</a>],
							[t("indicators.until"), x.expires_at === null ? t("until.never") : <Time key="u" at={x.expires_at} exact />],
							[t("indicators.created"), <Time key="c" at={x.created_at} exact />],
							[t("indicators.by"), x.created_by],
						]}
					/>
					{mayChange(x.org) && (
						<>
							<Section title={t("indicators.change")}>
								<ChangeAllow key={x.etag} x={x} changed={again} />
							</Section>
							<Remove what={t("indicators.allow-remove")} why={t("indicators.allow-remove-what")} run={() => api.del(at`/allow-entries/${x.id}`)} done={() => { changed(); go(back); }} />
						</>
					)}
				</>
			)}
		</Drawer>
	);
}
function ChangeAllow({ x, changed }: { x: Allow; changed: () => void }) {
	const form = useForm({ reason: x.reason, days: "keep" }, (v) =>
		changing<Allow>(at`/allow-entries/${x.id}`, x.etag, { reason: v.reason.trim(), ...(v.days !== "keep" && { expires_at: inDays(v.days) }) }, { reason: x.reason, expires_at: x.expires_at }, t("indicators.changed"), changed),
	);
	return (
		<Form form={form} action={t("action.save")} disabled={!form.changed || form.value.reason.trim() === ""}>
			<TextArea label={t("indicators.reason")} required value={form.value.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			<SelectField label={t("indicators.until")} value={form.value.days} onChange={(days) => form.set({ days })} options={dayOptions(x.expires_at)} fault={form.error?.faultOf("expires_at") ?? ""} />
		</Form>
	);
}
