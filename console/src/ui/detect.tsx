// Detection: what its pages have in common: stages, levels, whose a rule is, links.
import { t } from "../base/i18n";
import { orgTitle } from "../base/orgs";
import { link } from "../base/router";
import { may, mayAll } from "../base/session";
import { Chip } from "./basics";

export const STAGES = ["live", "audit-only", "test", "off"] as const;
export type Stage = (typeof STAGES)[number];
export const LEVELS = ["informational", "low", "medium", "high", "critical"];
export interface LogSource {
	category?: string | null;
	product?: string | null;
	service?: string | null;
}
export interface Rule {
	id: string;
	org: string | null;
	/** Of a node above, which is not named: org is null. */
	inherited: boolean;
	sigma_id: string | null;
	title: string;
	kind: "rule" | "correlation" | "filter";
	level: string;
	status: string;
	logsource: LogSource;
	tags: string[];
	techniques: string[];
	collection: string;
	file: string | null;
	stage: Stage;
	/** At the organisation that is asked for, or the reader's own: an override there or above it may say another. */
	stage_in_force: Stage;
	/** Why it is not in force although its stage says so. */
	refused: string | null;
	hits_24h: number;
	hits_30d: number;
	alerts_30d: number;
	false_30d: number;
	excepted_30d: number;
	/** Its part of the work of all rules, 0 to 1. */
	cost_share: number;
	last_hit_at: string | null;
	/** Of a correlation, for who sees every organisation. */
	state: Record<"groups" | "events" | "hits" | "late" | "ahead" | "no_group" | "no_value" | "evicted" | "cut" | "dropped", number> | null;
	author: string;
	created_at: string;
	updated_at: string;
	version: number;
	etag: string;
}
const TONE = { live: "ok", "audit-only": "info", test: "warn", off: "plain" } as const;
export function StageChip({ stage }: { stage: Stage }) {
	return <Chip tone={TONE[stage]}>{t(`stage.${stage}`)}</Chip>;
}
/** The stage that holds here, and the rule's own where that is another. */
export function StageHere({ rule }: { rule: Rule }) {
	return (
		<>
			<StageChip stage={rule.stage_in_force} />
			{rule.stage !== rule.stage_in_force && <small class="y-soft y-under">{t("stage.own", { stage: t(`stage.${rule.stage}`) })}</small>}
		</>
	);
}
/** The number of a severity by the word of a rule's level. */
export const levelId = (level: string) => LEVELS.indexOf(level) + 1;
export const stageOptions = (): [string, string][] => STAGES.map((s) => [s, t(`stage.${s}`)]);
export const forAll = (org: string | null | undefined) => org === null || org === undefined || org === "";
/** May the person change what belongs to this organisation, or to all? */
export const mayRule = (org: string | null | undefined) => (forAll(org) ? mayAll("indicators:write") : may("indicators:write", org as string));
export const whoseRule = (org: string | null | undefined, inherited = false) => (inherited ? t("stage.above-orgs") : forAll(org) ? t("stage.all-orgs") : orgTitle(org));
export const sourceWords = (s: LogSource) => [s.product, s.category, s.service].filter((x) => x !== undefined && x !== null && x !== "").join(" / ");
export const ruleHref = (id: string, query: Record<string, string> = {}) => link("detection-rule", { rest: [id], query });
export const alertsOf = (rule: string) => link("alerts", { query: { indicator: rule, state: "all" } });
/** Alerts whose title, rule or technique has the word, since then. */
export const alertsSince = (word: string, from: string) => link("alerts", { query: { q: word, state: "all", from } });
