/* Is the trust anchor still the newest?  RFC 5011 is not followed: the anchor is a file that
 * people replace.  So that they hear of it in time, one worker looks at the keys of every
 * zone of the anchor now and then.  A key that signs keys (SEP), is not revoked, is vouched
 * for by what the anchor has, and is not in the anchor itself, will be needed one day: long
 * before that day (RFC 5011 2.4.1: at least 30) it is told, counted, and seen by `doctor`. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "role/resolve_loop.h"
#include "role/resolve_up.h"

#define FIRST_MS  3000
#define AGAIN_MS  60000 /* nobody answered, or what came was not secure */
#define LOOK_MS   (12u * 3600 * 1000)
#define KEYS_MAX  64
#define ZONES_MAX 16
#define KEY_TEXT  4096
#define FLAG_SEP  0x0001u
#define FLAG_GONE 0x0080u /* revoked */

struct anchor_zone {
	struct yg_dns_name name;
	uint64_t more; /* keys it has published that the anchor lacks */
	uint16_t told; /* tag of the last one told of; 0: none */
};
struct anchor_key {
	uint32_t zone;
	uint16_t tag;  /* of a DS */
	uint64_t text; /* of a DNSKEY: hash of its data in text, without blanks; 0: it is a DS */
};
struct anchors {
	struct resolve *r;
	struct ub_ctx *checked; /* borrowed */
	uv_timer_t timer;
	struct anchor_zone zones[ZONES_MAX];
	struct anchor_key keys[KEYS_MAX];
	size_t zone_n, key_n, at; /* at: the zone that is asked for now */
	uint8_t hash_key[16];
	bool failed; /* of this round */
};

/* ---- the anchor ---- */

static uint64_t text_hash(const struct anchors *a, struct yg_sv text)
{
	char bare[KEY_TEXT];
	struct yg_sb b = yg_sb_init(bare, sizeof bare);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && text.p[i] != '\t')
			yg_sb_putc(&b, text.p[i]);
	return yg_siphash(a->hash_key, b.p, b.n) | 1;
}

static bool word(struct yg_sv *rest, struct yg_sv *out)
{
	*rest = yg_sv_trim(*rest);
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*out = yg_sv_sub(*rest, 0, n);
	*rest = yg_sv_sub(*rest, n, rest->n);
	return n > 0;
}

static uint32_t zone_of(struct anchors *a, const struct yg_dns_name *name)
{
	uint32_t i = 0;
	while (i < a->zone_n && !yg_dns_name_eq(&a->zones[i].name, name))
		i++;
	if (i == a->zone_n && i < ZONES_MAX)
		a->zones[a->zone_n++].name = *name;
	return i;
}

/* "example. 300 IN DS 4711 13 2 ab...", as libunbound has taken it already. */
static void take_line(struct anchors *a, struct yg_sv line)
{
	struct yg_dns_name name;
	struct yg_sv owner, w;
	uint64_t tag = 0;
	bool ds = false, key = false;
	if (!word(&line, &owner) || yg_dns_name_parse(owner, NULL, &name, NULL) != YG_OK)
		return;
	while (!ds && !key && word(&line, &w)) {
		ds = yg_sv_ieq(w, YG_SV("DS"));
		key = yg_sv_ieq(w, YG_SV("DNSKEY"));
	}
	if (a->key_n == KEYS_MAX ||
	    (ds && (!word(&line, &w) || yg_parse_u64(w, &tag, NULL) != YG_OK || tag > UINT16_MAX)))
		return;
	uint32_t zone = ds || key ? zone_of(a, &name) : ZONES_MAX;
	if (zone < ZONES_MAX)
		a->keys[a->key_n++] = (struct anchor_key){
			.zone = zone, .tag = (uint16_t)tag, .text = ds ? 0 : text_hash(a, line)};
}

static void take_file(struct anchors *a, struct yg_sv rest)
{
	struct yg_sv line;
	while (rest.n > 0 && yg_sv_cut(&rest, '\n', &line)) {
		line = yg_sv_trim(yg_sv_sub(line, 0, yg_sv_find(line, ';', 0)));
		if (line.n > 0)
			take_line(a, line);
	}
}

/* ---- what the zone says ---- */

/* RFC 4034, appendix B. */
static uint16_t tag_of(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (i & 1) != 0 ? p[i] : (uint32_t)p[i] << 8;
	return (uint16_t)(sum + (sum >> 16 & 0xffff));
}

static bool is_known(const struct anchors *a, const struct yg_dns_msg *m,
		     const struct yg_dns_rr *rr, uint16_t tag)
{
	char text[KEY_TEXT];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_dns_rdata_format(&b, m, rr);
	uint64_t hash = text_hash(a, yg_sb_sv(&b));
	for (size_t i = 0; i < a->key_n; i++)
		if (a->keys[i].zone == a->at &&
		    (a->keys[i].text != 0 ? a->keys[i].text == hash : a->keys[i].tag == tag))
			return true;
	return false;
}

static void look_at(struct anchors *a, const uint8_t *packet, size_t n)
{
	struct anchor_zone *z = &a->zones[a->at];
	char name[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	if (yg_dns_msg_read(packet, n, &m) != YG_OK)
		return;
	z->more = 0;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER) {
		const uint8_t *p = m.p + rr.rdata;
		if (rr.type != YG_DNS_DNSKEY || rr.rdata_n < 5)
			continue;
		unsigned flags = yg_dns_get16(p);
		uint16_t tag = tag_of(p, rr.rdata_n);
		if ((flags & FLAG_SEP) == 0 || (flags & FLAG_GONE) != 0 ||
		    is_known(a, &m, &rr, tag))
			continue;
		z->more++;
		if (z->told == tag)
			continue;
		z->told = tag;
		b.n = 0;
		yg_dns_name_format(&b, &z->name);
		yg_role_log(a->r->ctx, YG_EV_RESOLVE_ANCHOR, YG_KV("zone", yg_sb_sv(&b)),
			    YG_KN("key_tag", tag));
	}
}

static void next_zone(struct anchors *a);
static void on_time(uv_timer_t *t);

/* NOLINTNEXTLINE(readability-non-const-parameter): libunbound's type */
static void on_keys(void *ctx, int rcode, void *packet, int n, int sec, char *why, int limited)
{
	struct anchors *a = ctx;
	(void)why;
	(void)limited;
	a->r->up->jobs--;
	if (rcode == 0 && sec == 2 && packet != NULL && n > 0)
		look_at(a, packet, (size_t)n);
	else
		a->failed = true;
	a->at++;
	next_zone(a);
}

/* libunbound may answer at once: then the next one is asked from within, at most ZONES_MAX deep. */
static void next_zone(struct anchors *a)
{
	char name[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	if (a->at >= a->zone_n) {
		(void)uv_timer_start(&a->timer, on_time, a->failed ? AGAIN_MS : LOOK_MS, 0);
		return;
	}
	yg_dns_name_format(&b, &a->zones[a->at].name);
	a->r->up->jobs++;
	if (ub_resolve_event(a->checked, yg_sb_cstr(&b), YG_DNS_DNSKEY, YG_DNS_IN, a, on_keys,
			     NULL) != 0)
		on_keys(a, YG_DNS_RCODE_SERVFAIL, NULL, 0, 0, NULL, 0);
}

static void on_time(uv_timer_t *t)
{
	struct anchors *a = t->data;
	a->at = 0;
	a->failed = false;
	next_zone(a);
}

yg_status up_anchors_open(struct resolve *r, struct ub_ctx *checked, struct yg_sv file,
			  struct yg_err *err)
{
	if (r->up->anchors != NULL || r->ctx->index != 0)
		return YG_OK;
	struct anchors *a = calloc(1, sizeof *a);
	if (a == NULL || uv_timer_init(r->ctx->loop, &a->timer) != 0) {
		free(a);
		return YG_FAIL(err, YG_NOMEM, "no memory for the trust anchor");
	}
	r->up->anchors = a;
	a->r = r;
	a->checked = checked;
	a->timer.data = a;
	r->ctx->env.random(r->ctx->env.ctx, a->hash_key, sizeof a->hash_key);
	take_file(a, file);
	if (a->zone_n > 0)
		(void)uv_timer_start(&a->timer, on_time, FIRST_MS, 0);
	return YG_OK;
}

uint64_t up_anchors_missing(const struct resolve *r)
{
	const struct anchors *a = r->up->anchors;
	uint64_t n = 0;
	for (size_t i = 0; a != NULL && i < a->zone_n; i++)
		n += a->zones[i].more;
	return n;
}
