/* run/zones.sock: every zone of the policy: where it is from, what is in it, how it does.
 *
 * {"generation","zones":[{"name","kind","source","origin","layer","org",
 * "mode","override","category","serial","records","taken","refused","out_of_zone",
 * "duplicates","bytes","state","late","changed_at","checked_at","failed_at","error",
 * "triggers":{},"refused_records":[{"line","reason","record"}]}],"left_out"}; times in us, 0: never.  In
 * the order of precedence; late: 1 when somebody should look after it; those of people's entries and of indicators (kind "entries", "indicators") have
 * no serial, bytes, failures and refused records; left_out: how many of them are not listed. */
#include <stdio.h>

#include "format/json.h"
#include "role/door.h"
#include "role/zones_internal.h"

#define LATE_FILE_US (60 * YG_US_PER_S) /* a file that cannot be read for so long */
#define LATE_TRIES   3                  /* a transfer: so many times what its SOA has as retry */

static int64_t wall(const struct zone *z)
{
	return yg_env_wall(&z->all->ctx->env).us;
}

void zones_news_good(struct zone *z, bool changed)
{
	z->news.checked_at = wall(z);
	if (changed || z->news.changed_at == 0)
		z->news.changed_at = z->news.checked_at;
	z->news.failed_at = z->news.fails_from = 0;
	z->news.error[0] = '\0';
}

void zones_news_bad(struct zone *z, const struct yg_err *err)
{
	z->news.failed_at = wall(z);
	if (z->news.fails_from == 0)
		z->news.fails_from = z->news.failed_at;
	(void)snprintf(z->news.error, sizeof z->news.error, "%.*s", (int)sizeof z->news.error - 1,
		       err->msg);
}

static void member(struct yg_buf *b, const char *key, struct yg_sv s)
{
	yg_buf_printf(b, ",\"%s\":", key);
	yg_json_put_str(b, s);
}

static void count(struct yg_buf *b, const char *key, uint64_t n)
{
	yg_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)n);
}

static const char *state_of(const struct zone *z)
{
	bool there = z->now.records != NULL || zones_list(z).n > 0;
	if (z->job != NULL && !there)
		return "loading";
	if (!there)
		return z->news.failed_at != 0 ? "failed" : "empty";
	if (z->expired)
		return "expired";
	return z->news.failed_at != 0 ? "behind" : "ok";
}

/* It has nothing, what it has is too old, or it has been behind for longer than a fault of
 * the moment lasts. */
static bool is_late(const struct zone *z)
{
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	struct yg_dns_soa soa;
	struct yg_sv state = yg_sv_of(state_of(z));
	int64_t most = LATE_FILE_US;
	if (!YG_SV_IS(state, "behind"))
		return YG_SV_IS(state, "failed") || YG_SV_IS(state, "expired");
	if (z->conf->axfr.n > 0 && z->now.records != NULL &&
	    yg_dns_records_soa(z->now.records, &owner, &rr) && yg_dns_soa_read(rr.rdata, &soa))
		most = LATE_TRIES * (int64_t)soa.retry * YG_US_PER_S;
	return wall(z) - z->news.fails_from > most;
}

static void put_origin(const struct zone *z, struct yg_buf *b)
{
	char text[YG_DNS_NAME_TEXT_MAX];
	struct yg_sb s = yg_sb_init(text, sizeof text);
	const struct yg_dns_name *origin =
		z->now.records != NULL ? yg_dns_records_origin(z->now.records) : z->spec.origin;
	if (origin != NULL)
		yg_dns_name_format(&s, origin);
	member(b, "origin", yg_sb_sv(&s));
}

static void put_refused(const struct zone *z, struct yg_buf *b)
{
	yg_buf_put(b, YG_SV(",\"refused_records\":["));
	for (size_t i = 0; i < z->news.refused_n; i++) {
		const struct zone_refused *r = &z->news.refused[i];
		yg_buf_printf(b, "%s{\"line\":%llu", i > 0 ? "," : "", (unsigned long long)r->line);
		member(b, "reason", yg_sv_of(r->reason));
		member(b, "record", yg_sv_of(r->text));
		yg_buf_putc(b, '}');
	}
	yg_buf_putc(b, ']');
}

static void put_counts(const struct yg_dns_zone_stats *s, struct yg_buf *b)
{
	count(b, "taken", s->taken);
	count(b, "refused", s->refused);
	count(b, "out_of_zone", s->out_of_zone);
	count(b, "duplicates", s->duplicates);
}

static void put_triggers(const struct yg_dns_zone_stats *s, struct yg_buf *b)
{
	yg_buf_put(b, YG_SV(",\"triggers\":{"));
	for (size_t i = YG_DNS_TRIGGER_CLIENT_IP; i < YG_DNS_TRIGGER_COUNT; i++)
		yg_buf_printf(b, "%s\"%s\":%llu", i > YG_DNS_TRIGGER_CLIENT_IP ? "," : "",
			      yg_dns_trigger_name((enum yg_dns_trigger)i),
			      (unsigned long long)s->rules[i]);
	yg_buf_putc(b, '}');
}

static void put_zone(const struct zone *z, struct yg_buf *b)
{
	const struct yg_conf_dns_policy *c = z->conf;
	bool file = c->axfr.n == 0;
	yg_buf_put(b, YG_SV("{\"name\":"));
	yg_json_put_str(b, c->name);
	member(b, "kind", z->is_list ? YG_SV("list") : file ? YG_SV("rpz") : YG_SV("axfr"));
	member(b, "source", z->is_list ? c->list : file ? c->rpz : c->axfr);
	put_origin(z, b);
	member(b, "layer", yg_sv_of(yg_dns_layer_name(z->spec.layer)));
	member(b, "org", c->org);
	member(b, "mode", yg_sv_of(yg_dns_mode_name(z->spec.mode)));
	member(b, "override", c->override_);
	member(b, "category", c->category);
	count(b, "serial", z->stats.serial);
	count(b, "records", z->stats.records);
	put_counts(&z->stats, b);
	count(b, "bytes",
	      z->now.records != NULL ? yg_dns_records_bytes(z->now.records) : zones_list(z).n);
	member(b, "state", yg_sv_of(state_of(z)));
	count(b, "late", is_late(z));
	count(b, "changed_at", (uint64_t)z->news.changed_at);
	count(b, "checked_at", (uint64_t)z->news.checked_at);
	count(b, "failed_at", (uint64_t)z->news.failed_at);
	member(b, "error", yg_sv_of(z->news.error));
	put_triggers(&z->stats, b);
	put_refused(z, b);
	yg_buf_putc(b, '}');
}

/* "allow@my-city", "blocks@all/phishing", "indicators@all/LIST/category": entries or
 * indicators, and of the second the list. */
static void put_made(const struct zone_made *m, struct yg_buf *b)
{
	struct yg_sv name = yg_sv_of(m->name), rest = name, list = {"", 0};
	bool indicators = m->layer == YG_DNS_LAYER_INDICATORS;
	if (yg_sv_ends(rest, YG_SV(":addresses")))
		rest.n -= 10;
	size_t slash = yg_sv_find(rest, '/', 0);
	if (indicators && slash < rest.n) {
		rest = yg_sv_sub(rest, slash + 1, rest.n);
		(void)yg_sv_cut(&rest, '/', &list);
	}
	yg_buf_put(b, YG_SV("{\"name\":"));
	yg_json_put_str(b, name);
	member(b, "kind", indicators ? YG_SV("indicators") : YG_SV("entries"));
	member(b, "source", list);
	member(b, "origin", YG_SV(""));
	member(b, "layer", yg_sv_of(yg_dns_layer_name(m->layer)));
	member(b, "org", yg_sv_of(m->org));
	member(b, "mode", yg_sv_of(yg_dns_mode_name(m->mode)));
	member(b, "override", YG_SV("given"));
	member(b, "category", yg_sv_of(m->category));
	count(b, "records", m->stats.records);
	put_counts(&m->stats, b);
	member(b, "state", YG_SV("ok"));
	count(b, "changed_at", (uint64_t)m->changed_at);
	count(b, "checked_at", (uint64_t)m->changed_at);
	put_triggers(&m->stats, b);
	yg_buf_putc(b, '}');
}

static void on_zones(void *user, uint32_t type, struct yg_sv body, struct yg_buf *reply)
{
	const struct zones *z = user;
	(void)body;
	if (type != YG_IPC_ZONES)
		return;
	size_t at = yg_ipc_begin(reply, YG_IPC_ZONES_REPLY);
	yg_buf_printf(reply, "{\"generation\":%llu,\"zones\":[", (unsigned long long)z->generation);
	bool known = z->places != NULL && z->made != NULL;
	/* before the first policy: those that are configured */
	for (size_t i = 0; i < (known ? z->place_count : z->count); i++) {
		const struct zone *one = known ? z->places[i].zone : &z->zones[i];
		if (i > 0)
			yg_buf_putc(reply, ',');
		if (one != NULL)
			put_zone(one, reply);
		else if (known)
			put_made(&z->made[z->places[i].made], reply);
	}
	yg_buf_printf(reply, "],\"left_out\":%llu}", (unsigned long long)z->made_left_out);
	yg_ipc_end(reply, at);
}

yg_status zones_door_open(struct zones *z, struct yg_err *err)
{
	return yg_door_open(z->ctx, "zones.sock", YG_R_CENTER, on_zones, z, &z->door, err);
}
