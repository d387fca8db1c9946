/* Rules over the past: the rules that are looked for as a set of their own, with the filters,
 * correlations, overrides and exceptions that hold for them, asked as ingest asks its set.  What
 * a rule's own stage is does not matter: who orders a hunt wants to know.  An override's does,
 * and what is silent live, because a correlation tells of it, is silent here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "detect/registry.h"
#include "os/file.h"
#include "role/center_hunt.h"
#include "role/ingest_finding.h"

struct taking {
	struct hunt *t;
	struct yg_ruleset_builder *b;
	const struct hunt_uids *uids;
	size_t taken;
	char refused[300]; /* why the first of them was */
	yg_status st;      /* of the condition */
};

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static void on_refused(void *ctx, struct yg_sv uid, size_t line, const char *reason)
{
	struct taking *k = ctx;
	struct yg_sb b = yg_sb_init(k->refused, sizeof k->refused);
	if (k->refused[0] != '\0' ||
	    bsearch(&uid, k->uids->v, k->uids->n, sizeof uid, by_text) == NULL)
		return;
	yg_sb_printf(&b, YG_SV_FMT ":%zu: %.200s", YG_SV_ARG(uid), line, reason);
	(void)yg_sb_cstr(&b);
}

static void on_taken(void *ctx, const struct yg_sigma_rule *rule)
{
	struct taking *k = ctx;
	k->taken++;
	if (k->st == YG_OK)
		k->st = yg_hunt_where_add(k->t->of_rules, rule, NULL);
}

/* Which they are, and what was found of each before the program ended. */
yg_status hunt_rules_items(struct hunt *t, struct hunt_uids *out, struct yg_err *err)
{
	struct yg_hunt_item *items = NULL;
	yg_status st = yg_hunt_items(t->r->act.db, t->h.seq, YG_HUNT_ITEMS_MAX, t->r->arena, &items,
				     &out->n, err);
	out->v = YG_NEW_N(t->r->arena, struct yg_sv, out->n + 1);
	if (st == YG_OK && out->v == NULL)
		st = YG_FAIL(err, YG_NOMEM, "the rules of a hunt");
	for (size_t i = 0; st == YG_OK && i < out->n; i++) {
		uint32_t of;
		out->v[i] = items[i].text;
		if (!hunt_of(t, items[i].text, &of))
			return YG_FAIL(err, YG_NOMEM, "the rules of a hunt");
		t->of[of].item = (int64_t)i;
		t->of[of].told = items[i].told;
		t->of[of].cut = items[i].cut;
		st = yg_hunt_rule_since(t->r->act.db, items[i].text, t->now, &t->of[of].since, err);
	}
	if (st == YG_OK && out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, by_text);
	return st;
}

static yg_status take_all(struct taking *k, const struct yg_detect_feed *feed, struct yg_err *err)
{
	/* of correlations not as of now: looked at again, it must be the same */
	yg_wall of = k->t->h.what == YG_HUNT_CORRELATION ? k->t->h.received : k->t->now;
	yg_status st = yg_detect_feed(k->t->r->act.db, feed, of, k->b, err);
	if (st == YG_OK && k->st != YG_OK)
		st = YG_FAIL(err, k->st, "the condition of rules");
	if (st != YG_OK || k->taken > 0)
		return st;
	return k->refused[0] != '\0'
		       ? YG_FAIL(err, YG_PARSE, "%s", k->refused)
		       : YG_FAIL(err, YG_NOTFOUND, "none of the rules is there any more");
}

static yg_status open_set(const struct taking *k, struct yg_err *err)
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

yg_status hunt_rules_set(struct hunt *t, const struct yg_detect_feed *feed,
			 const struct hunt_uids *uids, struct yg_err *err)
{
	struct taking k = {.t = t, .uids = uids};
	const struct yg_env *env = &t->r->c->ctx->env;
	yg_status st = yg_hunt_where_new(env, &t->of_rules, err);
	if (st == YG_OK)
		st = yg_ruleset_builder_new(env, on_refused, &k, &k.b, err);
	if (st == YG_OK) {
		yg_ruleset_builder_watch(k.b, on_taken, &k);
		st = take_all(&k, feed, err);
	}
	if (st == YG_OK)
		st = open_set(&k, err);
	yg_ruleset_builder_free(k.b);
	if (st != YG_OK)
		return st;
	t->views = (struct yg_hunt_views){.env = env, .engine = yg_ruleset_engine(t->set)};
	t->where = yg_hunt_where_text(t->of_rules);
	return YG_OK;
}

yg_status hunt_rules_ready(struct hunt *t, struct yg_err *err)
{
	struct hunt_uids uids = {.n = 0};
	yg_status st = hunt_rules_items(t, &uids, err);
	const struct yg_detect_feed only = {.only = uids.v, .only_count = uids.n};
	return st == YG_OK ? hunt_rules_set(t, &only, &uids, err) : st;
}

static void on_hit(void *ctx, const struct yg_ruleset_hit *hit)
{
	struct hunt *t = ctx;
	char text[YG_IP_TEXT_MAX];
	struct yg_sv names[YG_RULE_FIELDS_MAX];
	struct yg_ruleset_about about = yg_ruleset_about(t->set, hit->rule);
	if (hit->excepted || !hit->tells || hit->stage < YG_STAGE_AUDIT || !hunt_room(t, about.uid))
		return;
	struct yg_rule_finding f = {.uid = about.uid,
				    .collection = about.collection,
				    .rule = &about.rule,
				    .asset = yg_finding_asset(t->event, YG_EF_names, text),
				    .count = 1,
				    .alert = hit->stage == YG_STAGE_LIVE,
				    .historical = true};
	size_t n = yg_ruleset_fields(t->eval, hit->rule, names, YG_LEN(names)), at = t->found.n;
	t->fields.n = 0;
	yg_rule_fields(t->record, names, n, &t->fields, &f.field, &f.value);
	f.fields = yg_buf_sv(&t->fields);
	yg_finding_put_rule(t->event, &f, &t->scratch, &t->found);
	hunt_found_event(t, t->event, about.uid, at);
}

yg_status hunt_rules_row(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct hunt *t = ctx;
	struct yg_detect_record record;
	yg_status st = yg_hunt_record(&t->views, ev, &record, err);
	if (st != YG_OK)
		return st;
	hunt_row_begin(t);
	t->event = ev;
	t->record = &record;
	yg_ruleset_run(t->eval, &record, yg_ruleset_org(t->set, ev->org), t->now, on_hit, t);
	t->event = NULL;
	t->record = NULL;
	return hunt_row_end(t, err);
}
