#include "conf/tree.h"

#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	yaml_event_t event;
	bool have; /* event is to be deleted */
	struct yg_arena *arena;
	const char *file;
	struct yg_err *err;
	const struct yg_yaml_limits *limits;
	size_t nodes, depth, documents;
	struct yg_yaml *root, *root_last; /* documents */
	struct yg_yaml *open[YG_YAML_DEPTH_MAX], *last[YG_YAML_DEPTH_MAX];
	struct yg_sv key; /* of the value that comes */
	bool has_key;
};

static yg_status fail(struct builder *b, size_t line, const char *what)
{
	return YG_FAIL(b->err, YG_PARSE, "%s:%zu: %s", b->file, line, what);
}

static yg_status next(struct builder *b)
{
	if (b->have)
		yaml_event_delete(&b->event);
	b->have = false;
	if (!yaml_parser_parse(&b->parser, &b->event) && b->parser.error == YAML_MEMORY_ERROR)
		return YG_FAIL(b->err, YG_NOMEM, "no memory to read %s", b->file);
	if (b->parser.error != YAML_NO_ERROR)
		return YG_FAIL(b->err, YG_PARSE, "%s:%zu: not YAML: %s", b->file,
			       b->parser.problem_mark.line + 1,
			       b->parser.problem != NULL ? b->parser.problem : "no memory");
	b->have = true;
	return YG_OK;
}

static size_t line_of(const struct builder *b)
{
	return b->event.start_mark.line + 1;
}

static yg_status refuse_marks(struct builder *b)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	switch (b->event.type) {
	case YAML_ALIAS_EVENT: return fail(b, line_of(b), "aliases (*name) are not allowed");
	case YAML_SCALAR_EVENT:
		anchor = b->event.data.scalar.anchor;
		tag = b->event.data.scalar.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = b->event.data.mapping_start.anchor;
		tag = b->event.data.mapping_start.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = b->event.data.sequence_start.anchor;
		tag = b->event.data.sequence_start.tag;
		break;
	default: break;
	}
	return anchor == NULL && tag == NULL
		       ? YG_OK
		       : fail(b, line_of(b), "anchors (&name) and tags (!name) are not allowed");
}

static struct yg_sv scalar(const struct builder *b)
{
	return (struct yg_sv){(const char *)b->event.data.scalar.value,
			      b->event.data.scalar.length};
}

static struct yg_yaml *open_node(const struct builder *b)
{
	return b->depth > 0 ? b->open[b->depth - 1] : NULL;
}

/* A new node at the end of the open list or map; the first one is the root. */
static yg_status add_node(struct builder *b, enum yg_yaml_kind kind, struct yg_yaml **out)
{
	struct yg_yaml *up = open_node(b);
	if (++b->nodes > b->limits->nodes)
		return fail(b, line_of(b), "too many values in one file");
	struct yg_yaml *n = YG_NEW(b->arena, struct yg_yaml);
	if (n == NULL)
		return YG_FAIL(b->err, YG_NOMEM, "no memory to read %s", b->file);
	n->kind = kind;
	n->line = line_of(b);
	n->key = b->key;
	n->text = (struct yg_sv){"", 0};
	b->has_key = false;
	b->key = (struct yg_sv){"", 0};
	if (up == NULL) {
		if (b->root == NULL)
			b->root = n;
		else
			b->root_last->next = n;
		b->root_last = n;
	} else {
		up->count++;
		struct yg_yaml *last = b->last[b->depth - 1];
		if (last == NULL)
			up->first = n;
		else
			last->next = n;
		b->last[b->depth - 1] = n;
	}
	*out = n;
	return YG_OK;
}

static yg_status take_key(struct builder *b)
{
	struct yg_yaml *map = open_node(b);
	if (b->event.type != YAML_SCALAR_EVENT)
		return fail(b, line_of(b), "expected a key");
	if (map->count == YG_YAML_KEYS_MAX)
		return fail(b, line_of(b), "too many keys in one place");
	b->key = yg_arena_dup(b->arena, scalar(b));
	if (b->key.p == NULL)
		return YG_FAIL(b->err, YG_NOMEM, "no memory to read %s", b->file);
	for (const struct yg_yaml *n = map->first; n != NULL; n = n->next)
		if (yg_sv_eq(n->key, b->key))
			return fail(b, line_of(b), "the key stands twice");
	b->has_key = true;
	return YG_OK;
}

static yg_status take_text(struct builder *b, struct yg_yaml **out)
{
	struct yg_sv s = scalar(b);
	bool plain = b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool null = plain && (s.n == 0 || YG_SV_IS(s, "~") || YG_SV_IS(s, "null") ||
			      YG_SV_IS(s, "Null") || YG_SV_IS(s, "NULL"));
	yg_status st = add_node(b, null ? YG_YAML_NONE : YG_YAML_TEXT, out);
	if (st != YG_OK)
		return st;
	(*out)->plain = plain;
	(*out)->text = yg_arena_dup(b->arena, s);
	return (*out)->text.p != NULL ? YG_OK
				      : YG_FAIL(b->err, YG_NOMEM, "no memory to read %s", b->file);
}

/* One event inside the document. */
static yg_status take_event(struct builder *b)
{
	struct yg_yaml *n = NULL, *up = open_node(b);
	yg_status st = refuse_marks(b);
	if (st != YG_OK)
		return st;
	if (b->event.type == YAML_MAPPING_END_EVENT || b->event.type == YAML_SEQUENCE_END_EVENT) {
		if (b->depth > 0)
			b->depth--;
		return YG_OK;
	}
	if (up != NULL && up->kind == YG_YAML_MAP && !b->has_key)
		return take_key(b);
	if (b->event.type == YAML_SCALAR_EVENT) {
		st = take_text(b, &n);
	} else {
		bool map = b->event.type == YAML_MAPPING_START_EVENT;
		if (b->depth == b->limits->depth)
			return fail(b, line_of(b), "too deep");
		st = add_node(b, map ? YG_YAML_MAP : YG_YAML_LIST, &n);
		if (st == YG_OK) {
			b->open[b->depth] = n;
			b->last[b->depth++] = NULL;
		}
	}
	return st;
}

static yg_status take_stream(struct builder *b)
{
	for (;;) {
		yg_status st = next(b);
		if (st != YG_OK || b->event.type == YAML_STREAM_END_EVENT)
			return st;
		switch (b->event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT: continue;
		case YAML_DOCUMENT_START_EVENT:
			if (b->documents == b->limits->documents)
				return fail(b, line_of(b),
					    b->documents == 1 ? "only one document is allowed"
							      : "too many documents in one file");
			b->documents++;
			continue;
		default: st = take_event(b);
		}
		if (st != YG_OK)
			return st;
	}
}

yg_status yg_yaml_read_documents(struct yg_sv yaml, const char *file_name,
				 const struct yg_yaml_limits *limits, struct yg_arena *arena,
				 const struct yg_yaml **out, struct yg_err *err)
{
	struct yg_yaml_limits l = *limits;
	l.depth = YG_MIN(l.depth, YG_YAML_DEPTH_MAX);
	struct builder b = {
		.arena = arena, .file = file_name, .err = err, .key = {"", 0}, .limits = &l};
	if (!yaml_parser_initialize(&b.parser))
		return YG_FAIL(err, YG_NOMEM, "no memory to read %s", file_name);
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)(yaml.n > 0 ? yaml.p : ""),
				     yaml.n);
	yg_status st = take_stream(&b);
	if (b.have)
		yaml_event_delete(&b.event);
	yaml_parser_delete(&b.parser);
	if (st == YG_OK)
		*out = b.root;
	return st;
}

yg_status yg_yaml_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
		       const struct yg_yaml **out, struct yg_err *err)
{
	static const struct yg_yaml_limits limits = {YG_YAML_NODES_MAX, 8, 1};
	const struct yg_yaml *root;
	yg_status st = yg_yaml_read_documents(yaml, file_name, &limits, arena, &root, err);
	if (st != YG_OK)
		return st;
	if (root == NULL) {
		struct yg_yaml *empty = YG_NEW(arena, struct yg_yaml);
		if (empty == NULL)
			return YG_FAIL(err, YG_NOMEM, "no memory to read %s", file_name);
		empty->key = empty->text = (struct yg_sv){"", 0};
		root = empty;
	}
	*out = root;
	return YG_OK;
}

const struct yg_yaml *yg_yaml_get(const struct yg_yaml *map, const char *key)
{
	if (map == NULL || map->kind != YG_YAML_MAP)
		return NULL;
	const struct yg_yaml *n = map->first;
	while (n != NULL && !yg_sv_eq(n->key, yg_sv_of(key)))
		n = n->next;
	return n;
}
