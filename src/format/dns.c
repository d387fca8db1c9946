#include "format/dns.h"

/* ---- a query ---- */

static void query_options(struct yg_dns_query *q, struct yg_sv options)
{
	uint16_t code;
	struct yg_sv value;
	while (yg_dns_option_next(&options, &code, &value)) {
		if (code == YG_DNS_OPT_COOKIE) {
			/* RFC 7873 5.2.2: 8, or 16 to 40; only the first counts */
			if (value.n != 8 && (value.n < 16 || value.n > YG_DNS_COOKIE_MAX))
				q->rcode = YG_DNS_RCODE_FORMERR;
			else if (q->cookie.n == 0)
				q->cookie = value;
		} else if (code == YG_DNS_OPT_PADDING) {
			q->wants_padding = true;
		}
	}
	if (options.n > 0)
		q->rcode = YG_DNS_RCODE_FORMERR;
}

/* The additional section of a query: one OPT, TSIG behind it is not for us. */
static void query_opt(struct yg_dns_query *q, const uint8_t *p, size_t n, size_t at, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		size_t owner = at;
		if (yg_dns_name_skip(p, n, &at) != YG_OK || n - at < 10 ||
		    n - at - 10 < yg_dns_get16(p + at + 8)) {
			q->rcode = YG_DNS_RCODE_FORMERR;
			return;
		}
		const uint8_t *rr = p + at;
		size_t rdata_n = yg_dns_get16(rr + 8);
		at += 10 + rdata_n;
		if (yg_dns_get16(rr) != YG_DNS_OPT)
			continue;
		if (q->edns || p[owner] != 0) { /* RFC 6891 6.1.1 */
			q->rcode = YG_DNS_RCODE_FORMERR;
			return;
		}
		q->edns = true;
		q->udp = YG_MAX(yg_dns_get16(rr + 2), YG_DNS_UDP_PLAIN);
		q->version = rr[5];
		q->dnssec_ok = (rr[6] & 0x80) != 0;
		if (q->version != 0)
			q->rcode = YG_DNS_RCODE_BADVERS;
		else
			query_options(q, (struct yg_sv){(const char *)rr + 10, rdata_n});
	}
	if (at != n && q->rcode == 0)
		q->rcode = YG_DNS_RCODE_FORMERR;
}

yg_status yg_dns_query_read(const uint8_t *p, size_t n, struct yg_dns_query *q)
{
	if (n < YG_DNS_HEADER || (p[2] & 0x80) != 0)
		return YG_PARSE;
	q->id = yg_dns_get16(p);
	q->flags = yg_dns_get16(p + 2);
	q->type = q->cls = q->question_n = 0;
	q->udp = YG_DNS_UDP_PLAIN;
	q->edns = q->dnssec_ok = q->wants_padding = q->has_question = false;
	q->version = q->rcode = 0;
	q->cookie = (struct yg_sv){"", 0};
	q->name.n = 0;
	if ((q->flags & YG_DNS_OPCODE) != 0) {
		q->rcode = YG_DNS_RCODE_NOTIMP;
		return YG_OK;
	}
	size_t at = YG_DNS_HEADER;
	/* one question, nothing but additional records behind it; QDCOUNT 0 with a
	 * cookie alone (RFC 7873 5.4) is for clients that probe: a FORMERR tells as much */
	if (yg_dns_get32(p + 4) != 0x00010000u || yg_dns_get16(p + 8) != 0 ||
	    yg_dns_name_read_plain(p, n, &at, &q->name) != YG_OK || n - at < 4) {
		q->rcode = YG_DNS_RCODE_FORMERR;
		return YG_OK;
	}
	q->type = yg_dns_get16(p + at);
	q->cls = yg_dns_get16(p + at + 2);
	at += 4;
	q->question_n = (uint16_t)(at - YG_DNS_HEADER);
	q->has_question = true;
	if (p[10] != 0 || p[11] != 0 || at != n)
		query_opt(q, p, n, at, yg_dns_get16(p + 10));
	return YG_OK;
}

/* ---- any message ---- */

yg_status yg_dns_msg_read(const uint8_t *p, size_t n, struct yg_dns_msg *m)
{
	if (n < YG_DNS_HEADER || n > YG_DNS_MSG_MAX)
		return YG_PARSE;
	m->p = p;
	m->n = n;
	m->id = yg_dns_get16(p);
	m->flags = yg_dns_get16(p + 2);
	m->questions = yg_dns_get16(p + 4);
	for (unsigned i = 0; i < 3; i++)
		m->count[i] = yg_dns_get16(p + 6 + 2 * (size_t)i);
	m->type = m->cls = 0;
	m->body = YG_DNS_HEADER;
	yg_dns_name_root(&m->name);
	if (m->questions == 0)
		return YG_OK;
	if (m->questions > 1 || yg_dns_name_read(p, n, &m->body, &m->name) != YG_OK ||
	    n - m->body < 4)
		return YG_PARSE;
	m->type = yg_dns_get16(p + m->body);
	m->cls = yg_dns_get16(p + m->body + 2);
	m->body += 4;
	return YG_OK;
}

struct yg_dns_iter yg_dns_records(const struct yg_dns_msg *m)
{
	return (struct yg_dns_iter){.m = m, .at = m->body, .left = m->count[0]};
}

bool yg_dns_rr_next(struct yg_dns_iter *it, struct yg_dns_rr *rr)
{
	const struct yg_dns_msg *m = it->m;
	while (it->left == 0) {
		if (it->section >= YG_DNS_ADDITIONAL || it->bad)
			return false;
		it->left = m->count[++it->section];
	}
	size_t at = it->at;
	rr->owner = at;
	if (it->bad || yg_dns_name_skip(m->p, m->n, &at) != YG_OK || m->n - at < 10 ||
	    m->n - at - 10 < yg_dns_get16(m->p + at + 8)) {
		it->bad = true;
		return false;
	}
	const uint8_t *p = m->p + at;
	rr->type = yg_dns_get16(p);
	rr->cls = yg_dns_get16(p + 2);
	rr->ttl = yg_dns_get32(p + 4);
	if (rr->ttl > INT32_MAX)
		rr->ttl = 0;
	rr->rdata_n = yg_dns_get16(p + 8);
	rr->rdata = at + 10;
	rr->section = (uint8_t)it->section;
	it->at = rr->rdata + rr->rdata_n;
	it->left--;
	return true;
}

yg_status yg_dns_msg_check(const struct yg_dns_msg *m)
{
	struct yg_dns_iter it = yg_dns_records(m);
	struct yg_dns_rr rr;
	struct yg_dns_name owner;
	while (yg_dns_rr_next(&it, &rr))
		if (yg_dns_rr_owner(m, &rr, &owner) != YG_OK)
			return YG_PARSE;
	return !it.bad && it.at == m->n ? YG_OK : YG_PARSE;
}

static unsigned layout_width(char c)
{
	switch (c) {
	case '1': return 1;
	case '2':
	case 'y': return 2;
	case '4':
	case 't':
	case 'a': return 4;
	case 'A': return 16;
	default: return 0;
	}
}

yg_status yg_dns_rr_name(const struct yg_dns_msg *m, const struct yg_dns_rr *rr, unsigned which,
			 struct yg_dns_name *out)
{
	size_t at = rr->rdata, end = rr->rdata + rr->rdata_n;
	for (const char *l = yg_dns_type_layout(rr->type); *l != 0; l++) {
		if (*l == 'c' || *l == 'n') {
			/* rdata ends the name too, not only the message */
			yg_status st = yg_dns_name_read(m->p, m->n, &at, out);
			if (st != YG_OK || at > end)
				return YG_PARSE;
			if (which-- == 0)
				return YG_OK;
			continue;
		}
		size_t n = layout_width(*l);
		if (*l == 's')
			n = at < end ? (size_t)m->p[at] + 1 : 1;
		else if (n == 0)
			return YG_NOTFOUND;
		if (end - at < n)
			return YG_PARSE;
		at += n;
	}
	return YG_NOTFOUND;
}

/* ---- EDNS ---- */

bool yg_dns_option_next(struct yg_sv *rest, uint16_t *code, struct yg_sv *value)
{
	const uint8_t *p = (const uint8_t *)rest->p;
	if (rest->n < 4 || rest->n - 4 < yg_dns_get16(p + 2))
		return false;
	*code = yg_dns_get16(p);
	*value = (struct yg_sv){rest->p + 4, yg_dns_get16(p + 2)};
	*rest = (struct yg_sv){rest->p + 4 + value->n, rest->n - 4 - value->n};
	return true;
}

void yg_dns_edns_read(const struct yg_dns_msg *m, struct yg_dns_edns *out)
{
	struct yg_dns_iter it = yg_dns_records(m);
	struct yg_dns_rr rr;
	*out = (struct yg_dns_edns){.udp = YG_DNS_UDP_PLAIN, .options = {"", 0}};
	while (yg_dns_rr_next(&it, &rr)) {
		if (rr.type != YG_DNS_OPT)
			continue;
		const uint8_t *p = m->p + rr.rdata;
		if (out->found || rr.section != YG_DNS_ADDITIONAL || m->p[rr.owner] != 0)
			out->bad = true;
		out->found = true;
		out->udp = YG_MAX(rr.cls, YG_DNS_UDP_PLAIN);
		out->rcode_high = p[-6];
		out->version = p[-5];
		out->flags = yg_dns_get16(p - 4);
		out->options = (struct yg_sv){(const char *)p, rr.rdata_n};
	}
	struct yg_sv rest = out->options, value;
	uint16_t code;
	while (yg_dns_option_next(&rest, &code, &value))
		continue;
	out->bad |= it.bad || rest.n > 0;
}
