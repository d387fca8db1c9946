/* serve.c - yagura serve: the supervisor in the foreground. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/tables.h"
#include "role/main.h"
#include "role/role.h"

/* "resolve", "ingest,center": with what each cannot do without. */
static bool roles_of(struct yg_sv text, unsigned *out)
{
	struct yg_sv name;
	while (yg_sv_cut(&text, ',', &name)) {
		const struct yg_role *r = yg_role_find(name);
		if (r == NULL) {
			(void)fprintf(stderr, "yagura: --only: there is no role '%.*s'\n",
				      (int)YG_MIN(name.n, 40u), name.p);
			return false;
		}
		*out |= r->bit;
		if (r->bit == YG_R_RESOLVE) /* who reads the policy for it */
			*out |= YG_R_ZONES;
	}
	return true;
}

static int run_serve(struct yg_cli *c)
{
	const char *data = yg_cli_get(c, "data");
	if (data == NULL)
		data = getenv("YAGURA_DATA");
	if (data == NULL || data[0] == '\0')
		data = "data";
	struct yg_serve what = {.config = yg_cli_get(c, "config"), .data = data};
	const char *only = yg_cli_get(c, "only");
	if (only != NULL && !roles_of(yg_sv_of(only), &what.only))
		return 2;
	return yg_serve(&what);
}

static const struct yg_opt opts[] = {
	{"config", 'c', YG_OPT_FILE, "FILE", false,
	 "Configuration; without it every key has its default.",
	 "設定ファイル。省略するとすべて既定値になる。"},
	{"data", 'd', YG_OPT_FILE, "DIR", false,
	 "Data folder, made when it is not there (default: $YAGURA_DATA or ./data).",
	 "データフォルダー。なければ作る(既定: $YAGURA_DATA または ./data)。"},
	{"only", 0, YG_OPT_VALUE, "ROLE,...", false,
	 "Run these roles alone, such as resolve: a resolver without a centre.",
	 "指定した役割だけを動かす。例: resolve(センターなしのリゾルバー)。"},
	{NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL},
};

const struct yg_cmd yg_cmds_serve[] = {
	{.noun = "serve",
	 .opts = opts,
	 .doc = "Run the server: the supervisor and the roles it starts.",
	 .doc_ja = "サーバーを動かす。監督プロセスが各役割のプロセスを起動する。",
	 .more = "Runs in the foreground and logs JSON lines to standard error. SIGTERM and SIGINT drain "
		 "and end it, a second one ends it at once; SIGHUP reads the configuration again after "
		 "checking all of it. Started as root, the roles run as process.user. It speaks "
		 "sd_notify(3). Exit status: 0 after a drain, 1 when it cannot run, 3 when the "
		 "configuration has errors.",
	 .run = run_serve},
	{.noun = NULL},
};
