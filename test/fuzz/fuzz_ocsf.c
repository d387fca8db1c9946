#include "fuzz/normalize.h"

/* The writer alone: columns with anything in them, in every class. */
struct bytes {
	const uint8_t *p;
	size_t n;
};
static uint64_t take(struct bytes *b, size_t n)
{
	uint64_t v = 0;
	for (; n > 0 && b->n > 0; n--, b->p++, b->n--)
		v = v << 8 | *b->p;
	return v;
}
static struct yg_sv take_text(struct bytes *b)
{
	size_t n = (size_t)take(b, 1) % 40;
	n = YG_MIN(n, b->n);
	struct yg_sv s = {(const char *)b->p, n};
	b->p += n;
	b->n -= n;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t classes[] = {
#define X(name, uid, caption) uid,
		YG_OCSF_CLASSES(X)
#undef X
	};
	struct bytes in = {data, size};
	struct yg_sv lists[YG_EVENT_FIELD_COUNT][3];
	struct yg_event ev;
	memset(&ev, 0, sizeof ev);
	for (size_t f = YG_EF_time; f < YG_EVENT_FIELD_COUNT; f++) {
		void *at = (char *)&ev + yg_event_fields[f].offset;
		uint64_t how = take(&in, 1);
		if (how < 100)
			continue;
		switch (yg_event_fields[f].type) {
		case YG_ET_I64: *(int64_t *)at = (int64_t)(take(&in, 8) >> 1); break;
		case YG_ET_U64: *(uint64_t *)at = take(&in, 8); break;
		case YG_ET_U32: *(uint32_t *)at = (uint32_t)take(&in, 4); break;
		case YG_ET_U16: *(uint16_t *)at = (uint16_t)take(&in, 2); break;
		case YG_ET_U8: *(uint8_t *)at = (uint8_t)take(&in, 1); break;
		case YG_ET_IP:
			for (size_t i = 0; i < 16; i++)
				((struct yg_ip *)at)->b[i] = (uint8_t)take(&in, 1);
			break;
		case YG_ET_STR:
		case YG_ET_LSTR: *(struct yg_sv *)at = take_text(&in); break;
		case YG_ET_STRS:
			for (size_t i = 0; i < how % 4; i++)
				lists[f][i % 3] = take_text(&in);
			*(struct yg_strs *)at =
				(struct yg_strs){lists[f], (uint32_t)YG_MIN(how % 4, (uint64_t)3)};
			break;
		}
	}
	ev.class_uid = classes[ev.class_uid % YG_LEN(classes)];
	struct yg_buf b;
	uint64_t digest = 0;
	yg_buf_init(&b, 1 << 20);
	fuzz_check(&ev, &b, &digest);
	yg_buf_free(&b);
	return 0;
}
