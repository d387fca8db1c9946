#include "store/clickhouse.h"

/* Placeholders for servers that know none (before 19.14): the text of a query
 * with literals in their places.  A literal is built from its bytes here, never
 * copied: a string is quoted byte by byte, a number has to parse, an array is
 * taken apart and written anew. */

void yg_ch_quote(struct yg_buf *b, struct yg_sv s)
{
	yg_buf_putc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\'' || c == '\\') {
			yg_buf_putc(b, '\\');
			yg_buf_putc(b, c);
		} else if (c == '\n') {
			yg_buf_put(b, YG_SV("\\n"));
		} else if (c == '\t') {
			yg_buf_put(b, YG_SV("\\t"));
		} else if (c == '\r') {
			yg_buf_put(b, YG_SV("\\r"));
		} else if (c == '\0') {
			yg_buf_put(b, YG_SV("\\0"));
		} else {
			yg_buf_putc(b, c);
		}
	}
	yg_buf_putc(b, '\'');
}

void yg_ch_array(struct yg_buf *b, const struct yg_sv *items, size_t n)
{
	yg_buf_putc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			yg_buf_putc(b, ',');
		yg_ch_quote(b, items[i]);
	}
	yg_buf_putc(b, ']');
}

static bool word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Reads {name:Type} at sql.p[at]; *out_len is its length.  False: not one. */
static bool placeholder(struct yg_sv sql, size_t at, struct yg_sv *name, struct yg_sv *type,
			size_t *out_len)
{
	size_t i = at + 1;
	while (i < sql.n && word_byte(sql.p[i]))
		i++;
	if (i == at + 1 || i >= sql.n || sql.p[i] != ':')
		return false;
	*name = yg_sv_sub(sql, at + 1, i - at - 1);
	size_t from = ++i;
	while (i < sql.n && sql.p[i] != '}')
		i++;
	if (i >= sql.n)
		return false;
	*type = yg_sv_sub(sql, from, i - from);
	*out_len = i + 1 - at;
	return true;
}

static yg_status put_number(struct yg_buf *out, struct yg_sv type, struct yg_sv v,
			    struct yg_err *err)
{
	uint64_t u;
	int64_t s;
	if (type.p[0] == 'U') {
		if (yg_parse_u64(v, &u, NULL) != YG_OK)
			return YG_FAIL(err, YG_INVAL, "a parameter is not an unsigned number");
		yg_buf_printf(out, "%llu", (unsigned long long)u);
	} else {
		if (yg_parse_i64(v, &s, NULL) != YG_OK)
			return YG_FAIL(err, YG_INVAL, "a parameter is not a whole number");
		/* 18.16 reads the lowest number as a float when it is one literal. */
		if (s == INT64_MIN)
			yg_buf_put(out, YG_SV("(-9223372036854775807 - 1)"));
		else if (s < 0)
			yg_buf_printf(out, "(%lld)", (long long)s);
		else
			yg_buf_printf(out, "%lld", (long long)s);
	}
	return YG_OK;
}

/* One 'quoted' element at v.p[*at], written anew; what an escape stands for is
 * kept as it is, for only escapes that both sides read alike are let through. */
static bool copy_quoted(struct yg_buf *out, struct yg_sv v, size_t *at)
{
	size_t i = *at;
	if (i >= v.n || v.p[i] != '\'')
		return false;
	size_t from = i++;
	while (i < v.n && v.p[i] != '\'') {
		if (v.p[i] == '\\') {
			i++;
			/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): six bytes, no string */
			if (i >= v.n || memchr("'\\ntr0", v.p[i], 6) == NULL)
				return false;
		}
		i++;
	}
	if (i >= v.n)
		return false;
	yg_buf_put(out, yg_sv_sub(v, from, i + 1 - from));
	*at = i + 1;
	return true;
}

static yg_status put_array(struct yg_buf *out, struct yg_sv v, struct yg_err *err)
{
	size_t at = 1;
	bool ok = v.n >= 2 && v.p[0] == '[' && v.p[v.n - 1] == ']';
	if (ok && v.n == 2) { /* the type of [] is Array(Nothing) */
		yg_buf_put(out, YG_SV("emptyArrayString()"));
		return YG_OK;
	}
	yg_buf_putc(out, '[');
	while (ok) {
		ok = copy_quoted(out, v, &at);
		if (!ok || at == v.n - 1)
			break;
		ok = v.p[at] == ',';
		at++;
		yg_buf_putc(out, ',');
	}
	yg_buf_putc(out, ']');
	return ok ? YG_OK : YG_FAIL(err, YG_INVAL, "a parameter is not an array of strings");
}

static yg_status put_value(struct yg_buf *out, struct yg_sv type, const struct yg_ch_param *p,
			   struct yg_err *err)
{
	if (p->array != YG_SV_IS(type, "Array(String)"))
		return YG_FAIL(err, YG_INVAL, "parameter '%s' and its place are not both arrays",
			       p->name);
	if (YG_SV_IS(type, "String")) {
		yg_ch_quote(out, p->value);
		return YG_OK;
	}
	if (p->array)
		return put_array(out, p->value, err);
	static const struct yg_sv numbers[] = {YG_SV_INIT("UInt8"),  YG_SV_INIT("UInt16"),
					       YG_SV_INIT("UInt32"), YG_SV_INIT("UInt64"),
					       YG_SV_INIT("Int64"),  YG_SV_INIT("Int32")};
	for (size_t i = 0; i < YG_LEN(numbers); i++)
		if (yg_sv_eq(type, numbers[i]))
			return put_number(out, type, p->value, err);
	return YG_FAIL(err, YG_INVAL, "no literal for a parameter of type '" YG_SV_FMT "'",
		       YG_SV_ARG(type));
}

static const struct yg_ch_param *find(struct yg_sv name, const struct yg_ch_param *params, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (yg_sv_eq(name, yg_sv_of(params[i].name)))
			return &params[i];
	return NULL;
}

yg_status yg_ch_substitute(struct yg_sv sql, const struct yg_ch_param *params, size_t n,
			   struct yg_buf *out, struct yg_err *err)
{
	char quote = 0; /* inside '...' or `...`, where braces are text */
	for (size_t i = 0; i < sql.n;) {
		struct yg_sv name, type;
		size_t len;
		char c = sql.p[i];
		if (quote == 0 && c == '{' && placeholder(sql, i, &name, &type, &len)) {
			const struct yg_ch_param *p = find(name, params, n);
			if (p == NULL)
				return YG_FAIL(err, YG_INVAL, "no parameter '" YG_SV_FMT "'",
					       YG_SV_ARG(name));
			yg_status st = put_value(out, type, p, err);
			if (st != YG_OK)
				return st;
			i += len;
			continue;
		}
		if (quote != 0 && c == '\\' && i + 1 < sql.n) {
			yg_buf_putc(out, c);
			c = sql.p[++i];
		} else if (quote != 0 && c == quote) {
			quote = 0;
		} else if (quote == 0 && (c == '\'' || c == '`' || c == '"')) {
			quote = c;
		}
		yg_buf_putc(out, c);
		i++;
	}
	return out->bad ? YG_FAIL(err, YG_TOOBIG, "the query is too long") : YG_OK;
}
