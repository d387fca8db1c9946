/* engine_internal.h - what the compiler leaves and the evaluator reads: tables of numbers,
 * with offsets in the place of pointers, as they stand in a snapshot (doc/snapshot.md).
 *
 * A field is a name in the rules of one log source, so that an event meets the tests of its
 * own log sources alone.  A bit stands for a test: an item's values (one value under
 * `all`), or that a field is there (the field's first bit) and filled (its second).  What
 * cannot be told by looking a value up (regular expressions, other fields) is a lazy test:
 * asked only when a rule's answer hangs on it.
 */
#pragma once
#include <hs/hs.h>

#include "detect/engine.h"
#include "snapshot/hashset.h"
#include "snapshot/snapshot.h"

#define YG_DETECT_NONE UINT32_MAX
#define YG_DETECT_GRAM 4 /* bytes of a literal that are hashed, at most */

struct yg_detect_text { /* in the pool */
	uint32_t at, n;
};
enum yg_detect_exact_kind { YG_EXACT_FOLDED, YG_EXACT_CASED, YG_EXACT_NET, YG_EXACT_KINDS };
struct yg_detect_exact { /* a value of a field: text, or 16 bytes of a network and its length */
	struct yg_detect_text text;
	uint32_t field, kind, next, bits; /* next: of the same slot */
};
enum { YG_LITERAL_START = 1, YG_LITERAL_END = 2, YG_LITERAL_CASED = 4 };
struct yg_detect_literal {
	struct yg_detect_text text; /* lower case unless cased */
	uint32_t field, flags;
	uint32_t bits, patterns; /* links */
};
/* Where a literal is found by: up to four of its bytes.  Of a literal of seven bytes or
 * more four in a row are anchors, so that it is enough to look at every fourth byte of a
 * value (kind YG_ANCHOR_FAR); of a shorter one there is one anchor of `kind` bytes. */
enum { YG_ANCHOR_FAR = 5, YG_ANCHOR_FAR_LEAST = 7 };
struct yg_detect_anchor { /* in the words */
	uint32_t gram, kind, offset, literal;
	uint32_t next; /* of the same slot */
};
struct yg_detect_pattern { /* asked where a literal of it was found */
	uint32_t first, count, cased, bit;
};
struct yg_detect_part {
	uint32_t kind; /* enum yg_sigma_part_kind */
	struct yg_detect_text text;
};
struct yg_detect_number {
	double number;
	uint32_t compare, time, bit, next;
};
enum yg_detect_test_kind { YG_TEST_REGEX = 1, YG_TEST_PATTERN, YG_TEST_FIELD };
struct yg_detect_test {
	uint32_t kind;
	uint32_t which; /* regex, pattern, other field */
	uint32_t affix, cased, next;
};
struct yg_detect_lazy {
	uint32_t field;
	uint32_t bit;   /* set by what is found without asking */
	uint32_t guard; /* bit; while it is not set, no test can hold */
	uint32_t tests;
};
struct yg_detect_name { /* of fields; each once */
	struct yg_detect_text text;
	uint32_t next; /* of the same slot */
};
struct yg_detect_field {
	struct yg_detect_text name; /* none: keywords */
	uint32_t number;            /* of the name; keywords: none */
	uint32_t source;
	uint32_t present; /* bit; the next one: filled */
	uint32_t always;  /* links to bits that any value sets */
	uint32_t numbers;
	uint32_t exact;                /* bit per kind */
	uint32_t nets[5];              /* bit per length of networks */
	uint32_t anchors;              /* bit per kind of anchors */
	uint32_t filter, filter_shift; /* where in the filter; 64 - bits of the hash */
	uint32_t slots, slot_shift;    /* where in the words */
};
struct yg_detect_link {
	uint32_t value, next;
};
enum yg_detect_op { YG_OP_BIT, YG_OP_LAZY, YG_OP_AND, YG_OP_OR, YG_OP_NOT };
#define YG_STEP(op, n) ((uint32_t)(op) << 29 | (n))
#define YG_STEP_OP(s)  ((enum yg_detect_op)((s) >> 29))
#define YG_STEP_N(s)   ((s)&0x1fffffffu)
struct yg_detect_source {
	struct yg_detect_text category, product, service;
};
struct yg_detect_rule {
	uint32_t first, count, source; /* steps, in the words */
	uint32_t level, line;
	struct yg_detect_text title, id, name, file, tags;
};
struct yg_detect_info {
	uint64_t key[2];
	uint32_t bits, stack, exact_longest;
	uint32_t name_slots, name_mask; /* where in the words; count - 1 */
	uint32_t exact_slots, exact_mask;
	uint32_t triggers; /* in the words, by bit: links to rules; then by source: of no bit */
	uint32_t owners;   /* in the words, by bit: its field */
	uint32_t anchors, anchor_count; /* in the words */
	uint32_t keywords; /* in the words, by source: the field of its keywords, or none */
};

/* id, name, type of every table */
#define YG_DETECT_TABLES(X)                                                                        \
	X(1, infos, struct yg_detect_info)                                                         \
	X(2, pool, char)                                                                           \
	X(3, words, uint32_t)                                                                      \
	X(4, filter, uint64_t)                                                                     \
	X(5, fields, struct yg_detect_field)                                                       \
	X(6, exacts, struct yg_detect_exact)                                                       \
	X(7, literals, struct yg_detect_literal)                                                   \
	X(8, patterns, struct yg_detect_pattern)                                                   \
	X(9, parts, struct yg_detect_part)                                                         \
	X(10, numbers, struct yg_detect_number)                                                    \
	X(11, lazies, struct yg_detect_lazy)                                                       \
	X(12, tests, struct yg_detect_test)                                                        \
	X(13, regexes, struct yg_detect_text)                                                      \
	X(14, links, struct yg_detect_link)                                                        \
	X(15, rules, struct yg_detect_rule)                                                        \
	X(16, sources, struct yg_detect_source)                                                    \
	X(17, names, struct yg_detect_name)                                                        \
	X(18, files, char)

struct yg_detect {
#define X(id, name, type) const type *name;
	YG_DETECT_TABLES(X)
#undef X
#define X(id, name, type) uint64_t name##_count;
	YG_DETECT_TABLES(X)
#undef X
	struct yg_detect_info info; /* a copy */
	struct yg_hash_key key;
	struct yg_snap snap;      /* owned, when it came from one */
	bool own;                 /* the tables are ours to free */
	hs_database_t **automata; /* owned; by regex */
};

static inline struct yg_sv yg_detect_sv(const struct yg_detect *d, struct yg_detect_text t)
{
	return (struct yg_sv){d->pool + t.at, t.n};
}
static inline unsigned char yg_detect_low(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}
static inline uint64_t yg_detect_hash(const struct yg_hash_key *key, uint64_t seed, struct yg_sv s)
{
	return yg_hash_end(key,
			   yg_hash_more(key, key->k[0] ^ (seed * 0xe7037ed1a0b428dbull), s.p, s.n));
}
/* The slot of a name. */
static inline uint64_t yg_detect_name_hash(const struct yg_hash_key *key, struct yg_sv name)
{
	return yg_detect_hash(key, 1, name);
}
static inline uint64_t yg_detect_exact_seed(uint32_t field, uint32_t kind)
{
	return (uint64_t)field * YG_EXACT_KINDS + kind + 1;
}
static inline uint64_t yg_detect_gram_hash(uint32_t gram, uint32_t kind)
{
	return ((uint64_t)gram | (uint64_t)kind << 32) * 0x9e3779b97f4a7c15ull;
}
static inline uint32_t yg_detect_gram_bytes(uint32_t kind)
{
	return kind < YG_DETECT_GRAM ? kind : YG_DETECT_GRAM;
}
static inline const struct yg_detect_anchor *yg_detect_anchors(const struct yg_detect *d)
{
	return (const struct yg_detect_anchor *)(const void *)(d->words + d->info.anchors);
}

/* ---- engine.c ---- */
/* Every number of every table leads somewhere; opens the automata.
 * YG_OK | YG_CORRUPT | YG_NOMEM. */
yg_status yg_detect_ready(struct yg_detect *d, struct yg_err *err);
/* As yg_detect_write() and yg_detect_open_fd() (p: not NULL, bytes in its place), with tables
 * of a caller beside the engine's, whose layout `schema` names. */
struct yg_detect_more {
	struct yg_sv schema;
	const struct yg_snap_part *parts;
	size_t count;
};
yg_status yg_detect_write_more(const struct yg_detect *d, const struct yg_detect_more *more, int fd,
			       uint64_t generation, yg_wall created, uint64_t *out_bytes,
			       struct yg_err *err);
yg_status yg_detect_open_more(int fd, const void *p, size_t n, struct yg_sv more,
			      uint64_t min_generation, struct yg_detect **out, struct yg_err *err);

/* ---- build.c ---- */
/* Does the filter narrow the rule?  Their log sources are the same and it names it. */
bool yg_detect_narrows(const struct yg_sigma_rule *filter, const struct yg_sigma_rule *rule);

/* ---- eval.c ---- */
struct yg_detect_watch {
	const struct yg_env *env;
	void (*judged)(void *ctx, uint32_t rule, int64_t us); /* every rule that was judged */
	void *ctx;
};
/* From the next record on; borrowed until the next call.  NULL: nothing is measured. */
void yg_detect_watch(struct yg_detect_eval *e, const struct yg_detect_watch *watch);

/* ---- wildcard.c ---- */
/* The whole of `s` fits the pattern.  `s` folded to lower case unless the pattern is cased. */
bool yg_detect_fits(const struct yg_detect *d, const struct yg_detect_pattern *p, struct yg_sv s);
