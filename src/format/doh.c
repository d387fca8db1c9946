#include "format/doh.h"

#include "format/dns.h"

#define TOKEN_MOST 128

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

yg_status yg_doh_decode(struct yg_sv text, uint8_t *out, size_t cap, size_t *out_n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	if (text.n % 4 == 1)
		return YG_PARSE;
	for (size_t i = 0; i < text.n; i++) {
		int v = sextet(text.p[i]);
		if (v < 0)
			return YG_PARSE;
		bits = (bits << 6 | (uint32_t)v) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == cap)
			return YG_LIMIT;
		out[n++] = (uint8_t)(bits >> have);
	}
	if ((bits & ((1u << have) - 1)) != 0) /* one text for one message (RFC 4648 3.5) */
		return YG_PARSE;
	*out_n = n;
	return YG_OK;
}

/* "dns=..." of the part behind '?'; others are passed over. */
static bool find_dns(struct yg_sv query, struct yg_sv *out)
{
	struct yg_sv one;
	unsigned found = 0;
	while (query.n > 0 && yg_sv_cut(&query, '&', &one))
		if (yg_sv_starts(one, YG_SV("dns="))) {
			*out = yg_sv_sub(one, 4, one.n);
			found++;
		}
	return found == 1;
}

/* The path without its query: the base, or the base and a token. */
static bool read_path(struct yg_sv path, struct yg_sv base, struct yg_sv *token)
{
	*token = (struct yg_sv){"", 0};
	if (!yg_sv_starts(path, base))
		return false;
	struct yg_sv rest = yg_sv_sub(path, base.n, path.n);
	if (rest.n == 0)
		return true;
	if (yg_sv_ends(base, YG_SV("/")))
		*token = rest;
	else if (rest.p[0] == '/')
		*token = yg_sv_sub(rest, 1, rest.n);
	else
		return false;
	return token->n > 0 && token->n <= TOKEN_MOST && yg_sv_find(*token, '/', 0) == token->n;
}

/* The host of "host:port", "[::1]:443". */
static struct yg_sv host_of(struct yg_sv authority)
{
	if (authority.n > 0 && authority.p[0] == '[')
		return yg_sv_sub(authority, 0, yg_sv_find(authority, ']', 0) + 1);
	struct yg_sv host = yg_sv_sub(authority, 0, yg_sv_find(authority, ':', 0));
	return yg_sv_ends(host, YG_SV(".")) ? yg_sv_sub(host, 0, host.n - 1) : host;
}

static bool is_address(struct yg_sv host)
{
	bool digits = true;
	for (size_t i = 0; i < host.n; i++)
		digits = digits && (host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9'));
	return digits || host.p[0] == '[';
}

static bool misdirected(struct yg_sv authority, struct yg_sv server_name)
{
	struct yg_sv host = host_of(authority);
	if (host.n == 0 || server_name.n == 0 || is_address(host))
		return false;
	return !yg_sv_ieq(host, host_of(server_name));
}

static bool is_dns_message(struct yg_sv type)
{
	type = yg_sv_trim(yg_sv_sub(type, 0, yg_sv_find(type, ';', 0)));
	return yg_sv_ieq(type, YG_SV("application/dns-message"));
}

static unsigned judge(const struct yg_doh_request *r, struct yg_sv base, struct yg_sv server_name,
		      struct yg_doh_query *out)
{
	size_t mark = yg_sv_find(r->path, '?', 0);
	if (misdirected(r->authority, server_name))
		return 421;
	if (r->path.n > YG_DOH_TARGET_MAX)
		return 414;
	if (!read_path(yg_sv_sub(r->path, 0, mark), base, &out->token))
		return 404;
	out->post = YG_SV_IS(r->method, "POST");
	if (!out->post && !YG_SV_IS(r->method, "GET"))
		return 405;
	if (out->post)
		return is_dns_message(r->content_type) ? 200 : 415;
	if (!find_dns(yg_sv_sub(r->path, mark + 1, r->path.n), &out->dns) || out->dns.n == 0)
		return 400;
	return 200;
}

void yg_doh_request_read(const struct yg_doh_request *r, struct yg_sv base,
			 struct yg_sv server_name, struct yg_doh_query *out)
{
	*out = (struct yg_doh_query){.token = {"", 0}, .dns = {"", 0}};
	out->status = judge(r, base, server_name, out);
}

/* The TTL of a SOA record, or its last field when that is less (RFC 2308 5). */
static uint32_t negative_ttl(const struct yg_dns_msg *m, const struct yg_dns_rr *rr)
{
	if (rr->rdata_n < 22)
		return 0;
	return YG_MIN(rr->ttl, yg_dns_get32(m->p + rr->rdata + rr->rdata_n - 4));
}

yg_status yg_doh_fresh(const uint8_t *msg, size_t n, uint32_t *out)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	uint32_t least = UINT32_MAX, soa = UINT32_MAX;
	if (yg_dns_msg_read(msg, n, &m) != YG_OK)
		return YG_NOTFOUND;
	unsigned rcode = m.flags & YG_DNS_RCODE;
	if (rcode != YG_DNS_RCODE_NOERROR && rcode != YG_DNS_RCODE_NXDOMAIN)
		return YG_NOTFOUND;
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr)) {
		if (rr.section == YG_DNS_ANSWER)
			least = YG_MIN(least, rr.ttl);
		else if (rr.section == YG_DNS_AUTHORITY && rr.type == YG_DNS_SOA)
			soa = YG_MIN(soa, negative_ttl(&m, &rr));
	}
	if (rcode == YG_DNS_RCODE_NXDOMAIN || least == UINT32_MAX)
		least = YG_MIN(least, soa);
	if (it.bad || least == UINT32_MAX)
		return YG_NOTFOUND;
	*out = least;
	return YG_OK;
}
