#include "role/main.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "role/sup.h"

#define FOLDERS (64 + 8) /* as many as there may be listeners and outputs of the resolver */

struct yg_child *sup_child_of(struct sup *s, unsigned role_bit, uint32_t index)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].role->bit == role_bit && s->children[i].index == index)
			return &s->children[i];
	return NULL;
}

static bool any_runs(struct sup *s, unsigned bits)
{
	for (size_t i = 0; i < s->child_count; i++)
		if ((s->children[i].role->bit & bits) != 0 && s->children[i].pid != 0)
			return true;
	return false;
}

static void drain_all(struct sup *s, unsigned bits, yg_span within)
{
	for (size_t i = 0; i < s->child_count; i++)
		if ((s->children[i].role->bit & bits) != 0)
			sup_child_drain(&s->children[i], within);
}

/* First who takes logs in, then who serves people, last the store that both
 * still write to. */
static void stop_next(struct sup *s)
{
	static const struct {
		unsigned bits;
		yg_span within;
	} phases[] = {{YG_R_RESOLVE | YG_R_ZONES, {5 * YG_US_PER_S}},
		      {YG_R_INGEST, {15 * YG_US_PER_S}},
		      {YG_R_CENTER, {10 * YG_US_PER_S}},
		      {YG_R_STORE, {20 * YG_US_PER_S}}};
	while (s->phase <= YG_LEN(phases)) {
		if (s->phase > 0 && any_runs(s, phases[s->phase - 1].bits))
			return;
		if (s->phase == YG_LEN(phases)) {
			uv_stop(&s->loop);
			return;
		}
		drain_all(s, phases[s->phase].bits, phases[s->phase].within);
		s->phase++;
	}
}

void sup_stop(struct sup *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	yg_notify_send(&s->notify, "STOPPING=1\nSTATUS=draining");
	yg_log(&s->env, YG_EV_SERVE_STOPPING);
	sup_advance(s);
}

static void earlier(int64_t *at, yg_mono t)
{
	if (t.us != 0 && t.us < *at)
		*at = t.us;
}

static void on_timer(uv_timer_t *t)
{
	sup_tick(t->data);
}

/* Sleeps until the next thing is due: an idle supervisor does not wake up for nothing. */
static void wake_next(struct sup *s)
{
	int64_t at = INT64_MAX, now = yg_env_mono(&s->env).us;
	for (size_t i = 0; i < s->child_count; i++) {
		const struct yg_child *c = &s->children[i];
		if (c->pid == 0 && c->wanted && !s->stopping)
			earlier(&at, c->restart_at);
		if (c->pid != 0) {
			earlier(&at, c->deadline);
			if (c->state == YG_CHILD_READY)
				earlier(&at, c->answer_by.us != 0 ? c->answer_by : c->ping_at);
		}
	}
	if (at == INT64_MAX)
		(void)uv_timer_stop(&s->timer);
	else
		(void)uv_timer_start(&s->timer, on_timer,
				     (uint64_t)YG_MAX((at - now) / 1000 + 1, 1), 0);
}

static void tell_ready(struct sup *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].wanted && s->children[i].state != YG_CHILD_READY)
			return;
	if (!s->ready_told && !s->stopping) {
		s->ready_told = true;
		yg_notify_send(&s->notify, "READY=1\nSTATUS=watching");
		yg_log(&s->env, YG_EV_SERVE_READY, YG_KN("processes", s->child_count),
		       YG_KS("version", YG_VERSION));
	}
}

void sup_advance(struct sup *s)
{
	if (s->stopping)
		stop_next(s);
	else
		tell_ready(s);
	sup_events_flush(s);
	wake_next(s);
}

static void on_signal(uv_signal_t *h, int signum)
{
	struct sup *s = h->data;
	if (signum == SIGCHLD) {
		sup_reap(s);
	} else if (signum == SIGHUP) {
		sup_reload(s);
	} else if (s->stopping && ++s->stop_signals >= 1) { /* asked twice: no patience left */
		for (size_t i = 0; i < s->child_count; i++)
			if (s->children[i].pid != 0) {
				s->children[i].state = YG_CHILD_DRAINING;
				(void)kill(s->children[i].pid, SIGKILL);
			}
	} else {
		sup_stop(s);
	}
}

static void on_dog(uv_timer_t *t)
{
	struct sup *s = t->data;
	yg_notify_send(&s->notify, "WATCHDOG=1");
}

/* Records of our own at NOTICE and above become system events too. */
static void keep_own(void *arg, uint32_t event_id, yg_level level, struct yg_sv json)
{
	struct sup *s = arg;
	(void)event_id;
	(void)level;
	sup_event_keep(s, yg_env_wall(&s->env).us, json);
}

static yg_status loop_open(struct sup *s, struct yg_err *err)
{
	static const int signals[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};
	if (uv_loop_init(&s->loop) != 0 || uv_timer_init(&s->loop, &s->timer) != 0 ||
	    uv_timer_init(&s->loop, &s->dog) != 0)
		return YG_FAIL(err, YG_NOMEM, "the event loop cannot start");
	s->timer.data = s->dog.data = s;
	for (size_t i = 0; i < YG_LEN(signals); i++) {
		s->signals[i].data = s;
		if (uv_signal_init(&s->loop, &s->signals[i]) != 0 ||
		    uv_signal_start(&s->signals[i], on_signal, signals[i]) != 0)
			return YG_FAIL(err, YG_IO, "signals cannot be watched");
	}
	(void)signal(SIGPIPE, SIG_IGN);
	yg_status st = yg_env_real_watch(&s->real, &s->loop, err);
	if (st != YG_OK)
		return st;
	if (s->notify.watchdog_us > 0) {
		uint64_t ms = (uint64_t)YG_MAX(s->notify.watchdog_us / 2000, 1);
		(void)uv_timer_start(&s->dog, on_dog, ms, ms);
	}
	return YG_OK;
}

/* The folder of an absolute path; false: there is no path, or it stands in the root. */
static bool folder_of(char out[static YG_CONF_TAP_MAX + 1], struct yg_sv path)
{
	struct yg_sb b = yg_sb_init(out, YG_CONF_TAP_MAX + 1);
	while (path.n > 0 && path.p[path.n - 1] != '/')
		path.n--;
	if (path.n < 2)
		return false;
	yg_sb_put(&b, yg_sv_sub(path, 0, path.n - 1));
	(void)yg_sb_cstr(&b);
	return true;
}

/* What main may do from here on; roles inherit it and take away more. */
static yg_status lock_in(struct sup *s, struct yg_err *err)
{
	static char folders[FOLDERS][YG_CONF_TAP_MAX + 1];
	struct yg_sandbox_path paths[3 + FOLDERS] = {
		{"/", YG_ACCESS_READ | YG_ACCESS_EXEC, false},
		{s->data, YG_ACCESS_WRITE, false},
		{"/dev/null", YG_ACCESS_WRITE, true},
	};
	struct yg_sandbox box = {
		.role = "main", .paths = paths, .path_count = 3, .calls = YG_CALLS_FORK};
	size_t n = 0;
	for (size_t i = 0; i < s->conf.listener_count && n < FOLDERS; i++)
		n += folder_of(folders[n], s->conf.listeners[i].path);
	for (size_t i = 0; i < s->conf.dns_tap_count && n < FOLDERS; i++)
		n += YG_SV_IS(s->conf.dns_taps[i].protocol, "file") &&
		     folder_of(folders[n], s->conf.dns_taps[i].to);
	for (size_t i = 0; i < n; i++)
		paths[box.path_count++] =
			(struct yg_sandbox_path){folders[i], YG_ACCESS_WRITE, true};
	struct yg_sandbox_proof proof;
	yg_status st = yg_privilege_trim(err);
	if (st == YG_OK)
		st = yg_sandbox_prove(&box, &proof, err);
	if (st != YG_OK)
		yg_log(&s->env, YG_EV_SANDBOX_FAILED, YG_KERR(err));
	else
		yg_role_tell_proof(&s->env, &box, &proof);
	return st;
}

static yg_status config_path(struct sup *s, struct yg_err *err)
{
	char full[PATH_MAX];
	if (s->what->config == NULL)
		return YG_OK;
	if (realpath(s->what->config, full) == NULL)
		return YG_FAIL_OS(err, errno, "configuration %s", s->what->config);
	struct yg_sb b = yg_sb_init(s->config, sizeof s->config);
	yg_sb_put(&b, yg_sv_of(full));
	(void)yg_sb_cstr(&b);
	return b.cut ? YG_FAIL(err, YG_INVAL, "the path of the configuration is too long") : YG_OK;
}

/* As many descriptors as the administrator allows: one per listener and worker. */
static void raise_files(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static yg_status start(struct sup *s, struct yg_err *err)
{
	if (yg_landlock_abi() < 1)
		return YG_FAIL(
			err, YG_DENIED,
			"this kernel has no Landlock, or it is not enabled (lsm=... on the kernel "
			"command line); Yagura does not run without its sandbox");
	raise_files();
	(void)umask(077);
	yg_status st = config_path(s, err);
	if (st == YG_OK)
		st = sup_conf_load(s, &s->yaml, &s->arena, &s->conf, err);
	if (st != YG_OK)
		return st;
	yg_env_real_level(&s->real, s->conf.log_level);
	s->exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (s->exe_fd < 0)
		return YG_FAIL_OS(err, errno, "opening this program");
	st = sup_data_open(s, err);
	if (st == YG_OK)
		st = sup_secrets_load(s, &s->conf, &s->secrets, err);
	if (st == YG_OK)
		st = sup_listen(s, &s->conf, err);
	if (st == YG_OK)
		st = lock_in(s, err);
	if (st == YG_OK)
		st = loop_open(s, err);
	if (st != YG_OK)
		return st;
	sup_listen_commit(s);
	sup_snapshots_load(s);
	sup_children_set(s, &s->conf);
	for (size_t i = 0; i < s->child_count; i++)
		sup_child_start(&s->children[i]);
	sup_advance(s);
	return YG_OK;
}

static void free_all(struct sup *s)
{
	for (struct yg_sock *k = s->socks; k != NULL; k = k->next)
		k->keep = false;
	sup_listen_commit(s);
	sup_secrets_free(s->secrets);
	for (size_t i = 0; i < s->event_count; i++)
		yg_buf_free(&s->events[(s->event_first + i) % YG_SUP_EVENTS].json);
	for (size_t i = 0; i < YG_SUP_KINDS; i++)
		yg_fd_close(&s->snapshots[i].fd);
	yg_buf_free(&s->yaml);
	yg_arena_free(&s->arena);
	yg_fd_close(&s->lock_fd);
	yg_fd_close(&s->exe_fd);
	yg_notify_close(&s->notify);
	free(s);
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

/* Why it does not start, for who started it by hand: the way the log goes, which loses nothing to
 * a terminal that is slow. */
static void tell_why(struct sup *s, const struct yg_err *err)
{
	char text[sizeof err->msg + 16];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "yagura: %s\n", err->msg);
	(void)yg_log_out_put(&s->log, yg_sb_sv(&b));
}

int yg_serve(const struct yg_serve *what)
{
	struct sup *s = calloc(1, sizeof *s);
	struct yg_err err = {0};
	if (s == NULL)
		return yg_status_exit(YG_NOMEM);
	s->what = what;
	s->lock_fd = s->exe_fd = -1;
	for (size_t i = 0; i < YG_SUP_KINDS; i++)
		s->snapshots[i].fd = -1;
	s->env = yg_env_real(&s->real, "main", 0);
	yg_log_out_own();
	yg_env_real_out(&s->real, &s->log);
	s->real.tee = keep_own;
	s->real.tee_ctx = s;
	yg_buf_init(&s->yaml, 1048577);
	yg_arena_init(&s->arena, (size_t)8 << 20);
	yg_notify_open(&s->notify);
	yg_log(&s->env, YG_EV_SERVE_STARTING, YG_KS("version", YG_VERSION),
	       YG_KU("data", yg_sv_of(what->data)));
	yg_status st = start(s, &err);
	if (st != YG_OK) {
		yg_log(&s->env, YG_EV_SERVE_FAILED, YG_KS("status", yg_status_name(st)),
		       YG_KERR(&err));
		tell_why(s, &err);
		yg_log_out_end(&s->log);
		free_all(s);
		return st == YG_PARSE ? 3 : 1;
	}
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	bool failed = s->failed;
	yg_log(&s->env, YG_EV_SERVE_STOPPED, YG_KB("failed", failed));
	yg_log_out_end(&s->log);
	uv_walk(&s->loop, close_handle, NULL);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&s->loop);
	free_all(s);
	return failed ? 1 : 0;
}
