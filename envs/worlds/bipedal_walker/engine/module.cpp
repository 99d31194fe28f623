// The Python module `_engine`: checks what it is given, lets go of the interpreter's lock, and calls the batch.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "batch.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <typename Number, int dimensions>
using Array = nb::ndarray<Number, nb::ndim<dimensions>, nb::c_contig, nb::device::cpu>;
using Slots = Array<const int64_t, 1>;
using Pair = std::array<double, 2>;

// Calls that have let go of the lock. A thread must not ask for it back once the interpreter has begun to end, as
// Python would then end the thread in the middle of C++. So `shut_down` waits for those calls, and later ones fail.
class Unlocked {
  public:
    template <typename Work> static void run(const Work &work) {
        {
            std::lock_guard lock(mutex());
            if (ending()) throw std::runtime_error("the interpreter is ending; the walkers can't be used any more");
            ++calls();
        }
        std::exception_ptr raised;
        PyThreadState *state = PyEval_SaveThread();
        try {
            work();
        } catch (...) {
            raised = std::current_exception();
        }
        PyEval_RestoreThread(state);
        {
            std::lock_guard lock(mutex());
            --calls();
        }
        finished().notify_all();
        if (raised) std::rethrow_exception(raised);
    }

    static void shut_down() {
        PyThreadState *state = PyEval_SaveThread();
        {
            std::unique_lock lock(mutex());
            ending() = true;
            finished().wait(lock, [] { return calls() == 0; });
        }
        PyEval_RestoreThread(state);
    }

    // After a fork the other threads' calls never end here.
    static void forget() { calls() = 0; }

  private:
    static std::mutex &mutex() { static auto *it = new std::mutex; return *it; }
    static std::condition_variable &finished() { static auto *it = new std::condition_variable; return *it; }
    static int &calls() { static int count = 0; return count; }
    static bool &ending() { static bool is = false; return is; }
};

std::vector<Point> points(const std::vector<Pair> &pairs) {
    std::vector<Point> made;
    for (const Pair &pair : pairs) made.push_back({pair[0], pair[1]});
    return made;
}

Body make_body(const std::vector<Pair> &hull, double leg_length, double leg_width, double torque,
               double effort_price, const std::vector<Pair> &leg_pairs, const std::vector<Pair> &rays,
               bool first_reported, int feeling_legs) {
    Body body{points(hull), leg_length, leg_width, torque, effort_price, {}, points(rays), first_reported,
              feeling_legs};
    if (rays.size() != RAYS) throw std::invalid_argument("a walker has 10 rays");
    for (const Pair &pair : leg_pairs) body.leg_pairs.push_back({pair[0], pair[1]});
    return body;
}

bitgen_t *bit_generator(nb::handle capsule) {
    void *found = PyCapsule_GetPointer(capsule.ptr(), "BitGenerator");
    if (!found) throw nb::python_error();
    return static_cast<bitgen_t *>(found);
}

Beginning drawn(Family family, double spacing, bool original_end, bool seam, std::vector<double> task,
                nb::handle capsule) {
    const size_t dimensions[] = {2, 12, 10, 1, 8};
    if (task.size() != dimensions[static_cast<int>(family)]) throw std::invalid_argument("the task has a wrong size");
    return {{family, spacing, original_end, seam}, std::move(task), bit_generator(capsule), {}};
}

Beginning given(const std::vector<std::array<Pair, 2>> &edges, const std::vector<std::vector<Pair>> &obstacles,
                double push) {
    Beginning made;
    for (const auto &[left, right] : edges) made.track.edges.push_back({Point{left[0], left[1]}, {right[0], right[1]}});
    for (const auto &corners : obstacles) made.track.obstacles.push_back(points(corners));
    made.track.push = push;
    return made;
}

void expect(bool fits, const char *what) {
    if (!fits) throw std::invalid_argument(std::string(what) + " has a shape that does not fit the batch");
}

void begin(Batch &batch, Slots slots, const std::vector<Beginning> &beginnings, Array<float, 2> observations) {
    const size_t count = slots.shape(0);
    expect(beginnings.size() == count, "beginnings");
    expect(observations.shape(0) == count && int(observations.shape(1)) == batch.observations(), "observations");
    Unlocked::run([&] { batch.begin(slots.data(), int(count), beginnings, observations.data()); });
}

template <typename Number>
int step(Batch &batch, Slots slots, Array<const Number, 2> actions, Array<float, 2> observations,
         Array<double, 1> rewards, Array<bool, 1> terminated, Array<bool, 1> truncated) {
    const size_t count = slots.shape(0);
    expect(actions.shape(0) == count && int(actions.shape(1)) == batch.joints(), "actions");
    expect(observations.shape(0) == count && int(observations.shape(1)) == batch.observations(), "observations");
    expect(rewards.shape(0) == count, "rewards");
    expect(terminated.shape(0) == count, "terminated");
    expect(truncated.shape(0) == count, "truncated");
    const int unplayable = batch.unplayable(actions.data(), int(count));
    if (unplayable < 0)
        Unlocked::run([&] {
            batch.step(slots.data(), int(count), actions.data(), observations.data(), rewards.data(),
                       terminated.data(), truncated.data());
        });
    return unplayable;
}

std::vector<double> normals(nb::handle capsule, int count) {
    std::vector<double> made;
    bitgen_t *generator = bit_generator(capsule);
    for (int i = 0; i < count; ++i) made.push_back(draw_normal(generator, 0.0, 1.0));
    return made;
}

std::vector<double> actions(const Batch &batch, int64_t slot) { return batch.walker(slot).actions(); }

} // namespace

NB_MODULE(_engine, m) {
    nb::set_leak_warnings(false); // a walker that is still played when the interpreter ends is no leak
    prepare_box2d();
    nb::register_exception_translator([](const std::exception_ptr &raised, void *) {
        try {
            std::rethrow_exception(raised);
        } catch (const SimulationError &error) {
            PyErr_SetString(PyExc_AssertionError, error.what());
        }
    });
    nb::enum_<Family>(m, "Family")
        .value("STUMP_TRACKS", Family::stump_tracks)
        .value("HEXAGON_TRACKS", Family::hexagon_tracks)
        .value("STUMP_SEQUENCE", Family::stump_sequence)
        .value("GRASS", Family::grass)
        .value("OBSTACLE_COURSE", Family::obstacle_course);
    nb::class_<Body>(m, "Body");
    nb::class_<Beginning>(m, "Beginning");
    nb::class_<Batch>(m, "Batch")
        .def(nb::init<const std::vector<Body> &, int, int>(), "bodies"_a, "step_limit"_a, "threads"_a)
        .def("begin", &begin, "slots"_a, "beginnings"_a, "observations"_a.noconvert())
        .def("step", &step<float>, "slots"_a, "actions"_a.noconvert(), "observations"_a.noconvert(),
             "rewards"_a.noconvert(), "terminated"_a.noconvert(), "truncated"_a.noconvert())
        .def("step", &step<double>, "slots"_a, "actions"_a.noconvert(), "observations"_a.noconvert(),
             "rewards"_a.noconvert(), "terminated"_a.noconvert(), "truncated"_a.noconvert())
        .def("actions", &actions, "slot"_a);
    m.def("make_body", &make_body, nb::kw_only(), "hull"_a, "leg_length"_a, "leg_width"_a, "torque"_a,
          "effort_price"_a, "leg_pairs"_a, "rays"_a, "first_reported"_a, "feeling_legs"_a);
    m.def("drawn", &drawn, "family"_a, "spacing"_a, "original_end"_a, "seam"_a, "task"_a, "generator"_a);
    m.def("given", &given, "edges"_a, "obstacles"_a, "push"_a);
    m.def("normals", &normals, "generator"_a, "count"_a);
    m.def("shut_down", &Unlocked::shut_down);
    m.def("forget_other_threads", &Unlocked::forget);
}
