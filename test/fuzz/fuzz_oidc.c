#include "fuzz/replay.h"
#include "org/oidc.h"

/* First byte: what it is.  Claims that are taken name somebody; a text of a discovery
 * document is one; a token with its keys (a line each) is taken only when it was signed,
 * and nobody here signs: the corpus has a good one, whose time is long past. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"issuer", "authorization_endpoint", "token_endpoint",
					    "jwks_uri", "id_token"};
	const struct yg_oidc_want want = {YG_SV_INIT("https://id.example"),
					  YG_SV_INIT("yagura"),
					  YG_SV_INIT("n-1"),
					  {1767225600 * YG_US_PER_S}};
	struct yg_arena arena;
	struct yg_err err;
	struct yg_oidc_claims c = {.email_verified = false};
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL || size == 0) {
		free(exact);
		return 0;
	}
	struct yg_sv s = {(const char *)exact + 1, size - 1}, token = YG_SV("");
	yg_arena_init(&arena, 1 << 20);
	if (exact[0] == 'c') {
		if (yg_oidc_claims_read(s, &want, &arena, &c, &err) == YG_OK &&
		    (c.subject.n == 0 || c.subject.n > 255 || c.email.p == NULL))
			abort();
	} else if (exact[0] == 'd') {
		for (size_t i = 0; i < YG_LEN(names); i++) {
			struct yg_sv out;
			if (yg_oidc_member(s, names[i], &arena, &out, &err) == YG_OK &&
			    yg_utf8_valid(out) != out.n)
				abort();
		}
	} else {
		(void)yg_sv_cut(&s, '\n', &token);
		if (yg_oidc_check(token, s.p != NULL ? s : YG_SV(""), &want, &arena, &c, &err) ==
		    YG_OK)
			abort();
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
