/* What a match says: one detection finding as a row and as JSON for center. */
#include "role/ingest_finding.h"

#include "detect/finding_json.h"
#include "event/table.h"
#include "format/json.h"

static struct yg_sv ip_text(struct yg_ip ip, char buf[static YG_IP_TEXT_MAX])
{
	struct yg_sb b = yg_sb_init(buf, YG_IP_TEXT_MAX);
	if (yg_ip_is_zero(ip))
		return (struct yg_sv){"", 0};
	yg_ip_format(&b, ip);
	return yg_sb_sv(&b);
}

/* Of the two ends of a connection the asset is the one that is not the
 * indicator and is of one's own network; logs of hosts name the host. */
struct yg_sv yg_finding_asset(const struct yg_event *ev, enum yg_event_field matched,
			      char buf[static YG_IP_TEXT_MAX])
{
	bool src = !yg_ip_is_zero(ev->src_ip), dst = !yg_ip_is_zero(ev->dst_ip);
	bool src_own = src && yg_ip_is_private(ev->src_ip),
	     dst_own = dst && yg_ip_is_private(ev->dst_ip);
	if (ev->cloud_account.n > 0 && ev->host.n == 0)
		return ev->cloud_account;
	if (matched == YG_EF_src_ip && dst)
		return dst_own || ev->host.n == 0 ? ip_text(ev->dst_ip, buf) : ev->host;
	if (src_own || (src && ev->host.n == 0 && !(dst_own && matched != YG_EF_dst_ip)))
		return ip_text(ev->src_ip, buf);
	if (ev->host.n > 0)
		return ev->host;
	if (dst_own && matched != YG_EF_dst_ip)
		return ip_text(ev->dst_ip, buf);
	if (ev->user.n > 0)
		return ev->user;
	return src ? ip_text(ev->src_ip, buf) : ev->sensor;
}

static void title_of(const struct yg_match *m, struct yg_sb *b)
{
	yg_sb_put(b, m->family.n > 0 ? m->family : m->category);
	if (b->n == 0)
		yg_sb_put(b, YG_SV("known-bad"));
	yg_sb_printf(b, " %s: ", yg_indicator_type_name(m->type));
	yg_sb_put(b, yg_utf8_cut(m->indicator, b->cap - b->n));
}

/* What stood in the field: text as it is, an address written out. */
static struct yg_sv seen(const struct yg_event *f, const struct yg_match *m, char *buf, size_t cap)
{
	const struct yg_event_field_info *info = &yg_event_fields[m->field];
	if (m->value.n > 0 || info->type != YG_ET_IP)
		return yg_utf8_cut(m->value, 2048);
	struct yg_ip ip;
	struct yg_sb b = yg_sb_init(buf, cap);
	memcpy(&ip, (const char *)f + info->offset, sizeof ip);
	yg_ip_format(&b, ip);
	return yg_sb_sv(&b);
}

static void end_json(bool historical, struct yg_buf *b)
{
	yg_buf_put(b, historical ? YG_SV(",\"historical\":true}") : YG_SV("}"));
}

static void json_of(const struct yg_event *f, const struct yg_match *m, struct yg_sv asset,
		    struct yg_sv event_id, bool historical, struct yg_buf *b)
{
	char time[40], text[YG_IP_TEXT_MAX + 1];
	struct yg_sb t = yg_sb_init(time, sizeof time);
	yg_time_format(&t, (yg_wall){f->time});
	yg_buf_putc(b, '{');
	yg_finding_member(b, "finding_uid", f->finding_uid);
	yg_finding_member(b, "org", f->org);
	yg_finding_member(b, "indicator", m->indicator);
	yg_finding_member(b, "indicator_type", yg_sv_of(yg_indicator_type_name(m->type)));
	yg_finding_member(b, "list", m->list);
	yg_finding_member(b, "category", m->category);
	yg_finding_member(b, "family", m->family);
	yg_buf_printf(b, ",\"severity_id\":%u,\"confidence\":%u", m->severity_id, m->confidence);
	yg_finding_member(b, "tlp", yg_sv_of(yg_tlp_name(m->tlp)));
	yg_finding_member(b, "asset", asset);
	yg_finding_member(b, "field", yg_sv_of(yg_event_fields[m->field].name));
	yg_finding_member(b, "value", seen(f, m, text, sizeof text));
	yg_finding_member(b, "event_id", event_id);
	yg_finding_member(b, "time", yg_sb_sv(&t));
	yg_finding_member(b, "title", f->finding_title);
	end_json(historical, b);
}

/* The finding's own row: who, when and where from the event, what from the match. */
static void event_of(const struct yg_event *ev, const struct yg_match *m, struct yg_event *f)
{
	*f = (struct yg_event){
		.org = ev->org,
		.received = ev->received,
		.day = ev->day,
		.spool = ev->spool,
		.batch = ev->batch,
		.source = ev->source,
		.sensor = ev->sensor,
		.time = ev->time,
		.class_uid = YG_OCSF_DETECTION_FINDING,
		.activity_id = 1, /* create */
		.severity_id = m->severity_id,
		.log_name = YG_SV("indicator"),
		.uid = ev->uid,
		.src_ip = ev->src_ip,
		.src_port = ev->src_port,
		.src_host = ev->src_host,
		.dst_ip = ev->dst_ip,
		.dst_port = ev->dst_port,
		.dst_host = ev->dst_host,
		.proto = ev->proto,
		.app = ev->app,
		.query = ev->query,
		.url = ev->url,
		.host = ev->host,
		.user = ev->user,
		.process = ev->process,
		.indicator = m->indicator,
		.list = m->list,
		.confidence = m->confidence,
		.names = ev->names,
	};
}

/* The finding whose JSON is `json`: that, or nothing, and its row. */
static void put(struct yg_event *f, bool alert, const struct yg_buf *json, struct yg_buf *out)
{
	f->raw = yg_buf_sv(json);
	if (!alert)
		f->status_id = YG_OCSF_SUPPRESSED;
	yg_wr_sv32(out, alert ? f->raw : YG_SV(""));
	size_t at = out->n;
	yg_wr_le32(out, 0);
	yg_event_row(f, out);
	out->bad = out->bad || json->bad;
	if (out->bad)
		return;
	uint32_t n = (uint32_t)(out->n - at - 4);
	memcpy(out->p + at, &n, 4);
}

void yg_finding_put(const struct yg_event *ev, const struct yg_match *m, uint32_t nth,
		    bool historical, struct yg_buf *scratch, struct yg_buf *out)
{
	char id[YG_EVENT_ID_MAX], uid[YG_EVENT_ID_MAX + 16], title[512], asset[YG_IP_TEXT_MAX];
	struct yg_sb i = yg_sb_init(id, sizeof id), u = yg_sb_init(uid, sizeof uid);
	struct yg_sb t = yg_sb_init(title, sizeof title);
	struct yg_event f;
	event_of(ev, m, &f);
	yg_event_id_format(&i, ev->spool, ev->batch, ev->row);
	yg_sb_printf(&u, "f-%u-%llu-%u-%u", ev->spool, (unsigned long long)ev->batch, ev->row, nth);
	title_of(m, &t);
	struct yg_sv event_id = yg_sb_sv(&i);
	f.finding_uid = yg_sb_sv(&u);
	f.finding_title = yg_sb_sv(&t);
	f.message = f.finding_title;
	f.related = (struct yg_strs){&event_id, 1};
	scratch->n = 0;
	json_of(&f, m, yg_finding_asset(ev, m->field, asset), event_id, historical, scratch);
	put(&f, true, scratch, out);
}

/* ---- what a DNS policy blocked, or only noted ---- */

bool yg_finding_is_dns(const struct yg_event *ev)
{
	return ev->class_uid == YG_OCSF_DNS_ACTIVITY && ev->policy.n > 0 && ev->org.n > 0 &&
	       (YG_SV_IS(ev->verdict, "blocked") || YG_SV_IS(ev->verdict, "dropped") ||
		(YG_SV_IS(ev->verdict, "noted") && !YG_SV_IS(ev->event_code, "passthru") &&
		 !YG_SV_IS(ev->event_code, "tcp-only")));
}

bool yg_finding_dns_same(const struct yg_event *a, const struct yg_event *b)
{
	return yg_ip_eq(a->src_ip, b->src_ip) && yg_sv_eq(a->policy, b->policy) &&
	       YG_SV_IS(a->verdict, "noted") == YG_SV_IS(b->verdict, "noted");
}

/* What an organisation blocks for itself, and rebinding, is no sign of an infection;
 * what was only noted went through. */
static uint8_t dns_severity(const struct yg_event *ev, bool noted)
{
	if (YG_SV_IS(ev->layer, "org-block") || YG_SV_IS(ev->layer, "rebinding-protection"))
		return 2;
	return noted ? 4 : 3;
}

/* A field that matched, as one of a list. */
static void put_pair(struct yg_buf *b, bool first, struct yg_sv name, struct yg_sv value)
{
	yg_buf_put(b, first ? YG_SV("[") : YG_SV(",["));
	yg_json_put_str(b, yg_utf8_cut(name, YG_RULE_VALUE_MAX));
	yg_buf_putc(b, ',');
	yg_json_put_str(b, yg_utf8_cut(value, YG_RULE_VALUE_MAX));
	yg_buf_putc(b, ']');
}

/* The query, and by which record of the zone it was decided. */
static void dns_fields(const struct yg_event *f, struct yg_buf *b)
{
	yg_buf_put(b, YG_SV(",\"fields\":["));
	put_pair(b, true, YG_SV("query"), f->query);
	if (f->trigger.n > 0)
		put_pair(b, false, YG_SV("trigger"), f->trigger);
	if (f->rule.n > 0)
		put_pair(b, false, YG_SV("rule"), f->rule);
	yg_buf_putc(b, ']');
}

static void dns_json(const struct yg_event *f, bool noted, struct yg_sv asset,
		     struct yg_sv event_id, struct yg_buf *b)
{
	char time[40];
	struct yg_sb t = yg_sb_init(time, sizeof time);
	yg_time_format(&t, (yg_wall){f->time});
	yg_buf_putc(b, '{');
	yg_finding_member(b, "finding_uid", f->finding_uid);
	yg_finding_member(b, "org", f->org);
	yg_finding_member(b, "indicator", f->indicator);
	yg_finding_member(b, "indicator_type", noted ? YG_SV("dns-note") : YG_SV("dns-block"));
	yg_finding_member(b, "list", f->list);
	yg_finding_member(b, "category", f->category);
	yg_buf_printf(b, ",\"severity_id\":%u,\"confidence\":%u", f->severity_id, f->confidence);
	yg_finding_member(b, "asset", asset);
	yg_finding_member(b, "field", YG_SV("query"));
	yg_finding_member(b, "value", yg_utf8_cut(f->query, 2048));
	dns_fields(f, b);
	yg_finding_member(b, "event_id", event_id);
	yg_finding_member(b, "time", yg_sb_sv(&t));
	yg_finding_member(b, "title", f->finding_title);
	yg_buf_putc(b, '}');
}

void yg_finding_put_dns(const struct yg_event *ev, uint32_t count, struct yg_buf *scratch,
			struct yg_buf *out)
{
	char id[YG_EVENT_ID_MAX], uid[YG_EVENT_ID_MAX + 16], title[512], asset[YG_IP_TEXT_MAX];
	char message[640];
	struct yg_sb i = yg_sb_init(id, sizeof id), u = yg_sb_init(uid, sizeof uid);
	struct yg_sb t = yg_sb_init(title, sizeof title), m = yg_sb_init(message, sizeof message);
	bool noted = YG_SV_IS(ev->verdict, "noted");
	/* a zone of a member's own resolver is none of the centre's lists */
	const struct yg_match what = {.indicator = ev->policy,
				      .list = YG_SV_IS(ev->layer, "member") ? YG_SV("")
									    : ev->policy,
				      .severity_id = dns_severity(ev, noted),
				      .confidence = 100};
	struct yg_event f;
	event_of(ev, &what, &f);
	yg_event_id_format(&i, ev->spool, ev->batch, ev->row);
	yg_sb_printf(&u, "f-%u-%llu-%u-dns", ev->spool, (unsigned long long)ev->batch, ev->row);
	yg_sb_printf(&t, noted ? "DNS, not blocked (only noted) by " : "DNS blocked by ");
	yg_sb_put(&t, ev->policy);
	if (ev->category.n > 0)
		yg_sb_printf(&t, " (" YG_SV_FMT ")", YG_SV_ARG(ev->category));
	yg_sb_printf(&m, YG_SV_FMT ": " YG_SV_FMT ", %u in this batch", YG_SV_ARG(yg_sb_sv(&t)),
		     YG_SV_ARG(yg_utf8_cut(ev->query, 80)), count);
	struct yg_sv event_id = yg_sb_sv(&i);
	f.finding_uid = yg_sb_sv(&u);
	f.finding_title = yg_sb_sv(&t);
	f.message = yg_sb_sv(&m);
	f.log_name = YG_SV("dns-policy");
	f.related = (struct yg_strs){&event_id, 1};
	f.network = ev->network;
	f.verdict = ev->verdict;
	f.layer = ev->layer;
	f.policy = ev->policy;
	f.trigger = ev->trigger;
	f.rule = ev->rule;
	f.category = ev->category;
	scratch->n = 0;
	/* the client, also when it is none of one's own network; without an address its network */
	struct yg_sv who = ip_text(ev->src_ip, asset);
	if (who.n == 0)
		who = ev->network.n > 0 ? ev->network : ev->host.n > 0 ? ev->host : ev->sensor;
	dns_json(&f, noted, who, event_id, scratch);
	put(&f, true, scratch, out);
}

/* ---- what a detection rule matched ---- */

void yg_rule_fields(const struct yg_detect_record *r, const struct yg_sv *names, size_t n,
		    struct yg_buf *out, struct yg_sv *field, struct yg_sv *value)
{
	size_t put = 0;
	struct yg_sv v;
	*field = *value = (struct yg_sv){"", 0};
	yg_buf_putc(out, '[');
	for (size_t i = 0; i < n && put < YG_RULE_FIELDS_MAX; i++) {
		if (!yg_detect_value(r, names[i], &v))
			continue;
		if (put++ == 0) {
			*field = names[i];
			*value = yg_utf8_cut(v, YG_RULE_VALUE_MAX);
		}
		put_pair(out, put == 1, names[i], v);
	}
	yg_buf_putc(out, ']');
}

/* "windows/process_creation": what of the log source is said. */
static void source_of(const struct yg_detect_logsource *s, struct yg_sb *b)
{
	const struct yg_sv words[] = {s->product, s->service, s->category};
	for (size_t i = 0; i < YG_LEN(words); i++) {
		if (words[i].n > 0 && b->n > 0)
			yg_sb_putc(b, '/');
		yg_sb_put(b, words[i]);
	}
}

static void techniques_of(struct yg_sv tags, struct yg_sb *b)
{
	struct yg_sv tag;
	while (tags.n > 0 && yg_sv_cut(&tags, ',', &tag))
		yg_finding_technique(tag, b);
}

static void rule_json(const struct yg_event *f, const struct yg_rule_finding *r,
		      struct yg_sv event_id, struct yg_buf *b)
{
	char time[40], text[512];
	struct yg_sb t = yg_sb_init(time, sizeof time), words = yg_sb_init(text, sizeof text);
	yg_time_format(&t, (yg_wall){f->time});
	yg_buf_putc(b, '{');
	yg_finding_member(b, "finding_uid", f->finding_uid);
	yg_finding_member(b, "org", f->org);
	yg_finding_member(b, "indicator", r->uid);
	yg_finding_member(b, "indicator_type", YG_SV("rule"));
	yg_finding_member(b, "list", r->collection);
	source_of(&r->rule->logsource, &words);
	yg_finding_member(b, "category", yg_sb_sv(&words));
	words = yg_sb_init(text, sizeof text);
	techniques_of(r->rule->tags, &words);
	yg_finding_member(b, "family", yg_sb_sv(&words));
	yg_buf_printf(b, ",\"severity_id\":%u,\"confidence\":%u,\"count\":%u", f->severity_id,
		      f->confidence, r->count);
	yg_finding_member(b, "asset", r->asset);
	yg_finding_member(b, "field", r->field);
	yg_finding_member(b, "value", r->value);
	yg_finding_member(b, "event_id", event_id);
	yg_finding_member(b, "time", yg_sb_sv(&t));
	yg_finding_member(b, "title", f->finding_title);
	if (r->fields.n > 0) {
		yg_buf_put(b, YG_SV(",\"fields\":"));
		yg_buf_put(b, r->fields);
	}
	end_json(r->historical, b);
}

void yg_finding_put_rule(const struct yg_event *ev, const struct yg_rule_finding *r,
			 struct yg_buf *scratch, struct yg_buf *out)
{
	char id[YG_EVENT_ID_MAX], uid[YG_EVENT_ID_MAX + 96], title[1100], message[1300];
	struct yg_sb i = yg_sb_init(id, sizeof id), u = yg_sb_init(uid, sizeof uid);
	struct yg_sb t = yg_sb_init(title, sizeof title), m = yg_sb_init(message, sizeof message);
	const struct yg_match what = {.indicator = r->uid,
				      .list = r->collection,
				      .severity_id = yg_finding_severity(r->rule->level),
				      .confidence = 100};
	struct yg_event f;
	event_of(ev, &what, &f);
	yg_event_id_format(&i, ev->spool, ev->batch, ev->row);
	yg_sb_printf(&u, "f-%u-%llu-%u-", ev->spool, (unsigned long long)ev->batch, ev->row);
	yg_sb_put(&u, yg_sv_sub(r->uid, 0, 90));
	yg_sb_put(&t, yg_utf8_cut(r->rule->title, 1000));
	yg_sb_put(&m, yg_sb_sv(&t));
	if (r->count > 1)
		yg_sb_printf(&m, ", %u in this batch", r->count);
	struct yg_sv event_id = yg_sb_sv(&i);
	f.finding_uid = yg_sb_sv(&u);
	f.finding_title = yg_sb_sv(&t);
	f.message = yg_sb_sv(&m);
	f.log_name = YG_SV("rule");
	f.related = (struct yg_strs){&event_id, 1};
	scratch->n = 0;
	rule_json(&f, r, event_id, scratch);
	put(&f, r->alert, scratch, out);
}

/* org (a length byte and its bytes), received, day, spool, batch, then row. */
yg_status yg_finding_row_number(char *row, size_t n, uint32_t number)
{
	size_t org = n > 0 ? (unsigned char)row[0] : 0;
	size_t at = 1 + org + 8 + 4 + 4 + 8;
	if (n == 0 || org > YG_ORG_NAME_MAX || at + 4 > n)
		return YG_PARSE;
	memcpy(row + at, &number, 4);
	return YG_OK;
}
