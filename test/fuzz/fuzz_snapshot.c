#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/replay.h"
#include "intel/compile.h"
#include "intel/match.h"
#include "snapshot/snapshot.h"

static void ask(const struct yg_intel *in)
{
	static struct yg_match_set set;
	struct yg_sv names[] = {YG_SV_INIT("www.evil.example"), YG_SV_INIT("192.0.2.7"),
				YG_SV_INIT("2001:db8::1"), YG_SV_INIT("203.0.113.77")};
	struct yg_sv hashes[] = {YG_SV_INIT("d41d8cd98f00b204e9800998ecf8427e")};
	struct yg_event ev = {.query = YG_SV("a.b.evil.example"),
			      .answers = {names, YG_LEN(names)},
			      .hashes = {hashes, 1},
			      .url = YG_SV("http://bad.example/kit/gate.php?id=1"),
			      .mail_from = YG_SV("someone@evil.example"),
			      .org = YG_SV("one"),
			      .dst_port = 443};
	(void)yg_ip_parse(YG_SV("198.51.100.9"), &ev.dst_ip);
	yg_intel_match(in, &ev, (yg_wall){1800000000000000}, &set);
	for (uint32_t i = 0; i < set.n; i++) {
		volatile char sink = 0;
		const struct yg_match *m = &set.m[i];
		for (size_t k = 0; k < m->indicator.n; k++)
			sink ^= m->indicator.p[k];
		for (size_t k = 0; k < m->list.n; k++)
			sink ^= m->list.p[k];
		(void)sink;
	}
}

/* The head of a good snapshot, for the digest of its layout. */
static struct yg_snap_head good_head(void)
{
	static struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_build_opts opts = {.env = &env};
	struct yg_intel_builder *b = NULL;
	struct yg_snap_head h;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (yg_intel_builder_new(&opts, &b, NULL) != YG_OK ||
	    yg_intel_builder_finish(b, fd, 1, NULL, NULL) != YG_OK ||
	    pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
		abort();
	yg_intel_builder_free(b);
	(void)close(fd);
	return h;
}

/* As it is; and with a head that fits, so that the checks behind it are reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_snap_head good;
	struct yg_intel *in = NULL;
	if (good.version == 0)
		good = good_head();
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	if (yg_intel_open_bytes(exact, size, 0, &in, NULL) == YG_OK) {
		ask(in);
		yg_intel_close(in);
	}
	struct yg_snap_head h;
	if (size >= sizeof h) {
		memcpy(&h, exact, sizeof h);
		memcpy(h.magic, YG_SNAP_MAGIC, 8);
		memcpy(h.schema, good.schema, 16);
		h.version = YG_SNAP_VERSION;
		h.kind = YG_SNAP_INDICATORS;
		h.file_bytes = size;
		memcpy(exact, &h, sizeof h);
		(void)yg_snap_fix_digest(exact, size);
		in = NULL;
		if (yg_intel_open_bytes(exact, size, 0, &in, NULL) == YG_OK)
			ask(in);
		yg_intel_close(in);
	}
	free(exact);
	return 0;
}
