/* sandbox_parts.h - the pieces os/sandbox.c is put together from. */
#pragma once
#include "base/sv.h"
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

/* sandbox_proof.c: the descriptor is opened before, read and judged behind the sandbox. */
yg_status yg_proof_open(int *out_fd, struct yg_err *err);
yg_status yg_proof_end(int fd, bool supervisor, struct yg_sandbox_proof *p, struct yg_err *err);
/* The lines of /proc/PID/status. */
yg_status yg_proof_read(struct yg_sv text, struct yg_sandbox_proof *p, struct yg_err *err);
/* Something was tried and refused with `eno`; 0: it killed.  Static texts. */
void yg_proof_tried(struct yg_sandbox_proof *p, const char *what, const char *object, int eno);

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
