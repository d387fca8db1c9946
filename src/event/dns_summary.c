#include "event/dns_summary.h"

#include "event/search_internal.h"

#define SECONDS     15u
#define BUCKETS_MAX 200u
#define ROWS_MAX    (8u * YG_DNS_SUM_ROWS)

static const char groups[] =
	"SELECT toUInt8(multiIf(grouping(verdict) = 0, 1, grouping(origin) = 0, 2, "
	"grouping(policy) = 0, 3, grouping(network) = 0, 5, grouping(org) = 0, 4, 6)) AS kind, "
	"toString(multiIf(kind = 1, verdict, kind = 2, origin, kind = 3, policy, org)), "
	"toString(if(kind = 3, layer, network)), toString(category), toString(trigger), at, "
	"toUInt64(count()) AS n, toUInt64(countIf(verdict IN ('blocked', 'dropped'))), "
	"toUInt64(countIf(verdict = 'noted')), toUInt64(countIf(verdict IN ('refused', 'failed'))), "
	"toUInt64(0), toUInt64(0), toInt64(max(time)) FROM (SELECT verdict, origin, policy, layer, "
	"category, trigger, org, network, time, ";
static const char sets[] =
	") GROUP BY GROUPING SETS ((verdict), (origin), (policy, layer, category, trigger), (org), "
	"(org, network), (at)) ORDER BY kind, n DESC, at";
static const char names[] =
	"SELECT toUInt8(7), query, toString(any(policy)), toString(any(category)), "
	"toString(any(layer)), toUInt32(0), toUInt64(count()) AS n, n, toUInt64(0), toUInt64(0), "
	"toUInt64(uniq(src_ip)), toUInt64(uniq(org)), toInt64(max(time)) FROM " YG_EVENT_TABLE;

static void put_where(struct yg_buf *sql, const struct yg_search_scope *scope)
{
	yg_buf_printf(sql,
		      " WHERE class_uid = 4003 AND verdict != '' AND time >= %lld AND time < %lld",
		      (long long)scope->from.us, (long long)scope->to.us);
}

static void round_off(const struct yg_search_scope *scope, uint32_t buckets,
		      struct yg_dns_summary *out)
{
	static const int64_t widths_s[] = {10,   30,    60,    300,   600,   1800,  3600,
					   7200, 10800, 21600, 43200, 86400, 604800};
	int64_t span = scope->to.us - scope->from.us;
	size_t i = 0;
	buckets = YG_MAX(YG_MIN(buckets, BUCKETS_MAX), 1u);
	while (i + 1 < YG_LEN(widths_s) && widths_s[i] * YG_US_PER_S < span / buckets)
		i++;
	out->width_us = widths_s[i] * YG_US_PER_S;
	while (span / out->width_us > BUCKETS_MAX * 2)
		out->width_us *= 2;
	out->from_us = scope->from.us - scope->from.us % out->width_us;
	out->buckets = (size_t)((scope->to.us - out->from_us + out->width_us - 1) / out->width_us);
}

static struct yg_sv read_text(struct yg_rd *rd, struct yg_arena *arena)
{
	uint64_t n = 0;
	unsigned shift = 0;
	uint8_t b;
	do {
		b = yg_rd_le8(rd);
		n |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while ((b & 0x80) != 0 && shift < 35 && !rd->bad);
	const uint8_t *p = yg_rd_take(rd, n);
	return p == NULL ? (struct yg_sv){NULL, 0}
			 : yg_arena_dup(arena, (struct yg_sv){(const char *)p, n});
}

static bool read_row(struct yg_rd *rd, struct yg_arena *arena, struct yg_dns_sum *r)
{
	*r = (struct yg_dns_sum){.group = (enum yg_dns_group)yg_rd_le8(rd)};
	r->a = read_text(rd, arena);
	r->b = read_text(rd, arena);
	r->c = read_text(rd, arena);
	r->d = read_text(rd, arena);
	r->at = yg_rd_le32(rd);
	uint64_t *const counts[] = {&r->n,      &r->blocked, &r->noted,
				    &r->failed, &r->clients, &r->orgs};
	for (size_t i = 0; i < YG_LEN(counts); i++)
		*counts[i] = yg_rd_le64(rd);
	r->last_us = (int64_t)yg_rd_le64(rd);
	return !rd->bad && r->a.p != NULL && r->b.p != NULL && r->c.p != NULL && r->d.p != NULL;
}

static yg_status ask(struct yg_ch *ch, struct yg_buf *sql, struct yg_arena *arena,
		     struct yg_dns_summary *out, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf answer = {0};
	struct yg_ch_query q = {
		.sql = yg_buf_sv(sql), .format = "RowBinary", .max_seconds = SECONDS};
	yg_buf_init(&answer, 8u << 20);
	if (sql->bad)
		return YG_FAIL(err, YG_LIMIT, "the search is too long");
	yg_status st = yg_ch_query(ch, &q, &answer, err);
	struct yg_rd rd = yg_rd_init(answer.p, st == YG_OK ? answer.n : 0);
	while (st == YG_OK && yg_rd_left(&rd) > 0 && out->n < ROWS_MAX) {
		struct yg_dns_sum *r = &out->rows[out->n];
		if (!read_row(&rd, arena, r))
			return YG_FAIL(err, YG_CORRUPT, "event store: the answer is not a summary");
		if (r->group != YG_DNS_BY_TIME || r->at < out->buckets)
			out->n++;
	}
	return st;
}

yg_status yg_dns_summary_run(struct yg_ch *ch, const struct yg_search_scope *scope,
			     uint32_t buckets, struct yg_arena *arena, struct yg_dns_summary *out,
			     struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0};
	*out = (struct yg_dns_summary){.rows = YG_NEW_N(arena, struct yg_dns_sum, ROWS_MAX)};
	if (out->rows == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a summary");
	round_off(scope, buckets, out);
	if (!scope->all_orgs && scope->org_count == 0 && scope->system_count == 0)
		return YG_OK;
	yg_buf_init(&sql, 1u << 20);
	yg_buf_put(&sql, yg_sv_of(groups));
	yg_buf_printf(&sql, "toUInt32(intDiv(time - %lld, %lld)) AS at FROM " YG_EVENT_TABLE,
		      (long long)out->from_us, (long long)out->width_us);
	put_where(&sql, scope);
	yg_status st = yg_search_put_scope(&sql, scope, err);
	yg_buf_put(&sql, yg_sv_of(sets));
	yg_buf_printf(&sql, " LIMIT %u BY kind", YG_DNS_SUM_ROWS);
	if (st == YG_OK)
		st = ask(ch, &sql, arena, out, err);
	if (st != YG_OK)
		return st;
	sql.n = 0;
	yg_buf_put(&sql, yg_sv_of(names));
	put_where(&sql, scope);
	yg_buf_put(&sql, YG_SV(" AND verdict IN ('blocked', 'dropped')"));
	st = yg_search_put_scope(&sql, scope, err);
	yg_buf_printf(&sql, " GROUP BY query ORDER BY n DESC, query LIMIT %u", YG_DNS_SUM_NAMES);
	return st == YG_OK ? ask(ch, &sql, arena, out, err) : st;
}

#define BLOCKED                                                                                    \
	" FROM " YG_EVENT_TABLE " WHERE class_uid = 4003 AND verdict IN ('blocked', 'dropped')"
#define ROW "SELECT toUInt8(4), org, '', '', '', toUInt32(0), "
static_assert(YG_DNS_BY_ORG == 4, "what the rows say they are");

/* Both periods from the events themselves. */
static yg_status put_blocks(struct yg_buf *sql, const struct yg_search_scope *scope,
			    int64_t before_us, struct yg_err *err)
{
	yg_buf_printf(sql,
		      ROW "toUInt64(count()) AS n, toUInt64(countIf(time >= %lld)),"
			  " toUInt64(countIf(time < %lld)), toUInt64(0), toUInt64(0), toUInt64(0),"
			  " toInt64(0)" BLOCKED " AND time >= %lld AND time < %lld",
		      (long long)scope->from.us, (long long)scope->from.us, (long long)before_us,
		      (long long)scope->to.us);
	return yg_search_put_scope(sql, scope, err);
}

/* Whole hours as the table's counters know them (table.h); of the hour that has begun, the
 * events. */
static yg_status put_counted_blocks(struct yg_buf *sql, const struct yg_search_scope *scope,
				    int64_t before_us, struct yg_err *err)
{
	int64_t end = scope->to.us / YG_EVENT_HOUR_US;
	yg_buf_printf(
		sql,
		ROW
		"toUInt64(sum(k)) AS n, toUInt64(sumIf(k, late)), toUInt64(sumIf(k, NOT late)),"
		" toUInt64(0), toUInt64(0), toUInt64(0), toInt64(0) FROM (SELECT org, " YG_EVENT_HOUR
		" >= %lld AS late, toUInt64(count()) AS k" BLOCKED " AND " YG_EVENT_HOUR
		" >= %lld AND " YG_EVENT_HOUR " < %lld",
		(long long)(scope->from.us / YG_EVENT_HOUR_US),
		(long long)(before_us / YG_EVENT_HOUR_US), (long long)end);
	yg_status st = yg_search_put_scope(sql, scope, err);
	yg_buf_put(sql, YG_SV(" GROUP BY org, late"));
	if (st == YG_OK && scope->to.us > end * YG_EVENT_HOUR_US) {
		yg_buf_printf(
			sql,
			" UNION ALL SELECT org, time >= %lld AS late, toUInt64(count()) AS k" BLOCKED
			" AND time >= %lld AND time < %lld",
			(long long)scope->from.us, (long long)(end * YG_EVENT_HOUR_US),
			(long long)scope->to.us);
		st = yg_search_put_scope(sql, scope, err);
		yg_buf_put(sql, YG_SV(" GROUP BY org, late"));
	}
	yg_buf_put(sql, YG_SV(")"));
	return st;
}

yg_status yg_dns_blocks_run(struct yg_ch *ch, const struct yg_search_scope *scope,
			    int64_t before_us, struct yg_arena *arena, struct yg_dns_summary *out,
			    struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf sql = {0};
	*out = (struct yg_dns_summary){.rows = YG_NEW_N(arena, struct yg_dns_sum, ROWS_MAX)};
	if (out->rows == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a summary");
	if (!scope->all_orgs && scope->org_count == 0 && scope->system_count == 0)
		return YG_OK;
	bool hours = scope->from.us % YG_EVENT_HOUR_US == 0 && before_us % YG_EVENT_HOUR_US == 0 &&
		     before_us > 0;
	bool whole =
		scope->system_count == 0 && scope->period_from.us == 0 && scope->period_to.us == 0;
	yg_buf_init(&sql, 1u << 20);
	yg_status st = hours && whole && yg_event_table_counted(ch)
			       ? put_counted_blocks(&sql, scope, before_us, err)
			       : put_blocks(&sql, scope, before_us, err);
	yg_buf_printf(&sql, " GROUP BY org ORDER BY n DESC, org LIMIT %u", YG_DNS_SUM_ROWS);
	return st == YG_OK ? ask(ch, &sql, arena, out, err) : st;
}
