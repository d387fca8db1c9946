/* spool_testlib.h - what the spool's tests share: a folder of their own, batches
 * that can be told apart, file calls that fail when told. */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/spool.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {.us = 1700000000000000}, .seed = 11};
static struct yg_env env;
static char dir[64], aside[96];

static inline void wipe(const char *path)
{
	DIR *d = opendir(path);
	char name[512];
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		(void)snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			(void)unlink(name);
	}
	(void)closedir(d);
}
static inline void fresh(void)
{
	if (dir[0] == '\0') {
		/* In memory where that is to be had: thousands of syncs, none of them waited for. */
		(void)snprintf(dir, sizeof dir, "%s/yg-spool-XXXXXX",
			       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (mkdtemp(dir) == NULL)
			abort();
		(void)snprintf(aside, sizeof aside, "%s.aside", dir);
		if (mkdir(aside, 0700) != 0)
			abort();
		env = yg_env_sim(&sim);
	}
	wipe(dir);
	wipe(aside);
}
static inline void gone(void)
{
	wipe(dir);
	wipe(aside);
	(void)rmdir(dir);
	(void)rmdir(aside);
}
static inline int files_in(const char *path, const char *prefix)
{
	int n = 0;
	DIR *d = opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	if (d != NULL)
		(void)closedir(d);
	return n;
}
/* Without blocks held ready: in memory they would all be filled with zeros. */
static struct yg_spool_io test_io;
static inline int hold_nothing(void *ctx, int fd, off_t size)
{
	(void)ctx;
	(void)fd;
	(void)size;
	return -EOPNOTSUPP;
}
static inline struct yg_spool_conf conf_of(uint64_t segment, uint64_t most)
{
	test_io = yg_spool_io_os;
	test_io.reserve = hold_nothing;
	return (struct yg_spool_conf){.dir = dir,
				      .io = &test_io,
				      .aside_dir = aside,
				      .number = 3,
				      .segment_bytes = segment,
				      .most_bytes = most,
				      .env = &env};
}

/* Bodies of n bytes that begin with their tag. */
static char body_text[1 << 16];
static inline struct yg_spool_batch batch_of(unsigned tag, size_t n)
{
	struct yg_spool_batch b = {.received = {.us = 1000 + tag},
				   .source = 2,
				   .org = YG_SV_INIT("acme"),
				   .sensor = YG_SV_INIT("fw")};
	char *p = body_text + tag % 64 * 512;
	memset(p, 'a' + (int)(tag % 26), 512);
	memcpy(p, &tag, sizeof tag);
	b.body = (struct yg_sv){p, n < sizeof tag ? sizeof tag : n};
	return b;
}
static inline unsigned tag_of(const struct yg_spool_batch *b)
{
	unsigned tag = ~0u;
	if (b->body.n >= sizeof tag)
		memcpy(&tag, b->body.p, sizeof tag);
	return tag;
}
static inline void append(struct yg_spool *sp, struct yg_spool_batch *b)
{
	struct yg_spool_taken t;
	if (yg_spool_append(sp, b, &t, NULL) != YG_OK)
		T_NAMED(false, "append");
}
static inline void commit(struct yg_spool *sp)
{
	if (yg_spool_commit(sp, NULL) != YG_OK)
		T_NAMED(false, "commit");
}
/* All batches there are: number, and tags in order. */
static inline size_t read_all(const struct yg_spool_conf *conf, uint64_t after, unsigned *tags,
			      uint64_t *seqs, size_t most, uint64_t *damaged)
{
	struct yg_spool *sp;
	struct yg_spool_reader *r;
	struct yg_spool_batch b;
	size_t n = 0;
	struct yg_err err;
	if (yg_spool_open(conf, &sp, &err) != YG_OK ||
	    yg_spool_reader_open(conf, after, &r, &err) != YG_OK) {
		(void)printf("# %s\n", err.msg);
		return SIZE_MAX;
	}
	while (n < most && yg_spool_reader_next(r, yg_spool_limit(sp), &b, NULL) == YG_OK) {
		tags[n] = tag_of(&b);
		if (seqs != NULL)
			seqs[n] = b.seq;
		n++;
	}
	if (damaged != NULL)
		*damaged = yg_spool_reader_damaged(r);
	yg_spool_reader_close(r);
	yg_spool_close(sp);
	return n;
}
