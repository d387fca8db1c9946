/* compress.h - an answer in gzip for who takes it (RFC 9110, 8.4). */
#pragma once
#include "api/http.h"

#define YG_COMPRESS_MIN 1024 /* bytes; a smaller answer goes as it is */

/* Does an Accept-Encoding header take gzip?  Absent: no. */
bool yg_http_takes_gzip(struct yg_sv accept_encoding);
/* A text answer (JSON, NDJSON, HTML, CSS, JS, CSV ...) to a GET gets Vary and, when it
 * is large enough and the client takes it, becomes gzip; its ETag is then another
 * one, "5-gzip" for "5" (yg_check_match() takes both).
 * Never a stream, never what answers a change: a secret that is shown
 * once must not be guessed by lengths.  Without memory the answer stays plain. */
void yg_response_compress(struct yg_request *q, struct yg_response *r);
