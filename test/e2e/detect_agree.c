/* Rules against records of logs: the engine and the naive evaluator say the same.  The engine is
 * asked as ingest asks it, of what its rules name alone; the naive one sees all of a record.  Usage:
 * detect_agree SOURCE EVERY [RULE.yml...] FILE...; a record of EVERY is asked of the rules given, or of
 * every published one. */
#define N_PCRE2 1
#include <stdio.h>
#include <stdlib.h>

#include "detect/engine.h"
#include "detect/published_test.h"
#include "detect/read.h"
#include "detect/view.h"
#include "event/normalize.h"
#include "sigma_naive.h"

#define RULES_MAX 8000
static struct yg_env_sim sim = {.seed = 9};
static struct yg_arena trees, scratch;
static struct yg_detect_builder *builder;
static struct {
	const struct yg_yaml *detection;
	struct yg_detect_logsource source;
	const char *name;
} rules[RULES_MAX];
static uint32_t rule_count;
static uint8_t got[RULES_MAX];
static unsigned long long pairs, hits, wrong, records;

static struct yg_sv text_at(const struct yg_yaml *source, const char *key)
{
	const struct yg_yaml *n = yg_yaml_get(source, key);
	return n != NULL ? n->text : YG_SV("");
}

/* Files of one document each; the others are for other tests. */
static void add(void *ctx, const char *name, struct yg_sv yaml)
{
	static const struct yg_yaml_limits limits = {YG_SIGMA_NODES_MAX, 16, 1};
	struct yg_sigma_file f = {NULL, 0, 0};
	const struct yg_yaml *doc = NULL;
	(void)ctx;
	yg_arena_reset(&scratch);
	if (rule_count == RULES_MAX ||
	    yg_sigma_read(yaml, name, NULL, NULL, &scratch, &f, NULL) != YG_OK || f.count != 1 ||
	    yg_detect_builder_add(builder, &f.rules[0], yg_sv_of(name), NULL, 0, NULL) != YG_OK)
		return;
	if (yg_yaml_read_documents(yaml, name, &limits, &trees, &doc, NULL) != YG_OK)
		abort();
	const struct yg_yaml *source = yg_yaml_get(doc, "logsource");
	rules[rule_count].detection = yg_yaml_get(doc, "detection");
	rules[rule_count].source = (struct yg_detect_logsource){text_at(source, "category"),
								text_at(source, "product"),
								text_at(source, "service")};
	rules[rule_count++].name = yg_arena_dup(&trees, yg_sv_of(name)).p;
}

static bool is_of(const struct yg_detect_logsource *want, const struct yg_detect_record *r)
{
	for (size_t i = 0; i < r->source_count; i++) {
		const struct yg_detect_logsource *have = &r->sources[i];
		if ((want->category.n == 0 || yg_sv_eq(want->category, have->category)) &&
		    (want->product.n == 0 || yg_sv_eq(want->product, have->product)) &&
		    (want->service.n == 0 || yg_sv_eq(want->service, have->service)))
			return true;
	}
	return false;
}

static void on_match(void *ctx, uint32_t rule)
{
	(void)ctx;
	got[rule]++;
}

static void compare(struct yg_detect_eval *e, const struct yg_detect_record *lean,
		    const struct yg_detect_record *r)
{
	memset(got, 0, sizeof got);
	yg_detect_run(e, lean, on_match, NULL);
	for (uint32_t i = 0; i < rule_count; i++) {
		bool of = is_of(&rules[i].source, r);
		bool want = of && naive_detection(rules[i].detection, r);
		pairs += of;
		hits += want;
		if (got[i] != want && wrong++ < 10)
			(void)printf("# %s: naive %d, engine %d: %.*s\n", rules[i].name, want,
				     got[i], (int)YG_MIN(r->raw.n, (size_t)2000), r->raw.p);
	}
}

static void ask(const struct yg_detect *d, enum yg_source source, struct yg_sv text,
		unsigned long long every)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_norm *norm = NULL;
	struct yg_detect_view *view = NULL, *all = NULL;
	struct yg_detect_eval *e = NULL;
	struct yg_event ev;
	struct yg_detect_record lean, r;
	if (yg_norm_new(source, NULL, &norm, NULL) != YG_OK ||
	    yg_detect_view_new(source, NULL, &env, &view, NULL) != YG_OK ||
	    yg_detect_view_new(source, NULL, &env, &all, NULL) != YG_OK ||
	    yg_detect_eval_new(d, &e, NULL) != YG_OK)
		abort();
	yg_detect_view_only(view, d);
	yg_detect_view_follow(view, norm);
	yg_norm_begin(norm, text, (yg_wall){0}, false);
	while (yg_norm_next(norm, &ev)) {
		if (records++ % every != 0)
			continue;
		if (yg_detect_view_make(view, &ev, &lean, NULL) != YG_OK ||
		    yg_detect_view_make(all, &ev, &r, NULL) != YG_OK)
			abort();
		compare(e, &lean, &r);
	}
	yg_detect_eval_free(e);
	yg_detect_view_free(view);
	yg_detect_view_free(all);
	yg_norm_free(norm);
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
		abort();
	(void)fclose(f);
}

static void ask_file(const struct yg_detect *d, enum yg_source source, const char *name,
		     unsigned long long every)
{
	struct yg_buf text;
	read_file(name, &text);
	ask(d, source, yg_buf_sv(&text), every);
	yg_buf_free(&text);
}

/* How many of the arguments they were; 0: the published ones are taken. */
static int add_all(int argc, char **argv)
{
	struct yg_buf text;
	int n = 0;
	for (; n < argc && yg_sv_ends(yg_sv_of(argv[n]), YG_SV(".yml")); n++) {
		uint32_t before = rule_count;
		read_file(argv[n], &text);
		add(NULL, argv[n], yg_buf_sv(&text));
		yg_buf_free(&text);
		if (rule_count == before)
			return -1;
	}
	if (n == 0 && !published_open(&text))
		return -1;
	if (n == 0) {
		(void)published_each(yg_buf_sv(&text), add, NULL);
		yg_buf_free(&text);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_detect *d = NULL;
	enum yg_source source;
	struct yg_sv mapping;
	if (argc < 4 || yg_source_parse(yg_sv_of(argv[1]), &source, &mapping, NULL) != YG_OK)
		return 2;
	yg_arena_init(&trees, (size_t)1 << 30);
	yg_arena_init(&scratch, (size_t)256 << 20);
	if (yg_detect_builder_new(&env, YG_DETECT_MEMORY, &builder, NULL) != YG_OK)
		return 2;
	int own = add_all(argc - 3, argv + 3);
	if (own < 0 || yg_detect_builder_build(builder, &d, NULL) != YG_OK)
		return 2;
	for (int i = 3 + own; i < argc; i++)
		ask_file(d, source, argv[i], YG_MAX(strtoull(argv[2], NULL, 10), 1ULL));
	(void)printf("# %u rules, %llu records, %llu pairs, %llu match, %llu differ\n", rule_count,
		     records, pairs, hits, wrong);
	yg_detect_free(d);
	yg_detect_builder_free(builder);
	yg_arena_free(&trees);
	yg_arena_free(&scratch);
	n_regex_end();
	return wrong > 0 ? 1 : 0;
}
