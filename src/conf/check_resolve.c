/* check_resolve.c - the part of the resolver: what no single key of it can say. */
#include "conf/check.h"
#include "os/file.h"
#include "os/socket.h"
#include "os/tls_cert.h"
#include "os/tls_server.h"

static void check_pair(struct yg_ck *k, const struct yg_conf_dns_listen *l, size_t n,
		       const char *list)
{
	for (size_t i = 0; i < n; i++)
		if ((l[i].cert_file.n > 0) != (l[i].key_file.n > 0))
			yg_ck_bad(k, yg_ck_item_line(k, yg_ck_list_of(list), i), list,
				  "cert-file and key-file belong together");
}

/* Addresses with blanks between; what is wrong with them, or NULL. */
static const char *sinkhole_wrong(struct yg_sv addresses)
{
	struct yg_sv one;
	struct yg_ip ip;
	size_t count = 0;
	while (addresses.n > 0 && yg_sv_cut(&addresses, ' ', &one)) {
		if (yg_ip_parse(one, &ip) != YG_OK)
			return "a sinkhole is IPv4 and IPv6 addresses, without ports";
		count++;
	}
	return count > YG_CONF_SINKHOLES_MAX ? "a sinkhole has at most 16 addresses" : NULL;
}

static bool is_garden(struct yg_sv word)
{
	if (!yg_sv_starts(word, YG_SV("cname ")))
		return false;
	struct yg_sv name = yg_sv_trim(yg_sv_sub(word, 6, word.n));
	if (yg_sv_starts(name, YG_SV("*.")))
		name = yg_sv_sub(name, 2, name.n);
	return yg_conf_domain_ok(name) && !YG_SV_IS(name, ".");
}

static bool one_of(struct yg_sv word, const char *const *words)
{
	while (*words != NULL && !yg_sv_eq(word, yg_sv_of(*words)))
		words++;
	return *words != NULL;
}

static void check_override(struct yg_ck *k, const struct yg_conf_dns_policy *p, size_t line)
{
	static const char *const words[] = {"given",    "disabled", "nxdomain", "nodata",
					    "passthru", "drop",     "tcp-only", NULL};
	const char *wrong = sinkhole_wrong(p->sinkhole);
	bool sinkhole = YG_SV_IS(p->override_, "sinkhole");
	if (!sinkhole && !one_of(p->override_, words) && !is_garden(p->override_))
		yg_ck_bad(k, line, "resolve.policy.override",
			  "expected given, disabled, nxdomain, nodata, passthru, drop, tcp-only, "
			  "sinkhole or 'cname NAME'");
	if (wrong != NULL)
		yg_ck_bad(k, line, "resolve.policy.sinkhole", wrong);
	if (sinkhole && p->sinkhole.n == 0)
		yg_ck_bad(k, line, "resolve.policy", "override sinkhole needs sinkhole, addresses");
	if (!sinkhole && p->sinkhole.n > 0 && !YG_SV_IS(p->override_, "given"))
		yg_ck_bad(k, line, "resolve.policy",
			  "sinkhole and another override exclude each other");
}

static void check_policies(struct yg_ck *k)
{
	for (size_t i = 0; i < k->c->dns_policy_count; i++) {
		const struct yg_conf_dns_policy *p = &k->c->dns_policies[i];
		size_t line = yg_ck_item_line(k, yg_ck_list_of("resolve.policy"), i);
		if ((p->rpz.n > 0) + (p->list.n > 0) + (p->axfr.n > 0) != 1)
			yg_ck_bad(k, line, "resolve.policy", "expected one of rpz, list and axfr");
		if (p->axfr.n > 0 && p->zone.n == 0)
			yg_ck_bad(k, line, "resolve.policy",
				  "axfr needs zone, the zone's name there");
		if ((p->tsig_name.n > 0) != (p->tsig_secret_file.n > 0))
			yg_ck_bad(k, line, "resolve.policy",
				  "tsig.name and tsig.secret-file belong together");
		check_override(k, p, line);
	}
}

static void check_modes(struct yg_ck *k)
{
	const struct yg_conf_dns_mode *m = k->c->dns_modes;
	for (size_t i = 0; i < k->c->dns_mode_count; i++)
		for (size_t j = 0; j < i; j++)
			if (yg_sv_eq(m[i].org, m[j].org) && yg_sv_eq(m[i].layer, m[j].layer)) {
				yg_ck_bad(k, yg_ck_item_line(k, yg_ck_list_of("resolve.modes"), i),
					  "resolve.modes",
					  "the layer stands twice for one organisation");
				break;
			}
}

static void check_answer(struct yg_ck *k, size_t i)
{
	static const char *const words[] = {"nxdomain", "nodata", "sinkhole", NULL};
	const struct yg_conf_dns_answer *a = &k->c->dns_answers[i], *b = k->c->dns_answers;
	size_t line = yg_ck_item_line(k, yg_ck_list_of("resolve.answers"), i);
	const char *wrong = sinkhole_wrong(a->sinkhole);
	if (!one_of(a->answer, words) && !is_garden(a->answer))
		yg_ck_bad(k, line, "resolve.answers.answer",
			  "expected nxdomain, nodata, sinkhole or 'cname NAME'");
	if (wrong != NULL)
		yg_ck_bad(k, line, "resolve.answers.sinkhole", wrong);
	if (YG_SV_IS(a->answer, "sinkhole") != (a->sinkhole.n > 0))
		yg_ck_bad(k, line, "resolve.answers",
			  "answer sinkhole needs sinkhole, addresses, and nothing else has it");
	for (; b < a; b++)
		if (yg_sv_eq(a->org, b->org) && yg_sv_eq(a->category, b->category)) {
			yg_ck_bad(k, line, "resolve.answers",
				  "the category stands twice for one organisation");
			break;
		}
}

/* 64 hexadecimal digits; colons may be between those of a fingerprint. */
static bool is_sha256(struct yg_sv text, bool colons)
{
	size_t digits = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool hex =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (!hex && (c != ':' || !colons))
			return false;
		digits += hex;
	}
	return digits == 64;
}

static void check_clients(struct yg_ck *k)
{
	for (size_t i = 0; i < k->c->dns_client_count; i++) {
		const struct yg_conf_dns_client *d = &k->c->dns_clients[i];
		size_t line = yg_ck_item_line(k, yg_ck_list_of("resolve.clients"), i);
		if (d->prefix.n + d->dot_name.n + d->certificate.n + d->doh_token_file.n == 0)
			yg_ck_bad(
				k, line, "resolve.clients",
				"expected one of prefix, dot-name, certificate and doh-token-file");
		if (d->certificate.n > 0 && !is_sha256(d->certificate, true))
			yg_ck_bad(k, line, "resolve.clients.certificate",
				  "expected its SHA-256: 64 hexadecimal digits");
	}
}

/* Without the dot of the root. */
static struct yg_sv bare(struct yg_sv zone)
{
	return zone.n > 1 && zone.p[zone.n - 1] == '.' ? yg_sv_sub(zone, 0, zone.n - 1) : zone;
}

static void check_servers(struct yg_ck *k, struct yg_sv servers, const char *key, size_t line,
			  bool may_tls)
{
	struct yg_sv one;
	size_t count = 0;
	while (servers.n > 0 && yg_sv_cut(&servers, ' ', &one)) {
		size_t hash = yg_sv_find(one, '#', 0);
		count++;
		if (hash < one.n && !yg_conf_domain_ok(yg_sv_sub(one, hash + 1, one.n)))
			yg_ck_bad(k, line, key, "what stands behind # is no name of a host");
		if (hash < one.n && !may_tls)
			yg_ck_bad(k, line, key,
				  "a server that is asked by TLS (#name) cannot be a stub");
	}
	if (count > YG_CONF_SERVERS_MAX)
		yg_ck_bad(k, line, key, "at most 16 servers");
}

static void check_pins(struct yg_ck *k, struct yg_sv pins, size_t line)
{
	struct yg_sv one;
	size_t count = 0;
	while (pins.n > 0 && yg_sv_cut(&pins, ' ', &one)) {
		count++;
		if (is_sha256(one, false))
			continue;
		char text[160];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_put(
			&b,
			YG_SV("expected SHA-256 of a public key: 64 hexadecimal digits, found '"));
		yg_sb_put_untrusted(&b, yg_sv_sub(one, 0, 70));
		yg_sb_put(&b, YG_SV("'"));
		yg_ck_bad(k, line, "resolve.upstream.pins", yg_sb_cstr(&b));
	}
	if (count > YG_TLS_PINS_MAX)
		yg_ck_bad(k, line, "resolve.upstream.pins", "at most 8 pins");
}

static void check_upstream(struct yg_ck *k, size_t i)
{
	const struct yg_conf_dns_upstream *u = &k->c->dns_upstreams[i];
	size_t line = yg_ck_item_line(k, yg_ck_list_of("resolve.upstream"), i);
	check_servers(k, u->forward, "resolve.upstream.forward", line, true);
	check_servers(k, u->stub, "resolve.upstream.stub", line, false);
	check_pins(k, u->pins, line);
	if (u->pins.n > 0 && u->forward.n == 0)
		yg_ck_bad(k, line, "resolve.upstream.pins", "pins are for forward");
	if ((u->forward.n > 0) + (u->stub.n > 0) + (u->recursion != 0) != 1)
		yg_ck_bad(k, line, "resolve.upstream",
			  "expected one of forward, stub and recursion");
	if (u->forward.n == 0 && YG_SV_IS(u->dnssec, "trust-ad"))
		yg_ck_bad(
			k, line, "resolve.upstream.dnssec",
			"trust-ad is for forward: other servers do not say whether an answer is secure");
	if (u->stub.n > 0 && YG_SV_IS(u->dnssec, "validate"))
		yg_ck_bad(k, line, "resolve.upstream.dnssec",
			  "answers of a stub cannot be validated; recursion can");
	for (size_t j = 0; j < i; j++)
		if (yg_sv_ieq(bare(u->zone), bare(k->c->dns_upstreams[j].zone)) &&
		    yg_sv_eq(u->org, k->c->dns_upstreams[j].org)) {
			yg_ck_bad(k, line, "resolve.upstream",
				  "the zone stands twice for one organisation");
			break;
		}
}

static void check_local(struct yg_ck *k, size_t i)
{
	const struct yg_conf_dns_local *z = &k->c->dns_locals[i];
	size_t line = yg_ck_item_line(k, yg_ck_list_of("resolve.local"), i);
	for (size_t j = 0; j < i; j++)
		if (yg_sv_ieq(bare(z->zone), bare(k->c->dns_locals[j].zone)) &&
		    yg_sv_eq(z->org, k->c->dns_locals[j].org)) {
			yg_ck_bad(k, line, "resolve.local",
				  "the zone stands twice for one organisation");
			break;
		}
	for (size_t j = 0; j < k->c->dns_upstream_count; j++)
		if (yg_sv_ieq(bare(z->zone), bare(k->c->dns_upstreams[j].zone)) &&
		    yg_sv_eq(z->org, k->c->dns_upstreams[j].org))
			yg_ck_bad(k, line, "resolve.local",
				  "resolve.upstream has the zone too, for the same organisation");
}

static void check_taps(struct yg_ck *k)
{
	for (size_t i = 0; i < k->c->dns_tap_count; i++) {
		const struct yg_conf_dns_tap *t = &k->c->dns_taps[i];
		size_t line = yg_ck_item_line(k, yg_ck_list_of("resolve.dnstap"), i);
		struct yg_addr a;
		bool local = YG_SV_IS(t->protocol, "unix"), tls = YG_SV_IS(t->protocol, "tls");
		bool path = local || YG_SV_IS(t->protocol, "file");
		if (path && (!yg_sv_starts(t->to, YG_SV("/")) ||
			     t->to.n > (local ? YG_CONF_SOCKET_MAX : YG_CONF_TAP_MAX)))
			yg_ck_bad(k, line, "resolve.dnstap.to",
				  "expected an absolute path, not too long");
		if (!path && yg_addr_parse(t->to, &a, NULL) != YG_OK)
			yg_ck_bad(k, line, "resolve.dnstap.to", "expected an address and port");
		if (tls != (t->ca_file.n > 0) || tls != (t->tls_name.n > 0))
			yg_ck_bad(k, line, "resolve.dnstap",
				  "tls needs ca-file and tls-name, and nothing else has them");
	}
}

void yg_ck_resolve(struct yg_ck *k)
{
	check_taps(k);
	const struct yg_conf *c = k->c;
	check_pair(k, c->dns_dots, c->dns_dot_count, "resolve.dot");
	check_pair(k, c->dns_dohs, c->dns_doh_count, "resolve.doh");
	check_policies(k);
	check_modes(k);
	for (size_t i = 0; i < c->dns_answer_count; i++)
		check_answer(k, i);
	if (c->resolve_ttl_min > c->resolve_ttl_max)
		yg_ck_bad(k, yg_ck_key_line(k, "resolve.ttl-min"), "resolve.ttl-min",
			  "it is above resolve.ttl-max");
	for (size_t i = 0; i < c->dns_upstream_count; i++)
		check_upstream(k, i);
	for (size_t i = 0; i < c->dns_local_count; i++)
		check_local(k, i);
	check_clients(k);
}

/* ---- what is in the files ---- */

#define PEM_BYTES_MAX ((uint64_t)4 << 20)

/* False: it cannot be read, which is said elsewhere. */
static bool slurp(struct yg_sv path, struct yg_buf *out)
{
	char name[4200];
	struct yg_sb p = yg_sb_init(name, sizeof name);
	yg_sb_put(&p, path);
	yg_buf_init(out, PEM_BYTES_MAX);
	return path.n > 0 && yg_file_read(yg_sb_cstr(&p), PEM_BYTES_MAX, out, NULL) == YG_OK;
}

static void bad_file(struct yg_ck *k, size_t line, const char *key, struct yg_sv path,
		     const struct yg_err *err)
{
	char text[4400];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "'" YG_SV_FMT "': %s", YG_SV_ARG(path), err->msg);
	yg_ck_bad(k, line, key, yg_sb_cstr(&b));
}

static void check_authorities(struct yg_ck *k, size_t line, const char *key, struct yg_sv path)
{
	struct yg_err err = {.msg = ""};
	struct yg_tls_context *context = NULL;
	YG_AUTO(yg_buf_free) struct yg_buf pem = {0};
	if (slurp(path, &pem) && yg_tls_client_context_new(pem.n > 0 ? yg_buf_sv(&pem) : YG_SV(" "),
							   &context, &err) != YG_OK)
		bad_file(k, line, key, path, &err);
	yg_tls_context_free(context);
}

static void check_doors(struct yg_ck *k, const struct yg_conf_dns_listen *l, size_t n,
			const char *list)
{
	for (size_t i = 0; i < n; i++) {
		size_t line = yg_ck_item_line(k, yg_ck_list_of(list), i);
		struct yg_err err = {.msg = ""};
		YG_AUTO(yg_buf_free) struct yg_buf cert = {0};
		YG_AUTO(yg_buf_free) struct yg_buf key = {0};
		check_authorities(k, line, list, l[i].client_ca_file);
		if (slurp(l[i].cert_file, &cert) && slurp(l[i].key_file, &key) &&
		    yg_tls_pair_check(yg_buf_sv(&cert), yg_buf_sv(&key), &err) != YG_OK)
			bad_file(k, line, list, l[i].cert_file, &err);
	}
}

void yg_ck_resolve_files(struct yg_ck *k)
{
	const struct yg_conf *c = k->c;
	check_doors(k, c->dns_dots, c->dns_dot_count, "resolve.dot");
	check_doors(k, c->dns_dohs, c->dns_doh_count, "resolve.doh");
	for (size_t i = 0; i < c->dns_upstream_count; i++)
		check_authorities(k, yg_ck_item_line(k, yg_ck_list_of("resolve.upstream"), i),
				  "resolve.upstream.ca-file", c->dns_upstreams[i].ca_file);
	for (size_t i = 0; i < c->dns_tap_count; i++)
		check_authorities(k, yg_ck_item_line(k, yg_ck_list_of("resolve.dnstap"), i),
				  "resolve.dnstap.ca-file", c->dns_taps[i].ca_file);
}
