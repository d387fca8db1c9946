#include <stdlib.h>

#include "detect/hunt.h"
#include "detect/read.h"

#define RULE_ARENA ((size_t)256 << 20) /* one document, read */

/* ---- events as rules see them ---- */

void yg_hunt_views_free(struct yg_hunt_views *v)
{
	for (size_t i = 0; i < YG_LEN(v->of); i++) {
		yg_detect_view_free(v->of[i]);
		v->of[i] = NULL;
	}
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

yg_status yg_hunt_record(struct yg_hunt_views *v, const struct yg_event *ev,
			 struct yg_detect_record *out, struct yg_err *err)
{
	enum yg_source source = source_of(ev);
	struct yg_detect_view **view = &v->of[source];
	yg_status st = YG_OK;
	if (*view == NULL) {
		st = yg_detect_view_new(source, NULL, v->env, view, err);
		if (st == YG_OK)
			yg_detect_view_only(*view, v->engine);
	}
	return st == YG_OK ? yg_detect_view_make(*view, ev, out, err) : st;
}

/* ---- one rule ---- */

struct yg_hunt_rule {
	struct yg_env env;
	struct yg_detect *engine;
	struct yg_detect_eval *eval;
	struct yg_hunt_views views;
	struct yg_hunt_where *where;
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

/* The text's one document, which must be a rule. */
static yg_status add(struct yg_hunt_rule *r, struct yg_detect_builder *b, struct yg_sv text,
		     struct yg_err *err)
{
	static const char name[] = "rule";
	struct yg_arena arena;
	struct yg_sigma_file f = {0};
	struct told told = {""};
	yg_arena_init(&arena, RULE_ARENA);
	yg_status st = yg_sigma_read(text, name, on_refused, &told, &arena, &f, err);
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
		st = yg_detect_builder_add(b, &f.rules[0], YG_SV("rule"), NULL, 0, err);
	if (st == YG_OK)
		st = yg_hunt_where_add(r->where, &f.rules[0], err);
	yg_arena_free(&arena);
	return st;
}

yg_status yg_hunt_rule_new(const struct yg_env *env, struct yg_sv text, struct yg_hunt_rule **out,
			   struct yg_err *err)
{
	struct yg_detect_builder *b = NULL;
	struct yg_hunt_rule *r = calloc(1, sizeof *r);
	if (r == NULL)
		return YG_FAIL(err, YG_NOMEM, "a rule over the past");
	r->env = *env;
	yg_status st = yg_hunt_where_new(env, &r->where, err);
	if (st == YG_OK)
		st = yg_detect_builder_new(env, YG_DETECT_MEMORY, &b, err);
	if (st == YG_OK)
		st = add(r, b, text, err);
	if (st == YG_OK)
		st = yg_detect_builder_build(b, &r->engine, err);
	yg_detect_builder_free(b);
	if (st == YG_OK)
		st = yg_detect_eval_new(r->engine, &r->eval, err);
	if (st != YG_OK) {
		yg_hunt_rule_free(r);
		return st;
	}
	r->views = (struct yg_hunt_views){.env = &r->env, .engine = r->engine};
	*out = r;
	return YG_OK;
}

void yg_hunt_rule_free(struct yg_hunt_rule *r)
{
	if (r == NULL)
		return;
	yg_hunt_views_free(&r->views);
	yg_detect_eval_free(r->eval);
	yg_detect_free(r->engine);
	yg_hunt_where_free(r->where);
	free(r);
}

struct yg_sv yg_hunt_rule_where(const struct yg_hunt_rule *r)
{
	return yg_hunt_where_text(r->where);
}

struct yg_sv yg_hunt_rule_id(const struct yg_hunt_rule *r)
{
	return yg_detect_about(r->engine, 0).id;
}

static void on_match(void *ctx, uint32_t rule)
{
	struct yg_hunt_rule *r = ctx;
	r->match(r->ctx,
		 &(struct yg_hunt_match){
			 .rule = rule, .event = r->event, .record = r->record, .eval = r->eval});
}

yg_status yg_hunt_ask(struct yg_hunt_rule *r, const struct yg_event *ev, yg_hunt_match_fn *match,
		      void *ctx, struct yg_err *err)
{
	struct yg_detect_record record;
	yg_status st = yg_hunt_record(&r->views, ev, &record, err);
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
