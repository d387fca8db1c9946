#include "format/syslog_frame.h"

enum state {
	START,   /* between messages */
	COUNT,   /* digits that may be a count; kept in buf until that is known */
	LINE,    /* until LF or NUL */
	COUNTED, /* `left` bytes */
	BROKEN,
};
#define COUNT_DIGITS_MAX 10 /* more can be no count: 2^32 has ten */

void yg_syslog_frames_init(struct yg_syslog_frames *f, size_t max)
{
	*f = (struct yg_syslog_frames){.max = YG_MAX(max, (size_t)64)};
}

void yg_syslog_frames_free(struct yg_syslog_frames *f)
{
	free(f->buf);
	f->buf = NULL;
	f->n = f->cap = 0;
}

/* Appends to the message at hand; beyond max bytes are dropped, not kept. */
static yg_status hold(struct yg_syslog_frames *f, struct yg_sv part, struct yg_err *err)
{
	size_t take = YG_MIN(part.n, f->max - f->n);
	if (take < part.n)
		f->cut = true;
	if (f->n + take > f->cap) {
		size_t cap = YG_MIN(YG_MAX(f->cap * 2, YG_MAX(f->n + take, (size_t)512)), f->max);
		char *p = realloc(f->buf, cap);
		if (p == NULL) {
			f->n = 0;
			f->cut = true;
			return YG_FAIL(err, YG_NOMEM, "syslog message of more than %zu bytes",
				       f->cap);
		}
		f->buf = p;
		f->cap = cap;
	}
	if (take > 0)
		memcpy(f->buf + f->n, part.p, take);
	f->n += take;
	return YG_OK;
}

static struct yg_sv chomp(struct yg_sv s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\0'))
		s.n--;
	return s;
}

/* The message is whole: its last part is `tail`, what came before is in buf. */
static yg_status finish(struct yg_syslog_frames *f, struct yg_sv tail, struct yg_sv *out_msg,
			bool *out_cut, struct yg_err *err)
{
	struct yg_sv msg = tail;
	yg_status st = YG_OK;
	if (f->n > 0 || f->cut) {
		st = hold(f, tail, err);
		msg = (struct yg_sv){f->buf, f->n};
	} else if (tail.n > f->max) {
		msg.n = f->max;
		f->cut = true;
	}
	*out_cut = f->cut;
	*out_msg = chomp(msg);
	if (st != YG_OK)
		out_msg->n = 0;
	if (out_msg->n > 0) {
		f->frames++;
		f->cuts += f->cut;
	}
	f->state = START;
	f->n = 0;
	f->cut = false;
	return st;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* In buf: digits, or digits and a space.  Decides with the next byte. */
static yg_status count_step(struct yg_syslog_frames *f, struct yg_sv *in, struct yg_err *err)
{
	char c = in->p[0];
	bool spaced = f->buf[f->n - 1] == ' ';
	if (!spaced && ((is_digit(c) && f->n < COUNT_DIGITS_MAX) || c == ' ')) {
		*in = yg_sv_sub(*in, 1, in->n);
		return hold(f, (struct yg_sv){&c, 1}, err);
	}
	if (!spaced || c != '<') { /* a line that begins with a number */
		f->state = LINE;
		return YG_OK;
	}
	f->left = 0;
	for (size_t i = 0; i + 1 < f->n; i++)
		f->left = f->left * 10 + (uint64_t)(f->buf[i] - '0');
	if (f->left > YG_SYSLOG_FRAME_SKIP_MAX) {
		f->state = BROKEN;
		return YG_FAIL(err, YG_PARSE, "syslog frame says it has %llu bytes",
			       (unsigned long long)f->left);
	}
	f->n = 0;
	f->state = COUNTED;
	return YG_OK;
}

static size_t line_end(struct yg_sv s)
{
	const char *lf = memchr(s.p, '\n', s.n);
	size_t n = lf != NULL ? (size_t)(lf - s.p) : s.n;
	const char *nul = memchr(s.p, '\0', n);
	return nul != NULL ? (size_t)(nul - s.p) : n;
}

/* One step in the state at hand; *out_done when a message (perhaps empty) ended. */
static yg_status step(struct yg_syslog_frames *f, struct yg_sv *in, struct yg_sv *out_msg,
		      bool *out_cut, bool *out_done, struct yg_err *err)
{
	struct yg_sv part;
	switch ((enum state)f->state) {
	case START:
		if (in->p[0] == '\n' || in->p[0] == '\0' || in->p[0] == '\r') {
			*in = yg_sv_sub(*in, 1, in->n);
			return YG_OK;
		}
		f->state = LINE;
		if (!is_digit(in->p[0]) || in->p[0] == '0')
			return YG_OK;
		f->state = COUNT;
		part = yg_sv_sub(*in, 0, 1);
		*in = yg_sv_sub(*in, 1, in->n);
		return hold(f, part, err);
	case COUNT: return count_step(f, in, err);
	case LINE:
		part = yg_sv_sub(*in, 0, line_end(*in));
		*out_done = part.n < in->n;
		*in = yg_sv_sub(*in, part.n + *out_done, in->n);
		return *out_done ? finish(f, part, out_msg, out_cut, err) : hold(f, part, err);
	case COUNTED:
		part = yg_sv_sub(*in, 0, (size_t)YG_MIN(f->left, (uint64_t)in->n));
		*in = yg_sv_sub(*in, part.n, in->n);
		f->left -= part.n;
		*out_done = f->left == 0;
		return *out_done ? finish(f, part, out_msg, out_cut, err) : hold(f, part, err);
	case BROKEN: break;
	}
	return YG_FAIL(err, YG_PARSE, "syslog stream is broken");
}

yg_status yg_syslog_frames_next(struct yg_syslog_frames *f, struct yg_sv *in, struct yg_sv *out_msg,
				bool *out_cut, struct yg_err *err)
{
	*out_msg = (struct yg_sv){"", 0};
	*out_cut = false;
	while (in->n > 0) {
		bool done = false;
		yg_status st = step(f, in, out_msg, out_cut, &done, err);
		if (st != YG_OK)
			return st;
		if (done && out_msg->n > 0)
			return YG_OK;
	}
	*out_msg = (struct yg_sv){"", 0};
	return f->state == BROKEN ? YG_FAIL(err, YG_PARSE, "syslog stream is broken") : YG_OK;
}

void yg_syslog_frames_end(struct yg_syslog_frames *f, struct yg_sv *out_msg, bool *out_cut)
{
	bool whole = f->state != COUNTED;
	*out_msg = (struct yg_sv){"", 0};
	*out_cut = false;
	if (f->state == BROKEN || f->n == 0)
		return;
	f->cut = f->cut || !whole;
	struct yg_sv none = {"", 0};
	(void)finish(f, none, out_msg, out_cut, NULL); /* adds nothing, so needs no memory */
}
