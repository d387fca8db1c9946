/* registry.h - indicators as they are kept in the state database: lists, their
 * entries, allow entries; and the job that compiles them into a snapshot.
 *
 * A list belongs to one organisation or to all.  Values are stored in their one
 * spelling (intel/indicator.h).  Entries that cover a public suffix or a huge
 * prefix are refused when they come in, unless forced; so what is stored may be
 * compiled.  Bulk imports take the write lock for a fraction of a second at a
 * time, so that alerts go on.
 */
#pragma once
#include "base/arena.h"
#include "intel/compile.h"
#include "org/act.h"
#include "org/reach.h"

struct yg_list {
	int64_t seq;       /* internal number */
	struct yg_sv uid;  /* "l-..." */
	struct yg_sv name; /* unique; 1..64 of A-Z a-z 0-9 . _ - */
	struct yg_sv title, source, format, category;
	struct yg_sv org; /* empty: for all organisations */
	enum yg_tlp tlp;
	int confidence; /* 0..100 of entries that say nothing */
	bool enabled;
	int64_t entries;
	yg_wall created, updated;
	int64_t version;
};
/* seq, uid, entries, times and version of `l` are ignored. */
yg_status yg_list_add(struct yg_act *act, const struct yg_list *l, struct yg_id *out_uid,
		      struct yg_err *err) YG_MUST_USE;
/* By uid or by name. */
yg_status yg_list_get(struct yg_state *db, struct yg_sv uid_or_name, struct yg_arena *arena,
		      struct yg_list *out, struct yg_err *err);
/* By uid, from behind `after`: those within reach, and those for all organisations. */
yg_status yg_list_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv after,
		       uint32_t limit, struct yg_arena *arena, struct yg_list **out, size_t *out_n,
		       struct yg_err *err);
struct yg_list_set { /* NULL, NONE, negative: as it is */
	const struct yg_sv *title, *category;
	enum yg_tlp tlp;
	int confidence; /* -1: as it is */
	int enabled;    /* -1: as it is */
};
yg_status yg_list_change(struct yg_act *act, struct yg_sv uid, int64_t version,
			 const struct yg_list_set *set, struct yg_err *err) YG_MUST_USE;
/* Called between chunks of long work; false stops it (YG_AGAIN comes back). */
typedef bool yg_progress_fn(void *ctx, uint64_t done, uint64_t total);
/* Removes a list and all of its entries, in chunks; progress may be NULL. */
yg_status yg_list_remove(struct yg_act *act, struct yg_sv uid, yg_progress_fn *progress, void *ctx,
			 struct yg_err *err) YG_MUST_USE;

/* Bulk import into a list.  Entries are collected, sorted and written in chunks
 * of a fraction of a second; equal ones are left alone, known ones updated.
 * One audit entry for the whole import. */
struct yg_import;
struct yg_import_stats {
	uint64_t read, added, updated, unchanged;
	uint64_t bad;        /* not a value of its type */
	uint64_t refused;    /* cover a public suffix or a huge prefix */
	char first_bad[200]; /* why, of the first of them */
	char first_refused[200];
};
yg_status yg_import_begin(struct yg_act *act, struct yg_sv list, bool force, struct yg_import **out,
			  struct yg_err *err) YG_MUST_USE;
/* One entry: type, value, category, family, valid_from, valid_until are taken;
 * confidence, severity_id and tlp when not 0.  A bad or refused entry is counted
 * and is YG_OK.  Anything else ends the import. */
yg_status yg_import_add(struct yg_import *im, const struct yg_indicator *ind,
			struct yg_err *err) YG_MUST_USE;
void yg_import_progress(struct yg_import *im, yg_progress_fn *progress, void *ctx);
/* Is told of each entry that is counted as bad or refused, and why. */
typedef void yg_import_refused_fn(void *ctx, const struct yg_indicator *ind, const char *why);
void yg_import_on_refused(struct yg_import *im, yg_import_refused_fn *fn, void *ctx);
/* What was read and not yet in the result. */
const struct yg_import_stats *yg_import_so_far(const struct yg_import *im);
/* Writes the rest, the list's count and the audit entry.  Frees `im`. */
yg_status yg_import_end(struct yg_import *im, struct yg_import_stats *out,
			struct yg_err *err) YG_MUST_USE;
/* Gives up: what was written stays (with an audit entry), the rest is dropped.  Frees `im`. */
void yg_import_abort(struct yg_import *im);

struct yg_indicator_row {
	int64_t id; /* "i-<number>" outside */
	struct yg_indicator
		ind; /* confidence, severity_id and tlp as they count; list is its name */
	struct yg_sv list_uid;
	yg_wall created, updated; /* updated also serves as the version */
};
enum yg_validity { YG_VALID_ANY, YG_VALID_NOW, YG_VALID_EXPIRED };
struct yg_indicator_filter {
	struct yg_sv value; /* exact in any accepted spelling; "abc*": begins with; empty: any */
	struct yg_sv part;  /* what the value has in it; "abc*": begins with; empty: any */
	enum yg_indicator_type type; /* NONE: any */
	struct yg_sv list;           /* uid or name; empty: any */
	enum yg_validity validity;   /* NOW: of a list in use, within its time at `now` */
	yg_wall now;                 /* with a validity */
	struct yg_reach reach;       /* lists within it, and those for all organisations */
	int64_t before;              /* keyset: ids below; 0: from the newest */
	uint32_t limit;              /* 1..YG_PAGE_MAX */
};
yg_status yg_indicator_list(struct yg_state *db, const struct yg_indicator_filter *f,
			    struct yg_arena *arena, struct yg_indicator_row **out, size_t *out_n,
			    struct yg_err *err);
yg_status yg_indicator_get(struct yg_state *db, int64_t id, struct yg_arena *arena,
			   struct yg_indicator_row *out, struct yg_err *err);
/* One entry; YG_CONFLICT when the list has it.  YG_DENIED as in compile.h unless forced. */
yg_status yg_indicator_add(struct yg_act *act, struct yg_sv list, const struct yg_indicator *ind,
			   bool force, int64_t *out_id, struct yg_err *err) YG_MUST_USE;
struct yg_indicator_set { /* NULL, 0: as it is */
	const struct yg_sv *category, *family;
	int confidence; /* -1: as it is */
	int severity_id;
	enum yg_tlp tlp;
	const yg_wall *valid_until; /* us == 0: never ends */
};
/* version: `updated` of the row, or YG_ANY_VERSION. */
yg_status yg_indicator_change(struct yg_act *act, int64_t id, int64_t version,
			      const struct yg_indicator_set *set, struct yg_err *err) YG_MUST_USE;
yg_status yg_indicator_remove(struct yg_act *act, int64_t id, struct yg_err *err) YG_MUST_USE;

struct yg_allow {
	struct yg_sv id; /* "w-..." */
	enum yg_indicator_type type;
	struct yg_sv value, org, reason, actor,
		alert;                     /* org empty: all; alert: it was made from, or empty */
	yg_wall created, updated, expires; /* expires us == 0: never */
	int64_t version;
};
struct yg_allow_new {
	enum yg_indicator_type type;
	struct yg_sv value, org, reason, alert;
	yg_wall expires;
};
yg_status yg_allow_add(struct yg_act *act, const struct yg_allow_new *n, struct yg_id *out_id,
		       struct yg_err *err) YG_MUST_USE;
yg_status yg_allow_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_allow *out, struct yg_err *err);
struct yg_allow_filter {
	struct yg_reach reach; /* those within it, and those for all organisations */
	struct yg_sv value;    /* exact; empty: any */
	struct yg_sv before;   /* keyset: ids below; empty: from the newest */
	uint32_t limit;        /* 1..YG_PAGE_MAX */
};
/* Newest first. */
yg_status yg_allow_list(struct yg_state *db, const struct yg_allow_filter *f,
			struct yg_arena *arena, struct yg_allow **out, size_t *out_n,
			struct yg_err *err);
/* reason, expires: NULL leaves it. */
yg_status yg_allow_change(struct yg_act *act, struct yg_sv id, int64_t version,
			  const struct yg_sv *reason, const yg_wall *expires,
			  struct yg_err *err) YG_MUST_USE;
yg_status yg_allow_remove(struct yg_act *act, struct yg_sv id, struct yg_err *err) YG_MUST_USE;

/* Every entry of every enabled list that has not ended at `now`, then every
 * allow entry that has not: in one consistent view, views end with the call. */
typedef yg_status yg_registry_fn(void *ctx, const struct yg_indicator *ind, struct yg_err *err);
yg_status yg_registry_each(struct yg_state *db, yg_wall now, yg_registry_fn *fn, void *ctx,
			   struct yg_err *err);
/* The same of some of the entries, and every allow entry. */
struct yg_registry_part {
	int64_t first, last; /* ids */
	const int64_t *ids;  /* not NULL: these, one by one */
	size_t id_count;
	struct yg_sv list; /* uid; empty: of any */
};
yg_status yg_registry_each_of(struct yg_state *db, yg_wall now, const struct yg_registry_part *part,
			      yg_registry_fn *fn, void *ctx, struct yg_err *err);

struct yg_compile_result {
	uint64_t generation;
	char file[64]; /* "indicators-12.ygs", below the folder */
	struct yg_intel_build_stats stats;
	uint64_t refused; /* entries the compiler would not take */
};
/* Compiles everything into <dir>/indicators-<generation>.ygs and points
 * <dir>/current at it (both whole or not at all); older files but the last two
 * are removed.  The generation is above every one before, also above what
 * <dir>/current says.  Telling main is the caller's. */
yg_status yg_registry_compile(struct yg_act *act, const char *dir, yg_progress_fn *progress,
			      void *ctx, struct yg_compile_result *out,
			      struct yg_err *err) YG_MUST_USE;
/* True when something changed since the last snapshot was begun, or that one did not come to an end:
 * who asks compiles, and nobody beside him. */
yg_status yg_registry_dirty(struct yg_state *db, bool *out, struct yg_err *err);

struct yg_snapshot_row {
	uint64_t generation, entries, allow_entries, bytes, refused;
	struct yg_sv state, file, actor; /* building, ready, failed */
	yg_wall created, finished;
};
/* Newest first, below generation `before` (0: from the newest). */
yg_status yg_snapshot_list(struct yg_state *db, uint64_t before, uint32_t limit,
			   struct yg_arena *arena, struct yg_snapshot_row **out, size_t *out_n,
			   struct yg_err *err);
