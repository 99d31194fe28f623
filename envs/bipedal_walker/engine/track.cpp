#include "track.h"

#include <algorithm>
#include <cstdint>

// From NumPy's static library of distributions; its own header needs Python's.
extern "C" {
double random_normal(bitgen_t *generator, double mean, double deviation);
double random_uniform(bitgen_t *generator, double low, double range);
void random_bounded_uint64_fill(bitgen_t *generator, uint64_t low, uint64_t range, intptr_t count, bool masked,
                                uint64_t *drawn);
}

namespace {

constexpr double NOISE = 0.1;
constexpr double THINNEST = 0.05;
constexpr double STRONGEST_PUSH = 5.0;
constexpr int CLOUDS = TRACK_STEPS / 20, DRAWS_PER_CLOUD = 11;
constexpr Point HEXAGON[] = {{-0.5, 0.0}, {-0.5, 0.25}, {-0.25, 0.5}, {0.25, 0.5}, {0.5, 0.25}, {0.5, 0.0}};

Polygon block(double x, double width, double height_steps) {
    const double top = GROUND_HEIGHT + height_steps * TERRAIN_STEP;
    return {{x, GROUND_HEIGHT}, {x + width, GROUND_HEIGHT}, {x + width, top}, {x, top}};
}

Polygon hexagon(double x, const std::vector<double> &task, bitgen_t *generator) {
    double offsets[12];
    for (int i = 0; i < 12; ++i) offsets[i] = random_normal(generator, task[i], NOISE);
    Polygon corners;
    for (int i = 0; i < 6; ++i) {
        const bool on_ground = i == 0 || i == 5;
        const double right = offsets[2 * i], up = on_ground ? 0.0 : offsets[2 * i + 1] * TERRAIN_STEP;
        corners.push_back({x + HEXAGON[i].x * TERRAIN_STEP + right * TERRAIN_STEP,
                           GROUND_HEIGHT + HEXAGON[i].y * TERRAIN_STEP + up});
    }
    return corners;
}

// Puts the obstacle at x on the track, and returns where the ground after it begins.
double place(Family family, double x, const std::vector<double> &task, bitgen_t *generator, Track &track) {
    switch (family) {
    case Family::stump_tracks: {
        const double height = std::max(THINNEST, random_normal(generator, task[0], NOISE));
        track.obstacles.push_back(block(x, TERRAIN_STEP, height));
        return x + TERRAIN_STEP;
    }
    case Family::hexagon_tracks:
        track.obstacles.push_back(hexagon(x, task, generator));
        return x + 1.0;
    default:
        for (size_t i = 0; i < task.size(); i += 2) {
            const double height = std::max(THINNEST, random_normal(generator, task[i], NOISE));
            const double width = std::max(THINNEST, random_normal(generator, task[i + 1], NOISE));
            track.obstacles.push_back(block(x, width, height));
            x += width;
        }
        return x;
    }
}

std::vector<Point> between_obstacles(Family family, double spacing, const std::vector<double> &task,
                                     bitgen_t *generator, Track &track) {
    double x = START_PAD_STEPS * TERRAIN_STEP;
    const double end = TRACK_STEPS * TERRAIN_STEP;
    std::vector<Point> ground = {{0.0, GROUND_HEIGHT}, {x, GROUND_HEIGHT}, {x, GROUND_HEIGHT}};
    for (;;) {
        x = place(family, x, task, generator, track);
        ground.push_back({x, GROUND_HEIGHT});
        if (x >= end) return ground;
        x += spacing;
        ground.push_back({x, GROUND_HEIGHT});
        if (x >= end) return ground;
    }
}

std::vector<Point> grass(double roughness, bitgen_t *generator) {
    double slope = 0.0, y = GROUND_HEIGHT;
    int until_flat = START_PAD_STEPS;
    bool flat = false;
    std::vector<Point> ground;
    for (int i = 0; i < TRACK_STEPS; ++i) {
        if (!flat) {
            slope = 0.8 * slope + 0.01 * ((y < GROUND_HEIGHT) - (y > GROUND_HEIGHT));
            if (i > START_PAD_STEPS) slope += roughness * random_uniform(generator, -1.0, 2.0) / SCALE;
            y += slope;
        }
        ground.push_back({i * TERRAIN_STEP, y});
        flat = --until_flat == 0;
        if (flat) {
            uint64_t steps;
            random_bounded_uint64_fill(generator, 5, 4, 1, false, &steps);
            until_flat = static_cast<int>(steps);
        }
    }
    return ground;
}

} // namespace

Track Terrain::generate(const std::vector<double> &task, bitgen_t *generator) const {
    Track track;
    std::vector<Point> ground;
    if (family == Family::grass) {
        ground = grass(task[0], generator);
    } else {
        const double gap = std::max(0.01, family == Family::stump_tracks ? task[1] : spacing);
        ground = between_obstacles(family, gap, task, generator, track);
        if (original_end) ground.pop_back();
    }
    for (size_t i = 0; i + 1 < ground.size(); ++i)
        if (seam || ground[i] != ground[i + 1]) track.edges.push_back({ground[i], ground[i + 1]});
    for (int i = 0; i < CLOUDS * DRAWS_PER_CLOUD; ++i) generator->next_double(generator->state);
    track.push = random_uniform(generator, -STRONGEST_PUSH, STRONGEST_PUSH - -STRONGEST_PUSH);
    return track;
}

double draw_normal(bitgen_t *generator, double mean, double deviation) {
    return random_normal(generator, mean, deviation);
}
