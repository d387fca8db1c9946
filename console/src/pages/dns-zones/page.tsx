// The zones of the policy in their order: where each is from, how old, what is in it and what was refused.
import { Chip, type Column, Drawer, Empty, Facts, type List, Num, Page, Section, type Step, Table, Time, TimeRange, Value, Word, ago, asked, dnsRows, iso, lang, orgTitle, orgQuery, place, quoted, range, resolve, stepsOf, t, useData, useMemo, withRest } from "../../kit";
import { questionOf } from "./first";

interface Zone {
	name: string;
	kind: "rpz" | "list" | "axfr" | "entries" | "indicators";
	source: string;
	origin: string;
	layer: string;
	mode: string;
	override: string;
	category: string;
	state: string;
	org: string | null;
	position: number;
	serial: number;
	records: number;
	taken: number;
	refused: number;
	out_of_zone: number;
	duplicates: number;
	bytes: number;
	changed_at: string | null;
	checked_at: string | null;
	failed_at: string | null;
	hits: number | null;
	noted: number | null;
	last_hit: string | null;
	error: string | null;
	triggers: Record<string, number>;
	refused_records: { line: number; reason: string; record: string }[];
}
const TONE: Record<string, "plain" | "ok" | "warn" | "bad"> = { ok: "ok", behind: "warn", expired: "warn", loading: "plain", failed: "bad", empty: "plain" };
const size = (n: number) => new Intl.NumberFormat(lang.value, { notation: "compact", style: "unit", unit: "byte", unitDisplay: "narrow", maximumFractionDigits: 1 }).format(n);

const made = (z: Zone) => z.kind === "entries" || z.kind === "indicators";

function columnsOf(rows: (z: Zone) => string): Column<Zone>[] {
	return [
		{ key: "position", label: t("dns-zones.position"), width: "min", num: true, cell: (z) => z.position, drop: 1 },
		{ key: "name", label: t("dns-zones.zone"), main: true, width: "wide", cell: (z) => <a href={withRest([z.name])}>{z.name}</a> },
		{ key: "state", label: t("dns-zones.state"), width: "min", cell: (z) => <Chip tone={TONE[z.state] ?? "plain"}>{t(`dns-zones.state.${z.state}`)}</Chip> },
		{ key: "layer", label: t("dns-zones.layer"), cell: (z) => <Word group="dns-word" word={z.layer} />, drop: 2 },
		{ key: "org", label: t("scope.organisation"), cell: (z) => (z.org === null ? t("dns-zones.all") : orgTitle(z.org)), extra: true },
		{ key: "mode", label: t("dns-zones.mode"), width: "min", cell: (z) => t(`dns-zones.mode.${z.mode}`), drop: 2 },
		{ key: "serial", label: t("dns-zones.serial"), width: "min", num: true, cell: (z) => (z.kind === "rpz" || z.kind === "axfr" ? String(z.serial) : ""), drop: 2 },
		{ key: "taken", label: t("dns-zones.taken"), width: "min", num: true, cell: (z) => <Num n={z.taken} /> },
		{ key: "refused", label: t("dns-zones.refused"), width: "min", num: true, cell: (z) => <Num n={z.refused + z.out_of_zone} href={z.refused + z.out_of_zone > 0 ? withRest([z.name]) : undefined} label={t("dns-zones.refused")} />, drop: 1 },
		{ key: "hits", label: t("dns-zones.hits"), width: "min", num: true, cell: (z) => <Num n={z.hits} href={z.hits === null || z.hits === 0 ? undefined : rows(z)} label={t("dns-zones.hits")} /> },
		{ key: "age", label: t("dns-zones.age"), width: "min", cell: (z) => <Time at={z.changed_at} /> },
		{ key: "bytes", label: t("dns-zones.size"), width: "min", num: true, cell: (z) => (made(z) ? "" : size(z.bytes)), extra: true },
		{ key: "source", label: t("dns-zones.source"), cell: (z) => (z.kind === "entries" ? t("dns-zones.kind.entries") : <code translate={false}>{z.source}</code>), extra: true },
	];
}
function ZoneDrawer({ zone: z, rows, step }: { zone: Zone; rows: string; step: Step }) {
	const triggers = Object.entries(z.triggers).filter(([, n]) => n > 0);
	return (
		<Drawer title={z.name} back={withRest([])} step={step} head={<span class="y-row"><Chip tone={TONE[z.state] ?? "plain"}>{t(`dns-zones.state.${z.state}`)}</Chip></span>}>
			{z.error !== null && (
				<Section title={t("dns-zones.error")}>
					<p><Value copy>{z.error}</Value></p>
					<p class="y-soft"><Time at={z.failed_at} /> {t(z.taken > 0 ? "dns-zones.error-old" : "dns-zones.error-none")}</p>
				</Section>
			)}
			<Section title={t("dns-zones.about")}>
				<Facts
					rows={[
						[t("dns-zones.source"), <span>{t(`dns-zones.kind.${z.kind}`)} <Value>{z.source}</Value></span>],
						[t("dns-zones.origin"), z.origin !== "" && <Value>{z.origin}</Value>],
						[t("dns-zones.layer"), <Word group="dns-word" word={z.layer} />],
						[t("scope.organisation"), z.org === null ? t("dns-zones.all") : orgTitle(z.org)],
						[t("dns-zones.mode"), t(`dns-zones.mode.${z.mode}`)],
						[t("dns-zones.override"), z.override !== "given" && z.override],
						[t("dns-zones.category"), z.category],
						[t("dns-zones.serial"), (z.kind === "rpz" || z.kind === "axfr") && String(z.serial)],
						[t("dns-zones.size"), !made(z) && size(z.bytes)],
						[t("dns-zones.age"), z.changed_at !== null && <Time at={z.changed_at} />],
						[t("dns-zones.checked"), !made(z) && z.checked_at !== null && ago(z.checked_at)],
						[t("dns-zones.hits"), <Num n={z.hits} href={z.hits === null || z.hits === 0 ? undefined : rows} />],
						[t("dns-zones.last-hit"), z.last_hit !== null && <Time at={z.last_hit} />],
					]}
				/>
			</Section>
			<Section title={t("dns-zones.records")}>
				<Facts
					rows={[
						[t("dns-zones.seen"), <Num n={z.records} />],
						[t("dns-zones.taken"), <Num n={z.taken} />],
						...triggers.map(([name, n]): [string, preact.ComponentChild] => [t(`dns-word.${name}`), <Num n={n} />]),
						[t("dns-zones.duplicates"), z.duplicates > 0 && <Num n={z.duplicates} />],
						[t("dns-zones.out-of-zone"), z.out_of_zone > 0 && <Num n={z.out_of_zone} />],
						[t("dns-zones.refused"), <Num n={z.refused} />],
					]}
				/>
			</Section>
			{z.refused_records.length > 0 && (
				<Section title={t("dns-zones.refused-first")}>
					<ul class="y-list">
						{z.refused_records.map((r) => (
							<li key={`${r.line}${r.record}`}>
								<code translate={false}>{r.record}</code>
								<p class="y-soft">{r.line > 0 && t("dns-zones.line", { n: r.line })} <span data-content>{r.reason}</span></p>
							</li>
						))}
					</ul>
				</Section>
			)}
		</Drawer>
	);
}

export default function DnsZones() {
	const r = range("now-24h");
	const found = useData<{ items: Zone[]; generation: number; running: boolean; as_of: string }>("/dns/zones", questionOf(asked()));
	const items = found.data?.items ?? [];
	const base = found.data === undefined ? Date.now() : Date.parse(found.data.as_of);
	const times = { from: iso(resolve(r.from || "now-24h", base)), to: iso(resolve(r.to || "now", base)) };
	const rows = (z: Zone) => dnsRows(`policy:${quoted(z.name)}`, times);
	const list = useMemo<List<Zone>>(() => ({ items, total: found.data === undefined ? undefined : items.length, totalExact: true, asOf: found.data?.as_of ?? "", error: found.error, loading: found.loading, hasMore: false, more: () => undefined, reload: found.reload, update: () => undefined, head: undefined }), [found.data, found.error, found.loading]);
	const open = items.find((z) => z.name === place.value.rest[0]);
	return (
		<Page
			title={t("nav.dns-zones")}
			lead={found.data !== undefined && <p class="y-coverage"><span>{t("dns-zones.generation", { n: found.data.generation })}</span> <Time at={found.data.as_of} exact /></p>}
			range={<TimeRange />}
			exports={{ kind: "dns-zones", query: { ...orgQuery(), ...times } }}
			drawer={open !== undefined && <ZoneDrawer zone={open} rows={rows(open)} step={stepsOf(items, (z) => [z.name])} />}
		>
			<Table
				name="dns-zones"
				label={t("nav.dns-zones")}
				columns={columnsOf(rows)}
				list={list}
				rowKey={(z) => z.name}
				rowHref={(z) => withRest([z.name])}
				open={open?.name}
				empty={<Empty title={found.data?.running === false ? t("dns-zones.off") : t("dns-zones.none")}>{found.data?.running === false ? t("dns-zones.off-why") : t("dns-zones.none-why")}</Empty>}
			/>
		</Page>
	);
}
