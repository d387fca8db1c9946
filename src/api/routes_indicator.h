/* routes_indicator.h - shared by the handlers of indicators, their lists and
 * allow entries; nothing else includes it. */
#pragma once
#include "api/body.h"
#include "api/routes.h"
#include "intel/registry.h"

#define TLP_WORDS  "clear green amber amber+strict red"
#define TYPE_WORDS "ip ip-port domain fqdn url hash email"

struct yg_sv yg_tlp_text(uint8_t tlp); /* static; none is "clear" */
/* What is matched is not what it was: it is compiled again. */
void yg_indicators_changed(struct yg_api *api);
/* A list for all organisations is everybody's to read and the centre's to change. */
yg_status yg_find_list(struct yg_request *q, struct yg_state *db, struct yg_sv id, bool change,
		       struct yg_list *out, struct yg_err *err);
