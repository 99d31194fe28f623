#include "simulation.h"

#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace {

constexpr float32 DURATION = static_cast<float32>(1.0 / 50.0);
constexpr double STEPS_PER_SECOND = 50.0;
constexpr int POSITION_PASSES = 60;
constexpr double HIP_SPEED = 4.0, KNEE_SPEED = 6.0;
constexpr float HIP_LIMITS[] = {-0.8f, 1.1f}, KNEE_LIMITS[] = {-1.6f, -0.1f};
constexpr double HIP_Y = -8.0 / SCALE;
constexpr uint16 GROUND_CATEGORY = 0x0001, WALKER_CATEGORY = 0x0020;
constexpr double SPIN = 2.0, SPEED_X = 600.0 / SCALE, SPEED_Y = 400.0 / SCALE;
constexpr size_t MOST_CORNERS = b2_maxPolygonVertices;

// What fixtures carry as user data: one of these, or FOOT plus the number of the leg.
constexpr intptr_t GROUND = 1, HULL = 2, THIGH = 3, FOOT = 4;

intptr_t part(b2Fixture *fixture) { return reinterpret_cast<intptr_t>(fixture->GetUserData()); }

b2Vec2 vector(double x, double y) { return {static_cast<float32>(x), static_cast<float32>(y)}; }

b2Vec2 vector(const Point &point) { return vector(point.x, point.y); }

void set_corners(b2PolygonShape &shape, const std::vector<Point> &corners) {
    if (corners.size() > MOST_CORNERS) throw std::invalid_argument("a polygon has more than 16 corners");
    b2Vec2 points[MOST_CORNERS];
    for (size_t i = 0; i < corners.size(); ++i) points[i] = vector(corners[i]);
    shape.Set(points, static_cast<int32>(corners.size()));
}

b2FixtureDef fixture(const b2Shape &shape, double density, double friction, uint16 category, uint16 mask,
                     intptr_t data) {
    b2FixtureDef definition;
    definition.shape = &shape;
    definition.density = static_cast<float32>(density);
    definition.friction = static_cast<float32>(friction);
    definition.filter.categoryBits = category;
    definition.filter.maskBits = mask;
    definition.userData = reinterpret_cast<void *>(data);
    return definition;
}

// Keeps the nearest hit, or the first one reported.
struct Ray : b2RayCastCallback {
    float32 hit = 1.0f;
    bool first_reported = false;

    float32 ReportFixture(b2Fixture *fixture, const b2Vec2 &, const b2Vec2 &, float32 fraction) override {
        if (part(fixture) != GROUND) return -1.0f;
        hit = fraction;
        return first_reported ? 0.0f : fraction;
    }
};

Point start(const Body &body) {
    return {TERRAIN_STEP * START_PAD_STEPS / 2, GROUND_HEIGHT + 2 * body.leg_length};
}

} // namespace

bool can_be_built(const Polygon &corners) {
    try {
        b2PolygonShape shape;
        set_corners(shape, corners);
    } catch (const b2AssertException &) {
        return false;
    }
    return true;
}

void Contacts::BeginContact(b2Contact *contact) {
    for (const intptr_t touching : {part(contact->GetFixtureA()), part(contact->GetFixtureB())}) {
        if (touching == HULL) hull_touched = true;
        else if (touching >= FOOT) standing[touching - FOOT] = true;
    }
}

void Contacts::EndContact(b2Contact *contact) {
    for (const intptr_t touching : {part(contact->GetFixtureA()), part(contact->GetFixtureB())})
        if (touching >= FOOT) standing[touching - FOOT] = false;
}

Simulation::Simulation(const Body &body, const Track &track) {
    contacts_.standing.assign(body.legs(), false);
    world_.SetContactListener(&contacts_);
    build_track(track);
    build_hull(body, track.push);
    for (const LegPair &pair : body.leg_pairs)
        for (const int tilt : {-1, 1}) build_leg(body, pair, tilt);
    order_island();
    positions_.resize(bodies_.size() + 1);
    velocities_.resize(bodies_.size() + 1);
}

void Simulation::build_track(const Track &track) {
    b2PolygonShape polygon;
    b2EdgeShape slope;
    const b2BodyDef still;
    for (const Polygon &corners : track.obstacles) {
        set_corners(polygon, corners);
        const b2FixtureDef block = fixture(polygon, 0.0, 2.5, GROUND_CATEGORY, 0xFFFF, GROUND);
        world_.CreateBody(&still)->CreateFixture(&block);
    }
    for (const Edge &edge : track.edges) {
        slope.m_vertex1 = vector(edge[0]);
        slope.m_vertex2 = vector(edge[1]);
        const b2FixtureDef ground = fixture(slope, 0.0, 2.5, GROUND_CATEGORY, 0xFFFF, GROUND);
        world_.CreateBody(&still)->CreateFixture(&ground);
    }
}

void Simulation::build_hull(const Body &body, double push) {
    b2PolygonShape shape;
    set_corners(shape, body.hull);
    hull_ = build_part(start(body), 0.0f, shape, 5.0, 0.1, HULL);
    hull_->ApplyForceToCenter(vector(push, 0.0), true);
}

void Simulation::build_leg(const Body &body, const LegPair &pair, int tilt) {
    const double length = body.leg_length;
    auto [x, y] = start(body);
    x += pair.start_x;
    const intptr_t leg = static_cast<intptr_t>(motors_.size()) / 2;
    b2Body *thigh = build_limb(body, {x, y - length / 2 - HIP_Y}, body.leg_width, tilt, THIGH);
    join(body, hull_, {pair.hip_x, HIP_Y}, thigh, HIP_LIMITS, tilt);
    b2Body *shin = build_limb(body, {x, y - length * 3 / 2 - HIP_Y}, 0.8 * body.leg_width, tilt, FOOT + leg);
    join(body, thigh, {0.0, -length / 2}, shin, KNEE_LIMITS, 1);
}

b2Body *Simulation::build_limb(const Body &body, const Point &centre, double width, int tilt, intptr_t data) {
    b2PolygonShape shape;
    shape.SetAsBox(static_cast<float32>(width / 2), static_cast<float32>(body.leg_length / 2));
    return build_part(centre, static_cast<float32>(tilt * 0.05), shape, 1.0, 0.2, data);
}

b2Body *Simulation::build_part(const Point &centre, float32 angle, const b2Shape &shape, double density,
                               double friction, intptr_t data) {
    b2BodyDef definition;
    definition.type = b2_dynamicBody;
    definition.position = vector(centre);
    definition.angle = angle;
    b2Body *made = world_.CreateBody(&definition);
    const b2FixtureDef walker = fixture(shape, density, friction, WALKER_CATEGORY, GROUND_CATEGORY, data);
    made->CreateFixture(&walker);
    return made;
}

void Simulation::join(const Body &body, b2Body *upper, const Point &anchor, b2Body *lower, const float *limits,
                      int speed) {
    b2RevoluteJointDef definition;
    definition.bodyA = upper;
    definition.bodyB = lower;
    definition.localAnchorA = vector(anchor);
    definition.localAnchorB = vector(0.0, body.leg_length / 2);
    // As pybox2d does where no angle is given.
    definition.referenceAngle = lower->GetAngle() - upper->GetAngle();
    definition.enableMotor = definition.enableLimit = true;
    definition.maxMotorTorque = static_cast<float32>(body.torque);
    definition.motorSpeed = static_cast<float32>(speed);
    definition.lowerAngle = limits[0];
    definition.upperAngle = limits[1];
    motors_.push_back(static_cast<b2RevoluteJoint *>(world_.CreateJoint(&definition)));
}

// Box2D searches depth first, from the body that was made last. Contacts lead to static bodies only, which lead
// nowhere, so that they do not change the order.
void Simulation::order_island() {
    std::vector<b2Body *> stack = {world_.m_bodyList};
    stack[0]->m_flags |= b2Body::e_islandFlag;
    while (!stack.empty()) {
        b2Body *body = stack.back();
        stack.pop_back();
        bodies_.push_back(body);
        for (b2JointEdge *edge = body->m_jointList; edge; edge = edge->next) {
            if (edge->joint->m_islandFlag) continue;
            edge->joint->m_islandFlag = true;
            joints_.push_back(static_cast<b2RevoluteJoint *>(edge->joint));
            if (edge->other->m_flags & b2Body::e_islandFlag) continue;
            edge->other->m_flags |= b2Body::e_islandFlag;
            stack.push_back(edge->other);
        }
    }
}

void Simulation::begin_step(const Body &body, const double *action) {
    for (size_t i = 0; i < motors_.size(); ++i) {
        const double speed = i % 2 ? KNEE_SPEED : HIP_SPEED;
        motors_[i]->SetMotorSpeed(static_cast<float32>(speed * ((action[i] > 0.0) - (action[i] < 0.0))));
        motors_[i]->SetMaxMotorTorque(static_cast<float32>(body.torque * std::fmin(std::fabs(action[i]), 1.0)));
    }
    if (world_.m_flags & b2World::e_newFixture) {
        world_.m_contactManager.FindNewContacts();
        world_.m_flags &= ~b2World::e_newFixture;
    }
    world_.m_flags |= b2World::e_locked;
    b2TimeStep &step = data_.step;
    step.dt = DURATION;
    step.inv_dt = 1.0f / DURATION;
    step.dtRatio = world_.m_inv_dt0 * DURATION;
    step.velocityIterations = VELOCITY_PASSES;
    step.positionIterations = POSITION_PASSES;
    step.warmStarting = true;
    world_.m_contactManager.Collide();
    find_touching();

    for (size_t i = 0; i < bodies_.size(); ++i) {
        b2Body &b = *bodies_[i];
        b.m_sweep.c0 = b.m_sweep.c;
        b.m_sweep.a0 = b.m_sweep.a;
        positions_[i].c = b.m_sweep.c;
        positions_[i].a = b.m_sweep.a;
        velocities_[i].v = b.m_linearVelocity + DURATION * (b.m_gravityScale * world_.m_gravity + b.m_invMass * b.m_force);
        velocities_[i].w = b.m_angularVelocity + DURATION * b.m_invI * b.m_torque;
    }
    positions_.back().c.SetZero();
    positions_.back().a = 0.0f;
    velocities_.back().v.SetZero();
    velocities_.back().w = 0.0f;
    data_.positions = positions_.data();
    data_.velocities = velocities_.data();

    b2ContactSolverDef definition;
    definition.step = step;
    definition.contacts = touching_.data();
    definition.count = static_cast<int32>(touching_.size());
    definition.positions = data_.positions;
    definition.velocities = data_.velocities;
    definition.allocator = &world_.m_stackAllocator;
    solver_.emplace(&definition);
    solver_->InitializeVelocityConstraints();
    solver_->WarmStart();
    for (b2RevoluteJoint *joint : joints_) joint->InitVelocityConstraints(data_);
}

void Simulation::find_touching() {
    const int32 ground = static_cast<int32>(bodies_.size());
    touching_.clear();
    for (int32 i = 0; i < ground; ++i) {
        b2Body *body = bodies_[i];
        body->m_islandIndex = i;
        for (b2ContactEdge *edge = body->m_contactList; edge; edge = edge->next) {
            if (!edge->contact->IsEnabled() || !edge->contact->IsTouching()) continue;
            edge->other->m_islandIndex = ground;
            touching_.push_back(edge->contact);
        }
    }
}

void Simulation::finish_step() {
    solver_->StoreImpulses();
    integrate_positions();
    const bool corrected = correct_positions();
    solver_.reset();
    for (size_t i = 0; i < bodies_.size(); ++i) {
        b2Body &body = *bodies_[i];
        body.m_sweep.c = positions_[i].c;
        body.m_sweep.a = positions_[i].a;
        body.m_linearVelocity = velocities_[i].v;
        body.m_angularVelocity = velocities_[i].w;
        body.SynchronizeTransform();
    }
    rest(corrected);
    // What moves was made last, and so is at the front of Box2D's list.
    b2Body *body = world_.m_bodyList;
    for (size_t i = 0; i < bodies_.size(); ++i, body = body->m_next) body->SynchronizeFixtures();
    world_.m_contactManager.FindNewContacts();
    world_.SolveTOI(data_.step);
    world_.m_inv_dt0 = data_.step.inv_dt;
    for (b2Body *moved : bodies_) {
        moved->m_force.SetZero();
        moved->m_torque = 0.0f;
    }
    world_.m_flags &= ~b2World::e_locked;
}

void Simulation::integrate_positions() {
    for (size_t i = 0; i < bodies_.size(); ++i) {
        b2Vec2 &v = velocities_[i].v;
        float32 &w = velocities_[i].w;
        const b2Vec2 moved = DURATION * v;
        if (b2Dot(moved, moved) > b2_maxTranslationSquared) v *= b2_maxTranslation / moved.Length();
        const float32 turned = DURATION * w;
        if (turned * turned > b2_maxRotationSquared) w *= b2_maxRotation / b2Abs(turned);
        positions_[i].c += DURATION * v;
        positions_[i].a += DURATION * w;
    }
}

// Whether the errors became small.
bool Simulation::correct_positions() {
    for (int pass = 0; pass < POSITION_PASSES; ++pass) {
        bool fine = solver_->SolvePositionConstraints();
        for (b2RevoluteJoint *joint : joints_) fine &= joint->SolvePositionConstraints(data_);
        if (fine) return true;
    }
    return false;
}

// Puts a walker that has not moved for half a second to sleep; its motors wake it in the next step.
void Simulation::rest(bool corrected) {
    float32 shortest = b2_maxFloat;
    for (b2Body *body : bodies_) {
        const float32 w = body->m_angularVelocity;
        const b2Vec2 v = body->m_linearVelocity;
        const bool moves = w * w > b2_angularSleepTolerance * b2_angularSleepTolerance ||
                           b2Dot(v, v) > b2_linearSleepTolerance * b2_linearSleepTolerance;
        body->m_sleepTime = moves ? 0.0f : body->m_sleepTime + DURATION;
        shortest = b2Min(shortest, body->m_sleepTime);
    }
    if (shortest >= b2_timeToSleep && corrected)
        for (b2Body *body : bodies_) body->SetAwake(false);
}

void Simulation::observe(const Body &body, float *observation) const {
    const b2Vec2 velocity = hull_->GetLinearVelocity();
    auto sense = [&observation](double value) { *observation++ = static_cast<float>(value); };
    sense(hull_->GetAngle());
    sense(SPIN * hull_->GetAngularVelocity() / STEPS_PER_SECOND);
    sense(0.3 * velocity.x * SPEED_X / STEPS_PER_SECOND);
    sense(0.3 * velocity.y * SPEED_Y / STEPS_PER_SECOND);
    for (int leg = 0; leg < body.legs(); ++leg) {
        const b2RevoluteJoint &hip = *motors_[2 * leg], &knee = *motors_[2 * leg + 1];
        sense(hip.GetJointAngle());
        sense(hip.GetJointSpeed() / HIP_SPEED);
        sense(knee.GetJointAngle() + 1.0);
        sense(knee.GetJointSpeed() / KNEE_SPEED);
        sense(contacts_.standing[leg] && leg < body.feeling_legs ? 1.0 : 0.0);
    }
    const b2Vec2 position = hull_->GetPosition();
    for (const Point &end : body.rays) {
        Ray ray;
        ray.first_reported = body.first_reported;
        world_.RayCast(&ray, position, vector(position.x + end.x, position.y + end.y));
        sense(ray.hit);
    }
}
