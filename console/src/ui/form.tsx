// Fields, with the server's faults at the field they are about.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ApiError } from "../base/api";
import { asError } from "../base/data";
import { t } from "../base/i18n";
import { param, setQuery } from "../base/router";
import { Button, ErrorBox, Icon, cx } from "./basics";

export interface FormState<T> {
	value: T;
	set: (patch: Partial<T>) => void;
	error: ApiError | undefined;
	busy: boolean;
	/** The fault of a member, from problem.errors[].pointer. */
	fault: (name: keyof T & string) => string;
	/** Members whose faults were asked for: they stand at their fields. */
	fields: ReadonlySet<string>;
	submit: () => Promise<boolean>;
	changed: boolean;
}
/** Holds a form's values; `send` throws what the API answers. `once` stays while the values do, and goes with
 * success: an Idempotency-Key, by which what is sent again after a lost answer is done once. */
export function useForm<T extends object>(initial: T, send: (value: T, once: string) => Promise<unknown>): FormState<T> {
	const [value, setValue] = useState(initial);
	const once = useRef("");
	once.current ||= crypto.randomUUID();
	const fields = useRef(new Set<string>()).current;
	const [error, setError] = useState<ApiError>();
	const [busy, setBusy] = useState(false);
	const [changed, setChanged] = useState(false);
	return {
		value,
		set: (patch) => {
			setValue((v) => ({ ...v, ...patch }));
			setChanged(true);
			once.current = "";
		},
		error,
		busy,
		changed,
		fault: (name) => {
			fields.add(name);
			return error?.faultOf(name) ?? "";
		},
		fields,
		submit: async () => {
			setBusy(true);
			setError(undefined);
			try {
				await send(value, once.current);
				once.current = "";
				setChanged(false);
				return true;
			} catch (e) {
				setError(asError(e));
				return false;
			} finally {
				setBusy(false);
			}
		},
	};
}
/** A form with its buttons; Enter sends it. */
export function Form<T extends object>({ form, action, done, cancel, danger, children, disabled }: { form: FormState<T>; action: string; done?: () => void; cancel?: () => void; danger?: boolean; children: ComponentChildren; disabled?: boolean }) {
	const box = useRef<HTMLFormElement>(null);
	// one goes on where something is wrong
	useEffect(() => {
		if (form.error !== undefined) box.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
	}, [form.error]);
	return (
		<form
			ref={box}
			class="y-form"
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				if (!form.busy && disabled !== true) void form.submit().then((good) => good && done?.());
			}}
		>
			{children}
			{form.error !== undefined && <ErrorBox error={form.error} beside={form.fields} />}
			<div class="y-row y-form__foot">
				{cancel !== undefined && <Button onClick={cancel}>{t("action.cancel")}</Button>}
				<Button type="submit" kind={danger === true ? "danger" : "main"} busy={form.busy} disabled={disabled}>
					{action}
				</Button>
			</div>
		</form>
	);
}
/** A label, a hint and a fault around one control, which gets their ids. */
export function Field({ label, hint, fault, required, children }: { label: string; hint?: ComponentChildren; fault?: string; required?: boolean; children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined; required: boolean | undefined }) => ComponentChildren }) {
	const id = useId();
	const bad = fault !== undefined && fault !== "";
	return (
		<div class={cx("y-field", bad && "is-bad")}>
			<label for={id}>
				{label}
				{required === true && <span class="y-field__required">{t("form.required")}</span>}
			</label>
			{hint !== undefined && (
				<p class="y-field__hint" id={`${id}-hint`}>
					{hint}
				</p>
			)}
			{children({ id, "aria-describedby": [hint !== undefined && `${id}-hint`, bad && `${id}-fault`].filter(Boolean).join(" ") || undefined, "aria-invalid": bad || undefined, required: required || undefined })}
			{bad && (
				<p class="y-field__fault" id={`${id}-fault`}>
					{fault}
				</p>
			)}
		</div>
	);
}
type Common = { label: string; hint?: ComponentChildren; fault?: string; required?: boolean; value: string; onChange: (value: string) => void };
type InputProps = Omit<JSX.IntrinsicElements["input"], "onChange" | "value" | "label">;
export function TextField({ label, hint, fault, required, value, onChange, ...rest }: Common & InputProps) {
	return (
		<Field label={label} hint={hint} fault={fault} required={required}>
			{(ids) => <input class="y-input" type="text" autocomplete="off" {...(rest as object)} {...ids} value={value} onInput={(e) => onChange(e.currentTarget.value)} />}
		</Field>
	);
}
export function TextArea({ label, hint, fault, required, value, onChange, rows = 3 }: Common & { rows?: number }) {
	return (
		<Field label={label} hint={hint} fault={fault} required={required}>
			{(ids) => <textarea class="y-input" rows={rows} {...ids} value={value} onInput={(e) => onChange(e.currentTarget.value)} />}
		</Field>
	);
}
export function SelectField({ label, hint, fault, required, value, onChange, options }: Common & { options: [string, string][] }) {
	return (
		<Field label={label} hint={hint} fault={fault} required={required}>
			{(ids) => (
				<span class="y-select">
					<select class="y-input" {...ids} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
						{options.map(([v, text]) => (
							<option key={v} value={v}>
								{text}
							</option>
						))}
					</select>
					<Icon name="down" />
				</span>
			)}
		</Field>
	);
}
/** A select without a visible label, for filters. */
export function Select({ label, value, onChange, options }: { label: string; value: string; onChange: (value: string) => void; options: [string, string][] }) {
	return (
		<span class="y-select">
			<select class={cx("y-input", value !== "" && value !== options[0]?.[0] && "is-set")} aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
				{options.map(([v, text]) => (
					<option key={v} value={v}>
						{text}
					</option>
				))}
			</select>
			<Icon name="down" />
		</span>
	);
}
export function Check({ label, checked, onChange, hint, disabled }: { label: ComponentChildren; checked: boolean; onChange: (on: boolean) => void; hint?: string; disabled?: boolean }) {
	return (
		<label class="y-check">
			<input type="checkbox" checked={checked} disabled={disabled} onChange={(e) => onChange(e.currentTarget.checked)} />
			<span>
				{label}
				{hint !== undefined && <small>{hint}</small>}
			</span>
		</label>
	);
}
export function Radios({ label, value, onChange, options }: { label: string; value: string; onChange: (value: string) => void; options: [string, ComponentChildren, string?][] }) {
	const name = useId();
	return (
		<fieldset class="y-radios">
			<legend>{label}</legend>
			{options.map(([v, text, hint]) => (
				<label key={v} class="y-check">
					<input type="radio" name={name} checked={v === value} onChange={() => onChange(v)} />
					<span>
						{text}
						{hint !== undefined && <small>{hint}</small>}
					</span>
				</label>
			))}
		</fieldset>
	);
}

export interface Choice {
	value: string;
	label: string;
	note?: string;
}
interface ComboboxProps {
	label: string;
	value: string;
	/** Called with what was chosen, or with the text itself when `free`. */
	onChange: (value: string, choice?: Choice) => void;
	/** What a value is called that was not chosen here. */
	nameOf?: (value: string) => string;
	/** The choices for what is typed. */
	find: (text: string) => Choice[] | Promise<Choice[]>;
	free?: boolean;
	hint?: ComponentChildren;
	fault?: string;
	required?: boolean;
	placeholder?: string;
	/** The label is for screen readers only. */
	bare?: boolean;
	/** The choices are shown when it has the focus; else when one clicks, types or goes down. */
	atOnce?: boolean;
}
/** Type-ahead: choices come while one types; arrows, Enter, Escape. */
export function Combobox(p: ComboboxProps) {
	const chosen = useRef<Choice>({ value: "", label: "" });
	const name = p.value === chosen.current.value ? chosen.current.label : (p.nameOf?.(p.value) ?? p.value);
	const [text, setText] = useState(name);
	const [choices, setChoices] = useState<Choice[]>([]);
	const [open, setOpen] = useState(false);
	const [active, setActive] = useState(-1);
	const round = useRef(0);
	const looked = useRef(""); // what the choices are for
	const list = useId();
	useEffect(() => setText(name), [name]);
	const look = async (s: string) => {
		const mine = ++round.current;
		await new Promise((done) => setTimeout(done, s === "" ? 0 : 120));
		if (mine !== round.current) return;
		const found = await Promise.resolve(p.find(s)).catch(() => []);
		if (mine !== round.current) return;
		looked.current = s;
		setChoices(found.slice(0, 50));
		setActive(found.length > 0 && !p.free ? 0 : -1);
		setOpen(true);
	};
	const close = () => {
		round.current++;
		setOpen(false);
	};
	const choose = (c: Choice | undefined) => {
		close();
		if (c !== undefined) {
			chosen.current = c;
			setText(c.label);
			p.onChange(c.value, c);
		} else if (p.free === true) p.onChange(text.trim());
		else setText(name);
	};
	/** Whoever types faster than choices come means what fits the text, not what stood there before. */
	const enter = async () => {
		if (looked.current === text || (looked.current === "" && text === name)) return choose(choices[active]);
		if (p.free === true) return choose(undefined);
		const mine = ++round.current;
		const found = await Promise.resolve(p.find(text)).catch(() => []);
		if (mine === round.current) choose(found[0]);
	};
	const onKey = (e: KeyboardEvent) => {
		if (e.isComposing) return;
		if (e.key === "ArrowDown" || e.key === "ArrowUp") {
			e.preventDefault();
			if (!open) void look(text === name ? "" : text);
			else setActive((i) => (i + (e.key === "ArrowDown" ? 1 : choices.length - 1) + (i < 0 && e.key === "ArrowUp" ? 1 : 0)) % Math.max(choices.length, 1));
		} else if (e.key === "Enter" && open) {
			e.preventDefault();
			void enter();
		} else if (e.key === "Escape" && open) {
			e.preventDefault();
			close();
		}
	};
	const control = (ids: object) => (
		<div class="y-combo">
			<input
				class="y-input"
				type="text"
				role="combobox"
				autocomplete="off"
				spellcheck={false}
				aria-expanded={open}
				aria-controls={list}
				aria-autocomplete="list"
				aria-activedescendant={open && active >= 0 ? `${list}-${active}` : undefined}
				aria-label={p.bare === true ? p.label : undefined}
				placeholder={p.placeholder}
				{...ids}
				value={text}
				onInput={(e) => {
					setText(e.currentTarget.value);
					void look(e.currentTarget.value);
				}}
				onFocus={() => p.atOnce === true && void look("")}
				onClick={() => !open && void look("")}
				onBlur={() => {
					close(); // nor do choices that are still on their way open over what has the focus now
					if (text.trim() === "" && p.value !== "" && p.required !== true && p.bare !== true) p.onChange("");
					else if (open || text !== name) choose(p.free === true ? undefined : choices.find((c) => c.label === text || c.value === text));
				}}
				onKeyDown={onKey}
			/>
			<ul class="y-menu__list y-combo__list" role="listbox" id={list} aria-label={p.label} hidden={!open || choices.length === 0}>
				{choices.map((c, i) => (
					<li
						key={c.value}
						id={`${list}-${i}`}
						role="option"
						aria-selected={i === active}
						class="y-menu__item"
						onMouseDown={(e) => {
							e.preventDefault();
							choose(c);
						}}
					>
						{c.label}
						{c.note !== undefined && <small>{c.note}</small>}
					</li>
				))}
			</ul>
		</div>
	);
	if (p.bare === true) return control({});
	return (
		<Field label={p.label} hint={p.hint} fault={p.fault} required={p.required}>
			{control}
		</Field>
	);
}
/** What a list is sorted by, in the address: the newest first unless another is chosen. */
export function Sort<T extends string>({ names, label }: { names: readonly T[]; label: (name: T) => string }) {
	return <Select label={t("sort")} value={param("sort")} onChange={(sort) => setQuery({ sort })} options={[["", t("sort.newest")], ...names.map((x): [string, string] => [x, label(x)])]} />;
}
