/* schema_text.c - reads the text form of schemas. */
#include <stdlib.h>

#include "cedar/expr.h"
#include "cedar/schema_internal.h"

/* A set or record whose inside is being read. */
struct open_type {
	struct yg_cedar_type *type;
	struct yg_vec fields; /* owned; struct yg_cedar_type_field */
	bool begun;           /* the element of a set was */
};
struct reading {
	struct yg_cs_reading r;
	struct yg_cedar_lex l;
	struct yg_vec list;                       /* owned; names, ids, entity types */
	struct open_type open[YG_CEDAR_OPEN_MAX]; /* owned fields */
	uint32_t depth;
	struct yg_vec spaces; /* owned; struct yg_cedar_placed */
};

static yg_status nomem(struct reading *t)
{
	return t->l.bad = yg_cs_nomem(t->r.err);
}

static bool take_word(struct reading *t, const char *word)
{
	return yg_cedar_lex_word(&t->l, word) && yg_cedar_lex_go(&t->l);
}

/* @doc("..."): of use to people only. */
static yg_status skip_annotations(struct reading *t)
{
	while (yg_cedar_lex_take(&t->l, "@")) {
		if (t->l.now.kind != YG_CT_NAME)
			return yg_cedar_lex_unexpected(&t->l, "the name of an annotation");
		if (!yg_cedar_lex_go(&t->l) || !yg_cedar_lex_take(&t->l, "("))
			continue;
		if (t->l.now.kind != YG_CT_STRING)
			return yg_cedar_lex_unexpected(&t->l, "a text in quotes");
		if (!yg_cedar_lex_go(&t->l) || yg_cedar_lex_need(&t->l, ")") != YG_OK)
			break;
	}
	return t->l.bad;
}

/* A name of one's own: an identifier, or where `quoted` any text. */
static yg_status read_name(struct reading *t, bool quoted, struct yg_sv *out)
{
	if (quoted && t->l.now.kind == YG_CT_STRING) {
		if (yg_cedar_unescape(&t->l, t->l.now.text, false, &t->r.s->arena, out) == YG_OK)
			(void)yg_cedar_lex_go(&t->l);
		return t->l.bad;
	}
	if (t->l.now.kind != YG_CT_NAME ||
	    (yg_cedar_reserved(t->l.now.text) && !(quoted && yg_cedar_lex_word(&t->l, "__cedar"))))
		return yg_cedar_lex_unexpected(&t->l, quoted ? "a name, or \"...\"" : "a name");
	*out = yg_arena_dup(&t->r.s->arena, t->l.now.text);
	if (out->p == NULL)
		return nomem(t);
	(void)yg_cedar_lex_go(&t->l);
	return t->l.bad;
}

/* A name of another; __cedar:: may stand before one of Cedar's own types. */
static yg_status read_path(struct reading *t, struct yg_sv *out)
{
	bool uid, own = yg_cedar_lex_word(&t->l, "__cedar");
	struct yg_sv id, name;
	size_t at = yg_cedar_lex_at(&t->l);
	if (own && (!yg_cedar_lex_go(&t->l) || yg_cedar_lex_need(&t->l, "::") != YG_OK))
		return t->l.bad;
	if (yg_cedar_path_read(&t->l, &t->r.s->arena, &name, &uid, &id) != YG_OK)
		return t->l.bad;
	if (uid)
		return yg_cedar_lex_fail_at(&t->l, at, "expected a type, found an entity");
	*out = name;
	if (!own)
		return YG_OK;
	char *full = yg_arena_alloc(&t->r.s->arena, name.n + 9, 1);
	if (full == NULL)
		return nomem(t);
	struct yg_sb b = yg_sb_init(full, name.n + 9);
	yg_sb_put(&b, YG_SV("__cedar::"));
	yg_sb_put(&b, name);
	*out = yg_sb_sv(&b);
	return YG_OK;
}

/* One path, or several in brackets, as names of entity types. */
static yg_status read_types(struct reading *t, struct yg_sv **out, uint32_t *out_n)
{
	bool many = yg_cedar_lex_take(&t->l, "[");
	while (t->l.bad == YG_OK && !(many && yg_cedar_lex_is(&t->l, "]"))) {
		struct yg_sv path, *to;
		if (read_path(t, &path) != YG_OK)
			break;
		to = yg_vec_add(&t->list, sizeof *to);
		if (to == NULL)
			return nomem(t);
		*to = path;
		if (!many || (!yg_cedar_lex_take(&t->l, ",") && !yg_cedar_lex_is(&t->l, "]")))
			break;
	}
	if (t->l.bad == YG_OK && many && yg_cedar_lex_need(&t->l, "]") != YG_OK)
		return t->l.bad;
	*out = yg_cs_keep(&t->r, &t->list, sizeof **out, out_n);
	if (*out == NULL && t->l.bad == YG_OK)
		return nomem(t);
	for (uint32_t i = 0; i < *out_n && t->l.bad == YG_OK; i++)
		t->l.bad = yg_cs_name_entity(&t->r, &(*out)[i], (*out)[i]);
	return t->l.bad;
}

/* ---- types ---- */

static yg_status push(struct reading *t, struct yg_cedar_type *type)
{
	if (t->depth == YG_CEDAR_OPEN_MAX)
		return yg_cedar_lex_fail(&t->l, "types nested deeper than %d levels",
					 YG_CEDAR_OPEN_MAX);
	t->open[t->depth++] = (struct open_type){.type = type};
	return YG_OK;
}

/* The field's name and what stands before its type; *out: where the type goes. */
static yg_status begin_field(struct reading *t, struct open_type *o, struct yg_cedar_type **out)
{
	struct yg_cedar_type_field f = {.required = true}, *to;
	if (skip_annotations(t) != YG_OK || read_name(t, true, &f.key) != YG_OK)
		return t->l.bad;
	f.required = !yg_cedar_lex_take(&t->l, "?");
	if (t->l.bad != YG_OK || yg_cedar_lex_need(&t->l, ":") != YG_OK)
		return t->l.bad;
	f.type = YG_NEW(&t->r.s->arena, struct yg_cedar_type);
	to = f.type != NULL ? yg_vec_add(&o->fields, sizeof *to) : NULL;
	if (to == NULL)
		return nomem(t);
	*to = f;
	*out = f.type;
	return YG_OK;
}

static yg_status end_record(struct reading *t, struct open_type *o)
{
	o->type->fields = yg_cs_keep(&t->r, &o->fields, sizeof *o->type->fields, &o->type->n);
	if (o->type->fields == NULL)
		return nomem(t);
	yg_status st = yg_cs_fields(o->type, t->r.err);
	return st == YG_OK ? YG_OK : (t->l.bad = st);
}

/* Begins a type at the token at hand; one that has an inside stays open. */
static yg_status begin_type(struct reading *t, struct yg_cedar_type *type)
{
	struct yg_sv path = YG_SV("");
	if (yg_cedar_lex_take(&t->l, "{")) {
		*type = (struct yg_cedar_type){.kind = YG_CEDAR_RECORD};
		return push(t, type);
	}
	if (yg_cedar_lex_word(&t->l, "Set") && t->l.next.kind == YG_CT_MARK &&
	    t->l.next.text.p[0] == '<') {
		*type = (struct yg_cedar_type){.kind = YG_CEDAR_SET};
		type->element = YG_NEW(&t->r.s->arena, struct yg_cedar_type);
		if (type->element == NULL)
			return nomem(t);
		if (!yg_cedar_lex_go(&t->l) || yg_cedar_lex_need(&t->l, "<") != YG_OK)
			return t->l.bad;
		return push(t, type);
	}
	if (read_path(t, &path) != YG_OK)
		return t->l.bad;
	yg_status st = yg_cs_name_type(&t->r, type, path, false, false);
	return st == YG_OK ? YG_OK : (t->l.bad = st);
}

static yg_status read_type(struct reading *t, struct yg_cedar_type *type)
{
	uint32_t floor = t->depth;
	yg_status st = begin_type(t, type);
	while (st == YG_OK && t->depth > floor) {
		struct open_type *o = &t->open[t->depth - 1];
		struct yg_cedar_type *inside = NULL;
		bool set = o->type->kind == YG_CEDAR_SET;
		if (set && !o->begun) {
			o->begun = true;
			st = begin_type(t, o->type->element);
		} else if (set) {
			t->depth--;
			st = yg_cedar_lex_need(&t->l, ">");
		} else if (o->fields.n > 0 && !yg_cedar_lex_is(&t->l, "}") &&
			   !yg_cedar_lex_take(&t->l, ",")) {
			st = yg_cedar_lex_unexpected(&t->l, "',' or '}'");
		} else if (yg_cedar_lex_take(&t->l, "}")) {
			t->depth--;
			st = end_record(t, o);
		} else {
			st = begin_field(t, o, &inside);
			if (st == YG_OK && inside != NULL)
				st = begin_type(t, inside);
		}
	}
	return st;
}

/* ---- declarations ---- */

/* Names separated by commas, into the list. */
static yg_status read_names(struct reading *t, bool quoted)
{
	do {
		struct yg_sv name, *to;
		if (read_name(t, quoted, &name) != YG_OK)
			return t->l.bad;
		to = yg_vec_add(&t->list, sizeof *to);
		if (to == NULL)
			return nomem(t);
		*to = name;
	} while (yg_cedar_lex_take(&t->l, ","));
	return t->l.bad;
}

static yg_status read_ids(struct reading *t, struct yg_cedar_entity_type *e)
{
	if (yg_cedar_lex_need(&t->l, "[") != YG_OK)
		return t->l.bad;
	do {
		struct yg_sv id, *to;
		if (t->l.now.kind != YG_CT_STRING)
			return yg_cedar_lex_unexpected(&t->l, "an entity's id in quotes");
		if (read_name(t, true, &id) != YG_OK)
			return t->l.bad;
		to = yg_vec_add(&t->list, sizeof *to);
		if (to == NULL)
			return nomem(t);
		*to = id;
	} while (yg_cedar_lex_take(&t->l, ","));
	if (t->l.bad != YG_OK)
		return t->l.bad;
	e->is_enum = true;
	e->ids = yg_cs_keep(&t->r, &t->list, sizeof *e->ids, &e->id_n);
	return e->ids != NULL ? yg_cedar_lex_need(&t->l, "]") : nomem(t);
}

/* What stands behind the names of entity types. */
static yg_status read_entity_body(struct reading *t, struct yg_cedar_entity_type *e)
{
	if (take_word(t, "enum"))
		return read_ids(t, e);
	if (take_word(t, "in") && read_types(t, &e->parents, &e->parent_n) != YG_OK)
		return t->l.bad;
	bool equals = t->l.bad == YG_OK && yg_cedar_lex_take(&t->l, "=");
	if (t->l.bad == YG_OK && (equals || yg_cedar_lex_is(&t->l, "{"))) {
		if (!yg_cedar_lex_is(&t->l, "{"))
			return yg_cedar_lex_unexpected(&t->l, "'{'");
		if (read_type(t, &e->attrs) != YG_OK)
			return t->l.bad;
	}
	if (t->l.bad == YG_OK && take_word(t, "tags")) {
		e->has_tags = true;
		return read_type(t, &e->tags);
	}
	return t->l.bad;
}

static yg_status read_entity(struct reading *t)
{
	uint32_t n;
	if (read_names(t, false) != YG_OK)
		return t->l.bad;
	struct yg_sv *names = yg_cs_keep(&t->r, &t->list, sizeof *names, &n);
	for (uint32_t i = 0; names != NULL && i < n && t->l.bad == YG_OK; i++)
		t->l.bad = yg_cs_entity_name(names[i], t->r.err);
	if (t->l.bad != YG_OK)
		return t->l.bad;
	struct yg_cedar_entity_type *first = names != NULL ? yg_cs_entity(&t->r, names[0]) : NULL;
	if (first == NULL)
		return nomem(t);
	if (read_entity_body(t, first) != YG_OK)
		return t->l.bad;
	/* the names inside are looked up in the first; the others say the same */
	for (uint32_t i = 1; i < n; i++) {
		struct yg_cedar_entity_type *other = yg_cs_entity(&t->r, names[i]);
		if (other == NULL)
			return nomem(t);
		other->like = first;
	}
	return yg_cedar_lex_need(&t->l, ";");
}

/* An action of another's: Name, "name" or Space::Action::"name". */
static yg_status read_parent(struct reading *t)
{
	struct yg_cedar_uid uid, *to;
	bool is_uid = false;
	if (t->l.now.kind == YG_CT_NAME && t->l.next.kind == YG_CT_MARK &&
	    yg_sv_eq(t->l.next.text, YG_SV("::"))) {
		if (yg_cedar_path_read(&t->l, &t->r.s->arena, &uid.type, &is_uid, &uid.id) != YG_OK)
			return t->l.bad;
		if (!is_uid)
			return yg_cedar_lex_unexpected(&t->l, "an action such as Action::\"view\"");
	} else {
		uid.type = YG_SV("Action"); /* whose is found out when all are read */
		if (read_name(t, true, &uid.id) != YG_OK)
			return t->l.bad;
	}
	to = uid.type.p != NULL ? yg_vec_add(&t->list, sizeof *to) : NULL;
	if (to == NULL)
		return nomem(t);
	*to = uid;
	return t->l.bad;
}

static yg_status read_parents(struct reading *t, struct yg_cedar_action_type *a)
{
	bool many = yg_cedar_lex_take(&t->l, "[");
	while (t->l.bad == YG_OK && !(many && yg_cedar_lex_is(&t->l, "]"))) {
		if (read_parent(t) != YG_OK || !many ||
		    (!yg_cedar_lex_take(&t->l, ",") && !yg_cedar_lex_is(&t->l, "]")))
			break;
	}
	if (t->l.bad == YG_OK && many && yg_cedar_lex_need(&t->l, "]") != YG_OK)
		return t->l.bad;
	a->parents = yg_cs_keep(&t->r, &t->list, sizeof *a->parents, &a->parent_n);
	return a->parents != NULL ? t->l.bad : nomem(t);
}

static yg_status read_applies(struct reading *t, struct yg_cedar_action_type *a)
{
	bool context = false;
	if (yg_cedar_lex_need(&t->l, "{") != YG_OK)
		return t->l.bad;
	while (t->l.bad == YG_OK && !yg_cedar_lex_is(&t->l, "}")) {
		bool principal = yg_cedar_lex_word(&t->l, "principal"),
		     resource = yg_cedar_lex_word(&t->l, "resource");
		if (!principal && !resource && !yg_cedar_lex_word(&t->l, "context"))
			return yg_cedar_lex_unexpected(&t->l,
						       "'principal', 'resource' or 'context'");
		if ((principal && a->principals != NULL) || (resource && a->resources != NULL) ||
		    (!principal && !resource && context))
			return yg_cedar_lex_fail(&t->l, "'" YG_SV_FMT "' is there twice",
						 YG_SV_ARG(t->l.now.text));
		context = context || (!principal && !resource);
		if (!yg_cedar_lex_go(&t->l) || yg_cedar_lex_need(&t->l, ":") != YG_OK)
			break;
		if (principal)
			(void)read_types(t, &a->principals, &a->principal_n);
		else if (resource)
			(void)read_types(t, &a->resources, &a->resource_n);
		else
			(void)read_type(t, &a->context);
		if (t->l.bad == YG_OK && !yg_cedar_lex_take(&t->l, ",") &&
		    !yg_cedar_lex_is(&t->l, "}"))
			return yg_cedar_lex_unexpected(&t->l, "',' or '}'");
	}
	if (t->l.bad == YG_OK && (a->principal_n == 0 || a->resource_n == 0))
		return yg_cedar_lex_fail(&t->l, "an action applies to principals and resources, "
						"at least one type each");
	return t->l.bad == YG_OK ? yg_cedar_lex_need(&t->l, "}") : t->l.bad;
}

static yg_status read_action(struct reading *t)
{
	uint32_t n;
	if (read_names(t, true) != YG_OK)
		return t->l.bad;
	struct yg_sv *names = yg_cs_keep(&t->r, &t->list, sizeof *names, &n);
	struct yg_cedar_action_type *first = names != NULL ? yg_cs_action(&t->r, names[0]) : NULL;
	if (first == NULL)
		return nomem(t);
	if (take_word(t, "in") && read_parents(t, first) != YG_OK)
		return t->l.bad;
	if (t->l.bad == YG_OK && take_word(t, "appliesTo") && read_applies(t, first) != YG_OK)
		return t->l.bad;
	if (t->l.bad == YG_OK && take_word(t, "attributes") &&
	    (yg_cedar_lex_need(&t->l, "{") != YG_OK ||
	     yg_cedar_lex_need(&t->l, "}") != YG_OK)) /* Cedar has none yet */
		return t->l.bad;
	for (uint32_t i = 1; i < n; i++) {
		struct yg_cedar_action_type *other = yg_cs_action(&t->r, names[i]);
		if (other == NULL)
			return nomem(t);
		other->like = first;
	}
	return t->l.bad == YG_OK ? yg_cedar_lex_need(&t->l, ";") : t->l.bad;
}

static yg_status read_common(struct reading *t)
{
	struct yg_sv name = YG_SV("");
	if (read_name(t, false, &name) != YG_OK)
		return t->l.bad;
	t->l.bad = yg_cs_common_name(name, t->r.err);
	if (t->l.bad != YG_OK || yg_cedar_lex_need(&t->l, "=") != YG_OK)
		return t->l.bad;
	struct yg_cs_common *c = yg_cs_declare(&t->r, name);
	if (c == NULL)
		return nomem(t);
	t->r.owner = c;
	yg_status st = read_type(t, &c->type);
	t->r.owner = NULL;
	return st == YG_OK ? yg_cedar_lex_need(&t->l, ";") : st;
}

static yg_status read_declaration(struct reading *t)
{
	if (take_word(t, "entity"))
		return read_entity(t);
	if (take_word(t, "action"))
		return read_action(t);
	if (take_word(t, "type"))
		return read_common(t);
	return yg_cedar_lex_unexpected(&t->l, "'entity', 'action' or 'type'");
}

static yg_status read_namespace(struct reading *t)
{
	struct yg_cedar_placed *to;
	size_t at = yg_cedar_lex_at(&t->l);
	if (read_path(t, &t->r.space) != YG_OK)
		return t->l.bad;
	to = yg_vec_add(&t->spaces, sizeof *to);
	if (to == NULL)
		return nomem(t);
	*to = (struct yg_cedar_placed){t->r.space, at};
	if (yg_cedar_lex_need(&t->l, "{") != YG_OK)
		return t->l.bad;
	while (skip_annotations(t) == YG_OK && !yg_cedar_lex_take(&t->l, "}"))
		if (read_declaration(t) != YG_OK)
			break;
	t->r.space = YG_SV("");
	return t->l.bad;
}

yg_status yg_cedar_schema_text(struct yg_cedar_schema *s, struct yg_sv text, struct yg_err *err)
{
	struct reading *t = calloc(1, sizeof *t);
	if (t == NULL)
		return yg_cs_nomem(err);
	t->r = (struct yg_cs_reading){.s = s, .space = YG_SV(""), .err = err};
	yg_status st = yg_cedar_lex_init(&t->l, text, err);
	while (st == YG_OK && (st = skip_annotations(t)) == YG_OK && t->l.now.kind != YG_CT_END)
		st = take_word(t, "namespace") ? read_namespace(t) : read_declaration(t);
	const struct yg_cedar_placed *again = yg_cedar_again(t->spaces.p, t->spaces.n);
	if (st == YG_OK && again != NULL)
		st = yg_cedar_lex_fail_at(&t->l, again->at, "this namespace is there twice");
	if (st == YG_OK)
		st = yg_cs_finish(&t->r);
	for (uint32_t i = 0; i < t->depth; i++)
		free(t->open[i].fields.p);
	free(t->list.p);
	free(t->spaces.p);
	free(t);
	return st;
}
