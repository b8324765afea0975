/* stub.c - stands in for parts that are still being written; goes away with them. */
#include "engine.h"
#define WEAK __attribute__((weak))
WEAK const Engine reference_engine = {0};
