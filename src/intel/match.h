/* match.h - which indicators does an event hold?
 *
 * Reads a compiled indicator snapshot (see intel/compile.h) in place.  Time per
 * event does not depend on how many indicators there are.  Read only, so any
 * number of threads may share a yg_intel.  No allocation.
 */
#pragma once
#include "event/event.h"

/* clang-format off */
#define YG_INDICATOR_TYPES(X)                                               \
	X(IP,     1, "ip",      "IPv4 or IPv6 address or prefix")           \
	X(IPPORT, 2, "ip-port", "address and port")                         \
	X(DOMAIN, 3, "domain",  "domain name and all names under it")       \
	X(FQDN,   4, "fqdn",    "this domain name only")                    \
	X(URL,    5, "url",     "URL, or path of a URL when it begins with /") \
	X(HASH,   6, "hash",    "MD5, SHA-1 or SHA-256 in hex")             \
	X(EMAIL,  7, "email",   "e-mail address")
/* clang-format on */
enum yg_indicator_type {
	YG_IND_NONE,
#define X(id, num, name, doc) YG_IND_##id = num,
	YG_INDICATOR_TYPES(X)
#undef X
};
const char *yg_indicator_type_name(enum yg_indicator_type t); /* static; never NULL */
yg_status yg_indicator_type_parse(struct yg_sv s, enum yg_indicator_type *out);

struct yg_intel; /* an opened snapshot; owned: yg_intel_close() */

/* Opens and verifies a snapshot file or memfd in full (magic, version,
 * checksum, every offset).  The fd is borrowed and may be closed afterwards.
 * YG_OK | YG_CORRUPT | YG_IO.  `min_generation`: an older one is YG_CONFLICT. */
yg_status yg_intel_open_fd(int fd, uint64_t min_generation, struct yg_intel **out, struct yg_err *err);
void yg_intel_close(struct yg_intel *in);
uint64_t yg_intel_generation(const struct yg_intel *in);
uint64_t yg_intel_count(const struct yg_intel *in);

struct yg_match {
	struct yg_sv indicator; /* as listed, normalised; in caller's buffer or the snapshot */
	enum yg_indicator_type type;
	struct yg_sv list, category, family; /* in the snapshot */
	uint8_t confidence;                  /* 0..100 */
	uint8_t severity_id;                 /* OCSF */
	uint8_t tlp;                         /* enum of intel/indicator.h */
	enum yg_event_field field;           /* where in the event */
	struct yg_sv value;                  /* what stood there; borrowed from the event */
};
struct yg_match_set {
	struct yg_match m[YG_MATCHES_MAX];
	uint32_t n;
	uint32_t more; /* matches that did not fit */
	char text[8192]; /* storage for normalised indicators */
	size_t text_n;
};

/* All matches of `ev` for its organisation (ev->org) at time `now`: scope,
 * validity and allow entries applied (allow wins).  out->n == 0: none. */
void yg_intel_match(const struct yg_intel *in, const struct yg_event *ev, yg_wall now, struct yg_match_set *out);
