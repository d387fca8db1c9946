/* rule.h - a Sigma document as a structure: a rule, a correlation or a filter.
 *
 * Made by the reader (read.h), from there on constant; everything lives in its arena.
 * What each part means, and what the specification leaves open: doc/detect.md.
 *
 *   detection   postfix condition over searches
 *   search      OR of maps
 *   map         AND of items
 *   item        field, modifiers, values (OR; AND under `all`)
 *   value       one test; of text: an OR of patterns
 *   pattern     literals and wildcards, in order
 */
#pragma once
#include "base/arena.h"
#include "base/ip.h"

#define YG_SIGMA_FILE_MAX      4194304 /* bytes of one file; the published ones are under 300 KB */
#define YG_SIGMA_NODES_MAX     250000  /* YAML values of one file */
#define YG_SIGMA_DEPTH_MAX     16      /* nesting of YAML; rules need 5 */
#define YG_SIGMA_DOCUMENTS_MAX 1000    /* of one file */
#define YG_SIGMA_VALUES_MAX    100000  /* of one item */
#define YG_SIGMA_TEXT_MAX      65536   /* bytes of one value, of a description, of a condition */
#define YG_SIGMA_TITLE_MAX     1024    /* bytes; 256 characters by the specification */
#define YG_SIGMA_MODIFIERS_MAX 8       /* behind one field */
#define YG_SIGMA_DASHES_MAX    4       /* of windash behind an encoding: 5^4 spellings */
#define YG_SIGMA_NESTING_MAX   64      /* brackets of a condition */
#define YG_SIGMA_STEPS_MAX     10000   /* of a condition, its patterns written out */
#define YG_SIGMA_LIST_MAX      1000    /* tags, references and the like */
#define YG_SIGMA_RULES_MAX     100     /* that a correlation refers to; a filter: VALUES_MAX */
#define YG_SIGMA_GROUP_MAX     16      /* fields to group by */
#define YG_SIGMA_ALIASES_MAX   32

enum yg_sigma_part_kind {
	YG_SIGMA_LITERAL = 1,
	YG_SIGMA_ANY,         /* '*' */
	YG_SIGMA_ONE,         /* '?' */
	YG_SIGMA_DASH,        /* - / and three long dashes (windash) */
	YG_SIGMA_PLACEHOLDER, /* %name% under expand */
};
struct yg_sigma_part {
	enum yg_sigma_part_kind kind;
	struct yg_sv text; /* of a literal; the name of a placeholder; else as it stood */
};
struct yg_sigma_pattern {
	struct yg_sigma_part *parts;
	size_t count; /* 0: the empty value */
};

enum yg_sigma_test {
	YG_SIGMA_TEXT = 1, /* patterns */
	YG_SIGMA_REGEX,    /* text */
	YG_SIGMA_CIDR,     /* net, bits */
	YG_SIGMA_NUMBER,   /* item's compare and time, number */
	YG_SIGMA_NULL,
	YG_SIGMA_EXISTS, /* yes */
	YG_SIGMA_FIELD,  /* text: the other field */
};
struct yg_sigma_value {
	enum yg_sigma_test test;
	size_t line;
	struct yg_sv text;                 /* as it stood */
	struct yg_sigma_pattern *patterns; /* alternatives */
	size_t pattern_count;
	double number;
	struct yg_ip net;
	unsigned bits; /* in the 16-byte form */
	bool yes;
};

enum yg_sigma_compare {
	YG_SIGMA_EQ = 1,
	YG_SIGMA_LT,
	YG_SIGMA_LTE,
	YG_SIGMA_GT,
	YG_SIGMA_GTE,
	YG_SIGMA_NEQ,
};
enum yg_sigma_time {
	YG_SIGMA_TIME_NONE,
	YG_SIGMA_MINUTE,
	YG_SIGMA_HOUR,
	YG_SIGMA_DAY,
	YG_SIGMA_WEEK,
	YG_SIGMA_MONTH,
	YG_SIGMA_YEAR,
};
enum yg_sigma_affix { YG_SIGMA_WHOLE, YG_SIGMA_CONTAINS, YG_SIGMA_STARTS, YG_SIGMA_ENDS };
#define YG_SIGMA_RE_I 1u
#define YG_SIGMA_RE_M 2u
#define YG_SIGMA_RE_S 4u

struct yg_sigma_item {
	struct yg_sv field; /* empty: keywords, anywhere in the record */
	size_t line;
	bool all;   /* values are linked by AND */
	bool neq;   /* the whole item is negated */
	bool cased; /* text as it is written */
	unsigned regex_flags;
	enum yg_sigma_compare compare; /* of numbers */
	enum yg_sigma_time time;       /* which part of a date is the number */
	enum yg_sigma_affix affix;     /* of fieldref; in patterns it is wildcards already */
	struct yg_sigma_value *values;
	size_t value_count;
};
struct yg_sigma_map {
	struct yg_sigma_item *items; /* AND */
	size_t count;
};
struct yg_sigma_search {
	struct yg_sv name;
	struct yg_sigma_map *maps; /* OR */
	size_t count;
};
enum yg_sigma_step_kind { YG_SIGMA_SEARCH = 1, YG_SIGMA_AND, YG_SIGMA_OR, YG_SIGMA_NOT };
struct yg_sigma_step {
	enum yg_sigma_step_kind kind;
	uint32_t search; /* index */
};
struct yg_sigma_detection {
	struct yg_sigma_search *searches;
	size_t search_count;
	struct yg_sigma_step *steps; /* postfix; never pops more than there is */
	size_t step_count;
	size_t stack_max;   /* values at once on the stack of whoever runs it */
	bool placeholders;  /* some pattern has one */
	struct yg_sv words; /* the condition as written, the first of a list */
};

enum yg_sigma_correlation_type {
	YG_SIGMA_EVENT_COUNT = 1,
	YG_SIGMA_VALUE_COUNT,
	YG_SIGMA_VALUE_SUM,
	YG_SIGMA_VALUE_AVG,
	YG_SIGMA_VALUE_PERCENTILE,
	YG_SIGMA_VALUE_MEDIAN,
	YG_SIGMA_TEMPORAL,
	YG_SIGMA_TEMPORAL_ORDERED,
};
struct yg_sigma_criterion {
	enum yg_sigma_compare compare;
	double number;
};
struct yg_sigma_alias { /* one line of `aliases`: in events of `rule`, `name` is `field` */
	struct yg_sv name, rule, field;
};
struct yg_sigma_correlation {
	enum yg_sigma_correlation_type type;
	struct yg_sv *rules; /* ids or names */
	size_t rule_count;
	struct yg_sv *group_by;
	size_t group_count;
	int64_t span_us;
	struct yg_sigma_alias *aliases;
	size_t alias_count;
	struct yg_sigma_criterion criteria[6]; /* AND */
	size_t criterion_count;
	struct yg_sv *fields; /* of value_*; several: the tuple of them */
	size_t field_count;
	double percentile; /* of value_percentile and value_median */
	bool percentile_said;
	bool generate; /* the rules it refers to alert by themselves too */
};

enum yg_sigma_status {
	YG_SIGMA_STATUS_NONE,
	YG_SIGMA_STABLE,
	YG_SIGMA_TESTED, /* "test" */
	YG_SIGMA_EXPERIMENTAL,
	YG_SIGMA_DEPRECATED,
	YG_SIGMA_UNSUPPORTED,
};
enum yg_sigma_level {
	YG_SIGMA_LEVEL_NONE,
	YG_SIGMA_INFORMATIONAL,
	YG_SIGMA_LOW,
	YG_SIGMA_MEDIUM,
	YG_SIGMA_HIGH,
	YG_SIGMA_CRITICAL,
};
struct yg_sigma_list {
	struct yg_sv *texts;
	size_t count;
};
enum yg_sigma_kind { YG_SIGMA_RULE = 1, YG_SIGMA_CORRELATION, YG_SIGMA_FILTER };
struct yg_sigma_rule {
	enum yg_sigma_kind kind;
	size_t line; /* of the document */
	struct yg_sv title, id, name, description, author, date, modified;
	enum yg_sigma_status status;
	enum yg_sigma_level level;
	struct yg_sv category, product, service; /* of logsource; empty: any */
	struct yg_sigma_list tags, references, falsepositives, fields;
	struct yg_sigma_detection detection;     /* of a rule and a filter */
	struct yg_sigma_correlation correlation; /* of a correlation */
	struct yg_sigma_list filtered;           /* rules that a filter is for */
	bool filters_all;                        /* `rules: any` */
};
