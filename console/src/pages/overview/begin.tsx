// On a machine where there is nothing yet: try it with made-up data, or begin with one's own.
import { type Job, type PageOf, Button, ButtonLink, ErrorBox, Icon, Progress, type ApiError, api, asError, finished, follow, link, loadSession, mayAll, session, t, useData, useEffect, useState } from "../../kit";

const RECORDS = 20_000;

function Loading({ id, done }: { id: string; done: () => void }) {
	const [job, setJob] = useState<Job>();
	const [error, setError] = useState<ApiError>();
	useEffect(() => {
		const stop = new AbortController();
		follow(id, setJob, stop.signal).then(
			async (end) => {
				if (end.state !== "done") return;
				await loadSession();
				done();
			},
			(e: unknown) => !stop.signal.aborted && setError(asError(e)),
		);
		return () => stop.abort();
	}, [id]);
	if (error !== undefined) return <ErrorBox error={error} />;
	if (job !== undefined && finished(job) && job.state !== "done")
		return (
			<p role="alert">
				{t("overview.begin.failed")} {job.message} <a href={link("jobs", { rest: [id] })}>{t("overview.begin.job")}</a>
			</p>
		);
	return <Progress label={t("overview.begin.loading")} done={job?.done ?? 0} total={job?.total || null} since={job?.started_at == null ? undefined : Date.parse(job.started_at)} />;
}
/** `empty`: there is no organisation; `done`: now there are. */
export function Begin({ empty, done }: { empty: boolean; done: () => void }) {
	const shown = mayAll("org:write") && session.value?.demo !== true;
	const running = useData<PageOf<Job>>(shown && mayAll("jobs:read") ? "/jobs" : "", { kind: "demo.load", limit: 1 });
	const [started, setStarted] = useState("");
	const [error, setError] = useState<ApiError>();
	const last = running.data?.items[0];
	const id = started !== "" ? started : last !== undefined && !finished(last) ? last.id : "";
	if (!shown || (!empty && id === "")) return null;
	const load = () => {
		setError(undefined);
		api.post<Job>("/demo", { records: RECORDS }).then((j) => setStarted(j.id), (e: unknown) => setError(asError(e)));
	};
	return (
		<section class="y-card ov-begin" aria-label={t("overview.begin.title")}>
			<h2>{t("overview.begin.title")}</h2>
			{id !== "" ? (
				<Loading id={id} done={done} />
			) : (
				<ul>
					<li>
						<h3>
							<Icon name="plus" /> {t("overview.begin.own")}
						</h3>
						<p>{t("overview.begin.own-what")}</p>
						<ButtonLink kind="main" href={link("organisations", { query: { add: 1 } })}>
							{t("overview.begin.own-do")}
						</ButtonLink>
					</li>
					<li>
						<h3>
							<Icon name="play" /> {t("overview.begin.demo")}
						</h3>
						<p>{t("overview.begin.demo-what")}</p>
						<Button onClick={load}>{t("overview.begin.demo-do")}</Button>
					</li>
				</ul>
			)}
			{error !== undefined && <ErrorBox error={error} again={load} />}
		</section>
	);
}
