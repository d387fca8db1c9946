/* dnstap.h - what a DNS server did, one message at a time: dnstap.Dnstap with its
 * Message and Policy, in protocol buffers.
 *
 * Pure; nothing allocates.  The reader gives views into the caller's bytes and passes
 * over fields that it does not know; the writer fills the caller's buffer.  How frames
 * follow each other is fstrm.h's matter. */
#pragma once
#include "base/ip.h"

/* Numbers of dnstap.proto.  Values outside are given as they came. */
enum yg_dnstap_type {
	YG_DNSTAP_AUTH_QUERY = 1,
	YG_DNSTAP_AUTH_RESPONSE = 2,
	YG_DNSTAP_RESOLVER_QUERY = 3,
	YG_DNSTAP_RESOLVER_RESPONSE = 4,
	YG_DNSTAP_CLIENT_QUERY = 5,
	YG_DNSTAP_CLIENT_RESPONSE = 6,
	YG_DNSTAP_FORWARDER_QUERY = 7,
	YG_DNSTAP_FORWARDER_RESPONSE = 8,
	YG_DNSTAP_STUB_QUERY = 9,
	YG_DNSTAP_STUB_RESPONSE = 10,
	YG_DNSTAP_TOOL_QUERY = 11,
	YG_DNSTAP_TOOL_RESPONSE = 12,
	YG_DNSTAP_UPDATE_QUERY = 13,
	YG_DNSTAP_UPDATE_RESPONSE = 14,
};
enum yg_dnstap_family { YG_DNSTAP_INET = 1, YG_DNSTAP_INET6 = 2 };
enum yg_dnstap_protocol {
	YG_DNSTAP_UDP = 1,
	YG_DNSTAP_TCP = 2,
	YG_DNSTAP_DOT = 3,
	YG_DNSTAP_DOH = 4,
	YG_DNSTAP_DNSCRYPT_UDP = 5,
	YG_DNSTAP_DNSCRYPT_TCP = 6,
	YG_DNSTAP_DOQ = 7,
};
enum yg_dnstap_match { /* what of the exchange met the policy's rule */
		       YG_DNSTAP_QNAME = 1,
		       YG_DNSTAP_CLIENT_IP = 2,
		       YG_DNSTAP_RESPONSE_IP = 3,
		       YG_DNSTAP_NS_NAME = 4,
		       YG_DNSTAP_NS_IP = 5,
};
enum yg_dnstap_action {
	YG_DNSTAP_NXDOMAIN = 1,
	YG_DNSTAP_NODATA = 2,
	YG_DNSTAP_PASS = 3,
	YG_DNSTAP_DROP = 4,
	YG_DNSTAP_TRUNCATE = 5,
	YG_DNSTAP_LOCAL_DATA = 6,
};

/* An empty view or a zero: the field is not there.  Views are borrowed: from the caller
 * when writing, from the bytes when read. */
struct yg_dnstap_policy {
	bool is_there;
	uint32_t action, match;
	struct yg_sv type; /* "RPZ" */
	struct yg_sv rule; /* RPZ: the record's owner name in wire form */
	struct yg_sv value;
};
struct yg_dnstap {
	struct yg_sv identity, version, extra;
	uint32_t type; /* enum yg_dnstap_type */
	uint32_t family, protocol, http;
	struct yg_sv query_address, response_address; /* 4 or 16 octets */
	uint32_t query_port, response_port;
	uint64_t query_sec, response_sec; /* UTC since 1970 */
	uint32_t query_nsec, response_nsec;
	struct yg_sv query_message, response_message; /* DNS, wire form */
	struct yg_sv query_zone;                      /* wire form */
	struct yg_dnstap_policy policy;
};

/* Bytes that yg_dnstap_encode() writes. */
size_t yg_dnstap_size(const struct yg_dnstap *d);
/* Bytes written; 0: more than cap, nothing was written. */
size_t yg_dnstap_encode(const struct yg_dnstap *d, uint8_t *out, size_t cap);
/* out is written on YG_OK only.  A field that comes twice: the last one.
 * YG_OK | YG_PARSE (not protocol buffers, no message, a message without a type, a kind of
 * payload that is not a message). */
yg_status yg_dnstap_decode(struct yg_sv bytes, struct yg_dnstap *out, struct yg_err *err);

/* Microseconds since 1970; 0: no time.  Nanoseconds of a second or more, which occur,
 * count as the last of their second. */
int64_t yg_dnstap_time_us(uint64_t sec, uint32_t nsec);
/* The address, all zero when the field is not 4 or 16 octets. */
struct yg_ip yg_dnstap_ip(struct yg_sv address);
