/* inputs.h - what organisations and the centre say of protective DNS, on its way from
 * role center, which keeps it, to role zones, which compiles it: one small snapshot,
 * verified in full when it is opened.  Pure.
 *
 *   organisations in their tree; allow and block entries; modes of layers; answers */
#pragma once
#include "dns/answer.h"
#include "intel/indicator.h"
#include "snapshot/snapshot.h"

/* ---- writing ---- */

struct yg_dns_inputs_out; /* opaque; owned: yg_dns_inputs_out_free() */
yg_status yg_dns_inputs_out_new(struct yg_dns_inputs_out **out, struct yg_err *err);
void yg_dns_inputs_out_free(struct yg_dns_inputs_out *o);
/* Below `above` ("": none).  In any order; names may come before their own call. */
yg_status yg_dns_inputs_org(struct yg_dns_inputs_out *o, struct yg_sv name, struct yg_sv above,
			    struct yg_err *err);
struct yg_dns_input { /* texts: borrowed during the call; org "": for all */
	bool allow;
	enum yg_indicator_type type; /* IP, DOMAIN or FQDN */
	struct yg_sv org, value, category;
	uint16_t ede;    /* 0: by layer */
	yg_wall expires; /* us 0: never */
};
yg_status yg_dns_inputs_entry(struct yg_dns_inputs_out *o, const struct yg_dns_input *e,
			      struct yg_err *err);
yg_status yg_dns_inputs_mode(struct yg_dns_inputs_out *o, struct yg_sv org, enum yg_dns_layer layer,
			     enum yg_dns_mode mode, struct yg_err *err);
yg_status yg_dns_inputs_answer(struct yg_dns_inputs_out *o, const struct yg_dns_answer_row *row,
			       struct yg_err *err);
/* To `fd`, from its start; not synced. */
yg_status yg_dns_inputs_finish(struct yg_dns_inputs_out *o, int fd, uint64_t generation,
			       yg_wall created, struct yg_err *err);

/* ---- reading ---- */

struct yg_dns_inputs; /* opaque; owned: yg_dns_inputs_close() */
/* YG_OK | YG_CORRUPT | YG_CONFLICT (below min_generation) | YG_LIMIT | YG_NOMEM | YG_IO. */
yg_status yg_dns_inputs_open_fd(int fd, uint64_t min_generation, struct yg_dns_inputs **out,
				struct yg_err *err);
yg_status yg_dns_inputs_open_bytes(const void *p, size_t n, uint64_t min_generation,
				   struct yg_dns_inputs **out, struct yg_err *err);
void yg_dns_inputs_close(struct yg_dns_inputs *in); /* NULL is fine */
uint64_t yg_dns_inputs_generation(const struct yg_dns_inputs *in);
/* True: they say the same. */
bool yg_dns_inputs_same(const struct yg_dns_inputs *a, const struct yg_dns_inputs *b);

struct yg_dns_inputs_stats {
	uint64_t orgs, allow, blocks, ended, refused;
	yg_wall next; /* when the next entry ends; INT64_MAX: none does */
};
/* The organisations, then the zones of the first three layers and the centre's own blocks
 * (which stand before its other zones), modes, answers: into a builder that has no zone
 * yet.  What has ended at `now` is left out. */
yg_status yg_dns_inputs_apply(const struct yg_dns_inputs *in, struct yg_dns_builder *b, yg_wall now,
			      struct yg_dns_inputs_stats *out, struct yg_err *err);
