// The solver for 8 lanes: AVX2.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif
#define LANES 8
#define SOLVE solve_8_lanes
#include "lanes_kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
