#include "cmd/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/inflate.h"
#include "os/file.h"

enum { PIECE = 262144 };

struct reading {
	int fd;
	char *piece, *plain; /* owned */
	struct yg_split *split;
	struct yg_inflate *inflate; /* NULL: plain */
	yg_log_batch_fn fn;
	void *ctx;
	bool stopped;
};

static void reading_free(struct reading *r)
{
	free(r->piece);
	free(r->plain);
	yg_split_free(r->split);
	yg_inflate_free(r->inflate);
}

static void give(struct reading *r, struct yg_sv bytes)
{
	struct yg_split_batch batch;
	while (!r->stopped && yg_split_next(r->split, &bytes, &batch))
		r->stopped = !r->fn(r->ctx, batch.bytes);
}

static yg_status unpack(struct reading *r, struct yg_sv bytes, struct yg_err *err)
{
	size_t n = 1;
	yg_status st = YG_OK;
	while (st == YG_OK && (bytes.n > 0 || n > 0) && !r->stopped) {
		st = yg_inflate(r->inflate, &bytes, r->plain, PIECE, &n, err);
		give(r, (struct yg_sv){r->plain, n});
	}
	return st;
}

static yg_status read_all(struct reading *r, struct yg_err *err)
{
	size_t n;
	/* whole pieces, so that the first holds the magic of a pipe too */
	yg_status st = yg_fd_fill(r->fd, r->piece, PIECE, &n, err);
	if (st == YG_OK && yg_sv_starts((struct yg_sv){r->piece, n}, YG_SV("PK\x03\x04")))
		return YG_FAIL(err, YG_INVAL, "a zip archive: unpack it, and give the files in it");
	enum yg_encoding enc = yg_encoding_sniff((struct yg_sv){r->piece, n});
	if (st == YG_OK && enc != YG_PLAIN)
		st = yg_inflate_new(enc, UINT64_MAX, &r->inflate, err);
	while (st == YG_OK && n > 0 && !r->stopped) {
		struct yg_sv bytes = {r->piece, n};
		if (r->inflate != NULL)
			st = unpack(r, bytes, err);
		else
			give(r, bytes);
		if (st == YG_OK)
			st = yg_fd_fill(r->fd, r->piece, PIECE, &n, err);
	}
	struct yg_split_batch batch;
	while (!r->stopped && yg_split_end(r->split, &batch))
		r->stopped = !r->fn(r->ctx, batch.bytes);
	if (st == YG_OK && !r->stopped && r->inflate != NULL && !yg_inflate_complete(r->inflate))
		st = YG_FAIL(err, YG_PARSE,
			     "the compressed file is cut short; what was there was read");
	return st;
}

yg_status yg_log_file_read(const char *file, enum yg_source source, yg_log_batch_fn fn, void *ctx,
			   struct yg_err *err)
{
	bool standard = strcmp(file, "-") == 0;
	YG_AUTO(yg_fd_close) int own = standard ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	YG_AUTO(reading_free)
	struct reading r = {.fd = standard ? STDIN_FILENO : own, .fn = fn, .ctx = ctx};
	if (r.fd < 0)
		return YG_FAIL_OS(err, errno, "%s", file);
	struct stat info;
	if (fstat(r.fd, &info) == 0 && S_ISDIR(info.st_mode))
		return YG_FAIL(err, YG_INVAL, "%s: a folder: give the files in it", file);
	r.piece = malloc(PIECE);
	r.plain = malloc(PIECE);
	if (r.piece == NULL || r.plain == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read a file");
	yg_status st = yg_split_new(source, 0, &r.split, err);
	if (st == YG_OK)
		st = read_all(&r, err);
	if (st != YG_OK)
		(void)yg_err_wrap(err, "%s: ", file);
	return st;
}
