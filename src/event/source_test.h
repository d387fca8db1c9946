/* source_test.h - what the tests of the sources share: events as one line of
 * text, and the real records of the shared data folder. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "event/normalize.h"
#include "tap.h"

/* "class_uid=3002 user=root ...": every column that is set, in order, but `raw`,
 * `names` and those that ingest sets. */
static inline void st_show(const struct yg_event *ev, struct yg_sb *b)
{
	for (int i = YG_EF_time; i < YG_EF_raw; i++) {
		if (i == YG_EF_names)
			continue;
		const struct yg_event_field_info *f = &yg_event_fields[i];
		const char *at = (const char *)ev + f->offset;
		char text[128];
		struct yg_sb v = yg_sb_init(text, sizeof text);
		struct yg_sv s = {"", 0};
		switch (f->type) {
		case YG_ET_I64:
			if (i == YG_EF_time)
				yg_time_format(&v, (yg_wall){*(const int64_t *)(const void *)at});
			else if (*(const int64_t *)(const void *)at != 0)
				yg_sb_i64(&v, *(const int64_t *)(const void *)at);
			break;
		case YG_ET_U64:
			if (*(const uint64_t *)(const void *)at != 0)
				yg_sb_u64(&v, *(const uint64_t *)(const void *)at);
			break;
		case YG_ET_U32:
			if (*(const uint32_t *)(const void *)at != 0 || i == YG_EF_class_uid)
				yg_sb_u64(&v, *(const uint32_t *)(const void *)at);
			break;
		case YG_ET_U16:
			if (*(const uint16_t *)(const void *)at != 0)
				yg_sb_u64(&v, *(const uint16_t *)(const void *)at);
			break;
		case YG_ET_U8:
			if (*(const uint8_t *)at != 0)
				yg_sb_u64(&v, *(const uint8_t *)at);
			break;
		case YG_ET_STR:
		case YG_ET_LSTR: s = *(const struct yg_sv *)(const void *)at; break;
		case YG_ET_IP:
			if (!yg_ip_is_zero(*(const struct yg_ip *)(const void *)at))
				yg_ip_format(&v, *(const struct yg_ip *)(const void *)at);
			break;
		case YG_ET_STRS: {
			const struct yg_strs *l = (const struct yg_strs *)(const void *)at;
			for (uint32_t k = 0; k < l->n; k++) {
				yg_sb_put(&v, k > 0 ? YG_SV(",") : YG_SV(""));
				yg_sb_put(&v, l->v[k]);
			}
			break;
		}
		}
		if (s.n == 0)
			s = yg_sb_sv(&v);
		if (s.n == 0)
			continue;
		yg_sb_put(b, b->n > 0 ? YG_SV(" ") : YG_SV(""));
		yg_sb_put(b, yg_sv_of(f->name));
		yg_sb_putc(b, '=');
		yg_sb_put(b, s);
	}
}

/* One batch; `want` has the events as lines. */
static inline void st_check(enum yg_source source, const struct yg_mapping *mapping,
			    struct yg_sv in, const char *want, const char *name)
{
	static char got[65536];
	struct yg_sb b = yg_sb_init(got, sizeof got);
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	struct yg_err err = {0};
	if (yg_norm_new(source, mapping, &n, &err) != YG_OK) {
		T_NAMED(false, err.msg);
		return;
	}
	/* 2026-06-15 noon UTC: what records without a time get */
	yg_norm_begin(n, in, (yg_wall){1781524800LL * YG_US_PER_S}, false);
	while (yg_norm_next(n, &ev)) {
		static char line[16384];
		struct yg_sb l = yg_sb_init(line, sizeof line);
		st_show(&ev, &l);
		yg_sb_put(&b, yg_sb_sv(&l));
		yg_sb_putc(&b, '\n');
	}
	if (!T_NAMED(yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want)), name))
		(void)printf("# got\n%s\n", yg_sb_cstr(&b));
	yg_norm_free(n);
}

/* True when a word is in `names`. */
static inline bool st_named(const struct yg_event *ev, const char *word)
{
	for (uint32_t i = 0; i < ev->names.n; i++)
		if (yg_sv_eq(ev->names.v[i], yg_sv_of(word)))
			return true;
	return false;
}

/* Where the shared data is; NULL when there is none. */
static inline const char *st_shared(void)
{
	const char *dir = getenv("YAGURA_SHARED");
	return dir != NULL && dir[0] != '\0' ? dir : NULL;
}

/* Every record of what `command` prints (a shell line that unpacks), with the
 * number of events per class.  Returns the records; *out_unparsed of them had no form. */
static inline uint64_t st_run(enum yg_source source, struct yg_sv batch, uint64_t per_class[],
			      size_t classes, const uint32_t class_uids[], uint64_t *out_unparsed)
{
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	if (yg_norm_new(source, NULL, &n, NULL) != YG_OK)
		return 0;
	yg_norm_begin(n, batch, (yg_wall){1781524800LL * YG_US_PER_S}, false);
	while (yg_norm_next(n, &ev)) {
		for (size_t i = 0; i < classes; i++)
			per_class[i] += ev.class_uid == class_uids[i];
		if (ev.parse_error.n > 0)
			(void)printf("# %.*s: %.*s\n", (int)ev.parse_error.n, ev.parse_error.p,
				     (int)YG_MIN(ev.raw.n, (size_t)200), ev.raw.p);
	}
	uint64_t records = yg_norm_records(n);
	*out_unparsed = yg_norm_unparsed(n);
	yg_norm_free(n);
	return records;
}
