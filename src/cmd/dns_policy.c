/* dns_policy.c - `dns compile` and `dns check`: a policy to a snapshot, and names
 * against it, without a server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/tables.h"
#include "dns/policy_file.h"
#include "dns/source.h"
#include "format/json.h"
#include "os/file.h"

#define POLICY_BYTES_MAX (4u << 20)
#define REFUSED_MAX      20 /* refused records shown per zone; all are counted */

struct compiling {
	struct yg_cli *cli;
	struct yg_arena arena;
	struct yg_dns_policy_file policy;
	struct yg_dns_builder *builder; /* owned */
	const char *file;               /* of the zone at hand */
	size_t shown;
	json_t *refused; /* owned: a list per zone, with --json */
	json_t *zones;   /* owned */
	uint64_t refused_count;
};

static void compiling_free(struct compiling *c)
{
	yg_dns_builder_free(c->builder);
	yg_arena_free(&c->arena);
	json_decref(c->refused);
	json_decref(c->zones);
}

static void on_refused(void *ctx, uint32_t zone, uint64_t line, const char *reason,
		       struct yg_sv text)
{
	struct compiling *c = ctx;
	(void)zone;
	if (c->shown++ >= REFUSED_MAX)
		return;
	if (yg_cli_json(c->cli)) {
		(void)json_array_append_new(c->refused,
					    json_pack("{s:I, s:s, s:s%}", "line", (json_int_t)line,
						      "reason", reason, "record", text.p, text.n));
		return;
	}
	(void)fprintf(stderr, "%s:%llu: refused: %s: " YG_SV_FMT "\n", c->file,
		      (unsigned long long)line, reason, YG_SV_ARG(text));
}

/* A file named in a policy is looked for beside it. */
static yg_status path_of(const char *policy, struct yg_sv name, struct yg_sb *out,
			 struct yg_err *err)
{
	const char *slash = strrchr(policy, '/');
	if (name.p[0] != '/' && slash != NULL)
		yg_sb_put(out, (struct yg_sv){policy, (size_t)(slash - policy) + 1});
	yg_sb_put(out, name);
	(void)yg_sb_cstr(out);
	return out->cut ? YG_FAIL(err, YG_INVAL, "the name of a file is too long") : YG_OK;
}

static yg_status feed(void *ctx, struct yg_sv bytes, struct yg_err *err)
{
	return yg_dns_source_feed(ctx, bytes, err);
}

static yg_status feed_file(const char *file, struct yg_dns_source *source, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", file);
	yg_status st = yg_fd_each(fd, feed, source, err);
	if (st == YG_IO)
		return yg_err_wrap(err, "%s: ", file);
	return st == YG_OK ? yg_dns_source_end(source, err) : st;
}

static void print_zone(struct compiling *c, const struct yg_dns_policy_zone *z, uint32_t zone)
{
	struct yg_dns_zone_stats s = yg_dns_builder_stats(c->builder, zone);
	c->refused_count += s.refused;
	if (!yg_cli_json(c->cli)) {
		yg_note(c->cli,
			"%s: %llu records: %llu rules, %llu refused, %llu out of zone, %llu "
			"duplicates, %llu other\n",
			c->file, (unsigned long long)s.records, (unsigned long long)s.taken,
			(unsigned long long)s.refused, (unsigned long long)s.out_of_zone,
			(unsigned long long)s.duplicates, (unsigned long long)s.other);
		if (s.refused > REFUSED_MAX)
			yg_note(c->cli, "%s: %llu more were refused\n", c->file,
				(unsigned long long)(s.refused - REFUSED_MAX));
		return;
	}
	json_t *triggers = json_object();
	for (unsigned t = 1; t < YG_DNS_TRIGGER_COUNT; t++)
		(void)json_object_set_new(triggers, yg_dns_trigger_name((enum yg_dns_trigger)t),
					  json_integer((json_int_t)s.rules[t]));
	(void)json_array_append_new(
		c->zones,
		json_pack("{s:s%, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name",
			  z->spec.name.p, z->spec.name.n, "file", c->file, "records",
			  (json_int_t)s.records, "taken", (json_int_t)s.taken, "refused",
			  (json_int_t)s.refused, "out_of_zone", (json_int_t)s.out_of_zone,
			  "duplicates", (json_int_t)s.duplicates, "other", (json_int_t)s.other,
			  "serial", (json_int_t)s.serial, "rules", triggers, "refused_records",
			  c->refused));
	c->refused = json_array(); /* the other one went into the zone */
}

static yg_status add_zone(struct compiling *c, const char *policy,
			  const struct yg_dns_policy_zone *z, struct yg_err *err)
{
	char path[4096];
	struct yg_sb b = yg_sb_init(path, sizeof path);
	uint32_t zone;
	if (z->axfr.n > 0)
		return YG_FAIL(
			err, YG_INVAL,
			"%s:%zu: a zone by axfr is known to a running resolver only: give its "
			"file by 'rpz'",
			policy, z->line);
	bool list = z->list.n > 0;
	yg_status st = path_of(policy, list ? z->list : z->rpz, &b, err);
	if (st == YG_OK)
		st = yg_dns_builder_zone(c->builder, &z->spec, &zone, err);
	if (st != YG_OK)
		return (yg_err_wrap(err, "%s:%zu: ", policy, z->line), st);
	const struct yg_dns_source_opts opts = {.builder = c->builder,
						.zone = zone,
						.is_list = list,
						.allow = z->spec.layer == YG_DNS_LAYER_ORG_ALLOW ||
							 z->spec.layer == YG_DNS_LAYER_CENTRE_ALLOW,
						.force = z->force,
						.origin = z->spec.origin};
	struct yg_dns_source *source = NULL;
	c->file = path;
	c->shown = 0;
	st = yg_dns_source_new(&opts, &source, err);
	if (st == YG_OK)
		st = feed_file(path, source, err);
	yg_dns_source_free(source);
	if (st == YG_OK)
		print_zone(c, z, zone);
	c->file = NULL; /* `path` is this function's */
	if (st != YG_OK)
		return st == YG_IO ? st : (yg_err_wrap(err, "%s: ", path), st);
	return YG_OK;
}

static yg_status read_policy(struct compiling *c, const char *file, struct yg_err *err)
{
	struct yg_buf text;
	yg_buf_init(&text, POLICY_BYTES_MAX);
	yg_status st = yg_file_read(file, POLICY_BYTES_MAX, &text, err);
	if (st == YG_OK)
		st = yg_dns_policy_read(yg_buf_sv(&text), file, &c->arena, &c->policy, err);
	yg_buf_free(&text);
	return st;
}

struct writing {
	struct yg_dns_builder *builder;
	uint64_t generation;
	struct yg_dns_build_stats *stats;
};

static yg_status write_snapshot(void *ctx, int fd, struct yg_err *err)
{
	const struct writing *w = ctx;
	return yg_dns_builder_finish(w->builder, fd, w->generation, w->stats, err);
}

static void print_stats(const struct compiling *c, const char *out,
			const struct yg_dns_build_stats *s)
{
	if (!yg_cli_json(c->cli)) {
		double each = s->names > 0 ? (double)s->bytes / (double)s->names : 0;
		(void)printf("%s: %llu zones, %llu names, %llu prefixes, %llu bytes (%.1f a name), "
			     "%llu refused\n",
			     out, (unsigned long long)s->zones, (unsigned long long)s->names,
			     (unsigned long long)s->prefixes, (unsigned long long)s->bytes, each,
			     (unsigned long long)c->refused_count);
		return;
	}
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "snapshot", out, "names",
			      (json_int_t)s->names, "prefixes", (json_int_t)s->prefixes, "rules",
			      (json_int_t)s->rules, "views", (json_int_t)s->views, "bytes",
			      (json_int_t)s->bytes, "refused", (json_int_t)c->refused_count,
			      "zones", c->zones);
	yg_print_object(c->cli, o);
	json_decref(o);
}

static int run_compile(struct yg_cli *cli)
{
	YG_AUTO(compiling_free)
	struct compiling c = {.cli = cli, .refused = json_array(), .zones = json_array()};
	struct yg_err err;
	struct yg_dns_build_stats stats = {.names = 0};
	uint64_t generation = (uint64_t)(yg_env_wall(yg_cli_env(cli)).us / YG_US_PER_S);
	const char *given = yg_cli_get(cli, "generation"), *file = yg_cli_arg(cli, 0);
	if (given != NULL && yg_parse_u64(yg_sv_of(given), &generation, &err) != YG_OK)
		return yg_cli_usage(cli, "--generation is a number");
	yg_arena_init(&c.arena, (size_t)256 << 20);
	const struct yg_dns_build_opts opts = {
		.env = yg_cli_env(cli), .ctx = &c, .refused = on_refused};
	yg_status st = read_policy(&c, file, &err);
	if (st == YG_OK)
		st = yg_dns_builder_new(&opts, &c.builder, &err);
	for (size_t i = 0; st == YG_OK && i < c.policy.zone_count; i++)
		st = add_zone(&c, file, &c.policy.zones[i], &err);
	if (st == YG_OK)
		st = yg_dns_policy_apply(&c.policy, c.builder, &err);
	if (st == YG_OK)
		st = yg_file_make(yg_cli_get(cli, "out"), 0644, write_snapshot,
				  &(struct writing){c.builder, generation, &stats}, &err);
	if (st != YG_OK)
		return yg_cli_fail(&err);
	print_stats(&c, yg_cli_get(cli, "out"), &stats);
	return 0;
}

/* ---- check ---- */

static void put_member(struct yg_buf *b, const char *name, struct yg_sv value)
{
	yg_buf_printf(b, ",\"%s\":", name);
	yg_json_put_str(b, value);
}

static void put_name(struct yg_buf *b, const char *member, struct yg_sv wire, bool wild)
{
	char text[YG_DNS_NAME_TEXT_MAX + 2];
	struct yg_sb sb = yg_sb_init(text, sizeof text);
	struct yg_dns_name name;
	size_t at = 0;
	if (yg_dns_name_read_plain((const uint8_t *)wire.p, wire.n, &at, &name) != YG_OK)
		return;
	yg_sb_put(&sb, wild ? YG_SV("*.") : YG_SV(""));
	yg_dns_name_format(&sb, &name);
	put_member(b, member, yg_sb_sv(&sb));
}

/* The addresses and other records that would be answered, by type. */
static void put_data(struct yg_buf *b, struct yg_sv data)
{
	struct yg_dns_rrset set;
	bool first = true;
	yg_buf_put(b, YG_SV(",\"data\":["));
	while (yg_dns_rrset_next(&data, &set)) {
		char type[16];
		struct yg_sb sb = yg_sb_init(type, sizeof type);
		yg_dns_type_format(&sb, set.type);
		yg_buf_printf(b, "%s{\"type\":\"%s\",\"count\":%u}", first ? "" : ",",
			      yg_sb_cstr(&sb), set.count);
		first = false;
	}
	yg_buf_putc(b, ']');
}

static void put_verdict(struct yg_buf *b, const struct yg_dns_eval *e, size_t i,
			const struct yg_dns_verdict *v)
{
	char record[YG_DNS_NAME_TEXT_MAX + 32];
	struct yg_sb sb = yg_sb_init(record, sizeof record);
	yg_dns_eval_record(e, i, &sb);
	put_member(b, "action", yg_sv_of(yg_dns_action_name(v->action)));
	put_member(b, "given", yg_sv_of(yg_dns_action_name(v->given)));
	put_member(b, "zone", v->zone.name);
	put_member(b, "layer", yg_sv_of(yg_dns_layer_name(v->zone.layer)));
	put_member(b, "trigger", yg_sv_of(yg_dns_trigger_name(v->trigger)));
	put_member(b, "record", yg_sb_sv(&sb));
	put_member(b, "category", v->zone.category);
	yg_buf_printf(b, ",\"ede\":%u", v->zone.ede_code);
	put_member(b, "text", v->zone.ede_text);
	if (v->action == YG_DNS_ACTION_CNAME)
		put_name(b, "target", v->target, v->target_wild);
	if (v->action == YG_DNS_ACTION_DATA)
		put_data(b, v->data);
}

/* What the name alone decides, and what the answer could still change. */
static void put_json(struct yg_buf *b, const char *given, const struct yg_dns_eval *e)
{
	static const struct {
		unsigned bit;
		const char *name;
	} words[] = {{YG_DNS_NEEDS_ADDRESSES, "addresses"},
		     {YG_DNS_NEEDS_SERVERS, "servers"},
		     {YG_DNS_NEEDS_SERVER_ADDRESSES, "server-addresses"}};
	struct yg_dns_verdict v;
	unsigned needs = yg_dns_eval_needs(e);
	bool first = true;
	yg_dns_eval_verdict(e, &v);
	yg_buf_put(b, YG_SV("{\"name\":"));
	yg_json_put_str(b, yg_sv_of(given));
	if (v.action == YG_DNS_ACTION_NONE)
		yg_buf_put(b, YG_SV(",\"action\":\"none\""));
	else
		put_verdict(b, e, SIZE_MAX, &v);
	yg_buf_put(b, YG_SV(",\"needs\":["));
	for (size_t i = 0; i < YG_LEN(words); i++) {
		if ((needs & words[i].bit) == 0)
			continue;
		yg_buf_printf(b, "%s\"%s\"", first ? "" : ",", words[i].name);
		first = false;
	}
	yg_buf_put(b, YG_SV("],\"noted\":["));
	for (size_t i = 0; i < e->note_count; i++) {
		yg_dns_eval_note(e, i, &v);
		yg_buf_put(b, i > 0 ? YG_SV(",{\"name\":") : YG_SV("{\"name\":"));
		yg_json_put_str(b, yg_sv_of(given));
		put_verdict(b, e, i, &v);
		yg_buf_putc(b, '}');
	}
	yg_buf_put(b, YG_SV("]}\n"));
}

static yg_status open_policy(const char *file, struct yg_dns_policy **out, struct yg_err *err)
{
	YG_AUTO(yg_fd_close) int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", file);
	yg_status st = yg_dns_policy_open_fd(fd, 0, out, err);
	return st == YG_OK ? st : (yg_err_wrap(err, "%s: ", file), st);
}

static yg_status check_name(struct yg_cli *cli, const struct yg_dns_policy *p, const char *text,
			    struct yg_ip client, struct yg_buf *line, struct yg_err *err)
{
	struct yg_dns_eval *e = calloc(1, sizeof *e);
	struct yg_dns_name name;
	char buf[YG_DOMAIN_MAX + 1];
	struct yg_sb ascii = yg_sb_init(buf, sizeof buf);
	struct yg_sv s = yg_sv_of(text);
	yg_status st = YG_OK;
	if (e == NULL)
		return YG_FAIL(err, YG_NOMEM, "policy look-up");
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] & 0x80) != 0) { /* an international name */
			st = yg_domain_normalize(s, &ascii, err);
			s = yg_sb_sv(&ascii);
			break;
		}
	if (st == YG_OK)
		st = yg_dns_name_parse(s, NULL, &name, err);
	if (st == YG_OK) {
		yg_dns_eval_begin(e, p, yg_dns_policy_view(p, yg_sv_of(yg_cli_get(cli, "org"))),
				  client);
		yg_dns_eval_name(e, &name, NULL);
		put_json(line, text, e);
		st = yg_buf_done(line);
	}
	free(e);
	return st;
}

static int run_check(struct yg_cli *cli)
{
	struct yg_err err = {.msg = "out of memory"};
	struct yg_dns_policy *p = NULL;
	struct yg_ip client = {{0}};
	struct yg_buf line;
	const char *ip = yg_cli_get(cli, "client");
	if (ip != NULL && yg_ip_parse(yg_sv_of(ip), &client) != YG_OK)
		return yg_cli_usage(cli, "--client is an address");
	yg_status st = open_policy(yg_cli_get(cli, "snapshot"), &p, &err);
	yg_buf_init(&line, 1 << 20);
	for (size_t i = 0; st == YG_OK && i < yg_cli_argc(cli); i++) {
		line.n = 0;
		st = check_name(cli, p, yg_cli_arg(cli, i), client, &line, &err);
		if (st == YG_OK)
			(void)fwrite(line.p, 1, line.n, stdout);
	}
	yg_buf_free(&line);
	yg_dns_policy_close(p);
	return st == YG_OK ? 0 : yg_cli_fail(&err);
}

static const struct yg_opt compile_opts[] = {
	{"out", 'o', YG_OPT_FILE, "SNAP", true, "Snapshot to write.", "書き出すスナップショット。"},
	YG_O_VALUE("generation", "N", "Generation of the snapshot (default: seconds since 1970).",
		   "スナップショットの世代(既定は 1970 年からの秒数)。"),
	YG_OPTS_END};
static const struct yg_opt check_opts[] = {
	{"snapshot", 0, YG_OPT_FILE, "SNAP", true, "Snapshot of a DNS policy.",
	 "DNS ポリシーのスナップショット。"},
	YG_O_VALUE("client", "IP", "Ask as this client.", "このクライアントとして調べる。"),
	YG_O_VALUE("org", "ORG", "Ask as this organisation.", "この組織として調べる。"),
	YG_OPTS_END};

const struct yg_cmd yg_cmds_dns_policy[] = {
	{.noun = "dns",
	 .verb = "compile",
	 .args = "POLICY.yaml",
	 .args_min = 1,
	 .args_max = 1,
	 .opts = compile_opts,
	 .doc = "Compile response policy zones and lists into a snapshot, offline.",
	 .doc_ja = "RPZ とリストから DNS ポリシーのスナップショットを作る(サーバー不要)。",
	 .more = "The file has the list policy, whose order is precedence; files in it are looked for "
		 "beside it and may be packed by gzip or zstd.  A record that is refused is named on "
		 "standard error with its line and the reason, at most 20 of a zone; a zone with an "
		 "error of syntax is not compiled, nor is the policy.",
	 .run = run_compile},
	{.noun = "dns",
	 .verb = "check",
	 .args = "NAME...",
	 .args_min = 1,
	 .args_max = SIZE_MAX,
	 .opts = check_opts,
	 .doc = "Say what a compiled DNS policy does with names, offline.",
	 .doc_ja = "コンパイル済みの DNS ポリシーが名前をどう扱うかを示す(サーバー不要)。",
	 .more = "Prints one line of JSON for each name: the action, and the zone, trigger and record "
		 "that decide; needs says what of the answer could still change it.",
	 .run = run_check},
	{.noun = NULL},
};
