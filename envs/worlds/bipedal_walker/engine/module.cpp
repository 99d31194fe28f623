// The Python module `_engine`: checks what it is given, releases the interpreter's lock, and calls the batch.
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

// Calls without the interpreter's lock. Python ends a thread, in the middle of C++, that asks for the lock once the
// interpreter finalizes: so `shut_down` waits for the calls under way, and later ones fail.
class Unlocked {
  public:
    template <typename Work> static void run(const Work &work) {
        {
            std::lock_guard lock(mutex());
            if (finalizing()) throw std::runtime_error("the interpreter is ending; the walkers can't be used any more");
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
        returned().notify_all();
        if (raised) std::rethrow_exception(raised);
    }

    static void shut_down() {
        PyThreadState *state = PyEval_SaveThread();
        {
            std::unique_lock lock(mutex());
            finalizing() = true;
            returned().wait(lock, [] { return calls() == 0; });
        }
        PyEval_RestoreThread(state);
    }

    // In the child of a fork, where calls of other threads never return.
    static void after_fork() { calls() = 0; }

  private:
    // Never destroyed, as threads may use them until the process ends.
    static std::mutex &mutex() { static auto *mutex = new std::mutex; return *mutex; }
    static std::condition_variable &returned() {
        static auto *returned = new std::condition_variable;
        return *returned;
    }
    static int &calls() { static int calls = 0; return calls; }
    static bool &finalizing() { static bool finalizing = false; return finalizing; }
};

std::vector<Point> points(const std::vector<Pair> &pairs) {
    std::vector<Point> points;
    for (const Pair &pair : pairs) points.push_back({pair[0], pair[1]});
    return points;
}

void init_body(Body *body, const std::vector<Pair> &hull, double leg_length, double leg_width, double torque,
               double effort_price, const std::vector<Pair> &leg_pairs, const std::vector<Pair> &rays,
               bool first_reported, int observed_legs) {
    if (rays.size() != RAYS) throw std::invalid_argument("a walker has 10 rays");
    new (body) Body{points(hull), leg_length, leg_width, torque, effort_price, {}, points(rays), first_reported,
                    observed_legs};
    for (const Pair &pair : leg_pairs) body->leg_pairs.push_back({pair[0], pair[1]});
}

void init_track(Track *track, const std::vector<std::array<Pair, 2>> &edges,
                const std::vector<std::vector<Pair>> &obstacles, double push) {
    new (track) Track{{}, {}, push};
    for (const auto &[left, right] : edges) track->edges.push_back({Point{left[0], left[1]}, {right[0], right[1]}});
    for (const auto &obstacle : obstacles) track->obstacles.push_back(points(obstacle));
}

void expect(bool fits, const char *what) {
    if (!fits) throw std::invalid_argument(std::string(what) + " has a shape that does not fit the batch");
}

void begin(Batch &batch, Slots slots, const std::vector<Track> &tracks, Array<float, 2> observations) {
    const size_t count = slots.shape(0);
    expect(tracks.size() == count, "tracks");
    expect(observations.shape(0) == count && int(observations.shape(1)) == batch.observations(), "observations");
    Unlocked::run([&] { batch.begin(slots.data(), int(count), tracks, observations.data()); });
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
    const int row = batch.first_not_finite(actions.data(), int(count));
    if (row < 0)
        Unlocked::run([&] {
            batch.step(slots.data(), int(count), actions.data(), observations.data(), rewards.data(),
                       terminated.data(), truncated.data());
        });
    return row;
}

std::vector<double> actions(const Batch &batch, int64_t slot) { return batch.walker(slot).actions(); }

} // namespace

NB_MODULE(_engine, m) {
    // Walkers may still be in use when the interpreter ends.
    nb::set_leak_warnings(false);
    initialize_box2d();
    nb::register_exception_translator([](const std::exception_ptr &raised, void *) {
        try {
            std::rethrow_exception(raised);
        } catch (const SimulationError &error) {
            PyErr_SetString(PyExc_AssertionError, error.what());
        }
    });
    nb::class_<Body>(m, "Body").def("__init__", &init_body, nb::kw_only(), "hull"_a, "leg_length"_a, "leg_width"_a,
                                    "torque"_a, "effort_price"_a, "leg_pairs"_a, "rays"_a, "first_reported"_a,
                                    "observed_legs"_a);
    nb::class_<Track>(m, "Track").def("__init__", &init_track, nb::kw_only(), "edges"_a, "obstacles"_a, "push"_a);
    nb::class_<Batch>(m, "Batch")
        .def(nb::init<const std::vector<Body> &, int, int>(), "bodies"_a, "step_limit"_a, "threads"_a)
        .def("begin", &begin, "slots"_a, "tracks"_a, "observations"_a.noconvert())
        .def("step", &step<float>, "slots"_a, "actions"_a.noconvert(), "observations"_a.noconvert(),
             "rewards"_a.noconvert(), "terminated"_a.noconvert(), "truncated"_a.noconvert())
        .def("step", &step<double>, "slots"_a, "actions"_a.noconvert(), "observations"_a.noconvert(),
             "rewards"_a.noconvert(), "terminated"_a.noconvert(), "truncated"_a.noconvert())
        .def("actions", &actions, "slot"_a);
    m.def("shut_down", &Unlocked::shut_down);
    m.def("after_fork", &Unlocked::after_fork);
}
