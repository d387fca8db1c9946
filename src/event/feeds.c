#include "event/feeds.h"

#define CLASS(v)                                                                                   \
	{                                                                                          \
		"class", v                                                                         \
	}
#define LOOKUP(v)                                                                                  \
	{                                                                                          \
		"indicator_type", v                                                                \
	}

static const struct yg_feed suricata[] = {
	CLASS("detection_finding"),
	CLASS("network_activity"),
	CLASS("dns_activity"),
	CLASS("http_activity"),
	CLASS("email_activity"),
	CLASS("ssh_activity"),
	CLASS("file_activity"),
	CLASS("dhcp_activity"),
	CLASS("ftp_activity"),
	CLASS("rdp_activity"),
	CLASS("smb_activity"),
	CLASS("authentication"),
	LOOKUP("ip"),
	LOOKUP("ip-port"),
	LOOKUP("domain"),
	LOOKUP("fqdn"),
	LOOKUP("url"),
	LOOKUP("hash"),
	LOOKUP("email"),
};
static const struct yg_feed zeek[] = {
	CLASS("network_activity"),
	CLASS("dns_activity"),
	CLASS("http_activity"),
	CLASS("email_activity"),
	CLASS("ssh_activity"),
	CLASS("file_activity"),
	CLASS("dhcp_activity"),
	CLASS("ftp_activity"),
	CLASS("rdp_activity"),
	CLASS("smb_activity"),
	CLASS("detection_finding"),
	LOOKUP("ip"),
	LOOKUP("ip-port"),
	LOOKUP("domain"),
	LOOKUP("fqdn"),
	LOOKUP("url"),
	LOOKUP("hash"),
	LOOKUP("email"),
};
static const struct yg_feed text[] = {
	CLASS("authentication"),
	CLASS("account_change"),
	CLASS("process_activity"),
	CLASS("network_activity"),
	CLASS("dns_activity"),
	CLASS("http_activity"),
	CLASS("email_activity"),
	CLASS("ssh_activity"),
	LOOKUP("ip"),
	LOOKUP("ip-port"),
	LOOKUP("domain"),
	LOOKUP("fqdn"),
	LOOKUP("url"),
	LOOKUP("email"),
};
static const struct yg_feed cloudtrail[] = {
	CLASS("api_activity"),
	CLASS("authentication"),
	CLASS("account_change"),
	CLASS("entity_management"),
	CLASS("group_management"),
	CLASS("user_access"),
	LOOKUP("ip"),
	LOOKUP("domain"),
	LOOKUP("fqdn"),
};
static const struct yg_feed windows[] = {
	CLASS("authentication"),
	CLASS("account_change"),
	CLASS("process_activity"),
	CLASS("file_activity"),
	CLASS("registry_key_activity"),
	CLASS("dns_activity"),
	CLASS("smb_activity"),
	CLASS("event_log_activity"),
	CLASS("detection_finding"),
	LOOKUP("ip"),
	LOOKUP("domain"),
	LOOKUP("fqdn"),
	LOOKUP("hash"),
};
static const struct yg_feed dnstap[] = {
	CLASS("dns_activity"),
	LOOKUP("ip"),
	LOOKUP("domain"),
	LOOKUP("fqdn"),
};
static const struct yg_feed any[] = {
	LOOKUP("ip"),  LOOKUP("ip-port"), LOOKUP("domain"), LOOKUP("fqdn"),
	LOOKUP("url"), LOOKUP("hash"),    LOOKUP("email"),
};

size_t yg_source_feeds(struct yg_sv source, const struct yg_feed **out)
{
	enum yg_source s = YG_SOURCE_NONE;
	struct yg_sv mapping;
#define FEEDS(list) (*out = (list), YG_LEN(list))
	if (yg_source_parse(source, &s, &mapping, NULL) != YG_OK)
		return 0;
	switch (s) {
	case YG_SOURCE_SURICATA: return FEEDS(suricata);
	case YG_SOURCE_ZEEK: return FEEDS(zeek);
	case YG_SOURCE_SYSLOG: return FEEDS(text);
	case YG_SOURCE_CLOUDTRAIL: return FEEDS(cloudtrail);
	case YG_SOURCE_WINDOWS:
	case YG_SOURCE_EVTX: return FEEDS(windows);
	case YG_SOURCE_DNSTAP: return FEEDS(dnstap);
	case YG_SOURCE_OCSF:
	case YG_SOURCE_NDJSON: return FEEDS(any);
	case YG_SOURCE_NONE:
	case YG_SOURCE_COUNT: break;
	}
	return 0;
}
