#include "os/tls_cert.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/env.h"
#include "os/file.h"
#include "os/notify.h"
#include "os/port_owner.h"
#include "tap.h"

static void test_cert(const struct yg_env *env)
{
	struct yg_err err = {0};
	struct yg_buf crt, key, other;
	struct stat s;
	yg_buf_init(&crt, 65536);
	yg_buf_init(&key, 65536);
	yg_buf_init(&other, 65536);
	T_OK(yg_tls_self_signed("a.crt", "a.key", env, &err) == YG_OK);
	T_OK(yg_tls_self_signed("b.crt", "b.key", env, &err) == YG_OK);
	T_OK(stat("a.key", &s) == 0 && (s.st_mode & 0777) == 0600);
	T_OK(yg_file_read("a.crt", 65536, &crt, &err) == YG_OK &&
	     yg_file_read("a.key", 65536, &key, &err) == YG_OK);
	T_OK(yg_file_read("b.key", 65536, &other, &err) == YG_OK);
	T_OK(yg_tls_pair_check(yg_buf_sv(&crt), yg_buf_sv(&key), &err) == YG_OK);
	T_OK(yg_tls_pair_check(yg_buf_sv(&crt), yg_buf_sv(&other), &err) == YG_PARSE);
	T_OK(yg_tls_pair_check(YG_SV("no"), yg_buf_sv(&key), &err) == YG_PARSE);
	T_OK(!yg_sv_eq(yg_buf_sv(&key), yg_buf_sv(&other)));
	T_OK(yg_tls_self_signed("none/a.crt", "none/a.key", env, &err) != YG_OK);
	yg_buf_free(&crt);
	yg_buf_free(&key);
	yg_buf_free(&other);
}

static void test_owner(void)
{
	struct yg_addr a;
	char text[128], me[64];
	struct yg_sb b = yg_sb_init(text, sizeof text), m = yg_sb_init(me, sizeof me);
	int fd = -1;
	(void)yg_addr_parse(YG_SV("127.0.0.1:0"), &a, NULL);
	T_OK(yg_listen_tcp(&a, false, &fd, NULL) == YG_OK && yg_addr_of(fd, &a, NULL) == YG_OK);
	yg_sb_printf(&m, "process %d (", (int)getpid());
	T_OK(yg_port_owner(&a, false, &b) && yg_sv_starts(yg_sb_sv(&b), yg_sb_sv(&m)));
	b.n = 0;
	T_OK(!yg_port_owner(&a, true, &b) || !yg_sv_starts(yg_sb_sv(&b), yg_sb_sv(&m)));
	yg_fd_close(&fd);
}

static void test_notify(void)
{
	struct yg_notify n;
	(void)unsetenv("NOTIFY_SOCKET");
	yg_notify_open(&n);
	T_OK(n.fd == -1);
	yg_notify_send(&n, "READY=1"); /* nobody there: nothing happens */
	(void)setenv("NOTIFY_SOCKET", "relative", 1);
	yg_notify_open(&n);
	T_OK(n.fd == -1);
	(void)setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	yg_notify_open(&n);
	T_OK(n.fd == -1);
	yg_notify_close(&n);
}

int main(void)
{
	static struct yg_env_real real;
	struct yg_env env = yg_env_real(&real, "test", 0);
	char dir[] = "/tmp/yg-tls-XXXXXX";
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	test_cert(&env);
	test_owner();
	test_notify();
	(void)unlink("a.crt");
	(void)unlink("a.key");
	(void)unlink("b.crt");
	(void)unlink("b.key");
	(void)rmdir(dir);
	return tap_done();
}
