/* policy.h - what a query may be answered with: compiled response policy zones.
 *
 * Runs in:   role resolve (every query) and the command line.  Pure: no clock, no
 *            system call, no allocation after the opening.  An opened policy is
 *            read only, so any number of threads may share it.
 * Precedence is that of draft-vixie-dnsop-dns-rpz-00, section 5 (doc/dns-policy.md):
 *   1. the earlier stage of a CNAME chain   2. the earlier zone
 *   3. exact over wildcard, then the wildcard of most labels
 *   4. CLIENT-IP, QNAME, RESPONSE-IP, NSDNAME, NSIP
 *   5. NSDNAME: the server name that is last in canonical order
 *   6. addresses: the longest prefix (IPv4 counts 96 more)   7. the smallest address
 * Wildcards are those of RFC 4592: only the one at the closest encloser of a name
 * that the zone does not have.
 *
 * How to use it, per query:
 *   yg_dns_eval_begin(&e, policy, view, client);          CLIENT-IP
 *   for every name of the chain, the first is the QNAME:
 *       yg_dns_eval_name(&e, name, probe or NULL);         QNAME; begins the stage
 *       while (yg_dns_eval_needs(&e) says ADDRESSES, SERVERS or SERVER_ADDRESSES)
 *           learn them and call _address(), _server(), _server_address();
 *       if (yg_dns_eval_stage_end(&e)) break;              a record has decided
 *   yg_dns_eval_verdict(&e, &verdict);
 * A name that the policy itself put there (the target of its CNAME) is resolved,
 * but not judged (draft, section 6).  Queries with RD=0 are not judged at all.
 * Modified answers carry verdict.soa in their additional section.
 */
#pragma once
#include "base/ip.h"
#include "format/dns_name.h"

/* ---- words ---- */

/* clang-format off */
#define YG_DNS_TRIGGERS(X) /* in order of precedence within a zone */       \
	X(NONE,        "none")                                              \
	X(CLIENT_IP,   "client-ip")                                         \
	X(QNAME,       "qname")                                             \
	X(RESPONSE_IP, "response-ip")                                       \
	X(NSDNAME,     "nsdname")                                           \
	X(NSIP,        "nsip")
#define YG_DNS_ACTIONS(X)                                                   \
	X(NONE,     "none")      /* no record decided: the truth */         \
	X(PASSTHRU, "passthru")  /* the truth, and no more policy */        \
	X(NXDOMAIN, "nxdomain")                                             \
	X(NODATA,   "nodata")                                               \
	X(DROP,     "drop")                                                 \
	X(TCP_ONLY, "tcp-only")  /* over UDP: truncated; else passthru */   \
	X(DATA,     "data")      /* RRsets of the policy */                 \
	X(CNAME,    "cname")     /* to verdict.target */
#define YG_DNS_OVERRIDES(X) /* of a zone; draft, section 6.1 */             \
	X(GIVEN,    "given")                                                \
	X(DISABLED, "disabled")  /* noted only */                           \
	X(NXDOMAIN, "nxdomain")                                             \
	X(NODATA,   "nodata")                                               \
	X(PASSTHRU, "passthru")                                             \
	X(DROP,     "drop")                                                 \
	X(TCP_ONLY, "tcp-only")                                             \
	X(CNAME,    "cname")                                                \
	X(SINKHOLE, "sinkhole")  /* addresses of ours */
#define YG_DNS_LAYERS(X) /* in order of precedence */                       \
	X(ORG_ALLOW,    "org-allow")                                        \
	X(CENTRE_ALLOW, "centre-allow")                                     \
	X(ORG_BLOCK,    "org-block")                                        \
	X(CENTRE_ZONE,  "centre-zone")                                      \
	X(INDICATORS,   "indicators")
#define YG_DNS_MODES(X)                                                     \
	X(ENFORCE,    "enforce")                                            \
	X(AUDIT_ONLY, "audit-only") /* noted only */                        \
	X(OFF,        "off")        /* as if it were not there */
/* clang-format on */
enum yg_dns_trigger {
#define X(id, name) YG_DNS_TRIGGER_##id,
	YG_DNS_TRIGGERS(X)
#undef X
		YG_DNS_TRIGGER_COUNT
};
enum yg_dns_action {
#define X(id, name) YG_DNS_ACTION_##id,
	YG_DNS_ACTIONS(X)
#undef X
		YG_DNS_ACTION_COUNT
};
enum yg_dns_override {
#define X(id, name) YG_DNS_OVERRIDE_##id,
	YG_DNS_OVERRIDES(X)
#undef X
		YG_DNS_OVERRIDE_COUNT
};
enum yg_dns_layer {
#define X(id, name) YG_DNS_LAYER_##id,
	YG_DNS_LAYERS(X)
#undef X
		YG_DNS_LAYER_COUNT
};
enum yg_dns_mode {
#define X(id, name) YG_DNS_MODE_##id,
	YG_DNS_MODES(X)
#undef X
		YG_DNS_MODE_COUNT
};
const char *yg_dns_trigger_name(enum yg_dns_trigger t); /* static; never NULL, as all below */
const char *yg_dns_action_name(enum yg_dns_action a);
const char *yg_dns_override_name(enum yg_dns_override o);
const char *yg_dns_layer_name(enum yg_dns_layer l);
const char *yg_dns_mode_name(enum yg_dns_mode m);
/* YG_OK | YG_PARSE. */
yg_status yg_dns_override_parse(struct yg_sv s, enum yg_dns_override *out);
yg_status yg_dns_layer_parse(struct yg_sv s, enum yg_dns_layer *out);
yg_status yg_dns_mode_parse(struct yg_sv s, enum yg_dns_mode *out);

#define YG_DNS_ZONES_MAX      32768 /* of a policy, all organisations together */
#define YG_DNS_ORGS_MAX       32768
#define YG_DNS_VIEW_ZONES_MAX 512 /* that one organisation sees */
#define YG_DNS_VIEW_SCOPES    10  /* whose rules one sees: everyone's, its own, of 8 above it */
#define YG_DNS_NOTES_MAX      8   /* records of zones that only note; more are counted */

/* ---- opening ---- */

struct yg_dns_policy; /* opaque; owned: yg_dns_policy_close() */
/* Verifies everything.  A sealed memfd is read in place, any other file copied.
 * YG_OK | YG_CORRUPT | YG_CONFLICT (generation below min_generation) | YG_LIMIT |
 * YG_NOMEM | YG_IO. */
yg_status yg_dns_policy_open_fd(int fd, uint64_t min_generation, struct yg_dns_policy **out,
				struct yg_err *err) YG_MUST_USE;
/* A file that is mapped, never changed, only replaced: the mapping is the policy's from
 * here on, also when it is refused; *map is emptied. */
yg_status yg_dns_policy_open_map(struct yg_sv *map, uint64_t min_generation,
				 struct yg_dns_policy **out, struct yg_err *err) YG_MUST_USE;
/* It will not be looked at for a while: one that is a mapped file gives its memory back,
 * and reads it again when it is asked.  NULL is fine. */
void yg_dns_policy_rest(const struct yg_dns_policy *p);
void yg_dns_policy_close(struct yg_dns_policy *p); /* NULL is fine */

/* A policy may stand over another, its base, which is whole: it has its own zones, views
 * and answers, and of a zone that continues only the keys whose records have changed;
 * what is here counts, what is not here is as the base says.  Such a policy keeps its
 * base open.  Without the very base it was made for: YG_CONFLICT; base is then not used. */
yg_status yg_dns_policy_open_over(int fd, uint64_t min_generation, struct yg_dns_policy *base,
				  struct yg_dns_policy **out, struct yg_err *err) YG_MUST_USE;
/* The bytes are borrowed until the close; 8-aligned.  base: NULL, or as above. */
yg_status yg_dns_policy_open_bytes(const void *p, size_t n, uint64_t min_generation,
				   struct yg_dns_policy *base, struct yg_dns_policy **out,
				   struct yg_err *err) YG_MUST_USE;
/* The generation of its base; 0: it is whole. */
uint64_t yg_dns_policy_base(const struct yg_dns_policy *p);
/* The policy with the records of the zones that continue: its base, or itself. */
struct yg_dns_policy *yg_dns_policy_whole(struct yg_dns_policy *p);
struct yg_dns_policy *yg_dns_policy_ref(struct yg_dns_policy *p); /* closed once more */

struct yg_dns_policy_info {
	uint64_t generation, created_us;
	uint64_t names; /* records of the name table, and of its base's */
	uint64_t prefixes, rules, bytes;
	uint32_t zones, views;
};
struct yg_dns_policy_info yg_dns_policy_info(const struct yg_dns_policy *p);

struct yg_dns_zone_view {      /* borrowed from the policy, as all in it */
	struct yg_sv name;     /* "feed1" */
	struct yg_sv origin;   /* wire form, lower case */
	struct yg_sv org;      /* "": everyone's */
	struct yg_sv category; /* "" or "malware" */
	struct yg_sv ede_text; /* UTF-8; what a blocked client is told; may be "" */
	uint16_t ede_code;     /* 15, 16, 17; 0: none */
	enum yg_dns_layer layer;
	enum yg_dns_override override;
	enum yg_dns_mode mode; /* before what an organisation changes */
	uint32_t serial;
	uint32_t negative_ttl; /* seconds: least of the SOA's TTL and its last field */
	struct yg_sv soa;      /* type, class, TTL, length and data as in a message; "" for lists */
	uint32_t rules[YG_DNS_TRIGGER_COUNT]; /* records by trigger */
};
/* False when there is no zone `i`.  The order is that of precedence. */
bool yg_dns_policy_zone(const struct yg_dns_policy *p, uint32_t i, struct yg_dns_zone_view *out);

/* The view of an organisation; 0, what everyone sees, when it has none of its own. */
uint32_t yg_dns_policy_view(const struct yg_dns_policy *p, struct yg_sv org);

/* ---- looking up in batches ----
 *
 * The tables are larger than a core's caches.  For a batch of queries: _hash() for all,
 * then _touch() for all, then _fetch() for all, then judge each with its probe. */

struct yg_dns_probe {
	uint8_t from, to; /* hash[i] is set for from <= i < to: the name from label i on */
	bool touched;     /* by _touch(), which sets the two below */
	bool maybe;       /* some of them may be in the table */
	uint64_t may[2];  /* which: bit i & 63 of may[i / 64] */
	uint64_t hash[128];
};
/* QNAME triggers.  Hashes of the name and all above it; fetches the filter. */
void yg_dns_policy_hash(const struct yg_dns_policy *p, const struct yg_dns_name *name,
			struct yg_dns_probe *out);
/* Asks the filter; fetches the slots of what may be there.  False: no QNAME rule of
 * anyone touches the name. */
bool yg_dns_policy_touch(const struct yg_dns_policy *p, struct yg_dns_probe *probe);
/* Fetches the records behind the slots. */
void yg_dns_policy_fetch(const struct yg_dns_policy *p, const struct yg_dns_probe *probe);

/* "No rule of anyone": for what is remembered beside a cached answer. */
static inline bool yg_dns_policy_any_name(const struct yg_dns_policy *p,
					  const struct yg_dns_name *name)
{
	struct yg_dns_probe probe __attribute__((uninitialized));
	yg_dns_policy_hash(p, name, &probe);
	return yg_dns_policy_touch(p, &probe);
}
/* True when some prefix (of any trigger, zone and organisation) holds the address. */
bool yg_dns_policy_any_ip(const struct yg_dns_policy *p, struct yg_ip ip);
/* Does anyone have rules of this trigger? */
bool yg_dns_policy_has(const struct yg_dns_policy *p, enum yg_dns_trigger t);
/* Does this view, in zones that decide or note? */
bool yg_dns_policy_view_has(const struct yg_dns_policy *p, uint32_t view, enum yg_dns_trigger t);

/* ---- judging ---- */

struct yg_dns_hit {    /* one record that matched */
	uint32_t rule; /* private */
	uint16_t zone; /* precedence: smaller is better */
	uint8_t trigger;
	uint8_t wild;    /* names: a wildcard's */
	uint8_t level;   /* names: labels of the matched name off its left; 0: all of it */
	uint8_t bits;    /* addresses: length of the prefix, of 128 */
	uint8_t stage;   /* of the CNAME chain, from 0 */
	uint8_t labels;  /* names: labels of the trigger, without the "*" */
	struct yg_ip ip; /* addresses: the one that was matched */
};
struct yg_dns_eval { /* the caller's memory; its fields are private but the notes */
	const struct yg_dns_policy *policy;
	const struct yg_dns_view_rec *view;
	bool decided, has_best, has_client, begun;
	uint8_t stage, note_count;
	uint32_t notes_more;                       /* that had no room */
	struct yg_dns_hit best;                    /* of the stage at hand */
	struct yg_dns_hit client;                  /* of the client's address */
	struct yg_dns_hit notes[YG_DNS_NOTES_MAX]; /* of zones that only note: the best of each */
	struct yg_dns_name name;                   /* of the last QNAME or server that is best */
	struct yg_dns_name note_name[YG_DNS_NOTES_MAX];
};
enum yg_dns_needs { /* what could still change the verdict of this stage */
		    YG_DNS_NEEDS_ADDRESSES = 1, /* of the answer */
		    YG_DNS_NEEDS_SERVERS = 2, /* names of the name servers on the way to the data */
		    YG_DNS_NEEDS_SERVER_ADDRESSES = 4,
};
/* client: all zero: not known, no CLIENT-IP trigger matches. */
void yg_dns_eval_begin(struct yg_dns_eval *e, const struct yg_dns_policy *p, uint32_t view,
		       struct yg_ip client);
/* The next name of the chain.  probe: of this name by _hash() (and _touch()), or NULL. */
void yg_dns_eval_name(struct yg_dns_eval *e, const struct yg_dns_name *name,
		      struct yg_dns_probe *probe);
/* Of this stage; in any order, any number of them. */
void yg_dns_eval_address(struct yg_dns_eval *e, struct yg_ip ip);
void yg_dns_eval_server(struct yg_dns_eval *e, const struct yg_dns_name *name);
void yg_dns_eval_server_address(struct yg_dns_eval *e, struct yg_ip ip);
/* This stage is not to be judged (its data is signed, and the client wants signatures):
 * what was found for it is forgotten, but what is about the client holds for the next. */
void yg_dns_eval_skip(struct yg_dns_eval *e);
/* Bits of yg_dns_needs.  0: nothing that is not known yet can change the verdict of
 * this stage, so that a name that is blocked need not be asked for. */
unsigned yg_dns_eval_needs(const struct yg_dns_eval *e);
/* True: a record has decided and no later name of the chain matters. */
bool yg_dns_eval_stage_end(struct yg_dns_eval *e);

struct yg_dns_verdict {
	enum yg_dns_action action; /* NONE: nothing below is set */
	enum yg_dns_trigger trigger;
	enum yg_dns_action given; /* what the record says, before overrides */
	struct yg_dns_hit hit;
	struct yg_dns_zone_view zone;
	/* CNAME: with target_wild the name at hand comes in front (yg_dns_name_join()). */
	struct yg_sv target; /* wire form, without the "*" when target_wild */
	bool target_wild;
	uint32_t ttl;      /* CNAME: seconds */
	struct yg_sv data; /* DATA: for yg_dns_rrset_next() */
};
void yg_dns_eval_verdict(const struct yg_dns_eval *e, struct yg_dns_verdict *out);
/* The same of notes[i]: what would have been done. */
void yg_dns_eval_note(const struct yg_dns_eval *e, size_t i, struct yg_dns_verdict *out);
/* The owner name of the record as it stands in its zone, without the origin:
 * "*.example.com", "24.0.2.0.192.rpz-ip".  i: of a note, SIZE_MAX of the verdict. */
void yg_dns_eval_record(const struct yg_dns_eval *e, size_t i, struct yg_sb *out);

/* The same in wire form; false: it is about an address, or too long. */
bool yg_dns_eval_owner(const struct yg_dns_eval *e, struct yg_dns_name *out);

struct yg_dns_rrset {
	uint16_t type, count;
	struct yg_sv rrs; /* count times: type, class, TTL, length, data; network order, no
			   * compression; the owner's name goes in front of each */
};
/* Takes the next RRset off *data; false at the end. */
bool yg_dns_rrset_next(struct yg_sv *data, struct yg_dns_rrset *out);
/* The RRset of a type; false when there is none: NODATA, unless the type is ANY. */
bool yg_dns_rrset_find(struct yg_sv data, uint16_t type, struct yg_dns_rrset *out);
