/* vuln.c - `yagura vuln`: what is known of vulnerabilities, without a server. */
#include "cmd/print.h"
#include "cmd/tables.h"
#include "cmd/vuln_ask.h"
#include "format/json.h"
#include "risk/cvss.h"

static void put_score(struct yg_buf *out, const char *name, uint8_t tenths, bool there)
{
	char text[8];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (there)
		yg_cvss_put_tenths(&b, tenths);
	else
		yg_sb_put(&b, YG_SV("null"));
	yg_buf_put(out, yg_sv_of(name));
	yg_buf_put(out, yg_sb_sv(&b));
}

/* The guide of 2.0 has the temporal and the environmental equation "if employed"; later
 * versions define them of any vector. */
static void put_scores(struct yg_buf *out, const struct yg_cvss *v, bool json)
{
	bool old = v->version == YG_CVSS_2_0, four = v->version == YG_CVSS_4_0;
	bool temporal = !old || (v->groups & YG_CVSS_TEMPORAL) != 0;
	bool environmental = !old || (v->groups & YG_CVSS_ENVIRONMENTAL) != 0;
	struct yg_cvss_score s;
	yg_cvss_score(v, &s);
	const char *severity = yg_cvss_severity_name((enum yg_cvss_severity)s.severity);
	const char *version = yg_cvss_version_name((enum yg_cvss_version)v->version);
	if (json) {
		yg_buf_put(out, YG_SV(",\"version\":\""));
		yg_buf_put(out, yg_sv_of(version));
		put_score(out, "\",\"base\":", s.base, true);
		put_score(out, four ? ",\"threat\":" : ",\"temporal\":", s.temporal, temporal);
		put_score(out, ",\"environmental\":", s.environmental, environmental);
		put_score(out, ",\"overall\":", s.overall, true);
		yg_buf_put(out, YG_SV(",\"severity\":\""));
		yg_buf_put(out, yg_sv_of(severity));
		yg_buf_put(out, YG_SV("\"}\n"));
		return;
	}
	put_score(out, ": ", s.overall, true);
	yg_buf_printf(out, " %s (CVSS %s", severity, version);
	put_score(out, ", base ", s.base, true);
	if (temporal)
		put_score(out, four ? ", threat " : ", temporal ", s.temporal, true);
	if (environmental)
		put_score(out, ", environmental ", s.environmental, true);
	yg_buf_put(out, YG_SV(")\n"));
}

static bool judge_cvss(void *ctx, struct yg_sv text, bool json, struct yg_buf *out)
{
	struct yg_cvss v;
	struct yg_err err;
	size_t at;
	(void)ctx;
	if (json) {
		yg_buf_put(out, YG_SV("{\"vector\":"));
		yg_json_put_str(out, text);
	} else {
		yg_print_untrusted(out, text);
	}
	bool valid = yg_cvss_parse(text, &v, &at, &err) == YG_OK;
	if (valid)
		put_scores(out, &v, json);
	else
		yg_vuln_put_error(out, json, err.msg, at);
	return valid;
}

static int run_cvss(struct yg_cli *cli)
{
	return yg_vuln_each(cli, judge_cvss);
}

const struct yg_cmd yg_cmds_vuln[] = {
	{.noun = "vuln",
	 .verb = "cvss",
	 .args = "VECTOR...|-",
	 .args_min = 1,
	 .args_max = SIZE_MAX,
	 .doc = "Check CVSS vectors of versions 2.0, 3.0, 3.1 and 4.0 and score them, offline.",
	 .doc_ja = "CVSS 2.0、3.0、3.1、4.0 のベクトルを検査し、スコアを計算する(サーバー不要)。",
	 .more = "Prints base, temporal (of version 4.0: threat), environmental and overall score and the "
		 "severity.  With - the vectors are lines of standard input, and each line is answered by "
		 "one JSON line.  A vector that is not valid is answered with the reason and the byte it "
		 "is at; the exit status is then 3.",
	 .run = run_cvss},
	{.noun = "vuln",
	 .verb = "cpe",
	 .args = "compare SOURCE TARGET|-",
	 .args_min = 2,
	 .args_max = 3,
	 .doc = "Compare two CPE 2.3 names, offline: superset, subset, equal, disjoint or undefined.",
	 .doc_ja =
		 "2 つの CPE 2.3 名を比較する(サーバー不要)。上位集合・部分集合・同一・無関係・未定義。",
	 .more = "Names are formatted strings (cpe:2.3:...) or URIs (cpe:/...).  The answer is the "
		 "relation of the source to the target as NISTIR 7696 defines it.  With - every line of "
		 "standard input has a source and a target, and each line is answered by one JSON line.  "
		 "A name that is not valid is answered with the reason and the byte it is at; the exit "
		 "status is then 3.",
	 .run = yg_vuln_run_cpe},
	{.noun = "vuln",
	 .verb = "version",
	 .args = "compare SCHEME A B|-",
	 .args_min = 2,
	 .args_max = 4,
	 .doc = "Compare two versions by the order of a packaging system, offline: less, equal or greater.",
	 .doc_ja =
		 "2 つのバージョンをパッケージ方式の順序で比較する(サーバー不要)。小さい・等しい・大きい。",
	 .more = "Schemes are deb, rpm, semver, npm, pypi, maven, gem, go, alpine and generic.  The answer "
		 "is what A is to B.  With - every line of standard input has the words that are not given "
		 "(scheme and versions, or after a scheme the versions), and each line is answered by one "
		 "JSON line.  A version that is not valid in its scheme is answered with the reason and the "
		 "byte it is at; the exit status is then 3.",
	 .run = yg_vuln_run_version},
	{.noun = "vuln",
	 .verb = "vers",
	 .args = "RANGE VERSION|-",
	 .args_min = 1,
	 .args_max = 2,
	 .doc = "Say whether a VERS range contains a version, offline.",
	 .doc_ja = "VERS の範囲にバージョンが含まれるかを判定する(サーバー不要)。",
	 .more = "A range is vers:TYPE/CONSTRAINTS, such as 'vers:npm/>=1.2.3|<2.0.0'; types are the schemes "
		 "of 'vuln version compare', and the types of package URLs for them.  With - every line of "
		 "standard input has the words that are not given, and each line is answered by one JSON "
		 "line.  What is not valid is answered with the reason and the byte it is at; the exit "
		 "status is then 3.",
	 .run = yg_vuln_run_vers},
	{.noun = "vuln",
	 .verb = "purl",
	 .args = "PURL...|-",
	 .args_min = 1,
	 .args_max = SIZE_MAX,
	 .doc = "Check package URLs and print their canonical form and components, offline.",
	 .doc_ja = "パッケージ URL (purl) を検査し、正規形と要素を表示する(サーバー不要)。",
	 .more = "With - the package URLs are lines of standard input, and each line is answered by one "
		 "JSON line.  One that is not valid is answered with the reason and the byte it is at; the "
		 "exit status is then 3.",
	 .run = yg_vuln_run_purl},
	{.noun = NULL},
};
