/* Inputs that are long in one way each: read in the time of their length, or refused with
 * what was too much.  Most of them would take minutes if something were quadratic. */
#include <stdlib.h>

#include "cedar/json.h"
#include "cedar/validate.h"
#include "tap.h"

static struct yg_err last;
static const struct yg_hash_key key = {{7, 8}};

/* ---- schemas ---- */

/* n lines, each with its number and the one before: "%d" and "%p" in `line`. */
static void lines(struct yg_buf *b, const char *line, int n)
{
	for (int i = 1; i <= n; i++) {
		for (const char *p = line; *p != '\0'; p++) {
			if (*p == '%' && p[1] != '\0')
				yg_buf_printf(b, "%06d", *++p == 'd' ? i : i - 1);
			else
				yg_buf_putc(b, *p);
		}
		yg_buf_putc(b, '\n');
	}
}

static yg_status schema(struct yg_cedar_schema *s, const char *first, const char *line, int n)
{
	struct yg_buf b;
	yg_buf_init(&b, 1 << 26);
	yg_buf_put(&b, yg_sv_of(first));
	lines(&b, line, n);
	yg_cedar_schema_init(s, (size_t)1 << 28);
	yg_status st =
		yg_buf_done(&b) == YG_OK ? yg_cedar_schema_text(s, yg_buf_sv(&b), &last) : YG_NOMEM;
	yg_buf_free(&b);
	return st;
}

static void test_types(void)
{
	struct yg_cedar_schema s;
	/* sorted, so that what is above is closed before what is below */
	T_OK(schema(&s, "entity A000000;", "entity A%d in A%p;", 3000) == YG_OK);
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(&s, YG_SV("A003000"));
	T_OK(t != NULL && t->parent_n == 3000 && yg_cedar_type_may_be_in(t, YG_SV("A000000")) &&
	     !yg_cedar_type_may_be_in(t, YG_SV("A003000")));
	yg_cedar_schema_free(&s);
	T_OK(schema(&s, "entity A000000;", "entity A%d in A%p;", 6000) == YG_LIMIT);
	T_NAMED(strstr(last.msg, "entity types of the schema have more than 10000000 above them") !=
			NULL,
		last.msg);
	yg_cedar_schema_free(&s);
	/* in a circle each is below itself */
	T_OK(schema(&s, "entity A000000 in A000300;", "entity A%d in A%p;", 300) == YG_OK);
	t = yg_cedar_schema_type(&s, YG_SV("A000007"));
	T_OK(t != NULL && t->parent_n == 301 && yg_cedar_type_may_be_in(t, YG_SV("A000007")));
	yg_cedar_schema_free(&s);
}

static void test_names(void)
{
	struct yg_cedar_schema s;
	T_OK(schema(&s, "type T000000 = Long; entity E {a: T100000};", "type T%d = T%p;", 100000) ==
	     YG_OK);
	const struct yg_cedar_entity_type *t = yg_cedar_schema_type(&s, YG_SV("E"));
	const struct yg_cedar_type *a =
		t != NULL ? yg_cedar_type_field(yg_cedar_type_of(&t->attrs), YG_SV("a")) : NULL;
	T_OK(a != NULL && (a->kind == YG_CEDAR_LONG || a->same->kind == YG_CEDAR_LONG));
	yg_cedar_schema_free(&s);
	T_OK(schema(&s, "type T000000 = T100000;", "type T%d = T%p;", 100000) == YG_CONFLICT);
	yg_cedar_schema_free(&s);
	T_OK(schema(&s, "", "namespace N%d {}", 60000) == YG_OK);
	yg_cedar_schema_free(&s);
	T_OK(schema(&s, "namespace N000007 {}\n", "namespace N%d {}", 10) == YG_PARSE);
	T_NAMED(strstr(last.msg, "line 8, column 11: this namespace is there twice") != NULL,
		last.msg);
	yg_cedar_schema_free(&s);
}

static void test_actions(void)
{
	struct yg_cedar_schema s;
	const struct yg_cedar_uid low = {YG_SV("Action"), YG_SV("a003000")},
				  top = {YG_SV("Action"), YG_SV("a000000")},
				  none = {YG_SV("Action"), YG_SV("b")};
	T_OK(schema(&s, "action a000000;", "action a%d in a%p;", 3000) == YG_OK);
	const struct yg_cedar_action_type *a = yg_cedar_schema_action(&s, &low),
					  *b = yg_cedar_schema_action(&s, &top);
	T_OK(a != NULL && b != NULL && yg_cedar_action_in(&s, a, &top) &&
	     yg_cedar_action_in(&s, a, &low) && !yg_cedar_action_in(&s, b, &low) &&
	     !yg_cedar_action_in(&s, a, &none));
	yg_cedar_schema_free(&s);
	T_OK(schema(&s, "action a000000 in a000300;", "action a%d in a%p;", 300) == YG_CONFLICT);
	yg_cedar_schema_free(&s);
	T_OK(schema(&s, "action a000000;", "action a%d in a%p;", 6000) == YG_LIMIT);
	T_NAMED(strstr(last.msg, "actions of the schema have more than") != NULL, last.msg);
	yg_cedar_schema_free(&s);
}

/* ---- validation ---- */

/* Faults of a policy text; SIZE_MAX: it could not be validated.  *first: what it says. */
static size_t faults_of(const struct yg_cedar_schema *s, struct yg_buf *text,
			char first[static 200])
{
	struct yg_cedar_policies p;
	struct yg_cedar_faults f;
	size_t n = SIZE_MAX;
	yg_cedar_policies_init(&p, &key, (size_t)1 << 28);
	yg_cedar_faults_init(&f, 1 << 20);
	first[0] = '\0';
	if (yg_buf_done(text) == YG_OK &&
	    yg_cedar_policies_text(&p, yg_buf_sv(text), &last) == YG_OK &&
	    yg_cedar_validate(&p, s, &f, &last) == YG_OK) {
		const struct yg_cedar_fault *one = f.list.p;
		n = f.list.n;
		if (n > 0)
			(void)snprintf(first, 200, "%u: " YG_SV_FMT, one->policy,
				       YG_SV_ARG(one->text));
	} else {
		(void)printf("# %s\n", last.msg);
	}
	yg_cedar_faults_free(&f);
	yg_cedar_policies_free(&p);
	yg_buf_free(text);
	return n;
}

#define APPLIES "entity R; action v appliesTo {principal: U, resource: R, context: {}};\n"

/* Tests of 2,000 attributes, while 2,000 others are known. */
static void test_tests(void)
{
	struct yg_cedar_schema s;
	struct yg_buf b;
	char first[200];
	yg_buf_init(&b, 1 << 22);
	yg_buf_put(&b, YG_SV(APPLIES "entity U {"));
	lines(&b, "a%d?: Long, c%d?: Long,", 2000);
	yg_buf_put(&b, YG_SV("u?: U};"));
	yg_cedar_schema_init(&s, 1 << 24);
	T_OK(yg_cedar_schema_text(&s, yg_buf_sv(&b), &last) == YG_OK);
	yg_buf_free(&b);
	yg_buf_init(&b, 1 << 22);
	yg_buf_put(&b, YG_SV("permit(principal, action, resource) when { true"));
	lines(&b, "&& principal has a%d", 2000);
	yg_buf_put(&b, YG_SV("} when { true"));
	lines(&b, "&& principal has c%d && principal.c%d == principal.a%d", 2000);
	yg_buf_put(&b, YG_SV("};"));
	T_OK(faults_of(&s, &b, first) == 0);
	/* what is not tested may still be missing */
	yg_buf_init(&b, 1 << 22);
	yg_buf_put(&b, YG_SV("permit(principal, action, resource) when { (principal has a000001 ||"
			     " principal has a000002) && principal.a000001 == 1 };"));
	T_OK(faults_of(&s, &b, first) == 1);
	T_NAMED(strstr(first, "0: the attribute 'a000001' may be missing") == first, first);
	/* a path with 11,600 parts, each of which is a test */
	yg_buf_init(&b, 1 << 22);
	yg_buf_put(&b, YG_SV("permit(principal, action, resource) when { principal has u"));
	for (int i = 1; i < 11600; i++)
		yg_buf_put(&b, YG_SV(".u"));
	yg_buf_put(&b, YG_SV(" && principal.u.u.u == principal };"));
	T_OK(faults_of(&s, &b, first) == 0);
	yg_cedar_schema_free(&s);
}

/* Two types with 2^30 pairs inside: this policy is at fault, and the next is looked at. */
static void test_pairs(void)
{
	struct yg_cedar_schema s;
	struct yg_buf b;
	char first[200];
	T_OK(schema(&s,
		    APPLIES "type T000000 = {a: Long}; type S000000 = {a: Long};\n"
			    "entity U {t: T000030, s: S000030};\n",
		    "type T%d = {a: T%p, b: T%p}; type S%d = {a: S%p, b: S%p};", 30) == YG_OK);
	yg_buf_init(&b, 1 << 12);
	yg_buf_put(&b,
		   YG_SV("permit(principal, action, resource);"
			 "permit(principal, action, resource) when { principal.t == principal.s };"
			 "permit(principal, action, resource) when { principal.no };"));
	T_OK(faults_of(&s, &b, first) == 2);
	T_NAMED(strstr(first,
		       "1: this policy is too large to validate: it takes more than 256 MiB") ==
			first,
		first);
	yg_cedar_schema_free(&s);
}

/* Told where the second stands, however many there are. */
static void test_annotations(void)
{
	struct yg_cedar_policies p;
	struct yg_buf b;
	for (int twice = 0; twice < 2; twice++) {
		yg_buf_init(&b, 1 << 24);
		lines(&b, "@a%d", 100000);
		yg_buf_put(&b, yg_sv_of(twice ? " @b @a000003(\"x\") @a000002\n" : ""));
		yg_buf_put(&b, YG_SV("permit(principal, action, resource);"));
		yg_cedar_policies_init(&p, &key, 1 << 26);
		T_OK(yg_cedar_policies_text(&p, yg_buf_sv(&b), &last) ==
		     (twice ? YG_PARSE : YG_OK));
		yg_cedar_policies_free(&p);
		yg_buf_free(&b);
	}
	T_NAMED(strstr(last.msg, "line 100001, column 6: @a000003 is there twice") != NULL,
		last.msg);
}

/* ---- entities ---- */

static void put_entity(struct yg_buf *b, const char *id, const char *parents)
{
	yg_buf_printf(b, "%c{\"uid\":{\"type\":\"U\",\"id\":\"%s\"},\"attrs\":{},\"parents\":[%s]}",
		      b->n == 0 ? '[' : ',', id, parents);
}
static yg_status entities(struct yg_buf *b, size_t limit)
{
	struct yg_cedar_entities e;
	yg_buf_putc(b, ']');
	yg_cedar_entities_init(&e, &key, limit);
	yg_status st = yg_buf_done(b) == YG_OK
			       ? yg_cedar_entities_json(&e, yg_buf_sv(b), NULL, &last)
			       : YG_NOMEM;
	yg_cedar_entities_free(&e);
	yg_buf_free(b);
	return st;
}

static void test_ancestors(void)
{
	struct yg_buf b;
	char id[20];
	/* a chain: so many numbers that they do not fit */
	yg_buf_init(&b, 1 << 24);
	put_entity(&b, "0", "");
	for (int i = 1; i < 5000; i++) {
		char parent[60];
		(void)snprintf(id, sizeof id, "%d", i);
		(void)snprintf(parent, sizeof parent, "{\"type\":\"U\",\"id\":\"%d\"}", i - 1);
		put_entity(&b, id, parent);
	}
	T_OK(entities(&b, 20 << 20) == YG_NOMEM);
	T_NAMED(strstr(last.msg, "no memory for the ancestors of U::\"") != NULL &&
			strstr(last.msg, "20 MiB") != NULL,
		last.msg);
}

int main(void)
{
	test_ancestors();
	test_tests();
	test_annotations();
	test_pairs();
	test_types();
	test_names();
	test_actions();
	return tap_done();
}
