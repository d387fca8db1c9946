/* export.h - every row of a list into a file.  An export asks the list's own
 * route, page after page, as who ordered it: it has the same filter, the same
 * order and the same rights, as they are while it runs.  Events are read from the
 * store in large chunks (event/scan.h), with the list's filter and rights.
 */
#pragma once
#include "api/routes.h"
#include "report/sheet.h"

#define YG_EXPORT_BYTES_MAX  (1ULL << 30) /* of one file; more: the job fails and says so */
#define YG_EXPORT_FOLDER_MAX (4ULL << 30) /* of all of them; more: a new one is refused */
#define YG_EXPORT_KEEP_S     86400        /* then the file is removed */
#define YG_EXPORT_ROWS_MAX   5000         /* that an order may name */
#define YG_EXPORT_KIND       "export"     /* of its job */

#define YG_EXPORT_KINDS                                                                                  \
	"alerts alert-groups compare events indicators indicator-lists allow-entries audit-log sources"  \
	" organisations systems people grants tokens approvals saved-searches jobs system-events"        \
	" alert-evidence alert-history alert-comments block-entries dns-requests dns-zones"              \
	" detection-rules detection-exceptions attack-matrix detection-findings retro-hunts my-sessions" \
	" my-tokens my-passkeys"

struct yg_export { /* what the body of POST /api/v1/exports asks for */
	struct yg_sv kind;
	enum yg_sheet_format format;
	const struct yg_route *route;
	struct yg_http_pair query[YG_HTTP_QUERY_MAX];
	size_t query_count;
	bool at_once;       /* who asked waits for it: nothing of it is kept */
	bool japanese;      /* titles and reasons are: as the order says, else as who asks reads */
	bool told_language; /* the order says it */
	bool only;          /* these rows and no others, of those that the list has */
	struct yg_sv *rows; /* sorted */
	size_t row_count;
};
/* Reads q->body; what is wrong is noted. */
yg_status yg_export_read(struct yg_request *q, struct yg_export *out, struct yg_err *err);

/* Can this list be had as a file? */
bool yg_export_lists(const struct yg_route *r);
/* The list that `q` asks for, with its filter, as CSV.  YG_PARSE: with a place in it. */
yg_status yg_export_of_list(struct yg_request *q, struct yg_export *out, struct yg_err *err);
/* Does it ask for that (Accept: text/csv)?  Then the answer. */
bool yg_list_file_wanted(const struct yg_request *q);
yg_status yg_list_file(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err);

/* What is asked of the list's route, but how much at once. */
void yg_export_put_query(const struct yg_export *e, struct yg_request *q);

typedef bool yg_export_progress(void *ctx, uint64_t done, uint64_t total);
struct yg_export_result {
	uint64_t rows, bytes;
};
/* Writes <api->export_path>/<job>.<ending>.  What fails leaves no file.
 * YG_AGAIN: progress said no. */
yg_status yg_export_run(struct yg_api *api, const struct yg_export *e, struct yg_sv actor,
			struct yg_sv job, yg_export_progress *progress, void *ctx,
			struct yg_export_result *out, struct yg_err *err);
/* Removes files older than YG_EXPORT_KEEP_S; *out_bytes: of those that stay. */
void yg_export_clean(const char *path, yg_wall now, uint64_t *out_bytes);
/* The rights of an export as text, beside its file. */
void yg_export_put_reach(struct yg_buf *b, const struct yg_reach *r);
yg_status yg_export_keep_reach(const char *path, struct yg_sv job, struct yg_sv reach,
			       struct yg_err *err);
/* Do `now` and what was kept with the file agree?  YG_DENIED: some of what it was
 * made with is lost; YG_NOTFOUND: it is gone. */
yg_status yg_export_covered(const char *path, struct yg_sv job, const struct yg_reach *now,
			    struct yg_err *err);
/* "<path>/<job>.<ending>" */
void yg_export_path(struct yg_sb *b, const char *path, struct yg_sv job, enum yg_sheet_format f);
