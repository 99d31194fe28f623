// A walker that plays one episode after another: physics, and the rewards of reference.py in C++.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "body.h"
#include "track.h"

// An assertion of Box2D has failed; the walker can only begin a new episode.
struct SimulationError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Outcome {
    double reward;
    bool terminated;
};

class Simulation;
class Walker;

// One step of one walker, with where to write what comes of it.
struct WalkerStep {
    Walker *walker;
    const double *action;
    float *observation;
    Outcome *outcome;
};

class Walker {
  public:
    explicit Walker(const Body &body);
    ~Walker();
    Walker(Walker &&) noexcept;

    const Body &body() const { return body_; }
    bool in_episode() const { return simulation_ != nullptr; }

    // Begins an episode. Its first observation is that after one step with zero action.
    void begin(const Track &track);

    // Ends the episode, which can't go on.
    void abandon();

    // The actions of this episode, one after the other, without that first one.
    std::vector<double> &actions() { return actions_; }
    const std::vector<double> &actions() const { return actions_; }

    friend void step_together(const std::vector<WalkerStep> &steps);

  private:
    template <typename Work> void run(const Work &work);
    Outcome outcome(const double *action);

    Body body_;
    std::unique_ptr<Simulation> simulation_;
    std::vector<double> actions_;
    double potential_ = 0.0;
};

// Steps walkers that have the same number of legs, at most MAX_LANES, each in a lane.
void step_together(const std::vector<WalkerStep> &steps);

// Fills Box2D's global tables, which the first contact would fill in whatever thread it occurs.
void initialize_box2d();
