// Text of a rule to write in: line numbers, colours, and the faults at their lines while one types.
import { ApiError, Button, ErrorBox, type Rule, Severity, api, asError, cx, levelId, sourceWords, t, useEffect, useId, useRef, useState } from "../../kit";

export interface Problem {
	line?: number | null;
	reason: string;
}
interface Checked {
	ok: boolean;
	problems: Problem[];
	rule?: Partial<Rule> | null;
}
export interface Check {
	text: string;
	busy: boolean;
	problems: Problem[];
	rule?: Partial<Rule> | null;
	error?: ApiError;
}
/** Asks the server what it thinks of the text, when typing stops. */
export function useCheck(text: string): Check {
	const [state, setState] = useState<Check>({ text: "", busy: false, problems: [] });
	useEffect(() => {
		if (text.trim() === "") return undefined;
		const stop = new AbortController();
		const timer = setTimeout(() => {
			api.post<Checked>("/detection-rules/check", { text }, { signal: stop.signal }).then(
				(c) => setState({ text, busy: false, problems: c.problems, rule: c.rule }),
				(e: unknown) => {
					if (!stop.signal.aborted) setState({ text, busy: false, problems: [], error: asError(e) });
				},
			);
		}, 350);
		return () => {
			clearTimeout(timer);
			stop.abort();
		};
	}, [text]);
	return { ...state, busy: state.text !== text && text.trim() !== "" };
}

const TOKEN = /(^\s*#.*|\s#.*)|(^\s*(?:- )*)([\w.|-]+)(?=:(?:\s|$))|('(?:[^']|'')*'|"(?:[^"\\]|\\.)*")/g;
/** A line of YAML in parts: keys, texts in quotes, remarks. */
function Coloured({ line }: { line: string }) {
	const out = [];
	let from = 0;
	for (const m of line.matchAll(TOKEN)) {
		const at = m.index + (m[2]?.length ?? 0);
		const what = m[1] ?? m[3] ?? m[4] ?? "";
		out.push(line.slice(from, at), <i class={m[1] !== undefined ? "is-remark" : m[3] !== undefined ? "is-key" : "is-text"}>{what}</i>);
		from = at + what.length;
	}
	return (
		<>
			{out}
			{line.slice(from)}
			{"\n"}
		</>
	);
}

/** `jump` gets the way to a line. What is `untouched` is not found fault with. */
export function Editor({ text, set, check, untouched, save, readOnly, jump }: { text: string; set: (text: string) => void; check: Check; untouched: boolean; save: () => void; readOnly: boolean; jump: { current: (line: number) => void } }) {
	const area = useRef<HTMLTextAreaElement>(null);
	const back = useRef<HTMLPreElement>(null);
	const id = useId();
	const lines = text.split("\n");
	const problems = untouched ? [] : check.problems;
	const bad = new Set(problems.map((p) => p.line ?? 0));
	const follow = () => {
		if (area.current !== null && back.current !== null) [back.current.scrollTop, back.current.scrollLeft] = [area.current.scrollTop, area.current.scrollLeft];
	};
	const show = (line: number) => {
		const e = area.current;
		if (e === null) return;
		const at = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
		e.focus();
		e.setSelectionRange(at, at + (lines[line - 1]?.length ?? 0));
		e.scrollTop = Math.max(0, (line - 4) * (e.scrollHeight / Math.max(1, lines.length)));
	};
	jump.current = show;
	const onKey = (e: KeyboardEvent) => {
		if (e.isComposing || readOnly) return;
		if ((e.ctrlKey || e.metaKey) && e.key === "s") {
			e.preventDefault();
			save();
		} else if (e.key === "Enter" && area.current !== null) {
			// the next line begins below this one; a list goes on
			const before = text.slice(0, area.current.selectionStart).split("\n").at(-1) ?? "";
			e.preventDefault();
			document.execCommand("insertText", false, `\n${/^\s*/.exec(before)?.[0] ?? ""}${/:\s*$/.test(before) ? "    " : ""}`);
		}
	};
	useEffect(follow);
	const told = check.busy ? t("detection-rule.checking") : problems.length === 0 ? t("detection-rule.no-fault") : t("detection-rule.faults", { n: problems.length });
	return (
		<div class="dr-editor">
			<label for={id}>{t("detection-rule.text")}</label>
			<div class={cx("dr-code", problems.length > 0 && "is-bad")}>
				<pre ref={back} aria-hidden="true" translate={false}>
					{lines.map((line, i) => (
						<span key={i} class={cx("dr-line", bad.has(i + 1) && "is-bad")}>
							<Coloured line={line} />
						</span>
					))}
				</pre>
				<textarea
					id={id}
					ref={area}
					value={text}
					readOnly={readOnly}
					wrap="off"
					spellcheck={false}
					autocomplete="off"
					autocapitalize="off"
					translate={false}
					rows={Math.min(32, Math.max(16, lines.length + 1))}
					aria-describedby={`${id}-told`}
					aria-invalid={problems.length > 0 || undefined}
					onInput={(e) => set(e.currentTarget.value)}
					onKeyDown={onKey}
					onScroll={follow}
				/>
			</div>
			<div class="y-stack" id={`${id}-told`} aria-live="polite">
				{text.trim() !== "" && !untouched && check.error === undefined && (
					<p class={cx("dr-told", !check.busy && (problems.length > 0 ? "is-bad" : "is-ok"))} data-checked={!check.busy}>
						{told}
						{!check.busy && problems.length === 0 && check.rule?.title !== undefined && (
							<span class="y-soft dr-read">
								<Severity id={levelId(check.rule.level ?? "")} /> {check.rule.title}
								{check.rule.logsource !== undefined && sourceWords(check.rule.logsource) !== "" && <> ({sourceWords(check.rule.logsource)})</>}
							</span>
						)}
					</p>
				)}
				{check.error !== undefined && <ErrorBox error={check.error} />}
				{problems.length > 0 && (
					<ul class="y-list">
						{problems.map((p, i) => (
							<li key={i} class="y-listrow">
								{typeof p.line === "number" && p.line > 0 && (
									<Button small onClick={() => show(p.line as number)}>
										{t("detection-rule.line", { n: p.line })}
									</Button>
								)}
								<span class="y-grow" data-content>
									{p.reason}
								</span>
							</li>
						))}
					</ul>
				)}
			</div>
		</div>
	);
}
