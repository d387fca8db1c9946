/* zones_served.h - our own policy as zones of ours: zones_publish.c makes them,
 * zones_serve.c and zones_serve_tcp.c give them away. */
#pragma once
#include "dns/export.h"
#include "role/zones_internal.h"

#define SERVED_ALLOW_MAX  64
#define SERVED_JOURNAL    64 /* differences kept */
#define SERVED_ASK_BYTES  4096
#define SERVED_SIGN_BYTES 512                  /* room left for a signature */
#define SERVED_CONNS_MAX  64                   /* of all zones together */
#define SERVED_IDLE_US    (30 * YG_US_PER_S)   /* without a whole question or a message */
#define SERVED_WHOLE_US   (1800 * YG_US_PER_S) /* for one transfer */

struct conn;
struct edition { /* what was served at one time; transfers of it may still run */
	unsigned refs;
	struct yg_dns_policy *policy; /* owned: a reference */
	struct yg_dns_export zone;    /* of it */
	struct yg_dns_export_stats stats;
};
struct diff {
	uint32_t from;
	struct yg_buf b; /* owned */
};
struct comparison {                /* of what is served with what is to be */
	struct edition *from, *to; /* owned references; from NULL: the first; to NULL: none */
	struct yg_buf diff;        /* owned */
	struct yg_dns_export_changes n;
	yg_status st;
	struct yg_err err;
};
struct served {
	struct served *next;
	struct zones *all;
	const struct yg_conf_dns_publish *conf;
	struct yg_dns_name origin;
	struct {
		struct yg_ip ip;
		unsigned bits;
	} allow[SERVED_ALLOW_MAX];
	size_t allow_count;
	bool has_tsig;
	struct yg_tsig_key tsig;
	struct edition *now; /* NULL: not compiled yet */
	struct diff journal[SERVED_JOURNAL];
	size_t journal_count;
	struct comparison beside; /* the job's while one compares */
	uv_poll_t udp, tcp;
	int udp_fd, tcp_fd;
};
struct zones_serve {
	struct served *list; /* owned */
	struct conn *conns;  /* owned */
	unsigned conn_count;
	/* a policy whose comparison takes long; until that is done nothing newer is served */
	struct yg_dns_policy *next;         /* owned: a reference; NULL: none */
	uint64_t next_generation, compared; /* compared: that the job has */
};

void served_release(struct edition *e);
/* The differences from that serial to now, one after another, into *out, which is made:
 * false when they are not all known. */
bool served_differences(const struct served *s, uint32_t serial, struct yg_buf *out);

/* zones_serve.c: a question */
struct asked {
	struct yg_dns_msg m;
	uint16_t rcode; /* not 0: the answer */
	bool sign;
	uint32_t serial; /* of IXFR */
	bool has_serial;
};
/* False: no answer at all. */
bool served_read_ask(const struct served *s, const struct yg_addr *from, uint8_t *p, size_t *n,
		     struct yg_tsig *t, struct asked *a);
size_t served_put_error(const struct asked *a, uint8_t *p, size_t cap);
bool served_knows(const struct served *s, const struct yg_addr *from); /* its network may ask */
static inline uint64_t served_wall(const struct zones *z)
{
	return (uint64_t)(yg_env_wall(&z->ctx->env).us / YG_US_PER_S);
}

/* zones_serve_tcp.c */
void served_on_tcp(uv_poll_t *h, int status, int events);
