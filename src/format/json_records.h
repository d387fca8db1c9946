/* json_records.h - where one record ends and the next begins in a stream of
 * JSON documents, without parsing them.
 *
 * Understood, and mixed at will: {"Records":[{...},{...}]} (each member of
 * "Records" is a record), [{...},{...}], and objects that follow each other,
 * one per line or not.  Text that is none of these is given line by line, so
 * that it can be kept and counted as unparsed; nothing is lost in silence.
 * A record that is broken off is given up at the next newline inside a string
 * or at a '{' in the first column, so the next records are found again.
 *
 * Pure, incremental, 24 bytes of state.  Whether a record is valid JSON is for
 * its parser to say.
 */
#pragma once
#include "base/base.h"

struct yg_json_scan {
	uint8_t mode;
	bool top;         /* the object at hand stands alone: may turn out to be {"Records":...} */
	bool in_document; /* the list at hand is a member of an object */
	bool string, escape, column0;
	uint8_t key, key_n; /* progress towards "Records":[ */
	uint32_t depth;
};
/* {0} is the state at the start of a stream. */

enum yg_json_scan_event {
	YG_SCAN_BEGIN = 1, /* a record begins with this byte */
	YG_SCAN_END = 2,   /* the record at hand ends with this byte */
	YG_SCAN_BREAK = 4, /* the record at hand ended before this byte */
	YG_SCAN_DROP = 8,  /* what was begun is the document around the records */
};
/* The events of the next byte; BREAK comes before BEGIN when both are set. */
unsigned yg_json_scan(struct yg_json_scan *s, char c);
/* How many of the next bytes are inside a string and so change nothing: they may
 * be passed over without yg_json_scan().  For speed only; 0 is always right. */
size_t yg_json_scan_quiet(const struct yg_json_scan *s, const char *p, size_t n);
/* At the end of the stream: true when a record is still open. */
bool yg_json_scan_open(const struct yg_json_scan *s);
