// By when alerts of this node and all below it are to be done with, by severity.
import { About, ErrorBox, Section, Select, Severity, Skeleton, api, k, may, severityName, span, t, toast, toastError, useData } from "../../kit";

interface Policy {
	org: string | null;
	items: { severity_id: number; span_s: number; own: boolean }[];
}
const SPANS = [4, 8, 24, 72, 168, 336, 720, 2160].map((h) => h * 3600);
const said = (s: number) => (s === 0 ? t("organisations.due.none") : t("organisations.due.within", { time: span(s) }));

/** org "": for all organisations. */
export function DuePolicy({ org }: { org: string }) {
	const one = useData<Policy>("/due-policy", { org: org || undefined });
	const writable = may("systems:write", org);
	const set = async (severity: number, span_s: number | null) => {
		const put = (s: number) => api.put<Policy>("/due-policy", { org: org || null, severity_id: s, span_s });
		if (severity === 5) await put(6); // fatal goes with critical
		one.set(await put(severity));
	};
	// above the whole there is nothing but what Yagura comes with
	const standard = (x: Policy["items"][number]) => {
		const time = said(x.span_s);
		if (org === "") return x.own ? t("organisations.due.standard") : t("organisations.due.standard-is", { time });
		return x.own ? t("organisations.due.inherit") : t("organisations.due.inherited", { time });
	};
	const change = (row: Policy["items"][number], to: string) => {
		const before = row.own ? row.span_s : null;
		void set(row.severity_id, to === "" ? null : Number(to)).then(() => toast(t("organisations.due.changed"), { undo: () => void set(row.severity_id, before).catch(toastError) }), toastError);
	};
	return (
		<Section title={t("organisations.due")} about={<About name={t("organisations.due")} about={[k("organisations.about.due"), k("organisations.about.due-how")]} />}>
			{one.error !== undefined && <ErrorBox error={one.error} again={one.reload} />}
			{one.data === undefined && one.error === undefined && <Skeleton lines={5} />}
			<ul class="y-list">
				{(one.data?.items ?? [])
					.filter((x) => x.severity_id < 6)
					.map((x) => (
						<li key={x.severity_id} class="y-listrow">
							<span class="y-grow">
								<Severity id={x.severity_id} />
							</span>
							{writable ? (
								<Select
									label={t("organisations.due.of", { severity: severityName(x.severity_id) })}
									value={x.own ? String(x.span_s) : ""}
									onChange={(v) => change(x, v)}
									options={[["", standard(x)], ...[...new Set([...SPANS, ...(x.own && x.span_s > 0 ? [x.span_s] : [])])].sort((a, b) => a - b).map((s): [string, string] => [String(s), said(s)]), ["0", t("organisations.due.none")]]}
								/>
							) : (
								<span>{said(x.span_s)}</span>
							)}
						</li>
					))}
			</ul>
		</Section>
	);
}
