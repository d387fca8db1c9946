/* Runs the cases of test/replay/correlate; the words of a case are explained in its
 * README.md.  Every case runs twice: as it is, and saved and restored behind each line. */
#include "detect/correlate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/read.h"
#include "tap.h"

#define T0         INT64_C(1700000000000000)
#define RULES      24
#define HITS       256
#define LINES      400
#define BASE_RULES "abcdefgh"

struct line {
	unsigned number;
	struct yg_sv text;
};
static struct {
	struct yg_arena arena;
	const struct yg_sigma_rule *rules[RULES];
	size_t rule_count;
	char yaml[32768];
	struct yg_sb yaml_text;
	struct yg_correlate_opts opts;
	struct yg_correlate *c;
	char refused[RULES][400];
	char hits[HITS][400];
	size_t hit_first, hit_count;
	uint64_t events;
	const char *file;
	unsigned line, bad, saves;
	bool save_always;
} world;

static void wrong(const char *what, struct yg_sv s)
{
	(void)printf("# %s:%u: %s: %.*s\n", world.file, world.line, what, YG_SV_ARG(s));
	world.bad++;
}

/* ---- words ---- */

static bool word(struct yg_sv *rest, struct yg_sv *out)
{
	*rest = yg_sv_trim(*rest);
	return rest->n > 0 && yg_sv_cut(rest, ' ', out);
}

/* "key=value" among the words. */
static bool option(struct yg_sv line, const char *key, struct yg_sv *out)
{
	struct yg_sv w, k = yg_sv_of(key);
	while (word(&line, &w)) {
		if (!yg_sv_starts(w, k) || (w.n > k.n && w.p[k.n] != '='))
			continue;
		*out = w.n > k.n ? yg_sv_sub(w, k.n + 1, w.n) : YG_SV("");
		return true;
	}
	return false;
}

/* "12.5": seconds, as microseconds. */
static int64_t seconds(struct yg_sv s)
{
	struct yg_sv whole = s, part = YG_SV("");
	uint64_t a = 0, b = 0;
	size_t dot = yg_sv_find(s, '.', 0);
	if (dot < s.n) {
		whole = yg_sv_sub(s, 0, dot);
		part = yg_sv_sub(s, dot + 1, s.n);
	}
	if (yg_parse_u64(whole, &a, NULL) != YG_OK ||
	    (part.n > 0 && yg_parse_u64(part, &b, NULL) != YG_OK))
		wrong("no time", s);
	for (size_t i = part.n; i < 6; i++)
		b *= 10;
	return (int64_t)(a * 1000000 + b);
}

static uint64_t number(struct yg_sv line, const char *key, uint64_t dflt)
{
	struct yg_sv v;
	uint64_t n = dflt;
	if (option(line, key, &v) && yg_parse_u64(v, &n, NULL) != YG_OK)
		wrong("no number", v);
	return n;
}

/* ---- the rules of a case ---- */

/* NAME TYPE RULES by=F,G span=S gte=N ... field=F percentile=P generate alias=n:rule:field */
static void add_correlation(struct yg_sv line)
{
	static const char *const compares[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
	struct yg_sb *b = &world.yaml_text;
	struct yg_sv name = {"", 0}, type = name, rules = name, v, one, rest = line;
	if (!word(&rest, &name) || !word(&rest, &type) || !word(&rest, &rules))
		wrong("NAME TYPE RULES", line);
	yg_sb_printf(b,
		     "---\ntitle: %.*s\nname: %.*s\ncorrelation:\n  type: %.*s\n"
		     "  rules: [%.*s]\n",
		     YG_SV_ARG(name), YG_SV_ARG(name), YG_SV_ARG(type), YG_SV_ARG(rules));
	if (option(rest, "by", &v))
		yg_sb_printf(b, "  group-by: [%.*s]\n", YG_SV_ARG(v));
	if (option(rest, "span", &v))
		yg_sb_printf(b, "  timespan: %.*s\n", YG_SV_ARG(v));
	if (option(rest, "generate", &v))
		yg_sb_printf(b, "  generate: true\n");
	if (option(rest, "alias", &v)) {
		yg_sb_printf(b, "  aliases:\n");
		while (yg_sv_cut(&v, ',', &one)) { /* n:rule/field;rule/field */
			struct yg_sv alias = yg_sv_sub(one, 0, yg_sv_find(one, ':', 0)), pair;
			yg_sb_printf(b, "    %.*s:\n", YG_SV_ARG(alias));
			one = yg_sv_sub(one, alias.n + 1, one.n);
			while (yg_sv_cut(&one, ';', &pair)) {
				size_t at = yg_sv_find(pair, '/', 0);
				yg_sb_printf(b, "      %.*s: %.*s\n",
					     YG_SV_ARG(yg_sv_sub(pair, 0, at)),
					     YG_SV_ARG(yg_sv_sub(pair, at + 1, pair.n)));
			}
		}
	}
	bool condition = false;
	for (size_t i = 0; i < YG_LEN(compares); i++)
		if (option(rest, compares[i], &v)) {
			yg_sb_printf(b, "%s    %s: %.*s\n", condition ? "" : "  condition:\n",
				     compares[i], YG_SV_ARG(v));
			condition = true;
		}
	if (option(rest, "field", &v))
		yg_sb_printf(b, "    field: [%.*s]\n", YG_SV_ARG(v));
	if (option(rest, "percentile", &v))
		yg_sb_printf(b, "    percentile: %.*s\n", YG_SV_ARG(v));
}

static void on_document(void *ctx, const char *file, size_t line, const char *reason)
{
	(void)ctx;
	(void)file;
	(void)line;
	wrong("refused by the reader", yg_sv_of(reason));
}

static void on_refused(void *ctx, uint32_t rule, const char *reason)
{
	(void)ctx;
	(void)snprintf(world.refused[rule], sizeof world.refused[rule], "%s", reason);
}

static struct yg_correlate *make(void)
{
	static struct yg_env_sim sim = {.seed = 7};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_correlate *c = NULL;
	if (yg_correlate_new(world.rules, world.rule_count, &world.opts, &env, on_refused, NULL, &c,
			     NULL) != YG_OK)
		abort();
	return c;
}

static void build(void)
{
	struct yg_sigma_file f;
	struct yg_err err = {.msg = ""};
	if (world.c != NULL)
		return;
	if (yg_sigma_read(yg_sb_sv(&world.yaml_text), "case", on_document, NULL, &world.arena, &f,
			  &err) != YG_OK) {
		wrong("not read", yg_sv_of(err.msg));
		return;
	}
	for (size_t i = 0; i < f.count && world.rule_count < RULES; i++)
		world.rules[world.rule_count++] = &f.rules[i];
	memset(world.refused, 0, sizeof world.refused);
	world.c = make();
}

static uint32_t rule_of(struct yg_sv name)
{
	for (uint32_t i = 0; i < world.rule_count; i++)
		if (yg_sv_eq(world.rules[i]->name, name))
			return i;
	wrong("no such rule", name);
	return 0;
}

static void begin_case(void)
{
	static struct yg_sigma_rule base[sizeof BASE_RULES - 1];
	static const char names[] = BASE_RULES;
	yg_correlate_free(world.c);
	world.c = NULL;
	yg_arena_reset(&world.arena);
	world.rule_count = 0;
	for (size_t i = 0; i < YG_LEN(base); i++) {
		base[i] = (struct yg_sigma_rule){.kind = YG_SIGMA_RULE, .name = {names + i, 1}};
		world.rules[world.rule_count++] = &base[i];
	}
	world.yaml_text = yg_sb_init(world.yaml, sizeof world.yaml);
	world.opts = yg_correlate_defaults();
	world.opts.lateness = YG_SECONDS(10);
	world.hit_first = 0;
	world.hit_count = 0;
	world.events = 0;
}

/* ---- events and hits ---- */

static void put_seconds(struct yg_sb *b, int64_t us)
{
	us -= T0;
	yg_sb_i64(b, us / 1000000);
	if (us % 1000000 != 0) {
		char text[16];
		(void)snprintf(text, sizeof text, ".%06d", (int)(us % 1000000));
		size_t n = strlen(text);
		while (text[n - 1] == '0')
			n--;
		yg_sb_put(b, (struct yg_sv){text, n});
	}
}

/* TIME NAME VALUE group first..last ids=... silent */
static bool on_hit(void *ctx, const struct yg_correlate_hit *h)
{
	(void)ctx;
	if (world.hit_count == HITS) {
		wrong("too many hits", YG_SV(""));
		return true;
	}
	struct yg_sb b =
		yg_sb_init(world.hits[world.hit_count], sizeof world.hits[world.hit_count]);
	world.hit_count++;
	put_seconds(&b, h->time.us);
	yg_sb_putc(&b, ' ');
	yg_sb_put(&b, world.rules[h->rule]->name);
	yg_sb_printf(&b, " %.12g ", h->value);
	for (size_t i = 0; i < h->group_count; i++) {
		yg_sb_printf(&b, "%s%.*s=", i > 0 ? "," : "", YG_SV_ARG(h->names[i]));
		yg_sb_put(&b, h->values[i]);
	}
	if (h->group_count == 0)
		yg_sb_putc(&b, '-');
	yg_sb_putc(&b, ' ');
	put_seconds(&b, h->first.us);
	yg_sb_put(&b, YG_SV(".."));
	put_seconds(&b, h->last.us);
	yg_sb_put(&b, YG_SV(" ids="));
	for (size_t i = 0; i < h->id_count; i++)
		yg_sb_printf(&b, "%s%llu", i > 0 ? "," : "", (unsigned long long)h->ids[i][1]);
	if (h->silent)
		yg_sb_put(&b, YG_SV(" silent"));
	(void)yg_sb_cstr(&b);
	return true;
}

static bool field_of(void *ctx, struct yg_sv field, struct yg_sv *out)
{
	char key[64];
	(void)snprintf(key, sizeof key, "%.*s", YG_SV_ARG(field));
	return option(*(struct yg_sv *)ctx, key, out);
}

/* at TIME[..TIME] RULE[,RULE] fields [arrived=TIME] [times=N]; a range: one each second */
static void send(struct yg_sv line)
{
	struct yg_sv when, rules, rest = line, v;
	if (!word(&rest, &when) || !word(&rest, &rules))
		wrong("TIME RULES", line);
	size_t dots = 0;
	while (dots + 1 < when.n && !(when.p[dots] == '.' && when.p[dots + 1] == '.'))
		dots++;
	bool range = dots + 1 < when.n;
	int64_t from = seconds(range ? yg_sv_sub(when, 0, dots) : when);
	int64_t to = range ? seconds(yg_sv_sub(when, dots + 2, when.n)) : from;
	uint64_t times = number(rest, "times", 1);
	for (; from <= to; from += 1000000)
		for (uint64_t n = 0; n < times; n++) {
			struct yg_sv each = rules, one;
			struct yg_correlate_event ev = {.time = {T0 + from},
							.id = {0, ++world.events},
							.field = field_of,
							.ctx = &rest};
			if (option(rest, "arrived", &v))
				ev.arrived.us = T0 + seconds(v);
			while (yg_sv_cut(&each, ',', &one))
				if (yg_correlate_event(world.c, rule_of(one), &ev, on_hit, NULL) !=
				    YG_OK)
					wrong("refused", line);
		}
}

static void expect(struct yg_sv line)
{
	struct yg_sv have = {NULL, 0};
	if (world.hit_first < world.hit_count)
		have = yg_sv_of(world.hits[world.hit_first++]);
	if (!yg_sv_starts(have, line) || (have.n > line.n && have.p[line.n] != ' '))
		wrong("told", have.p != NULL ? have : YG_SV("nothing"));
}

static void none_left(void)
{
	while (world.hit_first < world.hit_count)
		wrong("told", yg_sv_of(world.hits[world.hit_first++]));
}

static void save(void)
{
	struct yg_buf one, two;
	size_t lost = 1;
	struct yg_err err = {.msg = ""};
	struct yg_correlate *c = make();
	yg_buf_init(&one, (size_t)64 << 20);
	yg_buf_init(&two, (size_t)64 << 20);
	if (yg_correlate_save(world.c, &one) != YG_OK ||
	    yg_correlate_restore(c, yg_buf_sv(&one), &lost, &err) != YG_OK || lost != 0 ||
	    yg_correlate_save(c, &two) != YG_OK || !yg_sv_eq(yg_buf_sv(&one), yg_buf_sv(&two)))
		wrong("not restored as it was", yg_sv_of(err.msg));
	yg_buf_free(&one);
	yg_buf_free(&two);
	yg_correlate_free(world.c);
	world.c = c;
	world.saves++;
}

static void count(struct yg_sv line)
{
	struct yg_sv name, rest = line;
	struct yg_correlate_counts have = {0};
	(void)word(&rest, &name);
	if (!yg_correlate_counts(world.c, rule_of(name), &have))
		wrong("not in force", name);
#define X(member, meaning)                                                                         \
	if (number(rest, #member, have.member) != have.member) {                                   \
		(void)printf("# %s is %llu\n", #member, (unsigned long long)have.member);          \
		wrong("counted", line);                                                            \
	}
	YG_CORRELATE_COUNTERS(X)
#undef X
}

static void usage(struct yg_sv line)
{
	struct yg_correlate_usage u = yg_correlate_usage(world.c);
	if (number(line, "pending", u.pending) != u.pending ||
	    number(line, "groups", u.groups) != u.groups ||
	    number(line, "forced", u.forced) != u.forced) {
		(void)printf("# pending=%llu groups=%llu forced=%llu\n",
			     (unsigned long long)u.pending, (unsigned long long)u.groups,
			     (unsigned long long)u.forced);
		wrong("in use", line);
	}
}

static void set_options(struct yg_sv line)
{
	struct yg_sv v;
	world.opts.pending = number(line, "pending", world.opts.pending);
	world.opts.groups = number(line, "groups", world.opts.groups);
	world.opts.memory = number(line, "memory", world.opts.memory);
	if (option(line, "lateness", &v))
		world.opts.lateness.us = seconds(v);
	if (option(line, "ahead", &v))
		world.opts.ahead.us = seconds(v);
}

static void statement(struct yg_sv line)
{
	struct yg_sv verb, name, rest = line;
	if (!word(&rest, &verb))
		return;
	rest = yg_sv_trim(rest);
	if (YG_SV_IS(verb, "correlation")) {
		add_correlation(rest);
		return;
	}
	if (YG_SV_IS(verb, "option")) {
		set_options(rest);
		return;
	}
	build();
	if (world.c == NULL)
		return;
	if (YG_SV_IS(verb, "at"))
		send(rest);
	else if (YG_SV_IS(verb, "advance"))
		(void)yg_correlate_advance(world.c, (yg_wall){T0 + seconds(rest)}, on_hit, NULL);
	else if (YG_SV_IS(verb, "flush"))
		(void)yg_correlate_flush(world.c, on_hit, NULL);
	else if (YG_SV_IS(verb, "expect"))
		expect(rest);
	else if (YG_SV_IS(verb, "none"))
		none_left();
	else if (YG_SV_IS(verb, "count"))
		count(rest);
	else if (YG_SV_IS(verb, "use"))
		usage(rest);
	else if (YG_SV_IS(verb, "save"))
		save();
	else if (YG_SV_IS(verb, "refused") && word(&rest, &name)) {
		if (!yg_sv_has(yg_sv_of(world.refused[rule_of(name)]), yg_sv_trim(rest)))
			wrong("refused because", yg_sv_of(world.refused[rule_of(name)]));
	} else if (YG_SV_IS(verb, "tells") && word(&rest, &name)) {
		if (yg_correlate_tells(world.c, rule_of(name)) != YG_SV_IS(rest, "yes"))
			wrong("tells", name);
	} else {
		wrong("no such statement", verb);
	}
	if (world.save_always && world.bad == 0)
		save();
}

/* One case: its lines; the first is its name. */
static void run_case(const struct line *lines, size_t count)
{
	unsigned bad = world.bad;
	char name[200];
	for (int pass = 0; pass < 2; pass++) {
		begin_case();
		world.save_always = pass == 1;
		for (size_t i = 1; i < count; i++) {
			world.line = lines[i].number;
			statement(lines[i].text);
		}
		none_left();
		(void)snprintf(name, sizeof name, "%.*s%s", YG_SV_ARG(lines[0].text),
			       pass == 1 ? ", saved behind each line" : "");
		T_NAMED(world.bad == bad, name);
	}
}

static size_t run_file(const char *path)
{
	static char text[1 << 18];
	static struct line lines[LINES];
	FILE *f = fopen(path, "rb");
	size_t n = f != NULL ? fread(text, 1, sizeof text, f) : 0, count = 0, cases = 0;
	unsigned at = 0;
	if (f != NULL)
		(void)fclose(f);
	struct yg_sv rest = {text, n}, line;
	world.file = path;
	while (yg_sv_cut(&rest, '\n', &line)) {
		line = yg_sv_trim(line);
		at++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (yg_sv_starts(line, YG_SV("case "))) {
			if (count > 0)
				run_case(lines, count);
			count = 0;
			cases++;
			line = yg_sv_sub(line, 5, line.n);
		}
		if (count == LINES)
			abort();
		lines[count++] = (struct line){at, line};
	}
	if (count > 0)
		run_case(lines, count);
	return cases;
}

int main(int argc, char **argv)
{
	size_t cases = 0;
	yg_arena_init(&world.arena, (size_t)64 << 20);
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
			char path[4096];
			(void)snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
			if (yg_sv_ends(yg_sv_of(path), YG_SV(".replay")))
				cases += run_file(path);
		}
		if (d != NULL)
			(void)closedir(d);
	}
	(void)printf("# %zu cases, saved and restored %u times\n", cases, world.saves);
	T_OK(cases >= 40 && world.saves > cases);
	yg_correlate_free(world.c);
	yg_arena_free(&world.arena);
	return tap_done();
}
