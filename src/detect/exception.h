/* exception.h - the detection part of an exception, as a rule of any log source; pure.
 *
 *   selection:
 *     Image: C:\Program Files\Backup\agent.exe
 *   condition: selection
 */
#pragma once
#include "detect/rule.h"

#define YG_DETECT_EXCEPTION_MAX 65536 /* bytes of its text */

/* The maps of searches and the condition, as a rule has them below `detection`.  *out lives in
 * the arena; its log source is any.  In err the lines are those of `text`.
 * YG_OK | YG_PARSE ("line N: ...") | YG_LIMIT | YG_NOMEM. */
yg_status yg_detect_exception_read(struct yg_sv text, struct yg_arena *arena,
				   struct yg_sigma_rule *out, struct yg_err *err);
/* The same, as an exception from a correlation: of what one holds for there are the fields that
 * it groups by, and nothing else can be named.  YG_PARSE for that too. */
yg_status yg_detect_exception_of_group(struct yg_sv text, const struct yg_sigma_correlation *c,
				       struct yg_arena *arena, struct yg_sigma_rule *out,
				       struct yg_err *err);
