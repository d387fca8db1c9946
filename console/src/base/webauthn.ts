// Passkeys between the browser's form (bytes) and the API's (base64url).
// No other part of the console is needed here: the sign-in pages use it too.
export interface Challenge {
	challenge_id: string;
	publicKey: {
		challenge: string;
		timeout?: number;
		rpId?: string;
		rp?: { id?: string; name: string };
		user?: { id: string; name: string; displayName: string };
		userVerification?: UserVerificationRequirement;
		allowCredentials?: { id: string; type: "public-key" }[];
		excludeCredentials?: { id: string; type: "public-key" }[];
		pubKeyCredParams?: { type: "public-key"; alg: number }[];
		authenticatorSelection?: AuthenticatorSelectionCriteria;
		attestation?: AttestationConveyancePreference;
	};
}
export interface Proof {
	challenge_id: string;
	credential: object;
}
const bytes = (s: string) => Uint8Array.from(atob(s.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (b: ArrayBuffer | null) => (b === null ? null : btoa(String.fromCharCode(...new Uint8Array(b))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));

export const hasPasskeys = (): boolean => window.PublicKeyCredential !== undefined && isSecureContext;

/** The person shows a passkey; null when they called it off. */
export async function showPasskey(c: Challenge): Promise<Proof | null> {
	const o = c.publicKey;
	const got = (await orNull(
		navigator.credentials.get({
			publicKey: { challenge: bytes(o.challenge), rpId: o.rpId, timeout: o.timeout, userVerification: o.userVerification, allowCredentials: (o.allowCredentials ?? []).map((x) => ({ type: x.type, id: bytes(x.id) })) },
		}),
	)) as PublicKeyCredential | null;
	if (got === null) return null;
	const r = got.response as AuthenticatorAssertionResponse;
	return {
		challenge_id: c.challenge_id,
		credential: { id: got.id, rawId: text(got.rawId), type: got.type, response: { clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: text(r.userHandle) } },
	};
}
/** A new passkey is made; null when the person called it off. */
export async function makePasskey(c: Challenge, login?: string, name?: string): Promise<Proof | null> {
	const o = c.publicKey;
	const user = o.user ?? { id: "", name: "", displayName: "" };
	const made = (await orNull(
		navigator.credentials.create({
			publicKey: {
				challenge: bytes(o.challenge),
				timeout: o.timeout,
				rp: o.rp ?? { name: "" },
				user: { id: bytes(user.id), name: login || user.name, displayName: name || user.displayName },
				pubKeyCredParams: o.pubKeyCredParams ?? [],
				excludeCredentials: (o.excludeCredentials ?? []).map((x) => ({ type: x.type, id: bytes(x.id) })),
				authenticatorSelection: o.authenticatorSelection,
				attestation: o.attestation,
			},
		}),
	)) as PublicKeyCredential | null;
	if (made === null) return null;
	const r = made.response as AuthenticatorAttestationResponse;
	return {
		challenge_id: c.challenge_id,
		credential: { id: made.id, rawId: text(made.rawId), type: made.type, response: { clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject) } },
	};
}
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
	try {
		return await asked;
	} catch (e) {
		if ((e as Error).name === "NotAllowedError" || (e as Error).name === "AbortError") return null;
		throw e;
	}
}
