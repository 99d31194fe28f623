#include "walker.h"

#include <algorithm>
#include <cmath>

#include "simulation.h"

namespace {

constexpr double PROGRESS = 130.0, TILT = 5.0, FALL = -100.0;

// What one thread needs to play a group, kept from one to the next.
struct Workplace {
    Lanes lanes;
    std::vector<ContactLanes> contacts;
};

thread_local Workplace workplace;

} // namespace

Walker::Walker(const Body &body) : body_(body) {
    if (body_.leg_pairs.empty() || body_.joints() > MOST_JOINTS)
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

template <typename Work> void Walker::attempt(const Work &work) {
    try {
        work();
    } catch (const b2AssertException &) {
        // Box2D's destructors would find the step unfinished, and end the process: the world is left behind.
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

void play(const std::vector<Turn> &turns) {
    Lanes &lanes = workplace.lanes;
    const int count = static_cast<int>(turns.size()), width = lanes_for(count);
    lanes.contact_count = 0;
    for (JointLanes &joint : lanes.joints) joint.limited = false;
    std::string failure;
    const auto guarded = [&failure](Walker &walker, const auto &work) {
        if (!walker.ready()) return;
        try {
            walker.attempt(work);
        } catch (const SimulationError &error) {
            failure = error.what();
        }
    };
    for (int i = 0; i < count; ++i) {
        Walker &walker = *turns[i].walker;
        guarded(walker, [&] {
            walker.simulation_->begin_step(walker.body_, turns[i].action);
            walker.simulation_->enter(lanes, workplace.contacts, i);
        });
    }
    lanes.contacts = workplace.contacts.data();
    solve_lanes(lanes, width, VELOCITY_PASSES);
    for (int i = 0; i < count; ++i) {
        Walker &walker = *turns[i].walker;
        guarded(walker, [&] {
            walker.simulation_->leave(lanes, i);
            walker.simulation_->finish_step();
            walker.simulation_->observe(walker.body_, turns[i].observation);
            *turns[i].outcome = walker.outcome(turns[i].action);
        });
    }
    if (!failure.empty()) throw SimulationError(failure);
}

void prepare_box2d() {
    b2World world(b2Vec2(0.0f, -10.0f));
    b2BodyDef definition;
    b2PolygonShape shape;
    shape.SetAsBox(1.0f, 1.0f);
    b2Body *still = world.CreateBody(&definition);
    definition.type = b2_dynamicBody;
    b2Body *falling = world.CreateBody(&definition);
    still->CreateFixture(&shape, 0.0f);
    falling->CreateFixture(&shape, 1.0f);
    world.Step(0.02f, 1, 1);
}
