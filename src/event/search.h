/* search.h - the search language of events, and paging through what it finds.
 *
 * Language (doc/event-store.md has it for people):
 *
 *	evil.example 192.0.2.0/24 "GET /admin"      words side by side: all of them
 *	query:evil.example  user:"taro yamada"      a field is that value
 *	url:*login*  host:*                         wildcard; is not empty
 *	dst_port:>1024  bytes_in:1..5000  time:>2026-01-02T00:00:00Z
 *	-org:acme  NOT x  a OR b  (a OR b) c
 *
 * A plain word that looks like a name, an address or a hash is looked up in
 * `names` (one index answers); any other word, and quoted text, is a part of
 * the raw record, in any case of letters.
 *
 * What the user wrote reaches the server as query parameters only.  Compiling
 * is pure, in one pass, without recursion.
 */
#pragma once
#include "base/env.h"
#include "event/table.h"

#define YG_SEARCH_MAX       4096u /* bytes of a query; longer: YG_TOOBIG */
#define YG_SEARCH_TERMS_MAX 32u   /* conditions; more: YG_LIMIT */
#define YG_SEARCH_DEPTH_MAX 16u   /* open brackets; deeper: YG_LIMIT */

struct yg_search {
	struct yg_sv where; /* SQL condition with placeholders; "1" for an empty query */
	struct yg_ch_param *params;
	size_t param_count;
	bool counted; /* of organisation and class alone: their hours are counted (table.h) */
};
/* Everything in *out is in `arena`.  YG_PARSE: what is wrong and at which
 * character, from 1: "unknown field 'qury' at 5". */
yg_status yg_search_compile(struct yg_sv q, struct yg_arena *arena, struct yg_search *out,
			    struct yg_err *err);

/* A place in the order of results: newest first. */
struct yg_search_key {
	int64_t time;
	uint32_t spool, row;
	uint64_t batch;
	struct yg_sv org; /* whose it is, where it is known: not in a cursor */
};
#define YG_SEARCH_CURSOR_MAX 96
void yg_search_cursor_format(struct yg_sb *b, struct yg_search_key k);
yg_status yg_search_cursor_parse(struct yg_sv s, struct yg_search_key *out, struct yg_err *err);

struct yg_search_net {
	struct yg_ip ip;
	unsigned bits; /* 128: one address */
};
struct yg_search_system { /* events of `org` from or to these addresses, or of these hosts */
	struct yg_sv org;
	struct yg_search_net *nets;
	size_t net_count;
	struct yg_sv *hosts; /* in lower case */
	size_t host_count;
};
struct yg_search_scope {
	bool all_orgs; /* no restriction: the local administrator */
	const struct yg_sv
		*orgs; /* else only these, and these systems; neither: nothing is found */
	size_t org_count;
	const struct yg_search_system *systems;
	size_t system_count;
	yg_wall period_from, period_to; /* us == 0: no bound; holds for single events too */
	yg_wall from, to;               /* of `time`: from <= time < to; to.us == 0: no end */
	uint32_t limit;                 /* 1..YG_PAGE_MAX */
	bool has_after;
	struct yg_search_key after; /* the last one of the page before */
	uint32_t max_seconds; /* of the whole search; 0: 20.  When it is over the page ends early */
};
struct yg_search_page {
	struct yg_event *events; /* arena; newest first; without `raw` and `names` */
	size_t n;
	bool more; /* `next` is where to go on; a page may be empty and yet go on */
	struct yg_search_key next;
	bool incomplete; /* the time was over: older events were not looked at yet */
};
/* Searches newest first in widening slices of time, so that first results come
 * without reading what is old.  `now` bounds the first slice. */
yg_status yg_search_run(struct yg_ch *ch, const struct yg_search *s,
			const struct yg_search_scope *scope, const struct yg_env *env,
			struct yg_arena *arena, struct yg_search_page *out, struct yg_err *err);
/* One event by its id, within the scope's organisations (times are not looked
 * at); YG_NOTFOUND. */
yg_status yg_search_get(struct yg_ch *ch, const struct yg_search_scope *scope, uint32_t spool,
			uint64_t batch, uint32_t row, struct yg_arena *arena, struct yg_event *out,
			struct yg_err *err);
