#include "dns/xfr.h"

#include <stdlib.h>

enum state { FIRST, SECOND, FULL, REMOVING, ADDING, ENDED };

struct yg_dns_xfr {
	struct yg_dns_name zone;
	struct yg_dns_xfr_opts opts;
	enum state state;
	enum yg_dns_xfr_result result;
	uint32_t last, now;           /* serials: of the new zone, of the version being built */
	struct yg_dns_records *fresh; /* owned: a whole zone */
	struct yg_buf delta;          /* owned: packed records; mark 1: goes */
	uint8_t *first;               /* owned: data of the first SOA, UINT16_MAX octets of room */
	size_t first_n;
	uint32_t first_ttl;
	uint8_t *rdata; /* owned: UINT16_MAX octets of room */
	struct yg_dns_xfr_stats stats;
};

yg_status yg_dns_xfr_new(const struct yg_dns_xfr_opts *opts, struct yg_dns_xfr **out,
			 struct yg_err *err)
{
	struct yg_dns_xfr *x = calloc(1, sizeof *x);
	if (x == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a transfer");
	x->zone = *opts->zone;
	x->opts = *opts;
	x->opts.zone = NULL;
	yg_buf_init(&x->delta, YG_DNS_XFR_DELTA_MAX);
	x->rdata = malloc(UINT16_MAX);
	x->first = malloc(UINT16_MAX);
	if (x->rdata == NULL || x->first == NULL) {
		yg_dns_xfr_free(x);
		return YG_FAIL(err, YG_NOMEM, "no memory for a transfer");
	}
	*out = x;
	return YG_OK;
}

void yg_dns_xfr_free(struct yg_dns_xfr *x)
{
	if (x == NULL)
		return;
	yg_dns_records_free(x->fresh);
	yg_buf_free(&x->delta);
	free(x->first);
	free(x->rdata);
	free(x);
}

size_t yg_dns_xfr_ask(const struct yg_dns_name *zone, const struct yg_sv *soa, uint16_t id,
		      uint8_t *p, size_t cap)
{
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, p, cap, id, 0);
	yg_dns_wr_question(&w, zone, soa != NULL ? YG_DNS_IXFR : YG_DNS_AXFR, YG_DNS_IN);
	if (soa != NULL)
		(void)yg_dns_wr_rr(&w, YG_DNS_AUTHORITY, zone, YG_DNS_SOA, YG_DNS_IN, 0, *soa);
	return w.n;
}

/* ---- a record ---- */

/* Octets of one field of the data; SIZE_MAX: it does not fit. */
static size_t field_n(const struct yg_dns_msg *m, size_t at, size_t end, char c)
{
	size_t s = at < end ? (size_t)m->p[at] + 1 : SIZE_MAX, n = 0;
	switch (c) {
	case '1': return 1;
	case '2':
	case 'y': return 2;
	case '4':
	case 't':
	case 'a': return 4;
	case 'A': return 16;
	case 's': return s;
	case 'S':
		while (n < end - at)
			n += (size_t)m->p[at + n] + 1;
		return n > 0 ? n : SIZE_MAX;
	default: return end - at;
	}
}

/* The data with its names whole and in lower case. */
static bool expand(struct yg_dns_xfr *x, const struct yg_dns_msg *m, const struct yg_dns_rr *rr,
		   struct yg_sv *out)
{
	size_t at = rr->rdata, end = at + rr->rdata_n, to = 0;
	for (const char *l = yg_dns_type_layout(rr->type); *l != 0; l++) {
		struct yg_dns_name name;
		const uint8_t *from = m->p + at;
		size_t n;
		if (*l == 'c' || *l == 'n') {
			if (at >= end || yg_dns_name_read(m->p, m->n, &at, &name) != YG_OK ||
			    at > end)
				return false;
			from = name.b;
			n = name.n;
		} else {
			n = field_n(m, at, end, *l);
			if (n > end - at)
				return false;
			at += n;
		}
		if (UINT16_MAX - to < n)
			return false;
		if (n > 0)
			memcpy(x->rdata + to, from, n);
		to += n;
	}
	*out = (struct yg_sv){(const char *)x->rdata, to};
	return at == end;
}

static yg_status broken(struct yg_err *err, const char *what)
{
	return YG_FAIL(err, YG_PARSE, "the transfer is broken: %s", what);
}

static yg_status put(struct yg_dns_xfr *x, const struct yg_zone_rr *rr, bool goes,
		     struct yg_err *err)
{
	if (goes)
		x->stats.removed++;
	else
		x->stats.added++;
	if (x->state == FULL)
		return yg_dns_records_add(x->fresh, rr, err);
	yg_dns_record_pack(&x->delta, rr, &x->zone, goes);
	return x->delta.bad ? YG_FAIL(err, YG_LIMIT, "the transfer is larger than it may be")
			    : YG_OK;
}

static void end(struct yg_dns_xfr *x, enum yg_dns_xfr_result result)
{
	x->state = ENDED;
	x->result = result;
	x->stats.serial = x->last;
}

static yg_status on_first(struct yg_dns_xfr *x, const struct yg_zone_rr *rr,
			  const struct yg_dns_soa *soa, struct yg_err *err)
{
	if (soa == NULL)
		return broken(err, "it does not begin with the SOA record of the zone");
	x->last = soa->serial;
	memcpy(x->first, rr->rdata.p, rr->rdata.n);
	x->first_n = rr->rdata.n;
	x->first_ttl = rr->ttl;
	x->state = SECOND;
	/* RFC 1982: not newer than ours */
	if (x->opts.has_serial && (int32_t)(x->last - x->opts.serial) <= 0)
		end(x, YG_DNS_XFR_SAME);
	return YG_OK;
}

static yg_status begin_full(struct yg_dns_xfr *x, struct yg_err *err)
{
	struct yg_dns_records_opts o = {
		.origin = &x->zone, .bytes_max = x->opts.bytes_max, .folder = x->opts.folder};
	memcpy(o.key, x->opts.key, sizeof o.key);
	const struct yg_zone_rr first = {.owner = &x->zone,
					 .type = YG_DNS_SOA,
					 .cls = YG_DNS_IN,
					 .ttl = x->first_ttl,
					 .rdata = {(const char *)x->first, x->first_n}};
	yg_status st = yg_dns_records_new(&o, &x->fresh, err);
	x->state = FULL;
	return st == YG_OK ? put(x, &first, false, err) : st;
}

static yg_status on_full(struct yg_dns_xfr *x, const struct yg_zone_rr *rr,
			 const struct yg_dns_soa *soa, struct yg_err *err)
{
	if (soa == NULL)
		return put(x, rr, false, err);
	if (soa->serial != x->last)
		return broken(err, "its last SOA record is not its first");
	end(x, YG_DNS_XFR_FULL);
	return YG_OK;
}

static yg_status on_second(struct yg_dns_xfr *x, const struct yg_zone_rr *rr,
			   const struct yg_dns_soa *soa, struct yg_err *err)
{
	if (x->opts.has_serial && soa != NULL && soa->serial == x->opts.serial) {
		x->state = REMOVING;
		x->now = soa->serial;
		return put(x, rr, true, err);
	}
	yg_status st = begin_full(x, err);
	return st == YG_OK ? on_full(x, rr, soa, err) : st;
}

static yg_status on_adding(struct yg_dns_xfr *x, const struct yg_zone_rr *rr,
			   const struct yg_dns_soa *soa, struct yg_err *err)
{
	if (soa == NULL)
		return put(x, rr, false, err);
	if (soa->serial != x->now)
		return broken(err, "its differences do not follow each other");
	if (x->now == x->last) {
		end(x, YG_DNS_XFR_DELTA);
		return YG_OK;
	}
	x->state = REMOVING;
	return put(x, rr, true, err);
}

static yg_status on_record(struct yg_dns_xfr *x, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct yg_dns_soa numbers, *soa = NULL;
	if (rr->type == YG_DNS_SOA && yg_dns_name_eq(rr->owner, &x->zone)) {
		if (!yg_dns_soa_read(rr->rdata, &numbers))
			return broken(err, "a SOA record");
		soa = &numbers;
	}
	switch (x->state) {
	case FIRST: return on_first(x, rr, soa, err);
	case SECOND: return on_second(x, rr, soa, err);
	case FULL: return on_full(x, rr, soa, err);
	case REMOVING:
		if (soa == NULL)
			return put(x, rr, true, err);
		x->now = soa->serial;
		x->state = ADDING;
		return put(x, rr, false, err);
	case ADDING: return on_adding(x, rr, soa, err);
	case ENDED: break;
	}
	return x->result == YG_DNS_XFR_SAME ? YG_OK : broken(err, "records behind its end");
}

/* ---- a message ---- */

static yg_status check_head(const struct yg_dns_xfr *x, uint16_t id, const struct yg_dns_msg *m,
			    struct yg_err *err)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (m->id != id || (m->flags & YG_DNS_QR) == 0 || (m->flags & YG_DNS_OPCODE) != 0)
		return broken(err, "a message that is no answer to it");
	if ((m->flags & YG_DNS_RCODE) != 0) {
		yg_dns_rcode_format(&b, m->flags & YG_DNS_RCODE);
		return YG_FAIL(err, YG_DENIED, "the server answers %s", yg_sb_cstr(&b));
	}
	if ((m->flags & YG_DNS_TC) != 0)
		return broken(err, "a truncated message");
	if (m->questions != 0 && (m->cls != YG_DNS_IN || !yg_dns_name_eq(&m->name, &x->zone) ||
				  (m->type != YG_DNS_AXFR && m->type != YG_DNS_IXFR)))
		return broken(err, "an answer to another question");
	return m->count[YG_DNS_ANSWER] > 0 ? YG_OK : broken(err, "a message without records");
}

yg_status yg_dns_xfr_feed(struct yg_dns_xfr *x, uint16_t id, const uint8_t *p, size_t n,
			  enum yg_dns_xfr_result *out, struct yg_err *err)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	*out = YG_DNS_XFR_NONE;
	if (x->state == ENDED || yg_dns_msg_read(p, n, &m) != YG_OK)
		return broken(err, "a message");
	yg_status st = check_head(x, id, &m, err);
	struct yg_dns_iter it = yg_dns_records(&m);
	x->stats.messages++;
	x->stats.bytes += n;
	while (st == YG_OK && yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
		struct yg_dns_name owner;
		struct yg_zone_rr z = {
			.owner = &owner, .type = rr.type, .cls = rr.cls, .ttl = rr.ttl};
		if (yg_dns_rr_owner(&m, &rr, &owner) != YG_OK || yg_dns_type_is_meta(rr.type) ||
		    !expand(x, &m, &rr, &z.rdata))
			return broken(err, "a record");
		if (rr.cls != YG_DNS_IN || !yg_dns_name_is_in(&owner, &x->zone))
			x->stats.out_of_zone++;
		else
			st = on_record(x, &z, err);
	}
	if (st == YG_OK && it.bad)
		return broken(err, "a message that ends early");
	if (st == YG_OK && x->state == ENDED)
		*out = x->result;
	return st;
}

static yg_status apply(struct yg_dns_xfr *x, struct yg_dns_records *zone, struct yg_err *err)
{
	struct yg_sv rest = yg_buf_sv(&x->delta);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t goes;
	yg_status st = YG_OK;
	yg_dns_records_begin(zone);
	while (st == YG_OK && yg_dns_record_unpack(&rest, &x->zone, &goes, &owner, &rr))
		st = goes != 0 ? yg_dns_records_remove(zone, &rr, err)
			       : yg_dns_records_add(zone, &rr, err);
	if (st == YG_OK)
		yg_dns_records_commit(zone);
	else
		yg_dns_records_undo(zone);
	return st == YG_NOTFOUND
		       ? YG_FAIL(err, YG_CONFLICT, "the differences are not those of this zone")
		       : st;
}

yg_status yg_dns_xfr_take(struct yg_dns_xfr *x, struct yg_dns_records **zone, struct yg_err *err)
{
	if (x->state != ENDED)
		return broken(err, "it ends early");
	if (x->result == YG_DNS_XFR_FULL) {
		yg_dns_records_free(*zone);
		*zone = x->fresh;
		x->fresh = NULL;
		return YG_OK;
	}
	if (x->result == YG_DNS_XFR_SAME)
		return YG_OK;
	return *zone != NULL ? apply(x, *zone, err)
			     : YG_FAIL(err, YG_CONFLICT, "differences to a zone that is not there");
}

yg_status yg_dns_xfr_each(const struct yg_dns_xfr *x,
			  yg_status (*one)(void *ctx, const struct yg_zone_rr *rr,
					   struct yg_err *err),
			  void *ctx, struct yg_err *err)
{
	struct yg_sv rest = yg_buf_sv(&x->delta);
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	uint8_t goes;
	yg_status st = YG_OK;
	while (st == YG_OK && yg_dns_record_unpack(&rest, &x->zone, &goes, &owner, &rr))
		st = one(ctx, &rr, err);
	return st;
}

struct yg_dns_xfr_stats yg_dns_xfr_stats(const struct yg_dns_xfr *x)
{
	return x->stats;
}
