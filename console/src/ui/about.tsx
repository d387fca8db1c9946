// What a number means, beside it: the "i" button.  Definition, how it is counted, its rows,
// as of when, how many sources are heard and which are not.
import type { ComponentChildren } from "preact";
import { t, textOf } from "../base/i18n";
import { orgTitle } from "../base/orgs";
import { link } from "../base/router";
import { Short, Time, Unsure, cx, enough } from "./basics";
import { type HeardOf, knownCoverage, useHeard } from "./heard";
import { Popover } from "./overlay";

/** The keys of two texts, by k(): what the number is, and which rows it counts. */
export type Definition = [what: string, how: string];
interface AboutProps {
	/** The number's name, as it stands beside it. */
	name: string;
	about: Definition;
	/** Its rows. */
	href?: string;
	asOf?: string;
	/** How much is heard of what it is counted from, where the page knows that itself. */
	heard?: HeardOf;
}
const SHOWN = 5;

function Inside({ about, href, asOf, heard }: AboutProps) {
	const now = useHeard();
	const c = heard ?? knownCoverage(now.data?.coverage);
	const silent = now.data?.silent ?? [];
	const [what, how] = about;
	return (
		<>
			<p>{textOf(what)}</p>
			<h3>{t("about.how")}</h3>
			<p>{textOf(how)}</p>
			{href !== undefined && (
				<p>
					<a href={href}>{t("about.rows")}</a>
				</p>
			)}
			<h3>{t("about.fresh")}</h3>
			<p>
				{t("coverage.as-of")} <Time at={asOf ?? now.data?.as_of} exact seconds />
			</p>
			{c !== undefined && (
				<p>
					{t("coverage.sources", { n: c.reporting, all: c.expected })} {!enough(c) && <Unsure />}
				</p>
			)}
			{c !== undefined && !enough(c) && <p>{t("coverage.unsure-why")}</p>}
			{silent.length > 0 && (
				<>
					<h3>{t("about.missing")}</h3>
					<ul>
						{silent.slice(0, SHOWN).map((s) => (
							<li key={`${s.org} ${s.source} ${s.sensor}`}>
								{orgTitle(s.org)}: {[s.source, s.sensor].filter((x) => x !== "").join(" / ")}
							</li>
						))}
					</ul>
					<p>
						<a href={link("sources", { query: { state: "silent" } })}>{t("about.missing-all", { n: now.data?.silent_total ?? 0 })}</a>
					</p>
				</>
			)}
		</>
	);
}
/** The button beside a number; Escape closes what it opens. */
export function About(p: AboutProps) {
	return (
		<span class="y-about">
			<Popover small kind="quiet" icon="info" label={t("about.of", { name: p.name })}>
				{() => <Inside {...p} />}
			</Popover>
		</span>
	);
}
interface FigureProps extends Omit<AboutProps, "name"> {
	/** What it counts. */
	name: string;
	/** In the place of the name, to look at. */
	label?: ComponentChildren;
	n: ComponentChildren;
	/** Rests on too little: hatched, and said. */
	unsure?: boolean;
	current?: boolean;
	warn?: boolean;
	children?: ComponentChildren;
}
/** A number as a card: it leads to its rows, and tells what it is. */
export function Figure({ name, label, n, unsure, current, warn, children, ...about }: FigureProps) {
	const inner = (
		<>
			<span>{label ?? name}</span>
			<b>{typeof n === "number" ? <Short n={n} /> : n}</b>
			{children}
			{unsure === true && <Unsure />}
		</>
	);
	return (
		<div class={cx("y-figure", unsure === true && "y-hatched", warn === true && "hl-warn")}>
			{about.href === undefined ? (
				<div class="y-figure__body">{inner}</div>
			) : (
				<a class="y-figure__body" href={about.href} aria-current={current === true ? "true" : undefined}>
					{inner}
				</a>
			)}
			<About name={name} {...about} />
		</div>
	);
}
