#include "org/session.h"

#include <sodium.h>

#include "base/codec.h"
#include "org/audit_log.h"

#define USED_EVERY YG_SECONDS(60)
#define KEPT_US    (30 * YG_US_PER_DAY)

void yg_session_secret_wipe(struct yg_session_secret *s)
{
	sodium_memzero(s, sizeof *s);
}

/* 256 random bits need no slow hash; the key keeps it apart from other hashes. */
static void hash_secret(struct yg_sv secret, uint8_t out[static crypto_generichash_BYTES])
{
	static const unsigned char key[] = "yagura session secret, version 1";
	(void)crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)secret.p,
				 secret.n, key, sizeof key - 1);
}

/* Printable ASCII, cut: it is shown to people only. */
static struct yg_sv clean_agent(struct yg_sv agent, char buf[static YG_AGENT_MAX])
{
	size_t n = YG_MIN(agent.n, (size_t)YG_AGENT_MAX);
	for (size_t i = 0; i < n; i++)
		buf[i] = agent.p[i] >= 0x20 && agent.p[i] < 0x7f ? agent.p[i] : '?';
	return (struct yg_sv){buf, n};
}

static yg_status insert(struct yg_act *act, const struct yg_session *v, struct yg_sv secret,
			struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	uint8_t hash[crypto_generichash_BYTES];
	hash_secret(secret, hash);
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO session (id, hash, person, method, created, last_used, expires,"
		       " step_up_until, address, agent) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, v->id);
	yg_stmt_blob(s, 2, (struct yg_sv){(const char *)hash, sizeof hash});
	yg_stmt_text(s, 3, v->person);
	yg_stmt_text(s, 4, v->method);
	yg_stmt_i64(s, 5, v->created.us);
	yg_stmt_i64(s, 6, v->expires.us);
	yg_stmt_i64(s, 7, v->step_up_until.us);
	yg_stmt_text(s, 8, v->address);
	yg_stmt_text(s, 9, v->agent);
	return yg_stmt_run(s, err);
}

/* What ended long ago goes; beyond YG_SESSIONS_MAX the oldest valid ones end. */
static yg_status make_room(struct yg_act *act, struct yg_sv person, int64_t now, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("DELETE FROM session WHERE person = $1 AND expires < $2"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_i64(s, 2, now - KEPT_US);
	st = yg_stmt_run(s, err);
	if (st == YG_OK)
		st = yg_state_prepare(
			act->db,
			YG_SQL("UPDATE session SET revoked = $2 WHERE person = $1 AND revoked = 0"
			       " AND id NOT IN (SELECT id FROM session WHERE person = $1"
			       " AND revoked = 0 ORDER BY id DESC LIMIT $3)"),
			&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_i64(s, 2, now);
	yg_stmt_i64(s, 3, YG_SESSIONS_MAX - 1);
	return yg_stmt_run(s, err);
}

static yg_status add(struct yg_act *act, const struct yg_session *v, struct yg_sv secret,
		     struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	yg_detail_init(&d);
	yg_detail_note(&d, "person", v->person);
	yg_detail_note(&d, "method", v->method);
	yg_detail_note(&d, "address", v->address);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = make_room(act, v->person, v->created.us, err);
	if (st == YG_OK)
		st = insert(act, v, secret, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "session.add", v->id, YG_SV(""), &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_session_add(struct yg_act *act, const struct yg_session_new *n, struct yg_arena *arena,
			 struct yg_session *out, struct yg_session_secret *out_secret,
			 struct yg_err *err)
{
	char agent[YG_AGENT_MAX];
	uint8_t random[32];
	yg_wall now = yg_env_wall(act->env);
	struct yg_id id = yg_id_new(&act->ids, act->env, "s");
	struct yg_session v = {
		.id = yg_arena_dup(arena, yg_id_sv(&id)),
		.person = yg_arena_dup(arena, n->person),
		.method = yg_arena_dup(arena, n->method),
		.address = yg_arena_dup(arena, n->address),
		.agent = yg_arena_dup(arena, clean_agent(n->agent, agent)),
		.created = now,
		.last_used = now,
		.expires = {now.us + n->absolute.us},
		.step_up_until = {now.us + YG_STEP_UP_S * YG_US_PER_S},
	};
	if (v.id.p == NULL || v.person.p == NULL || v.method.p == NULL || v.address.p == NULL ||
	    v.agent.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "session");
	act->env->random(act->env->ctx, random, sizeof random);
	struct yg_sb b = yg_sb_init(out_secret->s, sizeof out_secret->s);
	yg_sb_base64url(&b, random, sizeof random);
	sodium_memzero(random, sizeof random);
	(void)yg_sb_cstr(&b);
	yg_status st = add(act, &v, yg_sb_sv(&b), err);
	if (st == YG_OK)
		*out = v;
	else
		yg_session_secret_wipe(out_secret);
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, struct yg_session *v,
		      struct yg_err *err)
{
	struct yg_sv *text[] = {&v->id, &v->person, &v->method, &v->address, &v->agent};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "session");
	}
	yg_wall *times[] = {&v->created, &v->last_used, &v->expires, &v->step_up_until,
			    &v->revoked};
	for (size_t i = 0; i < YG_LEN(times); i++)
		times[i]->us = yg_col_i64(s, 5 + (int)i);
	return YG_OK;
}
#define COLUMNS                                                                                    \
	"id, person, method, address, agent, created, last_used, expires, step_up_until, revoked"

static void note_use(struct yg_state *db, const struct yg_session *v, yg_wall now)
{
	struct yg_stmt *s = NULL;
	if (v->last_used.us > now.us - USED_EVERY.us && v->last_used.us <= now.us)
		return;
	/* a busy database must not end anybody's work: the next request notes it */
	if (yg_state_prepare(db, YG_SQL("UPDATE session SET last_used = $2 WHERE id = $1"), &s,
			     NULL) != YG_OK)
		return;
	yg_stmt_text(s, 1, v->id);
	yg_stmt_i64(s, 2, now.us);
	(void)yg_stmt_run(s, NULL);
}

static yg_status find(struct yg_state *db, struct yg_sv presented, struct yg_arena *arena,
		      struct yg_session *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint8_t hash[crypto_generichash_BYTES];
	bool row = false;
	hash_secret(presented, hash);
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM session WHERE hash = $1"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_blob(s, 1, (struct yg_sv){(const char *)hash, sizeof hash});
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_UNAUTH, "the session is not valid");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

yg_status yg_session_check(struct yg_state *db, const struct yg_session_use *use,
			   struct yg_sv presented, struct yg_arena *arena, struct yg_session *out,
			   struct yg_person *out_person, struct yg_err *err)
{
	struct yg_session v = {0};
	if (presented.n != YG_SESSION_SECRET_TEXT)
		return YG_FAIL(err, YG_UNAUTH, "the session is not valid");
	yg_status st = find(db, presented, arena, &v, err);
	if (st != YG_OK)
		return st;
	if (v.revoked.us != 0)
		return YG_FAIL(err, YG_UNAUTH, "the session was ended");
	if (v.expires.us <= use->now.us || v.last_used.us + use->idle.us <= use->now.us)
		return YG_FAIL(err, YG_UNAUTH, "the session has expired");
	st = yg_person_get(db, v.person, arena, out_person, err);
	if (st == YG_NOTFOUND || (st == YG_OK && !YG_SV_IS(out_person->state, "active")))
		return YG_FAIL(err, YG_UNAUTH, "the session is not valid");
	if (st == YG_OK && use->touch)
		note_use(db, &v, use->now);
	*out = v;
	return st;
}

yg_status yg_session_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			 struct yg_session *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, YG_SQL("SELECT " COLUMNS " FROM session WHERE id = $1"),
					&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such session");
	return st == YG_OK ? take(s, arena, out, err) : st;
}

yg_status yg_session_step_up(struct yg_act *act, struct yg_sv id, struct yg_sv method,
			     struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_detail_note(&d, "method", method);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE session SET step_up_until = $2 WHERE id = $1 AND revoked = 0"), &s,
		err);
	if (st == YG_OK) {
		yg_stmt_text(s, 1, id);
		yg_stmt_i64(s, 2, yg_env_wall(act->env).us + YG_STEP_UP_S * YG_US_PER_S);
		st = yg_stmt_run(s, err);
	}
	if (st == YG_OK)
		st = yg_audit_add(act, "session.step_up", id, YG_SV(""), &d, err);
	return yg_tx_end(&tx, st, err);
}

static yg_status end_some(struct yg_act *act, const char *sql, struct yg_sv person, struct yg_sv id,
			  struct yg_sv object, const char *action, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(act->db, sql, &s, err);
	if (st == YG_OK) {
		yg_stmt_text(s, 1, person);
		yg_stmt_text(s, 2, id);
		yg_stmt_i64(s, 3, yg_env_wall(act->env).us);
		st = yg_stmt_run(s, err);
	}
	if (st == YG_OK && yg_state_changes(act->db) > 0)
		st = yg_audit_add(act, action, object, YG_SV(""), NULL, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_session_revoke(struct yg_act *act, struct yg_sv person, struct yg_sv id,
			    struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		act->db, YG_SQL("SELECT 1 FROM session WHERE id = $1 AND person = $2"), &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_text(s, 2, person);
	st = yg_stmt_step(s, &row, err);
	yg_stmt_reset(s);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such session");
	if (st != YG_OK)
		return st;
	return end_some(act,
			YG_SQL("UPDATE session SET revoked = $3"
			       " WHERE person = $1 AND id = $2 AND revoked = 0"),
			person, id, id, "session.revoke", err);
}

yg_status yg_session_revoke_all(struct yg_act *act, struct yg_sv person, struct yg_sv except,
				struct yg_err *err)
{
	return end_some(act,
			YG_SQL("UPDATE session SET revoked = $3"
			       " WHERE person = $1 AND id <> $2 AND revoked = 0"),
			person, except, person, "session.revoke_all", err);
}

yg_status yg_session_list(struct yg_state *db, struct yg_sv person, yg_wall now, yg_span idle,
			  struct yg_arena *arena, struct yg_session **out, size_t *out_n,
			  struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_session *list = YG_NEW_N(arena, struct yg_session, YG_SESSIONS_MAX);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "sessions");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT " COLUMNS " FROM session WHERE person = $1 AND revoked = 0"
		       " AND expires > $2 AND last_used > $3 ORDER BY id DESC LIMIT $4"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_i64(s, 2, now.us);
	yg_stmt_i64(s, 3, now.us - idle.us);
	yg_stmt_i64(s, 4, YG_SESSIONS_MAX);
	size_t n = 0;
	bool row = true;
	while (n < YG_SESSIONS_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}
