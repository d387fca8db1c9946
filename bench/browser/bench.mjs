// The console's budgets: each page in Chromium (requests, bytes, the server's time, when
// one can use it), the memory of many live streams, and reads per second of one core.
// Usage: bench.mjs YAGURA FOLDER     (FOLDER as bench/console/data makes it)
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { Server, invited, openBrowser, run, until } from "../../test/browser/lib.mjs";
import { addresses, pagesOf } from "../../test/browser/inspect.mjs";

const folder = process.argv[3];
const STREAMS = 500;
const READS = Number(process.env.READS ?? 6000);
const say = (text) => process.stdout.write(`${text}\n`);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const HOST = "localhost";

function center(server) {
	const kids = fs.readFileSync(`/proc/${server.process.pid}/task/${server.process.pid}/children`, "utf8").trim().split(" ");
	const pid = kids.find((k) => fs.readFileSync(`/proc/${k}/cmdline`, "utf8").includes("--role\0center"));
	return {
		rss: () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024,
		cpu: () => {
			const f = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
			return (Number(f[11]) + Number(f[12])) / 100; // utime + stime, in ticks of 10 ms
		},
	};
}

/** What was asked when, in ms since the page's address was asked for, and what the page's own work took. */
function waterfall(seen, metrics) {
	const all = [...seen.values()];
	const zero = Math.min(...all.map((r) => r.asked));
	const at = (t) => (t === undefined ? "?" : ((t - zero) * 1000).toFixed(0)).padStart(6);
	say("     asked   sent  heads   over  connect  server ms");
	for (const r of all.sort((x, y) => x.asked - y.asked)) say(`    ${at(r.asked)} ${at(r.sent)} ${at(r.heads)} ${at(r.over)} ${r.connect.toFixed(0).padStart(8)} ${r.ms.toFixed(0).padStart(10)}  ${r.path.slice(0, 120)}`);
	say(`    ${metrics}`);
}

/** One page: the first visit of a browser, then again with what it keeps. */
async function page(server, browser, person, address) {
	const tab = await browser.tab(person, { language: "ja" });
	const cdp = await tab.context.newCDPSession(tab.page);
	await cdp.send("Network.enable");
	if (process.env.WATERFALL) await cdp.send("Performance.enable");
	const seen = new Map();
	cdp.on("Network.requestWillBeSent", (e) => seen.set(e.requestId, { path: e.request.url.replace(server.origin, ""), asked: e.timestamp, answered: false, ms: 0, bytes: 0, connect: 0 }));
	cdp.on("Network.responseReceived", (e) => {
		const r = seen.get(e.requestId);
		const t = e.response.timing;
		if (r === undefined) return;
		r.answered = true;
		if (!t) return;
		r.ms = t.receiveHeadersStart - t.sendEnd;
		r.sent = t.requestTime + t.sendEnd / 1000;
		r.heads = t.requestTime + t.receiveHeadersStart / 1000;
		r.connect = Math.max(0, t.connectEnd - t.connectStart);
	});
	cdp.on("Network.loadingFinished", (e) => {
		const r = seen.get(e.requestId);
		if (r !== undefined) [r.bytes, r.over] = [e.encodedDataLength, e.timestamp];
	});
	let told = false;
	await cdp.send("Runtime.addBinding", { name: "benchUsable" });
	cdp.on("Runtime.bindingCalled", () => (told = true));
	await tab.context.addInitScript(() => {
		// usable: the heading is there, nothing of the page is still being waited for, and the frame that shows it is over
		window.usable = 0;
		let waiting = false;
		const ready = () => document.querySelector("#app h1") !== null && document.querySelector(".y-skeleton,.y-busy,[aria-busy=true]") === null;
		const shown = () => {
			waiting = false;
			if (!ready() || window.usable !== 0) return;
			window.usable = performance.now();
			window.benchUsable("");
		};
		const look = () => {
			if (!ready()) window.usable = 0;
			else if (window.usable === 0 && !waiting) {
				waiting = true;
				requestAnimationFrame(() => setTimeout(shown, 0));
			}
		};
		new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
	});
	const work = async () => {
		const { metrics } = await cdp.send("Performance.getMetrics");
		return ["ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration"].map((name) => `${name.replace("Duration", "").toLowerCase()} ${((metrics.find((m) => m.name === name)?.value ?? 0) * 1000).toFixed(0)} ms`).join(", ");
	};
	const visit = async () => {
		seen.clear();
		told = false;
		await tab.page.goto(address, { waitUntil: "commit" });
		await until(`${address} is usable`, () => told); // nothing is asked of the page until then: that would be its work, too
		await tab.settled();
		const all = [...seen.values()].filter((r) => r.answered);
		const asked = all.filter((r) => r.path.startsWith("/api/"));
		if (process.env.SLOW) for (const r of asked) if (r.ms > Number(process.env.SLOW)) say(`    ${r.ms.toFixed(0).padStart(6)} ms  ${r.path}`);
		if (process.env.WATERFALL) waterfall(seen, await work());
		return { requests: all.length, bytes: all.reduce((n, r) => n + r.bytes, 0), server: Math.max(0, ...asked.map((r) => r.ms)), usable: await tab.page.evaluate(() => window.usable) };
	};
	const first = await visit();
	const again = [];
	for (let i = 0; i < 3; i++) again.push(await visit());
	await tab.close();
	return { first, server: median(again.map((x) => x.server)), usable: median(again.map((x) => x.usable)) };
}

async function pages(server, browser, person) {
	const tab = await browser.tab(person, { language: "ja" });
	await tab.open("/alerts");
	const only = process.env.PAGES?.split(" ");
	const list = only ?? (await addresses(await pagesOf(tab), person)).filter((a) => !a.endsWith("q=("));
	await tab.close();
	say(`${"page".padEnd(44)} requests     kB  server ms  usable ms: first   again`);
	let worst = 0;
	const late = [];
	for (const address of list) {
		const r = await page(server, browser, person, address);
		worst = Math.max(worst, r.first.usable, r.usable);
		if (Math.max(r.first.usable, r.usable) >= 1000) late.push(address);
		say(`${address.slice(0, 43).padEnd(44)} ${String(r.first.requests).padStart(8)} ${(r.first.bytes / 1000).toFixed(0).padStart(6)} ${r.server.toFixed(0).padStart(10)} ${r.first.usable.toFixed(0).padStart(17)} ${r.usable.toFixed(0).padStart(7)}`);
	}
	say(`the slowest page is usable after ${worst.toFixed(0)} ms (goal: 1000 ms)${late.length > 0 ? `; beyond it: ${late.join(", ")}` : ""}`);
}

function stream(server, person, heard) {
	return new Promise((done, wrong) => {
		const q = https.request({ host: HOST, port: server.port, ca: server.ca, path: "/api/v1/stream", agent: false, headers: { Cookie: `__Host-yagura=${person.cookie}` } }, (r) => {
			if (r.statusCode !== 200) return wrong(new Error(`a stream: ${r.statusCode}`));
			r.on("error", () => {});
			r.on("data", (bytes) => bytes.includes("event: alerts") && heard());
			return done(q);
		});
		q.on("error", wrong);
		q.end();
	});
}
async function streams(server, person) {
	const c = center(server);
	const before = c.rss();
	let heard = 0;
	const open = [];
	for (let i = 0; i < STREAMS; i += 20) open.push(...(await Promise.all(Array.from({ length: 20 }, () => stream(server, person, () => heard++)))));
	const after = c.rss();
	const { items } = await person.get("/api/v1/alerts?limit=1&state=open");
	const began = Date.now();
	await person.must("PATCH", `/api/v1/alerts/${items[0].id}`, { state: "in_progress" }, { "If-Match": "*", "Content-Type": "application/merge-patch+json" });
	await until("everybody has heard of it", () => heard >= STREAMS, 60);
	say(`${STREAMS} live streams: ${(after - before).toFixed(0)} MB more, center has ${c.rss().toFixed(0)} MB in all (bound: 200 MB); the last one hears of a change after ${Date.now() - began} ms`);
	for (const q of open) q.destroy();
	await until("they are closed", async () => c.rss() > 0, 5);
}

async function reads(server, person) {
	const c = center(server);
	const { items } = await person.get("/api/v1/alerts?limit=1");
	const agent = new https.Agent({ keepAlive: true, ca: server.ca, maxSockets: 8 });
	const one = (where) =>
		new Promise((done, wrong) => {
			const q = https.request({ host: HOST, port: server.port, agent, path: where, headers: { Cookie: `__Host-yagura=${person.cookie}` } }, (r) => {
				r.resume();
				r.on("end", () => (r.statusCode === 200 ? done() : wrong(new Error(`${where}: ${r.statusCode}`))));
			});
			q.on("error", wrong);
			q.end();
		});
	say(`${"read".padEnd(44)} per second of CPU   per second (the client beside it)`);
	for (const where of ["/api/v1/session", `/api/v1/alerts/${items[0].id}`, "/api/v1/alerts?limit=10", "/api/v1/alerts?limit=50", "/api/v1/organisations?limit=50", "/api/v1/jobs"]) {
		for (let i = 0; i < 50; i++) await one(where);
		const [cpu, clock] = [c.cpu(), Date.now()];
		let left = READS;
		await Promise.all(Array.from({ length: 8 }, async () => {
			while (left-- > 0) await one(where);
		}));
		say(`${where.replace(/a-\w{26}/, "{id}").padEnd(44)} ${(READS / (c.cpu() - cpu)).toFixed(0).padStart(17)} ${((READS * 1000) / (Date.now() - clock)).toFixed(0).padStart(12)}`);
	}
	agent.destroy();
}

/** An administrator of this run: the local one invites. */
async function administrator(server) {
	const local = {
		server,
		must: async (method, where, body) => {
			const answer = await server.local(method, where, body);
			if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer}`);
			return answer.json();
		},
	};
	return invited(local, { login: `bench-${Date.now()}`, role: "administrator" });
}

/** What a job writes in a second, by the job's own clock: of the last hours that there are. */
async function exported(person) {
	const { items } = await person.get("/api/v1/events?limit=1&from=now-60d");
	if (items.length === 0) throw new Error("there is no event to export");
	const last = Date.parse(items[0].time);
	const hours = (n) => ({ from: new Date(last - n * 3600_000).toISOString(), to: new Date(last + 1000).toISOString() });
	for (const [kind, format, query] of [
		["events", "csv", hours(3)],
		["events", "jsonl", hours(3)],
		["events", "xlsx", hours(1)],
		["alerts", "csv", { org: "org-7" }],
	]) {
		const { id } = await person.must("POST", "/api/v1/exports", { kind, format, query });
		const job = await until(`an export of ${kind}`, async () => (({ state }) => state !== "queued" && state !== "running")(await person.get(`/api/v1/jobs/${id}`)) && person.get(`/api/v1/jobs/${id}`), 600);
		const s = (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000;
		say(`export of ${kind} as ${format}: ${job.state}, ${job.result?.rows} rows in ${s.toFixed(1)} s, ${(job.result?.rows / s).toFixed(0)} a second${job.message ? ` (${job.message})` : ""}`);
	}
}

await run(
	async () => {
		const server = await Server.start({}, path.join(folder, "data"));
		const person = await administrator(server);
		say(`organisations-alerts-events: ${path.basename(folder)}`);
		const browser = await openBrowser(server);
		await pages(server, browser, person);
		await browser.close();
		if (process.env.PAGES) return;
		await exported(person);
		await streams(server, person);
		await reads(server, person);
	},
	{ plan: false, limit: 3600 },
);
