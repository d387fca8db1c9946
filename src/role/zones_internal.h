/* zones_internal.h - the parts of role zones: zones.c (what there is, when), zones_file.c
 * (when a file is to be read), zones_read.c (a file), zones_kept.c (what every zone has, and what is
 * kept of it), zones_local.c (local zones), zones_policy.c (all of them into one snapshot), zones_xfr.c (transfers), zones_inputs.c (what the centre sends),
 * zones_base.c (what has changed since all was compiled), zones_job.c (all of it, in a thread), zones_notify.c (who says that a zone has
 * changed), zones_publish.c, zones_serve.c and zones_serve_tcp.c (our own policy as a zone), zones_door.c
 * (what there is to say of every zone).
 * One thread: the loop's; and that of zones_job.c, which has its own copy of what it reads. */
#pragma once
#include <sys/stat.h>
#include <uv.h>

#include "conf/conf.h"
#include "dns/changes.h"
#include "dns/compile.h"
#include "dns/inputs.h"
#include "dns/records.h"
#include "dns/tsig.h"
#include "intel/match.h"
#include "os/socket.h"
#include "role/role.h"

#define ZONES_KIND          2u      /* of snapshots: DNS policy */
#define ZONES_FOLDER        "zones" /* of the data folder */
#define ZONES_DIRS          128
#define ZONES_CONF_MAX      256  /* resolve.policy */
#define ZONES_MADE_MAX      1000 /* that are told of */
#define ZONES_FILE_MAX      ((uint64_t)4 << 30)
#define ZONES_REFUSED_SHOWN 8
#define ZONES_REFUSED_MAX   3 /* refused records of a zone in the log; all are counted */

struct zones;
struct xfr_job;
struct yg_door;

struct zone_refused {  /* a record that was left out */
	uint64_t line; /* 0: of a transfer */
	char reason[96], text[160];
};
struct zone_news {          /* for those who ask how a zone does; wall clock, us */
	int64_t changed_at; /* its content is of then; 0: there is none */
	int64_t checked_at; /* last found to be so */
	int64_t failed_at;  /* 0: the last look went well; else: */
	int64_t fails_from; /* since then none did */
	char error[256];
	struct zone_refused refused[ZONES_REFUSED_SHOWN];
	size_t refused_n;
};
struct zone_state { /* of a file, to see that it changed */
	int64_t mtime_ns, ctime_ns, size;
	uint64_t inode;
};
struct zone_content {
	struct yg_dns_records *records; /* owned; NULL: none yet, or a list */
	struct yg_buf list;             /* owned; as its file is, until it is kept: */
	struct yg_sv list_map;          /* owned; the file in which it is kept */
	uint64_t list_plain;            /* bytes of the list when it is unpacked */
};
struct zone {
	struct zones *all;
	const struct yg_conf_dns_policy *conf;
	struct yg_dns_zone_spec spec;
	struct yg_dns_name origin; /* spec.origin, when configured */
	char ede_text[160];
	bool is_list;
	struct zone_content now, before; /* owned; before: while the one of now is on trial */
	bool on_trial;                  /* of a file, and no policy has been compiled with it yet */
	struct yg_dns_zone_stats stats; /* of the last policy */
	struct zone_news news;
	/* a file */
	char path[4096];
	struct zone_state seen, waiting; /* read, or tried; changed since */
	bool tried, is_waiting, to_read; /* to_read: by the job, when it can */
	/* a transfer */
	struct yg_addr master;
	bool has_tsig;
	struct yg_tsig_key *tsig;      /* owned, wiped */
	struct xfr_job *job;           /* owned; NULL: none under way */
	bool again, want_all, expired; /* asked for while one runs; no IXFR; said so */
	int64_t good_at, next_at;      /* us, monotonic: last that ended well; next one due */
	unsigned failures;             /* in a row */
	int64_t second_at; /* us, monotonic: since then so many were begun out of turn: */
	unsigned second_n;
	bool unsaved;
	int64_t save_at;
	/* since all was compiled */
	struct yg_dns_changes *changes; /* owned; NULL: all of it counts as changed */
	struct yg_dns_zone_stats base_stats;
	size_t base_refused; /* of news.refused */
	/* since the view that is being compiled beside */
	struct yg_buf since;     /* owned: records that came or went, packed */
	bool since_all;          /* or all of it */
	bool to_index, to_learn; /* of a view */
};

struct zones_base {                   /* the last policy that was compiled whole */
	struct yg_dns_policy *policy; /* owned; NULL: none worth while */
	uint64_t generation;
	int64_t used_us; /* of a core, to compile it */
	bool again;      /* all is to be compiled when it is time: */
	bool whole;      /* now */
	int64_t full_at; /* us, monotonic */
};

struct zone_made { /* a zone of what people enter, or of indicators */
	char name[256], org[64], category[64];
	enum yg_dns_layer layer;
	enum yg_dns_mode mode;
	struct yg_dns_zone_stats stats;
	int64_t changed_at; /* so many records since then; wall clock, us */
};
struct zone_place {              /* one row of the policy in its order */
	const struct zone *zone; /* NULL: made */
	size_t made;
};

struct zones {
	struct yg_role_ctx *ctx;
	const struct yg_conf *conf;
	struct zone *zones; /* owned */
	size_t count;
	char dirs[ZONES_DIRS][4096]; /* read by the sandbox's leave */
	size_t dir_count;
	uint64_t generation;
	struct zones_base base;
	struct zones_job *job; /* owned */
	uint64_t base_before;  /* generation: what the policy before stood over */
	int64_t prepare_at;    /* us, monotonic: not before */
	bool dirty, begun, gives_way,
		beside; /* begun: the first one is compiled; beside: a copy, a thread's */
	uv_timer_t watch;
	uv_idle_t compile;           /* runs once when the loop has nothing else to do */
	struct zones_notify *notify; /* owned list */
	struct zones_serve *serve;   /* owned; NULL: nothing is published */
	struct yg_door *door;        /* owned */
	struct zone_made *made;      /* owned; of the last policy */
	struct zone_place *places;   /* owned; likewise */
	size_t made_count, place_count;
	uint64_t made_left_out;    /* beyond ZONES_MADE_MAX */
	struct zones_local *local; /* owned */
	/* what the centre sends; NULL: nothing yet */
	struct yg_dns_inputs *inputs; /* owned */
	struct yg_intel *intel;       /* owned */
	uint64_t intel_digest, allow_count, block_count, indicator_count;
	bool intel_changed; /* since all was compiled */
	bool given;         /* something, since the view */
	bool intel_given;
	bool inputs_refused, intel_refused, settled; /* the last one; the first compile is done */
	yg_wall inputs_next, intel_next;             /* when an entry ends or begins */
	int64_t compiled_at;
};

static inline int64_t zones_now(const struct zones *z)
{
	return yg_env_mono(&z->ctx->env).us;
}
/* After a zone has changed: the policy is compiled when the loop comes to it. */
void zones_changed(struct zones *z);
void zones_compile_due(struct zones *z); /* when something has, and it may be now */

/* zones_file.c */
void zones_file_look(struct zone *z, bool at_once); /* reads it when it has changed */

/* zones_kept.c */
void zones_content_init(struct zone_content *c);
void zones_content_end(struct zone_content *c);
/* What was read, on trial from now on; saved: by zones_kept_try(). */
void zones_content_new(struct zone *z, struct zone_content *c, bool saved);
/* A policy with all that is on trial has been compiled, or cannot be; seen: from this view of
 * it; NULL: as it is.  at: the zone of which it cannot; SIZE_MAX: not known.  False: nothing
 * was refused, and compiling it again is in vain. */
void zones_tried_good(struct zones *z, const struct zones *seen);
bool zones_tried_bad(struct zones *z, const struct zones *seen, size_t at,
		     const struct yg_err *err);
void zones_refused(struct zone *z, const struct yg_err *err); /* what its file holds */
/* Beside what is kept, into a file of its own; any thread. */
yg_status zones_kept_try(const struct zone *z, struct zone_content *c, struct yg_err *err);
void zones_kept_read(struct zone *z); /* at the start: what there was */
void zones_kept_write(struct zone *z);
yg_status zones_kept_save(struct zone *z, struct yg_err *err); /* the file alone; any thread */
/* It is kept (or not, which is told): a list is read from there from now on. */
void zones_kept_done(struct zone *z, yg_status saved, const struct yg_err *err);
bool zones_kept_map(const struct zone *z, struct yg_sv *out);
struct yg_sv zones_list(const struct zone *z); /* of a list: its bytes */
uint8_t *zones_key(struct zones *z, uint8_t out[static 16]);

/* zones_read.c: the file of a zone, now, or, when it takes long, by the job's thread */
struct zones_reading;
void zones_read(struct zone *z);
struct zones_reading *zones_reading_new(struct zones *z); /* NULL: none is to be read */
const struct zone *zones_reading_zone(const struct zones_reading *r);
void zones_reading_work(struct zones_reading *r); /* any thread */
void zones_reading_take(struct zones_reading *r); /* comes into force; frees it */

/* zones_made.c: every zone of what is compiled, in its order; configured: their numbers. */
void zones_made_look(struct zones *z, const struct yg_dns_builder *b, const uint32_t *configured);

/* zones_door.c: run/zones.sock */
yg_status zones_door_open(struct zones *z, struct yg_err *err);
void zones_news_good(struct zone *z, bool changed); /* read, transferred, or the same */
void zones_news_bad(struct zone *z, const struct yg_err *err);

/* Whether a file is to be read (again): it has changed and been quiet for one look. */
bool zones_state_changed(const char *path, struct zone_state *seen, struct zone_state *waiting,
			 bool *tried, bool *is_waiting, bool at_once);
/* zones.c: the folder of a file, for the sandbox. */
yg_status zones_dir(struct zones *z, const char *path, struct yg_err *err);

/* zones_local.c */
yg_status zones_local_prepare(struct zones *z, struct yg_err *err);
yg_status zones_local_open(struct zones *z, struct yg_err *err);
void zones_local_look(struct zones *z, bool at_once);

/* zones_inputs.c */
bool zones_inputs_wait(struct zones *z); /* before the first compile; false: told to drain */
void zones_inputs_tick(struct zones *z);
bool zones_inputs_hold(const struct zones *z); /* the policy in force stays as it is */
yg_status zones_inputs_before(struct zones *z, struct yg_dns_builder *b, struct yg_err *err);
/* over: beside the base, which has the indicators unless they have changed. */
yg_status zones_inputs_after(struct zones *z, struct yg_dns_builder *b, bool over,
			     struct yg_err *err);
uint64_t zones_intel_names(const struct zones *z); /* indicators that the centre sends */

/* zones_policy.c */
yg_status zones_policy_open(struct zones *z, struct yg_err *err);
void zones_policy_compile(struct zones *z);
struct zones_compiled { /* all of it */
	uint64_t generation;
	int fd; /* owned: its file, under its name; -1: none */
	struct yg_dns_build_stats stats;
	struct yg_dns_policy *policy; /* owned: opened again; NULL: not yet */
	int64_t took_us, used_us;     /* used: of a core */
	size_t bad; /* the zone that cannot be compiled; SIZE_MAX: none, or not known */
};
void zones_compiled_end(struct zones_compiled *c);
uint64_t zones_policy_next(const struct zones *z); /* the next generation */
/* All of *z into a file, and that opened.  Any thread, with a z that nobody else has. */
yg_status zones_policy_whole(struct zones *z, struct zones_compiled *c, struct yg_err *err);
yg_status zones_policy_map(struct zones_compiled *c, struct yg_err *err);
/* What was compiled beside, and is the base by now, comes into force, unless what is newer
 * stands over it. */
void zones_policy_take(struct zones *z, struct zones_compiled *c);
void zones_rest(const struct zones *z); /* nothing is looked at for a while */

/* zones_base.c */
struct yg_dns_xfr;
void zones_base_set(struct zones *z, struct zones_compiled *c); /* all is in it */
bool zones_base_large(const struct zones *z); /* all of it takes so long that others wait */
void zones_base_drop(struct zone *z);         /* all of the zone may have changed */
void zones_base_note(struct zone *z, const struct yg_dns_xfr *x); /* what this has changed */
bool zones_base_fits(const struct zones *z); /* the next policy may stand over the base */
void zones_base_done(struct zones *z, int64_t used_us); /* one over it is in force */
void zones_base_tick(struct zones *z);
void zones_base_since_begin(struct zone *z); /* a view of it is taken */
/* A base was made from that view: what has changed since. */
void zones_base_since_end(struct zone *z);
/* Index and what is to be learnt, so that the next change is in force sooner: now or, of a
 * large zone, by the job, from a view of it. */
void zones_prepare(struct zone *z);
bool zones_prepare_due(const struct zones *z);
void zones_prepare_begin(const struct zones *z, struct zones *seen, bool whole);
void zones_prepare_work(struct zones *seen, const struct yg_dns_policy *base); /* any thread */
void zones_prepare_end(struct zones *z, struct zones *seen);
yg_status zones_base_continue(struct zone *z, struct yg_dns_builder *b, uint32_t number,
			      struct yg_err *err);
struct yg_dns_zone_stats zones_base_stats(const struct zone *z, const struct yg_dns_builder *b,
					  uint32_t number);

/* zones_job.c: what takes long, in a thread, while the loop goes on; one at a time */
enum zones_work {
	ZONES_COMPILE, /* all of it, from a view of how everything is now; and what PREPARE does */
	ZONES_PREPARE, /* large zones, from such a view, for their next change */
	ZONES_SAVE,    /* they are written down, from such a view */
	ZONES_READ,    /* the file of a zone, when it takes long */
	ZONES_COMPARE, /* what is published with what is to be (zones_publish.c) */
};
yg_status zones_job_open(struct zones *z, struct yg_err *err);
bool zones_job_busy(const struct zones *z);
bool zones_job_sees(const struct zones *z); /* it works on a view */
bool zones_job_saves(const struct zones *z);
bool zones_job_reads(const struct zone *z);           /* the file of this one */
uint64_t zones_job_generation(const struct zones *z); /* 0: none is being compiled */
/* False: one is under way, there is nothing to do, or no memory. */
bool zones_job_begin(struct zones *z, enum zones_work what);
/* What the job reads goes, when the job does not need it any more. */
void zones_job_inputs_end(struct zones *z, struct yg_dns_inputs *old);
void zones_job_intel_end(struct zones *z, struct yg_intel *old);

/* zones_xfr.c */
yg_status zones_xfr_open(struct zone *z, struct yg_err *err);
void zones_xfr_begin(struct zone *z);    /* at once, or again when the running one ends */
void zones_xfr_notified(struct zone *z); /* likewise, at most so many a second */
void zones_xfr_tick(struct zone *z);
bool zones_save_due(const struct zones *z);

/* zones_notify.c */
yg_status zones_notify_open(struct zones *z, struct yg_err *err);

/* zones_serve.c */
yg_status zones_serve_open(struct zones *z, struct yg_err *err);
/* zones_serve_tcp.c */
void zones_serve_tick(struct zones *z);

/* zones_publish.c */
/* The policy that is in force now; kept as long as it is served. */
void zones_serve_publish(struct zones *z, struct yg_dns_policy *policy, uint64_t generation);
/* A large comparison: its parts, by the job. */
bool zones_compare_begin(struct zones *z); /* false: there is none to make */
void zones_compare_work(struct zones *z);
void zones_compare_end(struct zones *z);
