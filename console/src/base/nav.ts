// The pages, in the groups of the navigation.  A page shows when it is built and the
// person has its permission somewhere.
import { k, manifest } from "./i18n";
import { link } from "./router";
import { type Session, may, mayAll } from "./session";

export interface NavPage {
	page: string;
	label: string;
	permission: string;
	/** Of the whole: what it reads is for those alone who hold the permission there. */
	whole?: boolean;
	/** "g a" */
	keys?: string;
	/** Pages that are reached from it and have no place of their own. */
	also?: string[];
}
export const NAV: { label: string; pages: NavPage[] }[] = [
	{
		label: k("nav.watch"),
		pages: [
			{ page: "overview", label: k("nav.overview"), permission: "alerts:read", keys: "g o" },
			{ page: "compare", label: k("nav.compare"), permission: "alerts:read", keys: "g m" },
			{ page: "wall", label: k("nav.wall"), permission: "alerts:read" },
			{ page: "work", label: k("nav.work"), permission: "alerts:read", keys: "g w" },
			{ page: "alerts", label: k("nav.alerts"), permission: "alerts:read", keys: "g a" },
			{ page: "search", label: k("nav.search"), permission: "events:read", keys: "g s" },
		],
	},
	{
		label: k("nav.protect"),
		pages: [
			{ page: "dns", label: k("nav.dns"), permission: "events:read", keys: "g d" },
			{ page: "dns-log", label: k("nav.dns-log"), permission: "events:read", keys: "g n" },
			{ page: "dns-check", label: k("nav.dns-check"), permission: "indicators:read", keys: "g k" },
			{ page: "dns-zones", label: k("nav.dns-zones"), permission: "indicators:read", keys: "g z" },
			{ page: "dns-requests", label: k("nav.dns-requests"), permission: "events:read" },
		],
	},
	{
		label: k("nav.detect"),
		pages: [
			{ page: "detection-rules", label: k("nav.detection-rules"), permission: "indicators:read", keys: "g u", also: ["detection-rule"] },
			{ page: "detection-exceptions", label: k("nav.detection-exceptions"), permission: "indicators:read" },
			{ page: "detection-findings", label: k("nav.detection-findings"), permission: "indicators:read" },
			{ page: "attack-matrix", label: k("nav.attack-matrix"), permission: "indicators:read", keys: "g x" },
			{ page: "retro-hunts", label: k("nav.retro-hunts"), permission: "indicators:read", keys: "g b" },
		],
	},
	{
		label: k("nav.know"),
		pages: [
			{ page: "sources", label: k("nav.sources"), permission: "events:read", keys: "g c" },
			{ page: "systems", label: k("nav.systems"), permission: "systems:read", keys: "g y" },
			{ page: "indicators", label: k("nav.indicators"), permission: "indicators:read", keys: "g i" },
			{ page: "import", label: k("nav.import"), permission: "events:write" },
		],
	},
	{
		label: k("nav.govern"),
		pages: [
			{ page: "organisations", label: k("nav.organisations"), permission: "org:read", keys: "g r" },
			{ page: "people", label: k("nav.people"), permission: "people:read", keys: "g p" },
			{ page: "approvals", label: k("nav.approvals"), permission: "approvals:read" },
			{ page: "audit-log", label: k("nav.audit-log"), permission: "audit:read", keys: "g l" },
		],
	},
	{
		label: k("nav.run"),
		pages: [
			{ page: "jobs", label: k("nav.jobs"), permission: "jobs:read", keys: "g j" },
			{ page: "health", label: k("nav.health"), permission: "system:read", whole: true, keys: "g h" },
		],
	},
];
/** The page one begins with: the list for who works on alerts of all, what is to be done for who owns systems, the log for who audits. */
export function homeOf(s: Session): string {
	const has = (role: string) => s.roles.filter((r) => r.role === role);
	if (s.person?.home !== undefined && s.person.home !== "") return link("overview", { scope: { org: s.person.home } });
	if (s.person === null || has("administrator").length > 0) return "/";
	const own = has("system_owner").length > 0;
	if (has("centre_analyst").length > 0) return link("alerts", { scope: {}, query: { by: "indicator", severity: 4 } });
	if (has("organisation_csirt").length + has("ciso_office").length > 0) return "/";
	if (own) return link("work", { scope: {} });
	if (has("auditor").length > 0 && mayAll("audit:read")) return link("audit-log", { scope: {} });
	return !may("alerts:read") && may("events:write") ? link("import", { scope: {} }) : "/";
}
export function navPages(): { label: string; pages: NavPage[] }[] {
	return NAV.map((g) => ({ ...g, pages: g.pages.filter((p) => manifest.pages[p.page] !== undefined && (p.whole ? mayAll : may)(p.permission)) })).filter((g) => g.pages.length > 0);
}
