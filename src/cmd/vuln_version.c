/* vuln_version.c - `yagura vuln version` and `vers`: which of two versions is the later one,
 * and whether a range has one. */
#include "cmd/vuln_ask.h"
#include "risk/vers.h"

static bool judge_versions(const struct yg_sv *words, bool json, struct yg_buf *out);
static const struct yg_vuln_form versions_form = {
	.count = 3, .name = {"scheme", "a", "b"}, .wanted = "SCHEME A B", .judge = judge_versions};

static bool judge_versions(const struct yg_sv *words, bool json, struct yg_buf *out)
{
	static const char *const names[] = {"less", "equal", "greater"};
	enum yg_version_scheme scheme;
	struct yg_err err;
	size_t at;
	if (!yg_version_scheme_of(words[0], &scheme)) {
		yg_vuln_put_wrong(&versions_form, words, 0, json, "no such scheme", 0, out);
		return false;
	}
	for (unsigned i = 1; i < versions_form.count; i++)
		if (yg_version_check(scheme, words[i], &at, &err) != YG_OK) {
			yg_vuln_put_wrong(&versions_form, words, i, json, err.msg, at, out);
			return false;
		}
	const char *order = names[yg_version_cmp(scheme, words[1], words[2]) + 1];
	yg_vuln_put_words(&versions_form, words, json, out);
	yg_buf_printf(out, json ? ",\"order\":\"%s\"}\n" : ": %s\n", order);
	return true;
}

int yg_vuln_run_version(struct yg_cli *c)
{
	if (!YG_SV_IS(yg_sv_of(yg_cli_arg(c, 0)), "compare"))
		return yg_cli_usage(c, "'compare' is what can be done with versions");
	return yg_vuln_words(c, &versions_form, 1);
}

static bool judge_vers(const struct yg_sv *words, bool json, struct yg_buf *out);
static const struct yg_vuln_form vers_form = {
	.count = 2, .name = {"range", "version"}, .wanted = "RANGE VERSION", .judge = judge_vers};

static bool judge_vers(const struct yg_sv *words, bool json, struct yg_buf *out)
{
	struct yg_vers range;
	struct yg_err err;
	size_t at;
	unsigned wrong = 0;
	yg_status st = yg_vers_parse(words[0], &range, &at, &err);
	if (st == YG_OK) {
		wrong = 1;
		st = yg_version_check(range.scheme, words[1], &at, &err);
	}
	if (st != YG_OK) {
		yg_vuln_put_wrong(&vers_form, words, wrong, json, err.msg, at, out);
		return false;
	}
	bool contained = yg_vers_contains(&range, words[1]);
	yg_vuln_put_words(&vers_form, words, json, out);
	if (json)
		yg_buf_printf(out, ",\"contained\":%s}\n", contained ? "true" : "false");
	else
		yg_buf_printf(out, ": %s\n", contained ? "contained" : "not contained");
	return true;
}

int yg_vuln_run_vers(struct yg_cli *c)
{
	return yg_vuln_words(c, &vers_form, 0);
}
