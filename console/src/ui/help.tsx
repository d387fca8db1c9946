import { useEffect, useState } from "preact/hooks";
import { lang, manifest, t } from "../base/i18n";
import { shortcuts } from "../base/keys";
import { singleKeys } from "../base/prefs";
import { Check } from "./form";
import { Button, Skeleton } from "./basics";
import { Dialog } from "./overlay";

/** Every shortcut that works here and now. */
export function Help({ onClose }: { onClose: () => void }) {
	const [results, setResults] = useState(false);
	const layers = shortcuts().filter((l) => l.items.length > 0);
	return (
		<Dialog title={t("keys.title")} onClose={onClose} wide>
			<div class="y-keys">
				{layers.map((l) => (
					<section key={l.title}>
						<h3>{l.title}</h3>
						<dl>
							{l.items.map((s) => (
								<div key={s.keys}>
									<dt>
										{s.keys.split(" ").map((x) => (
											<kbd key={x}>{x.replace("+k", " K")}</kbd>
										))}
									</dt>
									<dd>{s.label}</dd>
								</div>
							))}
						</dl>
					</section>
				))}
			</div>
			<Check
				label={t("account.keys")}
				hint={t("keys.off-hint")}
				checked={singleKeys.value}
				onChange={(on) => {
					singleKeys.value = on;
				}}
			/>
			<p>
				<Button kind="quiet" icon="help" aria-haspopup="dialog" onClick={() => setResults(true)}>
					{t("help.accessibility")}
				</Button>
			</p>
			{results && <PageHelp page="accessibility" title={t("help.accessibility")} onClose={() => setResults(false)} />}
		</Dialog>
	);
}

type Block = ["h" | "p" | "li", ...string[]];
/** `code` in a line of help. */
function Line({ text }: { text: string }) {
	return (
		<>
			{text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}
		</>
	);
}
/** The help of a page, from doc/help. */
export function PageHelp({ page, title, onClose }: { page: string; title: string; onClose: () => void }) {
	const [blocks, setBlocks] = useState<Block[]>();
	const [failed, setFailed] = useState(false);
	useEffect(() => {
		let gone = false;
		fetch(`/assets/${manifest.help?.[lang.value]}`)
			.then((r) => (r.ok ? (r.json() as Promise<Record<string, Block[]>>) : Promise.reject(new Error())))
			.then(
				(all) => !gone && setBlocks(all[page] ?? []),
				() => !gone && setFailed(true),
			);
		return () => {
			gone = true;
		};
	}, [page, lang.value]);
	return (
		<Dialog title={t("help.title", { page: title })} onClose={onClose} wide>
			{failed && <p role="alert">{t("page.changed")}</p>}
			{blocks === undefined && !failed && <Skeleton />}
			<div class="y-stack y-pagehelp">
				{blocks?.map(([kind, ...lines], i) =>
					kind === "h" ? (
						<h3 key={i}>{lines[0]}</h3>
					) : kind === "p" ? (
						<p key={i}>
							<Line text={lines[0] ?? ""} />
						</p>
					) : (
						<ul key={i} class="y-bullets">
							{lines.map((x) => (
								<li key={x}>
									<Line text={x} />
								</li>
							))}
						</ul>
					),
				)}
			</div>
		</Dialog>
	);
}
