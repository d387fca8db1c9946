#include "cmd/access_file.h"

#include "os/file.h"

yg_status yg_access_form(const struct yg_cli *cli, const char *option, bool *out_json,
			 struct yg_err *err)
{
	const char *name = yg_cli_get(cli, option);
	struct yg_sv form = yg_sv_of(name != NULL ? name : "text");
	*out_json = YG_SV_IS(form, "json");
	return *out_json || YG_SV_IS(form, "text")
		       ? YG_OK
		       : YG_FAIL(err, YG_INVAL, "--%s is text or json", option);
}

yg_status yg_access_told(yg_status st, const char *path, struct yg_err *err)
{
	if (st == YG_OK)
		return st;
	if (st != YG_NOMEM)
		st = err->code = YG_PARSE;
	yg_err_wrap(err, "%s: ", path);
	return st;
}

yg_status yg_access_policies(const char *path, bool json, struct yg_buf *file,
			     struct yg_cedar_policies *out, struct yg_err *err)
{
	file->n = 0;
	yg_status st = yg_file_read(path, YG_ACCESS_FILE_BYTES, file, err);
	if (st != YG_OK)
		return st;
	st = json ? yg_cedar_policies_json(out, yg_buf_sv(file), err)
		  : yg_cedar_policies_text(out, yg_buf_sv(file), err);
	return yg_access_told(st, path, err);
}

yg_status yg_access_schema(const char *path, struct yg_buf *file, struct yg_cedar_schema *out,
			   struct yg_err *err)
{
	file->n = 0;
	yg_status st = yg_file_read(path, YG_ACCESS_FILE_BYTES, file, err);
	return st == YG_OK
		       ? yg_access_told(yg_cedar_schema_read(out, yg_buf_sv(file), err), path, err)
		       : st;
}
