/* tree.h - small YAML documents as trees with line numbers, for files that are not
 * the configuration itself (a DNS policy, detection rules).
 *
 * As strict as the configuration: no anchors, aliases or tags; no key twice; bounded.
 * Everything lives in the arena.
 */
#pragma once
#include "base/arena.h"

#define YG_YAML_NODES_MAX 100000
#define YG_YAML_DEPTH_MAX 16
#define YG_YAML_KEYS_MAX  1000 /* of one map: each is compared with those before it */

enum yg_yaml_kind { YG_YAML_NONE, YG_YAML_TEXT, YG_YAML_LIST, YG_YAML_MAP };
struct yg_yaml {
	enum yg_yaml_kind kind; /* NONE: nothing stands there */
	bool plain;             /* TEXT: without quotes */
	struct yg_sv key;       /* in a map */
	struct yg_sv text;
	size_t line;                        /* from 1 */
	const struct yg_yaml *first, *next; /* entries of a list or map; the one behind this */
	size_t count;                       /* entries */
};
struct yg_yaml_limits {
	size_t nodes, depth, documents; /* depth: at most YG_YAML_DEPTH_MAX */
};
/* One document; at most YG_YAML_NODES_MAX values, 8 deep.
 * YG_OK | YG_PARSE ("file:line: ...") | YG_NOMEM. */
yg_status yg_yaml_read(struct yg_sv yaml, const char *file_name, struct yg_arena *arena,
		       const struct yg_yaml **out, struct yg_err *err);
/* Every document of the file: the first into *out (NULL when there is none), the others
 * behind it by `next`.  An error anywhere refuses the file.  As above. */
yg_status yg_yaml_read_documents(struct yg_sv yaml, const char *file_name,
				 const struct yg_yaml_limits *limits, struct yg_arena *arena,
				 const struct yg_yaml **out, struct yg_err *err);
/* The value of a key of a map; NULL when there is none. */
const struct yg_yaml *yg_yaml_get(const struct yg_yaml *map, const char *key);
