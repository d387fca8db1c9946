#include "intel/probe.h"

#include <stdlib.h>

#define ROOM      (YG_LABELS_MAX + 96) /* probes one value can make */
#define TEXT_ROOM (YG_URL_MAX + 64)
#define FOLDERS   8 /* leading folders of a URL's path that are looked up */

enum lookup_kind { ENDPOINT, NAME, NAMES, URL, EMAIL, EMAILS, HASHES };

/* Which fields are looked up, as what; a match is reported for the first row. */
static const struct lookup {
	uint8_t field; /* enum yg_event_field */
	uint8_t kind;
	uint16_t offset, port_offset; /* in struct yg_event */
} lookups[] = {
#define AT(m)  YG_EF_##m
#define OFF(m) offsetof(struct yg_event, m)
	{AT(query), NAME, OFF(query), 0},
	{AT(dst_host), NAME, OFF(dst_host), 0},
	{AT(dst_ip), ENDPOINT, OFF(dst_ip), OFF(dst_port)},
	{AT(url), URL, OFF(url), 0},
	{AT(answers), NAMES, OFF(answers), 0},
	{AT(src_ip), ENDPOINT, OFF(src_ip), OFF(src_port)},
	{AT(src_host), NAME, OFF(src_host), 0},
	{AT(referrer), URL, OFF(referrer), 0},
	{AT(mail_from), EMAIL, OFF(mail_from), 0},
	{AT(mail_to), EMAILS, OFF(mail_to), 0},
	{AT(hashes), HASHES, OFF(hashes), 0},
#undef AT
#undef OFF
};

bool yg_probe_done(const struct yg_match_prep *prep)
{
	return prep->row >= YG_LEN(lookups);
}

struct filler {
	const struct yg_intel *in;
	const struct yg_event *ev;
	struct yg_match_prep *prep;
	struct yg_probe_group *group;
	struct yg_match_set *set;
};

static void probe(struct filler *f, enum yg_probe_kind kind, uint64_t hash, const char *p, size_t n)
{
	struct yg_match_prep *prep = f->prep;
	if (prep->probe_count == YG_PROBES_MAX)
		return; /* not reached: a group begins only with ROOM left */
	yg_hashset_prefetch(&f->in->set, hash);
	prep->probes[prep->probe_count++] =
		(struct yg_probe){.hash = hash, .p = p, .n = (uint16_t)n, .kind = (uint8_t)kind};
	f->group->count++;
}

static void begin_group(struct filler *f, enum yg_event_field field, struct yg_sv value)
{
	f->group = &f->prep->groups[f->prep->group_count++];
	f->group->value = value;
	f->group->first = (uint16_t)f->prep->probe_count;
	f->group->count = 0;
	f->group->field = (uint8_t)field;
	f->group->has_ip = false;
}

static struct yg_sv keep_text(struct filler *f, struct yg_sv s)
{
	char *to = f->prep->text + f->prep->text_n;
	memcpy(to, s.p, s.n);
	f->prep->text_n += (uint32_t)s.n;
	return (struct yg_sv){to, s.n};
}

static void probe_ip(struct filler *f, struct yg_ip ip, unsigned port)
{
	size_t n = yg_ip_is_v4(ip) ? 4 : 16;
	char key[18] __attribute__((uninitialized));
	memcpy(key, ip.b + 16 - n, n);
	key[n] = (char)(port >> 8);
	key[n + 1] = (char)port;
	struct yg_sv kept = keep_text(f, (struct yg_sv){key, n + 2});
	f->group->has_ip = true;
	f->group->ip = ip;
	yg_prefix_prefetch(&f->in->tree, ip);
	probe(f, YG_PK_IP, yg_hash_of(&f->in->key, YG_HD_IP, yg_sv_sub(kept, 0, n)), kept.p, n);
	if (port != 0)
		probe(f, YG_PK_IPPORT, yg_hash_of(&f->in->key, YG_HD_IPPORT, kept), kept.p, n + 2);
}

/* name: lower case, no final dot. */
static void probe_name(struct filler *f, struct yg_sv name)
{
	struct yg_name_hash h[YG_LABELS_MAX] __attribute__((uninitialized));
	const struct yg_intel_info *info = &f->in->info;
	size_t most = YG_MIN((size_t)YG_LABELS_MAX, (size_t)info->labels_most);
	size_t n = yg_name_hashes(&f->in->key, YG_HD_NAME, name, h, most);
	while (n > 0 && n >= info->labels_least) {
		n--;
		probe(f, h[n].at == 0 ? YG_PK_FQDN : YG_PK_PARENT, h[n].hash, name.p + h[n].at,
		      name.n - h[n].at);
	}
}

/* ---- names ---- */

enum { HAS_UPPER = 1, HAS_COLON = 2, HAS_HIGH = 4 };
static const uint8_t seen_in_name[256] = {
	['A' ... 'Z'] = HAS_UPPER,
	[':'] = HAS_COLON,
	[0x80 ... 0xff] = HAS_HIGH,
};

static unsigned look_at(struct yg_sv s)
{
	unsigned seen = 0;
	for (size_t i = 0; i < s.n; i++)
		seen |= seen_in_name[(unsigned char)s.p[i]];
	return seen;
}

static struct yg_sv lowered(struct filler *f, struct yg_sv s)
{
	struct yg_sv kept = keep_text(f, s);
	char *p = f->prep->text + f->prep->text_n - s.n;
	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
	return kept;
}

/* A name that is not ASCII: its A-label form, or as it is when it has none. */
static __attribute__((noinline)) struct yg_sv to_ascii(struct filler *f, struct yg_sv s)
{
	char name[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	if (yg_domain_normalize(s, &b, NULL) == YG_OK)
		return keep_text(f, yg_sb_sv(&b));
	return s;
}

static void add_host(struct filler *f, struct yg_sv host)
{
	unsigned seen = look_at(host), port = 0;
	struct yg_ip ip;
	if ((seen & HAS_COLON) != 0)
		host = yg_host_cut_port(host, &port);
	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0)
		return;
	char last = host.p[host.n - 1];
	bool may_ip = (last >= '0' && last <= '9') || last == ']' || (seen & HAS_COLON) != 0;
	if (may_ip && yg_host_ip(host, &ip) == YG_OK) {
		probe_ip(f, ip, port);
		return;
	}
	if (host.n > YG_DOMAIN_MAX && (seen & HAS_HIGH) == 0) {
		f->set->skipped++;
		return;
	}
	if ((seen & HAS_HIGH) != 0)
		host = host.n <= 4 * YG_DOMAIN_MAX ? to_ascii(f, host) : yg_sv_sub(host, 0, 0);
	else if ((seen & HAS_UPPER) != 0)
		host = lowered(f, host);
	if (host.n > 0 && host.n <= YG_DOMAIN_MAX)
		probe_name(f, host);
}

static void add_name(struct filler *f, enum yg_event_field field, struct yg_sv value)
{
	if (value.n == 0)
		return;
	begin_group(f, field, value);
	add_host(f, value);
}

/* ---- URLs ---- */

static void probe_url(struct filler *f, struct yg_sv text, size_t from, size_t to)
{
	struct yg_sv key = yg_sv_sub(text, from, to - from);
	probe(f, YG_PK_URL, yg_hash_of(&f->in->key, YG_HD_URL, key), key.p, key.n);
}

/* The forms of the URL from `from` on (its host or its path), the most
 * particular first: whole; up to the first '='; up to '?'; without query. */
static void probe_forms(struct filler *f, const struct yg_url *u, size_t from)
{
	size_t q = u->query_at, n = u->text.n;
	probe_url(f, u->text, from, n);
	if (q == n)
		return;
	size_t eq = yg_sv_find(u->text, '=', q);
	if (eq + 1 < n)
		probe_url(f, u->text, from, eq + 1);
	if (q + 1 < n && q != eq)
		probe_url(f, u->text, from, q + 1);
	probe_url(f, u->text, from, q);
}

/* The folders it lies in, the deepest first; "/" itself only behind a host. */
static void probe_folders(struct filler *f, const struct yg_url *u, size_t from)
{
	uint16_t at[FOLDERS];
	size_t n = 0, slash = u->path_at;
	while (slash + 1 < u->query_at &&
	       n < FOLDERS) { /* one that ends the path is the whole form */
		if (slash > from)
			at[n++] = (uint16_t)(slash + 1);
		slash = yg_sv_find(u->text, '/', slash + 1);
	}
	while (n > 0)
		probe_url(f, u->text, from, at[--n]);
}

static size_t last_segment(const struct yg_url *u)
{
	size_t at = u->query_at;
	while (at > u->path_at && u->text.p[at - 1] != '/')
		at--;
	return at > u->path_at ? at - 1 : u->path_at;
}

static void add_url(struct filler *f, enum yg_event_field field, struct yg_sv value)
{
	struct yg_url u __attribute__((uninitialized));
	if (value.n == 0)
		return;
	struct yg_sb b = yg_sb_init(f->prep->text + f->prep->text_n, TEXT_ROOM);
	yg_status st = yg_url_normalize(value, true, &b, &u, NULL);
	if (st != YG_OK) {
		f->set->skipped += st == YG_TOOBIG;
		return;
	}
	f->prep->text_n += (uint32_t)b.n;
	begin_group(f, field, value);
	if (u.host_n > 0) {
		probe_forms(f, &u, 0);
		probe_folders(f, &u, 0);
	}
	probe_forms(f, &u, u.path_at);
	probe_folders(f, &u, u.path_at);
	size_t segment = last_segment(&u);
	if (segment != u.path_at && segment + 1 < u.query_at)
		probe_forms(f, &u, segment);
	if (u.host_n == 0)
		return;
	if (u.is_ip)
		probe_ip(f, u.ip, u.port != 0 ? u.port : u.scheme == YG_URL_HTTPS ? 443 : 80);
	else
		probe_name(f, yg_sv_sub(u.text, u.host_at, u.host_n));
}

/* ---- the rest ---- */

static void add_email(struct filler *f, enum yg_event_field field, struct yg_sv value)
{
	char buf[YG_DOMAIN_MAX + 80];
	struct yg_indicator_key k;
	if (value.n == 0 || value.n > 320 ||
	    yg_indicator_key(YG_IND_EMAIL, value, buf, sizeof buf, &k, NULL) != YG_OK)
		return;
	begin_group(f, field, value);
	struct yg_sv kept = keep_text(f, k.key);
	probe(f, YG_PK_EMAIL, yg_hash_of(&f->in->key, YG_HD_EMAIL, kept), kept.p, kept.n);
	const char *at = memrchr(kept.p, '@', kept.n);
	if (at != NULL)
		probe_name(f, yg_sv_sub(kept, (size_t)(at - kept.p) + 1, kept.n));
}

static void add_hash(struct filler *f, enum yg_event_field field, struct yg_sv value)
{
	char buf[32];
	struct yg_indicator_key k;
	if (value.n < 32 ||
	    yg_indicator_key(YG_IND_HASH, value, buf, sizeof buf, &k, NULL) != YG_OK)
		return;
	begin_group(f, field, value);
	struct yg_sv kept = keep_text(f, k.key);
	probe(f, YG_PK_HASH, yg_hash_of(&f->in->key, YG_HD_HASH, kept), kept.p, kept.n);
}

static void add_endpoint(struct filler *f, const struct lookup *l)
{
	struct yg_ip ip;
	uint16_t port;
	memcpy(&ip, (const char *)f->ev + l->offset, sizeof ip);
	memcpy(&port, (const char *)f->ev + l->port_offset, sizeof port);
	if (yg_ip_is_zero(ip))
		return;
	begin_group(f, (enum yg_event_field)l->field, (struct yg_sv){"", 0});
	probe_ip(f, ip, port);
}

static void add_one(struct filler *f, const struct lookup *l, struct yg_sv value)
{
	enum yg_event_field field = (enum yg_event_field)l->field;
	switch ((enum lookup_kind)l->kind) {
	case NAME:
	case NAMES: add_name(f, field, value); break;
	case URL: add_url(f, field, value); break;
	case EMAIL:
	case EMAILS: add_email(f, field, value); break;
	case HASHES: add_hash(f, field, value); break;
	case ENDPOINT: break;
	}
}

static bool has_room(const struct yg_match_prep *p)
{
	return p->probe_count + ROOM <= YG_PROBES_MAX && p->group_count < YG_GROUPS_MAX &&
	       p->text_n + TEXT_ROOM + 1024 <= sizeof p->text;
}

void yg_probe_fill(const struct yg_intel *in, const struct yg_event *ev, struct yg_match_set *set)
{
	struct yg_match_prep *prep = &set->prep;
	struct filler f = {.in = in, .ev = ev, .prep = prep, .set = set};
	for (; prep->row < YG_LEN(lookups); prep->row++, prep->at = 0) {
		const struct lookup *l = &lookups[prep->row];
		const char *field = (const char *)ev + l->offset;
		if (!has_room(prep))
			return;
		if (l->kind == ENDPOINT) {
			add_endpoint(&f, l);
		} else if (l->kind == NAMES || l->kind == EMAILS || l->kind == HASHES) {
			const struct yg_strs *list = (const struct yg_strs *)(const void *)field;
			for (; prep->at < list->n; prep->at++) {
				if (!has_room(prep))
					return;
				add_one(&f, l, list->v[prep->at]);
			}
		} else {
			const struct yg_sv *one = (const struct yg_sv *)(const void *)field;
			if (one->n > 0)
				add_one(&f, l, *one);
		}
	}
}
