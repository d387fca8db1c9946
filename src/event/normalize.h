/* normalize.h - bytes of a known source in, events out.
 *
 * Pure: no I/O, no clock but what `env` gives.  One yg_norm per thread; it owns
 * scratch memory and is reused batch after batch.  A record that cannot be
 * parsed becomes an event with class_uid 0, `raw` and `parse_error`; it never
 * stops the rest.
 */
#pragma once
#include "base/arena.h"
#include "base/env.h"
#include "event/event.h"

/* clang-format off */
#define YG_SOURCES(X)                                                            \
	X(SURICATA,   "suricata",   "Suricata EVE JSON, one object per line")    \
	X(ZEEK,       "zeek",       "Zeek logs, NDJSON or TSV, told apart by themselves") \
	X(SYSLOG,     "syslog",     "syslog RFC 5424 or RFC 3164, told apart by themselves") \
	X(CLOUDTRAIL, "cloudtrail", "AWS CloudTrail: {\"Records\":[...]} or one record per line") \
	X(WINDOWS,    "windows",    "Windows events as JSON lines (winlogbeat, NXLog, Fluentd and Event/System renderings)") \
	X(OCSF,       "ocsf",       "OCSF JSON lines")                           \
	X(NDJSON,     "ndjson",     "any NDJSON, by a mapping file (ndjson:NAME)") \
	X(DNSTAP,     "dnstap",     "dnstap in Frame Streams, of a DNS server") \
	X(EVTX,       "evtx",       "Windows event log files (EVTX); source windows takes them too")
/* clang-format on */
enum yg_source {
	YG_SOURCE_NONE,
#define X(id, name, doc) YG_SOURCE_##id,
	YG_SOURCES(X)
#undef X
		YG_SOURCE_COUNT
};
const char *yg_source_name(enum yg_source s); /* static; never NULL */
/* "zeek", "ndjson:fw" (the part behind ':' goes to *out_mapping). */
yg_status yg_source_parse(struct yg_sv text, enum yg_source *out, struct yg_sv *out_mapping,
			  struct yg_err *err);

struct yg_mapping; /* a compiled mapping file for generic NDJSON; event/mapping.h */

struct yg_norm;
/* mapping: borrowed, only for YG_SOURCE_NDJSON.  *out is owned: yg_norm_free(). */
yg_status yg_norm_new(enum yg_source source, const struct yg_mapping *mapping, struct yg_norm **out,
		      struct yg_err *err);
void yg_norm_free(struct yg_norm *n);

/* Begins a batch of whole records.  `batch` is borrowed until the next begin;
 * `received` is used as the event time where a record has none.  When `framed`,
 * every record has a u32 little-endian length before it (datagrams);
 * otherwise records are lines (or, for cloudtrail, JSON documents; for dnstap, frames;
 * for evtx, those of whole chunks behind a file header). */
void yg_norm_begin(struct yg_norm *n, struct yg_sv batch, yg_wall received, bool framed);
/* The next event; false at the end.  Every member of *ev is set (zero where
 * absent) but those of the first section (org ... sensor), which the caller
 * sets.  Views in *ev last until the next yg_norm_begin(). */
bool yg_norm_next(struct yg_norm *n, struct yg_event *ev);
/* The record of the event that yg_norm_next() gave last, where it stands in the batch (`raw` of a
 * Zeek row in TSV is a copy, with the header it is read by).  Lasts as long as the batch. */
struct yg_sv yg_norm_record(const struct yg_norm *n);
struct yg_json;
/* The values of the event that yg_norm_next() gave last, when its record is one JSON object;
 * NULL: it is none, or was not read as one.  Lasts until the next yg_norm_next(). */
const struct yg_json *yg_norm_tape(const struct yg_norm *n, const struct yg_event *ev);
/* Records of this batch so far, and how many of them could not be parsed. */
uint64_t yg_norm_records(const struct yg_norm *n);
uint64_t yg_norm_unparsed(const struct yg_norm *n);
/* EVTX: how many of them no chunk listed; such an event has "recovered: ..." in parse_error. */
uint64_t yg_norm_recovered(const struct yg_norm *n);

/* A batch stands alone: a Zeek log in TSV begins every batch with its header
 * lines (#fields ...), which whoever splits a file repeats. */
