// What an alert rests on: events, the fields that matched, the rule behind it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type PageOf, api, at } from "../base/api";
import { useData } from "../base/data";
import { t } from "../base/i18n";
import { go, link, withRest } from "../base/router";
import { may } from "../base/session";
import { Button, ButtonLink, Chip, ErrorBox, Skeleton, Time } from "./basics";
import { ruleHref } from "./detect";
import { AskAllow, isDnsAlert } from "./dns";
import { Confirm, toast, toastError } from "./overlay";

export interface NamedValue {
	name: string;
	value: string;
}
export interface Evidence {
	event: string;
	time: string;
	field: string;
	value: string;
	/** Of a rule: every field that matched. */
	fields?: NamedValue[] | null;
	/** Of a finding beside rules: its sentence. */
	words?: string | null;
	/** Found by looking back. */
	historical?: boolean;
}
interface OfAlert {
	id: string;
	org: string;
	title: string;
	indicator: string;
	indicator_type: string;
	list: string;
	category: string;
	family: string;
	count: number;
}
/** Names and values of an event, one after the other. */
export function FieldList({ fields }: { fields: NamedValue[] }) {
	return (
		<span class="y-pairs">
			{fields.map((f) => (
				<span key={f.name + f.value}>
					<small class="y-soft">{f.name}</small> <code translate={false}>{f.value}</code>
				</span>
			))}
		</span>
	);
}
/** What stands in the place of an indicator where a rule made the alert. */
export function ruleFacts(a: OfAlert): [string, ComponentChildren][] {
	const read = may("indicators:read");
	return [
		[t("evidence.rule"), read ? <a key="r" href={ruleHref(a.indicator)}>{a.title}</a> : a.title],
		[t("evidence.collection"), a.list],
		[t("evidence.logsource"), a.category],
		[t("evidence.techniques"), a.family !== "" && <span key="t" class="y-row">{a.family.split(/[,\s]+/).map((x) => (read ? <a key={x} class="y-mono" href={link("detection-rules", { query: { technique: x } })}>{x}</a> : x))}</span>],
	];
}
/** Where an exception to the alert's rule is made, of the fields that matched. */
export const exceptionHref = (a: OfAlert) => link("detection-exceptions", { scope: {}, query: { new: 1, rule: a.indicator, alert: a.id, of: a.org } });

export function EvidenceList({ alert, writable, changed }: { alert: OfAlert; writable: boolean; changed: () => void }) {
	const list = useData<PageOf<Evidence>>(at`/alerts/${alert.id}/events`, { limit: 200 });
	const counted = useRef(alert.count);
	useEffect(() => {
		if (counted.current !== alert.count) list.reload(); // merged, split, or found again
		counted.current = alert.count;
	}, [alert.count]);
	const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
	const [splitting, setSplitting] = useState(false);
	const [whole, setWhole] = useState(false);
	if (list.error !== undefined) return <ErrorBox error={list.error} again={list.reload} />;
	if (list.data === undefined) return <Skeleton />;
	const rows = list.data.items;
	const past = rows.filter((e) => e.historical === true).length;
	const cut = writable && rows.length > 1;
	const byDns = isDnsAlert(alert);
	return (
		<>
			{rows.length === 0 && <p class="y-soft">{t("evidence.none")}</p>}
			{past > 0 && <p class="y-soft">{past === rows.length ? t("evidence.all-historical") : t("evidence.some-historical", { n: past })}</p>}
			<ul class="y-list">
				{(whole ? rows : rows.slice(0, 8)).map((e) => (
					<li key={`${e.event}${e.field}${e.value}`} class="y-listrow">
						{cut && (
							<input
								type="checkbox"
								aria-label={t("table.select", { name: e.event })}
								checked={picked.has(e.event)}
								onChange={(x) => {
									const next = new Set(picked);
									next[x.currentTarget.checked ? "add" : "delete"](e.event);
									setPicked(next);
								}}
							/>
						)}
						<a href={link(byDns ? "dns-log" : "search", { rest: [e.event], scope: { org: alert.org } })}>
							<Time at={e.time} exact seconds />
						</a>
						<span class="y-grow">
							{e.words ?? <FieldList fields={(e.fields ?? []).length > 0 ? (e.fields as NamedValue[]) : [{ name: e.field, value: e.value }]} />}
						</span>
						{e.historical === true && <Chip tone="info">{t("evidence.historical")}</Chip>}
					</li>
				))}
			</ul>
			{!whole && rows.length > 8 && (
				<Button kind="quiet" small onClick={() => setWhole(true)}>
					{t("evidence.all", { n: rows.length })}
				</Button>
			)}
			{whole && list.data.next_cursor !== null && <p class="y-soft">{t("evidence.more", { n: rows.length })}</p>}
			{alert.indicator_type === "rule" && rows.length > 0 && may("indicators:write", alert.org) && (
				<ButtonLink small kind="quiet" icon="plus" href={exceptionHref(alert)}>
					{t("evidence.except")}
				</ButtonLink>
			)}
			{byDns && rows[0] !== undefined && <AskAllow small name={rows[0].value} org={alert.org} />}
			{picked.size > 0 && (
				<div class="y-row">
					<Button small disabled={picked.size >= new Set(rows.map((e) => e.event)).size} onClick={() => setSplitting(true)}>
						{t("evidence.split-action", { n: picked.size })}
					</Button>
				</div>
			)}
			{splitting && (
				<Confirm
					title={t("evidence.split-title")}
					action={t("evidence.split-action", { n: picked.size })}
					onClose={() => setSplitting(false)}
					run={async () => {
						const made = await api.post<{ id: string; etag: string }>(at`/alerts/${alert.id}/split`, { events: [...picked] });
						const back = async () => {
							await api.post(at`/alerts/${made.id}/merge`, { into: alert.id }, { etag: made.etag });
							go(withRest([alert.id]));
						};
						toast(t("evidence.split-done"), { undo: () => void back().catch(toastError) });
						changed();
						go(withRest([made.id]));
					}}
				>
					<p>{t("evidence.split-what")}</p>
				</Confirm>
			)}
		</>
	);
}
