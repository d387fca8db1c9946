// The API as functions.  Errors are RFC 9457 problems with a text for people.
import { hasText, lang, t, textOr } from "./i18n";
import { type Params, early, earlyData, headersOf, queryOf } from "./plain";

export type { Params };

export interface Fault {
	pointer?: string;
	code: string;
	message: string;
}
export interface PageOf<T> {
	items: T[];
	next_cursor: string | null;
	as_of: string;
	total?: number | null;
	total_exact?: boolean;
}
export interface Job {
	id: string;
	kind: string;
	org: string | null;
	state: "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";
	done: number;
	total: number | null;
	errors: number;
	message: string;
	result: Record<string, unknown> | null;
	created_at: string;
	started_at: string | null;
	finished_at: string | null;
	undo_left: number;
	undo_until: string | null;
}

export class ApiError extends Error {
	constructor(
		readonly status: number,
		/** "not-found", "step-up-needed", or "network" when there was no answer */
		readonly slug: string,
		readonly title: string,
		readonly detail: string,
		readonly faults: Fault[],
		readonly traceId: string,
		readonly retryAfter: number,
	) {
		super(title);
	}
	/** What to do about it. */
	get advice(): string {
		if (this.retryAfter > 0) return t("problem.retry", { n: this.retryAfter });
		for (const key of [this.slug, `status-${this.status}`]) if (hasText(`problem.${key}`)) return t(`problem.${key}`);
		return t("problem.other");
	}
	/** The first fault of a field, by "/name" or "name". */
	faultOf(name: string): string {
		const f = this.faults.find((x) => memberOf(x) === name);
		return f === undefined ? "" : faultText(f);
	}
}

const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/;
/** What is wrong, in the reader's language: the server's words, which say more, else ours by its code. */
export function faultText(f: Fault): string {
	return lang.value === "en" || JAPANESE.test(f.message) ? f.message : textOr(`fault.${f.code}`, f.message);
}
/** The member of the request that a fault is about. */
export const memberOf = (f: Fault) => (f.pointer ?? "").replace(/^\//, "");
/** Set by session.ts: what to do at 401, and at "step-up-needed" (true: ask again). */
export const hooks = {
	signedOut: () => {},
	stepUp: (): Promise<boolean> => Promise.resolve(false),
};

async function problemOf(r: Response): Promise<ApiError> {
	let p: { type?: string; title?: string; detail?: string; errors?: Fault[]; trace_id?: string; retry_after?: number } = {};
	if ((r.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) p = await r.json().catch(() => ({}));
	const slug = (p.type ?? "").split("#")[1] ?? "";
	return new ApiError(r.status, slug, p.title ?? t("problem.title", { n: r.status }), p.detail ?? "", p.errors ?? [], p.trace_id ?? "", p.retry_after ?? 0);
}

export interface Options {
	params?: Params;
	body?: unknown;
	/** Bytes as they are, with their type; instead of body. */
	bytes?: Blob | ArrayBuffer;
	type?: string;
	/** "gzip": the bytes are compressed. */
	encoding?: string;
	/** What is changed as it was read; "" when it was not there: what another has changed or made since is not lost (412). */
	etag?: string;
	once?: string;
	signal?: AbortSignal;
}
export const addressOf = (path: string, params?: Params) => `/api/v1${path}${queryOf(params)}`;
/** One request; the answer's headers too. Throws ApiError, or AbortError when it was called off. */
export async function send(method: string, path: string, o: Options = {}): Promise<Response> {
	const headers = headersOf(lang.peek());
	let body: BodyInit | undefined;
	if (o.bytes !== undefined) [body, headers["Content-Type"]] = [o.bytes, o.type ?? "application/octet-stream"];
	else if (o.body !== undefined) [body, headers["Content-Type"]] = [JSON.stringify(o.body), method === "PATCH" ? "application/merge-patch+json" : "application/json"];
	if (o.encoding !== undefined) headers["Content-Encoding"] = o.encoding;
	if (o.etag !== undefined) headers[o.etag === "" ? "If-None-Match" : "If-Match"] = o.etag || "*";
	if (o.once !== undefined) headers["Idempotency-Key"] = o.once;
	const address = addressOf(path, o.params);
	for (let round = 0; ; round++) {
		let r: Response;
		try {
			r = await ((method === "GET" ? early(address) : undefined) ?? fetch(address, { method, headers, body, signal: o.signal, credentials: "same-origin" }));
			o.signal?.throwIfAborted();
		} catch (e) {
			if ((e as Error).name === "AbortError") throw e;
			throw new ApiError(0, "network", t("problem.network-title"), "", [], "", 0);
		}
		if (r.ok) return r;
		const problem = await problemOf(r);
		if (r.status === 401) hooks.signedOut();
		if (round === 0 && problem.slug === "step-up-needed" && (await hooks.stepUp())) continue;
		throw problem;
	}
}
async function json<T>(method: string, path: string, o: Options): Promise<T> {
	const r = await send(method, path, o);
	return (r.status === 204 ? undefined : await r.json()) as T;
}
export const api = {
	get: async <T>(path: string, params?: Params, signal?: AbortSignal) => earlyData<T>(addressOf(path, params)) ?? json<T>("GET", path, { params, signal }),
	/** `once`: an Idempotency-Key where repeating must not make two. */
	post: <T>(path: string, body?: unknown, o: Options = {}) => json<T>("POST", path, { ...o, body }),
	put: <T>(path: string, body?: unknown, o: Options = {}) => json<T>("PUT", path, { ...o, body }),
	/** `etag`: of what is changed, so that what another has changed since is not lost (412); "*" where there is none. */
	patch: <T>(path: string, body: unknown, etag: string) => json<T>("PATCH", path, { body, etag }),
	del: <T>(path: string, params?: Params) => json<T>("DELETE", path, { params }),
};
/** A path with its parts escaped: at`/alerts/${id}` */
export function at(parts: TemplateStringsArray, ...values: string[]): string {
	return parts.reduce((s, part, i) => s + part + (i < values.length ? encodeURIComponent(values[i] as string) : ""), "");
}

export const finished = (j: Job) => j.state !== "queued" && j.state !== "running";
/** Follows a job to its end; `seen` gets every state on the way. */
export async function follow(id: string, seen: (j: Job) => void, signal?: AbortSignal): Promise<Job> {
	for (let wait = 150; ; wait = Math.min(wait * 1.5, 2000)) {
		const job = await api.get<Job>(at`/jobs/${id}`, undefined, signal);
		seen(job);
		if (finished(job)) return job;
		await new Promise((done) => setTimeout(done, wait));
	}
}
