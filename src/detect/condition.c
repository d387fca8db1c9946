/* condition.c - a condition into postfix, by two stacks and without recursion.
 *
 *   or < and < not < "1 of x*", "all of x*" < ( )
 */
#include "detect/read_internal.h"

/* Waiting: a bracket, and in it at most or, and, some nots. */
#define WAITING_MAX (YG_SIGMA_NESTING_MAX * 8)

enum waiting { W_OPEN, W_OR, W_AND, W_NOT }; /* higher binds tighter */
struct parser {
	struct yg_sigma_reader *r;
	const struct yg_yaml *n;
	struct yg_sigma_detection *d;
	struct yg_sv text;
	size_t at, cap, depth, nesting, waiting_count;
	enum waiting waiting[WAITING_MAX];
};

static yg_status emit(struct parser *p, enum yg_sigma_step_kind kind, size_t search)
{
	struct yg_sigma_detection *d = p->d;
	if (d->step_count == YG_SIGMA_STEPS_MAX)
		return yg_sigma_fail(p->r, p->n, "more than %d steps with its patterns written out",
				     YG_SIGMA_STEPS_MAX);
	if (d->step_count == p->cap) {
		size_t cap = p->cap > 0 ? p->cap * 2 : 8;
		struct yg_sigma_step *more = YG_NEW_N(p->r->arena, struct yg_sigma_step, cap);
		if (more == NULL)
			return yg_sigma_nomem(p->r);
		if (d->step_count > 0)
			memcpy(more, d->steps, d->step_count * sizeof *more);
		d->steps = more;
		p->cap = cap;
	}
	d->steps[d->step_count++] = (struct yg_sigma_step){kind, (uint32_t)search};
	if (kind == YG_SIGMA_SEARCH)
		p->depth++;
	else if (kind != YG_SIGMA_NOT)
		p->depth--;
	d->stack_max = YG_MAX(d->stack_max, p->depth);
	return YG_OK;
}

/* The next word or bracket; empty at the end. */
static struct yg_sv next_word(struct parser *p)
{
	while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]) != NULL)
		p->at++;
	size_t from = p->at;
	if (from < p->text.n && strchr("()", p->text.p[from]) != NULL)
		p->at++;
	else
		while (p->at < p->text.n && strchr(" \t\r\n()", p->text.p[p->at]) == NULL)
			p->at++;
	return yg_sv_sub(p->text, from, p->at - from);
}

static bool is(struct yg_sv word, const char *what)
{
	return yg_sv_ieq(word, yg_sv_of(what));
}

static yg_status wait(struct parser *p, enum waiting w)
{
	if (p->waiting_count == WAITING_MAX)
		return yg_sigma_fail(p->r, p->n, "too deep");
	p->waiting[p->waiting_count++] = w;
	return YG_OK;
}

/* Writes what binds at least as tight as `w` and stands before it. */
static yg_status settle(struct parser *p, enum waiting w)
{
	static const enum yg_sigma_step_kind kinds[] = {
		[W_OR] = YG_SIGMA_OR, [W_AND] = YG_SIGMA_AND, [W_NOT] = YG_SIGMA_NOT};
	yg_status st = YG_OK;
	while (st == YG_OK && p->waiting_count > 0) {
		enum waiting top = p->waiting[p->waiting_count - 1];
		if (top == W_OPEN || top < w)
			break;
		p->waiting_count--;
		st = emit(p, kinds[top], 0);
	}
	return st;
}

/* '*' is any number of characters; greedy with one way back. */
static bool fits(struct yg_sv pattern, struct yg_sv name)
{
	size_t i = 0, j = 0, star = SIZE_MAX, from = 0;
	while (j < name.n) {
		if (i < pattern.n && pattern.p[i] == '*') {
			star = i++;
			from = j;
		} else if (i < pattern.n && pattern.p[i] == name.p[j]) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			j = ++from;
		} else {
			return false;
		}
	}
	while (i < pattern.n && pattern.p[i] == '*')
		i++;
	return i == pattern.n;
}

/* "1 of", "all of": `first` is the quantifier, the word "of" is read already. */
static yg_status take_of(struct parser *p, struct yg_sv first)
{
	struct yg_sv pattern = next_word(p);
	struct yg_sigma_quote q;
	bool all = is(first, "all"), them = is(pattern, "them");
	size_t found = 0;
	yg_status st = YG_OK;
	if (pattern.n == 0 || YG_SV_IS(pattern, "(") || YG_SV_IS(pattern, ")"))
		return yg_sigma_fail(p->r, p->n, "expected 'them' or a pattern behind 'of'");
	if (!all && !is(first, "1") && !is(first, "any"))
		return yg_sigma_fail(p->r, p->n, "'%s of': only '1 of' and 'all of' are known",
				     yg_sigma_quoted(&q, first));
	for (size_t i = 0; st == YG_OK && i < p->d->search_count; i++) {
		struct yg_sv name = p->d->searches[i].name;
		bool hidden = name.n > 0 && name.p[0] == '_' && pattern.p[0] != '_';
		if (hidden || (!them && !fits(pattern, name)))
			continue;
		st = emit(p, YG_SIGMA_SEARCH, i);
		if (st == YG_OK && found++ > 0)
			st = emit(p, all ? YG_SIGMA_AND : YG_SIGMA_OR, 0);
	}
	if (st == YG_OK && found == 0)
		return yg_sigma_fail(p->r, p->n, "no search fits '%s'",
				     yg_sigma_quoted(&q, pattern));
	return st;
}

static yg_status take_name(struct parser *p, struct yg_sv word)
{
	struct yg_sigma_quote q;
	size_t back = p->at;
	if (is(next_word(p), "of"))
		return take_of(p, word);
	p->at = back;
	for (size_t i = 0; i < p->d->search_count; i++)
		if (yg_sv_eq(word, p->d->searches[i].name))
			return emit(p, YG_SIGMA_SEARCH, i);
	return yg_sigma_fail(p->r, p->n, "there is no search '%s'", yg_sigma_quoted(&q, word));
}

/* Where a search is expected.  *out_done: one stands there, an operator comes next. */
static yg_status take_operand(struct parser *p, struct yg_sv word, bool *out_done)
{
	struct yg_sigma_quote q;
	*out_done = false;
	if (word.n == 0)
		return yg_sigma_fail(p->r, p->n, "ends where a search is expected");
	if (YG_SV_IS(word, "(")) {
		if (++p->nesting > YG_SIGMA_NESTING_MAX)
			return yg_sigma_fail(p->r, p->n, "brackets more than %d deep",
					     YG_SIGMA_NESTING_MAX);
		return wait(p, W_OPEN);
	}
	if (is(word, "not"))
		return wait(p, W_NOT);
	if (YG_SV_IS(word, ")") || is(word, "and") || is(word, "or"))
		return yg_sigma_fail(p->r, p->n, "'%s' where a search is expected",
				     yg_sigma_quoted(&q, word));
	*out_done = true;
	return take_name(p, word);
}

static yg_status close_bracket(struct parser *p)
{
	yg_status st = settle(p, W_OR);
	if (st != YG_OK)
		return st;
	if (p->waiting_count == 0)
		return yg_sigma_fail(p->r, p->n, "')' without '('");
	p->waiting_count--;
	p->nesting--;
	return YG_OK;
}

/* Where an operator, ')' or the end is expected.  *out_operand: a search comes next. */
static yg_status take_operator(struct parser *p, struct yg_sv word, bool *out_operand)
{
	struct yg_sigma_quote q;
	*out_operand = false;
	if (YG_SV_IS(word, ")"))
		return close_bracket(p);
	enum waiting w = is(word, "and") ? W_AND : W_OR;
	if (w == W_OR && !is(word, "or")) {
		if (word.p[0] == '|')
			return yg_sigma_fail(p->r, p->n,
					     "aggregations behind '|' are not part of Sigma 2; "
					     "a correlation says it");
		return yg_sigma_fail(p->r, p->n, "expected 'and', 'or' or the end, found '%s'",
				     yg_sigma_quoted(&q, word));
	}
	*out_operand = true;
	yg_status st = settle(p, w);
	return st == YG_OK ? wait(p, w) : st;
}

static yg_status parse(struct parser *p)
{
	bool operand = true;
	yg_status st = YG_OK;
	while (st == YG_OK) {
		struct yg_sv word = next_word(p);
		if (operand) {
			bool done = false;
			st = take_operand(p, word, &done);
			operand = !done;
		} else if (word.n > 0) {
			st = take_operator(p, word, &operand);
		} else {
			break;
		}
	}
	if (st == YG_OK)
		st = settle(p, W_OR);
	if (st == YG_OK && p->waiting_count > 0)
		return yg_sigma_fail(p->r, p->n, "'(' without ')'");
	return st;
}

yg_status yg_sigma_condition(struct yg_sigma_reader *r, const struct yg_yaml *n,
			     struct yg_sigma_detection *io)
{
	const struct yg_yaml *one = n->kind == YG_YAML_LIST ? n->first : n;
	struct parser p = {.r = r, .d = io};
	yg_status st = YG_OK;
	if (one == NULL)
		return yg_sigma_fail(r, n, "the list is empty");
	for (size_t count = 0; st == YG_OK && one != NULL;
	     one = n->kind == YG_YAML_LIST ? one->next : NULL) {
		p.n = one->key.n > 0 ? one : n;
		st = yg_sigma_text(r, one, YG_SIGMA_TEXT_MAX, &p.text);
		p.at = p.nesting = p.waiting_count = 0;
		if (st == YG_OK && count == 0)
			io->words = p.text;
		if (st == YG_OK)
			st = parse(&p);
		if (st == YG_OK && count++ > 0)
			st = emit(&p, YG_SIGMA_OR, 0);
	}
	return st;
}
