/* child.c - one role process from start to death. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "role/sup.h"

#define BACKOFF_FIRST YG_MS(100)
#define HEALTHY       YG_SECONDS(60)  /* ready for this long: the deaths before are forgotten */
#define START_TIMEOUT YG_SECONDS(600) /* an engine with many parts to load takes its time */

/* No loop of ours blocks for long, but a machine that swaps does: generous. */
static yg_span ping_every(const struct sup *s)
{
	return (yg_span){YG_MIN(s->conf.watchdog_us / 4, 10 * YG_US_PER_S)};
}

static yg_mono now(const struct sup *s)
{
	return yg_env_mono(&s->env);
}

static void add(struct sup *s, const struct yg_role *role, uint32_t index)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].role == role && s->children[i].index == index) {
			s->children[i].wanted = true;
			return;
		}
	if (s->child_count < YG_SUP_CHILDREN)
		s->children[s->child_count++] =
			(struct yg_child){.sup = s, .role = role, .index = index, .wanted = true};
}

unsigned sup_allowed(const struct sup *s, const struct yg_conf *conf)
{
	bool embedded = YG_SV_IS(conf->store_url, "embedded");
	bool asked = conf->dns_listen_count + conf->dns_dot_count + conf->dns_doh_count > 0;
	unsigned bits = s->what->only != 0 ? s->what->only : YG_R_ALL;
	if (!embedded)
		bits &= ~(unsigned)YG_R_STORE;
	if (!asked)
		bits &= ~(unsigned)(YG_R_RESOLVE | YG_R_ZONES);
	return bits;
}

void sup_children_set(struct sup *s, const struct yg_conf *conf)
{
	unsigned allowed = sup_allowed(s, conf);
	for (size_t i = 0; i < s->child_count; i++)
		s->children[i].wanted = false;
	for (size_t i = 0; yg_roles[i] != NULL; i++) {
		unsigned bit = yg_roles[i]->bit;
		uint64_t count = bit == YG_R_INGEST    ? conf->ingest_workers
				 : bit == YG_R_RESOLVE ? conf->resolve_workers
						       : 1;
		for (uint32_t n = 0; n < count && (allowed & bit) != 0; n++)
			add(s, yg_roles[i], n);
	}
}

static yg_span pause_of(const struct yg_child *c)
{
	int64_t us = BACKOFF_FIRST.us;
	for (uint32_t i = 1; i < c->attempt && us < c->sup->conf.restart_max_us; i++)
		us *= 2;
	return (yg_span){YG_MIN(us, c->sup->conf.restart_max_us)};
}

void sup_child_start(struct yg_child *c)
{
	struct sup *s = c->sup;
	struct yg_err err = {0};
	c->restart_at.us = 0;
	c->answer_by.us = c->ping_at.us = 0;
	c->doubted = c->hung = false;
	c->started = now(s);
	yg_status st = sup_spawn(s, c, &err);
	if (st != YG_OK) {
		yg_log(&s->env, YG_EV_SERVE_FAILED, YG_KS("role", c->role->name),
		       YG_KN("index", c->index), YG_KERR(&err));
		if (c->pid == 0) { /* not even forked: try again later */
			c->attempt++;
			c->restart_at = yg_mono_add(now(s), pause_of(c));
			return;
		}
	}
	c->state = YG_CHILD_STARTING;
	c->deadline = yg_mono_add(c->started, START_TIMEOUT);
	yg_log(&s->env, YG_EV_ROLE_STARTED, YG_KS("started", c->role->name),
	       YG_KN("worker", c->index), YG_KN("process", c->pid));
	sup_snapshot_give(s, c);
	sup_roles_tell(s);
}

void sup_child_drain(struct yg_child *c, yg_span within)
{
	if (c->pid == 0 || c->state == YG_CHILD_DRAINING)
		return;
	c->state = YG_CHILD_DRAINING;
	c->deadline = yg_mono_add(now(c->sup), within);
	if (c->channel == NULL || yg_channel_send_type(c->channel, YG_IPC_DRAIN) != YG_OK)
		(void)kill(c->pid, SIGKILL);
}

static void died(struct yg_child *c, int status)
{
	struct sup *s = c->sup;
	bool asked = c->state == YG_CHILD_DRAINING;
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int pid = c->pid;
	/* killed because it did not move: that speaks against its input as a crash does */
	c->last_signal = c->hung && c->state == YG_CHILD_READY ? SIGABRT : sig;
	if (c->state == YG_CHILD_READY && yg_mono_due(yg_mono_add(c->started, HEALTHY), now(s)))
		c->attempt = 0;
	yg_channel_close(c->channel);
	c->channel = NULL;
	c->pid = 0;
	c->state = YG_CHILD_DOWN;
	c->deadline.us = c->answer_by.us = c->ping_at.us = 0;
	if (asked && (clean || s->stopping)) {
		c->attempt = 0;
		yg_log(&s->env, YG_EV_ROLE_ENDED, YG_KS("ended", c->role->name),
		       YG_KN("worker", c->index), YG_KN("process", pid),
		       YG_KN("exit", WEXITSTATUS(status)),
		       YG_KS("signal", sig != 0 ? sigabbrev_np(sig) : ""));
		c->restart_at.us = c->wanted && !s->stopping ? now(s).us : 0;
		return;
	}
	c->attempt++;
	yg_span pause = pause_of(c);
	yg_log(&s->env, YG_EV_ROLE_CRASHED, YG_KS("crashed", c->role->name),
	       YG_KN("worker", c->index), YG_KN("process", pid),
	       YG_KS("signal", sig != 0 ? sigabbrev_np(sig) : ""),
	       YG_KI("exit", sig != 0 ? -1 : WEXITSTATUS(status)), YG_KN("attempt", c->attempt),
	       YG_KB("sandbox", sig == SIGSYS), YG_KB("watchdog", c->hung),
	       YG_KN("pause_ms", pause.us / 1000));
	if (c->wanted && !s->stopping)
		c->restart_at = yg_mono_add(now(s), pause);
	if (sig == 0 && WEXITSTATUS(status) == YG_EXIT_UNSAFE) { /* fails closed */
		yg_log(&s->env, YG_EV_SERVE_FAILED, YG_KS("role", c->role->name),
		       YG_KS("error",
			     "the role cannot be locked in; nothing runs without its sandbox"));
		s->failed = true;
		sup_stop(s);
	}
}

void sup_reap(struct sup *s)
{
	for (;;) {
		int status = 0;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			break;
		for (size_t i = 0; i < s->child_count; i++)
			if (s->children[i].pid == pid)
				died(&s->children[i], status);
	}
	sup_roles_tell(s);
	sup_advance(s);
}

static void ask(struct yg_child *c, yg_mono answer_by)
{
	/* one that takes nothing any more does not answer either */
	if (c->channel != NULL)
		(void)yg_channel_send_type(c->channel, YG_IPC_PING);
	c->answer_by = answer_by;
}

/* A machine that stood still, or a supervisor that did, is no fault of the role: timers
 * come before sockets, so its answer may be there and not read yet.  The last
 * ping_every() of the watchdog's time are for a second look. */
static void judge(struct yg_child *c, yg_mono t)
{
	struct sup *s = c->sup;
	if (!c->doubted) {
		c->doubted = true;
		ask(c, yg_mono_add(t, ping_every(s)));
		return;
	}
	yg_log(&s->env, YG_EV_ROLE_HUNG, YG_KS("hung", c->role->name), YG_KN("worker", c->index),
	       YG_KN("process", c->pid));
	c->hung = true;
	c->answer_by.us = INT64_MAX;
	(void)kill(c->pid, SIGKILL);
}

static void tick_child(struct yg_child *c)
{
	struct sup *s = c->sup;
	yg_mono t = now(s);
	if (c->pid == 0) {
		if (c->restart_at.us != 0 && yg_mono_due(c->restart_at, t) && c->wanted &&
		    !s->stopping)
			sup_child_start(c);
		return;
	}
	if (c->deadline.us != 0 && yg_mono_due(c->deadline, t)) {
		bool draining = c->state == YG_CHILD_DRAINING;
		yg_log(&s->env, draining ? YG_EV_ROLE_DRAIN_TIMEOUT : YG_EV_ROLE_HUNG,
		       YG_KS("hung", c->role->name), YG_KN("worker", c->index),
		       YG_KN("process", c->pid));
		c->deadline.us = 0;
		c->hung = true;
		(void)kill(c->pid, SIGKILL);
	}
	if (c->state != YG_CHILD_READY)
		return;
	if (c->answer_by.us != 0 && yg_mono_due(c->answer_by, t))
		judge(c, t);
	else if (c->answer_by.us == 0 && yg_mono_due(c->ping_at, t))
		ask(c, yg_mono_add(t, (yg_span){s->conf.watchdog_us - ping_every(s).us}));
}

void sup_tick(struct sup *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		tick_child(&s->children[i]);
	sup_advance(s);
}

static bool allowed(void *arg, uint32_t type, size_t n)
{
	struct yg_child *c = arg;
	return yg_ipc_allowed(type, n, c->role->bit, YG_R_MAIN);
}

static void take_ready(struct yg_child *c, struct yg_sv text)
{
	struct sup *s = c->sup;
	if (c->state != YG_CHILD_STARTING)
		return;
	c->state = YG_CHILD_READY;
	c->deadline.us = 0;
	c->ping_at = yg_mono_add(now(s), ping_every(s));
	yg_log(&s->env, YG_EV_ROLE_READY, YG_KS("ready", c->role->name), YG_KN("worker", c->index),
	       YG_KN("process", c->pid), YG_KN("start_ms", (now(s).us - c->started.us) / 1000),
	       YG_KU("text", text));
	sup_advance(s);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the channel's type */
static void on_frame(void *arg, uint32_t type, struct yg_sv body, int *fd)
{
	struct yg_child *c = arg;
	(void)fd; /* nothing that comes to main carries one: it is closed */
	switch (type) {
	case YG_IPC_READY: take_ready(c, body); return;
	case YG_IPC_LOG:
		sup_event_keep(c->sup, yg_env_wall(&c->sup->env).us, yg_sv_sub(body, 8, body.n));
		sup_events_flush(c->sup);
		return;
	case YG_IPC_PUBLISH: sup_publish(c->sup, c->role->bit, body); return;
	case YG_IPC_PONG:
		c->answer_by.us = 0;
		c->doubted = false;
		c->ping_at = yg_mono_add(now(c->sup), ping_every(c->sup));
		sup_advance(c->sup);
		return;
	default: return;
	}
}

static void on_ended(void *arg, const struct yg_err *err)
{
	struct yg_child *c = arg;
	if (err->code != YG_NOTFOUND) { /* else it is dying, and SIGCHLD tells how */
		yg_log(&c->sup->env, YG_EV_ROLE_MISBEHAVED, YG_KS("killed", c->role->name),
		       YG_KN("worker", c->index), YG_KN("process", c->pid), YG_KERR(err));
		if (c->pid != 0)
			(void)kill(c->pid, SIGKILL);
	}
	yg_channel_close(c->channel);
	c->channel = NULL;
}

const struct yg_channel_ops sup_channel_ops = {allowed, on_frame, on_ended};
