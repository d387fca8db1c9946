#include "format/dns.h"
#include "fuzz/replay.h"

static struct yg_dns_query query;
static struct yg_dns_wr w, w2;
static uint8_t out[65535], again[65535];

static void inside(struct yg_sv part, const uint8_t *p, size_t n)
{
	const uint8_t *at = (const uint8_t *)part.p;
	if (part.n > 0 && (at < p || at + part.n > p + n))
		abort();
}

static void try_query(const uint8_t *p, size_t n)
{
	if (yg_dns_query_read(p, n, &query) != YG_OK)
		return;
	inside(query.cookie, p, n);
	if (query.has_question &&
	    ((size_t)query.question_n + 12 > n || query.name.n + 4u != query.question_n))
		abort();
}

/* Rebuilds what was read; gives the number of records that could be. */
static unsigned rebuild(struct yg_dns_wr *to, uint8_t *buf, size_t cap, const struct yg_dns_msg *m)
{
	struct yg_dns_iter it = yg_dns_records(m);
	struct yg_dns_rr rr;
	struct yg_dns_name owner;
	unsigned count = 0;
	yg_dns_wr_begin(to, buf, cap, m->id, m->flags);
	if (m->questions != 0)
		yg_dns_wr_question(to, &m->name, m->type, m->cls);
	while (yg_dns_rr_next(&it, &rr))
		if (rr.type != YG_DNS_OPT && yg_dns_rr_owner(m, &rr, &owner) == YG_OK)
			count += yg_dns_wr_copy(to, rr.section, &owner, m, &rr, rr.ttl);
	return count;
}

/* Whatever comes in: no access out of bounds, text and options inside the message,
 * and what the builder makes of it can be read back and built again to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096];
	struct yg_dns_msg m, m2;
	struct yg_dns_edns edns;
	struct yg_dns_rr rr;
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	try_query(exact, size);
	if (yg_dns_msg_read(exact, size, &m) == YG_OK) {
		struct yg_dns_iter it = yg_dns_records(&m);
		while (yg_dns_rr_next(&it, &rr)) {
			struct yg_sb b = yg_sb_init(text, sizeof text);
			yg_dns_rdata_format(&b, &m, &rr);
		}
		yg_dns_edns_read(&m, &edns);
		inside(edns.options, exact, size);
		unsigned count = rebuild(&w, out, size % 2 == 0 ? sizeof out : 600, &m);
		if (w.n >= 12 && !w.full) {
			if (yg_dns_msg_read(out, w.n, &m2) != YG_OK ||
			    yg_dns_msg_check(&m2) != YG_OK)
				abort();
			if (rebuild(&w2, again, sizeof again, &m2) != count || w2.n != w.n ||
			    memcmp(out, again, w.n) != 0)
				abort();
		}
	}
	free(exact);
	return 0;
}
