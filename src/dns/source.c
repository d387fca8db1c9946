#include "dns/source.h"

#include <stdlib.h>

#include "base/breath.h"
#include "format/inflate.h"

#define CHUNK 262144u /* unpacked, at once */
#define PART  32768u  /* of it between two breaths */

struct yg_dns_source {
	struct yg_dns_source_opts opts;
	struct yg_zone_reader *reader; /* owned, one of the two or, of a list tried, none */
	struct yg_dns_list *list;
	uint64_t bytes;
	struct yg_inflate *inflate; /* owned; NULL: plain */
	char *plain;                /* owned: CHUNK bytes */
	bool begun;
};

static yg_status give_rr(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct yg_dns_source *s = ctx;
	return s->opts.records != NULL ? yg_dns_records_add(s->opts.records, rr, err)
				       : yg_dns_builder_rr(s->opts.builder, s->opts.zone, rr, err);
}

yg_status yg_dns_source_new(const struct yg_dns_source_opts *opts, struct yg_dns_source **out,
			    struct yg_err *err)
{
	struct yg_dns_source *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a policy zone");
	s->opts = *opts;
	const struct yg_zone_opts zone = {.origin = opts->origin, .ctx = s, .record = give_rr};
	const struct yg_dns_list_opts list = {.builder = opts->builder,
					      .zone = opts->zone,
					      .allow = opts->allow,
					      .force = opts->force};
	yg_status st = YG_OK;
	if (!opts->is_list)
		st = yg_zone_reader_new(&zone, &s->reader, err);
	else if (opts->builder != NULL)
		st = yg_dns_list_new(&list, &s->list, err);
	if (st != YG_OK) {
		free(s);
		return st;
	}
	*out = s;
	return YG_OK;
}

void yg_dns_source_free(struct yg_dns_source *s)
{
	if (s == NULL)
		return;
	yg_zone_reader_free(s->reader);
	yg_dns_list_free(s->list);
	yg_inflate_free(s->inflate);
	free(s->plain);
	free(s);
}

/* At most CHUNK. */
static yg_status take_plain(struct yg_dns_source *s, struct yg_sv bytes, struct yg_err *err)
{
	s->bytes += bytes.n;
	yg_breathe(YG_BREATH); /* comments alone are neither records nor names */
	if (s->list != NULL)
		return yg_dns_list_feed(s->list, bytes, err);
	return s->reader != NULL ? yg_zone_reader_feed(s->reader, bytes, err) : YG_OK;
}

/* The next CHUNK, or what there is of it. */
static yg_status unpack(struct yg_dns_source *s, struct yg_sv *bytes, size_t *out_n,
			struct yg_err *err)
{
	yg_status st = YG_OK;
	*out_n = 0;
	for (size_t n = 1; st == YG_OK && n > 0 && *out_n < CHUNK; *out_n += n) {
		n = 0;
		st = yg_inflate(s->inflate, bytes, s->plain + *out_n,
				YG_MIN(CHUNK - *out_n, (size_t)PART), &n, err);
		yg_breathe(YG_BREATH);
	}
	return st;
}

static yg_status begin(struct yg_dns_source *s, struct yg_sv bytes, struct yg_err *err)
{
	enum yg_encoding enc = yg_encoding_sniff(bytes);
	s->begun = true;
	if (enc == YG_PLAIN)
		return YG_OK;
	s->plain = malloc(CHUNK);
	if (s->plain == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a policy zone");
	return yg_inflate_new(enc, YG_DNS_SOURCE_BYTES_MAX, &s->inflate, err);
}

yg_status yg_dns_source_feed(struct yg_dns_source *s, struct yg_sv bytes, struct yg_err *err)
{
	yg_status st = s->begun || bytes.n == 0 ? YG_OK : begin(s, bytes, err);
	while (st == YG_OK && s->inflate == NULL && bytes.n > 0) {
		st = take_plain(s, yg_sv_sub(bytes, 0, CHUNK), err);
		bytes = yg_sv_sub(bytes, CHUNK, bytes.n);
	}
	while (st == YG_OK && s->inflate != NULL) {
		size_t n = 0;
		st = unpack(s, &bytes, &n, err);
		if (st == YG_OK && n == 0 && bytes.n == 0)
			break;
		if (st == YG_OK)
			st = take_plain(s, (struct yg_sv){s->plain, n}, err);
	}
	return st;
}

yg_status yg_dns_source_end(struct yg_dns_source *s, struct yg_err *err)
{
	if (s->inflate != NULL && !yg_inflate_complete(s->inflate))
		return YG_FAIL(err, YG_PARSE, "the compressed file is cut short");
	if (s->list != NULL)
		return yg_dns_list_end(s->list, err);
	return s->reader != NULL ? yg_zone_reader_end(s->reader, err) : YG_OK;
}

uint64_t yg_dns_source_bytes(const struct yg_dns_source *s)
{
	return s->bytes;
}
