#include "fuzz/replay.h"
#include "org/person.h"
#include "org/totp.h"

/* What people type: a one-time code is taken only when its six digits are those of the
 * steps around now, whatever blanks are in it; a recovery code is read to 16 letters and
 * digits, and reading that again changes nothing; a login has what logins have. */
static void check_code(struct yg_sv typed)
{
	static const uint8_t secret[YG_TOTP_SECRET] = "12345678901234567890";
	const yg_wall now = {59 * YG_US_PER_S};
	char digits[8];
	size_t n = 0;
	int64_t step = -1;
	for (size_t i = 0; i < typed.n && n < 7; i++)
		if (typed.p[i] != ' ')
			digits[n++] = typed.p[i];
	struct yg_sv plain = {digits, n};
	bool good = yg_totp_check(secret, now, typed, 0, &step);
	bool known = YG_SV_IS(plain, "287082") || YG_SV_IS(plain, "359152");
	if (good != known || (good && (step < 1 || step > 2)))
		abort();
	if (yg_totp_check(secret, now, typed, 2, &step))
		abort(); /* every step around was used */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char once[17], twice[17];
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv s = {(const char *)exact, size};
	check_code(s);
	if (yg_recovery_read(s, once)) {
		if (strlen(once) != 16 || !yg_recovery_read(yg_sv_of(once), twice) ||
		    strcmp(once, twice) != 0)
			abort();
	}
	if (yg_login_ok(s) && memchr(s.p, ' ', s.n) != NULL)
		abort();
	free(exact);
	return 0;
}
