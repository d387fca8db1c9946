/* binxml.c - the tokens of binary XML into a tree.  What is being read is a small stack of
 * frames (the record, a template, a value that is XML itself), never recursion. */
#include "format/binxml_internal.h"

enum token {
	T_EOF,
	T_OPEN,
	T_CLOSE_START,
	T_CLOSE_EMPTY,
	T_END,
	T_VALUE,
	T_ATTRIBUTE,
	T_CDATA,
	T_CHAR,
	T_ENTITY,
	T_PI_TARGET,
	T_PI_DATA,
	T_TEMPLATE,
	T_SUBSTITUTION,
	T_OPTIONAL,
	T_FRAGMENT,
	T_MORE = 0x40, /* a flag: more of the kind follows */
};
enum {
	RECORD_ARENA = 4194304, /* the tree of one record */
	NAMES_ARENA = 1048576,  /* the names of a chunk: 64 KiB of UTF-16 and their views */
	CHUNK_MOST = 65536,
	TEMPLATE_HEADER = 24, /* next, GUID, size */
	NO_DEPENDENCY = 0xffff,
	ATTRIBUTES_MAX = 64, /* of one element; usual: 3 */
};

struct value { /* of a template instance */
	uint8_t type;
	uint32_t at, n;
};
struct frame {
	uint32_t at, end;
	const struct value *values; /* of the template that this is the text of */
	uint32_t value_n;
	unsigned depth;  /* open elements when it began */
	bool dependency; /* an element's start has a dependency id: everywhere but in values */
};
struct reader {
	struct yg_binxml *x;
	struct yg_err *err;
	struct frame frames[YG_BINXML_NEST_MAX];
	unsigned frame_n, depth;
	struct element *root, *open; /* open: the innermost element */
	struct attribute *attribute; /* text goes to it while the start of an element is open */
	bool in_start;
};

/* ---- life ---- */

void yg_binxml_init(struct yg_binxml *x)
{
	memset(x, 0, sizeof *x);
	yg_arena_init(&x->record, RECORD_ARENA);
	yg_arena_init(&x->names, NAMES_ARENA);
}

void yg_binxml_free(struct yg_binxml *x)
{
	yg_arena_free(&x->record);
	yg_arena_free(&x->names);
}

void yg_binxml_begin(struct yg_binxml *x, struct yg_sv chunk)
{
	yg_arena_reset(&x->names);
	memset(x->known, 0, sizeof x->known);
	x->known_n = 0;
	x->chunk = yg_sv_sub(chunk, 0, CHUNK_MOST);
	x->tokens_left = YG_BINXML_TOKENS_MAX;
	x->json_left = YG_BINXML_JSON_MAX;
}

/* ---- bytes ---- */

static const uint8_t *bytes_at(const struct reader *r, uint32_t at)
{
	return (const uint8_t *)r->x->chunk.p + at;
}

static struct frame *top(struct reader *r)
{
	return &r->frames[r->frame_n - 1];
}

/* n bytes off the front of the frame; false: they are not there. */
static bool take(struct reader *r, uint32_t n, uint32_t *out_at)
{
	struct frame *f = top(r);
	if (f->end - f->at < n)
		return false;
	*out_at = f->at;
	f->at += n;
	return true;
}

static bool take_number(struct reader *r, uint32_t bytes, uint32_t *out)
{
	uint32_t at;
	*out = 0;
	if (!take(r, bytes, &at))
		return false;
	memcpy(out, bytes_at(r, at), bytes);
	return true;
}

static uint32_t number_at(const struct reader *r, uint32_t at, size_t bytes)
{
	uint32_t v = 0;
	memcpy(&v, bytes_at(r, at), bytes);
	return v;
}

static yg_status cut(struct reader *r, const char *what)
{
	return YG_FAIL(r->err, YG_PARSE, "offset %u: the record ends within %s", top(r)->at, what);
}

static yg_status no_memory(struct reader *r)
{
	return YG_FAIL(r->err, YG_NOMEM, "no memory left for one record");
}

/* ---- names ---- */

static yg_status read_name(struct reader *r, uint32_t at, struct yg_binxml_name *out)
{
	size_t whole = r->x->chunk.n;
	struct yg_buf b = {.limit = (size_t)CHUNK_MOST * 3};
	if (at > whole || whole - at < 8)
		return YG_FAIL(r->err, YG_PARSE,
			       "offset %u: a name would lie at %u, outside the chunk", top(r)->at,
			       at);
	uint32_t units = number_at(r, at + 6, 2);
	if (whole - at - 8 < (size_t)units * 2)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: the name at %u is cut off", top(r)->at,
			       at);
	binxml_put_utf16(&b, bytes_at(r, at + 8), (size_t)units * 2);
	out->at = at;
	out->end = (uint32_t)YG_MIN((size_t)at + 8 + (size_t)units * 2 + 2, whole);
	yg_status st = yg_buf_done(&b);
	if (st == YG_OK)
		out->text = yg_arena_dup(&r->x->names, yg_buf_sv(&b));
	yg_buf_free(&b);
	return st == YG_OK && out->text.p != NULL ? YG_OK : no_memory(r);
}

/* By its offset, from those known where it is among them. */
static yg_status find_name(struct reader *r, uint32_t at, struct yg_binxml_name *out)
{
	struct yg_binxml *x = r->x;
	uint32_t i = at * 2654435761u >> 23;
	for (; x->known[i].at != 0; i = (i + 1) % YG_BINXML_NAMES) {
		if (x->known[i].at == at) {
			*out = x->known[i];
			return YG_OK;
		}
	}
	yg_status st = read_name(r, at, out);
	if (st == YG_OK && at != 0 && x->known_n < YG_BINXML_NAMES * 3 / 4) {
		x->known[i] = *out;
		x->known_n++;
	}
	return st;
}

/* A name's offset, and the name itself where it lies right there. */
static yg_status take_name(struct reader *r, struct yg_sv *out)
{
	struct yg_binxml_name name;
	uint32_t at;
	if (!take_number(r, 4, &at))
		return cut(r, "the offset of a name");
	yg_status st = find_name(r, at, &name);
	if (st != YG_OK)
		return st;
	struct frame *f = top(r);
	if (at == f->at) {
		if (name.end > f->end)
			return cut(r, "a name");
		f->at = name.end;
	}
	*out = name.text;
	return YG_OK;
}

/* ---- text ---- */

static struct text *text_here(struct reader *r)
{
	return r->in_start       ? r->attribute != NULL ? &r->attribute->text : NULL
	       : r->open != NULL ? &r->open->text
				 : NULL;
}

static yg_status add_piece(struct reader *r, struct piece like)
{
	struct text *t = text_here(r);
	if (t == NULL)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: text outside of an element",
			       top(r)->at);
	struct piece *p = YG_NEW(&r->x->record, struct piece);
	if (p == NULL)
		return no_memory(r);
	*p = like;
	if (t->last != NULL)
		t->last->next = p;
	else
		t->first = p;
	t->last = p;
	return YG_OK;
}

/* A number of UTF-16 units, and they. */
static yg_status take_text(struct reader *r, bool keep)
{
	struct piece p = {.kind = PIECE_TEXT};
	uint32_t units;
	if (!take_number(r, 2, &units) || !take(r, units * 2, &p.at))
		return cut(r, "a text");
	p.n = units * 2;
	return keep ? add_piece(r, p) : YG_OK;
}

static yg_status on_value(struct reader *r)
{
	uint32_t type;
	if (!take_number(r, 1, &type))
		return cut(r, "a value");
	if (type != V_STRING)
		return YG_FAIL(r->err, YG_PARSE,
			       "offset %u: text of type 0x%02x; only 0x01 is known", top(r)->at,
			       type);
	return take_text(r, true);
}

static yg_status on_char(struct reader *r)
{
	struct piece p = {.kind = PIECE_CHAR};
	return take_number(r, 2, &p.at) ? add_piece(r, p) : cut(r, "a character reference");
}

static yg_status on_entity(struct reader *r)
{
	static const struct {
		struct yg_sv name;
		char c;
	} known[] = {{YG_SV_INIT("amp"), '&'},
		     {YG_SV_INIT("lt"), '<'},
		     {YG_SV_INIT("gt"), '>'},
		     {YG_SV_INIT("quot"), '"'},
		     {YG_SV_INIT("apos"), '\''}};
	struct piece p = {.kind = PIECE_ENTITY};
	yg_status st = take_name(r, &p.name);
	if (st != YG_OK)
		return st;
	for (size_t i = 0; i < YG_LEN(known); i++)
		if (yg_sv_eq(p.name, known[i].name))
			p = (struct piece){.kind = PIECE_CHAR, .at = (uint32_t)known[i].c};
	return add_piece(r, p);
}

/* ---- elements ---- */

/* A dependency id stands before the size of an element where it should; some writers leave
 * it out or put it in all the same.  What makes the size fit is right. */
static bool take_element_size(struct reader *r, uint32_t *out_depends)
{
	struct frame *f = top(r);
	*out_depends = NO_DEPENDENCY;
	for (int tries = 0; tries < 2; tries++) {
		bool dependency = f->dependency != (tries == 1);
		uint32_t head = dependency ? 6 : 4;
		if (f->end - f->at >= head &&
		    number_at(r, f->at + head - 4, 4) <= f->end - f->at - head) {
			if (dependency)
				*out_depends = number_at(r, f->at, 2);
			f->dependency = dependency;
			f->at += head;
			return true;
		}
	}
	return false;
}

/* It is left out when the value that it depends on is none. */
static bool is_absent(struct reader *r, uint32_t depends)
{
	const struct frame *f = top(r);
	return depends < f->value_n && f->values[depends].type == V_NULL;
}

static yg_status add_element(struct reader *r, struct yg_sv name, bool absent)
{
	struct element *e = YG_NEW(&r->x->record, struct element), *parent = r->open;
	if (e == NULL)
		return no_memory(r);
	if (parent == NULL && r->root != NULL)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: a second outermost element",
			       top(r)->at);
	e->name = name;
	e->parent = parent;
	e->absent = absent;
	if (parent == NULL)
		r->root = e;
	else if (parent->last != NULL)
		parent->last->next = e;
	else
		parent->first = e;
	if (parent != NULL) {
		parent->last = e;
		parent->children++;
	}
	r->open = e;
	r->in_start = true;
	r->attribute = NULL;
	r->depth++;
	r->x->elements++;
	return YG_OK;
}

static yg_status on_open(struct reader *r, bool has_attributes)
{
	struct yg_sv name;
	uint32_t size, depends;
	if (r->in_start)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: an element within the start of one",
			       top(r)->at);
	if (r->depth >= YG_BINXML_DEPTH_MAX || r->x->elements >= YG_BINXML_ELEMENTS_MAX)
		return YG_FAIL(r->err, YG_LIMIT, "offset %u: more than %d elements, or %d deep",
			       top(r)->at, YG_BINXML_ELEMENTS_MAX, YG_BINXML_DEPTH_MAX);
	if (!take_element_size(r, &depends))
		return YG_FAIL(r->err, YG_PARSE, "offset %u: an element larger than what holds it",
			       top(r)->at);
	bool absent = is_absent(r, depends);
	yg_status st = take_name(r, &name);
	if (st == YG_OK && has_attributes && !take_number(r, 4, &size))
		st = cut(r, "a list of attributes");
	return st == YG_OK ? add_element(r, name, absent) : st;
}

static yg_status on_attribute(struct reader *r)
{
	struct yg_sv name;
	if (!r->in_start)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: an attribute outside of a start",
			       top(r)->at);
	yg_status st = take_name(r, &name);
	if (st != YG_OK)
		return st;
	if (r->open->attribute_n++ == ATTRIBUTES_MAX)
		return YG_FAIL(r->err, YG_LIMIT, "offset %u: more than %d attributes", top(r)->at,
			       ATTRIBUTES_MAX);
	struct attribute *a = YG_NEW(&r->x->record, struct attribute);
	if (a == NULL)
		return no_memory(r);
	a->name = name;
	if (r->open->last_attribute != NULL)
		r->open->last_attribute->next = a;
	else
		r->open->attributes = a;
	r->open->last_attribute = a;
	r->attribute = a;
	return YG_OK;
}

static yg_status on_close(struct reader *r, uint8_t token)
{
	if (r->in_start != (token != T_END) || r->open == NULL || r->depth <= top(r)->depth)
		return YG_FAIL(r->err, YG_PARSE,
			       "offset %u: the end of an element that is not open", top(r)->at);
	r->in_start = false;
	r->attribute = NULL;
	if (token == T_CLOSE_START)
		return YG_OK;
	r->open = r->open->parent;
	r->depth--;
	return YG_OK;
}

/* ---- templates and what is put into them ---- */

static yg_status push(struct reader *r, struct frame f)
{
	if (r->frame_n == YG_BINXML_NEST_MAX)
		return YG_FAIL(r->err, YG_LIMIT,
			       "offset %u: templates or fragments are nested deeper than %d",
			       top(r)->at, YG_BINXML_NEST_MAX);
	f.depth = r->depth;
	r->frames[r->frame_n++] = f;
	return YG_OK;
}

static yg_status on_substitution(struct reader *r, bool optional)
{
	uint32_t index, type;
	if (!take_number(r, 2, &index) || !take_number(r, 1, &type))
		return cut(r, "a substitution");
	const struct frame *f = top(r);
	struct value v = {.type = V_NULL}; /* one that the record has not is none */
	if (index < f->value_n)
		v = f->values[index];
	if (v.type == V_BINXML && v.n > 0) {
		if (r->in_start)
			return YG_FAIL(r->err, YG_PARSE, "offset %u: an attribute cannot hold XML",
				       f->at);
		return push(r, (struct frame){.at = v.at, .end = v.at + v.n});
	}
	struct text *t = text_here(r);
	if (t != NULL && v.type == V_NULL && optional)
		t->absent = true;
	if (v.type == V_NULL)
		return YG_OK;
	return add_piece(r,
			 (struct piece){.kind = PIECE_VALUE, .type = v.type, .at = v.at, .n = v.n});
}

/* The values behind a template: their sizes and types, then they themselves. */
static yg_status take_values(struct reader *r, struct value **out, uint32_t *out_n)
{
	uint32_t n, list, at;
	if (!take_number(r, 4, &n) || n > CHUNK_MOST / 4 || !take(r, n * 4, &list))
		return cut(r, "the list of a template's values");
	struct value *v = YG_NEW_N(&r->x->record, struct value, n + 1);
	if (v == NULL)
		return no_memory(r);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = number_at(r, list + 4 * i, 2);
		if (!take(r, size, &at))
			return YG_FAIL(
				r->err, YG_PARSE,
				"offset %u: value %u of %u has %u bytes, more than are there",
				list + 4 * i, i, n, size);
		v[i] = (struct value){.type = *bytes_at(r, list + 4 * i + 2), .at = at, .n = size};
	}
	*out = v;
	*out_n = n;
	return YG_OK;
}

static yg_status on_template(struct reader *r)
{
	uint32_t skipped, id, at, whole = (uint32_t)r->x->chunk.n;
	struct value *values;
	uint32_t value_n;
	if (!take_number(r, 1, &skipped) || !take_number(r, 4, &id) || !take_number(r, 4, &at))
		return cut(r, "a template instance");
	if (at > whole || whole - at < TEMPLATE_HEADER)
		return YG_FAIL(r->err, YG_PARSE,
			       "offset %u: its template at %u lies outside the chunk", top(r)->at,
			       at);
	uint32_t size = number_at(r, at + 20, 4), body = at + TEMPLATE_HEADER;
	if (size < 5 || size > whole - body || *bytes_at(r, body) != T_FRAGMENT)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: there is no template at %u",
			       top(r)->at, at);
	if (at == top(r)->at && !take(r, TEMPLATE_HEADER + size, &skipped))
		return cut(r, "a template");
	yg_status st = take_values(r, &values, &value_n);
	if (st != YG_OK)
		return st;
	return push(r, (struct frame){.at = body,
				      .end = body + size,
				      .values = values,
				      .value_n = value_n,
				      .dependency = true});
}

static yg_status on_fragment(struct reader *r)
{
	uint32_t version;
	if (!take_number(r, 3, &version))
		return cut(r, "the header of a fragment");
	if ((version & 0xff) != 1)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: binary XML of version %u.%u",
			       top(r)->at, version & 0xff, version >> 8 & 0xff);
	return YG_OK;
}

static yg_status on_target(struct reader *r)
{
	struct yg_sv name;
	return take_name(r, &name); /* processing instructions say nothing to us */
}

/* ---- all of it ---- */

static yg_status on_token(struct reader *r, uint8_t token)
{
	uint8_t kind = token & (uint8_t)~T_MORE;
	switch (kind) {
	case T_OPEN: return on_open(r, (token & T_MORE) != 0);
	case T_CLOSE_START:
	case T_CLOSE_EMPTY:
	case T_END: return on_close(r, kind);
	case T_VALUE: return on_value(r);
	case T_ATTRIBUTE: return on_attribute(r);
	case T_CDATA: return take_text(r, true);
	case T_CHAR: return on_char(r);
	case T_ENTITY: return on_entity(r);
	case T_PI_TARGET: return on_target(r);
	case T_PI_DATA: return take_text(r, false);
	case T_TEMPLATE: return on_template(r);
	case T_SUBSTITUTION: return on_substitution(r, false);
	case T_OPTIONAL: return on_substitution(r, true);
	case T_FRAGMENT: return on_fragment(r);
	default:
		return YG_FAIL(r->err, YG_PARSE, "offset %u: 0x%02x is no token of binary XML",
			       top(r)->at - 1, token);
	}
}

/* The frame is used up: what it opened must be closed. */
static yg_status pop(struct reader *r)
{
	const struct frame *f = top(r);
	if (r->depth != f->depth || r->in_start)
		return YG_FAIL(r->err, YG_PARSE, "offset %u: it ends within an element", f->at);
	r->frame_n--;
	return YG_OK;
}

static yg_status read_tree(struct reader *r)
{
	yg_status st = YG_OK;
	while (st == YG_OK && r->frame_n > 0) {
		uint32_t token;
		if (r->x->tokens_left == 0)
			return YG_FAIL(r->err, YG_LIMIT,
				       "the records of the chunk have more than %u tokens",
				       YG_BINXML_TOKENS_MAX);
		r->x->tokens_left--;
		if (!take_number(r, 1, &token) || token == T_EOF)
			st = pop(r);
		else
			st = on_token(r, (uint8_t)token);
	}
	if (st == YG_OK && r->root == NULL)
		st = YG_FAIL(r->err, YG_PARSE, "there is no element in it");
	return st;
}

yg_status yg_binxml_json(struct yg_binxml *x, uint32_t at, uint32_t end, struct yg_buf *out,
			 struct yg_err *err)
{
	struct reader r = {.x = x, .err = err, .frame_n = 1};
	size_t before = out->n;
	end = (uint32_t)YG_MIN((size_t)end, x->chunk.n);
	r.frames[0] = (struct frame){.at = YG_MIN(at, end), .end = end, .dependency = true};
	x->elements = 0;
	yg_arena_reset(&x->record);
	if (x->json_left == 0)
		return YG_FAIL(err, YG_LIMIT, "the records of the chunk are larger than %d bytes",
			       YG_BINXML_JSON_MAX);
	yg_status st = read_tree(&r);
	if (st == YG_OK)
		st = binxml_write(x, r.root, out, err);
	x->json_left -= YG_MIN(x->json_left, out->n - before);
	if (st == YG_OK)
		return YG_OK;
	out->n = before;
	out->bad = out->nomem = false;
	return st;
}
