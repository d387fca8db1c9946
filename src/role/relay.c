/* relay.c - what passes through the supervisor: snapshots from center to the
 * workers, system events of everybody to center. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/file.h"
#include "os/memfd.h"
#include "role/sup.h"

#define SNAPSHOT_MAX    ((uint64_t)4 << 30)
#define KIND_INDICATORS 1u
#define KIND_DNS_POLICY 2u
#define KIND_DNS_LOCAL  3u
#define KIND_DNS_INPUTS 4u
#define KIND_DNS_BASE   5u

void sup_event_keep(struct sup *s, int64_t time, struct yg_sv json)
{
	while (s->event_count > 0 &&
	       (s->event_count == YG_SUP_EVENTS || s->event_bytes + json.n > YG_SUP_EVENT_BYTES)) {
		struct yg_kept_event *e = &s->events[s->event_first];
		s->event_bytes -= e->json.n;
		yg_buf_free(&e->json);
		s->event_first = (s->event_first + 1) % YG_SUP_EVENTS;
		s->event_count--;
		s->events_dropped++;
	}
	struct yg_kept_event *e = &s->events[(s->event_first + s->event_count) % YG_SUP_EVENTS];
	e->time = time;
	yg_buf_init(&e->json, json.n + 1);
	yg_buf_put(&e->json, json);
	s->event_bytes += e->json.n;
	s->event_count++;
}

void sup_events_flush(struct sup *s)
{
	struct yg_child *center = sup_child_of(s, YG_R_CENTER, 0);
	/* one that drains may be gone before it reads: its successor gets them */
	if (center == NULL || center->channel == NULL || center->state != YG_CHILD_READY)
		return;
	if (s->events_dropped > 0) {
		uint64_t n = s->events_dropped;
		s->events_dropped = 0;
		yg_log(&s->env, YG_EV_EVENTS_DROPPED, YG_KN("count", n));
	}
	while (s->event_count > 0) {
		struct yg_kept_event *e = &s->events[s->event_first];
		struct yg_buf b;
		yg_buf_init(&b, e->json.n + 64);
		size_t at = yg_ipc_begin(&b, YG_IPC_SYSTEM_EVENT);
		yg_wr_le64(&b, (uint64_t)e->time);
		yg_buf_put(&b, yg_buf_sv(&e->json));
		yg_ipc_end(&b, at);
		yg_status st = b.bad ? YG_OK : yg_channel_send(center->channel, yg_buf_sv(&b), -1);
		yg_buf_free(&b);
		if (st != YG_OK)
			return; /* its queue is full: the rest goes with the next one */
		s->event_bytes -= e->json.n;
		yg_buf_free(&e->json);
		s->event_first = (s->event_first + 1) % YG_SUP_EVENTS;
		s->event_count--;
	}
}

/* Names of center's making: no path, no hidden file. */
static bool name_ok(struct yg_sv name)
{
	if (name.n == 0 || name.n > 128 || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

static yg_status snapshot_copy(const char *folder, struct yg_sv name, int *out_fd,
			       struct yg_err *err)
{
	char path[160];
	struct yg_sb b = yg_sb_init(path, sizeof path);
	if (!name_ok(name))
		return YG_FAIL(err, YG_DENIED, "not a name of a snapshot");
	yg_sb_put(&b, yg_sv_of(folder));
	yg_sb_putc(&b, '/');
	yg_sb_put(&b, name);
	YG_AUTO(yg_fd_close)
	int fd = open(yg_sb_cstr(&b), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "cannot open %s", path);
	return yg_memfd_from_fd("snapshot", fd, SNAPSHOT_MAX, out_fd, err);
}

/* By kind: who compiles it, into which folder, and who works by it. */
static const struct {
	const char *folder, *current; /* which one is in force */
	unsigned maker, readers;
	uint32_t base; /* kind of what it may stand over, which is given first; 0: it never does */
} kinds[YG_SUP_KINDS] = {
	[KIND_INDICATORS] = {"snapshot", "snapshot/current", YG_R_CENTER, YG_R_INGEST | YG_R_ZONES,
			     0},
	[KIND_DNS_POLICY] = {"zones", "zones/current", YG_R_ZONES, YG_R_RESOLVE, KIND_DNS_BASE},
	[KIND_DNS_LOCAL] = {"zones", "zones/local", YG_R_ZONES, YG_R_RESOLVE, 0},
	[KIND_DNS_INPUTS] = {"snapshot", "snapshot/dns-current", YG_R_CENTER, YG_R_ZONES, 0},
	[YG_ROLE_KIND_DETECT] = {"snapshot", "snapshot/detect-current", YG_R_CENTER, YG_R_INGEST,
				 0},
	[KIND_DNS_BASE] = {.readers = YG_R_RESOLVE}, /* taken and given with the policy over it */
};

static void give_one(struct sup *s, struct yg_child *c, uint32_t kind)
{
	struct yg_buf b;
	if (s->snapshots[kind].fd < 0 || c->channel == NULL ||
	    (kinds[kind].readers & c->role->bit) == 0)
		return;
	yg_buf_init(&b, 64);
	size_t at = yg_ipc_begin(&b, YG_IPC_SNAPSHOT);
	yg_wr_le32(&b, kind);
	yg_wr_le32(&b, 0);
	yg_wr_le64(&b, s->snapshots[kind].generation);
	yg_ipc_end(&b, at);
	if (!b.bad)
		(void)yg_channel_send(c->channel, yg_buf_sv(&b), s->snapshots[kind].fd);
	yg_buf_free(&b);
}

static void give(struct sup *s, struct yg_child *c, uint32_t kind)
{
	if (kinds[kind].base != 0)
		give_one(s, c, kinds[kind].base);
	give_one(s, c, kind);
}

void sup_snapshot_give(struct sup *s, struct yg_child *c)
{
	unsigned readers = 0;
	for (uint32_t kind = 0; kind < YG_SUP_KINDS; kind++) {
		readers |= kinds[kind].readers;
		if (kinds[kind].maker != 0)
			give(s, c, kind);
	}
	if ((readers & c->role->bit) != 0 && c->channel != NULL)
		(void)yg_channel_send_type(c->channel, YG_IPC_GIVEN);
}

static void keep(struct sup *s, uint32_t kind, int fd, uint64_t generation, struct yg_sv name)
{
	struct yg_sb b = yg_sb_init(s->snapshots[kind].name, sizeof s->snapshots[kind].name);
	yg_fd_close(&s->snapshots[kind].fd);
	s->snapshots[kind].fd = fd;
	s->snapshots[kind].generation = generation;
	yg_sb_put(&b, name);
	(void)yg_sb_cstr(&b);
}

/* What a policy stands over, mostly the one that was given last: no second copy of it.
 * *out: -1 when it is the one that is kept as base already. */
static yg_status base_take(struct sup *s, uint32_t kind, struct yg_sv name, int *out,
			   struct yg_err *err)
{
	uint32_t base = kinds[kind].base;
	*out = -1;
	if (base == 0)
		return YG_FAIL(err, YG_DENIED, "not a name of a snapshot");
	if (s->snapshots[base].fd >= 0 && yg_sv_eq(name, yg_sv_of(s->snapshots[base].name)))
		return YG_OK;
	if (s->snapshots[kind].fd >= 0 && yg_sv_eq(name, yg_sv_of(s->snapshots[kind].name))) {
		*out = fcntl(s->snapshots[kind].fd, F_DUPFD_CLOEXEC, 0);
		return *out >= 0 ? YG_OK : YG_FAIL_OS(err, errno, "a snapshot");
	}
	return snapshot_copy(kinds[kind].folder, name, out, err);
}

/* "indicators-12.ygs": the digits before the last dot. */
static uint64_t generation_of(struct yg_sv name)
{
	size_t dash = 0, dot = name.n;
	uint64_t n = 0;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '-')
			dash = i + 1;
		if (name.p[i] == '.')
			dot = i;
	}
	(void)yg_parse_u64(yg_sv_sub(name, dash, dot > dash ? dot - dash : 0), &n, NULL);
	return n;
}

static void snapshot_take(struct sup *s, unsigned maker, uint32_t kind, uint64_t generation,
			  struct yg_sv name)
{
	struct yg_err err = {0};
	int fd = -1, base_fd = -1;
	struct yg_sv base = name, first;
	(void)yg_sv_cut(&base, ' ', &first);
	yg_status st = kind < YG_SUP_KINDS && kinds[kind].maker == maker && maker != 0
			       ? snapshot_copy(kinds[kind].folder, first, &fd, &err)
			       : YG_FAIL(&err, YG_DENIED, "not a snapshot of its making");
	if (st == YG_OK && base.n > 0)
		st = base_take(s, kind, base, &base_fd, &err);
	if (st != YG_OK) {
		yg_fd_close(&fd);
		yg_log(&s->env, YG_EV_SNAPSHOT_UNREADABLE, YG_KN("kind", kind),
		       YG_KN("generation", generation), YG_KERR(&err));
		return;
	}
	if (base_fd >= 0)
		keep(s, kinds[kind].base, base_fd, generation_of(base), base);
	else if (base.n == 0 && kinds[kind].base != 0)
		keep(s, kinds[kind].base, -1, 0, YG_SV(""));
	keep(s, kind, fd, generation, first);
	for (size_t i = 0; i < s->child_count; i++)
		give(s, &s->children[i], kind);
	yg_log(&s->env, YG_EV_SNAPSHOT_RELAYED, YG_KN("kind", kind),
	       YG_KN("generation", generation), YG_KU("file", name));
}

void sup_publish(struct sup *s, unsigned maker, struct yg_sv body)
{
	struct yg_rd r = yg_rd_init(body.p, body.n);
	uint32_t kind = yg_rd_le32(&r);
	(void)yg_rd_le32(&r);
	uint64_t generation = yg_rd_le64(&r);
	snapshot_take(s, maker, kind, generation, yg_sv_sub(body, 16, body.n));
}

void sup_snapshots_load(struct sup *s)
{
	for (uint32_t kind = 0; kind < YG_SUP_KINDS; kind++) {
		struct yg_buf b;
		if (kinds[kind].folder == NULL)
			continue;
		yg_buf_init(&b, 4096);
		if (yg_file_read(kinds[kind].current, 256, &b, NULL) == YG_OK) {
			struct yg_sv name = yg_sv_trim(yg_buf_sv(&b));
			struct yg_sv rest = name, first;
			(void)yg_sv_cut(&rest, ' ', &first);
			snapshot_take(s, kinds[kind].maker, kind, generation_of(first), name);
		}
		yg_buf_free(&b);
	}
}

void sup_roles_tell(struct sup *s)
{
	struct yg_child *center = sup_child_of(s, YG_R_CENTER, 0);
	struct yg_buf b;
	if (center == NULL || center->channel == NULL)
		return;
	yg_buf_init(&b, 8192);
	size_t at = yg_ipc_begin(&b, YG_IPC_ROLES);
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].pid != 0 && s->children[i].role->bit != YG_R_CENTER)
			yg_wr_le32(&b, (uint32_t)s->children[i].pid);
	yg_ipc_end(&b, at);
	if (!b.bad)
		(void)yg_channel_send(center->channel, yg_buf_sv(&b), -1);
	yg_buf_free(&b);
}
