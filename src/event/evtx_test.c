/* Event log files as events: the columns are those of source windows, whose tests have them. */
#include "event/guess.h"
#include "event/split.h"
#include "evtx_make.h"
#include "source_test.h"

static const struct mk_value logon[] = {
	{.name = "SubjectUserName", .type = 1, .p = "S\0Y\0S\0", .n = 6},
	{.name = "TargetUserName", .type = 1, .p = "t\0a\0r\0o\0", .n = 8},
	{.name = "TargetDomainName", .type = 1, .p = "C\0O\0R\0P\0", .n = 8},
	{.name = "LogonType", .type = 8, .p = "\3\0\0", .n = 4},
	{.name = "IpAddress", .type = 1, .p = "1\0.\0002\0.\0003\0.\0004\0", .n = 14},
	{.name = "IpPort", .type = 1, .p = "8\0000\0", .n = 4},
};
static const struct mk_event signed_in = {.channel = "Security",
					  .provider = "Microsoft-Windows-Security-Auditing",
					  .id = 4624,
					  .keywords = 0x8020000000000000u,
					  .data = logon,
					  .data_n = 6};

static void logons(struct mk *m, size_t chunks, size_t each)
{
	mk_init(m, chunks);
	for (size_t c = 0; c < chunks; c++) {
		mk_chunk_begin(m);
		for (size_t i = 0; i < each; i++)
			mk_event(m, &signed_in);
		mk_chunk_end(m);
	}
	mk_file_end(m, 0);
}

static struct yg_sv made(const struct mk *m)
{
	return (struct yg_sv){(const char *)m->p, m->n};
}

#define LOGON(second, id, remark)                                                                  \
	"time=2024-01-14T00:00:" second ".123456Z class_uid=3002 activity_id=1 severity_id=1 "     \
	"status_id=1 log_name=Security event_code=4624 uid=" id " message=logged on "              \
	"src_ip=1.2.3.4 src_port=80 host=pc1.example user=SYS target_user=CORP\\taro" remark "\n"

static void test_columns(void)
{
	static struct mk m;
	logons(&m, 2, 1);
	st_check(YG_SOURCE_EVTX, NULL, made(&m), LOGON("01", "1", "") LOGON("02", "2", ""),
		 "as source evtx");
	st_check(YG_SOURCE_WINDOWS, NULL, made(&m), LOGON("01", "1", "") LOGON("02", "2", ""),
		 "as source windows");
	mk_set(&m, 42, 1, 2);
	mk_file_sum(&m);
	st_check(YG_SOURCE_EVTX, NULL, made(&m),
		 LOGON("01", "1", "")
			 LOGON("02", "2",
			       " parse_error=recovered: from a chunk that the file does not count"),
		 "a recovered record says so");
	memset(m.p + MK_HEADER + 512 + 34, 0xff, 4);
	mk_chunk_sums(&m, MK_HEADER);
	st_check(
		YG_SOURCE_EVTX, NULL, made(&m),
		"time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=chunk 0: record 1: offset 550: "
		"its template at 4294967295 lies outside the chunk\n" LOGON(
			"02", "2",
			" parse_error=recovered: from a chunk that the file does not count"),
		"damage is told with its place, the rest goes on");
	st_check(
		YG_SOURCE_EVTX, NULL, YG_SV("{\"EventID\":1}\n{\"EventID\":2}\nx\n"),
		"time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=no Windows event log file: "
		"it does not begin with ElfFile\n",
		"no event log: one fault, not one of each line");
	st_check(
		YG_SOURCE_EVTX, NULL, yg_sv_sub(made(&m), 0, 100),
		"time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=the file is cut off within "
		"its header, at 100 of 4096 bytes\n",
		"cut within the header");
	mk_free(&m);
}

/* ---- batches ---- */

struct sum {
	uint64_t records, told, batches, recovered;
	uint32_t crc;
};

static void add_batch(struct yg_norm *n, const struct yg_split_batch *b, struct sum *s)
{
	struct yg_event ev = {0};
	yg_norm_begin(n, b->bytes, (yg_wall){77}, false);
	while (yg_norm_next(n, &ev)) {
		s->crc = (uint32_t)crc32(s->crc, (const unsigned char *)ev.raw.p,
					 (unsigned)ev.raw.n);
		s->crc = (uint32_t)crc32(s->crc, (const unsigned char *)ev.parse_error.p,
					 (unsigned)ev.parse_error.n);
		s->records++;
		s->recovered += yg_sv_starts(ev.parse_error, YG_SV("recovered: "));
	}
	s->told += b->records;
	s->batches++;
}

static struct sum in_batches(enum yg_source source, struct yg_sv in, size_t piece)
{
	struct yg_split *s = NULL;
	struct yg_norm *n = NULL;
	struct yg_split_batch b;
	struct sum sum = {0};
	if (yg_split_new(source, YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2, &s, NULL) != YG_OK ||
	    yg_norm_new(source, NULL, &n, NULL) != YG_OK)
		abort();
	for (size_t at = 0; at < in.n; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece);
		while (yg_split_next(s, &part, &b))
			add_batch(n, &b, &sum);
	}
	while (yg_split_end(s, &b))
		add_batch(n, &b, &sum);
	yg_split_free(s);
	yg_norm_free(n);
	return sum;
}

static void test_batches(void)
{
	static struct mk m;
	logons(&m, 40, 20);
	m.p[MK_HEADER + 30 * MK_CHUNK + 512 + 40] ^= 0x55; /* damage in a later batch */
	mk_set(&m, 42, 35, 2);                             /* and chunks that are not counted */
	mk_file_sum(&m);
	struct yg_norm *n = NULL;
	struct yg_split_batch whole = {.bytes = made(&m)};
	struct sum direct = {0};
	if (yg_norm_new(YG_SOURCE_EVTX, NULL, &n, NULL) != YG_OK)
		abort();
	add_batch(n, &whole, &direct);
	yg_norm_free(n);
	T_OK(direct.records > 800 && direct.records < 810);
	static const size_t pieces[] = {1 << 20, 4093, 1};
	for (size_t i = 0; i < YG_LEN(pieces); i++) {
		struct sum s = in_batches(i == 1 ? YG_SOURCE_WINDOWS : YG_SOURCE_EVTX, made(&m),
					  pieces[i]);
		if (!T_OK(s.batches == 3 && s.records == direct.records && s.told == s.records &&
			  s.crc == direct.crc))
			(void)printf(
				"# %zu: %llu records, %llu told, %llu batches, crc %08x not %08x\n",
				pieces[i], (unsigned long long)s.records,
				(unsigned long long)s.told, (unsigned long long)s.batches, s.crc,
				direct.crc);
	}
	struct sum cut = in_batches(YG_SOURCE_EVTX, yg_sv_sub(made(&m), 0, 99), 10);
	T_OK(cut.records == 1 && cut.told == 1);
	struct sum lines = in_batches(YG_SOURCE_WINDOWS, YG_SV("ElfFi\n{\"a\":1}\n"), 1);
	T_OK(lines.records == 2 && lines.told == 2 && lines.batches == 1);
	struct sum begun = in_batches(YG_SOURCE_EVTX, YG_SV("ElfF"), 2);
	T_OK(begun.records == 1 && begun.told == 1);
	memset(m.p, 0, MK_HEADER); /* a file whose header is lost, and one that was cut off */
	for (size_t i = 0; i < YG_LEN(pieces); i++) {
		struct sum lost = in_batches(YG_SOURCE_EVTX, made(&m), pieces[i]);
		struct sum front =
			in_batches(YG_SOURCE_EVTX, yg_sv_sub(made(&m), MK_HEADER, m.n), pieces[i]);
		T_NAMED(lost.records == direct.records + 1 && lost.told == lost.records &&
				lost.recovered == direct.records - 1 && lost.batches == 3,
			"its chunks are read all the same, each record marked");
		T_OK(front.records == lost.records && front.told == lost.told &&
		     front.recovered == lost.recovered);
	}
	memset(m.p, 'x', m.n);
	for (size_t i = 0; i < YG_LEN(pieces); i++) {
		struct sum none = in_batches(YG_SOURCE_EVTX, made(&m), pieces[i]);
		T_NAMED(none.records == 1 && none.told == 1 && none.batches == 1,
			"without chunks it is no event log, and no lines, either");
	}
	mk_free(&m);
}

static void test_guess(void)
{
	static struct mk m;
	struct yg_guess g[YG_SOURCE_COUNT];
	size_t n = 0;
	logons(&m, 5, 3);
	struct yg_sv sample = yg_sv_sub(made(&m), 0, YG_GUESS_SAMPLE);
	T_OK(yg_source_guess(sample, (yg_wall){77}, g, &n, NULL) == YG_OK && n == 1 &&
	     g[0].source == YG_SOURCE_EVTX && g[0].score == 100 && g[0].unparsed == 0 &&
	     g[0].records == 9);
	sample = yg_sv_sub(sample, 0, MK_HEADER + MK_CHUNK); /* one that is whole */
	T_OK(yg_source_guess(sample, (yg_wall){77}, g, &n, NULL) == YG_OK && n == 1 &&
	     g[0].score == 100 && g[0].records == 3);
	mk_free(&m);
}

int main(void)
{
	test_columns();
	test_batches();
	test_guess();
	return tap_done();
}
