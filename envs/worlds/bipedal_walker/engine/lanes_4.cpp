// The solver for 4 lanes: SSE or NEON, which every processor has.
#define LANES 4
#define SOLVE solve_4_lanes
#include "lanes_kernel.h"
