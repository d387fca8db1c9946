#include "api/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct message {
	enum yg_stream_topic topic;
	char org[64], system[40];
	char *data; /* owned */
	size_t n;
};
struct yg_stream {
	uv_mutex_t lock;
	uint64_t start;
	uint64_t rights;      /* how often rights changed */
	uint64_t first, next; /* numbers of the oldest kept and of the one to come */
	size_t bytes;
	void (*wake)(void *ctx);
	void *wake_ctx;
	struct message ring[YG_STREAM_RING_MAX];
};

yg_status yg_stream_new(yg_wall start, struct yg_stream **out, struct yg_err *err)
{
	struct yg_stream *s = calloc(1, sizeof *s);
	if (s == NULL || uv_mutex_init(&s->lock) != 0) {
		free(s);
		return YG_FAIL(err, YG_NOMEM, "the live stream");
	}
	s->start = (uint64_t)start.us;
	s->first = s->next = 1;
	*out = s;
	return YG_OK;
}

static void drop_oldest(struct yg_stream *s)
{
	struct message *m = &s->ring[s->first % YG_STREAM_RING_MAX];
	s->bytes -= m->n;
	free(m->data);
	m->data = NULL;
	s->first++;
}

void yg_stream_free(struct yg_stream *s)
{
	if (s == NULL)
		return;
	while (s->first < s->next)
		drop_oldest(s);
	uv_mutex_destroy(&s->lock);
	free(s);
}

void yg_stream_on_publish(struct yg_stream *s, void (*wake)(void *ctx), void *ctx)
{
	uv_mutex_lock(&s->lock);
	s->wake = wake;
	s->wake_ctx = ctx;
	uv_mutex_unlock(&s->lock);
}

void yg_stream_rights_changed(struct yg_stream *s)
{
	uv_mutex_lock(&s->lock);
	s->rights++;
	if (s->wake != NULL)
		s->wake(s->wake_ctx);
	uv_mutex_unlock(&s->lock);
}

uint64_t yg_stream_rights(struct yg_stream *s)
{
	uv_mutex_lock(&s->lock);
	uint64_t n = s->rights;
	uv_mutex_unlock(&s->lock);
	return n;
}

void yg_stream_publish(struct yg_stream *s, enum yg_stream_topic topic, struct yg_sv org,
		       struct yg_sv system, struct yg_sv json)
{
	struct message m = {.topic = topic, .n = json.n};
	if (json.n > YG_STREAM_MESSAGE_MAX || org.n >= sizeof m.org || system.n >= sizeof m.system)
		return;
	if (system.n > 0)
		memcpy(m.system, system.p, system.n);
	m.data = malloc(json.n + 1);
	if (m.data != NULL)
		memcpy(m.data, json.p, json.n);
	if (org.n > 0)
		memcpy(m.org, org.p, org.n);
	uv_mutex_lock(&s->lock);
	while (s->first < s->next &&
	       (s->next - s->first >= YG_STREAM_RING_MAX || s->bytes + m.n > YG_STREAM_BYTES_MAX))
		drop_oldest(s);
	if (m.data == NULL)
		m.n = 0; /* its number is used up: readers see a gap in the ids, not a crash */
	s->ring[s->next % YG_STREAM_RING_MAX] = m;
	s->next++;
	s->bytes += m.n;
	/* under the lock, so that it cannot be called after yg_stream_on_publish(NULL) */
	if (s->wake != NULL)
		s->wake(s->wake_ctx);
	uv_mutex_unlock(&s->lock);
}

yg_status yg_stream_topics(struct yg_sv text, unsigned *out, struct yg_err *err)
{
	unsigned all = 0, set = 0;
#define X(id, bit, name) all |= (bit);
	YG_STREAM_TOPICS(X)
#undef X
	struct yg_sv one;
	if (text.p == NULL) {
		*out = all;
		return YG_OK;
	}
	while (yg_sv_cut(&text, ',', &one)) {
		unsigned bit_of = 0;
#define X(id, bit, name)                                                                           \
	if (YG_SV_IS(one, name))                                                                   \
		bit_of = (bit);
		YG_STREAM_TOPICS(X)
#undef X
		if (bit_of == 0)
			return YG_FAIL(err, YG_PARSE,
				       "expected alerts, jobs, system or approvals, with commas");
		set |= bit_of;
	}
	*out = set;
	return YG_OK;
}

/* One allocation: the words' views, then their text. */
static void copy_reach(struct yg_stream_reader *r, const struct yg_reach *reach)
{
	size_t words = reach->org_count + reach->system_count, bytes = 0, n = 0;
	if (words == 0) {
		r->reach.all = reach->all;
		return;
	}
	for (size_t i = 0; i < words; i++)
		bytes += i < reach->org_count ? reach->orgs[i].n
					      : reach->systems[i - reach->org_count].n;
	r->words = malloc(words * sizeof *r->words + bytes);
	if (r->words == NULL)
		return;
	char *text = (char *)(r->words + words);
	for (; n < words; n++) {
		struct yg_sv from = n < reach->org_count ? reach->orgs[n]
							 : reach->systems[n - reach->org_count];
		memcpy(text, from.p, from.n);
		r->words[n] = (struct yg_sv){text, from.n};
		text += from.n;
	}
	r->reach = (struct yg_reach){.orgs = r->words,
				     .org_count = reach->org_count,
				     .systems = r->words + reach->org_count,
				     .system_count = reach->system_count};
}

void yg_stream_reader_end(struct yg_stream_reader *r)
{
	free(r->words);
	r->words = NULL;
	r->reach = (struct yg_reach){0};
}

void yg_stream_reader_init(struct yg_stream *s, struct yg_stream_reader *r, unsigned topics,
			   const struct yg_reach *reach, struct yg_sv last_id)
{
	*r = (struct yg_stream_reader){.topics = topics};
	copy_reach(r, reach);
	uv_mutex_lock(&s->lock);
	r->rights = s->rights;
	r->next = s->next;
	if (last_id.n > 0) {
		struct yg_sv start = yg_sv_sub(last_id, 0, yg_sv_find(last_id, '-', 0)), number;
		uint64_t from, last;
		number = yg_sv_sub(last_id, start.n + 1, last_id.n);
		r->gap = true;
		if (yg_parse_u64(start, &from, NULL) == YG_OK &&
		    yg_parse_u64(number, &last, NULL) == YG_OK && from == s->start &&
		    last + 1 >= s->first && last < s->next) {
			r->next = last + 1;
			r->gap = false;
		}
	}
	uv_mutex_unlock(&s->lock);
}

static const char *topic_name(enum yg_stream_topic t)
{
	switch (t) {
#define X(id, bit, name)                                                                           \
	case YG_TOPIC_##id: return name;
		YG_STREAM_TOPICS(X)
#undef X
	}
	return "";
}

static bool is_for(const struct message *m, const struct yg_stream_reader *r)
{
	if (((unsigned)m->topic & r->topics) == 0 || m->data == NULL)
		return false;
	return yg_reach_has(&r->reach, yg_sv_of(m->org), yg_sv_of(m->system));
}

/* One message as text; what does not fit whole is not begun. */
static bool put_message(const struct yg_stream *s, const struct message *m, uint64_t number,
			struct yg_sb *b)
{
	struct yg_sb before = *b;
	yg_sb_printf(b, "id: %llu-%llu\nevent: %s\ndata: ", (unsigned long long)s->start,
		     (unsigned long long)number, topic_name(m->topic));
	yg_sb_put(b, (struct yg_sv){m->data, m->n});
	yg_sb_put(b, YG_SV("\n\n"));
	if (!b->cut)
		return true;
	*b = before;
	return false;
}

static void put_greeting(const struct yg_stream *s, struct yg_stream_reader *r, struct yg_sb *b)
{
	if (!r->greeted)
		yg_sb_put(b, YG_SV("retry: 3000\n\n"));
	if (r->gap)
		yg_sb_printf(b, "id: %llu-%llu\nevent: gap\ndata: {}\n\n",
			     (unsigned long long)s->start, (unsigned long long)(r->next - 1));
	if (r->beat)
		yg_sb_put(b, YG_SV(": beat\n\n"));
	r->greeted = true;
	r->gap = false;
	r->beat = false;
}

yg_status yg_stream_read(struct yg_stream *s, struct yg_stream_reader *r, char *buf, size_t cap,
			 size_t *out_n)
{
	struct yg_sb b = yg_sb_init(buf, cap);
	yg_status st = YG_OK;
	uv_mutex_lock(&s->lock);
	if (r->rights != s->rights)
		st = YG_DENIED;
	else if (r->next < s->first)
		st = YG_LIMIT;
	else
		put_greeting(s, r, &b);
	while (st == YG_OK && r->next < s->next) {
		const struct message *m = &s->ring[r->next % YG_STREAM_RING_MAX];
		if (is_for(m, r) && !put_message(s, m, r->next, &b)) {
			if (b.n == 0)
				st = YG_LIMIT; /* larger than any buffer it will ever offer */
			break;
		}
		r->next++;
	}
	uv_mutex_unlock(&s->lock);
	*out_n = b.n;
	return st;
}

bool yg_stream_pending(struct yg_stream *s, const struct yg_stream_reader *r)
{
	bool yes = !r->greeted || r->gap || r->beat;
	uv_mutex_lock(&s->lock);
	yes = yes || r->next < s->first || r->rights != s->rights;
	for (uint64_t i = r->next; !yes && i < s->next; i++)
		yes = is_for(&s->ring[i % YG_STREAM_RING_MAX], r);
	uv_mutex_unlock(&s->lock);
	return yes;
}

uint64_t yg_stream_count(struct yg_stream *s)
{
	uv_mutex_lock(&s->lock);
	uint64_t n = s->next - 1;
	uv_mutex_unlock(&s->lock);
	return n;
}
