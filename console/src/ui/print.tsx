// A page on paper: whose it is, of when, how far it may be passed on, when and by whom it was
// printed.  The same stands at the edge of every sheet where the browser can put it there.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../base/i18n";
import { orgTitle, systemTitle } from "../base/orgs";
import { place } from "../base/router";
import { rootOrg, session } from "../base/session";
import { stamp } from "../base/time";

const TLP = ["clear", "green", "amber", "amber+strict", "red"];
/** The marking of what is strictest among rows; undefined: none has any. */
export function strictest(rows: readonly object[]): string | undefined {
	const all = rows.map((r) => TLP.indexOf((r as { tlp?: string }).tlp ?? ""));
	return TLP[Math.max(-1, ...all)];
}

function scopeText(): string {
	const p = place.value;
	const org = p.org || rootOrg();
	return [org === "" ? t("scope.whole") : orgTitle(org), p.system !== "" && systemTitle(p.system), p.asset].filter(Boolean).join(" › ");
}
const sheet = new CSSStyleSheet();
const quoted = (text: string) => `"${text.replace(/["\\\n]/g, (c) => `\\${c.charCodeAt(0).toString(16)} `)}"`;

export function Printed() {
	const line = useRef<HTMLParagraphElement>(null);
	useEffect(() => {
		const put = () => {
			const tlp = strictest([...document.querySelectorAll<HTMLElement>("#main [data-tlp]")].map((e) => e.dataset));
			const marked = tlp === undefined ? "" : `TLP:${tlp.toUpperCase()}`;
			const range = document.querySelector<HTMLElement>("#main .y-range .y-menu > .y-button")?.textContent ?? "";
			const who = session.value?.person;
			const when = `${t("print.at")} ${stamp(Date.now())}${who === null || who === undefined ? "" : ` ${who.name || who.login}`}`;
			const about = [marked, `${t("scope.title")}: ${scopeText()}`, range !== "" && `${t("range.title")}: ${range}`, when].filter(Boolean);
			if (line.current !== null) line.current.textContent = about.join(" | ");
			sheet.replaceSync(`@page{margin:16mm 12mm;@top-left{content:${quoted(`${t("brand")} | ${scopeText()}`)}}@top-right{content:${quoted(marked)}}@bottom-left{content:${quoted(when)}}@bottom-center{content:${quoted(marked)}}@bottom-right{content:counter(page) " / " counter(pages)}}`);
			if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
		};
		addEventListener("beforeprint", put);
		return () => removeEventListener("beforeprint", put);
	}, []);
	return <p class="y-printed" ref={line} aria-hidden="true" />;
}
