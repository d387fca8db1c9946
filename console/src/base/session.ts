// Who is signed in and what they may do.  Buttons ask may(); the server decides.
import { computed, signal } from "@preact/signals";
import { api, hooks } from "./api";
import { type Lang, setLang } from "./i18n";
import type { Asked } from "./plain";
import { type Theme, theme } from "./prefs";
import { frozen, param, place, range } from "./router";

export interface Reach {
	all?: boolean;
	orgs?: string[];
	systems?: string[];
	/** Of an auditor: what was made within it. */
	period_from?: string | null;
	period_to?: string | null;
}
export interface Session {
	/** Null: the local administrator, who has no session either. */
	person: { id: string; login: string; name: string; language: Lang; theme: Theme; home: string } | null;
	session: { id: string; expires_at: string; step_up_until: string | null; method: string } | null;
	permissions: Record<string, Reach>;
	roles: { role: string; node: string; system?: string; period_from?: string | null; period_to?: string | null }[];
	scope_tree_root: string;
	demo: boolean;
	version: string;
}
export const session = signal<Session | null>(null);
/** What the address asks for, as first.ts of a page wants it. */
export const asked = (): Asked => ({ place: place.value, param, range, login: session.value?.person?.login ?? "" });
export const myId = computed(() => session.value?.person?.id ?? "");
/** The node that all is below that one may see; "": there is none but the whole. */
export const rootOrg = () => session.value?.scope_tree_root ?? "";

/** May the person do this at all; with an organisation: there? */
export function may(permission: string, org?: string): boolean {
	const r = session.value?.permissions[permission];
	if (r === undefined) return false;
	if (r.all === true || org === undefined || org === "") return r.all === true || org !== "";
	return r.orgs?.includes(org) === true;
}
/** May the person do this for all organisations? */
export function mayAll(permission: string): boolean {
	return session.value?.permissions[permission]?.all === true;
}

export async function loadSession(): Promise<void> {
	const s = await api.get<Session>("/session");
	session.value = s;
	const end = s.roles.find((r) => r.role === "auditor")?.period_to ?? "";
	frozen.value = end !== "" && Date.parse(end) < Date.now() ? end : "";
	if (s.person?.theme !== undefined) theme.value = s.person.theme;
	if (s.person?.language === "ja" || s.person?.language === "en") await setLang(s.person.language);
}
/** Keeps a choice with the person, so that it is there on every machine. */
export function keepChoice(patch: { theme?: Theme; language?: Lang }): void {
	if (session.peek()?.person === null) return;
	api.patch("/me", patch, "*").catch(() => {
		// it holds in this browser all the same
	});
}
export async function signOut(): Promise<void> {
	await api.del("/session").catch(() => undefined);
	location.assign("/signin?why=out");
}
hooks.signedOut = () => {
	// who was not signed in yet has nothing that ended
	location.assign(`/signin?${session.peek() === null ? "" : "why=ended&"}next=${encodeURIComponent(location.pathname + location.search)}`);
};
