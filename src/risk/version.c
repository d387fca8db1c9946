#include "risk/version_internal.h"

static const struct {
	const char *name, *also;
	const struct yg_version_order *order;
} schemes[] = {
	[YG_VERSION_GENERIC] = {"generic", NULL, &yg_version_order_generic},
	[YG_VERSION_DEB] = {"deb", NULL, &yg_version_order_deb},
	[YG_VERSION_RPM] = {"rpm", NULL, &yg_version_order_rpm},
	[YG_VERSION_SEMVER] = {"semver", NULL, &yg_version_order_semver},
	[YG_VERSION_NPM] = {"npm", NULL, &yg_version_order_npm},
	[YG_VERSION_PYPI] = {"pypi", NULL, &yg_version_order_pypi},
	[YG_VERSION_MAVEN] = {"maven", NULL, &yg_version_order_maven},
	[YG_VERSION_GEM] = {"gem", NULL, &yg_version_order_gem},
	[YG_VERSION_GO] = {"go", "golang", &yg_version_order_go},
	[YG_VERSION_ALPINE] = {"alpine", "apk", &yg_version_order_alpine},
};
static_assert(YG_LEN(schemes) == YG_VERSION_SCHEMES, "every scheme has an order");

bool yg_version_scheme_of(struct yg_sv name, enum yg_version_scheme *out)
{
	for (unsigned i = YG_VERSION_GENERIC; i < YG_VERSION_SCHEMES; i++)
		if (yg_sv_eq(name, yg_sv_of(schemes[i].name)) ||
		    (schemes[i].also != NULL && yg_sv_eq(name, yg_sv_of(schemes[i].also)))) {
			*out = (enum yg_version_scheme)i;
			return true;
		}
	return false;
}

const char *yg_version_scheme_name(enum yg_version_scheme scheme)
{
	return schemes[scheme].name;
}

yg_status yg_version_check(enum yg_version_scheme scheme, struct yg_sv text, size_t *out_at,
			   struct yg_err *err)
{
	struct yg_sv trimmed = yg_sv_trim(text);
	size_t lead = trimmed.n > 0 ? (size_t)(trimmed.p - text.p) : 0;
	*out_at = lead;
	if (trimmed.n == 0)
		return YG_FAIL(err, YG_PARSE, "the version is empty");
	if (trimmed.n > YG_VERSION_TEXT_MAX)
		return YG_FAIL(err, YG_PARSE, "longer than %d bytes", YG_VERSION_TEXT_MAX);
	size_t at = 0;
	yg_status st = schemes[scheme].order->check(trimmed, &at, err);
	*out_at = lead + at;
	return st;
}

int yg_version_cmp(enum yg_version_scheme scheme, struct yg_sv a, struct yg_sv b)
{
	return schemes[scheme].order->cmp(yg_sv_trim(a), yg_sv_trim(b));
}

static struct yg_sv take(struct yg_sv *rest, size_t n)
{
	struct yg_sv part = yg_sv_sub(*rest, 0, n);
	*rest = yg_sv_sub(*rest, n, rest->n);
	return part;
}

struct yg_sv yg_version_digits(struct yg_sv *rest)
{
	size_t n = 0;
	while (n < rest->n && yg_version_is_digit(rest->p[n]))
		n++;
	return take(rest, n);
}

struct yg_sv yg_version_letters(struct yg_sv *rest)
{
	size_t n = 0;
	while (n < rest->n && yg_version_is_letter(rest->p[n]))
		n++;
	return take(rest, n);
}

static struct yg_sv without_zeros(struct yg_sv s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] == '0')
		n++;
	return yg_sv_sub(s, n, s.n);
}

int yg_version_cmp_number(struct yg_sv a, struct yg_sv b)
{
	a = without_zeros(a);
	b = without_zeros(b);
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return yg_version_sign(yg_sv_cmp(a, b));
}

int yg_version_cmp_letters(struct yg_sv a, struct yg_sv b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int r = yg_version_small(a.p[i]) - yg_version_small(b.p[i]);
		if (r != 0)
			return yg_version_sign(r);
	}
	return (a.n > b.n) - (a.n < b.n);
}
