/* suffix.c - public suffixes, by libpsl over Debian's publicsuffix data. */
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>

#include "intel/compile.h"

#define FILE_PATH  "/usr/share/publicsuffix/public_suffix_list.dat"
#define BITS       (1u << 18) /* about 10,000 rules: one name in 170 is asked for nothing */
#define LABEL_MARK "xn--"

struct yg_suffixes {
	psl_ctx_t *latest; /* owned; NULL: the list inside the library */
	const psl_ctx_t *list;
	uint64_t *rules; /* owned: a Bloom filter of their names; NULL: none */
};

/* ---- which names need not be looked up ---- */

static uint64_t hash_of(struct yg_sv name)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */
	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 0x100000001b3ull;
	return h ^ h >> 29;
}

static void note(uint64_t *rules, struct yg_sv name)
{
	uint64_t h = hash_of(name);
	rules[h % BITS / 64] |= 1ull << (h & 63);
	h >>= 32;
	rules[h % BITS / 64] |= 1ull << (h & 63);
}

static bool is_noted(const uint64_t *rules, struct yg_sv name)
{
	uint64_t h = hash_of(name), g = h >> 32;
	return (rules[h % BITS / 64] >> (h & 63) & 1) != 0 &&
	       (rules[g % BITS / 64] >> (g & 63) & 1) != 0;
}

/* "name", "*.name" and "!name" alike, by lines up to a blank; comments say nothing. */
static uint64_t *read_rules(FILE *f)
{
	uint64_t *rules = calloc(BITS / 64, sizeof *rules);
	char line[512];
	while (rules != NULL && fgets(line, sizeof line, f) != NULL) {
		struct yg_sv rest = yg_sv_of(line), rule;
		(void)yg_sv_cut(&rest, '\n', &rule);
		rule = yg_sv_trim(rule);
		if (rule.n == 0 || yg_sv_starts(rule, YG_SV("//")))
			continue;
		if (rule.p[0] == '!')
			rule = yg_sv_sub(rule, 1, rule.n);
		else if (yg_sv_starts(rule, YG_SV("*.")))
			rule = yg_sv_sub(rule, 2, rule.n);
		note(rules, yg_sv_sub(rule, 0, yg_sv_find(rule, ' ', 0)));
	}
	return rules;
}

/* False: neither the name nor, by a wildcard, the one above it is in any rule.  Those that
 * are not ASCII stand there as nobody writes them. */
static bool may_be_one(const struct yg_suffixes *s, const char *name)
{
	const char *dot = strchr(name, '.');
	return s->rules == NULL || dot == NULL || strstr(name, LABEL_MARK) != NULL ||
	       is_noted(s->rules, yg_sv_of(name)) || is_noted(s->rules, yg_sv_of(dot + 1));
}

/* ---- the list ---- */

yg_status yg_suffixes_new(struct yg_suffixes **out, struct yg_err *err)
{
	struct yg_suffixes *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "public suffixes");
	/* The package's file is newer than what the library was built with, and its
	 * text form is searched a third faster than its packed one; but a role whose
	 * sandbox does not name it may not open it. */
	FILE *f = fopen(FILE_PATH, "re");
	if (f != NULL) {
		s->rules = read_rules(f);
		rewind(f);
		s->latest = psl_load_fp(f);
		(void)fclose(f);
	}
	if (s->latest == NULL) { /* another list: the filter is not of that */
		free(s->rules);
		s->rules = NULL;
		s->latest = psl_latest(NULL);
	}
	s->list = s->latest != NULL ? s->latest : psl_builtin();
	if (s->list == NULL) {
		free(s);
		return YG_FAIL(err, YG_NOTFOUND, "no public suffix list: install publicsuffix");
	}
	*out = s;
	return YG_OK;
}

void yg_suffixes_free(struct yg_suffixes *s)
{
	if (s == NULL)
		return;
	psl_free(s->latest);
	free(s->rules);
	free(s);
}

bool yg_suffixes_covers(const struct yg_suffixes *s, const char *name)
{
	if (!may_be_one(s, name) || psl_is_public_suffix(s->list, name) == 0)
		return false;
	if (psl_is_public_suffix2(s->list, name, PSL_TYPE_ICANN) != 0)
		return true;
	/* Private section.  "*.compute.example" makes every name below a suffix, but
	 * such a name is one customer's machine, not a place to register in.  It is
	 * that rule when a sibling nobody wrote a rule for is a suffix, too. */
	char sibling[YG_DOMAIN_MAX + 32];
	struct yg_sb b = yg_sb_init(sibling, sizeof sibling);
	const char *dot = strchr(name, '.');
	if (dot == NULL)
		return true;
	yg_sb_put(&b, YG_SV("yg-no-such-rule-0"));
	yg_sb_put(&b, yg_sv_of(dot));
	return psl_is_public_suffix(s->list, yg_sb_cstr(&b)) == 0;
}
