/* /metrics: what protective DNS tells beyond plain numbers; see metrics.h. */
#include "api/metrics.h"

/* ---- workers ---- */

/* One row of a list of objects as a number with labels. */
struct series {
	const char *list, *key; /* of the objects */
	const char *labels[2];  /* members of the object; NULL: none */
	const char *name, *type, *unit, *help;
	double divisor; /* of what the process tells */
};

/* Words of our own processes; still nothing that would end a label. */
static void put_label(struct yg_buf *b, const char *name, struct yg_sv v)
{
	yg_buf_printf(b, ",%s=\"", name);
	for (size_t i = 0; i < v.n; i++)
		yg_buf_putc(b, v.p[i] == '"' || v.p[i] == '\\' || v.p[i] < ' ' ? '_' : v.p[i]);
	yg_buf_putc(b, '"');
}

static void put_row(struct yg_buf *b, const struct series *s, const char *process,
		    const struct yg_json *json, uint32_t obj)
{
	uint32_t v = yg_json_get(json, obj, yg_sv_of(s->key));
	if (v == 0 || yg_json_at(json, v)->type != YG_JSON_NUMBER)
		return;
	yg_buf_printf(b, "yagura_%s%s{process=\"%s\"", s->name,
		      strcmp(s->type, "counter") == 0 ? "_total" : "", process);
	for (size_t i = 0; i < YG_LEN(s->labels) && s->labels[i] != NULL; i++) {
		uint32_t label = yg_json_get(json, obj, yg_sv_of(s->labels[i]));
		put_label(b, s->labels[i], label != 0 ? yg_json_raw(json, label) : YG_SV(""));
	}
	int64_t n = yg_json_i64(json, v, 0);
	if (s->divisor > 1)
		yg_buf_printf(b, "} %.6f\n", (double)n / s->divisor);
	else
		yg_buf_printf(b, "} %lld\n", (long long)n);
}

static bool is_resolver(const struct yg_part *p, struct yg_json *json)
{
	return p->stats != NULL && YG_SV_IS(yg_metric_kind(p), "resolve") &&
	       yg_json_parse(json, yg_sv_of(p->stats), NULL) == YG_OK &&
	       yg_json_at(json, 0)->type == YG_JSON_OBJECT;
}

static void put_series(struct yg_buf *b, const struct yg_overview *o, const struct series *s,
		       struct yg_json *json)
{
	yg_metric_family(b, s->name, s->type, s->unit, s->help);
	for (size_t i = 0; i < o->part_count; i++) {
		const struct yg_part *p = &o->parts[i];
		uint32_t at = is_resolver(p, json) ? yg_json_get(json, 0, yg_sv_of(s->list)) : 0;
		uint32_t n = at != 0 && yg_json_at(json, at)->type == YG_JSON_ARRAY
				     ? yg_json_at(json, at)->n
				     : 0;
		for (uint32_t k = 0, obj = at + 1; k < n; k++, obj = yg_json_at(json, obj)->next)
			if (yg_json_at(json, obj)->type == YG_JSON_OBJECT)
				put_row(b, s, p->name, json, obj);
	}
}

/* {"rows":[{"le_us","answers"}],"sum_us"}, the last row without le_us. */
static void put_times(struct yg_buf *b, const char *process, const struct yg_json *json,
		      uint32_t took)
{
	uint32_t rows = yg_json_get(json, took, YG_SV("rows"));
	uint32_t sum = yg_json_get(json, took, YG_SV("sum_us"));
	int64_t all = 0;
	if (rows == 0 || sum == 0 || yg_json_at(json, rows)->type != YG_JSON_ARRAY)
		return;
	for (uint32_t k = 0, obj = rows + 1; k < yg_json_at(json, rows)->n;
	     k++, obj = yg_json_at(json, obj)->next) {
		uint32_t le = yg_json_get(json, obj, YG_SV("le_us"));
		uint32_t n = yg_json_get(json, obj, YG_SV("answers"));
		all += n != 0 ? yg_json_i64(json, n, 0) : 0;
		yg_buf_printf(b, "yagura_resolve_answer_seconds_bucket{process=\"%s\",le=\"",
			      process);
		if (le != 0)
			yg_buf_printf(b, "%g", (double)yg_json_i64(json, le, 0) / 1e6);
		else
			yg_buf_put(b, YG_SV("+Inf"));
		yg_buf_printf(b, "\"} %lld\n", (long long)all);
	}
	yg_buf_printf(b, "yagura_resolve_answer_seconds_sum{process=\"%s\"} %.6f\n", process,
		      (double)yg_json_i64(json, sum, 0) / 1e6);
	yg_buf_printf(b, "yagura_resolve_answer_seconds_count{process=\"%s\"} %lld\n", process,
		      (long long)all);
}

static void put_took(struct yg_buf *b, const struct yg_overview *o, struct yg_json *json)
{
	yg_metric_family(b, "resolve_answer_seconds", "histogram", "seconds",
			 "From a query to its answer.");
	for (size_t i = 0; i < o->part_count; i++) {
		const struct yg_part *p = &o->parts[i];
		uint32_t took = is_resolver(p, json) ? yg_json_get(json, 0, YG_SV("took")) : 0;
		if (took != 0 && yg_json_at(json, took)->type == YG_JSON_OBJECT)
			put_times(b, p->name, json, took);
	}
}

void yg_metrics_resolve(struct yg_buf *b, const struct yg_overview *o)
{
	static const struct series all[] = {
		{"doors",
		 "queries",
		 {"door"},
		 "resolve_door_queries",
		 "counter",
		 NULL,
		 "Queries by the way they came: udp, tcp, dot, doh.",
		 1},
		{"rcodes",
		 "answers",
		 {"rcode"},
		 "resolve_answers",
		 "counter",
		 NULL,
		 "Answers by response code.",
		 1},
		{"upstreams",
		 "rtt_us",
		 {"set", "server"},
		 "resolve_upstream_rtt_seconds",
		 "gauge",
		 "seconds",
		 "Round-trip time of a server, smoothed; a guess before it was asked.",
		 1e6},
		{"upstreams",
		 "fails",
		 {"set", "server"},
		 "resolve_upstream_fails",
		 "gauge",
		 NULL,
		 "Questions in a row that a server failed at.",
		 1},
		{"upstreams",
		 "silent",
		 {"set", "server"},
		 "resolve_upstream_silent",
		 "gauge",
		 NULL,
		 "1: a server is not asked now while another is left.",
		 1},
	};
	YG_AUTO(yg_json_free) struct yg_json json;
	bool some = false;
	yg_json_init(&json, 65536);
	for (size_t i = 0; i < o->part_count; i++)
		some = some || is_resolver(&o->parts[i], &json);
	for (size_t i = 0; some && i < YG_LEN(all); i++)
		put_series(b, o, &all[i], &json);
	if (some)
		put_took(b, o, &json);
}

/* ---- zones ---- */

/* What people enter and the indicators make as many zones as there are organisations and lists. */
static bool is_configured(const struct yg_json *json, uint32_t zone)
{
	uint32_t kind = yg_json_get(json, zone, YG_SV("kind"));
	struct yg_sv s = kind != 0 ? yg_json_raw(json, kind) : YG_SV("");
	return !YG_SV_IS(s, "entries") && !YG_SV_IS(s, "indicators");
}

/* States as a set: 1 is the one it is in. */
static void put_states(struct yg_buf *b, const struct yg_json *json, uint32_t list)
{
	static const char *const states[] = {"ok",     "loading", "empty",
					     "behind", "failed",  "expired"};
	yg_metric_family(b, "zones_zone_state", "stateset", NULL,
			 "How each zone of the policy does.");
	uint32_t zone = list + 1;
	for (uint32_t k = 0; k < yg_json_at(json, list)->n; k++) {
		bool is = yg_json_at(json, zone)->type == YG_JSON_OBJECT;
		uint32_t v = is ? yg_json_get(json, zone, YG_SV("state")) : 0;
		uint32_t who = is ? yg_json_get(json, zone, YG_SV("name")) : 0;
		for (size_t i = 0;
		     v != 0 && who != 0 && is_configured(json, zone) && i < YG_LEN(states); i++)
			yg_buf_printf(b,
				      "yagura_zones_zone_state{zone=\"" YG_SV_FMT
				      "\",yagura_zones_zone_state=\"%s\"} %d\n",
				      YG_SV_ARG(yg_json_raw(json, who)), states[i],
				      yg_sv_eq(yg_json_raw(json, v), yg_sv_of(states[i])));
		zone = yg_json_at(json, zone)->next;
	}
}

void yg_metrics_zones(struct yg_buf *b, const struct yg_json *json, uint32_t list)
{
	static const char *const keys[] = {"serial",      "records",    "refused",
					   "out_of_zone", "bytes",      "late",
					   "changed_at",  "checked_at", "failed_at"};
	for (size_t i = 0; i < YG_LEN(keys); i++) {
		char text[64];
		struct yg_sb name = yg_sb_init(text, sizeof text);
		yg_sb_printf(&name, "zones_zone_%s", keys[i]);
		yg_metric_family(
			b, yg_sb_cstr(&name), "gauge", NULL,
			"Of each zone of the policy; times in microseconds since 1970, 0: never.");
		uint32_t zone = list + 1;
		for (uint32_t k = 0; k < yg_json_at(json, list)->n; k++) {
			bool is = yg_json_at(json, zone)->type == YG_JSON_OBJECT;
			uint32_t v = is ? yg_json_get(json, zone, yg_sv_of(keys[i])) : 0;
			uint32_t who = is ? yg_json_get(json, zone, YG_SV("name")) : 0;
			if (v != 0 && who != 0 && is_configured(json, zone)) /* a slug */
				yg_buf_printf(b, "yagura_%s{zone=\"" YG_SV_FMT "\"} %lld\n", text,
					      YG_SV_ARG(yg_json_raw(json, who)),
					      (long long)yg_json_i64(json, v, 0));
			zone = yg_json_at(json, zone)->next;
		}
	}
	put_states(b, json, list);
}
