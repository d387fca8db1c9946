#include "cmd/detect_correlate.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/print.h"
#include "detect/correlate.h"
#include "format/json.h"

#define LINE_BYTES 1048576
/* Files stand in no order: events wait until all are read, or until there is no room. */
#define WAIT_DAYS  366
#define PENDING    1000000
#define MEMORY     ((size_t)512 << 20)

struct yg_correlating {
	const struct yg_cli *cli;
	const struct yg_rule_correlations *rules; /* borrowed */
	struct yg_rule_counts *counts;            /* borrowed; while it is made */
	struct yg_sigma_rule *stubs;              /* owned: ids and names of the engine's rules */
	const struct yg_sigma_rule **list;        /* owned: they, then the correlations */
	size_t rule_count;                        /* of the engine */
	struct yg_correlate *state;               /* owned */
	struct yg_buf line;                       /* owned */
	yg_correlating_fn *told;                  /* NULL: it is printed */
	void *ctx;
	uint64_t hits;
	bool nomem;
};

void yg_correlating_free(struct yg_correlating *c)
{
	if (c == NULL)
		return;
	yg_correlate_free(c->state);
	yg_buf_free(&c->line);
	free(c->stubs);
	free(c->list);
	free(c);
}

static void on_refused(void *ctx, uint32_t rule, const char *reason)
{
	struct yg_correlating *c = ctx;
	size_t i = rule - c->rule_count;
	c->counts->refused++;
	c->counts->correlations--;
	if (c->told == NULL)
		(void)fprintf(stderr, "%s:%zu: refused: %s\n", c->rules->files[i],
			      c->rules->rules[i]->line, reason);
}

yg_status yg_correlating_new(const struct yg_cli *cli, const struct yg_detect *engine,
			     const struct yg_rule_correlations *rules,
			     struct yg_rule_counts *counts, yg_correlating_fn *told, void *ctx,
			     struct yg_correlating **out, struct yg_err *err)
{
	struct yg_correlate_opts opts = yg_correlate_defaults();
	size_t n = yg_detect_rule_count(engine);
	*out = NULL;
	if (rules->count == 0)
		return YG_OK;
	struct yg_correlating *c = calloc(1, sizeof *c);
	if (c == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for correlations");
	yg_buf_init(&c->line, LINE_BYTES);
	c->cli = cli;
	c->rules = rules;
	c->counts = counts;
	c->told = told;
	c->ctx = ctx;
	c->rule_count = n;
	c->stubs = calloc(n + 1, sizeof *c->stubs);
	c->list = calloc(n + rules->count, sizeof(void *));
	yg_status st = c->stubs != NULL && c->list != NULL
			       ? YG_OK
			       : YG_FAIL(err, YG_NOMEM, "no memory for correlations");
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		const struct yg_detect_about about = yg_detect_about(engine, (uint32_t)i);
		c->stubs[i].kind = YG_SIGMA_RULE;
		c->stubs[i].id = about.id;
		c->stubs[i].name = about.name;
		c->list[i] = &c->stubs[i];
	}
	for (size_t i = 0; st == YG_OK && i < rules->count; i++)
		c->list[n + i] = rules->rules[i];
	opts.lateness.us = WAIT_DAYS * YG_US_PER_DAY;
	opts.pending = PENDING;
	opts.memory = MEMORY;
	if (st == YG_OK)
		st = yg_correlate_new(c->list, n + rules->count, &opts, yg_cli_env(cli), on_refused,
				      c, &c->state, err);
	if (st != YG_OK || yg_correlate_count(c->state) == 0) {
		yg_correlating_free(c);
		return st;
	}
	*out = c;
	return YG_OK;
}

/* ---- what holds ---- */

static void put_member(struct yg_buf *b, const char *name, struct yg_sv value)
{
	yg_buf_printf(b, "\"%s\":", name);
	yg_json_put_str(b, value);
	yg_buf_putc(b, ',');
}

static void put_time(struct yg_buf *b, const char *name, yg_wall time)
{
	char text[40];
	struct yg_sb t = yg_sb_init(text, sizeof text);
	yg_time_format(&t, time);
	put_member(b, name, yg_sb_sv(&t));
}

static void put_json(struct yg_correlating *c, const struct yg_correlate_hit *h)
{
	struct yg_buf *b = &c->line;
	const struct yg_sigma_rule *rule = c->list[h->rule];
	yg_buf_putc(b, '{');
	put_member(b, "rule", rule->id);
	put_member(b, "title", rule->title);
	put_member(b, "level", yg_sv_of(yg_rule_level_name(rule->level)));
	put_member(b, "rule_file", yg_sv_of(c->rules->files[h->rule - c->rule_count]));
	yg_buf_put(b, YG_SV("\"correlation\":true,"));
	put_time(b, "time", h->time);
	put_time(b, "first", h->first);
	put_time(b, "last", h->last);
	yg_buf_printf(b, "\"value\":%.15g,\"group\":{", h->value);
	for (size_t i = 0; i < h->group_count; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		yg_json_put_str(b, h->names[i]);
		yg_buf_putc(b, ':');
		yg_json_put_str(b, h->values[i]);
	}
	yg_buf_put(b, YG_SV("},\"records\":["));
	for (size_t i = 0; i < h->id_count; i++) {
		yg_buf_printf(b, "%s{\"file\":", i > 0 ? "," : "");
		yg_json_put_str(b, yg_sv_of(yg_cli_arg(c->cli, h->ids[i][0])));
		yg_buf_printf(b, ",\"record\":%llu}", (unsigned long long)h->ids[i][1]);
	}
	yg_buf_put(b, YG_SV("]}\n"));
}

static void put_text(struct yg_correlating *c, const struct yg_correlate_hit *h)
{
	char safe[2048];
	struct yg_sb s = yg_sb_init(safe, sizeof safe);
	const struct yg_sigma_rule *rule = c->list[h->rule];
	if (h->id_count > 0)
		yg_buf_printf(&c->line, "%s:%llu: ", yg_cli_arg(c->cli, h->ids[h->id_count - 1][0]),
			      (unsigned long long)h->ids[h->id_count - 1][1]);
	yg_sb_put_untrusted(&s, yg_sv_sub(rule->title, 0, 200));
	for (size_t i = 0; i < h->group_count; i++) {
		yg_sb_put(&s, YG_SV("  "));
		yg_sb_put_untrusted(&s, yg_sv_sub(h->names[i], 0, 60));
		yg_sb_putc(&s, '=');
		yg_sb_put_untrusted(&s, yg_sv_sub(h->values[i], 0, 100));
	}
	yg_buf_printf(&c->line, "%s: %s  value=%.15g\n", yg_rule_level_name(rule->level),
		      yg_sb_cstr(&s), h->value);
}

static bool on_hit(void *ctx, const struct yg_correlate_hit *h)
{
	struct yg_correlating *c = ctx;
	if (h->silent)
		return true;
	c->hits++;
	if (c->told != NULL) {
		c->told(c->ctx, c->rules->files[h->rule - c->rule_count], c->list[h->rule]);
		return true;
	}
	c->line.n = 0;
	c->line.bad = false;
	if (yg_cli_json(c->cli))
		put_json(c, h);
	else
		put_text(c, h);
	(void)fwrite(c->line.p, 1, c->line.n, stdout);
	return true;
}

/* ---- matches in ---- */

static bool field_of(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	return yg_detect_value(ctx, field, out);
}

bool yg_correlating_take(struct yg_correlating *c, const struct yg_ask_hit *hit, size_t file)
{
	const struct yg_correlate_event ev = {.time = {hit->event->time},
					      .id = {file, hit->record},
					      .field = field_of,
					      .ctx = (void *)(uintptr_t)hit->event};
	if (yg_correlate_event(c->state, hit->rule, &ev, on_hit, c) != YG_OK)
		c->nomem = true;
	return yg_correlate_tells(c->state, hit->rule);
}

yg_status yg_correlating_end(struct yg_correlating *c, struct yg_err *err)
{
	struct yg_correlate_counts sum = {0}, one;
	if (yg_correlate_flush(c->state, on_hit, c) != YG_OK)
		c->nomem = true;
	for (size_t i = c->rule_count; i < c->rule_count + c->rules->count; i++) {
		if (!yg_correlate_counts(c->state, (uint32_t)i, &one))
			continue;
#define X(name, meaning) sum.name += one.name;
		YG_CORRELATE_COUNTERS(X)
#undef X
	}
	if (c->told != NULL)
		return c->nomem ? YG_FAIL(err, YG_NOMEM, "no memory for the events of correlations")
				: YG_OK;
	yg_note(c->cli, "%llu hits of correlations\n", (unsigned long long)c->hits);
#define X(name, meaning)                                                                           \
	if (sum.name > 0 && &sum.name != &sum.events && &sum.name != &sum.hits)                    \
		yg_note(c->cli, "correlations: %llu %s\n", (unsigned long long)sum.name, meaning);
	YG_CORRELATE_COUNTERS(X)
#undef X
	return c->nomem ? YG_FAIL(err, YG_NOMEM, "no memory for all events of correlations")
			: YG_OK;
}
