#include "event/split.h"

#include <stdlib.h>

#include "format/evtx.h"
#include "format/fstrm.h"
#include "format/json_records.h"

struct yg_split {
	enum yg_source source;
	size_t batch_bytes;
	char *buf; /* owned; [0, done) whole records, [done, n) the record at hand */
	size_t n, done, cap;
	size_t shift;       /* bytes at the front that were given away by the last batch */
	size_t line_n;      /* bytes of the record at hand, also those not kept */
	uint64_t at;        /* offset in the stream of the next byte */
	uint64_t record_at; /* offset of the record at hand */
	uint64_t batch_at;  /* offset of the first record in buf */
	uint64_t records, cut;
	bool line_cut, open; /* of the record at hand; open: it has begun */
	struct yg_json_scan scan;
	char *header; /* owned; Zeek: the header in force */
	size_t header_n;
	bool header_open;         /* the last line belonged to it */
	size_t batch_header_n;    /* bytes of it at the front of buf */
	struct yg_fstrm stream;   /* dnstap */
	bool broken;              /* ... and no more readable: its rest is one record */
	bool undecided, evtx;     /* windows and evtx: the first bytes say whether it is one */
	bool looking;             /* evtx: they do not; chunks are looked for, in `header` so far */
	size_t magic_n;           /* ... of which so many came */
	uint64_t chunk;           /* EVTX: number of the chunk at hand */
	struct yg_evtx_file file; /* EVTX: its header */
	bool pending; /* the record at hand is whole but did not fit the batch that was lent out */
};

/* Every batch of dnstap begins as a stream of its own. */
static void dnstap_header(struct yg_split *s)
{
	s->header_n = yg_fstrm_control((uint8_t *)s->header, YG_SPLIT_HEADER_MAX, YG_FSTRM_START,
				       YG_SV(YG_FSTRM_DNSTAP));
	memcpy(s->buf, s->header, s->header_n);
	s->n = s->done = s->batch_header_n = s->header_n;
}

yg_status yg_split_new(enum yg_source source, size_t batch_bytes, struct yg_split **out,
		       struct yg_err *err)
{
	if (batch_bytes == 0)
		batch_bytes = YG_SPLIT_BATCH_DEFAULT;
	if (batch_bytes < YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2 || batch_bytes > YG_BATCH_MAX)
		return YG_FAIL(err, YG_INVAL, "batch size %zu is outside %d to %d", batch_bytes,
			       YG_RECORD_MAX + YG_SPLIT_HEADER_MAX + 2, YG_BATCH_MAX);
	struct yg_split *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "splitter");
	s->source = source;
	s->batch_bytes = batch_bytes;
	s->cap = batch_bytes + YG_RECORD_MAX + 2;
	s->buf = malloc(s->cap);
	s->header = malloc(YG_SPLIT_HEADER_MAX);
	if (s->buf == NULL || s->header == NULL) {
		yg_split_free(s);
		return YG_FAIL(err, YG_NOMEM, "splitter of %zu bytes", batch_bytes);
	}
	yg_fstrm_init(&s->stream, YG_FSTRM_FILE, YG_SV(YG_FSTRM_DNSTAP), YG_FSTRM_SKIP_MAX);
	s->undecided = source == YG_SOURCE_WINDOWS || source == YG_SOURCE_EVTX;
	if (source == YG_SOURCE_DNSTAP)
		dnstap_header(s);
	*out = s;
	return YG_OK;
}

void yg_split_free(struct yg_split *s)
{
	if (s == NULL)
		return;
	yg_fstrm_free(&s->stream);
	free(s->buf);
	free(s->header);
	free(s);
}

static bool starts_header(struct yg_sv line)
{
	return line.n > 0 && line.p[0] == '#' && !yg_sv_starts(line, YG_SV("#close"));
}

/* What the last batch lent out is over: the record at hand moves to the front,
 * behind the header it needs. */
static void reclaim(struct yg_split *s)
{
	if (s->shift == 0)
		return;
	size_t rest = s->n - s->shift;
	struct yg_sv line = {s->buf + s->shift, rest};
	bool own_header = !s->header_open && starts_header(line);
	bool has_header = s->evtx || s->source == YG_SOURCE_DNSTAP ||
			  (s->source == YG_SOURCE_ZEEK && !own_header);
	size_t head = has_header ? s->header_n : 0;
	memmove(s->buf + head, s->buf + s->shift, rest);
	if (s->evtx)
		yg_evtx_header_at((uint8_t *)s->header, s->chunk);
	if (head > 0)
		memcpy(s->buf, s->header, head);
	s->n = head + rest;
	s->done = s->batch_header_n = head;
	s->shift = 0;
	s->records = s->cut = 0;
}

static void lend(struct yg_split *s, struct yg_split_batch *out)
{
	*out = (struct yg_split_batch){.bytes = {s->buf, s->done},
				       .offset = s->batch_at,
				       .records = s->records,
				       .cut = s->cut};
	s->shift = s->done;
}

/* A '#' line behind any other line, or "#separator", begins a new header. */
static void remember_header(struct yg_split *s, struct yg_sv line)
{
	bool is_header = starts_header(line);
	if (is_header && (!s->header_open || yg_sv_starts(line, YG_SV("#separator"))))
		s->header_n = 0;
	s->header_open = is_header;
	if (!is_header || s->header_n + line.n > YG_SPLIT_HEADER_MAX)
		return;
	memcpy(s->header + s->header_n, line.p, line.n);
	s->header_n += line.n;
}

/* How many records the one at hand is. */
static uint64_t worth(struct yg_split *s, struct yg_sv line)
{
	if (s->evtx)
		return yg_evtx_count(line, s->chunk++, &s->file);
	return yg_sv_trim(line).n > 0 && !(s->source == YG_SOURCE_ZEEK && line.p[0] == '#');
}

/* The record at hand (with its LF) is whole.  True: it does not fit any more,
 * so the batch before it was lent out. */
static bool record_done(struct yg_split *s, struct yg_split_batch *out)
{
	struct yg_sv line = {s->buf + s->done, s->n - s->done};
	bool first = s->done == s->batch_header_n;
	s->pending = !first && s->n > s->batch_bytes;
	if (s->pending) {
		lend(s, out);
		return true;
	}
	if (first)
		s->batch_at = s->record_at;
	s->records += worth(s, line);
	if (s->source == YG_SOURCE_ZEEK)
		remember_header(s, line);
	s->cut += s->line_cut;
	s->done = s->n;
	s->line_n = 0;
	s->line_cut = s->open = false;
	return false;
}

/* Adds to the record at hand; what is over YG_RECORD_MAX + 1 is dropped. */
static void keep(struct yg_split *s, struct yg_sv part)
{
	size_t room = YG_RECORD_MAX + 1 - YG_MIN(s->line_n, (size_t)YG_RECORD_MAX + 1);
	size_t take = YG_MIN(part.n, room);
	memcpy(s->buf + s->n, part.p, take);
	s->n += take;
	s->line_n += part.n;
	s->line_cut = s->line_n > YG_RECORD_MAX;
	s->at += part.n;
}

/* One line, or what there is of it. */
static bool take_line(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out)
{
	if (!s->open) {
		s->open = true;
		s->record_at = s->at;
	}
	const char *lf = memchr(in->p, '\n', in->n);
	keep(s, yg_sv_sub(*in, 0, lf != NULL ? (size_t)(lf - in->p) : in->n));
	*in = yg_sv_sub(*in, lf != NULL ? (size_t)(lf - in->p) + 1 : in->n, in->n);
	if (lf == NULL)
		return false;
	s->at++;
	s->buf[s->n++] = '\n';
	return record_done(s, out);
}

/* Given as event log file, and none: all of it is one record, which says so. */
static bool take_whole(struct yg_split *s, struct yg_sv *in)
{
	if (!s->open) {
		s->open = true;
		s->record_at = s->at;
	}
	keep(s, *in);
	*in = yg_sv_sub(*in, in->n, 0);
	return false;
}

/* CloudTrail: one byte at a time; a record is closed with LF, its own line
 * breaks become blanks (JSON has them between tokens only). */
static bool take_json(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out)
{
	while (in->n > 0) {
		size_t quiet = yg_json_scan_quiet(&s->scan, in->p, in->n);
		if (quiet > 0) {
			keep(s, yg_sv_sub(*in, 0, quiet));
			*in = yg_sv_sub(*in, quiet, in->n);
			continue;
		}
		char c = in->p[0];
		struct yg_json_scan before = s->scan;
		unsigned ev = yg_json_scan(&s->scan, c);
		if ((ev & YG_SCAN_BREAK) != 0 && s->open) {
			s->scan = before; /* this byte is looked at again behind the record */
			s->open = false;
			s->buf[s->n++] = '\n';
			if (record_done(s, out))
				return true;
			continue;
		}
		if ((ev & YG_SCAN_DROP) != 0) {
			s->n = s->done;
			s->line_n = 0;
			s->line_cut = s->open = false;
		}
		if ((ev & YG_SCAN_BEGIN) != 0) {
			s->open = true;
			s->record_at = s->at;
		}
		if (s->open)
			keep(s, (struct yg_sv){c == '\n' || c == '\r' ? " " : in->p, 1});
		else
			s->at++;
		*in = yg_sv_sub(*in, 1, in->n);
		if ((ev & YG_SCAN_END) != 0) {
			s->buf[s->n++] = '\n';
			if (record_done(s, out))
				return true;
		}
	}
	return false;
}

/* dnstap: the bytes of a frame, its length included, are the record; control frames are
 * left out, for the batch has its own. */
static bool take_frame(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out)
{
	struct yg_sv before = *in, frame;
	enum yg_fstrm_event what = YG_FSTRM_MORE;
	if (!s->open) {
		s->open = true;
		s->record_at = s->at;
	}
	if (s->broken)
		*in = yg_sv_sub(*in, in->n, 0);
	else if (yg_fstrm_next(&s->stream, in, &what, &frame, NULL) != YG_OK) {
		s->broken = true;
		if (s->done == s->header_n && s->records == 0 && s->stream.offset == 0) {
			/* not even begun: as it came, without a START of ours in front */
			s->n -= s->done;
			memmove(s->buf, s->buf + s->done, s->n);
			s->done = s->batch_header_n = s->header_n = 0;
		}
	}
	keep(s, yg_sv_sub(before, 0, before.n - in->n));
	if (what == YG_FSTRM_MORE)
		return false;
	if (what == YG_FSTRM_DATA && !s->line_cut)
		return record_done(s, out);
	s->cut += what == YG_FSTRM_DATA;
	s->n = s->done;
	s->line_n = 0;
	s->line_cut = s->open = false;
	return false;
}

static void evtx_header(struct yg_split *s)
{
	struct yg_sv header = {s->header, s->header_n};
	bool sound = yg_evtx_file_read(header, &s->file, NULL) == YG_OK &&
		     yg_evtx_file_check(&s->file, NULL) == YG_OK;
	memcpy(s->buf, header.p, header.n);
	s->n = s->done = s->batch_header_n = header.n;
	s->records += !sound; /* what is wrong with it is said as a record */
}

/* EVTX: the header, then chunks. */
static bool take_chunk(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out)
{
	if (s->header_n < YG_EVTX_HEADER_BYTES) {
		size_t n = YG_MIN(in->n, YG_EVTX_HEADER_BYTES - s->header_n);
		memcpy(s->header + s->header_n, in->p, n);
		s->header_n += n;
		s->at += n;
		*in = yg_sv_sub(*in, n, in->n);
		if (s->header_n == YG_EVTX_HEADER_BYTES)
			evtx_header(s);
		return false;
	}
	if (!s->open) {
		s->open = true;
		s->record_at = s->at;
	}
	size_t n = YG_MIN(in->n, YG_EVTX_CHUNK_BYTES - (s->n - s->done));
	keep(s, yg_sv_sub(*in, 0, n));
	*in = yg_sv_sub(*in, n, in->n);
	return s->n - s->done == YG_EVTX_CHUNK_BYTES && record_done(s, out);
}

static const struct yg_sv evtx_magic = YG_SV_INIT(YG_EVTX_MAGIC "\0");

static bool take(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out)
{
	if (s->evtx)
		return take_chunk(s, in, out);
	if (s->source == YG_SOURCE_EVTX)
		return take_whole(s, in);
	return s->source == YG_SOURCE_DNSTAP ? take_frame(s, in, out) : take_line(s, in, out);
}

/* Its header is lost, when chunks are where they should be, or at the front. */
static void decide_lost(struct yg_split *s)
{
	char so_far[YG_EVTX_HEADER_BYTES + sizeof YG_EVTX_CHUNK_MAGIC];
	struct yg_sv all = {so_far, s->header_n}, rest;
	struct yg_split_batch none;
	memcpy(so_far, s->header, s->header_n);
	s->looking = false;
	rest = yg_sv_sub(all, YG_EVTX_HEADER_BYTES, all.n);
	if (yg_evtx_is_chunk(all))
		rest = all;
	s->evtx = yg_evtx_is_chunk(rest);
	s->header_n = 0;
	if (s->evtx) {
		memset(s->header + (all.n - rest.n), 0, YG_EVTX_HEADER_BYTES - (all.n - rest.n));
		yg_evtx_header_lost((uint8_t *)s->header);
		s->header_n = YG_EVTX_HEADER_BYTES;
		s->at = all.n - rest.n;
		evtx_header(s);
		all = rest;
	}
	while (all.n > 0)
		(void)take(s, &all, &none); /* less than a chunk: no batch */
}

static void look(struct yg_split *s, struct yg_sv *in)
{
	size_t room = YG_EVTX_HEADER_BYTES + sizeof YG_EVTX_CHUNK_MAGIC - s->header_n;
	size_t n = YG_MIN(in->n, room);
	memcpy(s->header + s->header_n, in->p, n);
	s->header_n += n;
	*in = yg_sv_sub(*in, n, in->n);
	if (n == room)
		decide_lost(s);
}

/* It is none: what was taken for the magic belongs to the first record. */
static void decide_none(struct yg_split *s)
{
	struct yg_sv begun = yg_sv_sub(evtx_magic, 0, s->magic_n);
	struct yg_split_batch none;
	s->undecided = false;
	s->looking = s->source == YG_SOURCE_EVTX;
	if (s->looking) {
		memcpy(s->header, begun.p, begun.n);
		s->header_n = begun.n;
		return;
	}
	if (begun.n > 0)
		(void)take(s, &begun, &none); /* no LF in it, so no batch */
}

static void decide(struct yg_split *s, struct yg_sv *in)
{
	while (s->undecided && in->n > 0) {
		if (in->p[0] != evtx_magic.p[s->magic_n]) {
			decide_none(s);
			return;
		}
		*in = yg_sv_sub(*in, 1, in->n);
		if (++s->magic_n < evtx_magic.n)
			continue;
		s->undecided = false;
		s->evtx = true;
		memcpy(s->header, evtx_magic.p, evtx_magic.n);
		s->header_n = s->at = evtx_magic.n;
	}
}

/* After a batch was lent out: the record that did not fit begins the next one. */
static void resume(struct yg_split *s, struct yg_split_batch *out)
{
	reclaim(s);
	if (s->pending)
		(void)record_done(s, out); /* it is the first of its batch, so it fits */
}

bool yg_split_next(struct yg_split *s, struct yg_sv *in, struct yg_split_batch *out)
{
	resume(s, out);
	if (s->source == YG_SOURCE_CLOUDTRAIL)
		return take_json(s, in, out);
	if (s->undecided)
		decide(s, in);
	if (s->looking && in->n > 0)
		look(s, in);
	while (in->n > 0)
		if (take(s, in, out))
			return true;
	return false;
}

bool yg_split_end(struct yg_split *s, struct yg_split_batch *out)
{
	resume(s, out);
	if (s->undecided)
		decide_none(s);
	if (s->looking)
		decide_lost(s);
	if (s->evtx && s->header_n > 0 && s->header_n < YG_EVTX_HEADER_BYTES) {
		evtx_header(s);
		s->done = s->n;
		s->header_n = 0;
		lend(s, out);
		return true;
	}
	if (s->open) {
		s->open = false;
		s->scan = (struct yg_json_scan){0};
		if (s->source != YG_SOURCE_DNSTAP && !s->evtx)
			s->buf[s->n++] = '\n';
		if (record_done(s, out))
			return true;
	}
	if (s->records == 0) /* blank lines, or a header that was put in front */
		return false;
	lend(s, out);
	return true;
}
