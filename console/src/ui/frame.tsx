// What is around every page: header with the scope bar, navigation, the page's head.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, type Job, api, follow } from "../base/api";
import { lang, manifest, setLang, t, textOf } from "../base/i18n";
import { useKeys } from "../base/keys";
import { navPages } from "../base/nav";
import { findAssets, findOrgs, findSystems, orgTitle, systemTitle } from "../base/orgs";
import { singleKeys, theme } from "../base/prefs";
import { forgetRecent } from "../base/recent";
import { go, home, link, permanentLink, place, withScope } from "../base/router";
import { keepChoice, may, mayAll, rootOrg, session, signOut } from "../base/session";
import { live } from "../base/stream";
import { Button, Icon, cx } from "./basics";
import { type Export, ExportDialog } from "./export";
import { Combobox } from "./form";
import { Help, PageHelp } from "./help";
import { Confirm, Menu, Popover, Toasts, toast } from "./overlay";
import { Palette } from "./palette";
import { Printed } from "./print";
import { StepUp } from "./stepup";

/** 全体 › 機関 › 情報システム › 資産 */
function ScopeBar() {
	const p = place.value;
	const root = rootOrg();
	const top = root === "" ? t("scope.whole") : orgTitle(root);
	const crumb = (text: string, href: string, here: boolean) => (
		<a href={href} aria-current={here ? "true" : undefined} title={text}>
			{text}
		</a>
	);
	return (
		<nav class="y-scope" aria-label={t("scope.title")}>
			<ol>
				<li>{crumb(top, withScope({ org: "" }), p.org === "" || (p.org === root && p.system === "" && p.asset === ""))}</li>
				{p.org !== "" && p.org !== root && <li>{crumb(orgTitle(p.org), withScope({ org: p.org }), p.system === "" && p.asset === "")}</li>}
				{p.system !== "" && <li>{crumb(systemTitle(p.system), withScope({ org: p.org, system: p.system }), p.asset === "")}</li>}
				{p.asset !== "" && <li>{crumb(p.asset, withScope(p), true)}</li>}
			</ol>
			<Popover label={t("scope.change")} icon="down" kind="quiet">
				{(close) => (
					<div class="y-stack y-scopepanel">
						<Combobox
							label={t("scope.organisation")}
							atOnce
							value=""
							find={findOrgs}
							onChange={(org) => {
								close();
								go(withScope({ org }));
							}}
						/>
						{p.org !== "" && may("systems:read") && (
							<Combobox
								label={t("scope.system")}
								value=""
								find={(text) => findSystems(p.org, text)}
								onChange={(system) => {
									close();
									go(withScope({ org: p.org, system }));
								}}
							/>
						)}
						{p.org !== "" && may("alerts:read") && (
							<Combobox
								label={t("scope.asset")}
								hint={t("scope.asset-hint")}
								value=""
								free
								find={(text) => findAssets(p.org, p.system, text)}
								onChange={(asset) => {
									if (asset === "") return;
									close();
									go(withScope({ org: p.org, system: p.system, asset }));
								}}
							/>
						)}
						{p.org !== "" && (
							<Button
								onClick={() => {
									close();
									go(withScope({ org: "" }));
								}}
							>
								{top}
							</Button>
						)}
					</div>
				)}
			</Popover>
		</nav>
	);
}

function Account({ help }: { help: () => void }) {
	const s = session.value;
	const themes = ["system", "light", "dark"] as const;
	return (
		<Menu
			label={t("account.menu")}
			icon="user"
			kind="quiet"
			end
			text={<span class="y-wide">{s?.person === null ? t("actor.administrator") : s?.person.name || s?.person.login}</span>}
			items={[
				...themes.map((x) => ({
					label: t(`theme.${x}`),
					checked: theme.value === x,
					run: () => {
						theme.value = x;
						keepChoice({ theme: x });
					},
				})),
				{
					label: t("account.keys"),
					checked: singleKeys.value,
					apart: true,
					run: () => {
						singleKeys.value = !singleKeys.value;
					},
				},
				{ label: t("keys.title"), run: help },
				{ label: t("account.page"), href: link("account", { scope: {} }), apart: true },
				{ label: t("account.about"), href: "/status" },
				{ label: t("account.licences"), href: `/assets/${manifest.notices}` },
				{ label: t("account.sign-out"), run: () => (forgetRecent(), void signOut()), apart: true },
			]}
		/>
	);
}

function Nav({ done }: { done: () => void }) {
	return (
		<nav class="y-nav" aria-label={t("nav.title")}>
			{navPages().map((g) => (
				<div key={g.label}>
					<h2>{textOf(g.label)}</h2>
					<ul>
						{g.pages.map((p) => (
							<li key={p.page}>
								<a href={link(p.page)} aria-current={place.value.page === p.page || p.also?.includes(place.value.page) === true ? "page" : undefined} onClick={done}>
									{textOf(p.label)}
								</a>
							</li>
						))}
					</ul>
				</div>
			))}
		</nav>
	);
}

/** On every page while there is made-up data, with the way to be rid of it. */
function DemoMark() {
	const [asked, setAsked] = useState(false);
	return (
		<div class="y-demo">
			<p>{t("demo.mark")}</p>
			{mayAll("org:write") && (
				<Button small kind="quiet" onClick={() => setAsked(true)}>
					{t("demo.remove")}
				</Button>
			)}
			{asked && (
				<Confirm
					title={t("demo.remove")}
					action={t("action.delete")}
					danger
					onClose={() => setAsked(false)}
					run={async () => {
						const end = await follow((await api.del<Job>("/demo")).id, () => undefined);
						if (end.state !== "done") throw new ApiError(0, "other", t("demo.stays"), end.message, [], "", 0);
						location.assign("/");
					}}
				>
					<p>{t("demo.remove-what")}</p>
				</Confirm>
			)}
		</div>
	);
}

export function Frame({ children }: { children: ComponentChildren }) {
	const [help, setHelp] = useState(false);
	const [palette, setPalette] = useState(false);
	const [nav, setNav] = useState(false);
	useEffect(() => setNav(false), [place.value.page]);
	useKeys(t("keys.everywhere"), [
		{ keys: "?", label: t("keys.title"), run: () => setHelp(true) },
		{ keys: "Ctrl+k", label: t("palette.title"), run: () => setPalette(true), always: true },
		{
			keys: "/",
			label: t("keys.search"),
			run: () => (document.querySelector<HTMLElement>("[data-search]") ?? document.querySelector<HTMLElement>("input[type=search]"))?.focus(),
		},
		...navPages().flatMap((g) => g.pages.filter((p) => p.keys !== undefined).map((p) => ({ keys: p.keys as string, label: textOf(p.label), run: () => go(link(p.page)) }))),
	]);
	return (
		<>
			<a class="y-skip" href="#main">
				{t("skip")}
			</a>
			<header class="y-top">
				<Button class="y-narrow" kind="quiet" icon={nav ? "close" : "menu"} label={t("nav.title")} aria-expanded={nav} onClick={() => setNav(!nav)} />
				<a class="y-brand" href={home.value}>
					<svg viewBox="0 0 24 24" aria-hidden="true">
						<path d="M12 2l8 4v3H4V6zM6 9v13M18 9v13M6 15l12 7M18 15L6 22M6 13h12" />
					</svg>
					<span class="y-wide">{t("brand")}</span>
				</a>
				<ScopeBar />
				<div class="y-top__end">
					<Button kind="quiet" icon="search" class="y-top__palette" aria-keyshortcuts="Control+K" onClick={() => setPalette(true)}>
						<span class="y-wide">
							{t("palette.open")} <kbd>Ctrl K</kbd>
						</span>
					</Button>
					{live.value === "waiting" && <span class="y-live" title={t("live.waiting")}>{t("live.off")}</span>}
					<Button kind="quiet" lang={lang.value === "ja" ? "en" : "ja"} aria-label={t("language.switch")} onClick={() => {
						const next = lang.value === "ja" ? "en" : "ja";
						void setLang(next);
						keepChoice({ language: next });
					}}>
						{t("language.other")}
					</Button>
					<Account help={() => setHelp(true)} />
				</div>
			</header>
			{session.value?.demo === true && <DemoMark />}
			<div class={cx("y-body", nav && "is-nav")}>
				<Nav done={() => setNav(false)} />
				<main id="main" tabIndex={-1} onFocusIn={() => setNav(false)}>
					{children}
				</main>
			</div>
			{help && <Help onClose={() => setHelp(false)} />}
			{palette && <Palette onClose={() => setPalette(false)} />}
			<StepUp />
			<Toasts />
		</>
	);
}

interface PageProps {
	title: string;
	/** Under the title: what this page is about, or <Coverage>. */
	lead?: ComponentChildren;
	/** <TimeRange>, when the page has one. */
	range?: ComponentChildren;
	/** The page's own buttons. */
	actions?: ComponentChildren;
	/** Rows of these kinds can be taken away as files, by the queries given. */
	exports?: Export | Export[];
	children: ComponentChildren;
	/** The drawer, beside the content. */
	drawer?: ComponentChildren;
}
/** The head and the content of a page. */
export function Page({ title, lead, range, actions, exports, children, drawer }: PageProps) {
	const [exporting, setExporting] = useState(false);
	const [helping, setHelping] = useState(false);
	const lists = exports === undefined || !may("exports:read") ? [] : [exports].flat();
	useEffect(() => {
		document.title = [title, place.value.org !== "" ? orgTitle(place.value.org) : "", t("brand")].filter((x) => x !== "").join(" - ");
	});
	return (
		<div class={cx("y-page", drawer !== undefined && drawer !== null && drawer !== false && "has-drawer")}>
			<div class="y-page__main">
				<Printed />
				<header class="y-page__head">
					<div class="y-page__title">
						<h1>{title}</h1>
						{lead}
					</div>
					<div class="y-page__tools">
						{range}
						{actions}
						<Button
							kind="quiet"
							icon="link"
							label={t("action.copy-link")}
							onClick={() => {
								void navigator.clipboard?.writeText(permanentLink());
								toast(t("action.link-copied"));
							}}
						/>
						{lists.length > 0 && <Button kind="quiet" icon="save" label={t("action.export")} onClick={() => setExporting(true)} />}
						{manifest.help?.pages.includes(place.value.page) === true && <Button kind="quiet" icon="help" label={t("help.open")} aria-haspopup="dialog" onClick={() => setHelping(true)} />}
					</div>
				</header>
				{children}
			</div>
			{drawer}
			{helping && <PageHelp page={place.value.page} title={title} onClose={() => setHelping(false)} />}
			{exporting && lists.length > 0 && <ExportDialog lists={lists} onClose={() => setExporting(false)} />}
		</div>
	);
}
/** A box to type words in; `onChange` comes when typing stops. Has the key `/`. */
export function SearchBox({ value, onChange, label }: { value: string; onChange: (text: string) => void; label: string }) {
	const [text, setText] = useState(value);
	useEffect(() => setText(value), [value]);
	useEffect(() => {
		if (text === value) return undefined;
		const timer = setTimeout(() => onChange(text.trim()), 350);
		return () => clearTimeout(timer);
	}, [text]);
	return (
		<form
			class="y-searchbox"
			role="search"
			onSubmit={(e) => {
				e.preventDefault();
				onChange(text.trim());
			}}
		>
			<Icon name="search" />
			<input class="y-input" type="search" data-search aria-label={label} placeholder={label} value={text} onInput={(e) => setText(e.currentTarget.value)} />
		</form>
	);
}
