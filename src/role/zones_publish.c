/* zones_publish.c - our own policy as a response policy zone: which policy it is made from,
 * what led there, and who is told (NOTIFY).  Its records are kept nowhere: dns/export.h
 * makes them from the policy when somebody asks. */
#include <stdlib.h>
#include <sys/socket.h>

#include "role/zones_served.h"

#define JOURNAL_MAX ((size_t)64 << 20)
#define OP_NOTIFY   4u

void served_release(struct edition *e)
{
	if (e == NULL || --e->refs > 0)
		return;
	yg_dns_policy_close(e->policy);
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

static struct edition *edition_of(const struct served *s, struct yg_dns_policy *policy,
				  uint32_t serial)
{
	struct edition *e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->refs = 1;
	e->policy = yg_dns_policy_ref(policy);
	e->zone = (struct yg_dns_export){.policy = policy,
					 .origin = &s->origin,
					 .view = yg_dns_policy_view(policy, s->conf->org),
					 .serial = serial};
	return e;
}

/* What the first one is, or what has changed; *same: nothing. */
static yg_status weigh(struct served *s, struct edition *e, bool *same, struct yg_err *err)
{
	struct yg_dns_export_changes n;
	struct yg_buf diff;
	*same = false;
	if (s->now == NULL)
		return yg_dns_export_count(&e->zone, &e->stats, err);
	yg_buf_init(&diff, JOURNAL_MAX / 2);
	yg_status st = yg_dns_export_diff(&s->now->zone, &e->zone, &diff, &n, err);
	*same = st == YG_OK && n.gone + n.come == 0;
	if (st != YG_OK || *same) {
		yg_buf_free(&diff);
		return st;
	}
	e->stats.records = s->now->stats.records - n.gone + n.come;
	e->stats.left_out = s->now->stats.left_out - n.left_out_gone + n.left_out_come;
	journal_add(s, s->now->zone.serial, &diff);
	return YG_OK;
}

static void publish(struct served *s, struct yg_dns_policy *policy, uint32_t serial)
{
	struct yg_err err = {0};
	struct edition *e = edition_of(s, policy, serial);
	bool same = false;
	yg_status st = e != NULL ? weigh(s, e, &same, &err)
				 : YG_FAIL(&err, YG_NOMEM, "no memory for a zone of ours");
	if (st != YG_OK) {
		served_release(e);
		yg_role_log(s->all->ctx, YG_EV_ZONES_FAILED, YG_KU("zone", s->conf->zone),
			    YG_KERR(&err));
		return;
	}
	if (same) { /* the serial stays; what it is made from need not be kept twice */
		e->zone.serial = s->now->zone.serial;
		e->stats = s->now->stats;
	}
	served_release(s->now);
	s->now = e;
	if (same)
		return;
	yg_role_log(s->all->ctx, YG_EV_ZONES_PUBLISHED, YG_KU("zone", s->conf->zone),
		    YG_KN("serial", serial), YG_KN("records", e->stats.records),
		    YG_KN("left_out", e->stats.left_out));
	tell(s);
}

void zones_serve_publish(struct zones *z, struct yg_dns_policy *policy, uint64_t generation)
{
	for (struct served *s = z->serve != NULL ? z->serve->list : NULL; s != NULL; s = s->next)
		publish(s, policy, (uint32_t)generation);
}
