/* print.h - answers of the server for people: tables, records, JSON lines.
 * Text from outside is shown with control characters escaped, so that a log
 * line cannot drive the reader's terminal. */
#pragma once
#include "cmd/client.h"

struct yg_column {
	const char *title;
	const char *path; /* "a.b" in the item */
	int width;        /* columns on the terminal; 0: as wide as it is (the last one) */
};
/* The items of an answer: with --json one per line as they are, else a table. */
void yg_print_items(const struct yg_cli *c, json_t *items, const struct yg_column *columns,
		    size_t count);
/* One object: with --json as it is, else "name: value" lines. */
void yg_print_object(const struct yg_cli *c, json_t *object);
/* Text of a member at a dotted path, into buf; "" when absent. */
const char *yg_json_text(json_t *object, const char *path, char *buf, size_t cap);
/* A line on stderr unless --quiet. */
void yg_note(const struct yg_cli *c, const char *fmt, ...) YG_PRINTF(2, 3);

/* Walks the pages of a list: calls `path` with limit and cursor, printing as it
 * goes, up to `most` items (0: all).  Returns the exit status. */
int yg_print_pages(const struct yg_cli *c, struct yg_client *client, const char *path,
		   uint64_t most, const struct yg_column *columns, size_t count);
/* Calls, prints the answer's object and returns the exit status. */
int yg_call_and_print(const struct yg_cli *c, const struct yg_call *call);
/* Follows a job to its end with progress on stderr; the exit status. */
int yg_follow_job(const struct yg_cli *c, struct yg_client *client, const char *job_id);
