// What must hold of the console's sources: every text is in both dictionaries and
// used, no text stands in code, nothing that a Trusted Types policy would stop.
import fs from "node:fs";
import path from "node:path";

const FORBIDDEN = [
	[/\b(inner|outer)HTML\b/, "writes HTML"],
	[/\binsertAdjacentHTML\b|\bdocument\.write\b/, "writes HTML"],
	[/\beval\s*\(|\bnew Function\b/, "makes code of text"],
	[/dangerouslySet/, "writes HTML"],
	[/https?:\/\/(?!www\.w3\.org\/2000\/svg)/, "names another host"],
	[/\bstyle="/, "sets a style attribute: use a class, or style={{...}} for what is computed"],
];
const CJK = /[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]/;
const TEXT_ATTRIBUTE = /[ \t](?:label|title|placeholder|aria-label|hint|alt)="[^"]*[A-Za-z]{2}[^"]*"/;
const TEXT_NODE = /(?<!=)>[ \t]*[A-Z][a-z]+[^<>{}=;()&|]*<\//;

function files(folder) {
	return fs.readdirSync(folder, { withFileTypes: true }).flatMap((e) => {
		const full = path.join(folder, e.name);
		return e.isDirectory() ? files(full) : [full];
	});
}

// Comments away, lines kept.
function code(text) {
	return text.replace(/\/\*[\s\S]*?\*\//g, (m) => m.replace(/[^\n]/g, " ")).replace(/(^|[\s;{}(,])\/\/[^\n]*/g, "$1");
}

function dictionary(file, prefix, faults) {
	let json;
	try {
		json = JSON.parse(fs.readFileSync(file, "utf8"));
	} catch (e) {
		faults.push(`${file}: ${e.message}`);
		return new Map();
	}
	return new Map(Object.entries(json).map(([k, v]) => [prefix + k, v]));
}

const holes = (text) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((m) => m[1]))].sort().join(" ");

function checkPair(where, ja, en, faults) {
	for (const key of new Set([...ja.keys(), ...en.keys()])) {
		const j = ja.get(key);
		const e = en.get(key);
		if (typeof j !== "string" || j.trim() === "") faults.push(`${where}/ja.json: "${key}" is missing or empty`);
		else if (typeof e !== "string" || e.trim() === "") faults.push(`${where}/en.json: "${key}" is missing or empty`);
		else if (holes(j) !== holes(e)) faults.push(`${where}: "${key}" has {${holes(j)}} in ja and {${holes(e)}} in en`);
		else if (CJK.test(e)) faults.push(`${where}/en.json: "${key}" is not English`);
	}
}

export function checkSources(src, pages) {
	const faults = [];
	const base = path.join(src, "base");
	const known = dictionary(path.join(base, "ja.json"), "", faults);
	checkPair("src/base", known, dictionary(path.join(base, "en.json"), "", faults), faults);
	const plain = (lang) => dictionary(path.join(src, `auth.${lang}.json`), "", faults);
	checkPair("src/auth", plain("ja"), plain("en"), faults);
	const owner = new Map([...known.keys()].map((k) => [k, "src/base"]));
	for (const name of pages) {
		const folder = path.join(src, "pages", name);
		const ja = dictionary(path.join(folder, "ja.json"), `${name}.`, faults);
		checkPair(`src/pages/${name}`, ja, dictionary(path.join(folder, "en.json"), `${name}.`, faults), faults);
		for (const key of ja.keys()) owner.set(key, `src/pages/${name}`);
	}
	const used = new Set();
	const prefixes = new Set(["action."]); // words that any page may use
	for (const file of files(src).filter((f) => /\.tsx?$/.test(f))) {
		const rel = path.relative(path.dirname(src), file);
		const text = code(fs.readFileSync(file, "utf8"));
		const page = rel.match(/^src\/pages\/(\w[\w-]*)\//)?.[1];
		text.split("\n").forEach((line, i) => {
			for (const [rule, why] of FORBIDDEN) if (rule.test(line)) faults.push(`${rel}:${i + 1}: ${why}`);
			if (CJK.test(line)) faults.push(`${rel}:${i + 1}: Japanese text belongs in ja.json`);
			if (file.endsWith(".tsx") && (TEXT_ATTRIBUTE.test(line) || TEXT_NODE.test(line.replace(/<kbd>[^<]*<.kbd>/g, ""))))
				faults.push(`${rel}:${i + 1}: text belongs in the dictionaries`);
		});
		for (const m of text.matchAll(/\bt\(\s*(["'`])([^"'`$]*)(\1\s*\+|\1|\$\{)/g)) {
			const key = m[2];
			const line = text.slice(0, m.index).split("\n").length;
			if (m[3] === m[1]) {
				used.add(key);
				if (!owner.has(key)) faults.push(`${rel}:${line}: no text "${key}"`);
				else if (page !== undefined && owner.get(key) !== "src/base" && owner.get(key) !== `src/pages/${page}`)
					faults.push(`${rel}:${line}: "${key}" is another page's text`);
			} else {
				prefixes.add(key);
				if (key === "" || ![...owner.keys()].some((k) => k.startsWith(key))) faults.push(`${rel}:${line}: no text begins with "${key}"`);
			}
		}
		// t(much ? "a" : "b", ...)
		for (const m of text.matchAll(/\bt\(\s*[^"'`()]+\?\s*"([^"]+)"\s*:\s*"([^"]+)"/g))
			for (const key of [m[1], m[2]]) {
				used.add(key);
				if (!owner.has(key)) faults.push(`${rel}: no text "${key}"`);
			}
		// a number as a card is <Figure>, which asks for its definition
		if (page !== undefined && /class="y-figure\b|cx\("y-figure\b/.test(text)) faults.push(`${rel}: a number without its definition: use <Figure about={[k(...), k(...)]}>`);
		for (const m of text.matchAll(/\bgroup="([^"]+)"/g)) prefixes.add(`${m[1]}.`);
		for (const m of text.matchAll(/\btextOr\(\s*`([^`$]+)\$/g)) prefixes.add(m[1]);
		// keys that stand in tables: k("alerts.title")
		for (const m of text.matchAll(/\bk\(\s*["'`]([^"'`$]+)["'`]\s*\)/g)) {
			used.add(m[1]);
			if (!owner.has(m[1])) faults.push(`${rel}: no text "${m[1]}"`);
		}
	}
	for (const [key, where] of owner)
		if (!used.has(key) && ![...prefixes].some((p) => key.startsWith(p))) faults.push(`${where}: "${key}" is not used`);
	return faults;
}
