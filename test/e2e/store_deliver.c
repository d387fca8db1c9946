/* store_deliver URL BATCHES ROWS: delivers batches as ingest does, exactly once
 * whatever becomes of the store meanwhile.  Every fifth batch lies in two days,
 * so two parts: the case in which half of an insert can be there. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/table.h"

#define DAY0 1767225600000000LL /* 2026-01-01 */

static struct yg_ch *ch;
static unsigned again, partial;

static void row(struct yg_buf *out, uint64_t batch, uint32_t n, uint32_t rows)
{
	char raw[256];
	struct yg_event ev = {.org = YG_SV("alpha"),
			      .source = YG_SV("test"),
			      .spool = 1,
			      .batch = batch,
			      .row = n};
	ev.time = DAY0 + (int64_t)batch * 1000000 + n;
	ev.received = ev.time + (batch % 5 == 0 && n > rows / 2 ? YG_US_PER_DAY : 0);
	ev.day = yg_day_number((yg_wall){ev.received});
	int len = snprintf(
		raw, sizeof raw,
		"{\"batch\":%llu,\"row\":%u,\"text\":\"a record of about two hundred bytes %u %u %u\"}",
		(unsigned long long)batch, n, n * 2654435761u, n ^ 0x5bd1e995u, n * 40503u);
	ev.raw = (struct yg_sv){raw, (size_t)len};
	yg_event_row(&ev, out);
}

static bool present(const uint32_t *have, size_t n, uint32_t want)
{
	for (size_t i = 0; i < n; i++)
		if (have[i] == want)
			return true;
	return false;
}

static yg_status send_missing(uint64_t batch, uint32_t rows, const uint32_t *have, size_t have_n,
			      struct yg_err *err)
{
	struct yg_buf b;
	char id[64];
	yg_buf_init(&b, 256u << 20);
	for (uint32_t i = 0; i < rows; i++)
		if (have_n == 0 || !present(have, have_n, i))
			row(&b, batch, i, rows);
	(void)snprintf(id, sizeof id, "yg-1-%llu-%llu", (unsigned long long)batch,
		       (unsigned long long)batch);
	yg_status st = yg_event_table_insert(ch, id, yg_buf_sv(&b), err);
	yg_buf_free(&b);
	return st;
}

/* After any failure: settle, ask what is there, send what is not. */
static void deliver(uint64_t batch, uint32_t rows)
{
	struct yg_err err;
	char id[64];
	(void)snprintf(id, sizeof id, "yg-1-%llu-%llu", (unsigned long long)batch,
		       (unsigned long long)batch);
	yg_status st = send_missing(batch, rows, NULL, 0, &err);
	while (st != YG_OK) {
		struct yg_arena arena;
		uint64_t count;
		uint32_t *have = NULL;
		size_t have_n = 0;
		again++;
		(void)usleep(50000);
		if (yg_ch_settle(ch, id, &err) != YG_OK ||
		    yg_event_table_delivered(ch, 1, batch, batch, &count, &err) != YG_OK)
			continue;
		if (count == rows)
			return;
		yg_arena_init(&arena, 64u << 20);
		if (count == 0) {
			st = send_missing(batch, rows, NULL, 0, &err);
		} else if (yg_event_table_rows(ch, 1, batch, &arena, &have, &have_n, &err) ==
			   YG_OK) {
			partial++;
			st = send_missing(batch, rows, have, have_n, &err);
		}
		yg_arena_free(&arena);
	}
}

int main(int argc, char **argv)
{
	struct yg_err err = {0};
	uint64_t batches = 0, rows = 0;
	struct yg_ch_conf conf = {.url = argc > 1 ? argv[1] : "", .database = "yagura"};
	if (argc < 4 || yg_parse_u64(yg_sv_of(argv[2]), &batches, &err) != YG_OK ||
	    yg_parse_u64(yg_sv_of(argv[3]), &rows, &err) != YG_OK ||
	    yg_ch_open(&conf, &ch, &err) != YG_OK)
		return 2;
	while (yg_event_table_ensure(ch, &err) != YG_OK)
		(void)usleep(50000);
	for (uint64_t batch = 1; batch <= batches; batch++) {
		deliver(batch, (uint32_t)rows);
		(void)printf("%llu\n", (unsigned long long)batch);
		(void)fflush(stdout);
	}
	(void)fprintf(stderr, "%u times again, %u in part\n", again, partial);
	yg_ch_close(ch);
	return 0;
}
