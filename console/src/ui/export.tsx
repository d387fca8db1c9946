// "Take away all rows": a job on the server by the same query as the list's.
import { useRef, useState } from "preact/hooks";
import { type ApiError, type Job, api, finished, follow } from "../base/api";
import { asError } from "../base/data";
import { t } from "../base/i18n";
import { orgTitle } from "../base/orgs";
import { place } from "../base/router";
import { Button, ButtonLink, ErrorBox, Facts, Progress } from "./basics";
import { Radios } from "./form";
import { Dialog } from "./overlay";

export type ExportKind = "alerts" | "alert-groups" | "compare" | "events" | "indicators" | "indicator-lists" | "allow-entries" | "audit-log" | "sources" | "organisations" | "systems" | "people" | "grants" | "tokens" | "approvals" | "saved-searches" | "jobs" | "system-events" | "alert-evidence" | "alert-history" | "alert-comments" | "block-entries" | "dns-requests" | "dns-zones" | "detection-rules" | "detection-exceptions" | "attack-matrix" | "detection-findings" | "retro-hunts" | "my-sessions" | "my-tokens" | "my-passkeys";
/** A list that can be taken away: what, and by which parameters of its route. */
export interface Export {
	kind: ExportKind;
	query: Record<string, string | number | undefined>;
	/** Only these rows: where the page filters what it has read whole. */
	rows?: string[] | undefined;
}
type Format = "csv" | "xlsx" | "jsonl";

/** With more than one list one chooses; the first is what is shown. */
export function ExportDialog({ lists, onClose }: { lists: Export[]; onClose: () => void }) {
	const [which, setWhich] = useState(0);
	const { kind, query, rows } = lists[which] as Export;
	const [format, setFormat] = useState<Format>("csv");
	const [job, setJob] = useState<Job>();
	const [error, setError] = useState<ApiError>();
	const stop = useRef(new AbortController());
	const close = () => {
		stop.current.abort();
		onClose();
	};
	const filters = Object.entries(query).filter(([, v]) => v !== undefined && v !== "") as [string, string | number][];
	const start = async () => {
		setError(undefined);
		try {
			const made = await api.post<Job>("/exports", { kind, format, query: Object.fromEntries(filters.map(([name, v]) => [name, String(v)])), ...(rows !== undefined && { rows }) });
			setJob(made);
			const end = await follow(made.id, setJob, stop.current.signal);
			if (end.state === "done") {
				const a = document.createElement("a");
				a.href = `/api/v1/exports/${end.id}`;
				a.download = "";
				document.body.append(a);
				a.click();
				a.remove();
			}
		} catch (e) {
			if ((e as Error).name !== "AbortError") {
				setJob(undefined);
				setError(asError(e));
			}
		}
	};
	const running = job !== undefined && !finished(job);
	const ready = job?.state === "done";
	return (
		<Dialog
			title={t("export.title")}
			onClose={close}
			foot={
				<>
					<Button onClick={close}>{ready ? t("action.close") : t("action.cancel")}</Button>
					{ready ? (
						<ButtonLink kind="main" icon="save" href={`/api/v1/exports/${job.id}`} download="">
							{t("export.again")}
						</ButtonLink>
					) : (
						<Button kind="main" busy={running} onClick={() => void start()}>
							{t("export.start")}
						</Button>
					)}
				</>
			}
		>
			{lists.length > 1 && <Radios label={t("export.what")} value={String(which)} onChange={(x) => { setWhich(Number(x)); setJob(undefined); }} options={lists.map((l, i) => [String(i), t(`export.kind.${l.kind}`), ""])} />}
			<Facts
				rows={[
					[t("export.what"), lists.length === 1 && t(`export.kind.${kind}`)],
					[t("scope.title"), place.value.org === "" ? t("scope.whole") : orgTitle(place.value.org)],
					[t("export.filter"), rows !== undefined ? t("export.rows", { n: rows.length }) : filters.length === 0 ? t("export.everything") : filters.map(([name, v]) => `${name}=${v}`).join("  ")],
				]}
			/>
			<Radios
				label={t("export.format")}
				value={format}
				onChange={(x) => setFormat(x as Format)}
				options={[
					["csv", "CSV", t("export.csv")],
					["xlsx", "XLSX", t("export.xlsx")],
					["jsonl", "JSON Lines", t("export.jsonl")],
				]}
			/>
			{job !== undefined && <Progress done={job.done} total={job.total} label={ready ? t("export.ready") : t("export.running")} />}
			{job !== undefined && finished(job) && !ready && <p role="alert">{t("export.failed")} {job.message}</p>}
			{error !== undefined && <ErrorBox error={error} />}
		</Dialog>
	);
}
