#include "event/table.h"

#include "event/table_columns.h"

/* First versions with what 18.16 has not: LowCardinality out of its experiment
 * and bloom_filter indexes are both in 20.1, fsync_after_insert in 20.10.  One
 * line between plain and rich is enough: servers between are not in use. */
#define RICH_FROM     2101u
#define HOURS_FROM    2301u /* projections are out of their experiment (22.1) and seen to work */
#define LAST_FROM     2308u /* substringIndex */
#define DELIVERED_MAX 65536u

#define NATIVE_I64  "Int64"
#define NATIVE_U64  "UInt64"
#define NATIVE_U32  "UInt32"
#define NATIVE_U16  "UInt16"
#define NATIVE_U8   "UInt8"
#define NATIVE_STR  "String"
#define NATIVE_LSTR "String"
#define NATIVE_IP   "FixedString(16)"
#define NATIVE_STRS "Array(String)"

const struct yg_event_column yg_event_columns[YG_EVENT_FIELD_COUNT] = {
#define X(member, type, path, doc)                                                                 \
	[YG_EF_##member] = {#member, NATIVE_##type, YG_ET_##type, sizeof(YG_EVENT_TYPE_##type),    \
			    offsetof(struct yg_event, member)},
	YG_EVENT_FIELDS(X)
#undef X
};

struct yg_sv yg_event_table_columns(void)
{
#define X(member, type, path, doc) "," #member
	static const char all[] = "" YG_EVENT_FIELDS(X);
#undef X
	return (struct yg_sv){all + 1, sizeof all - 2};
}

/* Times and counters rise slowly within a part: differences pack to a byte or
 * two.  `raw` is most of the table and is read by the page, so it gets the
 * stronger codec; everything else keeps the server's default (LZ4). */
static const char *codec(enum yg_event_field f)
{
	switch (f) {
	case YG_EF_received:
	case YG_EF_time: return " CODEC(Delta, ZSTD(1))";
	case YG_EF_batch:
	case YG_EF_row: return " CODEC(Delta, LZ4)";
	case YG_EF_raw: return " CODEC(ZSTD(1))";
	default: return "";
	}
}

/* Skip indexes: a search for one name, address or file reads only the granules
 * whose filter says "maybe".  `delivery` serves the spool's question what of a
 * batch is there. */
static const char indexes[] =
	", INDEX ix_names names TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_src_ip src_ip TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_dst_ip dst_ip TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_query query TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_dst_host dst_host TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_hashes hashes TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_uid uid TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_finding_uid finding_uid TYPE bloom_filter(0.01) GRANULARITY 1"
	", INDEX ix_spool spool TYPE minmax GRANULARITY 1"
	", INDEX ix_batch batch TYPE minmax GRANULARITY 1"
	", INDEX ix_time time TYPE minmax GRANULARITY 1";

void yg_event_table_last(uint32_t version, unsigned labels, bool of_all, struct yg_buf *sql)
{
	yg_buf_put(sql, of_all ? YG_SV("arrayMap(x -> ") : YG_SV(""));
	if (version >= LAST_FROM)
		yg_buf_printf(sql, "substringIndex(x, '.', -%u)", labels);
	else
		yg_buf_printf(sql, "arrayStringConcat(arraySlice(splitByChar('.', x), -%u), '.')",
			      labels);
	yg_buf_put(sql, of_all ? YG_SV(", names)") : YG_SV(""));
}

/* See yg_event_table_last(). */
static void put_last_index(unsigned labels, struct yg_buf *out)
{
	yg_buf_printf(out, "INDEX ix_last%u ", labels);
	yg_event_table_last(LAST_FROM, labels, true, out);
	yg_buf_put(out, YG_SV(" TYPE bloom_filter(0.01) GRANULARITY 1"));
}

/* See YG_EVENT_HOUR.  By its name a table is known to have one. */
static const struct {
	const char *name, *keys;
} counters[] = {{"by_hour", "org, class_uid"}, {"by_verdict", "org, class_uid, verdict"}};

static void put_counter(size_t i, struct yg_buf *out)
{
	yg_buf_printf(out,
		      "PROJECTION %s (SELECT %s, " YG_EVENT_HOUR
		      " AS hour, count() GROUP BY %s, hour)",
		      counters[i].name, counters[i].keys, counters[i].keys);
}

bool yg_event_table_counted(struct yg_ch *ch)
{
	return yg_ch_version(ch) >= HOURS_FROM;
}

/* Before there was ede_code, tables and backups had the code plus 1 as a number, 0 for none. */
#define OLD_EDE "ede"
static const char ede_default[] = " DEFAULT if(" OLD_EDE " = 0, '', toString(" OLD_EDE " - 1))";

static void column_ddl(enum yg_event_field f, bool rich, bool old_ede, struct yg_buf *out)
{
	yg_buf_put(out, yg_sv_of(yg_event_columns[f].name));
	yg_buf_putc(out, ' ');
	bool few = rich && yg_event_columns[f].type == YG_ET_LSTR;
	yg_buf_put(out,
		   few ? YG_SV("LowCardinality(String)") : yg_sv_of(yg_event_columns[f].native));
	if (f == YG_EF_ede_code && old_ede)
		yg_buf_put(out, yg_sv_of(ede_default));
	if (rich)
		yg_buf_put(out, yg_sv_of(codec(f)));
}

void yg_event_table_ddl(const char *database, uint32_t version, struct yg_buf *out)
{
	bool rich = version >= RICH_FROM;
	yg_buf_printf(out, "CREATE TABLE IF NOT EXISTS %s." YG_EVENT_TABLE " (", database);
	for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++) {
		if (f > 0)
			yg_buf_put(out, YG_SV(", "));
		column_ddl((enum yg_event_field)f, rich, version >= HOURS_FROM, out);
	}
	if (version >= HOURS_FROM) /* an old backup can be taken in; nothing of it is kept */
		yg_buf_put(out, YG_SV(", " OLD_EDE " UInt16 EPHEMERAL"));
	if (rich)
		yg_buf_put(out, yg_sv_of(indexes));
	for (unsigned n = 2; version >= LAST_FROM && n <= YG_EVENT_LAST_MAX; n++) {
		yg_buf_put(out, YG_SV(", "));
		put_last_index(n, out);
	}
	for (size_t i = 0; version >= HOURS_FROM && i < YG_LEN(counters); i++) {
		yg_buf_put(out, YG_SV(", "));
		put_counter(i, out);
	}
	yg_buf_put(
		out,
		YG_SV(") ENGINE = MergeTree PARTITION BY day ORDER BY (org, time, spool, batch, row)"
		      " SETTINGS index_granularity = 8192"));
	if (rich) /* an acknowledged insert is on the disk, not only in the page cache */
		yg_buf_put(out, YG_SV(", fsync_after_insert = 1, fsync_part_directory = 1"));
}

static yg_status run_with(struct yg_ch *ch, const struct yg_buf *sql, struct yg_ch_query q,
			  struct yg_err *err)
{
	struct yg_buf none;
	yg_buf_init(&none, 4096);
	q.sql = yg_buf_sv(sql);
	yg_status st = sql->bad ? YG_FAIL(err, YG_NOMEM, "the statement is too long")
				: yg_ch_query(ch, &q, &none, err);
	yg_buf_free(&none);
	return st;
}

static yg_status run(struct yg_ch *ch, const struct yg_buf *sql, bool no_database,
		     struct yg_err *err)
{
	return run_with(ch, sql, (struct yg_ch_query){.no_database = no_database}, err);
}

/* The names of the table's columns, one per line. */
static yg_status column_names(struct yg_ch *ch, struct yg_buf *out, struct yg_err *err)
{
	struct yg_ch_param p[] = {{.name = "db", .value = yg_sv_of(yg_ch_database(ch))}};
	struct yg_ch_query q = {
		.sql = YG_SV("SELECT name FROM system.columns WHERE database = {db:String}"
			     " AND table = '" YG_EVENT_TABLE "'"),
		.format = "TabSeparated",
		.params = p,
		.param_count = 1};
	return yg_ch_query(ch, &q, out, err);
}

static bool has_line(struct yg_sv lines, const char *want)
{
	struct yg_sv line;
	while (yg_sv_cut(&lines, '\n', &line))
		if (yg_sv_eq(line, yg_sv_of(want)))
			return true;
	return false;
}

static yg_status add_columns(struct yg_ch *ch, struct yg_buf *sql, struct yg_err *err)
{
	struct yg_buf names;
	yg_buf_init(&names, 65536);
	yg_status st = column_names(ch, &names, err);
	for (unsigned f = 0; st == YG_OK && f < YG_EVENT_FIELD_COUNT; f++) {
		if (has_line(yg_buf_sv(&names), yg_event_columns[f].name))
			continue;
		sql->n = 0;
		yg_buf_printf(sql, "ALTER TABLE %s." YG_EVENT_TABLE " ADD COLUMN ",
			      yg_ch_database(ch));
		column_ddl((enum yg_event_field)f, yg_ch_version(ch) >= RICH_FROM,
			   has_line(yg_buf_sv(&names), OLD_EDE), sql);
		if (f > 0)
			yg_buf_printf(sql, " AFTER %s", yg_event_columns[f - 1].name);
		st = run(ch, sql, false, err);
	}
	yg_buf_free(&names);
	return st;
}

/* One number; 0 when there is none.  `name`: what {name:String} is, or NULL. */
static yg_status ask_count(struct yg_ch *ch, const char *sql, const char *name, uint64_t *out,
			   struct yg_err *err)
{
	struct yg_ch_param p[] = {{.name = "db", .value = yg_sv_of(yg_ch_database(ch))},
				  {.name = "name", .value = yg_sv_of(name)}};
	struct yg_ch_query q = {.sql = yg_sv_of(sql),
				.format = "RowBinary",
				.params = p,
				.param_count = name != NULL ? 2 : 1};
	struct yg_buf answer;
	yg_buf_init(&answer, 4096);
	yg_status st = yg_ch_query(ch, &q, &answer, err);
	struct yg_rd rd = yg_rd_init(answer.p, st == YG_OK ? answer.n : 0);
	*out = yg_rd_left(&rd) > 0 ? yg_rd_le64(&rd) : 0;
	yg_buf_free(&answer);
	return st;
}

/* A projection or an index. */
struct piece {
	const char *kind, *name;
	struct yg_sv ddl; /* "PROJECTION name (...)" */
};

/* A table from before a piece gets it.  What was in it is worked off behind its back,
 * part by part; until a part is done its events are read instead, so no answer is ever
 * wrong.  Broken off, the server goes on with it by itself. */
static yg_status add_piece(struct yg_ch *ch, const struct piece *p, struct yg_buf *sql,
			   struct yg_err *err)
{
	char text[80];
	struct yg_sb what = yg_sb_init(text, sizeof text);
	uint64_t there = 0, parts = 0;
	yg_sb_printf(&what, "%s %s ", p->kind, p->name);
	yg_status st =
		ask_count(ch,
			  "SELECT toUInt64(count()) FROM system.tables WHERE database = {db:String}"
			  " AND name = '" YG_EVENT_TABLE "' AND position(create_table_query,"
			  " {name:String}) > 0",
			  yg_sb_cstr(&what), &there, err);
	if (st != YG_OK || there > 0)
		return st;
	sql->n = 0;
	yg_buf_printf(sql, "ALTER TABLE %s." YG_EVENT_TABLE " ADD ", yg_ch_database(ch));
	yg_buf_put(sql, p->ddl);
	st = run(ch, sql, false, err);
	if (st == YG_OK)
		st = ask_count(ch,
			       "SELECT toUInt64(count()) FROM system.parts WHERE active"
			       " AND database = {db:String} AND table = '" YG_EVENT_TABLE "'",
			       NULL, &parts, err);
	if (st != YG_OK || parts == 0)
		return st;
	sql->n = 0;
	yg_buf_printf(sql, "ALTER TABLE %s." YG_EVENT_TABLE " MATERIALIZE %s %s",
		      yg_ch_database(ch), p->kind, p->name);
	return run_with(ch, sql, (struct yg_ch_query){.no_wait = true}, err);
}

static yg_status add_pieces(struct yg_ch *ch, struct yg_buf *sql, struct yg_err *err)
{
	char name[16];
	struct yg_buf ddl;
	yg_status st = YG_OK;
	yg_buf_init(&ddl, 4096);
	for (size_t i = 0; st == YG_OK && i < YG_LEN(counters) && yg_event_table_counted(ch); i++) {
		ddl.n = 0;
		put_counter(i, &ddl);
		st = add_piece(ch, &(struct piece){"PROJECTION", counters[i].name, yg_buf_sv(&ddl)},
			       sql, err);
	}
	for (unsigned n = 2;
	     st == YG_OK && n <= YG_EVENT_LAST_MAX && yg_ch_version(ch) >= LAST_FROM; n++) {
		struct yg_sb b = yg_sb_init(name, sizeof name);
		yg_sb_printf(&b, "ix_last%u", n);
		ddl.n = 0;
		put_last_index(n, &ddl);
		st = add_piece(ch, &(struct piece){"INDEX", yg_sb_cstr(&b), yg_buf_sv(&ddl)}, sql,
			       err);
	}
	yg_buf_free(&ddl);
	return st;
}

static bool plain_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= 64 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

yg_status yg_event_table_ensure(struct yg_ch *ch, struct yg_err *err)
{
	if (!plain_name(yg_ch_database(ch)))
		return YG_FAIL(err, YG_INVAL,
			       "the database's name holds letters, digits and _ only");
	uint32_t version = yg_ch_version(ch);
	if (version == 0)
		return YG_FAIL(err, YG_AGAIN, "event store: no answer");
	struct yg_buf sql;
	yg_buf_init(&sql, 65536);
	yg_buf_printf(&sql, "CREATE DATABASE IF NOT EXISTS %s", yg_ch_database(ch));
	yg_status st = run(ch, &sql, true, err);
	if (st == YG_OK) {
		sql.n = 0;
		yg_event_table_ddl(yg_ch_database(ch), version, &sql);
		st = run(ch, &sql, false, err);
	}
	if (st == YG_OK)
		st = add_columns(ch, &sql, err);
	if (st == YG_OK)
		st = add_pieces(ch, &sql, err);
	yg_buf_free(&sql);
	return st;
}

/* A string's length goes as a LEB128 number of at most 10 bytes. */
#define LENGTH_MAX 10u

static size_t room_strs(const struct yg_strs *s)
{
	size_t n = LENGTH_MAX;
	for (uint32_t i = 0; i < s->n; i++)
		n += s->v[i].n + LENGTH_MAX;
	return n;
}

static char *put_length(char *p, size_t n)
{
	while (n >= 0x80) {
		*p++ = (char)(n | 0x80);
		n >>= 7;
	}
	*p++ = (char)n;
	return p;
}

static char *put_str(char *p, const struct yg_sv *s)
{
	p = put_length(p, s->n);
	if (s->n > 0)
		memcpy(p, s->p, s->n);
	return p + s->n;
}

static char *put_strs(char *p, const struct yg_strs *s)
{
	p = put_length(p, s->n);
	for (uint32_t i = 0; i < s->n; i++)
		p = put_str(p, &s->v[i]);
	return p;
}

#define ROOM_I64(m)  sizeof(m)
#define ROOM_U64(m)  sizeof(m)
#define ROOM_U32(m)  sizeof(m)
#define ROOM_U16(m)  sizeof(m)
#define ROOM_U8(m)   sizeof(m)
#define ROOM_IP(m)   sizeof(m)
#define ROOM_STR(m)  ((m).n + LENGTH_MAX)
#define ROOM_LSTR(m) ((m).n + LENGTH_MAX)
#define ROOM_STRS(m) room_strs(&(m))

#define PUT_RAW(m)  (memcpy(p, &(m), sizeof(m)), p + sizeof(m))
#define PUT_I64(m)  PUT_RAW(m)
#define PUT_U64(m)  PUT_RAW(m)
#define PUT_U32(m)  PUT_RAW(m)
#define PUT_U16(m)  PUT_RAW(m)
#define PUT_U8(m)   PUT_RAW(m)
#define PUT_IP(m)   PUT_RAW(m)
#define PUT_STR(m)  put_str(p, &(m))
#define PUT_LSTR(m) put_str(p, &(m))
#define PUT_STRS(m) put_strs(p, &(m))

/* A row is written per event: straight code, made of the field table in its two
 * halves, takes half the time of a loop over yg_event_columns. */
static size_t room(const struct yg_event *ev)
{
#define X(member, type, path, doc) +ROOM_##type(ev->member)
	return 0 YG_EVENT_FIELDS(X);
#undef X
}

static char *put_flow(char *p, const struct yg_event *ev)
{
#define X(member, type, path, doc) p = PUT_##type(ev->member);
	YG_EVENT_FIELDS_FLOW(X)
#undef X
	return p;
}

static char *put_other(char *p, const struct yg_event *ev)
{
#define X(member, type, path, doc) p = PUT_##type(ev->member);
	YG_EVENT_FIELDS_OTHER(X)
#undef X
	return p;
}

void yg_event_row(const struct yg_event *ev, struct yg_buf *out)
{
	size_t n = out->n;
	char *start = yg_buf_room(out, room(ev));
	if (start != NULL)
		out->n = n + (size_t)(put_other(put_flow(start, ev), ev) - start);
}

static size_t get_length(struct yg_rd *rd)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t b = yg_rd_le8(rd);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	rd->bad = true;
	return 0;
}

static void get_str(struct yg_rd *rd, struct yg_sv *out)
{
	size_t n = get_length(rd);
	const uint8_t *p = yg_rd_take(rd, n);
	*out = p != NULL ? (struct yg_sv){(const char *)p, n} : (struct yg_sv){"", 0};
}

bool yg_event_value_read(struct yg_rd *rd, struct yg_sv *out)
{
	get_str(rd, out);
	return !rd->bad;
}

static void get_strs(struct yg_rd *rd, struct yg_arena *arena, struct yg_strs *out)
{
	size_t n = get_length(rd);
	*out = (struct yg_strs){0};
	if (rd->bad || n == 0)
		return;
	if (n > yg_rd_left(rd)) { /* each element takes a byte at least */
		rd->bad = true;
		return;
	}
	out->v = YG_NEW_N(arena, struct yg_sv, n);
	if (out->v == NULL) {
		rd->bad = true;
		return;
	}
	for (size_t i = 0; i < n && !rd->bad; i++)
		get_str(rd, &out->v[i]);
	out->n = (uint32_t)n;
}

static void get_raw(struct yg_rd *rd, void *out, size_t n)
{
	const uint8_t *p = yg_rd_take(rd, n);
	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

static void get_field(struct yg_rd *rd, struct yg_arena *arena, const struct yg_event_column *c,
		      void *out)
{
	switch (c->type) {
	case YG_ET_STR:
	case YG_ET_LSTR: get_str(rd, out); break;
	case YG_ET_STRS: get_strs(rd, arena, out); break;
	default: get_raw(rd, out, c->size); break;
	}
}

yg_status yg_event_row_read(struct yg_rd *rd, struct yg_arena *arena, struct yg_event *out,
			    struct yg_err *err)
{
	struct yg_event ev = {0};
	for (unsigned f = 0; f < YG_EVENT_FIELD_COUNT; f++)
		get_field(rd, arena, &yg_event_columns[f], (char *)&ev + yg_event_columns[f].at);
	if (rd->bad)
		return YG_FAIL(err, YG_PARSE,
			       "a row of the event table is cut short or larger than its arena");
	*out = ev;
	return YG_OK;
}

static yg_status insert_block(struct yg_ch *ch, const char *query_id, struct yg_sv rows,
			      struct yg_buf *block, struct yg_err *err)
{
	struct yg_buf names;
	char into[4096];
	uint64_t n;
	struct yg_sb b = yg_sb_init(into, sizeof into);
	block->n = 0;
	block->bad = false;
	block->limit = YG_MAX(block->cap, rows.n + rows.n / 2 + 65536);
	yg_buf_init(&names, sizeof into);
	(void)yg_buf_room(block,
			  rows.n); /* once, rather than by doubling; it only grows from here */
	yg_status st = yg_event_rows_native(rows, block, &names, &n, err);
	if (st == YG_OK) {
		yg_sb_put(&b, YG_SV(YG_EVENT_TABLE " "));
		yg_sb_put(&b, yg_buf_sv(&names));
		st = yg_ch_insert_as(ch, yg_sb_cstr(&b), "Native", query_id, yg_buf_sv(block), err);
	}
	yg_buf_free(&names);
	return st;
}

yg_status yg_event_table_insert(struct yg_ch *ch, const char *query_id, struct yg_sv rows,
				struct yg_err *err)
{
	struct yg_buf block;
	yg_buf_init(&block, rows.n);
	yg_status st = yg_event_table_insert_with(ch, query_id, rows, &block, err);
	yg_buf_free(&block);
	return st;
}

yg_status yg_event_table_insert_with(struct yg_ch *ch, const char *query_id, struct yg_sv rows,
				     struct yg_buf *block, struct yg_err *err)
{
	yg_status st;
	do {
		size_t n = yg_event_rows_cut(rows, YG_EVENT_BLOCK_MAX);
		st = insert_block(ch, query_id, yg_sv_sub(rows, 0, n), block, err);
		rows = yg_sv_sub(rows, n, rows.n - n);
	} while (st == YG_OK && rows.n > 0);
	return st;
}

yg_status yg_event_table_delivered(struct yg_ch *ch, uint32_t spool, uint64_t first, uint64_t last,
				   uint64_t *out_counts, struct yg_err *err)
{
	if (first > last || last - first >= DELIVERED_MAX)
		return YG_FAIL(err, YG_INVAL, "from 1 to %u batches can be asked for",
			       DELIVERED_MAX);
	char text[3][24];
	struct yg_sb b[3];
	const uint64_t values[3] = {spool, first, last};
	for (size_t i = 0; i < 3; i++) {
		b[i] = yg_sb_init(text[i], sizeof text[i]);
		yg_sb_u64(&b[i], values[i]);
	}
	struct yg_ch_param p[] = {{.name = "spool", .value = yg_sb_sv(&b[0])},
				  {.name = "first", .value = yg_sb_sv(&b[1])},
				  {.name = "last", .value = yg_sb_sv(&b[2])}};
	struct yg_ch_query q = {
		.sql = YG_SV("SELECT batch, count() FROM " YG_EVENT_TABLE
			     " WHERE spool = {spool:UInt32} AND batch >= {first:UInt64}"
			     " AND batch <= {last:UInt64} GROUP BY batch"),
		.format = "RowBinary",
		.params = p,
		.param_count = 3,
		.max_seconds = 120};
	struct yg_buf out;
	yg_buf_init(&out, 16u * DELIVERED_MAX);
	yg_status st = yg_ch_query(ch, &q, &out, err);
	if (st == YG_OK) {
		memset(out_counts, 0, (last - first + 1) * sizeof *out_counts);
		struct yg_rd rd = yg_rd_init(out.p, out.n);
		while (yg_rd_left(&rd) > 0 && !rd.bad) {
			uint64_t batch = yg_rd_le64(&rd), count = yg_rd_le64(&rd);
			if (!rd.bad && batch >= first && batch <= last)
				out_counts[batch - first] = count;
		}
		if (rd.bad)
			st = YG_FAIL(err, YG_CORRUPT, "event store: the answer is cut short");
	}
	yg_buf_free(&out);
	return st;
}

yg_status yg_event_table_rows(struct yg_ch *ch, uint32_t spool, uint64_t batch,
			      struct yg_arena *arena, uint32_t **out_rows, size_t *out_n,
			      struct yg_err *err)
{
	char spool_text[16], batch_text[24];
	struct yg_sb sb = yg_sb_init(spool_text, sizeof spool_text),
		     bb = yg_sb_init(batch_text, sizeof batch_text);
	yg_sb_u64(&sb, spool);
	yg_sb_u64(&bb, batch);
	struct yg_ch_param p[] = {{.name = "spool", .value = yg_sb_sv(&sb)},
				  {.name = "batch", .value = yg_sb_sv(&bb)}};
	struct yg_ch_query q = {.sql = YG_SV("SELECT row FROM " YG_EVENT_TABLE
					     " WHERE spool = {spool:UInt32}"
					     " AND batch = {batch:UInt64} ORDER BY row"),
				.format = "RowBinary",
				.params = p,
				.param_count = 2,
				.max_seconds = 120};
	struct yg_buf out;
	yg_buf_init(&out, 4u * YG_BATCH_PLAIN_MAX);
	yg_status st = yg_ch_query(ch, &q, &out, err);
	size_t n = out.n / sizeof(uint32_t);
	uint32_t *rows = st == YG_OK ? YG_NEW_N(arena, uint32_t, n > 0 ? n : 1) : NULL;
	if (st == YG_OK && rows == NULL) {
		st = YG_FAIL(err, YG_NOMEM, "the row numbers of one batch");
	} else if (st == YG_OK) {
		if (n > 0)
			memcpy(rows, out.p, n * sizeof *rows);
		*out_rows = rows;
		*out_n = n;
	}
	yg_buf_free(&out);
	return st;
}

static yg_status drop(struct yg_ch *ch, struct yg_sv day, struct yg_err *err)
{
	struct yg_buf sql;
	yg_buf_init(&sql, 4096);
	yg_buf_printf(&sql, "ALTER TABLE %s." YG_EVENT_TABLE " DROP PARTITION " YG_SV_FMT,
		      yg_ch_database(ch), YG_SV_ARG(day));
	yg_status st = run(ch, &sql, false, err);
	yg_buf_free(&sql);
	return st;
}

yg_status yg_event_table_retain(struct yg_ch *ch, uint32_t day, uint32_t *out_dropped,
				struct yg_err *err)
{
	struct yg_ch_param p[] = {{.name = "db", .value = yg_sv_of(yg_ch_database(ch))}};
	struct yg_ch_query q = {
		.sql = YG_SV("SELECT DISTINCT partition FROM system.parts WHERE active"
			     " AND database = {db:String} AND table = '" YG_EVENT_TABLE "'"
			     " ORDER BY partition"),
		.format = "TabSeparated",
		.params = p,
		.param_count = 1};
	struct yg_buf out;
	yg_buf_init(&out, 1u << 20);
	yg_status st = yg_ch_query(ch, &q, &out, err);
	uint32_t dropped = 0;
	struct yg_sv rest = yg_buf_sv(&out), line;
	while (st == YG_OK && yg_sv_cut(&rest, '\n', &line)) {
		uint64_t at;
		if (yg_parse_u64(line, &at, NULL) != YG_OK || at >= day)
			continue;
		st = drop(ch, line, err);
		dropped += st == YG_OK;
	}
	*out_dropped = dropped;
	yg_buf_free(&out);
	return st;
}
