/* read.h - rule files in; pure.
 *
 *   struct yg_sigma_file f;
 *   st = yg_sigma_read(yaml, "rules/a.yml", report, ctx, &arena, &f, &err);
 *   for (size_t i = 0; i < f.count; i++) ... f.rules[i]
 */
#pragma once
#include "detect/rule.h"

/* A document that was refused; `reason` is of our own, what it quotes is escaped. */
typedef void yg_sigma_report_fn(void *ctx, const char *file, size_t line, const char *reason);

struct yg_sigma_file {
	struct yg_sigma_rule *rules;
	size_t count;
	size_t refused; /* documents; each was reported */
};
/* What is likely to be meant otherwise, though it can be taken as it stands; static, NULL: nothing. */
const char *yg_sigma_doubt(const struct yg_sigma_rule *rule);
/* Every document of one file.  One that is no rule is reported and left out; the others
 * stand.  `file_name` is for the messages.
 * YG_OK | YG_PARSE (not YAML at all; err says "file:line: ...") | YG_LIMIT (too large) |
 * YG_NOMEM (also: the arena is out). */
yg_status yg_sigma_read(struct yg_sv yaml, const char *file_name, yg_sigma_report_fn *report,
			void *ctx, struct yg_arena *arena, struct yg_sigma_file *out,
			struct yg_err *err);
