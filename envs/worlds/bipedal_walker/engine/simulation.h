// One episode's physics: a Box2D world with a track, a walker and its senses. simulation.py in C++.
//
// A step of Box2D comes in three parts here, so that the velocity constraints of many walkers can be solved together
// between the first and the last. All else is Box2D's own code, called in the order in which b2World::Step calls it,
// but that what can't be is left out: a walker is the only thing that moves, so its bodies are the one island.
#pragma once

#include <optional>
#include <vector>

#include <Box2D/Box2D.h>
#include <Box2D/Dynamics/Contacts/b2Contact.h>
#include <Box2D/Dynamics/Contacts/b2ContactSolver.h>

#include "body.h"
#include "lanes.h"
#include "track.h"

// Whether the hull has touched anything, and which feet stand, as in simulation.py.
struct Contacts : b2ContactListener {
    bool hull_touched = false;
    std::vector<char> standing;

    void BeginContact(b2Contact *contact) override;
    void EndContact(b2Contact *contact) override;
};

class Simulation {
  public:
    Simulation(const Body &body, const Track &track);

    // Simulates 1/50 s: begin, enter a lane, have the lanes solved, leave, finish. The sign of an action turns its
    // motor, the size (at most 1) is its share of the torque.
    void begin_step(const Body &body, const double *action);
    void enter(Lanes &lanes, std::vector<ContactLanes> &contacts, int lane) const;
    void leave(const Lanes &lanes, int lane);
    void finish_step();

    // Writes the observation, in the order that the environment documents.
    void observe(const Body &body, float *observation) const;
    double hull_x() const { return hull_->GetPosition().x; }
    double hull_angle() const { return hull_->GetAngle(); }
    bool hull_touched() const { return contacts_.hull_touched; }

  private:
    void build_track(const Track &track);
    void build_hull(const Body &body, double push);
    void build_leg(const Body &body, const LegPair &pair, int tilt);
    b2Body *build_limb(const Body &body, const Point &centre, double width, int tilt, intptr_t data);
    b2Body *build_part(const Point &centre, float32 angle, const b2Shape &shape, double density, double friction,
                       intptr_t data);
    void join(const Body &body, b2Body *upper, const Point &anchor, b2Body *lower, const float *limits, int speed);
    void order_island();
    void find_touching();
    void integrate_positions();
    bool correct_positions();
    void rest(bool corrected);

    b2World world_{b2Vec2(0.0f, -10.0f)};
    Contacts contacts_;
    b2Body *hull_ = nullptr;
    std::vector<b2RevoluteJoint *> motors_;
    // In the order of the actions.

    // The island in the order in which Box2D would find it, then the ground, which all static bodies share.
    std::vector<b2Body *> bodies_;
    std::vector<b2RevoluteJoint *> joints_;

    // Of the step under way.
    std::vector<b2Contact *> touching_;
    std::vector<b2Position> positions_;
    std::vector<b2Velocity> velocities_;
    b2SolverData data_;
    std::optional<b2ContactSolver> solver_;
};

// How often the lanes pass over the velocity constraints in each step.
constexpr int VELOCITY_PASSES = 180;
