// DNS for tests of this folder: an upstream on loopback that knows what it is told, what a
// client sees of an answer, and a folder for the files of a policy.
//
//   const upstream = await Upstream.start({ "www.example": "192.0.2.1" });
//   const a = await ask(port, "www.example", "127.0.0.2");
//   a.rcode, a.addresses, a.ede
import dgram from "node:dgram";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { closing } from "./lib.mjs";

const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
const [A, OPT, EDE] = [1, 41, 15];

function bound(address, port = 0) {
	return new Promise((done, wrong) => {
		const s = dgram.createSocket("udp4");
		s.once("error", wrong);
		s.bind(port, address, () => done(s));
	});
}
const nameBytes = (name) => Buffer.concat([...name.split(".").filter(Boolean).map((l) => Buffer.from([l.length, ...Buffer.from(l)])), Buffer.from([0])]);
/** Behind the name that begins there. */
function behind(msg, at) {
	let i = at;
	while (msg[i] > 0 && msg[i] < 192) i += msg[i] + 1;
	return msg[i] === 0 ? i + 1 : i + 2;
}

export class Upstream {
	/** names: {name: address}; any other name is NXDOMAIN. */
	static async start(names) {
		const u = new Upstream();
		u.socket = await bound("127.0.0.1");
		u.address = `127.0.0.1@${u.socket.address().port}`;
		u.socket.on("message", (q, from) => u.socket.send(u.answer(q, names), from.port, from.address));
		closing(async () => u.socket.close());
		return u;
	}
	answer(q, names) {
		const end = behind(q, 12) + 4;
		const labels = [];
		for (let i = 12; q[i] > 0; i += q[i] + 1) labels.push(q.toString("latin1", i + 1, i + 1 + q[i]).toLowerCase());
		const address = names[labels.join(".")];
		const has = address !== undefined && q.readUInt16BE(end - 4) === A;
		const head = Buffer.alloc(12);
		q.copy(head, 0, 0, 2);
		head.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2);
		head.writeUInt16BE(1, 4);
		head.writeUInt16BE(has ? 1 : 0, 6);
		const record = has ? Buffer.from([0xc0, 12, 0, A, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)]) : Buffer.alloc(0);
		return Buffer.concat([head, q.subarray(12, end), record]);
	}
}

/** One query by UDP from that address; {rcode, addresses, ede: {code, text}}. */
export async function ask(port, name, from = "127.0.0.1") {
	const s = await bound(from);
	const id = Math.floor(Math.random() * 65536);
	const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
	const query = Buffer.concat([head, nameBytes(name), Buffer.from([0, A, 0, 1]), Buffer.from([0, 0, OPT, 4, 208, 0, 0, 0, 0, 0, 0])]);
	try {
		return await new Promise((done, wrong) => {
			const timer = setTimeout(() => wrong(new Error(`no answer to ${name}`)), 10_000);
			s.on("message", (msg) => {
				clearTimeout(timer);
				done(read(msg));
			});
			s.send(query, port, "127.0.0.1");
		});
	} finally {
		s.close();
	}
}
function read(msg) {
	const out = { rcode: RCODES[msg[3] & 15], addresses: [], ede: undefined };
	const records = msg.readUInt16BE(6) + msg.readUInt16BE(8) + msg.readUInt16BE(10);
	for (let i = 0, at = behind(msg, 12) + 4; i < records; i++) {
		const head = behind(msg, at);
		const data = head + 10;
		const type = msg.readUInt16BE(head);
		at = data + msg.readUInt16BE(head + 8);
		if (type === A) out.addresses.push([...msg.subarray(data, at)].join("."));
		for (let o = data; type === OPT && o < at; o += 4 + msg.readUInt16BE(o + 2))
			if (msg.readUInt16BE(o) === EDE) out.ede = { code: msg.readUInt16BE(o + 4), text: msg.toString("utf8", o + 6, o + 4 + msg.readUInt16BE(o + 2)) };
	}
	return out;
}

/** Files that roles may read: their paths by name. */
export function policyFiles(files) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "yagura-policy-"));
	fs.chmodSync(folder, 0o755);
	closing(async () => fs.rmSync(folder, { recursive: true, force: true }));
	return Object.fromEntries(
		Object.entries(files).map(([name, text]) => {
			fs.writeFileSync(path.join(folder, name), text);
			return [name, path.join(folder, name)];
		}),
	);
}
