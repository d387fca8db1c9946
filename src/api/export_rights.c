/* The rights an export was made with, kept beside its file: lines "all", "org NAME",
 * "system ID", "from US", "to US".  It is given out while they still hold. */
#include <stdio.h>

#include "api/export.h"
#include "os/file.h"

#define REACH_BYTES_MAX (16u << 20) /* 100,000 names */

static void put_words(struct yg_buf *b, const char *word, const struct yg_sv *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		yg_buf_put(b, yg_sv_of(word));
		yg_buf_put(b, list[i]); /* slugs and ids: no blanks, no ends of lines */
		yg_buf_putc(b, '\n');
	}
}

void yg_export_put_reach(struct yg_buf *b, const struct yg_reach *r)
{
	if (r->all)
		yg_buf_put(b, YG_SV("all\n"));
	put_words(b, "org ", r->orgs, r->org_count);
	put_words(b, "system ", r->systems, r->system_count);
	if (r->from.us != 0)
		yg_buf_printf(b, "from %lld\n", (long long)r->from.us);
	if (r->to.us != 0)
		yg_buf_printf(b, "to %lld\n", (long long)r->to.us);
}

static void reach_path(struct yg_sb *b, const char *path, struct yg_sv job)
{
	yg_sb_put(b, yg_sv_of(path));
	yg_sb_putc(b, '/');
	yg_sb_put(b, job);
	yg_sb_put(b, YG_SV(".reach"));
	(void)yg_sb_cstr(b);
}

yg_status yg_export_keep_reach(const char *path, struct yg_sv job, struct yg_sv reach,
			       struct yg_err *err)
{
	char name[192];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	reach_path(&b, path, job);
	return yg_file_write(name, reach, 0600, err);
}

/* A system belongs to an organisation: who reaches that one now reaches it. */
static bool covers_line(const struct yg_reach *now, struct yg_sv line, bool *out_period)
{
	struct yg_sv word;
	int64_t us = 0;
	(void)yg_sv_cut(&line, ' ', &word);
	if (YG_SV_IS(word, "all"))
		return now->all;
	if (YG_SV_IS(word, "org"))
		return yg_reach_has(now, line, YG_SV(""));
	if (YG_SV_IS(word, "system"))
		return now->all || yg_reach_has(now, YG_SV(""), line);
	if (yg_parse_i64(line, &us, NULL) != YG_OK)
		return false;
	*out_period = true;
	if (YG_SV_IS(word, "from"))
		return now->from.us <= us;
	return YG_SV_IS(word, "to") && (now->to.us == 0 || now->to.us >= us);
}

yg_status yg_export_covered(const char *path, struct yg_sv job, const struct yg_reach *now,
			    struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	char name[192];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	bool covered = true, period = false;
	struct yg_sv line;
	reach_path(&b, path, job);
	yg_buf_init(&text, REACH_BYTES_MAX);
	yg_status st = yg_file_read(name, REACH_BYTES_MAX, &text, err);
	if (st == YG_NOTFOUND)
		return YG_FAIL(err, YG_NOTFOUND, "the file was removed; order it again");
	if (st != YG_OK)
		return st;
	struct yg_sv rest = yg_buf_sv(&text);
	while (covered && rest.n > 0 && yg_sv_cut(&rest, '\n', &line))
		covered = covers_line(now, line, &period);
	/* made without a period, and now there is one: what is outside it is in the file */
	if (!period && (now->from.us != 0 || now->to.us != 0))
		covered = false;
	return covered ? YG_OK
		       : YG_FAIL(err, YG_DENIED,
				 "it was made with rights that you do not have any more");
}
