#include "api/json_out.h"

#include "base/check.h"

static void separate(struct yg_jo *j)
{
	uint32_t bit = 1u << j->depth;
	if (j->after_key)
		j->after_key = false;
	else if ((j->some & bit) != 0)
		yg_buf_putc(j->out, ',');
	j->some |= bit;
}

void yg_jo_begin(struct yg_jo *j, char bracket)
{
	separate(j);
	yg_buf_putc(j->out, bracket);
	if (!YG_CHECK(j->depth + 1 < YG_JO_DEPTH_MAX)) {
		j->out->bad = true;
		return;
	}
	j->depth++;
	j->some &= ~(1u << j->depth);
}

void yg_jo_end(struct yg_jo *j, char bracket)
{
	if (YG_CHECK(j->depth > 0))
		j->depth--;
	yg_buf_putc(j->out, bracket);
}

void yg_jo_key_sv(struct yg_jo *j, struct yg_sv key)
{
	separate(j);
	yg_json_put_str(j->out, key);
	yg_buf_putc(j->out, ':');
	j->after_key = true;
}

void yg_jo_key(struct yg_jo *j, const char *key)
{
	struct yg_sv name = yg_sv_of(key);
	uint32_t bit = 1u << j->depth;
	char *to =
		yg_buf_room(j->out, name.n + 4); /* a list of objects is names for the most part */
	if (to == NULL)
		return;
	char *p = to;
	if ((j->some & bit) != 0)
		*p++ = ',';
	*p++ = '"';
	if (name.n > 0)
		memcpy(p, name.p, name.n);
	p += name.n;
	*p++ = '"';
	*p++ = ':';
	j->out->n += (size_t)(p - to);
	j->some |= bit;
	j->after_key = true;
}

void yg_jo_text(struct yg_jo *j, struct yg_sv s)
{
	separate(j);
	yg_json_put_str(j->out, s);
}

void yg_jo_raw(struct yg_jo *j, struct yg_sv json)
{
	separate(j);
	yg_buf_put(j->out, json.n > 0 ? json : YG_SV("null"));
}

void yg_jo_str(struct yg_jo *j, const char *key, struct yg_sv s)
{
	yg_jo_key(j, key);
	yg_jo_text(j, s);
}

void yg_jo_str_or_null(struct yg_jo *j, const char *key, struct yg_sv s)
{
	yg_jo_key(j, key);
	if (s.n == 0)
		yg_jo_raw(j, YG_SV("null"));
	else
		yg_jo_text(j, s);
}

void yg_jo_i64(struct yg_jo *j, int64_t v)
{
	char text[24];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_i64(&b, v);
	yg_jo_raw(j, yg_sb_sv(&b));
}

void yg_jo_int(struct yg_jo *j, const char *key, int64_t v)
{
	yg_jo_key(j, key);
	yg_jo_i64(j, v);
}

void yg_jo_bool(struct yg_jo *j, const char *key, bool v)
{
	yg_jo_key(j, key);
	yg_jo_raw(j, v ? YG_SV("true") : YG_SV("false"));
}

void yg_jo_time(struct yg_jo *j, const char *key, int64_t us)
{
	char text[40];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_jo_key(j, key);
	yg_sb_putc(&b, '"');
	if (us != 0)
		yg_time_format(&b, (yg_wall){us});
	yg_sb_putc(&b, '"');
	yg_jo_raw(j, us != 0 ? yg_sb_sv(&b) : YG_SV("null"));
}
