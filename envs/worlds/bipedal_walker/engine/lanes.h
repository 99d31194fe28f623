// The velocity constraints of several walkers side by side, one walker a lane, to be solved by SIMD instructions.
//
// Two thirds of Box2D's time goes into 180 passes over the velocity constraints of one walker, each of which waits
// for the one before. Lanes do the same operations in the same order, and so give the same bits.
#pragma once

constexpr int MOST_LANES = 16;
constexpr int MOST_JOINTS = 16, MOST_BODIES = MOST_JOINTS + 1;

// One number for each lane.
struct alignas(64) Row {
    float lane[MOST_LANES];
};

// Which lanes something holds for: all bits or none.
struct alignas(64) Mask {
    int lane[MOST_LANES];
};

struct BodyLanes {
    Row v_x, v_y, w;
};

// A revolute joint with motor and limits; names as in Box2D.
struct JointLanes {
    int a, b;
    // Bodies, the same in all lanes.
    bool limited;
    // Whether the joint is at a limit in any lane.
    Mask at_limit, at_lower;
    Row mass_a, mass_b, inertia_a, inertia_b;
    // Inverse ones.
    Row r_a_x, r_a_y, r_b_x, r_b_y;
    Row motor_mass, motor_speed, most_motor_impulse, motor_impulse;
    Row impulse_x, impulse_y, impulse_z;
    Row k_xx, k_xy, k_yy, k_xz, k_yz, k_zz;
    // The symmetric mass matrix.
};

struct PointLanes {
    Row r_a_x, r_a_y, r_b_x, r_b_y;
    Row normal_impulse, tangent_impulse, normal_mass, tangent_mass, bias;
};

// A side of a contact: the bodies that touch, each in some lanes. What is left is ground, which never moves.
struct SideLanes {
    int count;
    int bodies[MOST_BODIES];
    Mask where[MOST_BODIES];
    Row mass, inertia;
};

// The n-th contact of each lane that has so many.
struct ContactLanes {
    Mask one, two;
    // Lanes in which the contact has one point, or two.
    bool any_one, any_two;
    SideLanes a, b;
    Row normal_x, normal_y, friction, tangent_speed;
    PointLanes points[2];
    Row k_xx, k_xy, k_yx, k_yy;
    // Column, then row, as for the inverse.
    Row inverse_xx, inverse_xy, inverse_yx, inverse_yy;
};

struct Lanes {
    BodyLanes bodies[MOST_BODIES];
    JointLanes joints[MOST_JOINTS];
    int joint_count;
    ContactLanes *contacts;
    int contact_count;
};

// Fewest lanes, of those that this processor has instructions for, that hold `count` walkers; the most where none do.
int lanes_for(int count);

// Solves the first lanes, as many as lanes_for has said.
void solve_lanes(Lanes &lanes, int width, int passes);
