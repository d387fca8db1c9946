#include "event/event.h"

const char *yg_ocsf_class_name(uint32_t class_uid)
{
	switch (class_uid) {
#define X(name, uid, caption)                                                                      \
	case uid: return caption;
		YG_OCSF_CLASSES(X)
#undef X
	default: return "base_event";
	}
}

const struct yg_event_field_info yg_event_fields[YG_EVENT_FIELD_COUNT] = {
#define X(member, type, path, doc)                                                                 \
	[YG_EF_##member] = {#member, path, doc, YG_ET_##type, offsetof(struct yg_event, member)},
	YG_EVENT_FIELDS(X)
#undef X
};

void yg_event_id_format(struct yg_sb *b, uint32_t spool, uint64_t batch, uint32_t row)
{
	yg_sb_put(b, YG_SV("e-"));
	yg_sb_u64(b, spool);
	yg_sb_putc(b, '-');
	yg_sb_u64(b, batch);
	yg_sb_putc(b, '-');
	yg_sb_u64(b, row);
}

yg_status yg_event_id_parse(struct yg_sv s, uint32_t *spool, uint64_t *batch, uint32_t *row)
{
	struct yg_sv rest = s, part;
	uint64_t v[3];
	char text[YG_EVENT_ID_MAX];
	if (!yg_sv_cut(&rest, '-', &part) || !YG_SV_IS(part, "e"))
		return YG_PARSE;
	for (size_t i = 0; i < YG_LEN(v); i++)
		if (!yg_sv_cut(&rest, '-', &part) || yg_parse_u64(part, &v[i], NULL) != YG_OK)
			return YG_PARSE;
	if (rest.p != NULL || v[0] > UINT32_MAX || v[2] > UINT32_MAX)
		return YG_PARSE;
	/* one event has one id: no leading zeroes */
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_event_id_format(&b, (uint32_t)v[0], v[1], (uint32_t)v[2]);
	if (!yg_sv_eq(yg_sb_sv(&b), s))
		return YG_PARSE;
	*spool = (uint32_t)v[0];
	*batch = v[1];
	*row = (uint32_t)v[2];
	return YG_OK;
}
