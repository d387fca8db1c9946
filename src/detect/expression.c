/* expression.c - patterns as regular expressions, and which expressions are taken. */
#include "detect/build_internal.h"

void yg_detect_expression_put(struct yg_buf *out, const struct yg_sigma_pattern *p)
{
	out->n = 0;
	if (p->count == 0 || p->parts[0].kind != YG_SIGMA_ANY)
		yg_buf_put(out, YG_SV("\\A"));
	for (size_t i = 0; i < p->count; i++) {
		struct yg_sv t = p->parts[i].text;
		switch (p->parts[i].kind) {
		case YG_SIGMA_ANY:
			if ((i > 0 && i + 1 < p->count) || p->count == 1)
				yg_buf_put(out, YG_SV(".*"));
			break;
		case YG_SIGMA_ONE: yg_buf_put(out, YG_SV("[^\\x80-\\xbf][\\x80-\\xbf]*")); break;
		case YG_SIGMA_DASH:
			yg_buf_put(out, YG_SV("(?:[-/]|\\xe2\\x80[\\x93-\\x95])"));
			break;
		default:
			for (size_t j = 0; j < t.n; j++) {
				unsigned char c = yg_detect_low((unsigned char)t.p[j]);
				bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
				if (plain)
					yg_buf_putc(out, t.p[j]);
				else
					yg_buf_printf(out, "\\x%02x", (unsigned char)t.p[j]);
			}
		}
	}
	if (p->count == 0 || p->parts[p->count - 1].kind != YG_SIGMA_ANY)
		yg_buf_put(out, YG_SV("\\z"));
	yg_buf_putc(out, '\0');
}

unsigned yg_detect_expression_flags(const struct yg_sigma_item *item, enum yg_sigma_test test)
{
	unsigned flags = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;
	if (test != YG_SIGMA_REGEX)
		return flags | HS_FLAG_DOTALL | (item->cased ? 0 : HS_FLAG_CASELESS);
	return flags | ((item->regex_flags & YG_SIGMA_RE_I) != 0 ? HS_FLAG_CASELESS : 0) |
	       ((item->regex_flags & YG_SIGMA_RE_M) != 0 ? HS_FLAG_MULTILINE : 0) |
	       ((item->regex_flags & YG_SIGMA_RE_S) != 0 ? HS_FLAG_DOTALL : 0);
}

static yg_status try_one(const char *text, unsigned flags, size_t line, struct yg_err *err)
{
	hs_database_t *db = NULL;
	hs_compile_error_t *why = NULL;
	hs_error_t rc = hs_compile(text, flags, HS_MODE_BLOCK, NULL, &db, &why);
	yg_status st = YG_OK;
	if (rc == HS_COMPILER_ERROR && why != NULL && why->expression >= 0) {
		char quoted[160];
		struct yg_sb q = yg_sb_init(quoted, sizeof quoted);
		yg_sb_put_untrusted(&q, yg_sv_of(why->message));
		st = YG_FAIL(err, YG_PARSE, "line %zu: the expression is refused: %s", line,
			     yg_sb_cstr(&q));
	} else if (rc != HS_SUCCESS) {
		st = YG_FAIL(err, YG_NOMEM, "no memory to compile a rule");
	}
	(void)hs_free_compile_error(why);
	(void)hs_free_database(db);
	return st;
}

static yg_status check_pattern(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			       const struct yg_sigma_value *v, const struct yg_sigma_pattern *p,
			       struct yg_err *err)
{
	size_t wild = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (p->parts[i].kind == YG_SIGMA_PLACEHOLDER)
			return YG_FAIL(err, YG_PARSE, "line %zu: the placeholder has no values",
				       v->line);
		wild += p->parts[i].kind != YG_SIGMA_LITERAL;
	}
	if (wild == 0 && item->field.n > 0)
		return YG_OK;
	yg_detect_expression_put(&b->text, p);
	if (yg_buf_done(&b->text) != YG_OK)
		return YG_FAIL(err, YG_NOMEM, "no memory to compile a rule");
	if (b->text.n > YG_DETECT_REGEX_MAX)
		return YG_FAIL(err, YG_LIMIT, "line %zu: too long for a text with wildcards",
			       v->line);
	return wild > 8
		       ? try_one(b->text.p, yg_detect_expression_flags(item, v->test), v->line, err)
		       : YG_OK;
}

static yg_status check_value(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			     const struct yg_sigma_value *v, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < v->pattern_count; i++)
		st = check_pattern(b, item, v, &v->patterns[i], err);
	if (v->test != YG_SIGMA_REGEX)
		return st;
	if (v->text.n > YG_DETECT_REGEX_MAX || memchr(v->text.p, '\0', v->text.n) != NULL)
		return YG_FAIL(err, YG_LIMIT, "line %zu: the expression is too long", v->line);
	return try_one(v->text.p, yg_detect_expression_flags(item, v->test), v->line, err);
}

static yg_status check_item(struct yg_detect_builder *b, const struct yg_sigma_item *item,
			    struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t v = 0; st == YG_OK && v < item->value_count; v++)
		st = check_value(b, item, &item->values[v], err);
	return st;
}

yg_status yg_detect_check(struct yg_detect_builder *b, const struct yg_sigma_rule *rule,
			  struct yg_err *err)
{
	const struct yg_sigma_detection *d = &rule->detection;
	yg_status st = YG_OK;
	if (rule->kind != YG_SIGMA_RULE)
		return YG_FAIL(err, YG_PARSE, "line %zu: not a rule by itself", rule->line);
	for (size_t s = 0; s < d->search_count; s++)
		for (size_t m = 0; m < d->searches[s].count; m++)
			for (size_t i = 0; st == YG_OK && i < d->searches[s].maps[m].count; i++)
				st = check_item(b, &d->searches[s].maps[m].items[i], err);
	return st;
}
