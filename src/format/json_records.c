#include "format/json_records.h"

enum mode {
	TOP,    /* between documents */
	LINE,   /* text that is no document, until the end of the line */
	OBJECT, /* in a record */
	LIST,   /* between records of a list */
	ITEM,   /* a member of a list that is no object */
	TAIL,   /* the document's rest behind "Records" */
};
static const char records_key[] = "Records";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned enter(struct yg_json_scan *s, enum mode mode, uint32_t depth)
{
	s->mode = (uint8_t)mode;
	s->depth = depth;
	s->string = s->escape = false;
	s->key = s->key_n = 0;
	return 0;
}

static unsigned begin_object(struct yg_json_scan *s, bool top)
{
	(void)enter(s, OBJECT, 1);
	s->top = top;
	return YG_SCAN_BEGIN;
}

static unsigned between_documents(struct yg_json_scan *s, char c)
{
	/* A byte order mark and commas between documents are no text. */
	if (is_blank(c) || c == ',' || c == '\xef' || c == '\xbb' || c == '\xbf')
		return 0;
	if (c == '{')
		return begin_object(s, true);
	if (c == '[') {
		s->in_document = false;
		return enter(s, LIST, 0);
	}
	(void)enter(s, LINE, 0);
	return YG_SCAN_BEGIN;
}

static unsigned between_members(struct yg_json_scan *s, char c)
{
	if (is_blank(c) || c == ',')
		return 0;
	if (c == '{')
		return begin_object(s, false);
	if (c == ']')
		return enter(s, s->in_document ? TAIL : TOP, s->in_document);
	if (c == '}') /* one bracket too many or too few */
		return enter(s, TOP, 0);
	(void)enter(s, ITEM, 0);
	return YG_SCAN_BEGIN;
}

/* Follows the first level of a lone object for "Records" : [ */
static bool is_list_of_records(struct yg_json_scan *s, char c, bool was_string)
{
	enum { NOTHING, NAMED, COLON };
	if (s->depth != 1 || !s->top)
		return false;
	if (s->string) { /* the quote that begins it, or text in it */
		if (!was_string)
			s->key_n = 0;
		else if (s->key_n < sizeof records_key - 1 && records_key[s->key_n] == c)
			s->key_n++;
		else
			s->key_n = sizeof records_key;
		s->key = NOTHING;
		return false;
	}
	if (was_string)
		s->key = s->key_n == sizeof records_key - 1 ? NAMED : NOTHING;
	else if (s->key == NAMED && c == ':')
		s->key = COLON;
	else if (s->key == COLON && c == '[')
		return true;
	else if (!is_blank(c))
		s->key = NOTHING;
	return false;
}

/* Strings and depth; true when the object at hand is closed. */
static bool follow(struct yg_json_scan *s, char c)
{
	if (s->string) {
		if (s->escape)
			s->escape = false;
		else if (c == '\\')
			s->escape = true;
		else if (c == '"')
			s->string = false;
		return false;
	}
	if (c == '"')
		s->string = true;
	else if (c == '{' || c == '[')
		s->depth += s->depth < UINT32_MAX;
	else if (c == '}' || c == ']')
		return --s->depth == 0;
	return false;
}

static unsigned in_object(struct yg_json_scan *s, char c)
{
	bool was_string = s->string;
	bool tail = s->mode == TAIL;
	if (was_string && c == '\n') { /* no string goes over a line: it was broken off */
		(void)enter(s, TOP, 0);
		return tail ? 0 : YG_SCAN_BREAK;
	}
	if (c == '{' && s->column0 && !was_string && (tail || s->top)) {
		(void)begin_object(s, true);
		return tail ? YG_SCAN_BEGIN : YG_SCAN_BREAK | YG_SCAN_BEGIN;
	}
	if (!was_string && c == '[' && !tail && is_list_of_records(s, c, false)) {
		s->in_document = true;
		(void)enter(s, LIST, 0);
		return YG_SCAN_DROP;
	}
	bool closed = follow(s, c);
	if (!closed && !tail && c != '[')
		(void)is_list_of_records(s, c, was_string);
	if (!closed)
		return 0;
	bool back_to_list = !tail && !s->top;
	(void)enter(s, back_to_list ? LIST : TOP, 0);
	return tail ? 0 : YG_SCAN_END;
}

unsigned yg_json_scan(struct yg_json_scan *s, char c)
{
	unsigned events = 0;
	switch ((enum mode)s->mode) {
	case TOP: events = between_documents(s, c); break;
	case LIST: events = between_members(s, c); break;
	case OBJECT:
	case TAIL: events = in_object(s, c); break;
	case LINE:
		if (c == '\n') {
			(void)enter(s, TOP, 0);
			events = YG_SCAN_BREAK;
		}
		break;
	case ITEM:
		if (c == ',' || c == ']' || c == '\n') {
			(void)enter(s, LIST, 0);
			events = YG_SCAN_BREAK;
			if (c == ']')
				(void)between_members(s, c);
		}
		break;
	}
	s->column0 = c == '\n';
	return events;
}

size_t yg_json_scan_quiet(const struct yg_json_scan *s, const char *p, size_t n)
{
	bool names_matter = s->top && s->depth == 1 && s->key_n < sizeof records_key;
	size_t i = 0;
	if (s->mode != OBJECT || !s->string || s->escape || names_matter)
		return 0;
	while (i < n && p[i] != '"' && p[i] != '\\' && p[i] != '\n')
		i++;
	return i;
}

bool yg_json_scan_open(const struct yg_json_scan *s)
{
	return s->mode == OBJECT || s->mode == LINE || s->mode == ITEM;
}
