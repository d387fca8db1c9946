#include "event/dump_test.h"
#include "event/normalize.h"
#include "event/shared_test.h"
#include "tap.h"

struct row {
	const char *name, *text, *want; /* one event of the batch `text`: its last */
};

#define ID_JSON                                                                                    \
	"\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":5000,\"id.resp_h\":\"192.0.2.9\",\"id.resp_p\":80"
#define ENDS "src_ip=10.0.0.1 src_port=5000 dst_ip=192.0.2.9 dst_port=80"
#define TSV  "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"

static const struct row rows[] = {
	{"conn, refused",
	 "{\"_path\":\"conn\",\"ts\":1521911720.865716," ID_JSON
	 ",\"proto\":\"tcp\",\"service\":\"HTTP\",\"duration\":8.9e-05,"
	 "\"orig_bytes\":12,\"resp_bytes\":34,\"conn_state\":\"REJ\"}",
	 "time=1521911720865716 class_uid=4001 activity_id=5 severity_id=1 status_id=2 log_name=conn event_code=REJ uid=C1 " ENDS
	 " proto=tcp app=http bytes_out=12 bytes_in=34 duration=89 names=[10.0.0.1,192.0.2.9]"},
	{"conn without _path, milliseconds",
	 "{\"ts\":1521911720865.7," ID_JSON ",\"proto\":\"tcp\",\"conn_state\":\"SF\"}",
	 "time=1521911720865000 class_uid=4001 activity_id=6 severity_id=1 status_id=1 log_name=conn event_code=SF uid=C1 " ENDS
	 " proto=tcp names=[10.0.0.1,192.0.2.9]"},
	{"dns, a type without a name, TXT keeps its case",
	 "{\"_path\":\"dns\",\"ts\":\"2018-03-24T17:15:20.865716Z\"," ID_JSON
	 ",\"proto\":\"udp\",\"rtt\":0.0008699893951416016,"
	 "\"query\":\"WWW.Evil.Example.\",\"qtype\":65,\"rcode_name\":\"NXDOMAIN\",\"answers\":[\"A.Example.\",\"TXT 3 AbC\",\"192.0.2.1\"]}",
	 "time=1521911720865716 class_uid=4003 activity_id=6 severity_id=1 status_id=2 log_name=dns uid=C1 " ENDS
	 " proto=udp app=dns duration=870 query=www.evil.example query_type=TYPE65 rcode=NXDOMAIN "
	 "answers=[a.example,TXT 3 AbC,192.0.2.1] "
	 "names=[10.0.0.1,192.0.2.9,www.evil.example,a.example,txt 3 abc,192.0.2.1]"},
	{"http, host with port",
	 "{\"_path\":\"http\",\"ts\":1," ID_JSON
	 ",\"method\":\"POST\",\"host\":\"Example.COM:8080\",\"uri\":\"/a?b=c\","
	 "\"user_agent\":\"curl\\/8 \\u00e9\",\"status_code\":404,\"status_msg\":\"Not Found\",\"request_body_len\":1,\"response_body_len\":2}",
	 "time=1000000 class_uid=4002 activity_id=6 severity_id=1 status_id=2 log_name=http uid=C1 message=Not Found " ENDS
	 " dst_host=example.com app=http bytes_out=1 bytes_in=2 url=http://example.com:8080/a?b=c http_method=POST "
	 "http_status=404 user_agent=curl/8 \xc3\xa9 names=[10.0.0.1,192.0.2.9,example.com]"},
	{"http, absolute request",
	 "{\"_path\":\"http\",\"ts\":1,\"method\":\"GET\",\"host\":\"h.example\",\"uri\":\"http://other.example/x\"}",
	 "time=1000000 class_uid=4002 activity_id=3 severity_id=1 log_name=http dst_host=h.example app=http "
	 "url=http://other.example/x http_method=GET names=[h.example,other.example]"},
	{"ssl, resp port 80 is no matter",
	 "{\"_path\":\"ssl\",\"ts\":1," ID_JSON
	 ",\"version\":\"TLSv13\",\"server_name\":\"Mail.Example\",\"established\":false,"
	 "\"ja3\":\"abc\",\"ja4\":\"t13d\",\"cert_chain_fps\":[\"AA\",\"bb\"]}",
	 "time=1000000 class_uid=4001 activity_id=1 severity_id=1 status_id=2 log_name=ssl uid=C1 " ENDS
	 " dst_host=mail.example app=ssl tls_version=1.3 ja3=t13d hashes=[aa,bb] "
	 "names=[10.0.0.1,192.0.2.9,mail.example,t13d,aa,bb]"},
	{"smtp",
	 "{\"_path\":\"smtp\",\"ts\":1,\"helo\":\"pc\",\"from\":\"Eve <Eve@Example.org>\",\"rcptto\":[\"<a@b.example>\",\"C@d.example\"],"
	 "\"subject\":\"hi\",\"last_reply\":\"550 no\"}",
	 "time=1000000 class_uid=4009 activity_id=1 severity_id=1 status_id=2 log_name=smtp message=550 no src_host=pc app=smtp "
	 "mail_from=eve@example.org mail_to=[a@b.example,c@d.example] subject=hi names=[pc,eve@example.org,example.org,a@b.example,b.example,c@d.example,d.example]"},
	{"files, older form",
	 "{\"_path\":\"files\",\"ts\":1,\"fuid\":\"F\",\"tx_hosts\":[\"192.0.2.1\"],\"rx_hosts\":[\"2001:DB8::1\"],\"conn_uids\":[\"C9\",\"C8\"],"
	 "\"source\":\"HTTP\",\"mime_type\":\"text/plain\",\"filename\":\"dir/A.txt\",\"md5\":\"D41D\",\"sha1\":\"DA39\",\"seen_bytes\":5}",
	 "time=1000000 class_uid=1001 activity_id=99 severity_id=1 log_name=files event_code=text/plain uid=C9 src_ip=192.0.2.1 "
	 "dst_ip=2001:db8::1 app=http bytes_out=5 file_path=dir/A.txt hashes=[d41d,da39] "
	 "names=[192.0.2.1,2001:db8::1,d41d,da39,a.txt]"},
	{"notice",
	 "{\"_path\":\"notice\",\"ts\":1,\"uid\":\"C1\",\"note\":\"Scan::Port_Scan\",\"msg\":\"m\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"p\":22}",
	 "time=1000000 class_uid=2004 activity_id=1 severity_id=2 log_name=notice event_code=Scan::Port_Scan uid=C1 message=m "
	 "src_ip=10.0.0.1 dst_ip=10.0.0.2 dst_port=22 finding_uid=Scan::Port_Scan/C1 finding_title=Scan::Port_Scan list=zeek "
	 "names=[10.0.0.1,10.0.0.2]"},
	{"ntlm",
	 "{\"_path\":\"ntlm\",\"ts\":1,\"username\":\"Bob\",\"domainname\":\"CORP\",\"hostname\":\"PC1\",\"server_nb_computer_name\":\"SRV\",\"success\":false}",
	 "time=1000000 class_uid=3002 activity_id=1 severity_id=1 status_id=2 log_name=ntlm src_host=PC1 dst_host=srv app=ntlm "
	 "user=CORP\\Bob names=[srv,pc1,corp\\bob]"},
	{"smb_files",
	 "{\"_path\":\"smb_files\",\"ts\":1,\"action\":\"SMB::FILE_OPEN\",\"path\":\"\\\\\\\\S\\\\C$\",\"name\":\"a\\\\B.exe\"}",
	 "time=1000000 class_uid=4006 activity_id=2 severity_id=1 log_name=smb_files event_code=SMB::FILE_OPEN app=smb "
	 "file_path=\\\\S\\C$\\a\\B.exe names=[b.exe]"},
	{"a kind nobody knows, with addresses", "{\"_path\":\"quux\",\"ts\":1," ID_JSON "}",
	 "time=1000000 class_uid=4001 activity_id=99 severity_id=1 log_name=quux uid=C1 " ENDS
	 " names=[10.0.0.1,192.0.2.9]"},
	{"a kind nobody knows, without", "{\"_path\":\"quux\",\"ts\":1}",
	 "time=1000000 activity_id=99 severity_id=1 log_name=quux"},
	{"a duplicate key: the last one holds",
	 "{\"_path\":\"dns\",\"ts\":1,\"query\":\"a.example\",\"query\":\"b.example\"}",
	 "time=1000000 class_uid=4003 activity_id=1 severity_id=1 log_name=dns app=dns query=b.example names=[b.example]"},
	{"no time", "{\"_path\":\"dns\",\"query\":\"a.example\"}",
	 "time=77 class_uid=4003 activity_id=1 severity_id=1 log_name=dns app=dns query=a.example names=[a.example]"},
	{"a time that is none", "{\"_path\":\"dns\",\"ts\":\"yesterday\",\"query\":\"a.example\"}",
	 "time=77 class_uid=4003 activity_id=1 severity_id=1 log_name=dns app=dns query=a.example names=[a.example] "
	 "parse_error=time not understood: received time used"},
	{"out of range leaves the column",
	 "{\"_path\":\"conn\",\"ts\":1,\"id.orig_h\":\"10.0.0.256\",\"id.orig_p\":65536,\"orig_bytes\":-1}",
	 "time=1000000 class_uid=4001 activity_id=6 severity_id=1 log_name=conn"},
	{"TSV with escapes, sets and empty ones",
	 TSV
	 "#path\tdns\n#fields\tts\tuid\tid.orig_h\tquery\tanswers\tTTLs\n#types\ttime\tstring\taddr\tstring\tvector[string]\tvector[interval]\n"
	 "1.5\tC\\x2d1\t10.0.0.1\t\\xe3\\x81\\x82\\x09\\xff\\\\x.example\ta\\x2cb,-,(empty),C.example\t(empty)\n",
	 "time=1500000 class_uid=4003 activity_id=6 severity_id=1 log_name=dns uid=C-1 src_ip=10.0.0.1 app=dns "
	 "query=\xe3\x81\x82\\x09\\xff\\x.example answers=[a,b,c.example] "
	 "names=[10.0.0.1,\xe3\x81\x82\\x09\\xff\\x.example,a,b,c.example]"},
	{"TSV with another separator and no #path",
	 "#separator |\n#set_separator|;\n#empty_field|E\n#unset_field|N\n#fields|ts|uid|conn_state|service\n#types|time|string|string|string\n#open|x\n"
	 "2|N|SF|E\n#close|x\n",
	 "time=2000000 class_uid=4001 activity_id=6 severity_id=1 status_id=1 log_name=conn event_code=SF"},
	{"TSV without a header", "1.5\tC1\t10.0.0.1\n",
	 "time=77 parse_error=zeek: neither JSON nor behind a #fields line"},
	{"TSV, a column short", TSV "#path\tdns\n#fields\tts\tuid\n1.5\n",
	 "time=77 parse_error=zeek: 1 columns where #fields has 2"},
	{"TSV, a column too many", TSV "#path\tdns\n#fields\tts\tuid\n1.5\ta\tb\n",
	 "time=77 parse_error=zeek: more than the 2 columns of #fields"},
	{"TSV, invalid UTF-8", TSV "#path\tdns\n#fields\tts\tuid\n1.5\t\xff\n",
	 "time=77 parse_error=zeek: invalid UTF-8 at byte 4"},
	{"JSON, invalid UTF-8", "{\"_path\":\"dns\",\"query\":\"\xff\"}",
	 "time=77 parse_error=JSON: invalid UTF-8 at byte 24"},
	{"JSON, cut off", "{\"_path\":\"dns\"",
	 "time=77 parse_error=JSON: ends inside an object or array at byte 14"},
	{"JSON, but no log", "{\"a\":1}",
	 "time=77 parse_error=zeek: neither _path nor ts nor a field of a known log"},
	{"not JSON", "hello", "time=77 parse_error=zeek: neither JSON nor behind a #fields line"},
};

static void test_rows(struct yg_norm *n)
{
	static char text[65536];
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_event ev;
		memset(&ev, 0, sizeof ev);
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_sv got = YG_SV("");
		size_t len = strlen(rows[i].text);
		char *exact = malloc(len); /* one byte over is caught */
		if (exact == NULL)
			return;
		memcpy(exact, rows[i].text, len);
		yg_norm_begin(n, (struct yg_sv){exact, len}, (yg_wall){77}, false);
		while (yg_norm_next(n, &ev))
			got = dump_event(&b, &ev);
		if (!T_NAMED(yg_sv_eq(got, yg_sv_of(rows[i].want)), rows[i].name))
			(void)printf("# want %s\n# got  %.*s\n", rows[i].want, (int)got.n, got.p);
		free(exact);
	}
}

static void test_batches(struct yg_norm *n)
{
	static char big[YG_RECORD_MAX + 200];
	struct yg_event ev;
	memset(&ev, 0, sizeof ev);
	/* the bad ones between do not stop the good ones */
	yg_norm_begin(
		n,
		YG_SV("{\"_path\":\"dns\",\"query\":\"a\"}\r\n\n  \nxx\n{\"_path\":\"dns\",\"query\":\"b\"}"),
		(yg_wall){77}, false);
	T_OK(yg_norm_next(n, &ev) && YG_SV_IS(ev.query, "a") &&
	     YG_SV_IS(ev.raw, "{\"_path\":\"dns\",\"query\":\"a\"}"));
	T_OK(yg_norm_next(n, &ev) && ev.parse_error.n > 0 && YG_SV_IS(ev.raw, "xx") &&
	     ev.query.n == 0);
	T_OK(yg_norm_next(n, &ev) && YG_SV_IS(ev.query, "b") && !yg_norm_next(n, &ev));
	T_OK(yg_norm_records(n) == 3 && yg_norm_unparsed(n) == 1);
	/* a header holds for its batch only */
	yg_norm_begin(n, YG_SV(TSV "#path\tdns\n#fields\tts\tquery\n1\tx\n"), (yg_wall){77}, false);
	T_OK(yg_norm_next(n, &ev) && YG_SV_IS(ev.query, "x") && yg_norm_records(n) == 1);
	yg_norm_begin(n, YG_SV("1\tx\n"), (yg_wall){77}, false);
	T_OK(yg_norm_next(n, &ev) && ev.parse_error.n > 0 && yg_norm_unparsed(n) == 1);
	/* frames, the last one broken */
	yg_norm_begin(n, YG_SV("\x1a\0\0\0{\"_path\":\"dns\",\"query\":\"a\"}\xff\0\0\0{"),
		      (yg_wall){77}, true);
	T_OK(yg_norm_next(n, &ev) && ev.parse_error.n > 0);
	yg_norm_begin(n, YG_SV("\x1b\0\0\0{\"_path\":\"dns\",\"query\":\"a\"}\xff\0\0\0{"),
		      (yg_wall){77}, true);
	T_OK(yg_norm_next(n, &ev) && YG_SV_IS(ev.query, "a"));
	T_OK(yg_norm_next(n, &ev) && ev.parse_error.n > 0 && ev.raw.n == 5 &&
	     !yg_norm_next(n, &ev));
	/* an over-long line keeps its head */
	memset(big, 'x', sizeof big);
	memcpy(big, "{\"_path\":\"dns\",\"query\":\"", 24);
	memcpy(big + sizeof big - 14, "\n{\"qclass\":1}\n", 14);
	yg_norm_begin(n, (struct yg_sv){big, sizeof big}, (yg_wall){77}, false);
	T_OK(yg_norm_next(n, &ev) && ev.raw.n == YG_RECORD_MAX &&
	     yg_sv_starts(ev.parse_error, YG_SV("cut off: longer than")));
	T_OK(yg_norm_next(n, &ev) && ev.parse_error.n == 0 && !yg_norm_next(n, &ev));
	/* a byte order mark at the front is passed over */
	yg_norm_begin(n, YG_SV("\xef\xbb\xbf{\"_path\":\"dns\",\"query\":\"a\"}\n"), (yg_wall){77},
		      false);
	T_OK(yg_norm_next(n, &ev) && YG_SV_IS(ev.query, "a") && ev.parse_error.n == 0);
	/* more answers than a list column holds: the first ones, the rest is in raw */
	size_t at = 0;
	struct yg_sb b = yg_sb_init(big, sizeof big);
	yg_sb_put(&b, YG_SV("{\"_path\":\"dns\",\"query\":\"q\",\"answers\":[\"a0\""));
	for (at = 1; at < 300; at++)
		yg_sb_printf(&b, ",\"a%zu\"", at);
	yg_sb_put(&b, YG_SV("]}"));
	yg_norm_begin(n, yg_sb_sv(&b), (yg_wall){77}, false);
	T_OK(yg_norm_next(n, &ev) && ev.answers.n == YG_ARRAY_MAX &&
	     YG_SV_IS(ev.answers.v[255], "a255"));
	T_OK(ev.names.n == YG_ARRAY_MAX && YG_SV_IS(ev.names.v[0], "q") &&
	     YG_SV_IS(ev.names.v[255], "a254"));
	/* times that are none */
	static const char *const times[] = {"0x10", "inf",         "nan",
					    "1e",   "--1",         "1 ",
					    "-5",   "99999999999", "2026-13-01T00:00:00Z"};
	for (size_t i = 0; i < YG_LEN(times); i++) {
		b = yg_sb_init(big, sizeof big);
		yg_sb_printf(&b, "{\"_path\":\"dns\",\"ts\":\"%s\"}", times[i]);
		yg_norm_begin(n, yg_sb_sv(&b), (yg_wall){77}, false);
		(void)T_NAMED(yg_norm_next(n, &ev) && ev.time == 77 && ev.parse_error.n > 0 &&
				      yg_norm_unparsed(n) == 0,
			      times[i]);
	}
	/* ten thousand levels */
	memset(big, '[', 10000);
	memcpy(big, "{\"a\":", 5);
	yg_norm_begin(n, (struct yg_sv){big, 10000}, (yg_wall){77}, false);
	T_OK(yg_norm_next(n, &ev) &&
	     yg_sv_starts(ev.parse_error, YG_SV("JSON: nested deeper than 64")) &&
	     ev.raw.n == 10000);
}

static void test_kept(struct yg_norm *n)
{
	static char text[32768];
	struct yg_event ev, again;
	memset(&ev, 0, sizeof ev);
	memset(&again, 0, sizeof again);
	yg_norm_begin(
		n,
		YG_SV(TSV
		      "#path\tdns\n#open\tx\n#fields\tts\tquery\tZ\n#types\ttime\tstring\tcount\n"
		      "1\tx\t0\n#close\tx\n"),
		(yg_wall){77}, false);
	T_NAMED(yg_norm_next(n, &ev) &&
			YG_SV_IS(ev.raw, "#path\tdns\n#fields\tts\tquery\tZ\n"
					 "#types\ttime\tstring\tcount\n1\tx\t0") &&
			YG_SV_IS(yg_norm_record(n), "1\tx\t0"),
		"a row is kept with the names and types of its columns");
	yg_norm_begin(
		n,
		YG_SV("#separator |\n#set_separator|;\n#empty_field|E\n#unset_field|N\n#fields|ts|qclass\n2|N\n"),
		(yg_wall){77}, false);
	T_NAMED(yg_norm_next(n, &ev) &&
			YG_SV_IS(ev.raw, "#separator \\x7c\n#set_separator|;\n#empty_field|E\n"
					 "#unset_field|N\n#fields|ts|qclass\n2|N"),
		"and with what is not as usual");
	struct yg_buf kept;
	yg_buf_init(&kept, 1000);
	yg_buf_put(&kept, ev.raw);
	yg_norm_begin(n, yg_buf_sv(&kept), (yg_wall){77}, false);
	T_NAMED(yg_norm_next(n, &again) && again.time == 2000000 &&
			yg_sv_eq(again.raw, yg_buf_sv(&kept)) && YG_SV_IS(again.log_name, "dns"),
		"what is kept can be read again, and stays as it is");
	yg_buf_free(&kept);
	yg_norm_begin(n, YG_SV(TSV "#path\tdns\n#fields\tts\tquery\n1\n"), (yg_wall){77}, false);
	T_NAMED(yg_norm_next(n, &ev) && YG_SV_IS(ev.raw, "1"), "what is no row stays as it came");
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, YG_SV("#path\tdns\n#fields\tts\tq"));
	for (size_t i = 0; i < 5000; i++)
		yg_sb_putc(&b, 'x');
	yg_sb_put(&b, YG_SV("\n1\tx\n"));
	yg_norm_begin(n, yg_sb_sv(&b), (yg_wall){77}, false);
	T_NAMED(yg_norm_next(n, &ev) && YG_SV_IS(ev.raw, "1\tx"),
		"a header of thousands of bytes is not kept with every row");
}

/* The same rows in both forms give the same events, raw aside. */
static void test_both_forms(struct yg_norm *json)
{
	static const char *const names[] = {"dns",      "modbus", "notice", "smtp",
					    "software", "ssl",    "weird",  "x509"};
	static char text_a[1 << 20], text_b[1 << 20];
	struct yg_norm *tsv = NULL;
	if (yg_norm_new(YG_SOURCE_ZEEK, NULL, &tsv, NULL) != YG_OK)
		return;
	for (size_t i = 0; i < YG_LEN(names); i++) {
		char path[64];
		struct yg_buf a, b;
		(void)snprintf(path, sizeof path, "zeek-json/%s.json.gz", names[i]);
		bool have = shared_file(path, &a);
		(void)snprintf(path, sizeof path, "zeek-tsv/%s.log.gz", names[i]);
		have = shared_file(path, &b) && have;
		if (!have) {
			(void)printf("ok %d - %s in both forms # SKIP no real logs at hand\n",
				     ++tap_n, names[i]);
			yg_buf_free(&a);
			yg_buf_free(&b);
			continue;
		}
		struct yg_event ea, eb;
		memset(&ea, 0, sizeof ea);
		memset(&eb, 0, sizeof eb);
		yg_norm_begin(json, yg_buf_sv(&a), (yg_wall){77}, false);
		yg_norm_begin(tsv, yg_buf_sv(&b), (yg_wall){77}, false);
		size_t same = 0, rows_n = 0;
		bool more_a = yg_norm_next(json, &ea), more_b = yg_norm_next(tsv, &eb);
		while (more_a && more_b) {
			struct yg_sb sa = yg_sb_init(text_a, sizeof text_a),
				     sb = yg_sb_init(text_b, sizeof text_b);
			same += yg_sv_eq(dump_event(&sa, &ea), dump_event(&sb, &eb));
			rows_n++;
			more_a = yg_norm_next(json, &ea);
			more_b = yg_norm_next(tsv, &eb);
		}
		(void)T_NAMED(rows_n > 0 && same == rows_n && !more_a && !more_b &&
				      yg_norm_unparsed(json) == 0,
			      names[i]);
		yg_buf_free(&a);
		yg_buf_free(&b);
	}
	yg_norm_free(tsv);
}

int main(void)
{
	struct yg_norm *n = NULL;
	if (!T_OK(yg_norm_new(YG_SOURCE_ZEEK, NULL, &n, NULL) == YG_OK))
		return tap_done();
	test_rows(n);
	test_batches(n);
	test_kept(n);
	test_both_forms(n);
	yg_norm_free(n);
	return tap_done();
}
