// Inserts a Simulation's velocity constraints into a lane, and extracts what the solver changed.
#include <cstring>

#include "simulation.h"

namespace {

void insert(FloatLanes &to, int lane, float32 value) { to.lane[lane] = value; }

void insert(MaskLanes &to, int lane, bool value) { to.lane[lane] = -value; }

void insert(Vec2Lanes &to, int lane, const b2Vec2 &value) {
    insert(to.x, lane, value.x);
    insert(to.y, lane, value.y);
}

void insert(Vec3Lanes &to, int lane, const b2Vec3 &value) {
    insert(to.x, lane, value.x);
    insert(to.y, lane, value.y);
    insert(to.z, lane, value.z);
}

void insert(Mat22Lanes &to, int lane, const b2Mat22 &value) {
    insert(to.ex, lane, value.ex);
    insert(to.ey, lane, value.ey);
}

void insert(SymMat33Lanes &to, int lane, const b2Mat33 &value) {
    insert(to.ex_x, lane, value.ex.x);
    insert(to.ey_x, lane, value.ey.x);
    insert(to.ey_y, lane, value.ey.y);
    insert(to.ez_x, lane, value.ez.x);
    insert(to.ez_y, lane, value.ez.y);
    insert(to.ez_z, lane, value.ez.z);
}

void insert(VelocityLanes &to, int lane, const b2Velocity &value) {
    insert(to.v, lane, value.v);
    insert(to.w, lane, value.w);
}

void insert(VelocityConstraintPointLanes &to, int lane, const b2VelocityConstraintPoint &point) {
    insert(to.rA, lane, point.rA);
    insert(to.rB, lane, point.rB);
    insert(to.normalImpulse, lane, point.normalImpulse);
    insert(to.tangentImpulse, lane, point.tangentImpulse);
    insert(to.normalMass, lane, point.normalMass);
    insert(to.tangentMass, lane, point.tangentMass);
    insert(to.velocityBias, lane, point.velocityBias);
}

void insert(RevoluteJointLanes &to, int lane, const b2RevoluteJoint &joint, const b2TimeStep &step) {
    const bool at_limit = joint.m_limitState != e_inactiveLimit;
    to.indexA = joint.m_indexA;
    to.indexB = joint.m_indexB;
    to.limited |= at_limit;
    insert(to.at_limit, lane, at_limit);
    insert(to.at_lower_limit, lane, joint.m_limitState == e_atLowerLimit);
    insert(to.invMassA, lane, joint.m_invMassA);
    insert(to.invMassB, lane, joint.m_invMassB);
    insert(to.invIA, lane, joint.m_invIA);
    insert(to.invIB, lane, joint.m_invIB);
    insert(to.rA, lane, joint.m_rA);
    insert(to.rB, lane, joint.m_rB);
    insert(to.motorMass, lane, joint.m_motorMass);
    insert(to.motorSpeed, lane, joint.m_motorSpeed);
    insert(to.maxMotorImpulse, lane, step.dt * joint.m_maxMotorTorque);
    insert(to.motorImpulse, lane, joint.m_motorImpulse);
    insert(to.impulse, lane, joint.m_impulse);
    insert(to.mass, lane, joint.m_mass);
}

void insert(ContactBodyLanes &to, int lane, int32 body, float32 invMass, float32 invI, bool is_static) {
    insert(to.invMass, lane, invMass);
    insert(to.invI, lane, invI);
    if (is_static) return;
    int i = 0;
    while (i < to.count && to.bodies[i] != body) ++i;
    if (i == to.count) to.bodies[to.count++] = body;
    insert(to.masks[i], lane, true);
}

void insert(ContactLanes &to, int lane, const b2ContactVelocityConstraint &contact, int32 static_index) {
    const bool one_point = contact.pointCount == 1;
    insert(one_point ? to.one_point : to.two_points, lane, true);
    (one_point ? to.any_one_point : to.any_two_points) = true;
    insert(to.bodyA, lane, contact.indexA, contact.invMassA, contact.invIA, contact.indexA == static_index);
    insert(to.bodyB, lane, contact.indexB, contact.invMassB, contact.invIB, contact.indexB == static_index);
    insert(to.normal, lane, contact.normal);
    insert(to.friction, lane, contact.friction);
    insert(to.tangentSpeed, lane, contact.tangentSpeed);
    for (int j = 0; j < contact.pointCount; ++j) insert(to.points[j], lane, contact.points[j]);
    if (one_point) return;
    insert(to.K, lane, contact.K);
    insert(to.normalMass, lane, contact.normalMass);
}

} // namespace

void Simulation::insert(Lanes &lanes, std::vector<ContactLanes> &contacts, int lane) const {
    for (size_t i = 0; i < bodies_.size(); ++i) ::insert(lanes.velocities[i], lane, velocities_[i]);
    lanes.joint_count = static_cast<int>(joints_.size());
    for (size_t i = 0; i < joints_.size(); ++i) ::insert(lanes.joints[i], lane, *joints_[i], solver_data_.step);
    const int count = contact_solver_->m_count;
    if (static_cast<int>(contacts.size()) < count) contacts.resize(count);
    for (; lanes.contact_count < count; ++lanes.contact_count)
        std::memset(&contacts[lanes.contact_count], 0, sizeof(ContactLanes));
    const int32 static_index = static_cast<int32>(bodies_.size());
    for (int i = 0; i < count; ++i)
        ::insert(contacts[i], lane, contact_solver_->m_velocityConstraints[i], static_index);
}

void Simulation::extract(const Lanes &lanes, int lane) {
    for (size_t i = 0; i < bodies_.size(); ++i) {
        const auto &[v, w] = lanes.velocities[i];
        velocities_[i].v.Set(v.x.lane[lane], v.y.lane[lane]);
        velocities_[i].w = w.lane[lane];
    }
    for (size_t i = 0; i < joints_.size(); ++i) {
        const RevoluteJointLanes &joint = lanes.joints[i];
        joints_[i]->m_motorImpulse = joint.motorImpulse.lane[lane];
        joints_[i]->m_impulse.Set(joint.impulse.x.lane[lane], joint.impulse.y.lane[lane], joint.impulse.z.lane[lane]);
    }
    for (int i = 0; i < contact_solver_->m_count; ++i) {
        b2ContactVelocityConstraint &contact = contact_solver_->m_velocityConstraints[i];
        for (int j = 0; j < contact.pointCount; ++j) {
            contact.points[j].normalImpulse = lanes.contacts[i].points[j].normalImpulse.lane[lane];
            contact.points[j].tangentImpulse = lanes.contacts[i].points[j].tangentImpulse.lane[lane];
        }
    }
}
