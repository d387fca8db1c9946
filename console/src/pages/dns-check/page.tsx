// One name: what would be answered now, and why.
import { AskAllow, Combobox, Empty, ErrorBox, Facts, Form, type Loaded, Page, Section, SelectField, Skeleton, TextField, Value, Verdict, Word, findOrgs, lang, link, orgTitle, param, place, quoted, setQuery, t, useData, useForm } from "../../kit";

interface Hit {
	action: string;
	layer: string;
	zone: string;
	serial: number;
	trigger: string;
	record: string;
	category: string;
	ede: number;
	ede_text: string;
}
interface Cache {
	state: string;
	ttl: number;
	stale_for: number;
	being_asked: boolean;
	rcode?: string;
	why?: string;
	answers?: string[];
}
interface Explanation {
	name: string;
	type: string;
	org: string;
	network: string;
	verdict: string;
	source: string;
	final: boolean;
	generation: number;
	decision: Hit | null;
	at: string | null;
	noted: Hit[];
	chain: string[];
	upstream: string;
	words_en: string[];
	words_ja: string[];
	workers: { worker: number; cache: Cache }[];
}
const TYPES = ["A", "AAAA", "HTTPS", "MX", "TXT", "CNAME", "NS", "SOA", "PTR", "SRV"];

function HitFacts({ hit: h, at }: { hit: Hit; at: string | null }) {
	return (
		<Facts
			rows={[
				[t("dns-check.action"), <Word group="dns-word" word={h.action} />],
				[t("dns-check.layer"), <Word group="dns-word" word={h.layer} />],
				[t("dns-check.zone"), <span><a href={link("dns-zones", { rest: [h.zone] })}>{h.zone}</a> <small class="y-soft">{h.serial > 0 && t("dns-check.serial", { n: String(h.serial) })}</small></span>],
				[t("dns-check.trigger"), <Word group="dns-word" word={h.trigger} />],
				[t("dns-check.record"), <Value copy>{h.record}</Value>],
				[t("dns-check.at"), at !== null && <Value>{at}</Value>],
				[t("dns-check.category"), h.category],
				[t("dns-check.told"), h.ede > 0 && h.action !== "passthru" && <span>EDE {h.ede} <Value>{h.ede_text}</Value></span>],
			]}
		/>
	);
}
function CacheLine({ cache: c }: { cache: Cache }) {
	const left = c.ttl > 0 ? c.ttl : c.stale_for;
	return (
		<>
			{t(`dns-check.cache.${c.state}`, { n: left })} {c.rcode !== undefined && <code translate={false}>{c.rcode}</code>} {c.being_asked && <small class="y-soft">{t("dns-check.asking")}</small>}
			{c.why !== undefined && <small class="y-soft" data-content> {c.why}</small>}
			{c.answers !== undefined && c.answers.length > 0 && <p class="y-mono">{c.answers.join(", ")}</p>}
		</>
	);
}
function Result({ e }: { e: Explanation }) {
	const [first, ...rest] = lang.value === "ja" ? e.words_ja : e.words_en;
	return (
		<>
			<Section title={t("dns-check.result")} end={<Verdict word={e.verdict === "allowed" ? "passed" : e.verdict} />}>
				<p>
					<strong data-content>{first}</strong>
				</p>
				<ul class="y-bullets" data-content>
					{rest.map((line) => (
						<li key={line}>{line}</li>
					))}
				</ul>
				{!e.final && <p class="y-soft">{t("dns-check.not-final")}</p>}
				<p class="y-row">
					{e.verdict === "blocked" && <AskAllow name={e.name} org={e.org} />}
					<a href={link("dns-log", { query: { q: `query:${quoted(e.name.replace(/\.$/, ""))}`, from: "now-7d" } })}>{t("dns-check.queries")}</a>
				</p>
			</Section>
			{e.decision !== null && (
				<Section title={t("dns-check.decision")}>
					<HitFacts hit={e.decision} at={e.at} />
				</Section>
			)}
			{e.noted.map((h) => (
				<Section key={h.zone} title={t("dns-check.noted", { zone: h.zone })}>
					<HitFacts hit={h} at={null} />
				</Section>
			))}
			<Section title={t("dns-check.inside")}>
				<Facts
					rows={[
						[t("dns-check.source"), <Word group="dns-word" word={e.source} />],
						[t("scope.organisation"), e.org === "" ? t("dns-check.anybody") : orgTitle(e.org)],
						[t("dns-check.network"), e.network],
						[t("dns-check.chain"), e.chain.length > 1 && <span class="y-mono">{e.chain.join(" → ")}</span>],
						[t("dns-check.upstream"), e.upstream !== "" && <Value>{e.upstream}</Value>],
						...e.workers.map((w): [string, preact.ComponentChild] => [t("dns-check.worker", { n: w.worker }), <CacheLine cache={w.cache} />]),
					]}
				/>
			</Section>
		</>
	);
}

interface Asked {
	name: string;
	type: string;
	org: string;
	client: string;
}
function Question({ asked, found }: { asked: Asked; found: Loaded<Explanation> }) {
	const form = useForm(asked, async (v) => {
		if (v.name.trim() === param("name") && v.type === asked.type && v.org === asked.org && v.client.trim() === asked.client) found.reload();
		else setQuery({ name: v.name.trim(), type: v.type === "A" ? null : v.type, org: v.org === place.value.org ? null : v.org, client: v.client.trim() });
	});
	const v = form.value;
	const types = TYPES.includes(v.type) ? TYPES : [v.type, ...TYPES];
	const fault = (name: keyof Asked) => form.fault(name) || (found.error?.faultOf(name) ?? "");
	return (
		<Form form={form} action={t("dns-check.go")} disabled={v.name.trim() === ""}>
			<TextField label={t("dns-check.name")} hint={t("dns-check.name-hint")} required value={v.name} onChange={(name) => form.set({ name })} fault={fault("name")} />
			<div class="y-grid">
				<SelectField label={t("dns-check.type")} hint={t("dns-check.type-hint")} value={v.type} onChange={(type) => form.set({ type })} options={types.map((x) => [x, x])} fault={fault("type")} />
				<Combobox label={t("scope.organisation")} hint={t("dns-check.org-hint")} value={v.org} find={findOrgs} nameOf={orgTitle} onChange={(org) => form.set({ org })} fault={fault("org")} />
				<TextField label={t("dns-check.client")} hint={t("dns-check.client-hint")} value={v.client} onChange={(client) => form.set({ client })} fault={fault("client")} />
			</div>
		</Form>
	);
}

export default function DnsCheck() {
	const asked: Asked = { name: param("name"), type: param("type", "A"), org: param("org") || place.value.org, client: param("client") };
	const found = useData<Explanation>(asked.name === "" ? "" : "/dns/explain", { name: asked.name, type: asked.type, org: asked.org || undefined, client: asked.client || undefined });
	return (
		<Page title={t("nav.dns-check")} lead={<p class="y-soft">{t("dns-check.what")}</p>}>
			<Question key={JSON.stringify(asked)} asked={asked} found={found} />
			{asked.name === "" && <Empty title={t("dns-check.none")}>{t("dns-check.none-why")}</Empty>}
			{found.error !== undefined && found.error.status !== 400 && <ErrorBox error={found.error} again={found.reload} />}
			{asked.name !== "" && found.data === undefined && found.error === undefined && <Skeleton lines={6} />}
			{asked.name !== "" && found.data !== undefined && found.error === undefined && <Result e={found.data} />}
		</Page>
	);
}
