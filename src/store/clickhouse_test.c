#include "store/clickhouse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

static struct yg_buf out;

static yg_status sub(const char *sql, struct yg_ch_param p)
{
	out.n = 0;
	out.bad = false;
	return yg_ch_substitute(yg_sv_of(sql), &p, 1, &out, NULL);
}

static bool gives(const char *sql, struct yg_ch_param p, const char *want)
{
	bool ok = sub(sql, p) == YG_OK && yg_sv_eq(yg_buf_sv(&out), yg_sv_of(want));
	if (!ok)
		(void)printf("# got %.*s\n", (int)out.n, out.p != NULL ? out.p : "");
	return ok;
}

static struct yg_ch_param text(struct yg_sv v)
{
	return (struct yg_ch_param){.name = "a", .value = v};
}

static void substitution(void)
{
	T_OK(gives("x = {a:String}", text(YG_SV("it's \\ \n\t\r\0")),
		   "x = 'it\\'s \\\\ \\n\\t\\r\\0'"));
	T_OK(gives("x = {a:UInt64} + 1", text(YG_SV("18446744073709551615")),
		   "x = 18446744073709551615 + 1"));
	T_OK(gives("x > {a:Int64}", text(YG_SV("-5")), "x > (-5)"));
	T_OK(gives("x > {a:Int64}", text(YG_SV("-9223372036854775808")),
		   "x > (-9223372036854775807 - 1)"));
	T_OK(sub("{a:UInt32}", text(YG_SV("1 OR 1"))) == YG_INVAL);
	T_OK(sub("{a:UInt32}", text(YG_SV(""))) == YG_INVAL);
	T_OK(sub("{b:String}", text(YG_SV(""))) == YG_INVAL);
	T_OK(sub("{a:Tuple(String)}", text(YG_SV(""))) == YG_INVAL);
	T_NAMED(gives("'{a:String}' `{a:String}` {} {a} {a:String", text(YG_SV("no")),
		      "'{a:String}' `{a:String}` {} {a} {a:String"),
		"braces in quotes and alone are text");
	T_OK(gives("'it\\'s {a:String}'", text(YG_SV("no")), "'it\\'s {a:String}'"));
}

static void arrays(void)
{
	struct yg_buf arr;
	yg_buf_init(&arr, 1024);
	const struct yg_sv items[] = {YG_SV("a,'b']"), YG_SV("\\"), YG_SV("")};
	yg_ch_array(&arr, items, 3);
	T_OK(yg_sv_eq(yg_buf_sv(&arr), YG_SV("['a,\\'b\\']','\\\\','']")));
	struct yg_ch_param p = {.name = "a", .value = yg_buf_sv(&arr), .array = true};
	T_OK(gives("has({a:Array(String)}, x)", p, "has(['a,\\'b\\']','\\\\',''], x)"));
	T_OK(sub("{a:String}", p) == YG_INVAL);
	T_OK(sub("{a:Array(String)}", text(YG_SV("['a']"))) == YG_INVAL);
	static const struct yg_sv bad[] = {
		YG_SV_INIT(""),           YG_SV_INIT("["),       YG_SV_INIT("['a"),
		YG_SV_INIT("['a']]"),     YG_SV_INIT("[a]"),     YG_SV_INIT("['a',]"),
		YG_SV_INIT("['a'b]"),     YG_SV_INIT("['a\\']"), YG_SV_INIT("['\\x41']"),
		YG_SV_INIT("['a'];DROP"), YG_SV_INIT("[,]")};
	for (size_t i = 0; i < YG_LEN(bad); i++) {
		p.value = bad[i];
		T_NAMED(sub("{a:Array(String)}", p) == YG_INVAL, "a broken array is refused");
	}
	p.value = YG_SV("[]");
	T_OK(gives("{a:Array(String)}", p, "emptyArrayString()"));
	yg_buf_free(&arr);
}

static void no_server(void)
{
	struct yg_ch *ch = NULL;
	struct yg_err err;
	struct yg_ch_conf conf = {.url = "unix:/nonexistent/store.sock", .database = "yagura"};
	T_OK(yg_ch_open(&conf, &ch, &err) == YG_OK);
	T_OK(!yg_ch_ping(ch) && yg_ch_version(ch) == 0);
	struct yg_ch_query q = {.sql = YG_SV("SELECT 1")};
	out.n = 0;
	T_OK(yg_ch_query(ch, &q, &out, &err) == YG_AGAIN);
	T_OK(yg_ch_insert(ch, "event", "yg-0-1-1", YG_SV("x"), &err) == YG_AGAIN);
	T_OK(yg_ch_settle(ch, "yg-0-1-1", &err) == YG_AGAIN);
	T_OK(yg_ch_settle(ch, "x' OR '1", &err) == YG_INVAL);
	yg_ch_close(ch);
	conf.url = "ftp://127.0.0.1:1";
	T_OK(yg_ch_open(&conf, &ch, &err) == YG_OK && yg_ch_query(ch, &q, &out, &err) == YG_INVAL);
	yg_ch_close(ch);
}

/* A server that cannot be reached is none that a query was too much for. */
static void not_reached(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr *at = (struct sockaddr *)&a;
	socklen_t n = sizeof a;
	char url[64];
	int waiting[8];
	struct yg_ch *ch = NULL;
	struct yg_err err;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	T_OK(fd >= 0 && bind(fd, at, n) == 0 && listen(fd, 0) == 0 && getsockname(fd, at, &n) == 0);
	for (size_t i = 0; i < YG_LEN(waiting); i++) { /* nobody accepts: the queue is full */
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(waiting[i], at, n);
	}
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(a.sin_port));
	struct yg_ch_conf conf = {.url = url, .database = "yagura"};
	struct yg_ch_query q = {.sql = YG_SV("SELECT 1")};
	T_OK(yg_ch_open(&conf, &ch, &err) == YG_OK);
	T_NAMED(yg_ch_query(ch, &q, &out, &err) == YG_AGAIN, "a connection that does not come");
	yg_ch_close(ch);
	for (size_t i = 0; i < YG_LEN(waiting); i++)
		(void)close(waiting[i]);
	(void)close(fd);
}

int main(void)
{
	yg_buf_init(&out, 1u << 20);
	substitution();
	arrays();
	no_server();
	not_reached();
	yg_buf_free(&out);
	return tap_done();
}
