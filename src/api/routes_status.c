/* The status as JSON, the doctor, the metrics. */
#include <sys/statvfs.h>

#include "api/metrics.h"
#include "base/check.h"
#include "org/audit_log.h"
#include "org/source.h"

static void put_parts(struct yg_jo *j, const struct yg_overview *o, bool texts)
{
	yg_jo_key(j, "roles");
	yg_jo_begin(j, '[');
	for (size_t i = 0; i < o->part_count; i++) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "name", yg_sv_of(o->parts[i].name));
		yg_jo_str(j, "state", yg_sv_of(yg_health_name(o->parts[i].health)));
		if (texts)
			yg_jo_str(j, "text", yg_sv_of(o->parts[i].text));
		if (texts && o->parts[i].stats != NULL) {
			yg_jo_key(j, "stats");
			yg_jo_raw(j, yg_sv_of(o->parts[i].stats));
		}
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static void put_alert_counts(struct yg_jo *j, const int64_t counts[static 7])
{
	static const char *const ids[] = {"0", "1", "2", "3", "4", "5", "6"};
	int64_t open = 0;
	for (size_t i = 0; i < 7; i++)
		open += counts[i];
	yg_jo_key(j, "alerts");
	yg_jo_begin(j, '{');
	yg_jo_int(j, "open", open);
	yg_jo_key(j, "by_severity");
	yg_jo_begin(j, '{');
	for (size_t i = 0; i < 7; i++)
		yg_jo_int(j, ids[i], counts[i]);
	yg_jo_end(j, '}');
	yg_jo_end(j, '}');
}

static void put_counters(struct yg_jo *j, const struct yg_overview *o, bool central)
{
	yg_jo_key(j, "counters");
	yg_jo_begin(j, '{');
	yg_jo_int(j, "records", o->records);
	yg_jo_int(j, "records_unparsed", o->unparsed);
	yg_jo_int(j, "record_bytes", o->bytes);
	yg_jo_int(j, "records_dropped", o->dropped);
	if (central) {
		yg_jo_int(j, "http_requests", (int64_t)o->http.requests);
		yg_jo_int(j, "http_connections_open", o->http.open);
		yg_jo_int(j, "stream_readers", o->http.readers);
	}
	yg_jo_end(j, '}');
}

yg_status yg_r_status(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		      struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_overview o;
	bool central = q->who.reach.all;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_overview_read(api, q, l.db, &q->who.reach, &o, err);
	if (st != YG_OK)
		return st;
	struct yg_jo j = yg_answer(r, 200);
	yg_jo_begin(&j, '{');
	yg_jo_str(&j, "version", YG_SV(YG_VERSION));
	yg_jo_time(&j, "started_at", api->started.us);
	yg_jo_time(&j, "as_of", q->now.us);
	yg_jo_str(&j, "state", yg_sv_of(yg_health_name(o.health)));
	put_parts(&j, &o, central); /* the workers' counters are of every organisation */
	put_counters(&j, &o, central);
	put_alert_counts(&j, o.alerts);
	yg_jo_key(&j, "coverage");
	yg_jo_begin(&j, '{');
	yg_jo_int(&j, "sources", (int64_t)o.sources);
	yg_jo_int(&j, "reporting", (int64_t)o.reporting);
	yg_jo_time(&j, "last_event_at", o.last_event.us);
	yg_jo_end(&j, '}');
	if (central)
		st = yg_put_sandboxes(&j, l.db, q->arena, err);
	yg_jo_key(&j, "snapshot");
	if (o.generation == 0) {
		yg_jo_raw(&j, YG_SV("null"));
	} else {
		yg_jo_begin(&j, '{');
		yg_jo_int(&j, "generation", (int64_t)o.generation);
		yg_jo_int(&j, "indicators", (int64_t)o.indicators);
		yg_jo_time(&j, "created_at", o.snapshot_at.us);
		yg_jo_end(&j, '}');
	}
	yg_jo_end(&j, '}');
	return st;
}

/* --- doctor --- */

static bool stat_value(struct yg_json *json, const struct yg_part *p, struct yg_sv list,
		       struct yg_sv key, int64_t *out);

enum check { CHECK_OK, CHECK_WARN, CHECK_FAIL };
struct doctor {
	struct yg_jo j;
	enum check worst;
};

static void say(struct doctor *d, const char *name, enum check state, const char *text,
		const char *hint)
{
	static const char *const names[] = {"ok", "warn", "fail"};
	yg_jo_begin(&d->j, '{');
	yg_jo_str(&d->j, "name", yg_sv_of(name));
	yg_jo_str(&d->j, "state", yg_sv_of(names[state]));
	yg_jo_str(&d->j, "text", yg_sv_of(text));
	yg_jo_str(&d->j, "hint", yg_sv_of(state == CHECK_OK ? "" : hint));
	yg_jo_end(&d->j, '}');
	d->worst = YG_MAX(d->worst, state);
}

static void check_parts(struct doctor *d, const struct yg_overview *o)
{
	for (size_t i = 0; i < o->part_count; i++) {
		const struct yg_part *p = &o->parts[i];
		char name[40], text[200];
		struct yg_sb n = yg_sb_init(name, sizeof name), t = yg_sb_init(text, sizeof text);
		enum check state = p->health == YG_HEALTH_OK         ? CHECK_OK
				   : p->health == YG_HEALTH_DEGRADED ? CHECK_WARN
								     : CHECK_FAIL;
		yg_sb_printf(&n, "role.%s", p->name);
		yg_sb_printf(&t, "%s%s%s", yg_health_name(p->health),
			     p->text[0] != '\0' ? ": " : "", p->text);
		say(d, yg_sb_cstr(&n), state, yg_sb_cstr(&t),
		    "see `yagura system events` and the log of that role");
	}
}

static void check_disk(struct doctor *d)
{
	struct statvfs fs;
	char text[120];
	struct yg_sb t = yg_sb_init(text, sizeof text);
	if (statvfs("state", &fs) != 0 || fs.f_blocks == 0)
		return; /* a role that may not look: main's disk is watched from outside then */
	uint64_t percent = (uint64_t)fs.f_bavail * 100 / (uint64_t)fs.f_blocks;
	yg_sb_printf(&t, "%llu %% (%llu MiB) free", (unsigned long long)percent,
		     (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20));
	say(d, "disk.free",
	    percent < 3    ? CHECK_FAIL
	    : percent < 10 ? CHECK_WARN
			   : CHECK_OK,
	    yg_sb_cstr(&t),
	    "make room: lower store.retention_days, or move the data folder to a larger disk");
}

static void check_data(struct doctor *d, const struct yg_overview *o, yg_wall now)
{
	char text[160];
	struct yg_sb t = yg_sb_init(text, sizeof text);
	yg_sb_printf(&t, "%llu of %llu sources sent something in the last 24 hours",
		     (unsigned long long)o->reporting, (unsigned long long)o->sources);
	say(d, "sources.reporting", o->reporting < o->sources ? CHECK_WARN : CHECK_OK,
	    yg_sb_cstr(&t), "look at `yagura source list` for the silent ones");
	t = yg_sb_init(text, sizeof text);
	yg_sb_printf(&t, "%lld of %lld records could not be parsed", (long long)o->unparsed,
		     (long long)o->records);
	say(d, "records.parsed", o->unparsed * 20 > o->records ? CHECK_WARN : CHECK_OK,
	    yg_sb_cstr(&t), "search for events with class_uid:0; parse_error tells why");
	t = yg_sb_init(text, sizeof text);
	yg_sb_printf(&t, "%lld records were dropped because a spool was full",
		     (long long)o->dropped);
	say(d, "records.dropped", o->dropped > 0 ? CHECK_WARN : CHECK_OK, yg_sb_cstr(&t),
	    "raise ingest.spool_bytes, or send by TCP or HTTPS, which wait instead");
	t = yg_sb_init(text, sizeof text);
	if (o->generation == 0)
		yg_sb_put(&t, YG_SV("no snapshot yet: nothing is matched"));
	else
		yg_sb_printf(&t, "generation %llu with %llu indicators",
			     (unsigned long long)o->generation, (unsigned long long)o->indicators);
	say(d, "indicators.snapshot", o->generation == 0 ? CHECK_WARN : CHECK_OK, yg_sb_cstr(&t),
	    "add a list: `yagura indicator import`");
	t = yg_sb_init(text, sizeof text);
	yg_sb_printf(&t, "%lld jobs wait or run, %lld failed in the last 24 hours",
		     (long long)o->jobs_open, (long long)o->jobs_failed);
	say(d, "jobs", o->jobs_failed > 0 ? CHECK_WARN : CHECK_OK, yg_sb_cstr(&t),
	    "GET /api/v1/jobs says why");
	say(d, "clock", now.us < 1700000000LL * YG_US_PER_S ? CHECK_FAIL : CHECK_OK,
	    "the clock is not in the past", "set the clock; times of events depend on it");
}

/* What workers would not take: what they had before stays in force. */
static void check_refused(struct doctor *d, const struct yg_overview *o)
{
	YG_AUTO(yg_json_free) struct yg_json json;
	char text[160];
	struct yg_sb t = yg_sb_init(text, sizeof text);
	int64_t refused = 0;
	yg_json_init(&json, 65536);
	for (size_t i = 0; i < o->part_count; i++) {
		int64_t rules = 0, indicators = 0;
		if (stat_value(&json, &o->parts[i], YG_SV(""), YG_SV("rules_refused"), &rules) &&
		    stat_value(&json, &o->parts[i], YG_SV(""), YG_SV("snapshots_refused"),
			       &indicators))
			refused += rules + indicators;
	}
	yg_sb_printf(&t, "%lld snapshots of rules or indicators were refused by workers",
		     (long long)refused);
	say(d, "snapshots.refused", refused > 0 ? CHECK_WARN : CHECK_OK, yg_sb_cstr(&t),
	    "see `yagura system events`; a change of any rule or indicator has it compiled again");
}

static yg_status check_state(struct doctor *d, struct yg_state *db, struct yg_err *err)
{
	struct yg_audit_report report;
	struct yg_err why = {0};
	yg_status whole = yg_state_check(db, &why);
	if (whole != YG_OK && whole != YG_CORRUPT && whole != YG_INTERNAL)
		return yg_err_set(err, whole, why.os_errno, why.where, "%s", why.msg);
	say(d, "state.integrity", whole == YG_OK ? CHECK_OK : CHECK_FAIL,
	    whole == YG_OK ? "every page, index and foreign key of the state database is whole"
			   : why.msg,
	    "stop the server, keep the file, restore a backup into a new folder");
	yg_status st = yg_audit_verify(db, NULL, &report, err);
	if (st != YG_OK)
		return st;
	say(d, "audit_log.chain", report.ok ? CHECK_OK : CHECK_FAIL, report.text,
	    "somebody changed the audit log: keep the file, compare with a backup");
	return YG_OK;
}

yg_status yg_r_doctor(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		      struct yg_err *err)
{
	static const char *const names[] = {"ok", "warn", "fail"};
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	struct yg_overview o;
	struct doctor d = {.worst = CHECK_OK};
	bool quick = false;
	yg_status st = yg_query_bool(q, "quick", &quick, err);
	if (st == YG_OK)
		st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_overview_read(api, q, l.db, &q->who.reach, &o, err);
	if (st == YG_OK)
		st = yg_lease_store(api, &l, err);
	if (st != YG_OK)
		return st;
	d.j = yg_answer(r, 200);
	yg_jo_begin(&d.j, '{');
	yg_jo_time(&d.j, "as_of", q->now.us);
	yg_jo_key(&d.j, "checks");
	yg_jo_begin(&d.j, '[');
	check_parts(&d, &o);
	if (!quick) /* the one part that reads the whole database */
		st = check_state(&d, l.db, err);
	if (st != YG_OK)
		return st;
	bool answers = yg_ch_ping(l.ch);
	say(&d, "store.answers", answers ? CHECK_OK : CHECK_FAIL,
	    answers ? "the event store answers /ping" : "the event store does not answer /ping",
	    "events wait in the spool meanwhile; see the log of role store");
	check_disk(&d);
	check_data(&d, &o, q->now);
	check_refused(&d, &o);
	bool broken = yg_check_count() > 0;
	say(&d, "program.checks", broken ? CHECK_WARN : CHECK_OK,
	    broken ? "an invariant of the program failed since its start"
		   : "no invariant of the program failed since its start",
	    "please report the log lines with the word check");
	yg_jo_end(&d.j, ']');
	yg_jo_str(&d.j, "state", yg_sv_of(names[d.worst]));
	yg_jo_end(&d.j, '}');
	return YG_OK;
}

/* --- metrics: OpenMetrics 1.0 --- */

void yg_metric_family(struct yg_buf *b, const char *name, const char *type, const char *unit,
		      const char *help)
{
	yg_buf_printf(b, "# TYPE yagura_%s %s\n", name, type);
	if (unit != NULL)
		yg_buf_printf(b, "# UNIT yagura_%s %s\n", name, unit);
	yg_buf_printf(b, "# HELP yagura_%s %s\n", name, help);
}

static void counter(struct yg_buf *b, const char *name, const char *unit, const char *help,
		    uint64_t v)
{
	yg_metric_family(b, name, "counter", unit, help);
	yg_buf_printf(b, "yagura_%s_total %llu\n", name, (unsigned long long)v);
}

static void gauge(struct yg_buf *b, const char *name, const char *unit, const char *help,
		  uint64_t v)
{
	yg_metric_family(b, name, "gauge", unit, help);
	yg_buf_printf(b, "yagura_%s %llu\n", name, (unsigned long long)v);
}

static void put_http(struct yg_buf *b, const struct yg_server_counts *c)
{
	counter(b, "http_connections", NULL, "Connections accepted.", c->connections);
	counter(b, "http_requests", NULL, "Requests whose head was read.", c->requests);
	yg_metric_family(b, "http_answers", "counter", NULL, "Answers by class of status.");
	for (unsigned i = 2; i < 6; i++)
		yg_buf_printf(b, "yagura_http_answers_total{class=\"%uxx\"} %llu\n", i,
			      (unsigned long long)c->answers[i]);
	yg_metric_family(b, "http_request_seconds", "counter", "seconds",
			 "Time from the head of a request to its answer, all together.");
	yg_buf_printf(b, "yagura_http_request_seconds_total %.6f\n", (double)c->request_us / 1e6);
	counter(b, "http_answers_shared", NULL,
		"Answers made for somebody else who asked the same at the same time.", c->shared);
	counter(b, "http_connections_evicted", NULL,
		"Connections without a request closed to make room.", c->evicted);
	counter(b, "http_connections_slow", NULL,
		"Connections closed because a head or body came too slowly.", c->slow_closed);
	counter(b, "http_bodies_refused", NULL,
		"Bodies refused because too many bytes were in flight.", c->bodies_refused);
	counter(b, "stream_readers_dropped", NULL,
		"Live streams ended because their reader was too slow.", c->readers_dropped);
	gauge(b, "http_connections_open", NULL, "Connections open now.", c->open);
	gauge(b, "http_body_bytes", "bytes", "Bytes of request bodies in flight.", c->body_bytes);
	gauge(b, "http_requests_working", NULL, "Requests in the work pool.", c->in_work);
	gauge(b, "stream_readers", NULL, "Live streams open now.", c->readers);
}

static void put_overview(struct yg_buf *b, const struct yg_overview *o)
{
	static const char *const severities[] = {"unknown", "informational", "low",  "medium",
						 "high",    "critical",      "fatal"};
	counter(b, "records", NULL, "Records taken in since the beginning.", (uint64_t)o->records);
	counter(b, "records_unparsed", NULL, "Records kept raw because they could not be parsed.",
		(uint64_t)o->unparsed);
	counter(b, "records_dropped", NULL, "Datagrams dropped because a spool was full.",
		(uint64_t)o->dropped);
	yg_metric_family(b, "record_bytes", "counter", "bytes", "Bytes of the records taken in.");
	yg_buf_printf(b, "yagura_record_bytes_total %llu\n", (unsigned long long)o->bytes);
	gauge(b, "sources", NULL, "Sources ever heard.", o->sources);
	gauge(b, "sources_reporting", NULL, "Sources heard in the last 24 hours.", o->reporting);
	yg_metric_family(b, "last_event_timestamp_seconds", "gauge", "seconds",
			 "Time of the newest event.");
	yg_buf_printf(b, "yagura_last_event_timestamp_seconds %.6f\n",
		      (double)o->last_event.us / 1e6);
	yg_metric_family(b, "alerts_open", "gauge", NULL, "Open alerts by severity.");
	for (size_t i = 0; i < 7; i++)
		yg_buf_printf(b, "yagura_alerts_open{severity=\"%s\"} %lld\n", severities[i],
			      (long long)o->alerts[i]);
	gauge(b, "indicators", NULL, "Indicators in the newest snapshot.", o->indicators);
	gauge(b, "snapshot_generation", NULL, "Generation of the newest snapshot.", o->generation);
	gauge(b, "jobs_open", NULL, "Jobs that wait or run.", (uint64_t)o->jobs_open);
	yg_metric_family(b, "role_up", "gauge", NULL,
			 "1: the process works; 0.5: degraded; 0: it does not.");
	for (size_t i = 0; i < o->part_count; i++)
		yg_buf_printf(b, "yagura_role_up{role=\"%s\"} %s\n", o->parts[i].name,
			      o->parts[i].health == YG_HEALTH_OK         ? "1"
			      : o->parts[i].health == YG_HEALTH_DEGRADED ? "0.5"
									 : "0");
}

/* Names come from our own processes; still nothing but [a-z0-9_] is passed on. */
static bool metric_name(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
		      (s.p[i] >= '0' && s.p[i] <= '9' && i > 0) || s.p[i] == '_'))
			return false;
	}
	return s.n > 0 && s.n < 64;
}

struct yg_sv yg_metric_kind(const struct yg_part *p)
{
	struct yg_sv name = yg_sv_of(p->name);
	return yg_sv_sub(name, 0, yg_sv_find(name, '-', 0));
}

/* A number of a process's counters: a member, or a member of every object of a
 * list ("spools"), added up. */
static bool stat_value(struct yg_json *json, const struct yg_part *p, struct yg_sv list,
		       struct yg_sv key, int64_t *out)
{
	bool some = false;
	*out = 0;
	if (p->stats == NULL || yg_json_parse(json, yg_sv_of(p->stats), NULL) != YG_OK ||
	    yg_json_at(json, 0)->type != YG_JSON_OBJECT)
		return false;
	uint32_t at = list.n > 0 ? yg_json_get(json, 0, list) : 0;
	if (list.n > 0 && (at == 0 || yg_json_at(json, at)->type != YG_JSON_ARRAY))
		return false;
	uint32_t n = list.n > 0 ? yg_json_at(json, at)->n : 1, obj = list.n > 0 ? at + 1 : 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = yg_json_at(json, obj)->type == YG_JSON_OBJECT
				     ? yg_json_get(json, obj, key)
				     : 0;
		if (v != 0 && yg_json_at(json, v)->type == YG_JSON_NUMBER) {
			*out += yg_json_i64(json, v, 0);
			some = true;
		}
		obj = yg_json_at(json, obj)->next;
	}
	return some;
}

/* Of what kind a number is: a process that names its gauges has counters else; of one that does
 * not it is not known. */
static const char *type_of(const struct yg_json *json, struct yg_sv key)
{
	uint32_t at = yg_json_get(json, 0, YG_SV("gauges"));
	struct yg_sv rest = at != 0 ? yg_json_raw(json, at) : YG_SV(""), word;
	if (at == 0)
		return "unknown";
	while (rest.n > 0) {
		(void)yg_sv_cut(&rest, ' ', &word);
		if (yg_sv_eq(word, key))
			return "gauge";
	}
	return "counter";
}

/* One family: the value of every process of that kind. */
static void put_stat(struct yg_buf *b, const struct yg_overview *o, struct yg_sv kind,
		     struct yg_sv list, struct yg_sv key, const char *type)
{
	YG_AUTO(yg_json_free) struct yg_json json;
	char text[200];
	struct yg_sb name = yg_sb_init(text, sizeof text);
	yg_sb_put(&name, kind);
	yg_sb_put(&name, list.n > 0 ? YG_SV("_") : YG_SV(""));
	yg_sb_put(&name, list);
	yg_sb_putc(&name, '_');
	yg_sb_put(&name, key);
	yg_metric_family(b, yg_sb_cstr(&name), type, NULL, "As the process reports it.");
	const char *end = strcmp(type, "counter") == 0 ? "_total" : "";
	yg_json_init(&json, 65536);
	for (size_t i = 0; i < o->part_count; i++) {
		int64_t v;
		if (yg_sv_eq(yg_metric_kind(&o->parts[i]), kind) &&
		    stat_value(&json, &o->parts[i], list, key, &v))
			yg_buf_printf(b, "yagura_%s%s{process=\"%s\"} %lld\n", text, end,
				      o->parts[i].name, (long long)v);
	}
}

/* The numeric members of one object as families; obj is in `json`. */
static void put_members(struct yg_buf *b, const struct yg_overview *o, const struct yg_json *json,
			uint32_t obj, struct yg_sv kind, struct yg_sv list)
{
	uint32_t key = obj + 1;
	for (uint32_t k = 0;
	     yg_json_at(json, obj)->type == YG_JSON_OBJECT && k < yg_json_at(json, obj)->n; k++) {
		uint32_t value = yg_json_at(json, key)->next;
		const struct yg_json_node *v = yg_json_at(json, value);
		struct yg_sv name = yg_json_raw(json, key);
		if (v->type == YG_JSON_NUMBER && metric_name(name) && !YG_SV_IS(name, "worker") &&
		    !YG_SV_IS(name, "spool"))
			put_stat(b, o, kind, list, name, type_of(json, name));
		/* lists that speak of our own parts; "sources" names organisations */
		if (list.n == 0 && v->type == YG_JSON_ARRAY && v->n > 0 &&
		    yg_words_have("spools listeners follow dnslog", name))
			put_members(b, o, json, value + 1, kind, name);
		if (list.n == 0 && v->type == YG_JSON_ARRAY && YG_SV_IS(kind, "zones") &&
		    YG_SV_IS(name, "zones"))
			yg_metrics_zones(b, json, value);
		key = v->next;
	}
}

static void put_stats(struct yg_buf *b, const struct yg_overview *o)
{
	YG_AUTO(yg_json_free) struct yg_json json;
	struct yg_sv last = YG_SV("");
	yg_json_init(&json, 65536);
	for (size_t i = 0; i < o->part_count; i++) {
		const struct yg_part *p = &o->parts[i];
		if (p->stats == NULL || yg_sv_eq(yg_metric_kind(p), last) ||
		    yg_json_parse(&json, yg_sv_of(p->stats), NULL) != YG_OK)
			continue;
		last = yg_metric_kind(p); /* processes of one kind report the same names */
		put_members(b, o, &json, 0, last, YG_SV(""));
	}
}

yg_status yg_r_metrics(struct yg_api *api, struct yg_request *q, struct yg_response *r,
		       struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	/* the separate listener knows nobody: who reaches it may know the totals */
	const struct yg_reach everything = YG_REACH_ALL;
	struct yg_overview o;
	yg_status st = yg_lease_state(api, &l, err);
	if (st == YG_OK)
		st = yg_overview_read(api, q, l.db, &everything, &o, err);
	if (st != YG_OK)
		return st;
	r->status = 200;
	r->type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
	yg_metric_family(&r->body, "build", "info", NULL, "The version that runs.");
	yg_buf_printf(&r->body, "yagura_build_info{version=\"%s\"} 1\n", YG_VERSION);
	gauge(&r->body, "start_time_seconds", "seconds", "When role center started.",
	      (uint64_t)(api->started.us / YG_US_PER_S));
	put_overview(&r->body, &o);
	put_http(&r->body, &o.http);
	put_stats(&r->body, &o);
	yg_metrics_resolve(&r->body, &o);
	counter(&r->body, "stream_messages", NULL, "Messages of the live stream.",
		yg_stream_count(api->stream));
	counter(&r->body, "check_failures", NULL, "Invariants that failed in role center.",
		yg_check_count());
	yg_buf_put(&r->body, YG_SV("# EOF\n"));
	return YG_OK;
}
