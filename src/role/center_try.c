/* A rule or correlation over one day of an organisation and those below it, as who asked may see
 * them: what it would have found, without findings.  It is asked as it would be live: with the
 * filters that are there, and with the overrides and exceptions of the rule of its id; a
 * correlation with the rules that it refers to, of that day's events alone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/hunt.h"
#include "detect/hunt.h"
#include "detect/hunt_correlate.h"
#include "detect/registry.h"
#include "detect/watch_finding.h"
#include "os/file.h"
#include "role/center_job.h"
#include "role/ingest_finding.h"

#define MATCHES_MAX   10000 /* then it ends and says so */
#define SAMPLES_MAX   20
#define ASSETS_MAX    200 /* with a number of their own */
#define FIELDS_MAX    16
#define VALUE_MAX     512
#define AWAY_MS       1000 /* until a store that is away is asked again */
#define AWAY_MOST     60   /* so many times */
#define SAMPLES_BYTES (4u << 20)

struct asset {
	struct yg_sv org, name; /* arena of the job */
	int64_t matches;
};
struct
try {
	struct run *r;
	struct yg_sv id;                   /* of Sigma; empty: it has none */
	struct yg_hunt_where *where;       /* what the store is asked for */
	struct yg_hunt_correlate *past;    /* of a correlation */
	yg_status st;                      /* of what is asked of the row or rule at hand */
	char refused[300];                 /* why a rule was */
	const struct yg_detect_feed *feed; /* while it is fed: whose refusals matter */
	size_t taken;
	struct yg_ruleset *set;
	struct yg_ruleset_eval *eval;
	struct yg_hunt_views views;
	yg_wall now;
	const struct yg_event *event; /* at hand */
	const struct yg_detect_record *record;
	struct yg_hunt_scan scan;
	struct asset *assets; /* arena */
	size_t asset_n;
	int64_t matches, samples;
	struct yg_buf text; /* JSON: the samples */
	struct yg_jo told;
	bool nomem, cut;
};

static void count_asset(struct try *t, struct yg_sv org, struct yg_sv name)
{
	for (size_t i = 0; i < t->asset_n; i++) {
		if (yg_sv_eq(t->assets[i].name, name) && yg_sv_eq(t->assets[i].org, org)) {
			t->assets[i].matches++;
			return;
		}
	}
	if (t->asset_n == ASSETS_MAX)
		return;
	struct asset *a = &t->assets[t->asset_n];
	*a = (struct asset){yg_arena_dup(t->r->arena, org), yg_arena_dup(t->r->arena, name), 1};
	t->nomem |= a->org.p == NULL || a->name.p == NULL;
	t->asset_n += !t->nomem;
}

static void begin_sample(struct try *t, const uint64_t *event, struct yg_sv org, int64_t time)
{
	char id[YG_EVENT_ID_MAX];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	struct yg_jo *j = &t->told;
	if (event != NULL) {
		uint32_t spool, row;
		uint64_t batch;
		yg_feed_id_parts(event, &spool, &batch, &row);
		yg_event_id_format(&b, spool, batch, row);
	}
	yg_jo_begin(j, '{');
	yg_jo_str(j, "event", yg_sb_sv(&b));
	yg_jo_str(j, "org", org);
	yg_jo_time(j, "time", time);
	yg_jo_key(j, "fields");
	yg_jo_begin(j, '[');
}

static void put_field(struct try *t, struct yg_sv name, struct yg_sv value)
{
	yg_jo_begin(&t->told, '{');
	yg_jo_str(&t->told, "name", name);
	yg_jo_str(&t->told, "value", yg_utf8_cut(value, VALUE_MAX));
	yg_jo_end(&t->told, '}');
}

static void end_sample(struct try *t)
{
	yg_jo_end(&t->told, ']');
	yg_jo_end(&t->told, '}');
}

/* ---- a rule ---- */

static void put_sample(struct try *t, uint32_t rule)
{
	struct yg_sv names[FIELDS_MAX], value;
	uint64_t id[2];
	size_t n = yg_ruleset_fields(t->eval, rule, names, YG_LEN(names));
	yg_feed_id(t->event->spool, t->event->batch, t->event->row, id);
	begin_sample(t, id, t->event->org, t->event->time);
	for (size_t i = 0; i < n; i++) {
		bool has = names[i].n > 0 && yg_detect_value(t->record, names[i], &value);
		put_field(t, names[i], has ? value : YG_SV(""));
	}
	end_sample(t);
}

static void on_hit(void *ctx, const struct yg_ruleset_hit *hit)
{
	struct try *t = ctx;
	char text[YG_IP_TEXT_MAX];
	if (hit->excepted)
		return;
	if (t->matches >= MATCHES_MAX) {
		t->cut = true;
		return;
	}
	t->matches++;
	count_asset(t, t->event->org, yg_finding_asset(t->event, YG_EF_names, text));
	if (t->samples++ < SAMPLES_MAX)
		put_sample(t, hit->rule);
}

/* ---- a correlation ---- */

static void put_number(struct try *t, const char *name, double v)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "%.15g", v);
	put_field(t, yg_sv_of(name), yg_sb_sv(&b));
}

static void put_time(struct try *t, const char *name, yg_wall time)
{
	char text[40];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_time_format(&b, time);
	put_field(t, yg_sv_of(name), yg_sb_sv(&b));
}

static void on_told(void *ctx, const struct yg_hunt_correlated *c)
{
	struct try *t = ctx;
	const struct yg_correlate_hit *hit = c->hit;
	if (t->matches >= MATCHES_MAX) {
		t->cut = true;
		return;
	}
	t->matches++;
	count_asset(t, c->org, yg_watch_hit_asset(hit));
	if (t->samples++ >= SAMPLES_MAX)
		return;
	begin_sample(t, hit->id_count > 0 ? hit->ids[hit->id_count - 1] : NULL, c->org,
		     hit->time.us);
	for (size_t i = 0; i < hit->group_count; i++)
		put_field(t, hit->names[i], hit->values[i]);
	put_number(t, "value", hit->value);
	put_time(t, "first", hit->first);
	put_time(t, "last", hit->last);
	end_sample(t);
}

static void on_match(void *ctx, const struct yg_ruleset_hit *hit)
{
	struct try *t = ctx;
	const struct yg_hunt_correlate_match m = {hit->rule, t->event, t->record};
	if (!hit->excepted && t->st == YG_OK)
		t->st = yg_hunt_correlate_match(t->past, &m, on_told, t, NULL);
}

/* ---- events ---- */

static yg_status on_row(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct try *t = ctx;
	struct yg_detect_record record;
	yg_status st = yg_hunt_record(&t->views, ev, &record, err);
	if (st != YG_OK)
		return st;
	t->event = ev;
	t->record = &record;
	yg_ruleset_run(t->eval, &record, yg_ruleset_org(t->set, ev->org), t->now,
		       t->past != NULL ? on_match : on_hit, t);
	t->event = NULL;
	t->record = NULL;
	/* a state cannot go back: the slice is not read again */
	if (t->st != YG_OK)
		return YG_FAIL(err, t->st == YG_NOMEM ? YG_NOMEM : YG_INTERNAL,
			       "correlations cannot be tried now");
	return t->nomem || t->text.bad ? YG_FAIL(err, YG_NOMEM, "the samples of a try") : YG_OK;
}

static yg_status slice(struct try *t, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_store(&t->r->c->api, &l, err);
	if (st == YG_OK)
		st = yg_hunt_next(l.ch, yg_hunt_where_text(t->where), &t->scan, &t->r->c->ctx->env,
				  on_row, t, err);
	if (st == YG_OK && t->past != NULL && t->scan.done)
		st = yg_hunt_correlate_end(t->past, (yg_wall){t->scan.to}, on_told, t);
	return st;
}

static bool draining(const struct try *t)
{
	return __atomic_load_n(&t->r->c->draining, __ATOMIC_ACQUIRE);
}

static yg_status look(struct try *t, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (int away = 0; !t->scan.done && t->matches < MATCHES_MAX &&
			   (st == YG_OK || (st == YG_AGAIN && away < AWAY_MOST));) {
		st = slice(t, err);
		away = st == YG_AGAIN ? away + 1 : 0;
		if (!center_job_progress(t->r, yg_hunt_share(&t->scan), 1000))
			return YG_FAIL(err, YG_AGAIN, "stopped");
		for (int ms = 0; st == YG_AGAIN && ms < AWAY_MS && !draining(t); ms += 50)
			(void)poll(NULL, 0, 50);
		if (draining(t))
			return YG_FAIL(err, YG_AGAIN, "the program ends");
	}
	return st;
}

static int by_matches(const void *a, const void *b)
{
	const struct asset *x = a, *y = b;
	return (x->matches < y->matches) - (x->matches > y->matches);
}

static void put_result(struct try *t)
{
	struct yg_jo j = yg_jo_init(&t->r->result);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "matches", t->matches);
	yg_jo_bool(&j, "cut", t->cut || (t->matches >= MATCHES_MAX && !t->scan.done));
	yg_jo_int(&j, "events", (int64_t)t->scan.rows);
	yg_jo_key(&j, "assets");
	yg_jo_begin(&j, '[');
	if (t->asset_n > 0)
		qsort(t->assets, t->asset_n, sizeof *t->assets, by_matches);
	for (size_t i = 0; i < t->asset_n; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "org", t->assets[i].org);
		yg_jo_str(&j, "asset", t->assets[i].name);
		yg_jo_int(&j, "matches", t->assets[i].matches);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_key(&j, "samples");
	yg_jo_raw(&j, yg_buf_sv(&t->text));
	yg_jo_end(&j, '}');
}

/* The organisations, as far as the rights of who asked still go. */
static yg_status scope(struct try *t, struct yg_err *err)
{
	struct run *r = t->r;
	struct yg_reach reach, narrowed;
	yg_status st = yg_actor_reach(r->act.db, r->job.actor, "events:read",
				      yg_env_wall(&r->c->ctx->env), r->arena, &reach, err);
	if (st == YG_OK)
		st = yg_hunt_orgs(r->act.db, &reach, center_job_param(r, "org"), r->arena,
				  &narrowed, err);
	if (st != YG_OK)
		return st;
	t->scan = (struct yg_hunt_scan){.orgs = narrowed.orgs,
					.org_count = narrowed.org_count,
					.from = YG_MAX(center_job_number(r, "from"), reach.from.us),
					.to = center_job_number(r, "to")};
	if (reach.to.us != 0)
		t->scan.to = YG_MIN(t->scan.to, reach.to.us);
	return YG_OK;
}

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

static bool is_tried(const struct yg_detect_feed *f, struct yg_sv uid)
{
	return yg_sv_eq(f->tried->uid, uid) ||
	       (f->only_count > 0 &&
		bsearch(&uid, f->only, f->only_count, sizeof uid, by_text) != NULL);
}

static void on_refused(void *ctx, struct yg_sv uid, size_t line, const char *reason)
{
	struct try *t = ctx;
	struct yg_sb b = yg_sb_init(t->refused, sizeof t->refused);
	/* everybody's filters are there, too: no matter of who tries */
	if (t->refused[0] != '\0' || t->feed == NULL || !is_tried(t->feed, uid))
		return;
	yg_sb_printf(&b, YG_SV_FMT ":%zu: %.200s", YG_SV_ARG(uid), line, reason);
	(void)yg_sb_cstr(&b);
}

static void on_taken(void *ctx, const struct yg_sigma_rule *rule)
{
	struct try *t = ctx;
	t->taken++;
	if (t->st == YG_OK)
		t->st = yg_hunt_where_add(t->where, rule, NULL);
}

/* The rule alone as a set of its own, under the uid of the one that has its id, if there is; of a
 * correlation the rules that it refers to.  Rules that hold for nothing that is looked at are as if
 * they were not there. */
static yg_status fill(struct try *t, struct yg_ruleset_builder *b, bool correlation,
		      struct yg_err *err)
{
	static const struct yg_sv none;
	struct yg_state *db = t->r->act.db;
	struct yg_drule is = {.uid = YG_SV("rule")};
	const struct yg_reach reach = {.orgs = t->scan.orgs, .org_count = t->scan.org_count};
	yg_status st = yg_drule_of_id(db, t->id, &reach, t->r->arena, &is.uid, err);
	if (st == YG_OK)
		st = yg_drule_get(db, is.uid, t->r->arena, &is, err);
	if (st != YG_OK && st != YG_NOTFOUND)
		return st;
	const struct yg_ruleset_doc doc = {.uid = is.uid,
					   .org = is.org,
					   .collection = is.collection,
					   .text = center_job_param(t->r, "text"),
					   .stage = YG_STAGE_LIVE};
	struct yg_detect_feed feed = {.only = &none, .tried = &doc, .own_stage = true};
	const struct yg_watch_asked asked = {.tried = &doc, .reach = &reach};
	st = correlation
		     ? yg_hunt_correlate_new(db, &asked, t->now, &t->r->c->ctx->env, &t->past, err)
		     : YG_OK;
	if (st == YG_OK && correlation)
		feed.only = yg_hunt_correlate_only(t->past, &feed.only_count);
	t->feed = &feed;
	if (st == YG_OK)
		st = yg_detect_feed(db, &feed, t->now, b, err);
	t->feed = NULL;
	if (st == YG_OK && t->st != YG_OK)
		st = YG_FAIL(err, t->st, "the condition of a try");
	if (st != YG_OK || t->taken > 0)
		return st;
	return YG_FAIL(err, YG_PARSE, "%s",
		       t->refused[0] != '\0' ? t->refused : "there is no rule to try");
}

static yg_status open_set(struct try *t, struct yg_ruleset_builder *b, struct yg_err *err)
{
	char path[96];
	struct yg_ruleset_stats stats;
	(void)snprintf(path, sizeof path, "snapshot/try-" YG_SV_FMT ".tmp",
		       YG_SV_ARG(t->r->job.id));
	YG_AUTO(yg_fd_close)
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "'%s'", path);
	(void)unlink(path);
	yg_status st = yg_ruleset_builder_write(b, fd, 1, t->now, &stats, err);
	if (st == YG_OK)
		st = yg_ruleset_open_fd(fd, 0, &t->set, err);
	return st == YG_OK ? yg_ruleset_eval_new(t->set, NULL, &t->eval, err) : st;
}

static yg_status read_rule(struct try *t, bool *correlation, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_sigma_rule *rule = NULL;
	yg_arena_init(&arena, YG_HUNT_RULE_ARENA);
	yg_status st = yg_hunt_rule_read(&t->r->c->ctx->env, center_job_param(t->r, "text"), &arena,
					 &rule, err);
	if (st != YG_OK)
		return st;
	*correlation = rule->kind == YG_SIGMA_CORRELATION;
	t->id = yg_arena_dup(t->r->arena, rule->id);
	return t->id.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "a try");
}

static yg_status ready(struct try *t, struct yg_err *err)
{
	const struct yg_env *env = &t->r->c->ctx->env;
	struct yg_ruleset_builder *b = NULL;
	bool correlation = false;
	yg_status st = read_rule(t, &correlation, err);
	if (st == YG_OK)
		st = yg_hunt_where_new(env, &t->where, err);
	if (st == YG_OK)
		st = yg_ruleset_builder_new(env, on_refused, t, &b, err);
	if (st == YG_OK) {
		yg_ruleset_builder_watch(b, on_taken, t);
		st = fill(t, b, correlation, err);
	}
	if (st == YG_OK)
		st = open_set(t, b, err);
	yg_ruleset_builder_free(b);
	if (st == YG_OK && correlation)
		st = yg_hunt_correlate_set(t->past, t->set, err);
	t->scan.oldest_first = correlation;
	if (st == YG_OK)
		t->views = (struct yg_hunt_views){.env = env, .engine = yg_ruleset_engine(t->set)};
	return st;
}

yg_status center_job_try(struct run *r, struct yg_err *err)
{
	struct try t = {.r = r, .now = yg_env_wall(&r->c->ctx->env)};
	yg_buf_init(&t.text, SAMPLES_BYTES);
	t.told = yg_jo_init(&t.text);
	yg_jo_begin(&t.told, '[');
	t.assets = YG_NEW_N(r->arena, struct asset, ASSETS_MAX);
	yg_status st = t.assets != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "a try");
	if (st == YG_OK)
		st = scope(&t, err);
	if (st == YG_OK)
		st = ready(&t, err);
	if (st == YG_OK)
		st = look(&t, err);
	yg_jo_end(&t.told, ']');
	if (st == YG_OK && !t.text.bad)
		put_result(&t);
	yg_hunt_views_free(&t.views);
	yg_ruleset_eval_free(t.eval);
	yg_ruleset_free(t.set);
	yg_hunt_correlate_free(t.past);
	yg_hunt_where_free(t.where);
	yg_buf_free(&t.text);
	return st;
}
