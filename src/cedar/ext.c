#include "cedar/ext.h"

static const struct yg_cedar_fn_about fns[] = {
#define X(fn, is_method, kind, first, second)                                                      \
	{.name = YG_SV_INIT(#fn),                                                                  \
	 .method = is_method,                                                                      \
	 .args = (second) != 0 ? 2 : 1,                                                            \
	 .result = YG_CEDAR_##kind,                                                                \
	 .arg = {YG_CEDAR_##first, second}},
	YG_CEDAR_FN_MAP(X)
#undef X
};
static_assert(YG_LEN(fns) == YG_CF_COUNT, "one row per function");

const struct yg_cedar_fn_about *yg_cedar_fn_about(enum yg_cedar_fn fn)
{
	return &fns[fn];
}

bool yg_cedar_fn_find(struct yg_sv name, enum yg_cedar_fn *out)
{
	for (size_t i = 0; i < YG_LEN(fns); i++) {
		if (yg_sv_eq(fns[i].name, name)) {
			*out = (enum yg_cedar_fn)i;
			return true;
		}
	}
	return false;
}

/* ---- ipaddr ---- */

/* The first `bits` bits of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & (0xff00u >> rest & 0xffu)) == 0);
}
/* All addresses of a are among those of b. */
static bool in_range(const struct yg_cedar_value *a, const struct yg_cedar_value *b)
{
	return a->v6 == b->v6 && a->bits >= b->bits && same_bits(a->ip, b->ip, b->bits);
}
static bool is_loopback(const struct yg_cedar_value *v)
{
	static const uint8_t v4[4] = {127}, v6[16] = {[15] = 1};
	return v->v6 ? v->bits == 128 && same_bits(v->ip, v6, 128)
		     : v->bits >= 8 && same_bits(v->ip, v4, 8);
}
static bool is_multicast(const struct yg_cedar_value *v)
{
	static const uint8_t v4[4] = {224}, v6[16] = {0xff};
	return v->v6 ? v->bits >= 8 && same_bits(v->ip, v6, 8)
		     : v->bits >= 4 && same_bits(v->ip, v4, 4);
}
static yg_status make_ip(struct yg_sv text, struct yg_arena *arena, struct yg_cedar_value *out,
			 struct yg_err *err)
{
	uint8_t bytes[16], bits;
	bool v6;
	yg_status st = yg_cedar_ip_parse(text, &v6, &bits, bytes, err);
	if (st != YG_OK)
		return st;
	size_t n = v6 ? 16 : 4;
	uint8_t *kept = yg_arena_alloc(arena, n, 1);
	if (kept == NULL)
		return YG_FAIL(err, YG_NOMEM, "no memory for an address");
	memcpy(kept, bytes, n);
	*out = (struct yg_cedar_value){
		.kind = YG_CEDAR_IP, .bits = bits, .v6 = v6, .n = (uint32_t)n, .ip = kept};
	return YG_OK;
}

/* ---- datetime ---- */

static int64_t day_of(int64_t ms) /* floor */
{
	return ms / YG_CEDAR_DAY_MS - (ms % YG_CEDAR_DAY_MS < 0);
}

static bool to_number(enum yg_cedar_fn fn, const struct yg_cedar_value *args, int64_t *out)
{
	int64_t a = args[0].i;
	switch (fn) {
	case YG_CF_offset: return !__builtin_add_overflow(a, args[1].i, out);
	case YG_CF_durationSince: return !__builtin_sub_overflow(a, args[1].i, out);
	case YG_CF_toDate: return !__builtin_mul_overflow(day_of(a), YG_CEDAR_DAY_MS, out);
	case YG_CF_toTime:
		*out = a % YG_CEDAR_DAY_MS;
		*out += *out < 0 ? YG_CEDAR_DAY_MS : 0;
		return true;
	case YG_CF_toMilliseconds: *out = a; return true;
	case YG_CF_toSeconds: *out = a / 1000; return true;
	case YG_CF_toMinutes: *out = a / 60000; return true;
	case YG_CF_toHours: *out = a / 3600000; return true;
	case YG_CF_toDays: *out = a / YG_CEDAR_DAY_MS; return true;
	default: return false;
	}
}

static bool to_bool(enum yg_cedar_fn fn, const struct yg_cedar_value *args)
{
	switch (fn) {
	case YG_CF_lessThan: return args[0].i < args[1].i;
	case YG_CF_lessThanOrEqual: return args[0].i <= args[1].i;
	case YG_CF_greaterThan: return args[0].i > args[1].i;
	case YG_CF_greaterThanOrEqual: return args[0].i >= args[1].i;
	case YG_CF_isIpv4: return !args[0].v6;
	case YG_CF_isIpv6: return args[0].v6;
	case YG_CF_isLoopback: return is_loopback(&args[0]);
	case YG_CF_isMulticast: return is_multicast(&args[0]);
	case YG_CF_isInRange: return in_range(&args[0], &args[1]);
	default: return false;
	}
}

static yg_status make(enum yg_cedar_fn fn, struct yg_sv text, struct yg_arena *arena,
		      struct yg_cedar_value *out, struct yg_err *err)
{
	int64_t i = 0;
	yg_status st;
	if (fn == YG_CF_ip)
		return make_ip(text, arena, out, err);
	if (fn == YG_CF_decimal)
		st = yg_cedar_decimal_parse(text, &i, err);
	else if (fn == YG_CF_datetime)
		st = yg_cedar_datetime_parse(text, &i, err);
	else
		st = yg_cedar_duration_parse(text, &i, err);
	*out = yg_cedar_number((enum yg_cedar_kind)fns[fn].result, i);
	return st;
}

yg_status yg_cedar_call(enum yg_cedar_fn fn, const struct yg_cedar_value *args, size_t n,
			struct yg_arena *arena, struct yg_cedar_value *out, struct yg_err *err)
{
	const struct yg_cedar_fn_about *about = &fns[fn];
	if (n != about->args)
		return YG_FAIL(err, YG_PARSE, "%s takes %u arguments, not %zu", about->name.p,
			       about->args, n);
	for (size_t i = 0; i < n; i++)
		if (args[i].kind != about->arg[i])
			return YG_FAIL(err, YG_PARSE, "%s: expected %s, got %s", about->name.p,
				       yg_cedar_kind_name((enum yg_cedar_kind)about->arg[i]),
				       yg_cedar_kind_name((enum yg_cedar_kind)args[i].kind));
	if (about->arg[0] == YG_CEDAR_STRING) {
		yg_status st = make(fn, yg_cedar_str(&args[0]), arena, out, err);
		return st == YG_OK ? YG_OK : (yg_err_wrap(err, "%s: ", about->name.p), st);
	}
	if (about->result == YG_CEDAR_BOOL) {
		*out = yg_cedar_bool(to_bool(fn, args));
		return YG_OK;
	}
	int64_t i;
	if (!to_number(fn, args, &i))
		return YG_FAIL(err, YG_PARSE, "%s: overflow", about->name.p);
	*out = yg_cedar_number((enum yg_cedar_kind)about->result, i);
	return YG_OK;
}
