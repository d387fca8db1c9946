#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>

#include "intel/compile.h"
#include "tap.h"

static psl_ctx_t *list;
static struct yg_suffixes *suffixes;
static unsigned long compared, covered, wrong;

/* What the library says, without anything of ours before it. */
static bool is_suffix(const char *name)
{
	char sibling[YG_DOMAIN_MAX + 32];
	const char *dot = strchr(name, '.');
	if (psl_is_public_suffix(list, name) == 0)
		return false;
	if (psl_is_public_suffix2(list, name, PSL_TYPE_ICANN) != 0 || dot == NULL)
		return true;
	(void)snprintf(sibling, sizeof sibling, "yg-no-such-rule-0%s", dot);
	return psl_is_public_suffix(list, sibling) == 0;
}

static void compare(const char *name)
{
	bool want = is_suffix(name);
	compared++;
	covered += want;
	if (yg_suffixes_covers(suffixes, name) != want) {
		wrong++;
		(void)printf("# %s: %s\n", name, want ? "is one" : "is none");
	}
}

/* A rule's name, as names are given to us, and those around it. */
static void compare_around(const char *rule)
{
	static const char *const formats[] = {"%s", "a.%s", "www.a.%s", "a-%s", "%s.com", "x%s"};
	char name[400], ascii[YG_DOMAIN_MAX + 1];
	struct yg_sb b = yg_sb_init(ascii, sizeof ascii);
	if (yg_domain_normalize(yg_sv_of(rule), &b, NULL) != YG_OK)
		return;
	for (size_t i = 0; i < YG_LEN(formats); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(name, sizeof name, formats[i], yg_sb_cstr(&b));
#pragma GCC diagnostic pop
		compare(name);
	}
	const char *dot = strchr(ascii, '.');
	if (dot != NULL)
		compare(dot + 1);
}

int main(void)
{
	char line[512];
	FILE *f = fopen("/usr/share/publicsuffix/public_suffix_list.dat", "re");
	if (f == NULL) {
		(void)printf("1..0 # skip no list of public suffixes\n");
		return 0;
	}
	list = psl_load_file("/usr/share/publicsuffix/public_suffix_list.dat");
	T_OK(list != NULL && yg_suffixes_new(&suffixes, NULL) == YG_OK);
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, " \t\r\n")] = '\0';
		const char *rule = line + (line[0] == '!') + (line[0] == '*') * 2;
		if (line[0] != '\0' && line[0] != '/')
			compare_around(rule);
	}
	(void)fclose(f);
	(void)printf("# %lu names, %lu of them suffixes\n", compared, covered);
	T_NAMED(compared > 30000 && covered > 5000, "a list was read");
	T_NAMED(wrong == 0, "each is what the library says");
	yg_suffixes_free(suffixes);
	psl_free(list);
	return tap_done();
}
