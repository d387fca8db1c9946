// Import: a file, what it is, whose it is, then its parts to the server.
import { type ApiError, Button, ButtonLink, Chip, Combobox, Empty, ErrorBox, Fragment, type Job, Page, Progress, Section, SelectField, Skeleton, TextField, Time, Word, api, asError, at, condition, cx, findOrgs, lang, link, may, orgTitle, place, send, t, toastError, useEffect, useRef, useState } from "../../kit";
import { type Mapping, MappingForm, type Member, membersOf, nameFits, propose, textOfMapping } from "./mapping";
import { type Pending, TooLong, giveUp, halt, linesOf, pending, run, upload } from "./upload";

const SAMPLE = 240 << 10; // with a mapping before it at most 256 KiB
const SOURCES = ["suricata", "zeek", "syslog", "cloudtrail", "windows", "ocsf", "dnstap", "evtx", "ndjson"];
interface Guess {
	source: string | null;
	confidence: number;
	candidates: { source: string; confidence: number; records: number; unparsed: number }[];
	records: number;
	unparsed: number;
	preview: { line: number; ok: boolean; error: string | null; event: Record<string, unknown> & { time?: string; class?: string; message?: string } }[];
}
const size = (n: number) => new Intl.NumberFormat(lang.value, { style: "unit", unit: n < 1e6 ? "kilobyte" : n < 1e9 ? "megabyte" : "gigabyte", maximumFractionDigits: 1 }).format(n / (n < 1e6 ? 1e3 : n < 1e9 ? 1e6 : 1e9));
const cut = (name: string) => name.replace(/\.gz$/i, "").slice(0, 100);

/** What calls itself gzip and is not. */
class Unreadable extends Error {}
/** The beginning of a file; of a compressed one, of what is in it. */
async function sampleOf(file: File): Promise<Blob> {
	if (!/\.gz$/i.test(file.name)) return file.slice(0, SAMPLE);
	const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
	const parts: Uint8Array<ArrayBuffer>[] = [];
	for (let n = 0; n < SAMPLE; ) {
		const { value, done } = await reader.read().catch(() => {
			throw new Unreadable();
		});
		if (done) break;
		parts.push(value);
		n += value.length;
	}
	void reader.cancel();
	return new Blob(parts).slice(0, SAMPLE);
}
function gist(e: Guess["preview"][number]["event"]): string {
	const ends = [e.src_ip, e.dst_ip].filter((x) => x !== undefined).join(" → ");
	return [e.message, e.query ?? e.url ?? e.dst_host, e.user, e.api_operation, e.process, ends].filter((x) => x !== undefined && x !== "").slice(0, 4).join("  ");
}

function Drop({ chosen }: { chosen: (f: File) => void }) {
	const pick = useRef<HTMLInputElement>(null);
	const [over, setOver] = useState(false);
	return (
		<div
			class={cx("y-drop y-drop--large", over && "is-over")}
			onDragOver={(e) => {
				e.preventDefault();
				setOver(true);
			}}
			onDragLeave={() => setOver(false)}
			onDrop={(e) => {
				e.preventDefault();
				setOver(false);
				const f = e.dataTransfer?.files[0];
				if (f !== undefined) chosen(f);
			}}
		>
			<p>{t("import.drop")}</p>
			<Button kind="main" icon="plus" onClick={() => pick.current?.click()}>
				{t("import.pick")}
			</Button>
			<input
				ref={pick}
				type="file"
				class="y-hidden"
				tabIndex={-1}
				aria-label={t("import.pick")}
				onChange={(e) => {
					const f = e.currentTarget.files?.[0];
					if (f !== undefined) chosen(f);
				}}
			/>
			<p class="y-soft">{t("import.kinds")}</p>
		</div>
	);
}
function Preview({ guess }: { guess: Guess }) {
	const mine = guess.records > 0 ? guess : undefined;
	const bad = guess.preview.filter((p) => !p.ok).length;
	return (
		<>
			{mine !== undefined && (
				<p class="y-apart">
					<Chip tone={mine.unparsed === 0 ? "ok" : "warn"}>{mine.unparsed === 0 ? t("import.all-read", { n: mine.records }) : t("import.some-unread", { n: mine.records, bad: mine.unparsed })}</Chip>
				</p>
			)}
			{bad > 0 && <p class="y-soft y-apart">{t("import.bad-what")}</p>}
			{guess.preview.length === 0 && <p class="y-soft">{t("import.no-preview")} {t("import.no-preview-do")}</p>}
			{guess.preview.length > 0 && (
				<div class="y-tablebox">
					<table class="y-table y-table--dense" role="table" aria-label={t("import.preview")}>
						<thead role="rowgroup">
							<tr role="row">
								<th role="columnheader" scope="col" class="is-num is-min">{t("import.line")}</th>
								<th role="columnheader" scope="col" class="is-min">{t("import.time")}</th>
								<th role="columnheader" scope="col" class="is-min">{t("import.class")}</th>
								<th role="columnheader" scope="col" class="is-wide">{t("import.what")}</th>
							</tr>
						</thead>
						<tbody role="rowgroup">
							{guess.preview.map((p) => (
								<tr key={p.line} role="row" class={p.ok ? undefined : "is-bad"}>
									<td role="cell" class="is-num is-min" data-label={t("import.line")}>{p.line}</td>
									<td role="cell" class="is-min" data-label={t("import.time")}>{p.ok ? <Time at={p.event.time} exact seconds /> : <Chip tone="bad">{t("import.unread")}</Chip>}</td>
									<td role="cell" class="is-min" data-label={t("import.class")}><Word group="import.class" word={p.event.class ?? ""} /></td>
									<td role="cell" class="is-wide is-main">{p.ok ? gist(p.event) : p.error}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</>
	);
}
/** The upload, whoever began it: this page now or before. */
function Running({ again, another }: { again: () => void; another: () => void }) {
	const r = run.value;
	if (r === null) return null;
	const first = r.what;
	const going = r.state === "sending" || r.state === "waiting";
	return (
		<div class="y-card y-stack" aria-live="polite">
			<div class="y-row">
				<Chip tone={r.state === "done" ? "ok" : r.state === "failed" ? "bad" : going ? "info" : "warn"}>{t(`import.state.${r.state}`)}</Chip>
				<strong>{first.file}</strong>
				<span class="y-soft">
					{first.source}, {orgTitle(first.org)}
				</span>
			</div>
			<Progress done={Math.round(r.done / 1000)} total={Math.max(1, Math.round(r.total / 1000))} label={t("import.sent")} since={going && r.done > r.from ? r.since : undefined} />
			{r.error !== undefined && (r.state === "waiting" ? <p class="y-soft">{r.error.title} {r.error.advice}</p> : <ErrorBox error={r.error} />)}
			{r.state === "done" && <p>{t("import.done-what")}</p>}
			<div class="y-row">
				{going && <Button icon="pause" onClick={halt}>{t("import.pause")}</Button>}
				{(r.state === "stopped" || r.state === "failed") && <Button kind="main" icon="play" onClick={again}>{t("import.go-on")}</Button>}
				{r.state !== "done" && <Button onClick={() => void giveUp(r.job.id).catch(toastError)}>{t("import.give-up")}</Button>}
				{r.state === "done" && (
					<>
						<ButtonLink kind="main" icon="search" href={link("search", { scope: { org: first.org }, query: { q: `${condition("source", first.source)} ${condition("sensor", first.name)}`, from: "now-90d" } })}>
							{t("import.see")}
						</ButtonLink>
						<ButtonLink href={link("search", { scope: { org: first.org }, query: { q: `${condition("sensor", first.name)} parse_error:*`, from: "now-90d" } })}>{t("import.see-bad")}</ButtonLink>
						<ButtonLink href={link("sources", { scope: { org: first.org }, rest: [first.org, first.source, first.name] })}>{t("import.see-source")}</ButtonLink>
						<Button
							onClick={() => {
								run.value = null;
								another();
							}}
						>
							{t("import.another")}
						</Button>
					</>
				)}
				<ButtonLink kind="quiet" href={link("jobs", { rest: [r.job.id] })}>
					{t("import.job")}
				</ButtonLink>
			</div>
		</div>
	);
}

function Wizard({ file, back }: { file: File; back: () => void }) {
	const [guess, setGuess] = useState<Guess>();
	const [error, setError] = useState<ApiError>();
	const [why, setWhy] = useState("");
	const [source, setSource] = useState("");
	const [org, setOrg] = useState(place.value.org);
	const [name, setName] = useState(cut(file.name));
	const [busy, setBusy] = useState(false);
	const [members, setMembers] = useState<Member[]>([]);
	const [mapping, setMapping] = useState<Mapping>();
	const before = pending.value;
	const same = before !== null && before.file === file.name && before.size === file.size && before.modified === file.lastModified ? before : null;
	const own = source === "ndjson" && mapping !== undefined ? textOfMapping(mapping) : "";
	useEffect(() => {
		let gone = false;
		setError(undefined);
		const ask = async () => {
			const sample = await sampleOf(file);
			const found = members.length > 0 ? members : membersOf(await sample.text());
			if (source === "ndjson" && mapping === undefined) {
				setMembers(found);
				setMapping(propose(found, file.name));
				return; // and once more with it
			}
			const body = own === "" ? sample : new Blob([own, "\n", sample]);
			const answer = await send("POST", "/imports/guess", { bytes: body, type: "application/octet-stream", params: { source: own === "" ? source : `ndjson:${mapping !== undefined && nameFits(mapping.name) ? mapping.name : "own"}` } });
			const g = (await answer.json()) as Guess;
			if (gone) return;
			setGuess(g);
			setMembers(found);
			// JSON that no normaliser makes more of than lines
			if (source === "" && found.length > 0 && (g.source === null || g.confidence <= 50)) setSource("ndjson");
		};
		const failed = (e: unknown) => (e instanceof Unreadable ? setWhy(t("import.no-gzip")) : setError(asError(e)));
		const timer = setTimeout(() => void ask().catch((e: unknown) => !gone && failed(e)), own === "" ? 0 : 300);
		return () => {
			gone = true;
			clearTimeout(timer);
		};
	}, [file, source, own]);
	const chosen = source || (guess?.source ?? "");
	const mapped = chosen === "ndjson";
	const sources = SOURCES.filter((s) => s !== "ndjson" || members.length > 0);
	const begin = async (resume?: Pending) => {
		setBusy(true);
		setWhy("");
		setError(undefined);
		try {
			const job = resume === undefined ? undefined : await api.get<Job>(at`/jobs/${resume.job}`);
			const what = resume ?? { org, source: mapped && mapping !== undefined ? `ndjson:${mapping.name}` : chosen, ...(mapped && { mapping: own }), name: name.trim(), file: file.name, size: file.size, modified: file.lastModified };
			await upload(await linesOf(file, what.source), what, job?.state === "running" ? job : undefined);
		} catch (e) {
			if (e instanceof TooLong) setWhy(t("import.too-long"));
			else setError(asError(e));
		} finally {
			setBusy(false);
		}
	};
	const going = run.value !== null;
	return (
		<>
			<div class="y-row y-apart">
				<strong>{file.name}</strong>
				<span class="y-soft">{size(file.size)}</span>
				{!going && (
					<Button kind="quiet" small onClick={back}>
						{t("import.other-file")}
					</Button>
				)}
			</div>
			{error !== undefined && <ErrorBox error={error} />}
			{why !== "" && <p class="y-coverage--poor" role="alert">{why}</p>}
			{going ? (
				<Running again={() => void begin(run.peek()?.what)} another={back} />
			) : same !== null ? (
				<div class="y-card y-stack">
					<p>{t("import.begun", { source: same.source, org: orgTitle(same.org) })}</p>
					<div class="y-row">
						<Button kind="main" icon="play" busy={busy} onClick={() => void begin(same)}>
							{t("import.go-on")}
						</Button>
						<Button onClick={() => void giveUp(same.job).catch(toastError)}>{t("import.give-up")}</Button>
					</div>
				</div>
			) : guess === undefined ? (
				error === undefined && why === "" && <Skeleton lines={6} />
			) : (
				<>
					<Section title={t("import.step-source")}>
						<div class="y-form y-importform">
							<SelectField
								label={t("import.source")}
								hint={mapped ? t("import.guessed-map") : guess.source === null ? t("import.nobody") : t("import.guessed", { source: guess.source, n: guess.confidence })}
								value={chosen}
								onChange={setSource}
								options={[...(chosen === "" ? [["", ""] as [string, string]] : []), ...sources.map((s) => [s, t(`import.source.${s}`)] as [string, string])]}
							/>
							<Combobox label={t("scope.organisation")} hint={t("import.org-hint")} required value={org === "" ? "" : orgTitle(org)} find={async (text) => (await findOrgs(text)).filter((o) => may("events:write", o.value))} onChange={setOrg} />
							<TextField label={t("import.name")} hint={t("import.name-hint")} required value={name} onChange={setName} maxLength={120} />
							<div class="y-row">
								<Button kind="main" icon="save" busy={busy} disabled={org === "" || chosen === "" || name.trim() === "" || file.size === 0 || (mapped && (mapping === undefined || !nameFits(mapping.name)))} onClick={() => void begin()}>
									{t("import.begin")}
								</Button>
								{org === "" && <span class="y-soft">{t("import.choose-org")}</span>}
							</div>
						</div>
					</Section>
					{mapped && mapping !== undefined && (
						<Section title={t("import.step-map")}>
							<MappingForm value={mapping} members={members} set={setMapping} />
						</Section>
					)}
					<Section title={t("import.preview")}>
						<Preview guess={guess} />
					</Section>
				</>
			)}
		</>
	);
}
export default function Import() {
	const [file, setFile] = useState<File>();
	const left = pending.value;
	const r = run.value;
	if (!may("events:write")) return <Page title={t("nav.import")}><Empty title={t("import.not-allowed")}>{t("problem.status-403")}</Empty></Page>;
	return (
		<Page title={t("nav.import")} lead={<p class="y-coverage">{t("import.lead")}</p>}>
			{file === undefined ? (
				<Fragment>
					{r !== null && <Running again={() => toastError({ title: t("import.choose-again") })} another={() => undefined} />}
					{r === null && left !== null && (
						<div class="y-card y-row y-row--apart y-apart">
							<p>{t("import.left", { file: left.file })}</p>
							<Button small onClick={() => void giveUp(left.job).catch(toastError)}>
								{t("import.give-up")}
							</Button>
						</div>
					)}
					{(r === null || r.state === "stopped" || r.state === "failed") && <Drop chosen={setFile} />}
				</Fragment>
			) : (
				<Wizard
					key={`${file.name}${file.size}`}
					file={file}
					back={() => setFile(undefined)}
				/>
			)}
		</Page>
	);
}
