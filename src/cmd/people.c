/* people.c - who signs in. */
#include "cmd/print.h"
#include "cmd/tables.h"

static int run_setup_code(struct yg_cli *c)
{
	return yg_send(c, "POST", "/api/v1/setup-code", NULL, NULL);
}

const struct yg_cmd yg_cmds_people[] = {
	{.noun = "setup-code",
	 .doc = "Print a new one-time address for the first set-up in a browser; it works for 30 minutes, while there is no administrator.",
	 .doc_ja =
		 "ブラウザーでの初期設定に使う一回限りのアドレスを表示する(30 分有効、管理者がまだいない間だけ)。",
	 .run = run_setup_code},
	{.noun = NULL},
};
