// The time range of a page: quick, absolute, shifted; always in the address.
import { useMemo, useState } from "preact/hooks";
import { t } from "../base/i18n";
import { useKeys } from "../base/keys";
import { zone } from "../base/prefs";
import { range, setQuery } from "../base/router";
import { type Range, fixed, iso, lengthOf, resolve, shift, span, stamp, zoom } from "../base/time";
import { Button } from "./basics";
import { Radios, TextField } from "./form";
import { Popover } from "./overlay";

const QUICK = ["now-15m", "now-1h", "now-4h", "now-24h", "now-7d", "now-30d", "now-90d"];

export function rangeText(r: Range, all: string): string {
	if (r.from === "" && r.to === "") return all;
	const m = /^now-(\d+)([smhdw])$/.exec(r.from);
	if (m !== null && (r.to === "" || r.to === "now")) return t("range.last", { time: span(lengthOf(r) / 1000) });
	return `${r.from === "" ? "" : stamp(resolve(r.from))} – ${r.to === "" ? t("range.now") : stamp(resolve(r.to))}`;
}
/** What the address says of time, as the API wants it. "Now" stands still: a list is read anew when what was asked changes, not each time it is drawn. */
export function useFrom(): { from: string | undefined; to: string | undefined } {
	const r = range("");
	const time = (text: string) => (text === "" ? undefined : iso(resolve(text)));
	return useMemo(() => ({ from: time(r.from), to: time(r.to) }), [r.from, r.to]);
}
/** `fallback`: how far back when the address says nothing; "" means all time. */
export function TimeRange({ fallback = "now-24h" }: { fallback?: string }) {
	const r = range(fallback);
	const whole = r.from === "" && r.to === "";
	const set = (next: Range) => setQuery({ from: next.from === fallback ? null : next.from, to: next.to === "now" ? null : next.to });
	const move = (by: number) => !whole && set(shift(r, by));
	useKeys(t("range.title"), [
		{ keys: "[", label: t("range.back"), run: () => move(-1) },
		{ keys: "]", label: t("range.on"), run: () => move(1) },
		{ keys: "-", label: t("range.out"), run: () => !whole && set(zoom(r, 2)) },
		{ keys: "+", label: t("range.in"), run: () => !whole && set(zoom(r, 0.5)) },
		{ keys: "\\", label: t("range.fix"), run: () => !whole && set(fixed(r)) },
	]);
	return (
		<div class="y-range">
			<Button kind="quiet" icon="left" label={t("range.back")} disabled={whole} onClick={() => move(-1)} />
			<Popover label={t("range.title")} icon="clock" text={rangeText(r, t("range.all"))} end>
				{(close) => <Panel r={r} all={fallback === ""} set={set} close={close} />}
			</Popover>
			<Button kind="quiet" icon="right" label={t("range.on")} disabled={whole || (resolve(r.to || "now") >= Date.now() - 1000 && !r.to.includes("T"))} onClick={() => move(1)} />
		</div>
	);
}
function Panel({ r, all, set, close }: { r: Range; all: boolean; set: (r: Range) => void; close: () => void }) {
	const show = (x: string) => (/T.*Z$/.test(x) ? stamp(resolve(x), true) : x);
	const [from, setFrom] = useState(show(r.from));
	const [to, setTo] = useState(show(r.to || "now"));
	const bad = (x: string) => (x !== "" && Number.isNaN(resolve(x)) ? t("range.bad") : "");
	const backwards = bad(from) === "" && bad(to) === "" && from !== "" && resolve(from) >= resolve(to || "now");
	const put = (next: Range) => {
		set(next);
		close();
	};
	const keep = (x: string) => (x === "" || x.trim().startsWith("now") ? x.trim() : iso(resolve(x)));
	return (
		<div class="y-rangepanel">
			<div class="y-quick">
				{QUICK.map((x) => (
					<Button key={x} small kind={r.from === x && r.to === "" ? "main" : "plain"} onClick={() => put({ from: x, to: "" })}>
						{span(lengthOf({ from: x, to: "" }) / 1000)}
					</Button>
				))}
				{all && (
					<Button small kind={r.from === "" && r.to === "" ? "main" : "plain"} onClick={() => put({ from: "", to: "" })}>
						{t("range.all")}
					</Button>
				)}
			</div>
			{!(r.from === "" && r.to === "") && (
				<div class="y-row">
					<Button small onClick={() => put(zoom(r, 0.5))}>
						{t("range.in")}
					</Button>
					<Button small onClick={() => put(zoom(r, 2))}>
						{t("range.out")}
					</Button>
				</div>
			)}
			<form
				class="y-stack"
				onSubmit={(e) => {
					e.preventDefault();
					if (bad(from) === "" && bad(to) === "" && !backwards) put({ from: keep(from), to: keep(to) });
				}}
			>
				<TextField label={t("range.from")} value={from} onChange={setFrom} fault={bad(from)} />
				<TextField label={t("range.to")} value={to} onChange={setTo} fault={bad(to) || (backwards ? t("range.backwards") : "")} hint={t("range.hint")} />
				<Radios
					label={t("range.zone")}
					value={zone.value}
					onChange={(z) => {
						zone.value = z as "JST" | "UTC";
					}}
					options={[
						["JST", "JST (UTC+9)"],
						["UTC", "UTC"],
					]}
				/>
				<div class="y-row">
					<Button type="submit" kind="main">
						{t("range.use")}
					</Button>
				</div>
			</form>
		</div>
	);
}
