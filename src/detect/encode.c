/* encode.c - base64, base64offset and UTF-16 of patterns. */
#include "detect/read_internal.h"

#define DASHES 5
static const char *const dashes[DASHES] = {"-", "/", "\xe2\x80\x93", "\xe2\x80\x94",
					   "\xe2\x80\x95"};

/* ---- every spelling of a pattern with dashes ---- */

/* Spelling `which` of a pattern: its dashes as literals, neighbours joined. */
static bool spell(struct yg_arena *arena, const struct yg_sigma_pattern *p, size_t which,
		  struct yg_sigma_pattern *out)
{
	size_t bytes = 0, used = 0;
	for (size_t i = 0; i < p->count; i++)
		bytes += YG_MAX(p->parts[i].text.n, 3);
	char *text = yg_arena_alloc(arena, bytes + 1, 1);
	out->parts = YG_NEW_N(arena, struct yg_sigma_part, p->count + 1);
	out->count = 0;
	if (text == NULL || out->parts == NULL)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		struct yg_sigma_part part = p->parts[i];
		struct yg_sigma_part *last = out->count > 0 ? &out->parts[out->count - 1] : NULL;
		if (part.kind == YG_SIGMA_DASH) {
			part = (struct yg_sigma_part){YG_SIGMA_LITERAL,
						      yg_sv_of(dashes[which % DASHES])};
			which /= DASHES;
		}
		if (part.kind != YG_SIGMA_LITERAL) {
			out->parts[out->count++] = part;
			continue;
		}
		memcpy(text + used, part.text.p, part.text.n);
		if (last != NULL && last->kind == YG_SIGMA_LITERAL)
			last->text.n += part.text.n;
		else
			out->parts[out->count++] = (struct yg_sigma_part){
				YG_SIGMA_LITERAL, {text + used, part.text.n}};
		used += part.text.n;
	}
	return true;
}

static yg_status spell_all(struct yg_sigma_reader *r, const struct yg_yaml *n,
			   struct yg_sigma_patterns *io)
{
	size_t dash_count = 0, all = 1;
	const struct yg_sigma_pattern p = io->list[0]; /* windash makes no second one */
	for (size_t i = 0; i < p.count; i++)
		dash_count += p.parts[i].kind == YG_SIGMA_DASH;
	if (dash_count == 0)
		return YG_OK;
	if (dash_count > YG_SIGMA_DASHES_MAX)
		return yg_sigma_fail(r, n, "more than %d dashes before an encoding",
				     YG_SIGMA_DASHES_MAX);
	for (size_t i = 0; i < dash_count; i++)
		all *= DASHES;
	io->list = YG_NEW_N(r->arena, struct yg_sigma_pattern, all);
	if (io->list == NULL)
		return yg_sigma_nomem(r);
	io->count = all;
	for (size_t i = 0; i < all; i++)
		if (!spell(r->arena, &p, i, &io->list[i]))
			return yg_sigma_nomem(r);
	return YG_OK;
}

/* ---- UTF-16 ---- */

/* The code point at s.p[*i], which is valid UTF-8: libyaml has seen to it. */
static uint32_t code_point(struct yg_sv s, size_t *i)
{
	unsigned char c = (unsigned char)s.p[(*i)++];
	size_t more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t v = more == 0 ? c : c & (0x3fU >> more);
	for (; more > 0 && *i < s.n; more--)
		v = v << 6 | ((unsigned char)s.p[(*i)++] & 0x3fU);
	return v;
}

static void put_unit(char *out, size_t *n, uint32_t unit, bool big)
{
	out[(*n)++] = (char)(big ? unit >> 8 : unit & 0xff);
	out[(*n)++] = (char)(big ? unit & 0xff : unit >> 8);
}

static bool utf16(struct yg_arena *arena, struct yg_sv *io, bool big, bool mark)
{
	char *out = yg_arena_alloc(arena, io->n * 2 + 4, 1);
	size_t n = 0;
	if (out == NULL)
		return false;
	if (mark)
		put_unit(out, &n, 0xfeff, big);
	for (size_t i = 0; i < io->n;) {
		uint32_t v = code_point(*io, &i);
		if (v >= 0x10000) {
			put_unit(out, &n, 0xd7c0 + (v >> 10), big);
			put_unit(out, &n, 0xdc00 | (v & 0x3ff), big);
		} else {
			put_unit(out, &n, v, big);
		}
	}
	*io = (struct yg_sv){out, n};
	return true;
}

static yg_status utf16_pattern(struct yg_sigma_reader *r, const struct yg_yaml *n,
			       enum yg_sigma_modifier m, struct yg_sigma_pattern *p)
{
	bool mark = m == YG_SIGMA_M_UTF16;
	for (size_t i = 0; i < p->count; i++) {
		struct yg_sigma_part *part = &p->parts[i];
		if (part->kind == YG_SIGMA_ANY)
			continue;
		if (part->kind != YG_SIGMA_LITERAL)
			return yg_sigma_fail(r, n, "'?' and placeholders have no UTF-16");
		if (!utf16(r->arena, &part->text, m == YG_SIGMA_M_UTF16BE, mark))
			return yg_sigma_nomem(r);
		mark = false;
	}
	return YG_OK;
}

/* ---- base64 ---- */

static char *base64(struct yg_arena *arena, struct yg_sv s, size_t shift, size_t *out_n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = s.n + shift, at = 0;
	char *out = yg_arena_alloc(arena, (n + 2) / 3 * 4 + 1, 1);
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = 0;
		for (size_t j = i; j < i + 3; j++)
			v = v << 8 | (j < shift || j >= n ? 0U : (unsigned char)s.p[j - shift]);
		out[at++] = digits[v >> 18];
		out[at++] = digits[v >> 12 & 63];
		out[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[at++] = i + 2 < n ? digits[v & 63] : '=';
	}
	*out_n = at;
	return out;
}

/* What of the encoding is the same whatever stands before and behind: the characters
 * that hold bits of the value alone. */
static yg_status base64_put(struct yg_sigma_reader *r, const struct yg_yaml *n, struct yg_sv s,
			    size_t shift, bool trim, struct yg_sigma_pattern *out)
{
	size_t bytes, from = trim ? (shift * 8 + 5) / 6 : 0;
	char *text = base64(r->arena, s, shift, &bytes);
	out->parts = YG_NEW(r->arena, struct yg_sigma_part);
	if (text == NULL || out->parts == NULL)
		return yg_sigma_nomem(r);
	size_t to = trim ? (shift + s.n) * 8 / 6 : bytes;
	if (to <= from)
		return yg_sigma_fail(r, n, "too short for this encoding");
	out->parts[0] = (struct yg_sigma_part){YG_SIGMA_LITERAL, {text + from, to - from}};
	out->count = 1;
	return YG_OK;
}

static yg_status base64_all(struct yg_sigma_reader *r, const struct yg_yaml *n, bool offset,
			    struct yg_sigma_patterns *io)
{
	size_t shifts = offset ? 3 : 1;
	struct yg_sigma_pattern *out =
		YG_NEW_N(r->arena, struct yg_sigma_pattern, io->count * shifts);
	yg_status st = out != NULL ? YG_OK : yg_sigma_nomem(r);
	for (size_t i = 0; st == YG_OK && i < io->count; i++) {
		const struct yg_sigma_pattern *p = &io->list[i];
		if (p->count != 1 || p->parts[0].kind != YG_SIGMA_LITERAL)
			return yg_sigma_fail(r, n,
					     "wildcards, placeholders and nothing have no base64");
		for (size_t shift = 0; st == YG_OK && shift < shifts; shift++)
			st = base64_put(r, n, p->parts[0].text, shift, offset,
					&out[i * shifts + shift]);
	}
	if (st == YG_OK) {
		io->list = out;
		io->count *= shifts;
	}
	return st;
}

yg_status yg_sigma_encode(struct yg_sigma_reader *r, const struct yg_yaml *n,
			  enum yg_sigma_modifier m, struct yg_sigma_patterns *io)
{
	yg_status st = spell_all(r, n, io);
	if (st != YG_OK)
		return st;
	if (m == YG_SIGMA_M_BASE64 || m == YG_SIGMA_M_BASE64OFFSET)
		return base64_all(r, n, m == YG_SIGMA_M_BASE64OFFSET, io);
	for (size_t i = 0; st == YG_OK && i < io->count; i++)
		st = utf16_pattern(r, n, m, &io->list[i]);
	return st;
}
