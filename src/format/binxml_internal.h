/* binxml_internal.h - the tree between reading binary XML and writing JSON. */
#pragma once
#include "format/binxml.h"

enum piece_kind {                 /* of the text of an element or attribute */
		  PIECE_TEXT = 1, /* UTF-16LE in the chunk */
		  PIECE_VALUE,    /* a substituted value of type `type` */
		  PIECE_CHAR,     /* the character at */
		  PIECE_ENTITY,   /* an entity that we do not know, by name */
};
/* All names and keys are escaped for JSON already, without quotes. */
struct piece {
	struct piece *next;
	uint8_t kind, type;
	uint32_t at, n; /* bytes in the chunk */
	struct yg_sv name;
};
struct text {
	struct piece *first, *last;
	bool absent; /* an optional substitution had no value */
};
struct attribute {
	struct attribute *next;
	struct yg_sv name;
	struct text text;
};
struct element {
	struct element *next, *parent, *first, *last;
	struct attribute *attributes, *last_attribute;
	struct yg_sv name;
	struct text text;
	uint32_t children, attribute_n;
	bool absent; /* what it depends on has no value */
	/* for writing */
	struct yg_sv key;                   /* of the member in JSON */
	struct element *head, *tail, *same; /* siblings of one key: the first, its last, the next */
	bool is_named_data;                 /* <Data Name="key"> */
};

/* Types of values ([MS-EVEN6] 2.2.12; evtx: value types). */
enum value_type {
	V_NULL,
	V_STRING,
	V_ANSI,
	V_INT8,
	V_UINT8,
	V_INT16,
	V_UINT16,
	V_INT32,
	V_UINT32,
	V_INT64,
	V_UINT64,
	V_REAL32,
	V_REAL64,
	V_BOOL,
	V_BINARY,
	V_GUID,
	V_SIZE,
	V_FILETIME,
	V_SYSTEMTIME,
	V_SID,
	V_HEX32,
	V_HEX64,
	V_BINXML = 0x21,
	V_ARRAY = 0x80, /* with the type of its items */
};

/* The text of a value, escaped for a JSON string but without quotes. */
void binxml_put_value(struct yg_buf *out, uint8_t type, const uint8_t *p, size_t n);
/* Is such a value an integer, which JSON writes without quotes? */
bool binxml_is_integer(uint8_t type, size_t n);
/* Takes one item off the front of an array of that type (without V_ARRAY); false: no more. */
bool binxml_next_item(uint8_t type, const uint8_t **p, size_t *n, const uint8_t **out,
		      size_t *out_n);
/* UTF-16LE, escaped likewise; a surrogate without its other half becomes U+FFFD. */
void binxml_put_utf16(struct yg_buf *out, const uint8_t *p, size_t bytes);
void binxml_put_char(struct yg_buf *out, uint32_t c);
/* The tree as JSON, all but the last brace; its elements are linked by key on the way. */
yg_status binxml_write(struct yg_binxml *x, struct element *root, struct yg_buf *out,
		       struct yg_err *err);
