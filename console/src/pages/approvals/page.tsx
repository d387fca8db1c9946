// What takes two people: one asks, another one decides.
import { Button, Chip, type Column, Confirm, Dialog, Drawer, Empty, ErrorBox, Facts, Form, NewRows, Page, Radios, Section, Select, Skeleton, Table, TextArea, Time, actorName, api, at, link, myId, orgQuery, orgTitle, param, personName, place, setQuery, t, textOr, toast, useData, useForm, useList, useLive, useNews, useState, withRest, Lead } from "../../kit";

interface Approval {
	id: string;
	kind: string;
	params: { org?: string; person?: string; name?: string; value?: string };
	org: string | null;
	requested_by: string;
	reason: string;
	state: "open" | "approved" | "refused" | "withdrawn" | "expired";
	decided_by: string | null;
	decision_reason: string;
	may_approve: boolean;
	created_at: string;
	decided_at: string | null;
	expires_at: string;
}
const TONE = { open: "info", approved: "ok", refused: "bad", withdrawn: "plain", expired: "plain" } as const;
const kindName = (a: Approval) => textOr(`approvals.kind.${a.kind}`, a.kind);

function About({ a }: { a: Approval }) {
	if (a.params.person !== undefined) return <a href={link("people", { rest: [a.params.person], scope: {} })}>{personName(a.params.person)}</a>;
	if (a.params.org !== undefined) return <a href={link("organisations", { rest: [a.params.org], scope: {} })}>{orgTitle(a.params.org)}</a>;
	return <code>{a.params.name ?? a.params.value ?? JSON.stringify(a.params)}</code>;
}
const StateChip = ({ a }: { a: Approval }) => <Chip tone={TONE[a.state]}>{t(`approvals.state.${a.state}`)}</Chip>;
const isOwn = (a: Approval) => a.requested_by === `person:${myId.value}`;
const decision = (a: Approval, approve: boolean, reason: string) => api.post<Approval>(at`/approvals/${a.id}/decision`, { approve, reason: reason.trim() });
function Withdraw({ a, done, onClose }: { a: Approval; done: () => void; onClose: () => void }) {
	const run = () =>
		api.del(at`/approvals/${a.id}`).then(() => {
			toast(t("approvals.withdrawn"));
			done();
		});
	return (
		<Confirm title={t("approvals.withdraw")} action={t("approvals.withdraw")} run={run} onClose={onClose}>
			<p>{kindName(a)}: <About a={a} /></p>
		</Confirm>
	);
}
function Decide({ a, done, onClose }: { a: Approval; done: () => void; onClose: () => void }) {
	const form = useForm({ answer: "", reason: "" }, (v) => decision(a, v.answer === "yes", v.reason));
	const v = form.value;
	return (
		<Dialog title={t("approvals.decide")} onClose={onClose}>
			<Form
				form={form}
				action={t("approvals.decide")}
				cancel={onClose}
				disabled={v.answer === "" || v.reason.trim() === ""}
				done={() => {
					toast(v.answer === "yes" ? t("approvals.approved") : t("approvals.refused"));
					onClose();
					done();
				}}
			>
				<p>{kindName(a)}: <About a={a} /></p>
				<Radios label={t("approvals.answer")} value={v.answer} onChange={(answer) => form.set({ answer })} options={[["yes", t("approvals.yes"), t("approvals.yes-hint")], ["no", t("approvals.no"), t("approvals.no-hint")]]} />
				<TextArea label={t("approvals.reason")} hint={t("approvals.reason-hint")} required value={v.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}

export default function Approvals() {
	const state = param("state", "open");
	const query = { state: state === "all" ? undefined : state, ...orgQuery() };
	const list = useList<Approval>("/approvals", query);
	const [dialog, setDialog] = useState<"" | "decide" | "withdraw">("");
	const open = place.value.rest[0];
	// read by itself: it stays open when the list has it no more
	const read = useData<Approval>(open === undefined ? "" : at`/approvals/${open}`);
	const one = read.data?.id === open ? read.data : undefined;
	const changed = () => {
		list.reload();
		read.reload();
	};
	const news = useNews([], list, "/approvals", query, (a) => a.id);
	useLive(["approvals"], (c) => {
		if (c.id === open || c.topic === "gap") read.reload();
		if (c.topic === "gap") return;
		if (list.items.some((a) => a.id === c.id)) api.get<Approval>(at`/approvals/${c.id}`).then((next) => list.update((a) => (a.id === next.id ? next : a)), () => undefined);
		else if (list.items.length === 0) list.reload();
		else news.soon();
	});
	const columns: Column<Approval>[] = [
		{ key: "kind", label: t("approvals.what"), main: true, cell: (a) => <a href={withRest([a.id])}>{kindName(a)}</a> },
		{ key: "about", label: t("approvals.about"), cell: (a) => <About a={a} /> },
		{ key: "state", label: t("approvals.state"), width: "min", cell: (a) => <StateChip a={a} /> },
		{ key: "by", label: t("approvals.by"), cell: (a) => actorName(a.requested_by) },
		{ key: "reason", label: t("approvals.reason"), width: "wide", drop: 1, cell: (a) => a.reason },
		{ key: "made", label: t("approvals.made"), width: "min", cell: (a) => <Time at={a.created_at} exact /> },
	];
	return (
		<Page
			title={t("nav.approvals")}
			lead={<Lead asOf={list.asOf}>{t("approvals.lead")}</Lead>}
			exports={{ kind: "approvals", query }}
			drawer={
				open !== undefined && (
					<Drawer
						title={one === undefined ? t("nav.approvals") : kindName(one)}
						back={withRest([])}
						head={
							one !== undefined && (
								<div class="y-row">
									<StateChip a={one} />
									{one.may_approve && <Button small kind="main" onClick={() => setDialog("decide")}>{t("approvals.decide")}</Button>}
									{one.state === "open" && isOwn(one) && <Button small onClick={() => setDialog("withdraw")}>{t("approvals.withdraw")}</Button>}
								</div>
							)
						}
					>
						{one === undefined ? (
							read.error === undefined ? <Skeleton /> : <ErrorBox error={read.error} again={read.reload} />
						) : (
							<>
								<Section title={t("approvals.what")}>
									<Facts
										rows={[
											[t("approvals.about"), <About key="a" a={one} />],
											[t("approvals.by"), actorName(one.requested_by)],
											[t("approvals.reason"), one.reason],
											[t("approvals.made"), <Time key="m" at={one.created_at} exact />],
											[t("approvals.until"), one.state === "open" && <Time key="u" at={one.expires_at} exact />],
											[t("approvals.decided-by"), one.decided_by !== null && actorName(one.decided_by)],
											[t("approvals.decided-at"), one.decided_at !== null && <Time key="d" at={one.decided_at} exact />],
											[t("approvals.decision-reason"), one.decision_reason],
										]}
									/>
									{one.state === "open" && !one.may_approve && <p class="y-soft">{isOwn(one) ? t("approvals.own") : t("approvals.higher")}</p>}
								</Section>
								{dialog === "decide" && <Decide a={one} done={changed} onClose={() => setDialog("")} />}
								{dialog === "withdraw" && <Withdraw a={one} done={changed} onClose={() => setDialog("")} />}
							</>
						)}
					</Drawer>
				)
			}
		>
			<Table
				name="approvals"
				label={t("nav.approvals")}
				columns={columns}
				list={list}
				rowKey={(a) => a.id}
				rowHref={(a) => withRest([a.id])}
				open={open}
				tools={<div class="y-filters"><Select label={t("approvals.state")} value={state} onChange={(x) => setQuery({ state: x === "open" ? null : x })} options={(["open", "approved", "refused", "withdrawn", "expired", "all"] as const).map((x) => [x, t(`approvals.state.${x}`)])} /><NewRows {...news} /></div>}
				empty={<Empty title={state === "open" ? t("approvals.none") : t("approvals.none-fits")}>{t("approvals.none-next")}</Empty>}
			/>
		</Page>
	);
}
