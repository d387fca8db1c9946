#include <stdlib.h>

#include "detect/hunt.h"
#include "detect/hunt_filter.h"
#include "detect/read.h"

#define RULE_ARENA ((size_t)256 << 20) /* one document, read */

struct yg_hunt_rules {
	struct yg_env env;
	struct yg_detect *engine;
	const struct yg_detect *only; /* borrowed: whose fields are made of events */
	struct yg_detect_eval *eval;
	struct yg_detect_view *views[YG_SOURCE_COUNT]; /* by source; made when one is needed */
	struct yg_buf where;
	/* the event at hand */
	yg_hunt_match_fn *match;
	void *ctx;
	const struct yg_event *event;
	const struct yg_detect_record *record;
};

struct told { /* the first reason of a file */
	char text[300];
};

static void on_refused(void *ctx, const char *file, size_t line, const char *reason)
{
	struct told *t = ctx;
	struct yg_sb b = yg_sb_init(t->text, sizeof t->text);
	if (t->text[0] != '\0')
		return;
	yg_sb_printf(&b, "%.60s:%zu: %.200s", file, line, reason);
	(void)yg_sb_cstr(&b);
}

static yg_status put_where(struct yg_hunt_rules *r, const struct yg_sigma_rule *rule,
			   struct yg_err *err)
{
	struct yg_buf one;
	yg_buf_init(&one, YG_HUNT_FILTER_MAX + 64);
	yg_status st = yg_hunt_filter(rule, &one, err);
	bool none = YG_SV_IS(yg_buf_sv(&one), "0"), all = YG_SV_IS(yg_buf_sv(&one), "1");
	if (all) { /* as it is for all of them */
		r->where.n = 0;
		yg_buf_putc(&r->where, '1');
	} else if (!none && !YG_SV_IS(yg_buf_sv(&r->where), "1") &&
		   !yg_sv_has(yg_buf_sv(&r->where), yg_buf_sv(&one))) {
		yg_buf_put(&r->where, r->where.n > 0 ? YG_SV(" OR ") : YG_SV(""));
		yg_buf_put(&r->where, yg_buf_sv(&one));
	}
	yg_buf_free(&one);
	return st;
}

/* The text's one document, which must be a rule. */
static yg_status add(struct yg_hunt_rules *r, struct yg_detect_builder *b,
		     const struct yg_hunt_text *t, struct yg_err *err)
{
	char name[80];
	struct yg_sb n = yg_sb_init(name, sizeof name);
	struct yg_arena arena;
	struct yg_sigma_file f = {0};
	struct told told = {""};
	yg_sb_put(&n, yg_sv_sub(t->name, 0, 64));
	yg_arena_init(&arena, RULE_ARENA);
	yg_status st = yg_sigma_read(t->text, yg_sb_cstr(&n), on_refused, &told, &arena, &f, err);
	if (st == YG_OK && f.refused > 0)
		st = YG_FAIL(err, YG_PARSE, "%s", told.text);
	if (st == YG_OK && f.count != 1)
		st = YG_FAIL(err, YG_PARSE, "%s:1: %s", name,
			     f.count == 0 ? "there is no rule" : "only one document is taken");
	if (st == YG_OK && f.rules[0].kind != YG_SIGMA_RULE)
		st = YG_FAIL(err, YG_PARSE, "%s:%zu: a %s cannot be looked for in the past", name,
			     f.rules[0].line,
			     f.rules[0].kind == YG_SIGMA_FILTER ? "filter" : "correlation");
	if (st == YG_OK)
		st = yg_detect_builder_add(b, &f.rules[0], yg_sb_sv(&n), NULL, 0, err);
	if (st == YG_OK)
		st = put_where(r, &f.rules[0], err);
	yg_arena_free(&arena);
	return st;
}

/* Too long a condition of many rules says nothing. */
static yg_status end_where(struct yg_hunt_rules *r, struct yg_err *err)
{
	if (r->where.nomem)
		return YG_FAIL(err, YG_NOMEM, "the condition of the rules");
	if (r->where.bad) {
		r->where.bad = false;
		r->where.n = 0;
		yg_buf_putc(&r->where, '1');
	}
	if (r->where.n == 0)
		yg_buf_putc(&r->where, '0');
	return r->where.bad ? YG_FAIL(err, YG_NOMEM, "the condition of the rules") : YG_OK;
}

yg_status yg_hunt_rules_new(const struct yg_env *env, const struct yg_hunt_text *texts, size_t n,
			    bool lenient, struct yg_hunt_rules **out, struct yg_err *err)
{
	struct yg_detect_builder *b = NULL;
	if (n == 0 || n > YG_HUNT_RULES_MAX)
		return YG_FAIL(err, YG_LIMIT, "1 to %u rules can be looked for at a time",
			       YG_HUNT_RULES_MAX);
	struct yg_hunt_rules *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "rules over the past");
	r->env = *env;
	yg_buf_init(&r->where, YG_HUNT_WHERE_MAX);
	yg_status st = yg_detect_builder_new(env, YG_DETECT_MEMORY, &b, err);
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		st = add(r, b, &texts[i], err);
		if (lenient && (st == YG_PARSE || st == YG_LIMIT))
			st = YG_OK;
	}
	if (st == YG_OK)
		st = end_where(r, err);
	if (st == YG_OK)
		st = yg_detect_builder_build(b, &r->engine, err);
	yg_detect_builder_free(b);
	if (st == YG_OK)
		st = yg_detect_eval_new(r->engine, &r->eval, err);
	if (st != YG_OK) {
		yg_hunt_rules_free(r);
		return st;
	}
	r->only = r->engine;
	*out = r;
	return YG_OK;
}

void yg_hunt_rules_only(struct yg_hunt_rules *r, const struct yg_detect *engine)
{
	r->only = engine;
}

void yg_hunt_rules_free(struct yg_hunt_rules *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < YG_LEN(r->views); i++)
		yg_detect_view_free(r->views[i]);
	yg_detect_eval_free(r->eval);
	yg_detect_free(r->engine);
	yg_buf_free(&r->where);
	free(r);
}

struct yg_sv yg_hunt_rules_where(const struct yg_hunt_rules *r)
{
	return yg_buf_sv(&r->where);
}

struct yg_detect_about yg_hunt_rules_about(const struct yg_hunt_rules *r, uint32_t rule)
{
	return yg_detect_about(r->engine, rule);
}

static void on_match(void *ctx, uint32_t rule)
{
	struct yg_hunt_rules *r = ctx;
	r->match(r->ctx,
		 &(struct yg_hunt_match){
			 .rule = rule, .event = r->event, .record = r->record, .eval = r->eval});
}

/* What the event came as; files of event logs are Windows events. */
static enum yg_source source_of(const struct yg_event *ev)
{
	enum yg_source source = YG_SOURCE_NONE;
	struct yg_sv mapping;
	if (yg_source_parse(ev->source, &source, &mapping, NULL) != YG_OK)
		return YG_SOURCE_NONE;
	return source == YG_SOURCE_EVTX ? YG_SOURCE_WINDOWS : source;
}

yg_status yg_hunt_record(struct yg_hunt_rules *r, const struct yg_event *ev,
			 struct yg_detect_record *out, struct yg_err *err)
{
	enum yg_source source = source_of(ev);
	struct yg_detect_view **view = &r->views[source];
	yg_status st = YG_OK;
	if (*view == NULL) {
		st = yg_detect_view_new(source, NULL, &r->env, view, err);
		if (st == YG_OK)
			yg_detect_view_only(*view, r->only);
	}
	return st == YG_OK ? yg_detect_view_make(*view, ev, out, err) : st;
}

yg_status yg_hunt_ask(struct yg_hunt_rules *r, const struct yg_event *ev, yg_hunt_match_fn *match,
		      void *ctx, struct yg_err *err)
{
	struct yg_detect_record record;
	yg_status st = yg_hunt_record(r, ev, &record, err);
	if (st != YG_OK)
		return st;
	r->match = match;
	r->ctx = ctx;
	r->event = ev;
	r->record = &record;
	yg_detect_run(r->eval, &record, on_match, r);
	r->event = NULL;
	r->record = NULL;
	return YG_OK;
}
