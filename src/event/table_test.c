#include "event/table.h"

#include "tap.h"

static struct yg_event sample(struct yg_sv *list)
{
	list[0] = YG_SV("evil.example");
	list[1] = YG_SV("");
	struct yg_event ev = {0};
	ev.org = YG_SV("acme");
	ev.time = -1;
	ev.batch = UINT64_MAX;
	ev.row = 7;
	ev.src_port = 65535;
	ev.severity_id = 255;
	ev.src_ip.b[0] = 0x20;
	ev.src_ip.b[15] = 1;
	ev.names = (struct yg_strs){list, 2};
	ev.raw = YG_SV("a\0b\n");
	return ev;
}

static void round_trip(void)
{
	struct yg_sv list[2];
	struct yg_event ev = sample(list), got;
	char big[300];
	memset(big, 'x', sizeof big);
	ev.url = (struct yg_sv){big, sizeof big}; /* a length of two bytes */
	struct yg_buf b;
	yg_buf_init(&b, 1u << 20);
	yg_event_row(&ev, &b);
	yg_event_row(&ev, &b);
	struct yg_arena arena;
	yg_arena_init(&arena, 1u << 20);
	struct yg_rd rd = yg_rd_init(b.p, b.n);
	for (int i = 0; i < 2; i++) {
		T_OK(yg_event_row_read(&rd, &arena, &got, NULL) == YG_OK);
		T_OK(yg_sv_eq(got.org, ev.org) && got.time == -1 && got.batch == UINT64_MAX &&
		     got.row == 7);
		T_OK(got.src_port == 65535 && got.severity_id == 255 &&
		     yg_ip_eq(got.src_ip, ev.src_ip));
		T_OK(got.names.n == 2 && yg_sv_eq(got.names.v[0], list[0]) &&
		     got.names.v[1].n == 0);
		T_OK(yg_sv_eq(got.url, ev.url) && yg_sv_eq(got.raw, ev.raw) && got.answers.n == 0);
	}
	T_OK(yg_rd_done(&rd));
	size_t cuts = 0;
	for (size_t n = 0; n < b.n / 2; n++) {
		struct yg_rd cut = yg_rd_init(b.p, n);
		cuts += yg_event_row_read(&cut, &arena, &got, NULL) != YG_OK;
		yg_arena_reset(&arena);
	}
	T_NAMED(cuts == b.n / 2, "a row cut anywhere is refused");
	yg_arena_free(&arena);
	yg_buf_free(&b);
}

static void native(void)
{
	struct yg_sv list[2];
	struct yg_event ev = sample(list), plain = {.org = YG_SV("b"), .row = 1};
	struct yg_buf rows, out, names;
	uint64_t n = 0;
	yg_buf_init(&rows, 1u << 20);
	yg_buf_init(&out, 1u << 20);
	yg_buf_init(&names, 4096);
	yg_event_row(&ev, &rows);
	yg_event_row(&plain, &rows);
	T_OK(yg_event_rows_native(yg_buf_sv(&rows), &out, &names, &n, NULL) == YG_OK && n == 2);
	T_OK(yg_sv_eq(yg_buf_sv(&names),
		      YG_SV("(org,batch,row,time,severity_id,src_ip,src_port,names,raw)")));
	static const char begin[] = "\x09\x02\x03org\x06String\x04"
				    "acme\x01"
				    "b\x05"
				    "batch\x06UInt64\xff\xff\xff\xff\xff\xff\xff\xff"
				    "\0\0\0\0\0\0\0\0\x03row\x06UInt32\x07\0\0\0\x01\0\0\0";
	T_NAMED(yg_sv_starts(yg_buf_sv(&out), (struct yg_sv){begin, sizeof begin - 1}),
		"columns, each with all its rows");
	static const char end[] = "\x05names\x0d"
				  "Array(String)\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x0c"
				  "evil.example\0"
				  "\x03raw\x06String\x04"
				  "a\0b\n\0";
	T_NAMED(yg_sv_ends(yg_buf_sv(&out), (struct yg_sv){end, sizeof end - 1}),
		"a list: ends, then its strings");
	size_t refused = 0;
	for (size_t i = 1; i < rows.n; i++) {
		out.n = names.n = 0;
		refused += yg_event_rows_native((struct yg_sv){rows.p, i}, &out, &names, &n,
						NULL) != YG_OK;
	}
	T_NAMED(refused == rows.n - 2, "cut rows are refused");
	size_t one = yg_event_rows_cut(yg_buf_sv(&rows), rows.n - 1);
	T_OK(one > 0 && one < rows.n && yg_event_rows_cut(yg_buf_sv(&rows), 1) == one);
	T_OK(yg_event_rows_cut(yg_buf_sv(&rows), rows.n) == rows.n &&
	     yg_event_rows_cut(YG_SV("abc"), 1) == 3);
	T_OK(yg_event_rows_native(YG_SV(""), &out, &names, &n, NULL) == YG_INVAL);
	yg_buf_free(&rows);
	yg_buf_free(&out);
	yg_buf_free(&names);
}

static void limits(void)
{
	struct yg_sv list[2];
	struct yg_event ev = sample(list);
	struct yg_buf b;
	yg_buf_init(&b, 300);
	while (!b.bad)
		yg_event_row(&ev, &b);
	T_NAMED(b.n <= 300, "a full buffer says so and holds whole rows");
	yg_buf_free(&b);
	uint64_t counts[1];
	T_OK(yg_event_table_delivered(NULL, 0, 2, 1, counts, NULL) == YG_INVAL);
	T_OK(yg_event_table_delivered(NULL, 0, 0, 65536, counts, NULL) == YG_INVAL);
}

static void ddl(void)
{
	struct yg_buf b;
	yg_buf_init(&b, 1u << 16);
	yg_event_table_ddl("yagura", 1816, &b);
	T_OK(!b.bad && !yg_sv_has(yg_buf_sv(&b), YG_SV("LowCardinality")) &&
	     !yg_sv_has(yg_buf_sv(&b), YG_SV("CODEC")) &&
	     !yg_sv_has(yg_buf_sv(&b), YG_SV("INDEX ")));
	b.n = 0;
	yg_event_table_ddl("yagura", 2607, &b);
	T_OK(!b.bad && yg_sv_has(yg_buf_sv(&b), YG_SV("org LowCardinality(String)")) &&
	     yg_sv_has(yg_buf_sv(&b), YG_SV("ix_names")) &&
	     yg_sv_has(yg_buf_sv(&b), YG_SV("PARTITION BY day")));
	struct yg_sv rest = yg_event_table_columns(), name;
	size_t n = 0;
	while (yg_sv_cut(&rest, ',', &name))
		n++;
	T_OK(n == YG_EVENT_FIELD_COUNT);
	yg_buf_free(&b);
}

int main(void)
{
	round_trip();
	native();
	limits();
	ddl();
	return tap_done();
}
