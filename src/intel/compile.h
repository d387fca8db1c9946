/* compile.h - indicators in, a snapshot out.
 *
 * Runs in:   role center (rows of the state database) and the command line
 *            (lists).  One thread per builder.
 * Ownership: yg_intel_builder is owned, yg_intel_builder_free(); what is added is
 *            copied.
 * Memory:    about 60 bytes and the value's own length per indicator until the
 *            finish, which needs as much again as the file is large.
 *
 * The same value listed several times becomes one record that knows up to
 * YG_HASHSET_VALUES_MAX different sources; equal ones are merged.
 */
#pragma once
#include "base/env.h"
#include "intel/indicator.h"

struct yg_intel_builder;

struct yg_intel_build_opts {
	const struct yg_env *env; /* borrowed: random key of the hashes, time of creation */
	bool force_suffix;  /* take entries that cover a whole public suffix or a huge prefix */
	uint64_t bytes_max; /* memory for keys and texts; 0: 2 GiB */
};
/* YG_OK | YG_NOMEM. */
yg_status yg_intel_builder_new(const struct yg_intel_build_opts *opts,
			       struct yg_intel_builder **out, struct yg_err *err);
void yg_intel_builder_free(struct yg_intel_builder *b);

/* YG_OK | YG_PARSE (not a value of its type) | YG_DENIED (covers a public
 * suffix, or a prefix shorter than /8 in IPv4 or /16 in IPv6) | YG_NOMEM |
 * YG_LIMIT.  After any error the builder is as before and stays usable. */
yg_status yg_intel_builder_add(struct yg_intel_builder *b, const struct yg_indicator *ind,
			       struct yg_err *err);

struct yg_intel_build_stats {
	uint64_t indicators; /* records: different values */
	uint64_t by_type[YG_IND_TYPE_COUNT];
	uint64_t allow;           /* of the entries added, allow entries */
	uint64_t added;           /* entries taken */
	uint64_t merged;          /* of them equal in value and source to another */
	uint64_t sources_dropped; /* sources of one value beyond the limit */
	uint64_t sources;         /* combinations of list, category, family, ... */
	uint64_t bytes;           /* of the snapshot */
};
/* Writes the snapshot to `fd` (a file or memfd, borrowed; truncated first, not
 * synced, not sealed).  The builder can go on and be finished again.
 * YG_OK | YG_NOMEM | YG_LIMIT | YG_IO. */
yg_status yg_intel_builder_finish(struct yg_intel_builder *b, int fd, uint64_t generation,
				  struct yg_intel_build_stats *out, struct yg_err *err);

/* True when every name under `name` belongs to whoever registers there: a public
 * suffix of the ICANN section, or of the private section unless only a wildcard
 * rule makes it one (doc/indicators.md).  name: normalised, NUL-terminated. */
struct yg_suffixes; /* owned: yg_suffixes_free() */
yg_status yg_suffixes_new(struct yg_suffixes **out, struct yg_err *err);
void yg_suffixes_free(struct yg_suffixes *s);
bool yg_suffixes_covers(const struct yg_suffixes *s, const char *name);
