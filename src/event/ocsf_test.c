#include <jansson.h>

#include "event/dump_test.h"
#include "event/normalize.h"
#include "tap.h"

static char text_a[1 << 16], text_b[1 << 16];

/* Jansson's reading of the event; owned. */
static json_t *written(const struct yg_event *ev)
{
	struct yg_buf b;
	yg_buf_init(&b, 1 << 20);
	json_t *j = NULL;
	if (yg_event_ocsf_json(ev, &b) == YG_OK)
		j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	yg_buf_free(&b);
	return j;
}

/* Value down a dotted path; an array is entered at its first member. */
static const json_t *down(const json_t *j, const char *path)
{
	struct yg_sv rest = yg_sv_of(path), part;
	while (j != NULL && yg_sv_cut(&rest, '.', &part)) {
		if (json_is_array(j))
			j = json_array_get(j, 0);
		j = json_object_getn(j, part.p, part.n);
	}
	return j;
}

static bool present(const json_t *j, const char *const *paths, size_t count)
{
	bool all = true;
	for (size_t i = 0; i < count; i++)
		if (down(j, paths[i]) == NULL) {
			(void)printf("# missing %s\n", paths[i]);
			all = false;
		}
	return all;
}

static void test_text(void)
{
	struct yg_sv answers[] = {YG_SV_INIT("a.example"), YG_SV_INIT("192.0.2.1")};
	struct yg_event ev = {.org = YG_SV_INIT("acme"),
			      .received = 1767323046000000,
			      .day = 20260102,
			      .spool = 1,
			      .batch = 2,
			      .row = 3,
			      .source = YG_SV_INIT("zeek"),
			      .sensor = YG_SV_INIT("hq"),
			      .time = 1767323045000006,
			      .class_uid = YG_OCSF_DNS_ACTIVITY,
			      .activity_id = 6,
			      .severity_id = 1,
			      .status_id = 1,
			      .log_name = YG_SV_INIT("dns"),
			      .uid = YG_SV_INIT("C1"),
			      .src_port = 5000,
			      .duration = 1870,
			      .proto = YG_SV_INIT("udp"),
			      .app = YG_SV_INIT("dns"),
			      .query = YG_SV_INIT("q.example"),
			      .query_type = YG_SV_INIT("A"),
			      .rcode = YG_SV_INIT("NXDOMAIN"),
			      .answers = {answers, 2},
			      .network = YG_SV_INIT("hall"),
			      .verdict = YG_SV_INIT("noted"),
			      .layer = YG_SV_INIT("centre-zone"),
			      .policy = YG_SV_INIT("feed1"),
			      .trigger = YG_SV_INIT("qname"),
			      .rule = YG_SV_INIT("*.example"),
			      .mail_from = YG_SV_INIT("a@b.example"),
			      .parse_error = YG_SV_INIT("p"),
			      .raw = YG_SV_INIT("r\xff\"")};
	struct yg_buf b;
	(void)yg_ip_parse(YG_SV("10.0.0.1"), &ev.src_ip);
	yg_buf_init(&b, 10000);
	T_OK(yg_event_ocsf_json(&ev, &b) == YG_OK);
	static const char want[] =
		"{\"activity_id\":6,\"category_uid\":4,\"class_uid\":4003,\"type_uid\":400306,\"severity_id\":1,\"status_id\":1,"
		"\"time\":1767323045000,\"time_dt\":\"2026-01-02T03:04:05.000006Z\",\"duration\":1,"
		"\"metadata\":{\"version\":\"1.8.0\",\"product\":{\"name\":\"Zeek\",\"vendor_name\":\"Zeek\"},\"profiles\":[\"datetime\",\"host\",\"security_control\"],"
		"\"uid\":\"e-1-2-3\",\"tenant_uid\":\"acme\",\"logged_time\":1767323046000,\"log_provider\":\"zeek\",\"log_source\":\"hq\","
		"\"log_name\":\"dns\",\"correlation_uid\":\"C1\"},"
		"\"src_endpoint\":{\"ip\":\"10.0.0.1\",\"port\":5000,\"zone\":\"hall\"},"
		"\"action_id\":3,\"disposition_id\":17,\"disposition\":\"Logged\","
		"\"policy\":{\"name\":\"feed1\",\"group\":{\"name\":\"centre-zone\"},\"is_applied\":false},"
		"\"firewall_rule\":{\"name\":\"*.example\",\"type\":\"qname\"},"
		"\"connection_info\":{\"direction_id\":0,\"protocol_name\":\"udp\"},"
		"\"app_name\":\"dns\",\"query\":{\"hostname\":\"q.example\",\"type\":\"A\"},\"rcode_id\":3,\"rcode\":\"NXDOMAIN\","
		"\"answers\":[{\"rdata\":\"a.example\"},{\"rdata\":\"192.0.2.1\"}],"
		"\"observables\":[{\"name\":\"src_endpoint.ip\",\"type_id\":2,\"value\":\"10.0.0.1\"},"
		"{\"name\":\"query.hostname\",\"type_id\":1,\"value\":\"q.example\"},"
		"{\"name\":\"email.from\",\"type_id\":5,\"value\":\"a@b.example\"},"
		"{\"name\":\"answers[].rdata\",\"type_id\":1,\"value\":\"a.example\"},"
		"{\"name\":\"answers[].rdata\",\"type_id\":2,\"value\":\"192.0.2.1\"}],"
		"\"unmapped\":{\"duration\":1870,\"mail_from\":\"a@b.example\",\"verdict\":\"noted\",\"parse_error\":\"p\"},"
		"\"raw_data\":\"r\xef\xbf\xbd\\\"\"}";
	if (!T_OK(yg_sv_eq(yg_buf_sv(&b), yg_sv_of(want))))
		(void)printf("# %.*s\n", (int)b.n, b.p);
	size_t whole = b.n, refused = 0;
	for (size_t limit = 0; limit < whole; limit++) {
		yg_buf_free(&b);
		yg_buf_init(&b, limit);
		refused += yg_event_ocsf_json(&ev, &b) == YG_LIMIT && b.n <= limit;
	}
	T_OK(refused == whole);
	yg_buf_free(&b);
}

/* Every column set, in every class: valid JSON, what the schema requires, and
 * all of it back in its column through the reader. */
static void fill(struct yg_event *ev, struct yg_sv *lists)
{
	static const char *const words[] = {"w0", "w1", "w2", "w3"};
	memset(ev, 0, sizeof *ev);
	for (int f = YG_EF_time; f < YG_EF_names; f++) {
		void *at = (char *)ev + yg_event_fields[f].offset;
		switch (yg_event_fields[f].type) {
		case YG_ET_STR:
		case YG_ET_LSTR: *(struct yg_sv *)at = yg_sv_of(yg_event_fields[f].name); break;
		case YG_ET_IP:
			(void)yg_ip_parse(
				f == YG_EF_src_ip ? YG_SV("192.0.2.1") : YG_SV("2001:db8::2"), at);
			break;
		case YG_ET_STRS: *(struct yg_strs *)at = (struct yg_strs){lists, 2}; break;
		case YG_ET_U8: *(uint8_t *)at = (uint8_t)(f % 100 + 1); break;
		case YG_ET_U16: *(uint16_t *)at = (uint16_t)(f + 1000); break;
		case YG_ET_U32: *(uint32_t *)at = (uint32_t)f + 70000; break;
		case YG_ET_U64: *(uint64_t *)at = (uint64_t)f + 5000000000; break;
		case YG_ET_I64: *(int64_t *)at = f + 1700000000000000; break;
		}
	}
	lists[0] = yg_sv_of(words[0]);
	lists[1] = yg_sv_of(words[1]);
	ev->url = YG_SV("https://u.example:8443/p/q?x=1#f");
	ev->source = YG_SV("zeek");
}

static const char *const base_required[] = {
	"activity_id",      "category_uid",          "class_uid",
	"type_uid",         "severity_id",           "time",
	"metadata.version", "metadata.product.name", "metadata.product.vendor_name"};
static const struct {
	uint32_t class_uid;
	const char *paths[8];
} required[] = {
	{YG_OCSF_FILE_ACTIVITY, {"device.type_id", "actor", "file.name", "file.type_id"}},
	{YG_OCSF_MODULE_ACTIVITY, {"device.type_id", "actor", "module.file.name"}},
	{YG_OCSF_PROCESS_ACTIVITY, {"device.type_id", "actor", "process.pid"}},
	{YG_OCSF_REGISTRY_KEY, {"device.type_id", "actor", "reg_key.path"}},
	{YG_OCSF_REGISTRY_VALUE, {"device.type_id", "actor", "reg_value.path"}},
	{YG_OCSF_DETECTION_FINDING,
	 {"finding_info.uid", "finding_info.title", "evidences.src_endpoint.ip", "is_alert"}},
	{YG_OCSF_AUTHENTICATION, {"user.name", "dst_endpoint.ip"}},
	{YG_OCSF_ACCOUNT_CHANGE, {"user.name"}},
	{YG_OCSF_NETWORK_ACTIVITY,
	 {"src_endpoint.ip", "connection_info.direction_id", "tls.version",
	  "tls.certificate.serial_number"}},
	{YG_OCSF_HTTP_ACTIVITY,
	 {"http_request.url.url_string", "http_request.url.scheme", "http_response.code"}},
	{YG_OCSF_DNS_ACTIVITY, {"query.hostname", "answers.rdata"}},
	{YG_OCSF_EMAIL_ACTIVITY, {"email.from", "email.to", "direction_id"}},
	{YG_OCSF_NTP_ACTIVITY, {"version", "dst_endpoint.ip"}},
	{YG_OCSF_INVENTORY_INFO, {"device.type_id", "device.ip"}},
	{YG_OCSF_SOFTWARE_INVENTORY, {"device.type_id", "product.name"}},
	{YG_OCSF_API_ACTIVITY,
	 {"actor", "api.operation", "src_endpoint.ip", "api.service.name", "cloud.provider"}},
};

static bool class_round_trip(struct yg_norm *n, uint32_t class_uid)
{
	struct yg_sv lists[2];
	struct yg_event ev, back;
	struct yg_buf b;
	fill(&ev, lists);
	memset(&back, 0, sizeof back);
	ev.class_uid = class_uid;
	yg_buf_init(&b, 1 << 20);
	json_t *j = written(&ev);
	bool ok = j != NULL && present(j, base_required, YG_LEN(base_required));
	for (size_t i = 0; i < YG_LEN(required); i++)
		for (size_t k = 0; k < YG_LEN(required[i].paths) && required[i].paths[k] != NULL;
		     k++)
			ok = (required[i].class_uid != class_uid ||
			      present(j, &required[i].paths[k], 1)) &&
			     ok;
	ok = json_integer_value(down(j, "type_uid")) ==
		     (json_int_t)class_uid * 100 + ev.activity_id &&
	     ok;
	ok = json_integer_value(down(j, "time")) == ev.time / 1000 && ok;
	json_decref(j);
	ok = yg_event_ocsf_json(&ev, &b) == YG_OK && ok;
	yg_norm_begin(n, yg_buf_sv(&b), (yg_wall){77}, false);
	ok = yg_norm_next(n, &back) && ok;
	back.names = (struct yg_strs){NULL, 0};
	struct yg_sb sa = yg_sb_init(text_a, sizeof text_a), sb = yg_sb_init(text_b, sizeof text_b);
	if (!yg_sv_eq(dump_event(&sa, &ev), dump_event(&sb, &back))) {
		(void)printf("# wrote %.*s\n# read  %.*s\n", (int)sa.n, sa.p, (int)sb.n, sb.p);
		ok = false;
	}
	yg_buf_free(&b);
	return ok;
}

static void test_minimum(void)
{
	static const uint32_t classes[] = {
#define X(name, uid, caption) uid,
		YG_OCSF_CLASSES(X)
#undef X
	};
	size_t ok = 0;
	for (size_t i = 0; i < YG_LEN(classes); i++) {
		struct yg_event ev;
		memset(&ev, 0, sizeof ev);
		ev.class_uid = classes[i];
		json_t *j = written(&ev);
		ok += present(j, base_required, YG_LEN(base_required));
		json_decref(j);
	}
	T_OK(ok == YG_LEN(classes));
}

struct row {
	const char *name, *text, *want;
};
static const struct row rows[] = {
	{"another's network event",
	 "{\"class_uid\":4001,\"activity_id\":6,\"severity_id\":1,\"time\":1767323045123,\"metadata\":{\"tenant_uid\":\"other\",\"log_name\":\"L\"},"
	 "\"src_endpoint\":{\"ip\":\"10.0.0.1\"},\"unmapped\":{\"org\":\"other\",\"spool\":9,\"raw\":\"x\",\"names\":[\"z\"]}}",
	 "time=1767323045123000 class_uid=4001 activity_id=6 severity_id=1 log_name=L src_ip=10.0.0.1 names=[10.0.0.1]"},
	{"observables become words",
	 "{\"class_uid\":0,\"time\":1,\"observables\":[{\"name\":\"a\",\"value\":\"C:\\\\D\\\\E.exe\"},{\"name\":\"b\",\"value\":\"http://H.example/x\"},{\"name\":\"c\",\"value\":{}},7]}",
	 "time=1000 names=[e.exe,h.example]"},
	{"user and actor",
	 "{\"class_uid\":3002,\"time\":1,\"user\":{\"name\":\"bob\"},\"actor\":{\"user\":{\"name\":\"eve\"}}}",
	 "time=1000 class_uid=3002 user=eve target_user=bob names=[eve,bob]"},
	{"no class", "{\"time\":1}", "time=77 parse_error=ocsf: no class_uid"},
	{"a class that is none", "{\"class_uid\":\"x\"}", "time=77 parse_error=ocsf: no class_uid"},
	{"a time out of range", "{\"class_uid\":0,\"time\":99999999999999999}",
	 "time=77 parse_error=time not understood: received time used"},
};

int main(void)
{
	static const uint32_t classes[] = {
#define X(name, uid, caption) uid,
		YG_OCSF_CLASSES(X)
#undef X
	};
	struct yg_norm *n = NULL;
	test_text();
	test_minimum();
	if (!T_OK(yg_norm_new(YG_SOURCE_OCSF, NULL, &n, NULL) == YG_OK))
		return tap_done();
	for (size_t i = 0; i < YG_LEN(classes); i++)
		(void)T_NAMED(class_round_trip(n, classes[i]), yg_ocsf_class_name(classes[i]));
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_event ev;
		memset(&ev, 0, sizeof ev);
		struct yg_sb b = yg_sb_init(text_a, sizeof text_a);
		yg_norm_begin(n, yg_sv_of(rows[i].text), (yg_wall){77}, false);
		struct yg_sv got = yg_norm_next(n, &ev) ? dump_event(&b, &ev) : YG_SV("");
		if (!T_NAMED(yg_sv_eq(got, yg_sv_of(rows[i].want)) && ev.org.n == 0 &&
				     ev.spool == 0,
			     rows[i].name))
			(void)printf("# want %s\n# got  %.*s\n", rows[i].want, (int)got.n, got.p);
	}
	yg_norm_free(n);
	return tap_done();
}
