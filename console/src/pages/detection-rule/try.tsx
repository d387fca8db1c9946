// A rule against a day of an organisation, before it is in force: what it would have found.
import { Button, Empty, ErrorBox, FieldList, type Job, Num, OrgField, Plain, Progress, Section, TextField, Time, api, asError, day, finished, follow, iso, link, now, orgTitle, place, resolve, t, useEffect, useRef, useState, type ApiError } from "../../kit";

interface Sample {
	event: string;
	org: string;
	time: string;
	asset?: string;
	fields: { name: string; value: string }[];
}
interface Tried {
	matches: number;
	events: number;
	assets: { org: string; asset: string; matches: number }[];
	samples: Sample[];
	cut?: boolean;
}
const SHOWN = 20; // assets
export function Try({ text, disabled }: { text: string; disabled: boolean }) {
	const [org, setOrg] = useState(place.value.org);
	const [date, setDate] = useState(() => day(now.peek()));
	const [job, setJob] = useState<Job>();
	const [error, setError] = useState<ApiError>();
	const stop = useRef(new AbortController());
	const once = useRef({ what: "", key: "" }); // the same again after a lost answer is one job
	useEffect(() => () => stop.current.abort(), []);
	const run = async () => {
		setError(undefined);
		setJob(undefined);
		const body = { text, org, day: iso(resolve(date)) };
		const what = JSON.stringify(body);
		if (once.current.what !== what) once.current = { what, key: crypto.randomUUID() };
		try {
			const made = await api.post<Job>("/detection-rules/try", body, { once: once.current.key });
			once.current.what = "";
			setJob(made);
			await follow(made.id, setJob, stop.current.signal);
		} catch (e) {
			if ((e as Error).name !== "AbortError") setError(asError(e));
		}
	};
	const running = job !== undefined && !finished(job);
	const r = job?.state === "done" ? (job.result as unknown as Tried) : undefined;
	return (
		<Section title={t("detection-rule.try")}>
			<p class="y-soft">{t("detection-rule.try-what")}</p>
			<div class="dr-try">
				<OrgField value={org} onChange={setOrg} fault={error?.faultOf("org") ?? ""} />
				<TextField label={t("detection-rule.day")} required type="date" value={date} onChange={setDate} fault={error?.faultOf("day") ?? ""} />
				<Button busy={running} disabled={disabled || org === "" || date === ""} onClick={() => void run()}>
					{t("detection-rule.try-go")}
				</Button>
				{running && (
					<Button kind="quiet" onClick={() => void api.del(`/jobs/${job.id}`).catch(() => undefined)}>
						{t("action.cancel")}
					</Button>
				)}
			</div>
			<div aria-live="polite" class="y-stack">
				{error !== undefined && <ErrorBox error={error} />}
				{running && <Progress done={job.done} total={job.total} share label={t("detection-rule.trying")} />}
				{job !== undefined && finished(job) && r === undefined && <p role="alert">{t("detection-rule.try-failed")} {job.message}</p>}
				{r !== undefined && r.matches === 0 && <Empty title={t("detection-rule.try-none")}>{t("detection-rule.try-none-why", { n: r.events })}</Empty>}
				{r !== undefined && r.matches > 0 && (
					<>
						<p>
							<strong>{t("detection-rule.try-found", { n: r.matches, assets: r.assets.length, org: orgTitle(org) })}</strong>
							{r.cut === true && <> {t("detection-rule.try-cut")}</>}
						</p>
						<div class="y-grid dr-found">
							<div>
							<Plain
								caption={t("detection-rule.try-assets")}
								heads={[[t("scope.asset")], [t("detection-rule.matches"), true]]}
								rows={r.assets.slice(0, SHOWN).map((a) => ({ key: a.org + a.asset, cells: [<span><a href={link("overview", { scope: { org: a.org, asset: a.asset } })}>{a.asset}</a>{a.org !== org && <small class="y-soft y-under dr-under">{orgTitle(a.org)}</small>}</span>, <Num n={a.matches} />] }))}
							/>
							{r.assets.length > SHOWN && <p class="y-soft">{t("detection-rule.try-more", { n: r.assets.length - SHOWN })}</p>}
							</div>
							<div>
							<ul class="y-list">
								{r.samples.map((s) => (
									<li key={s.event} class="y-listrow">
										<a href={link("search", { rest: [s.event], scope: { org: s.org } })}>
											<Time at={s.time} exact seconds />
										</a>
										<span class="y-grow">
											<FieldList fields={s.fields} />
										</span>
									</li>
								))}
							</ul>
							{r.matches > r.samples.length && <p class="y-soft">{t("detection-rule.try-some", { n: r.samples.length, all: r.matches })}</p>}
							</div>
						</div>
					</>
				)}
			</div>
		</Section>
	);
}
