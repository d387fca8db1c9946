// A file goes to the server in parts of whole lines, one after the other. What was
// taken is known by the job, so that a stopped upload goes on where it was.
import { ApiError, type Job, api, asError, at, send, signal, stored } from "../../kit";

const PART = 4 << 20;
const LINE = 8 << 20;
export interface Pending {
	job: string;
	org: string;
	source: string;
	mapping?: string; // of ndjson:NAME
	name: string;
	file: string;
	size: number;
	modified: number;
}
/** What this browser began and did not finish. */
export const pending = stored<Pending | null>("import", null);
export interface Run {
	state: "sending" | "waiting" | "stopped" | "done" | "failed";
	job: Job;
	done: number;
	total: number;
	since: number;
	from: number;
	what: Pending;
	error?: ApiError;
}
/** The upload of this window; it goes on while one looks at other pages. */
export const run = signal<Run | null>(null);
let stop = new AbortController();

export class TooLong extends Error {}
// An event log (EVTX) goes in parts of whole chunks. Every part but the first begins with the file's header again,
// in which the number of its first chunk is noted (see yg_evtx_header_at()).
const HEADER = 4096;
const CHUNK = 65536;
const CHUNKS = 63;
const isEvtx = async (data: Blob) => (await data.slice(0, 8).text()) === "ElfFile\0";
async function chunksOf(file: Blob): Promise<Blob> {
	const parts: BlobPart[] = [];
	const header = new Uint8Array(await file.slice(0, HEADER).arrayBuffer());
	for (let chunk = 0, at = HEADER; at < file.size || chunk === 0; chunk += CHUNKS, at += CHUNKS * CHUNK) {
		if (chunk > 0) {
			header.set(new TextEncoder().encode("YGPART\0\0"), 128);
			new DataView(header.buffer).setUint32(136, chunk, true);
		}
		parts.push(header.slice(), file.slice(at, at + CHUNKS * CHUNK));
	}
	return new Blob(parts);
}
/** The file as lines: unpacked, and CloudTrail documents as one record per line; an event log as its parts. */
export async function linesOf(file: File, source: string): Promise<Blob> {
	const gz = /\.gz$/i.test(file.name);
	const plain = gz ? await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).blob() : file;
	if ((source === "evtx" || source === "windows") && (await isEvtx(plain))) return chunksOf(plain);
	if (source !== "cloudtrail") return plain;
	try {
		const doc = JSON.parse(await plain.text()) as { Records?: unknown[] };
		if (Array.isArray(doc.Records)) return new Blob(doc.Records.map((r) => `${JSON.stringify(r)}\n`));
	} catch {
		// several documents, one per line
	}
	return plain;
}
/** Where the part that begins at `from` ends: behind a line, or a chunk of an event log. */
async function endOf(data: Blob, from: number): Promise<number> {
	if (await isEvtx(data.slice(from))) return Math.min(from + HEADER + CHUNKS * CHUNK, data.size);
	for (const size of [PART, LINE]) {
		if (from + size >= data.size) {
			if (data.size - from <= LINE) return data.size;
			continue;
		}
		const bytes = new Uint8Array(await data.slice(from, from + size).arrayBuffer());
		const i = bytes.lastIndexOf(10);
		if (i >= 0) return from + i + 1;
	}
	throw new TooLong();
}
const set = (patch: Partial<Run>) => {
	if (run.peek() !== null) run.value = { ...(run.peek() as Run), ...patch };
};
const pause = (ms: number, signal_: AbortSignal) =>
	new Promise<void>((done) => {
		const timer = setTimeout(done, ms);
		signal_.addEventListener("abort", () => (clearTimeout(timer), done()));
	});

async function sendAll(data: Blob, job: Job): Promise<void> {
	const signal_ = stop.signal;
	let pos = 0;
	let n = 0;
	while (pos < data.size) {
		const end = await endOf(data, pos);
		// the server has it already when an earlier upload came this far
		while (end > job.done) {
			if (signal_.aborted) return set({ state: "stopped" });
			try {
				const answer = await send("PUT", at`/imports/${job.id}/parts/${String(n)}`, { bytes: data.slice(pos, end), type: "application/octet-stream", signal: signal_ });
				await answer.arrayBuffer(); // an answer that is not read keeps its connection
				break;
			} catch (e) {
				if (signal_.aborted) return set({ state: "stopped" });
				const x = asError(e);
				if (![0, 429, 503].includes(x.status)) throw e;
				set({ state: "waiting", error: x });
				await pause(Math.max(x.retryAfter * 1000, 2000), signal_);
			}
		}
		pos = end;
		n++;
		set({ state: "sending", done: pos, error: undefined });
	}
	const end = await api.post<Job>(at`/imports/${job.id}/finish`);
	pending.value = null;
	set({ state: "done", job: end, done: data.size });
}
/** Begins, or goes on with, the upload. */
export async function upload(data: Blob, what: Omit<Pending, "job">, again?: Job): Promise<void> {
	stop = new AbortController();
	const job = again ?? (await api.post<Job>("/imports", { org: what.org, source: what.source, name: what.name, bytes: data.size, ...(what.mapping !== undefined && { mapping: what.mapping }) }));
	const mine = { ...what, job: job.id };
	pending.value = mine;
	run.value = { state: "sending", job, done: job.done, from: job.done, total: data.size, since: Date.now(), what: mine };
	try {
		await sendAll(data, job);
	} catch (e) {
		set({ state: "failed", error: e instanceof TooLong ? undefined : asError(e) });
		if (e instanceof TooLong) throw e;
	}
}
export const halt = () => stop.abort();
/** Gives up: what was taken stays. */
export async function giveUp(job: string): Promise<void> {
	stop.abort();
	pending.value = null;
	run.value = null;
	await api.del(at`/jobs/${job}`);
}
addEventListener("beforeunload", (e) => {
	if (run.peek()?.state === "sending" || run.peek()?.state === "waiting") e.preventDefault();
});
