/* inputs_internal.h - the layout of the inputs; a change of it changes the schema text. */
#pragma once
#include "dns/inputs.h"

#define YG_DNS_INPUTS_SCHEMA                                                                       \
	YG_SV("dns-inputs 1; orgs:name,above+1; entries:expires,org+1,value,category,type,"        \
	      "allow,ede, by allow, org, category, ede; modes:org+1,layer,mode; "                  \
	      "answers:org+1,category,target,addresses,ttl,answer; strings:u16+bytes")

enum yg_dns_inputs_section {
	YG_DI_ORGS = 1,
	YG_DI_ENTRIES,
	YG_DI_MODES,
	YG_DI_ANSWERS,
	YG_DI_STRINGS
};

struct yg_di_org {
	uint32_t name, above; /* above: number + 1; 0: none */
};
struct yg_di_entry {
	int64_t expires_us;
	uint32_t org, value, category; /* org: number + 1; 0: for all */
	uint8_t type, allow, ede, reserved;
};
struct yg_di_mode {
	uint32_t org;
	uint8_t layer, mode, reserved[2];
};
struct yg_di_answer {
	uint32_t org, category, target, addresses, ttl;
	uint8_t answer, reserved[3];
};
static_assert(sizeof(struct yg_di_org) == 8, "stored as it is");
static_assert(sizeof(struct yg_di_entry) == 24, "stored as it is");
static_assert(sizeof(struct yg_di_mode) == 8, "stored as it is");
static_assert(sizeof(struct yg_di_answer) == 24, "stored as it is");

struct yg_dns_inputs {
	struct yg_snap snap;
	const struct yg_di_org *orgs;
	const struct yg_di_entry *entries;
	const struct yg_di_mode *modes;
	const struct yg_di_answer *answers;
	const char *strings;
	uint64_t org_count, entry_count, mode_count, answer_count, string_bytes;
};
struct yg_sv yg_di_string(const struct yg_dns_inputs *in, uint32_t at);
/* Of number + 1; 0: "". */
struct yg_sv yg_di_org_name(const struct yg_dns_inputs *in, uint32_t org);
