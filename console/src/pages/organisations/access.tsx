// Who can see this organisation: each person once, with every grant it comes from.
import { Empty, ErrorBox, type PageOf, Section, Skeleton, Time, link, may, orgTitle, personName, systemTitle, t, useData } from "../../kit";

interface Grant {
	id: string;
	person: string;
	role: string;
	node: string | null;
	whole: boolean;
	system: string | null;
	period_from: string | null;
	period_to: string | null;
	expires_at: string | null;
	inherited: boolean;
	reason: string;
}
function Why({ g }: { g: Grant }) {
	const where = g.system !== null ? systemTitle(g.system) : g.whole ? t("scope.whole") : g.node === null ? t("organisations.access.above") : orgTitle(g.node);
	return (
		<li>
			{t(`role.${g.role}`)}: {g.system !== null ? t("organisations.access.system", { name: where }) : g.inherited ? t("organisations.access.inherited", { name: where }) : t("organisations.access.here")}
			{(g.period_from !== null || g.period_to !== null) && <> ({t("organisations.access.period")} <Time at={g.period_from} exact /> – <Time at={g.period_to} exact />)</>}
			{g.expires_at !== null && <> ({t("organisations.access.until")} <Time at={g.expires_at} exact />)</>}
		</li>
	);
}
export function Access({ org }: { org: string }) {
	const list = useData<PageOf<Grant>>(`/organisations/${encodeURIComponent(org)}/access`);
	const by = new Map<string, Grant[]>();
	for (const g of list.data?.items ?? []) by.set(g.person, [...(by.get(g.person) ?? []), g]);
	return (
		<Section title={t("organisations.access")}>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.data === undefined && list.error === undefined && <Skeleton />}
			{list.data !== undefined && by.size === 0 && <Empty title={t("organisations.access.none")}>{t("organisations.access.none-next")}</Empty>}
			<ul class="y-list">
				{[...by].map(([person, grants]) => (
					<li key={person} class="y-listrow">
						<div class="y-grow">
							{may("people:read") ? <a href={link("people", { rest: [person], scope: {} })}>{personName(person)}</a> : personName(person)}
							<ul class="y-soft y-bullets">{grants.map((g) => <Why key={g.id} g={g} />)}</ul>
						</div>
					</li>
				))}
			</ul>
		</Section>
	);
}
