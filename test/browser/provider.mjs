// A faithful OpenID Connect provider on loopback: discovery, an authorisation page on
// which a person agrees, code and PKCE checked, ID tokens signed by RS256.
//
//   const provider = await Provider.start();
//   Server.start({ session: { providers: [provider.configured()] } })
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { closing } from "./lib.mjs";

const b64 = (bytes) => Buffer.from(bytes).toString("base64url");

export class Provider {
	static async start() {
		const p = new Provider();
		Object.assign(p, { codes: new Map(), user: {}, secret: b64(crypto.randomBytes(16)) });
		p.key = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
		p.folder = fs.mkdtempSync(path.join(os.tmpdir(), "yagura-id-"));
		fs.writeFileSync(path.join(p.folder, "secret"), `${p.secret}\n`, { mode: 0o600 });
		p.http = http.createServer((q, r) => p.answer(q, r));
		await new Promise((done) => p.http.listen(0, "127.0.0.1", done));
		p.issuer = `http://127.0.0.1:${p.http.address().port}`;
		closing(async () => {
			p.http.closeAllConnections();
			p.http.close();
			fs.rmSync(p.folder, { recursive: true, force: true });
		});
		return p;
	}
	/** The entry of session.providers. */
	configured() {
		return { name: "work", issuer: this.issuer, client_id: "yagura", client_secret_file: path.join(this.folder, "secret") };
	}
	idToken(asked) {
		const now = Math.floor(Date.now() / 1000);
		const claims = { iss: this.issuer, aud: asked.client_id, nonce: asked.nonce, iat: now, exp: now + 300, ...asked.user };
		const text = `${b64(JSON.stringify({ alg: "RS256", kid: "r1", typ: "JWT" }))}.${b64(JSON.stringify(claims))}`;
		return `${text}.${b64(crypto.sign("sha256", Buffer.from(text), this.key.privateKey))}`;
	}
	redeem(form) {
		const asked = this.codes.get(form.code);
		this.codes.delete(form.code);
		const challenge = b64(crypto.createHash("sha256").update(form.code_verifier ?? "").digest());
		const good = asked !== undefined && challenge === asked.code_challenge && form.client_secret === this.secret && form.redirect_uri === asked.redirect_uri && form.grant_type === "authorization_code";
		return good ? [200, { access_token: "x", token_type: "Bearer", id_token: this.idToken(asked) }] : [400, { error: "invalid_grant" }];
	}
	async answer(q, r) {
		const url = new URL(q.url, this.issuer);
		const asked = Object.fromEntries(url.searchParams);
		const json = (status, body) => r.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
		if (url.pathname === "/.well-known/openid-configuration") {
			json(200, { issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize`, token_endpoint: `${this.issuer}/token`, jwks_uri: `${this.issuer}/jwks`, authorization_response_iss_parameter_supported: true });
		} else if (url.pathname === "/jwks") {
			json(200, { keys: [{ ...this.key.publicKey.export({ format: "jwk" }), kid: "r1", use: "sig" }] });
		} else if (url.pathname === "/authorize" && asked.response_type === "code" && asked.code_challenge_method === "S256") {
			const fields = Object.entries(asked).map(([k, v]) => `<input type="hidden" name="${k}" value="${v.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}">`);
			r.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Provider</title><h1>Let Yagura know who you are?</h1><form action="/agree">${fields.join("")}<button>Agree</button></form>`);
		} else if (url.pathname === "/agree") {
			const code = b64(crypto.randomBytes(16));
			this.codes.set(code, { ...asked, user: this.user });
			r.writeHead(303, { Location: `${asked.redirect_uri}?${new URLSearchParams({ code, state: asked.state, iss: this.issuer })}` }).end();
		} else if (url.pathname === "/token" && q.method === "POST") {
			const parts = [];
			for await (const part of q) parts.push(part);
			json(...this.redeem(Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()))));
		} else {
			json(404, {});
		}
	}
}
