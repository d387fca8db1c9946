/* document.h - files of rules as single documents that can be kept: each with its own
 * text and what it says of itself; pure.
 *
 *   yg_detect_documents_begin(&d, env, &err);
 *   yg_detect_documents_add(&d, name, text, &err) ...   d.list, d.problems
 *   yg_detect_documents_free(&d);
 *
 * A document that cannot be compiled is a problem and is left out; correlations are
 * read alone: what they refer to is not looked for.
 */
#pragma once
#include "base/env.h"
#include "detect/rule.h"

#define YG_DETECT_PROBLEMS_MAX  1000   /* told; the others are counted */
#define YG_DETECT_DOCUMENTS_MAX 100000 /* of one import; more: YG_LIMIT */

struct yg_detect_document {
	struct yg_sv text, file; /* borrowed: views of what was given */
	size_t line;             /* of the text's first line in the file */
	enum yg_sigma_kind kind;
	struct yg_sv sigma_id, name, title, author, category, product, service;
	struct yg_sv tags; /* lower case, a comma before, between and behind; empty: none */
	enum yg_sigma_level level;
	enum yg_sigma_status status;
};
struct yg_detect_problem {
	struct yg_sv file; /* borrowed */
	size_t line;       /* in the file; 0: of all of it */
	struct yg_sv reason;
};
struct yg_detect_builder;
struct yg_detect_documents {
	struct yg_arena kept, one;
	struct yg_detect_builder *builder; /* owned */
	struct yg_detect_document *list;
	size_t count, cap;
	struct yg_detect_problem *problems;
	size_t problem_count; /* in the list */
	uint64_t refused;     /* all of them */
	struct yg_sv file;    /* at hand */
	size_t line;
};
yg_status yg_detect_documents_begin(struct yg_detect_documents *d, const struct yg_env *env,
				    struct yg_err *err);
/* `file` and `text` must outlive *d.  YG_OK (also with problems) | YG_NOMEM | YG_LIMIT. */
yg_status yg_detect_documents_add(struct yg_detect_documents *d, struct yg_sv file,
				  struct yg_sv text, struct yg_err *err);
/* A problem of a document of the list, found later. */
void yg_detect_documents_refuse(struct yg_detect_documents *d, const struct yg_detect_document *doc,
				struct yg_sv reason);
void yg_detect_documents_free(struct yg_detect_documents *d); /* zero is fine */

/* Tags of a rule as above, in the arena.  YG_OK | YG_NOMEM. */
yg_status yg_detect_tags(const struct yg_sigma_list *tags, struct yg_arena *arena,
			 struct yg_sv *out);

const char *yg_sigma_kind_name(enum yg_sigma_kind k);     /* static; "rule", ...; "" */
const char *yg_sigma_level_name(enum yg_sigma_level l);   /* static; "" for none */
const char *yg_sigma_status_name(enum yg_sigma_status s); /* static; "" for none */
yg_status yg_sigma_kind_parse(struct yg_sv s, enum yg_sigma_kind *out);   /* YG_PARSE */
yg_status yg_sigma_level_parse(struct yg_sv s, enum yg_sigma_level *out); /* YG_PARSE */
