// Walkers that are stepped together, by several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "thread_pool.h"
#include "track.h"
#include "walker.h"

class Batch {
  public:
    // Bodies have the same number of joints. Episodes are truncated after `step_limit` steps; 0 for never.
    Batch(const std::vector<Body> &bodies, int step_limit, int threads);
    ~Batch();

    int size() const { return static_cast<int>(walkers_.size()); }
    int joints() const { return walkers_.front().body().joints(); }
    int observations() const { return walkers_.front().body().observations(); }
    const Walker &walker(int64_t slot) const;

    // Begins an episode in each slot; row i of tracks and observations belongs to slots[i].
    void begin(const int64_t *slots, int count, const std::vector<Track> &tracks, float *observations);

    // Plays one step in each slot; row i of every array belongs to slots[i].
    template <typename Number>
    void step(const int64_t *slots, int count, const Number *actions, float *observations, double *rewards,
              bool *terminated, bool *truncated);

    // The first row with a number that is not finite, or -1.
    template <typename Number> int first_not_finite(const Number *actions, int count) const;

  private:
    class Busy;
    void check(const int64_t *slots, int count) const;
    void begin_groups(const int64_t *slots, int count, const std::vector<Track> &tracks, float *observations);
    float *row(float *rows, int i) const { return rows + static_cast<size_t>(i) * observations(); }
    // Calls work(first, end) for groups of rows, in several threads.
    template <typename Work> void for_groups(int count, const Work &work);

    std::vector<Walker> walkers_;
    int step_limit_, threads_;
    std::unique_ptr<ThreadPool> pool_;
    long pool_process_ = 0;
    std::atomic<bool> busy_{false};
};
