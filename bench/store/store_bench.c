/* store_bench URL STORE_PID INSERT_MILLIONS GENERATE_MILLIONS: the event store's
 * numbers.  Rows are inserted by RowBinary as ingest does, then more are made
 * inside the engine; one name that is on a few of them is searched for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/search.h"
#include "os/env.h"

#define BLOCK    65536u
#define DAY0     1767225600000000LL /* 2026-01-01 */
#define NEEDLES  7
#define GENERATE 250000u /* rows of one INSERT ... SELECT: what 512 MiB can hold */

static struct yg_ch *ch;
static struct yg_env env;

static double seconds(yg_mono from)
{
	return (double)(yg_env_mono(&env).us - from.us) / 1e6;
}

/* CPU seconds that the store has used so far. */
static double cpu(const char *pid)
{
	char path[64], line[1024] = "";
	(void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
	FILE *f = fopen(path, "r");
	struct yg_sv rest, word = YG_SV("");
	if (f == NULL)
		return 0;
	size_t n = fread(line, 1, sizeof line - 1, f);
	(void)fclose(f);
	rest = (struct yg_sv){line, n};
	uint64_t ticks = 0, v;
	for (unsigned i = 1; i <= 15 && yg_sv_cut(&rest, ' ', &word); i++)
		if (i >= 14 && yg_parse_u64(word, &v, NULL) == YG_OK)
			ticks += v;
	return (double)ticks / 100;
}

static void die(const char *what, const struct yg_err *err)
{
	(void)fprintf(stderr, "store_bench: %s: %s\n", what, err->msg);
	_Exit(1);
}

static struct yg_sv text(struct yg_sb *b)
{
	return (struct yg_sv){b->p, b->n};
}

/* One DNS event with a record of about 230 bytes. */
static void make(struct yg_buf *out, uint64_t n)
{
	char raw[400], name[64], src[32], dst[32];
	uint64_t r = n * 0x9e3779b97f4a7c15u;
	struct yg_sb nb = yg_sb_init(name, sizeof name), sb = yg_sb_init(src, sizeof src),
		     db = yg_sb_init(dst, sizeof dst), rb = yg_sb_init(raw, sizeof raw);
	struct yg_event ev = {.org = YG_SV("bench"),
			      .source = YG_SV("zeek"),
			      .spool = 1,
			      .batch = n / BLOCK,
			      .row = (uint32_t)(n % BLOCK)};
	ev.time = DAY0 + (int64_t)n * 100;
	ev.received = ev.time + 1000000;
	ev.day = yg_day_number((yg_wall){ev.received});
	ev.class_uid = YG_OCSF_DNS_ACTIVITY;
	ev.src_ip = (struct yg_ip){.b = {[10] = 0xff,
					 [11] = 0xff,
					 [12] = 10,
					 [14] = (uint8_t)(r >> 40),
					 [15] = (uint8_t)(r >> 32)}};
	ev.dst_ip = (struct yg_ip){
		.b = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = (uint8_t)(r >> 24)}};
	ev.dst_port = 53;
	ev.proto = YG_SV("udp");
	ev.query_type = YG_SV("A");
	ev.rcode = YG_SV("NOERROR");
	yg_sb_printf(&nb, "h%" PRIu64 ".zone%" PRIu64 ".example", (r >> 20) % 200000,
		     (r >> 50) % 1000);
	yg_ip_format(&sb, ev.src_ip);
	yg_ip_format(&db, ev.dst_ip);
	yg_sb_printf(
		&rb,
		"{\"ts\":%" PRIi64 ".%06d,\"uid\":\"C%016" PRIx64
		"\",\"id.orig_h\":\"%.*s\",\"id.orig_p\":%u,\"id.resp_h\":\"%.*s\","
		"\"id.resp_p\":53,\"proto\":\"udp\",\"query\":\"%.*s\",\"qtype_name\":\"A\",\"rcode_name\":\"NOERROR\",\"AA\":false}",
		ev.time / 1000000, (int)(ev.time % 1000000), r, (int)sb.n, sb.p,
		(unsigned)(r & 0xffff), (int)db.n, db.p, (int)nb.n, nb.p);
	struct yg_sv names[3] = {text(&sb), text(&db), text(&nb)};
	ev.query = names[2];
	ev.names = (struct yg_strs){names, 3};
	ev.raw = text(&rb);
	yg_event_row(&ev, out);
}

static void inserts(uint64_t rows, const char *pid)
{
	struct yg_buf block;
	struct yg_err err = {0};
	double encode = 0, insert = 0;
	uint64_t bytes = 0;
	yg_buf_init(&block, 256u << 20);
	double busy = cpu(pid);
	for (uint64_t n = 0; n < rows;) {
		uint64_t end = YG_MIN(n + BLOCK, rows);
		yg_mono at = yg_env_mono(&env);
		block.n = 0;
		for (; n < end; n++)
			make(&block, n);
		encode += seconds(at);
		at = yg_env_mono(&env);
		if (yg_event_table_insert(ch, NULL, yg_buf_sv(&block), &err) != YG_OK)
			die("insert", &err);
		insert += seconds(at);
		bytes += block.n;
	}
	(void)printf("insert      %8.0f rows/s   %" PRIu64 " rows in blocks of %u, %" PRIu64
		     " bytes a row as sent; one client\n",
		     (double)rows / insert, rows, BLOCK, bytes / rows);
	(void)printf("insert CPU  %8.0f rows/s of one core, merges so far included\n",
		     (double)rows / (cpu(pid) - busy));
	(void)printf("make+encode %8.0f rows/s   on the client's side\n", (double)rows / encode);
	yg_buf_free(&block);
}

static void ask(struct yg_buf *out, const char *format, struct yg_sv sql, uint32_t limit)
{
	struct yg_err err = {0};
	struct yg_ch_query q = {.sql = sql, .format = format, .max_seconds = limit};
	out->n = 0;
	if (yg_ch_query(ch, &q, out, &err) != YG_OK)
		die("query", &err);
}

/* Millions of rows more, made by the engine from numbers(). */
static void generate(struct yg_buf *out, uint64_t from, uint64_t rows)
{
	struct yg_buf sql;
	yg_buf_init(&sql, 8192);
	for (uint64_t n = from; n < from + rows; n += GENERATE) {
		sql.n = 0;
		yg_buf_printf(
			&sql,
			"INSERT INTO event (org, received, day, spool, batch, row, source, time, class_uid, src_ip, dst_ip,"
			" dst_port, proto, query, query_type, rcode, names, raw) SELECT 'bench', at + 1000000,"
			" toYYYYMMDD(toDateTime(intDiv(at, 1000000), 'UTC')), 1, intDiv(number, 65536), number %% 65536, 'zeek', at, 4003,"
			" toFixedString(concat(unhex('00000000000000000000ffff0a00'), char(intDiv(h, 256) %% 256, h %% 256)), 16),"
			" toFixedString(concat(unhex('00000000000000000000ffffc00002'), char(intDiv(h, 65536) %% 256)), 16), 53, 'udp', q,"
			" 'A', 'NOERROR', [a, b, q], concat('{\"ts\":', toString(at), ',\"query\":\"', q, '\"}') FROM (SELECT number, sipHash64(number) AS h,"
			" toInt64(%lld + number * 100) AS at, concat('10.0.', toString(intDiv(h, 256) %% 256), '.', toString(h %% 256)) AS a,"
			" concat('192.0.2.', toString(intDiv(h, 65536) %% 256)) AS b, if(number %% %llu = 77, 'needle.example', concat('h',"
			" toString(intDiv(h, 1048576) %% 200000), '.zone', toString(h %% 1000), '.example')) AS q FROM numbers(%llu, 250000))",
			DAY0, (unsigned long long)YG_MAX(rows / NEEDLES, 78),
			(unsigned long long)n);
		ask(out, NULL, yg_buf_sv(&sql), 600);
	}
	yg_buf_free(&sql);
}

static void search(const char *pid, const char *what, const char *q)
{
	struct yg_arena arena;
	struct yg_search s;
	struct yg_search_page page;
	struct yg_err err = {0};
	const struct yg_search_scope scope = {.all_orgs = true, .limit = 100};
	double best = 1e9, first = 0, busy = cpu(pid);
	for (int i = 0; i < 5; i++) {
		yg_arena_init(&arena, 256u << 20);
		yg_mono at = yg_env_mono(&env);
		if (yg_search_compile(yg_sv_of(q), &arena, &s, &err) != YG_OK ||
		    yg_search_run(ch, &s, &scope, &env, &arena, &page, &err) != YG_OK)
			die(q, &err);
		double t = seconds(at);
		first = i == 0 ? t : first;
		best = YG_MIN(best, t);
		yg_arena_free(&arena);
	}
	(void)printf(
		"search      %8.3f s        %s: %zu events%s (best of 5; first time %.3f s; CPU of the store %.3f s)\n",
		best, what, page.n, page.more ? ", a page of more" : "", first,
		(cpu(pid) - busy) / 5);
}

static void resident(const char *pid, const char *when)
{
	char path[64], line[256];
	(void)snprintf(path, sizeof path, "/proc/%s/status", pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmRSS", 5) == 0 || strncmp(line, "RssAnon", 7) == 0 ||
		    strncmp(line, "VmHWM", 5) == 0)
			(void)printf("memory      %s, %s", when, line);
	if (f != NULL)
		(void)fclose(f);
}

int main(int argc, char **argv)
{
	struct yg_err err = {0};
	uint64_t insert = 0, more = 0;
	struct yg_buf out;
	struct yg_env_real *real = calloc(1, sizeof *real);
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	if (argc < 5 || real == NULL || yg_parse_u64(yg_sv_of(argv[3]), &insert, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[4]), &more, &err) != YG_OK ||
	    yg_ch_open(&conf, &ch, &err) != YG_OK)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	env = yg_env_real(real, "bench", 0);
	yg_buf_init(&out, 1u << 20);
	if (yg_event_table_ensure(ch, &err) != YG_OK)
		die("ensure", &err);
	resident(argv[2], "at rest");
	if (insert > 0)
		inserts(insert * 1000000, argv[2]);
	generate(&out, insert * 1000000, more * 1000000);
	ask(&out, "TabSeparated",
	    YG_SV("SELECT sum(rows), sum(bytes_on_disk) / sum(rows), count() FROM system.parts WHERE active AND table = 'event'"),
	    60);
	(void)printf("on disk     rows, bytes a row, parts: %.*s", (int)out.n, out.p);
	search(argv[2], "one name", "needle.example");
	search(argv[2], "one name by field", "query:needle.example");
	search(argv[2], "a name that is nowhere", "nowhere.example");
	search(argv[2], "everything, newest first", "");
	search(argv[2], "one address", "10.0.1.2");
	uint64_t counts[64];
	yg_mono at = yg_env_mono(&env);
	if (yg_event_table_delivered(ch, 1, 10, 20, counts, &err) != YG_OK)
		die("delivered", &err);
	(void)printf("delivered   %8.3f s        what of ten batches is there\n", seconds(at));
	resident(argv[2], "after");
	yg_ch_close(ch);
	free(real);
	return 0;
}
