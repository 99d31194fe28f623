// A body of bodies.py, and what it keeps of the authors' simulator.
#pragma once

#include <vector>

#include "track.h"

constexpr int RAYS = 10;

struct LegPair {
    double hip_x, start_x;
};

struct Body {
    std::vector<Point> hull;
    double leg_length, leg_width, torque;
    // Reward lost per step and motor at full action.
    double effort_price;
    std::vector<LegPair> leg_pairs;
    // End of each lidar ray from its start.
    std::vector<Point> rays;
    // Whether a ray measures the first fixture that Box2D reports, not the nearest.
    bool first_reported;
    // Legs whose contacts are observed.
    int observed_legs;

    int legs() const { return 2 * static_cast<int>(leg_pairs.size()); }
    int joints() const { return 2 * legs(); }
    int observations() const { return 4 + 5 * legs() + RAYS; }
};
