#include "cmd/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"

#define YG_CLI_OPTS_MAX 128 /* options on one command line; more is a mistake */

struct given {
	const struct yg_opt *opt;
	const char *value; /* NULL for a flag */
};
struct yg_cli {
	char scope[256]; /* its parts, which options point into */
	const struct yg_cmd *cmd;
	const struct yg_env *env;
	struct given given[YG_CLI_OPTS_MAX];
	size_t given_count;
	char **args; /* borrowed from argv */
	size_t arg_count;
};

const struct yg_opt yg_common_opts[] = {
	{"help", 'h', YG_OPT_FLAG, NULL, false, "Print help and exit.",
	 "使い方を表示して終了する。"},
	{"json", 0, YG_OPT_FLAG, NULL, false, "Print JSON: one document, or one line per item.",
	 "JSON で出力する(1 文書、または 1 件 1 行)。"},
	{"quiet", 'q', YG_OPT_FLAG, NULL, false, "Print no progress and no notes.",
	 "経過も補足も表示しない。"},
	{"no-progress", 0, YG_OPT_FLAG, NULL, false, "Print no progress.", "経過を表示しない。"},
	{"no-color", 0, YG_OPT_FLAG, NULL, false, "Print no colours, as with $NO_COLOR.",
	 "色を付けない($NO_COLOR と同じ)。"},
	{"yes", 'y', YG_OPT_FLAG, NULL, false, "Do not ask whether to go on.",
	 "確認を求めずに実行する。"},
	{"no-input", 0, YG_OPT_FLAG, NULL, false,
	 "Never ask: what would have to be asked for is a mistake.",
	 "何も尋ねない。尋ねる必要があれば誤りとする。"},
	{"scope", 0, YG_OPT_VALUE, "SCOPE", false,
	 "org:NAME, system:ID or org:NAME/system:ID, for --org and --system of commands that have them.",
	 "範囲。org:NAME、system:ID、org:NAME/system:ID(--org と --system の代わり)。"},
	{"socket", 0, YG_OPT_FILE, "PATH", false,
	 "Unix socket of the local server (default: run/api.sock below $YAGURA_DATA or ./data).",
	 "サーバーの Unix ソケット(既定: $YAGURA_DATA または ./data の run/api.sock)。"},
	{"server", 0, YG_OPT_VALUE, "URL", false,
	 "Speak to a remote server, such as https://host:8443.",
	 "遠隔のサーバーに接続する(例 https://host:8443)。"},
	{"token-file", 0, YG_OPT_FILE, "FILE", false, "File with the API token for --server.",
	 "--server で使う API トークンのファイル。"},
	{"ca-file", 0, YG_OPT_FILE, "FILE", false, "Certificate that --server is checked against.",
	 "--server の証明書を検証するための証明書。"},
	{NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL},
};

const struct yg_opt yg_list_opts[] = {
	{"output", 'o', YG_OPT_VALUE, "FORMAT", false,
	 "table (default), json (one array), jsonl, csv (formulas neutralised) or yaml.",
	 "形式。table(既定)、json(配列)、jsonl、csv(数式は無効化)、yaml。"},
	{"fields", 0, YG_OPT_VALUE, "NAMES", false,
	 "Only these members of the API's answer, with commas between.",
	 "表示する項目(API の項目名、カンマ区切り)。"},
	{"sort", 0, YG_OPT_VALUE, "NAMES", false,
	 "By these members of the answer, - before one for the largest first; all rows are read.",
	 "並べ替える項目(カンマ区切り、- を付けると大きい順)。全行を読む。"},
	{"all", 0, YG_OPT_FLAG, NULL, false, "All rows, whatever --limit says.", "全行。"},
	{"watch", 0, YG_OPT_VALUE, "SPAN", false, "Print it again every so often, such as 5s.",
	 "5s のような間隔で繰り返し表示する。"},
	{NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL},
};

const struct yg_opt yg_change_opts[] = {
	{"dry-run", 0, YG_OPT_FLAG, NULL, false,
	 "Have the server check it and say what would be; nothing is changed.",
	 "サーバーに確認させて結果を表示するだけで、何も変更しない。"},
	{NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL},
};

static const struct yg_opt *opt_in(const struct yg_opt *opts, struct yg_sv name, char letter)
{
	for (const struct yg_opt *o = opts; o != NULL && o->name != NULL; o++)
		if (letter != 0 ? o->letter == letter : yg_sv_eq(yg_sv_of(o->name), name))
			return o;
	return NULL;
}

bool yg_cmd_own_opt(const struct yg_cmd *cmd, const char *name)
{
	return opt_in(cmd->opts, yg_sv_of(name), 0) != NULL;
}

bool yg_cmd_lists(const struct yg_cmd *cmd)
{
	return yg_cmd_own_opt(cmd, "limit");
}

static const struct yg_opt *opt_find(const struct yg_cmd *cmd, struct yg_sv name, char letter)
{
	const struct yg_opt *o = opt_in(cmd->opts, name, letter);
	if (o == NULL && yg_cmd_lists(cmd))
		o = opt_in(yg_list_opts, name, letter);
	if (o == NULL && cmd->changes)
		o = opt_in(yg_change_opts, name, letter);
	return o != NULL ? o : opt_in(yg_common_opts, name, letter);
}

static const struct given *given_find(const struct yg_cli *c, const char *name, size_t nth)
{
	for (size_t i = 0; i < c->given_count; i++)
		if (yg_sv_eq(yg_sv_of(c->given[i].opt->name), yg_sv_of(name)) && nth-- == 0)
			return &c->given[i];
	return NULL;
}

const char *yg_cli_get(const struct yg_cli *c, const char *name)
{
	const struct given *g = given_find(c, name, 0);
	return g != NULL ? g->value : NULL;
}

bool yg_cli_has(const struct yg_cli *c, const char *name)
{
	return given_find(c, name, 0) != NULL;
}

const char *yg_cli_nth(const struct yg_cli *c, const char *name, size_t i)
{
	const struct given *g = given_find(c, name, i);
	return g != NULL ? g->value : NULL;
}

size_t yg_cli_argc(const struct yg_cli *c)
{
	return c->arg_count;
}

const char *yg_cli_arg(const struct yg_cli *c, size_t i)
{
	return i < c->arg_count ? c->args[i] : NULL;
}

const struct yg_env *yg_cli_env(const struct yg_cli *c)
{
	return c->env;
}

const struct yg_cmd *yg_cli_cmd(const struct yg_cli *c)
{
	return c->cmd;
}

bool yg_cli_json(const struct yg_cli *c)
{
	return yg_cli_has(c, "json");
}

bool yg_cli_japanese(const struct yg_cli *c)
{
	(void)c;
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		const char *v = getenv(names[i]);
		if (v != NULL && v[0] != '\0')
			return strncmp(v, "ja", 2) == 0;
	}
	return false;
}

bool yg_cli_color(const struct yg_cli *c)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) != 0 && !yg_cli_has(c, "no-color") &&
	       (no == NULL || no[0] == '\0') &&
	       (term == NULL || !yg_sv_eq(yg_sv_of(term), YG_SV("dumb")));
}

bool yg_cli_progress(const struct yg_cli *c)
{
	return isatty(STDERR_FILENO) != 0 && !yg_cli_has(c, "no-progress") &&
	       !yg_cli_has(c, "quiet");
}

bool yg_cli_asks(const struct yg_cli *c)
{
	return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0 &&
	       !yg_cli_has(c, "no-input");
}

int yg_cli_fail(const struct yg_err *err)
{
	(void)fprintf(stderr, "yagura: %s\n", err->msg);
	return yg_status_exit(err->code);
}

int yg_cli_usage(const struct yg_cli *c, const char *fmt, ...)
{
	const struct yg_cmd *cmd = c->cmd;
	va_list ap;
	(void)fputs("yagura: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nTry: yagura %s%s%s --help\n", cmd->noun,
		      cmd->verb != NULL ? " " : "", cmd->verb != NULL ? cmd->verb : "");
	return yg_status_exit(YG_INVAL);
}

static int add(struct yg_cli *c, const struct yg_opt *o, const char *value)
{
	if (c->given_count == YG_CLI_OPTS_MAX)
		return yg_cli_usage(c, "more than %d options", YG_CLI_OPTS_MAX);
	if (o->kind != YG_OPT_LIST && yg_cli_has(c, o->name))
		return yg_cli_usage(c, "--%s is given twice", o->name);
	c->given[c->given_count++] = (struct given){o, value};
	return 0;
}

/* "--name", "--name=value", "--name value". */
static int take_long(struct yg_cli *c, char **argv, int argc, int *at)
{
	struct yg_sv rest = yg_sv_of(argv[*at] + 2), name;
	(void)yg_sv_cut(&rest, '=', &name);
	const struct yg_opt *o = opt_find(c->cmd, name, 0);
	if (o == NULL)
		return yg_cli_usage(c, "unknown option %s", argv[*at]);
	if (o->kind == YG_OPT_FLAG)
		return rest.p != NULL ? yg_cli_usage(c, "--%s takes no value", o->name)
				      : add(c, o, NULL);
	if (rest.p != NULL)
		return add(c, o, rest.p); /* the tail of an argv string: ends in NUL */
	if (*at + 1 >= argc)
		return yg_cli_usage(c, "--%s needs a value: %s", o->name, o->value);
	return add(c, o, argv[++*at]);
}

/* "-o", "-oVALUE", "-o VALUE"; flags may be joined: "-qh". */
static int take_short(struct yg_cli *c, char **argv, int argc, int *at)
{
	for (const char *p = argv[*at] + 1; *p != '\0'; p++) {
		const struct yg_opt *o = opt_find(c->cmd, (struct yg_sv){NULL, 0}, *p);
		if (o == NULL)
			return yg_cli_usage(c, "unknown option -%c", *p);
		if (o->kind == YG_OPT_FLAG) {
			int rc = add(c, o, NULL);
			if (rc != 0)
				return rc;
			continue;
		}
		if (p[1] != '\0')
			return add(c, o, p + 1);
		if (*at + 1 >= argc)
			return yg_cli_usage(c, "-%c needs a value: %s", *p, o->value);
		return add(c, o, argv[++*at]);
	}
	return 0;
}

static int take_all(struct yg_cli *c, char **argv, int argc)
{
	bool only_args = false;
	for (int i = 0; i < argc; i++) {
		char *a = argv[i];
		int rc = 0;
		if (only_args || a[0] != '-' || a[1] == '\0')
			c->args[c->arg_count++] = a; /* never ahead of i: argv is packed in place */
		else if (a[1] == '-' && a[2] == '\0')
			only_args = true;
		else
			rc = a[1] == '-' ? take_long(c, argv, argc, &i)
					 : take_short(c, argv, argc, &i);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int check(const struct yg_cli *c)
{
	const struct yg_cmd *cmd = c->cmd;
	for (const struct yg_opt *o = cmd->opts; o != NULL && o->name != NULL; o++)
		if (o->required && !yg_cli_has(c, o->name))
			return yg_cli_usage(c, "--%s %s is needed", o->name,
					    o->value != NULL ? o->value : "");
	if (c->arg_count < cmd->args_min)
		return yg_cli_usage(c, "expected %s",
				    cmd->args != NULL ? cmd->args : "no arguments");
	if (c->arg_count > cmd->args_max)
		return yg_cli_usage(c, "unexpected argument '%s'", c->args[cmd->args_max]);
	return 0;
}

/* "org:NAME/system:ID" as if --org and --system had been given. */
static int take_scope(struct yg_cli *c)
{
	static const char *const names[] = {"org", "system"};
	const char *scope = yg_cli_get(c, "scope");
	struct yg_sv rest = yg_sv_of(scope), part, value;
	if (scope == NULL || yg_cmd_own_opt(c->cmd, "scope")) /* what a token may do is another */
		return 0;
	if (rest.n == 0 || rest.n >= sizeof c->scope)
		return yg_cli_usage(c, "--scope takes org:NAME/system:ID, found '%s'", scope);
	memcpy(c->scope, scope, rest.n + 1);
	for (char *p = c->scope; *p != '\0'; p++)
		*p = *p == '/' ? '\0' : *p;
	while (yg_sv_cut(&rest, '/', &part)) {
		size_t i = 0, at = (size_t)(part.p - scope);
		value = part;
		struct yg_sv name = YG_SV("");
		(void)yg_sv_cut(&value, ':', &name);
		while (i < YG_LEN(names) && !yg_sv_eq(name, yg_sv_of(names[i])))
			i++;
		const struct yg_opt *o = i < YG_LEN(names) ? opt_find(c->cmd, name, 0) : NULL;
		if (i == YG_LEN(names) || value.p == NULL || value.n == 0)
			return yg_cli_usage(c, "--scope takes org:NAME/system:ID, found '%s'",
					    scope);
		if (o == NULL)
			return yg_cli_usage(c, "--scope names a %s, and there is no --%s here",
					    names[i], names[i]);
		int rc = add(c, o, c->scope + at + name.n + 1);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* What cannot be taken back is asked about where somebody sits; scripts say --yes or not. */
static int agree(const struct yg_cli *c)
{
	char line[16] = "";
	const struct yg_cmd *cmd = c->cmd;
	if (!cmd->away || yg_cli_has(c, "yes") || yg_cli_has(c, "dry-run"))
		return 0;
	if (yg_cli_has(c, "no-input"))
		return yg_cli_usage(c, "this would have to be asked about: --yes is needed");
	if (!yg_cli_asks(c))
		return 0;
	(void)fprintf(stderr,
		      yg_cli_japanese(c) ? "yagura %s %s %s: 実行しますか? [y/N] "
					 : "yagura %s %s %s: go on? [y/N] ",
		      cmd->noun, cmd->verb != NULL ? cmd->verb : "",
		      c->arg_count > 0 ? c->args[0] : "");
	if (fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y'))
		return 0;
	(void)fputs(yg_cli_japanese(c) ? "中止しました。\n" : "Nothing was done.\n", stderr);
	return 1;
}

int yg_cmd_run(const struct yg_cmd *cmd, const struct yg_env *env, int argc, char **argv)
{
	struct yg_cli c = {.cmd = cmd, .env = env, .args = argv};
	int rc = take_all(&c, argv, argc);
	if (rc == 0)
		rc = take_scope(&c);
	if (rc != 0)
		return rc;
	if (yg_cli_has(&c, "help")) {
		yg_help_command(cmd, yg_cli_japanese(&c), stdout);
		return 0;
	}
	rc = check(&c);
	if (rc == 0)
		rc = agree(&c);
	return rc != 0 ? rc : cmd->run(&c);
}
