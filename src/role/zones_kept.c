/* zones_kept.c - what every zone has, and what is kept of it in zones/<name>.kept, so that one
 * that cannot be read or transferred at the next start is as it was.
 *
 * What was read from a file is on trial at first: it lies in zones/<name>.new, beside what
 * there was, until a policy with it has been compiled.  One that cannot be compiled is
 * refused, and the zone is as it was. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/breath.h"
#include "format/inflate.h"
#include "os/file.h"
#include "role/zones_internal.h"

#define PACKED_TIMES 8u /* about, of a list that is packed, when it is not known */

uint8_t *zones_key(struct zones *z, uint8_t out[static 16])
{
	z->ctx->env.random(z->ctx->env.ctx, out, 16);
	return out;
}

/* ---- content ---- */

void zones_content_init(struct zone_content *c)
{
	*c = (struct zone_content){.list_map = {"", 0}};
	yg_buf_init(&c->list, ZONES_FILE_MAX);
}

void zones_content_end(struct zone_content *c)
{
	yg_dns_records_free(c->records);
	yg_buf_free(&c->list);
	yg_file_unmap(&c->list_map);
	zones_content_init(c);
}

struct yg_sv zones_list(const struct zone *z)
{
	return z->now.list.n > 0 ? yg_buf_sv(&z->now.list) : z->now.list_map;
}

static void put_in_place(struct zone_content *to, struct zone_content *from)
{
	zones_content_end(to);
	*to = *from;
	zones_content_init(from);
}

static const char *path_of(const struct zone *z, const char *ending, char *buf, size_t n)
{
	struct yg_sb b = yg_sb_init(buf, n);
	yg_sb_printf(&b, ZONES_FOLDER "/" YG_SV_FMT ".%s", YG_SV_ARG(z->conf->name), ending);
	return yg_sb_cstr(&b);
}

void zones_content_new(struct zone *z, struct zone_content *c, bool saved)
{
	char from[128], to[128];
	zones_base_drop(z);
	if (!z->on_trial)
		put_in_place(&z->before, &z->now);
	put_in_place(&z->now, c);
	z->on_trial = true;
	(void)path_of(z, "new", to, sizeof to);
	if (!saved || rename(path_of(z, "read", from, sizeof from), to) != 0)
		(void)unlink(to); /* that of one before it */
}

static void good(struct zone *z)
{
	char from[128], to[128];
	if (!z->on_trial)
		return;
	z->on_trial = false;
	zones_content_end(&z->before);
	/* none: it could not be written down, which was told */
	(void)rename(path_of(z, "new", from, sizeof from), path_of(z, "kept", to, sizeof to));
}

void zones_refused(struct zone *z, const struct yg_err *err)
{
	zones_news_bad(z, err);
	yg_role_log(z->all->ctx, YG_EV_ZONES_REFUSED, YG_KU("zone", z->conf->name),
		    YG_KU("file", yg_sv_of(z->path)), YG_KERR(err));
}

static void refuse(struct zone *z, const struct yg_err *err)
{
	char path[128];
	zones_base_drop(z);
	zones_refused(z, err);
	z->on_trial = false;
	(void)unlink(path_of(z, "new", path, sizeof path));
	put_in_place(&z->now, &z->before);
	if (z->now.records == NULL && zones_list(z).n == 0)
		zones_kept_read(z);
}

/* Was it tried there, and is it what is there still? */
static bool is_tried(const struct zones *z, const struct zones *seen, size_t i)
{
	return z->zones[i].on_trial &&
	       (seen == NULL || (seen->zones[i].on_trial && !z->zones[i].since_all));
}

void zones_tried_good(struct zones *z, const struct zones *seen)
{
	for (size_t i = 0; i < z->count; i++)
		if (is_tried(z, seen, i))
			good(&z->zones[i]);
}

bool zones_tried_bad(struct zones *z, const struct zones *seen, size_t at, const struct yg_err *err)
{
	bool any = false;
	if (err->code == YG_IO) /* the disk's fault */
		return false;
	if (at < z->count && is_tried(z, seen, at)) {
		refuse(&z->zones[at], err);
		return true;
	}
	for (size_t i = 0; i < z->count; i++) /* with one of them it has become too much */
		if (is_tried(z, seen, i)) {
			refuse(&z->zones[i], err);
			any = true;
		}
	return any;
}

/* ---- what is kept ---- */

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
	const struct zone_content *c = ctx;
	return c->records == NULL ? yg_fd_write(fd, yg_buf_sv(&c->list), err)
				  : fill_records(c->records, fd, err);
}

yg_status zones_kept_try(const struct zone *z, struct zone_content *c, struct yg_err *err)
{
	char path[128];
	return yg_file_make(path_of(z, "read", path, sizeof path), 0600, fill_kept, c, err);
}

yg_status zones_kept_save(struct zone *z, struct yg_err *err)
{
	char path[128];
	return yg_file_make(path_of(z, "kept", path, sizeof path), 0600, fill_kept, &z->now, err);
}

bool zones_kept_map(const struct zone *z, struct yg_sv *out)
{
	char path[128];
	return yg_file_map(path_of(z, z->on_trial ? "new" : "kept", path, sizeof path),
			   ZONES_FILE_MAX, out, NULL) == YG_OK;
}

void zones_kept_done(struct zone *z, yg_status saved, const struct yg_err *err)
{
	struct zone_content *c = &z->now;
	struct yg_sv map;
	if (c->records != NULL)
		yg_dns_records_rest(c->records);
	if (saved == YG_OK && c->list.n > 0 && zones_kept_map(z, &map)) {
		yg_buf_free(&c->list);
		yg_buf_init(&c->list, ZONES_FILE_MAX);
		c->list_map = map;
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
	yg_status st = yg_dns_records_new(&o, &z->now.records, err);
	if (st == YG_OK)
		st = yg_dns_records_load(z->now.records, bytes, err);
	if (st != YG_OK) {
		yg_dns_records_free(z->now.records);
		z->now.records = NULL;
	}
	return st;
}

void zones_kept_read(struct zone *z)
{
	char path[128];
	struct yg_err err = {0};
	struct yg_sv map = {"", 0};
	struct stat file;
	yg_status st =
		yg_file_map(path_of(z, "kept", path, sizeof path), ZONES_FILE_MAX, &map, &err);
	if (st == YG_NOTFOUND)
		return;
	if (st == YG_OK && z->is_list) {
		bool packed = yg_encoding_sniff(map) != YG_PLAIN;
		z->now.list_map = map;
		z->now.list_plain = map.n * (packed ? PACKED_TIMES : 1);
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
