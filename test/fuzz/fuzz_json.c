#include <jansson.h>

#include "format/json.h"
#include "fuzz/replay.h"

/* Same answer or same refusal as jansson 2.14 (JSON_DECODE_ANY, JSON_ALLOW_NUL),
 * where the two are asked the same question.  They are not:
 *   - deeper than YG_JSON_DEPTH_MAX or more than the node limit: we refuse with
 *     YG_LIMIT, jansson has a limit of its own;
 *   - a number out of range: jansson refuses (json_error_numeric_overflow), we
 *     keep the text;
 *   - a NUL in a key: jansson refuses (json_error_null_byte_in_key), we do not;
 *   - a raw NUL byte behind a number or word: jansson loses it (what it pushes back
 *     looks like the end of its buffer) and goes on, we refuse.
 * Everything else must agree, value by value; of duplicate keys the last counts. */

struct pair {
	uint32_t node;
	const json_t *theirs;
};

static void same_text(const struct yg_json *j, uint32_t node, struct yg_arena *a, const char *p,
		      size_t n)
{
	struct yg_sv s = yg_json_str(j, node, a);
	if (s.p == NULL || !yg_sv_eq(s, (struct yg_sv){p, n}))
		abort();
}

static void same_number(const struct yg_json *j, uint32_t node, const json_t *theirs)
{
	if (json_is_integer(theirs)) {
		if (yg_json_i64(j, node, json_integer_value(theirs) + 1) !=
		    json_integer_value(theirs))
			abort();
		return;
	}
	double ours = yg_json_f64(j, node, -1), want = json_real_value(theirs);
	if (yg_json_raw(j, node).n < 512 && memcmp(&ours, &want, sizeof ours) != 0)
		abort();
}

static void same_scalar(const struct yg_json *j, struct pair at, struct yg_arena *a)
{
	static const uint8_t types[] = {
		[JSON_OBJECT] = YG_JSON_OBJECT, [JSON_ARRAY] = YG_JSON_ARRAY,
		[JSON_STRING] = YG_JSON_STRING, [JSON_INTEGER] = YG_JSON_NUMBER,
		[JSON_REAL] = YG_JSON_NUMBER,   [JSON_TRUE] = YG_JSON_TRUE,
		[JSON_FALSE] = YG_JSON_FALSE,   [JSON_NULL] = YG_JSON_NULL};
	if (yg_json_at(j, at.node)->type != types[json_typeof(at.theirs)])
		abort();
	if (json_is_string(at.theirs))
		same_text(j, at.node, a, json_string_value(at.theirs),
			  json_string_length(at.theirs));
	if (json_is_number(at.theirs))
		same_number(j, at.node, at.theirs);
	struct yg_sv text = yg_json_text(j, at.node);
	struct yg_json again;
	yg_json_init(&again, 65536);
	if (text.p < j->text || yg_json_parse(&again, text, NULL) != YG_OK ||
	    again.count != yg_json_at(j, at.node)->next - at.node)
		abort();
	yg_json_free(&again);
}

static void compare(const struct yg_json *j, json_t *root, struct yg_arena *a)
{
	enum { MOST = 4096 };
	static struct pair todo[MOST];
	size_t n = 0;
	todo[n++] = (struct pair){0, root};
	while (n > 0) {
		struct pair at = todo[--n];
		same_scalar(j, at, a);
		const struct yg_json_node *node = yg_json_at(j, at.node);
		const char *key;
		const json_t *value;
		if (json_is_object(at.theirs)) {
			if (json_object_size(at.theirs) > node->n)
				abort();
			json_object_foreach((json_t *)(uintptr_t)at.theirs, key, value)
			{
				uint32_t ours = yg_json_get(j, at.node, yg_sv_of(key));
				if (ours == 0)
					abort();
				if (n < MOST)
					todo[n++] = (struct pair){ours, value};
			}
		} else if (json_is_array(at.theirs)) {
			if (json_array_size(at.theirs) != node->n)
				abort();
			uint32_t i = at.node + 1;
			for (size_t k = 0; k < json_array_size(at.theirs);
			     k++, i = yg_json_at(j, i)->next)
				if (n < MOST)
					todo[n++] = (struct pair){i, json_array_get(at.theirs, k)};
			if (i != node->next)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_json j;
	static struct yg_arena a;
	if (j.limit == 0) {
		yg_json_init(&j, 65536);
		yg_arena_init(&a, 1 << 24);
	}
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv text = {(const char *)exact, size};
	json_error_t error;
	yg_status st = yg_json_parse(&j, text, NULL);
	json_t *theirs = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	enum json_error_code code = theirs == NULL ? json_error_code(&error) : json_error_unknown;
	bool apart = st == YG_LIMIT || (theirs == NULL && (code == json_error_numeric_overflow ||
							   code == json_error_null_byte_in_key ||
							   code == json_error_stack_overflow));
	apart = apart || (st == YG_PARSE && theirs != NULL && yg_sv_find(text, '\0', 0) < text.n);
	if (!apart && (st == YG_OK) != (theirs != NULL))
		abort();
	if (st == YG_OK && theirs != NULL)
		compare(&j, theirs, &a);
	json_decref(theirs);
	yg_arena_reset(&a);
	a.used = 0;
	/* what we write, jansson reads: the same bytes where they are UTF-8 */
	struct yg_buf b;
	yg_buf_init(&b, 1 << 24);
	yg_json_put_str(&b, text);
	theirs = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (theirs == NULL)
		abort();
	if (yg_utf8_valid(text) == text.n &&
	    !yg_sv_eq(text, (struct yg_sv){json_string_value(theirs), json_string_length(theirs)}))
		abort();
	json_decref(theirs);
	yg_buf_free(&b);
	free(exact);
	return 0;
}
