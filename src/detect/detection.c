/* detection.c - `detection:` of a rule, `filter:` of a filter: searches and condition. */
#include "detect/read_internal.h"

static yg_status take_bool(struct yg_sigma_reader *r, const struct yg_yaml *n, bool *out)
{
	bool yes = n->kind == YG_YAML_TEXT && yg_sv_ieq(n->text, YG_SV("true"));
	if (!yes && (n->kind != YG_YAML_TEXT || !yg_sv_ieq(n->text, YG_SV("false"))))
		return yg_sigma_fail(r, n, "expected true or false");
	*out = yes;
	return YG_OK;
}

static yg_status take_null(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   const struct yg_sigma_key *key, struct yg_sigma_value *out)
{
	if ((key->set & ~(UINT64_C(1) << YG_SIGMA_M_NEQ)) != 0)
		return yg_sigma_fail(r, n, "null and modifiers do not go together");
	if (key->field.n == 0)
		return yg_sigma_fail(r, n, "null needs a field");
	out->test = YG_SIGMA_NULL;
	return YG_OK;
}

static yg_status take_text(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   const struct yg_sigma_key *key, struct yg_sigma_value *out)
{
	if (key->field.n == 0 && n->text.n == 0)
		return yg_sigma_fail(r, n, "an empty keyword is in every record");
	yg_status st = yg_sigma_patterns(r, n, key, out);
	for (size_t i = 0; st == YG_OK && key->field.n == 0 && i < out->pattern_count; i++)
		if (out->patterns[i].count == 1) /* '*' alone */
			return yg_sigma_fail(r, n, "this keyword is in every record");
	return st;
}

static yg_status take_value(struct yg_sigma_reader *r, const struct yg_yaml *n,
			    const struct yg_sigma_key *key, struct yg_sigma_value *out)
{
	out->line = n->line;
	if (n->kind == YG_YAML_NONE)
		return take_null(r, n, key, out);
	if (n->kind != YG_YAML_TEXT)
		return yg_sigma_fail(r, n, "expected a value, found a map or a list");
	if (n->text.n > YG_SIGMA_TEXT_MAX)
		return yg_sigma_fail(r, n, "longer than %d bytes", YG_SIGMA_TEXT_MAX);
	out->test = key->test;
	out->text = n->text;
	switch (key->test) {
	case YG_SIGMA_EXISTS: return take_bool(r, n, &out->yes);
	case YG_SIGMA_CIDR:
		return yg_ip_prefix_parse(n->text, &out->net, &out->bits, NULL) == YG_OK
			       ? YG_OK
			       : yg_sigma_fail(r, n, "expected a network such as 192.0.2.0/24");
	case YG_SIGMA_NUMBER:
		return yg_sigma_number(n->text, &out->number)
			       ? YG_OK
			       : yg_sigma_fail(r, n, "expected a number");
	case YG_SIGMA_REGEX:
	case YG_SIGMA_FIELD: return n->text.n > 0 ? YG_OK : yg_sigma_fail(r, n, "expected a text");
	default: return take_text(r, n, key, out);
	}
}

static yg_status take_values(struct yg_sigma_reader *r, const struct yg_yaml *n,
			     const struct yg_sigma_key *key, struct yg_sigma_item *item)
{
	bool list = n->kind == YG_YAML_LIST;
	const struct yg_yaml *v = list ? n->first : n;
	size_t count = list ? n->count : 1;
	yg_status st = YG_OK;
	if (count == 0)
		return yg_sigma_fail(r, n, "the list is empty");
	if (count > YG_SIGMA_VALUES_MAX)
		return yg_sigma_fail(r, n, "more than %d values", YG_SIGMA_VALUES_MAX);
	if (item->all && count == 1)
		return yg_sigma_fail(r, n, "'all' needs a list of at least two values");
	if (key->test == YG_SIGMA_EXISTS && list)
		return yg_sigma_fail(r, n, "expected true or false");
	item->values = YG_NEW_N(r->arena, struct yg_sigma_value, count);
	if (item->values == NULL)
		return yg_sigma_nomem(r);
	for (; st == YG_OK && v != NULL; v = list ? v->next : NULL) {
		if (list && v->kind == YG_YAML_NONE)
			return yg_sigma_fail(r, v, "null cannot stand in a list");
		st = take_value(r, v, key, &item->values[item->value_count++]);
	}
	return st;
}

static yg_status take_item(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   struct yg_sigma_item *item)
{
	struct yg_sigma_key key;
	yg_status st = yg_sigma_key_read(r, n, &key, item);
	return st == YG_OK ? take_values(r, n, &key, item) : st;
}

static yg_status take_map(struct yg_sigma_reader *r, const struct yg_yaml *n,
			  struct yg_sigma_map *map)
{
	yg_status st = YG_OK;
	if (n->count == 0)
		return yg_sigma_fail(r, n, "the map is empty");
	map->items = YG_NEW_N(r->arena, struct yg_sigma_item, n->count);
	if (map->items == NULL)
		return yg_sigma_nomem(r);
	for (const struct yg_yaml *k = n->first; st == YG_OK && k != NULL; k = k->next)
		st = take_item(r, k, &map->items[map->count++]);
	return st;
}

/* One text, or a run of them in a list: keywords, OR. */
static yg_status take_keywords(struct yg_sigma_reader *r, const struct yg_yaml *first, size_t count,
			       struct yg_sigma_map *map)
{
	static const struct yg_sigma_key none = {.field = {"", 0}, .test = YG_SIGMA_TEXT};
	struct yg_sigma_item *item = YG_NEW(r->arena, struct yg_sigma_item);
	yg_status st = YG_OK;
	if (item == NULL)
		return yg_sigma_nomem(r);
	*map = (struct yg_sigma_map){item, 1};
	item->field = (struct yg_sv){"", 0};
	item->line = first->line;
	item->compare = YG_SIGMA_EQ;
	item->values = YG_NEW_N(r->arena, struct yg_sigma_value, count);
	if (item->values == NULL)
		return yg_sigma_nomem(r);
	for (const struct yg_yaml *n = first; st == YG_OK && item->value_count < count; n = n->next)
		st = take_value(r, n, &none, &item->values[item->value_count++]);
	return st;
}

static yg_status take_list(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   struct yg_sigma_search *search)
{
	yg_status st = YG_OK;
	if (n->count == 0)
		return yg_sigma_fail(r, n, "the list is empty");
	if (n->count > YG_SIGMA_VALUES_MAX)
		return yg_sigma_fail(r, n, "more than %d values", YG_SIGMA_VALUES_MAX);
	search->maps = YG_NEW_N(r->arena, struct yg_sigma_map, n->count);
	if (search->maps == NULL)
		return yg_sigma_nomem(r);
	for (const struct yg_yaml *v = n->first; st == YG_OK && v != NULL;) {
		struct yg_sigma_map *map = &search->maps[search->count++];
		size_t run = 0;
		const struct yg_yaml *behind = v;
		while (behind != NULL && behind->kind == YG_YAML_TEXT) {
			run++;
			behind = behind->next;
		}
		if (run > 0)
			st = take_keywords(r, v, run, map);
		else if (v->kind == YG_YAML_MAP)
			st = take_map(r, v, map);
		else
			st = yg_sigma_fail(r, v, "expected a keyword or a map");
		v = run > 0 ? behind : v->next;
	}
	return st;
}

static yg_status take_search(struct yg_sigma_reader *r, const struct yg_yaml *n,
			     struct yg_sigma_search *search)
{
	search->name = n->key;
	if (n->key.n == 0 || n->key.n > 256)
		return yg_sigma_fail(r, n, "expected a name of 1 to 256 bytes");
	if (n->kind == YG_YAML_LIST)
		return take_list(r, n, search);
	search->maps = YG_NEW(r->arena, struct yg_sigma_map);
	if (search->maps == NULL)
		return yg_sigma_nomem(r);
	search->count = 1;
	if (n->kind == YG_YAML_MAP)
		return take_map(r, n, search->maps);
	if (n->kind == YG_YAML_TEXT)
		return take_keywords(r, n, 1, search->maps);
	return yg_sigma_fail(r, n, "the search is empty");
}

static bool has_placeholder(const struct yg_sigma_item *item)
{
	for (size_t v = 0; v < item->value_count; v++)
		for (size_t p = 0; p < item->values[v].pattern_count; p++)
			for (size_t i = 0; i < item->values[v].patterns[p].count; i++)
				if (item->values[v].patterns[p].parts[i].kind ==
				    YG_SIGMA_PLACEHOLDER)
					return true;
	return false;
}

static bool search_has_placeholder(const struct yg_sigma_search *s)
{
	for (size_t m = 0; m < s->count; m++)
		for (size_t i = 0; i < s->maps[m].count; i++)
			if (has_placeholder(&s->maps[m].items[i]))
				return true;
	return false;
}

yg_status yg_sigma_detection_read(struct yg_sigma_reader *r, const struct yg_yaml *n, bool filter,
				  struct yg_sigma_detection *out)
{
	const struct yg_yaml *condition = yg_yaml_get(n, "condition");
	yg_status st = YG_OK;
	if (n->kind != YG_YAML_MAP)
		return yg_sigma_fail(r, n, "expected searches and a condition");
	if (condition == NULL)
		return yg_sigma_fail(r, n, "the key 'condition' is missing");
	out->searches = YG_NEW_N(r->arena, struct yg_sigma_search, n->count);
	if (out->searches == NULL)
		return yg_sigma_nomem(r);
	for (const struct yg_yaml *k = n->first; st == YG_OK && k != NULL; k = k->next) {
		if (k == condition || (filter && YG_SV_IS(k->key, "rules")))
			continue;
		if (YG_SV_IS(k->key, "timeframe"))
			return yg_sigma_fail(
				r, k, "is not part of Sigma 2; a correlation has 'timespan'");
		struct yg_sigma_search *s = &out->searches[out->search_count++];
		st = take_search(r, k, s);
		if (st == YG_OK && search_has_placeholder(s))
			out->placeholders = true;
	}
	if (st == YG_OK && out->search_count == 0)
		return yg_sigma_fail(r, n, "no search stands here");
	return st == YG_OK ? yg_sigma_condition(r, condition, out) : st;
}
