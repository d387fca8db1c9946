/* access_validate.c - `access validate`: policies, entities and requests against a schema. */
#include <inttypes.h>
#include <stdio.h>

#include "cedar/json.h"
#include "cedar/lex.h"
#include "cedar/validate.h"
#include "cmd/access_file.h"
#include "cmd/print.h"
#include "cmd/tables.h"
#include "os/file.h"

struct validating {
	const struct yg_cli *cli;
	struct yg_cedar_policies policies;   /* owned */
	struct yg_cedar_schema schema;       /* owned */
	struct yg_cedar_entities entities;   /* owned */
	struct yg_cedar_faults faults;       /* owned; of the policies */
	struct yg_buf file, line;            /* owned */
	struct yg_json json;                 /* owned; of the requests */
	struct yg_cedar_json values;         /* owned */
	struct yg_arena request;             /* owned */
	size_t base, base_line, base_column; /* where the policy begins that was told of last */
	bool from_json;
	uint64_t errors;
};

static void validating_free(struct validating *v)
{
	yg_cedar_policies_free(&v->policies);
	yg_cedar_schema_free(&v->schema);
	yg_cedar_entities_free(&v->entities);
	yg_cedar_faults_free(&v->faults);
	yg_cedar_json_free(&v->values);
	yg_json_free(&v->json);
	yg_arena_free(&v->request);
	yg_buf_free(&v->file);
	yg_buf_free(&v->line);
}

/* ---- what is found ---- */

static yg_status write_line(struct validating *v, struct yg_err *err)
{
	yg_buf_putc(&v->line, '\n');
	if (yg_buf_done(&v->line) != YG_OK)
		return YG_FAIL(err, yg_buf_done(&v->line), "no memory for a line");
	return fwrite(v->line.p, 1, v->line.n, stdout) == v->line.n
		       ? YG_OK
		       : YG_FAIL(err, YG_IO, "what was found cannot be written");
}

/* Faults come in the order of their policies: their text is gone through once. */
static void place(struct validating *v, const struct yg_cedar_fault *f, size_t *line,
		  size_t *column)
{
	const struct yg_sv text = yg_buf_sv(&v->file);
	size_t policy = yg_cedar_policy_at(&v->policies, f->policy)->at;
	if (v->base_line == 0)
		v->base_line = v->base_column = 1;
	if (policy > v->base) {
		yg_cedar_place_on(text, v->base, policy, &v->base_line, &v->base_column);
		v->base = policy;
	}
	*line = v->base_line;
	*column = v->base_column;
	if (f->at >= v->base)
		yg_cedar_place_on(text, v->base, f->at, line, column);
	else
		yg_cedar_place(text, f->at, line, column);
}

static yg_status tell_policy(struct validating *v, const struct yg_cedar_fault *f,
			     struct yg_err *err)
{
	struct yg_sv id = yg_cedar_policy_at(&v->policies, f->policy)->id;
	size_t line = 0, column = 0;
	v->line.n = 0;
	if (!v->from_json)
		place(v, f, &line, &column);
	if (yg_cli_json(v->cli)) {
		yg_buf_put(&v->line, YG_SV("{\"policy\":"));
		yg_json_put_str(&v->line, id);
		yg_buf_printf(&v->line, ",\"severity\":\"%s\",\"offset\":%" PRIu32,
			      f->warning ? "warning" : "error", f->at);
		if (!v->from_json)
			yg_buf_printf(&v->line, ",\"line\":%zu,\"column\":%zu", line, column);
		yg_buf_put(&v->line, YG_SV(",\"message\":"));
		yg_json_put_str(&v->line, f->text);
		yg_buf_putc(&v->line, '}');
		return write_line(v, err);
	}
	yg_buf_printf(&v->line, "%s: ", yg_cli_get(v->cli, "policies"));
	if (v->from_json)
		yg_buf_printf(&v->line, "byte %" PRIu32 ": ", f->at);
	else
		yg_buf_printf(&v->line, "line %zu, column %zu: ", line, column);
	yg_print_untrusted(&v->line, id);
	yg_buf_put(&v->line, yg_sv_of(f->warning ? ": warning: " : ": "));
	yg_buf_put(&v->line, f->text);
	return write_line(v, err);
}

/* A file that is not what it must be, or a request in it (from 1): the first fault. */
static yg_status tell_file(struct validating *v, const char *option, uint32_t request,
			   const struct yg_err *found, struct yg_err *err)
{
	v->errors++;
	v->line.n = 0;
	if (yg_cli_json(v->cli)) {
		yg_buf_printf(&v->line, "{\"file\":\"%s\",\"severity\":\"error\"", option);
		if (request > 0)
			yg_buf_printf(&v->line, ",\"request\":%" PRIu32, request);
		yg_buf_put(&v->line, YG_SV(",\"message\":"));
		yg_json_put_str(&v->line, yg_sv_of(found->msg));
		yg_buf_putc(&v->line, '}');
		return write_line(v, err);
	}
	if (request > 0)
		yg_buf_printf(&v->line, "%s: request %" PRIu32 ": ", yg_cli_get(v->cli, option),
			      request);
	yg_buf_put(&v->line, yg_sv_of(found->msg));
	return write_line(v, err);
}

/* ---- the files ---- */

/* A text that is no Cedar is a fault like any other. */
static yg_status check_policies(struct validating *v, struct yg_err *err)
{
	struct yg_err found;
	yg_status st = yg_access_policies(yg_cli_get(v->cli, "policies"), v->from_json, &v->file,
					  &v->policies, &found);
	if (st == YG_PARSE)
		return tell_file(v, "policies", 0, &found, err);
	if (st != YG_OK) {
		*err = found;
		return st;
	}
	st = yg_cedar_validate(&v->policies, &v->schema, &v->faults, err);
	for (size_t i = 0; i < v->faults.list.n && st == YG_OK; i++)
		st = tell_policy(v, (const struct yg_cedar_fault *)v->faults.list.p + i, err);
	v->errors += v->faults.errors;
	return st;
}

static yg_status check_entities(struct validating *v, struct yg_err *err)
{
	struct yg_err found;
	const char *path = yg_cli_get(v->cli, "entities");
	v->file.n = 0;
	yg_status st = yg_file_read(path, YG_ACCESS_FILE_BYTES, &v->file, err);
	if (st != YG_OK)
		return st;
	st = yg_access_told(
		yg_cedar_entities_json(&v->entities, yg_buf_sv(&v->file), &v->schema, &found), path,
		&found);
	if (st == YG_PARSE)
		return tell_file(v, "entities", 0, &found, err);
	if (st != YG_OK)
		*err = found;
	return st;
}

static yg_status check_requests(struct validating *v, struct yg_err *err)
{
	struct yg_err found;
	const char *path = yg_cli_get(v->cli, "requests");
	v->file.n = 0;
	yg_status st = yg_file_read(path, YG_ACCESS_FILE_BYTES, &v->file, err);
	if (st != YG_OK)
		return st;
	st = yg_json_parse(&v->json, yg_buf_sv(&v->file), &found);
	if (st == YG_OK && yg_json_at(&v->json, 0)->type != YG_JSON_ARRAY)
		st = YG_FAIL(&found, YG_PARSE, "requests are a list");
	if (st != YG_OK) {
		st = yg_access_told(st, path, &found);
		return st == YG_PARSE ? tell_file(v, "requests", 0, &found, err)
				      : (*err = found, st);
	}
	uint32_t n = yg_json_at(&v->json, 0)->n, k = 1;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_json_at(&v->json, k)->next) {
		struct yg_cedar_request request;
		yg_arena_reset(&v->request);
		st = yg_cedar_request_json(&v->values, k, &v->schema, &request, &found);
		if (st == YG_PARSE)
			st = tell_file(v, "requests", i + 1, &found, err);
		else if (st != YG_OK)
			*err = found;
	}
	return st;
}

static yg_status validate(struct validating *v, struct yg_err *err)
{
	struct yg_hash_key key;
	const struct yg_env *env = yg_cli_env(v->cli);
	env->random(env->ctx, &key, sizeof key);
	yg_cedar_policies_init(&v->policies, &key, YG_ACCESS_ARENA_BYTES);
	yg_cedar_schema_init(&v->schema, YG_ACCESS_ARENA_BYTES);
	yg_cedar_faults_init(&v->faults, YG_ACCESS_ARENA_BYTES);
	yg_cedar_entities_init(&v->entities, &key, YG_ACCESS_ENTITY_BYTES);
	yg_arena_init(&v->request, YG_ACCESS_REQUEST_BYTES);
	yg_buf_init(&v->file, YG_ACCESS_FILE_BYTES + 1);
	yg_buf_init(&v->line, YG_ACCESS_FILE_BYTES);
	yg_json_init(&v->json, YG_CEDAR_JSON_NODES);
	yg_cedar_json_init(&v->values, &v->json, &v->request);
	yg_status st = yg_access_form(v->cli, "policy-format", &v->from_json, err);
	if (st == YG_OK)
		st = yg_access_schema(yg_cli_get(v->cli, "schema"), &v->file, &v->schema, err);
	if (st == YG_OK)
		st = check_policies(v, err);
	if (st == YG_OK && yg_cli_has(v->cli, "entities"))
		st = check_entities(v, err);
	if (st == YG_OK && yg_cli_has(v->cli, "requests"))
		st = check_requests(v, err);
	return st;
}

static int run_validate(struct yg_cli *cli)
{
	YG_AUTO(validating_free) struct validating v = {.cli = cli};
	struct yg_err err;
	yg_status st = validate(&v, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	return v.errors > 0 ? YG_ACCESS_FOUND_FAULTS : 0;
}

static const struct yg_opt validate_opts[] = {
	{"policies", 0, YG_OPT_FILE, "FILE", true, "Cedar policies.", "Cedar のポリシー。"},
	YG_O_VALUE("policy-format", "FORMAT", "Form of the policies: text (the default) or json.",
		   "ポリシーの形式: text(既定)または json。"),
	{"schema", 0, YG_OPT_FILE, "FILE", true, "Schema, as Cedar's text or JSON.",
	 "スキーマ(Cedar のテキストまたは JSON)。"},
	YG_O_FILE("entities", "FILE", "Entities to check, too, as Cedar's JSON.",
		  "あわせて検査するエンティティ(Cedar の JSON)。"),
	YG_O_FILE("requests", "FILE", "Requests to check, too: a JSON list.",
		  "あわせて検査する要求(JSON のリスト)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_access_validate[] = {
	{.noun = "access",
	 .verb = "validate",
	 .opts = validate_opts,
	 .doc = "Check Cedar policies, entities and requests against a schema, offline.",
	 .doc_ja =
		 "Cedar のポリシー、エンティティ、要求をスキーマに照らして検査する(サーバー不要)。",
	 .more = "Tells what is wrong with each policy and where: names that the schema does not have, "
		 "with the nearest one that it has, and conditions that could fail on a request that it "
		 "allows, as Cedar's strict validation.  A policy that applies to no request is a "
		 "warning.  With --json one object per fault.  The exit status is 3 when anything but "
		 "warnings was found, and 1 when the schema cannot be used.",
	 .run = run_validate},
	{.noun = NULL},
};
