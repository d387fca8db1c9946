/* Idempotency-Key: the first answer is kept beside the change that it tells of,
 * in one transaction, so that a repetition finds both or neither. */
#include "api/api.h"
#include "base/codec.h"

static uint64_t hash_of(const struct yg_api *api, struct yg_sv a, struct yg_sv b)
{
	uint64_t half[2] = {yg_siphash(api->cursor_key, a.p, a.n),
			    yg_siphash(api->cursor_key, b.p, b.n)};
	return yg_siphash(api->cursor_key, half, sizeof half);
}

/* 0: none known; 1: given again; -1: the key was used for something else. */
static yg_status answer_again(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      int *out, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	*out = 0;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			l.db,
			YG_SQL("SELECT body, status, location, etag, answer FROM idempotent_answer"
			       " WHERE who = $1 AND key = $2 AND at > $3"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, (int64_t)q->key.who);
	yg_stmt_i64(s, 2, (int64_t)q->key.key);
	yg_stmt_i64(s, 3, q->now.us - YG_IDEMPOTENCY_S * YG_US_PER_S);
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK || !row)
		return st;
	if (yg_col_i64(s, 0) != (int64_t)q->key.body) {
		*out = -1;
		return YG_OK;
	}
	*out = 1;
	*r = (struct yg_response){.status = (int)yg_col_i64(s, 1),
				  .type = "application/json",
				  .body = r->body,
				  .fd = r->fd};
	r->body.n = 0;
	r->body.bad = r->body.nomem = false;
	q->error_count = 0;
	yg_buf_put(&r->body, yg_col_text(s, 4));
	if (yg_col_text(s, 2).n > 0)
		yg_response_header(r, "Location", yg_arena_dup(q->arena, yg_col_text(s, 2)));
	if (yg_col_text(s, 3).n > 0)
		yg_response_header(r, "ETag", yg_arena_dup(q->arena, yg_col_text(s, 3)));
	return yg_check_answer(q, r, err);
}

static struct yg_sv header_of(const struct yg_response *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (yg_sv_eq(r->headers[i].name, yg_sv_of(name)))
			return r->headers[i].value;
	}
	return YG_SV("");
}

/* A secret is shown once: what is kept for a repetition has null in its place. */
static void keep_text(struct yg_buf *to, struct yg_sv text)
{
	static const struct yg_sv member = YG_SV_INIT("\"secret\":\"");
	for (size_t i = 0; i + member.n < text.n; i++) {
		if (memcmp(text.p + i, member.p, member.n) != 0)
			continue;
		size_t end = yg_sv_find(text, '"', i + member.n);
		yg_buf_put(to, yg_sv_sub(text, 0, i));
		yg_buf_put(to, YG_SV("\"secret\":null"));
		yg_buf_put(to, yg_sv_sub(text, end + 1, text.n));
		return;
	}
	yg_buf_put(to, text);
}

/* The old ones go, and all but the newest YG_IDEMPOTENCY_MAX. */
static yg_status forget(struct yg_state *db, yg_wall now, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("DELETE FROM idempotent_answer WHERE at <= $1 OR at <= (SELECT at FROM"
		       " idempotent_answer ORDER BY at DESC LIMIT 1 OFFSET $2)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, now.us - YG_IDEMPOTENCY_S * YG_US_PER_S);
	yg_stmt_i64(s, 2, YG_IDEMPOTENCY_MAX - 1);
	return yg_stmt_run(s, err);
}

yg_status yg_idempotency_keep(struct yg_state *db, const struct yg_request *q,
			      const struct yg_response *r, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	struct yg_stmt *s = NULL;
	if (!q->key.given || r->status < 200 || r->status > 299)
		return YG_OK;
	yg_buf_init(&text, 1048576);
	keep_text(&text, yg_buf_sv(&r->body));
	yg_status st =
		text.bad ? YG_FAIL(err, YG_NOMEM, "keeping the answer") : forget(db, q->now, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			db,
			YG_SQL("INSERT INTO idempotent_answer (who, key, body, at, status, location,"
			       " etag, answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, (int64_t)q->key.who);
	yg_stmt_i64(s, 2, (int64_t)q->key.key);
	yg_stmt_i64(s, 3, (int64_t)q->key.body);
	yg_stmt_i64(s, 4, q->now.us);
	yg_stmt_i64(s, 5, r->status);
	yg_stmt_text(s, 6, header_of(r, "Location"));
	yg_stmt_text(s, 7, header_of(r, "ETag"));
	yg_stmt_text(s, 8, yg_buf_sv(&text));
	return yg_stmt_run(s, err);
}

static yg_status used_otherwise(struct yg_err *err)
{
	return YG_FAIL(err, YG_CONFLICT, "this Idempotency-Key was used with another body");
}

yg_status yg_idempotent(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	struct yg_sv key = q->header[YG_HH_IDEMPOTENCY_KEY];
	int known = 0;
	if (key.n == 0 || key.n > 128) {
		yg_request_error(q, "out_of_range", YG_SV("Idempotency-Key"),
				 "expected 1 to 128 characters");
		return YG_FAIL(err, YG_PARSE, "a header is wrong");
	}
	q->key.given = true;
	q->key.who = hash_of(api, yg_sv_of(q->who.actor), q->path);
	q->key.key = hash_of(api, key, YG_SV("key"));
	q->key.body = hash_of(api, q->body, YG_SV("body"));
	yg_status st = answer_again(api, q, r, &known, err);
	if (st != YG_OK || known != 0)
		return known < 0 ? used_otherwise(err) : st;
	st = q->route->handler(api, q, r, err);
	if (st != YG_CONFLICT)
		return st;
	/* The same may have been asked at the same time, and done there. */
	struct yg_err other = {0};
	if (answer_again(api, q, r, &known, &other) != YG_OK || known == 0)
		return st;
	return known < 0 ? used_otherwise(err) : YG_OK;
}
