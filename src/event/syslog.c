/* syslog.c - syslog messages, and what is inside them: CEF, LEEF, key=value and
 * JSON payloads, and the lines of sshd, sudo and their kind.
 * doc/sources/syslog.md has the tables and where they come from. */
#include "format/syslog.h"

#include "event/node.h"
#include "event/norm.h"

enum section { CEF = 1, LEEF, PAIRS, JSON, SECTIONS = JSON };
enum own { OP_SEVERITY = YG_OP_OWN, OP_ACTION, OP_PROTO, OP_NAME, OP_BYTES_HASH, OP_EVENTTIME };

#define R(section, key, op, field) YG_RULE(section, key, op, field)
/* clang-format off */
static const struct yg_rule rules[] = {
	/* ArcSight CEF Implementation Standard, extension dictionary */
	R(CEF, "src", YG_OP_SET, src_ip), R(CEF, "c6a2", YG_OP_SET, src_ip), R(CEF, "spt", YG_OP_SET, src_port),
	R(CEF, "shost", YG_OP_DOMAIN, src_host), R(CEF, "dst", YG_OP_SET, dst_ip), R(CEF, "c6a3", YG_OP_SET, dst_ip),
	R(CEF, "dpt", YG_OP_SET, dst_port), R(CEF, "dhost", YG_OP_DOMAIN, dst_host),
	R(CEF, "destinationDnsDomain", YG_OP_DOMAIN, query), R(CEF, "proto", OP_PROTO, proto),
	R(CEF, "app", YG_OP_LOWER, app), R(CEF, "in", YG_OP_SET, bytes_in), R(CEF, "out", YG_OP_SET, bytes_out),
	R(CEF, "suser", YG_OP_SET, user), R(CEF, "duser", YG_OP_SET, target_user), R(CEF, "request", YG_OP_SET, url),
	R(CEF, "requestMethod", YG_OP_SET, http_method), R(CEF, "requestClientApplication", YG_OP_SET, user_agent),
	R(CEF, "requestContext", YG_OP_SET, referrer), R(CEF, "fname", YG_OP_FILL, file_path),
	R(CEF, "filePath", YG_OP_SET, file_path), R(CEF, "fileHash", OP_BYTES_HASH, hashes),
	R(CEF, "sproc", YG_OP_FILL, process), R(CEF, "dproc", YG_OP_SET, process), R(CEF, "dvchost", YG_OP_SET, host),
	R(CEF, "externalId", YG_OP_SET, uid), R(CEF, "act", OP_ACTION, status_id), R(CEF, "outcome", OP_ACTION, status_id),
	R(CEF, "rt", YG_OP_TIME, time),
	/* IBM QRadar LEEF, predefined attributes */
	R(LEEF, "src", YG_OP_SET, src_ip), R(LEEF, "srcPort", YG_OP_SET, src_port), R(LEEF, "dst", YG_OP_SET, dst_ip),
	R(LEEF, "dstPort", YG_OP_SET, dst_port), R(LEEF, "proto", OP_PROTO, proto), R(LEEF, "usrName", YG_OP_SET, user),
	R(LEEF, "identHostName", YG_OP_DOMAIN, src_host), R(LEEF, "srcBytes", YG_OP_SET, bytes_out),
	R(LEEF, "dstBytes", YG_OP_SET, bytes_in), R(LEEF, "url", YG_OP_SET, url), R(LEEF, "sev", OP_SEVERITY, severity_id),
	R(LEEF, "action", OP_ACTION, status_id), R(LEEF, "accountName", YG_OP_SET, target_user),
	R(LEEF, "resource", YG_OP_SET, file_path), R(LEEF, "realm", OP_NAME, names),
	/* Fortinet's and others' key=value lines; netfilter's upper-case ones */
	R(PAIRS, "srcip", YG_OP_SET, src_ip), R(PAIRS, "src", YG_OP_SET, src_ip), R(PAIRS, "src_ip", YG_OP_SET, src_ip),
	R(PAIRS, "SRC", YG_OP_SET, src_ip), R(PAIRS, "remip", YG_OP_SET, src_ip), R(PAIRS, "rhost", YG_OP_SET, src_ip),
	R(PAIRS, "dstip", YG_OP_SET, dst_ip), R(PAIRS, "dst", YG_OP_SET, dst_ip), R(PAIRS, "dst_ip", YG_OP_SET, dst_ip),
	R(PAIRS, "DST", YG_OP_SET, dst_ip), R(PAIRS, "srcport", YG_OP_SET, src_port), R(PAIRS, "SPT", YG_OP_SET, src_port),
	R(PAIRS, "src_port", YG_OP_SET, src_port), R(PAIRS, "sport", YG_OP_SET, src_port),
	R(PAIRS, "dstport", YG_OP_SET, dst_port), R(PAIRS, "DPT", YG_OP_SET, dst_port),
	R(PAIRS, "dst_port", YG_OP_SET, dst_port), R(PAIRS, "dport", YG_OP_SET, dst_port),
	R(PAIRS, "proto", OP_PROTO, proto), R(PAIRS, "PROTO", OP_PROTO, proto), R(PAIRS, "protocol", OP_PROTO, proto),
	R(PAIRS, "service", YG_OP_LOWER, app), R(PAIRS, "sentbyte", YG_OP_SET, bytes_out),
	R(PAIRS, "rcvdbyte", YG_OP_SET, bytes_in), R(PAIRS, "user", YG_OP_SET, user),
	R(PAIRS, "srcname", YG_OP_DOMAIN, src_host), R(PAIRS, "hostname", YG_OP_DOMAIN, dst_host),
	R(PAIRS, "url", YG_OP_SET, url), R(PAIRS, "qname", YG_OP_DOMAIN, query), R(PAIRS, "qtype", YG_OP_SET, query_type),
	R(PAIRS, "agent", YG_OP_SET, user_agent), R(PAIRS, "action", OP_ACTION, status_id),
	R(PAIRS, "status", OP_ACTION, status_id), R(PAIRS, "level", OP_SEVERITY, severity_id),
	R(PAIRS, "devname", YG_OP_SET, host), R(PAIRS, "logid", YG_OP_SET, event_code),
	R(PAIRS, "sessionid", YG_OP_SET, uid), R(PAIRS, "eventtime", OP_EVENTTIME, time), R(PAIRS, "type", YG_OP_SET, log_name), R(PAIRS, "msg", YG_OP_SET, message),
	R(PAIRS, "filename", YG_OP_SET, file_path), R(PAIRS, "filehash", OP_BYTES_HASH, hashes),
	/* JSON of programs that have no source of their own here */
	R(JSON, "src_ip", YG_OP_SET, src_ip), R(JSON, "srcip", YG_OP_SET, src_ip), R(JSON, "client_ip", YG_OP_SET, src_ip),
	R(JSON, "remote_addr", YG_OP_SET, src_ip), R(JSON, "src_port", YG_OP_SET, src_port),
	R(JSON, "dest_ip", YG_OP_SET, dst_ip), R(JSON, "dst_ip", YG_OP_SET, dst_ip), R(JSON, "dstip", YG_OP_SET, dst_ip),
	R(JSON, "dest_port", YG_OP_SET, dst_port), R(JSON, "dst_port", YG_OP_SET, dst_port),
	R(JSON, "proto", OP_PROTO, proto), R(JSON, "user", YG_OP_SET, user), R(JSON, "username", YG_OP_SET, user),
	R(JSON, "hostname", YG_OP_FILL, host), R(JSON, "url", YG_OP_SET, url), R(JSON, "msg", YG_OP_SET, message),
	R(JSON, "message", YG_OP_SET, message), R(JSON, "user_agent", YG_OP_SET, user_agent),
	R(JSON, "http_user_agent", YG_OP_SET, user_agent), R(JSON, "request_method", YG_OP_SET, http_method),
	R(JSON, "query", YG_OP_DOMAIN, query),
};

/* Lines of programs.  In a pattern, '%' takes as little as it can up to the text
 * behind it, '&' as much as it can: who logs in may choose a name that looks
 * like the rest of the line, and only the last "from" is sshd's.  A '$' at the
 * end: the line ends there.  `takes`: one letter per '%' or '&':
 * u user (who and to whom), a who, t to whom, i address, p port, c command,
 * n name that was asked for, y type of it, f/r mail from and to, - not kept. */
static const struct line {
	const char *app, *pattern, *takes;
	uint32_t class_uid;
	uint8_t activity_id, status_id;
} lines[] = {
	{"sshd", "Accepted % for & from % port %", "-uip", YG_OCSF_AUTHENTICATION, 1, 1},
	{"sshd", "Failed % for invalid user & from % port %", "-uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "Failed % for & from % port %", "-uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "Invalid user & from % port %", "uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "Invalid user & from %", "ui", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "User & from % not allowed", "ui", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "error: maximum authentication attempts exceeded for invalid user & from % port %", "uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "error: maximum authentication attempts exceeded for & from % port %", "uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "Disconnected from user % % port %", "uip", YG_OCSF_AUTHENTICATION, 2, 1},
	{"sshd", "Connection closed by authenticating user % % port %", "uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "Connection closed by invalid user % % port %", "uip", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sshd", "Connection from % port %", "ip", YG_OCSF_SSH_ACTIVITY, 1, 0},
	{"sshd", "Connection closed by % port %", "ip", YG_OCSF_SSH_ACTIVITY, 2, 0},
	{"sshd", "Received disconnect from % port %", "ip", YG_OCSF_SSH_ACTIVITY, 2, 0},
	{"", "pam_%: session opened for user %(uid=%) by %(uid=%)", "-u---", YG_OCSF_AUTHENTICATION, 1, 1},
	{"", "pam_%: session opened for user % by ", "-u", YG_OCSF_AUTHENTICATION, 1, 1},
	{"", "pam_%: session closed for user %$", "-u", YG_OCSF_AUTHENTICATION, 2, 1},
	{"", "pam_%: authentication failure; % rhost=%  user=%$", "--iu", YG_OCSF_AUTHENTICATION, 1, 2},
	{"", "pam_%: authentication failure; % rhost=%$", "--i", YG_OCSF_AUTHENTICATION, 1, 2},
	{"", "pam_%: password changed for %$", "-t", YG_OCSF_ACCOUNT_CHANGE, 3, 1},
	{"sudo", "% : % incorrect password attempt", "u-", YG_OCSF_AUTHENTICATION, 1, 2},
	{"sudo", "% : user NOT in sudoers ; % ; USER=% ; COMMAND=%$", "a-tc", YG_OCSF_PROCESS_ACTIVITY, 1, 2},
	{"sudo", "% : command not allowed ; % ; USER=% ; COMMAND=%$", "a-tc", YG_OCSF_PROCESS_ACTIVITY, 1, 2},
	{"sudo", "% : % ; USER=% ; COMMAND=%$", "a-tc", YG_OCSF_PROCESS_ACTIVITY, 1, 1},
	{"su", "FAILED SU (to %) % on ", "ta", YG_OCSF_AUTHENTICATION, 1, 2},
	{"su", "(to %) % on ", "ta", YG_OCSF_AUTHENTICATION, 1, 1},
	{"su", "'su %' failed for % on ", "ta", YG_OCSF_AUTHENTICATION, 1, 2},
	{"su", "'su %' succeeded for % on ", "ta", YG_OCSF_AUTHENTICATION, 1, 1},
	{"login", "FAILED LOGIN % FROM % FOR '%'", "-iu", YG_OCSF_AUTHENTICATION, 1, 2},
	{"login", "FAILED LOGIN % FOR '%'", "-u", YG_OCSF_AUTHENTICATION, 1, 2},
	{"login", "LOGIN ON % BY % FROM %$", "-ui", YG_OCSF_AUTHENTICATION, 1, 1},
	{"login", "LOGIN ON % BY %$", "-u", YG_OCSF_AUTHENTICATION, 1, 1},
	{"login", "ROOT LOGIN", "", YG_OCSF_AUTHENTICATION, 1, 1},
	{"systemd-logind", "New session % of user %.$", "-u", YG_OCSF_AUTHENTICATION, 1, 1},
	{"systemd-logind", "Removed session ", "", YG_OCSF_AUTHENTICATION, 2, 1},
	{"useradd", "new user: name=%,", "t", YG_OCSF_ACCOUNT_CHANGE, 1, 1},
	{"userdel", "delete user '%'", "t", YG_OCSF_ACCOUNT_CHANGE, 6, 1},
	{"usermod", "lock user '%'", "t", YG_OCSF_ACCOUNT_CHANGE, 9, 1},
	{"usermod", "unlock user '%'", "t", YG_OCSF_ACCOUNT_CHANGE, 12, 1},
	{"dnsmasq", "query[%] % from %$", "yni", YG_OCSF_DNS_ACTIVITY, 1, 0},
	{"named", "client % %#%: query: % IN % ", "-i-ny", YG_OCSF_DNS_ACTIVITY, 1, 0},
	{"named", "client %#%: query: % IN % ", "i-ny", YG_OCSF_DNS_ACTIVITY, 1, 0},
	{"unbound", "[%] info: % %. % IN", "-iny", YG_OCSF_DNS_ACTIVITY, 1, 0},
	{"postfix", "%: from=<%>", "-f", YG_OCSF_EMAIL_ACTIVITY, 1, 0},
	{"postfix", "%: to=<%>, % status=sent", "-r-", YG_OCSF_EMAIL_ACTIVITY, 1, 1},
	{"postfix", "%: to=<%>, % status=", "-r-", YG_OCSF_EMAIL_ACTIVITY, 1, 2},
	{"postfix", "connect from %[%]", "-i", YG_OCSF_EMAIL_ACTIVITY, 99, 0},
	{"postfix", "NOQUEUE: reject: % from %[%]: % from=<%> to=<%>", "--i-fr", YG_OCSF_EMAIL_ACTIVITY, 1, 2},
};
/* clang-format on */

/* Sources that arrive inside syslog: recognised by members that only they have. */
static const struct {
	enum yg_source source;
	struct yg_sv key, key2;
} inner_sources[] = {
	{YG_SOURCE_SURICATA, YG_SV_INIT("event_type"), YG_SV_INIT("timestamp")},
	{YG_SOURCE_WINDOWS, YG_SV_INIT("EventID"), YG_SV_INIT("Channel")},
	{YG_SOURCE_WINDOWS, YG_SV_INIT("EventID"), YG_SV_INIT("SourceName")},
	{YG_SOURCE_CLOUDTRAIL, YG_SV_INIT("eventVersion"), YG_SV_INIT("eventSource")},
	{YG_SOURCE_OCSF, YG_SV_INIT("class_uid"), YG_SV_INIT("metadata")},
	{YG_SOURCE_ZEEK, YG_SV_INIT("_path"), YG_SV_INIT("ts")},
};

struct state {
	struct yg_norm *inner[YG_SOURCE_COUNT]; /* owned; NULL: not in this build */
};

/* ---- payloads ---- */

static uint8_t word_severity(struct yg_sv s)
{
	static const struct {
		struct yg_sv word;
		uint8_t id;
	} words[] = {
		{YG_SV_INIT("emergency"), 6},   {YG_SV_INIT("alert"), 5},
		{YG_SV_INIT("critical"), 5},    {YG_SV_INIT("very-high"), 5},
		{YG_SV_INIT("error"), 4},       {YG_SV_INIT("high"), 4},
		{YG_SV_INIT("warning"), 3},     {YG_SV_INIT("medium"), 3},
		{YG_SV_INIT("notice"), 2},      {YG_SV_INIT("low"), 2},
		{YG_SV_INIT("information"), 1}, {YG_SV_INIT("debug"), 1},
	};
	/* CEF and LEEF: 0 to 10; CEF's bands are low 0-3, medium 4-6, high 7-8, very high 9-10 */
	static const uint8_t bands[] = {1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5};
	uint64_t v;
	if (yg_parse_u64(s, &v, NULL) == YG_OK)
		return v < YG_LEN(bands) ? bands[v] : 0;
	for (size_t i = 0; i < YG_LEN(words); i++)
		if (yg_sv_ieq(s, words[i].word))
			return words[i].id;
	return 0;
}

/* What the device did: let pass (1) or not (2); 0 when the word says neither. */
static uint8_t action_outcome(struct yg_norm *n, struct yg_sv s)
{
	static const struct yg_sv no[] = {YG_SV_INIT("den"),      YG_SV_INIT("drop"),
					  YG_SV_INIT("block"),    YG_SV_INIT("reject"),
					  YG_SV_INIT("fail"),     YG_SV_INIT("reset"),
					  YG_SV_INIT("quarantin")};
	static const struct yg_sv yes[] = {YG_SV_INIT("allow"),   YG_SV_INIT("accept"),
					   YG_SV_INIT("permit"),  YG_SV_INIT("pass"),
					   YG_SV_INIT("success"), YG_SV_INIT("close")};
	s = yg_norm_lower(n, s);
	for (size_t i = 0; i < YG_LEN(no); i++)
		if (yg_sv_has(s, no[i]))
			return 2;
	for (size_t i = 0; i < YG_LEN(yes); i++)
		if (yg_sv_has(s, yes[i]))
			return 1;
	return 0;
}

/* FortiOS: digits since 1970, in seconds, milli-, micro- or nanoseconds by their number. */
static void event_time(struct yg_sv text, struct yg_event *ev)
{
	int64_t v;
	if (yg_parse_i64(text, &v, NULL) != YG_OK)
		return;
	if (text.n == 19)
		ev->time = v / 1000;
	else if (text.n == 16)
		ev->time = v;
	else if (text.n == 13)
		ev->time = v * 1000;
	else if (text.n == 10)
		ev->time = v * YG_US_PER_S;
}

static void own(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		struct yg_sv text, uint32_t node)
{
	static const struct {
		struct yg_sv number, name;
	} protocols[] = {{YG_SV_INIT("6"), YG_SV_INIT("tcp")},
			 {YG_SV_INIT("17"), YG_SV_INIT("udp")},
			 {YG_SV_INIT("1"), YG_SV_INIT("icmp")},
			 {YG_SV_INIT("58"), YG_SV_INIT("ipv6-icmp")}};
	uint8_t id;
	(void)node;
	switch (rule->op) {
	case OP_SEVERITY:
		id = word_severity(text);
		ev->severity_id = id != 0 ? id : ev->severity_id;
		break;
	case OP_ACTION:
		id = action_outcome(n, text);
		ev->status_id = id != 0 ? id : ev->status_id;
		break;
	case OP_PROTO:
		ev->proto = yg_norm_lower(n, text);
		for (size_t i = 0; i < YG_LEN(protocols); i++)
			if (yg_sv_eq(text, protocols[i].number))
				ev->proto = protocols[i].name;
		break;
	case OP_BYTES_HASH:
		if (text.n == 32 || text.n == 40 || text.n == 64)
			yg_norm_append(n, &ev->hashes, yg_norm_lower(n, text));
		break;
	case OP_NAME: yg_norm_name(n, text); break;
	case OP_EVENTTIME: event_time(text, ev); break;
	default: break;
	}
}

static void put_pair(struct yg_norm *n, struct yg_event *ev, unsigned section, struct yg_sv key,
		     struct yg_sv value)
{
	const struct yg_rule_slot *rule = yg_rules_find(&n->rules, section, key);
	if (rule == NULL || value.n == 0 || YG_SV_IS(value, "N/A"))
		return;
	if (rule->op >= YG_OP_OWN)
		own(n, ev, rule, value, 0);
	else
		yg_norm_put(n, ev, rule->op, rule->field, value);
}

/* What the columns that were found say about the class. */
static void classify(struct yg_event *ev)
{
	bool refused = ev->status_id == 2;
	if (ev->url.n > 0) {
		ev->class_uid = YG_OCSF_HTTP_ACTIVITY;
		ev->activity_id = ev->http_method.n > 0 ? yg_http_activity(ev->http_method) : 99;
	} else if (ev->query.n > 0) {
		ev->class_uid = YG_OCSF_DNS_ACTIVITY;
		ev->activity_id = 1;
	} else if (!yg_ip_is_zero(ev->src_ip) && !yg_ip_is_zero(ev->dst_ip)) {
		ev->class_uid = YG_OCSF_NETWORK_ACTIVITY;
		ev->activity_id = refused ? 5 : 6;
	}
}

/* Undoes "\|", "\=", "\\", "\n", "\r" (CEF section "Character encoding"). */
static struct yg_sv unescape(struct yg_norm *n, struct yg_sv s)
{
	if (yg_sv_find(s, '\\', 0) == s.n)
		return s;
	char *to = yg_arena_alloc(&n->arena, s.n, 1);
	size_t m = 0;
	if (to == NULL)
		return YG_SV("");
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\\' && i + 1 < s.n) {
			c = s.p[++i];
			c = c == 'n' || c == 'r' ? '\n' : c;
		}
		to[m++] = c;
	}
	return (struct yg_sv){to, m};
}

/* The part before the next '|' that is not escaped; false at the end. */
static bool header_part(struct yg_norm *n, struct yg_sv *rest, struct yg_sv *out)
{
	size_t i = 0;
	while (i < rest->n && rest->p[i] != '|')
		i += rest->p[i] == '\\' ? 2 : 1;
	if (i >= rest->n)
		return false;
	*out = unescape(n, yg_sv_sub(*rest, 0, i));
	*rest = yg_sv_sub(*rest, i + 1, rest->n);
	return true;
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

/* CEF: values hold blanks, so a value ends where " key=" begins. */
static void cef_pairs(struct yg_norm *n, struct yg_event *ev, struct yg_sv s)
{
	size_t eq = yg_sv_find(s, '=', 0), key_at = 0;
	while (eq < s.n) {
		struct yg_sv key = yg_sv_trim(yg_sv_sub(s, key_at, eq - key_at));
		size_t next = eq + 1, end;
		while (next < s.n && (s.p[next] != '=' || s.p[next - 1] == '\\'))
			next++;
		end = next;
		if (next < s.n) { /* back over the next key and the blank before it */
			while (end > eq + 1 && is_key_char(s.p[end - 1]))
				end--;
			key_at = end;
		}
		put_pair(n, ev, CEF, key,
			 unescape(n, yg_sv_trim(yg_sv_sub(s, eq + 1, end - eq - 1))));
		eq = next;
	}
}

static void cef_or_leef(struct yg_norm *n, struct yg_event *ev, struct yg_sv s, unsigned section)
{
	struct yg_sv part[7], rest = s;
	size_t fields = section == CEF ? 7 : 5;
	for (size_t i = 0; i < fields; i++)
		if (!header_part(n, &rest, &part[i]))
			return;
	ev->log_name = part[2];
	ev->app = part[2];
	ev->event_code = part[4];
	if (section == CEF) {
		ev->message = part[5];
		uint8_t id = word_severity(part[6]);
		ev->severity_id = id != 0 ? id : ev->severity_id;
		cef_pairs(n, ev, rest);
	} else {
		char separator = '\t';
		size_t bar = yg_sv_find(rest, '|', 0);
		if (yg_sv_starts(part[0], YG_SV("LEEF:2")) && bar < rest.n && bar <= 5) {
			uint8_t byte;
			struct yg_sv d = yg_sv_sub(rest, 0, bar);
			if (d.n == 1)
				separator = d.p[0];
			else if (d.n >= 3 &&
				 yg_parse_hex(yg_sv_sub(d, d.n - 2, 2), &byte, 1, NULL) == YG_OK)
				separator = (char)byte; /* "x5E", "0x5E" */
			rest = yg_sv_sub(rest, bar + 1, rest.n);
		}
		struct yg_sv pair;
		while (rest.n > 0 && yg_sv_cut(&rest, separator, &pair)) {
			size_t eq = yg_sv_find(pair, '=', 0);
			put_pair(n, ev, LEEF, yg_sv_trim(yg_sv_sub(pair, 0, eq)),
				 yg_sv_trim(yg_sv_sub(pair, eq + 1, pair.n)));
		}
	}
	classify(ev);
}

/* key=value key="a b" ...; words that are no pair are passed over. */
static size_t pairs(struct yg_norm *n, struct yg_event *ev, struct yg_sv s)
{
	size_t i = 0, found = 0;
	while (i < s.n) {
		while (i < s.n && !is_key_char(s.p[i]))
			i++;
		size_t key = i;
		while (i < s.n && is_key_char(s.p[i]))
			i++;
		if (i >= s.n || s.p[i] != '=')
			continue;
		struct yg_sv name = yg_sv_sub(s, key, i - key), value;
		size_t from = ++i;
		if (i < s.n && s.p[i] == '"') {
			from++;
			for (i++; i < s.n && s.p[i] != '"'; i++)
				i += s.p[i] == '\\';
			value = yg_sv_sub(s, from, i - from);
		} else {
			while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
				i++;
			value = yg_sv_sub(s, from, i - from);
		}
		found += yg_rules_find(&n->rules, PAIRS, name) != NULL;
		put_pair(n, ev, PAIRS, name, value);
	}
	return found;
}

/* Another source's record: that source reads it; its words come along. */
static bool inner_record(struct yg_norm *n, struct yg_event *ev, enum yg_source source,
			 struct yg_sv json)
{
	struct yg_norm *in = ((struct state *)n->state)->inner[source];
	struct yg_event mapped = {0};
	if (in == NULL)
		return false;
	in->name_count = 0;
	in->bad_time = false;
	mapped.raw = json;
	if (in->ops->record(in, json, &mapped, NULL) != YG_OK)
		return false;
	for (uint32_t i = 0; i < in->name_count; i++)
		yg_norm_name(n, in->names[i]);
	mapped.raw = ev->raw;
	if (mapped.time == 0)
		mapped.time = ev->time;
	mapped.host = yg_sv_or(mapped.host, ev->host);
	memcpy((char *)ev + offsetof(struct yg_event, time),
	       (char *)&mapped + offsetof(struct yg_event, time),
	       sizeof *ev - offsetof(struct yg_event, time));
	return true;
}

static bool json_payload(struct yg_norm *n, struct yg_event *ev, struct yg_sv json)
{
	if (yg_norm_json(n, json, NULL) != YG_OK)
		return false;
	for (size_t i = 0; i < YG_LEN(inner_sources); i++)
		if (yg_node(n, 0, inner_sources[i].key) != YG_NODE_NONE &&
		    yg_node(n, 0, inner_sources[i].key2) != YG_NODE_NONE &&
		    inner_record(n, ev, inner_sources[i].source, json))
			return true;
	yg_norm_apply(n, ev, JSON, 0);
	classify(ev);
	return true;
}

/* ---- lines of programs ---- */

/* Up to six captures; see `lines` for the pattern's signs. */
static bool match_line(struct yg_sv s, const char *pattern, struct yg_sv caps[6])
{
	struct yg_sv p = yg_sv_of(pattern);
	size_t n = 0;
	bool to_end = p.n > 0 && p.p[p.n - 1] == '$';
	p.n -= to_end;
	while (p.n > 0) {
		size_t lit = 0;
		bool greedy = p.p[0] == '&', wild = greedy || p.p[0] == '%';
		p = yg_sv_sub(p, wild, p.n);
		while (lit < p.n && p.p[lit] != '%' && p.p[lit] != '&')
			lit++;
		struct yg_sv text = yg_sv_sub(p, 0, lit);
		p = yg_sv_sub(p, lit, p.n);
		if (!wild) {
			if (!yg_sv_starts(s, text))
				return false;
			s = yg_sv_sub(s, lit, s.n);
			continue;
		}
		size_t at = s.n;
		if (lit == 0) { /* the last one: to the end, or one word */
			at = to_end ? s.n : yg_sv_find(s, ' ', 0);
		} else {
			const char *hit = s.n >= lit ? memmem(s.p, s.n, text.p, lit) : NULL;
			for (const char *more = hit; greedy && more != NULL;) {
				hit = more;
				more = memmem(more + 1, s.n - (size_t)(more + 1 - s.p), text.p,
					      lit);
			}
			if (hit == NULL || (to_end && p.n == 0 && (size_t)(hit - s.p) + lit != s.n))
				return false;
			at = (size_t)(hit - s.p);
		}
		if (n < 6)
			caps[n++] = yg_sv_sub(s, 0, at);
		s = yg_sv_sub(s, at + lit, s.n);
	}
	return !to_end || s.n == 0;
}

static void take(struct yg_norm *n, struct yg_event *ev, char what, struct yg_sv s)
{
	struct yg_ip ip;
	s = yg_sv_trim(s);
	switch (what) {
	case 'u':
		ev->user = s;
		ev->target_user = s;
		break;
	case 'a': ev->user = s; break;
	case 't': ev->target_user = s; break;
	case 'i':
		if (yg_ip_parse(s, &ip) == YG_OK)
			ev->src_ip = ip;
		else
			ev->src_host = yg_norm_domain(n, s);
		break;
	case 'p':
		yg_norm_put(n, ev, YG_OP_SET, YG_EF_src_port,
			    yg_sv_sub(s, 0, yg_sv_find(s, ':', 0)));
		break;
	case 'c':
		ev->cmd_line = s;
		ev->process = yg_sv_sub(s, 0, yg_sv_find(s, ' ', 0));
		break;
	case 'n': ev->query = yg_norm_domain(n, s); break;
	case 'y': ev->query_type = s; break;
	case 'f': yg_norm_put(n, ev, YG_OP_EMAIL, YG_EF_mail_from, s); break;
	case 'r': yg_norm_put(n, ev, YG_OP_EMAIL, YG_EF_mail_to, s); break;
	default: break;
	}
}

static bool program_line(struct yg_norm *n, struct yg_event *ev, struct yg_sv msg)
{
	struct yg_sv caps[6] = {{"", 0}};
	for (size_t i = 0; i < YG_LEN(lines); i++) {
		const struct line *l = &lines[i];
		struct yg_sv app = yg_sv_of(l->app);
		/* "postfix/smtpd" is postfix; "sshd-session" (OpenSSH 9.8) is sshd */
		if (!yg_sv_starts(ev->app, app) ||
		    (app.n > 0 && ev->app.n > app.n && ev->app.p[app.n] != '/' &&
		     ev->app.p[app.n] != '-'))
			continue;
		if (!match_line(yg_sv_trim(msg), l->pattern, caps))
			continue;
		ev->class_uid = l->class_uid;
		ev->activity_id = l->activity_id;
		ev->status_id = l->status_id;
		for (size_t k = 0; l->takes[k] != '\0'; k++)
			take(n, ev, l->takes[k], caps[k]);
		return true;
	}
	return false;
}

/* A line of a program that is not known: the first address behind "from" or "to". */
static void loose_addresses(struct yg_event *ev, struct yg_sv msg)
{
	struct yg_sv word, before = {"", 0};
	for (int i = 0; i < 256 && msg.n > 0 && yg_sv_cut(&msg, ' ', &word); i++) {
		struct yg_ip ip;
		while (word.n > 0 && (word.p[0] == '(' || word.p[0] == '['))
			word = yg_sv_sub(word, 1, word.n);
		while (word.n > 0 && yg_sv_find(YG_SV(",;:)]."), word.p[word.n - 1], 0) < 6)
			word.n--;
		bool from = yg_sv_ieq(before, YG_SV("from")), to = yg_sv_ieq(before, YG_SV("to"));
		if ((from || to) && yg_ip_parse(word, &ip) == YG_OK) {
			struct yg_ip *at = from ? &ev->src_ip : &ev->dst_ip;
			if (yg_ip_is_zero(*at))
				*at = ip;
		}
		before = word;
	}
}

/* ---- the message ---- */

static void payload(struct yg_norm *n, struct yg_event *ev, struct yg_sv msg)
{
	struct yg_sv s = yg_sv_trim(msg);
	if (yg_sv_starts(s, YG_SV("@cee:")))
		s = yg_sv_trim(yg_sv_sub(s, 5, s.n));
	if (yg_sv_starts(s, YG_SV("CEF:"))) {
		cef_or_leef(n, ev, s, CEF);
	} else if (yg_sv_starts(s, YG_SV("LEEF:"))) {
		cef_or_leef(n, ev, s, LEEF);
	} else if (s.n > 0 && s.p[0] == '{' && json_payload(n, ev, s)) {
		return;
	} else if (!program_line(n, ev, s)) {
		bool kernel = YG_SV_IS(ev->app, "kernel") && yg_sv_has(s, YG_SV("SRC="));
		size_t eq = yg_sv_find(s, '=', 0);
		bool listed = eq > 0 && eq < 32 && yg_sv_find(yg_sv_sub(s, 0, eq), ' ', 0) == eq;
		if ((kernel || listed) && pairs(n, ev, s) >= 2)
			classify(ev);
		else
			loose_addresses(ev, s);
	}
}

/* Structured data: what Yagura has columns for, by the names of key=value lines. */
static void structured_data(struct yg_norm *n, struct yg_event *ev, struct yg_sv sd)
{
	struct yg_sv id = {"", 0};
	struct yg_syslog_param p;
	while (yg_syslog_sd_next(&sd, &id, &p)) {
		if (YG_SV_IS(p.id, "timeQuality") || YG_SV_IS(p.id, "meta"))
			continue;
		struct yg_sv v = yg_syslog_unescape(&p, &n->arena);
		if (v.p != NULL && p.name.n > 0)
			put_pair(n, ev, PAIRS, p.name, v);
	}
}

static yg_status syslog_record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			       struct yg_err *err)
{
	static const uint8_t severity[] = {6, 5, 5, 4, 3, 2, 1, 1};
	struct yg_syslog m;
	yg_status st = yg_syslog_parse(record, n->received, YG_SECONDS(0), &m, err);
	if (st != YG_OK)
		return st;
	ev->time = m.time.us;
	ev->severity_id = m.severity < YG_LEN(severity) ? severity[m.severity] : 0;
	ev->log_name = yg_sv_of(yg_syslog_facility_name(m.facility));
	ev->event_code = m.msgid;
	ev->host = m.host;
	ev->app = m.app;
	uint64_t pid;
	if (yg_parse_u64(m.procid, &pid, NULL) == YG_OK && pid <= UINT32_MAX)
		ev->pid = (uint32_t)pid;
	ev->message = yg_sv_trim(m.msg);
	structured_data(n, ev, m.sd);
	payload(n, ev, m.msg);
	yg_norm_name(n, ev->app);
	return YG_OK;
}

static yg_status syslog_init(struct yg_norm *n, struct yg_err *err)
{
	struct state *s = n->state;
	(void)err; /* a source that this build lacks is read as plain JSON */
	for (size_t i = 0; i < YG_LEN(inner_sources); i++) {
		enum yg_source source = inner_sources[i].source;
		if (s->inner[source] == NULL &&
		    yg_norm_new(source, NULL, &s->inner[source], NULL) != YG_OK)
			s->inner[source] = NULL;
	}
	return YG_OK;
}

static void syslog_drop(struct yg_norm *n)
{
	struct state *s = n->state;
	for (size_t i = 0; i < YG_LEN(s->inner); i++)
		yg_norm_free(s->inner[i]);
}

static void syslog_begin(struct yg_norm *n)
{
	struct state *s = n->state;
	for (size_t i = 0; i < YG_LEN(s->inner); i++)
		if (s->inner[i] != NULL)
			yg_norm_begin(s->inner[i], n->batch, n->received, false);
}

const struct yg_norm_ops yg_norm_syslog = {
	.rules = rules,
	.rule_count = YG_LEN(rules),
	.sections = SECTIONS,
	.state_size = sizeof(struct state),
	.init = syslog_init,
	.drop = syslog_drop,
	.begin = syslog_begin,
	.record = syslog_record,
	.own = own,
};
