// Passkeys for the plain pages /signin, /setup and /enrol, which work without this.
import en from "./auth.en.json";
import ja from "./auth.ja.json";
import { qr } from "./lazy/qr";
import { type Challenge, type Proof, hasPasskeys, makePasskey, showPasskey } from "./base/webauthn";

const texts: Record<keyof typeof en, string> = document.documentElement.lang === "ja" ? ja : en;
const place = document.getElementById("passkey");
const value = (name: string) => (document.querySelector<HTMLInputElement | HTMLSelectElement>(`[name=${name}]`)?.value ?? "").trim();

function element<K extends keyof HTMLElementTagNameMap>(name: K, text = "", attributes: Record<string, string> = {}): HTMLElementTagNameMap[K] {
	const e = document.createElement(name);
	e.textContent = text;
	for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
	return e;
}
const fault = element("p", "", { role: "alert", class: "state critical" });
function say(text: string): void {
	fault.textContent = `▲ ${text}`;
	if (text === "") fault.remove();
	else place?.append(fault);
}
async function post<T>(path: string, body: object): Promise<T> {
	let r: Response;
	try {
		r = await fetch(`/api/v1${path}`, { method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang }, body: JSON.stringify(body), credentials: "same-origin" });
	} catch {
		throw new Error(texts.network);
	}
	const answer = (await r.json().catch(() => ({}))) as T & { title?: string; errors?: { message: string }[] };
	if (!r.ok) throw new Error(r.status === 401 ? texts.unknown : [answer.title, ...(answer.errors ?? []).map((x) => x.message)].filter(Boolean).join(": "));
	return answer;
}
// One thing at a time; what goes wrong is said.
function action(button: HTMLButtonElement, run: () => Promise<void>): void {
	button.addEventListener("click", async () => {
		say("");
		button.disabled = true;
		try {
			await run();
		} catch (e) {
			say((e as Error).message);
		} finally {
			button.disabled = false;
		}
	});
}
async function signIn(): Promise<void> {
	const proof = await showPasskey(await post<Challenge>("/session/passkey-options", {}));
	if (proof === null) return say(texts.cancelled);
	await post("/session/passkey", proof);
	const next = value("next");
	location.assign(/^\/(?![/\\])/.test(next) ? next : "/");
}
function showCodes(codes: string[]): void {
	const main = document.querySelector("main") ?? document.body;
	const list = element("ul", "", { class: "codes" });
	for (const code of codes) {
		const li = element("li");
		li.append(element("code", code));
		list.append(li);
	}
	const go = element("p");
	go.append(element("a", texts.go, { href: "/" }));
	main.replaceChildren(element("h1", texts["codes-title"]), element("p", texts["codes-what"]), list, go);
}
async function enrol(): Promise<void> {
	const form = document.querySelector<HTMLFormElement>("#enrol");
	for (const name of ["login", "name"]) {
		const field = form?.querySelector<HTMLInputElement>(`[name=${name}]`);
		if (field !== null && field !== undefined && !field.reportValidity()) return;
	}
	const code = value("code");
	const options = await post<{ kind: "setup" | "person"; passkey: Challenge | null }>("/enrolment/options", { code });
	if (options.passkey === null) return say(texts["needs-name"]);
	const proof: Proof | null = await makePasskey(options.passkey, value("login"), value("name"));
	if (proof === null) return say(texts.cancelled);
	const done = await post<{ recovery_codes: string[] }>("/enrolment", { code, ...(options.kind === "setup" && { login: value("login") }), name: value("name"), language: value("language"), ...proof });
	showCodes(done.recovery_codes);
}
const entering = document.getElementById("signin") !== null;
const enrolling = document.getElementById("enrol") !== null;
if (place !== null && hasPasskeys() && (entering || enrolling)) {
	const button = element("button", entering ? texts["sign-in"] : texts.enrol, { type: "button" });
	action(button, entering ? signIn : enrol);
	place.append(element("p", entering ? texts["sign-in-what"] : texts["enrol-what"]), button, element("p", texts.or, { class: "soft" }));
	// below the name and language where those are asked first
	const first = document.querySelector("#enrol [name=password]")?.closest("p,div");
	if (enrolling && first !== null && first !== undefined) first.before(place);
	place.hidden = false;
}

// The key of the authenticator app, to be scanned.
const key = document.querySelector<HTMLAnchorElement>('a[href^="otpauth:"]');
const drawn = key === null ? null : qr(key.href);
if (key !== null && drawn !== null) {
	const make = (name: string, attributes: Record<string, string>) => {
		const e = document.createElementNS("http://www.w3.org/2000/svg", name);
		for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
		return e;
	};
	const svg = make("svg", { class: "qr", viewBox: `0 0 ${drawn.size} ${drawn.size}`, role: "img", "aria-label": texts.qr, "shape-rendering": "crispEdges" });
	svg.append(make("rect", { width: `${drawn.size}`, height: `${drawn.size}`, fill: "#fff" }), make("path", { d: drawn.path, fill: "#000" }));
	key.parentElement?.before(svg);
}
