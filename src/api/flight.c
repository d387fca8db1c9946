/* The same question of several at once is answered once.
 *
 * Whoever asks what somebody else with the same reach is being answered already takes no
 * place of a slow request and no thread: the exchange waits, its connection suspended, and
 * gets a copy of that answer.  What was made for one is the other's only when everything
 * that it was made of is the same: see put_key().  When the answer is an error, those who
 * waited ask for themselves.
 *
 * Flights begin in the work pool and end in the loop's thread. */
#include <stdlib.h>

#include "api/export.h"
#include "api/server_internal.h"
#include "base/codec.h"

#define KEY_MAX 1048576u

struct flight {
	struct flight *next;
	struct exchange *waiting; /* by `behind` */
	struct yg_buf key;
};

static void put_names(struct yg_buf *b, const struct yg_sv *list, size_t n)
{
	yg_wr_le64(b, n);
	for (size_t i = 0; i < n; i++)
		yg_wr_sv32(b, list[i]);
}

static void put_pairs(struct yg_buf *b, const struct yg_http_pair *list, size_t n)
{
	yg_wr_le64(b, n);
	for (size_t i = 0; i < n; i++) {
		yg_wr_sv32(b, list[i].name);
		yg_wr_sv32(b, list[i].value);
	}
}

static void put_key(const struct exchange *x, struct yg_buf *b)
{
	static const enum yg_http_header headers[] = {YG_HH_ACCEPT, YG_HH_ACCEPT_ENCODING};
	const struct yg_request *q = &x->q;
	const struct yg_who *w = &q->who;
	yg_wr_le64(b, (uint64_t)(uintptr_t)q->route);
	put_pairs(b, q->params, q->param_count);
	put_pairs(b, q->query, q->query_count);
	for (size_t i = 0; i < YG_LEN(headers); i++)
		yg_wr_sv32(b, q->header[headers[i]].p != NULL ? q->header[headers[i]] : YG_SV(""));
	yg_wr_le64(b, q->japanese);
	yg_wr_le64(b, w->kind);
	yg_wr_sv32(b, w->kind == YG_WHO_LOCAL ? YG_SV("") : w->scopes);
	yg_wr_sv32(b, w->root.p != NULL ? w->root : YG_SV(""));
	yg_wr_le64(b, w->reach.all);
	put_names(b, w->reach.orgs, w->reach.org_count);
	put_names(b, w->reach.systems, w->reach.system_count);
	yg_wr_le64(b, (uint64_t)w->reach.from.us);
	yg_wr_le64(b, (uint64_t)w->reach.to.us);
}

/* Of an auditor every view is noted by its handler; a file is given to one. */
static bool is_shared(const struct exchange *x)
{
	return (x->q.route->flags & YG_RT_SHARED) != 0 && x->q.method == YG_HTTP_GET &&
	       !x->q.who.audits && !x->alone && !yg_list_file_wanted(&x->q);
}

static struct flight *make(const struct exchange *x)
{
	struct flight *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	yg_buf_init(&f->key, KEY_MAX);
	put_key(x, &f->key);
	if (f->key.bad) { /* too long, or no memory: it goes alone */
		yg_buf_free(&f->key);
		free(f);
		return NULL;
	}
	return f;
}

static void done(struct flight *f)
{
	if (f == NULL)
		return;
	yg_buf_free(&f->key);
	free(f);
}

yg_status yg_flight_begin(struct exchange *x, bool *out_waits, struct yg_err *err)
{
	struct yg_server *s = x->s;
	struct flight *own = is_shared(x) ? make(x) : NULL, *same = NULL;
	*out_waits = false;
	uv_mutex_lock(&s->flight_lock);
	for (struct flight *f = own != NULL ? s->flights : NULL; f != NULL && same == NULL;
	     f = f->next)
		same = yg_sv_eq(yg_buf_sv(&f->key), yg_buf_sv(&own->key)) ? f : NULL;
	bool full = same == NULL && s->slow >= YG_SERVER_SLOW_MAX;
	if (same != NULL) { /* from the unlock on x is the loop's */
		x->waits = true;
		x->behind = same->waiting;
		same->waiting = x;
		*out_waits = true;
	} else if (!full) {
		x->slow = true;
		s->slow++;
	}
	if (own != NULL && same == NULL && !full) {
		own->next = s->flights;
		s->flights = own;
		x->flight = own;
		own = NULL;
	}
	/* how many others search is nobody's to know, until there is no place */
	if (full) {
		x->r.rate.limit = YG_SERVER_SLOW_MAX;
		x->r.rate.reset_s = 1;
	}
	uv_mutex_unlock(&s->flight_lock);
	done(own);
	return full ? YG_FAIL(err, YG_LIMIT, "too many searches are running") : YG_OK;
}

/* A copy of the answer of `from`; false: there is none, or no memory for it. */
static bool copy_answer(const struct exchange *from, struct exchange *x)
{
	const struct yg_response *r = &from->r;
	if (from->st != YG_OK || r->body.bad || r->stream || r->file)
		return false;
	for (size_t i = 0; i < r->header_count; i++) {
		struct yg_sv value = yg_arena_dup(&x->arena, r->headers[i].value);
		if (value.p == NULL)
			return false;
		x->r.headers[i] = (struct yg_http_pair){r->headers[i].name, value};
	}
	yg_buf_put(&x->r.body, yg_buf_sv(&r->body));
	if (x->r.body.bad) {
		yg_buf_free(&x->r.body);
		yg_buf_init(&x->r.body, YG_SERVER_ANSWER_BYTES);
		return false;
	}
	x->r.header_count = r->header_count;
	x->r.status = r->status;
	x->r.type = r->type;
	x->r.immutable = r->immutable;
	return true;
}

bool yg_flight_end(struct exchange *x, void (*landed)(struct exchange *x))
{
	struct yg_server *s = x->s;
	struct flight *f = x->flight;
	uv_mutex_lock(&s->flight_lock);
	if (x->slow)
		s->slow--;
	x->slow = false;
	for (struct flight **at = &s->flights; f != NULL && *at != NULL; at = &(*at)->next) {
		if (*at == f) {
			*at = f->next;
			break;
		}
	}
	uv_mutex_unlock(&s->flight_lock);
	x->flight = NULL;
	for (struct exchange *w = f != NULL ? f->waiting : NULL, *next; w != NULL; w = next) {
		next = w->behind;
		w->alone = !copy_answer(x, w);
		w->landed = true;
		if (!w->alone)
			COUNT(s, shared, 1);
		if (w->worked)
			landed(w);
	}
	bool others = f != NULL && f->waiting != NULL;
	done(f);
	return others;
}
