// What one looked at last, by the names that it has now.
import { type Recent, Section, api, at, orgTitle, personName, recent, recentHref, t, useEffect, useState } from "../../kit";

interface Named {
	title?: string;
	title_ja?: string;
	name?: string;
}
const label = (r: Recent, x: Named | undefined) => (r.page === "organisations" ? orgTitle(r.id) : r.page === "people" ? personName(r.id) : r.page === "alerts" ? x?.title : x?.title_ja || x?.name);

export function Recently() {
	const rows = recent.value;
	const [found, setFound] = useState<Record<string, Named | null>>({});
	useEffect(() => {
		let here = true;
		for (const r of rows)
			void api.get<Named>(`/${r.page}${at`/${r.id}`}`).then(
				(x) => here && setFound((f) => ({ ...f, [r.id]: x })),
				() => here && setFound((f) => ({ ...f, [r.id]: null })), // gone, or no longer theirs to see
			);
		return () => {
			here = false;
		};
	}, [rows]);
	const shown = rows.filter((r) => found[r.id] !== undefined && found[r.id] !== null).slice(0, 8);
	return (
		<Section title={t("work.recent")}>
			{rows.length === 0 && <p class="y-soft">{t("work.recent-none")}</p>}
			<ul class="y-list">
				{shown.map((r) => (
					<li key={`${r.page}/${r.id}`} class="y-listrow">
						<a class="y-grow" href={recentHref(r)}>
							{label(r, found[r.id] ?? undefined) ?? r.id}
						</a>
						<small class="y-soft">{t(`nav.${r.page}`)}</small>
					</li>
				))}
			</ul>
		</Section>
	);
}
