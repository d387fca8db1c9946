// A running Yagura, people with their cookies, and a real Chromium, for the tests of
// this folder.  Output is TAP.  Conditions are waited for; nothing is slept for.
//
//   const server = await Server.start();             // its own data folder and ports
//   const chief = await firstPerson(server, {language: "ja"});
//   const browser = await openBrowser(server);
//   const tab = await browser.tab(chief, {theme: "dark", width: 360});
//   await tab.open("/alerts");
//   ok(tab.troubles().length === 0, "nothing in the console", tab.troubles());
//   await finish();
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(import.meta.url);

// --- TAP ---

let count = 0;
let failed = 0;
const began = Date.now();
export function note(text) {
	for (const line of String(text).split("\n")) process.stdout.write(`# ${line.slice(0, 400)}\n`);
}
/** One test point; `more` is shown as comment lines when it fails. */
export function ok(good, what, more = "") {
	count++;
	process.stdout.write(`${good ? "ok" : "not ok"} ${count} - ${what}\n`);
	if (!good) {
		failed++;
		const text = typeof more === "string" ? more : Array.isArray(more) ? more.map((x) => (typeof x === "string" ? x : JSON.stringify(x))).join("\n") : JSON.stringify(more);
		if (text !== undefined && text !== "") note(text.split("\n").slice(0, 30).join("\n"));
	}
	return Boolean(good);
}
export function skip(what, why) {
	count++;
	process.stdout.write(`ok ${count} - ${what} # SKIP ${why}\n`);
}
export function skipAll(why) {
	process.stdout.write(`1..0 # SKIP ${why}\n`);
	process.exit(0);
}
export const seconds = () => (Date.now() - began) / 1000;
const LIMIT = 780;
const closers = [];
/** Ends what was started, then the process. */
export async function finish(plan = true) {
	for (const close of closers.splice(0).reverse()) await close().catch((e) => note(`at the end: ${e.message}`));
	note(`${seconds().toFixed(1)} s`);
	if (plan) process.stdout.write(`1..${count}\n`);
	process.exit(failed > 0 || (plan && count === 0) ? 1 : 0);
}
/** What is to be done when the test ends. */
export function closing(end) {
	closers.push(end);
}
/** Runs a test's body; what it throws is a failed point, and everything is ended.
 * plan: false for what is no test. */
export async function run(body, { plan = true, limit = LIMIT } = {}) {
	// what never answers ends the test, not the machine's evening
	const guard = setTimeout(() => {
		ok(false, `the test came to its end within ${limit} s`);
		void finish(plan);
	}, limit * 1000);
	guard.unref();
	try {
		await body();
	} catch (e) {
		ok(false, "the test came to its end", e?.stack ?? String(e));
	}
	await finish(plan);
}
for (const sign of ["SIGINT", "SIGTERM"]) process.once(sign, () => void finish());

// --- what must be there ---

export const chromium = [process.env.YAGURA_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && fs.existsSync(p));
const engine = [process.env.YAGURA_CHDB, path.join(ROOT, `node_modules/@chdb/lib-linux-${os.arch() === "arm64" ? "arm64" : "x64"}-gnu/libchdb.so`)].find((p) => p && fs.existsSync(p));
function library(name) {
	try {
		return require.resolve(name);
	} catch {
		return skipAll(`no ${name}: run 'npm ci'`);
	}
}
export const binary = path.resolve(process.argv[2] ?? path.join(ROOT, "build/yagura"));
if (chromium === undefined) skipAll("no chromium: apt-get install chromium");
if (engine === undefined) skipAll("no libchdb.so: run 'npm ci' or set YAGURA_CHDB");
const { chromium: engineOfBrowser } = require(library("playwright-core"));
const axeSource = fs.readFileSync(library("axe-core/axe.min.js"), "utf8");

// --- waiting ---

const turn = (ms) => new Promise((done) => setTimeout(done, ms));
/** Asks until there is an answer that is true; that, or throws what was waited for. */
export async function until(what, ask, limit = 60) {
	const end = Date.now() + limit * 1000;
	for (;;) {
		const got = await ask();
		if (got) return got;
		if (Date.now() > end) throw new Error(`after ${limit} s still not: ${what}`);
		await turn(40);
	}
}

// --- the server ---

const given = new Set();
export function freePort() {
	return new Promise((done, wrong) => {
		const s = net.createServer();
		s.on("error", wrong);
		s.listen(0, "127.0.0.1", () => {
			const { port } = s.address();
			s.close(() => {
				if (given.has(port)) done(freePort());
				else {
					given.add(port);
					done(port);
				}
			});
		});
	});
}

function call(module, options, body) {
	return new Promise((done, wrong) => {
		const q = module.request(options, (r) => {
			const parts = [];
			r.on("data", (x) => parts.push(x));
			r.on("error", wrong);
			r.on("end", () => {
				const bytes = Buffer.concat(parts);
				done({ status: r.statusCode, headers: r.headers, bytes, text: () => bytes.toString(), json: () => JSON.parse(bytes.toString()), toString: () => `${r.statusCode} ${bytes.toString().slice(0, 1500)}` });
			});
		});
		q.setTimeout(120_000, () => q.destroy(new Error(`no answer in two minutes: ${options.method} ${options.path}`)));
		q.on("error", wrong);
		q.end(body);
	});
}
function packed(body, headers) {
	if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) return [body, headers];
	return [JSON.stringify(body), { "Content-Type": "application/json", ...headers }];
}

export class Server {
	/** data: a folder that is there and stays; else one of its own. */
	static async start(over = {}, data = undefined) {
		const s = new Server();
		s.folder = fs.mkdtempSync(path.join(os.tmpdir(), "yagura-web-"));
		fs.chmodSync(s.folder, 0o755); // the roles give up root and must reach it
		s.data = data ?? path.join(s.folder, "data");
		closers.push(() => s.stop());
		for (let attempt = 0; attempt < 5; attempt++) {
			s.port = await freePort();
			fs.writeFileSync(path.join(s.folder, "yagura.yaml"), JSON.stringify({ api: { address: `127.0.0.1:${s.port}` }, store: { library: engine }, ...over }));
			s.launch();
			await until("the server is ready", () => s.ended || s.events("serve.ready").length > 0, 180);
			if (!s.ended) break;
			if (!s.log().includes("is taken")) throw new Error(`the server did not start:\n${s.log().slice(-3000)}`);
		}
		s.origin = `https://localhost:${s.port}`;
		s.ca = fs.readFileSync(path.join(s.data, "keys/tls.crt"));
		s.agent = new https.Agent({ keepAlive: true, ca: s.ca, maxSockets: 16 });
		return s;
	}
	launch() {
		const log = fs.openSync(path.join(this.folder, "log"), "w");
		const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("YAGURA_")));
		this.ended = false;
		this.process = spawn(binary, ["serve", "--config", path.join(this.folder, "yagura.yaml"), "--data", this.data], { stdio: ["ignore", log, log], cwd: "/", env });
		fs.closeSync(log);
		this.process.on("exit", () => {
			this.ended = true;
		});
	}
	log() {
		return fs.readFileSync(path.join(this.folder, "log"), "utf8");
	}
	events(name) {
		return this.log().split("\n").filter((l) => l.startsWith("{") && l.includes(`"${name}"`)).flatMap((l) => {
			try {
				return [JSON.parse(l)];
			} catch {
				return [];
			}
		}).filter((e) => e.event === name);
	}
	/** As the local administrator, by run/api.sock. */
	local(method, where, body, headers = {}) {
		const [bytes, all] = packed(body, { Host: "localhost", ...headers });
		return call(http, { socketPath: path.join(this.data, "run/api.sock"), method, path: where, headers: all }, bytes);
	}
	/** Over TLS with a token, as a collector does. */
	remote(method, where, body, headers = {}) {
		const [bytes, all] = packed(body, headers);
		return call(https, { host: "localhost", port: this.port, agent: this.agent, method, path: where, headers: all, lookup: loopback }, bytes);
	}
	cli(...words) {
		const r = spawnSync(binary, words, { env: { ...process.env, YAGURA_DATA: this.data, NO_COLOR: "1", LC_ALL: "C.UTF-8" }, encoding: "utf8", timeout: 240_000, maxBuffer: 1 << 28 });
		return { code: r.status, out: r.stdout, err: r.stderr };
	}
	/** The address that the first start printed. */
	setupAddress() {
		return /https:\/\/localhost:\d+\/setup\?code=[0-9A-Z]+/.exec(this.log())?.[0];
	}
	async halt() {
		if (this.ended || this.process === undefined) return;
		this.process.kill("SIGTERM");
		await until("the server has ended", () => this.ended, 40).catch(() => this.process.kill("SIGKILL"));
	}
	/** Once more on the same data, after halt(). */
	async again() {
		this.launch();
		await until("the server is ready again", () => this.ended || this.events("serve.ready").length > 0, 180);
		if (this.ended) throw new Error(`the server did not start again:\n${this.log().slice(-3000)}`);
	}
	async stop() {
		await this.halt();
		this.agent?.destroy();
		if (process.env.YAGURA_KEEP) note(`kept: ${this.folder}`);
		else fs.rmSync(this.folder, { recursive: true, force: true });
	}
}
function loopback(_name, options, done) {
	if (options.all) done(null, [{ address: "127.0.0.1", family: 4 }]);
	else done(null, "127.0.0.1", 4);
}

// --- people ---

export const PASSWORD = "correct horse battery staple";

/** RFC 6238, by Node's own cryptography. */
export function totp(secret, at = Date.now() / 1000) {
	const bits = [...secret.replaceAll(" ", "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
	const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
	const step = Buffer.alloc(8);
	step.writeBigUInt64BE(BigInt(Math.floor(at / 30)));
	const mac = crypto.createHmac("sha1", key).update(step).digest();
	const from = mac[19] & 15;
	return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Somebody at the API with a cookie, as a browser sends it. */
export class Person {
	constructor(server, login) {
		this.server = server;
		this.login = login;
		this.cookie = "";
		this.secret = "";
		this.used = new Set();
	}
	async call(method, where, body, headers = {}) {
		const [bytes, all] = packed(body, { Origin: this.server.origin, Host: new URL(this.server.origin).host, "Sec-Fetch-Site": "same-origin", ...(this.cookie !== "" && { Cookie: `__Host-yagura=${this.cookie}` }), ...headers });
		const answer = await this.server.remote(method, where, bytes, all);
		for (const line of answer.headers["set-cookie"] ?? []) {
			const found = /^__Host-yagura=([^;]*)/.exec(line);
			if (found !== null) this.cookie = /max-age=0/i.test(line) ? "" : found[1];
		}
		return answer;
	}
	/** The call's answer as JSON; anything but success throws. */
	async get(where) {
		const answer = await this.call("GET", where);
		if (answer.status !== 200) throw new Error(`GET ${where}: ${answer}`);
		return answer.json();
	}
	async must(method, where, body, headers) {
		const answer = await this.call(method, where, body, headers);
		if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer}`);
		return answer.bytes.length > 0 ? answer.json() : undefined;
	}
	/** A code of the authenticator app that was not shown before; the steps beside are good too. */
	async code() {
		return until("a fresh one-time code", () => {
			const now = Date.now() / 1000;
			const fresh = [now, now - 30, now + 30].map((at) => totp(this.secret, at)).find((c) => !this.used.has(c));
			if (fresh !== undefined) this.used.add(fresh);
			return fresh;
		}, 45);
	}
	/** Uses a set-up or invitation code up; signed in afterwards. */
	async enrol(code, { name = this.login, language = "ja" } = {}) {
		const offered = await this.must("POST", "/api/v1/enrolment/options", { code });
		this.secret = offered.totp.secret;
		return this.must("POST", "/api/v1/enrolment", { code, login: this.login, name, language, password: PASSWORD, totp: await this.code() });
	}
	async signIn() {
		return this.must("POST", "/api/v1/session", { login: this.login, password: PASSWORD, totp: await this.code() });
	}
}
const codeOf = (address) => new URL(address, "https://localhost").searchParams.get("code");

/** The first administrator, by the code that the first start printed. */
export async function firstPerson(server, { login = "chief", name = "管理 花子", language = "ja" } = {}) {
	const p = new Person(server, login);
	await p.enrol(codeOf(server.setupAddress()), { name, language });
	return p;
}
/** Invited by an administrator, with a role; signed in. */
export async function invited(by, { login, name = login, language = "ja", role, node = "", system = "", period_from = null, period_to = null }) {
	const made = await by.must("POST", "/api/v1/people", { login, name, language });
	await by.must("POST", "/api/v1/grants", { person: made.id, role, ...(node !== "" && { node }), ...(system !== "" && { system }), ...(period_from !== null && { period_from, period_to }), reason: "a test" });
	const { url } = await by.must("POST", `/api/v1/people/${made.id}/enrolment`, {});
	const p = new Person(by.server, login);
	p.id = made.id;
	await p.enrol(codeOf(url), { name, language });
	return p;
}

// --- sample data ---

/** The demonstration, small; waits until its alerts and events are there. */
export async function loadSample(server, records = 4000) {
	const r = server.cli("demo", "load", "--records", String(records));
	if (r.code !== 0) throw new Error(`demo load: ${r.err}`);
	await until("alerts of the demonstration", async () => (await server.local("GET", "/api/v1/alerts?limit=10")).json().items.length === 10, 120);
	await until("events of the demonstration", async () => (await server.local("GET", "/api/v1/events?limit=1&from=now-90d")).json().items?.length > 0, 120);
}

/** Of the detection that the demonstration has, what somebody has made since. */
export async function worked(chief) {
	const of = async (where) => (await chief.get(`/api/v1/${where}`)).items;
	const [rule] = await of("detection-rules?q=Name%20that%20carries&limit=1");
	const { org } = (await of("alerts?limit=1"))[0];
	const expires_at = new Date(Date.now() + 30 * 86_400_000).toISOString();
	await chief.must("PUT", `/api/v1/detection-rules/${rule.id}/overrides/${org}`, { stage: "audit-only", reason: "更改作業のあいだ / while servers are replaced", expires_at });
	const except = (name, reason) => chief.must("POST", "/api/v1/detection-exceptions", { rule: rule.id, org, text: `selection:\n    query|endswith: '${name}'\ncondition: selection\n`, reason, expires_at });
	await except(".backup.example", "控えの名前 / names of backups");
	await except(".scan.example", "自組織の検査 / scans of our own");
	const exception = await except(".cdn.example", "CDNの名前 / names of our CDN");
	const [alert] = await of(`alerts?indicator=${rule.id}&limit=1`);
	const hunt = await chief.must("POST", "/api/v1/retro-hunts", { rule: rule.id, org, from: new Date(Date.now() - 30 * 86_400_000).toISOString(), until: new Date().toISOString() });
	await until("the hunt is over", async () => !["queued", "running"].includes((await chief.get(`/api/v1/retro-hunts/${hunt.id}`)).state));
	const one = `/detection-rule/${rule.id}`;
	return { rule: one, org, more: [`${one}?tab=stages`, `${one}?tab=exceptions`, `${one}?tab=history`, `/detection-exceptions/${exception.id}`, "/detection-exceptions?new=1", `/detection-exceptions?new=1&rule=${rule.id}&alert=${alert.id}&of=${alert.org}`, `/retro-hunts/${hunt.id}`, "/retro-hunts?new=1", "/detection-rules?stage=live&level=high", "/attack-matrix?show=gaps"] };
}

/** Types into a box that finds, and takes what it found. */
export async function choose(box, text) {
	await box.fill(text);
	await box.page().locator("[role=option]:visible", { hasText: text }).first().click();
}
/** On the import page a file whose JSON nobody knows; when it is there, so is its proposed mapping. */
export async function chooseOwnJson(tab, server, w) {
	const { page } = tab;
	// each its own: a file that changes while a browser reads it cannot be read there
	const file = path.join(fs.mkdtempSync(path.join(server.folder, "own-")), "vpn.jsonl");
	const lines = Array.from({ length: 30 }, (_, i) => JSON.stringify({ eventtime: new Date(Date.now() - i * 1000).toISOString(), src: { ip: "192.0.2.77" }, dst: { ip: "198.51.100.7" }, user: `user${i}`, msg: "tunnel up" }));
	fs.writeFileSync(file, `${lines.join("\n")}\nnot a record\n`);
	await page.setInputFiles("main input[type=file]", file);
	await page.getByRole("heading", { name: w("import.step-map") }).waitFor();
	await page.locator("tr.is-bad").waitFor();
	await tab.settled();
}

// --- the browser ---

/** The console's own texts: w("organisations.add"). */
export function wordsOf(language) {
	const src = path.join(ROOT, "console/src");
	const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
	const all = { ...read(path.join(src, `base/${language}.json`)) };
	for (const page of fs.readdirSync(path.join(src, "pages")))
		for (const [k, v] of Object.entries(read(path.join(src, `pages/${page}/${language}.json`)))) all[`${page}.${k}`] = v;
	for (const [k, v] of Object.entries(read(path.join(src, `auth.${language}.json`)))) all[`auth.${k}`] = v;
	return (key) => all[key] ?? `?${key}?`;
}
/** Chromium trusts the server's key and no other: no certificate error is ignored. */
function keyHash(server) {
	const key = new crypto.X509Certificate(server.ca).publicKey.export({ type: "spki", format: "der" });
	return crypto.createHash("sha256").update(key).digest("base64");
}

export async function openBrowser(server) {
	const browser = await engineOfBrowser.launch({
		executablePath: chromium,
		headless: true,
		timeout: 120_000,
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--font-render-hinting=none", `--ignore-certificate-errors-spki-list=${keyHash(server)}`],
	});
	closers.push(() => browser.close());
	return {
		browser,
		tab: (person, look) => Tab.open(browser, server, person, look),
		close: () => browser.close(),
	};
}

export const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
export const HEIGHT = { 360: 780, 1440: 900 };

export class Tab {
	static async open(browser, server, person, { language = "ja", theme = "light", width = 1440, height = HEIGHT[width] ?? 900 } = {}) {
		const tab = new Tab();
		Object.assign(tab, { server, width, language, marks: [], waiting: new Set() });
		tab.context = await browser.newContext({
			baseURL: server.origin,
			locale: language === "ja" ? "ja-JP" : "en-GB",
			timezoneId: "Asia/Tokyo",
			colorScheme: theme,
			reducedMotion: "reduce",
			viewport: { width, height },
			permissions: ["clipboard-read", "clipboard-write"],
		});
		tab.context.setDefaultTimeout(60_000);
		tab.context.setDefaultNavigationTimeout(90_000);
		if (person) await tab.be(person);
		await tab.context.addInitScript(() => {
			document.addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
		});
		tab.page = await tab.context.newPage();
		tab.listen();
		return tab;
	}
	listen() {
		const { page } = this;
		page.on("console", (m) => {
			const line = `${m.type()}: ${m.text()} (${m.location().url})`;
			if (["error", "warning"].includes(m.type()) && !this.expected?.(line)) this.marks.push(line);
		});
		page.on("pageerror", (e) => this.marks.push(`threw: ${e.stack ?? e}`));
		const quiet = (q) => /\/api\/v1\/stream/.test(q.url());
		page.on("request", (q) => {
			if (!quiet(q)) this.waiting.add(q);
			const own = [this.server.origin, ...(this.others ?? [])].some((x) => q.url().startsWith(x));
			if (!own && !/^(data|blob|about):/.test(q.url())) this.marks.push(`another host: ${q.url()}`);
		});
		for (const end of ["requestfinished", "requestfailed"]) page.on(end, (q) => this.waiting.delete(q));
	}
	/** Signs the browser in by a person's cookie. */
	async be(person) {
		await this.context.addCookies([{ name: "__Host-yagura", value: person.cookie, domain: "localhost", path: "/", secure: true, httpOnly: true, sameSite: "Strict" }]);
	}
	/** What went wrong since the last call: errors, warnings, policy violations, other hosts. */
	troubles() {
		return this.marks.splice(0);
	}
	/** Loads an address from the server. */
	async open(address) {
		await this.page.goto(address, { waitUntil: "domcontentloaded" });
		await this.settled();
	}
	/** Goes on inside the console, as a link does. */
	async go(address) {
		await this.page.evaluate((to) => {
			history.pushState(null, "", to);
			dispatchEvent(new PopStateEvent("popstate"));
		}, address);
		await this.settled();
	}
	/** Nothing is being fetched, no skeleton and no busy button stands there, twice in a row. */
	async settled() {
		let calm = 0;
		await until(`${this.page.url()} is drawn (${[...this.waiting].map((q) => q.url()).slice(0, 3)})`, async () => {
			const drawn = await this.page.evaluate(
				() =>
					new Promise((done) => {
						const look = () => done((document.getElementById("app") === null || document.querySelector("#app h1") !== null) && document.readyState === "complete" && document.querySelector(".y-skeleton,.y-busy,[aria-busy=true]") === null);
						requestAnimationFrame(() => requestAnimationFrame(look));
						setTimeout(look, 500); // a page in the background has no frames
					}),
			).catch(() => false); // it navigates
			calm = drawn && this.waiting.size === 0 ? calm + 1 : 0;
			return calm >= 2;
		}, 60);
	}
	/** Changes the language by the button, when it is not that one already. */
	async speak(language) {
		if ((await this.page.evaluate(() => document.documentElement.lang)) === language) return;
		await this.page.click(`header button[lang=${language}]`);
		await this.page.waitForFunction((l) => document.documentElement.lang === l, language);
		await this.settled();
	}
	async theme(theme) {
		await this.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
	}
	async size(width) {
		this.width = width;
		await this.page.setViewportSize({ width, height: HEIGHT[width] ?? 900 });
		await this.page.evaluate(
			() =>
				new Promise((done) => {
					requestAnimationFrame(() => requestAnimationFrame(done));
					setTimeout(done, 500); // a page in the background has no frames
				}),
		);
	}
	/** axe's violations as lines. */
	async axe(only) {
		if (!(await this.page.evaluate(() => "axe" in window))) await this.page.evaluate(axeSource);
		return this.page.evaluate(
			async ([tags, rules]) => {
				const run = rules ? { type: "rule", values: rules } : { type: "tag", values: tags };
				const found = await window.axe.run(document, { runOnly: run, resultTypes: ["violations"], elementRef: false });
				return found.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id}: ${n.target.join(" ")} ${n.html.slice(0, 160)} ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ""}`));
			},
			[AXE_TAGS, only],
		);
	}
	async close() {
		await this.context.close();
	}
}
