// The keyboard.  Every shortcut also has a button; `?` lists them; single keys can
// be switched off (WCAG 2.1.4).
import { useEffect, useRef } from "preact/hooks";
import { singleKeys } from "./prefs";

export interface Shortcut {
	/** "j", "?", "Escape", "Enter", "g a" (one after the other), "Ctrl+k" */
	keys: string;
	label: string;
	run: (e: KeyboardEvent) => void;
	/** Also while a field has the focus. */
	always?: boolean;
}
interface Layer {
	title: string;
	items: Shortcut[];
}
const layers: Layer[] = [];
/** What the overlay lists. */
export const shortcuts = (): readonly Layer[] => layers;

/** Registers while the component is there. */
export function useKeys(title: string, items: Shortcut[]): void {
	const layer = useRef<Layer>({ title, items }).current;
	layer.title = title;
	layer.items = items;
	useEffect(() => {
		layers.push(layer);
		return () => {
			layers.splice(layers.indexOf(layer), 1);
		};
	}, []);
}

let first = "";
let timer = 0;
const name = (e: KeyboardEvent) => (e.ctrlKey || e.metaKey ? "Ctrl+" : "") + e.key;
function inField(e: Event): boolean {
	const x = e.target as HTMLElement;
	return x.isContentEditable || x.tagName === "TEXTAREA" || x.tagName === "SELECT" || (x.tagName === "INPUT" && !["checkbox", "radio", "button"].includes((x as HTMLInputElement).type));
}
function onKey(e: KeyboardEvent): void {
	if (e.altKey || e.isComposing || e.defaultPrevented) return;
	const key = name(e);
	const field = inField(e);
	// Enter and Space belong to what has the focus
	if ((key === "Enter" || key === " ") && (e.target as HTMLElement).closest("button,a,summary,[role=tab],[role=option],[role=menuitem]") !== null) return;
	const modal = document.querySelector("dialog[open]:modal") !== null;
	// "g j" before the list's own "j"
	for (const wanted of first === "" ? [key] : [`${first} ${key}`, key]) {
		for (const s of [...layers].reverse().flatMap((layer) => layer.items)) {
			const plain = !s.keys.startsWith("Ctrl+") && s.keys !== "Escape";
			if (s.keys !== wanted || (field && s.always !== true) || (modal && s.always !== true) || (plain && !singleKeys.peek())) continue;
			first = "";
			e.preventDefault();
			s.run(e);
			return;
		}
	}
	first = field ? "" : key;
	clearTimeout(timer);
	timer = setTimeout(() => {
		first = "";
	}, 1200);
}
document.addEventListener("keydown", onKey);
