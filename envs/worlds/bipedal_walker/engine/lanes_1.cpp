// The solver for one lane: plain scalar code.
#define LANES 1
#define SOLVE solve_1_lane
#include "lanes_kernel.h"
