/* A list asked for as text/csv: every row of it, at once. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/export.h"
#include "org/job.h"
#include "os/file.h"

#define ROWS_MAX 100000u /* somebody waits for it; more is ordered as an export */

bool yg_list_file_wanted(const struct yg_request *q)
{
	return q->method == YG_HTTP_GET && (q->route->flags & YG_RT_SLOW) == 0 &&
	       yg_http_prefers(q->header[YG_HH_ACCEPT], YG_SV("text/csv"),
			       YG_SV("application/json")) &&
	       yg_export_lists(q->route);
}

static bool within(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *rows = ctx;
	*rows = done;
	return YG_MAX(done, total) <= ROWS_MAX;
}

/* The file is gone from the folder when it is opened. */
static yg_status take(const char *path, struct yg_response *r, struct yg_err *err)
{
	struct stat sb;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	(void)unlink(path);
	if (fd < 0 || fstat(fd, &sb) != 0) {
		yg_fd_close(&fd);
		return YG_FAIL(err, YG_IO, "the file was removed meanwhile");
	}
	r->status = 200;
	r->type = yg_sheet_type(YG_SHEET_CSV);
	r->file = true;
	r->fd = fd;
	r->file_bytes = (uint64_t)sb.st_size;
	yg_response_header(r, "Vary", YG_SV("Accept"));
	return YG_OK;
}

yg_status yg_list_file(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err)
{
	struct yg_export e;
	struct yg_export_result result;
	char path[192];
	struct yg_sb p = yg_sb_init(path, sizeof path);
	struct yg_act act = yg_request_act(q, api, NULL);
	struct yg_id id = yg_id_new(&act.ids, api->env, "f");
	uint64_t rows = 0;
	yg_status st = yg_export_of_list(q, &e, err);
	if (st == YG_OK)
		st = yg_export_run(api, &e, yg_sv_of(q->who.actor), yg_id_sv(&id), within, &rows,
				   &result, err);
	if (st == YG_AGAIN && rows > 0)
		return YG_FAIL(err, YG_TOOBIG,
			       "a list of more than %u rows is ordered as an export", ROWS_MAX);
	if (st != YG_OK)
		return st;
	yg_export_path(&p, api->export_path, yg_id_sv(&id), e.format);
	return take(yg_sb_cstr(&p), r, err);
}
