// Builds the console: one script for what every page needs, one chunk per page,
// one style sheet, dictionaries, all with a hash of their content in the name,
// and each also as gzip and brotli.  Writes them as C (for src/api/console.c) and,
// with --dist, as files.  Checks first; a failed check ends the build with 1.
// Usage: build.mjs OUT.c [--depfile FILE] [--dist FOLDER] [--print]
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { checkSources } from "./check.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const src = path.join(here, "src");
const LIMIT = { first: 80_000, page: 12_000, lazy: 50_000, whole: 350_000 }; // bytes of gzip; over it the build fails
const GOAL = { first: 65_000 };
const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const out = args[0];

function stop(lines) {
	for (const line of lines) process.stderr.write(`console: ${line}\n`);
	process.exit(1);
}

let esbuild;
try {
	esbuild = await import("esbuild");
} catch {
	stop(["npm's esbuild is missing: run tools/setup run (or make), which installs what package-lock.json names"]);
}

const pages = fs
	.readdirSync(path.join(src, "pages"))
	.filter((name) => fs.existsSync(path.join(src, "pages", name, "page.tsx")))
	.sort();
const lazy = fs.existsSync(path.join(src, "lazy"))
	? fs.readdirSync(path.join(src, "lazy")).map((f) => path.parse(f).name).sort()
	: [];
const faults = checkSources(src, pages);
if (faults.length > 0) stop(faults);

const assets = []; // {name, url, type, bytes, part}
const inputs = new Set();
function add(logical, bytes, type, part) {
	bytes = Buffer.from(bytes);
	const { name, ext } = path.parse(logical);
	const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
	const asset = { name: logical, file: `${name}-${hash}${ext}`, type, bytes, part };
	asset.gz = zlib.gzipSync(bytes, { level: 9 });
	asset.br = zlib.brotliCompressSync(bytes, {
		params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
	});
	assets.push(asset);
	return asset;
}

const common = {
	bundle: true,
	minify: true,
	format: "esm",
	target: "es2022",
	jsx: "automatic",
	jsxImportSource: "preact",
	charset: "utf8",
	legalComments: "none",
	write: false,
	metafile: true,
	logLevel: "silent",
	absWorkingDir: here,
	define: { "process.env.NODE_ENV": '"production"' },
};
async function bundle(entry, more) {
	try {
		const r = await esbuild.build({ ...common, entryPoints: [entry], outdir: path.join(here, "out"), ...more });
		for (const name of Object.keys(r.metafile.inputs)) {
			const full = path.resolve(here, name);
			if (fs.existsSync(full)) inputs.add(full);
		}
		return r.outputFiles[0].contents;
	} catch (e) {
		stop((e.errors ?? [{ text: String(e) }]).map((x) => `${x.location ? `${x.location.file}:${x.location.line}: ` : ""}${x.text}`));
	}
}

// Of the design tokens only what the semantic layer names is kept.
function pruneTokens(css) {
	let text = Buffer.from(css).toString();
	for (;;) {
		const used = new Set([...text.matchAll(/var\((--[\w-]+)/g)].map((m) => m[1]));
		const next = text.replace(/(--(?:color|font|elevation)-[\w-]+):[^;}]*;?/g, (all, name) => (used.has(name) ? all : ""));
		if (next === text) return text;
		text = next;
	}
}

const main = add("main.js", await bundle("src/main.tsx"), "text/javascript; charset=utf-8", "first");
// What pages ask first is asked before there is a kit: of it they get what needs no page.
const plain = { name: "plain", setup: (build) => build.onResolve({ filter: /\/kit$/ }, () => ({ path: path.join(src, "base", "plain.ts") })) };
const early = add("early.js", await bundle("src/early.ts", { format: "iife", plugins: [plain] }), "text/javascript; charset=utf-8", "first");
// In a page's chunk everything of base/, ui/ and the libraries is the one main script's.
const kit = {
	name: "kit",
	setup(build) {
		const away = () => ({ path: `./${main.file}`, external: true });
		build.onResolve({ filter: /^(preact|@preact\/signals)(\/|$)/ }, away);
		build.onResolve({ filter: /\/kit$/ }, away);
		build.onResolve({ filter: /\/(base|ui)\// }, (a) =>
			stop([`${path.relative(here, a.importer)}: import from "../../kit", not from ${a.path}`]),
		);
	},
};
const css = add("app.css", pruneTokens(await bundle("src/app.css")), "text/css; charset=utf-8", "first");
const dictionaries = {};
for (const lang of ["ja", "en"]) {
	const file = path.join(src, "base", `${lang}.json`);
	inputs.add(file);
	dictionaries[lang] = add(`base.${lang}.json`, JSON.stringify(JSON.parse(fs.readFileSync(file, "utf8"))), "application/json", lang);
}
const manifest = { dict: { ja: dictionaries.ja.file, en: dictionaries.en.file }, pages: {}, lazy: {} };
for (const name of pages) {
	const row = { js: add(`${name}.js`, await bundle(`src/pages/${name}/page.tsx`, { plugins: [kit] }), "text/javascript; charset=utf-8", `page ${name}`).file };
	for (const lang of ["ja", "en"]) {
		const file = path.join(src, "pages", name, `${lang}.json`);
		inputs.add(file);
		const flat = Object.fromEntries(Object.entries(JSON.parse(fs.readFileSync(file, "utf8"))).map(([k, v]) => [`${name}.${k}`, v]));
		row[lang] = add(`${name}.${lang}.json`, JSON.stringify(flat), "application/json", `page ${name} ${lang}`).file;
	}
	manifest.pages[name] = row;
}
for (const name of lazy)
	manifest.lazy[name] = add(`${name}.js`, await bundle(`src/lazy/${name}.ts`, { plugins: [kit] }), "text/javascript; charset=utf-8", `lazy ${name}`).file;
// Context help: doc/help/LANGUAGE/PAGE.md as blocks of headings, paragraphs and points.
function blocksOf(file) {
	const out = [];
	for (const line of fs.readFileSync(file, "utf8").split("\n").map((x) => x.trim())) {
		const point = line.startsWith("- ");
		if (line === "") continue;
		if (line.startsWith("## ")) out.push(["h", line.slice(3)]);
		else if (point && out.at(-1)?.[0] === "li") out.at(-1).push(line.slice(2));
		else out.push([point ? "li" : "p", point ? line.slice(2) : line]);
	}
	return out;
}
const helpDir = path.join(here, "..", "doc", "help");
const apart = ["accessibility"]; // help that belongs to no page: the results of the accessibility tests
const helped = pages.filter((name) => ["ja", "en"].some((lang) => fs.existsSync(path.join(helpDir, lang, `${name}.md`))));
manifest.help = { pages: helped };
for (const lang of ["ja", "en"]) {
	const all = {};
	for (const name of [...helped, ...apart]) {
		const file = path.join(helpDir, lang, `${name}.md`);
		if (!fs.existsSync(file)) stop([`doc/help/${lang}/${name}.md is missing: help is in both languages`]);
		inputs.add(file);
		all[name] = blocksOf(file);
	}
	manifest.help[lang] = add(`help.${lang}.json`, JSON.stringify(all), "application/json", `help ${lang}`).file;
}
for (const name of [...helped, ...apart])
	if (blocksOf(path.join(helpDir, "ja", `${name}.md`)).filter((b) => b[0] === "h").length !== blocksOf(path.join(helpDir, "en", `${name}.md`)).filter((b) => b[0] === "h").length)
		stop([`doc/help: ${name}.md has other headings in ja than in en`]);
// Scripts of the plain pages (sign-in): complete in themselves.
for (const name of ["auth"])
	if (fs.existsSync(path.join(src, `${name}.ts`)))
		add(`${name}.js`, await bundle(`src/${name}.ts`), "text/javascript; charset=utf-8", `plain ${name}`);

// The licences of the packages whose code or colours are in the files above.
function notices() {
	const folders = new Set();
	for (const file of inputs) {
		const m = file.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
		if (m) folders.add(m[1]);
	}
	const part = [];
	for (const folder of [...folders].sort()) {
		const about = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
		const licence = fs.readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
		if (licence === undefined) stop([`${about.name}: no licence file in ${folder}`]);
		part.push(`${about.name} ${about.version} (${about.license})\n\n${fs.readFileSync(path.join(folder, licence), "utf8").trim()}\n`);
	}
	return part.join(`\n${"-".repeat(72)}\n\n`);
}
manifest.notices = add("notices.txt", notices(), "text/plain; charset=utf-8", "notices").file;

const escape = (s) => s.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
const html = fs
	.readFileSync(path.join(src, "index.html"), "utf8")
	.replace("{{css}}", `/assets/${css.file}`)
	.replace("{{early}}", `/assets/${early.file}`)
	.replace("{{main}}", `/assets/${main.file}`)
	.replace("{{manifest}}", escape(JSON.stringify(manifest)));
inputs.add(path.join(src, "index.html"));
const index = add("index.html", html, "text/html; charset=utf-8", "first");

const gz = (part) => assets.filter((a) => a.part === part).reduce((n, a) => n + a.gz.length, 0);
const larger = (a, b) => Math.max(gz(a), gz(b));
const sizes = [["first load", gz("first") + larger("ja", "en"), LIMIT.first]];
for (const name of pages) sizes.push([`page ${name}`, gz(`page ${name}`) + larger(`page ${name} ja`, `page ${name} en`), LIMIT.page]);
for (const name of lazy) sizes.push([`lazy ${name}`, gz(`lazy ${name}`), LIMIT.lazy]);
sizes.push(["whole console", assets.reduce((n, a) => n + a.gz.length, 0), LIMIT.whole]);
const over = sizes.filter(([, n, limit]) => n > limit).map(([what, n, limit]) => `${what}: ${n} bytes gzip, more than ${limit}`);
if (args.includes("--print")) {
	for (const [what, n, limit] of sizes) console.log(`${what.padEnd(24)} ${String(n).padStart(7)} B gz of ${limit}`);
	console.log(`${"goal of the first load".padEnd(24)} ${String(GOAL.first).padStart(7)} B gz`);
	for (const a of assets) console.log(`  ${a.file.padEnd(36)} ${String(a.bytes.length).padStart(7)} ${String(a.gz.length).padStart(7)} gz ${String(a.br.length).padStart(7)} br`);
}
if (over.length > 0) stop(over);

const dist = option("--dist");
if (dist !== undefined) {
	fs.mkdirSync(path.join(dist, "assets"), { recursive: true });
	fs.writeFileSync(path.join(dist, "index.html"), html);
	for (const a of assets) if (a !== index) fs.writeFileSync(path.join(dist, "assets", a.file), a.bytes);
}

function array(name, bytes) {
	const lines = [];
	for (let i = 0; i < bytes.length; i += 40) lines.push(`\t${bytes.subarray(i, i + 40).join(",")},`);
	return `static const unsigned char ${name}[] = {\n${lines.join("\n")}\n\t0};\n`;
}
let c = '/* made by console/build.mjs */\n#include "api/console.h"\n\n';
assets.forEach((a, i) => {
	c += array(`a${i}`, a.bytes) + array(`a${i}_gz`, a.gz) + array(`a${i}_br`, a.br);
});
c += "\nconst struct yg_asset yg_assets[] = {\n";
assets.forEach((a, i) => {
	const immutable = a !== index;
	c += `\t{"${a.name}", "${immutable ? a.file : a.name}", "${a.type}", ${immutable},\n\t {{a${i}, ${a.bytes.length}}, {a${i}_gz, ${a.gz.length}}, {a${i}_br, ${a.br.length}}}},\n`;
});
c += "\t{.name = NULL},\n};\nconst char *const yg_console_pages[] = {\n";
for (const name of pages) c += `\t"${name}",\n`;
c += "\tNULL,\n};\n";
fs.writeFileSync(out, c);

const depfile = option("--depfile");
if (depfile !== undefined) {
	const watch = [...inputs, ...pages.map((p) => path.join(src, "pages", p)), path.join(src, "pages"), path.join(src, "base"), path.join(src, "ui")];
	watch.push(path.join(here, "build.mjs"), path.join(here, "check.mjs"));
	const local = watch.filter((f) => !f.includes(`${path.sep}node_modules${path.sep}`));
	fs.writeFileSync(depfile, `${out}: ${local.map((f) => f.replaceAll(" ", "\\ ")).join(" ")}\n`);
}
