/* expr.h - reads expressions of Cedar's text form.  Without recursion: what is open
 * is a stack of its own, YG_CEDAR_OPEN_MAX deep. */
#pragma once
#include "cedar/build.h"
#include "cedar/lex.h"

#define YG_CEDAR_OPEN_MAX 512 /* parentheses, lists, records, calls and ifs within each other */

struct yg_cedar_expr;                          /* owned; what is open */
struct yg_cedar_expr *yg_cedar_expr_new(void); /* NULL: no memory */
void yg_cedar_expr_free(struct yg_cedar_expr *e);
/* Reads one expression at the token at hand, up to the first token that does not
 * belong to it, into the builder, which has begun.  YG_OK | YG_PARSE ("line 1,
 * column 2: ...") | YG_LIMIT | YG_NOMEM; both also by `bad` of lexer or builder. */
yg_status yg_cedar_expr_read(struct yg_cedar_expr *e, struct yg_cedar_lex *lex,
			     struct yg_cedar_build *build);

/* A name with its namespaces ("Org::User") at the token at hand, into the code's
 * arena.  *out_uid: it was an entity, whose id is *out_id. */
yg_status yg_cedar_path_read(struct yg_cedar_lex *lex, struct yg_arena *arena, struct yg_sv *out,
			     bool *out_uid, struct yg_sv *out_id);
/* Is it a name with its namespaces, in the one spelling without blanks? */
bool yg_cedar_path_ok(struct yg_sv text);

/* A text that is one expression and nothing else.  *out_stack: what its evaluation
 * holds. */
yg_status yg_cedar_expr_text(struct yg_cedar_code *code, struct yg_sv text,
			     struct yg_cedar_range *out, uint32_t *out_stack, struct yg_err *err);
