/* client.h - how a command speaks to a server: HTTP over the local Unix socket,
 * or HTTPS to a remote one with a token from a file.  Blocking, one thread. */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "cmd/context.h"
#include "cmd/option.h"

struct yg_client; /* owned: yg_client_close() */

/* To what --socket or --server (with --token-file, --ca-file) say, else $YAGURA_SERVER (with
 * $YAGURA_TOKEN_FILE, $YAGURA_CA_FILE), else $YAGURA_DATA, else the context in use; else to
 * the socket of this machine. */
yg_status yg_client_open(const struct yg_cli *c, struct yg_client **out, struct yg_err *err);
/* An option, else what the environment says; NULL: neither, or nothing. */
const char *yg_client_said(const struct yg_cli *c, const char *option, const char *variable);
yg_status yg_client_open_context(const struct yg_context *x, struct yg_client **out,
				 struct yg_err *err);
/* The one token that a file holds. */
yg_status yg_token_read(const char *path, char *out, size_t cap, struct yg_err *err);
void yg_client_close(struct yg_client *client);
static inline void yg_client_closep(struct yg_client **client)
{
	yg_client_close(*client);
}

struct yg_call {
	const char *method;   /* "GET" */
	const char *path;     /* "/api/v1/alerts?limit=50"; parts already escaped */
	struct yg_sv body;    /* empty: none */
	const char *type;     /* of the body; NULL: application/json */
	const char *accept;   /* Accept, or NULL */
	const char *encoding; /* Content-Encoding, or NULL */
	const char *batch_id; /* Yagura-Batch-Id, or NULL */
	const char *if_match; /* ETag, or NULL */
	const char *key;      /* Idempotency-Key, or NULL */
	long seconds;         /* to wait for the answer; 0: ten minutes */
	FILE *to;             /* where a good answer's body goes as it comes; NULL: reply.text */
};
struct yg_reply {
	long status;
	json_t *json;       /* owned; NULL when the answer is not JSON */
	struct yg_buf text; /* owned; the body as it came */
	char etag[80];
	int64_t retry_after_s; /* 0 when not said */
};
void yg_reply_free(struct yg_reply *r);
/* An answer of 4xx or 5xx comes back as the status it stands for, with the
 * problem's title and detail in *err; out is filled all the same. */
yg_status yg_client_call(struct yg_client *client, const struct yg_call *call, struct yg_reply *out,
			 struct yg_err *err);

/* Appends s percent-encoded (RFC 3986 unreserved characters stay). */
void yg_url_put(struct yg_sb *b, struct yg_sv s);
/* "name=value", encoded, after '?' or '&' as fits; nothing when value is NULL. */
void yg_url_query(struct yg_sb *b, const char *name, const char *value);
