// Sources as the API gives them.
import { condition, k, link, mayAll } from "../../kit";

export interface Source {
	org: string;
	source: string;
	sensor: string;
	state: "ok" | "late" | "silent" | "never";
	lag_s: number | null;
	/** Somebody said how often it must be heard. */
	expected: boolean;
	expected_every_s: number;
	/** Of how often it is expected. */
	etag: string;
	depends: { kind: "class" | "indicator_type"; value: string }[];
	records: number;
	unparsed: number;
	bytes: number;
	dropped: number;
	first_received_at: string | null;
	last_event_at: string | null;
	last_received_at: string | null;
}
export const keyOf = (s: { org: string; source: string; sensor: string }) => `${s.org}~${s.source}~${s.sensor}`;
export const TONE = { ok: "ok", late: "warn", silent: "bad", never: "bad" } as const;
const RANK = { never: 0, silent: 1, late: 2, ok: 3 };
/** Worst first: by state, then by how long nothing came. */
export const worst = (a: Source, b: Source) => RANK[a.state] - RANK[b.state] || (b.lag_s ?? 0) - (a.lag_s ?? 0) || keyOf(a).localeCompare(keyOf(b));
export const KINDS = ["suricata", "zeek", "syslog", "cloudtrail", "windows", "ocsf", "dnstap", "evtx"];
export const EVERY: [string, string][] = [
	["300", k("sources.every.300")],
	["900", k("sources.every.900")],
	["3600", k("sources.every.3600")],
	["21600", k("sources.every.21600")],
	["86400", k("sources.every.86400")],
	["604800", k("sources.every.604800")],
];
/** The notices of dropped records, for who may read them: what was dropped itself is nowhere. */
export const drops = () => (mayAll("system:read") ? link("health", { scope: {}, query: { event: "ingest.drops" } }) : undefined);
/** The search that finds what this source sent. */
export const words = (s: Source) => `${condition("source", s.source)} ${condition("sensor", s.sensor)}`;
export const events = (s: Source, more = "", from = "now-7d") => link("search", { scope: { org: s.org }, query: { q: `${words(s)}${more}`, from } });
