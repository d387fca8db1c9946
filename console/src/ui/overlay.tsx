// What lies above the page: dialogs, the drawer, menus, toasts.
import { signal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type ApiError, api } from "../base/api";
import { firstField, opened } from "../base/focus";
import { t } from "../base/i18n";
import { go, link, place, withRest } from "../base/router";
import { Button, ButtonLink, ErrorBox, type IconName, cx } from "./basics";

/** A modal dialog; Escape and the cross close it, the focus goes back. */
export function Dialog({ title, onClose, children, wide, foot }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean; foot?: ComponentChildren }) {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		opened(ref.current);
		ref.current?.showModal();
		if (ref.current !== null) firstField(ref.current)?.focus();
	}, []);
	return (
		<dialog
			ref={ref}
			class={cx("y-dialog", wide === true && "y-dialog--wide")}
			aria-labelledby={id}
			onCancel={(e) => {
				e.preventDefault();
				onClose();
			}}
			onMouseDown={(e) => {
				if (e.target === ref.current) onClose();
			}}
		>
			<div class="y-dialog__box">
				<header class="y-dialog__head">
					<h2 id={id}>{title}</h2>
					<Button kind="quiet" icon="close" label={t("action.close")} onClick={onClose} />
				</header>
				<div class="y-dialog__body">{children}</div>
				{foot !== undefined && <footer class="y-dialog__foot">{foot}</footer>}
			</div>
		</dialog>
	);
}
/** Asks before something that cannot be undone. `run` may fail: the dialog says why. */
export function Confirm({ title, children, action, danger, run, onClose }: { title: string; children: ComponentChildren; action: string; danger?: boolean; run: () => Promise<unknown>; onClose: () => void }) {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<ApiError>();
	const act = () => {
		setBusy(true);
		run().then(onClose, (e: ApiError) => {
			setBusy(false);
			setError(e);
		});
	};
	return (
		<Dialog
			title={title}
			onClose={onClose}
			foot={
				<>
					<Button onClick={onClose}>{t("action.cancel")}</Button>
					<Button kind={danger === true ? "danger" : "main"} busy={busy} onClick={act}>
						{action}
					</Button>
				</>
			}
		>
			{children}
			{error !== undefined && <ErrorBox error={error} />}
		</Dialog>
	);
}
export interface Step {
	prev?: string | undefined;
	next?: string | undefined;
}
/** The addresses of the rows before and after the one that is open; `rest`: what stands behind the page for a row. */
export function stepsOf<T>(rows: T[], rest: (row: T) => string[]): Step {
	const open = place.value.rest.join("/");
	const i = rows.findIndex((x) => rest(x).join("/") === open);
	const near = (row: T | undefined) => (i < 0 || row === undefined ? undefined : withRest(rest(row)));
	return { prev: near(rows[i - 1]), next: near(rows[i + 1]) };
}
/** The detail of a row, beside the list, at an address of its own: `back` is the list's. */
export function Drawer({ title, back, children, head, step }: { title: ComponentChildren; back: string; children: ComponentChildren; head?: ComponentChildren; step?: Step }) {
	const id = useId();
	const ref = useRef<HTMLElement>(null);
	// back to the row that was shown last, which need not be the one that was opened
	const shown = useRef("");
	if (place.value.rest.length > 0) shown.current = withRest(place.value.rest).split("?")[0] as string;
	useEffect(() => {
		opened(ref.current, () => [...document.querySelectorAll<HTMLElement>("#main tbody a")].find((a) => a.getAttribute("href")?.split("?")[0] === shown.current));
		if (ref.current?.contains(document.activeElement) !== true) ref.current?.focus({ preventScroll: true });
	}, []);
	useEffect(() => {
		const key = (e: KeyboardEvent) => {
			if (e.key === "Escape" && !e.defaultPrevented && document.querySelector("dialog[open],.y-menu__list:not([hidden])") === null) {
				e.preventDefault();
				go(back);
			}
		};
		document.addEventListener("keydown", key);
		return () => document.removeEventListener("keydown", key);
	}, [back]);
	useEffect(() => {
		// a head that grows or shrinks by a live change does not move what is being read below it
		const [head, body] = [...(ref.current?.children ?? [])] as HTMLElement[];
		if (head === undefined || body === undefined) return undefined;
		let height = head.offsetHeight;
		const watch = new ResizeObserver(() => {
			if (body.scrollTop > 0) body.scrollTop += head.offsetHeight - height;
			height = head.offsetHeight;
		});
		watch.observe(head);
		return () => watch.disconnect();
	}, []);
	return (
		<aside class="y-drawer" ref={ref} tabIndex={-1} aria-labelledby={id}>
			<header class="y-drawer__head">
				<h2 id={id}>{title}</h2>
				<div class="y-row y-row--tight">
					{step !== undefined && (
						<>
							<Button kind="quiet" icon="up" label={t("action.previous")} disabled={step.prev === undefined} onClick={() => step.prev !== undefined && go(step.prev, "replace")} />
							<Button kind="quiet" icon="down" label={t("action.next")} disabled={step.next === undefined} onClick={() => step.next !== undefined && go(step.next, "replace")} />
						</>
					)}
					<Button kind="quiet" icon="close" label={t("action.close")} onClick={() => go(back)} />
				</div>
				{head}
			</header>
			<div class="y-drawer__body">{children}</div>
		</aside>
	);
}
export interface MenuItem {
	label: string;
	run?: () => void;
	href?: string;
	checked?: boolean;
	danger?: boolean;
	disabled?: boolean;
	/** A line above it. */
	apart?: boolean;
}
/** What is open closes when one points or goes elsewhere, so that it covers nothing there; ends by the function it gives. */
function untilAway(of: { current: HTMLElement | null }, close: () => void): () => void {
	const away = (e: Event) => {
		if (!of.current?.contains(e.target as Node)) close();
	};
	for (const what of ["pointerdown", "focusin"]) document.addEventListener(what, away);
	return () => {
		for (const what of ["pointerdown", "focusin"]) document.removeEventListener(what, away);
	};
}
/** What a button opens under it: its list begins at `first`, and gives the focus back to the button. */
function useOpen(of: RefObject<HTMLElement | null>, first: (list: HTMLElement) => HTMLElement | null | undefined): { open: boolean; setOpen: (on: boolean) => void; close: () => void } {
	const [open, setOpen] = useState(false);
	const button = () => of.current?.querySelector<HTMLElement>("button");
	useEffect(() => {
		const list = of.current?.querySelector<HTMLElement>(".y-menu__list");
		if (!open || list === null || list === undefined) return undefined;
		opened(list, button);
		first(list)?.focus({ preventScroll: true });
		return untilAway(of, () => setOpen(false));
	}, [open]);
	const close = () => {
		setOpen(false);
		button()?.focus();
	};
	return { open, setOpen, close };
}
/** A button with a list of actions; arrows, Home, End, Escape. */
export function Menu({ label, icon, text, items, kind = "plain", small, end }: { label: string; icon?: IconName; text?: ComponentChildren; items: MenuItem[]; kind?: "plain" | "quiet" | "main"; small?: boolean; end?: boolean }) {
	const ref = useRef<HTMLDivElement>(null);
	const id = useId();
	const entries = () => [...(ref.current?.querySelectorAll<HTMLElement>("[role^=menuitem]:not([aria-disabled=true])") ?? [])];
	const { open, setOpen, close } = useOpen(ref, () => entries()[0]);
	const onKey = (e: KeyboardEvent) => {
		if (!open) {
			if (e.key === "ArrowDown") {
				e.preventDefault();
				setOpen(true);
			}
			return;
		}
		const list = entries();
		const i = list.indexOf(document.activeElement as HTMLElement);
		const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: list.length - 1 }[e.key];
		if (e.key === "Escape" || e.key === "Tab") {
			if (e.key === "Escape") e.preventDefault();
			close();
		} else if (to !== undefined) {
			e.preventDefault();
			list[(to + list.length) % list.length]?.focus();
		}
	};
	return (
		<div class={cx("y-menu", end === true && "y-menu--end")} ref={ref} onKeyDown={onKey}>
			<Button kind={kind} icon={icon} small={small} label={text === undefined ? label : undefined} aria-haspopup="menu" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
				{text}
			</Button>
			{open && (
				<div class="y-menu__list" role="menu" id={id} aria-label={label}>
					{items.map((x) => {
						const inner = (
							<>
								{x.checked !== undefined && <span class="y-menu__check">{x.checked ? "✓" : ""}</span>}
								{x.label}
							</>
						);
						const shared = { class: cx("y-menu__item", x.danger === true && "is-danger", x.apart === true && "is-apart"), role: x.checked !== undefined ? ("menuitemcheckbox" as const) : ("menuitem" as const), "aria-checked": x.checked, tabIndex: -1, key: x.label };
						return x.href !== undefined ? (
							<a {...shared} href={x.href} onClick={() => setOpen(false)}>
								{inner}
							</a>
						) : (
							<button
								{...shared}
								type="button"
								aria-disabled={x.disabled}
								onClick={() => {
									if (x.disabled === true) return;
									close();
									x.run?.();
								}}
							>
								{inner}
							</button>
						);
					})}
				</div>
			)}
		</div>
	);
}
/** A button that opens a small panel under it. */
export function Popover({ label, icon, text, children, kind = "plain", end, small }: { label: string; icon?: IconName; text?: ComponentChildren; children: (close: () => void) => ComponentChildren; kind?: "plain" | "quiet"; end?: boolean; small?: boolean }) {
	const ref = useRef<HTMLDivElement>(null);
	const id = useId();
	const { open, setOpen, close } = useOpen(ref, (panel) => panel.querySelector<HTMLElement>("input,button,select,a") ?? panel);
	return (
		<div
			class={cx("y-menu", end === true && "y-menu--end")}
			ref={ref}
			onKeyDown={(e) => {
				if (open && e.key === "Escape") {
					e.preventDefault();
					close();
				}
			}}
		>
			<Button kind={kind} icon={icon} small={small} label={text === undefined ? label : undefined} aria-expanded={open} aria-controls={id} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
				{text}
			</Button>
			{open && (
				<div class="y-menu__list y-popover" id={id} role="dialog" aria-label={label} tabIndex={-1}>
					{children(close)}
				</div>
			)}
		</div>
	);
}

interface Toast {
	id: number;
	text: string;
	tone: "ok" | "bad";
	undo?: () => void;
	job?: string;
}
const toasts = signal<Toast[]>([]);
let last = 0;
/** A short message; with `undo` it offers to take back what was done, with `job` it leads to that, and stays longer. */
export function toast(text: string, more: { undo?: () => void; job?: string; tone?: "ok" | "bad" } = {}): void {
	const one: Toast = { id: ++last, text, tone: more.tone ?? "ok", undo: more.undo, job: more.job };
	toasts.value = [...toasts.value.slice(-3), one];
	const end = () => {
		// not while it is read, or its button has the focus
		if (document.querySelector(`[data-toast="${one.id}"]:is(:hover, :focus-within)`) !== null) setTimeout(end, 2000);
		else drop(one.id);
	};
	setTimeout(end, more.undo !== undefined || more.tone === "bad" ? 12_000 : 5000);
}
/** What went wrong, as a toast. */
export function toastError(e: unknown): void {
	const x = e as ApiError;
	const more = x.status === 412 ? x.advice : x.detail; // of versions people know nothing
	toast(more !== undefined && more !== "" ? `${x.title}: ${more}` : String(x.title ?? e), { tone: "bad" });
}
/** Changes an object, says so, and offers to take it back: to what `was`, unless somebody has changed it since. `after` gets each answer. */
export async function changing<T extends { etag: string }>(path: string, etag: string, patch: object, was: object, text: string, after: (now: T) => void): Promise<T> {
	const now = await api.patch<T>(path, patch, etag);
	toast(text, { undo: () => void api.patch<T>(path, was, now.etag).then(after, toastError) });
	after(now);
	return now;
}
function drop(id: number): void {
	toasts.value = toasts.value.filter((x) => x.id !== id);
}
export function Toasts() {
	return (
		<div class="y-toasts" role="status" aria-live="polite">
			{toasts.value.map((x) => (
				<div key={x.id} data-toast={x.id} class={`y-toast y-toast--${x.tone}`}>
					<span>{x.text}</span>
					{x.job !== undefined && (
						<ButtonLink small href={link("jobs", { rest: [x.job], scope: {} })} onClick={() => drop(x.id)}>
							{t("toast.job")}
						</ButtonLink>
					)}
					{x.undo !== undefined && (
						<Button
							small
							onClick={() => {
								drop(x.id);
								x.undo?.();
							}}
						>
							{t("action.undo")}
						</Button>
					)}
					<Button kind="quiet" small icon="close" label={t("action.close")} onClick={() => drop(x.id)} />
				</div>
			))}
		</div>
	);
}
