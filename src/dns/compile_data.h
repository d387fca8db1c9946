/* compile_data.h - rules and their data as they stand in the snapshot; the room's own. */
#pragma once
#include "dns/compile_internal.h"

/* What is made for one file. */
struct yg_db_out {
	struct yg_buf pool, data; /* owned */
	struct yg_hashset_item *items;
	struct yg_prefix_item *prefixes;
	struct yg_index by_prefix; /* entries that are in prefixes, by hash */
	size_t item_count, name_count, prefix_count;
	struct yg_hashset set;
	struct yg_prefix_tree tree;
	struct yg_vec rules; /* yg_dns_rule_rec */
	struct yg_dns_zone_rec *zones;
	struct yg_dns_view_rec *views;
	struct yg_vec view_zones, answers;
	size_t view_count;
	uint16_t *order; /* zones of the builder in order of precedence */
};
/* The rule's number in the snapshot, written when it is new. */
yg_status yg_db_rule_out(struct yg_dns_builder *b, struct yg_db_out *o, uint32_t node,
			 uint32_t *out, struct yg_err *err);
/* An answer of the operator's: data for CNAME and for a sinkhole; 0 for others. */
yg_status yg_db_answer_out(struct yg_db_out *o, enum yg_dns_action action,
			   const struct yg_dns_answer_spec *spec, uint32_t *out,
			   struct yg_err *err);
yg_status yg_db_soa_out(const struct yg_dns_builder *b, struct yg_db_out *o, uint32_t rr,
			uint32_t *out, struct yg_err *err);
/* Zones and what each organisation sees of them, into o->zones and o->views. */
yg_status yg_db_views_out(struct yg_dns_builder *b, struct yg_db_out *o, struct yg_err *err);
