/* Every allocation of reading a schema, entities and policies in both forms and of
 * deciding fails once: an error, nothing leaked. */
#include "oom.h"

#include "access/decide.h"
#include "cedar/json.h"
#include "cedar/print.h"
#include "cedar/validate.h"

static const char schema_text[] =
	"type T = {s: Set<ipaddr>}; entity G; entity U, V in [G] {x: Long, t?: T} tags String;\n"
	"action g; action v in g appliesTo {principal: U, resource: [V], context: {c: Set<Long>}};\n";
static const char entities_json[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":1,\"t\":{\"s\":[\"1.1.1.1\"]}},"
	"\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":\"v\\n\"}}]";
static const char requests_json[] =
	"{\"principal\":{\"type\":\"U\",\"id\":\"a\"},\"action\":{\"type\":\"Action\",\"id\":\"v\"},"
	"\"resource\":{\"type\":\"V\",\"id\":\"r\"},\"context\":{\"c\":[1,2]}}";
static const char policies_text[] =
	"@id(\"x\") permit(principal is U in G::\"g\", action in [Action::\"g\"], resource) when {\n"
	" principal has t.s && principal.t.s.contains(ip(\"1.1.1.1\")) && {a: [1, \"b\"]}.a == [\"b\", 1] &&\n"
	" \"abc\" like \"a*\" && (if context.c.contains(1) then principal.hasTag(\"t\") else false) };\n"
	"forbid(principal, action, resource) when { context.no };\n";
static const char policies_json[] =
	"{\"templates\":{\"t\":{\"effect\":\"permit\",\"principal\":{\"op\":\"==\",\"slot\":\"?principal\"},"
	"\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},\"annotations\":{\"a\":\"b\"},\"conditions\":"
	"[{\"kind\":\"when\",\"body\":{\"&&\":{\"left\":{\"Value\":true},\"right\":{\"like\":{\"left\":{\"Value\":"
	"\"ab\"},\"pattern\":[{\"Literal\":\"a\"},\"Wildcard\"]}}}}},{\"kind\":\"unless\",\"body\":{\"has\":{\"left\":"
	"{\"Record\":{\"a\":{\"Set\":[{\"Value\":[1]}]}}},\"attr\":[\"b\"]}}}]}},\"templateLinks\":[{\"templateId\":"
	"\"t\",\"newId\":\"l\",\"values\":{\"?principal\":{\"type\":\"U\",\"id\":\"a\"}}}]}";

struct world {
	struct yg_cedar_schema schema;
	struct yg_cedar_entities entities;
	struct yg_cedar_policies policies;
	struct yg_json json;
	struct yg_cedar_json values;
	struct yg_arena arena;
	struct yg_cedar_faults faults;
};
static struct yg_access_answer answer;

static yg_status write_out(const struct yg_cedar_policies *p)
{
	struct yg_buf text, laid, json;
	yg_buf_init(&text, 1 << 20);
	yg_buf_init(&laid, 1 << 20);
	yg_buf_init(&json, 1 << 20);
	yg_status st = yg_cedar_put_text(&text, p, NULL);
	if (st == YG_OK)
		st = yg_cedar_lay_out(&laid, yg_buf_sv(&text), NULL);
	if (st == YG_OK)
		st = yg_cedar_put_json(&json, p, NULL);
	yg_buf_free(&text);
	yg_buf_free(&laid);
	yg_buf_free(&json);
	return st;
}

static yg_status ask(struct world *w)
{
	const struct yg_access_options options = {true};
	struct yg_cedar_request request;
	yg_status st = yg_cedar_schema_text(&w->schema, yg_sv_of(schema_text), NULL);
	if (st == YG_OK)
		st = yg_cedar_entities_json(&w->entities, yg_sv_of(entities_json), &w->schema,
					    NULL);
	if (st == YG_OK)
		st = yg_cedar_policies_text(&w->policies, yg_sv_of(policies_text), NULL);
	if (st == YG_OK)
		st = yg_cedar_policies_json(&w->policies, yg_sv_of(policies_json), NULL);
	if (st == YG_OK)
		st = yg_json_parse(&w->json, yg_sv_of(requests_json), NULL);
	if (st == YG_OK)
		st = yg_cedar_request_json(&w->values, 0, &w->schema, &request, NULL);
	if (st == YG_OK)
		st = write_out(&w->policies);
	if (st == YG_OK)
		st = yg_cedar_validate(&w->policies, &w->schema, &w->faults, NULL);
	return st == YG_OK ? yg_access_decide(&w->policies, &w->entities, &request, &options,
					      &w->arena, &answer, NULL)
			   : st;
}

static yg_status whole(int ignored)
{
	static const struct yg_hash_key key = {{1, 2}};
	struct world w;
	(void)ignored;
	yg_cedar_schema_init(&w.schema, 1 << 24);
	yg_cedar_entities_init(&w.entities, &key, 1 << 24);
	yg_cedar_policies_init(&w.policies, &key, 1 << 24);
	yg_json_init(&w.json, 1000);
	yg_arena_init(&w.arena, 1 << 24);
	yg_cedar_faults_init(&w.faults, 1 << 24);
	yg_cedar_json_init(&w.values, &w.json, &w.arena);
	yg_status st = ask(&w);
	if (st == YG_OK && (answer.allow || answer.reason_n != 1 || answer.error_n != 1))
		st = YG_INTERNAL;
	yg_cedar_schema_free(&w.schema);
	yg_cedar_faults_free(&w.faults);
	yg_cedar_entities_free(&w.entities);
	yg_cedar_policies_free(&w.policies);
	yg_cedar_json_free(&w.values);
	yg_json_free(&w.json);
	yg_arena_free(&w.arena);
	return st;
}

int main(void)
{
	T_OK(whole(0) == YG_OK);
	oom_rounds(whole, 0);
	T_OK(whole(0) == YG_OK);
	return tap_done();
}
