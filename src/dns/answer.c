#include "dns/answer.h"

bool yg_dns_category_ok(struct yg_sv s)
{
	if (s.n > YG_DNS_CATEGORY_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!word && (i == 0 || (c != '-' && c != '_' && c != '.')))
			return false;
	}
	return true;
}

static yg_status read_addresses(struct yg_sv rest, struct yg_dns_answer_spec *spec,
				struct yg_err *err)
{
	struct yg_sv one;
	while (rest.n > 0) {
		(void)yg_sv_cut(&rest, ' ', &one);
		if (spec->sinkhole_count == YG_DNS_SINKHOLES_MAX)
			return YG_FAIL(err, YG_INVAL, "a sinkhole has at most %d addresses",
				       YG_DNS_SINKHOLES_MAX);
		if (yg_ip_parse(one, &spec->sinkhole[spec->sinkhole_count++]) != YG_OK)
			return YG_FAIL(err, YG_INVAL, "a sinkhole is an IPv4 or IPv6 address");
	}
	return spec->sinkhole_count > 0 ? YG_OK
					: YG_FAIL(err, YG_INVAL, "a sinkhole needs an address");
}

yg_status yg_dns_answer_read(const struct yg_dns_answer_row *row, enum yg_dns_action *action,
			     struct yg_dns_answer_spec *spec, struct yg_err *err)
{
	*spec = (struct yg_dns_answer_spec){.ttl = row->ttl};
	yg_dns_name_root(&spec->target);
	if (row->ttl > YG_DNS_ANSWER_TTL_MAX)
		return YG_FAIL(err, YG_INVAL, "the TTL is at most a day");
	if (!yg_dns_category_ok(row->category))
		return YG_FAIL(err, YG_INVAL, "a category is up to %d of a-z 0-9 . _ -",
			       YG_DNS_CATEGORY_MAX);
	switch (row->answer) {
	case YG_DNS_OVERRIDE_NXDOMAIN: *action = YG_DNS_ACTION_NXDOMAIN; return YG_OK;
	case YG_DNS_OVERRIDE_NODATA: *action = YG_DNS_ACTION_NODATA; return YG_OK;
	case YG_DNS_OVERRIDE_SINKHOLE:
		*action = YG_DNS_ACTION_DATA;
		return read_addresses(row->addresses, spec, err);
	case YG_DNS_OVERRIDE_CNAME: *action = YG_DNS_ACTION_CNAME; break;
	default: return YG_FAIL(err, YG_INVAL, "there is no such answer");
	}
	struct yg_err why = {.msg = ""};
	if (yg_dns_name_parse(row->target, NULL, &spec->target, &why) != YG_OK ||
	    spec->target.labels == 0)
		return YG_FAIL(err, YG_INVAL, "a walled garden needs a name as its target");
	return YG_OK;
}
