#include "format/dns_extra.h"

#define HEAD     19u /* magic, version, origin, flags, rcode, ede, set, took, hits */
#define WORD_MAX 255u
#define VERSION  1u
static const char magic[3] = {'Y', 'G', 'r'};

const char *yg_dns_origin_name(unsigned origin)
{
	static const char *const names[YG_DNS_ORIGIN_COUNT] = {
#define X(number, name) [number] = (name),
		YG_DNS_ORIGINS(X)
#undef X
	};
	return origin < YG_DNS_ORIGIN_COUNT ? names[origin] : names[0];
}

static uint8_t *put_word(uint8_t *p, struct yg_sv s)
{
	size_t n = YG_MIN(s.n, WORD_MAX);
	*p++ = (uint8_t)n;
	if (n > 0)
		memcpy(p, s.p, n);
	return p + n;
}

static size_t hit_size(const struct yg_dns_extra_hit *h)
{
	const struct yg_sv words[] = {h->layer, h->zone, h->category, h->trigger, h->action};
	size_t n = 1 + 2 + YG_MIN(h->rule.n, (size_t)YG_DNS_EXTRA_RULE);
	for (size_t i = 0; i < YG_LEN(words); i++)
		n += 1 + YG_MIN(words[i].n, WORD_MAX);
	return n;
}

static uint8_t *put_hit(uint8_t *p, const struct yg_dns_extra_hit *h)
{
	uint16_t n = (uint16_t)YG_MIN(h->rule.n, (size_t)YG_DNS_EXTRA_RULE);
	*p++ = h->decided;
	p = put_word(p, h->layer);
	p = put_word(p, h->zone);
	p = put_word(p, h->category);
	p = put_word(p, h->trigger);
	p = put_word(p, h->action);
	memcpy(p, &n, 2); /* little endian, as memory is */
	if (n > 0)
		memcpy(p + 2, h->rule.p, n);
	return p + 2 + n;
}

size_t yg_dns_extra_put(const struct yg_dns_extra *x, uint8_t *out, size_t cap)
{
	size_t hits = YG_MIN(x->hit_count, YG_DNS_EXTRA_HITS), n = HEAD;
	for (size_t i = 0; i < hits; i++)
		n += hit_size(&x->hits[i]);
	if (n > cap)
		return 0;
	memcpy(out, magic, sizeof magic);
	out[3] = VERSION;
	out[4] = x->origin;
	out[5] = x->flags;
	memcpy(out + 6, &x->rcode, 2);
	memcpy(out + 8, &x->ede, 2);
	memcpy(out + 10, &x->set, 4);
	memcpy(out + 14, &x->took_us, 4);
	out[18] = (uint8_t)hits;
	uint8_t *p = out + HEAD;
	for (size_t i = 0; i < hits; i++)
		p = put_hit(p, &x->hits[i]);
	return n;
}

static struct yg_sv get_word(struct yg_rd *r, size_t n)
{
	const uint8_t *p = yg_rd_take(r, n);
	return p != NULL ? (struct yg_sv){(const char *)p, n} : YG_SV("");
}

static void get_hit(struct yg_rd *r, struct yg_dns_extra_hit *h)
{
	struct yg_sv *const words[] = {&h->layer, &h->zone, &h->category, &h->trigger, &h->action};
	h->decided = yg_rd_le8(r) != 0;
	for (size_t i = 0; i < YG_LEN(words); i++)
		*words[i] = get_word(r, yg_rd_le8(r));
	h->rule = get_word(r, yg_rd_le16(r));
}

yg_status yg_dns_extra_read(struct yg_sv bytes, struct yg_dns_extra *out, struct yg_err *err)
{
	struct yg_dns_extra x = {0};
	if (bytes.n < 4 || memcmp(bytes.p, magic, sizeof magic) != 0)
		return YG_NOTFOUND;
	if ((uint8_t)bytes.p[3] != VERSION)
		return YG_FAIL(err, YG_PARSE, "extra of version %u, which is not known",
			       (uint8_t)bytes.p[3]);
	struct yg_rd r = yg_rd_init(bytes.p + 4, bytes.n - 4);
	x.origin = yg_rd_le8(&r);
	x.flags = yg_rd_le8(&r);
	x.rcode = yg_rd_le16(&r);
	x.ede = yg_rd_le16(&r);
	x.set = yg_rd_le32(&r);
	x.took_us = yg_rd_le32(&r);
	x.hit_count = yg_rd_le8(&r);
	if (x.hit_count > YG_DNS_EXTRA_HITS)
		r.bad = true;
	for (size_t i = 0; i < x.hit_count && !r.bad; i++)
		get_hit(&r, &x.hits[i]);
	if (!yg_rd_done(&r))
		return YG_FAIL(err, YG_PARSE, "extra is cut short or has too much");
	*out = x;
	return YG_OK;
}
