/* ext.h - what Cedar's extension types can do: decimal, ipaddr, datetime, duration.
 * Pure; values that need memory take it from the arena given. */
#pragma once
#include "cedar/value.h"

#define YG_CEDAR_DAY_MS 86400000LL

/* name, method, arguments with the receiver, kind of the result, kind of the first,
 * of the second argument (0: there is none).  Numbers are in snapshots: append only. */
/* clang-format off */
#define YG_CEDAR_FN_MAP(X)                                                     \
	X(decimal, false, DECIMAL, STRING, 0)                                  \
	X(lessThan, true, BOOL, DECIMAL, YG_CEDAR_DECIMAL)                     \
	X(lessThanOrEqual, true, BOOL, DECIMAL, YG_CEDAR_DECIMAL)              \
	X(greaterThan, true, BOOL, DECIMAL, YG_CEDAR_DECIMAL)                  \
	X(greaterThanOrEqual, true, BOOL, DECIMAL, YG_CEDAR_DECIMAL)           \
	X(ip, false, IP, STRING, 0)                                            \
	X(isIpv4, true, BOOL, IP, 0)                                           \
	X(isIpv6, true, BOOL, IP, 0)                                           \
	X(isLoopback, true, BOOL, IP, 0)                                       \
	X(isMulticast, true, BOOL, IP, 0)                                      \
	X(isInRange, true, BOOL, IP, YG_CEDAR_IP)                              \
	X(datetime, false, DATETIME, STRING, 0)                                \
	X(duration, false, DURATION, STRING, 0)                                \
	X(offset, true, DATETIME, DATETIME, YG_CEDAR_DURATION)                 \
	X(durationSince, true, DURATION, DATETIME, YG_CEDAR_DATETIME)          \
	X(toDate, true, DATETIME, DATETIME, 0)                                 \
	X(toTime, true, DURATION, DATETIME, 0)                                 \
	X(toMilliseconds, true, LONG, DURATION, 0)                             \
	X(toSeconds, true, LONG, DURATION, 0)                                  \
	X(toMinutes, true, LONG, DURATION, 0)                                  \
	X(toHours, true, LONG, DURATION, 0)                                    \
	X(toDays, true, LONG, DURATION, 0)
/* clang-format on */
enum yg_cedar_fn {
#define X(name, method, result, first, second) YG_CF_##name,
	YG_CEDAR_FN_MAP(X)
#undef X
		YG_CF_COUNT
};

struct yg_cedar_fn_about {
	struct yg_sv name;
	bool method;
	uint8_t args;
	uint8_t result, arg[2]; /* enum yg_cedar_kind */
};
const struct yg_cedar_fn_about *yg_cedar_fn_about(enum yg_cedar_fn fn);
bool yg_cedar_fn_find(struct yg_sv name, enum yg_cedar_fn *out);

/* YG_OK | YG_PARSE (wrong number or kind of arguments, a text that is none, overflow:
 * what Cedar calls an error of evaluation) | YG_NOMEM. */
yg_status yg_cedar_call(enum yg_cedar_fn fn, const struct yg_cedar_value *args, size_t n,
			struct yg_arena *arena, struct yg_cedar_value *out, struct yg_err *err);

/* The texts of the constructors.  YG_OK | YG_PARSE. */
yg_status yg_cedar_decimal_parse(struct yg_sv s, int64_t *out, struct yg_err *err);
yg_status yg_cedar_datetime_parse(struct yg_sv s, int64_t *out, struct yg_err *err);
yg_status yg_cedar_duration_parse(struct yg_sv s, int64_t *out, struct yg_err *err);
/* *out_v6, *out_bits, and 4 or 16 bytes. */
yg_status yg_cedar_ip_parse(struct yg_sv s, bool *out_v6, uint8_t *out_bits, uint8_t out[static 16],
			    struct yg_err *err);
