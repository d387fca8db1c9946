// Small parts: icons, buttons, links with numbers, marks, states.
import type { ComponentChildren, JSX } from "preact";
import { type ApiError, faultText, memberOf } from "../base/api";
import { lang, numbers, t, textOr } from "../base/i18n";
import { ago, now, span, stamp, toMs } from "../base/time";

export const cx = (...names: (string | false | undefined | null)[]) => names.filter(Boolean).join(" ");

const PATHS = {
	menu: "M3 6h18M3 12h18M3 18h18",
	close: "M5 5l14 14M19 5L5 19",
	down: "M5 9l7 7 7-7",
	up: "M5 15l7-7 7 7",
	left: "M15 5l-7 7 7 7",
	right: "M9 5l7 7-7 7",
	search: "M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13M15.5 15.5L21 21",
	link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
	save: "M12 3v12M7 10l5 5 5-5M4 20h16",
	columns: "M4 5h16v14H4zM10 5v14M15 5v14",
	check: "M5 12l5 5L20 7",
	plus: "M12 5v14M5 12h14",
	star: "M12 4l2.5 5 5.5.8-4 3.9 1 5.5-5-2.7-5 2.7 1-5.5-4-3.9 5.5-.8z",
	pause: "M8 5v14M16 5v14",
	play: "M7 5l12 7-12 7z",
	copy: "M9 9h11v11H9zM5 15H4V4h11v1",
	info: "M12 11v6M12 7.5v.5M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18",
	help: "M9.5 9.75a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 1.9M12 16.5v.5M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18",
	user: "M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8M4 20a8 8 0 0 1 16 0",
	more: "M5 12h.5M12 12h.5M19 12h.5",
	reload: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
	keys: "M3 6h18v12H3zM7 10h.5M11 10h.5M15 10h.5M8 14h8",
	clock: "M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18M12 7v5l3 2",
	filter: "M4 5h16l-6 8v6l-4-2v-4z",
	trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
	away: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
} as const;
export type IconName = keyof typeof PATHS;
export function Icon({ name, label }: { name: IconName; label?: string }) {
	return (
		<svg class="y-icon" viewBox="0 0 24 24" aria-hidden={label === undefined ? "true" : undefined} role={label === undefined ? undefined : "img"} aria-label={label}>
			<path d={PATHS[name]} />
		</svg>
	);
}

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "icon" | "label"> & {
	kind?: "main" | "plain" | "danger" | "quiet";
	icon?: IconName;
	/** For a button that is an icon alone: its name, also shown as a tip. */
	label?: string;
	busy?: boolean;
	small?: boolean;
};
export function Button({ kind = "plain", icon, label, busy, small, children, class: extra, onClick, ...rest }: ButtonProps) {
	// while it is busy it keeps the focus, which what is disabled would lose
	const click: typeof onClick = busy === true ? (e) => e.preventDefault() : onClick;
	return (
		<button type="button" {...rest} onClick={click} class={cx("y-button", `y-button--${kind}`, small && "y-button--small", children === undefined && "y-button--icon", extra as string)} aria-label={label ?? rest["aria-label"]} title={label ?? rest.title} aria-disabled={busy === true ? true : rest["aria-disabled"]} aria-busy={busy}>
			{icon !== undefined && <Icon name={icon} />}
			{children !== undefined && <span>{children}</span>}
		</button>
	);
}
/** A link that looks like a button. */
export function ButtonLink({ href, icon, kind = "plain", small, children, ...rest }: Omit<JSX.IntrinsicElements["a"], "href" | "role" | "icon"> & { href: string; icon?: IconName; kind?: "main" | "plain" | "quiet"; small?: boolean }) {
	return (
		<a {...(rest as object)} href={href} class={cx("y-button", `y-button--${kind}`, small && "y-button--small")}>
			{icon !== undefined && <Icon name={icon} />}
			<span>{children}</span>
		</a>
	);
}

/** A number; with `href` it leads to its rows. */
export function Num({ n, href, label, unit }: { n: number | null | undefined; href?: string; label?: string; unit?: string }) {
	if (n === null || n === undefined) return <span class="y-num y-soft">{t("num.unknown")}</span>;
	const text = n.toLocaleString(lang.value);
	const inner = (
		<>
			{text}
			{unit !== undefined && <small>{unit}</small>}
		</>
	);
	return href === undefined ? (
		<span class="y-num">{inner}</span>
	) : (
		<a class="y-num" href={href} aria-label={label === undefined ? undefined : `${label}: ${text}`}>
			{inner}
		</a>
	);
}
/** 1234567 -> "1.2M" / "123万"; the whole number as a tip. */
export function Short({ n }: { n: number }) {
	const text = n < 10_000 ? n.toLocaleString(lang.value) : numbers({ notation: "compact", maximumFractionDigits: 1 }).format(n);
	return <span title={n.toLocaleString(lang.value)}>{text}</span>;
}

const SEVERITY = ["info", "info", "low", "medium", "high", "critical", "critical"] as const;
const SHAPE = {
	info: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11z",
	low: "M8 2a6 6 0 1 1 0 12a6 6 0 0 1 0-12z",
	medium: "M2.5 2.5h11v11h-11z",
	high: "M8 1l7 7-7 7-7-7z",
	critical: "M8 1.5l7.5 13H.5z",
} as const;
export const severityClass = (id: number) => SEVERITY[id] ?? "info";
export const severityName = (id: number) => t(`severity.${Math.min(Math.max(id, 0), 6)}`);
/** Shape and colour of an OCSF severity, and its name unless `bare`. */
export function Severity({ id, bare }: { id: number; bare?: boolean }) {
	const name = severityClass(id);
	return (
		<span class={`y-sev y-sev--${name}`} title={bare === true ? severityName(id) : undefined}>
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<path d={SHAPE[name]} />
			</svg>
			<span class={bare === true ? "y-hidden" : undefined}>{severityName(id)}</span>
		</span>
	);
}
/** A word in a frame: a state, a role, a kind. `tone` gives a colour besides the word. */
export function Chip({ tone = "plain", children, title }: { tone?: "plain" | "ok" | "warn" | "bad" | "info"; children: ComponentChildren; title?: string }) {
	return (
		<span class={`y-chip y-chip--${tone}`} title={title}>
			{children}
		</span>
	);
}
/** "5 minutes ago", the exact time as a tip; `exact` the other way round. */
export function Time({ at, exact, seconds }: { at: string | number | null | undefined; exact?: boolean; seconds?: boolean }) {
	const ms = toMs(at);
	if (Number.isNaN(ms)) return <span class="y-soft">{t("time.never")}</span>;
	const full = stamp(ms, true);
	return (
		<time dateTime={new Date(ms).toISOString()} title={exact === true ? ago(ms) : full} class="y-time">
			{exact === true ? stamp(ms, seconds) : ago(ms)}
		</time>
	);
}
/** Are enough sources heard for a low number to mean anything? At least half of those expected. */
export const enough = (c: { expected: number; reporting: number }) => c.expected > 0 && c.reporting * 2 >= c.expected;
/** The mark of numbers that rest on too little. */
export function Unsure() {
	return (
		<span class="y-unsure" title={t("coverage.unsure-why")}>
			{t("coverage.unsure")}
		</span>
	);
}
/** What stands beside every number: how many sources are heard, when the last data came, as of when this is. */
export function Coverage({ expected, reporting, lastEvent, asOf, href }: { expected?: number; reporting?: number; lastEvent?: string | null; asOf?: string; href?: string }) {
	const known = expected !== undefined && reporting !== undefined;
	const poor = known && (expected === 0 || reporting < expected);
	const stale = lastEvent !== undefined && !(now.value - toMs(lastEvent) < 3_600_000);
	return (
		<p class="y-coverage">
			{known && (
				<span class={poor ? "y-coverage--poor" : undefined}>
					{href === undefined ? t("coverage.sources", { n: reporting, all: expected }) : <a href={href}>{t("coverage.sources", { n: reporting, all: expected })}</a>}
				</span>
			)}
			{known && !enough({ expected, reporting }) && <Unsure />}
			{lastEvent !== undefined && (
				<span class={stale ? "y-coverage--poor" : undefined}>
					{t("coverage.last")} <Time at={lastEvent} />
				</span>
			)}
			{asOf !== undefined && asOf !== "" && (
				<span>
					{t("coverage.as-of")} <Time at={asOf} exact />
				</span>
			)}
		</p>
	);
}
/** Nothing to show: why, and what to do next. */
export function Empty({ title, children, action }: { title: string; children?: ComponentChildren; action?: ComponentChildren }) {
	return (
		<div class="y-empty">
			<p class="y-empty__title">{title}</p>
			{children !== undefined && <div class="y-empty__text">{children}</div>}
			{action !== undefined && <div class="y-row">{action}</div>}
		</div>
	);
}
/** What happened, why, and what to do. `beside`: members whose faults stand at their fields already. */
export function ErrorBox({ error, again, what, beside }: { error: ApiError; again?: () => void; what?: string; beside?: ReadonlySet<string> }) {
	const faults = error.faults.filter((f) => beside?.has(memberOf(f)) !== true);
	const marked = faults.length < error.faults.length;
	return (
		<div class="y-error" role="alert">
			<p class="y-error__title">
				{what !== undefined && <>{what}: </>}
				{marked ? t("form.wrong") : error.title}
			</p>
			{error.detail !== "" && error.faults.length === 0 && <p>{error.detail}</p>}
			{faults.length > 0 && (
				<ul>
					{faults.map((f) => (
						<li key={`${f.pointer}${f.message}`}>
							{f.pointer !== undefined && <code>{f.pointer}</code>} {faultText(f)}
							{faultText(f) !== f.message && (
								<small class="y-soft" lang="en">
									{" "}
									{f.message}
								</small>
							)}
						</li>
					))}
				</ul>
			)}
			<p>{marked ? t("form.wrong-what") : error.advice}</p>
			<div class="y-row">
				{again !== undefined && (
					<Button icon="reload" onClick={again}>
						{t("action.again")}
					</Button>
				)}
				{error.traceId !== "" && (
					<small class="y-soft">
						{t("problem.trace")} <code class="y-copyable">{error.traceId}</code>
					</small>
				)}
			</div>
		</div>
	);
}
export function Skeleton({ lines = 3 }: { lines?: number }) {
	return (
		<div class="y-skeleton" role="status">
			<span class="y-hidden">{t("loading")}</span>
			{Array.from({ length: lines }, (_, i) => (
				<i key={i} />
			))}
		</div>
	);
}
export const percent = (share: number) => numbers({ style: "percent", maximumFractionDigits: 0 }).format(share);
/** done of total; without a total it only says that it goes on. `share`: it counts parts of the whole, which say nothing by themselves. */
export function Progress({ done, total, label, since, share }: { done: number; total: number | null; label: string; since?: number; share?: boolean }) {
	const rest = since !== undefined && total !== null && done > 0 && done < total ? ((Date.now() - since) / 1000 / done) * (total - done) : 0;
	return (
		<div class="y-progress">
			<div class="y-progress__text">
				<span>{label}</span>
				<span class="y-num">
					{share === true ? percent(done / (total || 1)) : total === null ? done.toLocaleString(lang.value) : `${done.toLocaleString(lang.value)} / ${total.toLocaleString(lang.value)}`}
					{rest > 2 && <small> {t("progress.rest", { time: span(rest) })}</small>}
				</span>
			</div>
			<progress max={total ?? undefined} value={total === null ? undefined : done} aria-label={label} />
		</div>
	);
}
/** A copy button beside a value that people take elsewhere. */
export function Copy({ text, label }: { text: string; label?: string }) {
	return (
		<Button
			kind="quiet"
			small
			icon="copy"
			label={label ?? t("action.copy")}
			onClick={(e) => {
				void navigator.clipboard?.writeText(text);
				const b = e.currentTarget as HTMLElement;
				b.classList.add("is-done");
				setTimeout(() => b.classList.remove("is-done"), 900);
			}}
		/>
	);
}
/** A value of the data: not translated, breakable anywhere. */
export function Value({ children, copy }: { children: string; copy?: boolean }) {
	return (
		<span class="y-value">
			<code translate={false}>{children}</code>
			{copy === true && <Copy text={children} />}
		</span>
	);
}
/** Pairs of name and value; empty values are left out. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
	return (
		<dl class="y-facts">
			{rows
				.filter(([, v]) => v !== undefined && v !== null && v !== "" && v !== false)
				.map(([name, v]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{v}</dd>
					</div>
				))}
		</dl>
	);
}
/** A part of a page with a heading; `end` stands at its right. */
export function Section({ title, end, children, id, about }: { title: string; end?: ComponentChildren; children: ComponentChildren; id?: string; about?: ComponentChildren }) {
	return (
		<section class="y-section" id={id} aria-labelledby={id === undefined ? undefined : `${id}-title`}>
			<div class="y-section__head">
				<div class="y-row y-row--tight">
					<h2 id={id === undefined ? undefined : `${id}-title`}>{title}</h2>
					{about}
				</div>
				{end}
			</div>
			{children}
		</section>
	);
}
/** The name of a role, a job kind, a state: a text when there is one, else the word itself. */
export function Word({ group, word }: { group: string; word: string }) {
	const key = `${group}.${word}`;
	return <>{textOr(key, word)}</>;
}
