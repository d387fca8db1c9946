// The first steps on a fresh machine; each is done when the data says so.
import { type PageOf, Button, Icon, api, link, mayAll, stored, t, useEffect, useState } from "../../kit";

const hidden = stored("first-steps.hidden", false);
interface Step {
	key: string;
	text: string;
	done: boolean;
	href: string;
}
async function any(path: string, params: Record<string, string | number> = {}, fits: (x: { demo?: boolean; kind?: string }) => boolean = () => true): Promise<boolean> {
	try {
		const p = await api.get<PageOf<{ demo?: boolean }>>(path, { limit: 50, ...params });
		return p.items.some(fits);
	} catch {
		return false;
	}
}
async function look(): Promise<Record<string, boolean>> {
	const [org, logs, indicators, people, closed] = await Promise.all([
		any("/organisations", {}, (o) => o.demo !== true),
		any("/sources", { limit: 1 }),
		any("/indicator-lists", { limit: 1 }),
		api.get<PageOf<unknown>>("/people", { limit: 2 }).then(
			(p) => p.items.length > 1,
			() => false,
		),
		any("/alerts", { state: "closed", limit: 1 }),
	]);
	return { org, logs, indicators, people, closed };
}
export function FirstSteps() {
	const [done, setDone] = useState<Record<string, boolean>>();
	const shown = mayAll("org:write") && !hidden.value;
	useEffect(() => {
		if (shown) void look().then(setDone);
	}, [shown]);
	if (!shown || done === undefined) return null;
	const steps: Step[] = [
		{ key: "org", text: t("overview.step.org"), done: done.org === true, href: link("organisations", { query: { add: 1 } }) },
		{ key: "logs", text: t("overview.step.logs"), done: done.logs === true, href: link("import") },
		{ key: "indicators", text: t("overview.step.indicators"), done: done.indicators === true, href: link("indicators") },
		{ key: "people", text: t("overview.step.people"), done: done.people === true, href: link("people", { query: { add: 1 } }) },
		{ key: "closed", text: t("overview.step.closed"), done: done.closed === true, href: link("alerts") },
	];
	const n = steps.filter((s) => s.done).length;
	if (n === steps.length) return null;
	return (
		<section class="y-card ov-steps" aria-label={t("overview.step.title")}>
			<div class="y-row y-row--apart">
				<h2>
					{t("overview.step.title")} <span class="y-soft y-num">{n} / {steps.length}</span>
				</h2>
				<Button
					kind="quiet"
					small
					onClick={() => {
						hidden.value = true;
					}}
				>
					{t("overview.step.hide")}
				</Button>
			</div>
			<ol>
				{steps.map((s) => (
					<li key={s.key} class={s.done ? "is-done" : undefined}>
						{s.done ? <Icon name="check" label={t("overview.step.done")} /> : <span class="ov-dot" aria-hidden="true" />}
						<a href={s.href}>{s.text}</a>
					</li>
				))}
			</ol>
		</section>
	);
}
