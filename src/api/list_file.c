/* A list asked for as text/csv: every row of it, at once. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/export.h"
#include "org/job.h"
#include "os/file.h"

/* Somebody waits for it, and of a list in the event store it holds the place of a search:
 * what is more, or takes longer, is ordered as an export. */
#define ROWS_MAX 100000u
#define WAIT_S   30

bool yg_list_file_wanted(const struct yg_request *q)
{
	return q->method == YG_HTTP_GET &&
	       yg_http_prefers(q->header[YG_HH_ACCEPT], YG_SV("text/csv"),
			       YG_SV("application/json")) &&
	       yg_export_lists(q->route);
}

struct patience {
	const struct yg_env *env;
	yg_mono until;
	bool many, late; /* why it was stopped */
};

static bool within(void *ctx, uint64_t done, uint64_t total)
{
	struct patience *p = ctx;
	p->many = YG_MAX(done, total) > ROWS_MAX;
	p->late = yg_env_mono(p->env).us > p->until.us;
	return !p->many && !p->late;
}

/* What the stopped export is to who waited for it. */
static yg_status too_much(const struct patience *p, struct yg_err *err)
{
	return p->many ? YG_FAIL(err, YG_TOOBIG,
				 "a list of more than %u rows is ordered as an export", ROWS_MAX)
		       : YG_FAIL(err, YG_TOOBIG,
				 "a list that takes longer than %d s is ordered as an export",
				 WAIT_S);
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
	struct patience wait = {.env = api->env,
				.until = {yg_env_mono(api->env).us + WAIT_S * YG_US_PER_S}};
	yg_status st = yg_export_of_list(q, &e, err);
	if (st == YG_OK)
		st = yg_export_run(api, &e, yg_sv_of(q->who.actor), yg_id_sv(&id), within, &wait,
				   &result, err);
	if (st == YG_AGAIN && (wait.many || wait.late))
		return too_much(&wait, err);
	if (st != YG_OK)
		return st;
	yg_export_path(&p, api->export_path, yg_id_sv(&id), e.format);
	return take(yg_sb_cstr(&p), r, err);
}
