/* zones_local.c - local zones of organisations (resolve.local): their files are read
 * here and given to the workers in one piece, which see no folder.  A file that cannot
 * be read leaves its zone as it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns/local.h"
#include "os/file.h"
#include "role/zones_internal.h"

#define KIND        3u /* of snapshots: local zones */
#define RECORDS_MAX ((size_t)128 << 20)

struct local { /* one entry of resolve.local */
	const struct yg_conf_dns_local *conf;
	struct yg_dns_name zone;
	char path[4096];
	struct zone_state seen, waiting;
	bool tried, is_waiting;
	bool have;             /* records are of its file, now or once */
	struct yg_buf records; /* owned; packed */
};
struct zones_local {
	struct local *zones; /* owned */
	size_t count;
	uint64_t generation;
	bool dirty;
};

/* ---- a file ---- */

struct reading {
	struct local *l;
	struct yg_zone_reader *reader; /* owned */
	struct yg_dns_zones *scratch;  /* owned: whether the records can stand together */
	struct yg_buf records;         /* owned */
};

static void reading_end(struct reading *r)
{
	yg_zone_reader_free(r->reader);
	yg_dns_zones_free(r->scratch);
	yg_buf_free(&r->records);
}

static yg_status on_record(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct reading *r = ctx;
	yg_status st = yg_dns_local_pack(&r->records, &r->l->zone, rr, err);
	if (st == YG_OK)
		st = yg_dns_zones_record(r->scratch, 0, rr->owner, rr->type, rr->ttl, rr->rdata,
					 err);
	if (st != YG_OK)
		(void)yg_err_wrap(err, "line %llu: ", (unsigned long long)rr->line);
	return st;
}

static yg_status feed(void *ctx, struct yg_sv bytes, struct yg_err *err)
{
	return yg_zone_reader_feed(ctx, bytes, err);
}

static yg_status read_all(struct reading *r, int fd, struct yg_err *err)
{
	yg_status st = yg_fd_each(fd, feed, r->reader, err);
	if (st == YG_OK)
		st = yg_zone_reader_end(r->reader, err);
	if (st == YG_OK && r->records.n == 0)
		st = YG_FAIL(err, YG_PARSE, "there is no record in it");
	return st;
}

static yg_status read_file(struct reading *r, struct yg_err *err)
{
	const struct yg_zone_opts o = {.origin = &r->l->zone, .ctx = r, .record = on_record};
	yg_buf_init(&r->records, RECORDS_MAX);
	r->scratch = yg_dns_zones_new();
	if (r->scratch == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read it");
	yg_status st =
		yg_dns_zones_add(r->scratch, 0, &r->l->zone, YG_DNS_ZONE_LOCAL, 0, true, err);
	if (st == YG_OK)
		st = yg_zone_reader_new(&o, &r->reader, err);
	if (st != YG_OK)
		return st;
	YG_AUTO(yg_fd_close)
	int fd = open(r->l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? YG_FAIL_OS(err, errno, "opening it") : read_all(r, fd, err);
}

static void load(struct zones *z, struct local *l)
{
	struct yg_err err = {0};
	YG_AUTO(reading_end) struct reading r = {.l = l};
	if (read_file(&r, &err) != YG_OK) {
		yg_role_log(z->ctx, YG_EV_ZONES_LOCAL_REFUSED, YG_KU("zone", l->conf->zone),
			    YG_KU("org", l->conf->org), YG_KU("file", yg_sv_of(l->path)),
			    YG_KERR(&err));
		return;
	}
	yg_buf_free(&l->records);
	l->records = r.records;
	yg_buf_init(&r.records, 1);
	l->have = true;
	z->local->dirty = true;
}

/* ---- all of them ---- */

/* What the last start made: a zone whose file is broken now is as it was then. */
static void take_kept(struct zones_local *all, const struct yg_dns_local_zone *z)
{
	for (size_t i = 0; i < all->count; i++) {
		struct local *l = &all->zones[i];
		if (!yg_sv_eq(l->conf->org, z->org) || !yg_dns_name_eq(&l->zone, &z->name))
			continue;
		yg_buf_put(&l->records, z->records);
		l->have = !l->records.bad;
	}
}

static void read_kept(struct zones *z)
{
	char path[96];
	struct yg_err err = {0};
	struct yg_sv map = {"", 0};
	struct yg_dns_local_file f;
	struct yg_dns_local_zone zone;
	(void)snprintf(path, sizeof path, "zones/local-%llu.ygl",
		       (unsigned long long)z->local->generation);
	yg_status st = yg_file_map(path, YG_DNS_LOCAL_BYTES, &map, &err);
	if (st == YG_OK)
		st = yg_dns_local_open(map, &f, &err);
	while (st == YG_OK && (st = yg_dns_local_next(&f, &zone, &err)) == YG_OK)
		take_kept(z->local, &zone);
	yg_file_unmap(&map);
	if (st != YG_OK && st != YG_NOTFOUND)
		yg_role_log(z->ctx, YG_EV_ZONES_LOCAL_REFUSED, YG_KU("file", yg_sv_of(path)),
			    YG_KERR(&err));
}

static yg_status write_all(struct zones_local *all, uint64_t generation, const char *path,
			   struct yg_err *err)
{
	struct yg_dns_local_zone *list = calloc(all->count + 1, sizeof *list);
	YG_AUTO(yg_buf_free) struct yg_buf out = {0};
	size_t n = 0;
	yg_buf_init(&out, YG_DNS_LOCAL_BYTES);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the local zones");
	for (size_t i = 0; i < all->count; i++) {
		const struct local *l = &all->zones[i];
		if (l->have)
			list[n++] = (struct yg_dns_local_zone){
				.org = l->conf->org,
				.name = l->zone,
				.overlay = YG_SV_IS(l->conf->other_names, "upstream"),
				.records = yg_buf_sv(&l->records)};
	}
	yg_status st = yg_dns_local_write(list, n, generation, &out, err);
	free(list);
	return st == YG_OK ? yg_file_write(path, yg_buf_sv(&out), 0600, err) : st;
}

static void publish(struct zones *z)
{
	struct zones_local *all = z->local;
	struct yg_err err = {0};
	char path[96];
	uint64_t old = all->generation, generation = old + 1;
	(void)snprintf(path, sizeof path, "zones/local-%llu.ygl", (unsigned long long)generation);
	all->dirty = false;
	struct yg_sv name = yg_sv_sub(yg_sv_of(path), 6, SIZE_MAX);
	yg_status st = write_all(all, generation, path, &err);
	if (st == YG_OK)
		st = yg_role_publish(z->ctx, KIND, generation, name);
	if (st == YG_OK)
		st = yg_file_write("zones/local", name, 0600, &err);
	if (st != YG_OK) {
		yg_role_log(z->ctx, YG_EV_ZONES_FAILED, YG_KERR(&err));
		return;
	}
	all->generation = generation;
	if (old > 1) { /* the one before stays: who opens it may be a moment late */
		(void)snprintf(path, sizeof path, "zones/local-%llu.ygl",
			       (unsigned long long)(old - 1));
		(void)unlink(path);
	}
	yg_role_log(z->ctx, YG_EV_ZONES_LOCAL, YG_KN("generation", generation),
		    YG_KN("zones", all->count));
}

void zones_local_look(struct zones *z, bool at_once)
{
	struct zones_local *all = z->local;
	for (size_t i = 0; i < all->count; i++) {
		struct local *l = &all->zones[i];
		if (zones_state_changed(l->path, &l->seen, &l->waiting, &l->tried, &l->is_waiting,
					at_once))
			load(z, l);
	}
	if (all->dirty)
		publish(z);
}

yg_status zones_local_prepare(struct zones *z, struct yg_err *err)
{
	const struct yg_conf *c = z->conf;
	struct zones_local *all = calloc(1, sizeof *all);
	if (all == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the local zones");
	z->local = all;
	all->count = c->dns_local_count;
	all->zones = calloc(all->count + 1, sizeof *all->zones);
	if (all->zones == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for the local zones");
	yg_status st = YG_OK;
	for (size_t i = 0; i < all->count && st == YG_OK; i++) {
		struct local *l = &all->zones[i];
		l->conf = &c->dns_locals[i];
		yg_buf_init(&l->records, RECORDS_MAX);
		struct yg_sb b = yg_sb_init(l->path, sizeof l->path);
		yg_sb_put(&b, l->conf->file);
		(void)yg_sb_cstr(&b);
		st = yg_dns_name_parse(l->conf->zone, NULL, &l->zone, err);
		if (st == YG_OK)
			st = zones_dir(z, l->path, err);
	}
	return st;
}

yg_status zones_local_open(struct zones *z, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	uint64_t n = 0;
	if (z->local->count == 0)
		return YG_OK;
	yg_buf_init(&b, 4096);
	yg_status st = yg_file_read("zones/local", 256, &b, err);
	if (st != YG_OK && st != YG_NOTFOUND)
		return st;
	struct yg_sv name = yg_sv_trim(yg_buf_sv(&b));
	if (yg_sv_starts(name, YG_SV("local-")) && yg_sv_ends(name, YG_SV(".ygl")) &&
	    yg_parse_u64(yg_sv_sub(name, 6, name.n - 10), &n, NULL) == YG_OK) {
		z->local->generation = n;
		read_kept(z);
	}
	zones_local_look(z, true);
	return YG_OK;
}
