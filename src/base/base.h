/* base.h - the vocabulary every file may use.
 *
 * Nothing here allocates, logs or does I/O.  Attributes, array length, the
 * borrowed string view and the compile-time facts the whole tree relies on.
 */
#pragma once

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define YG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define YG_MUST_USE     __attribute__((warn_unused_result))
#define YG_COLD         __attribute__((cold))
#define YG_NORETURN     _Noreturn
#define YG_AUTO(fn)     __attribute__((cleanup(fn)))
#define YG_UNUSED       __attribute__((unused))
#define YG_LIKELY(x)    __builtin_expect(!!(x), 1)
#define YG_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define YG_LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define YG_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define YG_MAX(a, b)    ((a) > (b) ? (a) : (b))
#define YG_STR2(x)      #x
#define YG_STR(x)       YG_STR2(x)

static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "64-bit only");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little endian only");

/* A borrowed run of bytes.  Never owns, never assumes a NUL. */
struct yg_sv {
	const char *p;
	size_t n;
};
/* Both forms are for literals: the length is computed, never counted by hand. */
#define YG_SV(lit) ((struct yg_sv){"" lit, sizeof(lit) - 1})
#define YG_SV_INIT(lit)                                                                            \
	{                                                                                          \
		"" lit, sizeof(lit) - 1                                                            \
	}
/* printf("%.*s"): only for text of our own; what comes from outside goes
 * through yg_sb_put_untrusted(). */
#define YG_SV_FMT    "%.*s"
#define YG_SV_ARG(s) (int)((s).n > 4096 ? 4096 : (s).n), (s).p
