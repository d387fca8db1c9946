/* list.h - reads lists of indicators: CSV, plain text, hosts files.
 *
 * Bytes are pushed in as they come (gzip and zstd are told by their magic);
 * memory is constant.  A line that cannot be taken is reported with its number
 * and the reason and never stops the rest.  One thread per reader.
 * The formats are in doc/indicators.md.
 */
#pragma once
#include "format/inflate.h"
#include "intel/indicator.h"

#define YG_LIST_LINE_MAX  65536        /* one record; longer: refused */
#define YG_LIST_BYTES_MAX (4ull << 30) /* one list unpacked; beyond it is a bomb */

/* clang-format off */
#define YG_LIST_FORMATS(X)                                                      \
	X(AUTO,  "auto",  "told by the first line")                             \
	X(CSV,   "csv",   "RFC 4180 with a header: indicator,type,category,family,...") \
	X(PLAIN, "plain", "one value per line")                                 \
	X(HOSTS, "hosts", "lines of a hosts file: 0.0.0.0 name ...")
/* clang-format on */
enum yg_list_format {
#define X(id, name, doc) YG_LIST_##id,
	YG_LIST_FORMATS(X)
#undef X
		YG_LIST_FORMAT_COUNT
};
const char *yg_list_format_name(enum yg_list_format f); /* static; never NULL */
yg_status yg_list_format_parse(struct yg_sv s, enum yg_list_format *out);

struct yg_list_opts {
	enum yg_list_format format;
	/* What a line does not say.  type NONE: guessed from the value; severity_id or
	 * confidence 0: by category.  Borrowed as long as the reader. */
	struct yg_indicator defaults;
	void *ctx; /* borrowed, for the two calls below */
	/* One entry; its views end with the call.  YG_PARSE and YG_DENIED refuse the
	 * line (with err's message), any other error ends the reading. */
	yg_status (*entry)(void *ctx, const struct yg_indicator *ind, uint64_t line,
			   struct yg_err *err);
	/* A line that was refused; may be NULL.  text: from outside, cut at 200 bytes. */
	void (*refused)(void *ctx, uint64_t line, const char *reason, struct yg_sv text);
};
struct yg_list_counts {
	uint64_t lines;   /* in all */
	uint64_t entries; /* taken */
	uint64_t refused;
};

struct yg_list_reader; /* owned: yg_list_free() */
yg_status yg_list_new(const struct yg_list_opts *opts, struct yg_list_reader **out,
		      struct yg_err *err);
void yg_list_free(struct yg_list_reader *l);
/* YG_OK | YG_PARSE (damaged gzip or zstd) | YG_TOOBIG | YG_NOMEM | what `entry` said. */
yg_status yg_list_feed(struct yg_list_reader *l, struct yg_sv bytes, struct yg_err *err);
/* The last line, which may lack its newline.  YG_PARSE: the compressed stream is cut off. */
yg_status yg_list_end(struct yg_list_reader *l, struct yg_err *err);
struct yg_list_counts yg_list_counts(const struct yg_list_reader *l);
