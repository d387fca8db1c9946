/* indicator.h - what an indicator is, and the one spelling of each value.
 *
 * A value has a key (the bytes that are compared: binary for addresses and
 * hashes, text for the rest) and a text (what people see).  The same functions
 * make the keys of what stands on a list and of what stands in an event, so
 * that two spellings of one thing meet.  doc/indicators.md has the rules.
 *
 * Pure, no state, any thread.  Nothing allocates but the conversion of
 * non-ASCII names (event/url.h).
 */
#pragma once
#include "base/ip.h"
#include "base/limits.h"
#include "base/units.h"
#include "event/url.h"

/* clang-format off */
#define YG_INDICATOR_TYPES(X)                                               \
	X(IP,     1, "ip",      "IPv4 or IPv6 address or prefix")           \
	X(IPPORT, 2, "ip-port", "address and port")                         \
	X(DOMAIN, 3, "domain",  "domain name and all names under it")       \
	X(FQDN,   4, "fqdn",    "this domain name only")                    \
	X(URL,    5, "url",     "URL, or path of a URL when it begins with /") \
	X(HASH,   6, "hash",    "MD5, SHA-1 or SHA-256 in hex")             \
	X(EMAIL,  7, "email",   "e-mail address")
/* TLP 2.0 (FIRST, 2022). */
#define YG_TLPS(X)                                                          \
	X(CLEAR,        1, "clear")                                         \
	X(GREEN,        2, "green")                                         \
	X(AMBER,        3, "amber")                                         \
	X(AMBER_STRICT, 4, "amber+strict")                                  \
	X(RED,          5, "red")
/* clang-format on */
enum yg_indicator_type {
	YG_IND_NONE,
#define X(id, num, name, doc) YG_IND_##id = num,
	YG_INDICATOR_TYPES(X)
#undef X
		YG_IND_TYPE_COUNT
};
enum yg_tlp {
	YG_TLP_NONE,
#define X(id, num, name) YG_TLP_##id = num,
	YG_TLPS(X)
#undef X
		YG_TLP_COUNT
};
const char *yg_indicator_type_name(enum yg_indicator_type t); /* static; never NULL */
/* The names above and what other lists call them ("ipv4", "hostname", "sha256",
 * "email-src" ...), any case.  YG_OK | YG_PARSE. */
yg_status yg_indicator_type_parse(struct yg_sv s, enum yg_indicator_type *out);
const char *yg_tlp_name(enum yg_tlp t); /* static; "" for none; never NULL */
/* "amber", "TLP:AMBER+STRICT", "white" (TLP 1.0: clear), "" (none); any case. */
yg_status yg_tlp_parse(struct yg_sv s, enum yg_tlp *out);

/* One entry of a list.  All views borrowed. */
struct yg_indicator {
	enum yg_indicator_type type;
	struct yg_sv value;    /* any accepted spelling; normalised by whoever stores it */
	struct yg_sv list;     /* name of the list or source it stands on */
	struct yg_sv category; /* malware, phishing, suspicious, ... */
	struct yg_sv family;
	struct yg_sv org;    /* slug; empty: for all organisations */
	yg_wall valid_from;  /* 0: always */
	yg_wall valid_until; /* not valid from this instant on; 0: never ends */
	uint8_t confidence;  /* 0..100 */
	uint8_t severity_id; /* OCSF 1..6 */
	uint8_t tlp;         /* enum yg_tlp */
	bool allow;          /* an allow entry: it wins over what it covers */
};
/* What a list that says nothing means: OCSF severity by category (malware 4,
 * suspicious 3, ...) and confidence.  Any case. */
uint8_t yg_category_severity(struct yg_sv category);
uint8_t yg_category_confidence(struct yg_sv category);

#define YG_KEY_MAX (YG_URL_MAX + 16)

struct yg_indicator_key {
	enum yg_indicator_type type;
	uint8_t scheme;   /* enum yg_url_scheme; only for display */
	struct yg_sv key; /* in the caller's buffer */
};

/* The key of `value`; defanged spellings (hxxp, [.], (at) ...) are taken.
 * buf: room for YG_KEY_MAX bytes at least.  Key bytes:
 *   ip      4 or 16 bytes; a prefix has its length in one more byte
 *   ip-port 4 or 16 bytes, port in network order
 *   domain, fqdn, email: the text
 *   url     the text without http:// or https://
 *   hash    16, 20 or 32 bytes
 * YG_OK | YG_PARSE with the reason. */
yg_status yg_indicator_key(enum yg_indicator_type type, struct yg_sv value, char *buf, size_t cap,
			   struct yg_indicator_key *out, struct yg_err *err);
/* The text of a key; cut when it does not fit.  A key that is not well formed gives nothing. */
void yg_indicator_text(enum yg_indicator_type type, uint8_t scheme, struct yg_sv key,
		       struct yg_sb *out);
/* value -> the one spelling.  Idempotent.  YG_OK | YG_PARSE | YG_LIMIT (out). */
yg_status yg_indicator_normalize(enum yg_indicator_type type, struct yg_sv value, struct yg_sb *out,
				 struct yg_err *err);
/* The type a value without one most likely has; NONE when nothing fits. */
enum yg_indicator_type yg_indicator_guess(struct yg_sv value);
