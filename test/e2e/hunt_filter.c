/* What rules match among stored events: live, over all rows again, over the rows that the
 * condition of each rule lets through, and over those that the condition of many rules
 * together does.  All must be the same.
 *
 * usage: hunt_filter STORE_URL EVERY RULES_FILE SOURCE:FILE...
 * RULES_FILE: rules beside the published ones, as documents of one file.  A record of EVERY
 * is taken. */
#include "detect/hunt_filter.h"

#include <stdio.h>
#include <stdlib.h>

#include "detect/hunt.h"
#include "detect/published_test.h"
#include "detect/read.h"
#include "event/normalize.h"
#include "os/env.h"

#define RULES_MAX 8000
#define TOGETHER  24 /* rules whose conditions are joined */
static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;
static struct yg_arena trees, scratch;
static struct yg_detect_builder *builder;
static struct rule {
	const char *name;
	struct yg_sv where;
	bool own;
	struct bits {
		uint64_t *of; /* a bit per row */
		uint64_t count;
	} live, again, asked;
} rules[RULES_MAX];
static struct yg_hunt_where *together[RULES_MAX / TOGETHER + 1], *whole;
static uint32_t rule_count;
static uint64_t rows, row_cap = 1u << 20;
static struct yg_detect_eval *eval;
static struct yg_detect_view *views[YG_SOURCE_COUNT];
static struct yg_ch *ch;

static void die(const char *what)
{
	(void)fprintf(stderr, "hunt_filter: %s: %s\n", what, err.msg);
	exit(2);
}

static void set(struct bits *b, uint64_t row)
{
	if (b->of == NULL)
		b->of = calloc(row_cap / 64, sizeof *b->of);
	if (b->of == NULL || row >= row_cap)
		die("rows");
	b->count += (b->of[row / 64] >> (row % 64) & 1) == 0;
	b->of[row / 64] |= (uint64_t)1 << (row % 64);
}

static bool has(const struct bits *b, uint64_t row)
{
	return b->of != NULL && (b->of[row / 64] >> (row % 64) & 1) != 0;
}

static void add_rule(const struct yg_sigma_rule *r, const char *name, bool own)
{
	struct yg_buf sql;
	if (rule_count == RULES_MAX || r->kind != YG_SIGMA_RULE ||
	    yg_detect_builder_add(builder, r, yg_sv_of(name), NULL, 0, NULL) != YG_OK)
		return;
	yg_buf_init(&sql, YG_HUNT_FILTER_MAX * 2);
	if (yg_hunt_filter(r, &sql, &err) != YG_OK)
		die("a condition");
	struct yg_hunt_where **group = &together[rule_count / TOGETHER];
	if ((*group == NULL && yg_hunt_where_new(&env, group, &err) != YG_OK) ||
	    (whole == NULL && yg_hunt_where_new(&env, &whole, &err) != YG_OK) ||
	    yg_hunt_where_add(*group, r, &err) != YG_OK ||
	    yg_hunt_where_add(whole, r, &err) != YG_OK)
		die("a condition of many");
	char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, yg_sv_sub(r->title, 0, 200));
	yg_sb_putc(&b, '\0');
	rules[rule_count++] = (struct rule){.name = yg_arena_dup(&trees, yg_sb_sv(&b)).p,
					    .where = yg_arena_dup(&trees, yg_buf_sv(&sql)),
					    .own = own};
	yg_buf_free(&sql);
}

static void add(void *ctx, const char *name, struct yg_sv yaml)
{
	struct yg_sigma_file f = {NULL, 0, 0};
	yg_arena_reset(&scratch);
	if (yg_sigma_read(yaml, name, NULL, NULL, &scratch, &f, NULL) != YG_OK)
		return;
	if (ctx != NULL && f.refused > 0)
		die("a rule of its own");
	for (size_t i = 0; i < f.count; i++)
		add_rule(&f.rules[i], name, ctx != NULL);
}

static void read_file(const char *name, struct yg_buf *text)
{
	FILE *f = fopen(name, "rb");
	yg_buf_init(text, (size_t)256 << 20);
	for (char *to; f != NULL && (to = yg_buf_room(text, 1 << 20)) != NULL;) {
		size_t n = fread(to, 1, 1 << 20, f);
		text->n += n;
		if (n == 0)
			break;
	}
	if (f == NULL)
		die(name);
	(void)fclose(f);
}

static void on_live(void *ctx, uint32_t rule)
{
	set(&rules[rule].live, *(const uint64_t *)ctx);
}

/* A row's number is its batch. */
static void store(enum yg_source source, const char *name, uint64_t every)
{
	struct yg_norm *norm = NULL;
	struct yg_buf text, out;
	struct yg_event ev;
	struct yg_detect_record record;
	uint64_t n = 0;
	read_file(name, &text);
	yg_buf_init(&out, (size_t)256 << 20);
	if (yg_norm_new(source, NULL, &norm, &err) != YG_OK ||
	    (views[source] == NULL &&
	     yg_detect_view_new(source, NULL, &env, &views[source], &err) != YG_OK))
		die(name);
	yg_norm_begin(norm, yg_buf_sv(&text), (yg_wall){1700000000000000}, false);
	while (yg_norm_next(norm, &ev)) {
		if (n++ % every != 0)
			continue;
		ev.org = YG_SV("alpha");
		ev.source = yg_sv_of(yg_source_name(source));
		ev.sensor = YG_SV("x");
		ev.received = 1700000000000000;
		ev.day = 20231114;
		ev.spool = 1;
		ev.batch = rows;
		ev.row = 0;
		if (yg_detect_view_make(views[source], &ev, &record, &err) != YG_OK)
			die(name);
		yg_detect_run(eval, &record, on_live, &rows);
		yg_event_row(&ev, &out);
		rows++;
	}
	if (out.bad ||
	    (out.n > 0 && yg_event_table_insert(ch, NULL, yg_buf_sv(&out), &err) != YG_OK))
		die(name);
	yg_norm_free(norm);
	yg_buf_free(&text);
	yg_buf_free(&out);
}

static void on_again(void *ctx, uint32_t rule)
{
	set(&rules[rule].again, *(const uint64_t *)ctx);
}

static yg_status ask_all(void *ctx, const struct yg_event *ev, struct yg_err *e)
{
	enum yg_source source;
	struct yg_sv mapping;
	struct yg_detect_record record;
	(void)ctx;
	if (yg_source_parse(ev->source, &source, &mapping, e) != YG_OK ||
	    yg_detect_view_make(views[source], ev, &record, e) != YG_OK)
		die("a row");
	yg_detect_run(eval, &record, on_again, (void *)(uintptr_t)&ev->batch);
	return YG_OK;
}

static yg_status note(void *ctx, const struct yg_event *ev, struct yg_err *e)
{
	(void)e;
	set(ctx, ev->batch);
	return YG_OK;
}

static uint64_t scan(struct yg_sv where, yg_hunt_row_fn *row, void *ctx)
{
	const struct yg_sv org = YG_SV("alpha");
	struct yg_hunt_scan s = {
		.orgs = &org, .org_count = 1, .from = 0, .to = INT64_C(4000000000000000)};
	while (!s.done) {
		char text[YG_HUNT_PLACE_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		if (yg_hunt_next(ch, where, &s, &env, row, ctx, &err) != YG_OK)
			die("a slice");
		if (s.done)
			break;
		/* each goes on from its place as it is kept */
		struct yg_hunt_scan again = {
			.orgs = &org, .org_count = 1, .from = s.from, .to = s.to, .rows = s.rows};
		yg_hunt_place_put(&s, &b);
		if (yg_hunt_place_get(yg_sb_sv(&b), &again, &err) != YG_OK)
			die("a place");
		s = again;
	}
	return s.rows;
}

/* Matches that the other has not. */
static uint64_t missing(const struct rule *r, const struct bits *a, const struct bits *b,
			const char *what)
{
	uint64_t n = 0;
	for (uint64_t i = 0; a->of != NULL && i < rows; i++)
		if (has(a, i) && !has(b, i) && n++ == 0)
			(void)printf("# %s: row %llu, %s: %.*s\n", r->name, (unsigned long long)i,
				     what, (int)YG_MIN(r->where.n, (size_t)600), r->where.p);
	return n;
}

/* Rules [from, to) by their joined condition; how many of the matches it leaves out. */
static uint64_t joined(const struct yg_hunt_where *w, uint32_t from, uint32_t to, uint64_t *given)
{
	const struct yg_sv where = yg_hunt_where_text(w);
	struct bits let = {.of = NULL};
	uint64_t wrong = 0;
	*given = scan(where, note, &let);
	for (uint32_t i = from; i < to; i++) {
		const struct rule of = {.name = rules[i].name, .where = where};
		wrong += missing(&of, &rules[i].live, &let, "not by the condition of many");
	}
	free(let.of);
	return wrong;
}

/* Of a group in which no rule matches a row, nothing could be missing. */
static bool any_matches(uint32_t from, uint32_t to)
{
	bool any = false;
	for (uint32_t i = from; i < to; i++)
		any |= rules[i].live.count > 0;
	return any;
}

/* Some at a time, every group that can leave something out; then all. */
static uint64_t all_joined(void)
{
	uint64_t wrong = 0, given, of = 0, let = 0, said = 0, groups = 0;
	for (uint32_t i = 0; i < rule_count; i += TOGETHER) {
		const struct yg_hunt_where *w = together[i / TOGETHER];
		uint32_t to = YG_MIN(i + TOGETHER, rule_count);
		if (!any_matches(i, to))
			continue;
		groups++;
		wrong += joined(w, i, to, &given);
		said += !YG_SV_IS(yg_hunt_where_text(w), "1");
		let += given;
		of += rows;
	}
	wrong += joined(whole, 0, rule_count, &given);
	(void)printf("# %llu joined conditions, %llu of them say something and let %.2f %% through;"
		     " that of all has %zu bytes and lets %.2f %% through\n",
		     (unsigned long long)groups, (unsigned long long)said,
		     of > 0 ? 100.0 * (double)let / (double)of : 0.0, yg_hunt_where_text(whole).n,
		     rows > 0 ? 100.0 * (double)given / (double)rows : 0.0);
	return wrong + (said == 0);
}

int main(int argc, char **argv)
{
	struct yg_buf tar, own;
	struct yg_detect *d = NULL;
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	uint64_t every, matched = 0, wrong = 0, given = 0, of = 0, none = 0, mine = 0;
	if (argc < 5 || yg_parse_u64(yg_sv_of(argv[2]), &every, &err) != YG_OK || every == 0)
		return 2;
	env = yg_env_real(&real, "test", 0);
	yg_arena_init(&trees, (size_t)1 << 30);
	yg_arena_init(&scratch, (size_t)256 << 20);
	if (yg_detect_builder_new(&env, YG_DETECT_MEMORY, &builder, &err) != YG_OK)
		die("rules");
	read_file(argv[3], &own);
	add(&own, argv[3], yg_buf_sv(&own));
	yg_buf_free(&own);
	if (published_open(&tar)) { /* else its own alone */
		(void)published_each(yg_buf_sv(&tar), add, NULL);
		yg_buf_free(&tar);
	}
	if (yg_detect_builder_build(builder, &d, &err) != YG_OK ||
	    yg_detect_eval_new(d, &eval, &err) != YG_OK || yg_ch_open(&conf, &ch, &err) != YG_OK ||
	    yg_event_table_ensure(ch, &err) != YG_OK)
		die("the store");
	for (int i = 4; i < argc; i++) {
		enum yg_source source = YG_SOURCE_NONE;
		struct yg_sv mapping, file = yg_sv_of(argv[i]), name;
		if (!yg_sv_cut(&file, ':', &name) ||
		    yg_source_parse(name, &source, &mapping, &err) != YG_OK)
			die(argv[i]);
		store(source, file.p, strstr(file.p, "own") != NULL ? 1 : every);
	}
	uint64_t all = scan(YG_SV("1"), ask_all, NULL);
	if (all != rows)
		wrong++;
	for (uint32_t i = 0; i < rule_count; i++) {
		struct rule *r = &rules[i];
		none += YG_SV_IS(r->where, "0");
		wrong += missing(r, &r->live, &r->again, "not over all rows again") +
			 missing(r, &r->again, &r->live, "over all rows again, not live");
		if (r->live.count == 0 && !r->own)
			continue;
		matched++;
		if (r->own && r->live.count == 0 && wrong++ < 100)
			(void)printf("# %s matches nothing\n", r->name);
		mine += r->own;
		uint64_t n = scan(r->where, note, &r->asked);
		given += n;
		of += rows;
		wrong += missing(r, &r->live, &r->asked, "not by its condition");
		if (r->own && n > rows / 2)
			(void)printf("# %s: its condition says nothing: %.*s\n", r->name,
				     (int)YG_MIN(r->where.n, (size_t)600), r->where.p);
	}
	wrong += all_joined();
	(void)printf(
		"# %u rules, %llu of them for no log source; %llu rows (%llu read again);"
		" %llu rules match (%llu of the test's own), their conditions let %.2f %% through;"
		" %llu wrong\n",
		rule_count, (unsigned long long)none, (unsigned long long)rows,
		(unsigned long long)all, (unsigned long long)matched, (unsigned long long)mine,
		of > 0 ? 100.0 * (double)given / (double)of : 0.0, (unsigned long long)wrong);
	return wrong > 0 ? 1 : 0;
}
