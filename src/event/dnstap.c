/* dnstap: one event of class dns_activity per message that a DNS server tells of.
 * A record is one frame; unframed batches are Frame Streams as in a file. */
#include "format/dnstap.h"

#include "event/norm.h"
#include "format/dns.h"
#include "format/fstrm.h"

#define ACTIVITY_QUERY    1
#define ACTIVITY_RESPONSE 2

struct dnstap {
	struct yg_fstrm stream;
	struct yg_sv batch; /* as it began */
	struct yg_err err;  /* what broke the stream */
	bool broken;
};

/* ---- the stream ---- */

static void begin(struct yg_norm *n)
{
	struct dnstap *d = n->state;
	yg_fstrm_free(&d->stream);
	yg_fstrm_init(&d->stream, YG_FSTRM_FILE, YG_SV(YG_FSTRM_DNSTAP), YG_FSTRM_SKIP_MAX);
	d->batch = n->batch;
	d->broken = false;
}

static void drop(struct yg_norm *n)
{
	struct dnstap *d = n->state;
	yg_fstrm_free(&d->stream);
}

/* What cannot be read is one record, with the reason. */
static bool give_up(struct dnstap *d, struct yg_norm *n, struct yg_sv *out)
{
	*out = yg_sv_sub(d->batch, (size_t)d->stream.offset, YG_RECORD_MAX);
	n->batch.n = 0;
	d->broken = true;
	return true;
}

static bool next(struct yg_norm *n, struct yg_sv *out)
{
	struct dnstap *d = n->state;
	enum yg_fstrm_event what;
	while (n->batch.n > 0) {
		if (yg_fstrm_next(&d->stream, &n->batch, &what, out, &d->err) != YG_OK)
			return give_up(d, n, out);
		if (what != YG_FSTRM_DATA)
			continue;
		n->cut = out->n > YG_RECORD_MAX;
		out->n = YG_MIN(out->n, (size_t)YG_RECORD_MAX);
		return true;
	}
	if (d->broken || yg_fstrm_is_between(&d->stream))
		return false;
	(void)YG_FAIL(&d->err, YG_PARSE, "the stream ends within a frame");
	return give_up(d, n, out);
}

/* ---- a message ---- */

static struct yg_sv kept(struct yg_norm *n, const struct yg_sb *b)
{
	return yg_arena_dup(&n->arena, yg_sb_sv(b));
}

static struct yg_sv name_text(struct yg_norm *n, const struct yg_dns_name *name)
{
	char text[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_dns_name_format(&b, name);
	return kept(n, &b);
}

static void answer(struct yg_norm *n, struct yg_event *ev, const struct yg_dns_msg *m,
		   const struct yg_dns_rr *rr)
{
	struct yg_ip ip;
	struct yg_dns_name name;
	if (yg_dns_rr_ip(m, rr, ip.b)) {
		char text[YG_IP_TEXT_MAX];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_ip_format(&b, ip);
		yg_norm_append(n, &ev->answers, kept(n, &b));
	} else if (rr->type != YG_DNS_RRSIG && rr->type != YG_DNS_NSEC &&
		   yg_dns_rr_name(m, rr, 0, &name) == YG_OK) {
		yg_norm_append(n, &ev->answers, name_text(n, &name));
	}
}

static void flags(struct yg_norm *n, struct yg_event *ev, uint16_t bits, bool dnssec_ok)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{YG_DNS_QR, "qr"}, {YG_DNS_AA, "aa"}, {YG_DNS_TC, "tc"}, {YG_DNS_RD, "rd"},
		     {YG_DNS_RA, "ra"}, {YG_DNS_AD, "ad"}, {YG_DNS_CD, "cd"}};
	char text[32];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (size_t i = 0; i < YG_LEN(names); i++)
		if ((bits & names[i].bit) != 0)
			yg_sb_printf(&b, "%s%s", b.n > 0 ? " " : "", names[i].name);
	if (dnssec_ok)
		yg_sb_printf(&b, "%sdo", b.n > 0 ? " " : "");
	ev->flags = kept(n, &b);
}

/* The first extended error that the message holds (RFC 8914): its code, of which 0 is one. */
static struct yg_sv extended_error(struct yg_norm *n, const struct yg_dns_edns *edns)
{
	struct yg_sv rest = edns->options, value;
	uint16_t code;
	while (yg_dns_option_next(&rest, &code, &value))
		if (code == YG_DNS_OPT_EDE && value.n >= 2) {
			char text[8];
			struct yg_sb b = yg_sb_init(text, sizeof text);
			yg_sb_u64(&b, yg_dns_get16((const uint8_t *)value.p));
			return kept(n, &b);
		}
	return (struct yg_sv){"", 0};
}

static yg_status dns(struct yg_norm *n, struct yg_event *ev, struct yg_sv bytes, struct yg_err *err)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	char text[32];
	if (yg_dns_msg_read((const uint8_t *)bytes.p, bytes.n, &m) != YG_OK)
		return YG_FAIL(err, YG_PARSE, "the DNS message in it cannot be read");
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (m.questions > 0) {
		ev->query = name_text(n, &m.name);
		yg_dns_type_format(&b, m.type);
		ev->query_type = kept(n, &b);
	}
	struct yg_dns_edns edns;
	yg_dns_edns_read(&m, &edns);
	flags(n, ev, m.flags, edns.found && (edns.flags & 0x8000) != 0);
	if ((m.flags & YG_DNS_QR) == 0)
		return YG_OK;
	unsigned rcode = (unsigned)(m.flags & YG_DNS_RCODE) |
			 (edns.found ? (unsigned)edns.rcode_high << 4 : 0);
	b.n = 0;
	yg_dns_rcode_format(&b, rcode);
	ev->rcode = kept(n, &b);
	ev->status_id = rcode == YG_DNS_RCODE_NOERROR ? 1 : 2;
	if (edns.found)
		ev->ede_code = extended_error(n, &edns);
	struct yg_dns_iter it = yg_dns_records(&m);
	while (yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER)
		answer(n, ev, &m, &rr);
	return YG_OK;
}

/* ---- the frame around it ---- */

static const char *kind(uint32_t type)
{
	static const char *const names[] = {
		[YG_DNSTAP_AUTH_QUERY] = "auth_query",
		[YG_DNSTAP_AUTH_RESPONSE] = "auth_response",
		[YG_DNSTAP_RESOLVER_QUERY] = "resolver_query",
		[YG_DNSTAP_RESOLVER_RESPONSE] = "resolver_response",
		[YG_DNSTAP_CLIENT_QUERY] = "client_query",
		[YG_DNSTAP_CLIENT_RESPONSE] = "client_response",
		[YG_DNSTAP_FORWARDER_QUERY] = "forwarder_query",
		[YG_DNSTAP_FORWARDER_RESPONSE] = "forwarder_response",
		[YG_DNSTAP_STUB_QUERY] = "stub_query",
		[YG_DNSTAP_STUB_RESPONSE] = "stub_response",
		[YG_DNSTAP_TOOL_QUERY] = "tool_query",
		[YG_DNSTAP_TOOL_RESPONSE] = "tool_response",
		[YG_DNSTAP_UPDATE_QUERY] = "update_query",
		[YG_DNSTAP_UPDATE_RESPONSE] = "update_response",
	};
	return type < YG_LEN(names) && names[type] != NULL ? names[type] : "other";
}

static void transport(struct yg_event *ev, uint32_t protocol)
{
	static const struct {
		struct yg_sv proto, app;
	} rows[] = {
		[0] = {YG_SV_INIT(""), YG_SV_INIT("dns")},
		[YG_DNSTAP_UDP] = {YG_SV_INIT("udp"), YG_SV_INIT("dns")},
		[YG_DNSTAP_TCP] = {YG_SV_INIT("tcp"), YG_SV_INIT("dns")},
		[YG_DNSTAP_DOT] = {YG_SV_INIT("tcp"), YG_SV_INIT("dot")},
		[YG_DNSTAP_DOH] = {YG_SV_INIT("tcp"), YG_SV_INIT("doh")},
		[YG_DNSTAP_DNSCRYPT_UDP] = {YG_SV_INIT("udp"), YG_SV_INIT("dnscrypt")},
		[YG_DNSTAP_DNSCRYPT_TCP] = {YG_SV_INIT("tcp"), YG_SV_INIT("dnscrypt")},
		[YG_DNSTAP_DOQ] = {YG_SV_INIT("udp"), YG_SV_INIT("doq")},
	};
	if (protocol >= YG_LEN(rows))
		protocol = 0;
	ev->proto = rows[protocol].proto;
	ev->app = rows[protocol].app;
}

/* Text of theirs for a column: printable, and not without end. */
static struct yg_sv text_of(struct yg_norm *n, struct yg_sv s)
{
	char text[256];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(s, 0, 255));
	return kept(n, &b);
}

/* ---- what another's resolver did ---- */

static bool begins_with(const struct yg_dns_name *name, const struct yg_dns_name *of, unsigned from)
{
	size_t n = (size_t)of->n - of->at[from] - 1;
	return name->n > n && memcmp(name->b, of->b + of->at[from], n) == 0;
}

/* How many labels of a record's owner name (without its "*") stand before the zone's name: those
 * that it has in common with the name that was looked at.  0: it is about another name. */
static unsigned labels_of(const struct yg_dns_name *owner, bool wild,
			  const struct yg_dns_name *name)
{
	unsigned from = wild ? 1 : 0, to = wild ? name->labels : 1u;
	for (; from < to && from < name->labels; from++)
		if (begins_with(owner, name, from))
			return (unsigned)name->labels - from;
	return 0;
}

/* The same of a record about an address or a name server: up to the label that says so. */
static unsigned labels_of_kind(const struct yg_dns_name *owner)
{
	static const struct yg_sv kinds[] = {YG_SV_INIT("\6rpz-ip"), YG_SV_INIT("\15rpz-client-ip"),
					     YG_SV_INIT("\10rpz-nsip"),
					     YG_SV_INIT("\13rpz-nsdname")};
	for (unsigned i = 0; i < owner->labels; i++)
		for (size_t k = 0; k < YG_LEN(kinds); k++)
			if (yg_sv_starts(yg_dns_name_from(owner, i), kinds[k]))
				return i + 1;
	return 0;
}

/* The names that a record about names may be about: what the frame says it was, the name asked
 * for, those that the answer leads to. */
static unsigned labels_by_names(const struct yg_dns_name *owner, bool wild,
				const struct yg_dnstap *d)
{
	struct yg_dns_name name;
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	size_t at = 0;
	unsigned n = 0;
	struct yg_sv bytes = d->response_message.n > 0 ? d->response_message : d->query_message;
	if (yg_dns_name_read_plain((const uint8_t *)d->policy.value.p, d->policy.value.n, &at,
				   &name) == YG_OK)
		n = labels_of(owner, wild, &name);
	if (n > 0 || yg_dns_msg_read((const uint8_t *)bytes.p, bytes.n, &m) != YG_OK)
		return n;
	if (m.questions > 0)
		n = labels_of(owner, wild, &m.name);
	struct yg_dns_iter it = yg_dns_records(&m);
	while (n == 0 && yg_dns_rr_next(&it, &rr) && rr.section == YG_DNS_ANSWER)
		if (rr.type == YG_DNS_CNAME && yg_dns_rr_name(&m, &rr, 0, &name) == YG_OK)
			n = labels_of(owner, wild, &name);
	return n;
}

/* dnstap has the owner name of the record with its zone's name and does not say where one ends
 * and the other begins. */
static void split_rule(struct yg_norm *n, struct yg_event *ev, const struct yg_dnstap *d)
{
	struct yg_dns_name rule, owner, zone;
	size_t at = 0;
	ev->policy = d->policy.type.n > 0 ? text_of(n, d->policy.type) : YG_SV("RPZ");
	if (yg_dns_name_read_plain((const uint8_t *)d->policy.rule.p, d->policy.rule.n, &at,
				   &rule) != YG_OK) {
		ev->rule = text_of(n, d->policy.rule);
		return;
	}
	ev->rule = name_text(n, &rule);
	bool wild = rule.n > 2 && memcmp(rule.b, "\1*", 2) == 0;
	yg_dns_name_above(&rule, wild ? 1 : 0, &owner);
	unsigned labels = labels_of_kind(&owner);
	if (labels == 0)
		labels = labels_by_names(&owner, wild, d);
	if (labels == 0 || labels >= owner.labels)
		return;
	yg_dns_name_above(&owner, labels, &zone);
	ev->policy = name_text(n, &zone);
	ev->rule = yg_sv_sub(ev->rule, 0, ev->rule.n - ev->policy.n - 1);
}

static void policy(struct yg_norm *n, struct yg_event *ev, const struct yg_dnstap *d)
{
	static const struct yg_sv triggers[] = {[0] = YG_SV_INIT(""),
						[YG_DNSTAP_QNAME] = YG_SV_INIT("qname"),
						[YG_DNSTAP_CLIENT_IP] = YG_SV_INIT("client-ip"),
						[YG_DNSTAP_RESPONSE_IP] = YG_SV_INIT("response-ip"),
						[YG_DNSTAP_NS_NAME] = YG_SV_INIT("nsdname"),
						[YG_DNSTAP_NS_IP] = YG_SV_INIT("nsip")};
	static const struct {
		struct yg_sv verdict, action;
	} actions[] = {[0] = {YG_SV_INIT(""), YG_SV_INIT("")},
		       [YG_DNSTAP_NXDOMAIN] = {YG_SV_INIT("blocked"), YG_SV_INIT("nxdomain")},
		       [YG_DNSTAP_NODATA] = {YG_SV_INIT("blocked"), YG_SV_INIT("nodata")},
		       [YG_DNSTAP_PASS] = {YG_SV_INIT("passed"), YG_SV_INIT("passthru")},
		       [YG_DNSTAP_DROP] = {YG_SV_INIT("dropped"), YG_SV_INIT("drop")},
		       [YG_DNSTAP_TRUNCATE] = {YG_SV_INIT("passed"), YG_SV_INIT("tcp-only")},
		       [YG_DNSTAP_LOCAL_DATA] = {YG_SV_INIT("blocked"), YG_SV_INIT("data")}};
	const struct yg_dnstap_policy *p = &d->policy;
	size_t action = p->action < YG_LEN(actions) ? p->action : 0;
	ev->trigger = triggers[p->match < YG_LEN(triggers) ? p->match : 0];
	ev->verdict = actions[action].verdict;
	ev->event_code = actions[action].action;
	ev->layer = YG_SV("member");
	split_rule(n, ev, d);
	yg_norm_dns_message(n, ev);
}

/* Counted once for each query, whatever else its server tells: by the answer to the client. */
static void judged(struct yg_norm *n, struct yg_event *ev, const struct yg_dnstap *d)
{
	bool refusal = YG_SV_IS(ev->ede_code, "15") || YG_SV_IS(ev->ede_code, "16") ||
		       YG_SV_IS(ev->ede_code, "17"); /* blocked, censored, filtered (RFC 8914) */
	if (d->policy.is_there)
		policy(n, ev, d);
	if (ev->verdict.n > 0 || d->type != YG_DNSTAP_CLIENT_RESPONSE || ev->rcode.n == 0)
		return;
	ev->verdict = refusal                           ? YG_SV("blocked")
		      : YG_SV_IS(ev->rcode, "REFUSED")  ? YG_SV("refused")
		      : YG_SV_IS(ev->rcode, "SERVFAIL") ? YG_SV("failed")
							: YG_SV("allowed");
}

static void times(struct yg_event *ev, const struct yg_dnstap *d)
{
	int64_t asked = yg_dnstap_time_us(d->query_sec, d->query_nsec);
	int64_t answered = yg_dnstap_time_us(d->response_sec, d->response_nsec);
	ev->time = asked > 0 ? asked : answered;
	if (asked > 0 && answered > asked)
		ev->duration = answered - asked;
}

static yg_status record(struct yg_norm *n, struct yg_sv bytes, struct yg_event *ev,
			struct yg_err *err)
{
	const struct dnstap *state = n->state;
	struct yg_dnstap d;
	if (state->broken)
		return YG_FAIL(err, YG_PARSE, "%s", state->err.msg);
	yg_status st = yg_dnstap_decode(bytes, &d, err);
	if (st != YG_OK)
		return st;
	bool is_answer = d.response_message.n > 0;
	struct yg_sv message = is_answer ? d.response_message : d.query_message;
	if (message.n > 0)
		st = dns(n, ev, message, err);
	if (st != YG_OK)
		return st;
	ev->class_uid = YG_OCSF_DNS_ACTIVITY;
	ev->activity_id = is_answer ? ACTIVITY_RESPONSE : ACTIVITY_QUERY;
	ev->severity_id = 1;
	ev->log_name = yg_sv_of(kind(d.type));
	ev->src_ip = yg_dnstap_ip(d.query_address);
	ev->dst_ip = yg_dnstap_ip(d.response_address);
	ev->src_port = d.query_port <= UINT16_MAX ? (uint16_t)d.query_port : 0;
	ev->dst_port = d.response_port <= UINT16_MAX ? (uint16_t)d.response_port : 0;
	ev->bytes_out = d.query_message.n;
	ev->bytes_in = d.response_message.n;
	ev->host = text_of(n, d.identity);
	transport(ev, d.protocol);
	times(ev, &d);
	bool ours;
	st = yg_norm_dnstap_extra(n, ev, &d, &ours, err);
	if (st == YG_OK && !ours)
		judged(n, ev, &d);
	return st;
}

const struct yg_norm_ops yg_norm_dnstap = {
	.state_size = sizeof(struct dnstap),
	.drop = drop,
	.begin = begin,
	.next = next,
	.record = record,
};
