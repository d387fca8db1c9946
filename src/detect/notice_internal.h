/* notice_internal.h - what the files of the findings beside rules share.
 *
 * A kind has one table: key -> state.  A state is 8-byte members only, so that it is saved
 * word by word.
 */
#pragma once
#include "base/codec.h"
#include "detect/notice.h"

#define YG_NT_TIME_MAX INT64_C(253402300799999999) /* year 9999 */
#define YG_NT_S        INT64_C(1000000)
#define YG_NT_HOUR     (3600 * YG_NT_S)
#define YG_NT_DAY      (24 * YG_NT_HOUR)

#define YG_NT_CONTACTS 24
struct yg_nt_beacon {
	uint64_t n;
	int64_t times[YG_NT_CONTACTS]; /* in order */
	int64_t told;
};
#define YG_NT_USERS 32
struct yg_nt_spray {
	uint64_t n;
	struct {
		uint64_t user, failed;
		int64_t first, last;
	} users[YG_NT_USERS]; /* the one that failed last is last */
	int64_t told;
};
#define YG_NT_PLACES 4
struct yg_nt_travel {
	uint64_t n;
	struct {
		int64_t time;
		double latitude, longitude, radius;
	} places[YG_NT_PLACES]; /* in order of time */
	int64_t told;
};
#define YG_NT_TARGETS 64
struct yg_nt_scan {
	uint64_t n, at; /* of the ring */
	struct {
		uint64_t host, port;
		int64_t time; /* tried last */
	} targets[YG_NT_TARGETS];
	double odds; /* logarithm */
	uint64_t tried, failed;
	int64_t first, last;
	uint64_t outside;
};
struct yg_nt_volume {
	int64_t hour; /* number since 1970; 0: none yet */
	double bytes;
	struct {
		double mean, variance; /* of ln(1 + bytes) */
		uint64_t days;
	} habit[24];
	uint64_t told; /* this hour */
};
struct yg_nt_silence {
	int64_t last;
	double gap;     /* mean, microseconds */
	uint64_t count; /* gaps */
	int64_t first;
	int64_t day;        /* of longest[0] */
	int64_t longest[7]; /* gap that ended on that day and the six before */
	uint64_t told;
};
struct yg_nt_flood {
	int64_t slot; /* of ten seconds since 1970; 0: none yet */
	uint64_t count;
	double mean, variance, sum; /* sum: CUSUM */
	uint64_t slots;             /* learnt */
	uint64_t frozen;            /* slots not learnt in a row */
	int64_t onset;              /* slot; -1: calm */
	uint64_t told;
	uint64_t n;
	struct {
		uint64_t ip[2], count, over;
	} top[YG_NOTICE_TOP];
};
union yg_nt_state {
	struct yg_nt_beacon beacon;
	struct yg_nt_spray spray;
	struct yg_nt_travel travel;
	struct yg_nt_scan scan;
	struct yg_nt_volume volume;
	struct yg_nt_silence silence;
	struct yg_nt_flood flood;
};

struct yg_nt_entry {
	struct yg_nt_entry *prev, *next, *in_bucket;
	uint64_t hash;
	union yg_nt_state *state; /* behind it in memory; only its kind's part is there */
	uint32_t key_n;
	char *key;
};
struct yg_nt_table {
	struct yg_nt_entry **buckets, *first, *last; /* the one seen last is last */
	struct yg_nt_entry *current;                 /* being looked at */
	size_t bucket_count, count, words;
	uint64_t evicted, late, told;
};
struct yg_notices {
	struct yg_notices_opts opts;
	uint8_t key[16];
	int64_t now; /* of the last tick; 0: none yet */
	uint64_t ahead;
	struct yg_nt_table tables[YG_NOTICE_KIND_COUNT];
};
struct yg_nt_out {
	yg_notice_fn *told;
	void *ctx;
};

/* notice.c: the key of the state that is being looked at. */
struct yg_sv yg_nt_key(const struct yg_notices *n, enum yg_notice_kind k);
void yg_nt_tell(struct yg_notices *n, const struct yg_notice *notice, const struct yg_nt_out *out);
unsigned yg_nt_score(double s); /* rounded, 1..100 */
bool yg_nt_time_ok(int64_t t);
bool yg_nt_finite(double d); /* and not immense */

/* One file each. */
void yg_nt_beacon_see(struct yg_notices *n, struct yg_nt_beacon *s, int64_t time,
		      const struct yg_nt_out *out);
void yg_nt_scan_see(struct yg_notices *n, struct yg_nt_scan *s,
		    const struct yg_notice_connection *c, const struct yg_nt_out *out);
/* It is what a service says that `s`, of its destination, asked. */
bool yg_nt_scan_asked(const struct yg_notices *n, const struct yg_nt_scan *s,
		      const struct yg_notice_connection *c);
void yg_nt_volume_see(struct yg_notices *n, struct yg_nt_volume *s, int64_t time, uint64_t bytes,
		      const struct yg_nt_out *out);
void yg_nt_flood_see(struct yg_notices *n, struct yg_nt_flood *s, int64_t time, struct yg_ip src,
		     const struct yg_nt_out *out);
void yg_nt_spray_see(struct yg_notices *n, struct yg_nt_spray *s, const struct yg_notice_login *l,
		     const struct yg_nt_out *out);
void yg_nt_travel_see(struct yg_notices *n, struct yg_nt_travel *s, const struct yg_notice_login *l,
		      const struct yg_nt_out *out);
void yg_nt_silence_see(struct yg_nt_silence *s, int64_t time);
void yg_nt_silence_tick(struct yg_notices *n, struct yg_nt_silence *s, int64_t now,
			const struct yg_nt_out *out);
/* Slots that are over at that time. */
void yg_nt_flood_until(struct yg_notices *n, struct yg_nt_flood *s, int64_t time,
		       const struct yg_nt_out *out);
bool yg_nt_beacon_valid(const union yg_nt_state *s);
bool yg_nt_spray_valid(const union yg_nt_state *s);
bool yg_nt_travel_valid(const union yg_nt_state *s);
bool yg_nt_scan_valid(const union yg_nt_state *s);
bool yg_nt_volume_valid(const union yg_nt_state *s);
bool yg_nt_silence_valid(const union yg_nt_state *s);
bool yg_nt_flood_valid(const union yg_nt_state *s);
