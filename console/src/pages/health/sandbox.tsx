// What a process found out behind its sandbox: the kernel's words about it, what it may
// reach, what it tried and was refused.
import { Facts, Time, t, textOr } from "../../kit";

export interface Sandbox {
	process: string;
	at: string;
	pid: number;
	uid: number;
	gid: number;
	groups: number;
	capabilities: string;
	bounding: string;
	no_new_privs: boolean;
	seccomp: number;
	filters: number;
	landlock_abi: number;
	reads: string[];
	writes: string[];
	runs: string[];
	paths_untold: number;
	network: string[];
	tried: { what: string; object: string; result: string }[];
}
const CAPS: Record<number, string> = { 0: "CHOWN", 1: "DAC_OVERRIDE", 3: "FOWNER", 5: "KILL", 6: "SETGID", 7: "SETUID", 10: "NET_BIND_SERVICE" };
function capabilities(hex: string): string {
	const set = BigInt(`0x${hex}`);
	const names = Array.from({ length: 64 }, (_, i) => i).filter((i) => ((set >> BigInt(i)) & 1n) === 1n).map((i) => CAPS[i] ?? String(i));
	return names.length === 0 ? t("health.box.none") : names.join(", ");
}
function Paths({ list, more }: { list: string[]; more?: number }) {
	if (list.length === 0) return <span class="y-soft">{t("health.box.none")}</span>;
	return (
		<ul class="hl-paths">
			{list.map((p) => <li key={p}><code translate={false}>{p}</code></li>)}
			{more !== undefined && more > 0 && <li class="y-soft">{t("health.box.more", { n: more })}</li>}
		</ul>
	);
}
function network(words: string[]): string {
	if (words.length === 0) return t("health.box.none");
	return words.map((w) => (w.startsWith("connect:") ? (w === "connect:any" ? t("health.net.connect") : t("health.net.port", { n: w.slice(8) })) : textOr(`health.net.${w.replace(":", "-")}`, w))).join(t("health.box.and"));
}
export function Proof({ box }: { box: Sandbox }) {
	return (
		<details class="hl-box">
			<summary>{t("health.box", { n: box.tried.length })}</summary>
			<Facts
				rows={[
					[t("health.box.at"), <Time key="t" at={box.at} exact seconds />],
					[t("health.box.user"), t("health.box.ids", { uid: String(box.uid), gid: String(box.gid), n: box.groups })],
					[t("health.box.caps"), capabilities(box.capabilities)],
					[t("health.box.bounding"), capabilities(box.bounding)],
					["no_new_privs", box.no_new_privs ? t("health.box.on") : t("health.box.off")],
					["seccomp", t("health.box.filter", { mode: box.seccomp, n: box.filters })],
					["Landlock", t("health.box.abi", { n: box.landlock_abi })],
					[t("health.box.reads"), <Paths key="r" list={box.reads} />],
					[t("health.box.writes"), <Paths key="w" list={box.writes} />],
					[t("health.box.runs"), <Paths key="x" list={box.runs} more={box.paths_untold} />],
					[t("health.box.network"), network(box.network)],
					[
						t("health.box.tried"),
						<ul key="d" class="hl-paths">
							{box.tried.map((x) => (
								<li key={x.what + x.object}>
									{textOr(`health.try.${x.what}`, x.what)} <code translate={false}>{x.object}</code>: {x.result === "SIGSYS" ? t("health.box.killed") : t("health.box.refused")} <small class="y-soft">{x.result}</small>
								</li>
							))}
						</ul>,
					],
				]}
			/>
		</details>
	);
}
