/* What a process found out about its closed sandbox, as an event: it travels over main
 * to center, which keeps the newest of every process. */
#include "role/role.h"

struct text {
	char buf[YG_LOG_VALUE_MAX];
	struct yg_sb b;
	unsigned n;
};

static void begin(struct text *t)
{
	t->b = yg_sb_init(t->buf, sizeof t->buf);
	t->n = 0;
}

/* One more of a list; what does not fit whole is left out. */
static void add(struct text *t, const char *separator, const char *a, const char *b, const char *c)
{
	struct yg_sb before = t->b;
	yg_sb_put(&t->b, yg_sv_of(t->n > 0 ? separator : ""));
	yg_sb_put(&t->b, yg_sv_of(a));
	yg_sb_put(&t->b, yg_sv_of(b));
	yg_sb_put(&t->b, yg_sv_of(c));
	if (t->b.cut)
		t->b = before;
	else
		t->n++;
}

/* Paths with exactly this access, as PATH has them. */
static unsigned put_paths(struct text *t, const struct yg_sandbox *box, unsigned access)
{
	begin(t);
	for (size_t i = 0; i < box->path_count; i++)
		if (box->paths[i].access == access)
			add(t, ":", box->paths[i].path, "", "");
	return t->n;
}

static void put_net(struct text *t, const struct yg_sandbox *box)
{
	char port[16];
	struct yg_sb p = yg_sb_init(port, sizeof port);
	yg_sb_u64(&p, box->connect_port);
	(void)yg_sb_cstr(&p);
	begin(t);
	if ((box->calls & YG_CALLS_UNIX) != 0)
		add(t, " ", "unix", "", "");
	if ((box->calls & YG_CALLS_ACCEPT) != 0)
		add(t, " ", "accept", "", "");
	if ((box->calls & YG_CALLS_INET_OUT) != 0)
		add(t, " ", "connect:", box->connect_port > 0 ? port : "any", "");
	if ((box->calls & YG_CALLS_BIND) != 0)
		add(t, " ", "bind:udp", "", "");
	if ((box->calls & YG_CALLS_FORK) != 0)
		add(t, " ", "any", "", "");
}

static void put_tried(struct text *t, const struct yg_sandbox_proof *p)
{
	begin(t);
	for (size_t i = 0; i < p->tried_count; i++) {
		char what[64];
		struct yg_sb b = yg_sb_init(what, sizeof what);
		yg_sb_put(&b, yg_sv_of(p->tried[i].what));
		yg_sb_putc(&b, ' ');
		yg_sb_put(&b, yg_sv_of(p->tried[i].object));
		add(t, ";", yg_sb_cstr(&b), "=", p->tried[i].result);
	}
}

static struct yg_sv hex(struct yg_sb *b, uint64_t v)
{
	yg_sb_printf(b, "%016llx", (unsigned long long)v);
	return yg_sb_sv(b);
}

void yg_role_tell_proof(const struct yg_env *env, const struct yg_sandbox *box,
			const struct yg_sandbox_proof *p)
{
	struct text reads, writes, runs, runs_too, net, tried;
	char caps[20], bound[20];
	struct yg_sb c = yg_sb_init(caps, sizeof caps), b = yg_sb_init(bound, sizeof bound);
	unsigned told = put_paths(&reads, box, YG_ACCESS_READ);
	told += put_paths(&writes, box, YG_ACCESS_READ | YG_ACCESS_WRITE);
	told += put_paths(&runs, box, YG_ACCESS_READ | YG_ACCESS_EXEC);
	told += put_paths(&runs_too, box, YG_ACCESS_EXEC);
	if (runs_too.n > 0)
		add(&runs, ":", yg_sb_cstr(&runs_too.b), "", "");
	put_paths(&runs_too, box, YG_ACCESS_WRITE);
	told += runs_too.n;
	if (runs_too.n > 0)
		add(&writes, ":", yg_sb_cstr(&runs_too.b), "", "");
	put_net(&net, box);
	put_tried(&tried, p);
	yg_log(env, YG_EV_SANDBOX_CLOSED, YG_KN("uid", p->uid), YG_KN("gid", p->gid),
	       YG_KN("groups", p->groups),
	       YG_KV("capabilities", hex(&c, p->cap_effective | p->cap_permitted)),
	       YG_KV("bounding", hex(&b, p->cap_bounding)), YG_KB("no_new_privs", p->no_new_privs),
	       YG_KN("seccomp", p->seccomp), YG_KN("filters", p->filters),
	       YG_KN("landlock_abi", p->landlock_abi), YG_KN("paths", box->path_count),
	       YG_KN("paths_untold", box->path_count - told), YG_KV("reads", yg_sb_sv(&reads.b)),
	       YG_KV("writes", yg_sb_sv(&writes.b)), YG_KV("runs", yg_sb_sv(&runs.b)),
	       YG_KV("network", yg_sb_sv(&net.b)), YG_KV("tried", yg_sb_sv(&tried.b)));
}
