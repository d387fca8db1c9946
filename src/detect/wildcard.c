/* wildcard.c - does a whole value fit a pattern?
 *
 * Where a part may begin later, a part that begins earlier never ends later: so after '*'
 * the first place that fits is the right one, and only the last '*' is tried again. */
#include "detect/engine_internal.h"

/* Bytes of s at `at` that the part takes; 0: it does not fit. */
static size_t takes(const struct yg_detect *d, const struct yg_detect_part *part, struct yg_sv s,
		    size_t at)
{
	size_t left = s.n - at, n = 1;
	const unsigned char *p = (const unsigned char *)s.p + at;
	if (part->kind == YG_SIGMA_LITERAL) {
		struct yg_sv t = yg_detect_sv(d, part->text);
		return t.n <= left && memcmp(p, t.p, t.n) == 0 ? t.n : 0;
	}
	if (left == 0)
		return 0;
	if (part->kind == YG_SIGMA_DASH) {
		if (p[0] == '-' || p[0] == '/')
			return 1;
		return left >= 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x93 && p[2] <= 0x95
			       ? 3
			       : 0;
	}
	if ((p[0] & 0xc0) == 0x80) /* '?': a whole character */
		return 0;
	while (n < left && (p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

bool yg_detect_fits(const struct yg_detect *d, const struct yg_detect_pattern *p, struct yg_sv s)
{
	uint32_t i = 0, star = YG_DETECT_NONE;
	size_t at = 0, retry = 0;
	for (;;) {
		const struct yg_detect_part *part = &d->parts[p->first + i];
		if (i == p->count && at == s.n)
			return true;
		if (i < p->count && part->kind == YG_SIGMA_ANY) {
			star = i++;
			retry = at;
			if (i == p->count)
				return true;
			continue;
		}
		size_t n = i < p->count ? takes(d, part, s, at) : 0;
		if (n > 0) {
			at += n;
			i++;
		} else if (star != YG_DETECT_NONE && retry < s.n) {
			at = ++retry;
			i = star + 1;
		} else {
			return false;
		}
	}
}
