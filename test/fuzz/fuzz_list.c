#include "base/codec.h"
#include "fuzz/replay.h"
#include "intel/list.h"

struct seen {
	uint32_t crc;
	uint64_t entries, refused;
};

static yg_status entry(void *ctx, const struct yg_indicator *ind, uint64_t line, struct yg_err *err)
{
	struct seen *s = ctx;
	(void)err;
	s->crc = yg_crc32c(s->crc, ind->value.p, ind->value.n);
	s->crc = yg_crc32c(s->crc, ind->family.p, ind->family.n);
	s->crc = yg_crc32c(s->crc, &line, sizeof line);
	s->entries++;
	return YG_OK;
}

static void refused(void *ctx, uint64_t line, const char *reason, struct yg_sv text)
{
	struct seen *s = ctx;
	s->crc = yg_crc32c(s->crc, reason, strlen(reason));
	s->crc = yg_crc32c(s->crc, text.p, text.n);
	s->crc = yg_crc32c(s->crc, &line, sizeof line);
	s->refused++;
}

static yg_status run(struct yg_sv bytes, unsigned format, size_t piece, struct seen *out)
{
	struct yg_list_opts opts = {.format = (enum yg_list_format)(format % YG_LIST_FORMAT_COUNT),
				    .ctx = out,
				    .entry = entry,
				    .refused = refused};
	struct yg_list_reader *l = NULL;
	*out = (struct seen){0};
	yg_status st = yg_list_new(&opts, &l, NULL);
	while (st == YG_OK && bytes.n > 0) {
		struct yg_sv part = yg_sv_sub(bytes, 0, piece);
		uint8_t *exact = fuzz_exact((const uint8_t *)part.p, part.n);
		if (exact == NULL)
			break;
		st = yg_list_feed(l, (struct yg_sv){(const char *)exact, part.n}, NULL);
		free(exact);
		bytes = yg_sv_sub(bytes, part.n, bytes.n);
	}
	if (st == YG_OK)
		st = yg_list_end(l, NULL);
	if (l != NULL && (yg_list_counts(l).entries != out->entries ||
			  yg_list_counts(l).refused != out->refused))
		abort();
	yg_list_free(l);
	return st;
}

/* First byte: the format; second: the size of the pieces.  The pieces a list
 * comes in change nothing (but for the magic of a packed one, which needs the
 * first four bytes together). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, pieces;
	if (size < 2)
		return 0;
	struct yg_sv bytes = {(const char *)data + 2, size - 2};
	size_t piece = 4 + (size_t)data[1] * 3;
	yg_status a = run(bytes, data[0], SIZE_MAX, &whole),
		  b = run(bytes, data[0], piece, &pieces);
	/* of a damaged packed list, how much came out before the damage may differ */
	if (a != b || (a == YG_OK && memcmp(&whole, &pieces, sizeof whole) != 0))
		abort();
	return 0;
}
