// The table: sort, selection, columns to choose, pages by key, rows that open.
// On a narrow screen each row becomes a card, so that nothing scrolls sideways.
import { type Signal, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Job } from "../base/api";
import type { List } from "../base/data";
import { t } from "../base/i18n";
import { useKeys } from "../base/keys";
import { dense, stored } from "../base/prefs";
import { go, param, setQuery } from "../base/router";
import { Button, ErrorBox, Progress, Skeleton, cx } from "./basics";
import { Check } from "./form";
import { Popover } from "./overlay";
import { strictest } from "./print";

export interface Column<T> {
	key: string;
	label: string;
	cell: (row: T) => ComponentChildren;
	/** Right-aligned figures. */
	num?: boolean;
	/** The name the API sorts by; clicking the heading sorts. */
	sort?: string;
	/** Not shown until chosen. */
	extra?: boolean;
	/** Cannot be hidden; on a narrow screen it heads the card. */
	main?: boolean;
	/** Left out where there is little room, 1 before 2 (beside a drawer); the card has it. */
	drop?: 1 | 2;
	/** "min": as narrow as its content; "wide": takes what is left. */
	width?: "min" | "wide";
}
/** The ids that are selected, and whether all that match are meant. */
export interface Selection {
	ids: Signal<ReadonlySet<string>>;
	all: Signal<boolean>;
	clear: () => void;
}
export function newSelection(): Selection {
	const ids = signal<ReadonlySet<string>>(new Set());
	const all = signal(false);
	return {
		ids,
		all,
		clear: () => {
			ids.value = new Set();
			all.value = false;
		},
	};
}
interface TableProps<T> {
	/** Names the choice of columns: "alerts". */
	name: string;
	label: string;
	columns: Column<T>[];
	list: List<T>;
	rowKey: (row: T) => string;
	/** The address a row opens. */
	rowHref?: (row: T) => string;
	/** The row whose detail is open. */
	open?: string;
	selection?: Selection;
	rowName?: (row: T) => string;
	/** "last_seen" or "-last_seen"; with onSort. */
	sort?: string;
	onSort?: (sort: string) => void;
	empty: ComponentChildren;
	rowClass?: (row: T) => string;
	/** Filters and the like: above the table, beside the choice of columns. */
	tools?: ComponentChildren;
	/** <About> of how many rows there are. */
	about?: ComponentChildren;
	/** The keys for a row under the cursor: {a: row => assign(row)} */
	rowKeys?: { keys: string; label: string; run: (row: T) => void }[];
}
const chosen = new Map<string, Signal<string[] | null>>();
function columnsOf(name: string): Signal<string[] | null> {
	let s = chosen.get(name);
	if (s === undefined) {
		s = stored<string[] | null>(`columns.${name}`, null);
		chosen.set(name, s);
	}
	return s;
}

/** What the address says of this table's columns ("alerts:title,org"), so that a link shows others the same. */
function inAddress(name: string): string[] | null {
	const own = param("columns").split(";").find((x) => x.startsWith(`${name}:`));
	return own === undefined ? null : own.slice(name.length + 1).split(",");
}
function putAddress(name: string, keys: string[]): void {
	const others = param("columns").split(";").filter((x) => x !== "" && !x.startsWith(`${name}:`));
	setQuery({ columns: [...others, `${name}:${keys.join(",")}`].join(";") }, "replace");
}
function ColumnChoice<T>({ name, columns }: { name: string; columns: Column<T>[] }) {
	const choice = columnsOf(name);
	const shown = inAddress(name) ?? choice.value ?? columns.filter((c) => c.extra !== true).map((c) => c.key);
	return (
		<Popover label={t("table.columns")} icon="columns" kind="quiet" end>
			{() => (
				<fieldset class="y-stack">
					<legend>{t("table.columns")}</legend>
					{columns.map((c) => (
						<Check
							key={c.key}
							label={c.label}
							checked={c.main === true || shown.includes(c.key)}
							disabled={c.main}
							onChange={(on) => {
								choice.value = columns.map((x) => x.key).filter((x) => (x === c.key ? on : shown.includes(x)));
								putAddress(name, choice.value);
							}}
						/>
					))}
					<Check
						label={t("table.dense")}
						checked={dense.value}
						onChange={(on) => {
							dense.value = on;
						}}
					/>
				</fieldset>
			)}
		</Popover>
	);
}

const FIRST_ROWS = 50;
/** How many of n rows are drawn: what a screen holds at once, the others behind it. */
function useDrawn(n: number): [number, (least: number) => void] {
	const [drawn, setDrawn] = useState(FIRST_ROWS);
	useEffect(() => {
		if (drawn >= n) return undefined;
		const timer = setTimeout(() => setDrawn(drawn + 2 * FIRST_ROWS), 100);
		return () => clearTimeout(timer);
	}, [drawn, n]);
	return [drawn, (least) => setDrawn((x) => Math.max(x, least))];
}

export function Table<T>(p: TableProps<T>) {
	const choice = inAddress(p.name) ?? columnsOf(p.name).value;
	const columns = useMemo(() => p.columns.filter((c) => c.main === true || (choice === null ? c.extra !== true : choice.includes(c.key))), [p.columns, choice?.join()]);
	const rows = p.list.items;
	const [cursor, setCursor] = useState(-1);
	const body = useRef<HTMLTableSectionElement>(null);
	const anchor = useRef(-1);
	const ids = p.selection?.ids.value;
	const [drawn, draw] = useDrawn(rows.length);
	useEffect(() => {
		if (p.open !== undefined) setCursor(rows.findIndex((r) => p.rowKey(r) === p.open));
	}, [p.open]);
	const move = (to: number) => {
		const i = Math.max(0, Math.min(rows.length - 1, to));
		setCursor(i);
		draw(i + FIRST_ROWS);
		const row = body.current?.children[i] as HTMLElement | undefined;
		row?.scrollIntoView({ block: "nearest" });
		const href = rows[i] !== undefined && p.open !== undefined ? p.rowHref?.(rows[i] as T) : undefined;
		if (href !== undefined) go(href, "replace");
		else row?.querySelector<HTMLElement>("a,input")?.focus();
		if (to >= rows.length && p.list.hasMore) p.list.more();
	};
	const pick = (i: number, on: boolean, through = false) => {
		if (p.selection === undefined) return;
		const next = new Set(p.selection.ids.value);
		const from = through && anchor.current >= 0 ? Math.min(anchor.current, i) : i;
		const to = through && anchor.current >= 0 ? Math.max(anchor.current, i) : i;
		for (const row of rows.slice(from, to + 1)) next[on ? "add" : "delete"](p.rowKey(row));
		anchor.current = i;
		p.selection.ids.value = next;
		p.selection.all.value = false;
	};
	const at = () => rows[cursor];
	useKeys(p.label, [
		{ keys: "j", label: t("keys.next-row"), run: () => move(cursor + 1) },
		{ keys: "k", label: t("keys.previous-row"), run: () => move(cursor - 1) },
		...(p.rowHref === undefined
			? []
			: [
					{ keys: "Enter", label: t("keys.open-row"), run: () => at() !== undefined && go(p.rowHref?.(at() as T) ?? "") },
					{ keys: "o", label: t("keys.open-row"), run: () => at() !== undefined && go(p.rowHref?.(at() as T) ?? "") },
				]),
		...(p.selection === undefined ? [] : [{ keys: "x", label: t("keys.select-row"), run: () => at() !== undefined && pick(cursor, !p.selection?.ids.value.has(p.rowKey(at() as T))) }]),
		...(p.rowKeys ?? []).map((x) => ({ keys: x.keys, label: x.label, run: () => at() !== undefined && x.run(at() as T) })),
	]);
	const allHere = rows.length > 0 && ids !== undefined && rows.every((r) => ids.has(p.rowKey(r)));
	const someHere = ids !== undefined && ids.size > 0 && !allHere;
	const sorted = (c: Column<T>) => (c.sort === undefined || p.sort === undefined ? undefined : p.sort === c.sort ? ("ascending" as const) : p.sort === `-${c.sort}` ? ("descending" as const) : undefined);
	return (
		<div class="y-tablebox">
			<div class="y-tablebar">
				<div class="y-tablebar__tools">{p.tools}</div>
				<ColumnChoice name={p.name} columns={p.columns} />
			</div>
			{p.list.loading && <div class="y-busy" role="progressbar" aria-label={t("loading")} />}
			{p.list.error !== undefined && rows.length === 0 ? (
				<ErrorBox error={p.list.error} again={p.list.reload} />
			) : p.list.loading && rows.length === 0 ? (
				<Skeleton lines={8} />
			) : rows.length === 0 ? (
				p.empty
			) : (
				<table class={cx("y-table", dense.value && "y-table--dense")} data-tlp={strictest(rows as object[])} aria-label={p.label} role="table">
					<thead role="rowgroup">
						<tr role="row">
							{p.selection !== undefined && (
								<th class="y-table__pick" role="columnheader" scope="col">
									<input
										type="checkbox"
										aria-label={t("table.select-all")}
										checked={allHere}
										ref={(x) => {
											if (x !== null) x.indeterminate = someHere;
										}}
										onChange={(e) => {
											if (p.selection === undefined) return;
											p.selection.ids.value = new Set(e.currentTarget.checked ? rows.map(p.rowKey) : []);
											p.selection.all.value = false;
										}}
									/>
								</th>
							)}
							{columns.map((c) => (
								<th key={c.key} role="columnheader" scope="col" class={cx(c.num === true && "is-num", c.width !== undefined && `is-${c.width}`, c.drop !== undefined && `is-drop${c.drop}`)} aria-sort={sorted(c)}>
									{c.sort !== undefined && p.onSort !== undefined ? (
										<button type="button" class="y-table__sort" onClick={() => p.onSort?.(sorted(c) === "descending" ? (c.sort as string) : `-${c.sort}`)}>
											{c.label}
											<span aria-hidden="true">{{ ascending: "▲", descending: "▼", none: "" }[sorted(c) ?? "none"]}</span>
										</button>
									) : (
										c.label
									)}
								</th>
							))}
						</tr>
					</thead>
					<tbody ref={body} role="rowgroup">
						{rows.slice(0, drawn).map((row, i) => {
							const id = p.rowKey(row);
							const href = p.rowHref?.(row);
							return (
								<tr
									key={id}
									role="row"
									class={cx(p.rowClass?.(row), i === cursor && "is-cursor", id === p.open && "is-open", ids?.has(id) && "is-picked", href !== undefined && "is-link")}
									onClick={(e) => {
										setCursor(i);
										if (href === undefined || (e.target as Element).closest("a,button,input,label") !== null || getSelection()?.isCollapsed === false) return;
										if (e.ctrlKey || e.metaKey) window.open(href);
										else go(href, p.open === undefined ? "push" : "replace");
									}}
								>
									{p.selection !== undefined && (
										<td class="y-table__pick" role="cell">
											<input
												type="checkbox"
												aria-label={t("table.select", { name: p.rowName?.(row) ?? id })}
												checked={ids?.has(id)}
												onClick={(e) => pick(i, e.currentTarget.checked, e.shiftKey)}
											/>
										</td>
									)}
									{columns.map((c) => (
										<td key={c.key} role="cell" data-label={c.label} class={cx(c.num === true && "is-num", c.main === true && "is-main", c.width !== undefined && `is-${c.width}`, c.drop !== undefined && `is-drop${c.drop}`)}>
											{c.cell(row)}
										</td>
									))}
								</tr>
							);
						})}
					</tbody>
				</table>
			)}
			{rows.length > 0 && (
				<div class="y-tablefoot">
					<span class="y-num">{p.list.total === undefined ? t("table.shown", { n: rows.length }) : t(p.list.totalExact ? "table.shown-of" : "table.shown-of-more", { n: rows.length, all: p.list.total })}</span>
					{p.about}
					{p.list.error !== undefined && <ErrorBox error={p.list.error} again={p.list.more} />}
					{p.list.hasMore && (
						<Button busy={p.list.loading} onClick={p.list.more}>
							{t("table.more")}
						</Button>
					)}
				</div>
			)}
		</div>
	);
}

/** The bar over a selection: how many, all that match, the actions, and a job's progress. */
export function BulkBar({ selection, list, job, children, onCancel }: { selection: Selection; list: List<unknown>; job?: Job | undefined; children: ComponentChildren; onCancel?: () => void }) {
	const loaded = list.items.length;
	const { total, totalExact } = list;
	const n = selection.all.value ? loaded : selection.ids.value.size;
	useKeys(t("keys.selection"), n === 0 ? [] : [{ keys: "Escape", label: t("table.clear"), run: selection.clear }]);
	if (job !== undefined)
		return (
			<div class="y-bulk" role="region" aria-label={t("bulk.title")}>
				<Progress done={job.done} total={job.total} label={t("bulk.running")} since={job.started_at !== null ? Date.parse(job.started_at) : undefined} />
				{onCancel !== undefined && <Button onClick={onCancel}>{t("action.cancel")}</Button>}
			</div>
		);
	if (n === 0) return null;
	const more = list.hasMore && !selection.all.value && selection.ids.value.size >= loaded;
	const counted = total !== undefined && totalExact;
	return (
		<div class="y-bulk" role="region" aria-label={t("bulk.title")}>
			<strong class="y-num">{!selection.all.value ? t("bulk.some", { n }) : counted ? t("bulk.all", { n: total }) : t("bulk.all-uncounted")}</strong>
			{more && (
				<Button
					kind="quiet"
					onClick={() => {
						selection.all.value = true;
					}}
				>
					{counted ? t("bulk.choose-all", { n: total }) : t("bulk.choose-uncounted")}
				</Button>
			)}
			<div class="y-row">{children}</div>
			<Button kind="quiet" onClick={selection.clear}>
				{t("table.clear")}
			</Button>
		</div>
	);
}
/** "3 new": rows that came since; nothing moves until one asks for it. */
export function NewRows({ n, show }: { n: number; show: () => void }) {
	return (
		<div role="status" class="y-newrows">
			{n > 0 && (
				<Button small icon="reload" onClick={show}>
					{t("table.new-rows", { n })}
				</Button>
			)}
		</div>
	);
}
