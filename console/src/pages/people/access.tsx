// What a person can see and do, where, and by which grant.
import { Button, ErrorBox, type Person, type Reach, Section, Skeleton, at, hasText, loadOrgs, orgOf, orgTitle, systemTitle, t, useData, useEffect, useState } from "../../kit";
import { type Grant, whereOf } from "./grants";

interface Answer {
	grants: (Grant & { scopes: string[] })[];
	permissions: Record<string, Reach>;
}
/** Does the grant reach the node: on it, above it, or on the whole? */
function reaches(g: Grant, org: string): boolean {
	if (g.system !== null) return false;
	if (g.whole) return true;
	for (let at: string | null | undefined = org, n = 0; at !== null && at !== undefined && at !== "" && n < 16; at = orgOf(at)?.parent, n++) if (at === g.node) return true;
	return g.node === null;
}
function Because({ grants, node }: { grants: Grant[]; node: string }) {
	return <span class="y-soft">{grants.map((g) => (g.node === node || node === "" ? t("people.access.by", { role: t(`role.${g.role}`), where: whereOf(g) }) : t("people.access.inherited", { role: t(`role.${g.role}`), where: whereOf(g) }))).join("; ")}</span>;
}
function Group({ scopes, reach, grants }: { scopes: string[]; reach: Reach; grants: Grant[] }) {
	const [all, setAll] = useState(false);
	const orgs = reach.orgs ?? [];
	const systems = reach.systems ?? [];
	const shown = all ? orgs : orgs.slice(0, 5);
	return (
		<li class="pp-group">
			<p>{scopes.map((s) => (hasText(`scope-word.${s}`) ? t(`scope-word.${s}`) : s)).join(t("people.access.comma"))}</p>
			<ul class="y-bullets">
				{reach.all === true && <li>{t("scope.whole")} <Because grants={grants.filter((g) => g.whole)} node="" /></li>}
				{reach.all !== true && shown.map((o) => <li key={o}>{orgTitle(o)} <Because grants={grants.filter((g) => reaches(g, o))} node={o} /></li>)}
				{reach.all !== true && systems.map((y) => <li key={y}>{systemTitle(y)} <Because grants={grants.filter((g) => g.system === y)} node="" /></li>)}
			</ul>
			{orgs.length > 5 && reach.all !== true && <Button small kind="quiet" onClick={() => setAll(!all)}>{all ? t("people.access.less") : t("people.access.more", { n: orgs.length - 5 })}</Button>}
		</li>
	);
}
export function Access({ person, state = "active" }: { person: string; state?: Person["state"] }) {
	const answer = useData<Answer>(at`/people/${person}/access`);
	useEffect(() => void loadOrgs(), []);
	// scopes with the same reach by the same grants are told together
	const groups = new Map<string, { scopes: string[]; reach: Reach; grants: Grant[] }>();
	for (const [scope, reach] of Object.entries(answer.data?.permissions ?? {})) {
		const grants = (answer.data?.grants ?? []).filter((g) => g.scopes.includes(scope) && (reach.all !== true || g.whole));
		const key = JSON.stringify([reach, grants.map((g) => [g.id, g.role])]);
		const group = groups.get(key) ?? { scopes: [], reach, grants };
		group.scopes.push(scope);
		groups.set(key, group);
	}
	return (
		<Section title={t("people.access")}>
			{answer.error !== undefined && <ErrorBox error={answer.error} again={answer.reload} />}
			{answer.data === undefined && answer.error === undefined && <Skeleton />}
			{answer.data !== undefined && groups.size === 0 && <p class="y-soft">{t(`people.access.none.${state}`)}</p>}
			<ul class="y-list">{[...groups].map(([key, g]) => <Group key={key} {...g} />)}</ul>
		</Section>
	);
}
