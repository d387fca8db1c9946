#include "role/message.h"

struct rule {
	uint32_t type, min, max;
	unsigned from, to;
};
static const struct rule rules[] = {
#define X(name, num, min, max, from, to) {num, min, max, from, to},
	YG_IPC_MAP(X)
#undef X
};

static const struct rule *rule_of(uint32_t type)
{
	for (size_t i = 0; i < YG_LEN(rules); i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

bool yg_ipc_allowed(uint32_t type, size_t body, unsigned from, unsigned to)
{
	const struct rule *r = rule_of(type);
	return r != NULL && body >= r->min && body <= r->max && (r->from & from) != 0 &&
	       (r->to & to) != 0;
}

uint32_t yg_ipc_max(uint32_t type)
{
	const struct rule *r = rule_of(type);
	return r != NULL ? r->max : 0;
}
