/* load.c - asks a server as fast as it answers, and beside it another now and then, and says
 * how long each answer took, so that what the machine does can be told from what the server
 * does.  The time of an answer is the kernel's (SO_TIMESTAMPNS): when it was sent back, not
 * when this program came to read it.
 *
 * Usage: bench_dns_load PORT OTHER_PORT FILE IN_FLIGHT WINDOW_MS SECONDS
 * FILE: as of dnsperf, "name type" a line, of which the type is A.  To PORT so many queries at a
 * time; to OTHER_PORT one, again PROBE_NS after its answer.  A line of JSON for each window, by
 * when the answers came: begin (unix, s); answers, those that are not NXDOMAIN, lost (no answer
 * in a second), unsure (this program lost its core while it sent: when is not known), and a
 * histogram [us, count, ...] of the others, of both servers. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FLIGHT_MAX 256
#define BATCH      64
#define QUERY_MAX  300
#define NAMES_MAX  200000
#define BUCKETS    (32 * 32) /* 32 to each power of 2 */
#define PROBE_NS   1000000
#define LOST_NS    1000000000
#define SURE_NS    500000 /* so long a batch may take to be sent */
#define NXDOMAIN   3

struct query {
	uint16_t n;
	uint8_t b[QUERY_MAX];
};
struct target {
	int fd;
	unsigned flight; /* so many at a time */
	struct {
		int64_t sent; /* 0: free */
		uint8_t turn;
		bool unsure;
	} slot[FLIGHT_MAX];
	unsigned open;
	uint64_t answers, other, lost, unsure;
	uint32_t histogram[BUCKETS];
};

static struct query *queries;
static size_t query_count, query_next;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- queries ---- */

static bool make_query(const char *name, struct query *q)
{
	static const uint8_t head[12] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
	static const uint8_t tail[] = {0, 0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
	size_t n = sizeof head;
	memcpy(q->b, head, sizeof head);
	while (*name != '\0' && *name != ' ' && *name != '\n') {
		size_t label = strcspn(name, ". \n");
		if (label == 0 || label > 63 || n + label + 1 + sizeof tail > QUERY_MAX)
			return false;
		q->b[n++] = (uint8_t)label;
		memcpy(q->b + n, name, label);
		n += label;
		name += label + (name[label] == '.');
	}
	memcpy(q->b + n, tail, sizeof tail);
	q->n = (uint16_t)(n + sizeof tail);
	return true;
}

static bool read_queries(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");
	queries = calloc(NAMES_MAX, sizeof *queries);
	if (f == NULL || queries == NULL) {
		perror(path);
		return false;
	}
	while (query_count < NAMES_MAX && fgets(line, sizeof line, f) != NULL)
		query_count += make_query(line, &queries[query_count]);
	(void)fclose(f);
	return query_count > 0;
}

/* ---- times ---- */

static unsigned bucket_of(int64_t us)
{
	unsigned long long v = us < 1 ? 1 : (unsigned long long)us;
	unsigned power = 63 - (unsigned)__builtin_clzll(v);
	if (power < 5)
		return (unsigned)v;
	unsigned b = (power - 4) * 32 + (unsigned)(v >> (power - 5) & 31);
	return b < BUCKETS ? b : BUCKETS - 1;
}

/* The least that falls into it, us. */
static unsigned long long bucket_us(unsigned b)
{
	return b < 32 ? b : (32ull + b % 32) << (b / 32 - 1);
}

static void put_target(const char *name, struct target *t)
{
	bool first = true;
	(void)printf("\"%s\":{\"answers\":%llu,\"other\":%llu,\"lost\":%llu,\"unsure\":%llu,"
		     "\"us\":[",
		     name, (unsigned long long)t->answers, (unsigned long long)t->other,
		     (unsigned long long)t->lost, (unsigned long long)t->unsure);
	for (unsigned b = 0; b < BUCKETS; b++)
		if (t->histogram[b] > 0) {
			(void)printf("%s%llu,%u", first ? "" : ",", bucket_us(b), t->histogram[b]);
			first = false;
		}
	(void)printf("]}");
	t->answers = t->other = t->lost = t->unsure = 0;
	memset(t->histogram, 0, sizeof t->histogram);
}

static void put_window(int64_t begin, struct target *a, struct target *b)
{
	(void)printf("{\"begin\":%lld.%06lld,", (long long)(begin / 1000000000),
		     (long long)(begin / 1000 % 1000000));
	put_target("server", a);
	(void)printf(",");
	put_target("other", b);
	(void)printf("}\n");
	(void)fflush(stdout);
}

/* ---- asking ---- */

static bool target_open(struct target *t, const char *port, unsigned flight)
{
	int on = 1, size = 4 << 20;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	t->flight = flight;
	t->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    setsockopt(t->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) {
		perror("socket");
		return false;
	}
	(void)setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return true;
}

static void send_all(const struct target *t, struct mmsghdr *m, unsigned n)
{
	for (unsigned sent = 0; sent < n;) {
		int k = sendmmsg(t->fd, m + sent, n - sent, 0);
		if (k <= 0 && errno != ECONNREFUSED)
			break; /* they count as lost */
		sent += k > 0 ? (unsigned)k : 0;
	}
}

/* Fills up what may be in flight. */
static void ask(struct target *t)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	unsigned n = 0, slots[BATCH];
	for (unsigned i = 0; i < t->flight && t->open < t->flight && n < BATCH; i++) {
		if (t->slot[i].sent != 0)
			continue;
		struct query *q = &queries[query_next++ % query_count];
		q->b[0] = ++t->slot[i].turn;
		q->b[1] = (uint8_t)i;
		iov[n] = (struct iovec){q->b, q->n};
		m[n].msg_hdr = (struct msghdr){.msg_iov = &iov[n], .msg_iovlen = 1};
		t->slot[i].sent = 1; /* taken */
		slots[n++] = i;
		t->open++;
	}
	int64_t begin = now_ns();
	send_all(t, m, n);
	bool unsure = now_ns() - begin > SURE_NS;
	for (unsigned i = 0; i < n; i++) {
		t->slot[slots[i]].sent = begin;
		t->slot[slots[i]].unsure = unsure;
	}
}

static int64_t arrived(struct msghdr *h, int64_t now)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec at;
			memcpy(&at, CMSG_DATA(c), sizeof at);
			return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
		}
	return now;
}

static void take_one(struct target *t, struct mmsghdr *m, const uint8_t *p, int64_t now)
{
	unsigned i = p[1];
	if (m->msg_len < 12 || i >= t->flight || t->slot[i].sent == 0 || t->slot[i].turn != p[0])
		return; /* too late */
	if (t->slot[i].unsure)
		t->unsure++;
	else
		t->histogram[bucket_of((arrived(&m->msg_hdr, now) - t->slot[i].sent) / 1000)]++;
	t->answers++;
	t->other += (p[3] & 15) != NXDOMAIN;
	t->slot[i].sent = 0;
	t->open--;
}

static void take(struct target *t)
{
	static uint8_t bytes[BATCH][1500], control[BATCH][64];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){bytes[i], sizeof bytes[i]};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
					       .msg_iovlen = 1,
					       .msg_control = control[i],
					       .msg_controllen = sizeof control[i]};
	}
	int n = recvmmsg(t->fd, m, BATCH, MSG_DONTWAIT, NULL);
	int64_t now = now_ns();
	for (int i = 0; i < n; i++)
		take_one(t, &m[i], bytes[i], now);
}

static void give_up(struct target *t, int64_t now)
{
	for (unsigned i = 0; i < t->flight; i++)
		if (t->slot[i].sent != 0 && now - t->slot[i].sent > LOST_NS) {
			t->slot[i].sent = 0;
			t->open--;
			t->lost++;
		}
}

static void run(struct target *a, struct target *b, int64_t window, int64_t end)
{
	int64_t begin = now_ns(), probe = begin;
	while (stop == 0) {
		struct pollfd p[2] = {{.fd = a->fd, .events = POLLIN},
				      {.fd = b->fd, .events = POLLIN}};
		int64_t now = now_ns();
		if (now - begin >= window) {
			give_up(a, now);
			give_up(b, now);
			put_window(begin, a, b);
			if (now >= end)
				return;
			begin = now;
		}
		ask(a);
		if (now >= probe && b->open == 0) {
			ask(b);
			probe = now + PROBE_NS;
		}
		if (poll(p, 2, 1) <= 0)
			continue;
		if ((p[0].revents & (POLLIN | POLLERR)) != 0)
			take(a);
		if ((p[1].revents & (POLLIN | POLLERR)) != 0)
			take(b);
	}
}

int main(int argc, char **argv)
{
	static struct target server, other;
	if (argc != 7) {
		(void)fprintf(stderr,
			      "usage: %s PORT OTHER_PORT FILE IN_FLIGHT WINDOW_MS SECONDS\n",
			      argv[0]);
		return 2;
	}
	unsigned long flight = strtoul(argv[4], NULL, 10);
	int64_t window = strtoll(argv[5], NULL, 10) * 1000000;
	int64_t seconds = strtoll(argv[6], NULL, 10);
	if (flight == 0 || flight > FLIGHT_MAX || window <= 0 || seconds <= 0)
		return 2;
	if (!read_queries(argv[3]) || !target_open(&server, argv[1], (unsigned)flight) ||
	    !target_open(&other, argv[2], 1))
		return 1;
	(void)signal(SIGTERM, on_signal);
	run(&server, &other, window, now_ns() + seconds * 1000000000);
	free(queries);
	return 0;
}
