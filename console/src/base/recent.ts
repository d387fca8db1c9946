// What was looked at last, in this browser: addresses alone.  Titles are asked for when they are
// shown, so nobody reads here what they may not read there.
import { computed, effect } from "@preact/signals";
import { stored } from "./prefs";
import { link, place } from "./router";
import { myId } from "./session";

export interface Recent {
	page: "alerts" | "systems" | "organisations" | "people";
	id: string;
}
const PAGES: readonly string[] = ["alerts", "systems", "organisations", "people"];
const MOST = 12;
const kept = stored<{ person: string; items: Recent[] }>("recent", { person: "", items: [] });

/** The newest first; of the person who is signed in alone. */
export const recent = computed(() => (kept.value.person === myId.value ? kept.value.items : []));
/** Its page, in its own scope. */
export const recentHref = (r: Recent) => link(r.page, { scope: {}, rest: [r.id] });
export function forgetRecent(): void {
	kept.value = { person: "", items: [] };
}
effect(() => {
	const { page, rest } = place.value;
	const [id] = rest;
	if (id === undefined || myId.value === "" || !PAGES.includes(page)) return;
	const before = recent.peek().filter((r) => r.page !== page || r.id !== id);
	kept.value = { person: myId.value, items: [{ page: page as Recent["page"], id }, ...before].slice(0, MOST) };
});
