#include "fuzz/cedar.h"

static const struct yg_cedar_policies *policies(void)
{
	static struct yg_cedar_policies p;
	static const char text[] =
		"permit(principal in G::\"g\", action in Action::\"g\", resource is V) when { principal has t.d && "
		"principal.t.d.lessThan(decimal(\"1.0\")) || principal == context.u };"
		"forbid(principal, action, resource) unless { principal.hasTag(\"a\") && principal.getTag(\"a\") == "
		"\"b\" && [context.t] == [principal.t] && E::\"a\" in resource && N::W::\"w\" has x };";
	if (p.list.n > 0)
		return &p;
	yg_cedar_policies_init(&p, &cedar_key, 1 << 20);
	if (yg_cedar_policies_text(&p, yg_sv_of(text), NULL) != YG_OK)
		abort();
	return &p;
}

/* Any text or JSON: a schema by which entities and requests are read, or refused with a
 * reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cedar_world *w = cedar_world();
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_cedar_schema s;
	struct yg_cedar_entities e;
	struct yg_cedar_json values;
	struct yg_cedar_request request;
	struct yg_arena arena;
	struct yg_err err = {0};
	if (exact == NULL)
		return 0;
	yg_cedar_schema_init(&s, 1 << 24);
	yg_cedar_entities_init(&e, &w->entities.key, 1 << 22);
	yg_arena_init(&arena, 1 << 22);
	yg_cedar_json_init(&values, &w->json, &arena);
	yg_status st = yg_cedar_schema_read(&s, (struct yg_sv){(const char *)exact, size}, &err);
	cedar_told(st, &err);
	if (st == YG_OK) {
		err.msg[0] = '\0';
		cedar_told(yg_cedar_entities_json(&e, yg_sv_of(cedar_entities), &s, &err), &err);
		err.msg[0] = '\0';
		cedar_told(yg_cedar_request_json(&values, 0, &s, &request, &err), &err);
		cedar_validate(policies(), &s);
	}
	yg_cedar_json_free(&values);
	yg_arena_free(&arena);
	yg_cedar_entities_free(&e);
	yg_cedar_schema_free(&s);
	free(exact);
	return 0;
}
