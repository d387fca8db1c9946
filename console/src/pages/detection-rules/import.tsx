// Rule files into a collection, some at a time; what is refused is named with file, line and reason.
import { Button, Combobox, Dialog, Facts, Form, Progress, SelectField, TextField, api, findOrgs, mayAll, place, stageOptions, t, useForm, useRef, useState } from "../../kit";

const AT_ONCE = 400_000; // characters of one request
interface Outcome {
	added: number;
	changed: number;
	unchanged: number;
	refused_count: number;
	refused: { file: string; line: number; reason: string }[];
}

export function ImportDialog({ onClose, done }: { onClose: () => void; done: () => void }) {
	const [files, setFiles] = useState<File[]>([]);
	const [sent, setSent] = useState(0);
	const [outcome, setOutcome] = useState<Outcome>();
	const pick = useRef<HTMLInputElement>(null);
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
		for (const f of files) {
			const text = await f.text();
			if (size + text.length > AT_ONCE || part.length >= 500) await send();
			part.push({ name: f.name, text });
			size += text.length;
			read++;
		}
		await send();
		done();
	});
	const choose = (list: FileList | null | undefined) => {
		setFiles([...(list ?? [])]);
		setOutcome(undefined);
		setSent(0);
	};
	return (
		<Dialog title={t("detection-rules.import")} onClose={onClose}>
			<Form form={form} action={t("detection-rules.import-go")} cancel={onClose} disabled={files.length === 0 || form.value.collection.trim() === "" || (form.value.org === "" && !mayAll("indicators:write"))}>
				<div
					class="y-drop"
					onDragOver={(e) => e.preventDefault()}
					onDrop={(e) => {
						e.preventDefault();
						choose(e.dataTransfer?.files);
					}}
				>
					<p>{files.length === 0 ? t("detection-rules.import-drop") : t("detection-rules.import-files", { n: files.length })}</p>
					<Button onClick={() => pick.current?.click()}>{t("detection-rules.import-pick")}</Button>
					<input ref={pick} type="file" multiple class="y-hidden" tabIndex={-1} aria-label={t("detection-rules.import-pick")} accept=".yml,.yaml" onChange={(e) => choose(e.currentTarget.files)} />
				</div>
				<Combobox label={t("scope.organisation")} hint={mayAll("indicators:write") ? t("detection-rules.org-hint") : undefined} required={!mayAll("indicators:write")} value={form.value.org} find={findOrgs} onChange={(org) => form.set({ org })} fault={form.fault("org")} />
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
									{outcome.refused.slice(0, 50).map((r) => (
										<li key={`${r.file}${r.line}${r.reason}`}>
											<code translate={false}>{r.line === 0 ? r.file : `${r.file}:${r.line}`}</code>
											<p class="y-soft" lang="en">
												{r.reason}
											</p>
										</li>
									))}
								</ul>
							</>
						)}
					</div>
				)}
			</Form>
		</Dialog>
	);
}
