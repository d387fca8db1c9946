/* Detection rules: what a list of them is asked for. */
#include "api/routes_detect.h"

/* "live,test" to bits of the words' places; absent: 0. */
static unsigned read_words(struct yg_request *q, const char *name, const char *words)
{
	struct yg_sv text = yg_query(q, name), one;
	unsigned bits = 0;
	while (text.p != NULL && yg_sv_cut(&text, ',', &one)) {
		struct yg_sv rest = yg_sv_of(words), word;
		unsigned at = 0, found = 32;
		for (; yg_sv_cut(&rest, ' ', &word); at++)
			if (yg_sv_eq(word, one))
				found = at;
		if (found < 32)
			bits |= 1u << found;
		else
			yg_request_error(q, "unknown_value", yg_sv_of(name), "expected one of: %s",
					 words);
	}
	return bits;
}

/* What tags of techniques begin with. */
static const struct yg_sv technique_tags[] = {YG_SV_INIT("attack.t0"), YG_SV_INIT("attack.t1"),
					      YG_SV_INIT("attack.t2"), YG_SV_INIT("attack.t3"),
					      YG_SV_INIT("attack.t4"), YG_SV_INIT("attack.t5"),
					      YG_SV_INIT("attack.t6"), YG_SV_INIT("attack.t7"),
					      YG_SV_INIT("attack.t8"), YG_SV_INIT("attack.t9")};

/* Techniques and tactics, one or none of them. */
static yg_status read_attack(struct yg_request *q, struct yg_drule_filter *f, struct yg_err *err)
{
	struct yg_sv technique = yg_query_text(q, "technique"), tactic = yg_query_text(q, "tactic");
	bool none = YG_SV_IS(technique, "none");
	yg_status st = yg_query_bool(q, "exact", &f->exact, err);
	if (none) {
		f->none_of = technique_tags;
		f->none_of_count = YG_LEN(technique_tags);
	} else {
		f->tag = yg_attack_tag(q, technique);
	}
	if (none && YG_SV_IS(tactic, "none"))
		yg_request_error(q, "bad_value", YG_SV("tactic"),
				 "a rule without a technique stands in no tactic");
	else if (tactic.n > 0 && !yg_attack_tactic(q, tactic, f))
		yg_request_error(q, "unknown_value", YG_SV("tactic"), "not a tactic of the matrix");
	return st;
}

yg_status yg_rules_read_filter(struct yg_request *q, struct yg_drule_filter *f, struct yg_err *err)
{
	struct yg_sv source = yg_query_text(q, "logsource"), kind = yg_query_text(q, "kind");
	struct yg_sv *const parts[] = {&f->category, &f->product, &f->service};
	f->org = yg_stage_org(q);
	f->now = q->now;
	f->part = yg_query_text(q, "q");
	f->collection = yg_query_text(q, "collection");
	for (size_t i = 0; i < YG_LEN(parts); i++)
		if (source.n == 0 || !yg_sv_cut(&source, '/', parts[i]))
			*parts[i] = YG_SV("");
	f->stages = read_words(q, "stage", YG_STAGE_WORDS);
	f->levels = read_words(q, "level", LEVEL_WORDS) << 1;
	if (kind.n > 0 && yg_sigma_kind_parse(kind, &f->kind) != YG_OK)
		yg_request_error(q, "unknown_value", YG_SV("kind"), "expected one of: %s",
				 "rule correlation filter");
	unsigned sort = yg_query_word(q, "sort", "newest hits false cost last_hit");
	f->sort = sort > 0 ? (enum yg_drule_sort)(sort - 1) : YG_DRULE_NEWEST;
	yg_status st = yg_query_bool(q, "refused", &f->refused, err);
	if (st == YG_OK)
		st = read_attack(q, f, err);
	return st == YG_OK && q->error_count > 0 ? YG_FAIL(err, YG_PARSE, "a parameter is wrong")
						 : st;
}
