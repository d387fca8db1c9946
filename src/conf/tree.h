/* tree.h - a small YAML document as a tree with line numbers, for files that are not
 * the configuration itself (a DNS policy).
 *
 * As strict as the configuration: one document; no anchors, aliases or tags; no key
 * twice; bounded.  Everything lives in the arena.
 */
#pragma once
#include "base/arena.h"

#define YG_YAML_NODES_MAX 100000
#define YG_YAML_DEPTH_MAX 8

enum yg_yaml_kind { YG_YAML_NONE, YG_YAML_TEXT, YG_YAML_LIST, YG_YAML_MAP };
struct yg_yaml {
	enum yg_yaml_kind kind; /* NONE: nothing stands there */
	bool plain;             /* TEXT: without quotes */
	struct yg_sv key;       /* in a map */
	struct yg_sv text;
	size_t line;                        /* from 1 */
	const struct yg_yaml *first, *next; /* entries of a list or map; the one behind this */
};
/* YG_OK | YG_PARSE ("file:line: ...") | YG_NOMEM. */
yg_status yg_yaml_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
		       const struct yg_yaml **out, struct yg_err *err);
/* The value of a key of a map; NULL when there is none. */
const struct yg_yaml *yg_yaml_get(const struct yg_yaml *map, const char *key);
