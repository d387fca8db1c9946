// Conditions of the search language, as a page puts them into an address.

/** A value as it stands in a query. */
export function quoted(value: string): string {
	return /^[\p{L}\p{N}._@/:+%-]+$/u.test(value) && !/^(OR|AND|NOT)$/.test(value) && !value.startsWith("-") ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
export function condition(field: string, value: unknown): string {
	return `${field}:${quoted(String(value))}`;
}
