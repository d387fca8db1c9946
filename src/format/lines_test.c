#include "format/lines.h"

#include "tap.h"

static void test_memory(void)
{
	struct yg_sv rest = YG_SV("one\r\n\ntwo\n\r\nlonger than ten\nlast"), line;
	const char *want[] = {"one", "", "two", "", "longer tha", "last"};
	bool cut;
	for (size_t i = 0; i < YG_LEN(want); i++) {
		T_OK(yg_line_next(&rest, 10, &line, &cut) && yg_sv_eq(line, yg_sv_of(want[i])));
		T_OK(cut == (i == 4));
	}
	T_OK(!yg_line_next(&rest, 10, &line, &cut));
}

/* Feeds `text` in pieces of `piece` bytes; what comes out, batches one behind the other. */
static size_t gather(struct yg_sv text, size_t piece, char *out, uint64_t *dropped)
{
	struct yg_gather g;
	size_t n = 0;
	if (yg_gather_init(&g, 16, 8, NULL) != YG_OK)
		return 0;
	while (text.n > 0) {
		size_t room;
		char *to = yg_gather_room(&g, &room);
		size_t give = YG_MIN(YG_MIN(room, piece), text.n);
		memcpy(to, text.p, give);
		text = yg_sv_sub(text, give, text.n);
		yg_gather_add(&g, give);
		for (struct yg_sv b; (b = yg_gather_take(&g, text.n == 0)).n > 0;) {
			memcpy(out + n, b.p, b.n);
			n += b.n;
		}
	}
	*dropped = g.dropped;
	yg_gather_free(&g);
	return n;
}

int main(void)
{
	char out[200];
	uint64_t dropped;
	test_memory();
	for (size_t piece = 1; piece < 20; piece++) {
		size_t n = gather(YG_SV("a\nbc\r\n12345678\n\nend"), piece, out, &dropped);
		T_OK(yg_sv_eq((struct yg_sv){out, n}, YG_SV("a\nbc\r\n12345678\n\nend")) &&
		     dropped == 0);
		/* kept: the head of most + 1 bytes, so that the reader sees it was longer */
		n = gather(YG_SV("x\n0123456789abcdefghijklmnopqrstuvwxyz\ny\n"), piece, out,
			   &dropped);
		T_OK(yg_sv_starts((struct yg_sv){out, n}, YG_SV("x\n012345678")));
		T_OK(yg_sv_ends((struct yg_sv){out, n}, YG_SV("\ny\n")) && n + dropped == 41);
	}
	/* a gigabyte without a newline needs 16 bytes */
	struct yg_gather g;
	T_OK(yg_gather_init(&g, 65536, 8192, NULL) == YG_OK);
	size_t room, batches = 0;
	for (uint64_t fed = 0; fed < 1u << 30; fed += room) {
		char *to = yg_gather_room(&g, &room);
		if (fed < 1u << 20)
			memset(to, 'x', room);
		yg_gather_add(&g, room);
		batches += yg_gather_take(&g, false).n > 0;
	}
	T_OK(batches == 1 && g.cap == 65536 && g.dropped > (1u << 30) - 70000);
	yg_gather_free(&g);
	return tap_done();
}
