// Where a rule is at which stage: its own, and what holds below an organisation instead, with reason and expiry.
import { Button, Confirm, Dialog, Empty, ErrorBox, Form, OrgField, Plain, Radios, type Rule, STAGES, Section, SelectField, Skeleton, type Stage, StageChip, TextArea, Time, actorName, api, at, changing, forAll, may, mayRule, orgTitle, dayOptions, inDays, over, t, toast, useForm, useList, useState, whoseRule } from "../../kit";

interface Override {
	/** null: of a node above, which is not named. */
	org: string | null;
	inherited: boolean;
	stage: Stage;
	reason: string;
	expires_at: string | null;
	updated_by?: string;
	etag: string;
}
/** What each stage means, to choose from. */
export function StageDialog({ rule, onClose, done }: { rule: Rule; onClose: () => void; done: (r: Rule) => void }) {
	const form = useForm({ stage: rule.stage as string }, (v) => changing<Rule>(at`/detection-rules/${rule.id}`, rule.etag, { stage: v.stage }, { stage: rule.stage }, t("detection-rule.stage-set", { stage: t(`stage.${v.stage}`) }), done));
	return (
		<Dialog title={t("detection-rule.stage-title")} onClose={onClose}>
			<Form form={form} action={t("action.save")} cancel={onClose} done={onClose} disabled={form.value.stage === rule.stage}>
				<Radios label={t("detection-rule.stage")} value={form.value.stage} onChange={(stage) => form.set({ stage })} options={STAGES.map((s) => [s, t(`stage.${s}`), t(`detection-rule.stage-what.${s}`)])} />
			</Form>
		</Dialog>
	);
}
function OverrideDialog({ rule, was, onClose, done }: { rule: Rule; was?: Override | undefined; onClose: () => void; done: () => void }) {
	const holds = was !== undefined && !over(was.expires_at) ? was.expires_at : undefined; // its end, which stays unless another is chosen
	const form = useForm({ org: was?.org ?? "", stage: (was?.stage ?? "off") as string, reason: was?.reason ?? "", days: holds === undefined ? "90" : "keep" }, (v) =>
		api.put(at`/detection-rules/${rule.id}/overrides/${v.org}`, { stage: v.stage, reason: v.reason.trim(), expires_at: v.days === "keep" ? holds : inDays(v.days) }, { etag: was?.etag ?? "" }),
	);
	return (
		<Dialog title={t("detection-rule.override-new")} onClose={onClose}>
			<p class="y-soft">{t("detection-rule.override-what")}</p>
			<Form
				form={form}
				action={t("action.save")}
				cancel={onClose}
				disabled={form.value.org === "" || form.value.reason.trim() === ""}
				done={() => {
					toast(t("detection-rule.override-done"));
					onClose();
					done();
				}}
			>
				{was === undefined ? <OrgField value={form.value.org} onChange={(org) => form.set({ org })} fault={form.fault("org")} /> : <p>{whoseRule(was.org)}</p>}
				<SelectField label={t("detection-rule.stage")} value={form.value.stage} onChange={(stage) => form.set({ stage })} options={STAGES.map((s) => [s, t(`stage.${s}`)])} fault={form.fault("stage")} />
				<TextArea label={t("detection-rule.reason")} required value={form.value.reason} onChange={(reason) => form.set({ reason })} fault={form.fault("reason")} />
				<SelectField label={t("detection-rule.until")} value={form.value.days} onChange={(days) => form.set({ days })} options={dayOptions(holds)} fault={form.error?.faultOf("expires_at") ?? ""} />
			</Form>
		</Dialog>
	);
}
export function Stages({ rule, changed, open }: { rule: Rule; changed: () => void; open: () => void }) {
	const list = useList<Override>(at`/detection-rules/${rule.id}/overrides`, { limit: 200 });
	const overrides = list.items;
	const again = () => {
		list.reload();
		changed();
	};
	const [dialog, setDialog] = useState<Override | "new">();
	const [away, setAway] = useState<Override>();
	return (
		<>
			<Section title={t("detection-rule.own-stage")}>
				<div class="y-row">
					<StageChip stage={rule.stage} />
					<span>{t(`detection-rule.stage-what.${rule.stage}`)}</span>
					<span class="y-soft">{forAll(rule.org) ? whoseRule(rule.org, rule.inherited) : t("detection-rule.and-below", { org: orgTitle(rule.org) })}</span>
					{mayRule(rule.org) && <Button small onClick={open}>{t("detection-rule.stage-title")}</Button>}
				</div>
			</Section>
			<Section title={t("detection-rule.overrides")} end={may("indicators:write") && <Button small icon="plus" onClick={() => setDialog("new")}>{t("detection-rule.override-new")}</Button>}>
				{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
				{list.loading && overrides.length === 0 ? (
					<Skeleton />
				) : overrides.length === 0 ? (
					<Empty title={t("detection-rule.no-overrides")}>{t("detection-rule.override-what")}</Empty>
				) : (
					<Plain
						caption={t("detection-rule.overrides")}
						heads={[[t("scope.organisation")], [t("detection-rule.stage")], [t("detection-rule.reason")], [t("detection-rule.until")], [t("detection-rule.by")], [t("action.edit")]]}
						rows={overrides.map((o, i) => ({
							key: o.org ?? `above ${i}`,
							cells: [
								whoseRule(o.org, o.inherited),
								<StageChip stage={o.stage} />,
								o.reason,
								o.expires_at === null ? t("until.never") : over(o.expires_at) ? t("detection-rule.expired") : <Time at={o.expires_at} exact />,
								actorName(o.updated_by ?? ""),
								o.org !== null && may("indicators:write", o.org) && (
									<span class="y-row">
										<Button small onClick={() => setDialog(o)}>{t("action.edit")}</Button>
										<Button small kind="quiet" icon="trash" label={t("action.delete")} onClick={() => setAway(o)} />
									</span>
								),
							],
						}))}
					/>
				)}
				{list.hasMore && <Button busy={list.loading} onClick={list.more}>{t("table.more")}</Button>}
			</Section>
			{dialog !== undefined && <OverrideDialog rule={rule} was={dialog === "new" ? undefined : dialog} onClose={() => setDialog(undefined)} done={again} />}
			{away !== undefined && (
				<Confirm title={t("detection-rule.override-remove")} danger action={t("action.delete")} onClose={() => setAway(undefined)} run={() => api.del(at`/detection-rules/${rule.id}/overrides/${away.org ?? ""}`).then(again)}>
					<p>{t("detection-rule.override-remove-what", { org: whoseRule(away.org), stage: t(`stage.${rule.stage}`) })}</p>
				</Confirm>
			)}
		</>
	);
}
