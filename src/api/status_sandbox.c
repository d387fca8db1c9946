/* What each process found out behind its sandbox, as /api/v1/status tells it. */
#include "api/overview.h"
#include "org/role_proof.h"

static struct yg_sv text_of(const struct yg_json *j, const char *key, struct yg_arena *arena)
{
	uint32_t at = yg_json_get(j, 0, yg_sv_of(key));
	struct yg_sv s = at != 0 && yg_json_at(j, at)->type == YG_JSON_STRING
				 ? yg_json_str(j, at, arena)
				 : YG_SV("");
	return s.p != NULL ? s : YG_SV("");
}

static int64_t number_of(const struct yg_json *j, const char *key)
{
	uint32_t at = yg_json_get(j, 0, yg_sv_of(key));
	return at != 0 ? yg_json_i64(j, at, 0) : 0;
}

static void put_list(struct yg_jo *j, const char *key, struct yg_sv text, char separator)
{
	struct yg_sv one;
	yg_jo_key(j, key);
	yg_jo_begin(j, '[');
	while (text.n > 0) {
		(void)yg_sv_cut(&text, separator, &one);
		if (one.n > 0)
			yg_jo_text(j, one);
	}
	yg_jo_end(j, ']');
}

/* "open /etc/passwd=EACCES;..." */
static void put_tried(struct yg_jo *j, struct yg_sv text)
{
	struct yg_sv one, what, object;
	yg_jo_key(j, "tried");
	yg_jo_begin(j, '[');
	while (text.n > 0) {
		(void)yg_sv_cut(&text, ';', &one);
		(void)yg_sv_cut(&one, ' ', &what);
		(void)yg_sv_cut(&one, '=', &object);
		yg_jo_begin(j, '{');
		yg_jo_str(j, "what", what);
		yg_jo_str(j, "object", object);
		yg_jo_str(j, "result", one);
		yg_jo_end(j, '}');
	}
	yg_jo_end(j, ']');
}

static void put_one(struct yg_jo *o, const struct yg_role_proof *p, const struct yg_json *j,
		    struct yg_arena *arena)
{
	static const char *const numbers[] = {"pid",     "uid",     "gid",          "groups",
					      "seccomp", "filters", "landlock_abi", "paths_untold"};
	uint32_t nnp = yg_json_get(j, 0, YG_SV("no_new_privs"));
	yg_jo_begin(o, '{');
	yg_jo_str(o, "process", p->process);
	yg_jo_time(o, "at", p->at.us);
	for (size_t i = 0; i < YG_LEN(numbers); i++)
		yg_jo_int(o, numbers[i], number_of(j, numbers[i]));
	yg_jo_bool(o, "no_new_privs", nnp != 0 && yg_json_at(j, nnp)->type == YG_JSON_TRUE);
	yg_jo_str(o, "capabilities", text_of(j, "capabilities", arena));
	yg_jo_str(o, "bounding", text_of(j, "bounding", arena));
	put_list(o, "reads", text_of(j, "reads", arena), ':');
	put_list(o, "writes", text_of(j, "writes", arena), ':');
	put_list(o, "runs", text_of(j, "runs", arena), ':');
	put_list(o, "network", text_of(j, "network", arena), ' ');
	put_tried(o, text_of(j, "tried", arena));
	yg_jo_end(o, '}');
}

yg_status yg_put_sandboxes(struct yg_jo *o, struct yg_state *db, struct yg_arena *arena,
			   struct yg_err *err)
{
	struct yg_role_proof *list = NULL;
	struct yg_json j;
	size_t n = 0;
	yg_status st = yg_role_proof_list(db, arena, &list, &n, err);
	if (st != YG_OK)
		return st;
	yg_json_init(&j, 256);
	yg_jo_key(o, "sandboxes");
	yg_jo_begin(o, '[');
	for (size_t i = 0; i < n; i++)
		if (yg_json_parse(&j, list[i].fields, NULL) == YG_OK &&
		    yg_json_at(&j, 0)->type == YG_JSON_OBJECT)
			put_one(o, &list[i], &j, arena);
	yg_jo_end(o, ']');
	yg_json_free(&j);
	return YG_OK;
}
