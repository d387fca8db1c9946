// Who asked for what to be allowed, and what became of it.
import { AskAllow, Button, Chip, type Column, Dialog, Drawer, Empty, Facts, Form, Lead, Page, Radios, Section, Select, Table, TextArea, Time, Value, api, at, link, may, mayAll, orgTitle, param, personName, place, orgQuery, setQuery, stepsOf, t, toast, useForm, useList, useMemo, useState, withRest } from "../../kit";

interface Request {
	id: string;
	org: string;
	name: string;
	reason: string;
	requested_by: string;
	state: "open" | "granted" | "refused";
	for_all: boolean;
	approval: string | null;
	allow_entry: string | null;
	decided_by: string | null;
	decision_reason: string;
	created_at: string;
	decided_at: string | null;
}
const TONE = { open: "warn", granted: "ok", refused: "plain" } as const;
const who = (actor: string) => (actor.startsWith("person:") ? personName(actor.slice(7)) : actor);

function Decide({ r, done, onClose }: { r: Request; done: () => void; onClose: () => void }) {
	const form = useForm({ answer: "own", reason: "" }, (v) => api.post(at`/dns/allow-requests/${r.id}/decision`, { grant: v.answer !== "no", for_all: v.answer === "all", reason: v.reason.trim() }));
	const v = form.value;
	return (
		<Dialog title={t("dns-requests.decide")} onClose={onClose}>
			<Form
				form={form}
				action={v.answer === "no" ? t("dns-requests.refuse") : t("dns-requests.grant")}
				cancel={onClose}
				done={() => {
					toast(t("dns-requests.done"));
					onClose();
					done();
				}}
			>
				<Facts
					rows={[
						[t("dns-requests.name"), <Value>{r.name}</Value>],
						[t("scope.organisation"), orgTitle(r.org)],
						[t("dns-requests.reason"), <span data-content>{r.reason}</span>],
					]}
				/>
				<Radios
					label={t("dns-requests.answer")}
					value={v.answer}
					onChange={(answer) => form.set({ answer })}
					options={[["own", t("dns-requests.for-own", { org: orgTitle(r.org) })], ...(mayAll("indicators:write") ? [["all", t("dns-requests.for-all"), t("dns-requests.for-all-hint")] as [string, string, string]] : []), ["no", t("dns-requests.refuse-it")]]}
				/>
				<TextArea label={t("dns-requests.decision-reason")} value={v.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}
const COLUMNS = (): Column<Request>[] => [
	{ key: "state", label: t("dns-requests.state"), width: "min", cell: (r) => <Chip tone={TONE[r.state]}>{t(`dns-requests.state.${r.state}`)}</Chip> },
	{ key: "name", label: t("dns-requests.name"), main: true, width: "wide", cell: (r) => <a class="y-mono" href={withRest([r.id])}>{r.name}</a> },
	{ key: "org", label: t("scope.organisation"), cell: (r) => orgTitle(r.org) },
	{ key: "by", label: t("dns-requests.by"), cell: (r) => who(r.requested_by), drop: 2 },
	{ key: "made", label: t("dns-requests.made"), width: "min", cell: (r) => <Time at={r.created_at} /> },
];

export default function DnsRequests() {
	const state = param("state");
	const list = useList<Request>("/dns/allow-requests", { ...orgQuery(), state: state || undefined });
	const [deciding, setDeciding] = useState(false);
	const columns = useMemo(COLUMNS, [t("dns-requests.state")]);
	const open = list.items.find((r) => r.id === place.value.rest[0]);
	return (
		<Page
			title={t("nav.dns-requests")}
			lead={<Lead asOf={list.asOf}>{t("dns-requests.what")}</Lead>}
			exports={{ kind: "dns-requests", query: { ...orgQuery(), state: state || undefined } }}
			actions={<AskAllow name="" org={place.value.org} done={list.reload} />}
			drawer={
				open !== undefined && (
					<Drawer title={<span class="y-mono">{open.name}</span>} back={withRest([])} step={stepsOf(list.items, (r) => [r.id])} head={<span class="y-row"><Chip tone={TONE[open.state]}>{t(`dns-requests.state.${open.state}`)}</Chip></span>}>
						<Section title={t("dns-requests.request")}>
							<Facts
								rows={[
									[t("scope.organisation"), orgTitle(open.org)],
									[t("dns-requests.reason"), <span data-content>{open.reason}</span>],
									[t("dns-requests.by"), who(open.requested_by)],
									[t("dns-requests.made"), <Time at={open.created_at} exact />],
									[t("dns-requests.decided-by"), open.decided_by !== null && who(open.decided_by)],
									[t("dns-requests.decided"), open.decided_at !== null && <Time at={open.decided_at} exact />],
									[t("dns-requests.decision-reason"), open.decision_reason !== "" && <span data-content>{open.decision_reason}</span>],
									[t("dns-requests.holds-for"), open.state === "granted" && (open.for_all ? t("dns-requests.everybody") : orgTitle(open.org))],
								]}
							/>
							{open.state === "open" && open.approval !== null && (
								<p>
									<a href={link("approvals", { rest: [open.approval], scope: {} })}>{t("dns-requests.waiting")}</a>
								</p>
							)}
							<p class="y-row">
								{open.state === "open" && may("indicators:write", open.org) && (
									<Button kind="main" onClick={() => setDeciding(true)}>
										{t("dns-requests.decide")}
									</Button>
								)}
								{may("indicators:read") && <a href={link("dns-check", { query: { name: open.name, org: open.org } })}>{t("dns-requests.check")}</a>}
							</p>
						</Section>
						{deciding && <Decide r={open} onClose={() => setDeciding(false)} done={list.reload} />}
					</Drawer>
				)
			}
		>
			<Table
				name="dns-requests"
				label={t("nav.dns-requests")}
				columns={columns}
				list={list}
				rowKey={(r) => r.id}
				rowHref={(r) => withRest([r.id])}
				open={open?.id}
				tools={
					<div class="y-filters">
						<Select label={t("dns-requests.state")} value={state} onChange={(x) => setQuery({ state: x })} options={[["", t("dns-requests.any")], ...(["open", "granted", "refused"] as const).map((x): [string, string] => [x, t(`dns-requests.state.${x}`)])]} />
					</div>
				}
				empty={<Empty title={t("dns-requests.none")}>{t("dns-requests.none-why")}</Empty>}
			/>
		</Page>
	);
}
