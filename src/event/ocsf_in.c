/* ocsf_in.c - OCSF JSON of others, and of our own writer, into columns.
 *
 * The organisation and everything else that ingest sets is never taken from the
 * record.  What our writer put under "unmapped" finds its column again by name. */
#include "event/norm.h"

enum section {
	TOP = 1,
	METADATA,
	SRC,
	DST,
	CONNECTION,
	TRAFFIC,
	QUERY,
	ANSWERS,
	REQUEST,
	RESPONSE,
	URL,
	TLS,
	CERTIFICATE,
	PRINTS,
	JA3,
	JA4,
	HASSH,
	EMAIL,
	DEVICE,
	ACTOR,
	ACTOR_USER,
	USER,
	PROCESS,
	PROCESS_FILE,
	PARENT,
	PARENT_FILE,
	FILE_OBJECT,
	MODULE,
	API,
	SERVICE,
	CLOUD,
	ACCOUNT,
	FINDING,
	RELATED,
	EVIDENCE,
	OBSERVABLE,
	PRODUCT,
	POLICY,
	POLICY_GROUP,
	RULE,
	UNMAPPED,
	NOWHERE, /* columns that no record may set */
	SECTIONS = NOWHERE,
};
enum slot { S_TIME, S_TIME_DT, S_DURATION, S_USER, S_ACTOR, S_NAME, S_COUNT };
enum { OP_SLOT = YG_OP_OWN, OP_NAME = OP_SLOT + S_COUNT };
struct ocsf {
	struct yg_sv slot[S_COUNT];
};

#define SET(section, key, field)     YG_RULE(section, key, YG_OP_SET, field)
#define PUT(section, key, op, field) YG_RULE(section, key, YG_OP_##op, field)
#define KEEP(section, key, slot)     YG_RULE(section, key, OP_SLOT + S_##slot, time)
#define IN(section, key, to)         YG_RULE_ENTER(section, key, to)
static const struct yg_rule rules[] = {SET(TOP, "class_uid", class_uid),
				       SET(TOP, "activity_id", activity_id),
				       SET(TOP, "severity_id", severity_id),
				       SET(TOP, "status_id", status_id),
				       KEEP(TOP, "time", TIME),
				       KEEP(TOP, "time_dt", TIME_DT),
				       KEEP(TOP, "duration", DURATION),
				       SET(TOP, "message", message),
				       SET(TOP, "app_name", app),
				       PUT(TOP, "auth_protocol", FILL, app),
				       PUT(TOP, "protocol_name", FILL, app),
				       SET(TOP, "rcode", rcode),
				       SET(TOP, "confidence_score", confidence),
				       IN(TOP, "metadata", METADATA),
				       IN(TOP, "src_endpoint", SRC),
				       IN(TOP, "dst_endpoint", DST),
				       IN(TOP, "connection_info", CONNECTION),
				       IN(TOP, "traffic", TRAFFIC),
				       IN(TOP, "query", QUERY),
				       IN(TOP, "answers", ANSWERS),
				       IN(TOP, "http_request", REQUEST),
				       IN(TOP, "http_response", RESPONSE),
				       IN(TOP, "url", URL),
				       IN(TOP, "tls", TLS),
				       IN(TOP, "ja4_fingerprint_list", JA4),
				       IN(TOP, "client_hassh", HASSH),
				       IN(TOP, "email", EMAIL),
				       IN(TOP, "device", DEVICE),
				       IN(TOP, "actor", ACTOR),
				       IN(TOP, "user", USER),
				       IN(TOP, "process", PROCESS),
				       IN(TOP, "file", FILE_OBJECT),
				       IN(TOP, "reg_key", FILE_OBJECT),
				       IN(TOP, "reg_value", FILE_OBJECT),
				       IN(TOP, "module", MODULE),
				       IN(TOP, "api", API),
				       IN(TOP, "cloud", CLOUD),
				       IN(TOP, "finding_info", FINDING),
				       IN(TOP, "evidences", EVIDENCE),
				       IN(TOP, "observables", OBSERVABLE),
				       IN(TOP, "product", PRODUCT),
				       IN(TOP, "policy", POLICY),
				       IN(TOP, "firewall_rule", RULE),
				       IN(TOP, "unmapped", UNMAPPED),

				       SET(METADATA, "log_name", log_name),
				       SET(METADATA, "event_code", event_code),
				       SET(METADATA, "correlation_uid", uid),

				       SET(SRC, "ip", src_ip),
				       SET(SRC, "port", src_port),
				       SET(SRC, "hostname", src_host),
				       SET(SRC, "zone", network),
				       SET(POLICY, "name", policy),
				       IN(POLICY, "group", POLICY_GROUP),
				       SET(POLICY_GROUP, "name", layer),
				       SET(RULE, "name", rule),
				       SET(RULE, "type", trigger),
				       SET(RULE, "category", category),
				       SET(DST, "ip", dst_ip),
				       SET(DST, "port", dst_port),
				       SET(DST, "hostname", dst_host),
				       PUT(CONNECTION, "protocol_name", LOWER, proto),
				       SET(TRAFFIC, "bytes_in", bytes_in),
				       SET(TRAFFIC, "bytes_out", bytes_out),
				       PUT(QUERY, "hostname", DOMAIN, query),
				       SET(QUERY, "type", query_type),
				       SET(ANSWERS, "rdata", answers),
				       SET(REQUEST, "http_method", http_method),
				       SET(REQUEST, "user_agent", user_agent),
				       SET(REQUEST, "referrer", referrer),
				       IN(REQUEST, "url", URL),
				       SET(RESPONSE, "code", http_status),
				       SET(URL, "url_string", url),
				       SET(TLS, "version", tls_version),
				       PUT(TLS, "sni", FILL, dst_host),
				       IN(TLS, "certificate", CERTIFICATE),
				       IN(TLS, "ja3_hash", JA3),
				       SET(CERTIFICATE, "subject", tls_subject),
				       SET(CERTIFICATE, "issuer", tls_issuer),
				       IN(CERTIFICATE, "fingerprints", PRINTS),
				       PUT(PRINTS, "value", LOWER, hashes),
				       SET(JA3, "value", ja3),
				       PUT(JA4, "value", FILL, ja3),
				       IN(HASSH, "fingerprint", JA3),
				       PUT(EMAIL, "from", EMAIL, mail_from),
				       PUT(EMAIL, "to", EMAIL, mail_to),
				       SET(EMAIL, "subject", subject),
				       SET(DEVICE, "hostname", host),
				       PUT(DEVICE, "name", FILL, host),
				       SET(DEVICE, "ip", src_ip),
				       IN(ACTOR, "user", ACTOR_USER),
				       IN(ACTOR, "process", PROCESS),
				       KEEP(ACTOR_USER, "name", ACTOR),
				       KEEP(USER, "name", USER),
				       PUT(PROCESS, "cmd_line", FILL, cmd_line),
				       SET(PROCESS, "pid", pid),
				       IN(PROCESS, "file", PROCESS_FILE),
				       IN(PROCESS, "parent_process", PARENT),
				       PUT(PROCESS_FILE, "path", FILL, process),
				       IN(PROCESS_FILE, "hashes", PRINTS),
				       SET(PARENT, "cmd_line", parent_cmd_line),
				       IN(PARENT, "file", PARENT_FILE),
				       SET(PARENT_FILE, "path", parent_process),
				       SET(FILE_OBJECT, "path", file_path),
				       IN(FILE_OBJECT, "hashes", PRINTS),
				       IN(MODULE, "file", FILE_OBJECT),
				       SET(API, "operation", api_operation),
				       IN(API, "service", SERVICE),
				       SET(SERVICE, "name", api_service),
				       IN(CLOUD, "account", ACCOUNT),
				       SET(CLOUD, "region", cloud_region),
				       SET(ACCOUNT, "uid", cloud_account),
				       SET(FINDING, "uid", finding_uid),
				       SET(FINDING, "title", finding_title),
				       SET(FINDING, "data_sources", list),
				       IN(FINDING, "related_events", RELATED),
				       SET(RELATED, "uid", related),
				       IN(EVIDENCE, "src_endpoint", SRC),
				       IN(EVIDENCE, "dst_endpoint", DST),
				       IN(EVIDENCE, "connection_info", CONNECTION),
				       IN(EVIDENCE, "query", QUERY),
				       IN(EVIDENCE, "http_request", REQUEST),
				       IN(EVIDENCE, "http_response", RESPONSE),
				       IN(EVIDENCE, "url", URL),
				       IN(EVIDENCE, "file", FILE_OBJECT),
				       IN(EVIDENCE, "process", PROCESS),
				       IN(EVIDENCE, "user", ACTOR_USER),
				       KEEP(OBSERVABLE, "name", NAME),
				       YG_RULE(OBSERVABLE, "value", OP_NAME, names),
				       SET(PRODUCT, "name", app),

#define X(member, type, path, doc)                                                                 \
	{YG_EF_##member <= YG_EF_severity_id || YG_EF_##member >= YG_EF_names ? NOWHERE            \
									      : UNMAPPED,          \
	 YG_OP_SET, YG_EF_##member, YG_SV_INIT(#member)},
				       YG_EVENT_FIELDS(X)
#undef X
};

static void own(struct yg_norm *n, struct yg_event *ev, const struct yg_rule_slot *rule,
		struct yg_sv text, uint32_t node)
{
	struct ocsf *s = n->state;
	uint8_t type = yg_json_at(&n->json, node)->type;
	if (type != YG_JSON_STRING && type != YG_JSON_NUMBER)
		return;
	if (rule->op < OP_SLOT + S_COUNT) {
		s->slot[rule->op - OP_SLOT] = text;
		return;
	}
	if (YG_SV_IS(s->slot[S_NAME], "indicator"))
		ev->indicator = text;
	if (yg_sv_has(text, YG_SV("://")))
		text = yg_url_host(text);
	size_t at = text.n;
	while (at > 0 && text.p[at - 1] != '/' && text.p[at - 1] != '\\')
		at--;
	yg_norm_name(n, at == 0 || at == text.n ? text : yg_sv_sub(text, at, text.n));
}

/* time is milliseconds by the schema, time_dt the same with its fraction. */
static void when(struct yg_norm *n, struct yg_event *ev, const struct yg_sv *slot)
{
	int64_t ms;
	if (slot[S_TIME_DT].n > 0 && yg_norm_time(slot[S_TIME_DT], &ev->time) == YG_OK)
		return;
	if (slot[S_TIME].n == 0)
		return;
	if (yg_parse_i64(slot[S_TIME], &ms, NULL) != YG_OK)
		n->bad_time = yg_norm_time(slot[S_TIME], &ev->time) != YG_OK;
	else if (ms < 0 || ms >= 4291833600000) /* 2106 */
		n->bad_time = true;
	else
		ev->time = ms * 1000;
}

static yg_status record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
			struct yg_err *err)
{
	struct ocsf *s = n->state;
	int64_t ms, class_uid;
	yg_status st = yg_norm_json(n, record, err);
	if (st != YG_OK)
		return st;
	memset(s->slot, 0, sizeof s->slot);
	uint32_t node = yg_json_get(&n->json, 0, YG_SV("class_uid"));
	class_uid = node != 0 ? yg_json_i64(&n->json, node, -1) : -1;
	if (class_uid < 0 || class_uid > UINT32_MAX)
		return YG_FAIL(err, YG_PARSE, "ocsf: no class_uid");
	yg_norm_apply(n, ev, TOP, 0);
	ev->class_uid = (uint32_t)class_uid;
	when(n, ev, s->slot);
	if (ev->duration == 0 && yg_parse_i64(s->slot[S_DURATION], &ms, NULL) == YG_OK && ms >= 0 &&
	    ms < INT64_MAX / 1000)
		ev->duration = ms * 1000;
	bool both = s->slot[S_ACTOR].n > 0 && s->slot[S_USER].n > 0;
	if (both || s->slot[S_ACTOR].n > 0)
		ev->user = s->slot[S_ACTOR];
	if (both)
		ev->target_user = s->slot[S_USER];
	else if (s->slot[S_USER].n > 0)
		ev->user = s->slot[S_USER];
	return YG_OK;
}

const struct yg_norm_ops yg_norm_ocsf = {
	.rules = rules,
	.rule_count = YG_LEN(rules),
	.sections = SECTIONS,
	.state_size = sizeof(struct ocsf),
	.record = record,
	.own = own,
};
