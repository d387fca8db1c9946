#include "format/syslog.h"

#include "tap.h"

/* One line per message: form severity facility time host app procid msgid sd msg. */
static void show(const struct yg_syslog *m, struct yg_sb *b)
{
	const struct yg_sv f[] = {m->host, m->app, m->procid, m->msgid, m->sd, m->msg};
	yg_sb_printf(b, "%s %s.%s ", m->form == YG_SYSLOG_5424 ? "5424" : "3164",
		     yg_syslog_facility_name(m->facility), yg_syslog_severity_name(m->severity));
	if (m->has_time)
		yg_time_format(b, m->time);
	for (size_t i = 0; i < YG_LEN(f); i++) {
		yg_sb_putc(b, '|');
		yg_sb_put(b, f[i]);
	}
}

static const char *const noon = "2026-06-15T03:00:00Z"; /* noon in Tokyo */

static void check_zone(const char *received, int hours, struct yg_sv in, const char *want)
{
	char buf[1024];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	struct yg_syslog m;
	struct yg_err err = {0};
	yg_wall now = {0};
	if (yg_time_parse(yg_sv_of(received), &now, NULL) != YG_OK)
		T_NAMED(false, received);
	yg_status st = yg_syslog_parse(in, now, YG_SECONDS(hours * 3600), &m, &err);
	if (st == YG_OK)
		show(&m, &b);
	else
		yg_sb_printf(&b, "%s: %s", yg_status_name(st), err.msg);
	if (!T_NAMED(yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want)), want))
		(void)printf("# got %s\n", yg_sb_cstr(&b));
}

static void check(const char *in, const char *want)
{
	check_zone(noon, 0, yg_sv_of(in), want);
}

static void test_5424(void)
{
	/* The examples of RFC 5424 section 6.5. */
	check("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed for lonvick "
	      "on /dev/pts/8",
	      "5424 auth.crit 2003-10-11T22:14:15.003000Z|mymachine.example.com|su||ID47||'su root' failed for lonvick on "
	      "/dev/pts/8");
	check("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
	      "5424 local4.notice 2003-08-24T12:14:15.000003Z|192.0.2.1|myproc|8710|||%% It's time to make the do-nuts.");
	check("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" "
	      "eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]",
	      "5424 local4.notice 2003-10-11T22:14:15.003000Z|mymachine.example.com|evntslog||ID47|[exampleSDID@32473 "
	      "iut=\"3\" eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]|");
	check("<13>1 - - - - - -", "5424 user.notice ||||||");
	check("<13>1 - h a p m [x y=\"a\\]b\\\" c\"] text",
	      "5424 user.notice |h|a|p|m|[x y=\"a\\]b\\\" c\"]|text");
	check("<13>1 - h a p m [x y=\"unclosed text",
	      "5424 user.notice |h|a|p|m||[x y=\"unclosed text");
	check("<13>1 - h a p m no structured data",
	      "5424 user.notice |h|a|p|m||no structured data");
	check("<191>1 2026-01-01T00:00:00+09:00 h a",
	      "5424 local7.debug 2025-12-31T15:00:00.000000Z|h|a||||");
}

static void test_3164(void)
{
	/* The examples of RFC 3164 section 5.4; received in June, October was last year. */
	check("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
	      "3164 auth.crit 2025-10-11T22:14:15.000000Z|mymachine|su||||'su root' failed for lonvick on /dev/pts/8");
	check("Use the BFG!", "PARSE: neither a priority nor a time at the front");
	check("<13>Use the BFG!", "3164 user.notice ||||||Use the BFG!");
	check("<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!",
	      "3164 kern.emerg 1990-10-22T10:52:01.000000Z|TZ-6|||||scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's "
	      "All Folks!");
	check("<38>Jun  5 01:02:03 web1 sshd[4711]: Accepted publickey for root from 192.0.2.9 port 4242 ssh2",
	      "3164 auth.info 2026-06-05T01:02:03.000000Z|web1|sshd|4711|||Accepted publickey for root from 192.0.2.9 port "
	      "4242 ssh2");
	check("Jun  5 01:02:03 web1 postfix/smtpd[9]: connect",
	      "3164 . 2026-06-05T01:02:03.000000Z|web1|postfix/smtpd|9|||connect");
	check("<38>Jun  5 01:02:03 sshd[1]: no host here",
	      "3164 auth.info 2026-06-05T01:02:03.000000Z||sshd|1|||no host here");
	check("<38>2026-06-05T01:02:03.123456+09:00 web1 cron: x",
	      "3164 auth.info 2026-06-04T16:02:03.123456Z|web1|cron||||x");
	check("2026-06-05 01:02:03 web1 cron[2]: x",
	      "3164 . 2026-06-05T01:02:03.000000Z|web1|cron|2|||x");
	check("<13>Jun  5 01:02:03 192.0.2.7: plain text: more",
	      "3164 user.notice 2026-06-05T01:02:03.000000Z|192.0.2.7|||||plain text: more");
	check("<13>Jun  5 01:02:03 2001:db8::7 app: x",
	      "3164 user.notice 2026-06-05T01:02:03.000000Z|2001:db8::7|app||||x");
	check("<5>sshd[12]: short", "3164 kern.notice ||sshd|12|||short");
	check("<999>Jun  5 01:02:03 h a: x", "PARSE: neither a priority nor a time at the front");
	check("<13>Jun  5 01:02:03 h last message repeated 2 times",
	      "3164 user.notice 2026-06-05T01:02:03.000000Z|h|||||last message repeated 2 times");
	check("", "PARSE: empty message");
	check("<134>1 1767225600.500000001 MX84 flows src=192.0.2.1",
	      "3164 local0.info 2026-01-01T00:00:00.500000Z|MX84|||||flows src=192.0.2.1");
}

static void test_devices(void)
{
	check("<166>Jun 05 2026 01:02:03: %ASA-6-302013: Built outbound TCP",
	      "3164 local4.info 2026-06-05T01:02:03.000000Z||ASA||ASA-6-302013||Built outbound TCP");
	check("<166>Jun 05 2026 01:02:03 fw1 : %ASA-4-106023: Deny tcp",
	      "3164 local4.warning 2026-06-05T01:02:03.000000Z|fw1|ASA||ASA-4-106023||Deny tcp");
	check("<166>:Jun 05 01:02:03 JST: %ASA-session-6-302013: Built",
	      "3164 local4.info 2026-06-04T16:02:03.000000Z||ASA-session||ASA-session-6-302013||Built");
	check("<189>29: *Jun  1 18:46:11.123: %SYS-5-CONFIG_I: Configured",
	      "3164 local7.notice 2026-06-01T18:46:11.123000Z||SYS||SYS-5-CONFIG_I||Configured");
	check("<189>29: router1: 000035: Jun  1 18:46:11 UTC: %LINK-3-UPDOWN: Interface",
	      "3164 local7.err 2026-06-01T18:46:11.000000Z|router1|LINK||LINK-3-UPDOWN||Interface");
	check("<13>Jun  5 01:02:03 host CEF:0|V|P|1|100|n|5|src=192.0.2.1",
	      "3164 user.notice 2026-06-05T01:02:03.000000Z|host|||||CEF:0|V|P|1|100|n|5|src=192.0.2.1");
	check("<13>Jun  5 01:02:03 host: LEEF:1.0|V|P|1|4000|",
	      "3164 user.notice 2026-06-05T01:02:03.000000Z|host|||||LEEF:1.0|V|P|1|4000|");
	check("<13>Jun  5 01:02:03 ids suricata[7]: @cee: {\"a\":1}",
	      "3164 user.notice 2026-06-05T01:02:03.000000Z|ids|suricata|7|||@cee: {\"a\":1}");
}

static void test_years_and_zones(void)
{
	struct yg_sv eve = YG_SV("<13>Dec 31 23:59:58 h a: x"),
		     new = YG_SV("<13>Jan  1 00:00:01 h a: x");
	check_zone("2027-01-01T00:00:05Z", 0, eve,
		   "3164 user.notice 2026-12-31T23:59:58.000000Z|h|a||||x");
	check_zone("2026-12-31T23:59:59Z", 0, new,
		   "3164 user.notice 2027-01-01T00:00:01.000000Z|h|a||||x");
	check_zone("2026-12-31T23:59:59Z", 9, eve,
		   "3164 user.notice 2026-12-31T14:59:58.000000Z|h|a||||x");
	/* In Tokyo the new year has begun; the zone is told, or found because the clock runs ahead. */
	check_zone("2026-12-31T15:00:03Z", 9, new,
		   "3164 user.notice 2026-12-31T15:00:01.000000Z|h|a||||x");
	check_zone("2026-12-31T15:00:03Z", 0, new,
		   "3164 user.notice 2026-12-31T15:00:01.000000Z|h|a||||x");
	check_zone("2026-03-01T12:00:00Z", 0, YG_SV("<13>Feb 29 10:00:00 h a: x"),
		   "3164 user.notice 2024-02-29T10:00:00.000000Z|h|a||||x");
	check_zone(noon, 0, YG_SV("<13>Jun 15 12:00:01 h a: x"),
		   "3164 user.notice 2026-06-15T03:00:01.000000Z|h|a||||x");
	check_zone(noon, 0, YG_SV("<13>2026-06-15T12:00:01 h a: x"),
		   "3164 user.notice 2026-06-15T03:00:01.000000Z|h|a||||x");
	check_zone(noon, 0, YG_SV("<13>Jun 15 03:05:00 h a: x"),
		   "3164 user.notice 2026-06-15T03:05:00.000000Z|h|a||||x");
	check_zone(noon, 0, YG_SV("<13>Jun 31 03:05:00 h a: x"),
		   "3164 user.notice ||||||Jun 31 03:05:00 h a: x");
}

static void test_sd(void)
{
	struct yg_sv rest = YG_SV("[a@1 x=\"1\" y=\"q\\\"\\]\\\\\\n\"][b][c z=\"\"]"), id = {"", 0};
	struct yg_syslog_param p;
	struct yg_arena a;
	char buf[256];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	yg_arena_init(&a, 4096);
	while (yg_syslog_sd_next(&rest, &id, &p)) {
		yg_sb_put(&b, p.id);
		yg_sb_putc(&b, '.');
		yg_sb_put(&b, p.name);
		yg_sb_putc(&b, '=');
		yg_sb_put(&b, yg_syslog_unescape(&p, &a));
		yg_sb_putc(&b, ' ');
	}
	T_OK(strcmp(yg_sb_cstr(&b), "a@1.x=1 a@1.y=q\"]\\\\n b.= c.z= ") == 0);
	yg_arena_free(&a);
}

int main(void)
{
	test_5424();
	test_3164();
	test_devices();
	test_years_and_zones();
	test_sd();
	return tap_done();
}
