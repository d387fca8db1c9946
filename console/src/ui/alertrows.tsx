// Alerts as a short list: how bad, what, where, and when it was seen or is due.
import { link } from "../base/router";
import { orgTitle } from "../base/orgs";
import { t } from "../base/i18n";
import type { ApiError } from "../base/api";
import { ErrorBox, Severity, Skeleton, Time } from "./basics";

export interface AlertRow {
	id: string;
	org: string;
	title: string;
	asset: string;
	severity_id: number;
	last_seen: string;
	due_at: string | null;
	overdue: boolean;
}
/** `query`: with what the list of alerts opens behind the one that is chosen. */
export function AlertRows({ list, none, query, due }: { list: { data: { items: AlertRow[] } | undefined; error: ApiError | undefined; reload: () => void }; none: string; query?: Record<string, string>; due?: boolean }) {
	return (
		<>
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.error === undefined && list.data === undefined && <Skeleton lines={4} />}
			{list.data !== undefined && list.data.items.length === 0 && <p class="y-soft">{none}</p>}
			<ul class="y-list">
				{(list.data?.items ?? []).map((a) => (
					<li key={a.id} class="y-listrow">
						<Severity id={a.severity_id} bare />
						<div class="y-grow">
							<a href={link("alerts", { rest: [a.id], query })}>{a.title}</a>
							<small class="y-soft y-under">
								{orgTitle(a.org)}, {a.asset}
							</small>
						</div>
						<small class={due === true && a.overdue ? "y-coverage--poor" : "y-soft"}>
							{due === true && a.due_at !== null ? (
								<>
									{t("alertrows.due")} <Time at={a.due_at} />
								</>
							) : (
								<Time at={a.last_seen} />
							)}
						</small>
					</li>
				))}
			</ul>
		</>
	);
}
