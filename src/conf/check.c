/* check.c - what no single key can say: names once, pairs, ports, files. */
#include "conf/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/socket.h"

size_t yg_ck_key_line(const struct yg_ck *k, const char *name)
{
	for (size_t i = 0; k->c->lines != NULL && yg_conf_keys[i].name != NULL; i++)
		if (strcmp(yg_conf_keys[i].name, name) == 0)
			return k->c->lines->key[i];
	return 0;
}

size_t yg_ck_item_line(const struct yg_ck *k, size_t list, size_t i)
{
	return k->c->lines != NULL ? k->c->lines->item[list][i] : 0;
}

size_t yg_ck_list_of(const char *name)
{
	size_t l = 0;
	while (yg_conf_lists[l].name != NULL && strcmp(yg_conf_lists[l].name, name) != 0)
		l++;
	return l;
}

void yg_ck_bad(struct yg_ck *k, size_t line, const char *key, const char *text)
{
	k->problems++;
	if (k->report != NULL)
		k->report(k->ctx, k->file, line, key, text);
}

/* In every list the first key is the name of the entry. */
static void check_names(struct yg_ck *k)
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
						yg_ck_item_line(k, l, j));
					yg_ck_bad(k, yg_ck_item_line(k, l, i), list->name,
						  yg_sb_cstr(&b));
					break;
				}
	}
}

/* Where a listener is, and what it can carry. */
static void check_way(struct yg_ck *k, const struct yg_conf_listener *l, size_t line)
{
	bool local = YG_SV_IS(l->protocol, "unix");
	if (local && (l->path.n == 0 || l->address.n > 0))
		yg_ck_bad(k, line, "ingest.listeners",
			  "protocol unix needs a path and has no address");
	if (!local && (l->address.n == 0 || l->path.n > 0))
		yg_ck_bad(k, line, "ingest.listeners.address",
			  "expected an address and port; only protocol unix has a path");
	if (l->path.n > 0 && (l->path.n > YG_CONF_SOCKET_MAX || !yg_sv_starts(l->path, YG_SV("/"))))
		yg_ck_bad(k, line, "ingest.listeners.path",
			  "expected an absolute path of at most 107 bytes");
	if (YG_SV_IS(l->protocol, "udp") && YG_SV_IS(l->source, "dnstap"))
		yg_ck_bad(k, line, "ingest.listeners",
			  "dnstap is a stream: protocol tcp, tls or unix");
}

static void check_listeners(struct yg_ck *k)
{
	for (size_t i = 0; i < k->c->listener_count; i++) {
		const struct yg_conf_listener *l = &k->c->listeners[i];
		size_t line = yg_ck_item_line(k, 0, i);
		bool tls = YG_SV_IS(l->protocol, "tls");
		bool cert = l->cert_file.n > 0, key = l->key_file.n > 0;
		if (cert != key)
			yg_ck_bad(k, line, "ingest.listeners",
				  "cert_file and key_file belong together");
		if (!tls && (cert || key || l->client_ca_file.n > 0))
			yg_ck_bad(k, line, "ingest.listeners",
				  "certificates are for protocol tls only");
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

static size_t add_dns_ports(struct yg_ck *k, struct port *ports, size_t n)
{
	const struct yg_conf *c = k->c;
	for (size_t i = 0; i < c->dns_listen_count; i++)
		for (int udp = 0; udp < 2; udp++)
			add_port(ports, &n, c->dns_listens[i].address, udp != 0,
				 yg_ck_item_line(k, yg_ck_list_of("resolve.listen"), i),
				 "resolve.listen");
	for (size_t i = 0; i < c->dns_dot_count; i++)
		add_port(ports, &n, c->dns_dots[i].address, false,
			 yg_ck_item_line(k, yg_ck_list_of("resolve.dot"), i), "resolve.dot");
	for (size_t i = 0; i < c->dns_doh_count; i++)
		add_port(ports, &n, c->dns_dohs[i].address, false,
			 yg_ck_item_line(k, yg_ck_list_of("resolve.doh"), i), "resolve.doh");
	return n;
}

static void check_ports(struct yg_ck *k)
{
	struct port ports[3 + 64 + 2 * 64 + 2 * 16];
	size_t n = 0;
	const struct yg_conf *c = k->c;
	add_port(ports, &n, c->api_address, false, yg_ck_key_line(k, "api.address"), "api.address");
	add_port(ports, &n, c->metrics_address, false, yg_ck_key_line(k, "api.metrics_address"),
		 "api.metrics_address");
	add_port(ports, &n, c->store_listen, false, yg_ck_key_line(k, "store.listen"),
		 "store.listen");
	for (size_t i = 0; i < c->listener_count && n < YG_LEN(ports); i++)
		add_port(ports, &n, c->listeners[i].address,
			 YG_SV_IS(c->listeners[i].protocol, "udp"), yg_ck_item_line(k, 0, i),
			 "ingest.listeners");
	n = add_dns_ports(k, ports, n);
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (same_port(&ports[i], &ports[j])) {
				char text[120];
				struct yg_sb b = yg_sb_init(text, sizeof text);
				yg_sb_printf(&b, "the port is taken by %s (line %zu)", ports[j].key,
					     ports[j].line);
				yg_ck_bad(k, ports[i].line, ports[i].key, yg_sb_cstr(&b));
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

static void check_source(struct yg_ck *k, struct yg_sv source, size_t line, const char *key)
{
	if (YG_SV_IS(source, "ndjson"))
		yg_ck_bad(k, line, key, "source ndjson needs a mapping: ndjson:NAME");
	else if (yg_sv_starts(source, YG_SV("ndjson:")) &&
		 !has_mapping(k->c, yg_sv_sub(source, 7, source.n)))
		yg_ck_bad(k, line, key,
			  "the source names a mapping that is not in ingest.mappings");
}

size_t yg_conf_cross(const struct yg_conf *c, const char *file_name, yg_conf_report_fn *report,
		     void *ctx)
{
	struct yg_ck k = {c, file_name, report, ctx, 0};
	if ((c->api_cert_file.n > 0) != (c->api_key_file.n > 0))
		yg_ck_bad(&k,
			  yg_ck_key_line(&k,
					 c->api_cert_file.n > 0 ? "api.cert_file" : "api.key_file"),
			  c->api_cert_file.n > 0 ? "api.cert_file" : "api.key_file",
			  "api.cert_file and api.key_file belong together");
	if (YG_SV_IS(c->store_url, "embedded") &&
	    c->store_query_memory_bytes > c->store_memory_bytes)
		yg_ck_bad(&k, yg_ck_key_line(&k, "store.query_memory"), "store.query_memory",
			  "one query may not use more than store.memory");
	if (!YG_SV_IS(c->store_url, "embedded") && c->store_listen.n > 0)
		yg_ck_bad(&k, yg_ck_key_line(&k, "store.listen"), "store.listen",
			  "only the embedded store listens");
	check_names(&k);
	check_listeners(&k);
	yg_ck_resolve(&k);
	check_ports(&k);
	for (size_t i = 0; i < c->listener_count; i++)
		check_source(&k, c->listeners[i].source, yg_ck_item_line(&k, 0, i),
			     "ingest.listeners.source");
	for (size_t i = 0; i < c->follow_count; i++) {
		check_source(&k, c->follows[i].source, yg_ck_item_line(&k, 1, i),
			     "ingest.follow.source");
		if (YG_SV_IS(c->follows[i].source, "dnstap"))
			yg_ck_bad(&k, yg_ck_item_line(&k, 1, i), "ingest.follow.source",
				  "dnstap is not lines: a listener takes it, or event import");
	}
	return k.problems;
}

static void check_file(struct yg_ck *k, size_t line, const char *key, struct yg_sv path,
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
		yg_ck_bad(k, line, key, yg_sb_cstr(&b));
	} else if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
		yg_sb_printf(&b, "expected a file, found another kind of thing at '%s'", name);
		yg_ck_bad(k, line, key, yg_sb_cstr(&b));
	} else if (secret && (s.st_mode & 07) != 0) {
		yg_sb_printf(&b, "everybody may read '%s', which holds a secret (chmod o= it)",
			     name);
		yg_ck_bad(k, line, key, yg_sb_cstr(&b));
	}
}

yg_status yg_conf_check_files(const struct yg_conf *c, const char *file_name,
			      yg_conf_report_fn *report, void *ctx, struct yg_err *err)
{
	struct yg_ck k = {c, file_name, report, ctx, 0};
	for (const struct yg_conf_key *row = yg_conf_keys; row->name != NULL; row++)
		if (row->type == YG_CT_FILE)
			check_file(&k, yg_ck_key_line(&k, row->name), row->name,
				   *yg_conf_sv(c, row), (row->flags & YG_CF_SECRET) != 0);
	for (size_t l = 0; yg_conf_lists[l].name != NULL; l++)
		for (size_t i = 0; i < yg_conf_item_count(c, &yg_conf_lists[l]); i++)
			for (const struct yg_conf_key *row = yg_conf_lists[l].keys;
			     row->name != NULL; row++)
				if (row->type == YG_CT_FILE && (row->flags & YG_CF_STAR) == 0)
					check_file(
						&k, yg_ck_item_line(&k, l, i),
						yg_conf_lists[l].name,
						*yg_conf_sv(yg_conf_item(c, &yg_conf_lists[l], i),
							    row),
						(row->flags & YG_CF_SECRET) != 0);
	yg_ck_resolve_files(&k);
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
