// Protective DNS: what its pages have in common: words, links to rows, the request that a name be allowed.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../base/api";
import { t } from "../base/i18n";
import { findOrgs } from "../base/orgs";
import { link, place } from "../base/router";
import { may, rootOrg } from "../base/session";
import { Button, Chip, Word } from "./basics";
import { Combobox, Form, TextArea, TextField, useForm } from "./form";
import { Dialog, toast } from "./overlay";

export const VERDICT_TONE: Record<string, "plain" | "ok" | "warn" | "bad" | "info"> = { blocked: "bad", dropped: "bad", noted: "warn", passed: "info", allowed: "ok", answered: "ok", refused: "plain", failed: "warn" };
export function Verdict({ word }: { word: string }) {
	return (
		<Chip tone={VERDICT_TONE[word] ?? "plain"}>
			<Word group="dns-word" word={word} />
		</Chip>
	);
}
export const LAYERS = ["org-allow", "centre-allow", "org-block", "centre-zone", "indicators"];
interface OfAlert {
	org: string;
	indicator: string;
	indicator_type: string;
	list: string;
	category: string;
}
/** Made by the resolver's policy: its indicator is a zone. */
export const isDnsAlert = (a: { indicator_type: string }) => a.indicator_type === "dns-block" || a.indicator_type === "dns-note";
/** What stands in the place of an indicator there. */
export function dnsFacts(a: OfAlert): [string, ComponentChildren][] {
	const isZone = a.indicator !== "rebinding-protection" && a.list !== ""; // a member's own has no page here
	return [
		[t("evidence.verdict"), <Verdict key="v" word={a.indicator_type === "dns-note" ? "noted" : "blocked"} />],
		[t("evidence.zone"), isZone && may("indicators:read") ? <a key="z" href={link("dns-zones", { rest: [a.indicator], scope: { org: a.org } })}>{a.indicator}</a> : <Word key="z" group="dns-word" word={a.indicator} />],
		[t("evidence.category"), a.category],
	];
}
/** The rows of the live log that a number stands for. */
export function dnsRows(q: string, times: { from: string; to: string }, org?: string): string {
	return link("dns-log", { query: { q, from: times.from, to: times.to }, ...(org !== undefined && { scope: { org } }) });
}
/** "Ask that it be allowed", for who may. */
export function AskButton({ org, small, onClick }: { org: string; small?: boolean; onClick: () => void }) {
	if (!may("requests:write", org === "" ? undefined : org)) return null;
	return (
		<Button small={small} onClick={onClick}>
			{t("dns-ask.action")}
		</Button>
	);
}
/** With the dialog behind it; in rows that come and go the page has the dialog. */
export function AskAllow({ name, org, small, done }: { name: string; org: string; small?: boolean; done?: () => void }) {
	const [open, setOpen] = useState(false);
	return (
		<>
			<AskButton org={org} small={small} onClick={() => setOpen(true)} />
			{open && <AskDialog name={name} org={org} onClose={() => setOpen(false)} done={done} />}
		</>
	);
}
export function AskDialog({ name, org, onClose, done }: { name: string; org: string; onClose: () => void; done?: (() => void) | undefined }) {
	const form = useForm({ name, org: org || place.value.org || rootOrg(), reason: "" }, (v) => api.post("/dns/allow-requests", { org: v.org, name: v.name.trim(), reason: v.reason.trim() }));
	const v = form.value;
	return (
		<Dialog title={t("dns-ask.title")} onClose={onClose}>
			<p class="y-soft">{t("dns-ask.what")}</p>
			<Form
				form={form}
				action={t("dns-ask.action")}
				cancel={onClose}
				disabled={v.name.trim() === "" || v.org === "" || v.reason.trim() === ""}
				done={() => {
					toast(t("dns-ask.done"));
					onClose();
					done?.();
				}}
			>
				<TextField label={t("dns-ask.name")} required value={v.name} onChange={(x) => form.set({ name: x })} fault={form.fault("name")} />
				{org === "" && <Combobox label={t("scope.organisation")} required value={v.org} find={findOrgs} onChange={(x) => form.set({ org: x })} fault={form.fault("org")} />}
				<TextArea label={t("dns-ask.reason")} hint={t("dns-ask.reason-hint")} required value={v.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}
/** A small table whose rows are all there. */
export function Plain({ caption, heads, rows }: { caption: string; heads: [string, boolean?][]; rows: { key: string; cells: ComponentChildren[] }[] }) {
	return (
		<div class="y-tablebox">
			<table class="y-table y-table--dense">
				<caption class="y-hidden">{caption}</caption>
				<thead>
					<tr>
						{heads.map(([head, num]) => (
							<th key={head} scope="col" class={num === true ? "is-num" : undefined}>
								{head}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map((r) => (
						<tr key={r.key}>
							{r.cells.map((cell, i) => (
								<td key={heads[i]?.[0]} class={i === 0 ? "is-main" : heads[i]?.[1] === true ? "is-num" : undefined} data-label={heads[i]?.[0]}>
									{cell}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
