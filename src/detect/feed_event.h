/* feed_event.h - which of our events are connections and logins; pure.
 *
 * A connection: Zeek's conn, Suricata's flow, Windows 5156 and 5157, Sysmon 3, and what
 * firewalls and flow exporters tell of two addresses.  Not the other logs of the same flow
 * (tls, dns, http, one-way halves), which would count it twice, and none to many addresses
 * at once.  From a service's port to one that is none it may be an answer, and says that.
 * A login: an authentication that came from an address and has an outcome: Windows 4624,
 * 4625, 4768 and 4771, sshd, CloudTrail's ConsoleLogin, and what is mapped to OCSF
 * Authentication (Logon).  Not those of machines (NAME$).
 */
#pragma once
#include "detect/feed.h"
#include "event/event.h"

/* One entry (CONNECTION or LOGIN) whose views are the event's; false: it is neither. */
bool yg_feed_of_event(const struct yg_event *ev, struct yg_feed_entry *out);
