/* Rules over the past: the rules that are looked for as a set of their own, with the filters,
 * overrides and exceptions that hold for them, asked as ingest asks its set.  What a rule's
 * own stage is does not matter: who orders a hunt wants to know.  An override's does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "detect/registry.h"
#include "org/organisation.h"
#include "os/file.h"
#include "role/center_hunt.h"
#include "role/ingest_finding.h"

#define TEXTS_BYTES ((size_t)256 << 20)

struct taking {
	struct hunt *t;
	struct yg_ruleset_builder *b;
	struct yg_arena texts;
	struct yg_hunt_text *list; /* arena */
	size_t n;
	char refused[300];
};

static void on_refused(void *ctx, struct yg_sv uid, size_t line, const char *reason)
{
	struct taking *k = ctx;
	struct yg_sb b = yg_sb_init(k->refused, sizeof k->refused);
	if (k->refused[0] != '\0')
		return;
	yg_sb_printf(&b, YG_SV_FMT ":%zu: %.200s", YG_SV_ARG(uid), line, reason);
	(void)yg_sb_cstr(&b);
}

static yg_status take_orgs(struct taking *k, struct yg_err *err)
{
	struct yg_reach all = YG_REACH_ALL;
	struct yg_org *list = NULL;
	struct yg_sv after = YG_SV("");
	size_t n = YG_PAGE_MAX;
	yg_status st = YG_OK;
	while (st == YG_OK && n == YG_PAGE_MAX) {
		st = yg_org_list(k->t->r->act.db, &all, after, YG_PAGE_MAX, &k->texts, &list, &n,
				 err);
		for (size_t i = 0; st == YG_OK && i < n; i++) {
			st = yg_ruleset_builder_org(k->b, list[i].slug, list[i].parent, err);
			after = list[i].slug;
		}
	}
	return st;
}

static yg_status give(struct taking *k, const struct yg_drule *r, enum yg_detect_stage stage,
		      struct yg_err *err)
{
	const struct yg_ruleset_doc doc = {.uid = r->uid,
					   .org = r->org,
					   .collection = r->collection,
					   .text = r->text,
					   .stage = stage};
	return yg_ruleset_builder_rule(k->b, &doc, err);
}

/* Filters narrow, whatever is looked for. */
static yg_status take_filter(void *ctx, const struct yg_drule *r, struct yg_err *err)
{
	return r->kind == YG_SIGMA_FILTER ? give(ctx, r, r->stage, err) : YG_OK;
}

static yg_status take_rule(struct taking *k, struct yg_sv uid, struct yg_err *err)
{
	struct yg_drule r;
	yg_status st = yg_drule_get(k->t->r->act.db, uid, &k->texts, &r, err);
	if (st == YG_NOTFOUND) /* gone meanwhile */
		return YG_OK;
	if (st != YG_OK || r.kind != YG_SIGMA_RULE)
		return st;
	k->list[k->n++] = (struct yg_hunt_text){r.uid, r.text};
	return give(k, &r, YG_STAGE_LIVE, err);
}

static yg_status take_overrides(struct taking *k, struct yg_sv uid, struct yg_err *err)
{
	struct yg_reach all = YG_REACH_ALL;
	struct yg_detect_override *list = NULL;
	size_t n = 0;
	yg_status st =
		yg_detect_override_list(k->t->r->act.db, uid, &all, &k->texts, &list, &n, err);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = yg_ruleset_builder_override(k->b, uid, list[i].org, list[i].stage,
						 list[i].expires, err);
	return st;
}

/* All of them: one of a rule that is not looked for is left out by the builder. */
static yg_status take_exceptions(struct taking *k, struct yg_err *err)
{
	struct yg_detect_exception_filter f = {.reach = YG_REACH_ALL, .limit = YG_PAGE_MAX};
	struct yg_detect_exception *list = NULL;
	size_t n = YG_PAGE_MAX;
	yg_status st = YG_OK;
	while (st == YG_OK && n == YG_PAGE_MAX) {
		st = yg_detect_exception_list(k->t->r->act.db, &f, &k->texts, &list, &n, err);
		for (size_t i = 0; st == YG_OK && i < n; i++) {
			const struct yg_ruleset_exception x = {.uid = list[i].id,
							       .rule = list[i].rule,
							       .org = list[i].org,
							       .text = list[i].text,
							       .expires = list[i].expires};
			st = yg_ruleset_builder_exception(k->b, &x, err);
			f.before = list[i].id;
		}
	}
	return st;
}

static yg_status take_all(struct taking *k, struct yg_err *err)
{
	struct hunt *t = k->t;
	struct yg_sv *uids = NULL;
	size_t n = 0;
	yg_status st =
		yg_hunt_items(t->r->act.db, t->h.seq, YG_HUNT_ITEMS_MAX, &k->texts, &uids, &n, err);
	k->list = st == YG_OK ? YG_NEW_N(&k->texts, struct yg_hunt_text, n + 1) : NULL;
	if (st == YG_OK && k->list == NULL)
		st = YG_FAIL(err, YG_NOMEM, "the rules of a hunt");
	if (st == YG_OK)
		st = take_orgs(k, err);
	if (st == YG_OK)
		st = yg_detect_rules_each(t->r->act.db, take_filter, k, err);
	k->refused[0] = '\0'; /* of rules, from here on */
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = take_rule(k, uids[i], err);
	if (st == YG_OK && n == 1 && k->refused[0] != '\0')
		return YG_FAIL(err, YG_PARSE, "%s", k->refused);
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = take_overrides(k, uids[i], err);
	return st == YG_OK ? take_exceptions(k, err) : st;
}

static yg_status open_set(struct taking *k, struct yg_err *err)
{
	char path[80];
	struct yg_ruleset_stats stats;
	struct hunt *t = k->t;
	(void)snprintf(path, sizeof path, "snapshot/hunt-%lld.tmp", (long long)t->h.seq);
	YG_AUTO(yg_fd_close)
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	(void)unlink(path);
	yg_status st = yg_ruleset_builder_write(k->b, fd, 1, t->now, &stats, err);
	if (st == YG_OK)
		st = yg_ruleset_open_fd(fd, 0, &t->set, err);
	return st == YG_OK ? yg_ruleset_eval_new(t->set, NULL, &t->eval, err) : st;
}

yg_status hunt_rules_ready(struct hunt *t, struct yg_err *err)
{
	struct taking k = {.t = t};
	const struct yg_env *env = &t->r->c->ctx->env;
	yg_arena_init(&k.texts, TEXTS_BYTES);
	yg_status st = yg_ruleset_builder_new(env, on_refused, &k, &k.b, err);
	if (st == YG_OK)
		st = take_all(&k, err);
	if (st == YG_OK && k.n == 0)
		st = YG_FAIL(err, YG_NOTFOUND, "none of the rules is there any more");
	if (st == YG_OK)
		st = yg_hunt_rules_new(env, k.list, k.n, true, &t->rules, err);
	if (st == YG_OK)
		st = open_set(&k, err);
	if (st == YG_OK) {
		yg_hunt_rules_only(t->rules, yg_ruleset_engine(t->set));
		t->where = yg_hunt_rules_where(t->rules);
	}
	yg_ruleset_builder_free(k.b);
	yg_arena_free(&k.texts);
	return st;
}

static void on_hit(void *ctx, const struct yg_ruleset_hit *hit)
{
	struct hunt *t = ctx;
	char text[YG_IP_TEXT_MAX];
	struct yg_sv names[YG_RULE_FIELDS_MAX];
	struct yg_ruleset_about about = yg_ruleset_about(t->set, hit->rule);
	if (hit->excepted || !hit->tells || hit->stage < YG_STAGE_AUDIT || !hunt_room(t))
		return;
	struct yg_rule_finding f = {.uid = about.uid,
				    .collection = about.collection,
				    .rule = &about.rule,
				    .asset = yg_finding_asset(t->event, YG_EF_names, text),
				    .count = 1,
				    .alert = hit->stage == YG_STAGE_LIVE};
	size_t n = yg_ruleset_fields(t->eval, hit->rule, names, YG_LEN(names)), at = t->found.n;
	t->fields.n = 0;
	yg_rule_fields(t->record, names, n, &t->fields, &f.field, &f.value);
	f.fields = yg_buf_sv(&t->fields);
	yg_finding_put_rule(t->event, &f, &t->scratch, &t->found);
	hunt_found(t, t->event, about.uid, at);
}

yg_status hunt_rules_row(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct hunt *t = ctx;
	struct yg_detect_record record;
	yg_status st = yg_hunt_record(t->rules, ev, &record, err);
	if (st != YG_OK)
		return st;
	t->event = ev;
	t->record = &record;
	yg_ruleset_run(t->eval, &record, yg_ruleset_org(t->set, ev->org), t->now, on_hit, t);
	t->event = NULL;
	t->record = NULL;
	return YG_OK;
}
