// How the system itself is: each role, what is waiting, what to do about it.
import { type ApiError, Button, ButtonLink, Chip, type Column, Coverage, Empty, ErrorBox, Facts, Figure, type List, Num, Page, Section, Skeleton, Table, Time, ago, k, hasText, lang, link, manifest, may, mayAll, param, setQuery, t, textOr, useData, useEffect, useList, useLive, useState, withQuery } from "../../kit";

import { Proof, type Sandbox } from "./sandbox";

type Health = "ok" | "degraded" | "down";
interface Spool {
	spool: number;
	bytes: number;
	bytes_max: number;
	events: number;
	unparsed: number;
	refused_full: number;
	damaged: number;
	set_aside: number;
	store_waiting: boolean;
}
interface Role {
	name: string;
	state: Health;
	text?: string;
	stats?: { started?: string; snapshot?: number; indicators?: number; waiting_bytes?: number; spools?: Spool[] };
}
interface Status {
	version: string;
	started_at: string;
	as_of: string;
	state: Health;
	roles: Role[];
	sandboxes?: Sandbox[];
	counters: Record<string, number>;
	coverage: { sources: number; reporting: number; last_event_at: string | null };
	snapshot: { generation: number; indicators: number; created_at: string } | null;
}
interface Check {
	name: string;
	state: "ok" | "warn" | "fail";
	text: string;
	hint: string;
}
interface SystemEvent {
	id: string;
	time: string;
	level: string;
	role: string;
	name: string;
	fields: Record<string, unknown>;
}
const TONE = { ok: "ok", degraded: "warn", down: "bad", warn: "warn", fail: "bad" } as const;
const LEVEL: Record<string, "plain" | "warn" | "bad"> = { warn: "warn", error: "bad" };

function size(bytes: number): string {
	const [n, unit] = bytes < 1 << 20 ? [bytes / 1024, "kilobyte"] : bytes < 1 << 30 ? [bytes / (1 << 20), "megabyte"] : [bytes / (1 << 30), "gigabyte"];
	return new Intl.NumberFormat(lang.value, { style: "unit", unit: unit as string, maximumFractionDigits: (n as number) < 10 ? 1 : 0 }).format(n as number);
}
/** The text for a check's name; "role.ingest-0" goes by its family. */
function about(group: string, name: string, fallback: string): string {
	const family = name.startsWith("role.") ? "role" : name;
	return textOr(`health.${group}.${family}`, fallback);
}
const checkName = (name: string) => (name.startsWith("role.") ? t("health.role-named", { name: name.slice(5) }) : about("check", name, name));

function Findings({ checks }: { checks: Check[] }) {
	const rank = { fail: 0, warn: 1, ok: 2 };
	const [all, setAll] = useState(false);
	const bad = checks.filter((c) => c.state !== "ok");
	const shown = (all ? [...checks] : bad).sort((a, b) => rank[a.state] - rank[b.state]);
	return (
		<>
			{bad.length === 0 && <p class="y-row"><Chip tone="ok">{t("health.state.ok")}</Chip> {t("health.all-well", { n: checks.length })}</p>}
			<ul class="y-list">
				{shown.map((c) => (
					<li key={c.name} class="hl-check">
						<Chip tone={TONE[c.state]}>{t(`health.state.${c.state}`)}</Chip>
						<div class="y-grow">
							<strong>{checkName(c.name)}</strong>
							<p class="y-soft">{c.text}</p>
							{c.state !== "ok" && c.hint !== "" && <p>{t("health.do", { what: about("hint", c.name, c.hint) })}</p>}
						</div>
					</li>
				))}
			</ul>
			<Button kind="quiet" onClick={() => setAll(!all)}>
				{all ? t("health.only-bad") : t("health.show-all", { n: checks.length })}
			</Button>
		</>
	);
}
function Spools({ role }: { role: Role }) {
	const spools = role.stats?.spools ?? [];
	if (spools.length === 0) return null;
	return (
		<>
			{spools.map((s) => {
				const percent = s.bytes_max > 0 ? (s.bytes / s.bytes_max) * 100 : 0;
				return (
					<div key={s.spool} class="y-stack">
						<label class="hl-meter">
							<span>{t("health.spool", { n: s.spool })}</span>
							<meter min={0} max={100} high={70} optimum={0} value={percent} />
							<span class="y-num">{t("health.of", { part: size(s.bytes), whole: size(s.bytes_max) })}</span>
						</label>
						{s.store_waiting && <p class="hl-warn">{t("health.store-waiting")}</p>}
						{(s.refused_full > 0 || s.damaged > 0 || s.set_aside > 0) && <p class="hl-warn">{t("health.spool-trouble", { full: s.refused_full, damaged: s.damaged, aside: s.set_aside })}</p>}
					</div>
				);
			})}
		</>
	);
}
function RoleCard({ role, box }: { role: Role; box?: Sandbox | undefined }) {
	const family = role.name.replace(/-\d+$/, "");
	return (
		<div class="y-card y-stack">
			<div class="y-row y-row--apart">
				<h3>{role.name}</h3>
				<Chip tone={TONE[role.state]}>{t(`health.state.${role.state}`)}</Chip>
			</div>
			{hasText(`health.role.${family}`) && <p class="y-soft">{t(`health.role.${family}`)}</p>}
			<Facts
				rows={[
					[t("health.says"), role.text],
					[t("health.started"), role.stats?.started !== undefined && <Time at={role.stats.started} />],
					[t("health.generation"), role.stats?.snapshot],
				]}
			/>
			<Spools role={role} />
			{box !== undefined && <Proof box={box} />}
		</div>
	);
}
/** The supervisor, and whatever else runs and does not report to center. */
function Others({ boxes }: { boxes: Sandbox[] }) {
	return (
		<>
			{boxes.map((b) => {
				const family = b.process.replace(/-\d+$/, "");
				return (
					<div key={b.process} class="y-card y-stack">
						<h3>{b.process}</h3>
						{hasText(`health.role.${family}`) && <p class="y-soft">{t(`health.role.${family}`)}</p>}
						<Proof box={b} />
					</div>
				);
			})}
		</>
	);
}
function Notices() {
	const [text, setText] = useState("");
	const [open, setOpen] = useState(false);
	useEffect(() => {
		if (!open || text !== "") return;
		fetch(`/assets/${manifest.notices}`).then(
			(r) => r.text().then((body) => setText(r.ok ? body : t("health.no-notices"))),
			() => setText(t("health.no-notices")),
		);
	}, [open]);
	return (
		<details onToggle={(e) => setOpen((e.currentTarget as HTMLDetailsElement).open)}>
			<summary>{t("health.notices")}</summary>
			{open && (text === "" ? <Skeleton /> : <pre class="hl-notices" tabIndex={0} lang="en">{text}</pre>)}
		</details>
	);
}
function Events() {
	const name = param("event");
	const list = useList<SystemEvent>("/system-events", { name: name || undefined });
	const columns: Column<SystemEvent>[] = [
		{ key: "name", label: t("health.event"), main: true, cell: (e) => <a href={withQuery({ event: e.name })}>{textOr(`health.event.${e.name}`, e.name)}</a> },
		{ key: "time", label: t("health.time"), width: "min", cell: (e) => <Time at={e.time} exact seconds /> },
		{ key: "level", label: t("health.level"), width: "min", cell: (e) => <Chip tone={LEVEL[e.level] ?? "plain"}>{textOr(`health.level.${e.level}`, e.level)}</Chip> },
		{ key: "role", label: t("health.part"), width: "min", cell: (e) => e.role },
		{ key: "fields", label: t("health.detail"), width: "wide", cell: (e) => (e.name === "sandbox.closed" ? <Fields fields={{ pid: e.fields.pid, uid: e.fields.uid, seccomp: e.fields.seccomp, landlock_abi: e.fields.landlock_abi }} /> : <Fields fields={e.fields} />) },
	];
	return <Table name="system-events" label={t("health.events")} columns={columns} list={list as List<SystemEvent>} rowKey={(e) => e.id} empty={<Empty title={name === "" ? t("health.no-events") : t("health.no-such-events")} />} tools={name !== "" && <div class="y-filters"><Button small icon="close" onClick={() => setQuery({ event: null })}>{textOr(`health.event.${name}`, name)}</Button></div>} />;
}
const KNOWN = new Set(["time", "level", "event", "id", "role", "index"]);
function Fields({ fields }: { fields: Record<string, unknown> }) {
	return (
		<span class="y-diffs">
			{Object.entries(fields)
				.filter(([name]) => !KNOWN.has(name))
				.map(([name, v]) => (
					<span key={name}>
						<small class="y-soft">{name}</small> {typeof v === "object" ? JSON.stringify(v) : String(v)}
					</span>
				))}
		</span>
	);
}
/** The rows behind a counter; those of the server itself (connections, requests) count what is nowhere kept:
 * what they mean stands beside each. */
function rowsOf(counter: string): string | undefined {
	if (counter === "records_dropped") return mayAll("system:read") ? withQuery({ event: "ingest.drops" }) : link("sources", { scope: {}, query: { sort: "dropped" } });
	if (!counter.startsWith("record") || !may("events:read")) return undefined;
	return counter === "record_bytes" ? link("sources", { scope: {} }) : link("search", { scope: {}, query: { from: "now-30d", q: counter === "records_unparsed" ? "parse_error:*" : undefined } });
}
function Wrong({ error, again }: { error: ApiError | undefined; again: () => void }) {
	return error === undefined ? null : <ErrorBox error={error} again={again} />;
}

export default function HealthPage() {
	const central = mayAll("system:read");
	const [deep, setDeep] = useState(false);
	const status = useData<Status>("/status");
	const doctor = useData<{ state: Check["state"]; checks: Check[] }>(central ? "/doctor" : "", deep ? {} : { quick: "true" });
	const s = status.data;
	const again = () => {
		status.reload();
		doctor.reload();
	};
	useLive(["system"], again);
	const events = central && (
		<Section title={t("health.events")}>
			<Events />
		</Section>
	);
	const counters = Object.entries(s?.counters ?? {});
	return (
		<Page
			title={t("nav.health")}
			lead={s !== undefined && <Coverage expected={s.coverage.sources} reporting={s.coverage.reporting} lastEvent={s.coverage.last_event_at} asOf={s.as_of} href={may("events:read") ? link("sources", { scope: {} }) : undefined} />}
			actions={<Button icon="reload" onClick={again}>{t("health.again")}</Button>}
			exports={central ? { kind: "system-events", query: { name: param("event") || undefined } } : undefined}
		>
			<Wrong error={status.error} again={status.reload} />
			{param("event") !== "" && events}
			{s === undefined && status.error === undefined && <Skeleton lines={6} />}
			{s !== undefined && (
				<div class="y-figures">
					<Figure name={t("health.now")} n={t(`health.state.${s.state}`)} warn={s.state !== "ok"} about={[k("health.about.now"), k("health.about.now-how")]}>
						<small>{t("health.since", { time: ago(s.started_at) })}</small>
					</Figure>
					<Figure name={t("health.snapshot")} n={s.snapshot === null ? t("health.no-snapshot") : <Num n={s.snapshot.indicators} href={may("indicators:read") ? link("indicators", { scope: {} }) : undefined} />} about={[k("health.about.snapshot"), k("health.about.snapshot-how")]}>
						{s.snapshot !== null && (
							<small>
								{t("health.generation-n", { n: s.snapshot.generation })} <Time at={s.snapshot.created_at} />
							</small>
						)}
					</Figure>
					<Figure name={t("health.records")} n={<Num n={s.counters.records} href={rowsOf("records")} />} about={[k("health.about.records"), k("health.about.records-how")]}>
						<small><a href={rowsOf("records_unparsed")}>{t("health.unparsed", { n: s.counters.records_unparsed ?? 0 })}</a></small>
					</Figure>
					<Figure name={t("health.dropped")} n={<Num n={s.counters.records_dropped} href={rowsOf("records_dropped")} />} warn={(s.counters.records_dropped ?? 0) > 0} about={[k("health.about.dropped"), k("health.about.records-how")]}>
						<small>{t("health.dropped-why")}</small>
					</Figure>
				</div>
			)}
			{central && (
				<Section title={t("health.findings")}>
					<Wrong error={doctor.error} again={doctor.reload} />
					{doctor.data === undefined && doctor.error === undefined && <Skeleton lines={4} />}
					{doctor.data !== undefined && <Findings checks={doctor.data.checks} />}
					{!deep && <Button small onClick={() => setDeep(true)}>{t("health.deep")}</Button>}
				</Section>
			)}
			{s !== undefined && (
				<Section title={t("health.roles")}>
					<p class="y-soft">{t("health.sandbox")}</p>
					<div class="hl-roles">
						{s.roles.map((r) => <RoleCard key={r.name} role={r} box={s.sandboxes?.find((b) => b.process === r.name)} />)}
						<Others boxes={(s.sandboxes ?? []).filter((b) => !s.roles.some((r) => r.name === b.process))} />
					</div>
				</Section>
			)}
			{param("event") === "" && events}
			{counters.length > 0 && (
				<Section title={t("health.counters")}>
					<Facts rows={counters.map(([name, n]) => [textOr(`health.counter.${name}`, name), <span key={name} class="y-row"><Num n={n} href={rowsOf(name)} />{hasText(`health.meaning.${name}`) && <small class="y-soft">{t(`health.meaning.${name}`)}</small>}</span>])} />
				</Section>
			)}
			<Section title={t("health.about")}>
				<Facts rows={[[t("health.version"), s?.version], [t("health.licence"), "Apache License 2.0"], [t("health.documents"), <ButtonLink key="d" small kind="quiet" icon="away" href="/api/openapi.yaml">{t("health.openapi")}</ButtonLink>]]} />
				<Notices />
			</Section>
		</Page>
	);
}
