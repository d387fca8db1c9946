#include "os/socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/ipc.h"
#include "tap.h"

static bool same(const char *in, const char *out)
{
	struct yg_addr a;
	char buf[YG_ADDR_TEXT_MAX];
	struct yg_sb b = yg_sb_init(buf, sizeof buf);
	if (yg_addr_parse(yg_sv_of(in), &a, NULL) != YG_OK)
		return false;
	yg_addr_format(&b, &a);
	return yg_sv_eq(yg_sb_sv(&b), yg_sv_of(out));
}

static void test_addr(void)
{
	T_OK(same("127.0.0.1:514", "127.0.0.1:514"));
	T_OK(same("[2001:DB8::1]:6514", "[2001:db8::1]:6514"));
	T_OK(same("*:0", "[::]:0") && same("[::]:1", "[::]:1") && same("0.0.0.0:1", "0.0.0.0:1"));
	struct yg_addr a;
	static const char *const bad[] = {
		"",       "127.0.0.1",     ":1",          "127.0.0.1:",   "127.0.0.1:65536",
		"::1:80", "[127.0.0.1]:1", "localhost:1", "127.0.0.1:+1", "[::1]80",
		"[::1:80"};
	for (size_t i = 0; i < YG_LEN(bad); i++)
		T_NAMED(yg_addr_parse(yg_sv_of(bad[i]), &a, NULL) == YG_PARSE, bad[i]);
	(void)yg_addr_parse(YG_SV("127.9.0.1:514"), &a, NULL);
	T_OK(yg_addr_is_loopback(&a) && yg_addr_port(&a) == 514);
	(void)yg_addr_parse(YG_SV("[::1]:514"), &a, NULL);
	T_OK(yg_addr_is_loopback(&a));
	(void)yg_addr_parse(YG_SV("192.0.2.1:514"), &a, NULL);
	T_OK(!yg_addr_is_loopback(&a));
}

static void test_listen(void)
{
	struct yg_err err = {0};
	struct yg_addr a, again;
	int one = -1, two = -1;
	(void)yg_addr_parse(YG_SV("127.0.0.1:0"), &a, NULL);
	T_OK(yg_listen_tcp(&a, false, &one, &err) == YG_OK &&
	     yg_addr_of(one, &again, &err) == YG_OK);
	T_OK(yg_addr_port(&again) != 0);
	T_OK(yg_listen_tcp(&again, false, &two, &err) == YG_CONFLICT && two == -1);
	yg_fd_close(&one);
	T_OK(yg_listen_tcp(&again, true, &one, &err) == YG_OK);
	T_OK(yg_listen_tcp(&again, true, &two, &err) == YG_OK);
	yg_fd_close(&one);
	yg_fd_close(&two);
	T_OK(yg_listen_udp(&a, true, 1 << 20, &one, &err) == YG_OK);
	yg_fd_close(&one);

	char dir[] = "/tmp/yg-sock-XXXXXX";
	struct stat s;
	struct yg_peer peer = {0};
	T_OK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	T_OK(yg_listen_unix("s", 0600, &one, &err) == YG_OK);
	T_OK(stat("s", &s) == 0 && S_ISSOCK(s.st_mode) && (s.st_mode & 0777) == 0600);
	T_OK(yg_ipc_connect("s", &two, &err) == YG_OK);
	T_OK(yg_peer_cred(two, &peer, &err) == YG_OK && peer.pid == getpid() &&
	     peer.uid == getuid());
	yg_fd_close(&two);
	yg_fd_close(&one);
	T_OK(yg_ipc_connect("s", &two, &err) == YG_NOTFOUND); /* nobody listens any more */
	T_OK(yg_listen_unix("s", 0600, &one, &err) == YG_OK); /* stale: replaced */
	yg_fd_close(&one);
	(void)unlink("s");
	T_OK(yg_file_write("s", YG_SV("x"), 0600, &err) == YG_OK);
	T_OK(yg_listen_unix("s", 0600, &one, &err) == YG_CONFLICT); /* somebody's file: kept */
	(void)unlink("s");
	(void)rmdir(dir);
}

int main(void)
{
	test_addr();
	test_listen();
	return tap_done();
}
