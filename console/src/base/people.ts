// Names of people and of other actors, read when they are needed, those of one moment together.
import { signal } from "@preact/signals";
import { type PageOf, api } from "./api";
import { t } from "./i18n";
import { may, session } from "./session";

export interface Person {
	id: string;
	login: string;
	name: string;
	state?: "invited" | "active" | "disabled";
}
const names = signal<Map<string, string>>(new Map());
const asked = new Set<string>();
const wanted: string[] = [];
/** Those whom one may not know are not in the answer, and stay their ids. */
function look(): void {
	const ids = wanted.splice(0, 100);
	if (wanted.length > 0) setTimeout(look);
	api.get<PageOf<Person>>("/people", { id: ids.join(",") }).then(
		(p) => keep(p.items),
		() => undefined,
	);
}

function keep(all: Person[]): void {
	names.value = new Map([...names.peek(), ...all.map((p) => [p.id, p.name || p.login] as const)]);
}
/** The name of a person by the id; the id itself where one may not know. */
export function personName(id: string): string {
	const me = session.value?.person;
	if (id === me?.id) return me.name || me.login;
	if (id !== "" && !asked.has(id) && may("people:read")) {
		asked.add(id);
		if (wanted.push(id) === 1) setTimeout(look);
	}
	return names.value.get(id) ?? id;
}
/** For a Combobox: people who fit what is typed; the value is the id. */
export async function findPersons(text: string): Promise<{ value: string; label: string; note: string }[]> {
	const p = await api.get<PageOf<Person>>("/people", { limit: 200 });
	keep(p.items);
	const want = text.normalize("NFKC").toLowerCase();
	return p.items.filter((x) => x.state !== "disabled" && `${x.login} ${x.name}`.toLowerCase().includes(want)).map((x) => ({ value: x.id, label: x.name || x.login, note: x.login }));
}
/** Who did it, of "local:0", "token:t-...", "person:p-...", "system". */
export function actorName(actor: string): string {
	const [kind, id = ""] = actor.split(/:(.*)/s) as [string, string?];
	if (kind === "person") return personName(id);
	if (kind === "token") return t("actor.token", { id });
	if (kind === "local") return t("actor.local", { id });
	if (kind === "enrolment") return t("actor.enrolment");
	return kind === "system" ? t("actor.system") : actor;
}
