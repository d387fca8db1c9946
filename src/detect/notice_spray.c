/* notice_spray.c - few guesses each at many accounts, from one address.  Each account
 * counts for half an hour after its last failure; a late failure counts as long as it is
 * within half an hour of the newest. */
#include "detect/notice_internal.h"

#define WINDOW      (1800 * YG_NT_S)
#define USERS_LEAST 10
#define EACH_MOST   3.0 /* failures of an account; more is guessing at one */

static size_t find(const struct yg_nt_spray *s, uint64_t user)
{
	size_t i = 0;
	while (i < s->n && s->users[i].user != user)
		i++;
	return i;
}

static void forget(struct yg_nt_spray *s, size_t at)
{
	memmove(&s->users[at], &s->users[at + 1], (s->n - at - 1) * sizeof s->users[0]);
	s->n--;
}

static void forget_old(struct yg_nt_spray *s, int64_t now)
{
	for (size_t i = s->n; i-- > 0;)
		if (s->users[i].last < now - WINDOW)
			forget(s, i);
}

/* What is there: accounts and failures, since when. */
static uint64_t add_up(const struct yg_nt_spray *s, int64_t *first)
{
	uint64_t failed = 0;
	*first = s->n > 0 ? s->users[0].first : 0;
	for (size_t i = 0; i < s->n; i++) {
		failed += s->users[i].failed;
		*first = YG_MIN(*first, s->users[i].first);
	}
	return failed;
}

static void tell(struct yg_notices *n, const struct yg_nt_spray *s, int64_t time, bool got_in,
		 const struct yg_nt_out *out)
{
	int64_t first;
	uint64_t failed = add_up(s, &first);
	double many = (double)(s->n - USERS_LEAST) / (YG_NT_USERS - USERS_LEAST);
	struct yg_notice notice = {
		.kind = YG_NOTICE_SPRAY,
		.score = yg_nt_score(got_in ? 95 : 60 + 30 * many),
		.time = {time},
		.first = {first},
		.last = {time},
		.who = yg_nt_key(n, YG_NOTICE_SPRAY),
		.numbers = {(double)s->n, (double)failed, (double)(time - first) / 1e6},
		.flag = got_in,
	};
	yg_nt_tell(n, &notice, out);
}

void yg_nt_spray_see(struct yg_notices *n, struct yg_nt_spray *s, const struct yg_notice_login *l,
		     const struct yg_nt_out *out)
{
	uint64_t user = yg_siphash(n->key, l->user.p, l->user.n), failed = 1;
	int64_t time = l->time.us, newest = s->n > 0 ? s->users[s->n - 1].last : time, first = time;
	if (time < newest - WINDOW) {
		n->tables[YG_NOTICE_SPRAY].late++;
		return;
	}
	newest = YG_MAX(newest, time);
	forget_old(s, newest);
	size_t at = find(s, user);
	if (l->ok) {
		int64_t since;
		double each = s->n > 0 ? (double)add_up(s, &since) / (double)s->n : 0;
		if (at < s->n && s->n >= USERS_LEAST && each <= EACH_MOST &&
		    s->users[at].first <= time)
			tell(n, s, newest, true, out);
		return;
	}
	if (at < s->n) {
		failed += s->users[at].failed;
		first = YG_MIN(first, s->users[at].first);
		forget(s, at);
	} else if (s->n == YG_NT_USERS) {
		forget(s, 0);
	}
	s->users[s->n].user = user;
	s->users[s->n].failed = failed;
	s->users[s->n].first = first;
	s->users[s->n++].last = newest;
	if (s->n < USERS_LEAST || (double)add_up(s, &first) / (double)s->n > EACH_MOST ||
	    (s->told > 0 && newest - s->told < WINDOW))
		return;
	s->told = newest;
	tell(n, s, newest, false, out);
}

bool yg_nt_spray_valid(const union yg_nt_state *u)
{
	const struct yg_nt_spray *s = &u->spray;
	bool ok = s->n <= YG_NT_USERS && yg_nt_time_ok(s->told);
	for (size_t i = 0; ok && i < s->n; i++)
		ok = yg_nt_time_ok(s->users[i].first) && yg_nt_time_ok(s->users[i].last) &&
		     s->users[i].failed < UINT64_C(1) << 50;
	return ok;
}
