/* finding_json.h - what the JSON of findings has in common, whoever makes it: ingest of a match,
 * center of a correlation or a finding beside rules, a look back; pure. */
#pragma once
#include "base/sb.h"
#include "detect/rule.h"

/* A member of the object at hand, with the comma before it. */
void yg_finding_member(struct yg_buf *b, const char *key, struct yg_sv v);
/* 1 informational ... 5 critical, as OCSF numbers them; of a rule without a level 2, low. */
uint8_t yg_finding_severity(enum yg_sigma_level level);
/* Of a tag that is an ATT&CK technique its id, with a comma when it is not the first:
 * "attack.t1110.003" is T1110.003. */
void yg_finding_technique(struct yg_sv tag, struct yg_sb *b);
