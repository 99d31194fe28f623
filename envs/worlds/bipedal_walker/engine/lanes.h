// The velocity constraints of up to 16 walkers for SIMD instructions, one walker a lane; fields are named as in Box2D.
#pragma once

constexpr int MAX_LANES = 16;
constexpr int MAX_JOINTS = 16, MAX_BODIES = MAX_JOINTS + 1;

struct alignas(64) FloatLanes {
    float lane[MAX_LANES];
};

// All bits of a lane are set, or none.
struct alignas(64) MaskLanes {
    int lane[MAX_LANES];
};

struct Vec2Lanes {
    FloatLanes x, y;
};

struct Vec3Lanes {
    FloatLanes x, y, z;
};

struct Mat22Lanes {
    Vec2Lanes ex, ey;
};

// A symmetric b2Mat33.
struct SymMat33Lanes {
    FloatLanes ex_x, ey_x, ey_y, ez_x, ez_y, ez_z;
};

struct VelocityLanes {
    Vec2Lanes v;
    FloatLanes w;
};

// A revolute joint with motor and limits, between the same two bodies in all lanes.
struct RevoluteJointLanes {
    int indexA, indexB;
    // At a limit in any lane.
    bool limited;
    MaskLanes at_limit, at_lower_limit;
    FloatLanes invMassA, invMassB, invIA, invIB;
    Vec2Lanes rA, rB;
    FloatLanes motorMass, motorSpeed, maxMotorImpulse, motorImpulse;
    Vec3Lanes impulse;
    SymMat33Lanes mass;
};

struct VelocityConstraintPointLanes {
    Vec2Lanes rA, rB;
    FloatLanes normalImpulse, tangentImpulse, normalMass, tangentMass, velocityBias;
};

// Body A or B of a contact: bodies[i] in the lanes of masks[i], static ground in lanes of no mask.
struct ContactBodyLanes {
    int count;
    int bodies[MAX_BODIES];
    MaskLanes masks[MAX_BODIES];
    FloatLanes invMass, invI;
};

// Contact number n of each lane, with one or two points in lanes that have so many contacts, and none in the others.
struct ContactLanes {
    MaskLanes one_point, two_points;
    bool any_one_point, any_two_points;
    ContactBodyLanes bodyA, bodyB;
    Vec2Lanes normal;
    FloatLanes friction, tangentSpeed;
    VelocityConstraintPointLanes points[2];
    Mat22Lanes K, normalMass;
};

struct Lanes {
    VelocityLanes velocities[MAX_BODIES];
    RevoluteJointLanes joints[MAX_JOINTS];
    int joint_count;
    ContactLanes *contacts;
    int contact_count;
};

// The fewest lanes with instructions on this processor that hold `walkers`, or the most if none do.
int lane_count(int walkers);

// Solves the first `lanes` lanes, as many as lane_count said: the same operations in each as in Box2D, in its order.
void solve_velocity_constraints(Lanes &constraints, int lanes, int iterations);
