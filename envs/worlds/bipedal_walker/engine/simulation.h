// simulation.py in C++: the b2World of one episode, with a track, a walker and its senses.
//
// b2World::Step in two parts, between which the velocity constraints of many walkers are solved together. The rest is
// Box2D's own code in Box2D's own order, without what never occurs: only the walker moves, and it is the only island.
#pragma once

#include <optional>
#include <vector>

#include <Box2D/Box2D.h>
#include <Box2D/Dynamics/Contacts/b2Contact.h>
#include <Box2D/Dynamics/Contacts/b2ContactSolver.h>

#include "body.h"
#include "lanes.h"
#include "track.h"

constexpr int VELOCITY_ITERATIONS = 180;

// Whether the hull has touched anything, and which feet stand, as in simulation.py.
struct ContactListener : b2ContactListener {
    bool hull_touched = false;
    std::vector<char> standing;

    void BeginContact(b2Contact *contact) override;
    void EndContact(b2Contact *contact) override;
};

class Simulation {
  public:
    Simulation(const Body &body, const Track &track);

    // Up to where velocity constraints are solved: an action's sign turns its motor, its size is the share of torque.
    void begin_step(const Body &body, const double *action);

    // Puts the velocity constraints into a lane, and takes the solved ones from it.
    void insert(Lanes &lanes, std::vector<ContactLanes> &contacts, int lane) const;
    void extract(const Lanes &lanes, int lane);

    // The rest of a step of 1/50 s.
    void finish_step();

    // Writes the observation, in the order that the environment documents.
    void observe(const Body &body, float *observation) const;

    double hull_x() const { return hull_->GetPosition().x; }
    double hull_angle() const { return hull_->GetAngle(); }
    bool hull_touched() const { return listener_.hull_touched; }

  private:
    void create_track(const Track &track);
    void create_hull(const Body &body, double push);
    void create_leg(const Body &body, const LegPair &pair, int tilt);
    b2Body *create_limb(const Body &body, const Point &centre, double width, int tilt, intptr_t user_data);
    b2Body *create_body(const Point &position, float32 angle, const b2Shape &shape, double density, double friction,
                        intptr_t user_data);
    void create_joint(const Body &body, b2Body *bodyA, const Point &anchorA, b2Body *bodyB, const float *limits,
                      int speed);
    void build_island();
    void find_island_contacts();
    void integrate_velocities();
    void init_velocity_constraints();
    void integrate_positions();
    bool solve_position_constraints();
    void sleep(bool position_solved);

    b2World world_{b2Vec2(0.0f, -10.0f)};
    ContactListener listener_;
    b2Body *hull_ = nullptr;
    // In the order of the actions.
    std::vector<b2RevoluteJoint *> motors_;

    // The island, in the order in which b2World::Solve finds it.
    std::vector<b2Body *> bodies_;
    std::vector<b2RevoluteJoint *> joints_;

    // Of the step under way; one position and velocity more than bodies, which all static bodies share.
    std::vector<b2Contact *> contacts_;
    std::vector<b2Position> positions_;
    std::vector<b2Velocity> velocities_;
    b2SolverData solver_data_;
    std::optional<b2ContactSolver> contact_solver_;
};
