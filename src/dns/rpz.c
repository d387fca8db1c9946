#include "dns/rpz.h"

#include <stdlib.h>

static const struct {
	struct yg_sv label;
	enum yg_dns_trigger trigger;
} suffixes[] = {
	{YG_SV_INIT("rpz-client-ip"), YG_DNS_TRIGGER_CLIENT_IP},
	{YG_SV_INIT("rpz-ip"), YG_DNS_TRIGGER_RESPONSE_IP},
	{YG_SV_INIT("rpz-nsdname"), YG_DNS_TRIGGER_NSDNAME},
	{YG_SV_INIT("rpz-nsip"), YG_DNS_TRIGGER_NSIP},
};

const char *yg_rpz_suffix(enum yg_dns_trigger t)
{
	for (size_t i = 0; i < YG_LEN(suffixes); i++)
		if (suffixes[i].trigger == t)
			return suffixes[i].label.p;
	return "";
}

/* ---- addresses ---- */

static void put_v6(struct yg_sb *b, const uint8_t ip[static 16])
{
	unsigned w[8], best = 8, best_n = 1; /* one zero alone is not compressed */
	for (unsigned i = 0; i < 8; i++)
		w[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;
		while (i + n < 8 && w[i + n] == 0)
			n++;
		if (n > best_n) { /* of equal ones the first of the address: the last label */
			best = i;
			best_n = n;
		}
	}
	for (unsigned i = 8; i > 0; i--) {
		if (best < 8 && i == best + best_n) {
			yg_sb_put(b, YG_SV(".zz"));
			i = best + 1;
			continue;
		}
		yg_sb_printf(b, ".%x", w[i - 1]);
	}
}

void yg_rpz_prefix_format(struct yg_sb *b, struct yg_ip ip, unsigned bits)
{
	if (bits >= 96 && yg_ip_is_v4(ip)) {
		yg_sb_printf(b, "%u.%u.%u.%u.%u", bits - 96, ip.b[15], ip.b[14], ip.b[13],
			     ip.b[12]);
		return;
	}
	yg_sb_u64(b, bits);
	put_v6(b, ip.b);
}

static bool number(struct yg_sv s, unsigned base, unsigned most, unsigned *out)
{
	unsigned v = 0;
	if (s.n == 0 || s.n > 4 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
						    : 99;
		if (d >= base)
			return false;
		v = v * base + d;
	}
	*out = v;
	return v <= most;
}

static bool read_v4(const struct yg_sv *labels, struct yg_ip *ip)
{
	ip->b[10] = ip->b[11] = 0xff;
	for (unsigned i = 0; i < 4; i++) {
		unsigned v;
		if (!number(labels[i], 10, 255, &v))
			return false;
		ip->b[15 - i] = (uint8_t)v;
	}
	return true;
}

static bool read_v6(const struct yg_sv *labels, size_t n, struct yg_ip *ip)
{
	unsigned at = 8;
	bool gap = false;
	for (size_t i = 0; i < n; i++) {
		unsigned v;
		if (YG_SV_IS(labels[i], "zz")) {
			if (gap || n - 1 > 6)
				return false;
			gap = true;
			at -= (unsigned)(8 - (n - 1));
			continue;
		}
		if (at == 0 || !number(labels[i], 16, 0xffff, &v))
			return false;
		at--;
		ip->b[2 * at] = (uint8_t)(v >> 8);
		ip->b[2 * at + 1] = (uint8_t)v;
	}
	return at == 0;
}

static bool has_host_bits(struct yg_ip ip, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		if ((ip.b[i / 8] & (0x80u >> (i & 7))) != 0)
			return true;
	return false;
}

static yg_status read_prefix(const struct yg_dns_name *owner, unsigned count,
			     struct yg_rpz_trigger *out, struct yg_err *err)
{
	struct yg_sv labels[9];
	char want[64], have[64];
	struct yg_sb w = yg_sb_init(want, sizeof want), h = yg_sb_init(have, sizeof have);
	unsigned bits = 0;
	if (count < 2 || count > 9)
		return YG_FAIL(err, YG_PARSE, "not an address: %u labels", count);
	for (unsigned i = 0; i < count; i++) {
		labels[i] = yg_dns_name_label(owner, i);
		yg_sb_put(&h, i > 0 ? YG_SV(".") : YG_SV(""));
		yg_sb_put(&h, labels[i]);
	}
	bool zz = false;
	for (unsigned i = 1; i < count; i++)
		zz = zz || YG_SV_IS(labels[i], "zz");
	bool four = count == 5 && !zz;
	memset(&out->ip, 0, sizeof out->ip);
	if (!number(labels[0], 10, four ? 32 : 128, &bits) || bits == 0 ||
	    !(four ? read_v4(labels + 1, &out->ip) : read_v6(labels + 1, count - 1, &out->ip)))
		return YG_FAIL(err, YG_PARSE, "not an address");
	if (four)
		bits += 96;
	out->bits = (uint8_t)bits;
	if (has_host_bits(out->ip, bits))
		return YG_FAIL(err, YG_PARSE, "the address has bits behind its prefix length");
	if (!four && bits >= 96 && yg_ip_is_v4(out->ip))
		return YG_FAIL(err, YG_PARSE, "an IPv4 address is written as one");
	yg_rpz_prefix_format(&w, out->ip, bits);
	if (!yg_sv_eq(yg_sb_sv(&w), yg_sb_sv(&h)))
		return YG_FAIL(err, YG_PARSE, "the address is not in its one form, %s",
			       yg_sb_cstr(&w));
	return YG_OK;
}

/* ---- triggers ---- */

static bool begins_rpz(struct yg_sv label)
{
	return yg_sv_starts(label, YG_SV("rpz-"));
}

yg_status yg_rpz_trigger(const struct yg_dns_name *owner, const struct yg_dns_name *origin,
			 struct yg_rpz_trigger *out, struct yg_err *err)
{
	if (!yg_dns_name_is_in(owner, origin))
		return YG_NOTFOUND;
	unsigned count = (unsigned)owner->labels - origin->labels;
	*out = (struct yg_rpz_trigger){.trigger = YG_DNS_TRIGGER_NONE, .key = {"", 0}};
	if (count == 0)
		return YG_OK;
	out->trigger = YG_DNS_TRIGGER_QNAME;
	struct yg_sv last = yg_dns_name_label(owner, count - 1);
	if (begins_rpz(last)) {
		size_t i = 0;
		while (i < YG_LEN(suffixes) && !yg_sv_eq(suffixes[i].label, last))
			i++;
		if (i == YG_LEN(suffixes))
			return YG_FAIL(err, YG_PARSE, "a trigger that is not known");
		out->trigger = suffixes[i].trigger;
		count--;
		if (out->trigger != YG_DNS_TRIGGER_NSDNAME)
			return read_prefix(owner, count, out, err);
		if (count == 0)
			return YG_FAIL(err, YG_PARSE, "the trigger names nothing");
	}
	out->wild = yg_dns_name_is_wild(owner);
	unsigned from = out->wild ? 1 : 0;
	out->labels = (uint8_t)(count - from);
	out->key = (struct yg_sv){(const char *)owner->b + owner->at[from],
				  (size_t)owner->at[count] - owner->at[from]};
	return YG_OK;
}

/* ---- actions ---- */

/* A CNAME to the very name of the trigger: how PASSTHRU was written in format 1. */
static bool is_self(const struct yg_dns_name *target, const struct yg_rpz_trigger *t)
{
	unsigned wild = t->wild ? 1 : 0;
	if (t->trigger == YG_DNS_TRIGGER_QNAME)
		return target->labels == t->labels + wild &&
		       yg_dns_name_is_wild(target) == t->wild &&
		       (size_t)target->n - 1 - target->at[wild] == t->key.n &&
		       memcmp(target->b + target->at[wild], t->key.p, t->key.n) == 0;
	return false;
}

static yg_status read_cname(struct yg_sv rdata, const struct yg_rpz_trigger *trigger,
			    struct yg_rpz_action *out, struct yg_err *err)
{
	static const struct {
		struct yg_sv label;
		enum yg_dns_action action;
	} words[] = {{YG_SV_INIT("rpz-passthru"), YG_DNS_ACTION_PASSTHRU},
		     {YG_SV_INIT("rpz-drop"), YG_DNS_ACTION_DROP},
		     {YG_SV_INIT("rpz-tcp-only"), YG_DNS_ACTION_TCP_ONLY}};
	struct yg_dns_name target;
	size_t at = 0;
	if (yg_dns_name_read_plain((const uint8_t *)rdata.p, rdata.n, &at, &target) != YG_OK ||
	    at != rdata.n)
		return YG_FAIL(err, YG_PARSE, "the target is not a name");
	if (target.labels == 0) {
		out->action = YG_DNS_ACTION_NXDOMAIN;
		return YG_OK;
	}
	out->wild = yg_dns_name_is_wild(&target);
	if (out->wild && target.labels == 1) {
		out->action = YG_DNS_ACTION_NODATA;
		return YG_OK;
	}
	if (is_self(&target, trigger)) {
		out->action = YG_DNS_ACTION_PASSTHRU;
		return YG_OK;
	}
	struct yg_sv top = yg_dns_name_label(&target, target.labels - 1u);
	if (!begins_rpz(top)) {
		size_t from = out->wild ? target.at[1] : 0;
		out->action = YG_DNS_ACTION_CNAME;
		out->target = yg_sv_sub(rdata, from, rdata.n - from);
		return YG_OK;
	}
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (target.labels == 1 && yg_sv_eq(top, words[i].label)) {
			out->action = words[i].action;
			return YG_OK;
		}
	return YG_FAIL(err, YG_PARSE, "an action that is not known");
}

/* Types that must not stand in an answer that is made up (draft, section 3.6). */
static bool is_refused_type(uint16_t type)
{
	static const uint16_t types[] = {
		YG_DNS_SOA,   YG_DNS_NS,         YG_DNS_DNAME, YG_DNS_SIG,    YG_DNS_KEY,
		YG_DNS_NXT,   YG_DNS_DS,         YG_DNS_RRSIG, YG_DNS_NSEC,   YG_DNS_DNSKEY,
		YG_DNS_NSEC3, YG_DNS_NSEC3PARAM, YG_DNS_CDS,   YG_DNS_CDNSKEY};
	for (size_t i = 0; i < YG_LEN(types); i++)
		if (types[i] == type)
			return true;
	return yg_dns_type_is_meta(type);
}

yg_status yg_rpz_action(uint16_t type, struct yg_sv rdata, const struct yg_rpz_trigger *trigger,
			struct yg_rpz_action *out, struct yg_err *err)
{
	*out = (struct yg_rpz_action){.action = YG_DNS_ACTION_DATA};
	if (type == YG_DNS_CNAME)
		return read_cname(rdata, trigger, out, err);
	if (is_refused_type(type)) {
		char text[16];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_dns_type_format(&b, type);
		return YG_FAIL(err, YG_PARSE, "%s cannot be local data", yg_sb_cstr(&b));
	}
	return YG_OK;
}
