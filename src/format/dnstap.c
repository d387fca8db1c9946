#include "format/dnstap.h"

/* Protocol buffers: a field is a varint (number << 3 | wire type) and its value. */
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
#define TAG(number, wire) ((number) << 3 | (wire))

enum {
	DNSTAP_IDENTITY = 1,
	DNSTAP_VERSION = 2,
	DNSTAP_EXTRA = 3,
	DNSTAP_MESSAGE = 14,
	DNSTAP_TYPE = 15
};
enum {
	MESSAGE_TYPE = 1,
	MESSAGE_FAMILY,
	MESSAGE_PROTOCOL,
	MESSAGE_QUERY_ADDRESS,
	MESSAGE_RESPONSE_ADDRESS,
	MESSAGE_QUERY_PORT,
	MESSAGE_RESPONSE_PORT,
	MESSAGE_QUERY_SEC,
	MESSAGE_QUERY_NSEC,
	MESSAGE_QUERY,
	MESSAGE_QUERY_ZONE,
	MESSAGE_RESPONSE_SEC,
	MESSAGE_RESPONSE_NSEC,
	MESSAGE_RESPONSE,
	MESSAGE_POLICY,
	MESSAGE_HTTP,
};
enum { POLICY_TYPE = 1, POLICY_RULE, POLICY_ACTION, POLICY_MATCH, POLICY_VALUE };
#define TYPE_IS_MESSAGE 1
#define NSEC_PER_SEC    1000000000U
#define SEC_MAX         253402300799ULL /* the end of the year 9999 */

/* --- writing: sizes first, then straight through ------------------------------- */

static size_t varint_size(uint64_t v)
{
	size_t n = 1;
	while (v >= 0x80) {
		v >>= 7;
		n++;
	}
	return n;
}

static size_t bytes_size(struct yg_sv s) /* every field but http has a tag of one octet */
{
	return s.n > 0 ? 1 + varint_size(s.n) + s.n : 0;
}

static size_t number_size(uint64_t v)
{
	return v > 0 ? 1 + varint_size(v) : 0;
}

static size_t time_size(uint64_t sec, uint32_t nsec)
{
	return sec > 0 || nsec > 0 ? 1 + varint_size(sec) + 5 : 0;
}

static size_t policy_size(const struct yg_dnstap_policy *p)
{
	return bytes_size(p->type) + bytes_size(p->rule) + number_size(p->action) +
	       number_size(p->match) + bytes_size(p->value);
}

static size_t message_size(const struct yg_dnstap *d, size_t policy)
{
	return 1 + varint_size(d->type) + number_size(d->family) + number_size(d->protocol) +
	       bytes_size(d->query_address) + bytes_size(d->response_address) +
	       number_size(d->query_port) + number_size(d->response_port) +
	       time_size(d->query_sec, d->query_nsec) + bytes_size(d->query_message) +
	       bytes_size(d->query_zone) + time_size(d->response_sec, d->response_nsec) +
	       bytes_size(d->response_message) +
	       (d->policy.is_there ? 1 + varint_size(policy) + policy : 0) +
	       (d->http > 0 ? 2 + varint_size(d->http) : 0);
}

static size_t whole_size(const struct yg_dnstap *d, size_t message)
{
	return bytes_size(d->identity) + bytes_size(d->version) + bytes_size(d->extra) + 1 +
	       varint_size(message) + message + 2;
}

size_t yg_dnstap_size(const struct yg_dnstap *d)
{
	return whole_size(d, message_size(d, policy_size(&d->policy)));
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *put_number(uint8_t *p, unsigned field, uint64_t v)
{
	if (v == 0)
		return p;
	*p++ = (uint8_t)TAG(field, VARINT);
	return put_varint(p, v);
}

static uint8_t *put_bytes(uint8_t *p, unsigned field, struct yg_sv s)
{
	if (s.n == 0)
		return p;
	*p++ = (uint8_t)TAG(field, BYTES);
	p = put_varint(p, s.n);
	memcpy(p, s.p, s.n);
	return p + s.n;
}

static uint8_t *put_time(uint8_t *p, unsigned field, uint64_t sec, uint32_t nsec)
{
	if (sec == 0 && nsec == 0)
		return p;
	*p++ = (uint8_t)TAG(field, VARINT);
	p = put_varint(p, sec);
	*p++ = (uint8_t)TAG(field + 1, FIXED32);
	memcpy(p, &nsec, 4); /* little endian on the wire as in memory */
	return p + 4;
}

static uint8_t *put_policy(uint8_t *p, const struct yg_dnstap_policy *policy, size_t n)
{
	if (!policy->is_there)
		return p;
	*p++ = (uint8_t)TAG(MESSAGE_POLICY, BYTES);
	p = put_varint(p, n);
	p = put_bytes(p, POLICY_TYPE, policy->type);
	p = put_bytes(p, POLICY_RULE, policy->rule);
	p = put_number(p, POLICY_ACTION, policy->action);
	p = put_number(p, POLICY_MATCH, policy->match);
	return put_bytes(p, POLICY_VALUE, policy->value);
}

static uint8_t *put_message(uint8_t *p, const struct yg_dnstap *d, size_t policy)
{
	*p++ = (uint8_t)TAG(MESSAGE_TYPE, VARINT);
	p = put_varint(p, d->type);
	p = put_number(p, MESSAGE_FAMILY, d->family);
	p = put_number(p, MESSAGE_PROTOCOL, d->protocol);
	p = put_bytes(p, MESSAGE_QUERY_ADDRESS, d->query_address);
	p = put_bytes(p, MESSAGE_RESPONSE_ADDRESS, d->response_address);
	p = put_number(p, MESSAGE_QUERY_PORT, d->query_port);
	p = put_number(p, MESSAGE_RESPONSE_PORT, d->response_port);
	p = put_time(p, MESSAGE_QUERY_SEC, d->query_sec, d->query_nsec);
	p = put_bytes(p, MESSAGE_QUERY, d->query_message);
	p = put_bytes(p, MESSAGE_QUERY_ZONE, d->query_zone);
	p = put_time(p, MESSAGE_RESPONSE_SEC, d->response_sec, d->response_nsec);
	p = put_bytes(p, MESSAGE_RESPONSE, d->response_message);
	p = put_policy(p, &d->policy, policy);
	if (d->http > 0) {
		p = put_varint(p, TAG(MESSAGE_HTTP, VARINT));
		p = put_varint(p, d->http);
	}
	return p;
}

size_t yg_dnstap_encode(const struct yg_dnstap *d, uint8_t *out, size_t cap)
{
	size_t policy = policy_size(&d->policy), message = message_size(d, policy);
	size_t whole = whole_size(d, message);
	if (whole > cap)
		return 0;
	uint8_t *p = put_bytes(out, DNSTAP_IDENTITY, d->identity);
	p = put_bytes(p, DNSTAP_VERSION, d->version);
	p = put_bytes(p, DNSTAP_EXTRA, d->extra);
	*p++ = (uint8_t)TAG(DNSTAP_MESSAGE, BYTES);
	p = put_varint(p, message);
	p = put_message(p, d, policy);
	*p++ = (uint8_t)TAG(DNSTAP_TYPE, VARINT);
	*p = TYPE_IS_MESSAGE;
	return whole;
}

/* --- reading ------------------------------------------------------------------- */

struct field {
	uint64_t number; /* of a varint or a fixed one */
	struct yg_sv bytes;
	uint32_t field;
	uint8_t wire;
};

static bool get_varint(struct yg_sv *in, uint64_t *out)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 10 && i < in->n; i++) {
		uint8_t b = (uint8_t)in->p[i];
		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (b >= 0x80)
			continue;
		*in = yg_sv_sub(*in, i + 1, in->n);
		*out = v;
		return i < 9 || b <= 1; /* more than 64 bits */
	}
	return false;
}

static bool get_bytes(struct yg_sv *in, uint64_t n, struct yg_sv *out)
{
	if (n > in->n)
		return false;
	*out = yg_sv_sub(*in, 0, (size_t)n);
	*in = yg_sv_sub(*in, (size_t)n, in->n);
	return true;
}

/* One field off the front; groups, long out of use, are not passed over. */
static bool next_field(struct yg_sv *in, struct field *out)
{
	uint64_t tag, n;
	*out = (struct field){.bytes = {"", 0}};
	if (!get_varint(in, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
		return false;
	out->field = (uint32_t)(tag >> 3);
	out->wire = tag & 7;
	switch (out->wire) {
	case VARINT: return get_varint(in, &out->number);
	case BYTES: return get_varint(in, &n) && get_bytes(in, n, &out->bytes);
	case FIXED32: n = 4; break;
	case FIXED64: n = 8; break;
	default: return false;
	}
	struct yg_sv raw;
	if (!get_bytes(in, n, &raw))
		return false;
	memcpy(&out->number, raw.p, raw.n);
	return true;
}

static uint32_t clamp32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static bool read_policy(struct yg_sv in, struct yg_dnstap_policy *p)
{
	struct field f;
	p->is_there = true;
	while (in.n > 0) {
		if (!next_field(&in, &f))
			return false;
		switch (TAG(f.field, f.wire)) { /* with another wire type it is unknown */
		case TAG(POLICY_TYPE, BYTES): p->type = f.bytes; break;
		case TAG(POLICY_RULE, BYTES): p->rule = f.bytes; break;
		case TAG(POLICY_ACTION, VARINT): p->action = clamp32(f.number); break;
		case TAG(POLICY_MATCH, VARINT): p->match = clamp32(f.number); break;
		case TAG(POLICY_VALUE, BYTES): p->value = f.bytes; break;
		default: break;
		}
	}
	return true;
}

static bool message_bytes(struct yg_dnstap *d, const struct field *f)
{
	switch (f->field) {
	case MESSAGE_QUERY_ADDRESS: d->query_address = f->bytes; break;
	case MESSAGE_RESPONSE_ADDRESS: d->response_address = f->bytes; break;
	case MESSAGE_QUERY: d->query_message = f->bytes; break;
	case MESSAGE_QUERY_ZONE: d->query_zone = f->bytes; break;
	case MESSAGE_RESPONSE: d->response_message = f->bytes; break;
	case MESSAGE_POLICY: return read_policy(f->bytes, &d->policy);
	default: break;
	}
	return true;
}

static void message_number(struct yg_dnstap *d, const struct field *f)
{
	switch (f->field) {
	case MESSAGE_TYPE: d->type = clamp32(f->number); break;
	case MESSAGE_FAMILY: d->family = clamp32(f->number); break;
	case MESSAGE_PROTOCOL: d->protocol = clamp32(f->number); break;
	case MESSAGE_QUERY_PORT: d->query_port = clamp32(f->number); break;
	case MESSAGE_RESPONSE_PORT: d->response_port = clamp32(f->number); break;
	case MESSAGE_QUERY_SEC: d->query_sec = f->number; break;
	case MESSAGE_RESPONSE_SEC: d->response_sec = f->number; break;
	case MESSAGE_HTTP: d->http = clamp32(f->number); break;
	default: break;
	}
}

static bool read_message(struct yg_sv in, struct yg_dnstap *d)
{
	struct field f;
	while (in.n > 0) {
		if (!next_field(&in, &f))
			return false;
		if (f.wire == BYTES && !message_bytes(d, &f))
			return false;
		if (f.wire == VARINT)
			message_number(d, &f);
		if (f.wire == FIXED32 && f.field == MESSAGE_QUERY_NSEC)
			d->query_nsec = (uint32_t)f.number;
		if (f.wire == FIXED32 && f.field == MESSAGE_RESPONSE_NSEC)
			d->response_nsec = (uint32_t)f.number;
	}
	return true;
}

yg_status yg_dnstap_decode(struct yg_sv bytes, struct yg_dnstap *out, struct yg_err *err)
{
	struct yg_dnstap d = {0};
	struct field f;
	bool has_message = false;
	uint64_t kind = 0;
	while (bytes.n > 0) {
		if (!next_field(&bytes, &f))
			return YG_FAIL(err, YG_PARSE, "not a dnstap frame");
		switch (TAG(f.field, f.wire)) {
		case TAG(DNSTAP_IDENTITY, BYTES): d.identity = f.bytes; break;
		case TAG(DNSTAP_VERSION, BYTES): d.version = f.bytes; break;
		case TAG(DNSTAP_EXTRA, BYTES): d.extra = f.bytes; break;
		case TAG(DNSTAP_TYPE, VARINT): kind = f.number; break;
		case TAG(DNSTAP_MESSAGE, BYTES):
			has_message = true;
			if (!read_message(f.bytes, &d))
				return YG_FAIL(err, YG_PARSE, "broken dnstap message");
			break;
		default: break;
		}
	}
	if (kind != TYPE_IS_MESSAGE)
		return YG_FAIL(err, YG_PARSE, "dnstap payload of kind %llu",
			       (unsigned long long)kind);
	if (!has_message || d.type == 0)
		return YG_FAIL(err, YG_PARSE, "dnstap frame without a typed message");
	*out = d;
	return YG_OK;
}

int64_t yg_dnstap_time_us(uint64_t sec, uint32_t nsec)
{
	if (sec > SEC_MAX)
		return 0;
	return (int64_t)(sec * 1000000) + YG_MIN(nsec, NSEC_PER_SEC - 1) / 1000;
}

struct yg_ip yg_dnstap_ip(struct yg_sv address)
{
	struct yg_ip ip = {{0}};
	if (address.n == 16) {
		memcpy(ip.b, address.p, 16);
	} else if (address.n == 4) {
		ip.b[10] = ip.b[11] = 0xff;
		memcpy(ip.b + 12, address.p, 4);
	}
	return ip;
}
