/* events.c - events of many organisations over the last days, made by number: as the
 * logs of sensors, read by the normalisers and inserted as ingest does it.  Event n is
 * e-1-(1 + n / BLOCK)-(n % BLOCK), so that the alerts of fill.c can name theirs.
 *
 * Blocks that are in the store are left as they are: what was broken off goes on.
 *
 * usage: bench_console_events STORE_URL ORGANISATIONS EVENTS DAYS FROM
 * FROM: the time of event 0 in microseconds */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "event/normalize.h"
#include "event/table.h"
#include "os/env.h"

#define SYSLOG_ONE_IN 8u

static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;

struct maker {
	struct yg_ch *ch;
	struct yg_norm *zeek, *syslog;
	struct yg_buf text, rows, block;
	uint64_t orgs, events;
	int64_t from, span; /* of all events, microseconds */
	uint64_t *there;    /* of each block, rows in the store */
};

static int fail(const char *what)
{
	(void)fprintf(stderr, "bench_console_events: %s: %s\n", what, err.msg);
	return 1;
}

/* A well mixed number of n. */
static uint64_t mix(uint64_t n)
{
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
	n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
	return n ^ (n >> 31);
}

static int64_t time_of(const struct maker *m, uint64_t n)
{
	return m->from +
	       (int64_t)((double)n * (double)m->span / (double)YG_MAX(m->events, (uint64_t)1));
}

/* Names as they are asked for: a thousand of them make up half of the questions. */
static void put_name(struct yg_buf *b, uint64_t n, uint64_t r)
{
	if (n % YG_BENCH_EVIL == 0)
		yg_buf_printf(b, "www.evil%" PRIu64 ".example", n / YG_BENCH_EVIL % 5003);
	else if (r & 1)
		yg_buf_printf(b, "www.site%" PRIu64 ".example", (r >> 1) % 1000);
	else
		yg_buf_printf(b, "h%" PRIu64 ".zone%" PRIu64 ".example", (r >> 1) % 200000,
			      (r >> 20) % 1000);
}

static void put_zeek(const struct maker *m, uint64_t n, struct yg_buf *b)
{
	static const char *const paths[] = {"dns",  "dns",  "dns", "dns",  "conn",
					    "conn", "conn", "ssl", "http", "dns"};
	uint64_t r = mix(n), kind = (r >> 50) % YG_LEN(paths);
	int64_t at = time_of(m, n);
	yg_buf_printf(
		b,
		"{\"_path\":\"%s\",\"ts\":%" PRId64 ".%06d,\"uid\":\"C%016" PRIx64
		"\",\"id.orig_h\":\"10.%u.%u.%u\",\"id.orig_p\":%u,\"id.resp_h\":\"%u.%u.%u.%u\",",
		paths[kind], at / 1000000, (int)(at % 1000000), r, (unsigned)(n % m->orgs % 256),
		(unsigned)(r >> 8 & 15), (unsigned)(r & 255), (unsigned)(1024 + (r >> 16 & 32767)),
		(unsigned)(11 + (r >> 24 & 127)), (unsigned)(r >> 32 & 3),
		(unsigned)(r >> 36 & 255), (unsigned)(r >> 44 & 255));
	if (paths[kind][0] == 'c') {
		yg_buf_printf(
			b,
			"\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl\",\"duration\":%u.5,"
			"\"orig_bytes\":%u,\"resp_bytes\":%u,\"conn_state\":\"SF\",\"orig_pkts\":12,\"resp_pkts\":15}\n",
			(unsigned)(r & 63), (unsigned)(r >> 20 & 8191), (unsigned)(r >> 40));
		return;
	}
	yg_buf_printf(b, "\"id.resp_p\":%s,%s\":\"",
		      paths[kind][0] == 'd'   ? "53,\"proto\":\"udp\""
		      : paths[kind][0] == 's' ? "443"
					      : "80,\"method\":\"GET\"",
		      paths[kind][0] == 'd'   ? "\"query"
		      : paths[kind][0] == 's' ? "\"server_name"
					      : "\"host");
	put_name(b, n, r);
	yg_buf_printf(
		b, "\",%s}\n",
		paths[kind][0] == 'd' ? "\"qtype_name\":\"A\",\"rcode_name\":\"NOERROR\""
		: paths[kind][0] == 's'
			? "\"version\":\"TLSv13\",\"established\":true"
			: "\"uri\":\"/index.html\",\"status_code\":200,\"user_agent\":\"Mozilla/5.0\"");
}

static void put_syslog(const struct maker *m, uint64_t n, struct yg_buf *b)
{
	char time[40];
	struct yg_sb t = yg_sb_init(time, sizeof time);
	uint64_t r = mix(n);
	yg_time_format(&t, (yg_wall){time_of(m, n)});
	yg_buf_printf(
		b,
		"<38>1 %.*s web%u sshd %u - - %s password for user%u from 10.%u.%u.%u port %u ssh2\n",
		(int)t.n, time, (unsigned)(r & 7), (unsigned)(1000 + (r >> 3 & 4095)),
		(r >> 20 & 7) == 0 ? "Failed" : "Accepted", (unsigned)(r >> 24 & 1023),
		(unsigned)(n % m->orgs % 256), (unsigned)(r >> 40 & 15), (unsigned)(r >> 44 & 255),
		(unsigned)(1024 + (r >> 48 & 32767)));
}

/* The events [from, to) of one block, as `source` brings them. */
static int take(struct maker *m, struct yg_norm *norm, const char *source, uint64_t from,
		uint64_t to)
{
	struct yg_event ev;
	uint64_t n = from;
	m->text.n = 0;
	for (uint64_t i = from; i < to; i++)
		(norm == m->zeek ? put_zeek : put_syslog)(m, i, &m->text);
	yg_norm_begin(norm, yg_buf_sv(&m->text), (yg_wall){time_of(m, to)}, false);
	for (; yg_norm_next(norm, &ev); n++) {
		char org[32];
		(void)snprintf(org, sizeof org, "org-%" PRIu64, n % m->orgs);
		ev.org = yg_sv_of(org);
		ev.source = yg_sv_of(source);
		ev.sensor = YG_SV("sensor-1");
		ev.received = ev.time + 2 * YG_US_PER_S;
		ev.day = yg_day_number((yg_wall){ev.received});
		ev.spool = 1;
		ev.batch = 1 + n / YG_BENCH_BLOCK;
		ev.row = (uint32_t)(n % YG_BENCH_BLOCK);
		yg_event_row(&ev, &m->rows);
	}
	if (n != to || yg_norm_unparsed(norm) > 0 || m->rows.bad) {
		(void)yg_err_set(&err, YG_INTERNAL, 0, __FILE__,
				 "%s: %" PRIu64 " of %" PRIu64 " records", source, n - from,
				 to - from);
		return fail("a block");
	}
	return 0;
}

/* Which blocks were inserted before this run. */
static int look(struct maker *m, uint64_t blocks)
{
	m->there = calloc(blocks + 1, sizeof m->there[0]);
	if (m->there == NULL)
		return fail("memory");
	if (blocks > 0 && yg_event_table_delivered(m->ch, 1, 1, blocks, m->there, &err) != YG_OK)
		return fail("what is there");
	return 0;
}

static int put_block(struct maker *m, uint64_t from, uint64_t to)
{
	uint64_t middle = to - (to - from) / SYSLOG_ONE_IN;
	m->rows.n = 0;
	if (take(m, m->zeek, "zeek", from, middle) != 0 ||
	    take(m, m->syslog, "syslog", middle, to) != 0)
		return 1;
	if (yg_event_table_insert_with(m->ch, NULL, yg_buf_sv(&m->rows), &m->block, &err) != YG_OK)
		return fail("insert");
	return 0;
}

/* The newest first: what was made when somebody breaks it off is the last days. */
static int fill(struct maker *m)
{
	uint64_t blocks = (m->events + YG_BENCH_BLOCK - 1) / YG_BENCH_BLOCK, made = 0;
	if (look(m, blocks) != 0)
		return 1;
	for (uint64_t k = blocks; k-- > 0;) {
		uint64_t n = k * YG_BENCH_BLOCK, end = YG_MIN(n + YG_BENCH_BLOCK, m->events);
		if (m->there[k] != 0 && m->there[k] != end - n) {
			(void)yg_err_set(&err, YG_INTERNAL, 0, __FILE__,
					 "%" PRIu64 " of %" PRIu64 " rows are there", m->there[k],
					 end - n);
			return fail("a block");
		}
		if (m->there[k] == 0 && put_block(m, n, end) != 0)
			return 1;
		made += m->there[k] == 0;
		if (m->there[k] == 0 && made % 32 == 0)
			(void)printf("down to event %" PRIu64 " of %" PRIu64 "\n", n, m->events);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct maker m = {0};
	uint64_t days = 0, from = 0;
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	if (argc < 6 || yg_parse_u64(yg_sv_of(argv[2]), &m.orgs, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[3]), &m.events, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[4]), &days, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[5]), &from, &err) != YG_OK || m.orgs == 0 || days == 0) {
		(void)fprintf(
			stderr,
			"usage: bench_console_events STORE_URL ORGANISATIONS EVENTS DAYS FROM\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	env = yg_env_real(&real, "bench", 0);
	m.span = (int64_t)days * YG_US_PER_DAY;
	m.from = (int64_t)from;
	yg_buf_init(&m.text, 1u << 28);
	yg_buf_init(&m.rows, 1u << 29);
	yg_buf_init(&m.block, 1u << 28);
	if (yg_ch_open(&conf, &m.ch, &err) != YG_OK || yg_event_table_ensure(m.ch, &err) != YG_OK)
		return fail(conf.url);
	if (yg_norm_new(YG_SOURCE_ZEEK, NULL, &m.zeek, &err) != YG_OK ||
	    yg_norm_new(YG_SOURCE_SYSLOG, NULL, &m.syslog, &err) != YG_OK)
		return fail("a normaliser");
	int rc = fill(&m);
	yg_norm_free(m.zeek);
	yg_norm_free(m.syslog);
	yg_ch_close(m.ch);
	free(m.there);
	yg_buf_free(&m.text);
	yg_buf_free(&m.rows);
	yg_buf_free(&m.block);
	return rc;
}
