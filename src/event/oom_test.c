#include "event/normalize.h"
#include "format/inflate.h"
#include "format/lines.h"
#include "tap.h"
/* Fail the 1st, 2nd, 3rd ... allocation until the code under test gets through.  Each
 * failure must come back as YG_NOMEM or as an event that says so, leak nothing (ASan)
 * and lose nothing in silence.  Linked with -Wl,--wrap=malloc,calloc,realloc. */
static long fail_at = -1;
static bool fails(void)
{
	if (fail_at > 0)
		fail_at--;
	else if (fail_at == 0)
		return true;
	return false;
}
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static const struct {
	enum yg_source source;
	struct yg_sv text;
} batches[] = {
	{YG_SOURCE_ZEEK,
	 YG_SV_INIT(
		 "{\"_path\":\"dns\",\"ts\":1,\"id.orig_h\":\"10.0.0.1\",\"query\":\"A.example\",\"answers\":[\"B\",\"C\","
		 "\"D\",\"E\",\"F\"]}\n{\"_path\":\"http\",\"ts\":1,\"host\":\"H\",\"uri\":\"/\\u00e9\"}\n")},
	{YG_SOURCE_ZEEK, YG_SV_INIT("#path\tdns\n#fields\tts\tquery\n1\t\\x41.example\n")},
	{YG_SOURCE_SURICATA,
	 YG_SV_INIT(
		 "{\"event_type\":\"alert\",\"flow_id\":1,\"alert\":{\"gid\":1,\"signature_id\":2,\"rev\":3},"
		 "\"tls\":{\"sni\":\"A.B\",\"fingerprint\":\"AA:BB\"},\"http\":{\"hostname\":\"H\",\"url\":\"/\"}}\n")},
	{YG_SOURCE_OCSF,
	 YG_SV_INIT(
		 "{\"class_uid\":4003,\"time\":1,\"query\":{\"hostname\":\"Q\\u0041.example\"},\"answers\":[{\"rdata\":\"X\"}]}\n")},
};

/* The whole way of a batch; the events as OCSF in `out`. */
static yg_status under_test(enum yg_source source, struct yg_sv text, struct yg_buf *out,
			    uint64_t *unparsed)
{
	struct yg_norm *n = NULL;
	struct yg_event ev;
	yg_status st = yg_norm_new(source, NULL, &n, NULL);
	memset(&ev, 0, sizeof ev);
	*unparsed = 0;
	if (st != YG_OK)
		return st;
	yg_norm_begin(n, text, (yg_wall){77}, false);
	while (st == YG_OK && yg_norm_next(n, &ev))
		st = yg_event_ocsf_json(&ev, out) == YG_OK ? YG_OK : YG_NOMEM;
	*unparsed = yg_norm_unparsed(n);
	yg_norm_free(n);
	return st;
}

static void test_batches(void)
{
	for (size_t i = 0; i < YG_LEN(batches); i++) {
		struct yg_buf want, got;
		uint64_t unparsed;
		yg_buf_init(&want, 100000);
		T_OK(under_test(batches[i].source, batches[i].text, &want, &unparsed) == YG_OK &&
		     unparsed == 0);
		long n = 0;
		size_t silent = 0, told = 0;
		for (bool through = false; !through && n < 1000; n++) {
			yg_buf_init(&got, 100000);
			fail_at = n;
			yg_status st =
				under_test(batches[i].source, batches[i].text, &got, &unparsed);
			through = fail_at > 0; /* none was refused */
			fail_at = -1;
			bool same = yg_sv_eq(yg_buf_sv(&got), yg_buf_sv(&want));
			told += st == YG_NOMEM || unparsed > 0;
			silent += st != YG_NOMEM && unparsed == 0 && !same;
			yg_buf_free(&got);
		}
		T_NAMED(silent == 0 && told > 0 && n < 1000, yg_source_name(batches[i].source));
		yg_buf_free(&want);
	}
}

static void test_format(void)
{
	size_t wrong = 0;
	for (long n = 0; n < 6; n++) {
		struct yg_inflate *z = NULL;
		struct yg_gather g;
		for (int e = YG_PLAIN; e <= YG_ZSTD; e++) {
			fail_at = n;
			yg_status st = yg_inflate_new((enum yg_encoding)e, 10, &z, NULL);
			fail_at = -1;
			wrong += st != YG_OK && st != YG_NOMEM;
			if (st == YG_OK)
				yg_inflate_free(z);
		}
		fail_at = n;
		yg_status st = yg_gather_init(&g, 100, 10, NULL);
		fail_at = -1;
		wrong += n == 0 ? st != YG_NOMEM : st != YG_OK;
		yg_gather_free(&g);
	}
	T_OK(wrong == 0);
}

int main(void)
{
	test_batches();
	test_format();
	return tap_done();
}
