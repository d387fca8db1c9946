/* shared_test.h - real logs for tests, where they are at hand: $YAGURA_SHARED or
 * ../shared beside the source folder.  A test without them says so and passes. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "format/inflate.h"

/* The unpacked bytes of data/events/NAME; false when it is not there.  `out` owned. */
static inline bool shared_file(const char *name, struct yg_buf *out)
{
	char path[4096];
	const char *dir = getenv("YAGURA_SHARED");
	(void)snprintf(path, sizeof path, "%s/data/events/%s", dir != NULL ? dir : YG_TEST_SHARED,
		       name);
	FILE *f = fopen(path, "rb");
	yg_buf_init(out, (size_t)256 << 20);
	if (f == NULL)
		return false;
	struct yg_buf packed;
	yg_buf_init(&packed, (size_t)64 << 20);
	for (char *to; (to = yg_buf_room(&packed, 1 << 20)) != NULL;) {
		size_t n = fread(to, 1, 1 << 20, f);
		packed.n += n;
		if (n == 0)
			break;
	}
	(void)fclose(f);
	yg_status st = yg_inflate_all(yg_encoding_sniff(yg_buf_sv(&packed)), yg_buf_sv(&packed),
				      out, NULL);
	yg_buf_free(&packed);
	return st == YG_OK && out->n > 0;
}
