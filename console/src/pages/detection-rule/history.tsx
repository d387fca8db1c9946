// What a rule was before: its versions, each with what it changed.
import { Button, ErrorBox, type PageOf, Skeleton, Time, actorName, at, cx, t, useData, useState } from "../../kit";

interface Version {
	version: number;
	text: string;
	title?: string;
	stage?: string;
	created_by: string;
	created_at: string;
}
type Row = [sign: " " | "+" | "-", line: string];
/** The lines of both, by their longest common subsequence. */
export function diff(a: string[], b: string[]): Row[] {
	let head = 0;
	while (head < a.length && head < b.length && a[head] === b[head]) head++;
	let tail = 0;
	while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
	const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
	const out: Row[] = a.slice(0, head).map((l) => [" ", l]);
	if (x.length * y.length > 4_000_000) out.push(...x.map((l): Row => ["-", l]), ...y.map((l): Row => ["+", l]));
	else {
		const w = y.length + 1;
		const len = new Uint32Array((x.length + 1) * w);
		for (let i = x.length - 1; i >= 0; i--) for (let j = y.length - 1; j >= 0; j--) len[i * w + j] = x[i] === y[j] ? (len[(i + 1) * w + j + 1] as number) + 1 : Math.max(len[(i + 1) * w + j] as number, len[i * w + j + 1] as number);
		for (let i = 0, j = 0; i < x.length || j < y.length; )
			if (i < x.length && j < y.length && x[i] === y[j]) out.push([" ", x[i++] as string]), j++;
			else if (i < x.length && (j === y.length || (len[(i + 1) * w + j] as number) >= (len[i * w + j + 1] as number))) out.push(["-", x[i++] as string]);
			else out.push(["+", y[j++] as string]);
	}
	return [...out, ...a.slice(a.length - tail).map((l): Row => [" ", l])];
}
/** What changed, with three lines around it. */
export function Changes({ rows }: { rows: Row[] }) {
	const near = rows.map((_, i) => rows.slice(Math.max(0, i - 3), i + 4).some(([s]) => s !== " "));
	return (
		<pre class="dr-diff" tabIndex={0} role="region" aria-label={t("detection-rule.changes")}>
			{rows.map(([sign, line], i) =>
				near[i] ? (
					<span key={i} class={cx(sign === "+" && "is-new", sign === "-" && "is-old")}>
						{sign} {line}
						{"\n"}
					</span>
				) : (
					near[i - 1] === true && <span key={i} class="y-soft">{"...\n"}</span>
				),
			)}
		</pre>
	);
}
export function History({ id, round, restore }: { id: string; round: number; restore?: ((text: string) => void) | undefined }) {
	const list = useData<PageOf<Version>>(at`/detection-rules/${id}/history`, { limit: 100 });
	const [seen, setSeen] = useState(round);
	if (seen !== round) {
		setSeen(round);
		list.reload();
	}
	if (list.error !== undefined) return <ErrorBox error={list.error} again={list.reload} />;
	if (list.data === undefined) return <Skeleton lines={6} />;
	const rows = list.data.items;
	return (
		<ol class="y-timeline dr-history">
			{rows.map((v, i) => {
				const before = rows[i + 1];
				return (
					<li key={v.version}>
						<div class="y-timeline__head dr-versionhead">
							<strong>{t("detection-rule.version", { n: v.version })}</strong>
							<Time at={v.created_at} exact />
							<span>{actorName(v.created_by)}</span>
							{restore !== undefined && i > 0 && (
								<Button small kind="quiet" onClick={() => restore(v.text)}>
									{t("detection-rule.restore")}
								</Button>
							)}
						</div>
						{before === undefined ? <p class="y-soft">{t(list.data?.next_cursor == null ? "detection-rule.first-version" : "detection-rule.older")}</p> : before.text === v.text ? <p class="y-soft">{t("detection-rule.same-text")}</p> : <Changes rows={diff(before.text.split("\n"), v.text.split("\n"))} />}
					</li>
				);
			})}
		</ol>
	);
}
