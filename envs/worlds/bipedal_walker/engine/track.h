// The tracks that a walker can be put on: terrain.py in C++, with the same draws from the same generator.
#pragma once

#include <array>
#include <vector>

#include <numpy/random/bitgen.h>

struct Point {
    double x, y;
    bool operator!=(const Point &other) const { return x != other.x || y != other.y; }
};

using Edge = std::array<Point, 2>;
using Polygon = std::vector<Point>;

constexpr double SCALE = 30.0;
constexpr double TERRAIN_STEP = 14.0 / SCALE;
constexpr int TRACK_STEPS = 200;
constexpr double FINISH = (TRACK_STEPS - 10) * TERRAIN_STEP;
constexpr double GROUND_HEIGHT = 400.0 / SCALE / 4.0;
constexpr int START_PAD_STEPS = 20;

struct Track {
    std::vector<Edge> edges;
    std::vector<Polygon> obstacles;
    double push = 0.0;
    // Force that pushes the hull during the first step.
};

enum class Family { stump_tracks, hexagon_tracks, stump_sequence, grass, obstacle_course };

struct Terrain {
    Family family;
    double spacing;
    // World units of ground after each obstacle; stump tracks take it from the task, grass and the course have none.
    bool original_end, seam;
    // The authors' ground, see defects.py.

    // Makes a track from the generator, and draws the clouds (which are only scenery) and the push after it.
    Track generate(const std::vector<double> &task, bitgen_t *generator) const;
};

// Whether Box2D makes a shape of a polygon, as in track.py.
bool can_be_built(const Polygon &corners);

// A normal number, as NumPy's Generator draws it.
double draw_normal(bitgen_t *generator, double mean, double deviation);
