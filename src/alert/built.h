/* built.h - statements over alerts, put together of the conditions asked for: what query.c
 * and bundle.c share. */
#pragma once
#include "alert/alert_internal.h"
#include "alert/query.h"

#define VALUES_MAX  32
#define OPEN_STATES (1u << YG_ALERT_NEW | 1u << YG_ALERT_IN_PROGRESS | 1u << YG_ALERT_ON_HOLD)
#define EVERY_STATE (OPEN_STATES | 1u << YG_ALERT_CLOSED)
#define BY_TIME     (YG_ALERT_ACTIVE | YG_ALERT_SNOOZED)

/* A statement that is put together from the conditions asked for: what is not
 * asked for is not in it, so that the planner can use an index for what is. */
struct built {
	struct yg_buf sql;
	struct {
		enum { IS_I64, IS_TEXT, IS_SET } kind;
		int64_t number;
		struct yg_sv text;
		const struct yg_sv *set;
		size_t set_n;
	} value[VALUES_MAX];
	int n;
	struct yg_state *db;
	char pattern[1024], near[768], words[768];
};

void built_put(struct built *b, const char *text);
/* Appends `before`, a parameter, `behind`. */
void built_number(struct built *b, const char *before, int64_t v);
void built_text(struct built *b, const char *before, struct yg_sv v, const char *behind);
void built_set(struct built *b, const char *before, const struct yg_sv *set, size_t n,
	       const char *behind);
/* " AND ...": whose alerts, and which. */
void built_reach(struct built *b, const struct yg_reach *r, bool sorted);
yg_status built_filter(struct built *b, const struct yg_alert_filter *f, struct yg_err *err);
/* `select` and all conditions of q; sorted: rows will be read in its order. */
yg_status built_begin(struct built *b, const char *select, const struct yg_alert_query *q,
		      bool sorted, struct yg_err *err);
/* The statement with its parameters. */
yg_status built_prepare(struct built *b, struct yg_state *db, struct yg_stmt **out,
			struct yg_err *err);
/* Organisation, state and severity alone: the counters know. */
bool built_counted(const struct yg_alert_filter *f);
