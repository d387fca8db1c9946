/* A rule over one day of an organisation and those below it, as who asked may see them:
 * what it would have found, without findings. */
#include <stdlib.h>

#include "api/hunt.h"
#include "detect/hunt.h"
#include "role/center_job.h"
#include "role/ingest_finding.h"

#define MATCHES_MAX   10000 /* then it ends and says so */
#define SAMPLES_MAX   20
#define ASSETS_MAX    200 /* with a number of their own */
#define FIELDS_MAX    16
#define VALUE_MAX     512
#define SAMPLES_BYTES (4u << 20)

struct asset {
	struct yg_sv org, name; /* arena of the job */
	int64_t matches;
};
struct
try {
	struct run *r;
	struct yg_hunt_rule *rule;
	struct yg_hunt_scan scan;
	struct asset *assets; /* arena */
	size_t asset_n;
	int64_t matches, samples;
	struct yg_buf text; /* JSON: the samples */
	struct yg_jo told;
	bool nomem;
};

static void count_asset(struct try *t, const struct yg_event *ev)
{
	char text[YG_IP_TEXT_MAX];
	struct yg_sv name = yg_finding_asset(ev, YG_EF_names, text);
	for (size_t i = 0; i < t->asset_n; i++) {
		if (yg_sv_eq(t->assets[i].name, name) && yg_sv_eq(t->assets[i].org, ev->org)) {
			t->assets[i].matches++;
			return;
		}
	}
	if (t->asset_n == ASSETS_MAX)
		return;
	struct asset *a = &t->assets[t->asset_n];
	*a = (struct asset){yg_arena_dup(t->r->arena, ev->org), yg_arena_dup(t->r->arena, name), 1};
	t->nomem |= a->org.p == NULL || a->name.p == NULL;
	t->asset_n += !t->nomem;
}

/* As much of it as is shown, no character cut apart. */
static struct yg_sv shortened(struct yg_sv s)
{
	if (s.n <= VALUE_MAX)
		return s;
	size_t n = VALUE_MAX;
	while (n > VALUE_MAX - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return yg_sv_sub(s, 0, n);
}

static void put_sample(struct try *t, const struct yg_hunt_match *m)
{
	char id[YG_EVENT_ID_MAX];
	struct yg_sb b = yg_sb_init(id, sizeof id);
	struct yg_sv names[FIELDS_MAX], value;
	size_t n = yg_detect_fields(m->eval, m->rule, names, YG_LEN(names));
	struct yg_jo *j = &t->told;
	yg_event_id_format(&b, m->event->spool, m->event->batch, m->event->row);
	yg_jo_begin(j, '{');
	yg_jo_str(j, "event", yg_sb_sv(&b));
	yg_jo_str(j, "org", m->event->org);
	yg_jo_time(j, "time", m->event->time);
	yg_jo_key(j, "fields");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < n; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "name", names[i]);
		bool has = names[i].n > 0 && yg_detect_value(m->record, names[i], &value);
		yg_jo_str(j, "value", has ? shortened(value) : YG_SV(""));
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
	yg_jo_end(j, '}');
}

static void on_match(void *ctx, const struct yg_hunt_match *m)
{
	struct try *t = ctx;
	if (t->matches >= MATCHES_MAX)
		return;
	t->matches++;
	count_asset(t, m->event);
	if (t->samples++ < SAMPLES_MAX)
		put_sample(t, m);
}

static yg_status on_row(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct try *t = ctx;
	yg_status st = yg_hunt_ask(t->rule, ev, on_match, t, err);
	return st == YG_OK && (t->nomem || t->text.bad)
		       ? YG_FAIL(err, YG_NOMEM, "the samples of a try")
		       : st;
}

static yg_status slice(struct try *t, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_store(&t->r->c->api, &l, err);
	return st == YG_OK ? yg_hunt_next(l.ch, yg_hunt_rule_where(t->rule), &t->scan,
					  &t->r->c->ctx->env, on_row, t, err)
			   : st;
}

static yg_status look(struct try *t, struct yg_err *err)
{
	yg_status st = YG_OK;
	while (st == YG_OK && !t->scan.done && t->matches < MATCHES_MAX) {
		st = slice(t, err);
		if (st == YG_OK && !center_job_progress(t->r, yg_hunt_share(&t->scan), 1000))
			st = YG_FAIL(err, YG_AGAIN, "stopped");
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
	yg_jo_bool(&j, "cut", t->matches >= MATCHES_MAX && !t->scan.done);
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

yg_status center_job_try(struct run *r, struct yg_err *err)
{
	struct try t = {.r = r};
	yg_buf_init(&t.text, SAMPLES_BYTES);
	t.told = yg_jo_init(&t.text);
	yg_jo_begin(&t.told, '[');
	t.assets = YG_NEW_N(r->arena, struct asset, ASSETS_MAX);
	yg_status st = t.assets != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "a try");
	if (st == YG_OK)
		st = scope(&t, err);
	if (st == YG_OK)
		st = yg_hunt_rule_new(&r->c->ctx->env, center_job_param(r, "text"), &t.rule, err);
	if (st == YG_OK)
		st = look(&t, err);
	yg_jo_end(&t.told, ']');
	if (st == YG_OK && !t.text.bad)
		put_result(&t);
	yg_hunt_rule_free(t.rule);
	yg_buf_free(&t.text);
	return st;
}
