// Texts.  Common ones are in base/{ja,en}.json, a page's in its own folder and
// loaded with it.  `t("alerts.title")`; `{n}` is filled in, `{n|day|days}` chooses
// by the plural rules of the language.
import { effect, signal } from "@preact/signals";
import { type Lang, early, languageOf, manifestOf } from "./plain";
import { stored } from "./prefs";

export type { Lang };
type Texts = Record<string, string>;
export type Fill = Record<string, string | number>;

export const manifest = manifestOf();
const chosen = stored<Lang | "">("language", "");
export const lang = signal<Lang>(languageOf(chosen.value));
const texts = signal<Texts>({});
const loaded = new Map<string, Promise<void>>();
const parts = new Set<string>([""]);

async function fetchTexts(file: string): Promise<Texts> {
	const address = `/assets/${file}`;
	const r = await (early(address) ?? fetch(address));
	if (!r.ok) throw new Error(`${file}: ${r.status}`);
	return (await r.json()) as Texts;
}

/** Loads the texts of a page ("": the common ones) in the language now chosen. */
export function loadTexts(page: string): Promise<void> {
	parts.add(page);
	const l = lang.peek();
	const file = page === "" ? manifest.dict[l] : manifest.pages[page]?.[l];
	const id = `${l}/${page}`;
	if (file === undefined) return Promise.resolve();
	let p = loaded.get(id);
	if (p === undefined) {
		p = fetchTexts(file).then((more) => {
			texts.value = { ...texts.peek(), ...more };
		});
		p.catch(() => loaded.delete(id));
		loaded.set(id, p);
	}
	return p;
}

/** Changes the language; the page is drawn anew when its texts are there. */
export async function setLang(l: Lang): Promise<void> {
	chosen.value = l;
	if (l === lang.peek()) return;
	const files = [...parts].map((page) => (page === "" ? manifest.dict[l] : manifest.pages[page]?.[l]));
	const all = await Promise.all(files.filter((f) => f !== undefined).map(fetchTexts));
	loaded.clear();
	for (const page of parts) loaded.set(`${l}/${page}`, Promise.resolve());
	texts.value = Object.assign({}, ...all) as Texts;
	lang.value = l;
}

const formats = new Map<string, Intl.NumberFormat | Intl.RelativeTimeFormat>();
/** Formatters of the page's language: to make one takes longer than a row of a table, so each is made once. */
export function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
	const key = `${lang.value} ${JSON.stringify(options)}`;
	let f = formats.get(key) as Intl.NumberFormat | undefined;
	if (f === undefined) formats.set(key, (f = new Intl.NumberFormat(lang.value, options)));
	return f;
}
export function distances(): Intl.RelativeTimeFormat {
	let f = formats.get(lang.value) as Intl.RelativeTimeFormat | undefined;
	if (f === undefined) formats.set(lang.value, (f = new Intl.RelativeTimeFormat(lang.value, { numeric: "auto", style: "short" })));
	return f;
}
const rules = { ja: new Intl.PluralRules("ja"), en: new Intl.PluralRules("en") };
function put(text: string, fill: Fill | undefined): string {
	if (fill === undefined || !text.includes("{")) return text;
	return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (all, name: string, one?: string, other?: string) => {
		const value = fill[name];
		if (value === undefined) return all;
		if (one !== undefined) return (rules[lang.peek()].select(Number(value)) === "one" ? one : other) ?? "";
		return typeof value === "number" ? value.toLocaleString(lang.peek()) : value;
	});
}

/** The text of a key, in the chosen language. */
export function t(key: string, fill?: Fill): string {
	return put(texts.value[key] ?? key, fill);
}
/** The same for a key that stands in a table (marked there with k()). */
export const textOf = (key: string): string => t(key);
/** Is there a text of this key? For keys made of data. */
export function hasText(key: string): boolean {
	return texts.value[key] !== undefined;
}
/** The text of a key made of data, or the fallback when there is none. */
export function textOr(key: string, fallback: string): string {
	return texts.value[key] ?? fallback;
}
/** Marks a key that stands in a table, so that the build sees its use. */
export function k(key: string): string {
	return key;
}
/** Of {title_ja, title_en} the one of the chosen language, or what there is. */
export function titleOf(x: { title_ja?: string; title_en?: string; title?: string; name?: string } | undefined): string {
	if (x === undefined) return "";
	return (lang.value === "ja" ? x.title_ja || x.title_en : x.title_en || x.title_ja) || x.title || x.name || "";
}

effect(() => {
	document.documentElement.lang = lang.value;
});
