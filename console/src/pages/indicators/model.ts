// Lists, indicators and allow entries as the API gives them.
import { may, mayAll, orgTitle, t } from "../../kit";

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
export const percent = (text: string) => (/^\d{1,3}$/.test(text.trim()) && Number(text) <= 100 ? "" : t("indicators.confidence-bad"));
