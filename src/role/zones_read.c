/* zones_read.c - a zone out of its file: a small one at once, one that takes long beside, in the
 * job's thread, while the loop goes on with what there was.  A list is only unpacked here; its
 * lines are taken when the policy is compiled. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns/source.h"
#include "format/inflate.h"
#include "os/file.h"
#include "role/zones_internal.h"

#define READ_SMALL (1 << 20) /* bytes that are read before anybody notices, unless packed */

struct zones_reading {
	struct zone *z; /* borrowed; of it only what the configuration says is read */
	uint8_t key[16];
	struct zone_content new;      /* owned */
	struct yg_dns_source *source; /* owned */
	yg_status st, saved;
	struct yg_err err, not_saved;
};

static void reading_end(struct zones_reading *r)
{
	yg_dns_source_free(r->source);
	zones_content_end(&r->new);
}

static struct zones_reading reading_of(struct zone *z)
{
	struct zones_reading r = {.z = z};
	(void)zones_key(z->all, r.key);
	zones_content_init(&r.new);
	return r;
}

static yg_status open_source(struct zones_reading *r, struct yg_err *err)
{
	const struct zone *z = r->z;
	struct yg_dns_source_opts o = {.is_list = z->is_list, .origin = z->spec.origin};
	struct yg_dns_records_opts ro = {.origin = z->spec.origin, .folder = ZONES_FOLDER};
	memcpy(ro.key, r->key, sizeof ro.key);
	yg_status st = z->is_list ? YG_OK : yg_dns_records_new(&ro, &r->new.records, err);
	o.records = r->new.records;
	return st == YG_OK ? yg_dns_source_new(&o, &r->source, err) : st;
}

static yg_status feed(void *ctx, struct yg_sv bytes, struct yg_err *err)
{
	struct zones_reading *r = ctx;
	if (r->z->is_list)
		yg_buf_put(&r->new.list, bytes);
	return r->new.list.bad ? YG_FAIL(err, YG_TOOBIG, "the list is too large")
			       : yg_dns_source_feed(r->source, bytes, err);
}

/* Half of one and half of another is neither: who changed it in place has made another
 * state of it, which is read in its turn. */
static yg_status is_whole(const struct stat *before, int fd, struct yg_err *err)
{
	struct stat now;
	if (fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	    now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
		return YG_OK;
	return YG_FAIL(err, YG_AGAIN, "it was written to while it was read");
}

static yg_status read_all(struct zones_reading *r, struct yg_err *err)
{
	struct stat before;
	YG_AUTO(yg_fd_close)
	int fd = open(r->z->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &before) != 0)
		return YG_FAIL_OS(err, errno, "opening it");
	yg_status st = open_source(r, err);
	if (st == YG_OK)
		st = yg_fd_each(fd, feed, r, err);
	if (st == YG_OK)
		st = yg_dns_source_end(r->source, err);
	if (st == YG_OK)
		r->new.list_plain = yg_dns_source_bytes(r->source);
	if (st == YG_OK && !r->z->is_list && yg_dns_records_origin(r->new.records) == NULL)
		st = YG_FAIL(err, YG_PARSE, "there is no record in it");
	return st == YG_OK ? is_whole(&before, fd, err) : st;
}

/* Reads it, and writes down what is kept. */
void zones_reading_work(struct zones_reading *r)
{
	r->st = read_all(r, &r->err);
	yg_dns_source_free(r->source);
	r->source = NULL;
	if (r->st == YG_OK)
		r->saved = zones_kept_try(r->z, &r->new, &r->not_saved);
}

static void take(struct zones_reading *r)
{
	struct zone *z = r->z;
	if (r->st != YG_OK) {
		zones_refused(z, &r->err);
		return;
	}
	zones_content_new(z, &r->new, r->saved == YG_OK);
	zones_kept_done(z, r->saved, &r->not_saved);
	zones_news_good(z, true);
	zones_changed(z->all);
}

struct zones_reading *zones_reading_new(struct zones *z)
{
	struct zone *one = NULL;
	for (size_t i = 0; i < z->count && one == NULL; i++)
		if (z->zones[i].to_read)
			one = &z->zones[i];
	struct zones_reading *r = one != NULL ? malloc(sizeof *r) : NULL;
	if (r == NULL)
		return NULL;
	*r = reading_of(one);
	one->to_read = false;
	return r;
}

void zones_reading_take(struct zones_reading *r)
{
	take(r);
	reading_end(r);
	free(r);
}

const struct zone *zones_reading_zone(const struct zones_reading *r)
{
	return r->z;
}

/* How long a packed one takes its size does not tell. */
static bool takes_long(const struct zone *z)
{
	char magic[4];
	size_t n = 0;
	if (z->seen.size > READ_SMALL)
		return true;
	YG_AUTO(yg_fd_close)
	int fd = open(z->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && yg_fd_fill(fd, magic, sizeof magic, &n, NULL) == YG_OK &&
	       yg_encoding_sniff((struct yg_sv){magic, n}) != YG_PLAIN;
}

/* Before the first policy is compiled nobody waits for the loop.  What comes while the file is
 * being read comes after it, however small: else the older one would be in force. */
void zones_read(struct zone *z)
{
	z->to_read = zones_job_reads(z) || (z->all->begun && takes_long(z));
	if (z->to_read && (zones_job_begin(z->all, ZONES_READ) || zones_job_busy(z->all)))
		return; /* or at the next look */
	z->to_read = false;
	YG_AUTO(reading_end) struct zones_reading r = reading_of(z);
	zones_reading_work(&r);
	take(&r);
}
