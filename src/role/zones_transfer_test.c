/* Transfers to us and from us, by a clock of the test's own, over real connections: a server
 * that stands still, goes on for ever, lies about lengths; secondaries that do, and too many. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/compile.h"
#include "role/zones_served.h"
#include "tap.h"

#define S       YG_US_PER_S
#define ORIGIN  "feed.example."
#define OURS    "rpz.ours.example."
#define PATIENT 2000 /* turns of the loop, of a millisecond at most */

/* ---- the role around them ---- */

static struct yg_env_sim sim = {.seed = 7, .mono = {1000 * S}};
static uv_loop_t loop;
static struct yg_role_ctx ctx;
static struct yg_conf conf;
static struct zones all = {.ctx = &ctx, .conf = &conf};
static int tcp_fd = -1, udp_fd = -1;
static unsigned change_count;
static char told[256]; /* the last fault */

int yg_role_fd(const struct yg_role_ctx *c, const char *name)
{
	(void)c;
	return strstr(name, ".tcp") != NULL ? tcp_fd : strstr(name, ".udp") != NULL ? udp_fd : -1;
}
void zones_changed(struct zones *z)
{
	(void)z;
	change_count++;
}
void zones_news_good(struct zone *z, bool changed)
{
	(void)z;
	(void)changed;
	told[0] = '\0';
}
void zones_news_bad(struct zone *z, const struct yg_err *err)
{
	(void)z;
	(void)snprintf(told, sizeof told, "%s", err->msg);
}
uint8_t *zones_key(struct zones *z, uint8_t out[static 16])
{
	(void)z;
	return memset(out, 1, 16);
}
void zones_kept_write(struct zone *z)
{
	(void)z;
}
void zones_base_drop(struct zone *z)
{
	(void)z;
}
void zones_base_note(struct zone *z, const struct yg_dns_xfr *x)
{
	(void)z;
	(void)x;
}
void zones_prepare(struct zone *z)
{
	(void)z;
}
bool zones_job_saves(const struct zones *z)
{
	(void)z;
	return false;
}
bool zones_job_begin(struct zones *z, enum zones_work what)
{
	(void)z;
	(void)what;
	return false;
}
bool zones_job_busy(const struct zones *z)
{
	(void)z;
	return false;
}

/* Whatever is under way comes to its end. */
static void turn(void)
{
	for (unsigned i = 0; i < 4; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}
static void later(int64_t us)
{
	sim.mono.us += us;
	sim.wall.us += us;
}

/* ---- bytes ---- */

static uint8_t msg[65537];

static struct yg_dns_name name_of(const char *text)
{
	struct yg_dns_name n;
	if (yg_dns_name_parse(yg_sv_of(text), NULL, &n, NULL) != YG_OK)
		abort();
	return n;
}
static struct yg_sv soa_of(uint32_t serial)
{
	static uint8_t b[27] = {2, 'n', 's', 0, 1, 'r', 0};
	for (unsigned i = 0; i < 5; i++)
		yg_dns_put32(b + 7 + i * 4, i == 0 ? serial : 3600);
	return (struct yg_sv){(const char *)b, sizeof b};
}
static void put(struct yg_dns_wr *w, const char *owner, uint16_t type, struct yg_sv rdata)
{
	struct yg_dns_name n = name_of(owner);
	(void)yg_dns_wr_rr(w, w->p[2] & 0x80 ? YG_DNS_ANSWER : YG_DNS_AUTHORITY, &n, type,
			   YG_DNS_IN, 60, rdata);
}
/* All is read, or the other side has closed: octets that are there, -1 when it has. */
static ssize_t receive(int fd, uint8_t *p, size_t n)
{
	for (unsigned i = 0; i < PATIENT; i++) {
		turn();
		ssize_t got = recv(fd, p, n, MSG_DONTWAIT);
		if (got > 0)
			return got;
		if (got == 0 || errno != EAGAIN)
			return -1;
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		(void)poll(&wait, 1, 1);
	}
	return 0;
}
static bool is_closed(int fd)
{
	uint8_t p[4096];
	ssize_t got;
	while ((got = receive(fd, p, sizeof p)) > 0)
		;
	return got < 0;
}
static bool is_open(int fd)
{
	struct pollfd now = {.fd = fd, .events = POLLIN};
	turn();
	return poll(&now, 1, 20) == 0; /* nothing comes, no end either */
}
static void send_bytes(int fd, const void *p, size_t n)
{
	if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		(void)printf("# cannot send: %s\n", strerror(errno));
	turn();
}
/* A message, its length first; said: another length. */
static void send_msg(int fd, size_t n, size_t said)
{
	static uint8_t p[sizeof msg];
	yg_dns_put16(p, (unsigned)said);
	memcpy(p + 2, msg, n);
	send_bytes(fd, p, n + 2);
}
/* One whole message into msg: its length, 0: none. */
static size_t read_msg(int fd)
{
	static uint8_t p[sizeof msg];
	size_t n = 0;
	while (n < 2 || n < 2u + yg_dns_get16(p)) {
		size_t want = n < 2 ? 2 - n : 2u + yg_dns_get16(p) - n;
		ssize_t got = receive(fd, p + n, want);
		if (got <= 0)
			return 0;
		n += (size_t)got;
	}
	memcpy(msg, p + 2, n - 2);
	return n - 2;
}

/* ---- a server that we transfer from ---- */

static struct zone feed;
static int listener;
static uint16_t question; /* its id */

static void feed_open(void)
{
	static struct yg_conf_dns_policy row = {.name = YG_SV_INIT("feed")};
	static char text[YG_ADDR_TEXT_MAX];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_addr a;
	if (yg_addr_parse(YG_SV("127.0.0.1:0"), &a, NULL) != YG_OK ||
	    yg_listen_tcp(&a, false, &listener, NULL) != YG_OK ||
	    yg_addr_of(listener, &a, NULL) != YG_OK)
		abort();
	yg_addr_format(&b, &a);
	row.axfr = yg_sb_sv(&b);
	feed = (struct zone){.all = &all, .conf = &row, .origin = name_of(ORIGIN)};
	if (zones_xfr_open(&feed, NULL) != YG_OK)
		abort();
}
/* The connection that comes, and the type it asks for; -1: none. */
static int feed_asked(uint16_t *type)
{
	struct yg_dns_msg m;
	int fd = -1;
	for (unsigned i = 0; i < PATIENT && fd < 0; i++) {
		struct pollfd wait = {.fd = listener, .events = POLLIN};
		turn();
		(void)poll(&wait, 1, 1);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	if (fd < 0)
		return -1;
	size_t n = read_msg(fd);
	if (yg_dns_msg_read(msg, n, &m) != YG_OK)
		abort();
	question = m.id;
	*type = m.type;
	return fd;
}
/* An answer: a first SOA, so many addresses, a last SOA when it is `whole`. */
static size_t part(bool first, unsigned addresses, bool last, uint32_t serial)
{
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, msg, sizeof msg - 2, question, YG_DNS_QR);
	if (first)
		put(&w, ORIGIN, YG_DNS_SOA, soa_of(serial));
	for (unsigned i = 0; i < addresses; i++)
		put(&w, "a." ORIGIN, YG_DNS_A, (struct yg_sv){"\xc0\0\2\1", 4});
	if (last)
		put(&w, ORIGIN, YG_DNS_SOA, soa_of(serial));
	return w.n;
}
static bool feed_holds(uint64_t count)
{
	return feed.now.records != NULL ? yg_dns_records_count(feed.now.records) == count
					: count == 0;
}

/* Half an answer, and then nothing: left after thirty seconds, and asked again. */
static void test_stalls(void)
{
	uint16_t type = 0;
	int fd = feed_asked(&type);
	T_OK(fd >= 0 && type == YG_DNS_AXFR);
	size_t n = part(true, 1, false, 1);
	send_msg(fd, n, n);
	later(29 * S);
	zones_xfr_tick(&feed);
	T_NAMED(feed.job != NULL && is_open(fd), "a server may be silent for a while");
	later(2 * S);
	zones_xfr_tick(&feed);
	T_NAMED(feed.job == NULL && feed.failures == 1 && strstr(told, "does not go on") != NULL &&
			is_closed(fd),
		"one that stands still is left");
	T_NAMED(feed_holds(0) && change_count == 0, "with nothing of what it sent");
	(void)close(fd);
	later(3 * S);
	zones_xfr_tick(&feed);
	fd = feed_asked(&type);
	n = part(true, 1, true, 1);
	send_msg(fd, n, n);
	T_NAMED(is_closed(fd) && feed_holds(2) && feed.failures == 0 && change_count == 1,
		"and asked once more");
	(void)close(fd);
}

/* What never ends: by whole messages, or octet after octet. */
static void endless(bool trickles)
{
	uint16_t type = 0;
	unsigned steps = 0;
	later(3600 * S);
	zones_xfr_tick(&feed);
	int fd = feed_asked(&type);
	size_t n = part(true, 2, false, 2);
	if (!trickles)
		send_msg(fd, n, n);
	else
		send_bytes(fd, "\x7f", 1);
	for (; feed.job != NULL && steps < 200; steps++) {
		later(20 * S);
		n = part(false, 2, false, 2);
		if (trickles)
			send_bytes(fd, "\x7f", 1);
		else
			send_msg(fd, n, n);
		zones_xfr_tick(&feed);
	}
	T_NAMED(type == YG_DNS_IXFR && steps == 91 && feed.job == NULL &&
			strstr(told, "does not go on") != NULL,
		trickles ? "who sends octet after octet has half an hour"
			 : "who never ends has half an hour");
	T_NAMED(is_closed(fd) && feed_holds(2) && change_count == 1,
		"and the zone stays as it was");
	(void)close(fd);
}

/* After a fault of the differences all of it is asked for: that is answered well. */
static void asked_anew(void)
{
	uint16_t type = 0;
	int fd = feed_asked(&type);
	size_t n = part(true, 1, true, 1);
	send_msg(fd, n, n);
	T_NAMED(type == YG_DNS_AXFR && is_closed(fd) && feed_holds(2), "all of it is asked for");
	(void)close(fd);
}

static void test_lengths(void)
{
	static const struct {
		size_t more, less; /* than there is */
		const char *what, *fault;
	} rows[] = {{60000, 0, "a length beyond what comes", "ended the connection early"},
		    {0, 30, "a length within the message", "broken"},
		    {0, 1, "one octet too short", "broken"}};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		uint16_t type = 0;
		later(3600 * S);
		zones_xfr_tick(&feed);
		int fd = feed_asked(&type);
		size_t n = part(true, 3, true, 9);
		send_msg(fd, n, n + rows[i].more - rows[i].less);
		(void)shutdown(fd, SHUT_WR);
		T_NAMED(type == YG_DNS_IXFR && is_closed(fd) &&
				strstr(told, rows[i].fault) != NULL && feed_holds(2),
			rows[i].what);
		(void)close(fd);
		asked_anew();
	}
	uint16_t type = 0;
	later(3600 * S);
	zones_xfr_tick(&feed);
	int fd = feed_asked(&type);
	send_bytes(fd, "\0\0", 2);
	T_NAMED(is_closed(fd) && strstr(told, "broken") != NULL && feed_holds(2),
		"no length at all");
	(void)close(fd);
	asked_anew();
}

/* However many say that the zone has changed, the server is asked ten times a second. */
static void test_notified(void)
{
	unsigned asked = 0;
	uint16_t type = 0;
	later(10 * S);
	for (unsigned i = 0; i < 40; i++) {
		zones_xfr_notified(&feed);
		if (feed.job == NULL)
			continue;
		int fd = feed_asked(&type);
		size_t n = part(true, 0, false, 1); /* nothing new */
		send_msg(fd, n, n);
		asked += type == YG_DNS_IXFR && is_closed(fd);
		(void)close(fd);
	}
	T_NAMED(asked == 10, "ten of many notices in a second are followed");
	later(S);
	zones_xfr_tick(&feed);
	int fd = feed_asked(&type);
	T_NAMED(fd >= 0 && type == YG_DNS_IXFR, "and the last of them in the next");
	zones_xfr_notified(&feed);
	size_t n = part(true, 0, false, 1);
	send_msg(fd, n, n);
	T_OK(is_closed(fd));
	(void)close(fd);
	fd = feed_asked(&type);
	T_NAMED(fd >= 0 && type == YG_DNS_IXFR,
		"one that comes while it is asked is not forgotten");
	n = part(true, 0, false, 1);
	send_msg(fd, n, n);
	T_OK(is_closed(fd) && feed.job == NULL && feed_holds(2));
	(void)close(fd);
}

/* The server's serial goes back: its zone stays, and somebody should know. */
static void test_older(void)
{
	uint16_t type = 0;
	for (uint32_t serial = 0; serial < 3; serial++) {
		later(3600 * S);
		zones_xfr_tick(&feed);
		int fd = feed_asked(&type);
		size_t n = part(true, serial == 2, serial == 2, serial);
		send_msg(fd, n, n);
		T_OK(is_closed(fd) && feed.failures == 0);
		(void)close(fd);
		if (serial == 0)
			T_NAMED(strstr(told, "0, is older than ours, 1") != NULL && feed_holds(2),
				"a serial that went back is told, and nothing is taken");
		else
			T_NAMED(told[0] == '\0',
				serial == 1 ? "until it is ours again" : "or a newer one");
	}
}

/* ---- what we serve ---- */

static struct yg_dns_policy *served_policy;
static uint64_t generation;

/* A policy of `count` names, long ones that have no end in common; `salt` makes them others. */
static void publish(unsigned count, unsigned salt)
{
	const struct yg_dns_build_opts opts = {.env = &ctx.env};
	const struct yg_dns_zone_spec spec = {
		.name = YG_SV("names"), .layer = YG_DNS_LAYER_CENTRE_ZONE, .is_list = true};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy *p = NULL;
	char text[256], pad[64];
	uint32_t at;
	int fd = memfd_create("policy", MFD_CLOEXEC);
	memset(pad, 'x', 61);
	pad[61] = '\0';
	bool ok = yg_dns_builder_new(&opts, &b, NULL) == YG_OK &&
		  yg_dns_builder_zone(b, &spec, &at, NULL) == YG_OK;
	for (unsigned i = 0; ok && i < count; i++) {
		(void)snprintf(text, sizeof text, "%s.%s.%s.n%u-%u.", pad, pad, pad, salt, i);
		struct yg_dns_name n = name_of(text);
		ok = yg_dns_builder_name(b, at, &n, true, false, YG_DNS_ACTION_NXDOMAIN, NULL) ==
		     YG_OK;
	}
	ok = ok && yg_dns_builder_finish(b, fd, ++generation, NULL, NULL) == YG_OK &&
	     yg_dns_policy_open_over(fd, 0, NULL, &p, NULL) == YG_OK;
	yg_dns_builder_free(b);
	(void)close(fd);
	if (!ok)
		abort();
	zones_serve_publish(&all, p, generation);
	yg_dns_policy_close(served_policy);
	served_policy = p;
}

static void serve_open(void)
{
	static struct yg_conf_dns_publish row = {.zone = YG_SV_INIT(OURS),
						 .allow = YG_SV_INIT("127.0.0.0/24")};
	struct yg_addr a;
	int small = 16384; /* so that who does not read is noticed */
	if (yg_addr_parse(YG_SV("127.0.0.1:0"), &a, NULL) != YG_OK ||
	    yg_listen_tcp(&a, false, &tcp_fd, NULL) != YG_OK ||
	    yg_listen_udp(&a, false, 0, &udp_fd, NULL) != YG_OK ||
	    setsockopt(tcp_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) != 0)
		abort();
	conf.dns_publishes = &row;
	conf.dns_publish_count = 1;
	if (zones_serve_open(&all, NULL) != YG_OK)
		abort();
}
/* A connection from 127.0.x.y. */
static int come(unsigned x, unsigned y)
{
	struct yg_addr to, from;
	char text[32];
	int small = 16384;
	(void)snprintf(text, sizeof text, "127.0.%u.%u:0", x, y);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (yg_addr_of(tcp_fd, &to, NULL) != YG_OK ||
	    yg_addr_parse(yg_sv_of(text), &from, NULL) != YG_OK || fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) != 0 ||
	    bind(fd, (struct sockaddr *)&from.sa, from.n) != 0 ||
	    connect(fd, (struct sockaddr *)&to.sa, to.n) != 0)
		abort();
	turn();
	return fd;
}
/* Into msg; serial: of IXFR. */
static size_t ask(uint16_t type, uint32_t serial)
{
	struct yg_dns_name ours = name_of(OURS);
	struct yg_dns_wr w;
	yg_dns_wr_begin(&w, msg, sizeof msg - 2, 5, 0);
	yg_dns_wr_question(&w, &ours, type, YG_DNS_IN);
	if (type == YG_DNS_IXFR)
		put(&w, OURS, YG_DNS_SOA, soa_of(serial));
	return w.n;
}
/* Asks for the SOA, and has it. */
static bool is_served(int fd)
{
	struct yg_dns_msg m;
	size_t n = ask(YG_DNS_SOA, 0);
	send_msg(fd, n, n);
	n = read_msg(fd);
	return n > 0 && yg_dns_msg_read(msg, n, &m) == YG_OK && (m.flags & YG_DNS_RCODE) == 0 &&
	       m.count[YG_DNS_ANSWER] == 1;
}

static void test_idle(void)
{
	int mute = come(0, 2), half = come(0, 3), good = come(0, 4);
	size_t n = ask(YG_DNS_SOA, 0);
	send_msg(half, n - 9, n);
	T_OK(is_served(good));
	later(25 * S);
	send_bytes(half, msg + n - 9, 1);
	T_OK(is_served(good));
	zones_serve_tick(&all);
	T_OK(is_open(mute) && is_open(half) && is_open(good));
	later(6 * S);
	zones_serve_tick(&all);
	T_NAMED(is_closed(mute), "who says nothing is closed after thirty seconds");
	T_NAMED(is_closed(half), "and who never ends a question, however often an octet comes");
	T_NAMED(is_served(good), "not who goes on asking");
	later(31 * S);
	zones_serve_tick(&all);
	T_OK(is_closed(good) && all.serve->conn_count == 0);
	(void)close(mute);
	(void)close(half);
	(void)close(good);
}

static void test_questions(void)
{
	static const struct {
		size_t said; /* 0: as it is */
		bool closed;
		const char *what;
	} rows[] = {{0, false, "a question"},
		    {65535, true, "the longest length there is"},
		    {SERVED_ASK_BYTES + 1, true, "a question larger than one may be"},
		    {12, true, "a length within the question"},
		    {1, true, "a length within the head"}};
	int good = come(0, 9);
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		int fd = come(0, 8);
		size_t n = ask(YG_DNS_SOA, 0);
		send_msg(fd, n, rows[i].said > 0 ? rows[i].said : n);
		T_NAMED(rows[i].closed ? is_closed(fd) : read_msg(fd) > 0, rows[i].what);
		T_OK(is_served(good));
		(void)close(fd);
	}
	int fd = come(0, 8);
	static uint8_t most[SERVED_ASK_BYTES + 2];
	yg_dns_put16(most, SERVED_ASK_BYTES);
	memcpy(most + 2, msg, ask(YG_DNS_SOA, 0));
	send_bytes(fd, most, sizeof most);
	T_NAMED(read_msg(fd) > 0, "the largest question there may be is read");
	(void)close(fd);
	fd = come(0, 8);
	size_t n = ask(YG_DNS_AXFR, 0);
	for (unsigned i = 0; i < 200; i++) /* of which only the first is taken */
		send_msg(fd, n, n);
	T_NAMED(is_closed(fd), "more questions than there is room for before an answer is read");
	(void)close(fd);
	(void)close(good);
	turn();
}

/* ---- too many ---- */

#define MANY (SERVED_CONNS_MAX + 20)

static unsigned gone(const int *fds, unsigned n)
{
	unsigned count = 0;
	uint8_t p;
	turn();
	for (unsigned i = 0; i < n; i++)
		count += recv(fds[i], &p, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || errno == ECONNRESET;
	return count;
}
static void leave(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)close(fds[i]);
	turn();
	turn();
}

static void test_many(void)
{
	int fds[MANY], good = come(0, 5);
	T_OK(is_served(good));
	for (unsigned i = 0; i < MANY; i++)
		fds[i] = come(0, 6);
	T_NAMED(all.serve->conn_count == SERVED_CONNS_MAX &&
			gone(fds, MANY) == MANY + 1 - SERVED_CONNS_MAX,
		"so many places and no more: of one address the first have to leave");
	T_NAMED(is_served(good), "a secondary that came before keeps its own");
	int late = come(0, 7);
	T_NAMED(is_served(late) && is_served(good), "and one that comes then has one");
	leave(fds, MANY);
	for (unsigned i = 0; i < MANY; i++)
		fds[i] = come(1, i + 1); /* of a network that may not ask */
	T_OK(all.serve->conn_count == SERVED_CONNS_MAX);
	int third = come(0, 8);
	T_NAMED(is_served(third) && is_served(late) && is_served(good),
		"nobody who may ask has to leave for strangers");
	(void)close(third);
	(void)close(late);
	(void)close(good);
	leave(fds, MANY);
	T_OK(all.serve->conn_count == 0);
}

/* Transfers that nobody reads: each is its address's only one, or one of many. */
static void test_busy(void)
{
	int fds[SERVED_CONNS_MAX];
	size_t n;
	for (unsigned i = 0; i < SERVED_CONNS_MAX; i++) {
		fds[i] = come(0, i + 10);
		n = ask(YG_DNS_AXFR, 0);
		send_msg(fds[i], n, n);
	}
	int more = come(0, 5);
	T_NAMED(is_closed(more) && all.serve->conn_count == SERVED_CONNS_MAX,
		"nobody's only transfer is ended for somebody else's");
	(void)close(more);
	leave(fds, SERVED_CONNS_MAX);
	for (unsigned i = 0; i < SERVED_CONNS_MAX; i++) {
		fds[i] = come(0, 6);
		n = ask(YG_DNS_AXFR, 0);
		send_msg(fds[i], n, n);
	}
	more = come(0, 5);
	T_NAMED(is_served(more), "one of many is");
	(void)close(more);
	leave(fds, SERVED_CONNS_MAX);
}

/* It takes a little now and then, and would for days. */
static void test_slow(void)
{
	int fd = come(0, 6);
	static uint8_t p[65536];
	unsigned steps = 0;
	size_t n = ask(YG_DNS_AXFR, 0);
	send_msg(fd, n, n);
	for (; all.serve->conn_count > 0 && steps < 200; steps++) {
		for (size_t got = 0; got < sizeof p;) {
			ssize_t k = receive(fd, p, sizeof p - got);
			if (k <= 0)
				break;
			got += (size_t)k;
		}
		later(20 * S);
		turn();
		zones_serve_tick(&all);
	}
	T_NAMED(steps == 91, "who reads slowly has half an hour for a transfer");
	(void)close(fd);
	fd = come(0, 6);
	n = ask(YG_DNS_AXFR, 0);
	send_msg(fd, n, n);
	later(31 * S);
	turn();
	zones_serve_tick(&all);
	T_NAMED(all.serve->conn_count == 0, "who reads nothing has thirty seconds");
	(void)close(fd);
}

/* Whether what IXFR brings since then is differences: after the first SOA another one. */
static bool by_difference(uint32_t serial)
{
	struct yg_dns_msg m;
	struct yg_dns_rr rr;
	int fd = come(0, 6);
	size_t n = ask(YG_DNS_IXFR, serial);
	send_msg(fd, n, n);
	n = read_msg(fd);
	bool second = yg_dns_msg_read(msg, n, &m) == YG_OK;
	struct yg_dns_iter it = yg_dns_records(&m);
	second = second && yg_dns_rr_next(&it, &rr) && rr.type == YG_DNS_SOA &&
		 yg_dns_rr_next(&it, &rr) && rr.type == YG_DNS_SOA;
	(void)close(fd);
	turn();
	turn();
	return second;
}

/* So many changes, and so many octets of them, are kept. */
static void test_journal(void)
{
	uint32_t first = (uint32_t)generation;
	for (unsigned i = 0; i < SERVED_JOURNAL; i++)
		publish(1, 1000 + i);
	T_NAMED(by_difference(first), "sixty-four changes are kept");
	publish(1, 2000);
	T_NAMED(!by_difference(first) && by_difference(first + 1),
		"with one more the oldest is not, and all of it is sent");
	publish(40000, 1);
	first = (uint32_t)generation;
	for (unsigned i = 2; i < 6; i++)
		publish(40000, i);
	T_NAMED(all.serve->list->journal_count < 5 && !by_difference(first) &&
			by_difference((uint32_t)generation - 1),
		"nor more octets than there is room for");
	publish(120000, 9);
	T_NAMED(all.serve->list->journal_count == 0 && !by_difference((uint32_t)generation - 1),
		"a change that is larger than all of it is no difference");
}

int main(void)
{
	ctx.env = yg_env_sim(&sim);
	ctx.loop = &loop;
	if (uv_loop_init(&loop) != 0)
		return EXIT_FAILURE;
	feed_open();
	test_stalls();
	endless(false);
	endless(true);
	test_lengths();
	test_notified();
	test_older();
	serve_open();
	publish(40000, 0);
	test_idle();
	test_questions();
	test_many();
	test_busy();
	test_slow();
	test_journal();
	return tap_done();
}
