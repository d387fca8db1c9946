// What takes two people: it is asked for, and another person decides.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError, api } from "../base/api";
import { t } from "../base/i18n";
import { Form, TextArea, useForm } from "./form";
import { Confirm, Dialog, toast } from "./overlay";

export interface Second {
	kind: "organisation.remove" | "administrator.grant" | "administrator.revoke";
	org?: string;
	person?: string;
}
/** Was that refused because it takes another person? */
export const takesTwo = (e: unknown) => e instanceof ApiError && e.slug === "approval-needed";

/** Asks for it, with a reason. */
export function AskSecond({ of, title, reason = "", children, onClose }: { of: Second; title: string; reason?: string; children?: ComponentChildren; onClose: () => void }) {
	const form = useForm({ reason }, (v) => api.post("/approvals", { ...of, reason: v.reason.trim() }));
	const asked = () => {
		toast(t("second.asked"));
		onClose();
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<Form form={form} action={t("second.ask")} cancel={onClose} disabled={form.value.reason.trim() === ""} done={asked}>
				<p>{t("second.what")}</p>
				{children}
				<TextArea label={t("second.reason")} required value={form.value.reason} onChange={(x) => form.set({ reason: x })} fault={form.fault("reason")} />
			</Form>
		</Dialog>
	);
}
/** As Confirm, for what may turn out to take two; `about`: what is asked for then. */
export function ConfirmTwo({ second, about, ...rest }: Parameters<typeof Confirm>[0] & { second: Second; about: string }) {
	const [asking, setAsking] = useState(false);
	const run = () =>
		rest.run().catch((e: unknown) => {
			setAsking(takesTwo(e));
			throw e;
		});
	return asking ? (
		<AskSecond of={second} title={rest.title} onClose={rest.onClose}>
			<p>{about}</p>
		</AskSecond>
	) : (
		<Confirm {...rest} run={run} />
	);
}
