#include "org/token.h"

#include <sodium.h>

#include "org/audit_log.h"
#include "org/organisation.h"
#include "org/rows.h"

#define KINDS_MAX    12 /* longest kind */
#define SECRET_BYTES 32
#define SECRET_TEXT  52 /* 256 bits in base32 */
#define NAME_MAX_    64
#define USED_EVERY   YG_SECONDS(60)

void yg_token_secret_wipe(struct yg_token_secret *s)
{
	sodium_memzero(s, sizeof *s);
}

bool yg_token_may(const struct yg_token *t, struct yg_sv scope)
{
	struct yg_sv rest = t->scopes, part;
	while (yg_sv_cut(&rest, ' ', &part))
		if (yg_sv_eq(part, scope))
			return true;
	return false;
}

/* 256 random bits need no slow hash; the key keeps it apart from other hashes. */
static void hash_secret(struct yg_sv secret, uint8_t out[static crypto_generichash_BYTES])
{
	static const unsigned char key[] = "yagura token secret, version 1";
	(void)crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)secret.p,
				 secret.n, key, sizeof key - 1);
}

static bool name_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > NAME_MAX_)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static yg_status join_scopes(const struct yg_token_new *n, struct yg_sb *out, bool *out_writes,
			     struct yg_err *err)
{
	*out_writes = false;
	for (size_t i = 0; i < n->scope_count; i++) {
		if (!yg_scope_ok(n->scopes[i]))
			return YG_FAIL(err, YG_INVAL, "scope %zu is none that exists", i);
		for (size_t k = 0; k < i; k++)
			if (yg_sv_eq(n->scopes[i], n->scopes[k]))
				return YG_FAIL(err, YG_INVAL, "scope %zu is given twice", i);
		*out_writes |= YG_SV_IS(n->scopes[i], "events:write");
		if (i > 0)
			yg_sb_putc(out, ' ');
		yg_sb_put(out, n->scopes[i]);
	}
	return n->scope_count > 0 && !out->cut
		       ? YG_OK
		       : YG_FAIL(err, YG_INVAL, "a token needs at least one scope");
}

static yg_status insert(struct yg_act *act, const struct yg_token *t, struct yg_sv secret,
			struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	uint8_t hash[crypto_generichash_BYTES];
	hash_secret(secret, hash);
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO token (id, kind, name, org, scopes, hash, created, created_by, expires, person)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, t->id);
	yg_stmt_text(s, 2, t->kind);
	yg_stmt_text(s, 3, t->name);
	yg_stmt_text_or_null(s, 4, t->org);
	yg_stmt_text(s, 5, t->scopes);
	yg_stmt_blob(s, 6, (struct yg_sv){(const char *)hash, sizeof hash});
	yg_stmt_i64(s, 7, t->created.us);
	yg_stmt_text(s, 8, act->who);
	yg_stmt_i64(s, 9, t->expires.us);
	yg_stmt_text_or_null(s, 10, t->person);
	return yg_stmt_run(s, err);
}

/* The public half: yg_<kind>_<ulid>. */
static struct yg_sv prefix_of(struct yg_arena *arena, struct yg_sv kind, struct yg_sv id)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, YG_SV("yg_"));
	yg_sb_put(&b, kind);
	yg_sb_putc(&b, '_');
	yg_sb_put(&b, yg_sv_sub(id, 2, YG_ULID_TEXT));
	return yg_arena_dup(arena, yg_sb_sv(&b));
}

static yg_status add(struct yg_act *act, const struct yg_token *t, struct yg_sv secret,
		     struct yg_err *err)
{
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	yg_detail_init(&d);
	yg_detail_note(&d, "name", t->name);
	yg_detail_note(&d, "scopes", t->scopes);
	(void)yg_detail_time(&d, "expires", 0, t->expires.us);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	if (t->person.n > 0)
		yg_detail_note(&d, "person", t->person);
	if (t->org.n > 0)
		st = yg_org_known(act->db, t->org, err);
	if (st == YG_OK)
		st = insert(act, t, secret, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "token.add", t->id, t->org, &d, err);
	return yg_tx_end(&tx, st, err);
}

yg_status yg_token_add(struct yg_act *act, const struct yg_token_new *n, struct yg_arena *arena,
		       struct yg_token *out, struct yg_token_secret *out_secret, struct yg_err *err)
{
	char scopes[512];
	bool writes;
	struct yg_sb list = yg_sb_init(scopes, sizeof scopes);
	if (!name_ok(n->name))
		return YG_FAIL(err, YG_INVAL, "a token's name has 1 to %d of A-Z a-z 0-9 . _ -",
			       NAME_MAX_);
	yg_status st = join_scopes(n, &list, &writes, err);
	if (st != YG_OK)
		return st;
	if (writes && n->org.n == 0)
		return YG_FAIL(err, YG_INVAL,
			       "a token that delivers events is of one organisation");
	yg_wall now = yg_env_wall(act->env);
	if (n->expires.us != 0 && n->expires.us <= now.us)
		return YG_FAIL(err, YG_INVAL, "the token would have expired already");
	struct yg_id id = yg_id_new(&act->ids, act->env, "t");
	struct yg_token t = {
		.id = yg_arena_dup(arena, yg_id_sv(&id)),
		.kind = writes ? YG_SV("collector") : YG_SV("api"),
		.name = yg_arena_dup(arena, n->name),
		.org = yg_arena_dup(arena, n->org),
		.person = yg_arena_dup(arena, n->person),
		.scopes = yg_arena_dup(arena, yg_sb_sv(&list)),
		.created_by = yg_arena_dup(arena, act->who),
		.created = now,
		.expires = n->expires,
	};
	if (t.id.p == NULL || t.name.p == NULL || t.org.p == NULL || t.scopes.p == NULL ||
	    t.created_by.p == NULL || t.person.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "token");
	t.prefix = prefix_of(arena, t.kind, t.id);
	if (t.prefix.p == NULL)
		return YG_FAIL(err, YG_NOMEM, "token");
	uint8_t random[SECRET_BYTES];
	act->env->random(act->env->ctx, random, sizeof random);
	struct yg_sb secret = yg_sb_init(out_secret->s, sizeof out_secret->s - 1);
	yg_sb_put(&secret, t.prefix);
	yg_sb_putc(&secret, '_');
	yg_sb_base32(&secret, random, sizeof random);
	sodium_memzero(random, sizeof random);
	(void)yg_sb_cstr(&secret);
	st = add(act, &t, yg_sb_sv(&secret), err);
	if (st == YG_OK)
		*out = t;
	else
		yg_token_secret_wipe(out_secret);
	return st;
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_token *t = to;
	struct yg_sv *text[] = {&t->id,     &t->kind,       &t->name,  &t->org,
				&t->scopes, &t->created_by, &t->person};
	bool ok = true;
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		ok = ok && text[i]->p != NULL;
	}
	t->created.us = yg_col_i64(s, 7);
	t->expires.us = yg_col_i64(s, 8);
	t->revoked.us = yg_col_i64(s, 9);
	t->last_used.us = yg_col_i64(s, 10);
	if (ok)
		t->prefix = prefix_of(arena, t->kind, t->id);
	return ok && t->prefix.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "token");
}

static void note_use(struct yg_state *db, const struct yg_token *t, yg_wall now)
{
	struct yg_stmt *s = NULL;
	if (t->last_used.us > now.us - USED_EVERY.us && t->last_used.us <= now.us)
		return;
	/* a nicety: signing in does not fail because of it */
	if (yg_state_prepare(db, YG_SQL("UPDATE token SET last_used = $2 WHERE id = $1"), &s,
			     NULL) != YG_OK)
		return;
	yg_stmt_text(s, 1, t->id);
	yg_stmt_i64(s, 2, now.us);
	(void)yg_stmt_run(s, NULL);
}

/* "yg_<kind>_<ulid>_<secret>" to the kind and the id in the database. */
static bool split_secret(struct yg_sv presented, struct yg_sv *out_kind, struct yg_id *out_id)
{
	struct yg_sv rest = presented, yg, ulid;
	if (presented.n >= YG_TOKEN_SECRET_MAX || !yg_sv_cut(&rest, '_', &yg) ||
	    !YG_SV_IS(yg, "yg") || !yg_sv_cut(&rest, '_', out_kind) || out_kind->n > KINDS_MAX ||
	    !yg_sv_cut(&rest, '_', &ulid) || ulid.n != YG_ULID_TEXT || rest.n != SECRET_TEXT)
		return false;
	struct yg_sb b = yg_sb_init(out_id->s, sizeof out_id->s);
	yg_sb_put(&b, YG_SV("t-"));
	yg_sb_put(&b, ulid);
	return yg_id_is((struct yg_sv){yg_sb_cstr(&b), b.n}, YG_SV("t"));
}

yg_status yg_token_check(struct yg_state *db, yg_wall now, struct yg_sv presented,
			 struct yg_arena *arena, struct yg_token *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_sv kind;
	struct yg_id id = {{0}};
	struct yg_token t = {0};
	uint8_t hash[crypto_generichash_BYTES], stored[crypto_generichash_BYTES] = {0};
	bool row = false;
	if (!split_secret(presented, &kind, &id))
		return YG_FAIL(err, YG_UNAUTH, "the token is not one of ours");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, kind, name, org, scopes, created_by, person, created, expires, revoked, last_used, hash"
		       " FROM token WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, yg_id_sv(&id));
	st = yg_stmt_step(s, &row, err);
	if (st != YG_OK)
		return st;
	/* the same work for an unknown id, so that time tells nothing */
	hash_secret(presented, hash);
	if (row && yg_col_text(s, 11).n == sizeof stored)
		memcpy(stored, yg_col_text(s, 11).p, sizeof stored);
	bool same = sodium_memcmp(hash, stored, sizeof hash) == 0;
	if (!row || !same || !yg_sv_eq(kind, yg_col_text(s, 1)))
		return YG_FAIL(err, YG_UNAUTH, "the token is not valid");
	st = take(s, arena, &t, err);
	if (st != YG_OK)
		return st;
	if (t.revoked.us != 0)
		return YG_FAIL(err, YG_UNAUTH, "the token was revoked");
	if (t.expires.us != 0 && t.expires.us <= now.us)
		return YG_FAIL(err, YG_UNAUTH, "the token has expired");
	yg_stmt_reset(s);
	note_use(db, &t, now);
	*out = t;
	return YG_OK;
}

yg_status yg_token_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
		       struct yg_token *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_token t = {0};
	bool row = false;
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, kind, name, org, scopes, created_by, person, created, expires, revoked, last_used"
		       " FROM token WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such token");
	if (st == YG_OK)
		st = take(s, arena, &t, err);
	if (st == YG_OK)
		*out = t;
	return st;
}

yg_status yg_token_list(struct yg_state *db, const struct yg_reach *reach, struct yg_sv before,
			uint32_t limit, struct yg_arena *arena, struct yg_token **out,
			size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	limit = YG_MIN(limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_token *list = YG_NEW_N(arena, struct yg_token, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "tokens");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, kind, name, org, scopes, created_by, person, created, expires, revoked, last_used"
		       " FROM token WHERE ($1 = 1 OR org IN yg_set($4)) AND ($2 = '' OR id < $2)"
		       " ORDER BY id DESC LIMIT $3"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, yg_reach_all_flag(reach));
	yg_stmt_set(s, 4, reach->orgs, reach->org_count);
	yg_stmt_text(s, 2, before);
	yg_stmt_i64(s, 3, limit);
	*out = list;
	return yg_rows_take(s, take, arena, list, sizeof *list, limit, out_n, err);
}

static yg_status revoke_one(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_token t = {0};
	struct yg_stmt *s = NULL;
	yg_arena_init(&arena, 65536);
	yg_status st = yg_token_get(act->db, id, &arena, &t, err);
	if (st != YG_OK || t.revoked.us != 0)
		return st;
	st = yg_state_prepare(act->db, YG_SQL("UPDATE token SET revoked = $2 WHERE id = $1"), &s,
			      err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, id);
	yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
	st = yg_stmt_run(s, err);
	return st == YG_OK ? yg_audit_add(act, "token.revoke", id, t.org, NULL, err) : st;
}

yg_status yg_token_revoke(struct yg_act *act, struct yg_sv id, struct yg_err *err)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, revoke_one(act, id, err), err) : st;
}

yg_status yg_token_list_person(struct yg_state *db, struct yg_sv person, struct yg_arena *arena,
			       struct yg_token **out, size_t *out_n, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	struct yg_token *list = YG_NEW_N(arena, struct yg_token, YG_PAGE_MAX);
	if (list == NULL)
		return YG_FAIL(err, YG_NOMEM, "tokens");
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT id, kind, name, org, scopes, created_by, person, created, expires, revoked,"
		       " last_used FROM token WHERE person = $1 AND revoked = 0 ORDER BY id DESC LIMIT $2"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, person);
	yg_stmt_i64(s, 2, YG_PAGE_MAX);
	size_t n = 0;
	bool row = true;
	while (n < YG_PAGE_MAX && (st = yg_stmt_step(s, &row, err)) == YG_OK && row) {
		st = take(s, arena, &list[n++], err);
		if (st != YG_OK)
			return st;
	}
	*out = list;
	*out_n = n;
	return st;
}

yg_status yg_token_revoke_person(struct yg_act *act, struct yg_sv person, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = yg_state_prepare(
		act->db, YG_SQL("UPDATE token SET revoked = $2 WHERE person = $1 AND revoked = 0"),
		&s, err);
	if (st == YG_OK) {
		yg_stmt_text(s, 1, person);
		yg_stmt_i64(s, 2, yg_env_wall(act->env).us);
		st = yg_stmt_run(s, err);
	}
	if (st == YG_OK && yg_state_changes(act->db) > 0)
		st = yg_audit_add(act, "token.revoke_all", person, YG_SV(""), NULL, err);
	return yg_tx_end(&tx, st, err);
}
