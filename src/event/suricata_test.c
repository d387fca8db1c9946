#include "event/dump_test.h"
#include "event/normalize.h"
#include "tap.h"

struct row {
	const char *name, *text, *want;
};
#define HEAD                                                                                                     \
	"{\"timestamp\":\"2026-01-02T12:04:05.000006+0900\",\"flow_id\":1454127794305760,\"in_iface\":\"eth0\"," \
	"\"src_ip\":\"10.0.0.1\",\"src_port\":5000,\"dest_ip\":\"192.0.2.9\",\"dest_port\":80,\"proto\":\"TCP\","
#define TIME "time=1767323045000006 "
#define UID  "uid=1454127794305760 "
#define ENDS "src_ip=10.0.0.1 src_port=5000 dst_ip=192.0.2.9 dst_port=80 "

static const struct row rows[] = {
	{"alert with http, ends as the flow has them",
	 "{\"timestamp\":\"2026-01-02T12:04:05.000006+0900\",\"flow_id\":7,\"event_type\":\"alert\",\"src_ip\":\"192.0.2.9\",\"src_port\":80,"
	 "\"dest_ip\":\"10.0.0.1\",\"dest_port\":5000,\"proto\":\"TCP\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":2024056,\"rev\":4,"
	 "\"signature\":\"ET MALWARE X\",\"category\":\"A Network Trojan was detected\",\"severity\":1},"
	 "\"http\":{\"hostname\":\"Bad.Example\",\"url\":\"/x\",\"http_user_agent\":\"UA\",\"http_method\":\"GET\",\"status\":200,\"length\":5},"
	 "\"app_proto\":\"http\",\"direction\":\"to_client\",\"flow\":{\"bytes_toserver\":100,\"bytes_toclient\":200,"
	 "\"start\":\"2026-01-02T12:04:00.000000+0900\",\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"192.0.2.9\",\"src_port\":5000,\"dest_port\":80}}",
	 TIME
	 "class_uid=2004 activity_id=1 severity_id=4 log_name=alert event_code=2024056 uid=7 message=A Network Trojan was detected " ENDS
	 "dst_host=bad.example proto=tcp app=http bytes_out=100 bytes_in=200 url=http://bad.example/x http_method=GET http_status=200 "
	 "user_agent=UA finding_uid=1:2024056:4/7 finding_title=ET MALWARE X list=suricata names=[10.0.0.1,192.0.2.9,bad.example]"},
	{"dns version 1 query",
	 HEAD
	 "\"event_type\":\"dns\",\"dns\":{\"type\":\"query\",\"id\":1,\"rrname\":\"A.Example\",\"rrtype\":\"A\",\"tx_id\":0}}",
	 TIME
	 "class_uid=4003 activity_id=1 severity_id=1 log_name=dns " UID ENDS
	 "proto=tcp app=dns query=a.example query_type=A names=[10.0.0.1,192.0.2.9,a.example]"},
	{"dns version 1 answer",
	 HEAD
	 "\"event_type\":\"dns\",\"dns\":{\"type\":\"answer\",\"id\":1,\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"A\",\"ttl\":8,\"rdata\":\"192.0.2.77\"}}",
	 TIME
	 "class_uid=4003 activity_id=2 severity_id=1 status_id=1 log_name=dns " UID ENDS
	 "proto=tcp app=dns query=a.example query_type=A rcode=NOERROR answers=[192.0.2.77] names=[10.0.0.1,192.0.2.9,a.example,192.0.2.77]"},
	{"dns version 2 answer, detailed and grouped",
	 HEAD
	 "\"event_type\":\"dns\",\"dns\":{\"version\":2,\"type\":\"answer\",\"rrname\":\"www.a.example\",\"rrtype\":\"A\",\"rcode\":\"NOERROR\","
	 "\"answers\":[{\"rrname\":\"www.a.example\",\"rrtype\":\"CNAME\",\"ttl\":1,\"rdata\":\"A.example\"},{\"rrname\":\"a.example\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.77\"},"
	 "{\"rrname\":\"a.example\",\"rrtype\":\"SOA\",\"soa\":{\"mname\":\"x\"}}],"
	 "\"grouped\":{\"A\":[\"192.0.2.77\",\"192.0.2.78\"],\"CNAME\":[\"a.example\"]}}}",
	 TIME
	 "class_uid=4003 activity_id=2 severity_id=1 status_id=1 log_name=dns " UID ENDS
	 "proto=tcp app=dns query=www.a.example query_type=A rcode=NOERROR answers=[a.example,192.0.2.77,192.0.2.78] "
	 "names=[10.0.0.1,192.0.2.9,www.a.example,a.example,192.0.2.77,192.0.2.78]"},
	{"dns version 3 response, two questions",
	 HEAD
	 "\"event_type\":\"dns\",\"dns\":{\"version\":3,\"type\":\"response\",\"rcode\":\"NXDOMAIN\",\"queries\":[{\"rrname\":\"q1.example\",\"rrtype\":\"AAAA\"},"
	 "{\"rrname\":\"Q2.example\",\"rrtype\":\"A\"}]}}",
	 TIME
	 "class_uid=4003 activity_id=2 severity_id=1 status_id=2 log_name=dns " UID ENDS
	 "proto=tcp app=dns query=q1.example query_type=AAAA rcode=NXDOMAIN names=[q2.example,10.0.0.1,192.0.2.9,q1.example]"},
	{"alert with dns version 2",
	 HEAD
	 "\"event_type\":\"alert\",\"alert\":{\"gid\":1,\"signature_id\":5,\"rev\":1,\"signature\":\"S\",\"severity\":3},"
	 "\"dns\":{\"query\":[{\"type\":\"query\",\"rrname\":\"bad.example\",\"rrtype\":\"A\"}]},\"app_proto\":\"dns\"}",
	 TIME
	 "class_uid=2004 activity_id=1 severity_id=2 log_name=alert event_code=5 " UID ENDS
	 "proto=tcp app=dns query=bad.example query_type=A finding_uid=1:5:1/1454127794305760 finding_title=S list=suricata "
	 "names=[10.0.0.1,192.0.2.9,bad.example]"},
	{"http on another port",
	 HEAD
	 "\"event_type\":\"http\",\"http\":{\"hostname\":\"h.example\",\"http_port\":8080,\"url\":\"/p?q\",\"http_refer\":\"http://r.example/\",\"http_method\":\"POST\",\"status\":503}}",
	 TIME
	 "class_uid=4002 activity_id=6 severity_id=1 status_id=2 log_name=http " UID ENDS
	 "dst_host=h.example proto=tcp app=http url=http://h.example:8080/p?q http_method=POST http_status=503 referrer=http://r.example/ "
	 "names=[10.0.0.1,192.0.2.9,h.example,r.example]"},
	{"tls",
	 HEAD
	 "\"event_type\":\"tls\",\"tls\":{\"subject\":\"CN=x\",\"issuerdn\":\"CN=ca\",\"fingerprint\":\"8F:51:0a\",\"sni\":\"Mail.Example\",\"version\":\"TLS 1.2\","
	 "\"ja3\":{\"hash\":\"abc\",\"string\":\"771\"},\"ja3s\":{\"hash\":\"def\"}}}",
	 TIME
	 "class_uid=4001 activity_id=1 severity_id=1 log_name=tls " UID ENDS
	 "dst_host=mail.example proto=tcp app=tls tls_version=1.2 tls_subject=CN=x tls_issuer=CN=ca ja3=abc hashes=[8f510a] "
	 "names=[10.0.0.1,192.0.2.9,mail.example,abc,8f510a]"},
	{"flow",
	 HEAD
	 "\"event_type\":\"flow\",\"app_proto\":\"failed\",\"flow\":{\"bytes_toserver\":4884,\"bytes_toclient\":7392,\"start\":\"2019-05-28T23:32:29.025256+0200\","
	 "\"end\":\"2019-05-28T23:32:30.071281+0200\",\"age\":1,\"state\":\"closed\",\"reason\":\"timeout\"}}",
	 TIME "class_uid=4001 activity_id=6 severity_id=1 log_name=flow event_code=closed " UID ENDS
	      "proto=tcp bytes_out=4884 bytes_in=7392 duration=1046025 names=[10.0.0.1,192.0.2.9]"},
	{"netflow",
	 HEAD "\"event_type\":\"netflow\",\"netflow\":{\"pkts\":1,\"bytes\":60,\"age\":3}}",
	 TIME "class_uid=4001 activity_id=6 severity_id=1 log_name=netflow " UID ENDS
	      "proto=tcp bytes_out=60 duration=3000000 names=[10.0.0.1,192.0.2.9]"},
	{"fileinfo",
	 HEAD
	 "\"event_type\":\"fileinfo\",\"app_proto\":\"http\",\"fileinfo\":{\"filename\":\"/a/B.exe\",\"sha256\":\"AB\",\"md5\":\"cd\",\"size\":9}}",
	 TIME
	 "class_uid=1001 activity_id=99 severity_id=1 log_name=fileinfo " UID ENDS
	 "proto=tcp app=http bytes_in=9 file_path=/a/B.exe hashes=[ab,cd] names=[10.0.0.1,192.0.2.9,ab,cd,b.exe]"},
	{"anomaly",
	 HEAD
	 "\"event_type\":\"anomaly\",\"anomaly\":{\"type\":\"stream\",\"event\":\"stream.pkt_invalid_ack\"}}",
	 TIME
	 "class_uid=4001 activity_id=99 severity_id=2 log_name=anomaly event_code=stream.pkt_invalid_ack " UID
	 "message=stream " ENDS "proto=tcp names=[10.0.0.1,192.0.2.9]"},
	{"smtp",
	 HEAD
	 "\"event_type\":\"smtp\",\"smtp\":{\"helo\":\"pc\",\"mail_from\":\"<Eve@x.example>\",\"rcpt_to\":[\"<a@b.example>\"]},"
	 "\"email\":{\"from\":\"E <eve@x.example>\",\"to\":[\"A <a@b.example>\",\"c@b.example\"],\"subject\":\"s\",\"attachment\":[\"In.zip\"],\"url\":[\"http://U.example/a\"]}}",
	 TIME
	 "class_uid=4009 activity_id=1 severity_id=1 log_name=smtp " UID
	 "src_ip=10.0.0.1 src_port=5000 src_host=pc dst_ip=192.0.2.9 dst_port=80 proto=tcp app=smtp mail_from=eve@x.example "
	 "mail_to=[a@b.example,c@b.example] subject=s "
	 "names=[in.zip,u.example,10.0.0.1,192.0.2.9,pc,eve@x.example,x.example,a@b.example,b.example,c@b.example]"},
	{"ssh",
	 HEAD
	 "\"event_type\":\"ssh\",\"ssh\":{\"client\":{\"software_version\":\"OpenSSH_6.7\",\"hassh\":{\"hash\":\"ec73\"}},\"server\":{\"software_version\":\"dropbear\",\"hassh\":{\"hash\":\"ff\"}}}}",
	 TIME "class_uid=4007 activity_id=1 severity_id=1 log_name=ssh " UID
	      "message=dropbear " ENDS
	      "proto=tcp app=ssh user_agent=OpenSSH_6.7 ja3=ec73 names=[10.0.0.1,192.0.2.9,ec73]"},
	{"smb",
	 HEAD
	 "\"event_type\":\"smb\",\"smb\":{\"command\":\"SMB2_COMMAND_CREATE\",\"status\":\"STATUS_ACCESS_DENIED\",\"filename\":\"x\\\\A.exe\",\"disposition\":\"FILE_CREATE\","
	 "\"ntlmssp\":{\"domain\":\"V\",\"user\":\"adm\",\"host\":\"BLU\"}}}",
	 TIME
	 "class_uid=4006 activity_id=3 severity_id=1 status_id=2 log_name=smb event_code=SMB2_COMMAND_CREATE " UID
	 "message=STATUS_ACCESS_DENIED src_ip=10.0.0.1 src_port=5000 src_host=BLU dst_ip=192.0.2.9 dst_port=80 proto=tcp app=smb "
	 "user=V\\adm file_path=x\\A.exe names=[10.0.0.1,192.0.2.9,blu,v\\adm,a.exe]"},
	{"krb5",
	 HEAD
	 "\"event_type\":\"krb5\",\"krb5\":{\"msg_type\":\"KRB_TGS_REP\",\"cname\":\"bob\",\"realm\":\"R\",\"sname\":\"http/x\"}}",
	 TIME "class_uid=3002 activity_id=4 severity_id=1 status_id=1 log_name=krb5 " UID
	      "message=http/x " ENDS
	      "proto=tcp app=krb5 user=bob@R names=[10.0.0.1,192.0.2.9,bob@r]"},
	{"dhcp",
	 HEAD
	 "\"event_type\":\"dhcp\",\"dhcp\":{\"type\":\"reply\",\"dhcp_type\":\"ack\",\"client_mac\":\"AA:BB\",\"assigned_ip\":\"10.0.0.5\",\"hostname\":\"Pc\"}}",
	 TIME
	 "class_uid=4004 activity_id=5 severity_id=1 log_name=dhcp event_code=ack " UID
	 "src_ip=10.0.0.1 src_port=5000 src_host=Pc dst_ip=192.0.2.9 dst_port=80 proto=tcp app=dhcp "
	 "names=[aa:bb,10.0.0.5,10.0.0.1,192.0.2.9,pc]"},
	{"ftp",
	 HEAD
	 "\"event_type\":\"ftp\",\"ftp\":{\"command\":\"RETR\",\"command_data\":\"a.zip\",\"reply\":[\"Opening\",\"Done\"],\"completion_code\":[\"150\",\"550\"]}}",
	 TIME
	 "class_uid=4008 activity_id=2 severity_id=1 status_id=2 log_name=ftp event_code=RETR " UID
	 "message=Opening " ENDS
	 "proto=tcp app=ftp file_path=a.zip names=[10.0.0.1,192.0.2.9,a.zip]"},
	{"stats are kept",
	 "{\"timestamp\":\"2026-01-02T03:04:05.000006+0000\",\"event_type\":\"stats\",\"stats\":{\"uptime\":1}}",
	 TIME "activity_id=99 severity_id=1 log_name=stats"},
	{"a type nobody knows", HEAD "\"event_type\":\"quux\",\"quux\":{\"a\":{\"b\":[1,{}]}}}",
	 TIME "class_uid=4001 activity_id=99 severity_id=1 log_name=quux " UID ENDS
	      "proto=tcp names=[10.0.0.1,192.0.2.9]"},
	{"objects where texts are expected",
	 "{\"event_type\":\"dns\",\"src_ip\":{},\"dns\":{\"rrname\":[],\"rdata\":{},\"rcode\":null,\"answers\":7,\"grouped\":[[]]}}",
	 "time=77 class_uid=4003 activity_id=6 severity_id=1 log_name=dns app=dns"},
	{"no event_type", "{\"timestamp\":\"2026-01-02T03:04:05.000006+0000\"}",
	 "time=77 parse_error=suricata: no event_type"},
	{"not an object", "[1]", "time=77 parse_error=JSON: not an object"},
};

int main(void)
{
	static char text[65536];
	struct yg_norm *n = NULL;
	if (!T_OK(yg_norm_new(YG_SOURCE_SURICATA, NULL, &n, NULL) == YG_OK))
		return tap_done();
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		struct yg_event ev;
		memset(&ev, 0, sizeof ev);
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_sv got = YG_SV("");
		yg_norm_begin(n, yg_sv_of(rows[i].text), (yg_wall){77}, false);
		while (yg_norm_next(n, &ev))
			got = dump_event(&b, &ev);
		if (!T_NAMED(yg_sv_eq(got, yg_sv_of(rows[i].want)), rows[i].name))
			(void)printf("# want %s\n# got  %.*s\n", rows[i].want, (int)got.n, got.p);
	}
	yg_norm_free(n);
	return tap_done();
}
