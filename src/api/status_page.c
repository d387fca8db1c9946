/* The page at /: plain HTML, no script, one style sheet of ours.  To strangers
 * it shows whether the parts work, which /readyz tells them too; everything
 * that speaks of organisations needs the local socket or a token. */
#include "api/html.h"
#include "api/overview.h"
#include "org/source.h"

struct words { /* one row per text of the page */
	const char *parts, *part, *state, *remark, *alerts, *alerts_none, *sources, *org, *source,
		*sensor, *records, *unparsed, *last, *numbers, *coverage, *reporting, *last_event,
		*snapshot, *never, *next, *hidden, *more, *as_of, *again;
	const char *health[3];
	const char *severity[7];
};
static const struct words english = {
	.parts = "Parts of the system",
	.part = "Part",
	.state = "State",
	.remark = "Remark",
	.alerts = "Open alerts",
	.alerts_none = "None is open.",
	.sources = "Sources",
	.org = "Organisation",
	.source = "Source",
	.sensor = "Sensor",
	.records = "Records",
	.unparsed = "Unparsed",
	.last = "Last received",
	.numbers = "Data",
	.coverage = "Sources heard in 24 hours",
	.reporting = "of",
	.last_event = "Newest event",
	.snapshot = "Indicators in force",
	.never = "never",
	.next = "Where to go next",
	.hidden =
		"Numbers of events and alerts are shown after sign-in (a token with the scope system:read) or over the local socket.",
	.more = "The rest is in the list of sources of the API.",
	.as_of = "As of",
	.again = "Look again",
	.health = {"down", "degraded", "works"},
	.severity = {"unknown", "informational", "low", "medium", "high", "critical", "fatal"},
};
static const struct words japanese = {
	.parts = "システムの各部",
	.part = "部分",
	.state = "状態",
	.remark = "備考",
	.alerts = "未対応のアラート",
	.alerts_none = "ありません。",
	.sources = "ログの送信元",
	.org = "組織",
	.source = "種類",
	.sensor = "センサー",
	.records = "件数",
	.unparsed = "解釈不能",
	.last = "最終受信",
	.numbers = "データ",
	.coverage = "24時間以内に受信した送信元",
	.reporting = "/",
	.last_event = "最新のイベント",
	.snapshot = "有効なインジケータ",
	.never = "なし",
	.next = "次にすること",
	.hidden =
		"イベントやアラートの件数は、認証（スコープ system:read のトークン）後、またはローカルソケットでのみ表示します。",
	.more = "続きは API の送信元一覧にあります。",
	.as_of = "現在",
	.again = "再表示",
	.health = {"停止", "低下", "正常"},
	.severity = {"不明", "情報", "低", "中", "高", "重大", "致命的"},
};
/* Never colour alone. */
static const char *const shapes[7] = {"○", "○", "●", "■", "◆", "▲", "▲"};
static const char *const classes[7] = {"info", "info",     "low",     "medium",
				       "high", "critical", "critical"};
static const char *const health_class[3] = {"critical", "medium", "ok"};
static const char *const health_shape[3] = {"▲", "■", "●"};

static void put_time(struct yg_buf *b, const struct words *w, yg_wall t)
{
	char text[40];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	if (t.us == 0) {
		yg_buf_put(b, yg_sv_of(w->never));
		return;
	}
	yg_time_format(&s, t);
	yg_buf_printf(b, "<time datetime=\"%.27s\">%.10s %.8s UTC</time>", yg_sb_cstr(&s), text,
		      text + 11);
}

static void put_parts(struct yg_buf *b, const struct words *w, const struct yg_overview *o,
		      bool all)
{
	yg_buf_printf(
		b,
		"<h2>%s</h2>\n<table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">%s</th>",
		w->parts, w->part, w->state);
	yg_buf_printf(b, "%s%s%s</tr></thead><tbody>\n", all ? "<th scope=\"col\">" : "",
		      all ? w->remark : "", all ? "</th>" : "");
	for (size_t i = 0; i < o->part_count; i++) {
		const struct yg_part *p = &o->parts[i];
		yg_buf_put(b, YG_SV("<tr><td>"));
		yg_html_text(b, yg_sv_of(p->name));
		yg_buf_printf(
			b, "</td><td class=\"%s\"><span aria-hidden=\"true\">%s</span> %s</td>",
			health_class[p->health], health_shape[p->health], w->health[p->health]);
		if (all) {
			yg_buf_put(b, YG_SV("<td>"));
			yg_html_text(b, yg_sv_of(p->text));
			yg_buf_put(b, YG_SV("</td>"));
		}
		yg_buf_put(b, YG_SV("</tr>\n"));
	}
	yg_buf_put(b, YG_SV("</tbody></table>\n"));
}

static void put_numbers(struct yg_buf *b, const struct words *w, const struct yg_overview *o)
{
	yg_buf_printf(
		b, "<h2>%s</h2>\n<div class=\"cards\">\n<div class=\"card\">%s<b>%lld</b></div>\n",
		w->numbers, w->records, (long long)o->records);
	yg_buf_printf(b, "<div class=\"card\">%s<b>%lld</b></div>\n", w->unparsed,
		      (long long)o->unparsed);
	yg_buf_printf(b, "<div class=\"card\">%s<b>%llu %s %llu</b></div>\n", w->coverage,
		      (unsigned long long)o->reporting, w->reporting,
		      (unsigned long long)o->sources);
	yg_buf_printf(b, "<div class=\"card\">%s<b>%llu</b></div>\n", w->snapshot,
		      (unsigned long long)o->indicators);
	yg_buf_printf(b, "</div>\n<p>%s: ", w->last_event);
	put_time(b, w, o->last_event);
	yg_buf_put(b, YG_SV("</p>\n"));
}

static void put_alerts(struct yg_buf *b, const struct words *w, const struct yg_overview *o)
{
	bool none = true;
	yg_buf_printf(b, "<h2>%s</h2>\n", w->alerts);
	for (size_t i = 7; i-- > 0;) {
		if (o->alerts[i] == 0)
			continue;
		yg_buf_printf(
			b,
			"%s<tr><th scope=\"row\" class=\"%s\"><span aria-hidden=\"true\">%s</span> %s</th>"
			"<td class=\"n\">%lld</td></tr>\n",
			none ? "<table><tbody>\n" : "", classes[i], shapes[i], w->severity[i],
			(long long)o->alerts[i]);
		none = false;
	}
	if (none)
		yg_buf_printf(b, "<p>%s</p>\n", w->alerts_none);
	else
		yg_buf_put(b, YG_SV("</tbody></table>\n"));
}

static void put_sources(struct yg_buf *b, const struct words *w, const struct yg_overview *o)
{
	const char *const heads[] = {w->org,     w->source,   w->sensor,
				     w->records, w->unparsed, w->last};
	yg_buf_printf(b, "<h2>%s</h2>\n<table><thead><tr>", w->sources);
	for (size_t i = 0; i < YG_LEN(heads); i++)
		yg_buf_printf(b, "<th scope=\"col\"%s>%s</th>",
			      i == 3 || i == 4 ? " class=\"n\"" : "", heads[i]);
	yg_buf_put(b, YG_SV("</tr></thead><tbody>\n"));
	size_t n = YG_MIN(o->row_count, 50u);
	for (size_t i = 0; i < n; i++) {
		const struct yg_source_row *s = &o->rows[i];
		yg_buf_put(b, YG_SV("<tr><td>"));
		yg_html_text(b, s->org);
		yg_buf_put(b, YG_SV("</td><td>"));
		yg_html_text(b, s->source);
		yg_buf_put(b, YG_SV("</td><td>"));
		yg_html_text(b, s->sensor);
		yg_buf_printf(b, "</td><td class=\"n\">%lld</td><td class=\"n\">%lld</td><td>",
			      (long long)s->events, (long long)s->unparsed);
		put_time(b, w, s->last_received);
		yg_buf_put(b, YG_SV("</td></tr>\n"));
	}
	yg_buf_put(b, YG_SV("</tbody></table>\n"));
	if (o->sources > n)
		yg_buf_printf(b, "<p class=\"soft\">%s</p>\n", w->more);
}

yg_status yg_r_status_page(struct yg_api *api, struct yg_request *q, struct yg_response *r,
			   struct yg_err *err)
{
	YG_AUTO(yg_lease_end) struct yg_lease l = {0};
	const struct words *w = q->japanese ? &japanese : &english;
	struct yg_overview o = {0};
	struct yg_reach reach = {0};
	bool all = yg_who_may(&q->who, "system:read");
	yg_status st;
	if (all) {
		st = yg_lease_state(api, &l, err);
		if (st == YG_OK)
			st = yg_who_reach(&q->who, l.db, "system:read", q->arena, &reach, err);
		if (st == YG_OK)
			st = yg_overview_read(api, q, l.db, &reach, &o, err);
	} else {
		st = yg_api_parts(api, q->arena, &o.parts, &o.part_count, err);
		o.health = yg_parts_health(o.parts, o.part_count);
	}
	if (st != YG_OK)
		return st;
	static const struct yg_html_page page = {"Is all well?", "稼働状況", "wide", false};
	struct yg_buf *b = &r->body;
	yg_html_begin(q, r, 200, &page);
	yg_buf_printf(b, "<p class=\"state %s\"><span aria-hidden=\"true\">%s</span> %s</p>\n",
		      health_class[o.health], health_shape[o.health], w->health[o.health]);
	yg_buf_printf(b, "<p class=\"soft\">%s: ", w->as_of);
	put_time(b, w, q->now);
	yg_buf_printf(b, " · %s · <a href=\"/status\">%s</a></p>\n", YG_VERSION, w->again);
	if (all) {
		put_alerts(b, w, &o);
		put_numbers(b, w, &o);
		put_sources(b, w, &o);
	} else {
		yg_buf_printf(b, "<p>%s</p>\n", w->hidden);
	}
	put_parts(b, w, &o, all && reach.all);
	yg_buf_printf(
		b,
		"<h2>%s</h2>\n<ul><li><code>yagura doctor</code></li><li><code>yagura alert list</code></li>"
		"<li><code>yagura event search WORDS</code></li>"
		"<li><a href=\"/api/openapi.yaml\">OpenAPI</a></li></ul>\n",
		w->next);
	yg_html_end(b);
	return YG_OK;
}
