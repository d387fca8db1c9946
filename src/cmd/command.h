/* command.h - what is made from the table of commands: help, manual pages,
 * completion.  Option values are read through cmd/option.h. */
#pragma once
#include <stdio.h>

#include "cmd/option.h"

extern const struct yg_opt yg_common_opts[]; /* ended by name == NULL */
extern const struct yg_opt yg_list_opts[];   /* of commands that list, besides */
extern const struct yg_opt yg_change_opts[]; /* of commands that change something, besides */
bool yg_cmd_lists(const struct yg_cmd *cmd); /* it has --limit */
/* An option of that name of its own, which stands for the one of lists. */
bool yg_cmd_own_opt(const struct yg_cmd *cmd, const char *name);

const struct yg_cmd *yg_cli_cmd(const struct yg_cli *c);
/* Parses argv (without program, noun and verb; reordered in place) and runs. */
int yg_cmd_run(const struct yg_cmd *cmd, const struct yg_env *env, int argc, char **argv);
/* Finds noun and verb at the front of argv; *out_used: how many words they took.
 * NULL when there is no such command. */
const struct yg_cmd *yg_cmd_find(int argc, char **argv, int *out_used);

void yg_help_overview(bool japanese, FILE *out);
/* Its commands, a line each; false: there are none. */
bool yg_help_noun(const char *noun, bool japanese, FILE *out);
void yg_help_command(const struct yg_cmd *cmd, bool japanese, FILE *out);
/* mdoc(7) pages: yagura(1) for name NULL, else yagura-<noun>(1); Japanese when asked. */
bool yg_manual(const char *noun, bool japanese, FILE *out);
/* Shell: "bash", "zsh" or "fish"; false when it is none of them. */
bool yg_completion(const char *shell, FILE *out);
