/* The worker's counters as JSON, asked for by center at run/resolve-<n>.sock; its
 * health and /metrics show them. */
#include "format/json.h"
#include "role/resolve_internal.h"
#include "role/resolve_up.h"

#define SERVERS_TOLD 128 /* upstream, of all sets */

/* Upper ends of the buckets that times are counted in. */
static const uint32_t took_us[RESOLVE_TOOK - 1] = {50,     100,    250,    500,     1000,
						   2500,   5000,   10000,  25000,   50000,
						   100000, 250000, 500000, 1000000, 2500000};

static void count_answer(struct resolve_answers *a, const struct yg_dns_event *ev)
{
	if (ev->transport < YG_LEN(a->by_door))
		a->by_door[ev->transport]++;
	if (ev->answer_n == 0)
		return; /* dropped: no answer, no time */
	a->by_rcode[YG_MIN(ev->rcode, RESOLVE_RCODES - 1)]++;
	unsigned i = 0;
	while (i < YG_LEN(took_us) && ev->took_us > (int64_t)took_us[i])
		i++;
	a->by_took[i]++;
	a->took_us += (uint64_t)YG_MAX(ev->took_us, 0);
}

void resolve_count_event(struct resolve *r, const struct yg_dns_event *ev)
{
	count_answer(&r->answers, ev);
	if (ev->verdict == NULL || ev->action <= YG_DNS_ACTION_PASSTHRU || ev->client->audit)
		return;
	if (ev->verdict->zone.layer < YG_DNS_LAYER_COUNT)
		r->blocked[ev->verdict->zone.layer]++;
}

static void number(struct yg_buf *b, const char *key, uint64_t v)
{
	yg_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)v);
}

static void put_core(const struct resolve *r, struct yg_buf *b)
{
	struct yg_dns_counts c = yg_dns_core_counts(r->core);
	const struct {
		const char *key;
		uint64_t v;
	} rows[] = {
		{"queries", c.queries},
		{"cache_hits", c.hits},
		{"stale", c.stale},
		{"misses", c.misses},
		{"joined", c.joined},
		{"asked", c.asked},
		{"prefetched", c.prefetched},
		{"blocked", c.blocked},
		{"noted", c.noted},
		{"dropped", c.dropped},
		{"refused", c.refused},
		{"malformed", c.malformed},
		{"failures", c.failures},
		{"rebinding", c.guard},
		{"limited_client", c.limited_client},
		{"limited_zone", c.limited_zone},
		{"limited_all", c.limited_all},
		{"bad_answers", c.bad_answers},
		{"out_of_zone", c.out_of_zone},
		{"truncated", c.truncated},
		{"cookies_good", c.cookies_good},
		{"cookies_bad", c.cookies_bad},
		{"waiting", c.waiting},
		{"questions", c.jobs},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++)
		number(b, rows[i].key, rows[i].v);
	for (unsigned i = 0; i < YG_DNS_LAYER_COUNT; i++) {
		char key[48];
		struct yg_sb s = yg_sb_init(key, sizeof key);
		yg_sb_printf(&s, "blocked_%s", yg_dns_layer_name((enum yg_dns_layer)i));
		for (size_t k = 0; k < s.n; k++)
			if (key[k] == '-')
				key[k] = '_';
		number(b, yg_sb_cstr(&s), r->blocked[i]);
	}
}

static void put_cache(const struct resolve *r, struct yg_buf *b)
{
	const struct yg_dns_cache *c = yg_dns_core_cache(r->core);
	number(b, "cache_entries", c->entries);
	number(b, "cache_bytes", (uint64_t)c->used * 64);
	number(b, "cache_bytes_max", r->cache_bytes);
	number(b, "cache_puts", c->puts);
	number(b, "cache_replaced", c->replaced);
	number(b, "cache_evicted", c->evicted);
	number(b, "cache_kept_on", c->kept_on);
}

/* Lists: by door, by rcode, by time taken. */
static void put_answers(const struct resolve *r, struct yg_buf *b)
{
	static const char *const doors[] = {[YG_DNS_UDP] = "udp",
					    [YG_DNS_TCP] = "tcp",
					    [YG_DNS_DOT] = "dot",
					    [YG_DNS_DOH] = "doh"};
	const struct resolve_answers *a = &r->answers;
	yg_buf_put(b, YG_SV(",\"doors\":["));
	for (unsigned i = YG_DNS_UDP; i < YG_LEN(doors); i++)
		yg_buf_printf(b, "%s{\"door\":\"%s\",\"queries\":%llu}", i > YG_DNS_UDP ? "," : "",
			      doors[i], (unsigned long long)a->by_door[i]);
	yg_buf_put(b, YG_SV("],\"rcodes\":["));
	for (unsigned i = 0; i < RESOLVE_RCODES; i++) {
		char text[32];
		struct yg_sb s = yg_sb_init(text, sizeof text);
		if (a->by_rcode[i] == 0 && i > YG_DNS_RCODE_REFUSED)
			continue; /* seldom: when there was one */
		if (i < RESOLVE_RCODES - 1)
			yg_dns_rcode_format(&s, i);
		else
			yg_sb_put(&s, YG_SV("other"));
		yg_buf_printf(b, "%s{\"rcode\":\"%s\",\"answers\":%llu}", i > 0 ? "," : "",
			      yg_sb_cstr(&s), (unsigned long long)a->by_rcode[i]);
	}
	yg_buf_put(b, YG_SV("],\"took\":{\"rows\":["));
	for (unsigned i = 0; i < RESOLVE_TOOK; i++) {
		yg_buf_put(b, i > 0 ? YG_SV(",{") : YG_SV("{"));
		if (i < YG_LEN(took_us))
			yg_buf_printf(b, "\"le_us\":%u,", took_us[i]);
		yg_buf_printf(b, "\"answers\":%llu}", (unsigned long long)a->by_took[i]);
	}
	yg_buf_putc(b, ']');
	number(b, "sum_us", a->took_us);
	yg_buf_putc(b, '}');
}

static void put_servers(const struct resolve *r, struct yg_buf *b)
{
	int64_t now = resolve_now(r).us;
	unsigned told = 0;
	yg_buf_put(b, YG_SV(",\"upstreams\":["));
	for (size_t i = 0; i < r->up->count; i++)
		for (size_t k = 0; k < r->up->sets[i].count && told < SERVERS_TOLD; k++, told++) {
			const struct up_server *s = &r->up->sets[i].servers[k];
			yg_buf_printf(b, "%s{\"set\":\"%zu\",\"server\":\"%s\"",
				      told > 0 ? "," : "", i + 1, s->text);
			number(b, "rtt_us", (uint64_t)up_rtt(s));
			number(b, "fails", s->fails);
			number(b, "silent", s->bad_until > now);
			yg_buf_putc(b, '}');
		}
	yg_buf_putc(b, ']');
}

static void put_doors(const struct resolve *r, struct yg_buf *b)
{
	const struct resolve_door_counts *d = &r->doors;
	number(b, "connections", d->accepted);
	number(b, "connections_open", d->open);
	number(b, "connections_refused", d->refused);
	number(b, "connections_idle", d->idle);
	number(b, "connections_evicted", d->evicted);
	number(b, "connections_postponed", d->postponed);
	number(b, "tls_failed", d->tls_failed);
	number(b, "https", d->https);
	number(b, "https_bad", d->https_bad);
	number(b, "https_reset", d->https_reset);
	number(b, "rate_limited", d->limited);
	number(b, "rate_slipped", d->slipped);
	number(b, "unsent", resolve_udp_unsent(r));
	struct resolve_overload o;
	resolve_udp_overload(r, &o);
	number(b, "shed", o.shed);
	number(b, "overflowed", o.overflowed);
	number(b, "networks_held_back", o.networks);
}

static void put_log(const struct resolve *r, struct yg_buf *b)
{
	struct resolve_log_counts c = resolve_log_counts(r);
	number(b, "log_written", c.written);
	number(b, "log_dropped", c.dropped);
	number(b, "log_untold", c.untold);
	number(b, "log_bytes", c.bytes);
	number(b, "log_files", c.files);
	number(b, "log_files_dropped", c.files_dropped);
	number(b, "log_dropped_old", c.dropped_old);
	number(b, "log_failures", c.failures);
	number(b, "log_waiting_bytes", c.waiting_bytes);
	number(b, "log_bytes_max", c.most_bytes);
	number(b, "log_full", c.full);
	struct yg_tap_counts all = {0};
	uint64_t down = 0;
	for (size_t i = 0; i < resolve_taps_count(r->taps); i++) {
		struct yg_tap_counts one = resolve_taps_counts(r->taps, i);
		all.sent += one.sent;
		all.dropped += one.dropped;
		all.lost += one.lost;
		all.waiting += one.waiting;
		down += !one.up;
	}
	number(b, "dnstap_sent", all.sent);
	number(b, "dnstap_dropped", all.dropped);
	number(b, "dnstap_lost", all.lost);
	number(b, "dnstap_waiting", all.waiting);
	number(b, "dnstap_down", down);
}

static void put_upstreams(const struct resolve *r, struct yg_buf *b)
{
	uint64_t servers = 0, down = 0, usable = 0;
	for (size_t i = 0; i < r->up->count; i++) {
		const struct up_set *s = &r->up->sets[i];
		uint64_t good = s->recurse != NULL && !up_recurse_down(s->recurse);
		for (size_t k = 0; k < s->count; k++) {
			servers++;
			down += s->servers[k].down;
			good += !s->servers[k].down;
		}
		usable += good > 0;
	}
	number(b, "upstream_asked", r->up->asked);
	number(b, "upstream_by_tcp", r->up->by_tcp);
	number(b, "upstream_mismatched", r->up->mismatched);
	number(b, "upstream_guessed", r->up->guessed);
	number(b, "upstream_timeouts", r->up->timeouts);
	number(b, "upstream_servers", servers);
	number(b, "upstream_servers_down", down);
	number(b, "trust_anchor_missing_keys", up_anchors_missing(r));
	number(b, "upstream_sets", r->up->count);
	number(b, "upstream_sets_down", r->up->count - usable);
}

void resolve_stats_json(const struct resolve *r, struct yg_buf *b)
{
	yg_buf_printf(b, "{\"worker\":%u", r->ctx->index);
	put_core(r, b);
	put_doors(r, b);
	put_log(r, b);
	put_upstreams(r, b);
	number(b, "policy_generation",
	       r->policy != NULL ? yg_dns_policy_info(r->policy).generation : 0);
	number(b, "policy_names", r->policy != NULL ? yg_dns_policy_info(r->policy).names : 0);
	put_cache(r, b);
	put_answers(r, b);
	put_servers(r, b);
	/* what is of now; all else only grows */
	yg_buf_put(b, YG_SV(",\"gauges\":\"waiting questions connections_open networks_held_back "
			    "log_waiting_bytes log_bytes_max log_full dnstap_waiting dnstap_down "
			    "upstream_servers upstream_servers_down trust_anchor_missing_keys "
			    "upstream_sets upstream_sets_down policy_generation policy_names "
			    "cache_entries cache_bytes cache_bytes_max\"}"));
}
