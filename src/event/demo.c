#include "event/demo.h"

#include <stdlib.h>

const struct yg_demo_org yg_demo_orgs[YG_DEMO_ORGS] = {
	{"demo-mirai-ministry", "未来技術省（架空）", "Ministry of Future Technology (fictional)",
	 "mirai.example", "100000000001", 14, 13, NULL},
	{"demo-sakuragawa-pref", "桜ケ川県（架空）", "Sakuragawa Prefecture (fictional)",
	 "sakuragawa.example", "100000000002", 12, 4, NULL},
	{"demo-aobahara-city", "青葉原市（架空）", "City of Aobahara (fictional)",
	 "aobahara.example", "100000000003", 9, 4, "demo-sakuragawa-pref"},
	{"demo-minaminohama-city", "南乃浜市（架空）", "City of Minaminohama (fictional)",
	 "minaminohama.example", NULL, 7, 4, "demo-sakuragawa-pref"},
	{"demo-hokutozawa-town", "北斗沢町（架空）", "Town of Hokutozawa (fictional)",
	 "hokutozawa.example", NULL, 3, 1, "demo-sakuragawa-pref"},
	{"demo-kagayaki-univ", "輝が丘大学（架空）", "Kagayakigaoka University (fictional)",
	 "kagayaki.example", "100000000006", 12, 26, NULL},
	{"demo-seiran-tech", "青嵐工科大学（架空）", "Seiran Institute of Technology (fictional)",
	 "seiran.example", "100000000007", 10, 23, NULL},
	{"demo-midorigamori-hosp", "緑ヶ森総合病院（架空）",
	 "Midorigamori General Hospital (fictional)", "midorigamori.example", NULL, 7, 40, NULL},
	{"demo-hinatano-medical", "日向野医療センター（架空）",
	 "Hinatano Medical Center (fictional)", "hinatano.example", NULL, 5, 45, NULL},
	{"demo-tsubameno-rail", "つばめ野鉄道（架空）", "Tsubameno Railway (fictional)",
	 "tsubameno.example", "100000000010", 7, 37, NULL},
	{"demo-fujimino-works", "富士実野精機（架空）", "Fujimino Precision Works (fictional)",
	 "fujimino.example", "100000000011", 8, 22, NULL},
	{"demo-kumoi-energy", "雲居エナジー（架空）", "Kumoi Energy (fictional)", "kumoi.example",
	 "100000000012", 6, 17, NULL},
};
const struct yg_demo_system yg_demo_systems[YG_DEMO_SYSTEMS] = {
	{"desktop", "事務端末系システム（架空）", "Office desktops (fictional)", "2", 2, 1, 1, 8},
	{"mail", "電子メールシステム（架空）", "E-mail (fictional)", "2", 2, 2, 2, 16},
	{"core", "基幹業務システム（架空）", "Core business system (fictional)", "3", 3, 2, 2, 24},
	{"web", "公開ウェブシステム（架空）", "Public web site (fictional)", "1", 1, 2, 2, 32},
	{"records", "文書管理システム（架空）", "Records management (fictional)", "3", 2, 2, 1, 40},
};
enum org_at {
	MINISTRY,
	PREFECTURE,
	AOBAHARA,
	MINAMINOHAMA,
	HOKUTOZAWA,
	KAGAYAKI,
	SEIRAN,
	MIDORIGAMORI,
	HINATANO,
	RAIL,
	WORKS,
	ENERGY
};

/* ---- the made-up enemy ---- */

#define C2_DOMAINS    90
#define BAD_ADDRESSES 40
#define BAD_PORTS     25
#define BAD_URLS      25
#define BAD_HASHES    20
static const char *const families[] = {"shadowfox", "paperlantern", "ironkoi",
				       "snowcrane", "blackmoth",    "tidewolf"};
static const char *const categories[] = {"c2",         "phishing", "malware",
					 "ransomware", "miner",    "scanner"};

/* Domain of the enemy number i: "c2-07.shadowfox.example". */
static void bad_domain(struct yg_sb *b, unsigned i)
{
	static const char *const roles[] = {"c2", "login", "cdn", "update", "mail"};
	yg_sb_printf(b, "%s-%02u.%s.example", roles[i % YG_LEN(roles)], i,
		     families[i % YG_LEN(families)]);
}

/* 203.0.113.0/24 is the enemy's, with one IPv6 network. */
static void bad_address(struct yg_sb *b, unsigned i)
{
	if (i % 5 == 4)
		yg_sb_printf(b, "2001:db8:bad::%x", i + 1);
	else
		yg_sb_printf(b, "203.0.113.%u", i + 1);
}

static void bad_url(struct yg_sb *b, unsigned i)
{
	static const char *const files[] = {"invoice.zip", "update.exe", "view.hta", "gate.php",
					    "img/logo.php"};
	yg_sb_printf(b, "http://files-%02u.%s.example/%s", i, families[i % YG_LEN(families)],
		     files[i % YG_LEN(files)]);
}

static uint64_t mix(uint64_t x) /* splitmix64 (Steele, Lea and Flood 2014) */
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void bad_hash(struct yg_sb *b, unsigned i)
{
	for (unsigned k = 0; k < 4; k++)
		yg_sb_printf(b, "%016llx", (unsigned long long)mix(0xdecafu + i * 4 + k));
}

void yg_demo_indicators(struct yg_buf *out)
{
	static const struct {
		void (*make)(struct yg_sb *, unsigned);
		const char *type;
		unsigned count;
	} kinds[] = {{bad_domain, "domain", C2_DOMAINS},
		     {bad_address, "ip", BAD_ADDRESSES},
		     {bad_url, "url", BAD_URLS},
		     {bad_hash, "hash", BAD_HASHES}};
	yg_buf_put(out, YG_SV("indicator,type,category,family\n"));
	for (size_t k = 0; k < YG_LEN(kinds); k++) {
		for (unsigned i = 0; i < kinds[k].count; i++) {
			char text[160];
			struct yg_sb b = yg_sb_init(text, sizeof text);
			kinds[k].make(&b, i);
			yg_buf_printf(out, "%s,%s,%s,%s\n", yg_sb_cstr(&b), kinds[k].type,
				      categories[i % YG_LEN(categories)],
				      families[i % YG_LEN(families)]);
		}
	}
	for (unsigned i = 0; i < BAD_PORTS; i++)
		yg_buf_printf(out, "203.0.113.%u:%u,ip-port,c2,%s\n", 100 + i, 4000 + i * 37,
			      families[i % YG_LEN(families)]);
}

/* ---- records ---- */

enum what { DNS, HTTP, TLS, FLOW, ALERT, FILEINFO, CALL, WHATS };

struct record { /* one thing that happened; each source has its own way to write it */
	int64_t time;
	uint8_t what, order;
	uint16_t src_port, dst_port, status;
	char src[46], dst[46];
	char name[112]; /* DNS question, HTTP host, TLS server name; CALL: eventName */
	char text[112]; /* URL path, signature, file name; CALL: eventSource */
	char user[48], object[80];
	const char *method, *state, *proto, *rcode, *error;
	uint64_t bytes_out, bytes_in, id;
	int64_t duration;
};

struct yg_demo {
	uint64_t seed, records;
	int64_t end; /* of the day, us */
	size_t at;   /* next place */
	size_t made; /* batches, with empty ones */
	bool failed;
	/* of the batch at hand */
	bool past; /* before the last day */
	unsigned org;
	enum yg_source source;
	int64_t from, to;
	uint64_t random;
	struct record *list; /* owned */
	size_t n, cap;
	struct yg_buf text; /* owned */
	char id[96];
};

static uint64_t next_random(struct yg_demo *d)
{
	d->random += 0x9e3779b97f4a7c15u;
	return mix(d->random);
}

static unsigned below(struct yg_demo *d, unsigned n)
{
	return (unsigned)(next_random(d) % n);
}

#define TEXT(field, ...)                                                                           \
	do {                                                                                       \
		struct yg_sb b_ = yg_sb_init((field), sizeof(field));                              \
		yg_sb_printf(&b_, __VA_ARGS__);                                                    \
		(void)yg_sb_cstr(&b_);                                                             \
	} while (0)
#define MADE(field, make, i)                                                                       \
	do {                                                                                       \
		struct yg_sb b_ = yg_sb_init((field), sizeof(field));                              \
		make(&b_, (i));                                                                    \
		(void)yg_sb_cstr(&b_);                                                             \
	} while (0)

/* Adds a copy of r when it lies in the batch's time. */
static void add(struct yg_demo *d, const struct record *r)
{
	uint64_t id = next_random(
		d); /* also when it is not kept: a story goes the same way in every slot */
	if (r->time < d->from || r->time >= d->to)
		return;
	if (d->n == d->cap) {
		size_t cap = d->cap == 0 ? 1024 : d->cap * 2;
		struct record *p = realloc(d->list, cap * sizeof *p);
		if (p == NULL) {
			d->failed = true;
			return;
		}
		d->list = p;
		d->cap = cap;
	}
	d->list[d->n] = *r;
	d->list[d->n].id = id;
	d->n++;
}

static struct record plain(enum what what, int64_t time)
{
	return (struct record){.time = time,
			       .what = (uint8_t)what,
			       .method = "GET",
			       .state = "SF",
			       .proto = what == DNS ? "udp" : "tcp",
			       .rcode = "NOERROR",
			       .status = 200};
}

/* A client of the organisation at hand. */
static void client(struct yg_demo *d, struct record *r, unsigned host)
{
	TEXT(r->src, "10.%u.1.%u", 10 + d->org, 10 + host);
	r->src_port = (uint16_t)(32768 + below(d, 28000));
}

/* ---- everyday traffic ---- */

static const char *const sites[] = {
	"www.example.com",    "mail.example.com", "news.example.com",   "docs.example.com",
	"video.example.net",  "cdn.example.net",  "images.example.net", "ntp.example.net",
	"update.example.org", "api.example.org",  "search.example.org", "weather.example.org",
	"shop.example.com",   "maps.example.com", "social.example.net", "telemetry.example.org"};
static const char *const paths[] = {"/",
				    "/index.html",
				    "/news/today",
				    "/api/v2/items?page=2",
				    "/static/app.js",
				    "/images/logo.png",
				    "/search?q=timetable",
				    "/login",
				    "/download/patch.msi"};
static const char *const agents =
	"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

static void good_server(struct yg_demo *d, struct record *r, unsigned site)
{
	if (below(d, 8) == 0)
		TEXT(r->dst, "2001:db8:1::%x", site + 1);
	else
		TEXT(r->dst, "198.51.100.%u", 10 + site);
}

static void everyday_details(struct yg_demo *d, struct record *r)
{
	switch ((enum what)r->what) {
	case DNS: r->dst_port = 53; break;
	case HTTP: r->status = (uint16_t)(below(d, 20) == 0 ? 404 : 200); break;
	case ALERT:
		TEXT(r->text, "DEMO POLICY %s",
		     below(d, 2) == 0 ? "cleartext login form" : "outdated user agent");
		break;
	case FILEINFO: TEXT(r->text, "patch-%u.msi", below(d, 30)); break;
	default: break;
	}
}

static void everyday_network(struct yg_demo *d, int64_t time)
{
	static const uint8_t mix_of[] = {DNS,  DNS,  DNS,  DNS,  TLS, TLS, TLS,  FLOW,
					 FLOW, FLOW, HTTP, HTTP, DNS, TLS, FLOW, HTTP};
	unsigned dice = below(d, 1000);
	enum what what = (enum what)mix_of[below(d, YG_LEN(mix_of))];
	if (d->source == YG_SOURCE_SURICATA && dice < 30)
		what = dice < 12 ? ALERT : FILEINFO;
	struct record r = plain(what, time);
	unsigned site = below(d, YG_LEN(sites));
	client(d, &r, below(d, 40));
	good_server(d, &r, site);
	TEXT(r.name, "%s", sites[site]);
	TEXT(r.text, "%s", paths[below(d, YG_LEN(paths))]);
	r.dst_port = what == HTTP ? 80 : 443;
	r.bytes_out = 200 + below(d, 4000);
	r.bytes_in = 500 + below(d, 200000);
	r.duration = 1000 + below(d, 20000000);
	if (below(d, d->past ? 300 : 1200) ==
	    0) { /* somebody clicked on something: a match here and there */
		unsigned bad = below(d, C2_DOMAINS);
		MADE(r.name, bad_domain, bad);
		MADE(r.dst, bad_address, bad % BAD_ADDRESSES);
	} else if (what == DNS && below(d, 12) == 0) {
		TEXT(r.name, "host%u.%s", below(d, 90), yg_demo_orgs[d->org].domain);
		r.rcode = below(d, 3) == 0 ? "NXDOMAIN" : "NOERROR";
	}
	everyday_details(d, &r);
	add(d, &r);
}

static void everyday_cloud(struct yg_demo *d, int64_t time)
{
	static const struct {
		const char *service, *call;
	} calls[] = {{"ec2", "DescribeInstances"},   {"s3", "GetBucketAcl"},
		     {"sts", "GetCallerIdentity"},   {"iam", "ListUsers"},
		     {"ssm", "GetParameter"},        {"kms", "Decrypt"},
		     {"ec2", "RunInstances"},        {"s3", "PutBucketTagging"},
		     {"logs", "DescribeLogGroups"},  {"lambda", "ListFunctions"},
		     {"rds", "DescribeDBInstances"}, {"ec2", "StopInstances"}};
	static const char *const users[] = {"taro",    "hanako",     "ichiro",
					    "sachiko", "deploy-bot", "backup-bot"};
	struct record r = plain(CALL, time);
	unsigned call = below(d, YG_LEN(calls) - 4) + (below(d, 10) == 0 ? 4 : 0);
	TEXT(r.name, "%s", calls[call].call);
	TEXT(r.text, "%s.amazonaws.com", calls[call].service);
	TEXT(r.user, "%s", users[below(d, YG_LEN(users))]);
	TEXT(r.src, "192.0.2.%u", 10 + d->org);
	if (below(d, 40) == 0)
		r.error = "AccessDenied";
	add(d, &r);
}

/* ---- stories ---- */

struct story {
	unsigned org;
	enum yg_source source;
	void (*tell)(struct yg_demo *d);
};

static int64_t hours_ago(const struct yg_demo *d, double h)
{
	return d->end - (int64_t)(h * 3600.0 * (double)YG_US_PER_S);
}

/* One victim calls home every few minutes, by name and by address. */
static void beacon(struct yg_demo *d, unsigned host, unsigned enemy, double since, double minutes)
{
	for (int64_t t = hours_ago(d, since); t < d->end;
	     t += (int64_t)(minutes * 60e6) + below(d, 4000000)) {
		struct record r = plain(DNS, t);
		client(d, &r, host);
		MADE(r.name, bad_domain, enemy);
		MADE(r.dst, bad_address, enemy % BAD_ADDRESSES);
		r.dst_port = 53;
		add(d, &r);
		r.what = TLS;
		r.proto = "tcp";
		r.time += 40000;
		r.dst_port = 443;
		r.bytes_out = 900;
		r.bytes_in = 300;
		r.duration = 800000;
		add(d, &r);
		r.what = FLOW;
		r.time += 5000;
		TEXT(r.dst, "203.0.113.%u", 100 + enemy % BAD_PORTS);
		r.dst_port = (uint16_t)(4000 + enemy % BAD_PORTS * 37);
		add(d, &r);
	}
}

/* A letter, a download, a beacon: the ministry. */
static void tell_phishing(struct yg_demo *d)
{
	struct record r = plain(DNS, hours_ago(d, 9.2));
	char url[160];
	MADE(url, bad_url, 0);
	client(d, &r, 11);
	TEXT(r.name, "files-00.%s.example", families[0]);
	TEXT(r.dst, "203.0.113.1");
	r.dst_port = 53;
	add(d, &r);
	r.what = HTTP;
	r.proto = "tcp";
	r.time += 90000;
	r.dst_port = 80;
	TEXT(r.text, "/invoice.zip");
	r.bytes_in = 734003;
	add(d, &r);
	r.what = FILEINFO;
	r.time += 300000;
	MADE(r.object, bad_hash, 0);
	TEXT(r.text, "invoice.zip");
	add(d, &r);
	r.what = ALERT;
	r.time += 1000;
	TEXT(r.text, "DEMO MALWARE zip with script from a new domain");
	add(d, &r);
	beacon(d, 11, 0, 9.0, 6);
}

/* First a beacon, then the neighbours: the hospital. */
static void tell_ransomware(struct yg_demo *d)
{
	beacon(d, 23, 3, 5.5, 10);
	for (unsigned i = 0; i < 120; i++) {
		struct record r = plain(FLOW, hours_ago(d, 4.0) + (int64_t)i * 2500000);
		client(d, &r, 23);
		TEXT(r.dst, "10.%u.1.%u", 10 + d->org, 10 + i % 40);
		r.dst_port = 445;
		r.state = i % 3 == 0 ? "SF" : "S0";
		r.bytes_out = i % 3 == 0 ? 2000000 : 0;
		add(d, &r);
	}
	struct record r = plain(FILEINFO, hours_ago(d, 3.9));
	client(d, &r, 23);
	TEXT(r.dst, "203.0.113.4");
	r.dst_port = 80;
	TEXT(r.text, "locker.exe");
	MADE(r.object, bad_hash, 3);
	add(d, &r);
	r.what = ALERT;
	TEXT(r.text, "DEMO RANSOMWARE many files rewritten over SMB");
	add(d, &r);
}

/* Passwords are tried, one works, the guest makes itself at home: the works' cloud. */
static void tell_cloud(struct yg_demo *d)
{
	static const struct {
		const char *service, *call, *object;
	} steps[] = {{"signin", "ConsoleLogin", ""},
		     {"iam", "ListUsers", ""},
		     {"iam", "CreateUser", "svc-helper"},
		     {"iam", "CreateAccessKey", "svc-helper"},
		     {"iam", "AttachUserPolicy", "svc-helper"},
		     {"cloudtrail", "StopLogging", ""},
		     {"s3", "ListBuckets", ""},
		     {"s3", "GetObject", "drawings.zip"},
		     {"s3", "GetObject", "customers.csv"},
		     {"s3", "DeleteObject", "customers.csv"}};
	int64_t t = hours_ago(d, 3.3);
	struct record r = plain(CALL, t);
	TEXT(r.src, "203.0.113.26");
	TEXT(r.user, "ichiro");
	TEXT(r.name, "ConsoleLogin");
	TEXT(r.text, "signin.amazonaws.com");
	r.error = "Failed authentication";
	for (unsigned i = 0; i < 40; i++, r.time += 9000000)
		add(d, &r);
	r.error = NULL;
	for (size_t i = 0; i < YG_LEN(steps); i++, r.time += 47000000) {
		TEXT(r.name, "%s", steps[i].call);
		TEXT(r.text, "%s.amazonaws.com", steps[i].service);
		TEXT(r.object, "%s", steps[i].object);
		add(d, &r);
	}
}

/* Names that carry data: the university. */
static void tell_tunnel(struct yg_demo *d)
{
	for (unsigned i = 0; i < 400; i++) {
		struct record r = plain(DNS, hours_ago(d, 14) + (int64_t)i * 15000000);
		client(d, &r, 7);
		TEXT(r.dst, "10.%u.0.53", 10 + d->org);
		r.dst_port = 53;
		TEXT(r.name, "%016llx%016llx.t.c2-10.%s.example",
		     (unsigned long long)next_random(d), (unsigned long long)next_random(d),
		     families[10 % YG_LEN(families)]);
		add(d, &r);
	}
}

/* One address knocks at many doors of several organisations. */
static void tell_scan(struct yg_demo *d)
{
	static const uint16_t ports[] = {22, 23, 445, 3389, 8080};
	for (unsigned i = 0; i < 250; i++) {
		struct record r = plain(FLOW, hours_ago(d, 18) + (int64_t)i * 1700000);
		TEXT(r.src, "203.0.113.6");
		r.src_port = (uint16_t)(40000 + i);
		TEXT(r.dst, "192.0.2.%u", 100 + i % 50);
		r.dst_port = ports[i % YG_LEN(ports)];
		r.state = "S0";
		add(d, &r);
	}
}

/* A student's machine works for somebody else. */
static void tell_miner(struct yg_demo *d)
{
	beacon(d, 31, 16, 20, 15);
}

/* At night a lot leaves by IPv6: the power company. */
static void tell_exfiltration(struct yg_demo *d)
{
	beacon(d, 5, 29, 12, 20);
	for (unsigned i = 0; i < 24; i++) {
		struct record r = plain(FLOW, hours_ago(d, 11) + (int64_t)i * 120000000);
		TEXT(r.src, "2001:db8:2::5");
		r.src_port = (uint16_t)(50000 + i);
		TEXT(r.dst, "2001:db8:bad::5");
		r.dst_port = 443;
		r.bytes_out = 170000000;
		r.duration = 110000000;
		add(d, &r);
	}
}

/* Somebody talks to a picture on the prefecture's web server. */
static void tell_webshell(struct yg_demo *d)
{
	for (unsigned i = 0; i < 60; i++) {
		struct record r = plain(HTTP, hours_ago(d, 7) + (int64_t)i * 61000000);
		TEXT(r.src, "203.0.113.12");
		r.src_port = (uint16_t)(45000 + i);
		TEXT(r.dst, "192.0.2.80");
		r.dst_port = 80;
		r.method = "POST";
		TEXT(r.name, "www.%s", yg_demo_orgs[PREFECTURE].domain);
		TEXT(r.text, "/uploads/img/logo.php");
		add(d, &r);
	}
}

static const struct story stories[] = {
	{MINISTRY, YG_SOURCE_SURICATA, tell_phishing},
	{MIDORIGAMORI, YG_SOURCE_SURICATA, tell_ransomware},
	{WORKS, YG_SOURCE_CLOUDTRAIL, tell_cloud},
	{KAGAYAKI, YG_SOURCE_ZEEK, tell_tunnel},
	{AOBAHARA, YG_SOURCE_ZEEK, tell_scan},
	{MINAMINOHAMA, YG_SOURCE_ZEEK, tell_scan},
	{HOKUTOZAWA, YG_SOURCE_ZEEK, tell_scan},
	{RAIL, YG_SOURCE_SURICATA, tell_scan},
	{SEIRAN, YG_SOURCE_ZEEK, tell_miner},
	{ENERGY, YG_SOURCE_ZEEK, tell_exfiltration},
	{PREFECTURE, YG_SOURCE_ZEEK, tell_webshell},
	{HINATANO, YG_SOURCE_ZEEK, tell_miner},
};

/* ---- writers ---- */

static void put_time(struct yg_buf *out, int64_t us, const char *zone)
{
	char text[40];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_time_format(&b, (yg_wall){us});
	yg_buf_put(out, yg_sv_sub(yg_sb_sv(&b), 0, b.n - 1)); /* without its Z */
	yg_buf_put(out, yg_sv_of(zone));
}

static void answer(const struct record *r, struct yg_sb *b)
{
	if (strcmp(r->rcode, "NOERROR") == 0)
		yg_sb_printf(b, "%s",
			     yg_sv_find(yg_sv_of(r->dst), ':', 0) < strlen(r->dst) ? "198.51.100.1"
										   : r->dst);
}

static void write_eve_body(struct yg_buf *out, const struct record *r)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	uint64_t packets_out = r->bytes_out / 900 + 1, packets_in = r->bytes_in / 1200 + 1;
	switch ((enum what)r->what) {
	case DNS:
		answer(r, &b);
		yg_buf_printf(
			out,
			"\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":%u,\"rrname\":\"%s\",\"rrtype\":\"A\",\"rcode\":"
			"\"%s\"",
			(unsigned)(r->id & 0xffff), r->name, r->rcode);
		if (b.n > 0)
			yg_buf_printf(out, ",\"grouped\":{\"A\":[\"%s\"]}", yg_sb_cstr(&b));
		yg_buf_put(out, YG_SV("}"));
		break;
	case HTTP:
		yg_buf_printf(
			out,
			"\"http\":{\"hostname\":\"%s\",\"url\":\"%s\",\"http_user_agent\":\"%s\",\"http_method\":\"%s\","
			"\"protocol\":\"HTTP/1.1\",\"status\":%u,\"length\":%llu}",
			r->name, r->text, agents, r->method, r->status,
			(unsigned long long)r->bytes_in);
		break;
	case TLS:
		yg_buf_printf(
			out,
			"\"tls\":{\"sni\":\"%s\",\"version\":\"TLS 1.3\",\"subject\":\"CN=%s\",\"issuerdn\":"
			"\"CN=Demo CA\"}",
			r->name, r->name);
		break;
	case ALERT:
		yg_buf_printf(
			out,
			"\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":%u,\"rev\":1,\"signature\":\"%s\","
			"\"category\":\"Demonstration\",\"severity\":%d}",
			9000000 + (unsigned)strlen(r->text), r->text,
			yg_sv_starts(yg_sv_of(r->text), YG_SV("DEMO POLICY")) ? 3 : 1);
		break;
	case FILEINFO:
		yg_buf_printf(
			out,
			"\"http\":{\"hostname\":\"%s\",\"url\":\"/%s\",\"http_method\":\"GET\",\"status\":200},"
			"\"fileinfo\":{\"filename\":\"/%s\",\"state\":\"CLOSED\",\"stored\":false,\"size\":%llu",
			r->name, r->text, r->text, (unsigned long long)r->bytes_in);
		if (r->object[0] != '\0')
			yg_buf_printf(out, ",\"sha256\":\"%s\"", r->object);
		yg_buf_put(out, YG_SV("}"));
		break;
	default:
		yg_buf_printf(
			out,
			"\"flow\":{\"pkts_toserver\":%llu,\"pkts_toclient\":%llu,\"bytes_toserver\":%llu,"
			"\"bytes_toclient\":%llu,\"age\":%lld,\"state\":\"%s\",\"alerted\":false}",
			(unsigned long long)packets_out, (unsigned long long)packets_in,
			(unsigned long long)r->bytes_out, (unsigned long long)r->bytes_in,
			(long long)(r->duration / YG_US_PER_S),
			strcmp(r->state, "S0") == 0 ? "new" : "closed");
		break;
	}
}

static void write_eve(struct yg_buf *out, const struct record *r)
{
	static const char *const types[] = {"dns", "http", "tls", "flow", "alert", "fileinfo", ""};
	static const char *const protocols[] = {"dns", "http", "tls", "failed", "http", "http", ""};
	yg_buf_put(out, YG_SV("{\"timestamp\":\""));
	put_time(out, r->time, "+0000");
	yg_buf_printf(
		out,
		"\",\"flow_id\":%llu,\"in_iface\":\"demo0\",\"event_type\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%u,"
		"\"dest_ip\":\"%s\",\"dest_port\":%u,\"proto\":\"%s\",\"app_proto\":\"%s\",",
		(unsigned long long)(r->id >> 12), types[r->what], r->src, r->src_port, r->dst,
		r->dst_port, strcmp(r->proto, "udp") == 0 ? "UDP" : "TCP", protocols[r->what]);
	write_eve_body(out, r);
	yg_buf_put(out, YG_SV("}\n"));
}

static const char *const zeek_paths[] = {"dns", "http", "ssl", "conn"};

static void write_zeek_json(struct yg_buf *out, const struct record *r)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	yg_buf_printf(out, "{\"_path\":\"%s\",\"ts\":\"", zeek_paths[r->what]);
	put_time(out, r->time, "Z");
	yg_buf_printf(
		out,
		"\",\"uid\":\"C%llx\",\"id.orig_h\":\"%s\",\"id.orig_p\":%u,\"id.resp_h\":\"%s\",\"id.resp_p\":%u,",
		(unsigned long long)r->id, r->src, r->src_port, r->dst, r->dst_port);
	switch ((enum what)r->what) {
	case DNS:
		answer(r, &b);
		yg_buf_printf(
			out,
			"\"proto\":\"udp\",\"query\":\"%s\",\"qtype_name\":\"A\",\"rcode_name\":\"%s\"",
			r->name, r->rcode);
		if (b.n > 0)
			yg_buf_printf(out, ",\"answers\":[\"%s\"]", yg_sb_cstr(&b));
		break;
	case HTTP:
		yg_buf_printf(
			out,
			"\"method\":\"%s\",\"host\":\"%s\",\"uri\":\"%s\",\"user_agent\":\"%s\",\"status_code\":%u",
			r->method, r->name, r->text, agents, r->status);
		break;
	case TLS:
		yg_buf_printf(out,
			      "\"version\":\"TLSv13\",\"server_name\":\"%s\",\"established\":true",
			      r->name);
		break;
	default:
		yg_buf_printf(
			out,
			"\"proto\":\"%s\",\"duration\":%lld.%06lld,\"orig_bytes\":%llu,\"resp_bytes\":%llu,"
			"\"conn_state\":\"%s\"",
			r->proto, (long long)(r->duration / YG_US_PER_S),
			(long long)(r->duration % YG_US_PER_S), (unsigned long long)r->bytes_out,
			(unsigned long long)r->bytes_in, r->state);
		break;
	}
	yg_buf_put(out, YG_SV("}\n"));
}

static const char *const zeek_fields[][2] = {
	{"proto\tquery\tqtype_name\trcode_name\tanswers",
	 "enum\tstring\tstring\tstring\tvector[string]"},
	{"method\thost\turi\tuser_agent\tstatus_code", "string\tstring\tstring\tstring\tcount"},
	{"version\tserver_name\testablished", "string\tstring\tbool"},
	{"proto\tduration\torig_bytes\tresp_bytes\tconn_state",
	 "enum\tinterval\tcount\tcount\tstring"},
};

static void write_zeek_tsv(struct yg_buf *out, const struct record *r, bool first)
{
	char text[64];
	struct yg_sb b = yg_sb_init(text, sizeof text);
	if (first)
		yg_buf_printf(
			out,
			"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t%s\n"
			"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t%s\n"
			"#types\ttime\tstring\taddr\tport\taddr\tport\t%s\n",
			zeek_paths[r->what], zeek_fields[r->what][0], zeek_fields[r->what][1]);
	yg_buf_printf(out, "%lld.%06lld\tC%llx\t%s\t%u\t%s\t%u\t",
		      (long long)(r->time / YG_US_PER_S), (long long)(r->time % YG_US_PER_S),
		      (unsigned long long)r->id, r->src, r->src_port, r->dst, r->dst_port);
	switch ((enum what)r->what) {
	case DNS:
		answer(r, &b);
		yg_buf_printf(out, "udp\t%s\tA\t%s\t%s\n", r->name, r->rcode,
			      b.n > 0 ? yg_sb_cstr(&b) : "-");
		break;
	case HTTP:
		yg_buf_printf(out, "%s\t%s\t%s\t%s\t%u\n", r->method, r->name, r->text, agents,
			      r->status);
		break;
	case TLS: yg_buf_printf(out, "TLSv13\t%s\tT\n", r->name); break;
	default:
		yg_buf_printf(out, "%s\t%lld.%06lld\t%llu\t%llu\t%s\n", r->proto,
			      (long long)(r->duration / YG_US_PER_S),
			      (long long)(r->duration % YG_US_PER_S),
			      (unsigned long long)r->bytes_out, (unsigned long long)r->bytes_in,
			      r->state);
		break;
	}
}

static void write_call(struct yg_buf *out, const struct yg_demo *d, const struct record *r,
		       bool first)
{
	const char *account = yg_demo_orgs[d->org].cloud_account;
	bool sign_in = strcmp(r->name, "ConsoleLogin") == 0;
	yg_buf_printf(
		out,
		"%s\n{\"eventVersion\":\"1.09\",\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDADEMO%s\","
		"\"arn\":\"arn:aws:iam::%s:user/%s\",\"accountId\":\"%s\",\"userName\":\"%s\"},\"eventTime\":\"",
		first ? "" : ",", r->user, account, r->user, account, r->user);
	put_time(out, r->time / YG_US_PER_S * YG_US_PER_S, "");
	out->n -= 7; /* CloudTrail has whole seconds */
	yg_buf_printf(
		out,
		"Z\",\"eventSource\":\"%s\",\"eventName\":\"%s\",\"awsRegion\":\"ap-northeast-1\","
		"\"sourceIPAddress\":\"%s\",\"userAgent\":\"aws-cli/2.17\",",
		r->text, r->name, r->src);
	if (r->error != NULL)
		yg_buf_printf(out, "\"errorCode\":\"%s\",", r->error);
	if (sign_in)
		yg_buf_printf(out, "\"responseElements\":{\"ConsoleLogin\":\"%s\"},",
			      r->error == NULL ? "Success" : "Failure");
	if (r->object[0] != '\0')
		yg_buf_printf(
			out,
			strcmp(r->text, "s3.amazonaws.com") == 0
				? "\"requestParameters\":{\"bucketName\":\"demo-works\",\"key\":\"%s\"},"
				: "\"requestParameters\":{\"userName\":\"%s\"},",
			r->object);
	yg_buf_printf(
		out,
		"\"eventID\":\"demo-%016llx\",\"readOnly\":%s,\"eventType\":\"%s\",\"managementEvent\":true,"
		"\"recipientAccountId\":\"%s\",\"eventCategory\":\"Management\"}",
		(unsigned long long)r->id,
		yg_sv_starts(yg_sv_of(r->name), YG_SV("Get")) ||
				yg_sv_starts(yg_sv_of(r->name), YG_SV("List")) ||
				yg_sv_starts(yg_sv_of(r->name), YG_SV("Describe"))
			? "true"
			: "false",
		sign_in ? "AwsConsoleSignIn" : "AwsApiCall", account);
}

/* ---- batches ---- */

/* How busy an hour of the day is in Tokyo, in parts of their sum. */
static const uint8_t rhythm[24] = {8,  6,  5,  4,  4,  5,  9,  18, 40, 60, 62, 58,
				   42, 55, 60, 58, 54, 46, 34, 26, 22, 18, 14, 11};

static unsigned hour_share(int64_t us)
{
	return rhythm[(us / (3600 * YG_US_PER_S) + 9) % 24];
}

static int by_time(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_kind(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	return x->what != y->what ? (x->what < y->what ? -1 : 1) : by_time(a, b);
}

/* Share of everyday records for this batch. */
static uint64_t everyday_count(const struct yg_demo *d)
{
	static const uint8_t of_source[] = {
		[YG_SOURCE_ZEEK] = 55, [YG_SOURCE_SURICATA] = 37, [YG_SOURCE_CLOUDTRAIL] = 12};
	unsigned orgs = 0, day = 0, here = 0;
	for (unsigned i = 0; i < YG_DEMO_ORGS; i++)
		orgs += yg_demo_orgs[i].share;
	for (unsigned i = 0; i < 24; i++)
		day += rhythm[i];
	for (int64_t t = d->from; t < d->to; t += 3600 * YG_US_PER_S)
		here += hour_share(t);
	uint64_t past = d->records / 5;
	if (d->past) /* days alike */
		return past / YG_DEMO_PAST * yg_demo_orgs[d->org].share * of_source[d->source] /
		       orgs / 100;
	return (d->records - past) * yg_demo_orgs[d->org].share * of_source[d->source] * here /
	       orgs / 100 / day;
}

/* A moment of the batch, busy hours more often. */
static int64_t moment(struct yg_demo *d)
{
	for (;;) {
		int64_t t = d->from + (int64_t)(next_random(d) % (uint64_t)(d->to - d->from));
		if (below(d, 64) < hour_share(t))
			return t;
	}
}

static void fill(struct yg_demo *d)
{
	uint64_t count = everyday_count(d);
	d->n = 0;
	d->random =
		mix(d->seed ^ mix((uint64_t)d->from) ^ (uint64_t)d->org << 8 ^ (uint64_t)d->source);
	for (uint64_t i = 0; i < count; i++) {
		int64_t t = moment(d);
		if (d->source == YG_SOURCE_CLOUDTRAIL)
			everyday_cloud(d, t);
		else
			everyday_network(d, t);
	}
	for (size_t i = 0; !d->past && i < YG_LEN(stories); i++) {
		if (stories[i].org != d->org || stories[i].source != d->source)
			continue;
		d->random = mix(d->seed ^ (i + 1)); /* the same in every slot of the day */
		stories[i].tell(d);
	}
}

/* Half of the organisations write Zeek's own format, the others JSON. */
static bool writes_tsv(const struct yg_demo *d)
{
	return d->source == YG_SOURCE_ZEEK && d->org % 2 == 1;
}

static void write_all(struct yg_demo *d)
{
	d->text.n = 0;
	if (d->n > 0)
		qsort(d->list, d->n, sizeof *d->list, writes_tsv(d) ? by_kind : by_time);
	if (d->source == YG_SOURCE_CLOUDTRAIL)
		yg_buf_put(&d->text, YG_SV("{\"Records\":["));
	for (size_t i = 0; i < d->n; i++) {
		const struct record *r = &d->list[i];
		if (d->source == YG_SOURCE_CLOUDTRAIL)
			write_call(&d->text, d, r, i == 0);
		else if (d->source == YG_SOURCE_SURICATA)
			write_eve(&d->text, r);
		else if (writes_tsv(d))
			write_zeek_tsv(&d->text, r, i == 0 || r[-1].what != r->what);
		else
			write_zeek_json(&d->text, r);
	}
	if (d->source == YG_SOURCE_CLOUDTRAIL)
		yg_buf_put(&d->text, YG_SV("\n]}\n"));
}

static const enum yg_source demo_sources[] = {YG_SOURCE_ZEEK, YG_SOURCE_SURICATA,
					      YG_SOURCE_CLOUDTRAIL};

size_t yg_demo_batches(const struct yg_demo *d)
{
	size_t n = 0;
	(void)d;
	for (size_t i = 0; i < YG_DEMO_ORGS; i++)
		n += yg_demo_orgs[i].cloud_account != NULL ? 3 : 2;
	return n * (YG_DEMO_PAST + YG_DEMO_SLOTS);
}

/* Sets org, source and time of batch `at`; false for one that is left out. */
static bool place(struct yg_demo *d, size_t at)
{
	size_t per_slot = (size_t)YG_DEMO_ORGS * YG_LEN(demo_sources);
	int64_t nth = (int64_t)(at / per_slot) - YG_DEMO_PAST; /* 0: the first of the last day */
	int64_t slot = YG_US_PER_DAY / YG_DEMO_SLOTS;
	d->past = nth < 0;
	if (d->past)
		slot = 90 / YG_DEMO_PAST * YG_US_PER_DAY;
	d->org = (unsigned)(at % per_slot / YG_LEN(demo_sources));
	d->source = demo_sources[at % YG_LEN(demo_sources)];
	d->from = d->end - YG_US_PER_DAY + nth * slot;
	d->to = d->from + slot;
	return d->source != YG_SOURCE_CLOUDTRAIL || yg_demo_orgs[d->org].cloud_account != NULL;
}

/* The next batch that is not empty; false: there is none, or memory ran out. */
static bool next_filled(struct yg_demo *d)
{
	size_t end = (size_t)YG_DEMO_ORGS * YG_LEN(demo_sources) * (YG_DEMO_PAST + YG_DEMO_SLOTS);
	d->n = 0;
	while (d->n == 0 && d->at < end && !d->failed) {
		if (!place(d, d->at++))
			continue;
		d->made++;
		fill(d);
	}
	return d->n > 0 && !d->failed;
}

bool yg_demo_next(struct yg_demo *d, struct yg_demo_batch *out)
{
	if (!next_filled(d))
		return false;
	write_all(d);
	d->failed = d->failed || d->text.bad;
	if (d->failed)
		return false;
	TEXT(d->id, "demo-%llx-%s-%s-%lld", (unsigned long long)d->seed, yg_demo_orgs[d->org].name,
	     yg_source_name(d->source), (long long)(d->from / YG_US_PER_S));
	*out = (struct yg_demo_batch){.org = yg_demo_orgs[d->org].name,
				      .source = d->source,
				      .sensor = yg_source_name(d->source),
				      .id = yg_sv_of(d->id),
				      .bytes = yg_buf_sv(&d->text),
				      .records = d->n,
				      .at = d->made};
	return true;
}

bool yg_demo_failed(const struct yg_demo *d)
{
	return d->failed;
}

yg_status yg_demo_new(uint64_t seed, yg_wall now, uint64_t records, struct yg_demo **out,
		      struct yg_err *err)
{
	if (records > 1000000 || now.us < 2 * YG_US_PER_DAY)
		return YG_FAIL(err, YG_INVAL,
			       "a demonstration has at most 1000000 records and a time after 1970");
	struct yg_demo *d = calloc(1, sizeof *d);
	if (d == NULL)
		return YG_FAIL(err, YG_NOMEM, "demonstration");
	d->seed = seed;
	d->records = records == 0 ? YG_DEMO_RECORDS : records;
	d->end = now.us / (600 * YG_US_PER_S) * (600 * YG_US_PER_S);
	yg_buf_init(&d->text, YG_BATCH_MAX);
	*out = d;
	return YG_OK;
}

void yg_demo_free(struct yg_demo *d)
{
	if (d == NULL)
		return;
	free(d->list);
	yg_buf_free(&d->text);
	free(d);
}
