// The 47 prefectures as tiles, roughly where they lie. Every tile has its number and
// a word besides its shade, and the same as a list for those who do not see it.
import { lang, t } from "../base/i18n";
import { Unsure, cx } from "./basics";

// code: column, row
const AT: [number, number][] = [
	[12, 0], [12, 1], [12, 2], [12, 3], [11, 2], [11, 3], [12, 4], [12, 6], [12, 5], [11, 5],
	[11, 6], [12, 7], [11, 7], [11, 8], [11, 4], [10, 4], [9, 4], [9, 5], [10, 6], [10, 5],
	[9, 6], [10, 7], [9, 7], [8, 7], [8, 6], [7, 6], [6, 7], [6, 6], [7, 7], [7, 8],
	[5, 6], [4, 6], [5, 7], [4, 7], [3, 6], [5, 9], [5, 8], [4, 8], [4, 9], [2, 7],
	[1, 7], [0, 7], [1, 8], [2, 8], [2, 9], [1, 9], [0, 10],
];
export const prefectureName = (code: number) => t(`prefecture.${code}`);

export interface Tile {
	n: number;
	/** "none", "info", "low", "medium", "high", "critical" */
	tone: string;
	href: string;
	label: string;
	/** Too few sources are heard to judge: hatched. */
	unsure?: boolean;
}
/** `tiles` by prefecture code 1..47; what is missing is drawn hollow: nobody of there is watched over. */
export function TileMap({ label, tiles }: { label: string; tiles: Map<number, Tile> }) {
	return (
		<svg class="y-tiles" viewBox="0 0 520 440" role="group" aria-label={label}>
			<defs>
				<pattern id="y-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
					<path class="y-hatch" d="M0 0V6" />
				</pattern>
			</defs>
			{AT.map(([x, y], i) => {
				const code = i + 1;
				const tile = tiles.get(code);
				const short = prefectureName(code);
				const inner = (
					<>
						<rect x={x * 40 + 1} y={y * 40 + 1} width="38" height="38" rx="3" />
						{tile?.unsure === true && <path class="y-tiles__hatch" fill="url(#y-hatch)" d={`M${x * 40 + 2} ${y * 40 + 2}h36v36h-36z`} />}
						<text x={x * 40 + 20} y={y * 40 + (tile === undefined ? 24 : 16)} class={cx("y-tiles__name", short.length > 3 && "is-long")}>
							{short}
						</text>
						{tile !== undefined && (
							<text x={x * 40 + 20} y={y * 40 + 32} class="y-tiles__n">
								{tile.n.toLocaleString(lang.value, { notation: tile.n > 999 ? "compact" : "standard" })}
							</text>
						)}
					</>
				);
				return tile === undefined ? (
					<g key={code} class="y-tile y-tile--absent" aria-hidden="true">
						{inner}
					</g>
				) : (
					<a key={code} href={tile.href} class={`y-tile y-tile--${tile.tone}`}>
						<title>{`${short} ${tile.n}: ${tile.label}${tile.unsure === true ? ` (${t("coverage.unsure")})` : ""}`}</title>
						{inner}
					</a>
				);
			})}
		</svg>
	);
}
/** The same for things without a place: a wrapping row of tiles, the worst first. */
export function Tiles({ label, tiles }: { label: string; tiles: (Tile & { key: string; name: string })[] }) {
	return (
		<ul class="y-tilelist" aria-label={label}>
			{tiles.map((x) => (
				<li key={x.key}>
					<a href={x.href} class={cx("y-tilecard", `y-tile--${x.tone}`, x.unsure === true && "y-hatched")}>
						<span>{x.name}</span>
						<b class="y-num">{x.n.toLocaleString(lang.value)}</b>
						<small>
							{x.label} {x.unsure === true && <Unsure />}
						</small>
					</a>
				</li>
			))}
		</ul>
	);
}
