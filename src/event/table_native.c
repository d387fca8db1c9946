#include <stdlib.h>

#include "event/table.h"
#include "event/table_columns.h"

/* RowBinary rows to one block of ClickHouse's Native format: column by column,
 * as the server keeps them, without the columns that hold nothing in any row.
 *
 * Of the table's eighty columns a source fills some twenty; read row by row the
 * server spends most of an insert on the empty ones.  Measured by bench/store:
 * see there.  The rows are walked twice: sizes first, then every value goes to
 * its place in one buffer. */

struct column {
	bool used;      /* some row has another value than the default */
	size_t bytes;   /* of values; of lists: their strings */
	uint64_t items; /* of lists, over all rows */
	char *to;       /* where the next value goes */
	char *offsets;  /* of lists: where the next row's end goes */
};

/* A string of n bytes behind its length. */
static const uint8_t *take_string(struct yg_rd *rd, size_t *out_n)
{
	uint64_t n = 0;
	const uint8_t *at = rd->p;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t b = yg_rd_le8(rd);
		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			break;
	}
	(void)yg_rd_take(rd, n);
	*out_n = (size_t)(rd->p - at); /* with its length in front: as Native has it, too */
	return at;
}

static uint64_t take_count(struct yg_rd *rd)
{
	uint64_t n = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t b = yg_rd_le8(rd);
		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return n;
	}
	rd->bad = true;
	return 0;
}

static bool zero(const uint8_t *p, size_t n)
{
	static const uint8_t none[16] = {0};
	return memcmp(p, none, n) == 0;
}

static void measure_value(struct yg_rd *rd, struct column *c, enum yg_event_type type, size_t size)
{
	size_t n;
	if (type == YG_ET_STRS) {
		uint64_t items = take_count(rd);
		if (items > yg_rd_left(rd))
			rd->bad = true;
		for (uint64_t i = 0; i < items && !rd->bad; i++) {
			(void)take_string(rd, &n);
			c->bytes += n;
		}
		c->items += items;
		c->used |= items > 0;
	} else if (type == YG_ET_STR || type == YG_ET_LSTR) {
		(void)take_string(rd, &n);
		c->bytes += n;
		c->used |= n > 1;
	} else {
		const uint8_t *p = yg_rd_take(rd, size);
		c->bytes += size;
		c->used |= p != NULL && !c->used && !zero(p, size);
	}
}

static void copy_value(struct yg_rd *rd, struct column *c, enum yg_event_type type, size_t size)
{
	size_t n;
	const uint8_t *p;
	if (type == YG_ET_STRS) {
		uint64_t items = take_count(rd);
		for (uint64_t i = 0; i < items; i++) {
			p = take_string(rd, &n);
			memcpy(c->to, p, n);
			c->to += n;
		}
		c->items += items;
		memcpy(c->offsets, &c->items, sizeof c->items);
		c->offsets += sizeof c->items;
		return;
	}
	if (type == YG_ET_STR || type == YG_ET_LSTR) {
		p = take_string(rd, &n);
	} else {
		n = size;
		p = yg_rd_take(rd, n);
	}
	if (c->to == NULL) /* a column that is left out */
		return;
	memcpy(c->to, p, n);
	c->to += n;
}

static void put_text(struct yg_buf *b, const char *s)
{
	yg_buf_putc(b, (char)strlen(s)); /* names and types are shorter than 128 */
	yg_buf_put(b, yg_sv_of(s));
}

static void put_count(struct yg_buf *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		yg_buf_putc(b, (char)(n | 0x80));
	yg_buf_putc(b, (char)n);
}

/* Heads of the used columns, and room behind each for its values.  Places are
 * kept as offsets while the buffer may still move. */
static void lay_out(struct column *c, uint64_t rows, struct yg_buf *out, struct yg_buf *names)
{
	size_t at[YG_EVENT_FIELD_COUNT] = {0};
	uint64_t used = 0;
	for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++)
		used += c[f].used;
	put_count(out, used);
	put_count(out, rows);
	for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++) {
		if (!c[f].used)
			continue;
		put_text(out, yg_event_columns[f].name);
		put_text(out, yg_event_columns[f].native);
		at[f] = out->n;
		size_t room =
			c[f].bytes +
			(yg_event_columns[f].type == YG_ET_STRS ? rows * sizeof(uint64_t) : 0);
		if (yg_buf_room(out, room) != NULL)
			out->n += room;
		yg_buf_putc(names, names->n > 0 ? ',' : '(');
		yg_buf_put(names, yg_sv_of(yg_event_columns[f].name));
	}
	yg_buf_putc(names, ')');
	for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT && !out->bad; f++) {
		if (!c[f].used)
			continue;
		c[f].items = 0;
		c[f].to = c[f].offsets = out->p + at[f];
		if (yg_event_columns[f].type == YG_ET_STRS)
			c[f].to += rows * sizeof(uint64_t);
	}
}

size_t yg_event_rows_cut(struct yg_sv rows, size_t max)
{
	struct column c[YG_EVENT_FIELD_COUNT] = {0};
	struct yg_rd rd = yg_rd_init(rows.p, rows.n);
	size_t whole = 0;
	if (rows.n <= max)
		return rows.n;
	while (yg_rd_left(&rd) > 0) {
		for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++)
			measure_value(&rd, &c[f], yg_event_columns[f].type,
				      yg_event_columns[f].size);
		size_t end = rows.n - yg_rd_left(&rd);
		if (rd.bad || (whole > 0 && end > max))
			break;
		whole = end;
	}
	return whole > 0 ? whole : rows.n; /* not whole rows: the next step says so */
}

yg_status yg_event_rows_native(struct yg_sv rows, struct yg_buf *out, struct yg_buf *names,
			       uint64_t *out_rows, struct yg_err *err)
{
	struct column c[YG_EVENT_FIELD_COUNT] = {0};
	struct yg_rd rd = yg_rd_init(rows.p, rows.n);
	uint64_t n = 0;
	for (; yg_rd_left(&rd) > 0 && !rd.bad; n++)
		for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++)
			measure_value(&rd, &c[f], yg_event_columns[f].type,
				      yg_event_columns[f].size);
	if (rd.bad || n == 0)
		return YG_FAIL(err, YG_INVAL, "no whole rows of the event table");
	c[YG_EF_org].used = true; /* a block has at least one column */
	lay_out(c, n, out, names);
	if (out->bad || names->bad)
		return YG_FAIL(err, YG_NOMEM, "a block of %llu rows", (unsigned long long)n);
	rd = yg_rd_init(rows.p, rows.n);
	for (uint64_t i = 0; i < n; i++)
		for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++)
			if (c[f].to != NULL)
				copy_value(&rd, &c[f], yg_event_columns[f].type,
					   yg_event_columns[f].size);
			else
				measure_value(&rd, &c[f], yg_event_columns[f].type,
					      yg_event_columns[f].size);
	*out_rows = n;
	return YG_OK;
}
