#include <stdlib.h>

#include "event/demo.h"
#include "event/mapping.h"
#include "event/split.h"
#include "evtx_make.h"
#include "format/syslog_frame.h"
#include "tap.h"

/* The 1st, 2nd, 3rd ... allocation fails until the code gets through: no fault,
 * no leak (under ASan), and whoever can say so says YG_NOMEM.  Linked with
 * --wrap for malloc, calloc and realloc. */
static long fail_at = -1;
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__wrap_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
static bool fails(void)
{
	if (fail_at == 0)
		return true;
	fail_at -= fail_at > 0;
	return false;
}
void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t m)
{
	return fails() ? NULL : __real_calloc(n, m);
}
void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static const char mapping_text[] =
	"{\"set\":{\"class_uid\":\"dns_activity\"},\"fields\":{\"time\":{\"from\":\"t\",\"as\":\"epoch_s\"},"
	"\"query\":{\"from\":\"q\",\"as\":\"domain\"},\"severity_id\":{\"from\":\"s\",\"values\":{\"w\":3}}}}";

static yg_status try_mapping(void)
{
	struct yg_mapping *m = NULL;
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	yg_status st = yg_mapping_read(yg_sv_of(mapping_text), "m", &m, NULL);
	if (st == YG_OK)
		st = yg_norm_new(YG_SOURCE_NDJSON, m, &n, NULL);
	if (st == YG_OK) {
		yg_norm_begin(n, YG_SV("{\"t\":1,\"q\":\"WWW.Example\",\"s\":\"w\"}\n"),
			      (yg_wall){1}, false);
		while (yg_norm_next(n, &ev))
			st = ev.class_uid == YG_OCSF_DNS_ACTIVITY &&
					     YG_SV_IS(ev.query, "www.example") && ev.names.n > 0
				     ? YG_OK
				     : YG_NOMEM;
	}
	yg_norm_free(n);
	yg_mapping_free(m);
	return st;
}

static yg_status try_norm(enum yg_source source, struct yg_sv in, struct yg_sv user)
{
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	yg_status st = yg_norm_new(source, NULL, &n, NULL);
	if (st != YG_OK)
		return st;
	yg_norm_begin(n, in, (yg_wall){1}, false);
	while (yg_norm_next(n, &ev))
		st = yg_sv_eq(ev.user, user) && ev.names.n > 0 ? YG_OK : YG_NOMEM;
	yg_norm_free(n);
	return st;
}

static yg_status try_cloudtrail(void)
{
	return try_norm(
		YG_SOURCE_CLOUDTRAIL,
		YG_SV("{\"Records\":[{\"eventName\":\"X\",\"userIdentity\":{\"userName\":\"\\u0054\"}}]}"),
		YG_SV("T"));
}

static yg_status try_windows(void)
{
	return try_norm(
		YG_SOURCE_WINDOWS,
		YG_SV("{\"Channel\":\"Security\",\"EventID\":4624,\"SubjectUserName\":\"t\","
		      "\"SubjectDomainName\":\"D\"}"),
		YG_SV("D\\t"));
}

static yg_status try_evtx(void)
{
	static const struct mk_value data[] = {
		{.name = "SubjectUserName", .type = 1, .p = "t\0", .n = 2},
		{.name = "SubjectDomainName", .type = 1, .p = "D\0", .n = 2},
	};
	static const struct mk_event event = {
		.channel = "Security", .provider = "x", .id = 4624, .data = data, .data_n = 2};
	static struct mk m; /* made once, while memory is there */
	if (m.p == NULL) {
		long left = fail_at;
		fail_at = -1;
		mk_init(&m, 1);
		mk_chunk_begin(&m);
		mk_event(&m, &event);
		mk_event(&m, &event);
		mk_chunk_end(&m);
		mk_file_end(&m, 0);
		fail_at = left;
	}
	return try_norm(YG_SOURCE_EVTX, (struct yg_sv){(const char *)m.p, m.n}, YG_SV("D\\t"));
}

static yg_status try_syslog(void)
{
	return try_norm(
		YG_SOURCE_SYSLOG,
		YG_SV("<38>Jun  5 01:02:03 h sshd[1]: Accepted password for T from 192.0.2.1 port 1 ssh2"),
		YG_SV("T"));
}

static yg_status try_dnstap(void)
{
	/* a query for www.Example: only names are taken from it */
	static const char frames[] =
		"\0\0\0\0\0\0\0\4\0\0\0\2\0\0\0\x23\x72\x1f\x08\x05\x22\x04\x0a\0\0\1\x52\x15\0\1\0\0\0\1\0\0\0\0\0\0\3WWW\0\0\1\0\1"
		"\x78\1";
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	yg_status st = yg_norm_new(YG_SOURCE_DNSTAP, NULL, &n, NULL);
	if (st != YG_OK)
		return st;
	yg_norm_begin(n, (struct yg_sv){frames, sizeof frames - 1}, (yg_wall){1}, false);
	while (yg_norm_next(n, &ev))
		st = YG_SV_IS(ev.query, "www") && ev.names.n == 2 ? YG_OK : YG_NOMEM;
	yg_norm_free(n);
	return st;
}

static yg_status try_split(void)
{
	struct yg_split *s = NULL;
	struct yg_split_batch b;
	struct yg_sv in = YG_SV("{\"Records\":[{\"a\":1}]}");
	yg_status st = yg_split_new(YG_SOURCE_CLOUDTRAIL, 0, &s, NULL);
	if (st == YG_OK && (yg_split_next(s, &in, &b) || !yg_split_end(s, &b) || b.records != 1))
		st = YG_INTERNAL;
	yg_split_free(s);
	return st;
}

static yg_status try_demo(void)
{
	struct yg_demo *d = NULL;
	struct yg_demo_batch b;
	yg_status st = yg_demo_new(1, (yg_wall){1781524800LL * YG_US_PER_S}, 2000, &d, NULL);
	if (st == YG_OK && !yg_demo_next(d, &b))
		st = yg_demo_failed(d) ? YG_NOMEM : YG_INTERNAL;
	yg_demo_free(d);
	return st;
}

static yg_status try_frames(void)
{
	struct yg_syslog_frames f;
	struct yg_sv one = YG_SV("<1>abc"), two = YG_SV("def\n<2>x\n"), msg;
	bool cut;
	yg_syslog_frames_init(&f, 1000);
	yg_status st = yg_syslog_frames_next(&f, &one, &msg, &cut, NULL);
	if (st == YG_OK)
		st = yg_syslog_frames_next(&f, &two, &msg, &cut, NULL);
	if (st == YG_OK && !YG_SV_IS(msg, "<1>abcdef"))
		st = YG_INTERNAL;
	yg_syslog_frames_free(&f);
	return st;
}

int main(void)
{
	static const struct {
		const char *name;
		yg_status (*run)(void);
	} tries[] = {
		{"mapping", try_mapping}, {"cloudtrail", try_cloudtrail}, {"windows", try_windows},
		{"evtx", try_evtx},       {"syslog", try_syslog},         {"split", try_split},
		{"demo", try_demo},       {"frames", try_frames},         {"dnstap", try_dnstap}};
	for (size_t i = 0; i < YG_LEN(tries); i++) {
		yg_status st = YG_NOMEM;
		long n = 0;
		bool clean = true;
		for (; n < 1000 && st != YG_OK; n++) {
			fail_at = n;
			st = tries[i].run();
			clean = clean && (st == YG_OK || st == YG_NOMEM);
		}
		fail_at = -1;
		(void)printf("# %s: %ld allocations\n", tries[i].name, n - 1);
		T_NAMED(clean && st == YG_OK && n > 1, tries[i].name);
	}
	return tap_done();
}
