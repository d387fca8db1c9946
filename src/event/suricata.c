/* suricata.c - Suricata EVE JSON, versions 3 to 8 as docs.suricata.io ("EVE JSON
 * format") and etc/schema.json have it.  doc/sources/suricata.md has the mapping
 * in words. */
#include "event/norm.h"

/* Objects of a record: each is a section of rules. */
enum section {
	TOP = 1,
	ALERT,
	HTTP,
	TLS,
	JA3,
	DNS,
	DNS_ANSWER,
	DNS_GROUPED,
	FLOW,
	NETFLOW,
	FILES,
	ANOMALY,
	SSH,
	SSH_CLIENT,
	SSH_SERVER,
	HASSH,
	SMTP,
	EMAIL,
	SMB,
	NTLMSSP,
	KRB5,
	DHCP,
	FTP,
	FTP_DATA,
	RDP,
	RDP_CLIENT,
	SIP,
	TFTP,
	NFS,
	QUIC,
	MQTT,
	MQTT_CONNECT,
	SNMP,
	DCERPC,
	DROP,
	SECTIONS = DROP,
};

enum slot {
	S_TYPE,
	S_DNS_TYPE,
	S_HOST,
	S_URL,
	S_PORT,
	S_SEVERITY,
	S_GID,
	S_REV,
	S_STATE,
	S_START,
	S_END,
	S_AGE,
	S_SRC_IP,
	S_SRC_PORT,
	S_DST_IP,
	S_DST_PORT,
	S_EVENT,
	S_KIND,
	S_FROM,
	S_STATUS,
	S_DOMAIN,
	S_DISPOSITION,
	S_REALM,
	S_DATA,
	S_CODE,
	S_COUNT
};
enum {
	OP_SLOT = YG_OP_OWN,
	OP_NAME = OP_SLOT + S_COUNT,
	OP_QUERY,
	OP_ANSWER,
	OP_TLS,
	OP_COLONS,
	OP_MAIL_TO
};

struct suricata {
	struct yg_sv slot[S_COUNT]; /* of the record at hand */
};

#define SET(section, key, field)     YG_RULE(section, key, YG_OP_SET, field)
#define PUT(section, key, op, field) YG_RULE(section, key, YG_OP_##op, field)
#define KEEP(section, key, slot)     YG_RULE(section, key, OP_SLOT + S_##slot, time)
#define OWN(section, key, op)        YG_RULE(section, key, OP_##op, time)
#define IN(section, key, to)         YG_RULE_ENTER(section, key, to)
static const struct yg_rule rules[] = {
	PUT(TOP, "timestamp", TIME, time),
	KEEP(TOP, "event_type", TYPE),
	SET(TOP, "flow_id", uid),
	SET(TOP, "src_ip", src_ip),
	SET(TOP, "src_port", src_port),
	SET(TOP, "dest_ip", dst_ip),
	SET(TOP, "dest_port", dst_port),
	PUT(TOP, "proto", LOWER, proto),
	PUT(TOP, "app_proto", LOWER, app),
	SET(TOP, "host", host),
	OWN(TOP, "xff", NAME),
	IN(TOP, "alert", ALERT),
	IN(TOP, "http", HTTP),
	IN(TOP, "tls", TLS),
	IN(TOP, "dns", DNS),
	IN(TOP, "mdns", DNS),
	IN(TOP, "flow", FLOW),
	IN(TOP, "netflow", NETFLOW),
	IN(TOP, "fileinfo", FILES),
	IN(TOP, "files", FILES),
	IN(TOP, "anomaly", ANOMALY),
	IN(TOP, "ssh", SSH),
	IN(TOP, "smtp", SMTP),
	IN(TOP, "email", EMAIL),
	IN(TOP, "smb", SMB),
	IN(TOP, "krb5", KRB5),
	IN(TOP, "dhcp", DHCP),
	IN(TOP, "ftp", FTP),
	IN(TOP, "ftp_data", FTP_DATA),
	IN(TOP, "rdp", RDP),
	IN(TOP, "sip", SIP),
	IN(TOP, "tftp", TFTP),
	IN(TOP, "nfs", NFS),
	IN(TOP, "quic", QUIC),
	IN(TOP, "mqtt", MQTT),
	IN(TOP, "snmp", SNMP),
	IN(TOP, "dcerpc", DCERPC),
	IN(TOP, "drop", DROP),

	SET(ALERT, "signature", finding_title),
	SET(ALERT, "signature_id", event_code),
	SET(ALERT, "category", message),
	KEEP(ALERT, "severity", SEVERITY),
	KEEP(ALERT, "gid", GID),
	KEEP(ALERT, "rev", REV),
	OWN(ALERT, "xff", NAME),

	KEEP(HTTP, "hostname", HOST),
	KEEP(HTTP, "url", URL),
	KEEP(HTTP, "http_port", PORT),
	SET(HTTP, "http_user_agent", user_agent),
	SET(HTTP, "http_refer", referrer),
	SET(HTTP, "http_method", http_method),
	SET(HTTP, "status", http_status),
	SET(HTTP, "length", bytes_in),
	OWN(HTTP, "xff", NAME),

	SET(TLS, "subject", tls_subject),
	SET(TLS, "issuerdn", tls_issuer),
	PUT(TLS, "sni", DOMAIN, dst_host),
	OWN(TLS, "version", TLS),
	OWN(TLS, "fingerprint", COLONS),
	IN(TLS, "ja3", JA3),
	SET(TLS, "ja4", ja3),
	OWN(TLS, "subjectaltname", NAME),
	PUT(JA3, "hash", FILL, ja3),

	KEEP(DNS, "type", DNS_TYPE),
	OWN(DNS, "rrname", QUERY),
	PUT(DNS, "rrtype", FILL, query_type),
	SET(DNS, "rcode", rcode),
	OWN(DNS, "rdata", ANSWER),
	IN(DNS, "query", DNS),
	IN(DNS, "queries", DNS),
	IN(DNS, "answer", DNS),
	IN(DNS, "answers", DNS_ANSWER),
	IN(DNS, "grouped", DNS_GROUPED),
	OWN(DNS_ANSWER, "rdata", ANSWER),
	OWN(DNS_GROUPED, "A", ANSWER),
	OWN(DNS_GROUPED, "AAAA", ANSWER),
	OWN(DNS_GROUPED, "CNAME", ANSWER),
	OWN(DNS_GROUPED, "MX", ANSWER),
	OWN(DNS_GROUPED, "NS", ANSWER),
	OWN(DNS_GROUPED, "PTR", ANSWER),
	OWN(DNS_GROUPED, "TXT", ANSWER),

	SET(FLOW, "bytes_toserver", bytes_out),
	SET(FLOW, "bytes_toclient", bytes_in),
	KEEP(FLOW, "state", STATE),
	KEEP(FLOW, "start", START),
	KEEP(FLOW, "end", END),
	KEEP(FLOW, "age", AGE),
	KEEP(FLOW, "src_ip", SRC_IP),
	KEEP(FLOW, "src_port", SRC_PORT),
	KEEP(FLOW, "dest_ip", DST_IP),
	KEEP(FLOW, "dest_port", DST_PORT),
	SET(NETFLOW, "bytes", bytes_out),
	KEEP(NETFLOW, "start", START),
	KEEP(NETFLOW, "end", END),
	KEEP(NETFLOW, "age", AGE),

	SET(FILES, "filename", file_path),
	PUT(FILES, "md5", LOWER, hashes),
	PUT(FILES, "sha1", LOWER, hashes),
	PUT(FILES, "sha256", LOWER, hashes),
	SET(FILES, "size", bytes_in),
	SET(FILES, "magic", message),

	KEEP(ANOMALY, "event", EVENT),
	KEEP(ANOMALY, "type", KIND),

	IN(SSH, "client", SSH_CLIENT),
	IN(SSH, "server", SSH_SERVER),
	SET(SSH_CLIENT, "software_version", user_agent),
	IN(SSH_CLIENT, "hassh", HASSH),
	SET(SSH_SERVER, "software_version", message),
	PUT(HASSH, "hash", FILL, ja3),

	SET(SMTP, "helo", src_host),
	PUT(SMTP, "mail_from", EMAIL, mail_from),
	OWN(SMTP, "rcpt_to", MAIL_TO),
	KEEP(EMAIL, "from", FROM),
	OWN(EMAIL, "to", MAIL_TO),
	OWN(EMAIL, "cc", MAIL_TO),
	SET(EMAIL, "subject", subject),
	OWN(EMAIL, "attachment", NAME),
	OWN(EMAIL, "url", NAME),

	SET(SMB, "command", event_code),
	SET(SMB, "filename", file_path),
	PUT(SMB, "share", FILL, file_path),
	KEEP(SMB, "status", STATUS),
	KEEP(SMB, "disposition", DISPOSITION),
	IN(SMB, "ntlmssp", NTLMSSP),
	SET(NTLMSSP, "user", user),
	SET(NTLMSSP, "host", src_host),
	KEEP(NTLMSSP, "domain", DOMAIN),

	KEEP(KRB5, "msg_type", KIND),
	SET(KRB5, "cname", user),
	KEEP(KRB5, "realm", REALM),
	SET(KRB5, "sname", message),
	SET(KRB5, "error_code", event_code),

	SET(DHCP, "dhcp_type", event_code),
	SET(DHCP, "hostname", src_host),
	OWN(DHCP, "client_mac", NAME),
	OWN(DHCP, "assigned_ip", NAME),

	SET(FTP, "command", event_code),
	KEEP(FTP, "command_data", DATA),
	SET(FTP, "reply", message),
	KEEP(FTP, "completion_code", CODE),
	SET(FTP_DATA, "command", event_code),
	KEEP(FTP_DATA, "filename", DATA),

	KEEP(RDP, "event_type", KIND),
	SET(RDP, "cookie", user),
	IN(RDP, "client", RDP_CLIENT),
	SET(RDP_CLIENT, "client_name", src_host),

	SET(SIP, "method", event_code),
	SET(SIP, "uri", message),
	SET(TFTP, "packet", event_code),
	SET(TFTP, "file", file_path),
	SET(NFS, "procedure", event_code),
	SET(NFS, "filename", file_path),
	PUT(QUIC, "sni", DOMAIN, dst_host),
	SET(QUIC, "ua", user_agent),
	SET(QUIC, "version", event_code),
	IN(QUIC, "ja3", JA3),
	SET(QUIC, "ja4", ja3),
	IN(MQTT, "connect", MQTT_CONNECT),
	SET(MQTT_CONNECT, "username", user),
	SET(MQTT_CONNECT, "client_id", src_host),
	SET(SNMP, "pdu_type", event_code),
	SET(DCERPC, "request", event_code),
	SET(DROP, "reason", event_code),
};

static bool has(const struct yg_strs *list, struct yg_sv s)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (yg_sv_eq(list->v[i], s))
			return true;
	return false;
}

static void put_once(struct yg_norm *n, struct yg_strs *list, struct yg_sv s)
{
	if (!has(list, s)) /* "answers" and "grouped" often say the same */
		yg_norm_append(n, list, s);
}

static struct yg_sv without_colons(struct yg_norm *n, struct yg_sv s)
{
	char hex[256];
	struct yg_sb b = yg_sb_init(hex, sizeof hex);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ':')
			yg_sb_putc(&b,
				   (char)(s.p[i] | (s.p[i] >= 'A' && s.p[i] <= 'Z' ? 0x20 : 0)));
	struct yg_sv out = yg_arena_dup(&n->arena, yg_sb_sv(&b));
	return b.cut || out.p == NULL ? YG_SV("") : out;
}

/* "TLS 1.2" and "TLSv1" as "1.2" and "1.0"; "SSLv3" stays. */
static struct yg_sv tls_version(struct yg_sv s)
{
	struct yg_sv number = yg_sv_sub(s, 4, s.n);
	if (!yg_sv_starts(s, YG_SV("TLS ")) && !yg_sv_starts(s, YG_SV("TLSv")))
		return s;
	return YG_SV_IS(number, "1") ? YG_SV("1.0") : number;
}

static void own_text(struct yg_norm *n, struct yg_event *ev, unsigned op, struct yg_sv text)
{
	struct suricata *s = n->state;
	if (op < OP_SLOT + S_COUNT) {
		s->slot[op - OP_SLOT] = text;
		return;
	}
	switch (op) {
	case OP_NAME:
		yg_norm_name(n, yg_sv_has(text, YG_SV("://")) ? yg_url_host(text) : text);
		break;
	case OP_QUERY: /* a message may ask several; the first is the column */
		text = yg_norm_domain(n, text);
		if (ev->query.n == 0)
			ev->query = text;
		else
			yg_norm_name(n, text);
		break;
	case OP_ANSWER:
		put_once(n, &ev->answers,
			 yg_sv_find(text, ' ', 0) < text.n ? text : yg_norm_domain(n, text));
		break;
	case OP_TLS: ev->tls_version = tls_version(text); break;
	case OP_COLONS: yg_norm_append(n, &ev->hashes, without_colons(n, text)); break;
	default: { /* OP_MAIL_TO: envelope and header name the same people */
		struct yg_strs one = {NULL, 0};
		struct yg_event scratch;
		scratch.mail_to = one;
		yg_norm_put(n, &scratch, YG_OP_EMAIL, YG_EF_mail_to, text);
		if (scratch.mail_to.n == 1)
			put_once(n, &ev->mail_to, scratch.mail_to.v[0]);
		break;
	}
	}
}

static void own(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		struct yg_sv text, uint32_t node)
{
	const struct yg_json_node *v = yg_json_at(&n->json, node);
	if (v->type == YG_JSON_STRING || v->type == YG_JSON_NUMBER) {
		if (text.n > 0)
			own_text(n, ev, rule->op, text);
		return;
	}
	uint32_t most = v->type == YG_JSON_ARRAY ? YG_ARRAY_MAX : 0;
	for (uint32_t i = node + 1, end = v->next; i < end && most > 0;
	     i = yg_json_at(&n->json, i)->next, most--) {
		uint8_t type = yg_json_at(&n->json, i)->type;
		struct yg_sv one = yg_json_str(&n->json, i, &n->arena);
		if ((type == YG_JSON_STRING || type == YG_JSON_NUMBER) && one.n > 0)
			own_text(n, ev, rule->op, one);
	}
}

/* What one event type needs once all fields are in. */
static void post_alert(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	/* Suricata counts down: 1 is the worst (classification.config) */
	struct yg_sv s = slot[S_SEVERITY];
	ev->severity_id = s.n == 1 && s.p[0] >= '1' && s.p[0] <= '3' ? (uint8_t)('5' - s.p[0]) : 1;
	ev->finding_uid = YG_NORM_JOIN(n, slot[S_GID], YG_SV(":"), ev->event_code, YG_SV(":"),
				       slot[S_REV], YG_SV("/"), ev->uid);
	ev->list = YG_SV("suricata");
	/* an alert has the packet's ends; the flow's say who began it */
	if (slot[S_SRC_IP].n > 0 && slot[S_DST_IP].n > 0) {
		yg_norm_put(n, ev, YG_OP_SET, YG_EF_src_ip, slot[S_SRC_IP]);
		yg_norm_put(n, ev, YG_OP_SET, YG_EF_src_port, slot[S_SRC_PORT]);
		yg_norm_put(n, ev, YG_OP_SET, YG_EF_dst_ip, slot[S_DST_IP]);
		yg_norm_put(n, ev, YG_OP_SET, YG_EF_dst_port, slot[S_DST_PORT]);
	}
}

static void post_dns(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	(void)n;
	struct yg_sv type = slot[S_DNS_TYPE];
	bool response = YG_SV_IS(type, "answer") || YG_SV_IS(type, "response");
	ev->activity_id = response                                               ? 2
			  : YG_SV_IS(type, "query") || YG_SV_IS(type, "request") ? 1
										 : 6;
	if (ev->rcode.n > 0)
		ev->status_id = YG_SV_IS(ev->rcode, "NOERROR") ? 1 : 2;
}

static void post_http(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	(void)n;
	(void)slot;
	ev->activity_id = yg_http_activity(ev->http_method);
	ev->status_id = ev->http_status == 0 ? 0 : ev->http_status < 400 ? 1 : 2;
}

static void post_flow(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	(void)n;
	ev->event_code = slot[S_STATE];
}

static void post_anomaly(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	(void)n;
	ev->event_code = slot[S_EVENT];
	ev->message = slot[S_KIND];
	ev->severity_id = 2;
}

static void post_smb(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	static const struct yg_sv dispositions[] = {
		YG_SV_INIT("FILE_SUPERSEDE"), YG_SV_INIT("FILE_OPEN"),
		YG_SV_INIT("FILE_CREATE"),    YG_SV_INIT("FILE_OPEN_IF"),
		YG_SV_INIT("FILE_OVERWRITE"), YG_SV_INIT("FILE_OVERWRITE_IF"),
	};
	for (size_t i = 0; i < YG_LEN(dispositions); i++)
		if (yg_sv_eq(slot[S_DISPOSITION], dispositions[i]))
			ev->activity_id = (uint8_t)(i + 1);
	ev->message = slot[S_STATUS];
	if (ev->message.n > 0)
		ev->status_id = YG_SV_IS(ev->message, "STATUS_SUCCESS") ? 1 : 2;
	if (ev->user.n > 0 && slot[S_DOMAIN].n > 0)
		ev->user = YG_NORM_JOIN(n, slot[S_DOMAIN], YG_SV("\\"), ev->user);
}

static void post_krb5(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	struct yg_sv type = slot[S_KIND];
	ev->activity_id = yg_sv_has(type, YG_SV("_AS_"))    ? 3
			  : yg_sv_has(type, YG_SV("_TGS_")) ? 4
							    : 99;
	ev->status_id = ev->event_code.n > 0 ? 2 : 1;
	if (ev->user.n > 0 && slot[S_REALM].n > 0)
		ev->user = YG_NORM_JOIN(n, ev->user, YG_SV("@"), slot[S_REALM]);
}

static void post_dhcp(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	(void)slot;
	ev->activity_id = yg_dhcp_activity(yg_norm_lower(n, ev->event_code));
}

static void post_ftp(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	(void)n;
	ev->activity_id = yg_ftp_activity(ev->event_code);
	if (ev->activity_id != 99)
		ev->file_path = slot[S_DATA];
	if (YG_SV_IS(ev->event_code, "USER"))
		ev->user = slot[S_DATA];
	if (slot[S_CODE].n > 0)
		ev->status_id = slot[S_CODE].p[0] < '4' ? 1 : 2;
}

static void post_smtp(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	if (ev->mail_from.n == 0)
		yg_norm_put(n, ev, YG_OP_EMAIL, YG_EF_mail_from, slot[S_FROM]);
}

static void post_rdp(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	static const struct yg_sv steps[] = {
		YG_SV_INIT("initial_request"), YG_SV_INIT("initial_response"),
		YG_SV_INIT("connect_request"), YG_SV_INIT("connect_response"),
		YG_SV_INIT("tls_handshake")};
	(void)n;
	ev->event_code = slot[S_KIND];
	for (size_t i = 0; i < YG_LEN(steps); i++)
		if (yg_sv_eq(slot[S_KIND], steps[i]))
			ev->activity_id = (uint8_t)(i + 1);
}

typedef void (*post_fn)(struct yg_norm *, struct yg_event *, const struct yg_sv *);
static const struct type {
	struct yg_sv name;
	uint32_t class_uid;
	uint8_t activity_id;
	bool protocol; /* the type's name is the application protocol */
	post_fn post;
} types[] = {
	{YG_SV_INIT("flow"), YG_OCSF_NETWORK_ACTIVITY, 6, false, post_flow},
	{YG_SV_INIT("dns"), YG_OCSF_DNS_ACTIVITY, 6, true, post_dns},
	{YG_SV_INIT("http"), YG_OCSF_HTTP_ACTIVITY, 99, true, post_http},
	{YG_SV_INIT("tls"), YG_OCSF_NETWORK_ACTIVITY, 1, true, NULL},
	{YG_SV_INIT("alert"), YG_OCSF_DETECTION_FINDING, 1, false, post_alert},
	{YG_SV_INIT("fileinfo"), YG_OCSF_FILE_ACTIVITY, 99, false, NULL},
	{YG_SV_INIT("netflow"), YG_OCSF_NETWORK_ACTIVITY, 6, false, NULL},
	{YG_SV_INIT("anomaly"), YG_OCSF_NETWORK_ACTIVITY, 99, false, post_anomaly},
	{YG_SV_INIT("smb"), YG_OCSF_SMB_ACTIVITY, 99, true, post_smb},
	{YG_SV_INIT("ssh"), YG_OCSF_SSH_ACTIVITY, 1, true, NULL},
	{YG_SV_INIT("smtp"), YG_OCSF_EMAIL_ACTIVITY, 1, true, post_smtp},
	{YG_SV_INIT("krb5"), YG_OCSF_AUTHENTICATION, 99, true, post_krb5},
	{YG_SV_INIT("dhcp"), YG_OCSF_DHCP_ACTIVITY, 99, true, post_dhcp},
	{YG_SV_INIT("ftp"), YG_OCSF_FTP_ACTIVITY, 99, true, post_ftp},
	{YG_SV_INIT("ftp_data"), YG_OCSF_FTP_ACTIVITY, 99, false, post_ftp},
	{YG_SV_INIT("rdp"), YG_OCSF_RDP_ACTIVITY, 6, true, post_rdp},
	{YG_SV_INIT("mdns"), YG_OCSF_DNS_ACTIVITY, 6, true, post_dns},
	{YG_SV_INIT("http2"), YG_OCSF_HTTP_ACTIVITY, 99, true, post_http},
	{YG_SV_INIT("doh2"), YG_OCSF_DNS_ACTIVITY, 6, true, post_dns},
	{YG_SV_INIT("drop"), YG_OCSF_NETWORK_ACTIVITY, 5, false, NULL},
	{YG_SV_INIT("quic"), YG_OCSF_NETWORK_ACTIVITY, 1, true, NULL},
	{YG_SV_INIT("dcerpc"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("snmp"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("sip"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("tftp"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("nfs"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("mqtt"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("rfb"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("ike"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("pgsql"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("modbus"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("dnp3"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("enip"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("ldap"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("websocket"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("telnet"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("pop3"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("bittorrent_dht"), YG_OCSF_NETWORK_ACTIVITY, 6, true, NULL},
	{YG_SV_INIT("stats"), YG_OCSF_BASE_EVENT, 99, false, NULL},
	{YG_SV_INIT("engine"), YG_OCSF_BASE_EVENT, 99, false, NULL},
};
static const struct type other = {YG_SV_INIT(""), YG_OCSF_NETWORK_ACTIVITY, 99, false, NULL};

static const struct type *type_of(struct yg_sv name)
{
	for (size_t i = 0; i < YG_LEN(types); i++)
		if (yg_sv_eq(types[i].name, name))
			return &types[i];
	return &other;
}

/* For every type: an alert or a file carries the http and flow it belongs to. */
static void common(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	int64_t from, to, seconds;
	if (slot[S_HOST].n > 0 || slot[S_URL].n > 0) {
		struct yg_sv host = yg_norm_domain(n, slot[S_HOST]);
		struct yg_sv url_host = host;
		uint64_t port = 0;
		if (yg_parse_u64(slot[S_PORT], &port, NULL) != YG_OK || port > UINT16_MAX)
			port = ev->class_uid == YG_OCSF_HTTP_ACTIVITY || slot[S_DST_PORT].n > 0
				       ? ev->dst_port
				       : 0;
		if (yg_sv_find(host, ':', 0) < host.n &&
		    host.p[0] != '[') /* IPv6 without brackets */
			url_host = YG_NORM_JOIN(n, YG_SV("["), host, YG_SV("]"));
		ev->url = yg_norm_url(n, YG_SV("http"), url_host, (uint16_t)port, slot[S_URL]);
		if (host.n > 0)
			ev->dst_host = host;
	}
	if (yg_norm_time(slot[S_START], &from) == YG_OK &&
	    yg_norm_time(slot[S_END], &to) == YG_OK && to >= from)
		ev->duration = to - from;
	else if (yg_norm_seconds(slot[S_AGE], &seconds) == YG_OK)
		ev->duration = seconds;
}

static yg_status record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			struct yg_err *err)
{
	struct suricata *s = n->state;
	yg_status st = yg_norm_json(n, record, err);
	if (st != YG_OK)
		return st;
	memset(s->slot, 0, sizeof s->slot);
	ev->severity_id = 1;
	yg_norm_apply(n, ev, TOP, 0);
	if (s->slot[S_TYPE].n == 0)
		return YG_FAIL(err, YG_PARSE, "suricata: no event_type");
	const struct type *type = type_of(s->slot[S_TYPE]);
	ev->log_name = s->slot[S_TYPE];
	ev->class_uid = type->class_uid;
	ev->activity_id = type->activity_id;
	if (YG_SV_IS(ev->app, "failed"))
		ev->app = YG_SV("");
	if (ev->app.n == 0 && type->protocol)
		ev->app = type->name;
	if (type->post != NULL)
		type->post(n, ev, s->slot);
	common(n, ev, s->slot);
	/* a class of the network needs someone on it */
	if (type == &other && yg_ip_is_zero(ev->src_ip) && yg_ip_is_zero(ev->dst_ip))
		ev->class_uid = YG_OCSF_BASE_EVENT;
	return YG_OK;
}

const struct yg_norm_ops yg_norm_suricata = {
	.rules = rules,
	.rule_count = YG_LEN(rules),
	.sections = SECTIONS,
	.state_size = sizeof(struct suricata),
	.record = record,
	.own = own,
};
