// The track of one episode, as terrain.py makes it, and the sizes that the engine shares with track.py.
#pragma once

#include <array>
#include <vector>

struct Point {
    double x, y;
};

using Edge = std::array<Point, 2>;
using Polygon = std::vector<Point>;

constexpr double SCALE = 30.0;
constexpr double TERRAIN_STEP = 14.0 / SCALE;
constexpr double FINISH = (200 - 10) * TERRAIN_STEP;
constexpr double GROUND_HEIGHT = 400.0 / SCALE / 4.0;
constexpr int START_PAD_STEPS = 20;

struct Track {
    std::vector<Edge> edges;
    std::vector<Polygon> obstacles;
    // Force on the hull during the first step.
    double push;
};
