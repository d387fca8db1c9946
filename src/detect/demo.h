/* demo.h - rules for the demonstration, written for what its made-up traffic has in it. */
#pragma once
#include "base/sv.h"

#define YG_DETECT_DEMO "demo" /* the collection that they are, and that goes with it */
extern const struct yg_sv yg_detect_demo_rules; /* YAML, one document each; static */
