/* Listeners and followed files in front of a spool that says yes or no: what is
 * counted is given back, what could not be kept is read again as it was. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "format/fstrm.h"
#include "role/ingest_internal.h"
#include "tap.h"

#define LINE (5u << 20) /* longer than what is read at a time */

/* ---- the spool ---- */
static bool room = true;
static struct ingest_req *asked[64];
static size_t asked_n;
static struct {
	char key[YG_SPOOL_MARK_KEY_MAX], text[128];
} mark;

bool pipe_has_room(const struct pipe *p, size_t bytes)
{
	(void)p;
	(void)bytes;
	return room;
}
yg_status pipe_append(struct pipe *p, struct ingest_req *r, struct yg_err *err)
{
	(void)p;
	if (asked_n == YG_LEN(asked))
		return YG_FAIL(err, YG_LIMIT, "enough");
	asked[asked_n++] = r;
	return YG_OK;
}
void yg_spool_marks(const struct yg_spool *sp, yg_spool_mark_fn *fn, void *ctx)
{
	(void)sp;
	if (mark.key[0] != '\0')
		fn(ctx, yg_sv_of(mark.key), yg_sv_of(mark.text));
}
void stats_dropped(struct ingest *in, const struct gather *g, uint64_t more)
{
	(void)in;
	(void)g;
	(void)more;
}
int yg_role_fd(const struct yg_role_ctx *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return -1;
}
static void answer(yg_status st)
{
	size_t n = asked_n;
	asked_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct ingest_req *r = asked[i];
		r->done(r, st, NULL);
		ingest_req_free(r);
	}
}

/* ---- the role around it ---- */
static struct yg_env_sim sim = {.seed = 7, .wall = {1700000000000000}};
static uv_loop_t loop;
static struct yg_conf conf = {.ingest_flush_us = 1000};
static struct yg_role_ctx role = {.conf = &conf, .loop = &loop};
static struct pipe spool;
static struct ingest in = {.ctx = &role, .conf = &conf, .pipes = {&spool}, .pipe_n = 1};

static void turn(void)
{
	for (int i = 0; i < 50; i++) {
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
}

/* ---- listeners ---- */
static int listener, port;

static int client(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		abort();
	return fd;
}

/* Writes n bytes, a line end after each `line` of them (0: none). */
static void say(int fd, size_t n, size_t line)
{
	static char text[1u << 16];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = line > 0 && i % line == line - 1 ? '\n' : 'x';
	for (size_t at = 0; at < n;) {
		ssize_t got = send(fd, text, YG_MIN(sizeof text, n - at), MSG_DONTWAIT);
		at += got > 0 ? (size_t)got : 0;
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		if (got < 0 && !room)
			return; /* nobody reads: that is what is asked for */
	}
	turn();
}

static void listen_on(struct sockaddr_in *at, socklen_t n)
{
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)at, n) != 0 || listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)at, &n) != 0)
		abort();
	port = ntohs(at->sin_port);
}

static void test_streams(void)
{
	static const struct yg_conf_listener l = {.name = YG_SV_INIT("fw"),
						  .org = YG_SV_INIT("acme"),
						  .protocol = YG_SV_INIT("tcp"),
						  .source = YG_SV_INIT("syslog")};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof at;
	struct yg_err err = {0};
	listen_on(&at, n);
	T_OK(stream_open(&in, &l, listener, &err) == YG_OK);

	int fd = client();
	say(fd, 300000, 0);
	T_NAMED(in.stream_held >= 300000, "an unfinished message is counted");
	(void)close(fd);
	turn();
	T_NAMED(in.stream_held == 0, "and no more when its connection is over");
	answer(YG_OK);

	fd = client();
	say(fd, 300000, 0);
	say(fd, 1000, 10);
	T_NAMED(in.stream_held <= 65536, "a long message that is over holds no memory");
	answer(YG_OK);

	room = false;
	say(fd, 4u << 20, 100);
	T_NAMED(asked_n == 0, "no room: nothing is taken");
	room = true;
	stream_tick(&in);
	T_NAMED(asked_n == 1, "there is room again: found without being told");
	turn();
	T_NAMED(asked_n > 1, "and reading goes on");
	answer(YG_OK);
	(void)close(fd);
	turn();
	stream_stop(&in);
	answer(YG_OK);
	T_OK(in.stream_held == 0 && in.stream_n == 0);
}

/* ---- dnstap ---- */

static void tell(int fd, enum yg_fstrm_control type, struct yg_sv content)
{
	uint8_t out[YG_FSTRM_CONTROL_ROOM];
	size_t n = yg_fstrm_control(out, sizeof out, type, content);
	if (send(fd, out, n, 0) != (ssize_t)n)
		abort();
	turn();
}

/* Frames of 100 bytes; nothing in this door looks into them. */
static void frames(int fd, size_t count)
{
	char frame[104] = {0, 0, 0, 100};
	for (size_t i = 0; i < count; i++) {
		if (send(fd, frame, sizeof frame, MSG_DONTWAIT) != sizeof frame)
			return;   /* nobody reads */
		if (i % 64 == 63) /* a few come together, however slow this machine is */
			(void)uv_run(&loop, UV_RUN_NOWAIT);
	}
	turn();
}

/* The control frame that came: its type; 0: none; -1: the connection is over. */
static int heard(int fd)
{
	uint8_t said[64];
	ssize_t n = recv(fd, said, sizeof said, MSG_DONTWAIT);
	return n == 0 ? -1 : n >= 12 ? said[11] : 0;
}

static void wait_us(int64_t us)
{
	sim.mono.us += us;
	stream_tick(&in);
	turn();
}

/* READY, START, `n` frames. */
static int sender(size_t n)
{
	int fd = client();
	tell(fd, YG_FSTRM_READY, YG_SV(YG_FSTRM_DNSTAP));
	T_NAMED(heard(fd) == YG_FSTRM_ACCEPT, "READY is answered with ACCEPT");
	tell(fd, YG_FSTRM_START, YG_SV(YG_FSTRM_DNSTAP));
	frames(fd, n);
	return fd;
}

static void test_finish(void)
{
	int fd = sender(3);
	tell(fd, YG_FSTRM_STOP, YG_SV(""));
	T_NAMED(asked_n == 1 && heard(fd) == 0, "FINISH waits for the disk");
	T_OK(asked[0]->b.framed && asked[0]->b.body.n == 3 * 104 &&
	     asked[0]->b.source == YG_SOURCE_DNSTAP);
	answer(YG_OK);
	turn();
	T_NAMED(heard(fd) == YG_FSTRM_FINISH, "and comes when all is on it");
	wait_us(11 * YG_US_PER_S);
	T_NAMED(heard(fd) == -1, "who does not go then is closed");
	(void)close(fd);
	turn();

	fd = sender(3);
	tell(fd, YG_FSTRM_STOP, YG_SV(""));
	answer(YG_LIMIT);
	turn();
	T_NAMED(heard(fd) == -1, "a disk that refuses: no FINISH");
	(void)close(fd);
	turn();

	fd = sender(3);
	tell(fd, YG_FSTRM_STOP, YG_SV(""));
	(void)shutdown(fd, SHUT_WR);
	turn();
	answer(YG_OK);
	turn();
	T_NAMED(heard(fd) == YG_FSTRM_FINISH, "also for a sender that only listens by then");
	(void)close(fd);
	turn();
	T_OK(in.stream_n == 1); /* it is not read any more: the time closes it */
	wait_us(11 * YG_US_PER_S);
	T_OK(in.stream_n == 0);
}

static void test_hostile(void)
{
	int fd = client();
	tell(fd, YG_FSTRM_READY, YG_SV("other"));
	T_NAMED(heard(fd) == -1, "another content type is closed");
	(void)close(fd);
	fd = sender(0);
	say(fd, 100, 0); /* "xxxx" is a length of 2 GB */
	T_NAMED(heard(fd) == -1, "a frame of 2 GB is closed");
	(void)close(fd);
	fd = client();
	turn();
	wait_us(11 * YG_US_PER_S);
	T_NAMED(heard(fd) == -1, "who does not shake hands is closed");
	(void)close(fd);
	fd = sender(0);
	if (send(fd, "\0\3\0\0abc", 7, 0) != 7)
		abort();
	turn();
	T_NAMED(in.stream_held > 0 && in.stream_held <= 256,
		"a promise of 192 KiB takes no memory");
	wait_us(61 * YG_US_PER_S);
	T_NAMED(heard(fd) == -1 && in.stream_held == 0, "half a frame for a minute is closed");
	(void)close(fd);
	fd = sender(1);
	wait_us(61 * YG_US_PER_S);
	T_NAMED(heard(fd) == 0 && in.stream_n == 1, "a quiet sender stays");
	(void)close(fd);
	turn();
	answer(YG_OK);
}

static void test_dnstap(void)
{
	static const struct yg_conf_listener l = {.name = YG_SV_INIT("ns"),
						  .org = YG_SV_INIT("acme"),
						  .protocol = YG_SV_INIT("tcp"),
						  .source = YG_SV_INIT("dnstap")};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct yg_err err = {0};
	listen_on(&at, sizeof at);
	T_OK(stream_open(&in, &l, listener, &err) == YG_OK);
	test_finish();
	test_hostile();
	room = false;
	int fd = sender(60000);
	T_NAMED(asked_n == 0, "no room: nothing is taken");
	wait_us(120 * YG_US_PER_S);
	T_NAMED(heard(fd) == 0, "and who has to wait for us is not closed");
	room = true;
	stream_tick(&in);
	turn();
	T_NAMED(asked_n > 1, "with room reading goes on");
	answer(YG_OK);
	(void)close(fd);
	turn();
	stream_stop(&in);
	answer(YG_OK);
	T_OK(in.stream_held == 0 && in.stream_n == 0);
}

/* ---- files ---- */
static char folder[64] = "/tmp/yg-follow-XXXXXX", pattern[128];

static void put(const char *name, size_t x, const char *rest)
{
	char path[160];
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "a");
	if (f == NULL)
		abort();
	for (size_t i = 0; i < x; i++)
		(void)putc('A', f);
	(void)fputs(rest, f);
	(void)fclose(f);
}

static void mark_of(const char *name, uint64_t at, uint32_t head_n, uint32_t crc)
{
	char path[160];
	struct stat st;
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	if (stat(path, &st) != 0)
		abort();
	(void)snprintf(mark.key, sizeof mark.key, "follow f %llx:%llx",
		       (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	(void)snprintf(mark.text, sizeof mark.text, "%llu %u %u 0", (unsigned long long)at, head_n,
		       crc);
}

static void look_again(void)
{
	follow_resume(&in);
	turn();
}

static void test_follow(void)
{
	static struct yg_conf_follow f = {
		.name = YG_SV_INIT("f"), .org = YG_SV_INIT("acme"), .source = YG_SV_INIT("syslog")};
	struct yg_err err = {0};
	if (mkdtemp(folder) == NULL)
		abort();
	(void)snprintf(pattern, sizeof pattern, "%s/app.log", folder);
	f.path = yg_sv_of(pattern);
	conf.follows = &f;
	conf.follow_count = 1;
	put("app.log", LINE, "\nnext\n");
	put("notes.txt", 0, "these are not for anybody\n");
	mark_of("notes.txt", 5, 5, 12345); /* the number of an inode that was ours */
	T_OK(follow_open(&in, &err) == YG_OK);
	T_NAMED(asked_n == 1, "a stranger with the number of an old file is not read");
	while (asked_n > 1) {
		ingest_req_free(asked[--asked_n]);
	}
	const struct yg_spool_batch *b = asked_n > 0 ? &asked[0]->b : NULL;
	size_t head = b != NULL ? b->body.n : 0;
	T_NAMED(head == YG_RECORD_MAX + 1, "the head of a line that is too long");
	answer(YG_LIMIT);
	look_again();
	b = asked_n > 0 ? &asked[0]->b : NULL;
	T_NAMED(b != NULL && b->body.n == head && b->body.p[0] == 'A',
		"refused by the disk, it comes again");
	answer(YG_OK);
	b = asked_n > 0 ? &asked[0]->b : NULL;
	T_NAMED(b != NULL && YG_SV_IS(b->body, "next\n"), "then what is behind it");
	answer(YG_LIMIT);
	look_again();
	b = asked_n > 0 ? &asked[0]->b : NULL;
	T_NAMED(b != NULL && YG_SV_IS(b->body, "next\n"), "also when that is refused once");
	answer(YG_OK);
	follow_stop(&in);
}

/* A file renamed while nobody looked is read on. */
static void test_renamed(void)
{
	struct yg_err err = {0};
	asked_n = 0;
	in.follow = NULL;
	put("app.log.1", 0, "first\nsecond\n");
	mark_of("app.log.1", 6, 6, yg_crc32c(0, "first\n", 6));
	char path[160];
	(void)snprintf(path, sizeof path, "%s/app.log", folder);
	(void)unlink(path);
	T_OK(follow_open(&in, &err) == YG_OK);
	T_NAMED(asked_n == 1 && YG_SV_IS(asked[0]->b.body, "second\n"),
		"a file renamed while nobody looked is read on");
	answer(YG_OK);
	follow_stop(&in);
}

int main(void)
{
	role.env = yg_env_sim(&sim);
	if (uv_loop_init(&loop) != 0)
		abort();
	test_streams();
	test_dnstap();
	test_follow();
	test_renamed();
	static const char *const names[] = {"app.log", "app.log.1", "notes.txt"};
	for (size_t i = 0; i < YG_LEN(names); i++) {
		char path[160];
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	return tap_done();
}
