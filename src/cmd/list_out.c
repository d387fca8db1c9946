#include "cmd/list_out.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const formats[] = {
	[YG_LIST_OUT_TABLE] = "table", [YG_LIST_OUT_JSONL] = "jsonl", [YG_LIST_OUT_JSON] = "json",
	[YG_LIST_OUT_CSV] = "csv",     [YG_LIST_OUT_YAML] = "yaml",
};

/* The width that the list itself gives a field; of others as much as a time takes. */
static struct yg_column column_of(const char *path, const struct yg_column *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (yg_sv_eq(yg_sv_of(known[i].path), yg_sv_of(path)))
			return known[i];
	return (struct yg_column){path, path, 27};
}

static yg_status choose(struct yg_list_out *out, const char *fields, const struct yg_column *known,
			size_t count, struct yg_err *err)
{
	struct yg_sb b = yg_sb_init(out->names, sizeof out->names);
	yg_sb_put(&b, yg_sv_of(fields));
	if (yg_sb_done(&b) != YG_OK || fields[0] == '\0')
		return YG_FAIL(err, YG_INVAL, "--fields: expected names with commas between");
	out->chosen = true;
	out->count = 0;
	for (char *p = out->names, *name = p;; p++) {
		bool end = *p == '\0';
		if (!end && *p != ',')
			continue;
		*p = '\0';
		if (p > name && out->count == YG_FIELDS_MAX)
			return YG_FAIL(err, YG_INVAL, "--fields: at most %d", YG_FIELDS_MAX);
		if (p > name)
			out->columns[out->count++] = column_of(name, known, count);
		name = p + 1;
		if (end)
			break;
	}
	if (out->count == 0)
		return YG_FAIL(err, YG_INVAL, "--fields: expected names with commas between");
	out->columns[out->count - 1].width = 0;
	return YG_OK;
}

yg_status yg_list_out_begin(const struct yg_cli *c, const struct yg_column *columns, size_t count,
			    struct yg_list_out *out, struct yg_err *err)
{
	const char *format = yg_cli_get(c, "output"), *fields = yg_cli_get(c, "fields");
	size_t i = yg_cli_json(c) ? YG_LIST_OUT_JSONL : YG_LIST_OUT_TABLE;
	if (format != NULL)
		for (i = 0; i < YG_LEN(formats); i++)
			if (yg_sv_eq(yg_sv_of(format), yg_sv_of(formats[i])))
				break;
	if (i == YG_LEN(formats))
		return YG_FAIL(err, YG_INVAL, "--output: expected table, json, jsonl, csv or yaml");
	if (count == 0 && fields == NULL && format == NULL)
		i = YG_LIST_OUT_JSONL; /* nobody said what a table has */
	if (count == 0 && fields == NULL && (i == YG_LIST_OUT_TABLE || i == YG_LIST_OUT_CSV))
		return YG_FAIL(err, YG_INVAL, "say the columns by --fields");
	*out = (struct yg_list_out){.format = (enum yg_list_format)i, .count = count};
	if (count > 0)
		memcpy(out->columns, columns,
		       YG_MIN(count, (size_t)YG_FIELDS_MAX) * sizeof *columns);
	return fields != NULL ? choose(out, fields, columns, count, err) : YG_OK;
}

/* The item, or an object of the chosen members; the caller's to release. */
static json_t *picked(const struct yg_list_out *out, json_t *item)
{
	if (!out->chosen)
		return json_incref(item);
	json_t *o = json_object();
	for (size_t i = 0; i < out->count; i++) {
		json_t *v = yg_member(item, out->columns[i].path);
		(void)json_object_set_new(o, out->columns[i].path,
					  v != NULL ? json_incref(v) : json_null());
	}
	return o;
}

/* What a spreadsheet would take for a formula begins with ' instead. */
static void put_cell(json_t *v)
{
	char *text = json_is_string(v) || v == NULL || json_is_null(v)
			     ? NULL
			     : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *s = text != NULL ? text : json_is_string(v) ? json_string_value(v) : "";
	bool formula = text == NULL && s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL;
	bool quoted = strpbrk(s, ",\"\r\n") != NULL;
	(void)fputs(quoted ? "\"" : "", stdout);
	(void)fputs(formula ? "'" : "", stdout);
	for (; *s != '\0'; s++) {
		if (*s == '"')
			(void)fputc('"', stdout);
		(void)fputc(*s, stdout);
	}
	(void)fputs(quoted ? "\"" : "", stdout);
	free(text);
}

static void csv_row(const struct yg_list_out *out, json_t *item)
{
	for (size_t i = 0; i < out->count; i++) {
		if (i > 0)
			(void)fputc(',', stdout);
		put_cell(yg_member(item, out->columns[i].path));
	}
	(void)fputs("\r\n", stdout);
}

/* JSON is YAML: each value stands as it does there. */
static void yaml_row(json_t *o)
{
	const char *key, *before = "- ";
	json_t *value;
	json_object_foreach(o, key, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY);
		(void)printf("%s%s: %s\n", before, key, text != NULL ? text : "null");
		free(text);
		before = "  ";
	}
}

static void put_row(struct yg_list_out *out, json_t *item)
{
	json_t *o = NULL;
	switch (out->format) {
	case YG_LIST_OUT_TABLE:
		if (out->rows == 0)
			yg_print_head(out->columns, out->count);
		yg_print_row(item, out->columns, out->count);
		return;
	case YG_LIST_OUT_CSV:
		for (size_t i = 0; out->rows == 0 && i < out->count; i++)
			(void)printf("%s%s", i > 0 ? "," : "", out->columns[i].path);
		(void)fputs(out->rows == 0 ? "\r\n" : "", stdout);
		csv_row(out, item);
		return;
	case YG_LIST_OUT_JSONL:
	case YG_LIST_OUT_JSON:
	case YG_LIST_OUT_YAML: break;
	}
	o = picked(out, item);
	if (out->format == YG_LIST_OUT_JSON)
		(void)fputs(out->rows == 0 ? "[" : ",", stdout);
	if (out->format == YG_LIST_OUT_YAML)
		yaml_row(o);
	else
		yg_print_line(o);
	json_decref(o);
}

void yg_list_out_rows(struct yg_list_out *out, json_t *items)
{
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
	{
		put_row(out, item);
		out->rows++;
	}
}

void yg_list_out_end(struct yg_list_out *out)
{
	if (out->format == YG_LIST_OUT_JSON)
		(void)fputs(out->rows == 0 ? "[]\n" : "]\n", stdout);
	else if (out->format == YG_LIST_OUT_YAML && out->rows == 0)
		(void)fputs("[]\n", stdout);
}
