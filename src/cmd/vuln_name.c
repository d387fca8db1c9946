/* vuln_name.c - `yagura vuln cpe`: names of products. */
#include "cmd/vuln_ask.h"
#include "risk/cpe.h"

static bool judge_cpe(const struct yg_sv *words, bool json, struct yg_buf *out);
static const struct yg_vuln_form cpe_form = {
	.count = 2, .name = {"source", "target"}, .wanted = "SOURCE TARGET", .judge = judge_cpe};

static bool judge_cpe(const struct yg_sv *words, bool json, struct yg_buf *out)
{
	struct yg_cpe name[2];
	struct yg_err err;
	size_t at;
	for (unsigned i = 0; i < YG_LEN(name); i++)
		if (yg_cpe_parse(words[i], &name[i], &at, &err) != YG_OK) {
			yg_vuln_put_wrong(&cpe_form, words, i, json, err.msg, at, out);
			return false;
		}
	const char *relation = yg_cpe_relation_name(yg_cpe_compare(&name[0], &name[1]));
	yg_vuln_put_words(&cpe_form, words, json, out);
	yg_buf_printf(out, json ? ",\"relation\":\"%s\"}\n" : ": %s\n", relation);
	return true;
}

int yg_vuln_run_cpe(struct yg_cli *c)
{
	if (!YG_SV_IS(yg_sv_of(yg_cli_arg(c, 0)), "compare"))
		return yg_cli_usage(c, "'compare' is what can be done with names");
	return yg_vuln_words(c, &cpe_form, 1);
}
