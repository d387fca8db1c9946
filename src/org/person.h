/* person.h - the people who sign in.  A login never changes and is never given
 * again: a person is disabled, not removed, because the audit log names them.
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "org/act.h"
#include "org/reach.h"

#define YG_LOGIN_MAX       64
#define YG_PERSON_NAME_MAX 100 /* characters */
#define YG_EMAIL_MAX       254 /* RFC 5321 4.5.3.1 */

struct yg_person {
	struct yg_sv id, login, name, email;
	struct yg_sv language; /* "ja" or "en" */
	struct yg_sv theme;    /* "system", "light", "dark" */
	struct yg_sv home;     /* slug of the organisation that is opened first; empty: all */
	struct yg_sv state;    /* "invited", "active", "disabled" */
	struct yg_sv org;      /* slug of the node that answers for them; empty: the whole */
	bool email_verified, administrator;
	yg_wall created, updated;
	int64_t version;
};
/* [a-z0-9][a-z0-9._@-]{0,63} */
bool yg_login_ok(struct yg_sv s);
/* One line of 1 to YG_PERSON_NAME_MAX characters. */
bool yg_person_name_ok(struct yg_sv s);
/* Something, '@', a name with a dot or without, no blanks; the mail's own server judges the rest. */
bool yg_email_ok(struct yg_sv s);

/* Adds p (its id, times and version are made here; empty language, theme and
 * state take their defaults).  YG_INVAL, YG_CONFLICT the login is taken. */
yg_status yg_person_add(struct yg_act *act, const struct yg_person *p, struct yg_id *out_id,
			struct yg_err *err) YG_MUST_USE;
yg_status yg_person_get(struct yg_state *db, struct yg_sv id, struct yg_arena *arena,
			struct yg_person *out, struct yg_err *err);
yg_status yg_person_by_login(struct yg_state *db, struct yg_sv login, struct yg_arena *arena,
			     struct yg_person *out, struct yg_err *err);
/* The one active or invited person with this mail address; YG_NOTFOUND none or
 * several.  Of those that the whole answers for it is one alone, so that an
 * organisation's administrator cannot keep the centre's people out. */
yg_status yg_person_by_email(struct yg_state *db, struct yg_sv email, struct yg_arena *arena,
			     struct yg_person *out, struct yg_err *err);
struct yg_person_filter {
	/* those that a node of it answers for, and those with a role on one; with a
	 * period: those who were there by its end */
	struct yg_reach reach;
	yg_wall now;
	struct yg_sv after; /* by login, from behind it; empty: from the first */
	uint32_t limit;     /* 1..YG_PAGE_MAX */
};
yg_status yg_person_list(struct yg_state *db, const struct yg_person_filter *f,
			 struct yg_arena *arena, struct yg_person **out, size_t *out_n,
			 struct yg_err *err);
/* One of those that the list with this reach would have; YG_NOTFOUND as if there were none. */
yg_status yg_person_within(struct yg_state *db, struct yg_sv id, const struct yg_reach *reach,
			   yg_wall now, struct yg_arena *arena, struct yg_person *out,
			   struct yg_err *err);
/* May who reaches so far change the person, let them in and send them out?  Only
 * who answers for all of them: their node and every role they hold.  YG_DENIED. */
yg_status yg_person_managed(struct yg_state *db, const struct yg_person *p,
			    const struct yg_reach *reach, yg_wall now,
			    struct yg_err *err) YG_MUST_USE;
struct yg_person_set { /* NULL: as it is */
	const struct yg_sv *name, *email, *language, *theme, *home, *state, *org;
	const bool *administrator;
};
/* YG_CONFLICT when `version` is no longer it.  Disabling ends every session and token of theirs. */
yg_status yg_person_change(struct yg_act *act, struct yg_sv id, int64_t version,
			   const struct yg_person_set *set, struct yg_err *err) YG_MUST_USE;
/* Active people who may do everything now, also for a time only. */
yg_status yg_person_administrators(struct yg_state *db, yg_wall now, int64_t *out,
				   struct yg_err *err);
/* Those besides `but` who may do so without an end: who is left to let others in. */
yg_status yg_person_administrators_left(struct yg_state *db, struct yg_sv but, int64_t *out,
					struct yg_err *err);
/* May this active person do everything, by themselves or by a grant for the whole, the
 * grant `but` (empty: none) left out? */
yg_status yg_person_is_administrator(struct yg_state *db, struct yg_sv id, yg_wall now,
				     struct yg_sv but, bool *out, struct yg_err *err);
/* The same of somebody who is invited or disabled: could they, once they are in? */
yg_status yg_person_would_administer(struct yg_state *db, struct yg_sv id, yg_wall now, bool *out,
				     struct yg_err *err);
