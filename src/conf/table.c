/* table.c - every key of the configuration, in the order of the manual. */
#include "conf/table.h"

#define AT(m)    offsetof(struct yg_conf, m)
#define AT_L(m)  offsetof(struct yg_conf_listener, m)
#define AT_F(m)  offsetof(struct yg_conf_follow, m)
#define AT_P(m)  offsetof(struct yg_conf_provider, m)
#define AT_M(m)  offsetof(struct yg_conf_mapping, m)
#define AT_DL(m) offsetof(struct yg_conf_dns_listen, m)
#define AT_DC(m) offsetof(struct yg_conf_dns_client, m)
#define AT_DU(m) offsetof(struct yg_conf_dns_upstream, m)
#define AT_DP(m) offsetof(struct yg_conf_dns_policy, m)
#define AT_DM(m) offsetof(struct yg_conf_dns_mode, m)
#define AT_DW(m) offsetof(struct yg_conf_dns_answer, m)
#define AT_DO(m) offsetof(struct yg_conf_dns_local, m)
#define AT_DR(m) offsetof(struct yg_conf_dns_record, m)
#define AT_DT(m) offsetof(struct yg_conf_dns_tap, m)
#define AT_DB(m) offsetof(struct yg_conf_dns_publish, m)
#define AT_DV(m) offsetof(struct yg_conf_dns_privacy, m)
#define KIB(n)   ((uint64_t)(n) << 10)
#define MIB(n)   ((uint64_t)(n) << 20)
#define GIB(n)   ((uint64_t)(n) << 30)
#define TIB(n)   ((uint64_t)(n) << 40)
#define MS(n)    ((uint64_t)(n)*1000)
#define SEC(n)   ((uint64_t)(n)*1000000)

#define NUM(type, at, lo, hi, dflt) YG_CT_##type, 0, AT(at), lo, hi, dflt, NULL, NULL
#define STR(type, flags, at, dflt)  YG_CT_##type, flags, AT(at), 0, 0, 0, dflt, NULL
#define ONE(at, options, dflt)      YG_CT_ENUM, 0, AT(at), 0, 0, 0, dflt, options
#define CENTER                      YG_CONF_CENTER
#define STORE                       YG_CONF_STORE
#define INGEST                      YG_CONF_INGEST
#define CLIENTS                     (YG_CONF_CENTER | YG_CONF_INGEST)
#define RESOLVE                     YG_CONF_RESOLVE
#define DNS                         (YG_CONF_RESOLVE | YG_CONF_ZONES)
#define EVERY                       (YG_CONF_CENTER | YG_CONF_STORE | YG_CONF_INGEST)

static const char *const protocols[] = {"udp", "tcp", "tls", "unix", NULL};
static const char *const layers[] = {"org-allow",   "centre-allow", "org-block",
				     "centre-zone", "indicators",   NULL};
static const char *const other_names[] = {"nxdomain", "upstream", NULL};
static const char *const dnssec_ways[] = {"auto", "off", "trust-ad", "validate", NULL};
static const char *const modes[] = {"enforce", "audit-only", "off", NULL};
static const char *const ede_ways[] = {"auto", "blocked", "censored", "filtered", "none", NULL};
static const char *const log_full[] = {"drop-new", "drop-old", NULL};
static const char *const below_ways[] = {"validated", "always", "never", NULL};
static const char *const address_ways[] = {"kept", "pseudonymised", "dropped", NULL};
static const char *const tsig_algorithms[] = {"hmac-sha256", "hmac-sha384", "hmac-sha512",
					      "hmac-sha224", "hmac-sha1",   NULL};
static const char *const levels[] = {"debug", "info", "notice", "warn", "error", NULL};
const char *const yg_conf_sources[] = {"suricata", "zeek",   "syslog", "cloudtrail", "windows",
				       "ocsf",     "ndjson", "dnstap", NULL};

const struct yg_conf_section yg_conf_sections[] = {
	{"api", "The HTTPS API, the status page and the metrics."},
	{"session", "How long a person who signed in stays signed in."},
	{"store", "The event store: the embedded engine or a ClickHouse server."},
	{"ingest", "Taking logs in."},
	{"detect",
	 "What events say together: correlations of rules, and findings beside rules; and looking back."},
	{"resolve", "Protective DNS: the resolver that member organisations ask."},
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

	{"detect.retro-hunt-days", NUM(COUNT, detect_hunt_days, 0, 36500, 90), YG_RELOAD_LIVE, CENTER, "0.4",
	 "New indicators, and rules that become live for the first time, are looked for in the events of so many days, by themselves; 0: they are not."},
	{"detect.lateness", NUM(SPAN, detect_lateness_us, SEC(1), SEC(86400), SEC(60)), YG_RELOAD_ROLE, CENTER, "0.4",
	 "How much later than the newest event of an organisation another may come and still count in correlations; so long they wait."},
	{"detect.places_file", STR(FILE, YG_CF_EMPTY, detect_places, ""), YG_RELOAD_ROLE, CENTER, "0.4",
	 "Where addresses are, for impossible travel: lines of prefix,latitude,longitude,radius (degrees, kilometres); empty: it is not looked for."},

	{"resolve.workers", NUM(COUNT, resolve_workers, 1, 64, 1), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Number of sandboxed processes that answer, each with sockets of its own; they run when resolve.listen, dot or doh has an entry."},
	{"resolve.cache", NUM(BYTES, resolve_cache_bytes, MIB(1), TIB(1), MIB(128)), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Most memory of one worker's cache."},
	{"resolve.edns-size", NUM(COUNT, resolve_edns_bytes, 512, 4096, 1232), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Largest UDP answer in bytes, and what upstream servers are told."},
	{"resolve.ttl-min", NUM(COUNT, resolve_ttl_min, 0, 3600, 0), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Seconds that an answer is kept at least."},
	{"resolve.ttl-max", NUM(COUNT, resolve_ttl_max, 1, 604800, 86400), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Seconds that an answer is kept at most."},
	{"resolve.serve-stale", NUM(SPAN, resolve_stale_us, 0, SEC(604800), SEC(86400)), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "How long after its end an answer may still be given while the upstream does not answer (RFC 8767); 0s: never."},
	{"resolve.nothing-below-nxdomain", ONE(resolve_below, below_ways, "validated"), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Whether a name that is known not to exist means that none below it does (RFC 8020), without asking: validated, when DNSSEC proves it; always; never."},
	{"resolve.fair-share", NUM(BOOL, resolve_fair, 0, 1, 1), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "When more queries come by UDP than a worker can answer, the networks (IPv4 /24, IPv6 /56) that ask most are let in as far as leaves room for the others."},
	{"resolve.rate-limit", NUM(COUNT, resolve_rrl, 0, 10000000, 0), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Most UDP answers in a second of one worker to one client network (IPv4 /24, IPv6 /56); who shows a cookie of ours is not limited; 0: no limit."},
	{"resolve.rate-limit-slip", NUM(COUNT, resolve_rrl_slip, 0, 100, 2), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Of the answers over the limit one in so many is sent, truncated, so that a real client comes by TCP; 0: none."},
	{"resolve.tcp-clients", NUM(COUNT, resolve_tcp, 16, 1000000, 20000), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Most TCP, DoT and DoH connections of one worker; beyond it the longest idle one is closed."},
	{"resolve.tcp-per-client", NUM(COUNT, resolve_tcp_per_client, 1, 1000000, 200), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Most of them from one address."},
	{"resolve.tcp-idle", NUM(SPAN, resolve_tcp_idle_us, MS(100), SEC(3600), SEC(10)), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "A connection that asks nothing for this long is closed."},
	{"resolve.rebinding-protection", NUM(BOOL, resolve_rebinding, 0, 1, 1), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Refuse private addresses under public names."},
	{"resolve.rebinding-allow", STR(DOMAIN, YG_CF_EMPTY | YG_CF_MANY, resolve_rebinding_allow, ""), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Names under which private addresses are right."},
	{"resolve.indicator-confidence", NUM(COUNT, resolve_confidence, 0, 100, 50), YG_RELOAD_ROLE, DNS, "0.3",
	 "Indicators of less confidence are no part of the policy (0 to 100)."},
	{"resolve.break-dnssec", NUM(BOOL, resolve_break_dnssec, 0, 1, 0), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Let the policy change signed answers for clients that ask for signatures (DO) too."},
	{"resolve.root-hints", STR(FILE, YG_CF_EMPTY | YG_CF_BESIDE, resolve_hints, ""), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Addresses of the root's servers, as a master file; empty: /usr/share/dns/root.hints, else those that libunbound knows."},
	{"resolve.trust-anchor", STR(FILE, YG_CF_EMPTY | YG_CF_BESIDE, resolve_anchor, ""), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "DS or DNSKEY records that validation begins from, one a line; empty: the root's, /usr/share/dns/root.key."},
	{"resolve.insecure-zones", STR(DOMAIN, YG_CF_EMPTY | YG_CF_MANY, resolve_insecure, ""), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Zones whose signatures are not looked at (negative trust anchors, RFC 7646)."},
	{"resolve.query-log", NUM(BOOL, resolve_log, 0, 1, 1), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Make every query an event."},
	{"resolve.query-log-size", NUM(BYTES, resolve_log_bytes, MIB(8), TIB(16), GIB(2)), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "Bound of the folder dnslog/, where events of queries lie until role ingest has taken them; the workers share it."},
	{"resolve.query-log-full", ONE(resolve_log_full, log_full, "drop-new"), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "What is dropped, and counted, when it is full: drop-new keeps what waits for role ingest; drop-old keeps the newest, for a resolver that runs alone."},
	{"resolve.client-addresses", ONE(resolve_addresses, address_ways, "kept"), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "What events say of a client's address: kept, pseudonymised (a keyed hash of it, the same for the same address), or dropped; resolve.privacy says it for one organisation."},
	{"resolve.address-key-file", STR(FILE, YG_CF_EMPTY | YG_CF_SECRET | YG_CF_BESIDE, resolve_address_key, ""), YG_RELOAD_ROLE, RESOLVE, "0.3",
	 "File with the key of pseudonyms, 32 hexadecimal digits; empty: keys/dns-log, made at the first start."},

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
	{"address", ITEM(ADDRESS, YG_CF_EMPTY, AT_L(address), "", NULL), "Address and port; needed but for protocol unix."},
	{"path", ITEM(TEXT, YG_CF_EMPTY, AT_L(path), "", NULL), "Absolute path of the socket of protocol unix, in a folder of its own or in run/; who is in the group of process.user may connect."},
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

#define RES(type, flags, at, dflt, options) YG_CT_##type, flags, at, 0, 0, 0, dflt, options, YG_RELOAD_ROLE, DNS, "0.3"
#define RBOOL(at, dflt)                     YG_CT_BOOL, 0, at, 0, 1, dflt, NULL, NULL, YG_RELOAD_ROLE, DNS, "0.3"
#define RES_NUM(type, at, lo, hi, dflt)      YG_CT_##type, 0, at, lo, hi, dflt, NULL, NULL, YG_RELOAD_ROLE, DNS, "0.3"
#define RPORT(port, flags, at)              YG_CT_DNS, flags, at, port, 0, 0, "", NULL, YG_RELOAD_ROLE, DNS, "0.3"
static const struct yg_conf_key dns_listen_keys[] = {
	{"address", RPORT(53, YG_CF_REQUIRED, AT_DL(address)), "Address and port."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
#define CERT_KEYS \
	{"cert-file", RES(FILE, YG_CF_EMPTY | YG_CF_BESIDE, AT_DL(cert_file), "", NULL), "Certificate chain in PEM; empty: the server's own."}, \
	{"key-file", RES(FILE, YG_CF_EMPTY | YG_CF_SECRET | YG_CF_BESIDE, AT_DL(key_file), "", NULL), "Private key of cert-file in PEM."}, \
	{"client-ca-file", RES(FILE, YG_CF_EMPTY | YG_CF_BESIDE, AT_DL(client_ca_file), "", NULL), "Clients may show a certificate of this authority (PEM), which resolve.clients can name; empty: none is asked for."}
static const struct yg_conf_key dns_dot_keys[] = {
	{"address", RPORT(853, YG_CF_REQUIRED, AT_DL(address)), "Address and port."},
	CERT_KEYS,
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_doh_keys[] = {
	{"address", RPORT(443, YG_CF_REQUIRED, AT_DL(address)), "Address and port."},
	CERT_KEYS,
	{"path", RES(TEXT, 0, AT_DL(path), "/dns-query", NULL), "Path of the service; a client's token follows it after a slash."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_client_keys[] = {
	{"prefix", RES(PREFIX, YG_CF_EMPTY, AT_DC(prefix), "", NULL), "Network that the queries come from; the longest one decides."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DC(org), "", NULL), "Organisation of the client; empty: the whole."},
	{"network", RES(TEXT, YG_CF_EMPTY, AT_DC(network), "", NULL), "Name of the network, as the events say it."},
	{"dot-name", RES(TEXT, YG_CF_EMPTY, AT_DC(dot_name), "", NULL), "Known by the server name that it asks for over TLS."},
	{"certificate", RES(TEXT, YG_CF_EMPTY, AT_DC(certificate), "", NULL), "Known by its certificate: SHA-256 of it, in hexadecimal."},
	{"doh-token-file", RES(FILE, YG_CF_EMPTY | YG_CF_SECRET | YG_CF_BESIDE, AT_DC(doh_token_file), "", NULL), "Known by the token in the path of DoH: file that holds it."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_upstream_keys[] = {
	{"zone", RES(DOMAIN, YG_CF_REQUIRED, AT_DU(zone), "", NULL), "Zone whose names are asked for here; the longest one decides."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DU(org), "", NULL), "For queries of this organisation only; empty: of all."},
	{"forward", RPORT(53, YG_CF_EMPTY | YG_CF_MANY, AT_DU(forward)), "Resolvers that are asked by UDP, and by TCP when an answer does not fit; with a name, \"192.0.2.1@853#dns.example\", by TLS alone (RFC 7858), when their certificate is for that name."},
	{"stub", RPORT(53, YG_CF_EMPTY | YG_CF_MANY, AT_DU(stub)), "In place of forward: authoritative servers of the zone; they are asked without recursion and must answer with authority."},
	{"pins", RES(TEXT, YG_CF_EMPTY | YG_CF_MANY, AT_DU(pins), "", NULL), "Servers of forward are asked by TLS alone and must have one of these public keys: SHA-256, in hexadecimal."},
	{"ca-file", RES(FILE, YG_CF_EMPTY | YG_CF_BESIDE, AT_DU(ca_file), "", NULL), "Authorities (PEM) that vouch for the names of servers; empty: those of the system, /etc/ssl/certs/ca-certificates.crt."},
	{"recursion", RBOOL(AT_DU(recursion), 0), "In place of forward: the zones' own servers are asked, from the root on."},
	{"dnssec", RES(ENUM, 0, AT_DU(dnssec), "auto", dnssec_ways), "Who says that an answer is secure (AD): off: nobody; trust-ad: the resolver that forwards; validate: we do, by resolve.trust-anchor, and what fails is not answered; auto: validate with recursion, else off."},
	{"private-addresses", RBOOL(AT_DU(private_addresses), 0), "Private addresses are right in its answers: rebinding protection lets them pass."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_local_keys[] = {
	{"zone", RES(DOMAIN, YG_CF_REQUIRED, AT_DO(zone), "", NULL), "Name of the zone."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DO(org), "", NULL), "For queries of this organisation only; empty: of all."},
	{"file", RES(FILE, YG_CF_REQUIRED | YG_CF_BESIDE, AT_DO(file), "", NULL), "Its records in a master file; it is read again when it changes and at SIGHUP."},
	{"other-names", RES(ENUM, 0, AT_DO(other_names), "nxdomain", other_names), "What becomes of names in it that it does not have: nxdomain, or upstream: they are asked for."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_record_keys[] = {
	{"record", RES(TEXT, YG_CF_REQUIRED, AT_DR(record), "", NULL), "A record as in a master file, with its whole name: \"printer.example. 300 A 10.0.0.9\"; without a local zone for it only this name is answered here."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DR(org), "", NULL), "For queries of this organisation only; empty: of all."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_policy_keys[] = {
	{"name", RES(SLUG, YG_CF_REQUIRED, AT_DP(name), "", NULL), "Name of the zone: small letters, digits and hyphens."},
	{"rpz", RES(FILE, YG_CF_EMPTY | YG_CF_BESIDE, AT_DP(rpz), "", NULL), "Response policy zone in a master file."},
	{"list", RES(FILE, YG_CF_EMPTY | YG_CF_BESIDE, AT_DP(list), "", NULL), "List of domains: one a line, hosts file, or Adblock style."},
	{"axfr", RPORT(53, YG_CF_EMPTY, AT_DP(axfr)), "Server that the zone is transferred from (AXFR, IXFR)."},
	{"zone", RES(DOMAIN, YG_CF_EMPTY, AT_DP(zone), "", NULL), "Name of the zone at that server, or in the file."},
	{"tsig.name", RES(TEXT, YG_CF_EMPTY, AT_DP(tsig_name), "", NULL), "Name of the key that signs the transfer (RFC 8945)."},
	{"tsig.algorithm", RES(ENUM, 0, AT_DP(tsig_algorithm), "hmac-sha256", tsig_algorithms), "Its algorithm."},
	{"tsig.secret-file", RES(FILE, YG_CF_EMPTY | YG_CF_SECRET | YG_CF_BESIDE, AT_DP(tsig_secret_file), "", NULL), "File that holds the key in base64."},
	{"override", RES(TEXT, 0, AT_DP(override_), "given", NULL), "What a match does instead: given, disabled (only logged), nxdomain, nodata, passthru, drop, tcp-only, 'cname NAME', or sinkhole."},
	{"layer", RES(ENUM, 0, AT_DP(layer), "centre-zone", layers), "Layer of the zone; layers come in this order, and zones of one layer in the order of the list."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DP(org), "", NULL), "For queries of this organisation only; empty: of all."},
	{"mode", RES(ENUM, 0, AT_DP(mode), "enforce", modes), "Whether a match acts, is only recorded, or is not looked for."},
	{"category", RES(TEXT, YG_CF_EMPTY, AT_DP(category), "", NULL), "What its names stand for, such as malware or phishing."},
	{"sinkhole", RES(TEXT, YG_CF_EMPTY | YG_CF_MANY, AT_DP(sinkhole), "", NULL), "A match is answered with these addresses; then override is sinkhole, which needs them."},
	{"ttl", RES_NUM(COUNT, AT_DP(ttl), 0, 86400, 60), "Seconds that answers made by override may be kept."},
	{"ede", RES(ENUM, 0, AT_DP(ede), "auto", ede_ways), "Which Extended DNS Error (RFC 8914) a blocked client is told: blocked (15), censored (16), filtered (17) or none; auto: filtered in layer org-block, else blocked."},
	{"text", RES(TEXT, YG_CF_EMPTY, AT_DP(text), "", NULL), "Text of that error; empty: category and name of the zone."},
	{"force-suffix", RBOOL(AT_DP(force), 0), "The list may block a whole public suffix, such as com."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_mode_keys[] = {
	{"layer", RES(ENUM, YG_CF_REQUIRED, AT_DM(layer), "", layers), "Layer whose zones it is about."},
	{"mode", RES(ENUM, YG_CF_REQUIRED, AT_DM(mode), "", modes), "Whether a match acts, is only recorded, or is not looked for; of this and the zone's own mode the weaker holds."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DM(org), "", NULL), "For this organisation and those below it; empty: for all."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_answer_keys[] = {
	{"answer", RES(TEXT, 0, AT_DW(answer), "sinkhole", NULL), "What NXDOMAIN and NODATA become: nxdomain, nodata, sinkhole, or 'cname NAME' (a walled garden)."},
	{"sinkhole", RES(TEXT, YG_CF_EMPTY | YG_CF_MANY, AT_DW(sinkhole), "", NULL), "Addresses of answer sinkhole."},
	{"ttl", RES_NUM(COUNT, AT_DW(ttl), 0, 86400, 60), "Seconds that such an answer may be kept."},
	{"category", RES(TEXT, YG_CF_EMPTY, AT_DW(category), "", NULL), "For zones and entries of this category; empty: of any."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DW(org), "", NULL), "For this organisation and those below it; empty: for all."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_privacy_keys[] = {
	{"org", RES(SLUG, YG_CF_REQUIRED, AT_DV(org), "", NULL), "Organisation whose clients it is about."},
	{"client-addresses", RES(ENUM, YG_CF_REQUIRED, AT_DV(addresses), "", address_ways), "As resolve.client-addresses."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};
static const struct yg_conf_key dns_publish_keys[] = {
	{"zone", RES(TEXT, YG_CF_REQUIRED, AT_DB(zone), "", NULL), "Name of the zone."},
	{"listen", RPORT(53, YG_CF_REQUIRED, AT_DB(listen)), "Address and port where it is served, by UDP and TCP."},
	{"org", RES(SLUG, YG_CF_EMPTY, AT_DB(org), "", NULL), "The policy of this organisation; empty: what holds for all."},
	{"allow", RES(PREFIX, YG_CF_EMPTY | YG_CF_MANY, AT_DB(allow), "", NULL), "Networks that may transfer it; empty: nobody without the key."},
	{"notify", RPORT(53, YG_CF_EMPTY | YG_CF_MANY, AT_DB(notify)), "Who is told by UDP that it has changed (NOTIFY)."},
	{"tsig.name", RES(TEXT, YG_CF_EMPTY, AT_DB(tsig_name), "", NULL), "Name of the key that transfers must be signed with (RFC 8945)."},
	{"tsig.algorithm", RES(ENUM, 0, AT_DB(tsig_algorithm), "hmac-sha256", tsig_algorithms), "Its algorithm."},
	{"tsig.secret-file", RES(FILE, YG_CF_EMPTY | YG_CF_SECRET | YG_CF_BESIDE, AT_DB(tsig_secret_file), "", NULL), "File that holds the key in base64."},
	{NULL, RES(TEXT, 0, 0, NULL, NULL), NULL},
};

#define TAP(type, flags, at, dflt, options) YG_CT_##type, flags, at, 0, 0, 0, dflt, options, YG_RELOAD_ROLE, RESOLVE, "0.3"
#define TAPNUM(type, at, lo, hi, dflt)      YG_CT_##type, 0, at, lo, hi, dflt, NULL, NULL, YG_RELOAD_ROLE, RESOLVE, "0.3"
static const char *const tap_ways[] = {"unix", "tcp", "tls", "file", NULL};
static const struct yg_conf_key dns_tap_keys[] = {
	{"to", TAP(TEXT, YG_CF_REQUIRED, AT_DT(to), "", NULL), "Absolute path of a Unix socket or file, or address and port for tcp and tls."},
	{"protocol", TAP(ENUM, YG_CF_REQUIRED, AT_DT(protocol), "", tap_ways), "How it is written to; a file is begun anew at each start, the one before kept as PATH.1, and workers after the first have one of their own, PATH-N."},
	{"ca-file", TAP(FILE, YG_CF_EMPTY | YG_CF_BESIDE, AT_DT(ca_file), "", NULL), "For tls: authorities (PEM), one of which must vouch for the receiver's certificate."},
	{"tls-name", TAP(TEXT, YG_CF_EMPTY, AT_DT(tls_name), "", NULL), "For tls: the name that the receiver's certificate must be for."},
	{"policy", TAPNUM(BOOL, AT_DT(policy), 0, 1, 1), "With what the policy did (dnstap's own Policy)."},
	{"extra", TAPNUM(BOOL, AT_DT(extra), 0, 1, 0), "With what dnstap has no place for, as the query log has it."},
	{"queue", TAPNUM(BYTES, AT_DT(queue), KIB(512), GIB(1), MIB(4)), "Most memory of a worker for frames that wait; beyond it new ones are dropped and counted."},
	{"size", TAPNUM(BYTES, AT_DT(size), MIB(1), TIB(1), MIB(256)), "Of a file: at this size it is ended and kept as PATH.1, in place of the one there."},
	{NULL, TAP(TEXT, 0, 0, NULL, NULL), NULL},
};

#define DNS_LIST(items, count, type, max, keys) AT(items), AT(count), sizeof(struct type), max, keys, YG_RELOAD_ROLE, DNS, "0.3"
const struct yg_conf_list yg_conf_lists[] = {
	{"ingest.listeners", AT(listeners), AT(listener_count), sizeof(struct yg_conf_listener), 64, listener_keys,
		 YG_RELOAD_ROLE, INGEST, "0.1", "Ports on which logs are taken in.", 0},
	{"ingest.follow", AT(follows), AT(follow_count), sizeof(struct yg_conf_follow), 256, follow_keys,
	 YG_RELOAD_ROLE, INGEST, "0.1", "Files that are read as they grow, through their rotation.", 0},
	{"ingest.mappings", AT(mappings), AT(mapping_count), sizeof(struct yg_conf_mapping), 64, mapping_keys,
	 YG_RELOAD_ROLE, CLIENTS, "0.1", "Mapping files for records in NDJSON of any form.", 0},
	{"session.providers", AT(providers), AT(provider_count), sizeof(struct yg_conf_provider), 8, provider_keys,
	 YG_RELOAD_ROLE, CENTER, "0.2", "OpenID Connect providers that people may sign in by.", 0},
	{"resolve.listen", DNS_LIST(dns_listens, dns_listen_count, yg_conf_dns_listen, 64, dns_listen_keys), "Where queries are taken by UDP and TCP.", YG_CL_SCALAR},
	{"resolve.dot", DNS_LIST(dns_dots, dns_dot_count, yg_conf_dns_listen, 16, dns_dot_keys), "Where queries are taken by TLS (RFC 7858).", YG_CL_SCALAR},
	{"resolve.doh", DNS_LIST(dns_dohs, dns_doh_count, yg_conf_dns_listen, 16, dns_doh_keys), "Where queries are taken by HTTPS (RFC 8484).", YG_CL_SCALAR},
	{"resolve.clients", DNS_LIST(dns_clients, dns_client_count, yg_conf_dns_client, 1024, dns_client_keys), "Who may ask; everybody else is refused.", YG_CL_SCALAR | YG_CL_TWICE},
	{"resolve.upstream", DNS_LIST(dns_upstreams, dns_upstream_count, yg_conf_dns_upstream, 256, dns_upstream_keys), "Whom the resolver asks.", YG_CL_TWICE},
	{"resolve.local", DNS_LIST(dns_locals, dns_local_count, yg_conf_dns_local, 1024, dns_local_keys), "Zones that the resolver answers for itself.", YG_CL_TWICE},
	{"resolve.local-data", DNS_LIST(dns_records, dns_record_count, yg_conf_dns_record, 1024, dns_record_keys), "Single records that the resolver answers with.", YG_CL_SCALAR | YG_CL_TWICE},
	{"resolve.policy", DNS_LIST(dns_policies, dns_policy_count, yg_conf_dns_policy, 256, dns_policy_keys), "Policy zones and lists; their order is their precedence.", 0},
	{"resolve.modes", DNS_LIST(dns_modes, dns_mode_count, yg_conf_dns_mode, 1024, dns_mode_keys), "Modes of layers, of organisations or for all; what people say at a centre comes before it.", YG_CL_TWICE},
	{"resolve.answers", DNS_LIST(dns_answers, dns_answer_count, yg_conf_dns_answer, 1024, dns_answer_keys), "What a refusal becomes, by organisation and category; what people say at a centre comes before it.", YG_CL_TWICE},
	{"resolve.notify", DNS_LIST(dns_notifies, dns_notify_count, yg_conf_dns_listen, 16, dns_listen_keys), "Where servers of policy zones say by UDP that a zone has changed (NOTIFY, RFC 1996).", YG_CL_SCALAR},
	{"resolve.privacy", DNS_LIST(dns_privacies, dns_privacy_count, yg_conf_dns_privacy, 1024, dns_privacy_keys), "What events say of the addresses of an organisation's clients.", 0},
	{"resolve.publish", DNS_LIST(dns_publishes, dns_publish_count, yg_conf_dns_publish, 64, dns_publish_keys), "Our own policy as a response policy zone, for members with resolvers of their own (AXFR, IXFR).", YG_CL_TWICE},
	{"resolve.dnstap", AT(dns_taps), AT(dns_tap_count), sizeof(struct yg_conf_dns_tap), 8, dns_tap_keys,
	 YG_RELOAD_ROLE, RESOLVE, "0.3", "Whom the resolver tells of its answers in dnstap.", YG_CL_TWICE},
	{NULL, 0, 0, 0, 0, NULL, YG_RELOAD_LIVE, 0, NULL, NULL, 0},
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
