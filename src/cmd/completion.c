#include "cmd/command.h"

#define COMMANDS_MAX 512

/* The tables one behind the other. */
struct commands {
	const struct yg_cmd *list[COMMANDS_MAX];
	size_t n;
};

static void flatten(struct commands *out)
{
	out->n = 0;
	for (size_t t = 0; yg_cmds[t] != NULL; t++)
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL && out->n < COMMANDS_MAX;
		     c++)
			out->list[out->n++] = c;
}

static bool same(const char *a, const char *b)
{
	return yg_sv_eq(yg_sv_of(a), yg_sv_of(b));
}

/* Each noun once, where it is first seen. */
static bool first_of_noun(const struct commands *all, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same(all->list[i]->noun, all->list[at]->noun))
			return false;
	return true;
}

/* "org list", "serve" */
static void put_name(const struct yg_cmd *c, FILE *out)
{
	(void)fprintf(out, "%s%s%s", c->noun, c->verb != NULL ? " " : "",
		      c->verb != NULL ? c->verb : "");
}

/* ---- bash, and zsh by it ---- */

static void put_words(const struct yg_opt *opts, FILE *out)
{
	for (const struct yg_opt *o = opts; o != NULL && o->name != NULL; o++)
		(void)fprintf(out, "--%s ", o->name);
}

static void bash_case(const struct yg_cmd *c, FILE *out)
{
	if (c->opts == NULL && !c->changes)
		return;
	(void)fputs("    '", out);
	put_name(c, out);
	(void)fputs("') opts=\"", out);
	put_words(c->opts, out);
	if (c->changes)
		put_words(yg_change_opts, out);
	(void)fputs(yg_cmd_lists(c) ? "$lists\" ;;\n" : "\" ;;\n", out);
}

static void bash_verbs(const struct commands *all, FILE *out)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct yg_cmd *c = all->list[i];
		if (c->verb == NULL || !first_of_noun(all, i))
			continue;
		(void)fprintf(out, "    '%s') verbs='", c->noun);
		for (size_t k = i; k < all->n; k++)
			if (same(all->list[k]->noun, c->noun) && all->list[k]->verb != NULL)
				(void)fprintf(out, "%s ", all->list[k]->verb);
		(void)fputs("' ;;\n", out);
	}
}

static void bash(FILE *out)
{
	struct commands all;
	flatten(&all);
	(void)fputs(
		"_yagura() {\n  local cur=${COMP_WORDS[COMP_CWORD]} opts verbs\n  local lists='",
		out);
	put_words(yg_list_opts, out);
	(void)fputs("'\n  local common='", out);
	put_words(yg_common_opts, out);
	(void)fputs("'\n  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
		    "    COMPREPLY=($(compgen -W '",
		    out);
	for (size_t i = 0; i < all.n; i++)
		if (first_of_noun(&all, i))
			(void)fprintf(out, "%s ", all.list[i]->noun);
	(void)fputs("' -- \"$cur\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n", out);
	bash_verbs(&all, out);
	(void)fputs("  esac\n  if [ -n \"$verbs\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
		    "    COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\"))\n    return\n  fi\n"
		    "  case \"${COMP_WORDS[1]}${verbs:+ ${COMP_WORDS[2]}}\" in\n",
		    out);
	for (size_t i = 0; i < all.n; i++)
		bash_case(all.list[i], out);
	(void)fputs("  esac\n  case $cur in\n"
		    "    -*) COMPREPLY=($(compgen -W \"$opts $common\" -- \"$cur\")) ;;\n"
		    "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n  esac\n}\n"
		    "complete -F _yagura yagura\n",
		    out);
}

/* ---- fish ---- */

/* One single-quoted word: a quote inside is closed, escaped and opened again. */
static void quoted(const char *s, FILE *out)
{
	(void)fputc('\'', out);
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			(void)fputs("'\\''", out);
		else
			(void)fputc(*s, out);
	}
	(void)fputc('\'', out);
}

static void fish_option(const struct yg_opt *o, FILE *out)
{
	static const char *const values[] = {[YG_OPT_FLAG] = "",
					     [YG_OPT_VALUE] = " -r",
					     [YG_OPT_FILE] = " -r -F",
					     [YG_OPT_LIST] = " -r"};
	(void)fprintf(out, " -l %s%s -d ", o->name, values[o->kind]);
	quoted(o->doc, out);
	(void)fputc('\n', out);
}

/* The option of a command that is the same as `o`, or NULL. */
static const struct yg_opt *like(const struct yg_cmd *c, const struct yg_opt *o)
{
	for (const struct yg_opt *p = c->opts; p != NULL && p->name != NULL; p++)
		if (same(p->name, o->name) && p->kind == o->kind && same(p->doc, o->doc))
			return p;
	return NULL;
}

/* One line for all commands that have the option in these words. */
static void fish_own(const struct commands *all, size_t at, FILE *out)
{
	for (const struct yg_opt *o = all->list[at]->opts; o != NULL && o->name != NULL; o++) {
		bool told = false;
		for (size_t i = 0; i < at && !told; i++)
			told = like(all->list[i], o) != NULL;
		if (told)
			continue;
		(void)fputs("complete -c yagura -n '__yagura_at", out);
		for (size_t i = at; i < all->n; i++) {
			if (like(all->list[i], o) == NULL)
				continue;
			(void)fputs(" \"", out);
			put_name(all->list[i], out);
			(void)fputc('"', out);
		}
		(void)fputc('\'', out);
		fish_option(o, out);
	}
}

static bool takes_files(const struct yg_cmd *c)
{
	struct yg_sv args = yg_sv_of(c->args != NULL ? c->args : "");
	return yg_sv_has(args, YG_SV("FILE")) || yg_sv_has(args, YG_SV("DIR"));
}

static bool changes(const struct yg_cmd *c)
{
	return c->changes;
}

/* A condition: the command is one of those that `which` says. */
static void fish_many(const struct commands *all, bool (*which)(const struct yg_cmd *c),
		      const char *function, FILE *out)
{
	(void)fprintf(out, "function %s\n  __yagura_at", function);
	for (size_t i = 0; i < all->n; i++) {
		if (!which(all->list[i]))
			continue;
		(void)fputs(" '", out);
		put_name(all->list[i], out);
		(void)fputc('\'', out);
	}
	(void)fputs("\nend\n", out);
}

static void fish_words(const struct commands *all, FILE *out)
{
	(void)fputs("complete -c yagura -n __fish_use_subcommand -a '", out);
	for (size_t i = 0; i < all->n; i++)
		if (first_of_noun(all, i))
			(void)fprintf(out, "%s%s", i > 0 ? " " : "", all->list[i]->noun);
	(void)fputs("'\n", out);
	for (size_t i = 0; i < all->n; i++) {
		const struct yg_cmd *c = all->list[i];
		if (c->verb == NULL)
			continue;
		(void)fprintf(out, "complete -c yagura -n '__yagura_noun %s' -a %s -d ", c->noun,
			      c->verb);
		quoted(c->doc, out);
		(void)fputc('\n', out);
	}
}

static void fish_group(const struct yg_opt *opts, const char *when, FILE *out)
{
	for (const struct yg_opt *o = opts; o->name != NULL; o++) {
		(void)fprintf(out, "complete -c yagura%s", when);
		fish_option(o, out);
	}
}

static void fish(FILE *out)
{
	struct commands all;
	flatten(&all);
	(void)fputs(
		"# the command that stands there is one of these\n"
		"function __yagura_at\n  set -l words (commandline -opc)\n"
		"  contains -- \"$words[2] $words[3]\" $argv; or contains -- \"$words[2]\" $argv\n"
		"end\n# a noun without its verb\nfunction __yagura_noun\n"
		"  set -l words (commandline -opc)\n"
		"  test (count $words) -eq 2; and test \"$words[2]\" = $argv[1]\nend\n",
		out);
	fish_many(&all, yg_cmd_lists, "__yagura_lists", out);
	fish_many(&all, changes, "__yagura_changes", out);
	fish_many(&all, takes_files, "__yagura_files", out);
	(void)fputs("complete -c yagura -f\ncomplete -c yagura -n __yagura_files -F\n", out);
	fish_words(&all, out);
	fish_group(yg_common_opts, "", out);
	fish_group(yg_list_opts, " -n __yagura_lists", out);
	fish_group(yg_change_opts, " -n __yagura_changes", out);
	for (size_t i = 0; i < all.n; i++)
		fish_own(&all, i, out);
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
