// The text of an exception from the fields that matched: what it leaves out is what has all of these values.
import type { NamedValue } from "../../kit";

const CUT = 509; // bytes: evidence keeps the first 512 of a value, less up to three where a character would be cut
const bytes = new TextEncoder();
// what YAML does not take as it stands, or takes for the end of a line
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
const code = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
function quoted(text: string): string {
	return CONTROL.test(text) ? JSON.stringify(text).replace(new RegExp(CONTROL, "g"), code) : `'${text.replaceAll("'", "''")}'`;
}
/** In a value of a rule "*" and "?" are wildcards, and a backslash in front of one of the three takes its meaning away. */
const literal = (value: string) => value.replace(/\\(?=[\\*?])|[*?]/g, "\\$&");

export const isCut = (value: string) => bytes.encode(value).length >= CUT;
function line({ name, value }: NamedValue): string {
	const key = isCut(value) ? `${name}|startswith` : name;
	return `    ${/^[\w.|-]+$/.test(key) ? key : quoted(key)}: ${quoted(literal(value))}\n`;
}
export const exceptionText = (fields: NamedValue[]) => (fields.length === 0 ? "" : `selection:\n${fields.map(line).join("")}condition: selection\n`);

/** The fields that an exception from an alert can name: of a correlation those that it groups by, which stand in
 * front of what it counted, when, and the last events. */
export function fieldsOf(fields: NamedValue[], correlation: boolean): NamedValue[] {
	let n = fields.length;
	if (correlation) {
		while (fields[n - 1]?.name === "event") n--;
		n -= 3;
	}
	const names = new Set<string>();
	return fields.slice(0, Math.max(0, n)).filter((f) => f.name !== "" && !names.has(f.name) && names.add(f.name));
}
