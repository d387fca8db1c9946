/* main.c - yagura: NOUN VERB, or a role when the supervisor starts one. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/command.h"
#include "os/env.h"
#include "role/role.h"

static bool japanese(void)
{
	return yg_cli_japanese(NULL);
}

static bool asks_help(const char *word)
{
	struct yg_sv w = yg_sv_of(word);
	return yg_sv_eq(w, YG_SV("--help")) || yg_sv_eq(w, YG_SV("-h")) ||
	       yg_sv_eq(w, YG_SV("help"));
}

/* What was printed may still wait to be written: a full disk must not look like success. */
static int written(int status)
{
	if ((fflush(stdout) == 0 && ferror(stdout) == 0) || status == yg_status_exit(YG_IO))
		return status;
	(void)fputs("yagura: the output cannot be written\n", stderr);
	return yg_status_exit(YG_IO);
}

int main(int argc, char **argv)
{
	if (argc < 2 || asks_help(argv[1])) {
		yg_help_overview(japanese(), argc < 2 ? stderr : stdout);
		return argc < 2 ? yg_status_exit(YG_INVAL) : 0;
	}
	if (yg_sv_eq(yg_sv_of(argv[1]), YG_SV("--role")))
		return yg_role_main(argc, argv);
	if (yg_sv_eq(yg_sv_of(argv[1]), YG_SV("--version")) ||
	    yg_sv_eq(yg_sv_of(argv[1]), YG_SV("--licences")))
		argv[1] += 2;
	static struct yg_env_real real;
	struct yg_env env = yg_env_real(&real, "cli", 0);
	int used = 0;
	const struct yg_cmd *cmd = yg_cmd_find(argc - 1, argv + 1, &used);
	if (cmd != NULL)
		return written(yg_cmd_run(cmd, &env, argc - 1 - used, argv + 1 + used));
	if (argc == 3 && asks_help(argv[2]) && yg_help_noun(argv[1], japanese(), stdout))
		return 0;
	/* a noun by itself: what can be done with it, as `yagura` by itself */
	if (argc == 2 && yg_help_noun(argv[1], japanese(), stderr))
		return yg_status_exit(YG_INVAL);
	(void)fprintf(stderr, "yagura: no command '%s%s%s'; see yagura --help\n", argv[1],
		      argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	if (argc > 2)
		(void)yg_help_noun(argv[1], japanese(), stderr);
	return yg_status_exit(YG_INVAL);
}
