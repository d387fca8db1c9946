/* list_sort.h - the rows of a list in an order of the reader's: --sort. */
#pragma once
#include "cmd/print.h"

#define YG_SORT_ROWS_MAX 200000 /* held in memory; more is an error */

/* Puts `items` in the order that `fields` says: members with commas between, '-' before
 * one for the largest first.  Rows that are equal in all of them stay as they stood; what has
 * no value comes last.  YG_INVAL: no fields; YG_NOMEM. */
yg_status yg_list_sort(json_t *items, const char *fields, struct yg_err *err);
