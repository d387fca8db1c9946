#include "cmd/vuln_ask.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/print.h"
#include "format/json.h"
#include "format/lines.h"

#define LINES_BYTES 262144u    /* read at once */
#define LINE_MOST   65536u     /* bytes of a question; the rest of a longer one is passed over */
#define OUT_BYTES   1048576u   /* written at once */
#define OUT_MOST    (8u << 20) /* an answer is a few times its line at most */

static yg_status flush(struct yg_buf *out, struct yg_err *err)
{
	yg_status st = yg_buf_done(out);
	if (st != YG_OK)
		return YG_FAIL(err, st, "no room for an answer");
	if (fwrite(out->p, 1, out->n, stdout) != out->n || fflush(stdout) != 0)
		return YG_FAIL_OS(err, errno, "standard output");
	out->n = 0;
	return YG_OK;
}

struct lines {
	yg_vuln_judge_fn judge;
	void *ctx;
	struct yg_gather gather; /* owned */
	struct yg_buf out;       /* owned */
	bool wrong;
};

static void lines_free(struct lines *l)
{
	yg_gather_free(&l->gather);
	yg_buf_free(&l->out);
}

static yg_status judge_batch(struct lines *l, struct yg_sv batch, struct yg_err *err)
{
	struct yg_sv line;
	bool cut;
	yg_status st = YG_OK;
	while (st == YG_OK && yg_line_next(&batch, LINE_MOST, &line, &cut)) {
		bool right = !cut && l->judge(l->ctx, line, true, &l->out);
		if (cut) {
			yg_buf_put(&l->out, YG_SV("{\"line\":"));
			yg_json_put_str(&l->out, yg_sv_sub(line, 0, 64));
			yg_vuln_put_error(&l->out, true, "the line is too long", LINE_MOST);
		}
		l->wrong = l->wrong || !right;
		if (l->out.n >= OUT_BYTES || l->out.bad)
			st = flush(&l->out, err);
	}
	return st;
}

static yg_status judge_lines(struct lines *l, struct yg_err *err)
{
	yg_status st = yg_gather_init(&l->gather, LINES_BYTES, LINE_MOST, err);
	for (size_t n = 1; st == YG_OK && n > 0;) {
		size_t room;
		char *p = yg_gather_room(&l->gather, &room);
		ssize_t got = read(STDIN_FILENO, p, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return YG_FAIL_OS(err, errno, "standard input");
		n = (size_t)got;
		yg_gather_add(&l->gather, n);
		st = judge_batch(l, yg_gather_take(&l->gather, n == 0), err);
		if (st == YG_OK) /* who asks line by line is answered line by line */
			st = flush(&l->out, err);
	}
	return st;
}

int yg_vuln_lines(yg_vuln_judge_fn judge, void *ctx)
{
	struct yg_err err;
	YG_AUTO(lines_free) struct lines l = {.judge = judge, .ctx = ctx};
	yg_buf_init(&l.out, OUT_MOST);
	if (judge_lines(&l, &err) != YG_OK)
		return yg_cli_fail(&err);
	return l.wrong ? 3 : 0;
}

int yg_vuln_one(const struct yg_cli *c, yg_vuln_judge_fn judge, void *ctx, struct yg_sv question)
{
	struct yg_err err;
	YG_AUTO(yg_buf_free) struct yg_buf out;
	yg_buf_init(&out, OUT_MOST);
	bool right = judge(ctx, question, yg_cli_json(c), &out);
	if (flush(&out, &err) != YG_OK)
		return yg_cli_fail(&err);
	return right ? 0 : 3;
}

int yg_vuln_each(const struct yg_cli *c, yg_vuln_judge_fn judge)
{
	int rc = 0;
	for (size_t i = 0; i < yg_cli_argc(c) && (rc == 0 || rc == 3); i++) {
		struct yg_sv question = yg_sv_of(yg_cli_arg(c, i));
		int one = YG_SV_IS(question, "-") ? yg_vuln_lines(judge, NULL)
						  : yg_vuln_one(c, judge, NULL, question);
		rc = one != 0 ? one : rc;
	}
	return rc;
}

void yg_vuln_put_error(struct yg_buf *out, bool json, const char *reason, size_t at)
{
	if (!json) {
		yg_buf_printf(out, ": %s, at byte %zu\n", reason, at);
		return;
	}
	yg_buf_put(out, YG_SV(",\"error\":"));
	yg_json_put_str(out, yg_sv_of(reason));
	yg_buf_printf(out, ",\"offset\":%zu}\n", at);
}

void yg_vuln_put_words(const struct yg_vuln_form *form, const struct yg_sv *words, bool json,
		       struct yg_buf *out)
{
	for (unsigned i = 0; i < form->count; i++) {
		if (json) {
			yg_buf_printf(out, "%c\"%s\":", i == 0 ? '{' : ',', form->name[i]);
			yg_json_put_str(out, words[i]);
			continue;
		}
		if (i > 0)
			yg_buf_putc(out, ' ');
		yg_print_untrusted(out, words[i]);
	}
}

void yg_vuln_put_wrong(const struct yg_vuln_form *form, const struct yg_sv *words, unsigned which,
		       bool json, const char *reason, size_t at, struct yg_buf *out)
{
	yg_vuln_put_words(form, words, json, out);
	yg_buf_printf(out, json ? ",\"in\":\"%s\"" : ": %s", form->name[which]);
	yg_vuln_put_error(out, json, reason, at);
}

struct question {
	const struct yg_vuln_form *form;
	struct yg_sv given[YG_VULN_WORDS_MAX];
	unsigned n;
};

/* Blanks in a row are one; a tab always separates, so that a word may be empty. */
static bool cut_word(struct yg_sv *rest, char sep, struct yg_sv *out)
{
	if (sep == ' ')
		while (rest->n > 0 && rest->p[0] == ' ')
			*rest = yg_sv_sub(*rest, 1, rest->n);
	if (sep == ' ' && rest->n == 0)
		return false;
	return yg_sv_cut(rest, sep, out);
}

static bool judge_line(void *ctx, struct yg_sv line, bool json, struct yg_buf *out)
{
	const struct question *q = ctx;
	struct yg_sv words[YG_VULN_WORDS_MAX], word, rest = line;
	unsigned n = q->n;
	char sep = yg_sv_find(line, '\t', 0) < line.n ? '\t' : ' ';
	memcpy(words, q->given, sizeof words);
	while (cut_word(&rest, sep, &word)) {
		if (n < q->form->count)
			words[n] = word;
		n++;
	}
	if (n == q->form->count)
		return q->form->judge(words, json, out);
	char reason[64];
	struct yg_sb b = yg_sb_init(reason, sizeof reason);
	yg_sb_printf(&b, "%u words of %u: %s", n, q->form->count, q->form->wanted);
	yg_buf_put(out, YG_SV("{\"line\":"));
	yg_json_put_str(out, line);
	yg_vuln_put_error(out, json, yg_sb_cstr(&b), line.n);
	return false;
}

static bool judge_given(void *ctx, struct yg_sv none, bool json, struct yg_buf *out)
{
	const struct question *q = ctx;
	(void)none;
	return q->form->judge(q->given, json, out);
}

int yg_vuln_words(const struct yg_cli *c, const struct yg_vuln_form *form, size_t first)
{
	struct question q = {.form = form};
	size_t argc = yg_cli_argc(c);
	bool lines = argc > first && YG_SV_IS(yg_sv_of(yg_cli_arg(c, argc - 1)), "-");
	size_t given = argc - YG_MIN(first, argc) - (lines ? 1 : 0);
	if (lines ? given >= form->count : given != form->count)
		return yg_cli_usage(c, "%s is wanted, or '-' for lines of them", form->wanted);
	for (size_t i = 0; i < given; i++)
		q.given[q.n++] = yg_sv_of(yg_cli_arg(c, first + i));
	return lines ? yg_vuln_lines(judge_line, &q) : yg_vuln_one(c, judge_given, &q, YG_SV(""));
}
