// What lies below an organisation: its assets, and the alerts to begin with.
import { type AlertRow, AlertRows, type PageOf, ErrorBox, Num, Section, Severity, Skeleton, Time, link, place, t, useData, useLive } from "../../kit";
import { assetsOf, worstOf } from "./first";

interface Group {
	key: string;
	count: number;
	severity_id: number;
	last_seen: string;
}
/** The assets with the most open alerts; each leads to its own overview. */
export function WorstAssets() {
	const list = useData<PageOf<Group>>("/alert-groups", assetsOf(place.value));
	const { org, system } = place.value;
	const rows = (list.data?.items ?? []).filter((g) => g.key !== "");
	return (
		<Section title={t("overview.assets")} end={rows.length > 0 && <a href={link("alerts", { query: { by: "asset", state: "open" } })}>{t("overview.assets-all")}</a>}>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.error === undefined && list.data === undefined && <Skeleton lines={4} />}
			{list.data !== undefined && rows.length === 0 && <p class="y-soft">{t("overview.assets-none")}</p>}
			<ul class="y-list">
				{rows.map((g) => (
					<li key={g.key} class="y-listrow">
						<Severity id={g.severity_id} bare />
						<a class="y-grow" href={link("overview", { scope: { org, system, asset: g.key } })}>
							{g.key}
						</a>
						<span>
							{t("overview.open")} <Num n={g.count} href={link("alerts", { scope: { org, system, asset: g.key }, query: { state: "open" } })} label={t("overview.open")} />
						</span>
						<small class="y-soft">
							<Time at={g.last_seen} />
						</small>
					</li>
				))}
			</ul>
		</Section>
	);
}
/** What to look at first. */
export function WorstAlerts() {
	const list = useData<PageOf<AlertRow>>("/alerts", worstOf(place.value));
	useLive(["alerts"], (c) => {
		if (c.topic === "gap" || list.data?.items.some((a) => a.id === c.id) === true) list.reload();
	});
	return (
		<Section title={t("overview.first-alerts")} end={(list.data?.items.length ?? 0) > 0 && <a href={link("alerts", { query: { sort: "severity" } })}>{t("overview.alerts-all")}</a>}>
			<AlertRows list={list} none={t("overview.alerts-none")} />
		</Section>
	);
}
