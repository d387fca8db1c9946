#include "detect/feed_event.h"

#define ACTIVITY_LOGON   1u
#define ACTIVITY_TICKET  3u
#define ACTIVITY_PREAUTH 6u
#define ACTIVITY_FAIL    4u
#define ACTIVITY_REFUSE  5u
#define ACTIVITY_TRAFFIC 6u
#define SERVICES         1024u /* ports below are those of services */

static bool one_of(struct yg_sv s, const struct yg_sv *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (yg_sv_eq(s, list[i]))
			return true;
	return false;
}

static bool to_many(struct yg_ip ip)
{
	static const uint8_t all[4] = {255, 255, 255, 255};
	if (yg_ip_is_v4(ip))
		return (ip.b[12] & 0xf0) == 0xe0 || memcmp(ip.b + 12, all, 4) == 0;
	return ip.b[0] == 0xff;
}

/* Of several logs that tell the same flow only one counts. */
static bool is_flow(const struct yg_event *ev)
{
	static const struct yg_sv beside[] = {YG_SV_INIT("tls"), YG_SV_INIT("ssl"),
					      YG_SV_INIT("quic"), YG_SV_INIT("netflow"),
					      YG_SV_INIT("anomaly")};
	if (ev->class_uid != YG_OCSF_NETWORK_ACTIVITY || yg_ip_is_zero(ev->src_ip) ||
	    yg_ip_is_zero(ev->dst_ip) || to_many(ev->dst_ip))
		return false;
	if (YG_SV_IS(ev->source, "zeek"))
		return YG_SV_IS(ev->log_name, "conn");
	if (YG_SV_IS(ev->source, "suricata"))
		return YG_SV_IS(ev->log_name, "flow");
	return ev->activity_id >= 1 && ev->activity_id <= ACTIVITY_TRAFFIC &&
	       !one_of(ev->log_name, beside, YG_LEN(beside));
}

static bool is_answered(const struct yg_event *ev)
{
	/* conn_state of Zeek in which nobody answered */
	static const struct yg_sv alone[] = {YG_SV_INIT("S0"), YG_SV_INIT("REJ"),
					     YG_SV_INIT("RSTOS0"), YG_SV_INIT("SH")};
	if (ev->status_id == 2 || ev->activity_id == ACTIVITY_FAIL ||
	    ev->activity_id == ACTIVITY_REFUSE)
		return false;
	if (YG_SV_IS(ev->log_name, "conn"))
		return !one_of(ev->event_code, alone, YG_LEN(alone));
	if (YG_SV_IS(ev->log_name, "flow") && YG_SV_IS(ev->event_code, "new"))
		return ev->bytes_in > 0;
	return true;
}

/* It may be what a service says to who asked it: whether it was asked, the watch knows. */
static bool is_answer(const struct yg_event *ev)
{
	return ev->src_port > 0 && ev->src_port < SERVICES && ev->dst_port >= SERVICES;
}

static void connection(const struct yg_event *ev, struct yg_feed_entry *out)
{
	uint8_t flags = is_answered(ev) ? YG_FEED_OK : 0;
	if (yg_ip_is_private(ev->src_ip))
		flags |= YG_FEED_SRC_INSIDE;
	if (yg_ip_is_private(ev->dst_ip))
		flags |= YG_FEED_DST_INSIDE;
	if (is_answer(ev))
		flags |= YG_FEED_ANSWER;
	out->kind = YG_FEED_CONNECTION;
	out->connection.time.us = ev->time;
	out->connection.src = ev->src_ip;
	out->connection.dst = ev->dst_ip;
	out->connection.port = ev->dst_port;
	out->connection.src_port = is_answer(ev) ? ev->src_port : 0;
	out->connection.flags = flags;
	out->connection.bytes_out = ev->bytes_out;
	yg_feed_id(ev->spool, ev->batch, ev->row, out->connection.id);
}

static bool is_own_machine(struct yg_ip ip)
{
	return yg_ip_is_v4(ip) ? ip.b[12] == 127
			       : ip.b[15] == 1 && memcmp(ip.b, (uint8_t[15]){0}, 15) == 0;
}

/* sshd and PAM tell one attempt in several lines; this one is not the one that counts. */
static bool told_again(struct yg_sv message)
{
	return yg_sv_starts(message, YG_SV("pam_")) ||
	       yg_sv_starts(message, YG_SV("Invalid user ")) ||
	       yg_sv_starts(message, YG_SV("error: maximum authentication"));
}

/* 0: not known, 1: it succeeded, 2: it did not.  Not every shipper of Windows events keeps
 * the keyword that says so; 4624 is written for nothing else. */
static unsigned outcome(const struct yg_event *ev)
{
	return ev->status_id == 0 && YG_SV_IS(ev->event_code, "4624") ? 1 : ev->status_id;
}

static bool is_login(const struct yg_event *ev, struct yg_sv user)
{
	if (ev->class_uid != YG_OCSF_AUTHENTICATION || user.n == 0 || user.p[user.n - 1] == '$' ||
	    yg_ip_is_zero(ev->src_ip) || is_own_machine(ev->src_ip))
		return false;
	if (outcome(ev) == 0)
		return false;
	if (ev->activity_id != ACTIVITY_LOGON && ev->activity_id != ACTIVITY_TICKET &&
	    ev->activity_id != ACTIVITY_PREAUTH)
		return false;
	/* 4648: the address is that of the machine logged on to */
	return !YG_SV_IS(ev->event_code, "4648") && !told_again(ev->message);
}

bool yg_feed_of_event(const struct yg_event *ev, struct yg_feed_entry *out)
{
	struct yg_sv user = ev->target_user.n > 0 ? ev->target_user : ev->user;
	if (is_flow(ev)) {
		connection(ev, out);
		return true;
	}
	if (!is_login(ev, user))
		return false;
	out->kind = YG_FEED_LOGIN;
	out->login.time.us = ev->time;
	out->login.user = user;
	out->login.src = ev->src_ip;
	out->login.flags = outcome(ev) == 1 ? YG_FEED_OK : 0;
	yg_feed_id(ev->spool, ev->batch, ev->row, out->login.id);
	return true;
}
