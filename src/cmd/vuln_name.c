/* vuln_name.c - `yagura vuln cpe` and `purl`: names of products and packages. */
#include "cmd/print.h"
#include "cmd/vuln_ask.h"
#include "format/json.h"
#include "risk/cpe.h"
#include "risk/purl.h"

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

static void put_part(struct yg_buf *out, const char *member, const struct yg_purl *p,
		     struct yg_purl_part part)
{
	yg_buf_printf(out, ",\"%s\":", member);
	if (part.n == 0)
		yg_buf_put(out, YG_SV("null"));
	else
		yg_json_put_str(out, yg_purl_text(p, part));
}

static void put_purl(struct yg_buf *out, const struct yg_purl *p, struct yg_sv canonical)
{
	yg_buf_put(out, YG_SV(",\"canonical\":"));
	yg_json_put_str(out, canonical);
	put_part(out, "type", p, p->type);
	put_part(out, "namespace", p, p->namespace);
	put_part(out, "name", p, p->name);
	put_part(out, "version", p, p->version);
	yg_buf_put(out, YG_SV(",\"qualifiers\":"));
	for (unsigned i = 0; i < p->qualifiers; i++) {
		yg_buf_putc(out, i == 0 ? '{' : ',');
		yg_json_put_str(out, yg_purl_text(p, p->qualifier[i].key));
		yg_buf_putc(out, ':');
		yg_json_put_str(out, yg_purl_text(p, p->qualifier[i].value));
	}
	yg_buf_put(out, p->qualifiers > 0 ? YG_SV("}") : YG_SV("null"));
	put_part(out, "subpath", p, p->subpath);
	yg_buf_put(out, YG_SV("}\n"));
}

static bool judge_purl(void *ctx, struct yg_sv text, bool json, struct yg_buf *out)
{
	char canonical[3 * YG_PURL_TEXT_MAX];
	struct yg_sb b = yg_sb_init(canonical, sizeof canonical);
	struct yg_purl p;
	struct yg_err err;
	size_t at;
	(void)ctx;
	if (json) {
		yg_buf_put(out, YG_SV("{\"purl\":"));
		yg_json_put_str(out, text);
	} else {
		yg_print_untrusted(out, text);
	}
	if (yg_purl_parse(text, &p, &at, &err) != YG_OK) {
		yg_vuln_put_error(out, json, err.msg, at);
		return false;
	}
	yg_purl_put(&b, &p);
	if (json) {
		put_purl(out, &p, yg_sb_sv(&b));
	} else {
		yg_buf_put(out, YG_SV(": "));
		yg_buf_put(out, yg_sb_sv(&b)); /* nothing in it but printable ASCII */
		yg_buf_putc(out, '\n');
	}
	return true;
}

int yg_vuln_run_purl(struct yg_cli *c)
{
	return yg_vuln_each(c, judge_purl);
}
