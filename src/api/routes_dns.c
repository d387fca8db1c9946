/* The resolver, as it can be asked: why a name is answered as it is, and how the zones
 * of its policy do. */
#include "api/routes.h"
#include "api/text.h"
#include "event/dns_summary.h"
#include "format/dns.h"
#include "intel/indicator.h"

static yg_status bad(struct yg_request *q, const char *code, const char *name, const char *text,
		     struct yg_err *err)
{
	yg_request_error(q, code, yg_sv_of(name), "%s", text);
	return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

/* An international name as the DNS has it; the others as they are. */
static yg_status read_name(struct yg_request *q, struct yg_sv *out, struct yg_err *err)
{
	char ascii[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(ascii, sizeof ascii);
	struct yg_sv s = yg_query(q, "name");
	struct yg_dns_name name;
	struct yg_err why = {0};
	if (s.p == NULL || yg_sv_trim(s).n == 0)
		return bad(q, "missing", "name", "say which name", err);
	s = yg_sv_trim(s);
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] & 0x80) != 0) {
			if (yg_domain_normalize(s, &b, &why) != YG_OK)
				return bad(q, "bad_name", "name", "not a name of the DNS", err);
			s = yg_sb_sv(&b);
			break;
		}
	if (yg_dns_name_parse(s, NULL, &name, NULL) != YG_OK)
		return bad(q, "bad_name", "name", "not a name of the DNS", err);
	*out = yg_arena_dup(q->arena, s);
	return out->p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "the request is too large");
}

static yg_status read_asked(struct yg_request *q, struct yg_dns_asked *a, struct yg_err *err)
{
	struct yg_sv type = yg_query(q, "type"), client = yg_query(q, "client");
	struct yg_ip ip;
	a->type = YG_DNS_A;
	yg_status st = read_name(q, &a->name, err);
	if (st == YG_OK && type.p != NULL &&
	    (yg_dns_type_parse(type, &a->type) != YG_OK || yg_dns_type_is_meta(a->type)))
		st = bad(q, "unknown_value", "type", "not a type of record", err);
	if (st == YG_OK && client.p != NULL && yg_ip_parse(client, &ip) != YG_OK)
		st = bad(q, "bad_text", "client", "not an address", err);
	a->client = client.p != NULL ? client : YG_SV("");
	if (st == YG_OK)
		st = yg_query_bool(q, "do", &a->dnssec_ok, err);
	if (st == YG_OK)
		st = yg_query_bool(q, "cd", &a->checking_disabled, err);
	return st;
}

yg_status yg_r_dns_explain(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_dns_asked a = {.type = 0};
	struct yg_sv json = YG_SV("");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_owner(q, l.db, &a.org, err);
	if (st == YG_OK)
		st = yg_scope_now(q, err);
	if (st != YG_OK)
		return st;
	/* what is everyone's is asked for by who sees everyone; others by their own name */
	if (a.org.n == 0 && !q->who.reach.all && q->who.reach.org_count == 1)
		a.org = q->who.reach.orgs[0];
	if (a.org.n == 0 && !q->who.reach.all)
		return bad(q, "missing", "org", "say for which organisation", err);
	st = read_asked(q, &a, err);
	yg_lease_end(&l); /* the resolver may take a while */
	if (st == YG_OK)
		st = api->hooks.dns_explain(api->hooks.ctx, &a, q->arena, &json, err);
	if (st == YG_NOTFOUND)
		return bad(q, "unknown_value", "client",
			   "no client of this organisation has the address", err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_raw(&j, json);
	return YG_OK;
}

/* ---- zones ---- */

static struct yg_sv text_at(struct yg_json *doc, uint32_t obj, const char *key,
			    struct yg_arena *arena)
{
	uint32_t at = yg_json_get(doc, obj, yg_sv_of(key));
	struct yg_sv s = at != 0 ? yg_json_str(doc, at, arena) : YG_SV("");
	return s.p != NULL ? s : YG_SV("");
}

static int64_t number_at(struct yg_json *doc, uint32_t obj, const char *key)
{
	uint32_t at = yg_json_get(doc, obj, yg_sv_of(key));
	return at != 0 ? yg_json_i64(doc, at, 0) : 0;
}

static void put_triggers(struct yg_jo *j, struct yg_json *doc, uint32_t zone)
{
	static const char *const names[] = {"client-ip", "qname", "response-ip", "nsdname", "nsip"};
	uint32_t at = yg_json_get(doc, zone, YG_SV("triggers"));
	yg_jo_key(j, "triggers");
	yg_jo_begin(j, '{');
	for (size_t i = 0; at != 0 && i < YG_LEN(names); i++)
		yg_jo_int(j, names[i], number_at(doc, at, names[i]));
	yg_jo_end(j, '}');
}

static void put_refused(struct yg_jo *j, struct yg_json *doc, uint32_t zone,
			const struct yg_request *q)
{
	uint32_t list = yg_json_get(doc, zone, YG_SV("refused_records"));
	yg_jo_key(j, "refused_records");
	yg_jo_begin(j, '[');
	uint32_t n = list != 0 ? yg_json_at(doc, list)->n : 0;
	for (uint32_t i = 0, at = list + 1; i < n; i++) {
		yg_jo_begin(j, '{');
		yg_jo_int(j, "line", number_at(doc, at, "line"));
		yg_jo_str(j, "reason", yg_text(q, text_at(doc, at, "reason", q->arena)));
		yg_jo_str(j, "record", text_at(doc, at, "record", q->arena));
		yg_jo_end(j, '}');
		at = yg_json_at(doc, at)->next;
	}
	yg_jo_end(j, ']');
}

/* Where the files of the centre lie is the centre's to know. */
static struct yg_sv source_of(struct yg_sv source, bool whole)
{
	size_t at = source.n;
	while (!whole && at > 0 && source.p[at - 1] != '/')
		at--;
	return whole ? source : yg_sv_sub(source, at, source.n);
}

/* How often records of the zone decided or noted; NULL: the event store does not say. */
static void put_hits(struct yg_jo *j, const struct yg_dns_summary *sum, struct yg_sv zone)
{
	uint64_t hits = 0, noted = 0;
	int64_t last = 0;
	for (size_t i = 0; sum != NULL && i < sum->n; i++) {
		const struct yg_dns_sum *row = &sum->rows[i];
		if (row->group != YG_DNS_BY_ZONE || !yg_sv_eq(row->a, zone))
			continue;
		hits += row->n;
		noted += row->noted;
		last = YG_MAX(last, row->last_us);
	}
	if (sum == NULL) {
		yg_jo_str_or_null(j, "hits", YG_SV(""));
		yg_jo_str_or_null(j, "noted", YG_SV(""));
	} else {
		yg_jo_int(j, "hits", (int64_t)hits);
		yg_jo_int(j, "noted", (int64_t)noted);
	}
	yg_jo_time(j, "last_hit", last);
}

struct zones_view {
	struct yg_reach reach;
	const struct yg_dns_summary *sum; /* NULL: none */
	const struct yg_request *q;
};

static void put_zone(struct yg_jo *j, struct yg_json *doc, uint32_t zone, int64_t position,
		     const struct zones_view *v)
{
	static const char *const texts[] = {"name", "kind",     "origin",   "layer",
					    "mode", "override", "category", "state"};
	static const char *const counts[] = {"serial",      "records",    "taken", "refused",
					     "out_of_zone", "duplicates", "bytes"};
	static const char *const times[] = {"changed_at", "checked_at", "failed_at"};
	yg_jo_begin(j, '{');
	for (size_t i = 0; i < YG_LEN(texts); i++)
		yg_jo_str(j, texts[i], text_at(doc, zone, texts[i], v->q->arena));
	yg_jo_str(j, "source", source_of(text_at(doc, zone, "source", v->q->arena), v->reach.all));
	yg_jo_str_or_null(j, "org", text_at(doc, zone, "org", v->q->arena));
	yg_jo_int(j, "position", position);
	for (size_t i = 0; i < YG_LEN(counts); i++)
		yg_jo_int(j, counts[i], number_at(doc, zone, counts[i]));
	for (size_t i = 0; i < YG_LEN(times); i++)
		yg_jo_time(j, times[i], number_at(doc, zone, times[i]));
	put_hits(j, v->sum, text_at(doc, zone, "name", v->q->arena));
	/* likewise what went wrong: it names files and servers */
	yg_jo_str_or_null(j, "error",
			  v->reach.all ? yg_text(v->q, text_at(doc, zone, "error", v->q->arena))
				       : YG_SV(""));
	put_triggers(j, doc, zone);
	put_refused(j, doc, zone, v->q);
	yg_jo_end(j, '}');
}

/* Those for everyone, and those of organisations within reach. */
static void put_zones(struct yg_jo *j, struct yg_json *doc, const struct zones_view *v)
{
	uint32_t list = yg_json_get(doc, 0, YG_SV("zones"));
	uint32_t n = list != 0 ? yg_json_at(doc, list)->n : 0;
	for (uint32_t i = 0, at = list + 1; i < n; i++) {
		struct yg_sv org = text_at(doc, at, "org", v->q->arena);
		if (org.n == 0 || yg_reach_has(&v->reach, org, YG_SV("")))
			put_zone(j, doc, at, (int64_t)i + 1, v);
		at = yg_json_at(doc, at)->next;
	}
}

static yg_status answer_zones(struct yg_request *q, struct yg_response *r, struct yg_sv json,
			      const struct zones_view *v, struct yg_err *err)
{
	struct yg_json doc;
	yg_json_init(&doc, 1u << 20);
	yg_status st = yg_json_parse(&doc, json, err);
	if (st == YG_OK) {
		struct yg_jo j = yg_answer_list(r);
		put_zones(&j, &doc, v);
		yg_jo_end(&j, ']');
		yg_jo_int(&j, "generation", number_at(&doc, 0, "generation"));
		uint32_t off = yg_json_get(&doc, 0, YG_SV("running"));
		yg_jo_bool(&j, "running", off == 0);
		yg_jo_int(&j, "left_out", number_at(&doc, 0, "left_out"));
		yg_jo_str_or_null(&j, "next_cursor", YG_SV(""));
		yg_jo_time(&j, "as_of", q->now.us);
		yg_jo_end(&j, '}');
	}
	yg_json_free(&doc);
	return st;
}

yg_status yg_r_dns_zones(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_lease_end) struct yg_lease events = {0};
	struct zones_view v = {.q = q};
	struct yg_search_scope scope = {0};
	struct yg_dns_summary sum = {.n = 0};
	struct yg_err why = {0};
	struct yg_sv json = YG_SV("");
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_reach(q, l.db, &v.reach, err);
	/* hits are counted where one may see events, which may be less */
	struct yg_reach seen = {.all = false};
	if (st == YG_OK)
		st = yg_who_reach(&q->who, l.db, "events:read", q->arena, &seen, err);
	yg_lease_end(&l);
	if (st == YG_OK)
		st = yg_scope_now(q, err);
	if (st == YG_OK)
		st = api->hooks.dns_zones(api->hooks.ctx, q->arena, &json, err);
	if (st != YG_OK)
		return st;
	/* the zones are there whether the event store is or not */
	q->who.reach = seen;
	st = yg_dns_summary_of(api, q, &events, &scope, &sum, &why);
	if (st == YG_PARSE || st == YG_NOMEM) { /* said already; or nothing can be said */
		*err = why;
		return st;
	}
	v.sum = st == YG_OK ? &sum : NULL;
	return answer_zones(q, r, json, &v, err);
}
