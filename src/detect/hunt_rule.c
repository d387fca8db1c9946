#include "detect/hunt.h"
#include "detect/read.h"

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

/* What cannot be compiled is said before somebody looks for it. */
static yg_status compiles(const struct yg_env *env, const struct yg_sigma_rule *rule,
			  struct yg_err *err)
{
	struct yg_detect_builder *b = NULL;
	yg_status st = yg_detect_builder_new(env, YG_DETECT_MEMORY, &b, err);
	if (st == YG_OK)
		st = yg_detect_builder_add(b, rule, YG_SV("rule"), NULL, 0, err);
	yg_detect_builder_free(b);
	return st;
}

yg_status yg_hunt_rule_read(const struct yg_env *env, struct yg_sv text, struct yg_arena *arena,
			    struct yg_sigma_rule **out, struct yg_err *err)
{
	static const char name[] = "rule";
	struct yg_sigma_file f = {0};
	struct told told = {""};
	yg_status st = yg_sigma_read(text, name, on_refused, &told, arena, &f, err);
	if (st == YG_OK && f.refused > 0)
		st = YG_FAIL(err, YG_PARSE, "%s", told.text);
	if (st == YG_OK && f.count != 1)
		st = YG_FAIL(err, YG_PARSE, "%s:1: %s", name,
			     f.count == 0 ? "there is no rule" : "only one document is taken");
	if (st == YG_OK && f.rules[0].kind == YG_SIGMA_FILTER)
		st = YG_FAIL(err, YG_PARSE, "%s:%zu: a filter cannot be looked for in the past",
			     name, f.rules[0].line);
	if (st == YG_OK && f.rules[0].kind == YG_SIGMA_RULE)
		st = compiles(env, &f.rules[0], err);
	if (st == YG_OK)
		*out = &f.rules[0];
	return st;
}
