// Before something dangerous the person shows once more who they are: a passkey, or
// the password and a code.  api.ts waits for it and then asks again.
import { signal } from "@preact/signals";
import { type ApiError, api, hooks } from "../base/api";
import { asError, useData } from "../base/data";
import { t } from "../base/i18n";
import { session } from "../base/session";
import { type Challenge, hasPasskeys, showPasskey } from "../base/webauthn";
import { useState } from "preact/hooks";
import { Button, ErrorBox } from "./basics";
import { Form, TextField, useForm } from "./form";
import { Dialog } from "./overlay";

const waiting = signal<((good: boolean) => void) | null>(null);
hooks.stepUp = () =>
	new Promise((done) => {
		waiting.value?.(false);
		waiting.value = done;
	});
function end(good: boolean): void {
	const done = waiting.peek();
	waiting.value = null;
	done?.(good);
}

function Ask() {
	const me = useData<{ credentials: { password: boolean; passkeys: number } }>("/me");
	const [error, setError] = useState<ApiError>();
	const form = useForm({ password: "", totp: "" }, (v) => api.post("/session/step-up", { password: v.password, ...(v.totp !== "" && { totp: v.totp }) }));
	const passkey = async () => {
		setError(undefined);
		try {
			const answer = await showPasskey(await api.post<Challenge>("/session/passkey-options", {}));
			if (answer === null) return;
			await api.post("/session/step-up", answer);
			end(true);
		} catch (e) {
			setError(asError(e));
		}
	};
	if (me.data === undefined && me.error === undefined) return null; // what it begins with has the focus
	const has = me.data?.credentials ?? { password: true, passkeys: 1 };
	const first = has.passkeys > 0 && (!has.password || session.value?.session?.method === "passkey");
	return (
		<Dialog title={t("step-up.title")} onClose={() => end(false)}>
			<p>{t("step-up.why")}</p>
			{hasPasskeys() && has.passkeys > 0 && (
				<div class="y-row">
					<Button kind={first ? "main" : "plain"} autofocus={first} onClick={() => void passkey()}>
						{t("step-up.passkey")}
					</Button>
				</div>
			)}
			{error !== undefined && <ErrorBox error={error} />}
			{has.password && (
				<Form form={form} action={t("step-up.go")} done={() => end(true)} cancel={() => end(false)}>
					<TextField label={t("step-up.password")} type="password" autocomplete="current-password" value={form.value.password} onChange={(password) => form.set({ password })} fault={form.fault("password")} />
					<TextField label={t("step-up.totp")} inputMode="numeric" autocomplete="one-time-code" value={form.value.totp} onChange={(totp) => form.set({ totp })} fault={form.fault("totp")} />
				</Form>
			)}
		</Dialog>
	);
}
export function StepUp() {
	return waiting.value === null ? null : <Ask />;
}
