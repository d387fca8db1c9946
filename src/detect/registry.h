/* registry.h - Sigma rules as they are kept in the state database: rules with their past,
 * what organisations say of them (stages, exceptions), what they did, and the job that
 * compiles them into a snapshot.
 *
 * Runs in:   role center.  A rule of a node holds for everything below it; org "" stands
 * for all.  What a function changes is in the audit log, and is one more change that the
 * newest snapshot does not have (yg_detect_dirty).
 */
#pragma once
#include "base/arena.h"
#include "detect/document.h"
#include "detect/exception.h"
#include "detect/ruleset.h"
#include "detect/stage.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_DRULE_COLLECTION_MAX 64   /* of A-Z a-z 0-9 . _ - */
#define YG_DRULE_FILE_MAX       1024 /* bytes */
#define YG_DRULE_REASON_MAX     8000 /* bytes; 2000 characters */
#define YG_DRULE_BULK_MAX       1000 /* ids of one bulk change */
#define YG_DRULE_SAMPLES        20   /* newest hits that are kept, by rule and organisation */

/* ---- rules ---- */

struct yg_drule {
	struct yg_sv uid; /* "r-..." */
	struct yg_sv org, collection, sigma_id, name, title, status, category, product, service;
	struct yg_sv tags;    /* as in document.h */
	struct yg_sv file;    /* where it was imported from; empty: nowhere */
	struct yg_sv refused; /* why it is not compiled; empty: it is */
	struct yg_sv author, actor;
	struct yg_sv text; /* by yg_drule_get() and yg_detect_rules_each() alone */
	enum yg_sigma_kind kind;
	enum yg_sigma_level level;
	enum yg_detect_stage stage;    /* its own */
	enum yg_detect_stage in_force; /* for a node: by yg_drule_list() and yg_drule_in_force() */
	yg_wall created, updated;
	int64_t version, text_version;
	int64_t sort_key; /* by yg_drule_list() alone: what it is sorted by */
};
struct yg_drule_place { /* of something new */
	struct yg_sv org, collection;
	enum yg_detect_stage stage;
};
bool yg_drule_collection_ok(struct yg_sv s);
/* YG_INVAL | YG_NOTFOUND (org) | YG_CONFLICT (the collection has that id). */
yg_status yg_drule_add(struct yg_act *act, const struct yg_drule_place *at,
		       const struct yg_detect_document *doc, struct yg_id *out_uid,
		       struct yg_err *err) YG_MUST_USE;
struct yg_drule_imported {
	uint64_t added, changed, unchanged;
};
/* All of the list or none.  One that is there (same collection and organisation; the same id,
 * or without an id the same file and title) gets the new text and keeps its stage; one whose
 * new text an exception from it does not fit stays as it is, and is a problem of *docs. */
yg_status yg_drule_import(struct yg_act *act, const struct yg_drule_place *at,
			  struct yg_detect_documents *docs, struct yg_drule_imported *out,
			  struct yg_err *err) YG_MUST_USE;
yg_status yg_drule_get(struct yg_state *db, struct yg_sv uid, struct yg_arena *arena,
		       struct yg_drule *out, struct yg_err *err);
/* By the numbers that yg_drule_numbers() gives, the most first. */
enum yg_drule_sort {
	YG_DRULE_NEWEST,
	YG_DRULE_HITS,  /* of 30 days */
	YG_DRULE_FALSE, /* alerts of 30 days that were false */
	YG_DRULE_COST,  /* of a day */
	YG_DRULE_LAST,  /* hit, within 30 days */
};
struct yg_drule_filter {
	struct yg_reach reach; /* those within it, and those for all; of a period, as they stood */
	bool above;            /* and those of nodes that it stands below: they hold there, too */
	struct yg_sv org;      /* for which a stage is in force; empty: the rule's own is */
	yg_wall now;
	struct yg_sv part; /* in the title, id, name, tags, file or text; empty: any */
	struct yg_sv tag;  /* "attack.t1059" or "attack.execution"; a technique: those below too */
	/* tags that begin so: it has one of the first, none of the second */
	const struct yg_sv *one_of, *none_of;
	size_t one_of_count, none_of_count;
	bool exact; /* the tag alone, and of those that the matrix counts */
	struct yg_sv collection, category, product, service; /* empty: any */
	struct yg_sv uid;                                    /* this one alone; empty: any */
	unsigned stages;                                     /* in force; bits; 0: any */
	unsigned levels;         /* bits by enum yg_sigma_level; 0: any */
	enum yg_sigma_kind kind; /* 0: any */
	bool refused;            /* those alone that are not compiled */
	enum yg_drule_sort sort; /* of as many, the newest first */
	struct yg_sv before;     /* keyset: uids below, of that sort_key; empty: from the first */
	int64_t before_key;
	uint32_t limit; /* 1..YG_PAGE_MAX */
};
/* Without texts. */
yg_status yg_drule_list(struct yg_state *db, const struct yg_drule_filter *f,
			struct yg_arena *arena, struct yg_drule **out, size_t *out_n,
			struct yg_err *err);
/* Fills r->in_force: for the node `org`. */
yg_status yg_drule_in_force(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
			    yg_wall now, struct yg_drule *r, struct yg_err *err);
/* *r as it stood before `until_us`; INT64_MAX: as it is.  What it was made for is not in its
 * past: collection and file are those of today. */
yg_status yg_drule_as_of(struct yg_state *db, int64_t until_us, struct yg_arena *arena,
			 struct yg_drule *r, struct yg_err *err);
struct yg_drule_set { /* NULL: as it is */
	const struct yg_detect_document *doc;
	const enum yg_detect_stage *stage;
	const struct yg_sv *collection;
};
/* YG_NOTFOUND | YG_INVAL | YG_CONFLICT (the version, a rule of that id in the collection, an
 * exception from it that does not fit the new text). */
yg_status yg_drule_change(struct yg_act *act, struct yg_sv uid, int64_t version,
			  const struct yg_drule_set *set, struct yg_err *err) YG_MUST_USE;
/* With its past, overrides, exceptions and numbers. */
yg_status yg_drule_remove(struct yg_act *act, struct yg_sv uid, struct yg_err *err) YG_MUST_USE;
/* Every rule of a collection and organisation; how many. */
yg_status yg_drule_remove_all(struct yg_act *act, struct yg_sv org, struct yg_sv collection,
			      uint64_t *out_n, struct yg_err *err) YG_MUST_USE;
struct yg_drule_bulk {
	const struct yg_sv *uids; /* these; NULL: */
	size_t uid_count;
	struct yg_sv org, collection; /* all of this collection and organisation */
	unsigned levels;              /* of these levels alone; 0: any */
	enum yg_detect_stage stage;
};
/* All of them or none; those that have the stage are left alone.  YG_NOTFOUND: one of the
 * uids is not there. */
yg_status yg_drule_stage_all(struct yg_act *act, const struct yg_drule_bulk *b, uint64_t *changed,
			     uint64_t *unchanged, struct yg_err *err) YG_MUST_USE;

struct yg_drule_past {
	int64_t version, text_version;
	struct yg_sv stage, title, actor, text;
	yg_wall created;
};
struct yg_drule_history_of {
	struct yg_sv rule;
	int64_t before;   /* keyset: versions below; 0: from the newest */
	int64_t until_us; /* made before; INT64_MAX: any */
	uint32_t limit;   /* 1..YG_PAGE_MAX */
};
/* Newest first. */
yg_status yg_drule_history(struct yg_state *db, const struct yg_drule_history_of *of,
			   struct yg_arena *arena, struct yg_drule_past **out, size_t *out_n,
			   struct yg_err *err);

/* ---- what organisations say ---- */

struct yg_detect_override {
	struct yg_sv rule, org, reason, actor;
	enum yg_detect_stage stage;
	yg_wall updated, expires; /* expires us == 0: never */
};
/* YG_INVAL | YG_NOTFOUND (rule, org). */
yg_status yg_detect_override_set(struct yg_act *act, const struct yg_detect_override *o,
				 struct yg_err *err) YG_MUST_USE;
/* YG_NOTFOUND: there is none. */
yg_status yg_detect_override_remove(struct yg_act *act, struct yg_sv rule, struct yg_sv org,
				    struct yg_err *err) YG_MUST_USE;
/* What the organisation itself says of the rule.  YG_NOTFOUND: nothing. */
yg_status yg_detect_override_get(struct yg_state *db, struct yg_sv rule, struct yg_sv org,
				 struct yg_arena *arena, struct yg_detect_override *out,
				 struct yg_err *err) YG_MUST_USE;
struct yg_detect_override_filter {
	struct yg_reach reach;
	struct yg_sv rule;  /* of this one */
	struct yg_sv after; /* keyset: organisations behind it; empty: from the first */
	uint32_t limit;     /* 1..YG_PAGE_MAX */
};
/* Within reach and of the nodes above it, by organisation. */
yg_status yg_detect_override_list(struct yg_state *db, const struct yg_detect_override_filter *f,
				  struct yg_arena *arena, struct yg_detect_override **out,
				  size_t *out_n, struct yg_err *err);

struct yg_detect_exception {
	struct yg_sv id;         /* "x-..." */
	struct yg_sv rule, org;  /* empty: of any; everywhere */
	struct yg_sv rule_title; /* not when adding */
	struct yg_sv text, reason, alert, actor;
	yg_wall created, updated, expires; /* expires us == 0: never */
	int64_t version;
};
/* id, actor, times but expires, and version of *x are not looked at.  Of a correlation it is
 * asked of the group that one holds for (detect/watch_except.h).
 * YG_INVAL | YG_PARSE (the text) | YG_LIMIT | YG_NOTFOUND (rule, org). */
yg_status yg_detect_exception_add(struct yg_act *act, const struct yg_detect_exception *x,
				  struct yg_id *out_id, struct yg_err *err) YG_MUST_USE;
yg_status yg_detect_exception_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
				  struct yg_detect_exception *out, struct yg_err *err);
enum yg_detect_validity { YG_EXCEPTION_ANY, YG_EXCEPTION_IN_FORCE, YG_EXCEPTION_EXPIRED };
/* When it ends, as a list is sorted by it: what never does at the end of all times. */
int64_t yg_detect_exception_end(const struct yg_detect_exception *x);
struct yg_detect_exception_filter {
	struct yg_reach reach; /* those within it, above it, and everywhere; of rules seen there */
	struct yg_sv rule;     /* empty: any */
	struct yg_sv part;     /* in the reason, the text or the rule's title; empty: any */
	enum yg_detect_validity validity;
	yg_wall now;
	bool by_end;         /* what ends first is first, what never does last; else, and of one
			      * end, the newest is */
	struct yg_sv before; /* keyset: ids below, of that end; empty: from the first */
	int64_t before_end;
	uint32_t limit; /* 1..YG_PAGE_MAX */
};
yg_status yg_detect_exception_list(struct yg_state *db, const struct yg_detect_exception_filter *f,
				   struct yg_arena *arena, struct yg_detect_exception **out,
				   size_t *out_n, struct yg_err *err);
struct yg_detect_exception_set { /* NULL: as it is */
	const struct yg_sv *text, *reason;
	const yg_wall *expires;
};
yg_status yg_detect_exception_change(struct yg_act *act, struct yg_sv id, int64_t version,
				     const struct yg_detect_exception_set *set,
				     struct yg_err *err) YG_MUST_USE;
yg_status yg_detect_exception_remove(struct yg_act *act, struct yg_sv id,
				     struct yg_err *err) YG_MUST_USE;

/* ---- what rules did ---- */

struct yg_detect_stat {
	struct yg_sv rule, org; /* rule empty: of all together */
	yg_wall at;             /* when it was counted: its hour */
	uint64_t looked_at, hits, excepted, cost_ns;
	const struct yg_sv *samples; /* ids of events that hit, oldest first */
	size_t sample_count;
};
/* Adds to what is there, in the caller's transaction; no audit entry, no change to compile.
 * Of several at once the caller sums up what all did and adds that too, once. */
yg_status yg_detect_stat_add(struct yg_state *db, const struct yg_detect_stat *a,
			     struct yg_err *err) YG_MUST_USE;
void yg_detect_stat_sum(struct yg_detect_stat *sum, const struct yg_detect_stat *a);
/* That there are events of the log source, as the tables of view.h say it; as above. */
yg_status yg_detect_source_add(struct yg_state *db, struct yg_sv org,
			       const struct yg_detect_logsource *is, yg_wall at,
			       struct yg_err *err) YG_MUST_USE;
/* Hours and log sources older than 92 days go, some at a time. */
yg_status yg_detect_stat_stale(struct yg_state *db, yg_wall now, struct yg_err *err) YG_MUST_USE;
/* The hours of days of Japan that ended a week ago or earlier become one row for the day, in
 * transactions of a rule and a day each, until at least `rows` are folded or nothing is left;
 * *out_rows: how many.  What it is broken off at stays for the next time, and what is counted
 * later for such a day is folded then. */
yg_status yg_detect_stat_fold(struct yg_state *db, yg_wall now, uint64_t rows, uint64_t *out_rows,
			      struct yg_err *err) YG_MUST_USE;
struct yg_drule_numbers {
	int64_t hits_24h, hits_30d, excepted_30d, cost_24h_ns;
	int64_t alerts_30d, false_30d;
	yg_wall last; /* hit; us == 0: none in 30 days */
};
/* Of each of some rules within reach, up to `now` or the end of its period: out[i] of uids[i]. */
yg_status yg_drule_numbers(struct yg_state *db, const struct yg_sv *uids, size_t n,
			   const struct yg_reach *reach, yg_wall now, struct yg_drule_numbers *out,
			   struct yg_err *err);
/* Nanoseconds that all rules took in the same day. */
yg_status yg_drule_cost(struct yg_state *db, const struct yg_reach *reach, yg_wall now,
			int64_t *out, struct yg_err *err);
struct yg_detect_hour {
	yg_wall hour; /* its beginning */
	bool day;     /* it is a day, of Japan */
	int64_t looked_at, hits, excepted, cost_ns;
};
struct yg_drule_hours_of {
	struct yg_sv rule; /* empty: of all */
	struct yg_reach reach;
	yg_wall from, to; /* from <= hour < to, within the period of `reach` */
	yg_wall now;
};
/* Hours that have something, of what is a week old whole days, oldest first, at most 2400. */
yg_status yg_drule_hours(struct yg_state *db, const struct yg_drule_hours_of *of,
			 struct yg_arena *arena, struct yg_detect_hour **out, size_t *out_n,
			 struct yg_err *err);
struct yg_detect_sample {
	struct yg_sv org, event;
	yg_wall at;
};
/* Newest first, at most YG_PAGE_MAX; counted within the period of `reach`. */
yg_status yg_drule_samples(struct yg_state *db, struct yg_sv rule, const struct yg_reach *reach,
			   struct yg_arena *arena, struct yg_detect_sample **out, size_t *out_n,
			   struct yg_err *err);

struct yg_detect_cover { /* a rule, for the matrix of techniques */
	struct yg_sv tags, category, product, service;
	enum yg_detect_stage stage; /* for the organisation asked for */
	bool data; /* events of its log source, or its own hits, came within 30 days */
	int64_t hits_30d, alerts_30d;
};
/* Rules and correlations within reach, those for all, and those of what stands above `org`
 * (empty: the stage is the rule's own), up to `now` or the end of the period of `reach`.  Not
 * those that cannot be compiled. */
yg_status yg_detect_covers(struct yg_state *db, const struct yg_reach *reach, struct yg_sv org,
			   yg_wall now, struct yg_arena *arena, struct yg_detect_cover **out,
			   size_t *out_n, struct yg_err *err);

/* ---- all of them, for those who compile ---- */

/* Every rule that is not off everywhere, with its text: filters, correlations, rules, the
 * oldest first of each; views end with the call. */
typedef yg_status yg_drule_fn(void *ctx, const struct yg_drule *r, struct yg_err *err);
yg_status yg_detect_rules_each(struct yg_state *db, yg_drule_fn *fn, void *ctx, struct yg_err *err);
struct yg_detect_feed {
	/* Of rules these alone (uids, ascending; borrowed), as live whatever their stage is, beside
	 * all filters and correlations; a correlation among them is as live, too.  NULL: everything
	 * that is not off everywhere. */
	const struct yg_sv *only;
	size_t only_count;
	bool own_stage; /* those rules in the stage that they have */
	/* A rule that is asked beside them, behind all filters; NULL: none.  Under a uid that there
	 * is it stands for that one: its overrides and exceptions hold. */
	const struct yg_ruleset_doc *tried;
	yg_drule_fn *each; /* every document before it goes in; NULL: nobody asks */
	void *ctx;
};
/* Everything that makes a set into a new builder: organisations, documents, and overrides and
 * exceptions that are in force at `now`. */
yg_status yg_detect_feed(struct yg_state *db, const struct yg_detect_feed *of, yg_wall now,
			 struct yg_ruleset_builder *b, struct yg_err *err);
/* The one rule that has this id of Sigma and holds for something within reach; in the arena.
 * YG_NOTFOUND: none, or several. */
yg_status yg_drule_of_id(struct yg_state *db, struct yg_sv sigma_id, const struct yg_reach *reach,
			 struct yg_arena *arena, struct yg_sv *out_uid, struct yg_err *err);
/* Why a rule is not compiled, or empty: it is.  No audit entry, no change to compile. */
yg_status yg_drule_refuse(struct yg_state *db, struct yg_sv uid, struct yg_sv reason,
			  struct yg_err *err) YG_MUST_USE;
/* True when something changed since the last snapshot was begun, or that one did not come to an end:
 * who asks compiles, and nobody beside him. */
yg_status yg_detect_dirty(struct yg_state *db, bool *out, struct yg_err *err);
/* Can this program open the snapshot that <dir>/detect-current names?  Not when it is gone,
 * damaged or of another program's layout: then it must be compiled again. */
bool yg_detect_usable(const char *dir);
struct yg_detect_compiled {
	uint64_t generation;
	char file[64]; /* "detect-12.ygs", below the folder */
	struct yg_ruleset_stats stats;
};
/* Compiles everything into <dir>/detect-<generation>.ygs and points <dir>/detect-current at
 * it (both whole or not at all); older files but the last two are removed.  Why a rule was
 * left out stands at it afterwards.  Telling main is the caller's. */
yg_status yg_detect_compile(struct yg_act *act, const char *dir, struct yg_detect_compiled *out,
			    struct yg_err *err) YG_MUST_USE;
