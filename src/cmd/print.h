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
void yg_print_head(const struct yg_column *columns, size_t count);
void yg_print_row(json_t *item, const struct yg_column *columns, size_t count);
void yg_print_line(json_t *item); /* as JSON */
/* The member at a dotted path; borrowed, NULL when absent. */
json_t *yg_member(json_t *object, const char *path);
/* Text of a member at a dotted path, into buf; "" when absent. */
const char *yg_member_text(json_t *object, const char *path, char *buf, size_t cap);
/* Text of a value, as a table shows it. */
const char *yg_value_text(json_t *value, char *buf, size_t cap);
/* Text from outside, whole: two of them may differ at their ends only. */
void yg_print_untrusted(struct yg_buf *out, struct yg_sv text);
/* A line on stderr unless --quiet. */
void yg_note(const struct yg_cli *c, const char *fmt, ...) YG_PRINTF(2, 3);

/* Walks the pages of a list: calls `path` with limit and cursor, printing as it
 * goes, up to `most` items (0: all), as --output and --fields say.  Returns the exit
 * status. */
int yg_print_pages(const struct yg_cli *c, struct yg_client *client, const char *path,
		   uint64_t most, const struct yg_column *columns, size_t count);
/* Fetches a path; *out: the answer, the caller's to release.  Says what failed, and returns
 * the exit status. */
int yg_fetch(const struct yg_cli *c, const char *path, json_t **out);
/* Calls, prints the answer's object and returns the exit status. */
int yg_call_and_print(const struct yg_cli *c, const struct yg_call *call);
/* Waits for a job's end with progress on stderr; a failed one is YG_IO.  *out_job:
 * its last state, owned by the caller; may be NULL. */
yg_status yg_wait_job(const struct yg_cli *c, struct yg_client *client, const char *job_id,
		      json_t **out_job, struct yg_err *err);
/* The same, then prints it; the exit status. */
int yg_follow_job(const struct yg_cli *c, struct yg_client *client, const char *job_id);

/* The shared shape of `NOUN list`: options named in `filters` become query
 * parameters of the same name; --limit bounds the rows (default 50), --all does not,
 * --watch prints them again and again. */
int yg_list(const struct yg_cli *c, const char *path, const char *const *filters,
	    const struct yg_column *columns, size_t count);
/* JSON of a new object: members taken from options where given. */
void yg_set_text(json_t *object, const char *member,
		 const char *value); /* nothing when value is NULL */
/* A time option: RFC 3339, a span from now ("30d"), or "never" (JSON null);
 * leaves the member out when the option is not given. */
yg_status yg_set_when(const struct yg_cli *c, json_t *object, const char *member,
		      const char *option, struct yg_err *err);
/* One of what has been: RFC 3339, "now" or "now-30d". */
yg_status yg_set_past(const struct yg_cli *c, json_t *object, const char *member,
		      const char *option, struct yg_err *err);
/* A number option within 0..most. */
yg_status yg_set_number(const struct yg_cli *c, json_t *object, const char *member,
			const char *option, uint64_t most, struct yg_err *err);
/* Sends `body` (taken over) and prints the answer; a job is followed to its end
 * unless --no-wait.  etag_of: path whose ETag is fetched first and sent as
 * If-Match; NULL for none. */
int yg_send(const struct yg_cli *c, const char *method, const char *path, json_t *body,
	    const char *etag_of);
/* "NAME=VALUE": the name into buf; false when it is none. */
bool yg_name_value(const char *text, char *buf, size_t cap, const char **value);
/* path + "/" + escaped part, into buf. */
const char *yg_path(char *buf, size_t cap, const char *base, const char *part, const char *tail);
