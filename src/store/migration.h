/* migration.h - the numbered steps of the schema, as built into this program.
 * For store/state.c and its tests; nobody else needs them. */
#pragma once
#include "store/state.h"

struct yg_migration {
	uint32_t number; /* 1, 2, 3 ... */
	const char *name;
	const char *sql;      /* portable */
	const char *sqlite;   /* what only this back end understands: triggers */
	const char *checksum; /* BLAKE2b-256 of both texts, hex */
};
extern const struct yg_migration yg_migrations[];
extern const uint32_t yg_migration_count;

/* Applies `steps`, in order, as far as they are not applied yet. */
yg_status yg_state_migrate_by(struct yg_state *db, const struct yg_migration *steps, uint32_t count,
			      struct yg_err *err);
