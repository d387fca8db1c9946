/* listen.c - the sockets: bound before any role runs and kept while roles come
 * and go, so that who connects waits instead of being refused. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/port_owner.h"
#include "role/sup.h"

#define UDP_BUFFER (8 << 20) /* a burst of 8000 datagrams of 1 KiB while a worker is busy */

struct want {
	struct sup *s;
	struct yg_err *err;
	yg_status st; /* sticky */
};

static struct yg_sock *find(struct sup *s, const char *name, uint32_t worker, struct yg_sv address,
			    const char *protocol)
{
	for (struct yg_sock *k = s->socks; k != NULL; k = k->next)
		if (k->worker == worker && strcmp(k->name, name) == 0 &&
		    strcmp(k->protocol, protocol) == 0 && yg_sv_eq(address, yg_sv_of(k->address)))
			return k;
	return NULL;
}

static void refused(struct want *w, const struct yg_sock *k, const struct yg_addr *a)
{
	char who[128] = "";
	struct yg_sb b = yg_sb_init(who, sizeof who);
	struct yg_err cause = *w->err;
	if (w->st == YG_CONFLICT && a != NULL &&
	    yg_port_owner(a, k->protocol[1] == 'd', &b)) /* udp */
		w->st = YG_FAIL(w->err, YG_CONFLICT, "%s: %s %s is taken by %s", k->name,
				k->protocol, k->address, yg_sb_cstr(&b));
	else if (w->st == YG_DENIED && a != NULL && yg_addr_port(a) < 1024)
		w->st = YG_FAIL(
			w->err, YG_DENIED,
			"%s: %s %s: ports below 1024 need CAP_NET_BIND_SERVICE (or start as root)",
			k->name, k->protocol, k->address);
	else
		w->st = YG_FAIL(w->err, w->st, "%s: %.200s", k->name, cause.msg);
	yg_log(&w->s->env, YG_EV_LISTEN_FAILED, YG_KS("name", k->name),
	       YG_KS("address", k->address), YG_KU("error", yg_sv_of(w->err->msg)));
}

static void bind_inet(struct want *w, struct yg_sock *k, bool udp, bool shared)
{
	struct yg_addr a;
	char text[YG_ADDR_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	w->st = yg_addr_parse(yg_sv_of(k->address), &a, w->err);
	if (w->st != YG_OK)
		return;
	if (udp)
		w->st = yg_listen_udp(&a, shared, UDP_BUFFER, &k->fd, w->err);
	else
		w->st = yg_listen_tcp(&a, shared, &k->fd, w->err);
	if (w->st != YG_OK) {
		refused(w, k, &a);
		return;
	}
	if (yg_addr_of(k->fd, &a, NULL) == YG_OK) /* the port that 0 became */
		yg_addr_format(&b, &a);
	yg_log(&w->s->env, YG_EV_LISTENING, YG_KS("name", k->name), YG_KN("worker", k->worker),
	       YG_KS("protocol", k->protocol), YG_KS("address", yg_sb_cstr(&b)));
}

/* Sockets between our own roles are for them alone; a listener is for the group too. */
static void bind_unix(struct want *w, struct yg_sock *k)
{
	bool listener = strncmp(k->name, "listener.", 9) == 0;
	w->st = yg_listen_unix(k->address, listener ? 0660 : 0600, &k->fd, w->err);
	if (w->st == YG_OK && geteuid() == 0 && lchown(k->address, w->s->uid, w->s->gid) != 0)
		w->st = YG_FAIL_OS(w->err, errno, "cannot set the owner of %s", k->address);
	if (w->st != YG_OK)
		refused(w, k, NULL);
	else
		yg_log(&w->s->env, YG_EV_LISTENING, YG_KS("name", k->name),
		       YG_KN("worker", k->worker), YG_KS("protocol", "unix"),
		       YG_KS("address", k->address));
}

static bool text_into(char *to, size_t cap, struct yg_sv text)
{
	struct yg_sb b = yg_sb_init(to, cap - 1);
	yg_sb_put(&b, text);
	to[b.n] = '\0';
	return !b.cut;
}

static void want(struct want *w, const char *name, uint32_t worker, unsigned roles,
		 struct yg_sv address, const char *protocol)
{
	if (w->st != YG_OK || address.n == 0 || YG_SV_IS(address, "none"))
		return;
	struct yg_sock *k = find(w->s, name, worker, address, protocol);
	if (k != NULL) {
		k->keep = true;
		return;
	}
	k = calloc(1, sizeof *k);
	if (k == NULL) {
		w->st = YG_FAIL(w->err, YG_NOMEM, "no memory for a listener");
		return;
	}
	k->worker = worker;
	k->roles = roles;
	k->fd = -1;
	k->fresh = k->keep = true;
	bool fits = text_into(k->name, sizeof k->name, yg_sv_of(name)) &&
		    text_into(k->address, sizeof k->address, address) &&
		    text_into(k->protocol, sizeof k->protocol, yg_sv_of(protocol));
	k->next = w->s->socks;
	w->s->socks = k;
	if (!fits)
		w->st = YG_FAIL(w->err, YG_INVAL, "%s: the address is too long", name);
	else if (strcmp(protocol, "unix") == 0)
		bind_unix(w, k);
	else
		bind_inet(w, k, strcmp(protocol, "udp") == 0,
			  roles == YG_R_INGEST || roles == YG_R_RESOLVE);
}

static void want_worker(struct want *w, const struct yg_conf *conf, uint32_t n)
{
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "run/ingest-%u.sock", n);
	want(w, "ingest.sock", n, YG_R_INGEST, yg_sb_sv(&b), "unix");
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct yg_conf_listener *l = &conf->listeners[i];
		b.n = 0;
		yg_sb_printf(&b, "listener." YG_SV_FMT, YG_SV_ARG(l->name));
		if (!YG_SV_IS(l->protocol, "unix"))
			want(w, yg_sb_cstr(&b), n, YG_R_INGEST, l->address,
			     YG_SV_IS(l->protocol, "udp") ? "udp" : "tcp");
		else if (n == 0) /* such a socket cannot be shared out to workers */
			want(w, yg_sb_cstr(&b), n, YG_R_INGEST, l->path, "unix");
	}
}

/* "dns.0.udp", "dns.0.tcp", "dot.0.tcp": by their place in the configuration. */
static void want_dns(struct want *w, const char *kind, const struct yg_conf_dns_listen *l, size_t n,
		     uint32_t worker)
{
	static const char *const protocols[] = {"tcp", "udp"};
	size_t both = strcmp(kind, "dns") == 0 ? 2 : 1;
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < both; k++) {
			b.n = 0;
			yg_sb_printf(&b, "%s.%zu.%s", kind, i, protocols[k]);
			want(w, yg_sb_cstr(&b), worker, YG_R_RESOLVE, l[i].address, protocols[k]);
		}
}

/* "relay.0.1": for server 1 of upstream 0, which is validated through by TLS; of the loopback,
 * any port (role/resolve_up_relay.c). */
static void want_relays(struct want *w, const struct yg_conf *conf, uint32_t worker)
{
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	for (size_t i = 0; i < conf->dns_upstream_count; i++) {
		const struct yg_conf_dns_upstream *u = &conf->dns_upstreams[i];
		struct yg_sv rest = u->forward, one;
		if (!YG_SV_IS(u->dnssec, "validate"))
			continue;
		for (size_t k = 0; rest.n > 0 && yg_sv_cut(&rest, ' ', &one); k++) {
			b.n = 0;
			yg_sb_printf(&b, "relay.%zu.%zu", i, k);
			if (u->pins.n > 0 || yg_sv_find(one, '#', 0) < one.n)
				want(w, yg_sb_cstr(&b), worker, YG_R_RESOLVE, YG_SV("127.0.0.1:0"),
				     "tcp");
		}
	}
}

static void want_resolver(struct want *w, const struct yg_conf *conf, uint32_t n)
{
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "run/resolve-%u.sock", n);
	want(w, "resolve.sock", n, YG_R_RESOLVE, yg_sb_sv(&b), "unix");
	want_dns(w, "dns", conf->dns_listens, conf->dns_listen_count, n);
	want_dns(w, "dot", conf->dns_dots, conf->dns_dot_count, n);
	want_dns(w, "doh", conf->dns_dohs, conf->dns_doh_count, n);
	want_relays(w, conf, n);
}

/* "notify.0.udp", "publish.0.tcp": zones alone, one process. */
static void want_zones(struct want *w, const struct yg_conf *conf)
{
	char text[96];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	want(w, "zones.sock", 0, YG_R_ZONES, YG_SV("run/zones.sock"), "unix");
	for (size_t i = 0; i < conf->dns_notify_count; i++) {
		b.n = 0;
		yg_sb_printf(&b, "notify.%zu.udp", i);
		want(w, yg_sb_cstr(&b), 0, YG_R_ZONES, conf->dns_notifies[i].address, "udp");
	}
	for (size_t i = 0; i < conf->dns_publish_count; i++) {
		b.n = 0;
		yg_sb_printf(&b, "publish.%zu.udp", i);
		want(w, yg_sb_cstr(&b), 0, YG_R_ZONES, conf->dns_publishes[i].listen, "udp");
		b.n = 0;
		yg_sb_printf(&b, "publish.%zu.tcp", i);
		want(w, yg_sb_cstr(&b), 0, YG_R_ZONES, conf->dns_publishes[i].listen, "tcp");
	}
}

yg_status sup_listen(struct sup *s, const struct yg_conf *conf, struct yg_err *err)
{
	struct yg_err local = {0};
	struct want w = {s, err != NULL ? err : &local, YG_OK};
	unsigned allowed = sup_allowed(s, conf);
	for (struct yg_sock *k = s->socks; k != NULL; k = k->next)
		k->keep = k->fresh = false;
	if ((allowed & YG_R_CENTER) != 0) {
		want(&w, "api.sock", 0, YG_R_CENTER, YG_SV("run/api.sock"), "unix");
		want(&w, "center.sock", 0, YG_R_CENTER, YG_SV("run/center.sock"), "unix");
		want(&w, "api.tcp", 0, YG_R_CENTER, conf->api_address, "tcp");
		want(&w, "metrics.tcp", 0, YG_R_CENTER, conf->metrics_address, "tcp");
	}
	if ((allowed & YG_R_STORE) != 0) {
		want(&w, "store.sock", 0, YG_R_STORE, YG_SV("run/store.sock"), "unix");
		want(&w, "store.tcp", 0, YG_R_STORE, conf->store_listen, "tcp");
	}
	for (uint32_t n = 0; n < conf->ingest_workers && (allowed & YG_R_INGEST) != 0; n++)
		want_worker(&w, conf, n);
	for (uint32_t n = 0; n < conf->resolve_workers && (allowed & YG_R_RESOLVE) != 0; n++)
		want_resolver(&w, conf, n);
	if ((allowed & YG_R_ZONES) != 0)
		want_zones(&w, conf);
	if (w.st != YG_OK)
		sup_listen_revert(s);
	return w.st;
}

static void drop(struct sup *s, bool fresh)
{
	for (struct yg_sock **at = &s->socks; *at != NULL;) {
		struct yg_sock *k = *at;
		if (fresh ? !k->fresh : k->keep) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		if (strcmp(k->protocol, "unix") == 0 && k->fd >= 0)
			(void)unlink(k->address);
		yg_fd_close(&k->fd);
		free(k);
	}
}

void sup_listen_commit(struct sup *s)
{
	drop(s, false);
}

void sup_listen_revert(struct sup *s)
{
	drop(s, true);
}
