/* print.h - writes policies: as Cedar's JSON, as text, and texts laid out anew.  Pure. */
#pragma once
#include "base/sb.h"
#include "cedar/policy.h"

#define YG_CEDAR_LINE 80 /* characters of a line, where there is a choice */

/* The set as Cedar's JSON: {"staticPolicies", "templates", "templateLinks"}.
 * YG_OK | YG_NOMEM | YG_LIMIT (the buffer's). */
yg_status yg_cedar_put_json(struct yg_buf *out, const struct yg_cedar_policies *p,
			    struct yg_err *err);
/* As text, a policy per line.  Text has no links: a linked policy stands as what it says,
 * and @id is given wherever an id would be another one when it is read again.
 * The same, and YG_PARSE: JSON can say what text cannot (a method of nothing). */
yg_status yg_cedar_put_text(struct yg_buf *out, const struct yg_cedar_policies *p,
			    struct yg_err *err);
/* Lays a text of policies out: only white space changes, comments stay where they are.
 * The text must be one that yg_cedar_policies_text() reads; what it is laid out as comes
 * out as it is when it is laid out again.  YG_OK | YG_PARSE | YG_NOMEM | YG_LIMIT. */
yg_status yg_cedar_lay_out(struct yg_buf *out, struct yg_sv text, struct yg_err *err);
