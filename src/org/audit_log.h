/* audit_log.h - the append-only, hash-chained record of every change.
 *
 * hash(n) = BLAKE2b-256 over the canonical encoding of entry n, which includes
 * hash(n - 1); the newest number and hash are kept apart in audit_head.  Whoever
 * changes, removes, inserts or reorders an entry, or cuts the end off, is found
 * by yg_audit_verify().  Whoever rewrites the whole chain is found against an
 * anchor: a head noted elsewhere (a backup's manifest, a line of the system log).
 *
 * doc/audit-log.md has the encoding.
 */
#pragma once
#include "base/arena.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_AUDIT_HASH       32
#define YG_AUDIT_DETAIL_MAX 65536 /* bytes of one entry's detail; more: YG_TOOBIG */

/* What changed, as JSON: {"state":{"from":"new","to":"closed"},"reason":"..."}.
 * The text is the buffer's; the caller frees it. */
struct yg_detail {
	struct yg_buf buf;
};
void yg_detail_init(struct yg_detail *d);
void yg_detail_free(struct yg_detail *d); /* for YG_AUTO */
/* Appends "name":{"from":..,"to":..} unless they are equal; true when they differ. */
bool yg_detail_text(struct yg_detail *d, const char *name, struct yg_sv from, struct yg_sv to);
bool yg_detail_i64(struct yg_detail *d, const char *name, int64_t from, int64_t to);
bool yg_detail_time(struct yg_detail *d, const char *name, int64_t from_us,
		    int64_t to_us); /* 0 is null */
/* Appends "name":value: what is so, without a before. */
void yg_detail_note(struct yg_detail *d, const char *name, struct yg_sv value);
void yg_detail_notes(struct yg_detail *d, const char *name, const struct yg_sv *values, size_t n);
void yg_detail_count(struct yg_detail *d, const char *name, int64_t value);

/* Appends one entry inside the caller's transaction (YG_INTERNAL without one).
 * action: "alert.update"; object: id or slug; org: slug or empty; detail: NULL
 * for none. */
yg_status yg_audit_add(struct yg_act *act, const char *action, struct yg_sv object,
		       struct yg_sv org, const struct yg_detail *detail,
		       struct yg_err *err) YG_MUST_USE;

struct yg_audit_entry {
	int64_t seq;
	yg_wall time;
	struct yg_sv actor, action, object, org, detail; /* detail: a JSON object */
	uint8_t hash[YG_AUDIT_HASH];
};
struct yg_audit_filter {
	struct yg_reach reach;              /* with its period */
	struct yg_sv object, actor, action; /* empty: any; action: a prefix ("alert.") */
	int64_t from_us, to_us;             /* 0: any */
	int64_t before; /* keyset: entries below this number; 0: from the newest */
	uint32_t limit; /* 1..YG_PAGE_MAX */
};
/* Newest first; everything in `arena`. */
yg_status yg_audit_list(struct yg_state *db, const struct yg_audit_filter *f,
			struct yg_arena *arena, struct yg_audit_entry **out, size_t *out_n,
			struct yg_err *err);

struct yg_audit_anchor { /* a head noted before */
	int64_t seq;
	uint8_t hash[YG_AUDIT_HASH];
};
/* "12:9f86..." */
yg_status yg_audit_anchor_parse(struct yg_sv s, struct yg_audit_anchor *out, struct yg_err *err);
void yg_audit_anchor_format(struct yg_sb *b, const struct yg_audit_anchor *a);

struct yg_audit_report {
	bool ok;
	uint64_t entries;            /* read */
	int64_t first_bad;           /* number of the first entry that does not fit; 0: none */
	struct yg_audit_anchor head; /* of the last entry that fits */
	char text[256];              /* one line for people */
};
/* Reads the whole chain in one consistent view.  YG_OK whenever it could be
 * read: out->ok is the answer.  anchor may be NULL. */
yg_status yg_audit_verify(struct yg_state *db, const struct yg_audit_anchor *anchor,
			  struct yg_audit_report *out, struct yg_err *err);
