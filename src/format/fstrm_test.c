#include "format/fstrm.h"

#include "base/sb.h"
#include "tap.h"

#define ESC   "\0\0\0\0"
#define TYPE  "\0\0\0\1\0\0\0\026" YG_FSTRM_DNSTAP
#define START ESC "\0\0\0\042\0\0\0\2" TYPE
#define STOP  ESC "\0\0\0\4\0\0\0\3"
#define READY ESC "\0\0\0\042\0\0\0\4" TYPE
#define OTHER "\0\0\0\1\0\0\0\5other"

/* What comes out of `in` cut into pieces of `piece` bytes: letters for control frames,
 * data between brackets, the status when it is not OK. */
static void run(struct yg_sv in, enum yg_fstrm_mode mode, size_t piece, char *out, size_t cap)
{
	static const char letters[] = {'?', '[', 'R', '<', '>', 'A', 'F'};
	struct yg_fstrm f;
	struct yg_sb b = yg_sb_init(out, cap - 1);
	yg_status st = YG_OK;
	yg_fstrm_init(&f, mode, YG_SV(YG_FSTRM_DNSTAP), 16);
	for (size_t at = 0; at < in.n && st == YG_OK; at += piece) {
		struct yg_sv part = yg_sv_sub(in, at, piece), frame;
		enum yg_fstrm_event what;
		while ((st = yg_fstrm_next(&f, &part, &what, &frame, NULL)) == YG_OK &&
		       what != YG_FSTRM_MORE) {
			yg_sb_putc(&b, letters[what]);
			yg_sb_put(&b, frame);
			if (what == YG_FSTRM_DATA)
				yg_sb_putc(&b, ']');
		}
	}
	if (st != YG_OK)
		yg_sb_putc(&b, st == YG_DENIED ? '#' : '!');
	if (!yg_fstrm_is_between(&f) && st == YG_OK)
		yg_sb_putc(&b, '~');
	if (f.skipped > 0)
		yg_sb_printf(&b, "s%u", (unsigned)f.skipped);
	yg_fstrm_free(&f);
	(void)yg_sb_cstr(&b);
}

static void expect(struct yg_sv in, enum yg_fstrm_mode mode, const char *want, const char *name)
{
	char got[256];
	bool same = true;
	for (size_t piece = 1; piece <= in.n; piece++) {
		run(in, mode, piece, got, sizeof got);
		if (strcmp(got, want) != 0) {
			(void)printf("# pieces of %zu: %s\n", piece, got);
			same = false;
		}
	}
	T_NAMED(same, name);
}

static void order(void)
{
	expect(YG_SV(START "\0\0\0\3abc\0\0\0\1d" STOP), YG_FSTRM_FILE, "<[abc][d]>", "a file");
	expect(YG_SV(START "\0\0\0\3abc"), YG_FSTRM_FILE, "<[abc]", "a file that grows");
	expect(YG_SV(START "\0\0\0\3ab"), YG_FSTRM_FILE, "<~", "half a frame");
	expect(YG_SV(ESC "\0\0\0\4\0\0\0\2" STOP), YG_FSTRM_FILE, "<>", "no content type is taken");
	expect(YG_SV(READY START "\0\0\0\1a" STOP), YG_FSTRM_RECEIVER, "R<[a]>", "both ways");
	expect(YG_SV(START "\0\0\0\1a" STOP), YG_FSTRM_RECEIVER, "<[a]>",
	       "one way on a socket, as well");
	expect(YG_SV(ESC "\0\0\0\057\0\0\0\4" OTHER TYPE), YG_FSTRM_RECEIVER, "R",
	       "one content type of several");
	expect(YG_SV(ESC "\0\0\0\042\0\0\0\1" TYPE ESC "\0\0\0\4\0\0\0\5"), YG_FSTRM_SENDER, "AF",
	       "what a sender hears");
	expect(YG_SV(START ESC "\0\0\0\6\0\0\0\11xy\0\0\0\1a"), YG_FSTRM_FILE, "<[a]",
	       "a control frame of a later type is passed over");
	expect(YG_SV(START "\0\0\0\0210123456789abcdefg\0\0\0\1a"), YG_FSTRM_FILE, "<[a]s1",
	       "a frame too long is passed over and counted");
}

static void refused(void)
{
	expect(YG_SV(ESC "\0\0\0\021\0\0\0\4" OTHER), YG_FSTRM_RECEIVER, "#",
	       "READY with another content type only");
	expect(YG_SV(ESC "\0\0\0\021\0\0\0\2" OTHER), YG_FSTRM_FILE, "#", "START likewise");
	expect(YG_SV(READY), YG_FSTRM_FILE, "!", "READY in a file");
	expect(YG_SV("\0\0\0\3abc"), YG_FSTRM_RECEIVER, "!", "data before START");
	expect(YG_SV("GET / HTTP/1.1\r\n\r\n"), YG_FSTRM_RECEIVER, "!", "another protocol");
	expect(YG_SV(START START), YG_FSTRM_FILE, "<!", "START twice");
	expect(YG_SV(READY READY), YG_FSTRM_RECEIVER, "R!", "READY twice");
	expect(YG_SV(STOP), YG_FSTRM_FILE, "!", "STOP first");
	expect(YG_SV(START STOP "\0"), YG_FSTRM_FILE, "<>!", "bytes behind STOP");
	expect(YG_SV(START "\377\377\377\377abc"), YG_FSTRM_FILE, "<!", "a frame of 4 GB");
	expect(YG_SV(ESC "\0\0\2\1"), YG_FSTRM_FILE, "!", "a control frame of 513 bytes");
	expect(YG_SV(ESC "\0\0\0\3"), YG_FSTRM_FILE, "!", "a control frame without a type");
	expect(YG_SV(ESC "\0\0\0\14\0\0\0\2\0\0\0\1\0\0\0\1"), YG_FSTRM_FILE, "!",
	       "a field that is longer than its frame");
	expect(YG_SV(ESC "\0\0\0\6\0\0\0\2ab"), YG_FSTRM_FILE, "!", "half a field");
	expect(YG_SV("\0\0\0\1a"), YG_FSTRM_SENDER, "!", "a receiver sends no data");
}

static void bounds(void)
{
	static char blob[65536];
	struct yg_fstrm f;
	struct yg_sv in = YG_SV(START "\0\4\0\0"), frame; /* a frame of 256 KiB */
	enum yg_fstrm_event what;
	yg_fstrm_init(&f, YG_FSTRM_FILE, YG_SV(YG_FSTRM_DNSTAP), YG_FSTRM_FRAME_MAX);
	T_OK(yg_fstrm_next(&f, &in, &what, &frame, NULL) == YG_OK && what == YG_FSTRM_IS_START);
	uint64_t start = f.offset;
	T_OK(start == sizeof START - 1);
	T_OK(yg_fstrm_next(&f, &in, &what, &frame, NULL) == YG_OK && what == YG_FSTRM_MORE);
	in = (struct yg_sv){blob, 100};
	T_OK(yg_fstrm_next(&f, &in, &what, &frame, NULL) == YG_OK && yg_fstrm_held(&f) <= 256);
	for (size_t left = YG_FSTRM_FRAME_MAX - 100, n; left > 0; left -= n) {
		n = YG_MIN(left, sizeof blob);
		in = (struct yg_sv){blob, n};
		T_OK(f.offset == start);
		T_OK(yg_fstrm_next(&f, &in, &what, &frame, NULL) == YG_OK);
	}
	T_OK(what == YG_FSTRM_DATA && frame.n == YG_FSTRM_FRAME_MAX);
	T_OK(yg_fstrm_held(&f) <= YG_FSTRM_FRAME_MAX);
	T_OK(f.offset == start + 4 + YG_FSTRM_FRAME_MAX);
	yg_fstrm_free(&f);

	yg_fstrm_init(&f, YG_FSTRM_FILE, YG_SV(YG_FSTRM_DNSTAP), 16);
	yg_fstrm_resume(&f, 1000);
	in = YG_SV("\0\0\0\3abc\0\0");
	T_OK(yg_fstrm_next(&f, &in, &what, &frame, NULL) == YG_OK && what == YG_FSTRM_DATA);
	T_NAMED(f.offset == 1007, "read on from an offset");
	T_OK(yg_fstrm_next(&f, &in, &what, &frame, NULL) == YG_OK && !yg_fstrm_is_between(&f));
	T_OK(f.offset == 1007);
	yg_fstrm_free(&f);
}

static void written(void)
{
	uint8_t out[YG_FSTRM_CONTROL_ROOM];
	static const char type[YG_FSTRM_CONTENT_MAX + 1];
	T_OK(yg_fstrm_control(out, sizeof out, YG_FSTRM_START, YG_SV(YG_FSTRM_DNSTAP)) ==
		     sizeof START - 1 &&
	     memcmp(out, START, sizeof START - 1) == 0);
	T_OK(yg_fstrm_control(out, sizeof out, YG_FSTRM_STOP, YG_SV("")) == 12 &&
	     memcmp(out, STOP, 12) == 0);
	T_OK(yg_fstrm_control(out, 11, YG_FSTRM_STOP, YG_SV("")) == 0);
	T_OK(yg_fstrm_control(out, sizeof out, YG_FSTRM_READY,
			      (struct yg_sv){type, YG_FSTRM_CONTENT_MAX}) == sizeof out);
	T_OK(yg_fstrm_control(out, sizeof out, YG_FSTRM_READY, (struct yg_sv){type, sizeof type}) ==
	     0);
	yg_fstrm_data(out, 0x01020304);
	T_OK(memcmp(out, "\1\2\3\4", 4) == 0);
}

int main(void)
{
	order();
	refused();
	bounds();
	written();
	return tap_done();
}
