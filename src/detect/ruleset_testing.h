/* ruleset_testing.h - sets made in a few words, for tests. */
#pragma once
#include <unistd.h>

#include "detect/ruleset.h"

struct rs_org {
	const char *slug, *parent;
};
struct rs_doc {
	const char *uid, *org, *text;
	enum yg_detect_stage stage;
};
struct rs_over {
	const char *rule, *org;
	enum yg_detect_stage stage;
	int64_t expires;
};
struct rs_except {
	const char *uid, *rule, *org, *text;
	int64_t expires;
};
struct rs_set { /* lists end with an entry of NULL */
	const struct rs_org *orgs;
	const struct rs_doc *docs;
	const struct rs_over *overs;
	const struct rs_except *excepts;
	uint64_t generation;
};
#define RS_RULE(name, where)                                                                       \
	"title: " name "\nid: 00000000-0000-0000-0000-" name "\nname: " name                       \
	"\nlevel: high\nlogsource: {product: windows}\n"                                           \
	"detection:\n  s: {" where "}\n  condition: s\n"

static inline yg_status rs_fill(struct yg_ruleset_builder *b, const struct rs_set *s,
				struct yg_err *err)
{
	yg_status st = YG_OK;
	for (const struct rs_org *o = s->orgs; st == YG_OK && o != NULL && o->slug != NULL; o++)
		st = yg_ruleset_builder_org(b, yg_sv_of(o->slug), yg_sv_of(o->parent), err);
	for (const struct rs_doc *d = s->docs; st == YG_OK && d != NULL && d->uid != NULL; d++) {
		const struct yg_ruleset_doc doc = {.uid = yg_sv_of(d->uid),
						   .org = yg_sv_of(d->org),
						   .collection = YG_SV("test"),
						   .text = yg_sv_of(d->text),
						   .stage = d->stage};
		st = yg_ruleset_builder_rule(b, &doc, err);
	}
	for (const struct rs_over *o = s->overs; st == YG_OK && o != NULL && o->rule != NULL; o++)
		st = yg_ruleset_builder_override(b, yg_sv_of(o->rule), yg_sv_of(o->org), o->stage,
						 (yg_wall){o->expires}, err);
	for (const struct rs_except *x = s->excepts; st == YG_OK && x != NULL && x->uid != NULL;
	     x++) {
		const struct yg_ruleset_exception e = {yg_sv_of(x->uid),
						       yg_sv_of(x->rule),
						       yg_sv_of(x->org),
						       yg_sv_of(x->text),
						       {x->expires}};
		st = yg_ruleset_builder_exception(b, &e, err);
	}
	return st;
}

/* Into the memfd; *stats may be NULL. */
static inline yg_status rs_write(const struct rs_set *s, int fd, yg_ruleset_report_fn *report,
				 void *ctx, struct yg_ruleset_stats *stats, struct yg_err *err)
{
	static struct yg_env_sim sim = {.seed = 11};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_ruleset_builder *b = NULL;
	yg_status st = yg_ruleset_builder_new(&env, report, ctx, &b, err);
	if (st == YG_OK)
		st = rs_fill(b, s, err);
	if (st == YG_OK)
		st = yg_ruleset_builder_write(b, fd, s->generation, (yg_wall){1}, stats, err);
	yg_ruleset_builder_free(b);
	return st;
}

static inline yg_status rs_make(const struct rs_set *s, yg_ruleset_report_fn *report, void *ctx,
				struct yg_ruleset_stats *stats, struct yg_ruleset **out,
				struct yg_err *err)
{
	int fd = memfd_create("rules", MFD_CLOEXEC);
	yg_status st = rs_write(s, fd, report, ctx, stats, err);
	if (st == YG_OK)
		st = yg_ruleset_open_fd(fd, 0, out, err);
	(void)close(fd);
	return st;
}
