#include "base/breath.h"

_Thread_local struct yg_breath yg_breath_of_thread = {.take = NULL};
