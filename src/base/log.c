#include "base/log.h"

const struct yg_event_row yg_event_rows[YG_EVENT_ROWS] = {
#define X(num, id, name, level, per_min, doc) {num, name, YG_LEVEL_##level, per_min, doc},
	YG_EVENTS(X)
#undef X
};

size_t yg_event_index(uint32_t id)
{
	for (size_t i = 0; i < YG_EVENT_ROWS; i++)
		if (yg_event_rows[i].id == id)
			return i;
	return YG_EVENT_ROWS;
}

static const char *const levels[] = {
#define X(id, num, name) [num] = (name),
	YG_LEVEL_MAP(X)
#undef X
};

const char *yg_level_name(yg_level level)
{
	return (size_t)level < YG_LEN(levels) ? levels[level] : "info";
}

bool yg_level_parse(struct yg_sv name, yg_level *out)
{
	for (size_t i = 0; i < YG_LEN(levels); i++)
		if (yg_sv_eq(name, yg_sv_of(levels[i]))) {
			*out = (yg_level)i;
			return true;
		}
	return false;
}

/* Text of our own is UTF-8 already: only what JSON asks for is escaped. */
static void put_text(struct yg_sb *b, struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			yg_sb_putc(b, '\\');
			yg_sb_putc(b, (char)c);
		} else if (c < 0x20 || c == 0x7f) {
			yg_sb_printf(b, "\\u%04x", c);
		} else {
			yg_sb_putc(b, (char)c);
		}
	}
}

/* Printable ASCII as it is, all else as \xNN (in JSON: \\xNN), so that no byte
 * from outside can end the record, move a cursor or look like another text. */
static void put_untrusted(struct yg_sb *b, struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			yg_sb_putc(b, (char)c);
		else
			yg_sb_printf(b, "\\\\x%02x", c);
	}
}

void yg_kv_format(struct yg_sb *b, const struct yg_kv *kv)
{
	struct yg_sv s = kv->s;
	if (s.n > YG_LOG_VALUE_MAX) {
		s.n = YG_LOG_VALUE_MAX;
		if (kv->kind == YG_KV_STR) /* not in the middle of a character */
			s.n = yg_utf8_valid(s);
	}
	yg_sb_putc(b, '"');
	yg_sb_put(b, yg_sv_of(kv->key));
	yg_sb_put(b, YG_SV("\":"));
	switch (kv->kind) {
	case YG_KV_U64: yg_sb_u64(b, kv->u); return;
	case YG_KV_I64: yg_sb_i64(b, (int64_t)kv->u); return;
	case YG_KV_BOOL: yg_sb_put(b, kv->u != 0 ? YG_SV("true") : YG_SV("false")); return;
	case YG_KV_STR:
	case YG_KV_UNTRUSTED: break;
	}
	yg_sb_putc(b, '"');
	if (kv->kind == YG_KV_STR && yg_utf8_valid(s) == s.n)
		put_text(b, s);
	else
		put_untrusted(b, s);
	yg_sb_putc(b, '"');
}

void yg_log_write(const struct yg_env *env, uint32_t event, const struct yg_kv *kv, size_t count)
{
	char buf[YG_LOG_RECORD_MAX];
	/* room is kept for the mark of what was left out */
	struct yg_sb b = yg_sb_init(buf, sizeof buf - sizeof ",\"cut\":true}");
	bool cut = false;
	yg_sb_putc(&b, '{');
	for (size_t i = 1; i < count; i++) {
		struct yg_sb before = b;
		if (b.n > 1)
			yg_sb_putc(&b, ',');
		yg_kv_format(&b, &kv[i]);
		if (b.cut) {
			b = before;
			cut = true;
		}
	}
	b.cap = sizeof buf;
	if (cut)
		yg_sb_put(&b, b.n > 1 ? YG_SV(",\"cut\":true") : YG_SV("\"cut\":true"));
	yg_sb_putc(&b, '}');
	env->emit(env->ctx, event, yg_sb_sv(&b));
}
