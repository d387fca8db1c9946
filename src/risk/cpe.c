#include "risk/cpe.h"

#define URI_COMPONENTS 7
#define URI_PACKED     5 /* attributes in the component of the edition, behind '~' each */

/* Where the reader is; what is wrong is told with this place. */
struct reader {
	struct yg_sv text;
	size_t at;
	struct yg_err *err;
};
/* An attribute that is being read. */
struct value {
	struct yg_cpe_value v;
	bool closed; /* wild cards of the end were seen: nothing may follow */
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_unreserved(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Printable, and neither blank, letter nor digit: what 7695 calls punctuation and the
 * special characters. */
static bool is_punctuation(char c)
{
	return c > ' ' && c < 0x7f && !is_letter(c) && !is_digit(c);
}

static yg_status add_char(struct reader *r, struct yg_cpe *out, struct value *v, char c)
{
	if (v->closed)
		return YG_FAIL(r->err, YG_PARSE, "a wild card may stand at the ends only");
	out->text[out->n++] = is_letter(c) ? (char)(c | 0x20) : c;
	v->v.n++;
	return YG_OK;
}

/* '?' any number of times or one '*', in front or behind. */
static yg_status add_wild(struct reader *r, struct value *v, bool many)
{
	uint8_t *count = v->v.n == 0 ? &v->v.before : &v->v.after;
	if (*count == YG_CPE_MANY || (many && *count > 0))
		return YG_FAIL(r->err, YG_PARSE, "'*' stands beside another wild card");
	if (!many && *count == YG_CPE_MANY - 1)
		return YG_FAIL(r->err, YG_PARSE, "too many wild cards");
	*count = many ? YG_CPE_MANY : (uint8_t)(*count + 1);
	v->closed = v->v.n > 0;
	return YG_OK;
}

static yg_status read_quoted(struct reader *r, struct yg_sv field, size_t *i, struct yg_cpe *out,
			     struct value *v)
{
	if (*i + 1 >= field.n || !is_punctuation(field.p[*i + 1]))
		return YG_FAIL(r->err, YG_PARSE, "a backslash quotes punctuation only");
	*i += 1;
	return add_char(r, out, v, field.p[*i]);
}

/* One character of a formatted string (6.2.3). */
static yg_status read_fs(struct reader *r, struct yg_sv field, size_t *i, struct yg_cpe *out,
			 struct value *v)
{
	char c = field.p[*i];
	if (c == '\\')
		return read_quoted(r, field, i, out, v);
	if (c == '?' || c == '*')
		return add_wild(r, v, c == '*');
	if (!is_unreserved(c))
		return YG_FAIL(r->err, YG_PARSE, "a character that must be quoted or left out");
	return add_char(r, out, v, c);
}

/* One character of a URI's component (6.1.3.2); %01 is '?' and %02 is '*' as wild cards. */
static yg_status read_uri(struct reader *r, struct yg_sv field, size_t *i, struct yg_cpe *out,
			  struct value *v)
{
	char c = field.p[*i];
	if (is_unreserved(c) || c == '~')
		return add_char(r, out, v, c);
	if (c != '%')
		return YG_FAIL(r->err, YG_PARSE, "a character that must be percent-encoded");
	uint8_t code = 0;
	yg_status st = yg_parse_hex(yg_sv_sub(field, *i + 1, 2), &code, 1, NULL);
	bool wild = code == 1 || code == 2;
	if (st != YG_OK || code > 0x7e ||
	    (!wild && (!is_punctuation((char)code) || is_unreserved((char)code))))
		return YG_FAIL(r->err, YG_PARSE, "a percent-encoded form that is not one of 7695");
	*i += 2;
	return wild ? add_wild(r, v, code == 2) : add_char(r, out, v, (char)code);
}

typedef yg_status (*read_fn)(struct reader *r, struct yg_sv field, size_t *i, struct yg_cpe *out,
			     struct value *v);

/* RFC 5646's language and region alone. */
static bool is_language(struct yg_sv s)
{
	size_t n = 0;
	while (n < s.n && is_letter(s.p[n]))
		n++;
	if (n < 2 || n > 3 || n == s.n)
		return n == s.n && (n == 2 || n == 3);
	struct yg_sv region = yg_sv_sub(s, n + 1, s.n);
	if (s.p[n] != '-' || (region.n != 2 && region.n != 3))
		return false;
	for (size_t i = 0; i < region.n; i++)
		if (region.n == 2 ? !is_letter(region.p[i]) : !is_digit(region.p[i]))
			return false;
	return true;
}

/* What some attributes may be beyond the grammar of all. */
static yg_status check_value(struct reader *r, enum yg_cpe_attribute which,
			     const struct yg_cpe *out, const struct yg_cpe_value *v)
{
	struct yg_sv s = {out->text + v->at, v->n};
	bool wild = v->before > 0 || v->after > 0;
	if (v->n == 0)
		return YG_FAIL(r->err, YG_PARSE, "wild cards without text");
	if (which == YG_CPE_PART &&
	    (wild || !(YG_SV_IS(s, "a") || YG_SV_IS(s, "o") || YG_SV_IS(s, "h"))))
		return YG_FAIL(r->err, YG_PARSE, "the part is none of a, o and h");
	if (which == YG_CPE_LANGUAGE && (wild || !is_language(s)))
		return YG_FAIL(r->err, YG_PARSE, "not a language with or without a region");
	if (YG_SV_IS(s, "-") && !wild)
		return YG_FAIL(r->err, YG_PARSE, "a quoted '-' may not stand alone");
	return YG_OK;
}

static yg_status read_value(struct reader *r, struct yg_sv field, read_fn read,
			    enum yg_cpe_attribute which, struct yg_cpe *out)
{
	struct value v = {.v = {.kind = YG_CPE_STRING, .at = out->n}};
	size_t from = (size_t)(field.p - r->text.p);
	for (size_t i = 0; i < field.n; i++) {
		r->at = from + i;
		yg_status st = read(r, field, &i, out, &v);
		if (st != YG_OK)
			return st;
	}
	r->at = from;
	yg_status st = check_value(r, which, out, &v.v);
	out->value[which] = v.v;
	return st;
}

/* "" is ANY in a URI, "*" in a formatted string; "-" is NA in both. */
static yg_status read_field(struct reader *r, struct yg_sv field, bool uri,
			    enum yg_cpe_attribute which, struct yg_cpe *out)
{
	r->at = (size_t)(field.p - r->text.p);
	out->value[which] = (struct yg_cpe_value){.kind = YG_CPE_ANY};
	if (uri ? field.n == 0 : YG_SV_IS(field, "*"))
		return YG_OK;
	if (field.n == 0)
		return YG_FAIL(r->err, YG_PARSE, "an empty component");
	if (!YG_SV_IS(field, "-"))
		return read_value(r, field, uri ? read_uri : read_fs, which, out);
	out->value[which].kind = YG_CPE_NA;
	return YG_OK;
}

/* To the next colon that is not quoted; false: the last one was taken before. */
static bool cut_component(struct yg_sv *rest, struct yg_sv *out)
{
	size_t i = 0;
	if (rest->p == NULL)
		return false;
	while (i < rest->n && rest->p[i] != ':')
		i += rest->p[i] == '\\' && i + 1 < rest->n ? 2 : 1;
	*out = yg_sv_sub(*rest, 0, i);
	*rest = i < rest->n ? yg_sv_sub(*rest, i + 1, rest->n) : (struct yg_sv){NULL, 0};
	return true;
}

static yg_status read_formatted(struct reader *r, struct yg_cpe *out)
{
	struct yg_sv rest = yg_sv_sub(r->text, r->at, r->text.n), field;
	for (unsigned which = 0; which < YG_CPE_ATTRIBUTES; which++) {
		if (!cut_component(&rest, &field)) {
			r->at = r->text.n;
			return YG_FAIL(r->err, YG_PARSE, "%u components of %d", which,
				       YG_CPE_ATTRIBUTES);
		}
		yg_status st = read_field(r, field, false, (enum yg_cpe_attribute)which, out);
		if (st != YG_OK)
			return st;
	}
	if (rest.p == NULL)
		return YG_OK;
	r->at = (size_t)(rest.p - r->text.p) - 1;
	return YG_FAIL(r->err, YG_PARSE, "more than %d components", YG_CPE_ATTRIBUTES);
}

/* "~edition~sw_edition~target_sw~target_hw~other" (6.1.2.4). */
static yg_status read_packed(struct reader *r, struct yg_sv packed, struct yg_cpe *out)
{
	static const enum yg_cpe_attribute which[URI_PACKED] = {
		YG_CPE_EDITION, YG_CPE_SW_EDITION, YG_CPE_TARGET_SW, YG_CPE_TARGET_HW, YG_CPE_OTHER,
	};
	struct yg_sv rest = yg_sv_sub(packed, 1, packed.n), field;
	for (size_t i = 0; i < URI_PACKED; i++) {
		if (!yg_sv_cut(&rest, '~', &field)) {
			r->at = (size_t)(packed.p - r->text.p) + packed.n;
			return YG_FAIL(r->err, YG_PARSE, "%zu of %d attributes in the edition", i,
				       URI_PACKED);
		}
		yg_status st = read_field(r, field, true, which[i], out);
		if (st != YG_OK)
			return st;
	}
	if (!yg_sv_cut(&rest, '~', &field))
		return YG_OK;
	r->at = (size_t)(field.p - r->text.p) - 1;
	return YG_FAIL(r->err, YG_PARSE, "more than %d attributes in the edition", URI_PACKED);
}

static yg_status read_components(struct reader *r, struct yg_cpe *out)
{
	struct yg_sv rest = yg_sv_sub(r->text, r->at, r->text.n), field;
	memset(out->value, 0, sizeof out->value);
	for (unsigned which = 0; yg_sv_cut(&rest, ':', &field); which++) {
		if (which == URI_COMPONENTS) {
			r->at = (size_t)(field.p - r->text.p) - 1;
			return YG_FAIL(r->err, YG_PARSE, "more than %d components", URI_COMPONENTS);
		}
		bool packed = which == YG_CPE_EDITION && field.n > 0 && field.p[0] == '~';
		yg_status st =
			packed ? read_packed(r, field, out)
			       : read_field(r, field, true, (enum yg_cpe_attribute)which, out);
		if (st != YG_OK)
			return st;
	}
	return YG_OK;
}

static bool takes_prefix(struct reader *r, struct yg_sv prefix)
{
	if (!yg_sv_ieq(yg_sv_sub(r->text, 0, prefix.n), prefix))
		return false;
	r->at = prefix.n;
	return true;
}

yg_status yg_cpe_parse(struct yg_sv text, struct yg_cpe *out, size_t *out_at, struct yg_err *err)
{
	struct reader r = {text, 0, err};
	yg_status st;
	out->n = 0;
	if (text.n > YG_CPE_TEXT_MAX)
		st = YG_FAIL(err, YG_PARSE, "longer than %d bytes", YG_CPE_TEXT_MAX);
	else if (takes_prefix(&r, YG_SV("cpe:2.3:")))
		st = read_formatted(&r, out);
	else if (takes_prefix(&r, YG_SV("cpe:/")))
		st = read_components(&r, out);
	else
		st = YG_FAIL(err, YG_PARSE, "neither 'cpe:2.3:' nor 'cpe:/' in front");
	*out_at = r.at;
	return st;
}

static bool is_wild(const struct yg_cpe_value *v)
{
	return v->before > 0 || v->after > 0;
}

/* A '?' stands for one character or none (6.3 of 7696). */
static bool covers(const struct yg_cpe_value *wild, struct yg_sv body, struct yg_sv target)
{
	for (size_t i = 0; i + body.n <= target.n; i++) {
		if (wild->before != YG_CPE_MANY && i > wild->before)
			return false;
		size_t behind = target.n - i - body.n;
		if ((wild->after == YG_CPE_MANY || behind <= wild->after) &&
		    memcmp(target.p + i, body.p, body.n) == 0)
			return true;
	}
	return false;
}

enum yg_cpe_relation yg_cpe_compare_attribute(const struct yg_cpe *source,
					      const struct yg_cpe *target,
					      enum yg_cpe_attribute which)
{
	const struct yg_cpe_value *s = &source->value[which], *t = &target->value[which];
	if (is_wild(t))
		return YG_CPE_UNDEFINED;
	if (s->kind != YG_CPE_STRING || t->kind != YG_CPE_STRING) {
		if (s->kind == t->kind)
			return YG_CPE_EQUAL;
		if (s->kind == YG_CPE_ANY)
			return YG_CPE_SUPERSET;
		return t->kind == YG_CPE_ANY ? YG_CPE_SUBSET : YG_CPE_DISJOINT;
	}
	struct yg_sv a = yg_cpe_text(source, which), b = yg_cpe_text(target, which);
	if (is_wild(s))
		return covers(s, a, b) ? YG_CPE_SUPERSET : YG_CPE_DISJOINT;
	return yg_sv_eq(a, b) ? YG_CPE_EQUAL : YG_CPE_DISJOINT;
}

enum yg_cpe_relation yg_cpe_compare(const struct yg_cpe *source, const struct yg_cpe *target)
{
	unsigned count[YG_CPE_DISJOINT + 1] = {0};
	for (unsigned i = 0; i < YG_CPE_ATTRIBUTES; i++)
		count[yg_cpe_compare_attribute(source, target, (enum yg_cpe_attribute)i)]++;
	if (count[YG_CPE_DISJOINT] > 0)
		return YG_CPE_DISJOINT;
	if (count[YG_CPE_EQUAL] == YG_CPE_ATTRIBUTES)
		return YG_CPE_EQUAL;
	if (count[YG_CPE_EQUAL] + count[YG_CPE_SUBSET] == YG_CPE_ATTRIBUTES)
		return YG_CPE_SUBSET;
	if (count[YG_CPE_EQUAL] + count[YG_CPE_SUPERSET] == YG_CPE_ATTRIBUTES)
		return YG_CPE_SUPERSET;
	return YG_CPE_UNDEFINED;
}

const char *yg_cpe_relation_name(enum yg_cpe_relation relation)
{
	static const char *const names[] = {"undefined", "superset", "subset", "equal", "disjoint"};
	return names[relation];
}

static void put_wild(struct yg_sb *b, uint8_t count)
{
	if (count == YG_CPE_MANY)
		yg_sb_putc(b, '*');
	else
		for (unsigned i = 0; i < count; i++)
			yg_sb_putc(b, '?');
}

void yg_cpe_put(struct yg_sb *b, const struct yg_cpe *name)
{
	yg_sb_put(b, YG_SV("cpe:2.3"));
	for (unsigned i = 0; i < YG_CPE_ATTRIBUTES; i++) {
		const struct yg_cpe_value *v = &name->value[i];
		struct yg_sv s = yg_cpe_text(name, (enum yg_cpe_attribute)i);
		yg_sb_putc(b, ':');
		if (v->kind != YG_CPE_STRING) {
			yg_sb_putc(b, v->kind == YG_CPE_ANY ? '*' : '-');
			continue;
		}
		put_wild(b, v->before);
		for (size_t k = 0; k < s.n; k++) {
			if (!is_unreserved(s.p[k]))
				yg_sb_putc(b, '\\');
			yg_sb_putc(b, s.p[k]);
		}
		put_wild(b, v->after);
	}
}
