#include "cmd/command.h"

/* Every command with its options, one per line, is what each shell's script
 * looks words up in; so the three scripts stay small and equal. */
static void bash_case(const struct yg_cmd *c, FILE *out)
{
	(void)fprintf(out, "    '%s%s%s') opts='", c->noun, c->verb != NULL ? " " : "",
		      c->verb != NULL ? c->verb : "");
	for (const struct yg_opt *o = c->opts; o != NULL && o->name != NULL; o++)
		(void)fprintf(out, "--%s ", o->name);
	for (const struct yg_opt *o = yg_list_opts; yg_cmd_lists(c) && o->name != NULL; o++)
		(void)fprintf(out, "--%s ", o->name);
	for (const struct yg_opt *o = yg_common_opts; o->name != NULL; o++)
		(void)fprintf(out, "--%s ", o->name);
	(void)fputs("' ;;\n", out);
}

/* Verbs of a noun; each noun once, where it is first seen. */
static bool first_of_noun(size_t table, const struct yg_cmd *c)
{
	for (size_t t = 0; t <= table; t++)
		for (const struct yg_cmd *d = yg_cmds[t]; d->noun != NULL; d++)
			if (yg_sv_eq(yg_sv_of(d->noun), yg_sv_of(c->noun)))
				return d == c;
	return true;
}

static void bash(FILE *out)
{
	(void)fputs(
		"_yagura() {\n  local cur=${COMP_WORDS[COMP_CWORD]} opts verbs\n"
		"  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '",
		out);
	for (size_t t = 0; yg_cmds[t] != NULL; t++)
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++)
			if (first_of_noun(t, c))
				(void)fprintf(out, "%s ", c->noun);
	(void)fputs("' -- \"$cur\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n", out);
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			if (!first_of_noun(t, c) || c->verb == NULL)
				continue;
			(void)fprintf(out, "    '%s') verbs='", c->noun);
			for (size_t u = 0; yg_cmds[u] != NULL; u++)
				for (const struct yg_cmd *d = yg_cmds[u]; d->noun != NULL; d++)
					if (yg_sv_eq(yg_sv_of(d->noun), yg_sv_of(c->noun)) &&
					    d->verb != NULL)
						(void)fprintf(out, "%s ", d->verb);
			(void)fputs("' ;;\n", out);
		}
	}
	(void)fputs("  esac\n  if [ -n \"$verbs\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
		    "    COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\"))\n    return\n  fi\n"
		    "  case \"${COMP_WORDS[1]}${verbs:+ ${COMP_WORDS[2]}}\" in\n",
		    out);
	for (size_t t = 0; yg_cmds[t] != NULL; t++)
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++)
			bash_case(c, out);
	(void)fputs(
		"  esac\n  case $cur in\n    -*) COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\")) ;;\n"
		"    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n  esac\n}\ncomplete -F _yagura yagura\n",
		out);
}

/* One single-quoted word: a quote inside is closed, escaped and opened again. */
static void quoted(const char *s, FILE *out)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			(void)fputs("'\\''", out);
		else
			(void)fputc(*s, out);
	}
}

static void fish_opts(const struct yg_cmd *c, const struct yg_opt *opts, FILE *out)
{
	for (const struct yg_opt *o = opts; o != NULL && o->name != NULL; o++) {
		(void)fprintf(out,
			      "complete -c yagura -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
			      c->verb != NULL ? c->verb : c->noun, o->name,
			      o->kind == YG_OPT_FLAG ? "" : " -r");
		quoted(o->doc, out);
		(void)fputs("'\n", out);
	}
}

static void fish(FILE *out)
{
	(void)fputs("complete -c yagura -f\n", out);
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			if (first_of_noun(t, c))
				(void)fprintf(out,
					      "complete -c yagura -n __fish_use_subcommand -a %s\n",
					      c->noun);
			if (c->verb != NULL) {
				(void)fprintf(
					out,
					"complete -c yagura -n '__fish_seen_subcommand_from %s' -a %s -d '",
					c->noun, c->verb);
				quoted(c->doc, out);
				(void)fputs("'\n", out);
			}
			fish_opts(c, c->opts, out);
			if (yg_cmd_lists(c))
				fish_opts(c, yg_list_opts, out);
		}
	}
}

bool yg_completion(const char *shell, FILE *out)
{
	struct yg_sv s = yg_sv_of(shell);
	if (YG_SV_IS(s, "bash")) {
		bash(out);
	} else if (YG_SV_IS(s, "zsh")) { /* zsh runs bash's completion functions */
		(void)fputs("#compdef yagura\nautoload -U +X bashcompinit && bashcompinit\n", out);
		bash(out);
	} else if (YG_SV_IS(s, "fish")) {
		fish(out);
	} else {
		return false;
	}
	return true;
}
