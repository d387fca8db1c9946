#include "org/password.h"

#include <sodium.h>
#include <uv.h>

#include "base/check.h"

/* --- what is accepted --- */

/* Small letters, and the letters that digits and signs are often put for. */
static char fold(char c)
{
	static const char from[] = "0134578@$!|+";
	static const char to[] = "oieastbasilt";
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	const char *at = c != '\0' ? strchr(from, c) : NULL;
	return at != NULL ? to[at - from] : c;
}

/* The whole is one short piece again and again: "aaaa...", "abcabcabcabc". */
static bool repeats(struct yg_sv s)
{
	for (size_t unit = 1; unit <= 4 && unit * 2 <= s.n; unit++) {
		size_t i = unit;
		while (i < s.n && s.p[i] == s.p[i - unit])
			i++;
		if (i == s.n)
			return true;
	}
	return false;
}

static bool next_in(const char *row, char a, char b)
{
	const char *at = strchr(row, a), *bt = strchr(row, b);
	if (a == '\0' || b == '\0' || at == NULL || bt == NULL)
		return false;
	return bt - at == 1 || at - bt == 1;
}

/* Characters that go on a run of the one before: "abcd", "8765", "qwert". */
static bool goes_on(char a, char b)
{
	static const char *const rows[] = {"01234567890", "abcdefghijklmnopqrstuvwxyz",
					   "qwertyuiop", "asdfghjkl", "zxcvbnm"};
	for (size_t i = 0; i < YG_LEN(rows); i++)
		if (next_in(rows[i], a, b))
			return true;
	return a == b || (a == '0' && b == '1') || (a == '9' && b == '0');
}

static bool is_runs(struct yg_sv lower)
{
	size_t kept = lower.n > 0;
	for (size_t i = 1; i < lower.n; i++)
		kept += !goes_on(lower.p[i - 1], lower.p[i]);
	return kept * 3 <= lower.n; /* runs of three and more, nothing else */
}

static size_t remove_word(char *s, size_t n, struct yg_sv word)
{
	for (size_t i = 0; word.n > 0 && i + word.n <= n;) {
		if (memcmp(s + i, word.p, word.n) != 0) {
			i++;
			continue;
		}
		memmove(s + i, s + i + word.n, n - i - word.n);
		n -= word.n;
	}
	return n;
}

/* What stays when common words and the login are taken out, digits and signs
 * not counted.  Less than four letters of its own: everybody tries it. */
static bool is_decorated_word(struct yg_sv s, struct yg_sv login, bool folded)
{
	static const char *const words[] = {
		"password",      "passwort", "passwd",  "kennwort", "yagura",   "admin",
		"administrator", "letmein",  "welcome", "changeme", "secret",   "default",
		"qwerty",        "iloveyou", "monkey",  "dragon",   "master",   "sunshine",
		"princess",      "login",    "spring",  "summer",   "autumn",   "winter",
		"japan",         "tokyo",    "sakura",  "nippon",   "pasuwado", "himitsu",
		"security",      "system",   "root",    "test",     "user",
	};
	char left[YG_PASSWORD_MAX], word[YG_PASSWORD_MAX];
	size_t n = s.n, letters = 0;
	memcpy(left, s.p, s.n);
	for (size_t i = 0; i <= YG_LEN(words); i++) {
		struct yg_sv w = i < YG_LEN(words) ? yg_sv_of(words[i]) : login;
		if (w.n < 3 || w.n > sizeof word)
			continue;
		for (size_t k = 0; k < w.n; k++)
			word[k] = folded ? fold(w.p[k]) : w.p[k];
		n = remove_word(left, n, (struct yg_sv){word, w.n});
	}
	for (size_t i = 0; i < n; i++)
		letters += (unsigned char)left[i] >= 0x80 || (left[i] >= 'a' && left[i] <= 'z');
	sodium_memzero(left, sizeof left);
	return n < s.n && letters < 4;
}

static size_t characters(struct yg_sv s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

const char *yg_password_fault(struct yg_sv password, struct yg_sv login)
{
	char folded[YG_PASSWORD_MAX], lower[YG_PASSWORD_MAX];
	if (password.n > YG_PASSWORD_MAX || yg_utf8_valid(password) != password.n)
		return "a password has at most 256 bytes of text";
	if (characters(password) < YG_PASSWORD_MIN)
		return "a password has at least 12 characters";
	for (size_t i = 0; i < password.n; i++) {
		folded[i] = fold(password.p[i]);
		lower[i] = password.p[i];
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	}
	struct yg_sv l = {lower, password.n}, f = {folded, password.n};
	bool common = repeats(l) || is_runs(l) || is_decorated_word(f, login, true) ||
		      is_decorated_word(l, login, false);
	sodium_memzero(folded, sizeof folded);
	sodium_memzero(lower, sizeof lower);
	return common ? "this password is among those that are tried first" : NULL;
}

/* --- a bounded number at a time --- */

static struct {
	uv_once_t once;
	uv_mutex_t lock;
	uv_cond_t freed;
	unsigned busy, waiting;
	uint64_t keys[YG_PASSWORD_SLOTS + YG_PASSWORD_WAITING];
	size_t key_count;
} gate = {.once = UV_ONCE_INIT};

static void gate_init(void)
{
	YG_REQUIRE(uv_mutex_init(&gate.lock) == 0 && uv_cond_init(&gate.freed) == 0);
}

static void leave_key(uint64_t key)
{
	for (size_t i = 0; i < gate.key_count; i++) {
		if (gate.keys[i] == key) {
			gate.keys[i] = gate.keys[--gate.key_count];
			return;
		}
	}
}

static bool enter_locked(uint64_t key)
{
	size_t mine = 0;
	uint64_t left = YG_PASSWORD_WAIT_MS * 1000000ull;
	for (size_t i = 0; i < gate.key_count; i++)
		mine += gate.keys[i] == key;
	if (mine >= YG_PASSWORD_PER_KEY || gate.key_count == YG_LEN(gate.keys))
		return false;
	gate.keys[gate.key_count++] = key;
	while (gate.busy >= YG_PASSWORD_SLOTS) {
		gate.waiting++;
		int rc = uv_cond_timedwait(&gate.freed, &gate.lock, left);
		gate.waiting--;
		if (rc != 0 && gate.busy >= YG_PASSWORD_SLOTS) {
			leave_key(key);
			return false;
		}
	}
	gate.busy++;
	return true;
}

static bool enter(uint64_t key)
{
	uv_once(&gate.once, gate_init);
	uv_mutex_lock(&gate.lock);
	bool in = enter_locked(key);
	uv_mutex_unlock(&gate.lock);
	return in;
}

static void leave(uint64_t key)
{
	uv_mutex_lock(&gate.lock);
	gate.busy--;
	leave_key(key);
	uv_cond_signal(&gate.freed);
	uv_mutex_unlock(&gate.lock);
}

/* --- Argon2id --- */

yg_status yg_password_make(struct yg_sv password, uint64_t key, struct yg_password_hash *out,
			   struct yg_err *err)
{
	static_assert(sizeof out->s >= crypto_pwhash_STRBYTES, "room for the hash");
	if (!enter(key))
		return YG_FAIL(err, YG_LIMIT, "too many passwords are being checked");
	int rc = crypto_pwhash_str_alg(out->s, password.p, password.n, YG_PASSWORD_PASSES,
				       YG_PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	leave(key);
	return rc == 0 ? YG_OK : YG_FAIL(err, YG_NOMEM, "no memory for a password's hash");
}

yg_status yg_password_check(struct yg_sv hash, struct yg_sv password, uint64_t key, bool *out_same,
			    struct yg_err *err)
{
	/* of a password nobody knows: 16 zero bytes of salt, 32 of hash */
	static const char nobody[] = "$argon2id$v=19$m=49152,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
				     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static_assert(YG_PASSWORD_MEMORY == 49152u * 1024 && YG_PASSWORD_PASSES == 3,
		      "nobody's hash costs what a real one does");
	char text[crypto_pwhash_STRBYTES] = {0};
	bool real = hash.n > 0 && hash.n < sizeof text;
	*out_same = false;
	memcpy(text, real ? hash.p : nobody, real ? hash.n : sizeof nobody);
	if (password.n > YG_PASSWORD_MAX)
		password.n = YG_PASSWORD_MAX + 1; /* never one of ours; a bounded cost */
	if (!enter(key))
		return YG_FAIL(err, YG_LIMIT, "too many passwords are being checked");
	int rc = crypto_pwhash_str_verify(text, password.p, password.n);
	leave(key);
	*out_same = rc == 0 && real;
	return YG_OK;
}
