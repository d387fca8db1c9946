/* hunt_filter.h - what every stored event that a rule matches must have, as a condition for
 * the event store; pure.
 *
 * Never too narrow: of what cannot be said in SQL nothing is said, and who reads the events
 * asks the rule itself.  Said are the log source, by the tables of view.h, and literals that
 * must stand in the record or in a column.
 */
#pragma once
#include "detect/rule.h"

#define YG_HUNT_FILTER_MAX 131072u /* bytes of a condition; a longer one says only the log source */

/* Appends a condition over the columns of the event table: "1" when every event may match,
 * "0" when none can, because no event is of that log source.  Literals stand in it
 * as yg_ch_quote() writes them.  YG_OK | YG_NOMEM. */
yg_status yg_hunt_filter(const struct yg_sigma_rule *rule, struct yg_buf *sql, struct yg_err *err);
/* The same of its log source alone. */
yg_status yg_hunt_filter_source(const struct yg_sigma_rule *rule, struct yg_buf *sql,
				struct yg_err *err);
