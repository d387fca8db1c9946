/* The first look at the event store after it has started: what its readers find cold is
 * read before somebody waits for it.  The engine loads the keys and marks of its parts and
 * the code of each kind of statement at first use, a second and more with 100 million
 * events; so the statements of the console's pages are asked once, and thrown away. */
#include "event/histogram.h"
#include "role/center.h"

#define WARM_ROWS 50u

static const struct {
	int64_t days;
	const char *q;
	uint32_t buckets; /* 0: a page of events */
} looks[] = {
	{1, "", 0},
	{1, "", 60},
	{7, "192.0.2.0", 84},    /* of nobody (RFC 5737): the filters say so */
	{90, "name.invalid", 0}, /* of nobody (RFC 2606) */
	{90, "query:*.invalid", 60},
};

static yg_status look(struct center *c, struct yg_ch *ch, size_t i, struct yg_arena *arena,
		      struct yg_err *err)
{
	const struct yg_env *env = &c->ctx->env;
	int64_t now = yg_env_wall(env).us;
	struct yg_search search;
	struct yg_search_page page;
	struct yg_search_scope scope = {.all_orgs = true,
					.from = {now - looks[i].days * YG_US_PER_DAY},
					.to = {now + 60 * YG_US_PER_S},
					.limit = WARM_ROWS};
	yg_status st = yg_search_compile(yg_sv_of(looks[i].q), arena, &search, err);
	if (st != YG_OK)
		return st;
	if (looks[i].buckets == 0)
		return yg_search_run(ch, &search, &scope, env, arena, &page, err);
	struct yg_histogram *h = YG_NEW(arena, struct yg_histogram);
	struct yg_histogram_ask ask = {.buckets = looks[i].buckets, .most_us = 100000};
	return h == NULL ? YG_FAIL(err, YG_NOMEM, "a look at the event store")
			 : yg_histogram_newest(ch, &search, &scope, &ask, env, h, err);
}

void center_warm_run(struct center *c)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_err err = {0};
	yg_status st = yg_lease_store(&c->api, &l, &err);
	yg_arena_init(&arena, 32u << 20);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(looks); i++) {
		st = look(c, l.ch, i, &arena, &err);
		yg_arena_reset(&arena);
	}
	if (st != YG_OK && st != YG_AGAIN)
		yg_role_log(c->ctx, YG_EV_API_NOTE, YG_KERR(&err));
}
