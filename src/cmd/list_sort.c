#include "cmd/list_sort.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 8

struct key {
	char path[64];
	bool down;
};
struct order {
	struct key keys[KEYS_MAX];
	size_t count;
};
struct row {
	json_t *item;
	size_t at;
};

static yg_status read_fields(const char *fields, struct order *out, struct yg_err *err)
{
	struct yg_sv rest = yg_sv_of(fields), one;
	while (yg_sv_cut(&rest, ',', &one)) {
		one = yg_sv_trim(one);
		bool down = one.n > 0 && one.p[0] == '-';
		if (down)
			one = yg_sv_sub(one, 1, one.n);
		struct key *k = &out->keys[YG_MIN(out->count, (size_t)KEYS_MAX - 1)];
		if (one.n == 0 || one.n >= sizeof k->path || out->count == KEYS_MAX)
			return YG_FAIL(err, YG_INVAL,
				       "--sort: expected up to %d names with commas between",
				       KEYS_MAX);
		(void)snprintf(k->path, sizeof k->path, "%.*s", YG_SV_ARG(one));
		k->down = down;
		out->count++;
	}
	return out->count > 0 ? YG_OK : YG_FAIL(err, YG_INVAL, "--sort: expected names");
}

static bool is_empty(json_t *v)
{
	return v == NULL || json_is_null(v);
}

/* Of two values; numbers by their size, all else as text. */
static int compare_values(json_t *a, json_t *b)
{
	char left[1024], right[1024];
	if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a), y = json_number_value(b);
		return (x > y) - (x < y);
	}
	return strcmp(yg_value_text(a, left, sizeof left), yg_value_text(b, right, sizeof right));
}

static int compare(const void *left, const void *right, void *ctx)
{
	const struct row *a = left, *b = right;
	const struct order *o = ctx;
	for (size_t i = 0; i < o->count; i++) {
		json_t *x = yg_member(a->item, o->keys[i].path),
		       *y = yg_member(b->item, o->keys[i].path);
		int by = 0;
		if (is_empty(x) || is_empty(y))
			by = is_empty(x) - is_empty(y);
		else
			by = compare_values(x, y) * (o->keys[i].down ? -1 : 1);
		if (by != 0)
			return by;
	}
	return (a->at > b->at) - (a->at < b->at);
}

yg_status yg_list_sort(json_t *items, const char *fields, struct yg_err *err)
{
	struct order o = {.count = 0};
	size_t n = json_array_size(items);
	yg_status st = read_fields(fields, &o, err);
	struct row *rows = st == YG_OK ? calloc(n + 1, sizeof *rows) : NULL;
	if (st == YG_OK && rows == NULL)
		st = YG_FAIL(err, YG_NOMEM, "no memory for the rows");
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct row){json_incref(json_array_get(items, i)), i};
	qsort_r(rows, n, sizeof *rows, compare, &o);
	(void)json_array_clear(items);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(items, rows[i].item);
	free(rows);
	return YG_OK;
}
