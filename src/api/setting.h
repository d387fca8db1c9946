/* setting.h - what a node of the tree says for itself and all below it: asked for, and set. */
#pragma once
#include "api/api.h"
#include "api/body.h"

/* The answer: what holds at `org` (empty: what is said for all). */
typedef yg_status yg_setting_fn(struct yg_request *q, struct yg_response *r, struct yg_state *db,
				struct yg_sv org, struct yg_err *err);
/* GET: of ?org=, or the caller's own. */
yg_status yg_setting_get(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 yg_setting_fn *answer, struct yg_err *err);

/* A change of the node that the body names.  `answer` is the caller's, the rest zero;
 * YG_AUTO(yg_setting_done). */
struct yg_setting {
	yg_setting_fn *answer; /* what holds there */
	struct yg_lease l;
	struct yg_body b;
	struct yg_sv org; /* empty: for all */
};
/* Reads the body, of whose fields the first is "org", and begins the change.  With If-Match
 * what s->answer says of the node must be what the caller has read: else 412. */
yg_status yg_setting_begin(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   const struct yg_field *fields, size_t n, struct yg_value *values,
			   struct yg_setting *s, struct yg_err *err);
/* What holds there now as the answer, with its ETag; ends the change well when `st` is. */
yg_status yg_setting_answer(struct yg_request *q, struct yg_response *r, struct yg_setting *s,
			    yg_status st, struct yg_err *err);
void yg_setting_done(struct yg_setting *s);
