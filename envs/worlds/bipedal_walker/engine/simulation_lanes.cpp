// How a simulation's velocity constraints get into a lane, and what comes of them back.
#include <cstring>

#include "simulation.h"

void Simulation::enter(Lanes &lanes, std::vector<ContactLanes> &contacts, int lane) const {
    for (size_t i = 0; i < bodies_.size(); ++i) {
        lanes.bodies[i].v_x.lane[lane] = velocities_[i].v.x;
        lanes.bodies[i].v_y.lane[lane] = velocities_[i].v.y;
        lanes.bodies[i].w.lane[lane] = velocities_[i].w;
    }
    lanes.joint_count = static_cast<int>(joints_.size());
    for (size_t i = 0; i < joints_.size(); ++i) {
        const b2RevoluteJoint &joint = *joints_[i];
        JointLanes &to = lanes.joints[i];
        const bool at_limit = joint.m_limitState != e_inactiveLimit;
        to.a = joint.m_indexA;
        to.b = joint.m_indexB;
        to.limited |= at_limit;
        to.at_limit.lane[lane] = -at_limit;
        to.at_lower.lane[lane] = -(joint.m_limitState == e_atLowerLimit);
        to.mass_a.lane[lane] = joint.m_invMassA;
        to.mass_b.lane[lane] = joint.m_invMassB;
        to.inertia_a.lane[lane] = joint.m_invIA;
        to.inertia_b.lane[lane] = joint.m_invIB;
        to.r_a_x.lane[lane] = joint.m_rA.x;
        to.r_a_y.lane[lane] = joint.m_rA.y;
        to.r_b_x.lane[lane] = joint.m_rB.x;
        to.r_b_y.lane[lane] = joint.m_rB.y;
        to.motor_mass.lane[lane] = joint.m_motorMass;
        to.motor_speed.lane[lane] = joint.m_motorSpeed;
        to.most_motor_impulse.lane[lane] = data_.step.dt * joint.m_maxMotorTorque;
        to.motor_impulse.lane[lane] = joint.m_motorImpulse;
        to.impulse_x.lane[lane] = joint.m_impulse.x;
        to.impulse_y.lane[lane] = joint.m_impulse.y;
        to.impulse_z.lane[lane] = joint.m_impulse.z;
        to.k_xx.lane[lane] = joint.m_mass.ex.x;
        to.k_xy.lane[lane] = joint.m_mass.ex.y;
        to.k_yy.lane[lane] = joint.m_mass.ey.y;
        to.k_xz.lane[lane] = joint.m_mass.ez.x;
        to.k_yz.lane[lane] = joint.m_mass.ez.y;
        to.k_zz.lane[lane] = joint.m_mass.ez.z;
    }
    const auto enter_side = [lane, this](SideLanes &side, int32 body, float32 mass, float32 inertia) {
        side.mass.lane[lane] = mass;
        side.inertia.lane[lane] = inertia;
        if (body == static_cast<int32>(bodies_.size())) return;
        int i = 0;
        while (i < side.count && side.bodies[i] != body) ++i;
        if (i == side.count) side.bodies[side.count++] = body;
        side.where[i].lane[lane] = -1;
    };
    const int count = solver_->m_count;
    if (static_cast<int>(contacts.size()) < count) contacts.resize(count);
    for (; lanes.contact_count < count; ++lanes.contact_count)
        std::memset(&contacts[lanes.contact_count], 0, sizeof(ContactLanes));
    for (int i = 0; i < count; ++i) {
        const b2ContactVelocityConstraint &contact = solver_->m_velocityConstraints[i];
        ContactLanes &to = contacts[i];
        const bool one = contact.pointCount == 1;
        (one ? to.one : to.two).lane[lane] = -1;
        (one ? to.any_one : to.any_two) = true;
        enter_side(to.a, contact.indexA, contact.invMassA, contact.invIA);
        enter_side(to.b, contact.indexB, contact.invMassB, contact.invIB);
        to.normal_x.lane[lane] = contact.normal.x;
        to.normal_y.lane[lane] = contact.normal.y;
        to.friction.lane[lane] = contact.friction;
        to.tangent_speed.lane[lane] = contact.tangentSpeed;
        for (int j = 0; j < contact.pointCount; ++j) {
            const b2VelocityConstraintPoint &point = contact.points[j];
            PointLanes &to_point = to.points[j];
            to_point.r_a_x.lane[lane] = point.rA.x;
            to_point.r_a_y.lane[lane] = point.rA.y;
            to_point.r_b_x.lane[lane] = point.rB.x;
            to_point.r_b_y.lane[lane] = point.rB.y;
            to_point.normal_impulse.lane[lane] = point.normalImpulse;
            to_point.tangent_impulse.lane[lane] = point.tangentImpulse;
            to_point.normal_mass.lane[lane] = point.normalMass;
            to_point.tangent_mass.lane[lane] = point.tangentMass;
            to_point.bias.lane[lane] = point.velocityBias;
        }
        if (one) continue;
        to.k_xx.lane[lane] = contact.K.ex.x;
        to.k_xy.lane[lane] = contact.K.ex.y;
        to.k_yx.lane[lane] = contact.K.ey.x;
        to.k_yy.lane[lane] = contact.K.ey.y;
        to.inverse_xx.lane[lane] = contact.normalMass.ex.x;
        to.inverse_xy.lane[lane] = contact.normalMass.ex.y;
        to.inverse_yx.lane[lane] = contact.normalMass.ey.x;
        to.inverse_yy.lane[lane] = contact.normalMass.ey.y;
    }
}

void Simulation::leave(const Lanes &lanes, int lane) {
    for (size_t i = 0; i < bodies_.size(); ++i) {
        velocities_[i].v.Set(lanes.bodies[i].v_x.lane[lane], lanes.bodies[i].v_y.lane[lane]);
        velocities_[i].w = lanes.bodies[i].w.lane[lane];
    }
    for (size_t i = 0; i < joints_.size(); ++i) {
        const JointLanes &from = lanes.joints[i];
        joints_[i]->m_motorImpulse = from.motor_impulse.lane[lane];
        joints_[i]->m_impulse.Set(from.impulse_x.lane[lane], from.impulse_y.lane[lane], from.impulse_z.lane[lane]);
    }
    for (int i = 0; i < solver_->m_count; ++i) {
        b2ContactVelocityConstraint &contact = solver_->m_velocityConstraints[i];
        for (int j = 0; j < contact.pointCount; ++j) {
            contact.points[j].normalImpulse = lanes.contacts[i].points[j].normal_impulse.lane[lane];
            contact.points[j].tangentImpulse = lanes.contacts[i].points[j].tangent_impulse.lane[lane];
        }
    }
}
