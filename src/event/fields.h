/* fields.h - what people are told about the columns of an event: for completion
 * and help.  The columns themselves are in event.h. */
#pragma once
#include "event/event.h"

const char *yg_event_field_text(enum yg_event_field f, bool japanese); /* static */
/* "time" is told apart by the caller; else number, text, word (few distinct
 * values), address, list. */
const char *yg_event_type_name(enum yg_event_type t); /* static */
/* The words stand in the order of the columns; for the test. */
bool yg_event_fields_named(void);
