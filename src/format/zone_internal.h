/* zone_internal.h - fields of an entry, and its data as wire form; the room's own. */
#pragma once
#include "format/zone_file.h"

struct yg_zone_field {
	struct yg_sv text; /* without the quotes, escapes still in it */
	uint32_t line;     /* lines into the entry, from 0 */
	uint32_t column;   /* from 1 */
	bool quoted;
};
struct yg_zone_data {
	uint8_t *p; /* borrowed: room for 65535 octets */
	size_t n;
	bool unread; /* as in yg_zone_rr */
	size_t at;   /* the field that is wrong, when YG_PARSE */
};
/* Fields of the data, from the first behind the type, as wire form. */
yg_status yg_zone_rdata(uint16_t type, const struct yg_zone_field *fields, size_t count,
			const struct yg_dns_name *origin, struct yg_zone_data *out,
			struct yg_err *err);
