/* inputs.c - the snapshot of what people say of protective DNS: opened, and applied. */
#include "dns/inputs.h"

#include <stdlib.h>

#include "dns/inputs_internal.h"

#define DEPTH_MAX  16
#define GROUPS_MAX 8 /* zones of blocks that one organisation has; what is more joins the last */
#define EDE_ORG    17
#define EDE_OURS   15

static bool string_fits(const struct yg_dns_inputs *in, uint32_t at)
{
	uint16_t n;
	if (in->string_bytes < 2 || at > in->string_bytes - 2)
		return false;
	memcpy(&n, in->strings + at, sizeof n);
	return n <= in->string_bytes - 2 - at;
}

struct yg_sv yg_di_string(const struct yg_dns_inputs *in, uint32_t at)
{
	uint16_t n;
	if (!string_fits(in, at))
		return (struct yg_sv){"", 0};
	memcpy(&n, in->strings + at, sizeof n);
	return (struct yg_sv){in->strings + at + 2, n};
}

struct yg_sv yg_di_org_name(const struct yg_dns_inputs *in, uint32_t org)
{
	return org == 0 || org > in->org_count ? (struct yg_sv){"", 0}
					       : yg_di_string(in, in->orgs[org - 1].name);
}

/* ---- opening ---- */

static yg_status find_sections(struct yg_dns_inputs *in, struct yg_err *err)
{
	const void *orgs, *entries, *modes, *answers, *strings;
	const struct {
		uint32_t id, elem;
		const void **p;
		uint64_t *count;
	} want[] = {
		{YG_DI_ORGS, sizeof *in->orgs, &orgs, &in->org_count},
		{YG_DI_ENTRIES, sizeof *in->entries, &entries, &in->entry_count},
		{YG_DI_MODES, sizeof *in->modes, &modes, &in->mode_count},
		{YG_DI_ANSWERS, sizeof *in->answers, &answers, &in->answer_count},
		{YG_DI_STRINGS, 1, &strings, &in->string_bytes},
	};
	for (size_t i = 0; i < YG_LEN(want); i++) {
		yg_status st = yg_snap_find(&in->snap, want[i].id, want[i].elem, want[i].p,
					    want[i].count, err);
		if (st != YG_OK)
			return st;
	}
	in->orgs = orgs;
	in->entries = entries;
	in->modes = modes;
	in->answers = answers;
	in->strings = strings;
	return YG_OK;
}

/* A name, and a way up that ends. */
static bool org_fits(const struct yg_dns_inputs *in, uint64_t i)
{
	unsigned depth = 0;
	if (!string_fits(in, in->orgs[i].name) || yg_di_string(in, in->orgs[i].name).n == 0)
		return false;
	for (uint32_t at = in->orgs[i].above; at != 0; at = in->orgs[at - 1].above)
		if (at > in->org_count || ++depth > DEPTH_MAX)
			return false;
	return true;
}

static bool entry_fits(const struct yg_dns_inputs *in, const struct yg_di_entry *e)
{
	bool type = e->type == YG_IND_IP || e->type == YG_IND_DOMAIN || e->type == YG_IND_FQDN;
	return type && e->org <= in->org_count && e->allow <= 1 &&
	       (e->ede == 0 || (e->ede >= 15 && e->ede <= 17)) && string_fits(in, e->value) &&
	       string_fits(in, e->category) && yg_dns_category_ok(yg_di_string(in, e->category));
}

static bool mode_fits(const struct yg_dns_inputs *in, const struct yg_di_mode *m)
{
	return m->org <= in->org_count && m->layer < YG_DNS_LAYER_COUNT &&
	       m->mode < YG_DNS_MODE_COUNT;
}

static struct yg_dns_answer_row answer_of(const struct yg_dns_inputs *in,
					  const struct yg_di_answer *a)
{
	return (struct yg_dns_answer_row){.org = yg_di_org_name(in, a->org),
					  .category = yg_di_string(in, a->category),
					  .answer = (enum yg_dns_override)a->answer,
					  .target = yg_di_string(in, a->target),
					  .addresses = yg_di_string(in, a->addresses),
					  .ttl = a->ttl};
}

static bool answer_fits(const struct yg_dns_inputs *in, const struct yg_di_answer *a)
{
	struct yg_dns_answer_spec spec;
	enum yg_dns_action action;
	struct yg_dns_answer_row row = answer_of(in, a);
	return a->org <= in->org_count && a->answer < YG_DNS_OVERRIDE_COUNT &&
	       string_fits(in, a->category) && string_fits(in, a->target) &&
	       string_fits(in, a->addresses) &&
	       yg_dns_answer_read(&row, &action, &spec, NULL) == YG_OK;
}

static yg_status check_all(const struct yg_dns_inputs *in, struct yg_err *err)
{
	bool good = in->org_count < YG_DNS_ORGS_MAX && in->answer_count < YG_DNS_ZONES_MAX;
	for (uint64_t i = 0; good && i < in->org_count; i++)
		good = org_fits(in, i);
	for (uint64_t i = 0; good && i < in->entry_count; i++)
		good = entry_fits(in, &in->entries[i]);
	for (uint64_t i = 0; good && i < in->mode_count; i++)
		good = mode_fits(in, &in->modes[i]);
	for (uint64_t i = 0; good && i < in->answer_count; i++)
		good = answer_fits(in, &in->answers[i]);
	return good ? YG_OK : YG_FAIL(err, YG_CORRUPT, "what DNS goes by is damaged");
}

static yg_status open_checked(struct yg_dns_inputs *in, struct yg_dns_inputs **out,
			      struct yg_err *err)
{
	yg_status st = find_sections(in, err);
	if (st == YG_OK)
		st = check_all(in, err);
	if (st != YG_OK)
		yg_dns_inputs_close(in);
	else
		*out = in;
	return st;
}

yg_status yg_dns_inputs_open_fd(int fd, uint64_t min_generation, struct yg_dns_inputs **out,
				struct yg_err *err)
{
	struct yg_dns_inputs *in = calloc(1, sizeof *in);
	if (in == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for what DNS goes by");
	yg_status st = yg_snap_open_fd(fd, YG_SNAP_DNS_INPUTS, YG_DNS_INPUTS_SCHEMA, min_generation,
				       &in->snap, err);
	if (st == YG_OK)
		return open_checked(in, out, err);
	free(in);
	return st;
}

yg_status yg_dns_inputs_open_bytes(const void *p, size_t n, uint64_t min_generation,
				   struct yg_dns_inputs **out, struct yg_err *err)
{
	struct yg_dns_inputs *in = calloc(1, sizeof *in);
	if (in == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for what DNS goes by");
	yg_status st = yg_snap_open_bytes(p, n, YG_SNAP_DNS_INPUTS, YG_DNS_INPUTS_SCHEMA,
					  min_generation, &in->snap, err);
	if (st == YG_OK)
		return open_checked(in, out, err);
	free(in);
	return st;
}

void yg_dns_inputs_close(struct yg_dns_inputs *in)
{
	if (in == NULL)
		return;
	yg_snap_close(&in->snap);
	free(in);
}

uint64_t yg_dns_inputs_generation(const struct yg_dns_inputs *in)
{
	return in->snap.head.generation;
}

static bool same_bytes(const void *a, uint64_t an, const void *b, uint64_t bn, size_t elem)
{
	return an == bn && (an == 0 || memcmp(a, b, (size_t)an * elem) == 0);
}

bool yg_dns_inputs_same(const struct yg_dns_inputs *a, const struct yg_dns_inputs *b)
{
	return same_bytes(a->orgs, a->org_count, b->orgs, b->org_count, sizeof *a->orgs) &&
	       same_bytes(a->entries, a->entry_count, b->entries, b->entry_count,
			  sizeof *a->entries) &&
	       same_bytes(a->modes, a->mode_count, b->modes, b->mode_count, sizeof *a->modes) &&
	       same_bytes(a->answers, a->answer_count, b->answers, b->answer_count,
			  sizeof *a->answers) &&
	       same_bytes(a->strings, a->string_bytes, b->strings, b->string_bytes, 1);
}

/* ---- applying ---- */

struct applying {
	const struct yg_dns_inputs *in;
	struct yg_dns_builder *b;
	const struct yg_di_entry *last; /* whose zone is `zone`; NULL: none yet */
	uint32_t zone;
	unsigned groups; /* zones of blocks of this organisation so far */
	struct yg_err *err;
};

static const char *ede_word(unsigned code)
{
	return code == 16 ? "/censored" : code == 17 ? "/filtered" : code == 15 ? "/blocked" : "";
}

static bool same_org(const struct yg_di_entry *a, const struct yg_di_entry *b)
{
	return a->org == b->org && a->allow == b->allow &&
	       (a->type == YG_IND_IP) == (b->type == YG_IND_IP);
}

static bool same_zone(const struct yg_di_entry *a, const struct yg_di_entry *b)
{
	return same_org(a, b) && (a->allow || (a->category == b->category && a->ede == b->ede));
}

/* "allow@my-city", "blocks@all/phishing"; those of addresses end in ":addresses", so that
 * a name that is blocked need not be asked for before it is known to be. */
static yg_status zone_of(struct applying *x, const struct yg_di_entry *e, bool rest)
{
	char name[256], text[256];
	struct yg_sb n = yg_sb_init(name, sizeof name), t = yg_sb_init(text, sizeof text);
	struct yg_sv org = yg_di_org_name(x->in, e->org);
	struct yg_dns_zone_spec spec = {.org = org,
					.is_list = true,
					.cancels = e->allow && e->type == YG_IND_IP,
					.ede_code = e->org > 0 ? EDE_ORG : EDE_OURS};
	spec.answer.ttl = YG_DNS_ANSWER_TTL;
	yg_dns_name_root(&spec.answer.target);
	yg_sb_put(&n, e->allow ? YG_SV("allow@") : YG_SV("blocks@"));
	yg_sb_put(&n, org.n > 0 ? org : YG_SV("all"));
	if (e->allow) {
		spec.layer = e->org > 0 ? YG_DNS_LAYER_ORG_ALLOW : YG_DNS_LAYER_CENTRE_ALLOW;
	} else {
		spec.layer = e->org > 0 ? YG_DNS_LAYER_ORG_BLOCK : YG_DNS_LAYER_CENTRE_ZONE;
		spec.category = rest ? YG_SV("") : yg_di_string(x->in, e->category);
		spec.ede_code = !rest && e->ede != 0 ? e->ede : spec.ede_code;
		yg_sb_put(&n, spec.category.n > 0 ? YG_SV("/") : YG_SV(""));
		yg_sb_put(&n, spec.category);
		yg_sb_put(&n, yg_sv_of(rest ? "/+" : ede_word(e->ede)));
	}
	yg_sb_put(&n, e->type == YG_IND_IP ? YG_SV(":addresses") : YG_SV(""));
	yg_sb_put(&t, spec.category.n > 0 ? spec.category : YG_SV("blocked"));
	yg_sb_put(&t, YG_SV(": block list of "));
	yg_sb_put(&t, org.n > 0 ? org : YG_SV("the centre"));
	spec.name = yg_sb_sv(&n);
	spec.ede_text = e->allow ? YG_SV("") : yg_sb_sv(&t);
	return yg_dns_builder_zone(x->b, &spec, &x->zone, x->err);
}

static yg_status into_zone(struct applying *x, const struct yg_di_entry *e)
{
	bool new_org = x->last == NULL || !same_org(x->last, e);
	if (new_org)
		x->groups = 0;
	if (!new_org && (same_zone(x->last, e) || x->groups > GROUPS_MAX))
		return YG_OK;
	x->groups++;
	return zone_of(x, e, x->groups > GROUPS_MAX);
}

static yg_status add_entry(struct applying *x, const struct yg_di_entry *e,
			   struct yg_dns_inputs_stats *stats)
{
	enum yg_dns_action action = e->allow ? YG_DNS_ACTION_PASSTHRU : YG_DNS_ACTION_NXDOMAIN;
	struct yg_sv value = yg_di_string(x->in, e->value);
	struct yg_dns_name name;
	struct yg_ip ip;
	unsigned bits;
	yg_status st = into_zone(x, e);
	if (st != YG_OK)
		return st;
	x->last = e;
	if (e->type == YG_IND_IP && yg_ip_prefix_parse(value, &ip, &bits, NULL) == YG_OK)
		st = yg_dns_builder_prefix(x->b, x->zone, YG_DNS_TRIGGER_RESPONSE_IP, ip,
					   (uint8_t)bits, action, x->err);
	else if (e->type != YG_IND_IP && yg_dns_name_parse(value, NULL, &name, NULL) == YG_OK &&
		 name.labels > 0)
		st = yg_dns_builder_name(x->b, x->zone, &name, true, e->type == YG_IND_DOMAIN,
					 action, x->err);
	else
		stats->refused++;
	stats->allow += e->allow;
	stats->blocks += !e->allow;
	return st;
}

static yg_status add_entries(struct applying *x, yg_wall now, struct yg_dns_inputs_stats *stats)
{
	yg_status st = YG_OK;
	for (uint64_t i = 0; st == YG_OK && i < x->in->entry_count; i++) {
		const struct yg_di_entry *e = &x->in->entries[i];
		if (e->expires_us != 0 && e->expires_us <= now.us) {
			stats->ended++;
			continue;
		}
		if (e->expires_us != 0)
			stats->next.us = YG_MIN(stats->next.us, e->expires_us);
		st = add_entry(x, e, stats);
	}
	return st;
}

yg_status yg_dns_inputs_apply(const struct yg_dns_inputs *in, struct yg_dns_builder *b, yg_wall now,
			      struct yg_dns_inputs_stats *out, struct yg_err *err)
{
	struct applying x = {.in = in, .b = b, .err = err};
	struct yg_dns_inputs_stats stats = {.orgs = in->org_count, .next = {INT64_MAX}};
	yg_status st = YG_OK;
	for (uint64_t i = 0; st == YG_OK && i < in->org_count; i++)
		st = yg_dns_builder_org(b, yg_di_string(in, in->orgs[i].name),
					yg_di_org_name(in, in->orgs[i].above), err);
	if (st == YG_OK)
		st = add_entries(&x, now, &stats);
	for (uint64_t i = 0; st == YG_OK && i < in->mode_count; i++)
		st = yg_dns_builder_mode(b, yg_di_org_name(in, in->modes[i].org),
					 (enum yg_dns_layer)in->modes[i].layer,
					 (enum yg_dns_mode)in->modes[i].mode, err);
	for (uint64_t i = 0; st == YG_OK && i < in->answer_count; i++) {
		struct yg_dns_answer_row row = answer_of(in, &in->answers[i]);
		struct yg_dns_answer_spec spec;
		enum yg_dns_action action;
		st = yg_dns_answer_read(&row, &action, &spec, err);
		if (st == YG_OK)
			st = yg_dns_builder_answer(b, row.org, row.category, action, &spec, err);
	}
	if (st == YG_OK)
		*out = stats;
	return st;
}
