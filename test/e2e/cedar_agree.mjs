// Cedar's own engine (@cedar-policy/cedar-wasm) and `yagura access authorize` over made-up
// policies, entities and requests: the same decision, determining policies and erring
// policies, in text and in JSON; the same texts refused.  What differs is made small and
// printed; put into cedar_agree.json it is asked in every run.
// cedar_agree.mjs YAGURA [SETS [SEED]]: sets of 12 policies with 25 requests each (default 100).
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import { join, resolve } from "node:path";

const cedar = createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs");
const yagura = resolve(process.argv[2]);
const sets = Number(process.argv[3] ?? 100);
const seed = Number(process.argv[4] ?? 20260131);
const dir = fs.mkdtempSync(join(os.tmpdir(), "cedar-"));
let tests = 0, failed = 0;
const ok = (good, name) => {
	tests++;
	failed += good ? 0 : 1;
	console.log(`${good ? "ok" : "not ok"} ${tests} - ${name}`);
};
const note = (text) => console.log(text.split("\n").map((l) => `# ${l}`).join("\n"));

// ---- chance ----
let state = seed >>> 0;
const chance = () => { // mulberry32
	state = (state + 0x6d2b79f5) >>> 0;
	let t = state;
	t = Math.imul(t ^ (t >>> 15), t | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = (n) => Math.floor(chance() * n);
const pick = (list) => list[below(list.length)];
const some = (n, f) => Array.from({ length: below(n + 1) }, f);

// ---- values ----
const types = ["User", "Group", "Org::Device", "Photo"];
const ids = ["a", "b", "c", "d\n", "é", ""];
const keys = ["x", "y", "name", "if", "a b", "tags", "é"];
const idents = ["x", "y", "name", "tags"];
const longs = ["0", "1", "2", "-1", "7", "9223372036854775807", "-9223372036854775808", "4611686018427387904"];
// what JavaScript can hand on: in JSON, a number past 2^53 would be another one on its way
const safeLongs = ["0", "1", "2", "-1", "7", "9007199254740991", "-9007199254740991", "4503599627370496"];
const exact = (v) => typeof v === "number" ? Number.isSafeInteger(v) : v === null || typeof v !== "object" || Object.values(v).every(exact);
const texts = ["", "a", "ab", "abc", "a*c", "*", "\\", "\"", "\u0000", "日本", "aaab"];
const decimals = ["1.0", "-1.5", "0.0001", "-0.5", "922337203685477.5807", "1", "1.23456", "x"];
const addresses = ["127.0.0.1", "10.0.0.0/8", "10.1.2.3", "::1", "ff02::1", "2001:db8::/32", "224.0.0.1/4", "1.2.3", "::ffff:1.2.3.4", "10.0.0.1/33"];
const datetimes = ["2024-01-01", "1969-12-31T23:59:59.999Z", "2024-02-29T12:00:00+0900", "2023-02-29", "0000-01-01", "9999-12-31T23:59:59Z"];
const durations = ["1d", "-1h30m", "0ms", "1500ms", "9223372036854775807ms", "1h1d", "106751991167d"];
const uid = () => ({ type: pick(types), id: pick(ids) });
const quote = (s) => `"${[...s].map((c) => c === "\\" || c === "\"" ? `\\${c}` : c === "\n" ? "\\n" : c === "\u0000" ? "\\0" : c).join("")}"`;
const uidText = (u) => `${u.type}::${quote(u.id)}`;
const extension = () => pick([["decimal", decimals], ["ip", addresses], ["datetime", datetimes], ["duration", durations]]);
const valid = { decimal: 5, ip: 7, datetime: 3, duration: 5 }; // so many of each list are, at its front

// ---- JSON data ----
const value = (depth) => {
	const kind = below(depth > 0 ? 8 : 6);
	if (kind === 0) return below(2) === 1;
	if (kind === 1) return below(9) - 2;
	if (kind === 2) return pick(texts);
	if (kind === 3) return { __entity: uid() };
	if (kind === 4) { const [fn, list] = extension(); return { __extn: { fn, arg: list[below(valid[fn])] } }; }
	if (kind === 5) return uid(); // without a schema a record
	if (kind === 6) return some(4, () => value(depth - 1));
	return Object.fromEntries(some(3, () => [pick(keys), value(depth - 1)]));
};
const record = () => Object.fromEntries(some(6, () => [pick(keys), value(2)]));
const order = (u) => types.indexOf(u.type) * 100 + ids.indexOf(u.id);
const entities = () => {
	const made = new Map();
	for (let i = below(14); i > 0; i--) {
		const u = uid();
		// mostly upwards, so that circles are rare but there
		const parents = some(3, uid).filter((p) => order(p) > order(u) || below(150) === 0);
		made.set(uidText(u), { uid: u, attrs: record(), parents, ...(below(2) ? { tags: record() } : {}) });
	}
	return [...made.values()];
};
const request = () => ({
	principal: uid(), action: { type: pick(["Action", "Org::Action"]), id: pick(["view", "edit"]) },
	resource: uid(), context: record(),
});

// ---- expressions: [text maker, ...operands], so that they can be made smaller ----
const said = (text) => [() => text];
const constants = {
	bool: () => pick(["true", "false"]), long: () => pick(habits.longs), string: () => quote(pick(texts)), entity: () => pick([uidText(uid()), "principal", "resource", "principal", "action"]),
	set: () => "[]", record: () => pick(["context", "{}", "context"]), decimal: () => `decimal(${quote(pick(decimals))})`, ip: () => `ip(${quote(pick(addresses))})`,
	datetime: () => `datetime(${quote(pick(datetimes))})`, duration: () => `duration(${quote(pick(durations))})`,
};
const kinds = Object.keys(constants);
const infix = (op) => (a, b) => `(${a} ${op} ${b})`;
const method = (name) => (a, ...rest) => `(${a}).${name}(${rest.join(", ")})`;
const prefix = (op) => (a) => `${op}(${a})`;
const pattern = () => quote(pick(texts)).replace("a", () => pick(["a", "*", "\\*", "\\x61", "\\u{61}"]));
const path = () => idents.slice(below(2)).slice(0, 1 + below(3)).join(".");
// What gives a value of each kind, with the kinds of its operands; [maker, ...kinds].
const forms = {
	bool: [
		() => [infix(pick(["&&", "||"])), "bool", "bool"], () => [infix(pick(["&&", "||"])), "bool", "bool"], () => { const k = pick(kinds); return [infix(pick(["==", "!="])), k, k]; },
		() => { const k = pick(["long", "long", "datetime", "duration"]); return [infix(pick(["<", "<=", ">", ">="])), k, k]; },
		() => [infix("in"), "entity", pick(["entity", "entity", "entities"])], () => [prefix(pick(["!", "!!", "!!!", "!!!!"])), "bool"],
		() => { const p = pick([path(), quote(pick(keys))]); return [(a) => `(${a} has ${p})`, pick(["entity", "record"])]; },
		() => { const p = pattern(); return [(a) => `(${a} like ${p})`, "string"]; }, () => { const t = pick(types); return [(a) => `(${a} is ${t})`, "entity"]; },
		() => { const t = pick(types); return [(a, b) => `(${a} is ${t} in ${b})`, "entity", pick(["entity", "entities"])]; },
		() => [method("contains"), "set", pick(kinds)], () => [method(pick(["containsAll", "containsAny"])), "set", "set"], () => [method("isEmpty"), "set"], () => [method("hasTag"), "entity", "string"],
		() => [method(pick(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"])), "decimal", "decimal"],
		() => [method(pick(["isIpv4", "isIpv6", "isLoopback", "isMulticast"])), "ip"], () => [method("isInRange"), "ip", "ip"],
	],
	long: [() => [infix(pick(["+", "-", "*"])), "long", "long"], () => [prefix(pick(["-", "--", "---"])), "long"], () => [method(pick(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"])), "duration"]],
	datetime: [() => [method("offset"), "datetime", "duration"], () => [method("toDate"), "datetime"]],
	duration: [() => [method("durationSince"), "datetime", "datetime"], () => [method("toTime"), "datetime"]],
	set: [() => [(...all) => `[${all.join(", ")}]`, ...some(4, () => pick(kinds))], () => { const k = pick(kinds); return [(...all) => `[${all.join(", ")}]`, ...some(4, () => k)]; }],
	entities: [() => [(...all) => `[${all.join(", ")}]`, ...some(3, () => "entity")]],
	record: [() => { const names = [...new Set(some(3, () => pick(keys)))]; return [(...all) => `{${all.map((v, i) => `${quote(names[i])}: ${v}`).join(", ")}}`, ...names.map(() => pick(kinds))]; }],
};
// What gives a value of any kind.
const anything = [
	() => { const key = pick(keys); return [(a) => `(${a})[${quote(key)}]`, pick(["entity", "record"])]; }, () => { const key = pick(idents); return [(a) => `(${a}).${key}`, pick(["entity", "record"])]; },
	() => [method("getTag"), "entity", "string"],
];
// How often something is of another kind, or any attribute; what stands at the ends.
const habits = { stray: 25, wild: 8, longs, leaf: (kind) => kind === "entities" ? "[]" : constants[kind]() };
const expression = (depth, want) => {
	const kind = below(habits.stray) === 0 ? pick(kinds) : want;
	if (depth <= 0 || below(9) === 0) return said(habits.leaf(kind));
	const form = below(habits.wild) === 0 ? pick(anything)() : below(12) === 0 ? [(a, b, c) => `(if ${a} then ${b} else ${c})`, "bool", kind, kind] : forms[kind] ? pick(forms[kind])() : null;
	return form === null ? said(habits.leaf(kind)) : [form[0], ...form.slice(1).map((k) => expression(depth - 1, k))];
};
const print = ([make, ...operands]) => make(...operands.map(print));

const scope = (name) => {
	const u = uidText(uid()), t = pick(types), kind = below(12);
	return kind === 0 ? `${name} == ${u}` : kind === 1 ? `${name} in ${u}` : kind === 2 ? `${name} is ${t}` : kind === 3 ? `${name} is ${t} in ${u}` : name;
};
const action = () => pick(["action", "action", "action", "action == Action::\"view\"", "action in [Action::\"view\", Org::Action::\"edit\"]", "action in Action::\"edit\""]);
const policy = (effect) => ({ effect, scope: `${scope("principal")}, ${action()}, ${scope("resource")}`, conditions: [[pick(["when", "when", "unless"]), expression(1 + below(5), "bool")], ...(below(4) ? [] : [[pick(["when", "unless"]), expression(2, "bool")]])] });
const policyText = (p) => `${p.effect}(${p.scope})${p.conditions.map(([w, e]) => ` ${w} { ${print(e)} }`).join("")};`;

// ---- asking both ----
const put = (name, text) => { const file = join(dir, name); fs.writeFileSync(file, text); return file; };
// The same document with keys in another spelling, which a reader of JSON must not tell apart.
const spelled = (json) => json.replace(/"(\w)(\w*)":/g, (key, first, rest) => rest.length % 3 === 0 ? key : `"\\u00${first.charCodeAt(0).toString(16)}${rest}":`);
const askOurs = (policies, form, ents, requests, schema) => {
	const args = ["access", "authorize", "--policies", put("p", policies), "--policy-format", form, "--entities", put("e", spelled(JSON.stringify(ents))), "--requests", put("r", spelled(JSON.stringify(requests))), "--json"];
	if (schema) args.push("--schema", put("s", schema));
	const out = spawnSync(yagura, args, { encoding: "utf8", maxBuffer: 1 << 28 });
	const refusals = new Set([...out.stderr.matchAll(/request (\d+): /g)].map((m) => Number(m[1]) - 1));
	if (out.status !== 0 && out.status !== 3) return { status: out.status, why: out.stderr.trim(), answers: requests.map(() => "refused") };
	const lines = out.stdout.split("\n");
	return { status: out.status, why: out.stderr.trim(), answers: requests.map((_, i) => refusals.has(i) ? "refused" : plain(JSON.parse(lines[i]))) };
};
const seen = { reasons: 0, errors: 0, refused: 0, json: 0 };
const plain = (a) => `${a.decision} ${[...a.reason].sort()} / ${[...a.errors].sort()}`;
let prepared = "";
const askCedar = (text, ents, requests, schema) => {
	if (prepared !== text) {
		const done = cedar.preparsePolicySet("set", { staticPolicies: text });
		if (done.type !== "success") return { refused: done.errors[0].message };
		prepared = text;
	}
	if (schema) cedar.preparseSchema("schema", schema);
	return { answers: requests.map((q) => {
		const r = cedar.statefulIsAuthorized({ ...q, preparsedPolicySetId: "set", entities: ents, ...(schema ? { preparsedSchemaName: "schema", validateRequest: true } : {}) });
		if (r.type !== "success") { seen.refused++; return "refused"; }
		seen.reasons += r.response.diagnostics.reason.length;
		seen.errors += r.response.diagnostics.errors.length;
		return plain({ decision: r.response.decision, reason: r.response.diagnostics.reason, errors: r.response.diagnostics.errors.map((e) => e.policyId) });
	}) };
};
const differs = (ps, ents, requests, form, schema) => {
	const text = ps.map(policyText).join("\n"), theirs = askCedar(text, ents, requests, schema);
	if (theirs.refused) return `Cedar does not read a policy: ${theirs.refused}`;
	let sent = text;
	if (form === "json") {
		const all = ps.map((p) => cedar.policyToJson(policyText(p)));
		if (!all.every((p) => exact(p.json))) return "a number that does not survive JavaScript: nothing was asked";
		sent = spelled(JSON.stringify({ staticPolicies: Object.fromEntries(all.map((p, i) => [`policy${i}`, p.json])) }));
		seen.json += ps.length * requests.length;
	}
	const ours = askOurs(sent, form, ents, requests, schema);
	const i = requests.findIndex((_, k) => ours.answers[k] !== theirs.answers[k]);
	return i < 0 ? null : `request ${i}: Cedar ${theirs.answers[i]}, ours ${ours.answers[i]} ${ours.why}`;
};

// ---- making differences small ----
const smaller = ([make, ...operands]) => [
	...operands,
	...operands.flatMap((o, i) => smaller(o).map((s) => [make, ...operands.slice(0, i), s, ...operands.slice(i + 1)])),
];
const shrink = (c) => {
	const wrong = (k) => differs(k.policies, k.entities, k.requests, k.form, k.schema) !== null;
	const without = (list, i) => [...list.slice(0, i), ...list.slice(i + 1)];
	let now = c, budget = 400;
	for (let again = true; again && budget > 0;) {
		again = false;
		const steps = [
			...now.requests.length > 1 ? now.requests.map((q) => ({ ...now, requests: [q] })) : [],
			...now.policies.length > 1 ? now.policies.map((_, i) => ({ ...now, policies: without(now.policies, i) })) : [],
			...now.entities.map((_, i) => ({ ...now, entities: without(now.entities, i) })),
			...now.policies.flatMap((p, i) => p.conditions.flatMap(([w, e], k) => smaller(e).map((s) => ({ ...now, policies: now.policies.map((q, n) => n === i ? { ...q, conditions: q.conditions.map((d, m) => m === k ? [w, s] : d) } : q) })))),
		];
		for (const step of steps) {
			if (budget-- <= 0) break;
			if (wrong(step)) { now = step; again = true; break; }
		}
	}
	return now;
};
let told = 0;
const tell = (c, why) => {
	const s = told++ < 3 ? shrink(c) : c;
	note(`${why}\n${differs(s.policies, s.entities, s.requests, s.form, s.schema)}`);
	note(JSON.stringify({ policies: s.policies.map(policyText).join("\n"), entities: s.entities, requests: s.requests, form: s.form, schema: s.schema }));
};

// ---- with a schema: implicit forms, and data that does not fit ----
const schemaText = `type Level = { score: decimal, seen?: datetime };
entity User in [Group] { x?: Long, name?: String, home?: ipaddr, level?: Level, best?: User, all?: Set<ipaddr>, friends?: Set<User> } tags String;
entity Group in [Group]; entity Photo in [Group] { y?: Set<Long>, kept?: duration }; namespace Org { entity Device { x?: Bool }; action edit appliesTo { principal: [User, Device], resource: Photo, context: { x?: Long } }; }
entity Grade enum ["high", "low"];
action view, list in all appliesTo { principal: User, resource: [Photo, Org::Device], context: { x?: Long, from?: ipaddr, who?: User, level?: Level, grade?: Grade } };
action all;`;
const rarely = (odd, value) => below(40) === 0 ? odd() : value;
const typed = {
	x: () => rarely(() => "1", below(5)), name: () => rarely(() => 1, pick(texts)), home: () => address(), level: () => level(), best: () => user(),
	all: () => some(3, address), friends: () => some(3, user), from: () => address(), who: () => user(),
	grade: () => ({ type: "Grade", id: rarely(() => "middle", pick(["high", "low"])) }),
};
const address = () => { const a = rarely(() => "x", pick(addresses.slice(0, 7))); return pick([a, { fn: "ip", arg: a }, { __extn: { fn: "ip", arg: a } }]); };
const user = () => { const u = { type: rarely(() => "Group", "User"), id: pick(["a", "b", "c"]) }; return pick([u, { __entity: u }]); };
const level = () => ({ score: pick(["1.0", { fn: "decimal", arg: "2.5" }]), ...(below(2) ? { seen: pick(datetimes.slice(0, 3)) } : {}), ...rarely(() => ({ more: 1 }), {}) });
const fields = (names) => Object.fromEntries([...new Set(some(4, () => rarely(() => "zz", pick(names))))].map((n) => [n, (typed[n] ?? (() => 1))()]));
const typedEntities = () => ["a", "b", "c"].slice(below(3)).map((id) => ({
	uid: { type: "User", id }, attrs: fields(["x", "name", "home", "level", "best", "all", "friends"]),
	parents: some(2, () => ({ type: rarely(() => "Photo", "Group"), id: pick(["g", "h"]) })), tags: below(2) ? { a: rarely(() => 1, "v") } : {},
}));
const typedRequest = () => ({
	principal: { type: rarely(() => "Photo", "User"), id: pick(["a", "b", "c"]) }, action: { type: "Action", id: rarely(() => "none", pick(["view", "list"])) },
	resource: { type: rarely(() => "Group", "Photo"), id: "p" }, context: fields(["x", "from", "who", "level", "grade"]),
});
const typedPaths = ["principal.x == context.x", "principal.home == context.from", "context.from.isInRange(ip(\"10.0.0.0/8\"))", "context.who == principal", "principal.all.contains(context.from)",
	"principal.friends.contains(context.who)", "context.level.score.lessThan(principal.level.score)", "principal.level == context.level", "principal in Group::\"g\"", "action in Action::\"all\"",
	"principal.best in Group::\"h\"", "context.grade == Grade::\"high\"", "principal.hasTag(\"a\")", "principal.level has seen && principal.level.seen > datetime(\"2000-01-01\")"];
const typedPolicy = () => ({ effect: "permit", scope: "principal, action, resource", conditions: [["when", [((t) => () => t)(pick(typedPaths))]]] });

// ---- texts that somebody mistyped ----
const marks = [..."(){}[]<>=!&|+-*,;:.\"@?\\ \n", "::", "&&", "in", "is", "has", "like", "if", "then", "principal", "1", "\"a\"", "U::\"a\"", "@id", "when", "?principal", "__cedar", "//"];
const mistype = (text) => {
	const at = below(text.length), cut = below(4);
	return text.slice(0, at) + (below(2) ? pick(marks) : "") + text.slice(at + (below(2) ? cut : 0));
};

// ---- all of it ----
let cases = 0, different = 0;
const run = (c) => {
	cases += c.policies.length * c.requests.length;
	const why = differs(c.policies, c.entities, c.requests, c.form, c.schema);
	if (why === null) return;
	different++;
	tell(c, why);
};
for (let i = 0; i < sets; i++) {
	const effects = pick([["permit"], ["permit"], ["forbid"], ["permit", "permit", "forbid"]]);
	habits.longs = i % 4 === 3 ? safeLongs : longs;
	const c = { policies: Array.from({ length: 12 }, () => policy(pick(effects))), entities: entities(), requests: Array.from({ length: 25 }, request), form: i % 4 === 3 ? "json" : "text" };
	run(c);
}
ok(different === 0, `${cases} answers of policies to requests are Cedar's (seed ${seed})`);
ok(seen.json >= Math.floor(sets / 4) * 12 * 25, `${seen.json} of them with the policies as JSON`);
// were all false or in error, agreeing would say little
ok(seen.reasons > cases / 20 && seen.errors > cases / 20, `${seen.reasons} policies hold, ${seen.errors} err`);
const before = different, from = cases;
for (let i = 0; i < sets / 2; i++)
	run({ policies: Array.from({ length: 8 }, typedPolicy), entities: typedEntities(), requests: Array.from({ length: 8 }, typedRequest), form: "text", schema: schemaText });
ok(different === before && seen.refused > sets / 4, `${cases - from} more with a schema; ${seen.refused} requests with data that is refused among all`);

let read = 0, apart = 0;
for (let i = 0; i < sets * 2; i++) {
	const text = mistype(policyText(policy("permit")));
	const theirs = cedar.policySetTextToParts(text).type === "success";
	const ours = askOurs(text, "text", [], []);
	read += theirs;
	if (theirs === (ours.status === 0)) continue;
	apart++;
	note(`Cedar ${theirs ? "reads" : "refuses"}, ours: ${ours.why || "read"}\n${JSON.stringify(text)}`);
}
ok(apart === 0, `${sets * 2} mistyped policies are read or refused as by Cedar (${read} read)`);

// ---- both forms, and laid out ----
const format = (name, text, ...more) => {
	const out = spawnSync(yagura, ["access", "format", put(name, text), ...more], { encoding: "utf8", maxBuffer: 1 << 28 });
	return out.status === 0 ? out.stdout : `${out.status} ${out.stderr}`;
};
// Cedar keeps that a list of one action was a list, and takes the texts of patterns apart
const canonical = (v) => {
	if (Array.isArray(v)) return v.map(canonical);
	if (v === null || typeof v !== "object") return v;
	if (v.op === "in" && v.entities?.length === 1) return { op: "in", entity: canonical(v.entities[0]) };
	if (v.pattern) return { left: canonical(v.left), pattern: v.pattern.map((p) => p.Literal ?? [p]).flatMap((p) => [...p]) };
	return Object.fromEntries(Object.keys(v).sort().map((k) => [k, canonical(v[k])]));
};
const same = (a, b) => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
const cedarJson = (texts) => texts.map((t) => cedar.policyToJson(t).json);
const formed = { "text to JSON": 0, "laid out": 0, "JSON to text": 0 };
const written = [];
habits.longs = safeLongs;
for (let i = 0; i < sets; i++) {
	const texts = Array.from({ length: 12 }, () => policyText(policy(pick(["permit", "forbid"])))), text = texts.join("\n");
	const theirs = cedarJson(texts), laid = format("f", text), asJson = format("f", text, "--to", "json");
	const ours = asJson.startsWith("{") ? JSON.parse(asJson).staticPolicies : {};
	const differing = (what, list) => theirs.forEach((t, k) => {
		if (!exact(t)) { written.push(`a number that does not survive JavaScript: ${JSON.stringify(t)}`); return; }
		formed[what]++;
		if (same(t, list?.[k])) return;
		written.push(`${what}: ${JSON.stringify(t)} is ${JSON.stringify(list?.[k])}`);
	});
	differing("text to JSON", theirs.map((_, k) => ours[`policy${k}`]));
	differing("laid out", cedarJson(laid.split("\n\n")));
	differing("JSON to text", cedarJson(format("f", JSON.stringify({ staticPolicies: Object.fromEntries(theirs.map((t, k) => [`policy${k}`, t])) }), "--policy-format", "json").split("\n\n")));
}
written.slice(0, 5).forEach(note);
habits.longs = longs;
ok(written.length === 0 && Object.values(formed).every((n) => n === sets * 12), `policies are the same to Cedar: ${Object.entries(formed).map(([what, n]) => `${n} ${what}`).join(", ")}`);

// ---- strict validation, over made-up schemas ----
const schemaNames = ["User", "Group", "Photo", "Org::Device"];
const schemaType = (depth) => {
	const kind = below(depth > 0 ? 8 : 5);
	if (kind === 0) return { type: pick(["Long", "Long", "Boolean"]) };
	if (kind === 1) return { type: "String" };
	if (kind === 2 || kind === 3) return { type: "Entity", name: pick(schemaNames) };
	if (kind === 4) return { type: "Extension", name: pick(["ipaddr", "decimal", "datetime", "duration"]) };
	return kind === 5 ? schemaRecord(depth - 1) : { type: "Set", element: schemaType(depth - 1) };
};
const schemaRecord = (depth) => ({
	type: "Record", attributes: Object.fromEntries(some(5, () => [pick([...idents, "a b", "if"]), { ...schemaType(depth), ...(below(2) ? { required: false } : {}) }])),
});
const madeSchema = () => {
	const entity = () => ({ memberOfTypes: schemaNames.filter(() => below(3) === 0), shape: schemaRecord(2), ...(below(2) ? { tags: schemaType(1) } : {}) });
	const applies = () => ({ appliesTo: { principalTypes: pick([["User"], ["User", "Group"]]), resourceTypes: pick([["Photo"], ["Org::Device", "Photo"], ["Group"]]), context: schemaRecord(1) } });
	return {
		"": { entityTypes: { User: entity(), Group: entity(), Photo: entity() }, actions: { all: {}, view: { memberOf: [{ id: "all" }], ...applies() }, list: { memberOf: below(2) ? [{ id: "view" }] : [], ...applies() } } },
		Org: { entityTypes: { Device: entity() }, actions: { edit: applies() } },
	};
};
const kindOf = (t) => ({ Long: "long", Boolean: "bool", String: "string", Entity: "entity", Set: "set", Record: "record" })[t.type] ?? { ipaddr: "ip" }[t.name] ?? t.name;
// Where a schema has values of each kind, and what must be tested before one is there.
const placesOf = (schema) => {
	const found = [];
	const shapeOf = (name) => (name === "Org::Device" ? schema.Org.entityTypes.Device : schema[""].entityTypes[name]).shape;
	const add = (text, t, tests, depth) => {
		found.push({ text, kind: kindOf(t), tests });
		const shape = t.type === "Record" ? t : t.type === "Entity" && depth > 0 ? shapeOf(t.name) : { attributes: {} };
		for (const [name, inner] of Object.entries(shape.attributes)) {
			const plainName = /^[a-z]+$/.test(name) && name !== "if";
			add(plainName ? `${text}.${name}` : `${text}[${quote(name)}]`, inner, inner.required === false ? [...tests, `${text} has ${plainName ? name : quote(name)}`] : tests, depth - 1);
		}
	};
	const { principalTypes, resourceTypes, context } = schema[""].actions.view.appliesTo;
	add("principal", { type: "Entity", name: principalTypes[0] }, [], 2);
	add("resource", { type: "Entity", name: resourceTypes[0] }, [], 2);
	add("context", context, [], 2);
	return found;
};
const validConstants = {
	...constants, set: () => "[1, 2]", record: () => "context", entities: () => `[${uidText(uid())}]`,
	...Object.fromEntries(["decimal", "ip", "datetime", "duration"].map((fn) => [fn, () => `${fn}(${quote(pick({ decimal: decimals, ip: addresses, datetime: datetimes, duration: durations }[fn].slice(0, valid[fn])))})`])),
};
const typedScope = (name, type) => pick([name, name, `${name} is ${type}`, `${name} in ${uidText(uid())}`, `${name} == ${type}::"a"`, `${name} is ${type} in ${uidText(uid())}`, `${name} in ?${name}`, `${name} == ?${name}`]);
const validPolicy = (schema, places) => {
	const { principalTypes, resourceTypes } = schema[""].actions.view.appliesTo, conditions = [];
	for (let i = 1 + below(2); i > 0; i--) {
		const tests = new Set();
		habits.leaf = (kind) => {
			const of = places.filter((p) => p.kind === kind), p = pick(of);
			if (!p || below(3) === 0) return validConstants[kind]();
			p.tests.forEach((t) => tests.add(t));
			return p.text;
		};
		const e = expression(1 + below(3), "bool");
		conditions.push([pick(["when", "when", "unless"]), below(5) === 0 ? e : [(a) => `${[...tests].map((t) => `${t} && `).join("")}(${a})`, e]]);
	}
	const act = pick(["action == Action::\"view\"", "action == Action::\"view\"", "action in Action::\"all\"", "action", "action in [Action::\"view\", Action::\"list\"]", "action in [Action::\"view\", Org::Action::\"edit\"]", "action == Action::\"vew\""]);
	return { effect: pick(["permit", "forbid"]), scope: `${typedScope("principal", principalTypes[0])}, ${act}, ${typedScope("resource", resourceTypes[0])}`, conditions };
};
const verdicts = (texts, schema) => {
	const named = texts.map((t, i) => [`p${i}`, t]), isTemplate = ([, t]) => t.includes("?");
	const r = cedar.validate({ schema, policies: { staticPolicies: Object.fromEntries(named.filter((n) => !isTemplate(n))), templates: Object.fromEntries(named.filter(isTemplate)) }, validationSettings: { mode: "strict" } });
	if (r.type !== "success") return { refused: r.errors[0].message };
	const bad = new Map(r.validationErrors.map((e) => [e.policyId, e.error.message]));
	const never = new Set(r.validationWarnings.filter((w) => /is impossible/.test(w.error.message)).map((w) => w.policyId));
	const out = spawnSync(yagura, ["access", "validate", "--policies", put("p", texts.map((t, i) => `@id("p${i}") ${t}`).join("\n")), "--schema", put("s", JSON.stringify(schema)), "--json"], { encoding: "utf8", maxBuffer: 1 << 28 });
	if (out.status !== 0 && out.status !== 3) return { refused: `ours: ${out.stderr}` };
	const lines = out.stdout.split("\n").filter((l) => l !== "").map((l) => JSON.parse(l)), all = texts.map((_, i) => {
		const mine = lines.filter((l) => l.policy === `p${i}`), fault = mine.find((l) => l.severity === "error");
		return { theirs: bad.has(`p${i}`) ? "bad" : never.has(`p${i}`) ? "never" : "good", ours: fault ? "bad" : mine.length ? "never" : "good", why: `${bad.get(`p${i}`) ?? ""} / ${fault?.message ?? ""}` };
	});
	return { all };
};
const odd = [], counts = { good: 0, never: 0, bad: 0 };
Object.assign(habits, { stray: 60, wild: 60 });
for (let i = 0; i < sets; i++) {
	const schema = madeSchema(), places = placesOf(schema);
	const policies = Array.from({ length: 12 }, () => validPolicy(schema, places)), v = verdicts(policies.map(policyText), schema);
	if (v.refused) { odd.push(`${v.refused}\n${JSON.stringify(schema)}`); continue; }
	v.all.forEach((one, k) => {
		counts[one.theirs]++;
		if (one.theirs === one.ours) return;
		let p = policies[k], last = one;
		for (let again = odd.length < 3; again;) {
			again = false;
			for (const c of p.conditions.flatMap(([w, e], n) => [p.conditions.filter((_, m) => m !== n), ...smaller(e).map((s) => p.conditions.map((d, m) => m === n ? [w, s] : d))])) {
				const tried = verdicts([policyText({ ...p, conditions: c })], schema).all?.[0];
				if (!tried || tried.theirs === tried.ours) continue;
				p = { ...p, conditions: c };
				last = tried;
				again = true;
				break;
			}
		}
		odd.push(`Cedar ${last.theirs}, ours ${last.ours} (${last.why})\n${policyText(p)}\n${JSON.stringify(schema)}`);
	});
}
odd.slice(0, 5).forEach(note);
ok(odd.length === 0 && counts.good > sets, `${counts.good + counts.never + counts.bad} policies are valid or not as to Cedar: ${counts.good} are, ${counts.bad} are not, ${counts.never} never apply`);

const kept = JSON.parse(fs.readFileSync(new URL("cedar_agree.json", import.meta.url), "utf8"));
for (const k of kept) {
	const theirs = askCedar(k.policies, k.entities, k.requests, k.schema), ours = askOurs(k.policies, "text", k.entities, k.requests, k.schema);
	ok(theirs.refused ? ours.status !== 0 : k.requests.every((_, i) => ours.answers[i] === theirs.answers[i]), `kept: ${k.about}`);
}
console.log(`1..${tests}`);
fs.rmSync(dir, { recursive: true });
process.exit(failed ? 1 : 0);
