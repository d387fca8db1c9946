/* regex.c - regular expressions, each compiled once and alone; and which tests are taken. */
#include <stdlib.h>

#include "detect/build_internal.h"

static unsigned flags_of(const struct yg_sigma_item *item)
{
	return HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY |
	       ((item->regex_flags & YG_SIGMA_RE_I) != 0 ? HS_FLAG_CASELESS : 0) |
	       ((item->regex_flags & YG_SIGMA_RE_M) != 0 ? HS_FLAG_MULTILINE : 0) |
	       ((item->regex_flags & YG_SIGMA_RE_S) != 0 ? HS_FLAG_DOTALL : 0);
}

/* ---- what every match has ---- */

struct walk {
	struct yg_sv s;
	size_t at;
	char *run, *best;
	size_t run_n, best_n, most;
	bool none; /* nothing can be said */
};

static void end_run(struct walk *w)
{
	if (w->run_n > w->best_n) {
		memcpy(w->best, w->run, w->run_n);
		w->best_n = w->run_n;
	}
	w->run_n = 0;
}

/* Behind the class whose bracket is at w->at. */
static void skip_class(struct walk *w)
{
	w->at++;
	if (w->at < w->s.n && w->s.p[w->at] == '^')
		w->at++;
	if (w->at < w->s.n && w->s.p[w->at] == ']')
		w->at++;
	while (w->at < w->s.n && w->s.p[w->at] != ']') {
		bool more = w->at + 1 < w->s.n;
		if (w->s.p[w->at] == '[' && more && w->s.p[w->at + 1] == ':')
			w->none = true; /* [:alpha:] */
		w->at += w->s.p[w->at] == '\\' ? 2 : 1;
	}
	w->at++;
}

/* Behind the group whose bracket is at w->at; its flags may reach on behind it. */
static void skip_group(struct walk *w)
{
	size_t depth = 0;
	w->none = w->none || (w->at + 1 < w->s.n && w->s.p[w->at + 1] == '*');
	while (w->at < w->s.n && !w->none) {
		char c = w->s.p[w->at], next = w->at + 1 < w->s.n ? w->s.p[w->at + 1] : '\0';
		if (c == '[') {
			skip_class(w);
			continue;
		}
		if (c == '\\') {
			w->none = w->none || next == 'Q';
			w->at++;
		} else if (c == '(') {
			depth++;
			w->none = w->none || yg_sv_starts(yg_sv_sub(w->s, w->at, 3), YG_SV("(?#"));
			/* (?i) and (?:...) are common; an x would make spaces vanish */
			size_t end = yg_sv_find(w->s, ')', w->at);
			size_t x = yg_sv_find(w->s, 'x', w->at);
			w->none = w->none ||
				  (next == '?' && x < end && yg_sv_find(w->s, ':', w->at) > x);
		} else if (c == ')' && --depth == 0) {
			w->at++;
			return;
		}
		w->at++;
	}
}

static void put(struct walk *w, char c)
{
	if (w->run_n == w->most)
		end_run(w);
	w->run[w->run_n++] = c;
	w->at++;
}

static void escape(struct walk *w)
{
	char c = w->at + 1 < w->s.n ? w->s.p[w->at + 1] : 'x';
	bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	w->at++;
	if (!word) {
		put(w, c);
		return;
	}
	end_run(w);
	w->at++;
	w->none = w->none || strchr("dDwWsSbBAzZ", c) == NULL;
}

/* "{2,5}"; a brace that is none is left alone. */
static void skip_repeat(struct walk *w)
{
	for (w->at++; w->at < w->s.n && w->s.p[w->at] != '}'; w->at++) {
		char c = w->s.p[w->at];
		w->none = w->none || ((c < '0' || c > '9') && c != ',');
	}
	w->none = w->none || w->at == w->s.n;
	w->at++;
}

/* One atom of the outermost level, or what stands behind it. */
static void step(struct walk *w)
{
	char c = w->s.p[w->at];
	switch (c) {
	case '\\': escape(w); break;
	case '[':
		end_run(w);
		skip_class(w);
		break;
	case '(':
		end_run(w);
		skip_group(w);
		break;
	case '|': w->none = true; break;
	case '*':
	case '?':
	case '{': /* what is before it need not be there */
		w->run_n -= w->run_n > 0;
		end_run(w);
		if (c == '{')
			skip_repeat(w);
		else
			w->at++;
		break;
	case '.':
	case '^':
	case '$':
	case '+':
	case ')':
		end_run(w);
		w->at++;
		break;
	default: put(w, c);
	}
}

struct yg_sv yg_detect_required(struct yg_sv expression, char *buf, size_t most)
{
	char run[256];
	struct walk w = {.s = expression, .run = run, .most = YG_MIN(most, sizeof run)};
	w.best = buf;
	while (w.at < w.s.n && !w.none)
		step(&w);
	end_run(&w);
	return w.none ? (struct yg_sv){"", 0} : (struct yg_sv){buf, w.best_n};
}

/* ---- compiling ---- */

/* What the owner has spent; NULL: it has no owner, or (*ok false) there is no memory. */
static size_t *spent_of(struct yg_detect_builder *b, bool *ok)
{
	*ok = true;
	if (b->owner == YG_DETECT_NOBODY)
		return NULL;
	while (*ok && b->spent.by_owner.n <= b->owner) {
		size_t *slot = yg_vec_add(&b->spent.by_owner, sizeof *slot);
		*ok = slot != NULL;
		if (*ok)
			*slot = 0;
	}
	return *ok ? (size_t *)b->spent.by_owner.p + b->owner : NULL;
}

/* A rule, an owner and all owners have room of their own: what is refused stops nobody else. */
static yg_status spend(struct yg_detect_builder *b, size_t size, size_t line, struct yg_err *err)
{
	bool ok = true;
	size_t *own = spent_of(b, &ok);
	if (!ok)
		return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
	if (b->spent.rule + size > YG_MIN(YG_DETECT_RULE_AUTOMATA, b->memory / 4))
		return YG_FAIL(err, YG_LIMIT,
			       "line %zu: no room for the expression: those of the rule would "
			       "take more than their share of the memory",
			       line);
	if (own != NULL && *own + size > YG_MIN(YG_DETECT_OWNER_AUTOMATA, b->memory / 8))
		return YG_FAIL(
			err, YG_LIMIT,
			"line %zu: no room for the expression: those of the organisation would "
			"take more than their share of the memory",
			line);
	if (own != NULL && b->spent.owners + size > b->memory / 2)
		return YG_FAIL(
			err, YG_LIMIT,
			"line %zu: no room for the expression: those of all organisations would "
			"take more than their share of the memory",
			line);
	if (b->spent.all + size > b->memory / 4 * 3)
		return YG_FAIL(err, YG_LIMIT,
			       "line %zu: no room for the expression: those of all rules would "
			       "take more than their share of the memory",
			       line);
	b->spent.rule += size;
	b->spent.all += size;
	if (own == NULL)
		return YG_OK;
	*own += size;
	b->spent.owners += size;
	return YG_OK;
}

static yg_status keep_automaton(struct yg_detect_builder *b, hs_database_t *db, size_t line,
				struct yg_err *err)
{
	char *bytes = NULL;
	size_t n = 0, size = 0;
	if (hs_database_size(db, &size) != HS_SUCCESS ||
	    hs_serialize_database(db, &bytes, &n) != HS_SUCCESS)
		return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
	yg_status st = YG_OK;
	if (size > YG_DETECT_AUTOMATON_MAX) {
		st = YG_FAIL(err, YG_LIMIT,
			     "line %zu: the expression is refused: it would take %zu bytes, more "
			     "than %d",
			     line, size, YG_DETECT_AUTOMATON_MAX);
	} else {
		st = spend(b, n, line, err);
	}
	if (st == YG_OK) {
		struct yg_detect_text t = yg_detect_keep(b, (struct yg_sv){bytes, n}, false);
		struct yg_detect_text *slot = YG_MORE(b, regexes, struct yg_detect_text);
		hs_database_t **keep = YG_MORE(b, automata, hs_database_t *);
		if (slot == NULL || keep == NULL) {
			st = YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
		} else {
			*slot = t;
			*keep = db;
		}
	}
	free(bytes);
	return st;
}

static yg_status compile(struct yg_detect_builder *b, const char *text, unsigned flags, size_t line,
			 struct yg_err *err)
{
	hs_database_t *db = NULL;
	hs_compile_error_t *why = NULL;
	if (b->spent.rule_count++ >= YG_DETECT_RULE_REGEXES)
		return YG_FAIL(err, YG_LIMIT, "line %zu: the rule has more than %d expressions",
			       line, YG_DETECT_RULE_REGEXES);
	if (yg_env_mono(&b->env).us - b->spent.rule_began.us > YG_DETECT_RULE_US)
		return YG_FAIL(
			err, YG_LIMIT,
			"line %zu: the rule is refused: its expressions take more than %lld s to "
			"compile",
			line, (long long)(YG_DETECT_RULE_US / YG_US_PER_S));
	hs_error_t rc = hs_compile(text, flags, HS_MODE_BLOCK, NULL, &db, &why);
	yg_status st = YG_OK;
	if (rc == HS_COMPILER_ERROR && why != NULL && why->expression >= 0) {
		char quoted[160];
		struct yg_sb q = yg_sb_init(quoted, sizeof quoted);
		yg_sb_put_untrusted(&q, yg_sv_of(why->message));
		st = YG_FAIL(err, YG_PARSE, "line %zu: the expression is refused: %s", line,
			     yg_sb_cstr(&q));
	} else if (rc != HS_SUCCESS) {
		st = YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
	}
	(void)hs_free_compile_error(why);
	if (st == YG_OK)
		st = keep_automaton(b, db, line, err);
	if (st != YG_OK)
		(void)hs_free_database(db);
	return st;
}

yg_status yg_detect_regex(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			  const struct yg_sigma_value *v, uint32_t *out, struct yg_err *err)
{
	unsigned flags = flags_of(item);
	size_t at = SIZE_MAX;
	if (v->text.n > YG_DETECT_REGEX_MAX)
		return YG_FAIL(err, YG_LIMIT, "line %zu: the expression is longer than %d bytes",
			       v->line, YG_DETECT_REGEX_MAX);
	if (memchr(v->text.p, '\0', v->text.n) != NULL)
		return YG_FAIL(err, YG_PARSE, "line %zu: the expression has a zero byte", v->line);
	b->text.n = 0;
	yg_buf_put(&b->text, (struct yg_sv){(const char *)&flags, sizeof flags});
	yg_buf_put(&b->text, v->text);
	yg_buf_putc(&b->text, '\0');
	if (yg_buf_done(&b->text) != YG_OK || !yg_index_room(&b->regex_index))
		return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
	struct yg_sv key = yg_buf_sv(&b->text);
	uint64_t hash = yg_detect_hash(&b->key, 3, key);
	while (yg_index_next(&b->regex_index, hash, &at, out))
		if (yg_sv_eq(yg_detect_kept(&b->keys,
					    *YG_AT(b, regex_keys, struct yg_detect_text, *out)),
			     key))
			return YG_OK;
	yg_status st = compile(b, key.p + sizeof flags, flags, v->line, err);
	if (st != YG_OK)
		return st;
	struct yg_detect_text kept = yg_detect_keep_key(b, key);
	struct yg_detect_text *slot = YG_MORE(b, regex_keys, struct yg_detect_text);
	if (slot == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to compile the rules");
	*slot = kept;
	*out = (uint32_t)b->regexes.n - 1;
	yg_index_put(&b->regex_index, at, hash, *out);
	return YG_OK;
}

/* ---- which tests are taken ---- */

static yg_status check_value(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			     const struct yg_sigma_value *v, struct yg_err *err)
{
	uint32_t number;
	for (size_t p = 0; p < v->pattern_count; p++) {
		size_t bytes = 0, inner = 0;
		for (size_t i = 0; i < v->patterns[p].count; i++) {
			const struct yg_sigma_part *part = &v->patterns[p].parts[i];
			if (part->kind == YG_SIGMA_PLACEHOLDER)
				return YG_FAIL(err, YG_PARSE,
					       "line %zu: the placeholder has no values", v->line);
			inner += part->kind != YG_SIGMA_LITERAL && i > 0 &&
				 i + 1 < v->patterns[p].count;
			bytes += part->text.n;
		}
		if (inner > 0 && bytes > YG_DETECT_WILD_MAX)
			return YG_FAIL(err, YG_LIMIT,
				       "line %zu: longer than %d bytes with wildcards inside",
				       v->line, YG_DETECT_WILD_MAX);
	}
	return v->test == YG_SIGMA_REGEX ? yg_detect_regex(b, item, v, &number, err) : YG_OK;
}

static yg_status check_item(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			    struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t v = 0; st == YG_OK && v < item->value_count; v++)
		st = check_value(b, item, &item->values[v], err);
	return st;
}

yg_status yg_detect_check(struct yg_detect_builder *b, const struct yg_sigma_detection *d,
			  struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t s = 0; s < d->search_count; s++)
		for (size_t m = 0; m < d->searches[s].count; m++)
			for (size_t i = 0; st == YG_OK && i < d->searches[s].maps[m].count; i++)
				st = check_item(b, &d->searches[s].maps[m].items[i], err);
	return st;
}
