/* norm.h - what the normalisers of all sources share; private to event/.
 *
 * A source is one row of functions (struct yg_norm_ops) and usually a list of
 * rules: "the field of this name goes into that column, read so".  The rules of
 * a source are put into one hash table when its yg_norm is made, so a record's
 * fields are looked up once each, in the order in which they stand.
 *
 * All functions run on the thread that owns the yg_norm; views they make are in
 * the batch or in n->arena and end with the batch.
 */
#pragma once
#include "event/normalize.h"
#include "event/url.h"
#include "format/json.h"

/* How the text of a value becomes a column.  The rest of the meaning comes from
 * the column's type: a list column appends, a number column is range-checked. */
enum yg_rule_op {
	YG_OP_SET,     /* by the column's type */
	YG_OP_FILL,    /* the same, but only while the column is empty (text columns) */
	YG_OP_TIME,    /* RFC 3339, or seconds (milli-, microseconds when that large) since 1970 */
	YG_OP_SECONDS, /* decimal seconds into microseconds */
	YG_OP_DOMAIN,  /* lower case, no final dot */
	YG_OP_LOWER,   /* lower case: protocol names, hashes */
	YG_OP_EMAIL,   /* "A B <a@b>" or "<a@b>" to a@b, lower case */
	YG_OP_ENTER, /* an object, or an array of objects: on through the rules of section `field` */
	YG_OP_OWN = 32,  /* from here on: the source's own, given to ops->own() */
	YG_OP_NODE = 64, /* likewise, but without text: own() takes what it needs of the node */
};
/* section: which kind of record or nested object of the source this is for;
 * YG_RULE_ANY (0): for all sections that have no rule of that key. */
struct yg_rule {
	uint8_t section;
	uint8_t op;    /* enum yg_rule_op, or the source's own */
	uint8_t field; /* enum yg_event_field */
	struct yg_sv key;
};
#define YG_RULE(section, key, op, field)                                                           \
	{                                                                                          \
		(section), (op), YG_EF_##field, YG_SV_INIT(key)                                    \
	}
#define YG_RULE_ENTER(section, key, to)                                                            \
	{                                                                                          \
		(section), YG_OP_ENTER, (to), YG_SV_INIT(key)                                      \
	}
enum { YG_RULE_ANY = 0 };

struct yg_rule_slot {
	struct yg_sv key;
	uint8_t section, op, field, used;
};
struct yg_rules {
	struct yg_rule_slot *slots; /* owned */
	uint32_t mask;
};
/* Sections are 1 .. sections. */
yg_status yg_rules_init(struct yg_rules *r, const struct yg_rule *rows, size_t count,
			unsigned sections, struct yg_err *err);
void yg_rules_free(struct yg_rules *r);
/* NULL when there is no rule. */
const struct yg_rule_slot *yg_rules_find(const struct yg_rules *r, unsigned section,
					 struct yg_sv key);

struct yg_norm_ops {
	const struct yg_rule *rules;
	size_t rule_count;
	unsigned sections;
	size_t state_size; /* zeroed memory behind n->state, or 0 */
	yg_status (*init)(struct yg_norm *n, struct yg_err *err); /* NULL: nothing more to make */
	void (*drop)(struct yg_norm *n);  /* NULL: nothing to free in n->state */
	void (*begin)(struct yg_norm *n); /* NULL: nothing per batch */
	/* The next record of an unframed batch; NULL: every line that is not blank.
	 * For sources with several records in one document.  False at the end.
	 * May set n->cut: what is given is only the head of the record. */
	bool (*next)(struct yg_norm *n, struct yg_sv *out_record);
	/* One record into *ev, which comes zeroed but for `raw`.
	 * YG_OK | YG_AGAIN (no record after all: a header, a comment; not counted) |
	 * anything else: *ev is cleared and err->msg becomes parse_error. */
	yg_status (*record)(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			    struct yg_err *err);
	/* A rule with an op of the source's own.  node: of n->json; 0 when the value
	 * does not come from JSON.  text: the value as text (empty for objects and arrays). */
	void (*own)(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		    struct yg_sv text, uint32_t node);
};

struct yg_norm {
	enum yg_source source;
	const struct yg_norm_ops *ops;
	const struct yg_mapping *mapping; /* borrowed */
	void *state;                      /* owned; of the source */
	struct yg_rules rules;
	struct yg_json json;   /* of the record at hand */
	struct yg_sv record;   /* the one at hand, where it stands in the batch */
	struct yg_sv tape;     /* the text that is in `json`; empty: none */
	struct yg_arena arena; /* of the batch */
	struct yg_sv batch;    /* what is left of it */
	yg_wall received;
	bool framed;
	bool cut;      /* the record at hand is longer than YG_RECORD_MAX: its head */
	bool bad_time; /* the record at hand had a time that could not be read */
	uint64_t records, unparsed, recovered;
	struct yg_sv names[YG_ARRAY_MAX]; /* of the record at hand, distinct */
	uint64_t name_sigs[YG_ARRAY_MAX];
	uint32_t name_count;
};

/* The next line that is not blank: what is done without ops->next. */
bool yg_norm_line(struct yg_norm *n, struct yg_sv *out);
/* Parses a record that must be one JSON object into n->json (node 0). */
yg_status yg_norm_json(struct yg_norm *n, struct yg_sv record, struct yg_err *err);
/* Puts one value into a column by `op`.  Text that does not fit (not an
 * address, out of range) leaves the column as it is. */
void yg_norm_put(struct yg_norm *n, struct yg_event *ev, unsigned op, unsigned field,
		 struct yg_sv text);
/* The same for a JSON value: of an array, every element (list columns) or the first. */
void yg_norm_put_node(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		      uint32_t node);
/* All members of the JSON object `obj` through the rules of `section`, and of the
 * objects that YG_OP_ENTER leads to, one after the other. */
void yg_norm_apply(struct yg_norm *n, struct yg_event *ev, unsigned section, uint32_t obj);

/* Appends to a list column; beyond YG_ARRAY_MAX it is dropped (raw has it). */
void yg_norm_append(struct yg_norm *n, struct yg_strs *list, struct yg_sv s);
/* One more word for `names`: made lower case, kept once.  For what is in no column. */
void yg_norm_name(struct yg_norm *n, struct yg_sv s);
/* ASCII lower case; s itself when it is that already. {"",0} when memory is out. */
struct yg_sv yg_norm_lower(struct yg_norm *n, struct yg_sv s);
/* Lower case without the final dot (the root stays "."). */
struct yg_sv yg_norm_domain(struct yg_norm *n, struct yg_sv s);
/* The parts one behind the other in the arena. */
struct yg_sv yg_norm_join(struct yg_norm *n, const struct yg_sv *parts, size_t count);
#define YG_NORM_JOIN(n, ...)                                                                       \
	yg_norm_join((n), (const struct yg_sv[]){__VA_ARGS__},                                     \
		     sizeof((const struct yg_sv[]){__VA_ARGS__}) / sizeof(struct yg_sv))
/* Host of an absolute URL, without user, port and brackets; empty when there is none. */
struct yg_sv yg_url_host(struct yg_sv url);
/* An absolute URL from its parts: `path` as it is when it is absolute already or
 * when no host is known.  The port is written when it is neither 0 nor the scheme's own. */
struct yg_sv yg_norm_url(struct yg_norm *n, struct yg_sv scheme, struct yg_sv host, uint16_t port,
			 struct yg_sv path);
/* Decimal seconds since 1970 (or milli-, microseconds by magnitude) or RFC 3339. */
yg_status yg_norm_time(struct yg_sv text, int64_t *out_us);
/* Decimal number of seconds, rounded to microseconds. */
yg_status yg_norm_seconds(struct yg_sv text, int64_t *out_us);

/* OCSF activity ids from the protocols' own words; 99 (other) when unknown. */
uint8_t yg_http_activity(struct yg_sv method);  /* "GET" */
uint8_t yg_ftp_activity(struct yg_sv command);  /* "RETR" */
uint8_t yg_dhcp_activity(struct yg_sv message); /* "discover", lower case */

struct yg_dnstap;
/* What our own resolver says beyond dnstap; nothing happens for others' frames (*ours). */
yg_status yg_norm_dnstap_extra(struct yg_norm *n, struct yg_event *ev, const struct yg_dnstap *d,
			       bool *ours, struct yg_err *err);
/* Of what a policy has blocked, dropped or noted: what the event says in words, and how grave. */
void yg_norm_dns_message(struct yg_norm *n, struct yg_event *ev);

extern const struct yg_norm_ops yg_norm_zeek, yg_norm_suricata, yg_norm_ocsf;
extern const struct yg_norm_ops yg_norm_cloudtrail, yg_norm_windows, yg_norm_syslog, yg_norm_ndjson;
extern const struct yg_norm_ops yg_norm_dnstap, yg_norm_evtx;
