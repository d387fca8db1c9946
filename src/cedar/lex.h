/* lex.h - the words of Cedar's text forms (policies and schemas).  Pure. */
#pragma once
#include "base/arena.h"

enum yg_cedar_tok {
	YG_CT_END = 1,
	YG_CT_NAME,   /* identifiers and reserved words */
	YG_CT_NUMBER, /* digits */
	YG_CT_STRING, /* with its quotes, escapes not undone */
	YG_CT_SLOT,   /* ?principal */
	YG_CT_MARK,   /* punctuation, the longest that there is */
};
struct yg_cedar_token {
	enum yg_cedar_tok kind;
	struct yg_sv text;
};
struct yg_cedar_lex {
	struct yg_sv text; /* borrowed; valid UTF-8 */
	size_t at;         /* behind the token at hand */
	struct yg_cedar_token now, next;
	struct yg_err *err; /* borrowed */
	yg_status bad;      /* sticky */
};

/* At the first token.  YG_OK | YG_PARSE (no UTF-8, or no token) | YG_LIMIT (4 GiB). */
yg_status yg_cedar_lex_init(struct yg_cedar_lex *l, struct yg_sv text, struct yg_err *err);
/* On to the next token.  False (and `bad`) when there is none but bytes. */
bool yg_cedar_lex_go(struct yg_cedar_lex *l);
static inline size_t yg_cedar_lex_at(const struct yg_cedar_lex *l) /* offset of `now` */
{
	return (size_t)(l->now.text.p - l->text.p);
}
static inline bool yg_cedar_lex_is(const struct yg_cedar_lex *l, const char *mark)
{
	return l->now.kind == YG_CT_MARK && yg_sv_eq(l->now.text, yg_sv_of(mark));
}
static inline bool yg_cedar_lex_word(const struct yg_cedar_lex *l, const char *word)
{
	return l->now.kind == YG_CT_NAME && yg_sv_eq(l->now.text, yg_sv_of(word));
}
/* Takes the mark when it is there. */
bool yg_cedar_lex_take(struct yg_cedar_lex *l, const char *mark);
/* The same; YG_PARSE, by `bad` too, when another token stands there. */
yg_status yg_cedar_lex_need(struct yg_cedar_lex *l, const char *mark);
/* Where the offset is, for people: lines and columns begin at 1, columns count characters. */
void yg_cedar_place(struct yg_sv text, size_t at, size_t *line, size_t *column);
/* Goes on from `from`, whose place *line and *column are. */
void yg_cedar_place_on(struct yg_sv text, size_t from, size_t at, size_t *line, size_t *column);
/* Names and where they stand: the first that is there again, or NULL.  Sorts the list. */
struct yg_cedar_placed {
	struct yg_sv name;
	size_t at;
};
const struct yg_cedar_placed *yg_cedar_again(struct yg_cedar_placed *list, size_t n);
/* A fault at the token at hand, "line 3, column 5: ..."; sets and returns `bad`. */
yg_status yg_cedar_lex_fail(struct yg_cedar_lex *l, const char *fmt, ...) YG_PRINTF(2, 3);
/* The same at an offset. */
yg_status yg_cedar_lex_fail_at(struct yg_cedar_lex *l, size_t at, const char *fmt, ...)
	YG_PRINTF(3, 4);
/* "unexpected 'x', expected ..." */
yg_status yg_cedar_lex_unexpected(struct yg_cedar_lex *l, const char *expected);

/* A string token's value; *out in the arena.  `pattern`: * is YG_CEDAR_WILDCARD and
 * \* a star.  YG_OK | YG_PARSE | YG_NOMEM, by `bad` too. */
yg_status yg_cedar_unescape(struct yg_cedar_lex *l, struct yg_sv quoted, bool pattern,
			    struct yg_arena *arena, struct yg_sv *out);
/* true, false, if, then, else, in, is, like, has, __cedar: no names of anything. */
bool yg_cedar_reserved(struct yg_sv word);
/* A letter or _, then letters, digits and _: also words that are reserved. */
bool yg_cedar_name_ok(struct yg_sv text);
