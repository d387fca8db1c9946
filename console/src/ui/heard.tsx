// How much of the scope is heard, beside the numbers of pages whose lists do not say it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Loaded, useData } from "../base/data";
import { t } from "../base/i18n";
import { orgTitle } from "../base/orgs";
import { link, place, scopeQuery } from "../base/router";
import { may, session } from "../base/session";
import { Coverage } from "./basics";

export interface HeardOf {
	expected: number;
	reporting: number;
	last_event?: string | null;
}
/** The coverage, where one can know it: not of an auditor's period, nor for who owns a system alone. */
export function knownCoverage(c: HeardOf | undefined): HeardOf | undefined {
	const period = session.value?.permissions["alerts:read"]?.period_from;
	return c === undefined || (c.expected === 0 && (place.value.system !== "" || (period !== undefined && period !== null))) ? undefined : c;
}
/** What a page is about, and below it how much is heard. */
export function Lead({ asOf, children }: { asOf: string; children: ComponentChildren }) {
	return (
		<>
			<p class="y-soft">{children}</p>
			<Heard asOf={asOf} />
		</>
	);
}
export interface HeardNow {
	coverage: HeardOf;
	silent: { org: string; source: string; sensor: string }[];
	silent_total: number;
	as_of: string;
}
/** What is heard of the scope now, and what is not. */
export const useHeard = () => useData<HeardNow>(may("alerts:read") ? "/overview" : "", { ...scopeQuery(), from: "now-1h" });
/** Within a system or an asset: that what is shown is kept by organisation, and is of the whole of it. */
export function OfOrg() {
	const { org, system, asset } = place.value;
	return system === "" && asset === "" ? null : <p class="y-soft y-apart">{t("scope.of-org", { org: orgTitle(org) })}</p>;
}
export function Heard({ asOf }: { asOf?: string }) {
	const now = useHeard();
	// rows that were read anew stand beside what is heard at that time
	const before = useRef(asOf);
	useEffect(() => {
		if (before.current !== asOf && (before.current ?? "") !== "") now.reload();
		before.current = asOf;
	}, [asOf]);
	return <HeardIn now={now} asOf={asOf} />;
}
/** The same, where the page has asked already. */
export function HeardIn({ now, asOf }: { now: Loaded<HeardNow>; asOf?: string | undefined }) {
	const c = knownCoverage(now.data?.coverage);
	return <Coverage expected={c?.expected} reporting={c?.reporting} lastEvent={c === undefined ? undefined : (c.last_event ?? null)} asOf={asOf} href={link("sources")} />;
}
