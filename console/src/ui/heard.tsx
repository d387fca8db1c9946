// How much of the scope is heard, beside the numbers of pages whose lists do not say it.
import type { ComponentChildren } from "preact";
import { useData } from "../base/data";
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
export function Heard({ asOf }: { asOf?: string }) {
	const one = useData<{ coverage: HeardOf }>(may("alerts:read") ? "/overview" : "", { ...scopeQuery(), from: "now-1h" });
	const c = knownCoverage(one.data?.coverage);
	return <Coverage expected={c?.expected} reporting={c?.reporting} lastEvent={c === undefined ? undefined : (c.last_event ?? null)} asOf={asOf} href={link("sources")} />;
}
