// One event: its fields in the words of OCSF, and the record it was made of.
import { Button, ButtonLink, Copy, Drawer, ErrorBox, Facts, Section, type Step, Severity, Skeleton, Time, Value, Word, at, condition, iso, link, orgTitle, param, setQuery, stamp, t, toMs, useData, useState, withRest } from "../../kit";
import { type Event, type EventField, describe, ocsf, withCondition } from "./model";

const HEAD = ["id", "org", "class", "class_uid", "severity_id", "time", "received", "message", "raw", "names", "source", "sensor"];
const GROUPS: [string, RegExp][] = [
	["finding", /^(finding_|indicator$|list$|confidence$|related$)/],
	["network", /^(src_|dst_|proto$|app$|bytes_|duration$)/],
	["names", /^(query|rcode|answers$)/],
	["web", /^(url$|http_|user_agent$|referrer$|tls_|ja3$)/],
	["mail", /^(mail_|subject$)/],
	["machine", /^(host$|user$|target_user$|process$|pid$|cmd_line$|parent_|file_path$|hashes$)/],
	["cloud", /^(api_|cloud_)/],
	["other", /./],
];

function One({ field, value, info }: { field: string; value: unknown; info: EventField | undefined }) {
	const text = String(value);
	const known = info?.values?.find((v) => v.value === text)?.name;
	const search = (c: string) => setQuery({ q: withCondition(param("q"), c) });
	const link_ = field === "related" && text.startsWith("e-");
	return (
		<li class="y-fieldvalue">
			<span class="y-grow">
				{link_ ? <a href={withRest([text])}>{text}</a> : <code translate={false}>{text}</code>}
				{known !== undefined && known !== text && <small class="y-soft"> {known}</small>}
			</span>
			<span class="y-fieldvalue__do">
				<Button kind="quiet" small icon="plus" label={t("search.only", { field, value: text.slice(0, 80) })} onClick={() => search(condition(field, value))} />
				<Button kind="quiet" small icon="close" label={t("search.without", { field, value: text.slice(0, 80) })} onClick={() => search(`-${condition(field, value)}`)} />
				<Copy text={text} label={t("search.copy", { field })} />
			</span>
		</li>
	);
}
function Fields({ event, fields }: { event: Event; fields: EventField[] }) {
	const left = Object.keys(event).filter((name) => !HEAD.includes(name));
	return (
		<>
			{GROUPS.map(([group, rule]) => {
				const mine = left.filter((name) => GROUPS.find(([, r]) => r.test(name))?.[1] === rule);
				if (mine.length === 0) return null;
				return (
					<Section key={group} title={t(`search.group.${group}`)}>
						<dl class="y-fields">
							{mine.map((name) => {
								const info = fields.find((f) => f.name === name);
								return (
									<div key={name}>
										<dt>
											<code>{name}</code>
											<small class="y-soft" title={info?.path}>
												{describe(info)}
											</small>
										</dt>
										<dd>
											<ul>
												{[event[name]].flat().map((v) => (
													<One key={String(v)} field={name} value={v} info={info} />
												))}
											</ul>
										</dd>
									</div>
								);
							})}
						</dl>
					</Section>
				);
			})}
		</>
	);
}
function Raw({ raw }: { raw: string }) {
	const [laid, setLaid] = useState(true);
	let pretty = "";
	try {
		pretty = JSON.stringify(JSON.parse(raw), null, 2);
	} catch {
		// lines of text stay as they are
	}
	return (
		<Section
			title={t("search.raw")}
			end={
				<div class="y-row y-row--tight">
					{pretty !== "" && (
						<Button kind="quiet" small aria-pressed={laid} onClick={() => setLaid(!laid)}>
							{laid ? t("search.raw-as-is") : t("search.raw-laid")}
						</Button>
					)}
					<Copy text={raw} label={t("search.raw-copy")} />
				</div>
			}
		>
			<pre class="y-raw" tabIndex={0} translate={false} role="region" aria-label={t("search.raw")}>
				{laid && pretty !== "" ? pretty : raw}
			</pre>
		</Section>
	);
}

export function EventDrawer({ id, back, step, fields }: { id: string; back: string; step: Step; fields: EventField[] }) {
	const one = useData<Event>(at`/events/${id}`);
	const event = one.data?.id === id ? one.data : undefined;
	const around = event === undefined ? "" : link("search", { scope: { org: event.org }, query: { q: event.sensor === undefined ? condition("source", event.source) : condition("sensor", event.sensor), from: iso(toMs(event.time) - 60_000), to: iso(toMs(event.time) + 60_000) } });
	return (
		<Drawer
			title={event === undefined ? t("search.event") : <Word group="search.class" word={event.class} />}
			back={back}
			step={step}
			head={
				event !== undefined && (
					<div class="y-row">
						<Severity id={event.severity_id ?? 0} />
						<Time at={event.time} exact seconds />
						<span class="y-soft">{orgTitle(event.org)}</span>
					</div>
				)
			}
		>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} what={one.error.status === 404 ? t("search.gone") : undefined} />}
			{event === undefined && one.error === undefined && <Skeleton lines={10} />}
			{event !== undefined && (
				<>
				<div class="y-stack">
					{event.message !== undefined && event.message !== "" && <p class="y-prose">{event.message}</p>}
					<div class="y-row">
						<ButtonLink href={around} icon="clock" small>
							{t("search.around")}
						</ButtonLink>
						<Button
							small
							icon="copy"
							onClick={(e) => {
								void navigator.clipboard?.writeText(ocsf(event, fields));
								const b = e.currentTarget as HTMLElement;
								b.classList.add("is-done");
								setTimeout(() => b.classList.remove("is-done"), 900);
							}}
						>
							{t("search.copy-ocsf")}
						</Button>
					</div>
					<Facts
						rows={[
							[t("search.time"), <span key="t">{stamp(event.time, true)}</span>],
							[t("search.received"), event.received !== undefined && <span key="r">{stamp(event.received, true)}</span>],
							[t("search.class-column"), <span key="c"><code>{event.class}</code> <small class="y-soft">{event.class_uid}</small></span>],
							[t("search.source"), <a key="s" href={link("sources", { scope: { org: event.org }, query: { q: event.source } })}>{event.source}</a>],
							[t("search.sensor"), event.sensor !== undefined && <Value key="x" copy>{event.sensor}</Value>],
							["ID", <Value key="i" copy>{event.id}</Value>],
						]}
					/>
				</div>
					<Fields event={event} fields={fields} />
					<Raw raw={event.raw ?? ""} />
				</>
			)}
		</Drawer>
	);
}
