/* option.h - the one table the command line is made from.  Parsing, --help, the
 * manual pages and the completion for bash, zsh and fish come from it.
 *
 * A command is NOUN VERB; a verb that reads or judges files works offline.
 */
#pragma once
#include "base/arena.h"
#include "base/env.h"

enum yg_opt_kind {
	YG_OPT_FLAG,  /* --json */
	YG_OPT_VALUE, /* --org ORG */
	YG_OPT_FILE,  /* a value completed with file names */
	YG_OPT_LIST,  /* may stand more than once */
};
struct yg_opt {
	const char *name; /* "org": --org */
	char letter;      /* 'o' or 0 */
	enum yg_opt_kind kind;
	const char *value; /* placeholder: "ORG"; NULL for a flag */
	bool required;
	const char *doc;    /* one sentence, full stop */
	const char *doc_ja; /* the same in Japanese */
};

/* Rows of an option table; the last row is YG_OPTS_END. */
#define YG_O_FLAG(name, doc, ja)                                                                   \
	{                                                                                          \
		name, 0, YG_OPT_FLAG, NULL, false, doc, ja                                         \
	}
#define YG_O_VALUE(name, value, doc, ja)                                                           \
	{                                                                                          \
		name, 0, YG_OPT_VALUE, value, false, doc, ja                                       \
	}
#define YG_O_NEEDED(name, value, doc, ja)                                                          \
	{                                                                                          \
		name, 0, YG_OPT_VALUE, value, true, doc, ja                                        \
	}
#define YG_O_FILE(name, value, doc, ja)                                                            \
	{                                                                                          \
		name, 0, YG_OPT_FILE, value, false, doc, ja                                        \
	}
#define YG_O_LIST(name, value, doc, ja)                                                            \
	{                                                                                          \
		name, 0, YG_OPT_LIST, value, false, doc, ja                                        \
	}
#define YG_OPTS_END                                                                                \
	{                                                                                          \
		NULL, 0, YG_OPT_FLAG, NULL, false, NULL, NULL                                      \
	}

struct yg_cli; /* parsed command line */
/* Value of an option by name; NULL when not given. */
const char *yg_cli_get(const struct yg_cli *c, const char *name);
bool yg_cli_has(const struct yg_cli *c, const char *name);
/* i-th value of a list option; NULL past the end. */
const char *yg_cli_nth(const struct yg_cli *c, const char *name, size_t i);
/* Positional arguments. */
size_t yg_cli_argc(const struct yg_cli *c);
const char *yg_cli_arg(const struct yg_cli *c, size_t i);
const struct yg_env *yg_cli_env(const struct yg_cli *c);
bool yg_cli_json(const struct yg_cli *c);     /* --json */
bool yg_cli_color(const struct yg_cli *c);    /* standard output is a terminal that has colours */
bool yg_cli_progress(const struct yg_cli *c); /* somebody watches standard error */
bool yg_cli_asks(const struct yg_cli *c);     /* somebody is there who can answer */
bool yg_cli_japanese(const struct yg_cli *c); /* LC_ALL, LC_MESSAGES, LANG begin with ja */

struct yg_cmd {
	const char *noun, *verb; /* verb NULL for a noun alone ("serve", "doctor") */
	const char *args;        /* synopsis of positionals: "FILE..." or NULL */
	size_t args_min, args_max;
	const struct yg_opt *opts; /* ended by name == NULL; NULL for none but the common ones */
	bool changes;              /* something on the server, at once: takes --dry-run */
	bool away; /* what it does cannot be taken back: asked about on a terminal, unless --yes */
	const char *doc, *doc_ja; /* one sentence each */
	const char *more;         /* paragraphs for the manual page, or NULL */
	/* Returns the exit status (yg_status_exit()); prints errors itself by yg_cli_fail(). */
	int (*run)(struct yg_cli *c);
};
/* Common options of every command are in yg_common_opts (cmd/command.h). */

/* Prints "yagura: <message>" to stderr and returns the exit status of the code. */
int yg_cli_fail(const struct yg_err *err);
int yg_cli_usage(const struct yg_cli *c, const char *fmt, ...) YG_PRINTF(2, 3); /* returns 2 */

/* The tables: one per noun, in cmd/<noun>.c, ended by noun == NULL. */
extern const struct yg_cmd *const yg_cmds[]; /* NULL ended; cmd/registry.c is the one list */
