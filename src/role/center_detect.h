/* center_detect.h - for center_detect.c and center_detect_org.c alone: what the task of
 * correlations and findings beside rules knows.  Only its thread touches it, but `seen`. */
#pragma once
#include "detect/feed_store.h"
#include "detect/notice_found.h"
#include "detect/watch_finding.h"
#include "detect/watch_set.h"
#include "role/center.h"

#define DETECT_SAVE_US (30 * YG_US_PER_S)

struct org_watch {
	char org[YG_ORG_NAME_MAX + 1];
	struct yg_watch *w; /* owned */
	struct yg_watch_place place;
	int64_t saved; /* rows up to there are in its saved state */
	int64_t dirty; /* the first row that is not; 0: there is none */
	bool to_save;  /* of the saving at hand: not yet */
	bool told;     /* the row at hand has alerts of it */
};
struct hit_note {      /* a correlation held: to be counted */
	uint32_t rule; /* of the set */
	bool excepted;
	char org[YG_ORG_NAME_MAX + 1];
	char event[48];
};
struct center_correlation { /* as the API shows it, of all organisations together */
	char uid[64];
	struct yg_watch_state state;
};
struct detecting {
	struct org_watch *list; /* owned, by name */
	size_t n, cap;
	struct yg_watch_set set;
	bool loaded;
	yg_mono networks_next; /* when networks are read again */
	int64_t at, saved;     /* rows up to there were taken; are in all saved states */
	bool saving;           /* has begun: some states are saved, others not yet */
	yg_mono opened, publish_next;
	yg_mono save_next, save_rest; /* when it begins; when it may go on */
	yg_wall clock;                /* of the newest row of it */
	yg_wall wall;                 /* when the row at hand was kept */
	/* what the row at hand gives */
	struct yg_buf out, rows; /* alerts; findings among the events */
	struct yg_watch_at told;
	uint32_t count;         /* findings in `out` */
	struct hit_note *notes; /* owned */
	size_t note_n, note_cap;
	struct yg_notice_found *found; /* owned; its texts in found_texts */
	size_t found_n, found_cap;
	struct yg_arena found_texts;
	bool waits; /* what the row gave could not be applied yet */
	struct org_watch *now;
	struct center_detect_counts c;
	uv_mutex_t lock;
	struct center_detect_counts seen;
	struct center_correlation *correlations; /* owned */
	size_t correlation_n;
};

/* The one of that organisation; a new one when there is none. */
yg_status detect_org_get(struct center *c, struct detecting *d, struct yg_state *db,
			 struct yg_sv org, struct org_watch **out, struct yg_err *err);
/* Rules and saved states, once; then rules whenever they changed, what is known saved before. */
yg_status detect_load(struct center *c, struct detecting *d, struct yg_state *db,
		      struct yg_err *err);
yg_status detect_rules(struct center *c, struct detecting *d, struct yg_state *db,
		       struct yg_err *err);
/* Which networks are whose, now and then: nobody is told when systems change. */
yg_status detect_networks(struct center *c, struct detecting *d, struct yg_state *db,
			  struct yg_err *err);
/* All of it comes again from what is saved, and the rows since then. */
void detect_forget(struct detecting *d);
/* The states of those that changed, each in a transaction of its own, then how far all are.
 * whole: all of it; else a little, and the next call goes on. */
yg_status detect_save(struct center *c, struct detecting *d, struct yg_state *db, bool whole,
		      struct yg_err *err);
