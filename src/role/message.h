/* message.h - every message between our processes: who may send it to whom, how
 * small and how large.  Both ends check against this map (os/ipc.h). */
#pragma once
#include "base/limits.h"
#include "os/ipc.h"

enum yg_role_bit {
	YG_R_MAIN = 1,
	YG_R_CENTER = 2,
	YG_R_STORE = 4,
	YG_R_INGEST = 8,
	YG_R_RESOLVE = 16,
	YG_R_ZONES = 32,
	YG_R_ALL =
		YG_R_CENTER | YG_R_STORE | YG_R_INGEST | YG_R_RESOLVE | YG_R_ZONES, /* but main */
};

/* clang-format off */
#define YG_IPC_MAP(X)                                                                                  \
	/* name          num  min  max                     from                    to */               \
	/* control channel: fd 3 of every role, the other end in main */                               \
	X(READY,           1,   0, 256,                    YG_R_ALL, YG_R_MAIN) \
	X(LOG,             2,   8, 65536,                  YG_R_ALL, YG_R_MAIN)   /* u32 event id, u32 level, json: kept by main for center's system events */ \
	X(DRAIN,           3,   0, 0,                      YG_R_MAIN, YG_R_ALL)   /* finish what is begun, then exit 0 */ \
	X(CONFIG,          4,   0, 1048576,                YG_R_MAIN, YG_R_ALL)   /* the whole checked configuration as YAML text: a reload */ \
	X(SNAPSHOT,        5,  16, 16,                     YG_R_MAIN, YG_R_INGEST | YG_R_RESOLVE | YG_R_ZONES)   /* u32 kind, u32 0, u64 generation; carries a sealed memfd */ \
	X(PUBLISH,         6,  16, 4112,                   YG_R_CENTER | YG_R_ZONES, YG_R_MAIN)   /* u32 kind, u32 0, u64 generation, file name below snapshot/ */ \
	X(SYSTEM_EVENT,    7,   8, 65536,                  YG_R_MAIN, YG_R_CENTER)   /* i64 time, then json {role,name,level,...}: crashes, restarts, reloads */ \
	X(PING,            8,   0, 0,                      YG_R_MAIN, YG_R_ALL) \
	X(ROLES,          10,   0, 4096,                   YG_R_MAIN, YG_R_CENTER)   /* u32 pid of every role process but center: whom run/api.sock must refuse */ \
	X(GIVEN,          11,   0, 0,                      YG_R_MAIN, YG_R_INGEST | YG_R_RESOLVE | YG_R_ZONES)   /* behind the SNAPSHOTs of a start: there is no more for now */ \
	X(PONG,            9,   0, 0,                      YG_R_ALL, YG_R_MAIN) \
	/* run/ingest-<n>.sock: ingest listens */                                                      \
	X(SUBMIT,         20,  32, YG_BATCH_MAX + 4096,    YG_R_CENTER, YG_R_INGEST) \
	X(SUBMIT_REPLY,   21,   8, 1024,                   YG_R_INGEST, YG_R_CENTER) \
	X(STATS,          22,   0, 0,                      YG_R_CENTER, YG_R_INGEST) \
	X(STATS_REPLY,    23,   0, 65536,                  YG_R_INGEST, YG_R_CENTER) /* json object of counters */ \
	/* run/center.sock: center listens */                                                          \
	X(FINDINGS,       30,  16, 16777216,               YG_R_INGEST, YG_R_CENTER) \
	X(COUNTS,         32,  16, 16777216,               YG_R_INGEST, YG_R_CENTER) \
	X(FEED,           33,  16, 16777216,               YG_R_INGEST, YG_R_CENTER) /* detect/feed.h */ \
	X(FINDINGS_REPLY, 31,   8, 1024,                   YG_R_CENTER, YG_R_INGEST) \
	/* run/resolve-<n>.sock, run/zones.sock: they listen; `yagura dns explain` asks as center does */ \
	X(EXPLAIN,        40,  20, 4096,                   YG_R_CENTER, YG_R_RESOLVE) \
	X(EXPLAIN_REPLY,  41,  16, 1048576,                YG_R_RESOLVE, YG_R_CENTER) \
	X(ZONES,          42,   0, 0,                      YG_R_CENTER, YG_R_ZONES) \
	X(ZONES_REPLY,    43,   2, 16777216,               YG_R_ZONES, YG_R_CENTER) /* json, see zones_door.c */ \
	X(RESOLVE_STATS,  46,   0, 0,                      YG_R_CENTER, YG_R_RESOLVE) \
	X(RESOLVE_STATS_REPLY, 47, 2, 65536,               YG_R_RESOLVE, YG_R_CENTER) /* json object of counters */
/* clang-format on */
enum yg_ipc_type {
#define X(name, num, min, max, from, to) YG_IPC_##name = num,
	YG_IPC_MAP(X)
#undef X
};
/* True when a frame of that type and size may go from `from` to `to`. */
bool yg_ipc_allowed(uint32_t type, size_t body, unsigned from, unsigned to);
uint32_t yg_ipc_max(uint32_t type); /* 0 when unknown */

/* SUBMIT body: u8 source (enum yg_source), u8 encoding (enum yg_encoding),
 * u8 framed, u8 0, i64 received (us), sv32 org, sv32 sensor, sv32 mapping name,
 * sv32 batch id (empty: none), sv32 bytes.
 * SUBMIT_REPLY: u32 yg_status, u32 flags (1: duplicate, nothing added), then
 * i64 retry_after_ms, sv32 message.  OK is sent only when the batch is on disk.
 * YG_LIMIT: the spool is at its bound (HTTP 429 with Retry-After).
 *
 * FINDINGS body: u32 spool, u32 count, u64 batch, then count times sv32 of one
 * finding as JSON: {"finding_uid","org","indicator","indicator_type","list",
 * "category","family","severity_id","confidence","tlp","asset","field","value",
 * "event_id","time","title"}.  Center applies a batch once: (spool, batch) at or
 * below what it has is answered OK and ignored.
 * COUNTS body: u32 spool, u32 keys, u32 entries, u32 0; per key sv32 org, sv32 source,
 * sv32 sensor; per entry u64 batch, u32 key, u32 0, i64 received (us), u64 events,
 * u64 bytes, u64 unparsed, ascending by batch.  Center adds every batch once: those
 * at or below what it has counted of that spool are passed over.
 * FEED body: detect/feed.h; center keeps it once, by (spool and part, batch).
 * FINDINGS_REPLY, to all three: u32 yg_status, u32 0.
 *
 * EXPLAIN body: u32 type, u32 flags (1: the client asks for DNSSEC), sv32 organisation
 * (empty: by the client's address, else everyone's), sv32 address of the client (empty:
 * none), sv32 name.  EXPLAIN_REPLY: u32 yg_status, u32 worker, sv32 message, sv32 the
 * members of a JSON object (dns/explain.h), sv32 its member "cache" alone.
 * YG_NOTFOUND: the client is of another organisation. */
