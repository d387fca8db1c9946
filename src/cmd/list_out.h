/* list_out.h - the rows of a list as the reader wants them: --output, --fields. */
#pragma once
#include "cmd/print.h"

#define YG_FIELDS_MAX 40

enum yg_list_format {
	YG_LIST_OUT_TABLE,
	YG_LIST_OUT_JSONL,
	YG_LIST_OUT_JSON,
	YG_LIST_OUT_CSV,
	YG_LIST_OUT_YAML
};
struct yg_list_out {
	enum yg_list_format format;
	struct yg_column columns[YG_FIELDS_MAX];
	size_t count;
	bool chosen; /* by --fields: JSON has these alone */
	uint64_t rows;
	char names[1024];
};
/* From the options of `c`; YG_INVAL: an unknown format, too many fields. */
yg_status yg_list_out_begin(const struct yg_cli *c, const struct yg_column *columns, size_t count,
			    struct yg_list_out *out, struct yg_err *err);
void yg_list_out_rows(struct yg_list_out *out, json_t *items);
void yg_list_out_end(struct yg_list_out *out);
