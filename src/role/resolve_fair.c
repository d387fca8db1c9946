#include "role/resolve_fair.h"

#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#define PROBES     8u
#define CUT        0.85 /* of what was answered, when it was too much */
#define GROW       1.05
#define BUSY       32 /* packets that wait each time one looks: near the edge, no more */
#define PASS_LEAST (1.0 / 4096)
#define PURGE      YG_MS(200) /* at most */
#define CHANGE     0.05       /* of a share: then the kernel is told */
#define V4         4u
#define V6         6u

uint64_t fair_key(struct yg_ip ip)
{
	uint64_t v = 0;
	if (yg_ip_is_v4(ip)) {
		for (size_t i = 12; i < 15; i++)
			v = v << 8 | ip.b[i];
		return v << 16 | V4; /* the address as 32 bits, then the kind */
	}
	for (size_t i = 0; i < 7; i++)
		v = v << 8 | ip.b[i];
	return v << 8 | V6;
}

void fair_network_text(uint64_t key, struct yg_sb *out)
{
	struct yg_ip ip = {{0}};
	bool v4 = (key & 0xff) == V4;
	if (v4)
		ip.b[10] = ip.b[11] = 0xff;
	for (unsigned i = 0; i < (v4 ? 3u : 7u); i++)
		ip.b[(v4 ? 12 : 0) + i] = (uint8_t)(key >> ((v4 ? 32u : 56u) - 8 * i));
	yg_ip_format(out, ip);
	yg_sb_put(out, v4 ? YG_SV("/24") : YG_SV("/56"));
}

/* ---- what comes ---- */

size_t fair_dice(struct fair *f, size_t n)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return (size_t)((f->random >> 32) * n >> 32);
}

static struct fair_seen *seen_of(struct fair *f, uint64_t key)
{
	uint64_t h = key * f->mix >> 48;
	for (unsigned i = 0; i < PROBES; i++) {
		struct fair_seen *s = &f->seen[(h + i) % FAIR_SEEN];
		if (s->key == key || s->key == 0)
			return s;
	}
	return NULL; /* one of very many: none of them is heavy */
}

void fair_sample(struct fair *f, struct yg_ip ip, size_t n)
{
	uint64_t key = fair_key(ip);
	struct fair_seen *s = seen_of(f, key);
	f->received += n;
	f->batches++;
	if (s == NULL)
		return;
	s->key = key;
	s->packets += n;
}

/* ---- the reckoning ---- */

static void insert(struct fair_network *top, size_t *count, struct fair_network n)
{
	size_t i = *count;
	if (i < FAIR_HEAVY)
		(*count)++;
	else if (top[--i].rate >= n.rate)
		return;
	for (; i > 0 && top[i - 1].rate < n.rate; i--)
		top[i] = top[i - 1];
	top[i] = n;
}

static struct fair_network *heavy_of(struct fair *f, uint64_t key)
{
	for (size_t i = 0; i < f->heavy_count; i++)
		if (f->heavy[i].key == key)
			return &f->heavy[i];
	return NULL;
}

bool fair_late(struct fair *f, struct yg_ip ip)
{
	const struct fair_network *n = heavy_of(f, fair_key(ip));
	if (n == NULL || (double)fair_dice(f, 65536) < n->pass * 65536)
		return false;
	f->shed++;
	return true;
}

/* How fast networks ask, the fastest first; gives the sum of all. */
static double rates(struct fair *f, double seconds, double lost, struct fair_network *top,
		    size_t *count)
{
	double all = 0, known = 0;
	*count = 0;
	for (size_t i = 0; i < FAIR_SEEN; i++) {
		const struct fair_seen *s = &f->seen[i];
		if (s->key == 0)
			continue;
		struct fair_network *was = heavy_of(f, s->key);
		double rate = (double)s->packets * lost / seconds;
		if (was != NULL) { /* samples are few: half of what was known stays */
			rate = (rate / was->pass + was->rate) / 2;
			was->came = true;
		}
		insert(top, count, (struct fair_network){s->key, rate, 1, false});
		all += rate;
		known += (double)s->packets;
	}
	for (size_t i = 0; i < f->heavy_count; i++) {
		const struct fair_network *was = &f->heavy[i];
		if (was->came || was->rate < 1 || seconds > 0.5)
			continue; /* it asks no more */
		insert(top, count, (struct fair_network){was->key, was->rate / 2, 1, false});
		all += was->rate / 2;
	}
	return all + ((double)f->received - known) * lost / seconds;
}

void fair_reckon(struct fair *f, double seconds, uint64_t drops)
{
	struct fair_network top[FAIR_HEAVY] = {{0}};
	size_t count, k = 0;
	double received = (double)f->received, filtered = 0;
	bool full = f->turns_short == 0 && f->turns_full > 1;
	for (size_t i = 0; i < f->heavy_count; i++)
		filtered += f->heavy[i].rate * (1 - f->heavy[i].pass) * seconds;
	double over = (double)drops > filtered ? (double)drops - filtered : 0;
	f->overflowed += (uint64_t)over;
	f->shed += drops - (uint64_t)over;
	if (f->capacity <= 0 && (!full || over <= 0))
		return; /* there is room */
	double lost = full && f->capacity <= 0 ? (received + over) / received : 1;
	double all = rates(f, seconds, lost, top, &count);
	double answered = received / seconds;
	if (full)
		f->capacity = YG_MIN(f->capacity > 0 ? f->capacity : answered, answered) * CUT;
	else if (f->received <= (uint64_t)f->batches * BUSY)
		f->capacity = YG_MAX(f->capacity, answered) * GROW;
	/* the k that ask most are cut to the same rate, which is less than each asks for */
	double rest = all, level = 0;
	for (; k < count && rest + (double)k * top[k].rate > f->capacity; k++) {
		rest -= top[k].rate;
		level = (f->capacity - rest) / (double)(k + 1);
	}
	level = YG_MAX(level, f->capacity / (2 * FAIR_HEAVY)); /* too many of them */
	for (size_t i = 0; i < k; i++)
		top[i].pass = YG_MIN(YG_MAX(level / top[i].rate, PASS_LEAST), 1.0);
	memcpy(f->heavy, top, sizeof top);
	f->heavy_count = k;
	if (k == 0)
		f->capacity = 0;
}

/* ---- the filter ---- */

#define NET (SKF_NET_OFF)

static size_t put(struct sock_filter *out, size_t n, unsigned code, uint8_t jt, uint8_t jf,
		  uint32_t k)
{
	out[n] = (struct sock_filter){(uint16_t)code, jt, jf, k};
	return n + 1;
}

/* Lets a packet in by chance. */
static size_t put_chance(struct sock_filter *out, size_t n, double pass)
{
	uint32_t below = (uint32_t)(pass * 4294967295.0);
	n = put(out, n, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
	n = put(out, n, BPF_JMP | BPF_JGE | BPF_K, 0, 1, below);
	n = put(out, n, BPF_RET | BPF_K, 0, 0, 0);
	return put(out, n, BPF_RET | BPF_K, 0, 0, UINT32_MAX);
}

size_t fair_program(const struct fair *f, struct sock_filter out[FAIR_PROGRAM])
{
	size_t n = put(out, 0, BPF_LD | BPF_B | BPF_ABS, 0, 0, (uint32_t)NET);
	n = put(out, n, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0);
	size_t fork = n;
	n = put(out, n, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0x40);
	n = put(out, n, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)NET + 12);
	n = put(out, n, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xffffff00u);
	for (size_t i = 0; i < f->heavy_count; i++) {
		if ((f->heavy[i].key & 0xff) != V4)
			continue;
		n = put(out, n, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)(f->heavy[i].key >> 8));
		n = put_chance(out, n, f->heavy[i].pass);
	}
	n = put(out, n, BPF_RET | BPF_K, 0, 0, UINT32_MAX);
	out[fork].jf = (uint8_t)(n - fork - 1);
	for (unsigned i = 0; i < 2; i++) {
		n = put(out, n, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)NET + 8 + 4 * i);
		n = put(out, n, BPF_ST, 0, 0, i);
	}
	for (size_t i = 0; i < f->heavy_count; i++) {
		uint64_t key = f->heavy[i].key;
		if ((key & 0xff) != V6)
			continue;
		n = put(out, n, BPF_LD | BPF_MEM, 0, 0, 0);
		n = put(out, n, BPF_JMP | BPF_JEQ | BPF_K, 0, 7, (uint32_t)(key >> 32));
		n = put(out, n, BPF_LD | BPF_MEM, 0, 0, 1);
		n = put(out, n, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xffffff00u);
		n = put(out, n, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)key & 0xffffff00u);
		n = put_chance(out, n, f->heavy[i].pass);
	}
	return put(out, n, BPF_RET | BPF_K, 0, 0, UINT32_MAX);
}

/* ---- the socket ---- */

static uint32_t drops_of(int fd)
{
	uint32_t v[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof v;
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, v, &n) == 0 ? v[SK_MEMINFO_DROPS] : 0;
}

static void detach(int fd)
{
	int none = 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
}

static bool same(const struct fair *f)
{
	if (f->heavy_count != f->attached_count)
		return false;
	for (size_t i = 0; i < f->heavy_count; i++) {
		double off = f->heavy[i].pass - f->attached_pass[i];
		if (f->heavy[i].key != f->attached_key[i] ||
		    YG_MAX(off, -off) > CHANGE * f->attached_pass[i])
			return false;
	}
	return true;
}

static void attach(struct fair *f)
{
	struct sock_filter code[FAIR_PROGRAM];
	if (same(f)) { /* what is in force is what is reckoned with */
		for (size_t i = 0; i < f->heavy_count; i++)
			f->heavy[i].pass = f->attached_pass[i];
		return;
	}
	if (f->heavy_count == 0)
		detach(f->fd);
	struct sock_fprog p = {.len = (unsigned short)fair_program(f, code), .filter = code};
	if (f->heavy_count > 0 &&
	    setsockopt(f->fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) != 0) {
		detach(f->fd); /* a kernel without: everybody loses alike */
		f->heavy_count = 0;
		f->capacity = 0;
		f->fd = -1;
	}
	f->attached_count = f->heavy_count;
	for (size_t i = 0; i < f->heavy_count; i++) {
		f->attached_pass[i] = f->heavy[i].pass;
		f->attached_key[i] = f->heavy[i].key;
	}
}

void fair_open(struct fair *f, int fd, bool on, uint64_t seed, yg_mono now)
{
	memset(f, 0, sizeof *f);
	detach(fd);
	f->fd = on ? fd : -1;
	f->random = seed | 1;
	f->mix = seed << 1 | 1;
	f->since = now;
	f->drops = drops_of(fd);
}

static void begin_window(struct fair *f, uint32_t drops, yg_mono now)
{
	f->drops = drops;
	f->since = now;
	f->turns_full = f->turns_short = 0;
	f->received = 0;
	f->batches = 0;
	memset(f->seen, 0, sizeof f->seen);
}

bool fair_turn(struct fair *f, bool full, yg_mono now)
{
	f->turns_full += full;
	f->turns_short += !full;
	if (f->fd < 0)
		return false;
	if (f->purging) { /* nothing can be learned from what waited before the filter */
		if (full && !yg_mono_due(yg_mono_add(f->since, PURGE), now))
			return false;
		uint32_t drops = drops_of(f->fd);
		f->purging = false;
		f->shed += drops - f->drops;
		begin_window(f, drops, now);
		return false;
	}
	if (!yg_mono_due(yg_mono_add(f->since, FAIR_WINDOW), now))
		return false;
	bool was = f->heavy_count > 0;
	/* in quiet times the kernel is asked once a second */
	if (!was && f->turns_full == 0 && !yg_mono_due(yg_mono_add(f->since, YG_SECONDS(1)), now))
		return false;
	uint32_t drops = drops_of(f->fd);
	fair_reckon(f, (double)(now.us - f->since.us) / YG_US_PER_S, drops - f->drops);
	attach(f);
	f->purging = full && f->heavy_count > 0;
	begin_window(f, drops, now);
	return was != (f->heavy_count > 0);
}
