/* sheet.h - rows into a file that people open elsewhere: CSV, XLSX, JSON lines.
 * Rows are written as they come; memory does not grow with them.
 *
 * CSV: UTF-8 with byte order mark, CRLF (RFC 4180); a cell that a spreadsheet
 * would take for a formula (= + - @, also in their wide forms, tab, carriage return
 * or line feed in front) gets a ' in front, unless it is a number.  XLSX: by libxlsxwriter in constant memory;
 * beyond 1,048,575 rows another sheet begins.  One thread at a time.
 */
#pragma once
#include "base/sb.h"

enum yg_sheet_format { YG_SHEET_CSV, YG_SHEET_XLSX, YG_SHEET_JSONL };
yg_status yg_sheet_format_parse(struct yg_sv s, enum yg_sheet_format *out);
const char *yg_sheet_ending(enum yg_sheet_format f); /* static: "csv" */
const char *yg_sheet_type(enum yg_sheet_format f);   /* static: the media type */

struct yg_cell {
	struct yg_sv text;
	bool number; /* text is a JSON number */
};
struct yg_sheet; /* owned: yg_sheet_close() */
struct yg_sheet_opts {
	const char *path; /* made; must not be there */
	const char *dir;  /* for temporary files */
	enum yg_sheet_format format;
	const char *title; /* of the worksheet */
	const char *const *columns;
	size_t column_count;
	uint64_t bytes_max; /* of the file, of a workbook before it is packed; 0: no bound */
};
yg_status yg_sheet_open(const struct yg_sheet_opts *o, struct yg_sheet **out, struct yg_err *err);
/* One row: a cell per column; `json` is what JSON lines get.  YG_TOOBIG: beyond bytes_max. */
yg_status yg_sheet_row(struct yg_sheet *s, const struct yg_cell *cells, struct yg_sv json,
		       struct yg_err *err);
/* Finishes the file and frees s; *out_bytes may be NULL.  Also after an error. */
yg_status yg_sheet_close(struct yg_sheet *s, uint64_t *out_bytes, struct yg_err *err);
/* One CSV cell, quoted and neutralised where it must be; pure. */
void yg_csv_cell(struct yg_buf *out, struct yg_cell cell);
