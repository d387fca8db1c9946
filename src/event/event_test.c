#include "event/event.h"

#include "event/fields.h"
#include "event/normalize.h"
#include "tap.h"

static bool refused(const char *text)
{
	uint32_t spool, row;
	uint64_t batch;
	return yg_event_id_parse(yg_sv_of(text), &spool, &batch, &row) == YG_PARSE;
}

int main(void)
{
	char text[YG_EVENT_ID_MAX];
	uint32_t spool = 0, row = 0;
	uint64_t batch = 0;
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_event_id_format(&b, UINT32_MAX, UINT64_MAX, UINT32_MAX);
	T_OK(!b.cut && YG_SV_IS(yg_sb_sv(&b), "e-4294967295-18446744073709551615-4294967295"));
	T_OK(yg_event_id_parse(yg_sb_sv(&b), &spool, &batch, &row) == YG_OK);
	T_OK(spool == UINT32_MAX && batch == UINT64_MAX && row == UINT32_MAX);
	T_OK(yg_event_id_parse(YG_SV("e-0-7-12"), &spool, &batch, &row) == YG_OK && spool == 0 &&
	     batch == 7 && row == 12);
	T_OK(refused("") && refused("e-1-2") && refused("e-1-2-3-4") && refused("a-1-2-3") &&
	     refused("e-01-2-3"));
	T_OK(refused("e-1-2-4294967296") && refused("e--2-3") && refused("e-1-2-3 ") &&
	     refused("e-1-2-"));

	T_OK(strcmp(yg_ocsf_class_name(4003), "dns_activity") == 0);
	T_OK(strcmp(yg_ocsf_class_name(12), "base_event") == 0);
	T_OK(strcmp(yg_event_fields[YG_EF_query].name, "query") == 0);
	T_OK(yg_event_fields[YG_EF_query].offset == offsetof(struct yg_event, query));
	for (size_t i = 0; i < YG_EVENT_FIELD_COUNT; i++)
		if (yg_event_fields[i].name == NULL || yg_event_fields[i].doc == NULL)
			T_OK(false);

	T_NAMED(yg_event_fields_named(), "the words of the fields are in their order");
	for (size_t i = 0; i < YG_EVENT_FIELD_COUNT; i++)
		T_OK(yg_event_field_text((enum yg_event_field)i, true)[0] != '\0' &&
		     yg_event_field_text((enum yg_event_field)i, false)[0] != '\0');

	enum yg_source s;
	struct yg_sv m;
	struct yg_err err;
	T_OK(yg_source_parse(YG_SV("zeek"), &s, &m, NULL) == YG_OK && s == YG_SOURCE_ZEEK &&
	     m.n == 0);
	T_OK(yg_source_parse(YG_SV("ndjson:fw"), &s, &m, NULL) == YG_OK && s == YG_SOURCE_NDJSON &&
	     YG_SV_IS(m, "fw"));
	T_OK(yg_source_parse(YG_SV("zeek:x"), &s, &m, NULL) == YG_PARSE);
	T_OK(yg_source_parse(YG_SV("ndjson:"), &s, &m, NULL) == YG_PARSE);
	T_OK(yg_source_parse(YG_SV("z\x1b"), &s, &m, &err) == YG_PARSE &&
	     strstr(err.msg, "'z\\x1b'") != NULL);
	T_OK(strstr(err.msg, "suricata") != NULL);
	T_OK(strcmp(yg_source_name(YG_SOURCE_WINDOWS), "windows") == 0 &&
	     strcmp(yg_source_name((enum yg_source)99), "none") == 0);
	return tap_done();
}
