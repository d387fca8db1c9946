/* JSON in all its forms: values, entities, requests, policies; what is refused. */
#include "cedar/json.h"

#include "cedar/policy.h"
#include "tap.h"

static const char schema_text[] =
	"type T = {a: Long, b?: String}; entity G; entity R;\n"
	"entity U in [G] { l?: Long, e?: U, ss?: Set<Long>, es?: Set<U>, r?: {x: Long, y?: ipaddr},\n"
	" i?: ipaddr, d?: decimal, dt?: datetime, du?: duration, t?: T, is2?: Set<ipaddr>,\n"
	" os?: Set<{a: U}>, en?: E } tags String;\n"
	"entity E enum [\"x\", \"y\"];\n"
	"action g; action v in [g] appliesTo {principal: [U], resource: [R], context: {e?: U, i?: ipaddr}};\n"
	"action w appliesTo {principal: [U, E], resource: [R], context: T}; action n;\n";
static struct yg_cedar_schema schema;
static const struct yg_hash_key key = {{3, 4}};

static yg_status entities(const char *text, bool typed, struct yg_cedar_entities *e)
{
	struct yg_err err = {0};
	yg_cedar_entities_init(e, &key, 1 << 24);
	yg_status st = yg_cedar_entities_json(e, yg_sv_of(text), typed ? &schema : NULL, &err);
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	return st;
}

/* Of one entity with these attributes. */
static yg_status attributes(const char *attrs, bool typed)
{
	char text[1024];
	struct yg_cedar_entities e;
	(void)snprintf(text, sizeof text,
		       "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":%s,\"parents\":[]}]",
		       attrs);
	yg_status st = entities(text, typed, &e);
	yg_cedar_entities_free(&e);
	return st;
}

static void test_typed(void)
{
	static const struct {
		const char *attrs;
		bool fits;
	} cases[] = {
		{"{\"e\":{\"type\":\"U\",\"id\":\"b\"}}", true},
		{"{\"e\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}}", true},
		{"{\"e\":{\"type\":\"U\",\"id\":\"b\",\"z\":1}}", true},
		{"{\"e\":{\"type\":\"G\",\"id\":\"b\"}}", false},
		{"{\"e\":\"U::\\\"b\\\"\"}", false},
		{"{\"e\":{\"type\":\"U\"}}", false},
		{"{\"e\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}}", false},
		{"{\"i\":\"1.1.1.1\"}", true},
		{"{\"i\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}", true},
		{"{\"i\":{\"fn\":\"ip\",\"args\":[\"1.1.1.1\"]}}", true},
		{"{\"i\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}}", true},
		{"{\"i\":\"x\"}", false},
		{"{\"i\":1}", false},
		{"{\"i\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}", false},
		{"{\"d\":\"1.0\",\"dt\":\"2026-01-31\",\"du\":\"1d\"}", true},
		{"{\"d\":\"1\"}", false},
		{"{\"dt\":{\"fn\":\"offset\",\"args\":[\"2026-01-31\",\"1d\"]}}", true},
		{"{\"is2\":[\"1.1.1.1\",\"1.1.1.1\"]}", true},
		{"{\"es\":[{\"type\":\"U\",\"id\":\"b\"}]}", true},
		{"{\"os\":[{\"a\":{\"type\":\"U\",\"id\":\"b\"}}]}", true},
		{"{\"r\":{\"x\":1,\"y\":\"1.1.1.1\"}}", true},
		{"{\"r\":{}}", false},
		{"{\"r\":{\"x\":1,\"z\":1}}", false},
		{"{\"r\":[1]}", false},
		{"{\"t\":{\"a\":1}}", true},
		{"{\"t\":{\"a\":\"1\"}}", false},
		{"{\"zz\":1}", false},
		{"{\"ss\":[]}", true},
		{"{\"ss\":[1,\"a\"]}", false},
		{"{\"ss\":{\"a\":1}}", false},
		{"{\"en\":{\"type\":\"E\",\"id\":\"x\"}}", true},
		{"{\"en\":{\"type\":\"E\",\"id\":\"z\"}}", false},
	};
	for (size_t i = 0; i < YG_LEN(cases); i++)
		T_NAMED((attributes(cases[i].attrs, true) == YG_OK) == cases[i].fits,
			cases[i].attrs);
}

static void test_plain(void)
{
	static const struct {
		const char *attrs;
		bool fits;
	} cases[] = {
		{"{\"x\":[1,\"a\",true,{\"b\":{}}]}", true},
		{"{\"x\":{\"type\":\"U\",\"id\":\"b\"}}", true},
		{"{\"x\":{\"__entity\":{\"type\":\"U\",\"id\":\"b\",\"q\":1}}}", true},
		{"{\"x\":{\"__entity\":5}}", true},
		{"{\"x\":{\"__entity\":{\"type\":\"U V\",\"id\":\"b\"}}}", false},
		{"{\"x\":{\"__entity\":{\"type\":\"in\",\"id\":\"b\"}}}", false},
		{"{\"x\":{\"__entity\":{\"type\":\"A::__cedar\",\"id\":\"b\"}}}", false},
		{"{\"x\":{\"__extn\":{\"fn\":\"foo\",\"arg\":\"1\"}}}", false},
		{"{\"x\":{\"__extn\":{\"fn\":\"ip\",\"arg\":5}}}", false},
		{"{\"x\":{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":"
		 "\"2026-01-01\"}},{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1d\"}}]}}}",
		 true},
		{"{\"x\":{\"__expr\":\"1\"}}", false},
		{"{\"x\":null}", false},
		{"{\"x\":1.5}", false},
		{"{\"x\":1e3}", false},
		{"{\"x\":-0}", false},
		{"{\"x\":9223372036854775807,\"y\":-9223372036854775808}", true},
		{"{\"x\":9223372036854775808}", false},
		{"{\"x\":1,\"x\":1}", false},
		/* the attributes themselves are fields, whatever their names */
		{"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}", true},
		{"{\"__entity\":{\"type\":\"U\",\"id\":\"b\"}}", true},
		{"{\"__expr\":\"1\"}", true},
		{"{\"x\":{\"a\":1,\"\\u0061\":1}}", false},
		{"[]", false},
		{"null", false},
	};
	for (size_t i = 0; i < YG_LEN(cases); i++)
		T_NAMED((attributes(cases[i].attrs, false) == YG_OK) == cases[i].fits,
			cases[i].attrs);
}

#define ENTITY(id, parents)                                                                        \
	"{\"uid\":{\"type\":\"U\",\"id\":\"" id "\"},\"attrs\":{},\"parents\":[" parents "]}"
#define UID(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"

static yg_status status_of(const char *text, bool typed)
{
	struct yg_cedar_entities e;
	yg_status st = entities(text, typed, &e);
	yg_cedar_entities_free(&e);
	return st;
}

static bool is_in(const struct yg_cedar_entities *e, const struct yg_cedar_uid *x,
		  const struct yg_cedar_uid *above)
{
	uint32_t number;
	return yg_cedar_entity_in(e, x, yg_cedar_entity_find(e, x, &number), above);
}

static void test_ancestors(void)
{
	struct yg_cedar_entities e;
	const struct yg_cedar_uid a = {YG_SV("U"), YG_SV("a")}, c = {YG_SV("U"), YG_SV("c")},
				  far = {YG_SV("G"), YG_SV("far")},
				  none = {YG_SV("G"), YG_SV("no")};
	T_OK(entities("[" ENTITY("a", UID("U", "b") "," UID("U", "c")) "," ENTITY(
			      "b", UID("U", "c")) "," ENTITY("c", UID("G", "far")) "]",
		      false, &e) == YG_OK);
	T_OK(is_in(&e, &a, &a) && is_in(&e, &a, &far) && is_in(&e, &c, &far) &&
	     !is_in(&e, &c, &a) && !is_in(&e, &a, &none) && is_in(&e, &none, &none));
	yg_cedar_entities_free(&e);
	T_OK(status_of("[" ENTITY("a", UID("U", "a")) "]", false) == YG_CONFLICT);
	T_OK(status_of("[" ENTITY("a", UID("U", "b")) "," ENTITY("b", UID("U", "c")) "," ENTITY(
			       "c", UID("U", "a")) "]",
		       false) == YG_CONFLICT);
	T_OK(status_of("[" ENTITY("a", "") "," ENTITY("a", "") "]", false) == YG_OK);
	T_OK(status_of("[" ENTITY("a", "") "," ENTITY("a", UID("U", "b")) "]", false) ==
	     YG_CONFLICT);
	T_OK(status_of("[{\"uid\":" UID("Action", "a") ",\"attrs\":{},\"parents\":[" UID("U",
											 "b") "]}]",
		       false) == YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID("U", "a") ",\"attrs\":{}}]", false) == YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID("U", "a") ",\"attrs\":{},\"attrs\":{},\"parents\":[]}]",
		       false) == YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID("U", "a") ",\"attrs\":{},\"parents\":[],\"more\":1}]",
		       false) == YG_OK);
	T_OK(status_of("{}", false) == YG_PARSE);
	/* with a schema: parents of a type that it allows, its own actions, its ids */
	T_OK(status_of("[" ENTITY("a", UID("G", "b")) "]", true) == YG_OK);
	T_OK(status_of("[" ENTITY("a", UID("R", "b")) "]", true) == YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID("Q", "a") ",\"attrs\":{},\"parents\":[]}]", true) ==
	     YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID("E", "z") ",\"attrs\":{},\"parents\":[]}]", true) ==
	     YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID("Action", "v") ",\"attrs\":{},\"parents\":[" UID("Action",
											 "g") "]}]",
		       true) == YG_OK);
	T_OK(status_of("[{\"uid\":" UID("Action", "v") ",\"attrs\":{},\"parents\":[]}]", true) ==
	     YG_CONFLICT);
	T_OK(status_of("[{\"uid\":" UID("Action", "q") ",\"attrs\":{},\"parents\":[]}]", true) ==
	     YG_PARSE);
	T_OK(status_of(
		     "[{\"uid\":" UID("U", "a") ",\"attrs\":{},\"parents\":[],\"tags\":{\"t\":1}}]",
		     true) == YG_PARSE);
	T_OK(status_of("[{\"uid\":" UID(
			       "G", "a") ",\"attrs\":{},\"parents\":[],\"tags\":{\"t\":\"1\"}}]",
		       true) == YG_PARSE);
	T_OK(status_of("[]", true) == YG_OK);
}

static yg_status whole_request(const char *text, const struct yg_cedar_schema *typed)
{
	struct yg_json j;
	struct yg_cedar_json r;
	struct yg_arena arena;
	struct yg_cedar_request out;
	struct yg_err err = {0};
	yg_arena_init(&arena, 1 << 20);
	yg_json_init(&j, 1000);
	yg_cedar_json_init(&r, &j, &arena);
	yg_status st = yg_json_parse(&j, yg_sv_of(text), &err);
	if (st == YG_OK)
		st = yg_cedar_request_json(&r, 0, typed, &out, &err);
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	yg_cedar_json_free(&r);
	yg_json_free(&j);
	yg_arena_free(&arena);
	return st;
}

static yg_status request(const char *principal, const char *action, const char *context)
{
	char text[512];
	(void)snprintf(
		text, sizeof text,
		"{\"principal\":%s,\"action\":%s,\"resource\":" UID("R", "r") ",\"context\":%s}",
		principal, action, context);
	return whole_request(text, &schema);
}

static void test_requests(void)
{
	const char *a = UID("U", "a"), *v = UID("Action", "v"), *w = UID("Action", "w");
	T_OK(request(a, v, "{\"e\":{\"type\":\"U\",\"id\":\"b\"},\"i\":\"1.1.1.1\"}") == YG_OK);
	T_OK(request(a, v, "{\"z\":1}") == YG_PARSE);
	T_OK(request(a, v, "[]") == YG_PARSE);
	T_OK(request(a, w, "{\"a\":1}") == YG_OK);
	T_OK(request(a, w, "{}") == YG_PARSE);
	T_OK(request(a, UID("Action", "n"), "{}") == YG_PARSE);
	T_OK(request(a, UID("Action", "q"), "{}") == YG_PARSE);
	T_OK(request(UID("R", "a"), v, "{}") == YG_PARSE);
	T_OK(request(UID("Q", "a"), v, "{}") == YG_PARSE);
	T_OK(request(UID("E", "x"), w, "{\"a\":1}") == YG_OK);
	T_OK(request(UID("E", "q"), w, "{\"a\":1}") == YG_PARSE);
	T_OK(request("1", v, "{}") == YG_PARSE);
}

/* A reader goes on with the next document of a connection, which may be larger. */
static void test_again(void)
{
	struct yg_json j;
	struct yg_cedar_json r;
	struct yg_arena arena;
	struct yg_cedar_value v;
	struct yg_buf b;
	yg_arena_init(&arena, 1 << 20);
	yg_json_init(&j, 10000);
	yg_cedar_json_init(&r, &j, &arena);
	T_OK(yg_json_parse(&j, YG_SV("[1]"), NULL) == YG_OK &&
	     yg_cedar_json_value(&r, 0, NULL, &v, NULL) == YG_OK && v.n == 1);
	yg_buf_init(&b, 1 << 16);
	for (int i = 0; i < 3000; i++)
		yg_buf_printf(&b, "%c%d", i == 0 ? '[' : ',', i);
	yg_buf_putc(&b, ']');
	T_OK(yg_json_parse(&j, yg_buf_sv(&b), NULL) == YG_OK &&
	     yg_cedar_json_value(&r, 0, NULL, &v, NULL) == YG_OK && v.n == 3000);
	yg_buf_free(&b);
	yg_cedar_json_free(&r);
	yg_json_free(&j);
	yg_arena_free(&arena);
}

/* ---- policies ---- */

static yg_status policies(const char *text, size_t *out_n)
{
	struct yg_cedar_policies p;
	struct yg_err err = {0};
	yg_cedar_policies_init(&p, &key, 1 << 24);
	yg_status st = yg_cedar_policies_json(&p, yg_sv_of(text), &err);
	*out_n = p.list.n;
	if (st != YG_OK)
		(void)printf("# %s\n", err.msg);
	yg_cedar_policies_free(&p);
	return st;
}

#define SCOPE(principal, action)                                                                   \
	"\"effect\":\"permit\",\"principal\":" principal ",\"action\":" action                     \
	",\"resource\":{\"op\":\"All\"}"
#define ANY        "{\"op\":\"All\"}"
#define PLAIN      "{" SCOPE(ANY, ANY) ",\"conditions\":[]}"
#define SLOTTED    "{" SCOPE("{\"op\":\"==\",\"slot\":\"?principal\"}", ANY) ",\"conditions\":[]}"
#define WHEN(body) "{" SCOPE(ANY, ANY) ",\"conditions\":[{\"kind\":\"when\",\"body\":" body "}]}"
#define LINK(values)                                                                               \
	"{\"templates\":{\"t\":" SLOTTED "},\"templateLinks\":[{\"templateId\":\"t\",\"newId\":"   \
	"\"l\",\"values\":" values "}]}"

static void test_policies(void)
{
	static const struct {
		const char *text;
		size_t n; /* 0: refused */
	} cases[] = {
		{PLAIN, 1},
		{"[" PLAIN "," PLAIN "]", 2},
		{"{\"staticPolicies\":{\"a\":" PLAIN ",\"b\":" PLAIN "}}", 2},
		{"{\"staticPolicies\":{\"a\":" SLOTTED "}}", 0},
		{"{\"templates\":{\"a\":" PLAIN "}}", 0},
		{LINK("{\"?principal\":" UID("U", "a") "}"), 2},
		{LINK("{}"), 0},
		{LINK("{\"?principal\":" UID("U", "a") ",\"?resource\":" UID("U", "a") "}"), 0},
		{"{" SCOPE(ANY, ANY) "}", 0},
		{"{" SCOPE(ANY, ANY) ",\"conditions\":[],\"zz\":1}", 0},
		{"{" SCOPE(ANY,
			   "{\"op\":\"==\",\"entity\":" UID("U", "a") "}") ",\"conditions\":[]}",
		 0},
		{"{" SCOPE(ANY, "{\"op\":\"in\",\"entities\":[" UID(
					"Action", "a") "]}") ",\"conditions\":[]}",
		 1},
		{"{" SCOPE("{\"op\":\"is\",\"entity_type\":\"U\",\"in\":{\"slot\":\"?principal\"}}",
			   ANY) ",\"conditions\":[]}",
		 1},
		{"{" SCOPE("{\"op\":\"==\",\"slot\":\"?resource\"}", ANY) ",\"conditions\":[]}", 0},
		{WHEN("{\"Value\":{\"a\":[1,{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}]}}"), 1},
		{WHEN("{\"Value\":null}"), 0},
		{WHEN("{\"Value\":1,\"Var\":\"principal\"}"), 0},
		{WHEN("{\"Var\":\"x\"}"), 0},
		{WHEN("{\"Slot\":\"?principal\"}"), 0},
		{WHEN("{\"foo\":[]}"), 0},
		{WHEN("{\"isIpv4\":[{\"Value\":1}]}"), 1},
		{WHEN("{\"==\":{\"left\":{\"Value\":1},\"right\":{\"Value\":1},\"z\":1}}"), 0},
		{WHEN("{\"contains\":{\"left\":{\"Value\":1}}}"), 0},
		{WHEN("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":\"a*\"}}"), 0},
		{WHEN("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":[{\"Literal\":\"*\"},\"Wildcard\"]}}"),
		 1},
		{WHEN("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b\"]}}"), 1},
		{WHEN("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[]}}"), 0},
		{WHEN("{\"is\":{\"left\":{\"Var\":\"principal\"},\"entity_type\":\"in\"}}"), 0},
		{WHEN("{\"Record\":{\"a\":{\"Value\":1},\"a\":{\"Value\":1}}}"), 0},
		{"{\"staticPolicies\":[],\"more\":1}", 0},
		{"{" SCOPE("{\"op\":\"all\"}", "{\"op\":\"all\"}") ",\"conditions\":[]}", 1},
		{"{" SCOPE("{\"op\":\"All\",\"entity\":" UID("U", "a") "}",
			   ANY) ",\"conditions\":[]}",
		 0},
		{"{" SCOPE(ANY, ANY) ",\"conditions\":[],\"annotations\":{\"a\":\"b\",\"c\":null}}",
		 1},
		{"{" SCOPE(
			 ANY,
			 ANY) ",\"conditions\":[],\"annotations\":{\"a\":\"b\",\"c\":\"d\",\"\\u0061\":\"b\"}}",
		 0},
		/* what is no whole escape is a record */
		{WHEN("{\"Value\":{\"__extn\":{\"foo\":1}}}"), 1},
		{WHEN("{\"Value\":{\"__extn\":{\"fn\":\"ip\"}}}"), 1},
		{WHEN("{\"Value\":{\"__entity\":5}}"), 1},
		{WHEN("{\"Value\":{\"__entity\":{\"type\":\"U\"}}}"), 1},
		{WHEN("{\"Value\":{\"__entity\":{\"type\":\"U\",\"id\":\"a\"}}}"), 1},
		{WHEN("{\"Value\":{\"__entity\":{\"type\":\"U V\",\"id\":\"a\"}}}"), 0},
		{WHEN("{\"Value\":{\"__extn\":{\"fn\":\"foo\",\"arg\":1}}}"), 0},
		{WHEN("{\"Value\":{\"__expr\":\"1\"}}"), 0},
	};
	for (size_t i = 0; i < YG_LEN(cases); i++) {
		size_t n;
		yg_status st = policies(cases[i].text, &n);
		T_NAMED(cases[i].n > 0 ? st == YG_OK && n == cases[i].n : st == YG_PARSE,
			cases[i].text);
	}
}

/* A key is what it says, however it is written: another reader of the same bytes must not
 * find another member. */
static void test_escaped(void)
{
	size_t n;
	T_OK(whole_request("{\"princip\\u0061l\":" UID("U", "a") ",\"action\":" UID(
				   "Action", "v") ",\"resource\":" UID("R", "r") "}",
			   NULL) == YG_OK);
	T_OK(whole_request(
		     "{\"principal\":" UID("U", "a") ",\"princip\\u0061l\":" UID(
			     "U", "b") ",\"action\":" UID("Action",
							  "v") ",\"resource\":" UID("R", "r") "}",
		     NULL) == YG_PARSE);
	T_OK(status_of("[{\"\\u0075id\":" UID("U", "a") ",\"attrs\":{},\"parents\":[]}]", false) ==
	     YG_OK);
	T_OK(status_of("[{\"uid\":" UID("U", "a") ",\"attrs\":{},\"parents\":[],\"\\u0075id\":" UID(
			       "U", "b") "}]",
		       false) == YG_PARSE);
	T_OK(policies(
		     "{\"\\u0065ffect\":\"p\\u0065rmit\",\"principal\":{\"op\":\"==\",\"slot\":"
		     "\"?princip\\u0061l\"},\"action\":" ANY ",\"resource\":" ANY
		     ",\"conditions\":[{\"kind\":"
		     "\"wh\\u0065n\",\"body\":{\"\\u0026\\u0026\":{\"left\":{\"Valu\\u0065\":true},\"right\":"
		     "{\"isIpv\\u0034\":[{\"V\\u0061r\":\"princip\\u0061l\"}]}}}}]}",
		     &n) == YG_OK);
	/* an extension, not a record with a member of that name */
	T_OK(policies(WHEN("{\"Value\":{\"__ext\\u006e\":{\"fn\":\"nothing\",\"arg\":1}}}"), &n) ==
	     YG_PARSE);
	T_OK(policies(
		     WHEN("{\"Value\":{\"__ext\\u006e\":{\"fn\":\"\\u0069p\",\"arg\":\"1.1.1.1\"}}}"),
		     &n) == YG_OK);
}

/* ---- something else where an entity stands ---- */

static const char *const no_uids[] = {
	"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"922337203685477.5807\"}}",
	"{\"__extn\":{\"fn\":\"decimal\",\"args\":[\"0.0\"]}}",
	"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2026-01-31\"}}",
	"{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1ms\"}}",
	"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"4141:4141:4141:4141:ffff:ffff:ffff:ffff\"}}",
	"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}",
	"{\"__extn\":{\"fn\":\"isIpv4\",\"arg\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}}}",
	"{\"__ext\\u006e\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}",
	"{\"fn\":\"decimal\",\"arg\":\"1.0\"}",
	"{\"__entity\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}}",
	"{\"type\":\"U\",\"id\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}}",
	"{\"type\":\"U\",\"id\":\"a\",\"id\":\"a\"}",
	"{\"__expr\":\"U::\\\"a\\\"\"}",
	"{}",
	"[]",
	"\"a\"",
	"true",
	"7",
};

/* `text` with each of them at its %s is refused. */
static bool refuses(const char *text, yg_status (*read)(const char *text))
{
	static char all[1000];
	bool good = true;
	for (size_t i = 0; i < YG_LEN(no_uids); i++) {
		struct yg_sb b = yg_sb_init(all, sizeof all);
		const char *at = strstr(text, "%s");
		yg_sb_put(&b, (struct yg_sv){text, (size_t)(at - text)});
		yg_sb_put(&b, yg_sv_of(no_uids[i]));
		yg_sb_put(&b, yg_sv_of(at + 2));
		bool refused = read(yg_sb_cstr(&b)) == YG_PARSE;
		if (!refused)
			(void)printf("# not refused: %s\n", all);
		good = good && refused;
	}
	return good;
}

static yg_status as_entities(const char *text)
{
	yg_status plain = status_of(text, false);
	return status_of(text, true) == plain ? plain : YG_INTERNAL;
}
static yg_status as_policies(const char *text)
{
	size_t n;
	return policies(text, &n);
}
static yg_status as_request(const char *text)
{
	yg_status plain = whole_request(text, NULL);
	return whole_request(text, &schema) == plain ? plain : YG_INTERNAL;
}

#define LINKED(slot)                                                                                     \
	"{\"templates\":{\"t\":{\"effect\":\"permit\",\"principal\":{\"op\":\"==\",\"slot\":"            \
	"\"?principal\"},\"action\":" ANY ",\"resource\":{\"op\":\"in\",\"slot\":\"?resource\"},"        \
	"\"conditions\":[]}},\"templateLinks\":[{\"templateId\":\"t\",\"newId\":\"l\",\"values\":{" slot \
	"}}]}"

static void test_no_uids(void)
{
	static const struct {
		const char *text;
		yg_status (*read)(const char *text);
	} places[] = {
		{"{\"principal\":%s,\"action\":" UID("Action", "v") ",\"resource\":" UID("R",
											 "r") "}",
		 as_request},
		{"{\"principal\":" UID("U", "a") ",\"action\":%s,\"resource\":" UID("R", "r") "}",
		 as_request},
		{"{\"principal\":" UID("U", "a") ",\"action\":" UID("Action",
								    "v") ",\"resource\":%s}",
		 as_request},
		{"[{\"uid\":%s,\"attrs\":{},\"parents\":[]}]", as_entities},
		{"[{\"uid\":" UID("U", "a") ",\"attrs\":{},\"parents\":[" UID("G", "g") ",%s]}]",
		 as_entities},
		{"{" SCOPE("{\"op\":\"==\",\"entity\":%s}", ANY) ",\"conditions\":[]}",
		 as_policies},
		{"{" SCOPE("{\"op\":\"in\",\"entity\":%s}", ANY) ",\"conditions\":[]}",
		 as_policies},
		{"{" SCOPE("{\"op\":\"is\",\"entity_type\":\"U\",\"in\":{\"entity\":%s}}",
			   ANY) ",\"conditions\":[]}",
		 as_policies},
		{"{" SCOPE(ANY, "{\"op\":\"==\",\"entity\":%s}") ",\"conditions\":[]}",
		 as_policies},
		{"{" SCOPE(ANY, "{\"op\":\"in\",\"entities\":[" UID(
					"Action", "v") ",%s]}") ",\"conditions\":[]}",
		 as_policies},
		{"{\"effect\":\"permit\",\"principal\":" ANY ",\"action\":" ANY
		 ",\"resource\":{\"op\":\"==\",\"entity\":%s},\"conditions\":[]}",
		 as_policies},
		{LINKED("\"?principal\":%s,\"?resource\":" UID("R", "r")), as_policies},
		{LINKED("\"?principal\":" UID("U", "a") ",\"?resource\":%s"), as_policies},
	};
	for (size_t i = 0; i < YG_LEN(places); i++)
		T_NAMED(refuses(places[i].text, places[i].read), places[i].text);
	/* an attribute that a schema has as an entity */
	for (size_t i = 0; i < YG_LEN(no_uids); i++) {
		char text[300];
		(void)snprintf(text, sizeof text, "{\"e\":%s}", no_uids[i]);
		T_NAMED(attributes(text, true) == YG_PARSE, no_uids[i]);
	}
}

/* A row of && is as deep as it is long in JSON. */
static void test_depth(void)
{
	for (int n = 1000; n <= 3000; n += 1000) {
		struct yg_buf b;
		size_t count;
		yg_buf_init(&b, 1 << 20);
		yg_buf_put(&b, YG_SV("{" SCOPE(
				       ANY, ANY) ",\"conditions\":[{\"kind\":\"when\",\"body\":"));
		for (int i = 0; i < n; i++)
			yg_buf_put(&b, YG_SV("{\"&&\":{\"left\":"));
		yg_buf_put(&b, YG_SV("{\"Value\":true}"));
		for (int i = 0; i < n; i++)
			yg_buf_put(&b, YG_SV(",\"right\":{\"Value\":true}}}"));
		yg_buf_put(&b, YG_SV("}]}"));
		yg_buf_putc(&b, '\0');
		yg_status st = policies(b.p, &count);
		T_OK(n == 1000 ? st == YG_OK && count == 1 : st == YG_LIMIT);
		yg_buf_free(&b);
	}
}

int main(void)
{
	yg_cedar_schema_init(&schema, 1 << 22);
	T_OK(yg_cedar_schema_read(&schema, yg_sv_of(schema_text), NULL) == YG_OK);
	test_typed();
	test_plain();
	test_ancestors();
	test_requests();
	test_again();
	test_policies();
	test_no_uids();
	test_escaped();
	test_depth();
	yg_cedar_schema_free(&schema);
	return tap_done();
}
