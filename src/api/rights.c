/* What a person may do.  Everything about it is in this file. */
#include "api/sign_in.h"
#include "org/token.h"

#define X(name) " " name
static const char every_scope[] = "" YG_SCOPES(X);
#undef X

yg_status yg_who_rights(struct yg_request *q, struct yg_state *db, const struct yg_person *p,
			struct yg_err *err)
{
	(void)db;
	(void)err;
	q->who.scopes = p->administrator ? yg_sv_trim(yg_sv_of(every_scope)) : YG_SV("");
	return YG_OK;
}

void yg_put_rights(struct yg_jo *j, const struct yg_request *q)
{
	struct yg_sv rest = q->who.scopes, one;
	bool any = rest.n > 0;
	yg_jo_key(j, "permissions");
	yg_jo_begin(j, '{');
	while (yg_sv_cut(&rest, ' ', &one)) {
		if (one.n == 0)
			continue;
		yg_jo_key_sv(j, one);
		yg_jo_begin(j, '{');
		yg_jo_bool(j, "all", true);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, '}');
	yg_jo_key(j, "roles");
	yg_jo_begin(j, '[');
	if (any) {
		yg_jo_begin(j, '{');
		yg_jo_str(j, "role", YG_SV("administrator"));
		yg_jo_str(j, "node", YG_SV(""));
		yg_jo_str(j, "system", YG_SV(""));
		yg_jo_time(j, "period_from", 0);
		yg_jo_time(j, "period_to", 0);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

void yg_first_rights(struct yg_person *p)
{
	p->administrator = true;
}
