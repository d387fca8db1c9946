/* dump_test.h - an event as one line of text for tests: "time=12 query=a.example
 * answers=[x,y]", only what is set, in the order of YG_EVENT_FIELDS, without raw. */
#pragma once
#include "event/event.h"

static inline void dump_value(struct yg_sb *b, const struct yg_event *ev, size_t field)
{
	const struct yg_event_field_info *info = &yg_event_fields[field];
	const void *at = (const char *)ev + info->offset;
	const struct yg_strs *list = at;
	switch (info->type) {
	case YG_ET_I64: yg_sb_i64(b, *(const int64_t *)at); break;
	case YG_ET_U64: yg_sb_u64(b, *(const uint64_t *)at); break;
	case YG_ET_U32: yg_sb_u64(b, *(const uint32_t *)at); break;
	case YG_ET_U16: yg_sb_u64(b, *(const uint16_t *)at); break;
	case YG_ET_U8: yg_sb_u64(b, *(const uint8_t *)at); break;
	case YG_ET_STR:
	case YG_ET_LSTR: yg_sb_put(b, *(const struct yg_sv *)at); break;
	case YG_ET_IP: yg_ip_format(b, *(const struct yg_ip *)at); break;
	case YG_ET_STRS:
		yg_sb_putc(b, '[');
		for (uint32_t i = 0; i < list->n; i++) {
			if (i > 0)
				yg_sb_putc(b, ',');
			yg_sb_put(b, list->v[i]);
		}
		yg_sb_putc(b, ']');
		break;
	}
}

static inline struct yg_sv dump_event(struct yg_sb *b, const struct yg_event *ev)
{
	static const struct yg_event none;
	b->n = 0;
	for (size_t i = YG_EF_time; i < YG_EF_raw; i++) {
		const struct yg_event_field_info *info = &yg_event_fields[i];
		const char *at = (const char *)ev + info->offset;
		bool text = info->type == YG_ET_STR || info->type == YG_ET_LSTR;
		size_t size = info->type == YG_ET_I64 || info->type == YG_ET_U64 ? 8
			      : info->type == YG_ET_U32                          ? 4
			      : info->type == YG_ET_U16                          ? 2
			      : info->type == YG_ET_U8                           ? 1
										 : 16;
		if (text ? ((const struct yg_sv *)(const void *)at)->n == 0
		    : info->type == YG_ET_STRS
			    ? ((const struct yg_strs *)(const void *)at)->n == 0
			    : memcmp(at, (const char *)&none + info->offset, size) == 0)
			continue;
		if (b->n > 0)
			yg_sb_putc(b, ' ');
		yg_sb_put(b, yg_sv_of(info->name));
		yg_sb_putc(b, '=');
		dump_value(b, ev, i);
	}
	return yg_sb_sv(b);
}
