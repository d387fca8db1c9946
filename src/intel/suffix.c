/* suffix.c - public suffixes, by libpsl over Debian's publicsuffix data. */
#include <libpsl.h>
#include <stdlib.h>

#include "intel/compile.h"

struct yg_suffixes {
	psl_ctx_t *latest; /* owned; NULL: the list inside the library */
	const psl_ctx_t *list;
};

yg_status yg_suffixes_new(struct yg_suffixes **out, struct yg_err *err)
{
	struct yg_suffixes *s = calloc(1, sizeof *s);
	if (s == NULL)
		return YG_FAIL(err, YG_NOMEM, "public suffixes");
	/* The package's file is newer than what the library was built with, and its
	 * text form is searched a third faster than its packed one; but a sandboxed
	 * role may not open it. */
	s->latest = psl_load_file("/usr/share/publicsuffix/public_suffix_list.dat");
	if (s->latest == NULL)
		s->latest = psl_latest(NULL);
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
	free(s);
}

bool yg_suffixes_covers(const struct yg_suffixes *s, const char *name)
{
	if (psl_is_public_suffix(s->list, name) == 0)
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
