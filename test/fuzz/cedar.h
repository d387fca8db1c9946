/* cedar.h - a small world for fuzz targets of the Cedar language, and one request in it. */
#pragma once
#include "access/decide.h"
#include "cedar/json.h"
#include "cedar/print.h"
#include "cedar/validate.h"
#include "fuzz/replay.h"

static const char cedar_schema[] =
	"type T = {s: Set<ipaddr>, d?: decimal}; entity G in [G]; entity U, V in [G] {x?: Long, t?: T, u?: U} "
	"tags String; entity E enum [\"a\"]; namespace N { entity W; }\n"
	"action g; action v in g appliesTo {principal: [U, E], resource: [V], context: {c?: Set<Long>, t?: T, u?: U}};";
static const char cedar_entities[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"x\":1,\"t\":{\"s\":[\"1.1.1.1\"]}},"
	"\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":\"v\"}},"
	"{\"uid\":{\"type\":\"G\",\"id\":\"g\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"h\"}]}]";
static const char cedar_request[] =
	"{\"principal\":{\"type\":\"U\",\"id\":\"a\"},\"action\":{\"type\":\"Action\",\"id\":\"v\"},"
	"\"resource\":{\"type\":\"V\",\"id\":\"r\"},\"context\":{\"c\":[1,2],\"t\":{\"s\":[],\"d\":\"1.5\"}}}";

struct cedar_world {
	struct yg_cedar_schema schema;
	struct yg_cedar_entities entities;
	struct yg_json json;
	struct yg_cedar_json values;
	struct yg_arena arena;
	struct yg_cedar_request request;
};

static const struct yg_hash_key cedar_key = {{5, 6}};

/* A refusal says why. */
static inline void cedar_told(yg_status st, const struct yg_err *err)
{
	if (st != YG_OK && err->msg[0] == '\0')
		abort();
}

static inline struct cedar_world *cedar_world(void)
{
	static struct cedar_world w;
	static bool made;
	if (made)
		return &w;
	made = true;
	yg_cedar_schema_init(&w.schema, 1 << 22);
	yg_cedar_entities_init(&w.entities, &cedar_key, 1 << 22);
	yg_arena_init(&w.arena, 1 << 22);
	yg_json_init(&w.json, 1000);
	yg_cedar_json_init(&w.values, &w.json, &w.arena);
	if (yg_cedar_schema_read(&w.schema, yg_sv_of(cedar_schema), NULL) != YG_OK ||
	    yg_cedar_entities_json(&w.entities, yg_sv_of(cedar_entities), &w.schema, NULL) !=
		    YG_OK ||
	    yg_json_parse(&w.json, yg_sv_of(cedar_request), NULL) != YG_OK ||
	    yg_cedar_request_json(&w.values, 0, &w.schema, &w.request, NULL) != YG_OK)
		abort();
	return &w;
}

/* Faults are in the policies' order, each with a text, and never fail for another reason
 * than memory or depth. */
static inline void cedar_validate(const struct yg_cedar_policies *p,
				  const struct yg_cedar_schema *schema)
{
	struct yg_cedar_faults f;
	struct yg_err err = {0};
	uint32_t errors = 0;
	yg_cedar_faults_init(&f, 1 << 24);
	yg_status st = yg_cedar_validate(p, schema, &f, &err);
	cedar_told(st, &err);
	if (st != YG_OK && st != YG_NOMEM && st != YG_LIMIT)
		abort();
	for (size_t i = 0; i < f.list.n; i++) {
		const struct yg_cedar_fault *one = (const struct yg_cedar_fault *)f.list.p + i;
		if (one->policy >= p->list.n || one->text.n == 0 ||
		    (i > 0 && one->policy < one[-1].policy))
			abort();
		errors += !one->warning;
	}
	if (errors != f.errors)
		abort();
	yg_cedar_faults_free(&f);
}

/* What was read is written and read again, in both forms and laid out: it is the same.
 * Text has bounds that JSON has not, so that it may be refused. */
static inline void cedar_write(const struct yg_cedar_policies *p)
{
	struct yg_cedar_policies again;
	struct yg_buf json[2], text, laid[2];
	struct yg_err err = {0};
	for (int i = 0; i < 2; i++) {
		yg_buf_init(&json[i], 1 << 26);
		yg_buf_init(&laid[i], 1 << 26);
	}
	yg_buf_init(&text, 1 << 26);
	yg_cedar_policies_init(&again, &cedar_key, 1 << 26);
	if (yg_cedar_put_json(&json[0], p, &err) != YG_OK ||
	    yg_cedar_policies_json(&again, yg_buf_sv(&json[0]), &err) != YG_OK ||
	    yg_cedar_put_json(&json[1], &again, &err) != YG_OK ||
	    !yg_sv_eq(yg_buf_sv(&json[0]), yg_buf_sv(&json[1])))
		abort();
	yg_cedar_policies_free(&again);
	yg_cedar_policies_init(&again, &cedar_key, 1 << 26);
	yg_status st = yg_cedar_put_text(&text, p, &err);
	cedar_told(st, &err);
	if (st == YG_OK)
		st = yg_cedar_policies_text(&again, yg_buf_sv(&text), &err);
	if (st == YG_OK && (again.list.n != p->list.n ||
			    yg_cedar_lay_out(&laid[0], yg_buf_sv(&text), &err) != YG_OK ||
			    yg_cedar_lay_out(&laid[1], yg_buf_sv(&laid[0]), &err) != YG_OK ||
			    !yg_sv_eq(yg_buf_sv(&laid[0]), yg_buf_sv(&laid[1]))))
		abort();
	for (size_t i = 0; st == YG_OK && i < p->list.n; i++)
		if (!yg_sv_eq(yg_cedar_policy_at(&again, i)->id, yg_cedar_policy_at(p, i)->id))
			abort();
	yg_cedar_policies_free(&again);
	for (int i = 0; i < 2; i++) {
		yg_buf_free(&json[i]);
		yg_buf_free(&laid[i]);
	}
	yg_buf_free(&text);
}

/* Decides twice: the same answer, each policy named once, and nothing but memory and steps fails. */
static inline void cedar_decide(const struct yg_cedar_policies *p)
{
	const struct cedar_world *w = cedar_world();
	struct yg_access_answer a[2];
	struct yg_arena arena;
	yg_status st[2] = {YG_OK, YG_OK};
	for (int i = 0; i < 2; i++) {
		const struct yg_access_options options = {false};
		struct yg_err err = {0};
		yg_arena_init(&arena, 1 << 22);
		st[i] = yg_access_decide(p, &w->entities, &w->request, &options, &arena, &a[i],
					 &err);
		cedar_told(st[i], &err);
		if (st[i] != YG_OK && st[i] != YG_NOMEM && st[i] != YG_LIMIT)
			abort();
		for (uint32_t k = 0; st[i] == YG_OK && k < a[i].reason_n; k++)
			if (a[i].reasons[k] >= p->list.n ||
			    (k > 0 && a[i].reasons[k] <= a[i].reasons[k - 1]))
				abort();
		yg_arena_free(&arena);
	}
	if (st[0] != st[1] ||
	    (st[0] == YG_OK && (a[0].allow != a[1].allow || a[0].reason_n != a[1].reason_n ||
				a[0].error_n != a[1].error_n)))
		abort();
}
