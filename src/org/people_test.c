/* People, what they sign in with, sessions, one-time codes, throttling. */
#include "org/approval.h"
#include "org/audit_log.h"
#include "org/credential.h"
#include "org/enrol.h"
#include "org/person.h"
#include "org/session.h"
#include "org/throttle.h"
#include "org/token.h"
#include "tap.h"

static struct yg_env_sim sim = {.wall = {1700000000000000}, .seed = 7};
static struct yg_env env;
static struct yg_arena arena;
static struct yg_err err;
static const yg_span hour = {3600 * YG_US_PER_S};

static struct yg_state *fresh(void)
{
	struct yg_state *db = NULL;
	if (yg_state_open(":memory:", &db, &err) != YG_OK || yg_state_migrate(db, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	return db;
}

static bool audited(struct yg_state *db, const char *action)
{
	struct yg_audit_entry *e;
	size_t n;
	struct yg_audit_filter f = {.reach = YG_REACH_ALL, .limit = 1};
	return yg_audit_list(db, &f, &arena, &e, &n, &err) == YG_OK && n == 1 &&
	       yg_sv_eq(e->action, yg_sv_of(action));
}

/* RFC 6238 appendix B, SHA-1; its secret is "12345678901234567890". */
static void test_totp(void)
{
	static const uint8_t secret[] = "12345678901234567890";
	static const struct {
		int64_t at;
		uint32_t code;
	} rfc[] = {{59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
		   {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130}};
	for (size_t i = 0; i < YG_LEN(rfc); i++)
		T_OK(yg_totp_code(secret, (uint64_t)rfc[i].at / 30, 8) == rfc[i].code);
	yg_wall now = {59 * YG_US_PER_S};
	int64_t step = 0;
	T_OK(yg_totp_check(secret, now, YG_SV("287082"), 0, &step) && step == 1);
	T_OK(yg_totp_check(secret, now, YG_SV("287 082"), 0, &step));
	T_NAMED(!yg_totp_check(secret, now, YG_SV("287082"), 1, &step), "a used step is refused");
	T_OK(!yg_totp_check(secret, now, YG_SV("287083"), 0, &step));
	T_OK(!yg_totp_check(secret, now, YG_SV("28708"), 0, &step));
	T_OK(!yg_totp_check(secret, now, YG_SV("2870820"), 0, &step));
	T_OK(!yg_totp_check(secret, now, YG_SV(""), 0, &step));
	yg_wall later = {89 * YG_US_PER_S}, too_late = {120 * YG_US_PER_S};
	T_NAMED(yg_totp_check(secret, later, YG_SV("287082"), 0, &step), "one step late is taken");
	T_OK(!yg_totp_check(secret, too_late, YG_SV("287082"), 0, &step));
	char text[YG_TOTP_TEXT];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_totp_text(secret, &b);
	T_OK(yg_sv_eq(yg_sb_sv(&b), YG_SV("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")));
	char plain[17];
	T_OK(yg_recovery_read(YG_SV(" ABCD-efgh-1il0-oOo9 "), plain) &&
	     strcmp(plain, "ABCDEFGH11100009") == 0);
	T_OK(!yg_recovery_read(YG_SV("abcd-efgh"), plain));
	T_OK(!yg_recovery_read(YG_SV("abcd-efgh-abcd-efgh-a"), plain));
}

static void test_password_rules(void)
{
	static const char *const bad[] = {
		"",
		"short",
		"elevenchars",
		"aaaaaaaaaaaa",
		"abcabcabcabc",
		"123456789012",
		"qwertyuiop12",
		"abcdefghijklm",
		"Password1234",
		"P@ssw0rd!2026",
		"yagura-admin-1",
		"Welcome2026!!",
		"hanako-12345678",
		"111111111111111111",
	};
	static const char *const good[] = {
		"correct horse battery",          "vuXk29!qpLmz",   "櫓の上から見る月は美しい",
		"passwords are hard to remember", "kettle 77 lamp",
	};
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_NAMED(yg_password_fault(yg_sv_of(bad[i]), YG_SV("hanako")) != NULL, bad[i]);
	for (size_t i = 0; i < YG_LEN(good); i++)
		T_NAMED(yg_password_fault(yg_sv_of(good[i]), YG_SV("hanako")) == NULL, good[i]);
	char longest[300];
	memset(longest, 'x', sizeof longest);
	T_OK(yg_password_fault((struct yg_sv){longest, 257}, YG_SV("a")) != NULL);
	T_OK(yg_password_fault(YG_SV("correct horse\xff battery"), YG_SV("a")) != NULL);
}

static void test_password_hash(void)
{
	struct yg_password_hash h;
	bool same = false;
	struct yg_sv secret = YG_SV("correct horse battery");
	T_OK(yg_password_make(secret, 1, &h, &err) == YG_OK);
	T_OK(yg_sv_starts(yg_sv_of(h.s), YG_SV("$argon2id$v=19$m=49152,t=3,p=1$")));
	T_OK(yg_password_check(yg_sv_of(h.s), secret, 1, &same, &err) == YG_OK && same);
	T_OK(yg_password_check(yg_sv_of(h.s), YG_SV("wrong"), 1, &same, &err) == YG_OK && !same);
	T_OK(yg_password_check(YG_SV(""), secret, 1, &same, &err) == YG_OK && !same);
	T_OK(yg_password_check(YG_SV("nonsense"), secret, 1, &same, &err) == YG_OK && !same);
}

static void test_throttle(void)
{
	struct yg_throttle *t = calloc(1, sizeof *t);
	yg_mono now = {1000000};
	uint32_t s = 1;
	if (!T_OK(t != NULL))
		return;
	for (int i = 0; i < YG_THROTTLE_FREE; i++)
		yg_throttle_failed(t, 42, now);
	T_NAMED(yg_throttle_wait(t, 42, now) == 0, "the first failures cost nothing");
	T_OK(yg_throttle_left(t, 42, now, &s) == 0 && s == YG_THROTTLE_HALF_S &&
	     yg_throttle_left(t, 43, now, &s) == YG_THROTTLE_FREE && s == 0);
	yg_throttle_failed(t, 42, now);
	T_OK(yg_throttle_wait(t, 42, now) == 2);
	for (int i = 0; i < 30; i++)
		yg_throttle_failed(t, 42, now);
	T_NAMED(yg_throttle_wait(t, 42, now) == YG_THROTTLE_MOST_S, "the wait has a bound");
	T_NAMED(yg_throttle_wait(t, 43, now) == 0, "another key does not wait");
	T_NAMED(yg_throttle_wait(t, 42 + YG_THROTTLE_ROWS, now) == 0, "nor one of the same row");
	now.us += YG_THROTTLE_MOST_S * YG_US_PER_S;
	T_OK(yg_throttle_wait(t, 42, now) == 0);
	yg_throttle_passed(t, 42);
	yg_throttle_failed(t, 42, now);
	T_NAMED(yg_throttle_wait(t, 42, now) == 0, "success forgets");
	for (uint64_t k = 1; k < 100000; k++) /* a flood of keys does not push the worst out */
		yg_throttle_failed(t, k * 7919 * YG_THROTTLE_ROWS + 5, now);
	for (int i = 0; i < 20; i++)
		yg_throttle_failed(t, 6 + YG_THROTTLE_ROWS, now);
	T_OK(yg_throttle_wait(t, 6 + YG_THROTTLE_ROWS, now) == YG_THROTTLE_MOST_S);
	now.us += 40 * YG_THROTTLE_HALF_S * YG_US_PER_S;
	yg_throttle_failed(t, 6 + YG_THROTTLE_ROWS, now);
	T_NAMED(yg_throttle_wait(t, 6 + YG_THROTTLE_ROWS, now) == 0, "time forgets");
	free(t);
}

static struct yg_id add_person(struct yg_act *act, const char *login)
{
	struct yg_id id = {{0}};
	struct yg_person p = {.login = yg_sv_of(login),
			      .name = YG_SV_INIT("山田 花子"),
			      .email = YG_SV_INIT("h@example.jp"),
			      .state = YG_SV_INIT("active")};
	T_OK(yg_person_add(act, &p, &id, &err) == YG_OK);
	return id;
}

static yg_status check(struct yg_state *db, yg_wall now, struct yg_sv cookie, yg_span idle,
		       bool touch)
{
	struct yg_session s;
	struct yg_person p;
	struct yg_session_use use = {now, idle, touch};
	yg_status st = yg_session_check(db, &use, cookie, &arena, &s, &p, &err);
	return st == YG_OK && !YG_SV_IS(p.login, "hanako") ? YG_INTERNAL : st;
}

static void test_people(void)
{
	struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("test"));
	struct yg_id id = add_person(&act, "hanako"), other;
	struct yg_person p, *list;
	size_t n;
	T_OK(audited(db, "person.add"));
	struct yg_person bad = {.login = YG_SV_INIT("Hanako"), .name = YG_SV_INIT("x")};
	T_OK(yg_person_add(&act, &bad, &other, &err) == YG_INVAL);
	bad.login = YG_SV("hanako");
	T_OK(yg_person_add(&act, &bad, &other, &err) == YG_CONFLICT);
	T_OK(yg_person_by_login(db, YG_SV("hanako"), &arena, &p, &err) == YG_OK &&
	     yg_sv_eq(p.id, yg_id_sv(&id)) && p.version == 1 && YG_SV_IS(p.language, "ja"));
	T_OK(yg_person_by_email(db, YG_SV("H@EXAMPLE.jp"), &arena, &p, &err) == YG_OK);
	(void)add_person(&act, "second");
	T_NAMED(yg_person_by_email(db, YG_SV("h@example.jp"), &arena, &p, &err) == YG_NOTFOUND,
		"an address of two people is nobody's");
	struct yg_person_filter f = {.reach = YG_REACH_ALL, .after = YG_SV_INIT(""), .limit = 10};
	T_OK(yg_person_list(db, &f, &arena, &list, &n, &err) == YG_OK && n == 2);
	f.reach = (struct yg_reach){0};
	T_NAMED(yg_person_list(db, &f, &arena, &list, &n, &err) == YG_OK && n == 0,
		"who reaches nothing sees nobody");
	bool yes = true;
	int64_t admins = 9;
	struct yg_person_set set = {.administrator = &yes};
	T_OK(yg_person_administrators(db, sim.wall, &admins, &err) == YG_OK && admins == 0);
	T_OK(yg_person_change(&act, yg_id_sv(&id), 7, &set, &err) == YG_CONFLICT);
	T_OK(yg_person_change(&act, yg_id_sv(&id), 1, &set, &err) == YG_OK);
	T_OK(yg_person_administrators(db, sim.wall, &admins, &err) == YG_OK && admins == 1);
	yg_state_close(db);
}

/* Who may do everything for a time is a second person as long, and none who is left. */
static void test_administrators(void)
{
	struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("test"));
	struct yg_id one = add_person(&act, "hanako"), two = add_person(&act, "taro"), gid;
	const struct yg_sv active = YG_SV("active"), off = YG_SV("disabled");
	const bool yes = true;
	bool is = true, would = false;
	int64_t n = 9, left = 9;
	struct yg_person_set set = {.administrator = &yes, .state = &active};
	T_OK(yg_person_change(&act, yg_id_sv(&one), YG_ANY_VERSION, &set, &err) == YG_OK);
	set.administrator = NULL;
	T_OK(yg_person_change(&act, yg_id_sv(&two), YG_ANY_VERSION, &set, &err) == YG_OK);
	struct yg_grant g = {.person = yg_id_sv(&two),
			     .role = YG_ROLE_ADMINISTRATOR,
			     .node = YG_SV_INIT(""),
			     .system = YG_SV_INIT(""),
			     .reason = YG_SV_INIT(""),
			     .expires = {sim.wall.us + hour.us}};
	T_OK(yg_grant_add(&act, &g, &gid, &err) == YG_OK);
	T_OK(yg_person_administrators(db, sim.wall, &n, &err) == YG_OK && n == 2);
	T_OK(yg_person_administrators_left(db, yg_id_sv(&two), &left, &err) == YG_OK && left == 1);
	T_OK(yg_person_administrators_left(db, yg_id_sv(&one), &left, &err) == YG_OK && left == 0);
	yg_wall later = {sim.wall.us + hour.us};
	T_NAMED(yg_person_administrators(db, later, &n, &err) == YG_OK && n == 1, "until it ends");
	set.state = &off;
	T_OK(yg_person_change(&act, yg_id_sv(&two), YG_ANY_VERSION, &set, &err) == YG_OK);
	struct yg_sv none = YG_SV("");
	T_OK(yg_person_is_administrator(db, yg_id_sv(&two), sim.wall, none, &is, &err) == YG_OK &&
	     yg_person_would_administer(db, yg_id_sv(&two), sim.wall, &would, &err) == YG_OK);
	T_NAMED(!is && would, "who is disabled is none, and would be one again");
	yg_state_close(db);
}

static void test_sessions(void)
{
	struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("test"));
	struct yg_id id = add_person(&act, "hanako");
	struct yg_session s, *list;
	struct yg_session_secret secret;
	size_t n;
	struct yg_session_new new = {yg_id_sv(&id),
				     YG_SV("password"),
				     YG_SV("192.0.2.1"),
				     YG_SV("agent\x01\xff"),
				     {12 * hour.us}};
	T_OK(yg_session_add(&act, &new, &arena, &s, &secret, &err) == YG_OK &&
	     strlen(secret.s) == YG_SESSION_SECRET_TEXT && YG_SV_IS(s.agent, "agent??"));
	yg_wall now = sim.wall;
	struct yg_sv cookie = yg_sv_of(secret.s);
	T_OK(check(db, now, cookie, hour, true) == YG_OK);
	char wrong[sizeof secret.s];
	memcpy(wrong, secret.s, sizeof wrong);
	wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
	T_OK(check(db, now, yg_sv_of(wrong), hour, true) == YG_UNAUTH);
	now.us += hour.us - 1;
	T_OK(check(db, now, cookie, hour, true) == YG_OK);
	now.us += hour.us - 1;
	T_NAMED(check(db, now, cookie, hour, false) == YG_OK, "use keeps it alive");
	now.us += 2;
	T_NAMED(check(db, now, cookie, hour, true) == YG_UNAUTH,
		"what does not count as use does not");
	now.us = sim.wall.us + 12 * hour.us;
	T_NAMED(check(db, now, cookie, (yg_span){100 * hour.us}, true) == YG_UNAUTH,
		"its latest time ends it");
	T_OK(yg_session_list(db, yg_id_sv(&id), sim.wall, hour, &arena, &list, &n, &err) == YG_OK &&
	     n == 1);
	T_OK(yg_session_revoke(&act, YG_SV("p-x"), list[0].id, &err) == YG_NOTFOUND);
	T_OK(yg_session_revoke(&act, yg_id_sv(&id), list[0].id, &err) == YG_OK &&
	     audited(db, "session.revoke"));
	T_OK(check(db, sim.wall, cookie, hour, true) == YG_UNAUTH);
	for (int i = 0; i < YG_SESSIONS_MAX + 5; i++)
		T_OK(yg_session_add(&act, &new, &arena, &s, &secret, &err) == YG_OK);
	T_OK(yg_session_list(db, yg_id_sv(&id), sim.wall, hour, &arena, &list, &n, &err) == YG_OK &&
	     n == YG_SESSIONS_MAX);
	static const struct yg_sv disabled = YG_SV_INIT("disabled");
	struct yg_person_set set = {.state = &disabled};
	T_OK(yg_person_change(&act, yg_id_sv(&id), YG_ANY_VERSION, &set, &err) == YG_OK);
	T_OK(yg_session_list(db, yg_id_sv(&id), sim.wall, hour, &arena, &list, &n, &err) == YG_OK &&
	     n == 0);
	yg_state_close(db);
}

static struct yg_sv code_now(const uint8_t secret[static YG_TOTP_SECRET], char buf[static 8])
{
	uint64_t step = (uint64_t)sim.wall.us / 30000000;
	(void)snprintf(buf, 8, "%06u", yg_totp_code(secret, step, 6));
	return yg_sv_of(buf);
}

static void test_credentials(void)
{
	struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("test"));
	struct yg_id id = add_person(&act, "hanako"), key;
	struct yg_sv person = yg_id_sv(&id);
	struct yg_credential_counts n;
	struct yg_recovery_codes codes;
	uint8_t secret[YG_TOTP_SECRET] = "12345678901234567890";
	char code[8];
	T_OK(yg_totp_use(&act, person, YG_SV("123456"), &err) == YG_NOTFOUND);
	T_OK(yg_totp_offer(&act, person, secret, &err) == YG_OK);
	T_OK(yg_totp_confirm(&act, person, YG_SV("000000"), &err) == YG_UNAUTH);
	T_OK(yg_credential_count(db, person, &n, &err) == YG_OK && n.totps == 0);
	T_OK(yg_totp_confirm(&act, person, code_now(secret, code), &err) == YG_OK);
	T_NAMED(yg_totp_use(&act, person, code_now(secret, code), &err) == YG_UNAUTH,
		"the confirming code is used up");
	sim.wall.us += 30000000;
	T_OK(yg_totp_use(&act, person, code_now(secret, code), &err) == YG_OK);
	T_OK(yg_totp_use(&act, person, code_now(secret, code), &err) == YG_UNAUTH);
	/* a wrong first code of a new secret leaves the old one in force */
	secret[0] ^= 1;
	T_OK(yg_totp_offer(&act, person, secret, &err) == YG_OK);
	T_OK(yg_totp_confirm(&act, person, YG_SV("000000"), &err) == YG_UNAUTH);
	T_OK(yg_credential_count(db, person, &n, &err) == YG_OK && n.totps == 1);
	T_OK(yg_recovery_make(&act, person, &codes, &err) == YG_OK);
	T_OK(yg_recovery_use(&act, person, yg_sv_of(codes.s[3]), &err) == YG_OK);
	T_OK(yg_recovery_use(&act, person, yg_sv_of(codes.s[3]), &err) == YG_UNAUTH);
	T_OK(yg_recovery_use(&act, YG_SV("p-other"), yg_sv_of(codes.s[4]), &err) == YG_UNAUTH);
	T_OK(yg_recovery_make(&act, person, &codes, &err) == YG_OK);
	T_OK(yg_credential_count(db, person, &n, &err) == YG_OK && n.recovery_codes == 10);
	struct yg_credential c = {
		person, person, YG_SV("passkey"), YG_SV("abc"), YG_SV("key"), YG_SV("my key"), 5,
		{0},    {0}};
	T_OK(yg_credential_add(&act, &c, &key, &err) == YG_OK);
	T_OK(yg_credential_add(&act, &c, &key, &err) == YG_CONFLICT);
	T_OK(yg_credential_find(db, "passkey", YG_SV("abc"), &arena, &c, &err) == YG_OK);
	T_OK(yg_credential_used(&act, &c, 6, &err) == YG_OK && !audited(db, "credential.counter"));
	T_OK(yg_credential_find(db, "passkey", YG_SV("abc"), &arena, &c, &err) == YG_OK &&
	     c.counter == 6);
	T_OK(yg_credential_used(&act, &c, 6, &err) == YG_OK && audited(db, "credential.counter"));
	T_NAMED(yg_credential_remove(&act, person, c.id, &err) == YG_CONFLICT,
		"the last way to sign in stays");
	struct yg_password_hash h = {"$argon2id$x"};
	T_OK(yg_password_set(&act, person, &h, &err) == YG_OK);
	T_OK(yg_credential_remove(&act, YG_SV("p-x"), c.id, &err) == YG_NOTFOUND);
	T_OK(yg_credential_relabel(&act, person, c.id, YG_SV("blue"), &err) == YG_OK);
	T_OK(yg_credential_remove(&act, person, c.id, &err) == YG_OK);
	yg_state_close(db);
}

static void test_enrolment(void)
{
	struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("test"));
	struct yg_enrol_code code, second;
	struct yg_enrol e;
	yg_wall expires;
	T_OK(yg_enrol_add(&act, YG_SV(""), &code, &expires, &err) == YG_OK &&
	     strlen(code.s) == YG_ENROL_TEXT);
	T_OK(yg_enrol_get(&act, yg_sv_of(code.s), &arena, &e, &err) == YG_OK && e.person.n == 0);
	T_OK(yg_enrol_add(&act, YG_SV(""), &second, &expires, &err) == YG_OK);
	T_NAMED(yg_enrol_get(&act, yg_sv_of(code.s), &arena, &e, &err) == YG_NOTFOUND,
		"a new code ends the one before");
	sim.wall.us += YG_ENROL_SETUP_S * YG_US_PER_S;
	T_OK(yg_enrol_get(&act, yg_sv_of(second.s), &arena, &e, &err) == YG_NOTFOUND);
	struct yg_id id = add_person(&act, "hanako");
	bool yes = true;
	struct yg_person_set set = {.administrator = &yes};
	T_OK(yg_enrol_add(&act, YG_SV(""), &code, &expires, &err) == YG_OK);
	T_OK(yg_person_change(&act, yg_id_sv(&id), 1, &set, &err) == YG_OK);
	T_NAMED(yg_enrol_get(&act, yg_sv_of(code.s), &arena, &e, &err) == YG_CONFLICT,
		"a set-up code is nothing once there is an administrator");
	T_OK(yg_enrol_add(&act, YG_SV(""), &code, &expires, &err) == YG_CONFLICT);
	T_OK(yg_enrol_add(&act, yg_id_sv(&id), &code, &expires, &err) == YG_OK);
	T_OK(yg_enrol_get(&act, yg_sv_of(code.s), &arena, &e, &err) == YG_OK &&
	     yg_sv_eq(e.person, yg_id_sv(&id)));
	T_OK(yg_enrol_use(&act, yg_sv_of(code.s), &err) == YG_OK);
	T_OK(yg_enrol_use(&act, yg_sv_of(code.s), &err) == YG_NOTFOUND);
	yg_state_close(db);
}

static size_t listed(struct yg_state *db, const char *state, yg_wall now)
{
	struct yg_approval *list;
	size_t n = 99;
	struct yg_approval_filter f = {
		.orgs = {.all = true}, .state = yg_sv_of(state), .limit = 10, .now = now};
	return yg_approval_list(db, &f, &arena, &list, &n, &err) == YG_OK ? n : 99;
}

static yg_status decides(struct yg_act *act, const struct yg_approval *a, bool approve)
{
	struct yg_tx tx;
	yg_status st = yg_tx_begin(&tx, act->db, &err);
	if (st != YG_OK)
		return st;
	return yg_tx_end(&tx, yg_approval_decide(act, a, approve, YG_SV("so"), &err), &err);
}

/* Asked by one, decided by another, within a week. */
static void test_approvals(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act asks = yg_act_make(db, &env, YG_SV("person:p-1")),
		      other = yg_act_make(db, &env, YG_SV("person:p-2"));
	struct yg_approval a = {.kind = YG_SV("administrator.grant"),
				.params = YG_SV("{\"person\":\"p-3\"}"),
				.reason = YG_SV("more hands")};
	static const char *const params[] = {"{\"person\":\"p-3\"}", "{\"person\":\"p-4\"}",
					     "{\"person\":\"p-5\"}"};
	struct yg_id id[3], again;
	for (size_t i = 0; i < YG_LEN(id); i++) {
		a.params = yg_sv_of(params[i]);
		T_OK(yg_approval_add(&asks, &a, &id[i], &err) == YG_OK);
	}
	T_NAMED(yg_approval_add(&other, &a, &again, &err) == YG_CONFLICT,
		"what is asked for is not asked for twice");
	yg_wall now = yg_env_wall(&env), last = {now.us + YG_APPROVAL_S * YG_US_PER_S - 1},
		over = {last.us + 1};
	T_OK(yg_approval_get(db, yg_id_sv(&id[0]), now, &arena, &a, &err) == YG_OK);
	T_NAMED(decides(&asks, &a, true) == YG_DENIED, "who asked does not approve");
	T_NAMED(decides(&asks, &a, false) == YG_OK, "but withdraws");
	T_OK(listed(db, "withdrawn", now) == 1 && listed(db, "refused", now) == 0);
	T_OK(decides(&other, &a, true) == YG_CONFLICT);
	T_OK(listed(db, "open", last) == 2 && listed(db, "expired", last) == 0);
	T_OK(listed(db, "open", over) == 0 && listed(db, "expired", over) == 2);
	sim.wall = last;
	T_OK(yg_approval_get(db, yg_id_sv(&id[1]), last, &arena, &a, &err) == YG_OK &&
	     decides(&other, &a, true) == YG_OK);
	sim.wall = over;
	T_OK(yg_approval_get(db, yg_id_sv(&id[2]), over, &arena, &a, &err) == YG_OK &&
	     YG_SV_IS(a.state, "expired"));
	T_NAMED(decides(&other, &a, true) == YG_CONFLICT,
		"a request is worth nothing after a week");
	T_NAMED(yg_approval_add(&asks, &a, &again, &err) == YG_OK, "and is asked for anew");
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 1 << 20);
	test_totp();
	test_password_rules();
	test_password_hash();
	test_throttle();
	test_people();
	test_administrators();
	test_sessions();
	test_credentials();
	test_enrolment();
	test_approvals();
	yg_arena_free(&arena);
	return tap_done();
}
