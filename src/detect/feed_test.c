/* The message between ingest and center: what is written is read, and nothing else is. */
#include "detect/feed.h"

#include "tap.h"

#define S INT64_C(1000000)

static const struct yg_feed_field fields[] = {
	{YG_SV_INIT("User"), YG_SV_INIT("alice")},
	{YG_SV_INIT("Count"), YG_SV_INIT("")},
};
static const uint64_t samples[][2] = {{1, 2}, {3, 4}};

static struct yg_ip address(const char *text)
{
	struct yg_ip ip = {{0}};
	(void)yg_ip_parse(yg_sv_of(text), &ip);
	return ip;
}

static struct yg_feed_entry entry(enum yg_feed_kind kind)
{
	struct yg_feed_entry e = {.kind = kind};
	switch (kind) {
	case YG_FEED_MATCH:
		e.match.rule = YG_SV("r-1");
		e.match.time.us = 5 * S;
		yg_feed_id(3, 7, 9, e.match.id);
		e.match.fields = fields;
		e.match.field_count = YG_LEN(fields);
		break;
	case YG_FEED_CONNECTION:
		e.connection.time.us = -1;
		e.connection.src = address("192.0.2.1");
		e.connection.dst = address("2001:db8::1");
		e.connection.port = 443;
		e.connection.flags = YG_FEED_OK | YG_FEED_SRC_INSIDE | YG_FEED_ANSWER;
		e.connection.src_port = 53;
		e.connection.bytes_out = UINT64_MAX;
		break;
	case YG_FEED_LOGIN:
		e.login.time.us = 6 * S;
		e.login.user = YG_SV("bob");
		e.login.src = address("198.51.100.9");
		e.login.flags = YG_FEED_OK;
		break;
	case YG_FEED_RECORDS:
		e.records.count = 12;
		e.records.first.us = 1;
		e.records.last.us = 2;
		break;
	case YG_FEED_STAT:
		e.stat.rule = YG_SV("r-2");
		e.stat.looked_at = 100;
		e.stat.hits = 2;
		e.stat.excepted = 1;
		e.stat.cost_ns = 999;
		e.stat.samples = samples;
		e.stat.sample_count = YG_LEN(samples);
		break;
	case YG_FEED_SOURCE:
		e.source.category = YG_SV("process_creation");
		e.source.product = YG_SV("windows");
		e.source.service = YG_SV("");
		break;
	}
	return e;
}

static void head(struct yg_buf *b, uint32_t entries)
{
	const struct yg_feed_head h = {.spool = 3 | 1u << 16,
				       .entries = entries,
				       .batch = 7,
				       .org = YG_SV_INIT("acme"),
				       .source = YG_SV_INIT("zeek"),
				       .sensor = YG_SV_INIT(""),
				       .received = {S}};
	yg_feed_put_head(b, &h);
}

static bool same(const struct yg_feed_entry *a, const struct yg_feed_entry *b)
{
	struct yg_buf x, y;
	yg_buf_init(&x, 1u << 20);
	yg_buf_init(&y, 1u << 20);
	yg_feed_put(&x, a);
	yg_feed_put(&y, b);
	bool eq = !x.bad && yg_sv_eq(yg_buf_sv(&x), yg_buf_sv(&y));
	yg_buf_free(&x);
	yg_buf_free(&y);
	return eq;
}

static void every_kind(void)
{
	struct yg_buf b;
	struct yg_feed_reader r;
	struct yg_feed_entry e;
	struct yg_feed_head h;
	uint32_t spool, row, n = 0, right = 0;
	uint64_t batch;
	yg_buf_init(&b, 1u << 20);
	head(&b, YG_FEED_SOURCE);
	for (int k = YG_FEED_MATCH; k <= YG_FEED_SOURCE; k++) {
		struct yg_feed_entry x = entry((enum yg_feed_kind)k);
		yg_feed_put(&b, &x);
	}
	T_OK(!b.bad && yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_OK && h.batch == 7);
	T_OK(yg_feed_open(&r, yg_buf_sv(&b), NULL) == YG_OK && YG_SV_IS(r.head.org, "acme") &&
	     YG_SV_IS(r.head.source, "zeek") && r.head.received.us == S &&
	     r.head.spool == (3 | 1u << 16));
	while (yg_feed_next(&r, &e)) {
		struct yg_feed_entry want = entry((enum yg_feed_kind)++ n);
		right += same(&e, &want);
		if (e.kind == YG_FEED_MATCH) {
			yg_feed_id_parts(e.match.id, &spool, &batch, &row);
			T_OK(spool == 3 && batch == 7 && row == 9);
			T_OK(e.match.field_count == 2 &&
			     YG_SV_IS(e.match.fields[0].value, "alice"));
		}
	}
	T_OK(!r.rd.bad && n == YG_FEED_SOURCE && right == n);

	size_t whole = b.n, refused = 0;
	for (size_t cut = 0; cut < whole; cut++)
		refused += yg_feed_check(yg_sv_sub(yg_buf_sv(&b), 0, cut), &h, NULL) == YG_PARSE;
	T_NAMED(refused == whole, "cut short anywhere: refused");
	yg_wr_le8(&b, 1);
	T_NAMED(yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_PARSE, "more than it says: refused");
	yg_buf_free(&b);
}

static void bounds(void)
{
	struct yg_buf b;
	struct yg_feed_head h;
	struct yg_feed_field many[YG_FEED_FIELDS_MAX + 5];
	struct yg_feed_entry e = entry(YG_FEED_MATCH);
	char *text = calloc(1, YG_FEED_TEXT_MAX + 9);
	T_OK(text != NULL);
	if (text == NULL)
		return;
	for (size_t i = 0; i < YG_LEN(many); i++)
		many[i] = (struct yg_feed_field){YG_SV("f"), YG_SV("v")};
	many[0].value = (struct yg_sv){text, YG_FEED_TEXT_MAX + 9};
	e.match.fields = many;
	e.match.field_count = YG_LEN(many);
	yg_buf_init(&b, 1u << 20);
	head(&b, 1);
	yg_feed_put(&b, &e);
	T_NAMED(yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_OK,
		"too many fields, too long a value: cut when written");
	b.n = 0;
	head(&b, 1);
	yg_wr_le8(&b, YG_FEED_SOURCE + 1);
	T_NAMED(yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_PARSE, "a kind that is none");
	b.n = 0;
	head(&b, 0);
	T_NAMED(yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_PARSE, "no entries");
	b.n = 0;
	head(&b, YG_FEED_ENTRIES_MAX + 1);
	T_NAMED(yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_PARSE, "too many entries");
	b.n = 0;
	e = entry(YG_FEED_LOGIN);
	head(&b, 1);
	yg_feed_put(&b, &e);
	b.p[b.n - 17] = (char)0x80;
	T_NAMED(yg_feed_check(yg_buf_sv(&b), &h, NULL) == YG_PARSE, "a flag that is none");
	yg_buf_free(&b);
	free(text);
}

int main(void)
{
	every_kind();
	bounds();
	return tap_done();
}
