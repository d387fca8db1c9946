/* A compiled policy: as it is, and with a head and digest that fit so that the checks
 * behind them are reached; what opens must be safe to ask anything.  And the text of a
 * zone, or behind a '#' of a list, compiled, opened and asked. */
#include "fuzz/replay.h"
#include "policy_pair.h"

/* A zone or a list of text, compiled and asked. */
static int compile(const uint8_t *data, size_t size, bool list, struct yg_snap_head *head)
{
	static struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_dns_build_opts opts = {.env = &env};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_source *s = NULL;
	struct yg_dns_policy *p = NULL;
	struct yg_dns_zone_spec spec = {
		.name = YG_SV("z"), .layer = YG_DNS_LAYER_CENTRE_ZONE, .is_list = list};
	struct yg_dns_source_opts from = {.is_list = list};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (yg_dns_builder_new(&opts, &b, NULL) != YG_OK ||
	    yg_dns_builder_zone(b, &spec, &from.zone, NULL) != YG_OK)
		abort();
	from.builder = b;
	if (yg_dns_source_new(&from, &s, NULL) != YG_OK)
		abort();
	bool ok = yg_dns_source_feed(s, (struct yg_sv){(const char *)data, size}, NULL) == YG_OK &&
		  yg_dns_source_end(s, NULL) == YG_OK;
	if (yg_dns_builder_finish(b, fd, 1, NULL, NULL) != YG_OK ||
	    yg_dns_policy_open_fd(fd, 0, &p, NULL) != YG_OK)
		abort(); /* what was compiled opens */
	pair_ask(p);
	yg_dns_policy_close(p);
	yg_dns_source_free(s);
	yg_dns_builder_free(b);
	if (head != NULL && pread(fd, head, sizeof *head, 0) != (ssize_t)sizeof *head)
		abort();
	(void)close(fd);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_snap_head good;
	struct yg_dns_policy *p = NULL;
	if (good.version == 0)
		(void)compile((const uint8_t *)"", 0, true, &good);
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	(void)compile(exact, size, size > 0 && data[0] == '#', NULL); /* '#': a list */
	struct yg_snap_head h;
	if (size >= sizeof h) {
		memcpy(&h, exact, sizeof h);
		memcpy(h.magic, YG_SNAP_MAGIC, 8);
		memcpy(h.schema, good.schema, 16);
		h.version = YG_SNAP_VERSION;
		h.kind = YG_SNAP_DNS_POLICY;
		h.file_bytes = size;
		memcpy(exact, &h, sizeof h);
		(void)yg_snap_fix_digest(exact, size);
		if (yg_dns_policy_open_bytes(exact, size, 0, NULL, &p, NULL) == YG_OK)
			pair_ask(p);
		yg_dns_policy_close(p);
	}
	free(exact);
	return 0;
}
