/* check.c - what no single key can say: names once, pairs, ports, files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/table.h"
#include "os/file.h"
#include "os/socket.h"

struct checker {
	const struct yg_conf *c;
	const char *file;
	yg_conf_report_fn *report;
	void *ctx;
	size_t problems;
};

static size_t key_line(const struct checker *k, const char *name)
{
	for (size_t i = 0; k->c->lines != NULL && yg_conf_keys[i].name != NULL; i++)
		if (strcmp(yg_conf_keys[i].name, name) == 0)
			return k->c->lines->key[i];
	return 0;
}

static size_t item_line(const struct checker *k, size_t list, size_t i)
{
	return k->c->lines != NULL ? k->c->lines->item[list][i] : 0;
}

static void bad(struct checker *k, size_t line, const char *key, const char *text)
{
	k->problems++;
	if (k->report != NULL)
		k->report(k->ctx, k->file, line, key, text);
}

/* In every list the first key is the name of the entry. */
static void check_names(struct checker *k)
{
	for (size_t l = 0; yg_conf_lists[l].name != NULL; l++) {
		const struct yg_conf_list *list = &yg_conf_lists[l];
		size_t n = (list->flags & YG_CL_TWICE) != 0 ? 0 : yg_conf_item_count(k->c, list);
		for (size_t i = 1; i < n; i++)
			for (size_t j = 0; j < i; j++)
				if (yg_sv_eq(*yg_conf_sv(yg_conf_item(k->c, list, i),
							 &list->keys[0]),
					     *yg_conf_sv(yg_conf_item(k->c, list, j),
							 &list->keys[0]))) {
					char text[80];
					struct yg_sb b = yg_sb_init(text, sizeof text);
					yg_sb_printf(
						&b,
						"the name stands twice; the first is in line %zu",
						item_line(k, l, j));
					bad(k, item_line(k, l, i), list->name, yg_sb_cstr(&b));
					break;
				}
	}
}

/* Where a listener is, and what it can carry. */
static void check_way(struct checker *k, const struct yg_conf_listener *l, size_t line)
{
	bool local = YG_SV_IS(l->protocol, "unix");
	if (local && (l->path.n == 0 || l->address.n > 0))
		bad(k, line, "ingest.listeners", "protocol unix needs a path and has no address");
	if (!local && (l->address.n == 0 || l->path.n > 0))
		bad(k, line, "ingest.listeners.address",
		    "expected an address and port; only protocol unix has a path");
	if (l->path.n > 0 && (l->path.n > YG_CONF_SOCKET_MAX || !yg_sv_starts(l->path, YG_SV("/"))))
		bad(k, line, "ingest.listeners.path",
		    "expected an absolute path of at most 107 bytes");
	if (YG_SV_IS(l->protocol, "udp") && YG_SV_IS(l->source, "dnstap"))
		bad(k, line, "ingest.listeners", "dnstap is a stream: protocol tcp, tls or unix");
}

static void check_listeners(struct checker *k)
{
	for (size_t i = 0; i < k->c->listener_count; i++) {
		const struct yg_conf_listener *l = &k->c->listeners[i];
		size_t line = item_line(k, 0, i);
		bool tls = YG_SV_IS(l->protocol, "tls");
		bool cert = l->cert_file.n > 0, key = l->key_file.n > 0;
		if (cert != key)
			bad(k, line, "ingest.listeners", "cert_file and key_file belong together");
		if (!tls && (cert || key || l->client_ca_file.n > 0))
			bad(k, line, "ingest.listeners", "certificates are for protocol tls only");
		check_way(k, l, line);
	}
}

struct port {
	struct yg_sv address;
	bool udp;
	size_t line;
	const char *key;
};

static void add_port(struct port *ports, size_t *n, struct yg_sv address, bool udp, size_t line,
		     const char *key)
{
	if (address.n > 0 && !YG_SV_IS(address, "none"))
		ports[(*n)++] = (struct port){address, udp, line, key};
}

static bool every_address(struct yg_ip ip)
{
	static const struct yg_ip v4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
	return yg_ip_is_zero(ip) || yg_ip_eq(ip, v4);
}

static bool same_port(const struct port *a, const struct port *b)
{
	struct yg_addr x, y;
	if (a->udp != b->udp || yg_addr_parse(a->address, &x, NULL) != YG_OK ||
	    yg_addr_parse(b->address, &y, NULL) != YG_OK)
		return false;
	if (yg_addr_port(&x) != yg_addr_port(&y) || yg_addr_port(&x) == 0)
		return false;
	struct yg_ip p = yg_addr_ip(&x), q = yg_addr_ip(&y);
	return yg_ip_eq(p, q) || every_address(p) || every_address(q);
}

static size_t list_of(const char *name)
{
	size_t l = 0;
	while (yg_conf_lists[l].name != NULL && strcmp(yg_conf_lists[l].name, name) != 0)
		l++;
	return l;
}

static size_t add_dns_ports(struct checker *k, struct port *ports, size_t n)
{
	const struct yg_conf *c = k->c;
	for (size_t i = 0; i < c->dns_listen_count; i++)
		for (int udp = 0; udp < 2; udp++)
			add_port(ports, &n, c->dns_listens[i].address, udp != 0,
				 item_line(k, list_of("resolve.listen"), i), "resolve.listen");
	for (size_t i = 0; i < c->dns_dot_count; i++)
		add_port(ports, &n, c->dns_dots[i].address, false,
			 item_line(k, list_of("resolve.dot"), i), "resolve.dot");
	for (size_t i = 0; i < c->dns_doh_count; i++)
		add_port(ports, &n, c->dns_dohs[i].address, false,
			 item_line(k, list_of("resolve.doh"), i), "resolve.doh");
	return n;
}

static void check_pair(struct checker *k, const struct yg_conf_dns_listen *l, size_t n,
		       const char *list)
{
	for (size_t i = 0; i < n; i++)
		if ((l[i].cert_file.n > 0) != (l[i].key_file.n > 0))
			bad(k, item_line(k, list_of(list), i), list,
			    "cert-file and key-file belong together");
}

static void check_policies(struct checker *k)
{
	static const char *const words[] = {"given",    "disabled", "nxdomain", "nodata",
					    "passthru", "drop",     "tcp-only"};
	for (size_t i = 0; i < k->c->dns_policy_count; i++) {
		const struct yg_conf_dns_policy *p = &k->c->dns_policies[i];
		size_t line = item_line(k, list_of("resolve.policy"), i), w = 0;
		if ((p->rpz.n > 0) + (p->list.n > 0) + (p->axfr.n > 0) != 1)
			bad(k, line, "resolve.policy", "expected one of rpz, list and axfr");
		if (p->axfr.n > 0 && p->zone.n == 0)
			bad(k, line, "resolve.policy", "axfr needs zone, the zone's name there");
		if ((p->tsig_name.n > 0) != (p->tsig_secret_file.n > 0))
			bad(k, line, "resolve.policy",
			    "tsig.name and tsig.secret-file belong together");
		while (w < YG_LEN(words) && !yg_sv_eq(p->override_, yg_sv_of(words[w])))
			w++;
		if (w == YG_LEN(words) && !yg_sv_starts(p->override_, YG_SV("cname ")))
			bad(k, line, "resolve.policy.override",
			    "expected given, disabled, nxdomain, nodata, passthru, drop, tcp-only "
			    "or 'cname NAME'");
	}
}

/* 64 hexadecimal digits, perhaps with colons between. */
static bool is_sha256(struct yg_sv text)
{
	size_t digits = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool hex =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (!hex && c != ':')
			return false;
		digits += hex;
	}
	return digits == 64;
}

static void check_clients(struct checker *k)
{
	for (size_t i = 0; i < k->c->dns_client_count; i++) {
		const struct yg_conf_dns_client *d = &k->c->dns_clients[i];
		size_t line = item_line(k, list_of("resolve.clients"), i);
		if (d->prefix.n + d->dot_name.n + d->certificate.n + d->doh_token_file.n == 0)
			bad(k, line, "resolve.clients",
			    "expected one of prefix, dot-name, certificate and doh-token-file");
		if (d->certificate.n > 0 && !is_sha256(d->certificate))
			bad(k, line, "resolve.clients.certificate",
			    "expected its SHA-256: 64 hexadecimal digits");
	}
}

/* Without the dot of the root. */
static struct yg_sv bare(struct yg_sv zone)
{
	return zone.n > 1 && zone.p[zone.n - 1] == '.' ? yg_sv_sub(zone, 0, zone.n - 1) : zone;
}

static void check_servers(struct checker *k, struct yg_sv servers, const char *key, size_t line,
			  bool may_tls)
{
	struct yg_sv one;
	size_t count = 0;
	while (servers.n > 0 && yg_sv_cut(&servers, ' ', &one)) {
		count++;
		if (memchr(one.p, '#', one.n) != NULL && !may_tls)
			bad(k, line, key,
			    "a server that is asked by TLS (#name) can be neither a stub nor "
			    "validated through");
	}
	if (count > YG_CONF_SERVERS_MAX)
		bad(k, line, key, "at most 16 servers");
}

static void check_upstream(struct checker *k, size_t i)
{
	const struct yg_conf_dns_upstream *u = &k->c->dns_upstreams[i];
	size_t line = item_line(k, list_of("resolve.upstream"), i);
	bool plain = YG_SV_IS(u->dnssec, "validate");
	check_servers(k, u->forward, "resolve.upstream.forward", line, !plain);
	check_servers(k, u->stub, "resolve.upstream.stub", line, false);
	if (u->pins.n > 0 && (plain || u->forward.n == 0))
		bad(k, line, "resolve.upstream.pins",
		    "pins are for forward, and answers that come by TLS are not validated");
	if ((u->forward.n > 0) + (u->stub.n > 0) + (u->recursion != 0) != 1)
		bad(k, line, "resolve.upstream", "expected one of forward, stub and recursion");
	if (u->forward.n == 0 && YG_SV_IS(u->dnssec, "trust-ad"))
		bad(k, line, "resolve.upstream.dnssec",
		    "trust-ad is for forward: other servers do not say whether an answer is secure");
	if (u->stub.n > 0 && YG_SV_IS(u->dnssec, "validate"))
		bad(k, line, "resolve.upstream.dnssec",
		    "answers of a stub cannot be validated; recursion can");
	for (size_t j = 0; j < i; j++)
		if (yg_sv_ieq(bare(u->zone), bare(k->c->dns_upstreams[j].zone)) &&
		    yg_sv_eq(u->org, k->c->dns_upstreams[j].org)) {
			bad(k, line, "resolve.upstream",
			    "the zone stands twice for one organisation");
			break;
		}
}

static void check_local(struct checker *k, size_t i)
{
	const struct yg_conf_dns_local *z = &k->c->dns_locals[i];
	size_t line = item_line(k, list_of("resolve.local"), i);
	for (size_t j = 0; j < i; j++)
		if (yg_sv_ieq(bare(z->zone), bare(k->c->dns_locals[j].zone)) &&
		    yg_sv_eq(z->org, k->c->dns_locals[j].org)) {
			bad(k, line, "resolve.local", "the zone stands twice for one organisation");
			break;
		}
	for (size_t j = 0; j < k->c->dns_upstream_count; j++)
		if (yg_sv_ieq(bare(z->zone), bare(k->c->dns_upstreams[j].zone)) &&
		    yg_sv_eq(z->org, k->c->dns_upstreams[j].org))
			bad(k, line, "resolve.local",
			    "resolve.upstream has the zone too, for the same organisation");
}

static void check_taps(struct checker *k)
{
	for (size_t i = 0; i < k->c->dns_tap_count; i++) {
		const struct yg_conf_dns_tap *t = &k->c->dns_taps[i];
		size_t line = item_line(k, list_of("resolve.dnstap"), i);
		struct yg_addr a;
		bool local = YG_SV_IS(t->protocol, "unix"), tls = YG_SV_IS(t->protocol, "tls");
		bool path = local || YG_SV_IS(t->protocol, "file");
		if (path && (!yg_sv_starts(t->to, YG_SV("/")) ||
			     t->to.n > (local ? YG_CONF_SOCKET_MAX : YG_CONF_TAP_MAX)))
			bad(k, line, "resolve.dnstap.to",
			    "expected an absolute path, not too long");
		if (!path && yg_addr_parse(t->to, &a, NULL) != YG_OK)
			bad(k, line, "resolve.dnstap.to", "expected an address and port");
		if (tls != (t->ca_file.n > 0) || tls != (t->tls_name.n > 0))
			bad(k, line, "resolve.dnstap",
			    "tls needs ca-file and tls-name, and nothing else has them");
	}
}

static void check_resolve(struct checker *k)
{
	check_taps(k);
	const struct yg_conf *c = k->c;
	check_pair(k, c->dns_dots, c->dns_dot_count, "resolve.dot");
	check_pair(k, c->dns_dohs, c->dns_doh_count, "resolve.doh");
	check_policies(k);
	if (c->resolve_ttl_min > c->resolve_ttl_max)
		bad(k, key_line(k, "resolve.ttl-min"), "resolve.ttl-min",
		    "it is above resolve.ttl-max");
	for (size_t i = 0; i < c->dns_upstream_count; i++)
		check_upstream(k, i);
	for (size_t i = 0; i < c->dns_local_count; i++)
		check_local(k, i);
	check_clients(k);
}

static void check_ports(struct checker *k)
{
	struct port ports[3 + 64 + 2 * 64 + 2 * 16];
	size_t n = 0;
	const struct yg_conf *c = k->c;
	add_port(ports, &n, c->api_address, false, key_line(k, "api.address"), "api.address");
	add_port(ports, &n, c->metrics_address, false, key_line(k, "api.metrics_address"),
		 "api.metrics_address");
	add_port(ports, &n, c->store_listen, false, key_line(k, "store.listen"), "store.listen");
	for (size_t i = 0; i < c->listener_count && n < YG_LEN(ports); i++)
		add_port(ports, &n, c->listeners[i].address,
			 YG_SV_IS(c->listeners[i].protocol, "udp"), item_line(k, 0, i),
			 "ingest.listeners");
	n = add_dns_ports(k, ports, n);
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (same_port(&ports[i], &ports[j])) {
				char text[120];
				struct yg_sb b = yg_sb_init(text, sizeof text);
				yg_sb_printf(&b, "the port is taken by %s (line %zu)", ports[j].key,
					     ports[j].line);
				bad(k, ports[i].line, ports[i].key, yg_sb_cstr(&b));
				break;
			}
}

static bool has_mapping(const struct yg_conf *c, struct yg_sv name)
{
	for (size_t i = 0; i < c->mapping_count; i++)
		if (yg_sv_eq(c->mappings[i].name, name))
			return true;
	return false;
}

static void check_source(struct checker *k, struct yg_sv source, size_t line, const char *key)
{
	if (YG_SV_IS(source, "ndjson"))
		bad(k, line, key, "source ndjson needs a mapping: ndjson:NAME");
	else if (yg_sv_starts(source, YG_SV("ndjson:")) &&
		 !has_mapping(k->c, yg_sv_sub(source, 7, source.n)))
		bad(k, line, key, "the source names a mapping that is not in ingest.mappings");
}

size_t yg_conf_cross(const struct yg_conf *c, const char *file_name, yg_conf_report_fn *report,
		     void *ctx)
{
	struct checker k = {c, file_name, report, ctx, 0};
	if ((c->api_cert_file.n > 0) != (c->api_key_file.n > 0))
		bad(&k, key_line(&k, c->api_cert_file.n > 0 ? "api.cert_file" : "api.key_file"),
		    c->api_cert_file.n > 0 ? "api.cert_file" : "api.key_file",
		    "api.cert_file and api.key_file belong together");
	if (YG_SV_IS(c->store_url, "embedded") &&
	    c->store_query_memory_bytes > c->store_memory_bytes)
		bad(&k, key_line(&k, "store.query_memory"), "store.query_memory",
		    "one query may not use more than store.memory");
	if (!YG_SV_IS(c->store_url, "embedded") && c->store_listen.n > 0)
		bad(&k, key_line(&k, "store.listen"), "store.listen",
		    "only the embedded store listens");
	check_names(&k);
	check_listeners(&k);
	check_resolve(&k);
	check_ports(&k);
	for (size_t i = 0; i < c->listener_count; i++)
		check_source(&k, c->listeners[i].source, item_line(&k, 0, i),
			     "ingest.listeners.source");
	for (size_t i = 0; i < c->follow_count; i++) {
		check_source(&k, c->follows[i].source, item_line(&k, 1, i), "ingest.follow.source");
		if (YG_SV_IS(c->follows[i].source, "dnstap"))
			bad(&k, item_line(&k, 1, i), "ingest.follow.source",
			    "dnstap is not lines: a listener takes it, or event import");
	}
	return k.problems;
}

static void check_file(struct checker *k, size_t line, const char *key, struct yg_sv path,
		       bool secret)
{
	char name[4200], text[4400];
	struct yg_sb p = yg_sb_init(name, sizeof name), b = yg_sb_init(text, sizeof text);
	struct stat s;
	if (path.n == 0)
		return;
	yg_sb_put(&p, path);
	YG_AUTO(yg_fd_close) int fd = open(yg_sb_cstr(&p), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		yg_sb_printf(&b, "cannot open '%s': %s", name, strerrordesc_np(errno));
		bad(k, line, key, yg_sb_cstr(&b));
	} else if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
		yg_sb_printf(&b, "expected a file, found another kind of thing at '%s'", name);
		bad(k, line, key, yg_sb_cstr(&b));
	} else if (secret && (s.st_mode & 07) != 0) {
		yg_sb_printf(&b, "everybody may read '%s', which holds a secret (chmod o= it)",
			     name);
		bad(k, line, key, yg_sb_cstr(&b));
	}
}

yg_status yg_conf_check_files(const struct yg_conf *c, const char *file_name,
			      yg_conf_report_fn *report, void *ctx, struct yg_err *err)
{
	struct checker k = {c, file_name, report, ctx, 0};
	for (const struct yg_conf_key *row = yg_conf_keys; row->name != NULL; row++)
		if (row->type == YG_CT_FILE)
			check_file(&k, key_line(&k, row->name), row->name, *yg_conf_sv(c, row),
				   (row->flags & YG_CF_SECRET) != 0);
	for (size_t l = 0; yg_conf_lists[l].name != NULL; l++)
		for (size_t i = 0; i < yg_conf_item_count(c, &yg_conf_lists[l]); i++)
			for (const struct yg_conf_key *row = yg_conf_lists[l].keys;
			     row->name != NULL; row++)
				if (row->type == YG_CT_FILE && (row->flags & YG_CF_STAR) == 0)
					check_file(
						&k, item_line(&k, l, i), yg_conf_lists[l].name,
						*yg_conf_sv(yg_conf_item(c, &yg_conf_lists[l], i),
							    row),
						(row->flags & YG_CF_SECRET) != 0);
	if (k.problems > 0)
		return YG_FAIL(err, YG_PARSE,
			       "%zu files that the configuration names cannot be used", k.problems);
	return YG_OK;
}

static bool same(const struct yg_conf_key *k, const void *a, const void *b)
{
	if (yg_conf_is_number(k))
		return *yg_conf_u64(a, k) == *yg_conf_u64(b, k);
	return yg_sv_eq(*yg_conf_sv(a, k), *yg_conf_sv(b, k));
}

static bool same_list(const struct yg_conf_list *l, const struct yg_conf *a,
		      const struct yg_conf *b)
{
	size_t n = yg_conf_item_count(a, l);
	if (n != yg_conf_item_count(b, l))
		return false;
	for (size_t i = 0; i < n; i++)
		for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++)
			if (!same(k, yg_conf_item(a, l, i), yg_conf_item(b, l, i)))
				return false;
	return true;
}

void yg_conf_diff(const struct yg_conf *a, const struct yg_conf *b, yg_conf_changed_fn *fn,
		  void *ctx)
{
	for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
		if (!same(k, a, b))
			fn(ctx, k->name, k->reload, k->roles);
	for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++)
		if (!same_list(l, a, b))
			fn(ctx, l->name, l->reload, l->roles);
}
