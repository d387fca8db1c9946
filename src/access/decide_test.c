/* What Cedar says of some 500 expressions and policies, and how decisions come about. */
#include "access/decide.h"

#include <stdlib.h>

#include "base/check.h"
#include "cedar/json.h"
#include "tap.h"

struct said {
	char what;
	const char *text;
};
#include "said_test.h"

static const char entities_json[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":1,\"r\":{\"y\":{\"z\":2}},"
	"\"if\":3},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":\"v\"}},"
	"{\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"attrs\":{},\"parents\":[]}]";
static const char request_json[] =
	"{\"principal\":{\"type\":\"U\",\"id\":\"a\"},\"action\":{\"type\":\"Action\",\"id\":\"v\"},"
	"\"resource\":{\"type\":\"R\",\"id\":\"r\"},\"context\":{\"c\":1,\"s\":[1,\"a\"]}}";

static const struct yg_hash_key key = {{1, 2}};
static struct yg_cedar_entities entities;
static struct yg_cedar_request request;
static struct yg_json json;
static struct yg_cedar_json values;
static struct yg_arena kept;
static struct yg_err last;

static yg_status decide(const char *text, bool fail_closed, struct yg_arena *arena,
			struct yg_cedar_policies *p, struct yg_access_answer *out)
{
	const struct yg_access_options options = {fail_closed};
	yg_cedar_policies_init(p, &key, 1 << 26);
	yg_status st = yg_cedar_policies_text(p, yg_sv_of(text), &last);
	return st == YG_OK ? yg_access_decide(p, &entities, &request, &options, arena, out, &last)
			   : st;
}

static char outcome(const char *text)
{
	struct yg_cedar_policies p;
	struct yg_arena arena;
	struct yg_access_answer r;
	yg_arena_init(&arena, 1 << 20);
	yg_status st = decide(text, false, &arena, &p, &r);
	char c = st == YG_PARSE  ? 'R'
		 : st != YG_OK   ? '?'
		 : r.allow       ? 'Y'
		 : r.error_n > 0 ? 'E'
				 : 'N';
	yg_cedar_policies_free(&p);
	yg_arena_free(&arena);
	return c;
}

static void test_said(void)
{
	static char text[4096];
	for (size_t i = 0; i < YG_LEN(expressions); i++) {
		(void)snprintf(text, sizeof text, "permit(principal,action,resource) when { %s };",
			       expressions[i].text);
		T_NAMED(outcome(text) == expressions[i].what, expressions[i].text);
	}
	for (size_t i = 0; i < YG_LEN(policies); i++)
		T_NAMED(outcome(policies[i].text) == policies[i].what, policies[i].text);
}

/* allow or deny, ids of reasons, ids of errors: "allow a,b / c". */
static bool decides(const char *text, bool fail_closed, const char *want)
{
	char got[256];
	struct yg_sb b = yg_sb_init(got, sizeof got);
	struct yg_cedar_policies p;
	struct yg_arena arena;
	struct yg_access_answer r;
	yg_arena_init(&arena, 1 << 20);
	if (decide(text, fail_closed, &arena, &p, &r) == YG_OK) {
		yg_sb_put(&b, yg_sv_of(r.allow ? "allow" : "deny"));
		for (uint32_t i = 0; i < r.reason_n; i++)
			yg_sb_printf(&b, "%s" YG_SV_FMT, i > 0 ? "," : " ",
				     YG_SV_ARG(yg_cedar_policy_at(&p, r.reasons[i])->id));
		for (uint32_t i = 0; i < r.error_n; i++)
			yg_sb_printf(&b, "%s" YG_SV_FMT, i > 0 ? "," : " / ",
				     YG_SV_ARG(yg_cedar_policy_at(&p, r.errors[i])->id));
	}
	yg_cedar_policies_free(&p);
	yg_arena_free(&arena);
	if (strcmp(yg_sb_cstr(&b), want) != 0)
		(void)printf("# got '%s', want '%s'\n", yg_sb_cstr(&b), want);
	return strcmp(yg_sb_cstr(&b), want) == 0;
}

#define ALL "(principal,action,resource)"
static void test_combining(void)
{
	T_OK(decides("", false, "deny"));
	T_OK(decides("permit" ALL ";", false, "allow policy0"));
	T_OK(decides("permit" ALL ";@id(\"b\")permit" ALL ";permit" ALL " when {1>2};", false,
		     "allow policy0,b"));
	T_OK(decides("permit" ALL ";forbid" ALL ";forbid" ALL " unless {false};", false,
		     "deny policy1,policy2"));
	/* a forbid in error is passed over, unless the set says that it counts */
	T_OK(decides("permit" ALL ";forbid" ALL " when {context.no};", false,
		     "allow policy0 / policy1"));
	T_OK(decides("permit" ALL ";forbid" ALL " when {context.no};", true,
		     "deny policy1 / policy1"));
	T_OK(decides("permit" ALL ";forbid(principal == U::\"b\",action,resource) when {1};", true,
		     "allow policy0"));
	T_OK(decides("permit" ALL " when {1};", true, "deny / policy0"));
	/* a template decides nothing */
	T_OK(decides("permit(principal == ?principal,action,resource);permit" ALL ";", false,
		     "allow policy1"));
	T_OK(decides("permit(principal == ?principal,action,resource);", false, "deny"));
	/* @id and the made names must not meet */
	T_OK(decides("@id(\"policy1\")permit" ALL ";permit" ALL ";", false, ""));
}

static void test_links(void)
{
	struct yg_cedar_policies p;
	struct yg_arena arena;
	struct yg_access_answer r;
	const struct yg_access_options options = {false};
	struct yg_cedar_uid a = {YG_SV("U"), YG_SV("a")}, b = {YG_SV("U"), YG_SV("b")};
	struct yg_sv text = YG_SV("@id(\"t\")permit(principal == ?principal,action,resource);");
	yg_cedar_policies_init(&p, &key, 1 << 20);
	yg_arena_init(&arena, 1 << 20);
	T_OK(yg_cedar_policies_text(&p, text, NULL) == YG_OK);
	T_OK(yg_cedar_policy_link(&p, YG_SV("t"), YG_SV("x"), &b, NULL, NULL) == YG_OK);
	T_OK(yg_cedar_policy_link(&p, YG_SV("t"), YG_SV("y"), &a, NULL, NULL) == YG_OK);
	T_OK(yg_cedar_policy_link(&p, YG_SV("t"), YG_SV("y"), &a, NULL, NULL) == YG_CONFLICT);
	T_OK(yg_cedar_policy_link(&p, YG_SV("t"), YG_SV("z"), NULL, NULL, NULL) == YG_PARSE);
	T_OK(yg_cedar_policy_link(&p, YG_SV("t"), YG_SV("z"), &a, &b, NULL) == YG_PARSE);
	T_OK(yg_cedar_policy_link(&p, YG_SV("u"), YG_SV("z"), &a, NULL, NULL) == YG_PARSE);
	T_OK(yg_cedar_policy_link(&p, YG_SV("y"), YG_SV("z"), &a, NULL, NULL) == YG_PARSE);
	T_OK(yg_access_decide(&p, &entities, &request, &options, &arena, &r, NULL) == YG_OK &&
	     r.allow && r.reason_n == 1 && r.reasons[0] == 2 && r.error_n == 0);
	yg_cedar_policies_free(&p);
	yg_arena_free(&arena);
}

/* What a request may take is bounded, and then the request fails, not a policy. */
static void test_bounds(void)
{
	struct yg_cedar_policies p;
	struct yg_arena arena;
	struct yg_access_answer r;
	struct yg_buf b;
	yg_buf_init(&b, 1 << 22);
	yg_buf_put(&b, YG_SV("permit" ALL " when {["));
	for (int i = 0; i < 20000; i++)
		yg_buf_printf(&b, "%d,", i * 7 % 20000);
	yg_buf_put(&b, YG_SV("].contains(19999)};\n"));
	yg_buf_putc(&b, '\0');
	yg_arena_init(&arena, 4 << 20);
	T_OK(decide(b.p, false, &arena, &p, &r) == YG_OK && r.allow);
	yg_cedar_policies_free(&p);
	yg_arena_free(&arena);
	yg_arena_init(&arena, 400000);
	T_OK(decide(b.p, false, &arena, &p, &r) == YG_NOMEM);
	yg_cedar_policies_free(&p);
	yg_arena_free(&arena);
	yg_buf_free(&b);
	/* a pattern that goes back at every byte: no answer after so many steps, and no forbid
	 * that is passed over for it */
	yg_buf_init(&b, 1 << 20);
	yg_buf_put(&b, YG_SV("permit" ALL ";\n@id(\"slow\") forbid" ALL " when {\""));
	for (int i = 0; i < 100000; i++)
		yg_buf_putc(&b, 'a');
	yg_buf_put(&b, YG_SV("\" like \"*"));
	for (int i = 0; i < 50000; i++)
		yg_buf_putc(&b, 'a');
	yg_buf_put(&b, YG_SV("b*\"};"));
	yg_buf_putc(&b, '\0');
	for (int closed = 0; closed < 2; closed++) {
		yg_arena_init(&arena, 4 << 20);
		r.allow = false;
		T_OK(decide(b.p, closed > 0, &arena, &p, &r) == YG_LIMIT && !r.allow);
		yg_cedar_policies_free(&p);
		yg_arena_free(&arena);
	}
	T_NAMED(strstr(last.msg, "steps (at the policy 'slow')") != NULL, last.msg);
	yg_buf_free(&b);
}

/* A text over all policies, as b.p. */
static void repeat(struct yg_buf *b, const char *before, const char *text, int n,
		   const char *behind)
{
	yg_buf_init(b, 1 << 22);
	yg_buf_put(b, yg_sv_of(before));
	for (int i = 0; i < n; i++)
		yg_buf_put(b, yg_sv_of(text));
	yg_buf_put(b, yg_sv_of(behind));
	yg_buf_putc(b, '\0');
}

static yg_status status_of(const char *text)
{
	struct yg_cedar_policies p;
	struct yg_arena arena;
	struct yg_access_answer r;
	yg_arena_init(&arena, 1 << 24);
	yg_status st = decide(text, false, &arena, &p, &r);
	yg_cedar_policies_free(&p);
	yg_arena_free(&arena);
	return st;
}

/* Steps are of the request: over all conditions, whatever is inside of what. */
static void test_steps(void)
{
	enum { PATH = 10000001, ITEMS = 100000 };
	const struct yg_cedar_value before = request.context;
	char *path = malloc(PATH);
	struct yg_cedar_value *items = malloc(ITEMS * sizeof *items);
	struct yg_cedar_field fields[2] = {{.key = YG_SV("path")}, {.key = YG_SV("big")}};
	struct yg_buf b;
	YG_REQUIRE(path != NULL && items != NULL);
	memset(path, 'a', PATH);
	for (int i = 0; i < ITEMS; i++)
		items[i] = yg_cedar_number(YG_CEDAR_LONG, i);
	fields[0].value = yg_cedar_string((struct yg_sv){path, PATH});
	T_OK(yg_cedar_set(items, ITEMS, NULL, &fields[1].value) == YG_OK);
	T_OK(yg_cedar_record(fields, 2, &request.context) == YG_OK);
	/* 10 MB of text are no fault */
	T_OK(decides("permit" ALL ";forbid" ALL " when {context.path != \"/ok\"};", false,
		     "deny policy1"));
	T_OK(decides("permit" ALL
		     " when {context.path like \"*a*\" && !(context.path like \"*b\")};",
		     false, "allow policy0"));
	T_OK(decides("permit" ALL " when {context.path == context.path};", false, "allow policy0"));
	/* but each policy goes through it */
	repeat(&b, "", "permit" ALL " when {context.path == context.path};", 20, "");
	T_OK(status_of(b.p) == YG_LIMIT);
	yg_buf_free(&b);
	repeat(&b, "permit" ALL, " when {context.path like \"*aaa\"}", 20, ";");
	T_OK(status_of(b.p) == YG_LIMIT);
	yg_buf_free(&b);
	/* sets in a set: what sorting it compares */
	repeat(&b, "permit" ALL " when {[", "context.big,", 200, "1].contains(1)};");
	T_OK(status_of(b.p) == YG_LIMIT);
	yg_buf_free(&b);
	T_OK(decides("permit" ALL " when {context.big.contains(99999) && "
		     "context.big.containsAll([7, 8]) && context.big == context.big};",
		     false, "allow policy0"));
	request.context = before;
	free(items);
	free(path);
}

/* Who asks is looked up once, however long the id is and however many ask for it. */
static void test_long_id(void)
{
	enum { ID = 1000000 };
	const struct yg_cedar_uid before = request.principal;
	char *id = malloc(ID);
	struct yg_buf b;
	YG_REQUIRE(id != NULL);
	memset(id, 'a', ID);
	request.principal.id = (struct yg_sv){id, ID};
	repeat(&b, "permit" ALL " when {principal in [", "G::\"g\",", 1000, "U::\"b\"]};");
	T_OK(decides(b.p, false, "deny"));
	yg_buf_free(&b);
	repeat(&b, "", "permit" ALL " when {principal in G::\"g\" || principal has x.y};", 1000,
	       "");
	T_OK(decides(b.p, false, "deny"));
	yg_buf_free(&b);
	request.principal = before;
	free(id);
}

/* What a policy takes is given back before the next: here each takes some 5 KB of 1 MiB. */
static void test_memory(void)
{
	static char one[2000];
	struct yg_sb sb = yg_sb_init(one, sizeof one);
	struct yg_buf b;
	yg_sb_put(&sb, YG_SV("permit" ALL " when {["));
	for (int i = 0; i < 100; i++)
		yg_sb_printf(&sb, "U::\"%d\",", i);
	yg_sb_put(&sb, YG_SV("].contains(principal)};\n"));
	repeat(&b, "", yg_sb_cstr(&sb), 1000, "");
	T_OK(decides(b.p, false, "deny"));
	yg_buf_free(&b);
}

int main(void)
{
	yg_cedar_entities_init(&entities, &key, 1 << 20);
	yg_arena_init(&kept, 1 << 20);
	yg_json_init(&json, 1000);
	yg_cedar_json_init(&values, &json, &kept);
	T_OK(yg_cedar_entities_json(&entities, yg_sv_of(entities_json), NULL, NULL) == YG_OK);
	T_OK(yg_json_parse(&json, yg_sv_of(request_json), NULL) == YG_OK &&
	     yg_cedar_request_json(&values, 0, NULL, &request, NULL) == YG_OK);
	test_said();
	test_combining();
	test_links();
	test_bounds();
	test_steps();
	test_long_id();
	test_memory();
	yg_cedar_json_free(&values);
	yg_json_free(&json);
	yg_arena_free(&kept);
	yg_cedar_entities_free(&entities);
	return tap_done();
}
