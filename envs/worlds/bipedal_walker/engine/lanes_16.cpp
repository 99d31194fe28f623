// The solver for 16 lanes: AVX-512.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#endif
#define LANES 16
#define SOLVE solve_16_lanes
#include "lanes_kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
