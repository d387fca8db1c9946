#include "report/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "tap.h"

static bool cell_is(const char *in, bool number, const char *want)
{
	struct yg_buf b;
	yg_buf_init(&b, 4096);
	yg_csv_cell(&b, (struct yg_cell){yg_sv_of(in), number});
	bool same = yg_sv_eq(yg_buf_sv(&b), yg_sv_of(want));
	yg_buf_free(&b);
	return same;
}

/* The texts of a workbook's first sheet, as they stand in the XML. */
static bool workbook_has(const char *dir, const char *want)
{
	char path[96], cmd[256], xml[8192];
	struct yg_sheet *s = NULL;
	static const char *const one[] = {"name"};
	static const struct yg_cell cell = {
		YG_SV_INIT("_x0041_ _x00g1_ \xef\xbf\xbe|\xef\xbf\xbf|\x01|\xf0\x9f\x8f\xaf"),
		false};
	(void)snprintf(path, sizeof path, "%s/t.xlsx", dir);
	struct yg_sheet_opts o = {.path = path,
				  .dir = dir,
				  .format = YG_SHEET_XLSX,
				  .title = "events",
				  .columns = one,
				  .column_count = 1};
	if (yg_sheet_open(&o, &s, NULL) != YG_OK)
		return false;
	yg_status st = yg_sheet_row(s, &cell, YG_SV("{}"), NULL);
	st = yg_sheet_close(s, NULL, NULL) == YG_OK ? st : YG_IO;
	(void)snprintf(cmd, sizeof cmd,
		       "python3 -c 'import sys,zipfile; sys.stdout.buffer.write("
		       "zipfile.ZipFile(sys.argv[1]).read(\"xl/worksheets/sheet1.xml\"))' %s",
		       path);
	FILE *f = popen(cmd, "r"); /* NOLINT(cert-env33-c): a path of our own */
	size_t n = f != NULL ? fread(xml, 1, sizeof xml, f) : 0;
	if (f != NULL)
		(void)pclose(f);
	(void)unlink(path);
	return st == YG_OK && memmem(xml, n, want, strlen(want)) != NULL;
}

static const char *const columns[] = {"name", "count"};

static yg_status make(const char *path, enum yg_sheet_format format, size_t rows, uint64_t most,
		      uint64_t *bytes)
{
	struct yg_err err = {0};
	struct yg_sheet *s = NULL;
	struct yg_sheet_opts o = {.path = path,
				  .dir = "/tmp",
				  .format = format,
				  .title = "alerts",
				  .columns = columns,
				  .column_count = 2,
				  .bytes_max = most};
	const struct yg_cell cells[] = {{YG_SV_INIT("=1+1,\"x\""), false},
					{YG_SV_INIT("-7"), true}};
	yg_status st = yg_sheet_open(&o, &s, &err);
	for (size_t i = 0; st == YG_OK && i < rows; i++)
		st = yg_sheet_row(s, cells, YG_SV("{\"name\":\"=1+1\",\"count\":-7}"), &err);
	if (s != NULL) {
		yg_status end = yg_sheet_close(s, bytes, &err);
		st = st == YG_OK ? end : st;
	}
	return st;
}

int main(void)
{
	char dir[] = "/tmp/yg_sheet_XXXXXX", path[64];
	struct yg_buf b;
	uint64_t bytes = 0;
	T_OK(cell_is("plain", false, "plain") && cell_is("", false, ""));
	T_OK(cell_is("a,b", false, "\"a,b\"") && cell_is("a\"b", false, "\"a\"\"b\""));
	T_NAMED(cell_is("=1+1", false, "'=1+1") && cell_is("+1", false, "'+1") &&
			cell_is("-1", false, "'-1") && cell_is("@x", false, "'@x") &&
			cell_is("\tx", false, "'\tx") && cell_is("\rx", false, "\"'\rx\"") &&
			cell_is("\n=1", false, "\"'\n=1\"") && cell_is("＝1+1", false, "'＝1+1") &&
			cell_is("＋1", false, "'＋1") && cell_is("－1", false, "'－1") &&
			cell_is("＠x", false, "'＠x") && cell_is("－", true, "－") &&
			cell_is("櫓", false, "櫓"),
		"formulas are neutralised");
	T_NAMED(cell_is("-1", true, "-1"), "numbers stay numbers");
	T_OK(mkdtemp(dir) != NULL);
	yg_buf_init(&b, 1 << 20);
	(void)snprintf(path, sizeof path, "%s/a.csv", dir);
	T_OK(make(path, YG_SHEET_CSV, 1, 0, &bytes) == YG_OK);
	T_OK(yg_file_read(path, 4096, &b, NULL) == YG_OK && b.n == bytes);
	T_NAMED(yg_sv_eq(yg_buf_sv(&b),
			 YG_SV("\xef\xbb\xbfname,count\r\n\"'=1+1,\"\"x\"\"\",-7\r\n")),
		"byte order mark, CRLF, quotes");
	T_NAMED(make(path, YG_SHEET_CSV, 1, 0, &bytes) == YG_IO, "a file is not written over");
	(void)unlink(path);
	T_NAMED(make(path, YG_SHEET_CSV, 100000, 300000, &bytes) == YG_TOOBIG, "the bound holds");
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/a.jsonl", dir);
	T_OK(make(path, YG_SHEET_JSONL, 2, 0, &bytes) == YG_OK);
	b.n = 0;
	T_OK(yg_file_read(path, 4096, &b, NULL) == YG_OK);
	T_NAMED(yg_sv_eq(yg_buf_sv(&b), YG_SV("{\"name\":\"=1+1\",\"count\":-7}\n"
					      "{\"name\":\"=1+1\",\"count\":-7}\n")),
		"JSON lines are as they came");
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/a.xlsx", dir);
	T_OK(make(path, YG_SHEET_XLSX, 1000, 0, &bytes) == YG_OK);
	b.n = 0;
	T_OK(yg_file_read(path, 1 << 20, &b, NULL) == YG_OK);
	T_NAMED(b.n == bytes && b.n > 1000 && memcmp(b.p, "PK", 2) == 0, "a workbook");
	(void)unlink(path);
	T_NAMED(workbook_has(dir, "<t>_x005F_x0041_ _x00g1_ \xef\xbf\xbd|\xef\xbf\xbd| |"
				  "\xf0\x9f\x8f\xaf</t>"),
		"a text is the text that was there, and XML");
	T_NAMED(make(path, YG_SHEET_XLSX, 1000, 70000, &bytes) == YG_TOOBIG,
		"the bound holds for the texts of a workbook");
	(void)unlink(path);
	(void)rmdir(dir);
	yg_buf_free(&b);
	return tap_done();
}
