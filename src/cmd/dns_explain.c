/* dns_explain.c - what the running resolver would answer, and why: through the API, or
 * from the workers themselves where there is no centre. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"
#include "format/dns.h"
#include "intel/indicator.h"
#include "role/explain_call.h"

#define CENTRE_WAIT 5 /* seconds; then the workers are asked */
#define WORKERS_MAX 64

static yg_status by_api(struct yg_cli *cli, json_t **out, struct yg_err *err)
{
	char path[4096];
	struct yg_sb b = yg_sb_init(path, sizeof path);
	YG_AUTO(yg_client_closep) struct yg_client *client = NULL;
	struct yg_reply r = {0};
	yg_sb_put(&b, YG_SV("/api/v1/dns/explain"));
	yg_url_query(&b, "name", yg_cli_arg(cli, 0));
	yg_url_query(&b, "type", yg_cli_get(cli, "type"));
	yg_url_query(&b, "org", yg_cli_get(cli, "org"));
	yg_url_query(&b, "client", yg_cli_get(cli, "client"));
	yg_url_query(&b, "do", yg_cli_has(cli, "do") ? "true" : NULL);
	yg_url_query(&b, "cd", yg_cli_has(cli, "cd") ? "true" : NULL);
	yg_status st = yg_client_open(cli, &client, err);
	if (st == YG_OK)
		st = yg_client_call(client,
				    &(struct yg_call){.method = "GET",
						      .path = yg_sb_cstr(&b),
						      .seconds = CENTRE_WAIT},
				    &r, err);
	*out = st == YG_OK ? json_incref(r.json) : NULL;
	yg_reply_free(&r);
	return st;
}

/* The folder of the workers' sockets; false: there is none. */
static bool find_folder(const struct yg_cli *cli, char *out, size_t cap)
{
	static const char *const places[] = {"data", "/var/lib/yagura"};
	const char *given = yg_cli_get(cli, "socket"), *data = getenv("YAGURA_DATA");
	char path[512];
	if (yg_cli_get(cli, "server") != NULL)
		return false;
	if (given != NULL) {
		const char *slash = strrchr(given, '/');
		int n = slash != NULL ? (int)(slash - given) : 1;
		(void)snprintf(out, cap, "%.*s", n, slash != NULL ? given : ".");
		return true;
	}
	for (size_t i = 0; i < (data != NULL ? 1 : YG_LEN(places)); i++) {
		(void)snprintf(out, cap, "%s/run", data != NULL ? data : places[i]);
		(void)snprintf(path, sizeof path, "%s/resolve-0.sock", out);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static uint32_t count_workers(const char *folder)
{
	char path[512];
	uint32_t n = 0;
	do
		(void)snprintf(path, sizeof path, "%s/resolve-%u.sock", folder, n);
	while (access(path, F_OK) == 0 && ++n < WORKERS_MAX);
	return n;
}

static yg_status by_workers(struct yg_cli *cli, const char *folder, json_t **out,
			    struct yg_err *err)
{
	const char *type = yg_cli_get(cli, "type"), *org = yg_cli_get(cli, "org");
	const char *client = yg_cli_get(cli, "client");
	struct yg_explain_question q = {.name = yg_sv_of(yg_cli_arg(cli, 0)),
					.org = yg_sv_of(org),
					.client = yg_sv_of(client),
					.type = YG_DNS_A,
					.dnssec_ok = yg_cli_has(cli, "do"),
					.checking_disabled = yg_cli_has(cli, "cd")};
	char ascii[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(ascii, sizeof ascii);
	struct yg_arena arena;
	struct yg_sv json = {"", 0};
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < q.name.n; i++)
		if ((q.name.p[i] & 0x80) != 0) { /* an international name */
			st = yg_domain_normalize(q.name, &b, err);
			q.name = yg_sb_sv(&b);
			break;
		}
	if (st == YG_OK && type != NULL && yg_dns_type_parse(yg_sv_of(type), &q.type) != YG_OK)
		st = YG_FAIL(err, YG_PARSE, "'%s' is no type of record", type);
	if (st != YG_OK)
		return st;
	yg_arena_init(&arena, 16u << 20);
	st = yg_explain_call(folder, count_workers(folder), &q, &arena, &json, err);
	if (st == YG_OK) {
		*out = json_loadb(json.p, json.n, 0, NULL);
		if (*out == NULL)
			st = YG_FAIL(err, YG_INTERNAL, "the resolver's answer is not JSON");
	}
	yg_arena_free(&arena);
	return st;
}

static void print_words(const struct yg_cli *cli, const json_t *o)
{
	size_t i;
	json_t *line;
	const char *key = yg_cli_japanese(cli) ? "words_ja" : "words_en";
	json_array_foreach(json_object_get(o, key), i, line)(void)
		printf("%s%s\n", i > 0 ? "  " : "", json_string_value(line));
}

/* What the centre would have said is not in it: that is said. */
static void say_away(const char *folder, json_t *o)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/api.sock", folder);
	bool away = access(path, F_OK) == 0; /* serve --only resolve has none */
	(void)json_object_set_new(o, "centre", json_string(away ? "away" : "none"));
	if (!away)
		return;
	(void)json_array_append_new(json_object_get(o, "words_en"),
				    json_string("The centre does not answer; the resolver goes on "
						"with what it had, and was asked itself."));
	(void)json_array_append_new(
		json_object_get(o, "words_ja"),
		json_string("センターが応答していません。リゾルバーは手元の内容で動き続けており、"
			    "直接問い合わせました。"));
}

static int run_explain(struct yg_cli *cli)
{
	struct yg_err err = {.msg = "out of memory"}, second = {0};
	char folder[400];
	json_t *o = NULL;
	yg_status st = by_api(cli, &o, &err);
	/* no centre here, or it is away: the resolver serves without */
	if (st == YG_AGAIN && find_folder(cli, folder, sizeof folder) &&
	    count_workers(folder) > 0) {
		st = by_workers(cli, folder, &o, &second);
		if (st != YG_OK)
			err = second;
		else
			say_away(folder, o);
	}
	if (st != YG_OK)
		return yg_cli_fail(&err);
	if (yg_cli_json(cli))
		yg_print_object(cli, o);
	else
		print_words(cli, o);
	json_decref(o);
	return 0;
}

static const struct yg_opt explain_opts[] = {
	YG_O_VALUE("type", "T", "Type of record asked for (default: A).",
		   "尋ねるレコードの種類(既定は A)。"),
	YG_O_VALUE("org", "ORG", "Ask as this organisation.", "この組織として調べる。"),
	YG_O_VALUE("client", "IP", "Ask as this client.", "このクライアントとして調べる。"),
	YG_O_FLAG("do", "Ask for signatures (DO): signed answers are left as they are.",
		  "署名も求める(DO)。署名のある応答は書き換えない。"),
	YG_O_FLAG("cd", "Ask for answers that were not validated (CD).",
		  "検証していない応答を求める(CD)。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_dns_explain[] = {
	{.noun = "dns",
	 .verb = "explain",
	 .args = "NAME",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = explain_opts,
	 .doc = "Say what the running resolver answers for a name, and why.",
	 .doc_ja = "動いているリゾルバーが名前にどう答えるかと、その理由を示す。",
	 .more = "Asks the server, which looks at its policy, its cache and its upstreams and "
		 "changes nothing: no question goes out.  What is not known yet, since nobody has "
		 "asked for the name, is said to be so.  Where no centre runs (serve --only "
		 "resolve) the resolver's own sockets in the data folder are asked; --socket then "
		 "names any socket of that folder.  With --json the whole object, else sentences in "
		 "the language of the locale.",
	 .run = run_explain},
	{.noun = NULL},
};
