/* read.c - a file's documents, and what every kind of document has. */
#include "detect/read.h"

#include <stdio.h>

#include "detect/read_internal.h"

const char *yg_sigma_quoted(struct yg_sigma_quote *q, struct yg_sv s)
{
	struct yg_sb b = yg_sb_init(q->text, sizeof q->text);
	yg_sb_put_untrusted(&b, yg_sv_sub(s, 0, 48));
	return yg_sb_cstr(&b);
}

yg_status yg_sigma_fail(struct yg_sigma_reader *r, const struct yg_yaml *n, const char *fmt, ...)
{
	struct yg_sigma_quote q;
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->line = n->line;
	if (n->key.n > 0)
		return YG_FAIL(r->err, YG_PARSE, "%s: %s", yg_sigma_quoted(&q, n->key), text);
	return YG_FAIL(r->err, YG_PARSE, "%s", text);
}

yg_status yg_sigma_nomem(struct yg_sigma_reader *r)
{
	return YG_FAIL(r->err, YG_NOMEM, "no memory to read %s", r->file);
}

yg_status yg_sigma_text(struct yg_sigma_reader *r, const struct yg_yaml *n, size_t most,
			struct yg_sv *out)
{
	if (n->kind != YG_YAML_TEXT || n->text.n == 0)
		return yg_sigma_fail(r, n, "expected a text");
	if (n->text.n > most)
		return yg_sigma_fail(r, n, "longer than %zu bytes", most);
	*out = n->text;
	return YG_OK;
}

yg_status yg_sigma_texts(struct yg_sigma_reader *r, const struct yg_yaml *n, size_t most,
			 struct yg_sigma_list *out)
{
	bool list = n->kind == YG_YAML_LIST;
	size_t count = list ? n->count : 1;
	yg_status st = YG_OK;
	if (count == 0 || count > most)
		return yg_sigma_fail(r, n, "expected a list of 1 to %zu texts", most);
	struct yg_sv *texts = YG_NEW_N(r->arena, struct yg_sv, count);
	if (texts == NULL)
		return yg_sigma_nomem(r);
	size_t i = 0;
	for (const struct yg_yaml *v = list ? n->first : n; st == YG_OK && v != NULL;
	     v = list ? v->next : NULL)
		st = yg_sigma_text(r, v, YG_SIGMA_TEXT_MAX, &texts[i++]);
	if (st == YG_OK)
		*out = (struct yg_sigma_list){texts, count};
	return st;
}

/* ---- what every kind has ---- */

static const struct meta {
	const char *key;
	size_t at, most;
} texts[] = {
	{"title", offsetof(struct yg_sigma_rule, title), YG_SIGMA_TITLE_MAX},
	{"id", offsetof(struct yg_sigma_rule, id), 256},
	{"name", offsetof(struct yg_sigma_rule, name), 256},
	{"description", offsetof(struct yg_sigma_rule, description), YG_SIGMA_TEXT_MAX},
	{"author", offsetof(struct yg_sigma_rule, author), YG_SIGMA_TEXT_MAX},
	{"date", offsetof(struct yg_sigma_rule, date), 64},
	{"modified", offsetof(struct yg_sigma_rule, modified), 64},
};
static const struct meta lists[] = {
	{"tags", offsetof(struct yg_sigma_rule, tags), YG_SIGMA_LIST_MAX},
	{"references", offsetof(struct yg_sigma_rule, references), YG_SIGMA_LIST_MAX},
	{"falsepositives", offsetof(struct yg_sigma_rule, falsepositives), YG_SIGMA_LIST_MAX},
	{"fields", offsetof(struct yg_sigma_rule, fields), YG_SIGMA_LIST_MAX},
};

/* The word at `n` as its place in `words`, of which the first is none. */
static yg_status take_word(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   const char *const *words, size_t count, unsigned *out)
{
	struct yg_sv text;
	struct yg_sigma_quote q;
	*out = 0;
	if (n == NULL)
		return YG_OK;
	yg_status st = yg_sigma_text(r, n, 64, &text);
	for (unsigned i = 1; st == YG_OK && i < count; i++)
		if (yg_sv_eq(text, yg_sv_of(words[i]))) {
			*out = i;
			return YG_OK;
		}
	return st != YG_OK ? st
			   : yg_sigma_fail(r, n, "there is no such word '%s'",
					   yg_sigma_quoted(&q, text));
}

static yg_status take_words(struct yg_sigma_reader *r, const struct yg_yaml *doc,
			    struct yg_sigma_rule *rule)
{
	static const char *const statuses[] = {"",           "stable",     "test", "experimental",
					       "deprecated", "unsupported"};
	static const char *const levels[] = {"",       "informational", "low",
					     "medium", "high",          "critical"};
	unsigned status = 0, level = 0;
	yg_status st =
		take_word(r, yg_yaml_get(doc, "status"), statuses, YG_LEN(statuses), &status);
	if (st == YG_OK)
		st = take_word(r, yg_yaml_get(doc, "level"), levels, YG_LEN(levels), &level);
	rule->status = (enum yg_sigma_status)status;
	rule->level = (enum yg_sigma_level)level;
	return st;
}

static yg_status take_meta(struct yg_sigma_reader *r, const struct yg_yaml *doc,
			   struct yg_sigma_rule *rule)
{
	yg_status st = take_words(r, doc, rule);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(texts); i++) {
		const struct yg_yaml *n = yg_yaml_get(doc, texts[i].key);
		struct yg_sv *to = (struct yg_sv *)(void *)((char *)rule + texts[i].at);
		*to = (struct yg_sv){"", 0};
		if (n != NULL && n->kind != YG_YAML_NONE)
			st = yg_sigma_text(r, n, texts[i].most, to);
	}
	for (size_t i = 0; st == YG_OK && i < YG_LEN(lists); i++) {
		const struct yg_yaml *n = yg_yaml_get(doc, lists[i].key);
		if (n != NULL && n->kind != YG_YAML_NONE)
			st = yg_sigma_texts(r, n, lists[i].most,
					    (void *)((char *)rule + lists[i].at));
	}
	if (st == YG_OK && rule->title.n == 0)
		return yg_sigma_fail(r, doc, "the key 'title' is missing");
	return st;
}

/* ---- kinds ---- */

static yg_status take_source(struct yg_sigma_reader *r, const struct yg_yaml *doc,
			     struct yg_sigma_rule *rule)
{
	static const char *const keys[] = {"category", "product", "service"};
	struct yg_sv *const to[] = {&rule->category, &rule->product, &rule->service};
	const struct yg_yaml *n = yg_yaml_get(doc, "logsource");
	yg_status st = YG_OK;
	if (n == NULL)
		return yg_sigma_fail(r, doc, "the key 'logsource' is missing");
	if (n->kind != YG_YAML_MAP)
		return yg_sigma_fail(r, n, "expected category, product or service");
	for (size_t i = 0; st == YG_OK && i < YG_LEN(keys); i++) {
		const struct yg_yaml *k = yg_yaml_get(n, keys[i]);
		if (k != NULL)
			st = yg_sigma_text(r, k, 128, to[i]);
	}
	return st;
}

static yg_status take_filter(struct yg_sigma_reader *r, const struct yg_yaml *n,
			     struct yg_sigma_rule *rule)
{
	const struct yg_yaml *rules = yg_yaml_get(n, "rules");
	if (n->kind != YG_YAML_MAP || rules == NULL)
		return yg_sigma_fail(r, n, "expected the key 'rules'");
	rule->filters_all = rules->kind == YG_YAML_TEXT && YG_SV_IS(rules->text, "any");
	yg_status st = rule->filters_all
			       ? YG_OK
			       : yg_sigma_texts(r, rules, YG_SIGMA_VALUES_MAX, &rule->filtered);
	return st == YG_OK ? yg_sigma_detection_read(r, n, true, &rule->detection) : st;
}

static yg_status take_document(struct yg_sigma_reader *r, const struct yg_yaml *doc,
			       struct yg_sigma_rule *rule)
{
	static const char *const kinds[] = {"detection", "correlation", "filter"};
	const struct yg_yaml *action = yg_yaml_get(doc, "action"), *body = NULL;
	struct yg_sigma_quote q;
	if (doc->kind != YG_YAML_MAP)
		return yg_sigma_fail(r, doc, "expected a rule: keys and their values");
	if (action != NULL)
		return yg_sigma_fail(r, action,
				     "'%s' is not part of Sigma 2: write each rule out, "
				     "or a correlation or a filter",
				     yg_sigma_quoted(&q, action->text));
	rule->line = doc->line;
	for (unsigned i = 0; i < YG_LEN(kinds); i++) {
		const struct yg_yaml *n = yg_yaml_get(doc, kinds[i]);
		if (n != NULL && body != NULL)
			return yg_sigma_fail(r, n,
					     "a document is one of rule, correlation, filter");
		if (n != NULL) {
			body = n;
			rule->kind = (enum yg_sigma_kind)(i + YG_SIGMA_RULE);
		}
	}
	if (body == NULL)
		return yg_sigma_fail(r, doc, "expected the key detection, correlation or filter");
	rule->category = rule->product = rule->service = (struct yg_sv){"", 0};
	yg_status st = take_meta(r, doc, rule);
	if (st != YG_OK)
		return st;
	if (rule->kind == YG_SIGMA_CORRELATION)
		return yg_sigma_correlation_read(r, doc, body, &rule->correlation);
	st = take_source(r, doc, rule);
	if (st != YG_OK)
		return st;
	return rule->kind == YG_SIGMA_FILTER
		       ? take_filter(r, body, rule)
		       : yg_sigma_detection_read(r, body, false, &rule->detection);
}

yg_status yg_sigma_read(struct yg_sv yaml, const char *file_name, yg_sigma_report_fn *report,
			void *ctx, struct yg_arena *arena, struct yg_sigma_file *out,
			struct yg_err *err)
{
	static const struct yg_yaml_limits limits = {YG_SIGMA_NODES_MAX, YG_SIGMA_DEPTH_MAX,
						     YG_SIGMA_DOCUMENTS_MAX};
	struct yg_err own = {.code = YG_OK};
	struct yg_sigma_reader r = {.file = file_name, .arena = arena, .err = &own};
	const struct yg_yaml *first = NULL;
	struct yg_sigma_file f = {.rules = NULL};
	size_t documents = 0;
	if (yaml.n > YG_SIGMA_FILE_MAX)
		return YG_FAIL(err, YG_LIMIT, "%s: larger than %d bytes", file_name,
			       YG_SIGMA_FILE_MAX);
	yg_status st = yg_yaml_read_documents(yaml, file_name, &limits, arena, &first, err);
	if (st != YG_OK)
		return st;
	for (const struct yg_yaml *doc = first; doc != NULL; doc = doc->next)
		documents++;
	f.rules = YG_NEW_N(arena, struct yg_sigma_rule, documents + 1);
	if (f.rules == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory to read %s", file_name);
	for (const struct yg_yaml *doc = first; doc != NULL; doc = doc->next) {
		struct yg_sigma_rule *rule = &f.rules[f.count];
		if (doc->kind == YG_YAML_NONE) /* nothing between two '---' */
			continue;
		*rule = (struct yg_sigma_rule){.kind = YG_SIGMA_RULE};
		st = take_document(&r, doc, rule);
		if (st == YG_NOMEM)
			return YG_FAIL(err, YG_NOMEM, "no memory to read %s", file_name);
		if (st == YG_OK) {
			f.count++;
			continue;
		}
		f.refused++;
		if (report != NULL)
			report(ctx, file_name, r.line, own.msg);
	}
	*out = f;
	return YG_OK;
}

static bool negates(const struct yg_sigma_detection *d)
{
	for (size_t i = 0; i < d->step_count; i++)
		if (d->steps[i].kind == YG_SIGMA_NOT)
			return true;
	for (size_t s = 0; s < d->search_count; s++)
		for (size_t m = 0; m < d->searches[s].count; m++)
			for (size_t i = 0; i < d->searches[s].maps[m].count; i++)
				if (d->searches[s].maps[m].items[i].neq)
					return true;
	return false;
}

const char *yg_sigma_doubt(const struct yg_sigma_rule *rule)
{
	if (rule->kind == YG_SIGMA_FILTER && !negates(&rule->detection))
		return "the filter excludes nothing by 'not': its rules tell of what it selects alone";
	if (rule->kind == YG_SIGMA_CORRELATION &&
	    rule->correlation.type == YG_SIGMA_VALUE_PERCENTILE &&
	    !rule->correlation.percentile_said)
		return "no percentile is said: the median of the numbers is compared";
	return NULL;
}
