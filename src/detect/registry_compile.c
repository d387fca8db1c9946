/* registry_compile.c - the rules that are not off, with what organisations say of them, into
 * a snapshot for the workers. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "detect/registry_internal.h"
#include "detect/ruleset.h"
#include "store/compiled.h"

#define PATH_MAX_   512
#define REFUSED_MAX ((size_t)64 << 20)

struct refused {
	struct refused *next;
	struct yg_sv uid, reason;
};
struct compiling {
	struct yg_act *act;
	struct yg_ruleset_builder *b; /* owned */
	struct yg_arena arena;        /* what is refused, and what was */
	struct refused *now, *was;
	bool nomem; /* for one of them */
	struct yg_detect_compiled r;
};

static struct refused *note(struct compiling *c, struct refused *next, struct yg_sv uid,
			    struct yg_sv reason)
{
	struct refused *to = YG_NEW(&c->arena, struct refused);
	if (to != NULL)
		*to = (struct refused){next, yg_arena_dup(&c->arena, uid),
				       yg_arena_dup(&c->arena, reason)};
	c->nomem |= to == NULL || to->uid.p == NULL || to->reason.p == NULL;
	return c->nomem ? next : to;
}

static void on_refused(void *ctx, struct yg_sv uid, size_t line, const char *reason)
{
	struct compiling *c = ctx;
	char text[400];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (line > 0)
		yg_sb_printf(&b, "line %zu: ", line);
	yg_sb_printf(&b, "%.350s", reason);
	c->now = note(c, c->now, uid, yg_sb_sv(&b));
}

/* ---- what goes in ---- */

/* What was refused before and is taken now stands no more as refused. */
static yg_status note_was(void *ctx, const struct yg_drule *r, struct yg_err *err)
{
	struct compiling *c = ctx;
	(void)err;
	if (r->refused.n > 0)
		c->was = note(c, c->was, r->uid, r->refused);
	return YG_OK;
}

static yg_status feed(struct compiling *c, struct yg_err *err)
{
	const struct yg_detect_feed all = {.each = note_was, .ctx = c};
	yg_status st = yg_ruleset_builder_new(c->act->env, on_refused, c, &c->b, err);
	if (st == YG_OK)
		st = yg_detect_feed(c->act->db, &all, yg_env_wall(c->act->env), c->b, err);
	return st;
}

/* ---- generations ---- */

bool yg_detect_usable(const char *dir)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	struct yg_ruleset *set = NULL;
	char path[PATH_MAX_];
	yg_buf_init(&text, 8192);
	(void)snprintf(path, sizeof path, "%s/detect-current", dir);
	if (yg_file_read(path, 256, &text, NULL) != YG_OK)
		return false;
	struct yg_sv name = yg_sv_trim(yg_buf_sv(&text));
	(void)snprintf(path, sizeof path, "%s/" YG_SV_FMT, dir, YG_SV_ARG(name));
	YG_AUTO(yg_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	yg_status st = fd >= 0 ? yg_ruleset_open_fd(fd, 0, &set, NULL) : YG_IO;
	yg_ruleset_free(set);
	return st == YG_OK || st == YG_NOMEM;
}

static yg_status fill(void *ctx, int fd, struct yg_err *err)
{
	struct compiling *c = ctx;
	yg_status st = yg_ruleset_builder_write(c->b, fd, c->r.generation, yg_env_wall(c->act->env),
						&c->r.stats, err);
	/* correlations are judged when it is written: now all is known that is refused */
	if (st == YG_OK && c->nomem)
		st = YG_FAIL(err, YG_NOMEM, "no memory for why rules are refused");
	return st;
}

/* Why each one that was left out was; of those that are in now, no reason any more. */
static yg_status write_refused(struct compiling *c, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (struct refused *r = c->was; st == YG_OK && r != NULL; r = r->next)
		st = yg_drule_refuse(c->act->db, r->uid, YG_SV(""), err);
	for (struct refused *r = c->now; st == YG_OK && r != NULL; r = r->next)
		st = yg_drule_refuse(c->act->db, r->uid, r->reason, err);
	return st;
}

static yg_status write_end(struct compiling *c, bool ready, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		c->act->db,
		YG_SQL("UPDATE detect_snapshot SET state = $2, file = $3, rules = $4, refused = $5, bytes = $6,"
		       " finished = $7 WHERE generation = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, (int64_t)c->r.generation);
	yg_stmt_text(s, 2, ready ? YG_SV("ready") : YG_SV("failed"));
	yg_stmt_text(s, 3, yg_sv_of(ready ? c->r.file : ""));
	yg_stmt_i64(s, 4, (int64_t)c->r.stats.rules);
	yg_stmt_i64(s, 5, (int64_t)c->r.stats.refused);
	yg_stmt_i64(s, 6, (int64_t)c->r.stats.bytes);
	yg_stmt_i64(s, 7, yg_env_wall(c->act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status end(struct compiling *c, bool ready, struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	char object[32];
	struct yg_sb b = yg_sb_init(object, sizeof object);
	struct yg_tx tx;
	yg_detail_init(&d);
	yg_status st = yg_tx_begin(&tx, c->act->db, err);
	if (st != YG_OK)
		return st;
	st = write_end(c, ready, err);
	if (st == YG_OK && ready)
		st = write_refused(c, err);
	/* a failed one must be tried again */
	if (st == YG_OK && !ready)
		st = yg_detect_touch(c->act->db, err);
	yg_detail_count(&d, "rules", (int64_t)c->r.stats.rules);
	yg_detail_count(&d, "refused", (int64_t)c->r.stats.refused);
	yg_detail_count(&d, "ready", ready);
	yg_sb_put(&b, YG_SV("detect-"));
	yg_sb_u64(&b, c->r.generation);
	if (st == YG_OK)
		st = yg_audit_add(c->act, "rule.compile", yg_sb_sv(&b), YG_SV(""), &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_detect_compile(struct yg_act *act, const char *dir, struct yg_detect_compiled *out,
			    struct yg_err *err)
{
	struct compiling c = {.act = act};
	if (yg_state_in_transaction(act->db))
		return YG_FAIL(err, YG_INTERNAL, "a snapshot is compiled outside of transactions");
	yg_status st = yg_compiled_begin(YG_COMPILED_RULES, act->db, dir, yg_env_wall(act->env),
					 act->who, &c.r.generation, err);
	if (st != YG_OK)
		return st;
	yg_arena_init(&c.arena, REFUSED_MAX);
	st = feed(&c, err);
	if (st == YG_OK)
		st = yg_compiled_write(YG_COMPILED_RULES, dir, c.r.generation, c.r.file, fill, &c,
				       err);
	yg_ruleset_builder_free(c.b);
	if (st != YG_OK) {
		(void)end(&c, false, NULL); /* the first error is the one to tell */
	} else {
		st = end(&c, true, err);
		yg_compiled_prune(YG_COMPILED_RULES, act->db, dir, c.r.generation);
	}
	yg_arena_free(&c.arena);
	if (st == YG_OK)
		*out = c.r;
	return st;
}
