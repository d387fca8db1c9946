#include "api/text.h"

#define HOLDERS_MAX 8
#define DEPTH_MAX   4 /* of texts within texts: "line 3: condition: there is no ..." has 3 */

static const struct {
	const char *en, *ja; /* {1} is what the first place holder stood for */
} texts[] = {
#define X(en, ja) {en, ja},
#include "api/text_ja.h"
#undef X
};

/* The literal text up to the next place holder; *rest: behind that. */
static size_t literal(const char *form, char *buf, size_t cap, const char **rest)
{
	size_t n = 0;
	while (*form != '\0' && n < cap) {
		if (form[0] == '%' && form[1] != '%')
			break;
		form += form[0] == '%';
		buf[n++] = *form++;
	}
	if (*form == '%') {
		form += strspn(form + 1, "0123456789.-*lz") + 2;
		*rest = form;
	} else {
		*rest = NULL;
	}
	return n;
}

static size_t find_text(struct yg_sv s, const char *what, size_t n)
{
	const char *at = n == 0 ? s.p : memmem(s.p, s.n, what, n);
	return at != NULL ? (size_t)(at - s.p) : s.n + 1;
}

int yg_text_match(const char *form, struct yg_sv text, struct yg_sv *out, size_t max)
{
	char part[256];
	const char *rest;
	int found = 0;
	size_t n = literal(form, part, sizeof part, &rest);
	if (text.n < n || memcmp(text.p, part, n) != 0)
		return -1;
	text = yg_sv_sub(text, n, text.n);
	while (rest != NULL) {
		n = literal(rest, part, sizeof part, &rest);
		if (text.n < n || (size_t)found == max)
			return -1;
		/* the last one reaches to the end, another one to where its literal begins */
		size_t at = rest == NULL ? text.n - n : find_text(text, part, n);
		if (at + n > text.n || memcmp(text.p + at, part, n) != 0)
			return -1;
		out[found++] = yg_sv_sub(text, 0, at);
		text = yg_sv_sub(text, at + n, text.n);
	}
	return text.n == 0 ? found : -1;
}

static struct yg_sv translate(const struct yg_request *q, struct yg_sv english, int depth);

/* <n> is a text of ours within the text, what people wrote is no such thing. */
static struct yg_sv fill(const struct yg_request *q, const char *ja, const struct yg_sv *held,
			 int n, int depth)
{
	struct yg_buf b;
	yg_buf_init(&b, 4096);
	for (; *ja != '\0'; ja++) {
		bool place = (ja[0] == '{' && ja[1] != '\0' && ja[2] == '}') ||
			     (ja[0] == '<' && ja[1] != '\0' && ja[2] == '>');
		int i = place ? ja[1] - '1' : n;
		if (i >= 0 && i < n) {
			yg_buf_put(&b, ja[0] == '<' ? translate(q, held[i], depth) : held[i]);
			ja += 2;
		} else {
			yg_buf_putc(&b, *ja);
		}
	}
	struct yg_sv out = b.bad ? (struct yg_sv){NULL, 0} : yg_arena_dup(q->arena, yg_buf_sv(&b));
	yg_buf_free(&b);
	return out;
}

static struct yg_sv translate(const struct yg_request *q, struct yg_sv english, int depth)
{
	struct yg_sv held[HOLDERS_MAX], best_held[HOLDERS_MAX];
	size_t best = YG_LEN(texts), best_n = 0;
	int count = 0;
	if (depth == 0)
		return english;
	for (size_t i = 0; i < YG_LEN(texts); i++) {
		/* of two forms that fit, the one with more of its own words */
		size_t length = strlen(texts[i].en);
		int n = length > best_n ? yg_text_match(texts[i].en, english, held, HOLDERS_MAX)
					: -1;
		if (n < 0)
			continue;
		best = i;
		best_n = length;
		count = n;
		memcpy(best_held, held, sizeof held);
	}
	if (best == YG_LEN(texts))
		return english;
	struct yg_sv out = fill(q, texts[best].ja, best_held, count, depth - 1);
	return out.p != NULL ? out : english;
}

struct yg_sv yg_text(const struct yg_request *q, struct yg_sv english)
{
	return q->japanese && english.n > 0 ? translate(q, english, DEPTH_MAX) : english;
}
