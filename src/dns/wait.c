/* Questions in flight, the queries that wait for them, and their time. */
#include <stdlib.h>

#include "dns/core_internal.h"
#include "snapshot/hashset.h"

#define TICK    YG_MS(50)
#define SWEEP   YG_SECONDS(5)
#define NOBODY  UINT16_MAX
#define JOB_MAX YG_SECONDS(30) /* an upstream that says nothing, not even that it failed */

yg_status yg_dns_wait_init(struct yg_dns_core *c)
{
	uint32_t heads = 64;
	while (heads < c->opts.jobs_max * 2 && heads < 1u << 30)
		heads *= 2;
	c->waiters = calloc(c->opts.queries_max, sizeof *c->waiters);
	c->jobs = calloc(c->opts.jobs_max, sizeof *c->jobs);
	c->job_heads = calloc(heads, sizeof *c->job_heads);
	if (c->waiters == NULL || c->jobs == NULL || c->job_heads == NULL)
		return YG_NOMEM;
	c->job_mask = heads - 1;
	c->waiter_free = c->job_free = 0;
	c->waiters_used = c->jobs_used = 0; /* memory comes when so many wait at one time */
	return YG_OK;
}

static uint16_t counter_of(const struct yg_dns_core *c, const void *p, size_t n)
{
	const struct yg_hash_key key = {{c->cache.key[1], c->cache.key[0]}};
	return (uint16_t)(yg_hash_of(&key, 7, (struct yg_sv){p, n}) % COUNTERS);
}

/* The counter of a client's network: who floods has all of its addresses. */
static uint16_t network_of(const struct yg_dns_core *c, struct yg_ip ip)
{
	size_t n = yg_ip_is_v4(ip) ? 15 : 7;
	memset(ip.b + n, 0, sizeof ip.b - n);
	return counter_of(c, ip.b, sizeof ip.b);
}

/* ---- waiting queries ---- */

static void unlink_time(struct yg_dns_core *c, struct waiter *w)
{
	if (w->older != 0)
		c->waiters[w->older - 1].newer = w->newer;
	else
		c->oldest = w->newer;
	if (w->newer != 0)
		c->waiters[w->newer - 1].older = w->older;
	else
		c->newest = w->older;
}

static void waiter_end(struct yg_dns_core *c, struct waiter *w)
{
	unlink_time(c, w);
	c->per_client[network_of(c, w->client.ip)]--;
	c->counts.waiting--;
	w->busy = false;
	w->next = c->waiter_free;
	c->waiter_free = (uint32_t)(w - c->waiters) + 1;
}

/* Keeps what a query needs to be run again; NULL: a limit. */
static struct waiter *waiter_new(struct yg_dns_core *c, const struct run *r)
{
	uint16_t *mine = &c->per_client[network_of(c, r->client->ip)];
	if (c->waiter_free == 0 && c->waiters_used == c->opts.queries_max) {
		c->counts.limited_all++;
		return NULL;
	}
	if (*mine >= c->opts.per_client_max) {
		c->counts.limited_client++;
		return NULL;
	}
	uint32_t index = c->waiter_free != 0 ? c->waiter_free : ++c->waiters_used;
	struct waiter *w = &c->waiters[index - 1];
	c->waiter_free = w->next; /* 0 of one that was never used */
	(*mine)++;
	c->counts.waiting++;
	w->client = *r->client;
	w->peer = *r->peer;
	w->query = *r->q;
	if (r->q->cookie.n > 0)
		memcpy(w->cookie, r->q->cookie.p, r->q->cookie.n);
	w->query.cookie = (struct yg_sv){(const char *)w->cookie, r->q->cookie.n};
	memcpy(w->question, r->question, r->q->question_n);
	w->started = r->started;
	w->transport = r->transport;
	w->stale_tried = false;
	w->busy = true;
	w->asks = 0;
	w->out_cap = r->out_cap;
	w->job = w->next = 0;
	w->older = c->newest; /* by the time they began to wait: that of the call */
	w->newer = 0;
	if (c->newest != 0)
		c->waiters[c->newest - 1].newer = index;
	else
		c->oldest = index;
	c->newest = index;
	return w;
}

/* ---- questions in flight ---- */

static struct job *job_find(const struct yg_dns_core *c, const struct yg_dns_key *key)
{
	for (uint32_t i = c->job_heads[key->hash & c->job_mask]; i != 0; i = c->jobs[i - 1].next) {
		struct job *j = &c->jobs[i - 1];
		if (j->hash == key->hash && j->set == key->set && j->type == key->type &&
		    j->key == key->flags && yg_dns_name_eq(&j->name, key->name))
			return j;
	}
	return NULL;
}

bool yg_dns_wait_asked(const struct yg_dns_core *c, const struct yg_dns_key *key)
{
	return job_find(c, key) != NULL;
}

/* client: who wants it; NULL: nobody yet. */
static struct job *job_new(struct yg_dns_core *c, const struct yg_dns_route *route,
			   const struct yg_dns_key *key, const struct yg_dns_client *client)
{
	/* names of random attacks have their parent in common */
	struct yg_sv parent = yg_dns_name_from(key->name, 1);
	uint16_t zone = counter_of(c, parent.p, parent.n);
	if (c->job_free == 0 && c->jobs_used == c->opts.jobs_max) {
		c->counts.limited_all++;
		return NULL;
	}
	if (c->per_zone[zone] >= c->opts.per_zone_max) {
		c->counts.limited_zone += client != NULL; /* nobody goes without for this */
		return NULL;
	}
	uint16_t network = client != NULL ? network_of(c, client->ip) : NOBODY;
	if (network != NOBODY && c->client_jobs[network] >= c->opts.client_jobs_max) {
		c->counts.limited_client++;
		return NULL;
	}
	uint32_t index = c->job_free != 0 ? c->job_free : ++c->jobs_used;
	struct job *j = &c->jobs[index - 1];
	c->job_free = j->next; /* 0 of one that was never used */
	c->per_zone[zone]++;
	if (network != NOBODY)
		c->client_jobs[network]++;
	j->client_counter = network;
	c->counts.jobs++;
	j->name = *key->name;
	j->hash = key->hash;
	j->set = key->set;
	j->type = key->type;
	j->key = key->flags;
	j->zone_labels = route->labels;
	j->zone_counter = zone;
	j->waiters = 0;
	j->started = c->now;
	j->busy = true;
	j->prefetch = false;
	j->token = ++c->tokens << 24 | (index - 1); /* the index is found without a search */
	uint32_t *head = &c->job_heads[key->hash & c->job_mask];
	j->next = *head;
	*head = index;
	return j;
}

static void job_ask(struct yg_dns_core *c, const struct job *j)
{
	const struct yg_dns_question q = {
		.token = j->token,
		.set = j->set,
		.type = j->type,
		.dnssec_ok = (j->key & YG_DNS_KEY_DO) != 0,
		.checking_disabled = (j->key & YG_DNS_KEY_CD) != 0,
		.name = &j->name,
	};
	c->counts.asked++;
	c->opts.ops.ask(c->opts.ops.ctx, &q);
}

/* Takes the question out of the tables; its waiters stay in its list. */
static void job_end(struct yg_dns_core *c, struct job *j)
{
	uint32_t index = (uint32_t)(j - c->jobs) + 1;
	uint32_t *link = &c->job_heads[j->hash & c->job_mask];
	while (*link != index)
		link = &c->jobs[*link - 1].next;
	*link = j->next;
	c->per_zone[j->zone_counter]--;
	if (j->client_counter != NOBODY)
		c->client_jobs[j->client_counter]--;
	c->counts.jobs--;
	j->busy = false;
	j->next = c->job_free;
	c->job_free = index;
}

bool yg_dns_wait_for(struct yg_dns_core *c, struct run *r, const struct yg_dns_route *route,
		     const struct yg_dns_key *key)
{
	struct job *j = job_find(c, key);
	bool joined = j != NULL;
	if (r->waiter != 0 && c->waiters[r->waiter - 1].job != 0)
		return true; /* it waits already: run for a stale answer that is not there */
	if (j == NULL)
		j = job_new(c, route, key, r->client);
	if (j == NULL)
		return false;
	struct waiter *w = r->waiter != 0 ? &c->waiters[r->waiter - 1] : waiter_new(c, r);
	if (w == NULL) {
		if (!joined)
			job_end(c, j);
		return false;
	}
	uint32_t index = (uint32_t)(w - c->waiters) + 1;
	r->waiter = index;
	w->asks = ++r->asks;
	w->job = (uint32_t)(j - c->jobs) + 1;
	w->next = j->waiters;
	j->waiters = index;
	if (joined) {
		c->counts.joined++;
	} else {
		c->counts.misses++;
		job_ask(c, j);
	}
	return true;
}

bool yg_dns_wait_prefetch(struct yg_dns_core *c, const struct yg_dns_route *route,
			  const struct yg_dns_key *key)
{
	if (c->counts.jobs >= c->opts.jobs_max / 2 || job_find(c, key) != NULL)
		return false; /* what somebody waits for goes first */
	struct job *j = job_new(c, route, key, NULL);
	if (j == NULL)
		return false;
	j->prefetch = true;
	c->counts.prefetched++;
	job_ask(c, j);
	return true;
}

/* ---- running again ---- */

static enum yg_dns_result resume(struct yg_dns_core *c, struct waiter *w, bool allow_stale)
{
	struct run *r = &c->run;
	if (c->opts.ops.client != NULL)
		c->opts.ops.client(c->opts.ops.ctx, &w->client);
	r->client = &w->client;
	r->peer = &w->peer;
	r->q = &w->query;
	r->question = w->question;
	r->probe = NULL;
	r->looked = false;
	r->out = c->reply;
	r->out_cap = w->out_cap;
	r->transport = w->transport;
	r->resumed = true;
	r->allow_stale = allow_stale;
	r->waiter = (uint32_t)(w - c->waiters) + 1;
	r->asks = w->asks;
	r->started = w->started;
	const struct yg_dns_route *route =
		c->zones != NULL ? yg_dns_zones_find(c->zones, w->client.org, &w->query.name)
				 : NULL;
	enum yg_dns_result result = yg_dns_run(c, r, route, NULL);
	if (result != YG_DNS_WAITING)
		c->opts.ops.reply(c->opts.ops.ctx, &w->peer, w->transport, c->reply,
				  result == YG_DNS_ANSWERED ? r->out_n : 0);
	return result;
}

/* Takes a waiter off the question it waits for. */
static void detach(struct yg_dns_core *c, struct waiter *w)
{
	uint32_t index = (uint32_t)(w - c->waiters) + 1;
	if (w->job == 0)
		return;
	uint32_t *link = &c->jobs[w->job - 1].waiters;
	while (*link != index)
		link = &c->waiters[*link - 1].next;
	*link = w->next;
	w->job = w->next = 0;
}

/* The question is decided: all that waited for it are run again. */
static void wake(struct yg_dns_core *c, struct job *j, bool failed)
{
	uint32_t list = 0;
	while (j->waiters != 0) { /* in the order they came */
		struct waiter *w = &c->waiters[j->waiters - 1];
		uint32_t index = j->waiters;
		j->waiters = w->next;
		w->next = list;
		w->job = 0;
		list = index;
	}
	job_end(c, j);
	while (list != 0) {
		struct waiter *w = &c->waiters[list - 1];
		list = w->next;
		w->next = 0;
		if (resume(c, w, failed) != YG_DNS_WAITING)
			waiter_end(c, w);
	}
}

static struct job *job_of(struct yg_dns_core *c, uint64_t token)
{
	uint64_t index = token & 0xffffff;
	struct job *j = index < c->jobs_used ? &c->jobs[index] : NULL;
	return j != NULL && j->busy && j->token == token ? j : NULL;
}

static void set_now(struct yg_dns_core *c, yg_mono now)
{
	c->now = now;
	c->now_s = (uint32_t)(now.us / YG_US_PER_S) + 1;
}

static void failed(struct yg_dns_core *c, struct job *j, uint16_t ede)
{
	const struct yg_dns_key key = {j->hash, j->set, j->type, j->key, &j->name};
	const struct yg_dns_key whole = yg_dns_cache_whole(&c->cache, &key);
	struct yg_dns_entry *e =
		yg_dns_cache_best(&c->cache, &key, yg_dns_cache_find(&c->cache, &key), c->now_s);
	bool bogus = ede >= YG_DNS_EDE_INDETERMINATE && ede <= YG_DNS_EDE_NO_NSEC;
	/* what was known stays known, fresh or stale, unless it is now known to be wrong */
	if (e != NULL && !bogus && (e->flags & YG_DNS_ENTRY_FAILURE) == 0 &&
	    c->now_s < e->stale_until && (c->now_s < e->expires || !c->opts.no_stale)) {
		e->hold = c->now_s + c->cache.opts.stale_hold;
		e->refreshing = 0;
	} else {
		yg_dns_cache_drop(&c->cache, &whole);
		yg_dns_clean_failure(&c->clean, &key, ede, &c->cache.opts, c->now_s);
		(void)yg_dns_cache_put(&c->cache, &key, &c->clean.like, c->clean.msg, c->clean.n,
				       NULL, 0);
	}
	wake(c, j, true);
}

/* Puts what is in c->clean in the cache: that a name does not exist for all of its types at
 * once, anything else for the type asked.  False: it is too large. */
static bool keep(struct yg_dns_core *c, const struct yg_dns_key *key)
{
	struct yg_dns_clean *a = &c->clean;
	const struct yg_dns_key whole = yg_dns_cache_whole(&c->cache, key);
	bool exists = a->like.rcode == YG_DNS_RCODE_NOERROR || a->like.chain > 0;
	if (exists)
		yg_dns_cache_drop(&c->cache, &whole);
	if (!exists && a->like.expires > c->now_s) {
		yg_dns_cache_drop(&c->cache, key);
		yg_dns_put16(a->msg + YG_DNS_HEADER + key->name->n, whole.type);
		key = &whole;
	}
	return yg_dns_cache_put(&c->cache, key, &a->like, a->msg, a->n, a->ttl_at, a->ttl_count) !=
	       NULL;
}

yg_status yg_dns_core_answer(struct yg_dns_core *c, uint64_t token, const uint8_t *msg, size_t n,
			     enum yg_dns_security security, uint16_t ede, yg_mono now)
{
	struct job *j = job_of(c, token);
	if (j == NULL)
		return YG_NOTFOUND;
	set_now(c, now);
	if (security == YG_DNS_BOGUS) {
		bool known = ede >= YG_DNS_EDE_INDETERMINATE && ede <= YG_DNS_EDE_NO_NSEC;
		failed(c, j, known ? ede : YG_DNS_EDE_BOGUS);
		return YG_OK;
	}
	const struct yg_dns_key key = {j->hash, j->set, j->type, j->key, &j->name};
	yg_status st =
		yg_dns_clean(&c->clean, msg, n, &key, j->zone_labels, &c->cache.opts, c->now_s);
	if (st != YG_OK) {
		c->counts.bad_answers++;
		failed(c, j, c->clean.lame ? YG_DNS_EDE_NO_AUTHORITY : YG_DNS_EDE_INVALID_DATA);
		return YG_PARSE;
	}
	if (c->clean.dropped > 0)
		c->counts.out_of_zone++;
	if (security == YG_DNS_SECURE)
		c->clean.like.flags |= YG_DNS_ENTRY_SECURE;
	if (!keep(c, &key)) {
		failed(c, j, YG_DNS_EDE_OTHER);
		return YG_PARSE;
	}
	wake(c, j, false);
	return YG_OK;
}

yg_status yg_dns_core_failed(struct yg_dns_core *c, uint64_t token, uint16_t ede, yg_mono now)
{
	struct job *j = job_of(c, token);
	if (j == NULL)
		return YG_NOTFOUND;
	set_now(c, now);
	failed(c, j, ede == YG_DNS_EDE_NONE ? YG_DNS_EDE_NO_AUTHORITY : ede);
	return YG_OK;
}

/* ---- time ---- */

static void give_up(struct yg_dns_core *c, struct waiter *w)
{
	struct run *r = &c->run;
	memset(r, 0, sizeof *r);
	r->client = &w->client;
	r->peer = &w->peer;
	r->q = &w->query;
	r->question = w->question;
	r->out = c->reply;
	r->out_cap = w->out_cap;
	r->transport = w->transport;
	r->started = w->started;
	r->source = YG_DNS_FROM_FAILURE;
	r->ede = YG_DNS_EDE_NO_AUTHORITY;
	r->ede_text = (struct yg_sv){"", 0};
	r->set = w->job != 0 ? c->jobs[w->job - 1].set : 0;
	c->counts.failures++;
	detach(c, w);
	(void)yg_dns_reply_plain(c, r, YG_DNS_RCODE_SERVFAIL);
	c->opts.ops.reply(c->opts.ops.ctx, &w->peer, w->transport, c->reply, r->out_n);
	waiter_end(c, w);
}

/* A stale answer, if there is one; else it goes on waiting. */
static void try_stale(struct yg_dns_core *c, struct waiter *w)
{
	w->stale_tried = true;
	if (resume(c, w, true) == YG_DNS_WAITING)
		return;
	detach(c, w);
	waiter_end(c, w);
}

static void sweep(struct yg_dns_core *c)
{
	if (!yg_mono_due(yg_mono_add(c->swept, SWEEP), c->now))
		return;
	c->swept = c->now;
	for (uint32_t i = 0; i < c->jobs_used && c->counts.jobs > 0; i++)
		if (c->jobs[i].busy &&
		    yg_mono_due(yg_mono_add(c->jobs[i].started, JOB_MAX), c->now))
			failed(c, &c->jobs[i], YG_DNS_EDE_NO_AUTHORITY);
}

yg_mono yg_dns_core_tick(struct yg_dns_core *c, yg_mono now)
{
	set_now(c, now);
	sweep(c);
	for (uint32_t i = c->oldest; i != 0;) {
		struct waiter *w = &c->waiters[i - 1];
		uint32_t next = w->newer;
		if (yg_mono_due(yg_mono_add(w->started, c->opts.give_up), now)) {
			give_up(c, w);
		} else if (yg_mono_due(yg_mono_add(w->started, c->opts.stale_after), now)) {
			if (!w->stale_tried && !c->opts.no_stale)
				try_stale(c, w);
		} else {
			break; /* the others are younger */
		}
		i = next;
	}
	if (c->oldest != 0)
		return yg_mono_add(now, TICK);
	return c->counts.jobs > 0 ? yg_mono_add(now, SWEEP) : (yg_mono){INT64_MAX};
}
