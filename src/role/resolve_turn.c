/* Turns of connections.  A turn of the loop answers so many queries of a connection, of a
 * network and of all; who has more waits, unread, until those before it have had their turn.
 * So who pipelines as fast as he can costs others no more than a turn is long. */
#include <stdlib.h>

#include "role/resolve_fair.h"
#include "role/resolve_stream_internal.h"

#define RESUMED_NETWORK 4u /* connections that have waited: read on in a turn */
#define RESUMED_ALL     16u

static struct stream_turn *of_network(struct streams *t, struct yg_ip ip)
{
	uint64_t h = (fair_key(ip) ^ t->key) * 0x9e3779b97f4a7c15ull;
	struct stream_turn *n = &t->network_turn[(h >> 40) % STREAM_NETWORKS];
	if (n->turn != t->turn)
		*n = (struct stream_turn){.turn = t->turn};
	return n;
}

bool stream_tired(struct stream *s)
{
	struct streams *t = s->all;
	return t->all_turn.spent >= STREAM_TURN_ALL ||
	       (s->turn == t->turn && s->spent >= STREAM_TURN) ||
	       of_network(t, s->ip)->spent >= STREAM_TURN_NETWORK;
}

/* It may end a little above: what came with the last read is not given back. */
static void add(uint16_t *to, unsigned n)
{
	*to = (uint16_t)YG_MIN((unsigned)*to + n, (unsigned)UINT16_MAX);
}

void stream_spend(struct stream *s, unsigned queries)
{
	struct streams *t = s->all;
	if (s->turn != t->turn)
		s->spent = 0;
	s->turn = t->turn;
	add(&s->spent, queries);
	add(&of_network(t, s->ip)->spent, queries);
	add(&t->all_turn.spent, queries);
}

void stream_not_later(struct stream *s)
{
	struct streams *t = s->all;
	if (s->later_at == NULL)
		return;
	*s->later_at = s->later;
	*(s->later != NULL ? &s->later->later_at : &t->later_end) = s->later_at;
	s->later = NULL;
	s->later_at = NULL;
	t->later_count--;
}

static void on_busy(uv_idle_t *h)
{
	(void)h;
}

static void put_later(struct stream *s)
{
	struct streams *t = s->all;
	if (t->later == NULL)
		(void)uv_idle_start(&t->busy, on_busy);
	s->later_at = t->later_end;
	*t->later_end = s;
	t->later_end = &s->later;
	t->later_count++;
}

void stream_later(struct stream *s)
{
	if (s->later_at != NULL)
		return;
	s->all->r->doors.postponed++;
	put_later(s);
}

/* Before the sockets are looked at: those that have waited, as many as there is time for. */
static void on_turn(uv_prepare_t *h)
{
	struct streams *t = h->data;
	t->turn++;
	t->all_turn = (struct stream_turn){.turn = t->turn};
	/* each of them once; one that goes on may close others */
	for (uint32_t n = t->later_count; n > 0 && t->later != NULL; n--) {
		struct stream *s = t->later;
		struct stream_turn *network = of_network(t, s->ip);
		if (t->all_turn.resumed >= RESUMED_ALL)
			break;
		stream_not_later(s);
		if (network->resumed >= RESUMED_NETWORK) {
			put_later(s); /* behind the others */
			continue;
		}
		network->resumed++;
		t->all_turn.resumed++;
		stream_read_more(s);
	}
	if (t->later == NULL)
		(void)uv_idle_stop(&t->busy);
}

yg_status stream_turns_open(struct streams *t, struct yg_err *err)
{
	t->later_end = &t->later;
	t->network_turn = calloc(STREAM_NETWORKS, sizeof *t->network_turn);
	if (t->network_turn == NULL || uv_prepare_init(t->r->ctx->loop, &t->turning) != 0 ||
	    uv_idle_init(t->r->ctx->loop, &t->busy) != 0)
		return YG_FAIL(err, YG_NOMEM, "no memory for TCP");
	t->turning.data = t;
	(void)uv_prepare_start(&t->turning, on_turn);
	return YG_OK;
}
