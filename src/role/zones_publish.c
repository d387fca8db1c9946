/* zones_publish.c - our own policy as a response policy zone: what it is now, what led
 * there, and who is told (NOTIFY). */
#include <stdlib.h>
#include <sys/socket.h>

#include "dns/export.h"
#include "role/zones_served.h"

#define JOURNAL_MAX ((size_t)64 << 20)
#define OP_NOTIFY   4u

void served_release(struct edition *e)
{
	if (e == NULL || --e->refs > 0)
		return;
	yg_dns_records_free(e->records);
	free(e);
}

bool served_differences(const struct served *s, uint32_t serial, struct yg_buf *out)
{
	size_t i = 0;
	while (i < s->journal_count && s->journal[i].from != serial)
		i++;
	if (i == s->journal_count)
		return false;
	yg_buf_init(out, JOURNAL_MAX);
	for (; i < s->journal_count; i++)
		yg_buf_put(out, yg_buf_sv(&s->journal[i].b));
	return !out->bad;
}

static void tell(struct served *s)
{
	struct yg_sv rest = s->conf->notify, one;
	while (rest.n > 0) {
		struct yg_addr to;
		struct yg_dns_wr w;
		uint8_t p[512];
		uint16_t id;
		(void)yg_sv_cut(&rest, ' ', &one);
		if (yg_addr_parse(one, &to, NULL) != YG_OK)
			continue;
		s->all->ctx->env.random(s->all->ctx->env.ctx, &id, sizeof id);
		yg_dns_wr_begin(&w, p, 512, id, (uint16_t)(OP_NOTIFY << 11 | YG_DNS_AA));
		yg_dns_wr_question(&w, &s->origin, YG_DNS_SOA, YG_DNS_IN);
		(void)sendto(s->udp_fd, p, w.n, MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)&to.sa, to.n);
	}
}

static void journal_drop(struct served *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		yg_buf_free(&s->journal[i].b);
	memmove(s->journal, s->journal + n, (s->journal_count - n) * sizeof *s->journal);
	s->journal_count -= n;
}

static void journal_add(struct served *s, uint32_t from, struct yg_buf *diff)
{
	size_t bytes = diff->n;
	if (diff->bad) { /* too large: from before it only all of it can be had */
		yg_buf_free(diff);
		journal_drop(s, s->journal_count);
		return;
	}
	for (size_t i = 0; i < s->journal_count; i++)
		bytes += s->journal[i].b.n;
	while (s->journal_count > 0 &&
	       (bytes > JOURNAL_MAX || s->journal_count == SERVED_JOURNAL)) {
		bytes -= s->journal[0].b.n;
		journal_drop(s, 1);
	}
	s->journal[s->journal_count++] = (struct diff){.from = from, .b = *diff};
}

static yg_status build(struct served *s, const struct yg_dns_builder *b, uint32_t serial,
		       struct edition **out, struct yg_dns_export_stats *stats, struct yg_err *err)
{
	struct yg_dns_records_opts o = {.origin = &s->origin};
	struct edition *e = calloc(1, sizeof *e);
	if (e == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for a zone of ours");
	e->refs = 1;
	e->serial = serial;
	(void)zones_key(s->all, o.key);
	yg_status st = yg_dns_records_new(&o, &e->records, err);
	if (st == YG_OK)
		st = yg_dns_export_top(e->records, serial, err);
	if (st == YG_OK)
		st = yg_dns_export(b, s->conf->org, e->records, stats, err);
	if (st != YG_OK)
		served_release(e);
	else
		*out = e;
	return st;
}

static void publish(struct served *s, const struct yg_dns_builder *b, uint32_t serial)
{
	struct yg_dns_export_stats stats;
	struct edition *e = NULL;
	struct yg_err err = {0};
	struct yg_buf diff;
	yg_buf_init(&diff, JOURNAL_MAX / 2);
	if (build(s, b, serial, &e, &stats, &err) != YG_OK || e == NULL) {
		yg_role_log(s->all->ctx, YG_EV_ZONES_FAILED, YG_KU("zone", s->conf->zone),
			    YG_KERR(&err));
		return;
	}
	if (s->now != NULL) {
		uint64_t changes = yg_dns_export_diff(s->now->records, e->records, &diff);
		if (changes == 0) {
			yg_buf_free(&diff);
			served_release(e);
			return;
		}
		journal_add(s, s->now->serial, &diff);
	}
	served_release(s->now);
	s->now = e;
	yg_role_log(s->all->ctx, YG_EV_ZONES_PUBLISHED, YG_KU("zone", s->conf->zone),
		    YG_KN("serial", serial), YG_KN("records", stats.records),
		    YG_KN("left_out", stats.left_out));
	tell(s);
}

void zones_serve_publish(struct zones *z, const struct yg_dns_builder *b, uint64_t generation)
{
	for (struct served *s = z->serve != NULL ? z->serve->list : NULL; s != NULL; s = s->next)
		publish(s, b, (uint32_t)generation);
}
