/* sb.h - a bounded text builder.  Cannot overflow and cannot cut silently:
 * what did not fit sets `cut`, and yg_sb_done() says so.  After a cut nothing
 * more is appended.  Text that an attacker can write goes through
 * yg_sb_put_untrusted(). */
#pragma once
#include "base/sv.h"

struct yg_sb {
	char *p;    /* borrowed */
	size_t n;   /* bytes written */
	size_t cap; /* bytes p has room for */
	bool cut;
};

static inline struct yg_sb yg_sb_init(char *buf, size_t cap)
{
	return (struct yg_sb){.p = buf, .cap = cap};
}
void yg_sb_put(struct yg_sb *b, struct yg_sv s);
void yg_sb_putc(struct yg_sb *b, char c);
void yg_sb_u64(struct yg_sb *b, uint64_t v);
void yg_sb_i64(struct yg_sb *b, int64_t v);
void yg_sb_hex(struct yg_sb *b, const void *bytes, size_t n);
void yg_sb_printf(struct yg_sb *b, const char *fmt, ...) YG_PRINTF(2, 3);
/* Printable ASCII but '"' and '\\' as it is, every other byte as \xNN. */
void yg_sb_put_untrusted(struct yg_sb *b, struct yg_sv s);
static inline struct yg_sv yg_sb_sv(const struct yg_sb *b)
{
	return (struct yg_sv){b->p, b->n};
}
static inline yg_status yg_sb_done(const struct yg_sb *b)
{
	return b->cut ? YG_LIMIT : YG_OK;
}
/* NUL-terminates (cutting the last byte if it must) and returns p. */
const char *yg_sb_cstr(struct yg_sb *b);

/* A growing byte buffer, for output whose size is only known to have a limit. */
struct yg_buf {
	char *p; /* owned; yg_buf_free() */
	size_t n, cap, limit;
	bool bad;   /* limit or memory ran out; sticky */
	bool nomem; /* it was memory */
};
void yg_buf_init(struct yg_buf *b, size_t limit);
void yg_buf_free(struct yg_buf *b);
/* Room for n more bytes; NULL sets bad. */
char *yg_buf_room(struct yg_buf *b, size_t n);
void yg_buf_put(struct yg_buf *b, struct yg_sv s);
void yg_buf_putc(struct yg_buf *b, char c);
void yg_buf_printf(struct yg_buf *b, const char *fmt, ...) YG_PRINTF(2, 3);
static inline struct yg_sv yg_buf_sv(const struct yg_buf *b)
{
	return (struct yg_sv){b->p, b->n};
}
/* YG_OK | YG_NOMEM | YG_LIMIT. */
static inline yg_status yg_buf_done(const struct yg_buf *b)
{
	return !b->bad ? YG_OK : b->nomem ? YG_NOMEM : YG_LIMIT;
}
