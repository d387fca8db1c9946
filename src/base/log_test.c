#include "base/log.h"

#include "tap.h"

struct caught {
	uint32_t id;
	char json[YG_LOG_RECORD_MAX];
	size_t n;
};

static void catch_record(void *ctx, uint32_t id, struct yg_sv json)
{
	struct caught *c = ctx;
	c->id = id;
	c->n = json.n;
	memcpy(c->json, json.p, json.n);
}

static struct yg_sv text(const struct caught *c)
{
	return (struct yg_sv){c->json, c->n};
}

static void test_values(void)
{
	struct caught c = {0};
	struct yg_env env = {.ctx = &c, .emit = catch_record};
	yg_log(&env, YG_EV_ROLE_NOTE);
	T_OK(c.id == YG_EV_ROLE_NOTE && YG_SV_IS(text(&c), "{}"));
	yg_log(&env, YG_EV_ROLE_NOTE, YG_KS("a", "x\"y\n"), YG_KN("b", 7), YG_KI("c", -7),
	       YG_KB("d", true));
	T_OK(YG_SV_IS(text(&c), "{\"a\":\"x\\\"y\\u000a\",\"b\":7,\"c\":-7,\"d\":true}"));
	yg_log(&env, YG_EV_ROLE_NOTE, YG_KU("a", YG_SV("q\"\\\n\xe3\x81\x82")));
	T_OK(YG_SV_IS(text(&c), "{\"a\":\"q\\\\x22\\\\x5c\\\\x0a\\\\xe3\\\\x81\\\\x82\"}"));
	/* text of our own that is not UTF-8 is not trusted to be ours */
	yg_log(&env, YG_EV_ROLE_NOTE, YG_KS("a", "\xff"));
	T_OK(YG_SV_IS(text(&c), "{\"a\":\"\\\\xff\"}"));
}

static void test_bounds(void)
{
	struct caught c = {0};
	struct yg_env env = {.ctx = &c, .emit = catch_record};
	char big[4000];
	memset(big, 1, sizeof big);
	struct yg_sv v = {big, sizeof big};
	yg_log(&env, YG_EV_ROLE_NOTE, YG_KU("a", v), YG_KU("b", v), YG_KN("c", 1));
	T_OK(c.n <= YG_LOG_RECORD_MAX);
	T_OK(yg_sv_ends(text(&c), YG_SV(",\"c\":1,\"cut\":true}")));
	T_OK(!yg_sv_has(text(&c), YG_SV("\"b\"")));
}

static void test_rows(void)
{
	bool good = true;
	for (size_t i = 0; i < YG_EVENT_ROWS; i++) {
		const struct yg_event_row *r = &yg_event_rows[i];
		struct yg_sv doc = yg_sv_of(r->doc);
		good = good && yg_event_index(r->id) == i && r->per_min > 0;
		good = good && yg_sv_ends(doc, YG_SV(".")) && strchr(r->name, '.') != NULL;
		for (size_t j = 0; j < i; j++)
			good = good && strcmp(r->name, yg_event_rows[j].name) != 0;
	}
	T_NAMED(good, "rows are unique by number and name, and documented");
	T_OK(yg_event_index(0) == YG_EVENT_ROWS);
	yg_level l = YG_LEVEL_DEBUG;
	T_OK(yg_level_parse(YG_SV("warn"), &l) && l == YG_LEVEL_WARN);
	T_OK(!yg_level_parse(YG_SV("loud"), &l));
	T_OK(strcmp(yg_level_name(YG_LEVEL_NOTICE), "notice") == 0);
}

int main(void)
{
	test_values();
	test_bounds();
	test_rows();
	return tap_done();
}
