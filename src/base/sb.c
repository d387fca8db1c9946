#include "base/sb.h"

#include <stdio.h>
#include <stdlib.h>

void yg_sb_put(struct yg_sb *b, struct yg_sv s)
{
	if (b->cut || b->cap - b->n < s.n) {
		b->cut = true;
		return;
	}
	if (s.n > 0)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void yg_sb_putc(struct yg_sb *b, char c)
{
	yg_sb_put(b, (struct yg_sv){&c, 1});
}

void yg_sb_u64(struct yg_sb *b, uint64_t v)
{
	char tmp[20];
	size_t at = sizeof tmp;
	do {
		tmp[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	yg_sb_put(b, (struct yg_sv){tmp + at, sizeof tmp - at});
}

void yg_sb_i64(struct yg_sb *b, int64_t v)
{
	if (v < 0)
		yg_sb_putc(b, '-');
	yg_sb_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void yg_sb_hex(struct yg_sb *b, const void *bytes, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *p = bytes;
	for (size_t i = 0; i < n; i++) {
		yg_sb_putc(b, digit[p[i] >> 4]);
		yg_sb_putc(b, digit[p[i] & 15]);
	}
}

void yg_sb_printf(struct yg_sb *b, const char *fmt, ...)
{
	if (b->cut)
		return;
	size_t room = b->cap - b->n;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) /* vsnprintf wants a byte for its NUL */
		b->cut = true;
	else
		b->n += (size_t)n;
}

void yg_sb_put_untrusted(struct yg_sb *b, struct yg_sv s)
{
	static const char digit[] = "0123456789abcdef";
	for (size_t i = 0; i < s.n && !b->cut; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			yg_sb_putc(b, (char)c);
		} else {
			char e[4] = {'\\', 'x', digit[c >> 4], digit[c & 15]};
			yg_sb_put(b, (struct yg_sv){e, sizeof e});
		}
	}
}

const char *yg_sb_cstr(struct yg_sb *b)
{
	if (b->cap == 0)
		return "";
	if (b->n == b->cap) {
		b->n--;
		b->cut = true;
	}
	b->p[b->n] = '\0';
	return b->p;
}

void yg_buf_init(struct yg_buf *b, size_t limit)
{
	*b = (struct yg_buf){.limit = limit};
}

void yg_buf_free(struct yg_buf *b)
{
	free(b->p);
	*b = (struct yg_buf){.limit = b->limit};
}

char *yg_buf_room(struct yg_buf *b, size_t n)
{
	if (b->bad)
		return NULL;
	if (n > b->limit || b->n > b->limit - n) {
		b->bad = true;
		b->nomem = false;
		return NULL;
	}
	if (b->cap - b->n < n) {
		size_t cap = b->cap < 256 ? 256 : b->cap * 2;
		cap = YG_MIN(YG_MAX(cap, b->n + n), b->limit);
		char *p = realloc(b->p, cap);
		if (p == NULL) {
			b->bad = b->nomem = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->n;
}

void yg_buf_put(struct yg_buf *b, struct yg_sv s)
{
	char *to = yg_buf_room(b, s.n);
	if (to == NULL)
		return;
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	b->n += s.n;
}

void yg_buf_putc(struct yg_buf *b, char c)
{
	yg_buf_put(b, (struct yg_sv){&c, 1});
}

void yg_buf_printf(struct yg_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *to = n >= 0 ? yg_buf_room(b, (size_t)n + 1) : NULL;
	if (to != NULL) {
		(void)vsnprintf(to, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	} else {
		b->bad = true;
	}
	va_end(again);
}
