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
/* Every argument is a question; '-' stands for lines of them.  Returns the exit status. */
int yg_vuln_each(const struct yg_cli *c, yg_vuln_judge_fn judge);

#define YG_VULN_WORDS_MAX 3
/* A question of several words.  On the command line each is an argument; a line has those that
 * were not given, with a tab between them, or without any tab with blanks. */
struct yg_vuln_form {
	unsigned count;
	const char *name[YG_VULN_WORDS_MAX]; /* "source": members of the answer */
	const char *wanted;                  /* "SOURCE TARGET" */
	bool (*judge)(const struct yg_sv *words, bool json, struct yg_buf *out);
};
/* The arguments from `first` on; the last of them may be '-', which stands for all words that
 * are not there.  Returns the exit status. */
int yg_vuln_words(const struct yg_cli *c, const struct yg_vuln_form *form, size_t first);
/* How an answer begins: the words as members, or for people with blanks between. */
void yg_vuln_put_words(const struct yg_vuln_form *form, const struct yg_sv *words, bool json,
		       struct yg_buf *out);
/* The answer that word `which` is wrong. */
void yg_vuln_put_wrong(const struct yg_vuln_form *form, const struct yg_sv *words, unsigned which,
		       bool json, const char *reason, size_t at, struct yg_buf *out);
/* The end of an answer that began with the question: as JSON its last members and the brace,
 * for people ": reason, at byte N"; and a newline. */
void yg_vuln_put_error(struct yg_buf *out, bool json, const char *reason, size_t at);

/* The verbs that cmd/vuln.c only lists. */
int yg_vuln_run_cpe(struct yg_cli *c);
int yg_vuln_run_version(struct yg_cli *c);
int yg_vuln_run_vers(struct yg_cli *c);
int yg_vuln_run_purl(struct yg_cli *c);
