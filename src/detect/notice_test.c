/* Findings beside rules: hand-made and generated rows of events, those that must not be
 * told of among them; saved and restored; torn files. */
#include "detect/notice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tap.h"

#define S    INT64_C(1000000)
#define HOUR (3600 * S)
#define DAY  (24 * HOUR)
#define T0   (INT64_C(1700006400) * S) /* 2023-11-15T00:00:00Z: the beginning of a day */

static struct yg_notices *n;
static struct yg_notice last;
static char who[300], english[600], japanese[600];
static unsigned told[YG_NOTICE_KIND_COUNT];

static uint64_t seed = 88172645463325252ull;
static double rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static void on_notice(void *ctx, const struct yg_notice *x)
{
	struct yg_sb w = yg_sb_init(who, sizeof who), e = yg_sb_init(english, sizeof english),
		     j = yg_sb_init(japanese, sizeof japanese);
	(void)ctx;
	last = *x;
	told[x->kind]++;
	yg_sb_put(&w, x->who);
	(void)yg_sb_cstr(&w);
	yg_notice_words(x, false, &e);
	yg_notice_words(x, true, &j);
	(void)yg_sb_cstr(&e);
	(void)yg_sb_cstr(&j);
	if (e.cut || j.cut || x->score < 1 || x->score > 100 || x->first.us > x->last.us)
		abort();
}

static void fresh(size_t keys)
{
	static struct yg_env_sim sim = {.seed = 11};
	struct yg_env env = yg_env_sim(&sim);
	yg_notices_free(n);
	n = NULL;
	memset(told, 0, sizeof told);
	memset(&last, 0, sizeof last);
	english[0] = '\0';
	if (yg_notices_new(&(struct yg_notices_opts){keys}, &env, &n, NULL) != YG_OK)
		abort();
}

static struct yg_ip ip(const char *text)
{
	struct yg_ip a;
	if (yg_ip_parse(yg_sv_of(text), &a) != YG_OK)
		abort();
	return a;
}

static void said(const char *want)
{
	if (!T_NAMED(strcmp(english, want) == 0, want))
		(void)printf("# said %s\n", english);
}

static struct yg_notice_connection out_to(const char *dst, uint16_t port, int64_t time)
{
	return (struct yg_notice_connection){.time = {time},
					     .src = ip("10.0.0.5"),
					     .dst = ip(dst),
					     .port = port,
					     .ok = true,
					     .src_inside = true};
}

static void see(struct yg_notice_connection c)
{
	if (yg_notices_connection(n, &c, on_notice, NULL) != YG_OK)
		abort();
}

/* ---- beaconing ---- */

static void test_beacon(void)
{
	fresh(1000);
	for (int i = 0; i < 15; i++)
		see(out_to("198.51.100.7", 443, T0 + i * 300 * S));
	T_OK(told[YG_NOTICE_BEACON] == 0);
	see(out_to("198.51.100.7", 443, T0 + 15 * 300 * S));
	T_OK(told[YG_NOTICE_BEACON] == 1 && last.score == 100 && last.numbers[1] == 300);
	said("10.0.0.5 > 198.51.100.7:443: the last 16 contacts came every 5 min, with a jitter of "
	     "0 %");
	T_OK(strcmp(japanese, "10.0.0.5 > 198.51.100.7:443：直近16回の通信が5分ごとの一定間隔"
			      "（ゆらぎ0%）") == 0);
	for (int i = 16; i < 200; i++)
		see(out_to("198.51.100.7", 443, T0 + i * 300 * S));
	T_NAMED(told[YG_NOTICE_BEACON] == 1, "not again within a day");
	fresh(1000);
	for (int i = 0; i < 30; i++) /* 20 % of jitter */
		see(out_to("2001:db8::7", 8443,
			   T0 + i * 60 * S + (int64_t)((rnd() - 0.5) * 12 * S)));
	T_OK(told[YG_NOTICE_BEACON] == 1 && strcmp(who, "10.0.0.5 > [2001:db8::7]:8443") == 0 &&
	     last.score >= 70 && last.score < 100);
	fresh(1000);
	for (int i = 15; i >= 0; i--)
		see(out_to("198.51.100.7", 443, T0 + i * 60 * S));
	T_NAMED(told[YG_NOTICE_BEACON] == 1, "in any order");
	fresh(1000);
	for (int i = 0; i < 40; i++)
		see(out_to("198.51.100.7", 443, T0 + 60 * S + i * 60 * S));
	see(out_to("198.51.100.7", 443, T0));
	T_NAMED(yg_notices_counts(n, YG_NOTICE_BEACON).late == 1, "older than all: late");
}

static void test_no_beacon(void)
{
	unsigned all = 0;
	for (int round = 0; round < 300; round++) { /* people, and what comes at random */
		int64_t t = T0;
		fresh(1000);
		for (int i = 0; i < 200; i++) {
			t += (int64_t)(-log(rnd()) * 60 * S);
			see(out_to("198.51.100.7", 443, t));
		}
		all += told[YG_NOTICE_BEACON];
	}
	(void)printf("# %u of 300 random rows of 200\n", all);
	T_NAMED(all <= 1, "contacts at random are no beacon");
	fresh(1000);
	for (int i = 0; i < 200; i++) /* pages: ten requests at once, then reading */
		see(out_to("198.51.100.7", 443,
			   T0 + i / 10 * (30 + 47 * (i / 10 % 5)) * S + i % 10 * S / 20));
	T_OK(told[YG_NOTICE_BEACON] == 0);
	fresh(1000);
	for (int i = 0; i < 200; i++) /* too fast: a stream */
		see(out_to("198.51.100.7", 443, T0 + i * 2 * S));
	T_OK(told[YG_NOTICE_BEACON] == 0);
}

/* ---- logins ---- */

static void login_at(int64_t time, unsigned user, const char *src, bool ok)
{
	char name[32];
	(void)snprintf(name, sizeof name, "user%u", user);
	struct yg_notice_login l = {
		.time = {time}, .user = yg_sv_of(name), .src = ip(src), .ok = ok};
	if (yg_notices_login(n, &l, on_notice, NULL) != YG_OK)
		abort();
}

static void test_spray(void)
{
	fresh(1000);
	for (unsigned i = 0; i < 9; i++)
		login_at(T0 + i * 60 * S, i, "203.0.113.9", false);
	T_OK(told[YG_NOTICE_SPRAY] == 0);
	login_at(T0 + 9 * 60 * S, 9, "203.0.113.9", false);
	T_OK(told[YG_NOTICE_SPRAY] == 1 && last.score == 60 && !last.flag);
	said("203.0.113.9: 10 accounts with 10 failed logins within 9 min");
	login_at(T0 + 10 * 60 * S, 3, "203.0.113.9", true);
	T_OK(told[YG_NOTICE_SPRAY] == 2 && last.score == 95 && last.flag);
	said("203.0.113.9: 10 accounts with 10 failed logins within 10 min, then a login to one of "
	     "them that succeeded");
	fresh(1000);
	for (unsigned i = 0; i < 200; i++) /* guessing at one */
		login_at(T0 + i * S, i % 2, "203.0.113.9", false);
	T_OK(told[YG_NOTICE_SPRAY] == 0);
	fresh(1000);
	for (unsigned i = 0; i < 20; i++) /* each half an hour: forgotten */
		login_at(T0 + i * 1801 * S, i, "203.0.113.9", false);
	T_OK(told[YG_NOTICE_SPRAY] == 0);
	fresh(1000);
	for (unsigned i = 0; i < 400; i++) /* a gate of many people: one in ten mistypes */
		login_at(T0 + i * 30 * S, i % 90, "203.0.113.9", i % 10 != 0);
	T_OK(told[YG_NOTICE_SPRAY] == 0);
	fresh(1000);
	for (unsigned i = 0; i < 10; i++) /* out of order */
		login_at(T0 + (i * 7 % 10) * 60 * S, i, "203.0.113.9", false);
	T_OK(told[YG_NOTICE_SPRAY] == 1);
	login_at(T0 - HOUR, 50, "203.0.113.9", false);
	T_OK(yg_notices_counts(n, YG_NOTICE_SPRAY).late == 1);
}

static void place(int64_t time, double latitude, double longitude, double radius)
{
	struct yg_notice_login l = {.time = {time},
				    .user = YG_SV("Hanako"),
				    .src = ip("192.0.2.1"),
				    .ok = true,
				    .placed = true,
				    .latitude = latitude,
				    .longitude = longitude,
				    .radius = radius};
	if (yg_notices_login(n, &l, on_notice, NULL) != YG_OK)
		abort();
}

static void test_travel(void)
{
	fresh(1000);
	place(T0, 35.68, 139.77, 0);          /* Tokyo */
	place(T0 + 2 * HOUR, 48.86, 2.35, 0); /* Paris: 9,712 km on the great circle */
	T_OK(told[YG_NOTICE_TRAVEL] == 1 && fabs(last.numbers[0] - 9712) < 15 &&
	     strcmp(who, "hanako") == 0 && last.score > 90);
	(void)printf("# %s\n", english);
	fresh(1000);
	place(T0, 35.68, 139.77, 0);
	place(T0 + 13 * HOUR, 48.86, 2.35, 0); /* by aeroplane */
	place(T0 + 14 * HOUR, 48.86, 2.35, 0);
	T_OK(told[YG_NOTICE_TRAVEL] == 0);
	place(T0 + HOUR, -33.87, 151.21, 0); /* Sydney, late: between the first two */
	T_OK(told[YG_NOTICE_TRAVEL] == 1 && last.first.us == T0 && last.last.us == T0 + HOUR);
	fresh(1000);
	place(T0, 35.68, 139.77, 0);
	place(T0 + 60 * S, 34.69, 135.50, 0); /* Osaka: 400 km, another exit of the network */
	T_OK(told[YG_NOTICE_TRAVEL] == 0);
	fresh(1000);
	place(T0, 35.68, 139.77, 500); /* as good as not known */
	place(T0 + HOUR, 43.06, 141.35, 200);
	T_OK(told[YG_NOTICE_TRAVEL] == 0);
	fresh(1000);
	place(T0, 0, 179.9, 0); /* over the date line: 22 km */
	place(T0 + S, 0, -179.9, 0);
	T_OK(told[YG_NOTICE_TRAVEL] == 0);
	place(T0 + S, 35.68, 139.77, 0); /* at one time */
	T_OK(told[YG_NOTICE_TRAVEL] == 1 && last.score == 100);
}

/* ---- scans ---- */

static void probe(int64_t time, unsigned host, uint16_t port, bool ok, bool inside)
{
	char text[32];
	(void)snprintf(text, sizeof text, "10.1.%u.%u", host / 250, host % 250 + 1);
	struct yg_notice_connection c = {.time = {time},
					 .src = ip(inside ? "10.0.0.5" : "203.0.113.66"),
					 .dst = ip(text),
					 .port = port,
					 .ok = ok,
					 .src_inside = inside,
					 .dst_inside = true};
	see(c);
}

/* A service that answers late, from 192.0.2.1 port 53; asked: the machine asked it before. */
static void answers(bool asked, uint16_t from)
{
	fresh(1000);
	if (asked)
		see((struct yg_notice_connection){.time = {T0},
						  .src = ip("10.0.0.5"),
						  .dst = ip("192.0.2.1"),
						  .port = 53,
						  .ok = true,
						  .src_inside = true});
	for (unsigned i = 0; i < 40; i++)
		see((struct yg_notice_connection){.time = {T0 + i * S},
						  .src = ip("192.0.2.1"),
						  .dst = ip("10.0.0.5"),
						  .port = (uint16_t)(50000 + i),
						  .src_port = from,
						  .dst_inside = true});
}

static void test_answers(void)
{
	answers(true, 53);
	T_NAMED(told[YG_NOTICE_SCAN] == 0, "late answers to what was asked are no scan");
	answers(false, 53);
	T_NAMED(told[YG_NOTICE_SCAN] > 0, "of nobody who was asked they are one");
	answers(true, 80);
	T_NAMED(told[YG_NOTICE_SCAN] > 0, "and from a service that was not asked");
}

/* What was tried an hour ago is forgotten, however busy the machine is elsewhere. */
static void test_asked_once(void)
{
	fresh(1000);
	see((struct yg_notice_connection){.time = {T0},
					  .src = ip("10.0.0.5"),
					  .dst = ip("192.0.2.1"),
					  .port = 53,
					  .ok = true,
					  .src_inside = true});
	for (unsigned i = 1; i <= 9; i++)
		see((struct yg_notice_connection){.time = {T0 + i * HOUR / 4},
						  .src = ip("10.0.0.5"),
						  .dst = ip("198.51.100.1"),
						  .port = 443,
						  .ok = true,
						  .src_inside = true});
	for (unsigned i = 0; i < 40; i++)
		see((struct yg_notice_connection){.time = {T0 + 9 * HOUR / 4 + i * S},
						  .src = ip("192.0.2.1"),
						  .dst = ip("10.0.0.5"),
						  .port = (uint16_t)(50000 + i),
						  .src_port = 53,
						  .dst_inside = true});
	T_NAMED(told[YG_NOTICE_SCAN] > 0, "what was tried hours ago is no answer's reason");
}

/* Somebody outside touches port 443 of a machine, which then calls home from that port. */
static void test_behind(void)
{
	fresh(1000);
	for (unsigned i = 0; i < 30; i++) {
		see((struct yg_notice_connection){.time = {T0 + i * 60 * S},
						  .src = ip("203.0.113.66"),
						  .dst = ip("10.0.0.5"),
						  .port = 443,
						  .ok = true,
						  .dst_inside = true});
		see((struct yg_notice_connection){.time = {T0 + i * 60 * S + S},
						  .src = ip("10.0.0.5"),
						  .dst = ip("203.0.113.66"),
						  .port = 8080,
						  .src_port = 443,
						  .ok = true,
						  .src_inside = true});
	}
	T_NAMED(told[YG_NOTICE_BEACON] > 0,
		"from a port that was tried it is a beacon all the same");
}

static void test_scan(void)
{
	fresh(1000);
	for (unsigned i = 0; i < 9; i++)
		probe(T0 + i * S, i, 445, false, true);
	T_OK(told[YG_NOTICE_SCAN] == 0);
	probe(T0 + 9 * S, 9, 445, false, true);
	T_OK(told[YG_NOTICE_SCAN] == 1 && !last.flag);
	said("10.0.0.5: from inside, 10 services tried for the first time and 10 of them without "
	     "success (hosts: 10, ports: 1)");
	fresh(1000);
	for (unsigned i = 0; i < 14; i++) /* ports of one host, one of six open */
		probe(T0 + i * S, 1, (uint16_t)(20 + i), i % 6 == 5, false);
	T_OK(told[YG_NOTICE_SCAN] == 1 && last.flag && last.numbers[2] == 1 && last.numbers[3] > 9);
	fresh(1000);
	for (unsigned i = 0; i < 100; i++) /* one service that is down, again and again */
		probe(T0 + i * S, 1, 443, false, true);
	T_OK(told[YG_NOTICE_SCAN] == 0);
	fresh(1000);
	for (unsigned i = 0; i < 20; i++) /* a failure each hour */
		probe(T0 + i * (HOUR + S), i, 443, false, true);
	T_OK(told[YG_NOTICE_SCAN] == 0);
	test_answers();
	test_asked_once();
	test_behind();
	unsigned wrong = 0, found = 0;
	for (unsigned round = 0; round < 100; round++) {
		fresh(1000);
		for (unsigned i = 0; i < 400; i++)
			probe(T0 + i * S, i, 443, rnd() < 0.8, true);
		wrong += told[YG_NOTICE_SCAN] > 0;
		fresh(1000);
		for (unsigned i = 0; i < 60; i++)
			probe(T0 + i * S, i, 443, rnd() < 0.2, true);
		found += told[YG_NOTICE_SCAN] > 0;
	}
	(void)printf("# of 100: %u harmless told, %u scanners found\n", wrong, found);
	T_OK(wrong == 0 && found >= 97);
}

/* ---- volume ---- */

static void send_bytes(int64_t time, double bytes)
{
	struct yg_notice_connection c = out_to("198.51.100.7", 443, time);
	c.bytes_out = (uint64_t)bytes;
	see(c);
}

static void test_volume(void)
{
	unsigned day = 0;
	fresh(1000);
	for (; day < 20; day++) /* 20 MB at night, 200 MB by day, give or take half */
		for (int hour = 0; hour < 24; hour++)
			for (int part = 0; part < 4; part++)
				send_bytes(T0 + day * DAY + hour * HOUR + part * 600 * S,
					   (hour < 8 ? 5e6 : 5e7) * (0.5 + rnd()));
	T_NAMED(told[YG_NOTICE_VOLUME] == 0, "its habit is not told of");
	send_bytes(T0 + day * DAY + 10 * HOUR, 2e8);
	T_NAMED(told[YG_NOTICE_VOLUME] == 0, "by day that much is usual");
	send_bytes(T0 + (day + 1) * DAY + 3 * HOUR, 2e8);
	T_NAMED(told[YG_NOTICE_VOLUME] == 1 && strcmp(who, "10.0.0.5") == 0, "at night it is not");
	(void)printf("# %s\n", english);
	send_bytes(T0 + (day + 1) * DAY + 3 * HOUR + S, 2e8);
	T_NAMED(told[YG_NOTICE_VOLUME] == 1, "an hour is told of once");
	send_bytes(T0 + day * DAY, 1e12);
	T_OK(told[YG_NOTICE_VOLUME] == 1 && yg_notices_counts(n, YG_NOTICE_VOLUME).late == 1);
	fresh(1000);
	for (day = 0; day < 6; day++)
		send_bytes(T0 + day * DAY, 2e7);
	send_bytes(T0 + day * DAY, 1e10);
	T_NAMED(told[YG_NOTICE_VOLUME] == 0, "six days are no habit");
	fresh(1000);
	for (day = 0; day < 20; day++)
		send_bytes(T0 + day * DAY, 1000);
	send_bytes(T0 + day * DAY, 9e6);
	T_NAMED(told[YG_NOTICE_VOLUME] == 0, "little is never told of");
}

/* ---- silence ---- */

static void tick(int64_t t)
{
	yg_notices_tick(n, (yg_wall){t}, on_notice, NULL);
}

static int64_t records(int64_t from, int64_t to, double mean_s)
{
	int64_t t = from, at = from;
	for (; t < to; t += (int64_t)(-log(rnd()) * mean_s * (double)S) + 1) {
		tick(t);
		if (yg_notices_record(n, YG_SV("fw-1"), (yg_wall){t}) != YG_OK)
			abort();
		at = t;
	}
	return at;
}

static void test_silence(void)
{
	fresh(1000);
	int64_t t = T0;
	for (int i = 0; i < 48; i++) {
		t = records(T0 + i * HOUR, T0 + (i + 1) * HOUR, 10);
		tick(T0 + (i + 1) * HOUR);
	}
	T_NAMED(told[YG_NOTICE_SILENCE] == 0, "gaps as ever");
	tick(t + 200 * S);
	T_OK(told[YG_NOTICE_SILENCE] == 0);
	tick(t + 301 * S);
	T_OK(told[YG_NOTICE_SILENCE] == 1 && last.first.us == t && strcmp(who, "fw-1") == 0);
	(void)printf("# %s\n", english);
	tick(t + HOUR);
	T_NAMED(told[YG_NOTICE_SILENCE] == 1, "once");
	t = records(t + HOUR, t + 2 * HOUR, 10);
	tick(t + HOUR);
	T_NAMED(told[YG_NOTICE_SILENCE] == 1, "twice the longest gap, which was an hour");
	tick(t + 3 * HOUR);
	T_OK(told[YG_NOTICE_SILENCE] == 2);
	fresh(1000);
	for (int i = 0; i < 5; i++) { /* bursts: office hours only */
		t = records(T0 + i * DAY, T0 + i * DAY + 8 * HOUR, 30);
		tick(t + 15 * HOUR);
	}
	T_NAMED(told[YG_NOTICE_SILENCE] == 0, "nights are known");
	tick(t + 33 * HOUR);
	T_NAMED(told[YG_NOTICE_SILENCE] == 1, "a day without is not");
	fresh(1000);
	t = records(T0, T0 + HOUR, 10);
	tick(t + 20 * HOUR);
	T_NAMED(told[YG_NOTICE_SILENCE] == 0, "an hour is no habit");
}

/* ---- floods ---- */

static void requests(int64_t from, unsigned seconds, double rate, const char *src)
{
	double t = 0;
	while ((t -= log(rnd()) / rate) < seconds) {
		char text[32];
		(void)snprintf(text, sizeof text, "198.51.100.%u", 1 + (unsigned)(rnd() * 200));
		struct yg_notice_connection c = {.time = {from + (int64_t)(t * (double)S)},
						 .src = ip(src != NULL ? src : text),
						 .dst = ip("192.0.2.80"),
						 .port = 443,
						 .ok = true,
						 .dst_inside = true};
		see(c);
	}
}

static void test_flood(void)
{
	fresh(1000);
	requests(T0, 3600, 5, NULL);
	T_NAMED(told[YG_NOTICE_FLOOD] == 0, "as ever");
	requests(T0 + HOUR, 20, 9, NULL);
	T_NAMED(told[YG_NOTICE_FLOOD] == 0, "less than twice as much for a moment");
	requests(T0 + HOUR + 20 * S, 600, 5, NULL);
	int64_t onset = T0 + HOUR + 620 * S;
	for (int i = 0; i < 30; i++) {
		requests(onset + i * S, 1, 60, "203.0.113.66");
		requests(onset + i * S, 1, 5, NULL);
	}
	tick(onset + 40 * S);
	T_OK(told[YG_NOTICE_FLOOD] == 1 && strcmp(who, "192.0.2.80:443") == 0 &&
	     last.first.us <= onset && last.time.us <= onset + 30 * S && last.top_count == 8 &&
	     yg_ip_eq(last.top[0].ip, ip("203.0.113.66")) && last.top[0].least > 300);
	(void)printf("# %s\n# %s\n", english, japanese);
	requests(onset + 40 * S, 3600, 5, NULL);
	tick(onset + 2 * HOUR);
	T_NAMED(told[YG_NOTICE_FLOOD] == 1, "one onset, told of once");
	unsigned wrong = 0;
	for (int round = 0; round < 6; round++) {
		fresh(1000);
		requests(T0, 3600, 20, NULL);
		wrong += told[YG_NOTICE_FLOOD];
	}
	T_NAMED(wrong == 0, "random requests are no flood");
	fresh(1000);
	for (int i = 0; i < 60; i++) /* grows by a tenth each minute: a busy morning */
		requests(T0 + i * 60 * S, 60, 2 + i * 0.2, NULL);
	T_OK(told[YG_NOTICE_FLOOD] == 0);
	requests(T0, 1, 1, NULL);
	T_OK(yg_notices_counts(n, YG_NOTICE_FLOOD).late > 0);
}

/* ---- all of it ---- */

static void mixed(int from, int to)
{
	for (int i = from; i < to; i++) {
		probe(T0 + i * 30 * S, (unsigned)i % 40, 445, i % 5 == 0, i % 2 == 0);
		see(out_to("198.51.100.7", 443, T0 + i * 30 * S));
		login_at(T0 + i * 30 * S, (unsigned)i % 14, "203.0.113.9", i % 9 == 0);
		place(T0 + i * 30 * S, 35 + i % 3, 139, 10);
		(void)yg_notices_record(n, YG_SV("fw-1"), (yg_wall){T0 + i * 30 * S});
		tick(T0 + i * 30 * S);
	}
}

static void save(struct yg_buf *b)
{
	yg_buf_init(b, (size_t)16 << 20);
	if (yg_notices_save(n, b) != YG_OK)
		abort();
}

static void test_saved(void)
{
	struct yg_buf half, again, whole, resumed, new_one;
	fresh(1000);
	mixed(0, 60);
	save(&half);
	mixed(60, 200);
	save(&whole);
	unsigned sum = 0;
	for (size_t k = 0; k < YG_LEN(told); k++)
		sum += told[k];
	T_OK(sum >= 3);
	fresh(1000);
	save(&new_one);
	size_t accepted = 0;
	for (size_t i = 0; i < half.n; i += 1 + i / 200) {
		accepted += yg_notices_restore(n, (struct yg_sv){half.p, i}, NULL) == YG_OK;
		half.p[i] = (char)(half.p[i] ^ 0x20);
		accepted += yg_notices_restore(n, yg_buf_sv(&half), NULL) == YG_OK;
		half.p[i] = (char)(half.p[i] ^ 0x20);
	}
	T_NAMED(accepted == 0, "a torn or changed file is refused");
	save(&again);
	T_NAMED(yg_sv_eq(yg_buf_sv(&again), yg_buf_sv(&new_one)), "and leaves it as new");
	yg_buf_free(&again);
	T_OK(yg_notices_restore(n, yg_buf_sv(&half), NULL) == YG_OK);
	save(&again);
	T_NAMED(yg_sv_eq(yg_buf_sv(&half), yg_buf_sv(&again)), "restored, it is the same file");
	mixed(60, 200);
	save(&resumed);
	T_NAMED(yg_sv_eq(yg_buf_sv(&whole), yg_buf_sv(&resumed)), "and goes on as if never saved");
	yg_buf_free(&half);
	yg_buf_free(&again);
	yg_buf_free(&whole);
	yg_buf_free(&resumed);
	yg_buf_free(&new_one);
}

/* One record from the future blinds nothing. */
static void test_ahead(void)
{
	fresh(1000);
	requests(T0, 3600, 5, NULL);
	tick(T0 + HOUR);
	requests(T0 + 400 * DAY, 1, 5, NULL);
	send_bytes(T0 + 400 * DAY, 1e9);
	login_at(T0 + 400 * DAY, 1, "203.0.113.9", false);
	(void)yg_notices_record(n, YG_SV("fw-1"), (yg_wall){T0 + 400 * DAY});
	T_OK(yg_notices_ahead(n) >= 4 && yg_notices_counts(n, YG_NOTICE_SILENCE).keys == 0);
	for (int i = 0; i < 30; i++) {
		tick(T0 + HOUR + i * S);
		requests(T0 + HOUR + i * S, 1, 60, NULL);
	}
	tick(T0 + HOUR + 40 * S);
	T_OK(told[YG_NOTICE_FLOOD] == 1 && yg_notices_counts(n, YG_NOTICE_FLOOD).late == 0);
	login_at(T0 + HOUR + 300 * S, 1, "203.0.113.9", false);
	T_NAMED(yg_notices_counts(n, YG_NOTICE_SPRAY).keys == 1, "five minutes ahead are taken");
}

static void test_bounds(void)
{
	fresh(10);
	for (unsigned i = 0; i < 300; i++)
		probe(T0 + i * S, i, 443, true, true);
	struct yg_notice_counts c = yg_notices_counts(n, YG_NOTICE_FLOOD);
	T_OK(c.keys == 10 && c.evicted == 290);
	struct yg_notice_connection odd = out_to("198.51.100.7", 443, INT64_MAX);
	see(odd);
	odd.time.us = -1;
	see(odd);
	odd.time.us = 0;
	see(odd);
	tick(INT64_MAX);
	tick(0);
	char name[2000];
	memset(name, 'A', sizeof name);
	T_OK(yg_notices_record(n, (struct yg_sv){name, sizeof name}, (yg_wall){T0}) == YG_OK);
	name[1999] = 'b';
	T_OK(yg_notices_record(n, (struct yg_sv){name, sizeof name}, (yg_wall){T0}) == YG_OK &&
	     yg_notices_counts(n, YG_NOTICE_SILENCE).keys == 2);
	for (unsigned k = 0; k < YG_NOTICE_KIND_COUNT; k++)
		T_OK(yg_notice_name((enum yg_notice_kind)k)[0] != '\0' &&
		     yg_notice_title((enum yg_notice_kind)k, true)[0] != '\0');
}

int main(void)
{
	test_beacon();
	test_no_beacon();
	test_spray();
	test_travel();
	test_scan();
	test_volume();
	test_silence();
	test_flood();
	test_saved();
	test_ahead();
	test_bounds();
	yg_notices_free(n);
	return tap_done();
}
