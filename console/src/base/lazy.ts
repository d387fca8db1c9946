import { manifest } from "./i18n";

/** A library that only some pages need: src/lazy/NAME.ts. */
export function loadLazy<T>(name: string): Promise<T> {
	return import(`/assets/${manifest.lazy[name]}`) as Promise<T>;
}
