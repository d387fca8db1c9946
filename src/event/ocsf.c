/* ocsf.c - an event as OCSF 1.8 JSON.
 *
 * One function per object of the schema; each writes what the event has of it
 * and marks those columns.  What no object took goes under "unmapped" by its
 * column's name, so nothing of an event is lost on the way out.
 */
#include "event/event.h"
#include "format/json.h"

struct out {
	const struct yg_event *ev;
	struct yg_buf *b;
	bool done[YG_EVENT_FIELD_COUNT]; /* columns that have found their place */
};

static void put(struct out *o, struct yg_sv s)
{
	yg_buf_put(o->b, s);
}

/* A comma where one belongs, the key and its colon. */
static void key(struct out *o, struct yg_sv name)
{
	if (o->b->n > 0 && o->b->p[o->b->n - 1] != '{' && o->b->p[o->b->n - 1] != '[')
		put(o, YG_SV(","));
	if (name.n == 0) /* in an array */
		return;
	put(o, YG_SV("\""));
	put(o, name);
	put(o, YG_SV("\":"));
}

static void put_u64(struct out *o, uint64_t v)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_u64(&b, YG_MIN(v, (uint64_t)INT64_MAX)); /* long_t is signed */
	put(o, yg_sb_sv(&b));
}

static void put_i64(struct out *o, int64_t v)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_i64(&b, v);
	put(o, yg_sb_sv(&b));
}

static void put_ip(struct out *o, struct yg_ip ip)
{
	char text[YG_IP_TEXT_MAX + 2];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_putc(&b, '"');
	yg_ip_format(&b, ip);
	yg_sb_putc(&b, '"');
	put(o, yg_sb_sv(&b));
}

static const void *at(const struct out *o, enum yg_event_field f)
{
	return (const char *)o->ev + yg_event_fields[f].offset;
}

static struct yg_sv text_of(const struct out *o, enum yg_event_field f)
{
	return *(const struct yg_sv *)at(o, f);
}

static uint64_t number_of(const struct out *o, enum yg_event_field f)
{
	switch (yg_event_fields[f].type) {
	case YG_ET_I64: return (uint64_t) * (const int64_t *)at(o, f);
	case YG_ET_U64: return *(const uint64_t *)at(o, f);
	case YG_ET_U32: return *(const uint32_t *)at(o, f);
	case YG_ET_U16: return *(const uint16_t *)at(o, f);
	case YG_ET_U8: return *(const uint8_t *)at(o, f);
	default: return 0;
	}
}

static bool is_set(const struct out *o, enum yg_event_field f)
{
	switch (yg_event_fields[f].type) {
	case YG_ET_STR:
	case YG_ET_LSTR: return text_of(o, f).n > 0;
	case YG_ET_IP: return !yg_ip_is_zero(*(const struct yg_ip *)at(o, f));
	case YG_ET_STRS: return ((const struct yg_strs *)at(o, f))->n > 0;
	default: return number_of(o, f) != 0;
	}
}

static void put_strs(struct out *o, const struct yg_strs *list)
{
	put(o, YG_SV("["));
	for (uint32_t i = 0; i < list->n; i++) {
		key(o, YG_SV(""));
		yg_json_put_str(o->b, list->v[i]);
	}
	put(o, YG_SV("]"));
}

/* The column under `name`, if it is set and not written yet. */
static void field(struct out *o, struct yg_sv name, enum yg_event_field f)
{
	if (o->done[f] || !is_set(o, f))
		return;
	o->done[f] = true;
	key(o, name);
	switch (yg_event_fields[f].type) {
	case YG_ET_STR:
	case YG_ET_LSTR: yg_json_put_str(o->b, text_of(o, f)); break;
	case YG_ET_IP: put_ip(o, *(const struct yg_ip *)at(o, f)); break;
	case YG_ET_STRS: put_strs(o, at(o, f)); break;
	case YG_ET_I64: put_i64(o, (int64_t)number_of(o, f)); break;
	default: put_u64(o, number_of(o, f)); break;
	}
}
#define FIELD(o, name, member) field((o), YG_SV(name), YG_EF_##member)

static void number(struct out *o, struct yg_sv name, uint64_t v)
{
	key(o, name);
	put_u64(o, v);
}

static void text(struct out *o, struct yg_sv name, struct yg_sv s)
{
	key(o, name);
	yg_json_put_str(o->b, s);
}

/* An object that goes away again when nothing was put into it. */
struct scope {
	size_t from, inside;
	char close;
};
static struct scope begin(struct out *o, struct yg_sv name, char open)
{
	struct scope s = {.from = o->b->n, .close = open == '{' ? '}' : ']'};
	key(o, name);
	yg_buf_putc(o->b, open);
	s.inside = o->b->n;
	return s;
}
static void end(struct out *o, struct scope s)
{
	if (o->b->bad)
		return;
	if (o->b->n == s.inside)
		o->b->n = s.from;
	else
		yg_buf_putc(o->b, s.close);
}
#define BEGIN(o, name) begin((o), YG_SV(name), '{')
#define LIST(o, name)  begin((o), YG_SV(name), '[')

/* Category and, for extensions (windows: 201001), the class without its prefix. */
static uint32_t category(uint32_t class_uid)
{
	return class_uid % 100000 / 1000;
}

static bool is_network(uint32_t class_uid)
{
	return category(class_uid) == 4;
}

/* Last part of a path, as schema object file wants it beside the path. */
static struct yg_sv base_name(struct yg_sv path)
{
	size_t i = path.n;
	while (i > 0 && path.p[i - 1] != '/' && path.p[i - 1] != '\\')
		i--;
	return i < path.n ? yg_sv_sub(path, i, path.n) : path;
}

static void product(struct out *o)
{
	static const struct {
		struct yg_sv source, name, vendor;
	} rows[] = {
		{YG_SV_INIT("zeek"), YG_SV_INIT("Zeek"), YG_SV_INIT("Zeek")},
		{YG_SV_INIT("suricata"), YG_SV_INIT("Suricata"), YG_SV_INIT("OISF")},
		{YG_SV_INIT("cloudtrail"), YG_SV_INIT("CloudTrail"), YG_SV_INIT("AWS")},
		{YG_SV_INIT("windows"), YG_SV_INIT("Windows"), YG_SV_INIT("Microsoft")},
	};
	struct yg_sv name = o->ev->source.n > 0 ? o->ev->source : YG_SV("Yagura"),
		     vendor = YG_SV("unknown");
	for (size_t i = 0; i < YG_LEN(rows); i++)
		if (yg_sv_eq(o->ev->source, rows[i].source)) {
			name = rows[i].name;
			vendor = rows[i].vendor;
		}
	struct scope s = BEGIN(o, "product");
	text(o, YG_SV("name"), name);
	text(o, YG_SV("vendor_name"), o->ev->source.n > 0 ? vendor : YG_SV("Yagura"));
	end(o, s);
}

static void metadata(struct out *o)
{
	struct scope s = BEGIN(o, "metadata");
	text(o, YG_SV("version"), YG_SV("1.8.0"));
	product(o);
	struct scope profiles = LIST(o, "profiles");
	put(o, YG_SV("\"datetime\",\"host\""));
	if (is_set(o, YG_EF_cloud_account) || is_set(o, YG_EF_cloud_region))
		put(o, YG_SV(",\"cloud\""));
	if (is_network(o->ev->class_uid) && o->ev->verdict.n > 0)
		put(o, YG_SV(",\"security_control\""));
	end(o, profiles);
	if (o->ev->day != 0) { /* the event has a place in the store */
		char id[YG_EVENT_ID_MAX];
		struct yg_sb b = yg_sb_init(id, sizeof id);
		yg_event_id_format(&b, o->ev->spool, o->ev->batch, o->ev->row);
		text(o, YG_SV("uid"), yg_sb_sv(&b));
	}
	FIELD(o, "tenant_uid", org);
	if (o->ev->received != 0)
		number(o, YG_SV("logged_time"), (uint64_t)(o->ev->received / 1000));
	FIELD(o, "log_provider", source);
	FIELD(o, "log_source", sensor);
	FIELD(o, "log_name", log_name);
	FIELD(o, "event_code", event_code);
	FIELD(o, "correlation_uid", uid);
	end(o, s);
	o->done[YG_EF_received] = o->done[YG_EF_day] = o->done[YG_EF_spool] = true;
	o->done[YG_EF_batch] = o->done[YG_EF_row] = true;
}

static void classification(struct out *o)
{
	const struct yg_event *ev = o->ev;
	char when[32];
	struct yg_sb b = yg_sb_init(when, sizeof when);
	number(o, YG_SV("activity_id"), ev->activity_id);
	number(o, YG_SV("category_uid"), category(ev->class_uid));
	number(o, YG_SV("class_uid"), ev->class_uid);
	number(o, YG_SV("type_uid"), (uint64_t)ev->class_uid * 100 + ev->activity_id);
	number(o, YG_SV("severity_id"), ev->severity_id);
	FIELD(o, "status_id", status_id);
	key(o, YG_SV("time"));
	put_i64(o, ev->time / 1000 - (ev->time % 1000 < 0)); /* timestamp_t: milliseconds */
	yg_time_format(&b, (yg_wall){ev->time});
	text(o, YG_SV("time_dt"), yg_sb_sv(&b));
	o->done[YG_EF_activity_id] = o->done[YG_EF_class_uid] = o->done[YG_EF_severity_id] = true;
	o->done[YG_EF_time] = true;
	FIELD(o, "message", message);
	if (ev->duration >= 1000)
		number(o, YG_SV("duration"), (uint64_t)ev->duration / 1000); /* milliseconds */
	if (ev->duration >= 1000 && ev->duration % 1000 == 0)
		o->done[YG_EF_duration] = true;
}

static void endpoint(struct out *o, struct yg_sv name, bool src)
{
	struct scope s = begin(o, name, '{');
	field(o, YG_SV("ip"), src ? YG_EF_src_ip : YG_EF_dst_ip);
	field(o, YG_SV("port"), src ? YG_EF_src_port : YG_EF_dst_port);
	field(o, YG_SV("hostname"), src ? YG_EF_src_host : YG_EF_dst_host);
	if (src)
		FIELD(o, "zone", network);
	end(o, s);
}

static void fingerprint(struct out *o, struct yg_sv name, struct yg_sv value)
{
	/* algorithm_id of object fingerprint: 1 MD5, 2 SHA-1, 3 SHA-256, 4 SHA-512, 99 other */
	unsigned id = value.n == 32    ? 1
		      : value.n == 40  ? 2
		      : value.n == 64  ? 3
		      : value.n == 128 ? 4
				       : 99;
	struct scope s = begin(o, name, '{');
	number(o, YG_SV("algorithm_id"), id);
	text(o, YG_SV("value"), value);
	end(o, s);
}

static void hashes(struct out *o, struct yg_sv name)
{
	struct scope s = begin(o, name, '[');
	for (uint32_t i = 0; i < o->ev->hashes.n; i++)
		fingerprint(o, YG_SV(""), o->ev->hashes.v[i]);
	end(o, s);
	o->done[YG_EF_hashes] = true;
}

static void certificate(struct out *o)
{
	if (!is_set(o, YG_EF_tls_issuer) && !is_set(o, YG_EF_tls_subject) &&
	    !is_set(o, YG_EF_hashes))
		return;
	struct scope s = BEGIN(o, "certificate");
	if (!is_set(o, YG_EF_tls_issuer))
		text(o, YG_SV("issuer"), YG_SV("unknown")); /* required, as is the serial number */
	FIELD(o, "issuer", tls_issuer);
	FIELD(o, "subject", tls_subject);
	text(o, YG_SV("serial_number"), YG_SV("unknown"));
	hashes(o, YG_SV("fingerprints"));
	end(o, s);
}

static void tls(struct out *o)
{
	const struct yg_event *ev = o->ev;
	bool is_ja3 = ev->ja3.n == 32 && ev->class_uid != YG_OCSF_SSH_ACTIVITY;
	if (ev->tls_version.n > 0 || ev->tls_subject.n > 0 || ev->tls_issuer.n > 0 || is_ja3) {
		struct scope s = BEGIN(o, "tls");
		if (ev->tls_version.n == 0)
			text(o, YG_SV("version"), YG_SV("unknown")); /* required */
		FIELD(o, "version", tls_version);
		certificate(o);
		if (is_ja3)
			fingerprint(o, YG_SV("ja3_hash"), ev->ja3);
		end(o, s);
	}
	if (ev->ja3.n == 0)
		return;
	if (ev->class_uid == YG_OCSF_SSH_ACTIVITY) {
		struct scope s = BEGIN(o, "client_hassh");
		fingerprint(o, YG_SV("fingerprint"), ev->ja3);
		end(o, s);
	} else if (!is_ja3) {
		struct scope s = LIST(o, "ja4_fingerprint_list"), one = BEGIN(o, "");
		number(o, YG_SV("type_id"), 1); /* JA4: the client's TLS hello */
		text(o, YG_SV("value"), ev->ja3);
		end(o, one);
		end(o, s);
	}
	o->done[YG_EF_ja3] = true;
}

/* Object url from its text; the parts that are there. */
static void url(struct out *o, struct yg_sv name)
{
	if (!is_set(o, YG_EF_url))
		return;
	struct yg_sv u = o->ev->url, rest = u;
	const char *sep = u.n > 3 ? memmem(u.p, u.n, "://", 3) : NULL;
	struct scope s = begin(o, name, '{');
	if (sep != NULL) {
		text(o, YG_SV("scheme"), yg_sv_sub(u, 0, (size_t)(sep - u.p)));
		rest = yg_sv_sub(u, (size_t)(sep - u.p) + 3, u.n);
		rest = yg_sv_sub(rest, yg_sv_find(rest, '/', 0), rest.n);
	}
	rest = yg_sv_sub(rest, 0, yg_sv_find(rest, '#', 0));
	size_t mark = yg_sv_find(rest, '?', 0);
	if (mark > 0)
		text(o, YG_SV("path"), yg_sv_sub(rest, 0, mark));
	if (mark < rest.n)
		text(o, YG_SV("query_string"), yg_sv_sub(rest, mark + 1, rest.n));
	FIELD(o, "url_string", url);
	end(o, s);
}

static void http(struct out *o)
{
	struct scope s = BEGIN(o, "http_request");
	FIELD(o, "http_method", http_method);
	url(o, YG_SV("url"));
	FIELD(o, "user_agent", user_agent);
	FIELD(o, "referrer", referrer);
	end(o, s);
	s = BEGIN(o, "http_response");
	FIELD(o, "code", http_status);
	end(o, s);
}

static void dns_query(struct out *o)
{
	struct scope s = BEGIN(o, "query");
	FIELD(o, "hostname", query);
	FIELD(o, "type", query_type);
	end(o, s);
}

static void dns_answers(struct out *o)
{
	struct scope s = LIST(o, "answers");
	for (uint32_t i = 0; i < o->ev->answers.n; i++) {
		struct scope one = BEGIN(o, "");
		text(o, YG_SV("rdata"), o->ev->answers.v[i]);
		end(o, one);
	}
	end(o, s);
	o->done[YG_EF_answers] = true;
}

static void dns(struct out *o)
{
	static const struct yg_sv names[] = {
		/* rcode_id of class 4003 */
		YG_SV_INIT("NOERROR"),  YG_SV_INIT("FORMERR"), YG_SV_INIT("SERVFAIL"),
		YG_SV_INIT("NXDOMAIN"), YG_SV_INIT("NOTIMP"),  YG_SV_INIT("REFUSED"),
		YG_SV_INIT("YXDOMAIN"), YG_SV_INIT("YXRRSET"), YG_SV_INIT("NXRRSET"),
		YG_SV_INIT("NOTAUTH"),  YG_SV_INIT("NOTZONE")};
	dns_query(o);
	if (is_set(o, YG_EF_rcode)) {
		size_t id = 0;
		while (id < YG_LEN(names) && !yg_sv_eq(names[id], o->ev->rcode))
			id++;
		number(o, YG_SV("rcode_id"), id < YG_LEN(names) ? id : 99);
	}
	FIELD(o, "rcode", rcode);
	dns_answers(o);
}

/* Object file: name and type_id are required. */
static void file(struct out *o, struct yg_sv name, enum yg_event_field path, bool with_hashes,
		 bool required)
{
	bool has_hashes = with_hashes && !o->done[YG_EF_hashes] && o->ev->hashes.n > 0;
	if (!required && (o->done[path] || !is_set(o, path)) && !has_hashes)
		return;
	struct yg_sv full = text_of(o, path);
	struct scope s = begin(o, name, '{');
	text(o, YG_SV("name"), full.n > 0 ? base_name(full) : YG_SV("unknown"));
	field(o, YG_SV("path"), path);
	number(o, YG_SV("type_id"), 0); /* unknown */
	if (has_hashes)
		hashes(o, YG_SV("hashes"));
	end(o, s);
}

static void process(struct out *o, struct yg_sv name, bool hashes_here)
{
	struct scope s = begin(o, name, '{');
	FIELD(o, "pid", pid);
	FIELD(o, "cmd_line", cmd_line);
	file(o, YG_SV("file"), YG_EF_process, hashes_here, false);
	struct scope parent = BEGIN(o, "parent_process");
	FIELD(o, "cmd_line", parent_cmd_line);
	file(o, YG_SV("file"), YG_EF_parent_process, false, false);
	end(o, parent);
	end(o, s);
}

static void user_object(struct out *o, struct yg_sv name, enum yg_event_field f)
{
	struct scope s = begin(o, name, '{');
	field(o, YG_SV("name"), f);
	end(o, s);
}

/* Object actor; required where something acts, and it must hold something. */
static void actor(struct out *o, bool with_process, bool required)
{
	struct scope s = BEGIN(o, "actor");
	size_t inside = o->b->n;
	user_object(o, YG_SV("user"), YG_EF_user);
	if (with_process)
		process(o, YG_SV("process"), false);
	if (required && o->b->n == inside && !o->b->bad)
		text(o, YG_SV("app_name"), o->ev->source.n > 0 ? o->ev->source : YG_SV("unknown"));
	end(o, s);
}

static void device(struct out *o, bool required, bool with_ip)
{
	bool has_ip = with_ip && !o->done[YG_EF_src_ip] && is_set(o, YG_EF_src_ip);
	if (!required && !has_ip && (o->done[YG_EF_host] || !is_set(o, YG_EF_host)))
		return;
	struct scope s = BEGIN(o, "device");
	number(o, YG_SV("type_id"), 0); /* unknown */
	FIELD(o, "hostname", host);
	if (has_ip)
		FIELD(o, "ip", src_ip);
	end(o, s);
}

static void cloud(struct out *o)
{
	if (!is_set(o, YG_EF_cloud_account) && !is_set(o, YG_EF_cloud_region))
		return;
	struct scope s = BEGIN(o, "cloud");
	text(o, YG_SV("provider"),
	     YG_SV_IS(o->ev->source, "cloudtrail") ? YG_SV("AWS") : YG_SV("unknown"));
	struct scope a = BEGIN(o, "account");
	field(o, YG_SV("uid"), YG_EF_cloud_account);
	end(o, a);
	FIELD(o, "region", cloud_region);
	end(o, s);
}

/* Profile security_control: what a policy made of it.  The verdict's own word stays
 * under "unmapped": noted says more than "Logged". */
static void control(struct out *o)
{
	static const struct {
		struct yg_sv verdict, caption;
		unsigned disposition, action;
	} rows[] = {
		{YG_SV_INIT("allowed"), YG_SV_INIT("Allowed"), 1, 1},
		{YG_SV_INIT("passed"), YG_SV_INIT("Allowed"), 1, 1},
		{YG_SV_INIT("noted"), YG_SV_INIT("Logged"), 17, 3},
		{YG_SV_INIT("blocked"), YG_SV_INIT("Blocked"), 2, 2},
		{YG_SV_INIT("dropped"), YG_SV_INIT("Dropped"), 6, 2},
		{YG_SV_INIT("refused"), YG_SV_INIT("Rejected"), 25, 2},
		{YG_SV_INIT("failed"), YG_SV_INIT("Error"), 27, 0},
	};
	size_t i = 0;
	while (i < YG_LEN(rows) && !yg_sv_eq(rows[i].verdict, o->ev->verdict))
		i++;
	if (i < YG_LEN(rows)) {
		number(o, YG_SV("action_id"), rows[i].action);
		number(o, YG_SV("disposition_id"), rows[i].disposition);
		text(o, YG_SV("disposition"), rows[i].caption);
	}
	struct scope s = BEGIN(o, "policy");
	FIELD(o, "name", policy);
	struct scope group = BEGIN(o, "group");
	FIELD(o, "name", layer);
	end(o, group);
	if (o->b->n > s.inside && i < YG_LEN(rows)) {
		key(o, YG_SV("is_applied"));
		put(o, YG_SV_IS(o->ev->verdict, "noted") ? YG_SV("false") : YG_SV("true"));
	}
	end(o, s);
	s = BEGIN(o, "firewall_rule");
	FIELD(o, "name", rule);
	FIELD(o, "type", trigger);
	FIELD(o, "category", category);
	end(o, s);
}

static void network(struct out *o)
{
	uint32_t class_uid = o->ev->class_uid;
	endpoint(o, YG_SV("src_endpoint"), true);
	endpoint(o, YG_SV("dst_endpoint"), false);
	control(o);
	if (class_uid == YG_OCSF_EMAIL_ACTIVITY) {
		number(o, YG_SV("direction_id"), 0);
		key(o, YG_SV("email"));
		put(o, YG_SV("{")); /* required, so it stays when empty */
		FIELD(o, "from", mail_from);
		FIELD(o, "to", mail_to);
		FIELD(o, "subject", subject);
		put(o, YG_SV("}"));
		FIELD(o, "protocol_name", app);
		return;
	}
	if (is_set(o, YG_EF_proto)) {
		struct scope s = BEGIN(o, "connection_info");
		number(o, YG_SV("direction_id"), 0);
		FIELD(o, "protocol_name", proto);
		end(o, s);
	}
	struct scope s = BEGIN(o, "traffic");
	FIELD(o, "bytes_in", bytes_in);
	FIELD(o, "bytes_out", bytes_out);
	end(o, s);
	FIELD(o, "app_name", app);
	if (class_uid == YG_OCSF_DNS_ACTIVITY)
		dns(o);
	if (class_uid == YG_OCSF_HTTP_ACTIVITY)
		http(o);
	if (class_uid == YG_OCSF_NTP_ACTIVITY)
		text(o, YG_SV("version"), YG_SV("unknown")); /* required */
	tls(o);
	if (class_uid == YG_OCSF_SMB_ACTIVITY || class_uid == YG_OCSF_FTP_ACTIVITY ||
	    class_uid == YG_OCSF_HTTP_ACTIVITY || class_uid == YG_OCSF_RDP_ACTIVITY ||
	    class_uid == YG_OCSF_SSH_ACTIVITY)
		file(o, YG_SV("file"), YG_EF_file_path, true, false);
}

/* Class 2004: the evidence is one artefact with all that the event knows. */
static void finding(struct out *o)
{
	const struct yg_event *ev = o->ev;
	struct scope s = BEGIN(o, "finding_info");
	if (ev->finding_uid.n == 0)
		text(o, YG_SV("uid"), YG_SV("unknown")); /* required */
	FIELD(o, "uid", finding_uid);
	FIELD(o, "title", finding_title);
	if (ev->list.n > 0) {
		struct scope sources = LIST(o, "data_sources");
		FIELD(o, "", list);
		end(o, sources);
	}
	struct scope related = LIST(o, "related_events");
	for (uint32_t i = 0; i < ev->related.n; i++) {
		struct scope one = BEGIN(o, "");
		text(o, YG_SV("uid"), ev->related.v[i]);
		end(o, one);
	}
	end(o, related);
	o->done[YG_EF_related] = true;
	end(o, s);
	FIELD(o, "confidence_score", confidence);
	key(o, YG_SV("is_alert"));
	put(o, YG_SV("true"));
	s = LIST(o, "evidences");
	struct scope one = BEGIN(o, "");
	endpoint(o, YG_SV("src_endpoint"), true);
	endpoint(o, YG_SV("dst_endpoint"), false);
	if (is_set(o, YG_EF_proto)) {
		struct scope c = BEGIN(o, "connection_info");
		number(o, YG_SV("direction_id"), 0);
		FIELD(o, "protocol_name", proto);
		end(o, c);
	}
	dns_query(o);
	if (is_set(o, YG_EF_http_method) || is_set(o, YG_EF_user_agent) ||
	    is_set(o, YG_EF_http_status))
		http(o);
	else
		url(o, YG_SV("url"));
	file(o, YG_SV("file"), YG_EF_file_path, true, false);
	process(o, YG_SV("process"), false);
	user_object(o, YG_SV("user"), YG_EF_user);
	end(o, one);
	end(o, s);
}

static void identity(struct out *o) /* category 3 */
{
	bool two = is_set(o, YG_EF_target_user);
	struct scope s = BEGIN(o, "user");
	if (!two && !is_set(o, YG_EF_user))
		text(o, YG_SV("name"), YG_SV("unknown")); /* required */
	field(o, YG_SV("name"), two ? YG_EF_target_user : YG_EF_user);
	end(o, s);
	actor(o, true, false);
	endpoint(o, YG_SV("src_endpoint"), true);
	endpoint(o, YG_SV("dst_endpoint"), false);
	if (o->ev->class_uid == YG_OCSF_AUTHENTICATION)
		FIELD(o, "auth_protocol", app);
	http(o);
	if (is_set(o, YG_EF_api_operation)) {
		s = BEGIN(o, "api");
		FIELD(o, "operation", api_operation);
		struct scope service = BEGIN(o, "service");
		FIELD(o, "name", api_service);
		end(o, service);
		end(o, s);
	}
}

static void application(struct out *o) /* category 6 */
{
	actor(o, true, true);
	if (o->ev->class_uid == YG_OCSF_API_ACTIVITY || is_set(o, YG_EF_api_operation)) {
		struct scope s = BEGIN(o, "api");
		if (!is_set(o, YG_EF_api_operation))
			text(o, YG_SV("operation"), YG_SV("unknown")); /* required */
		FIELD(o, "operation", api_operation);
		struct scope service = BEGIN(o, "service");
		FIELD(o, "name", api_service);
		end(o, service);
		end(o, s);
	}
	struct scope s = BEGIN(o, "src_endpoint");
	FIELD(o, "ip", src_ip);
	FIELD(o, "port", src_port);
	FIELD(o, "hostname", src_host);
	if (o->b->n == s.inside && !o->b->bad)
		text(o, YG_SV("name"), YG_SV("unknown")); /* required */
	end(o, s);
	endpoint(o, YG_SV("dst_endpoint"), false);
	http(o);
}

static void inventory(struct out *o) /* category 5 */
{
	device(o, true, true);
	if (o->ev->class_uid != YG_OCSF_SOFTWARE_INVENTORY || !is_set(o, YG_EF_app))
		return;
	struct scope s = BEGIN(o, "product");
	FIELD(o, "name", app);
	text(o, YG_SV("vendor_name"), YG_SV("unknown")); /* required */
	end(o, s);
}

static void system_class(struct out *o) /* category 1 */
{
	uint32_t class_uid = o->ev->class_uid;
	device(o, true, false);
	switch (class_uid) {
	case YG_OCSF_PROCESS_ACTIVITY:
		process(o, YG_SV("process"), true);
		actor(o, false, true);
		break;
	case YG_OCSF_FILE_ACTIVITY:
		file(o, YG_SV("file"), YG_EF_file_path, true, true);
		actor(o, true, true);
		break;
	case YG_OCSF_MODULE_ACTIVITY: {
		struct scope s = BEGIN(o, "module");
		file(o, YG_SV("file"), YG_EF_file_path, true, true);
		end(o, s);
		actor(o, true, true);
		break;
	}
	case YG_OCSF_REGISTRY_KEY:
	case YG_OCSF_REGISTRY_VALUE: {
		struct scope s = begin(o,
				       class_uid == YG_OCSF_REGISTRY_KEY ? YG_SV("reg_key")
									 : YG_SV("reg_value"),
				       '{');
		FIELD(o, "path", file_path);
		end(o, s);
		actor(o, true, true);
		break;
	}
	default:
		actor(o, true, class_uid != YG_OCSF_EVENT_LOG_ACTIVITY);
		file(o, YG_SV("file"), YG_EF_file_path, true, false);
		break;
	}
}

static void observable(struct out *o, struct yg_sv name, unsigned type, struct yg_sv value)
{
	if (value.n == 0)
		return;
	struct scope s = BEGIN(o, "");
	text(o, YG_SV("name"), name);
	number(o, YG_SV("type_id"), type);
	text(o, YG_SV("value"), value);
	end(o, s);
}

enum {
	HOSTNAME = 1,
	IP_ADDRESS = 2,
	USER_NAME = 4,
	EMAIL_ADDRESS = 5,
	URL_STRING = 6,
	HASH = 8,
	FILE_NAME = 7,
	PROCESS_NAME = 9,
};

static void observable_ip(struct out *o, struct yg_sv name, struct yg_ip ip)
{
	char value[YG_IP_TEXT_MAX];
	struct yg_sb b = yg_sb_init(value, sizeof value);
	if (yg_ip_is_zero(ip))
		return;
	yg_ip_format(&b, ip);
	observable(o, name, IP_ADDRESS, yg_sb_sv(&b));
}

/* Does a column hold this word of `names`, so that it needs no mention of its own? */
static bool in_column(const struct out *o, enum yg_event_field f, struct yg_sv name,
		      struct yg_ip ip, bool is_ip)
{
	const struct yg_strs *list = at(o, f);
	switch (yg_event_fields[f].type) {
	case YG_ET_STR:
	case YG_ET_LSTR:
		return yg_sv_ieq(text_of(o, f), name) || yg_sv_ieq(base_name(text_of(o, f)), name);
	case YG_ET_IP: return is_ip && yg_ip_eq(*(const struct yg_ip *)at(o, f), ip);
	case YG_ET_STRS:
		for (uint32_t i = 0; i < list->n; i++)
			if (yg_sv_ieq(list->v[i], name))
				return true;
		return false;
	default: return false;
	}
}

/* Words that stand in no column: found in the record itself. */
static void observable_words(struct out *o)
{
	for (uint32_t i = 0; i < o->ev->names.n; i++) {
		struct yg_sv name = o->ev->names.v[i];
		struct yg_ip ip = {{0}};
		bool is_ip = yg_ip_parse(name, &ip) == YG_OK, known = yg_sv_has(o->ev->url, name);
		for (int f = YG_EF_src_ip; f < YG_EF_names && !known; f++)
			known = in_column(o, (enum yg_event_field)f, name, ip, is_ip);
		if (!known)
			observable(o, YG_SV("raw_data"), is_ip ? IP_ADDRESS : 0, name);
	}
	o->done[YG_EF_names] = true;
}

static void observables(struct out *o)
{
	static const struct {
		enum yg_event_field field;
		unsigned type;
	} rows[] = {{YG_EF_src_host, HOSTNAME}, {YG_EF_dst_host, HOSTNAME},
		    {YG_EF_query, HOSTNAME},    {YG_EF_host, HOSTNAME},
		    {YG_EF_user, USER_NAME},    {YG_EF_target_user, USER_NAME},
		    {YG_EF_url, URL_STRING},    {YG_EF_mail_from, EMAIL_ADDRESS}};
	const struct yg_event *ev = o->ev;
	struct scope s = LIST(o, "observables");
	struct yg_ip ip;
	observable_ip(o, YG_SV("src_endpoint.ip"), ev->src_ip);
	observable_ip(o, YG_SV("dst_endpoint.ip"), ev->dst_ip);
	for (size_t i = 0; i < YG_LEN(rows); i++)
		observable(o, yg_sv_of(yg_event_fields[rows[i].field].path), rows[i].type,
			   text_of(o, rows[i].field));
	observable(o, YG_SV("file.name"), FILE_NAME, base_name(ev->file_path));
	observable(o, YG_SV("process.name"), PROCESS_NAME, base_name(ev->process));
	for (uint32_t i = 0; i < ev->answers.n; i++)
		observable(o, YG_SV("answers[].rdata"),
			   yg_ip_parse(ev->answers.v[i], &ip) == YG_OK ? IP_ADDRESS : HOSTNAME,
			   ev->answers.v[i]);
	for (uint32_t i = 0; i < ev->mail_to.n; i++)
		observable(o, YG_SV("email.to"), EMAIL_ADDRESS, ev->mail_to.v[i]);
	for (uint32_t i = 0; i < ev->hashes.n; i++)
		observable(o, YG_SV("file.hashes[].value"), HASH, ev->hashes.v[i]);
	if (ev->indicator.n > 0) {
		observable(o, YG_SV("indicator"), 99, ev->indicator);
		o->done[YG_EF_indicator] = true;
	}
	observable_words(o);
	end(o, s);
}

static void unmapped(struct out *o)
{
	struct scope s = BEGIN(o, "unmapped");
	for (int f = 0; f < YG_EVENT_FIELD_COUNT; f++)
		if (f != YG_EF_raw)
			field(o, yg_sv_of(yg_event_fields[f].name), (enum yg_event_field)f);
	end(o, s);
}

yg_status yg_event_ocsf_json(const struct yg_event *ev, struct yg_buf *out)
{
	struct out o = {.ev = ev, .b = out};
	/* JSON has no place for what ends before it */
	put(&o, YG_SV("{"));
	classification(&o);
	metadata(&o);
	cloud(&o);
	if (ev->class_uid == YG_OCSF_DETECTION_FINDING)
		finding(&o);
	else if (is_network(ev->class_uid))
		network(&o);
	else if (category(ev->class_uid) == 3)
		identity(&o);
	else if (category(ev->class_uid) == 6)
		application(&o);
	else if (category(ev->class_uid) == 1)
		system_class(&o);
	else if (category(ev->class_uid) == 5)
		inventory(&o);
	if (category(ev->class_uid) != 1) { /* profile host: on every class */
		actor(&o, false, false);
		device(&o, false, false);
	}
	observables(&o);
	unmapped(&o);
	FIELD(&o, "raw_data", raw);
	put(&o, YG_SV("}"));
	return out->bad ? YG_LIMIT : YG_OK;
}
