/* Records that change by difference, transfers message by message, signatures. */
#include <stdio.h>
#include <stdlib.h>

#include "dns/tsig.h"
#include "dns/xfr.h"
#include "tap.h"

static struct yg_dns_name zone, out_owner;
static uint8_t msg[65535];

static struct yg_dns_name name(const char *text)
{
	struct yg_dns_name n;
	(void)yg_dns_name_parse(yg_sv_of(text), NULL, &n, NULL);
	return n;
}

/* A SOA's data with this serial. */
static struct yg_sv soa(uint32_t serial)
{
	static uint8_t b[8][64];
	static unsigned turn;
	uint8_t *p = b[turn++ % 8];
	memset(p, 0, 64);
	memcpy(p, "\2ns\0\1r", 7); /* and its end */
	yg_dns_put32(p + 7, serial);
	yg_dns_put32(p + 11, 10);
	yg_dns_put32(p + 15, 5);
	yg_dns_put32(p + 19, 100);
	return (struct yg_sv){(const char *)p, 27};
}

/* ---- records ---- */

static struct yg_dns_records *records(void)
{
	struct yg_dns_records *r = NULL;
	const struct yg_dns_records_opts o = {.origin = NULL};
	if (yg_dns_records_new(&o, &r, NULL) != YG_OK)
		abort();
	return r;
}

static yg_status change(struct yg_dns_records *r, bool add, const char *owner, uint16_t type,
			struct yg_sv rdata)
{
	struct yg_dns_name n = name(owner);
	const struct yg_zone_rr rr = {
		.owner = &n, .type = type, .cls = YG_DNS_IN, .ttl = 60, .rdata = rdata};
	return add ? yg_dns_records_add(r, &rr, NULL) : yg_dns_records_remove(r, &rr, NULL);
}

static bool holds(const struct yg_dns_records *r, const char *owner)
{
	struct yg_dns_name want = name(owner);
	struct yg_zone_rr rr;
	size_t at = 0;
	while (yg_dns_records_next(r, &at, &out_owner, &rr))
		if (yg_dns_name_eq(&out_owner, &want))
			return true;
	return false;
}

static void test_records(void)
{
	const struct yg_sv a = {"\xc0\0\2\1", 4}, b = {"\xc0\0\2\2", 4};
	struct yg_dns_records *r = records();
	struct yg_zone_rr rr;
	T_OK(change(r, true, "a.z.example", YG_DNS_A, a) == YG_PARSE); /* the SOA comes first */
	T_OK(change(r, true, "z.example", YG_DNS_SOA, soa(1)) == YG_OK);
	T_OK(change(r, true, "a.z.example", YG_DNS_A, a) == YG_OK);
	T_OK(change(r, true, "a.z.example", YG_DNS_A, b) == YG_OK);
	T_OK(change(r, true, "other.example", YG_DNS_A, a) ==
	     YG_OK); /* kept: the compiler counts it */
	T_OK(yg_dns_records_count(r) == 4 && holds(r, "other.example"));
	T_OK(change(r, false, "b.z.example", YG_DNS_A, a) == YG_NOTFOUND);
	T_OK(change(r, false, "a.z.example", YG_DNS_A, a) == YG_OK && holds(r, "a.z.example"));
	T_OK(change(r, false, "a.z.example", YG_DNS_A, a) == YG_NOTFOUND);
	T_OK(change(r, true, "a.z.example", YG_DNS_A, b) == YG_OK && yg_dns_records_count(r) == 3);
	yg_dns_records_begin(r);
	T_OK(change(r, false, "a.z.example", YG_DNS_A, b) == YG_OK && !holds(r, "a.z.example"));
	T_OK(change(r, false, "z.example", YG_DNS_SOA, soa(1)) == YG_OK);
	T_OK(change(r, true, "z.example", YG_DNS_SOA, soa(2)) == YG_OK);
	T_OK(change(r, true, "c.z.example", YG_DNS_A, b) == YG_OK && holds(r, "c.z.example"));
	T_OK(change(r, false, "c.z.example", YG_DNS_A, b) == YG_OK);
	yg_dns_records_undo(r);
	T_OK(holds(r, "a.z.example") && !holds(r, "c.z.example") && yg_dns_records_count(r) == 3);
	struct yg_dns_soa s = {0};
	T_OK(yg_dns_records_soa(r, &out_owner, &rr) && yg_dns_soa_read(rr.rdata, &s) &&
	     s.serial == 1 && s.refresh == 10 && s.retry == 5 && s.expire == 100);
	yg_dns_records_begin(r);
	T_OK(change(r, true, "c.z.example", YG_DNS_A, b) == YG_OK);
	yg_dns_records_commit(r);
	struct yg_buf kept;
	yg_buf_init(&kept, 1 << 20);
	yg_dns_records_save(r, &kept);
	struct yg_dns_records *back = records();
	T_OK(yg_dns_records_load(back, yg_buf_sv(&kept), NULL) == YG_OK &&
	     yg_dns_records_count(back) == 4 && holds(back, "c.z.example"));
	yg_dns_records_free(back);
	back = records();
	kept.p[kept.n - 1] ^= 1;
	T_OK(yg_dns_records_load(back, yg_buf_sv(&kept), NULL) == YG_PARSE);
	yg_dns_records_free(back);
	yg_dns_records_free(r);
	yg_buf_free(&kept);
}

/* Removals and additions at random against a plain table; the index grows and is
 * made anew on the way. */
static void test_random(void)
{
	static bool there[5000];
	struct yg_dns_records *r = records();
	char text[32];
	uint32_t seed = 7, bad = 0;
	uint64_t count = 1;
	(void)change(r, true, "z.example", YG_DNS_SOA, soa(1));
	for (unsigned i = 0; i < 60000; i++) {
		seed = seed * 1664525 + 1013904223;
		unsigned k = (seed >> 8) % 5000;
		bool add = (seed >> 24) % 3 > 0;
		(void)snprintf(text, sizeof text, "n%u.z.example", k);
		if (i % 100 == 0)
			yg_dns_records_begin(r);
		yg_status st = change(r, add, text, YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4});
		bad += st != (add || there[k] ? YG_OK : YG_NOTFOUND);
		count += add && !there[k];
		count -= !add && there[k];
		there[k] = add;
		if (i % 100 == 99)
			yg_dns_records_commit(r);
	}
	T_OK(bad == 0);
	T_OK(yg_dns_records_count(r) == count);
	yg_dns_records_free(r);
}

/* A view stays what it was, whatever becomes of the zone; so large ones lie in a file. */
static void test_view(const char *folder, unsigned count)
{
	struct yg_dns_records *r = NULL;
	const struct yg_dns_records_opts o = {.folder = folder};
	char text[64];
	struct yg_buf kept;
	if (yg_dns_records_new(&o, &r, NULL) != YG_OK)
		abort();
	(void)change(r, true, "z.example", YG_DNS_SOA, soa(1));
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(text, sizeof text, "name-number-%u.z.example", i);
		(void)change(r, true, text, YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4});
	}
	struct yg_dns_records *v = yg_dns_records_view(r);
	T_OK(v != NULL && yg_dns_records_count(v) == count + 1);
	yg_dns_records_begin(r);
	T_OK(change(r, true, "later.z.example", YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4}) == YG_OK);
	for (unsigned i = 0; i < count - 1; i++) {
		(void)snprintf(text, sizeof text, "name-number-%u.z.example", i);
		(void)change(r, false, text, YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4});
	}
	yg_dns_records_commit(r);
	T_OK(yg_dns_records_count(r) == 3 && holds(r, "later.z.example"));
	(void)snprintf(text, sizeof text, "name-number-%u.z.example", count - 1);
	T_OK(holds(v, text) && !holds(v, "later.z.example"));
	yg_dns_records_free(r);
	T_NAMED(holds(v, text), "and when the zone itself is gone");
	yg_buf_init(&kept, 64 << 20);
	yg_dns_records_save(v, &kept);
	struct yg_dns_records *back = records();
	T_OK(yg_dns_records_load(back, yg_buf_sv(&kept), NULL) == YG_OK && holds(back, text));
	yg_dns_records_free(back);
	yg_dns_records_free(v);
	yg_buf_free(&kept);
}

/* A zone with so many names, and the first once more. */
static struct yg_dns_records *large_zone(unsigned count)
{
	struct yg_dns_records *r = NULL;
	const struct yg_dns_records_opts o = {.folder = "/tmp"};
	char text[64];
	if (yg_dns_records_new(&o, &r, NULL) != YG_OK)
		abort();
	(void)change(r, true, "z.example", YG_DNS_SOA, soa(1));
	for (unsigned i = 0; i <= count; i++) {
		(void)snprintf(text, sizeof text, "name-number-%u.z.example", i % count);
		(void)change(r, true, text, YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4});
	}
	return r;
}

static bool takes_away(struct yg_dns_records *r, const char *owner)
{
	yg_dns_records_begin(r);
	bool good = change(r, false, owner, YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4}) == YG_OK;
	yg_dns_records_commit(r);
	return good && !holds(r, owner);
}

/* The index of a large one is made from a view, by whoever has the time. */
static void test_index_beside(void)
{
	const unsigned count = 60000;
	struct yg_dns_records *r = large_zone(count), *v = yg_dns_records_view(r);
	T_OK(v != NULL && yg_dns_records_is_large(r) && !yg_dns_records_is_indexed(r));
	T_OK(yg_dns_records_view_index(v) == YG_OK && yg_dns_records_count(r) == count + 2);
	T_OK(change(r, true, "later.z.example", YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4}) == YG_OK);
	yg_dns_records_take_index(r, v);
	yg_dns_records_free(v);
	T_OK(yg_dns_records_is_indexed(r) && !yg_dns_records_prepare(r));
	T_NAMED(yg_dns_records_count(r) == count + 2,
		"what was in twice is in once, and the later one");
	T_OK(takes_away(r, "name-number-0.z.example") && takes_away(r, "later.z.example") &&
	     takes_away(r, "name-number-59999.z.example") && yg_dns_records_count(r) == count - 1);
	yg_dns_records_free(r);

	r = large_zone(count);
	v = yg_dns_records_view(r);
	T_OK(v != NULL && yg_dns_records_view_index(v) == YG_OK);
	yg_dns_records_begin(r); /* one that was taken away, and back: the view's may lack it */
	T_OK(change(r, false, "name-number-7.z.example", YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4}) ==
	     YG_OK);
	yg_dns_records_undo(r);
	T_OK(!yg_dns_records_is_indexed(r));
	yg_dns_records_take_index(r, v);
	T_NAMED(!yg_dns_records_is_indexed(r), "an index from before another is not taken");
	T_OK(takes_away(r, "name-number-7.z.example"));
	yg_dns_records_take_index(r, v);
	T_OK(yg_dns_records_is_indexed(r));
	yg_dns_records_free(r); /* before its view */
	yg_dns_records_free(v);

	r = large_zone(count);
	v = yg_dns_records_view(r);
	T_OK(v != NULL && yg_dns_records_view_index(v) == YG_OK);
	for (unsigned i = 0; i < 3 * count; i++) {
		char text[64];
		(void)snprintf(text, sizeof text, "more-%u.z.example", i);
		(void)change(r, true, text, YG_DNS_A, (struct yg_sv){"\1\2\3\4", 4});
	}
	yg_dns_records_take_index(r, v);
	T_NAMED(!yg_dns_records_is_indexed(r), "nor one that has become too small");
	yg_dns_records_free(v);
	yg_dns_records_free(r);
}

/* ---- transfers ---- */

struct part { /* a record of an answer */
	const char *owner;
	uint16_t type;
	uint32_t n; /* serial of a SOA, last octet of an address */
};

static size_t answer(const struct part *p, size_t n, uint16_t id, uint16_t flags)
{
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, msg, sizeof msg, id, (uint16_t)(YG_DNS_QR | flags));
	yg_dns_wr_question(&w, &zone, YG_DNS_IXFR, YG_DNS_IN);
	for (size_t i = 0; i < n; i++) {
		uint8_t a[4] = {192, 0, 2, (uint8_t)p[i].n};
		struct yg_dns_name o = name(p[i].owner);
		struct yg_sv rdata =
			p[i].type == YG_DNS_SOA ? soa(p[i].n) : (struct yg_sv){(char *)a, 4};
		(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, &o, p[i].type, YG_DNS_IN, 60, rdata);
	}
	return w.n;
}

static yg_status run(struct yg_dns_records **r, const uint32_t *serial, const struct part *p,
		     size_t n, size_t each, enum yg_dns_xfr_result *result)
{
	struct yg_dns_xfr_opts o = {.zone = &zone};
	struct yg_dns_xfr *x = NULL;
	yg_status st = YG_OK;
	o.has_serial = serial != NULL;
	o.serial = serial != NULL ? *serial : 0;
	*result = YG_DNS_XFR_NONE;
	if (yg_dns_xfr_new(&o, &x, NULL) != YG_OK)
		abort();
	for (size_t i = 0; st == YG_OK && i < n; i += each) {
		size_t len = answer(p + i, YG_MIN(each, n - i), 9, 0);
		st = yg_dns_xfr_feed(x, 9, msg, len, result, NULL);
	}
	if (st == YG_OK)
		st = yg_dns_xfr_take(x, r, NULL);
	yg_dns_xfr_free(x);
	return st;
}

#define RUN(r, serial, parts, each) run(&(r), serial, parts, YG_LEN(parts), each, &result)

static void test_transfer(void)
{
	static const struct part whole[] = {{"z.example", YG_DNS_SOA, 1},
					    {"a.z.example", 1, 1},
					    {"out.example", 1, 1},
					    {"b.z.example", 1, 2},
					    {"z.example", YG_DNS_SOA, 1}};
	static const struct part delta[] = {
		{"z.example", YG_DNS_SOA, 3}, {"z.example", YG_DNS_SOA, 1},
		{"a.z.example", 1, 1},        {"z.example", YG_DNS_SOA, 2},
		{"c.z.example", 1, 3},        {"z.example", YG_DNS_SOA, 2},
		{"c.z.example", 1, 3},        {"z.example", YG_DNS_SOA, 3},
		{"d.z.example", 1, 4},        {"z.example", YG_DNS_SOA, 3}};
	static const struct part wrong[] = {
		{"z.example", YG_DNS_SOA, 4}, {"z.example", YG_DNS_SOA, 3},
		{"d.z.example", 1, 4},        {"q.z.example", 1, 9},
		{"z.example", YG_DNS_SOA, 4}, {"z.example", YG_DNS_SOA, 4}};
	static const struct part same[] = {{"z.example", YG_DNS_SOA, 3}};
	static const struct part gap[] = {{"z.example", YG_DNS_SOA, 5},
					  {"z.example", YG_DNS_SOA, 3},
					  {"z.example", YG_DNS_SOA, 4},
					  {"z.example", YG_DNS_SOA, 5}};
	enum yg_dns_xfr_result result;
	uint32_t one = 1, three = 3;
	for (size_t each = 1; each <= YG_LEN(delta); each += 3) {
		struct yg_dns_records *r = NULL;
		T_OK(RUN(r, NULL, whole, each) == YG_OK && result == YG_DNS_XFR_FULL &&
		     yg_dns_records_count(r) == 3 && !holds(r, "out.example"));
		T_OK(RUN(r, &one, delta, each) == YG_OK && result == YG_DNS_XFR_DELTA);
		T_OK(!holds(r, "a.z.example") && holds(r, "b.z.example") &&
		     !holds(r, "c.z.example") && holds(r, "d.z.example"));
		T_OK(RUN(r, &three, wrong, each) == YG_CONFLICT && holds(r, "d.z.example") &&
		     yg_dns_records_count(r) == 3);
		T_OK(RUN(r, &three, same, each) == YG_OK && result == YG_DNS_XFR_SAME);
		T_OK(RUN(r, &three, gap, each) == YG_PARSE && yg_dns_records_count(r) == 3);
		T_OK(run(&r, &one, delta, 4, each, &result) == YG_PARSE &&
		     yg_dns_records_count(r) == 3); /* cut short */
		T_OK(run(&r, &three, whole, 1, 1, &result) == YG_OK &&
		     result == YG_DNS_XFR_SAME); /* an older one */
		yg_dns_records_free(r);
	}
	struct yg_dns_records *r = NULL;
	T_OK(RUN(r, &one, delta, 3) == YG_CONFLICT && r == NULL);
}

/* A server that never ends: it is left when the zone is larger than it may be. */
static void test_bounds(void)
{
	struct yg_dns_xfr_opts o = {.zone = &zone, .bytes_max = 65536};
	struct yg_dns_xfr *x = NULL;
	enum yg_dns_xfr_result result;
	struct yg_err err = {0};
	char owner[32];
	struct part p = {"z.example", YG_DNS_SOA, 1};
	if (yg_dns_xfr_new(&o, &x, NULL) != YG_OK)
		abort();
	yg_status st = yg_dns_xfr_feed(x, 9, msg, answer(&p, 1, 9, 0), &result, NULL);
	unsigned i = 0;
	for (; st == YG_OK && i < 65536; i++) {
		(void)snprintf(owner, sizeof owner, "n%u.z.example", i);
		p = (struct part){owner, 1, 1};
		st = yg_dns_xfr_feed(x, 9, msg, answer(&p, 1, 9, 0), &result, &err);
	}
	struct yg_dns_records *r = NULL;
	T_NAMED(st == YG_LIMIT && i > 1000 && i < 5000, "a zone may have so many octets, no more");
	T_NAMED(yg_dns_xfr_take(x, &r, NULL) != YG_OK && r == NULL, "and nothing of it is taken");
	yg_dns_xfr_free(x);
}

/* Differences that are larger than any zone's would be: AXFR is better. */
static void test_delta_bound(void)
{
	static uint8_t text[60001];
	const uint32_t one = 1;
	struct yg_dns_xfr_opts o = {.zone = &zone, .has_serial = true, .serial = one};
	static const struct part begin[] = {{"z.example", YG_DNS_SOA, 2},
					    {"z.example", YG_DNS_SOA, 1},
					    {"z.example", YG_DNS_SOA, 2}};
	struct yg_dns_xfr *x = NULL;
	enum yg_dns_xfr_result result;
	for (size_t at = 0; at < sizeof text; at += 256) /* texts of 255 octets, and one without */
		text[at] = (uint8_t)YG_MIN(sizeof text - at - 1, (size_t)255);
	if (yg_dns_xfr_new(&o, &x, NULL) != YG_OK)
		abort();
	yg_status st =
		yg_dns_xfr_feed(x, 9, msg, answer(begin, YG_LEN(begin), 9, 0), &result, NULL);
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, msg, sizeof msg, 9, YG_DNS_QR);
	(void)yg_dns_wr_rr(&w, YG_DNS_ANSWER, &zone, YG_DNS_TXT, YG_DNS_IN, 60,
			   (struct yg_sv){(const char *)text, sizeof text});
	uint64_t sent = 0;
	for (; st == YG_OK && sent <= 2 * YG_DNS_XFR_DELTA_MAX; sent += sizeof text)
		st = yg_dns_xfr_feed(x, 9, msg, w.n, &result, NULL);
	T_NAMED(st == YG_LIMIT && sent > YG_DNS_XFR_DELTA_MAX - (1 << 20) &&
			sent < YG_DNS_XFR_DELTA_MAX + (1 << 20),
		"differences may have so many octets, no more");
	yg_dns_xfr_free(x);
}

static void test_answers(void)
{
	static const struct part first[] = {{"z.example", YG_DNS_SOA, 1}, {"a.z.example", 1, 1}};
	static const struct part other[] = {{"a.z.example", 1, 1}};
	struct yg_dns_xfr_opts o = {.zone = &zone};
	enum yg_dns_xfr_result result;
	static const struct {
		const struct part *p;
		size_t n;
		uint16_t id, flags;
		yg_status want;
	} rows[] = {{first, 2, 9, 0, YG_OK},
		    {first, 2, 8, 0, YG_PARSE},
		    {first, 2, 9, YG_DNS_RCODE_REFUSED, YG_DENIED},
		    {first, 2, 9, YG_DNS_TC, YG_PARSE},
		    {first, 0, 9, 0, YG_PARSE},
		    {other, 1, 9, 0, YG_PARSE}};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_dns_xfr *x = NULL;
		if (yg_dns_xfr_new(&o, &x, NULL) != YG_OK)
			abort();
		size_t n = answer(rows[i].p, rows[i].n, rows[i].id, rows[i].flags);
		T_OK(yg_dns_xfr_feed(x, 9, msg, n, &result, NULL) == rows[i].want);
		T_OK(yg_dns_xfr_feed(x, 9, msg, n / 2, &result, NULL) != YG_OK);
		yg_dns_xfr_free(x);
	}
	struct yg_sv s = soa(7);
	struct yg_dns_msg m;
	size_t n = yg_dns_xfr_ask(&zone, &s, 77, msg, sizeof msg);
	T_OK(yg_dns_msg_read(msg, n, &m) == YG_OK && m.type == YG_DNS_IXFR && m.count[1] == 1);
	n = yg_dns_xfr_ask(&zone, NULL, 77, msg, sizeof msg);
	T_OK(yg_dns_msg_read(msg, n, &m) == YG_OK && m.type == YG_DNS_AXFR && m.id == 77);
}

/* ---- signatures ---- */

static void test_tsig(void)
{
	static const struct part parts[] = {{"z.example", YG_DNS_SOA, 1}, {"a.z.example", 1, 1}};
	struct yg_tsig_key k, k2;
	struct yg_tsig client, server;
	bool is_signed;
	T_OK(yg_tsig_key_init(&k, YG_SV("key1"), YG_SV("hmac-md5"), YG_SV("YWJj"), NULL) ==
	     YG_PARSE);
	T_OK(yg_tsig_key_init(&k, YG_SV("key1"), YG_SV("hmac-sha256"), YG_SV("!"), NULL) ==
	     YG_PARSE);
	T_OK(yg_tsig_key_init(&k2, YG_SV("key1"), YG_SV("hmac-sha256"), YG_SV("YWJk"), NULL) ==
	     YG_OK);
	T_OK(yg_tsig_key_init(&k, YG_SV("key1"), YG_SV("hmac-sha256"), YG_SV(" YWJj\n"), NULL) ==
		     YG_OK &&
	     k.secret_n == 3 && k.mac_n == 32);
	yg_tsig_begin(&client, &k);
	yg_tsig_begin(&server, &k);
	size_t n = yg_dns_xfr_ask(&zone, NULL, 5, msg, sizeof msg), plain = n;
	T_OK(!yg_tsig_is_signed(msg, n));
	T_OK(yg_tsig_sign(&client, msg, &n, sizeof msg, 1000, NULL) == YG_OK && n > plain &&
	     yg_tsig_is_signed(msg, n));
	T_OK(yg_tsig_verify(&server, msg, &n, 1100, &is_signed, NULL) == YG_OK && n == plain);
	for (unsigned i = 0; i < 5; i++) { /* the second and third are not signed */
		bool sign = i == 0 || i >= 3;
		n = plain = answer(parts, 2, 5, 0);
		if (sign)
			T_OK(yg_tsig_sign(&server, msg, &n, sizeof msg, 1000, NULL) == YG_OK);
		else /* what a server does: they go into the next signature */
			T_OK(yg_tsig_verify(&server, msg, &n, 1000, &is_signed, NULL) == YG_OK);
		T_OK(yg_tsig_verify(&client, msg, &n, 1000, &is_signed, NULL) == YG_OK &&
		     is_signed == sign && n == plain);
	}
	n = answer(parts, 2, 5, 0);
	T_OK(yg_tsig_sign(&server, msg, &n, sizeof msg, 1000, NULL) == YG_OK);
	msg[2] ^= 1;
	T_OK(yg_tsig_verify(&client, msg, &n, 1000, &is_signed, NULL) == YG_DENIED);
	yg_tsig_end(&client);
	yg_tsig_end(&server);
	/* another key, another time, no signature at all */
	for (unsigned i = 0; i < 3; i++) {
		yg_tsig_begin(&client, &k);
		yg_tsig_begin(&server, i == 0 ? &k2 : &k);
		n = yg_dns_xfr_ask(&zone, NULL, 5, msg, sizeof msg);
		if (i < 2)
			(void)yg_tsig_sign(&client, msg, &n, sizeof msg, 1000, NULL);
		T_OK(yg_tsig_verify(&server, msg, &n, i == 1 ? 1301 : 1000, &is_signed, NULL) ==
		     YG_DENIED);
		yg_tsig_end(&client);
		yg_tsig_end(&server);
	}
}

/* The longest names there are, in a question that is signed. */
static void test_longest(void)
{
	char text[260];
	struct yg_tsig_key k;
	struct yg_tsig t;
	struct yg_dns_msg m;
	uint8_t rdata[2 * YG_DNS_NAME_MAX + 20] = {0};
	memset(text, 'a', sizeof text);
	for (unsigned i = 63; i < 253; i += 64)
		text[i] = '.';
	text[253] = '\0';
	struct yg_dns_name longest = name(text);
	memcpy(rdata, longest.b, longest.n);
	text[0] = 'b'; /* another, so that nothing is said by pointing back */
	struct yg_dns_name other = name(text);
	memcpy(rdata + longest.n, other.b, other.n);
	struct yg_sv soa = {(const char *)rdata, (size_t)longest.n + other.n + 20};
	size_t n = yg_dns_xfr_ask(&longest, &soa, 5, msg, YG_DNS_XFR_ASK_MAX), plain = n;
	T_OK(longest.n == YG_DNS_NAME_MAX && other.n == YG_DNS_NAME_MAX);
	T_NAMED(yg_dns_msg_read(msg, n, &m) == YG_OK && m.count[1] == 1,
		"the largest question is whole");
	text[0] = 'c';
	T_OK(yg_tsig_key_init(&k, yg_sv_of(text), YG_SV("hmac-sha512"), YG_SV("YWJj"), NULL) ==
	     YG_OK);
	yg_tsig_begin(&t, &k);
	T_NAMED(yg_tsig_sign(&t, msg, &n, YG_DNS_XFR_ASK_MAX, 1000, NULL) == YG_OK && n > plain,
		"and there is room for its signature");
	yg_tsig_end(&t);
}

int main(void)
{
	zone = name("z.example");
	test_records();
	test_random();
	test_view(NULL, 100);
	test_view("/tmp", 60000);
	test_index_beside();
	test_transfer();
	test_bounds();
	test_delta_bound();
	test_answers();
	test_tsig();
	test_longest();
	return tap_done();
}
