#include "format/evtx.h"

#include "evtx_make.h"
#include "format/binxml.h"
#include "tap.h"

static char got[1 << 20];

/* A whole file as lines: a record as JSON, with how it was found when it is not listed; damage
 * behind "! ". */
static struct yg_sv read_file(struct yg_sv bytes)
{
	static struct yg_binxml x;
	struct yg_evtx_file file;
	struct yg_evtx_chunk chunk;
	struct yg_evtx_record r;
	struct yg_err err = {0};
	struct yg_buf json;
	struct yg_sb b = yg_sb_init(got, sizeof got);
	yg_buf_init(&json, YG_RECORD_MAX);
	yg_binxml_init(&x);
	if (yg_evtx_file_read(bytes, &file, &err) != YG_OK ||
	    yg_evtx_file_check(&file, &err) != YG_OK)
		yg_sb_printf(&b, "! %s\n", err.msg);
	for (size_t at = MK_HEADER, number = 0; at < bytes.n; at += MK_CHUNK, number++) {
		struct yg_sv part = yg_sv_sub(bytes, at, MK_CHUNK);
		enum yg_evtx_what what;
		uint64_t n = 0;
		yg_binxml_begin(&x, part);
		if (!yg_evtx_chunk_open(&chunk, part, number, &file))
			continue;
		while ((what = yg_evtx_next(&chunk, &r, &err)) != YG_EVTX_END) {
			json.n = 0;
			n++;
			if (what == YG_EVTX_RECORD &&
			    yg_binxml_json(&x, r.at + YG_EVTX_RECORD_HEAD,
					   r.at + (uint32_t)r.bytes.n - 4, &json, &err) == YG_OK) {
				if (r.how != YG_EVTX_LISTED)
					yg_sb_printf(&b, "(%s) ", yg_evtx_how_text(r.how));
				yg_sb_put(&b, yg_buf_sv(&json));
				yg_sb_put(&b, YG_SV("}\n"));
			} else {
				yg_sb_printf(&b, "! %s\n", err.msg);
			}
		}
		if (n != yg_evtx_count(part, number, &file))
			yg_sb_put(&b, YG_SV("counted otherwise\n"));
	}
	yg_buf_free(&json);
	yg_binxml_free(&x);
	return yg_sb_sv(&b);
}

static struct yg_sv made(const struct mk *m)
{
	return (struct yg_sv){(const char *)m->p, m->n};
}

static void check(const struct mk *m, const char *want, const char *name)
{
	struct yg_sv is = read_file(made(m));
	if (!T_NAMED(yg_sv_eq(is, yg_sv_of(want)), name))
		(void)printf("# got\n%.*s# want\n%s\n", (int)is.n, is.p, want);
}

static size_t count(struct yg_sv s, const char *what)
{
	size_t n = 0, len = strlen(what);
	for (size_t i = 0; i + len <= s.n; i++)
		n += memcmp(s.p + i, what, len) == 0;
	return n;
}

static void check_has(const struct mk *m, const char *what, size_t records, size_t damaged,
		      const char *name)
{
	struct yg_sv is = read_file(made(m));
	if (!T_NAMED(yg_sv_has(is, yg_sv_of(what)) && count(is, "{\"Event\"") == records &&
			     count(is, "! ") == damaged &&
			     !yg_sv_has(is, YG_SV("counted otherwise")),
		     name))
		(void)printf("# got\n%.*s", (int)is.n, is.p);
}

static const struct mk_value logon[] = {
	{.name = "SubjectUserName", .type = 1, .p = "S\0Y\0S\0", .n = 6},
	{.name = "TargetUserName", .type = 1, .p = "t\0a\0r\0o\0", .n = 8},
	{.name = "LogonType", .type = 8, .p = "\3\0\0", .n = 4},
	{.name = "TargetLogonId", .type = 0x15, .p = "\xe7\3\0\0\0\0\0", .n = 8},
	{.name = "IpAddress", .type = 1, .p = "1\0002\0007\0.\0001\0", .n = 10},
	{.name = "Nothing", .type = 0, .optional = true},
};
static const struct mk_event signed_in = {.channel = "Security",
					  .provider = "Microsoft-Windows-Security-Auditing",
					  .id = 4624,
					  .keywords = 0x8020000000000000u,
					  .data = logon,
					  .data_n = 6};

#define SYSTEM_JSON(event, id, second, channel, provider)                                          \
	"{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\"" provider "\","        \
	"\"Guid\":\"{54849625-5478-4994-a5ba-3e3b0328c30d}\"}},\"EventID\":" event                 \
	",\"Version\":2,\"Level\":0,\"Task\":12544,\"Opcode\":0,"                                  \
	"\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":{\"#attributes\":{"                   \
	"\"SystemTime\":\"2024-01-14T00:00:" second ".1234567Z\"}},\"EventRecordID\":" id          \
	",\"Correlation\":\"\",\"Execution\":{\"#attributes\":{\"ProcessID\":788,"                 \
	"\"ThreadID\":792}},\"Channel\":\"" channel "\",\"Computer\":\"pc1.example\","             \
	"\"Security\":{\"#attributes\":{\"UserID\":\"S-1-5-18\"}}}"
#define LOGON_JSON(id, second)                                                                     \
	SYSTEM_JSON("4624", id, second, "Security", "Microsoft-Windows-Security-Auditing")         \
	",\"EventData\":{\"SubjectUserName\":\"SYS\",\"TargetUserName\":\"taro\",\"LogonType\":3," \
	"\"TargetLogonId\":\"0x3e7\",\"IpAddress\":\"127.1\"}}}\n"

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

static void test_plain(void)
{
	static struct mk m;
	logons(&m, 2, 2);
	check(&m,
	      LOGON_JSON("1", "01") LOGON_JSON("2", "02") LOGON_JSON("3", "03")
		      LOGON_JSON("4", "04"),
	      "two chunks, templates pointed at");
	mk_free(&m);
	const struct mk_event plain = {.channel = "Application",
				       .provider = "x",
				       .id = 1,
				       .keywords = 0x8020000000000000u,
				       .plain = "a \"b\" \\"};
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	mk_event(&m, &plain);
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check(&m,
	      SYSTEM_JSON("1", "1", "01", "Application",
			  "x") ",\"EventData\":{\"Data\":\"a \\\"b\\\" \\\\\"}}}\n",
	      "an element without a dependency id as a value");
	mk_free(&m);
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check(&m, "", "an empty log has no record and no damage");
	m.n += MK_CHUNK;
	check(&m, "", "nor has one that was made larger beforehand");
	mk_free(&m);
}

static const float single = 1.5F, no_number = __builtin_nanf("");
static const double real = -0.1;
static const uint8_t sid[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0};
static const uint8_t guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint16_t clock[] = {2026, 2, 0, 3, 4, 5, 6, 7};
static const uint64_t time = 116444736000000000u;
static const struct mk_value every_type[] = {
	{.name = "null", .type = 0},
	{.name = "string", .type = 1, .p = "\x42\x30=\xd8\0\xde\0\xd8\n\0\0", .n = 12},
	{.name = "ansi", .type = 2, .p = "caf\xe9", .n = 5},
	{.name = "int8", .type = 3, .p = "\xfe", .n = 1},
	{.name = "uint8", .type = 4, .p = "\xfe", .n = 1},
	{.name = "int16", .type = 5, .p = "\xfe\xff", .n = 2},
	{.name = "uint16", .type = 6, .p = "\xfe\xff", .n = 2},
	{.name = "int32", .type = 7, .p = "\xfe\xff\xff\xff", .n = 4},
	{.name = "uint32", .type = 8, .p = "\xfe\xff\xff\xff", .n = 4},
	{.name = "int64", .type = 9, .p = "\xfe\xff\xff\xff\xff\xff\xff\xff", .n = 8},
	{.name = "uint64", .type = 10, .p = "\xfe\xff\xff\xff\xff\xff\xff\xff", .n = 8},
	{.name = "single", .type = 11, .p = &single, .n = 4},
	{.name = "nan", .type = 11, .p = &no_number, .n = 4},
	{.name = "real", .type = 12, .p = &real, .n = 8},
	{.name = "bool", .type = 13, .p = "\1\0\0", .n = 4},
	{.name = "binary", .type = 14, .p = "\0\x1f\xff", .n = 3},
	{.name = "guid", .type = 15, .p = guid, .n = 16},
	{.name = "size", .type = 16, .p = "\x10\0\0", .n = 4},
	{.name = "filetime", .type = 17, .p = &time, .n = 8},
	{.name = "never", .type = 17, .p = "\xff\xff\xff\xff\xff\xff\xff\x7f", .n = 8},
	{.name = "systemtime", .type = 18, .p = clock, .n = 16},
	{.name = "sid", .type = 19, .p = sid, .n = 16},
	{.name = "hex32", .type = 20, .p = "\xef\xbe\0", .n = 4},
	{.name = "hex64", .type = 21, .p = "\xef\xbe\0\0\0\0\0", .n = 8},
	{.name = "handle", .type = 0x20, .p = "\1\2", .n = 2},
	{.name = "odd", .type = 8, .p = "\1\2\3", .n = 3},
	{.name = "short sid", .type = 19, .p = sid, .n = 12},
	{.name = "strings", .type = 0x81, .p = "a\0\0\0\0\0b\0", .n = 8},
	{.name = "ansis", .type = 0x82, .p = "a\0b\0", .n = 4},
	{.name = "uint16s", .type = 0x86, .p = "\1\0\2\0\3", .n = 5},
	{.name = "guids", .type = 0x8f, .p = guid, .n = 16},
	{.name = "sids", .type = 0x93, .p = sid, .n = 16},
	{.name = "none", .type = 0x86},
	{.type = 1, .p = "x\0", .n = 2},
	{.type = 1, .p = "y\0", .n = 2},
};

static void test_types(void)
{
	static struct mk m;
	const struct mk_event e = {.channel = "Application",
				   .provider = "x",
				   .id = 1,
				   .keywords = 0x8020000000000000u,
				   .data = every_type,
				   .data_n = sizeof every_type / sizeof every_type[0]};
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	mk_event(&m, &e);
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check(&m,
	      SYSTEM_JSON(
		      "1", "1", "01", "Application",
		      "x") ",\"EventData\":{"
			   "\"null\":\"\",\"string\":\"\xe3\x81\x82\xf0\x9f\x98\x80\xef\xbf\xbd\\n\","
			   "\"ansi\":\"caf\xc3\xa9\",\"int8\":-2,\"uint8\":254,\"int16\":-2,\"uint16\":65534,"
			   "\"int32\":-2,\"uint32\":4294967294,\"int64\":-2,\"uint64\":18446744073709551614,"
			   "\"single\":\"1.5\",\"nan\":\"-1.#IND\",\"real\":\"-0.1\","
			   "\"bool\":\"true\",\"binary\":\"001FFF\","
			   "\"guid\":\"{04030201-0605-0807-090a-0b0c0d0e0f10}\",\"size\":\"0x10\","
			   "\"filetime\":\"1970-01-01T00:00:00.0000000Z\",\"never\":\"9223372036854775807\","
			   "\"systemtime\":\"2026-02-03T04:05:06.007Z\",\"sid\":\"S-1-5-32-544\","
			   "\"hex32\":\"0xbeef\",\"hex64\":\"0xbeef\",\"handle\":\"0102\",\"odd\":\"010203\","
			   "\"short sid\":\"010200000000000520000000\","
			   "\"strings\":[\"a\",\"\",\"b\"],\"ansis\":[\"a\",\"b\"],\"uint16s\":[1,2,3],"
			   "\"guids\":[\"{04030201-0605-0807-090a-0b0c0d0e0f10}\"],\"sids\":[\"S-1-5-32-544\"],"
			   "\"none\":\"\",\"Data\":[\"x\",\"y\"]}}}\n",
	      "every type of value");
	mk_free(&m);
}

/* ---- damage ---- */

static size_t nth_record(const struct mk *m, size_t n)
{
	size_t at = MK_HEADER + 512;
	for (; n > 0; n--) {
		uint32_t size;
		memcpy(&size, m->p + at + 4, 4);
		at += size;
	}
	return at;
}

static void test_file_damage(void)
{
	static struct mk m;
	logons(&m, 2, 2);
	m.p[50] = 1;
	check_has(&m, "! the checksum of the file header is wrong", 4, 1, "checksum of the header");
	mk_file_sum(&m);
	m.p[38] = 9;
	mk_file_sum(&m);
	check_has(&m, "! an event log of version 9.1", 4, 1, "version");
	mk_free(&m);
	logons(&m, 3, 2);
	mk_set(&m, 42, 1, 2);
	mk_file_sum(&m);
	check_has(&m, "(from a chunk that the file does not count) {\"Event\"", 6, 0, "unlinked");
	mk_set(&m, 120, 1, 4);
	check_has(&m, "\n{\"Event\":{\"System\"", 6, 0, "a dirty file counts its chunks later");
	mk_free(&m);
	logons(&m, 2, 2);
	m.n -= MK_CHUNK - 600;
	check_has(&m, "! chunk 1: it is cut off at 600 of 65536 bytes", 2, 2, "cut within a chunk");
	m.n -= 200;
	check_has(&m, "! chunk 1: it is cut off within its header", 2, 1,
		  "cut within a chunk's header");
	m.n = 200;
	check_has(&m, "! the file is cut off within its header, at 200", 0, 1,
		  "cut within the header");
	mk_free(&m);
}

static void test_chunk_damage(void)
{
	static struct mk m;
	logons(&m, 1, 3);
	m.p[MK_HEADER + 100] = 1;
	check_has(&m, "! chunk 0: the checksum of its header is wrong\n", 3, 1, "chunk header");
	memset(m.p + MK_HEADER, 0x55, 8);
	check_has(&m, "! chunk 0: it has no header\n(from a chunk without a header) {\"Event\"", 3,
		  1, "no chunk header: records all the same");
	mk_free(&m);
	logons(&m, 1, 3);
	m.p[nth_record(&m, 1) + 17] ^= 1; /* its time */
	check_has(&m, "! chunk 0: the checksum of its records is wrong\n", 3, 1, "records");
	mk_set(&m, 120, 1, 4);
	check_has(&m, "{", 3, 0, "which a dirty file may have");
	mk_free(&m);
	logons(&m, 1, 3);
	mk_set(&m, MK_HEADER + 48, nth_record(&m, 2) - MK_HEADER, 4);
	mk_set(&m, MK_HEADER + 32, 2, 8);
	mk_chunk_sums(&m, MK_HEADER);
	check_has(&m, "(from the unused end of the chunk) {\"Event\"", 3, 0, "slack");
	mk_set(&m, MK_HEADER + 48, nth_record(&m, 2) - MK_HEADER + 8, 4);
	mk_set(&m, MK_HEADER + 32, 3, 8);
	mk_chunk_sums(&m, MK_HEADER);
	check_has(&m, "where the records would end\n(from the unused end", 3, 1,
		  "the end lies within a record");
	mk_set(&m, MK_HEADER + 48, 0x7fffffff, 4);
	mk_chunk_sums(&m, MK_HEADER);
	check_has(&m, "! chunk 0: its records would end at 2147483647\n", 3, 1, "the end lies");
	mk_set(&m, MK_HEADER + 48, MK_CHUNK, 4);
	mk_chunk_sums(&m, MK_HEADER);
	check_has(&m, "{", 3, 0, "the end may be that of the chunk");
	mk_free(&m);
}

static void test_record_damage(void)
{
	static struct mk m;
	static const struct {
		size_t at;
		uint32_t v;
		const char *want, *name;
		size_t records, damaged;
	} cases[] = {
		{0, 0x1234, ": no record where one should be\n(from behind damage", "signature", 2,
		 1},
		{4, 0xffffff00, "its size is not within the chunk (4294967040 bytes)", "size", 2,
		 1},
		{4, 0, "its size is not within the chunk (0 bytes)", "no size", 2, 1},
		{4, 80, "its size stands differently at its end (80 bytes)", "other size", 2, 1},
		{24, 0x0001020f, "binary XML of version 2.1", "version of the XML", 2, 1},
		{29, 0xffffffff, "", "template id", 3, 0},
		{34, 0xfffffff0, "its template at 4294967280 lies outside the chunk", "template", 2,
		 1},
		{34, 100, "there is no template at 100", "no template", 2, 1},
		{38, 0xffffff, "the record ends within the list of a template's values", "values",
		 2, 1},
		{42, 0xffff, "value 0 of 15 has 65535 bytes, more than are there", "value", 2, 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		logons(&m, 1, 3);
		size_t at = nth_record(&m, 1);
		mk_set(&m, at + cases[i].at, cases[i].v, 4);
		mk_chunk_sums(&m, MK_HEADER);
		check_has(&m, cases[i].want, cases[i].records, cases[i].damaged, cases[i].name);
		mk_free(&m);
	}
}

/* ---- bounds ---- */

/* A template whose text is an instance of itself. */
static void test_loop(void)
{
	static struct mk m;
	size_t size_at;
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	mk_record_begin(&m);
	if (mk_template_begin(&m, "loop", &size_at)) {
		mk_open(&m, "Event", false);
		mk_close_start(&m);
		(void)mk_template_begin(&m, "loop", &size_at);
		mk_values(&m, NULL, 0);
		mk_end(&m);
		mk_template_end(&m, size_at);
	}
	mk_values(&m, NULL, 0);
	mk_record_end(&m);
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check_has(&m, "nested deeper than 12", 0, 1, "a template that holds itself");
	mk_free(&m);
}

/* One value, pointed at many times by each of many records. */
static void test_blow_up(void)
{
	static struct mk m;
	static uint8_t big[20000];
	size_t size_at;
	memset(big, 'x', sizeof big);
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	for (int r = 0; r < 2; r++) {
		mk_record_begin(&m);
		if (mk_template_begin(&m, "many", &size_at)) {
			mk_open(&m, "Event", false);
			mk_close_start(&m);
			for (int i = 0; i < 2000; i++)
				mk_put(&m, 0, 2, false);
			mk_end(&m);
			mk_template_end(&m, size_at);
		}
		const struct mk_value v = {.type = 2, .p = big, .n = sizeof big};
		mk_values(&m, &v, 1);
		mk_record_end(&m);
	}
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check_has(&m, "larger than 1048576 bytes as JSON", 0, 2, "40 MB out of 20 kB");
	mk_free(&m);
}

/* Fragments in fragments, two by two: 2^k of them. */
static void test_doubling(void)
{
	static struct mk m;
	size_t size_at;
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	mk_record_begin(&m);
	size_t lengths[6];
	for (int level = 0; level < 6; level++) {
		char key[] = "double0";
		key[6] = (char)('0' + level);
		if (level > 0)
			mk_fragment(&m);
		if (mk_template_begin(&m, key, &size_at)) {
			mk_open(&m, "a", false);
			mk_close_start(&m);
			for (int i = 0; i < 8; i++)
				mk_put(&m, 0, 0x21, false);
			mk_end(&m);
			mk_template_end(&m, size_at);
		}
		mk_num(&m, 1, 4);
		lengths[level] = m.n;
		mk_num(&m, 0x210000, 4);
	}
	for (int level = 0; level < 6; level++)
		mk_set(&m, lengths[level], m.n - lengths[level] - 4, 2);
	mk_record_end(&m);
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check_has(&m, "more than 8192 elements", 0, 1, "32,768 elements out of 1 kB");
	mk_free(&m);
}

static void test_deep(void)
{
	static struct mk m;
	mk_init(&m, 1);
	mk_chunk_begin(&m);
	mk_record_begin(&m);
	for (int i = 0; i < 31; i++) {
		mk_open(&m, "a", false);
		mk_close_start(&m);
	}
	for (int i = 0; i < 31; i++)
		mk_end(&m);
	mk_record_end(&m);
	mk_record_begin(&m);
	for (int i = 0; i < 60; i++) {
		m.depth = 0;
		mk_open(&m, "a", false);
		mk_set(&m, m.opened[0], 16, 4);
		mk_close_start(&m);
	}
	m.depth = 0;
	mk_bytes(&m, "                    ", 20);
	mk_record_end(&m);
	mk_chunk_end(&m);
	mk_file_end(&m, 0);
	check_has(&m, "or 48 deep", 0, 1, "too deep");
	mk_free(&m);
}

/* Every cut and every changed byte ends, and says the same twice. */
static void test_any_damage(void)
{
	static struct mk m;
	uint32_t seed = 7;
	size_t bad = 0;
	logons(&m, 1, 3);
	size_t used = nth_record(&m, 3);
	uint8_t *whole = malloc(m.n);
	if (whole == NULL)
		abort();
	memcpy(whole, m.p, m.n);
	for (int round = 0; round < 1500; round++) {
		memcpy(m.p, whole, m.n);
		for (int k = 0; k < 1 + round % 3; k++) {
			seed = seed * 1664525 + 1013904223;
			m.p[MK_HEADER + (seed >> 8) % (used - MK_HEADER)] = (uint8_t)(seed >> 3);
		}
		struct yg_sv is = read_file(made(&m));
		bad += is.n == 0 || yg_sv_has(is, YG_SV("counted otherwise"));
	}
	T_OK(bad == 0);
	bad = 0;
	memcpy(m.p, whole, m.n);
	for (size_t n = 0; n < used; n += 7) {
		uint8_t *exact = malloc(n > 0 ? n : 1);
		if (exact == NULL)
			abort();
		memcpy(exact, m.p, n);
		struct yg_sv is = read_file((struct yg_sv){(const char *)exact, n});
		bad += (n != MK_HEADER && !yg_sv_has(is, YG_SV("! "))) ||
		       yg_sv_has(is, YG_SV("counted otherwise"));
		free(exact);
	}
	T_OK(bad == 0);
	free(whole);
	mk_free(&m);
}

int main(void)
{
	test_plain();
	test_types();
	test_file_damage();
	test_chunk_damage();
	test_record_damage();
	test_loop();
	test_blow_up();
	test_doubling();
	test_deep();
	test_any_damage();
	return tap_done();
}
