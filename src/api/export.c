#include "api/export.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/body.h"
#include "api/export_internal.h"
#include "os/file.h"

#define TELL_US    200000 /* between two words about how far it is */
#define PAGE_NODES 262144
#define PAGE_ARENA (128u << 20)
#define PAGE_ROWS  1000 /* of a list that gives an export more than YG_PAGE_MAX at once */

/* What can be exported: the operation that lists it, and its columns by name. */
static const struct exported {
	const char *kind, *operation, *columns;
} kinds[] = {
	{"alerts", "listAlerts",
	 "id org title state verdict reason assignee severity_id confidence indicator indicator_type"
	 " list category family tlp asset system count first_seen last_seen created_at updated_at"
	 " closed_at due_at due_reason overdue snoozed_until snooze_reason snoozed_by merged_into previous"},
	{"alert-groups", "listAlertGroups",
	 "key title type count orgs findings severity_id first_seen last_seen"},
	{"alert-evidence", "listAlertEvents",
	 "event time field value title asset indicator finding historical"},
	{"alert-history", "listAlertHistory", "seq at actor org action object detail hash"},
	{"alert-comments", "listAlertComments", "id created_at author text"},
	{"events", "searchEvents", NULL},
	{"compare", "compareOrganisations",
	 "org title_ja title_en kind grave grave_before opened opened_before triaged triage_s"
	 " triage_s_before silent expected reporting dns_blocked dns_blocked_before last_event"},
	{"indicators", "listIndicators",
	 "id list type value category family confidence severity_id tlp org valid_from valid_until"
	 " created_at updated_at"},
	{"indicator-lists", "listIndicatorLists",
	 "id org name title tlp confidence category enabled indicators created_at updated_at"},
	{"allow-entries", "listAllowEntries",
	 "id org type value reason alert expires_at created_by created_at updated_at"},
	{"block-entries", "listBlockEntries",
	 "id org type value category ede reason expires_at created_by created_at updated_at"},
	{"dns-requests", "listDnsAllowRequests",
	 "id org name reason requested_by state for_all approval allow_entry decided_by"
	 " decision_reason created_at decided_at"},
	{"dns-zones", "listDnsZones",
	 "name kind source origin layer mode override category state serial records taken refused"
	 " out_of_zone duplicates bytes hits noted last_hit changed_at checked_at failed_at error"},
	{"detection-rules", "listDetectionRules",
	 "id org sigma_id name title kind level status logsource tags techniques collection file stage"
	 " stage_in_force"
	 " refused author hits_24h hits_30d alerts_30d false_30d excepted_30d cost_share last_hit_at"
	 " created_by created_at updated_at version"},
	{"detection-exceptions", "listDetectionExceptions",
	 "id rule rule_title org inherited text reason alert expires_at created_by created_at updated_at"},
	{"attack-matrix", "getAttackMatrix",
	 "tactic id stages has_rule has_data hits_30d alerts_30d"},
	{"detection-findings", "listDetectionFindings",
	 "org kind title reason score severity_id stage indicator asset event count first_seen"
	 " last_seen"},
	{"retro-hunts", "listRetroHunts",
	 "id kind automatic org title rule list indicators items from until state done total events"
	 " matches findings alerts known cut message created_by created_at started_at finished_at"},
	{"my-sessions", "listMySessions",
	 "id method address agent created_at last_used_at expires_at"},
	{"my-tokens", "listMyTokens",
	 "id org name scopes prefix created_at expires_at last_used_at revoked_at"},
	{"my-passkeys", "listMyPasskeys", "id label created_at last_used_at"},
	{"audit-log", "listAuditLog", "seq at actor org action object detail hash"},
	{"sources", "listSources",
	 "org source sensor state lag_s expected expected_every_s records unparsed bytes dropped"
	 " first_received_at last_event_at last_received_at depends"},
	{"organisations", "listOrganisations",
	 "name title_ja title_en kind parent prefecture demo created_at updated_at"},
	{"systems", "listSystems",
	 "id org name title_ja title_en owner importance scheme confidentiality integrity availability"
	 " networks hosts created_at updated_at"},
	{"people", "listPeople", "id login name email language state created_at updated_at"},
	{"grants", "listGrants",
	 "id person role node whole system period_from period_to expires_at created_at created_by"
	 " reason"},
	{"tokens", "listTokens",
	 "id org name scopes prefix created_at expires_at last_used_at revoked_at"},
	{"approvals", "listApprovals",
	 "id kind params org requested_by reason state decided_by decision_reason created_at"
	 " decided_at expires_at"},
	{"saved-searches", "listSavedSearches",
	 "id owner org name page query shared created_at updated_at"},
	{"system-events", "listSystemEvents", "id time level role name fields"},
	{"jobs", "listJobs",
	 "id kind org state done total errors message created_at started_at finished_at"},
};

static const struct exported *find_kind(struct yg_sv kind)
{
	for (size_t i = 0; i < YG_LEN(kinds); i++) {
		if (yg_sv_eq(kind, yg_sv_of(kinds[i].kind)))
			return &kinds[i];
	}
	return NULL;
}

static const struct yg_route *find_route(const char *operation)
{
	for (const struct yg_route *r = yg_routes; r->handler != NULL; r++) {
		if (strcmp(r->operation, operation) == 0)
			return r;
	}
	return NULL;
}

static const char *const hidden[] = {"limit", "cursor", "after"};

/* A list of one thing: which, stands in the order's query as "id". */
static bool of_one(const struct yg_route *r)
{
	return strstr(r->path, "{id}") != NULL;
}

static bool may_ask(const struct yg_route *r, struct yg_sv name)
{
	if (of_one(r) && YG_SV_IS(name, "id"))
		return true;
	for (size_t i = 0; i < YG_LEN(hidden); i++) {
		if (yg_sv_eq(name, yg_sv_of(hidden[i])))
			return false;
	}
	return r->query != NULL && yg_words_have(r->query, name);
}

/* The members of "query" as query parameters. */
static yg_status read_query(struct yg_request *q, const struct yg_json *j, uint32_t node,
			    struct yg_export *out, struct yg_err *err)
{
	uint32_t key = node + 1;
	for (uint32_t k = 0; k < yg_json_at(j, node)->n; k++) {
		uint32_t value = yg_json_at(j, key)->next;
		uint8_t type = yg_json_at(j, value)->type;
		struct yg_http_pair p = {yg_json_str(j, key, q->arena),
					 yg_json_str(j, value, q->arena)};
		if (p.name.p == NULL || p.value.p == NULL)
			return YG_FAIL(err, YG_NOMEM, "the body is too large");
		if (type == YG_JSON_OBJECT || type == YG_JSON_ARRAY || type == YG_JSON_NULL)
			yg_request_error(q, "bad_type", YG_SV("/query"), "expected texts");
		else if (!may_ask(out->route, p.name))
			yg_request_error(q, "unknown_parameter", YG_SV("/query"),
					 "the list has no such parameter");
		else if (out->query_count < YG_HTTP_QUERY_MAX - 2)
			out->query[out->query_count++] = p;
		key = yg_json_at(j, value)->next;
	}
	return YG_OK;
}

static const struct yg_http_pair *id_of(const struct yg_export *e)
{
	for (size_t i = 0; i < e->query_count; i++)
		if (YG_SV_IS(e->query[i].name, "id"))
			return &e->query[i];
	return NULL;
}

void yg_export_put_query(const struct yg_export *e, struct yg_request *q)
{
	const struct yg_http_pair *one = of_one(e->route) ? id_of(e) : NULL;
	q->param_count = 0;
	q->query_count = 0;
	if (one != NULL)
		q->params[q->param_count++] = *one;
	for (size_t i = 0; i < e->query_count; i++)
		if (&e->query[i] != one)
			q->query[q->query_count++] = e->query[i];
}

static int by_text(const void *a, const void *b)
{
	return yg_sv_cmp(*(const struct yg_sv *)a, *(const struct yg_sv *)b);
}

yg_status yg_export_read(struct yg_request *q, struct yg_export *out, struct yg_err *err)
{
	YG_AUTO(yg_body_free) struct yg_body b = {0};
	static const struct yg_field fields[] = {
		{"kind", YG_F_TEXT, YG_F_NEEDED, 0, 0, YG_EXPORT_KINDS},
		{"format", YG_F_TEXT, YG_F_NEEDED, 0, 0, "csv xlsx jsonl"},
		{"query", YG_F_OBJECT, 0, 0, 0, NULL},
		{"rows", YG_F_TEXTS, 0, 0, YG_EXPORT_ROWS_MAX, NULL},
		{"lang", YG_F_TEXT, 0, 0, 0, "ja en"},
	};
	struct yg_value v[YG_LEN(fields)];
	*out = (struct yg_export){0};
	yg_status st = yg_body_read(&b, q, fields, YG_LEN(fields), v, err);
	if (st != YG_OK)
		return st;
	const struct exported *k = find_kind(v[0].text);
	out->kind = yg_sv_of(k->kind);
	out->route = find_route(k->operation);
	(void)yg_sheet_format_parse(v[1].text, &out->format);
	out->told_language = v[4].given;
	out->japanese = v[4].given ? YG_SV_IS(v[4].text, "ja") : q->japanese;
	if (out->route == NULL)
		return YG_FAIL(err, YG_INVAL, "this cannot be exported");
	if (v[2].given)
		st = read_query(q, &b.json, v[2].node, out, err);
	if (st == YG_OK && of_one(out->route) && id_of(out) == NULL)
		yg_request_error(q, "missing", YG_SV("/query/id"), "is required");
	if (v[3].given) {
		out->only = true;
		out->rows = v[3].texts;
		out->row_count = v[3].text_count;
		if (out->row_count > 0)
			qsort(out->rows, out->row_count, sizeof *out->rows, by_text);
	}
	if (st == YG_OK && q->error_count > 0)
		st = YG_FAIL(err, YG_PARSE, "the body has errors");
	return st;
}

static const struct exported *listed(const struct yg_route *r)
{
	for (size_t i = 0; i < YG_LEN(kinds); i++)
		if (strcmp(kinds[i].operation, r->operation) == 0)
			return &kinds[i];
	return NULL;
}

bool yg_export_lists(const struct yg_route *r)
{
	return listed(r) != NULL;
}

yg_status yg_export_of_list(struct yg_request *q, struct yg_export *out, struct yg_err *err)
{
	*out = (struct yg_export){.kind = yg_sv_of(listed(q->route)->kind),
				  .format = YG_SHEET_CSV,
				  .route = q->route,
				  .at_once = true,
				  .japanese = q->japanese};
	for (size_t i = 0; i < q->param_count; i++)
		out->query[out->query_count++] = q->params[i];
	for (size_t i = 0; i < q->query_count; i++) {
		if (!may_ask(q->route, q->query[i].name))
			yg_request_error(q, "not_for_files", q->query[i].name,
					 "a file has every row");
		else if (out->query_count < YG_HTTP_QUERY_MAX - 2)
			out->query[out->query_count++] = q->query[i];
	}
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}

/* --- running --- */

static void choose_columns(struct yg_export_work *w)
{
	const char *list = find_kind(w->e->kind)->columns;
	struct yg_sb b = yg_sb_init(w->names, sizeof w->names);
	if (list != NULL)
		yg_sb_put(&b, yg_sv_of(list));
	else
		yg_sb_put(&b, YG_SV("id"));
	(void)yg_sb_cstr(&b);
	w->columns[w->column_count++] = w->names;
	for (char *p = w->names; *p != '\0'; p++) {
		if (*p == ' ' && w->column_count < YG_EXPORT_COLUMNS_MAX) {
			*p = '\0';
			w->columns[w->column_count++] = p + 1;
		}
	}
	for (int i = 0;
	     list == NULL && i < YG_EVENT_FIELD_COUNT && w->column_count < YG_EXPORT_COLUMNS_MAX;
	     i++) {
		bool left_out = i == YG_EF_spool || i == YG_EF_batch || i == YG_EF_row ||
				i == YG_EF_day || i == YG_EF_raw || i == YG_EF_names;
		if (!left_out)
			w->columns[w->column_count++] = yg_event_fields[i].name;
	}
}

static yg_status same_reach(struct yg_export_work *w, const struct yg_reach *now,
			    struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf text = {0};
	bool first = !w->asked;
	struct yg_buf *b = first ? &w->reach : &text;
	w->asked = true;
	yg_buf_init(b, 16u << 20);
	yg_export_put_reach(b, now);
	if (b->bad)
		return YG_FAIL(err, YG_NOMEM, "an export");
	return first || yg_sv_eq(yg_buf_sv(&text), yg_buf_sv(&w->reach))
		       ? YG_OK
		       : YG_FAIL(err, YG_CONFLICT, "rights changed meanwhile; order it again");
}

/* Who asks, as the name in the audit log tells, with the rights of this moment. */
static yg_status set_who(struct yg_export_work *w, struct yg_request *q, struct yg_state *db,
			 struct yg_err *err)
{
	yg_status st = yg_actor_who(db, w->actor, q->now, q->arena, &q->who, err);
	if (st == YG_OK)
		st = yg_who_settle(q, db, err);
	if (st == YG_OK && (q->route->flags & YG_RT_CENTRAL) != 0 && !q->who.reach.all)
		st = YG_FAIL(err, YG_DENIED, "this is not for one organisation's rights");
	return st == YG_OK ? same_reach(w, &q->who.reach, err) : st;
}

yg_status yg_export_request(struct yg_export_work *w, struct yg_arena *arena,
			    struct yg_request **out, struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_request *q = YG_NEW(arena, struct yg_request);
	bool many = YG_SV_IS(w->e->kind, "alerts") || YG_SV_IS(w->e->kind, "alert-groups");
	if (q == NULL)
		return YG_FAIL(err, YG_NOMEM, "an export");
	*q = (struct yg_request){.arena = arena,
				 .method = YG_HTTP_GET,
				 .route = w->e->route,
				 .now = yg_env_wall(w->api->env),
				 .japanese = w->e->japanese,
				 .page_max = many ? PAGE_ROWS : YG_PAGE_MAX,
				 .uncounted = w->cursor[0] != '\0'};
	yg_export_put_query(w->e, q);
	*out = q;
	yg_status st = yg_lease_state(w->api, &l, err);
	return st == YG_OK ? set_who(w, q, l.db, err) : st;
}

static yg_status ask(struct yg_export_work *w, struct yg_response *answer, struct yg_err *err)
{
	struct yg_request *q = NULL;
	char rows[16];
	struct yg_sb limit = yg_sb_init(rows, sizeof rows);
	yg_status st = yg_export_request(w, &w->arena, &q, err);
	if (st != YG_OK || q == NULL)
		return st;
	yg_sb_u64(&limit, q->page_max);
	q->query[q->query_count++] = (struct yg_http_pair){YG_SV("limit"), yg_sb_sv(&limit)};
	if (w->cursor[0] != '\0')
		q->query[q->query_count++] =
			(struct yg_http_pair){YG_SV("cursor"), yg_sv_of(w->cursor)};
	st = w->e->route->handler(w->api, q, answer, err);
	if (st != YG_OK && q->error_count > 0)
		st = YG_FAIL(err, st, "%.40s: %.120s", q->errors[0].pointer.p,
			     q->errors[0].message.p);
	return st == YG_OK && answer->body.bad ? YG_FAIL(err, YG_NOMEM, "an export") : st;
}

/* A cell from a member: text as it is, lists with "; ", objects as JSON. */
static struct yg_cell cell_of(struct yg_export_work *w, uint32_t at)
{
	struct yg_cell none = {{"", 0}, false};
	switch (yg_json_at(&w->json, at)->type) {
	case YG_JSON_NULL: return none;
	case YG_JSON_NUMBER: return (struct yg_cell){yg_json_raw(&w->json, at), true};
	case YG_JSON_OBJECT: return (struct yg_cell){yg_json_text(&w->json, at), false};
	case YG_JSON_ARRAY: break;
	default: {
		struct yg_sv s = yg_json_str(&w->json, at, &w->arena);
		return (struct yg_cell){s.p != NULL ? s : none.text, false};
	}
	}
	struct yg_buf b;
	uint32_t n = yg_json_at(&w->json, at)->n;
	yg_buf_init(&b, 1u << 20);
	for (uint32_t k = 0, item = at + 1; k < n; k++) {
		bool plain = yg_json_at(&w->json, item)->type == YG_JSON_STRING;
		struct yg_sv s = plain ? yg_json_str(&w->json, item, &w->arena)
				       : yg_json_text(&w->json, item);
		yg_buf_put(&b, k > 0 ? YG_SV("; ") : YG_SV(""));
		yg_buf_put(&b, s.p != NULL ? s : none.text);
		item = yg_json_at(&w->json, item)->next;
	}
	struct yg_sv copy = yg_arena_dup(&w->arena, yg_buf_sv(&b));
	yg_buf_free(&b);
	return (struct yg_cell){copy.p != NULL ? copy : none.text, false};
}

/* Members stand about in the order of the columns: each is looked for from behind the
 * one before. */
static void cells_of(struct yg_export_work *w, uint32_t row, struct yg_cell *cells)
{
	uint32_t key = row + 1;
	size_t from = 0;
	for (size_t i = 0; i < w->column_count; i++)
		cells[i] = (struct yg_cell){{"", 0}, false};
	for (uint32_t k = 0; k < yg_json_at(&w->json, row)->n; k++) {
		uint32_t value = yg_json_at(&w->json, key)->next;
		struct yg_sv name = yg_json_raw(&w->json, key);
		for (size_t i = 0; i < w->column_count; i++) {
			size_t c = (from + i) % w->column_count;
			if (!yg_sv_eq(name, yg_sv_of(w->columns[c])))
				continue;
			cells[c] = cell_of(w, value);
			from = c + 1;
			break;
		}
		key = yg_json_at(&w->json, value)->next;
	}
}

/* A row is known by its first column; a source by three. */
static bool is_named(const struct yg_export_work *w, const struct yg_cell *cells)
{
	char name[512];
	struct yg_sb b = yg_sb_init(name, sizeof name);
	size_t n = YG_MIN(w->column_count, (size_t)(YG_SV_IS(w->e->kind, "sources") ? 3 : 1));
	for (size_t i = 0; i < n; i++) {
		yg_sb_put(&b, i > 0 ? YG_SV("~") : YG_SV(""));
		yg_sb_put(&b, cells[i].text);
	}
	struct yg_sv key = yg_sb_sv(&b);
	return !b.cut && w->e->row_count > 0 &&
	       bsearch(&key, w->e->rows, w->e->row_count, sizeof key, by_text) != NULL;
}

yg_status yg_export_row(struct yg_export_work *w, uint32_t row, struct yg_sv text,
			struct yg_err *err)
{
	struct yg_cell cells[YG_EXPORT_COLUMNS_MAX];
	if (w->e->format != YG_SHEET_JSONL || w->e->only)
		cells_of(w, row, cells);
	if (w->arena.refused)
		return YG_FAIL(err, YG_NOMEM, "an export");
	if (w->e->only && !is_named(w, cells))
		return YG_OK;
	w->rows++;
	return yg_sheet_row(w->sheet, cells, text, err);
}

static yg_status write_rows(struct yg_export_work *w, uint32_t list, struct yg_err *err)
{
	uint32_t n = list != 0 ? yg_json_at(&w->json, list)->n : 0;
	yg_status st = YG_OK;
	for (uint32_t k = 0, row = list + 1; st == YG_OK && k < n; k++) {
		st = yg_export_row(w, row, yg_json_text(&w->json, row), err);
		row = yg_json_at(&w->json, row)->next;
	}
	return st;
}

/* The matrix has its rows in columns. */
static yg_status write_tactics(struct yg_export_work *w, uint32_t tactics, struct yg_err *err)
{
	uint32_t n = yg_json_at(&w->json, tactics)->n;
	yg_status st = YG_OK;
	for (uint32_t k = 0, one = tactics + 1; st == YG_OK && k < n; k++) {
		st = write_rows(w, yg_json_get(&w->json, one, YG_SV("techniques")), err);
		one = yg_json_at(&w->json, one)->next;
	}
	return st;
}

static yg_status write_page(struct yg_export_work *w, struct yg_err *err)
{
	uint32_t tactics = yg_json_get(&w->json, 0, YG_SV("tactics"));
	uint32_t total = yg_json_get(&w->json, 0, YG_SV("total"));
	uint32_t exact = yg_json_get(&w->json, 0, YG_SV("total_exact"));
	if (w->rows == 0 && total != 0 &&
	    (exact == 0 || yg_json_at(&w->json, exact)->type == YG_JSON_TRUE))
		w->total = w->e->only ? w->e->row_count
				      : (uint64_t)YG_MAX(yg_json_i64(&w->json, total, 0), 0);
	return tactics != 0 ? write_tactics(w, tactics, err)
			    : write_rows(w, yg_json_get(&w->json, 0, YG_SV("items")), err);
}

/* One page; *out_more: there is another. */
static yg_status page(struct yg_export_work *w, bool *out_more, struct yg_err *err)
{
	struct yg_response answer = {0};
	*out_more = false;
	yg_buf_init(&answer.body, YG_SERVER_ANSWER_BYTES);
	yg_arena_reset(&w->arena);
	yg_status st = ask(w, &answer, err);
	if (st == YG_OK)
		st = yg_json_parse(&w->json, yg_buf_sv(&answer.body), err);
	if (st == YG_OK)
		st = write_page(w, err);
	if (st == YG_OK) {
		uint32_t next = yg_json_get(&w->json, 0, YG_SV("next_cursor"));
		struct yg_sb b = yg_sb_init(w->cursor, sizeof w->cursor);
		bool more = next != 0 && yg_json_at(&w->json, next)->type == YG_JSON_STRING;
		if (more)
			yg_sb_put(&b, yg_json_raw(&w->json, next)); /* base64url: no escapes */
		(void)yg_sb_cstr(&b);
		*out_more = more;
	}
	yg_buf_free(&answer.body);
	return st;
}

void yg_export_path(struct yg_sb *b, const char *path, struct yg_sv job, enum yg_sheet_format f)
{
	yg_sb_put(b, yg_sv_of(path));
	yg_sb_putc(b, '/');
	yg_sb_put(b, job);
	yg_sb_putc(b, '.');
	yg_sb_put(b, yg_sv_of(yg_sheet_ending(f)));
}

yg_status yg_export_tell(struct yg_export_work *w, struct yg_err *err)
{
	yg_mono now = yg_env_mono(w->api->env);
	if (w->told.us != 0 && now.us - w->told.us < TELL_US)
		return YG_OK;
	w->told = now;
	return w->progress(w->progress_ctx, w->rows, w->total > 0 ? YG_MAX(w->total, w->rows) : 0)
		       ? YG_OK
		       : YG_FAIL(err, YG_AGAIN, "stopped");
}

static yg_status all_pages(struct yg_export_work *w, struct yg_err *err)
{
	yg_status st = YG_OK;
	bool more = true;
	while (st == YG_OK && more) {
		st = page(w, &more, err);
		if (st == YG_OK)
			st = yg_export_tell(w, err);
	}
	return st;
}

yg_status yg_export_run(struct yg_api *api, const struct yg_export *e, struct yg_sv actor,
			struct yg_sv job, yg_export_progress *progress, void *ctx,
			struct yg_export_result *out, struct yg_err *err)
{
	char path[192], title[32];
	struct yg_export_work w = {
		.api = api, .e = e, .actor = actor, .progress = progress, .progress_ctx = ctx};
	struct yg_sb p = yg_sb_init(path, sizeof path), t = yg_sb_init(title, sizeof title);
	uint64_t used = 0;
	yg_export_clean(api->export_path, yg_env_wall(api->env), &used);
	if (used > YG_EXPORT_FOLDER_MAX - YG_EXPORT_BYTES_MAX)
		return YG_FAIL(err, YG_LIMIT,
			       "exports of the last day fill their room; later again");
	yg_export_path(&p, api->export_path, job, e->format);
	yg_sb_put(&t, e->kind);
	choose_columns(&w);
	struct yg_sheet_opts o = {.path = yg_sb_cstr(&p),
				  .dir = api->export_path,
				  .format = e->format,
				  .title = yg_sb_cstr(&t),
				  .columns = w.columns,
				  .column_count = w.column_count,
				  .bytes_max = YG_EXPORT_BYTES_MAX};
	yg_status st = yg_dir_make(api->export_path, 0700, err);
	if (st == YG_OK)
		st = yg_sheet_open(&o, &w.sheet, err);
	if (st != YG_OK)
		return st;
	yg_arena_init(&w.arena, PAGE_ARENA);
	yg_json_init(&w.json, PAGE_NODES);
	bool events = yg_sv_eq(e->kind, YG_SV("events"));
	st = events ? yg_export_events(&w, err) : all_pages(&w, err);
	if (st == YG_OK)
		(void)progress(ctx, w.rows, w.rows);
	yg_json_free(&w.json);
	yg_arena_free(&w.arena);
	if (st == YG_OK && !e->at_once)
		st = yg_export_keep_reach(api->export_path, job, yg_buf_sv(&w.reach), err);
	yg_buf_free(&w.reach);
	yg_status end = yg_sheet_close(w.sheet, &out->bytes, st == YG_OK ? err : NULL);
	out->rows = w.rows;
	if (st != YG_OK || end != YG_OK)
		(void)unlink(o.path);
	return st != YG_OK ? st : end;
}

void yg_export_clean(const char *path, yg_wall now, uint64_t *out_bytes)
{
	DIR *dir = opendir(path);
	*out_bytes = 0;
	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct stat sb;
		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(dir), e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(sb.st_mode))
			continue;
		if ((int64_t)sb.st_mtim.tv_sec + YG_EXPORT_KEEP_S < now.us / YG_US_PER_S)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
		else
			*out_bytes += (uint64_t)sb.st_size;
	}
	(void)closedir(dir);
}
