#include "risk/cvss_internal.h"

#define VALUES_MAX 6

struct metric {
	char name[8];
	uint8_t group;
	char value[VALUES_MAX][8]; /* by number, from 1; ended by an empty one */
};
struct version {
	char name[4], prefix[10];
	uint8_t count;
	bool ordered; /* metrics in the order of the table only */
	char undefined[8];
	const struct metric *metrics;
};

// clang-format off
#define B YG_CVSS_BASE
#define T YG_CVSS_TEMPORAL
#define E YG_CVSS_ENVIRONMENTAL
#define S YG_CVSS_SUPPLEMENTAL
/* A Complete Guide to the Common Vulnerability Scoring System Version 2.0, 2.4. */
static const struct metric metrics2[] = {
	[C2_AV] = {"AV", B, {"L", "A", "N"}},
	[C2_AC] = {"AC", B, {"H", "M", "L"}},
	[C2_AU] = {"Au", B, {"M", "S", "N"}},
	[C2_C] = {"C", B, {"N", "P", "C"}},
	[C2_I] = {"I", B, {"N", "P", "C"}},
	[C2_A] = {"A", B, {"N", "P", "C"}},
	[C2_E] = {"E", T, {"U", "POC", "F", "H"}},
	[C2_RL] = {"RL", T, {"OF", "TF", "W", "U"}},
	[C2_RC] = {"RC", T, {"UC", "UR", "C"}},
	[C2_CDP] = {"CDP", E, {"N", "L", "LM", "MH", "H"}},
	[C2_TD] = {"TD", E, {"N", "L", "M", "H"}},
	[C2_CR] = {"CR", E, {"L", "M", "H"}},
	[C2_IR] = {"IR", E, {"L", "M", "H"}},
	[C2_AR] = {"AR", E, {"L", "M", "H"}},
};
/* CVSS v3.0 and v3.1 Specification Document, section 6, table 15. */
static const struct metric metrics3[] = {
	[C3_AV] = {"AV", B, {"P", "L", "A", "N"}},
	[C3_AC] = {"AC", B, {"H", "L"}},
	[C3_PR] = {"PR", B, {"H", "L", "N"}},
	[C3_UI] = {"UI", B, {"R", "N"}},
	[C3_S] = {"S", B, {"U", "C"}},
	[C3_C] = {"C", B, {"N", "L", "H"}},
	[C3_I] = {"I", B, {"N", "L", "H"}},
	[C3_A] = {"A", B, {"N", "L", "H"}},
	[C3_E] = {"E", T, {"U", "P", "F", "H"}},
	[C3_RL] = {"RL", T, {"O", "T", "W", "U"}},
	[C3_RC] = {"RC", T, {"U", "R", "C"}},
	[C3_CR] = {"CR", E, {"L", "M", "H"}},
	[C3_IR] = {"IR", E, {"L", "M", "H"}},
	[C3_AR] = {"AR", E, {"L", "M", "H"}},
	[C3_MAV] = {"MAV", E, {"P", "L", "A", "N"}},
	[C3_MAC] = {"MAC", E, {"H", "L"}},
	[C3_MPR] = {"MPR", E, {"H", "L", "N"}},
	[C3_MUI] = {"MUI", E, {"R", "N"}},
	[C3_MS] = {"MS", E, {"U", "C"}},
	[C3_MC] = {"MC", E, {"N", "L", "H"}},
	[C3_MI] = {"MI", E, {"N", "L", "H"}},
	[C3_MA] = {"MA", E, {"N", "L", "H"}},
};
/* CVSS v4.0 Specification Document, section 7, table 23.  Numbers of values: steps from the
 * most severe one (8.2). */
static const struct metric metrics4[] = {
	[C4_AV] = {"AV", B, {"N", "A", "L", "P"}},
	[C4_AC] = {"AC", B, {"L", "H"}},
	[C4_AT] = {"AT", B, {"N", "P"}},
	[C4_PR] = {"PR", B, {"N", "L", "H"}},
	[C4_UI] = {"UI", B, {"N", "P", "A"}},
	[C4_VC] = {"VC", B, {"H", "L", "N"}},
	[C4_VI] = {"VI", B, {"H", "L", "N"}},
	[C4_VA] = {"VA", B, {"H", "L", "N"}},
	[C4_SC] = {"SC", B, {"H", "L", "N"}},
	[C4_SI] = {"SI", B, {"H", "L", "N"}},
	[C4_SA] = {"SA", B, {"H", "L", "N"}},
	[C4_E] = {"E", T, {"A", "P", "U"}},
	[C4_CR] = {"CR", E, {"H", "M", "L"}},
	[C4_IR] = {"IR", E, {"H", "M", "L"}},
	[C4_AR] = {"AR", E, {"H", "M", "L"}},
	[C4_MAV] = {"MAV", E, {"N", "A", "L", "P"}},
	[C4_MAC] = {"MAC", E, {"L", "H"}},
	[C4_MAT] = {"MAT", E, {"N", "P"}},
	[C4_MPR] = {"MPR", E, {"N", "L", "H"}},
	[C4_MUI] = {"MUI", E, {"N", "P", "A"}},
	[C4_MVC] = {"MVC", E, {"H", "L", "N"}},
	[C4_MVI] = {"MVI", E, {"H", "L", "N"}},
	[C4_MVA] = {"MVA", E, {"H", "L", "N"}},
	[C4_MSC] = {"MSC", E, {"H", "L", "N"}},
	[C4_MSI] = {"MSI", E, {"H", "L", "N", "S"}}, /* S, safety, is above H: see cvss4.c */
	[C4_MSA] = {"MSA", E, {"H", "L", "N", "S"}},
	[C4_S] = {"S", S, {"N", "P"}},
	[C4_AU] = {"AU", S, {"N", "Y"}},
	[C4_R] = {"R", S, {"A", "U", "I"}},
	[C4_V] = {"V", S, {"D", "C"}},
	[C4_RE] = {"RE", S, {"L", "M", "H"}},
	[C4_U] = {"U", S, {"Clear", "Green", "Amber", "Red"}},
};
#undef B
#undef T
#undef E
#undef S

static const struct version versions[] = {
	[YG_CVSS_2_0] = {"2.0", "", C2_COUNT, false, "ND", metrics2},
	[YG_CVSS_3_0] = {"3.0", "CVSS:3.0/", C3_COUNT, false, "X", metrics3},
	[YG_CVSS_3_1] = {"3.1", "CVSS:3.1/", C3_COUNT, false, "X", metrics3},
	[YG_CVSS_4_0] = {"4.0", "CVSS:4.0/", C4_COUNT, true, "X", metrics4},
};
// clang-format on

/* Where the reader is; what is wrong is told with this place. */
struct reader {
	struct yg_sv text;
	size_t at;
	struct yg_err *err;
};

/* A word of up to eight letters as one number; UINT64_MAX: it is no such word. */
static uint64_t word_of(struct yg_sv s)
{
	uint64_t word = 0;
	if (s.n > sizeof word)
		return UINT64_MAX;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0')
			return UINT64_MAX;
		word |= (uint64_t)(unsigned char)s.p[i] << 8 * i;
	}
	return word;
}

/* The same of the tables. */
static uint64_t known_word(const char padded[static 8])
{
	uint64_t word;
	memcpy(&word, padded, sizeof word);
	return word;
}

/* The metric of that name, looked for from `from` on and around; count: none. */
static size_t metric_of(const struct version *v, uint64_t name, size_t from)
{
	for (size_t i = from; i < v->count; i++)
		if (name == known_word(v->metrics[i].name))
			return i;
	for (size_t i = 0; i < from; i++)
		if (name == known_word(v->metrics[i].name))
			return i;
	return v->count;
}

/* 0: it is not one of them. */
static uint8_t value_of(const struct metric *m, uint64_t value)
{
	for (uint8_t i = 0; i < VALUES_MAX && m->value[i][0] != '\0'; i++)
		if (value == known_word(m->value[i]))
			return (uint8_t)(i + 1);
	return 0;
}

/* Bytes of outside for a message: at most a few, escaped. */
struct quoted {
	char text[64];
};
static const char *quote(struct quoted *q, struct yg_sv s)
{
	struct yg_sb b = yg_sb_init(q->text, sizeof q->text);
	yg_sb_put_untrusted(&b, yg_sv_sub(s, 0, 12));
	return yg_sb_cstr(&b);
}

static yg_status read_metric(struct reader *r, const struct version *v, struct yg_sv field,
			     size_t *next, uint32_t *seen, struct yg_cvss *out)
{
	struct quoted q;
	size_t colon = 0;
	while (colon < field.n && field.p[colon] != ':')
		colon++;
	struct yg_sv name = yg_sv_sub(field, 0, colon);
	struct yg_sv value = yg_sv_sub(field, colon + 1, field.n);
	if (field.n == 0)
		return YG_FAIL(r->err, YG_PARSE, "an empty metric");
	size_t i = metric_of(v, word_of(name), *next);
	if (i == v->count)
		return YG_FAIL(r->err, YG_PARSE, "%sCVSS %s has no metric '%s'",
			       v->prefix[0] != '\0' ? "" : "no prefix 'CVSS:', and ", v->name,
			       quote(&q, name));
	const struct metric *m = &v->metrics[i];
	if ((*seen >> i & 1) != 0)
		return YG_FAIL(r->err, YG_PARSE, "metric '%s' stands twice", m->name);
	if (v->ordered && i < *next)
		return YG_FAIL(r->err, YG_PARSE,
			       "metric '%s' stands behind its place; CVSS %s has an order", m->name,
			       v->name);
	*seen |= 1u << i;
	*next = i + 1;
	out->metric[i] = value_of(m, word_of(value));
	if (out->metric[i] != 0) {
		out->groups |= m->group;
		return YG_OK;
	}
	if (m->group != YG_CVSS_BASE && word_of(value) == known_word(v->undefined))
		return YG_OK;
	r->at += YG_MIN(colon + 1, field.n);
	return YG_FAIL(r->err, YG_PARSE, "metric '%s' has no value '%s'", m->name,
		       quote(&q, value));
}

static yg_status read_metrics(struct reader *r, const struct version *v, struct yg_cvss *out)
{
	uint32_t seen = 0;
	size_t next = 0;
	struct yg_sv field, rest = yg_sv_sub(r->text, r->at, r->text.n);
	while (yg_sv_cut(&rest, '/', &field)) {
		r->at = (size_t)(field.p - r->text.p);
		yg_status st = read_metric(r, v, field, &next, &seen, out);
		if (st != YG_OK)
			return st;
	}
	r->at = r->text.n;
	for (size_t i = 0; i < v->count; i++)
		if (v->metrics[i].group == YG_CVSS_BASE && out->metric[i] == 0)
			return YG_FAIL(r->err, YG_PARSE, "base metric '%s' is missing",
				       v->metrics[i].name);
	return YG_OK;
}

/* By its prefix; version 2.0 has none. */
static yg_status read_version(struct reader *r, struct yg_cvss *out)
{
	struct quoted q;
	if (r->text.n == 0)
		return YG_FAIL(r->err, YG_PARSE, "the vector is empty");
	if (r->text.n > YG_CVSS_TEXT_MAX)
		return YG_FAIL(r->err, YG_PARSE, "longer than any vector, %d bytes",
			       YG_CVSS_TEXT_MAX);
	out->version = YG_CVSS_2_0;
	for (unsigned i = YG_CVSS_3_0; i <= YG_CVSS_4_0; i++)
		if (yg_sv_starts(r->text, yg_sv_of(versions[i].prefix)))
			out->version = (uint8_t)i;
	if (out->version == YG_CVSS_2_0 && yg_sv_starts(r->text, YG_SV("CVSS:"))) {
		r->at = 5;
		return YG_FAIL(r->err, YG_PARSE, "version '%s' is none of 3.0, 3.1 and 4.0",
			       quote(&q, yg_sv_sub(r->text, 5, yg_sv_find(r->text, '/', 5) - 5)));
	}
	r->at = strlen(versions[out->version].prefix);
	return YG_OK;
}

yg_status yg_cvss_parse(struct yg_sv text, struct yg_cvss *out, size_t *out_at, struct yg_err *err)
{
	struct reader r = {text, 0, err};
	struct yg_cvss v = {.version = 0};
	yg_status st = read_version(&r, &v);
	if (st == YG_OK)
		st = read_metrics(&r, &versions[v.version], &v);
	if (st == YG_OK)
		*out = v;
	*out_at = r.at;
	return st;
}

/* CVSS v3.1 section 5, v4.0 section 6; of 2.0: NVD's ranges, the guide has none. */
static enum yg_cvss_severity severity_of(unsigned version, uint8_t tenths)
{
	if (tenths >= 90 && version != YG_CVSS_2_0)
		return YG_CVSS_CRITICAL;
	if (tenths >= 70)
		return YG_CVSS_HIGH;
	if (tenths >= 40)
		return YG_CVSS_MEDIUM;
	return tenths > 0 || version == YG_CVSS_2_0 ? YG_CVSS_LOW : YG_CVSS_NONE;
}

void yg_cvss_score(const struct yg_cvss *vector, struct yg_cvss_score *out)
{
	switch ((enum yg_cvss_version)vector->version) {
	case YG_CVSS_2_0: yg_cvss2_score(vector, out); break;
	case YG_CVSS_3_0:
	case YG_CVSS_3_1: yg_cvss3_score(vector, out); break;
	case YG_CVSS_4_0: yg_cvss4_score(vector, out); break;
	}
	out->severity = (uint8_t)severity_of(vector->version, out->overall);
}

const char *yg_cvss_version_name(enum yg_cvss_version version)
{
	return versions[version].name;
}

const char *yg_cvss_severity_name(enum yg_cvss_severity severity)
{
	static const char *const names[] = {"NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
	return names[severity];
}

void yg_cvss_put_tenths(struct yg_sb *b, uint8_t tenths)
{
	yg_sb_u64(b, tenths / 10);
	yg_sb_putc(b, '.');
	yg_sb_u64(b, tenths % 10);
}
