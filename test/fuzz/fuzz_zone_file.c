/* A master file: the same records, or the same error, however its bytes are cut. */
#include <stdio.h>

#include "format/zone_file.h"
#include "fuzz/replay.h"

struct seen {
	uint64_t sum;
	size_t records;
	char error[256];
};

static yg_status take(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct seen *s = ctx;
	(void)err;
	s->records++;
	s->sum = s->sum * 31 + rr->type + rr->ttl + rr->cls + rr->line;
	for (size_t i = 0; i < rr->owner->n; i++)
		s->sum = s->sum * 31 + rr->owner->b[i];
	for (size_t i = 0; i < rr->rdata.n; i++)
		s->sum = s->sum * 31 + (uint8_t)rr->rdata.p[i];
	return YG_OK;
}

static void read_in(const uint8_t *p, size_t n, size_t piece, struct seen *s)
{
	struct yg_zone_opts opts = {.ctx = s, .record = take};
	struct yg_zone_reader *z = NULL;
	struct yg_err err = {.msg = ""};
	if (yg_zone_reader_new(&opts, &z, &err) != YG_OK)
		abort();
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < n; i += piece) {
		size_t part = YG_MIN(piece, n - i);
		uint8_t *exact = fuzz_exact(p + i, part);
		st = yg_zone_reader_feed(z, (struct yg_sv){(const char *)exact, part}, &err);
		free(exact);
	}
	if (st == YG_OK)
		st = yg_zone_reader_end(z, &err);
	if (st != YG_OK)
		(void)snprintf(s->error, sizeof s->error, "%s", err.msg);
	yg_zone_reader_free(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = {0}, cut = {0};
	read_in(data, size, size > 0 ? size : 1, &whole);
	read_in(data, size, 1 + size / 7, &cut);
	if (whole.sum != cut.sum || whole.records != cut.records ||
	    strcmp(whole.error, cut.error) != 0)
		abort();
	return 0;
}
