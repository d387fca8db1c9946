/* resolve_up.h - the parts of the upstream side of role resolve: resolve_up.c (a
 * question and its tries), resolve_up_server.c (which server, and what is known of it),
 * resolve_up_tls.c (by TLS), resolve_up_relay.c (by TLS, for libunbound), resolve_recurse.c
 * (recursion and validation), resolve_anchor.c (is the trust anchor the newest?).
 * One thread: the loop's. */
#pragma once
#include "role/resolve_internal.h"

#define UP_SERVERS_MAX YG_CONF_SERVERS_MAX

struct up_tls;
struct up_vain { /* questions in vain, in a row; of one name again and again: one */
	uint32_t count;
	uint64_t last; /* its name, hashed */
};
struct up_server {
	struct yg_addr addr;
	int64_t rtt_us, var_us;
	int64_t bad_until;   /* us of the monotonic clock; it is asked when nobody else is left */
	int64_t plain_until; /* likewise: it is asked without EDNS */
	uint32_t fails;      /* in a row: silent, refused, broken off */
	struct up_vain vain; /* what it said was no answer */
	bool down;           /* told; until it answers */
	struct up_tls *tls;  /* owned; NULL: it is asked by UDP and TCP */
	struct yg_sv name;   /* borrowed; of its certificate; "": none */
	char text[YG_ADDR_TEXT_MAX];
	bool speaks_edns; /* it has answered with EDNS: silence says nothing about that */
};
struct up_set {
	struct up_server servers[UP_SERVERS_MAX];
	size_t count;
	bool authoritative;         /* a stub: RD=0, AA wanted */
	bool trust_ad;              /* AD in an answer says that it is secure */
	struct up_recurse *recurse; /* NULL: the servers above are asked, by us */
};
struct upstreams {
	struct up_set *sets; /* set number n is sets[n - 1] */
	size_t count;
	struct recursion *recursion; /* NULL: none of the sets recurses or validates */
	struct anchors *anchors;     /* NULL: nothing is validated, or another worker looks */
	uint64_t asked, by_tcp, mismatched, timeouts, plain, jobs, guessed;
};

/* One question. */
struct up_job {
	struct resolve *r;
	struct up_set *set;
	struct up_server *server;
	uint64_t token;
	int64_t sent_us;
	struct yg_dns_ask ask;
	struct yg_dns_name name;
	uint16_t type;
	bool dnssec_ok, checking_disabled, by_tcp, ended;
	bool plain,
		again_plain; /* this try is without EDNS; the next one shall be, at the same server */
	bool pending;        /* a try begins when the handles of the one before are gone */
	uint8_t tries, handles; /* handles: open ones of the loop */
	uint8_t strange;        /* datagrams that are not the answer */
	uint16_t why;           /* EDE of what servers said that is no answer; 0: nothing yet */
	uint16_t tried;         /* servers, by bit */
	int fd;                 /* -1: none */
	uv_poll_t poll;
	uv_timer_t timer;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	uint8_t head[2]; /* length before the question by TCP */
	uint8_t *in;     /* owned; the answer by TCP */
	size_t in_n;
	struct up_tls *tls; /* whose connection it is on; NULL: none */
	struct up_job *tls_next;
};
/* The answer off a stream: it ends the question, or the next try begins. */
void up_job_answer(struct up_job *j, const uint8_t *msg, size_t n);
void up_job_next(struct up_job *j);

/* resolve_up_tls.c */
/* The servers of a set that have a name or pins. */
yg_status up_tls_open(struct resolve *r, size_t i, struct up_set *set, struct yg_err *err);
/* False: not now; nothing has begun. */
bool up_tls_send(struct up_job *j);
struct yg_tls_context;
struct yg_tls_peer;
/* Of set `set`, from 0: who vouches for its servers; their keys. */
yg_status up_tls_authorities(struct resolve *r, size_t set, struct yg_tls_context **out,
			     struct yg_err *err);
yg_status up_tls_pins(struct yg_tls_peer *p, struct yg_sv pins, struct yg_err *err);
void up_tls_leave(struct up_job *j); /* it is not waited for any more; on none: nothing */

/* resolve_up_server.c */
int64_t up_rtt(const struct up_server *s); /* us; a guess when it was never asked */
void up_server_answered(struct resolve *r, struct up_server *s, int64_t took_us);
uint32_t up_vain(struct up_vain *v, const struct yg_dns_name *name); /* one more: how many */
/* It was silent, nobody is there, or it ended the connection; why: in words. */
void up_server_failed(struct resolve *r, struct up_server *s, const char *why);
/* It cannot be spoken to safely: not asked for a while, whatever was before. */
void up_server_unsafe(struct resolve *r, struct up_server *s);
/* What it said of this name is no answer.  One name alone says nothing about the server. */
void up_server_useless(struct resolve *r, struct up_server *s, const struct yg_dns_name *name);
/* How long an answer is waited for at a try, from 0 on. */
int64_t up_server_wait(const struct up_server *s, unsigned tries);
/* The best one whose bit in *tried is not set; when all are set: they are cleared, and
 * the best again.  first: now and then another one than the best, to learn its time. */
struct up_server *up_server_choose(struct up_set *set, uint16_t *tried, bool first, int64_t now,
				   uint64_t dice);
/* The servers of a set as the configuration has them. */
yg_status up_servers_read(struct up_set *s, struct yg_sv text, struct yg_err *err);

/* resolve_recurse.c */
/* Recursion from the root, or through the servers of set `i`, from 0, if it forwards.
 * YG_OK | YG_NOMEM | YG_PARSE (root hints, trust anchor) | YG_NOTFOUND (no trust anchor). */
yg_status up_recurse_open(struct resolve *r, size_t i, bool validate, struct up_recurse **out,
			  struct yg_err *err);
/* resolve_up_relay.c: a listener on the loopback behind which server `k` of set `set` is
 * spoken to by TLS.  YG_OK | YG_NOMEM | YG_INTERNAL. */
struct up_relay_server {
	struct yg_tls_context *context; /* borrowed for as long as the role lives */
	const struct yg_tls_peer *peer; /* copied */
	struct yg_sv name;              /* of its certificate; "": none */
	struct yg_addr addr;
};
yg_status up_relay_open(struct resolve *r, size_t set, size_t k, const struct up_relay_server *s,
			struct yg_addr *out, struct yg_err *err);

/* resolve_anchor.c: looks after the trust anchor whose text this is, through the first
 * context that validates.  YG_OK | YG_NOMEM. */
struct ub_ctx;
yg_status up_anchors_open(struct resolve *r, struct ub_ctx *checked, struct yg_sv file,
			  struct yg_err *err);
/* Keys that its zones have published and it lacks. */
uint64_t up_anchors_missing(const struct resolve *r);
/* Nothing of what was asked lately had an answer. */
bool up_recurse_down(const struct up_recurse *set);
/* False: no memory. */
bool up_recurse_ask(struct up_recurse *set, const struct yg_dns_question *q);
