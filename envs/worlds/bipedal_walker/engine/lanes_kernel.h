// The solver of lanes.h, compiled once for each number of lanes and its instructions, by lanes_*.cpp. Uses nothing of
// the standard library: the linker might choose one of its functions here, with these instructions, for everyone.
#include "lanes.h"

namespace {

#if LANES == 1
typedef float Numbers;
typedef int Truth;
#else
typedef float Numbers __attribute__((vector_size(4 * LANES)));
typedef int Truth __attribute__((vector_size(4 * LANES)));
#endif

inline Numbers load(const Row &row) { return *reinterpret_cast<const Numbers *>(row.lane); }
inline void store(Row &row, Numbers value) { *reinterpret_cast<Numbers *>(row.lane) = value; }
inline Truth load(const Mask &mask) { return *reinterpret_cast<const Truth *>(mask.lane); }

inline Numbers least(Numbers a, Numbers b) { return a < b ? a : b; }
inline Numbers greatest(Numbers a, Numbers b) { return a > b ? a : b; }
inline Numbers clamp(Numbers value, Numbers low, Numbers high) { return greatest(low, least(value, high)); }
inline Numbers cross(Numbers a_x, Numbers a_y, Numbers b_x, Numbers b_y) { return a_x * b_y - a_y * b_x; }

struct Velocity {
    Numbers x, y, w;
};

inline Velocity choose(Truth truth, const Velocity &yes, const Velocity &no) {
    return {truth ? yes.x : no.x, truth ? yes.y : no.y, truth ? yes.w : no.w};
}

inline Velocity load(const BodyLanes &body) { return {load(body.v_x), load(body.v_y), load(body.w)}; }

inline void store(BodyLanes &body, const Velocity &velocity) {
    store(body.v_x, velocity.x);
    store(body.v_y, velocity.y);
    store(body.w, velocity.w);
}

// What does not change between passes.
struct alignas(64) Inverses {
    Numbers c_x, c_y, c_z, det33, det22;
};

inline Numbers inverse(Numbers number) { return number != 0.0f ? 1.0f / number : number; }

inline Inverses invert(const JointLanes &joint) {
    const Numbers xx = load(joint.k_xx), xy = load(joint.k_xy), yy = load(joint.k_yy);
    const Numbers xz = load(joint.k_xz), yz = load(joint.k_yz), zz = load(joint.k_zz);
    const Numbers c_x = yy * zz - yz * yz, c_y = yz * xz - xy * zz, c_z = xy * yz - yy * xz;
    return {c_x, c_y, c_z, inverse(xx * c_x + xy * c_y + xz * c_z), inverse(xx * yy - xy * xy)};
}

inline void solve_joint(JointLanes &joint, const Inverses &inverses, BodyLanes *bodies) {
    Velocity a = load(bodies[joint.a]), b = load(bodies[joint.b]);
    const Numbers mass_a = load(joint.mass_a), mass_b = load(joint.mass_b);
    const Numbers inertia_a = load(joint.inertia_a), inertia_b = load(joint.inertia_b);

    const Numbers driven = -load(joint.motor_mass) * (b.w - a.w - load(joint.motor_speed));
    const Numbers before = load(joint.motor_impulse), most = load(joint.most_motor_impulse);
    const Numbers after = clamp(before + driven, -most, most);
    store(joint.motor_impulse, after);
    a.w -= inertia_a * (after - before);
    b.w += inertia_b * (after - before);

    const Numbers r_a_x = load(joint.r_a_x), r_a_y = load(joint.r_a_y);
    const Numbers r_b_x = load(joint.r_b_x), r_b_y = load(joint.r_b_y);
    const Numbers c_x = b.x - b.w * r_b_y - a.x + a.w * r_a_y;
    const Numbers c_y = b.y + b.w * r_b_x - a.y - a.w * r_a_x;
    const Numbers xx = load(joint.k_xx), xy = load(joint.k_xy), yy = load(joint.k_yy);
    Numbers rhs_x = -c_x, rhs_y = -c_y;
    Numbers impulse_x, impulse_y, turn_a, turn_b;
    if (joint.limited) {
        const Numbers xz = load(joint.k_xz), yz = load(joint.k_yz);
        const Numbers c_w = b.w - a.w, z = load(joint.impulse_z);
        const Numbers all_x = -(inverses.det33 * (c_x * inverses.c_x + c_y * inverses.c_y + c_w * inverses.c_z));
        const Numbers all_y = -(inverses.det33 * (xx * (c_y * load(joint.k_zz) - c_w * yz) +
                                                  xy * (c_w * xz - c_x * load(joint.k_zz)) +
                                                  xz * (c_x * yz - c_y * xz)));
        const Numbers all_z =
            -(inverses.det33 * (xx * (yy * c_w - yz * c_y) + xy * (yz * c_x - xy * c_w) + xz * (xy * c_y - yy * c_x)));
        const Truth limit = load(joint.at_limit), lower = load(joint.at_lower);
        const Truth leaves = limit & (lower ? Truth(z + all_z < 0.0f) : Truth(z + all_z > 0.0f));
        rhs_x = leaves ? rhs_x + z * xz : rhs_x;
        rhs_y = leaves ? rhs_y + z * yz : rhs_y;
        const Numbers two_x = inverses.det22 * (yy * rhs_x - xy * rhs_y);
        const Numbers two_y = inverses.det22 * (xx * rhs_y - xy * rhs_x);
        const Truth three = limit & (leaves ? Truth{} : limit);
        impulse_x = three ? all_x : two_x;
        impulse_y = three ? all_y : two_y;
        // Adding -0 changes nothing, not even the sign of a zero.
        const Numbers impulse_z = limit ? (leaves ? -z : all_z) : -Numbers{};
        store(joint.impulse_z, z + impulse_z);
        turn_a = cross(r_a_x, r_a_y, impulse_x, impulse_y) + impulse_z;
        turn_b = cross(r_b_x, r_b_y, impulse_x, impulse_y) + impulse_z;
    } else {
        impulse_x = inverses.det22 * (yy * rhs_x - xy * rhs_y);
        impulse_y = inverses.det22 * (xx * rhs_y - xy * rhs_x);
        turn_a = cross(r_a_x, r_a_y, impulse_x, impulse_y);
        turn_b = cross(r_b_x, r_b_y, impulse_x, impulse_y);
    }
    store(joint.impulse_x, load(joint.impulse_x) + impulse_x);
    store(joint.impulse_y, load(joint.impulse_y) + impulse_y);
    store(bodies[joint.a], {a.x - mass_a * impulse_x, a.y - mass_a * impulse_y, a.w - inertia_a * turn_a});
    store(bodies[joint.b], {b.x + mass_b * impulse_x, b.y + mass_b * impulse_y, b.w + inertia_b * turn_b});
}

inline Velocity gather(const SideLanes &side, const BodyLanes *bodies) {
    Velocity found{};
    for (int i = 0; i < side.count; ++i)
        found = choose(load(side.where[i]), load(bodies[side.bodies[i]]), found);
    return found;
}

inline void scatter(const SideLanes &side, BodyLanes *bodies, const Velocity &velocity) {
    for (int i = 0; i < side.count; ++i) {
        BodyLanes &body = bodies[side.bodies[i]];
        store(body, choose(load(side.where[i]), velocity, load(body)));
    }
}

// The two bodies of a contact.
struct Two {
    Velocity a, b;
};

inline Two choose(Truth truth, const Two &yes, const Two &no) {
    return {choose(truth, yes.a, no.a), choose(truth, yes.b, no.b)};
}

struct Masses {
    Numbers mass_a, inertia_a, mass_b, inertia_b;
};

// How fast b moves away from a where they touch.
inline void separate(const Two &two, const PointLanes &point, Numbers &d_x, Numbers &d_y) {
    d_x = two.b.x - two.b.w * load(point.r_b_y) - two.a.x + two.a.w * load(point.r_a_y);
    d_y = two.b.y + two.b.w * load(point.r_b_x) - two.a.y - two.a.w * load(point.r_a_x);
}

inline Two push(const Two &two, const Masses &m, const PointLanes &point, Numbers p_x, Numbers p_y) {
    return {{two.a.x - m.mass_a * p_x, two.a.y - m.mass_a * p_y,
             two.a.w - m.inertia_a * cross(load(point.r_a_x), load(point.r_a_y), p_x, p_y)},
            {two.b.x + m.mass_b * p_x, two.b.y + m.mass_b * p_y,
             two.b.w + m.inertia_b * cross(load(point.r_b_x), load(point.r_b_y), p_x, p_y)}};
}

inline Two rub(ContactLanes &contact, PointLanes &point, const Two &two, const Masses &masses) {
    const Numbers t_x = load(contact.normal_y), t_y = -load(contact.normal_x);
    Numbers d_x, d_y;
    separate(two, point, d_x, d_y);
    const Numbers along = d_x * t_x + d_y * t_y - load(contact.tangent_speed);
    const Numbers before = load(point.tangent_impulse);
    const Numbers most = load(contact.friction) * load(point.normal_impulse);
    const Numbers after = clamp(before + load(point.tangent_mass) * -along, -most, most);
    store(point.tangent_impulse, after);
    return push(two, masses, point, (after - before) * t_x, (after - before) * t_y);
}

inline Two press_one(ContactLanes &contact, const Two &two, const Masses &masses) {
    PointLanes &point = contact.points[0];
    const Numbers n_x = load(contact.normal_x), n_y = load(contact.normal_y);
    Numbers d_x, d_y;
    separate(two, point, d_x, d_y);
    const Numbers away = d_x * n_x + d_y * n_y;
    const Numbers before = load(point.normal_impulse);
    const Numbers after = greatest(before + -load(point.normal_mass) * (away - load(point.bias)), Numbers{});
    // Lanes with two points have theirs still to come.
    store(point.normal_impulse, load(contact.one) ? after : before);
    return push(two, masses, point, (after - before) * n_x, (after - before) * n_y);
}

// Two points at once: the first of four cases that holds; where none does, nothing happens.
inline Two press_two(ContactLanes &contact, const Two &two, const Masses &m) {
    PointLanes &first = contact.points[0], &second = contact.points[1];
    const Numbers n_x = load(contact.normal_x), n_y = load(contact.normal_y);
    const Numbers a_x = load(first.normal_impulse), a_y = load(second.normal_impulse);
    Numbers d1_x, d1_y, d2_x, d2_y;
    separate(two, first, d1_x, d1_y);
    separate(two, second, d2_x, d2_y);
    const Numbers k_xy = load(contact.k_xy), k_yx = load(contact.k_yx);
    const Numbers b_x = d1_x * n_x + d1_y * n_y - load(first.bias) - (load(contact.k_xx) * a_x + k_yx * a_y);
    const Numbers b_y = d2_x * n_x + d2_y * n_y - load(second.bias) - (k_xy * a_x + load(contact.k_yy) * a_y);
    const Numbers zero{};

    const Numbers both_x = -(load(contact.inverse_xx) * b_x + load(contact.inverse_yx) * b_y);
    const Numbers both_y = -(load(contact.inverse_xy) * b_x + load(contact.inverse_yy) * b_y);
    const Numbers only_x = -load(first.normal_mass) * b_x, only_y = -load(second.normal_mass) * b_y;
    const Truth case1 = (both_x >= 0.0f) & (both_y >= 0.0f);
    const Truth case2 = (only_x >= 0.0f) & (k_xy * only_x + b_y >= 0.0f);
    const Truth case3 = (only_y >= 0.0f) & (k_yx * only_y + b_x >= 0.0f);
    const Truth case4 = (b_x >= 0.0f) & (b_y >= 0.0f);
    const Numbers x = case1 ? both_x : case2 ? only_x : zero;
    const Numbers y = case1 ? both_y : case2 ? zero : case3 ? only_y : zero;
    const Truth solved = load(contact.two) & (case1 | case2 | case3 | case4);

    const Numbers p1_x = (x - a_x) * n_x, p1_y = (x - a_x) * n_y;
    const Numbers p2_x = (y - a_y) * n_x, p2_y = (y - a_y) * n_y;
    const Numbers turn_a = cross(load(first.r_a_x), load(first.r_a_y), p1_x, p1_y) +
                           cross(load(second.r_a_x), load(second.r_a_y), p2_x, p2_y);
    const Numbers turn_b = cross(load(first.r_b_x), load(first.r_b_y), p1_x, p1_y) +
                           cross(load(second.r_b_x), load(second.r_b_y), p2_x, p2_y);
    store(first.normal_impulse, solved ? x : a_x);
    store(second.normal_impulse, solved ? y : a_y);
    const Two pressed = {{two.a.x - m.mass_a * (p1_x + p2_x), two.a.y - m.mass_a * (p1_y + p2_y),
                          two.a.w - m.inertia_a * turn_a},
                         {two.b.x + m.mass_b * (p1_x + p2_x), two.b.y + m.mass_b * (p1_y + p2_y),
                          two.b.w + m.inertia_b * turn_b}};
    return choose(solved, pressed, two);
}

inline void solve_contact(ContactLanes &contact, BodyLanes *bodies) {
    const Masses masses = {load(contact.a.mass), load(contact.a.inertia), load(contact.b.mass),
                           load(contact.b.inertia)};
    Two two = {gather(contact.a, bodies), gather(contact.b, bodies)};
    two = rub(contact, contact.points[0], two, masses);
    if (contact.any_two) two = choose(load(contact.two), rub(contact, contact.points[1], two, masses), two);
    Two pressed = two;
    if (contact.any_two) pressed = press_two(contact, two, masses);
    if (contact.any_one) pressed = choose(load(contact.one), press_one(contact, two, masses), pressed);
    scatter(contact.a, bodies, pressed.a);
    scatter(contact.b, bodies, pressed.b);
}

} // namespace

void SOLVE(Lanes &lanes, int passes) {
    Inverses inverses[MOST_JOINTS];
    for (int i = 0; i < lanes.joint_count; ++i) inverses[i] = invert(lanes.joints[i]);
    for (int pass = 0; pass < passes; ++pass) {
        for (int i = 0; i < lanes.joint_count; ++i) solve_joint(lanes.joints[i], inverses[i], lanes.bodies);
        for (int i = 0; i < lanes.contact_count; ++i) solve_contact(lanes.contacts[i], lanes.bodies);
    }
}
