// Shares the walkers of a batch out to lanes and threads.
#include "batch.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <string>

#include "lanes.h"

#ifdef _WIN32
#include <process.h>
static long process_id() { return _getpid(); }
#else
#include <unistd.h>
static long process_id() { return getpid(); }
#endif

// Held during a call: without the interpreter's lock, another thread could call as well.
class Batch::Busy {
  public:
    explicit Busy(std::atomic<bool> &busy) : busy_(busy) {
        if (busy.exchange(true))
            throw std::runtime_error("the walkers are in use by another thread; give each thread its own");
    }
    ~Busy() { busy_ = false; }

  private:
    std::atomic<bool> &busy_;
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
    if (pool_ && pool_process_ != process_id()) static_cast<void>(pool_.release());
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

template <typename Work> void Batch::for_groups(int count, const Work &work) {
    const int lanes = lane_count((count + threads_ - 1) / threads_), groups = (count + lanes - 1) / lanes;
    std::mutex mutex;
    std::string failure;
    const auto work_on = [&](int group) {
        try {
            work(group * lanes, std::min(count, (group + 1) * lanes));
        } catch (const std::exception &error) {
            std::lock_guard lock(mutex);
            failure = error.what();
        }
    };
    if (threads_ > 1 && groups > 1) {
        if (!pool_ || pool_process_ != process_id()) {
            static_cast<void>(pool_.release());
            pool_ = std::make_unique<ThreadPool>(threads_ - 1);
            pool_process_ = process_id();
        }
        pool_->run(groups, work_on);
    } else {
        for (int group = 0; group < groups; ++group) work_on(group);
    }
    if (!failure.empty()) throw SimulationError(failure);
}

void Batch::begin(const int64_t *slots, int count, const std::vector<Track> &tracks, float *observations) {
    const Busy busy(busy_);
    check(slots, count);
    try {
        begin_groups(slots, count, tracks, observations);
    } catch (...) {
        // No episode of this call goes on where one could not begin.
        for (int i = 0; i < count; ++i) walkers_[slots[i]].abandon();
        throw;
    }
}

void Batch::begin_groups(const int64_t *slots, int count, const std::vector<Track> &tracks, float *observations) {
    const std::vector<double> zero_action(joints(), 0.0);
    for_groups(count, [&](int first, int end) {
        std::vector<WalkerStep> steps;
        std::vector<Outcome> outcomes(end - first);
        for (int i = first; i < end; ++i) {
            Walker &walker = walkers_[slots[i]];
            walker.begin(tracks[i]);
            steps.push_back({&walker, zero_action.data(), row(observations, i), &outcomes[i - first]});
        }
        step_together(steps);
    });
}

template <typename Number>
void Batch::step(const int64_t *slots, int count, const Number *actions, float *observations, double *rewards,
                 bool *terminated, bool *truncated) {
    const Busy busy(busy_);
    check(slots, count);
    for (int i = 0; i < count; ++i)
        if (!walkers_[slots[i]].in_episode()) throw std::runtime_error("a walker can't be stepped before it has begun");
    const int joints = this->joints();
    for_groups(count, [&](int first, int end) {
        std::vector<WalkerStep> steps;
        std::vector<Outcome> outcomes(end - first);
        for (int i = first; i < end; ++i) {
            Walker &walker = walkers_[slots[i]];
            const Number *action = actions + static_cast<size_t>(i) * joints;
            std::vector<double> &played = walker.actions();
            played.insert(played.end(), action, action + joints);
            steps.push_back({&walker, &played[played.size() - joints], row(observations, i), &outcomes[i - first]});
        }
        step_together(steps);
        for (int i = first; i < end; ++i) {
            const int length = static_cast<int>(walkers_[slots[i]].actions().size()) / joints;
            rewards[i] = outcomes[i - first].reward;
            terminated[i] = outcomes[i - first].terminated;
            truncated[i] = step_limit_ > 0 && length >= step_limit_;
        }
    });
}

template void Batch::step<float>(const int64_t *, int, const float *, float *, double *, bool *, bool *);
template void Batch::step<double>(const int64_t *, int, const double *, float *, double *, bool *, bool *);

template <typename Number> int Batch::first_not_finite(const Number *actions, int count) const {
    for (int i = 0; i < count * joints(); ++i)
        if (!std::isfinite(actions[i])) return i / joints();
    return -1;
}

template int Batch::first_not_finite<float>(const float *, int) const;
template int Batch::first_not_finite<double>(const double *, int) const;
