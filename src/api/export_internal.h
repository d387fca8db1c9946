/* export_internal.h - shared by the two ways an export is read. */
#pragma once
#include "api/export.h"
#include "format/json.h"

#define YG_EXPORT_COLUMNS_MAX 80

struct yg_export_work { /* one export that runs */
	struct yg_api *api;
	const struct yg_export *e;
	struct yg_sv actor;
	struct yg_arena arena; /* of a page, or of an event */
	struct yg_json json;
	struct yg_sheet *sheet;
	const char *columns[YG_EXPORT_COLUMNS_MAX];
	size_t column_count;
	char names[2048];
	uint64_t rows, total; /* total 0: not known */
	char cursor[YG_CURSOR_MAX * 2];
	bool asked;
	struct yg_buf reach; /* of the first question; the others have the same */
	yg_export_progress *progress;
	void *progress_ctx;
	yg_mono told; /* when progress was last told */
};

/* A request as the list's route gets it, by who ordered the export with the rights of
 * this moment. */
yg_status yg_export_request(struct yg_export_work *w, struct yg_arena *arena,
			    struct yg_request **out, struct yg_err *err);
/* The object at `row` of w->json as one row of the file. */
yg_status yg_export_row(struct yg_export_work *w, uint32_t row, struct yg_sv text,
			struct yg_err *err);
/* Tells how far it is, some times a second.  YG_AGAIN: to be stopped. */
yg_status yg_export_tell(struct yg_export_work *w, struct yg_err *err);
/* All events of a search. */
yg_status yg_export_events(struct yg_export_work *w, struct yg_err *err);
