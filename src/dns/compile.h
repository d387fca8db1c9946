/* compile.h - policy zones in, one snapshot out.
 *
 * Runs in:   role center and the command line.  One thread per builder.
 * Ownership: yg_dns_builder is owned, yg_dns_builder_free(); what is added is copied.
 * Memory:    about 24 bytes, the name's own length and 16 to 32 bytes of index per
 *            name until the finish, which needs as much again as the file is large.
 * Zones are added in order of precedence; the layers put them in order first.
 * Everything here that takes long breathes (base/breath.h), whoever adds what.
 */
#pragma once
#include "base/env.h"
#include "dns/policy.h"
#include "format/zone_file.h"

struct yg_dns_builder;

struct yg_dns_build_opts {
	const struct yg_env *env; /* borrowed: random key of the hashes, time of creation */
	uint64_t bytes_max;       /* memory for names and data; 0: 4 GiB */
	/* What is compiled stands over it: whole, borrowed until the builder is freed.  NULL:
	 * all of the policy is in one snapshot. */
	const struct yg_dns_policy *base;
	void *ctx; /* borrowed */
	/* A record that was refused; may be NULL.  text: its owner, escaped. */
	void (*refused)(void *ctx, uint32_t zone, uint64_t line, const char *reason,
			struct yg_sv text);
};
yg_status yg_dns_builder_new(const struct yg_dns_build_opts *opts, struct yg_dns_builder **out,
			     struct yg_err *err);
void yg_dns_builder_free(struct yg_dns_builder *b);

#define YG_DNS_SINKHOLES_MAX 16
#define YG_DNS_OWNER_RRS_MAX 256 /* records of one owner; more are refused */

struct yg_dns_answer_spec {        /* instead of a refusal */
	struct yg_dns_name target; /* CNAME: may begin with "*" */
	struct yg_ip sinkhole[YG_DNS_SINKHOLES_MAX];
	size_t sinkhole_count;
	uint32_t ttl; /* seconds */
};
struct yg_dns_zone_spec {
	struct yg_sv name, org, category, ede_text;
	const struct yg_dns_name *origin; /* NULL: the owner of its SOA */
	enum yg_dns_layer layer;
	enum yg_dns_override override;
	enum yg_dns_mode mode;
	uint16_t ede_code;
	bool is_list; /* its exceptions stay PASSTHRU whatever the override */
	bool cancels; /* its addresses decide nothing: later zones' rules of them do not count */
	struct yg_dns_answer_spec answer; /* of override CNAME and SINKHOLE */
};
/* *out: its number in the calls below.  YG_OK | YG_INVAL (no name, or an organisation's
 * layer without organisation) | YG_CONFLICT (the name is taken) | YG_LIMIT | YG_NOMEM. */
yg_status yg_dns_builder_zone(struct yg_dns_builder *b, const struct yg_dns_zone_spec *spec,
			      uint32_t *out, struct yg_err *err);

/* A record of a response policy zone.  What means nothing there is refused or, outside
 * the zone, dropped, and counted: YG_OK.  YG_PARSE (the first record is no SOA, and the
 * origin is not known) | YG_NOMEM | YG_LIMIT.  rr->owner and names in rdata: lower case. */
yg_status yg_dns_builder_rr(struct yg_dns_builder *b, uint32_t zone, const struct yg_zone_rr *rr,
			    struct yg_err *err);
/* A name of a list.  exact: itself; below: everything below it. */
yg_status yg_dns_builder_name(struct yg_dns_builder *b, uint32_t zone,
			      const struct yg_dns_name *name, bool exact, bool below,
			      enum yg_dns_action action, struct yg_err *err);
/* A prefix of a list: RESPONSE_IP, CLIENT_IP or NSIP.  bits: of 128. */
yg_status yg_dns_builder_prefix(struct yg_dns_builder *b, uint32_t zone, enum yg_dns_trigger t,
				struct yg_ip ip, uint8_t bits, enum yg_dns_action action,
				struct yg_err *err);
/* A line of a list that means nothing. */
void yg_dns_builder_refuse(struct yg_dns_builder *b, uint32_t zone, uint64_t line,
			   const char *reason, struct yg_sv text);

/* An organisation, known or not, stands below another: the zones, modes and answers of
 * `above` hold for it too.  above "": below none.  YG_INVAL: a circle, or too deep. */
yg_status yg_dns_builder_org(struct yg_dns_builder *b, struct yg_sv org, struct yg_sv above,
			     struct yg_err *err);
/* For one organisation ("": all) and those below it that say nothing themselves: another
 * mode of a layer, of all its zones there. */
yg_status yg_dns_builder_mode(struct yg_dns_builder *b, struct yg_sv org, enum yg_dns_layer layer,
			      enum yg_dns_mode mode, struct yg_err *err);
/* For one organisation ("": all), those below it, and category ("": any): what NXDOMAIN
 * and NODATA become; the nearest row decides, one with a category first.  action: NXDOMAIN, NODATA, CNAME or DATA (sinkhole). */
yg_status yg_dns_builder_answer(struct yg_dns_builder *b, struct yg_sv org, struct yg_sv category,
				enum yg_dns_action action, const struct yg_dns_answer_spec *spec,
				struct yg_err *err);

struct yg_dns_zone_stats {
	uint64_t records;     /* seen */
	uint64_t taken;       /* of them rules, or data of a rule */
	uint64_t out_of_zone; /* dropped */
	uint64_t refused;
	uint64_t duplicates;
	uint64_t other; /* the top of the zone: SOA, NS and what is no rule */
	uint64_t rules[YG_DNS_TRIGGER_COUNT];
	bool has_soa;
	uint32_t serial;
};
struct yg_dns_zone_stats yg_dns_builder_stats(const struct yg_dns_builder *b, uint32_t zone);
struct yg_dns_zone_about {                /* of a zone as it was added */
	struct yg_sv name, org, category; /* borrowed until the next call that adds something */
	enum yg_dns_layer layer;
	enum yg_dns_mode mode;
};
/* Zones are numbered from 0 in the order they were added. */
uint32_t yg_dns_builder_zones(const struct yg_dns_builder *b);
struct yg_dns_zone_about yg_dns_builder_about(const struct yg_dns_builder *b, uint32_t zone);
/* With a base: the zone's records are those of the base's zone of its name and organisation;
 * what is added to it counts in their place, and goes through dns/changes.h.  stats: of
 * the zone when the base was compiled.  YG_NOTFOUND: the base has no such zone. */
yg_status yg_dns_builder_continue(struct yg_dns_builder *b, uint32_t zone,
				  const struct yg_dns_zone_stats *stats, struct yg_err *err);

struct yg_dns_build_stats {
	uint64_t names, marks, prefixes, rules, data_bytes, zones, views, bytes;
};
/* Writes the snapshot to `fd` (a file or memfd, borrowed; truncated first, not synced,
 * not sealed).  The builder is then only good for yg_dns_builder_stats() and _free().
 * YG_OK | YG_NOMEM | YG_LIMIT | YG_IO. */
yg_status yg_dns_builder_finish(struct yg_dns_builder *b, int fd, uint64_t generation,
				struct yg_dns_build_stats *out, struct yg_err *err);
