#include "role/store_sql.h"

struct lex {
	struct yg_sv text;
	size_t at;
	struct yg_sv token; /* empty at the end */
	size_t from;        /* where it begins */
};

static bool word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$';
}

static bool space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Spaces and comments: "-- to the end of the line" and the slash-star kind. */
static void skip_blank(struct lex *l)
{
	struct yg_sv t = l->text;
	for (;;) {
		while (l->at < t.n && space(t.p[l->at]))
			l->at++;
		bool two = l->at + 1 < t.n;
		if (two && t.p[l->at] == '-' && t.p[l->at + 1] == '-') {
			l->at = yg_sv_find(t, '\n', l->at);
		} else if (two && t.p[l->at] == '/' && t.p[l->at + 1] == '*') {
			l->at += 2;
			while (l->at + 1 < t.n && (t.p[l->at] != '*' || t.p[l->at + 1] != '/'))
				l->at++;
			l->at = YG_MIN(l->at + 2, t.n);
		} else {
			return;
		}
	}
}

/* 'text', "name" and `name`: backslash and doubled quotes stay inside. */
static void skip_quoted(struct lex *l)
{
	char quote = l->text.p[l->at++];
	while (l->at < l->text.n) {
		char c = l->text.p[l->at++];
		if (l->at < l->text.n && (c == '\\' || (c == quote && l->text.p[l->at] == quote)))
			l->at++;
		else if (c == quote)
			return;
	}
}

static bool next(struct lex *l)
{
	skip_blank(l);
	l->from = l->at;
	if (l->at < l->text.n) {
		char c = l->text.p[l->at];
		if (c == '\'' || c == '"' || c == '`')
			skip_quoted(l);
		else if (word_byte(c))
			while (l->at < l->text.n && word_byte(l->text.p[l->at]))
				l->at++;
		else
			l->at++;
	}
	l->token = yg_sv_sub(l->text, l->from, l->at - l->from);
	return l->token.n > 0;
}

static bool is(const struct lex *l, struct yg_sv word)
{
	return yg_sv_ieq(l->token, word);
}

static bool is_char(const struct lex *l, char c)
{
	return l->token.n == 1 && l->token.p[0] == c;
}

/* Inline data begins behind the format's name, blanks and one line end. */
static struct yg_sv data_behind(const struct lex *l)
{
	size_t i = l->at;
	while (i < l->text.n && (l->text.p[i] == ' ' || l->text.p[i] == '\t'))
		i++;
	if (i < l->text.n && l->text.p[i] == '\r')
		i++;
	if (i < l->text.n && l->text.p[i] == '\n')
		i++;
	return yg_sv_sub(l->text, i, l->text.n - i);
}

/* Past INTO [TABLE] name[.name]; the name may itself be a keyword. */
static bool insert_target(struct lex *l, struct yg_store_sql *out)
{
	if (!next(l) || !is(l, YG_SV("INTO")) || !next(l))
		return false;
	if (is(l, YG_SV("TABLE")) && !next(l))
		return false;
	if (is(l, YG_SV("FUNCTION")))
		return false; /* the engine's to refuse */
	size_t at;
	do {
		at = l->at;
		out->head = yg_sv_sub(l->text, 0, at);
	} while (next(l) && is_char(l, '.') && next(l));
	l->at = at;
	return true;
}

static void read_insert(struct lex *l, struct yg_store_sql *out)
{
	int depth = 0;
	if (!insert_target(l, out))
		return;
	while (next(l)) {
		if (is_char(l, '('))
			depth++;
		else if (is_char(l, ')'))
			depth--;
		if (depth != 0)
			continue;
		if (is(l, YG_SV("SELECT")) || is(l, YG_SV("WITH")) || is(l, YG_SV("VALUES")) ||
		    is(l, YG_SV("WATCH")))
			return;
		if (is(l, YG_SV("INFILE"))) {
			out->reads_file = true;
			return;
		}
		if (is(l, YG_SV("FORMAT"))) {
			out->head = yg_sv_sub(l->text, 0, l->from);
			if (!next(l))
				return;
			out->format = l->token;
			out->data = data_behind(l);
			out->verb = YG_STORE_INSERT;
			return;
		}
	}
	out->head = l->text; /* nothing but INSERT INTO t: the body's format is told elsewhere */
	out->verb = YG_STORE_INSERT;
}

static void read_kill(struct lex *l, struct yg_store_sql *out)
{
	static const struct yg_sv want[] = {YG_SV_INIT("QUERY"), YG_SV_INIT("WHERE"),
					    YG_SV_INIT("query_id"), YG_SV_INIT("=")};
	for (size_t i = 0; i < YG_LEN(want); i++)
		if (!next(l) || !is(l, want[i]))
			return;
	if (!next(l) || l->token.n < 2 || l->token.p[0] != '\'')
		return;
	struct yg_sv id = yg_sv_sub(l->token, 1, l->token.n - 2);
	while (next(l)) {
		if (is(l, YG_SV("SYNC")))
			out->kill_sync = true;
		else if (is(l, YG_SV("FORMAT")) && next(l))
			out->format = l->token;
		else if (!is(l, YG_SV("ASYNC")) && !is_char(l, ';'))
			return;
	}
	out->kill_id = id;
	out->verb = YG_STORE_KILL;
}

/* The last FORMAT x outside of brackets names the result's format. */
static void read_other(struct lex *l, struct yg_store_sql *out)
{
	int depth = 0;
	bool after = false;
	while (next(l)) {
		if (is_char(l, '('))
			depth++;
		else if (is_char(l, ')'))
			depth--;
		if (after && depth == 0 && word_byte(l->token.p[0]))
			out->format = l->token;
		after = depth == 0 && is(l, YG_SV("FORMAT"));
		if (is(l, YG_SV("OUTFILE")) || is(l, YG_SV("INFILE")))
			out->reads_file = true;
	}
}

void yg_store_sql_read(struct yg_sv text, struct yg_store_sql *out)
{
	struct lex l = {.text = text};
	*out = (struct yg_store_sql){
		.verb = YG_STORE_OTHER, .format = YG_SV(""), .data = YG_SV("")};
	out->head = text;
	out->kill_id = YG_SV("");
	if (!next(&l)) {
		out->verb = YG_STORE_EMPTY;
		return;
	}
	out->select = is(&l, YG_SV("SELECT")) || is(&l, YG_SV("WITH"));
	if (is(&l, YG_SV("INSERT")))
		read_insert(&l, out);
	else if (is(&l, YG_SV("KILL")))
		read_kill(&l, out);
	else
		read_other(&l, out);
}

bool yg_store_format_streams(struct yg_sv format)
{
	static const struct yg_sv rows[] = {YG_SV_INIT("TabSeparated"),
					    YG_SV_INIT("TSV"),
					    YG_SV_INIT("TabSeparatedRaw"),
					    YG_SV_INIT("TSVRaw"),
					    YG_SV_INIT("CSV"),
					    YG_SV_INIT("JSONEachRow"),
					    YG_SV_INIT("JSONLines"),
					    YG_SV_INIT("NDJSON"),
					    YG_SV_INIT("JSONCompactEachRow"),
					    YG_SV_INIT("JSONStringsEachRow"),
					    YG_SV_INIT("JSONCompactStringsEachRow"),
					    YG_SV_INIT("RowBinary"),
					    YG_SV_INIT("LineAsString"),
					    YG_SV_INIT("TSKV"),
					    YG_SV_INIT("Vertical")};
	for (size_t i = 0; i < YG_LEN(rows) - 1;
	     i++) /* Vertical numbers its rows: not one of them */
		if (yg_sv_ieq(format, rows[i]))
			return true;
	return false;
}

const char *yg_store_format_mime(struct yg_sv format)
{
	static const struct {
		struct yg_sv prefix;
		const char *mime;
	} map[] = {
		{YG_SV_INIT("JSONEachRow"), "application/x-ndjson; charset=UTF-8"},
		{YG_SV_INIT("JSONCompactEachRow"), "application/x-ndjson; charset=UTF-8"},
		{YG_SV_INIT("JSONStringsEachRow"), "application/x-ndjson; charset=UTF-8"},
		{YG_SV_INIT("JSONCompactStringsEachRow"), "application/x-ndjson; charset=UTF-8"},
		{YG_SV_INIT("JSONLines"), "application/x-ndjson; charset=UTF-8"},
		{YG_SV_INIT("NDJSON"), "application/x-ndjson; charset=UTF-8"},
		{YG_SV_INIT("JSON"), "application/json; charset=UTF-8"},
		{YG_SV_INIT("CSV"), "text/csv; charset=UTF-8; header=absent"},
		{YG_SV_INIT("TabSeparated"), "text/tab-separated-values; charset=UTF-8"},
		{YG_SV_INIT("TSV"), "text/tab-separated-values; charset=UTF-8"},
		{YG_SV_INIT("XML"), "application/xml; charset=UTF-8"},
		{YG_SV_INIT("RowBinary"), "application/octet-stream"},
		{YG_SV_INIT("Native"), "application/octet-stream"},
		{YG_SV_INIT("Parquet"), "application/octet-stream"},
		{YG_SV_INIT("Arrow"), "application/octet-stream"},
	};
	for (size_t i = 0; i < YG_LEN(map); i++)
		if (yg_sv_ieq(yg_sv_sub(format, 0, map[i].prefix.n), map[i].prefix))
			return map[i].mime;
	return "text/plain; charset=UTF-8";
}

/* exceptionCodeToHTTPStatus() of ClickHouse's HTTP handler. */
unsigned yg_store_http_status(uint32_t code)
{
	static const struct {
		uint16_t code, status;
	} map[] = {
		{194, 401}, {516, 401}, {192, 403}, {193, 403}, {497, 403}, {164, 403}, {36, 400},
		{6, 400},   {26, 400},  {27, 400},  {33, 400},  {38, 400},  {41, 400},  {43, 400},
		{53, 400},  {62, 400},  {69, 400},  {72, 400},  {117, 400}, {131, 400}, {190, 400},
		{321, 400}, {361, 400}, {386, 400}, {427, 400}, {456, 400}, {457, 400}, {46, 404},
		{47, 404},  {50, 404},  {56, 404},  {60, 404},  {73, 404},  {78, 404},  {81, 404},
		{115, 404}, {63, 404},  {223, 413}, {48, 501},  {202, 503}, {209, 503}, {76, 503},
		{159, 408},
	};
	for (size_t i = 0; i < YG_LEN(map); i++)
		if (map[i].code == code)
			return map[i].status;
	return 500;
}
