#include "os/env.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

struct teed {
	int n;
	uint32_t last;
};
static void catch_tee(void *ctx, uint32_t id, yg_level level, struct yg_sv json)
{
	struct teed *t = ctx;
	(void)level;
	t->n++;
	t->last = id;
	T_OK(json.n > 2 && json.p[0] == '{' && json.p[json.n - 1] == '}');
}

/* Whoever reads stood still: how many records are missing is told when they read again. */
static void test_lost(void)
{
	static const uint32_t ids[] = {YG_EV_LISTENING, YG_EV_ROLE_STARTED, YG_EV_ROLE_READY,
				       YG_EV_ROLE_ENDED, YG_EV_SNAPSHOT_RELAYED};
	static struct yg_env_real real;
	static struct yg_log_out out;
	static char all[1 << 20];
	int fds[2];
	unsigned put = 0, seen = 0, told = 0;
	struct yg_env env = yg_env_real(&real, "test", 3);
	T_OK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	real.fd = fds[1];
	yg_env_real_out(&real, &out);
	for (unsigned i = 0; i < YG_LEN(ids) * 500; i++, put++)
		yg_log(&env, ids[i % YG_LEN(ids)], YG_KN("n", i));
	size_t n = 0;
	for (unsigned turn = 0; turn < 20; turn++, put++) {
		for (ssize_t got; (got = read(fds[0], all + n, sizeof all - n)) > 0;)
			n += (size_t)got;
		yg_log(&env, YG_EV_ROLE_NOTE, YG_KN("n", put));
	}
	ssize_t last = read(fds[0], all + n, sizeof all - n);
	n += last > 0 ? (size_t)last : 0;
	struct yg_sv rest = {all, n}, line = {"", 0};
	while (yg_sv_cut(&rest, '\n', &line)) {
		struct yg_sv key = YG_SV("\"event\":\"log.lost\""), count = YG_SV(",\"records\":");
		if (!yg_sv_has(line, key)) {
			seen += line.n > 0;
			continue;
		}
		const char *at = memmem(line.p, line.n, count.p, count.n);
		told += at != NULL ? (unsigned)strtoul(at + count.n, NULL, 10) : 0;
	}
	T_NAMED(told > 0 && seen + told == put, "what was lost is told, to the record");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int main(void)
{
	static struct yg_env_real real;
	struct yg_env env = yg_env_real(&real, "test", 3);
	T_OK(yg_env_wall(&env).us > 1700000000LL * YG_US_PER_S);
	yg_mono a = yg_env_mono(&env);
	T_OK(yg_env_mono(&env).us >= a.us);
	uint64_t r[2] = {0, 0};
	env.random(env.ctx, r, sizeof r);
	T_OK(r[0] != r[1]);

	int fds[2];
	T_OK(pipe2(fds, O_CLOEXEC) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
	struct teed teed = {0};
	real.fd = fds[1];
	real.tee = catch_tee;
	real.tee_ctx = &teed;
	yg_log(&env, YG_EV_ROLE_NOTE, YG_KN("n", 1));
	yg_log(&env, YG_EV_SERVE_READY);
	char buf[4096];
	ssize_t n = read(fds[0], buf, sizeof buf);
	T_OK(n > 0);
	struct yg_sv out = {buf, n > 0 ? (size_t)n : 0}, line = {"", 0}, second = {"", 0};
	T_OK(yg_sv_cut(&out, '\n', &line) && yg_sv_cut(&out, '\n', &second));
	T_OK(yg_sv_starts(line, YG_SV("{\"time\":\"20")));
	T_OK(yg_sv_has(line, YG_SV("\"level\":\"info\",\"event\":\"role.note\",\"id\":1027,"
				   "\"role\":\"test\",\"index\":3,\"pid\":")));
	T_OK(yg_sv_ends(line, YG_SV(",\"n\":1}")));
	T_OK(yg_sv_has(second, YG_SV("\"event\":\"serve.ready\"")) &&
	     yg_sv_ends(second, YG_SV("}")));
	T_OK(teed.n == 1 && teed.last == YG_EV_SERVE_READY);

	yg_env_real_level(&real, YG_SV("error"));
	yg_env_real_level(&real, YG_SV("nonsense"));
	yg_log(&env, YG_EV_ROLE_NOTE);
	yg_log(&env, YG_EV_SERVE_FAILED);
	n = read(fds[0], buf, sizeof buf);
	T_OK(n > 0 && yg_sv_has((struct yg_sv){buf, (size_t)n}, YG_SV("serve.failed")));
	T_OK(n > 0 && !yg_sv_has((struct yg_sv){buf, (size_t)n}, YG_SV("role.note")));

	/* a flood is cut at its rate and told of later */
	size_t row = yg_event_index(YG_EV_SERVE_FAILED);
	for (int i = 0; i < 200; i++) {
		yg_log(&env, YG_EV_SERVE_FAILED);
		if (i % 8 == 0)
			(void)!read(fds[0], buf, sizeof buf);
	}
	T_OK(real.rate[row].suppressed >= 200 - yg_event_rows[row].per_min);
	real.rate[row].minute = 1;
	(void)!read(fds[0], buf, sizeof buf);
	yg_log(&env, YG_EV_SERVE_FAILED);
	n = read(fds[0], buf, sizeof buf);
	T_OK(n > 0 && yg_sv_has((struct yg_sv){buf, (size_t)n}, YG_SV("\"suppressed\":")));
	test_lost();
	return tap_done();
}
