/* Detection rules: new ones, changes, imports. */
#include "api/routes_detect.h"
#include "api/text.h"

#define FILES_MAX 6000 /* of one import: the values of one body are bounded */

/* ---- one document ---- */

static void tell(struct yg_request *q, const struct yg_detect_documents *d)
{
	for (size_t i = 0; i < d->problem_count; i++)
		yg_request_error(q, "bad_rule", YG_SV("/text"), "line %zu: " YG_SV_FMT,
				 d->problems[i].line, YG_SV_ARG(d->problems[i].reason));
	if (d->refused == 0)
		yg_request_error(q, "bad_rule", YG_SV("/text"), "expected one rule; %zu stand here",
				 d->count);
}

/* The one rule that `text` is; else what is wrong is told. */
static yg_status read_one(struct yg_api *api, struct yg_request *q, struct yg_sv text,
			  struct yg_detect_documents *d, struct yg_err *err)
{
	yg_status st = yg_detect_documents_begin(d, api->env, err);
	if (st == YG_OK)
		st = yg_detect_documents_add(d, YG_SV(""), text, err);
	if (st != YG_OK || (d->count == 1 && d->refused == 0))
		return st;
	tell(q, d);
	return YG_FAIL(err, YG_PARSE, "the rule has errors");
}

static void put_checked(struct yg_jo *j, const struct yg_detect_document *doc)
{
	yg_jo_begin(j, '{');
	yg_jo_str(j, "sigma_id", doc->sigma_id);
	yg_jo_str(j, "name", doc->name);
	yg_jo_str(j, "title", doc->title);
	yg_jo_str(j, "kind", yg_sv_of(yg_sigma_kind_name(doc->kind)));
	yg_jo_str(j, "level", yg_sv_of(yg_sigma_level_name(doc->level)));
	yg_jo_str(j, "status", yg_sv_of(yg_sigma_status_name(doc->status)));
	yg_jo_key(j, "logsource");
	yg_jo_begin(j, '{');
	yg_jo_str(j, "category", doc->category);
	yg_jo_str(j, "product", doc->product);
	yg_jo_str(j, "service", doc->service);
	yg_jo_end(j, '}');
	yg_jo_end(j, '}');
}

static void put_problem(struct yg_jo *j, struct yg_request *q, size_t line, struct yg_sv reason)
{
	yg_jo_begin(j, '{');
	yg_jo_int(j, "line", (int64_t)line);
	yg_jo_str(j, "reason", yg_text(q, reason));
	yg_jo_end(j, '}');
}

yg_status yg_r_rule_check(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	static const struct yg_field fields[] = {
		{"text", YG_F_TEXT, YG_F_NEEDED, 0, YG_SIGMA_FILE_MAX, NULL}};
	struct yg_value v[YG_LEN(fields)];
	char many[64];
	struct yg_sb text = yg_sb_init(many, sizeof many);
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_detect_documents_begin(&d, api->env, err);
	if (st == YG_OK)
		st = yg_detect_documents_add(&d, YG_SV(""), v[0].text, err);
	if (st != YG_OK)
		return st;
	bool ok = d.count == 1 && d.refused == 0;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_bool(&j, "ok", ok);
	yg_jo_key(&j, "problems");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < d.problem_count; i++)
		put_problem(&j, q, d.problems[i].line, d.problems[i].reason);
	yg_sb_printf(&text, "expected one rule; %zu stand here", d.count);
	if (!ok && d.refused == 0)
		put_problem(&j, q, d.count > 1 ? d.list[1].line : 1, yg_sb_sv(&text));
	yg_jo_end(&j, ']');
	yg_jo_key(&j, "rule");
	if (ok)
		put_checked(&j, &d.list[0]);
	else
		yg_jo_raw(&j, YG_SV(""));
	yg_jo_end(&j, '}');
	return YG_OK;
}

/* Where something new goes: org, collection, stage. */
static yg_status read_place(struct yg_request *q, struct yg_state *db, const struct yg_value v[3],
			    struct yg_drule_place *out, struct yg_err *err)
{
	out->stage = YG_STAGE_TEST;
	out->collection = v[1].given ? v[1].text : YG_SV("own");
	if (v[2].given)
		(void)yg_detect_stage_parse(v[2].text, &out->stage);
	if (!yg_drule_collection_ok(out->collection)) {
		yg_request_error(q, "bad_name", YG_SV("/collection"),
				 "a collection has 1 to 64 of A-Z a-z 0-9 . _ -");
		return YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	return yg_scope_body_org(q, db, v[0].given, v[0].text, &out->org, err);
}

#define PLACE                                                                                      \
	{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},                                                \
		{"collection", YG_F_TEXT, 0, 1, YG_DRULE_COLLECTION_MAX, NULL},                    \
	{                                                                                          \
		"stage", YG_F_TEXT, 0, 0, 0, YG_STAGE_WORDS                                        \
	}

yg_status yg_r_rules_add(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			 struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	static const struct yg_field fields[] = {
		PLACE, {"text", YG_F_TEXT, YG_F_NEEDED, 1, YG_SIGMA_FILE_MAX, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_drule_place at;
	struct yg_id id;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = read_one(api, q, v[3].text, &d, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = read_place(q, l.db, v, &at, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_drule_add(&act, &at, &d.list[0], &id, err);
	if (st != YG_OK)
		return st;
	yg_answer_location(q, r, "/api/v1/detection-rules", yg_id_sv(&id));
	st = yg_answer_rule(api, q, r, l.db, 201, yg_id_sv(&id), err);
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

/* ---- a change ---- */

/* What is asked for, before anything is locked: rights, version, the text. */
static yg_status read_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			     struct yg_drule *rule, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_find_rule(q, l.db, yg_param(q, "id"), true, rule, err);
	return st == YG_OK ? yg_check_match(q, r, rule->version, err) : st;
}

static yg_status write_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			      const struct yg_drule *rule, const struct yg_drule_set *set,
			      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_drule now;
	yg_status st = yg_lease_change(api, &l, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_drule_change(&act, rule->uid, rule->version, set, err);
	if (st == YG_CONFLICT && (yg_drule_get(l.db, rule->uid, q->arena, &now, NULL) != YG_OK ||
				  now.version != rule->version))
		return yg_changed(r, st);
	if (st != YG_OK)
		return st;
	st = yg_answer_rule(api, q, r, l.db, 200, rule->uid, err);
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

yg_status yg_r_rule_change(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	static const struct yg_field fields[] = {
		{"text", YG_F_TEXT, 0, 1, YG_SIGMA_FILE_MAX, NULL},
		{"stage", YG_F_TEXT, 0, 0, 0, YG_STAGE_WORDS},
		{"collection", YG_F_TEXT, 0, 1, YG_DRULE_COLLECTION_MAX, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_drule rule;
	struct yg_drule_set set = {.doc = NULL};
	enum yg_detect_stage stage = YG_STAGE_OFF;
	yg_status st = read_change(api, q, r, &rule, err);
	if (st == YG_OK)
		st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && v[0].given)
		st = read_one(api, q, v[0].text, &d, err);
	if (st != YG_OK)
		return st;
	if (v[0].given)
		set.doc = &d.list[0];
	if (v[1].given && yg_detect_stage_parse(v[1].text, &stage) == YG_OK)
		set.stage = &stage;
	set.collection = v[2].given ? &v[2].text : NULL;
	return write_change(api, q, r, &rule, &set, err);
}

yg_status yg_r_rule_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_drule rule;
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_find_rule(q, l.db, yg_param(q, "id"), true, &rule, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_drule_remove(&act, rule.uid, err);
	r->status = 204;
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

/* ---- many ---- */

static yg_status bad_file(struct yg_request *q, size_t i, struct yg_err *err)
{
	char pointer[40];
	struct yg_sb p = yg_sb_init(pointer, sizeof pointer);
	yg_sb_printf(&p, "/files/%zu", i);
	yg_request_error(q, "bad_type", yg_sb_sv(&p), "expected an object of name and text");
	return YG_FAIL(err, YG_PARSE, "the body has errors");
}

static struct yg_sv member(const struct yg_json *j, uint32_t node, const char *name,
			   struct yg_arena *arena)
{
	uint32_t at = yg_json_get(j, node, yg_sv_of(name));
	return at != 0 && yg_json_at(j, at)->type == YG_JSON_STRING ? yg_json_str(j, at, arena)
								    : (struct yg_sv){NULL, 0};
}

/* The files one after the other; what is wrong with a rule is noted, not an error. */
static yg_status read_files(struct yg_request *q, const struct yg_json *j, uint32_t list,
			    struct yg_detect_documents *d, struct yg_err *err)
{
	yg_status st = YG_OK;
	uint32_t at = list + 1;
	for (size_t i = 0; st == YG_OK && i < yg_json_at(j, list)->n; i++) {
		if (yg_json_at(j, at)->type != YG_JSON_OBJECT || yg_json_at(j, at)->n != 2)
			return bad_file(q, i, err);
		struct yg_sv name = member(j, at, "name", q->arena),
			     text = member(j, at, "text", q->arena);
		if (q->arena->refused)
			return YG_FAIL(err, YG_TOOBIG, "more rules than one import takes");
		if (name.p == NULL || text.p == NULL || name.n > YG_DRULE_FILE_MAX ||
		    memchr(name.p, 0, name.n) != NULL || memchr(text.p, 0, text.n) != NULL)
			return bad_file(q, i, err);
		st = yg_detect_documents_add(d, name, text, err);
		at = yg_json_at(j, at)->next;
	}
	return st;
}

static void put_imported(struct yg_response *r, struct yg_request *q,
			 const struct yg_drule_imported *n, const struct yg_detect_documents *d)
{
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "added", (int64_t)n->added);
	yg_jo_int(&j, "changed", (int64_t)n->changed);
	yg_jo_int(&j, "unchanged", (int64_t)n->unchanged);
	yg_jo_int(&j, "refused_count", (int64_t)d->refused);
	yg_jo_key(&j, "refused");
	yg_jo_begin(&j, '[');
	for (size_t i = 0; i < d->problem_count; i++) {
		yg_jo_begin(&j, '{');
		yg_jo_str(&j, "file", d->problems[i].file);
		yg_jo_int(&j, "line", (int64_t)d->problems[i].line);
		yg_jo_str(&j, "reason", yg_text(q, d->problems[i].reason));
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, ']');
	yg_jo_end(&j, '}');
}

yg_status yg_r_rules_import(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	YG_AUTO(yg_detect_documents_free) struct yg_detect_documents d = {.count = 0};
	static const struct yg_field fields[] = {
		PLACE, {"files", YG_F_LIST, YG_F_NEEDED, 1, FILES_MAX, NULL}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_drule_place at;
	struct yg_drule_imported n = {.added = 0};
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK)
		st = yg_detect_documents_begin(&d, api->env, err);
	if (st == YG_OK) /* long work before anything is locked */
		st = read_files(q, &b.json, v[3].node, &d, err);
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = read_place(q, l.db, v, &at, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_drule_import(&act, &at, &d, &n, err);
	if (st == YG_OK)
		put_imported(r, q, &n, &d);
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

/* The rules named, each of which the caller may change. */
static yg_status may_change(struct yg_request *q, struct yg_state *db, const struct yg_value *ids,
			    struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < ids->text_count; i++) {
		struct yg_drule_filter f = {
			.reach = q->who.reach, .above = true, .uid = ids->texts[i], .limit = 1};
		struct yg_drule *rule = NULL;
		size_t n = 0;
		st = yg_drule_list(db, &f, q->arena, &rule, &n, err);
		if (st == YG_OK && n == 0)
			st = YG_FAIL(err, YG_NOTFOUND, "no such rule");
		if (st == YG_OK)
			st = yg_scope_shared(q, rule->org, err);
	}
	return st;
}

yg_status yg_r_rules_bulk(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			  struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"ids", YG_F_TEXTS, 0, 1, YG_DRULE_BULK_MAX, NULL},
		{"org", YG_F_TEXT, YG_F_NULL, 1, 63, NULL},
		{"collection", YG_F_TEXT, 0, 1, YG_DRULE_COLLECTION_MAX, NULL},
		{"level", YG_F_TEXT, 0, 0, 0, LEVEL_WORDS},
		{"stage", YG_F_TEXT, YG_F_NEEDED, 0, 0, YG_STAGE_WORDS}};
	struct yg_value v[YG_LEN(fields)];
	struct yg_drule_bulk bulk = {.uids = NULL};
	enum yg_sigma_level level = YG_SIGMA_LEVEL_NONE;
	uint64_t changed = 0, unchanged = 0;
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st == YG_OK && v[0].given == v[2].given) {
		yg_request_error(q, "missing", YG_SV("/ids"), "say ids, or a collection");
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	}
	if (st == YG_OK)
		st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = v[0].given ? may_change(q, l.db, &v[0], err)
				: yg_scope_body_org(q, l.db, v[1].given, v[1].text, &bulk.org, err);
	if (st != YG_OK)
		return st;
	bulk.uids = v[0].given ? v[0].texts : NULL;
	bulk.uid_count = v[0].text_count;
	bulk.collection = v[2].text;
	if (v[3].given && yg_sigma_level_parse(v[3].text, &level) == YG_OK)
		bulk.levels = 1u << level;
	(void)yg_detect_stage_parse(v[4].text, &bulk.stage);
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_drule_stage_all(&act, &bulk, &changed, &unchanged, err);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "changed", (int64_t)changed);
	yg_jo_int(&j, "unchanged", (int64_t)unchanged);
	yg_jo_end(&j, '}');
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}

yg_status yg_r_rules_remove(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			    struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_sv collection = yg_query(q, "collection"), org;
	uint64_t removed = 0;
	if (collection.p == NULL) {
		yg_request_error(q, "missing", YG_SV("collection"), "the member is needed");
		return YG_FAIL(err, YG_PARSE, "a parameter is wrong");
	}
	yg_status st = yg_lease_change(api, &l, err);
	if (st == YG_OK)
		st = yg_scope_owner(q, l.db, &org, err);
	if (st == YG_OK)
		st = yg_scope_shared(q, org, err);
	if (st != YG_OK)
		return st;
	struct yg_act act = yg_request_act(q, api, l.db);
	st = yg_drule_remove_all(&act, org, collection, &removed, err);
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "removed", (int64_t)removed);
	yg_jo_end(&j, '}');
	return yg_lease_commit_then(&l, q, r, st, yg_rules_changed, err);
}
