#include "event/demo.h"

#include "base/codec.h"
#include "tap.h"

struct sums {
	uint64_t batches, records, parsed, unparsed, bytes, most;
	uint32_t crc;
	bool in_day, filled;
	uint64_t past_days; /* bits of the days before the last one that have records, by tens */
	uint64_t past, by_source[YG_SOURCE_COUNT], bad_names, failed_sign_ins;
};

static const yg_wall now = {1781524800LL * YG_US_PER_S + 123456789};

static void normalize(const struct yg_demo_batch *b, struct sums *s)
{
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	if (yg_norm_new(b->source, NULL, &n, NULL) != YG_OK)
		return;
	yg_norm_begin(n, b->bytes, now, false);
	while (yg_norm_next(n, &ev)) {
		int64_t age = now.us - ev.time;
		s->in_day = s->in_day && age > 0 && age <= 91 * YG_US_PER_DAY + 600 * YG_US_PER_S;
		s->past += age > YG_US_PER_DAY + 600 * YG_US_PER_S;
		s->past_days |= UINT64_C(1) << age / (10 * YG_US_PER_DAY);
		s->bad_names += yg_sv_ends(ev.query, YG_SV(".shadowfox.example"));
		s->failed_sign_ins += ev.class_uid == YG_OCSF_AUTHENTICATION && ev.status_id == 2;
	}
	s->parsed += yg_norm_records(n);
	s->unparsed += yg_norm_unparsed(n);
	yg_norm_free(n);
}

static struct sums run(uint64_t seed, uint64_t records, bool parse)
{
	struct sums s = {.in_day = true, .filled = true};
	struct yg_demo *d = NULL;
	struct yg_demo_batch b;
	if (yg_demo_new(seed, now, records, &d, NULL) != YG_OK)
		abort();
	while (yg_demo_next(d, &b)) {
		s.batches = b.at;
		s.filled = s.filled && b.bytes.n > 0 && b.records > 0;
		s.records += b.records;
		s.bytes += b.bytes.n;
		s.most = YG_MAX(s.most, (uint64_t)b.bytes.n);
		s.by_source[b.source] += b.records;
		s.crc = yg_crc32c(s.crc, b.bytes.p, b.bytes.n);
		s.crc = yg_crc32c(s.crc, b.id.p, b.id.n);
		if (parse)
			normalize(&b, &s);
	}
	T_OK(!yg_demo_failed(d) && s.filled && s.batches <= yg_demo_batches(d));
	yg_demo_free(d);
	return s;
}

int main(void)
{
	struct sums a = run(1, 0, true), again = run(1, 0, false), other = run(2, 0, false),
		    few = run(1, 3000, true);
	(void)printf("# %d batches, %d records, %d bytes, the largest %d\n", (int)a.batches,
		     (int)a.records, (int)a.bytes, (int)a.most);
	T_OK(a.records >= 190000 && a.records <= 210000);
	T_OK(a.parsed == a.records && a.unparsed == 0);
	T_OK(a.in_day && a.past > 30000 && a.past < 50000);
	T_NAMED((a.past_days & 0x1ff) == 0x1ff, "every ten days of the last ninety have some");
	T_NAMED(few.parsed == few.records && few.records > 2000 && few.unparsed == 0,
		"a small one has no empty batch");
	T_OK(a.crc == again.crc && a.crc != other.crc);
	T_OK(a.most <= 4194304);
	T_OK(a.by_source[YG_SOURCE_ZEEK] > 90000 && a.by_source[YG_SOURCE_SURICATA] > 60000);
	T_OK(a.by_source[YG_SOURCE_CLOUDTRAIL] > 10000);
	T_OK(a.bad_names > 50 && a.failed_sign_ins == 40);

	struct yg_buf csv;
	yg_buf_init(&csv, 65536);
	yg_demo_indicators(&csv);
	size_t lines = 0;
	for (size_t i = 0; i < csv.n; i++)
		lines += csv.p[i] == '\n';
	T_OK(!csv.bad && lines == 201);
	T_OK(yg_sv_starts(
		yg_buf_sv(&csv),
		YG_SV("indicator,type,category,family\nc2-00.shadowfox.example,domain,c2,shadowfox\n")));
	yg_buf_free(&csv);
	struct yg_demo *d = NULL;
	T_OK(yg_demo_new(1, now, 1000001, &d, NULL) == YG_INVAL);
	return tap_done();
}
