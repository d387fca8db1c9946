/* people.c - who signs in. */
#include "cmd/print.h"
#include "cmd/tables.h"

#define PEOPLE "/api/v1/people"

static int run_setup_code(struct yg_cli *c)
{
	return yg_send(c, "POST", "/api/v1/setup-code", NULL, NULL);
}

static const struct yg_column person_columns[] = {{"ID", "id", 28},
						  {"LOGIN", "login", 20},
						  {"ORG", "org", 20},
						  {"STATE", "state", 9},
						  {"ADMINISTRATOR", "administrator", 13},
						  {"NAME", "name", 0}};

static int run_person_list(struct yg_cli *c)
{
	static const char *const filters[] = {"org", NULL};
	return yg_list(c, PEOPLE, filters, person_columns, YG_LEN(person_columns));
}

static int run_person_add(struct yg_cli *c)
{
	json_t *body = json_object();
	const char *name = yg_cli_get(c, "name");
	yg_set_text(body, "login", yg_cli_arg(c, 0));
	yg_set_text(body, "name", name != NULL ? name : yg_cli_arg(c, 0));
	yg_set_text(body, "email", yg_cli_get(c, "email"));
	yg_set_text(body, "org", yg_cli_get(c, "org"));
	yg_set_text(body, "language", yg_cli_get(c, "language"));
	return yg_send(c, "POST", PEOPLE, body, NULL);
}

static int run_person_show(struct yg_cli *c)
{
	char path[256];
	return yg_call_and_print(c, &(struct yg_call){.method = "GET",
						      .path = yg_path(path, sizeof path, PEOPLE,
								      yg_cli_arg(c, 0), "")});
}

static int run_person_disable(struct yg_cli *c)
{
	char path[256];
	json_t *body = json_object();
	yg_set_text(body, "state", "disabled");
	(void)yg_path(path, sizeof path, PEOPLE, yg_cli_arg(c, 0), "");
	return yg_send(c, "PATCH", path, body, path);
}

static int run_person_enrol(struct yg_cli *c)
{
	char path[256];
	return yg_send(c, "POST",
		       yg_path(path, sizeof path, PEOPLE, yg_cli_arg(c, 0), "/enrolment"), NULL,
		       NULL);
}

static const struct yg_opt list_opts[] = {
	YG_O_VALUE("org", "ORG", "Only the people of this organisation and below.",
		   "この組織とその下の利用者だけ。"),
	YG_O_VALUE("limit", "N", "At most N rows; 0 for all (default 50).",
		   "最大 N 行。0 は全部(既定 50)。"),
	YG_OPTS_END};
static const struct yg_opt add_opts[] = {
	YG_O_VALUE("name", "TEXT", "Name for people, in any script.", "氏名。"),
	YG_O_VALUE("org", "ORG", "Who answers for them; without it: the whole.",
		   "管理する組織。省略すると全体。"),
	YG_O_VALUE("email", "ADDRESS", "Mail address.", "メールアドレス。"),
	YG_O_VALUE("language", "LANGUAGE", "ja (default) or en.", "ja(既定)または en。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_people[] = {
	{.noun = "setup-code",
	 .doc = "Print a new one-time address for the first set-up in a browser; it works for 30 minutes, while there is no administrator.",
	 .doc_ja =
		 "ブラウザーでの初期設定に使う一回限りのアドレスを表示する(30 分有効、管理者がまだいない間だけ)。",
	 .run = run_setup_code},
	{.noun = "person",
	 .verb = "list",
	 .opts = list_opts,
	 .doc = "List the people who sign in.",
	 .doc_ja = "利用者の一覧。",
	 .run = run_person_list},
	{.noun = "person",
	 .verb = "add",
	 .changes = true,
	 .args = "LOGIN",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = add_opts,
	 .doc = "Add a person; LOGIN never changes. Then make a one-time address by person enrol.",
	 .doc_ja =
		 "利用者を追加する。LOGIN は変わらない。続けて person enrol でアドレスを発行する。",
	 .run = run_person_add},
	{.noun = "person",
	 .verb = "show",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Show a person.",
	 .doc_ja = "利用者を表示する。",
	 .run = run_person_show},
	{.noun = "person",
	 .verb = "disable",
	 .changes = true,
	 .away = true,
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Let a person in no more: sessions and tokens end at once.",
	 .doc_ja = "利用者を無効にする。セッションとトークンは直ちに終わる。",
	 .run = run_person_disable},
	{.noun = "person",
	 .verb = "enrol",
	 .args = "ID",
	 .args_min = 1,
	 .args_max = 1,
	 .doc = "Print a one-time address by which a person chooses how to sign in; it works for 72 hours.",
	 .doc_ja =
		 "利用者がサインイン方法を設定するための一回限りのアドレスを表示する(72 時間有効)。",
	 .run = run_person_enrol},
	{.noun = NULL},
};
