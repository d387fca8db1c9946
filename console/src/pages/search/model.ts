// Events as the API gives them, and the little that this page knows of the search language.
import { lang } from "../../kit";

export interface Event {
	id: string;
	org: string;
	time: string;
	received?: string;
	source: string;
	sensor?: string;
	class: string;
	class_uid: number;
	severity_id?: number;
	message?: string;
	raw?: string;
	[field: string]: unknown;
}
export interface EventField {
	name: string;
	type: string;
	/** Its place in an OCSF event. */
	path?: string;
	description_ja: string;
	description_en: string;
	/** Values with a meaning of their own: 4003 is dns_activity. */
	values?: { value: string; name: string }[];
}
/** Short forms that the search knows besides the fields: of which field, and whether by the name of its values. */
export const SHORT: Record<string, [string, boolean]> = { ip: ["src_ip", false], port: ["dst_port", false], name: ["names", false], hash: ["hashes", false], class: ["class_uid", true], severity: ["severity_id", true], status: ["status_id", true] };
export const describe = (f: EventField | undefined) => (f === undefined ? "" : (lang.value === "ja" ? f.description_ja || f.description_en : f.description_en || f.description_ja));

/** The query with one more condition, or the same when it has it. */
export function withCondition(q: string, one: string): string {
	const rest = q.trim();
	if (rest === "") return one;
	if (` ${rest} `.includes(` ${one} `)) return rest;
	return `${/\bOR\b/.test(rest) ? `(${rest})` : rest} ${one}`;
}
export interface Token {
	from: number;
	to: number;
	/** "" while the field itself is typed */
	field: string;
	text: string;
}
/** The condition in which the caret stands. */
export function tokenAt(q: string, caret: number): Token {
	let from = 0;
	let inside = false;
	for (let i = 0; i < caret; i++) {
		if (q[i] === '"') inside = !inside;
		else if (!inside && /[\s()]/.test(q[i] as string)) from = i + 1;
	}
	if (q[from] === "-") from++;
	const word = q.slice(from, caret);
	const m = /^([a-z_0-9]+):([<>]=?)?"?(.*)$/.exec(word);
	return m === null ? { from, to: caret, field: "", text: word.replace(/^"/, "") } : { from: from + (m[1] as string).length + 1 + (m[2] ?? "").length, to: caret, field: m[1] as string, text: m[3] as string };
}
/** The values of a field among these events, the most frequent first. */
export function seen(events: Event[], field: string): string[] {
	const n = new Map<string, number>();
	for (const e of events) for (const v of [e[field]].flat()) if (v !== undefined && v !== null && v !== "") n.set(String(v), (n.get(String(v)) ?? 0) + 1);
	return [...n].sort((a, b) => b[1] - a[1]).map(([v]) => v);
}
/** What happened, in one line, when the record has no message of its own. */
export function gist(e: Event): string {
	if (typeof e.message === "string" && e.message !== "") return e.message;
	const parts = [e.http_method, e.url ?? e.query ?? e.dst_host, e.rcode, e.http_status, e.api_operation, e.user, e.cmd_line ?? e.process, e.file_path, e.subject].filter((x) => x !== undefined && x !== "");
	if (typeof e.parse_error === "string" && e.parse_error !== "") return e.parse_error;
	if (parts.length === 0) parts.push(e.app ?? e.proto, e.dst_port, e.log_name);
	return parts.filter((x) => x !== undefined).slice(0, 4).join("  ");
}
/** The event in the nesting of OCSF, by the paths that the fields name. */
export function ocsf(e: Event, fields: EventField[]): string {
	const out: Record<string, unknown> = {};
	for (const f of fields) {
		const value = e[f.name];
		if (value === undefined || f.path === undefined || f.path === "" || f.path.includes("[]") || f.name === "raw") continue;
		const steps = f.path.split(".");
		let at = out;
		for (const s of steps.slice(0, -1)) at = (at[s] ??= {}) as Record<string, unknown>;
		at[steps.at(-1) as string] = f.name === "time" || f.name === "received" ? Date.parse(String(value)) : value;
	}
	return JSON.stringify(out, null, 2);
}
