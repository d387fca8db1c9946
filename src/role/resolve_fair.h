/* resolve_fair.h - fair shares when more queries come by UDP than a worker can answer.
 *
 * A socket's buffer that is always full loses of every client the same part: who asks
 * ten times too much leaves one answer in ten to everybody.  So the networks that ask
 * most are found by samples, what they may have is reckoned (max-min: nobody gets more
 * than L, and who asks for less than L gets all of it), and the kernel is told to take
 * that part of their packets only, before they are in the buffer (a socket filter).
 * While there is room for all nothing is reckoned and there is no filter.
 *
 * Runs in: a worker of role resolve, one for each socket.  The reckoning is pure. */
#pragma once
#include <linux/filter.h>

#include "base/ip.h"
#include "base/units.h"

#define FAIR_HEAVY   16u /* networks that are held back at one time */
#define FAIR_SEEN    512u
#define FAIR_PROGRAM (12u + FAIR_HEAVY * 8u) /* instructions at most */
#define FAIR_WINDOW  YG_MS(50)

struct fair_network {
	uint64_t key;
	double rate; /* packets a second as they come, with those that are not let in */
	double pass; /* the part of them that is let in, above 0, at most 1 */
	bool came;   /* in this window */
};
struct fair_seen {
	uint64_t key; /* 0: nobody */
	uint64_t packets;
};
struct fair {
	int fd;               /* -1: fair shares are off */
	uint64_t random, mix; /* mix: of the hash of networks */
	/* this window */
	yg_mono since;
	uint64_t received;
	unsigned turns_full, turns_short, batches;
	struct fair_seen seen[FAIR_SEEN];
	/* from window to window */
	bool purging;    /* what came before the filter is let in by it too */
	double capacity; /* packets a second that are let in; 0: nobody is held back */
	struct fair_network heavy[FAIR_HEAVY];
	size_t heavy_count, attached_count;
	double attached_pass[FAIR_HEAVY];
	uint64_t attached_key[FAIR_HEAVY];
	uint32_t drops; /* the kernel's counter, as it was */
	/* since the beginning */
	uint64_t shed, overflowed;
};

/* fd: the socket; a filter that a worker before has left goes.  seed: random. */
void fair_open(struct fair *f, int fd, bool on, uint64_t seed, yg_mono now);
/* IPv4 /24, IPv6 /56 of an address. */
uint64_t fair_key(struct yg_ip ip);
/* Is a batch of n to be sampled?  When there is no hurry none is. */
static inline bool fair_wants(const struct fair *f, size_t n, size_t most)
{
	return f->fd >= 0 && (n == most || f->heavy_count > 0);
}
/* A batch of n packets; `ip` is that of one of them, chosen by fair_dice(). */
void fair_sample(struct fair *f, struct yg_ip ip, size_t n);
size_t fair_dice(struct fair *f, size_t n);
/* Is this packet, which has waited from before the filter, not let in? */
bool fair_late(struct fair *f, struct yg_ip ip);
static inline bool fair_purges(struct fair *f, struct yg_ip ip)
{
	return f->purging && fair_late(f, ip);
}
/* The socket has been read; full: until there was no more time, not no more packets.
 * True: networks are held back, or no more, that were not before. */
bool fair_turn(struct fair *f, bool full, yg_mono now);
/* A window is over: `drops` packets were not taken by the kernel in it. */
void fair_reckon(struct fair *f, double seconds, uint64_t drops);
/* The filter for f->heavy: how many instructions. */
size_t fair_program(const struct fair *f, struct sock_filter out[FAIR_PROGRAM]);
/* "192.0.2.0/24" of a key. */
void fair_network_text(uint64_t key, struct yg_sb *out);
