// The start: session, texts, the page of the address.  Pages are chunks of their own.
import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "./base/api";
import { asError, useBack } from "./base/data";
import { loadTexts, manifest, t } from "./base/i18n";
import { homeOf } from "./base/nav";
import { earlyAnswers } from "./base/plain";
import { go, home, link, place } from "./base/router";
import { loadSession, may, session } from "./base/session";
import { startStream } from "./base/stream";
import { Button, Empty, ErrorBox, Skeleton } from "./ui/basics";
import { Frame, Page } from "./ui/frame";

export * from "./kit";

const EARLY_MS = 150; // longer, and one would rather see what is being waited for

const pages = new Map<string, Promise<ComponentType>>();
const views = new Map<string, ComponentType>(); // of them, those that are here
function loadPage(name: string): Promise<ComponentType> {
	let p = pages.get(name);
	if (p === undefined) {
		const file = manifest.pages[name]?.js;
		p = Promise.all([import(`/assets/${file}`) as Promise<{ default: ComponentType }>, loadTexts(name)]).then(([m]) => {
			views.set(name, m.default);
			return m.default;
		});
		p.catch(() => pages.delete(name));
		pages.set(name, p);
	}
	return p;
}

function Current() {
	const name = place.value.page;
	const [failed, setFailed] = useState("");
	const [, setLoaded] = useState("");
	const [round, setRound] = useState(0);
	useBack(failed === name, () => setRound(round + 1));
	useEffect(() => {
		if (manifest.pages[name] === undefined || views.has(name)) return undefined;
		let gone = false;
		setFailed("");
		loadPage(name).then(
			() => !gone && setLoaded(name),
			() => !gone && setFailed(name),
		);
		return () => {
			gone = true;
		};
	}, [name, round]);
	if (manifest.pages[name] === undefined)
		return (
			<Page title={t("page.none")}>
				<Empty title={t("page.none-why")} action={<a href={link("overview")}>{t("nav.overview")}</a>} />
			</Page>
		);
	// never the page before: it would take this address for its own and ask for what is not there
	const View = views.get(name);
	if (View !== undefined) return <View />;
	if (failed !== name) return <Skeleton lines={8} />;
	return (
		<Page title={t("page.failed")}>
			<Empty title={t("page.changed")} action={<Button kind="main" onClick={() => location.reload()}>{t("page.reload")}</Button>} />
		</Page>
	);
}
function App({ error }: { error?: ApiError }) {
	if (error !== undefined)
		return (
			<main class="y-alone">
				<h1>{t("brand")}</h1>
				<ErrorBox error={error} again={() => location.reload()} />
			</main>
		);
	return (
		<Frame>
			<Current />
		</Frame>
	);
}
async function boot(): Promise<void> {
	const root = document.getElementById("app") as HTMLElement;
	const first = place.peek().page;
	const page = manifest.pages[first] === undefined ? undefined : loadPage(first);
	page?.catch(() => undefined);
	try {
		await Promise.all([loadSession(), loadTexts("")]);
		if (session.peek() !== null) home.value = homeOf(session.peek() as NonNullable<typeof session.value>);
		if (location.pathname === "/" && home.peek() !== "/") go(home.peek(), "replace");
		await page?.catch(() => undefined);
		await earlyAnswers(EARLY_MS);
		if (may("stream:read")) startStream();
		render(<App />, root);
	} catch (e) {
		const error = asError(e);
		if (error.status === 401) return; // on the way to the sign-in page
		await loadTexts("").catch(() => undefined);
		render(<App error={error} />, root);
	}
	if (session.peek() !== null) document.body.dataset.ready = "1";
}
void boot();
