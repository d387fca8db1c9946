#include "format/syslog_frame.h"

#include "base/sb.h"
#include "tap.h"

/* Feeds `in` cut into pieces of `piece` bytes; messages come back joined by '|',
 * a cut one marked by '~'. */
static yg_status run(struct yg_sv in, size_t piece, size_t max, char *out, size_t cap)
{
	struct yg_syslog_frames f;
	struct yg_sb b = yg_sb_init(out, cap - 1);
	yg_status st = YG_OK;
	yg_syslog_frames_init(&f, max);
	for (size_t at = 0; at < in.n && st == YG_OK; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece), msg;
		bool cut;
		while ((st = yg_syslog_frames_next(&f, &part, &msg, &cut, NULL)) == YG_OK &&
		       msg.n > 0) {
			yg_sb_put(&b, msg);
			yg_sb_put(&b, cut ? YG_SV("~|") : YG_SV("|"));
		}
	}
	struct yg_sv msg;
	bool cut;
	yg_syslog_frames_end(&f, &msg, &cut);
	yg_sb_put(&b, msg);
	if (msg.n > 0)
		yg_sb_put(&b, cut ? YG_SV("~|") : YG_SV("|"));
	yg_syslog_frames_free(&f);
	(void)yg_sb_cstr(&b);
	return st;
}

static void expect(struct yg_sv in, const char *want, const char *name)
{
	char got[4096];
	bool same = true;
	for (size_t piece = 1; piece <= in.n; piece++) {
		yg_status st = run(in, piece, 64, got, sizeof got);
		if (st != YG_OK || strcmp(got, want) != 0) {
			(void)printf("# pieces of %zu: %s\n", piece, got);
			same = false;
		}
	}
	T_NAMED(same, name);
}

int main(void)
{
	expect(YG_SV("<1>a\n<2>b\r\n<3>c"), "<1>a|<2>b|<3>c|",
	       "newline framing; the end of the connection ends a line");
	expect(YG_SV("5 <1>a\n10 <2>b\nccccc<3>d\n"), "<1>a|<2>b\nccccc|<3>d|",
	       "octet counting keeps a newline inside; both ways on one connection");
	expect(YG_SV("4 <1>a\n\n4 <2>b\n"), "<1>a|<2>b|",
	       "a newline behind a counted frame is no message");
	expect(YG_SV("2026-01-02 host a\n12 apples\n7\n"), "2026-01-02 host a|12 apples|7|",
	       "a line may begin with a number");
	expect(YG_SV("12345678901 <1>a\n"), "12345678901 <1>a|", "eleven digits are no count");
	expect(YG_SV("012 <1>a\n"), "012 <1>a|", "a count has no leading zero");
	expect(YG_SV("<1>a\0<2>b\0"), "<1>a|<2>b|", "NUL ends a message too");
	expect(YG_SV("20 <1>abc"), "<1>abc~|", "a counted frame that is not whole is marked");
	expect(YG_SV("12"), "12|", "digits at the end");
	expect(YG_SV("\n\n\r\n"), "", "empty lines are nothing");
	expect(YG_SV("<1>0123456789012345678901234567890123456789012345678901234567890123456789\n<2>b\n"),
	       "<1>0123456789012345678901234567890123456789012345678901234567890~|<2>b|",
	       "a line longer than the limit is cut, the next one is whole");
	expect(YG_SV("73 <1>0123456789012345678901234567890123456789012345678901234567890123456789<2>b\n"),
	       "<1>0123456789012345678901234567890123456789012345678901234567890~|<2>b|",
	       "a counted frame longer than the limit is cut, the next one is whole");
	char got[256];
	T_NAMED(run(YG_SV("4000000000 <1>a"), 1, 64, got, sizeof got) == YG_PARSE,
		"a count of 4 GB is refused");

	struct yg_syslog_frames f;
	yg_syslog_frames_init(&f, YG_RECORD_MAX);
	static char blob[65536];
	memset(blob, 'x', sizeof blob);
	for (int i = 0; i < 256; i++) { /* 16 MB without a newline */
		struct yg_sv part = {blob, sizeof blob}, msg;
		bool cut;
		if (yg_syslog_frames_next(&f, &part, &msg, &cut, NULL) != YG_OK || msg.n != 0)
			T_NAMED(false, "no message yet");
	}
	T_NAMED(yg_syslog_frames_held(&f) <= YG_RECORD_MAX, "memory stays at the limit");
	struct yg_sv end = YG_SV("\n"), msg;
	bool cut = false;
	T_OK(yg_syslog_frames_next(&f, &end, &msg, &cut, NULL) == YG_OK && msg.n == YG_RECORD_MAX &&
	     cut);
	T_OK(f.frames == 1 && f.cuts == 1);
	yg_syslog_frames_free(&f);
	return tap_done();
}
