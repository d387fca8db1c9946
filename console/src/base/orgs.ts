// The organisations the person may see, read once and kept fresh enough for names
// and type-ahead.  A name that is not among them is shown as it is.
import { signal } from "@preact/signals";
import { type PageOf, api, at } from "./api";
import { lang, t, titleOf } from "./i18n";
import { ORGS } from "./plain";
import { may } from "./session";

export interface Organisation {
	name: string;
	title_ja: string;
	title_en: string;
	kind?: "centre" | "sector" | "organisation" | "unit";
	parent?: string | null;
	prefecture?: number;
	demo: boolean;
	created_at: string;
	updated_at: string;
	etag: string;
}
export interface System {
	id: string;
	org: string;
	name: string;
	title_ja: string;
	title_en: string;
}
const all = signal<Map<string, Pick<Organisation, "name" | "title_ja" | "title_en"> & Partial<Organisation>>>(new Map());
const systems = signal<Map<string, System>>(new Map());
let reading: Promise<void> | undefined;
const asked = new Set<string>();

async function readAll(): Promise<void> {
	const [permission, path, params] = ORGS;
	if (!may(permission)) return; // names come with what one may read
	const next = new Map<string, Organisation>();
	for (let cursor: string | null = ""; cursor !== null && next.size < 5000; ) {
		const p: PageOf<Organisation> = await api.get<PageOf<Organisation>>(path, { ...params, cursor });
		for (const o of p.items) next.set(o.name, o);
		cursor = p.next_cursor;
	}
	all.value = next;
}
/** Titles that came with other things, for those who may not read the organisations. */
export function knowOrgs(rows: { org: string; title_ja: string; title_en: string }[]): void {
	if (rows.some((r) => !all.peek().has(r.org))) all.value = new Map([...rows.map((r) => [r.org, { name: r.org, title_ja: r.title_ja, title_en: r.title_en }] as const), ...all.peek()]);
}
/** Reads the organisations if that has not been done; `again` after one was added or changed. */
export function loadOrgs(again = false): Promise<void> {
	if (again || reading === undefined) {
		reading = readAll().catch(() => {
			reading = undefined;
		});
	}
	return reading;
}
/** The title of an organisation; reads the list when it is needed first. */
export function orgTitle(name: string | null | undefined): string {
	if (name === null || name === undefined || name === "") return "";
	if (reading === undefined) void loadOrgs();
	return titleOf(all.value.get(name)) || name;
}
export function orgOf(name: string) {
	return all.value.get(name);
}
export function orgList() {
	return [...all.value.values()].sort((a, b) => titleOf(a).localeCompare(titleOf(b), lang.value));
}
const plain = (s: string) => s.normalize("NFKC").toLowerCase();
/** For a Combobox: organisations that fit what is typed. */
export async function findOrgs(text: string): Promise<{ value: string; label: string; note: string }[]> {
	await loadOrgs();
	const want = plain(text);
	return orgList()
		.filter((o) => plain(`${o.name} ${o.title_ja} ${o.title_en}`).includes(want))
		.map((o) => ({ value: o.name, label: titleOf(o), note: o.name }));
}
/** The title of an information system by its id. */
export function systemTitle(id: string): string {
	if (id !== "" && !asked.has(id)) {
		asked.add(id);
		api.get<System>(at`/systems/${id}`).then(
			(s) => {
				systems.value = new Map(systems.peek()).set(id, s);
			},
			() => undefined,
		);
	}
	return titleOf(systems.value.get(id)) || id;
}
/** Addresses and hosts that alerts of the scope are about, and the hosts of the system. */
export async function findAssets(org: string, system: string, text: string): Promise<{ value: string; label: string; note: string }[]> {
	const of = { org, ...(system !== "" && { system }) };
	const [groups, hosts] = await Promise.all([
		api.get<PageOf<{ key: string; count: number }>>("/alert-groups", { ...of, by: "asset", limit: 200 }).catch(() => undefined),
		system === "" ? undefined : api.get<{ hosts: string[] }>(at`/systems/${system}`).catch(() => undefined),
	]);
	const found = new Map((hosts?.hosts ?? []).map((h) => [h, ""]));
	for (const g of groups?.items ?? []) if (g.key !== "") found.set(g.key, t("scope.asset-alerts", { n: g.count }));
	return [...found].filter(([key]) => plain(key).includes(plain(text))).map(([value, note]) => ({ value, label: value, note }));
}
export async function findSystems(org: string, text: string): Promise<{ value: string; label: string; note: string }[]> {
	const p = await api.get<PageOf<System>>("/systems", { org, limit: 200 });
	systems.value = new Map([...systems.peek(), ...p.items.map((s) => [s.id, s] as const)]);
	return p.items.filter((s) => plain(`${s.name} ${s.title_ja} ${s.title_en}`).includes(plain(text))).map((s) => ({ value: s.id, label: titleOf(s), note: s.name }));
}
