/* A compiled policy: as it is, and with a head and digest that fit so that the checks
 * behind them are reached; what opens must be safe to ask anything.  And the text of a
 * zone, or behind a '#' of a list, compiled, opened and asked. */
#include <sys/mman.h>
#include <unistd.h>

#include "dns/policy.h"
#include "dns/policy_internal.h"
#include "dns/source.h"
#include "fuzz/replay.h"

static volatile uint8_t sink;
static void touch_bytes(struct yg_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		sink ^= (uint8_t)s.p[i];
}

static void look(const struct yg_dns_eval *e, const struct yg_dns_verdict *v, size_t i)
{
	char text[YG_DNS_NAME_TEXT_MAX + 64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	struct yg_dns_rrset set;
	struct yg_sv data = v->data;
	yg_dns_eval_record(e, i, &b);
	touch_bytes(yg_sb_sv(&b));
	touch_bytes(v->target);
	touch_bytes(v->zone.soa);
	touch_bytes(v->zone.ede_text);
	while (yg_dns_rrset_next(&data, &set))
		touch_bytes(set.rrs);
}

static void ask(const struct yg_dns_policy *p)
{
	static const char *const names[] = {"bad.example.", "a.b.bad.example.", "com.", ".",
					    "ok.bad.example."};
	static const char *const ips[] = {"192.0.2.1", "2001:db8::1", "10.0.0.1"};
	static struct yg_dns_eval e;
	struct yg_dns_policy_info info = yg_dns_policy_info(p);
	struct yg_dns_verdict v;
	struct yg_ip ip;
	for (uint32_t view = 0; view < info.views && view < 4; view++)
		for (size_t i = 0; i < YG_LEN(names); i++) {
			struct yg_dns_name name;
			struct yg_dns_probe probe;
			(void)yg_ip_parse(yg_sv_of(ips[i % 3]), &ip);
			(void)yg_dns_name_parse(yg_sv_of(names[i]), NULL, &name, NULL);
			yg_dns_policy_hash(p, &name, &probe);
			(void)yg_dns_policy_touch(p, &probe);
			yg_dns_policy_fetch(p, &probe);
			yg_dns_eval_begin(&e, p, view, ip);
			yg_dns_eval_name(&e, &name, &probe);
			yg_dns_eval_address(&e, ip);
			yg_dns_eval_server(&e, &name);
			yg_dns_eval_server_address(&e, ip);
			sink ^= (uint8_t)yg_dns_eval_needs(&e);
			yg_dns_eval_verdict(&e, &v);
			look(&e, &v, SIZE_MAX);
			for (size_t k = 0; k < e.note_count; k++) {
				yg_dns_eval_note(&e, k, &v);
				look(&e, &v, k);
			}
			(void)yg_dns_eval_stage_end(&e);
		}
	for (uint32_t i = 0; i < info.zones && i < 16; i++) {
		struct yg_dns_zone_view z;
		if (yg_dns_policy_zone(p, i, &z))
			touch_bytes(z.origin);
	}
	(void)yg_dns_policy_any_ip(p, ip);
	(void)yg_dns_policy_view(p, YG_SV("one"));
}

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
	ask(p);
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
		if (yg_dns_policy_open_bytes(exact, size, 0, &p, NULL) == YG_OK)
			ask(p);
		yg_dns_policy_close(p);
	}
	free(exact);
	return 0;
}
