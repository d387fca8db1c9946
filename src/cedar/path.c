/* path.c - names with their namespaces: Org::User, and Org::User::"alice". */
#include "cedar/expr.h"

/* On to the end of the names; *out_n: bytes of them and of the :: between them. */
static yg_status walk(struct yg_cedar_lex *l, size_t *out_n)
{
	*out_n = 0;
	for (;;) {
		if (l->now.kind != YG_CT_NAME)
			return yg_cedar_lex_unexpected(l, "a name");
		if (yg_cedar_reserved(l->now.text))
			return yg_cedar_lex_fail(l, "'" YG_SV_FMT "' is reserved and names nothing",
						 YG_SV_ARG(l->now.text));
		*out_n += l->now.text.n;
		if (!yg_cedar_lex_go(l) || !yg_cedar_lex_is(l, "::") ||
		    l->next.kind == YG_CT_STRING)
			return l->bad;
		if (!yg_cedar_lex_go(l))
			return l->bad;
		*out_n += 2;
	}
}

yg_status yg_cedar_path_read(struct yg_cedar_lex *l, struct yg_arena *arena, struct yg_sv *out,
			     bool *out_uid, struct yg_sv *out_id)
{
	struct yg_cedar_lex names = *l;
	size_t n;
	*out_uid = false;
	if (walk(l, &n) != YG_OK)
		return l->bad;
	char *to = yg_arena_alloc(arena, n, 1);
	if (to == NULL)
		return l->bad = YG_FAIL(l->err, YG_NOMEM, "no memory for a name");
	*out = (struct yg_sv){to, n};
	for (char *end = to + n; to < end; (void)yg_cedar_lex_go(&names)) {
		memcpy(to, names.now.text.p, names.now.text.n);
		to += names.now.text.n;
	}
	if (!yg_cedar_lex_take(l, "::")) /* then a string follows */
		return l->bad;
	*out_uid = true;
	if (yg_cedar_unescape(l, l->now.text, false, arena, out_id) == YG_OK)
		(void)yg_cedar_lex_go(l);
	return l->bad;
}

bool yg_cedar_path_ok(struct yg_sv text)
{
	struct yg_cedar_lex l;
	size_t n;
	if (text.n == 0 || yg_cedar_lex_init(&l, text, NULL) != YG_OK)
		return false;
	return walk(&l, &n) == YG_OK && l.now.kind == YG_CT_END && n == text.n;
}
