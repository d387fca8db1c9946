// Charts as plain SVG, each with its numbers as a table behind a button.
import { useId, useState } from "preact/hooks";
import { lang, t } from "../base/i18n";
import { go } from "../base/router";
import { clock, day } from "../base/time";
import { Button, cx } from "./basics";

/** A line as high as the text; what it shows stands beside it in words. */
export function Sparkline({ values, label }: { values: number[]; label: string }) {
	const max = Math.max(1, ...values);
	const step = 100 / Math.max(1, values.length - 1);
	const points = values.map((v, i) => `${(i * step).toFixed(1)},${(19 - (v / max) * 17).toFixed(1)}`).join(" ");
	return (
		<svg class="y-spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
			<polyline points={points} />
		</svg>
	);
}
export interface Series {
	key: string;
	label: string;
	/** "critical", "high", "medium", "low", "info", "new", "closed" or "base": the colour. */
	tone: string;
}
export interface Bucket {
	time: string;
	values: Record<string, number>;
}
function ceiling(n: number): number {
	const unit = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
	return ([1, 2, 2.5, 5, 10].find((x) => x * unit >= n) ?? 10) * Math.max(unit, 1);
}
interface BarsProps {
	label: string;
	series: Series[];
	buckets: Bucket[];
	/** Seconds of one bucket. */
	width: number;
	/** Where a bar leads; also lets a range be drawn with the pointer. */
	href?: (from: string, to: string) => string;
	height?: number;
	/** The numbers stand side by side instead of on top of each other. */
	side?: boolean;
	/** The sums of the period before, as long: shown beside those of this one. */
	before?: Record<string, number | undefined>;
}
/** Bars over time, one or more numbers on top of each other. */
export function Bars({ label, series, buckets, width, href, height = 120, side, before }: BarsProps) {
	const [table, setTable] = useState(false);
	const [over, setOver] = useState(-1);
	const [drag, setDrag] = useState(-1);
	const id = useId();
	const sums = buckets.map((b) => series.reduce((n, s) => n + (b.values[s.key] ?? 0), 0));
	const top = ceiling(Math.max(0, ...(side === true ? buckets.flatMap((b) => series.map((s) => b.values[s.key] ?? 0)) : sums)));
	const w = 1000 / Math.max(1, buckets.length);
	const gap = Math.min(2, w * 0.15);
	const daily = width >= 86_400;
	const endOf = (i: number) => new Date(Date.parse(buckets[i]?.time ?? "") + width * 1000).toISOString().replace(".000Z", "Z");
	const when = (b: Bucket | undefined) => (b === undefined ? "" : daily ? day(b.time) : `${day(b.time).slice(5)} ${clock(b.time)}`);
	const every = Math.max(1, Math.ceil(buckets.length / 6));
	const shown = over >= 0 ? buckets[over] : undefined;
	const leave = (i: number) => {
		const from = drag < 0 ? i : Math.min(drag, i);
		const to = drag < 0 ? i : Math.max(drag, i);
		setDrag(-1);
		if (href !== undefined && buckets[from] !== undefined) go(href(buckets[from].time, endOf(to)));
	};
	return (
		<figure class="y-chart">
			<figcaption class="y-chart__head">
				{(series.length > 1 || before !== undefined) && (
					<ul class="y-legend">
						{series.map((s) => (
							<li key={s.key} class={`y-tone--${s.tone}`}>
								{s.label}
								{before?.[s.key] !== undefined && (
									<>
										{" "}
										<b class="y-num">{buckets.reduce((n, b) => n + (b.values[s.key] ?? 0), 0).toLocaleString(lang.value)}</b> <small class="y-soft">{t("chart.before", { n: before[s.key] as number })}</small>
									</>
								)}
							</li>
						))}
					</ul>
				)}
				<span class="y-chart__now" aria-hidden="true">
					{shown !== undefined && (
						<>
							{when(shown)} {series.map((s) => `${s.label} ${(shown.values[s.key] ?? 0).toLocaleString(lang.value)}`).join("  ")}
						</>
					)}
				</span>
				<Button kind="quiet" small aria-expanded={table} aria-controls={id} onClick={() => setTable(!table)}>
					{table ? t("chart.hide-table") : t("chart.table")}
				</Button>
			</figcaption>
			<div class="y-chart__plot">
				<div class="y-chart__axis" aria-hidden="true">
					<span>{top.toLocaleString(lang.value, { notation: top >= 10_000 ? "compact" : "standard" })}</span>
					<span>0</span>
				</div>
				<svg viewBox={`0 0 1000 ${height}`} preserveAspectRatio="none" role="img" aria-label={t("chart.label", { label, n: sums.reduce((a, b) => a + b, 0) })} height={height} onMouseLeave={() => setOver(-1)}>
					<path class="y-chart__grid" d={`M0 .5H1000M0 ${height / 2}H1000M0 ${height - 0.5}H1000`} vector-effect="non-scaling-stroke" />
					{buckets.map((b, i) => {
						let y = height;
						return (
							<g key={b.time} class={cx("y-bar", href !== undefined && "is-link", (i === over || (drag >= 0 && over >= 0 && i >= Math.min(drag, over) && i <= Math.max(drag, over))) && "is-over")} onMouseEnter={() => setOver(i)} onMouseDown={() => setDrag(i)} onMouseUp={() => leave(i)}>
								<rect class="y-bar__hit" x={i * w} y="0" width={w} height={height} />
								{series.map((s, at) => {
									const v = b.values[s.key] ?? 0;
									const h = v === 0 ? 0 : Math.max(1.5, (v / top) * height);
									y = side === true ? height - h : y - h;
									const part = side === true ? (w - gap) / series.length : w - gap;
									return h > 0 && <rect key={s.key} class={`y-tone--${s.tone}`} x={i * w + gap / 2 + (side === true ? at * part : 0)} y={y} width={part} height={h} />;
								})}
							</g>
						);
					})}
				</svg>
				<div class="y-chart__times" aria-hidden="true">
					{buckets.map((b, i) => i % every === 0 && <span key={b.time}>{daily || width * buckets.length > 259_200 ? day(b.time).slice(5) : width * buckets.length > 86_400 ? when(b) : clock(b.time)}</span>)}
				</div>
			</div>
			{table && (
				<div class="y-chart__table" id={id}>
					<table class="y-table y-table--dense">
						<caption class="y-hidden">{label}</caption>
						<thead>
							<tr>
								<th scope="col">{t("chart.time")}</th>
								{series.map((s) => (
									<th key={s.key} scope="col" class="is-num">
										{s.label}
									</th>
								))}
							</tr>
						</thead>
						<tbody>
							{buckets.map((b, i) => (
								<tr key={b.time}>
									<th scope="row">{href === undefined ? when(b) : <a href={href(b.time, endOf(i))}>{when(b)}</a>}</th>
									{series.map((s) => (
										<td key={s.key} class="is-num">
											{(b.values[s.key] ?? 0).toLocaleString(lang.value)}
										</td>
									))}
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</figure>
	);
}
/** One bar cut in parts, with the parts in words below; each part may lead somewhere. */
export function StackedBar({ label, parts }: { label: string; parts: { key: string; label: string; tone: string; n: number; href?: string }[] }) {
	const sum = parts.reduce((n, p) => n + p.n, 0);
	let x = 0;
	return (
		<div class="y-stacked">
			<svg viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label={label}>
				<rect class="y-stacked__rest" width="100" height="1" />
				{parts.map((p) => {
					const w = sum === 0 ? 0 : (p.n / sum) * 100;
					const at = x;
					x += w;
					return <rect key={p.key} class={`y-tone--${p.tone}`} x={at} width={w} height="1" />;
				})}
			</svg>
			<ul class="y-legend">
				{parts.map((p) => (
					<li key={p.key} class={`y-tone--${p.tone}`}>
						{p.label} {p.href === undefined ? <span class="y-num">{p.n.toLocaleString(lang.value)}</span> : <a class="y-num" href={p.href}>{p.n.toLocaleString(lang.value)}</a>}
					</li>
				))}
			</ul>
		</div>
	);
}
