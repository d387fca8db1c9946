// Rule files into a collection, some at a time; what is refused is named with file, line and reason.
import { Button, Dialog, Facts, Form, OrgField, Progress, SelectField, TextField, api, mayAll, place, stageOptions, t, useForm, useRef, useState } from "../../kit";

const AT_ONCE = 400_000; // characters of one request
const NAME_MAX = 200; // characters of a path that are sent
const SHOWN = 50;
const isRule = (name: string) => /\.ya?ml$/i.test(name);
/** A file, and where it lies in the folder that was chosen. */
interface Chosen {
	path: string;
	file: () => Promise<File>;
}
const entriesOf = (dir: FileSystemDirectoryReader) => new Promise<FileSystemEntry[]>((done, failed) => dir.readEntries(done, failed));
/** What was dropped: files, and the rule files of folders. */
async function within(entry: FileSystemEntry): Promise<Chosen[]> {
	if (entry.isFile) return [{ path: entry.fullPath.replace(/^\//, ""), file: () => new Promise((done, failed) => (entry as FileSystemFileEntry).file(done, failed)) }];
	const reader = (entry as FileSystemDirectoryEntry).createReader();
	const out: Chosen[] = [];
	for (let some = await entriesOf(reader); some.length > 0; some = await entriesOf(reader)) // a hundred at a time
		for (const x of some) if (x.isDirectory || isRule(x.name)) out.push(...(await within(x)));
	return out;
}
interface Outcome {
	added: number;
	changed: number;
	unchanged: number;
	refused_count: number;
	refused: { file: string; line: number; reason: string }[];
}

export function ImportDialog({ onClose, done }: { onClose: () => void; done: () => void }) {
	const [files, setFiles] = useState<Chosen[]>([]);
	const [sent, setSent] = useState(0);
	const [outcome, setOutcome] = useState<Outcome>();
	const pick = useRef<HTMLInputElement>(null);
	const folder = useRef<HTMLInputElement>(null);
	const form = useForm({ org: place.value.org, collection: "own", stage: "test" }, async (v) => {
		const sum: Outcome = { added: 0, changed: 0, unchanged: 0, refused_count: 0, refused: [] };
		let part: { name: string; text: string }[] = [];
		let size = 0;
		let read = 0;
		const send = async () => {
			if (part.length === 0) return;
			const r = await api.post<Outcome>("/detection-rules/import", { org: v.org || null, collection: v.collection.trim(), stage: v.stage, files: part });
			sum.added += r.added;
			sum.changed += r.changed;
			sum.unchanged += r.unchanged;
			sum.refused_count += r.refused_count;
			sum.refused.push(...r.refused);
			setOutcome({ ...sum });
			setSent(read);
			[part, size] = [[], 0];
		};
		const refuse = (file: string, reason: string) => {
			sum.refused_count++;
			sum.refused.push({ file, line: 0, reason });
		};
		try {
			for (const f of files) {
				const text = await f.file().then((x) => x.text()).catch((e: Error) => {
					refuse(f.path, `${t("detection-rules.unreadable")} ${e.message}`);
					return "";
				});
				if (text.includes("\0")) refuse(f.path, t("detection-rules.no-text"));
				else if (text !== "") {
					if (size + text.length > AT_ONCE || part.length >= 500) await send();
					part.push({ name: f.path.slice(-NAME_MAX), text });
					size += text.length;
				}
				read++;
			}
			await send();
		} finally { // what was taken in is there, also where it ended halfway
			setOutcome({ ...sum });
			done();
		}
	});
	const choose = (list: Chosen[]) => {
		setFiles(list);
		setOutcome(undefined);
		setSent(0);
	};
	const chosen = (list: FileList | null) => choose([...(list ?? [])].filter((f) => f.webkitRelativePath === "" || isRule(f.name)).map((f) => ({ path: f.webkitRelativePath || f.name, file: () => Promise.resolve(f) })));
	const dropped = async (items: DataTransferItemList) => {
		const entries = [...items].flatMap((x) => x.webkitGetAsEntry() ?? []); // now: afterwards there are none
		const lists = await Promise.all(entries.map((x) => within(x).catch((e: Error) => [{ path: x.name, file: () => Promise.reject(e) }])));
		choose(lists.flat());
	};
	return (
		<Dialog title={t("detection-rules.import")} onClose={onClose}>
			<Form form={form} action={t("detection-rules.import-go")} cancel={onClose} disabled={files.length === 0 || form.value.collection.trim() === "" || (form.value.org === "" && !mayAll("indicators:write"))}>
				<div
					class="y-drop"
					onDragOver={(e) => e.preventDefault()}
					onDrop={(e) => {
						e.preventDefault();
						if (e.dataTransfer !== null) void dropped(e.dataTransfer.items);
					}}
				>
					<p>{files.length === 0 ? t("detection-rules.import-drop") : t("detection-rules.import-files", { n: files.length })}</p>
					<Button onClick={() => pick.current?.click()}>{t("detection-rules.import-pick")}</Button>
					<Button onClick={() => folder.current?.click()}>{t("detection-rules.import-folder")}</Button>
					<input ref={pick} type="file" multiple class="y-hidden" tabIndex={-1} aria-label={t("detection-rules.import-pick")} accept=".yml,.yaml" onChange={(e) => chosen(e.currentTarget.files)} />
					<input ref={folder} type="file" {...{ webkitdirectory: true }} class="y-hidden" tabIndex={-1} aria-label={t("detection-rules.import-folder")} onChange={(e) => chosen(e.currentTarget.files)} />
				</div>
				<OrgField all="indicators:write" hint={t("detection-rules.org-hint")} value={form.value.org} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
				<TextField label={t("detection-rules.collection")} hint={t("detection-rules.collection-hint")} required value={form.value.collection} onChange={(collection) => form.set({ collection })} fault={form.fault("collection")} maxLength={64} />
				<SelectField label={t("detection-rules.stage")} hint={t("detection-rules.import-stage")} value={form.value.stage} onChange={(stage) => form.set({ stage })} options={stageOptions()} />
				{form.busy && <Progress done={sent} total={files.length} label={t("detection-rules.importing")} />}
				{outcome !== undefined && (
					<div aria-live="polite" class="y-stack">
						<Facts rows={(["added", "changed", "unchanged"] as const).map((x): [string, string] => [t(`detection-rules.result.${x}`), outcome[x].toLocaleString()])} />
						{outcome.refused.length > 0 && (
							<>
								<h3>{t("detection-rules.result.refused", { n: outcome.refused_count })}</h3>
								<ul class="y-list">
									{outcome.refused.slice(0, SHOWN).map((r) => (
										<li key={`${r.file}${r.line}${r.reason}`}>
											<code translate={false}>{r.line === 0 ? r.file : `${r.file}:${r.line}`}</code>
											<p class="y-soft" data-content>
												{r.reason}
											</p>
										</li>
									))}
								</ul>
								{outcome.refused_count > SHOWN && <p class="y-soft">{t("detection-rules.result.more", { n: outcome.refused_count - SHOWN })}</p>}
							</>
						)}
					</div>
				)}
			</Form>
		</Dialog>
	);
}
