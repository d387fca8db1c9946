// One source: how it is, how often it must be heard, what nobody watches while it is silent.
import { Bars, Button, Chip, Coverage, Drawer, ErrorBox, Facts, Form, Num, Section, type Step, SelectField, Skeleton, Time, Word, api, lang, link, may, orgTitle, span, t, textOf, toast, toastError, useData, useForm } from "../../kit";
import { EVERY, type Source, TONE, drops, events, words } from "./model";

interface Histogram {
	bucket_s: number;
	total: number;
	items: { time: string; count: number }[];
}
const which = (s: Source) => ({ org: s.org, source: s.source, sensor: s.sensor });

function Expect({ source, changed }: { source: Source; changed: () => void }) {
	const now = String(source.expected_every_s);
	const known = EVERY.some(([v]) => v === now);
	const put = (every_s: number, etag?: string) => api.put("/source-expectations", { ...which(source), every_s }, etag === undefined ? {} : { etag });
	const drop = () => api.del("/source-expectations", which(source));
	const before = () => void (source.expected ? put(source.expected_every_s) : drop()).then(changed, toastError);
	const form = useForm({ every: now }, (v) => put(Number(v.every), source.etag));
	return (
		<Form
			form={form}
			action={t("sources.expect.set")}
			disabled={source.expected && form.value.every === now}
			done={() => {
				toast(t("sources.expect.done"), { undo: before });
				changed();
			}}
		>
			<SelectField label={t("sources.expect.every")} hint={t("sources.expect.hint")} value={form.value.every} onChange={(every) => form.set({ every })} fault={form.error?.faultOf("every_s") ?? ""} options={[...(known ? [] : [[now, span(source.expected_every_s)] as [string, string]]), ...EVERY.map(([v, key]) => [v, textOf(key)] as [string, string])]} />
			{source.expected && (
				<div>
					<Button
						kind="quiet"
						small
						icon="trash"
						onClick={() =>
							void drop().then(() => {
								toast(t("sources.expect.dropped"), { undo: before });
								changed();
							}, toastError)
						}
					>
						{t("sources.expect.drop")}
					</Button>
				</div>
			)}
		</Form>
	);
}
function Week({ source }: { source: Source }) {
	const h = useData<Histogram>("/event-histogram", { org: source.org, q: words(source), from: "now-7d", buckets: 56 });
	if (h.error !== undefined) return <ErrorBox error={h.error} again={h.reload} />;
	if (h.data === undefined) return <Skeleton />;
	return (
		<Bars
			label={t("sources.week")}
			series={[{ key: "n", label: t("sources.events"), tone: "base" }]}
			buckets={h.data.items.map((b) => ({ time: b.time, values: { n: b.count } }))}
			width={h.data.bucket_s}
			height={70}
			href={(from, to) => link("search", { scope: { org: source.org }, query: { q: words(source), from, to } })}
		/>
	);
}
export function bytes(n: number): string {
	const unit = n < 1e6 ? "kilobyte" : n < 1e9 ? "megabyte" : "gigabyte";
	return new Intl.NumberFormat(lang.value, { style: "unit", unit, maximumFractionDigits: 1 }).format(n / { kilobyte: 1e3, megabyte: 1e6, gigabyte: 1e9 }[unit]);
}

export function SourceDrawer({ source, back, step, asOf, changed }: { source: Source; back: string; step: Step; asOf: string; changed: () => void }) {
	const classes = source.depends.filter((d) => d.kind === "class");
	const types = source.depends.filter((d) => d.kind === "indicator_type");
	return (
		<Drawer
			title={`${source.source} / ${source.sensor}`}
			back={back}
			step={step}
			head={
				<div class="y-row">
					<Chip tone={TONE[source.state]}>{t(`sources.state.${source.state}`)}</Chip>
					<span class="y-soft">{orgTitle(source.org)}</span>
				</div>
			}
		>
			<p class="y-apart">{t(`sources.state-why.${source.state}`, { every: span(source.expected_every_s) })}</p>
			<Facts
				rows={[
					[t("sources.last-received"), <Time key="r" at={source.last_received_at} exact seconds />],
					[t("sources.last-event"), <Time key="e" at={source.last_event_at} exact seconds />],
					[t("sources.lag"), source.lag_s !== null && span(source.lag_s)],
					[t("sources.expected"), <span key="x">{span(source.expected_every_s)}{!source.expected && <small class="y-soft"> {t("sources.expected-default")}</small>}</span>],
					[t("sources.first-received"), <Time key="f" at={source.first_received_at} exact />],
					[t("sources.records"), <Num key="n" n={source.records} href={events(source)} />],
					[t("sources.unparsed"), <Num key="u" n={source.unparsed} href={source.unparsed > 0 ? events(source, " parse_error:*", "now-30d") : undefined} />],
					[t("sources.dropped"), <Num key="d" n={source.dropped} href={source.dropped > 0 ? drops() : undefined} />],
					[t("sources.bytes"), <a key="b" href={events(source)}>{bytes(source.bytes)}</a>],
				]}
			/>
			{source.unparsed > 0 && <p class="y-soft">{t("sources.unparsed-what")}</p>}
			{source.dropped > 0 && <p class="y-soft">{t("sources.dropped-what")}</p>}
			<Section title={t("sources.week")}>
				<Week key={words(source)} source={source} />
				<Coverage lastEvent={source.last_event_at} asOf={asOf} />
			</Section>
			{may("sources:write", source.org) && (
				<Section title={t("sources.expect.title")}>
					<Expect key={words(source) + source.expected_every_s} source={source} changed={changed} />
				</Section>
			)}
			{source.depends.length > 0 && (
				<Section title={t("sources.depends")}>
					<p class="y-soft">{t("sources.depends-what")}</p>
					{classes.length > 0 && (
						<>
							<h3>{t("sources.depends.classes")}</h3>
							<ul class="y-row y-row--tight">
								{classes.map((d) => (
									<li key={d.value}>
										<Chip>
											<Word group="sources.class" word={d.value} />
										</Chip>
									</li>
								))}
							</ul>
						</>
					)}
					{types.length > 0 && (
						<>
							<h3>{t("sources.depends.types")}</h3>
							<ul class="y-row y-row--tight">
								{types.map((d) => (
									<li key={d.value}>
										<Chip>
											<Word group="indicator-type" word={d.value} />
										</Chip>
									</li>
								))}
							</ul>
						</>
					)}
				</Section>
			)}
		</Drawer>
	);
}
