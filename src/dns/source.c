#include "dns/source.h"

#include <stdlib.h>

#include "base/breath.h"
#include "format/inflate.h"

#define CHUNK  262144u
#define BREATH 4u /* of one record */

struct yg_dns_source {
	struct yg_dns_source_opts opts;
	struct yg_zone_reader *reader; /* owned, one of the two */
	struct yg_dns_list *list;
	struct yg_inflate *inflate; /* owned; NULL: plain */
	char *plain;                /* owned: CHUNK bytes */
	bool begun;
};

static yg_status give_rr(void *ctx, const struct yg_zone_rr *rr, struct yg_err *err)
{
	struct yg_dns_source *s = ctx;
	yg_breathe(BREATH);
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
	yg_status st = opts->is_list ? yg_dns_list_new(&list, &s->list, err)
				     : yg_zone_reader_new(&zone, &s->reader, err);
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

static yg_status take_plain(struct yg_dns_source *s, struct yg_sv bytes, struct yg_err *err)
{
	return s->list != NULL ? yg_dns_list_feed(s->list, bytes, err)
			       : yg_zone_reader_feed(s->reader, bytes, err);
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
	if (st == YG_OK && s->inflate == NULL)
		return take_plain(s, bytes, err);
	while (st == YG_OK) {
		size_t n = 0;
		st = yg_inflate(s->inflate, &bytes, s->plain, CHUNK, &n, err);
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
	return s->list != NULL ? yg_dns_list_end(s->list, err) : yg_zone_reader_end(s->reader, err);
}
