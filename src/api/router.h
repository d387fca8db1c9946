/* router.h - one table from (method, path template) to what serves it.  The
 * server, the permission checks and the test against doc/openapi.yaml read it. */
#pragma once
#include "api/http.h"

struct yg_api;
/* Runs in the work pool and may block.  Anything but YG_OK becomes a problem
 * document made of the status, `err` and what yg_request_error() noted. */
typedef yg_status yg_handler(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_err *err);

enum yg_route_flag {
	YG_RT_PUBLIC = 1,  /* nobody needs to sign in; who does is still recognised */
	YG_RT_CENTRAL = 2, /* not for tokens of one organisation */
	YG_RT_SLOW = 4,    /* asks the event store: counted against the slow places */
	/* The answer depends on reach, scopes, language and query alone: who asks the same
	 * while it is being made gets the same.  Of YG_RT_SLOW. */
	YG_RT_SHARED = 128,
	YG_RT_STREAM = 8,   /* becomes a live stream */
	YG_RT_MATCH = 16,   /* needs If-Match */
	YG_RT_CREATES = 32, /* takes an Idempotency-Key */
	YG_RT_STEP_UP = 64, /* a person's session proved itself in the last five minutes */
	YG_RT_PAGE = 4096,  /* the console: every path of a page leads here, with any query */
};
struct yg_route {
	enum yg_http_method method;
	const char *path;      /* "/api/v1/alerts/{id}" */
	const char *operation; /* operationId of doc/openapi.yaml */
	const char *scope;     /* what a token needs; NULL: nothing */
	unsigned flags;        /* enum yg_route_flag */
	uint32_t body_max;     /* bytes as sent; 0: no body */
	const char *types;     /* media types of the body, with blanks; NULL: no body */
	const char *query;     /* names of query parameters, with blanks; NULL: none */
	yg_handler *handler;
};
extern const struct yg_route yg_routes[]; /* ended by handler == NULL; routes.c */

/* Finds the route of q->method and q->path and fills q->route and q->params.
 * YG_OK; YG_NOTFOUND: no such path; YG_DENIED: the path has not that method
 * (yg_route_methods() tells which it has); YG_PARSE, YG_NOMEM. */
yg_status yg_route_find(const struct yg_route *table, struct yg_request *q, struct yg_err *err);
/* "GET, HEAD, PATCH, OPTIONS" for the path q->path; empty when there is none. */
void yg_route_methods(const struct yg_route *table, struct yg_sv path, struct yg_sb *out);
/* Every query parameter must be one the route knows; else noted as errors, YG_PARSE. */
yg_status yg_route_check_query(struct yg_request *q, struct yg_err *err);
/* True when `list` ("a b c") has the word. */
bool yg_words_have(const char *list, struct yg_sv word);
