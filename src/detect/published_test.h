/* published_test.h - the published rules, where they are at hand, file by file. */
#pragma once
#include "event/shared_test.h"

static inline bool published_is_rule(const char *header, struct yg_sv long_name)
{
	struct yg_sv name =
		long_name.n > 0 ? long_name : (struct yg_sv){header, strnlen(header, 100)};
	return (header[156] == '0' || header[156] == '\0') &&
	       (yg_sv_ends(name, YG_SV(".yml")) || yg_sv_has(name, YG_SV(".yml\n")));
}

typedef void published_fn(void *ctx, const char *name, struct yg_sv yaml);

/* Every rule file of a tar archive (512 bytes of header, then the bytes in blocks of 512);
 * how many there were. */
static inline size_t published_each(struct yg_sv tar, published_fn *each, void *ctx)
{
	size_t files = 0;
	struct yg_sv long_name = {"", 0};
	for (size_t at = 0; at + 512 <= tar.n && tar.p[at] != '\0';) {
		const char *header = tar.p + at;
		size_t n = 0;
		for (size_t i = 124; i < 135; i++)
			n = n * 8 + (size_t)(header[i] - '0');
		at += 512;
		if (n > tar.n - at)
			break;
		struct yg_sv body = {tar.p + at, n};
		at += (n + 511) / 512 * 512;
		if (header[156] == 'L' || header[156] == 'x') {
			long_name = yg_sv_sub(body, 0, strnlen(body.p, n));
			continue;
		}
		if (published_is_rule(header, long_name)) {
			files++;
			each(ctx, header, body);
		}
		long_name.n = 0;
	}
	return files;
}

/* The archive's bytes; false, with a line that says so, when it is not at hand. */
static inline bool published_open(struct yg_buf *tar)
{
	if (shared_file("../detect/sigma-rules.tar.gz", tar))
		return true;
	yg_buf_free(tar);
	return false;
}
