#include "api/page.h"

#include "api/router.h"
#include "base/codec.h"

#define TAG_BYTES 8u

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool yg_page_keyed(const struct yg_page *page, int64_t *out_key, struct yg_sv *out_text)
{
	struct yg_sv rest = page->after, key;
	return rest.n > 0 && yg_sv_cut(&rest, '.', &key) &&
	       yg_parse_i64(key, out_key, NULL) == YG_OK && (*out_text = rest).n > 0;
}

yg_status yg_base64url_decode(struct yg_arena *a, struct yg_sv s, struct yg_sv *out,
			      struct yg_err *err)
{
	char *p = yg_arena_alloc(a, s.n / 4 * 3 + 3, 1);
	if (p == NULL)
		return YG_FAIL(err, YG_NOMEM, "the request is too large");
	size_t n = 0;
	uint32_t bits = 0, have = 0;
	for (size_t i = 0; i < s.n; i++) {
		int d = digit64(s.p[i]);
		if (d < 0)
			return YG_FAIL(err, YG_PARSE, "not base64url");
		bits = (bits << 6 | (uint32_t)d) & 0xffffffu;
		have += 6;
		if (have >= 8) {
			have -= 8;
			p[n++] = (char)(bits >> have & 0xff);
		}
	}
	/* one text for one value: no lone digit, no bits left over */
	if (s.n % 4 == 1 || (bits & ((1u << have) - 1)) != 0)
		return YG_FAIL(err, YG_PARSE, "not base64url");
	*out = (struct yg_sv){p, n};
	return YG_OK;
}

static uint64_t tag_of(const struct yg_request *q, const uint8_t key[static 16],
		       struct yg_sv position)
{
	char text[YG_HTTP_TARGET_MAX + 4096]; /* decoded, a query is no longer than it was sent */
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_sb_put(&b, yg_sv_of(q->route->operation));
	yg_sb_putc(&b, '\n');
	yg_sb_put(&b, q->who.root);
	for (size_t i = 0; i < q->param_count; i++) {
		yg_sb_putc(&b, '/');
		yg_sb_put(&b, q->params[i].value);
	}
	for (size_t i = 0; i < q->query_count; i++) {
		if (YG_SV_IS(q->query[i].name, "cursor") || YG_SV_IS(q->query[i].name, "limit"))
			continue;
		yg_sb_putc(&b, '\n');
		yg_sb_put(&b, q->query[i].name);
		yg_sb_putc(&b, '\t');
		yg_sb_put(&b, q->query[i].value);
	}
	yg_sb_putc(&b, '\n');
	yg_sb_put(&b, position);
	return yg_siphash(key, b.p, b.n);
}

/* The position under a key stream that the tag begins: a number of the whole (how many
 * alerts there are) is nobody's to read from a cursor.  The same again takes it off. */
static void mask(const uint8_t key[static 16], uint64_t tag, char *p, size_t n)
{
	uint64_t block[3] = {0, tag, 0}, pad = 0; /* a tag's text never begins with NUL */
	for (size_t i = 0; i < n; i++) {
		block[2] = i / sizeof pad;
		if (i % sizeof pad == 0)
			pad = yg_siphash(key, block, sizeof block);
		p[i] = (char)((uint8_t)p[i] ^ (uint8_t)(pad >> (i % sizeof pad * 8)));
	}
}

struct yg_sv yg_page_cursor(struct yg_request *q, const uint8_t key[static 16],
			    struct yg_sv position)
{
	char raw[YG_CURSOR_MAX];
	uint64_t tag = tag_of(q, key, position);
	struct yg_sb b = yg_sb_init(raw, sizeof raw);
	yg_sb_put(&b, (struct yg_sv){(const char *)&tag, TAG_BYTES});
	yg_sb_put(&b, position);
	if (b.n > TAG_BYTES)
		mask(key, tag, raw + TAG_BYTES, b.n - TAG_BYTES);
	size_t cap = b.n * 4 / 3 + 8;
	char *p = yg_arena_alloc(q->arena, cap, 1);
	if (p == NULL || b.cut)
		return (struct yg_sv){NULL, 0};
	struct yg_sb out = yg_sb_init(p, cap);
	yg_sb_base64url(&out, b.p, b.n);
	return yg_sb_sv(&out);
}

static yg_status read_cursor(struct yg_request *q, const uint8_t key[static 16], struct yg_sv text,
			     struct yg_page *out)
{
	struct yg_sv raw = YG_SV("");
	uint64_t tag;
	yg_status st = yg_base64url_decode(q->arena, text, &raw, NULL);
	if (st == YG_NOMEM)
		return st;
	if (st != YG_OK || raw.n <= TAG_BYTES || raw.n > YG_CURSOR_MAX)
		return YG_PARSE;
	memcpy(&tag, raw.p, TAG_BYTES);
	char *p = yg_arena_alloc(q->arena, raw.n, 1);
	if (p == NULL)
		return YG_NOMEM;
	struct yg_sv position = {p, raw.n - TAG_BYTES};
	memcpy(p, raw.p + TAG_BYTES, position.n);
	mask(key, tag, p, position.n);
	if (tag != tag_of(q, key, position))
		return YG_PARSE;
	out->after = position;
	if (yg_parse_i64(position, &out->number, NULL) != YG_OK)
		out->number = 0; /* positions of this list are no numbers */
	return YG_OK;
}

yg_status yg_page_read(struct yg_request *q, const uint8_t key[static 16], struct yg_page *out,
		       struct yg_err *err)
{
	struct yg_sv limit = yg_query(q, "limit"), cursor = yg_query(q, "cursor");
	uint64_t n = YG_PAGE_LIMIT_DEFAULT, max = q->page_max > 0 ? q->page_max : YG_PAGE_MAX;
	*out = (struct yg_page){.after = YG_SV_INIT("")};
	if (limit.p != NULL && (yg_parse_u64(limit, &n, NULL) != YG_OK || n < 1 || n > max))
		yg_request_error(q, "out_of_range", YG_SV("limit"),
				 "expected a number from 1 to %d", (int)max);
	out->limit = (uint32_t)n;
	if (cursor.p != NULL) {
		yg_status st = read_cursor(q, key, cursor, out);
		if (st == YG_NOMEM)
			return YG_FAIL(err, YG_NOMEM, "the request is too large");
		if (st != YG_OK)
			yg_request_error(
				q, "bad_cursor", YG_SV("cursor"),
				"not a cursor of this list with this filter; begin again without it");
	}
	return q->error_count == 0 ? YG_OK : YG_FAIL(err, YG_PARSE, "a parameter is wrong");
}
