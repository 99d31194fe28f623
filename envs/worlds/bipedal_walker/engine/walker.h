// Walkers on their tracks, which are played in groups: physics, and the rewards of reference.py in C++.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "body.h"
#include "track.h"

// An assertion of Box2D has failed; the walker can only be begun again.
struct SimulationError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Outcome {
    double reward;
    bool terminated;
};

class Simulation;
struct Turn;

class Walker {
  public:
    explicit Walker(const Body &body);
    ~Walker();
    Walker(Walker &&) noexcept;

    const Body &body() const { return body_; }
    // Whether there is an episode that can go on.
    bool ready() const { return simulation_ != nullptr; }

    // Begins an episode. Its first observation is that after one step with zero action.
    void begin(const Track &track);

    // Ends the episode, which can't go on.
    void abandon();

    // The actions of this episode, one after the other, without that first one.
    std::vector<double> &actions() { return actions_; }
    const std::vector<double> &actions() const { return actions_; }

    friend void play(const std::vector<Turn> &turns);

  private:
    template <typename Work> void attempt(const Work &work);
    Outcome outcome(const double *action);

    Body body_;
    std::unique_ptr<Simulation> simulation_;
    std::vector<double> actions_;
    double potential_ = 0.0;
};

// One step of one walker: what it does, and where to write what comes of it.
struct Turn {
    Walker *walker;
    const double *action;
    float *observation;
    Outcome *outcome;
};

// Plays one step of several walkers that have the same number of legs, at most MOST_LANES of lanes.h.
void play(const std::vector<Turn> &turns);

// Fills Box2D's tables, which it would otherwise fill at its first contact, in whatever thread that occurs.
void prepare_box2d();
