// What this browser remembers of its user: nothing that is worth stealing.
import { type Signal, effect, signal } from "@preact/signals";

export function stored<T>(name: string, fallback: T): Signal<T> {
	const key = `yagura.${name}`;
	let first = fallback;
	try {
		const text = localStorage.getItem(key);
		if (text !== null) first = JSON.parse(text) as T;
	} catch {
		// no storage, or not ours: the fallback will do
	}
	const s = signal(first);
	effect(() => {
		const value = s.value;
		try {
			if (JSON.stringify(value) === JSON.stringify(fallback)) localStorage.removeItem(key);
			else localStorage.setItem(key, JSON.stringify(value));
		} catch {
			// private window
		}
	});
	return s;
}

export type Theme = "system" | "light" | "dark";
export const theme = stored<Theme>("theme", "system");
export const zone = stored<"JST" | "UTC">("zone", "JST");
export const dense = stored("dense", true);
export const singleKeys = stored("keys", true);
export const navOpen = stored("nav", true);

effect(() => {
	if (theme.value === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme.value;
});
