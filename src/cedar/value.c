#include "cedar/value.h"

const char *yg_cedar_kind_name(enum yg_cedar_kind kind)
{
	static const char *const names[] = {
		[YG_CEDAR_BOOL] = "bool",         [YG_CEDAR_LONG] = "long",
		[YG_CEDAR_STRING] = "string",     [YG_CEDAR_ENTITY] = "entity",
		[YG_CEDAR_SET] = "set",           [YG_CEDAR_RECORD] = "record",
		[YG_CEDAR_DECIMAL] = "decimal",   [YG_CEDAR_IP] = "ipaddr",
		[YG_CEDAR_DATETIME] = "datetime", [YG_CEDAR_DURATION] = "duration"};
	return (size_t)kind < YG_LEN(names) && names[kind] != NULL ? names[kind] : "nothing";
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int cmp_ip(const struct yg_cedar_value *a, const struct yg_cedar_value *b)
{
	if (a->v6 != b->v6)
		return a->v6 ? 1 : -1;
	int c = memcmp(a->ip, b->ip, a->v6 ? 16 : 4);
	return c != 0 ? c : order(a->bits, b->bits);
}

/* Bytes that a comparison looks at. */
static size_t text_of(const struct yg_cedar_value *a, const struct yg_cedar_value *b)
{
	if (a->kind != b->kind)
		return 0;
	if (a->kind == YG_CEDAR_STRING)
		return YG_MIN(a->n, b->n);
	return a->kind == YG_CEDAR_ENTITY && a->uid != b->uid
		       ? YG_MIN(a->uid->type.n, b->uid->type.n) + YG_MIN(a->uid->id.n, b->uid->id.n)
		       : 0;
}

/* All but what is inside of sets and records. */
static int cmp_outside(const struct yg_cedar_value *a, const struct yg_cedar_value *b)
{
	if (a->kind != b->kind)
		return order(a->kind, b->kind);
	switch ((enum yg_cedar_kind)a->kind) {
	case YG_CEDAR_STRING: return yg_sv_cmp(yg_cedar_str(a), yg_cedar_str(b));
	case YG_CEDAR_ENTITY: {
		if (a->uid == b->uid)
			return 0;
		int c = yg_sv_cmp(a->uid->type, b->uid->type);
		return c != 0 ? c : yg_sv_cmp(a->uid->id, b->uid->id);
	}
	case YG_CEDAR_IP: return cmp_ip(a, b);
	case YG_CEDAR_SET:
	case YG_CEDAR_RECORD: return order(a->n, b->n);
	case YG_CEDAR_BOOL:
	case YG_CEDAR_LONG:
	case YG_CEDAR_DECIMAL:
	case YG_CEDAR_DATETIME:
	case YG_CEDAR_DURATION: return a->i < b->i ? -1 : a->i > b->i;
	}
	return 0;
}

/* Depth first, with a stack instead of recursion: YG_CEDAR_VALUE_DEPTH bounds it. */
int yg_cedar_cmp(const struct yg_cedar_value *a, const struct yg_cedar_value *b,
		 struct yg_cedar_steps *steps)
{
	struct {
		const struct yg_cedar_value *a, *b;
		uint32_t i;
	} stack[YG_CEDAR_VALUE_DEPTH + 1];
	if (steps != NULL) {
		if (yg_cedar_steps_out(steps))
			return 0;
		yg_cedar_step(steps, text_of(a, b));
	}
	int c = cmp_outside(a, b);
	if (c != 0 || a->depth == 0)
		return c;
	size_t top = 0;
	stack[0].a = a;
	stack[0].b = b;
	stack[0].i = 0;
	for (;;) {
		uint32_t i = stack[top].i++;
		a = stack[top].a;
		b = stack[top].b;
		if (i == a->n) {
			if (top-- == 0)
				return 0;
			continue;
		}
		if (a->kind == YG_CEDAR_RECORD) {
			c = yg_sv_cmp(a->fields[i].key, b->fields[i].key);
			a = &a->fields[i].value;
			b = &b->fields[i].value;
		} else {
			a = &a->items[i];
			b = &b->items[i];
		}
		if (steps != NULL)
			yg_cedar_step(steps, text_of(a, b));
		c = c != 0 ? c : cmp_outside(a, b);
		if (c != 0 || (steps != NULL && yg_cedar_steps_out(steps)))
			return c;
		if (a->depth > 0) {
			top++;
			stack[top].a = a;
			stack[top].b = b;
			stack[top].i = 0;
		}
	}
}

/* Heapsort: in place, without memory of its own (qsort takes some), and no input makes
 * it slow. */
static void swap(char *a, char *b, size_t size)
{
	char t[sizeof(struct yg_cedar_field)];
	memcpy(t, a, size);
	memcpy(a, b, size);
	memcpy(b, t, size);
}
typedef int compare(const void *a, const void *b, struct yg_cedar_steps *steps);
static void sift(char *base, size_t i, size_t n, size_t size, compare *cmp,
		 struct yg_cedar_steps *steps)
{
	size_t child = 2 * i + 1;
	while (child < n) {
		if (child + 1 < n && cmp(base + child * size, base + (child + 1) * size, steps) < 0)
			child++;
		if (cmp(base + i * size, base + child * size, steps) >= 0)
			return;
		swap(base + i * size, base + child * size, size);
		i = child;
		child = 2 * i + 1;
	}
}
static void sort(void *items, size_t n, size_t size, compare *cmp, struct yg_cedar_steps *steps)
{
	char *base = items;
	for (size_t i = n / 2; i > 0; i--)
		sift(base, i - 1, n, size, cmp, steps);
	for (size_t end = n; end > 1; end--) {
		swap(base, base + (end - 1) * size, size);
		sift(base, 0, end - 1, size, cmp, steps);
	}
}

static int by_value(const void *a, const void *b, struct yg_cedar_steps *steps)
{
	return yg_cedar_cmp(a, b, steps);
}
static int by_key(const void *a, const void *b, struct yg_cedar_steps *steps)
{
	const struct yg_cedar_field *x = a, *y = b;
	(void)steps; /* keys are of the policy or of the document that was read */
	return yg_sv_cmp(x->key, y->key);
}

yg_status yg_cedar_set(struct yg_cedar_value *items, size_t n, struct yg_cedar_steps *steps,
		       struct yg_cedar_value *out)
{
	size_t kept = 0;
	uint8_t depth = 0;
	if (n > UINT32_MAX)
		return YG_LIMIT;
	sort(items, n, sizeof *items, by_value, steps);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && yg_cedar_eq(&items[kept - 1], &items[i], steps))
			continue;
		items[kept++] = items[i];
		depth = YG_MAX(depth, items[i].depth);
	}
	if (depth >= YG_CEDAR_VALUE_DEPTH)
		return YG_LIMIT;
	*out = (struct yg_cedar_value){.kind = YG_CEDAR_SET,
				       .depth = (uint8_t)(depth + 1),
				       .n = (uint32_t)kept,
				       .items = items};
	return YG_OK;
}

yg_status yg_cedar_record(struct yg_cedar_field *fields, size_t n, struct yg_cedar_value *out)
{
	uint8_t depth = 0;
	if (n > UINT32_MAX)
		return YG_LIMIT;
	sort(fields, n, sizeof *fields, by_key, NULL);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && yg_sv_eq(fields[i - 1].key, fields[i].key))
			return YG_CONFLICT;
		depth = YG_MAX(depth, fields[i].value.depth);
	}
	if (depth >= YG_CEDAR_VALUE_DEPTH)
		return YG_LIMIT;
	*out = (struct yg_cedar_value){.kind = YG_CEDAR_RECORD,
				       .depth = (uint8_t)(depth + 1),
				       .n = (uint32_t)n,
				       .fields = fields};
	return YG_OK;
}

bool yg_cedar_set_has(const struct yg_cedar_value *set, const struct yg_cedar_value *item,
		      struct yg_cedar_steps *steps)
{
	uint32_t low = 0, high = set->n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = yg_cedar_cmp(item, &set->items[mid], steps);
		if (c == 0)
			return true;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

const struct yg_cedar_value *yg_cedar_get(const struct yg_cedar_value *record, struct yg_sv key)
{
	size_t low = 0, high = record->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = yg_sv_cmp(key, record->fields[mid].key);
		if (c == 0)
			return &record->fields[mid].value;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

void yg_cedar_uid_print(struct yg_sb *b, const struct yg_cedar_uid *uid)
{
	yg_sb_put(b, uid->type);
	yg_sb_put(b, YG_SV("::\""));
	yg_sb_put_untrusted(b, uid->id);
	yg_sb_putc(b, '"');
}
