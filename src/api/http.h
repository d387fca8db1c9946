/* http.h - one request and one answer, as plain values.  Handlers are functions
 * over them and can be tested without a socket.
 *
 * Ownership: every view in a request lives in the request's arena or in the
 * request itself and ends with it.  A response's body is owned by the response.
 * Threads: a request is with one thread at a time (the loop, then the work pool,
 * then the loop again).
 */
#pragma once
#include "base/arena.h"
#include "base/limits.h"
#include "base/units.h"
#include "org/reach.h"

/* clang-format off */
#define YG_HTTP_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)
/* The request headers anything here looks at; each may stand once. */
#define YG_HTTP_HEADERS(X)                                \
	X(ACCEPT,           "Accept")                     \
	X(ACCEPT_ENCODING,  "Accept-Encoding")            \
	X(ACCEPT_LANGUAGE,  "Accept-Language")            \
	X(AUTHORIZATION,    "Authorization")              \
	X(CONTENT_ENCODING, "Content-Encoding")           \
	X(CONTENT_LENGTH,   "Content-Length")             \
	X(CONTENT_TYPE,     "Content-Type")               \
	X(COOKIE,           "Cookie")                     \
	X(HOST,             "Host")                       \
	X(IDEMPOTENCY_KEY,  "Idempotency-Key")            \
	X(IF_MATCH,         "If-Match")                   \
	X(IF_NONE_MATCH,    "If-None-Match")              \
	X(LAST_EVENT_ID,    "Last-Event-ID")              \
	X(ORIGIN,           "Origin")                     \
	X(FETCH_DEST,       "Sec-Fetch-Dest")             \
	X(FETCH_SITE,       "Sec-Fetch-Site")             \
	X(TRACEPARENT,      "traceparent")                \
	X(USER_AGENT,       "User-Agent")                 \
	X(BATCH_ID,         "Yagura-Batch-Id")
/* clang-format on */
enum yg_http_method {
	YG_HTTP_NONE,
#define X(name) YG_HTTP_##name,
	YG_HTTP_METHODS(X)
#undef X
};
enum yg_http_header {
#define X(id, name) YG_HH_##id,
	YG_HTTP_HEADERS(X)
#undef X
		YG_HH_COUNT
};
enum yg_http_method yg_http_method_parse(struct yg_sv s); /* YG_HTTP_NONE: none of ours */
const char *yg_http_method_name(enum yg_http_method m);   /* static */
const char *yg_http_header_name(enum yg_http_header h);   /* static */

#define YG_HTTP_TARGET_MAX  8192 /* bytes of path and query; longer: 414 */
#define YG_HTTP_QUERY_MAX   32   /* parameters; more: 400 */
#define YG_HTTP_PARAMS_MAX  2    /* {placeholders} in one path template */
#define YG_HTTP_ERRORS_MAX  16   /* problems listed in one answer; the rest is left out */
#define YG_HTTP_OUT_HEADERS 8

struct yg_http_pair {
	struct yg_sv name, value;
};

/* Who asks. */
enum yg_who_kind { YG_WHO_NOBODY, YG_WHO_LOCAL, YG_WHO_TOKEN, YG_WHO_PERSON };
struct yg_who {
	enum yg_who_kind kind;
	struct yg_sv bound; /* the organisation a token is restricted to; empty: none */
	struct yg_sv name;  /* of the token: the sensor of what it delivers */
	char actor
		[48]; /* "local:1000", "token:t-01J...", "person:p-01J..." as the audit log has it */
	struct yg_sv id;       /* of the token or the session; empty: of neither */
	struct yg_sv person;   /* who it is, by session or by a token of theirs; empty: no person */
	yg_wall step_up_until; /* of the session: until then dangerous things may be done */
	yg_wall expires;       /* of the token or the session; us == 0: never */
	struct yg_sv
		scopes; /* "events:write alerts:read"; of the local administrator: all, not listed */
	struct yg_rights rights; /* of the person */
	/* The rest is yg_who_settle()'s. */
	struct yg_sv root;     /* whose things are made when a request names no organisation */
	bool audits;           /* an auditor: every view is noted */
	struct yg_reach reach; /* where the scope of the route holds */
};
/* The local administrator may do everything; a token what its scopes name. */
bool yg_who_may(const struct yg_who *w, const char *scope);

struct yg_http_error {
	const char *code;     /* static: "unknown_value" */
	struct yg_sv pointer; /* "/scopes/0", or the name of a parameter or header */
	struct yg_sv message;
};

struct yg_route;
struct yg_request {
	struct yg_arena *arena;
	enum yg_http_method method; /* a HEAD is handled as GET */
	struct yg_sv target;        /* as sent */
	struct yg_sv path;          /* its part before '?', still escaped */
	const struct yg_route *route;
	struct yg_http_pair params[YG_HTTP_PARAMS_MAX];
	size_t param_count;
	struct yg_http_pair query[YG_HTTP_QUERY_MAX];
	size_t query_count;
	struct yg_sv header[YG_HH_COUNT]; /* p == NULL: absent */
	struct yg_sv body;
	struct yg_who who;
	bool japanese;
	/* Of an export, which asks as a reader would: more rows at once, counted once. */
	uint32_t page_max; /* the largest `limit`; 0: YG_PAGE_MAX */
	bool uncounted;    /* nobody looks at `total` */
	bool dry_run;      /* ?dry_run=1: what it would answer, and nothing is changed */
	char trace_id[33];
	char address[48];     /* of the peer: "192.0.2.7"; "local" on the Unix socket */
	uint64_t address_key; /* of the peer's address (IPv6: its /64) under the server's key */
	bool tls;
	yg_wall now;
	struct {
		bool given;
		uint64_t who, key, body; /* hashes of caller and path, of the key, of the body */
	} key;                           /* Idempotency-Key */
	struct yg_http_error errors[YG_HTTP_ERRORS_MAX];
	size_t error_count;
};

struct yg_response {
	int status;         /* 0: not answered yet */
	const char *type;   /* Content-Type; static */
	struct yg_buf body; /* owned */
	struct yg_http_pair
		headers[YG_HTTP_OUT_HEADERS]; /* names static, values in the request's arena */
	size_t header_count;
	const char *problem;    /* slug of api/problem.h when the status alone does not say it */
	uint32_t retry_after_s; /* 0: none */
	struct {                /* tries of this kind, RateLimit-*; limit 0: not counted */
		uint32_t limit, left, reset_s;
	} rate;
	bool immutable;  /* what is at this path never changes: keep it for a year */
	bool stream;     /* hand the connection to the live stream */
	unsigned topics; /* of it: enum yg_stream_topic */
	bool file;       /* the body is the file fd, which is then the server's */
	int fd;
	uint64_t file_bytes;
};
/* A header of the answer; value in the request's arena.  Too many are dropped (our bug). */
void yg_response_header(struct yg_response *r, const char *name, struct yg_sv value);

/* Takes `target` apart: path, query parameters (decoded into the arena), and
 * checks them: no control characters, valid UTF-8, no name twice.
 * YG_OK | YG_PARSE | YG_LIMIT (too many parameters) | YG_NOMEM. */
yg_status yg_request_target(struct yg_request *q, struct yg_sv target, struct yg_err *err);
/* %xx and, in queries, '+' undone into the arena.  YG_PARSE: a bad escape, a
 * control character, or not UTF-8. */
yg_status yg_percent_decode(struct yg_arena *a, struct yg_sv s, bool plus, struct yg_sv *out,
			    struct yg_err *err);
/* A query parameter; p == NULL when absent. */
struct yg_sv yg_query(const struct yg_request *q, const char *name);
/* A path parameter; never absent where the template has it. */
struct yg_sv yg_param(const struct yg_request *q, const char *name);
/* Notes one thing that is wrong with the request; the text is copied. */
void yg_request_error(struct yg_request *q, const char *code, struct yg_sv pointer, const char *fmt,
		      ...) YG_PRINTF(4, 5);
/* Does an Accept header take `type` ("application/json")?  Absent: yes. */
bool yg_http_accepts(struct yg_sv accept, struct yg_sv type);
/* Media type without parameters: "text/csv; charset=utf-8" -> "text/csv". */
struct yg_sv yg_http_media_type(struct yg_sv s);
/* Is `type` named as better than `other` by an Accept header?  Absent: no. */
bool yg_http_prefers(struct yg_sv accept, struct yg_sv type, struct yg_sv other);
/* True when Japanese is preferred to English; English when neither is named. */
bool yg_http_japanese(struct yg_sv accept_language);
/* The first cookie of that name; p == NULL: there is none. */
struct yg_sv yg_http_cookie(struct yg_sv header, struct yg_sv name);
/* Escapes what is not unreserved (RFC 3986) as %XX. */
void yg_percent_put(struct yg_buf *b, struct yg_sv s);

/* Is this an address of people (pages, forms), not one of the API? */
bool yg_request_is_page(const struct yg_request *q);
#define YG_LANG_COOKIE "__Host-yagura-lang"
/* Sets q->japanese: on pages the query's `lang`, else what was chosen before (the
 * cookie), else Accept-Language; at the API Accept-Language alone. */
void yg_request_language(struct yg_request *q);
/* The query's `lang`: "ja", "en"; empty: none that there is. */
struct yg_sv yg_request_chosen_language(const struct yg_request *q);
