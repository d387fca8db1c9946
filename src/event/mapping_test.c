#include "event/mapping.h"

#include "event/source_test.h"

static struct yg_mapping *compile(const char *text)
{
	struct yg_mapping *m = NULL;
	struct yg_err err = {0};
	if (yg_mapping_read(yg_sv_of(text), "m.json", &m, &err) != YG_OK)
		T_NAMED(false, err.msg);
	return m;
}

static void maps(const char *mapping, struct yg_sv in, const char *want, const char *name)
{
	struct yg_mapping *m = compile(mapping);
	if (m != NULL)
		st_check(YG_SOURCE_NDJSON, m, in, want, name);
	yg_mapping_free(m);
}

static void refuses(const char *mapping, const char *want)
{
	struct yg_mapping *m = NULL;
	struct yg_err err = {0};
	yg_status st = yg_mapping_read(yg_sv_of(mapping), "m.json", &m, &err);
	if (!T_NAMED(st == YG_PARSE && strcmp(err.msg, want) == 0 && m == NULL, want))
		(void)printf("# got %s\n", err.msg);
	yg_mapping_free(m);
}

static void test_fields(void)
{
	maps("{\"about\":\"a firewall\",\"set\":{\"class_uid\":\"network_activity\",\"activity_id\":6,\"severity_id\":1},"
	     "\"fields\":{\"time\":\"ts\",\"src_ip\":[\"source.ip\",\"src\"],\"src_port\":\"source.port\",\"dst_host\":\"host\","
	     "\"status_id\":{\"from\":\"verdict\",\"values\":{\"pass\":1,\"drop\":2},\"default\":0},"
	     "\"severity_id\":{\"from\":\"level\",\"values\":{\"warn\":3}},\"answers\":\"ips\","
	     "\"url\":{\"template\":\"https://{host}{path}\"},\"bytes_in\":\"n\"}}",
	     YG_SV("{\"ts\":\"2026-01-02T03:04:05Z\",\"source\":{\"ip\":\"192.0.2.7\",\"port\":7},\"host\":\"WWW.Example.com.\","
		   "\"verdict\":\"drop\",\"level\":\"warn\",\"ips\":[\"192.0.2.1\",\"192.0.2.2\"],\"path\":\"/a\",\"n\":12}\n"
		   "{\"ts\":1767323045,\"src\":\"2001:db8::7\",\"source\":{\"ip\":null},\"verdict\":\"other\",\"level\":\"x\"}\n"),
	     "time=2026-01-02T03:04:05.000000Z class_uid=4001 activity_id=6 severity_id=3 status_id=2 src_ip=192.0.2.7 "
	     "src_port=7 dst_host=www.example.com bytes_in=12 answers=192.0.2.1,192.0.2.2 "
	     "url=https://WWW.Example.com./a\n"
	     "time=2026-01-02T03:04:05.000000Z class_uid=4001 activity_id=6 severity_id=1 src_ip=2001:db8::7\n",
	     "paths, alternatives, constants, value tables, templates");
	maps("{\"require\":[\"a.b\"],\"fields\":{\"user\":\"u\",\"hashes\":{\"from\":\"h\",\"split\":\",\"},\"duration\":{"
	     "\"from\":\"ms\",\"as\":\"milliseconds\"},\"class_uid\":{\"from\":\"kind\",\"values\":{\"dns\":\"dns_activity\","
	     "\"web\":4002},\"default\":0},\"mail_from\":\"f\",\"query\":{\"from\":\"q\",\"as\":\"text\"}}}",
	     YG_SV("{\"a\":{\"b\":1},\"u\":\"taro\",\"h\":\"AB, CD\",\"ms\":1500,\"kind\":\"dns\",\"f\":\"T <T@Example.jp>\","
		   "\"q\":\"MiXed.\"}\n{\"u\":\"x\"}\nnone\n"),
	     "time=2026-06-15T12:00:00.000000Z class_uid=4003 duration=1500000 query=MiXed. mail_from=t@example.jp user=taro "
	     "hashes=ab,cd\n"
	     "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=it lacks \"a.b\", which the mapping requires\n"
	     "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=JSON: expected a value at byte 0\n",
	     "required paths, lists in one string, classes by name");
}

static void test_times(void)
{
	static const struct {
		const char *pattern, *text, *want; /* want NULL: refused */
	} rows[] = {
		{"%d/%b/%Y:%H:%M:%S %z", "02/Jan/2026:12:04:05 +0900",
		 "2026-01-02T03:04:05.000000Z"},
		{"%Y-%m-%d %H:%M:%S.%f", "2026-01-02 12:04:05.678", "2026-01-02T03:04:05.678000Z"},
		{"%F %T", "2026-01-02 12:04:05", "2026-01-02T03:04:05.000000Z"},
		{"%m/%d/%y %I:%M:%S %p", "01/02/26 12:04:05 PM", "2026-01-02T03:04:05.000000Z"},
		{"%a %b %e %H:%M:%S %Y", "Fri Jan  2 12:04:05 2026", "2026-01-02T03:04:05.000000Z"},
		{"%Y %j", "2026 002", "2026-01-01T15:00:00.000000Z"},
		{"%s.%f", "1767323045.5", "2026-01-02T03:04:05.500000Z"},
		{"%Y%m%dT%H%M%S%z", "20260102T030405Z", "2026-01-02T03:04:05.000000Z"},
		{"%Y-%m-%d", "2026-02-29", NULL},
		{"%Y-%m-%d", "2026-02-28x", NULL},
		{"%H:%M", "24:00", NULL},
		{"%q", "1", NULL},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		yg_wall t = {0};
		char text[40];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_status st = yg_time_by_pattern(yg_sv_of(rows[i].pattern), yg_sv_of(rows[i].text),
						  YG_SECONDS(9 * 3600), &t);
		yg_time_format(&b, t);
		T_NAMED(rows[i].want == NULL
				? st == YG_PARSE
				: st == YG_OK && yg_sv_eq(yg_sb_sv(&b), yg_sv_of(rows[i].want)),
			rows[i].text);
	}
	maps("{\"fields\":{\"time\":{\"from\":\"t\",\"as\":\"epoch_ms\"}}}",
	     YG_SV("{\"t\":1767323045678}"), "time=2026-01-02T03:04:05.678000Z class_uid=0\n",
	     "milliseconds");
	maps("{\"fields\":{\"time\":{\"from\":\"t\",\"as\":\"epoch_ns\"}}}",
	     YG_SV("{\"t\":\"1767323045678000001\"}"),
	     "time=2026-01-02T03:04:05.678000Z class_uid=0\n", "nanoseconds");
	maps("{\"fields\":{\"time\":{\"from\":\"t\",\"as\":\"rfc3339\",\"zone\":\"+09:00\"}}}",
	     YG_SV("{\"t\":\"2026-01-02T12:04:05\"}\n{\"t\":\"2026-01-02T03:04:05Z\"}\n{\"t\":\"x\"}\n"),
	     "time=2026-01-02T03:04:05.000000Z class_uid=0\ntime=2026-01-02T03:04:05.000000Z class_uid=0\n"
	     "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=time not understood: received time used\n",
	     "a zone for times without offset");
}

static void test_refused(void)
{
	refuses("[]", "m.json:1:1: mapping: expected one JSON object");
	refuses("{}", "m.json:1:1: mapping: expected a member \"fields\"");
	refuses("{\"fields\":{\n  \"src_ipx\":\"a\"}}",
		"m.json:2:4: fields.src_ipx: expected the name of an event's column, such as time, src_ip or query");
	refuses("{\"fields\":{\"org\":\"a\"}}",
		"m.json:1:13: fields.org: expected the name of an event's column, such as time, src_ip or query");
	refuses("{\"fields\":{\"src_ip\":7}}",
		"m.json:1:21: fields.src_ip: expected a path as a string, such as \"source.ip\"");
	refuses("{\"set\":{\"class_uid\":\"dns\"},\"fields\":{}}",
		"m.json:1:22: value for.class_uid: expected an OCSF class, by number or name");
	refuses("{\"set\":{\"src_ip\":\"x\"},\"fields\":{}}",
		"m.json:1:19: value for.src_ip: expected an address");
	refuses("{\"fields\":{\"user\":{\"from\":\"u\",\"as\":\"epoch_s\"}}}",
		"m.json:1:37: as of.user: expected no conversion of times, for this is none");
	refuses("{\"fields\":{\"time\":{\"from\":\"t\",\"as\":\"strptime\"}}}",
		"m.json:1:19: fields.time: expected a format beside \"as\": \"strptime\"");
	refuses("{\"fields\":{\"time\":{\"as\":\"epoch_s\"}}}",
		"m.json:1:19: fields.time: expected from or template");
	refuses("{\"fields\":{\"time\":{\"form\":\"t\"}}}",
		"m.json:1:21: fields.time: expected from, as, format, zone, values, default, template or split");
	refuses("{\"feilds\":{}}",
		"m.json:1:3: mapping.feilds: expected about, set, fields or require");
	refuses("{", "m.json: JSON: ends inside an object or array at byte 1");
	struct yg_norm *n = NULL;
	T_OK(yg_norm_new(YG_SOURCE_NDJSON, NULL, &n, NULL) == YG_INVAL);
}

int main(void)
{
	test_fields();
	test_times();
	test_refused();
	return tap_done();
}
