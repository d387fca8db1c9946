// The focus, kept when the page is drawn anew under it.  What has it may be removed (its row was
// closed by somebody, its card came anew), moved (the list has another order), or belong to
// something that lies above the page and closes: each time the browser leaves the focus nowhere.
// Here it goes to the same thing again, found by what it is called and in which row it stands;
// out of what closes, to what opened it; else to what stands beside the gap.
interface Spot {
	element: HTMLElement;
	name: string;
	row: string;
}
const USABLE = "a[href],button,input,select,textarea,summary,[tabindex='0']";
const ROW = "tr,li,section,form,.y-figure";

const words = (e: Element | null | undefined) => e?.textContent?.trim() ?? "";
// a link is called by where it leads: the number in it may be another one by now
const nameOf = (e: Element) => `${e.tagName} ${e.getAttribute("href") ?? e.getAttribute("aria-label") ?? e.getAttribute("name") ?? words(e)}`;
const rowOf = (e: Element) => words(e.closest(ROW)?.querySelector("td.is-main,h2,h3,a"));
const spotOf = (element: HTMLElement): Spot => ({ element, name: nameOf(element), row: rowOf(element) });
const canHave = (e: HTMLElement) => e.isConnected && e.checkVisibility({ visibilityProperty: true }) && !e.matches(":disabled") && e.closest("[inert]") === null;
const firstIn = (e: ParentNode, which = USABLE) => [...e.querySelectorAll<HTMLElement>(which)].find(canHave);
const nowhere = () => document.activeElement === null || document.activeElement === document.body;
/** What can be used at all: the dialog on top, or the page. */
const reach = (): ParentNode => [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;

function again({ element, name, row }: Spot): HTMLElement | undefined {
	const root = reach();
	if (canHave(element) && root.contains(element)) return element;
	return [...root.querySelectorAll<HTMLElement>(element.tagName)].find((e) => nameOf(e) === name && rowOf(e) === row && canHave(e));
}
/** What a dialog begins with. */
export const firstField = (e: ParentNode) => firstIn(e, "[autofocus],input,select,textarea,.y-dialog__foot button");

const layers = new WeakMap<Node, () => HTMLElement | undefined>();
/** A layer is open; what has the focus has opened it. When it goes and has the focus, that goes to `to`, else to what opened it. */
export function opened(layer: HTMLElement | null | undefined, to?: () => HTMLElement | null | undefined): void {
	if (layer === null || layer === undefined) return;
	const before = document.activeElement;
	const spot = before instanceof HTMLElement && before !== document.body && !layer.contains(before) ? spotOf(before) : undefined;
	layers.set(layer, () => to?.() ?? (spot === undefined ? undefined : again(spot)));
}

let last: Spot | undefined; // had the focus, and has not given it up
let missed: Spot | undefined; // was nowhere to be found; may come yet
let parked: HTMLElement | undefined; // where the focus waits for it

function opener(of: Node): HTMLElement | undefined {
	for (let e: Node | null = of; e !== null; e = e.parentNode) {
		const found = layers.get(e)?.();
		if (found !== undefined && canHave(found)) return found;
	}
	return undefined;
}
function beside({ target, nextSibling, previousSibling }: MutationRecord): HTMLElement | undefined {
	for (let e: Node | null = target; e instanceof HTMLElement; e = e.parentNode) if (e.isConnected && layers.has(e)) return firstField(e) ?? firstIn(e) ?? e;
	const main = document.getElementById("main") ?? undefined;
	if (!target.isConnected || target === main || main?.contains(target) !== true) return main; // another page
	for (const e of [nextSibling, previousSibling]) {
		const found = e instanceof Element && e.isConnected ? firstIn(e) : undefined;
		if (found !== undefined) return found;
	}
	const before = [...main.querySelectorAll<HTMLElement>(USABLE)].filter((e) => (target.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING) !== 0);
	return before.reverse().find(canHave) ?? main;
}
function keep(records: MutationRecord[]): void {
	if (missed !== undefined && (nowhere() || document.activeElement === parked)) {
		const found = again(missed) ?? opener(missed.element);
		if (found !== undefined) {
			missed = undefined;
			found.focus({ preventScroll: true });
		}
	}
	if (last === undefined || !nowhere()) return;
	const was = last;
	const gap = records.find((r) => [...r.removedNodes].some((n) => n.contains(was.element)));
	if (gap === undefined) return; // it was given up
	const found = again(was) ?? opener(was.element);
	if (found === undefined) {
		missed = was;
		parked = beside(gap);
	}
	(found ?? parked)?.focus({ preventScroll: true });
}
document.addEventListener("focusin", (e) => {
	if (e.target instanceof HTMLElement) last = spotOf(e.target);
});
for (const own of ["keydown", "pointerdown"])
	document.addEventListener(
		own,
		() => {
			missed = undefined;
			if (own === "pointerdown") last = undefined; // whoever points elsewhere gives it up
		},
		true,
	);
new MutationObserver(keep).observe(document, { childList: true, subtree: true });
