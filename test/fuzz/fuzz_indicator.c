#include "fuzz/replay.h"
#include "intel/indicator.h"

/* First byte: the type.  What is taken has a normal form that is its own normal
 * form, of the same key; a URL of an event is never read past its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char once[YG_KEY_MAX], twice[YG_KEY_MAX], key[YG_KEY_MAX], key2[YG_KEY_MAX];
	struct yg_indicator_key a, b;
	if (size == 0)
		return 0;
	uint8_t *exact = fuzz_exact(data + 1, size - 1);
	if (exact == NULL)
		return 0;
	enum yg_indicator_type t = (enum yg_indicator_type)(data[0] % (YG_IND_TYPE_COUNT + 1));
	struct yg_sv value = {(const char *)exact, size - 1};
	struct yg_sb s = yg_sb_init(once, sizeof once);
	if (yg_indicator_key(t, value, key, sizeof key, &a, NULL) == YG_OK) {
		if (a.key.n == 0 || a.key.n > YG_KEY_MAX)
			abort();
		yg_indicator_text(a.type, a.scheme, a.key, &s);
		struct yg_sv text = yg_sb_sv(&s);
		yg_status st = yg_indicator_key(t, text, key2, sizeof key2, &b, NULL);
		/* only a URL that grew to the limit by its scheme may be refused now */
		if (st != YG_OK && text.n <= YG_URL_MAX)
			abort();
		struct yg_sb s2 = yg_sb_init(twice, sizeof twice);
		if (st == YG_OK) {
			yg_indicator_text(b.type, b.scheme, b.key, &s2);
			if (!yg_sv_eq(a.key, b.key) || a.scheme != b.scheme ||
			    !yg_sv_eq(text, yg_sb_sv(&s2)))
				abort();
		}
	}
	(void)yg_indicator_guess(value);
	struct yg_url u;
	s = yg_sb_init(once, sizeof once);
	if (yg_url_normalize(value, true, &s, &u, NULL) == YG_OK &&
	    (u.text.n > YG_URL_MAX || u.path_at >= u.text.n || u.text.p[u.path_at] != '/' ||
	     u.host_at + u.host_n > u.path_at || u.query_at < u.path_at || u.query_at > u.text.n))
		abort();
	free(exact);
	return 0;
}
