#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/tables.h"
#include "tap.h"

static int seen_args, seen_list;
static char seen_value[64];

static int run(struct yg_cli *c)
{
	seen_args = (int)yg_cli_argc(c);
	seen_list = 0;
	while (yg_cli_nth(c, "many", (size_t)seen_list) != NULL)
		seen_list++;
	const char *v = yg_cli_get(c, "value");
	(void)snprintf(seen_value, sizeof seen_value, "%s", v != NULL ? v : "-");
	return yg_cli_json(c) ? 42 : 0;
}

static const struct yg_opt opts[] = {
	{"value", 'v', YG_OPT_VALUE, "X", false, "A value.", "値。"},
	{"flag", 'f', YG_OPT_FLAG, NULL, false, "A flag.", "旗。"},
	YG_O_LIST("many", "X", "Many.", "複数。"),
	YG_OPTS_END,
};
static const struct yg_cmd cmd = {.noun = "test",
				  .verb = "run",
				  .args = "[A]",
				  .args_max = 2,
				  .opts = opts,
				  .run = run,
				  .doc = "Test."};
static const struct yg_opt must_opts[] = {YG_O_NEEDED("need", "X", "Needed.", "必須。"),
					  YG_OPTS_END};
static const struct yg_cmd must = {
	.noun = "test", .verb = "must", .opts = must_opts, .run = run, .doc = "Test."};

static int run_scoped(struct yg_cli *c)
{
	const char *org = yg_cli_get(c, "org"), *system = yg_cli_get(c, "system");
	(void)snprintf(seen_value, sizeof seen_value, "%s %s", org != NULL ? org : "-",
		       system != NULL ? system : "-");
	return 0;
}

static const struct yg_opt scoped_opts[] = {YG_O_VALUE("org", "ORG", "Of one.", "組織。"),
					    YG_O_VALUE("system", "ID", "Of one.", "システム。"),
					    YG_OPTS_END};
static const struct yg_cmd scoped = {
	.noun = "test", .verb = "scoped", .opts = scoped_opts, .run = run_scoped, .doc = "Test."};
static const struct yg_cmd away = {.noun = "test",
				   .verb = "away",
				   .away = true,
				   .args = "A",
				   .args_max = 1,
				   .run = run,
				   .doc = "Test."};

static int call(const struct yg_cmd *what, const char *words)
{
	static char text[256];
	char *argv[32];
	int argc = 0;
	(void)snprintf(text, sizeof text, "%s", words);
	for (char *p = text; *p != '\0' && argc < 32;) {
		argv[argc++] = p;
		while (*p != ' ' && *p != '\0')
			p++;
		if (*p == ' ')
			*p++ = '\0';
	}
	return yg_cmd_run(what, NULL, argc, argv);
}

/* Every command has words in both languages; every option too. */
static void tables(void)
{
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			bool good = c->run != NULL && c->doc != NULL && c->doc_ja != NULL &&
				    c->args_min <= c->args_max;
			for (const struct yg_opt *o = c->opts; o != NULL && o->name != NULL; o++)
				good = good && o->doc != NULL && o->doc_ja != NULL &&
				       (o->kind == YG_OPT_FLAG) == (o->value == NULL);
			char name[80];
			(void)snprintf(name, sizeof name, "%s %s is complete", c->noun,
				       c->verb != NULL ? c->verb : "");
			T_NAMED(good, name);
			char *argv[] = {(char *)(uintptr_t)c->noun, (char *)(uintptr_t)c->verb};
			int used;
			T_NAMED(yg_cmd_find(c->verb != NULL ? 2 : 1, argv, &used) == c,
				"and is found by its words");
		}
	}
}

int main(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int err = dup(STDERR_FILENO);
	(void)dup2(null, STDERR_FILENO);
	T_OK(call(&cmd, "a b") == 0 && seen_args == 2);
	T_OK(call(&cmd, "--value=x=y a") == 0 && strcmp(seen_value, "x=y") == 0 && seen_args == 1);
	T_OK(call(&cmd, "-vx -f") == 0 && strcmp(seen_value, "x") == 0);
	T_OK(call(&cmd, "-fv x --json") == 42 && strcmp(seen_value, "x") == 0);
	T_OK(call(&cmd, "--many 1 --many=2 -- --value") == 0 && seen_list == 2 && seen_args == 1);
	T_OK(call(&cmd, "-") == 0 && seen_args == 1);
	T_OK(call(&cmd, "a b c") == 2);
	T_OK(call(&cmd, "--value") == 2);
	T_OK(call(&cmd, "--flag=1") == 2);
	T_OK(call(&cmd, "--value 1 --value 2") == 2);
	T_OK(call(&cmd, "--nothing") == 2 && call(&cmd, "-x") == 2);
	T_OK(call(&must, "") == 2 && call(&must, "--need 1") == 0);
	T_OK(call(&away, "a") == 0 && call(&away, "a --no-input --yes") == 0 &&
	     call(&away, "a --no-input") == 2);
	T_OK(call(&scoped, "--scope org:moj/system:y-1") == 0 &&
	     strcmp(seen_value, "moj y-1") == 0);
	T_OK(call(&scoped, "--scope system:y-2") == 0 && strcmp(seen_value, "- y-2") == 0);
	T_OK(call(&scoped, "--scope org:a --org b") == 2 && call(&scoped, "--scope org:") == 2 &&
	     call(&scoped, "--scope moj") == 2 && call(&scoped, "--scope asset:x") == 2 &&
	     call(&scoped, "--scope org:a/") == 2);
	T_OK(call(&cmd, "--scope org:a") == 2);
	(void)dup2(err, STDERR_FILENO);
	tables();
	return tap_done();
}
