#include "api/api.h"

#include <stdlib.h>

#include "api/export.h"
#include "api/sign_in.h"
#include "base/codec.h"
#include "org/audit_log.h"
#include "org/organisation.h"

const char *yg_health_name(enum yg_health h)
{
	static const char *const names[] = {"down", "degraded", "ok"};
	return (size_t)h < YG_LEN(names) ? names[h] : "down";
}

yg_status yg_api_init(struct yg_api *api, struct yg_err *err)
{
	api->sign_in = yg_sign_in_new(api->env);
	if (api->sign_in == NULL || uv_mutex_init(&api->lock) != 0) {
		yg_sign_in_free(api->sign_in);
		api->sign_in = NULL;
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

yg_status yg_check_answer(const struct yg_request *q, const struct yg_response *r,
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
		st = yg_check_answer(q, r, err);
	if (st != YG_OK || q->dry_run)
		return st; /* the lease rolls back */
	st = yg_idempotency_keep(l->db, q, r, err);
	return st == YG_OK ? yg_state_commit(l->db, err) : st;
}

yg_status yg_lease_commit_then(struct yg_lease *l, const struct yg_request *q,
			       const struct yg_response *r, yg_status st,
			       void (*then)(struct yg_api *api), struct yg_err *err)
{
	st = yg_lease_commit(l, q, r, st, err);
	if (st == YG_OK && !q->dry_run)
		then(l->api);
	return st;
}

void yg_rights_changed(struct yg_api *api)
{
	yg_stream_rights_changed(api->stream);
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
	yg_status st = (yg_list_file_wanted(q) ? yg_list_file : q->route->handler)(api, q, r, err);
	if (st == YG_OK && q->method == YG_HTTP_GET)
		st = yg_check_answer(q, r, err);
	if (st == YG_OK && q->who.audits && q->method == YG_HTTP_GET && q->route->scope != NULL)
		st = note_view(api, q, err);
	return st;
}

yg_status yg_api_handle(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			struct yg_err *err)
{
	yg_status st = yg_query_bool(q, "dry_run", &q->dry_run, err);
	if (st != YG_OK)
		return st;
	if (q->header[YG_HH_IDEMPOTENCY_KEY].p == NULL || (q->route->flags & YG_RT_CREATES) == 0 ||
	    q->dry_run)
		return handle(api, q, r, err);
	return yg_idempotent(api, q, r, err);
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
