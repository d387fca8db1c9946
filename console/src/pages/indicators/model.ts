// Lists, indicators and allow entries as the API gives them.
import { iso, may, mayAll, orgTitle, stamp, t, toMs } from "../../kit";

export const TLP = ["clear", "green", "amber", "amber+strict", "red"];
export const TYPES = ["ip", "ip-port", "domain", "fqdn", "url", "hash", "email"];
export interface IndicatorList {
	id: string;
	org: string | null;
	name: string;
	title: string;
	tlp: string;
	confidence: number;
	category: string;
	enabled: boolean;
	indicators: number;
	created_at: string;
	updated_at: string;
	etag: string;
}
export interface Indicator {
	id: string;
	list: string;
	list_name?: string;
	org: string | null;
	type: string;
	value: string;
	confidence: number;
	severity_id: number;
	tlp: string;
	category: string;
	family: string;
	valid_from: string | null;
	valid_until: string | null;
	created_at: string;
	updated_at: string;
	etag: string;
}
export interface Allow {
	id: string;
	org: string | null;
	type: string;
	value: string;
	reason: string;
	alert: string | null;
	expires_at: string | null;
	created_at: string;
	created_by: string;
	etag: string;
}
/** May the person change what belongs to this organisation, or to all (null)? */
export const mayChange = (org: string | null) => (org === null ? mayAll("indicators:write") : may("indicators:write", org));
export const whose = (org: string | null) => (org === null ? t("indicators.all-orgs") : orgTitle(org));
export const over = (until: string | null) => until !== null && toMs(until) <= Date.now();
/** A choice of days from now, as the API wants it. */
export const inDays = (days: string) => (days === "" ? null : iso(Math.floor(Date.now() / 1000) * 1000 + Number(days) * 86_400_000));
export const DAYS = ["7", "30", "90", "365", ""];
export const dayOptions = (keep?: string | null): [string, string][] => [
	...(keep === undefined ? [] : [["keep", keep === null ? t("indicators.until.keep-never") : t("indicators.until.keep", { time: stamp(keep) })] as [string, string]]),
	...DAYS.map((d) => [d, d === "" ? t("indicators.until.never") : t("indicators.until.days", { n: Number(d) })] as [string, string]),
];
export const percent = (text: string) => (/^\d{1,3}$/.test(text.trim()) && Number(text) <= 100 ? "" : t("indicators.confidence-bad"));
