/* vuln_ask.h - what the commands of `yagura vuln` share: a question from the command line or
 * one per line of standard input, an answer of one line each. */
#pragma once
#include "cmd/option.h"

/* Judges one question and appends the answer's line (with its newline) to `out`, as JSON or
 * as text; false: the answer is that something is wrong with the question. */
typedef bool (*yg_vuln_judge_fn)(void *ctx, struct yg_sv question, bool json, struct yg_buf *out);

/* Every line of standard input, in order, as JSON; memory does not depend on how many.
 * Returns the exit status: 0, 3 when an answer was false, 1. */
int yg_vuln_lines(yg_vuln_judge_fn judge, void *ctx);
/* One question; printed as text, or with --json as JSON.  Returns the exit status. */
int yg_vuln_one(const struct yg_cli *c, yg_vuln_judge_fn judge, void *ctx, struct yg_sv question);
/* The end of an answer that began with the question: as JSON its last members and the brace,
 * for people ": reason, at byte N"; and a newline. */
void yg_vuln_put_error(struct yg_buf *out, bool json, const char *reason, size_t at);
/* Text from outside, for people. */
void yg_vuln_put_untrusted(struct yg_buf *out, struct yg_sv s);
