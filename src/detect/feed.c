#include "detect/feed.h"

#define FLAGS_CONNECTION (YG_FEED_OK | YG_FEED_SRC_INSIDE | YG_FEED_DST_INSIDE | YG_FEED_ANSWER)
#define NAME_MAX_BYTES   1024u /* of a field's name, a rule's uid, a word of a log source */

void yg_feed_id(uint32_t spool, uint64_t batch, uint32_t row, uint64_t out[static 2])
{
	out[0] = (uint64_t)spool << 32 | row;
	out[1] = batch;
}

void yg_feed_id_parts(const uint64_t id[static 2], uint32_t *spool, uint64_t *batch, uint32_t *row)
{
	*spool = (uint32_t)(id[0] >> 32);
	*row = (uint32_t)id[0];
	*batch = id[1];
}

/* ---- out ---- */

static void put_time(struct yg_buf *b, yg_wall t)
{
	yg_wr_le64(b, (uint64_t)t.us);
}

static void put_id(struct yg_buf *b, const uint64_t id[static 2])
{
	yg_wr_le64(b, id[0]);
	yg_wr_le64(b, id[1]);
}

static void put_ip(struct yg_buf *b, struct yg_ip ip)
{
	yg_buf_put(b, (struct yg_sv){(const char *)ip.b, sizeof ip.b});
}

static void put_text(struct yg_buf *b, struct yg_sv s, size_t most)
{
	yg_wr_sv32(b, yg_sv_sub(s, 0, most));
}

void yg_feed_put_head(struct yg_buf *out, const struct yg_feed_head *h)
{
	yg_wr_le32(out, h->spool);
	yg_wr_le32(out, h->entries);
	yg_wr_le64(out, h->batch);
	yg_wr_sv32(out, h->org);
	yg_wr_sv32(out, h->source);
	yg_wr_sv32(out, h->sensor);
	put_time(out, h->received);
}

static void put_match(struct yg_buf *b, const struct yg_feed_entry *e)
{
	uint32_t n = YG_MIN(e->match.field_count, YG_FEED_FIELDS_MAX);
	put_text(b, e->match.rule, NAME_MAX_BYTES);
	put_time(b, e->match.time);
	put_id(b, e->match.id);
	yg_wr_le16(b, (uint16_t)n);
	for (uint32_t i = 0; i < n; i++) {
		put_text(b, e->match.fields[i].name, NAME_MAX_BYTES);
		put_text(b, e->match.fields[i].value, YG_FEED_TEXT_MAX);
	}
}

static void put_stat(struct yg_buf *b, const struct yg_feed_entry *e)
{
	uint32_t n = YG_MIN(e->stat.sample_count, YG_FEED_SAMPLES_MAX);
	put_text(b, e->stat.rule, NAME_MAX_BYTES);
	yg_wr_le64(b, e->stat.looked_at);
	yg_wr_le64(b, e->stat.hits);
	yg_wr_le64(b, e->stat.excepted);
	yg_wr_le64(b, e->stat.cost_ns);
	yg_wr_le16(b, (uint16_t)n);
	for (uint32_t i = 0; i < n; i++)
		put_id(b, e->stat.samples[i]);
}

void yg_feed_put(struct yg_buf *out, const struct yg_feed_entry *e)
{
	yg_wr_le8(out, (uint8_t)e->kind);
	switch (e->kind) {
	case YG_FEED_MATCH: put_match(out, e); break;
	case YG_FEED_CONNECTION:
		put_time(out, e->connection.time);
		put_ip(out, e->connection.src);
		put_ip(out, e->connection.dst);
		yg_wr_le16(out, e->connection.port);
		yg_wr_le8(out, e->connection.flags & FLAGS_CONNECTION);
		yg_wr_le64(out, e->connection.bytes_out);
		put_id(out, e->connection.id);
		if ((e->connection.flags & YG_FEED_ANSWER) != 0)
			yg_wr_le16(out, e->connection.src_port);
		break;
	case YG_FEED_LOGIN:
		put_time(out, e->login.time);
		put_text(out, e->login.user, YG_FEED_TEXT_MAX);
		put_ip(out, e->login.src);
		yg_wr_le8(out, e->login.flags & YG_FEED_OK);
		put_id(out, e->login.id);
		break;
	case YG_FEED_RECORDS:
		yg_wr_le64(out, e->records.count);
		put_time(out, e->records.first);
		put_time(out, e->records.last);
		break;
	case YG_FEED_STAT: put_stat(out, e); break;
	case YG_FEED_SOURCE:
		put_text(out, e->source.category, NAME_MAX_BYTES);
		put_text(out, e->source.product, NAME_MAX_BYTES);
		put_text(out, e->source.service, NAME_MAX_BYTES);
		break;
	}
}

/* ---- in ---- */

static yg_wall get_time(struct yg_rd *r)
{
	return (yg_wall){(int64_t)yg_rd_le64(r)};
}

static void get_id(struct yg_rd *r, uint64_t id[static 2])
{
	id[0] = yg_rd_le64(r);
	id[1] = yg_rd_le64(r);
}

static struct yg_ip get_ip(struct yg_rd *r)
{
	struct yg_ip ip = {{0}};
	const uint8_t *b = yg_rd_take(r, sizeof ip.b);
	if (b != NULL)
		memcpy(ip.b, b, sizeof ip.b);
	return ip;
}

static struct yg_sv get_text(struct yg_rd *r, size_t most)
{
	struct yg_sv s = yg_rd_sv32(r);
	r->bad = r->bad || s.n > most;
	return s;
}

static uint8_t get_flags(struct yg_rd *r, uint8_t known)
{
	uint8_t f = yg_rd_le8(r);
	r->bad = r->bad || (f & ~known) != 0;
	return f;
}

static uint32_t get_count(struct yg_rd *r, uint32_t most)
{
	uint32_t n = yg_rd_le16(r);
	r->bad = r->bad || n > most;
	return r->bad ? 0 : n;
}

static void get_match(struct yg_feed_reader *r, struct yg_feed_entry *e)
{
	struct yg_rd *rd = &r->rd;
	e->match.rule = get_text(rd, NAME_MAX_BYTES);
	e->match.time = get_time(rd);
	get_id(rd, e->match.id);
	e->match.field_count = get_count(rd, YG_FEED_FIELDS_MAX);
	e->match.fields = r->fields;
	for (uint32_t i = 0; i < e->match.field_count; i++) {
		r->fields[i].name = get_text(rd, NAME_MAX_BYTES);
		r->fields[i].value = get_text(rd, YG_FEED_TEXT_MAX);
	}
}

static void get_stat(struct yg_feed_reader *r, struct yg_feed_entry *e)
{
	struct yg_rd *rd = &r->rd;
	e->stat.rule = get_text(rd, NAME_MAX_BYTES);
	e->stat.looked_at = yg_rd_le64(rd);
	e->stat.hits = yg_rd_le64(rd);
	e->stat.excepted = yg_rd_le64(rd);
	e->stat.cost_ns = yg_rd_le64(rd);
	e->stat.sample_count = get_count(rd, YG_FEED_SAMPLES_MAX);
	e->stat.samples = r->samples;
	for (uint32_t i = 0; i < e->stat.sample_count; i++)
		get_id(rd, r->samples[i]);
}

static void get_connection(struct yg_rd *rd, struct yg_feed_entry *e)
{
	e->connection.time = get_time(rd);
	e->connection.src = get_ip(rd);
	e->connection.dst = get_ip(rd);
	e->connection.port = yg_rd_le16(rd);
	e->connection.flags = get_flags(rd, FLAGS_CONNECTION);
	e->connection.bytes_out = yg_rd_le64(rd);
	get_id(rd, e->connection.id);
	e->connection.src_port = (e->connection.flags & YG_FEED_ANSWER) != 0 ? yg_rd_le16(rd) : 0;
}

static void get_login(struct yg_rd *rd, struct yg_feed_entry *e)
{
	e->login.time = get_time(rd);
	e->login.user = get_text(rd, YG_FEED_TEXT_MAX);
	e->login.src = get_ip(rd);
	e->login.flags = get_flags(rd, YG_FEED_OK);
	get_id(rd, e->login.id);
}

yg_status yg_feed_open(struct yg_feed_reader *r, struct yg_sv body, struct yg_err *err)
{
	struct yg_rd rd = yg_rd_init(body.p, body.n);
	struct yg_feed_head *h = &r->head;
	h->spool = yg_rd_le32(&rd);
	h->entries = yg_rd_le32(&rd);
	h->batch = yg_rd_le64(&rd);
	h->org = yg_rd_sv32(&rd);
	h->source = yg_rd_sv32(&rd);
	h->sensor = yg_rd_sv32(&rd);
	h->received = get_time(&rd);
	r->at = 0;
	r->rd = rd;
	if (rd.bad)
		return YG_FAIL(err, YG_PARSE, "feed: the message is cut short");
	if (h->org.n == 0 || h->batch > INT64_MAX || h->entries == 0 ||
	    h->entries > YG_FEED_ENTRIES_MAX)
		return YG_FAIL(err, YG_PARSE, "feed: its head contradicts itself");
	return YG_OK;
}

bool yg_feed_next(struct yg_feed_reader *r, struct yg_feed_entry *out)
{
	struct yg_rd *rd = &r->rd;
	if (r->at == r->head.entries) {
		rd->bad = rd->bad || yg_rd_left(rd) > 0;
		return false;
	}
	uint8_t kind = yg_rd_le8(rd);
	out->kind = (enum yg_feed_kind)kind;
	switch (kind) {
	case YG_FEED_MATCH: get_match(r, out); break;
	case YG_FEED_CONNECTION: get_connection(rd, out); break;
	case YG_FEED_LOGIN: get_login(rd, out); break;
	case YG_FEED_RECORDS:
		out->records.count = yg_rd_le64(rd);
		out->records.first = get_time(rd);
		out->records.last = get_time(rd);
		break;
	case YG_FEED_STAT: get_stat(r, out); break;
	case YG_FEED_SOURCE:
		out->source.category = get_text(rd, NAME_MAX_BYTES);
		out->source.product = get_text(rd, NAME_MAX_BYTES);
		out->source.service = get_text(rd, NAME_MAX_BYTES);
		break;
	default: rd->bad = true; break;
	}
	if (rd->bad)
		return false;
	r->at++;
	return true;
}

yg_status yg_feed_check(struct yg_sv body, struct yg_feed_head *out, struct yg_err *err)
{
	struct yg_feed_reader r;
	struct yg_feed_entry e;
	yg_status st = yg_feed_open(&r, body, err);
	if (st != YG_OK)
		return st;
	while (yg_feed_next(&r, &e)) {
	}
	if (r.rd.bad)
		return YG_FAIL(err, YG_PARSE, "feed: entry %u of %u is none, or something follows",
			       r.at, r.head.entries);
	*out = r.head;
	return YG_OK;
}
