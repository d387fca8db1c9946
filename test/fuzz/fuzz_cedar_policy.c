#include "fuzz/cedar.h"

/* All but white space. */
static void solid(struct yg_sv text, struct yg_buf *out)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr(" \n\r\t\v\f", text.p[i]) == NULL || text.p[i] == '\0')
			yg_buf_putc(out, text.p[i]);
}

/* A text that is read is laid out: only white space differs, and a second time nothing. */
static void cedar_lay_out(struct yg_sv text)
{
	struct yg_buf laid[2], kept[2];
	struct yg_cedar_policies again;
	for (int i = 0; i < 2; i++) {
		yg_buf_init(&laid[i], 1 << 26);
		yg_buf_init(&kept[i], 1 << 26);
	}
	yg_cedar_policies_init(&again, &cedar_key, 1 << 26);
	if (yg_cedar_lay_out(&laid[0], text, NULL) != YG_OK ||
	    yg_cedar_lay_out(&laid[1], yg_buf_sv(&laid[0]), NULL) != YG_OK ||
	    !yg_sv_eq(yg_buf_sv(&laid[0]), yg_buf_sv(&laid[1])) ||
	    yg_cedar_policies_text(&again, yg_buf_sv(&laid[0]), NULL) != YG_OK)
		abort();
	solid(text, &kept[0]);
	solid(yg_buf_sv(&laid[0]), &kept[1]);
	/* other white space of Unicode is none in a text or a comment */
	bool ascii = true;
	for (size_t i = 0; i < text.n; i++)
		ascii = ascii && ((unsigned char)text.p[i] & 0x80) == 0;
	if (ascii && !yg_sv_eq(yg_buf_sv(&kept[0]), yg_buf_sv(&kept[1])))
		abort();
	for (int i = 0; i < 2; i++) {
		yg_buf_free(&laid[i]);
		yg_buf_free(&kept[i]);
	}
	yg_cedar_policies_free(&again);
}

/* Any text: policies that can be decided over, or refused with a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_cedar_policies p;
	struct yg_err err = {0};
	if (exact == NULL)
		return 0;
	yg_cedar_policies_init(&p, &cedar_key, 1 << 24);
	yg_status st = yg_cedar_policies_text(&p, (struct yg_sv){(const char *)exact, size}, &err);
	cedar_told(st, &err);
	if (st == YG_OK) {
		cedar_decide(&p);
		cedar_write(&p);
		cedar_validate(&p, &cedar_world()->schema);
		cedar_lay_out((struct yg_sv){(const char *)exact, size});
	}
	yg_cedar_policies_free(&p);
	free(exact);
	return 0;
}
