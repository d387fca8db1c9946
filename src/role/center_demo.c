/* The demonstration as a job: through the doors of real logs. */
#include "alert/due.h"
#include "alert/query.h"
#include "api/routes.h"
#include "detect/demo.h"
#include "detect/registry.h"
#include "event/demo.h"
#include "intel/list.h"
#include "intel/registry.h"
#include "org/organisation.h"
#include "org/system.h"
#include "role/center.h"

#define SEED       20261122 /* any number; the same one makes the same demonstration */
#define CONFIDENCE 80
#define TRIES      120 /* times a full spool is waited for */
#define SETTLED_MS 250 /* between two looks at how many alerts there are */
#define CALM       4   /* looks that find the same number: all is matched */
#define LOOKS      120 /* at most */
#define PAGE       100 /* alerts changed in one transaction */
#define FORGOTTEN  4u  /* about so many old alerts nobody has closed */

/* Five systems of an organisation, by the networks of their hosts. */
static yg_status add_systems(struct yg_act *act, size_t at, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < YG_DEMO_SYSTEMS && st == YG_OK; i++) {
		const struct yg_demo_system *d = &yg_demo_systems[i];
		struct yg_system y = {.org = yg_sv_of(yg_demo_orgs[at].name),
				      .name = yg_sv_of(d->name),
				      .title_ja = yg_sv_of(d->title_ja),
				      .title_en = yg_sv_of(d->title_en),
				      .importance = d->importance,
				      .scheme = YG_SV("cia3"),
				      .confidentiality = yg_sv_of(d->confidentiality),
				      .integrity = d->integrity,
				      .availability = d->availability};
		char network[32];
		struct yg_sb b = yg_sb_init(network, sizeof network);
		struct yg_id id;
		yg_sb_printf(&b, "10.%zu.1.%u/29", 10 + at, d->host);
		struct yg_member m = {.network = true, .value = yg_sb_sv(&b)};
		st = yg_system_add(act, &y, &id, err);
		if (st == YG_OK)
			st = yg_system_set_members(act, yg_id_sv(&id), YG_ANY_VERSION, &m, 1, err);
		if (st == YG_CONFLICT)
			st = YG_OK; /* it is there from before */
	}
	return st;
}

static yg_status add_orgs(struct yg_act *act, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; i < YG_DEMO_ORGS && (st == YG_OK || st == YG_CONFLICT); i++) {
		const struct yg_demo_org *o = &yg_demo_orgs[i];
		struct yg_org org = {.slug = yg_sv_of(o->name),
				     .title_ja = yg_sv_of(o->title_ja),
				     .title_en = yg_sv_of(o->title_en),
				     .parent = o->parent != NULL ? yg_sv_of(o->parent) : YG_SV(""),
				     .prefecture = o->prefecture,
				     .demo = true};
		st = yg_org_add(act, &org, err);
	}
	st = st == YG_CONFLICT ? YG_OK : st; /* it is there from before */
	for (size_t i = 0; i < YG_DEMO_ORGS && st == YG_OK; i++)
		st = add_systems(act, i, err);
	return st;
}

static yg_status on_entry(void *ctx, const struct yg_indicator *ind, uint64_t line,
			  struct yg_err *err)
{
	(void)line;
	return yg_import_add(ctx, ind, err);
}

/* The list's entries from the same text that the command sends. */
static yg_status read_list(struct yg_import *import, struct yg_sv csv, struct yg_err *err)
{
	struct yg_list_opts opts = {.format = YG_LIST_CSV, .ctx = import, .entry = on_entry};
	struct yg_list_reader *reader = NULL;
	yg_status st = yg_list_new(&opts, &reader, err);
	if (st == YG_OK)
		st = yg_list_feed(reader, csv, err);
	if (st == YG_OK)
		st = yg_list_end(reader, err);
	yg_list_free(reader);
	return st;
}

static yg_status add_indicators(struct yg_act *act, struct yg_err *err)
{
	struct yg_import_stats stats = {0};
	struct yg_import *import = NULL;
	struct yg_id id;
	struct yg_buf csv;
	struct yg_list list = {.name = YG_SV(YG_DEMO_LIST),
			       .title = YG_SV("デモ用の架空の指標 (made-up indicators)"),
			       .tlp = YG_TLP_CLEAR,
			       .confidence = CONFIDENCE,
			       .enabled = true};
	yg_status st = yg_list_add(act, &list, &id, err);
	if (st != YG_OK && st != YG_CONFLICT)
		return st;
	yg_buf_init(&csv, 16u << 20);
	yg_demo_indicators(&csv);
	st = csv.bad ? YG_FAIL(err, YG_NOMEM, "indicators")
		     : yg_import_begin(act, list.name, false, &import, err);
	if (st == YG_OK) {
		st = read_list(import, yg_buf_sv(&csv), err);
		if (st == YG_OK)
			st = yg_import_end(import, &stats, err);
		else
			yg_import_abort(import);
	}
	yg_buf_free(&csv);
	return st;
}

static yg_status add_rules(struct yg_act *act, struct yg_err *err)
{
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	const struct yg_drule_place at = {
		.org = YG_SV(""), .collection = YG_SV(YG_DETECT_DEMO), .stage = YG_STAGE_LIVE};
	struct yg_drule_imported n;
	yg_status st = yg_detect_documents_begin(&d, act->env, err);
	if (st == YG_OK)
		st = yg_detect_documents_add(&d, YG_SV("demo.yml"), yg_detect_demo_rules, err);
	if (st == YG_OK && d.refused > 0)
		st = YG_FAIL(err, YG_INTERNAL, "a rule of the demonstration: line %zu: " YG_SV_FMT,
			     d.problems[0].line, YG_SV_ARG(d.problems[0].reason));
	return st == YG_OK ? yg_drule_import(act, &at, &d, &n, err) : st;
}

static yg_status submit(struct center *c, const struct yg_demo_batch *b, struct yg_arena *arena,
			struct yg_err *err)
{
	struct yg_submitted done = {0};
	struct yg_submit s = {.source = b->source,
			      .org = yg_sv_of(b->org),
			      .sensor = yg_sv_of(b->sensor),
			      .batch = b->id,
			      .bytes = b->bytes};
	yg_status st = YG_OK;
	for (int tries = 0; tries < TRIES; tries++) {
		s.worker = yg_choose_worker(&c->api, &s);
		s.received = yg_env_wall(&c->ctx->env);
		yg_arena_reset(arena);
		st = center_submit(c, &s, arena, &done, err);
		if (st != YG_OK && st != YG_AGAIN)
			return st;
		if (st == YG_OK && done.status == YG_OK)
			return YG_OK; /* the same batch twice is known by its id */
		if (st == YG_OK && done.retry_after_ms <= 0)
			break;
		uv_sleep((unsigned)YG_MIN(YG_MAX(done.retry_after_ms, 250), 2000));
	}
	return st != YG_OK ? st
			   : YG_FAIL(err,
				     (unsigned)done.status < YG_STATUS_COUNT ? done.status
									     : YG_INTERNAL,
				     YG_SV_FMT, YG_SV_ARG(done.message));
}

static yg_status send_events(struct center *c, uint64_t records, yg_progress_fn *progress,
			     void *ctx, uint64_t *out_records, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_demo *demo = NULL;
	struct yg_demo_batch b;
	yg_arena_init(&arena, 1u << 20);
	yg_status st = yg_demo_new(SEED, yg_env_wall(&c->ctx->env), records, &demo, err);
	if (st != YG_OK)
		return st;
	while (st == YG_OK && yg_demo_next(demo, &b)) {
		st = submit(c, &b, &arena, err);
		*out_records += b.records;
		if (st == YG_OK && !progress(ctx, b.at, yg_demo_batches(demo)))
			st = YG_FAIL(err, YG_AGAIN, "the job was cancelled");
	}
	size_t all = yg_demo_batches(demo); /* with empty ones behind the last */
	if (st == YG_OK && !progress(ctx, all, all))
		st = YG_FAIL(err, YG_AGAIN, "the job was cancelled");
	if (st == YG_OK && yg_demo_failed(demo))
		st = YG_FAIL(err, YG_NOMEM, "the demonstration does not fit the memory");
	yg_demo_free(demo);
	return st;
}

/* ---- what people did with the alerts of the days before the last ---- */

static const struct {
	enum yg_verdict verdict;
	const char *reason;
} endings[] = {
	{YG_VERDICT_TRUE, "端末を再設置し、利用者に説明した (machine reinstalled, its user told)"},
	{YG_VERDICT_FALSE,
	 "指標が古く、持ち主が替わっている (outdated indicator, the name has another owner)"},
	{YG_VERDICT_BENIGN, "訓練メールの誘導先 (link of an exercise mail)"},
	{YG_VERDICT_TRUE,
	 "接続先を遮断し、痕跡がないことを確認した (destination blocked, no trace found)"},
	{YG_VERDICT_FALSE,
	 "広告の名前で、通信は成立していない (name of an advertisement, no connection made)"},
	{YG_VERDICT_BENIGN, "情報セキュリティ部門による調査 (looked at by the security team)"},
};

static struct yg_alert_query old_alerts(yg_wall now, struct yg_sv orgs[static YG_DEMO_ORGS])
{
	for (size_t i = 0; i < YG_DEMO_ORGS; i++)
		orgs[i] = yg_sv_of(yg_demo_orgs[i].name);
	return (struct yg_alert_query){.f = {.reach = {.orgs = orgs, .org_count = YG_DEMO_ORGS},
					     .states = 1u << YG_ALERT_NEW,
					     .now = now,
					     .to_us = now.us - YG_US_PER_DAY},
				       .sort = YG_SORT_NEWEST,
				       .limit = PAGE};
}

/* Findings follow their records by some seconds, those of the last day at the end: when no
 * more alerts come, how many old ones there are. */
static yg_status count_old(struct yg_act *act, const struct yg_alert_query *old, int64_t *out,
			   struct yg_err *err)
{
	struct yg_alert_query all = *old;
	int64_t n = 0, before = -1;
	yg_status st = YG_OK;
	all.f.to_us = 0;
	for (int i = 0, calm = 0; st == YG_OK && i < LOOKS && calm < (n > 0 ? CALM : 3 * CALM);
	     i++) {
		st = yg_alert_matching(act->db, &all, &n, err);
		calm = n == before ? calm + 1 : 0;
		before = n;
		uv_sleep(SETTLED_MS);
	}
	return st == YG_OK ? yg_alert_matching(act->db, old, out, err) : st;
}

/* Closed after a twentieth to four fifths of the time that it had, from when it was last
 * seen; the `nth` of those that wait longer is left, every second one taken up. */
static yg_status end_one(struct yg_act *act, const struct yg_alert *a, bool left, yg_wall now,
			 struct yg_err *err)
{
	uint64_t dice = (uint64_t)a->first_seen.us / 1000 * 0x9e3779b97f4a7c15u >> 32;
	int64_t span = a->due.us == YG_NO_DUE ? 7 * YG_US_PER_DAY : a->due.us - a->created.us;
	yg_wall at = {a->last_seen.us + span / 100 * (int64_t)(5 + dice % 75)};
	struct yg_sv reason = yg_sv_of(endings[dice % YG_LEN(endings)].reason);
	struct yg_alert_set set = {.state = YG_ALERT_CLOSED,
				   .verdict = endings[dice % YG_LEN(endings)].verdict,
				   .reason = &reason};
	if (at.us >= now.us || (left && dice % 2 == 0))
		return YG_OK;
	if (left)
		set = (struct yg_alert_set){.state = YG_ALERT_IN_PROGRESS};
	yg_status st = yg_alert_change_past(act, a->id, at, &set, err);
	return st == YG_CONFLICT ? YG_OK : st; /* somebody was quicker */
}

static yg_status end_page(struct yg_act *act, const struct yg_alert *list, size_t n, size_t first,
			  size_t step, struct yg_err *err)
{
	yg_wall now = yg_env_wall(act->env);
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; st == YG_OK && i < n; i++)
		st = end_one(act, &list[i], (first + i) % step == 0, now, err);
	return yg_tx_end(&tx, st, err);
}

/* All but a few, with verdicts and reasons, within the time that they had. */
static yg_status end_old(struct yg_act *act, struct yg_err *err)
{
	struct yg_sv orgs[YG_DEMO_ORGS];
	struct yg_alert_query q = old_alerts(yg_env_wall(act->env), orgs);
	int64_t total = 0;
	yg_status st = count_old(act, &q, &total, err);
	size_t step = YG_MAX((size_t)total / FORGOTTEN, (size_t)2), n = PAGE;
	for (size_t done = 0; st == YG_OK && n == PAGE; done += n) {
		YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
		struct yg_alert *list = NULL;
		yg_arena_init(&arena, 4u << 20);
		n = 0;
		st = yg_alert_find(act->db, &q, &arena, &list, &n, err);
		if (st == YG_OK && n > 0)
			st = end_page(act, list, n, done, step, err);
		q.has_after = n > 0;
		q.after_seq = n > 0 ? list[n - 1].seq : 0;
	}
	return st;
}

yg_status center_demo_load(struct center *c, struct yg_act *act, uint64_t records,
			   yg_progress_fn *progress, void *ctx, uint64_t *out_records,
			   struct yg_err *err)
{
	*out_records = 0;
	yg_status st = add_orgs(act, err);
	if (st == YG_OK)
		st = add_indicators(act, err);
	if (st == YG_OK)
		st = add_rules(act, err);
	if (st != YG_OK)
		return st;
	center_compile_run(c);
	center_rules_run(c);
	uv_sleep(1200); /* a published snapshot is in force within a second */
	st = send_events(c, records, progress, ctx, out_records, err);
	return st == YG_OK ? end_old(act, err) : st;
}
