/* notice_found.h - findings beside rules as people look them up, alerts or not: of each thing
 * that is watched the newest one, and how many there were; role center. */
#pragma once
#include "detect/notice.h"
#include "detect/stage.h"
#include "org/reach.h"
#include "store/state.h"

#define YG_NOTICE_FOUND_MAX  500 /* of one kind and organisation; beyond it the oldest go */
#define YG_NOTICE_FOUND_DAYS 92  /* as the numbers of rules */

struct yg_notice_found { /* views; of a list: arena */
	struct yg_sv org, who, asset, event;
	struct yg_sv fields; /* JSON (detect/watch_finding.h): the newest one */
	enum yg_notice_kind kind;
	enum yg_detect_stage stage; /* of the newest */
	unsigned score, severity_id;
	int64_t count, place;
	yg_wall first, last; /* when they were told, in the time of the events */
};
/* One more; within the caller's transaction.  count and place are not read. */
yg_status yg_notice_found_add(struct yg_state *db, const struct yg_notice_found *f,
			      struct yg_err *err) YG_MUST_USE;

struct yg_notice_found_filter {
	struct yg_reach reach;    /* told within its period, the first and the newest */
	struct yg_sv kind, stage; /* empty: of any */
	struct yg_sv part;        /* in what is watched, or in the asset; empty: any */
	unsigned severity_min;
	int64_t from_us, to_us; /* last told then; to 0: until now */
	bool by_score;          /* the highest first; of one score, and else, the newest */
	int64_t before;         /* keyset: places below, of that score; 0: from the first */
	int64_t before_score;
	uint32_t limit;
};
yg_status yg_notice_found_list(struct yg_state *db, const struct yg_notice_found_filter *f,
			       struct yg_arena *arena, struct yg_notice_found **out, size_t *out_n,
			       struct yg_err *err);
/* Those last seen longer ago go. */
yg_status yg_notice_found_stale(struct yg_state *db, yg_wall now, struct yg_err *err);
