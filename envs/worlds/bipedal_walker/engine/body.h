// The bodies of bodies.py, and what they keep of the authors' simulator.
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
    double effort_price;
    // Reward lost per step and motor at full action.
    std::vector<LegPair> leg_pairs;
    std::vector<Point> rays;
    // End of each lidar ray from its start.
    bool first_reported;
    // Whether a ray measures the first fixture that Box2D reports.
    int feeling_legs;

    int legs() const { return 2 * static_cast<int>(leg_pairs.size()); }
    int joints() const { return 2 * legs(); }
    int observations() const { return 4 + 5 * legs() + RAYS; }
};
