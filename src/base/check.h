/* check.h - three words, three meanings; <assert.h>'s assert() is not used.
 *
 *   YG_REQUIRE(x)  memory or security is at stake: stop this process now.
 *                  On in every build; the supervisor restarts the role.
 *   YG_CHECK(x)    our bug, but this request can fail cleanly: is counted and
 *                  reported, returns x; the caller must handle false.
 *   static_assert  anything the compiler can know.
 * Input from outside is never checked with any of these: that is YG_FAIL.
 */
#pragma once
#include "base/base.h"

YG_NORETURN YG_COLD void yg_require_failed(const char *expr, const char *file, int line);
YG_COLD void yg_check_failed(const char *expr, const char *file, int line);
/* How often YG_CHECK failed in this process. */
uint64_t yg_check_count(void);

#define YG_REQUIRE(x) (YG_LIKELY(x) ? (void)0 : yg_require_failed(#x, __FILE__, __LINE__))

static inline bool YG_MUST_USE yg_check_or_report(bool ok, const char *expr, const char *file,
						  int line)
{
	if (YG_UNLIKELY(!ok))
		yg_check_failed(expr, file, line);
	return ok;
}
#define YG_CHECK(x) yg_check_or_report((x), #x, __FILE__, __LINE__)
