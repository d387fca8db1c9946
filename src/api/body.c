#include "api/body.h"

#include "api/router.h"

#define BODY_NODES_MAX 32768

void yg_body_free(struct yg_body *b)
{
	yg_json_free(&b->json);
}

struct place { /* where in the body, for the pointer of a fault */
	struct yg_request *q;
	const struct yg_body *b;
	const char *before;
	struct yg_sv name;
};

static void fault(const struct place *at, const char *code, const char *text)
{
	char pointer[160];
	struct yg_sb s = yg_sb_init(pointer, sizeof pointer);
	yg_sb_put(&s, yg_sv_of(at->before));
	if (at->name.p != NULL) {
		yg_sb_putc(&s, '/');
		yg_sb_put(&s, yg_sv_sub(at->name, 0, 100));
	}
	yg_request_error(at->q, code, yg_sb_sv(&s), "%s", text);
}

static bool text_ok(const struct place *at, const struct yg_field *f, struct yg_sv s)
{
	if (s.p == NULL || memchr(s.p, 0, s.n) != NULL) {
		fault(at, "bad_text", "a NUL character is not allowed");
		return false;
	}
	if (f->max > 0 && ((int64_t)s.n < f->min || (int64_t)s.n > f->max)) {
		fault(at, "out_of_range", s.n < (size_t)f->min ? "too short" : "too long");
		return false;
	}
	if (f->kind == YG_F_TEXT && f->words != NULL && !yg_words_have(f->words, s)) {
		char text[200];
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_printf(&b, "expected one of: %.150s", f->words);
		fault(at, "unknown_value", yg_sb_cstr(&b));
		return false;
	}
	return true;
}

static void take_int(const struct place *at, const struct yg_field *f, uint32_t node,
		     struct yg_value *v)
{
	struct yg_sv raw = yg_json_raw(&at->b->json, node);
	if (yg_json_at(&at->b->json, node)->type != YG_JSON_NUMBER ||
	    yg_parse_i64(raw, &v->number, NULL) != YG_OK)
		fault(at, "bad_type", "expected a whole number");
	else if (v->number < f->min || v->number > f->max)
		fault(at, "out_of_range", "the number is out of range");
}

static void take_texts(const struct place *at, const struct yg_field *f, uint32_t node,
		       struct yg_value *v)
{
	const struct yg_json *j = &at->b->json;
	uint32_t n = yg_json_at(j, node)->n;
	if (yg_json_at(j, node)->type != YG_JSON_ARRAY) {
		fault(at, "bad_type", "expected a list of texts");
		return;
	}
	if ((int64_t)n < f->min || (int64_t)n > f->max) {
		fault(at, "out_of_range", "too few or too many elements");
		return;
	}
	v->texts = YG_NEW_N(at->q->arena, struct yg_sv, n + 1);
	for (uint32_t i = node + 1; v->texts != NULL && v->text_count < n;
	     i = yg_json_at(j, i)->next) {
		struct yg_sv s = yg_json_str(j, i, at->q->arena);
		if (yg_json_at(j, i)->type != YG_JSON_STRING || s.p == NULL || s.n > 8192 ||
		    memchr(s.p, 0, s.n) != NULL) {
			fault(at, "bad_type", "expected a list of texts");
			return;
		}
		v->texts[v->text_count++] = s;
	}
}

static void take(const struct place *at, const struct yg_field *f, uint32_t node,
		 struct yg_value *v)
{
	const struct yg_json *j = &at->b->json;
	uint8_t type = yg_json_at(j, node)->type;
	struct yg_sv s;
	yg_wall t;
	v->given = true;
	if (type == YG_JSON_NULL) {
		v->null = true;
		if ((f->flags & YG_F_NULL) == 0)
			fault(at, "bad_type", "null is not allowed here");
		return;
	}
	switch (f->kind) {
	case YG_F_TEXT:
	case YG_F_TIME:
		s = yg_json_str(j, node, at->q->arena);
		if (type != YG_JSON_STRING) {
			fault(at, "bad_type", "expected a text");
		} else if (f->kind == YG_F_TEXT) {
			if (text_ok(at, f, s))
				v->text = s;
		} else if (yg_time_parse(s, &t, NULL) != YG_OK) {
			fault(at, "bad_time", "expected a time as 2026-01-02T03:04:05Z");
		} else {
			v->number = t.us;
		}
		return;
	case YG_F_INT: take_int(at, f, node, v); return;
	case YG_F_BOOL:
		if (type != YG_JSON_TRUE && type != YG_JSON_FALSE)
			fault(at, "bad_type", "expected true or false");
		v->truth = type == YG_JSON_TRUE;
		return;
	case YG_F_TEXTS: take_texts(at, f, node, v); return;
	case YG_F_OBJECT:
		if (type != YG_JSON_OBJECT)
			fault(at, "bad_type", "expected an object");
		else
			v->node = node;
		return;
	case YG_F_LIST:
		if (type != YG_JSON_ARRAY)
			fault(at, "bad_type", "expected a list");
		else if (yg_json_at(j, node)->n < f->min || yg_json_at(j, node)->n > f->max)
			fault(at, "out_of_range", "too few or too many elements");
		else
			v->node = node;
		v->number = yg_json_at(j, node)->n;
		return;
	}
}

yg_status yg_body_read_at(struct yg_body *b, struct yg_request *q, uint32_t node,
			  const char *pointer, const struct yg_field *fields, size_t n,
			  struct yg_value *values, struct yg_err *err)
{
	const struct yg_json *j = &b->json;
	struct place at = {.q = q, .b = b, .before = pointer};
	memset(values, 0, n * sizeof *values);
	uint32_t key = node + 1;
	for (uint32_t k = 0; k < yg_json_at(j, node)->n; k++) {
		uint32_t value = yg_json_at(j, key)->next;
		at.name = yg_json_str(j, key, q->arena);
		size_t i = 0;
		while (i < n && !yg_sv_eq(at.name, yg_sv_of(fields[i].name)))
			i++;
		if (at.name.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "the body is too large");
		if (i == n)
			fault(&at, "unknown_member", "there is no such member");
		else if (values[i].given)
			fault(&at, "duplicate_member", "the member stands twice");
		else
			take(&at, &fields[i], value, &values[i]);
		key = yg_json_at(j, value)->next;
	}
	for (size_t i = 0; i < n; i++) {
		at.name = yg_sv_of(fields[i].name);
		if ((fields[i].flags & YG_F_NEEDED) != 0 && !values[i].given)
			fault(&at, "missing", "the member is needed");
	}
	if (q->arena->refused) /* else a list that found no room would pass for none */
		return YG_FAIL(err, YG_NOMEM, "no memory for the body");
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "the body has errors");
}

yg_status yg_body_read(struct yg_body *b, struct yg_request *q, const struct yg_field *fields,
		       size_t n, struct yg_value *values, struct yg_err *err)
{
	struct yg_sv text = yg_sv_trim(q->body).n > 0 ? q->body : YG_SV("{}");
	yg_json_init(&b->json, BODY_NODES_MAX);
	yg_status st = yg_json_parse(&b->json, text, err);
	if (st != YG_OK)
		return st == YG_NOMEM ? st
				      : yg_err_set(err, YG_PARSE, 0, __FILE__,
						   "the body is not JSON that is taken here");
	if (yg_json_at(&b->json, 0)->type != YG_JSON_OBJECT)
		return YG_FAIL(err, YG_PARSE, "the body must be one JSON object");
	return yg_body_read_at(b, q, 0, "", fields, n, values, err);
}
