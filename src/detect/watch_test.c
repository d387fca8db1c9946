/* One organisation's events: what they say together comes out, the same after a save, whatever
 * the rules become meanwhile, and with a clock that stands still or runs on. */
#include "detect/read.h"
#include "detect/watch_finding.h"
#include "event/table.h"
#include "tap.h"

#define S  INT64_C(1000000)
#define T0 (INT64_C(1700000000) * S)

static struct yg_env_sim sim = {.seed = 3};
static struct yg_env env;
static struct yg_err err;

struct seen {
	size_t hits, notices, kinds[YG_NOTICE_KIND_COUNT];
	char uid[64];
	struct yg_buf findings, rows;
};

static bool on_hit(void *ctx, const struct yg_watch_doc *doc, const struct yg_correlate_hit *hit)
{
	struct seen *s = ctx;
	const struct yg_watch_at at = {
		.org = YG_SV_INIT("acme"), .seq = 7, .nth = (uint32_t)s->hits, .received = {T0}};
	const struct yg_watch_to to = {&s->findings, &s->rows};
	struct yg_sb b = yg_sb_init(s->uid, sizeof s->uid);
	s->hits++;
	yg_sb_put(&b, doc->uid);
	(void)yg_sb_cstr(&b);
	yg_watch_put_hit(&to, &at, doc, YG_SV("sigma"), hit);
	return true;
}

static void on_notice(void *ctx, const struct yg_notice *n, const uint64_t *event)
{
	struct seen *s = ctx;
	const struct yg_watch_at at = {
		.org = YG_SV_INIT("acme"), .seq = 8, .nth = (uint32_t)s->notices, .received = {T0}};
	const struct yg_watch_to to = {&s->findings, &s->rows};
	s->notices++;
	s->kinds[n->kind]++;
	yg_watch_put_notice(&to, &at, n, event);
}

static const char rules_text[] =
	"title: Failed login\nid: 11111111-1111-4111-8111-111111111111\nname: failed\n"
	"logsource: {product: linux}\ndetection: {s: {a: b}, condition: s}\n"
	"---\n"
	"title: Many failed logins\nid: 22222222-2222-4222-8222-222222222222\n"
	"level: high\ntags: [attack.credential-access, attack.t1110.003]\n"
	"correlation:\n  type: event_count\n  rules: [failed]\n  group-by: [host]\n"
	"  timespan: 5m\n  condition: {gte: 3}\n"
	"---\n"
	"title: A few failed logins\nid: 33333333-3333-4333-8333-333333333333\n"
	"correlation:\n  type: event_count\n  rules: [failed]\n  group-by: [host]\n"
	"  timespan: 5m\n  condition: {gte: 2}\n";

static struct yg_arena arena;
static struct yg_sigma_file file;
static struct yg_watch_doc docs[3];

static void read_rules(void)
{
	static const char *const uids[] = {"r-base", "r-many", "r-few"};
	yg_arena_init(&arena, 16u << 20);
	T_OK(yg_sigma_read(yg_sv_of(rules_text), "rules", NULL, NULL, &arena, &file, &err) ==
		     YG_OK &&
	     file.count == 3);
	for (size_t i = 0; i < YG_LEN(docs); i++)
		docs[i] = (struct yg_watch_doc){yg_sv_of(uids[i]), &file.rules[i], 0};
}

static struct yg_watch *made(size_t doc_n)
{
	struct yg_watch_opts o = {.correlate = yg_correlate_defaults(), .notices = {1000}};
	struct yg_watch *w = NULL;
	size_t lost = 0;
	if (yg_watch_new(&o, &env, &w, &err) != YG_OK ||
	    yg_watch_rules(w, docs, doc_n, NULL, NULL, &lost, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return w;
}

static struct yg_feed_head head(int64_t received)
{
	return (struct yg_feed_head){.spool = 1,
				     .org = YG_SV_INIT("acme"),
				     .source = YG_SV_INIT("syslog"),
				     .sensor = YG_SV_INIT("gate"),
				     .received = {received}};
}

static void match(struct yg_watch *w, const char *uid, int64_t time, int64_t received,
		  struct seen *s)
{
	static const struct yg_feed_field fields[] = {{YG_SV_INIT("host"), YG_SV_INIT("gate")}};
	const struct yg_watch_out out = {s, on_hit, on_notice};
	struct yg_feed_head h = head(received);
	struct yg_feed_entry e = {.kind = YG_FEED_MATCH};
	e.match.rule = yg_sv_of(uid);
	e.match.time.us = time;
	e.match.fields = fields;
	e.match.field_count = 1;
	yg_feed_id(1, 2, 3, e.match.id);
	yg_watch_comes(w, &h);
	(void)yg_watch_entry(w, &h, &e, &out);
	yg_watch_came(w, &h);
}

static void ticks(struct yg_watch *w, int64_t now, struct seen *s)
{
	const struct yg_watch_out out = {s, on_hit, on_notice};
	(void)yg_watch_clock(w, (yg_wall){now}, &out);
}

static bool has(const struct seen *s, const char *text)
{
	return yg_sv_has(yg_buf_sv(&s->findings), yg_sv_of(text));
}

static void begin(struct seen *s)
{
	*s = (struct seen){0};
	yg_buf_init(&s->findings, 1u << 20);
	yg_buf_init(&s->rows, 1u << 20);
}

static void end(struct seen *s)
{
	yg_buf_free(&s->findings);
	yg_buf_free(&s->rows);
}

static void counted(void)
{
	struct yg_watch *w = made(2);
	struct seen s;
	begin(&s);
	/* a source that is always twenty minutes late */
	int64_t late = 1200 * S;
	for (int i = 0; i < 3; i++)
		match(w, "r-base", T0 + i * S, T0 + late + i * S, &s);
	T_NAMED(s.hits == 0, "it waits for those that may come before it");
	ticks(w, T0 + late + 30 * S, &s);
	T_OK(s.hits == 0);
	ticks(w, T0 + late + 70 * S, &s);
	T_NAMED(s.hits == 1, "nothing comes: the clock goes on from the newest event");
	T_OK(strcmp(s.uid, "r-many") == 0 && has(&s, "\"indicator\":\"r-many\"") &&
	     has(&s, "\"severity_id\":4") && has(&s, "\"family\":\"T1110.003\"") &&
	     has(&s, "\"asset\":\"gate\"") && has(&s, "\"event_id\":\"e-1-2-3\"") &&
	     has(&s, "[\"host\",\"gate\"]") && has(&s, "\"finding_uid\":\"f-w-7-0\""));
	struct yg_rd rows = yg_rd_init(s.rows.p, s.rows.n);
	struct yg_arena lists;
	struct yg_event ev;
	yg_arena_init(&lists, 1u << 20);
	T_NAMED(yg_event_row_read(&rows, &lists, &ev, &err) == YG_OK && yg_rd_left(&rows) == 0 &&
			ev.class_uid == YG_OCSF_DETECTION_FINDING && ev.batch == 7 &&
			YG_SV_IS(ev.indicator, "r-many") && YG_SV_IS(ev.host, "gate") &&
			YG_SV_IS(ev.log_name, "correlation") && ev.related.n == 3 &&
			YG_SV_IS(ev.related.v[2], "e-1-2-3") &&
			yg_sv_has(ev.raw, YG_SV("\"indicator\":\"r-many\"")),
		"the same among the events");
	yg_arena_free(&lists);
	struct yg_watch_state c = {.groups = 0};
	match(w, "r-base", T0 - 600 * S, T0 + late + 80 * S, &s);
	T_OK(yg_watch_state(w, 1, &c) && c.counts.late == 1 && c.counts.hits == 1);
	T_OK(!yg_watch_state(w, 0, &c));
	match(w, "r-other", T0, T0, &s);
	T_OK(yg_watch_unknown(w) == 1);
	yg_watch_free(w);
	end(&s);
}

/* Long text ends behind a character; a rule that says no level is of the same severity as one
 * that matches by itself. */
static void long_title(void)
{
	enum { CHARACTERS = 180 }; /* of three bytes each: the bound is inside of one */
	char text[3 * CHARACTERS + 1] = "";
	struct seen s;
	struct yg_event ev;
	struct yg_arena lists;
	for (size_t i = 0; i < CHARACTERS; i++)
		memcpy(text + 3 * i, "\xe6\xab\x93", 3);
	const struct yg_sigma_rule rule = {.kind = YG_SIGMA_CORRELATION,
					   .title = {text, 3 * CHARACTERS}};
	const struct yg_watch_doc doc = {YG_SV_INIT("r-long"), &rule, 0};
	begin(&s);
	(void)on_hit(&s, &doc, &(struct yg_correlate_hit){.time = {T0}});
	struct yg_rd rows = yg_rd_init(s.rows.p, s.rows.n);
	yg_arena_init(&lists, 1u << 20);
	T_OK(yg_event_row_read(&rows, &lists, &ev, &err) == YG_OK &&
	     yg_utf8_valid(ev.finding_title) == ev.finding_title.n &&
	     ev.finding_title.n > 3 * CHARACTERS - 40);
	T_OK(!has(&s, "\xef\xbf\xbd") && has(&s, "\"severity_id\":2") && ev.severity_id == 2);
	yg_arena_free(&lists);
	end(&s);
}

static bool covers_few(void *ctx, const struct yg_watch_doc *doc,
		       const struct yg_correlate_hit *hit)
{
	return on_hit(ctx, doc, hit) && !YG_SV_IS(doc->uid, "r-few");
}

/* What an exception covers is not counted as told. */
static void excepted(void)
{
	struct yg_watch *w = made(3);
	struct yg_watch_state many = {.groups = 0}, few = {.groups = 0};
	struct seen s;
	const struct yg_watch_out out = {&s, covers_few, on_notice};
	begin(&s);
	for (int i = 0; i < 3; i++)
		match(w, "r-base", T0 + i * S, T0 + i * S, &s);
	(void)yg_watch_clock(w, (yg_wall){T0 + 70 * S}, &out);
	T_OK(s.hits == 2 && yg_watch_state(w, 1, &many) && yg_watch_state(w, 2, &few) &&
	     many.counts.hits == 1 && few.counts.hits == 0 && few.counts.events == 3);
	yg_watch_free(w);
	end(&s);
}

/* Two of three events, saved, read by another, the third: as if nothing had been. */
static void over_a_save(size_t doc_n, bool change, size_t want)
{
	struct yg_watch *w = made(doc_n), *next = made(change ? 3 : doc_n);
	struct yg_buf correlate, notice, again, again2;
	struct seen s;
	size_t lost = 9;
	begin(&s);
	yg_buf_init(&correlate, 1u << 20);
	yg_buf_init(&notice, 1u << 20);
	yg_buf_init(&again, 1u << 20);
	yg_buf_init(&again2, 1u << 20);
	match(w, "r-base", T0, T0, &s);
	match(w, "r-base", T0 + S, T0 + S, &s);
	T_OK(yg_watch_save(w, &correlate, &notice) == YG_OK);
	T_OK(yg_watch_restore(next, yg_buf_sv(&correlate), yg_buf_sv(&notice), &lost, &err) ==
		     YG_OK &&
	     lost == 0);
	if (!change) {
		T_OK(yg_watch_save(next, &again, &again2) == YG_OK);
		T_OK(yg_sv_eq(yg_buf_sv(&again), yg_buf_sv(&correlate)) &&
		     yg_sv_eq(yg_buf_sv(&again2), yg_buf_sv(&notice)));
	}
	match(next, "r-base", T0 + 2 * S, T0 + 2 * S, &s);
	ticks(next, T0 + 100 * S, &s);
	T_OK(s.hits == want);
	if (correlate.n > 30) {
		correlate.p[30] ^= 1;
		struct yg_watch *odd = made(doc_n);
		T_NAMED(yg_watch_restore(odd, yg_buf_sv(&correlate), YG_SV(""), &lost, &err) ==
				YG_CORRUPT,
			"a changed byte: refused");
		T_OK(yg_watch_restore(odd, YG_SV("x"), YG_SV(""), &lost, &err) == YG_CORRUPT);
		yg_watch_free(odd);
	}
	yg_watch_free(w);
	yg_watch_free(next);
	yg_buf_free(&correlate);
	yg_buf_free(&notice);
	yg_buf_free(&again);
	yg_buf_free(&again2);
	end(&s);
}

static void changed_rules(void)
{
	struct yg_watch *w = made(2);
	struct seen s;
	size_t lost = 9;
	begin(&s);
	match(w, "r-base", T0, T0, &s);
	match(w, "r-base", T0 + S, T0 + S, &s);
	T_OK(yg_watch_rules(w, docs, 3, NULL, NULL, &lost, &err) == YG_OK && lost == 0);
	match(w, "r-base", T0 + 2 * S, T0 + 2 * S, &s);
	ticks(w, T0 + 100 * S, &s);
	T_NAMED(s.hits == 1, "the unchanged one counts on, the new one has seen one event");
	T_OK(yg_watch_rules(w, NULL, 0, NULL, NULL, &lost, &err) == YG_OK && lost == 2);
	match(w, "r-base", T0 + 200 * S, T0 + 200 * S, &s);
	T_OK(s.hits == 1);
	yg_watch_free(w);
	end(&s);
}

static struct yg_ip address(unsigned net, unsigned i)
{
	return (struct yg_ip){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)net, 0,
			       (uint8_t)(i >> 8), (uint8_t)i}};
}

static uint64_t services(struct yg_watch *w, struct yg_ip dst)
{
	struct yg_feed_head h = head(T0);
	struct yg_feed_entry e = {.kind = YG_FEED_CONNECTION};
	e.connection.time.us = T0;
	e.connection.src = address(198, 7);
	e.connection.dst = dst;
	e.connection.port = 443;
	(void)yg_watch_entry(w, &h, &e, &(struct yg_watch_out){NULL, NULL, NULL});
	return yg_notices_counts(yg_watch_notices(w), YG_NOTICE_FLOOD).keys;
}

/* A service at a public address is one's own when it stands in a network of one's own. */
static void own_networks(void)
{
	struct yg_watch *w = made(0);
	struct yg_watch_network list[2];
	T_OK(yg_ip_prefix_parse(YG_SV("203.0.0.0/25"), &list[0].ip, &list[0].bits, &err) == YG_OK &&
	     yg_ip_prefix_parse(YG_SV("203.0.0.200"), &list[1].ip, &list[1].bits, &err) == YG_OK);
	T_OK(services(w, address(203, 9)) == 0);
	T_OK(yg_watch_networks(w, list, YG_LEN(list), &err) == YG_OK);
	T_OK(services(w, address(203, 9)) == 1 && services(w, address(203, 127)) == 2);
	T_OK(services(w, address(203, 128)) == 2 && services(w, address(203, 200)) == 3 &&
	     services(w, address(203, 201)) == 3 && services(w, address(204, 9)) == 3);
	yg_watch_free(w);
}

/* Many are found as few are: prefixes of all lengths, and addresses in and beside them. */
static void many_networks(void)
{
	struct yg_watch *few = made(0), *many = made(0);
	struct yg_watch_network list[600];
	struct yg_err none;
	size_t within = 0;
	uint64_t before = 0;
	bool ok = true;
	for (unsigned i = 0; i < YG_LEN(list); i++) {
		list[i] = (struct yg_watch_network){address(210 + i % 7, i * 97), 120 - i % 6};
		list[i].ip.b[15] = 0;
		list[i].ip.b[14] &= (uint8_t)(0xff00u >> (list[i].bits - 112));
		if (list[i].bits < 112)
			list[i].ip.b[14] = 0;
	}
	T_OK(yg_watch_networks(many, list, YG_LEN(list), &none) == YG_OK);
	for (unsigned i = 0; i < 300; i++) {
		struct yg_ip ip = address(208 + i % 11, i * 211);
		bool in = false;
		for (size_t k = 0; !in && k < YG_LEN(list); k += 16) { /* as few at a time */
			ok &= yg_watch_networks(few, list + k, YG_MIN((size_t)16, YG_LEN(list) - k),
						&none) == YG_OK;
			before = services(few, ip);
			in = before > within;
		}
		within = before;
		ok &= services(many, ip) == within;
	}
	T_NAMED(ok && within > 20 && within < 290, "one of many networks, as one of few");
	(void)printf("# %zu\n", within);
	T_OK(yg_watch_networks(many, list, 1, &none) == YG_OK &&
	     yg_watch_networks(many, list, 0, &none) == YG_OK);
	yg_watch_free(few);
	yg_watch_free(many);
}

static void spray_and_scan(void)
{
	struct yg_watch *w = made(0);
	struct seen s;
	struct yg_feed_head h = head(T0 + 60 * S);
	begin(&s);
	const struct yg_watch_out out = {&s, on_hit, on_notice};
	for (unsigned i = 0; i < 12; i++) {
		char user[16];
		struct yg_sb b = yg_sb_init(user, sizeof user);
		struct yg_feed_entry e = {.kind = YG_FEED_LOGIN};
		yg_sb_printf(&b, "user%u", i);
		e.login.time.us = T0 + i * S;
		e.login.user = yg_sb_sv(&b);
		e.login.src = address(203, 9);
		yg_feed_id(1, 5, i, e.login.id);
		(void)yg_watch_entry(w, &h, &e, &out);
	}
	T_OK(s.kinds[YG_NOTICE_SPRAY] == 1 && has(&s, "\"indicator\":\"spray:203.0.0.9\"") &&
	     has(&s, "\"title\":\"Password spraying: 203.0.0.9\"") &&
	     has(&s, "\"event_id\":\"e-1-5-9\"") && has(&s, "[\"kind\",\"spray\"]"));
	for (unsigned i = 0; i < 30; i++) {
		struct yg_feed_entry e = {.kind = YG_FEED_CONNECTION};
		e.connection.time.us = T0 + i * S;
		e.connection.src = address(10, 7);
		e.connection.dst = address(10, 100 + i);
		e.connection.port = 445;
		e.connection.flags = YG_FEED_SRC_INSIDE | YG_FEED_DST_INSIDE;
		(void)yg_watch_entry(w, &h, &e, &out);
	}
	T_OK(s.kinds[YG_NOTICE_SCAN] >= 1 && has(&s, "\"asset\":\"10.0.0.7\""));
	yg_watch_free(w);
	end(&s);
}

static bool same_words(const struct yg_notice *a, const struct yg_notice *b, bool japanese)
{
	char x[1024], y[1024];
	struct yg_sb p = yg_sb_init(x, sizeof x), q = yg_sb_init(y, sizeof y);
	yg_notice_words(a, japanese, &p);
	yg_notice_words(b, japanese, &q);
	return p.n > 20 && yg_sv_eq(yg_sb_sv(&p), yg_sb_sv(&q));
}

/* What is kept of a finding gives its words again, of every kind and in both languages. */
static void words_again(void)
{
	struct yg_notice n = {
		.score = 72, .flag = true, .numbers = {12, 90061, 5.25, 7, 0.5}, .top_count = 3};
	struct yg_buf b;
	yg_buf_init(&b, 1u << 16);
	for (uint8_t i = 0; i < 3; i++)
		n.top[i] = (struct yg_notice_source){address(203, i), 100 - i, 90};
	for (int k = 0; k < YG_NOTICE_KIND_COUNT; k++) {
		struct yg_notice back;
		n.kind = (enum yg_notice_kind)k;
		n.who = YG_SV("\xe7\x94\xb0\xe4\xb8\xad of \"a\" > b");
		b.n = 0;
		yg_watch_put_fields(&b, &n);
		T_OK(yg_watch_read_fields(yg_buf_sv(&b), &arena, &back) && back.score == 72 &&
		     back.kind == n.kind && yg_sv_eq(back.who, n.who));
		T_NAMED(same_words(&n, &back, false) && same_words(&n, &back, true),
			yg_notice_name(n.kind));
	}
	static const char *const none[] = {"",
					   "{}",
					   "[]",
					   "[[\"kind\",\"bacon\"]]",
					   "[[\"kind\"]]",
					   "[[\"kind\",\"flood\"],[\"source\",\"10.0.0.1\"]]",
					   "[[\"who\",\"x\"]]",
					   "[1]"};
	for (size_t i = 0; i < YG_LEN(none); i++) {
		struct yg_notice back;
		T_NAMED(!yg_watch_read_fields(yg_sv_of(none[i]), &arena, &back), none[i]);
	}
	yg_buf_free(&b);
}

static bool titled(const char *indicator, bool japanese, const char *want)
{
	char text[512];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	return yg_watch_title(yg_sv_of(indicator), japanese, &b) &&
	       yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want));
}

static void titles(void)
{
	T_OK(titled("beacon:10.0.0.1 > [2001:db8::1]:443", false,
		    "Beaconing: 10.0.0.1 > [2001:db8::1]:443"));
	T_OK(titled("silence:zeek of gate", false, "Source gone silent: zeek of gate"));
	T_OK(titled("silence:zeek of gate", true, "ログの途絶: zeek（gate）"));
	T_OK(titled("travel:田中", true, "あり得ない移動: 田中"));
	T_NAMED(titled("travel:a\x1b[2J", false, "Impossible travel: a\\x1b[2J") &&
			titled("travel:\xff", true, "あり得ない移動: \\xff") &&
			titled("travel:\xc2\x9b", false, "Impossible travel: \\xc2\\x9b"),
		"what drives a terminal is escaped");
	T_OK(!titled("r-01ABC", false, "") && !titled("spray", false, "") &&
	     !titled("evil:x", true, ""));
}

static void silent_source(void)
{
	struct yg_watch *w = made(0);
	struct seen s;
	begin(&s);
	const struct yg_watch_out out = {&s, on_hit, on_notice};
	int64_t t = T0;
	for (int i = 0; i < 1600; i++, t += 60 * S) {
		struct yg_feed_head h = head(t);
		struct yg_feed_entry e = {.kind = YG_FEED_RECORDS};
		e.records.count = 3;
		/* of hours ago: what counts is when they came */
		e.records.first.us = e.records.last.us = t - 7200 * S;
		yg_watch_comes(w, &h);
		(void)yg_watch_entry(w, &h, &e, &out);
		yg_watch_came(w, &h);
		if (i % 10 == 0)
			ticks(w, t, &s);
	}
	T_OK(s.notices == 0);
	ticks(w, t + 1200 * S, &s);
	T_OK(s.kinds[YG_NOTICE_SILENCE] == 1 && has(&s, "silence:syslog of gate"));
	ticks(w, t + 2400 * S, &s);
	T_NAMED(s.notices == 1, "told once");
	yg_watch_free(w);
	end(&s);
}

/* A clock that stood still for hours does not make what comes then an event of the future. */
static void stood_still(void)
{
	struct yg_watch *w = made(0);
	struct seen s;
	begin(&s);
	const struct yg_watch_out out = {&s, on_hit, on_notice};
	ticks(w, T0, &s);
	struct yg_feed_head h = head(T0 + 7200 * S);
	struct yg_feed_entry e = {.kind = YG_FEED_LOGIN};
	e.login.time.us = T0 + 7190 * S;
	e.login.user = YG_SV("bob");
	e.login.src = address(10, 1);
	yg_watch_comes(w, &h);
	T_OK(yg_watch_entry(w, &h, &e, &out) == YG_OK);
	T_OK(yg_notices_ahead(yg_watch_notices(w)) == 0);
	e.login.time.us = T0 + 9000 * S;
	T_OK(yg_watch_entry(w, &h, &e, &out) == YG_OK);
	T_OK(yg_notices_ahead(yg_watch_notices(w)) == 1);
	yg_watch_free(w);
	end(&s);
}

static void places(void)
{
	static const char text[] = "# where\n192.0.2.0/24, 35.68, 139.76, 50\n\n"
				   "192.0.2.128/25,40.7,-74,30\n2001:db8::/32,48.85,2.35,100\r\n"
				   "192.0.2.0/24,1,1,1\n";
	static const char *const bad[] = {
		"192.0.2.0/24,1,2",      "192.0.2.1/24,1,2,3",   "x,1,2,3",
		"192.0.2.0/24,91,2,3",   "192.0.2.0/24,1,181,3", "192.0.2.0/24,1,2,-3",
		"192.0.2.0/24,1,2,3,4",  "192.0.2.0/24,,2,3",    "192.0.2.0/24,1e1,2,3",
		"192.0.2.0/24,1.2.3,2,3"};
	struct yg_places *p = NULL;
	struct yg_place at;
	struct yg_ip ip;
	T_OK(yg_places_read(yg_sv_of(text), &p, &err) == YG_OK && yg_places_count(p) == 3);
	(void)yg_ip_parse(YG_SV("192.0.2.5"), &ip);
	T_OK(yg_places_find(p, ip, &at) && at.latitude > 35.6 && at.latitude < 35.7);
	(void)yg_ip_parse(YG_SV("192.0.2.200"), &ip);
	T_OK(yg_places_find(p, ip, &at) && at.longitude < -73.9 && at.radius > 29);
	(void)yg_ip_parse(YG_SV("2001:db8:1::1"), &ip);
	T_OK(yg_places_find(p, ip, &at) && at.latitude > 48);
	(void)yg_ip_parse(YG_SV("198.51.100.1"), &ip);
	T_OK(!yg_places_find(p, ip, &at));
	yg_places_free(p);
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_NAMED(yg_places_read(yg_sv_of(bad[i]), &p, &err) == YG_PARSE &&
				strstr(err.msg, "line 1") != NULL,
			bad[i]);
}

int main(void)
{
	env = yg_env_sim(&sim);
	read_rules();
	counted();
	long_title();
	excepted();
	over_a_save(2, false, 1);
	over_a_save(2, true, 1);
	over_a_save(0, false, 0);
	changed_rules();
	own_networks();
	many_networks();
	spray_and_scan();
	words_again();
	titles();
	silent_source();
	stood_still();
	places();
	yg_arena_free(&arena);
	return tap_done();
}
