/* lay_out.c - lays a text of policies out.  Tokens and comments stay; where lines may
 * break is worked out from the tokens alone, in groups: one that does not fit into the
 * line breaks wherever it can, and then those in it are looked at. */
#include <stdlib.h>

#include "cedar/lex.h"
#include "cedar/print.h"
#include "snapshot/intern.h"

#define INDENT 2

enum atom_kind {
	TEXT,
	COMMENT, /* nothing may follow it in its line */
	LINE,    /* a space, or a new line where the group breaks */
	SOFT,    /* nothing, or a new line */
	BREAK,   /* a new line */
	BLANK,   /* a new line behind an empty one */
	IN,      /* what follows is indented by one more */
	OUT,
	OPEN, /* a group */
	CLOSE,
};
struct atom {
	enum atom_kind kind;
	bool broken; /* OPEN: it holds what always breaks */
	struct yg_sv text;
	size_t width; /* characters; of a group all of it in one line */
	size_t tail;  /* what follows up to where a line may break */
	size_t end;   /* OPEN: its CLOSE */
};
enum inside {        /* what is open */
	      BLOCK, /* of when and unless */
	      SCOPE,
	      PAREN, /* also arguments */
	      LIST,
	      RECORD,
	      PLAIN, /* brackets that never break: a["b"], and empty ones */
	      IF,
	      THEN,
	      ELSE,
};
struct level {
	enum inside inside;
	bool deeper; /* an operator was met: the rest is indented */
};
struct piece {
	struct yg_cedar_token token;
	struct yg_sv gap; /* what stands before it */
};
struct laying {
	struct yg_vec pieces, atoms, levels; /* owned */
	size_t i;                            /* piece at hand */
	bool want;                           /* an operand comes next */
	bool nomem;                          /* sticky */
};

/* ---- atoms ---- */

static size_t characters(struct yg_sv s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void add(struct laying *l, enum atom_kind kind, struct yg_sv text)
{
	struct atom *to = yg_vec_add(&l->atoms, sizeof *to);
	if (to == NULL)
		l->nomem = true;
	else
		*to = (struct atom){.kind = kind,
				    .text = text,
				    .width = kind == LINE   ? 1
					     : kind == TEXT ? characters(text)
							    : 0};
}
static void put(struct laying *l, enum atom_kind kind)
{
	add(l, kind, YG_SV(""));
}
static void word(struct laying *l, const char *text)
{
	add(l, TEXT, yg_sv_of(text));
}

static const struct piece *piece(const struct laying *l, size_t i)
{
	return (const struct piece *)l->pieces.p + (i < l->pieces.n ? i : l->pieces.n - 1);
}
static bool mark_at(const struct laying *l, size_t i, const char *mark)
{
	const struct yg_cedar_token *t = &piece(l, i)->token;
	return t->kind == YG_CT_MARK && yg_sv_eq(t->text, yg_sv_of(mark));
}
static bool word_at(const struct laying *l, size_t i, const char *text)
{
	const struct yg_cedar_token *t = &piece(l, i)->token;
	return t->kind == YG_CT_NAME && yg_sv_eq(t->text, yg_sv_of(text));
}

/* ---- comments ---- */

/* The next comment of what stands between two tokens; lines: new lines before it, or
 * before the next token when there is none. */
static bool comment(struct yg_sv *gap, struct yg_sv *out, size_t *lines)
{
	size_t at = 0, n;
	*lines = 0;
	while (at < gap->n && gap->p[at] != '/') {
		*lines += gap->p[at] == '\n';
		at++;
	}
	for (n = at; n < gap->n && gap->p[n] != '\n' && gap->p[n] != '\r'; n++)
		;
	*out = yg_sv_trim(yg_sv_sub(*gap, at, n - at));
	*gap = yg_sv_sub(*gap, n, SIZE_MAX);
	return out->n > 0;
}

/* The token at hand, with what is said behind it: in its own line, or in lines of their
 * own, which are indented like what follows; on to the next. */
static void take_as(struct laying *l, bool opens)
{
	struct yg_sv gap = piece(l, l->i + 1)->gap, text;
	size_t lines;
	add(l, TEXT, piece(l, l->i)->token.text);
	bool any = comment(&gap, &text, &lines);
	if (any && lines == 0) {
		word(l, " ");
		add(l, COMMENT, text);
		put(l, BREAK);
		any = comment(&gap, &text, &lines);
	}
	if (opens)
		put(l, IN);
	for (; any; any = comment(&gap, &text, &lines)) {
		put(l, BREAK);
		add(l, COMMENT, text);
		put(l, BREAK);
	}
	l->i++;
}
static void take(struct laying *l)
{
	take_as(l, false);
}

/* Between policies, before the first, behind the last: empty lines stay, as one. */
static void between(struct laying *l, bool first)
{
	bool last = piece(l, l->i)->token.kind == YG_CT_END;
	struct yg_sv gap = piece(l, l->i)->gap, text;
	size_t lines;
	bool blank = !first;
	while (comment(&gap, &text, &lines)) {
		if (lines == 0 && !first && blank)
			word(l, " "); /* behind the semicolon */
		else
			put(l, blank || lines > 1 ? BLANK : BREAK);
		blank = lines == 0 && !first && blank;
		add(l, COMMENT, text);
		first = false;
	}
	put(l, !last && (blank || lines > 1) ? BLANK : BREAK);
}

/* ---- expressions ---- */

static struct level *top(struct laying *l)
{
	return l->levels.n > 0 ? (struct level *)l->levels.p + l->levels.n - 1 : NULL;
}
static void push(struct laying *l, enum inside inside)
{
	struct level *to = yg_vec_add(&l->levels, sizeof *to);
	if (to == NULL)
		l->nomem = true;
	else
		*to = (struct level){.inside = inside};
}

/* Rows of ||, in them rows of &&, in them all else: a group each. */
static void begin(struct laying *l)
{
	for (int i = 0; i < 3; i++)
		put(l, OPEN);
	top(l)->deeper = false;
	l->want = true;
}
static void end_row(struct laying *l, int groups)
{
	if (top(l)->deeper)
		put(l, OUT);
	top(l)->deeper = false;
	for (int i = 0; i < groups; i++)
		put(l, CLOSE);
}

/* An if ends with what it stands in. */
static void end_ifs(struct laying *l)
{
	while (top(l)->inside == ELSE) {
		end_row(l, 3);
		put(l, OUT);
		put(l, CLOSE);
		l->levels.n--;
	}
}

static void open_bracket(struct laying *l, enum inside inside)
{
	bool plain = mark_at(l, l->i + 1, ")") || mark_at(l, l->i + 1, "]") ||
		     mark_at(l, l->i + 1, "}") || (!l->want && mark_at(l, l->i, "["));
	push(l, plain ? PLAIN : inside);
	if (l->nomem)
		return;
	if (plain) {
		take(l);
		return;
	}
	put(l, OPEN);
	take_as(l, true);
	put(l, inside == RECORD ? LINE : SOFT);
	begin(l);
}

static void close_bracket(struct laying *l)
{
	end_ifs(l);
	enum inside inside = top(l)->inside;
	if (inside != PLAIN) {
		end_row(l, 3);
		put(l, OUT);
		put(l, inside == RECORD || inside == BLOCK ? LINE : SOFT);
	}
	take(l);
	if (inside != PLAIN)
		put(l, CLOSE);
	l->levels.n--;
	l->want = false;
}

static void comma(struct laying *l)
{
	end_ifs(l);
	end_row(l, 3);
	take(l);
	put(l, LINE);
	begin(l);
}

static void if_part(struct laying *l, enum inside inside)
{
	if (inside == IF) {
		push(l, IF);
		put(l, OPEN);
	} else {
		end_ifs(l);
		end_row(l, 3);
		put(l, OUT);
		put(l, LINE);
		top(l)->inside = inside;
	}
	if (l->nomem)
		return;
	take_as(l, true);
	put(l, LINE);
	begin(l);
}

static void operator(struct laying *l)
{
	bool or = mark_at(l, l->i, "||"), and = mark_at(l, l->i, "&&");
	bool tight = word_at(l, l->i, "has") || word_at(l, l->i, "like") || word_at(l, l->i, "is");
	if (or || and)
		end_row(l, or ? 2 : 1);
	word(l, " ");
	take(l);
	l->want = true;
	if (! or &&!and&&!tight && !top(l)->deeper) {
		top(l)->deeper = true;
		put(l, IN);
	}
	if (tight || (! or &&!and&&(mark_at(l, l->i, "[") || mark_at(l, l->i, "{"))))
		word(l, " ");
	else
		put(l, LINE);
	for (int i = 0; i < (or ? 2 : and? 1 : 0); i++)
		put(l, OPEN);
}

/* What stands within a name or between an operand and its members. */
static bool joins(const struct laying *l)
{
	return mark_at(l, l->i, ".") || mark_at(l, l->i, "::");
}

static void token(struct laying *l)
{
	const struct yg_cedar_token *t = &piece(l, l->i)->token;
	bool name = t->kind == YG_CT_NAME, mark = t->kind == YG_CT_MARK;
	char c = mark && t->text.n == 1 ? *t->text.p : '\0';
	if (c == '(' || c == '[' || c == '{') {
		open_bracket(l, c == '(' ? PAREN : c == '[' ? LIST : RECORD);
	} else if (c == ')' || c == ']' || c == '}') {
		close_bracket(l);
	} else if (c == ',') {
		comma(l);
	} else if (name && l->want && word_at(l, l->i, "if")) {
		if_part(l, IF);
	} else if (name && !l->want && (word_at(l, l->i, "then") || word_at(l, l->i, "else"))) {
		if_part(l, word_at(l, l->i, "then") ? THEN : ELSE);
	} else if (c == ':') {
		take(l);
		word(l, " ");
		l->want = true;
	} else if (joins(l)) {
		take(l); /* what follows is a name or a text, whatever it is called */
		take(l);
		l->want = false;
	} else if (!l->want && (mark || name)) {
		operator(l);
	} else {
		take(l); /* an operand, or the mark before one */
		l->want = mark;
	}
}

/* ---- policies ---- */

static void block(struct laying *l, enum inside inside)
{
	size_t depth = l->levels.n;
	push(l, inside);
	if (l->nomem)
		return;
	take_as(l, true);
	put(l, inside == BLOCK ? LINE : SOFT);
	begin(l);
	while (!l->nomem && l->levels.n > depth)
		token(l);
}

/* Broken as soon as it says anything: `principal , action , resource` says nothing. */
static void scope(struct laying *l)
{
	bool bare = mark_at(l, l->i + 3, ",") && mark_at(l, l->i + 5, ",") &&
		    (mark_at(l, l->i + 7, ")") || mark_at(l, l->i + 8, ")"));
	take(l); /* permit, forbid */
	word(l, " ");
	put(l, OPEN);
	if (l->nomem)
		return;
	((struct atom *)l->atoms.p)[l->atoms.n - 1].broken = !bare;
	block(l, SCOPE);
}

static void policy(struct laying *l)
{
	while (mark_at(l, l->i, "@")) {
		take(l);
		take(l);
		for (int i = 0; i < 3 && (i > 0 || mark_at(l, l->i, "(")); i++)
			take(l);
		put(l, BREAK);
	}
	scope(l);
	while (!l->nomem && !mark_at(l, l->i, ";")) {
		put(l, BREAK);
		put(l, OPEN);
		take(l); /* when, unless */
		put(l, LINE);
		block(l, BLOCK);
	}
	add(l, TEXT, piece(l, l->i)->token.text);
	l->i++;
}

/* ---- writing ---- */

static void measure(struct laying *l, size_t *open)
{
	struct atom *a = l->atoms.p;
	size_t depth = 0, sum = 0, tail = 0;
	for (size_t i = 0; i < l->atoms.n; i++) {
		sum += a[i].kind != OPEN ? a[i].width : 0;
		if (a[i].kind == OPEN) {
			a[i].width = sum;
			open[depth++] = i;
		} else if (a[i].kind == CLOSE) {
			struct atom *o = &a[open[--depth]];
			o->width = sum - o->width;
			o->end = i;
			if (depth > 0 && o->broken)
				a[open[depth - 1]].broken = true;
		} else if (depth > 0 && (a[i].kind == COMMENT || a[i].kind == BREAK)) {
			a[open[depth - 1]].broken = true;
		}
	}
	for (size_t i = l->atoms.n; i > 0; i--) {
		a[i - 1].tail = tail;
		if (a[i - 1].kind == TEXT)
			tail += a[i - 1].width;
		else if (a[i - 1].kind >= COMMENT && a[i - 1].kind <= BLANK)
			tail = 0;
	}
}

struct writing {
	struct yg_buf *out;
	size_t column, indent;
	bool fresh; /* at the beginning of a line */
	bool empty; /* nothing was written */
};

static void newline(struct writing *w)
{
	if (!w->fresh)
		yg_buf_putc(w->out, '\n');
	w->fresh = true;
	w->column = 0;
}

static void put_text(struct writing *w, struct yg_sv text)
{
	if (w->fresh && YG_SV_IS(text, " "))
		return;
	for (size_t i = 0; w->fresh && i < w->indent; i++)
		yg_buf_putc(w->out, ' ');
	w->column = w->fresh ? w->indent : w->column;
	w->fresh = w->empty = false;
	yg_buf_put(w->out, text);
	w->column += characters(text);
}

static bool fits(const struct atom *all, const struct atom *group, size_t column)
{
	return !group->broken && column + group->width + all[group->end].tail <= YG_CEDAR_LINE;
}

static void write_all(const struct laying *l, struct yg_buf *out)
{
	const struct atom *a = l->atoms.p;
	struct writing w = {.out = out, .fresh = true, .empty = true};
	size_t flat = 0; /* groups open since one fits into the line */
	for (size_t i = 0; i < l->atoms.n; i++) {
		switch (a[i].kind) {
		case TEXT:
		case COMMENT: put_text(&w, a[i].text); break;
		case LINE:
		case SOFT:
			if (flat == 0)
				newline(&w);
			else if (a[i].kind == LINE)
				put_text(&w, YG_SV(" "));
			break;
		case BREAK: newline(&w); break;
		case BLANK:
			newline(&w);
			if (!w.empty)
				yg_buf_putc(out, '\n');
			break;
		case IN: w.indent += INDENT; break;
		case OUT: w.indent -= INDENT; break;
		case OPEN:
			if (flat > 0 || fits(a, &a[i], w.fresh ? w.indent : w.column))
				flat++;
			break;
		case CLOSE: flat -= flat > 0; break;
		}
	}
}

static yg_status gather(struct laying *l, struct yg_sv text, struct yg_err *err)
{
	struct yg_cedar_lex lex;
	yg_status st = yg_cedar_lex_init(&lex, text, err);
	const char *end = lex.text.p;
	for (bool more = st == YG_OK; more;) {
		struct piece *to = yg_vec_add(&l->pieces, sizeof *to);
		if (to == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory to lay policies out");
		*to = (struct piece){lex.now, {end, (size_t)(lex.now.text.p - end)}};
		end = lex.now.text.p + lex.now.text.n;
		more = lex.now.kind != YG_CT_END && yg_cedar_lex_go(&lex);
	}
	return lex.bad;
}

yg_status yg_cedar_lay_out(struct yg_buf *out, struct yg_sv text, struct yg_err *err)
{
	struct laying l = {.i = 0};
	size_t *open = NULL;
	yg_status st = gather(&l, text, err);
	if (st == YG_OK) {
		between(&l, true);
		while (!l.nomem && piece(&l, l.i)->token.kind != YG_CT_END) {
			policy(&l);
			between(&l, false);
		}
		open = l.nomem ? NULL : calloc(l.atoms.n + 1, sizeof *open);
		if (open != NULL) {
			measure(&l, open);
			write_all(&l, out);
		}
		if (open == NULL || yg_buf_done(out) != YG_OK)
			st = YG_FAIL(err, open == NULL ? YG_NOMEM : yg_buf_done(out),
				     "no memory to lay policies out");
	}
	free(open);
	free(l.pieces.p);
	free(l.atoms.p);
	free(l.levels.p);
	return st;
}
