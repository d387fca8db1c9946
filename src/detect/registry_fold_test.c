/* What rules did, by hour and then by day: nothing that is asked for changes by the fold. */
#include <stdio.h>

#include "detect/registry_internal.h"
#include "tap.h"

#define HOUR   (INT64_C(3600) * YG_US_PER_S)
#define HOURS  (35 * 24)
#define RULES  3
#define ORGS   2
#define ANSWER 65536

static const yg_wall now = {INT64_C(1764000000) * YG_US_PER_S + 12345}; /* within an hour */
static const struct yg_sv rules[RULES] = {YG_SV_INIT(""), YG_SV_INIT("r-1"), YG_SV_INIT("r-2")},
			  orgs[ORGS] = {YG_SV_INIT("alpha"), YG_SV_INIT("beta")};
static struct yg_arena arena;
static struct yg_err err;

static int64_t number(struct yg_state *db, const char *sql)
{
	struct yg_stmt *s = NULL;
	bool row = false;
	int64_t n = -1;
	if (yg_state_prepare(db, sql, &s, &err) == YG_OK && yg_stmt_step(s, &row, &err) == YG_OK &&
	    row)
		n = yg_col_i64(s, 0);
	yg_stmt_done(s);
	return n;
}

static struct yg_detect_stat at_hour(int rule, int org, int64_t at)
{
	uint64_t n = (uint64_t)(at / HOUR);
	return (struct yg_detect_stat){.rule = rules[rule],
				       .org = orgs[org],
				       .at = {at + 7},
				       .looked_at = 100 + n % 7,
				       .hits = (n * 5 + (uint64_t)rule) % 11 == 0,
				       .excepted = n % 13 == 0,
				       .cost_ns = 1000 + n % 100};
}

/* Every hour of five weeks. */
static struct yg_state *filled(void)
{
	struct yg_state *db = NULL;
	bool good = yg_state_open(":memory:", &db, &err) == YG_OK &&
		    yg_state_migrate(db, &err) == YG_OK && yg_state_begin(db, &err) == YG_OK;
	for (int h = 0; good && h < HOURS * RULES * ORGS; h++) {
		struct yg_detect_stat s =
			at_hour(h % RULES, h / RULES % ORGS, now.us - h / (RULES * ORGS) * HOUR);
		good = yg_detect_stat_add(db, &s, &err) == YG_OK;
	}
	T_OK(good && yg_state_commit(db, &err) == YG_OK);
	return db;
}

static void put_hours(struct yg_state *db, const struct yg_reach *reach, int64_t from, int64_t to,
		      struct yg_sb *b)
{
	const struct yg_drule_hours_of of = {
		.rule = rules[1], .reach = *reach, .from = {from}, .to = {to}, .now = now};
	struct yg_detect_hour *list = NULL;
	size_t n = 0;
	T_OK(yg_drule_hours(db, &of, &arena, &list, &n, &err) == YG_OK);
	for (size_t i = 0; i < n; i++)
		yg_sb_printf(b, "%lld %d: %lld %lld %lld %lld\n", (long long)list[i].hour.us,
			     list[i].day, (long long)list[i].looked_at, (long long)list[i].hits,
			     (long long)list[i].excepted, (long long)list[i].cost_ns);
}

/* Everything that is asked for, within a reach, as text. */
static void ask(struct yg_state *db, const struct yg_reach *reach, struct yg_sb *b)
{
	struct yg_drule_numbers n[RULES];
	int64_t cost = 0;
	T_OK(yg_drule_numbers(db, rules, RULES, reach, now, n, &err) == YG_OK &&
	     yg_drule_cost(db, reach, now, &cost, &err) == YG_OK);
	for (int i = 0; i < RULES; i++)
		yg_sb_printf(b, "%lld %lld %lld %lld %lld\n", (long long)n[i].hits_24h,
			     (long long)n[i].hits_30d, (long long)n[i].excepted_30d,
			     (long long)n[i].cost_24h_ns, (long long)n[i].last.us);
	yg_sb_printf(b, "%lld\n", (long long)cost);
	put_hours(db, reach, 0, now.us, b);
	put_hours(db, reach, now.us - 20 * YG_US_PER_DAY + 5 * HOUR,
		  now.us - 15 * YG_US_PER_DAY + 3 * HOUR, b);
	put_hours(db, reach, now.us - 7 * YG_US_PER_DAY, now.us, b);
}

/* Of the whole, of one organisation, and of auditors whose period begins and ends within a day. */
static void ask_all(struct yg_state *db, struct yg_sb *b)
{
	const struct yg_reach reaches[] = {
		YG_REACH_ALL,
		yg_reach_one(&orgs[1]),
		{.all = true,
		 .from = {now.us - 25 * YG_US_PER_DAY},
		 .to = {now.us - 12 * YG_US_PER_DAY}},
		{.all = true, .from = {now.us - 25 * YG_US_PER_DAY}, .to = {now.us - 3 * HOUR}},
	};
	for (size_t i = 0; i < YG_LEN(reaches); i++)
		ask(db, &reaches[i], b);
	(void)yg_sb_cstr(b);
}

static void test_same(void)
{
	static char before[ANSWER], after[ANSWER];
	YG_AUTO(yg_state_closep) struct yg_state *db = filled();
	struct yg_sb b = yg_sb_init(before, sizeof before);
	uint64_t rows = 1, all = 0, steps = 0;
	int64_t was = number(db, "SELECT count(*) FROM detect_stat");
	int64_t sum = number(db, "SELECT sum(looked_at * 3 + hits * 5 + excepted * 7 + cost_ns)"
				 " FROM detect_stat");
	ask_all(db, &b);
	T_OK(was == (int64_t)HOURS * RULES * ORGS && !b.cut);
	bool same = true;
	while (rows > 0 && steps < 1000) { /* a rule and a day at a time, as if it was broken off */
		T_OK(yg_detect_stat_fold(db, now, 1, &rows, &err) == YG_OK);
		T_OK(rows <= 23 * ORGS);
		all += rows;
		steps++;
		struct yg_sb a = yg_sb_init(after, sizeof after);
		if (steps % 7 == 1 || rows == 0) {
			ask_all(db, &a);
			same = same && !a.cut && yg_sv_eq(yg_sb_sv(&a), yg_sb_sv(&b));
			yg_arena_reset(&arena);
		}
	}
	T_NAMED(same, "at no step anything that is asked for is another");
	T_OK(sum == number(db, "SELECT sum(looked_at * 3 + hits * 5 + excepted * 7 + cost_ns)"
			       " FROM detect_stat"));
	/* 27 or 28 whole days are more than a week ago: a row of each is left */
	int64_t left = number(db, "SELECT count(*) FROM detect_stat");
	T_NAMED(left < was / 3 && left >= 7 * 24 * RULES * ORGS && (int64_t)all > was - left,
		"a row is left of a day");
	T_NAMED(number(db, "SELECT count(*) FROM detect_stat WHERE hour < 1764000000000000"
			   " - 8 * 86400000000 AND (hour + 32400000000) % 86400000000 <> 0") == 0,
		"of days of Japan");
}

/* What is counted for a day that is folded already is folded, too; and it goes with its day. */
static void test_late(void)
{
	YG_AUTO(yg_state_closep) struct yg_state *db = filled();
	uint64_t rows = 0;
	int64_t day = yg_stat_day(now.us - 20 * YG_US_PER_DAY);
	T_OK(yg_detect_stat_fold(db, now, UINT64_MAX, &rows, &err) == YG_OK && rows > 0);
	T_OK(yg_detect_stat_fold(db, now, UINT64_MAX, &rows, &err) == YG_OK && rows == 0);
	int64_t was = number(db, "SELECT sum(hits) FROM detect_stat"),
		n = number(db, "SELECT count(*) FROM detect_stat");
	struct yg_detect_stat s = at_hour(1, 0, day + 5 * HOUR);
	s.hits = 40;
	T_OK(yg_detect_stat_add(db, &s, &err) == YG_OK &&
	     number(db, "SELECT count(*) FROM detect_stat") == n + 1);
	T_OK(yg_detect_stat_fold(db, now, UINT64_MAX, &rows, &err) == YG_OK && rows == 1);
	T_OK(number(db, "SELECT count(*) FROM detect_stat") == n &&
	     number(db, "SELECT sum(hits) FROM detect_stat") == was + 40 &&
	     number(db, "SELECT max(hits) FROM detect_stat") >= 40);
	const yg_wall later = {day + 93 * YG_US_PER_DAY + HOUR};
	for (int i = 0; i < 4; i++)
		T_OK(yg_detect_stat_stale(db, later, &err) == YG_OK);
	T_NAMED(number(db, "SELECT min(hour) FROM detect_stat") == day + YG_US_PER_DAY,
		"days older than 92 go as a whole");
}

/* An auditor's period: of a day that it has a part of nothing is told once it is kept as one. */
static void test_period(void)
{
	const struct yg_reach in = {.all = true,
				    .from = {now.us - 25 * YG_US_PER_DAY},
				    .to = {now.us - 12 * YG_US_PER_DAY}};
	struct yg_stat_window w = yg_stat_window(&in, now, 90 * YG_US_PER_DAY);
	T_OK(w.from_us >= in.from.us && w.to_us <= in.to.us &&
	     w.from_us == yg_stat_day(w.from_us) && w.to_us == yg_stat_day(w.to_us));
	T_OK(w.from_us - in.from.us < YG_US_PER_DAY && in.to.us - w.to_us < YG_US_PER_DAY);
	const struct yg_reach recent = {
		.all = true, .from = {now.us - 5 * HOUR}, .to = {now.us - 2 * HOUR}};
	w = yg_stat_window(&recent, now, YG_US_PER_DAY);
	T_OK(w.from_us == recent.from.us && w.to_us == recent.to.us - recent.to.us % HOUR);
}

int main(void)
{
	yg_arena_init(&arena, 64 << 20);
	test_same();
	test_late();
	test_period();
	yg_arena_free(&arena);
	return tap_done();
}
