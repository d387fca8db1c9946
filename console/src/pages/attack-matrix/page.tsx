// ATT&CK: of each technique, is there a rule, is there the data for it, did it hit.
import { About, Chip, Empty, ErrorBox, Heard, Num, OfOrg, Page, Section, Select, Skeleton, StackedBar, alertsSince, cx, k, lang, link, orgQuery, param, setQuery, t, useData, useEffect, useState, withQuery } from "../../kit";

interface Technique {
	id: string;
	rules: { live: number; audit_only: number; test: number; off: number };
	has_rule: boolean;
	has_data: boolean;
	hits_30d: number;
	alerts_30d: number;
}
interface Tactic {
	id: string;
	/** As a rule's tag has it; "": that of tactics which are not known. */
	word: string;
	name: string;
	techniques: Technique[];
}
interface Matrix {
	tactics: Tactic[];
	no_technique?: Partial<Technique> | null;
	as_of?: string;
}
const WANTED = ["", "gaps", "no-data", "hits"] as const;
const fits = (x: Technique, want: string) => (want === "gaps" ? !x.has_rule : want === "no-data" ? x.has_rule && !x.has_data : want === "hits" ? x.hits_30d > 0 : true);
const inForce = (x: Technique) => x.rules.live + x.rules.audit_only;
const waiting = (x: Technique) => x.rules.test + x.rules.off;
/** The rules that a cell counts. */
const rulesOf = (tactic: Tactic, x: Technique, stage?: string) => link("detection-rules", { query: { technique: x.id, tactic: tactic.word || "none", exact: 1, stage } });
const keyOf = (x: Tactic) => x.id || "none";
const nameOf = (x: Tactic) => x.name || t("attack-matrix.no-tactic");

/** A tactic in a bar: with rule and data, with a rule alone, with none in force. */
function Summary({ tactic }: { tactic: Tactic }) {
	const n = (f: (x: Technique) => boolean) => tactic.techniques.filter(f).length;
	const both = n((x) => x.has_rule && x.has_data);
	const rule = n((x) => x.has_rule && !x.has_data);
	return (
		<li class="y-card">
			<h3>
				<a href={`#${keyOf(tactic)}`}>{nameOf(tactic)}</a> <small class="y-soft y-mono">{tactic.id}</small>
			</h3>
			<StackedBar
				label={nameOf(tactic)}
				parts={[
					{ key: "both", label: t("attack-matrix.covered"), tone: "base", n: both },
					{ key: "rule", label: t("attack-matrix.no-data"), tone: "medium", n: rule },
					{ key: "none", label: t("attack-matrix.no-rule"), tone: "info", n: tactic.techniques.length - both - rule },
				]}
			/>
		</li>
	);
}
function Row({ of, x }: { of: Tactic; x: Technique }) {
	const sub = x.id.includes(".");
	return (
		<tr class={cx(x.has_rule && !x.has_data && "y-hatched")}>
			<th scope="row" class={cx("is-main", "y-mono", sub && "am-sub")} data-label={t("attack-matrix.technique")}>
				<a href={rulesOf(of, x)}>{x.id}</a>
			</th>
			<td data-label={t("attack-matrix.has-rule")}>
				<span>
				{x.has_rule ? (
					<a href={rulesOf(of, x, "live,audit-only")}>{t("attack-matrix.rules-on", { n: inForce(x) })}</a>
				) : (
					<Chip tone="warn">{t("attack-matrix.none-on")}</Chip>
				)}
				{waiting(x) > 0 && (
					<>
						{" "}
						<a class="y-soft" href={rulesOf(of, x, "test,off")}>
							{t("attack-matrix.rules-waiting", { n: waiting(x) })}
						</a>
					</>
				)}
				</span>
			</td>
			<td data-label={t("attack-matrix.has-data")}>{x.has_data ? <a href={link("sources")}>{t("attack-matrix.yes")}</a> : <a href={link("sources")}><Chip tone={x.has_rule ? "warn" : "plain"}>{t("attack-matrix.no")}</Chip></a>}</td>
			<td class="is-num" data-label={t("attack-matrix.hits")}>
				<Num n={x.hits_30d} href={x.hits_30d > 0 ? rulesOf(of, x) : undefined} label={t("attack-matrix.hits")} />
			</td>
			<td class="is-num" data-label={t("attack-matrix.alerts")}>
				<Num n={x.alerts_30d} href={x.alerts_30d > 0 ? (sub ? alertsSince(x.id, "now-30d") : rulesOf(of, x)) : undefined} label={t("attack-matrix.alerts")} />
			</td>
		</tr>
	);
}
export default function AttackMatrix() {
	const found = useData<Matrix>("/attack-matrix", orgQuery());
	const [spoken] = useState({ lang: lang.value });
	useEffect(() => {
		if (spoken.lang !== lang.value) found.reload(); // names come in the reader's language
		spoken.lang = lang.value;
	}, [lang.value]);
	const want = param("show");
	const only = param("tactic");
	const tactics = found.data?.tactics ?? [];
	const shown = tactics.filter((x) => only === "" || keyOf(x) === only).map((x) => ({ ...x, techniques: x.techniques.filter((y) => fits(y, want)) })).filter((x) => x.techniques.length > 0);
	const none = found.data?.no_technique;
	return (
		<Page title={t("nav.attack-matrix")} lead={<Heard asOf={found.data?.as_of} />} exports={{ kind: "attack-matrix", query: orgQuery() }}>
			<OfOrg />
			{found.error !== undefined && <ErrorBox error={found.error} again={found.reload} />}
			{found.data === undefined && found.error === undefined && <Skeleton lines={12} />}
			{found.data !== undefined && tactics.every((x) => x.techniques.length === 0) && <Empty title={t("attack-matrix.none")} action={<a href={link("detection-rules")}>{t("nav.detection-rules")}</a>}>{t("attack-matrix.none-why")}</Empty>}
			{tactics.some((x) => x.techniques.length > 0) && (
				<>
					<Section title={t("attack-matrix.tactics")} about={<About name={t("attack-matrix.tactics")} about={[k("attack-matrix.about.tactics"), k("attack-matrix.about.tactics-how")]} asOf={found.data?.as_of} />}>
						<ul class="am-tactics">
							{tactics.filter((x) => x.techniques.length > 0).map((x) => (
								<Summary key={keyOf(x)} tactic={x} />
							))}
						</ul>
						{none?.rules !== undefined && inForce(none as Technique) + waiting(none as Technique) > 0 && (
							<p class="y-soft">
								<a href={link("detection-rules", { query: { technique: "none", exact: 1 } })}>{t("attack-matrix.without", { n: inForce(none as Technique) + waiting(none as Technique) })}</a> {none.hits_30d !== undefined && t("attack-matrix.without-hits", { n: none.hits_30d })}
							</p>
						)}
					</Section>
					<Section title={t("attack-matrix.techniques")} about={<About name={t("attack-matrix.techniques")} about={[k("attack-matrix.about.rows"), k("attack-matrix.about.rows-how")]} asOf={found.data?.as_of} />}>
						<div class="y-filters">
							<Select label={t("attack-matrix.tactic")} value={only} onChange={(tactic) => setQuery({ tactic })} options={[["", t("attack-matrix.any-tactic")], ...tactics.map((x): [string, string] => [keyOf(x), nameOf(x)])]} />
							<Select label={t("attack-matrix.show")} value={want} onChange={(show) => setQuery({ show })} options={WANTED.map((x) => [x, t(`attack-matrix.show.${x || "all"}`)])} />
						</div>
						{shown.length === 0 ? (
							<Empty title={t("attack-matrix.none-fits")} action={<a href={withQuery({ show: null, tactic: null })}>{t("attack-matrix.clear")}</a>} />
						) : (
							<div class="y-tablebox">
								<table class="y-table y-table--dense am-table">
									<caption class="y-hidden">{t("attack-matrix.techniques")}</caption>
									<thead>
										<tr>
											<th scope="col">{t("attack-matrix.technique")}</th>
											<th scope="col">{t("attack-matrix.has-rule")}</th>
											<th scope="col">{t("attack-matrix.has-data")}</th>
											<th scope="col" class="is-num">
												{t("attack-matrix.hits")}
											</th>
											<th scope="col" class="is-num">
												{t("attack-matrix.alerts")}
											</th>
										</tr>
									</thead>
									{shown.map((x) => (
										<tbody key={keyOf(x)} id={keyOf(x)}>
											<tr class="am-group">
												<th scope="rowgroup" colSpan={5}>
													{nameOf(x)} <small class="y-soft y-mono">{x.id}</small>
												</th>
											</tr>
											{x.techniques.map((y) => (
												<Row key={y.id} of={x} x={y} />
											))}
										</tbody>
									))}
								</table>
							</div>
						)}
					</Section>
				</>
			)}
		</Page>
	);
}
