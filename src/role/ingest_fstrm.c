/* dnstap on a stream listener: Frame Streams of a member's own resolver.
 *
 * Frame Streams has one acknowledgement, FINISH for STOP: it is sent when every frame
 * of the connection is on disk.  A sender that just goes away is told nothing, and what
 * it had sent is kept. */
#include "role/ingest_stream.h"

#define SHAKE_US   (10 * YG_US_PER_S) /* READY and START come within this */
#define FRAME_US   (60 * YG_US_PER_S) /* a frame that began ends within this */
#define FRAME_KEEP 16384              /* bytes of memory that a quiet connection keeps */
#define FINISH_US  (10 * YG_US_PER_S) /* after FINISH the sender goes */

void fstrm_open(struct stream *s)
{
	yg_fstrm_init(&s->fstrm, YG_FSTRM_RECEIVER, YG_SV(YG_FSTRM_DNSTAP), YG_FSTRM_FRAME_MAX);
	s->whole = s->opened;
	s->failed = s->door->gather.failed;
}

void fstrm_close(struct stream *s)
{
	yg_fstrm_free(&s->fstrm);
}

static void say(struct stream *s, enum yg_fstrm_control type, struct yg_sv content)
{
	uint8_t out[YG_FSTRM_CONTROL_ROOM];
	size_t n = yg_fstrm_control(out, sizeof out, type, content);
	door_say(s, (struct yg_sv){(const char *)out, n});
}

/* FINISH, once all that the connection sent is on disk; a disk that refused some of it
 * is told by closing without. */
static void finish(struct stream *s)
{
	const struct gather *g = &s->door->gather;
	if (!s->stopped || s->finished || g->settled < s->finish)
		return;
	s->finished = true;
	s->whole = ingest_now(s->door->in);
	if (!s->fstrm.both_ways || g->failed != s->failed)
		door_close(s);
	else
		say(s, YG_FSTRM_FINISH, (struct yg_sv){"", 0});
}

void fstrm_settled(struct gather *g)
{
	struct stream_door *d =
		(struct stream_door *)((char *)g - offsetof(struct stream_door, gather));
	for (struct stream *s = d->streams, *next; s != NULL; s = next) {
		next = s->next;
		finish(s);
	}
}

static void stop(struct stream *s)
{
	struct gather *g = &s->door->gather;
	gather_flush(g);
	s->stopped = true;
	s->finish = g->sent + (g->records > 0 ? 1 : 0);
	finish(s);
}

static void event(struct stream *s, enum yg_fstrm_event what, struct yg_sv frame)
{
	struct gather *g = &s->door->gather;
	switch (what) {
	case YG_FSTRM_DATA:
		if (!gather_add(g, frame))
			g->dropped++;
		return;
	case YG_FSTRM_IS_READY: say(s, YG_FSTRM_ACCEPT, YG_SV(YG_FSTRM_DNSTAP)); return;
	case YG_FSTRM_IS_STOP: stop(s); return;
	default: return;
	}
}

void fstrm_bytes(struct stream *s, struct yg_sv bytes)
{
	struct stream_door *d = s->door;
	enum yg_fstrm_event what;
	struct yg_sv frame;
	struct yg_err err = {0};
	while (bytes.n > 0 && !s->closing) {
		yg_status st = yg_fstrm_next(&s->fstrm, &bytes, &what, &frame, &err);
		if (st != YG_OK) {
			if (st == YG_NOMEM)
				d->gather.dropped++;
			door_broken(s, &err);
			return;
		}
		event(s, what, frame);
	}
	d->gather.dropped += s->fstrm.skipped - s->skipped;
	s->skipped = s->fstrm.skipped;
	if (yg_fstrm_is_between(&s->fstrm)) {
		s->whole = ingest_now(d->in);
		if (yg_fstrm_held(&s->fstrm) > FRAME_KEEP) /* a long frame is over */
			yg_fstrm_free(&s->fstrm);
	}
}

bool fstrm_is_late(const struct stream *s, yg_mono now)
{
	if (s->finished)
		return now.us - s->whole.us > FINISH_US;
	if (s->stopped || !s->reading)
		return false; /* it is we who are late */
	if (!yg_fstrm_is_running(&s->fstrm))
		return now.us - s->opened.us > SHAKE_US;
	return !yg_fstrm_is_between(&s->fstrm) && now.us - s->whole.us > FRAME_US;
}
