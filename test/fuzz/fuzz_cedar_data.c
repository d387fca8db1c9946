#include "fuzz/cedar.h"

/* Every byte of it is there; an id is any text of JSON. */
static bool whole(const struct yg_cedar_uid *uid)
{
	volatile size_t bytes = 0;
	for (size_t i = 0; i < uid->type.n; i++)
		bytes += uid->type.p[i] != '\0';
	size_t type = bytes;
	for (size_t i = 0; i < uid->id.n; i++)
		bytes += uid->id.p[i] == '\0' ? 1 : 2;
	return type == uid->type.n && type > 0 && bytes >= type + uid->id.n;
}

static void as_request(struct yg_sv text, const struct yg_cedar_schema *schema)
{
	struct yg_json j;
	struct yg_cedar_json values;
	struct yg_cedar_request request;
	struct yg_arena arena;
	struct yg_err err = {0};
	yg_arena_init(&arena, 1 << 22);
	yg_json_init(&j, 100000);
	yg_cedar_json_init(&values, &j, &arena);
	yg_status st = yg_json_parse(&j, text, &err);
	if (st == YG_OK)
		st = yg_cedar_request_json(&values, 0, schema, &request, &err);
	cedar_told(st, &err);
	if (st == YG_OK &&
	    (!yg_cedar_eq(&request.context, &request.context, NULL) || !whole(&request.principal) ||
	     !whole(&request.action) || !whole(&request.resource)))
		abort();
	yg_cedar_json_free(&values);
	yg_json_free(&j);
	yg_arena_free(&arena);
}

/* Any JSON as entities and as a request, with a schema and without: read, or refused with
 * a reason.  Of entities nobody is above itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cedar_world *w = cedar_world();
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_sv text = {(const char *)exact, size};
	if (exact == NULL)
		return 0;
	for (int typed = 0; typed < 2; typed++) {
		const struct yg_cedar_schema *schema = typed ? &w->schema : NULL;
		struct yg_cedar_entities e;
		struct yg_err err = {0};
		yg_cedar_entities_init(&e, &w->entities.key, 1 << 22);
		yg_status st = yg_cedar_entities_json(&e, text, schema, &err);
		cedar_told(st, &err);
		for (uint32_t i = 0; st == YG_OK && i < e.list.n; i++) {
			const struct yg_cedar_entity *x = yg_cedar_entity_at(&e, i);
			if (!whole(&x->uid))
				abort();
			for (uint32_t k = 0; k < x->ancestor_n; k++)
				if (x->ancestors[k] == i)
					abort();
		}
		yg_cedar_entities_free(&e);
		as_request(text, schema);
	}
	free(exact);
	return 0;
}
