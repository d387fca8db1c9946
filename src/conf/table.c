/* table.c - every key of the configuration, in the order of the manual. */
#include "conf/table.h"

#define AT(m)   offsetof(struct yg_conf, m)
#define AT_L(m) offsetof(struct yg_conf_listener, m)
#define AT_F(m) offsetof(struct yg_conf_follow, m)
#define AT_P(m) offsetof(struct yg_conf_provider, m)
#define AT_M(m) offsetof(struct yg_conf_mapping, m)
#define KIB(n)  ((uint64_t)(n) << 10)
#define MIB(n)  ((uint64_t)(n) << 20)
#define GIB(n)  ((uint64_t)(n) << 30)
#define TIB(n)  ((uint64_t)(n) << 40)
#define MS(n)   ((uint64_t)(n)*1000)
#define SEC(n)  ((uint64_t)(n)*1000000)

#define NUM(type, at, lo, hi, dflt) YG_CT_##type, 0, AT(at), lo, hi, dflt, NULL, NULL
#define STR(type, flags, at, dflt)  YG_CT_##type, flags, AT(at), 0, 0, 0, dflt, NULL
#define ONE(at, options, dflt)      YG_CT_ENUM, 0, AT(at), 0, 0, 0, dflt, options
#define CENTER                      YG_CONF_CENTER
#define STORE                       YG_CONF_STORE
#define INGEST                      YG_CONF_INGEST
#define CLIENTS                     (YG_CONF_CENTER | YG_CONF_INGEST)
#define EVERY                       (YG_CONF_CENTER | YG_CONF_STORE | YG_CONF_INGEST)

static const char *const protocols[] = {"udp", "tcp", "tls", NULL};
static const char *const levels[] = {"debug", "info", "notice", "warn", "error", NULL};
const char *const yg_conf_sources[] = {"suricata", "zeek", "syslog", "cloudtrail",
				       "windows",  "ocsf", "ndjson", NULL};

const struct yg_conf_section yg_conf_sections[] = {
	{"api", "The HTTPS API, the status page and the metrics."},
	{"session", "How long a person who signed in stays signed in."},
	{"store", "The event store: the embedded engine or a ClickHouse server."},
	{"ingest", "Taking logs in."},
	{"process", "Processes and users."},
	{"log", "The server's own log (JSON lines on standard error)."},
	{NULL, NULL},
};

/* clang-format off */
const struct yg_conf_key yg_conf_keys[] = {
	{"api.address", STR(ADDRESS, YG_CF_NONE, api_address, "127.0.0.1:8443"), YG_RELOAD_ROLE, CENTER, "0.1",
	 "Address and port of the HTTPS API; 'none' leaves only the Unix socket run/api.sock."},
	{"api.cert_file", STR(FILE, YG_CF_EMPTY, api_cert_file, ""), YG_RELOAD_ROLE, CLIENTS, "0.1",
	 "Certificate chain in PEM; empty: a self-signed one is made in keys/ at the first start."},
	{"api.key_file", STR(FILE, YG_CF_EMPTY | YG_CF_SECRET, api_key_file, ""), YG_RELOAD_ROLE, CLIENTS, "0.1",
	 "Private key of api.cert_file in PEM."},
	{"api.connections", NUM(COUNT, api_connections, 16, 100000, 12000), YG_RELOAD_ROLE, CENTER, "0.1",
	 "Most connections at one time; further ones wait."},
	{"api.body_total_bytes", NUM(BYTES, api_body_total_bytes, MIB(32), GIB(16), MIB(128)), YG_RELOAD_ROLE, CENTER, "0.1",
	 "Most memory for the bodies of all requests together; beyond it the answer is 503 with Retry-After."},
	{"api.timeout", NUM(SPAN, api_timeout_us, SEC(1), SEC(3600), SEC(30)), YG_RELOAD_ROLE, CENTER, "0.1",
	 "Close a connection that sends nothing for this long."},
	{"api.metrics_address", STR(ADDRESS, YG_CF_EMPTY, metrics_address, ""), YG_RELOAD_ROLE, CENTER, "0.1",
	 "Address and port that serves only /metrics, without TLS; empty: /metrics is on the API alone."},
	{"api.public_url", STR(TEXT, YG_CF_EMPTY, public_url, ""), YG_RELOAD_LIVE, CENTER, "0.2",
	 "How browsers reach the API, such as https://yagura.example: passkeys are bound to its host name; empty: localhost, and whatever name a browser asks for."},

	{"session.idle", NUM(SPAN, session_idle_us, SEC(60), SEC(86400), SEC(1800)), YG_RELOAD_LIVE, CENTER, "0.2",
	 "A session that was not used for this long ends."},
	{"session.absolute", NUM(SPAN, session_absolute_us, SEC(300), SEC(604800), SEC(43200)), YG_RELOAD_LIVE, CENTER, "0.2",
	 "Every session ends after this long."},

	{"store.url", STR(URL, 0, store_url, "embedded"), YG_RELOAD_ROLE, EVERY, "0.1",
	 "'embedded', or the HTTP interface of a ClickHouse server such as http://db.example:8123."},
	{"store.user", STR(TEXT, YG_CF_EMPTY, store_user, ""), YG_RELOAD_ROLE, CLIENTS, "0.1",
	 "User at the ClickHouse server."},
	{"store.password_file", STR(FILE, YG_CF_EMPTY | YG_CF_SECRET, store_password_file, ""), YG_RELOAD_ROLE, CLIENTS, "0.1",
	 "File with the password of store.user."},
	{"store.database", STR(TEXT, 0, store_database, "yagura"), YG_RELOAD_ROLE, EVERY, "0.1",
	 "Database that holds the events."},
	{"store.library", STR(FILE, YG_CF_EMPTY, store_library, ""), YG_RELOAD_ROLE, STORE, "0.1",
	 "Path of libchdb.so; empty: the place it was installed to."},
	{"store.listen", STR(ADDRESS, YG_CF_EMPTY | YG_CF_LOOPBACK, store_listen, ""), YG_RELOAD_ROLE, STORE, "0.1",
	 "Loopback address and port that serves the ClickHouse HTTP interface too; empty: only run/store.sock."},
	{"store.memory", NUM(BYTES, store_memory_bytes, MIB(512), TIB(1), GIB(2)), YG_RELOAD_ROLE, STORE, "0.1",
	 "Most memory of the embedded engine."},
	{"store.query_memory", NUM(BYTES, store_query_memory_bytes, MIB(16), TIB(1), MIB(512)), YG_RELOAD_ROLE, EVERY, "0.1",
	 "Most memory of one query."},
	{"store.query_timeout", NUM(SPAN, store_query_timeout_us, SEC(1), SEC(3600), SEC(30)), YG_RELOAD_ROLE, EVERY, "0.1",
	 "Longest time for one query."},
	{"store.query_rows", NUM(COUNT, store_query_rows, 0, 1000000000000000, 0), YG_RELOAD_ROLE, EVERY, "0.1",
	 "Most rows one query may read; 0: no bound."},
	{"store.result_bytes", NUM(BYTES, store_result_bytes, MIB(1), GIB(64), MIB(256)), YG_RELOAD_ROLE, EVERY, "0.1",
	 "Largest result of one query."},
	{"store.connections", NUM(COUNT, store_connections, 4, 1024, 32), YG_RELOAD_ROLE, STORE, "0.1",
	 "Most connections to the embedded store at one time."},
	{"store.retention_days", NUM(COUNT, store_retention_days, 0, 36500, 365), YG_RELOAD_ROLE, CENTER, "0.1",
	 "Days after which events are removed; 0: they are kept for ever."},

	{"ingest.workers", NUM(COUNT, ingest_workers, 1, 64, 1), YG_RELOAD_ROLE, CLIENTS, "0.1",
	 "Number of sandboxed processes that take logs in."},
	{"ingest.spool_bytes", NUM(BYTES, ingest_spool_bytes, MIB(64), TIB(16), GIB(4)), YG_RELOAD_ROLE, INGEST, "0.1",
	 "Bound of each worker's spool; when it is full senders are asked to wait and datagrams are dropped and counted."},
	{"ingest.flush", NUM(SPAN, ingest_flush_us, 0, SEC(10), MS(20)), YG_RELOAD_ROLE, INGEST, "0.1",
	 "Longest wait for others before a group of batches is written to disk and acknowledged."},
	{"ingest.deliver", NUM(SPAN, ingest_deliver_us, MS(1), SEC(60), SEC(1)), YG_RELOAD_ROLE, INGEST, "0.1",
	 "Longest wait before rows go to the event store; when nothing else is to be done they go after 200ms."},
	{"ingest.deliver_rows", NUM(COUNT, ingest_deliver_rows, 1, 1000000, 98304), YG_RELOAD_ROLE, INGEST, "0.1",
	 "Rows that go to the event store in one insert."},

	{"process.user", STR(TEXT, 0, user, "yagura"), YG_RELOAD_RESTART, YG_CONF_MAIN, "0.1",
	 "User that the roles run as when the service is started as root."},
	{"process.restart_max", NUM(SPAN, restart_max_us, MS(100), SEC(3600), SEC(60)), YG_RELOAD_LIVE, YG_CONF_MAIN, "0.1",
	 "Longest pause before a role that died is started again; the first is 100ms, each further one twice the last."},
	{"process.watchdog", NUM(SPAN, watchdog_us, SEC(1), SEC(3600), SEC(120)), YG_RELOAD_LIVE, YG_CONF_MAIN, "0.1",
	 "A role that does not answer the supervisor for this long, or a worker whose parser does not end, is killed and started again."},

	{"log.level", ONE(log_level, levels, "info"), YG_RELOAD_LIVE, EVERY | YG_CONF_MAIN, "0.1",
	 "Least level that is written."},
	{NULL, NUM(COUNT, api_connections, 0, 0, 0), YG_RELOAD_LIVE, 0, NULL, NULL},
};

#define ITEM(type, flags, at, dflt, options) YG_CT_##type, flags, at, 0, 0, 0, dflt, options, YG_RELOAD_ROLE, INGEST, "0.1"
static const struct yg_conf_key listener_keys[] = {
	{"name", ITEM(SLUG, YG_CF_REQUIRED, AT_L(name), "", NULL), "Name of the listener: small letters, digits and hyphens; it is the sensor of what comes in."},
	{"org", ITEM(SLUG, YG_CF_REQUIRED, AT_L(org), "", NULL), "Organisation that everything from here belongs to."},
	{"protocol", ITEM(ENUM, YG_CF_REQUIRED, AT_L(protocol), "", protocols), "How it is spoken to."},
	{"source", ITEM(SOURCE, 0, AT_L(source), "syslog", yg_conf_sources), "Kind of the records."},
	{"address", ITEM(ADDRESS, YG_CF_REQUIRED, AT_L(address), "", NULL), "Address and port."},
	{"cert_file", ITEM(FILE, YG_CF_EMPTY, AT_L(cert_file), "", NULL), "Certificate chain in PEM for protocol tls; empty: the server's own."},
	{"key_file", ITEM(FILE, YG_CF_EMPTY | YG_CF_SECRET, AT_L(key_file), "", NULL), "Private key of cert_file in PEM."},
	{"client_ca_file", ITEM(FILE, YG_CF_EMPTY, AT_L(client_ca_file), "", NULL), "Only clients with a certificate of this authority (PEM) may send; empty: any client."},
	{NULL, ITEM(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key follow_keys[] = {
	{"name", ITEM(SLUG, YG_CF_REQUIRED, AT_F(name), "", NULL), "Name of the entry: small letters, digits and hyphens; it is the sensor of what comes in."},
	{"org", ITEM(SLUG, YG_CF_REQUIRED, AT_F(org), "", NULL), "Organisation that the records belong to."},
	{"source", ITEM(SOURCE, YG_CF_REQUIRED, AT_F(source), "", yg_conf_sources), "Kind of the records."},
	{"path", ITEM(FILE, YG_CF_REQUIRED | YG_CF_STAR, AT_F(path), "", NULL), "Absolute path; its last part may hold one *."},
	{NULL, ITEM(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key mapping_keys[] = {
	{"name", ITEM(SLUG, YG_CF_REQUIRED, AT_M(name), "", NULL), "Name of the mapping: small letters, digits and hyphens; used as source ndjson:NAME."},
	{"file", ITEM(FILE, YG_CF_REQUIRED, AT_M(file), "", NULL), "The mapping file."},
	{NULL, ITEM(TEXT, 0, 0, NULL, NULL), NULL},
};

#define OIDC(type, flags, at, dflt) YG_CT_##type, flags, at, 0, 0, 0, dflt, NULL, YG_RELOAD_ROLE, CENTER, "0.2"
static const struct yg_conf_key provider_keys[] = {
	{"name", OIDC(SLUG, YG_CF_REQUIRED, AT_P(name), ""), "Name of the provider: small letters, digits and hyphens."},
	{"issuer", OIDC(TEXT, YG_CF_REQUIRED, AT_P(issuer), ""), "Its issuer, such as https://id.example; http only on this machine."},
	{"client_id", OIDC(TEXT, YG_CF_REQUIRED, AT_P(client_id), ""), "What it knows this server as."},
	{"client_secret_file", OIDC(FILE, YG_CF_EMPTY | YG_CF_SECRET, AT_P(client_secret_file), ""), "File with the client's secret; empty: a public client."},
	{"scopes", OIDC(TEXT, 0, AT_P(scopes), "openid email"), "Scopes that are asked for."},
	{"hosts", OIDC(TEXT, YG_CF_EMPTY, AT_P(hosts), ""), "Further hosts (host or host:port, with blanks between) where its keys and its token endpoint may be."},
	{NULL, OIDC(TEXT, 0, 0, NULL), NULL},
};

const struct yg_conf_list yg_conf_lists[] = {
	{"ingest.listeners", AT(listeners), AT(listener_count), sizeof(struct yg_conf_listener), 64, listener_keys,
	 YG_RELOAD_ROLE, INGEST, "0.1", "Ports on which logs are taken in."},
	{"ingest.follow", AT(follows), AT(follow_count), sizeof(struct yg_conf_follow), 256, follow_keys,
	 YG_RELOAD_ROLE, INGEST, "0.1", "Files that are read as they grow, through their rotation."},
	{"ingest.mappings", AT(mappings), AT(mapping_count), sizeof(struct yg_conf_mapping), 64, mapping_keys,
	 YG_RELOAD_ROLE, CLIENTS, "0.1", "Mapping files for records in NDJSON of any form."},
	{"session.providers", AT(providers), AT(provider_count), sizeof(struct yg_conf_provider), 8, provider_keys,
	 YG_RELOAD_ROLE, CENTER, "0.2", "OpenID Connect providers that people may sign in by."},
	{NULL, 0, 0, 0, 0, NULL, YG_RELOAD_LIVE, 0, NULL, NULL},
};
/* clang-format on */
static_assert(YG_LEN(yg_conf_keys) <= YG_CONF_KEYS_MAX, "yg_conf_lines has a place for every key");
static_assert(YG_LEN(yg_conf_lists) <= YG_CONF_LISTS_MAX, "and for every list");

void *yg_conf_item(const struct yg_conf *c, const struct yg_conf_list *l, size_t i)
{
	char *items;
	memcpy(&items, (const char *)c + l->off, sizeof items);
	return items + i * l->item_bytes;
}

size_t yg_conf_item_count(const struct yg_conf *c, const struct yg_conf_list *l)
{
	size_t n;
	memcpy(&n, (const char *)c + l->off_count, sizeof n);
	return n;
}

const char *yg_conf_short(const char *name)
{
	const char *dot = strchr(name, '.');
	return dot != NULL ? dot + 1 : name;
}

void yg_conf_defaults(const struct yg_conf_key *keys, void *base)
{
	for (const struct yg_conf_key *k = keys; k->name != NULL; k++)
		if (yg_conf_is_number(k))
			*yg_conf_u64(base, k) = k->dflt;
		else
			*yg_conf_sv(base, k) = yg_sv_of(k->dflt_text);
}

bool yg_conf_is_default(const struct yg_conf_key *k, const void *base)
{
	if (yg_conf_is_number(k))
		return *yg_conf_u64(base, k) == k->dflt;
	return yg_sv_eq(*yg_conf_sv(base, k), yg_sv_of(k->dflt_text));
}
