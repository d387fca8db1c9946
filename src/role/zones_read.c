/* zones_read.c - a zone out of its file: a small one at once, a large one beside, in the job's
 * thread, while the loop goes on with what there was.  Of a list only the form is tried here;
 * its lines are taken when the policy is compiled. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns/source.h"
#include "os/file.h"
#include "role/zones_internal.h"

#define READ_BYTES 262144u

struct zones_reading {
	struct zone *z; /* borrowed; of it only what the configuration says is read */
	uint8_t key[16];
	struct yg_dns_records *records; /* owned */
	struct yg_dns_source *source;   /* owned */
	struct yg_buf list;             /* owned */
	yg_status st, saved;
	struct yg_err err, not_saved;
};

static void reading_end(struct zones_reading *r)
{
	yg_dns_source_free(r->source);
	yg_dns_records_free(r->records);
	yg_buf_free(&r->list);
}

static struct zones_reading reading_of(struct zone *z)
{
	struct zones_reading r = {.z = z};
	(void)zones_key(z->all, r.key);
	yg_buf_init(&r.list, ZONES_FILE_MAX);
	return r;
}

static yg_status open_source(struct zones_reading *r, struct yg_err *err)
{
	const struct zone *z = r->z;
	struct yg_dns_source_opts o = {.is_list = z->is_list, .origin = z->spec.origin};
	struct yg_dns_records_opts ro = {.origin = z->spec.origin, .folder = ZONES_FOLDER};
	memcpy(ro.key, r->key, sizeof ro.key);
	yg_status st = z->is_list ? YG_OK : yg_dns_records_new(&ro, &r->records, err);
	o.records = r->records;
	return st == YG_OK ? yg_dns_source_new(&o, &r->source, err) : st;
}

static yg_status feed(struct zones_reading *r, struct yg_sv bytes, struct yg_err *err)
{
	if (r->z->is_list)
		yg_buf_put(&r->list, bytes);
	return r->list.bad ? YG_FAIL(err, YG_TOOBIG, "the list is too large")
			   : yg_dns_source_feed(r->source, bytes, err);
}

static yg_status read_all(struct zones_reading *r, int fd, struct yg_err *err)
{
	char *buf = malloc(READ_BYTES);
	yg_status st = YG_OK;
	if (buf == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read a zone");
	while (st == YG_OK) {
		ssize_t n = read(fd, buf, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			st = YG_FAIL_OS(err, errno, "reading it");
		if (n <= 0)
			break;
		st = feed(r, (struct yg_sv){buf, (size_t)n}, err);
	}
	free(buf);
	if (st == YG_OK)
		st = yg_dns_source_end(r->source, err);
	if (st == YG_OK && !r->z->is_list && yg_dns_records_origin(r->records) == NULL)
		st = YG_FAIL(err, YG_PARSE, "there is no record in it");
	return st;
}

/* Reads it, and writes down what is kept. */
void zones_reading_work(struct zones_reading *r)
{
	YG_AUTO(yg_fd_close)
	int fd = open(r->z->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	r->st = fd < 0 ? YG_FAIL_OS(&r->err, errno, "opening it") : open_source(r, &r->err);
	if (r->st == YG_OK)
		r->st = read_all(r, fd, &r->err);
	yg_dns_source_free(r->source);
	r->source = NULL;
	if (r->st != YG_OK)
		return;
	struct zone as_read = {.conf = r->z->conf,
			       .is_list = r->z->is_list,
			       .records = r->records,
			       .list = r->list};
	r->saved = zones_kept_save(&as_read, &r->not_saved);
}

static void take_over(struct zone *z, struct zones_reading *r)
{
	zones_base_drop(z);
	yg_dns_records_free(z->records);
	yg_buf_free(&z->list);
	yg_file_unmap(&z->list_map);
	z->records = r->records;
	z->list = r->list;
	r->records = NULL;
	yg_buf_init(&r->list, 1);
	z->unsaved = false;
	zones_kept_done(z, r->saved, &r->not_saved);
}

static void take(struct zones_reading *r)
{
	struct zone *z = r->z;
	if (r->st != YG_OK) {
		zones_news_bad(z, &r->err);
		yg_role_log(z->all->ctx, YG_EV_ZONES_REFUSED, YG_KU("zone", z->conf->name),
			    YG_KU("file", yg_sv_of(z->path)), YG_KERR(&r->err));
		return;
	}
	take_over(z, r);
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

/* Before the first policy is compiled nobody waits for the loop. */
void zones_read(struct zone *z, bool large)
{
	z->to_read = large && z->all->begun;
	if (z->to_read && (zones_job_begin(z->all, ZONES_READ) || zones_job_busy(z->all)))
		return; /* or at the next look */
	z->to_read = false;
	YG_AUTO(reading_end) struct zones_reading r = reading_of(z);
	zones_reading_work(&r);
	take(&r);
}
