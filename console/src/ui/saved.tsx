// Saved filters of a page: one's own, and those that others share.
import { useState } from "preact/hooks";
import { type PageOf, api, at } from "../base/api";
import { useData } from "../base/data";
import { t } from "../base/i18n";
import { go, link, query } from "../base/router";
import { may } from "../base/session";
import { Button, ErrorBox, Skeleton } from "./basics";
import type { Export } from "./export";
import { Check, Form, TextField, useForm } from "./form";
import { Popover, toast, toastError } from "./overlay";

export interface SavedSearch {
	id: string;
	name: string;
	page: string;
	query: string;
	shared: boolean;
	mine?: boolean;
}
function Panel({ page, close }: { page: string; close: () => void }) {
	const list = useData<PageOf<SavedSearch>>("/saved-searches", { limit: 200 });
	const [adding, setAdding] = useState(false);
	const now = query.value.toString();
	const form = useForm({ name: "", shared: false }, (v) => api.post("/saved-searches", { name: v.name.trim(), page, query: now, shared: v.shared }));
	const items = (list.data?.items ?? []).filter((s) => s.page === page);
	const remove = (s: SavedSearch) =>
		api.del(at`/saved-searches/${s.id}`).then(() => {
			list.reload();
			toast(t("saved.removed"), { undo: () => void api.post("/saved-searches", { name: s.name, page, query: s.query, shared: s.shared }).then(list.reload, toastError) });
		}, toastError);
	return (
		<div class="y-stack y-savedpanel">
			{list.error !== undefined && <ErrorBox error={list.error} again={list.reload} />}
			{list.loading && list.data === undefined && <Skeleton lines={2} />}
			{list.data !== undefined && items.length === 0 && <p class="y-soft">{t("saved.none")}</p>}
			<ul>
				{items.map((s) => (
					<li key={s.id} class="y-row y-row--apart">
						<a
							href={`${link(page)}?${s.query}`}
							onClick={(e) => {
								e.preventDefault();
								close();
								go(`${link(page)}${s.query === "" ? "" : `?${s.query}`}`);
							}}
						>
							{s.name}
						</a>
						{s.shared && <small class="y-soft">{t("saved.shared")}</small>}
						{s.mine !== false && <Button kind="quiet" small icon="trash" label={t("action.delete")} onClick={() => void remove(s)} />}
					</li>
				))}
			</ul>
			{adding ? (
				<Form
					form={form}
					action={t("action.save")}
					cancel={() => setAdding(false)}
					disabled={form.value.name.trim() === ""}
					done={() => {
						setAdding(false);
						list.reload();
					}}
				>
					<TextField label={t("saved.name")} value={form.value.name} onChange={(name) => form.set({ name })} fault={form.fault("name")} required />
					{may("searches:write") && <Check label={t("saved.share")} checked={form.value.shared} onChange={(shared) => form.set({ shared })} />}
				</Form>
			) : (
				<Button icon="plus" onClick={() => setAdding(true)}>
					{t("saved.add")}
				</Button>
			)}
		</div>
	);
}
/** They can be taken away as a file beside the page's rows. */
export const savedOf = (page: string): Export[] => (may("searches:write") ? [{ kind: "saved-searches", query: { page } }] : []);
/** The button with the saved filters of this page. */
export function Saved({ page }: { page: string }) {
	return (
		<Popover label={t("saved.title")} icon="star" kind="quiet" end>
			{(close) => <Panel page={page} close={close} />}
		</Popover>
	);
}
