/* Inputs that are long in one way each: read in the time of their length, or refused with
 * what was too much.  Most of them would take minutes if something were quadratic. */
#include <stdlib.h>

#include "cedar/json.h"
#include "cedar/validate.h"
#include "tap.h"

static struct yg_err last;

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

/* ---- entities ---- */

static void put_entity(struct yg_buf *b, const char *id, const char *parents)
{
	yg_buf_printf(b, "%c{\"uid\":{\"type\":\"U\",\"id\":\"%s\"},\"attrs\":{},\"parents\":[%s]}",
		      b->n == 0 ? '[' : ',', id, parents);
}
static yg_status entities(struct yg_buf *b, size_t limit)
{
	static const struct yg_hash_key key = {{7, 8}};
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
	test_types();
	test_names();
	test_actions();
	return tap_done();
}
