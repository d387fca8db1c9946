#include "dns/inputs_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "os/file.h"

#define POINTER "dns-current"

typedef yg_status row_fn(struct yg_stmt *s, struct yg_dns_inputs_out *out, struct yg_err *err);

static yg_status org_row(struct yg_stmt *s, struct yg_dns_inputs_out *out, struct yg_err *err)
{
	return yg_dns_inputs_org(out, yg_col_text(s, 0), yg_col_text(s, 1), err);
}

static yg_status entry_row(struct yg_stmt *s, struct yg_dns_inputs_out *out, struct yg_err *err)
{
	const struct yg_dns_input e = {.allow = yg_col_i64(s, 0) != 0,
				       .type = (enum yg_indicator_type)yg_col_i64(s, 1),
				       .value = yg_col_text(s, 2),
				       .org = yg_col_text(s, 3),
				       .category = yg_col_text(s, 4),
				       .ede = (uint16_t)yg_col_i64(s, 5),
				       .expires = {yg_col_i64(s, 6)}};
	bool known = e.type == YG_IND_IP || e.type == YG_IND_DOMAIN || e.type == YG_IND_FQDN;
	return known ? yg_dns_inputs_entry(out, &e, err) : YG_OK;
}

static yg_status mode_row(struct yg_stmt *s, struct yg_dns_inputs_out *out, struct yg_err *err)
{
	enum yg_dns_layer layer;
	enum yg_dns_mode mode;
	if (yg_dns_layer_parse(yg_col_text(s, 1), &layer) != YG_OK ||
	    yg_dns_mode_parse(yg_col_text(s, 2), &mode) != YG_OK)
		return YG_OK; /* of a newer program's making */
	return yg_dns_inputs_mode(out, yg_col_text(s, 0), layer, mode, err);
}

static yg_status answer_row(struct yg_stmt *s, struct yg_dns_inputs_out *out, struct yg_err *err)
{
	struct yg_dns_answer_row r = {.org = yg_col_text(s, 0),
				      .category = yg_col_text(s, 1),
				      .target = yg_col_text(s, 3),
				      .addresses = yg_col_text(s, 4),
				      .ttl = (uint32_t)yg_col_i64(s, 5)};
	struct yg_dns_answer_spec spec;
	enum yg_dns_action action;
	if (yg_dns_override_parse(yg_col_text(s, 2), &r.answer) != YG_OK ||
	    yg_dns_answer_read(&r, &action, &spec, NULL) != YG_OK)
		return YG_OK; /* the same */
	return yg_dns_inputs_answer(out, &r, err);
}

static yg_status rows(struct yg_state *db, const char *sql, const yg_wall *now, row_fn *fn,
		      struct yg_dns_inputs_out *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = true;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	if (now != NULL)
		yg_stmt_i64(s, 1, now->us);
	while ((st = yg_stmt_step(s, &row, err)) == YG_OK && row)
		if ((st = fn(s, out, err)) != YG_OK)
			return st;
	return st;
}

static yg_status read_all(struct yg_state *db, yg_wall now, struct yg_dns_inputs_out *out,
			  struct yg_err *err)
{
	yg_status st = rows(db, YG_SQL("SELECT slug, parent FROM organisation ORDER BY slug"), NULL,
			    org_row, out, err);
	if (st == YG_OK)
		st = rows(
			db,
			YG_SQL("SELECT 1, type, value, org, '', 0, expires FROM allow_entry WHERE expires = 0 OR expires > $1"),
			&now, entry_row, out, err);
	if (st == YG_OK)
		st = rows(
			db,
			YG_SQL("SELECT 0, type, value, org, category, ede, expires FROM block_entry WHERE expires = 0 OR expires > $1"),
			&now, entry_row, out, err);
	if (st == YG_OK)
		st = rows(db, YG_SQL("SELECT org, layer, mode FROM dns_mode ORDER BY org, layer"),
			  NULL, mode_row, out, err);
	if (st == YG_OK)
		st = rows(
			db,
			YG_SQL("SELECT org, category, answer, target, addresses, ttl FROM dns_answer ORDER BY org, category"),
			NULL, answer_row, out, err);
	return st;
}

yg_status yg_dns_inputs_read(struct yg_state *db, yg_wall now, struct yg_dns_inputs_out *out,
			     struct yg_err *err)
{
	yg_status st = yg_state_begin(db, err);
	if (st != YG_OK)
		return st;
	st = read_all(db, now, out, err);
	yg_state_rollback(db); /* nothing was written */
	return st;
}

yg_status yg_dns_inputs_mark(struct yg_state *db, uint64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	uint64_t mark = 1469598103934665603ull;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT (SELECT changes FROM dns_change WHERE id = 1), (SELECT changes FROM indicator_change WHERE id = 1),"
		       " (SELECT count(*) FROM organisation), (SELECT coalesce(sum(version), 0) FROM organisation),"
		       " (SELECT coalesce(max(updated), 0) FROM organisation)"),
		&s, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &row, err);
	for (int i = 0; st == YG_OK && row && i < 5; i++)
		mark = (mark ^ (uint64_t)yg_col_i64(s, i)) * 1099511628211ull;
	if (st == YG_OK)
		*out = mark;
	return st;
}

/* ---- files ---- */

/* "dns-12.ygs": 12; 0: another name. */
static uint64_t generation_of(struct yg_sv name)
{
	uint64_t g = 0;
	name = yg_sv_trim(name);
	if (!yg_sv_starts(name, YG_SV("dns-")) || !yg_sv_ends(name, YG_SV(".ygs")) ||
	    yg_parse_u64(yg_sv_sub(name, 4, name.n - 8), &g, NULL) != YG_OK)
		return 0;
	return g;
}

static uint64_t current_generation(const char *dir)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	char path[512];
	yg_buf_init(&b, 4096);
	(void)snprintf(path, sizeof path, "%s/" POINTER, dir);
	return yg_file_read(path, 256, &b, NULL) == YG_OK ? generation_of(yg_buf_sv(&b)) : 0;
}

static void remove_old(const char *dir, uint64_t generation)
{
	DIR *d = opendir(dir);
	if (d == NULL)
		return;
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		uint64_t g = generation_of(yg_sv_of(e->d_name));
		if (g != 0 && (g + 1 < generation || g > generation))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	(void)closedir(d);
}

static yg_status write_file(struct yg_dns_inputs_out *o, const char *dir, yg_wall now,
			    struct yg_dns_inputs_written *w, struct yg_err *err)
{
	char path[512], tmp[520];
	(void)snprintf(path, sizeof path, "%s/%s", dir, w->file);
	(void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
	YG_AUTO(yg_fd_close)
	int fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", tmp);
	yg_status st = yg_dns_inputs_finish(o, fd, w->generation, now, err);
	if (st == YG_OK && fsync(fd) != 0)
		st = YG_FAIL_OS(err, errno, "%s", tmp);
	if (st == YG_OK && rename(tmp, path) != 0)
		st = YG_FAIL_OS(err, errno, "%s", path);
	if (st != YG_OK) {
		(void)unlink(tmp);
		return st;
	}
	(void)snprintf(path, sizeof path, "%s/" POINTER, dir);
	return yg_file_write(path, yg_sv_of(w->file), 0640, err);
}

yg_status yg_dns_inputs_write(struct yg_state *db, const char *dir, yg_wall now,
			      struct yg_dns_inputs_written *out, struct yg_err *err)
{
	struct yg_dns_inputs_out *o = NULL;
	struct yg_dns_inputs_written w = {.generation = current_generation(dir) + 1};
	(void)snprintf(w.file, sizeof w.file, "dns-%" PRIu64 ".ygs", w.generation);
	yg_status st = yg_dns_inputs_out_new(&o, err);
	if (st == YG_OK)
		st = yg_dns_inputs_read(db, now, o, err);
	if (st == YG_OK)
		st = write_file(o, dir, now, &w, err);
	yg_dns_inputs_out_free(o);
	if (st != YG_OK)
		return st;
	remove_old(dir, w.generation);
	*out = w;
	return YG_OK;
}
