/* feed.h - what ingest tells center of a batch, for what no record says alone; pure.
 *
 *   message  u32 spool | part << 16, u32 entries, u64 batch, sv32 organisation,
 *            sv32 source, sv32 sensor, i64 received, then the entries
 *   entry    u8 kind, then its members in the order of struct yg_feed_entry
 *
 * Written:  yg_feed_put_head(out, &head);  yg_feed_put(out, &entry); ...
 *           (entries may be written before their head, and cut apart between two of them)
 * Read:     yg_feed_open(&r, body, &err);  while (yg_feed_next(&r, &entry)) ...;
 *           if (r.rd.bad) it is none
 *
 * One message, one spelling: what is read without fault and written again has the same bytes.
 */
#pragma once
#include "base/codec.h"
#include "base/ip.h"
#include "base/units.h"

#define YG_FEED_BYTES_MAX   16777216u /* of one message */
#define YG_FEED_ENTRIES_MAX 1000000u  /* of one message */
#define YG_FEED_FIELDS_MAX  64u       /* of one match; more: left out */
#define YG_FEED_SAMPLES_MAX 20u       /* of one count */
#define YG_FEED_TEXT_MAX    65536u    /* bytes of a value; longer: cut */

/* Numbers are those of the wire: append only. */
enum yg_feed_kind {
	YG_FEED_MATCH = 1,  /* of a rule that some correlation wants */
	YG_FEED_CONNECTION, /* between two addresses */
	YG_FEED_LOGIN,      /* somebody proved who they are, or could not */
	YG_FEED_RECORDS,    /* how many there were, of which times */
	YG_FEED_STAT,       /* what a rule did */
	YG_FEED_SOURCE,     /* a log source that events are of */
};
#define YG_FEED_OK         1u /* CONNECTION: it was answered; LOGIN: it succeeded */
#define YG_FEED_SRC_INSIDE 2u /* CONNECTION: of one's own network */
#define YG_FEED_DST_INSIDE 4u
#define YG_FEED_ANSWER     8u /* CONNECTION: from a service's port, which is written behind the id */

struct yg_feed_head {   /* views of the message */
	uint32_t spool; /* and its part << 16: each part has a mark of its own */
	uint32_t entries;
	uint64_t batch;
	struct yg_sv org, source, sensor;
	yg_wall received;
};
struct yg_feed_field {
	struct yg_sv name, value;
};
struct yg_feed_entry { /* only the members of its kind are written and read */
	enum yg_feed_kind kind;
	union {
		struct {
			struct yg_sv rule; /* uid */
			yg_wall time;
			uint64_t id[2]; /* yg_feed_id() */
			const struct yg_feed_field *fields;
			uint32_t field_count;
		} match;
		struct {
			yg_wall time;
			struct yg_ip src, dst;
			uint16_t port;
			uint8_t flags;
			uint64_t bytes_out;
			uint64_t id[2];
			uint16_t src_port; /* with YG_FEED_ANSWER; else 0 */
		} connection;
		struct {
			yg_wall time;
			struct yg_sv user;
			struct yg_ip src; /* all zero: not known */
			uint8_t flags;
			uint64_t id[2];
		} login;
		struct {
			uint64_t count;
			yg_wall first, last; /* when they happened */
		} records;
		struct {
			struct yg_sv rule;
			uint64_t looked_at, hits, excepted, cost_ns;
			const uint64_t (*samples)[2]; /* events, yg_feed_id() */
			uint32_t sample_count;
		} stat;
		struct {
			struct yg_sv category, product, service; /* empty: none */
		} source;
	};
};

/* An event's (spool, batch, row) in two words, and back. */
void yg_feed_id(uint32_t spool, uint64_t batch, uint32_t row, uint64_t out[static 2]);
void yg_feed_id_parts(const uint64_t id[static 2], uint32_t *spool, uint64_t *batch, uint32_t *row);

/* Appended; `out` says when there was no room. */
void yg_feed_put_head(struct yg_buf *out, const struct yg_feed_head *h);
void yg_feed_put(struct yg_buf *out, const struct yg_feed_entry *e);

struct yg_feed_reader {
	struct yg_rd rd;
	struct yg_feed_head head;
	uint32_t at; /* entries read */
	struct yg_feed_field fields[YG_FEED_FIELDS_MAX];
	uint64_t samples[YG_FEED_SAMPLES_MAX][2];
};
/* YG_OK | YG_PARSE: the head is none. */
yg_status yg_feed_open(struct yg_feed_reader *r, struct yg_sv body, struct yg_err *err);
/* The next entry, valid until the next call; false at the end, or at a fault: rd.bad. */
bool yg_feed_next(struct yg_feed_reader *r, struct yg_feed_entry *out);
/* Reads it to the end once.  YG_OK | YG_PARSE (says which entry). */
yg_status yg_feed_check(struct yg_sv body, struct yg_feed_head *out, struct yg_err *err);
