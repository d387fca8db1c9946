#include "org/person.h"

#include "org/audit_log.h"
#include "org/organisation.h"
#include "org/rows.h"
#include "org/session.h"
#include "org/token.h"

#define COLUMNS                                                                                    \
	"id, login, name, email, language, theme, home, state, email_verified, administrator,"     \
	" created, updated, version, org"

bool yg_login_ok(struct yg_sv s)
{
	if (s.n == 0 || s.n > YG_LOGIN_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!plain && (i == 0 || (c != '.' && c != '_' && c != '@' && c != '-')))
			return false;
	}
	return true;
}

bool yg_person_name_ok(struct yg_sv s)
{
	size_t characters = 0;
	if (s.n == 0 || s.n > (size_t)YG_PERSON_NAME_MAX * 4 || yg_utf8_valid(s) != s.n ||
	    yg_sv_trim(s).n != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f)
			return false;
		characters += (c & 0xc0) != 0x80;
	}
	return characters <= YG_PERSON_NAME_MAX;
}

bool yg_email_ok(struct yg_sv s)
{
	size_t at = yg_sv_find(s, '@', 0);
	if (s.n > YG_EMAIL_MAX || at == 0 || at + 1 >= s.n || yg_utf8_valid(s) != s.n ||
	    yg_sv_find(s, '@', at + 1) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"')
			return false;
	}
	return true;
}

static bool one_of(struct yg_sv s, const char *words)
{
	struct yg_sv rest = yg_sv_of(words), one;
	while (yg_sv_cut(&rest, ' ', &one))
		if (yg_sv_eq(one, s))
			return true;
	return false;
}

static yg_status check(const struct yg_person *p, struct yg_err *err)
{
	if (!yg_login_ok(p->login))
		return YG_FAIL(err, YG_INVAL, "a login has a-z, 0-9 and . _ @ - inside, at most %d",
			       YG_LOGIN_MAX);
	if (!yg_person_name_ok(p->name))
		return YG_FAIL(err, YG_INVAL, "a name has 1 to %d characters on one line",
			       YG_PERSON_NAME_MAX);
	if (p->email.n > 0 && !yg_email_ok(p->email))
		return YG_FAIL(err, YG_INVAL, "this is no mail address");
	if (!one_of(p->language, "ja en") || !one_of(p->theme, "system light dark") ||
	    !one_of(p->state, "invited active disabled"))
		return YG_FAIL(err, YG_INVAL, "language, theme or state is none that exists");
	if (p->org.n > 0 && !yg_org_slug_ok(p->org))
		return YG_FAIL(err, YG_INVAL, "org is not the name of an organisation");
	if (p->home.n > 0 && !yg_org_slug_ok(p->home))
		return YG_FAIL(err, YG_INVAL, "home is not the name of an organisation");
	return YG_OK;
}

static yg_status insert(struct yg_act *act, const struct yg_person *p, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("INSERT INTO person (id, login, name, email, language, theme, home, state,"
		       " org, administrator, created, updated)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)"),
		&s, err);
	if (st != YG_OK)
		return st;
	const struct yg_sv text[] = {p->id,    p->login, p->name,  p->email, p->language,
				     p->theme, p->home,  p->state, p->org};
	for (size_t i = 0; i < YG_LEN(text); i++)
		yg_stmt_text(s, (int)i + 1, text[i]);
	yg_stmt_i64(s, 10, p->administrator);
	yg_stmt_i64(s, 11, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

yg_status yg_person_add(struct yg_act *act, const struct yg_person *p, struct yg_id *out_id,
			struct yg_err *err)
{
	struct yg_person full = *p;
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	struct yg_tx tx;
	yg_detail_init(&d);
	*out_id = yg_id_new(&act->ids, act->env, "p");
	full.id = yg_id_sv(out_id);
	full.language = p->language.n > 0 ? p->language : YG_SV("ja");
	full.theme = p->theme.n > 0 ? p->theme : YG_SV("system");
	full.state = p->state.n > 0 ? p->state : YG_SV("invited");
	yg_status st = check(&full, err);
	if (st != YG_OK)
		return st;
	yg_detail_note(&d, "login", full.login);
	yg_detail_note(&d, "name", full.name);
	yg_detail_note(&d, "state", full.state);
	if (full.org.n > 0)
		yg_detail_note(&d, "org", full.org);
	yg_detail_count(&d, "administrator", full.administrator);
	st = yg_tx_begin(&tx, act->db, err);
	if (st != YG_OK)
		return st;
	st = insert(act, &full, err);
	if (st == YG_CONFLICT)
		st = YG_FAIL(err, YG_CONFLICT, "this login is taken");
	if (st == YG_OK)
		st = yg_audit_add(act, "person.add", full.id, full.org, &d, err);
	return yg_tx_end(&tx, st, err);
}

static yg_status take(struct yg_stmt *s, struct yg_arena *arena, void *to, struct yg_err *err)
{
	struct yg_person *p = to;
	struct yg_sv *text[] = {&p->id,       &p->login, &p->name, &p->email,
				&p->language, &p->theme, &p->home, &p->state};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		*text[i] = yg_arena_dup(arena, yg_col_text(s, (int)i));
		if (text[i]->p == NULL)
			return YG_FAIL(err, YG_NOMEM, "person");
	}
	p->email_verified = yg_col_i64(s, 8) != 0;
	p->administrator = yg_col_i64(s, 9) != 0;
	p->created.us = yg_col_i64(s, 10);
	p->updated.us = yg_col_i64(s, 11);
	p->version = yg_col_i64(s, 12);
	p->org = yg_arena_dup(arena, yg_col_text(s, 13));
	return p->org.p != NULL ? YG_OK : YG_FAIL(err, YG_NOMEM, "person");
}

static yg_status get_by(struct yg_state *db, const char *sql, struct yg_sv key,
			struct yg_arena *arena, struct yg_person *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false, more = false;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, key);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such person");
	*out = (struct yg_person){0};
	if (st == YG_OK)
		st = take(s, arena, out, err);
	if (st == YG_OK)
		st = yg_stmt_step(s, &more, err);
	return st == YG_OK && more ? YG_FAIL(err, YG_NOTFOUND, "several people") : st;
}

yg_status yg_person_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			struct yg_person *out, struct yg_err *err)
{
	return get_by(db, YG_SQL("SELECT " COLUMNS " FROM person WHERE id = $1"), id, arena, out,
		      err);
}

yg_status yg_person_by_login(struct yg_state *db, struct yg_sv login, struct yg_arena *arena,
			     struct yg_person *out, struct yg_err *err)
{
	return get_by(db, YG_SQL("SELECT " COLUMNS " FROM person WHERE login = $1"), login, arena,
		      out, err);
}

yg_status yg_person_by_email(struct yg_state *db, struct yg_sv email, struct yg_arena *arena,
			     struct yg_person *out, struct yg_err *err)
{
	if (email.n == 0)
		return YG_FAIL(err, YG_NOTFOUND, "no such person");
	return get_by(
		db,
		YG_SQL("SELECT " COLUMNS " FROM person"
		       " WHERE lower(email) = lower($1) AND state <> 'disabled' AND (org = '' OR NOT EXISTS"
		       " (SELECT 1 FROM person c WHERE lower(c.email) = lower($1)"
		       " AND c.state <> 'disabled' AND c.org = '')) LIMIT 2"),
		email, arena, out, err);
}

/* What a reach makes of the people: $1 all, $2 its organisations, $3 now, $4 the
 * end of its period. */
#define WITHIN                                                                                     \
	" ($1 = 1 OR p.org IN yg_set($2) OR EXISTS (SELECT 1 FROM role_grant g"                    \
	" WHERE g.person = p.id AND g.node IN yg_set($2) AND (g.expires = 0 OR g.expires > $3)))"  \
	" AND ($4 = 0 OR p.created < $4)"

static void bind_within(struct yg_stmt *s, const struct yg_reach *r, yg_wall now)
{
	yg_stmt_i64(s, 1, yg_reach_all_flag(r));
	yg_stmt_set(s, 2, r->orgs, r->org_count);
	yg_stmt_i64(s, 3, now.us);
	yg_stmt_i64(s, 4, r->to.us);
}

yg_status yg_person_list(struct yg_state *db, const struct yg_person_filter *f,
			 struct yg_arena *arena, struct yg_person **out, size_t *out_n,
			 struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	uint32_t limit = YG_MIN(f->limit, (uint32_t)YG_PAGE_MAX + 1);
	struct yg_person *list = YG_NEW_N(arena, struct yg_person, limit);
	if (list == NULL && limit > 0)
		return YG_FAIL(err, YG_NOMEM, "people");
	yg_status st = yg_state_prepare(db,
					YG_SQL("SELECT " COLUMNS " FROM person p WHERE" WITHIN
					       " AND p.login > $5 ORDER BY p.login LIMIT $6"),
					&s, err);
	if (st != YG_OK)
		return st;
	bind_within(s, &f->reach, f->now);
	yg_stmt_text(s, 5, f->after);
	yg_stmt_i64(s, 6, limit);
	*out = list;
	return yg_rows_take(s, take, arena, list, sizeof *list, limit, out_n, err);
}

yg_status yg_person_within(struct yg_state *db, struct yg_sv id, const struct yg_reach *reach,
			   yg_wall now, struct yg_arena *arena, struct yg_person *out,
			   struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(
		db, YG_SQL("SELECT " COLUMNS " FROM person p WHERE" WITHIN " AND p.id = $5"), &s,
		err);
	if (st != YG_OK)
		return st;
	bind_within(s, reach, now);
	yg_stmt_text(s, 5, id);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && !row)
		return YG_FAIL(err, YG_NOTFOUND, "no such person");
	*out = (struct yg_person){0};
	return st == YG_OK ? take(s, arena, out, err) : st;
}

yg_status yg_person_managed(struct yg_state *db, const struct yg_person *p,
			    const struct yg_reach *reach, yg_wall now, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	if (reach->all)
		return YG_OK;
	/* a system's grant counts by its organisation: what is above a system is not within it */
	yg_status st = yg_state_prepare(
		db,
		YG_SQL("SELECT 1 FROM role_grant g WHERE g.person = $1 AND g.node NOT IN yg_set($2)"
		       " AND (g.expires = 0 OR g.expires > $3) LIMIT 1"),
		&s, err);
	if (st != YG_OK)
		return st;
	yg_stmt_text(s, 1, p->id);
	yg_stmt_set(s, 2, reach->orgs, reach->org_count);
	yg_stmt_i64(s, 3, now.us);
	st = yg_stmt_step(s, &row, err);
	if (st == YG_OK && (row || p->administrator || !yg_reach_has(reach, p->org, YG_SV(""))))
		return YG_FAIL(err, YG_DENIED,
			       "only who answers for this person and all of their roles does this");
	return st;
}

static void lay_over(struct yg_person *p, const struct yg_person_set *set, struct yg_detail *d)
{
	const struct {
		const char *name;
		const struct yg_sv *from;
		struct yg_sv *to;
	} text[] = {{"name", set->name, &p->name},
		    {"email", set->email, &p->email},
		    {"language", set->language, &p->language},
		    {"theme", set->theme, &p->theme},
		    {"home", set->home, &p->home},
		    {"org", set->org, &p->org},
		    {"state", set->state, &p->state}};
	for (size_t i = 0; i < YG_LEN(text); i++) {
		if (text[i].from == NULL)
			continue;
		(void)yg_detail_text(d, text[i].name, *text[i].to, *text[i].from);
		*text[i].to = *text[i].from;
	}
	if (set->administrator != NULL) {
		(void)yg_detail_i64(d, "administrator", p->administrator, *set->administrator);
		p->administrator = *set->administrator;
	}
}

static yg_status update(struct yg_act *act, const struct yg_person *p, struct yg_err *err)
{
	struct yg_stmt *s = NULL;
	yg_status st = yg_state_prepare(
		act->db,
		YG_SQL("UPDATE person SET name = $2, email = $3, language = $4, theme = $5, home = $6,"
		       " state = $7, org = $8, administrator = $9, updated = $10,"
		       " version = version + 1"
		       " WHERE id = $1"),
		&s, err);
	if (st != YG_OK)
		return st;
	const struct yg_sv text[] = {p->id,    p->name, p->email, p->language,
				     p->theme, p->home, p->state, p->org};
	for (size_t i = 0; i < YG_LEN(text); i++)
		yg_stmt_text(s, (int)i + 1, text[i]);
	yg_stmt_i64(s, 9, p->administrator);
	yg_stmt_i64(s, 10, yg_env_wall(act->env).us);
	return yg_stmt_run(s, err);
}

static yg_status change(struct yg_act *act, struct yg_sv id, int64_t version,
			const struct yg_person_set *set, struct yg_arena *arena, struct yg_err *err)
{
	struct yg_person p = {0};
	YG_AUTO(yg_detail_free) struct yg_detail d = {0};
	yg_detail_init(&d);
	yg_status st = yg_person_get(act->db, id, arena, &p, err);
	if (st == YG_OK && version != YG_ANY_VERSION && version != p.version)
		return YG_FAIL(err, YG_CONFLICT, "the person was changed meanwhile");
	if (st != YG_OK)
		return st;
	bool was_disabled = YG_SV_IS(p.state, "disabled");
	lay_over(&p, set, &d);
	st = check(&p, err);
	if (st == YG_OK)
		st = update(act, &p, err);
	if (st == YG_OK)
		st = yg_audit_add(act, "person.update", id, p.org, &d, err);
	if (st == YG_OK && YG_SV_IS(p.state, "disabled") && !was_disabled) {
		st = yg_session_revoke_all(act, id, YG_SV(""), err);
		if (st == YG_OK)
			st = yg_token_revoke_person(act, id, err);
	}
	return st;
}

yg_status yg_person_change(struct yg_act *act, struct yg_sv id, int64_t version,
			   const struct yg_person_set *set, struct yg_err *err)
{
	YG_AUTO(yg_arena_free) struct yg_arena arena = {0};
	struct yg_tx tx;
	yg_arena_init(&arena, 65536);
	yg_status st = yg_tx_begin(&tx, act->db, err);
	return st == YG_OK ? yg_tx_end(&tx, change(act, id, version, set, &arena, err), err) : st;
}

/* Of person p: by themselves, or by a grant that has not ended at $1 and is not $2. */
#define ADMINISTERS                                                                                \
	" (p.administrator = 1 OR EXISTS (SELECT 1 FROM role_grant g WHERE g.person = p.id"        \
	" AND g.role = 'administrator' AND g.node = '' AND g.id <> $2"                             \
	" AND (g.expires = 0 OR g.expires > $1)))"

/* The first column of what `sql` finds; 0: nothing. */
static yg_status number_of(struct yg_state *db, const char *sql, int64_t at_us, struct yg_sv but,
			   struct yg_sv id, int64_t *out, struct yg_err *err)
{
	YG_AUTO(yg_stmt_donep) struct yg_stmt *s = NULL;
	bool row = false;
	yg_status st = yg_state_prepare(db, sql, &s, err);
	*out = 0;
	if (st != YG_OK)
		return st;
	yg_stmt_i64(s, 1, at_us);
	yg_stmt_text(s, 2, but);
	yg_stmt_text(s, 3, id);
	st = yg_stmt_step(s, &row, err);
	*out = st == YG_OK && row ? yg_col_i64(s, 0) : 0;
	return st;
}

yg_status yg_person_administrators(struct yg_state *db, yg_wall now, int64_t *out,
				   struct yg_err *err)
{
	return number_of(
		db,
		YG_SQL("SELECT count(*) FROM person p WHERE p.state = 'active' AND" ADMINISTERS
		       " AND p.id <> $3"),
		now.us, YG_SV(""), YG_SV(""), out, err);
}

yg_status yg_person_administrators_left(struct yg_state *db, struct yg_sv but, int64_t *out,
					struct yg_err *err)
{
	/* at the end of time only what does not end holds */
	return number_of(
		db,
		YG_SQL("SELECT count(*) FROM person p WHERE p.state = 'active' AND" ADMINISTERS
		       " AND p.id <> $3"),
		INT64_MAX, YG_SV(""), but, out, err);
}

yg_status yg_person_is_administrator(struct yg_state *db, struct yg_sv id, yg_wall now,
				     struct yg_sv but, bool *out, struct yg_err *err)
{
	int64_t n = 0;
	yg_status st = number_of(
		db,
		YG_SQL("SELECT 1 FROM person p WHERE p.id = $3 AND p.state = 'active' AND" ADMINISTERS),
		now.us, but, id, &n, err);
	*out = n > 0;
	return st;
}

yg_status yg_person_would_administer(struct yg_state *db, struct yg_sv id, yg_wall now, bool *out,
				     struct yg_err *err)
{
	int64_t n = 0;
	yg_status st =
		number_of(db, YG_SQL("SELECT 1 FROM person p WHERE p.id = $3 AND" ADMINISTERS),
			  now.us, YG_SV(""), id, &n, err);
	*out = n > 0;
	return st;
}
