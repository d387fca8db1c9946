/* policy_pair.h - for tests: a policy and another one that stands over it, as bytes, with
 * rules of every trigger; and asking a policy everything, which must be safe whatever is
 * in it once it has been opened. */
#pragma once
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/changes.h"
#include "dns/policy_internal.h"
#include "dns/source.h"

#define PAIR_FEED                                                                                  \
	"$ORIGIN feed.rpz.\n@ 60 SOA a. b. 7 2 3 4 30\nbad.example CNAME .\n*.bad.example "        \
	"CNAME *.\nok.bad.example CNAME rpz-passthru.\ndeep.in.tree.example CNAME "                \
	"*.garden.example.\n*.tree.example CNAME rpz-drop.\ndata.example 60 A 192.0.2.9\n"         \
	"data.example 60 AAAA 2001:db8::9\n24.0.2.0.192.rpz-ip CNAME .\n"                          \
	"32.1.2.0.192.rpz-client-ip CNAME rpz-tcp-only.\nns.evil.example.rpz-nsdname CNAME "       \
	".\n48.zz.8.db8.2001.rpz-nsip CNAME .\n"
/* The same later: some are gone, some are new, one is another. */
#define PAIR_FEED_LATER                                                                            \
	"$ORIGIN feed.rpz.\n@ 60 SOA a. b. 8 2 3 4 30\nbad.example 60 A 192.0.2.8\n"               \
	"*.bad.example CNAME *.\nok.bad.example CNAME rpz-passthru.\n*.tree.example CNAME "        \
	"rpz-drop.\ndata.example 60 A 192.0.2.9\ndata.example 60 AAAA 2001:db8::9\n"               \
	"new.sub.bad.example CNAME .\n25.0.2.0.192.rpz-ip CNAME .\n"                               \
	"32.1.2.0.192.rpz-client-ip CNAME rpz-tcp-only.\nns.evil.example.rpz-nsdname "             \
	"CNAME .\n48.zz.8.db8.2001.rpz-nsip CNAME .\n"

struct pair {
	struct yg_buf base, over; /* owned: pair_free() */
};

static struct yg_env_sim pair_sim = {.seed = 5};

static inline void pair_free(struct pair *p)
{
	yg_buf_free(&p->base);
	yg_buf_free(&p->over);
}

static inline yg_status pair_feed(const struct yg_dns_source_opts *opts, const char *text,
				  struct yg_err *err)
{
	struct yg_dns_source *from = NULL;
	yg_status st = yg_dns_source_new(opts, &from, err);
	if (st == YG_OK)
		st = yg_dns_source_feed(from, yg_sv_of(text), err);
	if (st == YG_OK)
		st = yg_dns_source_end(from, err);
	yg_dns_source_free(from);
	return st;
}

/* A zone that is all in this policy. */
static inline yg_status pair_zone(struct yg_dns_builder *b, const struct yg_dns_zone_spec *spec,
				  const char *text, struct yg_err *err)
{
	struct yg_dns_source_opts opts = {.builder = b, .is_list = spec->is_list};
	yg_status st = yg_dns_builder_zone(b, spec, &opts.zone, err);
	return st == YG_OK ? pair_feed(&opts, text, err) : st;
}

/* ---- a zone that continues ---- */

struct pair_walk {
	struct yg_dns_records *records; /* owned */
	size_t at, changed_at;
	struct yg_dns_changes *changes; /* owned */
};

static inline bool pair_next(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	struct pair_walk *w = ctx;
	return yg_dns_records_next(w->records, &w->at, owner, rr);
}
static inline bool pair_may(const void *ctx, struct yg_sv front)
{
	return yg_dns_changes_may(ctx, front);
}
static inline bool pair_next_changed(void *ctx, struct yg_dns_name *owner, struct yg_zone_rr *rr)
{
	struct pair_walk *w = ctx;
	return yg_dns_records_next_if(w->records, &w->changed_at, pair_may, w->changes, owner, rr);
}

static inline yg_status pair_note(struct pair_walk *w, struct yg_err *err)
{
	static const char *const changed[] = {"bad.example", "deep.in.tree.example",
					      "new.sub.bad.example", "24.0.2.0.192.rpz-ip",
					      "25.0.2.0.192.rpz-ip"};
	const struct yg_dns_name *origin = yg_dns_records_origin(w->records);
	struct yg_dns_name owner;
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < YG_LEN(changed); i++) {
		st = yg_dns_name_parse(yg_sv_of(changed[i]), origin, &owner, err);
		if (st == YG_OK)
			st = yg_dns_changes_add(w->changes, &owner, origin, err);
	}
	return st;
}

static inline yg_status pair_continue(struct yg_dns_builder *b, const struct yg_dns_policy *base,
				      const struct yg_dns_zone_spec *spec, const char *text,
				      struct yg_err *err)
{
	const struct yg_dns_zone_stats was = {.taken = 11, .records = 12, .other = 1};
	const struct yg_dns_records_opts keep = {.key = {1}};
	struct pair_walk w = {.at = 0};
	struct yg_dns_name owner;
	struct yg_zone_rr soa;
	uint32_t zone = 0;
	yg_status st = yg_dns_records_new(&keep, &w.records, err);
	if (st == YG_OK)
		st = pair_feed(&(struct yg_dns_source_opts){.records = w.records}, text, err);
	if (st == YG_OK)
		st = yg_dns_changes_new(base, &w.changes, err);
	if (st == YG_OK)
		st = pair_note(&w, err);
	if (st == YG_OK)
		st = yg_dns_builder_zone(b, spec, &zone, err);
	if (st == YG_OK)
		st = yg_dns_builder_continue(b, zone, &was, err);
	if (st == YG_OK && yg_dns_records_soa(w.records, &owner, &soa))
		st = yg_dns_builder_rr(b, zone, &soa, err);
	const struct yg_dns_changes_source from = {&w, pair_next, pair_next_changed};
	if (st == YG_OK)
		st = yg_dns_changes_apply(w.changes, b, zone, yg_dns_records_origin(w.records),
					  &from, err);
	yg_dns_changes_free(w.changes);
	yg_dns_records_free(w.records);
	return st;
}

/* ---- both ---- */

/* base NULL: the base.  Else what stands over it; whatever is in the base, this is safe. */
static inline yg_status pair_compile(const struct yg_dns_policy *base, int fd, struct yg_err *err)
{
	static const struct yg_dns_zone_spec feed = {.name = YG_SV_INIT("feed"),
						     .layer = YG_DNS_LAYER_CENTRE_ZONE,
						     .category = YG_SV_INIT("phishing"),
						     .ede_text = YG_SV_INIT("phishing: feed"),
						     .ede_code = 15},
					     ours = {.name = YG_SV_INIT("ours"),
						     .org = YG_SV_INIT("one"),
						     .layer = YG_DNS_LAYER_ORG_BLOCK,
						     .is_list = true},
					     late = {.name = YG_SV_INIT("late"),
						     .layer = YG_DNS_LAYER_CENTRE_ZONE,
						     .mode = YG_DNS_MODE_AUDIT_ONLY};
	struct yg_env env = yg_env_sim(&pair_sim);
	const struct yg_dns_build_opts opts = {.env = &env, .base = base};
	struct yg_dns_answer_spec garden = {.ttl = 30};
	struct yg_dns_builder *b = NULL;
	(void)yg_dns_name_parse(YG_SV("*.garden.example."), NULL, &garden.target, NULL);
	yg_status st = yg_dns_builder_new(&opts, &b, err);
	if (st == YG_OK)
		st = pair_zone(b, &ours, base == NULL ? "one.example\n" : "two.example\n", err);
	if (st == YG_OK)
		st = base == NULL ? pair_zone(b, &feed, PAIR_FEED, err)
				  : pair_continue(b, base, &feed, PAIR_FEED_LATER, err);
	if (st == YG_OK && base != NULL)
		st = pair_zone(
			b, &late,
			"$ORIGIN late.rpz.\n@ 60 SOA a. b. 1 2 3 4 5\nbad.example CNAME *.\n", err);
	if (st == YG_OK)
		st = yg_dns_builder_mode(b, YG_SV("two"), YG_DNS_LAYER_CENTRE_ZONE,
					 YG_DNS_MODE_AUDIT_ONLY, err);
	if (st == YG_OK)
		st = yg_dns_builder_answer(b, YG_SV("one"), YG_SV("phishing"), YG_DNS_ACTION_CNAME,
					   &garden, err);
	if (st == YG_OK)
		st = yg_dns_builder_finish(b, fd, base == NULL ? 1 : 2, NULL, err);
	yg_dns_builder_free(b);
	return st;
}

static inline bool pair_read(int fd, struct yg_buf *out)
{
	off_t n = lseek(fd, 0, SEEK_END);
	yg_buf_init(out, 16 << 20);
	char *to = n > 0 ? yg_buf_room(out, (size_t)n) : NULL;
	if (to == NULL || pread(fd, to, (size_t)n, 0) != n)
		return false;
	out->n = (size_t)n;
	return true;
}

static inline bool pair_make(struct pair *out, struct yg_err *err)
{
	struct yg_dns_policy *base = NULL;
	int fd = memfd_create("base", MFD_CLOEXEC), over = memfd_create("over", MFD_CLOEXEC);
	bool ok = pair_compile(NULL, fd, err) == YG_OK &&
		  yg_dns_policy_open_fd(fd, 0, &base, err) == YG_OK &&
		  pair_compile(base, over, err) == YG_OK && pair_read(fd, &out->base) &&
		  pair_read(over, &out->over);
	yg_dns_policy_close(base);
	(void)close(fd);
	(void)close(over);
	return ok;
}

/* ---- lies that reach further than the head ---- */

/* Where a section is; id 0, or one that is not there: all of it. */
static inline void pair_section(const uint8_t *p, size_t n, uint32_t id, size_t *at, size_t *bytes)
{
	struct yg_snap_section s;
	*at = 0;
	*bytes = n;
	for (size_t i = 0, k = sizeof(struct yg_snap_head);
	     i < YG_SNAP_SECTIONS_MAX && k + sizeof s <= n; i++, k += sizeof s) {
		memcpy(&s, p + k, sizeof s);
		if (s.id != id || s.off > n || s.elem_bytes == 0 ||
		    s.count > (n - s.off) / s.elem_bytes)
			continue;
		*at = (size_t)s.off;
		*bytes = (size_t)(s.count * s.elem_bytes);
		return;
	}
}

/* Gives it the head of a good one, of what stands over another the word about that, and
 * the digest. */
static inline void pair_fit(uint8_t *p, size_t n, const struct yg_snap_head *good,
			    const struct yg_snap_head *base)
{
	struct yg_snap_head h;
	size_t at, bytes;
	if (n < sizeof h)
		return;
	memcpy(&h, p, sizeof h);
	memcpy(h.magic, good->magic, sizeof h.magic);
	memcpy(h.schema, good->schema, sizeof h.schema);
	memcpy(h.key, good->key, sizeof h.key);
	h.version = good->version;
	h.kind = good->kind;
	h.generation = good->generation;
	h.file_bytes = n;
	memcpy(p, &h, sizeof h);
	pair_section(p, n, YG_DS_BASE, &at, &bytes);
	if (base != NULL && at > 0 && bytes >= sizeof(struct yg_dns_base_rec)) {
		struct yg_dns_base_rec rec = {.generation = base->generation};
		memcpy(rec.digest, base->digest, sizeof rec.digest);
		memcpy(p + at, &rec, sizeof rec);
	}
	(void)yg_snap_fix_digest(p, n);
}

/* ---- asking ---- */

static volatile uint8_t pair_sink;
static inline void pair_touch(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		pair_sink ^= (uint8_t)s.p[i];
}

static inline void pair_look(const struct yg_dns_eval *e, const struct yg_dns_verdict *v, size_t i)
{
	char text[YG_DNS_NAME_TEXT_MAX + 64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_dns_rrset set;
	struct yg_sv data = v->data;
	yg_dns_eval_record(e, i, &b);
	pair_touch(yg_sb_sv(&b));
	pair_touch(v->target);
	pair_touch(v->zone.soa);
	pair_touch(v->zone.ede_text);
	while (yg_dns_rrset_next(&data, &set))
		pair_touch(set.rrs);
}

static inline void pair_ask_one(const struct yg_dns_policy *p, uint32_t view, const char *text,
				struct yg_ip ip)
{
	static struct yg_dns_eval e;
	struct yg_dns_verdict v;
	struct yg_dns_name name;
	struct yg_dns_probe probe;
	(void)yg_dns_name_parse(yg_sv_of(text), NULL, &name, NULL);
	yg_dns_policy_hash(p, &name, &probe);
	(void)yg_dns_policy_touch(p, &probe);
	yg_dns_policy_fetch(p, &probe);
	yg_dns_eval_begin(&e, p, view, ip);
	yg_dns_eval_name(&e, &name, &probe);
	yg_dns_eval_address(&e, ip);
	yg_dns_eval_server(&e, &name);
	yg_dns_eval_server_address(&e, ip);
	pair_sink ^= (uint8_t)yg_dns_eval_needs(&e);
	yg_dns_eval_verdict(&e, &v);
	pair_look(&e, &v, SIZE_MAX);
	for (size_t k = 0; k < e.note_count; k++) {
		yg_dns_eval_note(&e, k, &v);
		pair_look(&e, &v, k);
	}
	(void)yg_dns_eval_stage_end(&e);
}

/* Names, addresses, views and zones; what is read is read whole. */
static inline void pair_ask(const struct yg_dns_policy *p)
{
	static const char *const names[] = {"bad.example.",
					    "a.b.bad.example.",
					    "com.",
					    ".",
					    "ok.bad.example.",
					    "new.sub.bad.example.",
					    "x.tree.example.",
					    "deep.in.tree.example.",
					    "data.example.",
					    "ns.evil.example."};
	static const char *const ips[] = {"192.0.2.1", "2001:db8::1", "10.0.0.1"};
	struct yg_dns_policy_info info = yg_dns_policy_info(p);
	struct yg_ip ip;
	for (uint32_t view = 0; view < info.views && view < 4; view++)
		for (size_t i = 0; i < YG_LEN(names); i++) {
			(void)yg_ip_parse(yg_sv_of(ips[i % YG_LEN(ips)]), &ip);
			pair_ask_one(p, view, names[i], ip);
		}
	for (uint32_t i = 0; i < info.zones && i < 16; i++) {
		struct yg_dns_zone_view z;
		if (yg_dns_policy_zone(p, i, &z))
			pair_touch(z.origin);
	}
	(void)yg_dns_policy_any_ip(p, ip);
	(void)yg_dns_policy_view(p, YG_SV("one"));
}
