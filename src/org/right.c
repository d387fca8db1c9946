#include "org/right.h"

static_assert(YG_SCOPE_COUNT <= 63, "scopes are bits of one number");

static const char *const scope_names[] = {
#define X(id, name) name,
	YG_SCOPES(X)
#undef X
};

static const struct yg_role_info roles[] = {{"", "", "", YG_SCOPES_NONE},
#define X(id, name, scopes, ja, en) {name, ja, en, scopes},
					    YG_ROLES(X)
#undef X
};

uint64_t yg_scope_bit(struct yg_sv name)
{
	for (size_t i = 0; i < YG_LEN(scope_names); i++)
		if (yg_sv_eq(name, yg_sv_of(scope_names[i])))
			return 1ull << i;
	return 0;
}

bool yg_scope_ok(struct yg_sv name)
{
	return yg_scope_bit(name) != 0;
}

const char *yg_scope_name(unsigned number)
{
	return number < YG_LEN(scope_names) ? scope_names[number] : "";
}

uint64_t yg_scope_bits(struct yg_sv words)
{
	struct yg_sv one;
	uint64_t bits = 0;
	while (yg_sv_cut(&words, ' ', &one))
		bits |= yg_scope_bit(one);
	return bits;
}

const struct yg_role_info *yg_role_info(enum yg_role_kind role)
{
	return &roles[(size_t)role < YG_LEN(roles) ? role : YG_ROLE_NONE];
}

yg_status yg_role_parse(struct yg_sv name, enum yg_role_kind *out)
{
	for (size_t i = 1; i < YG_LEN(roles); i++)
		if (yg_sv_eq(name, yg_sv_of(roles[i].name))) {
			*out = (enum yg_role_kind)i;
			return YG_OK;
		}
	return YG_PARSE;
}
