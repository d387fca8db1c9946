#include "dns/local.h"

#include "base/codec.h"

#define MAGIC "YGLOCAL1"
#define HEAD  28u /* to the first zone */
#define BODY  12u /* what the checksum is over begins here */

enum { F_OVERLAY = 1 };

/* ---- writing ---- */

static void put_name(struct yg_buf *b, const struct yg_dns_name *name)
{
	yg_wr_sv32(b, (struct yg_sv){(const char *)name->b, name->n});
}

yg_status yg_dns_local_pack(struct yg_buf *records, const struct yg_dns_name *zone,
			    const struct yg_zone_rr *rr, struct yg_err *err)
{
	if (rr->cls != YG_DNS_IN || rr->unread || yg_dns_type_is_meta(rr->type))
		return YG_FAIL(err, YG_INVAL, "type %u of class %u is not for a local zone",
			       rr->type, rr->cls);
	if (!yg_dns_name_is_in(rr->owner, zone))
		return YG_FAIL(err, YG_INVAL, "the record's name is not in the zone");
	yg_wr_le16(records, rr->type);
	yg_wr_le32(records, rr->ttl);
	put_name(records, rr->owner);
	yg_wr_sv32(records, rr->rdata);
	return records->bad ? YG_FAIL(err, YG_NOMEM, "the zone is too large") : YG_OK;
}

yg_status yg_dns_local_write(const struct yg_dns_local_zone *zones, size_t n, uint64_t generation,
			     struct yg_buf *out, struct yg_err *err)
{
	size_t from = out->n;
	yg_buf_put(out, YG_SV(MAGIC));
	yg_wr_le32(out, 0); /* the checksum, when it is known */
	yg_wr_le32(out, 0);
	yg_wr_le64(out, generation);
	yg_wr_le32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		yg_wr_le8(out, zones[i].overlay ? F_OVERLAY : 0);
		yg_wr_sv32(out, zones[i].org);
		put_name(out, &zones[i].name);
		yg_wr_sv32(out, zones[i].records);
	}
	if (out->bad)
		return YG_FAIL(err, YG_NOMEM, "the local zones are too large");
	uint32_t crc = yg_crc32c(0, out->p + from + BODY, out->n - from - BODY);
	for (unsigned i = 0; i < 4; i++)
		out->p[from + 8 + i] = (char)(crc >> 8 * i);
	return YG_OK;
}

/* ---- reading ---- */

yg_status yg_dns_local_open(struct yg_sv bytes, struct yg_dns_local_file *out, struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(bytes.p, bytes.n);
	if (bytes.n < HEAD || !yg_sv_starts(bytes, YG_SV(MAGIC)))
		return YG_FAIL(err, YG_CORRUPT, "not a file of local zones");
	(void)yg_rd_take(&r, 8);
	uint32_t crc = yg_rd_le32(&r);
	(void)yg_rd_le32(&r);
	if (crc != yg_crc32c(0, bytes.p + BODY, bytes.n - BODY))
		return YG_FAIL(err, YG_CORRUPT, "the checksum of the local zones is wrong");
	out->generation = yg_rd_le64(&r);
	out->left = yg_rd_le32(&r);
	out->rest = yg_sv_sub(bytes, HEAD, bytes.n);
	return YG_OK;
}

static bool take_name(struct yg_rd *r, struct yg_dns_name *out)
{
	struct yg_sv wire = yg_rd_sv32(r);
	size_t at = 0;
	if (r->bad || yg_dns_name_read((const uint8_t *)wire.p, wire.n, &at, out) != YG_OK ||
	    at != wire.n || out->n != wire.n)
		r->bad = true;
	return !r->bad;
}

yg_status yg_dns_local_next(struct yg_dns_local_file *f, struct yg_dns_local_zone *out,
			    struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(f->rest.p, f->rest.n);
	if (f->left == 0)
		return f->rest.n == 0 ? YG_NOTFOUND
				      : YG_FAIL(err, YG_CORRUPT, "bytes behind the last zone");
	const uint8_t *flags = yg_rd_take(&r, 1);
	out->org = yg_rd_sv32(&r);
	(void)take_name(&r, &out->name);
	out->records = yg_rd_sv32(&r);
	if (r.bad || flags == NULL)
		return YG_FAIL(err, YG_CORRUPT, "a local zone is cut");
	out->overlay = (*flags & F_OVERLAY) != 0;
	f->rest = (struct yg_sv){(const char *)r.p, yg_rd_left(&r)};
	f->left--;
	return YG_OK;
}

yg_status yg_dns_local_put(struct yg_dns_zones *zones, uint32_t org,
			   const struct yg_dns_local_zone *z, struct yg_err *err)
{
	struct yg_rd r = yg_rd_init(z->records.p, z->records.n);
	struct yg_dns_name owner;
	yg_status st = yg_dns_zones_add(zones, org, &z->name,
					z->overlay ? YG_DNS_ZONE_OVERLAY : YG_DNS_ZONE_LOCAL, 0,
					true, err);
	while (st == YG_OK && yg_rd_left(&r) > 0) {
		uint16_t type = yg_rd_le16(&r);
		uint32_t ttl = yg_rd_le32(&r);
		bool named = take_name(&r, &owner);
		struct yg_sv data = yg_rd_sv32(&r);
		if (!named || r.bad || !yg_dns_name_is_in(&owner, &z->name))
			return YG_FAIL(err, YG_CORRUPT, "a record of a local zone is broken");
		st = yg_dns_zones_record(zones, org, &owner, type, ttl, data, err);
	}
	return st;
}

struct one {
	struct yg_dns_zones *zones;
	uint32_t org;
	unsigned count;
};

static yg_status on_record(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct one *o = ctx;
	if (rr->cls != YG_DNS_IN || rr->unread || o->count++ > 0)
		return YG_FAIL(err, YG_PARSE, "expected one record of a known type");
	yg_status st =
		yg_dns_zones_record(o->zones, o->org, rr->owner, rr->type, rr->ttl, rr->rdata, err);
	if (st != YG_NOTFOUND)
		return st;
	st = yg_dns_zones_add(o->zones, o->org, rr->owner, YG_DNS_ZONE_OVERLAY, 0, true, err);
	return st == YG_OK ? yg_dns_zones_record(o->zones, o->org, rr->owner, rr->type, rr->ttl,
						 rr->rdata, err)
			   : st;
}

yg_status yg_dns_local_text(struct yg_dns_zones *zones, uint32_t org, struct yg_sv text,
			    struct yg_err *err)
{
	struct one o = {.zones = zones, .org = org};
	struct yg_dns_name root;
	struct yg_zone_reader *z = NULL;
	yg_dns_name_root(&root);
	const struct yg_zone_opts opts = {.origin = &root, .ctx = &o, .record = on_record};
	yg_status st = yg_zone_reader_new(&opts, &z, err);
	if (st == YG_OK)
		st = yg_zone_reader_feed(z, text, err);
	if (st == YG_OK)
		st = yg_zone_reader_end(z, err);
	yg_zone_reader_free(z);
	if (st == YG_OK && o.count == 0)
		st = YG_FAIL(err, YG_PARSE, "expected a record");
	return st;
}
