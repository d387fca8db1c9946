/* table.h - the one table of keys; the room's own. */
#pragma once
#include "conf/conf.h"

enum yg_conf_type {
	YG_CT_COUNT,   /* uint64_t */
	YG_CT_BYTES,   /* uint64_t */
	YG_CT_SPAN,    /* int64_t, microseconds */
	YG_CT_BOOL,    /* uint64_t, 0 or 1 */
	YG_CT_TEXT,    /* struct yg_sv, as all below */
	YG_CT_ENUM,    /* one of options */
	YG_CT_SLUG,    /* [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])? */
	YG_CT_ADDRESS, /* ip:port */
	YG_CT_FILE,    /* a path */
	YG_CT_URL,     /* "embedded" or http(s)://host:port */
	YG_CT_SOURCE,  /* one of options, or ndjson:NAME */
	YG_CT_DNS, /* ip@port as DNS servers write it, kept as ip:port; min: the port when none is given */
	YG_CT_PREFIX, /* 192.0.2.0/24 */
	YG_CT_DOMAIN, /* a domain name */
};
enum yg_conf_flag {
	YG_CF_EMPTY = 1,    /* "" is a value: off, or "look for it" */
	YG_CF_NONE = 2,     /* "none" is a value */
	YG_CF_REQUIRED = 4, /* in a list entry: must be there */
	YG_CF_LOOPBACK = 8, /* an address of this machine's loopback only */
	YG_CF_STAR = 16,    /* absolute; one * in the last part of the path */
	YG_CF_SECRET = 32,  /* names a file with a secret: must not be readable by others */
	YG_CF_MANY = 64,    /* one value or a list of them; kept with blanks between */
	YG_CF_BESIDE =
		128, /* a path that may be relative: to the folder of the configuration file */
};
struct yg_conf_key {
	const char *name; /* "api.address"; in a list entry "org", or "tsig.name" one level below */
	enum yg_conf_type type;
	unsigned flags;
	size_t off;
	uint64_t min, max, dflt;    /* numbers */
	const char *dflt_text;      /* texts */
	const char *const *options; /* NULL ended */
	enum yg_conf_reload reload;
	unsigned roles;
	const char *since, *doc; /* doc: one sentence; it becomes the manual and the comment */
};
enum yg_conf_list_flag {
	YG_CL_SCALAR = 1, /* an entry may be one value: that of its first key */
	YG_CL_TWICE = 2,  /* two entries may have the same first key */
};
struct yg_conf_list {
	const char *name; /* "ingest.listeners" */
	size_t off, off_count, item_bytes, max;
	const struct yg_conf_key *keys; /* ended by name == NULL */
	enum yg_conf_reload reload;
	unsigned roles;
	const char *since, *doc;
	unsigned flags; /* enum yg_conf_list_flag */
};
struct yg_conf_section {
	const char *name, *doc;
};
extern const struct yg_conf_key yg_conf_keys[];         /* ended by name == NULL; by section */
extern const struct yg_conf_list yg_conf_lists[];       /* ended by name == NULL */
extern const struct yg_conf_section yg_conf_sections[]; /* ended by name == NULL */
extern const char *const yg_conf_sources[];             /* as event/normalize.h; a test compares */

#define YG_CONF_KEYS_MAX  128 /* rows of yg_conf_keys and of any list */
#define YG_CONF_LISTS_MAX 24
#define YG_CONF_ITEMS_MAX 1024
struct yg_conf_lines {
	uint32_t key[YG_CONF_KEYS_MAX]; /* by row of yg_conf_keys; 0: not in the file */
	uint32_t item[YG_CONF_LISTS_MAX][YG_CONF_ITEMS_MAX];
};

/* Member of a yg_conf, or of a list's entry. */
static inline uint64_t *yg_conf_u64(const void *base, const struct yg_conf_key *k)
{
	return (uint64_t *)(void *)((char *)(uintptr_t)base + k->off);
}
static inline struct yg_sv *yg_conf_sv(const void *base, const struct yg_conf_key *k)
{
	return (struct yg_sv *)(void *)((char *)(uintptr_t)base + k->off);
}
static inline bool yg_conf_is_number(const struct yg_conf_key *k)
{
	return k->type <= YG_CT_BOOL;
}
void *yg_conf_item(const struct yg_conf *c, const struct yg_conf_list *l, size_t i);
size_t yg_conf_item_count(const struct yg_conf *c, const struct yg_conf_list *l);
/* The part of a key's name behind the section: "address". */
const char *yg_conf_short(const char *name);
void yg_conf_defaults(const struct yg_conf_key *keys, void *base);
bool yg_conf_is_default(const struct yg_conf_key *k, const void *base);
/* A value checked against its row and stored; why not: a text such as
 * "expected a count from 1 to 64, found '70'" in *why. */
bool yg_conf_set(const struct yg_conf_key *k, void *base, struct yg_sv text, struct yg_arena *arena,
		 struct yg_sb *why);
/* The same for one more value of a YG_CF_MANY key. */
bool yg_conf_add(const struct yg_conf_key *k, void *base, struct yg_sv text, struct yg_arena *arena,
		 struct yg_sb *why);
/* Names are the same with hyphens and with underscores. */
bool yg_conf_name_is(struct yg_sv found, const char *name);
/* What is expected: "a count from 1 to 64". */
void yg_conf_expected(struct yg_sb *b, const struct yg_conf_key *k);
/* The value as it stands in a YAML file. */
void yg_conf_format(struct yg_sb *b, const struct yg_conf_key *k, const void *base);
/* Looks for the key nearest to one that does not exist: {found, NULL, 99}, then every candidate. */
struct yg_conf_guess {
	struct yg_sv found; /* what stands in the file */
	const char *best;
	size_t distance;
};
void yg_conf_consider(struct yg_conf_guess *g, const char *candidate, const char *shown);
bool yg_slug_ok(struct yg_sv s);
bool yg_conf_domain_ok(struct yg_sv text);
/* Checks between keys; reports through the same function.  Returns how many. */
size_t yg_conf_cross(const struct yg_conf *c, const char *file_name, yg_conf_report_fn *report,
		     void *ctx);
