/* secret.c - files that roles get as sealed memory instead of as paths. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "os/file.h"
#include "os/memfd.h"
#include "os/tls_cert.h"
#include "role/sup.h"

#define SECRET_MAX  1048576
#define MAPPING_MAX 1048576

struct load {
	struct sup *s;
	struct yg_secret *list;
	struct yg_err *err;
	yg_status st; /* sticky */
};

static void take(struct load *l, const char *name, unsigned roles, const char *path)
{
	if (l->st != YG_OK)
		return;
	struct yg_secret *k = calloc(1, sizeof *k);
	if (k == NULL) {
		l->st = YG_FAIL(l->err, YG_NOMEM, "no memory for %s", name);
		return;
	}
	k->fd = -1;
	k->roles = roles;
	k->next = l->list;
	l->list = k;
	struct yg_sb n = yg_sb_init(k->name, sizeof k->name - 1);
	yg_sb_put(&n, yg_sv_of(name));
	struct yg_buf bytes;
	yg_buf_init(&bytes, SECRET_MAX + 1);
	l->st = yg_file_read(path, SECRET_MAX, &bytes, l->err);
	if (l->st == YG_OK) {
		k->crc = yg_crc32c(0, bytes.p, bytes.n);
		l->st = yg_memfd_from_bytes(name, yg_buf_sv(&bytes), &k->fd, l->err);
	}
	if (bytes.p != NULL)
		explicit_bzero(bytes.p, bytes.n);
	yg_buf_free(&bytes);
}

static void take_sv(struct load *l, const char *name, unsigned roles, struct yg_sv path)
{
	char text[PATH_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (path.n == 0)
		return;
	yg_sb_put(&b, path);
	take(l, name, roles, yg_sb_cstr(&b));
}

/* What a listener speaks TLS with: files of its own or the server's, as
 * "<listener>.crt", ".key", ".ca". */
static void take_tls(struct load *l, const struct yg_conf *conf, unsigned roles,
		     const char *listener, const struct yg_sv own[3])
{
	static const char *const parts[] = {"crt", "key", "ca"};
	char name[96];
	const struct yg_sv server[] = {conf->api_cert_file, conf->api_key_file, {"", 0}};
	const struct yg_sv made[] = {YG_SV("keys/tls.crt"), YG_SV("keys/tls.key"), {"", 0}};
	for (size_t i = 0; i < YG_LEN(parts); i++) {
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "%s.%s", listener, parts[i]);
		struct yg_sv path = own[i].n > 0 ? own[i] : server[i].n > 0 ? server[i] : made[i];
		take_sv(l, yg_sb_cstr(&b), roles, path);
	}
}

static void take_listener(struct load *l, const struct yg_conf *conf,
			  const struct yg_conf_listener *k)
{
	char name[96];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	const struct yg_sv own[] = {k->cert_file, k->key_file, k->client_ca_file};
	if (!YG_SV_IS(k->protocol, "tls"))
		return;
	yg_sb_printf(&b, "listener." YG_SV_FMT, YG_SV_ARG(k->name));
	take_tls(l, conf, YG_R_INGEST, yg_sb_cstr(&b), own);
}

static void take_dns_tls(struct load *l, const struct yg_conf *conf, const char *kind,
			 const struct yg_conf_dns_listen *k, size_t n)
{
	char name[96];
	for (size_t i = 0; i < n; i++) {
		struct yg_sb b = yg_sb_init(name, sizeof name);
		const struct yg_sv own[] = {k[i].cert_file, k[i].key_file, k[i].client_ca_file};
		yg_sb_printf(&b, "%s.%zu", kind, i);
		take_tls(l, conf, YG_R_RESOLVE, yg_sb_cstr(&b), own);
	}
}

/* Cookies, and the pseudonyms of clients, stay the same over a restart and for all workers;
 * who runs several servers behind one address copies the files. */
static void make_key(struct load *l, const char *path)
{
	uint8_t key[16];
	char text[2 * sizeof key + 1];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (l->st != YG_OK || access(path, F_OK) == 0)
		return;
	l->s->env.random(l->s->env.ctx, key, sizeof key);
	yg_sb_hex(&b, key, sizeof key);
	yg_sb_putc(&b, '\n');
	l->st = yg_file_write(path, yg_sb_sv(&b), 0600, l->err);
	explicit_bzero(key, sizeof key);
	explicit_bzero(text, sizeof text);
}

/* A file that the configuration names, or Debian's, when that is there. */
static void take_or(struct load *l, const char *name, struct yg_sv path, const char *system)
{
	if (path.n > 0)
		take_sv(l, name, YG_R_RESOLVE, path);
	else if (access(system, R_OK) == 0)
		take(l, name, YG_R_RESOLVE, system);
}

/* Who vouches for servers that are asked by TLS. */
static void take_authorities(struct load *l, const struct yg_conf *conf)
{
	char name[48];
	for (size_t i = 0; i < conf->dns_upstream_count; i++) {
		const struct yg_conf_dns_upstream *u = &conf->dns_upstreams[i];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "up.%zu.ca", i);
		if (yg_sv_find(u->forward, '#', 0) < u->forward.n)
			take_or(l, yg_sb_cstr(&b), u->ca_file,
				"/etc/ssl/certs/ca-certificates.crt");
	}
}

/* What recursion and validation begin from. */
static void take_root(struct load *l, const struct yg_conf *conf)
{
	bool recursion = false, validate = false;
	for (size_t i = 0; i < conf->dns_upstream_count; i++) {
		const struct yg_conf_dns_upstream *u = &conf->dns_upstreams[i];
		recursion = recursion || u->recursion != 0;
		validate = validate || YG_SV_IS(u->dnssec, "validate") ||
			   (u->recursion != 0 && YG_SV_IS(u->dnssec, "auto"));
	}
	if (recursion)
		take_or(l, "dns.hints", conf->resolve_hints, "/usr/share/dns/root.hints");
	if (validate)
		take_or(l, "dns.anchor", conf->resolve_anchor, "/usr/share/dns/root.key");
}

/* Keys of cookies and transfers, and tokens that clients are known by. */
static void take_resolver(struct load *l, const struct yg_conf *conf)
{
	char name[96];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	if (conf->dns_listen_count + conf->dns_dot_count + conf->dns_doh_count > 0) {
		make_key(l, "keys/dns-cookie");
		take(l, "dns.cookie", YG_R_RESOLVE, "keys/dns-cookie");
		if (conf->resolve_address_key.n == 0)
			make_key(l, "keys/dns-log");
		take_sv(l, "dns.log", YG_R_RESOLVE,
			conf->resolve_address_key.n > 0 ? conf->resolve_address_key
							: YG_SV("keys/dns-log"));
	}
	take_root(l, conf);
	take_authorities(l, conf);
	take_dns_tls(l, conf, "dot", conf->dns_dots, conf->dns_dot_count);
	take_dns_tls(l, conf, "doh", conf->dns_dohs, conf->dns_doh_count);
	for (size_t i = 0; i < conf->dns_policy_count; i++) {
		b.n = 0;
		yg_sb_printf(&b, "tsig." YG_SV_FMT, YG_SV_ARG(conf->dns_policies[i].name));
		take_sv(l, yg_sb_cstr(&b), YG_R_ZONES, conf->dns_policies[i].tsig_secret_file);
	}
	for (size_t i = 0; i < conf->dns_publish_count; i++) {
		b.n = 0;
		yg_sb_printf(&b, "publish.%zu.tsig", i);
		take_sv(l, yg_sb_cstr(&b), YG_R_ZONES, conf->dns_publishes[i].tsig_secret_file);
	}
	for (size_t i = 0; i < conf->dns_tap_count; i++) {
		b.n = 0;
		yg_sb_printf(&b, "dnstap.%zu.ca", i);
		take_sv(l, yg_sb_cstr(&b), YG_R_RESOLVE, conf->dns_taps[i].ca_file);
	}
	for (size_t i = 0; i < conf->dns_client_count; i++) {
		b.n = 0;
		yg_sb_printf(&b, "client.%zu", i);
		take_sv(l, yg_sb_cstr(&b), YG_R_RESOLVE, conf->dns_clients[i].doh_token_file);
	}
}

static void make_own(struct load *l)
{
	if (access("keys/tls.key", F_OK) == 0 && access("keys/tls.crt", F_OK) == 0)
		return;
	l->st = yg_tls_self_signed("keys/tls.crt", "keys/tls.key", &l->s->env, l->err);
	if (l->st == YG_OK)
		yg_log(&l->s->env, YG_EV_TLS_SELF_SIGNED, YG_KS("certificate", "keys/tls.crt"));
}

static const struct yg_secret *by_name(const struct yg_secret *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

static void check_pair(struct load *l, const struct yg_secret *c, const struct yg_secret *k)
{
	struct yg_sv cert, key;
	l->st = yg_memfd_map(c->fd, SECRET_MAX, &cert, l->err);
	if (l->st != YG_OK)
		return;
	l->st = yg_memfd_map(k->fd, SECRET_MAX, &key, l->err);
	if (l->st == YG_OK) {
		l->st = yg_tls_pair_check(cert, key, l->err);
		yg_memfd_unmap(&key);
	}
	yg_memfd_unmap(&cert);
	if (l->st != YG_OK)
		(void)yg_err_wrap(l->err, "%s: ", c->name);
}

/* Every certificate with its key: a role must not find out at its first client. */
static void check_pairs(struct load *l)
{
	for (const struct yg_secret *c = l->list; c != NULL && l->st == YG_OK; c = c->next) {
		char name[96];
		struct yg_sv crt = yg_sv_of(c->name);
		if (!yg_sv_ends(crt, YG_SV(".crt")))
			continue;
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_put(&b, yg_sv_sub(crt, 0, crt.n - 4));
		yg_sb_put(&b, YG_SV(".key"));
		const struct yg_secret *k = by_name(l->list, yg_sb_cstr(&b));
		if (k != NULL)
			check_pair(l, c, k);
	}
}

yg_status sup_secrets_load(struct sup *s, const struct yg_conf *conf, struct yg_secret **out,
			   struct yg_err *err)
{
	struct load l = {.s = s, .err = err, .st = YG_OK};
	bool own = conf->api_cert_file.n == 0;
	if (own)
		make_own(&l);
	take_sv(&l, "tls.crt", YG_R_CENTER | YG_R_INGEST,
		own ? YG_SV("keys/tls.crt") : conf->api_cert_file);
	take_sv(&l, "tls.key", YG_R_CENTER | YG_R_INGEST,
		own ? YG_SV("keys/tls.key") : conf->api_key_file);
	take_sv(&l, "store.password", YG_R_CENTER | YG_R_INGEST | YG_R_STORE,
		conf->store_password_file);
	for (size_t i = 0; i < conf->listener_count; i++)
		take_listener(&l, conf, &conf->listeners[i]);
	take_resolver(&l, conf);
	for (size_t i = 0; i < conf->provider_count; i++) {
		char name[96];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "oidc." YG_SV_FMT, YG_SV_ARG(conf->providers[i].name));
		take_sv(&l, yg_sb_cstr(&b), YG_R_CENTER, conf->providers[i].client_secret_file);
	}
	for (size_t i = 0; i < conf->mapping_count; i++) {
		char name[96];
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "mapping." YG_SV_FMT, YG_SV_ARG(conf->mappings[i].name));
		take_sv(&l, yg_sb_cstr(&b), YG_R_INGEST, conf->mappings[i].file);
	}
	check_pairs(&l);
	if (l.st == YG_OK)
		l.st = sup_dns_check(conf, l.list, err);
	if (l.st != YG_OK) {
		sup_secrets_free(l.list);
		return l.st;
	}
	*out = l.list;
	return YG_OK;
}

void sup_secrets_free(struct yg_secret *list)
{
	while (list != NULL) {
		struct yg_secret *next = list->next;
		yg_fd_close(&list->fd);
		free(list);
		list = next;
	}
}

static unsigned one_way(const struct yg_secret *a, const struct yg_secret *b)
{
	unsigned roles = 0;
	for (; a != NULL; a = a->next) {
		const struct yg_secret *other = by_name(b, a->name);
		if (other == NULL || other->crc != a->crc)
			roles |= a->roles;
	}
	return roles;
}

unsigned sup_secrets_differ(const struct yg_secret *a, const struct yg_secret *b)
{
	return one_way(a, b) | one_way(b, a);
}
