/* What the fillers of the bench's state and of its events have in common. */
#pragma once

#define YG_BENCH_BLOCK 65536u  /* events of one batch: event n is in batch 1 + n / this */
#define YG_BENCH_EVIL  100003u /* one event in so many asks for a name that is an indicator */
