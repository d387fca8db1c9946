/* zeek_row.h - the header of Zeek's logs in TSV, and rows that are kept with what of it one must
 * know to read them.
 *
 * Rules ask for fields that have no column of ours, and a stored row is asked like a new one: a
 * row without the names of its columns would have no such fields, and "not Z: 0" would hold.  So
 * `raw` of such an event is "#path ..", "#fields ..", "#types .." (and what is not as Zeek writes
 * it by default), a line each, and the row; a Zeek log of one row, which can be read again.
 */
#pragma once
#include "base/arena.h"

struct yg_zeek_header {
	struct yg_sv path, fields, types, unset, empty, set_separator; /* views */
	char separator;
};
/* As Zeek writes it where no line says otherwise. */
void yg_zeek_header_init(struct yg_zeek_header *h);
/* One line that begins with '#'. */
void yg_zeek_header_line(struct yg_zeek_header *h, struct yg_sv line);
/* The lines that a row is kept with, each ended; empty: longer than they may be, or no memory. */
struct yg_sv yg_zeek_header_text(const struct yg_zeek_header *h, struct yg_arena *arena);

struct yg_zeek_row {
	struct yg_zeek_header header;
	struct yg_sv fields, types, values; /* what is left of them */
};
/* False: the text is no row with its header. */
bool yg_zeek_row_open(struct yg_sv raw, struct yg_zeek_row *out);
/* The next field, as it stands; false: there is no more. */
bool yg_zeek_row_next(struct yg_zeek_row *r, struct yg_sv *name, struct yg_sv *type,
		      struct yg_sv *value);
bool yg_zeek_is_list(struct yg_sv type); /* set[..], vector[..] */
/* Without \xNN and \\; bytes that are no text stay \xNN, which is how Zeek's JSON has them.
 * `s` itself when there is none; {"", 0} without memory. */
struct yg_sv yg_zeek_text(struct yg_sv s, struct yg_arena *arena);
