#include "cedar/schema.h"

#include <stdlib.h>

#include "cedar/schema_internal.h"

void yg_cedar_schema_init(struct yg_cedar_schema *s, size_t limit)
{
	*s = (struct yg_cedar_schema){.types = {NULL, 0, 0}};
	yg_arena_init(&s->arena, limit);
}

static void done(struct yg_vec *v)
{
	free(v->p);
	*v = (struct yg_vec){NULL, 0, 0};
}

void yg_cedar_schema_free(struct yg_cedar_schema *s)
{
	done(&s->types);
	done(&s->actions);
	done(&s->commons);
	done(&s->names);
	yg_arena_free(&s->arena);
}

yg_status yg_cedar_schema_read(struct yg_cedar_schema *s, struct yg_sv text, struct yg_err *err)
{
	return yg_sv_starts(yg_sv_trim(text), YG_SV("{")) ? yg_cedar_schema_json(s, text, err)
							  : yg_cedar_schema_text(s, text, err);
}

/* ---- what the readers share ---- */

yg_status yg_cs_nomem(struct yg_err *err)
{
	return YG_FAIL(err, YG_NOMEM, "no memory for a schema");
}

struct yg_sv yg_cs_full(struct yg_cs_reading *r, struct yg_sv name)
{
	size_t n = r->space.n + (r->space.n > 0 ? 2 : 0);
	char *to = yg_arena_alloc(&r->s->arena, n + name.n + 1, 1);
	if (to == NULL)
		return (struct yg_sv){NULL, 0};
	struct yg_sb b = yg_sb_init(to, n + name.n);
	yg_sb_put(&b, r->space);
	yg_sb_put(&b, yg_sv_of(n > 0 ? "::" : ""));
	yg_sb_put(&b, name);
	return yg_sb_sv(&b);
}

struct yg_cedar_entity_type *yg_cs_entity(struct yg_cs_reading *r, struct yg_sv name)
{
	struct yg_cedar_entity_type *t = YG_NEW(&r->s->arena, struct yg_cedar_entity_type), **to;
	if (t == NULL)
		return NULL;
	t->name = yg_cs_full(r, name);
	t->attrs.kind = YG_CEDAR_RECORD;
	to = t->name.p != NULL ? yg_vec_add(&r->s->types, sizeof(void *)) : NULL;
	if (to == NULL)
		return NULL;
	return *to = t;
}

struct yg_cedar_action_type *yg_cs_action(struct yg_cs_reading *r, struct yg_sv id)
{
	struct yg_cedar_action_type *a = YG_NEW(&r->s->arena, struct yg_cedar_action_type), **to;
	if (a == NULL)
		return NULL;
	a->uid.type = yg_cs_full(r, YG_SV("Action"));
	a->uid.id = yg_arena_dup(&r->s->arena, id);
	a->context.kind = YG_CEDAR_RECORD;
	to = a->uid.type.p != NULL && a->uid.id.p != NULL
		     ? yg_vec_add(&r->s->actions, sizeof(void *))
		     : NULL;
	if (to == NULL)
		return NULL;
	return *to = a;
}

struct yg_cs_common *yg_cs_declare(struct yg_cs_reading *r, struct yg_sv name)
{
	struct yg_cs_common *c = YG_NEW(&r->s->arena, struct yg_cs_common), **to;
	if (c == NULL)
		return NULL;
	c->name = yg_cs_full(r, name);
	to = c->name.p != NULL ? yg_vec_add(&r->s->commons, sizeof(void *)) : NULL;
	if (to == NULL)
		return NULL;
	return *to = c;
}

static yg_status add_name(struct yg_cs_reading *r, struct yg_cs_name name)
{
	struct yg_cs_name *to = yg_vec_add(&r->s->names, sizeof *to);
	if (to == NULL)
		return yg_cs_nomem(r->err);
	name.space = r->space;
	name.owner = r->owner;
	*to = name;
	return YG_OK;
}

yg_status yg_cs_name_type(struct yg_cs_reading *r, struct yg_cedar_type *type, struct yg_sv text,
			  bool only_entity, bool only_own)
{
	*type = (struct yg_cedar_type){.kind = 0};
	return add_name(r, (struct yg_cs_name){.type = type,
					       .text = text,
					       .only_entity = only_entity,
					       .only_own = only_own});
}

yg_status yg_cs_name_entity(struct yg_cs_reading *r, struct yg_sv *entity, struct yg_sv text)
{
	return add_name(r, (struct yg_cs_name){.entity = entity, .text = text});
}

static int by_key(const void *a, const void *b)
{
	const struct yg_cedar_type_field *x = a, *y = b;
	return yg_sv_cmp(x->key, y->key);
}

void *yg_cs_keep(struct yg_cs_reading *r, struct yg_vec *v, size_t size, uint32_t *out_n)
{
	void *to = yg_arena_alloc(&r->s->arena, v->n * size, 8);
	if (to != NULL && v->n > 0)
		memcpy(to, v->p, v->n * size);
	*out_n = (uint32_t)v->n;
	done(v);
	return to;
}

yg_status yg_cs_fail_name(yg_status code, const char *what, struct yg_sv name, struct yg_err *err)
{
	char text[128];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put_untrusted(&b, yg_sv_sub(name, 0, 30));
	return YG_FAIL(err, code, "'%s' %s", yg_sb_cstr(&b), what);
}

yg_status yg_cs_fields(struct yg_cedar_type *record, struct yg_err *err)
{
	if (record->n > 1)
		qsort(record->fields, record->n, sizeof *record->fields, by_key);
	for (uint32_t i = 1; i < record->n; i++)
		if (yg_sv_eq(record->fields[i - 1].key, record->fields[i].key))
			return yg_cs_fail_name(YG_CONFLICT, "is there twice in a record",
					       record->fields[i].key, err);
	return YG_OK;
}

/* ---- looking up ---- */

static int by_name(const void *a, const void *b)
{
	struct yg_cedar_entity_type *const *x = a, *const *y = b;
	return yg_sv_cmp((*x)->name, (*y)->name);
}
static int by_uid(const void *a, const void *b)
{
	struct yg_cedar_action_type *const *x = a, *const *y = b;
	int c = yg_sv_cmp((*x)->uid.type, (*y)->uid.type);
	return c != 0 ? c : yg_sv_cmp((*x)->uid.id, (*y)->uid.id);
}
static int by_common(const void *a, const void *b)
{
	struct yg_cs_common *const *x = a, *const *y = b;
	return yg_sv_cmp((*x)->name, (*y)->name);
}

const struct yg_cedar_entity_type *yg_cedar_schema_type(const struct yg_cedar_schema *s,
							struct yg_sv name)
{
	struct yg_cedar_entity_type want = {.name = name}, *key = &want, **found;
	found = s->types.n > 0 ? bsearch(&key, s->types.p, s->types.n, sizeof(void *), by_name)
			       : NULL;
	return found != NULL ? *found : NULL;
}

const struct yg_cedar_action_type *yg_cedar_schema_action(const struct yg_cedar_schema *s,
							  const struct yg_cedar_uid *uid)
{
	struct yg_cedar_action_type want = {.uid = *uid}, *key = &want, **found;
	found = s->actions.n > 0 ? bsearch(&key, s->actions.p, s->actions.n, sizeof(void *), by_uid)
				 : NULL;
	return found != NULL ? *found : NULL;
}

const struct yg_cedar_type_field *yg_cedar_field_of(const struct yg_cedar_type *record,
						    struct yg_sv key)
{
	const struct yg_cedar_type_field want = {.key = key};
	return record->n > 0 ? bsearch(&want, record->fields, record->n, sizeof want, by_key)
			     : NULL;
}

const struct yg_cedar_type *yg_cedar_type_field(const struct yg_cedar_type *record,
						struct yg_sv key)
{
	const struct yg_cedar_type_field *f = yg_cedar_field_of(record, key);
	return f != NULL ? f->type : NULL;
}

static struct yg_cs_common *common_of(const struct yg_cedar_schema *s, struct yg_sv name)
{
	struct yg_cs_common want = {.name = name}, *key = &want, **found;
	found = s->commons.n > 0
			? bsearch(&key, s->commons.p, s->commons.n, sizeof(void *), by_common)
			: NULL;
	return found != NULL ? *found : NULL;
}

static const struct {
	const char *name;
	enum yg_cedar_kind kind;
} builtin[] = {{"Bool", YG_CEDAR_BOOL},        {"Long", YG_CEDAR_LONG},
	       {"String", YG_CEDAR_STRING},    {"decimal", YG_CEDAR_DECIMAL},
	       {"ipaddr", YG_CEDAR_IP},        {"datetime", YG_CEDAR_DATETIME},
	       {"duration", YG_CEDAR_DURATION}};

static bool take_builtin(struct yg_cs_name *n)
{
	struct yg_sv text = n->text;
	if (yg_sv_starts(text, YG_SV("__cedar::")))
		text = yg_sv_sub(text, sizeof "__cedar::" - 1, SIZE_MAX);
	for (size_t i = 0; i < YG_LEN(builtin); i++) {
		if (yg_sv_eq(text, yg_sv_of(builtin[i].name))) {
			*n->type = (struct yg_cedar_type){.kind = (uint8_t)builtin[i].kind};
			return true;
		}
	}
	return false;
}

/* Under this full name? */
static bool take_full(const struct yg_cedar_schema *s, struct yg_cs_name *n, struct yg_sv full)
{
	struct yg_cs_common *common =
		n->type != NULL && !n->only_entity ? common_of(s, full) : NULL;
	if (common != NULL) {
		n->type->same = &common->type;
		n->uses = common;
		return true;
	}
	const struct yg_cedar_entity_type *entity = yg_cedar_schema_type(s, full);
	if (entity == NULL)
		return false;
	if (n->entity != NULL)
		*n->entity = entity->name;
	else if (n->type != NULL)
		*n->type = (struct yg_cedar_type){.kind = YG_CEDAR_ENTITY, .name = entity->name};
	return true;
}

/* In its own namespace, without one, then among Cedar's own. */
static yg_status look_up(struct yg_cs_reading *r, struct yg_cs_name *n)
{
	bool spaced = yg_sv_has(n->text, YG_SV("::"));
	if (n->only_own)
		return take_builtin(n) ? YG_OK
				       : yg_cs_fail_name(YG_NOTFOUND, "is no type of Cedar's own",
							 n->text, r->err);
	if (!spaced && n->space.n > 0) {
		r->space = n->space;
		struct yg_sv full = yg_cs_full(r, n->text);
		if (full.p == NULL)
			return yg_cs_nomem(r->err);
		if (take_full(r->s, n, full))
			return YG_OK;
	}
	if (take_full(r->s, n, n->text) || (n->type != NULL && !n->only_entity && take_builtin(n)))
		return YG_OK;
	return yg_cs_fail_name(YG_NOTFOUND,
			       n->entity != NULL ? "is no entity type of the schema"
						 : "is no type of the schema",
			       n->text, r->err);
}

/* ---- circles ---- */

/* Takes declared types away that use none that is left; what stays is in a circle or
 * uses one.  Names of names end as what the last one stands for. */
static yg_status find_circles(struct yg_cs_reading *r)
{
	struct yg_cs_name *names = r->s->names.p;
	struct yg_cs_common **commons = r->s->commons.p, *free_ones = NULL;
	for (size_t i = 0; i < r->s->names.n; i++) {
		struct yg_cs_name *n = &names[i];
		if (n->owner == NULL || n->uses == NULL)
			continue;
		n->owner->uses++;
		n->next = n->uses->users;
		n->uses->users = n;
	}
	for (size_t i = 0; i < r->s->commons.n; i++) {
		if (commons[i]->uses > 0)
			continue;
		commons[i]->next = free_ones;
		free_ones = commons[i];
	}
	while (free_ones != NULL) {
		struct yg_cs_common *c = free_ones;
		free_ones = c->next;
		if (c->type.kind == 0) /* `type A = B`: what B stands for is known by now */
			c->type.same = yg_cedar_type_of(c->type.same);
		for (struct yg_cs_name *n = c->users; n != NULL; n = n->next) {
			if (--n->owner->uses > 0)
				continue;
			n->owner->next = free_ones;
			free_ones = n->owner;
		}
	}
	for (size_t i = 0; i < r->s->commons.n; i++)
		if (commons[i]->uses > 0)
			return yg_cs_fail_name(YG_CONFLICT, "is a type inside of itself",
					       commons[i]->name, r->err);
	for (size_t i = 0; i < r->s->names.n; i++)
		if (names[i].type != NULL && names[i].type->kind == 0)
			names[i].type->same = yg_cedar_type_of(names[i].type->same);
	return YG_OK;
}

static yg_status check_shape(struct yg_cs_reading *r, const struct yg_cedar_entity_type *t)
{
	return yg_cedar_type_of(&t->attrs)->kind == YG_CEDAR_RECORD
		       ? YG_OK
		       : yg_cs_fail_name(YG_PARSE, "has attributes that are no record", t->name,
					 r->err);
}

/* Action without a namespace is one's own, or the one of no namespace. */
static yg_status check_action(struct yg_cs_reading *r, struct yg_cedar_action_type *a)
{
	for (uint32_t i = 0; i < a->parent_n; i++) {
		struct yg_cedar_uid own = {a->uid.type, a->parents[i].id};
		if (YG_SV_IS(a->parents[i].type, "Action") &&
		    yg_cedar_schema_action(r->s, &own) != NULL)
			a->parents[i] = own;
		if (yg_cedar_schema_action(r->s, &a->parents[i]) == NULL)
			return yg_cs_fail_name(YG_NOTFOUND, "is no action of the schema",
					       a->parents[i].id, r->err);
	}
	if (yg_cedar_type_of(&a->context)->kind != YG_CEDAR_RECORD)
		return yg_cs_fail_name(YG_PARSE, "has a context that is no record", a->uid.id,
				       r->err);
	return YG_OK;
}

/* A name in a namespace must not hide the same one of none (RFC 70 of Cedar). */
static yg_status find_hidden(struct yg_cs_reading *r)
{
	struct yg_cedar_entity_type *const *types = r->s->types.p;
	struct yg_cs_common *const *commons = r->s->commons.p;
	struct yg_cedar_action_type *const *actions = r->s->actions.p;
	for (size_t i = 0; i < r->s->types.n + r->s->commons.n; i++) {
		struct yg_sv name =
			i < r->s->types.n ? types[i]->name : commons[i - r->s->types.n]->name;
		struct yg_sv last = name;
		for (size_t k = 0; k + 1 < name.n; k++)
			if (name.p[k] == ':' && name.p[k + 1] == ':')
				last = yg_sv_sub(name, k + 2, SIZE_MAX);
		if (last.n < name.n &&
		    (yg_cedar_schema_type(r->s, last) != NULL || common_of(r->s, last) != NULL))
			return yg_cs_fail_name(YG_CONFLICT, "hides a type of no namespace", name,
					       r->err);
	}
	for (size_t i = 0; i < r->s->actions.n; i++) {
		struct yg_cedar_uid bare = {YG_SV("Action"), actions[i]->uid.id};
		if (!YG_SV_IS(actions[i]->uid.type, "Action") &&
		    yg_cedar_schema_action(r->s, &bare) != NULL)
			return yg_cs_fail_name(YG_CONFLICT, "hides an action of no namespace",
					       actions[i]->uid.id, r->err);
	}
	return YG_OK;
}

yg_status yg_cs_common_name(struct yg_sv name, struct yg_err *err)
{
	static const char *const taken[] = {"Bool", "Boolean", "Entity", "Extension",
					    "Long", "Record",  "Set",    "String"};
	for (size_t i = 0; i < YG_LEN(taken); i++)
		if (yg_sv_eq(name, yg_sv_of(taken[i])))
			return yg_cs_fail_name(YG_PARSE, "cannot be declared: Cedar has it", name,
					       err);
	return YG_OK;
}

yg_status yg_cs_entity_name(struct yg_sv name, struct yg_err *err)
{
	return YG_SV_IS(name, "Action")
		       ? yg_cs_fail_name(YG_PARSE, "is the type of actions, and not declared", name,
					 err)
		       : YG_OK;
}

/* Two of one name stand beside each other once they are sorted. */
static yg_status find_twice(struct yg_cs_reading *r)
{
	struct yg_cedar_entity_type *const *types = r->s->types.p;
	struct yg_cedar_action_type *const *actions = r->s->actions.p;
	struct yg_cs_common *const *commons = r->s->commons.p;
	for (size_t i = 1; i < r->s->types.n; i++)
		if (by_name(&types[i - 1], &types[i]) == 0)
			return yg_cs_fail_name(YG_CONFLICT, "is declared twice", types[i]->name,
					       r->err);
	for (size_t i = 1; i < r->s->actions.n; i++)
		if (by_uid(&actions[i - 1], &actions[i]) == 0)
			return yg_cs_fail_name(YG_CONFLICT, "is declared twice", actions[i]->uid.id,
					       r->err);
	for (size_t i = 1; i < r->s->commons.n; i++)
		if (by_common(&commons[i - 1], &commons[i]) == 0)
			return yg_cs_fail_name(YG_CONFLICT, "is declared twice", commons[i]->name,
					       r->err);
	return YG_OK;
}

static void sort(struct yg_vec *v, int (*cmp)(const void *, const void *))
{
	if (v->n > 1)
		qsort(v->p, v->n, sizeof(void *), cmp);
}

/* What was declared together with another gets what that one says. */
static void share(struct yg_cedar_schema *s)
{
	for (size_t i = 0; i < s->types.n; i++) {
		struct yg_cedar_entity_type *t = ((struct yg_cedar_entity_type **)s->types.p)[i];
		struct yg_sv name = t->name;
		if (t->like != NULL)
			*t = *t->like;
		t->name = name;
	}
	for (size_t i = 0; i < s->actions.n; i++) {
		struct yg_cedar_action_type *a = ((struct yg_cedar_action_type **)s->actions.p)[i];
		struct yg_cedar_uid uid = a->uid;
		if (a->like != NULL)
			*a = *a->like;
		a->uid = uid;
	}
}

yg_status yg_cs_finish(struct yg_cs_reading *r)
{
	struct yg_cedar_schema *s = r->s;
	sort(&s->commons, by_common);
	sort(&s->types, by_name);
	sort(&s->actions, by_uid);
	yg_status st = find_twice(r);
	for (size_t i = 0; i < s->names.n && st == YG_OK; i++)
		st = look_up(r, (struct yg_cs_name *)s->names.p + i);
	if (st == YG_OK)
		st = find_circles(r);
	if (st == YG_OK)
		share(s);
	for (size_t i = 0; i < s->types.n && st == YG_OK; i++)
		st = check_shape(r, ((struct yg_cedar_entity_type **)s->types.p)[i]);
	if (st == YG_OK)
		st = find_hidden(r);
	for (size_t i = 0; i < s->actions.n && st == YG_OK; i++)
		st = check_action(r, ((struct yg_cedar_action_type **)s->actions.p)[i]);
	if (st == YG_OK)
		st = yg_cs_close(r);
	done(&s->names);
	return st;
}
