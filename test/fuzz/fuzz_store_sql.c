#include "fuzz/replay.h"
#include "role/store_sql.h"

static void inside(struct yg_sv part, struct yg_sv whole)
{
	if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

/* Every view lies in the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	struct yg_store_sql r;
	struct yg_sv text = {(const char *)exact, size};
	if (exact == NULL)
		return 0;
	yg_store_sql_read(text, &r);
	inside(r.head, text);
	inside(r.format, text);
	inside(r.data, text);
	inside(r.kill_id, text);
	if (r.verb == YG_STORE_INSERT && r.data.n > 0 && r.data.p + r.data.n != text.p + text.n)
		abort();
	(void)yg_store_format_mime(r.format);
	(void)yg_store_format_streams(r.format);
	free(exact);
	return 0;
}
