#include "dns/clean.h"

#include "dns/inside.h"

struct job { /* one call */
	struct yg_dns_clean *c;
	const struct yg_dns_msg *m;
	const struct yg_dns_key *key;
	const struct yg_dns_cache_opts *opts;
	unsigned zone_labels;
	bool negative; /* which limit a TTL has */
};

static uint32_t limit_ttl(const struct job *j, uint32_t ttl)
{
	if (ttl != 0 && ttl < j->opts->least)
		ttl = j->opts->least;
	ttl = YG_MIN(ttl, j->opts->most);
	return j->negative ? YG_MIN(ttl, j->opts->negative_most) : ttl;
}

static bool copy(struct job *j, unsigned section, const struct yg_dns_rr *rr, uint32_t ttl)
{
	ttl = limit_ttl(j, ttl);
	j->c->least = YG_MIN(j->c->least, ttl);
	if (section == YG_DNS_ANSWER && yg_dns_rr_inside(j->m, rr))
		j->c->like.flags |= YG_DNS_ENTRY_PRIVATE;
	if (rr->type == YG_DNS_RRSIG)
		j->c->like.flags |= YG_DNS_ENTRY_SIGNED;
	return yg_dns_wr_copy(&j->c->w, section, &j->c->owner, j->m, rr, ttl);
}

static bool in_zone(const struct job *j, const struct yg_dns_name *name)
{
	return yg_dns_name_common(name, j->key->name) >= j->zone_labels;
}

/* Is this record of the answer section type `type` (or a signature over it) at c->at? */
static bool is_at(const struct job *j, const struct yg_dns_rr *rr, uint16_t type)
{
	bool sig = rr->type == YG_DNS_RRSIG && (j->key->flags & YG_DNS_KEY_DO) != 0 &&
		   rr->rdata_n >= 2 && yg_dns_get16(j->m->p + rr->rdata) == type;
	return (rr->type == type || sig) && rr->cls == YG_DNS_IN &&
	       yg_dns_rr_owner(j->m, rr, &j->c->owner) == YG_OK &&
	       yg_dns_name_eq(&j->c->owner, &j->c->at);
}

/* Takes the RRset of a type at c->at with its signatures: how many records;
 * of CNAMEs one.  -1: it cannot be taken. */
static int take_set(struct job *j, uint16_t type)
{
	struct yg_dns_iter it = yg_dns_records(j->m);
	struct yg_dns_rr rr;
	int count = 0;
	while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
		if (!is_at(j, &rr, type) || (type == YG_DNS_CNAME && rr.type == type && count > 0))
			continue;
		if (!copy(j, YG_DNS_ANSWER, &rr, rr.ttl))
			return -1;
		count += rr.type == type;
		if (type == YG_DNS_CNAME && rr.type == type &&
		    yg_dns_rr_name(j->m, &rr, 0, &j->c->target) != YG_OK)
			return -1;
	}
	return count;
}

/* A DNAME above c->at: it is taken and c->target made of it.  1, 0 or -1. */
static int take_dname(struct job *j, uint32_t *ttl)
{
	struct yg_dns_clean *c = j->c;
	struct yg_dns_iter it = yg_dns_records(j->m);
	struct yg_dns_rr rr;
	struct yg_dns_name to;
	int found = 0;
	while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
		bool sig = rr.type == YG_DNS_RRSIG && (j->key->flags & YG_DNS_KEY_DO) != 0 &&
			   rr.rdata_n >= 2 && yg_dns_get16(j->m->p + rr.rdata) == YG_DNS_DNAME;
		if ((rr.type != YG_DNS_DNAME && !sig) || rr.cls != YG_DNS_IN ||
		    yg_dns_rr_owner(j->m, &rr, &c->owner) != YG_OK ||
		    c->owner.labels >= c->at.labels || !yg_dns_name_is_in(&c->at, &c->owner) ||
		    !in_zone(j, &c->owner) || (rr.type == YG_DNS_DNAME && found != 0))
			continue;
		if (!copy(j, YG_DNS_ANSWER, &rr, rr.ttl))
			return -1;
		if (rr.type != YG_DNS_DNAME)
			continue;
		if (yg_dns_rr_name(j->m, &rr, 0, &to) != YG_OK ||
		    yg_dns_name_join(&c->at, c->owner.labels, &to, &c->target) != YG_OK)
			return -1;
		*ttl = rr.ttl;
		found = 1;
	}
	return found;
}

/* One step of the chain: 1 it goes on at c->target, 0 it ends here, -1 broken. */
static int take_link(struct job *j)
{
	uint32_t ttl = 0;
	int dname = take_dname(j, &ttl);
	if (dname < 0)
		return -1;
	struct yg_dns_name made = {.n = 0};
	if (dname == 1)
		made = j->c->target;
	int count = take_set(j, YG_DNS_CNAME);
	if (count != 0 || dname == 0)
		return count;
	j->c->target = made; /* no CNAME came with it: it is made (RFC 6672 3.4) */
	ttl = limit_ttl(j, ttl);
	return yg_dns_wr_rr(&j->c->w, YG_DNS_ANSWER, &j->c->at, YG_DNS_CNAME, YG_DNS_IN, ttl,
			    (struct yg_sv){(const char *)made.b, made.n})
		       ? 1
		       : -1;
}

/* The SOA of a negative answer, and at DO the proofs: true when there was a SOA.
 * Also the proofs of a wildcard's positive answer (with soa = false). */
static bool take_authority(struct job *j, bool soa)
{
	struct yg_dns_iter it = yg_dns_records(j->m);
	struct yg_dns_rr rr;
	bool found = false, proofs = (j->key->flags & YG_DNS_KEY_DO) != 0;
	while (yg_dns_rr_next(&it, &rr)) {
		uint16_t type = rr.type;
		if (rr.section != YG_DNS_AUTHORITY || rr.cls != YG_DNS_IN)
			continue;
		if (type == YG_DNS_RRSIG && rr.rdata_n >= 2 && proofs)
			type = yg_dns_get16(j->m->p + rr.rdata);
		bool want = type == YG_DNS_SOA
				    ? soa && (rr.type != YG_DNS_SOA || !found)
				    : proofs && (type == YG_DNS_NSEC || type == YG_DNS_NSEC3);
		if (!want || yg_dns_rr_owner(j->m, &rr, &j->c->owner) != YG_OK ||
		    !in_zone(j, &j->c->owner) ||
		    (type == YG_DNS_SOA && !yg_dns_name_is_in(&j->c->at, &j->c->owner)))
			continue;
		uint32_t ttl = rr.ttl;
		if (rr.type == YG_DNS_SOA && rr.rdata_n >= 20) /* RFC 2308 5 */
			ttl = YG_MIN(ttl, yg_dns_get32(j->m->p + rr.rdata + rr.rdata_n - 4));
		if (copy(j, YG_DNS_AUTHORITY, &rr, ttl))
			found |= rr.type == YG_DNS_SOA;
	}
	return found;
}

static bool has_ns(const struct yg_dns_msg *m)
{
	struct yg_dns_iter it = yg_dns_records(m);
	struct yg_dns_rr rr;
	while (yg_dns_rr_next(&it, &rr))
		if (rr.section == YG_DNS_AUTHORITY && rr.type == YG_DNS_NS)
			return true;
	return false;
}

/* The places of the TTLs and the end of the answer section, from what was built. */
static yg_status note_places(struct yg_dns_clean *c)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	if (yg_dns_msg_read(c->msg, c->w.n, &m) != YG_OK)
		return YG_PARSE;
	struct yg_dns_iter it = yg_dns_records(&m);
	c->like.answer_end = (uint16_t)m.body;
	c->ttl_count = 0;
	while (yg_dns_rr_next(&it, &rr)) {
		if (c->ttl_count == YG_LEN(c->ttl_at))
			return YG_LIMIT;
		c->ttl_at[c->ttl_count++] = (uint16_t)(rr.rdata - 6);
		if (rr.section == YG_DNS_ANSWER)
			c->like.answer_end = (uint16_t)it.at;
	}
	c->n = c->w.n;
	return it.bad ? YG_PARSE : YG_OK;
}

/* Takes the chain; *out_data: it ends in records of the type asked for. */
static yg_status take_answer(struct job *j, bool *out_data)
{
	struct yg_dns_clean *c = j->c;
	c->at = *j->key->name;
	*out_data = false;
	for (;;) {
		int count = take_set(j, j->key->type);
		if (count > 0) {
			*out_data = true;
			return YG_OK;
		}
		if (count == 0 && j->key->type != YG_DNS_CNAME)
			count = take_link(j);
		if (count < 0)
			return c->w.full ? YG_LIMIT : YG_PARSE;
		if (count == 0)
			return YG_OK;
		if (++c->like.chain > YG_DNS_CLEAN_CHAIN)
			return YG_PARSE;
		c->at = c->target;
		if (!in_zone(j, &c->at)) {
			c->like.flags |= YG_DNS_ENTRY_CUT;
			return YG_OK;
		}
	}
}

static yg_status begin(struct job *j, unsigned rcode)
{
	struct yg_dns_clean *c = j->c;
	memset(&c->like, 0, sizeof c->like);
	c->like.ede = YG_DNS_EDE_NONE;
	c->like.rcode = (uint8_t)rcode;
	c->least = UINT32_MAX;
	c->dropped = 0;
	c->lame = false;
	yg_dns_wr_begin(&c->w, c->msg, sizeof c->msg, 0, (uint16_t)(YG_DNS_QR | YG_DNS_RA | rcode));
	yg_dns_wr_question(&c->w, j->key->name, j->key->type, YG_DNS_IN);
	return YG_OK;
}

static yg_status finish(struct job *j, uint32_t now)
{
	struct yg_dns_clean *c = j->c;
	yg_status st = note_places(c);
	uint32_t ttl = c->least == UINT32_MAX ? 0 : c->least;
	c->like.stored = now;
	c->like.expires = now + ttl;
	c->like.stale_until = c->like.expires + j->opts->stale;
	unsigned had = j->m->count[0] + (unsigned)j->m->count[1] + j->m->count[2];
	c->dropped = had > c->ttl_count ? had - (unsigned)c->ttl_count : 0;
	return st;
}

yg_status yg_dns_clean(struct yg_dns_clean *c, const uint8_t *msg, size_t n,
		       const struct yg_dns_key *key, unsigned zone_labels,
		       const struct yg_dns_cache_opts *opts, uint32_t now)
{
	struct yg_dns_msg m;
	struct job j = {c, &m, key, opts, zone_labels, false};
	bool data;
	c->lame = false;
	if (yg_dns_msg_read(msg, n, &m) != YG_OK || (m.flags & YG_DNS_QR) == 0 ||
	    (m.flags & (YG_DNS_OPCODE | YG_DNS_TC)) != 0 || m.questions != 1 ||
	    m.type != key->type || m.cls != YG_DNS_IN || !yg_dns_name_eq(&m.name, key->name) ||
	    yg_dns_msg_check(&m) != YG_OK)
		return YG_PARSE;
	unsigned rcode = m.flags & YG_DNS_RCODE;
	if (rcode != YG_DNS_RCODE_NOERROR && rcode != YG_DNS_RCODE_NXDOMAIN) {
		c->lame = true;
		return YG_PARSE;
	}
	(void)begin(&j, rcode);
	yg_status st = take_answer(&j, &data);
	if (st != YG_OK)
		return st;
	if (data || (c->like.flags & YG_DNS_ENTRY_CUT) != 0) {
		c->like.rcode = YG_DNS_RCODE_NOERROR;
		yg_dns_wr_flags(&c->w, YG_DNS_QR | YG_DNS_RA);
		(void)take_authority(&j, false);
		return finish(&j, now);
	}
	j.negative = true;
	bool soa = take_authority(&j, true);
	if (soa || rcode == YG_DNS_RCODE_NXDOMAIN) {
		c->like.flags |= YG_DNS_ENTRY_NEGATIVE;
		st = finish(&j, now);
		if (!soa) /* none of this zone; RFC 2308 5: not to be cached, stale neither */
			c->like.expires = c->like.stale_until = now;
		return st;
	}
	if (c->like.chain > 0) { /* a chain whose end the upstream did not look up */
		c->like.flags |= YG_DNS_ENTRY_CUT;
		return finish(&j, now);
	}
	if (has_ns(&m)) {
		c->lame = true; /* a referral: it does not answer for this name */
		return YG_PARSE;
	}
	c->like.flags |= YG_DNS_ENTRY_NEGATIVE;
	st = finish(&j, now);
	c->like.expires = c->like.stale_until = now;
	return st;
}

void yg_dns_clean_failure(struct yg_dns_clean *c, const struct yg_dns_key *key, uint16_t ede,
			  const struct yg_dns_cache_opts *opts, uint32_t now)
{
	struct job j = {.c = c, .key = key};
	(void)begin(&j, YG_DNS_RCODE_SERVFAIL);
	(void)note_places(c);
	c->like.flags = YG_DNS_ENTRY_FAILURE;
	c->like.ede = ede;
	c->like.stored = now;
	c->like.expires = c->like.stale_until = now + opts->failure;
}
