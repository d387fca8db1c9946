/* demo.h - a demonstration: twelve made-up organisations with five information
 * systems each, their traffic of the last day as EVE, Zeek and CloudTrail text
 * with attacks among it, thinner traffic of the ninety days before, and a list
 * of made-up indicators that some of it matches.
 *
 * Everything follows from a seed and a time, so a test can expect exact bytes.
 * Addresses are those of RFC 1918, RFC 5737 and RFC 3849, names those of RFC
 * 2606: nothing of it is anybody's.  Pure; one thread at a time per generator.
 */
#pragma once
#include "event/normalize.h"

#define YG_DEMO_RECORDS 200000 /* about; what `yagura demo load` makes */
#define YG_DEMO_ORGS    12
#define YG_DEMO_SYSTEMS 5  /* of each organisation */
#define YG_DEMO_SLOTS   6  /* batches of four hours each per organisation and source ... */
#define YG_DEMO_PAST    15 /* ... and before them as many of six days each */

struct yg_demo_org {
	const char *name; /* slug, "demo-..." */
	const char *title_ja, *title_en;
	const char *domain;        /* of its own hosts */
	const char *cloud_account; /* NULL: it has no cloud */
	uint8_t share;             /* of the traffic, in parts of the sum */
	int prefecture;            /* 1..47: where its tile is on the map */
	const char *parent;        /* the node above; NULL: none */
};
extern const struct yg_demo_org yg_demo_orgs[YG_DEMO_ORGS];
struct yg_demo_system {
	const char *name, *title_ja, *title_en;
	const char *confidentiality; /* of the scheme cia3 */
	int importance, integrity, availability;
	uint8_t host; /* its hosts are 10.<10 + organisation>.1.<host>/29 */
};
extern const struct yg_demo_system yg_demo_systems[YG_DEMO_SYSTEMS];

struct yg_demo; /* owned: yg_demo_free() */

struct yg_demo_batch {
	const char *org; /* slug; static */
	enum yg_source source;
	const char *sensor; /* what the token or sensor is called; static */
	struct yg_sv id;    /* batch id: the same for the same seed and time; until the next call */
	struct yg_sv bytes; /* plain text, under 4 MiB; until the next call */
	uint64_t records;
	size_t at; /* how many batches this makes, with those that would have been empty */
};

/* now: where the day ends; it is rounded down to ten minutes, so that a load
 * that is begun again soon gives the same batch ids.  records: about how many
 * in all, a fifth of them before the last day; 0: YG_DEMO_RECORDS; at most 1,000,000. */
yg_status yg_demo_new(uint64_t seed, yg_wall now, uint64_t records, struct yg_demo **out,
		      struct yg_err *err);
void yg_demo_free(struct yg_demo *d);
/* The next batch, oldest slot first; false at the end or when memory ran out
 * (then yg_demo_failed()). */
bool yg_demo_next(struct yg_demo *d, struct yg_demo_batch *out);
bool yg_demo_failed(const struct yg_demo *d);
/* Number of batches there will be, but for empty ones, which are left out. */
size_t yg_demo_batches(const struct yg_demo *d);

/* The indicators as CSV with a header line (indicator,type,category,family);
 * the name of the list is YG_DEMO_LIST. */
#define YG_DEMO_LIST "demo-indicators"
void yg_demo_indicators(struct yg_buf *out);
