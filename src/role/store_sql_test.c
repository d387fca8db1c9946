#include "role/store_sql.h"

#include "tap.h"

static struct yg_store_sql r;

static bool insert(const char *text, const char *head, const char *format, const char *data)
{
	yg_store_sql_read(yg_sv_of(text), &r);
	return r.verb == YG_STORE_INSERT && yg_sv_eq(yg_sv_trim(r.head), yg_sv_of(head)) &&
	       yg_sv_eq(r.format, yg_sv_of(format)) && yg_sv_eq(r.data, yg_sv_of(data));
}

static bool other(const char *text, const char *format)
{
	yg_store_sql_read(yg_sv_of(text), &r);
	return r.verb == YG_STORE_OTHER && yg_sv_eq(r.format, yg_sv_of(format));
}

static bool kills(const char *text, const char *id, bool sync)
{
	yg_store_sql_read(yg_sv_of(text), &r);
	return r.verb == YG_STORE_KILL && yg_sv_eq(r.kill_id, yg_sv_of(id)) && r.kill_sync == sync;
}

int main(void)
{
	T_OK(insert("INSERT INTO t FORMAT RowBinary", "INSERT INTO t", "RowBinary", ""));
	T_OK(insert(
		" insert /* FORMAT x */ into `a b`.t (format, b) -- FORMAT y\n format CSV \n1,2\n",
		"insert /* FORMAT x */ into `a b`.t (format, b) -- FORMAT y", "CSV", "1,2\n"));
	T_OK(insert("INSERT INTO format FORMAT TSV\nFORMAT CSV", "INSERT INTO format", "TSV",
		    "FORMAT CSV"));
	T_OK(insert("INSERT INTO TABLE d.t SETTINGS a=1 FORMAT JSONEachRow {}",
		    "INSERT INTO TABLE d.t SETTINGS a=1", "JSONEachRow", "{}"));
	T_OK(insert("INSERT INTO t", "INSERT INTO t", "", ""));
	T_OK(other("INSERT INTO t VALUES (1)", ""));
	T_OK(other("INSERT INTO t SELECT 1 FORMAT TSV", ""));
	T_OK(other("INSERT INTO FUNCTION file('x') SELECT 1", ""));
	T_OK(other("INSERT INTO t FROM INFILE 'x' FORMAT CSV", "") && r.reads_file);
	T_OK(other("SELECT 1 FORMAT JSON", "JSON"));
	T_OK(other("SELECT format FROM (SELECT 1 FORMAT TSV) FORMAT JSON;", "JSON"));
	T_OK(other("SELECT 'a FORMAT JSON', \"FORMAT CSV\" -- FORMAT TSV", ""));
	T_OK(other("SELECT 'it''s \\' FORMAT JSON'", ""));
	T_OK(other("SELECT 1 INTO OUTFILE '/x' FORMAT CSV", "CSV") && r.reads_file);
	T_OK(other("SELECT /* no end", ""));
	T_OK(kills("KILL QUERY WHERE query_id = 'yg-0-1' SYNC", "yg-0-1", true));
	T_OK(kills("kill query where query_id='a' ASYNC FORMAT JSON;", "a", false));
	T_OK(other("KILL QUERY WHERE 1", ""));
	T_OK(other("KILL QUERY WHERE query_id = 'a' OR 1 SYNC", ""));
	yg_store_sql_read(YG_SV(" \n-- nothing"), &r);
	T_OK(r.verb == YG_STORE_EMPTY);
	T_OK(yg_store_format_streams(YG_SV("RowBinary")) &&
	     !yg_store_format_streams(YG_SV("JSON")));
	T_OK(yg_store_http_status(60) == 404 && yg_store_http_status(62) == 400 &&
	     yg_store_http_status(1) == 500);
	return tap_done();
}
