/* zeek.c - Zeek logs, NDJSON and TSV.  doc/sources/zeek.md has the mapping in words. */
#include "event/norm.h"
#include "event/zeek_row.h"

/* Kinds of log: id, #path or _path, class, activity. */
/* clang-format off */
#define KINDS(X)                                                        \
	X(OTHER,        "",               NETWORK_ACTIVITY,   99)       \
	X(CONN,         "conn",           NETWORK_ACTIVITY,   6)        \
	X(DNS,          "dns",            DNS_ACTIVITY,       6)        \
	X(HTTP,         "http",           HTTP_ACTIVITY,      99)       \
	X(SSL,          "ssl",            NETWORK_ACTIVITY,   1)        \
	X(X509,         "x509",           BASE_EVENT,         99)       \
	X(FILES,        "files",          FILE_ACTIVITY,      99)       \
	X(SMTP,         "smtp",           EMAIL_ACTIVITY,     1)        \
	X(SSH,          "ssh",            SSH_ACTIVITY,       1)        \
	X(RDP,          "rdp",            RDP_ACTIVITY,       6)        \
	X(SMB_FILES,    "smb_files",      SMB_ACTIVITY,       99)       \
	X(SMB_MAPPING,  "smb_mapping",    SMB_ACTIVITY,       99)       \
	X(SMB_CMD,      "smb_cmd",        SMB_ACTIVITY,       99)       \
	X(FTP,          "ftp",            FTP_ACTIVITY,       99)       \
	X(KERBEROS,     "kerberos",       AUTHENTICATION,     99)       \
	X(NTLM,         "ntlm",           AUTHENTICATION,     1)        \
	X(RADIUS,       "radius",         AUTHENTICATION,     1)        \
	X(LDAP,         "ldap",           NETWORK_ACTIVITY,   6)        \
	X(LDAP_SEARCH,  "ldap_search",    NETWORK_ACTIVITY,   6)        \
	X(NOTICE,       "notice",         DETECTION_FINDING,  1)        \
	X(INTEL,        "intel",          DETECTION_FINDING,  1)        \
	X(SIGNATURES,   "signatures",     DETECTION_FINDING,  1)        \
	X(WEIRD,        "weird",          NETWORK_ACTIVITY,   99)       \
	X(ANALYZER,     "analyzer",       NETWORK_ACTIVITY,   99)       \
	X(DPD,          "dpd",            NETWORK_ACTIVITY,   99)       \
	X(DHCP,         "dhcp",           DHCP_ACTIVITY,      99)       \
	X(NTP,          "ntp",            NTP_ACTIVITY,       99)       \
	X(SOFTWARE,     "software",       SOFTWARE_INVENTORY, 2)        \
	X(KNOWN_HOSTS,  "known_hosts",    INVENTORY_INFO,     2)        \
	X(KNOWN_SVCS,   "known_services", INVENTORY_INFO,     2)        \
	X(KNOWN_CERTS,  "known_certs",    INVENTORY_INFO,     2)        \
	X(MODBUS,       "modbus",         NETWORK_ACTIVITY,   6)        \
	X(DNP3,         "dnp3",           NETWORK_ACTIVITY,   6)        \
	X(DCE_RPC,      "dce_rpc",        NETWORK_ACTIVITY,   6)        \
	X(SYSLOG,       "syslog",         BASE_EVENT,         99)       \
	X(TUNNEL,       "tunnel",         TUNNEL_ACTIVITY,    99)       \
	X(SOCKS,        "socks",          NETWORK_ACTIVITY,   6)        \
	X(SIP,          "sip",            NETWORK_ACTIVITY,   6)        \
	X(SNMP,         "snmp",           NETWORK_ACTIVITY,   6)        \
	X(IRC,          "irc",            NETWORK_ACTIVITY,   6)        \
	X(MYSQL,        "mysql",          NETWORK_ACTIVITY,   6)        \
	X(QUIC,         "quic",           NETWORK_ACTIVITY,   1)        \
	X(RFB,          "rfb",            NETWORK_ACTIVITY,   6)        \
	X(PE,           "pe",             FILE_ACTIVITY,      99)       \
	X(OCSP,         "ocsp",           BASE_EVENT,         99)       \
	X(REPORTER,     "reporter",       BASE_EVENT,         99)
/* clang-format on */
enum kind {
	K_ANY,
#define X(id, path, class, activity) K_##id,
	KINDS(X)
#undef X
		K_COUNT
};
static const struct {
	struct yg_sv path;
	uint32_t class_uid;
	uint8_t activity_id;
} kinds[K_COUNT] = {
#define X(id, path, class, activity) [K_##id] = {YG_SV_INIT(path), YG_OCSF_##class, activity},
	KINDS(X)
#undef X
};

/* Values that several fields or a look at the whole are needed for: kept until
 * the record's end.  OP_NAME and OP_ANSWER act at once. */
enum slot {
	S_STATE,
	S_METHOD,
	S_HOST,
	S_URI,
	S_OK,
	S_REPLY,
	S_MODE,
	S_DIR,
	S_NAME,
	S_DOMAIN,
	S_QTYPE,
	S_FROM,
	S_PATH,
	S_COUNT
};
enum { OP_SLOT = YG_OP_OWN, OP_NAME = OP_SLOT + S_COUNT, OP_ANSWER, OP_TLS };

struct column {
	const struct yg_rule_slot *rule; /* NULL: kept in raw only */
	bool list;
};
enum {
	COLUMNS_MAX = 512
}; /* of a TSV log; the largest known has under 60; the rest is in raw only */
struct zeek {
	struct yg_sv slot[S_COUNT];   /* of the record at hand */
	struct yg_zeek_header header; /* the TSV header at hand; views into the batch */
	struct yg_sv kept;            /* what of it goes before each row's text */
	bool ready;                   /* columns[] and `kept` follow from the header */
	enum kind kind;
	size_t column_count;
	struct column columns[COLUMNS_MAX];
};

#define SET(kind, key, field)     YG_RULE(K_##kind, key, YG_OP_SET, field)
#define PUT(kind, key, op, field) YG_RULE(K_##kind, key, YG_OP_##op, field)
#define KEEP(kind, key, slot)     YG_RULE(K_##kind, key, OP_SLOT + S_##slot, time)
#define OWN(kind, key, op)        YG_RULE(K_##kind, key, OP_##op, time)
enum { LIKELY = YG_OP_OWN + 100, SURE };
#define TELLS(kind, key, how)                                                                      \
	{                                                                                          \
		K_COUNT, (how), K_##kind, YG_SV_INIT(key)                                          \
	}
static const struct yg_rule rules[] = {
	PUT(ANY, "ts", TIME, time),
	SET(ANY, "uid", uid),
	SET(ANY, "id.orig_h", src_ip),
	SET(ANY, "id.orig_p", src_port),
	SET(ANY, "id.resp_h", dst_ip),
	SET(ANY, "id.resp_p", dst_port),
	SET(ANY, "id_orig_h", src_ip),
	SET(ANY, "id_orig_p", src_port),
	SET(ANY, "id_resp_h", dst_ip),
	SET(ANY, "id_resp_p", dst_port),
	PUT(ANY, "proto", LOWER, proto),
	SET(ANY, "_system_name", host),
	KEEP(ANY, "_path", PATH),
	KEEP(ANY, "@stream", PATH),

	PUT(CONN, "service", LOWER, app),
	PUT(CONN, "duration", SECONDS, duration),
	SET(CONN, "orig_bytes", bytes_out),
	SET(CONN, "resp_bytes", bytes_in),
	KEEP(CONN, "conn_state", STATE),

	PUT(DNS, "query", DOMAIN, query),
	SET(DNS, "qtype_name", query_type),
	KEEP(DNS, "qtype", QTYPE),
	SET(DNS, "rcode_name", rcode),
	OWN(DNS, "answers", ANSWER),
	PUT(DNS, "rtt", SECONDS, duration),

	SET(HTTP, "method", http_method),
	KEEP(HTTP, "host", HOST),
	KEEP(HTTP, "uri", URI),
	SET(HTTP, "referrer", referrer),
	SET(HTTP, "user_agent", user_agent),
	SET(HTTP, "status_code", http_status),
	SET(HTTP, "status_msg", message),
	SET(HTTP, "username", user),
	SET(HTTP, "request_body_len", bytes_out),
	SET(HTTP, "response_body_len", bytes_in),

	OWN(SSL, "version", TLS),
	PUT(SSL, "server_name", DOMAIN, dst_host),
	SET(SSL, "subject", tls_subject),
	SET(SSL, "issuer", tls_issuer),
	SET(SSL, "ja4", ja3),
	PUT(SSL, "ja3", FILL, ja3),
	PUT(SSL, "cert_chain_fps", LOWER, hashes),
	SET(SSL, "validation_status", message),
	SET(SSL, "last_alert", event_code),
	KEEP(SSL, "established", OK),

	PUT(X509, "fingerprint", LOWER, hashes),
	SET(X509, "certificate.subject", tls_subject),
	SET(X509, "certificate.issuer", tls_issuer),
	OWN(X509, "san.dns", NAME),
	OWN(X509, "san.ip", NAME),
	OWN(X509, "san.email", NAME),
	OWN(X509, "san.uri", NAME),

	SET(FILES, "tx_hosts", src_ip),
	SET(FILES, "rx_hosts", dst_ip),
	SET(FILES, "conn_uids", uid),
	PUT(FILES, "source", LOWER, app),
	SET(FILES, "filename", file_path),
	SET(FILES, "mime_type", event_code),
	PUT(FILES, "md5", LOWER, hashes),
	PUT(FILES, "sha1", LOWER, hashes),
	PUT(FILES, "sha256", LOWER, hashes),
	PUT(FILES, "duration", SECONDS, duration),
	SET(FILES, "seen_bytes", bytes_out),

	SET(SMTP, "helo", src_host),
	PUT(SMTP, "mailfrom", EMAIL, mail_from),
	KEEP(SMTP, "from", FROM),
	PUT(SMTP, "rcptto", EMAIL, mail_to),
	SET(SMTP, "subject", subject),
	SET(SMTP, "user_agent", user_agent),
	KEEP(SMTP, "last_reply", REPLY),

	SET(SSH, "client", user_agent),
	SET(SSH, "server", message),
	KEEP(SSH, "auth_success", OK),
	SET(SSH, "hassh", ja3),

	SET(RDP, "cookie", user),
	SET(RDP, "client_name", src_host),
	SET(RDP, "result", event_code),

	KEEP(SMB_FILES, "action", METHOD),
	KEEP(SMB_FILES, "path", DIR),
	KEEP(SMB_FILES, "name", NAME),
	SET(SMB_FILES, "size", bytes_in),
	SET(SMB_MAPPING, "path", file_path),
	SET(SMB_MAPPING, "share_type", event_code),
	SET(SMB_CMD, "command", event_code),
	SET(SMB_CMD, "status", message),
	SET(SMB_CMD, "username", user),

	SET(FTP, "user", user),
	SET(FTP, "command", event_code),
	KEEP(FTP, "arg", URI),
	KEEP(FTP, "reply_code", REPLY),
	SET(FTP, "reply_msg", message),
	SET(FTP, "file_size", bytes_in),

	SET(KERBEROS, "client", user),
	SET(KERBEROS, "service", message),
	SET(KERBEROS, "error_msg", event_code),
	KEEP(KERBEROS, "request_type", METHOD),
	KEEP(KERBEROS, "success", OK),

	KEEP(NTLM, "username", NAME),
	KEEP(NTLM, "domainname", DOMAIN),
	SET(NTLM, "hostname", src_host),
	PUT(NTLM, "server_dns_computer_name", DOMAIN, dst_host),
	KEEP(NTLM, "server_nb_computer_name", HOST),
	KEEP(NTLM, "success", OK),

	SET(RADIUS, "username", user),
	SET(RADIUS, "mac", src_host),
	SET(RADIUS, "reply_msg", message),
	KEEP(RADIUS, "result", REPLY),

	SET(LDAP, "message_id", event_code),
	SET(LDAP, "object", user),
	SET(LDAP, "diagnostic_messages", message),
	SET(LDAP_SEARCH, "filter", message),
	SET(LDAP_SEARCH, "base_objects", file_path),

	SET(NOTICE, "note", finding_title),
	SET(NOTICE, "msg", message),
	SET(NOTICE, "src", src_ip),
	SET(NOTICE, "dst", dst_ip),
	SET(NOTICE, "p", dst_port),
	SET(INTEL, "seen.indicator", indicator),
	SET(INTEL, "seen.where", message),
	SET(INTEL, "seen.indicator_type", event_code),
	SET(INTEL, "sources", list),
	SET(SIGNATURES, "sig_id", event_code),
	SET(SIGNATURES, "event_msg", message),
	SET(SIGNATURES, "src_addr", src_ip),
	SET(SIGNATURES, "src_port", src_port),
	SET(SIGNATURES, "dst_addr", dst_ip),
	SET(SIGNATURES, "dst_port", dst_port),

	SET(WEIRD, "name", event_code),
	SET(WEIRD, "addl", message),
	PUT(WEIRD, "source", LOWER, app),
	PUT(ANALYZER, "analyzer_name", LOWER, app),
	SET(ANALYZER, "cause", event_code),
	SET(ANALYZER, "failure_reason", message),
	PUT(DPD, "analyzer", LOWER, app),
	SET(DPD, "failure_reason", message),

	SET(DHCP, "uids", uid),
	SET(DHCP, "client_addr", src_ip),
	SET(DHCP, "assigned_addr", src_ip),
	SET(DHCP, "server_addr", dst_ip),
	SET(DHCP, "host_name", src_host),
	SET(DHCP, "client_message", message),
	PUT(DHCP, "duration", SECONDS, duration),
	KEEP(DHCP, "msg_types", METHOD),
	OWN(DHCP, "mac", NAME),
	OWN(DHCP, "client_fqdn", NAME),

	KEEP(NTP, "mode", MODE),

	SET(SOFTWARE, "host", src_ip),
	SET(SOFTWARE, "host_p", src_port),
	SET(SOFTWARE, "software_type", event_code),
	SET(SOFTWARE, "name", app),
	SET(SOFTWARE, "unparsed_version", message),
	SET(KNOWN_HOSTS, "host", src_ip),
	SET(KNOWN_SVCS, "host", src_ip),
	SET(KNOWN_SVCS, "port_num", src_port),
	PUT(KNOWN_SVCS, "port_proto", LOWER, proto),
	PUT(KNOWN_SVCS, "service", LOWER, app),
	SET(KNOWN_CERTS, "host", src_ip),
	SET(KNOWN_CERTS, "port_num", src_port),
	SET(KNOWN_CERTS, "subject", tls_subject),
	SET(KNOWN_CERTS, "issuer_subject", tls_issuer),

	SET(MODBUS, "func", event_code),
	SET(MODBUS, "exception", message),
	SET(DNP3, "fc_request", event_code),
	SET(DNP3, "fc_reply", message),
	SET(DCE_RPC, "endpoint", api_service),
	SET(DCE_RPC, "operation", api_operation),
	PUT(DCE_RPC, "rtt", SECONDS, duration),
	SET(SYSLOG, "facility", event_code),
	SET(SYSLOG, "message", message),
	KEEP(SYSLOG, "severity", METHOD),
	PUT(TUNNEL, "tunnel_type", LOWER, app),
	KEEP(TUNNEL, "action", METHOD),
	SET(SOCKS, "user", user),
	PUT(SOCKS, "request.name", DOMAIN, dst_host),
	SET(SOCKS, "status", event_code),
	SET(SIP, "method", event_code),
	SET(SIP, "request_from", user),
	SET(SIP, "uri", message),
	SET(SIP, "user_agent", user_agent),
	SET(SNMP, "display_string", message),
	SET(SNMP, "version", event_code),
	SET(IRC, "user", user),
	PUT(IRC, "nick", FILL, user),
	SET(IRC, "command", event_code),
	SET(IRC, "value", message),
	SET(MYSQL, "cmd", event_code),
	SET(MYSQL, "arg", message),
	KEEP(MYSQL, "success", OK),
	PUT(QUIC, "server_name", DOMAIN, dst_host),
	SET(QUIC, "version", event_code),
	SET(RFB, "desktop_name", message),
	SET(RFB, "authentication_method", event_code),
	SET(PE, "id", uid),
	SET(PE, "os", message),
	SET(OCSP, "id", uid),
	SET(OCSP, "certStatus", event_code),
	SET(REPORTER, "level", event_code),
	SET(REPORTER, "message", message),

	/* a field that only this kind has: tells the kind where no path does */
	TELLS(CONN, "conn_state", SURE),
	TELLS(DNS, "qtype_name", SURE),
	TELLS(DNS, "qclass", SURE),
	TELLS(DNS, "rcode_name", SURE),
	TELLS(DNS, "rejected", SURE),
	TELLS(SSL, "ssl_history", SURE),
	TELLS(SSL, "cert_chain_fps", SURE),
	TELLS(SSL, "client_cert_chain_fps", SURE),
	TELLS(X509, "certificate.serial", SURE),
	TELLS(FILES, "seen_bytes", SURE),
	TELLS(FILES, "tx_hosts", SURE),
	TELLS(SMTP, "helo", SURE),
	TELLS(SMTP, "mailfrom", SURE),
	TELLS(SMTP, "is_webmail", SURE),
	TELLS(SSH, "auth_attempts", SURE),
	TELLS(SSH, "kex_alg", SURE),
	TELLS(SSH, "hassh", SURE),
	TELLS(RDP, "security_protocol", SURE),
	TELLS(RDP, "encryption_level", SURE),
	TELLS(SMB_FILES, "times.modified", SURE),
	TELLS(SMB_FILES, "prev_name", SURE),
	TELLS(SMB_MAPPING, "share_type", SURE),
	TELLS(SMB_CMD, "argument", SURE),
	TELLS(SMB_CMD, "sub_command", SURE),
	TELLS(FTP, "reply_code", SURE),
	TELLS(FTP, "data_channel.passive", SURE),
	TELLS(KERBEROS, "request_type", SURE),
	TELLS(KERBEROS, "forwardable", SURE),
	TELLS(KERBEROS, "renewable", SURE),
	TELLS(NTLM, "domainname", SURE),
	TELLS(NTLM, "server_nb_computer_name", SURE),
	TELLS(NTLM, "server_dns_computer_name", SURE),
	TELLS(RADIUS, "framed_addr", SURE),
	TELLS(RADIUS, "connect_info", SURE),
	TELLS(LDAP, "diagnostic_messages", SURE),
	TELLS(LDAP, "opcode", SURE),
	TELLS(LDAP_SEARCH, "base_objects", SURE),
	TELLS(NOTICE, "note", SURE),
	TELLS(NOTICE, "suppress_for", SURE),
	TELLS(INTEL, "seen.indicator", SURE),
	TELLS(SIGNATURES, "sig_id", SURE),
	TELLS(WEIRD, "notice", SURE),
	TELLS(ANALYZER, "analyzer_kind", SURE),
	TELLS(DPD, "analyzer", SURE),
	TELLS(DHCP, "msg_types", SURE),
	TELLS(DHCP, "assigned_addr", SURE),
	TELLS(NTP, "stratum", SURE),
	TELLS(SOFTWARE, "software_type", SURE),
	TELLS(KNOWN_SVCS, "port_proto", SURE),
	TELLS(KNOWN_CERTS, "issuer_subject", SURE),
	TELLS(MODBUS, "func", SURE),
	TELLS(DNP3, "fc_request", SURE),
	TELLS(DCE_RPC, "named_pipe", SURE),
	TELLS(SYSLOG, "facility", SURE),
	TELLS(TUNNEL, "tunnel_type", SURE),
	TELLS(SOCKS, "request_p", SURE),
	TELLS(SOCKS, "bound_p", SURE),
	TELLS(SIP, "call_id", SURE),
	TELLS(SIP, "request_from", SURE),
	TELLS(SNMP, "community", SURE),
	TELLS(SNMP, "get_requests", SURE),
	TELLS(IRC, "nick", SURE),
	TELLS(MYSQL, "cmd", SURE),
	TELLS(QUIC, "client_initial_dcid", SURE),
	TELLS(RFB, "client_major_version", SURE),
	TELLS(PE, "is_exe", SURE),
	TELLS(OCSP, "certStatus", SURE),
	TELLS(HTTP, "request_body_len", LIKELY),
	TELLS(HTTP, "status_code", LIKELY),
	TELLS(HTTP, "uri", LIKELY),
	TELLS(FILES, "mime_type", LIKELY),
	TELLS(SSL, "cipher", LIKELY),
	TELLS(SSL, "established", LIKELY),
};

static bool is_true(struct yg_sv s)
{
	return YG_SV_IS(s, "true") || YG_SV_IS(s, "T");
}

static enum kind kind_of_path(struct zeek *z, struct yg_sv path)
{
	if (z->kind != K_ANY && yg_sv_eq(path, kinds[z->kind].path))
		return z->kind;              /* mostly the same as before */
	if (yg_sv_ends(path, YG_SV("_red"))) /* Corelight's reduced logs */
		path.n -= 4;
	z->kind = K_OTHER;
	for (int k = K_OTHER + 1; k < K_COUNT; k++)
		if (yg_sv_eq(path, kinds[k].path))
			z->kind = (enum kind)k;
	return z->kind;
}

/* One value of the kinds of operation that are Zeek's own. */
static void own_text(struct yg_norm *n, struct yg_event *ev, unsigned op, struct yg_sv text)
{
	static const struct yg_sv tls[] = {YG_SV_INIT("1.0"), YG_SV_INIT("1.1"), YG_SV_INIT("1.2"),
					   YG_SV_INIT("1.3")};
	struct zeek *z = n->state;
	if (op < OP_SLOT + S_COUNT) {
		z->slot[op - OP_SLOT] = text;
	} else if (op == OP_NAME) {
		yg_norm_name(n, text);
	} else if (op == OP_ANSWER) { /* "TXT 4 Abcd": not a name, its case is kept */
		yg_norm_append(n, &ev->answers,
			       yg_sv_find(text, ' ', 0) < text.n ? text : yg_norm_domain(n, text));
	} else if (op == OP_TLS) {
		bool one = text.n == 6 && yg_sv_starts(text, YG_SV("TLSv1")) && text.p[5] >= '0' &&
			   text.p[5] <= '3';
		ev->tls_version = one ? tls[text.p[5] - '0'] : text;
	}
}

static void own(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		struct yg_sv text, uint32_t node)
{
	const struct yg_json_node *v = yg_json_at(&n->json, node);
	if (v->type != YG_JSON_ARRAY) {
		if (v->type != YG_JSON_NULL && v->type != YG_JSON_OBJECT)
			own_text(n, ev, rule->op, text);
		return;
	}
	uint32_t most = YG_ARRAY_MAX;
	for (uint32_t i = node + 1, end = v->next; i < end && most > 0;
	     i = yg_json_at(&n->json, i)->next, most--) {
		struct yg_sv one = yg_json_str(&n->json, i, &n->arena);
		if (one.n > 0)
			own_text(n, ev, rule->op, one);
	}
}

/* What one kind needs once all fields are in; each sees the slots. */
static void post_conn(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	(void)n;
	struct yg_sv s = z->slot[S_STATE];
	ev->event_code = s;
	if (YG_SV_IS(s, "REJ"))
		ev->activity_id = 5; /* Refuse */
	else if (YG_SV_IS(s, "S0"))
		ev->activity_id = 4; /* Fail */
	else if (yg_sv_starts(s, YG_SV("RST")))
		ev->activity_id = 3; /* Reset */
	ev->status_id = YG_SV_IS(s, "SF")                              ? 1
			: ev->activity_id == 4 || ev->activity_id == 5 ? 2
								       : 0;
}

static void post_dns(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	if (ev->rcode.n == 0)
		ev->activity_id = ev->answers.n > 0 ? 6 : 1; /* Traffic, Query */
	else
		ev->status_id = YG_SV_IS(ev->rcode, "NOERROR") ? 1 : 2;
	if (ev->query_type.n == 0 && z->slot[S_QTYPE].n > 0)
		ev->query_type = YG_NORM_JOIN(n, YG_SV("TYPE"), z->slot[S_QTYPE]);
	ev->app = YG_SV("dns");
}

static void post_http(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	struct yg_sv host = yg_norm_lower(n, z->slot[S_HOST]);
	ev->activity_id = yg_http_activity(ev->http_method);
	ev->url = yg_norm_url(n, YG_SV("http"), host, ev->dst_port, z->slot[S_URI]);
	/* the Host header may carry a port, and an IPv6 address brackets */
	if (host.n > 0 && host.p[0] == '[')
		host = yg_sv_sub(host, 1, yg_sv_find(host, ']', 0) - 1);
	else
		host = yg_sv_sub(host, 0, yg_sv_find(host, ':', 0));
	ev->dst_host = yg_norm_domain(n, host);
	ev->status_id = ev->http_status == 0 ? 0 : ev->http_status < 400 ? 1 : 2;
	ev->app = YG_SV("http");
}

static void post_ok(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	(void)n;
	if (z->slot[S_OK].n > 0)
		ev->status_id = is_true(z->slot[S_OK]) ? 1 : 2;
}

static void post_smtp(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	struct yg_sv reply = z->slot[S_REPLY];
	ev->message = reply;
	if (reply.n > 0)
		ev->status_id = reply.p[0] == '2' || reply.p[0] == '3'   ? 1
				: reply.p[0] == '4' || reply.p[0] == '5' ? 2
									 : 0;
	if (ev->mail_from.n == 0)
		yg_norm_put(n, ev, YG_OP_EMAIL, YG_EF_mail_from, z->slot[S_FROM]);
	ev->app = YG_SV("smtp");
}

static void post_smb_files(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	struct yg_sv dir = z->slot[S_DIR], name = z->slot[S_NAME];
	ev->event_code = z->slot[S_METHOD];
	if (YG_SV_IS(ev->event_code, "SMB::FILE_OPEN"))
		ev->activity_id = 2; /* File Open */
	bool joint = dir.n > 0 && name.n > 0 && dir.p[dir.n - 1] != '\\' && name.p[0] != '\\';
	ev->file_path =
		dir.n == 0 ? name : YG_NORM_JOIN(n, dir, joint ? YG_SV("\\") : YG_SV(""), name);
	ev->app = YG_SV("smb");
}

static void post_ftp(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	struct yg_sv arg = z->slot[S_URI], reply = z->slot[S_REPLY];
	(void)n;
	ev->activity_id = yg_ftp_activity(ev->event_code);
	if (yg_sv_starts(arg, YG_SV("ftp://")))
		ev->url = arg;
	if (ev->activity_id != 99)
		ev->file_path = arg;
	if (reply.n > 0)
		ev->status_id = reply.p[0] < '4' ? 1 : 2;
	ev->app = YG_SV("ftp");
}

static void post_kerberos(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	struct yg_sv type = z->slot[S_METHOD];
	ev->activity_id = YG_SV_IS(type, "AS") ? 3 : YG_SV_IS(type, "TGS") ? 4 : 99;
	ev->app = YG_SV("kerberos");
	post_ok(n, ev, z);
}

static void post_ntlm(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	struct yg_sv domain = z->slot[S_DOMAIN], name = z->slot[S_NAME];
	ev->user = domain.n > 0 && name.n > 0 ? YG_NORM_JOIN(n, domain, YG_SV("\\"), name) : name;
	if (ev->dst_host.n == 0)
		ev->dst_host = yg_norm_lower(n, z->slot[S_HOST]);
	ev->app = YG_SV("ntlm");
	post_ok(n, ev, z);
}

static void post_radius(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	(void)n;
	ev->status_id = YG_SV_IS(z->slot[S_REPLY], "success")  ? 1
			: YG_SV_IS(z->slot[S_REPLY], "failed") ? 2
							       : 0;
	ev->app = YG_SV("radius");
}

static void post_finding(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	if (ev->finding_title.n == 0)
		ev->finding_title =
			ev->message.n > 0 && z->kind != K_INTEL ? ev->message : ev->indicator;
	else
		ev->event_code = ev->finding_title;
	ev->finding_uid = YG_NORM_JOIN(n, ev->finding_title, YG_SV("/"), ev->uid);
	if (ev->list.n == 0)
		ev->list = YG_SV("zeek");
	ev->severity_id = z->kind == K_NOTICE ? 2 : 3; /* Low, Medium */
	if (ev->indicator.n > 0)
		yg_norm_name(n, ev->indicator);
}

static void post_dhcp(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	ev->event_code = z->slot[S_METHOD];
	ev->activity_id = yg_dhcp_activity(yg_norm_lower(n, ev->event_code));
	ev->app = YG_SV("dhcp");
}

static void post_ntp(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	(void)n;
	struct yg_sv mode = z->slot[S_MODE]; /* RFC 5905: OCSF has the same numbers */
	if (mode.n == 1 && mode.p[0] >= '1' && mode.p[0] <= '7')
		ev->activity_id = (uint8_t)(mode.p[0] - '0');
	ev->app = YG_SV("ntp");
}

static void post_syslog(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	static const struct {
		struct yg_sv name;
		uint8_t severity;
	} rows[] = {{YG_SV_INIT("EMERG"), 6},   {YG_SV_INIT("ALERT"), 5},
		    {YG_SV_INIT("CRIT"), 5},    {YG_SV_INIT("ERR"), 4},
		    {YG_SV_INIT("WARNING"), 3}, {YG_SV_INIT("NOTICE"), 2}};
	(void)n;
	for (size_t i = 0; i < YG_LEN(rows); i++)
		if (yg_sv_eq(rows[i].name, z->slot[S_METHOD]))
			ev->severity_id = rows[i].severity;
	ev->app = YG_SV("syslog");
}

static void post_tunnel(struct yg_norm *n, struct yg_event *ev, struct zeek *z)
{
	(void)n;
	struct yg_sv action = z->slot[S_METHOD];
	ev->activity_id = yg_sv_ends(action, YG_SV("DISCOVER")) ? 1
			  : yg_sv_ends(action, YG_SV("CLOSE"))  ? 2
								: 99;
}

static void (*const posts[K_COUNT])(struct yg_norm *, struct yg_event *, struct zeek *) = {
	[K_CONN] = post_conn,
	[K_DNS] = post_dns,
	[K_HTTP] = post_http,
	[K_SSL] = post_ok,
	[K_SMTP] = post_smtp,
	[K_SSH] = post_ok,
	[K_SMB_FILES] = post_smb_files,
	[K_FTP] = post_ftp,
	[K_KERBEROS] = post_kerberos,
	[K_NTLM] = post_ntlm,
	[K_RADIUS] = post_radius,
	[K_NOTICE] = post_finding,
	[K_INTEL] = post_finding,
	[K_SIGNATURES] = post_finding,
	[K_DHCP] = post_dhcp,
	[K_NTP] = post_ntp,
	[K_SYSLOG] = post_syslog,
	[K_TUNNEL] = post_tunnel,
	[K_MYSQL] = post_ok,
};
/* Protocol of the kinds whose name is a protocol and whose record does not say so. */
static const struct yg_sv apps[K_COUNT] = {
	[K_SSL] = YG_SV_INIT("ssl"),          [K_SSH] = YG_SV_INIT("ssh"),
	[K_RDP] = YG_SV_INIT("rdp"),          [K_SMB_MAPPING] = YG_SV_INIT("smb"),
	[K_SMB_CMD] = YG_SV_INIT("smb"),      [K_LDAP] = YG_SV_INIT("ldap"),
	[K_LDAP_SEARCH] = YG_SV_INIT("ldap"), [K_MODBUS] = YG_SV_INIT("modbus"),
	[K_DNP3] = YG_SV_INIT("dnp3"),        [K_DCE_RPC] = YG_SV_INIT("dce_rpc"),
	[K_SOCKS] = YG_SV_INIT("socks"),      [K_SIP] = YG_SV_INIT("sip"),
	[K_SNMP] = YG_SV_INIT("snmp"),        [K_IRC] = YG_SV_INIT("irc"),
	[K_MYSQL] = YG_SV_INIT("mysql"),      [K_QUIC] = YG_SV_INIT("quic"),
	[K_RFB] = YG_SV_INIT("rfb"),
};

static void prepare(struct zeek *z, struct yg_event *ev, enum kind k, struct yg_sv path)
{
	memset(z->slot, 0, sizeof z->slot);
	ev->class_uid = kinds[k].class_uid;
	ev->activity_id = kinds[k].activity_id;
	ev->severity_id = 1;
	ev->log_name = k != K_OTHER ? kinds[k].path : path;
	ev->app = apps[k];
}

static void complete(struct yg_norm *n, struct yg_event *ev, enum kind k)
{
	if (posts[k] != NULL)
		posts[k](n, ev, n->state);
	/* a class of the network needs someone on it */
	if (k == K_OTHER && yg_ip_is_zero(ev->src_ip) && yg_ip_is_zero(ev->dst_ip))
		ev->class_uid = YG_OCSF_BASE_EVENT;
}

/* The kind that a field's name gives away, unless a surer one is known. */
static void tell(const struct yg_norm *n, struct yg_sv key, enum kind *kind, unsigned *how)
{
	const struct yg_rule_slot *rule = yg_rules_find(&n->rules, K_COUNT, key);
	if (rule != NULL && rule->op >= LIKELY && rule->op > *how) {
		*kind = (enum kind)rule->field;
		*how = rule->op;
	}
}

static enum kind kind_by_members(struct yg_norm *n)
{
	const struct yg_json *j = &n->json;
	enum kind kind = K_OTHER;
	unsigned how = 0;
	for (uint32_t k = 1; k < j->nodes[0].next && how != SURE; k = j->nodes[k + 1].next)
		tell(n, yg_json_raw(j, k), &kind, &how);
	return kind;
}

static yg_status json_record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			     struct yg_err *err)
{
	struct zeek *z = n->state;
	struct yg_json *j = &n->json;
	yg_status st = yg_norm_json(n, record, err);
	if (st != YG_OK)
		return st;
	uint32_t path = 0;
	if (j->count > 2 && YG_SV_IS(yg_json_raw(j, 1), "_path"))
		path = 2; /* where Zeek writes it */
	if (path == 0)
		path = yg_json_get(j, 0, YG_SV("_path"));
	if (path == 0)
		path = yg_json_get(j, 0, YG_SV("@stream"));
	struct yg_sv name = path != 0 ? yg_json_str(j, path, &n->arena) : YG_SV("");
	enum kind k = path != 0 ? kind_of_path(z, name) : kind_by_members(n);
	z->kind = k;
	prepare(z, ev, k, name);
	yg_norm_apply(n, ev, k, 0);
	if (path == 0 && k == K_OTHER && ev->time == 0 && !n->bad_time)
		return YG_FAIL(err, YG_PARSE,
			       "zeek: neither _path nor ts nor a field of a known log");
	complete(n, ev, k);
	return YG_OK;
}

static void tsv_value(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		      struct yg_sv text)
{
	text = yg_zeek_text(text, &n->arena);
	if (text.n == 0)
		return;
	if (rule->op >= YG_OP_OWN)
		own_text(n, ev, rule->op, text);
	else
		yg_norm_put(n, ev, rule->op, rule->field, text);
}

static void tsv_list(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		     struct yg_sv text)
{
	struct yg_sv part;
	const struct yg_zeek_header *h = &((struct zeek *)n->state)->header;
	char by = h->set_separator.n > 0 ? h->set_separator.p[0] : ',';
	bool all = rule->op >= YG_OP_OWN || yg_event_fields[rule->field].type == YG_ET_STRS;
	for (uint32_t most = all ? YG_ARRAY_MAX : 1; most > 0 && yg_sv_cut(&text, by, &part);
	     most--)
		if (!yg_sv_eq(part, h->unset) && !yg_sv_eq(part, h->empty))
			tsv_value(n, ev, rule, part);
}

/* Columns from the header's lines. */
static void tsv_columns(struct yg_norm *n, struct zeek *z)
{
	const struct yg_zeek_header *h = &z->header;
	struct yg_sv fields = h->fields, types = h->types, name, type;
	unsigned how = 0;
	if (h->path.n > 0) {
		(void)kind_of_path(z, h->path);
	} else {
		z->kind = K_OTHER;
		while (yg_sv_cut(&fields, h->separator, &name))
			tell(n, name, &z->kind, &how);
		fields = h->fields;
	}
	for (z->column_count = 0;
	     z->column_count < COLUMNS_MAX && yg_sv_cut(&fields, h->separator, &name);) {
		struct column *c = &z->columns[z->column_count++];
		c->rule = yg_rules_find(&n->rules, z->kind, name);
		c->list = yg_sv_cut(&types, h->separator, &type) && yg_zeek_is_list(type);
	}
	z->kept = yg_zeek_header_text(h, &n->arena);
	z->ready = true;
}

/* The row as it is kept.  It stays without its header where that would take the memory which
 * values need: many short rows behind a long header. */
static struct yg_sv with_header(struct yg_norm *n, struct yg_sv record)
{
	const struct zeek *z = n->state;
	size_t size = z->kept.n + record.n, left = n->arena.limit - n->arena.used;
	if (z->kept.n == 0 || size > YG_RECORD_MAX || left < n->arena.limit / 4 + size)
		return record;
	char *p = yg_arena_alloc(&n->arena, size, 1);
	if (p == NULL)
		return record;
	memcpy(p, z->kept.p, z->kept.n);
	memcpy(p + z->kept.n, record.p, record.n);
	return (struct yg_sv){p, size};
}

static yg_status tsv_record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			    struct yg_err *err)
{
	struct zeek *z = n->state;
	const struct yg_zeek_header *h = &z->header;
	struct yg_sv rest = record, v;
	size_t valid = yg_utf8_valid(record), i = 0;
	if (valid != record.n)
		return YG_FAIL(err, YG_PARSE, "zeek: invalid UTF-8 at byte %zu", valid);
	if (h->fields.n == 0)
		return YG_FAIL(err, YG_PARSE, "zeek: neither JSON nor behind a #fields line");
	if (!z->ready)
		tsv_columns(n, z);
	prepare(z, ev, z->kind, h->path);
	for (; yg_sv_cut(&rest, h->separator, &v); i++) {
		const struct column *c = &z->columns[i];
		if (i >= z->column_count)
			return YG_FAIL(err, YG_PARSE, "zeek: more than the %zu columns of #fields",
				       z->column_count);
		if (c->rule == NULL || yg_sv_eq(v, h->unset) || yg_sv_eq(v, h->empty))
			continue;
		if (c->list)
			tsv_list(n, ev, c->rule, v);
		else
			tsv_value(n, ev, c->rule, v);
	}
	if (i < z->column_count)
		return YG_FAIL(err, YG_PARSE, "zeek: %zu columns where #fields has %zu", i,
			       z->column_count);
	complete(n, ev, z->kind);
	ev->raw = with_header(n, record);
	return YG_OK;
}

static yg_status record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			struct yg_err *err)
{
	struct zeek *z = n->state;
	if (record.n > 0 && record.p[0] == '#') {
		z->ready = false;
		yg_zeek_header_line(&z->header, record);
		return YG_AGAIN;
	}
	/* blanks before an object are allowed; behind a header a row may begin with '{' */
	if (yg_sv_starts(record, YG_SV("{\"")) ||
	    (z->header.fields.n == 0 && yg_sv_starts(yg_sv_trim(record), YG_SV("{"))))
		return json_record(n, record, ev, err);
	return tsv_record(n, record, ev, err);
}

static void begin(struct yg_norm *n)
{
	struct zeek *z = n->state;
	memset(z, 0, sizeof *z);
	yg_zeek_header_init(&z->header);
}

const struct yg_norm_ops yg_norm_zeek = {
	.rules = rules,
	.rule_count = YG_LEN(rules),
	.sections = K_COUNT - 1,
	.state_size = sizeof(struct zeek),
	.begin = begin,
	.record = record,
	.own = own,
};
