/* sandbox_parts.h - the pieces os/sandbox.c is put together from. */
#pragma once
#include "os/sandbox.h"

/* Removes every capability of this process: effective, permitted, inheritable,
 * ambient. */
yg_status yg_caps_clear(struct yg_err *err);
/* Files and TCP by Landlock, for this thread; no_new_privs must be set. */
yg_status yg_landlock_close(const struct yg_sandbox *box, struct yg_err *err);
/* The same as on a kernel whose Landlock has that version: for tests. */
yg_status yg_landlock_close_as(const struct yg_sandbox *box, int abi, struct yg_err *err);
/* Loads the filter that box->calls describes. */
yg_status yg_seccomp_close(const struct yg_sandbox *box, struct yg_err *err);

#if defined(__SANITIZE_ADDRESS__)
#define YG_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define YG_SANITIZED 1
#endif
#endif
#ifndef YG_SANITIZED
#define YG_SANITIZED 0
#endif
