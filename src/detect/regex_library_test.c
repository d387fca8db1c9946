/* The library of regular expressions finds what is there: alternations of made-up words,
 * looked for in texts that have one of them, at every distance from the text's ends and in
 * any case.  A library that misses makes rules that never fire (doc/decisions/0113). */
#include <ctype.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sb.h"
#include "tap.h"

#define EXPRESSIONS 60
#define TEXTS       1000
#define WORDS_MAX   12
#define WORD_MAX    20
#define TEXT_MAX    640

static uint64_t state = 88172645463325252u;

static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *ctx)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	*(bool *)ctx = true;
	return 1;
}

/* Bytes are written as \xNN, so that none of them means anything. */
static void make_words(unsigned n, size_t longest, char words[][WORD_MAX + 1], struct yg_sb *out)
{
	static const char of[] = "abcdeKMN:.-_ 0";
	for (unsigned i = 0; i < n; i++) {
		size_t len = 3 + below((unsigned)longest - 2);
		if (i > 0)
			yg_sb_putc(out, '|');
		for (size_t j = 0; j < len; j++) {
			words[i][j] = of[below(sizeof of - 1)];
			yg_sb_printf(out, "\\x%02x", (unsigned char)words[i][j]);
		}
		words[i][len] = '\0';
	}
}

/* In memory of its own end, so that a sanitizer sees what is read behind it. */
static bool found(const hs_database_t *db, hs_scratch_t *scratch, const char *word)
{
	static const char filler[] = "zyxwvuts /";
	size_t n = strlen(word), len = n + below(below(2) ? 70 : 600);
	size_t at = below((unsigned)(len - n) + 1), offset = below(64);
	bool yes = false;
	char *text = malloc(offset + len);
	if (text == NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		text[offset + i] = filler[below(sizeof filler - 1)];
	for (size_t i = 0; i < n; i++)
		text[offset + at + i] = (char)(below(2) ? toupper((unsigned char)word[i])
							: tolower((unsigned char)word[i]));
	(void)hs_scan(db, text + offset, (unsigned)len, 0, scratch, on_match, &yes);
	free(text);
	return yes;
}

static unsigned missed(unsigned words_n, size_t longest)
{
	char words[WORDS_MAX][WORD_MAX + 1], expression[WORDS_MAX * (4 * WORD_MAX + 1) + 1];
	hs_database_t *db = NULL;
	hs_scratch_t *scratch = NULL;
	hs_compile_error_t *why = NULL;
	unsigned n = 0;
	struct yg_sb b = yg_sb_init(expression, sizeof expression);
	make_words(words_n, longest, words, &b);
	if (hs_compile(yg_sb_cstr(&b), HS_FLAG_CASELESS, HS_MODE_BLOCK, NULL, &db, &why) !=
		    HS_SUCCESS ||
	    hs_alloc_scratch(db, &scratch) != HS_SUCCESS) {
		(void)hs_free_compile_error(why);
		(void)hs_free_database(db);
		return TEXTS;
	}
	for (unsigned i = 0; i < TEXTS; i++)
		n += !found(db, scratch, words[below(words_n)]);
	(void)hs_free_scratch(scratch);
	(void)hs_free_database(db);
	return n;
}

int main(void)
{
	unsigned lost = 0, bad = 0;
	for (unsigned i = 0; i < EXPRESSIONS; i++) {
		unsigned n = missed(1 + below(i % 3 == 0 ? 5 : WORDS_MAX), i % 2 ? WORD_MAX : 7);
		lost += n;
		bad += n > 0;
	}
	printf("# libhs %s: %u of %u texts missed, in %u of %u expressions\n", hs_version(), lost,
	       EXPRESSIONS * TEXTS, bad, EXPRESSIONS);
	T_NAMED(lost == 0, "what an alternation must find it finds");
	return tap_done();
}
