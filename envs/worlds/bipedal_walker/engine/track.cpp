#include "track.h"

#include <algorithm>
#include <cmath>
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

// An integer from `low` up, one of so many.
int draw_integer(bitgen_t *generator, int low, int choices) {
    uint64_t drawn;
    random_bounded_uint64_fill(generator, low, choices - 1, 1, false, &drawn);
    return static_cast<int>(drawn);
}

// How many terrain steps long a stretch of grass is.
int stretch(bitgen_t *generator) { return draw_integer(generator, 5, 5); }

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
        if (flat) until_flat = stretch(generator);
    }
    return ground;
}

// What obstacle_course.py calls a course: a track while it is made, from left to right.
class Course {
  public:
    Course(double roughness, bitgen_t *generator, Track &track)
        : roughness_(roughness), generator_(generator), track_(track) {}

    bool complete() const { return ground.size() == TRACK_STEPS; }

    // These say whether all that they add had room.

    bool add_grass(int length, bool first_is_level) {
        for (int i = 0; i < length; ++i) {
            if (complete()) return false;
            if (i > 0 || !first_is_level) {
                slope_ = 0.8 * slope_ + 0.01 * ((height_ < GROUND_HEIGHT) - (height_ > GROUND_HEIGHT));
                if (ground.size() > START_PAD_STEPS) slope_ += random_uniform(generator_, -1.0, 2.0) / SCALE;
                height_ += roughness_ * slope_;
            }
            ground.push_back({x(), height_});
        }
        return true;
    }

    bool add_stump(int length, double lowest, double highest) {
        while (!put_block(0, 1, random_uniform(generator_, lowest, highest - lowest), 0.0)) {
        } // too low for Box2D
        bool fits = true;
        for (int i = 0; i < length; ++i) fits = add_height(height_);
        return fits;
    }

    bool add_staircase(int length, double lowest, double highest, int most_steps) {
        const double rise = random_uniform(generator_, lowest, highest - lowest);
        const int direction = generator_->next_double(generator_->state) > 0.5 ? 1 : -1;
        const int steps = draw_integer(generator_, 0, most_steps), width = steps * STAIR_WIDTH;
        const double start = height_, below = direction < 0 ? rise * TERRAIN_STEP : 0.0;
        if (rise > LOWEST_STEP) {
            for (int step = 0; step < steps; ++step) {
                const double top = step * rise * direction;
                put_block(step * STAIR_WIDTH, STAIR_WIDTH, top, top - rise);
            }
            length = width + 1;
        }
        bool fits = add_height(start);
        for (int left = length - 1; left > 0; --left) {
            const double level = std::floor((width - left) / static_cast<double>(STAIR_WIDTH));
            fits = add_height(start + level * rise * direction * TERRAIN_STEP - below);
        }
        return fits;
    }

    bool add_pit(double narrowest, double widest) {
        const double edge = height_, far = 1 + random_uniform(generator_, narrowest, widest - narrowest);
        const double floor = std::ceil(far);
        put_block(0, 1, 0.0, -PIT_DEPTH);
        Polygon post = track_.obstacles.back();
        for (Point &corner : post) corner.x += far * TERRAIN_STEP;
        track_.obstacles.push_back(post);
        add_height(edge);
        for (int i = 0; i < floor; ++i) add_height(edge - PIT_DEPTH * TERRAIN_STEP);
        const bool fits = add_height(edge);
        if (fits) ground.back().x -= (floor - far) * TERRAIN_STEP;
        return fits;
    }

    std::vector<Point> ground;

  private:
    static constexpr int STAIR_WIDTH = 4;
    static constexpr double PIT_DEPTH = 4, LOWEST_STEP = 0.01;

    double x() const { return ground.size() * TERRAIN_STEP; }

    bool add_height(double height) {
        if (complete()) return false;
        ground.push_back({x(), height});
        height_ = height;
        return true;
    }

    bool put_block(int left, int width, double top, double bottom) {
        const double x1 = x() + left * TERRAIN_STEP, x2 = x() + (left + width) * TERRAIN_STEP;
        const double low = height_ + bottom * TERRAIN_STEP, high = height_ + top * TERRAIN_STEP;
        const Polygon block = {{x1, low}, {x2, low}, {x2, high}, {x1, high}};
        if (!can_be_built(block)) return false;
        track_.obstacles.push_back(block);
        return true;
    }

    double roughness_, slope_ = 0.0, height_ = GROUND_HEIGHT;
    bitgen_t *generator_;
    Track &track_;
};

std::vector<Point> obstacle_course(const std::vector<double> &task, bitgen_t *generator, Track &track) {
    const auto [narrowest, widest] = std::minmax(task[1], task[2]);
    const auto [lowest_stump, highest_stump] = std::minmax(task[3], task[4]);
    const auto [lowest_stair, highest_stair] = std::minmax(task[5], task[6]);
    const int most_steps = static_cast<int>(std::nearbyint(task[7]));
    enum Kind { stump, staircase, pit };
    std::vector<Kind> kinds;
    if (highest_stump >= 0.2) kinds.push_back(stump);
    if (highest_stair >= 0.2) kinds.push_back(staircase);
    if (widest >= 0.8) kinds.push_back(pit);

    Course course(task[0], generator, track);
    int length = START_PAD_STEPS;
    bool level = false;
    while (course.add_grass(length, level)) {
        length = stretch(generator);
        level = true;
        if (kinds.empty()) continue;
        const Kind kind = kinds[draw_integer(generator, 0, static_cast<int>(kinds.size()))];
        if (course.complete()) break;
        const bool fits = kind == stump       ? course.add_stump(length, lowest_stump, highest_stump)
                          : kind == staircase ? course.add_staircase(length, lowest_stair, highest_stair, most_steps)
                                              : course.add_pit(narrowest, widest);
        if (!fits) break;
        length = stretch(generator);
    }
    return course.ground;
}

} // namespace

Track Terrain::generate(const std::vector<double> &task, bitgen_t *generator) const {
    Track track;
    std::vector<Point> ground;
    if (family == Family::grass) {
        ground = grass(task[0], generator);
    } else if (family == Family::obstacle_course) {
        ground = obstacle_course(task, generator, track);
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
