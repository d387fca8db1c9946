#include "alert/finding.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/testing.h"
#include "tap.h"

#define T0 INT64_C(1700000000000000)

static void test_parse(void)
{
	struct yg_finding f;
	static const char good[] =
		"{\"org\":\"a\",\"indicator\":\"e\\u0078ample\",\"indicator_type\":\"domain\",\"severity_id\":99,"
		"\"confidence\":-5,\"time\":1700000000000000,\"unknown\":[1,{}],\"asset\":null}";
	T_OK(yg_finding_parse(yg_sv_of(good), &arena, &f, &err) == YG_OK &&
	     YG_SV_IS(f.indicator, "example") && f.severity_id == 6 && f.confidence == 0 &&
	     f.time.us == T0 && f.asset.n == 0);
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"null",
		"{\"org\":\"a\"}",
		"{\"org\":1,\"indicator\":\"x\",\"indicator_type\":\"ip\",\"time\":1}",
		"{\"org\":\"a\",\"indicator\":\"x\",\"indicator_type\":\"ip\"}",
		"{\"org\":\"a\",\"indicator\":\"x\",\"indicator_type\":\"ip\",\"time\":\"yesterday\"}",
		"{\"org\":\"a\",\"indicator\":\"x\",\"indicator_type\":\"ip\",\"time\":-1}",
		"{\"org\":\"a\",\"indicator\":\"\",\"indicator_type\":\"ip\",\"time\":1}",
	};
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_OK(yg_finding_parse(yg_sv_of(bad[i]), &arena, &f, &err) == YG_PARSE);
}

static void test_join(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct message m;
	struct yg_finding_result r = {0};
	struct yg_alert *a;
	struct yg_sv *why;
	size_t n;
	message_begin(&m, 0, 1);
	message_add(&m, "alpha", "evil.example", "192.0.2.1", 3, T0 + 5, "e-0-1-0");
	message_add(&m, "alpha", "evil.example", "192.0.2.2", 3, T0, "e-0-1-1");
	message_add(&m, "alpha", "evil.example", "192.0.2.1", 4, T0 + 2, "e-0-1-2");
	message_add(&m, "beta", "evil.example", "192.0.2.1", 2, T0, "e-0-1-3");
	message_add(&m, "nobody", "evil.example", "192.0.2.1", 2, T0, "e-0-1-4");
	message_raw(&m, YG_SV("{broken"));
	T_OK(message_send(&m, &act, &r) == YG_OK && r.applied == 4 && r.opened == 3 && r.bad == 1 &&
	     r.unknown == 1 && !r.duplicate);
	T_OK(alerts_of(db, "192.0.2.1", &a) == 2 && YG_SV_IS(a[0].org, "beta") && a[1].count == 2 &&
	     a[1].severity_id == 4 && a[1].first_seen.us == T0 + 2 && a[1].last_seen.us == T0 + 5 &&
	     a[1].state == YG_ALERT_NEW && a[1].version == 1);
	T_OK(yg_alert_reasons(db, a[1].id, false, &arena, &why, &n, &err) == YG_OK && n == 1 &&
	     yg_sv_has(why[0], YG_SV("evil.example")) && yg_sv_has(why[0], YG_SV("query")) &&
	     yg_sv_has(why[0], YG_SV("2 times")));
	T_OK(yg_alert_reasons(db, a[1].id, true, &arena, &why, &n, &err) == YG_OK && n == 1 &&
	     yg_sv_has(why[0], YG_SV("ドメイン evil.example がリスト「")) &&
	     yg_sv_has(why[0], YG_SV("192.0.2.1 で2回、項目: query")));
	/* a later batch joins; its version stays, for it is no change by a person */
	message_begin(&m, 0, 2);
	message_add(&m, "alpha", "evil.example", "192.0.2.1", 2, T0 + 9, "e-0-2-0");
	T_OK(message_send(&m, &act, &r) == YG_OK && r.opened == 0 &&
	     alerts_of(db, "192.0.2.1", &a) == 2 && a[1].count == 3 &&
	     a[1].last_seen.us == T0 + 9 && a[1].severity_id == 4 && a[1].version == 1);
	T_OK(one(db, "SELECT count(*) FROM audit_log WHERE action = 'alert.open'") == 3);
}

static void test_once(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct message m;
	struct yg_finding_result r = {0};
	uint64_t mark = 9;
	T_OK(yg_findings_mark(db, 3, &mark, &err) == YG_OK && mark == 0);
	static const struct {
		uint32_t spool;
		uint64_t batch;
		bool duplicate;
	} sends[] = {{3, 0, false}, {3, 0, true},  {3, 5, false}, {3, 5, true},
		     {3, 4, true},  {4, 1, false}, {3, 6, false}};
	for (size_t i = 0; i < YG_LEN(sends); i++) {
		message_begin(&m, sends[i].spool, sends[i].batch);
		message_add(&m, "alpha", "evil.example", "192.0.2.1", 3, T0, "e");
		T_OK(message_send(&m, &act, &r) == YG_OK && r.duplicate == sends[i].duplicate);
	}
	T_OK(one(db, "SELECT sum(count) FROM alert") == 4);
	T_OK(yg_findings_mark(db, 3, &mark, &err) == YG_OK && mark == 6);
	/* messages that are none: nothing is taken of them */
	static const char *const cuts[] = {"", "\0\0\0\0", "\0\0\0\0\x01\0\0\0\x07\0\0\0\0\0\0\0"};
	static const size_t sizes[] = {0, 4, 16};
	for (size_t i = 0; i < YG_LEN(cuts); i++)
		T_OK(yg_findings_apply(&act, (struct yg_sv){cuts[i], sizes[i]}, &r, &err) ==
		     YG_PARSE);
	message_begin(&m, 3, 9);
	message_add(&m, "alpha", "evil.example", "192.0.2.1", 3, T0, "e");
	yg_buf_putc(&m.body, 'x');
	T_OK(message_send(&m, &act, &r) == YG_PARSE &&
	     one(db, "SELECT sum(count) FROM alert") == 4);
	message_begin(&m, 3, 10);
	T_NAMED(message_send(&m, &act, &r) == YG_OK &&
			yg_findings_mark(db, 3, &mark, &err) == YG_OK && mark == 10,
		"an empty batch moves the mark");
}

/* What a rule's match read is with its link; one finding may stand for many matches. */
static void test_fields(void)
{
	static const char good[] =
		"{\"org\":\"alpha\",\"indicator\":\"r-1\",\"indicator_type\":\"rule\",\"asset\":\"pc\","
		"\"title\":\"Odd program\",\"family\":\"T1059\","
		"\"field\":\"Image\",\"value\":\"a\",\"event_id\":\"e\",\"time\":\"2026-01-01T00:00:00Z\","
		"\"count\":7,\"fields\":[[\"Image\",\"a\\\"b\"],[\"User\",\"\"]],\"historical\":true}";
	static const char *const bad[] = {"{}",
					  "[[\"a\"]]",
					  "[[\"a\",1]]",
					  "[1,2]",
					  "[[\"a\",\"b\",\"c\"]]",
					  "[{\"a\":\"b\"}]",
					  "\"a\""};
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_finding_result r = {0};
	struct yg_alert *a = NULL;
	struct yg_evidence *e = NULL;
	struct yg_finding f;
	struct yg_sv *why = NULL;
	struct message m;
	size_t n = 0;
	message_begin(&m, 0, 1);
	message_raw(&m, yg_sv_of(good));
	if (!T_OK(message_send(&m, &act, &r) == YG_OK && r.applied == 1 &&
		  alerts_of(db, "pc", &a) == 1 && a[0].count == 7))
		return;
	T_OK(yg_alert_evidence(db, &(struct yg_alert_of){.id = a[0].id}, 0, 10, &arena, &e, &n,
			       &err) == YG_OK &&
	     n == 1 && e[0].historical &&
	     YG_SV_IS(e[0].fields, "[[\"Image\",\"a\\\"b\"],[\"User\",\"\"]]"));
	T_OK(yg_alert_reasons(db, a[0].id, false, &arena, &why, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(why[0], "rule 'Odd program' matched (T1059); seen in Image at pc, 7 times"));
	T_OK(yg_alert_reasons(db, a[0].id, true, &arena, &why, &n, &err) == YG_OK && n == 1 &&
	     YG_SV_IS(why[0], "ルール「Odd program」に一致（T1059）。pc で7回、項目: Image"));
	for (size_t i = 0; i < YG_LEN(bad); i++) {
		char text[300];
		(void)snprintf(
			text, sizeof text,
			"{\"org\":\"a\",\"indicator\":\"r\",\"indicator_type\":\"rule\",\"time\":1,\"fields\":%s}",
			bad[i]);
		T_NAMED(yg_finding_parse(yg_sv_of(text), &arena, &f, &err) == YG_PARSE, bad[i]);
	}
}

/* However many findings: the first 50 links, the newest 50, and the count. */
static void test_evidence(void)
{
	static const int batches[] = {1, 49, 1, 30, 19, 1, 1, 75, 120, 3, 400};
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_finding_result r;
	struct yg_alert *a;
	struct yg_evidence *e;
	bool all = true;
	int total = 0;
	for (size_t b = 0; b < YG_LEN(batches); b++) {
		struct message m;
		size_t n = 0, want;
		message_begin(&m, 0, b + 1);
		for (int i = 0; i < batches[b]; i++) {
			char event[32];
			(void)snprintf(event, sizeof event, "e-%d", ++total);
			message_add(&m, "alpha", "evil.example", "h", 3, T0 + total, event);
		}
		all &= message_send(&m, &act, &r) == YG_OK && alerts_of(db, "h", &a) == 1 &&
		       a[0].count == total;
		all &= yg_alert_evidence(db, &(struct yg_alert_of){.id = a[0].id}, 0, 200, &arena,
					 &e, &n, &err) == YG_OK;
		want = (size_t)YG_MIN(total, 100);
		all &= n == want;
		for (size_t i = 0; i < n; i++) {
			/* newest first: total, total - 1, ... and at the end 50 ... 1 */
			int k = n - i <= 50 ? (int)(n - i) : total - (int)i;
			char event[32];
			(void)snprintf(event, sizeof event, "e-%d", k);
			if (!yg_sv_eq(e[i].event_id, yg_sv_of(event))) {
				(void)printf("# after %d: link %zu is %.*s, not %s\n", total, i,
					     YG_SV_ARG(e[i].event_id), event);
				all = false;
				break;
			}
		}
		yg_arena_reset(&arena);
	}
	T_NAMED(all, "links: the first and the newest");
	size_t n = 0;
	T_OK(alerts_of(db, "h", &a) == 1 &&
	     yg_alert_evidence(db, &(struct yg_alert_of){.id = a[0].id}, 90, 20, &arena, &e, &n,
			       &err) == YG_OK &&
	     n == 10);
}

static void test_reopen(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = fresh();
	struct yg_act act = yg_act_make(db, &env, YG_SV("local:0"));
	struct yg_sv reason = YG_SV("checked");
	struct yg_alert_set close = {
		.state = YG_ALERT_CLOSED, .verdict = YG_VERDICT_BENIGN, .reason = &reason};
	struct message m;
	struct yg_finding_result r;
	struct yg_alert *a;
	for (uint64_t i = 1; i <= 3; i++) {
		message_begin(&m, 0, i);
		message_add(&m, "alpha", "evil.example", "h", 3, T0, "e");
		T_OK(message_send(&m, &act, &r) == YG_OK && r.opened == 1 &&
		     alerts_of(db, "h", &a) == i);
		T_OK(i == 1 ? a[0].previous.n == 0 : yg_sv_eq(a[0].previous, a[1].id));
		T_OK(yg_alert_change(&act, a[0].id, a[0].version, &close, NULL, &err) == YG_OK);
	}
	T_OK(one(db, "SELECT count(*) FROM alert WHERE count = 1 AND state = 'closed'") == 3);
}

/* A batch is in whole or not at all, whenever the process dies; sent again it counts once. */
static void test_kill(void)
{
	char dir[] = "/tmp/yg-finding-XXXXXX", path[64];
	if (mkdtemp(dir) == NULL)
		return;
	(void)snprintf(path, sizeof path, "%s/s.db", dir);
	struct yg_state *db = NULL;
	T_OK(yg_state_open(path, &db, &err) == YG_OK && yg_state_migrate(db, &err) == YG_OK);
	struct yg_act act = yg_act_make(db, &env, YG_SV("system"));
	struct yg_org o = {.slug = YG_SV("alpha")};
	T_OK(yg_org_add(&act, &o, &err) == YG_OK);
	yg_state_close(db);
	uint64_t batch = 0;
	bool whole = true;
	for (int round = 0; round < 10; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct yg_state *mine = NULL;
			if (yg_state_open(path, &mine, NULL) != YG_OK)
				_exit(1);
			struct yg_act a = yg_act_make(mine, &env, YG_SV("system"));
			for (uint64_t b = batch + 1;; b++) {
				struct message m;
				struct yg_finding_result r;
				message_begin(&m, 0, b);
				for (int i = 0; i < 20; i++) {
					char asset[32];
					(void)snprintf(asset, sizeof asset, "h%d", i);
					message_add(&m, "alpha", "evil.example", asset, 3, T0, "e");
				}
				if (message_send(&m, &a, &r) != YG_OK)
					_exit(1);
			}
		}
		(void)usleep((useconds_t)(4000 + round * 2300));
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		if (yg_state_open(path, &db, NULL) != YG_OK)
			break;
		whole &= yg_findings_mark(db, 0, &batch, &err) == YG_OK;
		whole &= batch == 0 ||
			 one(db, "SELECT sum(count) FROM alert") == (int64_t)batch * 20;
		struct yg_audit_report rep;
		whole &= yg_audit_verify(db, NULL, &rep, &err) == YG_OK && rep.ok;
		yg_state_close(db);
		if (batch > 0)
			batch--; /* one batch too early: it must count once only */
	}
	T_NAMED(whole, "findings count once, whenever the process is killed");
	static const char *const names[] = {"s.db", "s.db-wal", "s.db-shm"};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

int main(void)
{
	env = yg_env_sim(&sim);
	yg_arena_init(&arena, 64 << 20);
	test_parse();
	test_join();
	test_once();
	test_fields();
	test_evidence();
	test_reopen();
	test_kill();
	yg_arena_free(&arena);
	return tap_done();
}
