// Values of an entry in the reader's language: the log has codes, ids and times.
import { type ComponentChildren, Time, actorName, hasText, loadTexts, orgTitle, personName, severityName, systemTitle, t, textOr } from "../../kit";

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Words that every page has, by the name of the value. */
const GROUPS: Record<string, string> = { role: "role", stage: "stage", type: "indicator-type", layer: "dns-word", answer: "dns-word" };
/** Whose dictionary says the other words, by what the action is about. */
const PAGES: Record<string, string> = { alert: "alerts", approval: "approvals", credential: "people", detection_notice: "detection-findings", dns: "dns-zones", job: "jobs", org: "organisations", person: "people", session: "people", system: "systems" };
/** Other names have what people wrote. */
const CODED = new Set([...Object.keys(GROUPS), "for", "kind", "language", "method", "mode", "scheme", "shared", "span_s", "state", "verdict"]);
const FLAGS = new Set(["administrator", "demo", "enabled", "forced", "ready", "whole"]);
const NODES = new Set(["org", "node", "parent"]);
const PEOPLE = new Set(["person", "assignee", "owner"]);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The word for a code; what is none stays as it is. */
function wordOf(about: string, name: string, code: string): string {
	const page = PAGES[about];
	if (page !== undefined) void loadTexts(page); // the row is drawn anew when it is there
	const keys = [`${GROUPS[name] ?? ""}.${code}`, `${page ?? ""}.${name}.${code}`, about === "credential" ? `people.method.${code}` : ""];
	return textOr(`audit-log.value.${code}`, textOr(keys.find(hasText) ?? "", code));
}

function textOf(about: string, name: string, v: Json): string {
	if (v === null || v === "") return t("audit-log.empty");
	if (typeof v === "boolean") return t(v ? "audit-log.value.yes" : "audit-log.value.no");
	if (Array.isArray(v)) return v.map((x) => textOf(about, name, x)).join(t("audit-log.between"));
	if (typeof v === "object") return JSON.stringify(v);
	if (FLAGS.has(name) && (v === 0 || v === 1)) return t(v === 1 ? "audit-log.value.yes" : "audit-log.value.no");
	if (name === "severity_id") return severityName(Number(v));
	if (typeof v === "number") return v.toLocaleString();
	if (NODES.has(name) || (name === "for" && v !== "all")) return orgTitle(v);
	if (PEOPLE.has(name)) return v.includes(":") ? actorName(v) : personName(v);
	if (name === "system") return systemTitle(v);
	if (name === "scopes") return v.split(/[\s,]+/).map((x) => textOr(`scope-word.${x}`, x)).join(t("audit-log.between"));
	return CODED.has(name) ? wordOf(about, name, v) : name === "tlp" ? v.toUpperCase() : v;
}

/** A value of that name, in an entry about `about` ("alert" of "alert.update"). */
export function Said({ about, name, v }: { about: string; name: string; v: Json }): ComponentChildren {
	return typeof v === "string" && TIME.test(v) ? <Time at={v} exact /> : textOf(about, name, v);
}
