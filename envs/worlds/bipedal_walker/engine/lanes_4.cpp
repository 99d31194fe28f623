#define LANES 4
#define SOLVE solve_4_lanes
#include "lanes_kernel.h"
