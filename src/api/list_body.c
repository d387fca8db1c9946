#include "api/list_body.h"

#include <dirent.h>
#include <unistd.h>

#include "format/json.h"
#include "os/file.h"

static yg_status path_of(const char *dir, struct yg_sv name, char out[static YG_LIST_BODY_PATH],
			 struct yg_err *err)
{
	struct yg_sb p = yg_sb_init(out, YG_LIST_BODY_PATH);
	yg_sb_printf(&p, "%s/" YG_SV_FMT, dir, YG_SV_ARG(name));
	(void)yg_sb_cstr(&p);
	if (name.n == 0 || name.p[0] == '.' || yg_sv_find(name, '/', 0) != name.n || p.cut)
		return YG_FAIL(err, YG_INVAL, "the job has no file");
	return YG_OK;
}

yg_status yg_list_body_keep(const char *dir, struct yg_sv name, struct yg_sv bytes,
			    char out_path[static YG_LIST_BODY_PATH], struct yg_err *err)
{
	yg_status st = path_of(dir, name, out_path, err);
	if (st == YG_OK)
		st = yg_dir_make(dir, 0700, err);
	if (st != YG_OK)
		return st;
	st = yg_file_write(out_path, bytes, 0600, err);
	if (st != YG_OK) /* it may be in place already, and only its folder not synced */
		(void)unlink(out_path);
	return st;
}

yg_status yg_list_body_path(const char *dir, struct yg_sv params, struct yg_arena *arena,
			    char out_path[static YG_LIST_BODY_PATH], struct yg_err *err)
{
	struct yg_json j;
	struct yg_sv name = YG_SV("");
	yg_json_init(&j, 4096);
	if (yg_json_parse(&j, params, NULL) == YG_OK) {
		uint32_t at = yg_json_get(&j, 0, YG_SV("file"));
		if (at != 0 && yg_json_at(&j, at)->type == YG_JSON_STRING)
			name = yg_json_str(&j, at, arena);
	}
	yg_status st = path_of(dir, name, out_path, err);
	yg_json_free(&j);
	return st;
}

void yg_list_body_drop(const char *dir, struct yg_sv params, struct yg_arena *arena)
{
	char path[YG_LIST_BODY_PATH];
	if (yg_list_body_path(dir, params, arena, path, NULL) == YG_OK)
		(void)unlink(path);
}

void yg_list_body_clean(const char *dir)
{
	DIR *d = opendir(dir);
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	(void)closedir(d);
}
