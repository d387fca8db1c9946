// JSON lines of any program: which of its members is which field.  Proposed from the
// first records by what the members are called and what stands in them.
import { Button, Select, SelectField, TextField, lang, t, useData, useState } from "../../kit";

export interface Mapping {
	name: string;
	kind: string; // OCSF class
	rows: Record<string, string>; // column -> path
	format: string; // of the time; "": as it is
	zone: string;
}
export interface Member {
	path: string;
	sample: string;
}
const IP = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]+)$/i;
const NUMBER = /^\d+(\.\d+)?$/;
const WHEN = /\d{4}[-/]\d\d|\d{1,2}\/[A-Z][a-z]{2}\/\d{4}|^\d{9,19}(\.\d+)?$/;
const ANY = /./;
const FROM = "(src|source|client|remote|orig|origin|from|peer|c|s)";
const TO = "(dst|dest|destination|server|target|resp|to|d)";
/** Column, what members of it are called (letters and digits of the path), what stands in them. */
const KNOWN: [string, RegExp, RegExp][] = [
	["time", /(timestamp|datetime|time|date|ts|at|when)$/, WHEN],
	["src_ip", new RegExp(`${FROM}(ip|addr|address|ipaddr|ipaddress|host|h)?$`), IP],
	["dst_ip", new RegExp(`${TO}(ip|addr|address|ipaddr|ipaddress|host|h)?$`), IP],
	["src_ip", /^(.*)(ip|addr|address)$/, IP],
	["src_port", new RegExp(`${FROM}(port|p|pt)$`), NUMBER],
	["dst_port", new RegExp(`(${TO}(port|p|pt)|^port)$`), NUMBER],
	["dst_host", new RegExp(`(${TO}(host|name|hostname|fqdn)|sni|vhost)$`), /\./],
	["user", /(user|username|userid|login|account|accountname|upn)$/, ANY],
	["host", /(host|hostname|device|devicename|computer|computername|machine|dvc)$/, ANY],
	["query", /(query|qname|question|dnsname|rrname)$/, /\./],
	["url", /(url|uri|requesturl)$/, /^\w+:\/\//],
	["http_method", /(method|verb)$/, /^[A-Za-z]+$/],
	["http_status", /(status|statuscode|httpstatus)$/, /^[1-5]\d\d$/],
	["user_agent", /(useragent|ua|agent)$/, / /],
	["proto", /(proto|protocol|transport)$/, ANY],
	["bytes_out", /(bytesout|bytessent|sent|sentbytes|outbytes)$/, NUMBER],
	["bytes_in", /(bytesin|bytesreceived|received|rcvdbytes|inbytes|bytes)$/, NUMBER],
	["process", /(process|processname|image|exe)$/, ANY],
	["cmd_line", /(cmdline|commandline|command|cmd)$/, ANY],
	["file_path", /(filepath|filename|file|path)$/, ANY],
	["hashes", /(hash|hashes|sha256|sha1|md5)$/, /^[0-9a-f]{32,64}$/i],
	["mail_from", /(mailfrom|sender|from)$/, /@/],
	["mail_to", /(mailto|recipient|recipients|rcpt|to)$/, /@/],
	["subject", /subject$/, ANY],
	["uid", /(uid|uuid|sessionid|session|requestid|traceid|id)$/, ANY],
	["message", /(message|msg|text|description|summary|log)$/, ANY],
];
const COLUMNS = [...new Set(KNOWN.map(([c]) => c))];
const ALWAYS = ["time", "src_ip", "dst_ip", "user", "host", "message"];
export const KINDS = ["base_event", "network_activity", "http_activity", "dns_activity", "authentication", "process_activity", "file_activity", "email_activity", "detection_finding", "api_activity"] as const;

/** The members of the first records, with what stands in them; nothing when it is not JSON lines. */
export function membersOf(text: string): Member[] {
	const found = new Map<string, string>();
	const walk = (value: unknown, path: string, depth: number): void => {
		if (Array.isArray(value)) walk(value[0], path, depth);
		else if (value !== null && typeof value === "object") {
			if (depth < 4) for (const [k, v] of Object.entries(value)) walk(v, path === "" ? k : `${path}.${k}`, depth + 1);
		} else if (path !== "" && value !== undefined && value !== null && value !== "" && !found.has(path)) found.set(path, String(value).slice(0, 60));
	};
	let n = 0;
	for (const line of text.split("\n").slice(0, 60)) {
		try {
			const record: unknown = JSON.parse(line);
			if (record === null || typeof record !== "object" || Array.isArray(record)) continue;
			walk(record, "", 0);
			n++;
		} catch {
			if (n === 0 && line.trim() !== "") return [];
		}
	}
	return [...found].slice(0, 200).map(([path, sample]) => ({ path, sample }));
}
/** strptime's pattern of a time that is neither RFC 3339 nor seconds. */
function formatOf(time: string): string {
	const tail = / ?[+-]\d\d:?\d\d$/.test(time) ? `${/ [+-]/.test(time) ? " " : ""}%z` : "";
	const part = /\d\.\d+/.test(time) ? ".%f" : "";
	if (/^\d{4}-\d\d-\d\d \d/.test(time)) return `%Y-%m-%d %H:%M:%S${part}${tail}`;
	if (/^\d{4}\/\d\d\/\d\d \d/.test(time)) return `%Y/%m/%d %H:%M:%S${part}${tail}`;
	if (/^\d{1,2}\/[A-Z][a-z]{2}\/\d{4}:/.test(time)) return `%d/%b/%Y:%H:%M:%S${tail}`;
	return "";
}
function kindOf(rows: Record<string, string>): string {
	const has = (c: string) => rows[c] !== undefined;
	if (has("url") || has("http_method")) return "http_activity";
	if (has("query")) return "dns_activity";
	if (has("mail_from")) return "email_activity";
	if (has("cmd_line") || has("process")) return "process_activity";
	return has("src_ip") && has("dst_ip") ? "network_activity" : "base_event";
}
export function propose(members: Member[], file: string): Mapping {
	const rows: Record<string, string> = {};
	const used = new Set<string>();
	for (const [column, called, holds] of KNOWN) {
		const fit = members.find((m) => rows[column] === undefined && !used.has(m.path) && called.test(m.path.toLowerCase().replace(/[^a-z0-9]/g, "")) && holds.test(m.sample));
		if (fit === undefined) continue;
		rows[column] = fit.path;
		used.add(fit.path);
	}
	const name = file.toLowerCase().replace(/\..*$/, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 32);
	return { name: name || "own", kind: kindOf(rows), rows, format: formatOf(members.find((m) => m.path === rows.time)?.sample ?? ""), zone: "+09:00" };
}
/** As doc/sources/ndjson.md has it, on one line. */
export function textOfMapping(m: Mapping): string {
	const fields: Record<string, unknown> = {};
	for (const [column, path] of Object.entries(m.rows)) {
		if (path === "") continue;
		fields[column] = column === "time" ? { from: path, zone: m.zone, ...(m.format.trim() !== "" && { format: m.format.trim() }) } : path;
	}
	return JSON.stringify({ set: { class_uid: m.kind, log_name: m.name }, fields });
}
export const nameFits = (name: string) => /^[a-z0-9_-]{1,32}$/.test(name);

interface Field {
	name: string;
	description_ja: string;
	description_en: string;
}
export function MappingForm({ value, members, set }: { value: Mapping; members: Member[]; set: (m: Mapping) => void }) {
	const fields = useData<{ items: Field[] }>("/event-fields");
	const [more, setMore] = useState<string[]>([]);
	const shown = COLUMNS.filter((c) => ALWAYS.includes(c) || value.rows[c] !== undefined || more.includes(c));
	const named = (c: string) => {
		const f = fields.data?.items.find((x) => x.name === c);
		const text = f === undefined ? c : lang.value === "ja" ? f.description_ja : f.description_en;
		return text.slice(0, 1).toUpperCase() + text.slice(1);
	};
	const options = [["", t("import.map.none")] as [string, string], ...members.map((m): [string, string] => [m.path, `${m.path}: ${m.sample.slice(0, 30)}`])];
	return (
		<div class="y-stack">
			<p class="y-soft">{t("import.map.what")}</p>
			<div class="y-formgrid">
				<TextField label={t("import.map.name")} hint={t("import.map.name-hint")} required maxLength={32} spellcheck={false} value={value.name} onChange={(name) => set({ ...value, name })} fault={nameFits(value.name) ? "" : t("import.map.name-bad")} />
				<SelectField label={t("import.class")} value={value.kind} onChange={(kind) => set({ ...value, kind })} options={KINDS.map((x) => [x, t(`import.class.${x}`)])} />
			</div>
			<div class="y-formgrid">
				{shown.map((c) => (
					<SelectField key={c} label={named(c)} value={value.rows[c] ?? ""} onChange={(path) => set({ ...value, rows: { ...value.rows, [c]: path } })} options={options} />
				))}
				<TextField label={t("import.map.format")} hint={t("import.map.format-hint")} spellcheck={false} value={value.format} onChange={(format) => set({ ...value, format })} />
				<SelectField label={t("import.map.zone")} value={value.zone} onChange={(zone) => set({ ...value, zone })} options={[["+09:00", t("import.map.zone.jst")], ["+00:00", t("import.map.zone.utc")]]} />
			</div>
			<div class="y-row">
				<Select label={t("import.map.more")} value="" onChange={(c) => c !== "" && setMore([...more, c])} options={[["", t("import.map.more")], ...COLUMNS.filter((c) => !shown.includes(c)).map((c): [string, string] => [c, named(c)])]} />
				<Button kind="quiet" small icon="copy" onClick={() => void navigator.clipboard?.writeText(textOfMapping(value))}>{t("import.map.copy")}</Button>
			</div>
		</div>
	);
}
