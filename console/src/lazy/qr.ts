// A QR code (ISO/IEC 18004): bytes, error correction L, versions 1 to 9, which holds
// 230 bytes; as the path of an SVG of `size` units with a quiet zone of 4.
const DATA = [0, 19, 34, 55, 80, 108, 136, 156, 194, 232]; // codewords of data by version
const CHECK = [0, 7, 10, 15, 20, 26, 18, 20, 24, 30]; // codewords of check of each block
const BLOCKS = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2];
const ALIGN = [[], [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46]];

const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
	EXP[i] = EXP[i + 255] = x;
	LOG[x] = i;
	x = (x << 1) ^ (x > 127 ? 0x11d : 0);
}
const times = (a: number, b: number) => (a === 0 || b === 0 ? 0 : (EXP[(LOG[a] as number) + (LOG[b] as number)] as number));

/** The remainder of data * x^n by the generator polynomial of degree n. */
function check(data: Uint8Array, n: number): Uint8Array {
	let generator = [1];
	for (let i = 0; i < n; i++) {
		const next = new Array<number>(generator.length + 1).fill(0);
		generator.forEach((c, at) => {
			next[at] = (next[at] as number) ^ c;
			next[at + 1] = (next[at + 1] as number) ^ times(c, EXP[i] as number);
		});
		generator = next;
	}
	const rest = new Uint8Array(n);
	for (const byte of data) {
		const lead = byte ^ (rest[0] as number);
		rest.copyWithin(0, 1);
		rest[n - 1] = 0;
		for (let i = 0; i < n; i++) rest[i] = (rest[i] as number) ^ times(generator[i + 1] as number, lead);
	}
	return rest;
}
function codewords(bytes: Uint8Array, version: number): Uint8Array {
	const capacity = DATA[version] as number;
	const bits: number[] = [];
	const put = (value: number, n: number) => {
		for (let i = n - 1; i >= 0; i--) bits.push((value >> i) & 1);
	};
	put(4, 4);
	put(bytes.length, 8);
	for (const b of bytes) put(b, 8);
	put(0, Math.min(4, capacity * 8 - bits.length));
	put(0, (8 - (bits.length % 8)) % 8);
	for (let pad = 0xec; bits.length < capacity * 8; pad ^= 0xec ^ 0x11) put(pad, 8);
	const data = new Uint8Array(capacity);
	bits.forEach((bit, i) => {
		data[i >> 3] = (data[i >> 3] as number) | (bit << (7 - (i & 7)));
	});
	const n = BLOCKS[version] as number;
	const length = capacity / n;
	const blocks = Array.from({ length: n }, (_, i) => data.subarray(i * length, (i + 1) * length));
	const checks = blocks.map((b) => check(b, CHECK[version] as number));
	const out: number[] = [];
	for (let i = 0; i < length; i++) for (const b of blocks) out.push(b[i] as number);
	for (let i = 0; i < (CHECK[version] as number); i++) for (const c of checks) out.push(c[i] as number);
	return Uint8Array.from(out);
}
/** value followed by its remainder by a binary polynomial of `degree`. */
function coded(value: number, polynomial: number, degree: number): number {
	let rest = value << degree;
	for (let i = 31 - Math.clz32(rest); i >= degree; i = 31 - Math.clz32(rest)) rest ^= polynomial << (i - degree);
	return (value << degree) | rest;
}
const MASKS: ((x: number, y: number) => boolean)[] = [
	(x, y) => (x + y) % 2 === 0,
	(_x, y) => y % 2 === 0,
	(x) => x % 3 === 0,
	(x, y) => (x + y) % 3 === 0,
	(x, y) => (((x / 3) | 0) + ((y / 2) | 0)) % 2 === 0,
	(x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
	(x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
	(x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class Square {
	readonly dark: boolean[];
	readonly fixed: boolean[];
	constructor(readonly size: number) {
		this.dark = new Array<boolean>(size * size).fill(false);
		this.fixed = [...this.dark];
	}
	at(x: number, y: number): boolean {
		return this.dark[y * this.size + x] === true;
	}
	set(x: number, y: number, dark: boolean): void {
		if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
		this.dark[y * this.size + x] = dark;
		this.fixed[y * this.size + x] = true;
	}
	ring(cx: number, cy: number, radius: number, light: number[]): void {
		for (let y = -radius; y <= radius; y++) for (let x = -radius; x <= radius; x++) this.set(cx + x, cy + y, !light.includes(Math.max(Math.abs(x), Math.abs(y))));
	}
	patterns(version: number): void {
		const end = this.size - 7;
		for (let i = 0; i < this.size; i++) {
			this.set(6, i, i % 2 === 0);
			this.set(i, 6, i % 2 === 0);
		}
		for (const [x, y] of [[3, 3], [end + 3, 3], [3, end + 3]] as const) this.ring(x, y, 4, [2, 4]);
		const places = ALIGN[version] as number[];
		const last = places.length - 1;
		places.forEach((x, i) => {
			places.forEach((y, j) => {
				if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) this.ring(x, y, 2, [1]);
			});
		});
		if (version >= 7) {
			const bits = coded(version, 0x1f25, 12);
			for (let i = 0; i < 18; i++) {
				const a = this.size - 11 + (i % 3);
				const b = (i / 3) | 0;
				this.set(a, b, ((bits >> i) & 1) === 1);
				this.set(b, a, ((bits >> i) & 1) === 1);
			}
		}
	}
	format(mask: number): void {
		const bits = coded((1 << 3) | mask, 0x537, 10) ^ 0x5412;
		for (let i = 0; i < 15; i++) {
			const dark = ((bits >> i) & 1) === 1;
			if (i < 8) this.set(8, i < 6 ? i : i + 1, dark);
			else this.set(i === 8 ? 7 : 14 - i, 8, dark);
			if (i < 8) this.set(this.size - 1 - i, 8, dark);
			else this.set(8, this.size - 15 + i, dark);
		}
		this.set(8, this.size - 8, true);
	}
	fill(words: Uint8Array): void {
		let i = 0;
		for (let right = this.size - 1; right > 0; right -= 2) {
			if (right === 6) right = 5;
			for (let step = 0; step < this.size; step++) {
				const up = ((right + 1) & 2) === 0;
				const y = up ? this.size - 1 - step : step;
				for (const x of [right, right - 1]) {
					if (this.fixed[y * this.size + x] === true || i >= words.length * 8) continue;
					this.dark[y * this.size + x] = (((words[i >> 3] as number) >> (7 - (i & 7))) & 1) === 1;
					i++;
				}
			}
		}
	}
	mask(n: number): void {
		const flip = MASKS[n] as (x: number, y: number) => boolean;
		for (let y = 0; y < this.size; y++) for (let x = 0; x < this.size; x++) if (this.fixed[y * this.size + x] !== true && flip(x, y)) this.dark[y * this.size + x] = !this.at(x, y);
	}
	/** Runs and squares of one colour, and how far from half of it is dark. */
	penalty(): number {
		let sum = 0;
		let darks = 0;
		for (let a = 0; a < this.size; a++) {
			for (const row of [true, false]) {
				let run = 0;
				for (let b = 0; b < this.size; b++) {
					const now = row ? this.at(b, a) : this.at(a, b);
					const before = b > 0 && (row ? this.at(b - 1, a) : this.at(a, b - 1)) === now;
					run = before ? run + 1 : 1;
					sum += run === 5 ? 3 : run > 5 ? 1 : 0;
				}
			}
			for (let b = 0; b < this.size; b++) {
				darks += this.at(a, b) ? 1 : 0;
				if (a > 0 && b > 0 && this.at(a, b) === this.at(a - 1, b) && this.at(a, b) === this.at(a, b - 1) && this.at(a, b) === this.at(a - 1, b - 1)) sum += 3;
			}
		}
		return sum + Math.floor(Math.abs((darks * 20) / (this.size * this.size) - 10)) * 10;
	}
}

/** null: the text is too long for it. */
export function qr(text: string): { size: number; path: string } | null {
	const bytes = new TextEncoder().encode(text);
	const version = DATA.findIndex((n, v) => v > 0 && bytes.length + 2 <= n);
	if (version < 0) return null;
	const words = codewords(bytes, version);
	let best: Square | undefined;
	let least = Number.POSITIVE_INFINITY;
	for (let m = 0; m < MASKS.length; m++) {
		const s = new Square(17 + 4 * version);
		s.patterns(version);
		s.format(m);
		s.fill(words);
		s.mask(m);
		const p = s.penalty();
		if (p < least) [best, least] = [s, p];
	}
	if (best === undefined) return null;
	let path = "";
	for (let y = 0; y < best.size; y++) for (let x = 0; x < best.size; x++) if (best.at(x, y)) path += `M${x + 4} ${y + 4}h1v1h-1z`;
	return { size: best.size + 8, path };
}
