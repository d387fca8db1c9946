/* access.c - `access authorize`: Cedar policies over requests in files, without a server. */
#include <stdio.h>
#include <stdlib.h>

#include "access/decide.h"
#include "cedar/json.h"
#include "cmd/access_file.h"
#include "cmd/print.h"
#include "cmd/tables.h"
#include "os/file.h"

struct asking {
	const struct yg_cli *cli;
	struct yg_cedar_policies policies; /* owned */
	struct yg_cedar_schema schema;     /* owned */
	struct yg_cedar_entities entities; /* owned */
	struct yg_buf file;                /* owned; the one at hand */
	struct yg_json json;               /* owned; of the requests */
	struct yg_cedar_json values;       /* owned */
	struct yg_arena request;           /* owned */
	struct yg_buf line;                /* owned */
	struct yg_access_options options;
	uint64_t faulty; /* requests that are none, or too much */
};

static void asking_free(struct asking *a)
{
	yg_cedar_policies_free(&a->policies);
	yg_cedar_schema_free(&a->schema);
	yg_cedar_entities_free(&a->entities);
	yg_cedar_json_free(&a->values);
	yg_json_free(&a->json);
	yg_arena_free(&a->request);
	yg_buf_free(&a->file);
	yg_buf_free(&a->line);
}

static yg_status read_file(struct asking *a, const char *option, struct yg_err *err)
{
	a->file.n = 0;
	return yg_file_read(yg_cli_get(a->cli, option), YG_ACCESS_FILE_BYTES, &a->file, err);
}

static yg_status read_inputs(struct asking *a, struct yg_err *err)
{
	struct yg_hash_key key;
	const struct yg_env *env = yg_cli_env(a->cli);
	bool schema = yg_cli_has(a->cli, "schema");
	env->random(env->ctx, &key, sizeof key);
	yg_cedar_policies_init(&a->policies, &key, YG_ACCESS_ARENA_BYTES);
	yg_cedar_schema_init(&a->schema, YG_ACCESS_ARENA_BYTES);
	yg_cedar_entities_init(&a->entities, &key, YG_ACCESS_ENTITY_BYTES);
	yg_arena_init(&a->request, YG_ACCESS_REQUEST_BYTES);
	yg_buf_init(&a->file, YG_ACCESS_FILE_BYTES + 1);
	yg_buf_init(&a->line, YG_ACCESS_FILE_BYTES);
	yg_json_init(&a->json, YG_CEDAR_JSON_NODES);
	yg_cedar_json_init(&a->values, &a->json, &a->request);
	a->options.fail_closed = yg_cli_has(a->cli, "fail-closed");
	bool json;
	yg_status st = yg_access_form(a->cli, "policy-format", &json, err);
	if (st == YG_OK)
		st = yg_access_policies(yg_cli_get(a->cli, "policies"), json, &a->file,
					&a->policies, err);
	if (st == YG_OK && schema)
		st = yg_access_schema(yg_cli_get(a->cli, "schema"), &a->file, &a->schema, err);
	if (st != YG_OK)
		return st;
	st = read_file(a, "entities", err);
	if (st != YG_OK)
		return st;
	st = yg_cedar_entities_json(&a->entities, yg_buf_sv(&a->file), schema ? &a->schema : NULL,
				    err);
	return yg_access_told(st, yg_cli_get(a->cli, "entities"), err);
}

/* ---- answers ---- */

static void put_ids(const struct asking *a, struct yg_buf *b, const uint32_t *list, uint32_t n)
{
	yg_buf_putc(b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		yg_json_put_str(b, yg_cedar_policy_at(&a->policies, list[i])->id);
	}
	yg_buf_putc(b, ']');
}

static void put_json(const struct asking *a, struct yg_buf *b, const struct yg_access_answer *r)
{
	yg_buf_printf(b, "{\"decision\":\"%s\",\"reason\":", r->allow ? "allow" : "deny");
	put_ids(a, b, r->reasons, r->reason_n);
	yg_buf_put(b, YG_SV(",\"errors\":"));
	put_ids(a, b, r->errors, r->error_n);
	yg_buf_put(b, YG_SV("}\n"));
}

static void put_text(const struct asking *a, struct yg_buf *b, const struct yg_access_answer *r)
{
	yg_buf_put(b, yg_sv_of(r->allow ? "allow" : "deny"));
	for (uint32_t i = 0; i < r->reason_n; i++) {
		yg_buf_put(b, yg_sv_of(i > 0 ? ", " : " by "));
		yg_print_untrusted(b, yg_cedar_policy_at(&a->policies, r->reasons[i])->id);
	}
	for (uint32_t i = 0; i < r->error_n; i++) {
		yg_buf_put(b, YG_SV("\n  "));
		yg_print_untrusted(b, yg_cedar_policy_at(&a->policies, r->errors[i])->id);
		yg_buf_put(b, YG_SV(" is in error: "));
		yg_print_untrusted(b, r->why[i]);
	}
	yg_buf_putc(b, '\n');
}

/* A request that is none, none that the schema knows, or too much work, is denied and told. */
static yg_status ask_one(struct asking *a, uint32_t node, uint32_t number, struct yg_err *err)
{
	struct yg_cedar_request request;
	struct yg_access_answer answer = {.allow = false};
	yg_arena_reset(&a->request);
	yg_status st = yg_cedar_request_json(
		&a->values, node, yg_cli_has(a->cli, "schema") ? &a->schema : NULL, &request, err);
	if (st == YG_OK) {
		st = yg_access_decide(&a->policies, &a->entities, &request, &a->options,
				      &a->request, &answer, err);
	}
	if (st == YG_PARSE || st == YG_LIMIT) {
		yg_err_wrap(err, "%s: request %u: ", yg_cli_get(a->cli, "requests"), number);
		(void)yg_cli_fail(err);
		a->faulty++;
		st = YG_OK;
	}
	if (st != YG_OK)
		return st;
	a->line.n = 0;
	if (yg_cli_json(a->cli))
		put_json(a, &a->line, &answer);
	else
		put_text(a, &a->line, &answer);
	st = yg_buf_done(&a->line);
	if (st != YG_OK)
		return YG_FAIL(err, st, "no memory for an answer");
	return fwrite(a->line.p, 1, a->line.n, stdout) == a->line.n
		       ? YG_OK
		       : YG_FAIL(err, YG_IO, "the answer cannot be written");
}

static yg_status ask_all(struct asking *a, struct yg_err *err)
{
	yg_status st = read_file(a, "requests", err);
	if (st != YG_OK)
		return st;
	st = yg_json_parse(&a->json, yg_buf_sv(&a->file), err);
	if (st == YG_OK && yg_json_at(&a->json, 0)->type != YG_JSON_ARRAY)
		st = YG_FAIL(err, YG_PARSE, "requests are a list");
	if (st != YG_OK)
		return yg_access_told(st, yg_cli_get(a->cli, "requests"), err);
	uint32_t n = yg_json_at(&a->json, 0)->n, k = 1;
	for (uint32_t i = 0; i < n && st == YG_OK; i++, k = yg_json_at(&a->json, k)->next)
		st = ask_one(a, k, i + 1, err);
	return st;
}

static int run_authorize(struct yg_cli *cli)
{
	YG_AUTO(asking_free) struct asking a = {.cli = cli};
	struct yg_err err;
	yg_status st = read_inputs(&a, &err);
	if (st == YG_OK)
		st = ask_all(&a, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	return a.faulty > 0 ? YG_ACCESS_FOUND_FAULTS : 0;
}

static const struct yg_opt authorize_opts[] = {
	{"policies", 0, YG_OPT_FILE, "FILE", true, "Cedar policies.", "Cedar のポリシー。"},
	YG_O_VALUE("policy-format", "FORMAT", "Form of the policies: text (the default) or json.",
		   "ポリシーの形式: text(既定)または json。"),
	{"entities", 0, YG_OPT_FILE, "FILE", true, "Entities, as Cedar's JSON.",
	 "エンティティ(Cedar の JSON)。"},
	YG_O_FILE("schema", "FILE",
		  "Schema, as Cedar's text or JSON: what entities and requests must be.",
		  "スキーマ(Cedar のテキストまたは JSON)。エンティティと要求はこれに従う。"),
	{"requests", 0, YG_OPT_FILE, "FILE", true, "Requests: a JSON list.",
	 "要求(JSON のリスト)。"},
	YG_O_FLAG("fail-closed", "A forbid in error denies; Cedar itself passes it over.",
		  "エラーになった forbid は拒否とする(Cedar は読み飛ばす)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_access[] = {
	{.noun = "access",
	 .verb = "authorize",
	 .opts = authorize_opts,
	 .doc = "Decide requests by Cedar policies, offline.",
	 .doc_ja = "Cedar のポリシーで要求を判定する(サーバー不要)。",
	 .more = "A request is an object with principal, action and resource, each an object with type and "
		 "id, and context.  Prints one line per request; with --json an object with decision "
		 "(allow or deny), reason (the ids of the policies that decided) and errors (of those that "
		 "could not be evaluated).  Policies are called policy0, policy1 and so on by their place "
		 "in the file, unless @id names them.  Policies as JSON are one policy, a list of them, or "
		 "a set with staticPolicies, templates and templateLinks.  A request that cannot be read, "
		 "that the schema does not allow, or that takes more than 10,000,000 steps to decide, is "
		 "denied and told; then the exit status is 3.",
	 .run = run_authorize},
	{.noun = NULL},
};
