/* policy_verdict.c - what the record that decided means for the answer. */
#include "dns/policy_internal.h"
#include "dns/rpz.h"

bool yg_dns_rrset_next(struct yg_sv *data, struct yg_dns_rrset *out)
{
	uint32_t n;
	if (data->n < YG_DNS_RRSET_HEAD)
		return false;
	memcpy(&out->type, data->p, 2);
	memcpy(&out->count, data->p + 2, 2);
	memcpy(&n, data->p + 4, 4);
	if (n > data->n - YG_DNS_RRSET_HEAD)
		return false;
	out->rrs = (struct yg_sv){data->p + YG_DNS_RRSET_HEAD, n};
	data->p += YG_DNS_RRSET_HEAD + n;
	data->n -= YG_DNS_RRSET_HEAD + n;
	return true;
}

bool yg_dns_rrset_find(struct yg_sv data, uint16_t type, struct yg_dns_rrset *out)
{
	while (yg_dns_rrset_next(&data, out))
		if (out->type == type)
			return true;
	return false;
}

static void mean(struct yg_dns_meaning *m, const struct yg_dns_policy *p, uint8_t action,
		 uint32_t data)
{
	m->action = (enum yg_dns_action)action;
	m->data = yg_dns_policy_data(p, data);
}

static void apply_override(const struct yg_dns_policy *p, const struct yg_dns_zone_rec *z,
			   struct yg_dns_meaning *out)
{
	static const uint8_t actions[YG_DNS_OVERRIDE_COUNT] = {
		[YG_DNS_OVERRIDE_NXDOMAIN] = YG_DNS_ACTION_NXDOMAIN,
		[YG_DNS_OVERRIDE_NODATA] = YG_DNS_ACTION_NODATA,
		[YG_DNS_OVERRIDE_PASSTHRU] = YG_DNS_ACTION_PASSTHRU,
		[YG_DNS_OVERRIDE_DROP] = YG_DNS_ACTION_DROP,
		[YG_DNS_OVERRIDE_TCP_ONLY] = YG_DNS_ACTION_TCP_ONLY,
		[YG_DNS_OVERRIDE_CNAME] = YG_DNS_ACTION_CNAME,
		[YG_DNS_OVERRIDE_SINKHOLE] = YG_DNS_ACTION_DATA,
	};
	if (z->is_list != 0 && out->action == YG_DNS_ACTION_PASSTHRU)
		return; /* an exception of a list: overrides are for what it blocks */
	if (z->override < YG_DNS_OVERRIDE_COUNT && actions[z->override] != YG_DNS_ACTION_NONE)
		mean(out, p, actions[z->override], z->override_data);
}

const struct yg_dns_answer_rec *yg_dns_policy_answer(const struct yg_dns_policy *p,
						     const struct yg_dns_view_rec *view,
						     const struct yg_dns_zone_rec *z)
{
	const struct yg_dns_answer_rec *a = p->answers + view->answers_at;
	for (uint32_t i = 0; i < view->answer_count; i++)
		if (a[i].category == 0 || a[i].category == z->category)
			return &a[i];
	return NULL;
}

/* What a refusal becomes for this organisation and category. */
static void apply_answer(const struct yg_dns_policy *p, const struct yg_dns_view_rec *view,
			 const struct yg_dns_zone_rec *z, struct yg_dns_meaning *out)
{
	if (out->action != YG_DNS_ACTION_NXDOMAIN && out->action != YG_DNS_ACTION_NODATA)
		return;
	const struct yg_dns_answer_rec *a = yg_dns_policy_answer(p, view, z);
	if (a != NULL)
		mean(out, p, a->action, a->data);
}

void yg_dns_policy_meaning(const struct yg_dns_policy *p, const struct yg_dns_view_rec *view,
			   uint32_t rule, uint16_t zone, struct yg_dns_meaning *out)
{
	const struct yg_dns_policy *part = rule < p->rule_count ? p : p->base;
	const struct yg_dns_rule_rec *r =
		&part->rules[rule - (part == p ? 0 : (uint32_t)p->rule_count)];
	mean(out, part, r->action, r->data);
	out->given = out->action;
	apply_override(p, &p->zones[zone], out);
	apply_answer(p, view, &p->zones[zone], out);
}

static void fill_verdict(const struct yg_dns_eval *e, const struct yg_dns_hit *hit,
			 struct yg_dns_verdict *out)
{
	struct yg_dns_meaning m;
	yg_dns_policy_meaning(e->policy, e->view, hit->rule, hit->zone, &m);
	out->hit = *hit;
	out->trigger = (enum yg_dns_trigger)hit->trigger;
	out->given = m.given;
	out->action = m.action;
	(void)yg_dns_policy_zone(e->policy, hit->zone, &out->zone);
	if (m.action == YG_DNS_ACTION_DATA)
		out->data = m.data;
	if (m.action != YG_DNS_ACTION_CNAME || m.data.n <= YG_DNS_CNAME_HEAD)
		return;
	memcpy(&out->ttl, m.data.p, 4);
	out->target_wild = m.data.p[4] != 0;
	out->target = yg_sv_sub(m.data, YG_DNS_CNAME_HEAD, m.data.n);
}

void yg_dns_eval_verdict(const struct yg_dns_eval *e, struct yg_dns_verdict *out)
{
	*out = (struct yg_dns_verdict){.action = YG_DNS_ACTION_NONE};
	if (e->has_best)
		fill_verdict(e, &e->best, out);
}

void yg_dns_eval_note(const struct yg_dns_eval *e, size_t i, struct yg_dns_verdict *out)
{
	*out = (struct yg_dns_verdict){.action = YG_DNS_ACTION_NONE};
	if (i < e->note_count)
		fill_verdict(e, &e->notes[i], out);
}

static void put_prefix(struct yg_sb *out, const struct yg_dns_hit *hit)
{
	struct yg_ip ip = hit->ip;
	for (unsigned i = hit->bits; i < 128; i++)
		ip.b[i / 8] &= (uint8_t) ~(0x80u >> (i & 7));
	yg_rpz_prefix_format(out, ip, hit->bits);
}

void yg_dns_eval_record(const struct yg_dns_eval *e, size_t i, struct yg_sb *out)
{
	const struct yg_dns_hit *hit = i == SIZE_MAX ? &e->best : &e->notes[i];
	const struct yg_dns_name *name = i == SIZE_MAX ? &e->name : &e->note_name[i];
	enum yg_dns_trigger t = (enum yg_dns_trigger)hit->trigger;
	if (i == SIZE_MAX ? !e->has_best : i >= e->note_count)
		return;
	if (t == YG_DNS_TRIGGER_QNAME || t == YG_DNS_TRIGGER_NSDNAME) {
		struct yg_dns_name above;
		yg_dns_name_above(name, hit->level, &above);
		if (hit->wild != 0)
			yg_sb_put(out, above.labels > 0 ? YG_SV("*.") : YG_SV("*"));
		if (above.labels > 0)
			yg_dns_name_format(out, &above);
	} else {
		put_prefix(out, hit);
	}
	if (t != YG_DNS_TRIGGER_QNAME) {
		yg_sb_putc(out, '.');
		yg_sb_put(out, yg_sv_of(yg_rpz_suffix(t)));
	}
}

bool yg_dns_eval_owner(const struct yg_dns_eval *e, struct yg_dns_name *out)
{
	static const struct yg_dns_name star = {.n = 3, .labels = 1, .at = {0, 2}, .b = "\1*"};
	struct yg_dns_name above;
	if (!e->has_best || e->best.trigger != YG_DNS_TRIGGER_QNAME)
		return false;
	yg_dns_name_above(&e->name, e->best.level, &above);
	if (e->best.wild != 0)
		return yg_dns_name_join(&star, 0, &above, out) == YG_OK;
	*out = above;
	return true;
}
