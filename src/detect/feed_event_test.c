/* Records of each source, as the connection or login that they are; or as neither. */
#include "detect/feed_event.h"

#include "event/normalize.h"
#include "tap.h"

#define T16 "\"ts\":1700000000.0,\"uid\":\"C1\",\"id.orig_h\":"
#define CONN(from, to, state)                                                                      \
	"{\"_path\":\"conn\"," T16 "\"" from "\",\"id.orig_p\":40000,\"id.resp_h\":\"" to          \
	"\",\"id.resp_p\":443,\"proto\":\"tcp\",\"orig_bytes\":10,\"conn_state\":\"" state "\"}"
#define EVE(type, rest)                                                                            \
	"{\"timestamp\":\"2023-11-14T22:13:20.000000+0000\",\"event_type\":\"" type "\","          \
	"\"src_ip\":\"10.0.0.5\",\"src_port\":40000,\"dest_ip\":\"198.51.100.7\","                 \
	"\"dest_port\":443,\"proto\":\"TCP\"," rest "}"
#define WIN(id, rest)                                                                              \
	"{\"EventID\":" id ",\"Channel\":\"Security\",\"Computer\":\"dc1\","                       \
	"\"TimeCreated\":\"2023-11-14T22:13:20Z\"," rest "}"
/* An answer that came when nobody listened any more. */
#define LATE                                                                                       \
	WIN("5152", "\"Direction\":\"%%14592\",\"SourceAddress\":\"192.203.230.10\","              \
		    "\"SourcePort\":\"53\",\"DestAddress\":\"192.168.1.4\","                       \
		    "\"DestPort\":\"51440\",\"Protocol\":\"17\"")
#define SSH(text) "<38>Nov 14 22:13:20 gate sshd[7]: " text
#define TRAIL(answer)                                                                              \
	"{\"eventVersion\":\"1.08\",\"eventTime\":\"2023-11-14T22:13:20Z\","                       \
	"\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\","                 \
	"\"sourceIPAddress\":\"198.51.100.9\",\"userIdentity\":{\"type\":\"IAMUser\","             \
	"\"userName\":\"alice\"},\"responseElements\":{\"ConsoleLogin\":\"" answer "\"}}"

static const struct {
	enum yg_source source;
	const char *record, *want;
} cases[] = {
	{YG_SOURCE_ZEEK, CONN("10.0.0.5", "198.51.100.7", "SF"),
	 "10.0.0.5 > 198.51.100.7:443 flags 3 out 10"},
	{YG_SOURCE_ZEEK, CONN("203.0.113.4", "10.0.0.5", "S0"),
	 "203.0.113.4 > 10.0.0.5:443 flags 4 out 10"},
	{YG_SOURCE_ZEEK, CONN("10.0.0.5", "10.0.0.6", "RSTOS0"),
	 "10.0.0.5 > 10.0.0.6:443 flags 6 out 10"},
	{YG_SOURCE_ZEEK, CONN("10.0.0.5", "10.0.0.6", "RSTO"),
	 "10.0.0.5 > 10.0.0.6:443 flags 7 out 10"},
	{YG_SOURCE_ZEEK, CONN("10.0.0.5", "224.0.0.251", "S0"), ""},
	{YG_SOURCE_ZEEK, CONN("10.0.0.5", "255.255.255.255", "S0"), ""},
	{YG_SOURCE_ZEEK, CONN("fe80::1", "ff02::fb", "S0"), ""},
	{YG_SOURCE_ZEEK,
	 "{\"_path\":\"ssl\"," T16 "\"10.0.0.5\",\"id.orig_p\":4,\"id.resp_h\":\"198.51.100.7\","
	 "\"id.resp_p\":443,\"server_name\":\"a.example\"}",
	 ""},
	{YG_SOURCE_SURICATA,
	 EVE("flow", "\"flow\":{\"bytes_toserver\":9,\"bytes_toclient\":0,\"state\":\"new\"}"),
	 "10.0.0.5 > 198.51.100.7:443 flags 2 out 9"},
	{YG_SOURCE_SURICATA,
	 EVE("flow", "\"flow\":{\"bytes_toserver\":9,\"bytes_toclient\":8,\"state\":\"closed\"}"),
	 "10.0.0.5 > 198.51.100.7:443 flags 3 out 9"},
	{YG_SOURCE_SURICATA, EVE("tls", "\"tls\":{\"sni\":\"a.example\"}"), ""},
	{YG_SOURCE_SURICATA, EVE("netflow", "\"netflow\":{\"pkts\":1,\"bytes\":60,\"age\":3}"), ""},
	{YG_SOURCE_WINDOWS,
	 WIN("4624", "\"TargetUserName\":\"alice\",\"IpAddress\":\"10.0.0.9\",\"LogonType\":3"),
	 "alice from 10.0.0.9 flags 1"},
	{YG_SOURCE_WINDOWS,
	 WIN("4625", "\"TargetUserName\":\"bob\",\"TargetDomainName\":\"CORP\","
		     "\"IpAddress\":\"203.0.113.9\""),
	 "CORP\\bob from 203.0.113.9 flags 0"},
	{YG_SOURCE_WINDOWS,
	 WIN("4771", "\"TargetUserName\":\"bob\",\"IpAddress\":\"::ffff:10.0.0.7\""),
	 "bob from 10.0.0.7 flags 0"},
	{YG_SOURCE_WINDOWS, WIN("4624", "\"TargetUserName\":\"PC1$\",\"IpAddress\":\"10.0.0.9\""),
	 ""},
	{YG_SOURCE_WINDOWS, WIN("4624", "\"TargetUserName\":\"alice\",\"IpAddress\":\"::1\""), ""},
	{YG_SOURCE_WINDOWS, WIN("4624", "\"TargetUserName\":\"alice\",\"IpAddress\":\"-\""), ""},
	{YG_SOURCE_WINDOWS, WIN("4634", "\"TargetUserName\":\"alice\",\"IpAddress\":\"10.0.0.9\""),
	 ""},
	{YG_SOURCE_WINDOWS, WIN("4648", "\"TargetUserName\":\"alice\",\"IpAddress\":\"10.0.0.9\""),
	 ""},
	{YG_SOURCE_SYSLOG, SSH("Failed password for root from 203.0.113.8 port 5 ssh2"),
	 "root from 203.0.113.8 flags 0"},
	{YG_SOURCE_SYSLOG, SSH("Accepted publickey for eve from 203.0.113.8 port 5 ssh2: RSA"),
	 "eve from 203.0.113.8 flags 1"},
	{YG_SOURCE_SYSLOG, SSH("Invalid user admin from 203.0.113.8 port 5"), ""},
	{YG_SOURCE_SYSLOG,
	 SSH("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
	     "rhost=203.0.113.8  user=root"),
	 ""},
	{YG_SOURCE_WINDOWS, LATE, "192.203.230.10 > 192.168.1.4:51440 flags 12 out 0 from 53"},
	{YG_SOURCE_CLOUDTRAIL, TRAIL("Success"), "alice from 198.51.100.9 flags 1"},
	{YG_SOURCE_CLOUDTRAIL, TRAIL("Failure"), "alice from 198.51.100.9 flags 0"},
};

static void show(const struct yg_feed_entry *e, struct yg_sb *b)
{
	if (e->kind == YG_FEED_CONNECTION) {
		yg_ip_format(b, e->connection.src);
		yg_sb_put(b, YG_SV(" > "));
		yg_ip_format(b, e->connection.dst);
		yg_sb_printf(b, ":%u flags %u out %llu", e->connection.port, e->connection.flags,
			     (unsigned long long)e->connection.bytes_out);
		if ((e->connection.flags & YG_FEED_ANSWER) != 0)
			yg_sb_printf(b, " from %u", e->connection.src_port);
	} else {
		yg_sb_put(b, e->login.user);
		yg_sb_put(b, YG_SV(" from "));
		yg_ip_format(b, e->login.src);
		yg_sb_printf(b, " flags %u", e->login.flags);
	}
}

int main(void)
{
	for (size_t i = 0; i < YG_LEN(cases); i++) {
		char text[256];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		struct yg_norm *n = NULL;
		struct yg_event ev = {0};
		struct yg_feed_entry e = {0};
		if (yg_norm_new(cases[i].source, NULL, &n, NULL) != YG_OK) {
			T_OK(false);
			continue;
		}
		yg_norm_begin(n, yg_sv_of(cases[i].record), (yg_wall){INT64_C(1700000000000000)},
			      false);
		bool any = yg_norm_next(n, &ev);
		ev.source = yg_sv_of(yg_source_name(cases[i].source));
		ev.spool = 2;
		ev.batch = 5;
		ev.row = 1;
		if (any && yg_feed_of_event(&ev, &e)) {
			const uint64_t *id = e.kind == YG_FEED_LOGIN ? e.login.id : e.connection.id;
			T_OK(id[0] == (2ULL << 32 | 1) && id[1] == 5);
			show(&e, &b);
		}
		if (!T_NAMED(any && yg_sv_eq(yg_sb_sv(&b), yg_sv_of(cases[i].want)),
			     cases[i].record))
			(void)printf("# got %.*s\n# class %u activity %u status %u source %.*s\n",
				     YG_SV_ARG(yg_sb_sv(&b)), ev.class_uid, ev.activity_id,
				     ev.status_id, YG_SV_ARG(ev.source));
		yg_norm_free(n);
	}
	return tap_done();
}
