#include "format/fstrm.h"

#include <stdlib.h>

enum phase { BEGIN, READIED, RUNNING, ENDED, BROKEN };
enum item { LENGTH, CONTROL_LENGTH, CONTROL, DATA, SKIP };
#define FIELD_CONTENT_TYPE 1

void yg_fstrm_init(struct yg_fstrm *f, enum yg_fstrm_mode mode, struct yg_sv content, size_t max)
{
	*f = (struct yg_fstrm){.content = content,
			       .max = YG_MIN(max, (size_t)YG_FSTRM_SKIP_MAX),
			       .mode = (uint8_t)mode,
			       .need = 4};
}

void yg_fstrm_resume(struct yg_fstrm *f, uint64_t offset)
{
	f->phase = RUNNING;
	f->item = LENGTH;
	f->need = 4;
	f->n = 0;
	f->begun = 0;
	f->offset = offset;
}

void yg_fstrm_free(struct yg_fstrm *f)
{
	free(f->buf);
	f->buf = NULL;
	f->n = f->cap = 0;
}

bool yg_fstrm_is_ended(const struct yg_fstrm *f)
{
	return f->phase == ENDED;
}

bool yg_fstrm_is_running(const struct yg_fstrm *f)
{
	return f->phase == RUNNING;
}

static uint32_t be32(const void *at)
{
	const uint8_t *p = at;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void use(struct yg_fstrm *f, struct yg_sv *in, size_t n)
{
	*in = yg_sv_sub(*in, n, in->n);
	f->begun += n;
}

static yg_status hold(struct yg_fstrm *f, struct yg_sv part, struct yg_err *err)
{
	if (f->n + part.n > f->cap) {
		size_t cap = YG_MAX(f->n + part.n, YG_MAX(f->cap * 2, (size_t)256));
		char *p = realloc(f->buf, YG_MIN(cap, YG_MAX(f->need, (size_t)256)));
		if (p == NULL)
			return YG_FAIL(err, YG_NOMEM, "frame of %zu bytes", f->need);
		f->buf = p;
		f->cap = YG_MIN(cap, YG_MAX(f->need, (size_t)256));
	}
	memcpy(f->buf + f->n, part.p, part.n);
	f->n += part.n;
	return YG_OK;
}

/* The next f->need bytes in one piece; out->p NULL: they are not all there yet. */
static yg_status gather(struct yg_fstrm *f, struct yg_sv *in, struct yg_sv *out, struct yg_err *err)
{
	*out = (struct yg_sv){NULL, 0};
	struct yg_sv part = yg_sv_sub(*in, 0, f->need - f->n);
	if (f->n == 0 && part.n == f->need) {
		*out = part;
		use(f, in, part.n);
		return YG_OK;
	}
	yg_status st = hold(f, part, err);
	if (st != YG_OK)
		return st;
	use(f, in, part.n);
	if (f->n == f->need) {
		*out = (struct yg_sv){f->buf, f->need};
		f->n = 0;
	}
	return YG_OK;
}

static void want(struct yg_fstrm *f, enum item item, size_t need)
{
	f->item = (uint8_t)item;
	f->need = need;
}

static void frame_ended(struct yg_fstrm *f)
{
	f->offset += f->begun;
	f->begun = 0;
	want(f, LENGTH, 4);
}

/* The fields behind a control frame's type: are they well formed, and is the content
 * type that is asked for among them, or none at all? */
static yg_status fields(const struct yg_fstrm *f, struct yg_sv body, struct yg_err *err)
{
	bool named = false, found = false;
	while (body.n > 0) {
		if (body.n < 8)
			return YG_FAIL(err, YG_PARSE, "control frame ends within a field");
		uint32_t type = be32(body.p), n = be32(body.p + 4);
		body = yg_sv_sub(body, 8, body.n);
		if (n > body.n)
			return YG_FAIL(err, YG_PARSE, "control frame ends within a field");
		if (type == FIELD_CONTENT_TYPE) {
			named = true;
			found |= yg_sv_eq(yg_sv_sub(body, 0, n), f->content);
		}
		body = yg_sv_sub(body, n, body.n);
	}
	if (named && !found)
		return YG_FAIL(err, YG_DENIED, "the content type is not " YG_SV_FMT,
			       YG_SV_ARG(f->content));
	return YG_OK;
}

/* Which event a control frame is in this phase; YG_FSTRM_MORE: to be passed over.  False:
 * it may not come here. */
static bool event_of(struct yg_fstrm *f, uint32_t type, enum yg_fstrm_event *out)
{
	bool sender = f->mode == YG_FSTRM_SENDER;
	*out = YG_FSTRM_MORE;
	if (!sender && type == YG_FSTRM_READY) {
		*out = YG_FSTRM_IS_READY;
		f->both_ways = true;
		bool may = f->phase == BEGIN && f->mode == YG_FSTRM_RECEIVER;
		f->phase = READIED;
		return may;
	}
	if (!sender && type == YG_FSTRM_START) {
		*out = YG_FSTRM_IS_START;
		bool may = f->phase == BEGIN || f->phase == READIED;
		f->phase = RUNNING;
		return may;
	}
	if (sender && type == YG_FSTRM_ACCEPT) {
		*out = YG_FSTRM_IS_ACCEPT;
		bool may = f->phase == BEGIN;
		f->phase = RUNNING;
		return may;
	}
	if (f->phase == RUNNING && type == (sender ? YG_FSTRM_FINISH : YG_FSTRM_STOP)) {
		*out = sender ? YG_FSTRM_IS_FINISH : YG_FSTRM_IS_STOP;
		f->phase = ENDED;
		return true;
	}
	/* later types may stand among the data and change nothing */
	return f->phase == RUNNING && type != YG_FSTRM_ACCEPT && type != YG_FSTRM_STOP &&
	       type != YG_FSTRM_FINISH && type != YG_FSTRM_READY && type != YG_FSTRM_START;
}

static yg_status control(struct yg_fstrm *f, struct yg_sv body, enum yg_fstrm_event *out,
			 struct yg_err *err)
{
	uint32_t type = be32(body.p);
	if (!event_of(f, type, out))
		return YG_FAIL(err, YG_PARSE, "control frame of type %u out of order", type);
	frame_ended(f);
	return *out == YG_FSTRM_MORE ? YG_OK : fields(f, yg_sv_sub(body, 4, body.n), err);
}

static yg_status length(struct yg_fstrm *f, uint32_t n, struct yg_err *err)
{
	if (n == 0) {
		want(f, CONTROL_LENGTH, 4);
		return YG_OK;
	}
	if (f->phase != RUNNING || f->mode == YG_FSTRM_SENDER)
		return YG_FAIL(err, YG_PARSE, "not Frame Streams: a data frame before START");
	if (n > YG_FSTRM_SKIP_MAX)
		return YG_FAIL(err, YG_PARSE, "data frame says it has %u bytes", n);
	want(f, n > f->max ? SKIP : DATA, n);
	return YG_OK;
}

static yg_status control_length(struct yg_fstrm *f, uint32_t n, struct yg_err *err)
{
	if (n < 4 || n > YG_FSTRM_CONTROL_MAX)
		return YG_FAIL(err, YG_PARSE, "control frame says it has %u bytes", n);
	want(f, CONTROL, n);
	return YG_OK;
}

static void skip(struct yg_fstrm *f, struct yg_sv *in)
{
	size_t n = YG_MIN(f->need, in->n);
	use(f, in, n);
	f->need -= n;
	if (f->need == 0) {
		f->skipped++;
		frame_ended(f);
	}
}

static yg_status step(struct yg_fstrm *f, struct yg_sv *in, enum yg_fstrm_event *out_event,
		      struct yg_sv *out_frame, struct yg_err *err)
{
	struct yg_sv got;
	if (f->phase == ENDED)
		return YG_FAIL(err, YG_PARSE, "bytes behind the end of the stream");
	if (f->item == SKIP) {
		skip(f, in);
		return YG_OK;
	}
	yg_status st = gather(f, in, &got, err);
	if (st != YG_OK || got.p == NULL)
		return st;
	switch ((enum item)f->item) {
	case LENGTH: return length(f, be32(got.p), err);
	case CONTROL_LENGTH: return control_length(f, be32(got.p), err);
	case CONTROL: return control(f, got, out_event, err);
	case DATA:
		*out_event = YG_FSTRM_DATA;
		*out_frame = got;
		f->frames++;
		frame_ended(f);
		return YG_OK;
	case SKIP: break;
	}
	return YG_OK;
}

yg_status yg_fstrm_next(struct yg_fstrm *f, struct yg_sv *in, enum yg_fstrm_event *out_event,
			struct yg_sv *out_frame, struct yg_err *err)
{
	*out_event = YG_FSTRM_MORE;
	*out_frame = (struct yg_sv){"", 0};
	if (f->phase == BROKEN)
		return YG_FAIL(err, YG_PARSE, "the stream is broken");
	while (in->n > 0 && *out_event == YG_FSTRM_MORE) {
		yg_status st = step(f, in, out_event, out_frame, err);
		if (st != YG_OK) {
			f->phase = BROKEN;
			*out_event = YG_FSTRM_MORE;
			return st;
		}
	}
	return YG_OK;
}

size_t yg_fstrm_control(uint8_t *out, size_t cap, enum yg_fstrm_control type, struct yg_sv content)
{
	size_t n = 4 + (content.n > 0 ? 8 + content.n : 0);
	if (content.n > YG_FSTRM_CONTENT_MAX || cap < 8 + n)
		return 0;
	memset(out, 0, 4);
	yg_fstrm_data(out + 4, (uint32_t)n);
	yg_fstrm_data(out + 8, (uint32_t)type);
	if (content.n > 0) {
		yg_fstrm_data(out + 12, FIELD_CONTENT_TYPE);
		yg_fstrm_data(out + 16, (uint32_t)content.n);
		memcpy(out + 20, content.p, content.n);
	}
	return 8 + n;
}
