/* words.c - words of protocols and the OCSF 1.8 activity numbers for them. */
#include "event/norm.h"

struct word {
	struct yg_sv text;
	uint8_t id;
};

static uint8_t look_up(const struct word *words, size_t count, struct yg_sv text)
{
	for (size_t i = 0; i < count; i++)
		if (yg_sv_eq(words[i].text, text))
			return words[i].id;
	return 99;
}

uint8_t yg_http_activity(struct yg_sv method)
{
	static const struct word words[] = {
		{YG_SV_INIT("GET"), 3},     {YG_SV_INIT("POST"), 6},  {YG_SV_INIT("HEAD"), 4},
		{YG_SV_INIT("CONNECT"), 1}, {YG_SV_INIT("PUT"), 7},   {YG_SV_INIT("OPTIONS"), 5},
		{YG_SV_INIT("DELETE"), 2},  {YG_SV_INIT("TRACE"), 8}, {YG_SV_INIT("PATCH"), 9},
	};
	return method.n == 0 ? 0 : look_up(words, YG_LEN(words), method);
}

uint8_t yg_ftp_activity(struct yg_sv command)
{
	static const struct word words[] = {
		{YG_SV_INIT("STOR"), 1}, {YG_SV_INIT("STOU"), 1}, {YG_SV_INIT("APPE"), 1},
		{YG_SV_INIT("RETR"), 2}, {YG_SV_INIT("DELE"), 4}, {YG_SV_INIT("RNFR"), 5},
		{YG_SV_INIT("RNTO"), 5}, {YG_SV_INIT("LIST"), 6}, {YG_SV_INIT("NLST"), 6},
		{YG_SV_INIT("MLSD"), 6}, {YG_SV_INIT("MLST"), 6},
	};
	return look_up(words, YG_LEN(words), command);
}

uint8_t yg_dhcp_activity(struct yg_sv message)
{
	static const struct word words[] = {
		{YG_SV_INIT("discover"), 1}, {YG_SV_INIT("offer"), 2},  {YG_SV_INIT("request"), 3},
		{YG_SV_INIT("decline"), 4},  {YG_SV_INIT("ack"), 5},    {YG_SV_INIT("nak"), 6},
		{YG_SV_INIT("release"), 7},  {YG_SV_INIT("inform"), 8},
	};
	return look_up(words, YG_LEN(words), message);
}
