#include "api/api.h"

#include <stdlib.h>

#include "api/sign_in.h"
#include "base/codec.h"
#include "org/audit_log.h"
#include "org/organisation.h"

struct yg_idempotent {     /* an answer to give again */
	uint64_t who, key; /* SipHash of actor and route; of the key */
	uint64_t body;     /* of the body */
	yg_wall at;        /* us == 0: empty */
	int status;
	struct yg_buf text; /* owned */
	char location[96], etag[32];
};

const char *yg_health_name(enum yg_health h)
{
	static const char *const names[] = {"down", "degraded", "ok"};
	return (size_t)h < YG_LEN(names) ? names[h] : "down";
}

yg_status yg_api_init(struct yg_api *api, struct yg_err *err)
{
	api->answers = calloc(YG_IDEMPOTENCY_MAX, sizeof *api->answers);
	api->sign_in = yg_sign_in_new(api->env);
	if (api->answers == NULL || api->sign_in == NULL || uv_mutex_init(&api->lock) != 0) {
		free(api->answers);
		yg_sign_in_free(api->sign_in);
		api->answers = NULL;
		return YG_FAIL(err, YG_NOMEM, "the API");
	}
	return YG_OK;
}

void yg_api_end(struct yg_api *api)
{
	for (size_t i = 0; i < api->state_count; i++)
		yg_state_close(api->states[i]);
	for (size_t i = 0; i < api->store_count; i++)
		yg_ch_close(api->stores[i]);
	for (size_t i = 0; i < api->part_count; i++)
		free(api->parts[i].stats);
	for (size_t i = 0; i < YG_IDEMPOTENCY_MAX; i++)
		yg_buf_free(&api->answers[i].text);
	free(api->answers);
	yg_sign_in_free(api->sign_in);
	uv_mutex_destroy(&api->lock);
}

yg_status yg_lease_state(struct yg_api *api, struct yg_lease *l, struct yg_err *err)
{
	l->api = api;
	uv_mutex_lock(&api->lock);
	if (api->state_count > 0)
		l->db = api->states[--api->state_count];
	uv_mutex_unlock(&api->lock);
	return l->db != NULL ? YG_OK : yg_state_open(api->state_path, &l->db, err);
}

yg_status yg_lease_change(struct yg_api *api, struct yg_lease *l, struct yg_err *err)
{
	yg_status st = yg_lease_state(api, l, err);
	return st == YG_OK ? yg_state_begin(l->db, err) : st;
}

/* An answer without a part that found no room is none. */
static yg_status check_answer(const struct yg_request *q, const struct yg_response *r,
			      struct yg_err *err)
{
	if (q->arena->refused || yg_buf_done(&r->body) == YG_NOMEM)
		return YG_FAIL(err, YG_NOMEM, "no memory for the answer");
	return r->body.bad ? YG_FAIL(err, YG_INTERNAL, "the answer is larger than it may be")
			   : YG_OK;
}

yg_status yg_lease_commit(struct yg_lease *l, const struct yg_request *q,
			  const struct yg_response *r, yg_status st, struct yg_err *err)
{
	if (st == YG_OK)
		st = check_answer(q, r, err);
	return st == YG_OK ? yg_state_commit(l->db, err) : st;
}

yg_status yg_lease_store(struct yg_api *api, struct yg_lease *l, struct yg_err *err)
{
	l->api = api;
	uv_mutex_lock(&api->lock);
	if (api->store_count > 0)
		l->ch = api->stores[--api->store_count];
	uv_mutex_unlock(&api->lock);
	return l->ch != NULL ? YG_OK : yg_ch_open(&api->store, &l->ch, err);
}

void yg_lease_end(struct yg_lease *l)
{
	struct yg_state *db = l->db;
	struct yg_ch *ch = l->ch;
	if (l->api == NULL)
		return;
	if (db != NULL)
		yg_state_rollback(db);
	if (db != NULL && yg_state_in_transaction(db)) { /* closing ends it, too */
		yg_state_close(db);
		db = NULL;
	}
	uv_mutex_lock(&l->api->lock);
	if (db != NULL && l->api->state_count < YG_API_LEASES) {
		l->api->states[l->api->state_count++] = db;
		db = NULL;
	}
	if (ch != NULL && l->api->store_count < YG_API_LEASES) {
		l->api->stores[l->api->store_count++] = ch;
		ch = NULL;
	}
	uv_mutex_unlock(&l->api->lock);
	yg_state_close(db);
	yg_ch_close(ch);
	*l = (struct yg_lease){0};
}

static uint64_t hash_of(const struct yg_api *api, struct yg_sv a, struct yg_sv b)
{
	uint64_t half[2] = {yg_siphash(api->cursor_key, a.p, a.n),
			    yg_siphash(api->cursor_key, b.p, b.n)};
	return yg_siphash(api->cursor_key, half, sizeof half);
}

static struct yg_idempotent *find_answer(struct yg_api *api, uint64_t who, uint64_t key,
					 yg_wall now)
{
	for (size_t i = 0; i < YG_IDEMPOTENCY_MAX; i++) {
		struct yg_idempotent *a = &api->answers[i];
		if (a->at.us != 0 && a->who == who && a->key == key &&
		    now.us - a->at.us < YG_IDEMPOTENCY_S * YG_US_PER_S)
			return a;
	}
	return NULL;
}

/* 0: none known; 1: given again; -1: the key was used for something else. */
static int answer_again(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			const uint64_t id[static 3])
{
	int found = 0;
	uv_mutex_lock(&api->lock);
	const struct yg_idempotent *a = find_answer(api, id[0], id[1], q->now);
	if (a != NULL && a->body != id[2]) {
		found = -1;
	} else if (a != NULL) {
		found = 1;
		r->status = a->status;
		r->type = "application/json";
		yg_buf_put(&r->body, yg_buf_sv(&a->text));
		if (a->location[0] != '\0')
			yg_response_header(r, "Location",
					   yg_arena_dup(q->arena, yg_sv_of(a->location)));
		if (a->etag[0] != '\0')
			yg_response_header(r, "ETag", yg_arena_dup(q->arena, yg_sv_of(a->etag)));
	}
	uv_mutex_unlock(&api->lock);
	return found;
}

static void copy_header(const struct yg_response *r, const char *name, char *to, size_t cap)
{
	struct yg_sb b = yg_sb_init(to, cap);
	for (size_t i = 0; i < r->header_count; i++) {
		if (yg_sv_eq(r->headers[i].name, yg_sv_of(name)))
			yg_sb_put(&b, r->headers[i].value);
	}
	(void)yg_sb_cstr(&b);
}

/* A secret is shown once: what is kept for a repetition has null in its place. */
static void keep_text(struct yg_buf *to, struct yg_sv text)
{
	static const struct yg_sv member = YG_SV_INIT("\"secret\":\"");
	yg_buf_init(to, 1048576);
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

static void keep_answer(struct yg_api *api, const struct yg_request *q, const struct yg_response *r,
			const uint64_t id[static 3])
{
	uv_mutex_lock(&api->lock);
	struct yg_idempotent *a = &api->answers[api->answer_next++ % YG_IDEMPOTENCY_MAX];
	yg_buf_free(&a->text);
	*a = (struct yg_idempotent){
		.who = id[0], .key = id[1], .body = id[2], .at = q->now, .status = r->status};
	keep_text(&a->text, yg_buf_sv(&r->body));
	if (a->text.bad)
		a->at.us = 0;
	copy_header(r, "Location", a->location, sizeof a->location);
	copy_header(r, "ETag", a->etag, sizeof a->etag);
	uv_mutex_unlock(&api->lock);
}

/* Of an auditor's every view there is an entry; without it there is no answer. */
static yg_status note_view(struct yg_api *api, const struct yg_request *q, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_sv object =
		q->param_count > 0 ? q->params[0].value : yg_sv_of(q->route->operation);
	struct yg_sv asked = yg_query(q, "org");
	yg_detail_init(&d);
	yg_detail_note(&d, "operation", yg_sv_of(q->route->operation));
	yg_detail_note(&d, "target", q->target);
	yg_status st = yg_lease_change(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_audit_add(&act, "view", object, asked.p != NULL ? asked : q->who.root, &d, err);
	return st == YG_OK ? yg_state_commit(l.db, err) : st;
}

/* What changes something has looked at its answer before it committed. */
static yg_status handle(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	yg_status st = q->route->handler(api, q, r, err);
	if (st == YG_OK && q->method == YG_HTTP_GET)
		st = check_answer(q, r, err);
	if (st == YG_OK && q->who.audits && q->method == YG_HTTP_GET && q->route->scope != NULL)
		st = note_view(api, q, err);
	return st;
}

yg_status yg_api_handle(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	struct yg_sv key = q->header[YG_HH_IDEMPOTENCY_KEY];
	if (key.p == NULL || (q->route->flags & YG_RT_CREATES) == 0)
		return handle(api, q, r, err);
	if (key.n == 0 || key.n > 128) {
		yg_request_error(q, "out_of_range", YG_SV("Idempotency-Key"),
				 "expected 1 to 128 characters");
		return YG_FAIL(err, YG_PARSE, "a header is wrong");
	}
	uint64_t id[3] = {hash_of(api, yg_sv_of(q->who.actor), q->path),
			  hash_of(api, key, YG_SV("key")), hash_of(api, q->body, YG_SV("body"))};
	int known = answer_again(api, q, r, id);
	if (known < 0)
		return YG_FAIL(err, YG_CONFLICT, "this Idempotency-Key was used with another body");
	if (known > 0)
		return YG_OK;
	yg_status st = handle(api, q, r, err);
	if (st == YG_OK && r->status >= 200 && r->status < 300)
		keep_answer(api, q, r, id);
	return st;
}

static struct yg_part *find_part(struct yg_api *api, const char *name)
{
	for (size_t i = 0; i < api->part_count; i++) {
		if (strcmp(api->parts[i].name, name) == 0)
			return &api->parts[i];
	}
	if (api->part_count == YG_API_PARTS)
		return NULL;
	struct yg_part *p = &api->parts[api->part_count++];
	struct yg_sb b = yg_sb_init(p->name, sizeof p->name);
	yg_sb_put(&b, yg_sv_of(name));
	(void)yg_sb_cstr(&b);
	return p;
}

void yg_api_set_part(struct yg_api *api, const char *name, enum yg_health health, struct yg_sv text,
		     struct yg_sv stats)
{
	char *copy = NULL;
	if (stats.n > 0 && stats.n <= YG_API_STATS_MAX)
		copy = malloc(stats.n + 1);
	if (copy != NULL) {
		memcpy(copy, stats.p, stats.n);
		copy[stats.n] = '\0';
	}
	uv_mutex_lock(&api->lock);
	struct yg_part *p = find_part(api, name);
	if (p != NULL) {
		struct yg_sb b = yg_sb_init(p->text, sizeof p->text);
		yg_sb_put(&b, text);
		(void)yg_sb_cstr(&b);
		p->health = health;
		if (copy != NULL) {
			free(p->stats);
			p->stats = copy;
			copy = NULL;
		}
	}
	uv_mutex_unlock(&api->lock);
	free(copy);
}

yg_status yg_api_parts(struct yg_api *api, struct yg_arena *arena, struct yg_part **out,
		       size_t *out_n, struct yg_err *err)
{
	bool whole = true;
	struct yg_part *copy = YG_NEW_N(arena, struct yg_part, YG_API_PARTS);
	if (copy == NULL)
		return YG_FAIL(err, YG_NOMEM, "the list of processes");
	uv_mutex_lock(&api->lock);
	for (size_t i = 0; i < api->part_count; i++) {
		copy[i] = api->parts[i];
		if (copy[i].stats == NULL)
			continue;
		struct yg_sv s = yg_arena_dup(arena, yg_sv_of(copy[i].stats));
		whole = whole && s.p != NULL;
		copy[i].stats = (char *)(uintptr_t)s.p;
	}
	*out_n = api->part_count;
	uv_mutex_unlock(&api->lock);
	*out = copy;
	return whole ? YG_OK : YG_FAIL(err, YG_NOMEM, "the list of processes");
}
