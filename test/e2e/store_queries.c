/* store_queries URL: runs every kind of query that Yagura itself sends to an
 * event store and prints what comes back, so that two servers can be compared
 * line by line.  Rows are made from their number alone. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/dns_summary.h"
#include "event/histogram.h"
#include "event/scan.h"
#include "os/env.h"

#define DAY0  1767225600000000LL /* 2026-01-01 */
#define ROWS  900u
#define PAGES 40u

static struct yg_ch *ch;
static struct yg_env env;
static int bad;

static void say(const char *what, yg_status st, const struct yg_err *err)
{
	(void)printf("%s: %s\n", what, yg_status_name(st));
	if (st != YG_OK) {
		bad++;
		(void)fprintf(stderr, "%s: %s\n", what, err->msg);
	}
}

static struct yg_ip ip4(uint32_t n)
{
	struct yg_ip ip = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, (uint8_t)(n >> 16),
				 (uint8_t)(n >> 8), (uint8_t)n}};
	return ip;
}

struct texts {
	char name[64], url[96], raw[160], ip[64];
	struct yg_sv names[4], answers[2];
};

static void make(struct yg_event *ev, struct texts *t, uint64_t batch, uint32_t row)
{
	static const struct yg_sv orgs[] = {YG_SV_INIT("alpha"), YG_SV_INIT("beta-city"),
					    YG_SV_INIT("gamma")};
	uint32_t n = (uint32_t)batch * 10000 + row;
	*ev = (struct yg_event){.org = orgs[n % 3],
				.spool = 3,
				.batch = batch,
				.row = row,
				.source = YG_SV("zeek")};
	ev->time = DAY0 + (int64_t)batch * 43200000000LL +
		   (int64_t)(row / 2) * 1000003; /* two at a time */
	ev->received = ev->time + 5000000;
	ev->day = yg_day_number((yg_wall){ev->received});
	ev->class_uid = n % 2 ? YG_OCSF_DNS_ACTIVITY : YG_OCSF_NETWORK_ACTIVITY;
	ev->severity_id = (uint8_t)(n % 7);
	ev->status_id = (uint8_t)(n % 3);
	ev->src_ip = ip4(n % 250);
	ev->dst_ip = n % 5 == 0 ? (struct yg_ip){.b = {0x20, 1, 0x0d, 0xb8, [15] = (uint8_t)n}}
				: ip4(n % 65000);
	ev->dst_port = (uint16_t)(n % 60000);
	ev->bytes_in = (uint64_t)n * n;
	ev->duration = n % 4 == 0 ? -(int64_t)n : (int64_t)n * 1000000;
	(void)snprintf(t->name, sizeof t->name, "host%u.example%s", n % 97, n % 2 ? ".net" : "");
	(void)snprintf(t->url, sizeof t->url, "http://%s/log_in?a=%u%%20'x'", t->name, n);
	(void)snprintf(
		t->raw, sizeof t->raw,
		"{\"n\":%u,\"path\":\"C:\\\\temp\\\\%u\",\"q\":\"it's \\\"x\\\"\",\"t\":\"a\\tb\"}",
		n, n % 10);
	struct yg_sb b = yg_sb_init(t->ip, sizeof t->ip);
	yg_ip_format(&b, ev->src_ip);
	if (ev->class_uid == YG_OCSF_DNS_ACTIVITY)
		ev->verdict = n % 11 == 0   ? YG_SV("blocked")
			      : n % 13 == 0 ? YG_SV("dropped")
					    : YG_SV("passed");
	ev->query = ev->class_uid == YG_OCSF_DNS_ACTIVITY ? yg_sv_of(t->name) : YG_SV("");
	ev->dst_host = yg_sv_of(t->name);
	ev->url = yg_sv_of(t->url);
	ev->user = n % 3 == 0 ? YG_SV("Taro Yamada") : YG_SV("");
	t->names[0] = yg_sv_of(t->name);
	t->names[1] = yg_sb_sv(&b);
	ev->names = (struct yg_strs){t->names, 2};
	t->answers[0] = YG_SV("A.Example");
	ev->answers = (struct yg_strs){t->answers, n % 2};
	ev->raw = yg_sv_of(t->raw);
}

static void insert(uint64_t batch, uint32_t first, uint32_t end)
{
	struct yg_buf rows;
	struct yg_err err = {0};
	char id[64];
	yg_buf_init(&rows, 64u << 20);
	for (uint32_t row = first; row < end; row++) {
		struct yg_event ev;
		struct texts t;
		make(&ev, &t, batch, row);
		yg_event_row(&ev, &rows);
	}
	(void)snprintf(id, sizeof id, "yg-3-%llu-%llu", (unsigned long long)batch,
		       (unsigned long long)batch);
	say("insert", yg_event_table_insert(ch, id, yg_buf_sv(&rows), &err), &err);
	say("settle", yg_ch_settle(ch, id, &err), &err);
	yg_buf_free(&rows);
}

static void delivered(void)
{
	uint64_t counts[8] = {0};
	struct yg_err err = {0};
	say("delivered", yg_event_table_delivered(ch, 3, 0, 7, counts, &err), &err);
	for (size_t i = 0; i < 8; i++)
		(void)printf(" %llu", (unsigned long long)counts[i]);
	(void)printf("\n");
}

static void rows_of(uint64_t batch)
{
	struct yg_arena arena;
	struct yg_err err = {0};
	uint32_t *rows = NULL;
	size_t n = 0;
	yg_arena_init(&arena, 16u << 20);
	say("rows", yg_event_table_rows(ch, 3, batch, &arena, &rows, &n, &err), &err);
	(void)printf(" %zu: %u..%u\n", n, n > 0 ? rows[0] : 0, n > 0 ? rows[n - 1] : 0);
	yg_arena_free(&arena);
}

/* Every page of a search; how many events, and a sum of all their bytes in order. */
static void search(const char *q, struct yg_search_scope scope)
{
	struct yg_arena arena;
	struct yg_search s;
	struct yg_err err = {0};
	struct yg_search_page page = {.more = true};
	size_t n = 0, pages = 0;
	uint32_t sum = 0;
	yg_arena_init(&arena, 64u << 20);
	yg_status st = yg_search_compile(yg_sv_of(q), &arena, &s, &err);
	while (st == YG_OK && page.more && pages++ < PAGES) {
		st = yg_search_run(ch, &s, &scope, &env, &arena, &page, &err);
		for (size_t i = 0; st == YG_OK && i < page.n; i++) {
			struct yg_buf row;
			yg_buf_init(&row, 1u << 20);
			yg_event_row(&page.events[i], &row);
			sum = yg_crc32c(sum, row.p, row.n);
			yg_buf_free(&row);
		}
		n += page.n;
		scope.after = page.next;
		scope.has_after = true;
	}
	say(q, st, &err);
	(void)printf(" %zu events, %zu pages, %08x\n", n, pages, sum);
	yg_arena_free(&arena);
}

static void searches(void)
{
	static const struct yg_sv one[] = {YG_SV_INIT("beta-city")},
				  two[] = {YG_SV_INIT("alpha"), YG_SV_INIT("gamma")};
	const struct yg_search_scope all = {.all_orgs = true, .limit = 100};
	static const char *const queries[] = {"host7.example.net",
					      "HOST7.example",
					      "10.0.0.9",
					      "10.0.0.0/30",
					      "2001:db8::/32",
					      "*7.example",
					      "query:host3.example.net",
					      "-query:*",
					      "dst_host:host1*.example",
					      "user:\"taro yamada\" dst_port:>30000",
					      "url:*log_in?a=10020%*",
					      "url:\"http://host\"",
					      "class:dns_activity severity:>=critical",
					      "status:failure -class:4003",
					      "bytes_in:100000000..110000000",
					      "duration:<0",
					      "duration:>=10s duration:<=11000s",
					      "answers:a.example dst_port:1..50",
					      "answers:* bytes_in:<100000001",
					      "src_ip:10.0.0.7",
					      "dst_ip:2001:db8::5",
					      "ip:10.0.0.0/29 port:<20010",
					      "\"it's \\\"x\\\"\" dst_port:20001",
					      "C:\\temp\\7 dst_port:>30800",
					      "\"N\\\":10001\"",
					      "(dst_port:10001 OR dst_port:20002) -org:alpha",
					      "NOT (user:* OR class:4001)",
					      "time:2026-01-01T12:00:00Z..2026-01-01T12:00:10Z",
					      "time:>=2026-01-02T12:07:00Z",
					      "names:host5.example",
					      "name:*5.example.net source:zeek",
					      "org:gamma row:<5",
					      "it's host:*",
					      "nothing.here.example",
					      "a\\b",
					      "batch:2 row:17",
					      "received:>0 received:<9223372036854775807 row:3"};
	for (size_t i = 0; i < YG_LEN(queries); i++)
		search(queries[i], all);
	search("", (struct yg_search_scope){.all_orgs = true, .limit = 200});
	search("", (struct yg_search_scope){.orgs = one, .org_count = 1, .limit = 37});
	search("org:alpha", (struct yg_search_scope){.orgs = one, .org_count = 1, .limit = 37});
	search("", (struct yg_search_scope){.orgs = two,
					    .org_count = 2,
					    .limit = 200,
					    .from = {DAY0 + 86400000000LL},
					    .to = {DAY0 + 86400000000LL + 100000000}});
	search("", (struct yg_search_scope){.limit = 10});
}

static struct yg_histogram histogram_of(const char *q, const struct yg_search_scope *scope,
					uint32_t buckets)
{
	struct yg_arena arena;
	struct yg_search s;
	struct yg_err err = {0};
	struct yg_histogram h = {0};
	yg_arena_init(&arena, 1u << 20);
	yg_status st = yg_search_compile(yg_sv_of(q), &arena, &s, &err);
	if (st == YG_OK)
		st = yg_histogram_run(ch, &s, scope, buckets, &h, &err);
	if (st != YG_OK)
		say(q, st, &err);
	yg_arena_free(&arena);
	return h;
}

/* Newest first, a part at a time, as often as it takes; the clock stands still or moves by
 * itself, so that a part is as wide as it can be or the least. */
static struct yg_histogram histogram_parts(const char *q, const struct yg_search_scope *scope,
					   uint32_t buckets, const struct yg_env *by)
{
	struct yg_arena arena;
	struct yg_search s;
	struct yg_err err = {0};
	struct yg_histogram h = {0}, sum = {0};
	struct yg_histogram_ask ask = {.buckets = buckets, .most_us = 50000};
	yg_arena_init(&arena, 1u << 20);
	yg_status st = yg_search_compile(yg_sv_of(q), &arena, &s, &err);
	while (st == YG_OK) {
		st = yg_histogram_newest(ch, &s, scope, &ask, by, &h, &err);
		for (size_t i = 0; i < h.n; i++)
			sum.count[i] += h.count[i];
		sum.total += h.total;
		sum.n = h.n;
		ask.before_us = h.counted_from;
		if (h.counted_from <= scope->from.us)
			break;
	}
	if (st != YG_OK)
		say(q, st, &err);
	yg_arena_free(&arena);
	return sum;
}

static int64_t ticks;
static yg_mono ticking(void *ctx)
{
	(void)ctx;
	return (yg_mono){ticks += 60000};
}

/* By the counters of hours, and the same with a condition that they do not know. */
static void histogram(const char *q, struct yg_search_scope scope, uint32_t buckets)
{
	char read[200];
	(void)snprintf(read, sizeof read, "%s%s received:>0", q, q[0] != '\0' ? " AND" : "");
	struct yg_histogram a = histogram_of(q, &scope, buckets),
			    b = histogram_of(read, &scope, buckets);
	static int parts_left = 4; /* a few of them */
	struct yg_env slow = env;
	slow.mono = ticking;
	bool parts = parts_left-- > 0;
	struct yg_histogram c = parts ? histogram_parts(read, &scope, buckets, &env) : a,
			    d = parts ? histogram_parts(read, &scope, buckets, &slow) : a;
	bool same = a.n == b.n && a.from_us == b.from_us && a.total == b.total &&
		    memcmp(a.count, b.count, sizeof a.count) == 0 && c.total == a.total &&
		    memcmp(a.count, c.count, sizeof a.count) == 0 && d.total == a.total &&
		    memcmp(a.count, d.count, sizeof a.count) == 0;
	(void)printf("histogram %s: %lld s, %llu events, %s:", q,
		     (long long)(a.width_us / YG_US_PER_S), (unsigned long long)a.total,
		     same ? "as read" : "OTHER THAN READ");
	for (size_t i = 0; i < a.n; i++)
		if (a.count[i] > 0)
			(void)printf(" %zu:%llu", i, (unsigned long long)a.count[i]);
	(void)printf("\n");
}

static void histograms(void)
{
	static const struct yg_sv one[] = {YG_SV_INIT("beta-city")},
				  two[] = {YG_SV_INIT("alpha"), YG_SV_INIT("gamma")};
	static const char *const queries[] = {"",
					      "class:dns_activity",
					      "-class:dns_activity",
					      "class:4001 OR org:alpha",
					      "class:>4001 -org:*a",
					      "class:* row:>100",
					      "org:* query:host3.example.net"};
	struct yg_search_scope all = {.all_orgs = true,
				      .from = {DAY0 + 43200000000LL + 100000000},
				      .to = {DAY0 + 3 * 43200000000LL + 200000001}};
	for (size_t i = 0; i < YG_LEN(queries); i++)
		histogram(queries[i], all, 40);
	histogram("", all, 400); /* narrower than an hour */
	histogram("", all, 1);
	struct yg_search_scope s = all;
	s.all_orgs = false;
	histogram("", s, 40);
	s.orgs = one;
	s.org_count = 1;
	histogram("org:alpha", s, 40);
	histogram("", s, 40);
	s.orgs = two;
	s.org_count = 2;
	histogram("class:4003", s, 40);
	s.period_from.us = DAY0 + 2 * 43200000000LL + 1; /* an auditor's */
	s.period_to.us = DAY0 + 2 * 43200000000LL + 300000001;
	histogram("", s, 40);
	s.period_to.us = DAY0 + 9 * 43200000000LL;
	histogram("", s, 40);
	all.to.us = all.from.us + 60000000; /* within one hour */
	histogram("", all, 1);
	all.from.us = -5 * 43200000000LL;
	all.to.us = DAY0 + 90 * 43200000000LL;
	histogram("", all, 300);
}

struct scanned {
	size_t n, wrong; /* wrong: not newest first within their organisation */
	uint32_t sum;    /* of the ids, in any order */
	int64_t time;
	char org[64];
};

static uint32_t id_sum(const struct yg_event *ev)
{
	const uint64_t id[3] = {ev->spool, ev->batch, ev->row};
	return yg_crc32c(yg_crc32c(0, id, sizeof id), ev->url.p, ev->url.n);
}

static yg_status on_scanned(void *ctx, const struct yg_event *ev, struct yg_err *err)
{
	struct scanned *x = ctx;
	(void)err;
	if (yg_sv_eq(ev->org, yg_sv_of(x->org)) && ev->time > x->time)
		x->wrong++;
	x->time = ev->time;
	(void)snprintf(x->org, sizeof x->org, "%.*s", (int)ev->org.n, ev->org.p);
	x->sum += id_sum(ev);
	x->n++;
	return YG_OK;
}

/* A scan finds what the pages of the search find. */
static void scan(const char *q, struct yg_search_scope scope, uint32_t chunk)
{
	struct yg_arena arena;
	struct yg_search s;
	struct yg_scan at = {0};
	struct yg_err err = {0};
	struct yg_search_page page = {.more = true};
	struct scanned pages = {0}, x = {0};
	size_t chunks = 0;
	yg_arena_init(&arena, 64u << 20);
	yg_status st = yg_search_compile(yg_sv_of(q), &arena, &s, &err);
	scope.limit = YG_PAGE_MAX;
	while (st == YG_OK && page.more) {
		st = yg_search_run(ch, &s, &scope, &env, &arena, &page, &err);
		for (size_t i = 0; st == YG_OK && i < page.n; i++)
			(void)on_scanned(&pages, &page.events[i], NULL);
		scope.after = page.next;
		scope.has_after = true;
	}
	scope.has_after = false;
	scope.limit = chunk;
	if (st == YG_OK)
		st = yg_scan_begin(ch, &s, &scope, &arena, &at, &err);
	for (; st == YG_OK && !at.done && chunks < 10000; chunks++)
		st = yg_scan_next(ch, &s, &scope, &at, on_scanned, &x, &err);
	say("scan", st, &err);
	bool same = at.counted && at.total == x.n && x.n == pages.n && x.sum == pages.sum;
	bad += !same || x.wrong > 0;
	(void)printf(" %s: %zu of %llu scanned, %zu wrong, %s, %s\n", q, x.n,
		     (unsigned long long)at.total, x.wrong, same ? "the same" : "others",
		     chunks > 1 ? "in chunks" : "at once");
	yg_arena_free(&arena);
}

/* Names blocked by organisation: by the counters where the times are whole hours. */
static void blocks_of(int64_t from_us, int64_t before_us, int64_t to_us)
{
	static const struct yg_sv one[] = {YG_SV_INIT("beta-city")};
	const struct yg_search_scope scopes[] = {
		{.all_orgs = true}, {.orgs = one, .org_count = 1}, {0}};
	for (size_t k = 0; k < YG_LEN(scopes); k++) {
		struct yg_search_scope s = scopes[k];
		struct yg_dns_summary sum;
		struct yg_arena arena;
		struct yg_err err = {0};
		s.from.us = from_us;
		s.to.us = to_us;
		yg_arena_init(&arena, 16u << 20);
		say("blocks", yg_dns_blocks_run(ch, &s, before_us, &arena, &sum, &err), &err);
		for (size_t i = 0; i < sum.n; i++)
			(void)printf(" " YG_SV_FMT " %llu = %llu + %llu\n",
				     YG_SV_ARG(sum.rows[i].a), (unsigned long long)sum.rows[i].n,
				     (unsigned long long)sum.rows[i].blocked,
				     (unsigned long long)sum.rows[i].noted);
		yg_arena_free(&arena);
	}
}

static void blocks(void)
{
	const int64_t hour = 3600000000LL;
	const int64_t from = DAY0 + 24 * hour, before = DAY0, to = DAY0 + 60 * hour;
	blocks_of(from, before, to);
	blocks_of(from, before, to + 77777777);  /* the last hour has begun */
	blocks_of(from + 1, before + 1, to + 1); /* no whole hours */
	blocks_of(from, from - hour, from + 120000000);
}

static void scans(void)
{
	static const struct yg_sv one[] = {YG_SV_INIT("beta-city")},
				  two[] = {YG_SV_INIT("alpha"), YG_SV_INIT("gamma")};
	static struct yg_search_net net = {.ip = {.b = {[10] = 0xff, [11] = 0xff, [12] = 10}},
					   .bits = 124};
	static const struct yg_search_system system = {
		.org = YG_SV_INIT("beta-city"),
		.nets = &net,
		.net_count = 1,
	};
	const struct yg_search_scope all = {.all_orgs = true, .to = {INT64_MAX}};
	const struct yg_search_scope some = {.orgs = two,
					     .org_count = 2,
					     .systems = &system,
					     .system_count = 1,
					     .period_from = {DAY0 + 43200000000LL + 1000003 * 30}};
	scan("", all, 0);
	scan("", all, 100);
	scan("org:gamma", all, 40);
	scan("query:host3.example.net", all, 7);
	scan("nothing.here.example", all, 7);
	scan("", (struct yg_search_scope){.orgs = one, .org_count = 1}, 90);
	scan("-query:*", some, 25);
	scan("", some, 0);
	scan("", (struct yg_search_scope){.systems = &system, .system_count = 1}, 3);
	scan("", (struct yg_search_scope){0}, 3);
}

static void get(uint64_t batch, uint32_t row)
{
	static const struct yg_sv one[] = {YG_SV_INIT("beta-city")};
	struct yg_arena arena;
	struct yg_event ev;
	struct yg_err err = {0};
	yg_arena_init(&arena, 1u << 20);
	struct yg_search_scope scope = {.all_orgs = true}, other = {.orgs = one, .org_count = 1};
	yg_status st = yg_search_get(ch, &scope, 3, batch, row, &arena, &ev, &err);
	(void)printf("get: %s %.*s\n", yg_status_name(st), st == YG_OK ? (int)ev.raw.n : 0,
		     st == YG_OK ? ev.raw.p : "");
	st = yg_search_get(ch, &other, 3, batch, row, &arena, &ev, &err);
	(void)printf("get as beta-city: %s\n", yg_status_name(st));
	yg_arena_free(&arena);
}

static void ask(const char *what, struct yg_ch_query q)
{
	struct yg_buf out;
	struct yg_err err = {0};
	yg_buf_init(&out, 4096);
	yg_status st = yg_ch_query(ch, &q, &out, &err);
	(void)printf("%s: %s %.*s\n", what, yg_status_name(st), st == YG_OK ? (int)out.n : 0,
		     out.p != NULL ? out.p : "");
	yg_buf_free(&out);
}

static void limits(void)
{
	struct yg_ch_param p[] = {
		{.name = "s", .value = YG_SV("a'b\\c\td\ne\0f[")},
		{.name = "n", .value = YG_SV("-5")},
		{.name = "a", .value = YG_SV("['x','it\\'s','\\\\']"), .array = true}};
	ask("parameters",
	    (struct yg_ch_query){
		    .sql = YG_SV(
			    "SELECT {s:String}, length({s:String}), {n:Int64} + 1, {a:Array(String)}, length({a:Array(String)}[3])"),
		    .format = "TabSeparated",
		    .params = p,
		    .param_count = 3});
	ask("no such table",
	    (struct yg_ch_query){.sql = YG_SV("SELECT 1 FROM nosuch"), .format = "TabSeparated"});
	ask("syntax", (struct yg_ch_query){.sql = YG_SV("SELECT FROM"), .format = "TabSeparated"});
	ask("time",
	    (struct yg_ch_query){
		    .sql = YG_SV("SELECT count() FROM system.numbers WHERE sipHash64(number) = 1"),
		    .format = "TabSeparated",
		    .max_seconds = 1});
	ask("rows", (struct yg_ch_query){.sql = YG_SV("SELECT count() FROM event WHERE row >= 0"),
					 .format = "TabSeparated",
					 .max_rows_read = 10});
	ask("large",
	    (struct yg_ch_query){.sql = YG_SV("SELECT number FROM system.numbers LIMIT 10000"),
				 .format = "TabSeparated"});
	ask("json",
	    (struct yg_ch_query){
		    .sql = YG_SV(
			    "SELECT org, toUInt32(count()) AS n FROM event GROUP BY org ORDER BY org"),
		    .format = "JSONEachRow"});
}

static void change(const char *sql)
{
	struct yg_err err = {0};
	struct yg_buf none;
	yg_buf_init(&none, 4096);
	say(sql, yg_ch_query(ch, &(struct yg_ch_query){.sql = yg_sv_of(sql)}, &none, &err), &err);
	yg_buf_free(&none);
}

/* Rows of an organisation that is removed: 18.16 comes back before they are gone. */
static void remove_gamma(void)
{
	struct yg_histogram h = {.total = 1};
	static const struct yg_sv gamma[] = {YG_SV_INIT("gamma")};
	const struct yg_search_scope s = {
		.orgs = gamma, .org_count = 1, .from = {DAY0}, .to = {DAY0 + 900000000000LL}};
	change("ALTER TABLE yagura.event DELETE WHERE org = 'gamma'");
	for (int i = 0; i < 200 && h.total > 0; i++) {
		h = histogram_of("received:>0", &s, 10);
		(void)usleep(h.total > 0 ? 50000 : 0);
	}
	(void)printf(" of gamma are left: %llu\n", (unsigned long long)h.total);
}

int main(int argc, char **argv)
{
	struct yg_err err = {0};
	struct yg_env_real *real = calloc(1, sizeof *real);
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	if (real == NULL || yg_ch_open(&conf, &ch, &err) != YG_OK)
		return 2;
	env = yg_env_real(real, "test", 0);
	if (argc > 2) { /* a table of an older program, as it is brought up to date */
		say("ensure", yg_event_table_ensure(ch, &err), &err);
		histograms();
		blocks();
		yg_ch_close(ch);
		free(real);
		return bad != 0;
	}
	(void)printf("ping %d\n", yg_ch_ping(ch));
	(void)fprintf(stderr, "version %u\n", yg_ch_version(ch));
	for (int i = 0; i < 2; i++)
		say("ensure", yg_event_table_ensure(ch, &err), &err);
	delivered();
	for (uint64_t batch = 1; batch <= 3; batch++)
		insert(batch, 0, ROWS);
	insert(5, 10, 20);
	delivered();
	rows_of(2);
	rows_of(5);
	rows_of(6);
	searches();
	scans();
	histograms();
	blocks();
	get(2, 17);
	get(2, 18);
	get(2, 65535);
	limits();
	remove_gamma();
	histograms();
	blocks();
	uint32_t dropped = 0;
	say("retain", yg_event_table_retain(ch, 20260102, &dropped, &err), &err);
	(void)printf(" dropped %u\n", dropped);
	delivered();
	histograms();
	say("retain", yg_event_table_retain(ch, 20260102, &dropped, &err), &err);
	(void)printf(" dropped %u\n", dropped);
	yg_ch_close(ch);
	free(real);
	return bad != 0;
}
