#include "event/histogram.h"
#include "fuzz/replay.h"

/* Any text compiles or is refused; what compiles has no byte of the text in its
 * SQL (only placeholders, which all have a parameter), balanced quotes and
 * brackets once the literals of 18.16 are in, and the same text gives the same. */
static void check(struct yg_sv sql)
{
	long depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < sql.n; i++) {
		char c = sql.p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '\'')
			quoted = !quoted;
		else if (!quoted && (c == '(' || c == ')'))
			depth += c == '(' ? 1 : -1;
		else if (!quoted && (c == ';' || c == '`' || c == '#' || c == '"'))
			abort();
		if (depth < 0)
			abort();
	}
	if (quoted || depth != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_arena arena;
	struct yg_search s, again;
	struct yg_search_key key;
	struct yg_tail tail, tail_again;
	char place[YG_TAIL_TEXT_MAX];
	struct yg_sb pb = yg_sb_init(place, sizeof place);
	struct yg_err err = {0};
	struct yg_sv text = {(const char *)exact, size};
	if (exact == NULL)
		return 0;
	yg_arena_init(&arena, 1u << 20);
	(void)yg_search_cursor_parse(text, &key, &err);
	if (yg_tail_parse(text, &tail, &err) == YG_OK) {
		yg_tail_format(&pb, &tail);
		if (pb.cut || yg_tail_parse(yg_sb_sv(&pb), &tail_again, &err) != YG_OK ||
		    memcmp(&tail, &tail_again, sizeof tail) != 0)
			abort();
	}
	if (yg_search_compile(text, &arena, &s, &err) == YG_OK) {
		struct yg_buf sql;
		yg_buf_init(&sql, 1u << 20);
		check(s.where);
		if (yg_ch_substitute(s.where, s.params, s.param_count, &sql, &err) != YG_OK)
			abort();
		check(yg_buf_sv(&sql));
		if (yg_search_compile(text, &arena, &again, &err) != YG_OK ||
		    !yg_sv_eq(s.where, again.where))
			abort();
		yg_buf_free(&sql);
	} else if (err.msg[0] == '\0') {
		abort(); /* a refusal says why */
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
