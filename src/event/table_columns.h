/* table_columns.h - the event table's columns as a table; inside event/ only. */
#pragma once
#include "event/event.h"

struct yg_event_column {
	const char *name;
	const char *native; /* plain type: what blocks are sent as */
	enum yg_event_type type;
	size_t size; /* of a value of fixed size */
	size_t at;   /* of its member in struct yg_event */
};
extern const struct yg_event_column yg_event_columns[YG_EVENT_FIELD_COUNT];
