/* value.h - tests of values that no table answers; pure, nothing allocates. */
#pragma once
#include "detect/rule.h"

/* "12", "-1.5": decimal digits only. */
bool yg_sigma_number(struct yg_sv s, double *out);
bool yg_detect_compare(enum yg_sigma_compare c, double have, double want);
/* The part of an ISO 8601 date ("2026-11-22", "2026-11-22T16:03..."), as it stands. */
bool yg_detect_time(struct yg_sv s, enum yg_sigma_time part, double *out);
bool yg_detect_in_net(const struct yg_ip *net, unsigned bits, const struct yg_ip *ip);
/* Is, begins, ends or contains `s` the other text? */
bool yg_detect_affix(enum yg_sigma_affix affix, bool cased, struct yg_sv s, struct yg_sv other);
