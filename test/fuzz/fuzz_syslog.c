#include "format/syslog.h"
#include "fuzz/replay.h"

static void inside(struct yg_sv part, struct yg_sv whole)
{
	if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

/* Every view lies in the message; structured data ends; times are sane. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_sv text = {(const char *)exact, size};
	struct yg_syslog m;
	struct yg_arena arena;
	yg_wall now = {1767225600LL * YG_US_PER_S};
	yg_arena_init(&arena, 65536);
	if (yg_syslog_parse(text, now, YG_SECONDS(0), &m, NULL) == YG_OK) {
		const struct yg_sv views[] = {m.host, m.app, m.procid, m.msgid, m.sd, m.msg};
		for (size_t i = 0; i < YG_LEN(views); i++)
			inside(views[i], text);
		struct yg_sv rest = m.sd, id = {"", 0};
		struct yg_syslog_param p;
		size_t count = 0;
		while (yg_syslog_sd_next(&rest, &id, &p)) {
			inside(p.name, text);
			inside(p.value, text);
			(void)yg_syslog_unescape(&p, &arena);
			if (++count > size)
				abort();
		}
		if (!m.has_time && m.time.us != now.us)
			abort();
	}
	yg_arena_free(&arena);
	free(exact);
	return 0;
}
