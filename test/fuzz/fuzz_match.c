#include <sys/mman.h>

#include "fuzz/replay.h"
#include "intel/compile.h"
#include "intel/match.h"

static struct yg_intel *compiled(void)
{
	static const struct {
		enum yg_indicator_type type;
		const char *value;
	} list[] = {
		{YG_IND_DOMAIN, "evil.example"},
		{YG_IND_FQDN, "a.b"},
		{YG_IND_IP, "192.0.2.0/24"},
		{YG_IND_IP, "::/16"},
		{YG_IND_IPPORT, "1.2.3.4:80"},
		{YG_IND_URL, "/a"},
		{YG_IND_URL, "/a/"},
		{YG_IND_URL, "a.b/"},
		{YG_IND_URL, "a.b/c?d="},
		{YG_IND_EMAIL, "a@a.b"},
		{YG_IND_DOMAIN, "c"},
		{YG_IND_HASH, "d41d8cd98f00b204e9800998ecf8427e"},
	};
	static struct yg_env_sim sim = {.seed = 1};
	struct yg_env env = yg_env_sim(&sim);
	struct yg_intel_build_opts opts = {.env = &env, .force_suffix = true};
	struct yg_intel_builder *b = NULL;
	struct yg_intel *in = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (yg_intel_builder_new(&opts, &b, NULL) != YG_OK)
		abort();
	for (size_t i = 0; i < YG_LEN(list); i++) {
		struct yg_indicator ind = {
			.type = list[i].type, .value = yg_sv_of(list[i].value), .allow = i == 1};
		if (yg_intel_builder_add(b, &ind, NULL) != YG_OK)
			abort();
	}
	if (yg_intel_builder_finish(b, fd, 1, NULL, NULL) != YG_OK ||
	    yg_intel_open_fd(fd, 0, &in, NULL) != YG_OK)
		abort();
	yg_intel_builder_free(b);
	return in;
}

/* The input, cut at zero bytes, fills the fields that are looked up.  One event
 * at a time and one ahead give the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yg_intel *in;
	static struct yg_match_set one, ahead;
	struct yg_sv lists[3][64], parts[6] = {{"", 0}};
	struct yg_event ev = {.org = YG_SV("x")};
	if (in == NULL)
		in = compiled();
	uint8_t *exact = fuzz_exact(data, size);
	if (exact == NULL)
		return 0;
	struct yg_strs *const strs[] = {&ev.answers, &ev.mail_to, &ev.hashes};
	for (size_t i = 0; i < 3; i++)
		strs[i]->v = lists[i];
	struct yg_sv rest = {(const char *)exact, size}, part;
	for (size_t i = 0; yg_sv_cut(&rest, '\0', &part); i++) {
		if (i < 6)
			parts[i] = part;
		else if (strs[i % 3]->n < 64)
			lists[i % 3][strs[i % 3]->n++] = part;
	}
	ev.query = parts[0];
	ev.url = parts[1];
	ev.dst_host = parts[2];
	ev.mail_from = parts[3];
	ev.referrer = parts[4];
	ev.src_host = parts[5];
	if (size >= 16)
		memcpy(ev.dst_ip.b, exact, 16);
	ev.dst_port = 80;
	yg_intel_match(in, &ev, (yg_wall){1}, &one);
	yg_intel_prepare(in, &ev, &ahead);
	yg_intel_finish(in, &ev, (yg_wall){1}, &ahead);
	if (one.n != ahead.n || one.more != ahead.more || one.n > YG_MATCHES_MAX)
		abort();
	for (uint32_t i = 0; i < one.n; i++)
		if (one.m[i].indicator.n == 0 || one.m[i].type == YG_IND_NONE)
			abort();
	free(exact);
	return 0;
}
