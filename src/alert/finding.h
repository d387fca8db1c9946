/* finding.h - takes the findings of ingest in, exactly once.
 *
 * Runs in center.  A batch is applied in one transaction together with its
 * spool's high-water mark, so that a batch sent again after any crash changes
 * nothing.  A finding that cannot be read or whose organisation is gone is
 * counted and skipped: it must not stop the rest.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"

struct yg_finding { /* views in the message or the arena */
	struct yg_sv uid, org, indicator, indicator_type, list, category, family, tlp, asset, field,
		value, event_id, title;
	struct yg_sv fields; /* JSON, [["name","value"],...]; empty: field and value are all */
	bool historical;     /* found in the past, long after it was taken in */
	int64_t count;       /* equal ones of its batch that it stands for; at least 1 */
	int severity_id;     /* 1..6 */
	int confidence;      /* 0..100 */
	yg_wall time;
};
/* One finding as JSON (role/message.h).  YG_PARSE says what is wrong. */
yg_status yg_finding_parse(struct yg_sv json, struct yg_arena *arena, struct yg_finding *out,
			   struct yg_err *err);

struct yg_finding_result {
	bool duplicate;   /* the spool's mark was at or above this batch already */
	uint32_t applied; /* findings that joined an alert */
	uint32_t bad;     /* unreadable */
	uint32_t unknown; /* organisation not there */
	uint32_t opened;  /* new alerts */
};
/* The body of a FINDINGS message.  YG_OK when it is in the database (or was
 * already); anything else: send it again later.  YG_PARSE when the message
 * itself is not one. */
yg_status yg_findings_apply(struct yg_act *act, struct yg_sv body, struct yg_finding_result *out,
			    struct yg_err *err) YG_MUST_USE;
/* The last batch applied of a spool; 0 when none. */
yg_status yg_findings_mark(struct yg_state *db, uint32_t spool, uint64_t *out, struct yg_err *err);
struct yg_mark {
	uint32_t spool;
	uint64_t batch;
};
/* Of all spools, at most `limit`; arena. */
yg_status yg_findings_marks(struct yg_state *db, uint32_t limit, struct yg_arena *arena,
			    struct yg_mark **out, size_t *out_n, struct yg_err *err);
