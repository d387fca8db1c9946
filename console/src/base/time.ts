// Times for people: ISO order, Japan Standard Time unless UTC is chosen.
import { signal } from "@preact/signals";
import { distances, numbers, t } from "./i18n";
import { zone } from "./prefs";

const JST_MS = 9 * 3600_000;
/** The clock of "5 minutes ago"; ticks twice a minute. */
export const now = signal(Date.now());
setInterval(() => {
	now.value = Date.now();
}, 30_000);

const two = (n: number) => String(n).padStart(2, "0");
function shifted(ms: number): Date {
	return new Date(ms + (zone.value === "JST" ? JST_MS : 0));
}
export function toMs(time: string | number | null | undefined): number {
	if (time === null || time === undefined || time === "") return Number.NaN;
	return typeof time === "number" ? time : Date.parse(time);
}
/** 2026-11-22 */
export function day(time: string | number): string {
	const d = shifted(toMs(time));
	return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}
/** 13:45, or 13:45:07 */
export function clock(time: string | number, seconds = false): string {
	const d = shifted(toMs(time));
	return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds ? `:${two(d.getUTCSeconds())}` : ""}`;
}
/** 2026-11-22 13:45 */
export function stamp(time: string | number | null | undefined, seconds = false): string {
	return Number.isNaN(toMs(time)) ? t("time.never") : `${day(time as string)} ${clock(time as string, seconds)}`;
}
/** "5 minutes ago", "in 3 days" */
export function ago(time: string | number | null | undefined): string {
	const ms = toMs(time);
	if (Number.isNaN(ms)) return t("time.never");
	const s = (ms - now.value) / 1000;
	const f = distances();
	const a = Math.abs(s);
	if (a < 45) return t("time.now");
	if (a < 2700) return f.format(Math.round(s / 60), "minute");
	if (a < 79_200) return f.format(Math.round(s / 3600), "hour");
	if (a < 2_592_000) return f.format(Math.round(s / 86_400), "day");
	return day(ms);
}
/** 90 -> "1.5 min", as a length of time */
export function span(seconds: number): string {
	const [n, unit] = seconds < 90 ? [seconds, "second"] : seconds < 3600 ? [seconds / 60, "minute"] : seconds < 172_800 ? [seconds / 3600, "hour"] : [seconds / 86_400, "day"];
	return numbers({ style: "unit", unit: unit as string, unitDisplay: "short", maximumFractionDigits: (n as number) < 10 ? 1 : 0 }).format(n as number);
}

const UNIT: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
/** "now-24h", "now", an ISO time, or "2026-11-22 13:45" in the chosen zone, as milliseconds; NaN when it is none. */
export function resolve(text: string, base = Date.now()): number {
	const m = /^now(?:([+-])(\d{1,9})([smhdw]))?$/.exec(text.trim());
	if (m !== null) return m[1] === undefined ? base : base + (m[1] === "-" ? -1 : 1) * Number(m[2]) * (UNIT[m[3] as string] ?? 0) * 1000;
	const local = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(text.trim());
	if (local !== null) {
		const [y, mo, d, h, mi, s] = local.slice(1).map((x) => Number(x ?? 0)) as [number, number, number, number, number, number];
		return Date.UTC(y, mo - 1, d, h, mi, s) - (zone.peek() === "JST" ? JST_MS : 0);
	}
	return /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
}
export function iso(ms: number): string {
	return new Date(ms).toISOString().replace(".000Z", "Z");
}
export interface Range {
	from: string;
	to: string;
}
/** The length of a range in milliseconds. */
export function lengthOf(r: Range): number {
	const base = Date.now();
	return resolve(r.to || "now", base) - resolve(r.from, base);
}
/** The same length of time, `by` lengths later (-1: before); absolute. */
export function shift(r: Range, by: number): Range {
	const base = Date.now();
	const from = resolve(r.from, base);
	const to = resolve(r.to || "now", base);
	return { from: iso(from + by * (to - from)), to: iso(to + by * (to - from)) };
}
/** The range `by` times as long about its middle, at most up to now; absolute. */
export function zoom(r: Range, by: number): Range {
	const base = Date.now();
	const from = resolve(r.from, base);
	const to = resolve(r.to || "now", base);
	const half = Math.max(((to - from) * by) / 2, 30_000);
	const end = Math.min((from + to) / 2 + half, Math.max(base, to));
	return { from: iso(Math.max(0, end - 2 * half)), to: iso(end) };
}
/** The range with both ends fixed, so that a link shows others the same. */
export function fixed(r: Range): Range {
	const base = Date.now();
	return { from: r.from === "" ? "" : iso(resolve(r.from, base)), to: iso(resolve(r.to || "now", base)) };
}
