/* zones_publish.c - our own policy as a response policy zone: which policy it is made from,
 * what led there, and who is told (NOTIFY).  Its records are kept nowhere: dns/export.h
 * makes them from the policy when somebody asks. */
#include <stdlib.h>
#include <sys/socket.h>

#include "role/zones_served.h"

#define JOURNAL_MAX ((size_t)64 << 20)
#define OP_NOTIFY   4u
#define LONG_NAMES  20000u /* fewer are compared before anybody notices */

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

/* ---- from one policy to the next ---- */

static void comparison_begin(struct served *s, struct yg_dns_policy *policy, uint32_t serial,
			     struct comparison *out)
{
	*out = (struct comparison){.from = s->now, .to = edition_of(s, policy, serial)};
	if (out->from != NULL)
		out->from->refs++;
	yg_buf_init(&out->diff, JOURNAL_MAX / 2);
}

/* What the first one is, or what has changed.  Any thread. */
static void compare(struct comparison *c)
{
	if (c->to == NULL)
		c->st = YG_FAIL(&c->err, YG_NOMEM, "no memory for a zone of ours");
	else if (c->from == NULL)
		c->st = yg_dns_export_count(&c->to->zone, &c->to->stats, &c->err);
	else
		c->st = yg_dns_export_diff(&c->from->zone, &c->to->zone, &c->diff, &c->n, &c->err);
}

/* Into force.  The same: the serial stays, and what it is made from is not kept twice. */
static void publish(struct served *s, struct comparison *c)
{
	struct edition *to = c->to;
	const struct edition *from = c->from;
	bool same = from != NULL && c->n.gone + c->n.come == 0;
	if (same) {
		to->zone.serial = from->zone.serial;
		to->stats = from->stats;
	} else if (from != NULL) {
		to->stats.records = from->stats.records - c->n.gone + c->n.come;
		to->stats.left_out = from->stats.left_out - c->n.left_out_gone + c->n.left_out_come;
		journal_add(s, from->zone.serial, &c->diff);
		yg_buf_init(&c->diff, 1); /* it is the journal's, or gone */
	}
	served_release(s->now);
	s->now = to;
	c->to = NULL;
	if (same)
		return;
	yg_role_log(s->all->ctx, YG_EV_ZONES_PUBLISHED, YG_KU("zone", s->conf->zone),
		    YG_KN("serial", to->zone.serial), YG_KN("records", to->stats.records),
		    YG_KN("left_out", to->stats.left_out));
	tell(s);
}

static void comparison_end(struct served *s, struct comparison *c)
{
	if (c->st == YG_OK)
		publish(s, c);
	else
		yg_role_log(s->all->ctx, YG_EV_ZONES_FAILED, YG_KU("zone", s->conf->zone),
			    YG_KERR(&c->err));
	served_release(c->from);
	served_release(c->to);
	yg_buf_free(&c->diff);
	*c = (struct comparison){.from = NULL};
}

/* Of policies over one base only what differs is looked at; else every name of both. */
static bool takes_long(const struct zones_serve *all, struct yg_dns_policy *policy)
{
	bool other_base = false;
	for (const struct served *s = all->list; s != NULL; s = s->next)
		other_base = other_base || s->now == NULL ||
			     yg_dns_policy_whole(s->now->policy) != yg_dns_policy_whole(policy);
	return other_base && yg_dns_policy_info(policy).names >= LONG_NAMES;
}

static void at_once(struct zones_serve *all, struct yg_dns_policy *policy, uint64_t generation)
{
	for (struct served *s = all->list; s != NULL; s = s->next) {
		struct comparison c;
		comparison_begin(s, policy, (uint32_t)generation, &c);
		compare(&c);
		comparison_end(s, &c);
	}
}

static void next_end(struct zones_serve *all)
{
	yg_dns_policy_close(all->next);
	all->next = NULL;
}

bool zones_compare_begin(struct zones *z)
{
	struct zones_serve *all = z->serve;
	if (all == NULL || all->next == NULL)
		return false;
	all->compared = all->next_generation;
	for (struct served *s = all->list; s != NULL; s = s->next)
		comparison_begin(s, all->next, (uint32_t)all->compared, &s->beside);
	return true;
}

void zones_compare_work(struct zones *z)
{
	for (struct served *s = z->serve->list; s != NULL; s = s->next)
		compare(&s->beside);
}

void zones_compare_end(struct zones *z)
{
	struct zones_serve *all = z->serve;
	for (struct served *s = all->list; s != NULL; s = s->next)
		comparison_end(s, &s->beside);
	if (all->compared != all->next_generation) { /* another came meanwhile */
		if (takes_long(all, all->next))
			return; /* once more */
		at_once(all, all->next, all->next_generation);
	}
	next_end(all);
}

void zones_serve_publish(struct zones *z, struct yg_dns_policy *policy, uint64_t generation)
{
	struct zones_serve *all = z->serve;
	bool waits = all->next != NULL;
	if (!waits && (!z->begun || !takes_long(all, policy))) {
		at_once(all, policy, generation);
		return;
	}
	next_end(all);
	all->next = yg_dns_policy_ref(policy);
	all->next_generation = generation;
	if (!waits && !zones_job_begin(z, ZONES_COMPARE) && !zones_job_busy(z)) {
		at_once(all, policy, generation); /* no thread */
		next_end(all);
	}
}
