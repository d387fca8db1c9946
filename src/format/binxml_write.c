/* binxml_write.c - the tree of a record as JSON: see binxml.h for how XML becomes it.
 * The tree is walked by its own links; what has one key is one list. */
#include "format/binxml_internal.h"

enum { FEW = 12 /* siblings that are compared with each other; more go through a table */ };

/* ---- text ---- */

static void put_list(struct yg_buf *out, uint8_t type, const uint8_t *p, size_t n)
{
	const uint8_t *item;
	size_t item_n;
	char before = '[';
	while (!out->bad && binxml_next_item(type, &p, &n, &item, &item_n)) {
		bool bare = binxml_is_integer(type, item_n);
		yg_buf_putc(out, before);
		before = ',';
		if (!bare)
			yg_buf_putc(out, '"');
		binxml_put_value(out, type, item, item_n);
		if (!bare)
			yg_buf_putc(out, '"');
	}
	yg_buf_put(out, before == '[' ? YG_SV("\"\"") : YG_SV("]"));
}

/* An array that stands among other text: its items with commas between them. */
static void put_joined(struct yg_buf *out, uint8_t type, const uint8_t *p, size_t n)
{
	const uint8_t *item;
	size_t item_n;
	bool first = true;
	while (!out->bad && binxml_next_item(type, &p, &n, &item, &item_n)) {
		if (!first)
			yg_buf_putc(out, ',');
		first = false;
		binxml_put_value(out, type, item, item_n);
	}
}

static void put_piece(const struct yg_binxml *x, struct yg_buf *out, const struct piece *p)
{
	const uint8_t *bytes = (const uint8_t *)x->chunk.p + p->at;
	switch ((enum piece_kind)p->kind) {
	case PIECE_TEXT: binxml_put_utf16(out, bytes, p->n); break;
	case PIECE_VALUE:
		if ((p->type & V_ARRAY) != 0)
			put_joined(out, p->type & (uint8_t)~V_ARRAY, bytes, p->n);
		else
			binxml_put_value(out, p->type, bytes, p->n);
		break;
	case PIECE_CHAR: binxml_put_char(out, p->at); break;
	case PIECE_ENTITY:
		yg_buf_putc(out, '&');
		yg_buf_put(out, p->name);
		yg_buf_putc(out, ';');
		break;
	}
}

static void put_pieces(const struct yg_binxml *x, struct yg_buf *out, const struct text *t)
{
	for (const struct piece *p = t->first; p != NULL && !out->bad; p = p->next)
		put_piece(x, out, p);
}

static void put_text(const struct yg_binxml *x, struct yg_buf *out, const struct text *t)
{
	const struct piece *p = t->first;
	if (p != NULL && p->next == NULL && p->kind == PIECE_VALUE) {
		const uint8_t *bytes = (const uint8_t *)x->chunk.p + p->at;
		if ((p->type & V_ARRAY) != 0) {
			put_list(out, p->type & (uint8_t)~V_ARRAY, bytes, p->n);
			return;
		}
		if (binxml_is_integer(p->type, p->n)) {
			binxml_put_value(out, p->type, bytes, p->n);
			return;
		}
	}
	yg_buf_putc(out, '"');
	put_pieces(x, out, t);
	yg_buf_putc(out, '"');
}

static void put_key(struct yg_buf *out, struct yg_sv key)
{
	yg_buf_putc(out, '"');
	yg_buf_put(out, key);
	yg_buf_put(out, YG_SV("\":"));
}

/* ---- what there is to write ---- */

static bool text_is_absent(const struct text *t)
{
	return t->first == NULL && t->absent;
}

static bool is_absent(const struct element *e)
{
	return e->absent || (e->first == NULL && text_is_absent(&e->text));
}

static bool is_written(const struct element *e, const struct attribute *a)
{
	if (text_is_absent(&a->text) || e->is_named_data)
		return false;
	if (e->parent == NULL && YG_SV_IS(a->name, "xmlns"))
		return false;
	for (const struct attribute *b = e->attributes; b != a; b = b->next)
		if (yg_sv_eq(a->name, b->name)) /* the first of a name counts */
			return false;
	return true;
}

static bool has_attributes(const struct element *e)
{
	for (const struct attribute *a = e->attributes; a != NULL; a = a->next)
		if (is_written(e, a))
			return true;
	return false;
}

/* Its text into the arena; empty when memory is out, which x->record.refused says. */
static struct yg_sv kept_text(struct yg_binxml *x, const struct text *t)
{
	struct yg_sv s = {"", 0};
	struct yg_buf b;
	yg_buf_init(&b, 65536);
	put_pieces(x, &b, t);
	if (yg_buf_done(&b) == YG_OK && b.n > 0)
		s = yg_arena_dup(&x->record, yg_buf_sv(&b));
	x->record.refused = x->record.refused || b.nomem;
	yg_buf_free(&b);
	return s.p != NULL ? s : YG_SV("");
}

/* Keys with a # in front are ours. */
static struct yg_sv not_ours(struct yg_binxml *x, struct yg_sv key)
{
	if (key.n == 0 || key.p[0] != '#')
		return key;
	char *p = yg_arena_alloc(&x->record, key.n + 1, 1);
	if (p == NULL)
		return YG_SV("_");
	p[0] = '_';
	memcpy(p + 1, key.p, key.n);
	return (struct yg_sv){p, key.n + 1};
}

/* The key of an element: its name, or of <Data Name="x"> that. */
static void set_key(struct yg_binxml *x, struct element *e)
{
	const struct attribute *a = e->attributes;
	e->key = e->name;
	if (YG_SV_IS(e->name, "Data") && a != NULL && a->next == NULL &&
	    YG_SV_IS(a->name, "Name") && a->text.first != NULL) {
		struct yg_sv key = kept_text(x, &a->text);
		e->is_named_data = key.n > 0;
		if (key.n > 0)
			e->key = key;
	}
	e->key = not_ours(x, e->key);
}

static void join(struct element *head, struct element *e)
{
	e->head = head;
	head->tail->same = e;
	head->tail = e;
}

static uint32_t hash(struct yg_sv s)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 16777619u;
	return h;
}

/* Puts together the children that have one key. */
static yg_status link_children(struct yg_binxml *x, struct element *parent, struct yg_err *err)
{
	uint32_t mask = FEW;
	struct element **table = NULL;
	if (parent->children > FEW) {
		for (mask = 32; mask < parent->children * 2;)
			mask *= 2;
		table = YG_NEW_N(&x->record, struct element *, mask);
		if (table == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory left for one record");
		mask--;
	}
	for (struct element *e = parent->first; e != NULL; e = e->next) {
		if (is_absent(e))
			continue;
		set_key(x, e);
		e->head = e->tail = e;
		struct element *same = parent->first;
		if (table != NULL) {
			uint32_t i = hash(e->key) & mask;
			while (table[i] != NULL && !yg_sv_eq(table[i]->key, e->key))
				i = (i + 1) & mask;
			same = table[i];
			if (same == NULL)
				table[i] = e;
		} else {
			while (same != e && (same->head != same || !yg_sv_eq(same->key, e->key)))
				same = same->next;
		}
		if (same != NULL && same != e)
			join(same, e);
	}
	return YG_OK;
}

/* ---- the walk ---- */

/* The first of a key from there on. */
static struct element *next_key(struct element *e)
{
	while (e != NULL && (is_absent(e) || e->head != e))
		e = e->next;
	return e;
}

static void put_attributes(const struct yg_binxml *x, struct yg_buf *out, const struct element *e)
{
	char before = '{';
	yg_buf_put(out, YG_SV("\"#attributes\":"));
	for (const struct attribute *a = e->attributes; a != NULL; a = a->next) {
		if (!is_written(e, a))
			continue;
		yg_buf_putc(out, before);
		before = ',';
		put_key(out, a->name);
		put_text(x, out, &a->text);
	}
	yg_buf_putc(out, '}');
}

/* What of an element stands before its children; true: an object was begun. */
static bool begin(const struct yg_binxml *x, struct yg_buf *out, struct element *e)
{
	bool attributes = has_attributes(e);
	if (!attributes && next_key(e->first) == NULL) {
		put_text(x, out, &e->text);
		return false;
	}
	yg_buf_putc(out, '{');
	if (attributes)
		put_attributes(x, out, e);
	if (e->text.first != NULL) {
		if (attributes)
			yg_buf_putc(out, ',');
		yg_buf_put(out, YG_SV("\"#text\":"));
		put_text(x, out, &e->text);
	}
	if (next_key(e->first) != NULL && (attributes || e->text.first != NULL))
		yg_buf_putc(out, ',');
	return true;
}

static void begin_member(struct yg_buf *out, const struct element *e)
{
	put_key(out, e->key);
	if (e->same != NULL)
		yg_buf_putc(out, '[');
}

/* Behind an element: the one to write next, or NULL when that was all. */
static struct element *behind(struct yg_buf *out, struct element *e, const struct element *root)
{
	while (e != root) {
		struct element *next = e->same;
		if (next != NULL) {
			yg_buf_putc(out, ',');
			return next;
		}
		if (e->head->same != NULL)
			yg_buf_putc(out, ']');
		next = next_key(e->head->next);
		if (next != NULL) {
			yg_buf_putc(out, ',');
			begin_member(out, next);
			return next;
		}
		yg_buf_putc(out, '}');
		e = e->parent;
	}
	return NULL;
}

yg_status binxml_write(struct yg_binxml *x, struct element *root, struct yg_buf *out,
		       struct yg_err *err)
{
	yg_status st = YG_OK;
	root->key = root->name;
	root->head = root->tail = root;
	yg_buf_putc(out, '{');
	put_key(out, root->key);
	for (struct element *e = root; e != NULL && st == YG_OK && !out->bad;) {
		st = link_children(x, e, err);
		struct element *child = next_key(e->first);
		if (!begin(x, out, e)) {
			e = behind(out, e, root);
		} else if (child != NULL) {
			begin_member(out, child);
			e = child;
		} else {
			yg_buf_putc(out, '}');
			e = behind(out, e, root);
		}
	}
	if (st == YG_OK && x->record.refused) /* a key that is not its own would mislead */
		st = YG_FAIL(err, YG_NOMEM, "no memory left for one record");
	if (st == YG_OK && out->bad)
		st = YG_FAIL(err, yg_buf_done(out), "the record is larger than %zu bytes as JSON",
			     out->limit);
	return st;
}
