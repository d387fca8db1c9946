#include "detect/stage.h"

static const char *const names[] = {
#define X(id, num, name) [num] = name,
	YG_DETECT_STAGES(X)
#undef X
};
static_assert(YG_LEN(names) == YG_STAGE_COUNT, "every stage has a name");

const char *yg_detect_stage_name(enum yg_detect_stage s)
{
	return (size_t)s < YG_LEN(names) ? names[s] : "";
}

yg_status yg_detect_stage_parse(struct yg_sv s, enum yg_detect_stage *out)
{
	for (size_t i = 0; i < YG_LEN(names); i++)
		if (yg_sv_eq(s, yg_sv_of(names[i]))) {
			*out = (enum yg_detect_stage)i;
			return YG_OK;
		}
	return YG_PARSE;
}
