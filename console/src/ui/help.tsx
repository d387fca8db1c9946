import { t } from "../base/i18n";
import { shortcuts } from "../base/keys";
import { singleKeys } from "../base/prefs";
import { Check } from "./form";
import { Dialog } from "./overlay";

/** Every shortcut that works here and now. */
export function Help({ onClose }: { onClose: () => void }) {
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
		</Dialog>
	);
}
