/* policy_words.c - names of triggers, actions, overrides, layers and modes. */
#include "dns/policy.h"

#define WORD_ROW(id, name) name,
static const char *const triggers[] = {YG_DNS_TRIGGERS(WORD_ROW)};
static const char *const actions[] = {YG_DNS_ACTIONS(WORD_ROW)};
static const char *const overrides[] = {YG_DNS_OVERRIDES(WORD_ROW)};
static const char *const layers[] = {YG_DNS_LAYERS(WORD_ROW)};
static const char *const modes[] = {YG_DNS_MODES(WORD_ROW)};

const char *yg_dns_trigger_name(enum yg_dns_trigger t)
{
	return (size_t)t < YG_LEN(triggers) ? triggers[t] : "unknown";
}

const char *yg_dns_action_name(enum yg_dns_action a)
{
	return (size_t)a < YG_LEN(actions) ? actions[a] : "unknown";
}

const char *yg_dns_override_name(enum yg_dns_override o)
{
	return (size_t)o < YG_LEN(overrides) ? overrides[o] : "unknown";
}

const char *yg_dns_layer_name(enum yg_dns_layer l)
{
	return (size_t)l < YG_LEN(layers) ? layers[l] : "unknown";
}

const char *yg_dns_mode_name(enum yg_dns_mode m)
{
	return (size_t)m < YG_LEN(modes) ? modes[m] : "unknown";
}

/* The row of a word; `count` when it is none of them. */
static size_t find_word(struct yg_sv s, const char *const *words, size_t count)
{
	size_t i = 0;
	while (i < count && !yg_sv_eq(s, yg_sv_of(words[i])))
		i++;
	return i;
}

yg_status yg_dns_override_parse(struct yg_sv s, enum yg_dns_override *out)
{
	size_t i = find_word(s, overrides, YG_LEN(overrides));
	if (i == YG_LEN(overrides))
		return YG_PARSE;
	*out = (enum yg_dns_override)i;
	return YG_OK;
}

yg_status yg_dns_layer_parse(struct yg_sv s, enum yg_dns_layer *out)
{
	size_t i = find_word(s, layers, YG_LEN(layers));
	if (i == YG_LEN(layers))
		return YG_PARSE;
	*out = (enum yg_dns_layer)i;
	return YG_OK;
}

yg_status yg_dns_mode_parse(struct yg_sv s, enum yg_dns_mode *out)
{
	size_t i = find_word(s, modes, YG_LEN(modes));
	if (i == YG_LEN(modes))
		return YG_PARSE;
	*out = (enum yg_dns_mode)i;
	return YG_OK;
}
