import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { param, setQuery } from "../base/router";

export interface Tab {
	key: string;
	label: ComponentChildren;
	body: () => ComponentChildren;
}
/** Tabs whose choice is in the address (`name`, default "tab"); the first one is the default. */
export function Tabs({ tabs, name = "tab", label }: { tabs: Tab[]; name?: string; label: string }) {
	const wanted = param(name);
	const i = Math.max(0, tabs.findIndex((x) => x.key === wanted));
	const ref = useRef<HTMLDivElement>(null);
	const id = useId();
	const choose = (to: number, focus: boolean) => {
		const n = (to + tabs.length) % tabs.length;
		setQuery({ [name]: n === 0 ? null : (tabs[n] as Tab).key }, "replace");
		if (focus) ref.current?.querySelectorAll<HTMLElement>("[role=tab]")[n]?.focus();
	};
	return (
		<div class="y-tabs">
			<div
				class="y-tabs__list"
				role="tablist"
				aria-label={label}
				ref={ref}
				onKeyDown={(e) => {
					const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[e.key];
					if (to === undefined) return;
					e.preventDefault();
					choose(to, true);
				}}
			>
				{tabs.map((x, n) => (
					<button key={x.key} type="button" role="tab" id={`${id}-${x.key}`} aria-selected={n === i} aria-controls={`${id}-panel`} tabIndex={n === i ? 0 : -1} onClick={() => choose(n, false)}>
						{x.label}
					</button>
				))}
			</div>
			<div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tabs[i]?.key}`} tabIndex={0}>
				{tabs[i]?.body()}
			</div>
		</div>
	);
}
