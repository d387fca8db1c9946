/* notice.h - findings beside rules: what a row of events says that none of them says alone,
 * each with a score and a reason in words; pure.
 *
 *   yg_notices_new(&opts, &env, &n, &err);
 *   yg_notices_connection(n, &connection, told, ctx);   beacons, scans, volume, floods
 *   yg_notices_login(n, &login, told, ctx);             spraying, impossible travel
 *   yg_notices_record(n, source, time);                 sources
 *   yg_notices_tick(n, now, told, ctx);                 what shows by nothing coming
 *   yg_notices_save(n, &buf) ... yg_notices_restore(n, bytes, &err)
 *
 * Formulas, thresholds and their sources: doc/detect.md.  One per organisation, for one
 * thread.  Time is that of the events; what a late one does is said in notice_*.c.
 */
#pragma once
#include "base/env.h"
#include "base/ip.h"

#define YG_NOTICE_KEY_MAX 255                /* bytes of what is watched; longer: head and hash */
#define YG_NOTICE_TOP     8                  /* sources of a flood that are kept */
#define YG_NOTICE_KEYS    1000000            /* most of one kind */
#define YG_NOTICE_AHEAD   INT64_C(300000000) /* microseconds that an event may be ahead */

/* X(name, "stable name", English, Japanese) */
#define YG_NOTICE_KINDS(X)                                                                         \
	X(BEACON, "beacon", "beaconing", "定期的な通信（ビーコン）")                               \
	X(SPRAY, "spray", "password spraying", "パスワードスプレー")                               \
	X(TRAVEL, "travel", "impossible travel", "あり得ない移動")                                 \
	X(SCAN, "scan", "scan", "スキャン")                                                        \
	X(VOLUME, "volume", "unusual volume", "普段と異なる通信量")                                \
	X(SILENCE, "silence", "source gone silent", "ログの途絶")                                  \
	X(FLOOD, "flood", "onset of a denial of service", "サービス妨害の開始")
enum yg_notice_kind {
#define X(name, text, en, ja) YG_NOTICE_##name,
	YG_NOTICE_KINDS(X)
#undef X
		YG_NOTICE_KIND_COUNT
};
const char *yg_notice_name(enum yg_notice_kind k);                      /* static; "beacon" */
yg_status yg_notice_parse(struct yg_sv name, enum yg_notice_kind *out); /* YG_PARSE */
const char *yg_notice_title(enum yg_notice_kind k, bool japanese);

struct yg_notice_source {
	struct yg_ip ip;
	uint64_t count; /* at most so many */
	uint64_t least; /* at least so many */
};
struct yg_notice { /* borrowed for the call */
	enum yg_notice_kind kind;
	unsigned score; /* 1..100 */
	yg_wall time, first, last;
	struct yg_sv who;  /* what was watched: "192.0.2.1 > 198.51.100.7:443", a user, a source */
	double numbers[5]; /* of the reason; notice_words.c says which */
	bool flag;         /* BEACON -; SPRAY one got in; SCAN from outside; others - */
	struct yg_notice_source top[YG_NOTICE_TOP]; /* FLOOD, most first */
	size_t top_count;
};
/* The call must not call back. */
typedef void yg_notice_fn(void *ctx, const struct yg_notice *n);
/* What was watched, for people; control characters and what is no UTF-8 are escaped. */
void yg_notice_put_who(enum yg_notice_kind kind, struct yg_sv who, bool japanese,
		       struct yg_sb *out);
/* Why, in one sentence. */
void yg_notice_words(const struct yg_notice *n, bool japanese, struct yg_sb *out);

struct yg_notice_connection {
	yg_wall time;
	struct yg_ip src, dst;
	uint16_t port;
	uint16_t src_port;           /* of what may be an answer; 0: it is none */
	bool ok;                     /* it was answered */
	bool src_inside, dst_inside; /* of one's own network */
	uint64_t bytes_out;
};
struct yg_notice_login {
	yg_wall time;
	struct yg_sv user;
	struct yg_ip src;
	bool ok;
	bool placed;                /* the next three are known */
	double latitude, longitude; /* degrees */
	double radius;              /* km: how far off they may be */
};

struct yg_notices; /* owned; yg_notices_free() */
struct yg_notices_opts {
	size_t keys; /* watched of each kind; beyond it the one not seen for longest goes */
};
/* YG_OK | YG_NOMEM | YG_INVAL (no keys, or more than YG_NOTICE_KEYS). */
yg_status yg_notices_new(const struct yg_notices_opts *opts, const struct yg_env *env,
			 struct yg_notices **out, struct yg_err *err);
void yg_notices_free(struct yg_notices *n); /* NULL is fine */

/* All: YG_OK | YG_NOMEM (something new cannot be watched; all else stands). */
yg_status yg_notices_connection(struct yg_notices *n, const struct yg_notice_connection *c,
				yg_notice_fn *told, void *ctx);
yg_status yg_notices_login(struct yg_notices *n, const struct yg_notice_login *l,
			   yg_notice_fn *told, void *ctx);
yg_status yg_notices_record(struct yg_notices *n, struct yg_sv source, yg_wall time);
/* Every few seconds; `now` is the clock's, or the time up to which files have been read. */
void yg_notices_tick(struct yg_notices *n, yg_wall now, yg_notice_fn *told, void *ctx);
/* It is at least so late: nothing is told, but events of that time are none of a wrong clock. */
void yg_notices_clock(struct yg_notices *n, yg_wall now);

struct yg_notice_counts {
	uint64_t keys, evicted, late, told;
};
/* Events left out, for they were more than five minutes ahead of the last tick: a wrong
 * clock would make all that comes after it late. */
uint64_t yg_notices_ahead(const struct yg_notices *n);
struct yg_notice_counts yg_notices_counts(const struct yg_notices *n, enum yg_notice_kind k);

/* The same state gives the same bytes.  YG_OK | YG_NOMEM | YG_LIMIT. */
yg_status yg_notices_save(const struct yg_notices *n, struct yg_buf *out);
/* Anything but YG_OK leaves `n` as new.  YG_OK | YG_CORRUPT (torn, changed) | YG_NOMEM. */
yg_status yg_notices_restore(struct yg_notices *n, struct yg_sv bytes, struct yg_err *err);
