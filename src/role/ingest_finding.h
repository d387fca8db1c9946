/* ingest_finding.h - what a match says: one detection finding as a row of the event store and
 * as JSON for center; pure, and without anything of role ingest. */
#pragma once
#include "detect/engine.h"
#include "event/event.h"
#include "intel/match.h"

/* Appends one finding of `ev`: sv32 json, sv32 row (with row number 0).  historical: it was found
 * in the past, long after it was taken in. */
void yg_finding_put(const struct yg_event *ev, const struct yg_match *m, uint32_t nth,
		    bool historical, struct yg_buf *scratch, struct yg_buf *out);
/* Did a DNS policy block it, or note it only, so that it is a finding? */
bool yg_finding_is_dns(const struct yg_event *ev);
/* Of one client, zone and kind: one finding of a batch. */
bool yg_finding_dns_same(const struct yg_event *a, const struct yg_event *b);
/* Appends the finding of `count` such events, of which `ev` is the first. */
void yg_finding_put_dns(const struct yg_event *ev, uint32_t count, struct yg_buf *scratch,
			struct yg_buf *out);
/* The asset an alert is about: the machine or address of one's own. */
struct yg_sv yg_finding_asset(const struct yg_event *ev, enum yg_event_field matched,
			      char buf[static YG_IP_TEXT_MAX]);
/* Writes the row number into an encoded row; YG_PARSE when it is none. */
yg_status yg_finding_row_number(char *row, size_t n, uint32_t number);

#define YG_RULE_FIELDS_MAX 16  /* fields of a match that are told */
#define YG_RULE_VALUE_MAX  512 /* bytes of one value */
struct yg_rule_finding {
	struct yg_sv uid, collection; /* of the rule in the registry */
	const struct yg_detect_about *rule;
	struct yg_sv asset;
	struct yg_sv field, value; /* the first field that matched; empty: none */
	struct yg_sv fields;       /* yg_rule_fields() */
	uint32_t count;            /* events of the batch that it stands for; `ev` is the first */
	bool alert;                /* false: the row alone, the JSON is empty */
	bool historical;
};
/* `names` with their values in the record as JSON, [["name","value"],...], appended; the
 * first of them into *field and *value, cut like the others. */
void yg_rule_fields(const struct yg_detect_record *r, const struct yg_sv *names, size_t n,
		    struct yg_buf *out, struct yg_sv *field, struct yg_sv *value);
void yg_finding_put_rule(const struct yg_event *ev, const struct yg_rule_finding *r,
			 struct yg_buf *scratch, struct yg_buf *out);
