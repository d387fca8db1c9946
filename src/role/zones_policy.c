/* zones_policy.c - every zone, in order, into one snapshot; it is given away when it is
 * whole.  zones/current names the last one, from which the next start serves at once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns/answer.h"
#include "dns/source.h"
#include "os/file.h"
#include "os/thread.h"
#include "role/zones_internal.h"

#define FOLDER ZONES_FOLDER
#define NICE   10

static void name_of(uint64_t generation, char *buf, size_t n)
{
	(void)snprintf(buf, n, "policy-%llu.ygs", (unsigned long long)generation);
}

/* "policy-12.ygs" and "policy-12.ygs.tmp": 12; 0: another file. */
static uint64_t generation_of(struct yg_sv name)
{
	uint64_t n = 0;
	if (!yg_sv_starts(name, YG_SV("policy-")))
		return 0;
	name = yg_sv_sub(name, 7, name.n);
	size_t dot = yg_sv_find(name, '.', 0);
	return yg_parse_u64(yg_sv_sub(name, 0, dot), &n, NULL) == YG_OK ? n : 0;
}

/* The one in force and the one before it stay, with what they stand over: who opens them
 * may be a moment late. */
static void remove_old(const struct zones *z)
{
	DIR *d = opendir(FOLDER);
	char path[400];
	if (d == NULL)
		return;
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		uint64_t g = generation_of(yg_sv_of(e->d_name));
		(void)snprintf(path, sizeof path, FOLDER "/%s", e->d_name);
		if (g != 0 && g != z->base.generation && g != z->base_before &&
		    g != zones_job_generation(z) && (g + 1 < z->generation || g > z->generation))
			(void)unlink(path);
	}
	(void)closedir(d);
}

/* Compiling takes whole seconds of a core; who answers queries by a policy goes first.  Before
 * there is one, nothing is more urgent than the first. */
static yg_status give_way(struct zones *z, struct yg_err *err)
{
	if (z->gives_way || z->generation == 0)
		return YG_OK;
	z->gives_way = true;
	return yg_thread_give_way(NICE, err);
}

yg_status zones_policy_open(struct zones *z, struct yg_err *err)
{
	YG_AUTO(yg_buf_free) struct yg_buf b = {0};
	yg_buf_init(&b, 4096);
	yg_status st = yg_file_read(FOLDER "/current", 256, &b, err);
	if (st == YG_OK) {
		struct yg_sv rest = yg_sv_trim(yg_buf_sv(&b)), first;
		(void)yg_sv_cut(&rest, ' ', &first);
		z->generation = generation_of(first);
		z->base_before = generation_of(rest);
	}
	return st == YG_NOTFOUND ? YG_OK : st == YG_OK ? give_way(z, err) : st;
}

struct compiling {
	struct zones *z;
	struct yg_dns_builder *b; /* owned */
	struct zone *at;
	unsigned shown;
	bool over;                        /* the base */
	uint32_t numbers[ZONES_CONF_MAX]; /* of the configured zones, in the builder */
};

static void compiling_end(struct compiling *c)
{
	yg_dns_builder_free(c->b);
}

static void on_refused(void *ctx, uint32_t zone, uint64_t line, const char *reason,
		       struct yg_sv text)
{
	struct compiling *c = ctx;
	struct zone_news *news = &c->at->news;
	(void)zone;
	if (news->refused_n < YG_LEN(news->refused)) {
		struct zone_refused *one = &news->refused[news->refused_n++];
		struct yg_sb b = yg_sb_init(one->text, sizeof one->text);
		one->line = line;
		(void)snprintf(one->reason, sizeof one->reason, "%s", reason);
		yg_sb_put(&b, yg_sv_sub(text, 0, sizeof one->text - 1));
		(void)yg_sb_cstr(&b);
	}
	if (c->shown++ < ZONES_REFUSED_MAX && !c->z->beside)
		yg_role_log(c->z->ctx, YG_EV_ZONES_RECORD, YG_KU("zone", c->at->conf->name),
			    YG_KN("line", line), YG_KS("reason", reason), YG_KU("record", text));
}

static yg_status add_list(struct compiling *c, uint32_t zone, struct yg_err *err)
{
	const struct zone *z = c->at;
	const struct yg_dns_source_opts o = {.builder = c->b,
					     .zone = zone,
					     .is_list = true,
					     .force = z->conf->force != 0,
					     .allow = z->spec.layer == YG_DNS_LAYER_ORG_ALLOW ||
						      z->spec.layer == YG_DNS_LAYER_CENTRE_ALLOW};
	struct yg_dns_source *s = NULL;
	yg_status st = yg_dns_source_new(&o, &s, err);
	if (st == YG_OK)
		st = yg_dns_source_feed(s, zones_list(z), err);
	if (st == YG_OK)
		st = yg_dns_source_end(s, err);
	yg_dns_source_free(s);
	return st;
}

static yg_status add_zone(struct compiling *c, struct zone *z, uint32_t *out, struct yg_err *err)
{
	struct yg_dns_zone_spec spec = z->spec;
	struct yg_dns_name owner;
	struct yg_zone_rr rr;
	size_t at = 0;
	bool continues = c->over && z->changes != NULL;
	c->at = z;
	c->shown = 0;
	z->news.refused_n = 0;
	if (z->now.records != NULL)
		spec.origin = yg_dns_records_origin(z->now.records);
	yg_status st = yg_dns_builder_zone(c->b, &spec, out, err);
	if (st == YG_OK && continues)
		st = zones_base_continue(z, c->b, *out, err);
	if (st == YG_OK && !continues && z->is_list && zones_list(z).n > 0)
		st = add_list(c, *out, err);
	while (st == YG_OK && !continues && z->now.records != NULL &&
	       yg_dns_records_next(z->now.records, &at, &owner, &rr)) {
		st = yg_dns_builder_rr(c->b, *out, &rr, err);
	}
	if (st == YG_OK)
		z->stats = continues ? zones_base_stats(z, c->b, *out)
				     : yg_dns_builder_stats(c->b, *out);
	else
		(void)yg_err_wrap(err, YG_SV_FMT ": ", YG_SV_ARG(z->conf->name));
	return st;
}

/* Whole on disk under its name; synced by publish(), after it was given away. */
static yg_status write_snapshot(struct compiling *c, uint64_t generation, int *out_fd,
				struct yg_dns_build_stats *stats, struct yg_err *err)
{
	char name[64], path[96], tmp[112];
	name_of(generation, name, sizeof name);
	(void)snprintf(path, sizeof path, FOLDER "/%s", name);
	(void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
	(void)unlink(tmp);
	int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return YG_FAIL_OS(err, errno, "%s", tmp);
	yg_status st = yg_dns_builder_finish(c->b, fd, generation, stats, err);
	if (st == YG_OK && rename(tmp, path) != 0)
		st = YG_FAIL_OS(err, errno, "%s", path);
	if (st != YG_OK) {
		(void)unlink(tmp);
		yg_fd_close(&fd);
		return st;
	}
	*out_fd = fd;
	return YG_OK;
}

static yg_status publish(struct zones *z, bool over, int fd, uint64_t generation,
			 struct yg_err *err)
{
	char name[128], base[64];
	name_of(generation, name, sizeof name);
	if (over) { /* both are named: one without the other is nothing */
		name_of(z->base.generation, base, sizeof base);
		size_t n = strlen(name);
		(void)snprintf(name + n, sizeof name - n, " %s", base);
	}
	yg_status st = yg_role_publish(z->ctx, ZONES_KIND, generation, yg_sv_of(name));
	if (st != YG_OK)
		return YG_FAIL(err, st, "the supervisor does not take it");
	z->generation = generation;
	(void)give_way(z, NULL); /* if not, it is only less polite */
	if (fsync(fd) != 0)
		return YG_FAIL_OS(err, errno, "writing %s", name);
	st = yg_file_write(FOLDER "/current", yg_sv_of(name), 0600, err);
	if (st == YG_OK)
		remove_old(z);
	z->base_before = over ? z->base.generation : 0;
	return st;
}

uint64_t zones_policy_next(const struct zones *z)
{
	uint64_t most = YG_MAX(z->generation, z->base.generation); /* which may not be in force */
	return YG_MAX(most, zones_job_generation(z)) + 1;
}

/* Before what people say, which then stands in its place. */
static yg_status add_modes(const struct yg_conf *conf, struct yg_dns_builder *b, struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < conf->dns_mode_count; i++) {
		const struct yg_conf_dns_mode *m = &conf->dns_modes[i];
		enum yg_dns_layer layer;
		enum yg_dns_mode mode;
		if (yg_dns_layer_parse(m->layer, &layer) != YG_OK ||
		    yg_dns_mode_parse(m->mode, &mode) != YG_OK)
			return YG_FAIL(err, YG_PARSE, "resolve.modes: no such layer or mode");
		st = yg_dns_builder_mode(b, m->org, layer, mode, err);
	}
	return st;
}

/* Behind what people say: of two rows for the same the first decides. */
static yg_status add_answers(const struct yg_conf *conf, struct yg_dns_builder *b,
			     struct yg_err *err)
{
	yg_status st = YG_OK;
	for (size_t i = 0; st == YG_OK && i < conf->dns_answer_count; i++) {
		const struct yg_conf_dns_answer *a = &conf->dns_answers[i];
		struct yg_sv rest = a->answer, word;
		(void)yg_sv_cut(&rest, ' ', &word);
		struct yg_dns_answer_row row = {.org = a->org,
						.category = a->category,
						.target = yg_sv_trim(rest),
						.addresses = a->sinkhole,
						.ttl = (uint32_t)a->ttl};
		struct yg_dns_answer_spec spec;
		enum yg_dns_action action;
		if (yg_dns_override_parse(word, &row.answer) != YG_OK)
			return YG_FAIL(err, YG_PARSE, "resolve.answers: there is no such answer");
		st = yg_dns_answer_read(&row, &action, &spec, err);
		if (st == YG_OK)
			st = yg_dns_builder_answer(b, row.org, row.category, action, &spec, err);
	}
	return st == YG_OK ? st : yg_err_wrap(err, "resolve.answers: ");
}

static yg_status build(struct compiling *c, struct zones_compiled *out, struct yg_err *err)
{
	struct zones *z = c->z;
	const struct yg_dns_build_opts o = {.env = &z->ctx->env,
					    .ctx = c,
					    .refused = on_refused,
					    .base = c->over ? z->base.policy : NULL};
	out->bad = SIZE_MAX;
	yg_status st = yg_dns_builder_new(&o, &c->b, err);
	if (st == YG_OK)
		st = add_modes(z->conf, c->b, err);
	if (st == YG_OK)
		st = zones_inputs_before(z, c->b, err);
	if (st == YG_OK)
		st = add_answers(z->conf, c->b, err);
	for (size_t i = 0; st == YG_OK && i < z->count; i++) {
		st = add_zone(c, &z->zones[i], &c->numbers[i], err);
		out->bad = st != YG_OK ? i : SIZE_MAX;
	}
	if (st == YG_OK)
		st = zones_inputs_after(z, c->b, c->over, err);
	if (st == YG_OK && !z->beside)
		zones_made_look(z, c->b, c->numbers);
	return st == YG_OK ? write_snapshot(c, out->generation, &out->fd, &out->stats, err) : st;
}

void zones_compiled_end(struct zones_compiled *c)
{
	yg_fd_close(&c->fd);
	yg_dns_policy_close(c->policy);
	c->policy = NULL;
}

yg_status zones_policy_whole(struct zones *z, struct zones_compiled *c, struct yg_err *err)
{
	YG_AUTO(compiling_end) struct compiling x = {.z = z};
	int64_t from = zones_now(z), used = yg_thread_used_us();
	yg_status st = build(&x, c, err);
	c->took_us = zones_now(z) - from;
	c->used_us = yg_thread_used_us() - used;
	return st;
}

yg_status zones_policy_map(struct zones_compiled *c, struct yg_err *err)
{
	char name[64], path[96];
	struct yg_sv map;
	name_of(c->generation, name, sizeof name);
	(void)snprintf(path, sizeof path, FOLDER "/%s", name);
	yg_status st = yg_file_map(path, ZONES_FILE_MAX, &map, err);
	return st == YG_OK ? yg_dns_policy_open_map(&map, 0, &c->policy, err) : st;
}

/* What is in force now, to those who have it from us. */
static void serve(struct zones *z, bool over)
{
	char name[64], path[96];
	struct yg_err err = {0};
	struct yg_dns_policy *p = NULL;
	if (z->serve == NULL)
		return;
	name_of(z->generation, name, sizeof name);
	(void)snprintf(path, sizeof path, FOLDER "/%s", name);
	YG_AUTO(yg_fd_close) int fd = -1;
	yg_status st = YG_OK;
	if (!over && z->base.policy != NULL) {
		p = yg_dns_policy_ref(z->base.policy);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		st = fd < 0 ? YG_FAIL_OS(&err, errno, "%s", path)
			    : yg_dns_policy_open_over(fd, 0, z->base.policy, &p, &err);
	}
	if (st == YG_OK)
		zones_serve_publish(z, p, z->generation);
	else
		yg_role_log(z->ctx, YG_EV_ZONES_FAILED, YG_KERR(&err));
	yg_dns_policy_close(p);
}

static void tell(struct zones *z, const struct zones_compiled *c, uint64_t over)
{
	uint64_t refused = 0, outside = 0;
	for (size_t i = 0; i < z->count; i++) {
		refused += z->zones[i].stats.refused;
		outside += z->zones[i].stats.out_of_zone;
	}
	yg_role_log(z->ctx, YG_EV_ZONES_COMPILED, YG_KN("generation", c->generation),
		    YG_KN("over", over), YG_KN("zones", c->stats.zones),
		    YG_KN("names", c->stats.names), YG_KN("prefixes", c->stats.prefixes),
		    YG_KN("bytes", c->stats.bytes), YG_KN("refused", refused),
		    YG_KN("out_of_zone", outside), YG_KN("allow", z->allow_count),
		    YG_KN("blocks", z->block_count), YG_KN("indicators", z->indicator_count),
		    YG_KN("took_ms", c->took_us / 1000));
}

/* What it says of all that is on trial.  YG_AGAIN: something was refused. */
static yg_status judge(struct zones *z, const struct zones_compiled *c, yg_status st,
		       const struct yg_err *err)
{
	if (st == YG_OK)
		zones_tried_good(z, NULL);
	else if (zones_tried_bad(z, NULL, c->bad, err))
		st = YG_AGAIN;
	return st;
}

/* Over the base.  YG_LIMIT and YG_NOTFOUND: all is to be compiled; YG_AGAIN: once more. */
static yg_status compile_over(struct zones *z, struct yg_err *err)
{
	YG_AUTO(compiling_end) struct compiling c = {.z = z, .over = true};
	YG_AUTO(zones_compiled_end)
	struct zones_compiled out = {.generation = zones_policy_next(z), .fd = -1};
	int64_t from = zones_now(z), used = yg_thread_used_us();
	yg_status st = build(&c, &out, err);
	if (st == YG_LIMIT || st == YG_NOTFOUND)
		return st;
	st = judge(z, &out, st, err);
	if (st == YG_OK)
		st = publish(z, true, out.fd, out.generation, err);
	out.took_us = zones_now(z) - from;
	zones_base_done(z, yg_thread_used_us() - used);
	if (st != YG_OK)
		return st;
	serve(z, true);
	tell(z, &out, z->base.generation);
	return YG_OK;
}

/* All of it, here and now.  YG_AGAIN: once more. */
static yg_status compile_whole(struct zones *z, struct yg_err *err)
{
	YG_AUTO(zones_compiled_end)
	struct zones_compiled c = {.generation = zones_policy_next(z), .fd = -1};
	int64_t from = zones_now(z);
	yg_status st = zones_policy_whole(z, &c, err);
	st = judge(z, &c, st, err);
	if (st == YG_OK)
		st = publish(z, false, c.fd, c.generation, err);
	if (st != YG_OK)
		return st;
	c.took_us = zones_now(z) - from;
	z->intel_changed = false;
	(void)zones_policy_map(&c, NULL); /* if not, the next one is whole, too */
	zones_base_set(z, &c);
	serve(z, false);
	tell(z, &c, 0);
	return YG_OK;
}

void zones_policy_take(struct zones *z, struct zones_compiled *c)
{
	struct yg_err err = {0};
	tell(z, c, 0);
	if (z->given || z->generation > c->generation) {
		z->given = false;
		zones_policy_compile(z);
		return;
	}
	if (publish(z, false, c->fd, c->generation, &err) != YG_OK)
		yg_role_log(z->ctx, YG_EV_ZONES_FAILED, YG_KERR(&err));
	else
		serve(z, false);
	zones_rest(z);
}

void zones_rest(const struct zones *z)
{
	for (size_t i = 0; i < z->count; i++) {
		if (z->zones[i].now.records != NULL)
			yg_dns_records_rest(z->zones[i].now.records);
		yg_file_rest(&z->zones[i].now.list_map);
	}
	yg_dns_policy_rest(z->base.policy);
	(void)malloc_trim(0);
}

/* Over the base when that is quicker, else all of it: beside, when it takes long. */
void zones_policy_compile(struct zones *z)
{
	struct yg_err err = {0};
	yg_status st = YG_LIMIT;
	z->dirty = false;
	z->compiled_at = zones_now(z);
	if (zones_inputs_hold(z))
		return; /* said when they were refused */
	if (zones_base_fits(z))
		st = compile_over(z, &err);
	if (st == YG_LIMIT || st == YG_NOTFOUND) {
		err = (struct yg_err){0};
		if (zones_job_busy(z)) {
			z->given = true; /* when it is done */
			return;
		}
		if (z->begun && zones_base_large(z) && zones_job_begin(z, ZONES_COMPILE))
			return;
		st = compile_whole(z, &err);
	}
	z->begun = true;
	zones_rest(z);
	if (st == YG_AGAIN)
		zones_changed(z);
	else if (st != YG_OK)
		yg_role_log(z->ctx, YG_EV_ZONES_FAILED, YG_KERR(&err));
}
