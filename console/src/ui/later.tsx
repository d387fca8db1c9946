// A time to come: how many days something holds, or a time with the reason for it.
import { t } from "../base/i18n";
import { iso, resolve, span, stamp, toMs } from "../base/time";
import { Form, SelectField, TextArea, TextField, useForm } from "./form";
import { Dialog } from "./overlay";

const HOUR = 3_600_000;
/** A choice of days from now, as the API wants it, on the hour: what is sent again after a lost answer is the same. "": without end. */
export const inDays = (days: string) => (days === "" ? null : iso(Math.ceil(Date.now() / HOUR) * HOUR + Number(days) * 24 * HOUR));
export const over = (until: string | null) => until !== null && toMs(until) <= Date.now();
/** To choose from; with `keep`, what holds now first ("keep"). */
export const dayOptions = (keep?: string | null): [string, string][] => [
	...(keep === undefined ? [] : [["keep", keep === null ? t("until.keep-never") : t("until.keep", { time: stamp(keep) })] as [string, string]]),
	...["7", "30", "90", "365", ""].map((d): [string, string] => [d, d === "" ? t("until.never") : t("until.days", { n: Number(d) })]),
];
const HOURS = [1, 4, 24, 72, 168, 720];
interface LaterProps {
	title: string;
	what: string;
	label: string;
	hint: string;
	hours: number;
	/** What it is without a time of its own; absent: that is no choice. */
	none?: string;
	/** The names of the two fields, as the server's faults have them. */
	fields: [string, string];
	send: (at: string | null, reason: string) => Promise<unknown>;
	onClose: () => void;
}
export function LaterDialog({ title, what, label, hint, hours, none, fields, send, onClose }: LaterProps) {
	const form = useForm({ hours: String(hours), at: "", reason: "" }, (v) => send(v.hours === "none" ? null : iso(v.hours === "" ? resolve(v.at) : Date.now() + Number(v.hours) * HOUR), v.reason.trim()));
	const v = form.value;
	const fault = (i: 0 | 1) => form.fault(fields[i] as never);
	const bad = v.hours === "" && !(resolve(v.at) > Date.now());
	return (
		<Dialog title={title} onClose={onClose}>
			<p>{what}</p>
			<Form form={form} action={title} done={onClose} cancel={onClose} disabled={v.hours !== "none" && (bad || v.reason.trim() === "")}>
				<SelectField
					label={label}
					value={v.hours}
					onChange={(x) => form.set({ hours: x })}
					fault={v.hours === "" ? "" : fault(0)}
					options={[...HOURS.map((h): [string, string] => [String(h), t("later.in", { time: span(h * 3600) })]), ["", t("later.own")], ...(none === undefined ? [] : [["none", none] as [string, string]])]}
				/>
				{v.hours === "" && <TextField label={t("later.at")} hint={t("later.hint")} required value={v.at} onChange={(x) => form.set({ at: x })} fault={v.at !== "" && bad ? t("later.bad") : fault(0)} />}
				{v.hours !== "none" && <TextArea label={t("later.reason")} hint={hint} required value={v.reason} onChange={(x) => form.set({ reason: x })} fault={fault(1)} />}
			</Form>
		</Dialog>
	);
}
