#include "base/status.h"

static const struct {
	const char *name, *text;
	int http, code;
} map[] = {
#define X(name, num, http, code, text) [num] = {#name, text, http, code},
	YG_STATUS_MAP(X)
#undef X
};
static_assert(YG_LEN(map) == YG_STATUS_COUNT, "status numbers must be dense");

const char *yg_status_name(yg_status s)
{
	return (unsigned)s < YG_LEN(map) ? map[s].name : "UNKNOWN";
}

const char *yg_status_text(yg_status s)
{
	return (unsigned)s < YG_LEN(map) ? map[s].text : "unknown status";
}

int yg_status_http(yg_status s)
{
	return (unsigned)s < YG_LEN(map) ? map[s].http : 500;
}

int yg_status_exit(yg_status s)
{
	return (unsigned)s < YG_LEN(map) ? map[s].code : 1;
}
