#include "detect/watch_finding.h"

#include "detect/finding_json.h"
#include "event/event.h"
#include "event/table.h"
#include "format/json.h"

#define VALUE_MAX    512u
#define UID_MAX      256u
#define LABEL_MAX    128u
#define FIELDS_TOP   5 /* sources of a flood: an alert takes 16 pairs */
#define FIELDS_NODES 256

/* ---- words ---- */

static void finding_uid(const struct yg_watch_at *at, struct yg_sb *b)
{
	if (at->uid.n > 0)
		yg_sb_put(b, at->uid);
	else
		yg_sb_printf(b, "f-w-%lld-%u", (long long)at->seq, at->nth);
}

static void begin(struct yg_buf *b, const struct yg_watch_at *at)
{
	char uid[UID_MAX];
	struct yg_sb u = yg_sb_init(uid, sizeof uid);
	finding_uid(at, &u);
	yg_buf_putc(b, '{');
	yg_finding_member(b, "finding_uid", yg_sb_sv(&u));
	yg_finding_member(b, "org", at->org);
}

static void event_id(const uint64_t *id, struct yg_sb *b)
{
	uint32_t spool, row;
	uint64_t batch;
	yg_feed_id_parts(id, &spool, &batch, &row);
	yg_event_id_format(b, spool, batch, row);
}

static void time_member(struct yg_buf *b, yg_wall t)
{
	char text[40];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_time_format(&s, t);
	yg_finding_member(b, "time", yg_sb_sv(&s));
}

static void event_member(struct yg_buf *b, const uint64_t *id)
{
	char text[YG_EVENT_ID_MAX];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	if (id != NULL)
		event_id(id, &s);
	yg_finding_member(b, "event_id", yg_sb_sv(&s));
}

/* ---- both forms of a finding ---- */

struct finding { /* as a row has it */
	const char *log_name;
	struct yg_sv indicator, list, title, asset;
	unsigned severity, confidence;
	yg_wall time;
	int64_t duration;
	struct yg_sv group;
	const uint64_t *ids; /* of the events that it rests on: two numbers of each */
	size_t id_count;
	const struct yg_sv *names; /* by which it is found, beside the asset */
	size_t name_count;
};

static void put_row(struct yg_buf *rows, const struct yg_watch_at *at, const struct finding *f,
		    struct yg_sv json, bool alert)
{
	char uid[UID_MAX], text[YG_CORRELATE_EVIDENCE][YG_EVENT_ID_MAX];
	struct yg_sv related[YG_CORRELATE_EVIDENCE], names[YG_SIGMA_GROUP_MAX + 1];
	struct yg_sb u = yg_sb_init(uid, sizeof uid);
	struct yg_event ev = {.org = at->org,
			      .received = at->received.us,
			      .day = yg_day_number(at->received),
			      .spool = YG_WATCH_SPOOL,
			      .batch = (uint64_t)at->seq,
			      .row = at->nth,
			      .source = YG_SV("detect"),
			      .time = f->time.us,
			      .duration = f->duration,
			      .uid = f->group,
			      .class_uid = YG_OCSF_DETECTION_FINDING,
			      .activity_id = 1, /* create */
			      .severity_id = (uint8_t)f->severity,
			      .log_name = yg_sv_of(f->log_name),
			      .message = f->title,
			      .finding_title = f->title,
			      .indicator = f->indicator,
			      .list = f->list,
			      .confidence = (uint8_t)f->confidence,
			      .related = {related, 0},
			      .names = {names, 0},
			      .raw = json};
	if (!alert)
		ev.status_id = YG_OCSF_SUPPRESSED;
	finding_uid(at, &u);
	ev.finding_uid = yg_sb_sv(&u);
	for (; ev.related.n < f->id_count && ev.related.n < YG_LEN(related); ev.related.n++) {
		struct yg_sb b = yg_sb_init(text[ev.related.n], sizeof text[0]);
		event_id(f->ids + 2 * (size_t)ev.related.n, &b);
		related[ev.related.n] = yg_sb_sv(&b);
	}
	if (f->asset.n > 0)
		names[ev.names.n++] = f->asset;
	for (size_t i = 0; i < f->name_count && ev.names.n < YG_LEN(names); i++)
		if (f->names[i].n > 0 && !yg_sv_eq(f->names[i], f->asset))
			names[ev.names.n++] = f->names[i];
	if (yg_ip_parse(f->asset, &ev.src_ip) != YG_OK)
		ev.host = f->asset;
	yg_event_row(&ev, rows);
}

static void put_both(const struct yg_watch_to *to, const struct yg_watch_at *at,
		     const struct finding *f, struct yg_buf *json)
{
	if (to->json != NULL) {
		to->json->bad = to->json->bad || json->bad;
		yg_wr_sv32(to->json, yg_buf_sv(json));
	}
	if (to->rows != NULL) {
		to->rows->bad = to->rows->bad || json->bad;
		put_row(to->rows, at, f, yg_buf_sv(json), to->json != NULL);
	}
	yg_buf_free(json);
}

struct pairs {
	struct yg_buf *b;
	bool any;
};

static void pair(struct pairs *p, struct yg_sv name, struct yg_sv value)
{
	yg_buf_put(p->b, p->any ? YG_SV(",[") : YG_SV("["));
	p->any = true;
	yg_json_put_str(p->b, yg_utf8_cut(name, LABEL_MAX));
	yg_buf_putc(p->b, ',');
	yg_json_put_str(p->b, yg_utf8_cut(value, VALUE_MAX));
	yg_buf_putc(p->b, ']');
}

static void pair_number(struct pairs *p, const char *name, double v)
{
	char text[64];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_sb_printf(&s, v < 1e15 && v > -1e15 && v == (double)(int64_t)v ? "%.0f" : "%.6g", v);
	pair(p, yg_sv_of(name), yg_sb_sv(&s));
}

static void pair_time(struct pairs *p, const char *name, yg_wall t)
{
	char text[40];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	yg_time_format(&s, t);
	pair(p, yg_sv_of(name), yg_sb_sv(&s));
}

/* ---- correlations ---- */

static bool lower_has(struct yg_sv s, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= s.n; i++) {
		size_t k = 0;
		while (k < n && (s.p[i + k] | 0x20) == word[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

struct yg_sv yg_watch_hit_asset(const struct yg_correlate_hit *hit)
{
	for (size_t i = 0; i < hit->group_count; i++) {
		struct yg_ip ip;
		if (yg_ip_parse(hit->values[i], &ip) == YG_OK && yg_ip_is_private(ip))
			return hit->values[i];
	}
	for (size_t i = 0; i < hit->group_count; i++)
		if (hit->values[i].n > 0 &&
		    (lower_has(hit->names[i], "host") || lower_has(hit->names[i], "computer")))
			return hit->values[i];
	for (size_t i = 0; i < hit->group_count; i++)
		if (hit->values[i].n > 0)
			return hit->values[i];
	return YG_SV("");
}

static uint64_t mix(uint64_t h, struct yg_sv s)
{
	static const uint8_t key[16];
	uint64_t both[2] = {h, yg_siphash(key, s.p, s.n)};
	return yg_siphash(key, both, sizeof both);
}

void yg_watch_group(struct yg_sv org, const struct yg_correlate_hit *hit,
		    char out[static YG_WATCH_GROUP_MAX])
{
	struct yg_sb b = yg_sb_init(out, YG_WATCH_GROUP_MAX);
	uint64_t h = mix(0, org);
	for (size_t i = 0; i < hit->group_count; i++)
		h = mix(mix(h, hit->names[i]), hit->values[i]);
	yg_sb_printf(&b, "g-%016llx", (unsigned long long)h);
	(void)yg_sb_cstr(&b);
}

void yg_watch_put_hit(const struct yg_watch_to *to, const struct yg_watch_at *at,
		      const struct yg_watch_doc *doc, struct yg_sv collection,
		      const struct yg_correlate_hit *hit)
{
	char family[256], group[YG_WATCH_GROUP_MAX];
	struct yg_buf b;
	struct yg_sb f = yg_sb_init(family, sizeof family);
	struct pairs p = {&b, false};
	for (size_t i = 0; i < doc->rule->tags.count; i++)
		yg_finding_technique(doc->rule->tags.texts[i], &f);
	yg_buf_init(&b, 1u << 20);
	begin(&b, at);
	yg_finding_member(&b, "indicator", doc->uid);
	yg_finding_member(&b, "indicator_type", YG_SV("rule"));
	yg_finding_member(&b, "list", collection);
	yg_finding_member(&b, "category", YG_SV("correlation"));
	yg_finding_member(&b, "family", yg_sb_sv(&f));
	yg_buf_printf(&b, ",\"severity_id\":%u,\"confidence\":100",
		      yg_finding_severity(doc->rule->level));
	yg_finding_member(&b, "asset", yg_utf8_cut(yg_watch_hit_asset(hit), VALUE_MAX));
	yg_finding_member(&b, "field",
			  hit->group_count > 0 ? yg_utf8_cut(hit->names[0], LABEL_MAX) : YG_SV(""));
	yg_finding_member(&b, "value",
			  hit->group_count > 0 ? yg_utf8_cut(hit->values[0], VALUE_MAX)
					       : YG_SV(""));
	event_member(&b, hit->id_count > 0 ? hit->ids[hit->id_count - 1] : NULL);
	time_member(&b, hit->time);
	yg_finding_member(&b, "title", yg_utf8_cut(doc->rule->title, VALUE_MAX));
	yg_buf_put(&b, YG_SV(",\"fields\":["));
	for (size_t i = 0; i < hit->group_count && i < 10; i++)
		pair(&p, hit->names[i], hit->values[i]);
	pair_number(&p, "value", hit->value);
	pair_time(&p, "first", hit->first);
	pair_time(&p, "last", hit->last);
	for (size_t i = hit->id_count > 3 ? hit->id_count - 3 : 0; i < hit->id_count; i++) {
		char text[YG_EVENT_ID_MAX];
		struct yg_sb s = yg_sb_init(text, sizeof text);
		event_id(hit->ids[i], &s);
		pair(&p, YG_SV("event"), yg_sb_sv(&s));
	}
	yg_buf_put(&b, at->uid.n > 0 ? YG_SV("],\"historical\":true}") : YG_SV("]}"));
	yg_watch_group(at->org, hit, group);
	const struct finding row = {.log_name = "correlation",
				    .duration = hit->time.us - yg_watch_first(hit),
				    .group = yg_sv_of(group),
				    .indicator = doc->uid,
				    .list = collection,
				    .title = yg_utf8_cut(doc->rule->title, VALUE_MAX),
				    .asset = yg_utf8_cut(yg_watch_hit_asset(hit), VALUE_MAX),
				    .severity = yg_finding_severity(doc->rule->level),
				    .confidence = 100,
				    .time = hit->time,
				    .ids = hit->id_count > 0 ? hit->ids[0] : NULL,
				    .id_count = hit->id_count,
				    .names = hit->values,
				    .name_count = hit->group_count};
	put_both(to, at, &row, &b);
}

/* ---- findings beside rules ---- */

unsigned yg_watch_severity(const struct yg_notice *n)
{
	switch (n->kind) {
	case YG_NOTICE_SPRAY: return n->flag ? 5 : 3;
	case YG_NOTICE_TRAVEL:
	case YG_NOTICE_FLOOD: return 4;
	case YG_NOTICE_SCAN: return n->flag ? 2 : 3;
	default: return 3;
	}
}

struct yg_sv yg_watch_asset(const struct yg_notice *n)
{
	struct yg_sv who = n->who;
	size_t end = who.n;
	if (n->kind == YG_NOTICE_BEACON)
		return yg_sv_sub(who, 0, yg_sv_find(who, ' ', 0));
	if (n->kind != YG_NOTICE_FLOOD)
		return who;
	while (end > 0 && who.p[end - 1] != ':')
		end--;
	who = yg_sv_sub(who, 0, end > 0 ? end - 1 : who.n);
	if (who.n > 1 && who.p[0] == '[' && who.p[who.n - 1] == ']')
		who = yg_sv_sub(who, 1, who.n - 2);
	return who;
}

void yg_watch_put_fields(struct yg_buf *out, const struct yg_notice *n)
{
	struct pairs p = {out, false};
	char name[16];
	yg_buf_putc(out, '[');
	pair(&p, YG_SV("kind"), yg_sv_of(yg_notice_name(n->kind)));
	pair(&p, YG_SV("who"), n->who);
	pair_number(&p, "score", n->score);
	pair(&p, YG_SV("flag"), n->flag ? YG_SV("true") : YG_SV("false"));
	for (size_t i = 0; i < YG_LEN(n->numbers); i++) {
		struct yg_sb s = yg_sb_init(name, sizeof name);
		yg_sb_printf(&s, "n%zu", i);
		pair_number(&p, yg_sb_cstr(&s), n->numbers[i]);
	}
	pair_time(&p, "first", n->first);
	pair_time(&p, "last", n->last);
	for (size_t i = 0; i < n->top_count && i < FIELDS_TOP; i++) {
		char text[YG_IP_TEXT_MAX + 32];
		struct yg_sb s = yg_sb_init(text, sizeof text);
		yg_ip_format(&s, n->top[i].ip);
		yg_sb_printf(&s, " %llu", (unsigned long long)n->top[i].count);
		pair(&p, YG_SV("source"), yg_sb_sv(&s));
	}
	yg_buf_putc(out, ']');
}

/* "192.0.2.1 120" */
static bool read_source(struct yg_sv text, struct yg_notice *out)
{
	struct yg_notice_source *to = &out->top[out->top_count];
	struct yg_sv ip;
	if (out->top_count == YG_NOTICE_TOP || !yg_sv_cut(&text, ' ', &ip) ||
	    yg_ip_parse(ip, &to->ip) != YG_OK || yg_parse_u64(text, &to->count, NULL) != YG_OK)
		return false;
	out->top_count++;
	return true;
}

static bool read_pair(struct yg_sv name, struct yg_sv value, double number, struct yg_notice *out)
{
	if (YG_SV_IS(name, "kind"))
		return yg_notice_parse(value, &out->kind) == YG_OK;
	if (YG_SV_IS(name, "who"))
		out->who = value;
	else if (YG_SV_IS(name, "score"))
		out->score = number >= 1 && number <= 100 ? (unsigned)number : 1;
	else if (YG_SV_IS(name, "flag"))
		out->flag = YG_SV_IS(value, "true");
	else if (YG_SV_IS(name, "source"))
		return read_source(value, out);
	else if (name.n == 2 && name.p[0] == 'n' && name.p[1] >= '0' && name.p[1] <= '4')
		out->numbers[name.p[1] - '0'] = number;
	return true;
}

bool yg_watch_read_fields(struct yg_sv json, struct yg_arena *arena, struct yg_notice *out)
{
	struct yg_json j;
	struct yg_notice n = {.kind = YG_NOTICE_KIND_COUNT};
	yg_json_init(&j, FIELDS_NODES);
	bool good =
		yg_json_parse(&j, json, NULL) == YG_OK && yg_json_at(&j, 0)->type == YG_JSON_ARRAY;
	uint32_t pair = 1, count = good ? yg_json_at(&j, 0)->n : 0;
	for (uint32_t i = 0; good && i < count; i++, pair = yg_json_at(&j, pair)->next) {
		good = yg_json_at(&j, pair)->type == YG_JSON_ARRAY && yg_json_at(&j, pair)->n == 2;
		if (!good)
			break;
		uint32_t value = yg_json_at(&j, pair + 1)->next;
		struct yg_sv name = yg_json_str(&j, pair + 1, arena);
		struct yg_sv text = yg_json_str(&j, value, arena);
		good = name.p != NULL && text.p != NULL &&
		       read_pair(name, text, yg_json_f64(&j, value, 0), &n);
	}
	yg_json_free(&j);
	if (good && n.kind != YG_NOTICE_KIND_COUNT)
		*out = n;
	return good && n.kind != YG_NOTICE_KIND_COUNT;
}

bool yg_watch_title(struct yg_sv indicator, bool japanese, struct yg_sb *out)
{
	enum yg_notice_kind kind;
	struct yg_sv who = indicator, name;
	if (!yg_sv_cut(&who, ':', &name) || who.p == NULL || yg_notice_parse(name, &kind) != YG_OK)
		return false;
	struct yg_sv words = yg_sv_of(yg_notice_title(kind, japanese));
	bool lower = words.p[0] >= 'a' && words.p[0] <= 'z';
	yg_sb_putc(out, (char)(lower ? words.p[0] - 32 : words.p[0]));
	yg_sb_put(out, yg_sv_sub(words, 1, words.n));
	yg_sb_put(out, YG_SV(": "));
	yg_notice_put_who(kind, who, japanese, out);
	return true;
}

void yg_watch_indicator(const struct yg_notice *n, struct yg_sb *out)
{
	yg_sb_put(out, yg_sv_of(yg_notice_name(n->kind)));
	yg_sb_putc(out, ':');
	yg_sb_put(out, n->who);
}

void yg_watch_put_notice(const struct yg_watch_to *to, const struct yg_watch_at *at,
			 const struct yg_notice *n, const uint64_t *event)
{
	char title[VALUE_MAX], indicator[YG_NOTICE_KEY_MAX + 32];
	struct yg_buf b;
	struct yg_sb t = yg_sb_init(title, sizeof title);
	struct yg_sb i = yg_sb_init(indicator, sizeof indicator);
	yg_watch_indicator(n, &i);
	(void)yg_watch_title(yg_sb_sv(&i), false, &t);
	yg_buf_init(&b, 1u << 20);
	begin(&b, at);
	yg_finding_member(&b, "indicator", yg_sb_sv(&i));
	yg_finding_member(&b, "indicator_type", YG_SV("notice"));
	yg_finding_member(&b, "list", YG_SV("notice"));
	yg_finding_member(&b, "category", yg_sv_of(yg_notice_name(n->kind)));
	yg_buf_printf(&b, ",\"severity_id\":%u,\"confidence\":%u", yg_watch_severity(n), n->score);
	yg_finding_member(&b, "asset", yg_watch_asset(n));
	yg_finding_member(&b, "field", YG_SV("who"));
	yg_finding_member(&b, "value", n->who);
	event_member(&b, event);
	time_member(&b, n->time);
	yg_finding_member(&b, "title", yg_sb_sv(&t));
	yg_buf_put(&b, YG_SV(",\"fields\":"));
	yg_watch_put_fields(&b, n);
	yg_buf_putc(&b, '}');
	const struct finding row = {.log_name = "notice",
				    .indicator = yg_sb_sv(&i),
				    .list = YG_SV("notice"),
				    .title = yg_sb_sv(&t),
				    .asset = yg_watch_asset(n),
				    .severity = yg_watch_severity(n),
				    .confidence = n->score,
				    .time = n->time,
				    .ids = event,
				    .id_count = event != NULL,
				    .names = &n->who,
				    .name_count = 1};
	put_both(to, at, &row, &b);
}
