// SolveVelocityConstraints of b2RevoluteJoint and b2ContactSolver, in LANES lanes at once.
// No standard library: the linker might take a function compiled here, with these instructions, for everyone.
#include "lanes.h"

namespace {

#if LANES == 1
typedef float Float;
typedef int Mask;
#else
typedef float Float __attribute__((vector_size(4 * LANES)));
typedef int Mask __attribute__((vector_size(4 * LANES)));
#endif

struct Vec2 {
    Float x, y;
};

struct Vec3 {
    Float x, y, z;
};

struct Mat22 {
    Vec2 ex, ey;
};

struct Mat33 {
    Vec3 ex, ey, ez;
};

struct Velocity {
    Vec2 v;
    Float w;
};

inline Float load(const FloatLanes &lanes) { return *reinterpret_cast<const Float *>(lanes.lane); }
inline Mask load(const MaskLanes &lanes) { return *reinterpret_cast<const Mask *>(lanes.lane); }
inline Vec2 load(const Vec2Lanes &lanes) { return {load(lanes.x), load(lanes.y)}; }
inline Vec3 load(const Vec3Lanes &lanes) { return {load(lanes.x), load(lanes.y), load(lanes.z)}; }
inline Mat22 load(const Mat22Lanes &lanes) { return {load(lanes.ex), load(lanes.ey)}; }
inline Velocity load(const VelocityLanes &lanes) { return {load(lanes.v), load(lanes.w)}; }

inline Mat33 load(const SymMat33Lanes &lanes) {
    const Float ey_x = load(lanes.ey_x), ez_x = load(lanes.ez_x), ez_y = load(lanes.ez_y);
    return {{load(lanes.ex_x), ey_x, ez_x}, {ey_x, load(lanes.ey_y), ez_y}, {ez_x, ez_y, load(lanes.ez_z)}};
}

inline void store(FloatLanes &lanes, Float value) { *reinterpret_cast<Float *>(lanes.lane) = value; }

inline void store(VelocityLanes &lanes, const Velocity &value) {
    store(lanes.v.x, value.v.x);
    store(lanes.v.y, value.v.y);
    store(lanes.w, value.w);
}

inline Vec2 operator-(const Vec2 &a) { return {-a.x, -a.y}; }
inline Vec2 operator+(const Vec2 &a, const Vec2 &b) { return {a.x + b.x, a.y + b.y}; }
inline Vec2 operator-(const Vec2 &a, const Vec2 &b) { return {a.x - b.x, a.y - b.y}; }
inline Vec2 operator*(Float s, const Vec2 &a) { return {s * a.x, s * a.y}; }

inline Float min(Float a, Float b) { return a < b ? a : b; }
inline Float max(Float a, Float b) { return a > b ? a : b; }
inline Float clamp(Float a, Float low, Float high) { return max(low, min(a, high)); }
inline Float dot(const Vec2 &a, const Vec2 &b) { return a.x * b.x + a.y * b.y; }
inline Float dot(const Vec3 &a, const Vec3 &b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Float cross(const Vec2 &a, const Vec2 &b) { return a.x * b.y - a.y * b.x; }
inline Vec2 cross(Float s, const Vec2 &a) { return {-s * a.y, s * a.x}; }
inline Vec2 mul(const Mat22 &A, const Vec2 &v) { return {A.ex.x * v.x + A.ey.x * v.y, A.ex.y * v.x + A.ey.y * v.y}; }

inline Vec3 cross(const Vec3 &a, const Vec3 &b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

inline Vec2 select(Mask mask, const Vec2 &a, const Vec2 &b) { return {mask ? a.x : b.x, mask ? a.y : b.y}; }

inline Velocity select(Mask mask, const Velocity &a, const Velocity &b) {
    return {select(mask, a.v, b.v), mask ? a.w : b.w};
}

// What Solve33 and Solve22 of a joint's mass need, and no iteration changes.
struct alignas(64) MassInverse {
    Vec3 ey_cross_ez;
    Float det33, det22;
};

inline Float inverse(Float det) { return det != 0.0f ? 1.0f / det : det; }

inline MassInverse invert(const SymMat33Lanes &mass) {
    const Mat33 m = load(mass);
    const Vec3 ey_cross_ez = cross(m.ey, m.ez);
    return {ey_cross_ez, inverse(dot(m.ex, ey_cross_ez)), inverse(m.ex.x * m.ey.y - m.ey.x * m.ex.y)};
}

inline Vec3 solve33(const Mat33 &m, const MassInverse &inverse, const Vec3 &b) {
    return {inverse.det33 * dot(b, inverse.ey_cross_ez), inverse.det33 * dot(m.ex, cross(b, m.ez)),
            inverse.det33 * dot(m.ex, cross(m.ey, b))};
}

inline Vec2 solve22(const SymMat33Lanes &mass, const MassInverse &inverse, const Vec2 &b) {
    const Float a11 = load(mass.ex_x), a12 = load(mass.ey_x), a22 = load(mass.ey_y);
    return {inverse.det22 * (a22 * b.x - a12 * b.y), inverse.det22 * (a11 * b.y - a12 * b.x)};
}

inline void solve_joint(RevoluteJointLanes &joint, const MassInverse &inverse, VelocityLanes *velocities) {
    auto [vA, wA] = load(velocities[joint.indexA]);
    auto [vB, wB] = load(velocities[joint.indexB]);
    const Float mA = load(joint.invMassA), iA = load(joint.invIA);
    const Float mB = load(joint.invMassB), iB = load(joint.invIB);
    const Vec2 rA = load(joint.rA), rB = load(joint.rB);

    // Motor constraint.
    const Float maxImpulse = load(joint.maxMotorImpulse), oldImpulse = load(joint.motorImpulse);
    const Float motorCdot = wB - wA - load(joint.motorSpeed);
    const Float newImpulse = clamp(oldImpulse + -load(joint.motorMass) * motorCdot, -maxImpulse, maxImpulse);
    store(joint.motorImpulse, newImpulse);
    wA = wA - iA * (newImpulse - oldImpulse);
    wB = wB + iB * (newImpulse - oldImpulse);

    const Vec2 Cdot1 = vB + cross(wB, rB) - vA - cross(wA, rA);
    Vec2 P;
    Float angular_impulseA, angular_impulseB;
    if (joint.limited) {
        // Limit constraint in lanes at a limit, point-to-point constraint in the others.
        const Mat33 mass = load(joint.mass);
        const Float accumulated_z = load(joint.impulse.z);
        const Vec3 solved = solve33(mass, inverse, {Cdot1.x, Cdot1.y, wB - wA});
        const Vec3 impulse = {-solved.x, -solved.y, -solved.z};
        const Mask at_limit = load(joint.at_limit), at_lower_limit = load(joint.at_lower_limit);
        const Float new_z = accumulated_z + impulse.z;
        const Mask reduced = at_limit & (at_lower_limit ? Mask(new_z < 0.0f) : Mask(new_z > 0.0f));
        const Vec2 rhs = select(reduced, -Cdot1 + accumulated_z * Vec2{mass.ez.x, mass.ez.y}, -Cdot1);
        const Mask full = at_limit & (reduced ? Mask{} : at_limit);
        P = select(full, {impulse.x, impulse.y}, solve22(joint.mass, inverse, rhs));
        // Adding -0 changes nothing, not even the sign of a zero.
        const Float z = at_limit ? (reduced ? -accumulated_z : impulse.z) : -Float{};
        store(joint.impulse.z, accumulated_z + z);
        angular_impulseA = cross(rA, P) + z;
        angular_impulseB = cross(rB, P) + z;
    } else {
        // Point-to-point constraint.
        P = solve22(joint.mass, inverse, -Cdot1);
        angular_impulseA = cross(rA, P);
        angular_impulseB = cross(rB, P);
    }
    store(joint.impulse.x, load(joint.impulse.x) + P.x);
    store(joint.impulse.y, load(joint.impulse.y) + P.y);
    store(velocities[joint.indexA], {vA - mA * P, wA - iA * angular_impulseA});
    store(velocities[joint.indexB], {vB + mB * P, wB + iB * angular_impulseB});
}

inline Velocity gather(const ContactBodyLanes &body, const VelocityLanes *velocities) {
    Velocity gathered{};
    for (int i = 0; i < body.count; ++i)
        gathered = select(load(body.masks[i]), load(velocities[body.bodies[i]]), gathered);
    return gathered;
}

inline void scatter(const ContactBodyLanes &body, VelocityLanes *velocities, const Velocity &value) {
    for (int i = 0; i < body.count; ++i) {
        VelocityLanes &lanes = velocities[body.bodies[i]];
        store(lanes, select(load(body.masks[i]), value, load(lanes)));
    }
}

// Of the two bodies of a contact.
struct Velocities {
    Velocity A, B;
};

struct InverseMasses {
    Float mA, iA, mB, iB;
};

inline Velocities select(Mask mask, const Velocities &a, const Velocities &b) {
    return {select(mask, a.A, b.A), select(mask, a.B, b.B)};
}

// Relative velocity at a contact point.
inline Vec2 relative_velocity(const Velocities &at, const VelocityConstraintPointLanes &point) {
    return at.B.v + cross(at.B.w, load(point.rB)) - at.A.v - cross(at.A.w, load(point.rA));
}

inline Velocities apply_impulse(const Velocities &at, const InverseMasses &inv,
                                const VelocityConstraintPointLanes &point, const Vec2 &P) {
    return {{at.A.v - inv.mA * P, at.A.w - inv.iA * cross(load(point.rA), P)},
            {at.B.v + inv.mB * P, at.B.w + inv.iB * cross(load(point.rB), P)}};
}

inline Velocities solve_friction(const ContactLanes &contact, VelocityConstraintPointLanes &point,
                                 const Velocities &at, const InverseMasses &inv) {
    const Vec2 tangent = {load(contact.normal.y), -load(contact.normal.x)};
    const Float vt = dot(relative_velocity(at, point), tangent) - load(contact.tangentSpeed);
    const Float oldImpulse = load(point.tangentImpulse);
    const Float maxFriction = load(contact.friction) * load(point.normalImpulse);
    const Float newImpulse = clamp(oldImpulse + load(point.tangentMass) * -vt, -maxFriction, maxFriction);
    store(point.tangentImpulse, newImpulse);
    return apply_impulse(at, inv, point, (newImpulse - oldImpulse) * tangent);
}

inline Velocities solve_normal(ContactLanes &contact, const Velocities &at, const InverseMasses &inv) {
    VelocityConstraintPointLanes &point = contact.points[0];
    const Vec2 normal = load(contact.normal);
    const Float vn = dot(relative_velocity(at, point), normal);
    const Float oldImpulse = load(point.normalImpulse);
    const Float newImpulse = max(oldImpulse + -load(point.normalMass) * (vn - load(point.velocityBias)), Float{});
    // Lanes with two points keep theirs.
    store(point.normalImpulse, load(contact.one_point) ? newImpulse : oldImpulse);
    return apply_impulse(at, inv, point, (newImpulse - oldImpulse) * normal);
}

// The block solver for two points: the first of four cases that holds, in lanes where any does.
inline Velocities solve_normal_block(ContactLanes &contact, const Velocities &at, const InverseMasses &inv) {
    VelocityConstraintPointLanes &cp1 = contact.points[0], &cp2 = contact.points[1];
    const Vec2 normal = load(contact.normal);
    const Mat22 K = load(contact.K);
    const Vec2 a = {load(cp1.normalImpulse), load(cp2.normalImpulse)};
    const Vec2 vn = {dot(relative_velocity(at, cp1), normal), dot(relative_velocity(at, cp2), normal)};
    const Vec2 b = vn - Vec2{load(cp1.velocityBias), load(cp2.velocityBias)} - mul(K, a);

    const Vec2 both = -mul(load(contact.normalMass), b);
    const Vec2 one = {-load(cp1.normalMass) * b.x, -load(cp2.normalMass) * b.y};
    const Mask case1 = (both.x >= 0.0f) & (both.y >= 0.0f);
    const Mask case2 = (one.x >= 0.0f) & (K.ex.y * one.x + b.y >= 0.0f);
    const Mask case3 = (one.y >= 0.0f) & (K.ey.x * one.y + b.x >= 0.0f);
    const Mask case4 = (b.x >= 0.0f) & (b.y >= 0.0f);
    const Float zero{};
    const Vec2 x = {case1 ? both.x : case2 ? one.x : zero, case1 ? both.y : case2 ? zero : case3 ? one.y : zero};
    const Mask solved = load(contact.two_points) & (case1 | case2 | case3 | case4);

    const Vec2 d = x - a, P1 = d.x * normal, P2 = d.y * normal;
    store(cp1.normalImpulse, solved ? x.x : a.x);
    store(cp2.normalImpulse, solved ? x.y : a.y);
    const Float angularA = cross(load(cp1.rA), P1) + cross(load(cp2.rA), P2);
    const Float angularB = cross(load(cp1.rB), P1) + cross(load(cp2.rB), P2);
    const Velocities after = {{at.A.v - inv.mA * (P1 + P2), at.A.w - inv.iA * angularA},
                              {at.B.v + inv.mB * (P1 + P2), at.B.w + inv.iB * angularB}};
    return select(solved, after, at);
}

inline void solve_contact(ContactLanes &contact, VelocityLanes *velocities) {
    const InverseMasses inv = {load(contact.bodyA.invMass), load(contact.bodyA.invI), load(contact.bodyB.invMass),
                               load(contact.bodyB.invI)};
    Velocities at = {gather(contact.bodyA, velocities), gather(contact.bodyB, velocities)};
    at = solve_friction(contact, contact.points[0], at, inv);
    if (contact.any_two_points)
        at = select(load(contact.two_points), solve_friction(contact, contact.points[1], at, inv), at);
    Velocities after = at;
    if (contact.any_two_points) after = solve_normal_block(contact, at, inv);
    if (contact.any_one_point) after = select(load(contact.one_point), solve_normal(contact, at, inv), after);
    scatter(contact.bodyA, velocities, after.A);
    scatter(contact.bodyB, velocities, after.B);
}

} // namespace

void SOLVE(Lanes &lanes, int iterations) {
    MassInverse inverses[MAX_JOINTS];
    for (int i = 0; i < lanes.joint_count; ++i) inverses[i] = invert(lanes.joints[i].mass);
    for (int iteration = 0; iteration < iterations; ++iteration) {
        for (int i = 0; i < lanes.joint_count; ++i) solve_joint(lanes.joints[i], inverses[i], lanes.velocities);
        for (int i = 0; i < lanes.contact_count; ++i) solve_contact(lanes.contacts[i], lanes.velocities);
    }
}
