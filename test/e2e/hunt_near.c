/* Where indicators may be found, as the event store is asked (detect/hunt_indicator.h): over
 * events made by chance from few hosts in many spellings, every indicator for itself and many
 * together.  What the matcher finds in an event as it comes in, the condition must let through.
 *
 * usage: hunt_near STORE_URL EVENTS SEED */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "detect/hunt.h"
#include "detect/hunt_indicator.h"
#include "event/normalize.h"
#include "intel/compile.h"
#include "intel/match.h"
#include "os/env.h"

#define INDICATORS 140u
#define ROWS_MAX   (1u << 17)
#define RARE_EACH  3000u      /* events that share a rare host: other granules have not got it */
#define LISTED     UINT32_MAX /* as lists have it: in its one spelling */
#define TIME       INT64_C(1700000000000000)

static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;
static struct yg_ch *ch;
static struct yg_match_set *matches;
static uint64_t seed;
static uint32_t rows;

struct bits {
	uint64_t of[ROWS_MAX / 64];
	uint64_t n;
};
static struct one {
	enum yg_indicator_type type;
	char value[300];
	struct yg_intel *set; /* of it alone */
	struct bits live;
} * known;
static size_t known_n;

static void die(const char *what)
{
	(void)fprintf(stderr, "hunt_near: %s: %s\n", what, err.msg);
	exit(2);
}

static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 20) % n;
}

static void set(struct bits *b, uint64_t row)
{
	b->n += (b->of[row / 64] >> (row % 64) & 1) == 0;
	b->of[row / 64] |= (uint64_t)1 << (row % 64);
}

static bool has(const struct bits *b, uint64_t row)
{
	return (b->of[row / 64] >> (row % 64) & 1) != 0;
}

/* ---- what stands in logs ---- */

static void put(struct yg_sb *b, const char *s)
{
	yg_sb_put(b, yg_sv_of(s));
}

#define ANY(list) put(b, (list)[rnd(YG_LEN(list))])

static void put_name(struct yg_sb *b, uint32_t row)
{
	bool as_logged = row != LISTED;
	static const char *const words[] = {"a", "b2", "cdn", "mail", "x-y", "_t", "xn--bcher-kva"};
	static const char *const logged[] = {"A",
					     "b2",
					     "CDN",
					     "mail",
					     "x-y",
					     "_T",
					     "b\xc3\xbc"
					     "cher",
					     "B\xc3\xbc"
					     "cher",
					     "\xef\xbd\x81"};
	static const char *const tops[] = {"com", "co.jp", "example", "xn--p1ai", "corp7"};
	static const char *const tops_logged[] = {"com",   "CO.jp", "Example", "\xd1\x80\xd1\x84",
						  "corp7", "com."};
	for (unsigned i = rnd(4) + (rnd(20) == 0 ? rnd(9) : 0); i > 0; i--) {
		if (as_logged)
			ANY(logged);
		else
			ANY(words);
		yg_sb_putc(b, '.');
	}
	yg_sb_printf(b, "z%u.", rnd(12));
	if (as_logged)
		ANY(tops_logged);
	else
		ANY(tops);
}

static void put_ip(struct yg_sb *b, uint32_t row)
{
	bool as_logged = row != LISTED;
	unsigned net = rnd(3), host = rnd(6);
	if (rnd(3) > 0)
		yg_sb_printf(b, as_logged && rnd(9) == 0 ? "::ffff:192.0.%u.%u" : "192.0.%u.%u",
			     net, host);
	else if (as_logged && rnd(2) == 0)
		yg_sb_printf(b, "2001:DB8:%u:0:0:%u:0:%X", net, rnd(3), host + 10);
	else
		yg_sb_printf(b, "2001:db8:%u:0:%u::%x", net, rnd(2), host + 10);
}

static void put_host(struct yg_sb *b, uint32_t row)
{
	if (rnd(40) == 0)
		yg_sb_printf(b, "w%u.r%u.rare.example", rnd(3), row / RARE_EACH);
	else if (rnd(3) == 0)
		put_ip(b, row);
	else
		put_name(b, row);
	if (rnd(12) == 0)
		yg_sb_printf(b, ":%u", 80 + rnd(3));
}

/* In a URL an IPv6 address stands in brackets. */
static void put_authority(struct yg_sb *b, uint32_t row)
{
	char text[400];
	struct yg_sb host = yg_sb_init(text, sizeof text);
	if (rnd(10) == 0)
		put(b, "user:word@");
	put_host(&host, row);
	bool v6 =
		yg_sv_has(yg_sb_sv(&host), YG_SV("::")) || yg_sv_has(yg_sb_sv(&host), YG_SV("DB8"));
	if (v6)
		yg_sb_putc(b, '[');
	yg_sb_put(b, yg_sb_sv(&host));
	if (v6)
		put(b, "]");
	if (v6 && rnd(3) == 0)
		put(b, ":8080");
}

static void put_url(struct yg_sb *b, uint32_t row)
{
	static const char *const schemes[] = {"http://", "https://", "HTTP://", "ftp://", "", ""};
	static const char *const paths[] = {
		"/", "/evil/run.php", "/%65vil/run.php", "/evil/../evil/x?u=http://other.example/",
		"",  "?q=1",          "/index.html#top"};
	if (rnd(6) > 0) {
		ANY(schemes);
		put_authority(b, row);
	}
	ANY(paths);
}

static void put_mail(struct yg_sb *b, uint32_t row)
{
	bool as_logged = row != LISTED;
	static const char *const people[] = {"taro", "hanako.y"};
	static const char *const logged[] = {"Taro", "hanako.y"};
	if (as_logged)
		ANY(logged);
	else
		ANY(people);
	yg_sb_putc(b, '@');
	put_name(b, row);
}

static void put_hash(struct yg_sb *b, uint32_t row)
{
	bool as_logged = row != LISTED;
	static const unsigned digits[] = {32, 40, 64};
	unsigned n = digits[rnd(3)], which = rnd(12);
	for (unsigned i = 0; i < n; i++)
		yg_sb_printf(b, as_logged && which % 2 == 0 ? "%X" : "%x", (which * 7 + i) % 16);
}

/* ---- events ---- */

/* Until the next call. */
static const char *text(void (*put_some)(struct yg_sb *b, uint32_t row), uint32_t row)
{
	static char buf[2048];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	put_some(&b, row);
	return yg_sb_cstr(&b);
}

static void put_record(struct yg_buf *out, uint32_t row)
{
	yg_buf_printf(
		out,
		"{\"class_uid\":4002,\"time\":%lld,\"src_endpoint\":{\"ip\":\"%s\",\"port\":80",
		(long long)(TIME / 1000 + row), text(put_ip, row));
	if (rnd(4) == 0)
		yg_buf_printf(out, ",\"hostname\":\"%s\"", text(put_host, row));
	yg_buf_printf(out, "},\"dst_endpoint\":{\"port\":%u", 80 + rnd(3));
	if (rnd(2) == 0)
		yg_buf_printf(out, ",\"ip\":\"%s\"", text(put_ip, row));
	if (rnd(3) == 0)
		yg_buf_printf(out, ",\"hostname\":\"%s\"", text(put_host, row));
	yg_buf_put(out, YG_SV("}"));
	if (rnd(3) == 0)
		yg_buf_printf(out, ",\"query\":{\"hostname\":\"%s\"}", text(put_name, row));
	if (rnd(3) == 0) {
		yg_buf_printf(out, ",\"answers\":[{\"rdata\":\"%s\"}", text(put_host, row));
		yg_buf_printf(out, ",{\"rdata\":\"%s\"}]", text(put_ip, row));
	}
	if (rnd(3) == 0) {
		yg_buf_printf(out, ",\"http_request\":{\"url\":{\"url_string\":\"%s\"}",
			      text(put_url, row));
		yg_buf_printf(out, ",\"referrer\":\"%s\"}", rnd(2) == 0 ? "" : text(put_url, row));
	}
	if (rnd(6) == 0) {
		yg_buf_printf(out, ",\"email\":{\"from\":\"%s\"", text(put_mail, row));
		yg_buf_printf(out, ",\"to\":[\"x <%s>\"]}", text(put_mail, row));
	}
	if (rnd(6) == 0)
		yg_buf_printf(out, ",\"file\":{\"path\":\"/x\",\"hashes\":[{\"value\":\"%s\"}]}",
			      text(put_hash, row));
	yg_buf_put(out, YG_SV("}\n"));
}

static void note_live(const struct yg_event *ev)
{
	for (size_t i = 0; i < known_n; i++) {
		yg_intel_match(known[i].set, ev, (yg_wall){TIME}, matches);
		if (matches->n > 0)
			set(&known[i].live, ev->batch);
	}
}

static void make_events(uint32_t count)
{
	struct yg_norm *norm = NULL;
	struct yg_buf text, out;
	struct yg_event ev;
	yg_buf_init(&text, (size_t)256 << 20);
	yg_buf_init(&out, (size_t)256 << 20);
	for (uint32_t i = 0; i < count; i++)
		put_record(&text, i);
	if (text.bad || yg_norm_new(YG_SOURCE_OCSF, NULL, &norm, &err) != YG_OK)
		die("events");
	yg_norm_begin(norm, yg_buf_sv(&text), (yg_wall){TIME}, false);
	while (yg_norm_next(norm, &ev)) {
		ev.org = YG_SV("alpha");
		ev.source = YG_SV("ocsf");
		ev.sensor = YG_SV("x");
		ev.received = TIME;
		ev.day = 20231114;
		ev.spool = 1;
		ev.batch = rows++;
		note_live(&ev);
		yg_event_row(&ev, &out);
	}
	if (rows != count || yg_norm_unparsed(norm) > 0 || out.bad ||
	    yg_event_table_insert(ch, NULL, yg_buf_sv(&out), &err) != YG_OK)
		die("events");
	yg_norm_free(norm);
	yg_buf_free(&text);
	yg_buf_free(&out);
}

/* ---- indicators ---- */

static void put_value(enum yg_indicator_type type, struct yg_sb *b)
{
	static const char *const paths[] = {"/evil/run.php", "/evil/", "/index.html"};
	static const char *const nets[] = {
		"192.0.1.0/24",    "192.0.0.0/22",        "192.0.2.4/31",      "2001:db8::/32",
		"2001:db8:1::/48", "2001:db8:2:0:1::/80", "2001:db8:0:0::/64", "10.0.0.0/8"};
	switch (type) {
	case YG_IND_IP:
		if (rnd(4) == 0)
			ANY(nets);
		else
			put_ip(b, LISTED);
		break;
	case YG_IND_IPPORT: yg_sb_printf(b, "192.0.%u.%u:%u", rnd(3), rnd(6), 80 + rnd(3)); break;
	case YG_IND_URL:
		if (rnd(3) > 0)
			put(b, rnd(2) == 0 ? "http://" : "ftp://");
		if (b->n > 0 && rnd(4) == 0)
			yg_sb_printf(b, "192.0.%u.%u", rnd(3), rnd(6));
		else if (b->n > 0)
			put_name(b, LISTED);
		ANY(paths);
		break;
	case YG_IND_HASH: put_hash(b, LISTED); break;
	case YG_IND_EMAIL: put_mail(b, LISTED); break;
	default:
		if (rnd(6) == 0)
			yg_sb_printf(b, "r%u.rare.example", rnd(20));
		else if (rnd(12) == 0)
			put(b, rnd(2) == 0 ? "example" : "co.jp");
		else
			put_name(b, LISTED);
	}
}

static void make_indicators(void)
{
	const struct yg_intel_build_opts opts = {.env = &env, .force_suffix = true};
	while (known_n < INDICATORS) {
		char raw[300];
		struct one *k = &known[known_n];
		struct yg_sb b = yg_sb_init(raw, sizeof raw),
			     v = yg_sb_init(k->value, sizeof k->value);
		struct yg_intel_builder *builder = NULL;
		k->type = (enum yg_indicator_type)(1 + known_n % (YG_IND_TYPE_COUNT - 1));
		put_value(k->type, &b);
		if (yg_indicator_normalize(k->type, yg_sb_sv(&b), &v, &err) != YG_OK)
			die(yg_sb_cstr(&b));
		const struct yg_indicator ind = {.type = k->type,
						 .value = yg_sv_of(yg_sb_cstr(&v)),
						 .list = YG_SV_INIT("l"),
						 .confidence = 50};
		int fd = memfd_create("near", MFD_CLOEXEC);
		if (fd < 0 || yg_intel_builder_new(&opts, &builder, &err) != YG_OK ||
		    yg_intel_builder_add(builder, &ind, &err) != YG_OK ||
		    yg_intel_builder_finish(builder, fd, 1, NULL, &err) != YG_OK ||
		    yg_intel_open_fd(fd, 0, &k->set, &err) != YG_OK)
			die(k->value);
		yg_intel_builder_free(builder);
		(void)close(fd);
		known_n++;
	}
}

/* ---- asking ---- */

struct asked {
	const struct one *one; /* is each row's answer what it was when it came in? NULL: many */
	struct bits rows;
	uint64_t other;
};

static yg_status note(void *ctx, const struct yg_event *ev, struct yg_err *e)
{
	struct asked *a = ctx;
	(void)e;
	set(&a->rows, ev->batch);
	if (a->one == NULL)
		return YG_OK;
	yg_intel_match(a->one->set, ev, (yg_wall){TIME}, matches);
	a->other += (matches->n > 0) != has(&a->one->live, ev->batch);
	return YG_OK;
}

/* SHA-256 that stand nowhere, until the condition has as many as it may name. */
static void fill(struct yg_hunt_near *near, size_t n)
{
	for (; n < YG_HUNT_LITERALS_MAX; n++) {
		char text[65];
		(void)snprintf(text, sizeof text, "%064zx", n);
		if (yg_hunt_near_add(near, YG_IND_HASH, yg_sv_of(text), &err) != YG_OK)
			die("a hash");
	}
}

/* Events that are missing from what the condition of known[at], known[at + step] ... gives;
 * full: among as many as one may name. */
static uint64_t ask(size_t at, size_t step, bool full, struct asked *a)
{
	struct yg_hunt_near *near = NULL;
	struct yg_hunt_scan s = {
		.from = TIME - YG_US_PER_DAY, .to = TIME + YG_US_PER_DAY, .lean = true};
	struct yg_buf where;
	uint64_t missing = 0;
	yg_buf_init(&where, YG_HUNT_NEAR_MAX);
	if (yg_hunt_near_new(&near, &err) != YG_OK)
		die("a condition");
	for (size_t i = at; i < known_n; i += step)
		if (yg_hunt_near_add(near, known[i].type, yg_sv_of(known[i].value), &err) != YG_OK)
			die(known[i].value);
	if (full)
		fill(near, (known_n - at + step - 1) / step);
	if (yg_hunt_near_where(near, yg_ch_version(ch), &where, &err) != YG_OK)
		die("a condition");
	if (full && YG_SV_IS(yg_buf_sv(&where), "1"))
		die("the condition says nothing");
	while (!s.done)
		if (yg_hunt_next(ch, yg_buf_sv(&where), &s, &env, note, a, &err) != YG_OK)
			die(known[at].value);
	for (size_t i = at; i < known_n; i += step)
		for (uint32_t row = 0; row < rows; row++)
			if (has(&known[i].live, row) && !has(&a->rows, row) && missing++ < 5)
				(void)printf("# %s %s: not event %u by %.300s\n",
					     yg_indicator_type_name(known[i].type), known[i].value,
					     row, yg_buf_sv(&where).p);
	yg_hunt_near_free(near);
	yg_buf_free(&where);
	return missing;
}

int main(int argc, char **argv)
{
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	uint64_t count = 0, missing = 0, other = 0, empty = 0;
	uint64_t live[YG_IND_TYPE_COUNT] = {0}, given[YG_IND_TYPE_COUNT] = {0};
	if (argc < 4 || yg_parse_u64(yg_sv_of(argv[2]), &count, &err) != YG_OK ||
	    count > ROWS_MAX || yg_parse_u64(yg_sv_of(argv[3]), &seed, &err) != YG_OK || seed == 0)
		return 2;
	env = yg_env_real(&real, "test", 0);
	known = calloc(INDICATORS, sizeof *known);
	matches = calloc(1, sizeof *matches);
	struct asked *a = calloc(1, sizeof *a);
	if (known == NULL || matches == NULL || a == NULL ||
	    yg_ch_open(&conf, &ch, &err) != YG_OK || yg_event_table_ensure(ch, &err) != YG_OK)
		die("the store");
	make_indicators();
	make_events((uint32_t)count);
	for (size_t i = 0; i < known_n; i++) {
		*a = (struct asked){.one = &known[i]};
		missing += ask(i, known_n, false, a);
		other += a->other;
		empty += known[i].live.n == 0;
		live[known[i].type] += known[i].live.n;
		given[known[i].type] += a->rows.n;
	}
	for (size_t step = 1; step <= YG_IND_TYPE_COUNT - 1; step += YG_IND_TYPE_COUNT - 2) {
		for (size_t at = 0; at < step; at++) { /* all together; all of one type */
			*a = (struct asked){.one = NULL};
			missing += ask(at, step, false, a);
		}
	}
	*a = (struct asked){.one = NULL};
	missing += ask(0, 1, true, a);
	(void)printf("# of %u indicators the condition lets %llu events through\n",
		     YG_HUNT_LITERALS_MAX, (unsigned long long)a->rows.n);
	for (int t = 1; t < YG_IND_TYPE_COUNT; t++)
		(void)printf("# %s: %llu matches, the conditions let %llu events through\n",
			     yg_indicator_type_name((enum yg_indicator_type)t),
			     (unsigned long long)live[t], (unsigned long long)given[t]);
	(void)printf(
		"# %zu indicators (%llu match nothing), %u events, %llu missing, %llu other than live\n",
		known_n, (unsigned long long)empty, rows, (unsigned long long)missing,
		(unsigned long long)other);
	return missing + other > 0 || empty > known_n / 2 ? 1 : 0;
}
