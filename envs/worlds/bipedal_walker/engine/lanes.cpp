// Chooses the solver for a number of lanes, among those that this processor has instructions for.
#include "lanes.h"

#include <initializer_list>

void solve_1_lane(Lanes &, int iterations);
void solve_4_lanes(Lanes &, int iterations);
void solve_8_lanes(Lanes &, int iterations);
void solve_16_lanes(Lanes &, int iterations);

namespace {

int max_lane_count() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 16;
    if (__builtin_cpu_supports("avx2")) return 8;
#endif
    return 4;
}

} // namespace

int lane_count(int walkers) {
    static const int max = max_lane_count();
    for (const int lanes : {1, 4, 8, 16})
        if (lanes >= walkers || lanes == max) return lanes;
    return max;
}

void solve_velocity_constraints(Lanes &constraints, int lanes, int iterations) {
    switch (lanes) {
    case 1: return solve_1_lane(constraints, iterations);
#if defined(__x86_64__)
    case 8: return solve_8_lanes(constraints, iterations);
    case 16: return solve_16_lanes(constraints, iterations);
#endif
    default: return solve_4_lanes(constraints, iterations);
    }
}
