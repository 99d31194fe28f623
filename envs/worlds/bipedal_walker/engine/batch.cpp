#include "batch.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <string>

#include "lanes.h"

#ifdef _WIN32
#include <process.h>
static long process_number() { return _getpid(); }
#else
#include <unistd.h>
static long process_number() { return getpid(); }
#endif

// A batch works for one caller at a time. Without the interpreter's lock, a second one could come.
struct Batch::Claim {
    std::atomic<bool> &busy;

    explicit Claim(std::atomic<bool> &busy) : busy(busy) {
        if (busy.exchange(true))
            throw std::runtime_error("the walkers are in use by another thread; give each thread its own");
    }
    ~Claim() { busy = false; }
};

Batch::Batch(const std::vector<Body> &bodies, int step_limit, int threads)
    : step_limit_(step_limit), threads_(threads) {
    if (bodies.empty()) throw std::invalid_argument("a batch needs at least one walker");
    for (const Body &body : bodies) {
        if (body.joints() != bodies.front().joints())
            throw std::invalid_argument("the bodies of a batch must have the same number of joints");
        walkers_.emplace_back(body);
    }
}

Batch::~Batch() {
    // After a fork the threads are not there, and can't be joined.
    if (pool_ && pool_process_ != process_number()) static_cast<void>(pool_.release());
}

const Walker &Batch::walker(int64_t slot) const {
    check(&slot, 1);
    return walkers_[slot];
}

void Batch::check(const int64_t *slots, int count) const {
    std::vector<char> seen(size(), false);
    for (int i = 0; i < count; ++i) {
        if (slots[i] < 0 || slots[i] >= size()) throw std::out_of_range("there is no such slot");
        if (seen[slots[i]]) throw std::invalid_argument("a slot is given twice");
        seen[slots[i]] = true;
    }
}

template <typename Work> void Batch::in_groups(int count, const Work &work) {
    const int each = (count + threads_ - 1) / threads_;
    const int width = lanes_for(each), groups = (count + width - 1) / width;
    std::mutex mutex;
    std::string failure;
    const auto guarded = [&](int group) {
        try {
            work(group * width, std::min(count, (group + 1) * width));
        } catch (const std::exception &error) {
            std::lock_guard lock(mutex);
            failure = error.what();
        }
    };
    if (threads_ > 1 && groups > 1) {
        if (!pool_ || pool_process_ != process_number()) {
            static_cast<void>(pool_.release());
            pool_ = std::make_unique<ThreadPool>(threads_ - 1);
            pool_process_ = process_number();
        }
        pool_->run(groups, guarded);
    } else {
        for (int group = 0; group < groups; ++group) guarded(group);
    }
    if (!failure.empty()) throw SimulationError(failure);
}

void Batch::begin(const int64_t *slots, int count, const std::vector<Beginning> &beginnings, float *observations) {
    const Claim claim(busy_);
    check(slots, count);
    try {
        begin_groups(slots, count, beginnings, observations);
    } catch (...) {
        // None of these episodes has begun properly.
        for (int i = 0; i < count; ++i) walkers_[slots[i]].abandon();
        throw;
    }
}

void Batch::begin_groups(const int64_t *slots, int count, const std::vector<Beginning> &beginnings,
                         float *observations) {
    const std::vector<double> rest(joints(), 0.0);
    in_groups(count, [&](int from, int to) {
        std::vector<Turn> turns;
        std::vector<Outcome> outcomes(to - from);
        for (int i = from; i < to; ++i) {
            const Beginning &how = beginnings[i];
            Walker &walker = walkers_[slots[i]];
            walker.begin(how.generator ? how.terrain.generate(how.task, how.generator) : how.track);
            turns.push_back({&walker, rest.data(), row(observations, i), &outcomes[i - from]});
        }
        play(turns);
    });
}

template <typename Number>
void Batch::step(const int64_t *slots, int count, const Number *actions, float *observations, double *rewards,
                 bool *terminated, bool *truncated) {
    const Claim claim(busy_);
    check(slots, count);
    for (int i = 0; i < count; ++i)
        if (!walkers_[slots[i]].ready()) throw std::runtime_error("a walker can't be stepped before it has begun");
    const int joints = this->joints();
    in_groups(count, [&](int from, int to) {
        std::vector<Turn> turns;
        std::vector<Outcome> outcomes(to - from);
        for (int i = from; i < to; ++i) {
            Walker &walker = walkers_[slots[i]];
            const Number *action = actions + static_cast<size_t>(i) * joints;
            std::vector<double> &played = walker.actions();
            played.insert(played.end(), action, action + joints);
            turns.push_back({&walker, &played[played.size() - joints], row(observations, i), &outcomes[i - from]});
        }
        play(turns);
        for (int i = from; i < to; ++i) {
            const int steps = static_cast<int>(walkers_[slots[i]].actions().size()) / joints;
            rewards[i] = outcomes[i - from].reward;
            terminated[i] = outcomes[i - from].terminated;
            truncated[i] = step_limit_ > 0 && steps >= step_limit_;
        }
    });
}

template void Batch::step<float>(const int64_t *, int, const float *, float *, double *, bool *, bool *);
template void Batch::step<double>(const int64_t *, int, const double *, float *, double *, bool *, bool *);

template <typename Number> int Batch::unplayable(const Number *actions, int count) const {
    for (int i = 0; i < count * joints(); ++i)
        if (!std::isfinite(actions[i])) return i / joints();
    return -1;
}

template int Batch::unplayable<float>(const float *, int) const;
template int Batch::unplayable<double>(const double *, int) const;
