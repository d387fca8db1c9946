#include "detect/finding_json.h"

#include "format/json.h"

void yg_finding_member(struct yg_buf *b, const char *key, struct yg_sv v)
{
	yg_buf_printf(b, "%s\"%s\":", b->p != NULL && b->n > 0 && b->p[b->n - 1] == '{' ? "" : ",",
		      key);
	yg_json_put_str(b, v);
}

uint8_t yg_finding_severity(enum yg_sigma_level level)
{
	switch (level) {
	case YG_SIGMA_INFORMATIONAL: return 1;
	case YG_SIGMA_MEDIUM: return 3;
	case YG_SIGMA_HIGH: return 4;
	case YG_SIGMA_CRITICAL: return 5;
	default: return 2;
	}
}

void yg_finding_technique(struct yg_sv tag, struct yg_sb *b)
{
	struct yg_sv id = yg_sv_sub(tag, 7, tag.n);
	if (!yg_sv_ieq(yg_sv_sub(tag, 0, 7), YG_SV("attack.")) || id.n < 5 ||
	    (id.p[0] != 't' && id.p[0] != 'T') || id.p[1] < '0' || id.p[1] > '9')
		return;
	if (b->n > 0)
		yg_sb_putc(b, ',');
	yg_sb_putc(b, 'T');
	yg_sb_put(b, yg_sv_sub(id, 1, id.n));
}
