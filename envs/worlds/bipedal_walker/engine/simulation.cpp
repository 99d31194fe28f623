// The parts of a Simulation that are Box2D's, one walker at a time.
#include "simulation.h"

#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace {

constexpr float32 DT = static_cast<float32>(1.0 / 50.0);
constexpr double STEPS_PER_SECOND = 50.0;
constexpr int POSITION_ITERATIONS = 60;
constexpr double HIP_SPEED = 4.0, KNEE_SPEED = 6.0;
constexpr float HIP_LIMITS[] = {-0.8f, 1.1f}, KNEE_LIMITS[] = {-1.6f, -0.1f};
constexpr double HIP_Y = -8.0 / SCALE;
constexpr uint16 GROUND_CATEGORY = 0x0001, WALKER_CATEGORY = 0x0020;
constexpr double SPIN = 2.0, SPEED_X = 600.0 / SCALE, SPEED_Y = 400.0 / SCALE;

// User data of fixtures: one of these, or FOOT plus the number of the leg.
constexpr intptr_t GROUND = 1, HULL = 2, THIGH = 3, FOOT = 4;

intptr_t user_data(b2Fixture *fixture) { return reinterpret_cast<intptr_t>(fixture->GetUserData()); }

b2Vec2 vec2(double x, double y) { return {static_cast<float32>(x), static_cast<float32>(y)}; }

b2Vec2 vec2(const Point &point) { return vec2(point.x, point.y); }

void set_vertices(b2PolygonShape &shape, const std::vector<Point> &polygon) {
    if (polygon.size() > b2_maxPolygonVertices) throw std::invalid_argument("a polygon has more than 16 vertices");
    b2Vec2 vertices[b2_maxPolygonVertices];
    for (size_t i = 0; i < polygon.size(); ++i) vertices[i] = vec2(polygon[i]);
    shape.Set(vertices, static_cast<int32>(polygon.size()));
}

b2FixtureDef fixture_def(const b2Shape &shape, double density, double friction, uint16 category, uint16 mask,
                         intptr_t user_data) {
    b2FixtureDef def;
    def.shape = &shape;
    def.density = static_cast<float32>(density);
    def.friction = static_cast<float32>(friction);
    def.filter.categoryBits = category;
    def.filter.maskBits = mask;
    def.userData = reinterpret_cast<void *>(user_data);
    return def;
}

// Keeps the nearest fraction, or the first one reported.
struct RayCastCallback : b2RayCastCallback {
    float32 fraction = 1.0f;
    bool first_reported = false;

    float32 ReportFixture(b2Fixture *fixture, const b2Vec2 &, const b2Vec2 &, float32 reported) override {
        if (user_data(fixture) != GROUND) return -1.0f;
        fraction = reported;
        return first_reported ? 0.0f : reported;
    }
};

Point start(const Body &body) {
    return {TERRAIN_STEP * START_PAD_STEPS / 2, GROUND_HEIGHT + 2 * body.leg_length};
}

} // namespace

void ContactListener::BeginContact(b2Contact *contact) {
    for (const intptr_t part : {user_data(contact->GetFixtureA()), user_data(contact->GetFixtureB())}) {
        if (part == HULL) hull_touched = true;
        else if (part >= FOOT) standing[part - FOOT] = true;
    }
}

void ContactListener::EndContact(b2Contact *contact) {
    for (const intptr_t part : {user_data(contact->GetFixtureA()), user_data(contact->GetFixtureB())})
        if (part >= FOOT) standing[part - FOOT] = false;
}

Simulation::Simulation(const Body &body, const Track &track) {
    listener_.standing.assign(body.legs(), false);
    world_.SetContactListener(&listener_);
    create_track(track);
    create_hull(body, track.push);
    for (const LegPair &pair : body.leg_pairs)
        for (const int tilt : {-1, 1}) create_leg(body, pair, tilt);
    build_island();
    positions_.resize(bodies_.size() + 1);
    velocities_.resize(bodies_.size() + 1);
}

void Simulation::create_track(const Track &track) {
    b2PolygonShape polygon;
    b2EdgeShape edge;
    const b2BodyDef static_body;
    for (const Polygon &obstacle : track.obstacles) {
        set_vertices(polygon, obstacle);
        const b2FixtureDef def = fixture_def(polygon, 0.0, 2.5, GROUND_CATEGORY, 0xFFFF, GROUND);
        world_.CreateBody(&static_body)->CreateFixture(&def);
    }
    for (const auto &[left, right] : track.edges) {
        edge.m_vertex1 = vec2(left);
        edge.m_vertex2 = vec2(right);
        const b2FixtureDef def = fixture_def(edge, 0.0, 2.5, GROUND_CATEGORY, 0xFFFF, GROUND);
        world_.CreateBody(&static_body)->CreateFixture(&def);
    }
}

void Simulation::create_hull(const Body &body, double push) {
    b2PolygonShape shape;
    set_vertices(shape, body.hull);
    hull_ = create_body(start(body), 0.0f, shape, 5.0, 0.1, HULL);
    hull_->ApplyForceToCenter(vec2(push, 0.0), true);
}

void Simulation::create_leg(const Body &body, const LegPair &pair, int tilt) {
    const double length = body.leg_length;
    auto [x, y] = start(body);
    x += pair.start_x;
    const intptr_t leg = static_cast<intptr_t>(motors_.size()) / 2;
    b2Body *thigh = create_limb(body, {x, y - length / 2 - HIP_Y}, body.leg_width, tilt, THIGH);
    create_joint(body, hull_, {pair.hip_x, HIP_Y}, thigh, HIP_LIMITS, tilt);
    b2Body *shin = create_limb(body, {x, y - length * 3 / 2 - HIP_Y}, 0.8 * body.leg_width, tilt, FOOT + leg);
    create_joint(body, thigh, {0.0, -length / 2}, shin, KNEE_LIMITS, 1);
}

b2Body *Simulation::create_limb(const Body &body, const Point &centre, double width, int tilt, intptr_t user_data) {
    b2PolygonShape shape;
    shape.SetAsBox(static_cast<float32>(width / 2), static_cast<float32>(body.leg_length / 2));
    return create_body(centre, static_cast<float32>(tilt * 0.05), shape, 1.0, 0.2, user_data);
}

b2Body *Simulation::create_body(const Point &position, float32 angle, const b2Shape &shape, double density,
                                double friction, intptr_t user_data) {
    b2BodyDef def;
    def.type = b2_dynamicBody;
    def.position = vec2(position);
    def.angle = angle;
    b2Body *created = world_.CreateBody(&def);
    const b2FixtureDef fixture = fixture_def(shape, density, friction, WALKER_CATEGORY, GROUND_CATEGORY, user_data);
    created->CreateFixture(&fixture);
    return created;
}

void Simulation::create_joint(const Body &body, b2Body *bodyA, const Point &anchorA, b2Body *bodyB,
                              const float *limits, int speed) {
    b2RevoluteJointDef def;
    def.bodyA = bodyA;
    def.bodyB = bodyB;
    def.localAnchorA = vec2(anchorA);
    def.localAnchorB = vec2(0.0, body.leg_length / 2);
    // As pybox2d does where no angle is given.
    def.referenceAngle = bodyB->GetAngle() - bodyA->GetAngle();
    def.enableMotor = def.enableLimit = true;
    def.maxMotorTorque = static_cast<float32>(body.torque);
    def.motorSpeed = static_cast<float32>(speed);
    def.lowerAngle = limits[0];
    def.upperAngle = limits[1];
    motors_.push_back(static_cast<b2RevoluteJoint *>(world_.CreateJoint(&def)));
}

// The depth-first search of b2World::Solve, from the last body; contacts lead to static bodies, where it ends.
void Simulation::build_island() {
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
    b2TimeStep &step = solver_data_.step;
    step.dt = DT;
    step.inv_dt = 1.0f / DT;
    step.dtRatio = world_.m_inv_dt0 * DT;
    step.velocityIterations = VELOCITY_ITERATIONS;
    step.positionIterations = POSITION_ITERATIONS;
    step.warmStarting = true;
    world_.m_contactManager.Collide();
    find_island_contacts();
    integrate_velocities();
    init_velocity_constraints();
}

void Simulation::find_island_contacts() {
    const int32 static_index = static_cast<int32>(bodies_.size());
    contacts_.clear();
    for (int32 i = 0; i < static_index; ++i) {
        b2Body *body = bodies_[i];
        body->m_islandIndex = i;
        for (b2ContactEdge *edge = body->m_contactList; edge; edge = edge->next) {
            if (!edge->contact->IsEnabled() || !edge->contact->IsTouching()) continue;
            edge->other->m_islandIndex = static_index;
            contacts_.push_back(edge->contact);
        }
    }
}

void Simulation::integrate_velocities() {
    for (size_t i = 0; i < bodies_.size(); ++i) {
        b2Body &b = *bodies_[i];
        b.m_sweep.c0 = b.m_sweep.c;
        b.m_sweep.a0 = b.m_sweep.a;
        positions_[i].c = b.m_sweep.c;
        positions_[i].a = b.m_sweep.a;
        velocities_[i].v = b.m_linearVelocity + DT * (b.m_gravityScale * world_.m_gravity + b.m_invMass * b.m_force);
        velocities_[i].w = b.m_angularVelocity + DT * b.m_invI * b.m_torque;
    }
    positions_.back().c.SetZero();
    positions_.back().a = 0.0f;
    velocities_.back().v.SetZero();
    velocities_.back().w = 0.0f;
}

void Simulation::init_velocity_constraints() {
    solver_data_.positions = positions_.data();
    solver_data_.velocities = velocities_.data();
    b2ContactSolverDef def;
    def.step = solver_data_.step;
    def.contacts = contacts_.data();
    def.count = static_cast<int32>(contacts_.size());
    def.positions = solver_data_.positions;
    def.velocities = solver_data_.velocities;
    def.allocator = &world_.m_stackAllocator;
    contact_solver_.emplace(&def);
    contact_solver_->InitializeVelocityConstraints();
    contact_solver_->WarmStart();
    for (b2RevoluteJoint *joint : joints_) joint->InitVelocityConstraints(solver_data_);
}

void Simulation::finish_step() {
    contact_solver_->StoreImpulses();
    integrate_positions();
    const bool position_solved = solve_position_constraints();
    contact_solver_.reset();
    for (size_t i = 0; i < bodies_.size(); ++i) {
        b2Body &body = *bodies_[i];
        body.m_sweep.c = positions_[i].c;
        body.m_sweep.a = positions_[i].a;
        body.m_linearVelocity = velocities_[i].v;
        body.m_angularVelocity = velocities_[i].w;
        body.SynchronizeTransform();
    }
    sleep(position_solved);
    // The dynamic bodies were created last, and so are at the front of the list.
    b2Body *body = world_.m_bodyList;
    for (size_t i = 0; i < bodies_.size(); ++i, body = body->m_next) body->SynchronizeFixtures();
    world_.m_contactManager.FindNewContacts();
    world_.SolveTOI(solver_data_.step);
    world_.m_inv_dt0 = solver_data_.step.inv_dt;
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
        const b2Vec2 translation = DT * v;
        if (b2Dot(translation, translation) > b2_maxTranslationSquared) v *= b2_maxTranslation / translation.Length();
        const float32 rotation = DT * w;
        if (rotation * rotation > b2_maxRotationSquared) w *= b2_maxRotation / b2Abs(rotation);
        positions_[i].c += DT * v;
        positions_[i].a += DT * w;
    }
}

// Returns whether the position errors are small.
bool Simulation::solve_position_constraints() {
    for (int i = 0; i < POSITION_ITERATIONS; ++i) {
        bool okay = contact_solver_->SolvePositionConstraints();
        for (b2RevoluteJoint *joint : joints_) okay &= joint->SolvePositionConstraints(solver_data_);
        if (okay) return true;
    }
    return false;
}

// Puts a walker that has not moved for half a second to sleep; its motors wake it in the next step.
void Simulation::sleep(bool position_solved) {
    float32 min_sleep_time = b2_maxFloat;
    for (b2Body *body : bodies_) {
        const float32 w = body->m_angularVelocity;
        const b2Vec2 v = body->m_linearVelocity;
        const bool moves = w * w > b2_angularSleepTolerance * b2_angularSleepTolerance ||
                           b2Dot(v, v) > b2_linearSleepTolerance * b2_linearSleepTolerance;
        body->m_sleepTime = moves ? 0.0f : body->m_sleepTime + DT;
        min_sleep_time = b2Min(min_sleep_time, body->m_sleepTime);
    }
    if (min_sleep_time >= b2_timeToSleep && position_solved)
        for (b2Body *body : bodies_) body->SetAwake(false);
}

void Simulation::observe(const Body &body, float *observation) const {
    const b2Vec2 velocity = hull_->GetLinearVelocity();
    auto append = [&observation](double value) { *observation++ = static_cast<float>(value); };
    append(hull_->GetAngle());
    append(SPIN * hull_->GetAngularVelocity() / STEPS_PER_SECOND);
    append(0.3 * velocity.x * SPEED_X / STEPS_PER_SECOND);
    append(0.3 * velocity.y * SPEED_Y / STEPS_PER_SECOND);
    for (int leg = 0; leg < body.legs(); ++leg) {
        const b2RevoluteJoint &hip = *motors_[2 * leg], &knee = *motors_[2 * leg + 1];
        append(hip.GetJointAngle());
        append(hip.GetJointSpeed() / HIP_SPEED);
        append(knee.GetJointAngle() + 1.0);
        append(knee.GetJointSpeed() / KNEE_SPEED);
        append(listener_.standing[leg] && leg < body.observed_legs ? 1.0 : 0.0);
    }
    const b2Vec2 position = hull_->GetPosition();
    for (const Point &ray : body.rays) {
        RayCastCallback callback;
        callback.first_reported = body.first_reported;
        world_.RayCast(&callback, position, vec2(position.x + ray.x, position.y + ray.y));
        append(callback.fraction);
    }
}
