/* Policies end to end: every trigger with every action and override; lists; what one
 * organisation sees of another's; data; what is refused; files that are damaged; and no
 * memory at any point. */
#include "dns/policy.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/breath.h"
#include "dns/indicators.h"
#include "dns/policy_file.h"
#include "dns/source.h"
#include "format/dns.h"
#include "intel/compile.h"
#include "intel/match.h"
#include "oom.h"
#include "snapshot/snapshot.h"
#include "tap.h"

static struct yg_env_sim sim = {.seed = 3};

struct source { /* one zone of a policy */
	struct yg_dns_zone_spec spec;
	const char *text;
	bool list, allow;
};
static char refused[4096];
static void on_refused(void *ctx, uint32_t zone, uint64_t line, const char *reason,
		       struct yg_sv text)
{
	size_t n = strlen(refused);
	(void)ctx;
	(void)snprintf(refused + n, sizeof refused - n, "%u:%llu %s (%.*s)\n", zone,
		       (unsigned long long)line, reason, (int)text.n, text.p);
}

static struct yg_dns_zone_stats stats[8];
static yg_status add_zones(struct yg_dns_builder *b, const struct source *s, size_t n,
			   struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < n; i++) {
		struct yg_dns_source *from = NULL;
		struct yg_dns_source_opts opts = {
			.builder = b, .is_list = s[i].list, .allow = s[i].allow};
		st = yg_dns_builder_zone(b, &s[i].spec, &opts.zone, err);
		if (st == YG_OK)
			st = yg_dns_source_new(&opts, &from, err);
		if (st == YG_OK)
			st = yg_dns_source_feed(from, yg_sv_of(s[i].text), err);
		if (st == YG_OK)
			st = yg_dns_source_end(from, err);
		yg_dns_source_free(from);
		if (st == YG_OK && i < YG_LEN(stats))
			stats[i] = yg_dns_builder_stats(b, opts.zone);
	}
	return st;
}

static yg_status compile_into(int fd, const struct source *s, size_t n, struct yg_err *err)
{
	struct yg_env env = yg_env_sim(&sim);
	struct yg_dns_build_opts opts = {.env = &env, .refused = on_refused};
	struct yg_dns_builder *b = NULL;
	refused[0] = '\0';
	yg_status st = yg_dns_builder_new(&opts, &b, err);
	if (st == YG_OK)
		st = add_zones(b, s, n, err);
	if (st == YG_OK)
		st = yg_dns_builder_mode(b, YG_SV("two"), YG_DNS_LAYER_CENTRE_ZONE,
					 YG_DNS_MODE_AUDIT_ONLY, err);
	struct yg_dns_answer_spec garden = {.ttl = 30};
	(void)yg_dns_name_parse(YG_SV("*.garden.example."), NULL, &garden.target, NULL);
	if (st == YG_OK)
		st = yg_dns_builder_answer(b, YG_SV("one"), YG_SV("phishing"), YG_DNS_ACTION_CNAME,
					   &garden, err);
	if (st == YG_OK)
		st = yg_dns_builder_finish(b, fd, 5, NULL, err);
	yg_dns_builder_free(b);
	return st;
}

static struct yg_dns_policy *compile(const struct source *s, size_t n)
{
	struct yg_dns_policy *p = NULL;
	struct yg_err err = {.msg = ""};
	int fd = memfd_create("policy", MFD_CLOEXEC);
	if (compile_into(fd, s, n, &err) != YG_OK ||
	    yg_dns_policy_open_fd(fd, 5, &p, &err) != YG_OK)
		(void)printf("# %s\n", err.msg);
	(void)close(fd);
	return p;
}

static struct yg_dns_eval e;
static struct yg_dns_verdict v;
static struct yg_ip ip_of(const char *s)
{
	struct yg_ip ip = {{0}};
	if (s != NULL)
		(void)yg_ip_parse(yg_sv_of(s), &ip);
	return ip;
}
static struct yg_dns_name name_of(const char *s)
{
	struct yg_dns_name name;
	(void)yg_dns_name_parse(yg_sv_of(s), NULL, &name, NULL);
	return name;
}
static enum yg_dns_action ask(const struct yg_dns_policy *p, const char *org, const char *client,
			      const char *qname)
{
	struct yg_dns_name name = name_of(qname);
	yg_dns_eval_begin(&e, p, yg_dns_policy_view(p, yg_sv_of(org)), ip_of(client));
	yg_dns_eval_name(&e, &name, NULL);
	yg_dns_eval_verdict(&e, &v);
	return v.action;
}
static bool record_is(const char *want)
{
	char text[300];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_dns_eval_record(&e, SIZE_MAX, &b);
	return yg_sv_eq(yg_sb_sv(&b), yg_sv_of(want));
}

/* ---- every trigger, action and override ---- */

static const struct {
	const char *data;
	enum yg_dns_action action;
} actions[] = {{"CNAME .", YG_DNS_ACTION_NXDOMAIN},
	       {"CNAME *.", YG_DNS_ACTION_NODATA},
	       {"CNAME rpz-passthru.", YG_DNS_ACTION_PASSTHRU},
	       {"CNAME rpz-drop.", YG_DNS_ACTION_DROP},
	       {"CNAME rpz-tcp-only.", YG_DNS_ACTION_TCP_ONLY},
	       {"CNAME other.example.", YG_DNS_ACTION_CNAME},
	       {"CNAME *.other.example.", YG_DNS_ACTION_CNAME},
	       {"A 192.0.2.8", YG_DNS_ACTION_DATA}};
static const struct {
	const char *owner;
	enum yg_dns_trigger trigger;
} triggers[] = {{"32.1.2.0.192.rpz-client-ip", YG_DNS_TRIGGER_CLIENT_IP},
		{"q.example", YG_DNS_TRIGGER_QNAME},
		{"24.0.100.51.198.rpz-ip", YG_DNS_TRIGGER_RESPONSE_IP},
		{"*.ns.example.rpz-nsdname", YG_DNS_TRIGGER_NSDNAME},
		{"128.1.zz.db8.2001.rpz-nsip", YG_DNS_TRIGGER_NSIP}};

static enum yg_dns_action expected(enum yg_dns_override o, enum yg_dns_action given)
{
	static const enum yg_dns_action of[YG_DNS_OVERRIDE_COUNT] = {
		[YG_DNS_OVERRIDE_NXDOMAIN] = YG_DNS_ACTION_NXDOMAIN,
		[YG_DNS_OVERRIDE_NODATA] = YG_DNS_ACTION_NODATA,
		[YG_DNS_OVERRIDE_PASSTHRU] = YG_DNS_ACTION_PASSTHRU,
		[YG_DNS_OVERRIDE_DROP] = YG_DNS_ACTION_DROP,
		[YG_DNS_OVERRIDE_TCP_ONLY] = YG_DNS_ACTION_TCP_ONLY,
		[YG_DNS_OVERRIDE_CNAME] = YG_DNS_ACTION_CNAME,
		[YG_DNS_OVERRIDE_SINKHOLE] = YG_DNS_ACTION_DATA};
	return o == YG_DNS_OVERRIDE_GIVEN ? given : of[o];
}

static bool try_one(size_t t, size_t a, enum yg_dns_override o)
{
	char text[300];
	struct source s = {
		.spec = {.name = YG_SV("z"), .override = o, .layer = YG_DNS_LAYER_CENTRE_ZONE}};
	(void)snprintf(text, sizeof text, "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n%s %s\n",
		       triggers[t].owner, actions[a].data);
	s.text = text;
	s.spec.answer.target = name_of("walled.example.");
	s.spec.answer.sinkhole[0] = ip_of("192.0.2.9");
	s.spec.answer.sinkhole_count = 1;
	struct yg_dns_policy *p = compile(&s, 1);
	struct yg_dns_name server = name_of("a.ns.example.");
	if (p == NULL)
		return false;
	(void)ask(p, "", "192.0.2.1", "q.example.");
	yg_dns_eval_address(&e, ip_of("198.51.100.77"));
	yg_dns_eval_server(&e, &server);
	yg_dns_eval_server_address(&e, ip_of("2001:db8::1"));
	yg_dns_eval_verdict(&e, &v);
	bool off = o == YG_DNS_OVERRIDE_DISABLED;
	if (off)
		yg_dns_eval_note(&e, 0, &v);
	bool ok = v.trigger == triggers[t].trigger && v.given == actions[a].action &&
		  (off ? e.note_count == 1 : v.action == expected(o, actions[a].action)) &&
		  (off || record_is(triggers[t].owner)) && yg_dns_eval_stage_end(&e) == !off;
	yg_dns_policy_close(p);
	if (!ok)
		(void)printf("# %s %s %s\n", triggers[t].owner, actions[a].data,
			     yg_dns_override_name(o));
	return ok;
}

static void test_matrix(void)
{
	for (size_t t = 0; t < YG_LEN(triggers); t++) {
		bool ok = true;
		for (size_t a = 0; a < YG_LEN(actions); a++)
			for (unsigned o = 0; o < YG_DNS_OVERRIDE_COUNT; o++)
				ok = try_one(t, a, (enum yg_dns_override)o) && ok;
		T_NAMED(ok, yg_dns_trigger_name(triggers[t].trigger));
	}
}

/* ---- data and targets ---- */

static void test_data(void)
{
	static const struct source s = {
		.spec = {.name = YG_SV_INIT("z"), .layer = YG_DNS_LAYER_CENTRE_ZONE},
		.text = "$ORIGIN z.\n@ 60 SOA a. b. 7 2 3 4 30\nd 60 A 192.0.2.1\nd 20 A 192.0.2.2\n"
			"d 60 TXT x\nd 60 A 192.0.2.1\nw 9 CNAME *.g.example.\n*.d A 192.0.2.1\n"};
	struct yg_dns_policy *p = compile(&s, 1);
	struct yg_dns_rrset set;
	T_OK(p != NULL && ask(p, "", NULL, "d.") == YG_DNS_ACTION_DATA);
	T_OK(yg_dns_rrset_find(v.data, YG_DNS_A, &set) && set.count == 2 && set.rrs.n == 28);
	T_OK(memcmp(set.rrs.p, "\0\1\0\1\0\0\0\x14\0\4\xc0\0\2\1\0\1\0\1\0\0\0\x14\0\4\xc0\0\2\2",
		    28) == 0); /* the least TTL for both */
	T_OK(yg_dns_rrset_find(v.data, YG_DNS_TXT, &set) && set.count == 1);
	T_OK(!yg_dns_rrset_find(v.data, YG_DNS_MX, &set));
	T_OK(v.zone.serial == 7 && v.zone.negative_ttl == 30 && v.zone.soa.n == 10 + 26);
	T_OK(ask(p, "", NULL, "w.") == YG_DNS_ACTION_CNAME && v.target_wild && v.ttl == 9 &&
	     v.target.n == 11 && memcmp(v.target.p, "\1g\7example", 10) == 0);
	T_OK(ask(p, "", NULL, "x.y.d.") == YG_DNS_ACTION_DATA && record_is("*.d"));
	T_OK(stats[0].duplicates == 1 && stats[0].taken == 5 && stats[0].has_soa);
	yg_dns_policy_close(p);
}

static void test_refused(void)
{
	static const struct source s = {
		.spec = {.name = YG_SV_INIT("z"), .layer = YG_DNS_LAYER_CENTRE_ZONE},
		.text = "$TTL 1\n$ORIGIN z.\n@ SOA a. b. 7 2 3 4 30\n@ NS x.\na CNAME .\na A 1.2.3.4\n"
			"a CNAME *.\nb A 1.2.3.4\nb CNAME .\nc SOA a. b. 1 2 3 4 5\nd NS x.\n"
			"8.2.0.0.10.rpz-ip CNAME .\n33.1.0.0.10.rpz-ip CNAME .\n"
			"32.01.0.0.10.rpz-ip CNAME .\n128.0.0.0.0.0.0.0.1.rpz-ip CNAME .\n"
			"128.1.zz.zz.1.rpz-ip CNAME .\nx.rpz-foo CNAME .\ne CNAME rpz-foo.\n"
			"f CNAME x.rpz-drop.\ng.other. CNAME .\nrpz-nsdname CNAME .\nh CH A 1.2.3.4\n"
			"i TLSA 3 1 1 aa\n128.304.102.ffff.zz.rpz-ip CNAME .\n"
			"120.zz.1.rpz-ip CNAME .\n1.zz.rpz-ip CNAME .\n"};
	struct yg_dns_policy *p = compile(&s, 1);
	T_OK(p != NULL && stats[0].out_of_zone == 1 && stats[0].other == 2);
	T_OK(stats[0].taken == 4); /* a, b, 120.zz.1, 1.zz */
	T_OK(stats[0].refused == 17);
	T_OK(strstr(refused,
		    "0:12 the address has bits behind its prefix length (8.2.0.0.10.rpz-ip.z)") !=
	     NULL);
	T_OK(strstr(refused, "0:15 the address is not in its one form, 128.zz.1 (") != NULL);
	T_OK(strstr(refused, "0:17 a trigger that is not known (x.rpz-foo.z)") != NULL);
	T_OK(strstr(refused, "0:6 the owner has a CNAME already (a.z)") != NULL);
	T_OK(strstr(refused, "0:9 the owner has a CNAME or other data already (b.z)") != NULL);
	T_OK(strstr(refused, "0:10 SOA cannot be local data (c.z)") != NULL);
	T_OK(strstr(refused, "0:23 data of this type") != NULL);
	if (stats[0].refused != 17 || stats[0].taken != 4)
		(void)printf("# %llu refused, %llu taken:\n%s",
			     (unsigned long long)stats[0].refused,
			     (unsigned long long)stats[0].taken, refused);
	yg_dns_policy_close(p);
}

/* ---- lists ---- */

static void test_lists(void)
{
	static const struct source s[] = {
		{.spec = {.name = YG_SV_INIT("l"),
			  .layer = YG_DNS_LAYER_CENTRE_ZONE,
			  .override = YG_DNS_OVERRIDE_NODATA,
			  .is_list = true},
		 .text = "\xef\xbb\xbf# names\nbad.example\n*.below.example\n.dot.example # why\n"
			 "0.0.0.0 host.example localhost second.example\n||ads.example^$important\n"
			 "@@||good.ads.example^\n! comment\n[Adblock Plus]\n192.0.2.0/24\n"
			 "||x.example^$script\n/regex/\ncom\nBAD.Example\ntwo words\n"
			 "\xe6\x97\xa5\xe6\x9c\xac.example\nlast.example",
		 .list = true},
		{.spec = {.name = YG_SV_INIT("c"),
			  .layer = YG_DNS_LAYER_INDICATORS,
			  .is_list = true},
		 .text = "indicator,type\ncsv.example,domain\nonly.example,fqdn\nhttp://x.example/,url\n",
		 .list = true}};
	struct yg_dns_policy *p = compile(s, 2);
	const struct {
		const char *name;
		enum yg_dns_action action;
	} want[] = {{"bad.example.", YG_DNS_ACTION_NODATA},
		    {"a.b.bad.example.", YG_DNS_ACTION_NODATA},
		    {"below.example.", YG_DNS_ACTION_NONE},
		    {"x.below.example.", YG_DNS_ACTION_NODATA},
		    {"dot.example.", YG_DNS_ACTION_NODATA},
		    {"x.dot.example.", YG_DNS_ACTION_NODATA},
		    {"host.example.", YG_DNS_ACTION_NODATA},
		    {"x.host.example.", YG_DNS_ACTION_NONE},
		    {"second.example.", YG_DNS_ACTION_NODATA},
		    {"localhost.", YG_DNS_ACTION_NONE},
		    {"x.ads.example.", YG_DNS_ACTION_NODATA},
		    {"good.ads.example.", YG_DNS_ACTION_PASSTHRU},
		    {"x.good.ads.example.", YG_DNS_ACTION_PASSTHRU},
		    {"x.com.", YG_DNS_ACTION_NONE},
		    {"xn--wgv71a.example.", YG_DNS_ACTION_NODATA},
		    {"last.example.", YG_DNS_ACTION_NODATA},
		    {"x.csv.example.", YG_DNS_ACTION_NXDOMAIN},
		    {"only.example.", YG_DNS_ACTION_NXDOMAIN},
		    {"x.only.example.", YG_DNS_ACTION_NONE}};
	bool ok = p != NULL;
	for (size_t i = 0; ok && i < YG_LEN(want); i++)
		if (ask(p, "", NULL, want[i].name) != want[i].action) {
			(void)printf("# %s: %s\n", want[i].name, yg_dns_action_name(v.action));
			ok = false;
		}
	T_NAMED(ok, "entries of lists");
	(void)ask(p, "", NULL, "x.");
	T_OK((yg_dns_eval_needs(&e) & YG_DNS_NEEDS_ADDRESSES) != 0);
	yg_dns_eval_address(&e, ip_of("192.0.2.55"));
	yg_dns_eval_verdict(&e, &v);
	T_OK(v.action == YG_DNS_ACTION_NODATA && v.trigger == YG_DNS_TRIGGER_RESPONSE_IP);
	T_OK(stats[0].duplicates == 1 && stats[0].refused == 4 && stats[1].refused == 1);
	if (stats[0].refused != 4)
		(void)printf("# %s", refused);
	yg_dns_policy_close(p);
}

/* ---- organisations ---- */

static void test_organisations(void)
{
	static const struct source s[] = {{.spec = {.name = YG_SV_INIT("feed"),
						    .category = YG_SV_INIT("phishing"),
						    .layer = YG_DNS_LAYER_CENTRE_ZONE},
					   .text = "bad.example\nshared.example\n",
					   .list = true},
					  {.spec = {.name = YG_SV_INIT("one-allow"),
						    .org = YG_SV_INIT("one"),
						    .layer = YG_DNS_LAYER_ORG_ALLOW},
					   .text = "bad.example\n",
					   .list = true,
					   .allow = true},
					  {.spec = {.name = YG_SV_INIT("three-block"),
						    .org = YG_SV_INIT("three"),
						    .layer = YG_DNS_LAYER_ORG_BLOCK},
					   .text = "mine.example\nshared.example\n",
					   .list = true},
					  {.spec = {.name = YG_SV_INIT("four"),
						    .org = YG_SV_INIT("four"),
						    .mode = YG_DNS_MODE_OFF,
						    .layer = YG_DNS_LAYER_ORG_BLOCK},
					   .text = "mine.example\n",
					   .list = true}};
	struct yg_dns_policy *p = compile(s, YG_LEN(s));
	struct yg_dns_name mine = name_of("mine.example."), none = name_of("none.example.");
	T_OK(p != NULL && ask(p, "", NULL, "bad.example.") == YG_DNS_ACTION_NXDOMAIN);
	T_OK(ask(p, "nobody", NULL, "bad.example.") == YG_DNS_ACTION_NXDOMAIN);
	T_OK(ask(p, "one", NULL, "x.bad.example.") == YG_DNS_ACTION_PASSTHRU &&
	     v.zone.layer == YG_DNS_LAYER_ORG_ALLOW);
	T_OK(ask(p, "one", NULL, "shared.example.") == YG_DNS_ACTION_CNAME && v.target_wild);
	T_OK(ask(p, "two", NULL, "bad.example.") == YG_DNS_ACTION_NONE && e.note_count == 1);
	T_OK(ask(p, "three", NULL, "shared.example.") == YG_DNS_ACTION_NXDOMAIN &&
	     v.zone.layer == YG_DNS_LAYER_ORG_BLOCK);
	T_OK(ask(p, "three", NULL, "mine.example.") == YG_DNS_ACTION_NXDOMAIN);
	T_OK(ask(p, "one", NULL, "mine.example.") == YG_DNS_ACTION_NONE);
	T_OK(ask(p, "four", NULL, "mine.example.") == YG_DNS_ACTION_NONE && e.note_count == 0);
	T_OK(yg_dns_policy_any_name(p, &mine) && !yg_dns_policy_any_name(p, &none));
	yg_dns_policy_close(p);
}

/* centre > one > two: what is said above holds below, the nearest word decides. */
static void test_tree(void)
{
	static struct yg_env_sim tree_sim = {.seed = 3};
	struct yg_env env = yg_env_sim(&tree_sim);
	const struct yg_dns_build_opts opts = {.env = &env};
	const struct yg_dns_zone_spec z[] = {{.name = YG_SV_INIT("block"),
					      .org = YG_SV_INIT("one"),
					      .category = YG_SV_INIT("scam"),
					      .layer = YG_DNS_LAYER_ORG_BLOCK},
					     {.name = YG_SV_INIT("allow"),
					      .org = YG_SV_INIT("two"),
					      .layer = YG_DNS_LAYER_ORG_ALLOW}};
	struct yg_dns_builder *b = NULL;
	struct yg_dns_policy *p = NULL;
	struct yg_dns_answer_spec garden = {.ttl = 5};
	struct yg_dns_name bad = name_of("bad.example."), good = name_of("good.bad.example.");
	struct yg_ip ip = ip_of("192.0.2.0");
	uint32_t at[2];
	int fd = memfd_create("policy", MFD_CLOEXEC);
	T_OK(yg_dns_builder_new(&opts, &b, NULL) == YG_OK);
	T_OK(yg_dns_builder_org(b, YG_SV("two"), YG_SV("one"), NULL) == YG_OK);
	T_OK(yg_dns_builder_org(b, YG_SV("one"), YG_SV("two"), NULL) == YG_INVAL);
	T_OK(yg_dns_builder_org(b, YG_SV("other"), YG_SV(""), NULL) == YG_OK);
	T_OK(yg_dns_builder_zone(b, &z[0], &at[0], NULL) == YG_OK &&
	     yg_dns_builder_zone(b, &z[1], &at[1], NULL) == YG_OK);
	T_OK(yg_dns_builder_name(b, at[0], &bad, true, true, YG_DNS_ACTION_NXDOMAIN, NULL) ==
		     YG_OK &&
	     yg_dns_builder_prefix(b, at[0], YG_DNS_TRIGGER_RESPONSE_IP, ip, 120,
				   YG_DNS_ACTION_NXDOMAIN, NULL) == YG_OK &&
	     yg_dns_builder_name(b, at[1], &good, true, true, YG_DNS_ACTION_PASSTHRU, NULL) ==
		     YG_OK &&
	     yg_dns_builder_prefix(b, at[1], YG_DNS_TRIGGER_RESPONSE_IP, ip, 120,
				   YG_DNS_ACTION_PASSTHRU, NULL) == YG_OK);
	(void)yg_dns_name_parse(YG_SV("garden.example."), NULL, &garden.target, NULL);
	T_OK(yg_dns_builder_answer(b, YG_SV("one"), YG_SV("scam"), YG_DNS_ACTION_CNAME, &garden,
				   NULL) == YG_OK &&
	     yg_dns_builder_answer(b, YG_SV("two"), YG_SV(""), YG_DNS_ACTION_NODATA, NULL, NULL) ==
		     YG_OK &&
	     yg_dns_builder_mode(b, YG_SV(""), YG_DNS_LAYER_ORG_BLOCK, YG_DNS_MODE_OFF, NULL) ==
		     YG_OK &&
	     yg_dns_builder_mode(b, YG_SV("one"), YG_DNS_LAYER_ORG_BLOCK, YG_DNS_MODE_ENFORCE,
				 NULL) == YG_OK);
	T_OK(yg_dns_builder_finish(b, fd, 1, NULL, NULL) == YG_OK &&
	     yg_dns_policy_open_fd(fd, 0, &p, NULL) == YG_OK);
	T_OK(ask(p, "one", NULL, "bad.example.") == YG_DNS_ACTION_CNAME);
	T_OK(ask(p, "two", NULL, "bad.example.") == YG_DNS_ACTION_NODATA);
	T_OK(ask(p, "two", NULL, "good.bad.example.") == YG_DNS_ACTION_PASSTHRU);
	T_OK(ask(p, "one", NULL, "good.bad.example.") == YG_DNS_ACTION_CNAME);
	T_OK(ask(p, "other", NULL, "bad.example.") == YG_DNS_ACTION_NONE && e.note_count == 0);
	static const struct {
		const char *org;
		enum yg_dns_action action;
	} want[] = {{"one", YG_DNS_ACTION_CNAME},
		    {"two", YG_DNS_ACTION_PASSTHRU},
		    {"other", YG_DNS_ACTION_NONE},
		    {"", YG_DNS_ACTION_NONE}};
	for (size_t i = 0; i < YG_LEN(want); i++) { /* one prefix of two organisations */
		(void)ask(p, want[i].org, NULL, "fine.example.");
		yg_dns_eval_address(&e, ip_of("192.0.2.99"));
		yg_dns_eval_verdict(&e, &v);
		T_OK(v.action == want[i].action);
	}
	T_OK(yg_dns_policy_info(p).prefixes == 1);
	yg_dns_policy_close(p);
	yg_dns_builder_free(b);
	(void)close(fd);
}

/* More zones with one name than one record of the table holds values for. */
static void test_many_zones(void)
{
	static struct source s[100];
	static char names[100][8];
	for (size_t i = 0; i < YG_LEN(s); i++) {
		(void)snprintf(names[i], sizeof names[i], "z%zu", i);
		s[i] = (struct source){
			.spec = {.name = yg_sv_of(names[i]),
				 .mode = i < 99 ? YG_DNS_MODE_AUDIT_ONLY : YG_DNS_MODE_ENFORCE,
				 .layer = YG_DNS_LAYER_CENTRE_ZONE},
			.text = "same.example\n192.0.2.7\n",
			.list = true};
	}
	struct yg_dns_policy *p = compile(s, YG_LEN(s));
	T_OK(p != NULL && ask(p, "", NULL, "x.same.example.") == YG_DNS_ACTION_NXDOMAIN);
	T_OK(v.hit.zone == 99 && e.note_count == YG_DNS_NOTES_MAX && e.notes_more == 91);
	(void)ask(p, "", NULL, "other.example.");
	yg_dns_eval_address(&e, ip_of("192.0.2.7"));
	yg_dns_eval_verdict(&e, &v);
	T_OK(v.hit.zone == 99 && v.trigger == YG_DNS_TRIGGER_RESPONSE_IP);
	yg_dns_policy_close(p);
}

/* ---- damaged files ---- */

static void test_damage(void)
{
	static const struct source s = {
		.spec = {.name = YG_SV_INIT("z"), .layer = YG_DNS_LAYER_CENTRE_ZONE},
		.text = "@ 60 SOA a. b. 7 2 3 4 30\nd 60 A 192.0.2.1\nw CNAME *.g.\n*.x CNAME .\n"};
	static uint8_t whole[1 << 20], copy[1 << 20] __attribute__((aligned(8)));
	struct yg_dns_policy *p = NULL;
	int fd = memfd_create("policy", MFD_CLOEXEC);
	T_OK(compile_into(fd, &s, 1, NULL) == YG_OK);
	ssize_t n = pread(fd, whole, sizeof whole, 0);
	(void)close(fd);
	T_OK(n > 0);
	size_t opened = 0, tried = 0;
	for (size_t i = 104; i < (size_t)n; i += i < 2000 ? 1 : 61) {
		memcpy(copy, whole, (size_t)n);
		copy[i] ^= (uint8_t)(1u << (i & 7));
		tried++;
		if (yg_dns_policy_open_bytes(copy, (size_t)n, 0, NULL, &p, NULL) == YG_OK) {
			opened++; /* must not be: the digest */
			yg_dns_policy_close(p);
		}
		(void)yg_snap_fix_digest(copy, (size_t)n);
		p = NULL;
		if (yg_dns_policy_open_bytes(copy, (size_t)n, 0, NULL, &p, NULL) == YG_OK) {
			(void)ask(p, "", "192.0.2.1", "a.x.");
			(void)ask(p, "one", "192.0.2.1", "w.");
			yg_dns_policy_close(p);
		}
	}
	T_OK(tried > 1000 && opened == 0);
	T_OK(yg_dns_policy_open_bytes(whole, (size_t)n - 1, 0, NULL, &p, NULL) == YG_CORRUPT);
	T_OK(yg_dns_policy_open_bytes(whole, (size_t)n, 6, NULL, &p, NULL) == YG_CONFLICT);
}

/* ---- the policy file ---- */

static void file_fails(const char *yaml, const char *want)
{
	struct yg_arena a;
	struct yg_dns_policy_file f;
	struct yg_err err = {.msg = ""};
	yg_arena_init(&a, 1 << 20);
	bool ok = yg_dns_policy_read(yg_sv_of(yaml), "p", &a, &f, &err) == YG_PARSE &&
		  strcmp(err.msg, want) == 0;
	if (!ok)
		(void)printf("# %s\n", err.msg);
	T_NAMED(ok, want);
	yg_arena_free(&a);
}

static void test_file(void)
{
	struct yg_arena a;
	struct yg_dns_policy_file f;
	yg_arena_init(&a, 1 << 20);
	T_OK(yg_dns_policy_read(
		     YG_SV("policy:\n- {name: a, rpz: a.zone, override: cname w.example}\n"
			   "- name: b\n  list: b.txt\n  sinkhole: [192.0.2.1, '2001:db8::1']\n"
			   "- {name: c, axfr: '127.0.0.1@53', zone: c.example, tsig: {name: k}}\n"
			   "- {name: d, list: d, layer: org-block, organisation: one}\n"
			   "answers:\n- {category: x, answer: nodata}\n"),
		     "p", &a, &f, NULL) == YG_OK);
	T_OK(f.zone_count == 4 && f.answer_count == 1 && f.mode_count == 0);
	T_OK(f.zones[0].spec.override == YG_DNS_OVERRIDE_CNAME &&
	     f.zones[0].spec.answer.target.labels == 2 && f.zones[0].spec.ede_code == 15);
	T_OK(f.zones[1].spec.override == YG_DNS_OVERRIDE_SINKHOLE &&
	     f.zones[1].spec.answer.sinkhole_count == 2 && f.zones[1].spec.is_list);
	T_OK(f.zones[2].tsig != NULL && f.zones[2].spec.origin != NULL);
	T_OK(f.zones[3].spec.ede_code == 17 && f.zones[3].line == 7);
	yg_arena_free(&a);
	file_fails("policy: x\n", "p:1: policy: expected a list: entries that begin with '- '");
	file_fails("x: 1\n", "p:1: x: there is no such key");
	file_fails("policy:\n- {rpz: a}\n", "p:2: the key 'name' is missing");
	file_fails("policy:\n- {name: a}\n",
		   "p:2: one of 'rpz', 'list' and 'axfr' must say where the zone comes from");
	file_fails("policy:\n- {name: a, rpz: a, foo: 1}\n", "p:2: foo: there is no such key");
	file_fails("policy:\n- {name: a, rpz: a, mode: on}\n",
		   "p:2: mode: expected enforce, audit-only or off");
	file_fails("policy:\n- {name: a, rpz: a, layer: org-allow}\n",
		   "p:2: an organisation's layer needs the key 'organisation'");
	file_fails("policy:\n- {name: a, rpz: &x a}\n",
		   "p:2: anchors (&name) and tags (!name) are not allowed");
	file_fails("policy:\n- {name: a, name: b}\n", "p:2: the key stands twice");
}

/* ---- no memory ---- */

static yg_status whole_way(void)
{
	static const struct source s[] = {
		{.spec = {.name = YG_SV_INIT("z"), .layer = YG_DNS_LAYER_CENTRE_ZONE},
		 .text = "$TTL 1\n@ SOA a. b. 7 2 3 4 30\nd A 192.0.2.1\n*.x.y CNAME .\na.b.c.x.y CNAME *.\n"
			 "24.0.2.0.192.rpz-ip CNAME *.g.\n"},
		{.spec = {.name = YG_SV_INIT("l"), .layer = YG_DNS_LAYER_CENTRE_ZONE},
		 .text = "d\nx.y\n192.0.2.0/24\n",
		 .list = true}};
	struct yg_arena a;
	struct yg_dns_policy_file f;
	struct yg_dns_policy *p = NULL;
	yg_arena_init(&a, 1 << 20);
	yg_status st = yg_dns_policy_read(
		YG_SV("policy: [{name: a, rpz: b, sinkhole: [192.0.2.1]}]"), "p", &a, &f, NULL);
	yg_arena_free(&a);
	int fd = memfd_create("policy", MFD_CLOEXEC);
	if (st == YG_OK)
		st = compile_into(fd, s, 2, NULL);
	if (st == YG_OK)
		st = yg_dns_policy_open_fd(fd, 0, &p, NULL);
	if (st == YG_OK && (ask(p, "", NULL, "d.") != YG_DNS_ACTION_DATA ||
			    ask(p, "", NULL, "q.x.y.") != YG_DNS_ACTION_NXDOMAIN ||
			    ask(p, "", NULL, "q.c.x.y.") != YG_DNS_ACTION_NXDOMAIN))
		st = YG_INTERNAL; /* got through, but not whole */
	yg_dns_policy_close(p);
	(void)close(fd);
	return st;
}

static void test_memory(void)
{
	for (int once = 0; once < 2; once++) {
		long i = 0;
		unsigned odd = 0;
		oom_once = once == 1;
		for (;; i += OOM_STRIDE) {
			oom_hits = 0;
			oom_left = i;
			yg_status st = whole_way();
			oom_left = -1;
			if (st != YG_NOMEM && st != YG_OK && odd++ == 0)
				(void)printf("# allocation %ld: %s\n", i, yg_status_name(st));
			if (oom_hits == 0)
				break;
		}
		(void)printf("# %ld allocations\n", i);
		T_NAMED(odd == 0 && i > 20, once ? "one allocation fails" : "none from there on");
	}
}

/* ---- breath ---- */

static unsigned breaths;
static void count_breath(void)
{
	breaths++;
}

/* A snapshot of so many names and addresses. */
static struct yg_intel *indicators(unsigned count)
{
	struct yg_env env = yg_env_sim(&sim);
	const struct yg_intel_build_opts opts = {.env = &env};
	struct yg_intel_builder *b = NULL;
	struct yg_intel *in = NULL;
	int fd = memfd_create("intel", MFD_CLOEXEC);
	yg_status st = yg_intel_builder_new(&opts, &b, NULL);
	for (unsigned i = 0; st == YG_OK && i < count; i++) {
		char text[64];
		bool name = i % 2 == 0;
		(void)snprintf(text, sizeof text, name ? "n%u.example" : "203.0.%u.%u",
			       name ? i : i / 256 % 256, i % 256);
		struct yg_indicator one = {.type = name ? YG_IND_DOMAIN : YG_IND_IP,
					   .value = yg_sv_of(text),
					   .list = YG_SV("l"),
					   .confidence = 90};
		st = yg_intel_builder_add(b, &one, NULL);
	}
	if (st != YG_OK || yg_intel_builder_finish(b, fd, 1, NULL, NULL) != YG_OK ||
	    yg_intel_open_fd(fd, 0, &in, NULL) != YG_OK)
		abort();
	yg_intel_builder_free(b);
	(void)close(fd);
	return in;
}

/* Whoever adds something: at least so often for so many. */
static void test_breath(void)
{
	const unsigned count = 4000, least = count * YG_BREATH_RECORD / YG_BREATH;
	struct yg_env env = yg_env_sim(&sim);
	const struct yg_dns_build_opts opts = {.env = &env};
	const struct yg_dns_indicators_opts io = {.now = {1}, .confidence = 50};
	struct yg_dns_indicators_stats got;
	struct yg_dns_zone_spec spec = {
		.name = YG_SV("z"), .layer = YG_DNS_LAYER_CENTRE_ZONE, .is_list = true};
	struct yg_intel *in = indicators(count);
	struct yg_dns_builder *b = NULL;
	uint32_t zone = 0;
	if (yg_dns_builder_new(&opts, &b, NULL) != YG_OK ||
	    yg_dns_builder_zone(b, &spec, &zone, NULL) != YG_OK)
		abort();
	yg_breath_of_thread.take = count_breath;
	T_OK(yg_dns_indicators_apply(in, b, &io, &got, NULL) == YG_OK);
	T_NAMED(got.names == count / 2 && got.addresses == count / 2 && breaths >= least,
		"indicators");
	breaths = 0;
	(void)yg_dns_indicators_digest(in);
	T_NAMED(breaths >= count * YG_BREATH_STEP / YG_BREATH, "looking at them");
	breaths = 0;
	for (unsigned i = 0; i < count; i++)
		yg_dns_builder_refuse(b, zone, i, "it means nothing", YG_SV("x"));
	T_NAMED(breaths >= least, "lines that are refused");
	struct yg_dns_source *s = NULL;
	const struct yg_dns_source_opts tried = {.is_list = true};
	char *much = calloc(1, 4 << 20);
	T_OK(much != NULL && yg_dns_source_new(&tried, &s, NULL) == YG_OK);
	memset(much, '#', 4 << 20);
	breaths = 0;
	T_OK(yg_dns_source_feed(s, (struct yg_sv){much, 4 << 20}, NULL) == YG_OK &&
	     yg_dns_source_end(s, NULL) == YG_OK && yg_dns_source_bytes(s) == 4 << 20);
	T_NAMED(breaths >= 16, "comments alone");
	yg_breath_of_thread.take = NULL;
	yg_dns_source_free(s);
	free(much);
	yg_dns_builder_free(b);
	yg_intel_close(in);
}

int main(void)
{
	test_matrix();
	test_data();
	test_refused();
	test_lists();
	test_organisations();
	test_tree();
	test_many_zones();
	test_damage();
	test_file();
	test_breath();
	test_memory();
	return tap_done();
}
