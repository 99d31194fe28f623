#include "lanes.h"

#include <initializer_list>

void solve_1_lane(Lanes &, int passes);
void solve_4_lanes(Lanes &, int passes);
void solve_8_lanes(Lanes &, int passes);
void solve_16_lanes(Lanes &, int passes);

namespace {

int most_lanes() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 16;
    if (__builtin_cpu_supports("avx2")) return 8;
#endif
    return 4;
}

} // namespace

int lanes_for(int count) {
    static const int most = most_lanes();
    for (const int width : {1, 4, 8, 16})
        if (width >= count || width == most) return width;
    return most;
}

void solve_lanes(Lanes &lanes, int width, int passes) {
    switch (width) {
    case 1: return solve_1_lane(lanes, passes);
#if defined(__x86_64__)
    case 8: return solve_8_lanes(lanes, passes);
    case 16: return solve_16_lanes(lanes, passes);
#endif
    default: return solve_4_lanes(lanes, passes);
    }
}
