// Episodes of walkers, and steps of several at once.
#include "walker.h"

#include <algorithm>
#include <cmath>

#include "simulation.h"

namespace {

constexpr double PROGRESS = 130.0, TILT = 5.0, FALL = -100.0;

// Buffers of a thread, kept from one call to the next.
struct Buffers {
    Lanes lanes;
    std::vector<ContactLanes> contacts;
};

thread_local Buffers buffers;

} // namespace

Walker::Walker(const Body &body) : body_(body) {
    if (body_.leg_pairs.empty() || body_.joints() > MAX_JOINTS)
        throw std::invalid_argument("a walker has from 1 to 4 pairs of legs");
}

Walker::~Walker() = default;

Walker::Walker(Walker &&) noexcept = default;

void Walker::begin(const Track &track) {
    actions_.clear();
    potential_ = 0.0;
    simulation_.reset();
    try {
        simulation_ = std::make_unique<Simulation>(body_, track);
    } catch (const b2AssertException &) {
        throw SimulationError(failed_assertion);
    }
}

void Walker::abandon() { simulation_.reset(); }

template <typename Work> void Walker::run(const Work &work) {
    try {
        work();
    } catch (const b2AssertException &) {
        // Leaks the world: Box2D's destructors would find the step unfinished, and end the process.
        static_cast<void>(simulation_.release());
        throw SimulationError(failed_assertion);
    }
}

Outcome Walker::outcome(const double *action) {
    const double x = simulation_->hull_x();
    const double potential = PROGRESS * x / SCALE - TILT * std::fabs(simulation_->hull_angle());
    double reward = potential - potential_;
    potential_ = potential;
    for (int i = 0; i < body_.joints(); ++i) reward -= body_.effort_price * std::fmin(std::fabs(action[i]), 1.0);
    if (simulation_->hull_touched() || x < 0.0) return {FALL, true};
    return {reward, x > FINISH};
}

void step_together(const std::vector<WalkerStep> &steps) {
    Lanes &lanes = buffers.lanes;
    const int count = static_cast<int>(steps.size());
    lanes.contact_count = 0;
    for (RevoluteJointLanes &joint : lanes.joints) joint.limited = false;
    std::string failure;
    const auto run = [&failure](Walker &walker, const auto &work) {
        if (!walker.in_episode()) return;
        try {
            walker.run(work);
        } catch (const SimulationError &error) {
            failure = error.what();
        }
    };
    for (int i = 0; i < count; ++i) {
        Walker &walker = *steps[i].walker;
        run(walker, [&] {
            walker.simulation_->begin_step(walker.body_, steps[i].action);
            walker.simulation_->insert(lanes, buffers.contacts, i);
        });
    }
    lanes.contacts = buffers.contacts.data();
    solve_velocity_constraints(lanes, lane_count(count), VELOCITY_ITERATIONS);
    for (int i = 0; i < count; ++i) {
        Walker &walker = *steps[i].walker;
        run(walker, [&] {
            walker.simulation_->extract(lanes, i);
            walker.simulation_->finish_step();
            walker.simulation_->observe(walker.body_, steps[i].observation);
            *steps[i].outcome = walker.outcome(steps[i].action);
        });
    }
    if (!failure.empty()) throw SimulationError(failure);
}

void initialize_box2d() {
    b2World world(b2Vec2(0.0f, -10.0f));
    b2BodyDef def;
    b2PolygonShape shape;
    shape.SetAsBox(1.0f, 1.0f);
    b2Body *static_body = world.CreateBody(&def);
    def.type = b2_dynamicBody;
    b2Body *dynamic_body = world.CreateBody(&def);
    static_body->CreateFixture(&shape, 0.0f);
    dynamic_body->CreateFixture(&shape, 1.0f);
    world.Step(0.02f, 1, 1);
}
