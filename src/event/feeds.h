/* feeds.h - what a kind of source feeds: the classes of its events and the types
 * of indicator that can be recognised in them.  When the source is silent, these
 * are what nobody watches. */
#pragma once
#include "event/normalize.h"

struct yg_feed {
	const char *kind;  /* "class" or "indicator_type" */
	const char *value; /* "dns_activity", "domain" */
};
/* By the name of a source ("zeek", "ndjson:fw"); 0 when it is not known. */
size_t yg_source_feeds(struct yg_sv source, const struct yg_feed **out);
