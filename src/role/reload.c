/* reload.c - SIGHUP: the new configuration is checked whole, then everything it
 * needs is made (ports, secrets), and only then anything changes. */
#include <stdlib.h>

#include "os/file.h"
#include "role/sup.h"

#define CONF_MAX   1048576
#define ROLE_DRAIN YG_SECONDS(20)

static_assert((int)YG_CONF_CENTER == (int)YG_R_CENTER && (int)YG_CONF_STORE == (int)YG_R_STORE &&
		      (int)YG_CONF_INGEST == (int)YG_R_INGEST &&
		      (int)YG_CONF_RESOLVE == (int)YG_R_RESOLVE &&
		      (int)YG_CONF_ZONES == (int)YG_R_ZONES,
	      "a key's roles are the bits of message.h");

static void report(void *arg, const char *file, size_t line, const char *key, const char *text)
{
	struct sup *s = arg;
	yg_log(&s->env, YG_EV_CONF_PROBLEM, YG_KS("file", file), YG_KN("line", line),
	       YG_KU("key", yg_sv_of(key)), YG_KU("problem", yg_sv_of(text)));
}

yg_status sup_conf_load(struct sup *s, struct yg_buf *yaml, struct yg_arena *arena,
			struct yg_conf *out, struct yg_err *err)
{
	const char *name = s->config[0] != '\0' ? s->config : "(defaults)";
	yg_status st = YG_OK;
	if (s->config[0] != '\0')
		st = yg_file_read(s->config, CONF_MAX, yaml, err);
	if (st == YG_OK)
		st = yg_conf_read(yg_buf_sv(yaml), name, arena, out, report, s, err);
	if (st == YG_OK)
		st = yg_conf_check_files(out, name, report, s, err);
	if (st == YG_OK) { /* what the roles get does not depend on where the file lies */
		yaml->n = 0;
		yg_conf_print(out, true, yaml);
		st = yaml->bad ? YG_FAIL(err, YG_LIMIT, "%s: too large", name) : YG_OK;
	}
	return st;
}

struct changed {
	struct sup *s;
	unsigned restart, count;
	bool later; /* a key that waits for the next start of the service */
	char keys[512];
	size_t n;
};

static void on_changed(void *arg, const char *key, enum yg_conf_reload reload, unsigned roles)
{
	struct changed *c = arg;
	struct yg_sb b = yg_sb_init(c->keys + c->n, sizeof c->keys - c->n - 1);
	c->count++;
	if (c->n > 0)
		yg_sb_putc(&b, ' ');
	yg_sb_put(&b, yg_sv_of(key));
	if (!b.cut)
		c->n += b.n;
	c->keys[c->n] = '\0';
	if (reload == YG_RELOAD_ROLE)
		c->restart |= roles;
	if (reload == YG_RELOAD_RESTART)
		c->later = true;
}

static void tell_conf(struct sup *s, struct yg_child *c)
{
	struct yg_buf b;
	yg_buf_init(&b, CONF_MAX + 64);
	size_t at = yg_ipc_begin(&b, YG_IPC_CONFIG);
	yg_buf_put(&b, yg_buf_sv(&s->yaml));
	yg_ipc_end(&b, at);
	if (!b.bad)
		(void)yg_channel_send(c->channel, yg_buf_sv(&b), -1);
	yg_buf_free(&b);
}

static void apply(struct sup *s, const struct changed *ch)
{
	size_t before = s->child_count;
	sup_children_set(s, &s->conf);
	for (size_t i = 0; i < s->child_count; i++) {
		struct yg_child *c = &s->children[i];
		if (i >= before || (c->wanted && c->pid == 0)) {
			c->attempt = 0;
			sup_child_start(c);
		} else if (!c->wanted) {
			c->restart_at.us = 0;
			sup_child_drain(c, ROLE_DRAIN);
		} else if ((ch->restart & c->role->bit) != 0) {
			yg_log(&s->env, YG_EV_CONF_ROLE_RESTART, YG_KS("restarts", c->role->name),
			       YG_KN("worker", c->index), YG_KN("process", c->pid));
			sup_child_drain(c, ROLE_DRAIN);
		} else if (c->channel != NULL) {
			tell_conf(s, c);
		}
	}
}

/* Everything the new configuration needs, beside what is in force. */
static yg_status prepare(struct sup *s, struct yg_buf *yaml, struct yg_arena *arena,
			 struct yg_conf *conf, struct yg_secret **secrets, struct yg_err *err)
{
	yg_status st = sup_conf_load(s, yaml, arena, conf, err);
	if (st == YG_OK)
		st = sup_secrets_load(s, conf, secrets, err);
	if (st == YG_OK)
		st = sup_listen(s, conf, err);
	if (st != YG_OK) {
		sup_secrets_free(*secrets);
		*secrets = NULL;
	}
	return st;
}

static void notify_reloading(struct sup *s)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)yg_env_mono(&s->env).us);
	yg_notify_send(&s->notify, yg_sb_cstr(&b));
}

void sup_reload(struct sup *s)
{
	struct yg_buf yaml;
	struct yg_arena arena;
	struct yg_conf conf;
	struct yg_secret *secrets = NULL;
	struct yg_err err = {0};
	if (s->stopping)
		return;
	notify_reloading(s);
	yg_buf_init(&yaml, CONF_MAX + 1);
	yg_arena_init(&arena, (size_t)8 << 20);
	if (prepare(s, &yaml, &arena, &conf, &secrets, &err) != YG_OK) {
		yg_log(&s->env, YG_EV_CONF_REFUSED, YG_KS("file", s->config), YG_KERR(&err));
		yg_buf_free(&yaml);
		yg_arena_free(&arena);
		yg_notify_send(&s->notify, "READY=1\nSTATUS=reload refused: see the log");
		return;
	}
	struct changed ch = {.s = s};
	yg_conf_diff(&s->conf, &conf, on_changed, &ch);
	ch.restart |= sup_secrets_differ(s->secrets, secrets);
	sup_secrets_free(s->secrets);
	s->secrets = secrets;
	yg_arena_free(&s->arena);
	yg_buf_free(&s->yaml);
	s->arena = arena;
	s->yaml = yaml;
	s->conf = conf;
	sup_listen_commit(s);
	yg_env_real_level(&s->real, conf.log_level);
	yg_log(&s->env, YG_EV_CONF_RELOADED, YG_KS("file", s->config), YG_KN("changed", ch.count),
	       YG_KS("keys", ch.keys), YG_KB("needs_restart", ch.later));
	apply(s, &ch);
	yg_notify_send(&s->notify, "READY=1\nSTATUS=configuration reloaded");
	sup_advance(s);
}
