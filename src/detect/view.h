/* view.h - an event as rules see it, made of the normalised event and the record it came from.
 *
 * Which log sources of Sigma an event is, and which of Sigma's fields it has beside its own,
 * say the tables in view_table.c (doc/detect.md).  One view per thread.
 */
#pragma once
#include "base/env.h"
#include "detect/engine.h"
#include "event/normalize.h"

#define YG_DETECT_PAIRS_MAX   20000 /* of one event; what is beyond is not looked at */
#define YG_DETECT_SOURCES_MAX 12    /* log sources of one event */

struct yg_detect_view;
/* `own`: the log source of every event, where the caller knows it better than the tables
 * (borrowed; NULL: by the tables).  YG_OK | YG_NOMEM. */
yg_status yg_detect_view_new(enum yg_source source, const struct yg_detect_logsource *own,
			     const struct yg_env *env, struct yg_detect_view **out,
			     struct yg_err *err);
/* The normaliser (borrowed; NULL: none) that gives the events: one that it gave last is not
 * parsed again. */
void yg_detect_view_follow(struct yg_detect_view *v, const struct yg_norm *norm);
/* From here on what the rules and correlations of this engine ask for is all that is made of an
 * event, with the engine's numbers of names.  Borrowed until the next call; NULL: everything. */
void yg_detect_view_only(struct yg_detect_view *v, const struct yg_detect *engine);
void yg_detect_view_free(struct yg_detect_view *v); /* NULL is fine */
/* The event's fields; views last until the next call and as long as the event.  YG_OK |
 * YG_NOMEM (what is there may be asked all the same). */
yg_status yg_detect_view_make(struct yg_detect_view *v, const struct yg_event *ev,
			      struct yg_detect_record *out, struct yg_err *err);

/* ---- the tables ---- */

struct yg_detect_source_row { /* an event that is all of this is also of this log source */
	uint8_t source;       /* enum yg_source; 0: any */
	uint32_t class_uid;   /* 0: any */
	const char
		*log_name; /* NULL: any; letters' case does not count, '*' at the end: begins so */
	const char *codes; /* ",1,2,": its event codes; NULL: any */
	const char *app;   /* NULL: any */
	const char *category, *product, *service;
};
enum yg_detect_part {                 /* of a URL; several are several values */
		      YG_PART_ALL,    /* what there is, of URLs or other text */
		      YG_PART_TARGET, /* as it is, and from the path on */
		      YG_PART_QUERY, /* behind the '?', and from the path on: rules mean the one or the other */
		      YG_PART_STEM,      /* the path */
		      YG_PART_EXTENSION, /* behind the path's last '.', if it has one in its last part */
};
struct yg_detect_field_row { /* in such an event `to` is another name of ... */
	uint8_t source;
	uint32_t class_uid;
	const char *codes;
	const char *to;
	const char *from; /* ... this field of the record, or, if NULL, ... */
	uint8_t column;   /* ... this column (enum yg_event_field) */
	uint8_t part;     /* enum yg_detect_part of it */
};
extern const struct yg_detect_source_row yg_detect_source_rows[]; /* ended by no words at all */
extern const struct yg_detect_field_row yg_detect_field_rows[];   /* ended by `to` NULL */
