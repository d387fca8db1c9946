#include "event/split.h"

#include "tap.h"

#define SMALLEST (YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2)

struct result {
	char *text; /* all batches, each followed by a line "--" */
	size_t n, batches;
	uint64_t records, cut, last_offset;
};

static void take(struct result *r, const struct yg_split_batch *b)
{
	r->text = realloc(r->text, r->n + b->bytes.n + 4);
	if (r->text == NULL)
		abort();
	memcpy(r->text + r->n, b->bytes.p, b->bytes.n);
	memcpy(r->text + r->n + b->bytes.n, "--\n", 4);
	r->n += b->bytes.n + 3;
	r->batches++;
	r->records += b->records;
	r->cut += b->cut;
	r->last_offset = b->offset;
}

static struct result run(enum yg_source source, struct yg_sv in, size_t piece, size_t batch)
{
	struct result r = {0};
	struct yg_split *s = NULL;
	struct yg_split_batch b;
	if (yg_split_new(source, batch, &s, NULL) != YG_OK)
		abort();
	for (size_t at = 0; at < in.n; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece);
		while (yg_split_next(s, &part, &b))
			take(&r, &b);
	}
	while (yg_split_end(s, &b))
		take(&r, &b);
	yg_split_free(s);
	return r;
}

static void check(enum yg_source source, struct yg_sv in, const char *want, uint64_t records,
		  const char *name)
{
	bool same = true;
	for (size_t piece = 1; piece <= in.n; piece++) {
		struct result r = run(source, in, piece, 0);
		if (r.n != strlen(want) || (r.n > 0 && memcmp(r.text, want, r.n) != 0) ||
		    r.records != records) {
			(void)printf("# %zu: %.*s (%d records)\n", piece, (int)r.n, r.text,
				     (int)r.records);
			same = false;
		}
		free(r.text);
	}
	T_NAMED(same, name);
}

static void test_small(void)
{
	check(YG_SOURCE_NDJSON, YG_SV("{\"a\":1}\n\n{\"b\":2}"), "{\"a\":1}\n\n{\"b\":2}\n--\n", 2,
	      "lines; the last one without LF");
	check(YG_SOURCE_SYSLOG, YG_SV(""), "", 0, "nothing");
	check(YG_SOURCE_SYSLOG, YG_SV("\n\n"), "", 0, "blank lines are no batch");
	check(YG_SOURCE_ZEEK, YG_SV("#separator \\x09\n#fields\ta\n1\n2\n#close\n"),
	      "#separator \\x09\n#fields\ta\n1\n2\n#close\n--\n", 2, "a Zeek header is no record");
	check(YG_SOURCE_CLOUDTRAIL,
	      YG_SV("{\n \"Records\": [\n  {\"a\":\n 1},{\"b\":2}]}\n{\"c\":3}\n"),
	      "{\"a\":  1}\n{\"b\":2}\n{\"c\":3}\n--\n", 3, "CloudTrail documents become records");
	check(YG_SOURCE_CLOUDTRAIL, YG_SV("oops\n{\"c\":\"x\n{\"d\":4}"),
	      "oops\n{\"c\":\"x\n{\"d\":4}\n--\n", 3,
	      "CloudTrail: what is broken is kept and does not stop the rest");
}

/* A stream of several batches; every batch is checked by `per_batch`. */
static char *lines(const char *head, size_t count, size_t line_n, size_t *out_n)
{
	char *text = malloc(strlen(head) + count * line_n + 1);
	if (text == NULL)
		abort();
	memcpy(text, head, strlen(head));
	size_t n = strlen(head);
	for (size_t i = 0; i < count; i++) {
		int w = snprintf(text + n, line_n, "%08zu", i);
		memset(text + n + w, 'x', line_n - (size_t)w - 1);
		n += line_n;
		text[n - 1] = '\n';
	}
	*out_n = n;
	return text;
}

static void test_borders(void)
{
	static const char head[] = "#separator \\x09\n#fields\tts\n";
	size_t n;
	char *text = lines(head, 40000, 100, &n);
	struct result a = run(YG_SOURCE_ZEEK, (struct yg_sv){text, n}, n, SMALLEST);
	struct result b = run(YG_SOURCE_ZEEK, (struct yg_sv){text, n}, 4093, SMALLEST);
	T_NAMED(a.n == b.n && memcmp(a.text, b.text, a.n) == 0,
		"borders do not depend on how the bytes arrive");
	T_OK(a.batches == 4 && a.records == 40000 && a.cut == 0);
	size_t headers = 0, at = 0;
	struct yg_sv all = {a.text, a.n};
	for (size_t i = 0; i < a.batches; i++) {
		headers += yg_sv_starts(yg_sv_sub(all, at, all.n), yg_sv_of(head));
		while (at < all.n && !yg_sv_starts(yg_sv_sub(all, at, 4), YG_SV("\n--\n")))
			at++;
		at += 4;
	}
	T_NAMED(headers == a.batches, "every batch begins with the header");
	size_t per_batch = (SMALLEST - strlen(head)) / 100;
	T_OK(a.last_offset == strlen(head) + 3 * per_batch * 100);
	free(a.text);
	free(b.text);
	free(text);
}

static void test_second_header(void)
{
	size_t n, m;
	char *one = lines("#fields\tone\n", 20000, 100, &n),
	     *two = lines("#fields\ttwo\n#types\tt\n", 20000, 100, &m);
	char *both = malloc(n + m);
	if (both == NULL)
		abort();
	memcpy(both, one, n);
	memcpy(both + n, two, m);
	struct result r = run(YG_SOURCE_ZEEK, (struct yg_sv){both, n + m}, 65536, SMALLEST);
	size_t last = r.n - 4;
	while (last > 0 &&
	       !yg_sv_starts((struct yg_sv){r.text + last, r.n - last}, YG_SV("\n--\n")))
		last--;
	while (last > 4 && memcmp(r.text + last - 1, "\n--\n", 4) != 0)
		last--;
	T_NAMED(yg_sv_starts((struct yg_sv){r.text + last + 3, r.n - last - 3},
			     YG_SV("#fields\ttwo\n#types\tt\n")),
		"behind a second header the batches carry the second");
	T_OK(r.records == 40000 && r.batches == 4);
	free(r.text);
	free(one);
	free(two);
	free(both);
}

static void test_long(void)
{
	struct yg_split *s = NULL;
	struct yg_split_batch b;
	static char blob[65536];
	memset(blob, 'a', sizeof blob);
	T_OK(yg_split_new(YG_SOURCE_NDJSON, SMALLEST, &s, NULL) == YG_OK);
	for (int i = 0; i < 16384; i++) { /* 1 GB without a newline */
		struct yg_sv part = {blob, sizeof blob};
		if (yg_split_next(s, &part, &b) || part.n != 0)
			T_NAMED(false, "no batch inside the long line");
	}
	struct yg_sv rest = YG_SV("\n{\"b\":2}\n");
	T_OK(!yg_split_next(s, &rest, &b));
	T_OK(yg_split_end(s, &b) && b.records == 2 && b.cut == 1 &&
	     b.bytes.n == YG_RECORD_MAX + 2 + 8);
	T_OK(!yg_split_end(s, &b));
	yg_split_free(s);
	struct yg_err err = {0};
	T_OK(yg_split_new(YG_SOURCE_NDJSON, 1000, &s, &err) == YG_INVAL);
}

int main(void)
{
	test_small();
	test_borders();
	test_second_header();
	test_long();
	return tap_done();
}
