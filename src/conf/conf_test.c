#include "conf/conf.h"

#include <stdlib.h>
#include <unistd.h>

#include "conf/table.h"
#include "os/file.h"
#include "tap.h"

struct said {
	size_t count, line;
	char all[8192];
	size_t n;
};
static void say(void *ctx, const char *file, size_t line, const char *key, const char *text)
{
	struct said *s = ctx;
	struct yg_sb b = yg_sb_init(s->all + s->n, sizeof s->all - s->n);
	s->count++;
	s->line = line;
	yg_sb_printf(&b, "%s:%zu: %s: %s\n", file, line, key, text);
	s->n += b.n;
}

static struct yg_arena arena;

static yg_status read_text(const char *yaml, struct yg_conf *c, struct said *s)
{
	*s = (struct said){0};
	yg_arena_reset(&arena);
	return yg_conf_read(yg_sv_of(yaml), "f.yaml", &arena, c, say, s, NULL);
}

/* The one problem of `yaml` is exactly `expected`. */
static bool refuses(const char *yaml, const char *expected)
{
	struct yg_conf c;
	struct said s;
	yg_status st = read_text(yaml, &c, &s);
	bool ok = st == YG_PARSE && s.count == 1 &&
		  yg_sv_has((struct yg_sv){s.all, s.n}, yg_sv_of(expected));
	if (!ok)
		(void)printf("# %s: %zu: %.*s", yg_status_name(st), s.count, (int)s.n, s.all);
	return ok;
}

static void test_defaults(void)
{
	static const char *const empty[] = {"",
					    "\n",
					    "# nothing\n",
					    "---\n",
					    "api:\ningest:\n",
					    "{}",
					    "ingest: {listeners: []}\n",
					    "ingest:\n  follow:\n"};
	struct yg_conf c;
	struct said s;
	for (size_t i = 0; i < YG_LEN(empty); i++)
		T_NAMED(read_text(empty[i], &c, &s) == YG_OK && s.count == 0,
			"an empty file is valid");
	T_OK(yg_conf_read((struct yg_sv){NULL, 0}, "f", &arena, &c, say, &s, NULL) == YG_OK);
	T_OK(YG_SV_IS(c.api_address, "127.0.0.1:8443") && c.ingest_workers == 1);
	T_OK(c.api_connections == 12000 && c.store_memory_bytes == (uint64_t)2 << 30);
	T_OK(c.ingest_flush_us == 20000 && c.restart_max_us == 60000000);
	T_OK(YG_SV_IS(c.user, "yagura") && YG_SV_IS(c.log_level, "info") && c.listener_count == 0);
}

static void test_values(void)
{
	struct yg_conf c;
	struct said s;
	T_OK(read_text(
		     "api:\n  address: \"[::1]:9\"\n  timeout: 5m\nstore:\n  memory: 3GiB\n"
		     "ingest:\n  workers: 4\n  listeners:\n"
		     "    - name: fw\n      org: city-a\n      protocol: udp\n      address: 0.0.0.0:5514\n"
		     "    - {name: t, org: b, protocol: tls, address: \"*:6514\", source: \"ndjson:x\"}\n"
		     "  mappings:\n    - name: x\n      file: /etc/x.yaml\n"
		     "  follow:\n  - {name: f, org: b, source: zeek, path: /var/log/z/*.log}\n",
		     &c, &s) == YG_OK);
	T_OK(YG_SV_IS(c.api_address, "[::1]:9") && c.api_timeout_us == 300000000);
	T_OK(c.store_memory_bytes == (uint64_t)3 << 30 && c.ingest_workers == 4);
	T_OK(c.listener_count == 2 && YG_SV_IS(c.listeners[0].name, "fw"));
	T_OK(YG_SV_IS(c.listeners[0].source, "syslog") &&
	     YG_SV_IS(c.listeners[1].source, "ndjson:x"));
	T_OK(c.follow_count == 1 && YG_SV_IS(c.follows[0].path, "/var/log/z/*.log"));
	T_OK(c.mapping_count == 1);
}

static void test_refused(void)
{
	T_OK(refuses("api:\n  adress: x\n",
		     "f.yaml:2: api.adress: there is no such key; did you mean 'api.address'?"));
	T_OK(refuses("apy: {}\n", "f.yaml:1: apy: there is no such key; did you mean 'api'?"));
	T_OK(refuses("workers: 3\n",
		     "f.yaml:1: workers: there is no such key; did you mean 'ingest.workers'?"));
	T_OK(refuses("zzzzzzzz: 3\n", "f.yaml:1: zzzzzzzz: there is no such key\n"));
	T_OK(refuses("ingest:\n\n  workers: 70\n",
		     "f.yaml:3: ingest.workers: expected a whole number from 1 to 64, found '70'"));
	T_OK(refuses("ingest: {workers: -1}\n", "found '-1'"));
	T_OK(refuses("ingest: {workers: 1.5}\n", "found '1.5'"));
	T_OK(refuses("ingest: {workers: \"2\"}\n", "expected a number without quotes"));
	T_OK(refuses("ingest: {workers: }\n", "found nothing"));
	T_OK(refuses("ingest: {workers: [1]}\n", "found a list"));
	T_OK(refuses("ingest: {workers: {a: 1}}\n", "found keys below it"));
	T_OK(refuses(
		"ingest: {flush: 20}\n",
		"expected a length of time such as 250ms, 30s or 5m from 0ms to 10s, found '20'"));
	T_OK(refuses("store: {memory: 5 bananas}\n", "found '5 bananas'"));
	T_OK(refuses("store: {memory: 99999999999999999999}\n", "found '99999999999999999999'"));
	T_OK(refuses("log: {level: loud}\n",
		     "expected one of debug, info, notice, warn or error, found 'loud'"));
	T_OK(refuses("process: {user: yes}\n", "if it is text, write it in quotes"));
	T_OK(refuses("process: {user: 1000}\n", "if it is text, write it in quotes"));
	T_OK(refuses("api:\n  address: [a]\n", "text that begins with [ must stand in quotes"));
	T_OK(refuses("api: {address: localhost:8443}\n", "expected an address and port"));
	T_OK(refuses("store: {listen: \"0.0.0.0:8123\"}\n", "of the loopback"));
	T_OK(refuses("store: {url: \"ftp://x:1\"}\n", "expected \"embedded\" or a URL"));
	T_OK(refuses("store: {database: \"\"}\n", "found nothing"));
	T_OK(refuses("store: {database: \"a\\nb\"}\n", "found 'a\\x0ab'"));
	T_OK(refuses("- a\n", "expected keys such as 'api:' at the top"));
	T_OK(refuses("api: 3\n", "f.yaml:1: api: expected keys below it"));
	T_OK(refuses("ingest: {listeners: 3}\n", "expected a list"));
	T_OK(refuses("ingest: {listeners: [3]}\n", "expected an entry with keys"));
	T_OK(refuses("ingest:\n  follow:\n    - name: a\n      org: o\n      source: zeek\n",
		     "f.yaml:3: ingest.follow.path: the key is missing"));
}

static void test_yaml(void)
{
	T_OK(refuses("api: &a {}\n", "anchors (&name) are not allowed"));
	T_OK(refuses("api: *a\n", "aliases (*name) are not allowed"));
	T_OK(refuses("ingest: {workers: *a}\n", "aliases (*name) are not allowed"));
	T_OK(refuses("api: !!map {}\n", "tags (!name) are not allowed"));
	T_OK(refuses("log: {level: !x info}\n", "tags (!name) are not allowed"));
	T_OK(refuses("---\n---\n", "only one document is allowed"));
	T_OK(refuses("api: {}\napi: {}\n",
		     "f.yaml:2: api: the key stands twice; the first is in line 1"));
	T_OK(refuses("log:\n  level: info\n  level: warn\n",
		     "f.yaml:3: log.level: the key stands twice; the first is in line 2"));
	T_OK(refuses("ingest:\n  follow: []\n  follow: []\n", "the first is in line 2"));
	T_OK(refuses("api:\n\tx: 1\n", "f.yaml:2: : not YAML: "));
	T_OK(refuses("\"\xff\"", "not YAML"));
	T_OK(refuses("? [a]\n: 1\n", "expected a key"));
	struct yg_conf c;
	struct said s;
	(void)read_text("api: {a: 1, b: 2}\nlog: {level: x}\nnope: [1, {a: [2]}]\n", &c, &s);
	T_NAMED(s.count == 4 && s.line == 3, "every problem is reported, not only the first");
}

static void test_cross(void)
{
#define L(name, rest) "    - {name: " name ", org: o, protocol: " rest "}\n"
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "udp, address: \"1.2.3.4:1\"")
			     L("a", "tcp, address: \"1.2.3.4:2\""),
		     "f.yaml:4: ingest.listeners: the name stands twice; the first is in line 3"));
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "tcp, address: \"0.0.0.0:8443\""),
		     "f.yaml:3: ingest.listeners: the port is taken by api.address"));
	T_OK(refuses("ingest:\n  listeners:\n" L(
			     "a", "udp, address: \"1.2.3.4:1\", cert_file: /x, key_file: /y"),
		     "for protocol tls only"));
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "tcp"), "expected an address and port"));
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "tcp, address: \"1.2.3.4:1\", path: /x"),
		     "only protocol unix has a path"));
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "unix, address: \"1.2.3.4:1\""),
		     "f.yaml:3: ingest.listeners: protocol unix needs a path"));
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "unix, path: x.sock"),
		     "expected an absolute path"));
	T_OK(refuses("ingest:\n  listeners:\n" L("a", "tls, address: \"1.2.3.4:1\", cert_file: /x"),
		     "belong together"));
	T_OK(refuses("ingest:\n  listeners:\n" L(
			     "a", "udp, address: \"1.2.3.4:1\", source: \"ndjson:q\""),
		     "not in ingest.mappings"));
	T_OK(refuses("ingest:\n  listeners:\n" L("A", "udp, address: \"1.2.3.4:1\""),
		     "a name of 1 to 63"));
	T_OK(refuses("ingest: {follow: [{name: a, org: o, source: zeek, path: \"/a/*/b\"}]}\n",
		     "in its last part"));
	T_OK(refuses("ingest: {follow: [{name: a, org: o, source: zeek, path: rel}]}\n",
		     "in its last part"));
	T_OK(refuses("ingest: {follow: [{name: a, org: o, source: dnstap, path: /a}]}\n",
		     "dnstap is not lines"));
	T_OK(refuses(
		"ingest:\n  listeners:\n" L("a", "udp, address: \"1.2.3.4:1\", source: dnstap"),
		"dnstap is a stream"));
	T_OK(refuses("resolve: {dnstap: [{to: rel, protocol: file}]}\n",
		     "expected an absolute path"));
	T_OK(refuses("resolve: {dnstap: [{to: /x, protocol: tcp}]}\n",
		     "f.yaml:1: resolve.dnstap.to: expected an address and port"));
	T_OK(refuses("resolve: {dnstap: [{to: \"192.0.2.1:1\", protocol: tls}]}\n",
		     "tls needs ca-file and tls-name"));
	T_OK(refuses("api: {cert_file: /x}\n",
		     "f.yaml:1: api.cert_file: api.cert_file and api.key_file belong together"));
	T_OK(refuses("store: {memory: 512MiB, query_memory: 1GiB}\n", "store.query_memory"));
	struct yg_conf c;
	struct said s;
	T_OK(read_text("ingest:\n  listeners:\n" L("a", "udp, address: \"1.2.3.4:1\"")
			       L("b", "tcp, address: \"1.2.3.4:1\""),
		       &c, &s) == YG_OK);
}

static struct yg_sv printed(const struct yg_conf *c, bool changed, struct yg_buf *b)
{
	b->n = 0;
	yg_conf_print(c, changed, b);
	return yg_buf_sv(b);
}

/* Reads back what was printed; the same text comes out again. */
static bool round_trip(const struct yg_conf *c, bool changed)
{
	struct yg_buf b, again;
	struct yg_arena other;
	struct yg_conf c2;
	struct said s = {0};
	yg_buf_init(&b, 1 << 20);
	yg_buf_init(&again, 1 << 20);
	yg_arena_init(&other, 8 << 20);
	bool ok = yg_conf_read(printed(c, changed, &b), "p", &other, &c2, say, &s, NULL) == YG_OK;
	if (!ok)
		(void)printf("# %.*s", (int)s.n, s.all);
	ok = ok && yg_sv_eq(printed(&c2, changed, &again), yg_buf_sv(&b));
	yg_arena_free(&other);
	yg_buf_free(&b);
	yg_buf_free(&again);
	return ok;
}

/* A value of a row that is allowed and not the default. */
static void other_value(const struct yg_conf_key *k, struct yg_conf *c)
{
	if (yg_conf_is_number(k)) {
		*yg_conf_u64(c, k) = k->dflt == k->max ? k->min : k->max;
		return;
	}
	const char *v = "/tmp/some file \"x\\y";
	if (k->type == YG_CT_ENUM)
		v = k->options[strcmp(k->options[0], k->dflt_text) == 0];
	else if (k->type == YG_CT_ADDRESS)
		v = "[::1]:7";
	else if (k->type == YG_CT_URL)
		v = "http://db.example:8123";
	else if (k->type == YG_CT_SLUG)
		v = "a-1";
	else if (k->type == YG_CT_DOMAIN)
		v = "a.example";
	else if (k->type == YG_CT_TEXT)
		v = "yes";
	*yg_conf_sv(c, k) = yg_sv_of(v);
}

static void one_row(const struct yg_conf_key *k, struct yg_sv manual, struct yg_sv schema)
{
	struct yg_conf c;
	struct said s;
	char line[300];
	struct yg_sb b = yg_sb_init(line, sizeof line);
	(void)read_text("", &c, &s);
	struct yg_conf changed = c;
	other_value(k, &changed);
	T_NAMED(!yg_conf_is_default(k, &changed) && yg_conf_is_default(k, &c), k->name);
	if (k->roles != 0 && strcmp(k->name, "api.cert_file") != 0 &&
	    strcmp(k->name, "api.key_file") != 0 && strcmp(k->name, "store.query_memory") != 0 &&
	    strcmp(k->name, "store.listen") != 0)
		T_NAMED(round_trip(&changed, false) && round_trip(&changed, true),
			"it prints and reads back");
	T_NAMED(k->doc != NULL && yg_sv_ends(yg_sv_of(k->doc), YG_SV(".")) && k->since != NULL,
		"it is documented");
	yg_sb_printf(&b, ".It Cm %s\n", k->name);
	T_NAMED(yg_sv_has(manual, yg_sb_sv(&b)), "it stands in the manual");
	b.n = 0;
	yg_sb_printf(&b, "\"%s\":{\"%s\"", yg_conf_short(k->name),
		     (k->flags & YG_CF_MANY) != 0 ? "anyOf" : "type");
	T_NAMED(yg_sv_has(schema, yg_sb_sv(&b)), "it stands in the schema");
	if (!yg_conf_is_number(k))
		return;
	b.n = 0;
	yg_sb_printf(&b, "%.*s: {%s: %llu%s}\n", (int)(strchr(k->name, '.') - k->name), k->name,
		     yg_conf_short(k->name), (unsigned long long)k->max + 1,
		     k->type == YG_CT_SPAN ? "us" : "");
	T_NAMED(read_text(yg_sb_cstr(&b), &c, &s) == YG_PARSE && s.count == 1,
		"above its range it is refused");
	if (k->min == 0)
		return;
	b.n = 0;
	yg_sb_printf(&b, "%.*s: {%s: %llu%s}\n", (int)(strchr(k->name, '.') - k->name), k->name,
		     yg_conf_short(k->name), (unsigned long long)k->min - 1,
		     k->type == YG_CT_SPAN ? "us" : "");
	T_NAMED(read_text(yg_sb_cstr(&b), &c, &s) == YG_PARSE && s.count == 1,
		"below its range it is refused");
}

static void test_rows(void)
{
	struct yg_buf manual, schema;
	yg_buf_init(&manual, 1 << 20);
	yg_buf_init(&schema, 1 << 20);
	yg_conf_print_manual(&manual);
	yg_conf_print_schema(&schema);
	T_OK(!manual.bad && !schema.bad);
	for (const struct yg_conf_key *k = yg_conf_keys; k->name != NULL; k++)
		one_row(k, yg_buf_sv(&manual), yg_buf_sv(&schema));
	for (const struct yg_conf_list *l = yg_conf_lists; l->name != NULL; l++) {
		T_NAMED(yg_sv_has(yg_buf_sv(&manual), yg_sv_of(l->name)), l->name);
		T_NAMED(yg_sv_has(yg_buf_sv(&schema), yg_sv_of(yg_conf_short(l->name))), l->name);
		T_NAMED(l->max <= YG_CONF_ITEMS_MAX &&
				(l->flags != 0 || l->keys[0].type == YG_CT_SLUG),
			"an entry begins with its name");
		for (const struct yg_conf_key *k = l->keys; k->name != NULL; k++)
			T_NAMED(k->doc != NULL && yg_sv_ends(yg_sv_of(k->doc), YG_SV(".")),
				k->name);
	}
	yg_buf_free(&manual);
	yg_buf_free(&schema);
}

struct changes {
	size_t count;
	unsigned roles;
	char last[40];
};
static void on_change(void *ctx, const char *key, enum yg_conf_reload reload, unsigned roles)
{
	struct changes *c = ctx;
	struct yg_sb b = yg_sb_init(c->last, sizeof c->last);
	c->count++;
	c->roles |= reload == YG_RELOAD_ROLE ? roles : 0;
	yg_sb_put(&b, yg_sv_of(key));
	(void)yg_sb_cstr(&b);
}

static void test_diff(void)
{
	struct yg_arena two;
	struct yg_conf a, b;
	struct said s;
	struct changes ch = {0};
	yg_arena_init(&two, 1 << 20);
	(void)read_text("ingest:\n  listeners:\n" L("a", "udp, address: \"1.2.3.4:1\""), &a, &s);
	(void)yg_conf_read(YG_SV("ingest:\n  listeners:\n" L("a", "udp, address: \"1.2.3.4:1\"")),
			   "g", &two, &b, NULL, NULL, NULL);
	yg_conf_diff(&a, &b, on_change, &ch);
	T_OK(ch.count == 0);
	yg_arena_reset(&two);
	(void)yg_conf_read(YG_SV("ingest:\n  listeners:\n" L("a", "udp, address: \"1.2.3.4:2\"")),
			   "g", &two, &b, NULL, NULL, NULL);
	yg_conf_diff(&a, &b, on_change, &ch);
	T_OK(ch.count == 1 && ch.roles == YG_CONF_INGEST &&
	     strcmp(ch.last, "ingest.listeners") == 0);
	yg_arena_free(&two);
}

static void test_files(void)
{
	char dir[] = "/tmp/yg-conf-XXXXXX";
	struct yg_conf c;
	struct said s;
	if (!T_OK(mkdtemp(dir) != NULL && chdir(dir) == 0))
		return;
	(void)yg_file_write("c", YG_SV("x"), 0644, NULL);
	(void)yg_file_write("k", YG_SV("x"), 0600, NULL);
	char text[200];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_printf(&b, "api: {cert_file: %s/c, key_file: %s/k}\n", dir, dir);
	T_OK(read_text("api: {cert_file: c, key_file: k}\n", &c, &s) == YG_PARSE && s.count == 2);
	T_OK(read_text(yg_sb_cstr(&b), &c, &s) == YG_OK);
	T_OK(yg_conf_check_files(&c, "f.yaml", say, &s, NULL) == YG_OK && s.count == 0);
	(void)yg_file_write("k", YG_SV("x"), 0644, NULL);
	T_OK(yg_conf_check_files(&c, "f.yaml", say, &s, NULL) == YG_PARSE && s.count == 1);
	T_OK(yg_sv_has((struct yg_sv){s.all, s.n},
		       YG_SV("f.yaml:1: api.key_file: everybody may read '/tmp/")));
	(void)unlink("k");
	s = (struct said){0};
	T_OK(yg_conf_check_files(&c, "f.yaml", say, &s, NULL) == YG_PARSE);
	T_OK(yg_sv_has((struct yg_sv){s.all, s.n},
		       YG_SV("f.yaml:1: api.key_file: cannot open '/tmp/")));
	(void)unlink("c");
	(void)rmdir(dir);
}

/* What the resolver's part needs beyond the others: values in place of entries, lists in
 * entries, keys one level below, paths beside the file, "@" before a port. */
static void test_resolve(void)
{
	struct yg_conf c;
	struct said s;
	T_OK(read_text("resolve:\n"
		       "  listen: [\"127.0.0.1@5353\", {address: \"::1\"}]\n"
		       "  workers: 2\n"
		       "  clients: [\"127.0.0.0/8\", {prefix: \"10.0.0.0/8\", org: a-city}]\n"
		       "  upstream: [{zone: \".\", forward: [\"127.0.0.1@5300\", \"::1@53\"]}]\n"
		       "  policy:\n"
		       "    - {name: feed1, rpz: \"feed1.zone\", override: nxdomain}\n"
		       "    - {name: feed3, axfr: \"127.0.0.1@5301\", zone: \"feed3.example\",\n"
		       "       tsig: {name: \"key1\", algorithm: \"hmac-sha512\",\n"
		       "              secret_file: \"/k/key1.secret\"}}\n"
		       "  rebinding-protection: false\n",
		       &c, &s) == YG_OK);
	T_OK(c.dns_listen_count == 2 && YG_SV_IS(c.dns_listens[0].address, "127.0.0.1:5353") &&
	     YG_SV_IS(c.dns_listens[1].address, "[::1]:53"));
	T_OK(c.dns_client_count == 2 && YG_SV_IS(c.dns_clients[0].prefix, "127.0.0.0/8") &&
	     YG_SV_IS(c.dns_clients[1].org, "a-city"));
	T_OK(c.dns_upstream_count == 1 &&
	     YG_SV_IS(c.dns_upstreams[0].forward, "127.0.0.1:5300 [::1]:53"));
	T_OK(c.dns_policy_count == 2 && c.dns_policies[0].rpz.p[0] == '/' &&
	     yg_sv_ends(c.dns_policies[0].rpz, YG_SV("/feed1.zone")) &&
	     YG_SV_IS(c.dns_policies[0].override_, "nxdomain"));
	T_OK(YG_SV_IS(c.dns_policies[1].tsig_name, "key1") &&
	     YG_SV_IS(c.dns_policies[1].tsig_algorithm, "hmac-sha512") &&
	     YG_SV_IS(c.dns_policies[1].tsig_secret_file, "/k/key1.secret"));
	T_OK(c.resolve_rebinding == 0 && c.resolve_workers == 2);
	T_OK(round_trip(&c, false) && round_trip(&c, true));
}

#define P(item) "resolve:\n  policy:\n    - " item "\n"
static void test_resolve_refused(void)
{
	T_OK(refuses(
		P("{name: a, tsig: {nmae: x}}"),
		"f.yaml:3: resolve.policy.tsig.nmae: there is no such key; did you mean 'name'?"));
	T_OK(refuses(P("{name: a, tsig: {name: x, name: y}}"), "the key stands twice"));
	T_OK(refuses(P("{name: a, tsig: x}"), "resolve.policy.tsig: there is no such key"));
	T_OK(refuses(P("{name: a, rpz: [x, y]}"), "expected a path, or \"\", found a list"));
	T_OK(refuses(P("x"), "expected an entry with keys"));
	T_OK(refuses(P("{name: a, rpz: a1, list: b1}"), "expected one of rpz, list and axfr"));
	T_OK(refuses(P("{name: a, axfr: \"::1\"}"), "axfr needs zone"));
	T_OK(refuses(P("{name: a, rpz: a1, override: nxdomian}"), "or 'cname NAME'"));
	T_OK(refuses("resolve: {listen: [\"::1\"], dot: [\"::1@53\"]}\n",
		     "the port is taken by resolve.listen"));
	T_OK(refuses("resolve: {dot: [{address: \"::1\", cert-file: x}]}\n", "belong together"));
	T_OK(refuses("resolve: {clients: [{org: a}]}\n", "expected one of prefix"));
	T_OK(refuses("resolve: {clients: [{certificate: \"12:34\"}]}\n", "64 hexadecimal digits"));
	T_OK(refuses("resolve: {upstream: [{zone: \".\"}]}\n",
		     "expected one of forward, stub and recursion"));
	T_OK(refuses("resolve: {upstream: [{zone: \".\", forward: \"::1\", stub: \"::1\"}]}\n",
		     "expected one of forward, stub and recursion"));
	T_OK(refuses("resolve: {upstream: [{zone: a, stub: \"::1\", dnssec: trust-ad}]}\n",
		     "other servers do not say"));
	T_OK(refuses("resolve: {upstream: [{zone: a, forward: \"::1\", dnssec: maybe}]}\n",
		     "one of auto, off, trust-ad or validate"));
	T_OK(refuses(
		"resolve: {upstream: [{zone: a, forward: \"::1\"}, {zone: A, forward: \"::1\"}]}\n",
		"the zone stands twice"));
	T_OK(refuses(
		"resolve: {upstream: [{zone: a, forward: \"::1\"}, {zone: \"a.\", forward: \"::1\"}]}\n",
		"the zone stands twice"));
	T_OK(refuses("resolve: {upstream: [{zone: \"a..b\", forward: \"::1\"}]}\n",
		     "expected a domain name"));
	T_OK(refuses("resolve: {upstream: [{zone: a, stub: \"::1#x\"}]}\n", "cannot be a stub"));
	T_OK(refuses("resolve: {local: [{zone: a, file: b.zone}, {zone: \"A.\", file: c.zone}]}\n",
		     "stands twice for one organisation"));
	T_OK(refuses(
		"resolve: {local: [{zone: a, file: b.zone}], upstream: [{zone: a, stub: \"::1\"}]}\n",
		"resolve.upstream has the zone too"));
	T_OK(refuses("resolve: {local: [{zone: a}]}\n", "the key is missing"));
	T_OK(refuses("resolve: {local-data: [{org: a}]}\n", "the key is missing"));
	T_OK(refuses("resolve: {rebinding-allow: [\"a b\"]}\n", "expected a domain name"));
	T_OK(refuses("resolve: {ttl-min: 9, ttl-max: 8}\n", "above resolve.ttl-max"));
	T_OK(refuses("resolve: {rebinding-protection: 1}\n", "expected true or false, found '1'"));
	T_OK(refuses("resolve: {rebinding-protection: \"true\"}\n", "without quotes"));
	T_OK(refuses("resolve: {listen: [\"127.0.0.1@70000\"]}\n",
		     "\"127.0.0.1@53\" or \"::1@53\", found '127.0.0.1@70000'"));
	T_OK(refuses("resolve: {listen: [\"127.0.0.1 @53\"]}\n", "expected an address"));
	T_OK(refuses("resolve: {clients: [\"127.0.0.1/8\"]}\n", "such as \"192.0.2.0/24\""));
	T_OK(refuses("resolve: {query-log-size: 1KiB}\n", "resolve.query-log-size"));
	T_OK(refuses("resolve: {query-log-full: stop}\n", "drop-new or drop-old"));
	T_OK(refuses("resolve: {client-addresses: hashed}\n", "kept, pseudonymised or dropped"));
	T_OK(refuses("resolve: {privacy: [{org: a}]}\n", "the key is missing"));
	T_OK(refuses("resolve: {privacy: [{org: a, client-addresses: x}]}\n",
		     "resolve.privacy.client-addresses"));
	T_OK(refuses("resolve: {privacy: [{org: a, client-addresses: kept}, {org: a, "
		     "client-addresses: dropped}]}\n",
		     "twice"));
	T_OK(refuses("resolve: {upstream: [{zone: \".\", forward: [[x]]}]}\n", "found a list"));
	T_OK(refuses("resolve: {upstream: [{zone: \".\", forward: [*a]}]}\n", "aliases"));
}

/* What a refusal becomes, and of which layers. */
static void test_resolve_ways(void)
{
	struct yg_conf c;
	struct said s;
	T_OK(read_text(
		     "resolve:\n"
		     "  policy: [{name: a, list: l, sinkhole: [\"192.0.2.1\", \"::1\"], ttl: 9,\n"
		     "            ede: none, text: \"why: this\", force-suffix: true}]\n"
		     "  modes: [{layer: indicators, mode: \"off\"},\n"
		     "          {layer: indicators, mode: enforce, org: a}]\n"
		     "  answers: [{sinkhole: \"192.0.2.1\"}, {answer: cname *.g.example, org: a}]\n",
		     &c, &s) == YG_OK);
	T_OK(YG_SV_IS(c.dns_policies[0].sinkhole, "192.0.2.1 ::1") && c.dns_policies[0].ttl == 9 &&
	     c.dns_policies[0].force == 1 && YG_SV_IS(c.dns_policies[0].ede, "none"));
	T_OK(c.dns_mode_count == 2 && YG_SV_IS(c.dns_modes[1].org, "a") &&
	     c.dns_answer_count == 2 && YG_SV_IS(c.dns_answers[0].answer, "sinkhole") &&
	     c.dns_answers[0].ttl == 60);
	T_OK(round_trip(&c, false) && round_trip(&c, true));
	T_OK(refuses(P("{name: a, list: l, override: sinkhole}"), "needs sinkhole"));
	T_OK(refuses(P("{name: a, list: l, sinkhole: x}"), "a sinkhole is IPv4 and IPv6"));
	T_OK(refuses(P("{name: a, list: l, sinkhole: \"::1\", override: drop}"), "exclude each"));
	T_OK(refuses(P("{name: a, list: l, override: \"cname a..b\"}"), "or 'cname NAME'"));
	T_OK(refuses("resolve: {modes: [{layer: indicators}]}\n", "the key is missing"));
	T_OK(refuses("resolve: {modes: [{layer: indicators, mode: enforce}, {layer: indicators, "
		     "mode: audit-only}]}\n",
		     "the layer stands twice"));
	T_OK(refuses("resolve: {answers: [{answer: drop}]}\n", "expected nxdomain, nodata"));
	T_OK(refuses("resolve: {answers: [{answer: nodata, sinkhole: \"::1\"}]}\n",
		     "nothing else has it"));
	T_OK(refuses("resolve: {answers: [{answer: nodata}, {answer: nxdomain}]}\n",
		     "the category stands twice"));
	T_OK(refuses("resolve: {upstream: [{zone: \".\", forward: \"::1\", pins: [ab]}]}\n",
		     "64 hexadecimal digits, found 'ab'"));
	T_OK(refuses("resolve: {upstream: [{zone: \".\", forward: \"::1#a b\"}]}\n", "resolve"));
}

int main(void)
{
	yg_arena_init(&arena, 8 << 20);
	test_defaults();
	test_values();
	test_refused();
	test_yaml();
	test_cross();
	test_rows();
	test_diff();
	test_resolve();
	test_resolve_refused();
	test_resolve_ways();
	test_files();
	yg_arena_free(&arena);
	return tap_done();
}
