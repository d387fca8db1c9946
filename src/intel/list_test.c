/* Lists in every form, cut into pieces of every size. */
#include "intel/list.h"

#include <stdlib.h>
#include <zlib.h>

#include "tap.h"

struct seen {
	char text[8192];
	struct yg_sb b;
	uint64_t stop_at; /* entry that fails with YG_NOMEM */
	uint64_t entries;
};

static yg_status entry(void *ctx, const struct yg_indicator *i, uint64_t line, struct yg_err *err)
{
	struct seen *s = ctx;
	if (++s->entries == s->stop_at)
		return YG_FAIL(err, YG_NOMEM, "stop");
	if (yg_sv_eq(i->value, YG_SV("refuse.me")))
		return YG_FAIL(err, YG_DENIED, "as asked");
	yg_sb_printf(&s->b, "%u|%s|" YG_SV_FMT "|" YG_SV_FMT "|" YG_SV_FMT "|%u|%u|%u|%lld%s\n",
		     (unsigned)line, yg_indicator_type_name(i->type), YG_SV_ARG(i->value),
		     YG_SV_ARG(i->category), YG_SV_ARG(i->family), i->confidence, i->severity_id,
		     i->tlp, (long long)(i->valid_until.us / YG_US_PER_S),
		     i->allow ? "|allow" : "");
	return YG_OK;
}

static void refused(void *ctx, uint64_t line, const char *reason, struct yg_sv text)
{
	struct seen *s = ctx;
	(void)text;
	yg_sb_printf(&s->b, "%u!%s\n", (unsigned)line, reason);
}

static yg_status read_list(struct seen *s, struct yg_sv bytes, size_t piece,
			   enum yg_list_format format, struct yg_list_counts *counts)
{
	struct yg_list_opts opts = {.format = format, .ctx = s, .entry = entry, .refused = refused};
	struct yg_list_reader *l = NULL;
	opts.defaults.list = YG_SV("list");
	s->b = yg_sb_init(s->text, sizeof s->text);
	s->entries = 0;
	yg_status st = yg_list_new(&opts, &l, NULL);
	while (st == YG_OK && bytes.n > 0) {
		struct yg_sv part = yg_sv_sub(bytes, 0, piece);
		bytes = yg_sv_sub(bytes, part.n, bytes.n);
		st = yg_list_feed(l, part, NULL);
	}
	if (st == YG_OK)
		st = yg_list_end(l, NULL);
	if (l != NULL && counts != NULL)
		*counts = yg_list_counts(l);
	yg_list_free(l);
	return st;
}

static void check(const char *name, const char *text, const char *want)
{
	static struct seen s;
	static const size_t pieces[] = {1, 2, 7, 64, 1 << 20};
	for (size_t i = 0; i < YG_LEN(pieces); i++) {
		yg_status st = read_list(&s, yg_sv_of(text), pieces[i], YG_LIST_AUTO, NULL);
		bool ok = st == YG_OK && strcmp(yg_sb_cstr(&s.b), want) == 0;
		if (!ok)
			(void)printf("# in pieces of %zu: status %d, got\n# %s\n", pieces[i],
				     (int)st, yg_sb_cstr(&s.b));
		T_NAMED(ok, name);
	}
}

static void test_csv(void)
{
	check("csv as shared",
	      "indicator,type,category,family\r\n.ac.cn,domain,suspicious,domain\r\n"
	      "1.0.0.229:53,ip-port,malware,asyncrat",
	      "2|domain|.ac.cn|suspicious|domain|50|3|0|0\n3|ip-port|1.0.0.229:53|malware|asyncrat|75|4|0|0\n");
	check("quotes",
	      "indicator,type,category,family\n"
	      "\"/44285,5327891204.dat\",url,malware,qakbot\n"
	      "\"/a\"\"b\",url,\"mal\nware\",x\n"
	      "/\"Phoenix\"-1/,url,malware,apt\n",
	      "2|url|/44285,5327891204.dat|malware|qakbot|75|4|0|0\n"
	      "3|url|/a\"b|mal\nware|x|50|3|0|0\n"
	      "5|url|/\"Phoenix\"-1/|malware|apt|75|4|0|0\n");
	check("an open quote loses its line only",
	      "indicator,type\n\"x.example,domain\ny.example,domain\n",
	      "2!a quote is not closed\n3|domain|y.example|||50|3|0|0\n");
	check("text behind a quote", "indicator,type\n\"x.example\"y,domain\nz.example,domain\n",
	      "2!text behind a closing quote\n3|domain|z.example|||50|3|0|0\n");
	check("more columns in any order",
	      "\xef\xbb\xbf"
	      "tlp,Value,valid_until,confidence,severity,nonsense,action\n"
	      "TLP:RED,x.example,2026-01-02,33,critical,?,\n"
	      "amber+strict,192.0.2.1,1767312000,,,,allow\n"
	      "puce,a.example,,,,,\n"
	      ",a.example,soon,,,,\n"
	      ",a.example,,101,,,\n"
	      ",a.example,,,9,,\n"
	      ",a.example,,,,,maybe\n"
	      ",,,,,,\n",
	      "2|domain|x.example|||33|5|5|1767312000\n"
	      "3|ip|192.0.2.1|||50|3|4|1767312000|allow\n"
	      "4!tlp is not clear, green, amber, amber+strict or red\n"
	      "5!valid_until is no time\n6!confidence is not 0 to 100\n"
	      "7!severity is not 1 to 6 or its name\n8!action is not allow or detect\n"
	      "9!no indicator on this line\n");
	check("without a header", "x.example,domain,malware,f\n",
	      "1|domain|x.example|malware|f|75|4|0|0\n");
	check("refused by the taker",
	      "indicator,type\nrefuse.me,domain\nx.example,bogus\n# note\n\ny.example,domain\n",
	      "2!as asked\n3!unknown indicator type\n6|domain|y.example|||50|3|0|0\n");
}

static void test_lines(void)
{
	check("plain",
	      "# a comment\nevil.example\n\n192.0.2.0/24 # note\nhxxp://x[.]example/a#b\nwhat is this\n",
	      "2|domain|evil.example|||50|3|0|0\n4|ip|192.0.2.0/24|||50|3|0|0\n"
	      "5|url|hxxp://x[.]example/a#b|||50|3|0|0\n6!not an indicator of any known type\n");
	check("hosts",
	      "127.0.0.1 localhost\n0.0.0.0 bad.example worse.example # x\n:: third.example\nrubbish\n",
	      "2|fqdn|bad.example|||50|3|0|0\n2|fqdn|worse.example|||50|3|0|0\n"
	      "3|fqdn|third.example|||50|3|0|0\n4!a line of a hosts file begins with an address\n");
	check("nothing", "", "");
	check("only newlines", "\n\n\r\n", "");
}

static void test_long(void)
{
	static char text[300000];
	static struct seen s;
	struct yg_list_counts n;
	memset(text, 'a', sizeof text);
	memcpy(text, "x.example\n", 10);
	memcpy(text + sizeof text - 11, "\ny.example\n", 11);
	for (size_t piece = 1000; piece <= sizeof text; piece *= 300) {
		yg_status st =
			read_list(&s, (struct yg_sv){text, sizeof text}, piece, YG_LIST_AUTO, &n);
		T_OK(st == YG_OK && n.entries == 2 && n.refused == 1 && n.lines == 3);
		T_OK(strcmp(yg_sb_cstr(&s.b),
			    "1|domain|x.example|||50|3|0|0\n2!a line is longer than 64 KiB\n"
			    "3|domain|y.example|||50|3|0|0\n") == 0);
	}
	memset(text, 'a',
	       70000); /* little more than the limit: its end comes with the next piece */
	text[65600] = '\n';
	memcpy(text + 69990, "\nz.example", 10);
	T_OK(read_list(&s, (struct yg_sv){text, 70000}, 70000, YG_LIST_PLAIN, &n) == YG_OK);
	T_OK(strncmp(yg_sb_cstr(&s.b), "1!a line is longer than 64 KiB\n2!", 33) == 0 &&
	     n.entries == 1);
	memset(text, '"', sizeof text); /* never closed, never ending */
	memcpy(text, "indicator\n", 10);
	T_OK(read_list(&s, (struct yg_sv){text, sizeof text}, 5000, YG_LIST_AUTO, &n) == YG_OK);
	T_OK(n.entries == 0 && n.refused == 1);
	memset(text, 'b', sizeof text); /* an open quote before lines that are long together */
	memcpy(text, "indicator\n\"open\n", 16);
	for (size_t i = 40000; i < sizeof text; i += 40000)
		text[i] = '\n';
	memcpy(text + sizeof text - 11, "\ny.example\n", 11);
	T_OK(read_list(&s, (struct yg_sv){text, sizeof text}, 5000, YG_LIST_AUTO, &n) == YG_OK);
	T_OK(n.entries == 1 && n.refused == 9 && n.lines == 11);
}

static void test_packed(void)
{
	static const char text[] = "indicator,type\nx.example,domain\n";
	static struct seen s;
	struct yg_list_counts n;
	uint8_t gz[256];
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text,
		      .avail_in = sizeof text - 1,
		      .next_out = gz,
		      .avail_out = sizeof gz};
	T_OK(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK &&
	     deflate(&z, Z_FINISH) == Z_STREAM_END);
	size_t size = sizeof gz - z.avail_out;
	(void)deflateEnd(&z);
	T_OK(read_list(&s, (struct yg_sv){(char *)gz, size}, 1 << 20, YG_LIST_AUTO, &n) == YG_OK &&
	     n.entries == 1);
	T_OK(read_list(&s, (struct yg_sv){(char *)gz, size - 9}, 1 << 20, YG_LIST_AUTO, &n) ==
	     YG_PARSE);
	gz[20] ^= 0x55;
	T_OK(read_list(&s, (struct yg_sv){(char *)gz, size}, 1 << 20, YG_LIST_AUTO, &n) ==
	     YG_PARSE);
}

static void test_stop(void)
{
	static struct seen s = {.stop_at = 2};
	T_OK(read_list(&s, YG_SV("a.example\nb.example\nc.example\n"), 100, YG_LIST_AUTO, NULL) ==
	     YG_NOMEM);
	T_OK(s.entries == 2);
	enum yg_list_format f;
	T_OK(yg_list_format_parse(YG_SV("hosts"), &f) == YG_OK && f == YG_LIST_HOSTS);
	T_OK(yg_list_format_parse(YG_SV("xml"), &f) == YG_PARSE);
}

int main(void)
{
	test_csv();
	test_lines();
	test_long();
	test_packed();
	test_stop();
	return tap_done();
}
