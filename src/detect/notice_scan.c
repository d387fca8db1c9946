/* notice_scan.c - one address that tries many services and finds few: a sequential test
 * of hypotheses, the threshold random walk of Jung, Paxson, Berger and Balakrishnan ("Fast
 * Portscan Detection Using Sequential Hypothesis Testing", IEEE S&P 2004).  The order of
 * events does not matter to the sum; an hour without contact ends it. */
#include <math.h>

#include "detect/notice_internal.h"

/* A harmless address succeeds at 4 of 5 first contacts, a scanner at 1 of 5 (the paper's
 * choice).  Of all harmless ones one in a million may be told of, for there are many and
 * they are looked at all day (the paper's 1 % would tell at the fourth failure); of scanners
 * 99 % are found. */
#define SUCCESS_HARMLESS 0.8
#define SUCCESS_SCANNER  0.2
#define WRONG            1e-6
#define FOUND            0.99
#define PAUSE            YG_NT_HOUR

static uint64_t different(const struct yg_nt_scan *s, bool ports)
{
	uint64_t count = 0;
	for (size_t i = 0; i < s->n; i++) {
		bool known = false;
		for (size_t b = 0; b < i && !known; b++)
			known = ports ? s->targets[b].port == s->targets[i].port
				      : s->targets[b].host == s->targets[i].host;
		count += !known;
	}
	return count;
}

static void restart(struct yg_nt_scan *s, int64_t time)
{
	s->odds = 0;
	s->tried = 0;
	s->failed = 0;
	s->first = time;
}

/* A late answer finds the port closed that asked, and looks like somebody who tries it. */
bool yg_nt_scan_asked(const struct yg_notices *n, const struct yg_nt_scan *s,
		      const struct yg_notice_connection *c)
{
	uint64_t host = yg_siphash(n->key, c->src.b, sizeof c->src.b);
	for (size_t i = 0; i < s->n; i++)
		if (s->targets[i].host == host && s->targets[i].port == c->src_port)
			return c->time.us <= s->targets[i].time + PAUSE;
	return false;
}

void yg_nt_scan_see(struct yg_notices *n, struct yg_nt_scan *s,
		    const struct yg_notice_connection *c, const struct yg_nt_out *out)
{
	uint64_t host = yg_siphash(n->key, c->dst.b, sizeof c->dst.b);
	int64_t time = c->time.us;
	if (s->tried == 0 || time > s->last + PAUSE)
		restart(s, time);
	s->last = YG_MAX(s->last, time);
	s->first = YG_MIN(s->first, time);
	for (size_t i = 0; i < s->n; i++)
		if (s->targets[i].host == host && s->targets[i].port == c->port) {
			s->targets[i].time = YG_MAX(s->targets[i].time, time);
			return; /* only first contacts say something */
		}
	s->targets[s->at].host = host;
	s->targets[s->at].port = c->port;
	s->targets[s->at].time = time;
	s->at = (s->at + 1) % YG_NT_TARGETS;
	s->n = YG_MIN(s->n + 1, YG_NT_TARGETS);
	s->tried++;
	s->failed += !c->ok;
	s->odds += c->ok ? log(SUCCESS_SCANNER / SUCCESS_HARMLESS)
			 : log((1 - SUCCESS_SCANNER) / (1 - SUCCESS_HARMLESS));
	if (s->odds <= log((1 - FOUND) / (1 - WRONG))) {
		restart(s, time);
		return;
	}
	if (s->odds < log(FOUND / WRONG))
		return;
	struct yg_notice notice = {
		.kind = YG_NOTICE_SCAN,
		.score = yg_nt_score(60 + 40 * (double)s->failed / (double)s->tried *
						  YG_MIN((double)s->tried / 40, 1.0)),
		.time = {s->last},
		.first = {s->first},
		.last = {s->last},
		.who = yg_nt_key(n, YG_NOTICE_SCAN),
		.numbers = {(double)s->tried, (double)s->failed, (double)different(s, false),
			    (double)different(s, true)},
		.flag = s->outside != 0,
	};
	restart(s, time);
	yg_nt_tell(n, &notice, out);
}

bool yg_nt_scan_valid(const union yg_nt_state *u)
{
	const struct yg_nt_scan *s = &u->scan;
	for (size_t i = 0; i < YG_NT_TARGETS; i++)
		if (!yg_nt_time_ok(s->targets[i].time))
			return false;
	return s->n <= YG_NT_TARGETS && s->at < YG_NT_TARGETS && yg_nt_finite(s->odds) &&
	       yg_nt_time_ok(s->first) && yg_nt_time_ok(s->last);
}
