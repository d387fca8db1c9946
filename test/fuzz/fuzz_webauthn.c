#include "fuzz/replay.h"
#include "org/webauthn.h"

static bool within(struct yg_sv part, struct yg_sv whole)
{
	return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* First byte: what it is.  An attestation's parts lie inside it; client data that
 * is taken names the origin and has no NUL-less surprises; nothing made up registers
 * or signs in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct yg_webauthn_site site = {"localhost",
						     YG_SV_INIT("https://localhost:8443")};
	static const char key[] =
		"\x00\x09localhost0123456789012345678901234567890123456789012345678901234567890123";
	struct yg_arena arena;
	struct yg_err err;
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL || size == 0) {
		free(exact);
		return 0;
	}
	memcpy(exact, data, size);
	struct yg_sv s = {(const char *)exact + 1, size - 1};
	yg_arena_init(&arena, 1 << 20);
	if (exact[0] % 3 == 0) {
		struct yg_webauthn_attestation a;
		struct yg_webauthn_key k;
		if (yg_webauthn_split(s, &a, &err) == YG_OK &&
		    (!within(a.format, s) || !within(a.statement, s) || !within(a.auth_data, s)))
			abort();
		if (yg_webauthn_register(&site, YG_SV("{}"), s, &arena, &k, &err) == YG_OK &&
		    k.id.n == 0)
			abort();
	} else if (exact[0] % 3 == 1) {
		struct yg_webauthn_client c = {{NULL, 0}};
		if (yg_webauthn_client(s, "webauthn.get", site.origin, &arena, &c, &err) == YG_OK &&
		    c.challenge.p == NULL)
			abort();
	} else {
		int64_t counter;
		struct yg_webauthn_proof p = {YG_SV_INIT("{}"), s, s};
		if (yg_webauthn_assert(&site, (struct yg_sv){key, sizeof key - 1}, &p, &counter,
				       &err) == YG_OK)
			abort();
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
