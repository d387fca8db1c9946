/* version_internal.h - what the orders of versions share. */
#pragma once
#include "risk/version.h"

static inline bool yg_version_is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool yg_version_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool yg_version_is_alnum(char c)
{
	return yg_version_is_digit(c) || yg_version_is_letter(c);
}
/* ASCII that shows; the same whether char has a sign or not. */
static inline bool yg_version_is_shown(char c)
{
	return c > ' ' && c < 0x7f;
}
static inline char yg_version_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
static inline int yg_version_sign(int r)
{
	return (r > 0) - (r < 0);
}
/* Takes the digits, or the letters, off the front. */
struct yg_sv yg_version_digits(struct yg_sv *rest);
struct yg_sv yg_version_letters(struct yg_sv *rest);
/* Digits alone, "" is 0: as numbers of any length. */
int yg_version_cmp_number(struct yg_sv a, struct yg_sv b);
/* Letters without case, bytewise otherwise. */
int yg_version_cmp_letters(struct yg_sv a, struct yg_sv b);
/* The place of a rest of the text. */
static inline size_t yg_version_at(struct yg_sv text, struct yg_sv rest)
{
	return text.n - rest.n;
}

/* Of trimmed text that is neither empty nor too long. */
struct yg_version_order {
	yg_status (*check)(struct yg_sv text, size_t *out_at, struct yg_err *err);
	int (*cmp)(struct yg_sv a, struct yg_sv b);
};
extern const struct yg_version_order yg_version_order_generic, yg_version_order_deb,
	yg_version_order_rpm, yg_version_order_semver, yg_version_order_npm, yg_version_order_pypi,
	yg_version_order_maven, yg_version_order_gem, yg_version_order_go, yg_version_order_alpine;
