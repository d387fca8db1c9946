/* syslog.h - one syslog message: RFC 5424, RFC 3164 and what is sent in its name.
 *
 * Pure; nothing allocates but yg_syslog_unescape().  Views are borrowed from
 * the message.  The form is told apart by itself: "<PRI>1 " with a time that
 * RFC 5424 allows is RFC 5424, everything else is read as leniently as RFC 3164
 * section 4.3 asks a relay to.
 */
#pragma once
#include "base/arena.h"
#include "base/units.h"

enum yg_syslog_form {
	YG_SYSLOG_5424 = 1,
	YG_SYSLOG_3164, /* BSD, Cisco, ISO times, no priority ... */
};

struct yg_syslog {
	uint8_t form;     /* enum yg_syslog_form */
	uint8_t severity; /* 0 emergency ... 7 debug; YG_SYSLOG_NONE when it has none */
	uint8_t facility; /* 0 kern ... 23 local7; YG_SYSLOG_NONE when it has none */
	bool has_time;
	yg_wall time;                          /* UTC; `received` when has_time is false */
	struct yg_sv host, app, procid, msgid; /* empty when absent or "-" */
	struct yg_sv sd;  /* structured data with its brackets; empty for "-" */
	struct yg_sv msg; /* without a BOM */
};
#define YG_SYSLOG_NONE 255

/* Reads one message (a datagram or a frame; a final LF is no part of it).
 *
 * received  when it came in: gives a time without a year its year, and is the
 *           time of a message that has none
 * zone      what to add to a time without offset to get from UTC to the
 *           sender's clock; Tokyo: 9 h
 *
 * A time without year gets the latest year that puts it at most a day after
 * `received`.  A time without offset that then lies more than 10 minutes ahead
 * of `received` cannot be UTC: it is read as the clock of a zone that is ahead
 * (up to 14 h, in quarters of an hour).
 * YG_OK | YG_PARSE (empty, or neither a priority nor a time at its front). */
yg_status yg_syslog_parse(struct yg_sv text, yg_wall received, yg_span zone, struct yg_syslog *out,
			  struct yg_err *err);

struct yg_syslog_param { /* [id name="value"] */
	struct yg_sv id, name;
	struct yg_sv value; /* still escaped */
	bool escaped;       /* value has \" \\ or \] in it */
};
/* Takes the next parameter off *rest (begin with a copy of yg_syslog.sd);
 * false at the end.  An element without parameters gives one with an empty
 * name.  *id carries the element's name from call to call; begin with it empty. */
bool yg_syslog_sd_next(struct yg_sv *rest, struct yg_sv *id, struct yg_syslog_param *out);
/* The value with its escapes undone (arena when it has any; p is NULL when the arena is out). */
struct yg_sv yg_syslog_unescape(const struct yg_syslog_param *p, struct yg_arena *arena);

const char *yg_syslog_severity_name(uint8_t severity); /* "err"; "" for none; static */
const char *yg_syslog_facility_name(uint8_t facility); /* "auth"; "" for none; static */
