#include "report/sheet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "os/file.h"

#define FLUSH_BYTES    262144u
#define XLSX_ROWS_MAX  1048575u /* behind the head line */
#define XLSX_CELL_MAX  32767u   /* characters of a cell; what is longer is cut, and marked */
#define XLSX_ROW_GUESS 64u      /* bytes a row takes beside its texts, before it is packed */

struct yg_sheet {
	struct yg_sheet_opts o;
	int fd; /* CSV, JSON lines */
	struct yg_buf buf;
	uint64_t bytes, rows;
	lxw_workbook *book;
	lxw_worksheet *sheet;
	uint32_t row, sheets;
};

static const struct {
	const char *name, *type;
} formats[] = {
	[YG_SHEET_CSV] = {"csv", "text/csv; charset=utf-8"},
	[YG_SHEET_XLSX] = {"xlsx",
			   "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	[YG_SHEET_JSONL] = {"jsonl", "application/x-ndjson"},
};

yg_status yg_sheet_format_parse(struct yg_sv s, enum yg_sheet_format *out)
{
	for (unsigned i = 0; i < YG_LEN(formats); i++) {
		if (yg_sv_eq(s, yg_sv_of(formats[i].name))) {
			*out = (enum yg_sheet_format)i;
			return YG_OK;
		}
	}
	return YG_PARSE;
}

const char *yg_sheet_ending(enum yg_sheet_format f)
{
	return formats[f].name;
}

const char *yg_sheet_type(enum yg_sheet_format f)
{
	return formats[f].type;
}

/* What a spreadsheet takes for a formula; in Japanese ones the wide forms as well. */
static bool is_formula(struct yg_sv s)
{
	static const struct yg_sv wide[] = {YG_SV_INIT("\xef\xbc\x9d"), YG_SV_INIT("\xef\xbc\x8b"),
					    YG_SV_INIT("\xef\xbc\x8d"), YG_SV_INIT("\xef\xbc\xa0")};
	static const char narrow[] = {'=', '+', '-', '@', '\t', '\r', '\n'};
	if (s.n > 0 && memchr(narrow, s.p[0], sizeof narrow) != NULL)
		return true;
	for (size_t i = 0; i < YG_LEN(wide); i++)
		if (yg_sv_starts(s, wide[i]))
			return true;
	return false;
}

void yg_csv_cell(struct yg_buf *out, struct yg_cell cell)
{
	struct yg_sv s = cell.text;
	bool quote = false, formula = !cell.number && is_formula(s);
	for (size_t i = 0; i < s.n && !quote; i++)
		quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
	if (quote)
		yg_buf_putc(out, '"');
	if (formula)
		yg_buf_putc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			yg_buf_putc(out, '"');
		yg_buf_putc(out, s.p[i]);
	}
	if (quote)
		yg_buf_putc(out, '"');
}

static yg_status flush(struct yg_sheet *s, size_t least, struct yg_err *err)
{
	if (s->buf.bad)
		return YG_FAIL(err, YG_NOMEM, "a row is too large");
	if (s->buf.n < least || s->buf.n == 0)
		return YG_OK;
	s->bytes += s->buf.n;
	if (s->o.bytes_max > 0 && s->bytes > s->o.bytes_max)
		return YG_FAIL(err, YG_TOOBIG,
			       "the file would be larger than %llu bytes; ask for less",
			       (unsigned long long)s->o.bytes_max);
	yg_status st = yg_fd_write(s->fd, yg_buf_sv(&s->buf), err);
	s->buf.n = 0;
	return st;
}

static void csv_head(struct yg_sheet *s)
{
	yg_buf_put(&s->buf, YG_SV("\xef\xbb\xbf"));
	for (size_t i = 0; i < s->o.column_count; i++) {
		if (i > 0)
			yg_buf_putc(&s->buf, ',');
		yg_csv_cell(&s->buf, (struct yg_cell){yg_sv_of(s->o.columns[i]), false});
	}
	yg_buf_put(&s->buf, YG_SV("\r\n"));
}

static yg_status xlsx_sheet(struct yg_sheet *s, struct yg_err *err)
{
	char name[32];
	(void)snprintf(name, sizeof name, s->sheets == 0 ? "%.20s" : "%.20s %u", s->o.title,
		       s->sheets + 1);
	s->sheet = workbook_add_worksheet(s->book, name);
	if (s->sheet == NULL)
		return YG_FAIL(err, YG_NOMEM, "a worksheet");
	s->sheets++;
	for (size_t i = 0; i < s->o.column_count; i++)
		(void)worksheet_write_string(s->sheet, 0, (lxw_col_t)i, s->o.columns[i], NULL);
	worksheet_freeze_panes(s->sheet, 1, 0);
	s->row = 1;
	return YG_OK;
}

yg_status yg_sheet_open(const struct yg_sheet_opts *o, struct yg_sheet **out, struct yg_err *err)
{
	struct yg_sheet *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "an export");
	s->o = *o;
	s->fd = -1;
	yg_buf_init(&s->buf, 64u << 20);
	yg_status st = YG_OK;
	if (o->format == YG_SHEET_XLSX) {
		union {
			const char *from;
			char *to;
		} dir = {.from = o->dir}; /* the library does not change it */
		lxw_workbook_options options = {
			.constant_memory = LXW_TRUE, .tmpdir = dir.to, .use_zip64 = LXW_TRUE};
		s->book = workbook_new_opt(o->path, &options);
		st = s->book != NULL ? xlsx_sheet(s, err) : YG_FAIL(err, YG_NOMEM, "a workbook");
	} else {
		s->fd = open(o->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (s->fd < 0)
			st = YG_FAIL(err, YG_IO, "the file of the export cannot be made");
		if (st == YG_OK && o->format == YG_SHEET_CSV)
			csv_head(s);
	}
	if (st != YG_OK) {
		(void)yg_sheet_close(s, NULL, NULL);
		return st;
	}
	*out = s;
	return YG_OK;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* "_x0041_" would be read as "A" (ECMA-376-1, 22.4.2.4, bstr). */
static bool is_escape(struct yg_sv s)
{
	return s.n >= 7 && s.p[0] == '_' && s.p[1] == 'x' && is_hex(s.p[2]) && is_hex(s.p[3]) &&
	       is_hex(s.p[4]) && is_hex(s.p[5]) && s.p[6] == '_';
}

/* Characters, not bytes, count; control characters, U+FFFE and U+FFFF have no
 * place in XML. */
static void xlsx_text(struct yg_buf *b, struct yg_sv text)
{
	size_t characters = 0;
	b->n = 0;
	text.n = yg_utf8_valid(text);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		struct yg_sv rest = yg_sv_sub(text, i, text.n);
		bool escape = is_escape(rest);
		characters += (c & 0xc0) != 0x80;
		characters += c >= 0xf0; /* two units of UTF-16 */
		characters += escape ? 6 : 0;
		if (characters > XLSX_CELL_MAX - 4) {
			yg_buf_put(b, YG_SV("..."));
			break;
		}
		if (escape) {
			yg_buf_put(b, YG_SV("_x005F_"));
		} else if (yg_sv_starts(rest, YG_SV("\xef\xbf\xbe")) ||
			   yg_sv_starts(rest, YG_SV("\xef\xbf\xbf"))) {
			yg_buf_put(b, YG_SV("\xef\xbf\xbd"));
			i += 2;
		} else {
			yg_buf_putc(b, c < 0x20 && c != '\t' && c != '\n' ? ' ' : (char)c);
		}
	}
	yg_buf_putc(b, '\0');
}

static yg_status xlsx_row(struct yg_sheet *s, const struct yg_cell *cells, struct yg_err *err)
{
	yg_status st = s->row > XLSX_ROWS_MAX ? xlsx_sheet(s, err) : YG_OK;
	s->bytes += XLSX_ROW_GUESS;
	for (size_t i = 0; i < s->o.column_count; i++)
		s->bytes += cells[i].text.n;
	if (st == YG_OK && s->o.bytes_max > 0 && s->bytes > s->o.bytes_max)
		st = YG_FAIL(err, YG_TOOBIG, "the file would be too large; ask for less");
	for (size_t i = 0; st == YG_OK && i < s->o.column_count; i++) {
		lxw_error rc = LXW_NO_ERROR;
		int64_t number;
		/* a double keeps 53 bits: longer numbers stay text */
		if (cells[i].number && yg_parse_i64(cells[i].text, &number, NULL) == YG_OK &&
		    number < (1LL << 53) && number > -(1LL << 53)) {
			rc = worksheet_write_number(s->sheet, s->row, (lxw_col_t)i, (double)number,
						    NULL);
		} else if (cells[i].text.n > 0) {
			xlsx_text(&s->buf, cells[i].text);
			if (s->buf.bad)
				return YG_FAIL(err, YG_NOMEM, "a row is too large");
			/* a string, never a formula: nothing to neutralise */
			rc = worksheet_write_string(s->sheet, s->row, (lxw_col_t)i, s->buf.p, NULL);
		}
		if (rc != LXW_NO_ERROR)
			st = YG_FAIL(err, YG_IO, "the workbook: %s", lxw_strerror(rc));
	}
	s->row++;
	return st;
}

yg_status yg_sheet_row(struct yg_sheet *s, const struct yg_cell *cells, struct yg_sv json,
		       struct yg_err *err)
{
	s->rows++;
	if (s->o.format == YG_SHEET_XLSX)
		return xlsx_row(s, cells, err);
	if (s->o.format == YG_SHEET_JSONL) {
		yg_buf_put(&s->buf, json);
		yg_buf_putc(&s->buf, '\n');
		return flush(s, FLUSH_BYTES, err);
	}
	for (size_t i = 0; i < s->o.column_count; i++) {
		if (i > 0)
			yg_buf_putc(&s->buf, ',');
		yg_csv_cell(&s->buf, cells[i]);
	}
	yg_buf_put(&s->buf, YG_SV("\r\n"));
	return flush(s, FLUSH_BYTES, err);
}

yg_status yg_sheet_close(struct yg_sheet *s, uint64_t *out_bytes, struct yg_err *err)
{
	struct stat sb;
	yg_status st = YG_OK;
	if (s->book != NULL) {
		lxw_error rc = workbook_close(s->book);
		if (rc != LXW_NO_ERROR)
			st = YG_FAIL(err, YG_IO, "the workbook: %s", lxw_strerror(rc));
		else if (stat(s->o.path, &sb) == 0)
			s->bytes = (uint64_t)sb.st_size;
	} else if (s->fd >= 0) {
		st = flush(s, 0, err);
	}
	yg_fd_close(&s->fd);
	yg_buf_free(&s->buf);
	if (out_bytes != NULL)
		*out_bytes = s->bytes;
	free(s);
	return st;
}
