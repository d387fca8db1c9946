#include "base/codec.h"
#include "format/doh.h"
#include "fuzz/replay.h"

/* Lines: method, path, authority, content type, name asked for over TLS; the rest is
 * an answer.  What is accepted lies inside what came, a query that is decoded is
 * encoded to the same text, and an answer that is cut is not read behind its end. */
static void inside(struct yg_sv part, struct yg_sv whole)
{
	if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void check_dns(struct yg_sv text)
{
	static uint8_t bytes[65536];
	static char again[90000];
	size_t n = 0;
	if (yg_doh_decode(text, bytes, sizeof bytes, &n) != YG_OK)
		return;
	struct yg_sb b = yg_sb_init(again, sizeof again);
	yg_sb_base64url(&b, bytes, n);
	if (!b.cut && !yg_sv_eq(yg_sb_sv(&b), text))
		abort();
	if (n > 0 && yg_doh_decode(text, bytes, n - 1, &n) != YG_LIMIT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv rest = {(const char *)exact, size}, line[5];
	for (size_t i = 0; i < YG_LEN(line); i++) {
		line[i] = YG_SV("");
		(void)yg_sv_cut(&rest, '\n', &line[i]);
	}
	struct yg_doh_request r = {
		.method = line[0], .path = line[1], .authority = line[2], .content_type = line[3]};
	struct yg_doh_query q;
	yg_doh_request_read(&r, YG_SV("/dns-query"), line[4], &q);
	inside(q.token, r.path);
	inside(q.dns, r.path);
	if (q.status == 200 && !yg_sv_starts(r.path, YG_SV("/dns-query")))
		abort();
	if (q.status == 200 && q.post != YG_SV_IS(r.method, "POST"))
		abort();
	check_dns(q.dns);
	check_dns(r.path);
	uint32_t fresh = 0;
	if (rest.n > 0 && yg_doh_fresh((const uint8_t *)rest.p, rest.n, &fresh) == YG_OK &&
	    fresh > 0x7fffffff)
		abort();
	free(exact);
	return 0;
}
