/* conf.h - the configuration: one YAML file, one key table (conf/conf.c) from
 * which the checker, the defaults, yagura.yaml(5), the JSON schema and
 * `yagura config check|print` come.  An empty file is a valid configuration.
 *
 * Ownership: a yg_conf and all in it live in the arena it was read into.
 */
#pragma once
#include "base/arena.h"
#include "base/ip.h"

struct yg_conf_listener {                                 /* ingest.listeners[] */
	struct yg_sv name, org, protocol, source;         /* protocol: udp, tcp, tls, unix */
	struct yg_sv address;                             /* "127.0.0.1:5514", "[::]:6514" */
	struct yg_sv path;                                /* unix */
	struct yg_sv cert_file, key_file, client_ca_file; /* tls; empty: the server's own */
};
struct yg_conf_follow {                       /* ingest.follow[] */
	struct yg_sv name, org, source, path; /* path may hold one * in its last part */
};
struct yg_conf_provider { /* session.providers[] */
	struct yg_sv name, issuer, client_id, client_secret_file, scopes, hosts;
};
struct yg_conf_mapping { /* ingest.mappings[] */
	struct yg_sv name, file;
};

struct yg_conf_dns_listen { /* resolve.listen[], .dot[], .doh[], .notify[] */
	struct yg_sv address;
	struct yg_sv cert_file, key_file, client_ca_file; /* dot, doh; empty: the server's own */
	struct yg_sv path;                                /* doh: "/dns-query" */
};
struct yg_conf_dns_client { /* resolve.clients[] */
	struct yg_sv prefix, org, network;
	struct yg_sv dot_name, certificate, doh_token_file; /* other ways to know it */
};
#define YG_CONF_SOCKET_MAX    107 /* bytes of the path of a Unix socket */
#define YG_CONF_SINKHOLES_MAX 16
#define YG_CONF_SERVERS_MAX   16 /* of one upstream */
struct yg_conf_dns_upstream {    /* resolve.upstream[] */
	struct yg_sv zone, org;
	struct yg_sv forward, stub; /* "ip:port ip:port"; one of them, or recursion */
	uint64_t recursion;         /* bool */
	struct yg_sv pins, ca_file; /* of servers that are asked by TLS: "ip:port#name" */
	struct yg_sv dnssec;        /* auto, off, trust-ad, validate */
	uint64_t private_addresses; /* bool */
};
struct yg_conf_dns_local { /* resolve.local[] */
	struct yg_sv zone, org, file, other_names;
};
struct yg_conf_dns_record { /* resolve.local-data[] */
	struct yg_sv record, org;
};
struct yg_conf_dns_policy { /* resolve.policy[] */
	struct yg_sv name, rpz, list, axfr, zone, org, layer, mode, override_, category;
	struct yg_sv tsig_name, tsig_algorithm, tsig_secret_file;
	struct yg_sv sinkhole, ede, text; /* sinkhole: addresses with blanks between */
	uint64_t ttl, force;              /* s; bool */
};
struct yg_conf_dns_mode { /* resolve.modes[] */
	struct yg_sv layer, mode, org;
};
struct yg_conf_dns_answer { /* resolve.answers[] */
	struct yg_sv answer, sinkhole, category, org;
	uint64_t ttl; /* s */
};
struct yg_conf_dns_privacy { /* resolve.privacy[] */
	struct yg_sv org, addresses;
};
#define YG_CONF_TAP_MAX 255 /* bytes of where it goes */
struct yg_conf_dns_tap {    /* resolve.dnstap[] */
	struct yg_sv to, protocol, ca_file, tls_name;
	uint64_t policy, extra; /* bools */
	uint64_t queue, size;   /* bytes */
};
struct yg_conf_dns_publish { /* resolve.publish[] */
	struct yg_sv zone, org, listen, allow, notify;
	struct yg_sv tsig_name, tsig_algorithm, tsig_secret_file;
};
struct yg_conf {
	/* api: */
	struct yg_sv api_address; /* "127.0.0.1:8443"; "none": only the Unix socket */
	struct yg_sv api_cert_file,
		api_key_file;          /* empty: self-signed in keys/, made at first start */
	uint64_t api_connections;      /* 12000 */
	uint64_t api_body_total_bytes; /* 128 MiB: all request bodies in flight together */
	int64_t api_timeout_us;        /* 30 s: a connection that sends nothing */
	struct yg_sv metrics_address;  /* "": /metrics only on the API */
	struct yg_sv public_url;       /* "https://yagura.example"; "": by the address asked for */
	/* session: */
	int64_t session_idle_us;     /* 30 min: a session that is not used ends */
	int64_t session_absolute_us; /* 12 h: every session ends */
	struct yg_conf_provider *providers;
	size_t provider_count;
	/* store: */
	struct yg_sv store_url; /* "embedded" or http(s)://host:port */
	struct yg_sv store_user, store_password_file, store_database;
	struct yg_sv store_library; /* path of libchdb.so; "": looked for */
	struct yg_sv
		store_listen; /* "": Unix socket only; "127.0.0.1:8123": also TCP on loopback */
	uint64_t store_memory_bytes;       /* 2 GiB: the engine's bound */
	uint64_t store_query_memory_bytes; /* 512 MiB */
	int64_t store_query_timeout_us;    /* 30 s */
	uint64_t store_query_rows;         /* 0: no limit on rows read */
	uint64_t store_result_bytes;       /* 256 MiB */
	uint64_t store_connections;        /* 32 */
	uint64_t store_retention_days;     /* 365; 0: keep for ever */
	/* detect: */
	uint64_t detect_hunt_days; /* 90; 0: no hunts by themselves */
	/* ingest: */
	uint64_t ingest_workers;      /* 1 */
	uint64_t ingest_spool_bytes;  /* 4 GiB per worker */
	int64_t ingest_flush_us;      /* 20 ms: longest wait for a group of fsyncs */
	int64_t ingest_deliver_us;    /* 500 ms: longest wait before rows go to the store */
	uint64_t ingest_deliver_rows; /* 65536 */
	/* detect: */
	int64_t detect_lateness_us; /* 60 s: events may come so much later than the newest */
	struct yg_sv detect_places; /* file of networks and their places; "": none */
	/* ingest, its lists: */
	struct yg_conf_listener *listeners;
	size_t listener_count;
	struct yg_conf_follow *follows;
	size_t follow_count;
	struct yg_conf_mapping *mappings;
	size_t mapping_count;
	/* resolve: */
	uint64_t resolve_workers;                  /* 1 */
	uint64_t resolve_cache_bytes;              /* 128 MiB per worker */
	uint64_t resolve_edns_bytes;               /* 1232 */
	uint64_t resolve_ttl_min, resolve_ttl_max; /* s */
	int64_t resolve_stale_us;   /* 1 d: how long behind its end an answer may still serve */
	struct yg_sv resolve_below; /* "validated", "always", "never": RFC 8020 */
	uint64_t resolve_fair;      /* bool */
	uint64_t resolve_rrl, resolve_rrl_slip; /* answers/s per client network; 0: no limit */
	uint64_t resolve_tcp, resolve_tcp_per_client;
	int64_t resolve_tcp_idle_us;
	uint64_t resolve_rebinding;                 /* bool */
	struct yg_sv resolve_rebinding_allow;       /* names, with blanks between */
	uint64_t resolve_break_dnssec;              /* bool */
	uint64_t resolve_confidence;                /* 50: of indicators that DNS goes by */
	struct yg_sv resolve_hints, resolve_anchor; /* files; "": the system's */
	struct yg_sv resolve_insecure;              /* names, with blanks between */
	uint64_t resolve_log;                       /* bool: every query is an event */
	uint64_t resolve_log_bytes;       /* 2 GiB: of all workers, until ingest has taken it */
	struct yg_sv resolve_log_full;    /* "drop-new", "drop-old" */
	struct yg_sv resolve_addresses;   /* "kept", "pseudonymised", "dropped" */
	struct yg_sv resolve_address_key; /* file; "": keys/dns-log */
	struct yg_conf_dns_listen *dns_listens, *dns_dots, *dns_dohs, *dns_notifies;
	size_t dns_listen_count, dns_dot_count, dns_doh_count, dns_notify_count;
	struct yg_conf_dns_client *dns_clients;
	size_t dns_client_count;
	struct yg_conf_dns_upstream *dns_upstreams;
	size_t dns_upstream_count;
	struct yg_conf_dns_local *dns_locals;
	size_t dns_local_count;
	struct yg_conf_dns_record *dns_records;
	size_t dns_record_count;
	struct yg_conf_dns_policy *dns_policies;
	size_t dns_policy_count;
	struct yg_conf_dns_mode *dns_modes;
	size_t dns_mode_count;
	struct yg_conf_dns_answer *dns_answers;
	size_t dns_answer_count;
	struct yg_conf_dns_privacy *dns_privacies;
	size_t dns_privacy_count;
	struct yg_conf_dns_publish *dns_publishes;
	size_t dns_publish_count;
	struct yg_conf_dns_tap *dns_taps;
	size_t dns_tap_count;
	/* process: */
	struct yg_sv user;      /* "yagura": who roles run as when started as root */
	int64_t restart_max_us; /* 60 s: longest back-off */
	int64_t watchdog_us;    /* 120 s: a role that does not answer for this long is killed */
	/* log: */
	struct yg_sv log_level; /* "info" */

	const struct yg_conf_lines *lines; /* where each key stands in the file; NULL: nowhere */
};

/* Whom a changed key concerns; the same bits as enum yg_role_bit. */
enum yg_conf_role {
	YG_CONF_MAIN = 1, /* with YG_RELOAD_RESTART: the whole service */
	YG_CONF_CENTER = 2,
	YG_CONF_STORE = 4,
	YG_CONF_INGEST = 8,
	YG_CONF_RESOLVE = 16,
	YG_CONF_ZONES = 32,
};
enum yg_conf_reload {
	YG_RELOAD_LIVE, /* SIGHUP: in force at once */
	YG_RELOAD_ROLE, /* SIGHUP: the roles concerned drain and start again; listeners stay open */
	YG_RELOAD_RESTART, /* in force at the next start of the service */
};

/* Reads YAML; every problem is reported through `report` ("file:line: key:
 * expected ..., found ..."), all of them, not only the first; then YG_PARSE. */
typedef void yg_conf_report_fn(void *ctx, const char *file, size_t line, const char *key,
			       const char *text);
yg_status yg_conf_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
		       struct yg_conf *out, yg_conf_report_fn *report, void *ctx,
		       struct yg_err *err);
/* The effective configuration as YAML, every key with its one-sentence comment;
 * what it prints reads back to the same configuration. */
void yg_conf_print(const struct yg_conf *c, bool only_changed, struct yg_buf *out);
/* A line for each key: its value, and the line of `file` that says so, or that it is the default. */
void yg_conf_print_origin(const struct yg_conf *c, const char *file, bool only_changed,
			  struct yg_buf *out);
void yg_conf_print_schema(struct yg_buf *out); /* JSON Schema 2020-12 */
void yg_conf_print_manual(struct yg_buf *out); /* mdoc, yagura.yaml(5) */
/* Files that the configuration names: there, readable by this process, in
 * pairs.  Reported as by yg_conf_read(); YG_PARSE when one is not. */
yg_status yg_conf_check_files(const struct yg_conf *c, const char *file_name,
			      yg_conf_report_fn *report, void *ctx, struct yg_err *err);

/* Every key whose value differs, with what it takes to apply it. */
typedef void yg_conf_changed_fn(void *ctx, const char *key, enum yg_conf_reload reload,
				unsigned roles);
void yg_conf_diff(const struct yg_conf *a, const struct yg_conf *b, yg_conf_changed_fn *fn,
		  void *ctx);
