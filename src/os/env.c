#include "os/env.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

/* This file is what everybody else is told to use instead. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int64_t clock_us(clockid_t id)
{
	struct timespec t;
	YG_REQUIRE(clock_gettime(id, &t) == 0);
	return (int64_t)t.tv_sec * YG_US_PER_S + t.tv_nsec / 1000;
}

static yg_mono real_mono(void *ctx)
{
	(void)ctx;
	return (yg_mono){clock_us(CLOCK_MONOTONIC)};
}

static yg_wall real_wall(void *ctx)
{
	(void)ctx;
	return (yg_wall){clock_us(CLOCK_REALTIME)};
}

static void real_random(void *ctx, void *out, size_t n)
{
	(void)ctx;
	uint8_t *p = out;
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		YG_REQUIRE(got > 0); /* without randomness nothing here is safe */
		p += got;
		n -= (size_t)got;
	}
}

/* False when this record is over its rate; else how many were held back before. */
static bool rate_take(struct yg_env_real *real, size_t row, uint32_t *out_suppressed)
{
	uint64_t minute = (uint64_t)clock_us(CLOCK_MONOTONIC) / (60 * (uint64_t)YG_US_PER_S) + 1;
	if (__atomic_load_n(&real->rate[row].minute, __ATOMIC_RELAXED) != minute) {
		__atomic_store_n(&real->rate[row].minute, minute, __ATOMIC_RELAXED);
		__atomic_store_n(&real->rate[row].count, 0, __ATOMIC_RELAXED);
	}
	uint32_t n = __atomic_add_fetch(&real->rate[row].count, 1, __ATOMIC_RELAXED);
	if (n > yg_event_rows[row].per_min) {
		(void)__atomic_add_fetch(&real->rate[row].suppressed, 1, __ATOMIC_RELAXED);
		return false;
	}
	*out_suppressed = __atomic_exchange_n(&real->rate[row].suppressed, 0, __ATOMIC_RELAXED);
	return true;
}

/* What a line is made of before its fields. */
static void put_head(struct yg_sb *b, const struct yg_env_real *real, const struct yg_event_row *r,
		     uint32_t suppressed)
{
	yg_sb_put(b, YG_SV("{\"time\":\""));
	yg_time_format(b, real_wall(NULL));
	yg_sb_printf(
		b,
		"\",\"level\":\"%s\",\"event\":\"%s\",\"id\":%u,\"role\":\"%s\",\"index\":%u,\"pid\":%d",
		yg_level_name(r->level), r->name, r->id, real->role, real->index, (int)getpid());
	if (suppressed > 0)
		yg_sb_printf(b, ",\"suppressed\":%u", suppressed);
}

static enum yg_log_fate put_line(struct yg_env_real *real, struct yg_sv line)
{
	if (real->out != NULL)
		return yg_log_out_put(real->out, line);
	/* a log that cannot be written must not stop the work */
	ssize_t put = write(real->fd, line.p, line.n);
	(void)put;
	return YG_LOG_WRITTEN;
}

static enum yg_log_fate put_record(struct yg_env_real *real, size_t row, struct yg_sv json)
{
	const struct yg_event_row *r = &yg_event_rows[row];
	uint32_t suppressed = 0;
	if (r->level < real->level || !rate_take(real, row, &suppressed))
		return YG_LOG_LOST;
	char buf[YG_LOG_RECORD_MAX + 512];
	struct yg_sb b = yg_sb_init(buf, sizeof buf - 1);
	put_head(&b, real, r, suppressed);
	struct yg_sv fields = yg_sv_sub(json, 1, json.n); /* "{...}" or "{}" */
	if (fields.n > 1)
		yg_sb_putc(&b, ',');
	yg_sb_put(&b, fields);
	if (!YG_CHECK(!b.cut))
		return YG_LOG_LOST;
	if (real->tee != NULL && r->level >= YG_LEVEL_NOTICE)
		real->tee(real->tee_ctx, r->id, r->level, yg_sb_sv(&b));
	buf[b.n] = '\n';
	return put_line(real, (struct yg_sv){buf, b.n + 1});
}

/* Whoever reads reads again: what it has missed is told. */
static void tell_lost(struct yg_env_real *real)
{
	uint64_t n = yg_log_out_lost(real->out);
	if (n == 0)
		return;
	char json[64];
	struct yg_sb b = yg_sb_init(json, sizeof json);
	yg_sb_printf(&b, "{\"records\":%llu}", (unsigned long long)n);
	if (put_record(real, yg_event_index(YG_EV_LOG_LOST), yg_sb_sv(&b)) == YG_LOG_LOST)
		yg_log_out_lost_back(real->out, n);
}

static void real_emit(void *ctx, uint32_t event_id, struct yg_sv json)
{
	struct yg_env_real *real = ctx;
	size_t row = yg_event_index(event_id);
	if (YG_CHECK(row < YG_EVENT_ROWS) && put_record(real, row, json) == YG_LOG_WRITTEN &&
	    real->out != NULL)
		tell_lost(real);
}

static void on_drained(void *ctx)
{
	tell_lost(ctx);
}

void yg_env_real_out(struct yg_env_real *real, struct yg_log_out *out)
{
	yg_log_out_begin(out, real->fd);
	real->out = out;
}

yg_status yg_env_real_watch(struct yg_env_real *real, uv_loop_t *loop, struct yg_err *err)
{
	return yg_log_out_watch(real->out, loop, on_drained, real, err);
}

struct yg_env yg_env_real(struct yg_env_real *real, const char *role, uint32_t index)
{
	*real = (struct yg_env_real){.index = index, .fd = STDERR_FILENO, .level = YG_LEVEL_INFO};
	struct yg_sb name = yg_sb_init(real->role, sizeof real->role);
	yg_sb_put(&name, yg_sv_of(role));
	(void)yg_sb_cstr(&name);
	return (struct yg_env){.ctx = real,
			       .mono = real_mono,
			       .wall = real_wall,
			       .random = real_random,
			       .emit = real_emit};
}

void yg_env_real_level(struct yg_env_real *real, struct yg_sv name)
{
	yg_level level;
	if (yg_level_parse(name, &level))
		real->level = level;
}
