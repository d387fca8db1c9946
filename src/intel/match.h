/* match.h - which indicators does an event hold?
 *
 * Reads a compiled indicator snapshot (see intel/compile.h) in place.  Time per
 * event does not depend on how many indicators there are.  Read only, so any
 * number of threads may share a yg_intel.  Nothing allocates but the conversion
 * of a host name that is not ASCII.
 *
 * doc/indicators.md says what matches what.  In short: a name by itself and by
 * every name above it, an address by itself and by the longest prefix, a URL by
 * its normal form, its path, its folders and its host; of one type only the most
 * particular indicator per value is reported, and a value that an allow entry
 * covers is not reported at all.
 */
#pragma once
#include "event/event.h"
#include "intel/indicator.h"

struct yg_intel; /* an opened snapshot; owned: yg_intel_close() */

/* Opens and verifies a snapshot file or memfd in full (magic, version,
 * checksum, every offset).  The fd is borrowed and may be closed afterwards.
 * YG_OK | YG_CORRUPT | YG_LIMIT | YG_NOMEM | YG_IO; generation below
 * min_generation: YG_CONFLICT. */
yg_status yg_intel_open_fd(int fd, uint64_t min_generation, struct yg_intel **out,
			   struct yg_err *err);
/* The same on bytes that stay where they are until the close; for tests. */
yg_status yg_intel_open_bytes(const void *p, size_t n, uint64_t min_generation,
			      struct yg_intel **out, struct yg_err *err);
void yg_intel_close(struct yg_intel *in); /* NULL is fine */
uint64_t yg_intel_generation(const struct yg_intel *in);
uint64_t yg_intel_count(const struct yg_intel *in);
yg_wall yg_intel_created(const struct yg_intel *in);
uint64_t yg_intel_bytes(const struct yg_intel *in);

#define YG_MATCH_LISTS_MAX 8
struct yg_match {
	struct yg_sv indicator; /* as listed, normalised; in the set's buffer or the snapshot */
	enum yg_indicator_type type;
	struct yg_sv list, category, family;    /* of the source with the most confidence */
	struct yg_sv lists[YG_MATCH_LISTS_MAX]; /* every list that holds it, `list` among them */
	uint32_t list_count, lists_more;        /* lists_more did not fit */
	uint8_t confidence;                     /* 0..100 */
	uint8_t severity_id;                    /* OCSF */
	uint8_t tlp;                            /* enum yg_tlp */
	enum yg_event_field field;              /* where in the event */
	struct yg_sv value;                     /* what stood there; borrowed from the event */
};

/* ---- scratch of one event between the two steps; of no interest to callers ---- */
#define YG_PROBES_MAX 512
#define YG_GROUPS_MAX 64
struct yg_probe {
	uint64_t hash;
	const char *p; /* the key's bytes */
	uint16_t n;
	uint8_t kind;
};
struct yg_probe_group { /* one value of the event */
	struct yg_sv value;
	struct yg_ip ip;
	uint16_t first, count; /* its probes */
	uint8_t field;         /* enum yg_event_field */
	bool has_ip;
};
struct yg_match_prep {
	uint64_t key[2]; /* of the snapshot it was made for: an address may be used again */
	uint32_t probe_count, group_count;
	uint32_t row, at; /* where the next round goes on; row past the end: all done */
	uint32_t text_n;
	struct yg_probe probes[YG_PROBES_MAX];
	struct yg_probe_group groups[YG_GROUPS_MAX];
	char text[2 * (YG_URL_MAX + 64) + 4096];
};

/* About 60 KB: keep it on the heap, one per thread; it needs no initialisation. */
struct yg_match_set {
	uint32_t n;
	uint32_t more;    /* matches that did not fit */
	uint32_t skipped; /* values too long to be looked up (YG_DOMAIN_MAX, YG_URL_MAX) */
	struct yg_match m[YG_MATCHES_MAX];
	uint32_t text_n;
	char text[8192]; /* storage for normalised indicators */
	struct yg_match_prep prep;
};

/* All matches of `ev` for its organisation (ev->org) at time `now`: scope,
 * validity and allow entries applied (allow wins).  out->n == 0: none.  An
 * indicator that stands in several fields is reported once, for the first. */
void yg_intel_match(const struct yg_intel *in, const struct yg_event *ev, yg_wall now,
		    struct yg_match_set *out);

/* The same in two steps, for loops: prepare event i + 1 (hashes; the filter's
 * cache lines are asked for), then finish event i.  Hides the memory latency of
 * a large snapshot.  ev must be the same, unchanged, in both steps; `in` may
 * be another snapshot in the second. */
void yg_intel_prepare(const struct yg_intel *in, const struct yg_event *ev,
		      struct yg_match_set *set);
void yg_intel_finish(const struct yg_intel *in, const struct yg_event *ev, yg_wall now,
		     struct yg_match_set *set);
