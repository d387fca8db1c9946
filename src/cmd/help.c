#include "cmd/command.h"

const struct yg_cmd *yg_cmd_find(int argc, char **argv, int *out_used)
{
	if (argc < 1)
		return NULL;
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			if (!yg_sv_eq(yg_sv_of(c->noun), yg_sv_of(argv[0])))
				continue;
			*out_used = c->verb == NULL ? 1 : 2;
			if (c->verb == NULL ||
			    (argc > 1 && yg_sv_eq(yg_sv_of(c->verb), yg_sv_of(argv[1]))))
				return c;
		}
	}
	return NULL;
}

static void name(const struct yg_cmd *c, FILE *out)
{
	(void)fprintf(out, "yagura %s", c->noun);
	if (c->verb != NULL)
		(void)fprintf(out, " %s", c->verb);
}

static const char *doc_of(const struct yg_cmd *c, bool japanese)
{
	return japanese && c->doc_ja != NULL ? c->doc_ja : c->doc;
}

void yg_help_overview(bool japanese, FILE *out)
{
	(void)fputs(japanese ? "使い方: yagura 名詞 動詞 [オプション]\n\n"
			     : "Usage: yagura NOUN VERB [options]\n\n",
		    out);
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			char full[64];
			(void)snprintf(full, sizeof full, "%s%s%s", c->noun,
				       c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "");
			(void)fprintf(out, "  %-26s %s\n", full, doc_of(c, japanese));
		}
	}
	(void)fputs(japanese ? "\n詳しくは: yagura 名詞 動詞 --help、man yagura\n"
			     : "\nMore: yagura NOUN VERB --help, man yagura\n",
		    out);
}

bool yg_help_noun(const char *noun, bool japanese, FILE *out)
{
	bool any = false;
	for (size_t t = 0; yg_cmds[t] != NULL; t++)
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++)
			if (yg_sv_eq(yg_sv_of(c->noun), yg_sv_of(noun))) {
				any = true;
				(void)fprintf(out, "  yagura %s %-16s %s\n", c->noun,
					      c->verb != NULL ? c->verb : "", doc_of(c, japanese));
			}
	return any;
}

/* Those that `but` has of its own are not told again; NULL: all. */
static void opt_lines(const struct yg_opt *opts, const struct yg_cmd *but, bool japanese, FILE *out)
{
	for (const struct yg_opt *o = opts; o != NULL && o->name != NULL; o++) {
		if (but != NULL && yg_cmd_own_opt(but, o->name))
			continue;
		char left[64];
		(void)snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter != 0 ? '-' : ' ',
			       o->letter != 0 ? o->letter : ' ', o->letter != 0 ? "," : " ",
			       o->name, o->value != NULL ? " " : "",
			       o->value != NULL ? o->value : "");
		(void)fprintf(out, "  %-28s %s\n", left,
			      japanese && o->doc_ja != NULL ? o->doc_ja : o->doc);
	}
}

void yg_help_command(const struct yg_cmd *cmd, bool japanese, FILE *out)
{
	(void)fputs(japanese ? "使い方: " : "Usage: ", out);
	name(cmd, out);
	(void)fprintf(out, " [options]%s%s\n\n%s\n", cmd->args != NULL ? " " : "",
		      cmd->args != NULL ? cmd->args : "", doc_of(cmd, japanese));
	if (cmd->opts != NULL && cmd->opts[0].name != NULL) {
		(void)fputs(japanese ? "\nオプション:\n" : "\nOptions:\n", out);
		opt_lines(cmd->opts, NULL, japanese, out);
	}
	if (cmd->changes) {
		(void)fputs(japanese ? "\n変更のオプション:\n" : "\nOptions of changes:\n", out);
		opt_lines(yg_change_opts, NULL, japanese, out);
	}
	if (yg_cmd_lists(cmd)) {
		(void)fputs(japanese ? "\n一覧のオプション:\n" : "\nOptions of lists:\n", out);
		opt_lines(yg_list_opts, cmd, japanese, out);
	}
	(void)fputs(japanese ? "\n共通のオプション:\n" : "\nCommon options:\n", out);
	opt_lines(yg_common_opts, NULL, japanese, out);
	if (cmd->more != NULL)
		(void)fprintf(out, "\n%s\n", cmd->more);
}

/* mdoc reads a leading dot or quote as a macro and a backslash as an escape. */
static void mdoc_text(const char *s, FILE *out)
{
	bool start = true;
	for (; *s != '\0'; s++) {
		if (start && (*s == '.' || *s == '\''))
			(void)fputs("\\&", out);
		if (*s == '\\')
			(void)fputs("\\e", out);
		else
			(void)fputc(*s, out);
		start = *s == '\n';
	}
	(void)fputc('\n', out);
}

static void mdoc_opts(const struct yg_opt *opts, bool japanese, FILE *out)
{
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (const struct yg_opt *o = opts; o->name != NULL; o++) {
		(void)fputs(".It ", out);
		if (o->letter != 0)
			(void)fprintf(out, "Fl %c , ", o->letter);
		(void)fprintf(out, "Fl \\-%s", o->name);
		if (o->value != NULL)
			(void)fprintf(out, " Ar %s", o->value);
		(void)fputc('\n', out);
		mdoc_text(japanese && o->doc_ja != NULL ? o->doc_ja : o->doc, out);
	}
	(void)fputs(".El\n", out);
}

static void mdoc_exit_status(FILE *out)
{
	(void)fputs(
		".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
		".It 0\ndone\n.It 1\nfailed\n.It 2\nwrong usage\n.It 3\nthe check found problems\n"
		".It 4\nnot signed in\n.It 5\nnot permitted\n.It 6\nnot found\n.It 7\nconflict\n"
		".It 8\ntry again later\n.El\n",
		out);
}

/* yagura-exit-codes(7): what base/status.c makes of each status. */
static void mdoc_codes(bool japanese, FILE *out)
{
	static const char *const codes[][3] = {
		{"0", "Success; an empty list, too.", "成功。一覧が空の場合も含む。"},
		{"1", "It failed.", "失敗した。"},
		{"2", "Wrong usage: an unknown option, a value that cannot be read.",
		 "使い方の誤り。不明なオプション、読めない値など。"},
		{"3", "A check found problems: config check, audit-log verify, backup verify.",
		 "検査で問題が見つかった(config check、audit-log verify、backup verify など)。"},
		{"4", "Not signed in: the token is missing, wrong or at its end (401).",
		 "認証されていない。トークンがない、誤っている、または期限切れ(401)。"},
		{"5", "Not permitted (403).", "許可されていない(403)。"},
		{"6", "Not found, or out of the rights' reach (404).",
		 "見つからない、または権限の及ばないもの(404)。"},
		{"7", "Conflict: it was changed meanwhile, or its state forbids it (409, 412).",
		 "競合。その間に変更されたか、状態により行えない(409、412)。"},
		{"8", "Temporary: network, overload, a part that is away (429, 5xx). Try again.",
		 "一時的な失敗。通信、過負荷、停止中の部分(429、5xx)。再試行できる。"},
		{"130", "Interrupted from the keyboard.", "キーボードから中断された。"},
	};
	(void)fprintf(
		out,
		".Dd November 22, 2026\n.Dt YAGURA-EXIT-CODES 7\n.Os\n.Sh NAME\n.Nm yagura-exit-codes\n"
		".Nd %s\n.Sh DESCRIPTION\n.Bl -tag -width Ds\n",
		japanese ? "yagura の終了コード" : "exit statuses of yagura");
	for (size_t i = 0; i < YG_LEN(codes); i++) {
		(void)fprintf(out, ".It %s\n", codes[i][0]);
		mdoc_text(codes[i][japanese ? 2 : 1], out);
	}
	(void)fputs(".El\n.Sh SEE ALSO\n.Xr yagura 1\n", out);
}

static void mdoc_overview(bool japanese, FILE *out)
{
	(void)fputs(
		".Dd November 22, 2026\n.Dt YAGURA 1\n.Os\n.Sh NAME\n.Nm yagura\n"
		".Nd keeps watch over many organisations at once\n.Sh SYNOPSIS\n.Nm\n"
		".Ar noun\n.Op Ar verb\n.Op Ar options\n.Sh DESCRIPTION\n"
		"Commands that read or judge files work offline; the others speak to the local server's\n"
		"Unix socket, or with\n.Fl \\-server\nto a remote one.\n.Bl -tag -width Ds\n",
		out);
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			(void)fprintf(out, ".It Xr yagura-%s 1%s%s\n", c->noun,
				      c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "");
			mdoc_text(doc_of(c, japanese), out);
		}
	}
	(void)fputs(".El\n.Sh OPTIONS\nCommon to all commands:\n", out);
	mdoc_opts(yg_common_opts, japanese, out);
	(void)fputs(".Pp\nOf commands that list (those with\n.Fl \\-limit ) :\n", out);
	mdoc_opts(yg_list_opts, japanese, out);
	(void)fputs(
		".Pp\nOf commands that change something on the server, but for those that start a job:\n",
		out);
	mdoc_opts(yg_change_opts, japanese, out);
	(void)fputs(
		".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev YAGURA_DATA\nData folder of the local server.\n"
		".It Ev YAGURA_SERVER , YAGURA_TOKEN_FILE , YAGURA_CA_FILE\n"
		"The server to speak to, the file of its token, and what its certificate is checked against.\n"
		".It Ev YAGURA_CONTEXT\nName of a server that login has kept.\n.It Ev NO_COLOR\nNo colours in the output.\n.El\n",
		out);
	mdoc_exit_status(out);
	(void)fputs(".Sh SEE ALSO\n.Xr yagura.yaml 5 ,\n.Xr yagura-exit-codes 7\n", out);
}

bool yg_manual(const char *noun, bool japanese, FILE *out)
{
	if (noun == NULL) {
		mdoc_overview(japanese, out);
		return true;
	}
	if (YG_SV_IS(yg_sv_of(noun), "exit-codes")) {
		mdoc_codes(japanese, out);
		return true;
	}
	bool any = false;
	for (size_t t = 0; yg_cmds[t] != NULL; t++) {
		for (const struct yg_cmd *c = yg_cmds[t]; c->noun != NULL; c++) {
			if (!yg_sv_eq(yg_sv_of(c->noun), yg_sv_of(noun)))
				continue;
			if (!any)
				(void)fprintf(
					out,
					".Dd November 22, 2026\n.Dt YAGURA-%s 1\n.Os\n.Sh NAME\n"
					".Nm yagura-%s\n.Nd %s\n.Sh DESCRIPTION\n",
					noun, noun, doc_of(c, japanese));
			any = true;
			(void)fprintf(out, ".Ss yagura %s %s\n.Nm yagura %s %s\n.Op Ar options\n",
				      noun, c->verb != NULL ? c->verb : "", noun,
				      c->verb != NULL ? c->verb : "");
			if (c->args != NULL)
				(void)fprintf(out, ".Ar %s\n", c->args);
			(void)fputs(".Pp\n", out);
			mdoc_text(doc_of(c, japanese), out);
			if (c->opts != NULL && c->opts[0].name != NULL)
				mdoc_opts(c->opts, japanese, out);
			if (c->more != NULL) {
				(void)fputs(".Pp\n", out);
				mdoc_text(c->more, out);
			}
		}
	}
	if (any) {
		(void)fputs(".Sh OPTIONS\nCommon options are in\n.Xr yagura 1 .\n", out);
		mdoc_exit_status(out);
		(void)fputs(
			".Sh SEE ALSO\n.Xr yagura 1 ,\n.Xr yagura.yaml 5 ,\n.Xr yagura-exit-codes 7\n",
			out);
	}
	return any;
}
