/* Faults of policies and schemas say where; depth and size are bounded; what the
 * evaluator relies on is checked. */
#include "cedar/eval.h"
#include "cedar/expr.h"
#include "cedar/policy.h"
#include "cedar/print.h"
#include "cedar/schema.h"
#include "tap.h"

static const struct yg_hash_key key = {{1, 2}};

static bool says(yg_status st, const struct yg_err *err, yg_status want, const char *text)
{
	bool ok = st == want && strstr(err->msg, text) != NULL;
	if (!ok)
		(void)printf("# %s: '%s', want '%s'\n", yg_status_name(st), err->msg, text);
	return ok;
}

static bool refused(const char *policies, const char *text)
{
	struct yg_cedar_policies p;
	struct yg_err err = {0};
	yg_cedar_policies_init(&p, &key, 1 << 20);
	yg_status st = yg_cedar_policies_text(&p, yg_sv_of(policies), &err);
	yg_cedar_policies_free(&p);
	return says(st, &err, YG_PARSE, text);
}

static void test_places(void)
{
	T_OK(refused("permit(principal,\n\taction, resorce);",
		     "line 2, column 10: unexpected 'resorce'"));
	T_OK(refused("permit(principal,action,resource) when { 1 +\n };", "line 2, column 2"));
	T_OK(refused("permit(principal,action,resource)\nwhen { \"\xe3\x81\x82\" == \"\\q\" };",
		     "line 2, column 16: there is no such escape"));
	T_OK(refused("permit(principal,action,resource)", "the text ends here"));
	T_OK(refused("permit(principal,action,resource); \xff",
		     "line 1, column 36: no valid UTF-8"));
	T_OK(refused("permit(principal,action,resource); #", "column 36: no token begins here"));
	T_OK(refused("permit(principal,action,resource) when { principal.frob() };",
		     "'frob' is no method"));
	T_OK(refused("permit(principal,action,resource) when { {a: 1, \"\\n\": 2, \"\\n\": 3} };",
		     "has the field '\\x0a' twice"));
	T_OK(refused("permit(principal,action,resource) when { 1 = 1 };", "equality is '=='"));
	T_OK(refused("permit(principal,action,resource) when { principal has a == true };",
		     "need parentheses"));
}

static yg_status expression(const char *before, const char *unit, const char *middle,
			    const char *behind, int n, uint32_t *out_stack)
{
	struct yg_cedar_code code;
	struct yg_cedar_range range;
	struct yg_buf b;
	yg_buf_init(&b, 1 << 24);
	yg_buf_put(&b, yg_sv_of(before));
	for (int i = 0; i < n; i++)
		yg_buf_put(&b, yg_sv_of(unit));
	yg_buf_put(&b, yg_sv_of(middle));
	for (int i = 0; i < n; i++)
		yg_buf_put(&b, yg_sv_of(behind));
	yg_cedar_code_init(&code, 1 << 26);
	yg_status st = yg_cedar_expr_text(&code, yg_buf_sv(&b), &range, out_stack, NULL);
	yg_cedar_code_free(&code);
	yg_buf_free(&b);
	return st;
}

static void test_depth(void)
{
	uint32_t stack;
	T_OK(expression("", "(", "1", ")", YG_CEDAR_OPEN_MAX - 1, &stack) == YG_OK && stack == 1);
	T_OK(expression("", "(", "1", ")", YG_CEDAR_OPEN_MAX, &stack) == YG_PARSE);
	T_OK(expression("", "[", "", "]", YG_CEDAR_OPEN_MAX, &stack) == YG_PARSE);
	T_OK(expression("", "{a:", "1", "}", YG_CEDAR_OPEN_MAX, &stack) == YG_PARSE);
	T_OK(expression("", "if true then ", "1", " else 2", YG_CEDAR_OPEN_MAX, &stack) ==
	     YG_PARSE);
	T_OK(expression("", "if true then ", "1", " else 2", YG_CEDAR_OPEN_MAX - 1, &stack) ==
	     YG_OK);
	T_OK(expression("", "!!!!(", "1", ")", YG_CEDAR_OPEN_MAX - 1, &stack) == YG_OK);
	T_OK(expression("", "1 < 2 && 1 + 2 * -(", "1", ")", YG_CEDAR_OPEN_MAX - 1, &stack) ==
	     YG_OK);
	/* rows are no depth */
	T_OK(expression("1", " + 1", "", "", 100000, &stack) == YG_OK && stack == 2);
	T_OK(expression("true", " && true", "", "", 100000, &stack) == YG_OK && stack == 1);
	T_OK(expression("context", ".a", "", "", 100000, &stack) == YG_OK && stack == 1);
	T_OK(expression("[", "1,", "]", "", YG_CEDAR_STACK_MAX, &stack) == YG_OK &&
	     stack == YG_CEDAR_STACK_MAX);
	T_OK(expression("[", "1,", "]", "", YG_CEDAR_STACK_MAX + 1, &stack) == YG_LIMIT);
}

/* Evaluates and writes what the check lets through, with room for as many values as it says:
 * under sanitizers that is the test.  False: the evaluator ends as it never may. */
static bool runs(struct yg_cedar_policies *p, struct yg_cedar_range range, uint32_t stack)
{
	struct yg_cedar_request q = {.principal = {YG_SV("U"), YG_SV("a")},
				     .action = {YG_SV("Action"), YG_SV("v")},
				     .resource = {YG_SV("R"), YG_SV("r")}};
	struct yg_cedar_entities none;
	struct yg_cedar_eval e;
	struct yg_cedar_value v;
	struct yg_arena arena;
	struct yg_buf out;
	struct yg_err err = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_cedar_entities_init(&none, &key, 1 << 16);
	bool ok = yg_cedar_record(NULL, 0, &q.context) == YG_OK &&
		  yg_cedar_eval_init(&e, &p->code, &none, &q, stack, &arena, &err) == YG_OK;
	yg_status st = ok ? yg_cedar_eval(&e, range, &v, &err) : YG_NOMEM;
	ok = st == YG_OK || st == YG_PARSE;
	if (st == YG_OK) /* a value, whose parts can be gone through */
		ok = yg_cedar_eq(&v, &v, &e.steps);
	yg_buf_init(&out, 1 << 16);
	(void)yg_cedar_put_text(&out, p, &err);
	(void)yg_cedar_put_json(&out, p, &err);
	yg_buf_free(&out);
	yg_cedar_entities_free(&none);
	yg_arena_free(&arena);
	return ok;
}

/* Any one operation changed: the check still decides, and what it lets through runs. */
static void test_check(void)
{
	static const char text[] =
		"permit(principal, action, resource) when {"
		"if principal is U in G::\"g\" && context has a.b || !(1 < -2) then {a: [1, \"x\"]}.a "
		"else ip(\"1.1.1.1\").isInRange(context.r)};";
	struct yg_cedar_policies p;
	uint32_t stack = 0;
	yg_cedar_policies_init(&p, &key, 1 << 20);
	if (!T_OK(yg_cedar_policies_text(&p, yg_sv_of(text), NULL) == YG_OK))
		return yg_cedar_policies_free(&p);
	struct yg_cedar_code *code = &p.code;
	const struct yg_cedar_range range = yg_cedar_policy_at(&p, 0)->conditions[0].code;
	T_OK(yg_cedar_code_check(code, range, &stack, NULL) == YG_OK && stack == 2);
	struct yg_cedar_op *ops = code->ops.p;
	unsigned kept = 0, refusals = 0, bad = 0;
	for (uint32_t i = range.first; i < range.end; i++) {
		const struct yg_cedar_op was = ops[i];
		for (unsigned op = 0; op < 256; op++) {
			ops[i].op = (uint8_t)op;
			if (yg_cedar_code_check(code, range, &stack, NULL) == YG_OK) {
				kept++;
				bad += !runs(&p, range, stack);
			} else {
				refusals++;
			}
		}
		ops[i] = was;
		ops[i].first++;
		refusals += yg_cedar_code_check(code, range, &stack, NULL) == YG_CORRUPT;
		kept += was.op >= YG_CO_J_FALSE; /* `first` of a jump says nothing */
		ops[i] = was;
	}
	T_OK(bad == 0 && kept > 100);
	T_OK(refusals > kept);
	T_OK(yg_cedar_code_check(code, (struct yg_cedar_range){range.first, range.end - 1}, &stack,
				 NULL) == YG_CORRUPT);
	T_OK(yg_cedar_code_check(code, (struct yg_cedar_range){range.first + 1, range.end}, &stack,
				 NULL) == YG_CORRUPT);
	T_OK(yg_cedar_code_check(code, (struct yg_cedar_range){range.end, range.end}, &stack,
				 NULL) == YG_CORRUPT);
	for (uint32_t i = range.first; i < range.end; i++) {
		const struct yg_cedar_op was = ops[i];
		if (was.op < YG_CO_J_FALSE)
			continue;
		for (uint32_t to = 0; to <= range.end + 1; to++) {
			ops[i].a = to;
			if (to != was.a)
				T_OK(yg_cedar_code_check(code, range, &stack, NULL) == YG_CORRUPT);
		}
		ops[i] = was;
	}
	yg_cedar_policies_free(&p);
}

/* ---- schemas ---- */

static yg_status schema(const char *text, struct yg_err *err)
{
	struct yg_cedar_schema s;
	yg_cedar_schema_init(&s, 1 << 22);
	yg_status st = yg_cedar_schema_read(&s, yg_sv_of(text), err);
	yg_cedar_schema_free(&s);
	return st;
}

#define ATTRIBUTE(type)                                                                            \
	"{\"\": {\"actions\": {}, \"entityTypes\": {\"U\": {\"shape\": {\"type\": \"Record\", "    \
	"\"attributes\": {\"a\": " type "}}}}}}"

static void test_schema_faults(void)
{
	static const struct {
		const char *text, *says;
		yg_status st;
	} faults[] = {
		{"entity U in [G];", "'G' is no entity type of the schema", YG_NOTFOUND},
		{"entity U { a: T };", "'T' is no type of the schema", YG_NOTFOUND},
		{"entity U; entity U;", "'U' is declared twice", YG_CONFLICT},
		{"action a; action \"a\";", "'a' is declared twice", YG_CONFLICT},
		{"type A = Long; type A = Long;", "'A' is declared twice", YG_CONFLICT},
		{"type A = B; type B = Set<A>;", "is a type inside of itself", YG_CONFLICT},
		{"type A = A;", "is a type inside of itself", YG_CONFLICT},
		{"entity U { a: Long, a: Long };", "'a' is there twice", YG_CONFLICT},
		{"action a in [b];", "'b' is no action of the schema", YG_NOTFOUND},
		{"entity U; action a appliesTo { principal: U, resource: U, context: Long };",
		 "context that is no record", YG_PARSE},
		{"action a appliesTo { principal: [], principal: [] };",
		 "'principal' is there twice", YG_PARSE},
		{"action a appliesTo { principal: [], resource: [] };", "at least one type each",
		 YG_PARSE},
		{"action a in b; action b in a;", "is an action inside of itself", YG_CONFLICT},
		{"entity U; namespace A { entity U; }", "hides a type of no namespace",
		 YG_CONFLICT},
		{"action a; namespace A { action a; }", "hides an action of no namespace",
		 YG_CONFLICT},
		{"namespace A {} namespace A {}", "this namespace is there twice", YG_PARSE},
		{"type Long = String;", "cannot be declared", YG_PARSE},
		{"entity Action;", "is the type of actions", YG_PARSE},
		{"entity in;", "line 1, column 8", YG_PARSE},
		{"entity E enum [];", "an entity's id in quotes", YG_PARSE},
		{"entity U {\n a: Set<Long };", "line 2, column 14: unexpected '}'", YG_PARSE},
		{"frob;", "'entity', 'action' or 'type'", YG_PARSE},
		{"{\"\": {\"entityTypes\": {\"U\": {\"memberOfTypes\": [\"G\"]}}, \"actions\": {}}}",
		 "'G' is no entity type", YG_NOTFOUND},
		{"{\"\": {\"entityTypes\": {\"U\": {\"shape\": {\"type\": \"Record\"}}}}}",
		 "a member \"actions\"", YG_PARSE},
		{"{\"\": []}", "expected an object", YG_PARSE},
		{"{\"\": {\"entityTypes\": {}, \"actions\": {}}, \"\": {\"entityTypes\": {}, \"actions\": {}}}",
		 "byte 42: expected each namespace once", YG_PARSE},
		{ATTRIBUTE("{\"type\": \"Long\", \"required\": \"no\"}"), "true or false",
		 YG_PARSE},
		{ATTRIBUTE("{\"type\": \"Long\", \"required\": null}"), "true or false", YG_PARSE},
		{ATTRIBUTE(
			 "{\"type\": \"Set\", \"element\": {\"type\": \"Long\", \"required\": true}}"),
		 "of attributes alone", YG_PARSE},
		{ATTRIBUTE("{\"type\": \"Long\", \"required\": false}"), "", YG_OK},
	};
	for (size_t i = 0; i < YG_LEN(faults); i++) {
		struct yg_err err = {0};
		yg_status st = schema(faults[i].text, &err);
		T_NAMED(says(st, &err, faults[i].st, faults[i].says), faults[i].text);
	}
}

static bool type_is(const struct yg_cedar_schema *s, const char *entity, const char *attr,
		    enum yg_cedar_kind kind, const char *name)
{
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(s, yg_sv_of(entity));
	const struct yg_cedar_type *f =
		t != NULL ? yg_cedar_type_field(yg_cedar_type_of(&t->attrs), yg_sv_of(attr)) : NULL;
	return f != NULL && yg_cedar_type_of(f)->kind == kind &&
	       yg_sv_eq(yg_cedar_type_of(f)->name, yg_sv_of(name));
}

static void test_schema_names(void)
{
	/* in its own namespace first, then in none, then Cedar's own */
	static const char text[] =
		"entity Only; entity Else;\n"
		"@doc(\"x\") namespace A::B { type Both = Long; type Deep = {r: Set<Both>}; entity Out;\n"
		" entity U, V in [Out, Only] = { a: Both, b: Out, c: Only, d?: __cedar::String, e: A::B::Both,\n"
		"  f: Bool, @d(\"y\") g: ipaddr, } tags Deep;\n"
		" action \"x y\", z in [Action::\"top\", up] appliesTo { principal: [U, Only], resource: V,\n"
		"  context: Deep, };\n action top, up; }\n";
	struct yg_cedar_schema s;
	struct yg_err err = {0};
	yg_cedar_schema_init(&s, 1 << 22);
	if (!T_OK(yg_cedar_schema_read(&s, yg_sv_of(text), &err) == YG_OK))
		(void)printf("# %s\n", err.msg);
	T_OK(type_is(&s, "A::B::V", "a", YG_CEDAR_LONG, ""));
	T_OK(type_is(&s, "A::B::V", "b", YG_CEDAR_ENTITY, "A::B::Out"));
	T_OK(type_is(&s, "A::B::U", "c", YG_CEDAR_ENTITY, "Only"));
	T_OK(type_is(&s, "A::B::U", "d", YG_CEDAR_STRING, ""));
	T_OK(type_is(&s, "A::B::U", "e", YG_CEDAR_LONG, ""));
	T_OK(type_is(&s, "A::B::U", "g", YG_CEDAR_IP, ""));
	const struct yg_cedar_uid z = {YG_SV("A::B::Action"), YG_SV("x y")};
	const struct yg_cedar_action_type *a = yg_cedar_schema_action(&s, &z);
	T_OK(a != NULL && a->parent_n == 2 && a->principal_n == 2 && a->resource_n == 1 &&
	     yg_cedar_type_of(&a->context)->n == 1);
	yg_cedar_schema_free(&s);
}

int main(void)
{
	test_places();
	test_depth();
	test_check();
	test_schema_faults();
	test_schema_names();
	return tap_done();
}
