/* zones_file.c - when the file of a zone is to be read, and what is kept of every zone in
 * zones/<name>.kept, so that one that cannot be read or transferred at the next start is as
 * it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/breath.h"
#include "base/codec.h"
#include "dns/source.h"
#include "os/file.h"
#include "role/zones_internal.h"

#define READ_SMALL (1 << 20) /* bytes that are read before anybody notices */

uint8_t *zones_key(struct zones *z, uint8_t out[static 16])
{
	z->ctx->env.random(z->ctx->env.ctx, out, 16);
	return out;
}

static bool state_of(const char *path, struct zone_state *out)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	*out = (struct zone_state){
		.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
		.size = st.st_size,
		.inode = st.st_ino};
	return true;
}

static bool state_eq(const struct zone_state *a, const struct zone_state *b)
{
	return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->size == b->size &&
	       a->inode == b->inode;
}

/* One that was just written to is left alone until it has been quiet for one look:
 * half a file may well be a whole zone. */
bool zones_state_changed(const char *path, struct zone_state *seen, struct zone_state *waiting,
			 bool *tried, bool *is_waiting, bool at_once)
{
	struct zone_state now = {.size = -1};
	(void)state_of(path, &now); /* none: opening it says why, once */
	if (*tried && state_eq(&now, seen)) {
		*is_waiting = false;
		return false;
	}
	if (!at_once && (!*is_waiting || !state_eq(&now, waiting))) {
		*is_waiting = true;
		*waiting = now;
		return false;
	}
	*tried = true;
	*is_waiting = false;
	*seen = now;
	return true;
}

void zones_file_look(struct zone *z, bool at_once)
{
	if (zones_state_changed(z->path, &z->seen, &z->waiting, &z->tried, &z->is_waiting, at_once))
		zones_read(z, z->seen.size > READ_SMALL);
	else if (z->to_read)
		zones_read(z, true);
}

/* ---- what is kept ---- */

static const char *kept_path(const struct zone *z, char *buf, size_t n)
{
	struct yg_sb b = yg_sb_init(buf, n);
	yg_sb_printf(&b, "zones/" YG_SV_FMT ".kept", YG_SV_ARG(z->conf->name));
	return yg_sb_cstr(&b);
}

struct yg_sv zones_list(const struct zone *z)
{
	return z->list.n > 0 ? yg_buf_sv(&z->list) : z->list_map;
}

/* In one pass, and what is counted is what is written: the records may change meanwhile. */
static yg_status fill_records(const struct yg_dns_records *r, int fd, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf part = {0};
	size_t at = 0;
	uint32_t crc = 0;
	struct yg_sv run;
	yg_buf_init(&part, (size_t)16 << 20);
	yg_dns_records_head(r, 0, &part);
	yg_status st = YG_OK;
	for (bool more = true; more && st == YG_OK;) {
		st = part.bad ? YG_FAIL(err, YG_NOMEM, "no memory to keep it")
			      : yg_fd_write(fd, yg_buf_sv(&part), err);
		part.n = 0;
		yg_breathe(YG_BREATH);
		more = yg_dns_records_run(r, &at, &run);
		if (more)
			yg_buf_put(&part, run);
		crc = yg_crc32c(crc, part.p, part.n);
	}
	if (st == YG_OK && pwrite(fd, &crc, sizeof crc, YG_DNS_RECORDS_CRC_AT) != sizeof crc)
		st = YG_FAIL_OS(err, errno, "writing it");
	return st;
}

static yg_status fill_kept(void *ctx, int fd, struct yg_err *err)
{
	const struct zone *z = ctx;
	return z->is_list || z->records == NULL ? yg_fd_write(fd, zones_list(z), err)
						: fill_records(z->records, fd, err);
}

yg_status zones_kept_save(struct zone *z, struct yg_err *err)
{
	char path[128];
	return yg_file_make(kept_path(z, path, sizeof path), 0600, fill_kept, z, err);
}

bool zones_kept_map(const struct zone *z, struct yg_sv *out)
{
	char path[128];
	return yg_file_map(kept_path(z, path, sizeof path), ZONES_FILE_MAX, out, NULL) == YG_OK;
}

void zones_kept_done(struct zone *z, yg_status saved, const struct yg_err *err)
{
	struct yg_sv map;
	if (z->records != NULL)
		yg_dns_records_rest(z->records);
	if (saved == YG_OK && z->list.n > 0 && zones_kept_map(z, &map)) {
		yg_file_unmap(&z->list_map);
		yg_buf_free(&z->list);
		yg_buf_init(&z->list, ZONES_FILE_MAX);
		z->list_map = map;
	}
	if (saved != YG_OK)
		yg_role_log(z->all->ctx, YG_EV_ZONES_NOT_KEPT, YG_KU("zone", z->conf->name),
			    YG_KERR(err));
}

void zones_kept_write(struct zone *z)
{
	struct yg_err err = {0};
	z->unsaved = false;
	yg_status st = zones_kept_save(z, &err);
	zones_kept_done(z, st, &err);
}

static yg_status load_kept(struct zone *z, struct yg_sv bytes, struct yg_err *err)
{
	struct yg_dns_records_opts o = {.origin = z->spec.origin, .folder = ZONES_FOLDER};
	(void)zones_key(z->all, o.key);
	yg_status st = yg_dns_records_new(&o, &z->records, err);
	if (st == YG_OK)
		st = yg_dns_records_load(z->records, bytes, err);
	if (st != YG_OK) {
		yg_dns_records_free(z->records);
		z->records = NULL;
	}
	return st;
}

void zones_kept_read(struct zone *z)
{
	char path[128];
	struct yg_err err = {0};
	struct yg_sv map = {"", 0};
	struct stat file;
	yg_status st = yg_file_map(kept_path(z, path, sizeof path), ZONES_FILE_MAX, &map, &err);
	if (st == YG_NOTFOUND)
		return;
	if (st == YG_OK && z->is_list) {
		z->list_map = map;
		map = (struct yg_sv){"", 0};
	} else if (st == YG_OK) {
		st = load_kept(z, map, &err);
	}
	yg_file_unmap(&map);
	if (st != YG_OK)
		yg_role_log(z->all->ctx, YG_EV_ZONES_REFUSED, YG_KU("zone", z->conf->name),
			    YG_KU("file", yg_sv_of(path)), YG_KERR(&err));
	else if (stat(path, &file) == 0)
		z->news.changed_at = (int64_t)file.st_mtim.tv_sec * YG_US_PER_S;
}
