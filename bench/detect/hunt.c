/* hunt.c - how long the event store looks for one indicator, for several, and for a rule, over
 * all that it has: as a hunt asks it, without the rests between slices.
 *
 * usage: bench_detect_hunt STORE_URL */
#include "detect/hunt.h"

#include <stdio.h>

#include "detect/hunt_indicator.h"
#include "os/env.h"

static struct yg_env_real real;
static struct yg_env env;
static struct yg_err err;

static yg_status on_row(void *ctx, const struct yg_event *ev, struct yg_err *e)
{
	(void)ctx;
	(void)ev;
	(void)e;
	return YG_OK;
}

static int scan(struct yg_ch *ch, const char *what, struct yg_sv where, bool lean)
{
	/* ninety days back, as a hunt that is made by itself */
	int64_t now = yg_env_wall(&env).us, began = yg_env_mono(&env).us;
	struct yg_hunt_scan s = {.from = now - 90 * YG_US_PER_DAY, .to = now, .lean = lean};
	unsigned slices = 0;
	for (; !s.done; slices++) {
		if (yg_hunt_next(ch, where, &s, &env, on_row, NULL, &err) != YG_OK) {
			(void)fprintf(stderr, "bench_detect_hunt: %s: %s\n", what, err.msg);
			return 1;
		}
	}
	(void)printf("%-44s %8.2f s  %8llu events in %u slices\n", what,
		     (double)(yg_env_mono(&env).us - began) / YG_US_PER_S,
		     (unsigned long long)s.rows, slices);
	(void)fflush(stdout);
	return 0;
}

static int indicators(struct yg_ch *ch, const char *what, enum yg_indicator_type type,
		      const char *format, unsigned n)
{
	struct yg_hunt_near *near = NULL;
	struct yg_buf where;
	char text[80];
	yg_buf_init(&where, YG_HUNT_NEAR_MAX);
	yg_status st = yg_hunt_near_new(&near, &err);
	for (unsigned i = 1; st == YG_OK && i <= n; i++) {
		struct yg_sb b = yg_sb_init(text, sizeof text);
		yg_sb_put(&b, yg_sv_of(format));
		yg_sb_u64(&b, i);
		yg_sb_put(&b, type == YG_IND_DOMAIN || type == YG_IND_FQDN ? YG_SV(".example")
									   : YG_SV(""));
		st = yg_hunt_near_add(near, type, yg_sb_sv(&b), &err);
	}
	if (st == YG_OK)
		st = yg_hunt_near_where(near, yg_ch_version(ch), &where, &err);
	int rc = st == YG_OK ? scan(ch, what, yg_buf_sv(&where), true) : 1;
	yg_hunt_near_free(near);
	yg_buf_free(&where);
	return rc;
}

static int rule(struct yg_ch *ch)
{
	const struct yg_sv text =
		YG_SV("title: x\nlogsource: {product: linux, service: sshd}\n"
		      "detection: {words: ['Failed password for user77 '], condition: words}\n");
	struct yg_hunt_where *where = NULL;
	struct yg_sigma_rule *r;
	struct yg_arena arena;
	int rc = 1;
	yg_arena_init(&arena, YG_HUNT_RULE_ARENA);
	if (yg_hunt_rule_read(&env, text, &arena, &r, &err) == YG_OK &&
	    yg_hunt_where_new(&env, &where, &err) == YG_OK &&
	    yg_hunt_where_add(where, r, &err) == YG_OK)
		rc = scan(ch, "a rule (sshd, keywords)", yg_hunt_where_text(where), false);
	else
		(void)fprintf(stderr, "bench_detect_hunt: rule: %s\n", err.msg);
	yg_hunt_where_free(where);
	yg_arena_free(&arena);
	return rc;
}

int main(int argc, char **argv)
{
	struct yg_ch *ch = NULL;
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	env = yg_env_real(&real, "bench", 0);
	if (yg_ch_open(&conf, &ch, &err) != YG_OK) {
		(void)fprintf(stderr, "bench_detect_hunt: %s\n", err.msg);
		return 1;
	}
	int rc = indicators(ch, "one address", YG_IND_IP, "203.0.113.", 1);
	rc |= indicators(ch, "one domain, with all names under it", YG_IND_DOMAIN, "evil", 1);
	rc |= indicators(ch, "200 domains at once", YG_IND_DOMAIN, "evil", 200);
	rc |= rule(ch);
	yg_ch_close(ch);
	return rc;
}
