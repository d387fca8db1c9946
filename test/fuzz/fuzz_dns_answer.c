#include "dns/clean.h"
#include "fuzz/replay.h"

static struct yg_dns_clean a, b;
static struct yg_dns_msg m;

static void places(const struct yg_dns_clean *c)
{
	struct yg_dns_msg out;
	if (yg_dns_msg_read(c->msg, c->n, &out) != YG_OK || yg_dns_msg_check(&out) != YG_OK)
		abort();
	if (c->like.answer_end < out.body || c->like.answer_end > c->n)
		abort();
	struct yg_dns_iter it = yg_dns_records(&out);
	struct yg_dns_rr rr;
	for (size_t i = 0; yg_dns_rr_next(&it, &rr); i++)
		if (i >= c->ttl_count || c->ttl_at[i] != rr.rdata - 6)
			abort();
}

/* The first byte: DO, and how much of the name the upstream answers for; then a message
 * that is taken as the answer to the question in it.  What is kept of it is well formed,
 * and kept again when it comes again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct yg_dns_cache_opts opts = {
		.most = 86400, .negative_most = 3600, .failure = 5, .stale = 86400};
	uint8_t *exact = size > 1 ? fuzz_exact(data + 1, size - 1) : NULL;
	if (exact == NULL)
		return 0;
	if (yg_dns_msg_read(exact, size - 1, &m) == YG_OK && m.questions == 1) {
		static struct yg_dns_name name;
		name = m.name;
		struct yg_dns_key key = {1, 1, m.type, data[0] & YG_DNS_KEY_DO, &name};
		unsigned zone = YG_MIN((unsigned)data[0] >> 4, name.labels);
		if (yg_dns_clean(&a, exact, size - 1, &key, zone, &opts, 1000) == YG_OK) {
			places(&a);
			if (yg_dns_clean(&b, a.msg, a.n, &key, zone, &opts, 1000) != YG_OK ||
			    a.n != b.n || memcmp(a.msg, b.msg, a.n) != 0)
				abort();
		}
	}
	free(exact);
	return 0;
}
