/* expand.h - values for the placeholders of rules (`%name%` under `expand`); pure.
 *
 * The values are a YAML map: a name and a text or a list of texts.  A value is taken as it
 * stands: its '*' and '?' are characters.
 */
#pragma once
#include "detect/rule.h"

struct yg_yaml;
struct yg_sigma_values {
	const struct yg_yaml *map; /* in the arena; NULL: none */
};
/* YG_OK | YG_PARSE (err says "file:line: ...") | YG_LIMIT | YG_NOMEM. */
yg_status yg_sigma_values_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
			       struct yg_sigma_values *out, struct yg_err *err);
/* Every placeholder of the rule (or filter) becomes its values, linked by OR like the
 * alternatives of a value.  YG_OK | YG_PARSE (one has no values) | YG_LIMIT (more than
 * YG_SIGMA_VALUES_MAX of one value) | YG_NOMEM; after an error the rule is of no use. */
yg_status yg_sigma_expand(struct yg_sigma_rule *rule, const struct yg_sigma_values *values,
			  struct yg_arena *arena, struct yg_err *err);
