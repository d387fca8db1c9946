/* check.h - what the checks between keys share; the room's own. */
#pragma once
#include "conf/table.h"

struct yg_ck {
	const struct yg_conf *c;
	const char *file;
	yg_conf_report_fn *report;
	void *ctx;
	size_t problems;
};
/* Lines of the file, 0: not in it.  list: yg_ck_list_of("resolve.clients"). */
size_t yg_ck_key_line(const struct yg_ck *k, const char *name);
size_t yg_ck_item_line(const struct yg_ck *k, size_t list, size_t i);
size_t yg_ck_list_of(const char *name);
void yg_ck_bad(struct yg_ck *k, size_t line, const char *key, const char *text);
/* check_resolve.c */
void yg_ck_resolve(struct yg_ck *k);
void yg_ck_resolve_files(struct yg_ck *k); /* what is in certificates */
