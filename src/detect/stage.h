/* stage.h - how far a rule has come: what its match does. */
#pragma once
#include "base/sv.h"

/* clang-format off */
#define YG_DETECT_STAGES(X)                                                                          \
	X(OFF,   0, "off")        /* not compiled */                                                 \
	X(TEST,  1, "test")       /* evaluated, counted, the newest hits are kept */                 \
	X(AUDIT, 2, "audit-only") /* and a finding among the events */                               \
	X(LIVE,  3, "live")       /* and an alert */
/* clang-format on */
enum yg_detect_stage {
#define X(id, num, name) YG_STAGE_##id = num,
	YG_DETECT_STAGES(X)
#undef X
		YG_STAGE_COUNT
};
#define YG_STAGE_WORDS "off test audit-only live"
const char *yg_detect_stage_name(enum yg_detect_stage s);                   /* static; never NULL */
yg_status yg_detect_stage_parse(struct yg_sv s, enum yg_detect_stage *out); /* YG_PARSE */
