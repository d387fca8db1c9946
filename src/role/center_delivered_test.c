/* Up to when everything is in the store, as workers answer. */
#include "role/center_delivered.h"

#include "tap.h"

static struct center_delivered d;

static int64_t look(int64_t now, bool all, const uint64_t (*spools)[3], size_t n)
{
	center_delivered_begin(&d, (yg_wall){now});
	for (size_t i = 0; i < n; i++)
		center_delivered_spool(&d, (uint32_t)spools[i][0], spools[i][1], spools[i][2]);
	return center_delivered_end(&d, all).us;
}

#define LOOK(now, all, ...)                                                                        \
	look(now, all, (const uint64_t[][3])__VA_ARGS__,                                           \
	     sizeof(const uint64_t[][3]) __VA_ARGS__ / sizeof(uint64_t[3]))

int main(void)
{
	T_NAMED(LOOK(100, true, {{1, 50, 40}}) == 0,
		"who is behind at the beginning was so before");
	T_OK(LOOK(110, true, {{1, 60, 45}}) == 0);
	T_NAMED(LOOK(120, true, {{1, 70, 50}}) == 100, "what was there then is stored");
	T_OK(LOOK(130, true, {{1, 90, 69}}) == 100);
	T_NAMED(LOOK(140, true, {{1, 95, 71}}) == 120, "so far behind it stays");
	T_NAMED(LOOK(150, true, {{1, 95, 95}}) == 150, "nothing waits");
	T_NAMED(LOOK(160, true, {{1, 95, 95}, {2, 9, 3}}) == 150, "another one is behind");
	T_NAMED(LOOK(170, false, {{1, 95, 95}}) == 150, "who does not answer may be behind");
	T_OK(LOOK(180, true, {{1, 95, 95}, {2, 12, 9}}) == 160);
	T_NAMED(LOOK(190, true, {{1, 95, 95}}) == 190, "a spool that is no more");
	T_NAMED(LOOK(185, true, {{1, 95, 95}}) == 190, "it never goes back");
	for (uint32_t i = 0; i < CENTER_SPOOLS_MAX + 5; i++) {
		if (i == 0)
			center_delivered_begin(&d, (yg_wall){200});
		center_delivered_spool(&d, i, 1, 1);
	}
	T_NAMED(center_delivered_end(&d, true).us == 190, "more than are looked after");
	return tap_done();
}
