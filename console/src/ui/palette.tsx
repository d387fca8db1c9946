// Ctrl K: every page, every organisation, an alert or event by its id, the looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { lang, setLang, t, textOf } from "../base/i18n";
import { navPages } from "../base/nav";
import { findOrgs } from "../base/orgs";
import { theme } from "../base/prefs";
import { go, link, withScope } from "../base/router";
import { keepChoice, may } from "../base/session";
import { Dialog } from "./overlay";

interface Entry {
	key: string;
	label: string;
	note: string;
	run: () => void;
}
function fixedEntries(): Entry[] {
	const pages = navPages().flatMap((g) => g.pages.map((p) => ({ key: p.page, label: textOf(p.label), note: t("palette.page"), run: () => go(link(p.page)) })));
	const looks = (["system", "light", "dark"] as const).map((x) => ({
		key: `theme-${x}`,
		label: t(`theme.${x}`),
		note: t("palette.look"),
		run: () => {
			theme.value = x;
			keepChoice({ theme: x });
		},
	}));
	const other = lang.value === "ja" ? ("en" as const) : ("ja" as const);
	return [
		...pages,
		...(may("indicators:write") ? [{ key: "new-rule", label: t("palette.new-rule"), note: t("nav.detection-rules"), run: () => go(link("detection-rule")) }] : []),
		{ key: "account", label: t("account.page"), note: t("palette.page"), run: () => go(link("account", { scope: {} })) },
		{ key: "whole", label: t("scope.whole"), note: t("scope.title"), run: () => go(withScope({ org: "" })) },
		...looks,
		{
			key: "language",
			label: t("language.switch"),
			note: t("palette.look"),
			run: () => {
				void setLang(other);
				keepChoice({ language: other });
			},
		},
	];
}
const plain = (s: string) => s.normalize("NFKC").toLowerCase();

export function Palette({ onClose }: { onClose: () => void }) {
	const [text, setText] = useState("");
	const [entries, setEntries] = useState<Entry[]>(fixedEntries);
	const [at, setAt] = useState(0);
	const list = useRef<HTMLUListElement>(null);
	useEffect(() => {
		let gone = false;
		const want = plain(text.trim());
		const found = fixedEntries().filter((e) => plain(`${e.label} ${e.key}`).includes(want));
		const id = text.trim();
		if (/^a-[0-9A-Z]{26}$/.test(id)) found.unshift({ key: id, label: id, note: t("nav.alerts"), run: () => go(link("alerts", { rest: [id] })) });
		else if (/^r-[0-9A-Z]{26}$/.test(id)) found.unshift({ key: id, label: id, note: t("nav.detection-rules"), run: () => go(link("detection-rule", { rest: [id] })) });
		else if (want !== "") {
			if (may("alerts:read")) found.push({ key: "find-alerts", label: t("palette.find-alerts", { text: id }), note: t("nav.alerts"), run: () => go(link("alerts", { query: { q: id } })) });
			if (may("events:read")) found.push({ key: "find-events", label: t("palette.find-events", { text: id }), note: t("nav.search"), run: () => go(link("search", { query: { q: id } })) });
			if (may("indicators:read")) found.push({ key: "find-rules", label: t("palette.find-rules", { text: id }), note: t("nav.detection-rules"), run: () => go(link("detection-rules", { query: { q: id } })) });
		}
		setEntries(found);
		setAt(0);
		if (want !== "" && may("org:read"))
			void findOrgs(text).then((orgs) => {
				if (!gone) setEntries([...found, ...orgs.slice(0, 20).map((o) => ({ key: `org-${o.value}`, label: o.label, note: t("scope.organisation"), run: () => go(withScope({ org: o.value })) }))]);
			}).catch(() => undefined);
		return () => {
			gone = true;
		};
	}, [text]);
	const run = (e: Entry | undefined) => {
		if (e === undefined) return;
		onClose();
		e.run();
	};
	return (
		<Dialog title={t("palette.title")} onClose={onClose}>
			<div class="y-palette">
				<input
					class="y-input"
					type="text"
					role="combobox"
					aria-expanded="true"
					aria-controls="palette-list"
					aria-activedescendant={`palette-${at}`}
					aria-label={t("palette.open")}
					placeholder={t("palette.open")}
					autocomplete="off"
					spellcheck={false}
					value={text}
					onInput={(e) => setText(e.currentTarget.value)}
					onKeyDown={(e) => {
						if (e.isComposing) return;
						const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
						if (by !== undefined) {
							e.preventDefault();
							const next = (at + by + entries.length) % Math.max(1, entries.length);
							setAt(next);
							list.current?.children[next]?.scrollIntoView({ block: "nearest" });
						} else if (e.key === "Enter") {
							e.preventDefault();
							run(entries[at]);
						}
					}}
				/>
				<ul role="listbox" id="palette-list" ref={list} aria-label={t("palette.title")}>
					{entries.map((e, i) => (
						<li key={e.key} id={`palette-${i}`} role="option" aria-selected={i === at} class="y-menu__item" onMouseMove={() => setAt(i)} onClick={() => run(e)}>
							<span>{e.label}</span>
							<small>{e.note}</small>
						</li>
					))}
					{entries.length === 0 && <li class="y-soft">{t("palette.none")}</li>}
				</ul>
			</div>
		</Dialog>
	);
}
