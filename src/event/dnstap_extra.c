/* Field `extra` of our own resolver's frames (format/dns_extra.h): what it made of the
 * query, and why.  Of these `raw` is what the frame says as JSON: TTLs, sections and notes
 * have no column. */
#include "event/norm.h"
#include "format/dns.h"
#include "format/dns_extra.h"
#include "format/dnstap.h"

#define RAW_MAX      65536u
#define RAW_RRS      64u /* records told in `raw`; more are counted */
#define RDATA_MAX    1024
#define ORIGIN_GUARD 6u

struct ours {
	const struct yg_dnstap *d;
	struct yg_dns_extra extra;
	struct yg_dns_msg m; /* p NULL: none */
	struct yg_buf raw;
};

static struct yg_sv keep(struct yg_norm *n, const struct yg_sb *b)
{
	return yg_arena_dup(&n->arena, yg_sb_sv(b));
}

static struct yg_sv verdict_of(const struct ours *t, const struct yg_dns_extra_hit *h)
{
	if (h != NULL && h->decided) {
		if (YG_SV_IS(h->action, "passthru") || YG_SV_IS(h->action, "tcp-only"))
			return YG_SV("passed");
		return YG_SV_IS(h->action, "drop") ? YG_SV("dropped") : YG_SV("blocked");
	}
	if (t->extra.origin == ORIGIN_GUARD)
		return YG_SV("blocked");
	if (h != NULL)
		return YG_SV("noted");
	if (t->extra.rcode == YG_DNS_RCODE_REFUSED)
		return YG_SV("refused");
	return t->extra.rcode == YG_DNS_RCODE_SERVFAIL ? YG_SV("failed") : YG_SV("allowed");
}

void yg_norm_dns_message(struct yg_norm *n, struct yg_event *ev)
{
	char text[512];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (ev->policy.n == 0 || ev->verdict.n == 0 || YG_SV_IS(ev->verdict, "passed"))
		return;
	ev->severity_id = 2;
	yg_sb_printf(&b, YG_SV_FMT " by " YG_SV_FMT, YG_SV_ARG(ev->verdict), YG_SV_ARG(ev->policy));
	if (ev->rule.n > 0)
		yg_sb_printf(&b, " (" YG_SV_FMT " " YG_SV_FMT ")", YG_SV_ARG(ev->trigger),
			     YG_SV_ARG(yg_sv_sub(ev->rule, 0, 255)));
	ev->message = keep(n, &b);
}

static void judgement(struct yg_norm *n, struct ours *t, struct yg_event *ev)
{
	const struct yg_dns_extra_hit *h = t->extra.hit_count > 0 ? &t->extra.hits[0] : NULL;
	ev->verdict = verdict_of(t, h);
	if (h == NULL && t->extra.origin == ORIGIN_GUARD) {
		ev->layer = ev->policy = YG_SV("rebinding-protection");
		ev->trigger = YG_SV("response-ip");
	}
	if (h != NULL) {
		ev->layer = h->layer;
		ev->policy = h->zone;
		ev->category = h->category;
		ev->trigger = h->trigger;
		ev->rule = h->rule;
		ev->event_code = h->action;
	}
	yg_norm_dns_message(n, ev);
}

static void member(struct yg_buf *b, const char *key, struct yg_sv v)
{
	if (v.n == 0)
		return;
	yg_buf_printf(b, ",\"%s\":", key);
	yg_json_put_str(b, v);
}

static void raw_records(struct ours *t)
{
	static const char *const sections[] = {"answer", "authority", "additional"};
	struct yg_dns_iter it = yg_dns_records(&t->m);
	struct yg_dns_rr rr;
	struct yg_dns_name owner;
	struct yg_buf *b = &t->raw;
	unsigned count = 0;
	yg_buf_printf(b, ",\"records\":[");
	while (yg_dns_rr_next(&it, &rr)) {
		char text[RDATA_MAX];
		struct yg_sb s = yg_sb_init(text, sizeof text);
		if (rr.type == YG_DNS_OPT || count++ >= RAW_RRS ||
		    yg_dns_rr_owner(&t->m, &rr, &owner) != YG_OK)
			continue;
		yg_buf_printf(b, "%s{\"section\":\"%s\"", count > 1 ? "," : "",
			      sections[rr.section]);
		yg_dns_name_format(&s, &owner);
		member(b, "name", yg_sb_sv(&s));
		s.n = 0;
		yg_dns_type_format(&s, rr.type);
		member(b, "type", yg_sb_sv(&s));
		yg_buf_printf(b, ",\"ttl\":%u", rr.ttl);
		s.n = 0;
		yg_dns_rdata_format(&s, &t->m, &rr);
		member(b, "data", yg_sb_sv(&s));
		yg_buf_putc(b, '}');
	}
	yg_buf_putc(b, ']');
	if (count > RAW_RRS)
		yg_buf_printf(b, ",\"records_more\":%u", count - RAW_RRS);
}

static void raw_hits(struct ours *t)
{
	struct yg_buf *b = &t->raw;
	yg_buf_printf(b, ",\"policy\":[");
	for (size_t i = 0; i < t->extra.hit_count; i++) {
		const struct yg_dns_extra_hit *h = &t->extra.hits[i];
		yg_buf_printf(b, "%s{\"decided\":%s", i > 0 ? "," : "",
			      h->decided ? "true" : "false");
		member(b, "layer", h->layer);
		member(b, "zone", h->zone);
		member(b, "category", h->category);
		member(b, "trigger", h->trigger);
		member(b, "record", h->rule);
		member(b, "action", h->action);
		yg_buf_putc(b, '}');
	}
	yg_buf_putc(b, ']');
}

static void raw_of(struct yg_norm *n, struct ours *t, struct yg_event *ev)
{
	struct yg_buf *b = &t->raw;
	b->n = 0;
	b->bad = false;
	yg_buf_printf(b, "{\"dnstap\":\"" YG_SV_FMT "\"", YG_SV_ARG(ev->log_name));
	member(b, "identity", t->d->identity);
	member(b, "version", t->d->version);
	yg_buf_printf(b, ",\"id\":%u", t->m.id);
	member(b, "name", ev->query);
	member(b, "type", ev->query_type);
	member(b, "flags", ev->flags);
	member(b, "rcode", ev->rcode);
	if (t->extra.ede != YG_DNS_EDE_NONE)
		yg_buf_printf(b, ",\"ede\":%u", t->extra.ede);
	member(b, "origin", ev->origin);
	yg_buf_printf(b, ",\"upstream_set\":%u,\"took_us\":%u", t->extra.set, t->extra.took_us);
	if ((t->extra.flags & YG_DNS_EXTRA_PSEUDONYM) != 0)
		yg_buf_printf(b, ",\"client\":\"pseudonym\"");
	if ((t->extra.flags & YG_DNS_EXTRA_NO_ADDRESS) != 0)
		yg_buf_printf(b, ",\"client\":\"dropped\"");
	if (t->extra.hit_count > 0)
		raw_hits(t);
	if (t->m.p != NULL && t->m.count[0] + t->m.count[1] + t->m.count[2] > 0)
		raw_records(t);
	yg_buf_putc(b, '}');
	ev->raw = b->bad ? YG_SV("{}") : yg_arena_dup(&n->arena, yg_buf_sv(b));
}

/* Ours: "organisation/network". */
static struct yg_sv network_of(struct yg_sv id)
{
	size_t slash = yg_sv_find(id, '/', 0);
	return slash < id.n ? yg_sv_sub(id, slash + 1, id.n) : YG_SV("");
}

yg_status yg_norm_dnstap_extra(struct yg_norm *n, struct yg_event *ev, const struct yg_dnstap *d,
			       bool *ours, struct yg_err *err)
{
	struct ours t = {.d = d};
	yg_status st = yg_dns_extra_read(d->extra, &t.extra, err);
	*ours = st == YG_OK;
	if (st == YG_NOTFOUND)
		return YG_OK; /* another's */
	if (st != YG_OK)
		return st;
	struct yg_sv m = d->response_message.n > 0 ? d->response_message : d->query_message;
	if (yg_dns_msg_read((const uint8_t *)m.p, m.n, &t.m) != YG_OK)
		t.m = (struct yg_dns_msg){0};
	ev->activity_id = 6; /* traffic: query and answer */
	ev->origin = yg_sv_of(yg_dns_origin_name(t.extra.origin));
	ev->duration = t.extra.took_us;
	ev->network = network_of(ev->host);
	ev->host = YG_SV("");
	judgement(n, &t, ev);
	yg_buf_init(&t.raw, RAW_MAX);
	raw_of(n, &t, ev);
	yg_buf_free(&t.raw);
	return YG_OK;
}
