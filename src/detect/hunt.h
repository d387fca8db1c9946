/* hunt.h - rules over events of the past, as the event store has them.
 *
 *   yg_hunt_where_new(env, &w, &err), yg_hunt_where_add(w, rule, &err) ...   what is asked for
 *   yg_hunt_scan s = {...};                                                  where to look
 *   while (!s.done) yg_hunt_next(ch, yg_hunt_where_text(w), &s, on_row, ctx, &err);
 *   on_row: yg_hunt_record(&views, ev, &record, &err), then the set is asked (detect/ruleset.h)
 *
 * A stored row has every column of the event and the record as it came, which is all that
 * rules see while events come in: so the same rules match.  The store leaves out what no rule
 * can match (hunt_filter.h); of the rest each rule is asked.
 *
 * Blocking, one thread at a time.
 */
#pragma once
#include "detect/engine.h"
#include "detect/view.h"
#include "event/search.h"
#include "event/table.h"

/* ---- what is asked for ---- */

/* Bytes of the condition of several rules; a longer one would cost more to read than it saves. */
#define YG_HUNT_WHERE_MAX 32768u

/* What every event has that one of many rules matches (hunt_filter.h): of many more their log
 * sources alone, and of too many nothing. */
struct yg_hunt_where; /* owned: yg_hunt_where_free() */
yg_status yg_hunt_where_new(const struct yg_env *env, struct yg_hunt_where **out,
			    struct yg_err *err);
void yg_hunt_where_free(struct yg_hunt_where *w); /* NULL is fine */
/* YG_OK | YG_NOMEM. */
yg_status yg_hunt_where_add(struct yg_hunt_where *w, const struct yg_sigma_rule *rule,
			    struct yg_err *err);
/* For yg_hunt_next(), until the next change. */
struct yg_sv yg_hunt_where_text(const struct yg_hunt_where *w);

/* ---- events as rules see them ---- */

struct yg_hunt_views {
	const struct yg_env *env;                   /* borrowed */
	const struct yg_detect *engine;             /* borrowed: whose fields are made of events */
	struct yg_detect_view *of[YG_SOURCE_COUNT]; /* owned; made when one is needed */
};
void yg_hunt_views_free(struct yg_hunt_views *v);
/* Until the next call, and as long as the event.  YG_NOMEM. */
yg_status yg_hunt_record(struct yg_hunt_views *v, const struct yg_event *ev,
			 struct yg_detect_record *out, struct yg_err *err);

/* ---- one rule, which need not be kept anywhere ---- */

#define YG_HUNT_RULE_ARENA ((size_t)256 << 20) /* takes one document, read */
/* The text's one document (YAML), in the arena: a rule, which can be compiled, or a correlation.
 * YG_PARSE: "rule:line: reason" | YG_LIMIT | YG_NOMEM. */
yg_status yg_hunt_rule_read(const struct yg_env *env, struct yg_sv text, struct yg_arena *arena,
			    struct yg_sigma_rule **out, struct yg_err *err);

/* ---- events ---- */

#define YG_HUNT_SLICE_US 2000000 /* what one question to the store should take */

struct yg_hunt_scan {
	const struct yg_sv *orgs; /* borrowed: of these; NULL: of all */
	size_t org_count;
	int64_t from, to;        /* of `time` */
	int64_t received_before; /* what came later is none of ours; 0: no bound */
	bool lean;               /* events come without the record */
	bool oldest_first;       /* in the order of their time; else the newest first */
	/* where it is; zero at the beginning.  Kept, it goes on there. */
	bool begun;
	int64_t edge; /* what is read next begins here, or ends where the newest are first */
	struct yg_search_key last; /* what was read last, when `within` a slice */
	bool within, done;
	int64_t width; /* of slices, in `time` */
	uint32_t most; /* rows of one */
	uint64_t rows; /* that the store gave */
};
/* `ev` and what it points to end with the call.  YG_LIMIT, but for the first of a slice: there
 * is no room for it; the slice ends before it and the next one begins with it. */
typedef yg_status yg_hunt_row_fn(void *ctx, const struct yg_event *ev, struct yg_err *err);
/* The next slice; it may be empty.  What our own
 * findings are is left out.  `where`: a condition as hunt_filter.h makes it.  When it fails,
 * the place stays; a slice that was too much is asked again, narrower, by the next call.
 * YG_OK | YG_AGAIN: the store is not there | what `row` said. */
yg_status yg_hunt_next(struct yg_ch *ch, struct yg_sv where, struct yg_hunt_scan *s,
		       const struct yg_env *env, yg_hunt_row_fn *row, void *ctx,
		       struct yg_err *err);
/* How much of it is done, of 1000. */
unsigned yg_hunt_share(const struct yg_hunt_scan *s);
/* The place as text, and read again, so that the next slice is the same as it would have
 * been.  Empty: the beginning.  YG_CORRUPT. */
#define YG_HUNT_PLACE_MAX (YG_SEARCH_CURSOR_MAX + 48)
void yg_hunt_place_put(const struct yg_hunt_scan *s, struct yg_sb *b);
yg_status yg_hunt_place_get(struct yg_sv text, struct yg_hunt_scan *s, struct yg_err *err);
