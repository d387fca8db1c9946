// One rule: its text with the checks, at which stage it is where, what is excepted, what it was, how often it hits.
// Without an id: a new one.
import { type ApiError, Button, ButtonLink, Chip, Confirm, type ComponentChildren, ErrorBox, Facts, OrgField, Page, type Rule, Section, SelectField, Severity, Skeleton, StageHere, Tabs, TextField, Time, TimeRange, Value, Word, actorName, api, at, changing, forAll, go, levelId, link, may, mayAll, mayRule, orgQuery, orgTitle, param, place, ruleHref, setQuery, sourceWords, stageOptions, over, t, toast, useData, useEffect, useForm, useRef, useState, whoseRule } from "../../kit";
import { Editor, useCheck } from "./editor";
import { Changes, History, diff } from "./history";
import { Hits } from "./hits";
import { StageDialog, Stages } from "./stages";
import { Try } from "./try";

interface Whole extends Rule {
	text: string;
	exceptions: Exception[];
	created_by: string;
}
interface Exception {
	id: string;
	org: string | null;
	reason: string;
	expires_at: string | null;
}
const BEGIN = `title: 
id: {id}
status: experimental
description: 
author: 
date: {day}
tags:
    - attack.
logsource:
    product: windows
    category: process_creation
detection:
    selection:
        Image|endswith: '\\'
    condition: selection
falsepositives:
    - Unknown
level: medium
`;
/** What is being written, and the text that it began from. */
interface Draft {
	text: string;
	base: string;
}
/** It stays while one looks elsewhere in the console. */
const drafts = new Map<string, Draft>();
const begin = () => BEGIN.replace("{id}", crypto.randomUUID()).replace("{day}", new Date().toISOString().slice(0, 10));

/** Somebody has saved another text since this one was begun: what that changed, and whose goes on. */
function Stale({ draft, now, keep, take }: { draft: Draft; now: string; keep: () => void; take: () => void }) {
	return (
		<div class="y-error" role="alert">
			<p class="y-error__title">{t("detection-rule.stale")}</p>
			<p>{t("detection-rule.stale-what")}</p>
			<Changes rows={diff(draft.base.split("\n"), now.split("\n"))} />
			<div class="y-row">
				<Button onClick={take}>{t("detection-rule.stale-take")}</Button>
				<Button onClick={keep}>{t("detection-rule.stale-keep")}</Button>
			</div>
		</div>
	);
}
/** The text, its checks, and the button that saves it: with a fault it leads there instead. */
function Text({ id, was, first, writable, save, extra, ready, children }: { id: string; was: string; first?: string; writable: boolean; save: (text: string) => Promise<unknown>; extra?: ComponentChildren; ready: boolean; children?: (text: string, bad: boolean) => ComponentChildren }) {
	const [draft, setDraft] = useState<Draft>(() => {
		const kept = drafts.get(id);
		return kept === undefined || kept.text === was ? { text: first ?? was, base: was } : kept;
	});
	const { text } = draft;
	const jump = useRef((_: number) => undefined as void);
	const wanted = useRef(""); // the text to be saved once it is checked
	const check = useCheck(text);
	const changed = text !== was && (first === undefined || text !== first);
	const stale = changed && draft.base !== was;
	const set = (next: string, base = text === was ? was : draft.base) => {
		setDraft({ text: next, base });
		if (next === (first ?? was)) drafts.delete(id);
		else drafts.set(id, { text: next, base });
	};
	const form = useForm({}, async () => {
		await save(text);
		drafts.delete(id);
	});
	const bad = check.problems.length > 0;
	const able = writable && (changed || first !== undefined) && ready && text.trim() !== "" && !stale;
	const go_ = () => {
		wanted.current = "";
		if (!able || form.busy) return;
		if (check.busy) wanted.current = text;
		else if (bad) {
			toast(t("detection-rule.mend"), { tone: "bad" });
			jump.current(check.problems[0]?.line || 1);
		} else void form.submit();
	};
	useEffect(() => {
		if (!check.busy && wanted.current !== "" && wanted.current === text) go_();
	}, [check.busy]);
	useEffect(() => {
		const stay = (e: BeforeUnloadEvent) => changed && e.preventDefault();
		addEventListener("beforeunload", stay);
		return () => removeEventListener("beforeunload", stay);
	}, [changed]);
	return (
		<>
			<Editor text={text} set={set} check={check} untouched={text === first} save={go_} readOnly={!writable || form.busy} jump={jump} />
			{stale && <Stale draft={draft} now={was} keep={() => set(text, was)} take={() => set(was)} />}
			{form.error !== undefined && <ErrorBox error={form.error} />}
			{extra}
			{writable && (
				<div class="y-row y-form__foot">
					{changed && (
						<Button kind="quiet" onClick={() => set(first ?? was)}>
							{t("detection-rule.discard")}
						</Button>
					)}
					<Button kind="main" busy={form.busy} disabled={!able || check.busy} onClick={go_} aria-keyshortcuts="Control+S">
						{t("action.save")}
					</Button>
				</div>
			)}
			{children?.(text, bad || check.busy || text.trim() === "")}
		</>
	);
}

function NewRule() {
	const [first] = useState(begin);
	const of = param("copy");
	const copied = useData<Whole>(of === "" ? "" : at`/detection-rules/${of}`);
	const [where, setWhere] = useState({ org: place.value.org, collection: "own", stage: "test" });
	const [once] = useState(() => crypto.randomUUID());
	const fault = where.org === "" && !mayAll("indicators:write");
	const writable = may("indicators:write");
	const text = copied.data?.text.replace(/^id:.*$/m, `id: ${once}`);
	return (
		<Page title={t("detection-rule.new")} lead={<p class="y-coverage">{t("detection-rule.new-what")}</p>}>
			{!writable && <p>{t("detection-rule.not-yours")}</p>}
			{of !== "" && copied.data === undefined ? (
				copied.error === undefined ? <Skeleton lines={10} /> : <ErrorBox error={copied.error} />
			) : (
				<Text
					id={`new ${of}`}
					was=""
					key={of}
					writable={writable}
					ready={!fault && where.collection.trim() !== ""}
					save={async (x) => {
						const made = await api.post<Rule>("/detection-rules", { org: where.org || null, collection: where.collection.trim(), stage: where.stage, text: x }, { once });
						toast(t("detection-rule.saved"));
						drafts.delete(`new ${of}`);
						go(ruleHref(made.id));
					}}
					first={text ?? first}
					extra={
						writable && (
							<div class="dr-try">
								<OrgField all="indicators:write" hint={t("detection-rule.org-hint")} value={where.org} onChange={(org) => setWhere({ ...where, org })} />
								<TextField label={t("detection-rule.collection")} required value={where.collection} onChange={(collection) => setWhere({ ...where, collection })} maxLength={64} />
								<SelectField label={t("detection-rule.stage")} value={where.stage} onChange={(stage) => setWhere({ ...where, stage })} options={stageOptions()} />
							</div>
						)
					}
				>
					{(x, bad) => may("events:read") && <Try text={x} disabled={bad} />}
				</Text>
			)}
		</Page>
	);
}
const MOST = 200; // exceptions that come with a rule
function Exceptions({ rule }: { rule: Whole }) {
	return (
		<Section
			title={t("detection-rule.exceptions")}
			end={
				may("indicators:write") && (
					<ButtonLink small icon="plus" href={link("detection-exceptions", { query: { new: 1, rule: rule.id } })}>
						{t("detection-rule.exception-new")}
					</ButtonLink>
				)
			}
		>
			<p class="y-soft">{rule.exceptions.length === 0 ? t("detection-rule.no-exceptions") : t("detection-rule.exceptions-what")}</p>
			<ul class="y-list">
				{rule.exceptions.map((x) => (
					<li key={x.id} class="y-listrow">
						<a class="y-grow" href={link("detection-exceptions", { rest: [x.id] })}>
							{x.reason}
						</a>
						<span>{whoseRule(x.org)}</span>
						{over(x.expires_at) ? <Chip tone="warn">{t("detection-rule.expired")}</Chip> : <span class="y-soft">{x.expires_at === null ? t("until.never") : <Time at={x.expires_at} exact />}</span>}
					</li>
				))}
			</ul>
			{rule.exceptions.length >= MOST && <a href={link("detection-exceptions", { query: { rule: rule.id } })}>{t("detection-rule.all-exceptions")}</a>}
		</Section>
	);
}
function One({ id }: { id: string }) {
	const one = useData<Whole>(at`/detection-rules/${id}`, orgQuery());
	const rule = one.data?.id === id ? one.data : undefined;
	const [dialog, setDialog] = useState("");
	const [round, setRound] = useState(0);
	const shown = useRef(0);
	const writable = rule !== undefined && mayRule(rule.org);
	const changed = () => {
		one.reload();
		setRound((n) => n + 1);
	};
	/** What was answered counts at once: a next change is one of it. */
	const took = (next: Rule) => {
		if (rule !== undefined) one.set({ ...rule, ...next });
		changed();
	};
	const patch = async (text: string) => {
		if (rule === undefined) return;
		const send = (etag: string) => changing<Rule>(at`/detection-rules/${id}`, etag, { text }, { text: rule.text }, t("detection-rule.saved"), took);
		await send(rule.etag).catch(async (e: ApiError) => {
			if (e.status !== 412) throw e;
			const now = await api.get<Whole>(at`/detection-rules/${id}`, orgQuery());
			one.set(now);
			if (now.text !== rule.text) throw e; // both are shown
			await send(now.etag);
		});
	};
	return (
		<Page
			title={rule?.title ?? t("detection-rule.one")}
			range={param("tab") === "hits" ? <TimeRange fallback="now-7d" /> : undefined}
			lead={
				rule !== undefined && (
					<div class="y-row dr-lead">
						<Severity id={levelId(rule.level)} />
						<StageHere rule={rule} />
						{rule.kind !== "rule" && <Chip>{t(`detection-rule.kind.${rule.kind}`)}</Chip>}
						<span class="y-soft">{whoseRule(rule.org, rule.inherited)}</span>
						{rule.techniques.map((x) => (
							<a key={x} class="y-mono" href={link("detection-rules", { query: { technique: x } })}>
								{x}
							</a>
						))}
					</div>
				)
			}
			actions={
				rule !== undefined && (
					<>
						{writable && <Button onClick={() => setDialog("stage")}>{t("detection-rule.stage-title")}</Button>}
						{rule.kind !== "filter" && may("indicators:write") && <ButtonLink href={link("retro-hunts", { query: { new: 1, rule: id } })}>{t("detection-rule.hunt")}</ButtonLink>}
						{may("indicators:write") && <ButtonLink kind="quiet" href={link("detection-rule", { query: { copy: id } })}>{t("detection-rule.copy")}</ButtonLink>}
						{writable && <Button kind="quiet" icon="trash" label={t("action.delete")} onClick={() => setDialog("delete")} />}
					</>
				)
			}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{rule === undefined && one.error === undefined && <Skeleton lines={12} />}
			{rule !== undefined && (
				<>
					{rule.refused !== null && rule.refused !== "" && (
						<div class="y-error">
							<p class="y-error__title">{t("detection-rule.refused")}</p>
							<p data-content>{rule.refused}</p>
						</div>
					)}
					<Tabs
						label={rule.title}
						tabs={[
							{
								key: "text",
								label: t("detection-rule.text"),
								body: () => (
									<Text key={`${id} ${rule.version} ${shown.current}`} id={id} was={rule.text} writable={writable} ready save={patch}>
										{(x, bad) => (
											<>
												{rule.kind !== "filter" && may("events:read") && <Try text={x} disabled={bad} />}
												<Section title={t("detection-rule.about")}>
													<Facts
														rows={[
															[t("detection-rule.logsource"), sourceWords(rule.logsource) !== "" && <a key="l" href={link("detection-rules", { query: { logsource: [rule.logsource.category, rule.logsource.product, rule.logsource.service].map((y) => y ?? "").join("/").replace(/\/+$/, "") } })}>{sourceWords(rule.logsource)}</a>],
															[t("detection-rule.status"), rule.status !== "" && <Word key="w" group="detection-rule.status" word={rule.status} />],
															[t("detection-rule.author"), rule.author],
															[t("detection-rule.collection"), [rule.collection, rule.file].filter((y) => y !== null && y !== "").join(": ")],
															[t("detection-rule.added"), <span key="c"><Time at={rule.created_at} exact /> {actorName(rule.created_by ?? "")}</span>],
															[t("detection-rule.updated"), <Time key="u" at={rule.updated_at} exact />],
															[t("detection-rule.sigma-id"), rule.sigma_id !== null && rule.sigma_id !== "" && <Value key="s" copy>{rule.sigma_id}</Value>],
															["ID", <Value key="i" copy>{rule.id}</Value>],
														]}
													/>
												</Section>
											</>
										)}
									</Text>
								),
							},
							{ key: "hits", label: t("detection-rule.tab-hits"), body: () => <Hits rule={rule} /> },
							{ key: "stages", label: t("detection-rule.tab-stages"), body: () => <Stages rule={rule} changed={changed} open={() => setDialog("stage")} /> },
							{ key: "exceptions", label: t("detection-rule.exceptions"), body: () => <Exceptions rule={rule} /> },
							{
								key: "history",
								label: t("detection-rule.history"),
								body: () => (
									<History
										id={id}
										round={round}
										restore={
											writable
												? (text) => {
														drafts.set(id, { text, base: rule.text });
														shown.current++;
														setQuery({ tab: null });
													}
												: undefined
										}
									/>
								),
							},
						]}
					/>
					{dialog === "stage" && (
						<StageDialog
							rule={rule}
							onClose={() => setDialog("")}
							done={took}
						/>
					)}
					{dialog === "delete" && (
						<Confirm title={t("detection-rule.delete")} danger action={t("action.delete")} onClose={() => setDialog("")} run={() => api.del(at`/detection-rules/${id}`).then(() => go(link("detection-rules")))}>
							<p>{t("detection-rule.delete-what", { org: forAll(rule.org) ? whoseRule(rule.org) : orgTitle(rule.org) })}</p>
						</Confirm>
					)}
				</>
			)}
		</Page>
	);
}
export default function DetectionRule() {
	const id = place.value.rest[0];
	return id === undefined ? <NewRule /> : <One key={id} id={id} />;
}
