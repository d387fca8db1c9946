// The box for the query: plain words and conditions, completed while one types.
import { Button, Icon, Popover, quoted, t, useEffect, useId, useRef, useState } from "../../kit";
import { type Event, type EventField, SHORT, type Token, describe, seen, tokenAt } from "./model";

interface Choice {
	text: string;
	note: string;
	put: string;
}
const plain = (s: string) => s.normalize("NFKC").toLowerCase();

function values(at: Token, fields: EventField[], events: Event[]): Choice[] {
	const [name, byName] = SHORT[at.field] ?? [at.field, false];
	const known = fields.find((x) => x.name === name)?.values ?? [];
	const all = new Map(known.map((v) => (byName ? [v.name, v.value] : [v.value, v.name === v.value ? "" : v.name])));
	if (!byName) for (const v of seen(events, name)) if (!all.has(v)) all.set(v, "");
	const want = plain(at.text);
	return [...all]
		.filter(([v, note]) => plain(`${v} ${note}`).includes(want) && plain(v) !== want)
		.slice(0, 12)
		.map(([v, note]) => ({ text: v, note, put: `${quoted(v)} ` }));
}
function choices(at: Token, fields: EventField[], events: Event[]): Choice[] {
	if (at.field !== "") return values(at, fields, events);
	const want = plain(at.text);
	const all = [...Object.keys(SHORT).map((name) => ({ name, note: t(`search.short.${name}`) })), ...fields.map((f) => ({ name: f.name, note: describe(f) }))];
	const rank = (name: string) => (name.startsWith(want) ? 0 : name.includes(want) ? 1 : 2);
	return all
		.filter((f) => plain(`${f.name} ${f.note}`).includes(want))
		.sort((a, b) => rank(a.name) - rank(b.name))
		.slice(0, 12)
		.map((f) => ({ text: f.name, note: f.note, put: `${f.name}:` }));
}

const SYNTAX = [
	["evil.example 192.0.2.7", "words"],
	["192.0.2.0/24 *.evil.example", "wild"],
	['"GET /admin" login', "raw"],
	['query:evil.example user:"Taro Yamada"', "field"],
	["url:*login* answers:*", "some"],
	["dst_port:443 bytes_out:>1000000 dst_port:1..1023", "number"],
	["class:dns_activity severity:>=high status:failure", "named"],
	["a OR b -c (a OR b) NOT d", "join"],
] as const;
function Syntax() {
	return (
		<Popover label={t("search.syntax")} icon="info" kind="quiet" end>
			{() => (
				<div class="y-stack y-syntax">
					<h2>{t("search.syntax")}</h2>
					<dl>
						{SYNTAX.map(([code, key]) => (
							<div key={key}>
								<dt>
									<code>{code}</code>
								</dt>
								<dd>{t(`search.syntax.${key}`)}</dd>
							</div>
						))}
					</dl>
					<p class="y-soft">{t("search.syntax.complete")}</p>
				</div>
			)}
		</Popover>
	);
}

/** The place of which an error says "at 7", marked. */
function Fault({ q, message, id }: { q: string; message: string; id: string }) {
	const m = / at (\d+)\b/.exec(message);
	const at = m === null ? -1 : Number(m[1]) - 1;
	const unknown = /unknown field '([^']*)'/.exec(message);
	const chars = [...q];
	const end = chars.findIndex((c, i) => i > at && /[\s():]/.test(c));
	const to = end < 0 ? chars.length : end;
	return (
		<div class="y-field__fault" id={id} role="alert">
			<p>{unknown === null ? message : t("search.unknown-field", { name: unknown[1] as string })}</p>
			{at >= 0 && (
				<code class="y-faultplace">
					{chars.slice(0, at).join("")}
					<mark>{chars.slice(at, to).join("") || " "}</mark>
					{chars.slice(to).join("")}
				</code>
			)}
		</div>
	);
}

export function QueryBox({ q, run, fields, events, fault }: { q: string; run: (q: string) => void; fields: EventField[]; events: Event[]; fault: string }) {
	const [text, setText] = useState(q);
	const [open, setOpen] = useState(false);
	const [active, setActive] = useState(-1);
	const [at, setAt] = useState<Token>({ from: 0, to: 0, field: "", text: "" });
	const input = useRef<HTMLInputElement>(null);
	const id = useId();
	useEffect(() => setText(q), [q]);
	const list = open ? choices(at, fields, events) : [];
	const look = (always: boolean) => {
		const x = input.current;
		if (x === null) return;
		const token = tokenAt(x.value, x.selectionStart ?? x.value.length);
		setAt(token);
		setActive(-1);
		setOpen(always || token.text !== "" || token.field !== "");
	};
	const put = (c: Choice) => {
		const next = text.slice(0, at.from) + c.put + text.slice(at.to).trimStart();
		setText(next);
		setOpen(false);
		requestAnimationFrame(() => {
			const x = input.current;
			if (x === null) return;
			x.focus();
			x.setSelectionRange(at.from + c.put.length, at.from + c.put.length);
			if (c.put.endsWith(":")) look(true);
		});
	};
	const onKey = (e: KeyboardEvent) => {
		if (e.isComposing) return;
		if (e.key === "ArrowDown" || e.key === "ArrowUp") {
			e.preventDefault();
			if (!open) look(true);
			else if (list.length > 0) setActive((i) => (i + (e.key === "ArrowDown" ? 1 : list.length - (i < 0 ? 0 : 1))) % list.length);
		} else if (e.key === "Enter" && open && active >= 0) {
			e.preventDefault();
			put(list[active] as Choice);
		} else if (e.key === "Escape" && open) {
			e.preventDefault();
			setOpen(false);
		}
	};
	return (
		<form
			class="y-query"
			role="search"
			onSubmit={(e) => {
				e.preventDefault();
				setOpen(false);
				run(text.trim());
			}}
		>
			<div class="y-combo y-query__box">
				<Icon name="search" />
				<input
					ref={input}
					class="y-input"
					type="text"
					role="combobox"
					data-search
					autocomplete="off"
					autocapitalize="off"
					spellcheck={false}
					maxLength={4096}
					aria-label={t("search.query")}
					placeholder={t("search.placeholder")}
					aria-expanded={open && list.length > 0}
					aria-controls={`${id}-list`}
					aria-autocomplete="list"
					aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
					aria-invalid={fault !== "" || undefined}
					aria-describedby={fault !== "" ? `${id}-fault` : undefined}
					value={text}
					onInput={(e) => {
						setText(e.currentTarget.value);
						look(false);
					}}
					onBlur={() => setOpen(false)}
					onKeyDown={onKey}
				/>
				<ul class="y-menu__list y-combo__list" role="listbox" id={`${id}-list`} aria-label={t("search.query")} hidden={list.length === 0}>
					{list.map((c, i) => (
						<li
							key={c.text}
							id={`${id}-${i}`}
							role="option"
							aria-selected={i === active}
							class="y-menu__item"
							onMouseDown={(e) => {
								e.preventDefault();
								put(c);
							}}
						>
							<code>{c.text}</code>
							{c.note !== "" && <small>{c.note}</small>}
						</li>
					))}
				</ul>
			</div>
			<Button type="submit" kind="main">
				{t("search.run")}
			</Button>
			<Syntax />
			{fault !== "" && <Fault q={q} message={fault} id={`${id}-fault`} />}
		</form>
	);
}
