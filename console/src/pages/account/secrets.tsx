// What is shown once: the key for an authenticator app, and the recovery codes.
import { Button, Copy, Dialog, ErrorBox, Facts, Form, Skeleton, TextField, Value, api, asError, loadLazy, t, toast, useEffect, useForm, useState, type ApiError } from "../../kit";

interface Offer {
	secret: string;
	uri: string;
}
function Code({ uri }: { uri: string }) {
	const [drawn, setDrawn] = useState<{ size: number; path: string } | null>(null);
	useEffect(() => {
		loadLazy<{ qr: (text: string) => { size: number; path: string } | null }>("qr").then((m) => setDrawn(m.qr(uri)), () => undefined);
	}, [uri]);
	return drawn === null ? null : (
		<svg class="y-qr" viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={t("account.totp.qr")} shape-rendering="crispEdges">
			<rect width={drawn.size} height={drawn.size} />
			<path d={drawn.path} />
		</svg>
	);
}
export function TotpDialog({ onClose }: { onClose: () => void }) {
	const [offer, setOffer] = useState<Offer>();
	const [error, setError] = useState<ApiError>();
	const ask = () => {
		setError(undefined);
		api.post<Offer>("/me/totp").then(setOffer, (e: unknown) => setError(asError(e)));
	};
	useEffect(ask, []);
	const form = useForm({ code: "" }, (v) => api.put("/me/totp", { code: v.code.replace(/\s/g, "") }));
	return (
		<Dialog title={t("account.totp.set")} onClose={onClose}>
			{error !== undefined && <ErrorBox error={error} again={ask} />}
			{offer === undefined && error === undefined && <Skeleton lines={6} />}
			{offer !== undefined && (
				<>
					<p>{t("account.totp.scan")}</p>
					<Code uri={offer.uri} />
					<Facts rows={[[t("account.totp.key"), <Value key="k" copy>{offer.secret.replace(/(.{4})(?=.)/g, "$1 ")}</Value>], ["", <a key="u" href={offer.uri}>{t("account.totp.open")}</a>]]} />
					<Form form={form} action={t("account.totp.confirm")} cancel={onClose} disabled={form.value.code.trim().length < 6} done={() => { toast(t("account.totp.done")); onClose(); }}>
						<TextField label={t("account.totp.code")} hint={t("account.totp.code-hint")} inputMode="numeric" autocomplete="one-time-code" maxLength={7} value={form.value.code} onChange={(code) => form.set({ code })} fault={form.fault("code")} />
					</Form>
				</>
			)}
		</Dialog>
	);
}
export function CodesDialog({ left, onClose }: { left: number; onClose: () => void }) {
	const [codes, setCodes] = useState<string[]>();
	const form = useForm({}, async () => setCodes((await api.post<{ recovery_codes: string[] }>("/me/recovery-codes")).recovery_codes));
	if (codes === undefined)
		return (
			<Dialog title={t("account.codes.new")} onClose={onClose}>
				<p>{left > 0 ? t("account.codes.replace", { n: left }) : t("account.codes.what")}</p>
				<Form form={form} action={t("account.codes.make")} cancel={onClose}>
					{null}
				</Form>
			</Dialog>
		);
	const all = codes.join("\n");
	return (
		<Dialog title={t("account.codes")} onClose={onClose} foot={<Button kind="main" onClick={onClose}>{t("account.codes.kept")}</Button>}>
			<p>{t("account.codes.once")}</p>
			<div class="y-row"><pre class="y-codes" tabIndex={0}>{all}</pre><Copy text={all} /></div>
		</Dialog>
	);
}
