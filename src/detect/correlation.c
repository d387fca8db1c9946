/* correlation.c - `correlation:` of a document. */
#include "detect/read_internal.h"

static const struct {
	const char *name;
	bool field; /* it counts values of a field */
} types[] = {
	[YG_SIGMA_EVENT_COUNT] = {"event_count", false},
	[YG_SIGMA_VALUE_COUNT] = {"value_count", true},
	[YG_SIGMA_VALUE_SUM] = {"value_sum", true},
	[YG_SIGMA_VALUE_AVG] = {"value_avg", true},
	[YG_SIGMA_VALUE_PERCENTILE] = {"value_percentile", true},
	[YG_SIGMA_VALUE_MEDIAN] = {"value_median", true},
	[YG_SIGMA_TEMPORAL] = {"temporal", false},
	[YG_SIGMA_TEMPORAL_ORDERED] = {"temporal_ordered", false},
};

static bool is_temporal(const struct yg_sigma_correlation *c)
{
	return c->type == YG_SIGMA_TEMPORAL || c->type == YG_SIGMA_TEMPORAL_ORDERED;
}

static yg_status take_type(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   struct yg_sigma_correlation *c)
{
	struct yg_sv text;
	struct yg_sigma_quote q;
	yg_status st = yg_sigma_text(r, n, 64, &text);
	if (st != YG_OK)
		return st;
	for (unsigned i = YG_SIGMA_EVENT_COUNT; i < YG_LEN(types); i++)
		if (yg_sv_eq(text, yg_sv_of(types[i].name))) {
			c->type = (enum yg_sigma_correlation_type)i;
			return YG_OK;
		}
	return yg_sigma_fail(r, n, "there is no type '%s'", yg_sigma_quoted(&q, text));
}

/* "90m": a number and s, m, h or d. */
static yg_status take_span(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   struct yg_sigma_correlation *c)
{
	struct yg_sv text;
	uint64_t number = 0;
	int64_t unit = 0;
	yg_status st = yg_sigma_text(r, n, 32, &text);
	if (st != YG_OK)
		return st;
	switch (text.p[text.n - 1]) {
	case 's': unit = 1; break;
	case 'm': unit = 60; break;
	case 'h': unit = 3600; break;
	case 'd': unit = 86400; break;
	default: break;
	}
	if (unit == 0 || yg_parse_u64(yg_sv_sub(text, 0, text.n - 1), &number, NULL) != YG_OK ||
	    number == 0)
		return yg_sigma_fail(r, n, "expected a number and s, m, h or d");
	if (number > UINT64_C(366) * 86400 / (uint64_t)unit)
		return yg_sigma_fail(r, n, "longer than 366 days");
	c->span_us = (int64_t)number * unit * 1000000;
	return YG_OK;
}

static yg_status take_list(struct yg_sigma_reader *r, const struct yg_yaml *n, size_t most,
			   struct yg_sv **out, size_t *out_count)
{
	struct yg_sigma_list list = {NULL, 0};
	yg_status st = yg_sigma_texts(r, n, most, &list);
	for (size_t i = 0; st == YG_OK && i < list.count; i++)
		for (size_t j = 0; j < i; j++)
			if (yg_sv_eq(list.texts[i], list.texts[j]))
				return yg_sigma_fail(r, n, "one of them stands twice");
	*out = list.texts;
	*out_count = list.count;
	return st;
}

static bool refers_to(const struct yg_sigma_correlation *c, struct yg_sv rule)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if (yg_sv_eq(c->rules[i], rule))
			return true;
	return false;
}

/* aliases: {name: {rule: field}}; `rules` is read already. */
static yg_status take_aliases(struct yg_sigma_reader *r, const struct yg_yaml *n,
			      struct yg_sigma_correlation *c)
{
	yg_status st = YG_OK;
	size_t most = YG_SIGMA_ALIASES_MAX * YG_SIGMA_RULES_MAX;
	if (n->kind != YG_YAML_MAP || n->count > YG_SIGMA_ALIASES_MAX)
		return yg_sigma_fail(r, n, "expected a map of at most %d aliases",
				     YG_SIGMA_ALIASES_MAX);
	for (const struct yg_yaml *a = n->first; a != NULL; a = a->next) {
		if (a->kind != YG_YAML_MAP || a->count == 0 || a->count > YG_SIGMA_RULES_MAX)
			return yg_sigma_fail(r, a, "expected rules and their fields");
		c->alias_count += a->count;
	}
	c->aliases = YG_NEW_N(r->arena, struct yg_sigma_alias, YG_MIN(c->alias_count, most));
	if (c->aliases == NULL)
		return yg_sigma_nomem(r);
	c->alias_count = 0;
	for (const struct yg_yaml *a = n->first; a != NULL; a = a->next)
		for (const struct yg_yaml *f = a->first; st == YG_OK && f != NULL; f = f->next) {
			struct yg_sigma_alias *to = &c->aliases[c->alias_count++];
			if (!refers_to(c, f->key))
				return yg_sigma_fail(r, f, "the correlation has no such rule");
			to->name = a->key;
			to->rule = f->key;
			st = yg_sigma_text(r, f, 256, &to->field);
		}
	return st;
}

static yg_status take_criterion(struct yg_sigma_reader *r, const struct yg_yaml *n,
				struct yg_sigma_correlation *c)
{
	static const char *const words[] = {
		[YG_SIGMA_EQ] = "eq", [YG_SIGMA_LT] = "lt",   [YG_SIGMA_LTE] = "lte",
		[YG_SIGMA_GT] = "gt", [YG_SIGMA_GTE] = "gte", [YG_SIGMA_NEQ] = "neq"};
	for (unsigned i = YG_SIGMA_EQ; i < YG_LEN(words); i++) {
		struct yg_sigma_criterion *to = &c->criteria[c->criterion_count];
		if (!yg_sv_eq(n->key, yg_sv_of(words[i])))
			continue;
		if (n->kind != YG_YAML_TEXT || !yg_sigma_number(n->text, &to->number))
			return yg_sigma_fail(r, n, "expected a number");
		to->compare = (enum yg_sigma_compare)i;
		c->criterion_count++;
		return YG_OK;
	}
	return yg_sigma_fail(r, n, "expected gt, gte, lt, lte, eq, neq, field or percentile");
}

static yg_status take_condition(struct yg_sigma_reader *r, const struct yg_yaml *n,
				struct yg_sigma_correlation *c)
{
	yg_status st = YG_OK;
	if (n->kind != YG_YAML_MAP)
		return yg_sigma_fail(r, n, "expected a map such as 'gte: 10'");
	for (const struct yg_yaml *k = n->first; st == YG_OK && k != NULL; k = k->next) {
		if (YG_SV_IS(k->key, "field")) {
			st = take_list(r, k, YG_SIGMA_GROUP_MAX, &c->fields, &c->field_count);
		} else if (YG_SV_IS(k->key, "percentile")) {
			if (c->type != YG_SIGMA_VALUE_PERCENTILE || k->kind != YG_YAML_TEXT ||
			    !yg_sigma_number(k->text, &c->percentile) || c->percentile < 0 ||
			    c->percentile > 100)
				return yg_sigma_fail(r, k,
						     "expected 0 to 100, of a value_percentile");
			c->percentile_said = true;
		} else {
			st = take_criterion(r, k, c);
		}
	}
	return st;
}

static yg_status take_generate(struct yg_sigma_reader *r, const struct yg_yaml *n,
			       struct yg_sigma_correlation *c)
{
	c->generate = n->kind == YG_YAML_TEXT && yg_sv_ieq(n->text, YG_SV("true"));
	return c->generate || (n->kind == YG_YAML_TEXT && yg_sv_ieq(n->text, YG_SV("false")))
		       ? YG_OK
		       : yg_sigma_fail(r, n, "expected true or false");
}

/* What the type needs of the rest. */
static yg_status check(struct yg_sigma_reader *r, const struct yg_yaml *n,
		       const struct yg_sigma_correlation *c)
{
	bool field = types[c->type].field;
	if (c->span_us == 0)
		return yg_sigma_fail(r, n, "the key 'timespan' is missing");
	if (!is_temporal(c) && c->criterion_count == 0)
		return yg_sigma_fail(r, n, "'condition' needs a number to compare with");
	if (field && c->field_count == 0)
		return yg_sigma_fail(r, n, "'condition' needs the key 'field'");
	if (!field && c->field_count > 0)
		return yg_sigma_fail(r, n, "'field' is for value_* only");
	if (field && c->type != YG_SIGMA_VALUE_COUNT && c->field_count > 1)
		return yg_sigma_fail(r, n, "only value_count has several fields");
	if (is_temporal(c) && c->rule_count < 2)
		return yg_sigma_fail(r, n, "needs at least two rules");
	return YG_OK;
}

yg_status yg_sigma_correlation_read(struct yg_sigma_reader *r, const struct yg_yaml *doc,
				    const struct yg_yaml *n, struct yg_sigma_correlation *out)
{
	static const char *const order[] = {"type",    "rules",     "group-by", "timespan",
					    "aliases", "condition", "generate"};
	const struct yg_yaml *at[YG_LEN(order)];
	if (n->kind != YG_YAML_MAP)
		return yg_sigma_fail(r, n, "expected keys below it");
	for (size_t i = 0; i < YG_LEN(order); i++)
		at[i] = yg_yaml_get(n, order[i]);
	for (const struct yg_yaml *k = n->first; k != NULL; k = k->next) {
		bool known = false;
		for (size_t i = 0; i < YG_LEN(order); i++)
			known = known || at[i] == k;
		if (!known)
			return yg_sigma_fail(r, k, "there is no such key in a correlation");
	}
	if (at[6] == NULL) /* the specification has it beside, its examples within */
		at[6] = yg_yaml_get(doc, "generate");
	if (at[0] == NULL || at[1] == NULL)
		return yg_sigma_fail(r, n, "the keys 'type' and 'rules' are needed");
	out->percentile = 50;
	yg_status st = take_type(r, at[0], out);
	if (st == YG_OK)
		st = take_list(r, at[1], YG_SIGMA_RULES_MAX, &out->rules, &out->rule_count);
	if (st == YG_OK && at[2] != NULL)
		st = take_list(r, at[2], YG_SIGMA_GROUP_MAX, &out->group_by, &out->group_count);
	if (st == YG_OK && at[3] != NULL)
		st = take_span(r, at[3], out);
	if (st == YG_OK && at[4] != NULL)
		st = take_aliases(r, at[4], out);
	if (st == YG_OK && at[5] != NULL)
		st = take_condition(r, at[5], out);
	if (st == YG_OK && at[6] != NULL)
		st = take_generate(r, at[6], out);
	return st == YG_OK ? check(r, n, out) : st;
}
