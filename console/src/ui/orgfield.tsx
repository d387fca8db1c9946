// The organisation that something is of, by its title.
import { t } from "../base/i18n";
import { findOrgs, orgTitle } from "../base/orgs";
import { mayAll } from "../base/session";
import { Combobox } from "./form";

/** `all`: the permission by which it may be left empty, for all organisations; the hint says so. */
export function OrgField({ value, onChange, fault, hint, all }: { value: string; onChange: (org: string) => void; fault?: string; hint?: string; all?: string }) {
	const free = all !== undefined && mayAll(all);
	return <Combobox label={t("scope.organisation")} hint={free ? hint : undefined} required={!free} value={value} nameOf={orgTitle} find={findOrgs} onChange={onChange} fault={fault} />;
}
