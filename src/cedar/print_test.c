/* Policies as text and as JSON, both ways, and laid out: what each looks like. */
#include "cedar/print.h"

#include "tap.h"

static const struct yg_hash_key key = {{1, 2}};

static struct yg_cedar_policies read_text(const char *text)
{
	struct yg_cedar_policies p;
	struct yg_err err = {0};
	yg_cedar_policies_init(&p, &key, 1 << 22);
	if (yg_cedar_policies_text(&p, yg_sv_of(text), &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return p;
}

static bool is(const struct yg_buf *b, const char *want)
{
	bool ok = !b->bad && yg_sv_eq(yg_buf_sv(b), yg_sv_of(want));
	if (!ok)
		(void)printf("# got:\n# %.*s\n# want:\n# %s\n", (int)b->n, b->p, want);
	return ok;
}

/* One condition, as it is written when it is read again. */
static bool written(const char *expression, const char *want)
{
	char text[1024], expected[1024];
	struct yg_sb b = yg_sb_init(text, sizeof text), e = yg_sb_init(expected, sizeof expected);
	struct yg_buf out;
	yg_sb_printf(&b, "permit(principal,action,resource)when{%s};", expression);
	yg_sb_printf(&e, "permit(principal, action, resource) when { %s };\n",
		     want != NULL ? want : expression);
	struct yg_cedar_policies p = read_text(yg_sb_cstr(&b));
	yg_buf_init(&out, 4096);
	bool ok = yg_cedar_put_text(&out, &p, NULL) == YG_OK && is(&out, yg_sb_cstr(&e));
	yg_buf_free(&out);
	yg_cedar_policies_free(&p);
	return ok;
}

static void test_expressions(void)
{
	T_OK(written("(((1) + (2))) - 3 == 1 + (2 + 3)", "1 + 2 - 3 == 1 + (2 + 3)"));
	T_OK(written("1 * (2 + 3) < -4 * -(4)", NULL));
	T_OK(written("- - 1 == -(1) && --(1) == 1", "-(-1) == -(1) && -(-(1)) == 1"));
	T_OK(written("(true && false) && (true && (false || true))",
		     "true && false && (true && (false || true))"));
	T_OK(written("(1 == 2) == (principal has a)", NULL));
	T_OK(written("!(!true) && !(1 in [2])", NULL));
	T_OK(written("(-1).a[\"b c\"].if_[\"if\"] == 1.a", NULL));
	T_OK(written("if (if true then 1 else 2) == 1 then {a: 1, \"if\": [2]} else [] == {}",
		     NULL));
	T_OK(written("(if true then 1 else 2) + 1 == 2", NULL));
	T_OK(written("principal is A::B in [resource] && (principal is A) == true", NULL));
	T_OK(written("\"a\\n\\\"\\\\\\0\\u{7}\" like \"*\\**\\\\\\u{1f}\"",
		     "\"a\\n\\\"\\\\\\u{0}\\u{7}\" like \"*\\**\\\\\\u{1f}\""));
	T_OK(written("context has a.b && context has \"a b\"", NULL));
	T_OK(written("(1 + 1).offset(duration(\"1s\"), 2).isEmpty()", NULL));
	T_OK(written("ip(\"::1\").isInRange(ip()) || User::\"\\\"\".hasTag(\"x\")", NULL));
	T_OK(written("-9223372036854775808 == 9223372036854775807", NULL));
}

static const char set_json[] =
	"{\"staticPolicies\":{\"policy0\":{\"effect\":\"forbid\",\"principal\":{\"op\":\"is\",\"entity_type\":"
	"\"A::B\",\"in\":{\"entity\":{\"type\":\"G\",\"id\":\"g\"}}},\"action\":{\"op\":\"in\",\"entities\":[{\"type\":"
	"\"Action\",\"id\":\"a\"},{\"type\":\"Action\",\"id\":\"b\"}]},\"resource\":{\"op\":\"==\",\"entity\":{\"type\":"
	"\"R\",\"id\":\"r\"}},\"conditions\":[{\"kind\":\"unless\",\"body\":{\"like\":{\"left\":{\"Value\":\"x\"},"
	"\"pattern\":[{\"Literal\":\"a\"},\"Wildcard\",\"Wildcard\",{\"Literal\":\"*\"}]}}}],\"annotations\":{\"why\":"
	"\"so\",\"now\":null}}},\"templates\":{\"t\":{\"effect\":\"permit\",\"principal\":{\"op\":\"in\",\"slot\":"
	"\"?principal\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"is\",\"entity_type\":\"R\",\"in\":{\"slot\":"
	"\"?resource\"}},\"conditions\":[],\"annotations\":{\"id\":\"old\"}}},\"templateLinks\":[{\"templateId\":\"t\","
	"\"newId\":\"l\",\"values\":{\"?principal\":{\"__entity\":{\"type\":\"U\",\"id\":\"u\"}},\"?resource\":"
	"{\"__entity\":{\"type\":\"R\",\"id\":\"r\"}}}}]}\n";
static const char set_text[] =
	"@why(\"so\") @now forbid(principal is A::B in G::\"g\", action in [Action::\"a\", Action::\"b\"], "
	"resource == R::\"r\") unless { \"x\" like \"a**\\*\" };\n"
	"@id(\"t\") permit(principal in ?principal, action, resource is R in ?resource);\n"
	"@id(\"l\") permit(principal in U::\"u\", action, resource is R in R::\"r\");\n";

static void test_set(void)
{
	struct yg_cedar_policies p;
	struct yg_buf out;
	yg_buf_init(&out, 1 << 16);
	yg_cedar_policies_init(&p, &key, 1 << 22);
	T_OK(yg_cedar_policies_json(&p, yg_sv_of(set_json), NULL) == YG_OK);
	T_OK(yg_cedar_put_json(&out, &p, NULL) == YG_OK && is(&out, set_json));
	out.n = 0;
	T_OK(yg_cedar_put_text(&out, &p, NULL) == YG_OK && is(&out, set_text));
	yg_cedar_policies_free(&p);
	/* a policy that is called as its place would be needs no @id, one that is not does */
	out.n = 0;
	p = read_text(set_text);
	T_OK(yg_cedar_put_text(&out, &p, NULL) == YG_OK && is(&out, set_text));
	out.n = 5;
	out.limit = 20;
	T_OK(yg_cedar_put_text(&out, &p, NULL) == YG_LIMIT);
	yg_cedar_policies_free(&p);
	yg_buf_free(&out);
}

static bool unsayable(const char *body, const char *text)
{
	char json[512];
	struct yg_sb b = yg_sb_init(json, sizeof json);
	struct yg_cedar_policies p;
	struct yg_buf out;
	struct yg_err err = {0};
	yg_sb_printf(
		&b,
		"{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},"
		"\"resource\":{\"op\":\"All\"},\"conditions\":[{\"kind\":\"when\",\"body\":%s}]}",
		body);
	yg_buf_init(&out, 4096);
	yg_cedar_policies_init(&p, &key, 1 << 20);
	bool ok = yg_cedar_policies_json(&p, yg_sb_sv(&b), NULL) == YG_OK &&
		  yg_cedar_put_text(&out, &p, &err) == YG_PARSE && strstr(err.msg, text) != NULL;
	yg_buf_free(&out);
	yg_cedar_policies_free(&p);
	return ok;
}

static void test_unsayable(void)
{
	T_OK(unsayable("{\"isIpv4\":[]}", "isIpv4 of nothing"));
	T_OK(unsayable("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b c\"]}}",
		       "no name"));
}

static bool laid(const char *text, const char *want)
{
	struct yg_buf out[2];
	yg_buf_init(&out[0], 1 << 16);
	yg_buf_init(&out[1], 1 << 16);
	bool ok = yg_cedar_lay_out(&out[0], yg_sv_of(text), NULL) == YG_OK && is(&out[0], want) &&
		  yg_cedar_lay_out(&out[1], yg_buf_sv(&out[0]), NULL) == YG_OK && is(&out[1], want);
	yg_buf_free(&out[0]);
	yg_buf_free(&out[1]);
	return ok;
}

static void test_layout(void)
{
	T_OK(laid("", "") && laid("\n\n", ""));
	T_OK(laid(
		"permit(principal,action,resource);forbid(principal,action,resource,);",
		"permit (principal, action, resource);\n\nforbid (principal, action, resource, );\n"));
	T_OK(laid(
		"@id(\"a\")@b permit(principal==U::\"a\",action,resource)when{!principal.a&&- 1<2};",
		"@id(\"a\")\n@b\npermit (\n  principal == U::\"a\",\n  action,\n  resource\n)\n"
		"when { !principal.a && -1 < 2 };\n"));
	T_OK(laid(
		"permit(principal,action,resource)when{principal.aaaaaaaaaaaaaaaaaaaaaaaaaa==1||"
		"principal.bbbbbbbbbbbbbbbbbbbb.contains(2)&&[context.c,{d:1}]==[]};",
		"permit (principal, action, resource)\nwhen\n{\n  principal.aaaaaaaaaaaaaaaaaaaaaaaaaa "
		"== 1 ||\n  principal.bbbbbbbbbbbbbbbbbbbb.contains(2) && [context.c, { d: 1 }] == []\n"
		"};\n"));
	T_OK(laid(
		"permit(principal,action,resource)unless{if principal.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
		"then if context.b then 1 else 2 else context.ccccccccccccccccccccccccc};",
		"permit (principal, action, resource)\nunless\n{\n  if\n    principal."
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  then\n    if context.b then 1 else 2\n  else\n"
		"    context.ccccccccccccccccccccccccc\n};\n"));
}

static void test_comments(void)
{
	T_OK(laid("// a\r\n\n\n// b \npermit(principal,action,resource); // c\n//d\n\n//e",
		  "// a\n\n// b\npermit (principal, action, resource); // c\n\n//d\n\n//e\n"));
	T_OK(laid("// a", "// a\n"));
	T_OK(laid(
		"permit(// a\nprincipal,action // b\n,resource) when { // c\n // d\n true // e\n"
		" // f\n && [ // g\n ] == 1 // h\n };",
		"permit ( // a\n  principal,\n  action // b\n  ,\n  resource\n)\nwhen\n{ // c\n  // d\n"
		"  true // e\n  // f\n  &&\n  [ // g\n  ] ==\n    1 // h\n};\n"));
}

int main(void)
{
	test_expressions();
	test_set();
	test_unsayable();
	test_layout();
	test_comments();
	return tap_done();
}
