/* Strict validation: what cedar-wasm 4.13 finds in each condition, and where and how it is
 * told. */
#include "cedar/validate.h"

#include "tap.h"

static const struct yg_hash_key key = {{1, 2}};

static const char schema_text[] =
	"type R = {a: Long, b?: String};\n"
	"entity User in [Group] {a?: Long, r: R, n: Long, best: User, s: Set<Long>, bs: Set<Bool>, g: Group, p: Photo, "
	"e?: R} tags String;\n"
	"entity Group in [Group] {n: Long}; entity Photo {owner: User}; entity E enum [\"x\", \"y\"];\n"
	"namespace Org { entity W; action oa appliesTo {principal: User, resource: Photo, context: {}}; }\n"
	"action all; action view, edit in all appliesTo {principal: [User, Group], resource: Photo, context: "
	"{x?: Long, r?: R}};";

enum verdict {
	GOOD,
	NEVER, /* good, but applies to no request */
	BAD,
};

static struct yg_cedar_schema schema;

static enum verdict verdict_of(const char *policy, char *told, size_t size)
{
	struct yg_cedar_policies p;
	struct yg_cedar_faults f;
	struct yg_err err = {0};
	struct yg_sb b = yg_sb_init(told, size);
	yg_cedar_policies_init(&p, &key, 1 << 20);
	yg_cedar_faults_init(&f, 1 << 20);
	yg_status st = yg_cedar_policies_text(&p, yg_sv_of(policy), &err);
	if (st == YG_OK)
		st = yg_cedar_validate(&p, &schema, &f, &err);
	if (st != YG_OK)
		(void)printf("# %s: %s\n", policy, err.msg);
	for (size_t i = 0; i < f.list.n; i++) {
		const struct yg_cedar_fault *one = (const struct yg_cedar_fault *)f.list.p + i;
		yg_sb_printf(&b, "%u: ", one->at);
		yg_sb_put(&b, one->text);
		yg_sb_putc(&b, '\n');
	}
	(void)yg_sb_cstr(&b);
	enum verdict v = st != YG_OK || f.errors > 0 ? BAD : f.list.n > 0 ? NEVER : GOOD;
	yg_cedar_faults_free(&f);
	yg_cedar_policies_free(&p);
	return v;
}

static bool whole(const char *policy, enum verdict want)
{
	char told[2000] = "";
	enum verdict got = verdict_of(policy, told, sizeof told);
	if (got != want)
		(void)printf("# %s\n# %d, want %d: %s\n", policy, (int)got, (int)want, told);
	return got == want;
}

static bool condition(const char *text, enum verdict want)
{
	char policy[500];
	struct yg_sb b = yg_sb_init(policy, sizeof policy);
	yg_sb_printf(&b,
		     "permit(principal is User, action == Action::\"view\", resource) when { %s };",
		     text);
	return whole(yg_sb_cstr(&b), want);
}

static void test_relations(void)
{
	T_OK(condition("User::\"a\" == Group::\"b\"", NEVER));
	T_OK(condition("principal == resource", NEVER));
	T_OK(condition("principal != resource", GOOD));
	T_OK(condition("principal in resource", NEVER));
	T_OK(condition("principal.best in principal.g", GOOD));
	T_OK(condition("principal.g in principal.best", NEVER));
	T_OK(condition("User::\"a\" in Group::\"b\"", GOOD));
	T_OK(condition("Photo::\"p\" in Group::\"g\"", NEVER));
	T_OK(condition("principal in [Group::\"a\", User::\"b\"]", BAD));
	T_OK(condition("principal in [Group::\"a\", Group::\"b\"]", GOOD));
	T_OK(condition("principal in [principal.g]", GOOD));
	T_OK(condition("principal in [principal.p]", NEVER));
	T_OK(condition("action in [Action::\"all\"]", GOOD));
	T_OK(condition("action in [Action::\"edit\", Action::\"all\"]", GOOD));
	T_OK(condition("action in Action::\"edit\"", NEVER));
	T_OK(condition("action in Org::Action::\"oa\"", NEVER));
	T_OK(condition("Action::\"view\" in Action::\"all\"", GOOD));
	T_OK(condition("Action::\"all\" == Action::\"view\"", NEVER));
	T_OK(condition("principal == action", NEVER));
	T_OK(condition("Action::\"nope\" == action", BAD));
	T_OK(condition("E::\"x\" == E::\"z\"", BAD));
	T_OK(condition("Nope::\"x\" == principal", BAD));
	T_OK(condition("principal is Nope", BAD));
	T_OK(condition("principal is Group && principal.zzz", NEVER));
	T_OK(condition("principal is User in Photo::\"a\"", NEVER));
	T_OK(condition("principal is Group in principal.zzz", NEVER));
	T_OK(condition("1 == \"a\"", NEVER));
	T_OK(condition("1 == 1 || principal.zzz", GOOD));
	T_OK(condition("1 != 1", NEVER));
	T_OK(condition("principal.n == \"a\"", BAD));
}

static void test_presence(void)
{
	T_OK(condition("principal has a && principal.a > 1", GOOD));
	T_OK(condition("principal has n", GOOD));
	T_OK(condition("principal has zz && principal.zz.y", NEVER));
	T_OK(condition("principal has r.b && principal.r.b == \"x\"", GOOD));
	T_OK(condition("principal has e.b && principal.e.b == \"x\"", GOOD));
	T_OK(condition("principal has e && principal.e.b == \"x\"", BAD));
	T_OK(condition("principal.r has b && principal.r.b like \"a\"", GOOD));
	T_OK(condition("context has r.b && context.r.b == \"a\"", GOOD));
	T_OK(condition("context has r.zz", NEVER));
	T_OK(condition("(principal has a || principal has a) && principal.a > 1", GOOD));
	T_OK(condition("(principal has a || principal has e) && principal.a > 1", BAD));
	T_OK(condition("(if principal has a then true else false) && principal.a > 1", BAD));
	T_OK(condition("!(principal has a) || principal.a > 1", BAD));
	T_OK(condition("if principal has a then principal.a == 1 else principal.a == 2", BAD));
	T_OK(condition("principal.hasTag(\"x\") && principal.getTag(\"x\") == \"a\"", GOOD));
	T_OK(condition("principal.hasTag(\"x\") && principal.getTag(\"y\") == \"a\"", BAD));
	T_OK(condition("resource.hasTag(\"x\") && resource.getTag(\"x\") == 1", NEVER));
	T_OK(condition("resource.getTag(\"x\") == 1", BAD));
	T_OK(condition("User::\"x\" has a && User::\"x\".a == 1", GOOD));
	T_OK(condition("User::\"x\" has a && User::\"y\".a == 1", BAD));
	T_OK(condition("action has x", NEVER));
	T_OK(condition("action.x == 1", BAD));
	T_OK(whole("permit(principal is User, action, resource) when { principal has a } when { "
		   "principal.a == 1 };",
		   GOOD));
	T_OK(whole("permit(principal is User, action, resource) unless { principal has a } when { "
		   "principal.a == 1 };",
		   BAD));
}

static void test_types(void)
{
	T_OK(condition("[1, \"a\"] == [1]", BAD));
	T_OK(condition("[] == [1]", BAD));
	T_OK(condition("[true, 1 == principal.n] == [false]", GOOD));
	T_OK(condition("principal.bs.contains(true)", GOOD));
	T_OK(condition("principal.s.contains(\"a\")", BAD));
	T_OK(condition("principal.s.containsAll([\"a\"])", BAD));
	T_OK(condition("principal.s.isEmpty()", GOOD));
	T_OK(condition("principal.r == {a: 1}", BAD));
	T_OK(condition("principal.r == {a: 1, b: \"x\"}", BAD));
	T_OK(condition("{a: 1} == {a: 2}", GOOD));
	T_OK(condition("{a: 1} == {b: 1}", BAD));
	T_OK(condition("if principal.n == 1 then 1 == 1 else \"a\" == \"a\"", GOOD));
	T_OK(condition("(if principal.n == 1 then 1 else \"a\") == 1", BAD));
	T_OK(condition("(if true then 1 else \"a\") == 1", GOOD));
	T_OK(condition("ip(\"1.1.1.1\").isIpv4()", GOOD));
	T_OK(condition("ip(\"x\").isIpv4()", BAD));
	T_OK(condition("ip(\"1.1.1.1\", \"a\").isIpv4()", BAD));
	T_OK(condition("decimal(if 1 == principal.n then \"1.0\" else \"2.0\") == decimal(\"1.0\")",
		       BAD));
	T_OK(condition("datetime(\"2020-01-01\") < datetime(\"2020-01-02\")", GOOD));
	T_OK(condition("duration(\"1h\") < datetime(\"2020-01-01\")", BAD));
	T_OK(condition("decimal(\"1.0\") < decimal(\"2.0\")", BAD));
	T_OK(condition("principal.n + principal.r == 1", BAD));
	T_OK(condition("-principal.n == 1", GOOD));
	T_OK(condition("principal.n", BAD));
	T_OK(condition("!1", BAD));
	T_OK(condition("principal.n.foo", BAD));
	T_OK(condition("{a: 1} has b && {a: 1}.b == 1", NEVER));
	T_OK(condition("[User::\"a\"].contains(resource)", BAD));
}

static void test_scopes(void)
{
	T_OK(whole("permit(principal, action, resource) when { principal.n == 1 };", GOOD));
	T_OK(whole("permit(principal, action, resource) when { principal.best.n == 1 };", BAD));
	T_OK(whole("permit(principal == Photo::\"x\", action, resource);", NEVER));
	T_OK(whole("permit(principal == Nope::\"x\", action, resource);", BAD));
	T_OK(whole("permit(principal is Photo, action, resource) when { principal.zzz };", NEVER));
	T_OK(whole("permit(principal, action in [Action::\"all\", Org::Action::\"oa\"], resource);",
		   BAD));
	T_OK(whole("permit(principal in E::\"q\", action, resource);", BAD));
	T_OK(whole("permit(principal, action == Action::\"all\", resource) when { principal.zzz };",
		   NEVER));
	T_OK(whole("permit(principal in ?principal, action, resource == ?resource) when { "
		   "resource.owner == principal };",
		   GOOD));
}

static bool told(const char *policy, const char *want)
{
	char text[2000] = "";
	(void)verdict_of(policy, text, sizeof text);
	bool ok = strcmp(text, want) == 0;
	if (!ok)
		(void)printf("# got  %s# want %s", text, want);
	return ok;
}

static void test_told(void)
{
	T_OK(told("permit(principal is Usr, action == Action::\"viw\", resource);",
		  "0: the schema has no entity type 'Usr'; did you mean 'User'?\n"
		  "0: the schema has no action 'viw'; did you mean 'view'?\n"));
	T_OK(told("permit(principal, action, resource) when { resource.ownr == principal };",
		  "51: Photo has no attribute 'ownr'; did you mean 'owner'?\n"));
	T_OK(told("permit(principal, action, resource) when { principal == E::\"zzzzzz\" };",
		  "56: the schema has no id of this type 'zzzzzz'\n"));
	T_OK(told("permit(principal, action, resource)\nwhen { principal.n == [\"a\"] };",
		  "55: both sides of == must be of one type, but are Long and Set<String>\n"));
	T_OK(told("permit(principal is User, action, resource) when { principal.r.b == \"\" };",
		  "62: the attribute 'b' may be missing here: test it with `has` before\n"));
	T_OK(told("forbid(principal is Photo, action, resource);",
		  "0: this policy applies to no request that the schema allows\n"));
}

/* A fault is told once, whatever the number of types, and not without end. */
static void test_many(void)
{
	static char text[40000];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_cedar_policies p;
	struct yg_cedar_faults f;
	yg_sb_put(&b, YG_SV("permit(principal, action, resource) when { resource.x0 == 1"));
	for (int i = 1; i < 1000; i++)
		yg_sb_printf(&b, " && resource.x%d == 1", i);
	yg_sb_put(&b, YG_SV("}; permit(principal, action, resource) when { resource.y };"));
	yg_cedar_policies_init(&p, &key, 1 << 22);
	yg_cedar_faults_init(&f, 1 << 22);
	T_OK(yg_cedar_policies_text(&p, yg_sb_sv(&b), NULL) == YG_OK);
	T_OK(yg_cedar_validate(&p, &schema, &f, NULL) == YG_OK);
	T_OK(f.errors == YG_CEDAR_FAULTS_MAX + 1 && f.list.n == f.errors);
	yg_cedar_faults_free(&f);
	yg_cedar_policies_free(&p);
}

int main(void)
{
	struct yg_err err = {0};
	yg_cedar_schema_init(&schema, 1 << 20);
	if (!T_OK(yg_cedar_schema_read(&schema, yg_sv_of(schema_text), &err) == YG_OK))
		(void)printf("# %s\n", err.msg);
	test_relations();
	test_presence();
	test_types();
	test_scopes();
	test_told();
	test_many();
	yg_cedar_schema_free(&schema);
	return tap_done();
}
